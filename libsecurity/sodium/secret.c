/* BSD-3-Clause; see LICENSE. */
/*
 * Memory for secrets, from libsodium's guarded allocator: it is left out of
 * core dumps, locked while the process may lock more, and wiped when freed. A
 * block costs a few pages and system calls: it is for what rests, not for what
 * is computed with.
 */
#include <vsec/sodium.h>

#include <sodium.h>

/* In front of a block: its size. Blocks end where their pages end, so they are
 * aligned as their size is. */
enum { HEAD = 16 };

static void *get(void *ud, size_t size)
{
    uint8_t *p;

    (void)ud;
    if (size > SIZE_MAX - 2 * HEAD)
        return NULL;
    p = (uint8_t *)sodium_malloc((size + 2 * HEAD - 1) / HEAD * HEAD);
    if (p == NULL)
        return NULL;
    memcpy(p, &size, sizeof(size));
    return p + HEAD;
}

static void put(void *ud, void *p)
{
    (void)ud;
    if (p != NULL)
        sodium_free((uint8_t *)p - HEAD);
}

static void *regrow(void *ud, void *p, size_t size)
{
    void *q = get(ud, size);
    size_t old;

    if (p == NULL || q == NULL)
        return q;
    memcpy(&old, (uint8_t *)p - HEAD, sizeof(old));
    memcpy(q, p, old < size ? old : size);
    put(ud, p);
    return q;
}

const struct v23_alloc vsec_sodium_secret = { get, regrow, put, NULL };
