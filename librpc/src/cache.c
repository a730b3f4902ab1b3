/* BSD-3-Clause; see LICENSE. */
/*
 * Hash table with chains. An entry carries its own nodes, so that removing
 * never fails and inserting allocates only when the table grows. The hash is
 * keyed: routing ids and addresses come from strangers.
 */
#include "cache_int.h"

#include <string.h>

#define MIN_BUCKETS 16u
#define MAX_BUCKETS (1u << 24)

static uint64_t hash_rid(const struct vrpc_cache_ *c,
    const struct vrpc_routing_id *rid)
{
    return v23_hash(c->seed ^ 1, rid->b, sizeof(rid->b));
}

static uint64_t hash_addr(const struct vrpc_cache_ *c, struct vdl_str protocol,
    struct vdl_str address)
{
    uint64_t h = v23_hash(c->seed ^ 2, protocol.p, protocol.n);

    return v23_hash(h, address.p, address.n);
}

void vrpc_cache_init_(struct vrpc_cache_ *c, const struct v23_alloc *al,
    uint64_t seed)
{
    memset(c, 0, sizeof(*c));
    c->al = al;
    c->seed = seed;
}

void vrpc_cache_fini_(struct vrpc_cache_ *c)
{
    v23_put(c->al, c->buckets);
    c->buckets = NULL;
    c->nbuckets = 0;
}

static void chain(struct vrpc_cache_ *c, struct vrpc_cache_node_ *n)
{
    struct vrpc_cache_node_ **head = &c->buckets[n->hash & (c->nbuckets - 1)];

    n->next = *head;
    if (n->next != NULL)
        n->next->link = &n->next;
    *head = n;
    n->link = head;
}

/* Room for two more nodes at a load of at most one per bucket. */
static int grow(struct vrpc_cache_ *c)
{
    struct vrpc_cache_node_ **old = c->buckets, *n;
    size_t nold = c->nbuckets, want = nold == 0 ? MIN_BUCKETS : 2 * nold, i;

    if (c->n + 2 <= nold || want > MAX_BUCKETS)
        return 0;
    c->buckets = v23_get0(c->al, want, sizeof(struct vrpc_cache_node_ *));
    if (c->buckets == NULL) {
        c->buckets = old;
        return nold == 0 ? V23_ENOMEM : 0;
    }
    c->nbuckets = want;
    for (i = 0; i < nold; i++)
        while ((n = old[i]) != NULL) {
            old[i] = n->next;
            chain(c, n);
        }
    v23_put(c->al, old);
    return 0;
}

static void add(struct vrpc_cache_ *c, struct vrpc_cache_entry_ *e,
    struct vrpc_cache_node_ *n, uint64_t hash)
{
    n->hash = hash;
    n->entry = e;
    chain(c, n);
    c->n++;
}

int vrpc_cache_insert_(struct vrpc_cache_ *c, struct vrpc_cache_entry_ *e,
    bool addr)
{
    int rc = grow(c);

    if (rc != 0)
        return rc;
    if (!vrpc_routing_id_is_null(&e->rid) && e->by_rid.link == NULL)
        add(c, e, &e->by_rid, hash_rid(c, &e->rid));
    if (addr && e->by_addr.link == NULL)
        add(c, e, &e->by_addr, hash_addr(c, e->protocol, e->address));
    return 0;
}

static void unlink_node(struct vrpc_cache_ *c, struct vrpc_cache_node_ *n)
{
    if (n->link == NULL)
        return;
    *n->link = n->next;
    if (n->next != NULL)
        n->next->link = n->link;
    n->link = NULL;
    c->n--;
}

void vrpc_cache_remove_(struct vrpc_cache_ *c, struct vrpc_cache_entry_ *e)
{
    unlink_node(c, &e->by_rid);
    unlink_node(c, &e->by_addr);
}

static bool matches(const struct vrpc_cache_node_ *n, uint64_t hash,
    const struct vrpc_endpoint *ep, bool by_rid)
{
    const struct vrpc_cache_entry_ *e = n->entry;

    if (n->hash != hash || (n == &e->by_rid) != by_rid)
        return false;
    if (by_rid)
        return vrpc_routing_id_eq(&e->rid, &ep->rid);
    return vdl_str_eq(e->protocol, ep->protocol) &&
           vdl_str_eq(e->address, ep->address);
}

void *vrpc_cache_find_(const struct vrpc_cache_ *c,
    const struct vrpc_endpoint *ep, const struct vrpc_cache_node_ **it)
{
    bool by_rid = !vrpc_routing_id_is_null(&ep->rid);
    const struct vrpc_cache_node_ *n;
    uint64_t hash;

    if (c->nbuckets == 0)
        return NULL;
    hash = by_rid ? hash_rid(c, &ep->rid)
                  : hash_addr(c, ep->protocol, ep->address);
    n = *it == NULL ? c->buckets[hash & (c->nbuckets - 1)] : (*it)->next;
    while (n != NULL && !matches(n, hash, ep, by_rid))
        n = n->next;
    *it = n;
    return n == NULL ? NULL : ((struct vrpc_cache_entry_ *)n->entry)->owner;
}
