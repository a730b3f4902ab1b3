/* BSD-3-Clause; see LICENSE. */
/* A config of test values, and the VDL file that is made of it. */
#ifndef VOMTESTGEN_H
#define VOMTESTGEN_H

#include "compile.h"

/* What a config file says. Types that are NULL: it has no such tests. */
struct testdata {
    struct source src;         /* of the config file */
    struct pos at;             /* of its exported constant */
    const struct package *own; /* where the output belongs; NULL: unknown */
    const char *package;       /* its package clause */
    struct vdl_any values;     /* []any or map[byte][]any */
    struct vdl_any compat;     /* map[string][]typeobject */
    struct vdl_any convert;    /* map[string][]ConvertGroup */
    /* Of TestCase, and of the groups. */
    const struct vdl_type *test_case, *group;
};

/**
 * Compile a config file and everything that it imports.
 *
 * @param path    of the config file
 * @param output  of the file to be made; what it holds now is not looked at
 * @param exts    extensions of VDL files, separated by commas
 * @return false after reporting
 */
bool load_config(struct ctx *c, const char *path, const char *output,
    const char *exts, struct testdata *out);

/** The text of the VDL file; NULL after reporting. Lives in the context. */
const char *make_vdl(struct ctx *c, const struct testdata *d);

#endif
