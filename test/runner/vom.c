/* BSD-3-Clause; see LICENSE. */
/* Vectors of the family vom/. */
#include "runner.h"

static const struct run_file files[] = {
    { NULL, NULL, NULL, NULL, NULL, NULL },
};

const struct run_family run_vom = { "vom", files, NULL };
