/* BSD-3-Clause; see LICENSE. */
/**
 * The C generator: one compiled package in, up to four files out.
 *
 *   <pkg>.vdl.h, <pkg>.vdl.c   types, consts, errors; need libvom only
 *   <pkg>.rpc.h, <pkg>.rpc.c   interfaces; need librpc; only when the package
 *                              has interfaces
 *
 * Packages that the project ships (standard ones and those below "v.io/") have
 * the C prefix v23_<pkg>_ and are included as <v23/vdl/<path>/<pkg>.vdl.h>;
 * a user's package has the prefix <pkg>_ and is included as
 * "<path>/<pkg>.vdl.h". Output is deterministic. docs/c-binding.md has all
 * rules.
 */
#ifndef VDL_GEN_H
#define VDL_GEN_H

#include <v23/bytes.h>

#include "ir.h"

enum gen_part {
    GEN_TYPES = 1,
    GEN_CLIENT = 2,
    GEN_SERVER = 4,
    GEN_DOC = 8,
    GEN_ALL = 15
};

/* An entry of Fields (spec/vdl.md 13.8); 0 = no bound. */
struct gen_field_option {
    const char *key; /* "Type.Field", "Iface.Method.arg", ".->" or ".<-" */
    uint32_t max_len, max_count;
    bool stream, bits;
};

struct gen_rename {
    const char *key, *name;
};

/* What vdl.c.config and the flags say about a package. */
struct gen_config {
    const char *prefix;        /* "" = made from the package's name */
    unsigned parts;            /* enum gen_part */
    bool in_place;             /* mode inline */
    const struct gen_field_option *fields;
    size_t nfields;
    const struct gen_rename *renames;
    size_t nrenames;
    const char *const *includes; /* as written behind #include */
    size_t nincludes;
};

struct gen_options {
    /* Look up any package of the run by path; NULL when unknown. */
    const struct ir_package *(*package)(void *ud, struct vdl_str path);
    void *ud;
};

struct gen_files {
    struct v23_buf vdl_h, vdl_c, rpc_h, rpc_c; /* empty = not to be written */
};

/**
 * Generate all files of a package into initialised buffers.
 *
 * @param err  receives a sentence on failure ("C names … and … collide")
 * @return 0; V23_EARG with `err` filled; V23_ENOMEM
 */
V23_MUST_USE int gen_c(const struct ir_package *p,
    const struct gen_options *opt, struct gen_files *out, struct v23_buf *err);

#endif
