/* BSD-3-Clause; see LICENSE. */
/* AppCycle: asking a process to end, and watching it. */
#include "world.h"

#include <v23/vdl/v.io/v23/services/appcycle/appcycle.rpc.h>
#include <vrpc/appcycle.h>

static struct vrpc_appcycle *ac;
static struct wnode *s, *c;
static int stops, forces;

static void on_stop(void *ud)
{
    (void)ud;
    stops++;
}

static void on_force(void *ud)
{
    (void)ud;
    forces++;
}

static void setup(void)
{
    struct vrpc_appcycle_config cfg = { NULL, on_stop, on_force, NULL };
    struct vrpc_server_config scfg;

    world_setup();
    stops = forces = 0;
    cfg.al = &W.t.al;
    ck_assert_int_eq(vrpc_appcycle_new(&cfg, &ac), 0);
    ck_assert_int_eq(world_node(&W, "server", 1, &s), 0);
    ck_assert_int_eq(world_node(&W, "client", 0, &c), 0);
    memset(&scfg, 0, sizeof(scfg));
    scfg.object = vrpc_appcycle_object(ac);
    scfg.authorizer = &vsec_auth_everyone;
    ck_assert_int_eq(vrpc_server_new(s->m, &scfg, &s->s), 0);
}

static void teardown(void)
{
    vrpc_appcycle_free(ac);
    world_teardown();
}

/* A client's call and what came of it. */
struct watch {
    struct vrpc_call *call;
    int items, done;
    int32_t progress, goal; /* of the last item */
    bool failed;
};

static void got(void *ud, const v23_appcycle_task *t)
{
    struct watch *w = ud;

    w->items++;
    w->progress = t->progress;
    w->goal = t->goal;
}

static void over(void *ud, const struct v23_verror *err)
{
    struct watch *w = ud;

    w->done = 1;
    w->failed = err != NULL;
}

static const v23_appcycle_app_cycle_stop_cb callbacks = { got, over };

static void watch(struct watch *w)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    int before = stops;

    memset(w, 0, sizeof(*w));
    o.server_auth = &vsec_auth_everyone;
    w->call = v23_appcycle_app_cycle_stop_start(c->c, world_name(s, ""), &o,
        &callbacks, w);
    ck_assert_ptr_nonnull(w->call);
    world_settle(&W);
    ck_assert_int_eq(stops, before + 1);
}

START_TEST(whoever_asks_for_the_end_sees_it_come)
{
    static struct watch a, b;

    watch(&a);
    vrpc_appcycle_advance_goal(ac, 3);
    world_settle(&W);
    ck_assert_int_eq(a.items, 1);
    ck_assert_int_eq(a.goal, 3);
    watch(&b);
    vrpc_appcycle_advance_progress(ac, 1);
    vrpc_appcycle_advance_progress(ac, 0);
    vrpc_appcycle_advance_goal(ac, -1);
    world_settle(&W);
    ck_assert_int_eq(a.items, 2);
    ck_assert_int_eq(a.progress, 1);
    ck_assert_int_eq(b.items, 1);
    ck_assert_int_eq(b.goal, 3);
    ck_assert(!a.done && !b.done);

    vrpc_appcycle_end(ac);
    world_settle(&W);
    ck_assert(a.done && !a.failed);
    ck_assert(b.done && !b.failed);
}
END_TEST

START_TEST(a_late_request_ends_at_once)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    static struct watch a;

    vrpc_appcycle_end(ac);
    memset(&a, 0, sizeof(a));
    o.server_auth = &vsec_auth_everyone;
    ck_assert_ptr_nonnull(v23_appcycle_app_cycle_stop_start(c->c,
        world_name(s, ""), &o, &callbacks, &a));
    world_settle(&W);
    ck_assert(a.done && !a.failed);
    ck_assert_int_eq(stops, 0);
}
END_TEST

START_TEST(a_watcher_may_go)
{
    static struct watch a, b;

    watch(&a);
    watch(&b);
    vrpc_call_cancel(a.call);
    world_settle(&W);
    ck_assert(a.done && a.failed);
    vrpc_appcycle_advance_goal(ac, 1);
    world_settle(&W);
    ck_assert_int_eq(b.items, 1);
    world_cut(world_link_of(&W, c));
    world_settle(&W);
    vrpc_appcycle_advance_goal(ac, 1);
    ck_assert_uint_eq(vrpc_server_ncalls(s->s), 0);
}
END_TEST

START_TEST(a_slow_reader_gets_the_newest_state)
{
    static struct watch a;
    int i;

    watch(&a);
    vrpc_call_pause(a.call, true);
    for (i = 0; i < 400000; i++)
        vrpc_appcycle_advance_goal(ac, 1);
    world_settle(&W);
    vrpc_call_pause(a.call, false);
    world_settle(&W);
    ck_assert_int_eq(a.goal, 400000);
    ck_assert_int_lt(a.items, 400000);
}
END_TEST

START_TEST(steps_do_not_overflow)
{
    static struct watch a;

    watch(&a);
    vrpc_appcycle_advance_goal(ac, INT32_MAX);
    vrpc_appcycle_advance_goal(ac, INT32_MAX);
    world_settle(&W);
    ck_assert_int_eq(a.goal, INT32_MAX);
}
END_TEST

START_TEST(force_stop_asks_for_it)
{
    static struct watch a;
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;

    o.server_auth = &vsec_auth_everyone;
    ck_assert_ptr_nonnull(v23_appcycle_app_cycle_force_stop_start(c->c,
        world_name(s, ""), &o, over, &a));
    world_settle(&W);
    ck_assert_int_eq(forces, 1);
    ck_assert(a.done && a.failed); /* ours returns */
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, whoever_asks_for_the_end_sees_it_come);
    tcase_add_test(tc, a_late_request_ends_at_once);
    tcase_add_test(tc, a_watcher_may_go);
    tcase_add_test(tc, a_slow_reader_gets_the_newest_state);
    tcase_add_test(tc, steps_do_not_overflow);
    tcase_add_test(tc, force_stop_asks_for_it);
}

int main(void)
{
    return tst_run_case("librpc/appcycle", fill, setup, teardown);
}
