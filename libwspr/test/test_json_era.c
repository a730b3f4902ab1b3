/* BSD-3-Clause; see LICENSE. */
/* Pages of 2014: the controller with JSON (spec/wspr.md 16). */
#include "ctl_rig.h"

#include <v23/vdl/v.io/x/ref/services/wspr/internal/json/json.vdl.h>
#include <wspr/accounts.h>

#define SEC V23_NS_PER_SEC
#define OLD "veyron.io/veyron/veyron2/verror."

static struct rig_page *p;

static void setup(void)
{
    rig_setup();
    p = rig_page(WSPR_JSON, NULL);
    p->next = 1; /* the greeting */
}

/* {"id": ID, "data": TEXT, "type": TYPE}, as a page writes it. */
static void say(struct rig_page *page, int id, int type, const char *data)
{
    static char text[65536];
    size_t n = (size_t)snprintf(text, sizeof(text), "{\"id\":%d,\"data\":\"",
        id);

    for (; *data != 0 && n < sizeof(text) - 64; data++) {
        if (*data == '"' || *data == '\\')
            text[n++] = '\\';
        text[n++] = *data;
    }
    n += (size_t)snprintf(text + n, sizeof(text) - n, "\",\"type\":%d}", type);
    rig_say(page, text);
}

/* The same; what comes next to the page: "ID TYPE MESSAGE". */
static const char *next(struct rig_page *page)
{
    static char out[8192];
    static const char type[] = "\"data\": \"{\\\"type\\\": ";
    const char *text = rig_next(page), *s;
    size_t n;

    if (strncmp(text, "{\"id\": ", 7) != 0)
        return text;
    s = strstr(text, type);
    ck_assert_ptr_nonnull(s);
    n = (size_t)snprintf(out, sizeof(out), "%d %c ", atoi(text + 7),
        s[sizeof(type) - 1]);
    s = strstr(s, "\\\"message\\\": ");
    ck_assert_ptr_nonnull(s);
    for (s += 13; *s != 0 && n < sizeof(out) - 1; s++) {
        if (*s == '\\')
            s++;
        out[n++] = *s;
    }
    out[n] = 0;
    ck_assert_ptr_nonnull(strstr(out, "}\", \"type\": 0}"));
    *strstr(out, "}\", \"type\": 0}") = 0;
    return out;
}

static const char *ask(int id, int type, const char *data)
{
    say(p, id, type, data);
    return next(p);
}

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
        "{\"id\":4294967297,\"type\":99}", "[1]", "7", "{\"id\":}", "{",
        "\"x\"", "{\"id\":[[[1]]]}"};
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

#define CALL(method, args, out, streams)                                       \
    "{\"name\":\"adder\",\"method\":\"" method "\",\"inArgs\":" args           \
    ",\"numOutArgs\":" out ",\"isStreaming\":" streams "}"

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

/* ---- servers ------------------------------------------------------------- */

#define SIG                                                                    \
    "\"signature\":{\"echo\":{\"InArgs\":[\"s\"],\"NumOutArgs\":2},"           \
    "\"two\":{\"InArgs\":[],\"NumOutArgs\":3},"                                \
    "\"nop\":{\"NumOutArgs\":1},"                                              \
    "\"sum\":{\"NumOutArgs\":2,\"IsStreaming\":true}}"

static struct rig_page *q; /* who calls the page */

static void serve_setup(void)
{
    const char *s;

    setup();
    q = rig_page(WSPR_JSON, NULL);
    q->next = 1;
    s = ask(1, 1, "{\"name\":\"js\",\"serverId\":1}");
    ck_assert_ptr_nonnull(strstr(s, "1 0 \"@6@tcp@js:1@"));
}

/* Is the next message to the page of that id, kind and beginning? */
static const char *expect(struct rig_page *page, const char *begin)
{
    const char *s = next(page);

    ck_assert_msg(strncmp(s, begin, strlen(begin)) == 0, "%s\nis not %s", s,
        begin);
    return s;
}

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

/* ---- identities ---------------------------------------------------------- */

START_TEST(identities_are_made_blessed_and_given_back)
{
    const char *s;

    ck_assert_str_eq(
        ask(1, 10, "\"me\""), "1 0 {\"handle\": 1, \"names\": []}");
    s = ask(3, 8,
        "{\"handle\":1,\"name\":\"friend\",\"durationMs\":60000,\"caveats\":"
        "[{\"_type\":\"MethodCaveat\",\"data\":[\"Get\"],\"service\":\"x\"},"
        "{\"_type\":\"PeerBlessingsCaveat\",\"data\":[\"...\"]}]}");
    ck_assert_str_eq(
        s, "3 0 {\"handle\": 2, \"names\": [\"test:page1:friend\"]}");
    ck_assert_str_eq(ask(5, 9, "1"), "");
    ck_assert_str_eq(ask(5, 9, "1"), "");
    ck_assert_str_eq(ask(7, 8, "{\"handle\":1,\"name\":\"x\"}"),
        "7 2 {\"iD\": \"" OLD
        "NoExist\", \"msg\": \"invalid PublicID handle\"}");
    ck_assert_str_eq(ask(9, 8, "{\"handle\":2,\"name\":\"x\"}"),
        "9 0 {\"handle\": 3, \"names\": [\"test:page1:x\"]}");
}
END_TEST

START_TEST(caveats_that_are_not_known_are_refused)
{
    ck_assert_str_eq(
        ask(1, 10, "\"me\""), "1 0 {\"handle\": 1, \"names\": []}");
    ck_assert_str_eq(
        ask(3, 8, "{\"handle\":1,\"name\":\"f\",\"caveats\":[{\"_type\":"
                  "\"Odd\",\"data\":[\"x\"]}]}"),
        "3 2 {\"iD\": \"" OLD
        "BadArg\", \"msg\": \"failed to create caveat: unknown caveat type "
        "Odd\"}");
    ck_assert_ptr_nonnull(strstr(
        ask(5, 8, "{\"handle\":1,\"name\":\"f\",\"caveats\":[{\"_type\":"
                  "\"MethodCaveat\",\"data\":[]}]}"),
        OLD "BadArg\", \"msg\": \"failed to create caveat: "));
    ck_assert_ptr_nonnull(strstr(
        ask(7, 8, "{\"handle\":1,\"name\":\"f\",\"caveats\":[{\"_type\":"
                  "\"MethodCaveat\",\"data\":[{}]}]}"),
        OLD "BadArg\", \"msg\": \"failed to create caveat: "));
    ck_assert_ptr_nonnull(
        strstr(ask(9, 8, "{\"handle\":1,\"name\":\"a::b\"}"), "BadArg"));
    ck_assert_ptr_nonnull(strstr(ask(11, 10, "\"a::b\""), "BadArg"));
    ck_assert_ptr_nonnull(strstr(
        ask(13, 10, "1"), "can't unmarshall message: "));
}
END_TEST

START_TEST(handles_are_bounded)
{
    struct wspr_ctl_limits limits;
    struct rig_page *r;

    memset(&limits, 0, sizeof(limits));
    limits.blessings = 2;
    r = rig_page(WSPR_JSON, &limits);
    r->next = 1;
    say(r, 1, 10, "\"a\"");
    say(r, 3, 10, "\"b\"");
    say(r, 5, 10, "\"c\"");
    expect(r, "1 0 ");
    expect(r, "3 0 ");
    expect(r, "5 2 {\"iD\": \"" OLD "Internal\"");
    say(r, 7, 9, "1");
    say(r, 9, 10, "\"c\"");
    ck_assert_str_eq(next(r), "9 0 {\"handle\": 3, \"names\": []}");
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

/* ---- pages of 2014-07 ---------------------------------------------------- */

/* A message that brings the identity "alice" with a key of `key`, blessed for
 * the key of `blessed`. */
static const char *identity(
    struct vsec_signer *key, struct vsec_principal *blessed)
{
    static char out[4096];
    const v23_security_caveat_list none = {NULL, 0};
    v23_wspr_json_private_identity id;
    struct vsec_blessings *b;
    struct v23_buf der, vom, text;

    v23_buf_init(&der, NULL, SIZE_MAX);
    v23_buf_init(&vom, NULL, SIZE_MAX);
    v23_buf_init_fixed(&text, out, sizeof(out) - 1);
    ck_assert_int_eq(vsec_pkcs8_put(key, &der), 0);
    ck_assert_int_eq(
        vsec_principal_bless_self(blessed, vdl_str("alice"), none, &b), 0);
    id.key = vdl_bytes(der.p, der.n);
    id.blessings = vsec_blessings_wire(b);
    ck_assert_int_eq(vom_encode_single(NULL,
                         &v23_wspr_json_private_identity_desc, &id, &vom),
        0);
    v23_buf_puts(&text, "{\"account\":\"acc\",\"origin\":\"http://o\","
                        "\"identity\":\"");
    v23_base64_put(&text, vom.p, vom.n, true);
    while (text.p[text.n - 1] == '=') /* old pages did not pad */
        text.n--;
    v23_buf_puts(&text, "\"}");
    ck_assert_int_eq(text.err, 0);
    out[text.n] = 0;
    vsec_blessings_unref(b);
    v23_buf_fini(&der);
    v23_buf_fini(&vom);
    return out;
}

static struct vsec_principal *alice;

static void assoc_setup(void)
{
    setup();
    ck_assert_int_eq(
        vsec_principal_generate(W.engine, "ecdsa256", &alice), 0);
}

static void assoc_teardown(void)
{
    vsec_principal_unref(alice);
    rig_hang_up(p);
    rig_forget(p);
    wspr_principals_free(R.principals);
    rig_teardown();
}

/* The page connects once more, to a proxy that keeps accounts. */
static void keep_accounts(void)
{
    char why[WSPR_WHY];

    ck_assert_int_eq(
        wspr_principals_new(W.root, NULL, &R.principals, why), 0);
    rig_hang_up(p);
    rig_forget(p);
    ck_assert_int_eq(rig_connect(p, WSPR_JSON, NULL), 0);
    p->next = 1;
}

START_TEST(pages_may_bring_their_identity)
{
    struct v23_walltime now = W.now.wall;

    keep_accounts();
    ck_assert_str_eq(
        ask(1, 7, identity(alice->signer, alice)), "1 0 null");
    ck_assert_ptr_nonnull(p->assumed);
    ck_assert(vsec_pubkey_eq(p->assumed->key, alice->key));
    ck_assert(wspr_principals_has_account(
        R.principals, vdl_str("http://o"), now));
    ck_assert(vdl_str_is(
        vsec_blessings_text(
            wspr_principals_blessings(R.principals, vdl_str("acc"))),
        "alice:wspr"));
    ck_assert_str_eq(
        ask(3, 10, "\"me\""), "3 0 {\"handle\": 1, \"names\": []}");
    ck_assert_str_eq(ask(5, 8, "{\"handle\":1,\"name\":\"x\"}"),
        "5 0 {\"handle\": 2, \"names\": [\"alice:x\"]}");
}
END_TEST

START_TEST(identities_are_taken_also_where_accounts_are_not_kept)
{
    const char *s = ask(1, 7, identity(alice->signer, alice));

    ck_assert_str_eq(s, "1 2 {\"iD\": \"" OLD "Internal\", \"msg\": "
                        "\"identity.AddAccount(acc) failed: there are no "
                        "accounts here\"}");
    ck_assert_str_eq(next(p), "1 0 null");
    ck_assert_ptr_nonnull(p->assumed);
}
END_TEST

START_TEST(identities_that_are_none_change_nothing)
{
    struct vsec_principal *bob;

    ck_assert_int_eq(
        vsec_principal_generate(W.engine, "ecdsa256", &bob), 0);
    keep_accounts();
    ck_assert_ptr_nonnull(strstr(ask(1, 7, identity(alice->signer, bob)),
        "1 2 {\"iD\": \"" OLD "BadArg\", \"msg\": \"invalid identity: "));
    ck_assert_ptr_nonnull(strstr(
        ask(3, 7, "{\"identity\":\"not!base64\"}"), OLD "BadArg"));
    ck_assert_ptr_nonnull(
        strstr(ask(5, 7, "{\"identity\":\"gQ\"}"), OLD "BadArg"));
    ck_assert_str_eq(ask(7, 7, "1"),
        "7 2 {\"iD\": \"\", \"msg\": \"unknown message type: 7\"}");
    ck_assert_ptr_nonnull(strstr(ask(9, 5, "{\"name\":\"adder\"}"), "9 0 "));
    ck_assert_ptr_nonnull(strstr( /* too late */
        ask(11, 7, identity(alice->signer, alice)), OLD "BadArg"));
    ck_assert_ptr_null(p->assumed);
    ck_assert_uint_eq(wspr_principals_accounts(R.principals).n, 0);
    vsec_principal_unref(bob);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wspr/json_era");
    TCase *tc = tcase_create("calls"), *ts = tcase_create("servers");
    TCase *ta = tcase_create("identities");

    tcase_add_checked_fixture(tc, setup, rig_teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, page_is_greeted_with_the_roots);
    tcase_add_test(tc, protocol_is_found_by_the_first_message);
    tcase_add_test(tc, messages_that_make_no_sense_are_answered);
    tcase_add_test(tc, frames_are_objects_with_numbers_and_a_text);
    tcase_add_test(tc, answers_to_nothing_are_ignored);
    tcase_add_test(tc, signatures_have_no_types);
    tcase_add_test(tc, calls_are_tried_again_as_long_as_is_said);
    tcase_add_test(tc, arguments_are_converted_by_signature);
    tcase_add_test(tc, calls_that_do_not_fit_the_signature_are_refused);
    tcase_add_test(
        tc, streams_go_both_ways_also_before_the_signature_is_there);
    tcase_add_test(tc, ids_in_use_are_refused);
    tcase_add_test(tc, closing_ends_calls_that_wait_for_a_signature);
    tcase_add_test(tc, identities_are_made_blessed_and_given_back);
    tcase_add_test(tc, caveats_that_are_not_known_are_refused);
    tcase_add_test(tc, handles_are_bounded);
    tcase_add_test(tc, memory_may_end_anywhere);
    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(ts, serve_setup, rig_teardown);
    tcase_set_timeout(ts, 120);
    tcase_add_test(ts, calls_are_looked_up_authorized_and_invoked);
    tcase_add_test(ts, everybody_may_call_objects_without_authorizer);
    tcase_add_test(ts, labels_that_are_not_known_mean_admin);
    tcase_add_test(ts, refused_lookups_are_errors_of_the_call);
    tcase_add_test(ts, streams_of_servers_go_both_ways);
    tcase_add_test(ts, answers_that_cannot_be_read_end_the_call);
    tcase_add_test(ts, pages_that_do_not_answer_are_not_waited_for);
    tcase_add_test(ts, names_are_added_and_servers_stopped);
    tcase_add_test(ts, objects_may_be_described_when_they_are_served);
    tcase_add_test(ts, denied_signatures_are_errors);
    tcase_add_test(ts, servers_stop_while_signatures_are_authorized);
    tcase_add_test(ts, callers_may_go_while_signatures_are_authorized);
    tcase_add_test(ts, callers_learn_that_the_page_is_gone);
    suite_add_tcase(s, ts);
    tcase_add_checked_fixture(ta, assoc_setup, assoc_teardown);
    tcase_set_timeout(ta, 120);
    tcase_add_test(ta, pages_may_bring_their_identity);
    tcase_add_test(ta, identities_are_taken_also_where_accounts_are_not_kept);
    tcase_add_test(ta, identities_that_are_none_change_nothing);
    suite_add_tcase(s, ta);
    return tst_run(s);
}
