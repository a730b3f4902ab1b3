/* BSD-3-Clause; see LICENSE. */
/* Making connections, and attacks on that. */
#include "rig.h"

/* ---- handshake ----------------------------------------------------------- */

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

START_TEST(acceptor_may_wait_with_what_it_presents)
{
    R.acfg.hold = true;
    R.acfg.blessings = NULL;
    ck_assert_int_eq(rig_conns(&R), 0);
    if (_i == 0)
        ck_assert_int_eq(rig_run(&R), 0); /* it has the dialer's Setup */
    ck_assert_int_eq(R.d.ready, 0);
    ck_assert_int_eq(vrpc_conn_present(R.a.conn, R.client, NULL, 0),
        V23_EARG);
    ck_assert_int_eq(vrpc_conn_present(R.a.conn, R.server, NULL, 0), 0);
    ck_assert_int_eq(vrpc_conn_present(R.a.conn, R.server, NULL, 0),
        V23_ESTATE);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.ready, 1);
    ck_assert_int_eq(R.a.ready, 1);
    ck_assert(vsec_blessings_eq(vrpc_conn_remote_blessings(R.d.conn),
        R.server));
}
END_TEST

START_TEST(dialer_may_wait_with_what_it_presents)
{
    R.dcfg.hold = true;
    R.dcfg.has_handler = true;
    R.dcfg.blessings = R.client;
    rig_connect();
    ck_assert_int_eq(R.a.refreshed, 0);
    ck_assert_int_eq(vrpc_conn_present(R.d.conn, R.client, NULL, 0), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.a.refreshed, 1);
    vrpc_conn_close(R.d.conn, V23_ECLOSED, NULL);
    ck_assert_int_eq(vrpc_conn_present(R.d.conn, R.client, NULL, 0),
        V23_ECLOSED);
}
END_TEST

START_TEST(held_handshake_times_out)
{
    R.acfg.hold = true;
    ck_assert_int_eq(rig_conns(&R), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    rig_sleep(&R, 60 * V23_NS_PER_SEC);

    ck_assert_int_eq(R.a.close_status, V23_ETIMEOUT);
    ck_assert_int_eq(R.d.ready, 0);
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

/* ---- attacks on the handshake -------------------------------------------- */

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

/* Does a changed Setup mean the same? (Letters that are not looked at.) */
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

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, handshake_works_at_every_version, 11, 15);
    tcase_add_loop_test(tc, handshake_works_in_pieces, 1, 8);
    tcase_add_test(tc, handshake_works_over_messages);
    tcase_add_test(tc, handshake_works_encapsulated);
    tcase_add_test(tc, handshake_adopts_endpoints);
    tcase_add_test(tc, numbers_are_the_smaller_ones);
    tcase_add_test(tc, versions_without_overlap_are_refused);
    tcase_add_test(tc, peer_authorization_may_refuse);
    tcase_add_test(tc, peer_authorization_may_take_its_time);
    tcase_add_loop_test(tc, acceptor_may_wait_with_what_it_presents, 0, 2);
    tcase_add_test(tc, dialer_may_wait_with_what_it_presents);
    tcase_add_test(tc, held_handshake_times_out);
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
}

int main(void)
{
    return tst_run_case("librpc/handshake", add, rig_setup, rig_teardown);
}
