/* BSD-3-Clause; see LICENSE. */
/* What checks, kinds of caveats and authorizers share. */
#ifndef VSEC_CHECK_INT_H
#define VSEC_CHECK_INT_H

#include <vsec/check.h>

/* Local names of a call, found once per check (c NULL: found now). */
V23_MUST_USE int vsec_check_local_(struct vsec_check *c,
    const struct vsec_call *call, struct v23_arena *a, vdl_str_list *out);

/* An error that is only a text (v.io/v23/verror.Unknown). */
#define VSEC_UNKNOWN_ID_ "v.io/v23/verror.Unknown"
#define vsec_plain_error_(a, ...) \
    v23_verror_text((a), NULL, vdl_str(VSEC_UNKNOWN_ID_), V23_NO_RETRY, \
        __VA_ARGS__)

/* Deep copy of an error (NULL stays NULL); never fails visibly: out of memory
 * becomes the constant error of v23_verror_make. */
const struct v23_verror *vsec_copy_error_(struct v23_arena *a,
    const struct v23_verror *e);

/*
 * Validate one caveat of a known kind at once (no third party, no waiting).
 * V23_ECAVEAT with the complete error.
 */
V23_MUST_USE int vsec_caveat_validate_now_(const struct vsec_caveat_kind *k,
    const v23_security_caveat *cav, const struct vsec_call *call,
    struct v23_arena *a, const struct v23_verror **err);

#endif
