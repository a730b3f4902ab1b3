/* BSD-3-Clause; see LICENSE. */
/*
 * Raw values: reading them, and what the other sources do with one. A raw value
 * is walked once when it is taken, so its bytes are known to be well formed;
 * those that a program makes itself are checked whenever they are used.
 */
#include <vom/raw.h>

#include <vom/value.h>

#include "dec_int.h"
#include "raw_int.h"
#include "type_build_int.h"
#include "value_int.h"

static bool needs_lists(const struct vdl_type *t)
{
    return (t->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) != 0;
}

/* ---- taking -------------------------------------------------------------- */

/* Copy the message's lists to the arena, with the ids resolved. */
static int copy_lists(struct vom_rd_ *r, struct vom_raw *raw)
{
    const struct vdl_type **ids;
    uint32_t i;
    void *mem;
    int rc;

    rc = vom_rd_get_(
        r, r->nids, sizeof(*ids), V23_ALIGNOF(struct vdl_type *), false, &mem);
    ids = mem;
    for (i = 0; rc == 0 && i < r->nids; i++)
        rc = vom_rd_listed_(r, i, &ids[i]);
    if (rc == 0)
        rc = vom_rd_get_(
            r, r->nlens, sizeof(uint32_t), V23_ALIGNOF(uint32_t), false, &mem);
    if (rc != 0)
        return rc;
    if (r->nlens != 0)
        memcpy(mem, r->lens, r->nlens * sizeof(uint32_t));
    raw->ids = ids;
    raw->nids = r->nids;
    raw->lens = mem;
    raw->nlens = r->nlens;
    return 0;
}

/* All raw values of a message share one copy. */
static int get_lists(struct vom_rd_ *r, struct vom_raw *raw)
{
    struct vom_raw *first;
    int rc;

    if (r->raw == NULL) {
        first = v23_arena_new(r->a, struct vom_raw);
        if (first == NULL)
            return V23_ENOMEM;
        rc = copy_lists(r, first);
        if (rc != 0)
            return rc;
        r->raw = first;
    }
    raw->ids = r->raw->ids;
    raw->nids = r->raw->nids;
    raw->lens = r->raw->lens;
    raw->nlens = r->raw->nlens;
    return 0;
}

/* A value of type t that stands at r->p. */
static int take(
    struct vom_rd_ *r, const struct vdl_type *t, struct vom_raw *out)
{
    const uint8_t *start = r->p;
    struct vom_raw raw = {.type = t};
    void *data;
    int rc = vom_dec_skip_(r, t);

    if (rc == 0 && needs_lists(t))
        rc = get_lists(r, &raw);
    if (rc == 0)
        rc = vom_rd_get_(r, (size_t)(r->p - start), 1, 1, false, &data);
    if (rc == 0)
        rc = vom_rd_hold_(r);
    if (rc != 0)
        return rc;
    raw.ndata = (uint32_t)(r->p - start);
    memcpy(data, start, raw.ndata);
    raw.data = data;
    raw.types = r->td->set;
    *out = raw;
    return 0;
}

static int dec(struct vom_rd_ *r, const struct vdl_type *src,
    const struct vdl_type *t, void *out)
{
    const uint8_t *start;
    uint32_t len;
    bool nil;
    int rc;

    if (src->kind != VDL_ANY)
        return take(r, src, out);
    rc = vom_rd_nil_(r, &nil);
    if (rc != 0 || nil)
        return rc;
    rc = vom_rd_any_(r, &src, &len);
    if (rc != 0)
        return rc;
    start = r->p;
    rc = src->kind == VDL_ANY ? vom_dec_same_(r, t, out) : take(r, src, out);
    return rc == 0 ? vom_rd_any_end_(r, start, len) : rc;
}

/* ---- what a decoder makes of an any -------------------------------------- */

static int dec_raw(
    struct vom_rd_ *r, const struct vdl_type *t, struct vdl_any *out)
{
    struct vom_raw *raw = v23_arena_new(r->a, struct vom_raw);
    int rc;

    if (raw == NULL)
        return V23_ENOMEM;
    rc = take(r, t, raw);
    if (rc != 0)
        return rc;
    out->type = &vom_raw_desc;
    out->val = raw;
    return 0;
}

static int dec_known(
    struct vom_rd_ *r, const struct vdl_type *t, struct vdl_any *out)
{
    return (t->flags & VDL_T_BUILT_) != 0 ? dec_raw(r, t, out)
                                          : vom_dec_wrap_(r, t, out);
}

static int dec_none(
    struct vom_rd_ *r, const struct vdl_type *t, struct vdl_any *out)
{
    (void)out;
    return vom_dec_skip_(r, t);
}

const struct vom_any_mode vom_any_known = {dec_known};
const struct vom_any_mode vom_any_raw = {dec_raw};
const struct vom_any_mode vom_any_none = {dec_none};

/* ---- looking into one ---------------------------------------------------- */

/*
 * A raw value is decoded as a message on a stream of its own, on which entry i
 * of its list has the id 41 + i.
 */
static int define_types(struct vom_typedec *td, const struct vom_raw *raw)
{
    uint32_t i;

    td->defs = v23_get0(td->al, raw->nids + 1, sizeof(*td->defs));
    if (td->defs == NULL)
        return V23_ENOMEM;
    for (i = 0; i < raw->nids; i++) {
        td->defs[i].id = VOM_FIRST_USER_ID + i;
        td->defs[i].type = raw->ids[i];
    }
    td->ndefs = raw->nids;
    return 0;
}

/* Encoded lists of the message, one behind the other. */
static int put_lists(
    const struct vom_raw *raw, struct v23_buf *b, struct vom_msg *m)
{
    size_t nids;
    uint32_t i;

    for (i = 0; i < raw->nids; i++)
        vom_buf_put_uint(b, VOM_FIRST_USER_ID + i);
    nids = b->n;
    for (i = 0; i < raw->nlens; i++)
        vom_buf_put_uint(b, raw->lens[i]);
    if (b->err != 0)
        return b->err;
    m->ids = v23_bytes(b->p, nids);
    m->nids = raw->nids;
    m->lens = v23_bytes(b->p == NULL ? NULL : b->p + nids, b->n - nids);
    m->nlens = raw->nlens;
    return 0;
}

static int decode(struct vom_typedec *td, const struct vom_raw *raw,
    struct v23_arena *a, const struct vdl_type *t, void *out)
{
    static const uint8_t nil = VOM_NIL_;
    struct vom_msg m = {.type = raw->type};
    struct vom_dec d;
    struct v23_buf lists;
    int rc;

    if (raw->type == NULL) {
        m.type = &vdl_any_desc;
        m.body = v23_bytes(&nil, 1);
    } else {
        m.body = v23_bytes(raw->data, raw->ndata);
    }
    v23_buf_init(&lists, td->al, SIZE_MAX);
    rc = define_types(td, raw);
    if (rc == 0)
        rc = put_lists(raw, &lists, &m);
    if (rc == 0) {
        vom_dec_init(&d, NULL, td, false);
        rc = vom_dec_value(&d, &m, a, t, out);
        vom_dec_fini(&d);
    }
    v23_put(td->al, td->defs);
    v23_buf_fini(&lists);
    vom_plans_free_(td);
    return rc;
}

int vom_raw_decode_(const struct vom_raw *raw, const struct vom_options *opt,
    struct v23_arena *a, const struct vdl_type *t, void *out)
{
    struct vom_typedec td;

    memset(&td, 0, sizeof(td));
    td.ref.n = 1;
    td.al = vom_arena_alloc_(a);
    if (td.al == NULL)
        return V23_ENOMEM;
    td.in_arena = a->al == NULL;
    td.opt = *opt;
    td.opt.lax_any_lengths = true;
    td.set = raw->types;
    return decode(&td, raw, a, t, out);
}

/* ---- what other sources do with one -------------------------------------- */

static bool is_nil(const struct vdl_type *t, const void *v)
{
    (void)t;
    return ((const struct vom_raw *)v)->type == NULL;
}

static const struct vdl_type *content_type(const void *v)
{
    return ((const struct vom_raw *)v)->type;
}

static int open_any(const struct vdl_type *t, const void *v,
    struct v23_arena *a, const void **out)
{
    static const struct vom_options opt = {.limits = VOM_LIMITS_HOST};
    struct vdl_any *any = v23_arena_new(a, struct vdl_any);
    int rc;

    (void)t;
    if (any == NULL)
        return V23_ENOMEM;
    rc = vom_raw_decode_(v, &opt, a, NULL, any);
    if (rc == 0)
        *out = any;
    return rc;
}

/* A value of any type, or nil (t is NULL), as a plain any. */
static int to_any(const struct vdl_type *t, const void *v, struct v23_arena *a,
    struct vdl_any *out)
{
    const void *opened;
    int rc;

    if (t == &vom_raw_desc) {
        rc = open_any(t, v, a, &opened);
        if (rc == 0)
            *out = *(const struct vdl_any *)opened;
        return rc;
    }
    if (t != NULL && t->kind == VDL_ANY) {
        *out = *(const struct vdl_any *)v;
        return 0;
    }
    out->type = t;
    out->val = v;
    return 0;
}

static bool equal(const struct vdl_type *t, const void *v,
    const struct vdl_type *other_type, const void *other)
{
    struct vdl_any x, y;
    struct v23_arena a;
    bool same;

    v23_arena_init(&a, NULL, SIZE_MAX);
    same = to_any(t, v, &a, &x) == 0 &&
           to_any(other_type, other, &a, &y) == 0 && vdl_any_equal(x, y);
    v23_arena_fini(&a);
    return same;
}

static int copy(struct vdl_type_copier_ *c, const struct vdl_type *t, void *dst,
    const void *src)
{
    struct vom_raw raw = *(const struct vom_raw *)src;
    const struct vdl_type **ids;
    uint32_t *lens;
    uint32_t i;
    int rc = 0;

    (void)t;
    raw.types = NULL;
    if (raw.type != NULL)
        rc = vdl_copy_type_(c, raw.type, &raw.type);
    ids = v23_arena_get0(
        c->a, raw.nids, sizeof(*ids), V23_ALIGNOF(struct vdl_type *));
    lens =
        v23_arena_get0(c->a, raw.nlens, sizeof(*lens), V23_ALIGNOF(uint32_t));
    raw.data = v23_arena_dup(c->a, raw.data, raw.ndata);
    if (rc == 0 && (ids == NULL || lens == NULL || raw.data == NULL))
        rc = V23_ENOMEM;
    for (i = 0; rc == 0 && i < raw.nids; i++)
        rc = vdl_copy_type_(c, raw.ids[i], &ids[i]);
    if (rc != 0)
        return rc;
    if (raw.nlens != 0)
        memcpy(lens, raw.lens, raw.nlens * sizeof(*lens));
    raw.ids = ids;
    raw.lens = lens;
    *(struct vom_raw *)dst = raw;
    return 0;
}

static const struct vdl_rep_ops ops = {.enc = vom_raw_enc_,
    .message_type = content_type,
    .enc_message = vom_raw_enc_message_,
    .dec = dec,
    .is_zero = is_nil,
    .equal = equal,
    .copy = copy,
    .open = open_any};

const struct vdl_type vom_raw_desc = {.kind = VDL_SPECIAL,
    .rep = VDL_REP_RAW,
    .flags = VDL_T_ANY,
    .align = _Alignof(struct vom_raw),
    .size = sizeof(struct vom_raw),
    .ops = &ops,
    .wire = &vdl_any_desc};
