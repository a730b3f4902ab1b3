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

    return vdl_key_cmp(t->key, at(t, i), at(t, j));
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
