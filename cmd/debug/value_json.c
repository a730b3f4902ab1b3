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

/* A key is a text in any case. */
static int put_key(struct vdl_printer *p, const struct vdl_type *t,
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
        vsec_json_put_text(p->out, vdl_strn((const char *)text.p, text.n));
    v23_buf_fini(&text);
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
            v23_buf_put_int(out, ns);
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

static int put_scalar(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    struct v23_buf *out = p->out;
    uint32_t label;

    switch (t->kind) {
    case VDL_BOOL:
        v23_buf_puts(out, *(const bool *)v ? "true" : "false");
        return 0;
    case VDL_BYTE:
    case VDL_UINT16:
    case VDL_UINT32:
    case VDL_UINT64:
        v23_buf_put_uint(out, vdl_get_uint(t, v));
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
        v23_buf_put_int(out, vdl_get_int(t, v));
        return 0;
    }
}

/* Bytes of whatever name, times and durations. */
static int put_whole(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_list *l = v;
    enum value_known known;

    if ((t->kind == VDL_ARRAY || t->kind == VDL_LIST)
        && t->elem->kind == VDL_BYTE) {
        v23_buf_put_byte(p->out, '"');
        if (t->kind == VDL_ARRAY)
            v23_base64_put(p->out, v, t->count, false);
        else
            v23_base64_put(p->out, l->v, l->n, false);
        v23_buf_put_byte(p->out, '"');
        return 0;
    }
    known = t->kind == VDL_STRUCT ? value_known(t) : VALUE_PLAIN;
    return known == VALUE_TIME || known == VALUE_DURATION
        ? put_moment(p->out, t, v) : VDL_PARTS;
}

static const struct vdl_form json = {
    .list = { "[", "]" },
    .set = { "{", "}" },
    .map = { "{", "}" },
    .fields = { "{", "}" },
    .field = { "{", "}" },
    .comma = ",",
    .colon = ":",
    .nil = "null",
    .member = "{}",
    .zeros = true,
    .scalar = put_scalar,
    .whole = put_whole,
    .key = put_key,
    .name = vsec_json_put_text,
    .sort = vdl_sort,
};

int value_put_json(struct v23_buf *out, struct vdl_any v)
{
    return vdl_print_form(&json, &vdl_any_desc, &v, out);
}
