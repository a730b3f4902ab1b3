/* BSD-3-Clause; see LICENSE. */
/* Growable buffers, octet-wise order, secrets. */
#include <v23/bytes.h>

#include <stdarg.h>
#include <stdio.h>

/*
 * A buffer that grows holds its allocator, never NULL, and calls it directly: a
 * program whose buffers are all fixed then links no malloc.
 */

/* First size of a growing buffer. */
#define BUF_FIRST 64

bool vdl_str_eq_nocase(struct vdl_str a, struct vdl_str b)
{
    uint32_t i;

    if (a.n != b.n)
        return false;
    for (i = 0; i < a.n; i++)
        if (v23_lower(a.p[i]) != v23_lower(b.p[i]))
            return false;
    return true;
}

int vdl_str_cmp(struct vdl_str a, struct vdl_str b)
{
    uint32_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

    if (c != 0)
        return c;
    return (a.n > b.n) - (a.n < b.n);
}

void v23_buf_init(struct v23_buf *b, const struct v23_alloc *al, size_t max)
{
    memset(b, 0, sizeof(*b));
    b->al = al == NULL ? &v23_alloc_libc : al;
    b->max = max;
}

void v23_buf_init_fixed(struct v23_buf *b, void *mem, size_t size)
{
    memset(b, 0, sizeof(*b));
    b->p = mem;
    b->cap = size;
    b->max = size;
    b->fixed = true;
}

void v23_buf_fini(struct v23_buf *b)
{
    if (!b->fixed) {
        if (b->p != NULL)
            b->al->put(b->al->ud, b->p);
        b->p = NULL;
        b->cap = 0;
    }
    b->n = 0;
    b->err = 0;
}

static int fail(struct v23_buf *b, int err)
{
    b->err = err;
    return err;
}

/* Is there room for `n` more bytes, and no error? */
static inline bool has_room(const struct v23_buf *b, size_t n)
{
    return n <= b->cap - b->n && n <= b->max - b->n && b->err == 0;
}

/* Make room for `n` more bytes; `extra` of them may lie beyond max. */
static int room(struct v23_buf *b, size_t n, size_t extra)
{
    size_t need, want;
    void *p;

    if (has_room(b, n))
        return 0;
    if (b->err != 0)
        return b->err;
    if (b->fixed)
        return fail(b, V23_ENOSPC);
    if (n - extra > b->max - b->n || v23_add_size(b->n, n, &need) != 0)
        return fail(b, V23_ELIMIT);
    if (need <= b->cap)
        return 0;
    want = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
    while (want < need)
        want = want > SIZE_MAX / 2 ? need : 2 * want;
    if (want > b->max)
        want = need > b->max ? need : b->max;
    p = b->al->regrow(b->al->ud, b->p, want);
    if (p == NULL)
        return fail(b, V23_ENOMEM);
    b->p = p;
    b->cap = want;
    return 0;
}

int v23_buf_room(struct v23_buf *b, size_t n)
{
    return room(b, n, 0);
}

void v23_buf_put(struct v23_buf *b, const void *p, size_t n)
{
    if (n == 0 || (!has_room(b, n) && room(b, n, 0) != 0))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void v23_buf_put_byte(struct v23_buf *b, uint8_t c)
{
    if (has_room(b, 1) || room(b, 1, 0) == 0)
        b->p[b->n++] = c;
}

void v23_buf_puts(struct v23_buf *b, const char *s)
{
    v23_buf_put(b, s, strlen(s));
}

void v23_buf_put_str(struct v23_buf *b, struct vdl_str s)
{
    v23_buf_put(b, s.p, s.n);
}

void v23_buf_put_uint(struct v23_buf *b, uint64_t x)
{
    char text[20], *p = text + sizeof(text);

    do {
        *--p = (char)('0' + x % 10);
        x /= 10;
    } while (x != 0);
    v23_buf_put(b, p, (size_t)(text + sizeof(text) - p));
}

void v23_buf_put_int(struct v23_buf *b, int64_t x)
{
    if (x < 0)
        v23_buf_put_byte(b, '-');
    v23_buf_put_uint(b, x < 0 ? 0 - (uint64_t)x : (uint64_t)x);
}

void v23_buf_printf(struct v23_buf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < 0) {
        if (b->err == 0)
            b->err = V23_EARG;
        return;
    }
    if ((size_t)n < sizeof(small)) {
        v23_buf_put(b, small, (size_t)n);
        return;
    }
    /* vsnprintf also writes a NUL, which is not kept. */
    if (room(b, (size_t)n + 1, 1) != 0)
        return;
    va_start(ap, fmt);
    vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

void v23_buf_drop(struct v23_buf *b, size_t n)
{
    if (n == 0)
        return;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

void v23_buf_cut(struct v23_buf *b, size_t n)
{
    b->n = n;
    b->err = 0;
}

void v23_buf_fit(struct v23_buf *b)
{
    void *p;

    if (b->fixed || b->err != 0 || b->cap == b->n)
        return;
    if (b->n == 0) {
        v23_buf_fini(b);
        return;
    }
    p = b->al->regrow(b->al->ud, b->p, b->n);
    if (p == NULL)
        return;
    b->p = p;
    b->cap = b->n;
}

const char *v23_buf_cstr(struct v23_buf *b)
{
    if (room(b, 1, 1) != 0)
        return "";
    b->p[b->n] = 0;
    return (const char *)b->p;
}

void v23_wipe(void *p, size_t n)
{
    volatile uint8_t *v = p;

    while (n-- != 0)
        *v++ = 0;
}

bool v23_ct_equal(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    volatile uint8_t diff = 0;
    size_t i;

    for (i = 0; i < n; i++)
        diff = (uint8_t)(diff | (x[i] ^ y[i]));
    return diff == 0;
}

/* ---- tables -------------------------------------------------------------- */

/*
 * Each half of a word is added to a half of the state before the two are
 * multiplied, so that no difference between words cancels for every key.
 */
static uint64_t hash_word(uint64_t h, uint64_t w)
{
    uint32_t a = (uint32_t)w + (uint32_t)h;
    uint32_t b = (uint32_t)(w >> 32) + (uint32_t)(h >> 32);

    h = (h << 23 | h >> 41) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (uint64_t)a * b;
}

uint64_t v23_hash(uint64_t key, const void *p, size_t n)
{
    const uint8_t *b = p;
    uint64_t h = hash_word(key ^ UINT64_C(0xd1b54a32d192ed03), n), w;

    for (; n >= sizeof(w); n -= sizeof(w), b += sizeof(w)) {
        memcpy(&w, b, sizeof(w));
        h = hash_word(h, w);
    }
    w = 0;
    if (n > 0)
        memcpy(&w, b, n);
    h = hash_word(h, w);
    h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}
