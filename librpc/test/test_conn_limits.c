/* BSD-3-Clause; see LICENSE. */
/*
 * What a peer may make a connection hold (spec/rpc.md 26): each limit is
 * reached, and passed by one. Before authentication the peer is played by
 * hand, under a box that hides nothing.
 */
#include <clear_box.h>

#include "rig.h"

#include "../src/conn_int.h"

#define B 8192u
#define M 1024u

static uint8_t bytes[2u << 20];

static void small(void)
{
    rig_setup();
    R.dcfg.mtu = R.acfg.mtu = M;
    R.dcfg.bytes_buffered = R.acfg.bytes_buffered = B;
    R.dcfg.shared_tokens = R.acfg.shared_tokens = B;
}

/* ---- strangers ----------------------------------------------------------- */

/* An acceptor alone. */
static void acceptor(void)
{
    R.crypto.box = &clear_box;
    ck_assert_int_eq(vrpc_conn_new(&R.acfg, &R.now, &R.a.conn), 0);
}

/* Give it a frame of n octets, of which `have` come; its status. */
static int frame(const void *p, size_t n, size_t have, bool sealed)
{
    size_t tag = sealed ? VSEC_BOX_TAG : 0;
    uint8_t *f = calloc(1, VRPC_FRAME_HEADER + tag + n + 1);
    int rc;

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(vrpc_frame_put(f, tag + n), 0);
    memcpy(f + VRPC_FRAME_HEADER + tag, p, have);
    rc = rig_feed(&R.a, f, VRPC_FRAME_HEADER + tag + have);
    free(f);
    return rc;
}

static int sealed(const char *text)
{
    struct v23_bytes b = hex(text);

    return frame(b.p, b.n, b.n, true);
}

/* The stranger's Setup; afterwards everything is sealed. */
static int say_setup(uint64_t min, uint64_t max)
{
    struct vrpc_msg m;
    struct v23_buf b;
    int rc;

    memset(&m, 0, sizeof(m));
    m.type = VRPC_MSG_SETUP;
    m.u.setup.min_version = min;
    m.u.setup.max_version = max;
    memset(m.u.setup.key, 7, sizeof(m.u.setup.key));
    m.u.setup.has_key = true;
    m.u.setup.mtu = M;
    m.u.setup.shared_tokens = B;
    v23_buf_init(&b, NULL, SIZE_MAX);
    vrpc_msg_encode(&m, &b);
    rc = frame(b.p, b.n, b.n, false);
    v23_buf_fini(&b);
    return rc;
}

START_TEST(first_frame_has_a_limit)
{
    acceptor();
    ck_assert_int_eq(frame(bytes, 16u << 10, 10, false), 0);
    ck_assert_int_eq(R.a.closed, 0);
    vrpc_conn_free(R.a.conn);

    acceptor();
    ck_assert_int_eq(frame(bytes, (16u << 10) + 1, 0, false), V23_EFRAME);
    ck_assert_int_eq(R.a.closed, 1);
    ck_assert_ptr_nonnull(strstr(R.a.text, "too long"));
}
END_TEST

START_TEST(frames_of_strangers_have_a_limit)
{
    size_t tag = VSEC_BOX_TAG;

    acceptor();
    ck_assert_int_eq(say_setup(11, 14), 0);
    ck_assert_int_eq(frame(bytes, (256u << 10) - tag, 10, true), 0);
    vrpc_conn_free(R.a.conn);

    acceptor();
    ck_assert_int_eq(say_setup(11, 14), 0);
    ck_assert_int_eq(frame(bytes, (256u << 10) - tag + 1, 0, true),
        V23_EFRAME);
}
END_TEST

START_TEST(blessings_of_strangers_have_a_limit)
{
    static uint8_t data[64u << 10];
    size_t left = 1u << 20, n;
    int rc = 0;

    acceptor();
    ck_assert_int_eq(say_setup(11, 14), 0);
    memcpy(data, "\x77\x01\x00", 3); /* Data on flow 1 */
    while (left > 0) {
        n = left < sizeof(data) - 3 ? left : sizeof(data) - 3;
        rc = frame(data, 3 + n, 3 + n, true);
        ck_assert_int_eq(rc, 0);
        left -= n;
    }
    ck_assert_uint_le(R.t.bytes, 3u << 20);

    ck_assert_int_eq(frame(data, 4, 4, true), V23_ELIMIT);
    ck_assert_int_eq(R.a.ready, 0);
}
END_TEST

START_TEST(strangers_get_a_minute_however_slowly_they_speak)
{
    uint8_t p[VRPC_FRAME_HEADER + 1000] = { 0 };
    size_t i;

    acceptor();
    ck_assert_int_eq(vrpc_frame_put(p, 1000), 0);
    p[VRPC_FRAME_HEADER] = VRPC_MSG_SETUP;
    for (i = 0; i < 59; i++) {
        ck_assert_int_eq(rig_feed(&R.a, p + i, 1), 0);
        R.now.mono_ns += V23_NS_PER_SEC;
        vrpc_conn_tick(R.a.conn, &R.now);
        ck_assert_int_eq(R.a.closed, 0);
    }
    R.now.mono_ns += V23_NS_PER_SEC;
    vrpc_conn_tick(R.a.conn, &R.now);

    ck_assert_int_eq(R.a.closed, 1);
    ck_assert_int_eq(R.a.close_status, V23_ETIMEOUT);
}
END_TEST

START_TEST(strangers_may_only_authenticate)
{
    static const char *const early[] = {
        "79 0a fe1000 01 00 00 64", /* OpenFlow */
        "77 0a 00 61", /* Data */
        "78 0a 01", /* Release */
        "73", "72", "7c", "7b", "75", "76",
        "7a 00 00 00 00 00 00", /* unsigned Auth, no blessings */
    };
    size_t i;

    for (i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
        R.a.closed = 0;
        acceptor();
        ck_assert_int_eq(say_setup(11, 14), 0);
        ck_assert_int_ne(sealed(early[i]), 0);
        ck_assert_int_eq(R.a.closed, 1);
        ck_assert_int_eq(R.a.ready + R.a.opened, 0);
        vrpc_conn_free(R.a.conn);
        R.a.conn = NULL;
    }
}
END_TEST

START_TEST(other_versions_are_refused)
{
    acceptor();
    ck_assert_int_eq(say_setup(10, 10), V23_ERPCVERSION);
    vrpc_conn_free(R.a.conn);
    acceptor();
    ck_assert_int_eq(say_setup(15, 99), V23_ERPCVERSION);
}
END_TEST

START_TEST(text_of_a_tear_down_is_cut)
{
    uint8_t msg[5000];

    acceptor();
    ck_assert_int_eq(say_setup(11, 14), 0);
    memset(msg, 'x', sizeof(msg));
    msg[0] = VRPC_MSG_TEAR_DOWN;
    msg[5] = '\n';

    ck_assert_int_ne(frame(msg, sizeof(msg), sizeof(msg), true), 0);

    ck_assert_int_eq(R.a.closed, 1);
    ck_assert_uint_eq(strlen(R.a.text),
        strlen("remote end received err: ") + 512);
    ck_assert_ptr_null(strchr(R.a.text, '\n'));
}
END_TEST

/* ---- windows of all flows ------------------------------------------------ */

enum { FLOWS = 6 };
static struct vrpc_flow *flows[FLOWS];

static void open_flows(void)
{
    int i;

    R.acfg.limits.windows = 3 * B;
    R.a.hold = true;
    rig_connect();
    for (i = 0; i < FLOWS; i++) {
        flows[i] = rig_open();
        ck_assert_int_eq(vrpc_flow_write(flows[i], "x", 1), 0);
    }
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_uint_eq(R.a.nflows, FLOWS);
}

static void read_all(struct vrpc_flow *f)
{
    struct v23_bytes b;

    while (vrpc_flow_peek(f, &b) == 0)
        vrpc_flow_consume(f, b.n);
}

START_TEST(windows_shrink_when_they_are_many)
{
    int i;

    open_flows();
    ck_assert_int_eq(vrpc_flow_write(flows[0], bytes, B - FLOWS), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    for (i = 0; i < FLOWS; i++)
        read_all(R.a.flows[i]);
    ck_assert_int_eq(rig_run(&R), 0); /* the first Release */

    for (i = 0; i < FLOWS; i++)
        ck_assert_uint_eq(flows[i]->released, i < 3 ? B : M);
    ck_assert_uint_eq(R.a.conn->granted, 3 * B + 3 * M);

    vrpc_flow_close(flows[0]);
    ck_assert_int_eq(rig_run(&R), 0);
    vrpc_flow_close(R.a.flows[0]);
    ck_assert_uint_eq(R.a.conn->granted, 2 * B + 3 * M);
}
END_TEST

START_TEST(small_windows_carry_everything)
{
    size_t sent = 0, got = 0;
    struct v23_bytes b;
    int i;

    open_flows();
    for (i = 0; i < 1000 && got < 100000; i++) {
        if (sent < 100000 && vrpc_flow_write(flows[5], bytes, 1000) == 0)
            sent += 1000;
        ck_assert_int_eq(rig_run(&R), 0);
        while (vrpc_flow_peek(R.a.flows[5], &b) == 0) {
            got += b.n;
            vrpc_flow_consume(R.a.flows[5], b.n);
        }
        ck_assert_int_eq(rig_run(&R), 0);
    }

    ck_assert_uint_eq(got, 100001);
}
END_TEST

/* Each flow alone stays within what one flow may have. */
START_TEST(overdraft_on_many_flows_closes_the_connection)
{
    size_t before, i;

    open_flows();
    before = R.t.bytes;
    R.d.conn->pool_tokens = 100 * B;
    for (i = 0; i < FLOWS && R.a.closed == 0; i++) {
        ck_assert_int_eq(vrpc_flow_write(flows[i], bytes, B - 1), 0);
        ck_assert_int_eq(rig_run(&R), 0);
        if (R.a.closed == 0)
            ck_assert_uint_le(R.a.conn->unread,
                5 * (3 * B + 3 * M + B) / 4 + 4096);
    }

    ck_assert_int_eq(R.a.closed, 1);
    ck_assert_int_eq(R.a.close_status, V23_ELIMIT);
    ck_assert_ptr_nonnull(strstr(R.a.text, "overflow"));
    ck_assert_uint_le(R.t.peak - before, 16 * B);
}
END_TEST

START_TEST(stalled_reader_bounds_both_sides)
{
    size_t n = 0, before;
    struct vrpc_flow *f;

    R.a.hold = true;
    rig_connect();
    f = rig_open();
    before = R.t.bytes;
    while (n < 100 * B && vrpc_flow_write(f, bytes, 1000) == 0) {
        n += 1000;
        ck_assert_int_eq(rig_run(&R), 0);
    }

    ck_assert_int_eq(vrpc_flow_write(f, bytes, 1), V23_EAGAIN);
    ck_assert_uint_le(n, 3 * B);
    ck_assert_uint_le(R.t.peak - before, 8 * B);
    R.a.hold = false;
    read_all(R.a.flows[0]);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(R.d.writable, 1);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, first_frame_has_a_limit);
    tcase_add_test(tc, frames_of_strangers_have_a_limit);
    tcase_add_test(tc, blessings_of_strangers_have_a_limit);
    tcase_add_test(tc, strangers_get_a_minute_however_slowly_they_speak);
    tcase_add_test(tc, strangers_may_only_authenticate);
    tcase_add_test(tc, other_versions_are_refused);
    tcase_add_test(tc, text_of_a_tear_down_is_cut);
    tcase_add_test(tc, windows_shrink_when_they_are_many);
    tcase_add_test(tc, small_windows_carry_everything);
    tcase_add_test(tc, overdraft_on_many_flows_closes_the_connection);
    tcase_add_test(tc, stalled_reader_bounds_both_sides);
}

int main(void)
{
    return tst_run_case("librpc/conn_limits", add, small, rig_teardown);
}
