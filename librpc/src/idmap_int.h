/* BSD-3-Clause; see LICENSE. */
/* A hash map from non-zero 64-bit ids to a pointer or number. */
#ifndef VRPC_IDMAP_INT_H
#define VRPC_IDMAP_INT_H

#include <stdbool.h>

#include <v23/alloc.h>

union vrpc_idval_ {
    void *p;
    uint64_t n;
};

struct vrpc_idslot_ {
    uint64_t id; /* 0 = free */
    union vrpc_idval_ val;
};

/* All zero = empty. */
struct vrpc_idmap_ {
    struct vrpc_idslot_ *slots;
    uint32_t cap;  /* 0 or a power of two */
    uint32_t used;
};

/* NULL when absent; valid until the next put or delete. */
union vrpc_idval_ *vrpc_idmap_get_(const struct vrpc_idmap_ *m, uint64_t id);
/* Insert a new id, which must not be present. 0, V23_ENOMEM, V23_ELIMIT. */
V23_MUST_USE int vrpc_idmap_put_(struct vrpc_idmap_ *m,
    const struct v23_alloc *al, uint64_t id, union vrpc_idval_ val);
/* Remove if present. Keeps the memory. */
void vrpc_idmap_del_(struct vrpc_idmap_ *m, uint64_t id);
/* Would trimming give back memory worth the work? */
bool vrpc_idmap_is_sparse_(const struct vrpc_idmap_ *m);
/* Give back what is not needed. */
void vrpc_idmap_trim_(struct vrpc_idmap_ *m, const struct v23_alloc *al);
void vrpc_idmap_fini_(struct vrpc_idmap_ *m, const struct v23_alloc *al);

#endif
