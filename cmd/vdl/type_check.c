/* BSD-3-Clause; see LICENSE. */
/*
 * Rules that need all definitions of a package: no definition is its own name,
 * none contains itself, keys can be compared (spec/vdl.md section 6).
 */
#include "types_int.h"

/* The definition that a definition renames; false: it is no such. */
static bool renamed(struct builder *b, uint32_t at, struct vdl_type_ref *out)
{
    const struct ast_type *t = b->asts[at];
    const struct decl *d;
    const char *rest;

    if (t->kind != AST_NAMED)
        return false;
    d = resolve_name(DEF(b, at)->file, t->name, &rest);
    if (d == NULL || d->kind != DECL_TYPE)
        return false; /* described as an error later */
    out->type = d->type;
    out->node = d->node;
    return true;
}

bool follow_names(struct builder *b)
{
    uint32_t *path = ctx_array(b->c, uint32_t, b->ndefs), i, n, at;
    uint8_t *mark = ctx_array(b->c, uint8_t, b->ndefs); /* 1 path, 2 done */
    struct vdl_type_ref r = {NULL, 0};
    bool ok = true;

    b->ends = ctx_array(b->c, struct vdl_type_ref, b->ndefs);
    for (i = 0; i < b->ndefs; i++) {
        n = 0;
        for (at = i; mark[at] == 0; at = r.node) {
            mark[at] = 1;
            path[n++] = at;
            if (!renamed(b, at, &r)) {
                r.type = NULL;
                r.node = at;
            } else if (r.type == NULL && mark[r.node] == 1) {
                FILE_ERROR(b->c, DEF(b, at)->file, b->asts[at]->pos,
                    "%s base type invalid (invalid named type cycle)",
                    DEF(b, at)->name);
                ok = false;
            }
            if (r.type != NULL)
                break;
        }
        if (n > 0 && r.type == NULL && mark[r.node] == 2)
            r = b->ends[r.node];
        while (n > 0) {
            mark[path[--n]] = 2;
            b->ends[path[n]] = r;
        }
    }
    return ok;
}

/* Subtype number i of a node; false when there are no more. */
static bool subtype(
    const struct vdl_type_node *n, uint32_t i, struct vdl_type_ref *out)
{
    bool has_key = n->kind == VDL_SET || n->kind == VDL_MAP;

    if (n->renames) {
        *out = n->elem;
        return i == 0;
    }
    switch (n->kind) {
    case VDL_STRUCT:
    case VDL_UNION:
        if (i < n->nmembers)
            *out = n->members[i].type;
        return i < n->nmembers;
    case VDL_ENUM:
        return false;
    default:
        *out = has_key && i == 0 ? n->key : n->elem;
        return i < 1 + (n->kind == VDL_MAP);
    }
}

/* Depth-first walk with its own stack; marks: 0 new, 1 on the path, 2 done. */
struct walk {
    uint32_t *stack, *next;
    uint8_t *mark;
    uint32_t depth;
};

static void walk_push(struct walk *w, uint32_t node)
{
    w->mark[node] = 1;
    w->next[node] = 0;
    w->stack[w->depth++] = node;
}

static struct walk walk_new(struct builder *b)
{
    struct walk w;

    w.stack = ctx_array(b->c, uint32_t, b->n);
    w.next = ctx_array(b->c, uint32_t, b->n);
    w.mark = ctx_array(b->c, uint8_t, b->n);
    w.depth = 0;
    return w;
}

/* A value that contains itself has no size. */
static bool check_strict(struct builder *b)
{
    struct walk w = walk_new(b);
    struct vdl_type_ref r;
    uint32_t i, at;

    for (i = 0; i < b->ndefs; i++) {
        if (w.mark[i] == 0)
            walk_push(&w, i);
        while (w.depth > 0) {
            const struct vdl_type_node *n;

            at = w.stack[w.depth - 1];
            n = &b->nodes[at];
            if ((!n->renames && n->kind != VDL_ARRAY && n->kind != VDL_STRUCT &&
                    n->kind != VDL_UNION) ||
                !subtype(n, w.next[at]++, &r)) {
                w.mark[at] = 2;
                w.depth--;
            } else if (r.type == NULL && w.mark[r.node] == 1) {
                FILE_ERROR(b->c, DEF(b, r.node)->file, b->asts[r.node]->pos,
                    "%s base type invalid (type \"%.*s\" is inside of a "
                    "strict cycle)",
                    DEF(b, r.node)->name, (int)b->nodes[r.node].name.n,
                    b->nodes[r.node].name.p);
                return false;
            } else if (r.type == NULL && w.mark[r.node] == 0) {
                walk_push(&w, r.node);
            }
        }
    }
    return true;
}

/* ---- keys ---------------------------------------------------------------- */

/* A node by itself, or a finished part of it, cannot be a key. */
static bool no_key(const struct vdl_type_node *n)
{
    struct vdl_type_ref r;
    uint32_t i;

    if (!n->renames && (n->kind == VDL_LIST || n->kind == VDL_SET ||
                           n->kind == VDL_MAP || n->kind == VDL_OPTIONAL))
        return true;
    for (i = 0; subtype(n, i, &r); i++) {
        if (r.type != NULL && !vdl_type_can_be_key(r.type))
            return true;
    }
    return false;
}

/*
 * For each node whether it cannot be a key: what is said of a node holds for
 * all that contain it, so it spreads along the reverse of the graph.
 */
static const bool *keyless(struct builder *b)
{
    bool *bad = ctx_array(b->c, bool, b->n);
    uint32_t *first = ctx_array(b->c, uint32_t, b->n + 1), *users, *todo;
    uint32_t i, k, n = 0, at;
    struct vdl_type_ref r;

    todo = ctx_array(b->c, uint32_t, b->n);
    for (i = 0; i < b->n; i++) {
        bad[i] = no_key(&b->nodes[i]);
        if (bad[i])
            todo[n++] = i;
        for (k = 0; subtype(&b->nodes[i], k, &r); k++) {
            if (r.type == NULL)
                first[r.node]++;
        }
    }
    for (i = 0; i < b->n; i++)
        first[i + 1] += first[i];
    users = ctx_array(b->c, uint32_t, first[b->n]);
    for (i = 0; i < b->n; i++) {
        for (k = 0; subtype(&b->nodes[i], k, &r); k++) {
            if (r.type == NULL)
                users[--first[r.node]] = i;
        }
    }
    while (n > 0) {
        at = todo[--n];
        for (k = first[at]; k < first[at + 1]; k++) {
            if (!bad[users[k]]) {
                bad[users[k]] = true;
                todo[n++] = users[k];
            }
        }
    }
    return bad;
}

/* Every set and map inside a definition. */
static bool check_keys(struct builder *b, const bool *bad, struct decl *d,
    const struct ast_type *t)
{
    struct file *f = d->file;
    struct ref r;
    bool ok = true;
    size_t i;

    if (t == NULL)
        return true;
    if (t->key != NULL) {
        r = type_ref(b->c, f, b, t->key, false);
        if (!r.ok)
            return false;
        if (r.r.type == NULL ? bad[r.r.node] : !vdl_type_can_be_key(r.r.type)) {
            FILE_ERROR(b->c, f, t->key->pos, "invalid key \"%s\" in \"%s\"",
                r.r.type == NULL ? ast_type_text(b->c, t->key)
                                 : type_text(b->c, r.r.type),
                ast_type_text(b->c, t));
            ok = false;
        }
        ok = check_keys(b, bad, d, t->key) && ok;
    }
    ok = check_keys(b, bad, d, t->elem) && ok;
    for (i = 0; i < t->members.n; i++)
        ok = check_keys(b, bad, d,
                 ((const struct ast_field *)t->members.v[i])->type) &&
             ok;
    return ok;
}

bool check_types(struct builder *b)
{
    const bool *bad;
    bool ok = true;
    uint32_t i;

    if (!check_strict(b))
        return false;
    bad = keyless(b);
    for (i = 0; i < b->ndefs; i++)
        ok = check_keys(b, bad, DEF(b, i), b->asts[i]) && ok;
    return ok;
}
