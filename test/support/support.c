/* BSD-3-Clause; see LICENSE. */
/* Helpers shared by all tests; aborts on misuse, never used by a library. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

struct block {
    size_t size;
    max_align_t data[];
};

static struct block *block_of(void *p)
{
    return (struct block *)(void *)((char *)p - offsetof(struct block, data));
}

static void *count_regrow(void *ud, void *p, size_t size)
{
    struct tst_alloc *t = ud;
    struct block *b = p == NULL ? NULL : block_of(p);
    size_t old = b == NULL ? 0 : b->size;

    t->calls++;
    if (t->calls == t->fail_at)
        return NULL;
    b = realloc(b, sizeof(*b) + size);
    if (b == NULL)
        return NULL;
    b->size = size;
    if (p == NULL)
        t->live++;
    t->bytes += size - old;
    if (t->bytes > t->peak)
        t->peak = t->bytes;
    return b->data;
}

static void *count_get(void *ud, size_t size)
{
    return count_regrow(ud, NULL, size);
}

static void count_put(void *ud, void *p)
{
    struct tst_alloc *t = ud;

    if (p == NULL)
        return;
    t->live--;
    t->bytes -= block_of(p)->size;
    free(block_of(p));
}

void tst_alloc_init(struct tst_alloc *t)
{
    memset(t, 0, sizeof(*t));
    t->al.get = count_get;
    t->al.regrow = count_regrow;
    t->al.put = count_put;
    t->al.ud = t;
}

void tst_out_of_memory(int (*body)(const struct v23_alloc *al, void *ud),
    void *ud)
{
    struct tst_alloc t;
    size_t k;
    int rc;

    for (k = 1;; k++) {
        tst_alloc_init(&t);
        t.fail_at = k;
        rc = body(&t.al, ud);
        if (t.live != 0) {
            fprintf(stderr, "allocation %zu failing: %zu blocks leaked\n", k,
                t.live);
            abort();
        }
        if (t.calls < k) {
            if (rc == 0)
                return;
            fprintf(stderr, "no allocation failed, but: %s\n",
                v23_strerror(rc));
            abort();
        }
        if (rc != 0 && rc != V23_ENOMEM) {
            fprintf(stderr, "allocation %zu failing gave: %s\n", k,
                v23_strerror(rc));
            abort();
        }
    }
}

static uint8_t *ring(size_t n)
{
    static uint8_t *slots[16];
    static unsigned next;
    unsigned i = next++ % 16;

    free(slots[i]);
    slots[i] = malloc(n + 1);
    if (slots[i] == NULL)
        abort();
    return slots[i];
}

struct v23_bytes hex(const char *text)
{
    size_t n = strlen(text), out = 0, i;
    uint8_t *p = ring(n);
    int high = -1;

    for (i = 0; i < n; i++) {
        const char *digits = "0123456789abcdef";
        char c = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] + 32)
                                                  : text[i];
        const char *d = strchr(digits, c);

        if (c == ' ' || c == '\n')
            continue;
        if (d == NULL) {
            fprintf(stderr, "bad hex constant: %s\n", text);
            abort();
        }
        if (high < 0) {
            high = (int)(d - digits);
        } else {
            p[out++] = (uint8_t)(high << 4 | (int)(d - digits));
            high = -1;
        }
    }
    return v23_bytes(p, out);
}

const char *unhex(const void *p, size_t n)
{
    char *s = (char *)ring(2 * n);
    size_t i;

    for (i = 0; i < n; i++)
        sprintf(s + 2 * i, "%02x", ((const uint8_t *)p)[i]);
    s[2 * n] = 0;
    return s;
}

char *tst_read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *p = NULL;
    size_t cap = 0, used = 0, got;

    if (f == NULL)
        return NULL;
    do {
        if (used + 1 >= cap) {
            cap = cap == 0 ? 65536 : 2 * cap;
            p = realloc(p, cap);
            if (p == NULL)
                abort();
        }
        got = fread(p + used, 1, cap - used - 1, f);
        used += got;
    } while (got != 0);
    fclose(f);
    p[used] = 0;
    if (n != NULL)
        *n = used;
    return p;
}

bool tst_emulated(const char *what)
{
    const char *emulator = getenv("EXEC"); /* test/run-units.sh */

    if (emulator == NULL || *emulator == 0)
        return false;
    fprintf(stderr, "left out under an emulator: %s\n", what);
    return true;
}
