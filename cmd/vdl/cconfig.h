/* BSD-3-Clause; see LICENSE. */
/**
 * Options of the C generator (spec/vdl.md 13.8): the flags -c-parts and
 * -c-mode, and the file vdl.c.config of a package, which is not part of
 * vdl.config because tools for other languages would refuse it.
 *
 *   cconfig.c       reads and checks the file
 *   cconfig_keys.c  what its keys may name
 */
#ifndef VDL_CCONFIG_H
#define VDL_CCONFIG_H

#include "compile.h"
#include "gen.h"

/* Why mode heap is refused. */
extern const char cconfig_no_heap[];

/* Values of the flags. */
struct cconfig_flags {
    const char *file; /* -c-config */
    unsigned parts;   /* enum gen_part; 0 = not given */
    int mode;         /* -1 = not given, 0 arena, 1 inline */
};

/** Parse -c-parts; NULL, or where a word is that is no part. */
const char *cconfig_parts(const char *list, unsigned *parts);

/**
 * Give a compiled package its options. What Skip names is taken out of it.
 * Errors are reported with their position in the file.
 */
void cconfig_read(
    struct ctx *c, const struct cconfig_flags *flags, struct package *p);

/* ---- cconfig_keys.c ------------------------------------------------------ */

enum ckey_kind {
    CKEY_TOP,    /* type, const, error or interface */
    CKEY_FIELD,  /* of a struct or union */
    CKEY_ARG,    /* of a method */
    CKEY_STREAM, /* "->" or "<-" */
    CKEY_OTHER,  /* label, method, parameter of an error */
    CKEY_DERIVED /* field of `type X Y`: it is Y's */
};

struct ckey {
    enum ckey_kind kind;
    const char *name;            /* as in the file */
    const struct vdl_type *type; /* field, arg, stream */
    const char *base;            /* CKEY_DERIVED: the key that counts */
};

/** Everything a key of the package may name: struct ckey. */
void ckeys(struct ctx *c, const struct ir_package *p, struct list *out);
const struct ckey *ckey_find(const struct list *keys, const char *name);
/** The most similar name; NULL if there is none. */
const char *ckey_nearest(
    struct ctx *c, const struct list *keys, const char *name);
/** Why a field of this type cannot be held as asked; NULL: it can. */
const char *ckey_reason(
    struct ctx *c, const struct ckey *k, const struct gen_field_option *f);

#endif
