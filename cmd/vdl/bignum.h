/* BSD-3-Clause; see LICENSE. */
/**
 * Exact integers and rationals for constants (spec/vdl.md 7.7), over mbedTLS.
 *
 * Numbers are immutable and belong to the context, which releases them at the
 * end. Functions return NULL when a number gets larger than BN_BITS_MAX bits
 * ("constant too large").
 */
#ifndef VDL_BIGNUM_H
#define VDL_BIGNUM_H

#include "ctx.h"

#define BN_BITS_MAX 8192

struct bn;

/* num / den, den > 0, reduced. num == NULL: too large. */
struct rat {
    const struct bn *num, *den;
};

/* How a literal reads. */
enum number_form {
    NUMBER_INTEGER,
    NUMBER_RATIONAL,
    NUMBER_BAD_INTEGER,
    NUMBER_BAD_RATIONAL
};
enum number_form number_form(const char *p, size_t n);

/** Release a chain of numbers. */
void bn_release(struct bn *b);

/** A well-formed integer literal. */
const struct bn *bn_parse(struct ctx *c, const char *s);
/** A well-formed integer or float literal. */
struct rat rat_parse(struct ctx *c, const char *s);

const struct bn *bn_u64(struct ctx *c, uint64_t v);
const struct bn *bn_i64(struct ctx *c, int64_t v);
bool bn_to_u64(const struct bn *b, uint64_t *out); /* false: out of range */
bool bn_to_i64(const struct bn *b, int64_t *out);
int bn_sign(const struct bn *b);
int bn_cmp(const struct bn *a, const struct bn *b);
char *bn_text(struct ctx *c, const struct bn *b);

const struct bn *bn_neg(struct ctx *c, const struct bn *a);
const struct bn *bn_not(struct ctx *c, const struct bn *a); /* -a - 1 */
/** op: + - * / % & | ^; the divisor of / and % is not 0. */
const struct bn *bn_op(struct ctx *c, int op, const struct bn *a,
    const struct bn *b);
const struct bn *bn_shl(struct ctx *c, const struct bn *a, unsigned n);
const struct bn *bn_shr(struct ctx *c, const struct bn *a, unsigned n);

struct rat rat_int(struct ctx *c, const struct bn *a);
/** A finite double, exactly. */
struct rat rat_double(struct ctx *c, double d);
/** num / den, den != 0. */
struct rat rat_make(struct ctx *c, const struct bn *num, const struct bn *den);
struct rat rat_neg(struct ctx *c, struct rat a);
/** op: + - * /; the divisor is not 0. */
struct rat rat_op(struct ctx *c, int op, struct rat a, struct rat b);
int rat_cmp(struct ctx *c, struct rat a, struct rat b);
bool rat_is_int(struct rat a);
/** Nearest double, ties to even; HUGE_VAL when out of range. */
double rat_to_double(struct ctx *c, struct rat a);
/** Text for messages: "3.0", "0.1", "1e+100". */
char *rat_text(struct ctx *c, struct rat a);

#endif
