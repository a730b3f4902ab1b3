/* BSD-3-Clause; see LICENSE. */
/*
 * Numbers of constants. They are read exactly, integers as 64-bit magnitudes
 * and floats to the nearest double, and checked against the range of their
 * type. Independent of the locale.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <vom/value.h>

#include "parse_int.h"

#define DIGITS_MAX 1000

struct number {
    bool negative, integral;
    bool zero;          /* no digit but 0 */
    bool special;       /* NaN or Inf */
    uint64_t magnitude; /* when integral */
    double value;       /* without sign */
    struct vdl_str text;
};

static unsigned digit(char c)
{
    return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
           : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
           : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                  : 99;
}

static bool is_hex(const char *s)
{
    return s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
}

/* ---- literals ------------------------------------------------------------ */

/* An integer with its prefix; false when it is none. */
static bool read_integer(const char *s, uint64_t *out, bool *overflow)
{
    unsigned base = 10, d;

    *out = 0;
    *overflow = false;
    if (is_hex(s)) {
        base = 16;
        s += 2;
    } else if (s[0] == '0' && (s[1] == 'b' || s[1] == 'B')) {
        base = 2;
        s += 2;
    } else if (s[0] == '0' && s[1] != 0) {
        base = 8;
        s += s[1] == 'o' || s[1] == 'O' ? 2 : 1;
    }
    if (*s == 0)
        return false;
    for (; *s != 0; s++) {
        d = digit(*s);
        if (d >= base)
            return false;
        if (*out > (UINT64_MAX - d) / base)
            *overflow = true;
        *out = *out * base + d;
    }
    return true;
}

/*
 * A float: the digits go to strtod() as an integer with an exponent, because
 * the decimal separator depends on the locale.
 */
static bool read_float(const char *s, double *out)
{
    char text[DIGITS_MAX + 32];
    bool hex = is_hex(s), point = false, exponent = false;
    size_t n = 0, count = 0;
    long exp = 0, shift = 0;
    char *end;

    if (hex) {
        memcpy(text, s, 2);
        n = 2;
        s += 2;
    }
    for (; *s == '.' || digit(*s) < (hex ? 16u : 10u); s++) {
        if (*s == '.' && point)
            return false;
        if (*s != '.') {
            text[n++] = *s;
            count++;
        }
        shift -= *s != '.' && point ? (hex ? 4 : 1) : 0;
        point = point || *s == '.';
    }
    if (*s != 0) {
        exponent = true;
        if (hex ? *s != 'p' && *s != 'P' : *s != 'e' && *s != 'E')
            return false;
        s++;
        if (*s == 0)
            return false;
        exp = strtol(s, &end, 10);
        if (*end != 0)
            return false;
        exp = exp > 100000 ? 100000 : exp < -100000 ? -100000 : exp;
    }
    if (count == 0 || (hex && !exponent))
        return false;
    snprintf(text + n, sizeof(text) - n, "%c%ld", hex ? 'p' : 'e', exp + shift);
    *out = strtod(text, NULL);
    return true;
}

/* Characters of a number, without '_', NUL-terminated. */
static int collect(struct parser *p, char *to)
{
    bool hex = false;
    char c, before = 0;
    size_t k = 0;

    for (; p->at < p->text.n; p->at++) {
        c = p->text.p[p->at];
        if (!vdl_parse_is_word_(c) && c != '.' &&
            !((c == '-' || c == '+') && (hex ? before == 'p' || before == 'P'
                                             : before == 'e' || before == 'E')))
            break;
        hex = hex || (k == 1 && (c == 'x' || c == 'X'));
        if (k == DIGITS_MAX)
            return vdl_parse_fail_(p, "number is too long");
        if (c != '_')
            before = to[k++] = c;
    }
    to[k] = 0;
    return 0;
}

static bool has_digit_not_0(const char *s, bool hex)
{
    for (s += hex ? 2 : 0; *s != 0; s++) {
        if (hex ? *s == 'p' || *s == 'P' : *s == 'e' || *s == 'E')
            break;
        if (*s != '0' && *s != '.' && digit(*s) < 16)
            return true;
    }
    return false;
}

static int read_literal(struct parser *p, struct number *n, size_t start)
{
    char text[DIGITS_MAX + sizeof("p0")];
    bool overflow = false, fraction;
    int rc = collect(p, text);

    if (rc != 0)
        return rc;
    n->text = vdl_strn(p->text.p + start, p->at - start);
    n->zero = !has_digit_not_0(text, is_hex(text));
    n->integral = read_integer(text, &n->magnitude, &overflow);
    if (n->integral && !overflow) {
        n->value = (double)n->magnitude;
        return 0;
    }
    fraction = strpbrk(text, is_hex(text) ? ".pP" : ".eE") != NULL;
    if (n->integral && !is_hex(text) && text[0] == '0')
        return vdl_parse_fail_at_(p, start, "number is too large");
    if (n->integral && is_hex(text))
        strcat(text, "p0");
    if ((!n->integral && !fraction) || !read_float(text, &n->value))
        return vdl_parse_fail_at_(p, start, "malformed number %.60s", text);
    n->integral = false;
    if (n->value < 18446744073709551616.0) {
        n->magnitude = (uint64_t)n->value;
        n->integral = n->value == (double)n->magnitude;
    }
    return 0;
}

static int read_number(struct parser *p, struct number *n)
{
    size_t start;
    char c;

    memset(n, 0, sizeof(*n));
    vdl_parse_peek_(p);
    start = p->at;
    while ((c = vdl_parse_peek_(p)) == '-' || c == '+') {
        n->negative = n->negative != (c == '-');
        p->at++;
    }
    n->value = (double)NAN;
    n->special = vdl_parse_take_word_(p, "NaN");
    if (!n->special) {
        n->value = (double)INFINITY;
        n->special = vdl_parse_take_word_(p, "Inf");
    }
    n->text = vdl_strn(p->text.p + start, p->at - start);
    if (n->special)
        return 0;
    if (!(c >= '0' && c <= '9') && c != '.')
        return vdl_parse_fail_at_(p, start, "expected a number");
    return read_literal(p, n, start);
}

/* ---- ranges -------------------------------------------------------------- */

static int out_of_range(struct parser *p, const struct number *n,
    const struct vdl_type *t, const char *how)
{
    size_t at = (size_t)(n->text.p - p->text.p);

    return vdl_parse_fail_at_(p, at, "const %.*s %s %s",
        n->text.n > 80 ? 80 : (int)n->text.n, n->text.p, how,
        vdl_kind_name((enum vdl_kind)t->kind));
}

/* The nearest float of the type; what is printed in few digits may lie a little
 * beyond the largest or below the smallest one. */
static int store_float(struct parser *p, const struct number *n,
    const struct vdl_type *t, void *out)
{
    double v = n->value;

    if (t->kind == VDL_FLOAT32)
        v = (double)(float)v;
    if (isinf(v) && !n->special)
        return out_of_range(p, n, t, "overflows");
    if (v == 0 && !n->zero && !n->special)
        return out_of_range(p, n, t, "underflows");
    vdl_set_float(t, out, n->negative ? -v : v);
    return 0;
}

int vdl_parse_number_(struct parser *p, const struct vdl_type *t, void *out)
{
    unsigned bits = 8 * t->size;
    struct number n;
    uint64_t max;
    int rc = read_number(p, &n);

    if (rc != 0)
        return rc;
    if (t->kind == VDL_FLOAT32 || t->kind == VDL_FLOAT64)
        return store_float(p, &n, t, out);
    if (!n.integral && n.value < 18446744073709551616.0)
        return vdl_parse_fail_at_(p, (size_t)(n.text.p - p->text.p),
            "converting %.*s to %s loses precision",
            n.text.n > 80 ? 80 : (int)n.text.n, n.text.p,
            vdl_kind_name((enum vdl_kind)t->kind));
    if (t->kind >= VDL_INT8 && t->kind <= VDL_INT64) {
        max = (UINT64_MAX >> (65 - bits)) + (n.negative ? 1 : 0);
        if (!n.integral || n.magnitude > max)
            return out_of_range(p, &n, t, "overflows");
        vdl_set_int(t, out,
            n.negative && n.magnitude != 0 ? -(int64_t)(n.magnitude - 1) - 1
                                           : (int64_t)n.magnitude);
        return 0;
    }
    max = n.negative ? 0 : UINT64_MAX >> (64 - bits);
    if (!n.integral || n.magnitude > max)
        return out_of_range(p, &n, t, "overflows");
    vdl_set_uint(t, out, n.magnitude);
    return 0;
}
