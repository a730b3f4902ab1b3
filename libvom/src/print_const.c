/* BSD-3-Clause; see LICENSE. */
/*
 * Values as VDL constants. Recursion follows the nesting of values and stops
 * at VDL_VALUE_DEPTH.
 */
#include "print_int.h"

static int put_untyped(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth);
static int put_typed(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth);

int vdl_print_scalar_(
    const struct vdl_type *t, const void *v, struct v23_buf *out)
{
    if (t->kind != VDL_FLOAT32)
        return vdl_format_literal_(t, v, out);
    vdl_format_float_(out, vdl_get_float(t, v), true);
    return 0;
}

int vdl_print_special_(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth,
    int (*put)(
        struct v23_buf *, const struct vdl_type *, const void *, unsigned))
{
    union vdl_view_ view;
    struct v23_arena a;
    const void *opened;
    int rc;

    if (t->ops->view != NULL)
        return t->ops->view(t, v, &view) ? put(out, t->elem, &view, depth)
                                      : V23_EARG;
    v23_arena_init(&a, out->al, SIZE_MAX);
    rc = t->ops->open(t, v, &a, &opened);
    if (rc == 0)
        rc = put(out, t->wire, opened, depth);
    v23_arena_fini(&a);
    return rc;
}

static int put_elems(struct v23_buf *out, const struct vdl_type *elem,
    uint32_t n, const void *v, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(out, '{');
    for (i = 0; i < n && rc == 0; i++) {
        if (i != 0)
            v23_buf_puts(out, ", ");
        rc = put_untyped(out, elem, vdl_at_(v, (size_t)i * elem->size), depth);
    }
    v23_buf_put_byte(out, '}');
    return rc;
}

static int put_entries(struct v23_buf *out, const struct vdl_type *t,
    const struct vdl_list *l, unsigned depth)
{
    uint32_t *order, i;
    const void *entry;
    int rc = vdl_key_order_(out->al, t, l, &order);

    v23_buf_put_byte(out, '{');
    for (i = 0; i < l->n && rc == 0; i++) {
        entry = vdl_at_(l->v, (size_t)order[i] * t->stride);
        if (i != 0)
            v23_buf_puts(out, ", ");
        rc = put_untyped(out, t->key, entry, depth);
        if (rc != 0 || t->kind == VDL_SET)
            continue;
        v23_buf_puts(out, ": ");
        rc = put_untyped(out, t->elem, vdl_at_(entry, t->val_off), depth);
    }
    v23_buf_put_byte(out, '}');
    v23_put(out->al, order);
    return rc;
}

static int put_field(struct v23_buf *out, const struct vdl_field *f,
    const void *v, unsigned depth)
{
    v23_buf_put_str(out, f->name);
    v23_buf_puts(out, ": ");
    return put_untyped(out, f->type, vdl_at_(v, f->offset), depth);
}

static int put_struct(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    const struct vdl_field *f;
    bool first = true;
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(out, '{');
    for (i = 0; i < t->count && rc == 0; i++) {
        f = &t->fields[i];
        if (vdl_is_zero(f->type, vdl_at_(v, f->offset)))
            continue;
        if (!first)
            v23_buf_puts(out, ", ");
        first = false;
        rc = put_field(out, f, v, depth);
    }
    v23_buf_put_byte(out, '}');
    return rc;
}

static int put_union(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    uint32_t which = vdl_get_which(t, v);
    int rc;

    if (which >= t->count)
        return V23_EARG;
    v23_buf_put_byte(out, '{');
    rc = put_field(out, &t->fields[which], v, depth);
    v23_buf_put_byte(out, '}');
    return rc;
}

static int put_typeobject(struct v23_buf *out, const struct vdl_type *t)
{
    int rc;

    v23_buf_puts(out, "typeobject(");
    rc = vdl_print_type(t, out);
    v23_buf_put_byte(out, ')');
    return rc;
}

static int put_optional(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    const void *content = *(const void *const *)v;

    if (content != NULL)
        return put_untyped(out, t->elem, content, depth);
    v23_buf_puts(out, "nil");
    return 0;
}

static int put_any(
    struct v23_buf *out, const struct vdl_any *any, unsigned depth)
{
    if (any->type != NULL)
        return vdl_wire_(any->type)->kind == VDL_ANY
                   ? put_untyped(out, any->type, any->val, depth)
                   : put_typed(out, any->type, any->val, depth);
    v23_buf_puts(out, "nil");
    return 0;
}

static int put_array(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    if (!vdl_is_zero(t, v))
        return put_elems(out, t->elem, t->count, v, depth);
    v23_buf_puts(out, "{}");
    return 0;
}

static int put_untyped(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    const struct vdl_list *l = v;

    if (out->err != 0)
        return out->err;
    if (depth++ == VDL_VALUE_DEPTH)
        return V23_ELIMIT;
    if (vdl_type_is_bytes(t))
        return vdl_print_scalar_(t, v, out);
    switch (t->kind) {
    case VDL_ANY:
        return put_any(out, v, depth);
    case VDL_OPTIONAL:
        return put_optional(out, t, v, depth);
    case VDL_TYPEOBJECT:
        return put_typeobject(out, *(const struct vdl_type *const *)v);
    case VDL_ARRAY:
        return put_array(out, t, v, depth);
    case VDL_LIST:
        return put_elems(out, t->elem, l->n, l->v, depth);
    case VDL_SET:
    case VDL_MAP:
        return put_entries(out, t, l, depth);
    case VDL_STRUCT:
        return put_struct(out, t, v, depth);
    case VDL_UNION:
        return put_union(out, t, v, depth);
    case VDL_SPECIAL:
        return vdl_print_special_(out, t, v, depth, put_untyped);
    default:
        return vdl_print_scalar_(t, v, out);
    }
}

/* How a value's type is put before it. */
enum form {
    BARE,   /* not at all */
    PREFIX, /* T{…} */
    DOT,    /* T.Label */
    PARENS  /* T(…) */
};

static enum form form_of(const struct vdl_type *t, const void *v)
{
    switch (t->kind) {
    case VDL_TYPEOBJECT:
        return BARE;
    case VDL_BOOL:
    case VDL_STRING:
        return t->name.n == 0 ? BARE : PARENS;
    case VDL_ENUM:
        return DOT;
    case VDL_OPTIONAL:
        return *(const void *const *)v == NULL ? PARENS : PREFIX;
    case VDL_ARRAY:
    case VDL_LIST:
        return vdl_type_is_bytes(t) ? PARENS : PREFIX;
    case VDL_SET:
    case VDL_MAP:
    case VDL_STRUCT:
    case VDL_UNION:
        return PREFIX;
    default:
        return PARENS;
    }
}

static int put_typed(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    enum form form;
    int rc = 0;

    if (t->kind == VDL_SPECIAL)
        return vdl_print_special_(out, t, v, depth, put_typed);
    form = form_of(t, v);
    if (form != BARE)
        rc = vdl_print_type(t, out);
    if (rc != 0)
        return rc;
    if (form == DOT || form == PARENS)
        v23_buf_put_byte(out, form == DOT ? '.' : '(');
    rc = put_untyped(out, t, v, depth);
    if (form == PARENS)
        v23_buf_put_byte(out, ')');
    return rc;
}

int vdl_print_const(
    const struct vdl_type *t, const void *v, struct v23_buf *out)
{
    size_t start = out->n;
    int rc = put_typed(out, t, v, 0);

    if (rc == 0)
        rc = out->err;
    if (rc != 0)
        out->n = start;
    return rc;
}

int vdl_print_any(struct vdl_any any, struct v23_buf *out)
{
    size_t start = out->n;
    int rc = put_any(out, &any, 0);

    if (rc == 0)
        rc = out->err;
    if (rc != 0)
        out->n = start;
    return rc;
}
