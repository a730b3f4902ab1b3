/* BSD-3-Clause; see LICENSE. */
/*
 * Calls of every kind while connections die, stall and pause at random, in
 * virtual time. Whatever happens, each call ends exactly once and nothing is
 * left. The seed is printed; CHAOS_SEED repeats one.
 */
#include "echo.h"

#define ROUNDS 60
#define STEPS 300
#define SLOTS 24

struct slot {
    struct vrpc_call *call;
    struct result r;
    bool live;
    int32_t sends;
    struct wnode *from;
};

static struct slot Slots[SLOTS];
static struct echo Echo[2];
static uint32_t Seed;
static uint64_t Started, Ended, Good;
static struct wnode *N[3];

static uint32_t rnd(uint32_t n)
{
    Seed = Seed * 1664525u + 1013904223u;
    return (Seed >> 8) % n;
}

static void ended(vrpc_any_fn *fn, void *ud, const struct v23_verror *err,
    const void *out)
{
    struct slot *s = ud;

    (void)fn;
    (void)out;
    ck_assert(s->live);
    s->live = false;
    s->call = NULL;
    Ended++;
    Good += err == NULL;
}

static void item(vrpc_any_fn *fn, void *ud, const void *v)
{
    struct slot *s = ud;

    (void)fn;
    (void)v;
    ck_assert(s->live);
    if (rnd(50) == 0)
        vrpc_call_cancel(s->call);
    else if (rnd(20) == 0)
        vrpc_call_pause(s->call, true);
}

static const struct vrpc_call_stub chaos_stub = { ended, item };

static void begin(struct slot *s)
{
    static const int methods[] = { M_ADD, M_ECHO, M_BLOB, M_COUNT, M_SUM,
        M_WAIT, M_FAIL };
    static uint8_t data[70000];
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    union {
        struct add_in add;
        struct text text;
        struct blob blob;
        int32_t n;
    } in;
    int m = methods[rnd(7)];

    memset(&in, 0, sizeof(in));
    if (m == M_ECHO || m == M_FAIL)
        in.text.s = vdl_str(rnd(2) ? "backoff" : "x");
    if (m == M_BLOB)
        in.blob.b = vdl_bytes(data, rnd(sizeof(data)));
    if (m == M_COUNT)
        in.n = (int32_t)rnd(30000);
    if (rnd(2))
        o.timeout_ns = (int64_t)(1 + rnd(5000)) * V23_NS_PER_MS;
    o.no_retry = rnd(3) == 0;
    memset(s, 0, sizeof(*s));
    s->live = true;
    s->from = N[rnd(2)];
    Started++;
    s->call = vrpc_client_start(s->from->c, world_name(N[1 + rnd(2)], ""), &o,
        &echo_methods[m], &in, &chaos_stub, any_fn_dummy, any_fn_dummy, s);
    ck_assert_ptr_nonnull(s->call);
}

static void poke(struct slot *s)
{
    int32_t one = 1;

    switch (rnd(6)) {
    case 0:
        vrpc_call_cancel(s->call);
        break;
    case 1:
        vrpc_call_pause(s->call, rnd(2) != 0);
        break;
    case 2:
        vrpc_call_close_send(s->call);
        break;
    default:
        (void)!vrpc_call_send(s->call, &one);
    }
}

static void network(void)
{
    struct wlink *l = &W.links[rnd(WORLD_LINKS)];

    if (!l->used || l->closing)
        return;
    switch (rnd(6)) {
    case 0:
        world_cut(l);
        break;
    case 1:
        l->stuck = true;
        break;
    default:
        l->stuck = false;
    }
}

static void servers(void)
{
    struct echo *e = &Echo[rnd(2)];
    struct vrpc_server_call *c = e->waiting;

    if (c == NULL)
        return;
    e->waiting = NULL;
    (void)vrpc_server_call_reply(c, NULL, NULL);
}

static void chaos(uint32_t seed)
{
    int i, k;

    Seed = seed;
    memset(Slots, 0, sizeof(Slots));
    memset(Echo, 0, sizeof(Echo));
    Echo[0].auto_reply = Echo[1].auto_reply = true;
    W.max_out = rnd(2) ? 1 + rnd(3000) : 0;
    for (i = 0; i < STEPS; i++) {
        struct slot *s = &Slots[rnd(SLOTS)];

        if (!s->live)
            begin(s);
        else
            poke(s);
        if (rnd(10) == 0)
            network();
        if (rnd(4) == 0)
            servers();
        for (k = (int)rnd(6); k > 0; k--)
            world_step(&W);
        if (rnd(8) == 0)
            world_sleep(&W, (int64_t)rnd(300) * V23_NS_PER_MS);
    }
    for (i = 0; i < WORLD_LINKS; i++)
        W.links[i].stuck = false;
    for (i = 0; i < SLOTS; i++)
        if (Slots[i].live) {
            vrpc_call_pause(Slots[i].call, false);
            vrpc_call_close_send(Slots[i].call);
        }
    world_sleep(&W, 5 * SEC);
    for (i = 0; i < SLOTS; i++)
        if (Slots[i].live)
            vrpc_call_cancel(Slots[i].call);
    world_sleep(&W, 5 * SEC);
    ck_assert_uint_eq(Started, Ended);
    for (i = 1; i < 3; i++)
        ck_assert_uint_eq(vrpc_server_ncalls(N[i]->s), 0);
    for (i = 0; i < 2; i++)
        ck_assert_uint_eq(vrpc_client_ncalls(N[i]->c), 0);
}

static void chaos_setup(void)
{
    world_setup();
    ck_assert_int_eq(world_node(&W, "one", 0, &N[0]), 0);
    ck_assert_int_eq(world_node(&W, "two", 22, &N[1]), 0);
    ck_assert_int_eq(world_node(&W, "three", 33, &N[2]), 0);
    ck_assert_int_eq(serve(N[1], &Echo[0], &vsec_auth_everyone), 0);
    ck_assert_int_eq(serve(N[2], &Echo[1], &vsec_auth_everyone), 0);
}

START_TEST(every_call_ends_once)
{
    const char *given = getenv("CHAOS_SEED");
    uint32_t seed = given == NULL ? 1 : (uint32_t)strtoul(given, NULL, 10);
    uint32_t last = given == NULL ? ROUNDS : seed;

    for (; seed <= last; seed++) {
        printf("seed %u\n", seed);
        fflush(stdout);
        chaos(seed);
    }
    ck_assert_uint_gt(Good, Started / 10);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/chaos");
    TCase *t = tcase_create("chaos");

    tcase_add_checked_fixture(t, chaos_setup, world_teardown);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, every_call_ends_once);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
