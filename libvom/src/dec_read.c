/* BSD-3-Clause; see LICENSE. */
/* Decoder: the steps that reading, converting and skipping values share. */
#include "dec_int.h"

int vom_rd_get_(struct vom_rd_ *r, size_t n, size_t size, size_t align,
    bool zero, void **out)
{
    size_t total;
    void *p = r->place;

    if (v23_mul_size(n, size, &total) != 0)
        return V23_ELIMIT;
    if (p != NULL) {
        vom_rd_unplace_(r);
        if (n > r->places)
            return V23_ECONVERT;
    } else {
        p = v23_arena_get(r->a, total, align);
    }
    if (p == NULL)
        return total > r->a->limit - r->a->used ? V23_ELIMIT : V23_ENOMEM;
    if (zero)
        memset(p, 0, total);
    *out = p;
    return 0;
}

int vom_rd_uint_(struct vom_rd_ *r, uint64_t *v)
{
    struct vom_got_ g = vom_get_uint_(r->p, r->end);

    if (g.p == NULL)
        return vom_get_uint_why_(r->p, r->end);
    r->p = g.p;
    *v = g.v;
    return 0;
}

int vom_rd_count_(struct vom_rd_ *r, size_t min, uint32_t *n)
{
    uint64_t v;
    size_t left;
    int rc = vom_rd_uint_(r, &v);

    if (rc != 0)
        return rc;
    left = (size_t)(r->end - r->p);
    if (v > VOM_LENGTH_MAX_ || v > (min == 1 ? left : left / min))
        return V23_ELENGTH;
    *n = (uint32_t)v;
    return 0;
}

int vom_rd_length_(struct vom_rd_ *r, uint32_t *n)
{
    return vom_rd_count_(r, 1, n);
}

int vom_rd_array_(struct vom_rd_ *r)
{
    if (r->p == r->end)
        return V23_EEOF;
    return *r->p++ == 0 ? 0 : V23_ELENGTH;
}

int vom_rd_nil_(struct vom_rd_ *r, bool *nil)
{
    if (r->p == r->end)
        return V23_EEOF;
    *nil = *r->p == VOM_NIL_;
    r->p += *nil;
    return 0;
}

int vom_rd_index_(struct vom_rd_ *r, uint32_t count, uint32_t *index)
{
    uint64_t v;
    int rc = vom_rd_uint_(r, &v);

    if (rc != 0)
        return rc;
    if (v >= count)
        return V23_EINDEX;
    *index = (uint32_t)v;
    return 0;
}

int vom_rd_field_(struct vom_rd_ *r, uint32_t count, uint32_t *index,
    bool *end)
{
    *end = r->p != r->end && *r->p == VOM_END_;
    if (!*end)
        return vom_rd_index_(r, count, index);
    r->p++;
    return 0;
}

int vom_rd_clear_(struct vom_rd_ *r, const struct vdl_type *t, void *v)
{
    if (t->size > r->again)
        return V23_ELIMIT;
    r->again -= t->size;
    vom_rd_reset_(t, v);
    return 0;
}


/* ---- least sizes --------------------------------------------------------- */

/*
 * Only arrays and unions lead further. After `steps` types the rest counts as
 * one byte, which is still a lower bound.
 */
static uint32_t least(const struct vdl_type *t, unsigned *steps)
{
    uint32_t best = UINT32_MAX, x, i;
    uint64_t total;

    if (*steps == 0)
        return 1;
    --*steps;
    if (t->kind == VDL_ARRAY) {
        x = t->elem->kind == VDL_BYTE ? 1 : least(t->elem, steps);
        total = 1 + (uint64_t)x * t->count;
        return total > UINT32_MAX ? UINT32_MAX : (uint32_t)total;
    }
    if (t->kind != VDL_UNION)
        return 1;
    for (i = 0; i < t->count && best > 1; i++) {
        x = least(t->fields[i].type, steps);
        best = x < best ? x : best;
    }
    return best == UINT32_MAX ? best : best + 1;
}

size_t vom_rd_min_slow_(struct vom_rd_ *r, const struct vdl_type *t)
{
    struct vom_min_ *m;
    unsigned steps = 256;

    if (r->td == NULL)
        return least(t, &steps);
    m = &r->td->mins[(uintptr_t)t / 64 % VOM_MINS_];
    if (m->type != t) {
        m->type = t;
        m->min = least(t, &steps);
    }
    return m->min;
}

size_t vom_rd_min_entry_(struct vom_rd_ *r, const struct vdl_type *t)
{
    size_t key = vom_rd_min_(r, t->key), elem = vom_rd_min_(r, t->elem), sum;

    return v23_add_size(key, elem, &sum) == 0 ? sum : SIZE_MAX;
}
