/* BSD-3-Clause; see LICENSE. */
/* Flows, closing, refresh, memory: two connections in one process. */
#include "rig.h"

/* ---- flows --------------------------------------------------------------- */

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
    ck_assert_int_eq(seeded_person(R.engine, "other", &p, &b), 0);
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

/* A discharge by the server of a caveat that only it can discharge. */
static struct vsec_discharge *make_discharge(void)
{
    struct vsec_third_party what;
    v23_security_caveat cav, yes = vsec_caveat_unconstrained();
    v23_security_caveat_list list;
    struct vsec_discharge *d = NULL;
    struct v23_arena a;

    list.v = &yes;
    list.n = 1;
    memset(&what, 0, sizeof(what));
    what.key = R.a.principal->key->der;
    what.location = vdl_str("server");
    what.caveats = list;
    v23_arena_init(&a, NULL, SIZE_MAX);
    ck_assert_int_eq(vsec_caveat_third_party(R.engine, &a, &what, &cav), 0);
    ck_assert_int_eq(vsec_principal_mint_discharge(R.a.principal, &cav, list,
        &d), 0);
    v23_arena_fini(&a);
    return d;
}

START_TEST(flows_present_discharges_once)
{
    struct vsec_discharge *d = make_discharge(), *const *got;
    struct vrpc_flow_opts o;
    struct vrpc_flow *f;
    size_t n = 0;
    int i;

    rig_connect();
    memset(&o, 0, sizeof(o));
    o.blessings = R.client;
    o.discharges = &d;
    o.ndischarges = 1;
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &f), 0);
        ck_assert_int_eq(vrpc_flow_write(f, "x", 1), 0);
    }
    ck_assert_int_eq(vrpc_flow_write(rig_open(), "y", 1), 0); /* none */
    ck_assert_int_eq(rig_run(&R), 0);

    for (i = 0; i < 3; i++) {
        got = vrpc_flow_remote_discharges(R.a.flows[i], &n);
        ck_assert_uint_eq(n, 1);
        ck_assert(vdl_str_eq(vsec_discharge_id(got[0]),
            vsec_discharge_id(d)));
    }
    ck_assert(vrpc_flow_remote_discharges(R.a.flows[0], &n)
        == vrpc_flow_remote_discharges(R.a.flows[2], &n));
    ck_assert_ptr_null(vrpc_flow_remote_discharges(R.a.flows[3], &n));
    ck_assert_uint_eq(n, 0);
    vsec_discharge_unref(d);
}
END_TEST

START_TEST(connection_presents_discharges)
{
    struct vsec_discharge *d = make_discharge();
    size_t n = 0;

    R.acfg.discharges = &d;
    R.acfg.ndischarges = 1;
    rig_connect();
    ck_assert_ptr_nonnull(vrpc_conn_remote_discharges(R.d.conn, &n));
    ck_assert_uint_eq(n, 1);

    ck_assert_int_eq(vrpc_conn_refresh(R.a.conn, R.server, NULL, 0), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_ptr_null(vrpc_conn_remote_discharges(R.d.conn, &n));
    ck_assert_int_eq(vrpc_conn_refresh(R.a.conn, R.server, &d, 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_ptr_nonnull(vrpc_conn_remote_discharges(R.d.conn, &n));
    ck_assert_uint_eq(n, 1);
    vsec_discharge_unref(d);
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

/* ---- life ---------------------------------------------------------------- */

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

/* ---- memory -------------------------------------------------------------- */

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

    flows = R.t.bytes;
    for (i = 0; i < 50; i++)
        ck_assert_int_eq(vrpc_flow_write(rig_open(), "x", 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    rig_sleep(&R, 3 * V23_NS_PER_SEC);
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

static void add(TCase *tc)
{
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
    tcase_add_test(tc, flows_present_discharges_once);
    tcase_add_test(tc, connection_presents_discharges);
    tcase_add_test(tc, blessings_stream_goes_on_after_a_rest);
    tcase_add_test(tc, values_wait_for_their_types);
    tcase_add_test(tc, dependents_survive_the_end_of_what_they_wait_for);
    tcase_add_test(tc, close_tells_the_peer);
    tcase_add_test(tc, lame_duck_lets_flows_finish);
    tcase_add_test(tc, lame_duck_is_acked_when_flows_are_dropped);
    tcase_add_test(tc, idle_is_no_flows_and_no_use);
    tcase_add_test(tc, new_checks_its_configuration);
    tcase_add_test(tc, out_of_memory_is_survived);
    tcase_add_test(tc, resting_connection_is_small);
    tcase_add_test(tc, small_calls_do_not_allocate);
}

int main(void)
{
    return tst_run_case("librpc/conn", add, rig_setup, rig_teardown);
}
