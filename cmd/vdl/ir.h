/* BSD-3-Clause; see LICENSE. */
/**
 * Compiled packages: what the front end (parse, compile) hands to a generator.
 *
 * Types are finished struct vdl_type graphs (vom/type.h). A named type's
 * package is the part of its name before the last '.'; two packages of one run
 * share one descriptor per named type, so pointers compare. `error` is
 * &vdl_error_desc. Everything lives in the compiler's arena.
 */
#ifndef VDL_IR_H
#define VDL_IR_H

#include <vom/type.h>
#include <v23/verror.h>

struct gen_config;

struct ir_pos {
    const char *file; /* base name of the .vdl file */
    int line, col;    /* from 1; line 0 = no position */
};

/* Documentation keeps its comment markers (spec/vdl.md 2.6). */
struct ir_doc {
    const char *doc;    /* block above, ends in '\n', or "" */
    const char *suffix; /* comment on the same line with leading ' ', or "" */
};

struct ir_typedef {
    const char *name;
    struct ir_doc doc;
    struct ir_pos pos;
    const struct vdl_type *type;     /* carries the full name */
    const struct vdl_type *base;     /* `type X Y`: Y; NULL for a literal type */
    const struct ir_doc *members;    /* per field or label; NULL if none */
};

struct ir_const {
    const char *name;
    struct ir_doc doc;
    struct ir_pos pos;
    struct vdl_any value; /* type never NULL; nil any: type = &vdl_any_desc */
};

struct ir_arg {
    const char *name; /* "" for an unnamed result */
    struct ir_pos pos;
    const struct vdl_type *type;
};

struct ir_error {
    const char *name;
    const char *id;     /* "pkg/path.Name" */
    struct ir_doc doc;
    struct ir_pos pos;
    enum v23_retry retry;
    const struct ir_arg *params;
    size_t nparams;
    const char *format; /* English: compiled text "no sensor {3} at {4} Hz",
                           or "" */
};

struct ir_method {
    const char *name;
    struct ir_doc doc;
    struct ir_pos pos;
    const struct ir_arg *in, *out;
    size_t nin, nout;
    const struct vdl_type *in_stream, *out_stream; /* NULL = none */
    const struct vdl_any *tags;
    size_t ntags;
};

struct ir_package;

struct ir_iface {
    const char *name;
    struct ir_doc doc;
    struct ir_pos pos;
    const struct ir_package *package;
    const struct ir_iface *const *embeds;
    size_t nembeds;
    const struct ir_method *methods; /* own ones, in source order */
    size_t nmethods;
};

struct ir_package {
    const char *path;     /* "v.io/v23/security": prefix of type names */
    const char *name;     /* "security" */
    const char *gen_path; /* path, or "v.io/v23/vdlroot/…" for standard ones */
    const char *dir;      /* NULL: built into the tool */
    const char *file_doc;
    const struct ir_package *const *deps; /* directly imported, in order of
                                             path */
    size_t ndeps;
    const struct ir_typedef *types; /* dependencies first */
    size_t ntypes;
    const struct ir_const *consts;  /* dependencies first */
    size_t nconsts;
    const struct ir_error *errors;
    size_t nerrors;
    const struct ir_iface *ifaces;  /* embedded ones first */
    size_t nifaces;
    bool builtin; /* standard package compiled into the tool */
    const struct gen_config *config; /* gen.h; NULL = all defaults */
};

#endif
