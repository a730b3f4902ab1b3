/* BSD-3-Clause; see LICENSE. */
/** One stable sort for all that is ordered before it is compared or searched.
 */
#ifndef VOM_SORT_INT_H
#define VOM_SORT_INT_H

#include <stdint.h>

/* What is sorted are the numbers 0 to n - 1 of things that `ctx` knows. */
typedef int vdl_compare_fn_(const void *ctx, uint32_t i, uint32_t j);

/*
 * Sort n numbers; `work` has room for 2 n. Takes n log n steps whatever a peer
 * chose to have sorted. Returns the n sorted ones: one half of `work`, whose
 * other half is free for use.
 */
uint32_t *vdl_sort_(
    uint32_t *work, uint32_t n, vdl_compare_fn_ *compare, const void *ctx);

#endif
