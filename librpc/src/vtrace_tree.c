/* BSD-3-Clause; see LICENSE. */
/*
 * The tree of a trace. Every span has one parent; the ways up from the spans
 * are cut where they would form a circle, so that what is left is a tree.
 */
#include <vrpc/vtrace_text.h>

#include <stdlib.h>
#include <vom/time.h>

struct tree {
    struct v23_arena *a;
    const v23_vtrace_trace_record *t;
    struct vrpc_vtrace_node *nodes; /* one for each span record */
    struct vrpc_vtrace_node **ids;  /* by id, without duplicates */
    size_t nids;
    struct vrpc_vtrace_node *root;
};

static const v23_vtrace_span_record no_data = {
    .name = VDL_STR_INIT("Missing Data")
};

static int cmp_id(const v23_uniqueid_id *x, const v23_uniqueid_id *y)
{
    return memcmp(x->v, y->v, sizeof(x->v));
}

/* Nodes are in the order of their records. */
static int cmp_place(const void *x, const void *y)
{
    return (uintptr_t)x < (uintptr_t)y ? -1 : (uintptr_t)x > (uintptr_t)y;
}

static int by_id(const void *pa, const void *pb)
{
    const struct vrpc_vtrace_node *x = *(struct vrpc_vtrace_node *const *)pa;
    const struct vrpc_vtrace_node *y = *(struct vrpc_vtrace_node *const *)pb;
    int c = cmp_id(&x->span->id, &y->span->id);

    return c != 0 ? c : cmp_place(x, y);
}

static int cmp_time(v23_time_time x, v23_time_time y)
{
    return v23_walltime_cmp(v23_time_to_wall(x), v23_time_to_wall(y));
}

static int by_start(const void *pa, const void *pb)
{
    const struct vrpc_vtrace_node *x = *(struct vrpc_vtrace_node *const *)pa;
    const struct vrpc_vtrace_node *y = *(struct vrpc_vtrace_node *const *)pb;
    int c = cmp_time(x->span->start, y->span->start);

    return c != 0 ? c : cmp_place(x, y);
}

/* Orphans of one parent side by side. */
static int by_parent(const void *pa, const void *pb)
{
    const struct vrpc_vtrace_node *x = *(struct vrpc_vtrace_node *const *)pa;
    const struct vrpc_vtrace_node *y = *(struct vrpc_vtrace_node *const *)pb;
    int c = cmp_id(&x->span->parent, &y->span->parent);

    return c != 0 ? c : cmp_place(x, y);
}

static int by_when(const void *pa, const void *pb)
{
    const v23_vtrace_annotation *x = *(const v23_vtrace_annotation *const *)pa;
    const v23_vtrace_annotation *y = *(const v23_vtrace_annotation *const *)pb;
    int c = cmp_time(x->when, y->when);

    return c != 0 ? c : cmp_place(x, y);
}

/* ---- nodes --------------------------------------------------------------- */

static int sort_annotations(struct tree *tr, struct vrpc_vtrace_node *n)
{
    const v23_vtrace_annotation_list *l = &n->span->annotations;
    const v23_vtrace_annotation **v;
    uint32_t i;

    if (l->n == 0)
        return 0;
    v = v23_arena_get0(tr->a, l->n, sizeof(*v), V23_ALIGNOF(void *));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < l->n; i++)
        v[i] = &l->v[i];
    qsort(v, l->n, sizeof(*v), by_when);
    n->annotations = v;
    return 0;
}

static int make_nodes(struct tree *tr)
{
    size_t n = tr->t->spans.n, i, kept = 0;
    int rc = 0;

    tr->nodes = v23_arena_get0(tr->a, n + 1, sizeof(*tr->nodes),
        V23_ALIGNOF(struct vrpc_vtrace_node));
    tr->ids = v23_arena_get0(tr->a, n + 1, sizeof(*tr->ids),
        V23_ALIGNOF(void *));
    if (tr->nodes == NULL || tr->ids == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n && rc == 0; i++) {
        tr->nodes[i].span = &tr->t->spans.v[i];
        tr->ids[i] = &tr->nodes[i];
        rc = sort_annotations(tr, &tr->nodes[i]);
    }
    if (rc != 0 || n == 0)
        return rc;
    qsort(tr->ids, n, sizeof(*tr->ids), by_id);
    for (i = 0; i < n; i++)
        if (kept == 0 ||
            cmp_id(&tr->ids[kept - 1]->span->id, &tr->ids[i]->span->id) != 0)
            tr->ids[kept++] = tr->ids[i];
    tr->nids = kept;
    return 0;
}

static struct vrpc_vtrace_node *find(const struct tree *tr,
    const v23_uniqueid_id *id)
{
    size_t lo = 0, hi = tr->nids, mid;
    int c;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        c = cmp_id(&tr->ids[mid]->span->id, id);
        if (c == 0)
            return tr->ids[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static struct vrpc_vtrace_node *invent(struct tree *tr,
    const v23_vtrace_span_record *span)
{
    struct vrpc_vtrace_node *n = v23_arena_new(tr->a, struct vrpc_vtrace_node);

    if (n == NULL)
        return NULL;
    n->span = span;
    n->missing = true;
    return n;
}

/* ---- parents ------------------------------------------------------------- */

static bool is_top(const struct tree *tr, const struct vrpc_vtrace_node *n)
{
    return cmp_id(&n->span->parent, &tr->t->id) == 0;
}

static int find_root(struct tree *tr)
{
    v23_vtrace_span_record *s;
    size_t i, first = 0;

    for (i = 0; i < tr->nids; i++) {
        if (by_start(&tr->ids[i], &tr->ids[first]) < 0)
            first = i;
        if (is_top(tr, tr->ids[i]) &&
            (tr->root == NULL || by_start(&tr->ids[i], &tr->root) < 0))
            tr->root = tr->ids[i];
    }
    if (tr->root != NULL)
        return 0;
    s = v23_arena_new(tr->a, v23_vtrace_span_record);
    if (s == NULL)
        return V23_ENOMEM;
    s->name = vdl_str("Missing Root Span");
    if (tr->nids > 0)
        s->start = tr->ids[first]->span->start;
    tr->root = invent(tr, s);
    return tr->root == NULL ? V23_ENOMEM : 0;
}

/*
 * Go up from every node, and cut where the way comes back to itself. `depth`
 * is the number of the way on which a node was met.
 */
static int cut_circles(struct tree *tr)
{
    struct vrpc_vtrace_node *n;
    size_t i;

    for (i = 0; i < tr->nids; i++) {
        for (n = tr->ids[i]; n != NULL && n->depth == 0; n = n->parent) {
            n->depth = (uint32_t)i + 1;
            if (n->parent == NULL || n->parent->depth != (uint32_t)i + 1)
                continue;
            n->parent = invent(tr, &no_data);
            if (n->parent == NULL)
                return V23_ENOMEM;
        }
    }
    return 0;
}

static int adopt_orphans(struct tree *tr, struct vrpc_vtrace_node **v,
    size_t n)
{
    struct vrpc_vtrace_node *m = NULL;
    size_t i;

    if (n > 0)
        qsort(v, n, sizeof(*v), by_parent);
    for (i = 0; i < n; i++) {
        if (i == 0 || cmp_id(&v[i - 1]->span->parent, &v[i]->span->parent) != 0)
            m = invent(tr, &no_data);
        if (m == NULL)
            return V23_ENOMEM;
        v[i]->parent = m;
    }
    return 0;
}

static int set_parents(struct tree *tr)
{
    struct vrpc_vtrace_node **orphans, *n, *p;
    size_t i, norphans = 0;
    int rc;

    orphans = v23_arena_get0(tr->a, tr->nids + 1, sizeof(*orphans),
        V23_ALIGNOF(void *));
    if (orphans == NULL)
        return V23_ENOMEM;
    for (i = 0; i < tr->nids; i++) {
        n = tr->ids[i];
        if (n == tr->root)
            continue;
        p = is_top(tr, n) ? tr->root : find(tr, &n->span->parent);
        if (p == NULL)
            orphans[norphans++] = n;
        n->parent = p;
    }
    rc = adopt_orphans(tr, orphans, norphans);
    return rc != 0 ? rc : cut_circles(tr);
}

/* ---- children ------------------------------------------------------------ */

/* Prepending the latest first leaves the earliest in front; the invented ones,
 * which have no time, come last below the root, as their children begin. */
static void set_children(struct tree *tr)
{
    struct vrpc_vtrace_node *n, **end = &tr->root->child;
    size_t i;

    if (tr->nids > 0)
        qsort(tr->ids, tr->nids, sizeof(*tr->ids), by_start);
    for (i = 0; i < tr->nids; i++) {
        n = tr->ids[i]->parent;
        if (n == NULL || n == tr->root || n->parent != NULL)
            continue;
        n->parent = tr->root;
        *end = n;
        end = &n->next;
    }
    for (i = tr->nids; i-- > 0;) {
        n = tr->ids[i];
        if (n == tr->root)
            continue;
        n->next = n->parent->child;
        n->parent->child = n;
    }
}

static void set_depths(struct tree *tr)
{
    const struct vrpc_vtrace_node *c;
    struct vrpc_vtrace_node *n = tr->root;

    n->depth = 0;
    while ((c = vrpc_vtrace_node_next(n)) != NULL) {
        n = (struct vrpc_vtrace_node *)(uintptr_t)c;
        n->depth = n->parent->depth + 1;
    }
}

int vrpc_vtrace_tree(const v23_vtrace_trace_record *t, struct v23_arena *a,
    const struct vrpc_vtrace_node **root)
{
    struct tree tr = { .a = a, .t = t };
    int rc;

    rc = make_nodes(&tr);
    if (rc == 0)
        rc = find_root(&tr);
    if (rc == 0)
        rc = set_parents(&tr);
    if (rc != 0)
        return rc;
    set_children(&tr);
    set_depths(&tr);
    *root = tr.root;
    return 0;
}

const struct vrpc_vtrace_node *vrpc_vtrace_node_next(
    const struct vrpc_vtrace_node *n)
{
    if (n->child != NULL)
        return n->child;
    while (n != NULL && n->next == NULL)
        n = n->parent;
    return n == NULL ? NULL : n->next;
}
