/* BSD-3-Clause; see LICENSE. */
/*
 * Compatibility of types (spec/vom.md 11.1).
 *
 * The rule looks at pairs of types depth first and takes for granted every
 * pair of which one side was met before, unless the two are equal, which
 * leaves no trace. Types here are not unique by address, so whether they are
 * equal is found out by a walk of its own over the pairs below; what it finds
 * is kept, also that parts of the two are equal or not, so that no pair is
 * looked at twice. The pairs met by the rule are at the same time the stack of
 * its walk; both walks are linear.
 *
 * Met before is a descriptor. A graph that holds a type twice, as a peer may
 * send it, has its second descriptor compared too, where the reference takes it
 * for granted.
 */
#include "type_int.h"

enum group { GROUP_ANY, GROUP_BOOL, GROUP_TEXT, GROUP_NUMBER, GROUP_TYPE,
    GROUP_SEQUENCE, GROUP_SET, GROUP_MAP, GROUP_STRUCT, GROUP_UNION };

static const uint8_t groups[VDL_KINDS] = { GROUP_ANY, GROUP_ANY /* stripped */,
    GROUP_BOOL, GROUP_NUMBER, GROUP_NUMBER, GROUP_NUMBER, GROUP_NUMBER,
    GROUP_NUMBER, GROUP_NUMBER, GROUP_NUMBER, GROUP_NUMBER, GROUP_NUMBER,
    GROUP_NUMBER, GROUP_TEXT, GROUP_TEXT, GROUP_TYPE, GROUP_SEQUENCE,
    GROUP_SEQUENCE, GROUP_SET, GROUP_MAP, GROUP_STRUCT, GROUP_UNION };

enum { NO_PARENT = 0xFFFF };

/* ---- equality ------------------------------------------------------------ */

enum { OPEN, EQUAL, UNEQUAL };

/*
 * Pairs in the order of their discovery, and what is known of them. Pairs that
 * reach each other (a strongly connected component, found by Tarjan's rule) are
 * equal together, when nothing that differs was met below them.
 */
struct same {
    struct vdl_pairs_ pairs;
    uint32_t next[VDL_GRAPH_];   /* subtype to look at next */
    uint16_t parent[VDL_GRAPH_];
    uint16_t low[VDL_GRAPH_];    /* oldest open pair known to be reached */
    uint16_t stack[VDL_GRAPH_];  /* open pairs */
    uint8_t state[VDL_GRAPH_];
    uint32_t nstack;
};

/* Index + 1 of a pair, or 0. */
static uint16_t find(const struct vdl_pairs_ *p, const struct vdl_type *a,
    const struct vdl_type *b)
{
    return p->slots[vdl_slot_(p->slots, p->a, p->b, a, b)];
}

/* Begin with a pair not met before. False: the two differ, or there is no
 * room to tell. */
static bool begin(struct same *s, const struct vdl_type *a,
    const struct vdl_type *b, uint16_t parent)
{
    uint16_t i = (uint16_t)s->pairs.n;

    if (!vdl_type_same_node_(a, b) || !vdl_pairs_add_(&s->pairs, a, b))
        return false;
    s->next[i] = 0;
    s->parent[i] = parent;
    s->low[i] = i;
    s->state[i] = OPEN;
    s->stack[s->nstack++] = i;
    return true;
}

/* Nothing below pair i is left; the pair to go on with. */
static uint16_t finish(struct same *s, uint16_t i)
{
    uint16_t up = s->parent[i];

    if (s->low[i] == i)
        do
            s->state[s->stack[--s->nstack]] = EQUAL;
        while (s->stack[s->nstack] != i);
    else if (s->low[i] < s->low[up])
        s->low[up] = s->low[i];
    return up;
}

/* The next pair below i. False: something differs. */
static bool step(struct same *s, uint16_t *at)
{
    const struct vdl_pairs_ *p = &s->pairs;
    uint16_t i = *at, k;
    const struct vdl_type *a, *b;

    if (s->next[i] == vdl_nsubtypes_(p->a[i])) {
        *at = finish(s, i);
        return true;
    }
    a = vdl_wire_(vdl_subtype_(p->a[i], s->next[i]));
    b = vdl_wire_(vdl_subtype_(p->b[i], s->next[i]));
    s->next[i]++;
    if (a == b)
        return true;
    k = find(p, a, b);
    if (k == 0) {
        *at = (uint16_t)p->n;
        return begin(s, a, b, i);
    }
    k--;
    if (s->state[k] == OPEN && k < s->low[i])
        s->low[i] = k;
    return s->state[k] != UNEQUAL;
}

static bool same_types(struct same *s, const struct vdl_type *a,
    const struct vdl_type *b)
{
    uint16_t at = find(&s->pairs, a, b);

    if (a == b || at != 0)
        return a == b || s->state[at - 1] == EQUAL;
    at = (uint16_t)s->pairs.n;
    if (!begin(s, a, b, NO_PARENT))
        return false;
    while (at != NO_PARENT)
        if (!step(s, &at)) {
            /* All open pairs reach this one. */
            while (s->nstack != 0)
                s->state[s->stack[--s->nstack]] = UNEQUAL;
            return false;
        }
    return true;
}

/* ---- the rule ------------------------------------------------------------ */

struct node {
    uint32_t next;   /* subtype to look at next */
    uint32_t hint;   /* field of the other side where a search starts */
    uint16_t parent;
    bool swapped;    /* fields are walked from b */
    bool matched;    /* a field name was found on both sides */
};

struct walk {
    uint32_t n;
    const struct vdl_type *a[VDL_GRAPH_], *b[VDL_GRAPH_];
    struct node nodes[VDL_GRAPH_];
    uint16_t by_a[VDL_SLOTS_], by_b[VDL_SLOTS_];
    struct same same;
};

static const struct vdl_type *strip(const struct vdl_type *t)
{
    t = vdl_wire_(t);
    while (t->kind == VDL_OPTIONAL)
        t = vdl_wire_(t->elem);
    return t;
}

/*
 * Look at a pair. False: not compatible. *entered: it was added and its
 * subtypes are to be looked at.
 */
static bool enter(struct walk *w, const struct vdl_type *a,
    const struct vdl_type *b, uint16_t parent, bool swapped, bool *entered)
{
    uint32_t ha, hb, i = w->n;
    uint8_t ga, gb;

    *entered = false;
    a = strip(a);
    b = strip(b);
    ha = vdl_slot_(w->by_a, w->a, NULL, a, NULL);
    hb = vdl_slot_(w->by_b, w->b, NULL, b, NULL);
    if (w->by_a[ha] != 0 || w->by_b[hb] != 0 || i == VDL_GRAPH_
        || same_types(&w->same, a, b))
        return true;
    w->n++;
    w->a[i] = a;
    w->b[i] = b;
    w->by_a[ha] = w->by_b[hb] = (uint16_t)w->n;
    memset(&w->nodes[i], 0, sizeof(w->nodes[i]));
    w->nodes[i].parent = parent;
    w->nodes[i].swapped = swapped;
    ga = groups[a->kind];
    gb = groups[b->kind];
    *entered = true;
    return ga == gb || ga == GROUP_ANY || gb == GROUP_ANY;
}

/* Index of a field, searching from *hint on; -1 if there is none. */
static int find_field(const struct vdl_type *t, struct vdl_str name,
    uint32_t *hint)
{
    uint32_t k, i = *hint;

    for (k = 0; k < t->count; k++, i++) {
        if (i >= t->count)
            i = 0;
        if (vdl_str_eq(t->fields[i].name, name)) {
            *hint = i + 1;
            return (int)i;
        }
    }
    return -1;
}

/* The next pair of fields with one name; false at the end. */
static bool next_field(struct walk *w, uint32_t at, const struct vdl_type **a,
    const struct vdl_type **b)
{
    struct node *node = &w->nodes[at];
    const struct vdl_type *x = w->a[at], *y = w->b[at], *t;
    int i;

    if (node->next == 0
        && (node->swapped ? y->count > x->count : x->count > y->count))
        node->swapped = !node->swapped;
    if (node->swapped) {
        t = x;
        x = y;
        y = t;
    }
    while (node->next < x->count) {
        const struct vdl_field *f = &x->fields[node->next++];

        i = find_field(y, f->name, &node->hint);
        if (i < 0)
            continue;
        node->matched = true;
        *a = node->swapped ? y->fields[i].type : f->type;
        *b = node->swapped ? f->type : y->fields[i].type;
        return true;
    }
    return false;
}

/* The next pair of subtypes; false at the end. */
static bool next_pair(struct walk *w, uint32_t at, const struct vdl_type **a,
    const struct vdl_type **b)
{
    struct node *node = &w->nodes[at];
    const struct vdl_type *x = w->a[at], *y = w->b[at];

    switch (x->kind == VDL_ANY ? GROUP_ANY : groups[y->kind]) {
    case GROUP_SEQUENCE:
    case GROUP_SET:
    case GROUP_MAP:
        if (node->next == vdl_nsubtypes_(x))
            return false;
        *a = vdl_subtype_(x, node->next);
        *b = vdl_subtype_(y, node->next++);
        return true;
    case GROUP_STRUCT:
        if (x->count == 0 || y->count == 0) {
            node->matched = true;
            return false;
        }
        return next_field(w, at, a, b);
    case GROUP_UNION:
        return next_field(w, at, a, b);
    default:
        return false;
    }
}

static bool has_fields(const struct walk *w, uint32_t at)
{
    uint8_t ga = groups[w->a[at]->kind];

    return ga == groups[w->b[at]->kind]
        && (ga == GROUP_STRUCT || ga == GROUP_UNION);
}

bool vdl_type_compatible(const struct vdl_type *src, const struct vdl_type *dst)
{
    struct walk w;
    uint16_t at = 0;
    bool entered;

    w.n = 0;
    memset(w.by_a, 0, sizeof(w.by_a));
    memset(w.by_b, 0, sizeof(w.by_b));
    vdl_pairs_init_(&w.same.pairs);
    w.same.nstack = 0;
    if (!enter(&w, src, dst, NO_PARENT, false, &entered))
        return false;
    if (!entered)
        return true;
    while (at != NO_PARENT) {
        const struct vdl_type *a, *b;

        if (!next_pair(&w, at, &a, &b)) {
            if (has_fields(&w, at) && !w.nodes[at].matched)
                return false;
            at = w.nodes[at].parent;
            continue;
        }
        if (!enter(&w, a, b, at, w.nodes[at].swapped, &entered))
            return false;
        if (entered)
            at = (uint16_t)(w.n - 1);
    }
    return true;
}
