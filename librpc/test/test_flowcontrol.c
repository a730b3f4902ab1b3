/* BSD-3-Clause; see LICENSE. */
/*
 * Tokens, windows, Release, limits. Where the peer must misbehave, a second
 * connection plays its part up to a point and forged messages are sealed with
 * the session's own keys: tap_send below.
 */
#include "rig.h"

#include "../src/conn_int.h"

#define B 8192u

static uint8_t bytes[256 * 1024];

static void small(void)
{
    rig_setup();
    R.dcfg.mtu = R.acfg.mtu = 1024;
    R.dcfg.bytes_buffered = R.acfg.bytes_buffered = B;
    R.dcfg.shared_tokens = R.acfg.shared_tokens = B;
}

/* Send any message as if `e` had queued it. */
static void tap_send(struct end *e, const char *text)
{
    struct v23_bytes b = hex(text);

    ck_assert_int_eq(vrpc_express_(e->conn, b.p, b.n, false), 0);
}

static struct vrpc_flow *open_at_acceptor(void)
{
    struct vrpc_flow *f = rig_open();

    ck_assert_int_eq(vrpc_flow_write(f, "x", 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    return f;
}

/* ---- windows ------------------------------------------------------------- */

START_TEST(writer_stops_at_the_pool)
{
    struct vrpc_flow *f;

    R.a.hold = true;
    rig_connect();
    f = rig_open();

    ck_assert_int_eq(vrpc_flow_write(f, bytes, 3 * B), 0); /* one big item */
    ck_assert_int_eq(vrpc_flow_write(f, bytes, 1), V23_EAGAIN);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(vrpc_flow_queued(f), 2 * B);
    ck_assert_int_eq(R.d.writable, 0);
    ck_assert(!vrpc_conn_wants_output(R.d.conn));
}
END_TEST

START_TEST(reader_lets_the_writer_go_on)
{
    struct vrpc_flow *f;

    rig_connect();
    f = rig_open();

    ck_assert_int_eq(vrpc_flow_write(f, bytes, sizeof(bytes)), 0);
    ck_assert_int_eq(vrpc_flow_write(f, bytes, 1), V23_EAGAIN);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(R.a.got.n, sizeof(bytes));
    ck_assert_int_eq(R.d.writable, 1);
    ck_assert(vrpc_flow_can_write(f));
}
END_TEST

static size_t to_write;

static void write_more(struct end *e, struct vrpc_flow *f)
{
    int rc = 0;

    (void)e;
    while (to_write > 0 && rc == 0) {
        rc = vrpc_flow_write(f, bytes, 1000);
        if (rc == 0)
            to_write -= 1000;
    }
    ck_assert(rc == 0 || rc == V23_EAGAIN);
}

START_TEST(writable_hook_drives_a_stream)
{
    struct vrpc_flow *f;

    R.d.on_writable = write_more;
    rig_connect();
    f = rig_open();

    to_write = 1000 * 1000;
    write_more(&R.d, f);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(to_write, 0);
    ck_assert_uint_eq(R.a.got.n, 1000 * 1000);
}
END_TEST

START_TEST(many_flows_share_the_pool)
{
    struct vrpc_flow *f[40];
    int i;

    R.a.hold = true;
    rig_connect();
    for (i = 0; i < 40; i++) {
        f[i] = rig_open();
        ck_assert_int_eq(vrpc_flow_write(f[i], bytes, 4000), 0);
    }
    ck_assert_int_eq(rig_run(&R), 0);
    /* All are open, but no more than the pool has been sent. */
    ck_assert_int_eq(R.a.opened, 40);
    ck_assert_uint_eq(R.d.conn->pool_tokens, 0);
    R.a.hold = false;

    for (i = 0; i < 40; i++)
        rig_readable(&R.a, R.a.conn, R.a.flows[i]);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(R.a.got.n, 40 * 4000);
    for (i = 0; i < 40; i++)
        ck_assert_uint_eq(vrpc_flow_queued(f[i]), 0);
}
END_TEST

START_TEST(accepted_flow_has_the_initial_counters)
{
    struct vrpc_flow *f;

    R.d.hold = true;
    rig_connect();
    (void)open_at_acceptor();
    f = R.a.flows[0];

    ck_assert_int_eq(vrpc_flow_write(f, bytes, 3 * B), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(vrpc_flow_queued(f), 2 * B);
    R.d.hold = false;
    rig_readable(&R.d, R.d.conn, vrpc_idmap_get_(&R.d.conn->by_id, 10)->p);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_uint_eq(R.d.got.n, 3 * B);
}
END_TEST

/* spec/rpc.md 10: small buffers of one side must not stall the other. */
START_TEST(unequal_buffers_do_not_stall)
{
    struct vrpc_flow *f;

    R.acfg.mtu = R.acfg.bytes_buffered = 65536;
    R.acfg.shared_tokens = 1 << 20;
    if (_i == 1) {
        R.dcfg.shared_tokens = 0; /* the default for a pure client */
        R.dcfg.bytes_buffered = 4096;
    }
    rig_connect();
    f = rig_open();

    ck_assert_int_eq(vrpc_flow_write(f, bytes, sizeof(bytes)), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(R.a.got.n, sizeof(bytes));
}
END_TEST

START_TEST(small_client_buffer_still_announces_a_pool)
{
    R.dcfg.shared_tokens = 0;
    R.dcfg.bytes_buffered = 4096;
    R.acfg.shared_tokens = 1 << 20;

    rig_connect();

    ck_assert_uint_eq(R.d.conn->pool_tokens, 1 << 20);
}
END_TEST

/* ---- bookkeeping --------------------------------------------------------- */

/* Tokens of the dialer: in the pool, borrowed by flows, or outstanding. */
static uint64_t pool_total(struct vrpc_conn *c)
{
    uint64_t n = c->pool_tokens;
    struct vrpc_link_ *l;
    uint32_t i;

    for (l = c->flows.next; l != &c->flows; l = l->next)
        n += VRPC_FLOW_OF_(l, all)->borrowed;
    for (i = 0; i < c->outstanding.cap; i++)
        if (c->outstanding.slots[i].id != 0)
            n += c->outstanding.slots[i].val.n;
    return n;
}

static uint32_t next_random(uint32_t *s)
{
    *s = *s * 1664525u + 1013904223u;
    return *s >> 8;
}

/* Random opening, writing, reading, closing from both sides. */
START_TEST(pool_tokens_are_never_lost_or_made)
{
    struct vrpc_flow *f[16] = { NULL };
    uint32_t seed = (uint32_t)_i + 1, k;
    int step, rc;

    R.a.close_on_eof = true;
    R.a.hold = true;
    rig_connect();
    for (step = 0; step < 3000; step++) {
        k = next_random(&seed) % 16;
        switch (next_random(&seed) % 8) {
        case 0:
            if (f[k] == NULL)
                f[k] = rig_open();
            break;
        case 1:
        case 2:
        case 3:
            if (f[k] != NULL) {
                rc = vrpc_flow_write(f[k], bytes, next_random(&seed) % 3000);
                ck_assert(rc == 0 || rc == V23_EAGAIN || rc == V23_ECLOSED);
            }
            break;
        case 4:
            if (f[k] != NULL) {
                if (next_random(&seed) % 2)
                    vrpc_flow_close(f[k]);
                else
                    vrpc_flow_cancel(f[k]);
                f[k] = NULL;
            }
            break;
        case 5:
            R.a.hold = !R.a.hold;
            break;
        case 6:
            ck_assert_int_eq(rig_move(&R.d), 0);
            break;
        default:
            ck_assert_int_eq(rig_move(&R.a), 0);
            break;
        }
        ck_assert_msg(pool_total(R.d.conn) == B, "seed %d step %d: %llu", _i,
            step, (unsigned long long)pool_total(R.d.conn));
        ck_assert_int_eq(R.d.closed + R.a.closed, 0);
    }
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_uint_eq(pool_total(R.d.conn), B);
}
END_TEST

START_TEST(closed_flows_give_their_tokens_back)
{
    struct vrpc_flow *f;
    int i;

    R.a.close_on_eof = true;
    rig_connect();
    /* Many times the pool goes through flows that the opener closes. */
    for (i = 0; i < 100; i++) {
        f = rig_open();
        ck_assert_int_eq(vrpc_flow_write(f, bytes, 1000), 0);
        vrpc_flow_close(f);
        ck_assert_int_eq(rig_run(&R), 0);
    }
    ck_assert_uint_eq(R.a.got.n, 100 * 1000);
}
END_TEST

START_TEST(closed_flows_of_no_bytes_are_released_by_number)
{
    int i;

    R.a.close_on_eof = true;
    R.acfg.limits.flows = R.dcfg.limits.flows = 10;
    rig_connect();
    for (i = 0; i < 1000; i++) {
        struct vrpc_flow *f = rig_open();

        ck_assert_int_eq(vrpc_flow_write(f, "1", 1), 0);
        vrpc_flow_close(f);
        ck_assert_int_eq(rig_run(&R), 0);
        ck_assert_uint_lt(R.a.conn->nclosed_release, VRPC_CLOSED_RELEASE_);
    }
}
END_TEST

START_TEST(close_of_the_acceptor_returns_tokens)
{
    struct vrpc_flow *f;
    int i;

    R.d.close_on_eof = true;
    R.a.hold = true;
    rig_connect();
    for (i = 0; i < 30; i++) {
        f = rig_open();
        ck_assert_int_eq(vrpc_flow_write(f, bytes, 1000), 0);
        ck_assert_int_eq(rig_run(&R), 0);
        vrpc_flow_close(R.a.flows[i]); /* unread */
        ck_assert_int_eq(rig_run(&R), 0);
        ck_assert_uint_eq(R.d.conn->pool_tokens, B);
    }
    /* Our close said it all: nothing to release. */
    ck_assert_uint_eq(R.a.conn->nclosed_release, 0);
}
END_TEST

START_TEST(release_saturates)
{
    struct vrpc_flow *f;

    R.a.hold = true;
    rig_connect();
    f = open_at_acceptor();

    tap_send(&R.a, "78 0a f8ffffffffffffffff 0a f8ffffffffffffffff");
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(f->released, UINT64_MAX);
    ck_assert_uint_eq(R.d.conn->pool_tokens, B);
}
END_TEST

START_TEST(release_of_foreign_flows_is_ignored)
{
    struct vrpc_flow *f;

    rig_connect();
    f = rig_open(); /* id 10, not on the wire */

    tap_send(&R.a, "78 0a 7f 0c 7f 01 7f fe1000 7f");
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.closed, 0);
    ck_assert_uint_eq(f->released, 0);
    ck_assert_uint_eq(R.d.conn->pool_tokens, B);
}
END_TEST

/* ---- misbehaviour -------------------------------------------------------- */

static void expect_failure(struct end *e, int status)
{
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(e->closed, 1);
    ck_assert_int_eq(e->close_status, status);
    ck_assert_int_eq(e->peer->closed, 1);
    ck_assert_int_eq(e->peer->close_status, V23_EREMOTE);
}

START_TEST(overdraft_closes_the_connection)
{
    struct vrpc_flow *f;

    R.a.hold = true;
    rig_connect();
    f = open_at_acceptor();

    R.d.conn->pool_tokens = 100 * B; /* the peer cheats */
    ck_assert_int_eq(vrpc_flow_write(f, bytes, B + 1), 0);

    expect_failure(&R.a, V23_ELIMIT);
    ck_assert_ptr_nonnull(strstr(R.a.text, "overflow"));
}
END_TEST

START_TEST(broken_rules_close_the_connection)
{
    static const struct {
        const char *msg;
        int status;
    } v[] = {
        { "79 0b fe1000 01 00 00", V23_EPROTO }, /* our own parity */
        { "79 08 fe1000 01 00 00", V23_EPROTO }, /* reserved */
        { "79 0a fe1000 01 00 00", V23_EPROTO }, /* open already */
        { "79 0c fe1000 00 00 00", V23_EMSG }, /* no blessings */
        { "79 0c fe1000 40 00 00", V23_EPROTO }, /* unknown blessings */
        { "79 0c fe1000 02 40 00", V23_EPROTO }, /* unknown discharges */
        { "7e 0b 0e", V23_EPROTO }, /* Setup again */
        { "75", V23_EPROTO }, /* a proxy's message */
        { "7f", V23_EMSG },
        { "77", V23_EMSG },
        { "7a 40 00 00 00 00 00", V23_EPROTO } /* refresh with unknown key */
    };

    rig_connect();
    (void)open_at_acceptor();

    tap_send(&R.d, v[_i].msg);

    expect_failure(&R.a, v[_i].status);
    ck_assert_int_eq(R.a.flow_closed, 1);
}
END_TEST

START_TEST(garbage_after_authentication_closes)
{
    uint8_t junk[64] = { 0xff, 0xff, 0xe5 };

    rig_connect();

    ck_assert_int_eq(rig_feed(&R.a, junk, sizeof(junk)), V23_EBOX);

    ck_assert_int_eq(R.a.closed, 1);
}
END_TEST

START_TEST(pure_client_accepts_no_flows)
{
    rig_connect();

    tap_send(&R.a, "79 0b fe1000 01 00 00");

    expect_failure(&R.d, V23_EPROTO);
}
END_TEST

START_TEST(payload_above_the_mtu_closes)
{
    struct v23_buf b;

    rig_connect();
    (void)open_at_acceptor();
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_put(&b, "\x77\x0a\x00", 3);
    v23_buf_put(&b, bytes, 1025);

    ck_assert_int_eq(vrpc_express_(R.d.conn, b.p, b.n, false), 0);

    expect_failure(&R.a, V23_EFRAME);
    v23_buf_fini(&b);
}
END_TEST

START_TEST(data_for_unknown_flows_is_dropped)
{
    rig_connect();

    tap_send(&R.a, "77 0a 00 aabb");
    tap_send(&R.a, "77 0a 01");
    tap_send(&R.a, "77 00 00 aabb");
    tap_send(&R.d, "77 fe1000 01 aabb");
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.a.closed + R.d.closed, 0);
    ck_assert_int_eq(R.a.readable + R.d.readable, 0);
}
END_TEST

START_TEST(clear_payload_of_unknown_flows_is_skipped)
{
    uint8_t raw[] = { 0xff, 0xff, 0xfc, 1, 2, 3 };

    rig_connect();
    tap_send(&R.d, "77 fe1000 02");
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(rig_feed(&R.a, raw, sizeof(raw)), 0);
    tap_send(&R.d, "73");
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.a.closed, 0);
}
END_TEST

START_TEST(doubled_close_is_ignored)
{
    rig_connect();
    (void)open_at_acceptor();

    tap_send(&R.a, "77 0a 01");
    tap_send(&R.a, "77 0a 01");
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.d.flow_closed, 1);
    ck_assert_int_eq(R.d.closed, 0);
}
END_TEST

START_TEST(too_many_flows_are_refused_one_by_one)
{
    int i;

    R.acfg.limits.flows = 5;
    rig_connect();
    for (i = 0; i < 8; i++)
        ck_assert_int_eq(vrpc_flow_write(rig_open(), "x", 1), 0);

    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.a.opened, 5);
    ck_assert_int_eq(R.d.flow_closed, 3);
    ck_assert_int_eq(R.a.closed + R.d.closed, 0);
}
END_TEST

START_TEST(own_flows_are_limited)
{
    struct vrpc_flow *f;
    int i;

    R.dcfg.limits.flows = 5;
    rig_connect();
    for (i = 0; i < 5; i++)
        (void)rig_open();

    ck_assert_int_eq(vrpc_flow_open(R.d.conn, NULL, &f), V23_ELIMIT);
    ck_assert(vrpc_conn_can_open(R.d.conn));
}
END_TEST

/* A peer that never reads while we must answer: our memory is bounded. */
START_TEST(unread_answers_are_bounded)
{
    size_t before;
    int i, rc = 0;

    R.acfg.limits.flows = 1;
    rig_connect();
    (void)open_at_acceptor();
    before = R.t.bytes;
    for (i = 0; i < 20000 && rc == 0; i++) {
        char msg[64];

        snprintf(msg, sizeof(msg), "79 fd01%04x 7f 01 00 00", 2 * i);
        R.d.out.n = 0;
        tap_send(&R.d, msg);
        tap_send(&R.d, "73");
        ck_assert_int_eq(rig_fetch(&R.d), 0);
        rc = rig_feed(&R.a, R.d.out.p, R.d.out.n);
    }

    ck_assert_int_eq(rc, V23_ELIMIT);
    ck_assert_uint_lt(R.t.bytes, before + 4 * VRPC_EXPRESS_MAX_);
}
END_TEST

START_TEST(blessings_stream_is_limited)
{
    struct v23_buf b;
    int i, rc = 0;

    R.acfg.limits.blessings_bytes = 100000;
    rig_connect();
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_put(&b, "\x77\x01\x00", 3);
    v23_buf_put(&b, bytes, 30000);
    for (i = 0; i < 10 && rc == 0; i++) {
        R.d.out.n = 0;
        ck_assert_int_eq(vrpc_express_(R.d.conn, b.p, b.n, false), 0);
        ck_assert_int_eq(rig_fetch(&R.d), 0);
        rc = rig_feed(&R.a, R.d.out.p, R.d.out.n);
    }

    ck_assert_int_eq(rc, V23_ELIMIT);
    ck_assert_int_eq(i, 4);
    v23_buf_fini(&b);
}
END_TEST

START_TEST(output_stops_at_max)
{
    struct vrpc_flow *f;
    size_t n;

    rig_connect();
    f = rig_open();
    ck_assert_int_eq(vrpc_flow_write(f, bytes, 5000), 0);

    R.d.out.n = 0;
    ck_assert_int_eq(vrpc_conn_output(R.d.conn, &R.d.out, 3000, &R.now), 0);
    n = R.d.out.n;
    ck_assert_uint_ge(n, 3000);
    ck_assert_uint_lt(n, 3000 + 1024 + 64);
    ck_assert(vrpc_conn_wants_output(R.d.conn));
    ck_assert_int_eq(rig_feed(&R.a, R.d.out.p, n), 0);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_uint_eq(R.a.got.n, 5000);
}
END_TEST

/* A full buffer loses nothing. */
START_TEST(output_survives_a_full_buffer)
{
    struct vrpc_flow *f;
    uint8_t mem[2000];
    struct v23_buf b;
    int rc;

    rig_connect();
    f = rig_open();
    ck_assert_int_eq(vrpc_flow_write(f, bytes, 5000), 0);
    do {
        v23_buf_init_fixed(&b, mem, sizeof(mem));
        rc = vrpc_conn_output(R.d.conn, &b, SIZE_MAX, &R.now);
        ck_assert(rc == 0 || rc == V23_ENOSPC);
        ck_assert_uint_gt(b.n, 0);
        ck_assert_int_eq(rig_feed(&R.a, mem, b.n), 0);
    } while (rc != 0);

    ck_assert_uint_eq(R.a.got.n, 5000);
}
END_TEST

/* Whole messages wait for tokens and keep their turn. */
START_TEST(messages_wait_for_tokens_of_the_whole)
{
    struct vrpc_flow_opts o;
    struct vrpc_flow *f, *g;
    int i;

    R.a.hold = true; /* and it does not know that these are messages */
    rig_connect();
    memset(&o, 0, sizeof(o));
    o.messages = true;
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &f), 0);
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &g), 0);
    for (i = 0; i < 7; i++)
        ck_assert_int_eq(vrpc_flow_write_message(f, bytes, 1024, false), 0);
    ck_assert_int_eq(vrpc_flow_write_message(f, bytes, 900, false), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_uint_eq(R.d.conn->pool_tokens, 124);

    ck_assert_int_eq(vrpc_flow_write_message(g, bytes, 200, false), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(R.a.opened, 1); /* 200 > 124 */
    R.a.hold = false;
    rig_readable(&R.a, R.a.conn, R.a.flows[0]);
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(R.a.opened, 2);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, writer_stops_at_the_pool);
    tcase_add_test(tc, reader_lets_the_writer_go_on);
    tcase_add_test(tc, writable_hook_drives_a_stream);
    tcase_add_test(tc, many_flows_share_the_pool);
    tcase_add_test(tc, accepted_flow_has_the_initial_counters);
    tcase_add_loop_test(tc, unequal_buffers_do_not_stall, 0, 2);
    tcase_add_test(tc, small_client_buffer_still_announces_a_pool);
    tcase_add_loop_test(tc, pool_tokens_are_never_lost_or_made, 0, 20);
    tcase_add_test(tc, closed_flows_give_their_tokens_back);
    tcase_add_test(tc, closed_flows_of_no_bytes_are_released_by_number);
    tcase_add_test(tc, close_of_the_acceptor_returns_tokens);
    tcase_add_test(tc, release_saturates);
    tcase_add_test(tc, release_of_foreign_flows_is_ignored);
    tcase_add_test(tc, overdraft_closes_the_connection);
    tcase_add_loop_test(tc, broken_rules_close_the_connection, 0, 11);
    tcase_add_test(tc, garbage_after_authentication_closes);
    tcase_add_test(tc, pure_client_accepts_no_flows);
    tcase_add_test(tc, payload_above_the_mtu_closes);
    tcase_add_test(tc, data_for_unknown_flows_is_dropped);
    tcase_add_test(tc, clear_payload_of_unknown_flows_is_skipped);
    tcase_add_test(tc, doubled_close_is_ignored);
    tcase_add_test(tc, too_many_flows_are_refused_one_by_one);
    tcase_add_test(tc, own_flows_are_limited);
    tcase_add_test(tc, unread_answers_are_bounded);
    tcase_add_test(tc, blessings_stream_is_limited);
    tcase_add_test(tc, output_stops_at_max);
    tcase_add_test(tc, output_survives_a_full_buffer);
    tcase_add_test(tc, messages_wait_for_tokens_of_the_whole);
}

int main(void)
{
    return tst_run_case("librpc/flowcontrol", add, small, rig_teardown);
}
