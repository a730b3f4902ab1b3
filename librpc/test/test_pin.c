/* BSD-3-Clause; see LICENSE. */
/* Pinned connections (spec/rpc.md 19.5). */
#include "echo.h"

static struct {
    int up, down;
    struct vrpc_pin *pin;
    bool free_in_callback;
} Seen;

static void on_event(void *ud, struct vrpc_pin *p, const struct v23_verror *err)
{
    (void)ud;
    ck_assert_ptr_eq(p, Seen.pin);
    if (err == NULL) {
        ck_assert(vrpc_pin_is_connected(p));
        Seen.up++;
    } else {
        ck_assert(!vrpc_pin_is_connected(p));
        Seen.down++;
    }
    if (Seen.free_in_callback) {
        vrpc_pin_free(p);
        Seen.pin = NULL;
    }
}

static void setup(void)
{
    pair_setup();
    memset(&Seen, 0, sizeof(Seen));
}

static struct vrpc_call_opts Opts;

static void pin(void)
{
    Opts = opts_now();
    ck_assert_int_eq(vrpc_client_pin(P.c->c, vdl_str(world_name(P.s, "")),
                         &Opts, on_event, NULL, &Seen.pin), 0);
}

START_TEST(pin_connects_without_a_call)
{
    pin();
    ck_assert(!vrpc_pin_is_connected(Seen.pin));
    ck_assert(world_until(&W, &Seen.up, SEC));

    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 1);
    ck_assert_uint_eq(vrpc_client_ncalls(P.c->c), 0);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD,
        &(struct add_in){ 1, 2 }), "");
    ck_assert_uint_eq(W.ndials, 1);
    vrpc_pin_free(Seen.pin);
}
END_TEST

START_TEST(pinned_connection_is_not_idle)
{
    pin();
    ck_assert(world_until(&W, &Seen.up, SEC));
    /* The server may still find it idle: then it is made again. */
    world_sleep(&W, 3 * 3600 * SEC);

    ck_assert(vrpc_pin_is_connected(Seen.pin));
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 1);
    ck_assert_int_eq(Seen.down, 0);
    vrpc_pin_free(Seen.pin);
    world_sleep(&W, 3600 * SEC);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
}
END_TEST

START_TEST(lost_connection_is_made_again_at_once)
{
    int64_t begin;

    pin();
    ck_assert(world_until(&W, &Seen.up, SEC));
    begin = W.now.mono_ns;
    Seen.up = 0;
    world_cut(world_link_of(&W, P.c));
    ck_assert(!vrpc_pin_is_connected(Seen.pin));
    ck_assert(world_until(&W, &Seen.up, SEC));

    ck_assert_int_eq(W.now.mono_ns, begin);
    ck_assert_uint_eq(W.ndials, 2);
    vrpc_pin_free(Seen.pin);
}
END_TEST

START_TEST(failures_wait_from_50_ms_to_a_minute)
{
    int64_t want = 50 * V23_NS_PER_MS, at;
    int i;

    P.s->refuses = true;
    pin();
    ck_assert(world_until(&W, &Seen.down, SEC));
    for (i = 0; i < 15; i++) {
        at = W.now.mono_ns;
        Seen.down = 0;
        ck_assert(world_until(&W, &Seen.down, 100 * SEC));
        ck_assert_int_eq(W.now.mono_ns - at, want);
        want = want > 30 * SEC ? 60 * SEC : 2 * want;
    }
    ck_assert_int_eq(want, 60 * SEC);
    P.s->refuses = false;
    ck_assert(world_until(&W, &Seen.up, 100 * SEC));

    P.s->refuses = true; /* from the start again */
    Seen.down = 0;
    world_cut(world_link_of(&W, P.c));
    ck_assert(world_until(&W, &Seen.down, SEC));
    at = W.now.mono_ns;
    Seen.down = 0;
    ck_assert(world_until(&W, &Seen.down, SEC));
    ck_assert_int_eq(W.now.mono_ns - at, 50 * V23_NS_PER_MS);
    vrpc_pin_free(Seen.pin);
}
END_TEST

START_TEST(pin_may_be_freed_at_any_time)
{
    pin(); /* before the first try */
    vrpc_pin_free(Seen.pin);
    P.s->black_hole = true;
    pin(); /* while connecting */
    world_sleep(&W, SEC);
    ck_assert_uint_eq(vrpc_client_ncalls(P.c->c), 1);
    vrpc_pin_free(Seen.pin);
    world_settle(&W);
    ck_assert_uint_eq(vrpc_client_ncalls(P.c->c), 0);
    P.s->black_hole = false;
    Seen.free_in_callback = true;
    pin();
    ck_assert(world_until(&W, &Seen.up, SEC));
    P.s->refuses = true;
    world_cut(world_link_of(&W, P.c));
    pin();
    ck_assert(world_until(&W, &Seen.down, SEC));
    ck_assert_ptr_null(Seen.pin);
    vrpc_pin_free(NULL);
}
END_TEST

START_TEST(client_takes_its_pins_along)
{
    pin();
    ck_assert(world_until(&W, &Seen.up, SEC));
    P.s->black_hole = true;
    pin();
    world_settle(&W);
    /* The teardown finds nothing left. */
}
END_TEST

START_TEST(pin_without_memory_is_refused)
{
    struct vrpc_pin *p = NULL;
    int rc = V23_ENOMEM;
    size_t k;

    for (k = 1; rc != 0 && k < 20; k++) {
        W.t.calls = 0;
        W.t.fail_at = k;
        rc = vrpc_client_pin(P.c->c, vdl_str(world_name(P.s, "")), NULL, NULL,
            NULL, &p);
        ck_assert(rc == 0 || rc == V23_ENOMEM);
    }
    W.t.fail_at = 0;
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_gt(k, 2);
    vrpc_pin_free(p);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, pin_connects_without_a_call);
    tcase_add_test(t, pinned_connection_is_not_idle);
    tcase_add_test(t, lost_connection_is_made_again_at_once);
    tcase_add_test(t, failures_wait_from_50_ms_to_a_minute);
    tcase_add_test(t, pin_may_be_freed_at_any_time);
    tcase_add_test(t, client_takes_its_pins_along);
    tcase_add_test(t, pin_without_memory_is_refused);
}

int main(void)
{
    return tst_run_case("librpc/pin", add, setup, world_teardown);
}
