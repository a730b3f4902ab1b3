/* BSD-3-Clause; see LICENSE. */
/*
 * Memory blocks that a connection keeps for reuse, so that calls in a steady
 * state do not allocate. Trimmed when the connection falls silent.
 */
#ifndef VRPC_POOL_INT_H
#define VRPC_POOL_INT_H

#include <v23/alloc.h>

struct vrpc_block_;

/* All zero = empty. */
struct vrpc_pool_ {
    struct vrpc_block_ *first;
    size_t bytes; /* held */
    size_t max;   /* most bytes held */
};

/*
 * A block of at least `need` bytes, from the pool or the allocator; *cap
 * receives its size. NULL when out of memory.
 */
void *vrpc_pool_get_(struct vrpc_pool_ *pool, const struct v23_alloc *al,
    size_t need, size_t *cap);
/* Give a block of the same allocator back; NULL is ignored. */
void vrpc_pool_put_(struct vrpc_pool_ *pool, const struct v23_alloc *al,
    void *p, size_t cap);
/* Free blocks until at most `keep` bytes are held. */
void vrpc_pool_trim_(struct vrpc_pool_ *pool, const struct v23_alloc *al,
    size_t keep);

#endif
