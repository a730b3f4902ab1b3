/* BSD-3-Clause; see LICENSE. */
/*
 * The text form of values (spec/vom.md 16.1). Independent of the locale.
 * Recursion follows the nesting of values and stops at VDL_VALUE_DEPTH.
 */
#include <vom/value.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "value_int.h"

/* Longest type string printed. */
#define TYPE_TEXT_MAX 65536

/* ---- strings ------------------------------------------------------------- */

static void put_escape(struct v23_buf *out, uint8_t c)
{
    static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
    const char *p = c == 0 ? NULL : strchr(from, c);

    v23_buf_put_byte(out, '\\');
    if (p != NULL) {
        v23_buf_put_byte(out, (uint8_t)to[p - from]);
        return;
    }
    v23_buf_put_byte(out, 'x');
    v23_hex_put(out, &c, 1);
}

void vdl_format_quoted(struct v23_buf *out, const char *p, size_t n)
{
    uint32_t cp;
    size_t len;

    v23_buf_put_byte(out, '"');
    for (; n != 0; p += len, n -= len) {
        len = v23_utf8_next(p, n, &cp);
        if (len <= 1 && (len == 0 || cp < 0x20 || cp == 0x7F || cp == '"'
                || cp == '\\')) {
            put_escape(out, (uint8_t)*p);
            len = 1;
        } else if (vdl_printable_(cp)) {
            v23_buf_put(out, p, len);
        } else {
            v23_buf_printf(out, cp < 0x10000 ? "\\u%04lx" : "\\U%08lx",
                (unsigned long)cp);
        }
    }
    v23_buf_put_byte(out, '"');
}

/* ---- floats -------------------------------------------------------------- */

/* d.ddd × 10^exp with n digits. */
struct decimal {
    char digits[20];
    int n;
    int exp;
};

/*
 * Round x > 0 to n digits. The text of printf is read digit by digit, because
 * the decimal separator depends on the locale.
 */
static void round_to(double x, int n, struct decimal *d)
{
    char text[40];
    const char *p;

    snprintf(text, sizeof(text), "%.*e", n - 1, x);
    d->n = 0;
    for (p = text; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && d->n < 19)
            d->digits[d->n++] = *p;
    d->exp = (int)strtol(p + 1, NULL, 10);
}

static bool reads_back(const struct decimal *d, double x, bool single)
{
    char text[40];
    double y;

    /* No separator: ddd e exp. */
    snprintf(text, sizeof(text), "%.*se%d", d->n, d->digits,
        d->exp - (d->n - 1));
    y = single ? (double)strtof(text, NULL) : strtod(text, NULL);
    return !(y < x) && !(y > x);
}

/* The next larger number of as many digits. */
static void next_up(struct decimal *d)
{
    int i = d->n - 1;

    while (i >= 0 && d->digits[i] == '9')
        d->digits[i--] = '0';
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1';
        d->exp++;
    }
}

/*
 * The fewest digits that read back as x > 0. Rounding to the nearest misses
 * one case: just above a power of two a number further away may still read
 * back, as neighbours are wider apart there than below.
 */
static void shortest(double x, bool single, struct decimal *d)
{
    int n;

    for (n = 1; n < 17; n++) {
        round_to(x, n, d);
        if (reads_back(d, x, single))
            break;
        next_up(d);
        if (reads_back(d, x, single))
            break;
    }
    if (n == 17)
        round_to(x, n, d);
    while (d->n > 1 && d->digits[d->n - 1] == '0')
        d->n--;
}

static void put_positional(struct v23_buf *out, const struct decimal *d)
{
    int i;

    if (d->exp < 0) {
        v23_buf_puts(out, "0.");
        for (i = -1; i > d->exp; i--)
            v23_buf_put_byte(out, '0');
        v23_buf_put(out, d->digits, (size_t)d->n);
        return;
    }
    for (i = 0; i < d->n || i <= d->exp; i++) {
        if (i == d->exp + 1)
            v23_buf_put_byte(out, '.');
        v23_buf_put_byte(out, i < d->n ? (uint8_t)d->digits[i] : '0');
    }
}

void vdl_format_float_(struct v23_buf *out, double x, bool single)
{
    struct decimal d;

    if (isnan(x)) {
        v23_buf_puts(out, "NaN");
        return;
    }
    if (isinf(x)) {
        v23_buf_puts(out, x < 0 ? "-Inf" : "+Inf");
        return;
    }
    if (signbit(x)) {
        v23_buf_put_byte(out, '-');
        x = -x;
    }
    if (!(x > 0)) {
        v23_buf_put_byte(out, '0');
        return;
    }
    shortest(x, single, &d);
    if (d.exp >= -4 && d.exp < 6) {
        put_positional(out, &d);
        return;
    }
    v23_buf_put_byte(out, (uint8_t)d.digits[0]);
    if (d.n > 1) {
        v23_buf_put_byte(out, '.');
        v23_buf_put(out, d.digits + 1, (size_t)d.n - 1);
    }
    v23_buf_printf(out, "e%c%02d", d.exp < 0 ? '-' : '+', abs(d.exp));
}

/* ---- values -------------------------------------------------------------- */

struct text {
    struct v23_buf *out;
    bool sorted;
};

static int put_literal(struct text *x, const struct vdl_type *t, const void *v,
    unsigned depth);
static int put_full(struct text *x, const struct vdl_type *t, const void *v,
    unsigned depth);

static int put_elems(struct text *x, const struct vdl_type *elem, uint32_t n,
    const void *v, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(x->out, '{');
    for (i = 0; i < n && rc == 0; i++) {
        if (i != 0)
            v23_buf_puts(x->out, ", ");
        rc = put_literal(x, elem, vdl_at_(v, (size_t)i * elem->size), depth);
    }
    v23_buf_put_byte(x->out, '}');
    return rc;
}

static int put_entry(struct text *x, const struct vdl_type *t, const void *v,
    unsigned depth)
{
    int rc = put_literal(x, t->key, v, depth);

    if (rc != 0 || t->kind == VDL_SET)
        return rc;
    v23_buf_puts(x->out, ": ");
    return put_literal(x, t->elem, vdl_at_(v, t->val_off), depth);
}

/* An entry's text, as a piece of the buffer (which may move as it grows). */
struct piece {
    size_t at, n;
    const struct v23_buf *buf;
};

static int by_text(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int c = memcmp(x->buf->p + x->at, y->buf->p + y->at, n);

    if (c != 0)
        return c;
    return (x->n > y->n) - (x->n < y->n);
}

/* Write the entries behind the text, then again in order, then close up. */
static int put_sorted(struct text *x, const struct vdl_type *t,
    const struct vdl_list *l, unsigned depth)
{
    struct v23_buf *out = x->out;
    size_t start = out->n, end;
    struct piece *v;
    uint32_t i;
    int rc = 0;

    if (l->n == 0)
        return 0;
    v = v23_get0(out->al, l->n, sizeof(*v));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < l->n && rc == 0; i++) {
        v[i].buf = out;
        v[i].at = out->n;
        rc = put_entry(x, t, vdl_at_(l->v, (size_t)i * t->stride), depth);
        v[i].n = out->n - v[i].at;
    }
    if (rc == 0)
        rc = out->err;
    if (rc == 0) {
        end = out->n;
        qsort(v, l->n, sizeof(*v), by_text);
        rc = v23_buf_room(out, end - start + 2 * ((size_t)l->n - 1));
        for (i = 0; i < l->n && rc == 0; i++) {
            if (i != 0)
                v23_buf_puts(out, ", ");
            v23_buf_put(out, out->p + v[i].at, v[i].n);
        }
        if (rc == 0) {
            memmove(out->p + start, out->p + end, out->n - end);
            out->n -= end - start;
        }
    }
    v23_put(out->al, v);
    return rc;
}

static int put_entries(struct text *x, const struct vdl_type *t,
    const struct vdl_list *l, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(x->out, '{');
    if (x->sorted)
        rc = put_sorted(x, t, l, depth);
    for (i = 0; i < l->n && rc == 0 && !x->sorted; i++) {
        if (i != 0)
            v23_buf_puts(x->out, ", ");
        rc = put_entry(x, t, vdl_at_(l->v, (size_t)i * t->stride), depth);
    }
    v23_buf_put_byte(x->out, '}');
    return rc;
}

static int put_field(struct text *x, const struct vdl_type *t, uint32_t i,
    const void *v, unsigned depth)
{
    const struct vdl_field *f = &t->fields[i];

    v23_buf_put_str(x->out, f->name);
    v23_buf_puts(x->out, ": ");
    return put_literal(x, f->type, vdl_at_(v, f->offset), depth);
}

static int put_fields(struct text *x, const struct vdl_type *t, const void *v,
    unsigned depth)
{
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(x->out, '{');
    if (t->kind == VDL_UNION) {
        i = vdl_get_which(t, v);
        rc = i < t->count ? put_field(x, t, i, v, depth) : V23_EARG;
    } else {
        for (i = 0; i < t->count && rc == 0; i++) {
            if (i != 0)
                v23_buf_puts(x->out, ", ");
            rc = put_field(x, t, i, v, depth);
        }
    }
    v23_buf_put_byte(x->out, '}');
    return rc;
}

static int put_type(struct text *x, const struct vdl_type *t)
{
    return vdl_type_format(t == NULL ? &vdl_any_desc : t, TYPE_TEXT_MAX,
        x->out);
}

static int put_scalar(struct text *x, const struct vdl_type *t, const void *v)
{
    const struct vdl_str *s = v;
    uint32_t label;

    switch (t->kind) {
    case VDL_BOOL:
        v23_buf_puts(x->out, *(const bool *)v ? "true" : "false");
        return 0;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        vdl_format_float_(x->out, vdl_get_float(t, v), false);
        return 0;
    case VDL_STRING:
        vdl_format_quoted(x->out, s->p, s->n);
        return 0;
    case VDL_ENUM:
        label = vdl_get_enum(t, v);
        if (label >= t->count)
            return V23_EARG;
        v23_buf_put_str(x->out, t->labels[label]);
        return 0;
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        v23_buf_put_int(x->out, vdl_get_int(t, v));
        return 0;
    default:
        v23_buf_put_uint(x->out, vdl_get_uint(t, v));
        return 0;
    }
}

static int put_bytes(struct text *x, const struct vdl_type *t, const void *v)
{
    const struct vdl_list *l = v;

    if (t->kind == VDL_ARRAY)
        vdl_format_quoted(x->out, v, t->count);
    else
        vdl_format_quoted(x->out, l->v, l->n);
    return 0;
}

/* Instead of a value that its bytes do not give. */
static int put_unreadable(struct text *x, const struct vdl_type *t,
    const void *v, int why)
{
    int rc = put_type(x, t->ops->message_type == NULL
            ? t
            : t->ops->message_type(v));

    if (rc == 0)
        v23_buf_printf(x->out, "(!%s)", v23_strerror(why));
    return rc;
}

/* A value of special type through `put`, as one of the wire type. */
static int put_special(struct text *x, const struct vdl_type *t,
    const void *v, unsigned depth,
    int (*put)(struct text *, const struct vdl_type *, const void *,
        unsigned))
{
    union vdl_view_ view;
    struct v23_arena a;
    const void *opened;
    int rc;

    if (t->ops->view != NULL)
        return t->ops->view(t, v, &view) ? put(x, t->elem, &view, depth)
                                      : V23_EARG;
    v23_arena_init(&a, x->out->al, SIZE_MAX);
    rc = t->ops->open(t, v, &a, &opened);
    if (rc == 0)
        rc = put(x, t->wire, opened, depth);
    else if (rc != V23_ENOMEM)
        rc = put_unreadable(x, t, v, rc);
    v23_arena_fini(&a);
    return rc;
}

/* Content of an any or optional: nil, or the text of the value. */
static int put_any(struct text *x, const struct vdl_any *any, unsigned depth)
{
    if (any->type != NULL)
        return vdl_wire_(any->type)->kind == VDL_ANY
            ? put_literal(x, any->type, any->val, depth)
            : put_full(x, any->type, any->val, depth);
    v23_buf_puts(x->out, "nil");
    return 0;
}

static int put_optional(struct text *x, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    const void *content = *(const void *const *)v;

    if (content != NULL)
        return put_literal(x, t->elem, content, depth);
    v23_buf_puts(x->out, "nil");
    return 0;
}

/* The text of a value without its type. */
static int put_literal(struct text *x, const struct vdl_type *t, const void *v,
    unsigned depth)
{
    const struct vdl_list *l = v;

    if (x->out->err != 0)
        return x->out->err;
    if (depth++ == VDL_VALUE_DEPTH)
        return V23_ELIMIT;
    switch (t->kind) {
    case VDL_ANY:
        return put_any(x, v, depth);
    case VDL_OPTIONAL:
        return put_optional(x, t, v, depth);
    case VDL_TYPEOBJECT:
        return put_type(x, *(const struct vdl_type *const *)v);
    case VDL_ARRAY:
        if (vdl_type_is_bytes(t))
            return put_bytes(x, t, v);
        return put_elems(x, t->elem, t->count, v, depth);
    case VDL_LIST:
        if (vdl_type_is_bytes(t))
            return put_bytes(x, t, v);
        return put_elems(x, t->elem, l->n, l->v, depth);
    case VDL_SET:
    case VDL_MAP:
        return put_entries(x, t, l, depth);
    case VDL_STRUCT:
    case VDL_UNION:
        return put_fields(x, t, v, depth);
    case VDL_SPECIAL:
        return put_special(x, t, v, depth, put_literal);
    default:
        return put_scalar(x, t, v);
    }
}

/* The text of a value with its type. */
static int put_full(struct text *x, const struct vdl_type *t, const void *v,
    unsigned depth)
{
    bool parens = t->kind < VDL_ARRAY || vdl_type_is_bytes(t);
    int rc;

    if (t->kind == VDL_SPECIAL)
        return put_special(x, t, v, depth, put_full);
    if ((t->kind == VDL_BOOL || t->kind == VDL_STRING) && t->name.n == 0)
        return put_literal(x, t, v, depth);
    rc = put_type(x, t);
    if (rc != 0)
        return rc;
    if (parens)
        v23_buf_put_byte(x->out, '(');
    rc = put_literal(x, t, v, depth);
    if (parens)
        v23_buf_put_byte(x->out, ')');
    return rc;
}

int vdl_format(const struct vdl_type *t, const void *v, bool sorted,
    struct v23_buf *out)
{
    size_t start = out->n;
    struct text x;
    int rc;

    x.out = out;
    x.sorted = sorted;
    rc = put_full(&x, t, v, 0);
    if (rc == 0)
        rc = out->err;
    if (rc != 0)
        out->n = start;
    return rc;
}

int vdl_format_literal_(const struct vdl_type *t, const void *v,
    struct v23_buf *out)
{
    struct text x = { out, false };

    return put_literal(&x, t, v, 0);
}
