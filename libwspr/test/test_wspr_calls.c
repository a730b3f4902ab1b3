/* BSD-3-Clause; see LICENSE. */
/* Messages, and calls that the page makes (spec/wspr.md 3, 5, 6). */
#include "page_rig.h"

static int32_t i5 = 5;
static const struct vdl_str hello = STR("hello");
static const struct vdl_any int5 = { &vdl_int32_desc, &i5 };
static const struct vdl_any text = { &vdl_string_desc, &hello };

static const char *other(void)
{
    return world_name(O.n, "o");
}

/* ---- messages ------------------------------------------------------------ */

START_TEST(what_is_no_message_gets_a_plain_answer)
{
    static const char *const bad[] = { "not json", "", "[1]", "7",
        "{\"id\":\"1\"}", "{\"id\":1.5,\"type\":99}", "{\"id\":4294967296}",
        "{\"id\":1,\"data\":7}", "{\"id\":1,\"type\":1e9999}", "{" };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        say(bad[i]);
        ck_assert_msg(strncmp(next_of(PLAIN)->text,
                          "can't unmarshall JSONMessage: ", 30) == 0,
            "%s", bad[i]);
    }
    ck_assert_int_eq(P.closes, 0);
}
END_TEST

START_TEST(unknown_types_are_errors_with_their_number)
{
    static const char *const text_of[] = {
        "{\"id\": 1, \"type\": 99, \"data\": \"\"}",
        "{\"Id\": 1, \"Type\": 99, \"Data\": \"x\"}",
        "{\"id\":1,\"x\":[{}],\"type\":99}{\"id\":2}",
        "{\"data\":null,\"type\":99,\"id\":1}",
        "{\"type\":99,\"id\":1}" };
    size_t i;

    for (i = 0; i < sizeof(text_of) / sizeof(text_of[0]); i++) {
        say(text_of[i]);
        ck_assert_str_eq(error_of(1),
            "v.io/x/ref/services/wspr/internal/app.unkownMessage");
        ck_assert_uint_eq(last_error->params.n, 3);
        ck_assert_int_eq(int_of(last_error->params.v[2]), 99);
        ck_assert(vdl_str_is(last_error->params.v[2].type->name,
            "v.io/x/ref/services/wspr/internal/app.MessageType"));
        ck_assert(error_says("Unknown message type 99"));
    }
    nothing();
}
END_TEST

START_TEST(an_empty_message_is_an_empty_request)
{
    say("null");
    ck_assert_str_eq(error_of(0), VERR "Internal");
    say("{}");
    ck_assert_str_eq(error_of(0), VERR "Internal");
    say("{\"id\":15,\"type\":0,\"data\":\"zz\"}");
    ck_assert_str_eq(error_of(15), VERR "Internal");
    ck_assert(error_says("Error decoding hex string \"zz\""));
    say("{\"id\":21,\"type\":0,\"data\":\"7f00\"}");
    ck_assert_str_eq(error_of(21), VERR "Internal");
    say("{\"id\":23,\"type\":0,\"data\":\"{\\\"name\\\":1}\"}");
    ck_assert_str_eq(error_of(23), VERR "Internal");
    say("{\"id\":25,\"type\":0,\"data\":\"81ff\"}"); /* an unknown type */
    ck_assert_str_eq(error_of(25), VERR "Internal");
    nothing();
}
END_TEST

START_TEST(answers_that_nobody_waits_for_are_dropped)
{
    static const int types[] = { 2, 3, 4, 11, 12, 17, 21, 22 };
    char m[80];
    size_t i;

    for (i = 0; i < 8; i++) {
        snprintf(m, sizeof(m), "{\"id\": 2, \"type\": %d, \"data\": \"8102\"}",
            types[i]);
        say(m);
    }
    nothing();
}
END_TEST

START_TEST(bad_type_streams_end_the_connection_when_types_are_needed)
{
    say("{\"id\":0,\"type\":23,\"data\":\"zz\"}");
    nothing();
    ck_assert_int_eq(P.closes, 0);
    say("{\"id\":0,\"type\":23,\"data\":\"81\"}");
    say("{\"id\":0,\"type\":23,\"data\":\"55\"}"); /* in pieces */
    ck_assert_int_eq(P.closes, 0);
    say("{\"id\":0,\"type\":23,\"data\":\"0299e1\"}");
    say("{\"id\":0,\"type\":23,\"data\":\"550299e1\"}");
    say("{\"id\":1,\"type\":99}"); /* what needs no types is heard */
    ck_assert_str_eq(error_of(1),
        "v.io/x/ref/services/wspr/internal/app.unkownMessage");
    ck_assert_int_eq(P.closes, 0);
    say("{\"id\":3,\"type\":0,\"data\":\"8102\"}");
    ck_assert_int_eq(P.closes, 1);
    ck_assert_int_eq(P.close_code, 1007);
    say("{\"id\":5,\"type\":99}");
    nothing();
}
END_TEST

START_TEST(version_80_is_refused)
{
    say("{\"id\":0,\"type\":23,\"data\":\"80\"}");
    ck_assert_int_eq(P.closes, 1);
    ck_assert_int_eq(P.close_code, 1003);
}
END_TEST

START_TEST(long_messages_end_the_connection)
{
    char *big = malloc((16u << 20) + 8);

    memset(big, ' ', (16u << 20) + 1);
    wspr_ctl_input(X.c, big, (16u << 20) + 1, &W.now);
    free(big);
    ck_assert_int_eq(P.close_code, 1009);
}
END_TEST

/* ---- calls --------------------------------------------------------------- */

START_TEST(a_call_has_its_results)
{
    v23_wspr_app_rpc_response r;
    int64_t id = call_it(other(), "echo", &text, 1, 1);

    r = final_of(id);
    ck_assert_uint_eq(r.out_args.n, 1);
    ck_assert_str_eq(str_of(r.out_args.v[0]), "hello");
    ck_assert_uint_eq(r.trace_response.flags, 0);
    ck_assert_str_eq(O.language, "en-US");
    id = call_it(other(), "Echo", &int5, 1, 1);
    r = final_of(id);
    ck_assert_int_eq(int_of(r.out_args.v[0]), 5);
    nothing();
}
END_TEST

START_TEST(calls_pass_language_and_deadline)
{
    v23_wspr_app_rpc_request r = request(other(), "echo", 1, 1);

    r.context.language = vdl_str("de-AT");
    r.deadline.no_deadline = false;
    r.deadline.from_now.seconds = 7;
    (void)final_of(call_with(&r, &text));
    ck_assert_str_eq(O.language, "de-AT");
    ck_assert_int_eq(O.deadline - W.now.mono_ns, 7 * SEC);
    r.deadline.from_now.seconds = -1;
    ck_assert_str_eq(error_of(call_with(&r, &text)), VERR "Timeout");
    r.name = vdl_str("no/such");
    ck_assert_str_eq(error_of(call_with(&r, &text)), VERR "Internal");
    ck_assert(error_says("error starting call (name: no/such, method: echo, "
                         "args: [\"hello\"]): "));
}
END_TEST

START_TEST(errors_of_servers_come_as_they_are)
{
    int64_t id = call_it(other(), "fail", NULL, 0, 0);

    ck_assert_str_eq(error_of(id), "x/y.Own");
    ck_assert_uint_eq(last_error->retry, V23_RETRY_REFETCH);
    id = call_it(other(), "echo", &text, 1, 3);
    ck_assert_str_eq(error_of(id), VERR "BadProtocol");
    id = call_it(other(), "nope", NULL, 0, 0);
    ck_assert_str_eq(error_of(id), VERR "UnknownMethod");
}
END_TEST

START_TEST(calls_that_do_not_start_say_so)
{
    v23_wspr_app_rpc_request r = request("no/such", "get", 0, 0);
    int64_t id;

    r.deadline.no_deadline = false;
    r.deadline.from_now.seconds = 2;
    id = call_with(&r, NULL);
    pass(3 * SEC);
    ck_assert_str_eq(error_of(id), VERR "Internal");
    ck_assert(error_says("error starting call (name: no/such, method: get, "
                         "args: []): "));
}
END_TEST

START_TEST(numbers_of_arguments_are_bounded)
{
    v23_wspr_app_rpc_request r = request(other(), "echo", 0, 1);
    int64_t id;

    r.num_in_args = -1;
    id = call_with(&r, NULL);
    ck_assert_str_eq(error_of(id), VERR "BadArg");
    r.num_in_args = 0;
    r.num_out_args = 1001;
    id = call_with(&r, NULL);
    ck_assert_str_eq(error_of(id), VERR "BadArg");
    r = request(other(), "echo", 1, 1); /* announced, and not sent */
    put(&v23_wspr_app_rpc_request_desc, &r);
    send_as(77, C_REQUEST);
    ck_assert_str_eq(error_of(77), VERR "Internal");
    nothing();
}
END_TEST

START_TEST(an_id_in_use_is_refused)
{
    v23_wspr_app_rpc_request r = request(other(), "wait", 0, 0);
    int64_t id = call_with(&r, NULL);

    nothing();
    ck_assert_ptr_nonnull(O.waiting);
    P.next_id = id;
    (void)call_with(&r, NULL);
    ck_assert_str_eq(error_of(id), VERR "BadState");
    (void)vrpc_server_call_reply_any(O.waiting, NULL, NULL, 0);
    (void)final_of(id);
    P.next_id = id;
    (void)call_it(other(), "echo", &text, 1, 1); /* free again */
    (void)final_of(id);
}
END_TEST

START_TEST(cancel_reaches_the_server)
{
    int64_t id = call_it(other(), "wait", NULL, 0, 0);
    char m[64];

    nothing();
    snprintf(m, sizeof(m), "{\"id\":%d,\"data\":null,\"type\":17}", (int)id);
    say(m);
    say(m);
    ck_assert_str_eq(error_of(id), VERR "Canceled");
    settle();
    ck_assert_int_eq(O.cancels, 1);
    nothing();
}
END_TEST

START_TEST(streams_go_both_ways_in_order)
{
    v23_wspr_app_rpc_request r = request(other(), "sum", 0, 1);
    v23_wspr_app_rpc_response resp;
    const struct got *g;
    int32_t i;
    int64_t id;
    char m[64];

    r.is_streaming = true;
    id = call_with(&r, NULL);
    for (i = 1; i <= 3; i++) /* before there is a connection */
        send_value(id, C_ITEM, &vdl_int32_desc, &i);
    for (i = 1; i <= 3; i++) {
        g = next_of(ITEM);
        ck_assert_int_eq(g->id, id);
        ck_assert_int_eq(int_of(g->v), i * (i + 1) / 2);
    }
    send_value(id, C_ITEM, &vdl_int32_desc, &i);
    ck_assert_int_eq(int_of(next_of(ITEM)->v), 10);
    snprintf(m, sizeof(m), "{\"id\":%d,\"type\":4}", (int)id);
    say(m);
    g = next_of(END);
    ck_assert_int_eq(g->id, id);
    ck_assert_ptr_null(g->v.type);
    resp = final_of(id);
    ck_assert_int_eq(int_of(resp.out_args.v[0]), 10);
    send_value(id, C_ITEM, &vdl_int32_desc, &i);
    nothing();
    ck_assert_int_eq(O.items, 4);
}
END_TEST

START_TEST(bad_stream_values_fail_the_call)
{
    v23_wspr_app_rpc_request r = request(other(), "sum", 0, 1);
    int64_t id;
    char m[80];

    r.is_streaming = true;
    id = call_with(&r, NULL);
    nothing();
    snprintf(m, sizeof(m), "{\"id\":%d,\"type\":3,\"data\":\"8x\"}", (int)id);
    say(m);
    ck_assert_str_eq(error_of(id), VERR "Internal");
    ck_assert(error_says("failed to decode stream arg from 8x"));
    say(m);
    nothing();
}
END_TEST

START_TEST(streams_wait_for_the_socket)
{
    v23_wspr_app_rpc_request r = request(other(), "count", 1, 0);
    int32_t n = 3000;
    struct vdl_any arg = { &vdl_int32_desc, &n };
    size_t came;
    int64_t id;

    r.is_streaming = true;
    P.queued = 5u << 20;
    id = call_with(&r, &arg);
    settle();
    came = P.ngot;
    ck_assert_uint_gt(came, 0);
    ck_assert_uint_lt(came, 100);
    P.queued = 0;
    wspr_ctl_writable(X.c, &W.now);
    settle();
    ck_assert_uint_eq(P.ngot, 3002);
    P.next = P.ngot - 1;
    (void)final_of(id);
}
END_TEST

START_TEST(a_page_that_does_not_read_is_cut_off)
{
    P.queued = 100u << 20;
    say("{\"id\":1,\"type\":99}");
    ck_assert_int_eq(P.closes, 1);
    ck_assert_int_eq(P.close_code, 1008);
    ck_assert(!wspr_ctl_is_reading(X.c));
}
END_TEST

static void resumed(void *ud)
{
    (void)ud;
    P.resumed++;
}

START_TEST(the_websocket_is_not_read_while_a_server_is_slow)
{
    v23_wspr_app_rpc_request r = request(other(), "wait", 0, 0);
    static uint8_t big[60000];
    struct vdl_bytes b = vdl_bytes(big, sizeof(big));
    int64_t id;
    int i, soft = 0;

    wspr_ctl_on_reading(X.c, resumed, NULL);
    r.is_streaming = true;
    id = call_with(&r, NULL);
    nothing();
    for (i = 0; i < 200 && P.next == P.ngot; i++) {
        send_value(id, C_ITEM, &vdl_bytes_desc, &b);
        if (soft == 0 && !wspr_ctl_is_reading(X.c))
            soft = i;
        settle();
    }
    ck_assert_int_gt(soft, 0);
    ck_assert_int_lt(soft, i - 10);
    ck_assert_str_eq(error_of(id), VERR "Aborted");
    ck_assert(wspr_ctl_is_reading(X.c));
    ck_assert_int_eq(P.resumed, 1);
}
END_TEST

START_TEST(there_may_be_so_many_calls_and_no_more)
{
    struct wspr_ctl_config cfg = rig_config();
    int i;

    wspr_ctl_close(X.c, NULL, NULL);
    wspr_ctl_free(X.c);
    cfg.limits.calls = 3;
    ck_assert_int_eq(wspr_ctl_new(&cfg, &X.c), 0);
    for (i = 0; i < 3; i++)
        (void)call_it(other(), "wait", NULL, 0, 0);
    nothing();
    ck_assert_str_eq(error_of(call_it(other(), "wait", NULL, 0, 0)),
        VERR "Aborted");
}
END_TEST

START_TEST(only_allowed_servers_are_called)
{
    static const struct vdl_str nobody[] = { STR("test:nobody") };
    static const struct vdl_str them[] = { STR("nobody"), STR("test:other") };
    v23_wspr_app_rpc_call_option o;
    v23_wspr_app_rpc_request r = request(other(), "echo", 1, 1);

    memset(&o, 0, sizeof(o));
    o.which = V23_WSPR_APP_RPC_CALL_OPTION_ALLOWED_SERVERS_POLICY;
    o.u.allowed_servers_policy.v = them;
    o.u.allowed_servers_policy.n = 2;
    r.call_options.v = &o;
    r.call_options.n = 1;
    (void)final_of(call_with(&r, &text));
    o.u.allowed_servers_policy.v = nobody;
    o.u.allowed_servers_policy.n = 1;
    r.deadline.no_deadline = false;
    r.deadline.from_now.seconds = 1;
    call_with(&r, &text);
    pass(2 * SEC);
    ck_assert_str_eq(error_of(P.next_id - 2), VERR "Internal");
    ck_assert(error_says("error starting call"));
}
END_TEST

START_TEST(closing_cancels_what_runs)
{
    struct wspr_ctl_stats st;

    (void)call_it(other(), "wait", NULL, 0, 0);
    (void)call_it("no/such", "wait", NULL, 0, 0);
    (void)call_it("__controller", "Signature", &text, 1, 1);
    settle();
    wspr_ctl_stats(X.c, &st);
    ck_assert_uint_eq(st.calls, 3);
    ck_assert_uint_eq(st.signatures, 1);
    rig_close();
    ck_assert_int_eq(P.closed, 1);
    ck_assert_int_eq(O.cancels, 1);
    say("{\"id\":1,\"type\":99}");
    nothing();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("libwspr/calls");
    TCase *t = tcase_create("messages");

    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_test(t, what_is_no_message_gets_a_plain_answer);
    tcase_add_test(t, unknown_types_are_errors_with_their_number);
    tcase_add_test(t, an_empty_message_is_an_empty_request);
    tcase_add_test(t, answers_that_nobody_waits_for_are_dropped);
    tcase_add_test(t, bad_type_streams_end_the_connection_when_types_are_needed);
    tcase_add_test(t, version_80_is_refused);
    tcase_add_test(t, long_messages_end_the_connection);
    suite_add_tcase(s, t);
    t = tcase_create("calls");
    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_test(t, a_call_has_its_results);
    tcase_add_test(t, calls_pass_language_and_deadline);
    tcase_add_test(t, errors_of_servers_come_as_they_are);
    tcase_add_test(t, calls_that_do_not_start_say_so);
    tcase_add_test(t, numbers_of_arguments_are_bounded);
    tcase_add_test(t, an_id_in_use_is_refused);
    tcase_add_test(t, cancel_reaches_the_server);
    tcase_add_test(t, streams_go_both_ways_in_order);
    tcase_add_test(t, bad_stream_values_fail_the_call);
    tcase_add_test(t, streams_wait_for_the_socket);
    tcase_add_test(t, a_page_that_does_not_read_is_cut_off);
    tcase_add_test(t, the_websocket_is_not_read_while_a_server_is_slow);
    tcase_add_test(t, there_may_be_so_many_calls_and_no_more);
    tcase_add_test(t, only_allowed_servers_are_called);
    tcase_add_test(t, closing_cancels_what_runs);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
