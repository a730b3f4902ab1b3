/* BSD-3-Clause; see LICENSE. */
/*
 * Encoder: any and typeobject (spec/vom.md 6, 7). Apart from the other values,
 * so that a program whose types hold neither does not link what gives ids.
 */
#include "enc_int.h"

static int type_id(struct vom_wr_ *w, const struct vdl_type *t, uint32_t *id)
{
    uint32_t i;
    int rc;

    if (!vom_is_runtime_(t))
        return vom_typeenc_id_(w->e->types, t, w->types_out, id);
    for (i = 0; i < w->nrecent; i++) {
        if (w->recent[i].type == t) {
            *id = w->recent[i].id;
            return 0;
        }
    }
    rc = vom_typeenc_id_(w->e->types, t, w->types_out, id);
    if (rc == 0 && i < VOM_WR_RECENT_)
        w->recent[w->nrecent++] = (struct vom_typeid_slot){t, *id};
    return rc;
}

/* Write the index of a type in the message's type-id list. */
static uint8_t *enc_type(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t)
{
    struct vom_enc *e = w->e;
    const uint32_t *ids;
    uint32_t id;
    size_t i;
    int rc = type_id(w, t, &id);

    if (rc != 0)
        return vom_wr_fail_(w, rc);
    ids = vom_u32s_(&e->ids);
    for (i = 0; i < e->ids.n && ids[i] != id; i++)
        ;
    if (i == e->ids.n)
        rc = vom_u32s_add_(&e->ids, e->types->al, id);
    return rc != 0 ? vom_wr_fail_(w, rc) : vom_wr_uint_(w, p, i);
}

static uint8_t *enc_any(struct vom_wr_ *w, uint8_t *p, const struct vdl_any *a)
{
    struct vom_enc *e = w->e;
    size_t k = e->lens.n, start, size;
    int rc;

    p = enc_type(w, p, a->type);
    if (p == NULL)
        return NULL;
    rc = vom_u32s_add_(&e->lens, e->types->al, 0);
    if (rc != 0)
        return vom_wr_fail_(w, rc);
    p = vom_wr_uint_(w, p, k);
    if (p == NULL)
        return NULL;
    start = vom_wr_pos_(w, p);
    p = vom_enc_value_(w, p, a->type, a->val);
    if (p == NULL)
        return NULL;
    size = vom_wr_pos_(w, p) - start;
    if (size > VOM_LENGTH_MAX_)
        return vom_wr_fail_(w, V23_ELIMIT);
    vom_u32s_(&e->lens)[k] = (uint32_t)size;
    return p;
}

uint8_t *vom_enc_typed_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    const struct vdl_any *a;

    if (t->kind == VDL_TYPEOBJECT) {
        t = *(const struct vdl_type *const *)v;
        w->set = t != NULL && t->kind != VDL_ANY;
        return enc_type(w, p, w->set ? t : &vdl_any_desc);
    }
    /* An any holds no any: the innermost counts. */
    for (a = v; a->type != NULL && a->type->kind == VDL_ANY; a = a->val)
        ;
    if (a->type != NULL)
        p = enc_any(w, p, a);
    else if ((p = vom_wr_room_(w, p, 1)) != NULL)
        *p++ = VOM_NIL_;
    w->set = a->type != NULL;
    return p;
}
