/* BSD-3-Clause; see LICENSE. */
/*
 * Operators and conversions of constants (spec/vdl.md 7.2, 7.3).
 */
#include "constant.h"

#include <float.h>
#include <vom/value.h>

#include "compile.h"
#include "grammar.h"

#define SHIFT_MAX 2000
#define TOO_LARGE "constant too large"

/* ---- text ---------------------------------------------------------------- */

/* The constant without its type. */
static const char *rep_text(struct ctx *c, const struct constant *x)
{
    struct v23_buf b;

    switch (x->rep) {
    case REP_BOOL:
        return x->b ? "true" : "false";
    case REP_STRING:
        v23_buf_init(&b, NULL, SIZE_MAX);
        vdl_format_quoted(&b, x->s.p, x->s.n);
        return ctx_take(c, &b);
    case REP_INTEGER:
        return bn_text(c, x->i);
    case REP_RATIONAL:
        return rat_text(c, x->r);
    case REP_VALUE:
        break;
    }
    return value_text(c, (struct vdl_any){x->type, x->v});
}

static const char *rep_type_text(struct ctx *c, const struct constant *x)
{
    static const char *const untyped[] = {"untyped boolean", "untyped string",
        "untyped integer", "untyped rational", "value"};

    return x->type != NULL ? type_text(c, x->type) : untyped[x->rep];
}

static const char *not_supported(struct ctx *c, const struct constant *x)
{
    return ctx_printf(c, "%s not supported", rep_type_text(c, x));
}

/* ---- conversion ---------------------------------------------------------- */

static bool is_unsigned(enum vdl_kind k)
{
    return k >= VDL_BYTE && k <= VDL_UINT64;
}

static bool is_integer(enum vdl_kind k)
{
    return k >= VDL_BYTE && k <= VDL_INT64;
}

static bool is_float(enum vdl_kind k)
{
    return k == VDL_FLOAT32 || k == VDL_FLOAT64;
}

static const char *check_integer(
    struct ctx *c, const struct bn *b, const struct vdl_type *t)
{
    unsigned bits = 8 * t->size;
    uint64_t u;
    int64_t i;
    bool fits;

    if (is_unsigned((enum vdl_kind)t->kind))
        fits = bn_to_u64(b, &u) && (bits == 64 || u >> bits == 0);
    else
        fits = bn_to_i64(b, &i) &&
               (bits == 64 || (i < (int64_t)1 << (bits - 1) &&
                                  i >= -((int64_t)1 << (bits - 1))));
    if (fits)
        return NULL;
    return ctx_printf(c, "const %s overflows %sint%u", bn_text(c, b),
        is_unsigned((enum vdl_kind)t->kind) ? "u" : "", bits);
}

/* Round to the type's precision, through double. */
static const char *round_rational(
    struct ctx *c, struct rat *r, const struct vdl_type *t)
{
    bool single = t->kind == VDL_FLOAT32;
    double min = single ? 0x1p-149 : 0x1p-1074;
    double max = single ? (double)FLT_MAX : DBL_MAX, d;
    struct rat magnitude = *r;
    const char *how = NULL;

    if (bn_sign(r->num) == 0)
        return NULL;
    if (bn_sign(r->num) < 0)
        magnitude = rat_neg(c, magnitude);
    if (rat_cmp(c, magnitude, rat_double(c, min)) < 0)
        how = "underflows";
    else if (rat_cmp(c, magnitude, rat_double(c, max)) > 0)
        how = "overflows";
    if (how != NULL)
        return ctx_printf(
            c, "const %s %s float%u", rat_text(c, *r), how, 8u * t->size);
    d = rat_to_double(c, *r);
    *r = rat_double(c, single ? (double)(float)d : d);
    return NULL;
}

/* An integer from a rational that has no fraction. */
static const char *to_integral(
    struct ctx *c, const struct constant *x, const struct bn **out)
{
    if (!rat_is_int(x->r))
        return ctx_printf(c,
            "converting untyped rational %s to integer loses "
            "precision",
            rat_text(c, x->r));
    *out = x->r.num;
    return NULL;
}

/* Give a boolean, string or number a type; NULL type: leave it untyped. */
static const char *give_type(struct ctx *c, const struct constant *x,
    const struct vdl_type *t, struct constant *out)
{
    struct constant y = *x;
    enum vdl_kind k = t == NULL ? VDL_ANY : (enum vdl_kind)t->kind;
    const char *why = NULL;
    bool ok;

    y.type = t;
    if (x->rep == REP_BOOL) {
        ok = k == VDL_BOOL;
    } else if (x->rep == REP_STRING) {
        ok = k == VDL_STRING || (t != NULL && vdl_type_is_bytes(t));
    } else if (x->rep == REP_VALUE) {
        ok = false;
    } else {
        ok = is_integer(k) || is_float(k);
        if (x->rep == REP_INTEGER && is_float(k)) {
            y.rep = REP_RATIONAL;
            y.r = rat_int(c, x->i);
        } else if (x->rep == REP_RATIONAL && is_integer(k)) {
            y.rep = REP_INTEGER;
            why = to_integral(c, x, &y.i);
        }
        if (why == NULL && is_integer(k))
            why = check_integer(c, y.i, t);
        if (why == NULL && is_float(k))
            why = round_rational(c, &y.r, t);
    }
    if (t == NULL && x->rep != REP_VALUE)
        ok = true;
    if (why != NULL)
        return why;
    if (!ok)
        return ctx_printf(c, "can't convert %s to %s", rep_text(c, x),
            t == NULL ? "an untyped constant" : type_text(c, t));
    *out = y;
    return NULL;
}

/* Convert as a value: the rules of spec/vom.md section 11. */
static const char *convert_value(struct ctx *c, struct vdl_any src,
    const struct vdl_type *t, struct vdl_any *out)
{
    const void *const *pointer = src.val;
    size_t used;
    void *v;
    int rc;

    out->type = t;
    if (same_type(src.type, t)) {
        out->val = src.val;
        return NULL;
    }
    if (src.type->kind == VDL_OPTIONAL && same_type(src.type->elem, t) &&
        *pointer != NULL) {
        out->val = *pointer;
        return NULL;
    }
    v = value_zero(c, t);
    if (v == NULL)
        return "value too large";
    out->val = v;
    if (value_assignable(t, src)) {
        value_store(t, v, src);
        return NULL;
    }
    if (t->kind == VDL_OPTIONAL && same_type(t->elem, src.type)) {
        memcpy(v, &src.val, sizeof(src.val));
        return NULL;
    }
    used = c->arena.used;
    c->arena.limit = used + VALUES_SIZE_MAX - c->value_bytes;
    rc = vdl_convert(&c->arena, t, v, src.type, src.val);
    c->arena.limit = SIZE_MAX;
    c->value_bytes += c->arena.used - used;
    if (rc == V23_ENOMEM || rc == V23_ELIMIT)
        return "value too large";
    if (rc != 0)
        return ctx_printf(
            c, "can't convert %s to %s", value_text(c, src), type_text(c, t));
    return NULL;
}

const char *constant_convert(struct ctx *c, const struct constant *x,
    const struct vdl_type *t, struct constant *out)
{
    struct vdl_any src, dst;
    const char *why;

    if (x->rep != REP_VALUE && t->kind != VDL_ANY && t->kind != VDL_UNION)
        return give_type(c, x, t, out);
    why = constant_value(c, x, &src);
    if (why == NULL)
        why = convert_value(c, src, t, &dst);
    if (why == NULL)
        *out = constant_of(c, dst);
    return why;
}

/* ---- operators ----------------------------------------------------------- */

/* The integer of an operand that must be one. */
static const char *operand_integer(
    struct ctx *c, const struct constant *x, const struct bn **out)
{
    if (x->rep == REP_INTEGER) {
        *out = x->i;
        return NULL;
    }
    if (x->rep != REP_RATIONAL)
        return ctx_printf(
            c, "can't convert %s to integer", rep_type_text(c, x));
    /* A typed float may have been rounded. */
    if (x->type != NULL)
        return ctx_printf(
            c, "can't convert typed %s to integer", type_text(c, x->type));
    return to_integral(c, x, out);
}

static const char *finish_integer(struct ctx *c, const struct bn *i,
    const struct vdl_type *t, struct constant *out)
{
    struct constant y;

    if (i == NULL)
        return TOO_LARGE;
    memset(&y, 0, sizeof(y));
    y.rep = REP_INTEGER;
    y.i = i;
    return give_type(c, &y, t, out);
}

static const char *finish_rational(
    struct ctx *c, struct rat r, const struct vdl_type *t, struct constant *out)
{
    struct constant y;

    if (r.num == NULL || r.den == NULL)
        return TOO_LARGE;
    memset(&y, 0, sizeof(y));
    y.rep = REP_RATIONAL;
    y.r = r;
    return give_type(c, &y, t, out);
}

static const char *complement(
    struct ctx *c, const struct constant *x, struct constant *out)
{
    const struct bn *i, *all;
    const char *why = operand_integer(c, x, &i);

    if (why != NULL)
        return why;
    i = bn_not(c, i);
    if (i != NULL && x->type != NULL &&
        is_unsigned((enum vdl_kind)x->type->kind)) {
        all = bn_u64(c, UINT64_MAX >> (64 - 8 * x->type->size));
        i = bn_op(c, '&', i, all);
    }
    return finish_integer(c, i, x->type, out);
}

const char *constant_unary(
    struct ctx *c, int op, const struct constant *x, struct constant *out)
{
    if (op == '!' && x->rep == REP_BOOL) {
        *out = *x;
        out->b = !x->b;
        return NULL;
    }
    if (x->rep == REP_INTEGER || x->rep == REP_RATIONAL) {
        if (op == '+') {
            *out = *x;
            return NULL;
        }
        if (op == '-' && x->rep == REP_INTEGER)
            return finish_integer(c, bn_neg(c, x->i), x->type, out);
        if (op == '-')
            return finish_rational(c, rat_neg(c, x->r), x->type, out);
    }
    if (op == '^' && x->rep != REP_VALUE)
        return complement(c, x, out);
    return not_supported(c, x);
}

static const char *shift(struct ctx *c, int op, const struct constant *x,
    const struct constant *y, struct constant *out)
{
    const struct bn *i, *n;
    const char *why = operand_integer(c, x, &i);
    uint64_t count;

    if (why == NULL)
        why = operand_integer(c, y, &n);
    if (why != NULL)
        return why;
    if (bn_sign(n) < 0)
        return ctx_printf(c, "shift amount %s isn't unsigned", bn_text(c, n));
    if (!bn_to_u64(n, &count) || count > SHIFT_MAX)
        return ctx_printf(c, "shift amount %s greater than max allowed %d",
            bn_text(c, n), SHIFT_MAX);
    i = op == LSH ? bn_shl(c, i, (unsigned)count)
                  : bn_shr(c, i, (unsigned)count);
    return finish_integer(c, i, x->type, out);
}

/* Bring two operands to one type and representation. */
static const char *coerce(struct ctx *c, struct constant *x, struct constant *y)
{
    if (x->type != NULL && y->type != NULL) {
        if (same_type(x->type, y->type))
            return NULL;
        return ctx_printf(c, "type mismatch %s and %s", rep_type_text(c, x),
            rep_type_text(c, y));
    }
    if (x->type != NULL)
        return give_type(c, y, x->type, y);
    if (y->type != NULL)
        return give_type(c, x, y->type, x);
    if (x->rep == REP_INTEGER && y->rep == REP_RATIONAL) {
        x->rep = REP_RATIONAL;
        x->r = rat_int(c, x->i);
    } else if (x->rep == REP_RATIONAL && y->rep == REP_INTEGER) {
        y->rep = REP_RATIONAL;
        y->r = rat_int(c, y->i);
    }
    if (x->rep == y->rep)
        return NULL;
    return ctx_printf(
        c, "mismatched %s and %s", rep_type_text(c, x), rep_type_text(c, y));
}

static bool holds(int op, int order)
{
    switch (op) {
    case EQ:
        return order == 0;
    case NE:
        return order != 0;
    case '<':
        return order < 0;
    case '>':
        return order > 0;
    case LE:
        return order <= 0;
    default:
        return order >= 0;
    }
}

static const char *compare(struct ctx *c, int op, const struct constant *x,
    const struct constant *y, struct constant *out)
{
    int order;

    switch (x->rep) {
    case REP_STRING:
        order = vdl_str_cmp(x->s, y->s);
        break;
    case REP_INTEGER:
        order = bn_cmp(x->i, y->i);
        break;
    case REP_RATIONAL:
        order = rat_cmp(c, x->r, y->r);
        break;
    default:
        if (op != EQ && op != NE)
            return not_supported(c, x);
        order =
            x->rep == REP_BOOL ? x->b != y->b : !vdl_equal(x->type, x->v, y->v);
        break;
    }
    memset(out, 0, sizeof(*out));
    out->rep = REP_BOOL;
    out->b = holds(op, order);
    return NULL;
}

static const char *arithmetic(struct ctx *c, int op, const struct constant *x,
    const struct constant *y, struct constant *out)
{
    const struct bn *i = x->i, *k = y->i;
    const char *why = NULL;
    char *s;

    if (op == '+' && x->rep == REP_STRING) {
        s = value_get(c, (size_t)x->s.n + y->s.n + 1);
        if (s == NULL)
            return TOO_LARGE;
        memcpy(s, x->s.p, x->s.n);
        memcpy(s + x->s.n, y->s.p, y->s.n);
        *out = *x;
        out->s = vdl_strn(s, (size_t)x->s.n + y->s.n);
        return NULL;
    }
    if (op == '%' || op == '&' || op == '|' || op == '^') {
        why = operand_integer(c, x, &i);
        if (why == NULL)
            why = operand_integer(c, y, &k);
        if (why != NULL)
            return why;
    } else if (x->rep == REP_RATIONAL) {
        if (op == '/' && bn_sign(y->r.num) == 0)
            return "divide by zero";
        return finish_rational(c, rat_op(c, op, x->r, y->r), x->type, out);
    } else if (x->rep != REP_INTEGER) {
        return not_supported(c, x);
    }
    if ((op == '/' || op == '%') && bn_sign(k) == 0)
        return "divide by zero";
    return finish_integer(c, bn_op(c, op, i, k), x->type, out);
}

const char *constant_binary(struct ctx *c, int op, const struct constant *x,
    const struct constant *y, struct constant *out)
{
    struct constant l = *x, r = *y;
    const char *why;

    if (op == LSH || op == RSH)
        return shift(c, op, x, y, out);
    why = coerce(c, &l, &r);
    if (why != NULL)
        return why;
    switch (op) {
    case OROR:
    case ANDAND:
        if (l.rep != REP_BOOL)
            return not_supported(c, &l);
        *out = l;
        out->b = op == OROR ? l.b || r.b : l.b && r.b;
        return NULL;
    case EQ:
    case NE:
    case LE:
    case GE:
    case '<':
    case '>':
        return compare(c, op, &l, &r, out);
    default:
        return arithmetic(c, op, &l, &r, out);
    }
}
