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

/* What a type's own kind says, before its subtypes are looked at. */
enum { HAS_ANY = 1, HAS_TYPEOBJECT = 2, HAS_POINTER = 4, NO_KEY = 8 };

static unsigned kind_traits(const struct vdl_type *t)
{
    switch (t->kind) {
    case VDL_ANY:
        return HAS_ANY | HAS_POINTER | NO_KEY;
    case VDL_TYPEOBJECT:
        return HAS_TYPEOBJECT | HAS_POINTER | NO_KEY;
    case VDL_STRING:
        return HAS_POINTER;
    case VDL_OPTIONAL:
    case VDL_LIST:
    case VDL_SET:
    case VDL_MAP:
        return HAS_POINTER | NO_KEY;
    default:
        return 0;
    }
}

/* Traits of a finished type, from its flags. */
static unsigned finished_traits(const struct vdl_type *t)
{
    unsigned x = 0;

    if ((t->flags & VDL_T_ANY) != 0)
        x |= HAS_ANY | NO_KEY;
    if ((t->flags & VDL_T_TYPEOBJECT) != 0)
        x |= HAS_TYPEOBJECT | NO_KEY;
    if ((t->flags & VDL_T_FLAT) != 0)
        return x;
    x |= HAS_POINTER;
    if ((x & NO_KEY) == 0 && !vdl_type_can_be_key(t))
        x |= NO_KEY;
    return x;
}

static uint8_t to_flags(unsigned traits)
{
    unsigned flags = VDL_T_BUILT_;

    if ((traits & HAS_ANY) != 0)
        flags |= VDL_T_ANY;
    if ((traits & HAS_TYPEOBJECT) != 0)
        flags |= VDL_T_TYPEOBJECT;
    if ((traits & HAS_POINTER) == 0)
        flags |= VDL_T_FLAT;
    if ((traits & NO_KEY) != 0)
        flags |= VDL_T_NOKEY_;
    return (uint8_t)flags;
}

struct tarjan {
    struct vdl_build_ *b;
    struct step *path;
    uint32_t depth;
    uint32_t *stack; /* types whose component is open */
    uint32_t nstack;
    uint32_t *num;   /* order of discovery, from 1; 0 = not seen */
    uint32_t *low;   /* least num reachable inside the component */
    uint8_t *open;   /* on `stack` */
    uint32_t count;
};

static void discover(struct tarjan *x, uint32_t at)
{
    x->num[at] = x->low[at] = ++x->count;
    x->open[at] = 1;
    x->stack[x->nstack++] = at;
    x->path[x->depth].at = at;
    x->path[x->depth++].next = 0;
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
        if (to != UINT32_MAX && x->open[to])
            continue;
        *traits |= finished_traits(sub);
        d = (sub->flags & VDL_T_BUILT_) == 0
            ? 1
            : ((const struct vdl_built_ *)(const void *)sub)->depth;
        if (d > *depth)
            *depth = d;
    }
}

/* The component on top of the stack, down to `root`, is complete. */
static int finish(struct tarjan *x, uint32_t root)
{
    uint32_t first = x->nstack, i, depth = 0;
    unsigned traits = 0;

    do {
        first--;
        gather(x, &x->b->made[x->stack[first]]->t, &traits, &depth);
    } while (x->stack[first] != root);
    depth += x->nstack - first;
    if (depth > x->b->ts->limits.depth)
        return V23_ELIMIT;
    for (i = first; i < x->nstack; i++) {
        struct vdl_built_ *m = x->b->made[x->stack[i]];

        m->t.flags = to_flags(traits);
        m->depth = depth;
        x->open[x->stack[i]] = 0;
    }
    x->nstack = first;
    return 0;
}

static int visit(struct tarjan *x)
{
    struct step *s = &x->path[x->depth - 1];
    const struct vdl_type *t = &x->b->made[s->at]->t;
    uint32_t to, at = s->at, up;

    if (s->next < vdl_nsubtypes_(t)) {
        to = vdl_made_index_(x->b, vdl_subtype_(t, s->next++));
        if (to == UINT32_MAX)
            return 0;
        if (x->num[to] == 0)
            discover(x, to);
        else if (x->open[to] && x->num[to] < x->low[at])
            x->low[at] = x->num[to];
        return 0;
    }
    x->depth--;
    if (x->depth != 0) {
        up = x->path[x->depth - 1].at;
        if (x->low[at] < x->low[up])
            x->low[up] = x->low[at];
    }
    return x->low[at] == x->num[at] ? finish(x, at) : 0;
}

int vdl_build_flags_(struct vdl_build_ *b)
{
    struct tarjan x;
    uint32_t i;
    int rc;

    memset(&x, 0, sizeof(x));
    x.b = b;
    x.path = scratch(b, b->nmade, sizeof(*x.path));
    x.stack = scratch(b, b->nmade, sizeof(*x.stack));
    x.num = scratch(b, b->nmade, sizeof(*x.num));
    x.low = scratch(b, b->nmade, sizeof(*x.low));
    x.open = scratch(b, b->nmade, 1);
    if (x.path == NULL || x.stack == NULL || x.num == NULL || x.low == NULL
        || x.open == NULL)
        return V23_ENOMEM;
    for (i = 0; i < b->nmade; i++) {
        if (x.num[i] != 0)
            continue;
        discover(&x, i);
        while (x.depth != 0) {
            rc = visit(&x);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
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
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    uint32_t i;

    if (t->name.n == 0)
        return vdl_address_hash_(t);
    for (i = 0; i < t->name.n; i++)
        h = (h ^ (uint8_t)t->name.p[i]) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 32);
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
