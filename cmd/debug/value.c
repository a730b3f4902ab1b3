/* BSD-3-Clause; see LICENSE. */
/*
 * Values as people read them: as the reference tool shows values that it has
 * read into variables. What it has no variable for (a type with a name that it
 * does not know, at any depth) it shows as a constant.
 */
#include "value.h"

#include <vom/print.h>
#include <vom/time.h>
#include <vrpc/stats.h>

#define NEST 32 /* levels of unnamed composites that are shown bare */

enum value_known value_known(const struct vdl_type *t)
{
    static const struct {
        const struct vdl_type *t;
        enum value_known known;
    } all[] = {
        { &v23_services_stats_histogram_value_desc, VALUE_HISTOGRAM },
        { &v23_services_stats_time_series_desc, VALUE_TIME_SERIES },
        { &v23_time_time_desc, VALUE_TIME },
        { &v23_time_duration_desc, VALUE_DURATION },
    };
    size_t i;

    if (t == NULL || t->name.n == 0)
        return VALUE_PLAIN;
    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (vdl_type_equal(t, all[i].t))
            return all[i].known;
    return VALUE_PLAIN;
}

/* ---- times --------------------------------------------------------------- */

void value_put_time(struct v23_buf *out, struct v23_walltime t)
{
    size_t start = out->n, i;

    v23_walltime_put(out, t);
    if (out->err != 0)
        return;
    for (i = start; i < out->n; i++)
        if (out->p[i] == 'T')
            out->p[i] = ' ';
    out->n--; /* Z */
    v23_buf_puts(out, " +0000 UTC");
}

/* A value that is a time or a duration in whichever layout. */
static int get(struct v23_arena *a, const struct vdl_type *dt, void *dst,
    struct vdl_any v)
{
    return vdl_convert(a, dt, dst, v.type, v.val);
}

static int put_instant(struct v23_buf *out, struct v23_arena *a,
    struct vdl_any v)
{
    v23_time_time t;
    int rc = get(a, &v23_time_time_desc, &t, v);

    if (rc == 0)
        value_put_time(out, v23_time_to_wall(t));
    return rc;
}

static int put_duration(struct v23_buf *out, struct v23_arena *a,
    struct vdl_any v)
{
    v23_time_duration d;
    int64_t ns;
    int rc = get(a, &v23_time_duration_desc, &d, v);

    if (rc == 0)
        rc = v23_duration_to_ns(d, &ns);
    if (rc == 0)
        v23_duration_put(out, ns);
    return rc;
}

/* ---- statistics ---------------------------------------------------------- */

static int put_histogram(struct v23_buf *out, struct v23_arena *a,
    struct vdl_any v)
{
    v23_services_stats_histogram_value h;
    int rc = get(a, &v23_services_stats_histogram_value_desc, &h, v);

    if (rc == 0)
        vrpc_histogram_format(&h, out);
    return rc;
}

static int put_series(struct v23_buf *out, struct v23_arena *a,
    struct vdl_any v)
{
    v23_services_stats_time_series ts;
    int64_t ns = 0;
    uint32_t i;
    int rc = get(a, &v23_services_stats_time_series_desc, &ts, v);

    if (rc == 0)
        rc = v23_duration_to_ns(ts.resolution, &ns);
    if (rc != 0)
        return rc;
    v23_buf_puts(out, "Start time: ");
    value_put_time(out, v23_time_to_wall(ts.start_time));
    v23_buf_puts(out, "\nResolution: ");
    v23_duration_put(out, ns);
    v23_buf_puts(out, "\nValues: [");
    for (i = 0; i < ts.values.n; i++)
        v23_buf_printf(out, "%s%lld", i == 0 ? "" : " ",
            (long long)ts.values.v[i]);
    v23_buf_put_byte(out, ']');
    return 0;
}

static int put_known(struct v23_buf *out, struct vdl_any v)
{
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, NULL, VALUE_MAX);
    switch (value_known(v.type)) {
    case VALUE_HISTOGRAM:
        rc = put_histogram(out, &a, v);
        break;
    case VALUE_TIME_SERIES:
        rc = put_series(out, &a, v);
        break;
    case VALUE_TIME:
        rc = put_instant(out, &a, v);
        break;
    case VALUE_DURATION:
        rc = put_duration(out, &a, v);
        break;
    default:
        rc = value_put_raw(out, v);
        break;
    }
    v23_arena_fini(&a);
    return rc;
}

/* ---- bare values --------------------------------------------------------- */

/* A type whose values are shown without their types. */
static bool is_bare(const struct vdl_type *t, unsigned nest)
{
    if (nest == NEST)
        return false;
    if (t->name.n != 0)
        return value_known(t) != VALUE_PLAIN;
    switch (t->kind) {
    case VDL_ARRAY:
    case VDL_LIST:
        return is_bare(t->elem, nest + 1);
    case VDL_SET:
        return is_bare(t->key, nest + 1);
    case VDL_MAP:
        return is_bare(t->key, nest + 1) && is_bare(t->elem, nest + 1);
    case VDL_ANY:
        return true;
    default:
        return (t->kind >= VDL_BOOL && t->kind <= VDL_STRING)
            || t->kind == VDL_TYPEOBJECT;
    }
}

static int put_scalar(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_type *of;

    if (t->name.n != 0)
        return put_known(p->out, (struct vdl_any){ t, v });
    switch (t->kind) {
    case VDL_STRING:
        v23_buf_put_str(p->out, *(const struct vdl_str *)v);
        return 0;
    case VDL_TYPEOBJECT:
        of = *(const struct vdl_type *const *)v;
        return vdl_type_format(of == NULL ? &vdl_any_desc : of, VALUE_MAX,
            p->out);
    case VDL_UINT64:
        v23_buf_put_uint(p->out, vdl_get_uint(t, v));
        return 0;
    case VDL_INT64:
        v23_buf_put_int(p->out, vdl_get_int(t, v));
        return 0;
    default: /* the other scalars are bare in that form */
        return vdl_print_json(t, v, p->out);
    }
}

static int put_whole(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    if (t->kind == VDL_ANY)
        return value_put_pretty(p->out, *(const struct vdl_any *)v);
    return t->name.n == 0 ? VDL_PARTS
                          : put_known(p->out, (struct vdl_any){ t, v });
}

/* Of the composites only unnamed lists, arrays, sets and maps are bare. */
static const struct vdl_form bare = {
    .list = { "[", "]" },
    .set = { "map[", "]" },
    .map = { "map[", "]" },
    .fields = { "{", "}" },
    .field = { "{", "}" },
    .comma = " ",
    .colon = ":",
    .nil = "<nil>",
    .member = "{}",
    .scalar = put_scalar,
    .whole = put_whole,
    .sort = vdl_sort,
};

/* ---- the three forms ----------------------------------------------------- */

int value_put_pretty(struct v23_buf *out, struct vdl_any v)
{
    int rc;

    if (v.type == NULL) {
        v23_buf_puts(out, "<nil>");
        return out->err;
    }
    rc = is_bare(v.type, 0) ? vdl_print_form(&bare, v.type, v.val, out)
                            : value_put_raw(out, v);
    return rc != 0 ? rc : out->err;
}

int value_put_raw(struct v23_buf *out, struct vdl_any v)
{
    if (v.type == NULL) {
        v23_buf_puts(out, "any(nil)");
        return out->err;
    }
    return vdl_format(v.type, v.val, true, out);
}

int value_put_type(struct v23_buf *out, struct vdl_any v)
{
    return vdl_type_format(v.type == NULL ? &vdl_any_desc : v.type, VALUE_MAX,
        out);
}
