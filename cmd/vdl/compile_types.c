/* BSD-3-Clause; see LICENSE. */
/*
 * Type definitions and types in use (spec/vdl.md section 6).
 *
 * All definitions of a package are built in one step, because they may refer
 * to each other in any order and in cycles: every definition is a node of the
 * builder's table, unnamed types between them are further nodes. The rules are
 * checked here first, so that messages have positions; the builder checks them
 * again. Every unnamed type exists once (unnamed_type), so that equal types
 * have equal descriptors.
 */
#include "compile.h"

#include <v23/verror.h>

#include "names.h"

/* Largest array: what every implementation can index. */
#define ARRAY_MAX 2147483647u

/* ---- built-in names ------------------------------------------------------ */

static const bool yes = true, no = false;
static const struct vdl_any nil = { NULL, NULL };

#define TYPE(n, t) { .name = (n), .exported = true, .type = &(t) }
#define CONSTANT(n, t, v) \
    { .kind = DECL_CONST, .name = (n), .exported = true, \
        .value = { &(t), &(v) } }
static const struct decl builtins[] = {
    TYPE("any", vdl_any_desc),
    TYPE("bool", vdl_bool_desc),
    TYPE("byte", vdl_byte_desc),
    TYPE("uint16", vdl_uint16_desc),
    TYPE("uint32", vdl_uint32_desc),
    TYPE("uint64", vdl_uint64_desc),
    TYPE("int8", vdl_int8_desc),
    TYPE("int16", vdl_int16_desc),
    TYPE("int32", vdl_int32_desc),
    TYPE("int64", vdl_int64_desc),
    TYPE("float32", vdl_float32_desc),
    TYPE("float64", vdl_float64_desc),
    TYPE("string", vdl_string_desc),
    TYPE("typeobject", vdl_typeobject_desc),
    TYPE("error", vdl_error_desc),
    CONSTANT("true", vdl_bool_desc, yes),
    CONSTANT("false", vdl_bool_desc, no),
    CONSTANT("nil", vdl_any_desc, nil),
};

const struct decl *builtin_name(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
        if (strcmp(builtins[i].name, name) == 0)
            return &builtins[i];
    }
    return NULL;
}

/* ---- unnamed types ------------------------------------------------------- */

static const struct vdl_type *find_unnamed(struct ctx *c, enum vdl_kind kind,
    const struct vdl_type *key, const struct vdl_type *elem)
{
    static const struct vdl_type *const known[] = { &vdl_bytes_desc,
        &vdl_str_list_desc, &vdl_any_list_desc, &vdl_error_desc };
    const struct vdl_type *t;
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i]->kind == kind && known[i]->elem == elem && key == NULL)
            return known[i];
    }
    for (i = 0; i < c->unnamed.n; i++) {
        t = c->unnamed.v[i];
        if (t->kind == kind && t->key == key && t->elem == elem)
            return t;
    }
    return NULL;
}

const struct vdl_type *unnamed_type(struct ctx *c, enum vdl_kind kind,
    const struct vdl_type *key, const struct vdl_type *elem)
{
    const struct vdl_type *t = find_unnamed(c, kind, key, elem);
    struct vdl_type_node node;

    if (t != NULL)
        return t;
    memset(&node, 0, sizeof(node));
    node.kind = kind;
    node.key.type = key;
    node.elem.type = elem;
    if (vdl_types_build(c->types, &node, 1, &t) != 0)
        return NULL;
    list_push(c, &c->unnamed, (void *)(uintptr_t)t);
    return t;
}

const char *type_text(struct ctx *c, const struct vdl_type *t)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    if (vdl_type_format(t, 1 << 16, &b) != 0) {
        v23_buf_cut(&b, 0);
        v23_buf_put_str(&b, t->name);
    }
    return ctx_take(c, &b);
}

bool type_exported(const struct vdl_type *t)
{
    uint32_t i;

    if (t->name.n > 0) {
        for (i = t->name.n; i > 0 && t->name.p[i - 1] != '.'; i--)
            ;
        return t->name.p[i] >= 'A' && t->name.p[i] <= 'Z';
    }
    return (t->key == NULL || type_exported(t->key)) &&
        (t->elem == NULL || type_exported(t->elem));
}

/* ---- references ---------------------------------------------------------- */

/* The definitions of a package while they are built. */
struct builder {
    struct ctx *c;
    struct package *p;
    struct vdl_type_node *nodes; /* definitions first */
    uint32_t n, cap, ndefs;
    const struct ast_type **asts; /* of each definition */
    const struct vdl_type **out;
};

#define DEF(b, i) ((struct decl *)(b)->p->types.v[i])

/* A finished type, or a node of the builder; neither: error reported. */
struct ref {
    bool ok;
    struct vdl_type_ref r;
};

static const struct ref bad_ref = { false, { NULL, 0 } };

static bool same_ref(struct vdl_type_ref a, struct vdl_type_ref b)
{
    return a.type == b.type && (a.type != NULL || a.node == b.node);
}

static struct vdl_type_node *add_node(struct builder *b)
{
    struct vdl_type_node *nodes;

    if (b->n == b->cap) {
        b->cap = b->cap == 0 ? 32 : 2 * b->cap;
        nodes = ctx_array(b->c, struct vdl_type_node, b->cap);
        if (b->n > 0)
            memcpy(nodes, b->nodes, b->n * sizeof(*nodes));
        b->nodes = nodes;
    }
    return &b->nodes[b->n++];
}

/* An unnamed type of finished or unfinished parts. */
static struct ref unnamed_ref(struct ctx *c, struct builder *b,
    enum vdl_kind kind, struct vdl_type_ref key, struct vdl_type_ref elem)
{
    bool has_key = kind == VDL_SET || kind == VDL_MAP;
    bool has_elem = kind != VDL_SET;
    struct vdl_type_node *node;
    struct ref out = bad_ref;
    uint32_t i;

    out.ok = true;
    if ((!has_key || key.type != NULL) && (!has_elem || elem.type != NULL)) {
        out.r.type = unnamed_type(c, kind, key.type, elem.type);
        out.ok = out.r.type != NULL;
        return out;
    }
    for (i = b->ndefs; i < b->n; i++) {
        node = &b->nodes[i];
        if (node->kind == kind && (!has_key || same_ref(node->key, key)) &&
            (!has_elem || same_ref(node->elem, elem)))
            break;
    }
    if (i == b->n) {
        node = add_node(b);
        node->kind = kind;
        node->key = key;
        node->elem = elem;
    }
    out.r.node = i;
    return out;
}

static enum vdl_kind kind_of(enum ast_type_kind kind)
{
    static const enum vdl_kind kinds[] = { VDL_ANY, VDL_ARRAY, VDL_LIST,
        VDL_ENUM, VDL_SET, VDL_MAP, VDL_STRUCT, VDL_UNION, VDL_OPTIONAL };

    return kinds[kind];
}

/* What a chain of `type X Y` definitions ends at; NULL: a finished type. */
static const struct ast_type *definition(const struct builder *b, uint32_t node,
    const struct vdl_type **finished)
{
    const struct ast_type *t = b->asts[node];
    const char *rest;
    const struct decl *d;
    uint32_t hops;

    *finished = NULL;
    for (hops = 0; t->kind == AST_NAMED && hops <= b->ndefs; hops++) {
        d = resolve_name(DEF(b, node)->file, t->name, &rest);
        if (d == NULL || d->kind != DECL_TYPE)
            return NULL;
        if (d->type != NULL) {
            *finished = d->type;
            return NULL;
        }
        node = d->node;
        t = b->asts[node];
    }
    return t;
}

/* Only a named struct can be optional. */
static bool can_be_optional(const struct builder *b, struct vdl_type_ref r)
{
    const struct vdl_type *t = r.type;
    const struct ast_type *def;

    if (t == NULL) {
        if (r.node >= b->ndefs)
            return false;
        def = definition(b, r.node, &t);
        if (def != NULL)
            return def->kind == AST_STRUCT;
    }
    return t != NULL && vdl_type_can_be_optional(t);
}

static struct ref type_ref(struct ctx *c, struct file *f, struct builder *b,
    const struct ast_type *t, bool export);

static struct ref named_ref(struct ctx *c, struct file *f,
    const struct ast_type *t, bool export)
{
    struct ref out = bad_ref;
    const char *rest;
    const struct decl *d = resolve_name(f, t->name, &rest);

    if (d == NULL || d->kind != DECL_TYPE) {
        FILE_ERROR(c, f, t->pos, "type %s undefined", t->name);
        return bad_ref;
    }
    if (*rest != '\0') {
        FILE_ERROR(c, f, t->pos, "type %s invalid (%s unmatched)", t->name,
            rest);
        return bad_ref;
    }
    if (export && !d->exported) {
        FILE_ERROR(c, f, t->pos, "type %s must be transitively exported",
            t->name);
        return bad_ref;
    }
    out.ok = true;
    out.r.type = d->type;
    out.r.node = d->node;
    return out;
}

/* A type literal: what may stand anywhere. */
static struct ref type_ref(struct ctx *c, struct file *f, struct builder *b,
    const struct ast_type *t, bool export)
{
    struct ref key = bad_ref, elem = bad_ref, out;

    if (t->kind == AST_NAMED)
        return named_ref(c, f, t, export);
    if (t->kind == AST_ARRAY || t->kind == AST_ENUM || t->kind == AST_STRUCT ||
        t->kind == AST_UNION) {
        FILE_ERROR(c, f, t->pos,
            "unnamed %s type invalid (type must be defined)",
            vdl_kind_name(kind_of(t->kind)));
        return bad_ref;
    }
    if (t->key != NULL)
        key = type_ref(c, f, b, t->key, export);
    if (t->elem != NULL)
        elem = type_ref(c, f, b, t->elem, export);
    if (key.ok != (t->key != NULL) || elem.ok != (t->elem != NULL))
        return bad_ref;
    if (t->kind == AST_OPTIONAL && !can_be_optional(b, elem.r)) {
        FILE_ERROR(c, f, t->pos, "invalid optional type \"%s\" (must be based "
            "on a named struct)", ast_type_text(c, t));
        return bad_ref;
    }
    if (key.ok && key.r.type != NULL && !vdl_type_can_be_key(key.r.type)) {
        FILE_ERROR(c, f, t->key->pos, "invalid key \"%s\" in \"%s\"",
            type_text(c, key.r.type), ast_type_text(c, t));
        return bad_ref;
    }
    out = unnamed_ref(c, b, kind_of(t->kind), key.r, elem.r);
    if (!out.ok)
        FILE_ERROR(c, f, t->pos, "invalid type \"%s\" (nested too deeply)",
            ast_type_text(c, t));
    return out;
}

const struct vdl_type *compile_type(struct ctx *c, struct file *f,
    const struct ast_type *t)
{
    /* Every name is finished, so no builder is needed. */
    return type_ref(c, f, NULL, t, false).r.type;
}

const struct vdl_type *compile_exported_type(struct ctx *c, struct file *f,
    const struct ast_type *t)
{
    const struct vdl_type *out = compile_type(c, f, t);

    if (out != NULL && !type_exported(out)) {
        FILE_ERROR(c, f, t->pos, "type must be transitively exported");
        return NULL;
    }
    return out;
}

/* ---- definitions --------------------------------------------------------- */

/* WireError and its retry code, which the library itself is built on. */
static const struct vdl_type *boot_type(const struct package *p,
    const char *name)
{
    if (strcmp(p->ir.path, "v.io/v23/vdl") != 0)
        return NULL;
    if (strcmp(name, "WireError") == 0)
        return &v23_verror_desc;
    return strcmp(name, "WireRetryCode") == 0 ? &v23_retry_desc : NULL;
}

/* Most members that a type may have. */
#define MEMBERS_MAX 65536

static void declare_members(struct ctx *c, struct file *f,
    const struct ast_typedef *def)
{
    const struct list *members = &def->type->members;
    const struct ast_field *m, *o;
    struct map seen = { 0 };
    const char *reason;
    size_t i;

    if (members->n > MEMBERS_MAX)
        FILE_ERROR(c, f, def->pos, "type %s has too many members", def->name);
    for (i = 0; i < members->n; i++) {
        m = members->v[i];
        reason = name_check(m->name, NAME_MEMBER);
        if (reason != NULL)
            FILE_ERROR(c, f, m->pos, "invalid %s name %s (%s)",
                m->type == NULL ? "enum label" : "field", m->name, reason);
        o = map_get(&seen, m->name);
        if (o != NULL)
            FILE_ERROR(c, f, m->pos,
                "\"%s\" has duplicate %s name \"%s\" (previous at %d:%d)",
                def->name, m->type == NULL ? "label" : "field", m->name,
                o->pos.line, o->pos.col);
        else
            map_put(c, &seen, m->name, members->v[i]);
    }
}

static void declare_types(struct ctx *c, struct package *p)
{
    size_t i, k;

    for (i = 0; i < p->files.n; i++) {
        struct file *f = p->files.v[i];

        for (k = 0; k < f->ast->types.n; k++) {
            const struct ast_typedef *def = f->ast->types.v[k];
            struct decl *d = declare(c, f, DECL_TYPE, "type", def->name,
                def->pos);

            if (d == NULL)
                continue;
            d->ast = def;
            d->node = (uint32_t)p->types.n;
            list_push(c, &p->types, d);
            declare_members(c, f, def);
        }
    }
}

static bool describe_members(struct builder *b, struct decl *d,
    const struct ast_type *t, uint32_t at)
{
    const struct ast_type *last = NULL;
    struct vdl_type_member *m;
    struct vdl_str *labels;
    bool ok = true;
    uint32_t i, n = (uint32_t)t->members.n;
    struct ref r = bad_ref;

    b->nodes[at].nmembers = n;
    if (t->kind == AST_ENUM) {
        labels = ctx_array(b->c, struct vdl_str, n);
        for (i = 0; i < n; i++)
            labels[i] = vdl_str(
                ((const struct ast_field *)t->members.v[i])->name);
        b->nodes[at].labels = labels;
        return true;
    }
    if (t->kind == AST_UNION && n == 0) {
        FILE_ERROR(b->c, d->file, t->pos, "%s invalid (no union fields)",
            d->name);
        return false;
    }
    m = ctx_array(b->c, struct vdl_type_member, n);
    for (i = 0; i < n; i++) {
        const struct ast_field *field = t->members.v[i];

        /* The fields of "A, B T" share one tree: report once. */
        if (field->type != last)
            r = type_ref(b->c, d->file, b, field->type, d->exported);
        last = field->type;
        ok = ok && r.ok;
        m[i].name = vdl_str(field->name);
        m[i].type = r.r;
    }
    b->nodes[at].members = m;
    return ok;
}

static bool describe_named(struct builder *b, struct decl *d,
    const struct ast_type *t, uint32_t at)
{
    struct ref r = type_ref(b->c, d->file, b, t, d->exported);
    struct file *f = d->file;

    if (!r.ok)
        return false;
    if (r.r.type == &vdl_error_desc) {
        FILE_ERROR(b->c, f, d->pos, "error cannot be renamed");
        return false;
    }
    if (r.r.type == &vdl_any_desc || r.r.type == &vdl_typeobject_desc) {
        FILE_ERROR(b->c, f, d->pos,
            "%s invalid (any and typeobject cannot be renamed)", d->name);
        return false;
    }
    b->nodes[at].renames = true;
    b->nodes[at].elem = r.r;
    if (r.r.type != NULL)
        b->nodes[at].kind = (enum vdl_kind)r.r.type->kind;
    return true;
}

/* Fill the node of one definition. */
static bool describe(struct builder *b, uint32_t at)
{
    struct decl *d = DEF(b, at);
    const struct ast_type *t = b->asts[at];
    struct file *f = d->file;
    struct ref key, elem;

    b->nodes[at].name = vdl_str(
        ctx_printf(b->c, "%s.%s", b->p->ir.path, d->name));
    b->nodes[at].kind = kind_of(t->kind);
    switch (t->kind) {
    case AST_NAMED:
        return describe_named(b, d, t, at);
    case AST_ENUM:
    case AST_STRUCT:
    case AST_UNION:
        return describe_members(b, d, t, at);
    case AST_OPTIONAL:
        FILE_ERROR(b->c, f, t->pos,
            "can't define type based on top-level optional");
        return false;
    default:
        break;
    }
    key = elem = bad_ref;
    if (t->key != NULL)
        key = type_ref(b->c, f, b, t->key, d->exported);
    if (t->elem != NULL)
        elem = type_ref(b->c, f, b, t->elem, d->exported);
    if (key.ok != (t->key != NULL) || elem.ok != (t->elem != NULL))
        return false;
    if (t->kind == AST_ARRAY && (t->len == 0 || t->len > ARRAY_MAX)) {
        FILE_ERROR(b->c, f, t->pos, "%s invalid (%s)", d->name,
            t->len == 0 ? "negative or zero array length"
                        : "array length too large");
        return false;
    }
    b->nodes[at].key = key.r;
    b->nodes[at].elem = elem.r;
    b->nodes[at].len = t->len;
    return true;
}

/* ---- rules over the graph ------------------------------------------------ */

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

/* ---- building ------------------------------------------------------------ */

static bool build(struct builder *b)
{
    const struct vdl_type *boot;
    struct decl *d;
    uint32_t i;
    int rc;

    b->out = ctx_array(b->c, const struct vdl_type *, b->n);
    rc = vdl_types_build(b->c->types, b->nodes, b->n, b->out);
    if (rc == V23_ENOMEM)
        ctx_must(rc);
    if (rc != 0) {
        ctx_fail(b->c, "package %s has invalid types (%s)", b->p->ir.path,
            v23_strerror(rc));
        return false;
    }
    for (i = 0; i < b->ndefs; i++) {
        d = DEF(b, i);
        boot = boot_type(b->p, d->name);
        if (boot != NULL && !vdl_type_equal(boot, b->out[i])) {
            FILE_ERROR(b->c, d->file, d->pos, "%s invalid (must be %s)",
                d->name, type_text(b->c, boot));
            return false;
        }
        /* Other packages refer to the library's own descriptor. */
        d->type = boot != NULL ? boot : b->out[i];
    }
    for (i = b->ndefs; i < b->n; i++) {
        if (find_unnamed(b->c, (enum vdl_kind)b->out[i]->kind, b->out[i]->key,
                b->out[i]->elem) == NULL)
            list_push(b->c, &b->c->unnamed, (void *)(uintptr_t)b->out[i]);
    }
    return true;
}

/* Definitions that a type refers to. */
static void add_edges(struct builder *b, struct toposort *sort,
    const char *from, const struct ast_type *t)
{
    size_t i;

    if (t == NULL)
        return;
    if (t->kind == AST_NAMED)
        topo_edge(b->c, sort, from, t->name);
    add_edges(b, sort, from, t->key);
    add_edges(b, sort, from, t->elem);
    for (i = 0; i < t->members.n; i++)
        add_edges(b, sort, from,
            ((const struct ast_field *)t->members.v[i])->type);
}

static const struct ir_doc *member_docs(struct ctx *c,
    const struct ast_type *t)
{
    struct ir_doc *docs;
    size_t i;

    if (t->members.n == 0)
        return NULL;
    docs = ctx_array(c, struct ir_doc, t->members.n);
    for (i = 0; i < t->members.n; i++)
        docs[i] = ((const struct ast_field *)t->members.v[i])->doc;
    return docs;
}

/* The package's types, dependencies first. */
static void finish(struct builder *b)
{
    struct toposort sort = { 0 };
    struct list sorted = { 0 };
    struct ir_typedef *out;
    const char *rest;
    uint32_t i;

    for (i = 0; i < b->ndefs; i++)
        topo_node(b->c, &sort, DEF(b, i)->name, DEF(b, i));
    for (i = 0; i < b->ndefs; i++)
        add_edges(b, &sort, DEF(b, i)->name, b->asts[i]);
    (void)topo_sort(b->c, &sort, &sorted, NULL);
    out = ctx_array(b->c, struct ir_typedef, b->ndefs);
    for (i = 0; i < b->ndefs; i++) {
        struct decl *d = sorted.v[i];
        const struct ast_typedef *def = d->ast;

        out[i].name = d->name;
        out[i].doc = def->doc;
        out[i].pos.file = d->file->base;
        out[i].pos.line = d->pos.line;
        out[i].pos.col = d->pos.col;
        out[i].type = b->out[d->node];
        if (def->type->kind == AST_NAMED)
            out[i].base = resolve_name(d->file, def->type->name,
                &rest)->type;
        out[i].members = member_docs(b->c, def->type);
    }
    b->p->ir.types = out;
    b->p->ir.ntypes = b->ndefs;
}

bool compile_types(struct ctx *c, struct package *p)
{
    int before = c->nerrors;
    struct builder b;
    bool ok = true;
    uint32_t i;

    declare_types(c, p);
    if (c->nerrors != before)
        return false;
    memset(&b, 0, sizeof(b));
    b.c = c;
    b.p = p;
    b.ndefs = (uint32_t)p->types.n;
    b.asts = ctx_array(c, const struct ast_type *, b.ndefs);
    for (i = 0; i < b.ndefs; i++) {
        (void)add_node(&b);
        b.asts[i] = ((const struct ast_typedef *)DEF(&b, i)->ast)->type;
    }
    for (i = 0; i < b.ndefs; i++)
        ok = describe(&b, i) && ok;
    if (!ok || !check_renames(&b) || !check_strict(&b))
        return false;
    for (i = 0; i < b.ndefs; i++)
        ok = check_keys(&b, DEF(&b, i), b.asts[i]) && ok;
    if (!ok || !build(&b))
        return false;
    finish(&b);
    return true;
}
