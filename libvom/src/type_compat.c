/* BSD-3-Clause; see LICENSE. */
/*
 * Compatibility of types (spec/vom.md 11.1).
 *
 * The rule looks at pairs of types depth first and takes for granted every
 * pair of which one side was met before, unless the two are equal, which
 * leaves no trace. Types here are not unique by address, so equality is found
 * out on the way: a pair whose whole subgraph turned out equal is forgotten
 * again (and remembered as equal, so that no part is walked twice). The pairs
 * met are at the same time the stack of the walk; each pair is entered once
 * and the walk is linear.
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

struct node {
    uint32_t next;   /* subtype to look at next */
    uint32_t hint;   /* field of the other side where a search starts */
    uint16_t parent;
    bool swapped;    /* fields are walked from b */
    bool matched;    /* a field name was found on both sides */
    bool equal;      /* no difference found so far */
};

struct walk {
    uint32_t n;
    const struct vdl_type *a[VDL_GRAPH_], *b[VDL_GRAPH_];
    struct node nodes[VDL_GRAPH_];
    uint16_t by_a[VDL_SLOTS_], by_b[VDL_SLOTS_];
    struct vdl_pairs_ equal;
};

static const struct vdl_type *strip(const struct vdl_type *t)
{
    t = vdl_wire_(t);
    while (t->kind == VDL_OPTIONAL)
        t = vdl_wire_(t->elem);
    return t;
}

/* The pairs from `from` on leave the set; last in, first out. */
static void forget(struct walk *w, uint32_t from)
{
    while (w->n > from) {
        w->n--;
        w->by_a[vdl_slot_(w->by_a, w->a, NULL, w->a[w->n], NULL)] = 0;
        w->by_b[vdl_slot_(w->by_b, w->b, NULL, w->b[w->n], NULL)] = 0;
    }
}

/* Note that the pair looked at below `parent` is not one of equal types. */
static void differs(struct walk *w, uint16_t parent)
{
    if (parent != NO_PARENT)
        w->nodes[parent].equal = false;
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
    if ((vdl_wire_(a)->kind == VDL_OPTIONAL)
        != (vdl_wire_(b)->kind == VDL_OPTIONAL))
        differs(w, parent);
    a = strip(a);
    b = strip(b);
    if (a == b || vdl_pairs_has_(&w->equal, a, b))
        return true;
    ha = vdl_slot_(w->by_a, w->a, NULL, a, NULL);
    hb = vdl_slot_(w->by_b, w->b, NULL, b, NULL);
    if (w->by_a[ha] != 0 || w->by_b[hb] != 0) {
        /* The same pair being looked at further up counts as equal. */
        if (w->by_a[ha] != w->by_b[hb] || !w->nodes[w->by_a[ha] - 1].equal)
            differs(w, parent);
        return true;
    }
    if (i == VDL_GRAPH_) {
        differs(w, parent);
        return true;
    }
    w->n++;
    w->a[i] = a;
    w->b[i] = b;
    w->by_a[ha] = w->by_b[hb] = (uint16_t)w->n;
    memset(&w->nodes[i], 0, sizeof(w->nodes[i]));
    w->nodes[i].parent = parent;
    w->nodes[i].swapped = swapped;
    w->nodes[i].equal = vdl_type_same_node_(a, b);
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

/* The pair at `at` is done; returns the pair to go on with. */
static uint16_t leave(struct walk *w, uint32_t at)
{
    uint16_t parent = w->nodes[at].parent;

    if (!w->nodes[at].equal)
        differs(w, parent);
    else if (vdl_pairs_add_(&w->equal, w->a[at], w->b[at]))
        forget(w, at);
    return parent;
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
    vdl_pairs_init_(&w.equal);
    if (!enter(&w, src, dst, NO_PARENT, false, &entered))
        return false;
    if (!entered)
        return true;
    while (at != NO_PARENT) {
        const struct vdl_type *a, *b;

        if (!next_pair(&w, at, &a, &b)) {
            if (has_fields(&w, at) && !w.nodes[at].matched)
                return false;
            at = leave(&w, at);
            continue;
        }
        if (!enter(&w, a, b, at, w.nodes[at].swapped, &entered))
            return false;
        if (entered)
            at = (uint16_t)(w.n - 1);
    }
    return true;
}
