/* BSD-3-Clause; see LICENSE. */
/* Health checks and what connections do with time. */
#include "rig.h"

#define MINUTE (60 * V23_NS_PER_SEC)

START_TEST(healthy_channel_stays_open)
{
    rig_connect();

    rig_sleep(&R, 24 * 60 * MINUTE);

    ck_assert_int_eq(R.a.closed + R.d.closed, 0);
}
END_TEST

START_TEST(request_is_sent_at_half_time)
{
    rig_connect();
    rig_sleep(&R, 15 * MINUTE - 1);
    R.now.mono_ns += 1;

    vrpc_conn_tick(R.d.conn, &R.now);

    ck_assert(vrpc_conn_wants_output(R.d.conn));
}
END_TEST

START_TEST(dead_channel_is_closed)
{
    int64_t t = V23_NS_PER_SEC * 40;

    R.dcfg.channel_timeout_ns = t;
    rig_connect();
    vrpc_conn_free(R.a.conn); /* the peer hangs */
    R.a.conn = NULL;

    rig_sleep(&R, t - 1);
    ck_assert_int_eq(R.d.closed, 0);
    rig_sleep(&R, 1);

    ck_assert_int_eq(R.d.closed, 1);
    ck_assert_int_eq(R.d.close_status, V23_ETIMEOUT);
    ck_assert_str_eq(R.d.text, "the channel has become unresponsive");
}
END_TEST

START_TEST(other_traffic_is_no_sign_of_life)
{
    struct vrpc_flow *f;
    int i;

    R.dcfg.channel_timeout_ns = 40 * V23_NS_PER_SEC;
    rig_connect();
    f = rig_open();
    ck_assert_int_eq(vrpc_flow_write(f, "x", 1), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    for (i = 0; i < 5; i++) {
        /* The acceptor talks but what the dialer says is lost. */
        R.now.mono_ns += 8 * V23_NS_PER_SEC;
        if (R.a.closed == 0 && R.d.closed == 0) {
            ck_assert_int_eq(vrpc_flow_write(R.a.flows[0], "y", 1), 0);
            R.a.out.n = 0;
            ck_assert_int_eq(rig_fetch(&R.a), 0);
            ck_assert_int_eq(rig_feed(&R.d, R.a.out.p, R.a.out.n), 0);
        }
        vrpc_conn_tick(R.d.conn, &R.now);
        ck_assert_int_eq(rig_fetch(&R.d), 0);
    }

    ck_assert_uint_eq(R.d.got.n, 5);
    ck_assert_int_eq(R.d.closed, 1);
}
END_TEST

/* A flow that notices after ten seconds. */
static struct vrpc_flow *open_short(void)
{
    struct vrpc_flow_opts o;
    struct vrpc_flow *f;

    memset(&o, 0, sizeof(o));
    o.channel_timeout_ns = 10 * V23_NS_PER_SEC;
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &f), 0);
    return f;
}

START_TEST(flow_with_a_short_timeout_pulls_the_timers)
{
    rig_connect();
    open_short();
    ck_assert_int_eq(rig_run(&R), 0);
    rig_sleep(&R, 5 * V23_NS_PER_SEC); /* answered: again in 10 s */
    vrpc_conn_free(R.a.conn);
    R.a.conn = NULL;

    rig_sleep(&R, 10 * V23_NS_PER_SEC - 1);
    ck_assert_int_eq(R.d.closed, 0);
    rig_sleep(&R, 1);

    ck_assert_int_eq(R.d.closed, 1);
}
END_TEST

START_TEST(flow_opened_on_an_idle_connection_has_all_its_time)
{
    rig_connect();
    R.now.mono_ns += 10 * MINUTE; /* nothing tells the connection */

    open_short();
    ck_assert_int_eq(rig_run(&R), 0);
    vrpc_conn_tick(R.d.conn, &R.now);
    rig_sleep(&R, MINUTE);

    ck_assert_int_eq(R.d.closed, 0);
}
END_TEST

START_TEST(timeout_of_a_closed_flow_is_forgotten)
{
    struct vrpc_flow *f;

    rig_connect();
    f = open_short();
    rig_sleep(&R, 1 * V23_NS_PER_SEC);
    vrpc_flow_close(f);
    rig_sleep(&R, 5 * V23_NS_PER_SEC); /* the request it had asked for */
    vrpc_conn_free(R.a.conn);
    R.a.conn = NULL;

    rig_sleep(&R, 29 * MINUTE);

    ck_assert_int_eq(R.d.closed, 0);
}
END_TEST

START_TEST(rtt_is_measured)
{
    struct v23_now now;

    R.dcfg.channel_timeout_ns = 40 * V23_NS_PER_SEC;
    ck_assert_int_eq(rig_conns(&R), 0);
    R.now.mono_ns += 7 * V23_NS_PER_MS;
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_int_eq(vrpc_conn_rtt_ns(R.d.conn, &R.now), 7 * V23_NS_PER_MS);
    R.now.mono_ns += 20 * V23_NS_PER_SEC;
    vrpc_conn_tick(R.d.conn, &R.now);

    now = R.now;
    now.mono_ns += V23_NS_PER_SEC; /* a pending request counts with its age */
    ck_assert_int_eq(vrpc_conn_rtt_ns(R.d.conn, &now), V23_NS_PER_SEC);
    R.now.mono_ns += 3 * V23_NS_PER_MS;
    ck_assert_int_eq(rig_run(&R), 0);

    ck_assert_int_eq(vrpc_conn_rtt_ns(R.d.conn, &R.now), 3 * V23_NS_PER_MS);
}
END_TEST

START_TEST(quiet_connection_wakes_rarely)
{
    rig_connect();
    rig_sleep(&R, 10 * V23_NS_PER_SEC);

    /* Nothing before the health check. */
    ck_assert_int_ge(vrpc_conn_next_deadline(R.d.conn),
        R.now.mono_ns + 14 * MINUTE);
    ck_assert_int_ge(vrpc_conn_next_deadline(R.a.conn),
        R.now.mono_ns + 14 * MINUTE);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, healthy_channel_stays_open);
    tcase_add_test(tc, request_is_sent_at_half_time);
    tcase_add_test(tc, dead_channel_is_closed);
    tcase_add_test(tc, other_traffic_is_no_sign_of_life);
    tcase_add_test(tc, flow_with_a_short_timeout_pulls_the_timers);
    tcase_add_test(tc, flow_opened_on_an_idle_connection_has_all_its_time);
    tcase_add_test(tc, timeout_of_a_closed_flow_is_forgotten);
    tcase_add_test(tc, rtt_is_measured);
    tcase_add_test(tc, quiet_connection_wakes_rarely);
}

int main(void)
{
    return tst_run_case("librpc/health", add, rig_setup, rig_teardown);
}
