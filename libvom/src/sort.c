/* BSD-3-Clause; see LICENSE. */
/* Merge sort of numbers that stand for things. */
#include "sort_int.h"

#include <stddef.h>

uint32_t *vdl_sort_(
    uint32_t *work, uint32_t n, vdl_compare_fn_ *compare, const void *ctx)
{
    uint32_t *from = work, *to = work + n, *swap;
    size_t width, lo, mid, hi, i, j, k;

    for (i = 0; i < n; i++)
        from[i] = (uint32_t)i;
    for (width = 1; width < n; width *= 2) {
        for (lo = 0; lo < n; lo = hi) {
            mid = n - lo < width ? n : lo + width;
            hi = n - mid < width ? n : mid + width;
            for (i = lo, j = mid, k = lo; k < hi; k++) {
                if (j == hi ||
                    (i < mid && compare(ctx, from[i], from[j]) <= 0))
                    to[k] = from[i++];
                else
                    to[k] = from[j++];
            }
        }
        swap = from;
        from = to;
        to = swap;
    }
    return from;
}
