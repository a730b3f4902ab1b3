/* BSD-3-Clause; see LICENSE. */
/*
 * Rules that need all definitions of a package: no definition is its own name,
 * none contains itself, keys can be compared (spec/vdl.md section 6).
 */
#include "types_int.h"

/* `type A B; type B A` */
static bool check_renames(struct builder *b)
{
    uint32_t i, at, hops;
    bool ok = true;

    for (i = 0; i < b->ndefs; i++) {
        at = i;
        for (hops = 0; b->nodes[at].renames && hops <= b->ndefs; hops++) {
            if (b->nodes[at].elem.type != NULL ||
                b->nodes[at].elem.node >= b->ndefs)
                break;
            at = b->nodes[at].elem.node;
        }
        if (hops <= b->ndefs)
            continue;
        FILE_ERROR(b->c, DEF(b, i)->file, DEF(b, i)->pos,
            "%s invalid (invalid named type cycle)", DEF(b, i)->name);
        ok = false;
    }
    return ok;
}

/* Subtype number i of a node; false when there are no more. */
static bool subtype(const struct vdl_type_node *n, uint32_t i,
    struct vdl_type_ref *out)
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
            if ((!n->renames && n->kind != VDL_ARRAY &&
                    n->kind != VDL_STRUCT && n->kind != VDL_UNION) ||
                !subtype(n, w.next[at]++, &r)) {
                w.mark[at] = 2;
                w.depth--;
            } else if (r.type == NULL && w.mark[r.node] == 1) {
                FILE_ERROR(b->c, DEF(b, r.node)->file,
                    DEF(b, r.node)->pos,
                    "%s invalid (type \"%.*s\" is inside of a strict cycle)",
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

/* Whether a key may have the type of a node. */
static bool can_be_key(struct builder *b, uint32_t node)
{
    struct walk w = walk_new(b);
    struct vdl_type_ref r;

    walk_push(&w, node);
    while (w.depth > 0) {
        uint32_t at = w.stack[w.depth - 1];
        const struct vdl_type_node *n = &b->nodes[at];

        if (!n->renames &&
            (n->kind == VDL_LIST || n->kind == VDL_SET || n->kind == VDL_MAP ||
                n->kind == VDL_OPTIONAL))
            return false;
        if (!subtype(n, w.next[at]++, &r))
            w.depth--;
        else if (r.type != NULL && !vdl_type_can_be_key(r.type))
            return false;
        else if (r.type == NULL && w.mark[r.node] == 0)
            walk_push(&w, r.node);
    }
    return true;
}

/* Every set and map inside a definition. */
static bool check_keys(struct builder *b, struct decl *d,
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
        if (r.r.type == NULL ? !can_be_key(b, r.r.node)
                             : !vdl_type_can_be_key(r.r.type)) {
            FILE_ERROR(b->c, f, t->key->pos, "invalid key \"%s\" in \"%s\"",
                r.r.type == NULL ? ast_type_text(b->c, t->key)
                                 : type_text(b->c, r.r.type),
                ast_type_text(b->c, t));
            ok = false;
        }
        ok = check_keys(b, d, t->key) && ok;
    }
    ok = check_keys(b, d, t->elem) && ok;
    for (i = 0; i < t->members.n; i++)
        ok = check_keys(b, d,
                 ((const struct ast_field *)t->members.v[i])->type) && ok;
    return ok;
}

bool check_types(struct builder *b)
{
    bool ok = true;
    uint32_t i;

    if (!check_renames(b) || !check_strict(b))
        return false;
    for (i = 0; i < b->ndefs; i++)
        ok = check_keys(b, DEF(b, i), b->asts[i]) && ok;
    return ok;
}
