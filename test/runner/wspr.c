/* BSD-3-Clause; see LICENSE. */
/* Vectors of the family wspr/: there is no libwspr to read them yet. */
#include "runner.h"

static const struct run_file files[] = {
    { "*.jsonl", NULL, NULL, "nothing reads it yet", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL, NULL },
};

const struct run_family run_wspr = { "wspr", files, NULL };
