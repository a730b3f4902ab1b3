/* BSD-3-Clause; see LICENSE. */
/*
 * Replay: one of our connections plays one side of a recorded connection, with
 * that side's ephemeral secret and principal. The peer's frames are fed in the
 * recorded order; where the recorded side wrote to a flow, so does ours. What
 * must come out: no error, the same bytes received on each flow, the same
 * bytes sent on each flow, the same Setup, a signature that verifies, and the
 * same blessings for each flow.
 *
 * Recorded Setups announce version 10, which ours never does; the number is
 * put into our Setup behind its back, or version-14 bindings would differ.
 *
 * A connection inside a flow has a transport of messages, and the flows that
 * carry connections, or the control messages of proxies, are in message mode.
 */
#include "rpc_transcript.h"

#include <stdlib.h>
#include <vrpc/conn.h>

#include "../../librpc/src/conn_int.h"

#define MAX_FLOWS 64

/* One flow as our side sees it. */
struct played {
    uint64_t id;
    struct vrpc_flow *flow;
    struct v23_buf got;  /* from the peer */
    struct v23_buf sent; /* by us, read back from our output */
    uint64_t bkey, dkey; /* of our OpenFlow */
    bool closed;
};

struct replay {
    struct transcript *t;
    struct tr_conn *c;
    int role;
    struct vrpc_conn *conn;
    struct v23_now now;
    struct vsec_principal *principal;
    struct vsec_blessings *own;
    struct tr_discharges discharges; /* of `own` */
    struct v23_arena arena;
    struct vrpc_endpoint local, remote;
    struct vrpc_msg setup; /* recorded, of our side */
    bool has_handler, refuse;
    struct played flows[MAX_FLOWS];
    size_t nflows;
    struct v23_buf out;
    struct v23_buf blessings; /* what we sent on flow 1 */
    struct v23_buf auth, first; /* our first Auth, our Setup */
    uint64_t out_seq;
    bool sealed_out;
    uint64_t raw_out; /* flow whose payload is our next frame; 0 = none */
    int ready, closed, status;
};

static struct played *played(struct replay *r, uint64_t id, bool make)
{
    size_t i;

    for (i = 0; i < r->nflows; i++)
        if (r->flows[i].id == id)
            return &r->flows[i];
    if (!make || r->nflows == MAX_FLOWS)
        return NULL;
    r->flows[i].id = id;
    v23_buf_init(&r->flows[i].got, NULL, SIZE_MAX);
    v23_buf_init(&r->flows[i].sent, NULL, SIZE_MAX);
    r->nflows++;
    return &r->flows[i];
}

/* Does a flow carry messages? */
static bool has_messages(const struct replay *r, uint64_t id)
{
    const struct tr_stream *s = tr_stream(r->t, r->c->num, DIALER, id);

    if (s == NULL)
        s = tr_stream(r->t, r->c->num, ACCEPTOR, id);
    return s != NULL && strcmp(s->content, "messages") == 0;
}

/* ---- hooks --------------------------------------------------------------- */

static int on_authorize(void *ud, struct vrpc_conn *c, struct v23_op op)
{
    struct replay *r = ud;

    (void)c;
    (void)op;
    return r->refuse ? V23_EUNTRUSTED : 0;
}

static void on_ready(void *ud, struct vrpc_conn *c)
{
    struct replay *r = ud;

    (void)c;
    r->ready++;
}

static void on_opened(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct played *p = played(ud, vrpc_flow_id(f), true);

    (void)c;
    if (has_messages(ud, vrpc_flow_id(f)))
        vrpc_flow_set_messages(f);
    if (p != NULL)
        p->flow = f;
}

static void on_readable(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct played *p = played(ud, vrpc_flow_id(f), true);
    struct v23_bytes b;

    (void)c;
    while (p != NULL && vrpc_flow_peek(f, &b) == 0) {
        v23_buf_put(&p->got, b.p, b.n);
        vrpc_flow_consume(f, b.n);
    }
}

static void on_closed(void *ud, struct vrpc_conn *c, int status,
    const char *text)
{
    struct replay *r = ud;

    (void)c;
    (void)text;
    r->closed++;
    r->status = status;
}

static const struct vrpc_conn_hooks hooks = { on_authorize, on_ready,
    on_opened, on_readable, NULL, NULL, NULL, NULL, NULL, on_closed, NULL };

static int give_secret(void *ud, void *p, size_t n)
{
    struct replay *r = ud;

    if (n != 32)
        return V23_EARG;
    memcpy(p, r->c->priv[r->role], n);
    return 0;
}

/* ---- preparation --------------------------------------------------------- */

static bool find_setup(struct replay *r)
{
    const struct tr_frame *f;
    size_t i;

    for (i = 0; i < r->t->nframes; i++) {
        f = &r->t->frames[i];
        if (f->conn == r->c->num && f->from == r->role
            && f->kind == TR_SETUP) {
            v23_buf_put(&r->first, f->plain.p, f->plain.n);
            return vrpc_msg_decode(f->plain.p, f->plain.n, &r->setup, NULL)
                == 0;
        }
    }
    return run_fail(&r->t->c, "no Setup of our side");
}

static bool endpoint(struct replay *r, struct v23_bytes text,
    struct vrpc_endpoint *ep)
{
    if (text.n == 0)
        return true;
    return vrpc_endpoint_parse(&r->arena,
               vdl_strn((const char *)text.p, text.n), ep, NULL) == 0
        || run_fail(&r->t->c, "endpoint does not parse");
}

/* The principal whose key the side presented. */
static bool find_principal(struct replay *r)
{
    const struct tr_stream *s = tr_stream(r->t, r->c->num, r->role, 1);
    struct vsec_signer *signer = NULL;
    const struct tr_principal *p = NULL;
    struct vdl_bytes der = { NULL, 0 };
    size_t i;
    int rc;

    if (s != NULL && !tr_blessings(r->t, s->bytes, 1, &r->own))
        return false;
    if (r->own != NULL)
        der = vsec_blessings_key(r->own)->der;
    for (i = 0; i < r->t->nprincipals; i++) {
        p = &r->t->principals[i];
        if (r->own == NULL || (p->der.n == der.n
                && memcmp(p->der.p, der.p, der.n) == 0))
            break;
    }
    if (i == r->t->nprincipals)
        return run_fail(&r->t->c, "no principal of this key");
    rc = vsec_signer_pkcs8(r->t->engine, p->pkcs8, &signer);
    if (rc == 0)
        rc = vsec_principal_new(r->t->engine, signer, NULL, NULL, NULL,
            &r->principal);
    vsec_signer_unref(signer);
    return rc == 0 || run_fail(&r->t->c, "principal: %s", v23_strerror(rc));
}

static bool sent_auth(const struct replay *r)
{
    const struct tr_frame *f;
    size_t i;

    for (i = 0; i < r->t->nframes; i++) {
        f = &r->t->frames[i];
        if (f->conn == r->c->num && f->from == r->role && f->plain.n > 0
            && (f->plain.p[0] == VRPC_MSG_AUTH
                || f->plain.p[0] == VRPC_MSG_AUTH_ED25519))
            return true;
    }
    return false;
}

/* The discharges that our Auth names. */
static bool find_discharges(struct replay *r)
{
    const struct tr_stream *s = tr_stream(r->t, r->c->num, r->role, 1);
    const struct tr_frame *f;
    struct vrpc_msg m;
    size_t i;

    for (i = 0; s != NULL && i < r->t->nframes; i++) {
        f = &r->t->frames[i];
        if (f->conn == r->c->num && f->from == r->role && f->plain.n > 0
            && (f->plain.p[0] == VRPC_MSG_AUTH
                || f->plain.p[0] == VRPC_MSG_AUTH_ED25519)
            && vrpc_msg_decode(f->plain.p, f->plain.n, &m, NULL) == 0)
            return tr_discharges(r->t, s->bytes, m.u.auth.dkey,
                &r->discharges);
    }
    return true;
}

/* Announce version 10 where the record does. */
static bool patch_setup(struct replay *r)
{
    struct v23_buf *b = &r->conn->shake->setup;
    struct vrpc_msg m;
    struct v23_buf again;
    bool ok;

    if (vrpc_msg_decode(b->p, b->n, &m, NULL) != 0)
        return run_fail(&r->t->c, "our own Setup does not decode");
    m.u.setup.min_version = r->setup.u.setup.min_version;
    m.u.setup.max_version = r->setup.u.setup.max_version;
    v23_buf_init(&again, NULL, SIZE_MAX);
    vrpc_msg_encode(&m, &again);
    ok = again.n == r->first.n && memcmp(again.p, r->first.p, again.n) == 0;
    if (!ok)
        run_fail(&r->t->c, "our Setup is %.300s", unhex(again.p, again.n));
    v23_buf_cut(b, 0);
    v23_buf_put(b, again.p, again.n);
    v23_buf_fini(&again);
    return ok;
}

static bool make_conn(struct replay *r)
{
    struct vrpc_conn_config cfg;
    int rc;

    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = r->principal;
    cfg.random = give_secret;
    cfg.random_ud = r;
    cfg.role = r->role == DIALER ? VRPC_DIALER : VRPC_ACCEPTOR;
    cfg.local = &r->local;
    cfg.remote = r->role == DIALER ? &r->remote : NULL;
    cfg.mtu = (uint32_t)r->setup.u.setup.mtu;
    cfg.bytes_buffered = (uint32_t)r->setup.u.setup.shared_tokens;
    cfg.shared_tokens = cfg.bytes_buffered;
    if (r->setup.u.setup.max_version < VRPC_VERSION_MAX)
        cfg.max_version = r->setup.u.setup.max_version < VRPC_VERSION_MIN
            ? 0 : (uint32_t)r->setup.u.setup.max_version;
    r->has_handler = r->role == ACCEPTOR
        || !vrpc_routing_id_is_null(&r->local.rid);
    cfg.has_handler = r->has_handler;
    cfg.encapsulated = cfg.message_transport = r->c->inside;
    if (r->has_handler && r->own != NULL
        && !vsec_blessings_is_nameless(r->own)) {
        cfg.blessings = r->own;
        cfg.discharges = r->discharges.v;
        cfg.ndischarges = r->discharges.n;
    }
    cfg.hooks = &hooks;
    cfg.ud = r;
    r->refuse = r->role == DIALER && !sent_auth(r);
    rc = vrpc_conn_new(&cfg, &r->now, &r->conn);
    if (rc != 0)
        return run_fail(&r->t->c, "connection: %s", v23_strerror(rc));
    return patch_setup(r);
}

/* ---- our output ---------------------------------------------------------- */

static bool take_output(struct replay *r, const uint8_t *p, size_t n)
{
    struct vrpc_msg m;
    struct played *f;

    if (vrpc_msg_decode(p, n, &m, NULL) != 0)
        return run_fail(&r->t->c, "we sent an invalid message");
    switch (m.type) {
    case VRPC_MSG_DATA:
        if ((m.u.data.flags & VRPC_FLOW_CLEAR) != 0)
            r->raw_out = m.u.data.id;
        if (m.u.data.id == VRPC_BLESSINGS_FLOW_) {
            v23_buf_put(&r->blessings, m.u.data.payload.p,
                m.u.data.payload.n);
            break;
        }
        f = played(r, m.u.data.id, false);
        if (f == NULL || m.u.data.payload.n > r->conn->mtu)
            return run_fail(&r->t->c, "we sent odd Data");
        v23_buf_put(&f->sent, m.u.data.payload.p, m.u.data.payload.n);
        break;
    case VRPC_MSG_OPEN_FLOW:
        f = played(r, m.u.open_flow.id, false);
        if (f == NULL)
            return run_fail(&r->t->c, "we opened an odd flow");
        f->bkey = m.u.open_flow.bkey;
        f->dkey = m.u.open_flow.dkey;
        v23_buf_put(&f->sent, m.u.open_flow.payload.p,
            m.u.open_flow.payload.n);
        break;
    case VRPC_MSG_AUTH:
    case VRPC_MSG_AUTH_ED25519:
        if (r->auth.n == 0)
            v23_buf_put(&r->auth, p, n);
        break;
    default:
        break;
    }
    return true;
}

/* One frame of ours, without its header. */
static bool take_frame(struct replay *r, uint8_t *p, size_t n)
{
    const struct vsec_box_ops *box = vsec_crypto_default.box;
    uint8_t nonce[VSEC_BOX_NONCE];
    struct played *f;

    if (!r->sealed_out || (n > 0 && *p == VRPC_MSG_TEAR_DOWN
            && !r->conn->sealed)) {
        /* Only the Setup goes out in the clear, or a TearDown before. */
        r->sealed_out = true;
        return true;
    }
    if (r->raw_out != 0) {
        f = played(r, r->raw_out, false);
        r->raw_out = 0;
        if (f == NULL)
            return run_fail(&r->t->c, "we sent an odd payload");
        v23_buf_put(&f->sent, p, n);
        return true;
    }
    tr_nonce(r->c, r->role, r->out_seq++, nonce);
    if (n < VSEC_BOX_TAG
        || box->open(r->c->shared, nonce, p, n - VSEC_BOX_TAG) != 0)
        return run_fail(&r->t->c, "our output does not open");
    return take_output(r, p + VSEC_BOX_TAG, n - VSEC_BOX_TAG);
}

static bool fetch(struct replay *r)
{
    size_t at, n;

    do {
        r->out.n = at = 0;
        if (vrpc_conn_output(r->conn, &r->out, SIZE_MAX, &r->now) != 0)
            return run_fail(&r->t->c, "output failed");
        if (r->c->inside) {
            if (r->out.n > 0 && !take_frame(r, r->out.p, r->out.n))
                return false;
            continue;
        }
        while (at < r->out.n) {
            n = vrpc_frame_get(r->out.p + at);
            at += VRPC_FRAME_HEADER + n;
            if (!take_frame(r, r->out.p + at - n, n))
                return false;
        }
    } while (r->out.n > 0);
    return true;
}

/* ---- playing ------------------------------------------------------------- */

/* Ids are given in order of opening: open as many as the record uses. */
static bool open_up_to(struct replay *r, uint64_t id,
    struct vsec_blessings *b, const struct tr_discharges *d)
{
    struct vrpc_flow_opts o;
    struct vrpc_flow *f;
    struct played *p;
    int rc;

    while (r->conn->next_id <= id) {
        memset(&o, 0, sizeof(o));
        o.messages = has_messages(r, r->conn->next_id);
        rc = vrpc_flow_open(r->conn, &o, &f);
        if (rc != 0)
            return run_fail(&r->t->c, "open: %s", v23_strerror(rc));
        p = played(r, vrpc_flow_id(f), true);
        if (p == NULL)
            return run_fail(&r->t->c, "too many flows");
        p->flow = f;
    }
    p = played(r, id, false);
    if (p == NULL || p->flow == NULL)
        return run_fail(&r->t->c, "flow id %llu was never ours",
            (unsigned long long)id);
    /* The record says only now what the flow presents. */
    if (b != NULL && !vsec_blessings_is_nameless(b)) {
        p->flow->blessings = vsec_blessings_ref(b);
        if (vrpc_discharges_copy_(NULL, &p->flow->discharges, d->v, d->n)
            != 0)
            abort();
    }
    return true;
}

static bool write_flow(struct replay *r, uint64_t id, uint64_t flags,
    struct v23_bytes payload)
{
    struct played *p = played(r, id, false);
    int rc = 0;

    if (p == NULL || p->flow == NULL)
        return p != NULL || run_fail(&r->t->c, "write to an unknown flow");
    if (p->flow->messages && payload.n > 0)
        rc = vrpc_flow_write_message(p->flow, payload.p, payload.n,
            (flags & VRPC_FLOW_CLEAR) != 0);
    else if (!p->flow->messages && (payload.n > 0 || !p->flow->written))
        rc = vrpc_flow_write(p->flow, payload.p, payload.n);
    if (rc != 0 && rc != V23_ECLOSED)
        return run_fail(&r->t->c, "write to flow %llu: %s",
            (unsigned long long)id, v23_strerror(rc));
    if ((flags & VRPC_FLOW_CLOSE) != 0) {
        vrpc_flow_close(p->flow);
        p->flow = NULL;
    }
    return true;
}

static bool play_open(struct replay *r, const struct vrpc_open_flow *m)
{
    const struct tr_stream *s = tr_stream(r->t, r->c->num, r->role, 1);
    struct tr_discharges d = { { NULL }, 0 };
    struct vsec_blessings *b = NULL;
    bool ok;

    if (s == NULL || !tr_blessings(r->t, s->bytes, m->bkey, &b))
        return run_fail(&r->t->c, "no blessings for a flow");
    ok = tr_discharges(r->t, s->bytes, m->dkey, &d)
        && open_up_to(r, m->id, b, &d)
        && write_flow(r, m->id, m->flags, m->payload);
    tr_discharges_fini(&d);
    vsec_blessings_unref(b);
    return ok;
}

/* The frame behind f that holds its payload. */
static struct v23_bytes raw_payload(const struct replay *r,
    const struct tr_frame *f)
{
    const struct tr_frame *end = r->t->frames + r->t->nframes;

    while (++f < end)
        if (f->conn == r->c->num && f->kind == TR_RAW)
            return f->wire;
    return v23_bytes(NULL, 0);
}

/* What the recorded side did by itself, ours is told to do. */
static bool play_own(struct replay *r, const struct tr_frame *f)
{
    struct vrpc_msg m;

    if (f->kind != TR_SEALED || r->closed > 0
        || vrpc_msg_decode(f->plain.p, f->plain.n, &m, NULL) != 0)
        return true;
    switch (m.type) {
    case VRPC_MSG_OPEN_FLOW:
        return play_open(r, &m.u.open_flow);
    case VRPC_MSG_DATA:
        if ((m.u.data.flags & VRPC_FLOW_CLEAR) != 0)
            m.u.data.payload = raw_payload(r, f);
        return m.u.data.id == VRPC_BLESSINGS_FLOW_
            || write_flow(r, m.u.data.id, m.u.data.flags, m.u.data.payload);
    case VRPC_MSG_ENTER_LAME_DUCK:
        vrpc_conn_enter_lame_duck(r->conn);
        return true;
    case VRPC_MSG_TEAR_DOWN:
        vrpc_conn_close(r->conn, V23_ECANCELED, "replayed");
        return true;
    default:
        return true;
    }
}

/* The dialer's Setup as it came out of the last proxy: what opens the flow. */
static struct v23_bytes setup_as_passed_on(const struct replay *r,
    struct v23_bytes sent)
{
    const struct tr_frame *f = r->t->frames;
    const struct tr_frame *end = f + r->t->nframes;
    struct vrpc_msg m;

    for (; f < end; f++)
        if (f->conn == r->c->over_conn && f->kind == TR_SEALED
            && vrpc_msg_decode(f->plain.p, f->plain.n, &m, NULL) == 0
            && m.type == VRPC_MSG_OPEN_FLOW
            && m.u.open_flow.id == r->c->over_flow)
            return m.u.open_flow.payload;
    return sent;
}

static bool play_peer(struct replay *r, const struct tr_frame *f)
{
    struct v23_bytes b = f->kind == TR_SETUP || f->kind == TR_CLEAR
        ? f->plain : f->wire;
    size_t head = r->c->inside ? 0 : VRPC_FRAME_HEADER;
    bool teardown = f->plain.n > 0 && f->plain.p[0] == VRPC_MSG_TEAR_DOWN;
    uint8_t *p;
    int rc;

    if (f->kind == TR_SETUP && r->role == ACCEPTOR && r->c->inside)
        b = setup_as_passed_on(r, b);
    p = malloc(b.n + VRPC_FRAME_HEADER);
    if (p == NULL)
        abort();
    if (vrpc_frame_put(p, b.n) != 0)
        abort();
    memcpy(p + head, b.p, b.n);
    rc = vrpc_conn_input(r->conn, p, b.n + head, &r->now);
    free(p);
    if (rc == 0 || teardown || r->refuse || r->c->refused)
        return true;
    return run_fail(&r->t->c, "frame %llu: %s: %s",
        (unsigned long long)f->n, v23_strerror(rc),
        vrpc_conn_strerror(r->conn));
}

static bool play(struct replay *r)
{
    const struct tr_frame *f;
    bool ok = fetch(r);
    size_t i;

    for (i = 0; i < r->t->nframes && ok; i++) {
        f = &r->t->frames[i];
        if (f->conn != r->c->num)
            continue;
        if (f->from == r->role)
            ok = play_own(r, f);
        else if (vrpc_conn_status(r->conn) < VRPC_CONN_CLOSING)
            ok = play_peer(r, f);
        ok = ok && fetch(r);
    }
    return ok;
}

/* ---- the outcome --------------------------------------------------------- */

/*
 * What one side said on a flow before the other side's close: later bytes are
 * dropped by both.
 */
static void expected(struct replay *r, uint64_t id, int from,
    struct v23_buf *out)
{
    const struct tr_frame *f;
    struct v23_bytes payload;
    struct vrpc_msg m;
    uint64_t flow, flags;
    size_t i;

    for (i = 0; i < r->t->nframes; i++) {
        f = &r->t->frames[i];
        if (f->conn != r->c->num || f->kind != TR_SEALED
            || vrpc_msg_decode(f->plain.p, f->plain.n, &m, NULL) != 0
            || (m.type != VRPC_MSG_DATA && m.type != VRPC_MSG_OPEN_FLOW))
            continue;
        if (m.type == VRPC_MSG_DATA) {
            flow = m.u.data.id;
            flags = m.u.data.flags;
            payload = (flags & VRPC_FLOW_CLEAR) != 0 ? raw_payload(r, f)
                                                     : m.u.data.payload;
        } else {
            flow = m.u.open_flow.id;
            flags = m.u.open_flow.flags;
            payload = m.u.open_flow.payload;
        }
        if (flow != id)
            continue;
        if (f->from == from)
            v23_buf_put(out, payload.p, payload.n);
        else if ((flags & VRPC_FLOW_CLOSE) != 0)
            return;
    }
}

static bool same_bytes(struct replay *r, const char *what,
    const struct played *p, const struct v23_buf *got, int from)
{
    struct v23_buf want;
    bool ok;

    v23_buf_init(&want, NULL, SIZE_MAX);
    expected(r, p->id, from, &want);
    ok = got->n == want.n
        && (want.n == 0 || memcmp(got->p, want.p, want.n) == 0);
    if (!ok)
        run_fail(&r->t->c, "flow %llu: %zu bytes %s, not %zu",
            (unsigned long long)p->id, got->n, what, want.n);
    v23_buf_fini(&want);
    return ok;
}

/* Our Auth must verify as the recorded one does; Ed25519 gives no choice. */
static bool check_own_auth(struct replay *r)
{
    const struct tr_frame *f;
    size_t i;

    for (i = 0; i < r->t->nframes; i++) {
        f = &r->t->frames[i];
        if (f->conn != r->c->num || f->from != r->role || f->plain.n == 0)
            continue;
        if (f->plain.p[0] == VRPC_MSG_AUTH_ED25519) {
            if (r->auth.n != f->plain.n
                || memcmp(r->auth.p, f->plain.p, f->plain.n) != 0)
                return run_fail(&r->t->c, "our Auth differs: %.200s",
                    unhex(r->auth.p, r->auth.n));
            return true;
        }
        if (f->plain.p[0] == VRPC_MSG_AUTH)
            break;
    }
    if (!sent_auth(r))
        return r->auth.n == 0 || run_fail(&r->t->c, "we sent Auth");
    return r->auth.n > 0 || run_fail(&r->t->c, "we sent no Auth");
}

/* ECDSA: verify what we signed. */
static bool verify_own_auth(struct replay *r)
{
    struct vsec_signature sig;
    struct vrpc_msg m;
    struct v23_buf msg;
    int rc;

    if (r->auth.n == 0 || r->auth.p[0] != VRPC_MSG_AUTH)
        return true;
    if (vrpc_msg_decode(r->auth.p, r->auth.n, &m, NULL) != 0)
        return run_fail(&r->t->c, "our Auth does not decode");
    memset(&sig, 0, sizeof(sig));
    sig.purpose = vdl_bytes(m.u.auth.purpose.p, m.u.auth.purpose.n);
    sig.hash = vdl_strn((const char *)m.u.auth.hash.p, m.u.auth.hash.n);
    sig.r = vdl_bytes(m.u.auth.r.p, m.u.auth.r.n);
    sig.s = vdl_bytes(m.u.auth.s.p, m.u.auth.s.n);
    v23_buf_init(&msg, NULL, SIZE_MAX);
    v23_buf_put(&msg, r->role == DIALER ? "AuthDial" : "AuthAcpt", 9);
    v23_buf_put(&msg, r->c->binding[r->role].p, r->c->binding[r->role].n);
    rc = vsec_verify(r->principal->key, &sig, msg.p, msg.n);
    v23_buf_fini(&msg);
    return rc == 0 || run_fail(&r->t->c, "our signature does not verify");
}

static bool same_discharges(struct replay *r, struct v23_bytes stream,
    const struct played *p, uint64_t dkey)
{
    struct v23_bytes sent = v23_bytes(r->blessings.p, r->blessings.n);
    struct tr_discharges ours = { { NULL }, 0 }, theirs = { { NULL }, 0 };
    bool ok = tr_discharges(r->t, stream, dkey, &theirs)
        && tr_discharges(r->t, sent, p->dkey, &ours);
    size_t i;

    if (ok && ours.n != theirs.n)
        ok = run_fail(&r->t->c, "flow %llu presents %zu discharges, want %zu",
            (unsigned long long)p->id, ours.n, theirs.n);
    for (i = 0; ok && i < ours.n; i++)
        if (!vsec_discharge_eq(ours.v[i], theirs.v[i]))
            ok = run_fail(&r->t->c, "flow %llu presents other discharges",
                (unsigned long long)p->id);
    tr_discharges_fini(&ours);
    tr_discharges_fini(&theirs);
    return ok;
}

/* Each of our flows presented what the recorded one did. */
static bool check_flow_blessings(struct replay *r, const struct played *p)
{
    const struct tr_stream *s = tr_stream(r->t, r->c->num, r->role, 1);
    struct vsec_blessings *ours = NULL, *theirs = NULL;
    const struct tr_frame *f;
    struct vrpc_msg m;
    bool ok = true;
    size_t i;

    for (i = 0; i < r->t->nframes && ok; i++) {
        f = &r->t->frames[i];
        if (f->conn != r->c->num || f->from != r->role || f->plain.n == 0
            || f->plain.p[0] != VRPC_MSG_OPEN_FLOW
            || vrpc_msg_decode(f->plain.p, f->plain.n, &m, NULL) != 0
            || m.u.open_flow.id != p->id)
            continue;
        ok = tr_blessings(r->t, s->bytes, m.u.open_flow.bkey, &theirs)
            && tr_blessings(r->t, v23_bytes(r->blessings.p, r->blessings.n),
                p->bkey, &ours);
        if (ok && !vsec_blessings_eq(ours, theirs))
            ok = run_fail(&r->t->c, "flow %llu presents other blessings",
                (unsigned long long)p->id);
        ok = ok && same_discharges(r, s->bytes, p, m.u.open_flow.dkey);
        vsec_blessings_unref(ours);
        vsec_blessings_unref(theirs);
        ours = theirs = NULL;
    }
    return ok;
}

static bool check_outcome(struct replay *r)
{
    size_t i;

    if (r->c->refused)
        return (r->ready == 0 && r->status == V23_ERPCVERSION)
            || run_fail(&r->t->c, "status %d after a refused Setup",
                r->status);
    if (!check_own_auth(r) || !verify_own_auth(r))
        return false;
    if (r->refuse)
        return (r->ready == 0 && r->status == V23_EUNTRUSTED)
            || run_fail(&r->t->c, "status %d after refusal", r->status);
    if (r->ready != 1 && sent_auth(r) && r->status != V23_EREMOTE)
        return run_fail(&r->t->c, "handshake not finished");
    for (i = 0; i < r->nflows; i++)
        if (!same_bytes(r, "received", &r->flows[i], &r->flows[i].got,
                1 - r->role)
            || !same_bytes(r, "sent", &r->flows[i], &r->flows[i].sent,
                r->role)
            || !check_flow_blessings(r, &r->flows[i]))
            return false;
    return true;
}

bool tr_replay(struct transcript *t, struct tr_conn *c, int role)
{
    struct replay *r = calloc(1, sizeof(*r));
    bool ok;
    size_t i;

    if (r == NULL)
        abort();
    r->t = t;
    r->c = c;
    r->role = role;
    r->now.mono_ns = V23_NS_PER_SEC;
    r->now.wall.sec = 1728388800;
    v23_arena_init(&r->arena, NULL, SIZE_MAX);
    v23_buf_init(&r->out, NULL, SIZE_MAX);
    v23_buf_init(&r->blessings, NULL, SIZE_MAX);
    v23_buf_init(&r->auth, NULL, SIZE_MAX);
    v23_buf_init(&r->first, NULL, SIZE_MAX);
    ok = find_setup(r) && endpoint(r, r->setup.u.setup.local, &r->local)
        && endpoint(r, r->setup.u.setup.remote, &r->remote)
        && find_principal(r) && find_discharges(r) && make_conn(r) && play(r) && check_outcome(r);
    vrpc_conn_free(r->conn);
    for (i = 0; i < r->nflows; i++) {
        v23_buf_fini(&r->flows[i].got);
        v23_buf_fini(&r->flows[i].sent);
    }
    v23_buf_fini(&r->out);
    v23_buf_fini(&r->blessings);
    v23_buf_fini(&r->auth);
    v23_buf_fini(&r->first);
    v23_arena_fini(&r->arena);
    tr_discharges_fini(&r->discharges);
    vsec_blessings_unref(r->own);
    vsec_principal_unref(r->principal);
    free(r);
    return ok;
}
