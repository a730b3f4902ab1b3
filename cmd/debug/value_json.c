/* BSD-3-Clause; see LICENSE. */
/*
 * Values as JSON for other programs. The form of vom/print.h is another: that
 * is what the tool vrpc prints.
 */
#include "value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vom/print.h>
#include <vom/time.h>
#include <vsec/acl.h>

static int put(struct v23_buf *out, const struct vdl_type *t, const void *v,
    unsigned depth);

static const void *at(const void *base, size_t off)
{
    return (const char *)base + off;
}

/* The fewest decimal digits that tell a number from its neighbours: d[0].d[1]…
 * times ten to the power of *exp. Returns how many. */
static int shortest(double x, bool narrow, char d[24], int *exp)
{
    int prec = narrow ? 6 : 15, most = narrow ? 9 : 17, n = 1;
    char text[40], *s;

    for (;; prec++) {
        snprintf(text, sizeof(text), "%.*e", prec - 1, fabs(x));
        if (prec == most || (narrow ? (double)strtof(text, NULL)
                                    : strtod(text, NULL)) == fabs(x))
            break;
    }
    d[0] = text[0];
    for (s = text + 2; *s != 'e'; s++)
        d[n++] = *s;
    *exp = atoi(s + 1);
    while (n > 1 && d[n - 1] == '0')
        n--;
    return n;
}

/* An exponent only for the very large and the very small, as programs in the
 * language of the reference write it. */
static void put_float(struct v23_buf *out, double x, bool narrow)
{
    int n, exp, i;
    char d[24];

    if (!isfinite(x)) {
        v23_buf_puts(out, "null");
        return;
    }
    n = shortest(x, narrow, d, &exp);
    if (signbit(x))
        v23_buf_put_byte(out, '-');
    if (exp >= 21 || exp < -6) {
        v23_buf_printf(out, n > 1 ? "%c.%.*se%+d" : "%c%.*se%+d", d[0], n - 1,
            d + 1, exp);
        return;
    }
    if (exp < 0)
        v23_buf_puts(out, "0.");
    for (i = exp; i < -1; i++)
        v23_buf_put_byte(out, '0');
    for (i = 0; i < n || i <= exp; i++) {
        if (i > 0 && i == exp + 1)
            v23_buf_put_byte(out, '.');
        v23_buf_put_byte(out, i < n ? (uint8_t)d[i] : '0');
    }
}

static int put_elems(struct v23_buf *out, const struct vdl_type *t,
    const void *v, uint32_t n, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    if (t->kind == VDL_BYTE) {
        v23_buf_put_byte(out, '"');
        v23_base64_put(out, v, n, false);
        v23_buf_put_byte(out, '"');
        return 0;
    }
    v23_buf_put_byte(out, '[');
    for (i = 0; i < n && rc == 0; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ',');
        rc = put(out, t, at(v, (size_t)i * t->size), depth);
    }
    v23_buf_put_byte(out, ']');
    return rc;
}

/* A key is a text in any case. */
static int put_key(struct v23_buf *out, const struct vdl_type *t,
    const void *v)
{
    struct v23_buf text;
    int rc = 0;

    v23_buf_init(&text, NULL, VALUE_MAX);
    if (t->kind == VDL_STRING)
        v23_buf_put_str(&text, *(const struct vdl_str *)v);
    else
        rc = value_put_pretty(&text, (struct vdl_any){ t, v });
    if (rc == 0)
        rc = text.err;
    if (rc == 0)
        vsec_json_put_text(out, vdl_strn((const char *)text.p, text.n));
    v23_buf_put_byte(out, ':');
    v23_buf_fini(&text);
    return rc;
}

static int put_entries(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    struct vdl_list l = *(const struct vdl_list *)v;
    struct v23_arena a;
    const void *e;
    uint32_t i;
    int rc;

    v23_arena_init(&a, NULL, VALUE_MAX);
    rc = vdl_sort(&a, t, &l);
    v23_buf_put_byte(out, '{');
    for (i = 0; i < l.n && rc == 0; i++) {
        e = at(l.v, (size_t)i * t->stride);
        if (i != 0)
            v23_buf_put_byte(out, ',');
        rc = put_key(out, t->key, e);
        if (t->kind == VDL_SET)
            v23_buf_puts(out, "{}");
        else if (rc == 0)
            rc = put(out, t->elem, at(e, t->val_off), depth);
    }
    v23_buf_put_byte(out, '}');
    v23_arena_fini(&a);
    return rc;
}

static int put_field(struct v23_buf *out, const struct vdl_field *f,
    const void *v, unsigned depth)
{
    vsec_json_put_text(out, f->name);
    v23_buf_put_byte(out, ':');
    return put(out, f->type, at(v, f->offset), depth);
}

static int put_struct(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(out, '{');
    for (i = 0; i < t->count && rc == 0; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ',');
        rc = put_field(out, &t->fields[i], v, depth);
    }
    v23_buf_put_byte(out, '}');
    return rc;
}

static int put_union(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    uint32_t which = vdl_get_which(t, v);
    int rc;

    if (which >= t->count)
        return V23_EARG;
    v23_buf_put_byte(out, '{');
    rc = put_field(out, &t->fields[which], v, depth);
    v23_buf_put_byte(out, '}');
    return rc;
}

static int put_moment(struct v23_buf *out, const struct vdl_type *t,
    const void *v)
{
    v23_time_duration d;
    v23_time_time at_;
    struct v23_arena a;
    int64_t ns;
    int rc;

    v23_arena_init(&a, NULL, 4096);
    if (value_known(t) == VALUE_TIME) {
        rc = vdl_convert(&a, &v23_time_time_desc, &at_, t, v);
        v23_buf_put_byte(out, '"');
        if (rc == 0)
            v23_walltime_put(out, v23_time_to_wall(at_));
        v23_buf_put_byte(out, '"');
    } else {
        rc = vdl_convert(&a, &v23_time_duration_desc, &d, t, v);
        if (rc == 0)
            rc = v23_duration_to_ns(d, &ns);
        if (rc == 0)
            v23_buf_printf(out, "%lld", (long long)ns);
    }
    v23_arena_fini(&a);
    return rc;
}

static int put_type(struct v23_buf *out, const struct vdl_type *t)
{
    struct v23_buf text;
    int rc;

    v23_buf_init(&text, NULL, VALUE_MAX);
    rc = vdl_type_format(t == NULL ? &vdl_any_desc : t, VALUE_MAX, &text);
    if (rc == 0)
        vsec_json_put_text(out, vdl_strn((const char *)text.p, text.n));
    v23_buf_fini(&text);
    return rc;
}

static int put_scalar(struct v23_buf *out, const struct vdl_type *t,
    const void *v)
{
    uint32_t label;

    switch (t->kind) {
    case VDL_BOOL:
        v23_buf_puts(out, *(const bool *)v ? "true" : "false");
        return 0;
    case VDL_BYTE:
    case VDL_UINT16:
    case VDL_UINT32:
    case VDL_UINT64:
        v23_buf_printf(out, "%llu", (unsigned long long)vdl_get_uint(t, v));
        return 0;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        put_float(out, vdl_get_float(t, v), t->kind == VDL_FLOAT32);
        return 0;
    case VDL_STRING:
        vsec_json_put_text(out, *(const struct vdl_str *)v);
        return 0;
    case VDL_TYPEOBJECT:
        return put_type(out, *(const struct vdl_type *const *)v);
    case VDL_ENUM:
        label = vdl_get_enum(t, v);
        if (label >= t->count)
            return V23_EARG;
        vsec_json_put_text(out, t->labels[label]);
        return 0;
    default:
        v23_buf_printf(out, "%lld", (long long)vdl_get_int(t, v));
        return 0;
    }
}

static int put(struct v23_buf *out, const struct vdl_type *t, const void *v,
    unsigned depth)
{
    const struct vdl_any *any = v;
    const struct vdl_list *l = v;
    enum value_known known;
    const void *content;

    if (out->err != 0)
        return out->err;
    if (depth++ == VDL_VALUE_DEPTH)
        return V23_ELIMIT;
    switch (t->kind) {
    case VDL_ANY:
        if (any->type != NULL)
            return put(out, any->type, any->val, depth);
        v23_buf_puts(out, "null");
        return 0;
    case VDL_OPTIONAL:
        content = *(const void *const *)v;
        if (content != NULL)
            return put(out, t->elem, content, depth);
        v23_buf_puts(out, "null");
        return 0;
    case VDL_ARRAY:
        return put_elems(out, t->elem, v, t->count, depth);
    case VDL_LIST:
        return put_elems(out, t->elem, l->v, l->n, depth);
    case VDL_SET:
    case VDL_MAP:
        return put_entries(out, t, v, depth);
    case VDL_STRUCT:
        known = value_known(t);
        return known == VALUE_TIME || known == VALUE_DURATION
            ? put_moment(out, t, v) : put_struct(out, t, v, depth);
    case VDL_UNION:
        return put_union(out, t, v, depth);
    default:
        return t->kind < VDL_KINDS ? put_scalar(out, t, v) : V23_EARG;
    }
}

int value_put_json(struct v23_buf *out, struct vdl_any v)
{
    int rc = put(out, &vdl_any_desc, &v, 0);

    return rc != 0 ? rc : out->err;
}
