/* BSD-3-Clause; see LICENSE. */
/* The text form of values (spec/vom.md 16.1). Independent of the locale. */
#include "print_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

static int put_entry(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    int rc = vdl_print_part(p, t->key, v);

    if (rc != 0 || t->kind == VDL_SET)
        return rc;
    v23_buf_puts(p->out, p->form->colon);
    return vdl_print_part(p, t->elem, vdl_at_(v, t->val_off));
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
static int put_sorted(struct vdl_printer *p, const struct vdl_type *t,
    const struct vdl_list *l)
{
    struct v23_buf *out = p->out;
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
        rc = put_entry(p, t, vdl_at_(l->v, (size_t)i * t->stride));
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

static int put_type(struct vdl_printer *p, const struct vdl_type *t)
{
    return vdl_type_format(t == NULL ? &vdl_any_desc : t, TYPE_TEXT_MAX,
        p->out);
}

static int put_scalar(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_str *s = v;
    uint32_t label;

    switch (t->kind) {
    case VDL_TYPEOBJECT:
        return put_type(p, *(const struct vdl_type *const *)v);
    case VDL_BOOL:
        v23_buf_puts(p->out, *(const bool *)v ? "true" : "false");
        return 0;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        vdl_format_float_(p->out, vdl_get_float(t, v), false);
        return 0;
    case VDL_STRING:
        vdl_format_quoted(p->out, s->p, s->n);
        return 0;
    case VDL_ENUM:
        label = vdl_get_enum(t, v);
        if (label >= t->count)
            return V23_EARG;
        v23_buf_put_str(p->out, t->labels[label]);
        return 0;
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        v23_buf_put_int(p->out, vdl_get_int(t, v));
        return 0;
    default:
        v23_buf_put_uint(p->out, vdl_get_uint(t, v));
        return 0;
    }
}

static int put_bytes(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_list *l = v;

    if (t->kind == VDL_ARRAY)
        vdl_format_quoted(p->out, v, t->count);
    else
        vdl_format_quoted(p->out, l->v, l->n);
    return 0;
}

static int put_unreadable(struct vdl_printer *p, const struct vdl_type *t,
    const void *v, int why)
{
    int rc = put_type(p, t->ops->message_type == NULL
            ? t
            : t->ops->message_type(v));

    if (rc == 0)
        v23_buf_printf(p->out, "(!%s)", v23_strerror(why));
    return rc;
}

/* The text of a value with its type. */
static int put_full(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    bool parens = t->kind < VDL_ARRAY || vdl_type_is_bytes(t);
    int rc;

    if (t->kind == VDL_SPECIAL)
        return vdl_print_special_(p, put_full, put_unreadable, t, v);
    if ((t->kind == VDL_BOOL || t->kind == VDL_STRING) && t->name.n == 0)
        return vdl_print_part(p, t, v);
    rc = put_type(p, t);
    if (rc != 0)
        return rc;
    if (parens)
        v23_buf_put_byte(p->out, '(');
    rc = vdl_print_part(p, t, v);
    if (parens)
        v23_buf_put_byte(p->out, ')');
    return rc;
}

static int put_whole(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_any *any = v;

    if (t->kind == VDL_SPECIAL)
        return vdl_print_special_(p, vdl_print_part, put_unreadable, t, v);
    if (t->kind == VDL_ANY && any->type != NULL
        && vdl_wire_(any->type)->kind != VDL_ANY)
        return put_full(p, any->type, any->val);
    return vdl_type_is_bytes(t) ? put_bytes(p, t, v) : VDL_PARTS;
}

static int put_whole_sorted(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    int rc;

    if (t->kind != VDL_SET && t->kind != VDL_MAP)
        return put_whole(p, t, v);
    v23_buf_put_byte(p->out, '{');
    rc = put_sorted(p, t, v);
    v23_buf_put_byte(p->out, '}');
    return rc;
}

#define FORM(whole_fn) \
    { .list = { "{", "}" }, .set = { "{", "}" }, .map = { "{", "}" }, \
        .fields = { "{", "}" }, .field = { "{", "}" }, .comma = ", ", \
        .colon = ": ", .nil = "nil", .zeros = true, .scalar = put_scalar, \
        .whole = whole_fn }
static const struct vdl_form text = FORM(put_whole),
                             sorted_text = FORM(put_whole_sorted);

int vdl_format(const struct vdl_type *t, const void *v, bool sorted,
    struct v23_buf *out)
{
    struct vdl_printer p = { sorted ? &sorted_text : &text, out, 0 };

    return vdl_print_with_(&p, put_full, t, v);
}

int vdl_format_literal_(const struct vdl_type *t, const void *v,
    struct v23_buf *out)
{
    struct vdl_printer p = { &text, out, 0 };

    return vdl_print_part(&p, t, v);
}
