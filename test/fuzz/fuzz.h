/* BSD-3-Clause; see LICENSE. */
/* What fuzz targets have in common. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What must hold for any input. */
static inline void check(bool ok)
{
    if (!ok)
        abort();
}

#endif
