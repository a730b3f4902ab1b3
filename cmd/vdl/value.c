/* BSD-3-Clause; see LICENSE. */
/*
 * Values in their C representation, and conversion between constants and
 * values.
 */
#include <vom/value.h>

#include "compile.h"
#include "constant.h"

/* Longest text of a value in a message, bytes. */
#define TEXT_MAX 1000

void *value_get(struct ctx *c, size_t size)
{
    if (size > VALUE_SIZE_MAX || size > VALUES_SIZE_MAX - c->value_bytes)
        return NULL;
    c->value_bytes += size;
    return ctx_get(c, size);
}

void *value_zero(struct ctx *c, const struct vdl_type *t)
{
    return value_get(c, t->size);
}

bool same_type(const struct vdl_type *a, const struct vdl_type *b)
{
    return a == b || vdl_type_equal(a, b);
}

static bool is_nil(struct vdl_any v)
{
    return v.type->kind == VDL_ANY &&
           ((const struct vdl_any *)v.val)->type == NULL;
}

bool value_assignable(const struct vdl_type *t, struct vdl_any v)
{
    return t->kind == VDL_ANY || same_type(t, v.type) ||
           (t->kind == VDL_OPTIONAL && is_nil(v));
}

void value_store(const struct vdl_type *t, void *dst, struct vdl_any v)
{
    if (same_type(t, v.type))
        memcpy(dst, v.val, t->size);
    else if (t->kind == VDL_ANY)
        memcpy(dst, &v, sizeof(v));
    else
        memset(dst, 0, t->size); /* nil */
}

static const char *format(struct ctx *c, struct vdl_any v, size_t max)
{
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, NULL, max);
    rc = vdl_format(v.type, v.val, true, &b);
    if (rc == V23_ENOMEM)
        ctx_must(rc);
    v23_buf_cut(&b, b.n);
    if (rc != 0) { /* what fits */
        b.max = SIZE_MAX;
        v23_buf_puts(&b, "...");
    }
    return ctx_take(c, &b);
}

const char *value_text(struct ctx *c, struct vdl_any v)
{
    return format(c, v, TEXT_MAX);
}

const char *value_whole_text(struct ctx *c, struct vdl_any v)
{
    return format(c, v, SIZE_MAX);
}

struct constant constant_of(struct ctx *c, struct vdl_any v)
{
    struct constant out;
    const struct vdl_list *l = v.val;

    memset(&out, 0, sizeof(out));
    out.type = v.type;
    switch (v.type->kind) {
    case VDL_BOOL:
        out.rep = REP_BOOL;
        out.b = *(const bool *)v.val;
        break;
    case VDL_STRING:
        out.rep = REP_STRING;
        out.s = *(const struct vdl_str *)v.val;
        break;
    case VDL_BYTE:
    case VDL_UINT16:
    case VDL_UINT32:
    case VDL_UINT64:
        out.rep = REP_INTEGER;
        out.i = bn_u64(c, vdl_get_uint(v.type, v.val));
        break;
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        out.rep = REP_INTEGER;
        out.i = bn_i64(c, vdl_get_int(v.type, v.val));
        break;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        out.rep = REP_RATIONAL;
        out.r = rat_double(c, vdl_get_float(v.type, v.val));
        break;
    default:
        out.rep = REP_VALUE;
        out.v = v.val;
        if (!vdl_type_is_bytes(v.type))
            break;
        out.rep = REP_STRING;
        out.s = v.type->kind == VDL_LIST ? vdl_strn(l->v, l->n)
                                         : vdl_strn(v.val, v.type->count);
        break;
    }
    if (v.type == &vdl_bool_desc || v.type == &vdl_string_desc)
        out.type = NULL;
    return out;
}

/* Numbers fit: constant_convert() has checked the range. */
static void put_number(struct ctx *c, const struct constant *x,
    const struct vdl_type *t, void *dst)
{
    uint64_t u = 0;
    int64_t i = 0;

    if (x->rep == REP_RATIONAL) {
        vdl_set_float(t, dst, rat_to_double(c, x->r));
    } else if (t->kind >= VDL_INT8 && t->kind <= VDL_INT64) {
        (void)bn_to_i64(x->i, &i);
        vdl_set_int(t, dst, i);
    } else {
        (void)bn_to_u64(x->i, &u);
        vdl_set_uint(t, dst, u);
    }
}

static const char *put_string(struct ctx *c, const struct constant *x,
    const struct vdl_type *t, void *dst)
{
    struct vdl_list l;

    if (t->kind == VDL_ARRAY) {
        if (t->count != x->s.n)
            return ctx_printf(c, "%u bytes are a different length than %s",
                (unsigned)x->s.n, type_text(c, t));
        memcpy(dst, x->s.p, x->s.n);
    } else if (t->kind == VDL_LIST) {
        l.v = x->s.p;
        l.n = x->s.n;
        memcpy(dst, &l, sizeof(l));
    } else {
        memcpy(dst, &x->s, sizeof(x->s));
    }
    return NULL;
}

const char *constant_value(
    struct ctx *c, const struct constant *x, struct vdl_any *out)
{
    const struct vdl_type *t = x->type;
    void *v;

    if (t == NULL && x->rep == REP_BOOL)
        t = &vdl_bool_desc;
    if (t == NULL && x->rep == REP_STRING)
        t = &vdl_string_desc;
    if (t == NULL)
        return ctx_printf(c, "%s must be assigned a type",
            x->rep == REP_INTEGER ? bn_text(c, x->i) : rat_text(c, x->r));
    out->type = t;
    out->val = x->v;
    if (x->rep == REP_VALUE)
        return NULL;
    v = value_zero(c, t);
    if (v == NULL)
        return "value too large";
    out->val = v;
    if (x->rep == REP_BOOL)
        *(bool *)v = x->b;
    else if (x->rep == REP_STRING)
        return put_string(c, x, t, v);
    else
        put_number(c, x, t, v);
    return NULL;
}
