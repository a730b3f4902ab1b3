/* BSD-3-Clause; see LICENSE. */
/* Vectors of the family wspr/: all belong to the libwspr issue. */
#include "runner.h"

static const struct run_file files[] = {
    { "*.jsonl", NULL, NULL, "the libwspr issue", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL, NULL },
};

const struct run_family run_wspr = { "wspr", files, NULL };
