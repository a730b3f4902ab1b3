/* BSD-3-Clause; see LICENSE. */
/* The profile of hosts: everything. Alone in its object file. */
#include <vsec/profile.h>

const struct vsec_profile vsec_profile = { vsec_decode_host,
    &vsec_kinds_standard, &vsec_errors_full };
