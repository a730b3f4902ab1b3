/* BSD-3-Clause; see LICENSE. */
/* Serving: dispatch, authorization, what a handler sees, limits, shutdown. */
#include "echo.h"

/* ---- a dispatcher that can answer later ---------------------------------- */

struct disp {
    int lookups, cancels, releases;
    struct v23_op op;
    bool later;
    int rc;
    char suffix[64];
    const struct vsec_authorizer *auth;
    struct vrpc_object obj;
};

static struct disp D;

static int disp_lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    struct disp *d = ud;

    d->lookups++;
    d->op = op;
    snprintf(d->suffix, sizeof(d->suffix), "%.*s", (int)suffix.n, suffix.p);
    *obj = d->obj;
    *auth = d->auth;
    if (d->rc == V23_EWIREERR)
        *err = vrpc_err_make(a, NULL, VRPC_ERR_BAD_STATE, "not today");
    return d->later ? V23_EAGAIN : d->rc;
}

static void disp_cancel(void *ud, struct v23_op op)
{
    struct disp *d = ud;

    ck_assert_uint_eq(op.generation, d->op.generation);
    d->cancels++;
}

static void disp_release(void *ud, const struct vrpc_object *obj)
{
    (void)obj;
    ((struct disp *)ud)->releases++;
}

static const struct vrpc_dispatcher disp = { disp_lookup, disp_cancel,
    disp_release, &D };

static void disp_serve(enum vrpc_leaf leaf)
{
    struct vrpc_server_config sc;

    memset(&sc, 0, sizeof(sc));
    sc.dispatcher = &disp;
    sc.leaf = leaf;
    sc.component = vdl_str("server");
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &P.s->s), 0);
}

static void disp_setup(void)
{
    world_setup();
    memset(&P, 0, sizeof(P));
    memset(&D, 0, sizeof(D));
    ck_assert_int_eq(world_node(&W, "client", 0, &P.c), 0);
    ck_assert_int_eq(world_node(&W, "server", 77, &P.s), 0);
    D.obj.iface = &echo_iface;
    D.obj.self = &P.echo;
    D.auth = &vsec_auth_everyone;
}

static struct result R;

static const char *call(const char *suffix, int method, const void *in)
{
    struct vrpc_call_opts o = opts_now();

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, suffix), method, &o, in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, 100 * SEC));
    return R.id;
}

START_TEST(lookup_gets_the_suffix_without_slashes)
{
    struct add_in in = { 1, 2 };

    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_str_eq(call("a//b", M_ADD, &in), "");

    ck_assert_str_eq(D.suffix, "a/b");
    ck_assert_int_eq(R.sum, 3);
    ck_assert_int_eq(D.lookups, 1);
    ck_assert_int_eq(D.releases, 1);
}
END_TEST

START_TEST(late_lookup_continues_the_call)
{
    struct add_in in = { 1, 2 };

    disp_serve(VRPC_LEAF_DEFAULT);
    D.later = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, "x"), M_ADD, NULL, &in,
        &stub_plain, &R));
    world_sleep(&W, SEC);
    ck_assert_int_eq(R.done, 0);
    vrpc_server_looked_up(P.s->s, D.op, 0, &D.obj, D.auth, NULL);
    vrpc_server_looked_up(P.s->s, D.op, 0, &D.obj, D.auth, NULL);
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_int_eq(R.sum, 3);
    ck_assert_int_eq(D.cancels, 0);
    ck_assert_int_eq(D.releases, 1);
}
END_TEST

START_TEST(cancelled_call_cancels_the_lookup)
{
    struct add_in in = { 1, 2 };
    struct vrpc_call *c;

    disp_serve(VRPC_LEAF_DEFAULT);
    D.later = true;
    c = start(P.c, world_name(P.s, "x"), M_ADD, NULL, &in, &stub_plain, &R);
    ck_assert(world_until(&W, &D.lookups, SEC));
    vrpc_call_cancel(c);
    ck_assert(world_until(&W, &D.cancels, SEC));

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

START_TEST(lookup_results_become_errors)
{
    static const struct { int rc; const char *id; } cases[] = {
        { V23_ENOENT, VERR "UnknownSuffix" },
        { V23_EWIREERR, VERR "BadState" },
        { V23_ENOMEM, VERR "Internal" },
    };
    struct add_in in = { 1, 2 };
    size_t i;

    disp_serve(VRPC_LEAF_DEFAULT);
    for (i = 0; i < 3; i++) {
        D.rc = cases[i].rc;
        ck_assert_str_eq(call("x", M_ADD, &in), cases[i].id);
    }
    ck_assert_int_eq(D.releases, 0);
}
END_TEST

START_TEST(no_object_is_unknown_suffix)
{
    disp_serve(VRPC_LEAF_DEFAULT);
    memset(&D.obj, 0, sizeof(D.obj));

    ck_assert_str_eq(call("x", M_WAIT, NULL), VERR "UnknownSuffix");
}
END_TEST

START_TEST(leaf_option_refuses_suffixes)
{
    struct add_in in = { 1, 2 };

    disp_serve(VRPC_LEAF_YES);
    ck_assert_str_eq(call("x", M_ADD, &in), VERR "UnknownSuffix");
    ck_assert_int_eq(D.lookups, 0);
    ck_assert_str_eq(call("", M_ADD, &in), "");
    ck_assert(vrpc_server_is_leaf(P.s->s));
}
END_TEST

START_TEST(lookup_deadline_is_kept)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;

    disp_serve(VRPC_LEAF_DEFAULT);
    D.later = true;
    o.timeout_ns = 2 * SEC;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, "x"), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, 10 * SEC));
    ck_assert(world_until(&W, &D.cancels, SEC));

    ck_assert_str_eq(R.id, VERR "Timeout");
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

/* ---- authorization ------------------------------------------------------- */

START_TEST(default_authorizer_refuses_strangers)
{
    struct add_in in = { 1, 2 };

    D.auth = NULL;
    disp_serve(VRPC_LEAF_DEFAULT);

    ck_assert_str_eq(call("x", M_ADD, &in), VERR "NoAccess");
    ck_assert_int_eq(P.echo.calls, 0);
    ck_assert_uint_eq(R.retry, V23_RETRY_REFETCH);
}
END_TEST

START_TEST(refused_caller_gets_no_access)
{
    struct add_in in = { 1, 2 };

    D.auth = &nobody;
    disp_serve(VRPC_LEAF_DEFAULT);

    ck_assert_str_eq(call("x", M_ADD, &in), VERR "NoAccess");
    ck_assert_int_eq(D.releases, 1);
}
END_TEST

struct later_auth {
    struct vsec_auth_wait wait;
    int asked, cancelled;
    char method[32], suffix[32];
    uint32_t ntags, nnames;
};

static struct later_auth L;

static int later(void *ud, const struct vsec_call *c, struct v23_arena *a,
    const struct vsec_auth_wait *wait, const struct v23_verror **err)
{
    (void)ud;
    (void)a;
    (void)err;
    L.asked++;
    L.wait = *wait;
    snprintf(L.method, sizeof(L.method), "%.*s", (int)c->method.n,
        c->method.p);
    snprintf(L.suffix, sizeof(L.suffix), "%.*s", (int)c->suffix.n,
        c->suffix.p);
    L.ntags = c->method_tags.n;
    L.nnames = c->names->remote.n;
    return V23_EAGAIN;
}

static void later_cancel(void *ud, struct v23_op op)
{
    (void)ud;
    ck_assert_uint_eq(op.generation, L.wait.op.generation);
    L.cancelled++;
}

static const struct vsec_authorizer later_auth = { later, later_cancel,
    NULL };

START_TEST(late_authorization_continues_the_call)
{
    struct add_in in = { 1, 2 };

    memset(&L, 0, sizeof(L));
    D.auth = &later_auth;
    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, "x"), M_ADD, NULL, &in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &L.asked, SEC));
    world_sleep(&W, SEC);
    ck_assert_int_eq(P.echo.calls, 0);
    ck_assert_str_eq(L.method, "Add");
    ck_assert_str_eq(L.suffix, "x");
    ck_assert_uint_eq(L.nnames, 1);
    L.wait.done(L.wait.ud, L.wait.op, 0, NULL);
    L.wait.done(L.wait.ud, L.wait.op, 0, NULL);
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_int_eq(P.echo.calls, 1);
}
END_TEST

START_TEST(late_refusal_ends_the_call)
{
    struct add_in in = { 1, 2 };

    memset(&L, 0, sizeof(L));
    D.auth = &later_auth;
    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, "x"), M_ADD, NULL, &in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &L.asked, SEC));
    L.wait.done(L.wait.ud, L.wait.op, V23_EDENIED, NULL);
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, VERR "NoAccess");
}
END_TEST

START_TEST(cancelled_call_cancels_the_authorizer)
{
    struct add_in in = { 1, 2 };
    struct vrpc_call *c;

    memset(&L, 0, sizeof(L));
    D.auth = &later_auth;
    disp_serve(VRPC_LEAF_DEFAULT);
    c = start(P.c, world_name(P.s, "x"), M_ADD, NULL, &in, &stub_plain, &R);
    ck_assert(world_until(&W, &L.asked, SEC));
    vrpc_call_cancel(c);
    ck_assert(world_until(&W, &L.cancelled, SEC));

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(client_authorizer_may_answer_later)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct add_in in = { 1, 2 };
    int i;

    memset(&L, 0, sizeof(L));
    o.server_auth = &later_auth;
    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, "x"), M_ADD, &o, &in,
        &stub_plain, &R));
    for (i = 0; i < 2 && !R.done; i++) {
        ck_assert(world_until(&W, &L.asked, SEC));
        L.asked = 0;
        L.wait.done(L.wait.ud, L.wait.op, 0, NULL);
        world_settle(&W);
    }

    ck_assert_int_eq(R.done, 1);
    ck_assert_str_eq(R.id, "");
    ck_assert_int_eq(i, 1);
}
END_TEST

START_TEST(connection_may_die_while_an_authorizer_thinks)
{
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 1, 2 };
    int round;

    disp_serve(VRPC_LEAF_DEFAULT);
    o.server_auth = &later_auth;
    for (round = 0; round < 2; round++) {
        /* The first time in the handshake, then for a cached connection. */
        memset(&L, 0, sizeof(L));
        if (round == 1)
            ck_assert_str_eq(call("x", M_ADD, &in), "");
        ck_assert_ptr_nonnull(start(P.c, world_name(P.s, "x"), M_ADD, &o,
            &in, &stub_plain, &R));
        ck_assert(world_until(&W, &L.asked, SEC));
        world_cut(world_link_of(&W, P.c));
        world_settle(&W);
        if (!R.done)
            L.wait.done(L.wait.ud, L.wait.op, 0, NULL);
        ck_assert(world_until(&W, &R.done, 10 * SEC));
        ck_assert_str_ne(R.id, "");
    }
}
END_TEST

START_TEST(client_authorizer_may_refuse_later)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct add_in in = { 1, 2 };

    memset(&L, 0, sizeof(L));
    o.server_auth = &later_auth;
    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, "x"), M_ADD, &o, &in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &L.asked, SEC));
    L.wait.done(L.wait.ud, L.wait.op, V23_EDENIED, NULL);
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, VERR "NotTrusted");
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
}
END_TEST

/* ---- what a handler sees ------------------------------------------------- */

START_TEST(handler_sees_both_ends)
{
    struct vrpc_server_call *c;
    const struct vrpc_endpoint *ep;

    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, "a/b"), M_WAIT, NULL,
        NULL, &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    c = P.echo.waiting;

    ck_assert(vdl_str_is(vrpc_server_call_suffix(c), "a/b"));
    ck_assert(vdl_str_is(vrpc_server_call_method(c), "Wait"));
    ck_assert_uint_eq(vrpc_server_call_remote_names(c).n, 1);
    ck_assert(vdl_str_is(vrpc_server_call_remote_names(c).v[0],
        "test:client"));
    ck_assert_uint_eq(vrpc_server_call_rejected(c).n, 0);
    ck_assert_uint_eq(vrpc_server_call_local_names(c).n, 1);
    ck_assert(vdl_str_is(vrpc_server_call_local_names(c).v[0],
        "test:server"));
    ck_assert_ptr_null(vrpc_server_call_granted(c));
    ck_assert_uint_eq(vrpc_server_call_discharges(c), 0);
    ck_assert(vrpc_server_call_deadline(c) == V23_NEVER);
    ck_assert_uint_eq(vrpc_server_call_remote_key(c).n,
        P.c->principal->key->der.n);
    ck_assert_mem_eq(vrpc_server_call_remote_key(c).p,
        P.c->principal->key->der.p, P.c->principal->key->der.n);
    ck_assert_mem_eq(vrpc_server_call_local_key(c).p,
        P.s->principal->key->der.p, P.s->principal->key->der.n);
    ep = vrpc_server_call_local_endpoint(c);
    ck_assert(vdl_str_is(ep->address, "server:1"));
    ck_assert_uint_eq(ep->blessings.n, 1);
    ck_assert_int_eq(vrpc_server_call_status(c), 0);
    ck_assert_int_eq(vrpc_server_call_reply(c, NULL, NULL), 0);
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_str_eq(R.id, "");
}
END_TEST

/* ---- limits -------------------------------------------------------------- */

START_TEST(calls_beyond_the_limit_are_refused)
{
    static struct result r[6];
    struct vrpc_server_config sc;
    int i, refused = 0;

    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &echo_iface;
    sc.object.self = &P.echo;
    sc.authorizer = &vsec_auth_everyone;
    sc.max_calls_per_conn = 4;
    sc.pool = 1;
    P.echo.auto_reply = true;
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &P.s->s), 0);
    ck_assert_str_eq(call("", M_NO, NULL), VERR "NotImplemented");
    for (i = 0; i < 6; i++)
        ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL,
            NULL, &stub_plain, &r[i]));
    world_settle(&W);
    for (i = 0; i < 6; i++)
        refused += r[i].done;

    ck_assert_int_eq(refused, 2);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 4);
    world_cut(world_link_of(&W, P.c));
    world_settle(&W);
    ck_assert_int_eq(P.echo.cancels, 4);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

/* ---- raw flows ----------------------------------------------------------- */

static struct vrpc_conn *raw_conn(void)
{
    struct add_in in = { 1, 2 };

    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_str_eq(call("", M_ADD, &in), "");
    return world_link_of(&W, P.c)->conn;
}

static struct vrpc_flow *raw_flow(struct vrpc_conn *c, const char *bytes)
{
    struct v23_bytes b = hex(bytes);
    struct vrpc_flow *f = raw_open(c);

    ck_assert_int_eq(vrpc_flow_write(f, b.p, b.n), 0);
    return f;
}

START_TEST(flow_without_first_byte_times_out)
{
    struct vrpc_conn *c = raw_conn();
    struct vrpc_flow *f = raw_open(c);

    ck_assert_int_eq(vrpc_flow_commit(f), 0);
    world_settle(&W);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1);
    world_sleep(&W, 61 * SEC);

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(unknown_first_byte_is_left_alone_then_closed)
{
    struct vrpc_conn *c = raw_conn();
    struct vrpc_flow *f = raw_flow(c, "7a 00 01 02");

    (void)f;
    world_sleep(&W, 30 * SEC);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1);
    world_sleep(&W, 31 * SEC);

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 1);
}
END_TEST

START_TEST(second_type_flow_is_ignored)
{
    struct add_in in = { 1, 2 };
    struct vrpc_conn *c = raw_conn();
    struct vrpc_flow *f = raw_flow(c, "74 81");

    (void)f;
    world_settle(&W);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_str_eq(call("", M_ADD, &in), "");
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 1);
}
END_TEST

START_TEST(garbage_request_ends_only_its_call)
{
    static const char *const bad[] = { "64 00", "64 81 00", "64 81 06 03 61",
        "64 81 51 00", "64 81 52 ff", "64 82", "64 81 03 01 00 00",
        "64 81 f0 f0 f0" };
    struct add_in in = { 1, 2 };
    struct vrpc_conn *c = raw_conn();
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct vrpc_flow *f = raw_flow(c, bad[i]);

        world_settle(&W);
        ck_assert_str_eq(call("", M_ADD, &in), "");
        vrpc_flow_cancel(f);
        world_settle(&W);
    }

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

START_TEST(request_with_a_type_that_never_comes_times_out)
{
    struct vrpc_conn *c = raw_conn();
    struct vrpc_flow *f = raw_flow(c, "64 81 ff 90 01 e1");

    (void)f;
    world_settle(&W);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1);
    world_sleep(&W, 61 * SEC);

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

/* ---- stopping ------------------------------------------------------------ */

static void count(void *ud)
{
    ++*(int *)ud;
}

START_TEST(idle_server_stops_at_once)
{
    struct add_in in = { 1, 2 };
    int64_t begin;
    int stopped = 0;

    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_str_eq(call("", M_ADD, &in), "");
    begin = W.now.mono_ns;
    vrpc_server_stop(P.s->s, 5 * SEC, count, &stopped);
    ck_assert_int_eq(stopped, 0);
    ck_assert(world_until(&W, &stopped, SEC));
    world_settle(&W);

    ck_assert_int_le(W.now.mono_ns - begin, 5 * V23_NS_PER_MS);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
    ck_assert_int_eq(vrpc_server_state(P.s->s), VRPC_SERVER_STOPPED);
}
END_TEST

START_TEST(running_call_may_finish_in_the_lame_duck_time)
{
    int stopped = 0;

    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    vrpc_server_stop(P.s->s, 5 * SEC, count, &stopped);
    world_sleep(&W, 3 * SEC);
    ck_assert_int_eq(stopped, 0);
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, NULL), 0);
    ck_assert(world_until(&W, &stopped, SEC));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
}
END_TEST

START_TEST(overdue_call_is_cancelled)
{
    int64_t begin;
    int stopped = 0;

    disp_serve(VRPC_LEAF_DEFAULT);
    P.echo.auto_reply = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    begin = W.now.mono_ns;
    vrpc_server_stop(P.s->s, 5 * SEC, count, &stopped);
    ck_assert(world_until(&W, &stopped, 10 * SEC));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert(W.now.mono_ns == begin + 5 * SEC);
    ck_assert_int_eq(P.echo.cancels, 1);
    ck_assert_str_eq(R.id, VERR "BadProtocol");
}
END_TEST

START_TEST(stubborn_handler_is_waited_for)
{
    int stopped = 0;

    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    vrpc_server_stop(P.s->s, 0, count, &stopped);
    world_sleep(&W, 60 * SEC);
    ck_assert_int_eq(stopped, 0);
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, NULL),
        V23_ECLOSED);
    ck_assert(world_until(&W, &stopped, SEC));
}
END_TEST

START_TEST(private_servers_are_refused)
{
    struct vdl_str peer = VDL_STR_INIT("test:friend");
    vdl_str_list peers = { NULL, 0 };
    struct vrpc_server_config sc;
    struct vrpc_server *s;

    memset(&sc, 0, sizeof(sc));
    sc.object = D.obj;
    sc.peers = &peers;
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &s), V23_EARG);
    peers.v = &peer;
    peers.n = 1;
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &s), V23_ENOSYS);
    sc.name = vdl_str("a/name");
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &s), V23_EARG);

    ck_assert_ptr_null(vrpc_manager_server(P.s->m)); /* nothing is left */
    disp_serve(VRPC_LEAF_DEFAULT);
}
END_TEST

START_TEST(server_needs_a_routing_id_and_a_free_manager)
{
    struct vrpc_server_config sc;
    struct vrpc_server *s;

    memset(&sc, 0, sizeof(sc));
    ck_assert_int_eq(vrpc_server_new(P.c->m, &sc, &s), V23_EARG);
    disp_serve(VRPC_LEAF_DEFAULT);
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &s), V23_ESTATE);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/server");
    TCase *t = tcase_create("server");

    tcase_add_checked_fixture(t, disp_setup, world_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, lookup_gets_the_suffix_without_slashes);
    tcase_add_test(t, late_lookup_continues_the_call);
    tcase_add_test(t, cancelled_call_cancels_the_lookup);
    tcase_add_test(t, lookup_results_become_errors);
    tcase_add_test(t, no_object_is_unknown_suffix);
    tcase_add_test(t, leaf_option_refuses_suffixes);
    tcase_add_test(t, lookup_deadline_is_kept);
    tcase_add_test(t, default_authorizer_refuses_strangers);
    tcase_add_test(t, refused_caller_gets_no_access);
    tcase_add_test(t, late_authorization_continues_the_call);
    tcase_add_test(t, late_refusal_ends_the_call);
    tcase_add_test(t, cancelled_call_cancels_the_authorizer);
    tcase_add_test(t, client_authorizer_may_answer_later);
    tcase_add_test(t, connection_may_die_while_an_authorizer_thinks);
    tcase_add_test(t, client_authorizer_may_refuse_later);
    tcase_add_test(t, handler_sees_both_ends);
    tcase_add_test(t, calls_beyond_the_limit_are_refused);
    tcase_add_test(t, flow_without_first_byte_times_out);
    tcase_add_test(t, unknown_first_byte_is_left_alone_then_closed);
    tcase_add_test(t, second_type_flow_is_ignored);
    tcase_add_test(t, garbage_request_ends_only_its_call);
    tcase_add_test(t, request_with_a_type_that_never_comes_times_out);
    tcase_add_test(t, idle_server_stops_at_once);
    tcase_add_test(t, running_call_may_finish_in_the_lame_duck_time);
    tcase_add_test(t, overdue_call_is_cancelled);
    tcase_add_test(t, stubborn_handler_is_waited_for);
    tcase_add_test(t, private_servers_are_refused);
    tcase_add_test(t, server_needs_a_routing_id_and_a_free_manager);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
