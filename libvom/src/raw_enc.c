/* BSD-3-Clause; see LICENSE. */
/*
 * Raw values: writing them (spec/vom.md 10). As a message of its own a value
 * brings its lists along; inside another value its bytes are copied up to each
 * reference to its own lists, which becomes one to the lists of the message
 * being written.
 */
#include <vom/raw.h>

#include "dec_int.h"
#include "raw_int.h"

/* ---- a message ----------------------------------------------------------- */

static int put_lists(struct vom_wr_ *w, const struct vom_raw *raw)
{
    struct vom_enc *e = w->e;
    uint32_t i, id;
    int rc = 0;

    for (i = 0; rc == 0 && i < raw->nids; i++) {
        rc = vom_enc_type_id_(w, raw->ids[i], &id);
        if (rc == 0)
            rc = vom_u32s_add_(&e->ids, e->types->al, id);
    }
    for (i = 0; rc == 0 && i < raw->nlens; i++)
        rc = vom_u32s_add_(&e->lens, e->types->al, raw->lens[i]);
    return rc;
}

uint8_t *vom_raw_enc_message_(struct vom_wr_ *w, uint8_t *p, const void *v)
{
    const struct vom_raw *raw = v;
    int rc;

    w->set = raw->type != NULL;
    if (raw->type == NULL)
        return vom_wr_nil_(w, p);
    rc = put_lists(w, raw);
    return rc != 0 ? vom_wr_fail_(w, rc)
                   : vom_wr_bytes_(w, p, raw->data, raw->ndata);
}

/* ---- inside another value ------------------------------------------------ */

struct move {
    struct vom_move_ base;
    struct vom_wr_ *w;
    uint8_t *p;                    /* where writing goes on */
    const uint8_t *from;           /* what is not copied yet */
    struct vom_any_place_ *places; /* of the anys being copied */
    uint32_t nplaces, places_cap;
};

static struct move *move_of(struct vom_move_ *m)
{
    return (struct move *)(void *)m;
}

/* Copy up to `to`; go on from `next`. */
static int copy_to(struct move *m, const uint8_t *to, const uint8_t *next)
{
    m->p = vom_wr_bytes_(m->w, m->p, m->from, (size_t)(to - m->from));
    m->from = next;
    return m->p == NULL ? m->w->err : 0;
}

static int push(struct move *m, const struct vom_any_place_ *place)
{
    size_t cap = m->places_cap;
    void *v = m->places;
    int rc = v23_reserve(m->w->e->types->al, &v, &cap, m->nplaces + 1,
        VOM_ENC_DEPTH_, sizeof(*m->places));

    if (rc != 0)
        return rc;
    m->places = v;
    m->places_cap = (uint32_t)cap;
    m->places[m->nplaces++] = *place;
    return 0;
}

static int move_any(struct vom_move_ *base, const struct vom_rd_ *r,
    const uint8_t *at, const struct vdl_type *t)
{
    struct move *m = move_of(base);
    struct vom_any_place_ place;
    int rc = copy_to(m, at, r->p);

    if (rc != 0)
        return rc;
    m->p = vom_enc_any_head_(m->w, m->p, t, &place);
    return m->p == NULL ? m->w->err : push(m, &place);
}

static int move_any_end(struct vom_move_ *base, const struct vom_rd_ *r)
{
    struct move *m = move_of(base);
    int rc = copy_to(m, r->p, r->p);

    if (rc != 0)
        return rc;
    m->p = vom_enc_any_end_(m->w, m->p, &m->places[--m->nplaces]);
    return m->p == NULL ? m->w->err : 0;
}

static int move_type(struct vom_move_ *base, const struct vom_rd_ *r,
    const uint8_t *at, const struct vdl_type *t)
{
    struct move *m = move_of(base);
    int rc = copy_to(m, at, r->p);

    if (rc != 0)
        return rc;
    m->p = vom_enc_type_(m->w, m->p, t);
    return m->p == NULL ? m->w->err : 0;
}

/* Skip the value with copying. */
static int walk(struct move *m, struct vom_rd_ *r, const struct vom_raw *raw)
{
    struct vom_typedec td;
    int rc;

    memset(&td, 0, sizeof(td));
    td.opt.lax_any_lengths = true;
    r->td = &td;
    r->p = raw->data;
    r->end = raw->data + raw->ndata;
    r->depth = m->w->depth;
    r->move = &m->base;
    m->from = r->p;
    rc = vom_dec_skip_(r, raw->type);
    if (rc == 0 && r->p != r->end)
        rc = V23_ELENGTH;
    return rc == 0 ? copy_to(m, r->p, r->p) : rc;
}

static uint8_t *rewrite(
    struct vom_wr_ *w, uint8_t *p, const struct vom_raw *raw)
{
    const struct v23_alloc *al = w->e->types->al;
    struct move m = {
        .base = {move_any, move_any_end, move_type}, .w = w, .p = p};
    struct vom_listed_ *listed = NULL;
    struct vom_rd_ r;
    uint32_t i;
    int rc;

    memset(&r, 0, sizeof(r));
    r.nids = raw->nids;
    r.nlens = raw->nlens;
    r.ids = r.few_ids;
    r.lens = (uint32_t *)(uintptr_t)raw->lens; /* only read */
    if (raw->nids > VOM_RD_LISTED_) {
        r.ids = listed = v23_get0(al, raw->nids, sizeof(*listed));
        if (listed == NULL)
            return vom_wr_fail_(w, V23_ENOMEM);
    }
    for (i = 0; i < raw->nids; i++)
        r.ids[i].type = raw->ids[i];
    rc = walk(&m, &r, raw);
    v23_put(al, listed);
    v23_put(al, m.places);
    return rc == 0 ? m.p : vom_wr_fail_(w, rc);
}

uint8_t *vom_raw_enc_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    const struct vom_raw *raw = v;
    struct vom_any_place_ place;

    (void)t;
    if (raw->type == NULL) {
        w->set = false;
        return vom_wr_nil_(w, p);
    }
    p = vom_enc_any_head_(w, p, raw->type, &place);
    if (p == NULL)
        return NULL;
    if ((raw->type->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) == 0)
        p = vom_wr_bytes_(w, p, raw->data, raw->ndata);
    else
        p = rewrite(w, p, raw);
    w->set = true;
    return p == NULL ? NULL : vom_enc_any_end_(w, p, &place);
}
