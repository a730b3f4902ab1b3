/* BSD-3-Clause; see LICENSE. */
/* Handshake, flows, closing, refresh: two connections in one process. */
#include "rig.h"

static bool got_is(const struct end *e, const char *text)
{
    return e->got.n == strlen(text) && memcmp(e->got.p, text, e->got.n) == 0;
}

/* ---- handshake -------------------------------------------------------------- */

START_TEST(handshake_works_at_every_version)
{
    R.dcfg.max_version = (uint32_t)_i;

    rig_connect();

    ck_assert_uint_eq(vrpc_conn_version(R.d.conn), (unsigned)_i);
    ck_assert_uint_eq(vrpc_conn_version(R.a.conn), (unsigned)_i);
    ck_assert(vsec_blessings_eq(vrpc_conn_remote_blessings(R.d.conn),
        R.server));
    ck_assert(vsec_blessings_is_nameless(
        vrpc_conn_remote_blessings(R.a.conn)));
    ck_assert(vsec_pubkey_eq(
        vsec_blessings_key(vrpc_conn_remote_blessings(R.a.conn)),
        R.d.principal->key));
    ck_assert(vrpc_conn_can_open(R.d.conn));
    ck_assert(!vrpc_conn_can_open(R.a.conn)); /* the dialer is no server */
}
END_TEST

START_TEST(handshake_works_in_pieces)
{
    R.chunk = (size_t)_i;

    rig_connect();
}
END_TEST

START_TEST(handshake_works_over_messages)
{
    R.dcfg.message_transport = R.acfg.message_transport = true;

    rig_connect();
    ck_assert(vrpc_conn_output_was_sealed(R.d.conn));
}
END_TEST

START_TEST(handshake_works_encapsulated)
{
    static struct vdl_str routes[] = { VDL_STR_INIT("p1"),
        VDL_STR_INIT("p2") };

    R.dcfg.message_transport = R.acfg.message_transport = true;
    R.dcfg.encapsulated = R.acfg.encapsulated = true;
    R.aep.routes.v = routes;
    R.aep.routes.n = 2;
    ck_assert_int_eq(rig_conns(&R), 0);
    /* The proxies take their routes off the Setup on its way. */
    ck_assert_int_eq(rig_fetch(&R.d), 0);
    {
        struct vrpc_msg m;
        struct v23_buf b;
        struct v23_arena a;
        struct vrpc_endpoint ep;
        struct vdl_str text;

        ck_assert(!vrpc_conn_output_was_sealed(R.d.conn));
        ck_assert_int_eq(vrpc_msg_decode(R.d.out.p, R.d.out.n, &m, NULL), 0);
        v23_arena_init(&a, NULL, SIZE_MAX);
        ck_assert_int_eq(vrpc_endpoint_parse(&a,
            vdl_strn((const char *)m.u.setup.remote.p, m.u.setup.remote.n),
            &ep, NULL), 0);
        ck_assert_uint_eq(ep.routes.n, 2); /* sent unchanged */
        ep.routes.n = 0;
        ck_assert_int_eq(vrpc_endpoint_text(&a, &ep, &text), 0);
        m.u.setup.remote = v23_bytes(text.p, text.n);
        v23_buf_init(&b, NULL, SIZE_MAX);
        vrpc_msg_encode(&m, &b);
        ck_assert_int_eq(b.err, 0);
        ck_assert_int_eq(vrpc_conn_input(R.a.conn, b.p, b.n, &R.now), 0);
        v23_buf_fini(&b);
        v23_arena_fini(&a);
    }

    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.ready, 1);
    ck_assert_int_eq(R.a.ready, 1);
}
END_TEST

START_TEST(handshake_adopts_endpoints)
{
    R.dcfg.local = NULL;
    R.acfg.local = NULL;
    R.acfg.min_version = R.acfg.max_version = 13;

    rig_connect();

    /* The acceptor takes the dialer's view of it. */
    ck_assert(vdl_str_is(vrpc_conn_local_endpoint(R.a.conn)->address,
        "127.0.0.1:8100"));
    ck_assert(vrpc_endpoint_is_zero(vrpc_conn_local_endpoint(R.d.conn)));
    ck_assert(!vrpc_conn_can_open(R.a.conn));
}
END_TEST

START_TEST(numbers_are_the_smaller_ones)
{
    R.dcfg.mtu = 1024;
    R.dcfg.bytes_buffered = 4096;
    R.acfg.mtu = 2048;
    R.acfg.bytes_buffered = 8192;

    rig_connect();

    ck_assert_uint_eq(vrpc_conn_mtu(R.d.conn), 1024);
    ck_assert_uint_eq(vrpc_conn_mtu(R.a.conn), 1024);
}
END_TEST

START_TEST(versions_without_overlap_are_refused)
{
    R.dcfg.min_version = 14;
    R.acfg.max_version = 13;
    ck_assert_int_eq(rig_conns(&R), 0);

    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.closed, 1);
    ck_assert_int_eq(R.a.closed, 1);
    ck_assert_int_eq(R.d.ready + R.a.ready, 0);
    /* Both find out by themselves, or by the other's TearDown. */
    ck_assert(R.d.close_status == V23_ERPCVERSION
        || R.a.close_status == V23_ERPCVERSION);
}
END_TEST

START_TEST(peer_authorization_may_refuse)
{
    R.d.authorize_rc = V23_EUNTRUSTED;
    ck_assert_int_eq(rig_conns(&R), 0);

    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.close_status, V23_EUNTRUSTED);
    ck_assert_int_eq(R.d.ready, 0);
    ck_assert_int_eq(R.a.close_status, V23_EREMOTE);
    ck_assert_ptr_nonnull(strstr(R.a.text, v23_strerror(V23_EUNTRUSTED)));
    /* It has not learned who the dialer is. */
    ck_assert_ptr_null(vrpc_conn_remote_blessings(R.a.conn));
}
END_TEST

START_TEST(peer_authorization_may_take_its_time)
{
    struct v23_op stale = { 0, 99 };

    R.d.authorize_rc = V23_EAGAIN;
    ck_assert_int_eq(rig_conns(&R), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(R.d.ready, 0);

    vrpc_conn_authorize_complete(R.d.conn, stale, 0);
    ck_assert_int_eq(R.d.wakes, 0);
    vrpc_conn_authorize_complete(R.d.conn, R.d.authorize_op, 0);
    vrpc_conn_authorize_complete(R.d.conn, R.d.authorize_op, V23_EDENIED);
    ck_assert_int_eq(R.d.ready, 0); /* not from inside */
    ck_assert_int_eq(R.d.wakes, 1);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.ready, 1);
    ck_assert_int_eq(R.a.ready, 1);
}
END_TEST

START_TEST(other_routing_id_means_proxy)
{
    struct vrpc_endpoint ep = R.aep;

    ep.rid = vrpc_routing_id_fixed(8);
    R.dcfg.remote = &ep;
    R.d.authorize_rc = V23_EDENIED; /* is not asked */

    rig_connect();

    ck_assert(vrpc_conn_is_proxy(R.d.conn));
    ck_assert(vrpc_routing_id_eq(&vrpc_conn_remote_endpoint(R.d.conn)->rid,
        &R.aep.rid));
}
END_TEST

/* A signer that answers later. */
struct slow {
    struct vsec_signer base;
    struct vsec_signer *real;
    struct vsec_sign_req req;
    uint8_t buf[VSEC_SIG_MAX];
    bool waiting;
    int cancelled;
};

static int slow_sign(struct vsec_signer *s, const struct vsec_sign_req *req,
    uint8_t *buf, struct vsec_sigval *sig)
{
    struct slow *w = (struct slow *)(void *)s;

    (void)buf;
    (void)sig;
    if (req->wait.done == NULL)
        return w->real->ops->sign(w->real, req, buf, sig);
    w->req = *req;
    w->waiting = true;
    return V23_EAGAIN;
}

static void slow_cancel(struct vsec_signer *s, void *ud, struct v23_op op)
{
    struct slow *w = (struct slow *)(void *)s;

    (void)ud;
    (void)op;
    w->waiting = false;
    w->cancelled++;
}

static void slow_destroy(struct vsec_signer *s)
{
    (void)s; /* on the stack */
}

static const struct vsec_key_ops slow_ops = { slow_sign, slow_cancel,
    slow_destroy, NULL };

static void slow_answer(struct slow *w)
{
    struct vsec_sigval val;
    int rc;

    ck_assert(w->waiting);
    w->waiting = false;
    rc = w->real->ops->sign(w->real, &w->req, w->buf, &val);
    vsec_sign_complete(&w->req, rc, &val);
}

static struct vsec_principal *slow_principal(struct slow *w,
    struct vsec_principal *p)
{
    struct vsec_principal *out;

    memset(w, 0, sizeof(*w));
    vsec_signer_init(&w->base, &slow_ops, p->key);
    w->real = p->signer;
    ck_assert_int_eq(vsec_principal_new(R.engine, &w->base, NULL, NULL, NULL,
        &out), 0);
    return out;
}

START_TEST(signers_may_take_their_time)
{
    struct slow ds, as;
    struct vsec_principal *dp = slow_principal(&ds, R.d.principal);
    struct vsec_principal *ap = slow_principal(&as, R.a.principal);

    R.dcfg.principal = dp;
    R.acfg.principal = ap;
    ck_assert_int_eq(rig_conns(&R), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    slow_answer(&as);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(R.d.ready, 0);
    slow_answer(&ds);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.ready, 1);
    ck_assert_int_eq(R.a.ready, 1);
    vrpc_conn_free(R.d.conn);
    vrpc_conn_free(R.a.conn);
    R.d.conn = R.a.conn = NULL;
    vsec_principal_unref(dp);
    vsec_principal_unref(ap);
    vsec_signer_unref(&ds.base);
    vsec_signer_unref(&as.base);
}
END_TEST

START_TEST(pending_signature_is_cancelled)
{
    struct slow as;
    struct vsec_principal *ap = slow_principal(&as, R.a.principal);

    R.acfg.principal = ap;
    ck_assert_int_eq(rig_conns(&R), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert(as.waiting);

    vrpc_conn_free(R.a.conn);
    R.a.conn = NULL;

    ck_assert_int_eq(as.cancelled, 1);
    vsec_principal_unref(ap);
    vsec_signer_unref(&as.base);
}
END_TEST

START_TEST(handshake_times_out)
{
    ck_assert_int_eq(vrpc_conn_new(&R.acfg, &R.now, &R.a.conn), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    rig_sleep(&R, 59 * V23_NS_PER_SEC);
    ck_assert_int_eq(R.a.closed, 0);
    rig_sleep(&R, 1 * V23_NS_PER_SEC);

    ck_assert_int_eq(R.a.closed, 1);
    ck_assert_int_eq(R.a.close_status, V23_ETIMEOUT);
}
END_TEST

/* ---- attacks on the handshake ------------------------------------------------ */

/* Deliver d's Setup, changed by `edit`, and the rest unchanged. */
static void run_edited(void (*edit)(struct vrpc_setup *s))
{
    struct vrpc_msg m;
    struct v23_buf b;
    int rc;

    R.dcfg.message_transport = R.acfg.message_transport = true;
    ck_assert_int_eq(rig_conns(&R), 0);
    ck_assert_int_eq(rig_fetch(&R.d), 0);
    ck_assert_int_eq(vrpc_msg_decode(R.d.out.p, R.d.out.n, &m, NULL), 0);
    edit(&m.u.setup);
    v23_buf_init(&b, NULL, SIZE_MAX);
    vrpc_msg_encode(&m, &b);
    rc = vrpc_conn_input(R.a.conn, b.p, b.n, &R.now);
    ck_assert_int_eq(rc, R.a.close_status);
    v23_buf_fini(&b);
    ck_assert_int_eq(rig_run(&R), 0);
}

static void edit_mtu(struct vrpc_setup *s)
{
    s->mtu = 100;
}

static void edit_versions(struct vrpc_setup *s)
{
    s->max_version = 13;
}

static void edit_nothing(struct vrpc_setup *s)
{
    (void)s;
}

static void edit_no_key(struct vrpc_setup *s)
{
    s->has_key = false;
}

static void edit_low_order_key(struct vrpc_setup *s)
{
    memset(s->key, 0, sizeof(s->key));
    s->key[0] = 1;
}

START_TEST(unchanged_setup_connects)
{
    run_edited(edit_nothing);

    ck_assert_int_eq(R.d.ready, 1);
    ck_assert_int_eq(R.a.ready, 1);
}
END_TEST

START_TEST(changed_setup_fails_the_binding)
{
    run_edited(edit_mtu);

    ck_assert_int_eq(R.d.ready, 0);
    ck_assert_int_eq(R.a.ready, 0);
    ck_assert_int_eq(R.d.close_status, V23_EBINDING);
}
END_TEST

START_TEST(downgrade_fails_the_binding)
{
    run_edited(edit_versions);

    ck_assert_int_eq(R.d.ready, 0);
    ck_assert_int_eq(R.d.close_status, V23_EBINDING);
}
END_TEST

START_TEST(setup_without_key_is_refused)
{
    run_edited(edit_no_key);

    ck_assert_int_eq(R.a.close_status, V23_EMSG);
}
END_TEST

START_TEST(low_order_key_is_refused)
{
    run_edited(edit_low_order_key);

    ck_assert_int_eq(R.a.close_status, V23_EKEY);
}
END_TEST

START_TEST(reflected_setup_is_refused)
{
    ck_assert_int_eq(vrpc_conn_new(&R.dcfg, &R.now, &R.d.conn), 0);
    ck_assert_int_eq(rig_fetch(&R.d), 0);

    ck_assert_int_eq(rig_feed(&R.d, R.d.out.p, R.d.out.n), V23_EPROTO);
    ck_assert_int_eq(R.d.closed, 1);
}
END_TEST

START_TEST(replayed_connection_is_refused)
{
    struct v23_buf tape;
    size_t used;

    /* What a dialer said to one acceptor is played to another. */
    v23_buf_init(&tape, NULL, SIZE_MAX);
    ck_assert_int_eq(rig_conns(&R), 0);
    while (R.a.ready == 0) {
        R.d.out.n = R.a.out.n = 0;
        ck_assert_int_eq(rig_fetch(&R.d), 0);
        v23_buf_put(&tape, R.d.out.p, R.d.out.n);
        ck_assert_int_eq(rig_feed(&R.a, R.d.out.p, R.d.out.n), 0);
        ck_assert_int_eq(rig_fetch(&R.a), 0);
        ck_assert_int_eq(rig_feed(&R.d, R.a.out.p, R.a.out.n), 0);
    }
    vrpc_conn_free(R.a.conn);
    ck_assert_int_eq(vrpc_conn_new(&R.acfg, &R.now, &R.a.conn), 0);
    R.a.ready = 0;

    used = tape.n;
    ck_assert_int_ne(rig_feed(&R.a, tape.p, used), 0);

    ck_assert_int_eq(R.a.ready, 0);
    ck_assert_int_eq(R.a.close_status, V23_EBOX);
    v23_buf_fini(&tape);
}
END_TEST

/* Does a changed Setup frame mean the same? (Letters that are not looked at.) */
static bool same_setup(const uint8_t *frame, size_t n, size_t at, uint8_t bit)
{
    struct vrpc_msg m;
    struct v23_buf b;
    uint8_t *copy;
    bool same;

    if (n < 4 || frame[3] != VRPC_MSG_SETUP || at < 4)
        return false;
    copy = malloc(n);
    memcpy(copy, frame, n);
    copy[at] ^= bit;
    v23_buf_init(&b, NULL, SIZE_MAX);
    same = vrpc_msg_decode(copy + 3, n - 3, &m, NULL) == 0;
    if (same) {
        vrpc_msg_encode(&m, &b);
        same = b.n == n - 3 && memcmp(b.p, frame + 3, b.n) == 0;
    }
    v23_buf_fini(&b);
    free(copy);
    return same;
}

/* Any bit flipped anywhere in either direction ends the handshake. */
START_TEST(flipped_bits_never_authenticate)
{
    size_t i, n[2] = { 0, 0 };
    int dir;

    R.acfg.max_version = 14;
    for (dir = 0; dir < 2; dir++) {
        for (i = 0; i == 0 || i < n[dir]; i += 3) {
            size_t at[2] = { 0, 0 };
            bool same = false;

            R.d.ready = R.a.ready = R.d.closed = R.a.closed = 0;
            ck_assert_int_eq(rig_conns(&R), 0);
            while (R.d.closed + R.a.closed == 0
                && !(R.d.ready == 1 && R.a.ready == 1)
                && (rig_busy(&R.d) || rig_busy(&R.a))) {
                struct end *e[2] = { &R.d, &R.a };
                int k;

                for (k = 0; k < 2; k++) {
                    struct end *from = e[k];

                    from->out.n = 0;
                    ck_assert_int_eq(rig_fetch(from), 0);
                    if (k == dir && i >= at[k] && i - at[k] < from->out.n) {
                        uint8_t bit = (uint8_t)(1u << (i % 8));

                        same = same_setup(from->out.p, from->out.n, i - at[k],
                            bit);
                        from->out.p[i - at[k]] ^= bit;
                    }
                    at[k] += from->out.n;
                    if (from->peer->closed == 0)
                        (void)rig_feed(from->peer, from->out.p, from->out.n);
                }
            }
            n[dir] = at[dir];
            ck_assert_msg(same || !(R.d.ready == 1 && R.a.ready == 1),
                "direction %d byte %zu", dir, i);
            vrpc_conn_free(R.d.conn);
            vrpc_conn_free(R.a.conn);
            R.d.conn = R.a.conn = NULL;
        }
    }
}
END_TEST

/* Cut anywhere: nobody is ready twice, no leak, closed exactly once. */
START_TEST(cut_links_close_once)
{
    size_t limit, at;
    bool whole = false;

    for (limit = 0; !whole; limit += 37) {
        R.d.ready = R.a.ready = R.d.closed = R.a.closed = 0;
        ck_assert_int_eq(rig_conns(&R), 0);
        whole = true;
        at = 0;
        while (rig_busy(&R.d) || rig_busy(&R.a)) {
            struct end *e = rig_busy(&R.d) ? &R.d : &R.a;
            size_t n;

            e->out.n = 0;
            ck_assert_int_eq(rig_fetch(e), 0);
            n = e->out.n;
            if (at + n > limit) {
                n = limit - at;
                whole = false;
            }
            ck_assert_int_eq(rig_feed(e->peer, e->out.p, n), 0);
            at += n;
            if (!whole)
                break;
        }
        vrpc_conn_input_end(R.d.conn, V23_ECLOSED, NULL, &R.now);
        vrpc_conn_input_end(R.a.conn, V23_ESYS, "reset", &R.now);
        ck_assert_int_eq(R.d.closed, 1);
        ck_assert_int_eq(R.a.closed, 1);
        ck_assert_str_eq(R.a.text, "reset");
        ck_assert(!vrpc_conn_wants_output(R.d.conn));
        vrpc_conn_free(R.d.conn);
        vrpc_conn_free(R.a.conn);
        R.d.conn = R.a.conn = NULL;
    }
    ck_assert_int_eq(R.a.ready, 1);
}
END_TEST

START_TEST(foreign_bytes_are_refused)
{
    static const char *const bad[] = {
        "47 45 54 20 2f 20", /* HTTP */
        "ff ff ff", /* empty frame */
        "00 00 00", /* 16 MiB */
        "ff bf fe", /* just over the limit */
        "ff ff fe 7c", /* not Setup */
        "ff ff fc 7e 0b 0e" /* Setup without key */
    };
    struct v23_bytes b = hex(bad[_i]);
    uint8_t p[16];

    ck_assert_int_eq(vrpc_conn_new(&R.acfg, &R.now, &R.a.conn), 0);
    memcpy(p, b.p, b.n);

    ck_assert_int_lt(rig_feed(&R.a, p, b.n), 0);

    ck_assert_int_eq(R.a.closed, 1);
    ck_assert_int_lt(vrpc_conn_input(R.a.conn, p, 1, &R.now), 0);
    ck_assert_int_eq(R.a.closed, 1);
}
END_TEST

START_TEST(announced_frame_takes_no_memory)
{
    uint8_t p[3];
    size_t before;

    ck_assert_int_eq(vrpc_conn_new(&R.acfg, &R.now, &R.a.conn), 0);
    before = R.t.bytes;
    ck_assert_int_eq(vrpc_frame_put(p, 16000), 0);

    ck_assert_int_eq(rig_feed(&R.a, p, 3), 0);

    ck_assert_uint_le(R.t.bytes, before + 64);
}
END_TEST

/* ---- flows ------------------------------------------------------------------- */

START_TEST(flow_carries_bytes_both_ways)
{
    struct vrpc_flow *f;

    R.a.echo = true;
    rig_connect();
    f = rig_open();

    ck_assert_int_eq(vrpc_flow_write(f, "hel", 3), 0);
    ck_assert_int_eq(vrpc_flow_write(f, "lo", 2), 0);
    ck_assert_int_eq(R.d.wakes, 1);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert(got_is(&R.a, "hello"));
    ck_assert(got_is(&R.d, "hello"));
    ck_assert_int_eq(R.a.opened, 1);
    ck_assert_int_eq(R.a.readable, 1); /* one message */
    ck_assert_uint_eq(vrpc_flow_id(f), 10);
    ck_assert(vsec_blessings_eq(vrpc_flow_remote_blessings(R.a.flows[0]),
        R.client));
    ck_assert(vsec_blessings_eq(vrpc_flow_remote_blessings(f), R.server));
    ck_assert_uint_eq(vrpc_conn_flows(R.a.conn), 1);
    vrpc_flow_close(f);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(R.a.flow_closed, 1);
    ck_assert_int_eq(R.a.flow_close_status, 0);
    vrpc_flow_close(R.a.flows[0]);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_uint_eq(vrpc_conn_flows(R.a.conn), 0);
    ck_assert_uint_eq(vrpc_conn_flows(R.d.conn), 0);
}
END_TEST

START_TEST(flow_never_written_leaves_no_trace)
{
    struct vrpc_flow *f, *g;

    rig_connect();
    f = rig_open();
    g = rig_open();

    vrpc_flow_close(f);
    vrpc_flow_cancel(g);

    ck_assert(!vrpc_conn_wants_output(R.d.conn));
    ck_assert_uint_eq(vrpc_conn_flows(R.d.conn), 0);
}
END_TEST

START_TEST(flows_open_in_the_order_written)
{
    struct vrpc_flow *f, *g;

    rig_connect();
    f = rig_open();
    g = rig_open();

    ck_assert_int_eq(vrpc_flow_write(g, "t", 1), 0);
    ck_assert_int_eq(vrpc_flow_write(f, "d", 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(vrpc_flow_id(R.a.flows[0]), 12);
    ck_assert_uint_eq(vrpc_flow_id(R.a.flows[1]), 10);
    ck_assert(got_is(&R.a, "td"));
}
END_TEST

START_TEST(close_carries_the_last_bytes)
{
    struct vrpc_flow *f;

    R.a.close_on_eof = true;
    rig_connect();
    f = rig_open();

    ck_assert_int_eq(vrpc_flow_write(f, "bye", 3), 0);
    vrpc_flow_close(f);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert(got_is(&R.a, "bye"));
    ck_assert_int_eq(R.a.flow_closed, 1);
    ck_assert_uint_eq(vrpc_conn_flows(R.a.conn), 0);
    ck_assert_uint_eq(vrpc_conn_flows(R.d.conn), 0);
}
END_TEST

START_TEST(cancel_drops_what_is_queued)
{
    struct vrpc_flow *f;

    R.a.close_on_eof = true;
    rig_connect();
    f = rig_open();
    ck_assert_int_eq(vrpc_flow_write(f, "one", 3), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(vrpc_flow_write(f, "two", 3), 0);
    vrpc_flow_cancel(f);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert(got_is(&R.a, "one"));
    ck_assert_int_eq(R.a.flow_closed, 1);
}
END_TEST

START_TEST(bytes_stay_readable_after_close)
{
    struct vrpc_flow *f;
    struct v23_bytes b;

    R.a.hold = true;
    rig_connect();
    f = rig_open();
    ck_assert_int_eq(vrpc_flow_write(f, "left", 4), 0);
    vrpc_flow_close(f);
    ck_assert_int_eq(rig_run(&R), 0);
    f = R.a.flows[0];

    ck_assert(vrpc_flow_is_closed(f));
    ck_assert_int_eq(vrpc_flow_write(f, "x", 1), V23_ECLOSED);
    ck_assert_int_eq(vrpc_flow_peek(f, &b), 0);
    ck_assert_uint_eq(b.n, 4);
    vrpc_flow_consume(f, 1);
    ck_assert_int_eq(vrpc_flow_peek(f, &b), 0);
    ck_assert_mem_eq(b.p, "eft", 3);
    vrpc_flow_consume(f, 3);
    ck_assert_int_eq(vrpc_flow_peek(f, &b), V23_EEOF);
    vrpc_flow_close(f);
}
END_TEST

START_TEST(rollback_sends_nothing)
{
    struct vrpc_flow *f;
    struct v23_buf *b;

    rig_connect();
    f = rig_open();

    ck_assert_int_eq(vrpc_flow_buf(f, &b), 0);
    v23_buf_puts(b, "oops");
    vrpc_flow_rollback(f);
    ck_assert(!vrpc_conn_wants_output(R.d.conn));
    ck_assert_int_eq(vrpc_flow_write(f, "ok", 2), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert(got_is(&R.a, "ok"));
}
END_TEST

static void close_here(struct end *e, struct vrpc_flow *f)
{
    (void)e;
    vrpc_flow_close(f);
}

START_TEST(flow_may_be_closed_in_its_hooks)
{
    struct vrpc_flow *f;

    if (_i == 0)
        R.a.on_readable = close_here;
    else
        R.a.on_opened = close_here;
    R.d.close_on_eof = true;
    rig_connect();
    f = rig_open();

    ck_assert_int_eq(vrpc_flow_write(f, "abc", 3), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.flow_closed, 1);
    ck_assert_uint_eq(vrpc_conn_flows(R.a.conn), 0);
}
END_TEST

static void free_conn_here(struct end *e, struct vrpc_flow *f)
{
    (void)f;
    vrpc_conn_free(e->conn);
    e->conn = NULL;
}

START_TEST(connection_may_be_freed_in_hooks)
{
    struct vrpc_flow *f;

    if (_i == 0)
        R.a.on_readable = free_conn_here;
    else if (_i == 1)
        R.a.on_opened = free_conn_here;
    else
        R.a.free_in_hook = true;
    rig_connect();
    f = rig_open();
    ck_assert_int_eq(vrpc_flow_write(f, "abc", 3), 0);
    ck_assert_int_eq(vrpc_flow_write(rig_open(), "def", 3), 0);

    ck_assert_int_eq(rig_run(&R), 0);
    if (_i == 2)
        vrpc_conn_close(R.d.conn, V23_ECANCELED, "enough");
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_ptr_null(R.a.conn);
}
END_TEST

static void close_conn_here(struct end *e, struct vrpc_flow *f)
{
    (void)f;
    vrpc_conn_close(e->conn, V23_ECANCELED, "not like this");
}

START_TEST(connection_may_be_closed_in_hooks)
{
    if (_i == 0)
        R.a.on_readable = close_conn_here;
    else
        R.a.on_opened = close_conn_here;
    rig_connect();
    ck_assert_int_eq(vrpc_flow_write(rig_open(), "abc", 3), 0);
    ck_assert_int_eq(vrpc_flow_write(rig_open(), "def", 3), 0);

    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.a.opened, 1);
    ck_assert_int_eq(R.a.flow_closed, 1);
    ck_assert_int_eq(R.a.closed, 1);
    ck_assert_int_eq(R.a.close_status, V23_ECANCELED);
    ck_assert_int_eq(R.d.closed, 1);
    ck_assert_int_eq(R.d.flow_closed, 2);
    ck_assert_int_eq(R.d.close_status, V23_EREMOTE);
    ck_assert_str_eq(R.d.text, "remote end received err: not like this");
}
END_TEST

START_TEST(both_sides_may_open_flows)
{
    struct vrpc_flow *f = NULL;
    struct vrpc_flow_opts o;

    R.dep.rid = vrpc_routing_id_fixed(9);
    R.dcfg.has_handler = true;
    R.dcfg.blessings = R.client;
    rig_connect();
    memset(&o, 0, sizeof(o));
    o.blessings = R.server;
    ck_assert_int_eq(R.a.refreshed, 1); /* directly after the handshake */
    ck_assert(vsec_blessings_eq(vrpc_conn_remote_blessings(R.a.conn),
        R.client));

    ck_assert_int_eq(vrpc_flow_open(R.a.conn, &o, &f), 0);
    ck_assert_uint_eq(vrpc_flow_id(f), 11);
    ck_assert_int_eq(vrpc_flow_write(f, "back", 4), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert(got_is(&R.d, "back"));
}
END_TEST

START_TEST(refresh_replaces_blessings)
{
    struct vsec_blessings *b;
    struct vsec_principal *p;

    rig_connect();
    ck_assert_int_eq(rig_principal(&R, "other", &p, &b), 0);
    ck_assert_int_eq(vrpc_conn_refresh(R.a.conn, b, NULL, 0), V23_EARG);
    vsec_blessings_unref(b);
    ck_assert_int_eq(vsec_blessings_nameless(R.a.principal->key, &b), 0);

    ck_assert_int_eq(vrpc_conn_refresh(R.a.conn, b, NULL, 0), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.refreshed, 1);
    ck_assert(vsec_blessings_is_nameless(
        vrpc_conn_remote_blessings(R.d.conn)));
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
}
END_TEST

START_TEST(blessings_stream_goes_on_after_a_rest)
{
    struct vrpc_flow *f = NULL;
    struct vsec_blessings *b;

    rig_connect();
    rig_sleep(&R, 10 * V23_NS_PER_SEC);
    ck_assert_int_eq(vrpc_flow_write(rig_open(), "a", 1), 0); /* client */
    ck_assert_int_eq(rig_run(&R), 0);
    rig_sleep(&R, 10 * V23_NS_PER_SEC);
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, NULL, &f), 0); /* nameless */
    ck_assert_int_eq(vrpc_flow_write(f, "b", 1), 0);
    ck_assert_int_eq(vsec_blessings_nameless(R.a.principal->key, &b), 0);
    ck_assert_int_eq(vrpc_conn_refresh(R.a.conn, b, NULL, 0), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    rig_sleep(&R, 10 * V23_NS_PER_SEC);
    ck_assert_int_eq(vrpc_conn_refresh(R.a.conn, R.server, NULL, 0), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.refreshed, 2);
    ck_assert(vsec_blessings_eq(vrpc_flow_remote_blessings(R.a.flows[0]),
        R.client));
    ck_assert(vsec_blessings_is_nameless(
        vrpc_flow_remote_blessings(R.a.flows[1])));
    vsec_blessings_unref(b);
}
END_TEST

START_TEST(values_wait_for_their_types)
{
    struct vrpc_flow *types, *call;

    R.dcfg.mtu = R.acfg.mtu = 64;
    rig_connect();
    types = rig_open();
    call = rig_open();
    ck_assert_int_eq(vrpc_flow_write(call, "d", 1), 0);
    ck_assert_int_eq(vrpc_flow_write(types,
        "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT"
        "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT", 80), 0);

    vrpc_flow_send_after(call, types);
    ck_assert_int_eq(vrpc_flow_write(call, "value", 5), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(R.a.got.n, 86);
    ck_assert_mem_eq(R.a.got.p, "dTT", 3);
    ck_assert_mem_eq(R.a.got.p + 81, "value", 5);
}
END_TEST

START_TEST(dependents_survive_the_end_of_what_they_wait_for)
{
    struct vrpc_flow *types, *call;

    rig_connect();
    types = rig_open();
    call = rig_open();
    ck_assert_int_eq(vrpc_flow_write(types, "T", 1), 0);
    vrpc_flow_send_after(call, types);
    ck_assert_int_eq(vrpc_flow_write(call, "value", 5), 0);

    vrpc_flow_cancel(types);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert(got_is(&R.a, "value"));
}
END_TEST

/* ---- message mode, clear payload ----------------------------------------------- */

START_TEST(message_flows_keep_messages_whole)
{
    struct vrpc_flow_opts o;
    struct vrpc_flow *f;
    uint8_t big[1025] = { 0 };

    R.dcfg.mtu = 1024;
    R.dcfg.message_transport = R.acfg.message_transport = _i == 1;
    R.a.messages = true;
    rig_connect();
    memset(&o, 0, sizeof(o));
    o.messages = true;
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &f), 0);

    ck_assert_int_eq(vrpc_flow_write(f, "x", 1), V23_ESTATE);
    ck_assert_int_eq(vrpc_flow_write_message(f, "one", 3, false), 0);
    ck_assert_int_eq(vrpc_flow_write_message(f, "two", 3, true), 0);
    ck_assert_int_eq(vrpc_flow_write_message(f, "", 0, true), 0);
    ck_assert_int_eq(vrpc_flow_write_message(f, "four", 4, false), 0);
    ck_assert_int_eq(vrpc_flow_write_message(f, big, 1025, true),
        V23_ELIMIT);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert(got_is(&R.a, "one|two||four|"));
    ck_assert_int_eq(R.a.readable, 4);
}
END_TEST

START_TEST(message_flows_queue_messages)
{
    struct vrpc_flow_opts o;
    struct vrpc_flow *f;
    struct v23_bytes b;

    R.a.messages = R.a.hold = true;
    rig_connect();
    memset(&o, 0, sizeof(o));
    o.messages = true;
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &f), 0);
    ck_assert_int_eq(vrpc_flow_write_message(f, "one", 3, true), 0);
    ck_assert_int_eq(vrpc_flow_write_message(f, "three", 5, true), 0);
    vrpc_flow_close(f);
    ck_assert_int_eq(rig_run(&R), 0);
    f = R.a.flows[0];

    ck_assert_int_eq(vrpc_flow_peek(f, &b), 0);
    ck_assert_uint_eq(b.n, 3);
    vrpc_flow_consume(f, 3);
    ck_assert_int_eq(vrpc_flow_peek(f, &b), 0);
    ck_assert_mem_eq(b.p, "three", 5);
    vrpc_flow_consume(f, 5);
    ck_assert_int_eq(vrpc_flow_peek(f, &b), V23_EEOF);
}
END_TEST

/* A connection whose transport is a flow of another one. */
static struct vrpc_conn *inner_d, *inner_a;
static int inner_ready;

static void inner_on_ready(void *ud, struct vrpc_conn *c)
{
    (void)ud;
    (void)c;
    inner_ready++;
}

static void inner_closed(void *ud, struct vrpc_conn *c, int status,
    const char *text)
{
    (void)ud;
    (void)c;
    ck_abort_msg("inner connection closed: %d %s", status, text);
}

static void inner_opened(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    (void)ud;
    (void)c;
    (void)f;
}

static void inner_readable(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct v23_bytes b;

    (void)c;
    ck_assert_int_eq(vrpc_flow_peek(f, &b), 0);
    v23_buf_put(&((struct end *)ud)->got, b.p, b.n);
    vrpc_flow_consume(f, b.n);
}

static const struct vrpc_conn_hooks inner_hooks = { rig_authorize,
    inner_on_ready, inner_opened, inner_readable, NULL, NULL, NULL, NULL,
    NULL, inner_closed, NULL };

/* From an inner connection onto the outer flow. */
static void inner_flush(struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    while (vrpc_conn_wants_output(c)) {
        b.n = 0;
        ck_assert_int_eq(vrpc_conn_output(c, &b, SIZE_MAX, &R.now), 0);
        if (b.n > 0)
            ck_assert_int_eq(vrpc_flow_write_message(f, b.p, b.n,
                vrpc_conn_output_was_sealed(c)), 0);
    }
    v23_buf_fini(&b);
}

static void tunnel_readable(struct end *e, struct vrpc_flow *f)
{
    struct vrpc_conn *c = e == &R.a ? inner_a : inner_d;
    uint8_t copy[65536];
    struct v23_bytes b;

    while (vrpc_flow_peek(f, &b) == 0) {
        memcpy(copy, b.p, b.n);
        vrpc_flow_consume(f, b.n);
        ck_assert_int_eq(vrpc_conn_input(c, copy, b.n, &R.now), 0);
    }
    inner_flush(c, f);
}

START_TEST(connection_inside_a_flow)
{
    struct vrpc_conn_config dcfg, acfg;
    struct vrpc_flow_opts o;
    struct vrpc_flow *f, *g;

    R.a.messages = true;
    R.a.on_readable = R.d.on_readable = tunnel_readable;
    rig_connect();
    dcfg = R.dcfg;
    acfg = R.acfg;
    dcfg.message_transport = acfg.message_transport = true;
    dcfg.encapsulated = acfg.encapsulated = true;
    dcfg.hooks = acfg.hooks = &inner_hooks;
    ck_assert_int_eq(vrpc_conn_new(&dcfg, &R.now, &inner_d), 0);
    ck_assert_int_eq(vrpc_conn_new(&acfg, &R.now, &inner_a), 0);
    memset(&o, 0, sizeof(o));
    o.messages = true;
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &f), 0);

    inner_flush(inner_d, f);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(inner_ready, 2);
    ck_assert_int_eq(vrpc_flow_open(inner_d, NULL, &g), 0);
    ck_assert_int_eq(vrpc_flow_write(g, "inside", 6), 0);
    inner_flush(inner_d, f);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert(got_is(&R.a, "inside"));
    vrpc_conn_free(inner_d);
    vrpc_conn_free(inner_a);
}
END_TEST

/* ---- life ------------------------------------------------------------------- */

START_TEST(close_tells_the_peer)
{
    rig_connect();
    ck_assert_int_eq(vrpc_flow_write(rig_open(), "abc", 3), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    vrpc_conn_close(R.d.conn, V23_ECANCELED, "cache is closed");
    ck_assert_int_eq(R.d.closed, 0);
    ck_assert_int_eq(vrpc_conn_status(R.d.conn), VRPC_CONN_CLOSING);
    vrpc_conn_close(R.d.conn, V23_EARG, "again");
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.closed, 1);
    ck_assert_int_eq(R.d.flow_closed, 1);
    ck_assert_int_eq(R.d.flow_close_status, V23_ECANCELED);
    ck_assert_str_eq(R.d.text, "cache is closed");
    ck_assert_int_eq(R.a.closed, 1);
    ck_assert_str_eq(R.a.text, "remote end received err: cache is closed");
    ck_assert_int_eq(vrpc_conn_status(R.a.conn), VRPC_CONN_CLOSED);
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, NULL, &R.d.flows[0]),
        V23_ECLOSED);
}
END_TEST

START_TEST(lame_duck_lets_flows_finish)
{
    struct vrpc_flow *f, *unopened, *g = NULL;

    rig_connect();
    f = rig_open();
    ck_assert_int_eq(vrpc_flow_write(f, "a", 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    unopened = rig_open();

    vrpc_conn_enter_lame_duck(R.a.conn);
    vrpc_conn_enter_lame_duck(R.a.conn);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(R.d.lame_duck, 1);
    ck_assert(vrpc_conn_peer_lame_duck(R.d.conn));
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, NULL, &g), V23_ELAMEDUCK);
    ck_assert_int_eq(R.a.lame_acked, 0); /* a flow may still be opened */
    ck_assert_int_eq(vrpc_flow_write(unopened, "b", 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.a.lame_acked, 1);
    ck_assert_int_eq(vrpc_conn_status(R.a.conn), VRPC_CONN_LAME_DUCK_ACKED);
    ck_assert_int_eq(vrpc_flow_write(f, "c", 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert(got_is(&R.a, "abc"));
}
END_TEST

START_TEST(lame_duck_is_acked_when_flows_are_dropped)
{
    struct vrpc_flow *unopened;

    rig_connect();
    unopened = rig_open();
    vrpc_conn_enter_lame_duck(R.a.conn);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(R.a.lame_acked, 0);

    vrpc_flow_close(unopened);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.a.lame_acked, 1);
}
END_TEST

START_TEST(idle_is_no_flows_and_no_use)
{
    struct vrpc_flow *f;
    int64_t start = R.now.mono_ns;

    R.a.close_on_eof = true;
    rig_connect();
    f = rig_open();
    ck_assert_int_eq(vrpc_flow_write(f, "a", 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    rig_sleep(&R, 5 * V23_NS_PER_SEC);

    ck_assert(!vrpc_conn_is_idle(R.a.conn, R.now.mono_ns));
    vrpc_flow_close(f);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert(vrpc_conn_is_idle(R.a.conn, R.now.mono_ns));
    ck_assert(!vrpc_conn_is_idle(R.a.conn, start));
}
END_TEST

START_TEST(new_checks_its_configuration)
{
    struct vrpc_conn_config c;

    c = R.dcfg;
    c.remote = NULL;
    ck_assert_int_eq(vrpc_conn_new(&c, &R.now, &R.d.conn), V23_EARG);
    c = R.dcfg;
    c.blessings = R.client; /* would reveal a pure client */
    ck_assert_int_eq(vrpc_conn_new(&c, &R.now, &R.d.conn), V23_EARG);
    c = R.acfg;
    c.blessings = R.client; /* of another key */
    ck_assert_int_eq(vrpc_conn_new(&c, &R.now, &R.d.conn), V23_EARG);
    c = R.acfg;
    c.bytes_buffered = 4096; /* < mtu */
    ck_assert_int_eq(vrpc_conn_new(&c, &R.now, &R.d.conn), V23_EARG);
    c = R.acfg;
    c.min_version = 10;
    ck_assert_int_eq(vrpc_conn_new(&c, &R.now, &R.d.conn), V23_EARG);
    c = R.acfg;
    c.max_version = 15;
    ck_assert_int_eq(vrpc_conn_new(&c, &R.now, &R.d.conn), V23_EARG);
    ck_assert_ptr_null(R.d.conn);
}
END_TEST

/* ---- memory ------------------------------------------------------------------ */

/* Handshake, two flows with echo, close; from nothing. */
static int whole_life(const struct v23_alloc *al, void *ud)
{
    static struct rig r;
    struct vrpc_flow_opts o;
    struct vrpc_flow *f;
    int rc, i;

    (void)ud;
    memset(&r, 0, sizeof(r));
    r.t.al = *al; /* everything goes to the failing allocator */
    rc = rig_init(&r);
    r.a.close_on_eof = true;
    if (rc == 0)
        rc = rig_conns(&r);
    if (rc == 0)
        rc = rig_run(&r);
    memset(&o, 0, sizeof(o));
    o.blessings = r.client;
    for (i = 0; i < 2 && rc == 0 && r.d.ready && r.a.ready; i++) {
        rc = vrpc_flow_open(r.d.conn, &o, &f);
        if (rc == 0) {
            rc = vrpc_flow_write(f, "0123456789", 10);
            if (rc == 0)
                rc = rig_run(&r);
            vrpc_flow_close(f);
        }
    }
    if (rc == 0)
        rc = rig_run(&r);
    /* Out of memory inside a verb closes the connection with that status. */
    if (rc == 0 || rc == V23_ECLOSED || rc == V23_EREMOTE) {
        rc = 0;
        if (r.d.closed || r.a.closed) {
            ck_assert_msg(r.d.close_status == V23_ENOMEM
                || r.a.close_status == V23_ENOMEM, "%d %s, %d %s",
                r.d.close_status, r.d.text, r.a.close_status, r.a.text);
            rc = V23_ENOMEM;
        } else {
            ck_assert_int_eq(r.a.opened, 2);
        }
    }
    rig_fini(&r);
    return rc;
}

START_TEST(out_of_memory_is_survived)
{
    tst_out_of_memory(whole_life, NULL);
}
END_TEST

START_TEST(resting_connection_is_small)
{
    static const uint8_t bytes[10000];
    struct vrpc_flow *f;
    size_t before = R.t.bytes, flows;
    int i;

    R.a.echo = true;
    R.a.close_on_eof = true;
    rig_connect();
    for (i = 0; i < 100; i++) {
        f = rig_open();
        ck_assert_int_eq(vrpc_flow_write(f, bytes, sizeof(bytes)), 0);
        ck_assert_int_eq(rig_run(&R), 0);
        vrpc_flow_close(f);
        ck_assert_int_eq(rig_run(&R), 0);
    }
    rig_sleep(&R, 3 * V23_NS_PER_SEC);
    ck_assert_uint_le(R.t.bytes - before, 2 * VRPC_CONN_REST_BYTES);
    printf("connection at rest: %zu bytes\n", (R.t.bytes - before) / 2);

    flows = R.t.bytes;
    for (i = 0; i < 50; i++)
        ck_assert_int_eq(vrpc_flow_write(rig_open(), "x", 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    rig_sleep(&R, 3 * V23_NS_PER_SEC);
    printf("flow at rest: %zu bytes\n", (R.t.bytes - flows) / 100);
    ck_assert_uint_le(R.t.bytes - flows, 100 * VRPC_FLOW_REST_BYTES);
}
END_TEST

START_TEST(small_calls_do_not_allocate)
{
    struct vrpc_flow *f;
    size_t calls = 0;
    int i;

    R.a.echo = R.a.close_on_eof = true;
    rig_connect();
    for (i = 0; i < 200; i++) {
        if (i == 100)
            calls = R.t.calls;
        f = rig_open();
        ck_assert_int_eq(vrpc_flow_write(f, "0123456789", 10), 0);
        ck_assert_int_eq(rig_run(&R), 0);
        vrpc_flow_close(f);
        ck_assert_int_eq(rig_run(&R), 0);
        R.a.got.n = R.d.got.n = 0;
    }
    ck_assert_uint_eq(R.t.calls, calls);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("librpc/conn");
    TCase *tc = tcase_create("conn");
    SRunner *sr;
    int failed;

    tcase_add_checked_fixture(tc, rig_setup, rig_teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, handshake_works_at_every_version, 11, 15);
    tcase_add_loop_test(tc, handshake_works_in_pieces, 1, 8);
    tcase_add_test(tc, handshake_works_over_messages);
    tcase_add_test(tc, handshake_works_encapsulated);
    tcase_add_test(tc, handshake_adopts_endpoints);
    tcase_add_test(tc, numbers_are_the_smaller_ones);
    tcase_add_test(tc, versions_without_overlap_are_refused);
    tcase_add_test(tc, peer_authorization_may_refuse);
    tcase_add_test(tc, peer_authorization_may_take_its_time);
    tcase_add_test(tc, other_routing_id_means_proxy);
    tcase_add_test(tc, signers_may_take_their_time);
    tcase_add_test(tc, pending_signature_is_cancelled);
    tcase_add_test(tc, handshake_times_out);
    tcase_add_test(tc, unchanged_setup_connects);
    tcase_add_test(tc, changed_setup_fails_the_binding);
    tcase_add_test(tc, downgrade_fails_the_binding);
    tcase_add_test(tc, setup_without_key_is_refused);
    tcase_add_test(tc, low_order_key_is_refused);
    tcase_add_test(tc, reflected_setup_is_refused);
    tcase_add_test(tc, replayed_connection_is_refused);
    tcase_add_test(tc, flipped_bits_never_authenticate);
    tcase_add_test(tc, cut_links_close_once);
    tcase_add_loop_test(tc, foreign_bytes_are_refused, 0, 6);
    tcase_add_test(tc, announced_frame_takes_no_memory);
    tcase_add_test(tc, flow_carries_bytes_both_ways);
    tcase_add_test(tc, flow_never_written_leaves_no_trace);
    tcase_add_test(tc, flows_open_in_the_order_written);
    tcase_add_test(tc, close_carries_the_last_bytes);
    tcase_add_test(tc, cancel_drops_what_is_queued);
    tcase_add_test(tc, bytes_stay_readable_after_close);
    tcase_add_test(tc, rollback_sends_nothing);
    tcase_add_loop_test(tc, flow_may_be_closed_in_its_hooks, 0, 2);
    tcase_add_loop_test(tc, connection_may_be_freed_in_hooks, 0, 3);
    tcase_add_loop_test(tc, connection_may_be_closed_in_hooks, 0, 2);
    tcase_add_test(tc, both_sides_may_open_flows);
    tcase_add_test(tc, refresh_replaces_blessings);
    tcase_add_test(tc, blessings_stream_goes_on_after_a_rest);
    tcase_add_test(tc, values_wait_for_their_types);
    tcase_add_test(tc, dependents_survive_the_end_of_what_they_wait_for);
    tcase_add_loop_test(tc, message_flows_keep_messages_whole, 0, 2);
    tcase_add_test(tc, message_flows_queue_messages);
    tcase_add_test(tc, connection_inside_a_flow);
    tcase_add_test(tc, close_tells_the_peer);
    tcase_add_test(tc, lame_duck_lets_flows_finish);
    tcase_add_test(tc, lame_duck_is_acked_when_flows_are_dropped);
    tcase_add_test(tc, idle_is_no_flows_and_no_use);
    tcase_add_test(tc, new_checks_its_configuration);
    tcase_add_test(tc, out_of_memory_is_survived);
    tcase_add_test(tc, resting_connection_is_small);
    tcase_add_test(tc, small_calls_do_not_allocate);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? 0 : 1;
}
