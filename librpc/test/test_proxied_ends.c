/* BSD-3-Clause; see LICENSE. */
/*
 * What ends between clients, proxies and servers, and what is begun anew:
 * connections cut at any point, proxies that die, refuse, come and go, servers
 * that stop, memory that runs out.
 */
#include "proxied.h"

/* ---- proxies that come and go -------------------------------------------- */

START_TEST(server_comes_back_to_a_proxy_that_was_lost)
{
    world_sleep(&W, 5 * SEC);
    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
    vrpc_manager_close_all(T.proxy.n->m, "the proxy starts again");
    world_settle(&W);

    ck_assert(behind_ready(&T.s, 1)); /* at once */
    ck_assert_uint_eq(W.ndials, 3);
    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
}
END_TEST

START_TEST(delays_grow_while_the_proxy_fails)
{
    /* After 0, 50, 150, 350, 750 and 1550 ms of waiting each. */
    static const int64_t until[] = { 1, 60, 210, 560, 1320, 2880 };
    int64_t start_at;
    size_t dials, i;

    world_sleep(&W, 5 * SEC);
    T.proxy.n->refuses = true;
    vrpc_manager_close_all(T.proxy.n->m, "the proxy dies");
    dials = W.ndials;
    start_at = W.now.mono_ns;
    for (i = 0; i < 6; i++) {
        world_sleep(&W, start_at + until[i] * MS - W.now.mono_ns);
        ck_assert_uint_eq(W.ndials, dials + i + 1);
    }
    ck_assert_uint_eq(vrpc_proxied_active(T.s.p), 0);
    ck_assert_str_eq(behind_name(&T.s, 0), "");
    ck_assert_ptr_nonnull(strstr(vrpc_proxied_errors(T.s.p),
        "connection refused"));
    /* No more than a minute in the end. */
    world_sleep(&W, 600 * SEC);
    dials = W.ndials;
    world_sleep(&W, 125 * SEC);
    ck_assert_uint_ge(W.ndials, dials + 2);
    ck_assert_uint_le(W.ndials, dials + 3);

    T.proxy.n->refuses = false;
    ck_assert(behind_ready(&T.s, 1));
    ck_assert_str_eq(vrpc_proxied_errors(T.s.p), "");
}
END_TEST

START_TEST(silent_proxy_is_given_up_after_a_minute)
{
    size_t dials;

    world_sleep(&W, 5 * SEC);
    T.proxy.n->black_hole = true;
    vrpc_manager_close_all(T.proxy.n->m, "the proxy falls silent");
    world_sleep(&W, SEC);
    dials = W.ndials;
    world_sleep(&W, 61 * SEC);
    ck_assert_uint_eq(W.ndials, dials + 1);
    T.proxy.n->black_hole = false;
    ck_assert(behind_ready(&T.s, 1));
}
END_TEST

START_TEST(changed_endpoints_reach_the_server)
{
    static const char *const two[] = { PROXY_EP,
        "@6@wsh@proxy:2@@00000000000000000000000000000063@s@test:proxy@@" };
    int before = T.s.changes;

    ck_assert_int_eq(prig_endpoints(&T.proxy, two, 2), 0);
    world_sleep(&W, SEC);

    ck_assert_int_gt(T.s.changes, before);
    ck_assert_str_eq(behind_name(&T.s, 1),
        "/@6@wsh@proxy:2@@0000000000000000000000000000004d@s@test:server@@");
}
END_TEST

/* ---- which proxies ------------------------------------------------------- */

#define EP2 "@6@tcp@proxy2:1@@00000000000000000000000000000064@s@test:proxy2@@"
#define EP3 "@6@tcp@proxy3:1@@00000000000000000000000000000065@s@test:proxy3@@"

/* A namespace of one name. */
static struct vdl_str Servers[4];
static size_t Nservers;
static int Resolved;

static int lookup(void *ud, struct v23_op op, struct vdl_str name,
    const struct vrpc_call_opts *opts, int64_t deadline, struct v23_arena *a,
    vdl_str_list *servers, const struct v23_verror **err)
{
    (void)ud;
    (void)op;
    (void)opts;
    (void)deadline;
    (void)a;
    (void)err;
    ck_assert(vdl_str_is(name, "some/proxies"));
    Resolved++;
    servers->v = Servers;
    servers->n = (uint32_t)Nservers;
    return Nservers == 0 ? V23_ENONAME : 0;
}

static const struct vrpc_resolver resolver = { lookup, NULL, NULL, NULL };

struct policy {
    struct prig p2, p3;
    struct behind s;
};
static struct policy Y;

static void policy_init(enum vrpc_proxy_policy policy, uint32_t limit)
{
    struct vrpc_proxied_config c;

    memset(&Y, 0, sizeof(Y));
    ck_assert_int_eq(prig_init(&Y.p2, "proxy2", 0x64), 0);
    ck_assert_int_eq(prig_init(&Y.p3, "proxy3", 0x65), 0);
    ck_assert_int_eq(prig_endpoints(&Y.p2, &(const char *){ EP2 }, 1), 0);
    ck_assert_int_eq(prig_endpoints(&Y.p3, &(const char *){ EP3 }, 1), 0);
    Servers[0] = vdl_str("/" PROXY_EP);
    Servers[1] = vdl_str("/" EP2);
    Servers[2] = vdl_str("/" EP3);
    Servers[3] = vdl_str("/" EP3 "/suffix"); /* no proxy */
    Nservers = 4;
    Resolved = 0;
    ck_assert_int_eq(world_node(&W, "many", 79, &Y.s.n), 0);
    ck_assert_int_eq(serve(Y.s.n, &Y.s.echo, &vsec_auth_everyone), 0);
    Y.s.n->listens = false;
    vrpc_client_set_resolver(T.c->c, &resolver);
    memset(&c, 0, sizeof(c));
    c.name = vdl_str("some/proxies");
    c.policy = policy;
    c.limit = limit;
    c.client = T.c->c;
    c.changed = behind_changed;
    c.ud = &Y.s;
    ck_assert_int_eq(vrpc_proxied_new(Y.s.n->m, &c, &Y.s.p), 0);
}

static void policy_fini(void)
{
    vrpc_proxied_free(Y.s.p);
    vrpc_client_set_resolver(T.c->c, NULL);
}

START_TEST(policy_first_takes_the_first)
{
    policy_init(VRPC_PROXY_FIRST, 0);
    ck_assert(behind_ready(&Y.s, 1));
    world_sleep(&W, 10 * SEC);
    ck_assert_uint_eq(vrpc_proxied_active(Y.s.p), 1);
    ck_assert_ptr_nonnull(strstr(behind_name(&Y.s, 0), "@proxy:1@"));
    policy_fini();
}
END_TEST

START_TEST(policy_random_takes_one)
{
    int seen[3] = { 0, 0, 0 }, i;
    const char *name;

    policy_init(VRPC_PROXY_RANDOM, 0);
    for (i = 0; i < 30 && !(seen[0] && seen[1] && seen[2]); i++) {
        struct vrpc_proxied_config c;

        ck_assert(behind_ready(&Y.s, 1));
        name = behind_name(&Y.s, 0);
        seen[0] += strstr(name, "@proxy:1@") != NULL;
        seen[1] += strstr(name, "@proxy2:1@") != NULL;
        seen[2] += strstr(name, "@proxy3:1@") != NULL;
        vrpc_proxied_free(Y.s.p);
        memset(&c, 0, sizeof(c));
        c.name = vdl_str("some/proxies");
        c.policy = VRPC_PROXY_RANDOM;
        c.client = T.c->c;
        ck_assert_int_eq(vrpc_proxied_new(Y.s.n->m, &c, &Y.s.p), 0);
    }
    ck_assert(seen[0] && seen[1] && seen[2]);
    policy_fini();
}
END_TEST

START_TEST(policy_all_takes_all_and_follows_the_name)
{
    policy_init(VRPC_PROXY_ALL, 0);
    Nservers = 2;
    ck_assert(behind_ready(&Y.s, 2));
    ck_assert_str_eq(behind_name(&Y.s, 2), "");

    Nservers = 4; /* a third one appears */
    ck_assert(behind_ready(&Y.s, 3));
    /* One vanishes: it is given up when its connection ends. */
    Nservers = 2;
    world_sleep(&W, 5 * SEC);
    ck_assert_uint_eq(vrpc_proxied_active(Y.s.p), 3);
    vrpc_manager_close_all(Y.p3.n->m, "bye");
    world_sleep(&W, 5 * SEC);
    ck_assert_uint_eq(vrpc_proxied_active(Y.s.p), 2);
    ck_assert_str_eq(vrpc_proxied_errors(Y.s.p), "");
    policy_fini();
}
END_TEST

START_TEST(limit_bounds_policy_all)
{
    policy_init(VRPC_PROXY_ALL, 2);
    ck_assert(behind_ready(&Y.s, 2));
    world_sleep(&W, 10 * SEC);
    ck_assert_uint_eq(vrpc_proxied_active(Y.s.p), 2);
    policy_fini();
}
END_TEST

#define BAD_EP2 \
    "@6@tcp@nobody:1@@00000000000000000000000000000064@s@test:proxy2@@"

START_TEST(proxy_that_fails_makes_room_for_another)
{
    policy_init(VRPC_PROXY_FIRST, 0);
    Servers[0] = vdl_str("/" BAD_EP2);
    Servers[1] = vdl_str("/" EP3);
    Nservers = 2;
    ck_assert(behind_ready(&Y.s, 1));
    ck_assert_ptr_nonnull(strstr(behind_name(&Y.s, 0), "@proxy3:1@"));
    ck_assert_ptr_nonnull(strstr(vrpc_proxied_errors(Y.s.p), "@nobody:1@"));
    policy_fini();
}
END_TEST

START_TEST(addresses_of_one_proxy_are_one_proxy)
{
    policy_init(VRPC_PROXY_ALL, 0);
    Servers[0] = vdl_str("/" BAD_EP2);
    Servers[1] = vdl_str("/" EP2);
    Nservers = 2;
    ck_assert(behind_ready(&Y.s, 1));
    world_sleep(&W, 5 * SEC);
    ck_assert_uint_eq(vrpc_proxied_active(Y.s.p), 1);
    ck_assert_str_eq(behind_name(&Y.s, 1), "");
    policy_fini();
}
END_TEST

START_TEST(endpoint_given_twice_is_published_once)
{
    policy_init(VRPC_PROXY_ALL, 0);
    ck_assert_int_eq(prig_endpoints(&Y.p2, &(const char *){ EP3 }, 1), 0);
    Servers[0] = vdl_str("/" EP2);
    Servers[1] = vdl_str("/" EP3);
    Nservers = 2;
    ck_assert(behind_ready(&Y.s, 2));
    ck_assert_ptr_nonnull(strstr(behind_name(&Y.s, 0), "@proxy3:1@"));
    ck_assert_str_eq(behind_name(&Y.s, 1), "");
    policy_fini();
}
END_TEST

START_TEST(name_that_does_not_resolve_is_asked_every_second)
{
    policy_init(VRPC_PROXY_ALL, 0);
    Nservers = 0;
    world_sleep(&W, 10 * SEC + 500 * MS);
    ck_assert_int_eq(Resolved, 11);
    ck_assert_ptr_nonnull(strstr(vrpc_proxied_errors(Y.s.p),
        "some/proxies: "));
    Servers[0] = vdl_str("/" EP3 "/suffix");
    Nservers = 1;
    world_sleep(&W, 2 * SEC);
    ck_assert_str_eq(vrpc_proxied_errors(Y.s.p),
        "some/proxies: failed to resolve to an endpoint\n");
    policy_fini();
}
END_TEST

/* ---- stopping ------------------------------------------------------------ */

static void count(void *ud)
{
    ++*(int *)ud;
}

START_TEST(stopped_server_lets_calls_end_and_takes_no_more)
{
    struct vrpc_call_opts o = opts_now();
    struct vrpc_proxy_status st;
    struct add_out out = { 7 };
    struct result r;
    int done = 0;

    ck_assert_ptr_nonnull(start(T.c, behind_name(&T.s, 0), M_WAIT, NULL, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &T.s.echo.calls, SEC));
    vrpc_proxied_stop(T.s.p);
    vrpc_manager_stop(T.s.n->m, 60 * SEC, count, &done);
    world_settle(&W);
    vrpc_proxy_status(T.proxy.p, &st);
    ck_assert_uint_eq(st.servers, 0);
    ck_assert_uint_eq(st.routes, 1);
    ck_assert_str_eq(add_from(T.c, "/@6@tcp@proxy:1@@"
        "0000000000000000000000000000004d@s@test:server@@", &o),
        VERR "NoServers");

    ck_assert_int_eq(vrpc_server_call_reply(T.s.echo.waiting, NULL, &out), 0);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(r.id, "");
    ck_assert(world_until(&W, &done, SEC));
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 1);
}
END_TEST

START_TEST(stopping_twice_and_in_the_midst_of_a_dial_is_harmless)
{
    struct behind b;

    memset(&b, 0, sizeof(b));
    ck_assert_int_eq(behind_init(&b, "other", 78, "/" PROXY_EP), 0);
    vrpc_manager_tick(b.n->m); /* it dials */
    vrpc_proxied_stop(b.p);
    vrpc_proxied_stop(b.p);
    world_sleep(&W, 10 * SEC);
    ck_assert_uint_eq(vrpc_proxied_active(b.p), 0);
    ck_assert_int_eq(b.changes, 0);
    vrpc_proxied_free(b.p);
}
END_TEST

START_TEST(connection_to_the_proxy_is_the_last_to_be_given_up)
{
    struct vrpc_proxy_status st;
    struct result r;

    ck_assert_ptr_nonnull(start(T.c, behind_name(&T.s, 0), M_WAIT, NULL, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &T.s.echo.calls, SEC));
    ck_assert_uint_eq(vrpc_manager_nconns(T.s.n->m), 2);
    T.s.echo.auto_reply = true;
    ck_assert_uint_eq(vrpc_manager_reclaim(T.s.n->m, 1), 1);
    ck_assert_uint_eq(vrpc_manager_reclaim(T.proxy.n->m, 1), 1);
    world_settle(&W);
    vrpc_proxy_status(T.proxy.p, &st);
    ck_assert_uint_eq(st.servers, 1);
    ck_assert_uint_eq(vrpc_proxied_active(T.s.p), 1);
    ck_assert_uint_eq(vrpc_manager_nconns(T.s.n->m), 1);
    /* Only when there is nothing else. */
    ck_assert_uint_eq(vrpc_manager_reclaim(T.s.n->m, 1), 1);
    world_settle(&W);
    ck_assert_uint_eq(vrpc_proxied_active(T.s.p), 0);
}
END_TEST

START_TEST(pure_client_cannot_listen_through_a_proxy)
{
    struct vrpc_proxied_config c;
    struct vrpc_proxied *p;

    memset(&c, 0, sizeof(c));
    c.name = vdl_str("/" PROXY_EP);
    ck_assert_int_eq(vrpc_proxied_new(T.c->m, &c, &p), V23_EARG);
    c.name = vdl_str("");
    ck_assert_int_eq(vrpc_proxied_new(T.s.n->m, &c, &p), V23_EARG);
}
END_TEST

/* ---- cuts ---------------------------------------------------------------- */

static size_t Moves, CutAt;

/* Before the k-th piece of the network arrives, its link breaks. */
static void cut_later(struct wlink *from, struct v23_buf *bytes)
{
    (void)bytes;
    if (++Moves == CutAt)
        from->closing = true;
}

START_TEST(cut_anywhere_ends_the_call_once)
{
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 20, 22 };
    int32_t n = 20000;
    struct result r, s;
    size_t k, failed = 0;

    W.tamper = cut_later;
    W.max_out = 4096;
    for (k = 1;; k++) {
        Moves = 0;
        CutAt = k;
        vrpc_manager_close_all(T.c->m, "afresh");
        ck_assert(behind_ready(&T.s, 1));
        ck_assert_ptr_nonnull(start(T.c, behind_name(&T.s, 0), M_ADD, &o,
            &in, &stub_plain, &r));
        ck_assert_ptr_nonnull(start(T.c, behind_name(&T.s, 0), M_COUNT, &o,
            &n, &stub_plain, &s));
        ck_assert(world_until(&W, &r.done, 200 * SEC));
        ck_assert(world_until(&W, &s.done, 200 * SEC));
        ck_assert_int_eq(r.done, 1);
        ck_assert_int_eq(s.done, 1);
        if (s.id[0] == 0)
            ck_assert_int_eq(s.items, n);
        failed += r.id[0] != 0 || s.id[0] != 0;
        if (Moves < k)
            break;
    }
    ck_assert_uint_gt(failed, 10);
    W.tamper = NULL;
    ck_assert(behind_ready(&T.s, 1));
    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

/* The whole of it, with one call; 0 if it went well. */
static int life(const struct v23_alloc *al, void *ud)
{
    struct add_in in = { 20, 22 };
    struct result r;
    int rc, done = 0;

    (void)ud;
    memset(&T, 0, sizeof(T));
    memset(&W, 0, sizeof(W));
    W.t.al = *al;
    rc = world_init(&W);
    if (rc == 0)
        rc = trio_init();
    if (rc != 0)
        goto out;
    rc = V23_ENOMEM;
    /* Short of memory once, it comes back by itself. */
    if (!behind_ready(&T.s, 1))
        ck_abort_msg("the server is not reachable");
    if (behind_name(&T.s, 0)[0] == 0 ||
        start(T.c, behind_name(&T.s, 0), M_ADD, NULL, &in, &stub_plain, &r) ==
            NULL)
        goto out;
    if (!world_until(&W, &r.done, 100 * SEC))
        ck_abort_msg("the call never ended");
    if (r.id[0] != 0)
        goto out;
    ck_assert_int_eq(r.sum, 42);
    vrpc_proxied_stop(T.s.p);
    vrpc_manager_stop(T.s.n->m, 10 * SEC, count, &done);
    if (!world_until(&W, &done, 100 * SEC))
        ck_abort_msg("the server never stopped");
    rc = 0;
out:
    vrpc_proxied_free(T.s.p);
    T.s.p = NULL;
    world_fini(&W);
    return rc;
}

START_TEST(out_of_memory_anywhere_is_survived)
{
    tst_out_of_memory(life, NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("librpc/proxied_ends");
    TCase *t = tcase_create("ends"), *m = tcase_create("memory");

    tcase_add_checked_fixture(t, trio_setup, trio_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, server_comes_back_to_a_proxy_that_was_lost);
    tcase_add_test(t, delays_grow_while_the_proxy_fails);
    tcase_add_test(t, silent_proxy_is_given_up_after_a_minute);
    tcase_add_test(t, changed_endpoints_reach_the_server);
    tcase_add_test(t, policy_first_takes_the_first);
    tcase_add_test(t, policy_random_takes_one);
    tcase_add_test(t, policy_all_takes_all_and_follows_the_name);
    tcase_add_test(t, limit_bounds_policy_all);
    tcase_add_test(t, proxy_that_fails_makes_room_for_another);
    tcase_add_test(t, addresses_of_one_proxy_are_one_proxy);
    tcase_add_test(t, endpoint_given_twice_is_published_once);
    tcase_add_test(t, name_that_does_not_resolve_is_asked_every_second);
    tcase_add_test(t, stopped_server_lets_calls_end_and_takes_no_more);
    tcase_add_test(t,
        stopping_twice_and_in_the_midst_of_a_dial_is_harmless);
    tcase_add_test(t, connection_to_the_proxy_is_the_last_to_be_given_up);
    tcase_add_test(t, pure_client_cannot_listen_through_a_proxy);
    tcase_add_test(t, cut_anywhere_ends_the_call_once);
    suite_add_tcase(s, t);
    tcase_set_timeout(m, 300);
    tcase_add_test(m, out_of_memory_anywhere_is_survived);
    suite_add_tcase(s, m);
    return tst_run(s);
}
