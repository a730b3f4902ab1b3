/* BSD-3-Clause; see LICENSE. */
/*
 * Rings of slots under counters and histograms, and the text of a histogram
 * (spec/services.md 4.3). A slot holds the total at the end of its time; the
 * slot in hand is only written when the time moves on, until then the total
 * stands for it. The least and the greatest value of a slot are written at
 * once.
 */
#include "stats_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <vom/time.h>

const int64_t vrpc_resolution_[VRPC_RINGS_] = { 60, 10, 1 };

/* ---- rings --------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

void vrpc_wheel_init_(struct vrpc_wheel_ *w, int64_t sec)
{
    int r;

    memset(w, 0, sizeof(*w));
    w->sec = sec;
    for (r = 0; r < VRPC_RINGS_; r++)
        w->steps[r] = 1;
}

/* How many slots of a ring begin until then; more than all of them are not
 * counted one by one. */
static int64_t steps_to(const struct vrpc_wheel_ *w, int r, int64_t sec)
{
    return floor_div(sec, vrpc_resolution_[r]) -
           floor_div(w->sec, vrpc_resolution_[r]);
}

/* Give the slots behind the head of one ring a value. */
static void fill(struct vrpc_rings_ *rings, const struct vrpc_wheel_ *w, int r,
    int64_t n, int64_t v)
{
    unsigned at = w->head[r];

    for (n = n > VRPC_SLOTS_ ? VRPC_SLOTS_ : n; n > 0; n--) {
        at = at + 1 == VRPC_SLOTS_ ? 0 : at + 1;
        rings->slot[r][at] = v;
    }
}

/* The head moves on, after the slots were filled. */
static void turn(struct vrpc_wheel_ *w, int64_t sec)
{
    int64_t n;
    int r;

    for (r = 0; r < VRPC_RINGS_; r++) {
        n = steps_to(w, r, sec);
        if (w->steps[r] <= VRPC_SLOTS_)
            w->steps[r] += n > VRPC_SLOTS_ ? VRPC_SLOTS_ : n;
        n = n > VRPC_SLOTS_ ? VRPC_SLOTS_ : n;
        w->head[r] = (uint8_t)((w->head[r] + n) % VRPC_SLOTS_);
    }
    w->sec = sec;
}

static void fill_series(struct vrpc_series_ *s, const struct vrpc_wheel_ *w,
    int64_t sec)
{
    int r;

    if (s->rings == NULL)
        return;
    for (r = 0; r < VRPC_RINGS_; r++) {
        s->rings->slot[r][w->head[r]] = s->total;
        fill(s->rings, w, r, steps_to(w, r, sec), s->total);
    }
}

void vrpc_series_turn_(struct vrpc_wheel_ *w, struct vrpc_series_ *s,
    int64_t sec)
{
    if (sec <= w->sec)
        return;
    fill_series(s, w, sec);
    turn(w, sec);
}

static int64_t tail(const struct vrpc_wheel_ *w, const struct vrpc_series_ *s,
    enum vrpc_period_ p)
{
    if (w->steps[p] < VRPC_SLOTS_ || s->rings == NULL)
        return 0;
    return s->rings->slot[p][(w->head[p] + 1) % VRPC_SLOTS_];
}

int64_t vrpc_series_delta_(const struct vrpc_wheel_ *w,
    const struct vrpc_series_ *s, enum vrpc_period_ p)
{
    return (int64_t)((uint64_t)s->total - (uint64_t)tail(w, s, p));
}

/* Slots between the oldest and the present one. */
static int64_t span(const struct vrpc_wheel_ *w, enum vrpc_period_ p)
{
    return (w->steps[p] < VRPC_SLOTS_ ? w->steps[p] : VRPC_SLOTS_) - 1;
}

double vrpc_series_rate_(const struct vrpc_wheel_ *w,
    const struct vrpc_series_ *s, enum vrpc_period_ p)
{
    int64_t secs = span(w, p) * vrpc_resolution_[p];

    if (secs == 0)
        return 0;
    return (double)vrpc_series_delta_(w, s, p) / (double)secs;
}

int vrpc_series_values_(const struct vrpc_wheel_ *w,
    const struct vrpc_series_ *s, enum vrpc_period_ p, int64_t shift,
    struct v23_arena *a, v23_services_stats_time_series *out)
{
    uint32_t n = (uint32_t)span(w, p) + 1, i;
    struct v23_walltime start = { 0, 0 };
    int64_t *v = v23_arena_get0(a, n, sizeof(*v), _Alignof(int64_t));

    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i + 1 < n && s->rings != NULL; i++)
        v[i] = s->rings->slot[p][(w->head[p] + VRPC_SLOTS_ + 1u - n + i)
            % VRPC_SLOTS_];
    v[n - 1] = s->total;
    out->values.v = v;
    out->values.n = n;
    out->resolution = v23_duration_from_ns(vrpc_resolution_[p]
        * V23_NS_PER_SEC);
    start.sec = (floor_div(w->sec, vrpc_resolution_[p]) - (int64_t)(n - 1))
            * vrpc_resolution_[p] + shift;
    out->start_time = v23_time_from_wall(start);
    return 0;
}

/* ---- histograms ---------------------------------------------------------- */

int vrpc_histogram_bounds_(struct vrpc_histogram_ *h,
    const struct vrpc_histogram_options *opt)
{
    double size = opt->smallest;
    int64_t low = opt->min;
    uint32_t i;

    for (i = 0; i < h->nbuckets; i++) {
        h->low[i] = low;
        if (i + 1 == h->nbuckets)
            break;
        if (!(size < 9e18) || low > INT64_MAX - (int64_t)size)
            return V23_EARG;
        low += (int64_t)size;
        size *= 1.0 + opt->growth;
    }
    return 0;
}

static void fill_all(struct vrpc_rings_ *rings, int64_t v)
{
    int r, i;

    for (r = 0; r < VRPC_RINGS_; r++)
        for (i = 0; i < VRPC_SLOTS_; i++)
            rings->slot[r][i] = v;
}

void vrpc_histogram_start_(struct vrpc_histogram_ *h, int64_t sec)
{
    vrpc_wheel_init_(&h->wheel, sec);
    h->min = INT64_MAX;
    h->max = INT64_MIN;
    fill_all(h->mins, INT64_MAX);
    fill_all(h->maxs, INT64_MIN);
}

void vrpc_histogram_turn_(struct vrpc_histogram_ *h, int64_t sec)
{
    struct vrpc_wheel_ *w = &h->wheel;
    uint32_t i;
    int r;

    if (sec <= w->sec)
        return;
    fill_series(&h->sum, w, sec);
    for (i = 0; i < h->nbuckets; i++)
        fill_series(&h->buckets[i], w, sec);
    for (r = 0; r < VRPC_RINGS_; r++) {
        fill(h->mins, w, r, steps_to(w, r, sec), INT64_MAX);
        fill(h->maxs, w, r, steps_to(w, r, sec), INT64_MIN);
    }
    turn(w, sec);
}

int vrpc_histogram_bucket_(const struct vrpc_histogram_ *h, int64_t v)
{
    int from = 0, to = (int)h->nbuckets; /* the answer + 1 is in between */

    while (from < to) {
        int mid = from + (to - from) / 2;

        if (h->low[mid] <= v)
            from = mid + 1;
        else
            to = mid;
    }
    return from - 1;
}

void vrpc_histogram_add_(struct vrpc_histogram_ *h, int bucket, int64_t v)
{
    const struct vrpc_wheel_ *w = &h->wheel;
    int64_t *slot;
    int r;

    h->buckets[bucket].total++;
    h->sum.total = (int64_t)((uint64_t)h->sum.total + (uint64_t)v);
    h->min = v < h->min ? v : h->min;
    h->max = v > h->max ? v : h->max;
    for (r = 0; r < VRPC_RINGS_; r++) {
        slot = &h->mins->slot[r][w->head[r]];
        *slot = v < *slot ? v : *slot;
        slot = &h->maxs->slot[r][w->head[r]];
        *slot = v > *slot ? v : *slot;
    }
}

/* Least and greatest of a ring but for its oldest slot. */
static void extremes(const struct vrpc_histogram_ *h, enum vrpc_period_ p,
    int64_t *min, int64_t *max)
{
    int skip = (h->wheel.head[p] + 1) % VRPC_SLOTS_, i;

    *min = INT64_MAX;
    *max = INT64_MIN;
    for (i = 0; i < VRPC_SLOTS_; i++) {
        if (i == skip)
            continue;
        if (h->mins->slot[p][i] < *min)
            *min = h->mins->slot[p][i];
        if (h->maxs->slot[p][i] > *max)
            *max = h->maxs->slot[p][i];
    }
}

static int64_t amount(const struct vrpc_wheel_ *w,
    const struct vrpc_series_ *s, int period)
{
    return period < 0 ? s->total
                      : vrpc_series_delta_(w, s, (enum vrpc_period_)period);
}

int vrpc_histogram_value_(const struct vrpc_histogram_ *h, int period,
    struct v23_arena *a, v23_services_stats_histogram_value *out)
{
    v23_services_stats_histogram_bucket *b;
    uint32_t i;

    b = v23_arena_get0(a, h->nbuckets, sizeof(*b), _Alignof(int64_t));
    if (b == NULL)
        return V23_ENOMEM;
    out->count = 0;
    for (i = 0; i < h->nbuckets; i++) {
        b[i].low_bound = h->low[i];
        b[i].count = amount(&h->wheel, &h->buckets[i], period);
        out->count += b[i].count;
    }
    out->sum = amount(&h->wheel, &h->sum, period);
    out->min = h->min;
    out->max = h->max;
    if (period >= 0)
        extremes(h, (enum vrpc_period_)period, &out->min, &out->max);
    out->buckets.v = b;
    out->buckets.n = h->nbuckets;
    return 0;
}

/* ---- text ---------------------------------------------------------------- */

static int digits(int64_t v)
{
    char text[24];

    return snprintf(text, sizeof(text), "%" PRId64, v);
}

void vrpc_histogram_format(const v23_services_stats_histogram_value *h,
    struct v23_buf *out)
{
    static const char dashes[] = "------------------------------"
                                 "------------------------------\n";
    const v23_services_stats_histogram_bucket *b = h->buckets.v;
    uint32_t n = h->buckets.n, i;
    int wide, count_wide = digits(h->count);
    double share, so_far = 0, bar;

    v23_buf_printf(out, "Count: %" PRId64 "  Min: %" PRId64 "  Max: %" PRId64
        "  Avg: ", h->count, h->min, h->max);
    if (h->count == 0)
        v23_buf_puts(out, "NaN\n");
    else
        v23_buf_printf(out, "%.2f\n", (double)h->sum / (double)h->count);
    v23_buf_puts(out, dashes);
    if (h->count <= 0 || n == 0)
        return;
    wide = digits(b[n - 1].low_bound);
    wide = wide < 3 ? 3 : wide; /* of "inf" */
    for (i = 0; i < n; i++) {
        v23_buf_printf(out, "[%*" PRId64 ", ", wide, b[i].low_bound);
        if (i + 1 < n)
            v23_buf_printf(out, "%*" PRId64 ")", wide, b[i + 1].low_bound);
        else
            v23_buf_printf(out, "%*s)", wide, "inf");
        share = (double)b[i].count * (100 / (double)h->count);
        so_far += (double)b[i].count;
        v23_buf_printf(out, "  %*" PRId64 "  %5.1f%%  %5.1f%%  ", count_wide,
            b[i].count, share, so_far * (100 / (double)h->count));
        /* A peer's counts need not add up. */
        for (bar = share * 0.1 + 0.5; bar >= 1 && share <= 100; bar--)
            v23_buf_put_byte(out, '#');
        v23_buf_put_byte(out, '\n');
    }
}
