/* BSD-3-Clause; see LICENSE. */
/* A tree of statistics in virtual time, and what its objects say. */
#ifndef VRPC_TEST_STATS_RIG_H
#define VRPC_TEST_STATS_RIG_H

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <suite.h>
#include <support.h>
#include <vom/time.h>
#include <vom/value.h>
#include <vrpc/stats.h>

static struct tst_alloc A;
static struct v23_arena R;
static struct vrpc_stats *T;
static struct v23_now now;

static inline void at(int64_t sec)
{
    now.wall.sec = sec;
    now.mono_ns = sec * V23_NS_PER_SEC;
}

static inline struct vrpc_stats *tree(size_t max)
{
    struct vrpc_stats_config cfg = { &A.al, max, NULL, NULL, NULL };
    struct vrpc_stats *t = NULL;

    ck_assert_int_eq(vrpc_stats_new(&cfg, &now, &t), 0);
    return t;
}

static inline void setup(void)
{
    tst_alloc_init(&A);
    v23_arena_init(&R, &A.al, SIZE_MAX);
    at(1);
    T = tree(0);
}

static inline void teardown(void)
{
    vrpc_stats_free(T);
    v23_arena_fini(&R);
    ck_assert_uint_eq(A.live, 0);
}

/* The value as text; "none" without one, else the status. */
static inline const char *text_of(const char *name)
{
    static char text[4096];
    struct v23_buf b;
    struct vdl_any v;
    int rc = vrpc_stats_value(T, vdl_str(name), &now, &R, &v);

    if (rc != 0)
        return v23_strerror(rc);
    if (v.type == NULL)
        return "none";
    v23_buf_init_fixed(&b, text, sizeof(text));
    ck_assert_int_eq(vdl_format(v.type, v.val, true, &b), 0);
    return v23_buf_cstr(&b);
}

static inline int64_t int_of(const char *name)
{
    struct vdl_any v;

    ck_assert_int_eq(vrpc_stats_value(T, vdl_str(name), &now, &R, &v), 0);
    ck_assert_ptr_eq(v.type, &vdl_int64_desc);
    return *(const int64_t *)v.val;
}

static inline double float_of(const char *name)
{
    struct vdl_any v;

    ck_assert_int_eq(vrpc_stats_value(T, vdl_str(name), &now, &R, &v), 0);
    ck_assert_ptr_eq(v.type, &vdl_float64_desc);
    return *(const double *)v.val;
}

static inline struct vrpc_stat *counter(const char *name)
{
    struct vrpc_stat *s = NULL;

    ck_assert_int_eq(vrpc_stats_counter(T, vdl_str(name), now.mono_ns, &s), 0);
    return s;
}

static inline void incr(struct vrpc_stat *s, int64_t n)
{
    ck_assert_int_eq(vrpc_stat_incr(s, n, now.mono_ns), 0);
}

static inline void record(struct vrpc_stat *s, int64_t n)
{
    ck_assert_int_eq(vrpc_stat_record(s, n, now.mono_ns), 0);
}

static inline struct vrpc_stat *histogram(const char *name, uint32_t n, double growth,
    double smallest, int64_t min)
{
    struct vrpc_histogram_options o = { n, growth, smallest, min };
    struct vrpc_stat *s = NULL;

    ck_assert_int_eq(vrpc_stats_histogram(T, vdl_str(name), &o, now.mono_ns,
                         &s), 0);
    return s;
}

static inline const v23_services_stats_histogram_value *histogram_of(
    const char *name)
{
    struct vdl_any v;

    ck_assert_int_eq(vrpc_stats_value(T, vdl_str(name), &now, &R, &v), 0);
    ck_assert_ptr_eq(v.type, &v23_services_stats_histogram_value_desc);
    return v.val;
}

/* Names that a pattern finds, separated by blanks. */
static inline const char *glob(const char *root, const char *pattern, int64_t since,
    bool values)
{
    static char text[4096];
    struct vrpc_stats_query q = { now, since, values };
    struct vrpc_stats_matches m;
    struct vrpc_glob g;
    struct v23_buf b;
    size_t i;
    int rc;

    ck_assert_int_eq(vrpc_glob_parse(&R, vdl_str(pattern), &g), 0);
    rc = vrpc_stats_glob(T, vdl_str(root), &g, &q, &R, &m);
    if (rc != 0)
        return v23_strerror(rc);
    v23_buf_init_fixed(&b, text, sizeof(text));
    for (i = 0; i < m.n; i++) {
        v23_buf_printf(&b, "%s%.*s", i > 0 ? " " : "", (int)m.v[i].name.n,
            m.v[i].name.p);
        if (m.v[i].value.type != NULL) {
            v23_buf_puts(&b, "=");
            ck_assert_int_eq(vdl_format(m.v[i].value.type, m.v[i].value.val,
                                 true, &b), 0);
        }
    }
    return v23_buf_cstr(&b);
}

#endif
