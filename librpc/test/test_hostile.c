/* BSD-3-Clause; see LICENSE. */
/*
 * Peers that break rules while others are served: each costs its own
 * connection, or only its call; what the others do goes on, the log says why,
 * and the memory comes back. The box hides nothing, so that anything can be
 * said under the right keys.
 */
#include <clear_box.h>

#define WORLD_NODES 16
#include "raw_client.h"

#include "conn_int.h"

static struct {
    struct vrpc_call *call;
    struct result r;
    int32_t sum;
} Honest;

static char Log[8192];

static void log_line(void *ud, enum v23_log_level level, const char *text)
{
    size_t n = strlen(Log);

    (void)ud;
    (void)level;
    snprintf(Log + n, sizeof(Log) - n, "%s\n", text);
}

static const struct v23_log log_all = { log_line, NULL, V23_LOG_DEBUG };

/* A stream that is open all the time. */
static void begin_honest(void)
{
    memset(&Honest, 0, sizeof(Honest));
    Honest.call = start(P.c, world_name(P.s, ""), M_SUM, NULL, NULL,
        &stub_plain, &Honest.r);
    ck_assert_ptr_nonnull(Honest.call);
    world_settle(&W);
}

static void honest_goes_on(void)
{
    static const int32_t one = 1;
    struct add_in in = { 40, 2 };

    ck_assert_int_eq(vrpc_call_send(Honest.call, &one), 0);
    world_settle(&W);
    ck_assert_int_eq(Honest.r.done, 0);
    ck_assert_int_eq(Honest.r.last, ++Honest.sum);
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &in), "");
}

static void setup(void)
{
    world_setup();
    Log[0] = 0;
    W.log = &log_all;
    W.crypto.box = &clear_box;
    W.max_handshakes = 4;
    W.max_conns = 8;
    ck_assert_int_eq(pair_init(&W), 0);
    begin_honest();
    honest_goes_on();
}

/* ---- under the right keys ------------------------------------------------ */

static void inject(struct vrpc_conn *c, const void *p, size_t n)
{
    ck_assert_int_eq(vrpc_express_(c, p, n, false), 0);
    world_settle(&W);
}

static void say(struct vrpc_conn *c, const char *text)
{
    struct v23_bytes b = hex(text);

    inject(c, b.p, b.n);
}

static const struct {
    const char *first, *then; /* what is said; `then` may be NULL */
    const char *why;          /* in the log */
} rules[] = {
    { "50", NULL, "UnknownMsg" },
    { "7e 0b 0e", NULL, "unexpected message" },
    { "75", NULL, "unexpected message" },
    { "79 0b fe1000 01 00 00 64", NULL, "invalid flow id" },
    { "79 0a fe1000 01 00 00 64", "79 0a fe1000 01 00 00 64",
        "invalid flow id" },
    { "79 0a fe1000 7f 00 00 64", NULL, "protocol" },
    { "78 0a", NULL, "InvalidMsg" },
    { "7a 7f 00 00 00 00 00", NULL, "protocol" },
    { "77 01 00 80ffff", "79 0a fe1000 7e 00 00 64", "" },
};

static size_t held_by_strangers(void)
{
    return vrpc_manager_nconns(P.s->m) - 1;
}

static void at_rest(void)
{
    honest_goes_on();
    world_sleep(&W, 2 * SEC);
}

/* The whole attack; afterwards the attacker is gone. */
static void attack(const char *first, const char *then, const char *why)
{
    struct vrpc_conn *c = bare_client();

    honest_goes_on();
    ck_assert_uint_eq(held_by_strangers(), 1);
    Log[0] = 0;
    say(c, first);
    if (then != NULL)
        say(c, then);
    ck_assert_uint_eq(held_by_strangers(), 0);
    ck_assert_ptr_nonnull(strstr(Log, "closed: "));
    ck_assert_ptr_nonnull(strstr(Log, why));
    world_node_fini(&W.nodes[W.nnodes - 1]);
    at_rest();
}

START_TEST(broken_rule_costs_its_connection)
{
    size_t before;
    int i;

    attack(rules[_i].first, rules[_i].then, rules[_i].why);
    attack(rules[_i].first, rules[_i].then, rules[_i].why);
    before = W.t.bytes;
    for (i = 0; i < 3; i++)
        attack(rules[_i].first, rules[_i].then, rules[_i].why);

    ck_assert_uint_le(W.t.bytes, before);
}
END_TEST

START_TEST(closed_flow_id_may_come_again)
{
    struct vrpc_conn *c = bare_client();
    int i;

    for (i = 0; i < 100; i++)
        say(c, "79 0a fe1000 01 00 01 78"); /* opened and closed */

    ck_assert_uint_eq(held_by_strangers(), 1);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1); /* the honest one */
    honest_goes_on();
}
END_TEST

START_TEST(second_signed_auth_is_a_refresh)
{
    struct vrpc_conn *c = bare_client();

    say(c, "70 01 00 025331 06534841353132 40 00000000000000000000000000000000"
           "000000000000000000000000000000000000000000000000000000000000000000"
           "000000000000000000000000000000");

    ck_assert_uint_eq(held_by_strangers(), 1);
    honest_goes_on();
}
END_TEST

START_TEST(token_overdraft_costs_its_connection)
{
    static uint8_t data[60000];
    struct vrpc_conn *c = bare_client();
    size_t before = W.t.peak;
    int i;

    data[0] = VRPC_MSG_DATA;
    data[1] = 0x0a;
    say(c, "79 0a fe1000 01 00 00 64"); /* a call without types: nobody reads */
    for (i = 0; i < 40 && held_by_strangers() == 1; i++)
        inject(c, data, sizeof(data));

    ck_assert_uint_eq(held_by_strangers(), 0);
    ck_assert_int_le(i, 19); /* a window and its queue */
    ck_assert_ptr_nonnull(strstr(Log, "overflow"));
    ck_assert_uint_le(W.t.peak - before, 6u << 20);
    honest_goes_on();
}
END_TEST

static size_t put_varint(uint8_t *p, uint32_t v)
{
    if (v < 0x80) {
        p[0] = (uint8_t)v;
        return 1;
    }
    if (v < 0x100) {
        p[0] = 0xff;
        p[1] = (uint8_t)v;
        return 2;
    }
    p[0] = 0xfe;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
    return 3;
}

/* A type message: x.T, named int32. */
static void put_type(struct v23_buf *b, uint32_t id)
{
    static const uint8_t def[] = { 0, 0, 3, 'x', '.', 'T', 1, 0x24, 0xe1 };
    uint8_t p[8];

    v23_buf_put(b, p, put_varint(p, 2 * id - 1));
    v23_buf_put_byte(b, sizeof(def));
    v23_buf_put(b, def, sizeof(def));
}

/* The decoder stops at its limit; then the flow fills, and stands. */
START_TEST(endless_types_are_not_kept)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c);
    size_t base = W.t.peak;
    struct v23_buf b;
    uint32_t id = 41;
    int rc = 0, i, k;

    ck_assert_int_eq(vrpc_flow_write(t, "t\x81", 2), 0);
    for (i = 0; i < 3000 && rc == 0; i++) {
        v23_buf_init(&b, NULL, SIZE_MAX);
        for (k = 0; k < 100; k++)
            put_type(&b, id < 30000 ? id++ : id);
        rc = vrpc_flow_write(t, b.p, b.n);
        v23_buf_fini(&b);
        world_settle(&W);
    }

    ck_assert_int_eq(rc, V23_EAGAIN);
    ck_assert_uint_le(W.t.peak - base, 8u << 20);
    honest_goes_on();
    vrpc_conn_close(c, V23_ECLOSED, NULL);
    world_settle(&W);
    ck_assert_uint_eq(held_by_strangers(), 0);
    ck_assert_uint_le(W.t.bytes, base);
    honest_goes_on();
}
END_TEST

START_TEST(arguments_that_nobody_wants_are_not_waited_for_for_ever)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c), *d = raw_open(c);
    struct raw r;

    raw_request(&r, "NoSuchMethod", UINT64_MAX, NULL, NULL, 0);
    ck_assert_int_eq(vrpc_flow_write(t, r.types.p, r.types.n), 0);
    ck_assert_int_eq(vrpc_flow_write(d, r.values.p, r.values.n), 0);
    world_settle(&W);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 2);
    world_sleep(&W, 61 * SEC);

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1);
    ck_assert(vrpc_flow_is_closed(d));
    ck_assert_uint_eq(held_by_strangers(), 1);
    raw_free(&r);
    honest_goes_on();
}
END_TEST

/* ---- strangers ----------------------------------------------------------- */

static struct wlink Nobody; /* the far end of links that are played by hand */

static struct wlink *stranger(void)
{
    struct vrpc_endpoint local;
    struct wlink *l = world_link(&W, P.s);

    memset(&local, 0, sizeof(local));
    local.protocol = vdl_str("tcp");
    local.address = vdl_str(P.s->address);
    l->peer = &Nobody;
    ck_assert_int_eq(vrpc_manager_accepted(P.s->m, &l->link, &local,
                         &l->conn), 0);
    return l;
}

START_TEST(too_many_strangers_push_out_the_oldest)
{
    struct wlink *l[5];
    int i;

    for (i = 0; i < 4; i++) {
        l[i] = stranger();
        world_sleep(&W, SEC / 10);
    }
    ck_assert_uint_eq(held_by_strangers(), 4);
    l[4] = stranger();
    world_settle(&W);

    ck_assert_uint_eq(held_by_strangers(), 4);
    ck_assert(!l[0]->used);
    for (i = 1; i < 5; i++)
        ck_assert(l[i]->used);
    ck_assert_ptr_nonnull(strstr(Log, "in the handshake"));
    honest_goes_on();
    world_sleep(&W, 61 * SEC); /* the others run out of time */
    ck_assert_uint_eq(held_by_strangers(), 0);
    honest_goes_on();
}
END_TEST

START_TEST(under_pressure_old_strangers_go_first)
{
    struct wlink *l = stranger(), *young;

    world_sleep(&W, 6 * SEC);
    young = stranger();

    ck_assert_uint_eq(vrpc_manager_reclaim(P.s->m, 1), 1);
    world_settle(&W);

    ck_assert(!l->used);
    ck_assert(young->used);
    honest_goes_on();
}
END_TEST

START_TEST(connections_beyond_the_limit_replace_idle_ones)
{
    size_t i, n;

    W.max_conns = 0;
    for (i = 0; i < 7; i++)
        stranger();
    world_settle(&W);
    n = vrpc_manager_nconns(P.s->m);
    ck_assert_uint_le(n, 8);
    honest_goes_on();
}
END_TEST

START_TEST(octets_of_strangers_cost_nobody_else)
{
    static const char *const said[] = {
        "474554202f20485454502f312e310d0a", /* GET / HTTP/1.1 */
        "160301020001000001fc0303", /* TLS */
        "0000000000000000",
        "ffffff", "fffffe7f", "fffffd7e0a0a", "fffff07e0f0f"
    };
    size_t i;

    for (i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        struct wlink *l = stranger();
        struct v23_bytes b = hex(said[i]);
        uint8_t copy[64];

        memcpy(copy, b.p, b.n);
        (void)!vrpc_conn_input(l->conn, copy, b.n, &W.now);
        world_settle(&W);
        honest_goes_on();
    }
    world_sleep(&W, 61 * SEC);
    ck_assert_uint_eq(held_by_strangers(), 0);
    honest_goes_on();
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, broken_rule_costs_its_connection, 0,
        (int)(sizeof(rules) / sizeof(rules[0])));
    tcase_add_test(t, closed_flow_id_may_come_again);
    tcase_add_test(t, second_signed_auth_is_a_refresh);
    tcase_add_test(t, token_overdraft_costs_its_connection);
    tcase_add_test(t, endless_types_are_not_kept);
    tcase_add_test(t, arguments_that_nobody_wants_are_not_waited_for_for_ever);
    tcase_add_test(t, too_many_strangers_push_out_the_oldest);
    tcase_add_test(t, under_pressure_old_strangers_go_first);
    tcase_add_test(t, connections_beyond_the_limit_replace_idle_ones);
    tcase_add_test(t, octets_of_strangers_cost_nobody_else);
}

int main(void)
{
    return tst_run_case("librpc/hostile", add, setup, world_teardown);
}
