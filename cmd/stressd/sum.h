/* BSD-3-Clause; see LICENSE. */
/* The work of stress tests; stressd does it, stress checks it. */
#ifndef STRESS_SUM_H
#define STRESS_SUM_H

#include <v23/vdl/v.io/x/ref/runtime/internal/rpc/stress/stress.vdl.h>
#include <vsec/crypto.h>

#define SUM_SIZE 16

/** MD5 of the list's bytes, behind the number if the bool is set.
 * @return 0 or a status of the crypto provider */
V23_MUST_USE int stress_sum(const struct vsec_crypto *crypto,
    const v23_stress_sum_arg *arg, uint8_t out[SUM_SIZE]);
/** What both sides count for an argument. */
uint64_t stress_size(const v23_stress_sum_arg *arg);

#endif
