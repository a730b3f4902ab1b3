/* BSD-3-Clause; see LICENSE. */
/*
 * Messages to the page: hex of an id, a kind and a VOM stream (spec/wspr.md
 * 3.2, 3.3). Most streams are a string that is hex itself, so that each byte of
 * a payload becomes four characters, which are written at once.
 */
#include "vom_int.h"

#include <string.h>

#define KEEP_MAX 4096u
/* Type ids of []byte and string, as the int that begins a value message. */
#define BYTES_MESSAGE 0x4e
#define STRING_MESSAGE 0x06

void wspr_vom_trim_(struct v23_buf *b)
{
    if (b->cap > KEEP_MAX)
        v23_buf_fini(b);
    else
        v23_buf_cut(b, 0);
}

/* ---- text ---------------------------------------------------------------- */

static void put_uint(struct wspr_ctl *c, uint64_t v)
{
    uint8_t p[9];

    v23_hex_put(&c->out, p, vom_put_uint(p, v));
}

static void begin(struct wspr_ctl *c, int64_t id, unsigned type)
{
    put_uint(c, (uint32_t)id);
    put_uint(c, type);
}

/* A stream of one value of type string or []byte begins so. */
static void begin_value(struct wspr_ctl *c, uint8_t message, size_t n)
{
    uint8_t head[2] = { VOM_VERSION, message };

    v23_hex_put(&c->out, head, sizeof(head));
    put_uint(c, n);
}

/* Hex of hex: "8f" is '8' 'f', which is 38 66. */
static void put_twice(struct v23_buf *out, const uint8_t *p, size_t n)
{
    static const char pair[16][2] = { { '3', '0' }, { '3', '1' },
        { '3', '2' }, { '3', '3' }, { '3', '4' }, { '3', '5' }, { '3', '6' },
        { '3', '7' }, { '3', '8' }, { '3', '9' }, { '6', '1' }, { '6', '2' },
        { '6', '3' }, { '6', '4' }, { '6', '5' }, { '6', '6' } };
    uint8_t *to;
    size_t i;

    if (n > SIZE_MAX / 4 || v23_buf_room(out, 4 * n) != 0)
        return;
    to = out->p + out->n;
    for (i = 0; i < n; i++, to += 4) {
        memcpy(to, pair[p[i] >> 4], 2);
        memcpy(to + 2, pair[p[i] & 15], 2);
    }
    out->n += 4 * n;
}

static int send(struct wspr_ctl *c)
{
    int rc = c->out.err;

    wspr_ctl_send_(c);
    return rc;
}

/* ---- messages ------------------------------------------------------------ */

static int send_types(struct wspr_ctl *c, struct wspr_vom_ *v)
{
    if (v->te_out.n == 0)
        return 0;
    begin(c, 0, WSPR_S2C_TYPE_);
    begin_value(c, BYTES_MESSAGE, v->te_out.n);
    v23_hex_put(&c->out, v->te_out.p, v->te_out.n);
    if (c->out.err != 0) {
        v23_buf_cut(&c->out, 0);
        return V23_ENOMEM; /* they go with the next message */
    }
    v23_buf_fini(&v->te_out); /* rare after the first calls */
    return send(c);
}

static int send_payload(struct wspr_ctl *c, int64_t id, unsigned type)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);

    begin(c, id, type);
    begin_value(c, STRING_MESSAGE, 2 * v->payload.n);
    put_twice(&c->out, v->payload.p, v->payload.n);
    wspr_vom_trim_(&v->payload);
    return send(c);
}

/* The value as pages know it. */
static int bridge(struct wspr_vom_ *v, const struct vdl_type *t,
    const void *val, struct vdl_any *out)
{
    struct vdl_any in;

    in.type = t;
    in.val = val;
    if (t->kind == VDL_ANY)
        in = *(const struct vdl_any *)val;
    *out = in;
    return in.type == NULL ? 0
                           : wspr_bridge_value_(&v->bridge, &v->tmp, in, out);
}

int wspr_vom_send_(struct wspr_ctl *c, int64_t id, unsigned type,
    const struct vdl_type *t, const void *val)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);
    struct vdl_any any;
    int rc;

    if (c->closing)
        return 0;
    rc = bridge(v, t, val, &any);
    if (rc == 0) {
        v->enc.started = false; /* each payload has its version byte */
        rc = vom_encode(&v->enc, &vdl_any_desc, &any);
    }
    v23_arena_reset(&v->tmp);
    if (rc == 0)
        rc = send_types(c, v);
    if (rc == 0)
        return send_payload(c, id, type);
    wspr_vom_trim_(&v->payload);
    return rc;
}

static int encode_alone(struct wspr_ctl *c, const struct vdl_type *t,
    const void *val)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);
    struct vdl_any any;
    int rc = bridge(v, t, val, &any);

    if (rc == 0)
        rc = vom_encode_single(c->al, &vdl_any_desc, &any, &v->payload);
    v23_arena_reset(&v->tmp);
    if (rc != 0)
        wspr_vom_trim_(&v->payload);
    return rc;
}

int wspr_vom_send_alone_(struct wspr_ctl *c, int64_t id, unsigned type,
    const struct vdl_type *t, const void *val)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);
    int rc;

    if (c->closing)
        return 0;
    rc = encode_alone(c, t, val);
    if (rc != 0)
        return rc;
    begin(c, id, type);
    v23_hex_put(&c->out, v->payload.p, v->payload.n);
    wspr_vom_trim_(&v->payload);
    return send(c);
}

int wspr_vom_send_quoted_(struct wspr_ctl *c, int64_t id, unsigned type,
    const struct vdl_type *t, const void *val)
{
    int rc;

    if (c->closing)
        return 0;
    rc = encode_alone(c, t, val);
    return rc == 0 ? send_payload(c, id, type) : rc;
}
