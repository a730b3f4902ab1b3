/* BSD-3-Clause; see LICENSE. */
/* Shared by the sources of the family vom/. */
#ifndef RUNNER_VOM_INT_H
#define RUNNER_VOM_INT_H

#include <vom/type.h>

#include "runner.h"

/* vom_dump.c */
bool run_vom_dump(struct run_case *c);

/* Both text forms of a value, whose text is `text`, can be read. */
bool run_vom_text(struct run_case *c, const struct vdl_type *t, const void *v,
    const char *text);

#endif
