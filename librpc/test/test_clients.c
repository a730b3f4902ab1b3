/* BSD-3-Clause; see LICENSE. */
/* Several clients of one manager. */
#include "echo.h"

/* The same node with another client. */
static struct wnode Other;

static void setup(void)
{
    struct vrpc_client_config cc;

    pair_setup();
    memset(&cc, 0, sizeof(cc));
    cc.max_calls = 2;
    Other = *P.c;
    ck_assert_int_eq(vrpc_client_new(P.c->m, &cc, &Other.c), 0);
}

static void teardown(void)
{
    vrpc_client_free(Other.c);
    world_teardown();
}

static struct result R, Q;
static const struct add_in In = { 1, 2 };

START_TEST(connections_are_shared)
{
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &In,
        &stub_plain, &R));
    ck_assert_ptr_nonnull(start(&Other, world_name(P.s, ""), M_ADD, NULL, &In,
        &stub_plain, &Q));
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert(world_until(&W, &Q.done, SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_str_eq(Q.id, "");
    ck_assert_uint_eq(W.ndials, 1);
    ck_assert_ptr_eq(vrpc_manager_client(P.c->m), P.c->c);
}
END_TEST

static int resolve_server(void *ud, struct v23_op op, struct vdl_str name,
    const struct vrpc_call_opts *opts, int64_t deadline, struct v23_arena *a,
    vdl_str_list *servers, const struct v23_verror **err)
{
    static struct vdl_str server;

    (void)op;
    (void)name;
    (void)opts;
    (void)deadline;
    (void)a;
    (void)err;
    ++*(int *)ud;
    server = vdl_str(world_name(P.s, ""));
    servers->v = &server;
    servers->n = 1;
    return 0;
}

START_TEST(each_has_its_own_resolver)
{
    struct vrpc_call_opts o = opts_now();
    struct vrpc_resolver r = { 0 };
    int asked = 0;

    r.resolve = resolve_server;
    r.ud = &asked;
    vrpc_client_set_resolver(Other.c, &r);
    ck_assert_ptr_nonnull(start(&Other, "some/name", M_ADD, &o, &In,
        &stub_plain, &R));
    ck_assert_ptr_nonnull(start(P.c, "some/name", M_ADD, &o, &In,
        &stub_plain, &Q));
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert(world_until(&W, &Q.done, SEC));
    vrpc_client_set_resolver(Other.c, NULL);

    ck_assert_str_eq(R.id, "");
    ck_assert_str_eq(Q.id, VERR "NoServers");
    ck_assert_int_eq(asked, 1);
}
END_TEST

START_TEST(each_has_its_own_limit)
{
    int i;

    for (i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(start(&Other, world_name(P.s, ""), M_WAIT, NULL,
            NULL, &stub_plain, &R));

    ck_assert_ptr_null(start(&Other, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &R));
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &In), "");
}
END_TEST

/* One goes in the midst of its calls: being connected, or running. */
static void go(bool connected)
{
    if (connected)
        ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &In), "");
    ck_assert_ptr_nonnull(start(&Other, world_name(P.s, ""), M_WAIT, NULL,
        NULL, &stub_plain, &Q));
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &In,
        &stub_plain, &R));
    if (connected) {
        ck_assert(world_until(&W, &R.done, SEC));
        ck_assert_ptr_nonnull(P.echo.waiting);
    }
    vrpc_client_free(Other.c);
    Other.c = NULL;
    ck_assert_int_eq(Q.done, 1);
    ck_assert_str_eq(Q.id, VERR "Canceled");
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_int_eq(R.sum, 3);
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &In), "");
    ck_assert_uint_eq(W.ndials, 1);
    P.echo.waiting = NULL;
}

START_TEST(one_that_goes_cancels_its_own_calls_only)
{
    go(_i == 1);
}
END_TEST

/* The older one goes: the other takes its place and what it has left. */
START_TEST(oldest_may_go_first)
{
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &In), "");
    vrpc_client_free(P.c->c);
    P.c->c = NULL;
    ck_assert_ptr_eq(vrpc_manager_client(P.c->m), Other.c);
    ck_assert_ptr_nonnull(start(&Other, world_name(P.s, ""), M_ADD, NULL, &In,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

START_TEST(call_objects_are_made_for_a_budget)
{
    struct vrpc_client_config cc;
    struct wnode third = *P.c;
    struct { struct vdl_list b; } in;
    static uint8_t big[4096];

    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &In), "");
    memset(&cc, 0, sizeof(cc));
    cc.call_budget = 1024;
    ck_assert_int_eq(vrpc_client_new(P.c->m, &cc, &third.c), 0);
    in.b.v = big;
    in.b.n = sizeof(big);
    ck_assert_ptr_nonnull(start(&third, world_name(P.s, ""), M_BLOB, NULL, &in,
        &stub_blob, &R));
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_str_ne(R.id, "");
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_BLOB, NULL, &in,
        &stub_blob, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    vrpc_client_free(third.c);
}
END_TEST

/* A connection stays, but what calls have used goes. */
START_TEST(rest_gives_memory_back)
{
    size_t busy;

    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &In), "");
    world_sleep(&W, SEC);
    busy = W.t.bytes;
    world_sleep(&W, 600 * SEC); /* two sweeps: every 5 minutes */
    ck_assert_uint_gt(vrpc_manager_nconns(P.c->m), 0);
    ck_assert_uint_lt(W.t.bytes + 2048, busy);
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &In), "");
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("librpc/clients");
    TCase *t = tcase_create("clients");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, connections_are_shared);
    tcase_add_test(t, each_has_its_own_resolver);
    tcase_add_test(t, each_has_its_own_limit);
    tcase_add_loop_test(t, one_that_goes_cancels_its_own_calls_only, 0, 2);
    tcase_add_test(t, oldest_may_go_first);
    tcase_add_test(t, call_objects_are_made_for_a_budget);
    tcase_add_test(t, rest_gives_memory_back);
    suite_add_tcase(s, t);
    return tst_run(s);
}
