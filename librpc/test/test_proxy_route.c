/* BSD-3-Clause; see LICENSE. */
/* What a proxy passes on: whole messages, both ways, with back-pressure. */
#include "proxy_rig.h"
#include "conn_int.h"

static struct prig R;
static struct peer S, C;

static void setup(void)
{
    world_setup();
    memset(&R, 0, sizeof(R));
}

static int begin(void)
{
    int rc = prig_init(&R, "proxy", 99);

    if (rc == 0)
        rc = peer_init(&S, "server", 77, R.n);
    if (rc == 0)
        rc = peer_init(&C, "client", 0, R.n);
    return rc;
}

static struct vrpc_proxy_status status(void)
{
    struct vrpc_proxy_status st;

    vrpc_proxy_status(R.p, &st);
    return st;
}

/* Messages of one size, as many as the window takes; how many. */
static size_t fill(struct tap *t, const void *p, size_t n, size_t max)
{
    size_t i = 0;
    int rc;

    while (i < max) {
        rc = vrpc_flow_write_message(t->flow, p, n, false);
        if (rc == V23_EAGAIN)
            world_settle(&W);
        if (rc == V23_EAGAIN && !vrpc_flow_can_write(t->flow))
            break;
        if (rc == V23_EAGAIN)
            continue;
        ck_assert_int_eq(rc, 0);
        i++;
    }
    world_settle(&W);
    return i;
}

START_TEST(setup_reaches_the_target_and_messages_go_both_ways)
{
    struct tap *c, *s;

    ck_assert_int_eq(begin(), 0);
    c = peer_setup(&C, 77, "");
    ck_assert_uint_eq(S.ntaps, 1);
    s = &S.taps[0];
    ck_assert_str_eq(setup_target(s), "@6@tcp@proxy:1@@"
        "0000000000000000000000000000004d@s@test:server@@");
    /* Borders of messages stay, also of empty ones. */
    ck_assert_int_eq(vrpc_flow_write_message(c->flow, "one", 3, true), 0);
    ck_assert_int_eq(vrpc_flow_write_message(c->flow, "", 0, false), 0);
    ck_assert_int_eq(vrpc_flow_write_message(c->flow, "three", 5, false), 0);
    ck_assert_int_eq(vrpc_flow_write_message(s->flow, "back", 4, true), 0);
    world_settle(&W);

    ck_assert_uint_eq(s->msgs, 4);
    ck_assert_int_eq(memcmp(s->last, "three", 5), 0);
    ck_assert_uint_eq(c->msgs, 1);
    ck_assert_int_eq(memcmp(c->last, "back", 4), 0);
    ck_assert_uint_eq(status().routes, 1);
}
END_TEST

START_TEST(first_route_is_the_next_hop_and_taken_off)
{
    struct tap *s;

    ck_assert_int_eq(begin(), 0);
    (void)peer_setup(&C, 1234,
        "0000000000000000000000000000004d,000000000000000000000000000004d2");
    ck_assert_uint_eq(S.ntaps, 1);
    s = &S.taps[0];
    ck_assert_str_eq(setup_target(s),
        "@6@tcp@proxy:1@000000000000000000000000000004d2@"
        "000000000000000000000000000004d2@s@test:server@@");
}
END_TEST

START_TEST(two_proxies_pass_on_in_turn)
{
    static struct prig q;
    static struct peer s2;
    struct tap *c, *s;
    struct peer dialer;
    struct v23_buf routes;
    int i;

    ck_assert_int_eq(begin(), 0);
    /* The second proxy (routing id 0x62) keeps a connection to the first. */
    memset(&q, 0, sizeof(q));
    ck_assert_int_eq(prig_init(&q, "proxy2", 98), 0);
    memset(&dialer, 0, sizeof(dialer));
    dialer.n = q.n;
    ck_assert_int_eq(peer_connect(&dialer, R.n), 0);
    ck_assert_int_eq(peer_init(&s2, "server2", 78, q.n), 0);

    c = peer_setup(&C, 78, "00000000000000000000000000000062");
    ck_assert(!c->closed);
    ck_assert_uint_eq(s2.ntaps, 1);
    s = &s2.taps[0];
    ck_assert_str_eq(setup_target(s), "@6@tcp@proxy:1@@"
        "0000000000000000000000000000004e@s@test:server@@");
    ck_assert_int_eq(vrpc_flow_write_message(s->flow, "back", 4, true), 0);
    world_settle(&W);
    ck_assert_int_eq(memcmp(c->last, "back", 4), 0);

    /* Round and round is possible, but not for ever. */
    v23_buf_init(&routes, NULL, 4096);
    for (i = 0; i < 15; i++)
        v23_buf_printf(&routes, "%032x%s", i % 2 == 0 ? 0x62 : 0x63,
            i < 14 ? "," : "");
    c = peer_setup(&C, 78, v23_buf_cstr(&routes));
    ck_assert(!c->closed);
    ck_assert_uint_eq(s2.ntaps, 2);
    ck_assert_uint_eq(status().routes, 9);
    v23_buf_printf(&routes, ",%032x,%032x", 0x63, 0x62);
    c = peer_setup(&C, 78, v23_buf_cstr(&routes));
    v23_buf_fini(&routes);
    ck_assert(c->closed);
    ck_assert_uint_eq(s2.ntaps, 2);
}
END_TEST

START_TEST(unauthorized_target_is_not_asked)
{
    struct tap *c;

    R.cfg.authorizer = &vsec_auth_default;
    ck_assert_int_eq(begin(), 0);
    c = peer_setup(&C, 77, "");

    ck_assert(c->closed);
    ck_assert_uint_eq(S.ntaps, 0);
}
END_TEST

START_TEST(who_listens_goes_before_who_claims_its_id)
{
    static struct peer thief;
    int i;

    ck_assert_int_eq(begin(), 0);
    (void)peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    ck_assert_int_eq(peer_init(&thief, "thief", 77, R.n), 0);
    for (i = 0; i < 3; i++)
        (void)peer_setup(&C, 77, "");

    ck_assert_uint_eq(S.ntaps, 4);
    ck_assert_uint_eq(thief.ntaps, 0);
}
END_TEST

START_TEST(end_of_one_side_ends_the_other_behind_the_last_message)
{
    struct tap *c, *s;

    ck_assert_int_eq(begin(), 0);
    c = peer_setup(&C, 77, "");
    s = &S.taps[0];
    ck_assert_int_eq(vrpc_flow_write_message(c->flow, "bye", 3, false), 0);
    vrpc_flow_close(c->flow);
    c->flow = NULL;
    world_settle(&W);
    ck_assert(s->closed);
    ck_assert_int_eq(memcmp(s->last, "bye", 3), 0);

    c = peer_setup(&C, 77, "");
    s = &S.taps[1];
    ck_assert_int_eq(vrpc_flow_write_message(s->flow, "bye", 3, false), 0);
    vrpc_flow_close(s->flow);
    s->flow = NULL;
    world_settle(&W);
    ck_assert(c->closed);
    ck_assert_int_eq(memcmp(c->last, "bye", 3), 0);
    ck_assert_uint_eq(status().routes, 0);
}
END_TEST

START_TEST(death_of_one_side_ends_the_other)
{
    struct tap *c, *s;

    ck_assert_int_eq(begin(), 0);
    c = peer_setup(&C, 77, "");
    world_cut(world_link_of(&W, S.n));
    world_settle(&W);
    ck_assert(c->closed);
    ck_assert_uint_eq(status().routes, 0);

    ck_assert_int_eq(peer_connect(&S, R.n), 0);
    c = peer_setup(&C, 77, "");
    s = &S.taps[1];
    world_cut(world_link_of(&W, C.n));
    world_settle(&W);
    ck_assert(s->closed);
    ck_assert_uint_eq(status().routes, 0);
}
END_TEST

START_TEST(target_that_closes_may_have_the_last_word)
{
    static uint8_t big[30000];
    struct tap *c, *s;
    size_t n;

    W.bytes_buffered = 65536;
    ck_assert_int_eq(begin(), 0);
    c = peer_setup(&C, 77, "");
    s = &S.taps[0];
    c->stalled = true;
    n = fill(s, big, sizeof(big), 1000);
    ck_assert_uint_lt(n, 100);
    vrpc_flow_close(s->flow);
    s->flow = NULL;
    world_settle(&W);
    /* What the client says now, nobody hears; it must not end the route. */
    ck_assert_int_eq(vrpc_flow_write_message(c->flow, "hey", 3, false), 0);
    world_settle(&W);
    ck_assert(!c->closed);
    c->stalled = false;
    tap_read(&c->user);
    world_settle(&W);

    ck_assert(c->closed);
    ck_assert_uint_eq(c->msgs, n);
}
END_TEST

START_TEST(stalled_reader_stops_the_sender_within_bounds)
{
    static uint8_t msg[10000];
    struct tap *c, *s;
    size_t before, sent, window = 256 * 1024;
    int way;

    W.bytes_buffered = (uint32_t)window;
    ck_assert_int_eq(begin(), 0);
    for (way = 0; way < 2; way++) {
        struct tap *from, *to;

        c = peer_setup(&C, 77, "");
        s = &S.taps[S.ntaps - 1];
        from = way == 0 ? c : s;
        to = way == 0 ? s : c;
        to->stalled = true;
        before = W.t.bytes;
        sent = fill(from, msg, sizeof(msg), 100000);
        /* What lies at the reader, at the proxy, and at the sender. */
        ck_assert_uint_gt(sent * sizeof(msg), window * 3 / 2);
        ck_assert_uint_lt(sent * sizeof(msg), 4 * window);
        ck_assert_uint_gt(status().waiting, window / 2);
        ck_assert_uint_lt(status().waiting, window * 5 / 4 + 200 * 1024);
        ck_assert_uint_lt(W.t.bytes - before, 8 * window);

        to->stalled = false;
        tap_read(&to->user);
        world_settle(&W);
        ck_assert_uint_eq(to->msgs, sent + (way == 0));
        ck_assert_uint_eq(status().waiting, 0);
        ck_assert_uint_gt(fill(from, msg, sizeof(msg), 100), 99);
        vrpc_flow_close(c->flow);
        c->flow = NULL;
        world_settle(&W);
    }
}
END_TEST

START_TEST(stalled_reader_holds_up_nobody_else)
{
    static uint8_t msg[10000];
    struct tap *c, *d;

    W.bytes_buffered = 128 * 1024;
    ck_assert_int_eq(begin(), 0);
    c = peer_setup(&C, 77, "");
    d = peer_setup(&C, 77, "");
    c->stalled = true;
    ck_assert_uint_lt(fill(&S.taps[0], msg, sizeof(msg), 500), 100);
    ck_assert_uint_eq(fill(&S.taps[1], msg, sizeof(msg), 500), 500);
    ck_assert_uint_eq(d->msgs, 500);
}
END_TEST

START_TEST(bytes_that_wait_are_limited_over_all_routes)
{
    static uint8_t msg[10000];
    struct tap *c[5];
    size_t i, open = 0;

    W.bytes_buffered = 128 * 1024;
    R.cfg.max_waiting = 200 * 1024;
    ck_assert_int_eq(begin(), 0);
    for (i = 0; i < 5; i++) {
        c[i] = peer_setup(&C, 77, "");
        c[i]->stalled = true;
    }
    for (i = 0; i < 5; i++) {
        while (!c[i]->closed && S.taps[i].flow != NULL &&
               vrpc_flow_can_write(S.taps[i].flow)) {
            (void)!vrpc_flow_write_message(S.taps[i].flow, msg, sizeof(msg),
                false);
            world_settle(&W);
        }
        ck_assert_uint_le(status().waiting, 200 * 1024);
    }

    for (i = 0; i < 5; i++)
        open += !c[i]->closed;
    ck_assert_uint_gt(open, 0);
    ck_assert_uint_lt(open, 5);
}
END_TEST

START_TEST(routes_are_limited)
{
    struct tap *c, *d;

    R.cfg.max_routes = 1;
    ck_assert_int_eq(begin(), 0);
    c = peer_setup(&C, 77, "");
    d = peer_setup(&C, 77, "");
    ck_assert(!c->closed);
    ck_assert(d->closed);
}
END_TEST

START_TEST(message_that_the_other_side_cannot_take_ends_the_route)
{
    static uint8_t msg[60000];
    static struct peer small;
    struct tap *c;

    ck_assert_int_eq(begin(), 0);
    W.mtu = 4096;
    ck_assert_int_eq(peer_init(&small, "small", 78, R.n), 0);
    c = peer_setup(&C, 78, "");
    ck_assert_int_eq(vrpc_flow_write_message(c->flow, msg, sizeof(msg),
                         false), 0);
    world_settle(&W);

    ck_assert(c->closed);
    ck_assert(small.taps[0].closed);
}
END_TEST

/* ---- short of memory ----------------------------------------------------- */

static int life(const struct v23_alloc *al, void *ud)
{
    struct tap *s, *c;
    int rc;

    (void)ud;
    memset(&W, 0, sizeof(W));
    memset(&R, 0, sizeof(R));
    W.t.al = *al;
    rc = world_init(&W);
    if (rc == 0)
        rc = begin();
    if (rc != 0)
        goto out;
    rc = V23_ENOMEM;
    s = peer_ask(&S, VRPC_MSG_PROXY_SERVER);
    if (s == NULL || told(s, 0)[0] == 0)
        goto out;
    c = peer_setup(&C, 77, "00000000000000000000000000000063");
    if (c == NULL)
        goto out;
    c = peer_setup(&C, 77, "");
    if (c == NULL || S.ntaps < 2 || c->closed || S.taps[1].closed ||
        vrpc_flow_write_message(c->flow, "there", 5, false) != 0 ||
        vrpc_flow_write_message(S.taps[1].flow, "back", 4, false) != 0)
        goto out;
    world_settle(&W);
    if (c->msgs == 1 && S.taps[1].msgs == 2)
        rc = 0;
out:
    world_fini(&W);
    return rc;
}

START_TEST(out_of_memory_anywhere_is_survived)
{
    tst_out_of_memory(life, NULL);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/proxy_route");
    TCase *t = tcase_create("route"), *m = tcase_create("memory");

    tcase_add_checked_fixture(t, setup, world_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, setup_reaches_the_target_and_messages_go_both_ways);
    tcase_add_test(t, first_route_is_the_next_hop_and_taken_off);
    tcase_add_test(t, two_proxies_pass_on_in_turn);
    tcase_add_test(t, unauthorized_target_is_not_asked);
    tcase_add_test(t, who_listens_goes_before_who_claims_its_id);
    tcase_add_test(t, end_of_one_side_ends_the_other_behind_the_last_message);
    tcase_add_test(t, death_of_one_side_ends_the_other);
    tcase_add_test(t, target_that_closes_may_have_the_last_word);
    tcase_add_test(t, stalled_reader_stops_the_sender_within_bounds);
    tcase_add_test(t, stalled_reader_holds_up_nobody_else);
    tcase_add_test(t, bytes_that_wait_are_limited_over_all_routes);
    tcase_add_test(t, routes_are_limited);
    tcase_add_test(t, message_that_the_other_side_cannot_take_ends_the_route);
    suite_add_tcase(s, t);
    tcase_set_timeout(m, 120);
    tcase_add_test(m, out_of_memory_anywhere_is_survived);
    suite_add_tcase(s, m);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
