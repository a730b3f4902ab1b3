/* BSD-3-Clause; see LICENSE. */
/*
 * Evaluating constant expressions (spec/vdl.md 7.4, 7.5).
 *
 * An expression whose context has a type takes it when it has none itself:
 * literals, composite literals and bare enum labels. Depth is bounded by the
 * parser.
 */
#include <vom/value.h>

#include "eval.h"

/* ---- names --------------------------------------------------------------- */

/* The label of an enum type as a constant. */
static const char *eval_label(struct ctx *c, const struct vdl_type *t,
    const char *label, struct constant *out)
{
    struct vdl_any v;
    void *p;
    int i;

    if (t->kind != VDL_ENUM)
        return ctx_printf(c, "invalid selector on type of kind: %s",
            vdl_kind_name((enum vdl_kind)t->kind));
    i = vdl_type_label_index(t, vdl_str(label));
    if (i < 0)
        return ctx_printf(c, "invalid label on enum %.*s: %s", (int)t->name.n,
            t->name.p, label);
    p = value_zero(c, t);
    vdl_set_enum(t, p, (uint32_t)i);
    v.type = t;
    v.val = p;
    *out = constant_of(c, v);
    return NULL;
}

/* ".A.B" of a struct constant. */
static const char *eval_fields(
    struct ctx *c, struct vdl_any v, const char *rest, struct constant *out)
{
    const struct vdl_field *field;
    size_t n;
    int i;

    for (; *rest != '\0'; rest += 1 + n) {
        n = strcspn(rest + 1, ".");
        if (v.type->kind != VDL_STRUCT)
            return ctx_printf(c, "invalid selector on const of kind: %s",
                vdl_kind_name((enum vdl_kind)v.type->kind));
        i = vdl_type_field_index(v.type, vdl_strn(rest + 1, n));
        if (i < 0)
            return ctx_printf(c, "invalid field name on struct %s: %.*s",
                value_text(c, v), (int)n, rest + 1);
        field = &v.type->fields[i];
        v.val = (const char *)v.val + field->offset;
        v.type = field->type;
    }
    *out = constant_of(c, v);
    return NULL;
}

static bool eval_name(struct ctx *c, struct file *f,
    const struct vdl_type *implicit, const struct ast_expr *e,
    struct constant *out)
{
    const char *rest, *why;
    const struct decl *d = resolve_name(f, e->text.s, &rest);

    if (d != NULL && d->kind == DECL_CONST && d->failed)
        return false; /* reported there */
    if (d != NULL && d->kind == DECL_CONST && d->value.type != NULL)
        why = eval_fields(c, d->value, rest, out);
    else if (d != NULL && d->kind == DECL_TYPE && *rest == '\0')
        why = ctx_printf(c, "%s is a type", e->text.s);
    else if (d != NULL && d->kind == DECL_TYPE)
        why = eval_label(c, d->type, rest + 1, out);
    else
        why = ctx_printf(c, "%s undefined", e->text.s);
    if (why == NULL)
        return true;
    if (implicit != NULL && eval_label(c, implicit, e->text.s, out) == NULL)
        return true;
    FILE_ERROR(c, f, e->pos, "const %s invalid (%s)", e->text.s, why);
    return false;
}

/* ---- the other expressions ----------------------------------------------- */

/* An index: any constant that converts to uint64, typed or not. */
bool eval_index(struct ctx *c, struct file *f, const char *what,
    const struct ast_expr *e, uint64_t *out)
{
    struct constant x, y;
    const char *why;

    if (!eval(c, f, &vdl_uint64_desc, e, &x))
        return false;
    why = constant_convert(c, &x, &vdl_uint64_desc, &y);
    if (why != NULL) {
        FILE_ERROR(c, f, e->pos, "invalid %s (%s)", what, why);
        return false;
    }
    (void)bn_to_u64(y.i, out);
    return true;
}

static bool eval_element(struct ctx *c, struct file *f, struct vdl_any base,
    const struct ast_expr *e, struct constant *out)
{
    const struct vdl_list *l = base.val;
    const struct vdl_type *t = base.type;
    const char *v = t->kind == VDL_ARRAY ? base.val : l->v;
    uint32_t n = t->kind == VDL_ARRAY ? t->count : l->n;
    size_t size = t->kind == VDL_ARRAY ? t->elem->size : t->stride;
    struct vdl_any item;
    uint64_t i;

    if (!eval_index(c, f,
            ctx_printf(c, "%s index", vdl_kind_name((enum vdl_kind)t->kind)),
            e->r, &i))
        return false;
    if (i >= n) {
        FILE_ERROR(
            c, f, e->r->pos, "index %llu out of range", (unsigned long long)i);
        return false;
    }
    item.type = t->elem;
    item.val = v + i * size;
    *out = constant_of(c, item);
    return true;
}

static bool eval_entry(struct ctx *c, struct file *f, struct vdl_any base,
    const struct ast_expr *e, struct constant *out)
{
    const struct vdl_list *l = base.val;
    const struct vdl_type *t = base.type;
    struct vdl_any key, item;
    const char *at = l->v;
    uint32_t i;

    if (!compile_const(c, f, "map key", t->key, e->r, &key))
        return false;
    for (i = 0; i < l->n; i++, at += t->stride) {
        if (!vdl_equal(t->key, at, key.val))
            continue;
        item.type = t->elem;
        item.val = at + t->val_off;
        *out = constant_of(c, item);
        return true;
    }
    FILE_ERROR(
        c, f, e->r->pos, "map key %s not found in map", value_text(c, key));
    return false;
}

static bool eval_indexed(struct ctx *c, struct file *f,
    const struct ast_expr *e, struct constant *out)
{
    struct vdl_any base;

    if (!compile_const(c, f, "const", NULL, e->l, &base))
        return false;
    if (base.type->kind == VDL_ARRAY || base.type->kind == VDL_LIST)
        return eval_element(c, f, base, e, out);
    if (base.type->kind == VDL_MAP)
        return eval_entry(c, f, base, e, out);
    FILE_ERROR(
        c, f, e->pos, "illegal use of index operator with unsupported type");
    return false;
}

static bool eval_typeobject(struct ctx *c, struct file *f,
    const struct ast_expr *e, struct constant *out)
{
    const struct vdl_type *t = compile_type(c, f, e->type), **p;
    struct vdl_any v;

    if (t == NULL)
        return false;
    p = ctx_new(c, const struct vdl_type *);
    *p = t == &vdl_any_desc ? NULL : t;
    v.type = &vdl_typeobject_desc;
    v.val = p;
    *out = constant_of(c, v);
    return true;
}

static bool eval_literal(struct ctx *c, struct file *f,
    const struct ast_expr *e, struct constant *out)
{
    memset(out, 0, sizeof(*out));
    if (e->kind == AST_STRING) {
        out->rep = REP_STRING;
        out->s = vdl_strn(e->text.s, e->text.len);
        return true;
    }
    if (e->kind == AST_INTEGER) {
        out->rep = REP_INTEGER;
        out->i = bn_parse(c, e->text.s);
    } else {
        out->rep = REP_RATIONAL;
        out->r = rat_parse(c, e->text.s);
    }
    if (out->i != NULL || out->r.num != NULL)
        return true;
    FILE_ERROR(c, f, e->pos, "constant too large");
    return false;
}

static bool eval_operator(struct ctx *c, struct file *f,
    const struct ast_expr *e, struct constant *out)
{
    struct constant x, y;
    const char *why;
    bool ok = eval(c, f, NULL, e->l, &x);

    if (e->kind == AST_BINARY)
        ok = eval(c, f, NULL, e->r, &y) && ok;
    if (!ok)
        return false;
    why = e->kind == AST_BINARY ? constant_binary(c, e->op, &x, &y, out)
                                : constant_unary(c, e->op, &x, out);
    if (why == NULL)
        return true;
    FILE_ERROR(c, f, e->pos, "%s %s invalid (%s)",
        e->kind == AST_BINARY ? "binary" : "unary", ast_op_text(e->op), why);
    return false;
}

static bool eval_conversion(struct ctx *c, struct file *f,
    const struct ast_expr *e, struct constant *out)
{
    const struct vdl_type *t = compile_type(c, f, e->type);
    struct constant x;
    const char *why;

    if (!eval(c, f, NULL, e->l, &x) || t == NULL)
        return false;
    why = constant_convert(c, &x, t, out);
    if (why == NULL)
        return true;
    FILE_ERROR(c, f, e->pos, "invalid type conversion (%s)", why);
    return false;
}

bool eval(struct ctx *c, struct file *f, const struct vdl_type *implicit,
    const struct ast_expr *e, struct constant *out)
{
    switch (e->kind) {
    case AST_STRING:
    case AST_INTEGER:
    case AST_RATIONAL:
        return eval_literal(c, f, e, out);
    case AST_NAME:
        return eval_name(c, f, implicit, e, out);
    case AST_COMPOSITE:
        return eval_composite(c, f, implicit, e, out);
    case AST_INDEX:
        return eval_indexed(c, f, e, out);
    case AST_CONVERT:
        return eval_conversion(c, f, e, out);
    case AST_TYPEOBJECT:
        return eval_typeobject(c, f, e, out);
    case AST_UNARY:
    case AST_BINARY:
        return eval_operator(c, f, e, out);
    }
    return false;
}

/* ---- final values -------------------------------------------------------- */

static bool is_optional_of(const struct vdl_type *a, const struct vdl_type *b)
{
    return a->kind == VDL_OPTIONAL && same_type(a->elem, b);
}

bool compile_const(struct ctx *c, struct file *f, const char *what,
    const struct vdl_type *implicit, const struct ast_expr *e,
    struct vdl_any *out)
{
    struct constant x, y;
    const char *why = NULL;

    if (!eval(c, f, implicit, e, &x))
        return false;
    /* Only untyped constants, and T for ?T or the reverse, are converted. */
    if (implicit != NULL &&
        (x.type == NULL || is_optional_of(implicit, x.type) ||
            is_optional_of(x.type, implicit))) {
        why = constant_convert(c, &x, implicit, &y);
        x = y;
    }
    if (why == NULL)
        why = constant_value(c, &x, out);
    if (why != NULL) {
        FILE_ERROR(c, f, e->pos, "invalid %s (%s)", what, why);
        return false;
    }
    if (implicit != NULL && !value_assignable(implicit, *out)) {
        FILE_ERROR(c, f, e->pos, "invalid %s (%s not assignable from %s)", what,
            type_text(c, implicit), value_text(c, *out));
        return false;
    }
    return true;
}
