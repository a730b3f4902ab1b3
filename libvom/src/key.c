/* BSD-3-Clause; see LICENSE. */
/* Keys of sets and maps: their order, and finding an entry. */
#include <vom/value.h>

#include "rep_int.h"
#include "sort_int.h"

#include <string.h>

#define ORDER(T) \
    return (*(const T *)a > *(const T *)b) - (*(const T *)a < *(const T *)b)

/*
 * Two NaNs are out of order either way, which does not matter: no others depend
 * on the place of such keys.
 */
static int order_floats(double a, double b)
{
    if (a != a)
        return 1;
    return b != b ? -1 : (a > b) - (a < b);
}

static int compare_parts(const struct vdl_type *t, const uint8_t *a,
    const uint8_t *b)
{
    uint32_t i, which;
    int c = 0;

    if (t->kind == VDL_ARRAY) {
        for (i = 0; c == 0 && i < t->count; i++)
            c = vdl_key_cmp(t->elem, a + (size_t)i * t->elem->size,
                b + (size_t)i * t->elem->size);
        return c;
    }
    if (t->kind == VDL_STRUCT) {
        for (i = 0; c == 0 && i < t->count; i++)
            c = vdl_key_cmp(t->fields[i].type, a + t->fields[i].offset,
                b + t->fields[i].offset);
        return c;
    }
    which = vdl_get_which(t, a);
    if (which != vdl_get_which(t, b))
        return which < vdl_get_which(t, b) ? -1 : 1;
    return vdl_key_cmp(t->fields[which].type, a + t->fields[which].offset,
        b + t->fields[which].offset);
}

/* Texts in place. */
static int compare_views(
    const struct vdl_type *t, const void *a, const void *b)
{
    union vdl_view_ x, y;

    (void)t->ops->view(t, a, &x);
    (void)t->ops->view(t, b, &y);
    return vdl_key_cmp(t->elem, &x, &y);
}

int vdl_key_cmp(const struct vdl_type *t, const void *a, const void *b)
{
    switch (t->kind) {
    case VDL_BOOL:
        ORDER(bool);
    case VDL_BYTE:
        ORDER(uint8_t);
    case VDL_UINT16:
        ORDER(uint16_t);
    case VDL_UINT32:
        ORDER(uint32_t);
    case VDL_UINT64:
        ORDER(uint64_t);
    case VDL_INT8:
        ORDER(int8_t);
    case VDL_INT16:
        ORDER(int16_t);
    case VDL_INT32:
        ORDER(int32_t);
    case VDL_INT64:
        ORDER(int64_t);
    case VDL_FLOAT32:
        return order_floats((double)*(const float *)a,
            (double)*(const float *)b);
    case VDL_FLOAT64:
        return order_floats(*(const double *)a, *(const double *)b);
    case VDL_STRING:
        return vdl_str_cmp(*(const struct vdl_str *)a,
            *(const struct vdl_str *)b);
    case VDL_ENUM:
        return (int)vdl_get_enum(t, a) - (int)vdl_get_enum(t, b);
    case VDL_SPECIAL:
        return compare_views(t, a, b);
    default:
        return compare_parts(t, a, b);
    }
}

/* ---- sets and maps ------------------------------------------------------- */

static size_t stride(const struct vdl_type *t)
{
    return t->kind == VDL_MAP ? t->stride : t->key->size;
}

const void *vdl_find(const struct vdl_type *t, const void *v, const void *key)
{
    const struct vdl_list *l = v;
    const uint8_t *p = l->v;
    uint32_t i;

    for (i = 0; i < l->n; i++, p += stride(t))
        if (vdl_key_cmp(t->key, p, key) == 0)
            return p;
    return NULL;
}

const void *vdl_find_sorted(const struct vdl_type *t, const void *v,
    const void *key)
{
    const struct vdl_list *l = v;
    const uint8_t *p;
    uint32_t lo = 0, hi = l->n, mid;
    int c;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        p = (const uint8_t *)l->v + mid * stride(t);
        c = vdl_key_cmp(t->key, p, key);
        if (c == 0)
            return p;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

struct entries {
    const struct vdl_type *type;
    const uint8_t *v;
};

static int by_key(const void *ctx, uint32_t i, uint32_t j)
{
    const struct entries *e = ctx;

    return vdl_key_cmp(e->type->key, e->v + i * stride(e->type),
        e->v + j * stride(e->type));
}

int vdl_sort(struct v23_arena *a, const struct vdl_type *t, void *v)
{
    struct vdl_list *l = v;
    struct entries e = { t, l->v };
    size_t size = stride(t), i;
    struct v23_arena_mark before = v23_arena_mark(a), mark;
    uint32_t *work, *order;
    uint8_t *sorted;

    if (l->n < 2)
        return 0;
    sorted = v23_arena_get0(a, l->n, size, 16);
    mark = v23_arena_mark(a);
    work = v23_arena_get0(a, 2 * (size_t)l->n, sizeof(*work),
        V23_ALIGNOF(uint32_t));
    if (sorted == NULL || work == NULL) {
        v23_arena_rewind(a, before);
        return V23_ENOMEM;
    }
    order = vdl_sort_(work, l->n, by_key, &e);
    for (i = 0; i < l->n; i++)
        memcpy(sorted + i * size, e.v + order[i] * size, size);
    v23_arena_rewind(a, mark);
    l->v = sorted;
    return 0;
}
