/* BSD-3-Clause; see LICENSE. */
/* What the files about caveats, discharges and checks share. */
#ifndef VSEC_CAVEAT_INT_H
#define VSEC_CAVEAT_INT_H

#include <vsec/caveat.h>

/* What decoding the parameters of one call's caveats may use. */
enum { VSEC_PARAM_BUDGET = 1 << 20 };

struct vsec_chain_cache;

/* vsec_discharge_verify() with a cache of what was verified, or NULL. */
V23_MUST_USE int vsec_discharge_verify_in_(struct vsec_discharge *d,
    const struct vsec_pubkey *discharger, struct vsec_chain_cache *cache);
/*
 * Take an Expiry caveat into the earliest expiry; others, the zero time and
 * parameters that do not decode change nothing. 0 or V23_ENOMEM.
 */
V23_MUST_USE int vsec_expiry_note_(const v23_security_caveat *c,
    struct v23_arena *scratch, bool *expires, struct v23_walltime *expiry);

/* Days from 1970-01-01 to a date, which must be one. */
int64_t vsec_time_days_(int64_t year, int month, int day);

#endif
