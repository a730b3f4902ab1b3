/* BSD-3-Clause; see LICENSE. */
/* Proxies: who listens, what they are told, and peers that misbehave. */
#include "proxy_rig.h"

static struct prig R;
static struct peer S, C;

static void setup(void)
{
    world_setup();
    memset(&R, 0, sizeof(R));
}

/* A proxy, a server 77 and a client, with what the test put into R.cfg. */
static void begin(void)
{
    ck_assert_int_eq(prig_init(&R, "proxy", 99), 0);
    ck_assert_int_eq(peer_init(&S, "server", 77, R.n), 0);
    ck_assert_int_eq(peer_init(&C, "client", 0, R.n), 0);
}

static struct vrpc_proxy_status status(void)
{
    struct vrpc_proxy_status st;

    vrpc_proxy_status(R.p, &st);
    return st;
}

/* ---- who listens --------------------------------------------------------- */

START_TEST(server_is_told_the_endpoints_with_its_id)
{
    static const char *const two[] = { PROXY_EP,
        "@6@wsh@proxy:2@00000000000000000000000000000007"
        "@00000000000000000000000000000063@s@test:proxy@@" };
    struct tap *t;

    begin();
    ck_assert_int_eq(prig_endpoints(&R, two, 2), 0);
    t = peer_ask(&S, VRPC_MSG_PROXY_SERVER);

    ck_assert_uint_eq(t->msgs, 1);
    ck_assert_str_eq(told(t, 0), "@6@tcp@proxy:1@@"
        "0000000000000000000000000000004d@s@test:proxy@@");
    ck_assert_str_eq(told(t, 1),
        "@6@wsh@proxy:2@00000000000000000000000000000007@"
        "0000000000000000000000000000004d@s@test:proxy@@");
    ck_assert_str_eq(told(t, 2), "");
    ck_assert_uint_eq(status().servers, 1);
    ck_assert_uint_eq(status().pending, 0);
}
END_TEST

START_TEST(proxy_is_told_the_endpoints_with_its_id_as_last_route)
{
    static const char *const two[] = { PROXY_EP,
        "@6@wsh@proxy:2@00000000000000000000000000000007"
        "@00000000000000000000000000000008@s@test:proxy@@" };
    struct tap *t;

    begin();
    ck_assert_int_eq(prig_endpoints(&R, two, 2), 0);
    t = peer_ask(&S, VRPC_MSG_MULTI_PROXY);

    ck_assert_str_eq(told(t, 0),
        "@6@tcp@proxy:1@0000000000000000000000000000004d@"
        "00000000000000000000000000000063@s@test:proxy@@");
    ck_assert_str_eq(told(t, 1),
        "@6@wsh@proxy:2@00000000000000000000000000000007,"
        "0000000000000000000000000000004d@"
        "00000000000000000000000000000008@s@test:proxy@@");
    ck_assert_uint_eq(status().servers, 0);
    ck_assert_uint_eq(status().proxies, 1);
}
END_TEST

START_TEST(changed_endpoints_are_told_to_all_that_listen)
{
    static const char *const same[] = { PROXY_EP };
    static const char *const other[] = {
        "@6@tcp@proxy:3@@00000000000000000000000000000063@s@test:proxy@@" };
    struct tap *t, *u;

    begin();
    t = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    u = peer_ask(&S, VRPC_MSG_MULTI_PROXY);
    ck_assert_int_eq(prig_endpoints(&R, same, 1), 0);
    world_settle(&W);
    ck_assert_uint_eq(t->msgs, 1);
    ck_assert_int_eq(prig_endpoints(&R, other, 1), 0);
    world_settle(&W);

    ck_assert_uint_eq(t->msgs, 2);
    ck_assert_uint_eq(u->msgs, 2);
    ck_assert_str_eq(told(t, 0), "@6@tcp@proxy:3@@"
        "0000000000000000000000000000004d@s@test:proxy@@");
}
END_TEST

START_TEST(proxy_without_endpoints_says_so)
{
    struct tap *t, *u;

    begin();
    t = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    ck_assert_int_eq(prig_endpoints(&R, NULL, 0), 0);
    world_settle(&W);
    ck_assert_str_eq(refusal(t), "the proxy listens nowhere");
    ck_assert_uint_eq(status().servers, 0);

    u = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    ck_assert_str_eq(refusal(u), "the proxy listens nowhere");
    /* It should leave; else it is thrown out. */
    ck_assert(!u->closed);
    ck_assert_uint_eq(status().pending, 2);
    world_sleep(&W, 61 * SEC);
    ck_assert(u->closed);
    ck_assert_uint_eq(status().pending, 0);
}
END_TEST

START_TEST(stranger_may_not_listen)
{
    struct tap *t, *u;

    R.cfg.authorizer = &vsec_auth_default;
    begin();
    t = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    u = peer_ask(&S, VRPC_MSG_MULTI_PROXY);

    ck_assert_ptr_nonnull(strstr(refusal(t), "test:server"));
    ck_assert_ptr_nonnull(strstr(refusal(u), "test:server"));
    ck_assert_uint_eq(status().servers + status().proxies, 0);
}
END_TEST

START_TEST(too_many_listeners_are_refused)
{
    struct tap *t, *u;

    R.cfg.max_servers = 1;
    begin();
    t = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    u = peer_ask(&S, VRPC_MSG_PROXY_SERVER);

    ck_assert_str_ne(told(t, 0), "");
    ck_assert_str_eq(refusal(u), "too many listen already");
    /* Who leaves makes room. */
    vrpc_flow_cancel(t->flow);
    t->flow = NULL;
    world_settle(&W);
    ck_assert_uint_eq(status().servers, 0);
    u = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    ck_assert_str_ne(told(u, 0), "");
}
END_TEST

START_TEST(listener_needs_an_id_of_its_own)
{
    static struct peer x;
    struct tap *t;

    begin();
    t = peer_ask(&C, VRPC_MSG_PROXY_SERVER);
    ck_assert_str_eq(refusal(t), "without a routing id of its own");
    ck_assert_int_eq(peer_init(&x, "thief", 99, R.n), 0);
    t = peer_ask(&x, VRPC_MSG_PROXY_SERVER);
    ck_assert_str_eq(refusal(t), "without a routing id of its own");
}
END_TEST

START_TEST(listener_that_dies_is_forgotten)
{
    begin();
    (void)peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    ck_assert_uint_eq(status().servers, 1);
    world_cut(world_link_of(&W, S.n));
    world_settle(&W);

    ck_assert_uint_eq(status().servers, 0);
}
END_TEST

START_TEST(endpoints_wait_for_a_listener_that_does_not_read)
{
    char text[128];
    const char *ep = text;
    struct tap *t;
    int i;

    W.bytes_buffered = 65536;
    begin();
    t = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    t->stalled = true;
    for (i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "@6@tcp@proxy:%d@@"
            "00000000000000000000000000000063@s@test:proxy@@", i);
        ck_assert_int_eq(prig_endpoints(&R, &ep, 1), 0);
        if (i % 100 == 0)
            world_settle(&W);
    }
    world_settle(&W);
    t->stalled = false;
    tap_read(&t->user);
    world_settle(&W);

    /* It missed some, but not the last. */
    ck_assert_uint_lt(t->msgs, 4000);
    ck_assert_str_eq(told(t, 0), "@6@tcp@proxy:4999@@"
        "0000000000000000000000000000004d@s@test:proxy@@");
}
END_TEST

/* ---- peers that misbehave ------------------------------------------------ */

START_TEST(flow_that_says_nothing_is_closed_after_a_minute)
{
    struct tap *t, *u;

    begin();
    t = peer_open(&C);
    ck_assert_int_eq(vrpc_flow_commit(t->flow), 0); /* only opens it */
    world_settle(&W);
    u = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    /* Its empty payload is a message that says nothing. */
    ck_assert(t->closed);
    ck_assert_uint_eq(status().pending, 0);
    world_sleep(&W, 61 * SEC);
    ck_assert(!u->closed);
}
END_TEST

START_TEST(garbage_ends_its_flow_only)
{
    uint8_t noise[300];
    struct tap *t, *u;

    begin();
    u = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    memset(noise, 0xa5, sizeof(noise));
    t = peer_say(&S, noise, sizeof(noise));
    ck_assert(t->closed);
    t = peer_say(&S, "\x7e\xff", 2); /* half a Setup */
    ck_assert(t->closed);
    t = peer_ask(&S, VRPC_MSG_HEALTH_REQUEST);
    ck_assert(t->closed);
    t = peer_ask(&S, VRPC_MSG_PROXY_RESPONSE);
    ck_assert(t->closed);

    ck_assert(!u->closed);
    ck_assert_uint_eq(status().pending, 0);
}
END_TEST

START_TEST(setups_that_lead_nowhere_end_their_flow)
{
    char routes[33 * 40];
    struct tap *t;
    size_t i;

    begin();
    (void)peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    t = peer_setup(&C, 1234, ""); /* nobody's */
    ck_assert(t->closed);
    t = peer_setup(&C, 99, ""); /* the proxy's */
    ck_assert(t->closed);
    t = peer_setup(&C, 0, "");
    ck_assert(t->closed);
    t = peer_setup(&C, 77, "00000000000000000000000000000063");
    ck_assert(t->closed);
    t = peer_setup(&C, 77, "nonsense");
    ck_assert(t->closed);
    routes[0] = 0;
    for (i = 0; i < 40; i++)
        strcat(routes, i == 0 ? "0000000000000000000000000000004d"
                              : ",0000000000000000000000000000004d");
    t = peer_setup(&C, 77, routes);
    ck_assert(t->closed);
    ck_assert_uint_eq(S.ntaps, 1);
    ck_assert_uint_eq(status().routes, 0);
}
END_TEST

START_TEST(route_list_of_thousands_ends_its_flow)
{
    struct v23_buf b;
    struct tap *t;
    int i;

    begin();
    v23_buf_init(&b, NULL, 65536);
    v23_buf_put(&b, "\x7e\x0a\x0e\x02\xfd\xff\x00", 7); /* 65,280 bytes */
    v23_buf_puts(&b, "@6@tcp@p:1@");
    for (i = 0; b.n < 7 + 65280 - 100; i++)
        v23_buf_puts(&b, "77,");
    while (b.n < 7 + 65280)
        v23_buf_put_byte(&b, '@');
    t = peer_say(&C, b.p, b.n);
    v23_buf_fini(&b);

    ck_assert(t->closed);
    ck_assert(vrpc_conn_status(C.s->conn) == VRPC_CONN_ACTIVE);
}
END_TEST

/* Two requests are taken, a third one is not. */
static void begin_and_ask_thrice(void)
{
    struct tap *t[3];
    int i;

    begin();
    for (i = 0; i < 3; i++)
        t[i] = peer_ask(&S, VRPC_MSG_PROXY_SERVER);

    ck_assert(!t[0]->closed && !t[1]->closed);
    ck_assert(t[2]->closed);
}

START_TEST(flows_beyond_the_limits_are_refused)
{
    R.cfg.authorizer = &vsec_auth_everyone;
    R.cfg.max_flows_per_conn = 2;
    begin_and_ask_thrice();
}
END_TEST

/* ---- authorization that takes its time ----------------------------------- */

static struct {
    const struct vsec_auth_wait *wait;
    struct vsec_auth_wait copy;
    int asked, cancelled;
} A;

static int late(void *ud, const struct vsec_call *call, struct v23_arena *a,
    const struct vsec_auth_wait *wait, const struct v23_verror **err)
{
    (void)ud;
    (void)call;
    (void)a;
    (void)err;
    A.asked++;
    A.copy = *wait;
    return V23_EAGAIN;
}

static void late_cancel(void *ud, struct v23_op op)
{
    (void)ud;
    (void)op;
    A.cancelled++;
}

static const struct vsec_authorizer late_auth = { late, late_cancel, NULL };

static void decide(int rc)
{
    A.copy.done(A.copy.ud, A.copy.op, rc, NULL);
    world_settle(&W);
}

START_TEST(late_authorization_lets_listen_and_route)
{
    struct tap *t;

    memset(&A, 0, sizeof(A));
    R.cfg.authorizer = &late_auth;
    begin();
    t = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    ck_assert_uint_eq(t->msgs, 0);
    decide(0);
    ck_assert_str_ne(told(t, 0), "");

    t = peer_setup(&C, 77, "");
    ck_assert_int_eq(A.asked, 2);
    ck_assert_uint_eq(S.ntaps, 1);
    ck_assert_int_eq(vrpc_flow_write_message(t->flow, "more", 4, false), 0);
    world_settle(&W);
    decide(0);
    ck_assert_uint_eq(S.ntaps, 2);
    ck_assert_uint_eq(S.taps[1].msgs, 2);
    ck_assert_int_eq(memcmp(S.taps[1].last, "more", 4), 0);
}
END_TEST

START_TEST(late_refusal_ends_the_request)
{
    struct tap *t;

    memset(&A, 0, sizeof(A));
    R.cfg.authorizer = &late_auth;
    begin();
    t = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    decide(V23_EDENIED);
    ck_assert_str_ne(refusal(t), "");
    t = peer_setup(&C, 77, "");
    decide(V23_EDENIED);
    ck_assert(t->closed);
    ck_assert_uint_eq(status().routes, 0);
}
END_TEST

START_TEST(peers_may_die_while_an_authorizer_thinks)
{
    memset(&A, 0, sizeof(A));
    R.cfg.authorizer = &late_auth;
    begin();
    (void)peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    (void)peer_setup(&C, 77, "");
    ck_assert_int_eq(A.asked, 2);
    /* The target of the route, which is also the one that wants to listen. */
    world_cut(world_link_of(&W, S.n));
    world_settle(&W);
    ck_assert_int_eq(A.cancelled, 1);
    decide(0);

    ck_assert(C.taps[0].closed);
    ck_assert_uint_eq(status().servers + status().routes, 0);
    ck_assert_uint_eq(status().pending, 0);
}
END_TEST

START_TEST(authorizer_that_never_answers_is_given_up)
{
    struct tap *t;

    memset(&A, 0, sizeof(A));
    R.cfg.authorizer = &late_auth;
    begin();
    t = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    world_sleep(&W, 61 * SEC);

    ck_assert(t->closed);
    ck_assert_int_eq(A.cancelled, 1);
}
END_TEST

START_TEST(requests_that_wait_are_limited)
{
    memset(&A, 0, sizeof(A));
    R.cfg.authorizer = &late_auth;
    R.cfg.max_pending = 2;
    begin_and_ask_thrice();
}
END_TEST

/* ---- counters ------------------------------------------------------------ */

static struct {
    const struct vrpc_proxy_counts *c[16];
    int n, gone;
} N;

static void counted(void *ud, const struct vrpc_proxy_counts *c, bool gone)
{
    (void)ud;
    if (gone)
        N.gone++;
    else
        N.c[N.n++] = c;
}

START_TEST(what_is_passed_on_is_counted)
{
    struct tap *t;
    size_t setup_n;

    memset(&N, 0, sizeof(N));
    R.cfg.counted = counted;
    begin();
    (void)peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    ck_assert_int_eq(N.n, 1);
    ck_assert_uint_eq(N.c[0]->requests, 1);
    ck_assert_uint_eq(N.c[0]->rid.b[15], 77);
    t = peer_setup(&C, 77, "");
    setup_n = N.c[0]->to.bytes;
    ck_assert_uint_eq(setup_n, S.taps[1].bytes);
    ck_assert_int_eq(vrpc_flow_write_message(t->flow, "12345", 5, false), 0);
    ck_assert_int_eq(vrpc_flow_write_message(S.taps[1].flow, "123", 3, true),
        0);
    world_settle(&W);

    ck_assert_int_eq(N.n, 1);
    ck_assert_uint_eq(N.c[0]->to.bytes, setup_n + 5);
    ck_assert_uint_eq(N.c[0]->from.bytes, 3);
    ck_assert_uint_eq(N.c[0]->to.msgs, 0);
    vrpc_flow_close(t->flow);
    t->flow = NULL;
    world_settle(&W);
    ck_assert_uint_eq(N.c[0]->to.msgs, 1);
    ck_assert_uint_eq(N.c[0]->from.msgs, 1);
    vrpc_proxy_free(R.p);
    ck_assert_int_eq(N.gone, 1);
}
END_TEST

START_TEST(counters_are_limited)
{
    struct tap *t;
    int i;

    memset(&N, 0, sizeof(N));
    R.cfg.counted = counted;
    R.cfg.max_counts = 2;
    begin();
    /* The server poses as a proxy: what lies behind it is anybody's guess. */
    t = peer_setup(&C, 1000, "0000000000000000000000000000004d");
    ck_assert(!t->closed);
    for (i = 1; i < 5; i++) {
        struct tap *u = peer_setup(&C, (uint64_t)(1000 + i),
            "0000000000000000000000000000004d");

        ck_assert(!u->closed);
        vrpc_flow_close(u->flow);
        u->flow = NULL;
        world_settle(&W);
    }

    ck_assert_int_eq(N.n, 5);
    ck_assert_int_eq(N.gone, 3);
    /* That of the route that lives was kept. */
    ck_assert_int_eq(vrpc_flow_write_message(t->flow, "x", 1, false), 0);
    i = (int)N.c[0]->to.bytes;
    world_settle(&W);
    ck_assert_int_eq((int)N.c[0]->to.bytes, i + 1);
}
END_TEST

/* ---- life ---------------------------------------------------------------- */

static void on_stopped(void *ud)
{
    *(int *)ud = 1;
}

START_TEST(stopping_proxy_lets_routes_end)
{
    struct tap *s, *c;
    int stopped = 0;

    begin();
    s = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    c = peer_setup(&C, 77, "");
    vrpc_manager_stop(R.n->m, 5 * SEC, on_stopped, &stopped);
    world_settle(&W);

    ck_assert(s->closed);
    ck_assert(!c->closed);
    ck_assert_int_eq(stopped, 0);
    ck_assert_int_eq(vrpc_flow_write_message(c->flow, "late", 4, false), 0);
    world_settle(&W);
    ck_assert_uint_eq(S.taps[1].msgs, 2);
    vrpc_flow_close(c->flow);
    c->flow = NULL;
    ck_assert(world_until(&W, &stopped, SEC));
}
END_TEST

START_TEST(stopping_proxy_cuts_routes_that_stay)
{
    int stopped = 0;
    struct tap *c;

    begin();
    c = peer_setup(&C, 77, "");
    vrpc_manager_stop(R.n->m, 5 * SEC, on_stopped, &stopped);
    world_sleep(&W, 4 * SEC);
    ck_assert_int_eq(stopped, 0);
    ck_assert(world_until(&W, &stopped, 2 * SEC));
    ck_assert(c->closed);
}
END_TEST

START_TEST(proxy_needs_a_routing_id_and_a_free_manager)
{
    struct vrpc_proxy *p;

    begin();
    ck_assert_int_eq(vrpc_proxy_new(R.n->m, NULL, &p), V23_ESTATE);
    ck_assert_int_eq(vrpc_proxy_new(C.n->m, NULL, &p), V23_EARG);
    ck_assert_ptr_null(vrpc_manager_server(R.n->m));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/proxy");
    TCase *t = tcase_create("proxy");

    tcase_add_checked_fixture(t, setup, world_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, server_is_told_the_endpoints_with_its_id);
    tcase_add_test(t, proxy_is_told_the_endpoints_with_its_id_as_last_route);
    tcase_add_test(t, changed_endpoints_are_told_to_all_that_listen);
    tcase_add_test(t, proxy_without_endpoints_says_so);
    tcase_add_test(t, stranger_may_not_listen);
    tcase_add_test(t, too_many_listeners_are_refused);
    tcase_add_test(t, listener_needs_an_id_of_its_own);
    tcase_add_test(t, listener_that_dies_is_forgotten);
    tcase_add_test(t, endpoints_wait_for_a_listener_that_does_not_read);
    tcase_add_test(t, flow_that_says_nothing_is_closed_after_a_minute);
    tcase_add_test(t, garbage_ends_its_flow_only);
    tcase_add_test(t, setups_that_lead_nowhere_end_their_flow);
    tcase_add_test(t, route_list_of_thousands_ends_its_flow);
    tcase_add_test(t, flows_beyond_the_limits_are_refused);
    tcase_add_test(t, late_authorization_lets_listen_and_route);
    tcase_add_test(t, late_refusal_ends_the_request);
    tcase_add_test(t, peers_may_die_while_an_authorizer_thinks);
    tcase_add_test(t, authorizer_that_never_answers_is_given_up);
    tcase_add_test(t, requests_that_wait_are_limited);
    tcase_add_test(t, what_is_passed_on_is_counted);
    tcase_add_test(t, counters_are_limited);
    tcase_add_test(t, stopping_proxy_lets_routes_end);
    tcase_add_test(t, stopping_proxy_cuts_routes_that_stay);
    tcase_add_test(t, proxy_needs_a_routing_id_and_a_free_manager);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
