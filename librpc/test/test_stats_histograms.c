/* BSD-3-Clause; see LICENSE. */
/* Histograms of the tree of statistics (spec/services.md 4.3). Extremes as the
 * reference implementation gives them for the same events. */
#include "stats_rig.h"

START_TEST(histograms_have_buckets_that_grow)
{
    const v23_services_stats_histogram_value *v;
    struct vrpc_stat *h = histogram("h", 25, 1, 1, 0);
    uint32_t i;

    v = histogram_of("h");
    ck_assert_int_eq(v->count, 0);
    ck_assert_int_eq(v->min, INT64_MAX);
    ck_assert_int_eq(v->max, INT64_MIN);
    ck_assert_uint_eq(v->buckets.n, 25);
    for (i = 1; i < 25; i++)
        ck_assert_int_eq(v->buckets.v[i].low_bound,
            (INT64_C(1) << i) - 1);
    record(h, 0);
    record(h, 2);
    record(h, 3);
    record(h, INT64_MAX);
    v = histogram_of("h");
    ck_assert_int_eq(v->count, 4);
    ck_assert_int_eq(v->buckets.v[0].count, 1);
    ck_assert_int_eq(v->buckets.v[1].count, 1);
    ck_assert_int_eq(v->buckets.v[2].count, 1);
    ck_assert_int_eq(v->buckets.v[24].count, 1);
    ck_assert_int_eq(vrpc_stat_record(h, -1, 1), V23_EARG);
    ck_assert_int_eq(histogram_of("h")->count, 4);
}
END_TEST

START_TEST(histograms_check_their_options)
{
    static const struct vrpc_histogram_options bad[] = {
        { 1001, 0, 1, 0 }, { 2, -1, 1, 0 }, { 2, NAN, 1, 0 },
        { 2, 0, -1, 0 }, { 2, 0, INFINITY, 0 }, { 2, 0, 1, INT64_MAX },
        { 100, 1, 1, 0 }, { 400, 1e300, 1, 0 },
    };
    struct vrpc_stat *s;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(vrpc_stats_histogram(T, vdl_str("a/b"), &bad[i], 0,
                             &s), V23_EARG);
    ck_assert_str_eq(glob("", "...", INT64_MIN, false), "");
    ck_assert_int_eq(vrpc_stats_histogram(T, vdl_str("d"), NULL, 0, &s), 0);
    ck_assert_uint_eq(histogram_of("d")->buckets.n, 32);
    ck_assert_int_eq(histogram_of("d")->buckets.v[31].low_bound, 31);
    ck_assert_int_eq(vrpc_stats_histogram(T, vdl_str("e"),
                         &(struct vrpc_histogram_options){ 3, 0, 0.5, -4 },
                         0, &s), 0);
    record(s, 10);
    ck_assert_int_eq(histogram_of("e")->buckets.v[2].low_bound, -4);
    ck_assert_int_eq(histogram_of("e")->buckets.v[2].count, 1);
}
END_TEST

/* Seconds passed, value pushed (0 = none), least and greatest of a minute, 10
 * minutes, an hour, ever. */
static const struct {
    int64_t after, push, least[4], most[4];
} track[] = {
#define NO INT64_MAX
#define ON INT64_MIN
    { 0, 0, { NO, NO, NO, NO }, { ON, ON, ON, ON } },
    { 1, 5, { 5, 5, 5, 5 }, { 5, 5, 5, 5 } },
    { 1, 10, { 5, 5, 5, 5 }, { 10, 10, 10, 10 } },
    { 1, 1, { 1, 1, 1, 1 }, { 10, 10, 10, 10 } },
    { 60, 0, { NO, 1, 1, 1 }, { ON, 10, 10, 10 } },
    { 600, 0, { NO, NO, 1, 1 }, { ON, ON, 10, 10 } },
    { 3600, 0, { NO, NO, NO, 1 }, { ON, ON, ON, 10 } },
    { 1, 5, { 5, 5, 5, 1 }, { 5, 5, 5, 10 } },
    { 60, 20, { 20, 5, 5, 1 }, { 20, 20, 20, 20 } },
    { 600, 15, { 15, 15, 5, 1 }, { 15, 15, 20, 20 } },
    { 3600, 10, { 10, 10, 10, 1 }, { 10, 10, 10, 20 } },
};

START_TEST(histograms_know_the_extremes_of_each_period)
{
    static const char *const names[4] = { "h/delta1m", "h/delta10m",
        "h/delta1h", "h" };
    struct vrpc_stat *h = histogram("h", 3, 0, 5, 0);
    const v23_services_stats_histogram_value *v;
    size_t i, k;

    for (i = 0; i < sizeof(track) / sizeof(track[0]); i++) {
        at(now.wall.sec + track[i].after);
        if (track[i].push > 0)
            record(h, track[i].push);
        for (k = 0; k < 4; k++) {
            v = histogram_of(names[k]);
            ck_assert_int_eq(v->min, track[i].least[k]);
            ck_assert_int_eq(v->max, track[i].most[k]);
        }
    }
}
END_TEST

START_TEST(deltas_of_histograms_are_those_of_their_buckets)
{
    struct vrpc_stat *h = histogram("h", 2, 0, 4, 0);
    const v23_services_stats_histogram_value *v;
    int i;

    for (i = 0; i < 100; i++) {
        at(now.wall.sec + 1);
        record(h, i % 10 == 0 ? 7 : 1);
    }
    v = histogram_of("h/delta1m");
    ck_assert_int_eq(v->count, 60);
    ck_assert_int_eq(v->sum, 6 * 7 + 54);
    ck_assert_int_eq(v->buckets.v[0].count, 54);
    ck_assert_int_eq(v->buckets.v[1].count, 6);
    v = histogram_of("h/delta10m");
    ck_assert_int_eq(v->count, 100);
    at(now.wall.sec + 7200);
    ck_assert_int_eq(histogram_of("h/delta1h")->count, 0);
    ck_assert_int_eq(histogram_of("h")->count, 100);
}
END_TEST

START_TEST(histograms_print_as_the_spec_shows)
{
    static const v23_services_stats_histogram_bucket b[] = { { 0, 1 },
        { 4, 1 }, { 1000, 6 } };
    v23_services_stats_histogram_value v = { 8, 12005, 0, 2000, { b, 3 } };
    struct v23_buf out;
    char text[1000];

    v23_buf_init_fixed(&out, text, sizeof(text));
    vrpc_histogram_format(&v, &out);
    ck_assert_str_eq(v23_buf_cstr(&out),
        "Count: 8  Min: 0  Max: 2000  Avg: 1500.62\n"
        "------------------------------------------------------------\n"
        "[   0,    4)  1   12.5%   12.5%  #\n"
        "[   4, 1000)  1   12.5%   25.0%  #\n"
        "[1000,  inf)  6   75.0%  100.0%  ########\n");
    v.count = 0;
    v.buckets.n = 0;
    v23_buf_cut(&out, 0);
    vrpc_histogram_format(&v, &out);
    ck_assert_str_eq(v23_buf_cstr(&out),
        "Count: 0  Min: 0  Max: 2000  Avg: NaN\n"
        "------------------------------------------------------------\n");
}
END_TEST

START_TEST(absurd_histograms_print_without_harm)
{
    static const v23_services_stats_histogram_bucket b[] = {
        { INT64_MIN, INT64_MAX }, { INT64_MAX, INT64_MAX },
        { 0, INT64_MIN } };
    v23_services_stats_histogram_value v = { 1, INT64_MIN, 0, 0, { b, 3 } };
    struct v23_buf out;
    char text[1000];

    v23_buf_init_fixed(&out, text, sizeof(text));
    vrpc_histogram_format(&v, &out);
    ck_assert_int_eq(out.err, 0);
    ck_assert_ptr_null(memchr(text, '#', out.n));
    v.buckets.n = 0;
    vrpc_histogram_format(&v, &out);
    v.count = -1;
    vrpc_histogram_format(&v, &out);
    ck_assert_int_eq(out.err, 0);
}
END_TEST

START_TEST(histogram_value_has_the_bytes_of_the_spec)
{
    struct vrpc_stat *h = histogram("h", 2, 0, 4, 0);
    const v23_services_stats_histogram_value *v;
    struct v23_bytes want = hex("52 13 00 04 01 0a 02 02 03 08 04 02 01 02 e1"
                                "00 08 01 02 e1 e1");
    struct v23_buf b;

    record(h, 1);
    record(h, 4);
    v = histogram_of("h");
    v23_buf_init(&b, &A.al, SIZE_MAX);
    ck_assert_int_eq(vom_encode_single(&A.al,
                         &v23_services_stats_histogram_value_desc, v, &b), 0);
    ck_assert_uint_ge(b.n, want.n);
    ck_assert_mem_eq(b.p + b.n - want.n, want.p, want.n);
    v23_buf_fini(&b);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, histograms_have_buckets_that_grow);
    tcase_add_test(tc, histograms_check_their_options);
    tcase_add_test(tc, histograms_know_the_extremes_of_each_period);
    tcase_add_test(tc, deltas_of_histograms_are_those_of_their_buckets);
    tcase_add_test(tc, histograms_print_as_the_spec_shows);
    tcase_add_test(tc, absurd_histograms_print_without_harm);
    tcase_add_test(tc, histogram_value_has_the_bytes_of_the_spec);
}

int main(void)
{
    return tst_run_case("librpc/stats_histograms", fill, setup, teardown);
}
