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
