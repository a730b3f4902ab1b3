/* BSD-3-Clause; see LICENSE. */
/*
 * Types where they are used: built-in names, unnamed types, names.
 *
 * Every unnamed type exists once (unnamed_type), so that equal types have
 * equal descriptors.
 */
#include "types_int.h"

/* ---- built-in names ------------------------------------------------------ */

static const bool yes = true, no = false;
static const struct vdl_any nil = {NULL, NULL};

#define TYPE(n, t)                                                             \
    {                                                                          \
        .name = (n), .exported = true, .type = &(t)                            \
    }
#define CONSTANT(n, t, v)                                                      \
    {                                                                          \
        .kind = DECL_CONST, .name = (n), .exported = true, .value = {          \
            &(t),                                                              \
            &(v)                                                               \
        }                                                                      \
    }
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

/* What an unnamed type is found by. Descriptors do not move. */
static const char *unnamed_key(
    struct ctx *c, enum vdl_kind kind, const void *key, const void *elem)
{
    return ctx_printf(c, "%d %p %p", (int)kind, key, elem);
}

/* Those that the library has descriptors of. */
static const struct vdl_type *known_unnamed(
    enum vdl_kind kind, const struct vdl_type *key, const struct vdl_type *elem)
{
    static const struct vdl_type *const known[] = {&vdl_bytes_desc,
        &vdl_str_list_desc, &vdl_any_list_desc, &vdl_error_desc};
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i]->kind == kind && known[i]->elem == elem && key == NULL)
            return known[i];
    }
    return NULL;
}

void keep_unnamed(struct ctx *c, const struct vdl_type *t)
{
    const char *text = unnamed_key(c, (enum vdl_kind)t->kind, t->key, t->elem);

    if (map_get(&c->unnamed, text) == NULL)
        map_put(c, &c->unnamed, text, (void *)(uintptr_t)t);
}

const struct vdl_type *unnamed_type(struct ctx *c, enum vdl_kind kind,
    const struct vdl_type *key, const struct vdl_type *elem)
{
    const struct vdl_type *t = known_unnamed(kind, key, elem);
    struct vdl_type_node node;

    if (t == NULL)
        t = map_get(&c->unnamed, unnamed_key(c, kind, key, elem));
    if (t != NULL)
        return t;
    memset(&node, 0, sizeof(node));
    node.kind = kind;
    node.key.type = key;
    node.elem.type = elem;
    if (vdl_types_build(c->types, &node, 1, &t) != 0)
        return NULL;
    keep_unnamed(c, t);
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

static const struct ref bad_ref = {false, {NULL, 0}};

static const char *ref_key(struct ctx *c, struct vdl_type_ref r)
{
    return r.type != NULL ? ctx_printf(c, "%p", (const void *)r.type)
                          : ctx_printf(c, "%u", (unsigned)r.node);
}

struct vdl_type_node *add_node(struct builder *b)
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
    const char *text;
    void *found;

    out.ok = true;
    if ((!has_key || key.type != NULL) && (!has_elem || elem.type != NULL)) {
        out.r.type = unnamed_type(c, kind, key.type, elem.type);
        out.ok = out.r.type != NULL;
        return out;
    }
    text =
        ctx_printf(c, "%d %s %s", (int)kind, ref_key(c, key), ref_key(c, elem));
    found = map_get(&b->unnamed, text);
    if (found != NULL) {
        out.r.node = (uint32_t)(uintptr_t)found - 1;
        return out;
    }
    out.r.node = b->n;
    node = add_node(b);
    node->kind = kind;
    node->key = key;
    node->elem = elem;
    map_put(c, &b->unnamed, text, (void *)(uintptr_t)b->n);
    return out;
}

enum vdl_kind kind_of(enum ast_type_kind kind)
{
    static const enum vdl_kind kinds[] = {VDL_ANY, VDL_ARRAY, VDL_LIST,
        VDL_ENUM, VDL_SET, VDL_MAP, VDL_STRUCT, VDL_UNION, VDL_OPTIONAL};

    return kinds[kind];
}

/* Only a named struct can be optional. */
static bool can_be_optional(const struct builder *b, struct vdl_type_ref r)
{
    const struct vdl_type *t = r.type;
    uint32_t at;

    if (t == NULL) {
        if (r.node >= b->ndefs)
            return false;
        at = b->ends[r.node].node;
        t = b->ends[r.node].type;
        if (t == NULL)
            return b->asts[at]->kind == AST_STRUCT;
    }
    return vdl_type_can_be_optional(t);
}

static struct ref named_ref(
    struct ctx *c, struct file *f, const struct ast_type *t, bool export)
{
    struct ref out = bad_ref;
    const char *rest;
    const struct decl *d = resolve_name(f, t->name, &rest);

    if (d == NULL || d->kind != DECL_TYPE) {
        FILE_ERROR(c, f, t->pos, "type %s undefined", t->name);
        return bad_ref;
    }
    if (*rest != '\0') {
        FILE_ERROR(
            c, f, t->pos, "type %s invalid (%s unmatched)", t->name, rest);
        return bad_ref;
    }
    if (export && !d->exported) {
        FILE_ERROR(
            c, f, t->pos, "type %s must be transitively exported", t->name);
        return bad_ref;
    }
    out.ok = true;
    out.r.type = d->type;
    out.r.node = d->node;
    return out;
}

struct ref type_ref(struct ctx *c, struct file *f, struct builder *b,
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
        FILE_ERROR(c, f, t->pos,
            "invalid optional type \"%s\" (must be based "
            "on a named struct)",
            ast_type_text(c, t));
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

const struct vdl_type *compile_type(
    struct ctx *c, struct file *f, const struct ast_type *t)
{
    /* Every name is finished, so no builder is needed. */
    return type_ref(c, f, NULL, t, false).r.type;
}

const struct vdl_type *compile_exported_type(
    struct ctx *c, struct file *f, const struct ast_type *t)
{
    const struct vdl_type *out = compile_type(c, f, t);

    if (out != NULL && !type_exported(out)) {
        FILE_ERROR(c, f, t->pos, "type must be transitively exported");
        return NULL;
    }
    return out;
}
