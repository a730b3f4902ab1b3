/* BSD-3-Clause; see LICENSE. */
/* Pages of 2014: servers in the page (spec/wspr.md 16). */
#include "json_page.h"

START_TEST(calls_are_looked_up_authorized_and_invoked)
{
    const char *s;

    say(q, 1, 5, "{\"name\":\"js/a\"}");
    expect(p, "0 5 {\"serverID\": 1, \"suffix\": \"a\", \"method\": "
              "\"signature\"}");
    say(p, 0, 11, "{" SIG ",\"hasAuthorizer\":true,\"handle\":0}");
    expect(p, "2 6 {\"serverID\": 1, \"handle\": 0, \"context\": {\"method\": "
              "\"signature\", \"name\": \"a\", \"suffix\": \"a\", \"label\": "
              "2, \"localID\": {\"handle\": 1, \"names\": [\"test:js\"]}, "
              "\"remoteID\": {\"handle\": 2, \"names\": [\"test:page2\"]}, "
              "\"localEndpoint\": \"@6@tcp@js:1@");
    say(p, 2, 12, "{}");
    expect(q, "1 0 {\"echo\": {\"inArgs\": [\"s\"], \"numOutArgs\": 2, "
              "\"isStreaming\": false}, \"nop\": {");

    say(q, 3, 0, "{\"name\":\"js/a\",\"method\":\"echo\",\"inArgs\":[\"hi\"],"
                 "\"numOutArgs\":2}");
    expect(p, "4 5 {\"serverID\": 1, \"suffix\": \"a\", \"method\": "
              "\"echo\"}");
    say(p, 4, 11,
        "{" SIG ",\"hasAuthorizer\":true,\"handle\":1,\"label\":2}");
    s = expect(p, "6 6 {\"serverID\": 1, \"handle\": 1, \"context\": "
                  "{\"method\": \"echo\"");
    ck_assert_ptr_nonnull(strstr(s, "\"label\": 2,"));
    say(p, 6, 12, "{}");
    expect(p, "8 3 {\"serverId\": 1, \"handle\": 1, \"method\": \"echo\", "
              "\"args\": [\"hi\"], \"context\": {\"suffix\": \"a\", \"name\": "
              "\"a\", \"remoteID\": {\"handle\": 5, \"names\": "
              "[\"test:page2\"]}}}");
    expect(p, "8 4 null");
    say(p, 8, 2, "{\"results\":[\"echo:hi\"],\"err\":null}");
    ck_assert_str_eq(next(q), "3 0 [\"echo:hi\"]");
    ck_assert_str_eq(next(p), "");
}
END_TEST

/* A call of js/x with that method, looked up with `reply`. */
static void invoke(const char *method, const char *reply)
{
    char data[256];
    const char *s;

    snprintf(data, sizeof(data), "{\"name\":\"js/x\",\"method\":\"%s\","
        "\"inArgs\":[],\"numOutArgs\":2,\"isStreaming\":%s}", method,
        strcmp(method, "sum") == 0 ? "true" : "false");
    say(q, 9, 0, data);
    s = next(p);
    if (strstr(s, "\"signature\"}") != NULL) {
        say(p, atoi(s), 11, "{" SIG ",\"handle\":7}");
        s = next(p);
    }
    say(p, atoi(s), 11, reply);
}

START_TEST(everybody_may_call_objects_without_authorizer)
{
    int id;

    invoke("nop", "{" SIG ",\"handle\":7}");
    id = atoi(expect(p, "4 3 {\"serverId\": 1, \"handle\": 7, \"method\": "
                        "\"nop\", \"args\": []"));
    expect(p, "4 4 null");
    say(p, id, 2, "{\"results\":[null],\"err\":{\"iD\":\"\",\"msg\":\"boom\"}"
                  "}");
    expect(q, "9 2 {\"iD\": \"\", \"msg\": \"boom\"}");
}
END_TEST

START_TEST(labels_that_are_not_known_mean_admin)
{
    const char *s;

    invoke("nop", "{" SIG ",\"hasAuthorizer\":true,\"handle\":7,"
                  "\"label\":3}");
    s = expect(p, "4 6 ");
    ck_assert_ptr_nonnull(strstr(s, "\"label\": 8,"));
    say(p, 4, 12, "{\"err\":{\"iD\":\"\",\"msg\":\"denied\"}}");
    s = expect(q, "9 2 {\"iD\": \"" OLD "NoAccess\"");
    ck_assert_ptr_nonnull(strstr(s, "denied"));
}
END_TEST

START_TEST(refused_lookups_are_errors_of_the_call)
{
    const char *s;

    say(q, 1, 5, "{\"name\":\"js/bad\"}");
    expect(p, "0 5 ");
    say(p, 0, 11, "{\"err\":{\"iD\":\"\",\"msg\":\"bad suffix\"}}");
    ck_assert_str_eq(next(q),
        "1 2 {\"iD\": \"" OLD "Internal\", \"msg\": \"error getting service "
        "signature for js/bad: bad suffix\"}");
    say(q, 3, 5, "{\"name\":\"js/none\"}");
    expect(p, "2 5 ");
    say(p, 2, 11, "{\"handle\":-1}");
    s = expect(q, "3 2 {\"iD\": \"" OLD "Internal\"");
    ck_assert_ptr_nonnull(strstr(s, "does not exist"));
    say(q, 5, 5, "{\"name\":\"js/rot\"}");
    expect(p, "4 5 ");
    say(p, 4, 11, "rot");
    expect(q, "5 2 {\"iD\": \"" OLD "Internal\"");
}
END_TEST

START_TEST(streams_of_servers_go_both_ways)
{
    int id;

    invoke("sum", "{" SIG ",\"handle\":7}");
    id = atoi(expect(p, "4 3 "));
    say(q, 9, 3, "3");
    say(q, 9, 3, "{\"k\":[null]}");
    ck_assert_str_eq(next(p), "4 1 3");
    ck_assert_str_eq(next(p), "4 1 {\"k\": [null]}");
    say(q, 9, 4, "");
    ck_assert_str_eq(next(p), "4 4 null");
    say(p, id, 3, "3");
    say(p, id, 3, "\"seven\"");
    say(p, id, 2, "{\"results\":[7]}");
    ck_assert_str_eq(next(q), "9 1 3");
    ck_assert_str_eq(next(q), "9 1 \"seven\"");
    ck_assert_str_eq(next(q), "9 4 null");
    ck_assert_str_eq(next(q), "9 0 [7]");
}
END_TEST

START_TEST(answers_that_cannot_be_read_end_the_call)
{
    const char *s;

    invoke("nop", "{" SIG ",\"handle\":7}");
    expect(p, "4 3 ");
    expect(p, "4 4 null");
    say(p, 4, 2, "{\"results\":7}");
    s = expect(q, "9 2 {\"iD\": \"" OLD "Internal\"");
    ck_assert_ptr_nonnull(strstr(s, "answer cannot be read"));
}
END_TEST

START_TEST(pages_that_do_not_answer_are_not_waited_for)
{
    say(q, 1, 5, "{\"name\":\"js/a\"}");
    expect(p, "0 5 ");
    rig_sleep(70 * SEC);
    expect(q, "1 2 {\"iD\": \"" OLD "Internal\", \"msg\": \"error getting "
              "service signature for js/a: ");
    say(p, 0, 11, "{" SIG "}");
    ck_assert_str_eq(next(q), "");
}
END_TEST

START_TEST(names_are_added_and_servers_stopped)
{
    ck_assert_ptr_nonnull(strstr(
        ask(3, 1, "{\"name\":\"js/more\",\"serverId\":1}"), "3 0 \"@6@"));
    ck_assert_str_eq(S.names, "+js +js/more");
    say(q, 1, 5, "{\"name\":\"js/a\"}");
    expect(p, "0 5 ");
    ck_assert_str_eq(ask(5, 6, "1"), "5 0 true");
    expect(q, "1 2 {\"iD\": ");
    ck_assert_str_eq(ask(7, 6, "1"), "7 0 true");
    ck_assert_str_eq(ask(9, 6, "99"), "9 0 true");
    ck_assert_ptr_nonnull(strstr(ask(11, 6, "\"x\""), "11 2 {\"iD\": "));
    ck_assert_ptr_nonnull(strstr(
        ask(13, 1, "{\"name\":\"again\",\"serverId\":1}"), "13 0 \"@6@"));
}
END_TEST

START_TEST(objects_may_be_described_when_they_are_served)
{
    expect(p, "");
    ck_assert_ptr_nonnull(strstr(
        ask(3, 1, "{\"name\":\"old\",\"serverId\":2,\"service\":{\"echo\":"
                  "{\"InArgs\":[\"s\"],\"NumOutArgs\":2}}}"),
        "3 0 \"@6@"));
    ck_assert_ptr_nonnull(strstr( /* the first description stands */
        ask(5, 1, "{\"name\":\"old\",\"serverId\":2,\"service\":{\"more\":"
                  "{\"InArgs\":[],\"NumOutArgs\":1}}}"),
        "5 0 \"@6@"));
    say(q, 1, 5, "{\"name\":\"old/any\"}");
    ck_assert_str_eq(next(q), "1 0 {\"echo\": {\"inArgs\": [\"s\"], "
                              "\"numOutArgs\": 2, \"isStreaming\": false}}");
    say(q, 3, 0, "{\"name\":\"old/any\",\"method\":\"echo\",\"inArgs\":[1],"
                 "\"numOutArgs\":2}");
    expect(p, "4 3 {\"serverId\": 2, \"handle\": 0, \"method\": \"echo\", "
              "\"args\": [1], \"context\": {\"suffix\": \"any\"");
}
END_TEST

START_TEST(denied_signatures_are_errors)
{
    const char *s;

    say(q, 1, 5, "{\"name\":\"js/deny\"}");
    expect(p, "0 5 ");
    say(p, 0, 11, "{" SIG ",\"hasAuthorizer\":true,\"handle\":1}");
    expect(p, "2 6 ");
    say(p, 0, 11, "{" SIG ",\"handle\":1}"); /* once is enough */
    ck_assert_str_eq(next(q), "");
    say(p, 2, 12, "{\"err\":{\"iD\":\"\",\"msg\":\"denied\"}}");
    s = expect(q, "1 2 {\"iD\": \"" OLD "Internal\"");
    ck_assert_ptr_nonnull(strstr(s, "access denied: denied"));
}
END_TEST

START_TEST(servers_stop_while_signatures_are_authorized)
{
    say(q, 1, 5, "{\"name\":\"js/a\"}");
    expect(p, "0 5 ");
    say(p, 0, 11, "{" SIG ",\"hasAuthorizer\":true,\"handle\":1}");
    expect(p, "2 6 ");
    ck_assert_str_eq(ask(5, 6, "1"), "5 0 true");
    expect(q, "1 2 {\"iD\": \"" OLD "Internal\"");
    say(p, 2, 12, "{}");
    ck_assert_str_eq(next(q), "");
}
END_TEST

START_TEST(callers_may_go_while_signatures_are_authorized)
{
    say(q, 1, 5, "{\"name\":\"js/a\"}");
    expect(p, "0 5 ");
    say(p, 0, 11, "{" SIG ",\"hasAuthorizer\":true,\"handle\":1}");
    expect(p, "2 6 ");
    rig_hang_up(q);
    rig_sleep(SEC);
    say(p, 2, 12, "{}");
    ck_assert_str_eq(next(p), "");
}
END_TEST

START_TEST(callers_learn_that_the_page_is_gone)
{
    invoke("nop", "{" SIG ",\"handle\":7}");
    expect(p, "4 3 ");
    rig_hang_up(p);
    expect(q, "9 2 {\"iD\": ");
    rig_sleep(10 * SEC);
    ck_assert_int_eq(p->closed, 1);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, calls_are_looked_up_authorized_and_invoked);
    tcase_add_test(t, everybody_may_call_objects_without_authorizer);
    tcase_add_test(t, labels_that_are_not_known_mean_admin);
    tcase_add_test(t, refused_lookups_are_errors_of_the_call);
    tcase_add_test(t, streams_of_servers_go_both_ways);
    tcase_add_test(t, answers_that_cannot_be_read_end_the_call);
    tcase_add_test(t, pages_that_do_not_answer_are_not_waited_for);
    tcase_add_test(t, names_are_added_and_servers_stopped);
    tcase_add_test(t, objects_may_be_described_when_they_are_served);
    tcase_add_test(t, denied_signatures_are_errors);
    tcase_add_test(t, servers_stop_while_signatures_are_authorized);
    tcase_add_test(t, callers_may_go_while_signatures_are_authorized);
    tcase_add_test(t, callers_learn_that_the_page_is_gone);
}

int main(void)
{
    return tst_run_case("wspr/json_era_servers", add, serve_setup,
        rig_teardown);
}
