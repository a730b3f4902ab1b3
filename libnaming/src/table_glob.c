/* BSD-3-Clause; see LICENSE. */
/*
 * Glob over the tree (spec/naming.md 7.4). The walk needs no stack: nodes know
 * their parents, and the name being built tells how deep it is. Nodes met on
 * the way that are of no use any more are collected.
 */
#include <vname/mounttable.h>
#include <vrpc/glob.h>
#include <vrpc/name.h>

#include "table_int.h"

static const struct vdl_str empty;

/* An element of the pattern: a literal names one child, no scan is needed. */
struct step {
    struct vdl_str literal;
    bool fixed;
};

struct walk {
    struct vname_table *t;
    const struct vname_caller *c;
    const struct vrpc_glob *pattern;
    struct step *steps;
    vname_entry_fn *fn;
    void *ud;
    size_t depth;             /* of the node being visited */
    struct v23_buf name;      /* the same node's */
    struct v23_arena scratch; /* of the entry being reported */
};

/* What of the pattern is for a node at this depth. */
static struct vrpc_glob rest_at(const struct walk *w, size_t depth)
{
    struct vrpc_glob g = *w->pattern;
    uint32_t used = depth < g.n ? (uint32_t)depth : g.n;

    if (used != 0)
        g.elems += used;
    g.n -= used;
    return g;
}

static int report(struct walk *w, const struct node *n, struct vdl_str rest,
    bool servers, bool directory)
{
    struct vname_caller scratch = *w->c;
    v23_naming_mount_entry e;
    int rc;

    v23_arena_reset(&w->scratch);
    scratch.arena = &w->scratch;
    memset(&e, 0, sizeof(e));
    e.name = vdl_strn((const char *)w->name.p, w->name.n);
    e.serves_mount_table = directory;
    if (servers) {
        rc = vname_copy_servers_(&scratch, n, rest, &e);
        if (rc != 0)
            return rc;
        if (rest.n == 0) {
            e.serves_mount_table = n->mt;
            e.is_leaf = n->leaf;
        }
    }
    return w->fn(w->ud, &e);
}

static int report_mount(struct walk *w, struct node *n)
{
    bool active = vname_is_active_(w->t, n, w->c->now_ns);

    if (!active && n->children == NULL && !n->explicit) {
        vname_collect_one_(w->t, n, w->c->now_ns); /* but never the root */
        return 0;
    }
    return report(w, n, empty, vname_satisfies_(w->t, n, TAGS_RESOLVE, w->c),
        false);
}

/* What remains to be said of a node whose children were visited. */
static int leave(struct walk *w, struct node *n)
{
    struct vrpc_glob g = rest_at(w, w->depth);

    if (n->mounted)
        return report_mount(w, n);
    if (vname_collect_one_(w->t, n, w->c->now_ns))
        return 0;
    if (n->parent == NULL && n->children == NULL && !n->explicit)
        return 0; /* an empty table says nothing */
    if (g.n != 0 || !vname_satisfies_(w->t, n, TAGS_ALL, w->c))
        return 0;
    return report(w, n, empty, false, true);
}

static bool may_list(struct walk *w, const struct node *n,
    const struct vrpc_glob *g)
{
    if (vrpc_glob_is_empty(g))
        return false;
    return vname_satisfies_(w->t, n, TAGS_GLOB, w->c)
        || (g->n != 0 && w->steps[w->depth].fixed
            && vname_satisfies_(w->t, n, TAGS_TRAVERSE, w->c));
}

/* The first of these siblings that is to be visited. */
static struct node *pick(struct walk *w, struct node *from,
    const struct vrpc_glob *g)
{
    while (from != NULL
        && (!vrpc_glob_match(g, vdl_strn(from->name, from->len))
            || !vname_satisfies_(w->t, from, TAGS_ALL, w->c)))
        from = from->next;
    return from;
}

static struct node *first_child(struct walk *w, struct node *n)
{
    struct vrpc_glob g = rest_at(w, w->depth);
    struct node *child;

    if (n->mounted || !may_list(w, n, &g))
        return NULL;
    if (g.n == 0 || !w->steps[w->depth].fixed)
        return pick(w, n->children, &g);
    child = vname_child_(w->t, n, w->steps[w->depth].literal);
    return child != NULL && vname_satisfies_(w->t, child, TAGS_ALL, w->c)
        ? child
        : NULL;
}

static struct node *next_child(struct walk *w, struct node *n)
{
    struct vrpc_glob g;

    if (w->depth == 0 /* the start has no siblings here */)
        return NULL;
    g = rest_at(w, w->depth - 1);
    if (g.n != 0 && w->steps[w->depth - 1].fixed)
        return NULL;
    return pick(w, n->next, &g);
}

/* Names in replies are clean: an empty element does not show. */
static void push(struct v23_buf *name, const struct node *child)
{
    if (name->n != 0 && child->len != 0)
        v23_buf_put_byte(name, '/');
    v23_buf_put(name, child->name, child->len);
}

static void pop(struct v23_buf *name, size_t len)
{
    size_t n = name->n - len;

    v23_buf_cut(name, n - (n != 0 && len != 0));
}

static int visit(struct walk *w, struct node *n)
{
    struct node *child, *next, *parent;
    bool down = true;
    size_t len;
    int rc;

    for (;;) {
        child = down ? first_child(w, n) : NULL;
        if (child != NULL) {
            push(&w->name, child);
            w->depth++;
            n = child;
            continue;
        }
        /* Leaving may free n, but neither its parent nor its siblings. */
        next = next_child(w, n);
        parent = n->parent;
        len = n->len;
        rc = w->name.err != 0 ? w->name.err : leave(w, n);
        if (rc != 0 || w->depth == 0)
            return rc;
        pop(&w->name, len);
        down = next != NULL;
        if (down) {
            push(&w->name, next);
            n = next;
        } else {
            w->depth--;
            n = parent;
        }
    }
}

static int find_literals(struct walk *w)
{
    struct vrpc_glob g = *w->pattern;
    uint32_t i;
    int rc = 0;

    w->steps = v23_arena_get0(w->c->arena, g.n, sizeof(*w->steps),
        _Alignof(struct step));
    if (w->steps == NULL)
        return V23_ENOMEM;
    for (i = 0; i < w->pattern->n && rc == 0; i++) {
        rc = vrpc_glob_fixed_prefix(w->c->arena, &g, &w->steps[i].literal,
            &w->steps[i].fixed);
        g = vrpc_glob_tail(&g);
    }
    return rc;
}

int vname_table_glob(struct vname_table *t, const struct vname_caller *c,
    struct vdl_str name, const struct vrpc_glob *pattern, vname_entry_fn *fn,
    void *ud)
{
    struct walk w = { 0 };
    struct node *n;
    struct path p;
    size_t left;
    int rc = vname_path_split_(c->arena, name, &p);

    w.t = t;
    w.c = c;
    w.pattern = pattern;
    w.fn = fn;
    w.ud = ud;
    if (rc == 0)
        rc = find_literals(&w);
    if (rc != 0)
        return rc;
    if (vname_walk_(t, c, p, false, &n, &left) != NULL || n == NULL)
        return 0; /* no access on the way, or nothing there */
    v23_buf_init(&w.name, t->al, SIZE_MAX);
    v23_arena_init(&w.scratch, t->al, SIZE_MAX);
    if (left == 0)
        rc = visit(&w, n);
    else if (vname_satisfies_(t, n, TAGS_RESOLVE, c))
        rc = report(&w, n, vname_tail_of_(name, p, left), true, false);
    v23_arena_fini(&w.scratch);
    v23_buf_fini(&w.name);
    return rc;
}
