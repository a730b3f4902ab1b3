/* BSD-3-Clause; see LICENSE. */
/*
 * Glob over the tree (spec/naming.md 7.4). The walk needs no stack: nodes know
 * their parents, and the name being built tells how deep it is. Nodes met on
 * the way that are of no use any more are collected.
 *
 * Between two entries, and between two parts of a long search, the table may
 * change. A walk rests at the node that it
 * will look at next; that node counts who rests at it, and when it goes, they
 * move on.
 */
#include <vname/mounttable.h>
#include <vrpc/glob.h>
#include <vrpc/name.h>

#include "table_int.h"

/* An element of the pattern: a literal names one child, no scan is needed. */
struct step {
    struct vdl_str literal;
    bool fixed;
};

/* What is to be done with the node in hand. */
enum stage {
    ARRIVE, /* is it wanted at all? */
    ENTER,  /* its children first */
    LEAVE   /* itself */
};

struct vname_glob {
    struct vname_glob *next, **pprev; /* of the table */
    struct vname_table *t;
    struct vname_caller c;
    struct vrpc_glob pattern;
    struct step *steps;
    struct node *at;          /* to be looked at; NULL: the end */
    enum stage stage;
    bool below;               /* `at` is a mount above the name */
    struct vdl_str rest;      /* what of the name is below it */
    size_t depth;             /* of `at` */
    struct v23_buf name;      /* the same node's */
    struct v23_arena scratch; /* of the entry being reported */
};

/* What of the pattern is for a node at this depth. */
static struct vrpc_glob rest_at(const struct vname_glob *w, size_t depth)
{
    struct vrpc_glob g = w->pattern;
    uint32_t used = depth < g.n ? (uint32_t)depth : g.n;

    if (used != 0)
        g.elems += used;
    g.n -= used;
    return g;
}

/* V23_EAGAIN: there is nothing to be said of this node. */
static int report(struct vname_glob *w, const struct node *n, bool servers,
    bool directory, v23_naming_mount_entry *e)
{
    struct vname_caller scratch = w->c;
    int rc;

    v23_arena_reset(&w->scratch);
    scratch.arena = &w->scratch;
    memset(e, 0, sizeof(*e));
    /* The name changes before the entry is used. */
    e->name.n = (uint32_t)w->name.n;
    e->name.p = v23_arena_dup(&w->scratch, w->name.p, w->name.n);
    if (e->name.p == NULL)
        return V23_ENOMEM;
    e->serves_mount_table = directory;
    if (servers) {
        rc = vname_copy_servers_(&scratch, n, w->rest, e);
        if (rc != 0)
            return rc;
        if (w->rest.n == 0) {
            e->serves_mount_table = n->mt;
            e->is_leaf = n->leaf;
        }
    }
    return 0;
}

static int report_mount(struct vname_glob *w, struct node *n,
    v23_naming_mount_entry *e)
{
    bool active = vname_is_active_(w->t, n, w->c.now_ns);

    if (!active && n->children == NULL && !n->explicit) {
        vname_collect_one_(w->t, n, w->c.now_ns); /* but never the root */
        return V23_EAGAIN;
    }
    return report(w, n, vname_satisfies_(w->t, n, TAGS_RESOLVE, &w->c), false,
        e);
}

/* What remains to be said of a node whose children were visited. */
static int leave(struct vname_glob *w, struct node *n,
    v23_naming_mount_entry *e)
{
    struct vrpc_glob g = rest_at(w, w->depth);

    if (n->mounted)
        return report_mount(w, n, e);
    if (vname_collect_one_(w->t, n, w->c.now_ns))
        return V23_EAGAIN;
    if (n->parent == NULL && n->children == NULL && !n->explicit)
        return V23_EAGAIN; /* an empty table says nothing */
    if (g.n != 0 || !vname_satisfies_(w->t, n, TAGS_ALL, &w->c))
        return V23_EAGAIN;
    return report(w, n, false, true, e);
}

static bool may_list(struct vname_glob *w, const struct node *n,
    const struct vrpc_glob *g)
{
    if (vrpc_glob_is_empty(g))
        return false;
    return vname_satisfies_(w->t, n, TAGS_GLOB, &w->c)
        || (g->n != 0 && w->steps[w->depth].fixed
            && vname_satisfies_(w->t, n, TAGS_TRAVERSE, &w->c));
}

/* It matches what its parent was asked for, and may be seen. */
static bool is_wanted(struct vname_glob *w, const struct node *n)
{
    struct vrpc_glob g = rest_at(w, w->depth - 1);

    return vrpc_glob_match(&g, vdl_strn(n->name, n->len))
        && vname_satisfies_(w->t, n, TAGS_ALL, &w->c);
}

static struct node *first_child(struct vname_glob *w, struct node *n)
{
    struct vrpc_glob g = rest_at(w, w->depth);

    if (n->mounted || !may_list(w, n, &g))
        return NULL;
    if (g.n == 0 || !w->steps[w->depth].fixed)
        return n->children;
    return vname_child_(w->t, n, w->steps[w->depth].literal);
}

static struct node *next_child(struct vname_glob *w, struct node *n)
{
    struct vrpc_glob g;

    if (w->depth == 0 /* the start has no siblings here */)
        return NULL;
    g = rest_at(w, w->depth - 1);
    return g.n != 0 && w->steps[w->depth - 1].fixed ? NULL : n->next;
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

/* On from a node with a name of that length, to its sibling or its parent. */
static void move_on(struct vname_glob *w, size_t len, struct node *next,
    struct node *parent)
{
    w->stage = next != NULL ? ARRIVE : LEAVE;
    if (w->depth == 0) {
        w->at = NULL;
        return;
    }
    if (w->name.err == 0)
        pop(&w->name, len);
    if (next != NULL) {
        push(&w->name, next);
        w->at = next;
    } else {
        w->depth--;
        w->at = parent;
    }
}

static void rest(struct vname_glob *w)
{
    if (w->at != NULL)
        w->at->globs++;
}

static void get_up(struct vname_glob *w)
{
    if (w->at != NULL)
        w->at->globs--;
}

void vname_glob_leaves_(struct vname_table *t, struct node *n)
{
    struct vname_glob *w;

    for (w = t->globs; w != NULL; w = w->next)
        if (w->at == n) {
            get_up(w);
            move_on(w, n->len, next_child(w, n), n->parent);
            rest(w);
        }
}

static void go_down(struct vname_glob *w, struct node *child)
{
    push(&w->name, child);
    w->depth++;
    w->at = child;
    w->stage = ARRIVE;
}

/* One step. 0: there is an entry; V23_EAGAIN: not yet; V23_ENOMEM. */
static int visit(struct vname_glob *w, v23_naming_mount_entry *e)
{
    struct node *n = w->at, *child, *next, *parent;
    size_t len = n->len;
    int rc = V23_EAGAIN;

    if (w->name.err != 0)
        return V23_ENOMEM;
    if (w->stage == ARRIVE && is_wanted(w, n))
        w->stage = ENTER;
    else if (w->stage == ARRIVE)
        move_on(w, len, next_child(w, n), n->parent);
    if (w->at == n && w->stage == ENTER) {
        child = first_child(w, n);
        if (child != NULL)
            go_down(w, child);
        else
            w->stage = LEAVE;
    }
    if (w->at == n && w->stage == LEAVE) {
        /* Leaving may free n, but neither its parent nor its siblings. */
        next = next_child(w, n);
        parent = n->parent;
        rc = leave(w, n, e);
        move_on(w, len, next, parent);
    }
    return rc;
}

static int find_literals(struct vname_glob *w)
{
    struct vrpc_glob g = w->pattern;
    uint32_t i;
    int rc = 0;

    w->steps = v23_arena_get0(w->c.arena, g.n, sizeof(*w->steps),
        _Alignof(struct step));
    if (w->steps == NULL)
        return V23_ENOMEM;
    for (i = 0; i < w->pattern.n && rc == 0; i++) {
        rc = vrpc_glob_fixed_prefix(w->c.arena, &g, &w->steps[i].literal,
            &w->steps[i].fixed);
        g = vrpc_glob_tail(&g);
    }
    return rc;
}

/* The node to begin at: none without access on the way, or nothing there. */
static int begin(struct vname_glob *w, struct vdl_str name)
{
    struct spot s;
    struct path p;
    int rc = vname_path_split_(w->c.arena, name, &p);

    if (rc == 0)
        rc = find_literals(w);
    if (rc != 0 || vname_walk_(w->t, &w->c, p, &s) != NULL
        || (!s.below && s.have != p.n))
        return rc;
    w->below = s.below;
    if (w->below && !vname_satisfies_(w->t, s.n, TAGS_RESOLVE, &w->c))
        return 0;
    w->rest = vname_tail_of_(name, p, p.n - s.have);
    w->at = s.n;
    return 0;
}

int vname_glob_new(struct vname_table *t, const struct vname_caller *c,
    struct vdl_str name, const struct vrpc_glob *pattern,
    struct vname_glob **out)
{
    struct vname_glob *w;
    int rc;

    if (t->nglobs == VNAME_MAX_GLOBS)
        return V23_ELIMIT;
    w = v23_new(t->al, struct vname_glob);
    if (w == NULL)
        return V23_ENOMEM;
    w->t = t;
    w->c = *c;
    w->pattern = *pattern;
    w->stage = ENTER;
    v23_buf_init(&w->name, t->al, SIZE_MAX);
    v23_arena_init(&w->scratch, t->al, SIZE_MAX);
    w->next = t->globs;
    w->pprev = &t->globs;
    if (w->next != NULL)
        w->next->pprev = &w->next;
    t->globs = w;
    t->nglobs++;
    rc = begin(w, name);
    rest(w);
    if (rc != 0) {
        vname_glob_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

int vname_glob_next(struct vname_glob *w, int64_t now_ns,
    v23_naming_mount_entry *e)
{
    int rc = V23_EAGAIN, i;

    w->c.now_ns = now_ns;
    get_up(w);
    if (w->below && w->at != NULL) {
        rc = report(w, w->at, true, false, e);
        w->at = NULL;
    }
    for (i = 0; i < w->t->glob_steps && rc == V23_EAGAIN && w->at != NULL; i++)
        rc = visit(w, e);
    rest(w);
    return rc == V23_EAGAIN && w->at == NULL ? V23_EEOF : rc;
}

void vname_glob_free(struct vname_glob *w)
{
    if (w == NULL)
        return;
    get_up(w);
    *w->pprev = w->next;
    if (w->next != NULL)
        w->next->pprev = w->pprev;
    w->t->nglobs--;
    v23_arena_fini(&w->scratch);
    v23_buf_fini(&w->name);
    v23_put(w->t->al, w);
}
