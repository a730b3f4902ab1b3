/* BSD-3-Clause; see LICENSE. */
/** Writing what the generator makes, and the other commands' results. */
#ifndef VDL_OUTPUT_H
#define VDL_OUTPUT_H

#include "compile.h"

/* -c-out-dir (spec/vdl.md section 12). */
struct out_rule {
    const char *src, *dst;
};
struct out_dir {
    const char *dir;    /* "" = beside the sources */
    struct list rules;  /* struct out_rule; src->dst form */
};

/** Parse the flag's value; false: a rule is not "src->dst". */
bool out_dir_parse(struct ctx *c, const char *value, struct out_dir *out);

/**
 * Generate a package and write the files that changed.
 *
 * @param audit  write nothing
 * @return some file changed, or would
 */
bool generate(struct ctx *c, const struct package *p,
    const struct out_dir *dir, bool audit);

/** What `vdl list` prints. */
void list_packages(struct ctx *c, const struct list *packages);

#endif
