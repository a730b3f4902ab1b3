/* BSD-3-Clause; see LICENSE. */
/*
 * What a write changes, as a store of whole tables wants to know it. Every node
 * on the way is among the changes as one that must be what it was: the store
 * then refuses what was allowed by permissions that have changed since.
 */
#include "table_int.h"

/* A user this near to his limit gets nodes from one process at a time. */
#define NEAR 1024
/* Changes beside those of the path. */
#define MORE 3

static struct vdl_str head_of(struct path p, size_t n)
{
    if (n == 0)
        return vdl_strn(NULL, 0);
    return vdl_strn(p.v[0].p,
        (size_t)(p.v[n - 1].p + p.v[n - 1].n - p.v[0].p));
}

static void add_made(struct changes *ch, size_t i)
{
    struct vname_change *v = &ch->v[ch->n++];

    v->kind = VNAME_KEEP;
    v->name = head_of(ch->s.p, ch->s.have + i + 1);
    if (ch->s.perms[i] != NULL) {
        v->perms = &ch->s.perms[i]->map;
        v->version = ch->s.version;
    }
    v->creator = ch->s.creator->id;
}

const struct v23_verror *vname_changes_path_(const struct vname_table *t,
    const struct vname_caller *c, struct changes *ch)
{
    const struct spot *s = &ch->s;
    const struct node *n;
    size_t i;

    ch->v = v23_arena_get0(c->arena, s->p.n + 1 + MORE, sizeof(*ch->v),
        _Alignof(struct vname_change));
    if (ch->v == NULL)
        return vname_err_no_memory_(c);
    if (s->made != 0 && t->max_nodes_per_user != 0
        && s->creator->nodes + s->creator->coming + NEAR
            > (int64_t)t->max_nodes_per_user) {
        ch->v[0].kind = VNAME_COUNT;
        ch->v[0].name = s->creator->id;
        ch->v[0].rev = s->creator->rev;
        ch->n = 1;
    }
    for (n = s->n, i = s->have + 1; i-- > 0; n = n->parent) {
        struct vname_change *v = &ch->v[ch->n + i];

        v->kind = VNAME_SAME;
        v->name = head_of(s->p, i);
        v->rev = n->rev;
    }
    ch->n += s->have + 1;
    for (i = 0; i < s->made; i++)
        add_made(ch, i);
    if (!vname_spot_found_(s) && !s->below) {
        ch->v[ch->n].kind = VNAME_SAME;
        ch->v[ch->n++].name = head_of(s->p, s->have + 1);
    }
    return NULL;
}

void vname_changes_add_(struct changes *ch, enum vname_change_kind kind)
{
    struct vname_change *v = &ch->v[ch->n++];

    v->kind = kind;
    v->name = head_of(ch->s.p, ch->s.p.n);
}

struct vname_mounted *vname_changes_keep_(const struct vname_caller *c,
    struct changes *ch)
{
    const struct node *n = ch->s.made != 0 ? NULL : ch->s.n;
    struct vname_change *v = &ch->v[ch->n - 1];
    const struct server *s;
    struct vname_mounted *m;
    size_t count = 1;

    for (s = n == NULL ? NULL : n->servers; s != NULL; s = s->next)
        count++;
    m = v23_arena_get0(c->arena, count, sizeof(*m),
        _Alignof(struct vname_mounted));
    if (m == NULL)
        return NULL;
    v->kind = VNAME_KEEP;
    v->servers = m;
    if (n == NULL)
        return m;
    for (s = n->servers; s != NULL; s = s->next)
        if (s->expires_ns >= c->now_ns) {
            m->name = s->name;
            m->expires_ns = s->expires_ns;
            m++;
            v->nservers++;
        }
    if (n->perms != NULL)
        v->perms = &n->perms->map;
    v->version = n->version;
    v->set = n->explicit;
    if (n->creator != NULL)
        v->creator = n->creator->id;
    v->mt = n->mt;
    v->leaf = n->leaf;
    return m - v->nservers;
}
