/* BSD-3-Clause; see LICENSE. */
/* Pages of 2014: messages, and calls of the page (spec/wspr.md 16). */
#include "json_page.h"

/* ---- messages ------------------------------------------------------------ */

START_TEST(page_is_greeted_with_the_roots)
{
    ck_assert_str_eq(
        p->frames[0], "{\"mounttableRoot\": [\"/127.0.0.1:9101\"]}");
    ck_assert_uint_eq(p->nframes, 1);
}
END_TEST

START_TEST(protocol_is_found_by_the_first_message)
{
    struct rig_page *q = rig_page(WSPR_AUTO, NULL);

    ck_assert_uint_eq(q->nframes, 0);
    rig_say(q, "not json");
    ck_assert_ptr_nonnull(
        strstr(rig_next(q), "can't unmarshall JSONMessage: "));
    say(q, 1, 99, "");
    ck_assert_str_eq(
        rig_next(q), "{\"mounttableRoot\": [\"/127.0.0.1:9101\"]}");
    ck_assert_str_eq(
        next(q), "1 2 {\"iD\": \"\", \"msg\": \"unknown message type: 99\"}");
}
END_TEST

START_TEST(messages_that_make_no_sense_are_answered)
{
    ck_assert_str_eq(ask(1, 99, ""),
        "1 2 {\"iD\": \"\", \"msg\": \"unknown message type: 99\"}");
    ck_assert_str_eq(ask(29, 17, ""),
        "29 2 {\"iD\": \"\", \"msg\": \"unknown message type: 17\"}");
    ck_assert_str_eq(ask(15, 0, "zz"),
        "15 2 {\"iD\": \"" OLD "Internal\", \"msg\": \"can't parse Veyron "
        "Request: can't unmarshall JSONMessage: invalid character 'z' "
        "looking for beginning of value\"}");
    ck_assert_str_eq(ask(17, 0, ""),
        "17 2 {\"iD\": \"" OLD "Internal\", \"msg\": \"can't parse Veyron "
        "Request: can't unmarshall JSONMessage: EOF\"}");
    ck_assert_str_eq(ask(19, 0, "{\"numOutArgs\":-1}"),
        "19 2 {\"iD\": \"" OLD
        "BadArg\", \"msg\": \"invalid number of results: -1\"}");
    ck_assert_ptr_nonnull(
        strstr(ask(21, 8, "1"), "can't unmarshall message: "));
    rig_say(p, "null");
    ck_assert_ptr_nonnull(strstr(next(p), "JSONMessage: EOF"));
}
END_TEST

START_TEST(frames_are_objects_with_numbers_and_a_text)
{
    static const char *const bad[] = {"{\"id\":\"1\",\"type\":99}",
        "{\"id\":1.5,\"type\":99}", "{\"id\":1,\"type\":99,\"data\":5}",
        "{\"id\":1e16,\"type\":99}", "{\"id\":1,\"type\":4294967297}",
        "[1]", "7", "{\"id\":}", "{", "\"x\"", "{\"id\":[[[1]]]}"};
    static const char *const good[] = {
        "{\"ID\":1,\"Type\":99,\"more\":[{\"id\":5}]}",
        "{\"id\":1,\"type\":99,\"data\":null}",
        "{\"id\":1e0,\"type\":99,\"data\":\"\\u0000\\ud800\"} {\"id\":2}",
        " \t{\"data\":\"\",\"type\":99,\"id\":1}"};
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *s;

        rig_say(p, bad[i]);
        s = rig_next(p);
        ck_assert_msg(
            strncmp(s, "can't unmarshall JSONMessage: ", 30) == 0 &&
                s[30] != 0,
            "%s: %s", bad[i], s);
    }
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        rig_say(p, good[i]);
        ck_assert_str_eq(next(p),
            "1 2 {\"iD\": \"\", \"msg\": \"unknown message type: 99\"}");
    }
    rig_say(p, "{\"id\":4294967297,\"type\":99}"); /* 64 bits in 2014 */
    ck_assert_ptr_nonnull(strstr(rig_next(p), "{\"id\": 4294967297, "));
}
END_TEST

START_TEST(answers_to_nothing_are_ignored)
{
    ck_assert_str_eq(ask(27, 4, ""), "");
    ck_assert_str_eq(ask(27, 3, "1"), "");
    ck_assert_str_eq(ask(2, 2, "{}"), "");
    ck_assert_str_eq(ask(2, 11, "8102"), "");
    ck_assert_str_eq(ask(2, 12, "{}"), "");
    ck_assert_str_eq(ask(2, 9, "77"), "");
}
END_TEST

/* ---- calls --------------------------------------------------------------- */

START_TEST(signatures_have_no_types)
{
    ck_assert_str_eq(ask(1, 5, "{\"name\":\"adder\"}"),
        "1 0 {\"add\": {\"inArgs\": [\"A\", \"B\"], \"numOutArgs\": 2, "
        "\"isStreaming\": false}, \"concat\": {\"inArgs\": [\"A\", \"M\"], "
        "\"numOutArgs\": 3, \"isStreaming\": false}, \"divide\": {\"inArgs\": "
        "[\"A\", \"B\"], \"numOutArgs\": 2, \"isStreaming\": false}, "
        "\"streamingAdd\": {\"inArgs\": [], \"numOutArgs\": 2, "
        "\"isStreaming\": true}, \"wait\": {\"inArgs\": [], \"numOutArgs\": "
        "1, \"isStreaming\": false}}");
    ck_assert_ptr_nonnull(strstr(ask(3, 5, "{\"name\":\"nobody\"}"),
        "3 2 {\"iD\": \"" OLD
        "Internal\", \"msg\": \"error getting service signature for nobody: "));
}
END_TEST

START_TEST(calls_are_tried_again_as_long_as_is_said)
{
    struct rig_page *r;

    R.adder->refuses = true;
    ck_assert_ptr_nonnull(
        strstr(ask(1, 5, "{\"name\":\"adder\"}"), "1 2 {\"iD\": "));
    R.retry_ns = 20 * SEC;
    r = rig_page(WSPR_JSON, NULL);
    r->next = 1;
    say(r, 1, 5, "{\"name\":\"adder\"}");
    say(r, 3, 5, "{\"name\":\"adder\"}");
    rig_sleep(10 * SEC);
    ck_assert_str_eq(next(r), "");
    R.adder->refuses = false;
    rig_sleep(10 * SEC);
    ck_assert_ptr_nonnull(strstr(next(r), " 0 {\"add\": "));
    ck_assert_ptr_nonnull(strstr(next(r), " 0 {\"add\": "));
    R.adder->refuses = true;
    world_cut(world_link_of(&W, r->n));
    say(r, 5, 0, CALL("add", "[1,2]", "2", "false"));
    rig_sleep(30 * SEC);
    ck_assert_ptr_nonnull(strstr(next(r), "5 2 {\"iD\": "));
}
END_TEST

START_TEST(arguments_are_converted_by_signature)
{
    ck_assert_str_eq(
        ask(3, 0, CALL("add", "[2,3]", "2", "false")), "3 0 [5]");
    ck_assert_str_eq(
        ask(5, 0, CALL("Add", "[ \"2\" , 40 ]", "2", "false")), "5 0 [42]");
    ck_assert_str_eq(
        ask(7, 0,
            CALL("concat", "[[\"a\",\"b\xc3\xa9\"],{\"x\":1.5}]", "3",
                "false")),
        "7 0 [\"ab\xc3\xa9\", {\"x\": 1.5}]");
    ck_assert_str_eq(ask(9, 0, CALL("divide", "[1,0]", "2", "false")),
        "9 2 {\"iD\": \"" OLD
        "BadArg\", \"msg\": \"can't divide by zero\"}");
}
END_TEST

START_TEST(calls_that_do_not_fit_the_signature_are_refused)
{
    ck_assert_str_eq(
        ask(3, 0, CALL("add", "[\"notanumber\",3]", "2", "false")),
        "3 2 {\"iD\": \"\", \"msg\": \"error while converting json to object "
        "for arg 0 (A): \\\"notanumber\\\" is not a value of type int32\"}");
    ck_assert_str_eq(ask(5, 0, CALL("add", "[1]", "2", "false")),
        "5 2 {\"iD\": \"\", \"msg\": \"invalid number of arguments, "
        "expected: 2, got: 1\"}");
    ck_assert_str_eq(ask(7, 0, CALL("add", "{}", "2", "false")),
        "7 2 {\"iD\": \"\", \"msg\": \"invalid number of arguments, "
        "expected: 2, got: 0\"}");
    ck_assert_str_eq(ask(9, 0, CALL("mul", "[]", "1", "false")),
        "9 2 {\"iD\": \"\", \"msg\": \"method not found in signature: mul\"}");
    ck_assert_ptr_nonnull(strstr(
        ask(11, 0, CALL("add", "[1,2]", "4", "false")), "11 2 {\"iD\": "));
}
END_TEST

START_TEST(streams_go_both_ways_also_before_the_signature_is_there)
{
    /* None of these messages waits for what the one before leads to. */
    static const char *const texts[] = {
        "{\"id\":3,\"type\":0,\"data\":\"{\\\"name\\\":\\\"adder\\\","
        "\\\"method\\\":\\\"streamingAdd\\\",\\\"numOutArgs\\\":2,"
        "\\\"isStreaming\\\":true}\"}",
        "{\"id\":3,\"data\":\"1\",\"type\":3}",
        "{\"id\":3,\"data\":\"\\\"x\\\"\",\"type\":3}",
        "{\"id\":3,\"data\":\"2\",\"type\":3}",
        "{\"id\":3,\"type\":4}",
    };
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        wspr_ctl_input(p->ctl, texts[i], strlen(texts[i]), &W.now);
    world_settle(&W);
    ck_assert_str_eq(next(p),
        "3 2 {\"iD\": \"\", \"msg\": \"error while converting json to a "
        "stream value: \\\"x\\\" is not a value of type int32\"}");
    ck_assert_str_eq(next(p), "3 1 1");
    ck_assert_str_eq(next(p), "3 1 3");
    ck_assert_str_eq(next(p), "3 4 null");
    ck_assert_str_eq(next(p), "3 0 [3]");
    ck_assert_str_eq(next(p), "");
}
END_TEST

START_TEST(ids_in_use_are_refused)
{
    ck_assert_str_eq(ask(3, 0, CALL("wait", "[]", "1", "false")), "");
    ck_assert_ptr_nonnull(strstr(
        ask(3, 0, CALL("add", "[1,2]", "2", "false")), "3 2 {\"iD\": \""));
    rig_hang_up(p);
    ck_assert_int_eq(p->closed, 1);
    ck_assert_int_eq(R.cancels, 1);
}
END_TEST

START_TEST(closing_ends_calls_that_wait_for_a_signature)
{
    R.adder->black_hole = true;
    ck_assert_str_eq(ask(3, 0, CALL("add", "[1,2]", "2", "false")), "");
    ck_assert_str_eq(ask(5, 5, "{\"name\":\"adder\"}"), "");
    ck_assert_str_eq(ask(3, 3, "1"), "");
    rig_hang_up(p);
    rig_sleep(120 * SEC);
    ck_assert_int_eq(p->closed, 1);
    ck_assert_str_eq(next(p), "");
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

/* What a page does, of each kind something. */
static void visit(struct rig_page *page)
{
    say(page, 1, 5, "{\"name\":\"adder\"}");
    say(page, 3, 0, CALL("concat", "[[\"a\"],{\"x\":1.5}]", "3", "false"));
    say(page, 5, 0, CALL("streamingAdd", "[]", "2", "true"));
    say(page, 5, 3, "1");
    say(page, 5, 4, "");
    say(page, 7, 10, "\"me\"");
    say(page, 9, 8, "{\"handle\":1,\"name\":\"x\",\"caveats\":[{\"_type\":"
                    "\"MethodCaveat\",\"data\":[\"Get\"]}]}");
    say(page, 11, 1, "{\"name\":\"js\",\"serverId\":1}");
    say(q, 1, 5, "{\"name\":\"js/a\"}");
    say(page, 0, 11, "{" SIG ",\"hasAuthorizer\":true,\"handle\":0}");
    say(page, 2, 12, "{}");
    say(q, 3, 0, "{\"name\":\"js/a\",\"method\":\"echo\",\"inArgs\":[\"hi\"],"
                 "\"numOutArgs\":2}");
    say(page, 4, 11, "{" SIG ",\"handle\":1}");
    say(page, 6, 2, "{\"results\":[\"echo:hi\"],\"err\":null}");
    say(page, 13, 6, "1");
}

START_TEST(memory_may_end_anywhere)
{
    struct tst_alloc t;
    size_t k = 0;

    q = rig_page(WSPR_JSON, NULL);
    rig_hang_up(p);
    do {
        tst_alloc_init(&t);
        t.fail_at = ++k;
        R.al = &t.al;
        S.names[0] = 0;
        rig_forget(p);
        if (rig_connect(p, WSPR_JSON, NULL) == 0) {
            visit(p);
            rig_hang_up(p);
            rig_sleep(SEC);
            ck_assert_int_eq(p->closed, 1);
        }
        wspr_ctl_free(p->ctl);
        p->ctl = NULL;
        ck_assert_uint_eq(t.live, 0);
        R.al = NULL;
        rig_hang_up(q); /* what it knows of the server is old */
        rig_sleep(SEC);
        rig_forget(q);
        ck_assert_int_eq(rig_connect(q, WSPR_JSON, NULL), 0);
    } while (t.calls >= k);
    ck_assert_uint_gt(k, 30);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, page_is_greeted_with_the_roots);
    tcase_add_test(t, protocol_is_found_by_the_first_message);
    tcase_add_test(t, messages_that_make_no_sense_are_answered);
    tcase_add_test(t, frames_are_objects_with_numbers_and_a_text);
    tcase_add_test(t, answers_to_nothing_are_ignored);
    tcase_add_test(t, signatures_have_no_types);
    tcase_add_test(t, calls_are_tried_again_as_long_as_is_said);
    tcase_add_test(t, arguments_are_converted_by_signature);
    tcase_add_test(t, calls_that_do_not_fit_the_signature_are_refused);
    tcase_add_test(t, streams_go_both_ways_also_before_the_signature_is_there);
    tcase_add_test(t, ids_in_use_are_refused);
    tcase_add_test(t, closing_ends_calls_that_wait_for_a_signature);
    tcase_add_test(t, memory_may_end_anywhere);
}

int main(void)
{
    return tst_run_case("wspr/json_era", add, setup, rig_teardown);
}
