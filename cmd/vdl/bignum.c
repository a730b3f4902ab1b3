/* BSD-3-Clause; see LICENSE. */
/*
 * Integers, rationals and number literals over mbedtls_mpi.
 *
 * mbedTLS knows no bitwise operations on negative numbers: -x is ~(x - 1), so
 * they are done on the magnitudes (bitwise() below).
 */
#include "bignum.h"

#include <math.h>
#include <mbedtls/bignum.h>
#include <stdio.h>
#include <stdlib.h>

struct bn {
    mbedtls_mpi m;
    struct bn *next;
};

void bn_release(struct bn *b)
{
    for (; b != NULL; b = b->next)
        mbedtls_mpi_free(&b->m);
}

static struct bn *make(struct ctx *c)
{
    struct bn *b = ctx_new(c, struct bn);

    mbedtls_mpi_init(&b->m);
    b->next = c->bns;
    c->bns = b;
    return b;
}

/* The result of an mbedTLS call; NULL when it is too large. */
static const struct bn *checked(struct bn *b, int rc)
{
    if (rc == MBEDTLS_ERR_MPI_ALLOC_FAILED &&
        mbedtls_mpi_bitlen(&b->m) <= BN_BITS_MAX)
        ctx_must(V23_ENOMEM);
    if (rc != 0 || mbedtls_mpi_bitlen(&b->m) > BN_BITS_MAX)
        return NULL;
    return b;
}

/* ---- integers ------------------------------------------------------------ */

const struct bn *bn_u64(struct ctx *c, uint64_t v)
{
    uint8_t bytes[8];
    struct bn *b = make(c);
    int i;

    for (i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(v >> (56 - 8 * i));
    ctx_must(mbedtls_mpi_read_binary(&b->m, bytes, 8) == 0 ? 0 : V23_ENOMEM);
    return b;
}

const struct bn *bn_i64(struct ctx *c, int64_t v)
{
    if (v >= 0)
        return bn_u64(c, (uint64_t)v);
    return bn_neg(c, bn_u64(c, 0 - (uint64_t)v));
}

static uint64_t magnitude(const struct bn *b)
{
    uint64_t v = 0;
    uint8_t bytes[8];
    int i;

    (void)mbedtls_mpi_write_binary(&b->m, bytes, 8);
    for (i = 0; i < 8; i++)
        v = v << 8 | bytes[i];
    return v;
}

int bn_sign(const struct bn *b)
{
    return mbedtls_mpi_cmp_int(&b->m, 0);
}

bool bn_to_u64(const struct bn *b, uint64_t *out)
{
    if (bn_sign(b) < 0 || mbedtls_mpi_bitlen(&b->m) > 64)
        return false;
    *out = magnitude(b);
    return true;
}

bool bn_to_i64(const struct bn *b, int64_t *out)
{
    uint64_t v;

    if (mbedtls_mpi_bitlen(&b->m) > 64)
        return false;
    v = magnitude(b);
    if (bn_sign(b) >= 0) {
        *out = (int64_t)v;
        return v <= INT64_MAX;
    }
    if (v > (uint64_t)INT64_MAX + 1)
        return false;
    *out = -(int64_t)(v - 1) - 1;
    return true;
}

int bn_cmp(const struct bn *a, const struct bn *b)
{
    return mbedtls_mpi_cmp_mpi(&a->m, &b->m);
}

char *bn_text(struct ctx *c, const struct bn *b)
{
    char text[BN_BITS_MAX / 3 + 8];
    size_t n;

    if (mbedtls_mpi_write_string(&b->m, 10, text, sizeof(text), &n) != 0)
        return ctx_str(c, "?");
    return ctx_str(c, text);
}

const struct bn *bn_neg(struct ctx *c, const struct bn *a)
{
    struct bn *b = make(c);

    /* 0 - a */
    ctx_must(mbedtls_mpi_lset(&b->m, 0) == 0 &&
                     mbedtls_mpi_sub_mpi(&b->m, &b->m, &a->m) == 0
                 ? 0
                 : V23_ENOMEM);
    return b;
}

const struct bn *bn_not(struct ctx *c, const struct bn *a)
{
    struct bn *b = make(c);
    int rc = mbedtls_mpi_lset(&b->m, -1);

    if (rc == 0)
        rc = mbedtls_mpi_sub_mpi(&b->m, &b->m, &a->m);
    return checked(b, rc);
}

/* |a| when a >= 0, else |a| - 1: what the bits of ~a are. */
static void low_bits(const struct bn *a, uint8_t *out, size_t n)
{
    size_t i;

    (void)mbedtls_mpi_write_binary(&a->m, out, n);
    if (bn_sign(a) >= 0)
        return;
    for (i = n; i > 0 && out[i - 1]-- == 0; i--)
        ; /* borrow */
    for (i = 0; i < n; i++)
        out[i] = (uint8_t)~out[i];
}

/* In two's complement, long enough that the first bit is the sign. */
static const struct bn *bitwise(
    struct ctx *c, int op, const struct bn *a, const struct bn *b)
{
    uint8_t x[BN_BITS_MAX / 8 + 1], y[sizeof(x)];
    struct bn *out;
    size_t i;

    low_bits(a, x, sizeof(x));
    low_bits(b, y, sizeof(y));
    for (i = 0; i < sizeof(x); i++)
        x[i] = op == '&' ? x[i] & y[i] : op == '|' ? x[i] | y[i] : x[i] ^ y[i];
    out = make(c);
    if ((x[0] & 0x80) == 0)
        return checked(out, mbedtls_mpi_read_binary(&out->m, x, sizeof(x)));
    for (i = 0; i < sizeof(x); i++)
        x[i] = (uint8_t)~x[i];
    ctx_must(
        mbedtls_mpi_read_binary(&out->m, x, sizeof(x)) == 0 ? 0 : V23_ENOMEM);
    return bn_not(c, out);
}

const struct bn *bn_op(
    struct ctx *c, int op, const struct bn *a, const struct bn *b)
{
    struct bn *out;
    int rc;

    if (op == '&' || op == '|' || op == '^')
        return bitwise(c, op, a, b);
    out = make(c);
    if (op == '+')
        rc = mbedtls_mpi_add_mpi(&out->m, &a->m, &b->m);
    else if (op == '-')
        rc = mbedtls_mpi_sub_mpi(&out->m, &a->m, &b->m);
    else if (op == '*')
        rc = mbedtls_mpi_mul_mpi(&out->m, &a->m, &b->m);
    else if (op == '/')
        rc = mbedtls_mpi_div_mpi(&out->m, NULL, &a->m, &b->m);
    else
        rc = mbedtls_mpi_div_mpi(NULL, &out->m, &a->m, &b->m);
    return checked(out, rc);
}

const struct bn *bn_shl(struct ctx *c, const struct bn *a, unsigned n)
{
    struct bn *b = make(c);
    int rc = mbedtls_mpi_copy(&b->m, &a->m);

    if (rc == 0)
        rc = mbedtls_mpi_shift_l(&b->m, n);
    return checked(b, rc);
}

/* Rounds down, so that -1 >> n is -1. */
const struct bn *bn_shr(struct ctx *c, const struct bn *a, unsigned n)
{
    struct bn *b;

    if (bn_sign(a) < 0)
        return bn_not(c, bn_shr(c, bn_not(c, a), n));
    b = make(c);
    ctx_must(mbedtls_mpi_copy(&b->m, &a->m) == 0 &&
                     mbedtls_mpi_shift_r(&b->m, n) == 0
                 ? 0
                 : V23_ENOMEM);
    return b;
}

/* ---- rationals ----------------------------------------------------------- */

static const struct rat too_large = {NULL, NULL};

struct rat rat_int(struct ctx *c, const struct bn *a)
{
    struct rat r = {a, NULL};

    r.den = a == NULL ? NULL : bn_u64(c, 1);
    return r;
}

struct rat rat_make(struct ctx *c, const struct bn *num, const struct bn *den)
{
    struct bn *g;
    struct rat r;

    if (num == NULL || den == NULL)
        return too_large;
    if (bn_sign(den) < 0) {
        num = bn_neg(c, num);
        den = bn_neg(c, den);
    }
    if (bn_sign(num) == 0)
        return rat_int(c, bn_u64(c, 0));
    g = make(c);
    ctx_must(mbedtls_mpi_gcd(&g->m, &num->m, &den->m) == 0 ? 0 : V23_ENOMEM);
    r.num = bn_op(c, '/', num, g);
    r.den = bn_op(c, '/', den, g);
    return r;
}

struct rat rat_double(struct ctx *c, double d)
{
    int e;
    double m = frexp(d, &e);
    const struct bn *num = bn_i64(c, (int64_t)ldexp(m, 53));

    e -= 53;
    if (e >= 0)
        return rat_int(c, bn_shl(c, num, (unsigned)e));
    return rat_make(c, num, bn_shl(c, bn_u64(c, 1), (unsigned)-e));
}

struct rat rat_neg(struct ctx *c, struct rat a)
{
    a.num = bn_neg(c, a.num);
    return a;
}

struct rat rat_op(struct ctx *c, int op, struct rat a, struct rat b)
{
    const struct bn *x, *y;

    if (op == '*')
        return rat_make(
            c, bn_op(c, '*', a.num, b.num), bn_op(c, '*', a.den, b.den));
    x = bn_op(c, '*', a.num, b.den);
    y = bn_op(c, '*', a.den, b.num);
    if (op == '/')
        return rat_make(c, x, y);
    y = bn_op(c, '*', b.num, a.den);
    if (x == NULL || y == NULL)
        return too_large;
    return rat_make(c, bn_op(c, op, x, y), bn_op(c, '*', a.den, b.den));
}

int rat_cmp(struct ctx *c, struct rat a, struct rat b)
{
    struct bn *x = make(c), *y = make(c);

    ctx_must(mbedtls_mpi_mul_mpi(&x->m, &a.num->m, &b.den->m) == 0 &&
                     mbedtls_mpi_mul_mpi(&y->m, &b.num->m, &a.den->m) == 0
                 ? 0
                 : V23_ENOMEM);
    return mbedtls_mpi_cmp_mpi(&x->m, &y->m);
}

bool rat_is_int(struct rat a)
{
    return mbedtls_mpi_cmp_int(&a.den->m, 1) == 0;
}

double rat_to_double(struct ctx *c, struct rat a)
{
    struct bn *num = make(c), *den = make(c), *q = make(c), *r = make(c);
    int shift, drop, rc;
    uint64_t bits, rest;
    bool negative = bn_sign(a.num) < 0;
    double d;

    if (bn_sign(a.num) == 0)
        return 0.0;
    if (negative)
        a.num = bn_neg(c, a.num);
    /* Scale so that the quotient has 63 or 64 bits: |a| = q * 2^-shift. */
    shift = 64 - (int)mbedtls_mpi_bitlen(&a.num->m) +
            (int)mbedtls_mpi_bitlen(&a.den->m) - 1;
    rc = mbedtls_mpi_copy(&num->m, &a.num->m) |
         mbedtls_mpi_copy(&den->m, &a.den->m);
    if (shift >= 0)
        rc |= mbedtls_mpi_shift_l(&num->m, (size_t)shift);
    else
        rc |= mbedtls_mpi_shift_l(&den->m, (size_t)-shift);
    rc |= mbedtls_mpi_div_mpi(&q->m, &r->m, &num->m, &den->m);
    ctx_must(rc == 0 ? 0 : V23_ENOMEM);
    bits = magnitude(q);
    /* Keep 53 bits, fewer for a denormal; the rest decides the rounding. */
    drop = (int)mbedtls_mpi_bitlen(&q->m) - 53;
    if (drop < shift - 1074)
        drop = shift - 1074;
    if (drop > 64)
        return negative ? -0.0 : 0.0;
    rest = drop == 64 ? bits : bits & (((uint64_t)1 << drop) - 1);
    bits = drop == 64 ? 0 : bits >> drop;
    if (rest > (uint64_t)1 << (drop - 1) ||
        (rest == (uint64_t)1 << (drop - 1) &&
            (bn_sign(r) != 0 || (bits & 1) != 0)))
        bits++;
    d = ldexp((double)bits, drop - shift);
    return negative ? -d : d;
}

char *rat_text(struct ctx *c, struct rat a)
{
    char text[32];
    double d;
    int prec;

    if (rat_is_int(a))
        return ctx_printf(c, "%s.0", bn_text(c, a.num));
    d = rat_to_double(c, a);
    for (prec = 1; prec <= 17; prec++) { /* shortest that reads back */
        (void)snprintf(text, sizeof(text), "%.*g", prec, d);
        if (strtod(text, NULL) == d)
            break;
    }
    return ctx_str(c, text);
}

/* ---- literals ------------------------------------------------------------ */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* A literal in parts. */
struct literal {
    int base;
    bool octal; /* leading 0: digits checked only for an integer */
    bool rational;
    const char *digits; /* with '_' and at most one '.' */
    size_t ndigits;
    long exponent; /* of 10, or of 2 with base 16 */
    bool huge;     /* exponent out of any use */
};

/* Digits of a base with '_' between digits only; `dot` at most once. */
static bool take_mantissa(
    struct literal *l, const char **p, const char *end, bool after_prefix)
{
    bool prev_digit = after_prefix, any = false, dot = false;

    l->digits = *p;
    for (; *p < end; (*p)++) {
        char ch = **p;

        if (ch == '_') {
            if (!prev_digit || *p + 1 == end || digit((*p)[1]) >= l->base)
                return false;
            prev_digit = false;
        } else if (ch == '.') {
            if (dot || (*p > l->digits && (*p)[-1] == '_'))
                return false;
            dot = l->rational = true;
            prev_digit = false;
        } else if (digit(ch) < l->base) {
            prev_digit = any = true;
        } else {
            break;
        }
    }
    l->ndigits = (size_t)(*p - l->digits);
    return any;
}

static bool take_exponent(struct literal *l, const char *p, const char *end)
{
    bool negative = false, any = false;

    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        any = true;
        if (l->exponent < 1000000)
            l->exponent = 10 * l->exponent + (*p - '0');
        else
            l->huge = true;
    }
    if (negative)
        l->exponent = -l->exponent;
    return any && p == end;
}

static enum number_form take_literal(struct literal *l, const char *p, size_t n)
{
    const char *end = p + n, *s;
    bool prefix = false;

    memset(l, 0, sizeof(*l));
    l->base = 10;
    if (n > 1 && *p == '0' && strchr("xXbBoO", p[1]) != NULL) {
        l->base = p[1] == 'x' || p[1] == 'X'   ? 16
                  : p[1] == 'b' || p[1] == 'B' ? 2
                                               : 8;
        p += 2;
        prefix = true;
    } else if (n > 1 && *p == '0') {
        l->octal = true;
    }
    if (!take_mantissa(l, &p, end, prefix))
        return memchr(p, '.', (size_t)(end - p)) != NULL || l->rational
                   ? NUMBER_BAD_RATIONAL
                   : NUMBER_BAD_INTEGER;
    if (p < end && ((l->base == 10 && (*p == 'e' || *p == 'E')) ||
                       (l->base == 16 && (*p == 'p' || *p == 'P')))) {
        l->rational = true;
        return take_exponent(l, p + 1, end) ? NUMBER_RATIONAL
                                            : NUMBER_BAD_RATIONAL;
    }
    if (l->rational)
        return p == end && l->base == 10 ? NUMBER_RATIONAL
                                         : NUMBER_BAD_RATIONAL;
    if (l->octal) {
        l->base = 8;
        for (s = l->digits; s < p; s++) {
            if (*s != '_' && digit(*s) >= 8)
                return NUMBER_BAD_INTEGER;
        }
    }
    return p == end ? NUMBER_INTEGER : NUMBER_BAD_INTEGER;
}

enum number_form number_form(const char *p, size_t n)
{
    struct literal l;

    return take_literal(&l, p, n);
}

/* The digits as one integer; *scale receives how many follow the point. */
static const struct bn *mantissa(
    struct ctx *c, const struct literal *l, long *scale)
{
    struct bn *b = make(c);
    bool dot = false;
    size_t i;
    int rc = mbedtls_mpi_lset(&b->m, 0);

    *scale = 0;
    for (i = 0; rc == 0 && i < l->ndigits; i++) {
        if (l->digits[i] == '.')
            dot = true;
        if (l->digits[i] == '.' || l->digits[i] == '_')
            continue;
        rc = mbedtls_mpi_mul_int(&b->m, &b->m, (mbedtls_mpi_uint)l->base);
        if (rc == 0)
            rc = mbedtls_mpi_add_int(&b->m, &b->m, digit(l->digits[i]));
        if (mbedtls_mpi_bitlen(&b->m) > BN_BITS_MAX)
            return NULL;
        *scale += dot;
    }
    return checked(b, rc);
}

const struct bn *bn_parse(struct ctx *c, const char *s)
{
    struct literal l;
    long scale;

    if (take_literal(&l, s, strlen(s)) != NUMBER_INTEGER)
        return NULL;
    return mantissa(c, &l, &scale);
}

/* base^n, n >= 0 */
static const struct bn *power(struct ctx *c, unsigned base, long n)
{
    const struct bn *out = bn_u64(c, 1), *b = bn_u64(c, base);

    if (n > BN_BITS_MAX)
        return NULL;
    for (; out != NULL; n >>= 1) {
        if ((n & 1) != 0)
            out = b == NULL ? NULL : bn_op(c, '*', out, b);
        if (n <= 1)
            break;
        if (b != NULL)
            b = bn_op(c, '*', b, b);
    }
    return out;
}

struct rat rat_parse(struct ctx *c, const char *s)
{
    const struct bn *m, *p;
    struct literal l;
    long scale, e;

    (void)take_literal(&l, s, strlen(s));
    m = mantissa(c, &l, &scale);
    if (m == NULL)
        return too_large;
    if (bn_sign(m) == 0)
        return rat_int(c, m);
    if (l.huge)
        return too_large;
    e = l.base == 16 ? l.exponent - 4 * scale : l.exponent - scale;
    p = power(c, l.base == 16 ? 2 : 10, e < 0 ? -e : e);
    if (p == NULL)
        return too_large;
    if (e < 0)
        return rat_make(c, m, p);
    return rat_int(c, bn_op(c, '*', m, p));
}
