/* BSD-3-Clause; see LICENSE. */
/* The tree of statistics (spec/services.md 4.3), in virtual time. Series as
 * the reference implementation gives them for the same events. */
#include "stats_rig.h"

/* ---- simple objects ------------------------------------------------------ */

START_TEST(simple_objects_have_the_types_of_the_spec)
{
    struct vrpc_stat *i, *f, *s, *m;

    ck_assert_int_eq(vrpc_stats_integer(T, vdl_str("a/int"), &i), 0);
    ck_assert_int_eq(vrpc_stats_float(T, vdl_str("/a//float/"), &f), 0);
    ck_assert_int_eq(vrpc_stats_string(T, vdl_str("text"), &s), 0);
    ck_assert_int_eq(vrpc_stats_map(T, vdl_str("map"), &m), 0);
    ck_assert_int_eq(vrpc_stat_set_int(i, -7, 1), 0);
    ck_assert_int_eq(vrpc_stat_incr(i, 3, 1), 0);
    ck_assert_int_eq(vrpc_stat_set_float(f, 1.5, 1), 0);
    ck_assert_int_eq(vrpc_stat_set_string(s, vdl_str("long text"), 1), 0);
    ck_assert_int_eq(vrpc_stat_set_string(s, vdl_str("short"), 1), 0);

    ck_assert_int_eq(int_of("a/int"), -4);
    ck_assert(float_of("a/float") == 1.5);
    ck_assert_str_eq(text_of("//text"), "\"short\"");
    ck_assert_str_eq(text_of("map"), "none");
    ck_assert_str_eq(text_of("a"), v23_strerror(V23_ENOENT));
    ck_assert_str_eq(text_of("a/none"), v23_strerror(V23_ENOENT));
    ck_assert_str_eq(text_of(""), v23_strerror(V23_ENOENT));
}
END_TEST

START_TEST(objects_refuse_what_is_not_for_their_kind)
{
    struct vrpc_stat *i, *s, *h, *other;

    ck_assert_int_eq(vrpc_stats_integer(T, vdl_str("i"), &i), 0);
    ck_assert_int_eq(vrpc_stats_string(T, vdl_str("s"), &s), 0);
    h = histogram("h", 2, 0, 1, 0);

    ck_assert_int_eq(vrpc_stats_integer(T, vdl_str("i"), &other),
        V23_EEXIST);
    ck_assert_int_eq(vrpc_stats_counter(T, vdl_str("h"), 0, &other),
        V23_EEXIST);
    ck_assert_int_eq(vrpc_stats_map(T, vdl_str("//"), &other), V23_EARG);
    ck_assert_int_eq(vrpc_stat_set_int(s, 1, 1), V23_EARG);
    ck_assert_int_eq(vrpc_stat_incr(h, 1, 1), V23_EARG);
    ck_assert_int_eq(vrpc_stat_set_float(i, 1, 1), V23_EARG);
    ck_assert_int_eq(vrpc_stat_set_string(i, vdl_str(""), 1), V23_EARG);
    ck_assert_int_eq(vrpc_stat_record(i, 1, 1), V23_EARG);
    ck_assert_int_eq(vrpc_stat_map_incr(i, vdl_str("k"), 1, 1), V23_EARG);
    ck_assert_int_eq(vrpc_stat_incr(NULL, 1, 1), 0);
    ck_assert_int_eq(vrpc_stat_record(NULL, 1, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_set(NULL, vdl_str("k"),
                         (struct vdl_any){ NULL, NULL }, 1), 0);
}
END_TEST

START_TEST(names_are_at_most_64_elements_deep)
{
    struct vrpc_stat *s;
    char name[140];
    int i;

    for (i = 0; i < 65; i++) {
        name[2 * i] = 'a';
        name[2 * i + 1] = '/';
    }
    ck_assert_int_eq(vrpc_stats_integer(T, vdl_strn(name, 130), &s),
        V23_EARG);
    ck_assert_str_eq(glob("", "...", INT64_MIN, false), "");
    ck_assert_int_eq(vrpc_stats_integer(T, vdl_strn(name, 128), &s), 0);
}
END_TEST

static int answer(void *ud, const struct v23_now *n, struct v23_arena *a,
    struct vdl_any *out)
{
    int64_t *v = v23_arena_new(a, int64_t);

    if (*(int *)ud != 0)
        return *(int *)ud;
    ck_assert_ptr_nonnull(v);
    *v = n->wall.sec;
    out->type = &vdl_int64_desc;
    out->val = v;
    return 0;
}

START_TEST(functions_are_asked_at_each_reading)
{
    int fails = 0;

    ck_assert_int_eq(vrpc_stats_func(T, vdl_str("f"), answer, &fails), 0);

    at(5);
    ck_assert_int_eq(int_of("f"), 5);
    at(6);
    ck_assert_int_eq(int_of("f"), 6);
    ck_assert_str_eq(glob("", "f", now.mono_ns, true), "f=int64(6)");
    fails = V23_ENOSYS;
    ck_assert_str_eq(text_of("f"), "none");
}
END_TEST

START_TEST(maps_keep_the_kinds_of_their_values)
{
    static const bool yes = true;
    static const int16_t small = -3;
    static const uint16_t word = 65535;
    static const float half = 0.5;
    static const struct vdl_str t1 = VDL_STR_INIT("one");
    static const struct vdl_str t2 = VDL_STR_INIT("another");
    const struct vdl_any b = { &vdl_bool_desc, &yes },
        i = { &vdl_int16_desc, &small }, u = { &vdl_uint16_desc, &word },
        f = { &vdl_float32_desc, &half }, s = { &vdl_string_desc, &t1 },
        l = { &vdl_string_desc, &t2 }, nil = { NULL, NULL };
    struct vrpc_stat *m;

    ck_assert_int_eq(vrpc_stats_map(T, vdl_str("m"), &m), 0);
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str("b"), b, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str("i"), i, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str("u"), u, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str("f"), f, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str("s"), s, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str("s"), l, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("i"), 5, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("u"), -5, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("f"), 2, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("new/key"), -1, 2), 0);

    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("s"), 1, 1), V23_EARG);
    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("b"), 1, 1), V23_EARG);
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str("n"), nil, 1), V23_EARG);
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str(""), b, 1), V23_EARG);
    ck_assert_str_eq(glob("m", "*", INT64_MIN, true),
        "b=true f=float64(2.5) i=int64(2) new "
        "s=\"another\" u=uint64(65530)");
    ck_assert_str_eq(glob("m", "...", 2, true), "new/key=int64(-1)");
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str("s"), b, 1), 0);
    ck_assert_int_eq(vrpc_stat_map_set(m, vdl_str("b"), s, 1), 0);
    ck_assert_str_eq(glob("", "m/[bs]", INT64_MIN, true),
        "m/b=\"one\" m/s=true");
    vrpc_stat_map_delete(m, vdl_str("s"));
    vrpc_stat_map_delete(m, vdl_str("none"));
    vrpc_stat_map_delete(m, vdl_str(""));
    ck_assert_str_eq(glob("m", "*", INT64_MIN, false), "b f i new u");
}
END_TEST

/* ---- counters ------------------------------------------------------------ */

START_TEST(counters_know_what_they_grew_by)
{
    struct vrpc_stat *c = counter("c");
    int s;

    for (s = 2; s <= 70; s++) {
        at(s);
        incr(c, 1);
        if (s == 3)
            ck_assert_int_eq(int_of("c/delta1m"), 2);
    }
    ck_assert_int_eq(int_of("c"), 69);
    ck_assert_int_eq(int_of("c/delta1m"), 60);
    ck_assert_int_eq(int_of("c/delta10m"), 69);
    at(80);
    ck_assert_int_eq(int_of("c"), 69);
    ck_assert_int_eq(int_of("c/delta1m"), 50);
    ck_assert_int_eq(int_of("c/delta1h"), 69);
    at(200);
    ck_assert_int_eq(int_of("c/delta1m"), 0);
}
END_TEST

START_TEST(counters_of_90_minutes_show_the_last_periods)
{
    struct vrpc_stat *c;
    int i;

    at(59);
    c = counter("c");
    for (i = 1; i <= 60 * 90; i++) {
        at(59 + i);
        incr(c, 1);
    }
    ck_assert_int_eq(int_of("c"), 5400);
    ck_assert_int_eq(int_of("c/delta1m"), 60);
    ck_assert_int_eq(int_of("c/delta10m"), 600);
    ck_assert_int_eq(int_of("c/delta1h"), 3600);
    ck_assert(float_of("c/rate1h") == 1);
}
END_TEST

START_TEST(rates_are_per_second_since_the_beginning)
{
    struct vrpc_stat *c;
    int i;

    c = counter("one");
    ck_assert(float_of("one/rate1m") == 0);
    for (i = 0; i < 10; i++) {
        at(now.wall.sec + 1);
        incr(c, 1);
    }
    ck_assert(float_of("one/rate1m") == 1);
    c = counter("other");
    for (i = 0; i < 10; i++) {
        at(now.wall.sec + 2);
        incr(c, 3);
    }
    ck_assert(float_of("other/rate1m") == 1.5);
    c = counter("third");
    for (i = 0; i < 100; i++) {
        at(now.wall.sec + 4);
        incr(c, 5);
    }
    ck_assert(float_of("third/rate1m") == 1.25);
}
END_TEST

START_TEST(time_series_go_from_the_oldest_to_the_newest)
{
    struct vrpc_stat *c = counter("c");
    const v23_services_stats_time_series *ts;
    struct vdl_any v;
    int i;

    for (i = 0; i < 3; i++) {
        at(now.wall.sec + 1);
        incr(c, 1);
    }
    ck_assert_ptr_nonnull(strstr(text_of("c/timeseries1m"),
        "{Values: {0, 1, 2, 3}, Resolution: {Seconds: 1, Nanos: 0}, "
        "StartTime: {Seconds: 62135596801, Nanos: 0}}"));
    ck_assert_ptr_nonnull(strstr(text_of("c/timeseries10m"),
        "{Values: {3}, Resolution: {Seconds: 10, Nanos: 0}, "
        "StartTime: {Seconds: 62135596800, Nanos: 0}}"));
    for (i = 0; i < 100; i++) {
        at(now.wall.sec + 1);
        incr(c, 1);
    }
    ck_assert_int_eq(vrpc_stats_value(T, vdl_str("c/timeseries1m"), &now, &R,
                         &v), 0);
    ts = v.val;
    ck_assert_uint_eq(ts->values.n, 61);
    for (i = 0; i <= 60; i++)
        ck_assert_int_eq(ts->values.v[i], 43 + i);
    ck_assert_int_eq(ts->start_time.seconds - V23_TIME_UNIX_EPOCH, 44);
    /* The clock on the wall was wrong all the time. */
    now.wall.sec += 1000;
    ck_assert_int_eq(vrpc_stats_value(T, vdl_str("c/timeseries1m"), &now, &R,
                         &v), 0);
    ts = v.val;
    ck_assert_int_eq(ts->start_time.seconds - V23_TIME_UNIX_EPOCH, 1044);
}
END_TEST

START_TEST(jumps_of_the_clock_do_no_harm)
{
    struct vrpc_stat *c = counter("c");

    at(INT64_C(4000000000));
    incr(c, 5);
    ck_assert_int_eq(int_of("c/delta1m"), 5);
    at(7);
    incr(c, 6);
    ck_assert_int_eq(int_of("c"), 11);
    ck_assert_int_eq(int_of("c/delta1h"), 11);
    at(INT64_C(4000000001));
    incr(c, INT64_MAX);
    ck_assert_int_eq(int_of("c"), INT64_MIN + 10);
}
END_TEST

/* ---- search -------------------------------------------------------------- */

START_TEST(glob_sorts_by_the_whole_name)
{
    struct vrpc_stat *s;

    ck_assert_int_eq(vrpc_stats_integer(T, vdl_str("a/x"), &s), 0);
    ck_assert_int_eq(vrpc_stats_integer(T, vdl_str("a-b"), &s), 0);
    ck_assert_int_eq(vrpc_stats_integer(T, vdl_str("a/b/c"), &s), 0);

    ck_assert_str_eq(glob("", "...", INT64_MIN, false),
        " a a-b a/b a/b/c a/x");
    ck_assert_str_eq(glob("", "*/*", INT64_MIN, false), "a/b a/x");
    ck_assert_str_eq(glob("a", "b/...", INT64_MIN, true), "b b/c=int64(0)");
    ck_assert_str_eq(glob("a/b", "", INT64_MIN, false), "");
    ck_assert_str_eq(glob("none", "*", INT64_MIN, false),
        v23_strerror(V23_ENOENT));
    ck_assert_str_eq(glob("", "nothing", INT64_MIN, false), "");
}
END_TEST

START_TEST(glob_since_finds_what_was_updated)
{
    struct vrpc_stat *i, *c;

    ck_assert_int_eq(vrpc_stats_integer(T, vdl_str("i"), &i), 0);
    c = counter("c");
    ck_assert_str_eq(glob("", "...", 1, false), "");
    at(100);
    incr(c, 1);
    at(110);
    incr(i, 1);
    ck_assert_str_eq(glob("", "*", now.mono_ns, false), "i");
    ck_assert_str_eq(glob("", "*", now.mono_ns + 1, false), "");
    /* What is derived goes on changing for a while. */
    ck_assert_str_eq(glob("", "c/*1m", now.mono_ns, false),
        "c/delta1m c/rate1m c/timeseries1m");
    at(160);
    ck_assert_str_eq(glob("c", "delta*", now.mono_ns, false),
        "delta10m delta1h delta1m");
    at(161);
    ck_assert_str_eq(glob("c", "delta*", now.mono_ns, false),
        "delta10m delta1h");
    at(701);
    ck_assert_str_eq(glob("c", "delta*", now.mono_ns, false), "delta1h");
    at(3701);
    ck_assert_str_eq(glob("", "...", now.mono_ns, false), "");
}
END_TEST

START_TEST(delete_removes_what_is_below)
{
    struct vrpc_stat *s;

    counter("a/b/c");
    ck_assert_int_eq(vrpc_stats_integer(T, vdl_str("a/b"), &s), 0);
    ck_assert_int_eq(vrpc_stats_delete(T, vdl_str("a/x")), V23_ENOENT);
    ck_assert_int_eq(vrpc_stats_delete(T, vdl_str("")), V23_ENOENT);
    ck_assert_int_eq(vrpc_stats_delete(T, vdl_str("a/b")), 0);
    ck_assert_str_eq(glob("", "...", INT64_MIN, false), " a");
    counter("a/b/c");
    ck_assert_int_eq(int_of("a/b/c"), 0);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

START_TEST(a_full_tree_takes_nothing_more)
{
    struct vrpc_stat *s, *m;
    char key[32];
    int i, rc = 0;

    vrpc_stats_free(T);
    T = tree(20000);
    ck_assert_int_eq(vrpc_stats_map(T, vdl_str("m"), &m), 0);
    for (i = 0; rc == 0; i++) {
        snprintf(key, sizeof(key), "user%d", i);
        rc = vrpc_stat_map_incr(m, vdl_str(key), 1, 1);
    }
    ck_assert_int_eq(rc, V23_ELIMIT);
    ck_assert_int_gt(i, 50);
    ck_assert_uint_le(A.bytes, 20000 + 4096);
    ck_assert_int_eq(vrpc_stats_counter(T, vdl_str("x/y"), 1, &s),
        V23_ELIMIT);
    ck_assert_int_eq(vrpc_stats_histogram(T, vdl_str("x/y"), NULL, 1, &s),
        V23_ELIMIT);
    ck_assert_str_eq(glob("", "*", INT64_MIN, false), "m");
    /* Known keys are still counted, and others after a key has gone. */
    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("user0"), 1, 1), 0);
    vrpc_stat_map_delete(m, vdl_str("user1"));
    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("other"), 1, 1), 0);
}
END_TEST

START_TEST(updates_do_not_allocate)
{
    struct vrpc_stat *h = histogram("h", 25, 1, 1, 0), *c = counter("c");
    struct vrpc_stat *m;
    size_t calls;
    int i;

    ck_assert_int_eq(vrpc_stats_map(T, vdl_str("m"), &m), 0);
    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("k"), 1, 1), 0);
    record(h, 3);
    incr(c, 1);
    calls = A.calls;
    for (i = 0; i < 1000; i++) {
        at(now.wall.sec + 7);
        record(h, 3);
        incr(c, 1);
        ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("k"), 1, 1), 0);
    }
    ck_assert_uint_eq(A.calls, calls);
}
END_TEST

static int everything(const struct v23_alloc *al, void *ud)
{
    struct vrpc_stats_config cfg = { al, 0, NULL, NULL, NULL };
    static const struct vdl_str text = VDL_STR_INIT("text");
    const struct vdl_any any = { &vdl_string_desc, &text };
    struct vrpc_stats *t;
    struct vrpc_stat *s;
    int rc = vrpc_stats_new(&cfg, &now, &t);

    (void)ud;
    if (rc != 0)
        return rc;
    rc = vrpc_stats_counter(t, vdl_str("a/c"), 1, &s);
    if (rc == 0)
        rc = vrpc_stats_histogram(t, vdl_str("a/h"), NULL, 1, &s);
    if (rc == 0)
        rc = vrpc_stat_record(s, 1, 1);
    if (rc == 0)
        rc = vrpc_stats_string(t, vdl_str("b/s"), &s);
    if (rc == 0)
        rc = vrpc_stat_set_string(s, text, 1);
    if (rc == 0)
        rc = vrpc_stats_map(t, vdl_str("m"), &s);
    if (rc == 0)
        rc = vrpc_stat_map_set(s, vdl_str("k/l"), any, 1);
    if (rc == 0)
        rc = vrpc_stat_map_incr(s, vdl_str("i"), 1, 1);
    vrpc_stats_free(t);
    return rc;
}

START_TEST(memory_may_end_at_any_step)
{
    tst_out_of_memory(everything, NULL);
}
END_TEST

START_TEST(half_made_objects_leave_nothing)
{
    struct vrpc_stat *s;
    size_t k;
    int rc = V23_ENOMEM;

    for (k = 1; rc != 0; k++) {
        A.fail_at = A.calls + k;
        rc = vrpc_stats_counter(T, vdl_str("a/b/c"), 1, &s);
        A.fail_at = 0;
        if (rc != 0)
            ck_assert_str_eq(glob("", "...", INT64_MIN, false), "");
    }
    ck_assert_int_eq(vrpc_stats_delete(T, vdl_str("a")), 0);
}
END_TEST

static int locks, unlocks;

static void take(void *ud)
{
    (void)ud;
    ck_assert_int_eq(locks, unlocks);
    locks++;
}

static void give(void *ud)
{
    (void)ud;
    unlocks++;
    ck_assert_int_eq(locks, unlocks);
}

START_TEST(the_lock_is_held_once_by_each_function)
{
    struct vrpc_stats_config cfg = { &A.al, 0, take, give, NULL };
    struct vrpc_stat *c, *h, *m;

    vrpc_stats_free(T);
    ck_assert_int_eq(vrpc_stats_new(&cfg, &now, &T), 0);
    c = counter("c");
    h = histogram("h", 0, 0, 0, 0);
    ck_assert_int_eq(vrpc_stats_map(T, vdl_str("m"), &m), 0);
    locks = unlocks = 0;
    incr(c, 1);
    record(h, 1);
    ck_assert_int_eq(vrpc_stat_map_incr(m, vdl_str("k"), 1, 1), 0);
    ck_assert_int_eq(vrpc_stat_set_float(c, 1, 1), V23_EARG);
    ck_assert_str_eq(glob("", "[ch]", INT64_MIN, false), "c h");
    ck_assert_int_eq(int_of("c"), 1);
    ck_assert_int_eq(vrpc_stats_delete(T, vdl_str("c")), 0);
    ck_assert_int_eq(locks, 6);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, simple_objects_have_the_types_of_the_spec);
    tcase_add_test(tc, objects_refuse_what_is_not_for_their_kind);
    tcase_add_test(tc, names_are_at_most_64_elements_deep);
    tcase_add_test(tc, functions_are_asked_at_each_reading);
    tcase_add_test(tc, maps_keep_the_kinds_of_their_values);
    tcase_add_test(tc, counters_know_what_they_grew_by);
    tcase_add_test(tc, counters_of_90_minutes_show_the_last_periods);
    tcase_add_test(tc, rates_are_per_second_since_the_beginning);
    tcase_add_test(tc, time_series_go_from_the_oldest_to_the_newest);
    tcase_add_test(tc, jumps_of_the_clock_do_no_harm);
    tcase_add_test(tc, glob_sorts_by_the_whole_name);
    tcase_add_test(tc, glob_since_finds_what_was_updated);
    tcase_add_test(tc, delete_removes_what_is_below);
    tcase_add_test(tc, a_full_tree_takes_nothing_more);
    tcase_add_test(tc, updates_do_not_allocate);
    tcase_add_test(tc, memory_may_end_at_any_step);
    tcase_add_test(tc, half_made_objects_leave_nothing);
    tcase_add_test(tc, the_lock_is_held_once_by_each_function);
}

int main(void)
{
    return tst_run_case("librpc/stats", fill, setup, teardown);
}
