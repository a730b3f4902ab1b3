/* BSD-3-Clause; see LICENSE. */
/*
 * Decoder: any and typeobject (spec/vom.md 6, 7). Apart from the other values,
 * so that a program whose types hold neither does not link what builds types.
 */
#include "dec_int.h"

int vom_rd_listed_(struct vom_rd_ *r, uint32_t i, const struct vdl_type **t)
{
    struct vom_listed_ *l = &r->ids[i];

    if (l->type == NULL)
        l->type = vom_typedec_lookup(r->td, l->id);
    *t = l->type;
    if (l->type != NULL)
        return 0;
    if (r->td->err != 0)
        return r->td->err;
    if (!r->split || l->id < VOM_FIRST_USER_ID)
        return V23_EID;
    r->waits = true;
    return V23_EAGAIN;
}

int vom_rd_type_(struct vom_rd_ *r, const struct vdl_type **t)
{
    uint32_t i;
    int rc = vom_rd_index_(r, r->nids, &i);

    return rc == 0 ? vom_rd_listed_(r, i, t) : rc;
}

int vom_rd_any_(struct vom_rd_ *r, const struct vdl_type **t, uint32_t *len)
{
    uint32_t i;
    int rc = vom_rd_type_(r, t);

    if (rc == 0)
        rc = vom_rd_index_(r, r->nlens, &i);
    if (rc == 0)
        *len = r->lens[i];
    return rc;
}

int vom_rd_any_end_(const struct vom_rd_ *r, const uint8_t *start,
    uint32_t len)
{
    if ((size_t)(r->p - start) != len && !r->td->opt.lax_any_lengths)
        return V23_ELENGTH;
    return 0;
}

int vom_rd_hold_(struct vom_rd_ *r)
{
    int rc = 0;

    if (!r->held && r->td->set != NULL)
        rc = v23_arena_hold(r->a, vdl_types_ref(r->td->set));
    r->held = true;
    return rc;
}

int vom_dec_any_(struct vom_rd_ *r, struct vdl_any *out)
{
    const struct vdl_type *t;
    const uint8_t *start;
    uint32_t len;
    bool nil;
    int rc = vom_rd_nil_(r, &nil);

    if (rc != 0 || nil)
        return rc;
    rc = vom_rd_any_(r, &t, &len);
    if (rc != 0)
        return rc;
    start = r->p;
    rc = t->kind == VDL_ANY ? vom_dec_same_(r, t, out)
                            : vom_dec_to_any_(r, t, out);
    return rc != 0 ? rc : vom_rd_any_end_(r, start, len);
}

static int dec_typeobject(struct vom_rd_ *r, const struct vdl_type **out)
{
    const struct vdl_type *t;
    int rc = vom_rd_type_(r, &t);

    if (rc == 0)
        rc = vom_rd_hold_(r);
    if (rc == 0)
        *out = t;
    return rc;
}

int vom_dec_typed_(struct vom_rd_ *r, const struct vdl_type *t, void *out)
{
    return t->kind == VDL_ANY ? vom_dec_any_(r, out) : dec_typeobject(r, out);
}
