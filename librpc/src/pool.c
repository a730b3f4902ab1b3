/* BSD-3-Clause; see LICENSE. */
/*
 * A short list of free blocks, newest first: what was used last is taken
 * again. Only the first few are looked at, so the cost is bounded.
 */
#include "pool_int.h"

#define LOOK 4 /* blocks looked at for one that is large enough */

struct vrpc_block_ {
    struct vrpc_block_ *next;
    size_t cap;
};

void *vrpc_pool_get_(struct vrpc_pool_ *pool, const struct v23_alloc *al,
    size_t need, size_t *cap)
{
    struct vrpc_block_ **link = &pool->first, *b;
    void *p;
    int i;

    for (i = 0; i < LOOK && *link != NULL; i++, link = &(*link)->next) {
        b = *link;
        if (b->cap < need)
            continue;
        *link = b->next;
        pool->bytes -= b->cap;
        *cap = b->cap;
        return b;
    }
    p = v23_get(al, need);
    if (p != NULL)
        *cap = need;
    return p;
}

void vrpc_pool_put_(struct vrpc_pool_ *pool, const struct v23_alloc *al,
    void *p, size_t cap)
{
    struct vrpc_block_ *b = p;

    if (p == NULL)
        return;
    if (cap < sizeof(*b) || cap > pool->max - pool->bytes) {
        v23_put(al, p);
        return;
    }
    b->cap = cap;
    b->next = pool->first;
    pool->first = b;
    pool->bytes += cap;
}

void vrpc_pool_trim_(struct vrpc_pool_ *pool, const struct v23_alloc *al,
    size_t keep)
{
    struct vrpc_block_ *b;

    while (pool->first != NULL && pool->bytes > keep) {
        b = pool->first;
        pool->first = b->next;
        pool->bytes -= b->cap;
        v23_put(al, b);
    }
}
