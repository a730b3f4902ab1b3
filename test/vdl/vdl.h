/* BSD-3-Clause; see LICENSE. */
/** What the sources of the VDL conformance runner share. */
#ifndef TEST_VDL_H
#define TEST_VDL_H

#include "resolve.h"

/** A parse tree with all positions and docs, as one line of text. */
void dump_file(struct v23_buf *b, struct ctx *c, const struct ast_file *f);
/** Docs of a compiled package's items, as one line of text. */
void dump_docs(struct v23_buf *b, const struct ir_package *p);

#endif
