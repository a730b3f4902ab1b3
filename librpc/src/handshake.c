/* BSD-3-Clause; see LICENSE. */
/*
 * From two Setups to two authenticated peers (spec/rpc.md 7). The state lives
 * in struct vrpc_shake_ and is freed when both sides are known. Two steps may
 * take time: authorizing the acceptor and signing; both are asked with an op
 * and go on from vrpc_shake_resume_.
 *
 * The acceptor shows itself first; a dialer sends nothing about its identity
 * before it has authorized the acceptor.
 */
#include "conn_int.h"

#define TAG_SIZE 9 /* with its NUL */
static const char tag_dialer[TAG_SIZE] = "AuthDial";
static const char tag_acceptor[TAG_SIZE] = "AuthAcpt";

/* Working memory of one signature. */
#define SIGN_MEMORY 8192u

static const char *own_tag(const struct vrpc_conn *c)
{
    return c->role == VRPC_DIALER ? tag_dialer : tag_acceptor;
}

static const char *peer_tag(const struct vrpc_conn *c)
{
    return c->role == VRPC_DIALER ? tag_acceptor : tag_dialer;
}

/* ---- our Setup ----------------------------------------------------------- */

static int build_setup(struct vrpc_conn *c)
{
    struct vrpc_shake_ *hs = c->shake;
    struct vrpc_msg m;
    struct vdl_str text;
    int rc;

    memset(&m, 0, sizeof(m));
    m.type = VRPC_MSG_SETUP;
    m.u.setup.min_version = c->min_version;
    m.u.setup.max_version = c->max_version;
    memcpy(m.u.setup.key, c->key, sizeof(c->key));
    m.u.setup.has_key = true;
    m.u.setup.mtu = c->mtu;
    m.u.setup.shared_tokens = c->announced;
    if (!vrpc_endpoint_is_zero(&c->local)) {
        rc = vrpc_endpoint_text(&c->arena, &c->local, &text);
        if (rc != 0)
            return rc;
        m.u.setup.local = v23_bytes(text.p, text.n);
    }
    if (c->role == VRPC_DIALER) {
        rc = vrpc_endpoint_text(&c->arena, &c->remote, &text);
        if (rc != 0)
            return rc;
        m.u.setup.remote = v23_bytes(text.p, text.n);
    }
    vrpc_msg_encode(&m, &hs->setup);
    return hs->setup.err;
}

int vrpc_shake_new_(struct vrpc_conn *c, const struct vrpc_conn_config *cfg)
{
    struct v23_arena_mark mark;
    struct vrpc_shake_ *hs = v23_new(c->al, struct vrpc_shake_);
    int rc;

    if (hs == NULL)
        return V23_ENOMEM;
    c->shake = hs;
    v23_buf_init(&hs->setup, c->al, SIZE_MAX);
    v23_buf_init(&hs->binding, c->al, SIZE_MAX);
    v23_buf_init(&hs->auth, c->al, SIZE_MAX);
    if (cfg->random != NULL)
        rc = cfg->random(cfg->random_ud, hs->secret, sizeof(hs->secret));
    else
        rc = vsec_random_fill(c->principal->engine, hs->secret,
            sizeof(hs->secret));
    if (rc == 0)
        rc = c->box->public_key(hs->secret, c->key);
    if (rc != 0)
        return rc;
    mark = v23_arena_mark(&c->arena);
    rc = build_setup(c);
    v23_arena_rewind(&c->arena, mark);
    if (rc == 0)
        rc = vrpc_express_(c, hs->setup.p, hs->setup.n, true);
    return rc;
}

void vrpc_shake_free_(struct vrpc_conn *c)
{
    struct vrpc_shake_ *hs = c->shake;

    if (hs == NULL)
        return;
    if (hs->state == VRPC_HS_SIGN_ && !hs->answered)
        vsec_principal_sign_cancel(c->principal, c, hs->op);
    v23_wipe(hs->secret, sizeof(hs->secret));
    v23_buf_fini(&hs->setup);
    v23_buf_fini(&hs->binding);
    v23_buf_fini(&hs->auth);
    v23_put(c->al, hs);
    c->shake = NULL;
}

static struct v23_op next_op(struct vrpc_conn *c)
{
    struct v23_op op;

    if (++c->op_generation == 0)
        c->op_generation = 1;
    op.index = 0;
    op.generation = c->op_generation;
    c->shake->op = op;
    c->shake->answered = false;
    return op;
}

/* ---- the peer's Setup ---------------------------------------------------- */

static int take_endpoint(struct vrpc_conn *c, struct v23_bytes text,
    struct vrpc_endpoint *ep)
{
    struct vrpc_endpoint parsed;
    char *copy = v23_arena_dup(&c->arena, text.p, text.n);
    int rc;

    if (copy == NULL)
        return V23_ENOMEM;
    rc = vrpc_endpoint_parse(&c->arena, vdl_strn(copy, text.n), &parsed, NULL);
    if (rc == 0)
        *ep = parsed;
    return rc;
}

static int take_endpoints(struct vrpc_conn *c, const struct vrpc_setup *s)
{
    struct vrpc_endpoint ep;
    int rc = 0;

    if (vrpc_endpoint_is_zero(&c->local) && s->remote.n > 0)
        rc = take_endpoint(c, s->remote, &c->local);
    if (rc != 0 || s->local.n == 0)
        return rc;
    rc = take_endpoint(c, s->local, &ep);
    if (rc != 0)
        return rc;
    if (c->role == VRPC_ACCEPTOR) {
        c->remote = ep;
        return 0;
    }
    c->is_proxy = !vrpc_routing_id_is_null(&c->remote.rid)
        && !vrpc_routing_id_eq(&c->remote.rid, &ep.rid);
    c->remote.rid = ep.rid;
    return 0;
}

static int take_numbers(struct vrpc_conn *c, struct vrpc_setup *s)
{
    uint64_t pool = s->shared_tokens == 0 ? c->announced : s->shared_tokens;

    if (s->mtu == 0)
        s->mtu = c->mtu; /* before the binding is computed */
    if (s->mtu < c->mtu)
        c->mtu = (uint32_t)s->mtu;
    if (c->encapsulated && c->mtu <= VRPC_MTU_ENCAPSULATED)
        return V23_EPROTO;
    if (pool > c->announced)
        pool = c->announced;
    c->peer_pool = (uint32_t)pool;
    c->pool_tokens = pool;
    return 0;
}

static int derive_keys(struct vrpc_conn *c, const struct vrpc_setup *s)
{
    int order = memcmp(c->key, s->key, VRPC_KEY_SIZE);
    int rc;

    if (order == 0)
        return V23_EPROTO; /* our own Setup, reflected */
    rc = c->box->shared_key(c->shake->secret, s->key, c->shared_key);
    v23_wipe(c->shake->secret, sizeof(c->shake->secret));
    c->sent_dir = order < 0;
    c->recd_dir = order > 0;
    return rc;
}

static int make_binding(struct vrpc_conn *c, const struct vrpc_setup *theirs)
{
    struct vrpc_shake_ *hs = c->shake;
    struct vrpc_msg own;
    bool dialer = c->role == VRPC_DIALER;
    int rc = vrpc_msg_decode(hs->setup.p, hs->setup.n, &own, NULL);

    if (rc != 0)
        return rc;
    v23_buf_put(&hs->binding, own_tag(c), TAG_SIZE);
    rc = vrpc_binding(c->version, dialer ? &own.u.setup : theirs,
        dialer ? theirs : &own.u.setup, dialer && c->encapsulated,
        &hs->binding);
    v23_buf_fini(&hs->setup);
    return rc;
}

static int start_auth(struct vrpc_conn *c);

static int on_setup(struct vrpc_conn *c, struct vrpc_setup *s)
{
    uint64_t version;
    int rc;

    rc = vrpc_negotiate(c->min_version, c->max_version, s->min_version,
        s->max_version, &version);
    if (rc != 0)
        return vrpc_fail_(c, rc, "no compatible RPC version");
    c->version = (uint32_t)version;
    if (!s->has_key)
        return vrpc_fail_(c, V23_EMSG, "missing setup option: NaCl key");
    rc = take_numbers(c, s);
    if (rc == 0)
        rc = derive_keys(c, s);
    if (rc == 0)
        rc = make_binding(c, s);
    if (rc == 0)
        rc = take_endpoints(c, s);
    if (rc != 0)
        return vrpc_fail_(c, rc, NULL);
    c->sealed = true;
    c->rtt_ns = c->now.mono_ns - c->born_ns;
    c->shake->state = VRPC_HS_AUTH_;
    if (c->role == VRPC_DIALER)
        return 0;
    if (!c->hold)
        return start_auth(c);
    c->shake->state = VRPC_HS_HOLD_;
    return 0;
}

/* ---- our Auth ------------------------------------------------------------ */

static struct v23_bytes view(struct vdl_bytes b)
{
    return v23_bytes(b.p, b.n);
}

static void encode_auth(const struct vrpc_shake_ *hs,
    const struct vsec_signature *sig, struct v23_buf *out)
{
    struct vrpc_msg m;

    memset(&m, 0, sizeof(m));
    m.u.auth.bkey = hs->bkey;
    m.u.auth.dkey = hs->dkey;
    m.u.auth.purpose = view(sig->purpose);
    m.u.auth.hash = v23_bytes(sig->hash.p, sig->hash.n);
    if (sig->ed25519.n > 0) {
        m.type = VRPC_MSG_AUTH_ED25519;
        m.u.auth.sig = view(sig->ed25519);
    } else if (sig->rsa.n > 0) {
        m.type = VRPC_MSG_AUTH_RSA;
        m.u.auth.sig = view(sig->rsa);
    } else {
        m.type = VRPC_MSG_AUTH;
        m.u.auth.r = view(sig->r);
        m.u.auth.s = view(sig->s);
    }
    vrpc_msg_encode(&m, out);
}

/* Unsigned Auth: what we present has changed (spec/rpc.md 8.5). */
static int send_refresh(struct vrpc_conn *c, uint64_t bkey, uint64_t dkey)
{
    uint8_t mem[64];
    struct v23_buf b;
    struct vrpc_msg m;

    memset(&m, 0, sizeof(m));
    m.type = VRPC_MSG_AUTH;
    m.u.auth.bkey = bkey;
    m.u.auth.dkey = dkey;
    v23_buf_init_fixed(&b, mem, sizeof(mem));
    vrpc_msg_encode(&m, &b);
    return b.err != 0 ? b.err : vrpc_express_(c, b.p, b.n, false);
}

/* A dialer's Auth left the discharges out. */
static int send_own(struct vrpc_conn *c)
{
    uint64_t bkey, dkey;
    int rc = vrpc_blessings_send_(c, c->own, &c->own_discharges, &bkey, &dkey);

    return rc != 0 ? rc : send_refresh(c, bkey, dkey);
}

/* Both sides are known. */
static int finish(struct vrpc_conn *c)
{
    int rc;

    vrpc_shake_free_(c);
    c->status = VRPC_CONN_ACTIVE;
    c->deadline = V23_NEVER;
    c->health_request_at = c->now.mono_ns + c->channel_timeout_ns / 2;
    c->health_close_at = c->now.mono_ns + c->channel_timeout_ns;
    c->last_use_ns = c->now.mono_ns;
    if (c->role == VRPC_DIALER && c->has_handler && !c->hold) {
        rc = send_own(c);
        if (rc != 0)
            return vrpc_fail_(c, rc, NULL);
    }
    if (c->hooks->ready != NULL)
        c->hooks->ready(c->ud, c);
    return 0;
}

static int send_auth(struct vrpc_conn *c, const struct v23_buf *msg)
{
    int rc = msg->err != 0 ? msg->err
                           : vrpc_express_(c, msg->p, msg->n, false);

    if (rc != 0)
        return vrpc_fail_(c, rc, NULL);
    if (c->role == VRPC_DIALER)
        return finish(c);
    c->shake->state = VRPC_HS_AUTH_;
    return 0;
}

/* The signer answers late; not inside a verb, perhaps. */
static void signed_later(void *ud, struct v23_op op, int rc,
    const struct vsec_signature *sig)
{
    struct vrpc_conn *c = ud;
    struct vrpc_shake_ *hs = c->shake;

    if (hs == NULL || hs->state != VRPC_HS_SIGN_ || hs->answered
        || hs->op.generation != op.generation)
        return;
    if (rc == 0)
        encode_auth(hs, sig, &hs->auth);
    hs->answer = rc;
    hs->answered = true;
    vrpc_wake_(c);
}

/* Show our blessings and sign. */
static int start_auth(struct vrpc_conn *c)
{
    static const struct vrpc_discharges_ none = { NULL, 0 };
    struct vrpc_shake_ *hs = c->shake;
    struct vsec_sign_wait wait;
    struct vsec_signature sig;
    struct v23_arena a;
    int rc;

    rc = vrpc_blessings_send_(c, c->own,
        c->role == VRPC_DIALER ? &none : &c->own_discharges, &hs->bkey,
        &hs->dkey);
    if (rc != 0)
        return vrpc_fail_(c, rc, NULL);
    memcpy(hs->binding.p, own_tag(c), TAG_SIZE);
    wait.done = signed_later;
    wait.ud = c;
    wait.op = next_op(c);
    v23_arena_init(&a, c->al, SIGN_MEMORY);
    rc = vsec_principal_sign(c->principal, hs->binding.p, hs->binding.n, &a,
        &sig, &wait);
    if (rc == 0)
        encode_auth(hs, &sig, &hs->auth);
    v23_arena_fini(&a);
    if (rc == V23_EAGAIN) {
        hs->state = VRPC_HS_SIGN_;
        return 0;
    }
    if (rc != 0)
        return vrpc_fail_(c, rc, "signing failed");
    return send_auth(c, &hs->auth);
}

/* ---- the peer's Auth ----------------------------------------------------- */

static int refused(struct vrpc_conn *c, int rc)
{
    return vrpc_fail_(c, rc == V23_OK ? V23_EUNTRUSTED : rc, NULL);
}

static int authorize(struct vrpc_conn *c)
{
    int rc;

    if (c->is_proxy && c->encapsulated)
        return vrpc_fail_(c, V23_EUNTRUSTED,
            "the proxy led to another routing id");
    if (c->is_proxy)
        return start_auth(c);
    c->shake->state = VRPC_HS_AUTHORIZE_;
    rc = c->hooks->authorize_peer(c->ud, c, next_op(c));
    if (c->dead)
        return V23_ECLOSED;
    if (vrpc_is_closing_(c))
        return c->close_status;
    if (rc == V23_EAGAIN)
        return 0;
    return rc == 0 ? start_auth(c) : refused(c, rc);
}

static int verify(struct vrpc_conn *c, const struct vrpc_msg *m)
{
    const struct vrpc_auth *a = &m->u.auth;
    struct v23_buf *msg = &c->shake->binding;
    struct vsec_signature sig;
    int rc;

    memset(&sig, 0, sizeof(sig));
    sig.purpose = vdl_bytes(a->purpose.p, a->purpose.n);
    sig.hash = vdl_strn((const char *)a->hash.p, a->hash.n);
    if (m->type == VRPC_MSG_AUTH_ED25519) {
        sig.ed25519 = vdl_bytes(a->sig.p, a->sig.n);
    } else if (m->type == VRPC_MSG_AUTH_RSA) {
        sig.rsa = vdl_bytes(a->sig.p, a->sig.n);
    } else {
        sig.r = vdl_bytes(a->r.p, a->r.n);
        sig.s = vdl_bytes(a->s.p, a->s.n);
    }
    if (!vdl_bytes_eq(sig.purpose,
            vdl_bytes((const uint8_t *)VSEC_PURPOSE_MESSAGE,
                sizeof(VSEC_PURPOSE_MESSAGE) - 1)))
        return V23_EBINDING;
    memcpy(msg->p, peer_tag(c), TAG_SIZE);
    rc = vsec_verify(c->peer_key, &sig, msg->p, msg->n);
    return rc == V23_ENOMEM || rc == 0 ? rc : V23_EBINDING;
}

static int on_auth(struct vrpc_conn *c, const struct vrpc_msg *m)
{
    const struct vrpc_auth *a = &m->u.auth;
    const struct vrpc_recd_ *r;
    int rc;

    rc = vrpc_blessings_fetch_(c, a->bkey, a->dkey);
    if (rc != 0)
        return vrpc_fail_(c, rc, NULL);
    r = vrpc_blessings_known_(c, a->bkey);
    if (r->b == NULL)
        return vrpc_fail_(c, V23_EBINDING,
            c->role == VRPC_DIALER ? "acceptor presents no blessings"
                                   : "dialer presents no public key");
    c->peer_key = vsec_pubkey_ref(vsec_blessings_key(r->b));
    c->peer_bkey = a->bkey;
    c->peer_dkey = a->dkey;
    rc = vrpc_blessings_bind_(c);
    if (rc == 0)
        rc = verify(c, m);
    if (rc != 0)
        return vrpc_fail_(c, rc, "invalid channel binding signature");
    return c->role == VRPC_DIALER ? authorize(c) : finish(c);
}

int vrpc_refreshed_(struct vrpc_conn *c, const struct vrpc_auth *a)
{
    const struct vrpc_recd_ *r;
    int rc = vrpc_blessings_fetch_(c, a->bkey, a->dkey);

    if (rc != 0)
        return vrpc_fail_(c, rc, NULL);
    r = vrpc_blessings_known_(c, a->bkey);
    if (r->b == NULL)
        return vrpc_fail_(c, V23_EPROTO, "refresh without blessings");
    c->peer_bkey = a->bkey;
    c->peer_dkey = a->dkey;
    if (c->hooks->refreshed != NULL)
        c->hooks->refreshed(c->ud, c);
    return 0;
}

/* ---- messages and answers ------------------------------------------------ */

static int remote_error(struct vrpc_conn *c, struct v23_bytes text)
{
    vrpc_set_text_(c, text.p, text.n,
        text.n == 0 ? "" : "remote end received err: ");
    vrpc_close_(c, text.n == 0 ? V23_ECLOSED : V23_EREMOTE, NULL, false);
    return c->close_status;
}

int vrpc_shake_input_(struct vrpc_conn *c, const uint8_t *p, size_t n)
{
    struct vrpc_msg m;
    int rc = vrpc_msg_decode(p, n, &m, NULL);

    if (rc != 0)
        return vrpc_fail_(c, rc, "invalid message in the handshake");
    if (m.type == VRPC_MSG_TEAR_DOWN)
        return remote_error(c, m.u.text);
    if (!c->sealed) {
        if (m.type != VRPC_MSG_SETUP)
            return vrpc_fail_(c, V23_EPROTO, "first message is not Setup");
        return on_setup(c, &m.u.setup);
    }
    switch (m.type) {
    case VRPC_MSG_DATA:
        if (m.u.data.id == VRPC_BLESSINGS_FLOW_
            && (m.u.data.flags & VRPC_FLOW_CLEAR) == 0) {
            rc = vrpc_blessings_input_(c, m.u.data.payload);
            return rc == 0 ? 0 : vrpc_fail_(c, rc, NULL);
        }
        break;
    case VRPC_MSG_AUTH:
    case VRPC_MSG_AUTH_ED25519:
    case VRPC_MSG_AUTH_RSA:
        if (c->shake->state == VRPC_HS_AUTH_)
            return on_auth(c, &m);
        break;
    default:
        break;
    }
    return vrpc_fail_(c, V23_EPROTO, "unexpected message in the handshake");
}

int vrpc_shake_resume_(struct vrpc_conn *c)
{
    struct vrpc_shake_ *hs = c->shake;

    hs->answered = false;
    if (hs->state == VRPC_HS_HOLD_)
        return start_auth(c);
    if (hs->state == VRPC_HS_AUTHORIZE_)
        return hs->answer == 0 ? start_auth(c) : refused(c, hs->answer);
    if (hs->answer != 0)
        return vrpc_fail_(c, hs->answer, "signing failed");
    hs->state = VRPC_HS_AUTH_; /* nothing to cancel any more */
    return send_auth(c, &hs->auth);
}

void vrpc_conn_authorize_complete(struct vrpc_conn *c, struct v23_op op,
    int status)
{
    struct vrpc_shake_ *hs = c->shake;

    if (hs == NULL || hs->state != VRPC_HS_AUTHORIZE_ || hs->answered
        || hs->op.generation != op.generation)
        return;
    hs->answer = status;
    hs->answered = true;
    vrpc_wake_(c);
}

static void set_own(struct vrpc_conn *c, struct vsec_blessings *b,
    const struct vrpc_discharges_ *d)
{
    vsec_blessings_ref(b);
    vsec_blessings_unref(c->own);
    c->own = b;
    vrpc_discharges_fini_(c->al, &c->own_discharges);
    c->own_discharges = *d;
}

int vrpc_conn_present(struct vrpc_conn *c, struct vsec_blessings *b,
    struct vsec_discharge *const *discharges, size_t n)
{
    struct vrpc_discharges_ d;
    int rc;

    if (vrpc_is_closing_(c))
        return V23_ECLOSED;
    if (!c->hold)
        return V23_ESTATE;
    if (b != NULL && !vsec_pubkey_eq(vsec_blessings_key(b), c->principal->key))
        return V23_EARG;
    rc = vrpc_discharges_copy_(c->al, &d, discharges, b == NULL ? 0 : n);
    if (rc != 0)
        return rc;
    set_own(c, b, &d);
    c->hold = false;
    if (c->shake == NULL) /* a dialer, and it is done */
        rc = send_own(c);
    else if (c->shake->state == VRPC_HS_HOLD_)
        c->shake->answered = true;
    vrpc_wake_(c);
    return rc;
}

int vrpc_conn_refresh(struct vrpc_conn *c, struct vsec_blessings *b,
    struct vsec_discharge *const *discharges, size_t n)
{
    struct vrpc_discharges_ d = { NULL, 0 };
    uint64_t bkey, dkey;
    int rc;

    if (vrpc_is_closing_(c))
        return V23_ECLOSED;
    if (c->shake != NULL)
        return V23_ESTATE;
    if (b == NULL || !vsec_pubkey_eq(vsec_blessings_key(b), c->principal->key))
        return V23_EARG;
    rc = vrpc_discharges_copy_(c->al, &d, discharges, n);
    if (rc == 0)
        rc = vrpc_blessings_send_(c, b, &d, &bkey, &dkey);
    if (rc == 0)
        rc = send_refresh(c, bkey, dkey);
    if (rc != 0) {
        vrpc_discharges_fini_(c->al, &d);
        return rc;
    }
    set_own(c, b, &d);
    vrpc_wake_(c);
    return 0;
}
