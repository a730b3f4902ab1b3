/* BSD-3-Clause; see LICENSE. */
/* Flows of whole messages, and a connection inside one. */
#include "rig.h"

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

/* Each message needs tokens for all of it: half a window is not enough. */
START_TEST(messages_of_any_size_pass_a_window_of_one)
{
    static const size_t sizes[] = { 2000, 3000, 4096, 1, 4096, 2048, 2100,
        4000 };
    uint8_t data[4096] = { 0 };
    struct vrpc_flow_opts o;
    struct vrpc_flow *f, *g;
    size_t i, n = 0;

    R.dcfg.mtu = R.acfg.mtu = 4096;
    R.dcfg.bytes_buffered = R.acfg.bytes_buffered = 4096;
    R.a.messages = true;
    rig_connect();
    memset(&o, 0, sizeof(o));
    o.messages = true;
    /* Another flow keeps some of the pool. */
    R.a.hold = true;
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &g), 0);
    ck_assert_int_eq(vrpc_flow_write_message(g, data, 1500, true), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    R.a.hold = false;
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &f), 0);
    ck_assert_int_eq(vrpc_flow_write_message(f, data, 100, true), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ck_assert_int_eq(vrpc_flow_write_message(f, data, sizes[i], true), 0);
        ck_assert_int_eq(rig_run(&R), 0);
        ck_assert_uint_eq(vrpc_flow_queued(f), 0);
        n += sizes[i] + 1;
    }
    ck_assert_uint_eq(R.a.got.n, 101 + n); /* each ends with a mark */
}
END_TEST

/* A connection whose transport is a flow of another one. */
static struct vrpc_conn *inner_d, *inner_a;
static int inner_ready;
static size_t inner_mtu, inner_messages;

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
        if (b.n == 0)
            continue;
        /* What is longer would never pass the outer connection. */
        if (vrpc_conn_output_was_sealed(c))
            ck_assert_uint_le(b.n, inner_mtu);
        inner_messages++;
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
    static const uint32_t mtus[] = { 65536, 160 };
    struct vrpc_conn_config dcfg, acfg;
    struct vrpc_flow_opts o;
    struct vrpc_flow *f, *g;

    inner_mtu = mtus[_i];
    inner_messages = inner_ready = 0;
    R.a.messages = true;
    R.a.on_readable = R.d.on_readable = tunnel_readable;
    rig_connect();
    dcfg = R.dcfg;
    acfg = R.acfg;
    dcfg.message_transport = acfg.message_transport = true;
    dcfg.encapsulated = acfg.encapsulated = true;
    dcfg.mtu = acfg.mtu = mtus[_i];
    dcfg.hooks = acfg.hooks = &inner_hooks;
    ck_assert_int_eq(vrpc_conn_new(&dcfg, &R.now, &inner_d), 0);
    ck_assert_int_eq(vrpc_conn_new(&acfg, &R.now, &inner_a), 0);
    memset(&o, 0, sizeof(o));
    o.messages = true;
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &f), 0);

    inner_flush(inner_d, f);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(inner_ready, 2);
    /* Setup, blessings (cut, where they are too long), Auth; twice. */
    if (_i == 0)
        ck_assert_uint_eq(inner_messages, 6);
    else
        ck_assert_uint_gt(inner_messages, 8);
    ck_assert_int_eq(vrpc_flow_open(inner_d, NULL, &g), 0);
    ck_assert_int_eq(vrpc_flow_write(g, "inside", 6), 0);
    inner_flush(inner_d, f);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert(got_is(&R.a, "inside"));
    vrpc_conn_free(inner_d);
    vrpc_conn_free(inner_a);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, message_flows_keep_messages_whole, 0, 2);
    tcase_add_test(tc, message_flows_queue_messages);
    tcase_add_test(tc, messages_of_any_size_pass_a_window_of_one);
    tcase_add_loop_test(tc, connection_inside_a_flow, 0, 2);
}

int main(void)
{
    return tst_run_case("librpc/conn_messages", add, rig_setup, rig_teardown);
}
