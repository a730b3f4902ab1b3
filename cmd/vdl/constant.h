/* BSD-3-Clause; see LICENSE. */
/**
 * Constants: representation, conversion and operators (spec/vdl.md 7.1-7.3).
 *
 * A constant is exact and may have no type yet; a value (struct vdl_any) is
 * its final form, in the C representation of its type. Functions that can fail
 * return the reason, or NULL.
 */
#ifndef VDL_CONSTANT_H
#define VDL_CONSTANT_H

#include "bignum.h"
#include "ctx.h"

enum constant_rep {
    REP_BOOL,
    REP_STRING, /* also []byte and [N]byte */
    REP_INTEGER,
    REP_RATIONAL,
    REP_VALUE
};

struct constant {
    enum constant_rep rep;
    const struct vdl_type *type; /* NULL = untyped; never for REP_VALUE */
    bool b;
    struct vdl_str s;
    const struct bn *i;
    struct rat r;
    const void *v;
};

/** Largest C representation of a constant, in bytes, and of all together. */
#define VALUE_SIZE_MAX (16u << 20)
#define VALUES_SIZE_MAX (256u << 20)

struct constant constant_of(struct ctx *c, struct vdl_any v);
const char *constant_convert(struct ctx *c, const struct constant *x,
    const struct vdl_type *t, struct constant *out);
const char *constant_value(
    struct ctx *c, const struct constant *x, struct vdl_any *out);
const char *constant_unary(
    struct ctx *c, int op, const struct constant *x, struct constant *out);
const char *constant_binary(struct ctx *c, int op, const struct constant *x,
    const struct constant *y, struct constant *out);

/* ---- values -------------------------------------------------------------- */

/** Zeroed memory of constants; NULL beyond the limits above. */
void *value_get(struct ctx *c, size_t size);
/** The zero value; NULL when it is larger than VALUE_SIZE_MAX. */
void *value_zero(struct ctx *c, const struct vdl_type *t);
/**
 * Two types are the same. Those of one run share descriptors; types from
 * elsewhere (compile_exprs) do not.
 */
bool same_type(const struct vdl_type *a, const struct vdl_type *b);
/** A value of exactly `t`, or one that `t` takes as it is (nil, any). */
bool value_assignable(const struct vdl_type *t, struct vdl_any v);
/** Store an assignable value into the place of a member. */
void value_store(const struct vdl_type *t, void *dst, struct vdl_any v);
/** Text as in messages, "int16(1)", without what makes it overlong. */
const char *value_text(struct ctx *c, struct vdl_any v);
const char *value_whole_text(struct ctx *c, struct vdl_any v);

#endif
