/* BSD-3-Clause; see LICENSE. */
/* Values as VDL constants: with their types outside, without them inside. */
#include "print_int.h"

int vdl_print_scalar_(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    if (t->kind != VDL_FLOAT32)
        return vdl_format_literal_(t, v, p->out);
    vdl_format_float_(p->out, vdl_get_float(t, v), true);
    return 0;
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

static int put_typed(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    enum form form;
    int rc = 0;

    if (t->kind == VDL_SPECIAL)
        return vdl_print_special_(p, put_typed, NULL, t, v);
    form = form_of(t, v);
    if (form != BARE)
        rc = vdl_print_type(t, p->out);
    if (rc != 0)
        return rc;
    if (form == DOT || form == PARENS)
        v23_buf_put_byte(p->out, form == DOT ? '.' : '(');
    rc = vdl_print_part(p, t, v);
    if (form == PARENS)
        v23_buf_put_byte(p->out, ')');
    return rc;
}

static int put_any(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_any *any = v;

    (void)t;
    if (any->type == NULL) {
        v23_buf_puts(p->out, p->form->nil);
        return 0;
    }
    return vdl_wire_(any->type)->kind == VDL_ANY
               ? vdl_print_part(p, any->type, any->val)
               : put_typed(p, any->type, any->val);
}

/* An array of zeros is left out like the fields of a struct that are zero. */
static int put_whole(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    if (vdl_type_is_bytes(t))
        return vdl_print_scalar_(p, t, v);
    if (t->kind == VDL_ANY)
        return put_any(p, t, v);
    if (t->kind != VDL_ARRAY || !vdl_is_zero(t, v))
        return VDL_PARTS;
    v23_buf_puts(p->out, "{}");
    return 0;
}

static int put_scalar(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    int rc;

    if (t->kind != VDL_TYPEOBJECT)
        return vdl_print_scalar_(p, t, v);
    v23_buf_puts(p->out, "typeobject(");
    rc = vdl_print_type(*(const struct vdl_type *const *)v, p->out);
    v23_buf_put_byte(p->out, ')');
    return rc;
}

static const struct vdl_form constant = {
    .list = { "{", "}" },
    .set = { "{", "}" },
    .map = { "{", "}" },
    .fields = { "{", "}" },
    .field = { "{", "}" },
    .comma = ", ",
    .colon = ": ",
    .nil = "nil",
    .scalar = put_scalar,
    .whole = put_whole,
    .sort = vdl_sort_by_text_,
};

int vdl_print_const(
    const struct vdl_type *t, const void *v, struct v23_buf *out)
{
    struct vdl_printer p = { &constant, out, 0 };

    return vdl_print_with_(&p, put_typed, t, v);
}

int vdl_print_any(struct vdl_any any, struct v23_buf *out)
{
    struct vdl_printer p = { &constant, out, 0 };

    return vdl_print_with_(&p, put_any, &vdl_any_desc, &any);
}
