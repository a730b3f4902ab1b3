/* BSD-3-Clause; see LICENSE. */
/** From command-line arguments to packages in build order (spec/vdl.md 4). */
#ifndef VDL_RESOLVE_H
#define VDL_RESOLVE_H

#include "compile.h"

/* A file of a package that is compiled into the tool or given as text. */
struct std_package {
    const char *path, *file, *text;
    bool root;  /* a standard package: gen path below v.io/v23/vdlroot */
    size_t len; /* of text; 0 = up to its NUL */
};

struct resolve_options {
    bool ignore_unknown; /* unknown arguments are skipped */
    bool shipped;        /* standard packages from VDLPATH if they are there */
    const char *exts;    /* of VDL files, between commas; NULL: .vdl */
    const char *skip;    /* absolute path of a file that is left out, or NULL */
    /* Without a file system: more packages, one after the other with all
       their files. The environment is not looked at then. */
    const struct std_package *given;
    size_t ngiven;
};

/**
 * Resolve package arguments and everything they import.
 *
 * @param args  patterns, import paths or directories; none = "."
 * @param out   struct package, dependencies first; those that an argument
 *              named have `named` set
 * Errors are reported to the context.
 */
void resolve(struct ctx *c, const struct resolve_options *opt,
    const char *const *args, size_t nargs, struct list *out);

/* ---- std.c --------------------------------------------------------------- */

extern const struct std_package std_packages[];
extern const size_t std_count;

#endif
