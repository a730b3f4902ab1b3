/* BSD-3-Clause; see LICENSE. */
/* What managers, servers and clients count and tell (spec/rpc.md 23). */
#include "debugged.h"

#define RPC "__debug/stats/rpc/"
#define RID "0000000000000000000000000000004d"

START_TEST(calls_are_counted_by_method)
{
    struct add_in in = { 1, 2 };
    static struct result r;
    int i;

    serve_debug();
    for (i = 0; i < 5; i++) {
        ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
            &stub_plain, &r));
        ck_assert(world_until(&W, &r.done, SEC));
    }
    value(RPC "server/routing-id/" RID "/methods/Add/latency-ms");
    ck_assert_ptr_nonnull(strstr(Y.value, "{Count: 5, Sum: 0, Min: 0, Max: 0"));
    ck_assert_str_eq(glob(RPC "server/routing-id/" RID "/methods", "*"),
        "Add\nValue\n");
    value(RPC "server/routing-id/" RID "/security/blessings");
    ck_assert_str_eq(Y.value, "\"test:server\"");
    value(RPC "server/routing-id/" RID "/security/blessings/cache/attempts");
    ck_assert_str_eq(Y.value, "int64(9)");
    value(RPC "server/routing-id/" RID "/security/blessings/cache/hits");
    ck_assert_str_eq(Y.value, "int64(9)");
    value(RPC "server/outstanding/" RID);
    ck_assert_ptr_nonnull(strstr(Y.value, "Value age:"));
    value(RPC "flow/" RID "/conn-cache/cache");
    ck_assert_ptr_nonnull(strstr(Y.value, "Blessings: test:server"));
    value(RPC "flow/" RID "/conn-cache/reserved");
    ck_assert_str_eq(Y.value, "\"\"");
    value(RPC "client/outstanding/0");
    ck_assert_str_eq(Y.value, "\"No outstanding calls.\"");
}
END_TEST

START_TEST(a_warm_call_allocates_nothing_for_statistics)
{
    struct add_in in = { 1, 2 };
    static struct result r;
    struct wnode *plain, *counted = P.s;
    size_t calls[2], before;
    int i, k;

    serve_debug();
    W.stats = NULL;
    ck_assert_int_eq(world_node(&W, "plain", 78, &plain), 0);
    {
        struct vrpc_server_config sc;

        memset(&sc, 0, sizeof(sc));
        sc.object.iface = &echo_iface;
        sc.object.self = &P.echo;
        sc.authorizer = &vsec_auth_everyone;
        ck_assert_int_eq(vrpc_server_new(plain->m, &sc, &plain->s), 0);
    }
    for (k = 0; k < 2; k++) {
        before = 0;
        for (i = 0; i < 60; i++) {
            if (i == 10)
                before = W.t.calls;
            ck_assert_ptr_nonnull(start(P.c,
                world_name(k == 0 ? counted : plain, ""), M_ADD, NULL, &in,
                &stub_plain, &r));
            ck_assert(world_until(&W, &r.done, SEC));
        }
        calls[k] = W.t.calls - before;
    }
    ck_assert_uint_eq(calls[0], calls[1]);
}
END_TEST

START_TEST(what_a_server_counted_goes_with_it)
{
    serve_debug();
    ck_assert_str_eq(glob("__debug/stats/rpc/server", "*/" RID),
        "outstanding/" RID "\nrouting-id/" RID "\n");
    vrpc_server_free(P.s->s);
    P.s->s = NULL;
    {
        struct vrpc_stats_query q = { W.now, INT64_MIN, true };
        struct vrpc_stats_matches m;
        struct vrpc_glob g;
        struct v23_arena a;

        v23_arena_init(&a, &W.t.al, SIZE_MAX);
        ck_assert_int_eq(vrpc_glob_parse(&a, vdl_str("*/" RID), &g), 0);
        ck_assert_int_eq(vrpc_stats_glob(S, vdl_str("rpc/server"), &g, &q, &a,
                             &m), 0);
        ck_assert_uint_eq(m.n, 0);
        v23_arena_fini(&a);
    }
}
END_TEST

START_TEST(a_full_tree_does_not_stop_a_server)
{
    struct vrpc_stats_config cfg;
    struct add_in in = { 1, 2 };
    static struct result r;
    struct wnode *n;

    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &W.t.al;
    cfg.max_bytes = 500;
    vrpc_stats_free(S);
    P.s->m->stats = NULL;
    P.s->m->in_stats = false;
    P.s->c->stat_name[0] = 0;
    ck_assert_int_eq(vrpc_stats_new(&cfg, &W.now, &S), 0);
    W.stats = S;
    ck_assert_int_eq(world_node(&W, "full", 78, &n), 0);
    P.s = n;
    serve_debug();
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_int_eq(r.sum, 3);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, calls_are_counted_by_method);
    tcase_add_test(tc, a_warm_call_allocates_nothing_for_statistics);
    tcase_add_test(tc, what_a_server_counted_goes_with_it);
    tcase_add_test(tc, a_full_tree_does_not_stop_a_server);
}

int main(void)
{
    return tst_run_case("librpc/rpc_stats", fill, setup, teardown);
}
