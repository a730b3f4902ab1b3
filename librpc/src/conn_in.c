/* BSD-3-Clause; see LICENSE. */
/*
 * Input: bytes to frames, frames to messages, messages to those who handle
 * them. A frame that is whole in the input is opened where it lies; of one
 * that is not, a private copy grows until it is, and is given back then.
 */
#include "conn_int.h"

/* ---- messages ------------------------------------------------------------ */

static int on_tear_down(struct vrpc_conn *c, struct v23_bytes text)
{
    vrpc_set_text_(c, text.p, text.n,
        text.n == 0 ? "" : "remote end received err: ");
    vrpc_close_(c, text.n == 0 ? V23_ECLOSED : V23_EREMOTE, NULL, false);
    return c->close_status;
}

static int on_lame_duck(struct vrpc_conn *c)
{
    if (c->peer_lame)
        return 0;
    c->peer_lame = true;
    vrpc_lame_check_(c);
    if (c->hooks->lame_duck != NULL)
        c->hooks->lame_duck(c->ud, c);
    return 0;
}

static int on_lame_ack(struct vrpc_conn *c)
{
    if (c->status != VRPC_CONN_LAME_DUCK)
        return 0;
    c->status = VRPC_CONN_LAME_DUCK_ACKED;
    if (c->hooks->lame_duck_acked != NULL)
        c->hooks->lame_duck_acked(c->ud, c);
    return 0;
}

/* The rest of the message is the next frame, unsealed. */
static int await_raw(struct vrpc_conn *c, const struct vrpc_msg *m)
{
    c->raw.wanted = true;
    c->raw.open = m->type == VRPC_MSG_OPEN_FLOW;
    if (c->raw.open) {
        c->raw.of = m->u.open_flow;
    } else {
        c->raw.id = m->u.data.id;
        c->raw.flags = m->u.data.flags;
    }
    return 0;
}

static int on_raw(struct vrpc_conn *c, const uint8_t *p, size_t n)
{
    struct vrpc_data d;

    c->raw.wanted = false;
    if (c->raw.open) {
        c->raw.of.payload = v23_bytes(p, n);
        return vrpc_on_open_(c, &c->raw.of);
    }
    d.id = c->raw.id;
    d.flags = c->raw.flags;
    d.payload = v23_bytes(p, n);
    return vrpc_on_data_(c, &d);
}

static int on_payload(struct vrpc_conn *c, const struct vrpc_msg *m)
{
    bool open = m->type == VRPC_MSG_OPEN_FLOW;
    uint64_t flags = open ? m->u.open_flow.flags : m->u.data.flags;
    size_t n = open ? m->u.open_flow.payload.n : m->u.data.payload.n;

    if ((flags & VRPC_FLOW_CLEAR) != 0)
        return await_raw(c, m);
    if (n > c->mtu && (open || m->u.data.id != VRPC_BLESSINGS_FLOW_))
        return vrpc_fail_(c, V23_EFRAME, "payload larger than the mtu");
    return open ? vrpc_on_open_(c, &m->u.open_flow)
                : vrpc_on_data_(c, &m->u.data);
}

static int on_message(struct vrpc_conn *c, const uint8_t *p, size_t n)
{
    enum vrpc_msg_fault fault;
    struct vrpc_msg m;
    int rc = vrpc_msg_decode(p, n, &m, &fault);

    if (rc != 0)
        return vrpc_fail_(c, rc, vrpc_msg_fault_id(fault));
    switch (m.type) {
    case VRPC_MSG_DATA:
    case VRPC_MSG_OPEN_FLOW:
        return on_payload(c, &m);
    case VRPC_MSG_RELEASE:
        return vrpc_on_release_(c, m.u.counters);
    case VRPC_MSG_AUTH:
    case VRPC_MSG_AUTH_ED25519:
    case VRPC_MSG_AUTH_RSA:
        return vrpc_refreshed_(c, &m.u.auth);
    case VRPC_MSG_HEALTH_REQUEST:
        c->health_response_due = true;
        return 0;
    case VRPC_MSG_HEALTH_RESPONSE:
        vrpc_health_response_(c);
        return 0;
    case VRPC_MSG_ENTER_LAME_DUCK:
        return on_lame_duck(c);
    case VRPC_MSG_ACK_LAME_DUCK:
        return on_lame_ack(c);
    case VRPC_MSG_TEAR_DOWN:
        return on_tear_down(c, m.u.text);
    default:
        return vrpc_fail_(c, V23_EPROTO, "unexpected message");
    }
}

/* ---- frames -------------------------------------------------------------- */

static int open_box(struct vrpc_conn *c, uint8_t *p, size_t n)
{
    uint8_t nonce[VSEC_BOX_NONCE] = { 0 };
    uint64_t seq = c->recd_seq;
    int i, rc;

    if (n < VSEC_BOX_TAG)
        return V23_EBOX;
    for (i = 0; i < 8; i++, seq >>= 8)
        nonce[i] = (uint8_t)seq;
    nonce[8] = c->recd_dir;
    rc = c->box->open(c->shared_key, nonce, p, n - VSEC_BOX_TAG);
    if (rc == 0)
        c->recd_seq++;
    return rc;
}

size_t vrpc_conn_message_max(const struct vrpc_conn *c)
{
    size_t data = (size_t)c->mtu + VRPC_FRAME_SLACK_;

    if (!c->sealed)
        return c->limits.setup_frame;
    if (c->shake != NULL)
        return c->limits.handshake_frame;
    if (c->raw.wanted)
        return c->mtu;
    return data > c->limits.blessings_frame ? data : c->limits.blessings_frame;
}

static int on_frame(struct vrpc_conn *c, uint8_t *p, size_t n)
{
    int rc;

    c->busy_ns = c->now.mono_ns;
    if (c->raw.wanted)
        return on_raw(c, p, n);
    if (!c->sealed)
        return vrpc_shake_input_(c, p, n);
    rc = open_box(c, p, n);
    if (rc != 0)
        return vrpc_fail_(c, rc, "message does not open");
    p += VSEC_BOX_TAG;
    n -= VSEC_BOX_TAG;
    return c->shake != NULL ? vrpc_shake_input_(c, p, n)
                            : on_message(c, p, n);
}

/* ---- the byte stream ----------------------------------------------------- */

void vrpc_partial_fini_(struct vrpc_conn *c)
{
    vrpc_pool_put_(&c->pool, c->al, c->partial.p, c->partial.cap);
    c->partial.p = NULL;
    c->partial.cap = c->partial.n = c->partial.want = 0;
    c->partial.nhead = 0;
}

static int check_length(struct vrpc_conn *c, size_t n)
{
    if (n > vrpc_conn_message_max(c))
        return vrpc_fail_(c, V23_EFRAME, "frame too long");
    return 0;
}

/* Room for n bytes of the frame. Strangers get no more than they have sent. */
static int partial_room(struct vrpc_conn *c, size_t n)
{
    struct vrpc_partial_ *pa = &c->partial;
    size_t cap = pa->want;
    void *p;

    if (n <= pa->cap)
        return 0;
    if (pa->p == NULL && c->shake == NULL) {
        pa->p = vrpc_pool_get_(&c->pool, c->al,
            cap < VRPC_TX_FIRST_ ? VRPC_TX_FIRST_ : cap, &pa->cap);
        return pa->p == NULL ? V23_ENOMEM : 0;
    }
    if (c->shake != NULL && 2 * n < cap)
        cap = 2 * n;
    p = v23_regrow(c->al, pa->p, cap);
    if (p == NULL)
        return V23_ENOMEM;
    pa->p = p;
    pa->cap = cap;
    return 0;
}

/* Continue an incomplete frame; *used of the input are taken. */
static int feed_partial(struct vrpc_conn *c, const uint8_t *p, size_t n,
    size_t *used)
{
    struct vrpc_partial_ *pa = &c->partial;
    struct vrpc_partial_ whole;
    size_t i = 0, take;
    int rc;

    if (pa->nhead < VRPC_FRAME_HEADER) {
        while (i < n && pa->nhead < VRPC_FRAME_HEADER)
            pa->head[pa->nhead++] = p[i++];
        *used = i;
        if (pa->nhead < VRPC_FRAME_HEADER)
            return 0;
        pa->want = vrpc_frame_get(pa->head);
        rc = check_length(c, pa->want);
        if (rc != 0)
            return rc;
    }
    take = pa->want - pa->n < n - i ? pa->want - pa->n : n - i;
    rc = partial_room(c, pa->n + take);
    if (rc != 0)
        return vrpc_fail_(c, rc, NULL);
    if (take > 0)
        memcpy(pa->p + pa->n, p + i, take);
    pa->n += take;
    *used = i + take;
    if (pa->n < pa->want)
        return 0;
    /* Ours until processed, even if a hook frees the connection. */
    whole = *pa;
    memset(pa, 0, sizeof(*pa));
    rc = on_frame(c, whole.p, whole.n);
    vrpc_pool_put_(&c->pool, c->al, whole.p, whole.cap);
    return rc;
}

/* A frame that is whole at p; *used == 0: it is not. */
static int take_frame(struct vrpc_conn *c, uint8_t *p, size_t n, size_t *used)
{
    size_t len;
    int rc;

    *used = 0;
    if (n < VRPC_FRAME_HEADER)
        return 0;
    len = vrpc_frame_get(p);
    rc = check_length(c, len);
    if (rc != 0 || n - VRPC_FRAME_HEADER < len)
        return rc;
    *used = VRPC_FRAME_HEADER + len;
    return on_frame(c, p + VRPC_FRAME_HEADER, len);
}

int vrpc_input_(struct vrpc_conn *c, uint8_t *p, size_t n)
{
    size_t used;
    int rc = 0;

    if (c->message_transport) {
        rc = check_length(c, n);
        return rc == 0 ? on_frame(c, p, n) : rc;
    }
    while (n > 0 && rc == 0 && !c->dead && !vrpc_is_closing_(c)) {
        used = 0;
        if (c->partial.nhead == 0)
            rc = take_frame(c, p, n, &used);
        if (rc == 0 && used == 0)
            rc = feed_partial(c, p, n, &used);
        p += used;
        n -= used;
    }
    return rc;
}
