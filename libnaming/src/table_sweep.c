/* BSD-3-Clause; see LICENSE. */
/*
 * Nodes of no use in a store of whole tables: nobody may meet them for years,
 * and the store outlives us. So a part of the table is looked at from time to
 * time, and the store is asked to remove what it finds.
 */
#include "table_int.h"

/* Removals under way at the same time. */
#define SWEEPS 32
/* Buckets that are looked at in one go. */
#define SLOTS 4096
/* What others may be about to renew is let be for a while. */
#define GRACE_NS V23_NS_PER_SEC

struct sweep {
    struct vname_table *t;
    struct vname_write w;
    struct v23_arena arena;
    bool busy;
};

static void swept(void *ud, const struct v23_verror *err)
{
    struct sweep *s = ud;

    (void)err; /* it is found again, if it is still there */
    v23_arena_reset(&s->arena);
    s->busy = false;
}

static int name_of(const struct node *n, struct v23_arena *a,
    struct vdl_str *out)
{
    const struct node *x;
    size_t len = 0;
    char *p;

    for (x = n; x->parent != NULL; x = x->parent)
        len += x->len + (x->parent->parent != NULL ? 1u : 0u);
    p = v23_arena_get(a, len, 1);
    if (p == NULL)
        return V23_ENOMEM;
    *out = vdl_strn(p, len);
    for (p += len, x = n; x->parent != NULL; x = x->parent) {
        p -= x->len;
        memcpy(p, x->name, x->len);
        if (x->parent->parent != NULL)
            *--p = '/';
    }
    return 0;
}

static bool is_useless(const struct node *n, int64_t now_ns)
{
    const struct server *s;

    for (s = n->servers; s != NULL; s = s->next)
        if (now_ns <= s->expires_ns + GRACE_NS)
            return false;
    return n->rev != 0 && n->parent != NULL && n->children == NULL
        && !n->explicit && n->template == NULL;
}

const struct v23_verror *vname_do_collect_(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    if (vname_path_split_(w->c.arena, w->name, &ch->s.p) != 0)
        return vname_err_no_memory_(&w->c);
    vname_spot_plain_(t, ch->s.p, &ch->s);
    if (ch->s.have != ch->s.p.n || !is_useless(ch->s.n, w->c.now_ns))
        return NULL;
    ch->v = v23_arena_new(w->c.arena, struct vname_change);
    if (ch->v == NULL)
        return vname_err_no_memory_(&w->c);
    vname_changes_add_(ch, VNAME_REMOVE);
    ch->v->rev = ch->s.n->rev;
    return NULL;
}

static struct sweep *free_sweep(struct vname_table *t)
{
    size_t i;

    if (t->sweeps == NULL) {
        t->sweeps = v23_get0(t->al, SWEEPS, sizeof(*t->sweeps));
        if (t->sweeps == NULL)
            return NULL;
        for (i = 0; i < SWEEPS; i++) {
            t->sweeps[i].t = t;
            v23_arena_init(&t->sweeps[i].arena, t->al, SIZE_MAX);
        }
    }
    for (i = 0; i < SWEEPS; i++)
        if (!t->sweeps[i].busy)
            return &t->sweeps[i];
    return NULL;
}

/* False: not now. */
static bool sweep_one(struct vname_table *t, const struct node *n,
    int64_t now_ns)
{
    struct vname_caller c = { .now_ns = now_ns };
    struct sweep *s = free_sweep(t);

    if (s == NULL)
        return false;
    memset(&s->w, 0, sizeof(s->w));
    c.arena = &s->arena;
    s->w.kind = VNAME_WRITE_COLLECT;
    s->w.done = swept;
    s->w.ud = s;
    if (name_of(n, &s->arena, &s->w.name) != 0)
        return false;
    s->busy = vname_table_write(t, &c, &s->w) == &vname_waiting;
    if (!s->busy)
        v23_arena_reset(&s->arena);
    return s->busy;
}

void vname_table_sweep(struct vname_table *t, int64_t now_ns)
{
    const struct node *n;
    size_t i;

    if (!vname_table_is_whole_(t))
        return;
    for (i = 0; i < SLOTS && i < t->nslots; i++, t->swept++) {
        t->swept &= t->nslots - 1;
        n = t->slots[t->swept].n;
        if (n != NULL && is_useless(n, now_ns) && !sweep_one(t, n, now_ns))
            return;
    }
}

void vname_sweeps_free_(struct vname_table *t)
{
    size_t i;

    for (i = 0; t->sweeps != NULL && i < SWEEPS; i++)
        v23_arena_fini(&t->sweeps[i].arena);
    v23_put(t->al, t->sweeps);
}
