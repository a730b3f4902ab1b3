/* BSD-3-Clause; see LICENSE. */
/* VDL expressions on the command line. */
#ifndef PRINCIPAL_EXPR_H
#define PRINCIPAL_EXPR_H

#include <compile.h>
#include <ctx.h>

struct expr {
    struct ctx c; /* holds every value */
};

void expr_init(struct expr *x);
void expr_fini(struct expr *x);
/*
 * Evaluate one expression of a type; any: of the type that it says itself
 * (out->type NULL for nil). Prints errors and returns the exit code.
 */
int expr_eval(struct expr *x, struct vdl_str text,
    const struct vdl_type *type, struct vdl_any *out);

#endif
