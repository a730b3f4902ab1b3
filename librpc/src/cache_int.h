/* BSD-3-Clause; see LICENSE. */
/*
 * Index of live connections by routing id and by (protocol, address).
 * Private to librpc. Source: spec/rpc.md 14.2.
 */
#ifndef VRPC_CACHE_INT_H
#define VRPC_CACHE_INT_H

#include <vrpc/endpoint.h>

/* One key of one entry; lives in the entry. */
struct vrpc_cache_node_ {
    struct vrpc_cache_node_ *next, **link; /* link NULL: not in the cache */
    uint64_t hash;
    void *entry;
};

struct vrpc_cache_entry_ {
    struct vrpc_cache_node_ by_rid, by_addr;
    struct vrpc_routing_id rid;
    struct vdl_str protocol, address; /* must stay alive */
    void *owner;
};

struct vrpc_cache_ {
    const struct v23_alloc *al;
    struct vrpc_cache_node_ **buckets;
    size_t nbuckets, n; /* nodes */
    uint64_t seed;
};

void vrpc_cache_init_(struct vrpc_cache_ *c, const struct v23_alloc *al,
    uint64_t seed);
void vrpc_cache_fini_(struct vrpc_cache_ *c); /* must be empty */
/*
 * Index an entry under its routing id (unless null) and, with `addr`, under
 * protocol and address. V23_ENOMEM: not indexed.
 */
V23_MUST_USE int vrpc_cache_insert_(struct vrpc_cache_ *c,
    struct vrpc_cache_entry_ *e, bool addr);
void vrpc_cache_remove_(struct vrpc_cache_ *c, struct vrpc_cache_entry_ *e);
/*
 * Owners found for an endpoint: by routing id when it has one, else by
 * protocol and address. Call with *it == NULL first; NULL at the end. The
 * cache must not change between two calls.
 */
void *vrpc_cache_find_(const struct vrpc_cache_ *c,
    const struct vrpc_endpoint *ep, const struct vrpc_cache_node_ **it);

#endif
