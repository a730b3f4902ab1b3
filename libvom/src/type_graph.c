/* BSD-3-Clause; see LICENSE. */
/*
 * Walks over the graph of new types: topological order, strongly connected
 * components, names. All are linear and keep their stacks in the build's
 * scratch arena.
 */
#include "type_build_int.h"

/* A path being walked: entries of b->made. */
struct step {
    uint32_t at;   /* index in b->made */
    uint32_t next; /* subtype to follow next */
};

static void *scratch(struct vdl_build_ *b, size_t n, size_t size)
{
    return v23_arena_get0(&b->tmp, n, size, sizeof(uint64_t));
}

/* ---- topological order --------------------------------------------------- */

static bool follows(enum vdl_edges_ edges, const struct vdl_type *from,
    const struct vdl_type *to)
{
    if (edges == VDL_EDGES_UNNAMED_)
        return from->name.n == 0 && to->name.n == 0;
    return from->kind == VDL_ARRAY || from->kind == VDL_STRUCT
        || from->kind == VDL_UNION;
}

int vdl_build_order_(struct vdl_build_ *b, enum vdl_edges_ edges,
    uint32_t *order)
{
    enum { NEW = 0, OPEN, DONE };
    uint8_t *state = scratch(b, b->nmade, 1);
    struct step *path = scratch(b, b->nmade, sizeof(*path));
    uint32_t root, depth, n = 0, to;
    const struct vdl_type *t, *sub;

    if (state == NULL || path == NULL)
        return V23_ENOMEM;
    for (root = 0; root < b->nmade; root++) {
        if (state[root] != NEW)
            continue;
        state[root] = OPEN;
        path[0].at = root;
        path[0].next = 0;
        for (depth = 1; depth != 0;) {
            struct step *s = &path[depth - 1];

            t = &b->made[s->at]->t;
            if (s->next == vdl_nsubtypes_(t)) {
                state[s->at] = DONE;
                order[n++] = s->at;
                depth--;
                continue;
            }
            sub = vdl_subtype_(t, s->next++);
            to = vdl_made_index_(b, sub);
            if (to == UINT32_MAX || state[to] == DONE
                || !follows(edges, t, sub))
                continue;
            if (state[to] == OPEN)
                return V23_ETYPE;
            state[to] = OPEN;
            path[depth].at = to;
            path[depth++].next = 0;
        }
    }
    return 0;
}

/* ---- flags: strongly connected components (Tarjan) ----------------------- */

/* Traits are flags of types, but for one that says the opposite. */
#define HAS_POINTER VDL_T_FLAT
#define TRAITS (VDL_T_ANY | VDL_T_TYPEOBJECT | VDL_T_NOKEY_ | HAS_POINTER)

/* What a type's own kind says, before its subtypes are looked at. */
static unsigned kind_traits(const struct vdl_type *t)
{
    switch (t->kind) {
    case VDL_ANY:
        return VDL_T_ANY | HAS_POINTER | VDL_T_NOKEY_;
    case VDL_TYPEOBJECT:
        return VDL_T_TYPEOBJECT | HAS_POINTER | VDL_T_NOKEY_;
    case VDL_STRING:
        return HAS_POINTER;
    case VDL_OPTIONAL:
    case VDL_LIST:
    case VDL_SET:
    case VDL_MAP:
        return HAS_POINTER | VDL_T_NOKEY_;
    default:
        return 0;
    }
}

/* Traits of a finished type, from its flags. */
static unsigned finished_traits(const struct vdl_type *t)
{
    unsigned x = (t->flags ^ VDL_T_FLAT) & TRAITS;

    return (x & HAS_POINTER) == 0 || vdl_type_can_be_key(t)
        ? x
        : x | VDL_T_NOKEY_;
}

/* What the walk notes of a type, and of its n-th step and open type. */
struct seen {
    uint32_t num;    /* order of discovery, from 1; 0 = not seen */
    uint32_t low;    /* least num reachable inside the component */
    uint32_t opened; /* the n-th type whose component is open */
    struct step step;
    bool open;       /* is among those */
};

struct tarjan {
    struct vdl_build_ *b;
    struct seen *of; /* by index in b->made, and by depth of the lists */
    uint32_t depth, nopen, count;
};

static void discover(struct tarjan *x, uint32_t at)
{
    struct seen *s = &x->of[at];

    s->num = s->low = ++x->count;
    s->open = true;
    x->of[x->nopen++].opened = at;
    x->of[x->depth++].step = (struct step){ at, 0 };
}

/* Add the traits and depth of what a type refers to outside its component. */
static void gather(const struct tarjan *x, const struct vdl_type *t,
    unsigned *traits, uint32_t *depth)
{
    uint32_t i, to, d, n = vdl_nsubtypes_(t);
    const struct vdl_type *sub;

    *traits |= kind_traits(t);
    for (i = 0; i < n; i++) {
        sub = vdl_subtype_(t, i);
        to = vdl_made_index_(x->b, sub);
        if (to != UINT32_MAX && x->of[to].open)
            continue;
        *traits |= finished_traits(sub);
        d = (sub->flags & VDL_T_BUILT_) == 0
            ? 1
            : ((const struct vdl_built_ *)(const void *)sub)->depth;
        if (d > *depth)
            *depth = d;
    }
}

/* The component of the types opened last, down to `root`, is complete. */
static int finish(struct tarjan *x, uint32_t root)
{
    uint32_t first = x->nopen, depth = 0, at;
    struct vdl_built_ *m;
    unsigned traits = 0;

    do {
        at = x->of[--first].opened;
        gather(x, &x->b->made[at]->t, &traits, &depth);
    } while (at != root);
    depth += x->nopen - first;
    if (depth > x->b->ts->limits.depth)
        return V23_ELIMIT;
    while (x->nopen != first) {
        at = x->of[--x->nopen].opened;
        m = x->b->made[at];
        m->t.flags = (uint8_t)(VDL_T_BUILT_ | (traits ^ HAS_POINTER));
        m->depth = depth;
        x->of[at].open = false;
    }
    return 0;
}

static int visit(struct tarjan *x)
{
    struct step *step = &x->of[x->depth - 1].step;
    struct seen *s = &x->of[step->at], *up;
    const struct vdl_type *t = &x->b->made[step->at]->t;
    uint32_t to;

    if (step->next < vdl_nsubtypes_(t)) {
        to = vdl_made_index_(x->b, vdl_subtype_(t, step->next++));
        if (to == UINT32_MAX)
            return 0;
        if (x->of[to].num == 0)
            discover(x, to);
        else if (x->of[to].open && x->of[to].num < s->low)
            s->low = x->of[to].num;
        return 0;
    }
    x->depth--;
    if (x->depth != 0) {
        up = &x->of[x->of[x->depth - 1].step.at];
        if (s->low < up->low)
            up->low = s->low;
    }
    return s->low == s->num ? finish(x, step->at) : 0;
}

int vdl_build_flags_(struct vdl_build_ *b)
{
    struct tarjan x = { b, NULL, 0, 0, 0 };
    uint32_t i;
    int rc = 0;

    x.of = scratch(b, b->nmade, sizeof(*x.of));
    if (x.of == NULL)
        return V23_ENOMEM;
    for (i = 0; rc == 0 && i < b->nmade; i++) {
        if (x.of[i].num == 0)
            discover(&x, i);
        while (rc == 0 && x.depth != 0)
            rc = visit(&x);
    }
    return rc;
}

/* ---- names --------------------------------------------------------------- */

/*
 * Types met: named ones by name, unnamed ones by address. Two named types with
 * one name must be equal; then only one of them is walked.
 */
struct names {
    struct vdl_build_ *b;
    const struct vdl_type **slots; /* cap entries, a power of two */
    size_t cap, n;
    const struct vdl_type **todo;  /* types whose subtypes are to be met */
    size_t todo_cap, ntodo;
};

/* Steps a set may spend in all builds together, in passes over a full set. */
#define WORK_PASSES 256

static size_t hash(const struct vdl_type *t)
{
    uint32_t h;

    if (t->name.n == 0)
        return vdl_address_hash_(t);
    h = vdl_mix_str_(0, t->name);
    return h ^ h >> 16;
}

static bool same_key(const struct vdl_type *a, const struct vdl_type *b)
{
    if (a->name.n == 0 || b->name.n == 0)
        return a == b;
    return vdl_str_eq(a->name, b->name);
}

static size_t find(struct names *x, const struct vdl_type *t)
{
    size_t i = hash(t) & (x->cap - 1);

    while (x->slots[i] != NULL && !same_key(x->slots[i], t)) {
        i = (i + 1) & (x->cap - 1);
        x->b->ts->work++;
    }
    return i;
}

static int rehash(struct names *x)
{
    const struct vdl_type **old = x->slots;
    size_t cap = x->cap, i;

    x->cap = cap == 0 ? 64 : 2 * cap;
    x->slots = scratch(x->b, x->cap, sizeof(*x->slots));
    if (x->slots == NULL)
        return V23_ENOMEM;
    for (i = 0; i < cap; i++)
        if (old[i] != NULL)
            x->slots[find(x, old[i])] = old[i];
    return 0;
}

static int push(struct names *x, const struct vdl_type *t)
{
    const struct vdl_type **todo = x->todo;

    if (x->ntodo == x->todo_cap) {
        x->todo_cap = x->todo_cap == 0 ? 64 : 2 * x->todo_cap;
        x->todo = scratch(x->b, x->todo_cap, sizeof(*x->todo));
        if (x->todo == NULL)
            return V23_ENOMEM;
        if (x->ntodo != 0)
            memcpy(x->todo, todo, x->ntodo * sizeof(*todo));
    }
    x->todo[x->ntodo++] = t;
    return 0;
}

static struct vdl_built_ *own(const struct names *x, const struct vdl_type *t)
{
    struct vdl_built_ *m;

    if ((t->flags & VDL_T_BUILT_) == 0)
        return NULL;
    /* Only the set's own builder writes to what surrounds a descriptor. */
    m = (struct vdl_built_ *)(uintptr_t)t;
    return m->owner == x->b->ts ? m : NULL;
}

static struct vdl_built_ *representative(struct vdl_built_ *m)
{
    while (m->same != m) {
        m->same = m->same->same;
        m = m->same;
    }
    return m;
}

/* Two types of one name: found equal at most once per pair of classes. */
static bool agree(struct names *x, const struct vdl_type *a,
    const struct vdl_type *b)
{
    struct vdl_built_ *p = own(x, a), *q = own(x, b);

    if (p != NULL && q != NULL) {
        p = representative(p);
        q = representative(q);
        if (p == q)
            return true;
    }
    x->b->ts->work += VDL_GRAPH_;
    if (!vdl_type_equal(a, b))
        return false;
    /* Point at the older one, which outlives a failure of this build. */
    if (p != NULL && q != NULL) {
        if (p->build < q->build)
            q->same = p;
        else
            p->same = q;
    }
    return true;
}

static int meet(struct names *x, const struct vdl_type *t)
{
    size_t i;
    int rc;

    if (t->name.n == 0 && vdl_nsubtypes_(t) == 0)
        return 0;
    if (2 * (x->n + 1) > x->cap) {
        rc = rehash(x);
        if (rc != 0)
            return rc;
    }
    i = find(x, t);
    if (x->slots[i] != NULL)
        return x->slots[i] == t || agree(x, x->slots[i], t) ? 0 : V23_ETYPE;
    x->slots[i] = t;
    x->n++;
    return push(x, t);
}

int vdl_build_names_(struct vdl_build_ *b)
{
    const struct vdl_type_limits *lim = &b->ts->limits;
    uint64_t most = WORK_PASSES * ((uint64_t)lim->types + lim->members);
    const struct vdl_type *t;
    struct names x;
    uint32_t i, n;
    int rc = 0;

    memset(&x, 0, sizeof(x));
    x.b = b;
    for (i = 0; i < b->nmade && rc == 0; i++)
        rc = meet(&x, &b->made[i]->t);
    while (x.ntodo != 0 && rc == 0) {
        t = x.todo[--x.ntodo];
        n = vdl_nsubtypes_(t);
        b->ts->work += n + 1u;
        if (b->ts->work > most)
            return V23_ELIMIT;
        for (i = 0; i < n && rc == 0; i++)
            rc = meet(&x, vdl_wire_(vdl_subtype_(t, i)));
    }
    return rc;
}
