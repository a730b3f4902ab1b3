/* BSD-3-Clause; see LICENSE. */
/*
 * Arenas: bump allocation from a chain of blocks (newest first) or from one
 * caller-given buffer. References held are kept apart from the blocks, so a
 * rewind does not lose them: in a fixed buffer their nodes grow down from its
 * end, else each is an allocation of its own. The allocator, never NULL unless
 * the buffer is the caller's, is called directly: a program with such arenas
 * only then links no malloc.
 */
#include <v23/alloc.h>
#include <v23/config.h>

#include <string.h>

struct v23_arena_block {
    struct v23_arena_block *prev;
    size_t size; /* of the data, which follows the header */
};

struct v23_arena_held {
    struct v23_arena_held *next;
    struct v23_ref *ref;
};

/* Room for the header that keeps data aligned like the block, up to 16. */
#define HEADER ((sizeof(struct v23_arena_block) + 15) & ~(size_t)15)

static uint8_t *block_data(struct v23_arena_block *b)
{
    return (uint8_t *)b + HEADER;
}

void v23_arena_init(struct v23_arena *a, const struct v23_alloc *al,
    size_t limit)
{
    memset(a, 0, sizeof(*a));
    a->al = al == NULL ? &v23_alloc_libc : al;
    a->limit = limit;
    a->first = V23_ARENA_BLOCK;
}

void v23_arena_init_small(struct v23_arena *a, const struct v23_alloc *al,
    size_t limit, size_t first)
{
    v23_arena_init(a, al, limit);
    a->first = first;
}

void v23_arena_init_fixed(struct v23_arena *a, void *mem, size_t size)
{
    memset(a, 0, sizeof(*a));
    a->fixed = mem;
    a->fixed_size = size;
    a->limit = SIZE_MAX;
    a->p = a->fixed;
    a->end = a->fixed + size;
}

static void use_block(struct v23_arena *a, struct v23_arena_block *b)
{
    a->p = b == NULL ? NULL : block_data(b);
    a->end = b == NULL ? NULL : a->p + b->size;
}

/* Add a block with room for `size` bytes at that alignment. */
static int grow(struct v23_arena *a, size_t size, size_t align)
{
    size_t want = a->first, total;
    struct v23_arena_block *b;

    if (a->al == NULL)
        return V23_ENOSPC;
    /* The allocator may align to less than 16. */
    if (v23_add_size(size, align - 1, &size) != 0)
        return V23_ELIMIT;
    /* As much again as there is: little is left over at the end. A block kept
     * by a reset was too small, so it is doubled like a later one. */
    if (a->blocks != NULL && (a->blocks->prev != NULL
        || a->blocks->size != a->first))
        want = 2 * a->blocks->size;
    if (want > V23_ARENA_KEEP)
        want = V23_ARENA_KEEP;
    if (want > a->limit - a->used)
        want = a->limit - a->used;
    if (want < size)
        want = size;
    if (v23_add_size(want, HEADER, &total) != 0)
        return V23_ELIMIT;
    b = a->al->get(a->al->ud, total);
    if (b == NULL)
        return V23_ENOMEM;
    b->prev = a->blocks;
    b->size = want;
    a->blocks = b;
    use_block(a, b);
    return 0;
}

static size_t padding(const struct v23_arena *a, size_t align)
{
    return (size_t)(0 - (uintptr_t)a->p) & (align - 1);
}

void *v23_arena_get(struct v23_arena *a, size_t size, size_t align)
{
    size_t pad = padding(a, align);
    uint8_t *p;

    if (size > a->limit - a->used)
        return NULL;
    if (a->p == NULL || pad > (size_t)(a->end - a->p)
        || size > (size_t)(a->end - a->p) - pad) {
        if (grow(a, size, align) != 0)
            return NULL;
        pad = padding(a, align);
    }
    if (pad + size > a->limit - a->used)
        return NULL;
    p = a->p + pad;
    a->p = p + size;
    a->used += pad + size;
    return p;
}

void *v23_arena_get0(struct v23_arena *a, size_t count, size_t size,
    size_t align)
{
    size_t total;
    void *p;

    if (v23_mul_size(count, size, &total) != 0)
        return NULL;
    p = v23_arena_get(a, total, align);
    if (p != NULL)
        memset(p, 0, total);
    return p;
}

void *v23_arena_dup(struct v23_arena *a, const void *p, size_t n)
{
    uint8_t *copy;

    if (n == SIZE_MAX)
        return NULL;
    copy = v23_arena_get(a, n + 1, 1);
    if (copy == NULL)
        return NULL;
    if (n != 0)
        memcpy(copy, p, n);
    copy[n] = 0;
    return copy;
}

/* Node for a held reference from the end of the caller's buffer. */
static struct v23_arena_held *held_from_end(struct v23_arena *a)
{
    size_t pad = (uintptr_t)a->end & (_Alignof(struct v23_arena_held) - 1);

    if ((size_t)(a->end - a->p) < pad + sizeof(struct v23_arena_held))
        return NULL;
    a->end -= pad + sizeof(struct v23_arena_held);
    return (struct v23_arena_held *)(void *)a->end;
}

int v23_arena_hold(struct v23_arena *a, struct v23_ref *r)
{
    struct v23_arena_held *h;

    if (a->held != NULL && a->held->ref == r)
        return 0;
    if (a->al == NULL)
        h = held_from_end(a);
    else
        h = a->al->get(a->al->ud, sizeof(*h));
    if (h == NULL)
        return V23_ENOMEM;
    h->ref = v23_ref(r);
    h->next = a->held;
    a->held = h;
    return 0;
}

struct v23_arena_mark v23_arena_mark(const struct v23_arena *a)
{
    struct v23_arena_mark m;

    m.block = a->blocks;
    m.p = a->p;
    m.used = a->used;
    return m;
}

void v23_arena_rewind(struct v23_arena *a, struct v23_arena_mark m)
{
    struct v23_arena_block *b;

    while (a->blocks != m.block && a->blocks->prev != NULL) {
        b = a->blocks;
        a->blocks = b->prev;
        a->al->put(a->al->ud, b);
    }
    /* A mark of an arena that had no block yet: keep the first one. */
    if (a->al != NULL)
        use_block(a, a->blocks);
    if (m.block == a->blocks)
        a->p = m.p;
    a->used = m.used;
}

static void drop_held(struct v23_arena *a)
{
    struct v23_arena_held *h;

    while (a->held != NULL) {
        h = a->held;
        a->held = h->next;
        v23_unref(h->ref);
        if (a->al != NULL)
            a->al->put(a->al->ud, h);
    }
}

/* Free all blocks but `keep`. */
static void drop_blocks(struct v23_arena *a, struct v23_arena_block *keep)
{
    struct v23_arena_block *b;

    while (a->blocks != NULL) {
        b = a->blocks;
        a->blocks = b->prev;
        if (b != keep)
            a->al->put(a->al->ud, b);
    }
    if (keep != NULL)
        keep->prev = NULL;
    a->blocks = keep;
    use_block(a, keep);
}

void v23_arena_reset(struct v23_arena *a)
{
    struct v23_arena_block *b, *keep = NULL;

    drop_held(a);
    a->used = 0;
    if (a->al == NULL) {
        a->p = a->fixed;
        a->end = a->fixed + a->fixed_size;
        return;
    }
    for (b = a->blocks; b != NULL; b = b->prev)
        if (b->size <= V23_ARENA_KEEP
            && (keep == NULL || b->size > keep->size))
            keep = b;
    drop_blocks(a, keep);
}

void v23_arena_fini(struct v23_arena *a)
{
    drop_held(a);
    if (a->al != NULL)
        drop_blocks(a, NULL);
    a->used = 0;
}
