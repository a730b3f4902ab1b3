/* BSD-3-Clause; see LICENSE. */
/*
 * Objects of the tree of statistics and their updates. What is derived from a
 * counter or histogram is a node that asks its parent.
 */
#include "stats_int.h"

#include <vom/value.h>

#define DEFAULT_BYTES (8u << 20)
#define MAX_BUCKETS 1000

/* ---- life ---------------------------------------------------------------- */

int vrpc_stats_new(const struct vrpc_stats_config *cfg,
    const struct v23_now *now, struct vrpc_stats **out)
{
    const struct v23_alloc *al = cfg == NULL ? NULL : cfg->al;
    struct vrpc_stats *t = v23_new(al, struct vrpc_stats);
    int rc;

    if (t == NULL)
        return V23_ENOMEM;
    if (cfg != NULL)
        t->cfg = *cfg;
    if (t->cfg.max_bytes == 0)
        t->cfg.max_bytes = DEFAULT_BYTES;
    t->offset = now->wall.sec * V23_NS_PER_SEC + now->wall.nanos
        - now->mono_ns;
    rc = vrpc_stats_root_(t);
    if (rc != 0)
        v23_put(al, t);
    else
        *out = t;
    return rc;
}

void vrpc_stats_free(struct vrpc_stats *t)
{
    if (t == NULL)
        return;
    vrpc_stat_free_(t->root);
    v23_put(t->cfg.al, t);
}

int vrpc_stats_delete(struct vrpc_stats *t, struct vdl_str name)
{
    struct vrpc_stat *s;

    vrpc_stats_lock_(t);
    s = vrpc_stats_find_(t->root, name);
    if (s == NULL || s == t->root)
        return vrpc_stats_unlock_(t, V23_ENOENT);
    vrpc_stat_remove_(s);
    return vrpc_stats_unlock_(t, 0);
}

/* ---- objects ------------------------------------------------------------- */

/* A node that has no object yet; the lock is held. */
static int place(struct vrpc_stats *t, struct vdl_str name,
    struct vrpc_stat **out)
{
    int rc = vrpc_stats_find_or_add_(t->root, name, out);

    if (rc == 0 && (*out)->kind != VRPC_STAT_NONE_)
        rc = V23_EEXIST;
    return rc;
}

static int add_simple(struct vrpc_stats *t, struct vdl_str name,
    enum vrpc_stat_kind_ kind, struct vrpc_stat **out)
{
    int rc;

    vrpc_stats_lock_(t);
    rc = place(t, name, out);
    if (rc == 0)
        (*out)->kind = kind;
    return vrpc_stats_unlock_(t, rc);
}

int vrpc_stats_integer(struct vrpc_stats *t, struct vdl_str name,
    struct vrpc_stat **out)
{
    return add_simple(t, name, VRPC_STAT_INTEGER_, out);
}

int vrpc_stats_float(struct vrpc_stats *t, struct vdl_str name,
    struct vrpc_stat **out)
{
    return add_simple(t, name, VRPC_STAT_FLOAT_, out);
}

int vrpc_stats_string(struct vrpc_stats *t, struct vdl_str name,
    struct vrpc_stat **out)
{
    return add_simple(t, name, VRPC_STAT_STRING_, out);
}

int vrpc_stats_map(struct vrpc_stats *t, struct vdl_str name,
    struct vrpc_stat **out)
{
    return add_simple(t, name, VRPC_STAT_MAP_, out);
}

int vrpc_stats_func(struct vrpc_stats *t, struct vdl_str name,
    vrpc_stat_fn *fn, void *ud)
{
    struct vrpc_stat *s;
    int rc;

    vrpc_stats_lock_(t);
    rc = place(t, name, &s);
    if (rc == 0) {
        s->kind = VRPC_STAT_FUNC_;
        s->u.func.fn = fn;
        s->u.func.ud = ud;
    }
    return vrpc_stats_unlock_(t, rc);
}

/* The children that are derived from an object. */
static int add_derived(struct vrpc_stat *s, bool all)
{
    static const char *const names[3][VRPC_RINGS_] = {
        { "delta1h", "delta10m", "delta1m" },
        { "rate1h", "rate10m", "rate1m" },
        { "timeseries1h", "timeseries10m", "timeseries1m" },
    };
    struct vrpc_stat *kid;
    int what, last, p, rc;

    last = all ? VRPC_STAT_SERIES_ : VRPC_STAT_DELTA_;
    for (what = VRPC_STAT_DELTA_; what <= last; what++)
        for (p = 0; p < VRPC_RINGS_; p++) {
            rc = vrpc_stats_find_or_add_(s, vdl_str(names[what][p]), &kid);
            if (rc == 0 && kid->kind != VRPC_STAT_NONE_)
                rc = V23_EEXIST;
            if (rc != 0)
                return rc;
            kid->kind = VRPC_STAT_DERIVED_;
            kid->what = (enum vrpc_stat_what_)what;
            kid->period = (enum vrpc_period_)p;
        }
    return 0;
}

/* Undo what made half an object. */
static void undo(struct vrpc_stat *s)
{
    size_t i;

    vrpc_stat_clear_(s);
    for (i = s->nkids; i > 0; i--)
        if (s->kids[i - 1]->kind == VRPC_STAT_DERIVED_) {
            vrpc_stat_clear_(s->kids[i - 1]);
            if (s->kids[i - 1]->nkids == 0)
                vrpc_stat_remove_(s->kids[i - 1]);
        }
    vrpc_stat_prune_(s);
}

int vrpc_stats_counter(struct vrpc_stats *t, struct vdl_str name, int64_t now,
    struct vrpc_stat **out)
{
    struct vrpc_stat *s;
    int rc;

    vrpc_stats_lock_(t);
    rc = place(t, name, &s);
    if (rc != 0)
        return vrpc_stats_unlock_(t, rc);
    s->u.counter = vrpc_stats_grab_(t, sizeof(*s->u.counter), &rc);
    s->kind = VRPC_STAT_COUNTER_;
    if (rc == 0)
        rc = add_derived(s, true);
    if (rc != 0) {
        undo(s);
        return vrpc_stats_unlock_(t, rc);
    }
    vrpc_wheel_init_(&s->u.counter->wheel, vrpc_stats_sec_of_(t, now));
    s->u.counter->series.rings = &s->u.counter->rings;
    *out = s;
    return vrpc_stats_unlock_(t, 0);
}

static int histogram_new(struct vrpc_stats *t,
    const struct vrpc_histogram_options *opt, int64_t now,
    struct vrpc_histogram_ **out)
{
    struct vrpc_histogram_ *h;
    int rc = 0;

    h = *out = vrpc_stats_grab_(t, sizeof(*h), &rc);
    if (h == NULL)
        return rc;
    h->nbuckets = opt->buckets;
    h->low = vrpc_stats_grab_(t, h->nbuckets * sizeof(int64_t), &rc);
    if (rc == 0)
        h->buckets = vrpc_stats_grab_(t,
            h->nbuckets * sizeof(*h->buckets), &rc);
    if (rc == 0)
        h->sum.rings = vrpc_stats_grab_(t, sizeof(struct vrpc_rings_), &rc);
    if (rc == 0)
        h->mins = vrpc_stats_grab_(t, sizeof(struct vrpc_rings_), &rc);
    if (rc == 0)
        h->maxs = vrpc_stats_grab_(t, sizeof(struct vrpc_rings_), &rc);
    if (rc == 0)
        rc = vrpc_histogram_bounds_(h, opt);
    if (rc == 0)
        vrpc_histogram_start_(h, vrpc_stats_sec_of_(t, now));
    return rc;
}

int vrpc_stats_histogram(struct vrpc_stats *t, struct vdl_str name,
    const struct vrpc_histogram_options *opt, int64_t now,
    struct vrpc_stat **out)
{
    struct vrpc_histogram_options o = { 0, 0, 0, 0 };
    struct vrpc_stat *s;
    int rc;

    if (opt != NULL)
        o = *opt;
    o.buckets = o.buckets == 0 ? 32 : o.buckets;
    if (!(o.smallest > 0 || o.smallest < 0)) /* 0, and no number */
        o.smallest = 1;
    if (o.buckets > MAX_BUCKETS || !(o.growth >= 0) || !(o.smallest > 0))
        return V23_EARG;
    vrpc_stats_lock_(t);
    rc = place(t, name, &s);
    if (rc != 0)
        return vrpc_stats_unlock_(t, rc);
    s->kind = VRPC_STAT_HISTOGRAM_;
    rc = histogram_new(t, &o, now, &s->u.h);
    if (rc == 0)
        rc = add_derived(s, false);
    if (rc != 0) {
        undo(s);
        return vrpc_stats_unlock_(t, rc);
    }
    *out = s;
    return vrpc_stats_unlock_(t, 0);
}

/* ---- updates ------------------------------------------------------------- */

void vrpc_stat_turn_(const struct vrpc_stat *s, int64_t now)
{
    struct vrpc_counter_ *c = s->u.counter;

    vrpc_series_turn_(&c->wheel, &c->series, vrpc_stats_sec_of_(s->t, now));
}

static int change_int(struct vrpc_stat *s, bool add, int64_t v, int64_t now)
{
    int64_t *to;

    if (s == NULL)
        return 0;
    vrpc_stats_lock_(s->t);
    if (s->kind == VRPC_STAT_COUNTER_) {
        vrpc_stat_turn_(s, now);
        to = &s->u.counter->series.total;
    } else if (s->kind == VRPC_STAT_INTEGER_) {
        to = &s->u.i;
    } else {
        return vrpc_stats_unlock_(s->t, V23_EARG);
    }
    *to = add ? (int64_t)((uint64_t)*to + (uint64_t)v) : v;
    s->updated = now;
    return vrpc_stats_unlock_(s->t, 0);
}

int vrpc_stat_set_int(struct vrpc_stat *s, int64_t v, int64_t now)
{
    return change_int(s, false, v, now);
}

int vrpc_stat_incr(struct vrpc_stat *s, int64_t delta, int64_t now)
{
    return change_int(s, true, delta, now);
}

int vrpc_stat_set_float(struct vrpc_stat *s, double v, int64_t now)
{
    if (s == NULL)
        return 0;
    if (s->kind != VRPC_STAT_FLOAT_)
        return V23_EARG;
    vrpc_stats_lock_(s->t);
    s->u.f = v;
    s->updated = now;
    return vrpc_stats_unlock_(s->t, 0);
}

static int text_set(struct vrpc_stats *t, struct vrpc_text_ *to,
    struct vdl_str v)
{
    int rc = 0;
    char *p;

    if (v.n > to->cap) {
        p = vrpc_stats_grab_(t, v.n, &rc);
        if (p == NULL)
            return rc;
        vrpc_stats_drop_(t, to->p, to->cap);
        to->p = p;
        to->cap = v.n;
    }
    if (v.n > 0)
        memcpy(to->p, v.p, v.n);
    to->n = v.n;
    return 0;
}

int vrpc_stat_set_string(struct vrpc_stat *s, struct vdl_str v, int64_t now)
{
    int rc;

    if (s == NULL)
        return 0;
    if (s->kind != VRPC_STAT_STRING_)
        return V23_EARG;
    vrpc_stats_lock_(s->t);
    rc = text_set(s->t, &s->u.text, v);
    if (rc == 0)
        s->updated = now;
    return vrpc_stats_unlock_(s->t, rc);
}

/* Room for the series of a bucket that is hit for the first time. */
static int bucket_rings(struct vrpc_stat *s, int bucket)
{
    struct vrpc_series_ *b = &s->u.h->buckets[bucket];
    int rc = 0;

    if (b->rings == NULL)
        b->rings = vrpc_stats_grab_(s->t, sizeof(*b->rings), &rc);
    return rc;
}

int vrpc_stat_record(struct vrpc_stat *s, int64_t v, int64_t now)
{
    int bucket, rc;

    if (s == NULL)
        return 0;
    if (s->kind != VRPC_STAT_HISTOGRAM_)
        return V23_EARG;
    bucket = vrpc_histogram_bucket_(s->u.h, v);
    if (bucket < 0)
        return V23_EARG;
    vrpc_stats_lock_(s->t);
    rc = bucket_rings(s, bucket);
    if (rc == 0) {
        vrpc_histogram_turn_(s->u.h, vrpc_stats_sec_of_(s->t, now));
        vrpc_histogram_add_(s->u.h, bucket, v);
        s->updated = now;
    }
    return vrpc_stats_unlock_(s->t, rc);
}

/* ---- maps ---------------------------------------------------------------- */

/* The node of a key, made when it is missing. */
static int key_node(struct vrpc_stat *map, struct vdl_str key,
    struct vrpc_stat **out)
{
    int rc;

    if (map->kind != VRPC_STAT_MAP_)
        return V23_EARG;
    rc = vrpc_stats_find_or_add_(map, key, out);
    if (rc == 0 && (*out)->kind != VRPC_STAT_NONE_ &&
        (*out)->kind != VRPC_STAT_VALUE_)
        rc = V23_EARG;
    return rc;
}

/* Store a value in the forms that a map has. */
static int value_set(struct vrpc_stat *s, struct vdl_any v)
{
    struct vrpc_text_ none = { NULL, 0, 0 };
    struct vrpc_text_ *text = vrpc_stat_is_text_(s) ? &s->u.text : &none;
    const struct vdl_type *t = NULL;
    int rc = 0;

    switch (v.type == NULL ? VDL_ANY : v.type->kind) {
    case VDL_BOOL:
        t = &vdl_bool_desc;
        break;
    case VDL_BYTE:
    case VDL_UINT16:
    case VDL_UINT32:
    case VDL_UINT64:
        t = &vdl_uint64_desc;
        break;
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        t = &vdl_int64_desc;
        break;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        t = &vdl_float64_desc;
        break;
    case VDL_STRING:
        rc = text_set(s->t, text, *(const struct vdl_str *)v.val);
        if (rc == 0) {
            s->u.text = *text;
            s->type = &vdl_string_desc;
            s->kind = VRPC_STAT_VALUE_;
        }
        return rc;
    default:
        return V23_EARG;
    }
    vrpc_stat_clear_(s);
    s->kind = VRPC_STAT_VALUE_;
    s->type = t;
    if (t == &vdl_bool_desc)
        s->u.b = *(const bool *)v.val;
    else if (t == &vdl_uint64_desc)
        s->u.u = vdl_get_uint(v.type, v.val);
    else if (t == &vdl_int64_desc)
        s->u.i = vdl_get_int(v.type, v.val);
    else
        s->u.f = vdl_get_float(v.type, v.val);
    return 0;
}

int vrpc_stat_map_set(struct vrpc_stat *map, struct vdl_str key,
    struct vdl_any v, int64_t now)
{
    struct vrpc_stat *s;
    int rc;

    if (map == NULL)
        return 0;
    vrpc_stats_lock_(map->t);
    rc = key_node(map, key, &s);
    if (rc == 0) {
        rc = value_set(s, v);
        if (rc == 0)
            s->updated = now;
        else
            vrpc_stat_prune_(s);
    }
    return vrpc_stats_unlock_(map->t, rc);
}

int vrpc_stat_map_incr(struct vrpc_stat *map, struct vdl_str key,
    int64_t delta, int64_t now)
{
    struct vrpc_stat *s;
    int rc;

    if (map == NULL)
        return 0;
    vrpc_stats_lock_(map->t);
    rc = key_node(map, key, &s);
    if (rc != 0)
        return vrpc_stats_unlock_(map->t, rc);
    if (s->kind == VRPC_STAT_NONE_) {
        s->kind = VRPC_STAT_VALUE_;
        s->type = &vdl_int64_desc;
    }
    if (s->type == &vdl_int64_desc || s->type == &vdl_uint64_desc)
        s->u.u += (uint64_t)delta;
    else if (s->type == &vdl_float64_desc)
        s->u.f += (double)delta;
    else
        rc = V23_EARG;
    if (rc == 0)
        s->updated = now;
    return vrpc_stats_unlock_(map->t, rc);
}

void vrpc_stat_map_delete(struct vrpc_stat *map, struct vdl_str key)
{
    struct vrpc_stat *s;

    if (map == NULL)
        return;
    vrpc_stats_lock_(map->t);
    s = map->kind == VRPC_STAT_MAP_ ? vrpc_stats_find_(map, key) : NULL;
    if (s != NULL && s != map)
        vrpc_stat_remove_(s);
    (void)vrpc_stats_unlock_(map->t, 0);
}
