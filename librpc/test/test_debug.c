/* BSD-3-Clause; see LICENSE. */
/* __debug (spec/services.md 9). */
#include "debugged.h"

/* ---- tests --------------------------------------------------------------- */

START_TEST(glob_finds_the_services)
{
    serve_debug();
    ck_assert_str_eq(glob("__debug", "*"), "logs\npprof leaf\nstats\n"
                                           "http leaf\n");
    ck_assert_str_eq(glob("", "__debug/logs/*"), "__debug/logs/log\n");
    ck_assert_str_eq(glob("", "__*"), "__debug\n");
    ck_assert_str_eq(glob("__debug/none", "*"), "!NoExist\n");
    ck_assert_str_eq(glob("__debugstats", "*"), "!NoExist\n");
    ck_assert_str_eq(glob("__other", ""), "!NoExist\n");
}
END_TEST

START_TEST(glob_searches_the_statistics)
{
    serve_debug();
    integer("a/b", 1);
    integer("a/c", 2);
    ck_assert_str_eq(glob("__debug/stats/a", "..."), "\nb\nc\n");
    ck_assert_str_eq(glob("", "__debug/stats/a/[c-z]"),
        "__debug/stats/a/c\n");
    ck_assert_str_eq(glob("__debug/stats/none", "..."), "");
    ck_assert_str_eq(glob("__debug/stats/a/b/../..", "*"), "");
}
END_TEST

START_TEST(values_have_their_types)
{
    struct vrpc_stat *s;

    serve_debug();
    integer("a/i", -3);
    ck_assert_int_eq(vrpc_stats_map(S, vdl_str("m"), &s), 0);
    ck_assert_str_eq(value("__debug/stats/a/i"), "int64(-3)");
    ck_assert_str_eq(value("__debug/stats//a///i"), "int64(-3)");
    ck_assert_str_eq(value("__debug/stats/m"), "nil");
    ck_assert_str_eq(value("__debug/stats/a"), VERR "NoExist");
    ck_assert_str_eq(value("__debug/stats/x"), VERR "NoExist");
    ck_assert_str_eq(value("__debug/stats"), VERR "NoExist");
    ck_assert_str_eq(value("__debug/pprof"), VERR "UnknownMethod");
    ck_assert_str_eq(value("__debug"), VERR "UnknownMethod");
    ck_assert_str_eq(value("__debug/nothing"), VERR "UnknownSuffix");
}
END_TEST

START_TEST(nobody_is_let_in_whom_the_authorizer_refuses)
{
    Auth = &nobody;
    serve_debug();
    integer("a", 1);
    ck_assert_str_eq(value("__debug/stats/a"), VERR "NoAccess");
    ck_assert_str_eq(read_log(0, -1), VERR "NoAccess");
    ck_assert_str_eq(profile("heap", 0), VERR "NoAccess");
    cpu(1);
    ck_assert_str_eq(finish(), VERR "NoAccess");
    watch("__debug/stats", "*");
    ck_assert_str_eq(finish(), VERR "NoAccess");
    ck_assert_str_eq(glob("__debug", "..."), "!GlobMatchesOmitted\n");
    ck_assert_int_eq(F.starts, 0);
}
END_TEST

START_TEST(the_default_authorizer_knows_strangers)
{
    Auth = NULL;
    serve_debug();
    integer("a", 1);
    /* test:client and test:server: neither is the other's ancestor. */
    ck_assert_str_eq(value("__debug/stats/a"), VERR "NoAccess");
}
END_TEST

START_TEST(watchers_see_all_and_then_updates)
{
    struct vrpc_call *call;
    struct vrpc_stat *s;

    serve_debug();
    integer("w/a", 1);
    ck_assert_int_eq(vrpc_stats_integer(S, vdl_str("w/b"), &s), 0);
    world_sleep(&W, SEC);
    call = watch("__debug/stats/w", "...");
    world_sleep(&W, SEC);
    ck_assert_str_eq(Y.items_text, " a= b= ");
    world_sleep(&W, 20 * SEC);
    ck_assert_int_eq(Y.items, 3);
    ck_assert_int_eq(vrpc_stat_incr(s, 1, W.now.mono_ns), 0);
    world_sleep(&W, 10 * SEC);
    ck_assert_str_eq(Y.items_text, " a= b= b= ");
    world_sleep(&W, 100 * SEC);
    ck_assert_int_eq(Y.items, 4);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1);
    vrpc_call_cancel(call);
    world_sleep(&W, SEC);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(watchers_of_nothing_hear_why)
{
    serve_debug();
    watch("__debug/stats/none", "*");
    ck_assert_str_eq(finish(), VERR "NoExist");
    watch("__debug/stats", "[");
    ck_assert_str_eq(finish(), VERR "Unknown");
    watch("__debug/stats", "\\");
    ck_assert_str_eq(finish(), VERR "Unknown");
}
END_TEST

START_TEST(a_watched_root_may_vanish)
{
    serve_debug();
    integer("w/a", 1);
    watch("__debug/stats/w", "*");
    world_sleep(&W, SEC);
    ck_assert_int_eq(vrpc_stats_delete(S, vdl_str("w")), 0);
    ck_assert_str_eq(finish(), VERR "NoExist");
}
END_TEST

START_TEST(slow_watchers_miss_nothing)
{
    struct vrpc_call *call;
    char name[64];
    int i;

    W.bytes_buffered = 4096;
    serve_debug();
    for (i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "many/number%d", i);
        integer(name, i);
    }
    world_sleep(&W, SEC);
    call = watch("__debug/stats/many", "*");
    vrpc_call_pause(call, true);
    world_sleep(&W, 100 * SEC);
    ck_assert_int_lt(Y.items, 3000);
    vrpc_call_pause(call, false);
    world_sleep(&W, SEC);
    ck_assert_int_eq(Y.items, 3000);
    vrpc_call_cancel(call);
    world_sleep(&W, SEC);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(streams_are_bounded)
{
    int i;

    Streams = 3;
    serve_debug();
    integer("a", 1);
    for (i = 0; i < 3; i++) {
        watch("__debug/stats", "a");
        world_sleep(&W, SEC);
        ck_assert_int_eq(Y.done, 0);
    }
    read_start("__debug/logs/log", 0, -1, true);
    ck_assert_str_eq(finish(), VERR "Unknown");
    ck_assert_ptr_nonnull(strstr(Y.text, "too many"));
    cpu(1);
    ck_assert_str_eq(finish(), VERR "Unknown");
    glob_start("__debug/stats", "*");
    ck_assert(world_until(&W, &G.done, SEC));
    ck_assert_str_eq(G.text, "!Internal\n");
    ck_assert_str_eq(value("__debug/stats/a"), "int64(1)");
    vrpc_manager_close_all(P.c->m, "enough");
    world_sleep(&W, SEC);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_str_eq(glob("__debug/stats", "a"), "a\n");
}
END_TEST

static int stopped;

static void on_stopped(void *ud)
{
    (void)ud;
    stopped++;
}

START_TEST(stop_ends_watchers_at_once)
{
    int64_t before;

    serve_debug();
    integer("a", 1);
    watch("__debug/stats", "*");
    world_sleep(&W, SEC);
    stopped = 0;
    before = W.now.mono_ns;
    vrpc_server_stop(P.s->s, 5 * SEC, on_stopped, NULL);
    ck_assert(world_until(&W, &stopped, 10 * SEC));
    ck_assert_int_lt(W.now.mono_ns - before, SEC);
    ck_assert_int_eq(Y.done, 1);
    ck_assert(!Y.failed);
}
END_TEST

START_TEST(stop_ends_followers_with_their_position)
{
    serve_debug();
    put_line("one");
    read_start("__debug/logs/log", 0, -1, true);
    world_sleep(&W, SEC);
    ck_assert_str_eq(Y.items_text, "0:one|");
    stopped = 0;
    vrpc_server_stop(P.s->s, 5 * SEC, on_stopped, NULL);
    ck_assert(world_until(&W, &stopped, SEC));
    ck_assert_int_eq(Y.done, 1);
    ck_assert(!Y.failed);
    ck_assert_int_eq(Y.number, 4);
}
END_TEST

START_TEST(logs_are_read_by_lines)
{
    serve_debug();
    put_line("first");
    put_line(" \t second \r");
    put_line("");
    put_line("\302\240third\343\200\200");
    ck_assert_str_eq(size("__debug/logs/log"), "");
    ck_assert_int_eq(Y.number, 30);
    ck_assert_str_eq(read_log(0, -1), "0:first|6:second|18:|19:third|");
    ck_assert_int_eq(Y.number, 30);
    ck_assert_str_eq(read_log(0, 2), "0:first|6:second|");
    ck_assert_int_eq(Y.number, 18);
    ck_assert_str_eq(read_log(18, 5), "18:|19:third|");
    ck_assert_str_eq(read_log(3, 1), "3:st|");
}
END_TEST

START_TEST(logs_end_with_end_of_file)
{
    serve_debug();
    ck_assert_str_eq(read_log(0, -1), VERR "EndOfFile");
    put_line("x");
    ck_assert_str_eq(read_log(2, -1), VERR "EndOfFile");
    ck_assert_str_eq(read_log(INT64_MAX, 1), VERR "EndOfFile");
    ck_assert_str_eq(read_log(0, 0), "");
    ck_assert_int_eq(Y.number, 0);
    ck_assert_str_eq(read_log(0, INT32_MIN), "");
    ck_assert_str_eq(read_log(1, -2), "");
    ck_assert_int_eq(Y.number, 1);
    ck_assert_str_eq(read_log(-1, -1), VERR "Unknown");
    ck_assert_str_eq(read_log(INT64_MIN, 1), VERR "Unknown");
    ck_assert_str_eq(read_log(0, INT32_MAX), "0:x|");
}
END_TEST

START_TEST(missing_logs_do_not_exist)
{
    serve_debug();
    ck_assert_str_eq(size("__debug/logs/none"), VERR "NoExist");
    ck_assert_str_eq(size("__debug/logs/../log"), VERR "NoExist");
    ck_assert_str_eq(size("__debug/logs"), VERR "Unknown");
    read_start("__debug/logs", 0, -1, false);
    ck_assert_str_eq(finish(), VERR "Unknown");
    ck_assert_str_eq(glob("__debug/logs/none", "*"), "!Internal\n");
}
END_TEST

START_TEST(followers_get_lines_as_they_come)
{
    struct vrpc_call *call;

    serve_debug();
    call = read_start("__debug/logs/log", 0, 3, true);
    world_sleep(&W, 10 * SEC);
    ck_assert_int_eq(Y.items, 0);
    put_line("a");
    put_line("b");
    world_sleep(&W, SEC);
    ck_assert_str_eq(Y.items_text, "0:a|2:b|");
    put_line("c");
    put_line("d");
    ck_assert_str_eq(finish(), "");
    ck_assert_str_eq(Y.items_text, "0:a|2:b|4:c|");
    ck_assert_int_eq(Y.number, 6);
    call = read_start("__debug/logs/log", 6, -1, true);
    world_sleep(&W, SEC);
    vrpc_call_cancel(call);
    world_sleep(&W, SEC);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(the_ring_forgets_whole_lines)
{
    char line[200];
    int i;

    serve_debug();
    for (i = 0; i < 100; i++) {
        snprintf(line, sizeof(line), "line %d", i);
        put_line(line);
    }
    read_log(0, 1);
    ck_assert_ptr_nonnull(strstr(Y.items_text, ":line "));
    ck_assert_int_gt(Y.number, 256);
    read_log(0, -1);
    ck_assert_ptr_nonnull(strstr(Y.items_text, ":line 99|"));
    ck_assert_ptr_null(strstr(Y.items_text, ":line 10|"));
    /* What is too long is cut; the ring is not overrun. */
    memset(line, 'x', sizeof(line));
    vrpc_log_ring_put(L, vdl_strn(line, sizeof(line)));
    read_log(0, -1);
    ck_assert_ptr_nonnull(strstr(Y.items_text, ":xxx"));
    ck_assert_int_eq(vrpc_log_ring_new(&W.t.al, vdl_str("a/b"), 256, &L),
        V23_EARG);
    ck_assert_int_eq(vrpc_log_ring_new(&W.t.al, vdl_str("a"), 255, &L),
        V23_EARG);
}
END_TEST

static void list_done(const struct v23_verror *err, vdl_str_list l)
{
    uint32_t i;

    ended(err);
    for (i = 0; err == NULL && i < l.n; i++)
        put_item("%.*s,", (int)l.v[i].n, l.v[i].p);
}

static void cmdline_done(void *ud, const struct v23_verror *err,
    const v23_pprof_pprof_cmd_line_out *out)
{
    vdl_str_list none = { NULL, 0 };

    (void)ud;
    list_done(err, err == NULL ? out->result : none);
}

static void profiles_done(void *ud, const struct v23_verror *err,
    const v23_pprof_pprof_profiles_out *out)
{
    vdl_str_list none = { NULL, 0 };

    (void)ud;
    list_done(err, err == NULL ? out->result : none);
}

static void symbol_done(void *ud, const struct v23_verror *err,
    const v23_pprof_pprof_symbol_out *out)
{
    vdl_str_list none = { NULL, 0 };

    (void)ud;
    list_done(err, err == NULL ? out->result : none);
}

START_TEST(pprof_tells_what_the_platform_knows)
{
    static const uint64_t pcs[3] = { 0, 7, UINT64_MAX };
    const vdl_uint64_list l = { pcs, 3 };
    const char *name;
    struct vrpc_call_opts o;

    serve_debug();
    name = world_name(P.s, "__debug/pprof/anything");
    o = begin();
    v23_pprof_pprof_cmd_line_start(P.c->c, name, &o, cmdline_done, NULL);
    finish();
    ck_assert_str_eq(Y.items_text, "prog,-x,");
    o = begin();
    v23_pprof_pprof_profiles_start(P.c->c, name, &o, profiles_done, NULL);
    finish();
    ck_assert_str_eq(Y.items_text, "heap,");
    o = begin();
    v23_pprof_pprof_symbol_start(P.c->c, name, &o, l, symbol_done, NULL);
    finish();
    ck_assert_str_eq(Y.items_text, ",seven,,");
}
END_TEST

START_TEST(profiles_come_in_pieces)
{
    W.bytes_buffered = 40000;
    serve_debug();
    F.bytes = 100000;
    ck_assert_str_eq(profile("heap", 0), "");
    ck_assert_uint_eq(profile_bytes, 100000);
    ck_assert_str_eq(Y.items_text, "hhhh");
    F.bytes = 0;
    ck_assert_str_eq(profile("heap", 1), "");
    ck_assert_int_eq(Y.items, 0);
    ck_assert_str_eq(profile("goroutine", 0), VERR "Unknown");
    ck_assert_str_eq(Y.text, "profile does not exist: goroutine");
    F.bytes = 17u << 20;
    ck_assert_str_eq(profile("heap", 0), VERR "Unknown");
}
END_TEST

START_TEST(cpu_profiles_take_their_time)
{
    struct vrpc_call *call;
    int64_t before;

    serve_debug();
    before = W.now.mono_ns;
    cpu(3600);
    ck_assert_str_eq(finish(), "");
    ck_assert_int_ge(W.now.mono_ns - before, 3600 * SEC);
    ck_assert_str_eq(Y.items_text, "c");
    ck_assert_int_eq(F.stops, 1);
    call = cpu(10);
    world_sleep(&W, SEC);
    ck_assert_int_eq(F.starts, 2);
    vrpc_call_cancel(call);
    world_sleep(&W, SEC);
    ck_assert_int_eq(F.stops, 2);
    ck_assert_int_eq(F.dropped, 1);
    F.busy = true;
    cpu(1);
    ck_assert_str_eq(finish(), VERR "Unknown");
    ck_assert_int_eq(F.stops, 2);
}
END_TEST

START_TEST(seconds_are_checked)
{
    static const int32_t bad[] = { 0, -1, 3601, INT32_MAX, INT32_MIN };
    size_t i;

    serve_debug();
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cpu(bad[i]);
        ck_assert_str_eq(finish(), VERR "Unknown");
        ck_assert_ptr_nonnull(strstr(Y.text, "invalid number of seconds"));
    }
    ck_assert_int_eq(F.starts, 0);
}
END_TEST

static void http_done(void *ud, const struct v23_verror *err,
    const v23_http_http_raw_do_out *out)
{
    (void)ud;
    ended(err);
    if (err == NULL)
        put_item("%.*s", (int)out->data.n, (const char *)out->data.p);
}

START_TEST(http_shows_no_requests)
{
    v23_http_request req;
    struct vrpc_call_opts o;

    serve_debug();
    o = begin();
    memset(&req, 0, sizeof(req));
    req.method = vdl_str("GET");
    ck_assert_ptr_nonnull(v23_http_http_raw_do_start(P.c->c,
        world_name(P.s, "__debug/http"), &o, &req, http_done, NULL));
    finish();
    ck_assert_ptr_nonnull(strstr(Y.items_text, "/debug/requests"));
}
END_TEST

/* Watch, glob, read and profile with the k-th allocation failing: every call
 * ends, and nothing stays. */
START_TEST(memory_may_end_at_any_allocation)
{
    size_t k;

    serve_debug();
    integer("a/b", 1);
    put_line("text");
    F.bytes = 10;
    value("__debug/stats/a/b"); /* the connection is there */
    for (k = 1; k < 40; k++) {
        struct vrpc_call *call = watch("__debug/stats", "...");

        W.t.fail_at = W.t.calls + k;
        world_sleep(&W, SEC);
        W.t.fail_at = 0;
        if (Y.done == 0)
            vrpc_call_cancel(call);
        world_sleep(&W, SEC);
        read_start("__debug/logs/log", 0, -1, false);
        W.t.fail_at = W.t.calls + k;
        world_sleep(&W, SEC);
        W.t.fail_at = 0;
        finish();
        glob_start("__debug/stats", "...");
        W.t.fail_at = W.t.calls + k;
        world_sleep(&W, SEC);
        W.t.fail_at = 0;
        ck_assert(world_until(&W, &G.done, 10 * SEC));
        world_sleep(&W, SEC);
        ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, glob_finds_the_services);
    tcase_add_test(tc, glob_searches_the_statistics);
    tcase_add_test(tc, values_have_their_types);
    tcase_add_test(tc, nobody_is_let_in_whom_the_authorizer_refuses);
    tcase_add_test(tc, the_default_authorizer_knows_strangers);
    tcase_add_test(tc, watchers_see_all_and_then_updates);
    tcase_add_test(tc, watchers_of_nothing_hear_why);
    tcase_add_test(tc, a_watched_root_may_vanish);
    tcase_add_test(tc, slow_watchers_miss_nothing);
    tcase_add_test(tc, streams_are_bounded);
    tcase_add_test(tc, stop_ends_watchers_at_once);
    tcase_add_test(tc, stop_ends_followers_with_their_position);
    tcase_add_test(tc, logs_are_read_by_lines);
    tcase_add_test(tc, logs_end_with_end_of_file);
    tcase_add_test(tc, missing_logs_do_not_exist);
    tcase_add_test(tc, followers_get_lines_as_they_come);
    tcase_add_test(tc, the_ring_forgets_whole_lines);
    tcase_add_test(tc, pprof_tells_what_the_platform_knows);
    tcase_add_test(tc, profiles_come_in_pieces);
    tcase_add_test(tc, cpu_profiles_take_their_time);
    tcase_add_test(tc, seconds_are_checked);
    tcase_add_test(tc, http_shows_no_requests);
    tcase_add_test(tc, memory_may_end_at_any_allocation);
}

int main(void)
{
    return tst_run_case("librpc/debug", fill, setup, teardown);
}
