/* BSD-3-Clause; see LICENSE. */
/** What the sources that evaluate expressions share. */
#ifndef VDL_EVAL_H
#define VDL_EVAL_H

#include "compile.h"
#include "constant.h"

/**
 * Evaluate an expression; false after reporting.
 *
 * @param implicit  type that its context has, or NULL
 */
bool eval(struct ctx *c, struct file *f, const struct vdl_type *implicit,
    const struct ast_expr *e, struct constant *out);
/** The index of an element of a list or an array. */
bool eval_index(struct ctx *c, struct file *f, const char *what,
    const struct ast_expr *e, uint64_t *out);
/**
 * Evaluate a composite literal.
 *
 * @param t  type that its context has, or NULL
 */
bool eval_composite(struct ctx *c, struct file *f, const struct vdl_type *t,
    const struct ast_expr *e, struct constant *out);

#endif
