/* BSD-3-Clause; see LICENSE. */
/* Servers of a page: lookup, authorization, caveats, invocation, globs, their
 * end (spec/wspr.md 10, 11.1). */
#include "served_rig.h"

static int64_t i40 = 40, i2 = 2;
static const struct vdl_any forty = { &vdl_int64_desc, &i40 };
static const struct vdl_any two = { &vdl_int64_desc, &i2 };

/* The default authorizer knows delegates only: open the object instead. */
static v23_wspr_server_lookup_reply open_object(void)
{
    v23_wspr_server_lookup_reply o = object(7);

    o.has_authorizer = true;
    return o;
}

static int64_t authorize(const struct v23_verror *err)
{
    const struct got *g = next_past(AUTHORIZE);
    v23_wspr_server_auth_request q;
    v23_wspr_server_auth_reply r;

    memset(&q, 0, sizeof(q));
    as(g, &v23_wspr_server_auth_request_desc, &q);
    ck_assert(vdl_str_is(g->v.type->name, SRV "AuthRequest"));
    ck_assert_int_eq(q.handle, 7);
    ck_assert_uint_eq(q.call.remote_blessing_strings.n, 1);
    ck_assert(vdl_str_is(q.call.remote_blessing_strings.v[0], "test:other"));
    ck_assert_uint_gt(q.call.remote_blessings, 0);
    ck_assert_uint_gt(q.call.local_blessings, 0);
    r.err = err;
    send_value(g->id, C_AUTHORIZE, &v23_wspr_server_auth_reply_desc, &r);
    return g->id;
}

/* Up to the invocation of an open object. */
static int64_t open_until(const char *suffix, const char *method)
{
    v23_wspr_server_lookup_reply o = open_object();

    look_up(suffix, &o);
    allow_caveats();
    (void)authorize(NULL);
    return invoked(method);
}

START_TEST(a_call_goes_through_the_page)
{
    const struct got *g;
    int64_t id;

    ck_assert_str_eq(S.names, "+a/name");
    r_opts.language = vdl_str("de");
    r_opts.timeout_ns = 5 * SEC;
    start_closed("x/y", "Add", &forty, 1);
    id = open_until("x/y", "add");
    ck_assert_int_eq(invocation.handle, 7);
    ck_assert_uint_eq(invocation.args.n, 1);
    ck_assert_int_eq(int_of(invocation.args.v[0]), 40);
    ck_assert(vdl_str_is(invocation.call.security_call.suffix, "x/y"));
    ck_assert(vdl_str_is(invocation.call.security_call.method, "add"));
    ck_assert_uint_eq(invocation.call.security_call.method_tags.n, 1);
    ck_assert(vdl_str_is(invocation.call.context.language, "de"));
    ck_assert_int_eq(invocation.call.deadline.from_now.seconds, 5);
    ck_assert_uint_eq(invocation.call.granted_blessings, 0);
    g = next_past(END); /* also for methods without stream */
    ck_assert_int_eq(g->id, id);
    reply(id, &two, 1, NULL);
    ck_assert_str_eq(outcome(), "");
    ck_assert_uint_eq(R.n, 1);
    ck_assert_int_eq(int_of(R.results[0]), 2);
    nothing();
}
END_TEST

START_TEST(the_first_frames_name_the_blessings)
{
    const struct got *g;
    v23_wspr_server_lookup_reply o = object(7);
    size_t adds = 0;

    start_closed("", "Add", &forty, 1);
    look_up("", &o);
    while ((g = next_any())->type == BLESSINGS)
        adds++;
    ck_assert_uint_eq(adds, 2);
    ck_assert_uint_eq(g->type, CAVEATS);
    P.next--;
    allow_caveats();
    ck_assert_str_eq(outcome(), VERR "NoAccess"); /* default authorizer */
}
END_TEST

START_TEST(lookups_fail_as_the_page_says)
{
    v23_wspr_server_lookup_reply o = object(-1);
    struct v23_verror e = { STR("x.Lookup"), 0, STR("no"), { NULL, 0 } };
    const struct got *g;
    char m[64];

    start_closed("a", "Add", &forty, 1);
    look_up("a", &o);
    ck_assert_str_eq(outcome(), VERR "NoExist");
    o.handle = 0;
    o.err = &e;
    start_closed("a", "Add", &forty, 1);
    look_up("a", &o);
    ck_assert_str_eq(outcome(), "x.Lookup");
    start_closed("a", "Add", &forty, 1);
    g = next_past(LOOKUP);
    snprintf(m, sizeof(m), "{\"id\":%d,\"type\":11,\"data\":\"81\"}",
        (int)g->id);
    say(m);
    ck_assert_str_eq(outcome(), VERR "Internal");
    say(m); /* again: dropped */
    nothing();
}
END_TEST

START_TEST(methods_and_arguments_are_those_of_the_signature)
{
    v23_wspr_server_lookup_reply o = open_object();
    struct vdl_str s = STR("text");
    struct vdl_any bad = { &vdl_string_desc, &s };

    start_closed("", "Nope", NULL, 0);
    look_up("", &o);
    ck_assert_str_eq(outcome(), SRV "ErrMethodNotFoundInSignature");
    ck_assert_ptr_nonnull(strstr(R.msg, "Method nope not found in signature"));
    start_closed("", "Add", NULL, 0);
    look_up("", &o);
    ck_assert_str_eq(outcome(), SRV "ErrWrongNumberOfArgs");
    ck_assert_ptr_nonnull(strstr(R.msg, "Method add got 0 args, want 1"));
    start_closed("", "Add", &bad, 1);
    look_up("", &o);
    ck_assert_str_eq(outcome(), VERR "BadProtocol");
    nothing();
}
END_TEST

START_TEST(authorizers_of_the_page_decide)
{
    v23_wspr_server_lookup_reply o = open_object();
    struct v23_verror e = { STR("x.Denied"), 0, STR("not you"), { NULL, 0 } };
    const struct got *g;
    char m[64];

    start_closed("", "Add", &forty, 1);
    look_up("", &o);
    allow_caveats();
    (void)authorize(&e);
    ck_assert_str_eq(outcome(), VERR "NoAccess");
    ck_assert_ptr_nonnull(strstr(R.msg, "not you"));
    start_closed("", "Add", &forty, 1);
    look_up("", &o);
    allow_caveats();
    g = next_past(AUTHORIZE);
    snprintf(m, sizeof(m), "{\"id\":%d,\"type\":12,\"data\":\"\"}",
        (int)g->id);
    say(m);
    ck_assert_str_eq(outcome(), VERR "NoAccess");
}
END_TEST

START_TEST(streams_go_both_ways)
{
    const struct got *g;
    int64_t id;

    start("", "Stream", NULL, 0);
    id = open_until("", "stream");
    settle();
    ck_assert_int_eq(vrpc_call_send_any(R.call, forty), 0);
    g = next_past(ITEM);
    ck_assert_int_eq(g->id, id);
    ck_assert_int_eq(int_of(g->v), 40);
    send_value(id, C_ITEM, &vdl_int64_desc, &i2);
    settle();
    ck_assert_int_eq(R.items, 1);
    ck_assert_int_eq(int_of(R.last), 2);
    vrpc_call_close_send(R.call);
    ck_assert_int_eq(next_past(END)->id, id);
    send_value(id, C_ITEM, &vdl_int64_desc, &i40);
    reply(id, NULL, 0, NULL);
    ck_assert_str_eq(outcome(), "");
    ck_assert_int_eq(R.items, 2);
}
END_TEST

START_TEST(answers_follow_the_items_that_wait)
{
    static uint8_t big[60000];
    struct vdl_bytes b = vdl_bytes(big, sizeof(big));
    int64_t id;
    int i;

    start("", "Stream", NULL, 0);
    id = open_until("", "stream");
    vrpc_call_pause(R.call, true); /* the window fills */
    for (i = 0; i < 20; i++)
        send_value(id, C_ITEM, &vdl_bytes_desc, &b);
    reply(id, &two, 1, NULL);
    send_value(id, C_ITEM, &vdl_bytes_desc, &b); /* too late */
    settle();
    ck_assert_int_eq(R.done, 0);
    vrpc_call_pause(R.call, false);
    ck_assert_str_eq(outcome(), "");
    ck_assert_int_eq(R.items, 20);
    ck_assert_int_eq(int_of(R.results[0]), 2);
}
END_TEST

START_TEST(a_caller_that_does_not_read_is_given_up)
{
    static uint8_t big[60000];
    struct vdl_bytes b = vdl_bytes(big, sizeof(big));
    int64_t id;
    int i;

    start("", "Stream", NULL, 0);
    id = open_until("", "stream");
    vrpc_call_pause(R.call, true);
    for (i = 0; i < 200; i++)
        send_value(id, C_ITEM, &vdl_bytes_desc, &b);
    ck_assert_int_eq(next_past(CANCEL)->id, id);
    vrpc_call_pause(R.call, false);
    ck_assert_str_eq(outcome(), VERR "Aborted");
}
END_TEST

START_TEST(callers_that_leave_are_told_to_the_page)
{
    int64_t id;

    start_closed("", "Stream", NULL, 0);
    id = open_until("", "stream");
    ck_assert_int_eq(next_past(END)->id, id);
    vrpc_call_cancel(R.call);
    ck_assert_int_eq(next_past(CANCEL)->id, id);
    reply(id, &two, 1, NULL); /* late: dropped */
    nothing();
    r_opts.timeout_ns = 3 * SEC;
    start_closed("", "Stream", NULL, 0);
    id = open_until("", "stream");
    ck_assert_int_eq(next_past(END)->id, id);
    pass(4 * SEC);
    ck_assert_int_eq(next_past(CANCEL)->id, id);
    ck_assert_str_eq(outcome(), VERR "Timeout");
}
END_TEST

START_TEST(errors_of_the_page_reach_the_caller)
{
    struct v23_verror e = { STR("x.Own"), V23_RETRY_REFETCH, STR("so"),
        { NULL, 0 } };
    char m[80];
    int64_t id;

    start_closed("", "Any", &forty, 1);
    id = open_until("", "any");
    reply(id, NULL, 0, &e);
    ck_assert_str_eq(outcome(), "x.Own");
    P.next = P.ngot;
    start_closed("", "Any", &forty, 1);
    id = open_until("", "any");
    snprintf(m, sizeof(m), "{\"id\":%d,\"type\":2,\"data\":\"81zz\"}",
        (int)id);
    say(m);
    ck_assert_str_eq(outcome(), VERR "Internal");
    P.next = P.ngot;
    start_closed("", "Any", &forty, 1);
    id = open_until("", "any");
    ck_assert_int_eq(next_past(END)->id, id);
    snprintf(m, sizeof(m), "{\"id\":%d,\"type\":3,\"data\":\"81zz\"}",
        (int)id);
    say(m);
    ck_assert_str_eq(error_of(id), VERR "BadArg");
}
END_TEST

/* ---- no answer ----------------------------------------------------------- */

START_TEST(silence_ends_after_a_minute)
{
    v23_wspr_server_lookup_reply o = open_object();
    const struct got *g;

    start_closed("", "Add", &forty, 1);
    (void)next_past(LOOKUP);
    pass(59 * SEC);
    ck_assert_int_eq(R.done, 0);
    pass(2 * SEC);
    ck_assert_str_eq(outcome(), VERR "Timeout");
    start_closed("", "Add", &forty, 1);
    look_up("", &o);
    (void)next_past(CAVEATS);
    pass(61 * SEC);
    g = next_past(AUTHORIZE); /* without names, then */
    ck_assert_ptr_nonnull(g);
    pass(61 * SEC);
    ck_assert_str_eq(outcome(), VERR "NoAccess");
    ck_assert(wspr_ctl_is_reading(X.c));
}
END_TEST

START_TEST(the_deadline_of_a_call_is_the_limit)
{
    r_opts.timeout_ns = 100 * SEC;
    start_closed("", "Add", &forty, 1);
    (void)next_past(LOOKUP);
    pass(90 * SEC);
    ck_assert_int_eq(R.done, 0);
    pass(11 * SEC);
    ck_assert_str_eq(outcome(), VERR "Timeout");
    pass(3 * SEC);
    ck_assert_int_eq(wspr_ctl_next_deadline(X.c) == V23_NEVER, 1);
}
END_TEST

/* ---- caveats ------------------------------------------------------------- */

START_TEST(wrong_answers_about_caveats_leave_no_names)
{
    v23_wspr_server_lookup_reply o = open_object();
    v23_wspr_server_caveat_validation_response r;
    v23_wspr_server_auth_request q;
    struct v23_verror e = { STR("x.Cav"), 0, STR("bad"), { NULL, 0 } };
    const struct v23_verror *errs[2] = { &e, NULL };
    const struct got *g;
    int i;

    for (i = 0; i < 2; i++) {
        start_closed("", "Add", &forty, 1);
        look_up("", &o);
        g = next_past(CAVEATS);
        r.results.v = errs;
        r.results.n = i == 0 ? 1 : 2; /* refused; too many */
        send_value(g->id, C_CAVEATS,
            &v23_wspr_server_caveat_validation_response_desc, &r);
        g = next_past(AUTHORIZE);
        memset(&q, 0, sizeof(q));
        as(g, &v23_wspr_server_auth_request_desc, &q);
        ck_assert_uint_eq(q.call.remote_blessing_strings.n, 0);
        vrpc_call_cancel(R.call);
        settle();
    }
}
END_TEST

START_TEST(known_caveats_need_not_be_asked_about)
{
    struct wspr_ctl_config cfg = rig_config();
    v23_wspr_server_lookup_reply o = open_object();

    rig_close();
    wspr_ctl_free(X.c);
    page_fini();
    page_init();
    cfg.native_caveats = true;
    ck_assert_int_eq(wspr_ctl_new(&cfg, &X.c), 0);
    (void)final_of(new_server(1, "b", true));
    start_closed("", "Add", &forty, 1);
    look_up("", &o);
    (void)authorize(NULL);
    reply(invoked("add"), &two, 1, NULL);
    ck_assert_str_eq(outcome(), "");
}
END_TEST

/* ---- signatures and globs ------------------------------------------------ */

START_TEST(signatures_are_those_of_the_lookup)
{
    v23_wspr_server_lookup_reply o = object(0);

    start_closed("s", "__Signature", NULL, 0);
    look_up("s", &o);
    ck_assert_str_eq(outcome(), "");
    ck_assert_uint_eq(((const struct vdl_list *)R.results[0].val)->n, 2);
}
END_TEST

/* Somebody globs; the id of the page's invocation. */
static int64_t globbed(const char *suffix, const char *pattern)
{
    v23_wspr_server_lookup_reply o = open_object();
    struct vdl_str s = vdl_str(pattern);
    struct vdl_any arg = { &vdl_string_desc, &s };

    o.has_globber = true;
    start_closed(suffix, "__Glob", &arg, 1);
    look_up(suffix, &o);
    allow_caveats();
    (void)authorize(NULL);
    return invoked("Glob__");
}

START_TEST(globs_are_the_pages)
{
    v23_naming_glob_reply r;
    int64_t id = globbed("d", "*/...");

    ck_assert_uint_eq(invocation.args.n, 1);
    ck_assert_str_eq(str_of(invocation.args.v[0]), "*/...");
    ck_assert(vdl_str_is(invocation.call.security_call.method, "__Glob"));
    memset(&r, 0, sizeof(r));
    r.which = V23_NAMING_GLOB_REPLY_ENTRY;
    r.u.entry.name = vdl_str("child");
    send_value(id, C_ITEM, &v23_naming_glob_reply_desc, &r);
    settle();
    ck_assert_int_eq(R.items, 1);
    send_value(id, C_ITEM, &vdl_int64_desc, &i2); /* no GlobReply */
    ck_assert_str_eq(error_of(id), VERR "BadArg");
    memset(&r, 0, sizeof(r));
    r.which = V23_NAMING_GLOB_REPLY_ERROR;
    r.u.error.name = vdl_str("other");
    send_value(id, C_ITEM, &v23_naming_glob_reply_desc, &r);
    reply(id, &two, 1, NULL);
    ck_assert_str_eq(outcome(), "");
    ck_assert_int_eq(R.items, 2);
    nothing();
}
END_TEST

START_TEST(globs_end_with_their_callers)
{
    int64_t id = globbed("", "*");

    vrpc_call_cancel(R.call);
    ck_assert_int_eq(next_past(CANCEL)->id, id);
    reply(id, NULL, 0, NULL);
    nothing();
}
END_TEST

/* ---- the end ------------------------------------------------------------- */

START_TEST(stop_answers_all_who_wait)
{
    v23_wspr_server_lookup_reply o = open_object();
    struct vrpc_call *first, *second;
    int64_t id;

    S.slow_stop = true;
    start_closed("", "Add", &forty, 1);
    first = R.call;
    (void)next_past(LOOKUP);
    start_closed("", "Add", &forty, 1);
    second = R.call;
    look_up("", &o);
    allow_caveats();
    (void)next_past(AUTHORIZE);
    start_closed("", "Add", &forty, 1);
    (void)open_until("", "add");
    (void)next_past(END);
    ck_assert_ptr_ne(first, second);
    R.done = 0;
    id = control("Stop", 1, NULL);
    settle();
    ck_assert_int_eq(R.done, 3);
    nothing(); /* not stopped yet */
    S.v[0].done(S.v[0].done_ud);
    (void)final_of(id);
    (void)final_of(control("Stop", 1, NULL)); /* unknown: no error */
    nothing();
}
END_TEST

START_TEST(stopped_servers_say_so)
{
    int64_t id;

    start_closed("", "Add", &forty, 1);
    (void)next_past(LOOKUP);
    id = control("Stop", 1, NULL);
    (void)final_of(id);
    ck_assert_int_eq(R.done, 1);
    ck_assert_str_eq(R.id, SRV "ServerStopped");
}
END_TEST

START_TEST(closing_ends_calls_of_the_page_and_of_others)
{
    struct wspr_ctl_stats st;

    start_closed("", "Add", &forty, 1);
    (void)open_until("", "add");
    wspr_ctl_stats(X.c, &st);
    ck_assert_uint_eq(st.servers, 1);
    ck_assert_uint_eq(st.flows, 1);
    ck_assert_uint_eq(st.blessings, 2);
    rig_close();
    ck_assert_int_eq(P.closed, 1);
    ck_assert_int_eq(R.done, 1);
    ck_assert_str_eq(R.id, VERR "Timeout");
}
END_TEST

static void count_server(void *ud, uint32_t id, struct vdl_str name)
{
    ck_assert_uint_eq(id, 1);
    ck_assert(vdl_str_is(name, "a/name"));
    ++*(int *)ud;
}

START_TEST(names_of_a_server_are_bounded)
{
    static char name[60000];

    memset(name, 'n', sizeof(name) - 1);
    (void)final_of(control("AddName", 1, name));
    name[0] = 'm';
    ck_assert_str_eq(error_of(control("AddName", 1, name)), VERR "Internal");
    ck_assert(error_says("too many names"));
    name[0] = 'n';
    (void)final_of(control("AddName", 1, name));
    (void)final_of(control("RemoveName", 1, name));
    (void)final_of(control("AddName", 1, name));
    (void)final_of(control("AddName", 1, "short"));
}
END_TEST

START_TEST(servers_and_names_are_managed)
{
    int n = 0;

    ck_assert_str_eq(error_of(new_server(1, "x", false)), VERR "Internal");
    ck_assert_str_eq(error_of(control("AddName", 5, "b")), VERR "Internal");
    ck_assert(error_says("Trying to getServerById, but id 5 does not match "
                         "any servers."));
    (void)final_of(control("AddName", 1, "b"));
    (void)final_of(control("RemoveName", 1, "a/name"));
    ck_assert_str_eq(S.names, "+a/name +b -a/name");
    S.fails = V23_ESYS;
    ck_assert_str_eq(error_of(new_server(2, "x", false)), VERR "Internal");
    wspr_ctl_each_server(X.c, count_server, &n);
    ck_assert_int_eq(n, 1);
    wspr_ctl_mounted(X.c, vdl_str("a/name"), vdl_str(""));
    wspr_ctl_mounted(X.c, vdl_str("a/name"), vdl_str("why"));
    {
        v23_wspr_lib_log_message m;

        as(next_of(LOG), &v23_wspr_lib_log_message_desc, &m);
        ck_assert_uint_eq(m.level, V23_WSPR_LIB_LOG_LEVEL_INFO);
        ck_assert(vdl_str_is(m.message,
            "serve: a/name successfully mounted "));
        as(next_of(LOG), &v23_wspr_lib_log_message_desc, &m);
        ck_assert_uint_eq(m.level, V23_WSPR_LIB_LOG_LEVEL_ERROR);
        ck_assert(vdl_str_is(m.message, "serve: a/name failed with: why"));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("libwspr/servers");
    TCase *t = tcase_create("calls");

    tcase_add_checked_fixture(t, served_setup, served_teardown);
    tcase_add_test(t, a_call_goes_through_the_page);
    tcase_add_test(t, the_first_frames_name_the_blessings);
    tcase_add_test(t, lookups_fail_as_the_page_says);
    tcase_add_test(t, methods_and_arguments_are_those_of_the_signature);
    tcase_add_test(t, authorizers_of_the_page_decide);
    tcase_add_test(t, streams_go_both_ways);
    tcase_add_test(t, answers_follow_the_items_that_wait);
    tcase_add_test(t, a_caller_that_does_not_read_is_given_up);
    tcase_add_test(t, callers_that_leave_are_told_to_the_page);
    tcase_add_test(t, errors_of_the_page_reach_the_caller);
    tcase_add_test(t, silence_ends_after_a_minute);
    tcase_add_test(t, the_deadline_of_a_call_is_the_limit);
    tcase_add_test(t, wrong_answers_about_caveats_leave_no_names);
    tcase_add_test(t, known_caveats_need_not_be_asked_about);
    tcase_add_test(t, signatures_are_those_of_the_lookup);
    tcase_add_test(t, globs_are_the_pages);
    tcase_add_test(t, globs_end_with_their_callers);
    tcase_add_test(t, stop_answers_all_who_wait);
    tcase_add_test(t, stopped_servers_say_so);
    tcase_add_test(t, closing_ends_calls_of_the_page_and_of_others);
    tcase_add_test(t, names_of_a_server_are_bounded);
    tcase_add_test(t, servers_and_names_are_managed);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
