/* BSD-3-Clause; see LICENSE. */
/*
 * The users of a mount table: who a caller is, and how many nodes and calls
 * are his. Nobody is forgotten while the table lives.
 */
#include "table_int.h"

#include <vrpc/name.h>

#define FIRST_BUCKETS 64

static uint32_t user_hash(struct vdl_str id)
{
    uint64_t h = v23_hash(0, id.p, id.n);

    return (uint32_t)(h ^ h >> 32);
}

static bool grow_users(struct vname_table *t)
{
    size_t n = t->nuser_buckets == 0 ? FIRST_BUCKETS : 2 * t->nuser_buckets,
           i;
    struct user **fresh = v23_get0(t->al, n, sizeof(*fresh)), *u, **to;

    if (fresh == NULL)
        return false;
    for (i = 0; i < t->nuser_buckets; i++)
        while ((u = t->users[i]) != NULL) {
            t->users[i] = u->next;
            to = &fresh[user_hash(u->id) & (n - 1)];
            u->next = *to;
            *to = u;
        }
    v23_put(t->al, t->users);
    t->users = fresh;
    t->nuser_buckets = n;
    return true;
}

struct user *vname_user_(struct vname_table *t, struct vdl_str id)
{
    uint32_t h = user_hash(id);
    struct user *u = NULL, **to;
    char *text;

    if (t->nuser_buckets != 0)
        for (u = t->users[h & (t->nuser_buckets - 1)]; u != NULL; u = u->next)
            if (vdl_str_eq(u->id, id))
                return u;
    if (t->nusers >= t->nuser_buckets && !grow_users(t))
        return NULL;
    u = v23_get0(t->al, 1, sizeof(*u) + id.n);
    if (u == NULL)
        return NULL;
    text = (char *)(u + 1);
    if (id.n != 0)
        memcpy(text, id.p, id.n);
    u->id = vdl_strn(text, id.n);
    to = &t->users[h & (t->nuser_buckets - 1)];
    u->next = *to;
    *to = u;
    t->nusers++;
    return u;
}

void vname_users_fini_(struct vname_table *t)
{
    struct user *u;
    size_t i;

    for (i = 0; i < t->nuser_buckets; i++)
        while ((u = t->users[i]) != NULL) {
            t->users[i] = u->next;
            v23_put(t->al, u);
        }
    v23_put(t->al, t->users);
}

int vname_user_id_(const struct vname_caller *c, struct vdl_str *out)
{
    struct vdl_str id;
    size_t parts, i;
    char *p;

    if (c->names.n == 0) {
        *out = vdl_str(c->same_key ? "self:?:ServerUser"
                                   : "self:?:Unauthenticated");
        return 0;
    }
    id = vrpc_user_id(c->names.v[0], &parts);
    if (id.n == 0 || memchr(id.p, '/', id.n) == NULL) {
        *out = id;
        return 0;
    }
    p = v23_arena_dup(c->arena, id.p, id.n);
    if (p == NULL)
        return V23_ENOMEM;
    for (i = 0; i < id.n; i++)
        if (p[i] == '/')
            p[i] = '\\';
    *out = vdl_strn(p, id.n);
    return 0;
}

/* ---- counts -------------------------------------------------------------- */

void vname_user_count_(struct vname_table *t, struct user *u, int64_t nodes,
    int64_t rpcs)
{
    u->nodes += nodes;
    u->rpcs += rpcs;
    if (t->on_count != NULL)
        t->on_count(t->on_count_ud, u->id, nodes, rpcs);
}

void vname_table_count_rpc(struct vname_table *t, const struct vname_caller *c)
{
    struct vdl_str id;
    struct user *u;

    if (vname_user_id_(c, &id) != 0 || (u = vname_user_(t, id)) == NULL)
        return; /* a statistic is lost, not a call */
    vname_user_count_(t, u, 0, 1);
}

void vname_table_on_count(struct vname_table *t, vname_count_fn *fn, void *ud)
{
    t->on_count = fn;
    t->on_count_ud = ud;
}

void vname_table_users(const struct vname_table *t, vname_user_fn *fn,
    void *ud)
{
    const struct user *u;
    size_t i;

    for (i = 0; i < t->nuser_buckets; i++)
        for (u = t->users[i]; u != NULL; u = u->next)
            fn(ud, u->id, u->nodes, u->rpcs);
}
