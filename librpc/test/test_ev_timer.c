/* BSD-3-Clause; see LICENSE. */
/* Timers of the runtime. */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include <v23/time.h>
#include <vrpc/runtime.h>

#include "suite.h"

#define DELAY (10 * V23_NS_PER_MS)
#define TIMES 20

struct run {
    struct vrpc_runtime rt;
    int64_t start, end, shortest;
    int left;
};

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * V23_NS_PER_SEC + t.tv_nsec;
}

static void later(void *ud)
{
    struct run *r = ud;

    r->end = clock_ns();
    vrpc_runtime_stop(&r->rt);
}

static void again(void *ud)
{
    struct run *r = ud;
    int64_t now = clock_ns();

    if (now - r->start < r->shortest)
        r->shortest = now - r->start;
    if (r->left-- == 0) {
        vrpc_runtime_stop(&r->rt);
        return;
    }
    r->start = now;
    ck_assert_int_eq(vrpc_runtime_after(&r->rt, DELAY, again, r), 0);
}

/* Other work wakes the loop at all times. */
static void tick(void *ud)
{
    struct run *r = ud;

    ck_assert_int_eq(
        vrpc_runtime_after(&r->rt, V23_NS_PER_MS / 2, tick, r), 0);
}

START_TEST(timer_is_never_early)
{
    struct run r = { .shortest = INT64_MAX, .left = TIMES };
    struct vrpc_flags flags;

    unsetenv("V23_CREDENTIALS");
    ck_assert_int_eq(vrpc_flags_init(&flags, VRPC_FLAGS_RUNTIME), 0);
    ck_assert_int_eq(vrpc_runtime_init(&r.rt, &flags, "test"), 0);
    tick(&r);
    r.start = clock_ns();
    ck_assert_int_eq(vrpc_runtime_after(&r.rt, DELAY, again, &r), 0);

    vrpc_runtime_run(&r.rt);

    ck_assert_int_ge(r.shortest, DELAY);
    vrpc_runtime_fini(&r.rt);
    vrpc_flags_fini(&flags);
}
END_TEST

START_TEST(cancelled_timer_does_not_fire)
{
    struct vrpc_flags flags;
    struct run r = { .start = 0 }, other = { .start = 0 };

    unsetenv("V23_CREDENTIALS");
    ck_assert_int_eq(vrpc_flags_init(&flags, VRPC_FLAGS_RUNTIME), 0);
    ck_assert_int_eq(vrpc_runtime_init(&r.rt, &flags, "test"), 0);
    ck_assert_int_eq(vrpc_runtime_after(&r.rt, 0, later, &other), 0);
    ck_assert_int_eq(vrpc_runtime_after(&r.rt, DELAY, later, &r), 0);
    vrpc_runtime_cancel(&r.rt, later, &other);

    vrpc_runtime_run(&r.rt);

    ck_assert_int_eq(other.end, 0);
    ck_assert_int_ne(r.end, 0);
    vrpc_runtime_fini(&r.rt);
    vrpc_flags_fini(&flags);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("librpc/ev_timer");
    TCase *t = tcase_create("timer");

    tcase_add_test(t, timer_is_never_early);
    tcase_add_test(t, cancelled_timer_does_not_fire);
    suite_add_tcase(s, t);
    return tst_run(s);
}
