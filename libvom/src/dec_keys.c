/* BSD-3-Clause; see LICENSE. */
/*
 * Decoder: sets and maps in which a key comes more than once; the last one
 * wins. Sorting takes n log n steps whatever keys a peer chooses, which no
 * hash without a secret would.
 */
#include "dec_int.h"

#include <vom/value.h>

#include "sort_int.h"

/* Up to this many keys are compared pair by pair. */
#define FEW 8

/* ---- order --------------------------------------------------------------- */

#define ORDER(T) \
    return (*(const T *)a > *(const T *)b) - (*(const T *)a < *(const T *)b)

/*
 * NaNs come last. They equal nothing, so two of them are out of order either
 * way, which does not matter: no others depend on the place of such keys.
 */
static int order_floats(double a, double b)
{
    if (a != a)
        return 1;
    return b != b ? -1 : (a > b) - (a < b);
}

static int compare(const struct vdl_type *t, const void *a, const void *b);

static int compare_parts(const struct vdl_type *t, const uint8_t *a,
    const uint8_t *b)
{
    uint32_t i, which;
    int c = 0;

    if (t->kind == VDL_ARRAY) {
        for (i = 0; c == 0 && i < t->count; i++)
            c = compare(t->elem, a + (size_t)i * t->elem->size,
                b + (size_t)i * t->elem->size);
        return c;
    }
    if (t->kind == VDL_STRUCT) {
        for (i = 0; c == 0 && i < t->count; i++)
            c = compare(t->fields[i].type, a + t->fields[i].offset,
                b + t->fields[i].offset);
        return c;
    }
    which = vdl_get_which(t, a);
    if (which != vdl_get_which(t, b))
        return which < vdl_get_which(t, b) ? -1 : 1;
    return compare(t->fields[which].type, a + t->fields[which].offset,
        b + t->fields[which].offset);
}

/* Texts in place. */
static int compare_views(
    const struct vdl_type *t, const void *a, const void *b)
{
    union vdl_view_ x, y;

    (void)t->ops->view(t, a, &x);
    (void)t->ops->view(t, b, &y);
    return compare(t->elem, &x, &y);
}

static int compare(const struct vdl_type *t, const void *a, const void *b)
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

/* ---- dropping ------------------------------------------------------------ */

struct table {
    const struct vdl_type *key;
    uint8_t *v;
    size_t stride;
    uint32_t n;
};

static const void *at(const struct table *t, uint32_t i)
{
    return t->v + i * t->stride;
}

static int by_key(const void *ctx, uint32_t i, uint32_t j)
{
    const struct table *t = ctx;

    return compare(t->key, at(t, i), at(t, j));
}

static void drop(struct table *t, uint32_t i)
{
    memmove(t->v + i * t->stride, t->v + (i + 1) * t->stride,
        (t->n - i - 1) * t->stride);
    t->n--;
}

static void unique_few(struct table *t)
{
    uint32_t i = 0, j;

    while (i + 1 < t->n) {
        for (j = i + 1; j < t->n && by_key(t, i, j) != 0; j++)
            ;
        if (j < t->n)
            drop(t, i);
        else
            i++;
    }
}

static bool ascending(const struct table *t)
{
    uint32_t i;

    for (i = 1; i < t->n; i++)
        if (by_key(t, i - 1, i) >= 0)
            return false;
    return true;
}

static void unique_many(struct table *t, uint32_t *work)
{
    uint32_t *order = vdl_sort_(work, t->n, by_key, t), *gone, i, k;

    gone = order == work ? work + t->n : work;
    memset(gone, 0, t->n * sizeof(*gone));
    for (k = 1; k < t->n; k++)
        if (by_key(t, order[k - 1], order[k]) == 0)
            gone[order[k - 1]] = 1;
    for (i = k = 0; i < t->n; i++) {
        if (gone[i] != 0)
            continue;
        if (k != i)
            memcpy(t->v + k * t->stride, t->v + i * t->stride, t->stride);
        k++;
    }
    t->n = k;
}

int vom_dec_unique_(struct vom_rd_ *r, const struct vdl_type *t,
    struct vdl_list *l, void *entries)
{
    struct table tab = { t->key, entries,
        t->kind == VDL_MAP ? t->stride : t->key->size, l->n };
    struct v23_arena_mark mark;
    void *work;
    int rc;

    if (tab.n <= FEW) {
        unique_few(&tab);
    } else if (!ascending(&tab)) {
        mark = v23_arena_mark(r->a);
        rc = vom_rd_get_(r, 2 * (size_t)tab.n, sizeof(uint32_t),
            V23_ALIGNOF(uint32_t), false, &work);
        if (rc != 0 && !r->bare)
            return rc;
        if (rc == 0)
            unique_many(&tab, work);
        else
            unique_few(&tab);
        v23_arena_rewind(r->a, mark);
    }
    l->n = tab.n;
    return 0;
}
