/* BSD-3-Clause; see LICENSE. */
/**
 * Which names has the other end of a call? The blessings it presented, less
 * those whose root the local principal does not recognize and those with a
 * caveat that does not hold for this call.
 *
 * Validation may have to ask someone else (a web page, a revocation list), so
 * it is resumable: vsec_check_start returns 0 with the result in the common
 * case, or V23_EAGAIN and calls back later.
 *
 * Source: spec/security.md 4.3, 6.4, 8.3.
 */
#ifndef VSEC_CHECK_H
#define VSEC_CHECK_H

#include <vsec/blessings.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsec_principal;

/* Names of both ends, as validated. */
struct vsec_names {
    vdl_str_list remote; /* may repeat; names without caveats come first */
    v23_security_rejected_blessing_list rejected; /* with the reason */
    vdl_str_list local;  /* own names: roots checked, caveats ignored */
};

/*
 * Replaces the validation of caveats as a whole (language proxies).
 *
 * `sets` holds the caveats of one chain each, in order. Returns 0 with errs[i]
 * NULL (valid) or the reason for every set; V23_EAGAIN: later
 * vsec_check_complete_all(); other codes end the check. sets live until then.
 */
struct vsec_caveat_hook {
    int (*validate)(void *ud, struct vsec_check *c, struct v23_op op,
        const struct vsec_call *call, const v23_security_caveat_list *sets,
        size_t n, struct v23_arena *a, const struct v23_verror **errs);
    void (*cancel)(void *ud, struct v23_op op);
    void *ud;
};

/*
 * What authorization and validation know of a call. Plain views, filled by
 * librpc (or a test); everything lives at least as long as the check.
 */
struct vsec_call {
    struct v23_walltime timestamp; /* "now" for caveats */
    struct vdl_str method, suffix;
    struct vdl_str language; /* of the caller; empty when it is not known */
    vdl_any_list method_tags;
    struct vsec_principal *principal; /* local; NULL recognizes no root */
    struct vsec_blessings *local_blessings, *remote_blessings;
    struct vsec_discharge *const *local_discharges;
    struct vsec_discharge *const *remote_discharges;
    size_t nlocal_discharges, nremote_discharges;
    struct vdl_str local_endpoint, remote_endpoint; /* printed form */
    vdl_str_list remote_endpoint_names; /* blessing names that it claims */
    const struct vsec_caveat_kinds *kinds; /* NULL = vsec_kinds_standard */
    const struct vsec_caveat_hook *hook;   /* NULL = kinds are used */
    struct vsec_chain_cache *chains; /* remembers the signatures of discharges
                                        that were verified; NULL = none does */
    /* Result of vsec_check; set before an authorizer is asked. */
    const struct vsec_names *names;
};

/* Who waits for a check. `names` lives in the check's arena; NULL when rc is
 * not 0. */
struct vsec_check_wait {
    void (*done)(void *ud, int rc, const struct vsec_names *names);
    void *ud;
};

/**
 * Find the validated names of the remote end, and the local ones.
 *
 * @param call  borrowed until the check ends
 * @param a     holds the result, and the state of a check that waits
 * @param wait  copied; NULL: a validator that needs time fails the check with
 *              V23_EAGAIN
 * @param out   written when 0 is returned
 * @param c     set when V23_EAGAIN is returned: the check in progress, for
 *              vsec_check_cancel(); may be NULL without `wait`
 * @return 0; V23_EAGAIN: wait->done follows, not from inside this call;
 *         V23_ENOMEM, V23_ECRYPTO, … (a name that does not validate is no
 *         failure: it is in out->rejected)
 */
V23_MUST_USE int vsec_check_start(const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_check_wait *wait,
    struct vsec_names *out, struct vsec_check **c);
/**
 * Validate caveats that are not part of blessings, in the context of a call:
 * what a discharger does with those inside a third-party caveat. The hook of
 * the call is not asked; third-party caveats look for their discharges among
 * those that the remote end sent.
 *
 * Parameters and results as vsec_check_start(), but for `out`: it has no names,
 * and one rejected entry with the reason when a caveat does not hold.
 */
V23_MUST_USE int vsec_check_caveats_start(const struct vsec_call *call,
    v23_security_caveat_list caveats, struct v23_arena *a,
    const struct vsec_check_wait *wait, struct vsec_names *out,
    struct vsec_check **c);
/**
 * Answer of a caveat kind's validate() that returned V23_EAGAIN.
 * @param rc   0, V23_ECAVEAT with `err`, or a failure of the whole check
 * @param err  copied
 *
 * A stale op is ignored. Callbacks: wait->done, before return; the check is
 * dead then.
 */
void vsec_check_complete(struct vsec_check *c, struct v23_op op, int rc,
    const struct v23_verror *err);
/** Answer of a hook: one error (or NULL) for every set; copied. */
void vsec_check_complete_all(struct vsec_check *c, struct v23_op op, int rc,
    const struct v23_verror *const *errs, size_t n);
/** Give up a check in progress; wait->done is not called. */
void vsec_check_cancel(struct vsec_check *c);

/**
 * Names of the local end: local_blessings must be bound to the principal's key
 * and their roots recognized; caveats are ignored.
 */
V23_MUST_USE int vsec_local_names(const struct vsec_call *call,
    struct v23_arena *a, vdl_str_list *out);
/** The same outside of a call. `wall` is for X.509 certificates. */
V23_MUST_USE int vsec_principal_names(struct vsec_principal *p,
    const struct vsec_blessings *b, struct v23_walltime wall,
    struct v23_arena *a, vdl_str_list *out);
/**
 * Names of blessings that signed data at rest: roots recognized, and only
 * Expiry and Const caveats, which must hold at `wall`.
 */
V23_MUST_USE int vsec_signing_names(struct vsec_principal *p,
    struct vsec_blessings *b, struct v23_walltime wall, struct v23_arena *a,
    struct vsec_names *out);

#ifdef __cplusplus
}
#endif
#endif
