/* BSD-3-Clause; see LICENSE. */
/*
 * Encoder: value messages and the two buffers they go to.
 *
 * The body is written straight into the output behind a guess of its header's
 * size, and moved if the guess was wrong. Type messages that come up while the
 * body of a single stream is being written wait in `late`, so that the move
 * makes room for them too.
 */
#include "enc_int.h"
#include "rep_int.h"

#include <vom/value.h>

int vom_u32s_add_(struct vom_u32s *l, const struct v23_alloc *al, uint32_t x)
{
    size_t room =
        l->more == NULL ? sizeof(l->small) / sizeof(*l->small) : l->cap;
    void *v = l->more;
    int rc;

    if (l->n == room) {
        rc = v23_reserve(
            al, &v, &l->cap, 2 * room, VOM_LENGTH_MAX_, sizeof(*l->more));
        if (rc != 0)
            return rc;
        if (l->more == NULL)
            memcpy(v, l->small, sizeof(l->small));
        l->more = v;
    }
    vom_u32s_(l)[l->n++] = x;
    return 0;
}

void vom_u32s_fini_(struct vom_u32s *l, const struct v23_alloc *al)
{
    v23_put(al, l->more);
    memset(l, 0, sizeof(*l));
}

/* ---- messages ------------------------------------------------------------ */

void vom_enc_init(
    struct vom_enc *e, struct vom_typeenc *types, struct v23_buf *out)
{
    memset(e, 0, sizeof(*e));
    e->types = types;
    e->out = out;
    v23_buf_init(&e->late, types->al, VOM_LENGTH_MAX_);
}

void vom_enc_fini(struct vom_enc *e)
{
    vom_u32s_fini_(&e->ids, e->types->al);
    vom_u32s_fini_(&e->lens, e->types->al);
    v23_buf_fini(&e->late);
}

static size_t list_size(struct vom_u32s *l)
{
    size_t size = vom_uint_size_(l->n), i;

    for (i = 0; i < l->n; i++)
        size += vom_uint_size_(vom_u32s_(l)[i]);
    return size;
}

static uint8_t *put_list(uint8_t *p, struct vom_u32s *l)
{
    size_t i;

    p = vom_put_exact_(p, l->n);
    for (i = 0; i < l->n; i++)
        p = vom_put_exact_(p, vom_u32s_(l)[i]);
    return p;
}

/* What precedes the body of a message, by static type. */
struct header {
    uint32_t id;
    uint32_t wire_id; /* the id as it is written */
    bool ids, lens, len;
    size_t at;   /* position of the message */
    size_t body; /* position of the body */
};

static inline bool is_bytes(const struct vdl_type *t)
{
    return t->kind <= VDL_LIST && t->elem->kind == VDL_BYTE;
}

static void plan_header(struct header *h, const struct vdl_type *t)
{
    h->lens = (t->flags & VDL_T_ANY) != 0;
    h->ids = h->lens || (t->flags & VDL_T_TYPEOBJECT) != 0;
    h->len = t->kind >= VDL_ARRAY ? !is_bytes(t)
                                  : t->kind <= VDL_OPTIONAL; /* or any */
}

/* Where the size of a type's last header is kept; not for built-in types. */
static inline uint8_t *hint_of(struct vom_typeenc *te, uint32_t id)
{
    return id < VOM_FIRST_USER_ID ? NULL
                                  : &te->types[id - VOM_FIRST_USER_ID].hint;
}

/* Bytes to leave for the header behind the id. */
static size_t guess(struct vom_enc *e, const struct header *h)
{
    size_t least = (size_t)h->ids + h->lens + h->len;
    const uint8_t *hint = hint_of(e->types, h->id);

    /* A wrong guess must not make a message fail that fits. */
    if (hint == NULL || *hint < least
        || vom_wr_most_(e->out) - e->out->n < 65536)
        return least;
    return *hint;
}

/* Put the header (and late type messages) before the body. */
static int finish(struct vom_enc *e, const struct header *h)
{
    struct v23_buf *b = e->out;
    size_t size = b->n - h->body, have = h->body - h->at, total, head = 0;
    uint8_t *p, *hint = hint_of(e->types, h->id);
    int rc;

    if (size > VOM_LENGTH_MAX_)
        return V23_ELIMIT;
    if (h->ids)
        head += list_size(&e->ids);
    if (h->lens)
        head += list_size(&e->lens);
    if (h->len)
        head += vom_uint_size_(size);
    total = e->late.n + vom_uint_size_(h->wire_id) + head;
    if (total > have) {
        rc = v23_buf_room(b, total - have);
        if (rc != 0)
            return rc;
    }
    p = b->p + h->at;
    if (total != have)
        memmove(p + total, p + have, size);
    b->n = h->at + total + size;
    if (e->late.n != 0)
        memcpy(p, e->late.p, e->late.n);
    p = vom_put_exact_(p + e->late.n, h->wire_id);
    if (h->ids)
        p = put_list(p, &e->ids);
    if (h->lens)
        p = put_list(p, &e->lens);
    if (h->len)
        vom_put_exact_(p, size);
    if (hint != NULL)
        *hint = head < 16 ? (uint8_t)head : 16;
    return 0;
}

/* The type of a message that holds v. */
static const struct vdl_type *message_type(
    const struct vdl_type *t, const void *v)
{
    if (t->kind != VDL_SPECIAL)
        return t;
    if (t->ops->message_type == NULL || t->ops->is_zero(t, v))
        return t->wire;
    return t->ops->message_type(v);
}

static uint8_t *put_body(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    if (t->kind == VDL_SPECIAL && t->ops->enc_message != NULL)
        return t->ops->enc_message(w, p, v);
    return vom_enc_value_(w, p, t, v);
}

static int message(struct vom_enc *e, const struct vdl_type *t, const void *v)
{
    const struct vdl_type *sent = message_type(t, v);
    struct vom_wr_ w;
    struct header h;
    uint8_t *p;
    int rc;

    if (!e->started)
        v23_buf_put_byte(e->out, VOM_VERSION);
    if (e->types->out == e->out)
        e->types->started = true; /* the stream's one version byte is out */
    plan_header(&h, sent);
    e->ids.n = 0;
    e->lens.n = 0;
    h.id = vom_typeenc_cached_(e->types, sent);
    if (h.id == 0) {
        rc = vom_typeenc_id_(e->types, sent, e->types->out, &h.id);
        if (rc != 0)
            return rc;
    }
    h.wire_id = h.id << 1; /* ids stay below 2^25 */
    p = vom_wr_init_(&w, e->out, e);
    w.typed = vom_enc_typed_;
    w.types_out = e->types->out == e->out ? &e->late : e->types->out;
    p = vom_wr_room_(&w, p, VOM_UINT_MAX_ + 16);
    if (p == NULL)
        return w.err;
    h.at = vom_wr_pos_(&w, p);
    p += vom_uint_size_(h.wire_id) + guess(e, &h);
    h.body = vom_wr_pos_(&w, p);
    p = put_body(&w, p, t, v);
    if (p == NULL)
        return w.err;
    rc = vom_wr_flush_(&w, p);
    return rc == 0 ? finish(e, &h) : rc;
}

int vom_encode(struct vom_enc *e, const struct vdl_type *t, const void *v)
{
    struct vom_typeenc *te = e->types;
    size_t values = e->out->n, types = te->out->n, ntypes = te->ntypes;
    bool started = te->started;
    const struct vdl_any *any;
    int rc;

    if (e->out->err != 0 || te->out->err != 0)
        return e->out->err != 0 ? e->out->err : te->out->err;
    while (t->kind == VDL_ANY) {
        any = v;
        if (any->type == NULL)
            break;
        t = any->type;
        v = any->val;
    }
    if (te->out == e->out && te->started)
        e->started = true;
    rc = message(e, t, v);
    if (e->late.n != 0 || e->late.err != 0)
        v23_buf_cut(&e->late, 0);
    if (rc == 0) {
        e->started = true;
        te->kept = false;
        return 0;
    }
    v23_buf_cut(te->out, types);
    v23_buf_cut(e->out, values);
    te->started = started;
    vom_typeenc_rollback_(te, ntypes);
    return rc;
}

int vom_encode_single(const struct v23_alloc *al, const struct vdl_type *t,
    const void *v, struct v23_buf *out)
{
    struct vom_typeenc te;
    struct vom_enc e;
    int rc;

    vom_typeenc_init(&te, al, out);
    vom_enc_init(&e, &te, out);
    rc = vom_encode(&e, t, v);
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
    return rc;
}
