/* BSD-3-Clause; see LICENSE. */
/*
 * Scalars, zero test and equality of values.
 *
 * Recursion follows the nesting of values and stops at VDL_VALUE_DEPTH; the
 * zero test only follows parts held inline, whose nesting the type bounds.
 */
#include <vom/value.h>

#include "value_int.h"

/* ---- scalars ------------------------------------------------------------- */

uint64_t vdl_get_uint(const struct vdl_type *t, const void *v)
{
    switch (t->size) {
    case 1:
        return *(const uint8_t *)v;
    case 2:
        return *(const uint16_t *)v;
    case 4:
        return *(const uint32_t *)v;
    default:
        return *(const uint64_t *)v;
    }
}

int64_t vdl_get_int(const struct vdl_type *t, const void *v)
{
    switch (t->size) {
    case 1:
        return *(const int8_t *)v;
    case 2:
        return *(const int16_t *)v;
    case 4:
        return *(const int32_t *)v;
    default:
        return *(const int64_t *)v;
    }
}

double vdl_get_float(const struct vdl_type *t, const void *v)
{
    if (t->kind == VDL_FLOAT32)
        return (double)*(const float *)v;
    return *(const double *)v;
}

void vdl_set_uint(const struct vdl_type *t, void *v, uint64_t x)
{
    switch (t->size) {
    case 1:
        *(uint8_t *)v = (uint8_t)x;
        break;
    case 2:
        *(uint16_t *)v = (uint16_t)x;
        break;
    case 4:
        *(uint32_t *)v = (uint32_t)x;
        break;
    default:
        *(uint64_t *)v = x;
        break;
    }
}

void vdl_set_int(const struct vdl_type *t, void *v, int64_t x)
{
    vdl_set_uint(t, v, (uint64_t)x);
}

void vdl_set_float(const struct vdl_type *t, void *v, double x)
{
    if (t->kind == VDL_FLOAT32)
        *(float *)v = (float)x;
    else
        *(double *)v = x;
}

uint32_t vdl_get_enum(const struct vdl_type *t, const void *v)
{
    return t->count > 256 ? *(const uint16_t *)v : *(const uint8_t *)v;
}

void vdl_set_enum(const struct vdl_type *t, void *v, uint32_t label)
{
    if (t->count > 256)
        *(uint16_t *)v = (uint16_t)label;
    else
        *(uint8_t *)v = (uint8_t)label;
}

/* A union begins with its selector, which is laid out like an enum. */
uint32_t vdl_get_which(const struct vdl_type *t, const void *v)
{
    return vdl_get_enum(t, v);
}

void vdl_set_which(const struct vdl_type *t, void *v, uint32_t field)
{
    vdl_set_enum(t, v, field);
}

/* ---- zero ---------------------------------------------------------------- */

static bool zero_array(const struct vdl_type *t, const void *v)
{
    uint32_t i;

    for (i = 0; i < t->count; i++)
        if (!vdl_is_zero(t->elem, vdl_at_(v, (size_t)i * t->elem->size)))
            return false;
    return true;
}

static bool zero_struct(const struct vdl_type *t, const void *v)
{
    uint32_t i;

    for (i = 0; i < t->count; i++)
        if (!vdl_is_zero(t->fields[i].type, vdl_at_(v, t->fields[i].offset)))
            return false;
    return true;
}

bool vdl_is_zero(const struct vdl_type *t, const void *v)
{
    const struct vdl_type *type;

    switch (t->kind) {
    case VDL_ANY:
        return ((const struct vdl_any *)v)->type == NULL;
    case VDL_OPTIONAL:
        return *(const void *const *)v == NULL;
    case VDL_BOOL:
        return !*(const bool *)v;
    case VDL_FLOAT32:
        return !(*(const float *)v < 0 || *(const float *)v > 0) &&
               *(const float *)v == *(const float *)v;
    case VDL_FLOAT64:
        return !(*(const double *)v < 0 || *(const double *)v > 0) &&
               *(const double *)v == *(const double *)v;
    case VDL_STRING:
        return ((const struct vdl_str *)v)->n == 0;
    case VDL_ENUM:
        return vdl_get_enum(t, v) == 0;
    case VDL_TYPEOBJECT:
        type = *(const struct vdl_type *const *)v;
        return type == NULL || type->kind == VDL_ANY;
    case VDL_ARRAY:
        return zero_array(t, v);
    case VDL_LIST:
    case VDL_SET:
    case VDL_MAP:
        return ((const struct vdl_list *)v)->n == 0;
    case VDL_STRUCT:
        return zero_struct(t, v);
    case VDL_SPECIAL:
        return t->ops->is_zero(t, v);
    case VDL_UNION:
        return vdl_get_which(t, v) == 0 &&
               vdl_is_zero(t->fields[0].type, vdl_at_(v, t->fields[0].offset));
    default:
        return vdl_get_uint(t, v) == 0;
    }
}

/* ---- equality ------------------------------------------------------------ */

static bool equal(
    const struct vdl_type *t, const void *a, const void *b, unsigned depth);

static bool equal_floats(double a, double b)
{
    return a <= b && a >= b;
}

static bool equal_types(const struct vdl_type *a, const struct vdl_type *b)
{
    return vdl_type_equal(
        a == NULL ? &vdl_any_desc : a, b == NULL ? &vdl_any_desc : b);
}

/* Content held otherwise than plain any holds it. */
static bool is_other_any(const struct vdl_type *t)
{
    return t != NULL && t->kind == VDL_SPECIAL && t->wire->kind == VDL_ANY;
}

static bool equal_any(const struct vdl_any *a, const struct vdl_any *b,
    unsigned depth)
{
    if (is_other_any(a->type))
        return a->type->ops->equal(a->type, a->val, b->type, b->val);
    if (is_other_any(b->type))
        return b->type->ops->equal(b->type, b->val, a->type, a->val);
    if (a->type == NULL || b->type == NULL)
        return a->type == b->type;
    return vdl_type_same_layout(a->type, b->type)
        && equal(a->type, a->val, b->val, depth);
}

static bool equal_elems(const struct vdl_type *elem, size_t stride, uint32_t n,
    const void *a, const void *b, unsigned depth)
{
    uint32_t i;

    for (i = 0; i < n; i++)
        if (!equal(elem, vdl_at_(a, i * stride), vdl_at_(b, i * stride), depth))
            return false;
    return true;
}

static bool equal_entry(
    const struct vdl_type *t, const void *a, const void *b, unsigned depth)
{
    if (!equal(t->key, a, b, depth))
        return false;
    return t->kind == VDL_SET || equal(t->elem, vdl_at_(a, t->val_off),
                                     vdl_at_(b, t->val_off), depth);
}

/* Every entry of a is one of b; the same order on both sides is fast. */
static bool equal_sets(const struct vdl_type *t, const struct vdl_list *a,
    const struct vdl_list *b, unsigned depth)
{
    size_t stride = t->stride;
    uint32_t i, j = 0, k;

    if (a->n != b->n)
        return false;
    for (i = 0; i < a->n; i++) {
        for (k = 0; k < b->n; k++, j++) {
            if (j == b->n)
                j = 0;
            if (equal_entry(t, vdl_at_(a->v, i * stride),
                    vdl_at_(b->v, j * stride), depth))
                break;
        }
        if (k == b->n)
            return false;
        j++;
        if (j == b->n)
            j = 0;
    }
    return true;
}

static bool equal_struct(
    const struct vdl_type *t, const void *a, const void *b, unsigned depth)
{
    const struct vdl_field *f = t->fields;
    uint32_t i;

    for (i = 0; i < t->count; i++)
        if (!equal(f[i].type, vdl_at_(a, f[i].offset), vdl_at_(b, f[i].offset),
                depth))
            return false;
    return true;
}

static bool equal_union(
    const struct vdl_type *t, const void *a, const void *b, unsigned depth)
{
    uint32_t which = vdl_get_which(t, a);
    const struct vdl_field *f;

    if (which != vdl_get_which(t, b) || which >= t->count)
        return false;
    f = &t->fields[which];
    return equal(f->type, vdl_at_(a, f->offset), vdl_at_(b, f->offset), depth);
}

static bool equal_optional(
    const struct vdl_type *t, const void *a, const void *b, unsigned depth)
{
    const void *x = *(const void *const *)a, *y = *(const void *const *)b;

    if (x == NULL || y == NULL)
        return x == y;
    return equal(t->elem, x, y, depth);
}

static bool equal_lists(const struct vdl_type *t, const struct vdl_list *a,
    const struct vdl_list *b, unsigned depth)
{
    if (a->n != b->n)
        return false;
    if (t->elem->kind == VDL_BYTE)
        return a->n == 0 || memcmp(a->v, b->v, a->n) == 0;
    return equal_elems(t->elem, t->stride, a->n, a->v, b->v, depth);
}

static bool equal(
    const struct vdl_type *t, const void *a, const void *b, unsigned depth)
{
    if (depth++ == VDL_VALUE_DEPTH)
        return false;
    switch (t->kind) {
    case VDL_ANY:
        return equal_any(a, b, depth);
    case VDL_OPTIONAL:
        return equal_optional(t, a, b, depth);
    case VDL_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        return equal_floats(vdl_get_float(t, a), vdl_get_float(t, b));
    case VDL_STRING:
        return vdl_str_eq(
            *(const struct vdl_str *)a, *(const struct vdl_str *)b);
    case VDL_ENUM:
        return vdl_get_enum(t, a) == vdl_get_enum(t, b);
    case VDL_TYPEOBJECT:
        return equal_types(*(const struct vdl_type *const *)a,
            *(const struct vdl_type *const *)b);
    case VDL_ARRAY:
        return equal_elems(t->elem, t->elem->size, t->count, a, b, depth);
    case VDL_LIST:
        return equal_lists(t, a, b, depth);
    case VDL_SET:
    case VDL_MAP:
        return equal_sets(t, a, b, depth);
    case VDL_STRUCT:
        return equal_struct(t, a, b, depth);
    case VDL_UNION:
        return equal_union(t, a, b, depth);
    case VDL_SPECIAL:
        return t->ops->equal(t, a, t, b);
    default:
        return vdl_get_uint(t, a) == vdl_get_uint(t, b);
    }
}

bool vdl_equal(const struct vdl_type *t, const void *a, const void *b)
{
    return equal(t, a, b, 0);
}

bool vdl_any_equal(struct vdl_any a, struct vdl_any b)
{
    return equal_any(&a, &b, 0);
}
