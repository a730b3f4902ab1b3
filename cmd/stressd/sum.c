/* BSD-3-Clause; see LICENSE. */
/* The work of stress tests. */
#include "sum.h"

int stress_sum(const struct vsec_crypto *crypto,
    const v23_stress_sum_arg *arg, uint8_t out[SUM_SIZE])
{
    struct vsec_hash h;
    uint8_t number[8];
    int i;

    vsec_hash_init(&h, crypto->md5);
    if (arg->abool) {
        for (i = 0; i < 8; i++)
            number[i] = (uint8_t)((uint64_t)arg->aint64 >> 8 * i);
        vsec_hash_update(&h, number, sizeof(number));
    }
    vsec_hash_update(&h, arg->alist_of_bytes.p, arg->alist_of_bytes.n);
    return vsec_hash_final(&h, out);
}

/* The number counts for four bytes, for everybody. */
uint64_t stress_size(const v23_stress_sum_arg *arg)
{
    return 1 + 4 + (uint64_t)arg->alist_of_bytes.n;
}
