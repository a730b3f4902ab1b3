/* BSD-3-Clause; see LICENSE. */
/*
 * Reading the tree of statistics: values, and searches by pattern. Both copy
 * into the reader's arena, so that nothing points into the tree afterwards.
 */
#include "stats_int.h"

#include <stddef.h>
#include <stdlib.h>

/* ---- values -------------------------------------------------------------- */

static int put(struct v23_arena *a, const struct vdl_type *t, const void *v,
    struct vdl_any *out)
{
    void *copy = v23_arena_get(a, t->size, t->align);

    if (copy == NULL)
        return V23_ENOMEM;
    memcpy(copy, v, t->size);
    out->type = t;
    out->val = copy;
    return 0;
}

static int put_text(struct v23_arena *a, const struct vrpc_text_ *text,
    struct vdl_any *out)
{
    struct vdl_str s = { NULL, text->n };

    s.p = text->n == 0 ? "" : v23_arena_dup(a, text->p, text->n);
    return s.p == NULL ? V23_ENOMEM : put(a, &vdl_string_desc, &s, out);
}

/* How far the wall clock has moved away from that of the tree. */
static int64_t shift_of(const struct vrpc_stats *t, const struct v23_now *now)
{
    int64_t d = now->wall.sec - vrpc_stats_sec_of_(t, now->mono_ns);

    return d >= -1 && d <= 1 ? 0 : d;
}

static int derived_counter(const struct vrpc_stat *s,
    const struct v23_now *now, struct v23_arena *a, struct vdl_any *out)
{
    const struct vrpc_stat *base = s->parent;
    const struct vrpc_counter_ *c = base->u.counter;
    v23_services_stats_time_series ts;
    double rate;
    int64_t n;
    int rc;

    vrpc_stat_turn_(base, now->mono_ns);
    if (s->what == VRPC_STAT_DELTA_) {
        n = vrpc_series_delta_(&c->wheel, &c->series, s->period);
        return put(a, &vdl_int64_desc, &n, out);
    }
    if (s->what == VRPC_STAT_RATE_) {
        rate = vrpc_series_rate_(&c->wheel, &c->series, s->period);
        return put(a, &vdl_float64_desc, &rate, out);
    }
    memset(&ts, 0, sizeof(ts));
    rc = vrpc_series_values_(&c->wheel, &c->series, s->period,
        shift_of(s->t, now), a, &ts);
    return rc != 0 ? rc
                   : put(a, &v23_services_stats_time_series_desc, &ts, out);
}

static int histogram_value(const struct vrpc_histogram_ *h, int period,
    struct v23_arena *a, struct vdl_any *out)
{
    v23_services_stats_histogram_value v;
    int rc;

    memset(&v, 0, sizeof(v));
    rc = vrpc_histogram_value_(h, period, a, &v);
    return rc != 0 ? rc
                   : put(a, &v23_services_stats_histogram_value_desc, &v, out);
}

static int value_of(const struct vrpc_stat *s, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    out->type = NULL;
    out->val = NULL;
    switch (s->kind) {
    case VRPC_STAT_INTEGER_:
        return put(a, &vdl_int64_desc, &s->u.i, out);
    case VRPC_STAT_FLOAT_:
        return put(a, &vdl_float64_desc, &s->u.f, out);
    case VRPC_STAT_STRING_:
        return put_text(a, &s->u.text, out);
    case VRPC_STAT_VALUE_:
        return vrpc_stat_is_text_(s) ? put_text(a, &s->u.text, out)
                          : put(a, s->type, &s->u, out);
    case VRPC_STAT_FUNC_:
        if (s->u.func.fn(s->u.func.ud, now, a, out) != 0)
            out->type = NULL;
        return 0;
    case VRPC_STAT_COUNTER_:
        return put(a, &vdl_int64_desc, &s->u.counter->series.total, out);
    case VRPC_STAT_HISTOGRAM_:
        return histogram_value(s->u.h, -1, a, out);
    case VRPC_STAT_DERIVED_:
        if (s->parent->kind == VRPC_STAT_COUNTER_)
            return derived_counter(s, now, a, out);
        vrpc_histogram_turn_(s->parent->u.h,
            vrpc_stats_sec_of_(s->t, now->mono_ns));
        return histogram_value(s->parent->u.h, (int)s->period, a, out);
    default:
        return 0;
    }
}

int vrpc_stats_value(struct vrpc_stats *t, struct vdl_str name,
    const struct v23_now *now, struct v23_arena *a, struct vdl_any *out)
{
    struct vrpc_stat *s;

    vrpc_stats_lock_(t);
    s = vrpc_stats_find_(t->root, name);
    if (s == NULL || s->kind == VRPC_STAT_NONE_)
        return vrpc_stats_unlock_(t, V23_ENOENT);
    return vrpc_stats_unlock_(t, value_of(s, now, a, out));
}

/* ---- search -------------------------------------------------------------- */

struct search {
    const struct vrpc_stats_query *q;
    struct v23_arena *a;
    struct vrpc_stats_match *v;
    size_t n, cap;
};

static int64_t updated(const struct vrpc_stat *s, int64_t now)
{
    int64_t last;

    if (s->kind == VRPC_STAT_FUNC_)
        return now;
    if (s->kind != VRPC_STAT_DERIVED_)
        return s->updated;
    if (s->parent->updated == VRPC_NEVER_UPDATED_)
        return VRPC_NEVER_UPDATED_;
    last = s->parent->updated
        + vrpc_resolution_[s->period] * 60 * V23_NS_PER_SEC;
    return last < now ? last : now;
}

static bool is_wanted(const struct vrpc_stat *s,
    const struct vrpc_stats_query *q)
{
    return q->since == INT64_MIN ||
           (s->kind != VRPC_STAT_NONE_ &&
               updated(s, q->now.mono_ns) >= q->since);
}

static int add_match(struct search *f, const struct vrpc_stat *s,
    struct vdl_str name)
{
    struct vrpc_stats_match *m;
    size_t cap;

    if (f->n == f->cap) {
        cap = f->cap == 0 ? 16 : 2 * f->cap;
        m = v23_arena_get0(f->a, cap, sizeof(*m), _Alignof(max_align_t));
        if (m == NULL)
            return V23_ENOMEM;
        if (f->n > 0)
            memcpy(m, f->v, f->n * sizeof(*m));
        f->v = m;
        f->cap = cap;
    }
    m = &f->v[f->n++];
    m->name = name;
    m->value.type = NULL;
    m->value.val = NULL;
    return f->q->values ? value_of(s, &f->q->now, f->a, &m->value) : 0;
}

static int join(struct v23_arena *a, struct vdl_str dir,
    const struct vrpc_stat *kid, struct vdl_str *out)
{
    size_t n = (size_t)dir.n + (dir.n > 0) + kid->name_n;
    char *p = v23_arena_get(a, n, 1);

    if (p == NULL)
        return V23_ENOMEM;
    *out = vdl_strn(p, n);
    if (dir.n > 0) {
        memcpy(p, dir.p, dir.n);
        p += dir.n;
        *p++ = '/';
    }
    memcpy(p, kid->name, kid->name_n);
    return 0;
}

/* Depth is bounded by VRPC_STATS_DEPTH_. */
static int search(struct search *f, struct vdl_str name,
    const struct vrpc_glob *g, const struct vrpc_stat *s)
{
    struct vrpc_glob tail;
    struct vdl_str below;
    size_t i;
    int rc = 0;

    if (g->n == 0 && is_wanted(s, f->q))
        rc = add_match(f, s, name);
    if (rc != 0 || vrpc_glob_is_empty(g))
        return rc;
    tail = vrpc_glob_tail(g);
    for (i = 0; rc == 0 && i < s->nkids; i++) {
        if (!vrpc_glob_match(g, vrpc_stat_name_(s->kids[i])))
            continue;
        rc = join(f->a, name, s->kids[i], &below);
        if (rc == 0)
            rc = search(f, below, &tail, s->kids[i]);
    }
    return rc;
}

static int by_name(const void *x, const void *y)
{
    return vdl_str_cmp(((const struct vrpc_stats_match *)x)->name,
        ((const struct vrpc_stats_match *)y)->name);
}

int vrpc_stats_glob(struct vrpc_stats *t, struct vdl_str root,
    const struct vrpc_glob *pattern, const struct vrpc_stats_query *q,
    struct v23_arena *a, struct vrpc_stats_matches *out)
{
    struct search f = { q, a, NULL, 0, 0 };
    const struct vrpc_stat *s;
    int rc;

    vrpc_stats_lock_(t);
    s = vrpc_stats_find_(t->root, root);
    rc = s == NULL ? V23_ENOENT : search(&f, vdl_str(""), pattern, s);
    (void)vrpc_stats_unlock_(t, 0);
    if (rc != 0)
        return rc;
    if (f.n > 1)
        qsort(f.v, f.n, sizeof(*f.v), by_name);
    out->v = f.v;
    out->n = f.n;
    return 0;
}
