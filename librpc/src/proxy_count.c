/* BSD-3-Clause; see LICENSE. */
/*
 * What a proxy counts per routing id. Anybody can name routing ids, so the
 * table is bounded: a new one takes the place of that which was used last
 * longest ago, unless a route uses it now.
 */
#include "proxy_int.h"

#include <string.h>

static void unlink_count(struct vrpc_proxy *p, struct vrpc_pcount_ *c)
{
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    else
        p->counts_tail = c->link;
}

static void append_count(struct vrpc_proxy *p, struct vrpc_pcount_ *c)
{
    c->next = NULL;
    c->link = p->counts_tail;
    *p->counts_tail = c;
    p->counts_tail = &c->next;
}

static void forget(struct vrpc_proxy *p, struct vrpc_pcount_ *c)
{
    if (p->cfg.counted != NULL)
        p->cfg.counted(p->cfg.ud, &c->c, true);
    vrpc_cache_remove_(&p->index, &c->key);
    unlink_count(p, c);
    p->ncounts--;
    v23_put(p->m->al, c);
}

/* Room for one more; false: all are in use. */
static bool make_room(struct vrpc_proxy *p)
{
    struct vrpc_pcount_ *c;

    if (p->ncounts < p->cfg.max_counts)
        return true;
    for (c = p->counts; c != NULL; c = c->next)
        if (c->users == 0) {
            forget(p, c);
            return true;
        }
    return false;
}

struct vrpc_pcount_ *vrpc_pcount_get_(struct vrpc_proxy *p,
    const struct vrpc_routing_id *rid)
{
    const struct vrpc_cache_node_ *it = NULL;
    struct vrpc_endpoint ep;
    struct vrpc_pcount_ *c;

    if (vrpc_routing_id_is_null(rid))
        return NULL;
    memset(&ep, 0, sizeof(ep));
    ep.rid = *rid;
    c = vrpc_cache_find_(&p->index, &ep, &it);
    if (c != NULL) {
        unlink_count(p, c);
        append_count(p, c);
        return c;
    }
    if (!make_room(p))
        return NULL;
    c = v23_new(p->m->al, struct vrpc_pcount_);
    if (c == NULL)
        return NULL;
    c->c.rid = *rid;
    c->key.rid = *rid;
    c->key.owner = c;
    if (vrpc_cache_insert_(&p->index, &c->key, false) != 0) {
        v23_put(p->m->al, c);
        return NULL;
    }
    append_count(p, c);
    p->ncounts++;
    if (p->cfg.counted != NULL)
        p->cfg.counted(p->cfg.ud, &c->c, false);
    return c;
}

void vrpc_pcounts_init_(struct vrpc_proxy *p, uint64_t seed)
{
    p->counts_tail = &p->counts;
    vrpc_cache_init_(&p->index, p->m->al, seed);
}

void vrpc_pcounts_fini_(struct vrpc_proxy *p)
{
    while (p->counts != NULL)
        forget(p, p->counts);
    vrpc_cache_fini_(&p->index);
}
