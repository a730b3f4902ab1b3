/* BSD-3-Clause; see LICENSE. */
/*
 * Connections under chance: a link that delivers in pieces, stalls and is cut;
 * a peer that knows the keys and sends nonsense; strangers. Seeds are in the
 * case's number.
 */
#include "rig.h"

#include "../src/conn_int.h"

static uint32_t seed;

static uint32_t chance(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static void small(void)
{
    rig_setup();
    R.dcfg.mtu = R.acfg.mtu = 1024;
    R.dcfg.bytes_buffered = R.acfg.bytes_buffered = 4096;
    R.dcfg.shared_tokens = R.acfg.shared_tokens = 4096;
}

/* ---- streams keep their order -------------------------------------------- */

#define FLOWS 24

/* Byte number i of flow `id`. */
static uint8_t byte_at(uint64_t id, uint64_t i)
{
    return (uint8_t)(id * 31 + i * 7 + i / 251);
}

/* Both directions of one flow. `sent` counts what this end wrote. */
struct talk {
    struct vrpc_flow *f;
    uint64_t id, sent, got;
    bool accepted;
};

static struct talk talks[2][FLOWS];

static struct talk *talk_of(struct end *e, uint64_t id)
{
    struct talk *t = talks[e == &R.a];
    int i;

    for (i = 0; i < FLOWS; i++)
        if (t[i].id == id)
            return &t[i];
    return NULL;
}

static struct talk *new_talk(struct end *e, struct vrpc_flow *f)
{
    struct talk *t = talks[e == &R.a];
    int i;

    for (i = 0; i < FLOWS && t[i].f != NULL; i++)
        ;
    if (i == FLOWS)
        return NULL;
    memset(&t[i], 0, sizeof(t[i]));
    t[i].f = f;
    t[i].id = vrpc_flow_id(f);
    return &t[i];
}

static void take(struct end *e, struct vrpc_flow *f, bool all)
{
    struct talk *t = talk_of(e, vrpc_flow_id(f));
    struct v23_bytes b;
    size_t i, n;

    while (t != NULL && vrpc_flow_peek(f, &b) == 0) {
        n = all ? b.n : 1 + chance((uint32_t)b.n);
        for (i = 0; i < n && b.p[i] == byte_at(t->id, t->got + i); i++)
            ;
        ck_assert_uint_eq(i, n); /* one check: each costs a system call */
        t->got += n;
        vrpc_flow_consume(f, n);
        if (!all)
            break;
    }
}

static void take_some(struct end *e, struct vrpc_flow *f)
{
    if (chance(3) != 0)
        take(e, f, chance(2) == 0);
}

static void begin_talk(struct end *e, struct vrpc_flow *f)
{
    if (new_talk(e, f) == NULL)
        vrpc_flow_cancel(f);
}

static void say(struct talk *t)
{
    uint8_t p[3000];
    size_t n = 1 + chance(sizeof(p) - 1), i;
    int rc;

    for (i = 0; i < n; i++)
        p[i] = byte_at(t->id, t->sent + i);
    rc = vrpc_flow_write(t->f, p, n);
    ck_assert(rc == 0 || rc == V23_EAGAIN || rc == V23_ECLOSED);
    if (rc == 0)
        t->sent += n;
}

/* A link with memory: bytes arrive later and in pieces. */
static struct v23_buf wire[2];

static void link_step(int dir)
{
    struct end *from = dir == 0 ? &R.d : &R.a;
    size_t n;

    if (chance(2) == 0)
        ck_assert_int_eq(vrpc_conn_output(from->conn, &wire[dir],
            wire[dir].n + 1 + chance(5000), &R.now), 0);
    if (wire[dir].n > 0 && chance(3) != 0) {
        n = 1 + chance((uint32_t)wire[dir].n);
        ck_assert_int_eq(vrpc_conn_input(from->peer->conn, wire[dir].p, n,
            &R.now), 0);
        v23_buf_drop(&wire[dir], n);
    }
}

static void random_act(struct end *e)
{
    struct talk *t = &talks[e == &R.a][chance(FLOWS)];
    struct vrpc_flow *f;

    switch (chance(12)) {
    case 0:
        if (t->f == NULL && vrpc_conn_can_open(e->conn)
            && vrpc_flow_open(e->conn, NULL, &f) == 0)
            begin_talk(e, f);
        break;
    case 1:
        if (t->f != NULL && chance(4) == 0) {
            f = t->f;
            t->f = NULL;
            t->id = 0;
            if (chance(2) == 0)
                vrpc_flow_close(f);
            else
                vrpc_flow_cancel(f);
        }
        break;
    case 2:
        if (t->f != NULL)
            take(e, t->f, true);
        break;
    case 3:
        if (t->f != NULL && vrpc_flow_is_closed(t->f)) {
            f = t->f;
            t->f = NULL;
            t->id = 0;
            vrpc_flow_close(f);
        }
        break;
    case 4:
        R.now.mono_ns += chance(1000) * V23_NS_PER_MS * 3;
        vrpc_conn_tick(e->conn, &R.now);
        break;
    default:
        if (t->f != NULL)
            say(t);
        break;
    }
}

static void both_serve(void)
{
    R.dep.rid = vrpc_routing_id_fixed(9);
    R.dcfg.has_handler = true;
    R.dcfg.blessings = R.client;
    R.a.on_readable = R.d.on_readable = take_some;
    R.a.on_opened = R.d.on_opened = begin_talk;
    R.dcfg.limits.flows = R.acfg.limits.flows = FLOWS;
    memset(talks, 0, sizeof(talks));
    v23_buf_init(&wire[0], NULL, SIZE_MAX);
    v23_buf_init(&wire[1], NULL, SIZE_MAX);
}

static bool quiet(void)
{
    return wire[0].n + wire[1].n == 0 && !rig_busy(&R.d) && !rig_busy(&R.a);
}

/* Read everything and let everything through. */
static void drain(void)
{
    uint64_t before, after = 0;
    int i, k;

    R.a.on_readable = R.d.on_readable = NULL;
    R.a.hold = R.d.hold = true;
    do {
        before = after;
        for (i = 0; i < 200000 && !quiet(); i++)
            link_step(i % 2);
        ck_assert_int_lt(i, 200000);
        after = 0;
        for (i = 0; i < 2; i++)
            for (k = 0; k < FLOWS; k++)
                if (talks[i][k].f != NULL) {
                    take(i == 0 ? &R.d : &R.a, talks[i][k].f, true);
                    after += talks[i][k].got;
                }
    } while (after != before || !quiet());
}

/* Where both ends still hold the flow, all has arrived. */
static void check_talk(struct talk *t, struct talk *other)
{
    if (t->f == NULL || vrpc_flow_is_closed(t->f) || other == NULL
        || other->f == NULL)
        return;
    ck_assert_uint_eq(vrpc_flow_queued(t->f), 0);
    ck_assert_uint_eq(other->got, t->sent);
}

START_TEST(streams_arrive_in_order_over_a_bad_link)
{
    int i, k;

    seed = (uint32_t)_i + 1;
    both_serve();
    rig_connect();
    for (i = 0; i < 6000; i++) {
        random_act(chance(2) == 0 ? &R.d : &R.a);
        link_step((int)chance(2));
        ck_assert_int_eq(R.a.closed + R.d.closed, 0);
    }

    drain();

    for (k = 0; k < FLOWS; k++) {
        check_talk(&talks[0][k], talk_of(&R.a, talks[0][k].id));
        check_talk(&talks[1][k], talk_of(&R.d, talks[1][k].id));
    }
    ck_assert_int_gt(R.a.opened + R.d.opened, 20);
    v23_buf_fini(&wire[0]);
    v23_buf_fini(&wire[1]);
}
END_TEST

/* ---- nonsense under seal ------------------------------------------------- */

static const char *const seeds[] = { "770a00aabbcc", "770a01", "770c02",
    "770b00aabb", "790cfe10000100006162", "790dfe100001000061",
    "790e00010005", "780afe080a0cfe02a0", "780b7f", "7a0100000000 00",
    "7a020300000000", "7c", "7b", "72", "73", "770100 5202", "7d", "7d6162",
    "7e0b0e", "7400", "75", "76", "71", "700100025331065348413531320141" };

static void random_message(struct end *e)
{
    struct v23_bytes s = hex(seeds[chance(sizeof(seeds) / sizeof(seeds[0]))]);
    uint8_t p[300];
    size_t n = s.n, k = chance(4);

    memcpy(p, s.p, n);
    while (k-- > 0) {
        switch (chance(3)) {
        case 0:
            p[chance((uint32_t)n)] = (uint8_t)chance(256);
            break;
        case 1:
            if (n > 1)
                n--;
            break;
        default:
            p[n++] = (uint8_t)chance(256);
            break;
        }
    }
    ck_assert_int_eq(vrpc_express_(e->conn, p, n, false), 0);
}

/* Few messages in, the connection is closed in good order or lives. */
START_TEST(sealed_nonsense_is_survived)
{
    int i, k;

    seed = (uint32_t)_i + 1;
    both_serve();
    R.a.on_opened = R.d.on_opened = NULL;
    R.a.on_readable = R.d.on_readable = NULL;
    for (k = 0; k < 60; k++) {
        R.a.ready = R.a.closed = R.d.closed = 0;
        R.a.close_on_eof = R.d.close_on_eof = true;
        ck_assert_int_eq(rig_conns(&R), 0);
        ck_assert_int_eq(rig_run(&R), 0);
        ck_assert_int_eq(R.a.ready, 1);
        for (i = 0; i < 30 && R.a.closed + R.d.closed == 0; i++) {
            struct vrpc_flow *f;

            if (chance(4) == 0
                && vrpc_flow_open(R.d.conn, NULL, &f) == 0) {
                ck_assert_int_eq(vrpc_flow_write(f, "hello", 5), 0);
                if (chance(2) == 0)
                    vrpc_flow_close(f);
            }
            random_message(chance(2) == 0 ? &R.d : &R.a);
            ck_assert_int_eq(rig_run(&R), 0);
        }
        ck_assert_int_le(R.a.closed, 1);
        ck_assert_int_le(R.d.closed, 1);
        vrpc_conn_free(R.d.conn);
        vrpc_conn_free(R.a.conn);
        R.d.conn = R.a.conn = NULL;
    }
    v23_buf_fini(&wire[0]);
    v23_buf_fini(&wire[1]);
}
END_TEST

/* ---- strangers ----------------------------------------------------------- */

START_TEST(random_bytes_end_the_handshake)
{
    uint8_t p[600];
    size_t n, i;
    int k;

    seed = (uint32_t)_i + 1;
    for (k = 0; k < 300; k++) {
        int rc;

        ck_assert_int_eq(vrpc_conn_new(&R.acfg, &R.now, &R.a.conn), 0);
        n = 4 + chance(sizeof(p) - 4);
        for (i = 0; i < n; i++)
            p[i] = (uint8_t)chance(256);
        if (chance(2) == 0) { /* plausible frame, Setup inside */
            ck_assert_int_eq(vrpc_frame_put(p, n - 3), 0);
            p[3] = VRPC_MSG_SETUP;
        }
        R.chunk = chance(50);
        R.a.closed = 0;
        rc = rig_feed(&R.a, p, n);
        ck_assert_int_eq(R.a.ready, 0);
        ck_assert_int_eq(R.a.closed, rc != 0);
        vrpc_conn_free(R.a.conn);
        R.a.conn = NULL;
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, streams_arrive_in_order_over_a_bad_link, 0, 20);
    tcase_add_loop_test(tc, sealed_nonsense_is_survived, 0, 10);
    tcase_add_loop_test(tc, random_bytes_end_the_handshake, 0, 10);
}

int main(void)
{
    return tst_run_case("librpc/conn_random", add, small, rig_teardown);
}
