/* BSD-3-Clause; see LICENSE. */
/*
 * Frames and messages other than Setup (setup.c). A decoder reads its input
 * through struct cursor, whose first failure sticks, so that each message is
 * decoded in straight line and checked once.
 */
#include <vrpc/message.h>

#include <vom/enc.h>

#include "message_int.h"

int vrpc_frame_put(uint8_t p[VRPC_FRAME_HEADER], size_t n)
{
    uint32_t h;

    if (n > VRPC_FRAME_MAX)
        return V23_EFRAME;
    h = VRPC_FRAME_MAX - (uint32_t)n;
    p[0] = (uint8_t)(h >> 16);
    p[1] = (uint8_t)(h >> 8);
    p[2] = (uint8_t)h;
    return 0;
}

uint32_t vrpc_frame_get(const uint8_t p[VRPC_FRAME_HEADER])
{
    uint32_t h = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

    return VRPC_FRAME_MAX - h;
}

const char *vrpc_msg_fault_id(enum vrpc_msg_fault fault)
{
    switch (fault) {
    case VRPC_FAULT_SETUP_OPTION:
        return "v.io/v23/flow/messages.InvalidSetupOption";
    case VRPC_FAULT_UNKNOWN:
        return "v.io/v23/flow/messages.UnknownMsg";
    case VRPC_FAULT_BLESSINGS:
        return "v.io/v23/flow/messages.MissingBlessings";
    case VRPC_FAULT_INVALID:
        break;
    }
    return "v.io/v23/flow/messages.InvalidMsg";
}

/* ---- cursor -------------------------------------------------------------- */

uint64_t vrpc_take_uint_(struct vrpc_cursor_ *c)
{
    uint64_t v = 0;

    if (c->bad)
        return 0;
    if (c->p < c->end && *c->p < 0x80)
        return *c->p++;
    if (vom_get_uint(&c->p, c->end, &v) != 0) {
        c->bad = true;
        return 0;
    }
    return v;
}

struct v23_bytes vrpc_take_bytes_(struct vrpc_cursor_ *c)
{
    uint64_t n = vrpc_take_uint_(c);
    struct v23_bytes b = { NULL, 0 };

    if (c->bad)
        return b;
    if (n > (uint64_t)(c->end - c->p)) {
        c->bad = true;
        return b;
    }
    b = v23_bytes(c->p, (size_t)n);
    c->p += n;
    return b;
}

static struct v23_bytes take_rest(struct vrpc_cursor_ *c)
{
    return v23_bytes(c->p, (size_t)(c->end - c->p));
}

int vrpc_release_next(struct v23_bytes *rest, uint64_t *flow, uint64_t *tokens)
{
    struct vrpc_cursor_ c = { rest->p, rest->p, false };
    uint64_t f, t;

    if (rest->n == 0)
        return V23_EEOF;
    c.end = rest->p + rest->n;
    f = vrpc_take_uint_(&c);
    t = vrpc_take_uint_(&c);
    if (c.bad)
        return V23_EMSG;
    *flow = f;
    *tokens = t;
    *rest = take_rest(&c);
    return 0;
}

int vrpc_msg_next_bytes(struct v23_bytes *rest, struct v23_bytes *item)
{
    struct vrpc_cursor_ c = { rest->p, rest->p, false };
    struct v23_bytes b;

    if (rest->n == 0)
        return V23_EEOF;
    c.end = rest->p + rest->n;
    b = vrpc_take_bytes_(&c);
    if (c.bad)
        return V23_EMSG;
    *item = b;
    *rest = take_rest(&c);
    return 0;
}

/* ---- decoding ------------------------------------------------------------ */

static int decode_auth(struct vrpc_cursor_ *c, struct vrpc_msg *m)
{
    struct vrpc_auth *a = &m->u.auth;
    struct v23_bytes *last = m->type == VRPC_MSG_AUTH ? &a->s : &a->sig;

    a->bkey = vrpc_take_uint_(c);
    a->dkey = vrpc_take_uint_(c);
    a->purpose = vrpc_take_bytes_(c);
    a->hash = vrpc_take_bytes_(c);
    if (m->type == VRPC_MSG_AUTH)
        a->r = vrpc_take_bytes_(c);
    /* The reference reads a missing last field as empty. */
    if (!c->bad && c->p < c->end)
        *last = vrpc_take_bytes_(c);
    if (c->bad)
        return VRPC_FAULT_INVALID;
    return a->bkey == 0 ? VRPC_FAULT_BLESSINGS : 0;
}

static int decode_open_flow(struct vrpc_cursor_ *c, struct vrpc_open_flow *o)
{
    o->id = vrpc_take_uint_(c);
    o->counters = vrpc_take_uint_(c);
    o->bkey = vrpc_take_uint_(c);
    if (!c->bad && o->bkey == 0)
        return VRPC_FAULT_BLESSINGS;
    o->dkey = vrpc_take_uint_(c);
    o->flags = vrpc_take_uint_(c);
    if (c->bad)
        return VRPC_FAULT_INVALID;
    if ((o->flags & VRPC_FLOW_CLEAR) == 0)
        o->payload = take_rest(c);
    return 0;
}

static int decode_data(struct vrpc_cursor_ *c, struct vrpc_data *d)
{
    d->id = vrpc_take_uint_(c);
    d->flags = vrpc_take_uint_(c);
    if (c->bad)
        return VRPC_FAULT_INVALID;
    if ((d->flags & VRPC_FLOW_CLEAR) == 0)
        d->payload = take_rest(c);
    return 0;
}

static int check_release(struct v23_bytes rest)
{
    uint64_t f, t;
    int rc;

    do
        rc = vrpc_release_next(&rest, &f, &t);
    while (rc == 0);
    return rc == V23_EEOF ? 0 : VRPC_FAULT_INVALID;
}

static int check_endpoints(struct v23_bytes rest)
{
    struct v23_bytes item;
    int rc;

    do {
        rc = vrpc_msg_next_bytes(&rest, &item);
        if (rc == 0 && vrpc_check_endpoint_(item) != 0)
            rc = V23_EMSG;
    } while (rc == 0);
    return rc == V23_EEOF ? 0 : VRPC_FAULT_INVALID;
}

/* 0 or an enum vrpc_msg_fault. */
static int decode_body(struct vrpc_cursor_ *c, struct vrpc_msg *m)
{
    switch (m->type) {
    case VRPC_MSG_DATA:
        return decode_data(c, &m->u.data);
    case VRPC_MSG_OPEN_FLOW:
        return decode_open_flow(c, &m->u.open_flow);
    case VRPC_MSG_RELEASE:
        m->u.counters = take_rest(c);
        return check_release(m->u.counters);
    case VRPC_MSG_AUTH:
    case VRPC_MSG_AUTH_ED25519:
    case VRPC_MSG_AUTH_RSA:
        return decode_auth(c, m);
    case VRPC_MSG_SETUP:
        return vrpc_setup_decode_(c, &m->u.setup);
    case VRPC_MSG_TEAR_DOWN:
    case VRPC_MSG_PROXY_ERROR:
        m->u.text = take_rest(c);
        return 0;
    case VRPC_MSG_PROXY_RESPONSE:
        m->u.endpoints = take_rest(c);
        return check_endpoints(m->u.endpoints);
    case VRPC_MSG_ENTER_LAME_DUCK:
    case VRPC_MSG_ACK_LAME_DUCK:
    case VRPC_MSG_MULTI_PROXY:
    case VRPC_MSG_PROXY_SERVER:
    case VRPC_MSG_HEALTH_REQUEST:
    case VRPC_MSG_HEALTH_RESPONSE:
        return 0;
    default:
        return VRPC_FAULT_UNKNOWN;
    }
}

int vrpc_msg_decode(const uint8_t *p, size_t n, struct vrpc_msg *out,
    enum vrpc_msg_fault *fault)
{
    struct vrpc_cursor_ c = { p, p, false };
    struct vrpc_msg m;
    int f = VRPC_FAULT_INVALID;

    if (n > 0) {
        memset(&m, 0, sizeof(m));
        m.type = p[0];
        c.p = p + 1;
        c.end = p + n;
        f = decode_body(&c, &m);
    }
    if (f != 0) {
        if (fault != NULL)
            *fault = f < 0 ? VRPC_FAULT_INVALID : (enum vrpc_msg_fault)f;
        return f < 0 ? f : V23_EMSG;
    }
    *out = m;
    return 0;
}

/* ---- encoding ------------------------------------------------------------ */

void vrpc_put_bytes_(struct v23_buf *out, struct v23_bytes b)
{
    vom_buf_put_uint(out, b.n);
    v23_buf_put(out, b.p, b.n);
}

size_t vrpc_data_header(uint8_t p[VRPC_DATA_HEADER_MAX], uint64_t id,
    uint64_t flags)
{
    size_t n = 1;

    p[0] = VRPC_MSG_DATA;
    n += vom_put_uint(p + n, id);
    n += vom_put_uint(p + n, flags);
    return n;
}

size_t vrpc_open_header(uint8_t p[VRPC_OPEN_HEADER_MAX],
    const struct vrpc_open_flow *m)
{
    size_t n = 1;

    p[0] = VRPC_MSG_OPEN_FLOW;
    n += vom_put_uint(p + n, m->id);
    n += vom_put_uint(p + n, m->counters);
    n += vom_put_uint(p + n, m->bkey);
    n += vom_put_uint(p + n, m->dkey);
    n += vom_put_uint(p + n, m->flags);
    return n;
}

static void encode_auth(const struct vrpc_msg *m, struct v23_buf *out)
{
    const struct vrpc_auth *a = &m->u.auth;

    vom_buf_put_uint(out, a->bkey);
    vom_buf_put_uint(out, a->dkey);
    vrpc_put_bytes_(out, a->purpose);
    vrpc_put_bytes_(out, a->hash);
    if (m->type == VRPC_MSG_AUTH) {
        vrpc_put_bytes_(out, a->r);
        vrpc_put_bytes_(out, a->s);
    } else {
        vrpc_put_bytes_(out, a->sig);
    }
}

static void encode_payload(uint64_t flags, struct v23_bytes payload,
    struct v23_buf *out)
{
    if ((flags & VRPC_FLOW_CLEAR) == 0)
        v23_buf_put(out, payload.p, payload.n);
}

void vrpc_msg_encode(const struct vrpc_msg *m, struct v23_buf *out)
{
    uint8_t head[VRPC_OPEN_HEADER_MAX];

    switch (m->type) {
    case VRPC_MSG_DATA:
        v23_buf_put(out, head,
            vrpc_data_header(head, m->u.data.id, m->u.data.flags));
        encode_payload(m->u.data.flags, m->u.data.payload, out);
        return;
    case VRPC_MSG_OPEN_FLOW:
        v23_buf_put(out, head, vrpc_open_header(head, &m->u.open_flow));
        encode_payload(m->u.open_flow.flags, m->u.open_flow.payload, out);
        return;
    default:
        break;
    }
    v23_buf_put_byte(out, m->type);
    switch (m->type) {
    case VRPC_MSG_SETUP:
        vrpc_setup_encode_(&m->u.setup, out);
        break;
    case VRPC_MSG_AUTH:
    case VRPC_MSG_AUTH_ED25519:
    case VRPC_MSG_AUTH_RSA:
        encode_auth(m, out);
        break;
    case VRPC_MSG_RELEASE:
        v23_buf_put(out, m->u.counters.p, m->u.counters.n);
        break;
    case VRPC_MSG_PROXY_RESPONSE:
        v23_buf_put(out, m->u.endpoints.p, m->u.endpoints.n);
        break;
    case VRPC_MSG_TEAR_DOWN:
    case VRPC_MSG_PROXY_ERROR:
        v23_buf_put(out, m->u.text.p, m->u.text.n);
        break;
    default:
        break; /* no body */
    }
}
