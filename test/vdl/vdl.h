/* BSD-3-Clause; see LICENSE. */
/** What the sources of the VDL conformance runner share. */
#ifndef TEST_VDL_H
#define TEST_VDL_H

#include "resolve.h"

struct results {
    int passed, failed;
};

/** Compile the given files' packages; errors are in the context. */
void compile_given(struct ctx *c, const struct std_package *sources, size_t n,
    struct list *packages);
/** Large sources, counted as one case each. */
void run_large(struct results *r);
/** Messages as printed, likewise. */
void run_messages(struct results *r);

/** A parse tree with all positions and docs, as one line of text. */
void dump_file(struct v23_buf *b, struct ctx *c, const struct ast_file *f);
/** Docs of a compiled package's items, as one line of text. */
void dump_docs(struct v23_buf *b, const struct ir_package *p);

#endif
