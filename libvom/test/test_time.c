/* BSD-3-Clause; see LICENSE. */
/* Durations, instants and deadlines: arithmetic and text. */
#include <check.h>
#include <stdio.h>

#include <suite.h>
#include <support.h>
#include <vom/time.h>

/* "1h2m" as nanoseconds, or the reason why it is refused. */
static const char *duration(const char *s)
{
    static char out[128];
    struct v23_buf why;
    int64_t ns = -1;

    v23_buf_init_fixed(&why, out, sizeof(out));
    if (v23_duration_parse(s, &ns, &why) == 0)
        v23_buf_printf(&why, "%lld", (long long)ns);
    else
        ck_assert_int_eq(ns, -1);
    return v23_buf_cstr(&why);
}

static const char *duration_text(int64_t ns)
{
    static char out[64];
    struct v23_buf b;

    v23_buf_init_fixed(&b, out, sizeof(out));
    v23_duration_put(&b, ns);
    return v23_buf_cstr(&b);
}

static const char *wall_text(int64_t sec, int32_t nanos)
{
    static char out[64];
    struct v23_walltime t;
    struct v23_buf b;

    t.sec = sec;
    t.nanos = nanos;
    v23_buf_init_fixed(&b, out, sizeof(out));
    v23_walltime_put(&b, t);
    return v23_buf_cstr(&b);
}

/* ---- duration text ------------------------------------------------------- */

START_TEST(durations_are_read)
{
    ck_assert_str_eq(duration("0"), "0");
    ck_assert_str_eq(duration("-0"), "0");
    ck_assert_str_eq(duration("1h2m3.5s"), "3723500000000");
    ck_assert_str_eq(duration("+1.5h"), "5400000000000");
    ck_assert_str_eq(duration("-.5ms"), "-500000");
    ck_assert_str_eq(duration("1us1\xc2\xb5s1\xce\xbcs1ns"), "3001");
    ck_assert_str_eq(duration("1.00000000000000000001s"), "1000000000");
    ck_assert_str_eq(duration("9223372036854775807ns"),
        "9223372036854775807");
    ck_assert_str_eq(duration("-9223372036854775808ns"),
        "-9223372036854775808");
    ck_assert_str_eq(duration("0.9223372036854775807h"), "3320413933267");
}
END_TEST

START_TEST(bad_durations_say_why)
{
    ck_assert_str_eq(duration("zz"), "time: invalid duration \"zz\"");
    ck_assert_str_eq(duration(""), "time: invalid duration \"\"");
    ck_assert_str_eq(duration("-"), "time: invalid duration \"-\"");
    ck_assert_str_eq(duration("10"),
        "time: missing unit in duration \"10\"");
    ck_assert_str_eq(duration("1h2"),
        "time: missing unit in duration \"1h2\"");
    ck_assert_str_eq(duration("3d"),
        "time: unknown unit \"d\" in duration \"3d\"");
    ck_assert_str_eq(duration(".s"), "time: invalid duration \".s\"");
    ck_assert_str_eq(duration("9223372036854775808ns"),
        "time: invalid duration \"9223372036854775808ns\"");
    ck_assert_str_eq(duration("99999999999999999999s"),
        "time: invalid duration \"99999999999999999999s\"");
    ck_assert_str_eq(duration("2562048h"),
        "time: invalid duration \"2562048h\"");
    ck_assert_int_eq(v23_duration_parse("x", NULL, NULL), V23_ETEXT);
}
END_TEST

START_TEST(durations_are_printed)
{
    ck_assert_str_eq(duration_text(0), "0s");
    ck_assert_str_eq(duration_text(1), "1ns");
    ck_assert_str_eq(duration_text(1100), "1.1\xc2\xb5s");
    ck_assert_str_eq(duration_text(2200000), "2.2ms");
    ck_assert_str_eq(duration_text(3300000000), "3.3s");
    ck_assert_str_eq(duration_text(INT64_C(60000000000)), "1m0s");
    ck_assert_str_eq(duration_text(INT64_C(3723500000000)), "1h2m3.5s");
    ck_assert_str_eq(duration_text(INT64_C(3600000000001)),
        "1h0m0.000000001s");
    ck_assert_str_eq(duration_text(-1500000000), "-1.5s");
    ck_assert_str_eq(duration_text(INT64_MIN), "-2562047h47m16.854775808s");
    ck_assert_str_eq(duration_text(INT64_MAX), "2562047h47m16.854775807s");
}
END_TEST

/* ---- conversion ---------------------------------------------------------- */

static void normal(int64_t s, int32_t n, int64_t want_s, int32_t want_n)
{
    v23_time_duration d;

    d.seconds = s;
    d.nanos = n;
    d = v23_duration_normalize(d);
    ck_assert_int_eq(d.seconds, want_s);
    ck_assert_int_eq(d.nanos, want_n);
}

START_TEST(normalizing_makes_one_sign)
{
    normal(1, -1, 0, 999999999);
    normal(-1, 1, 0, -999999999);
    normal(0, -1, 0, -1);
    normal(5, 2000000001, 7, 1);
    normal(-5, -2000000001, -7, -1);
    normal(1, -1500000000, 0, -500000000);
    normal(INT64_MAX, 2000000000, INT64_MAX, 0);
    normal(INT64_MIN, -2000000000, INT64_MIN, 0);
}
END_TEST

START_TEST(nanoseconds_go_both_ways)
{
    static const int64_t all[] = { 0, 1, -1, 999999999, -1000000000,
        INT64_C(-2500000000), INT64_MAX, INT64_MIN };
    v23_time_duration d;
    int64_t ns;
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        ck_assert_int_eq(
            v23_duration_to_ns(v23_duration_from_ns(all[i]), &ns), 0);
        ck_assert_int_eq(ns, all[i]);
    }
    d = v23_duration_from_ns(INT64_MAX);
    d.nanos++;
    ns = 5;
    ck_assert_int_eq(v23_duration_to_ns(d, &ns), V23_ECONVERT);
    d = v23_duration_from_ns(INT64_MIN);
    d.nanos--;
    ck_assert_int_eq(v23_duration_to_ns(d, &ns), V23_ECONVERT);
    d.seconds = INT64_MIN;
    ck_assert_int_eq(v23_duration_to_ns(d, &ns), V23_ECONVERT);
    ck_assert_int_eq(ns, 5);
}
END_TEST

START_TEST(instants_go_both_ways)
{
    struct v23_walltime t = { -1, 500000000 };
    v23_time_time w = v23_time_from_wall(t);

    ck_assert_int_eq(w.seconds, 62135596799);
    ck_assert_int_eq(w.nanos, 500000000);
    t = v23_time_to_wall(w);
    ck_assert_int_eq(t.sec, -1);
    ck_assert_int_eq(t.nanos, 500000000);
    /* Before the year 1 both parts are negative. */
    t.sec = -62135596801;
    w = v23_time_from_wall(t);
    ck_assert_int_eq(w.seconds, 0);
    ck_assert_int_eq(w.nanos, -500000000);
    t = v23_time_to_wall(w);
    ck_assert_int_eq(t.sec, -62135596801);
    ck_assert_int_eq(t.nanos, 500000000);
    w.seconds = INT64_MIN;
    ck_assert_int_eq(v23_time_to_wall(w).sec, INT64_MIN);
    t.sec = INT64_MAX;
    ck_assert_int_eq(v23_time_from_wall(t).seconds, INT64_MAX);
}
END_TEST

START_TEST(deadlines_are_relative)
{
    v23_time_wire_deadline d = v23_deadline_to_wire(V23_NEVER, 5);

    ck_assert_int_eq(d.from_now.seconds, 0);
    ck_assert_int_eq(d.from_now.nanos, 0);
    ck_assert(v23_deadline_from_wire(d, 7) == V23_NEVER);
    d = v23_deadline_to_wire(100, 100);
    ck_assert_int_eq(d.from_now.nanos, 1);
    d = v23_deadline_to_wire(3000000100, 100);
    ck_assert_int_eq(d.from_now.seconds, 3);
    ck_assert_int_eq(v23_deadline_from_wire(d, 1000), 3000001000);
    d = v23_deadline_to_wire(100, 300);
    ck_assert_int_eq(v23_deadline_from_wire(d, 1000), 800);
    d.from_now.seconds = INT64_MAX;
    ck_assert(v23_deadline_from_wire(d, 1000) == V23_NEVER);
    d.from_now.seconds = INT64_MIN;
    ck_assert(v23_deadline_from_wire(d, 1000) == INT64_MIN);
}
END_TEST

START_TEST(instants_are_added_and_compared)
{
    struct v23_walltime t = { 10, 900000000 }, u;

    u = v23_walltime_add(t, 200000000);
    ck_assert_int_eq(u.sec, 11);
    ck_assert_int_eq(u.nanos, 100000000);
    ck_assert_int_gt(v23_walltime_cmp(u, t), 0);
    u = v23_walltime_add(t, -10950000000);
    ck_assert_int_eq(u.sec, -1);
    ck_assert_int_eq(u.nanos, 950000000);
    ck_assert_int_lt(v23_walltime_cmp(u, t), 0);
    t.sec = INT64_MAX;
    ck_assert_int_eq(v23_walltime_add(t, INT64_MAX).sec, INT64_MAX);
    ck_assert_int_eq(v23_walltime_cmp(t, t), 0);
}
END_TEST

/* ---- instant text -------------------------------------------------------- */

START_TEST(instants_are_printed)
{
    ck_assert_str_eq(wall_text(0, 0), "1970-01-01T00:00:00Z");
    ck_assert_str_eq(wall_text(1728388800, 123456789),
        "2024-10-08T12:00:00.123456789Z");
    ck_assert_str_eq(wall_text(951782399, 500000000),
        "2000-02-28T23:59:59.5Z");
    ck_assert_str_eq(wall_text(951782400, 0), "2000-02-29T00:00:00Z");
    ck_assert_str_eq(wall_text(-1, 1), "1969-12-31T23:59:59.000000001Z");
    ck_assert_str_eq(wall_text(-62135596800, 0), "0001-01-01T00:00:00Z");
    ck_assert_str_eq(wall_text(253402300800, 0), "10000-01-01T00:00:00Z");
    ck_assert_str_eq(wall_text(INT64_MIN, 0),
        "-292277022657-01-27T08:29:52Z");
}
END_TEST

START_TEST(instants_are_read)
{
    struct v23_walltime t;
    int64_t sec;
    const char *s;

    for (sec = -62135596800; sec < 253402300800; sec += 86400 * 97 + 12345) {
        s = wall_text(sec, 7);
        ck_assert_int_eq(v23_walltime_parse(s, strlen(s), &t), 0);
        ck_assert_int_eq(t.sec, sec);
        ck_assert_int_eq(t.nanos, 7);
    }
    ck_assert_int_eq(
        v23_walltime_parse("2024-10-08T12:00:00.25+02:30", 28, &t), 0);
    ck_assert_int_eq(t.sec, 1728388800 - 9000);
    ck_assert_int_eq(t.nanos, 250000000);
    ck_assert_int_eq(
        v23_walltime_parse("2024-10-08T12:00:00-00:30", 25, &t), 0);
    ck_assert_int_eq(t.sec, 1728388800 + 1800);
}
END_TEST

START_TEST(bad_instants_are_refused)
{
    static const char *const bad[] = { "", "2024-10-08", "2024-10-08T12:00:00",
        "2024-13-08T12:00:00Z", "2023-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z", "2024-10-08T24:00:00Z",
        "2024-10-08T12:00:60Z", "2024-10-08T12:00:00.Z",
        "2024-10-08T12:00:00Zx", "2024-10-08 12:00:00Z",
        "24-10-08T12:00:00Z", "2024-10-08T12:00:00+2:00",
        "2024-00-08T12:00:00Z" };
    struct v23_walltime t = { 5, 5 };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(v23_walltime_parse(bad[i], strlen(bad[i]), &t),
            V23_ETEXT);
    ck_assert_int_eq(t.sec, 5);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libvom/time");
    TCase *tc = tcase_create("time");

    tcase_add_test(tc, durations_are_read);
    tcase_add_test(tc, bad_durations_say_why);
    tcase_add_test(tc, durations_are_printed);
    tcase_add_test(tc, normalizing_makes_one_sign);
    tcase_add_test(tc, nanoseconds_go_both_ways);
    tcase_add_test(tc, instants_go_both_ways);
    tcase_add_test(tc, deadlines_are_relative);
    tcase_add_test(tc, instants_are_added_and_compared);
    tcase_add_test(tc, instants_are_printed);
    tcase_add_test(tc, instants_are_read);
    tcase_add_test(tc, bad_instants_are_refused);
    suite_add_tcase(s, tc);
    return tst_run(s);
}
