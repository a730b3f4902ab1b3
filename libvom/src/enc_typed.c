/* BSD-3-Clause; see LICENSE. */
/*
 * Encoder: any and typeobject (spec/vom.md 6, 7). Apart from the other values,
 * so that a program whose types hold neither does not link what gives ids.
 */
#include "enc_int.h"
#include "rep_int.h"

int vom_enc_type_id_(
    struct vom_wr_ *w, const struct vdl_type *t, uint32_t *id)
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

uint8_t *vom_enc_type_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t)
{
    struct vom_enc *e = w->e;
    const uint32_t *ids;
    uint32_t id;
    size_t i;
    int rc = vom_enc_type_id_(w, t, &id);

    if (rc != 0)
        return vom_wr_fail_(w, rc);
    ids = vom_u32s_(&e->ids);
    for (i = 0; i < e->ids.n && ids[i] != id; i++)
        ;
    if (i == e->ids.n)
        rc = vom_u32s_add_(&e->ids, e->types->al, id);
    return rc != 0 ? vom_wr_fail_(w, rc) : vom_wr_uint_(w, p, i);
}

uint8_t *vom_enc_any_head_(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_type *t, struct vom_any_place_ *place)
{
    struct vom_enc *e = w->e;
    int rc;

    p = vom_enc_type_(w, p, t);
    if (p == NULL)
        return NULL;
    place->entry = e->lens.n;
    rc = vom_u32s_add_(&e->lens, e->types->al, 0);
    if (rc != 0)
        return vom_wr_fail_(w, rc);
    p = vom_wr_uint_(w, p, place->entry);
    if (p != NULL)
        place->start = vom_wr_pos_(w, p);
    return p;
}

uint8_t *vom_enc_any_end_(
    struct vom_wr_ *w, uint8_t *p, const struct vom_any_place_ *place)
{
    size_t size = vom_wr_pos_(w, p) - place->start;

    if (size > VOM_LENGTH_MAX_)
        return vom_wr_fail_(w, V23_ELIMIT);
    vom_u32s_(&w->e->lens)[place->entry] = (uint32_t)size;
    return p;
}

/* Content that is not nil and of the type's normal form. */
static uint8_t *enc_any(struct vom_wr_ *w, uint8_t *p, const struct vdl_any *a)
{
    struct vom_any_place_ place;

    p = vom_enc_any_head_(w, p, a->type, &place);
    if (p != NULL)
        p = vom_enc_value_(w, p, a->type, a->val);
    return p == NULL ? NULL : vom_enc_any_end_(w, p, &place);
}

uint8_t *vom_enc_typed_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    const struct vdl_any *a;

    if (t->kind == VDL_TYPEOBJECT) {
        t = *(const struct vdl_type *const *)v;
        w->set = t != NULL && t->kind != VDL_ANY;
        return vom_enc_type_(w, p, w->set ? t : &vdl_any_desc);
    }
    /* An any holds no any: the innermost counts. */
    for (a = v; a->type != NULL && a->type->kind == VDL_ANY; a = a->val)
        ;
    if (a->type == NULL) {
        w->set = false;
        return vom_wr_nil_(w, p);
    }
    if (vdl_wire_(a->type)->kind == VDL_ANY)
        return a->type->ops->enc(w, p, a->type, a->val);
    p = enc_any(w, p, a);
    w->set = true;
    return p;
}
