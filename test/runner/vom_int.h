/* BSD-3-Clause; see LICENSE. */
/* Shared by the sources of the family vom/. */
#ifndef RUNNER_VOM_INT_H
#define RUNNER_VOM_INT_H

#include "runner.h"

/* vom_dump.c */
bool run_vom_dump(struct run_case *c);

#endif
