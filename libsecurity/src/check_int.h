/* BSD-3-Clause; see LICENSE. */
/* What checks, kinds of caveats and authorizers share. */
#ifndef VSEC_CHECK_INT_H
#define VSEC_CHECK_INT_H

#include <vsec/check.h>
#include <vsec/profile.h>

/* Local names of a call, found once per check (c NULL: found now). */
V23_MUST_USE int vsec_check_local_(struct vsec_check *c,
    const struct vsec_call *call, struct v23_arena *a, vdl_str_list *out);

/*
 * The errors of checks. They are made through vsec_profile.errors, so that a
 * small program does not link what makes parameters and texts.
 */
struct vsec_errors {
    const struct v23_verror *(*text)(struct v23_arena *a,
        const struct v23_errctx *ctx, struct vdl_str id, enum v23_retry retry,
        const char *fmt, ...) V23_PRINTF(5, 6);
    /* Deep copy; never fails visibly: out of memory becomes an error. */
    const struct v23_verror *(*copy)(struct v23_arena *a,
        const struct v23_verror *e);
    const struct v23_verror *(*not_registered)(struct v23_arena *a,
        const struct v23_errctx *ctx, const v23_uniqueid_id *id);
    /* A parameter of type t does not decode, because of rc. */
    const struct v23_verror *(*param)(struct v23_arena *a,
        const v23_security_caveat *cav, const struct vdl_type *t, int rc);
    const struct v23_verror *(*validation)(struct v23_arena *a,
        const struct v23_errctx *ctx, const struct v23_verror *cause);
    /* A caveat of a discharge, of kind k (NULL: unknown), failed with e. */
    const struct v23_verror *(*discharge)(struct v23_arena *a,
        const v23_security_caveat *cav, const struct vsec_caveat_kind *k,
        const struct v23_verror *e);
    const struct v23_verror *(*const_caveat)(struct v23_arena *a,
        const struct v23_errctx *ctx);
    /* Of both kinds of time caveats: now is "after expiry" limit. */
    const struct v23_verror *(*time)(struct v23_arena *a,
        struct v23_walltime now, const char *how, const v23_time_time *limit);
    const struct v23_verror *(*method)(struct v23_arena *a,
        const struct v23_errctx *ctx, struct vdl_str method,
        vdl_str_list permitted);
    const struct v23_verror *(*peers)(struct v23_arena *a,
        const struct v23_errctx *ctx, vdl_str_list names,
        v23_security_blessing_pattern_list permitted);
    const struct v23_verror *(*access_tag)(struct v23_arena *a,
        const struct v23_errctx *ctx, vdl_str_list tags,
        v23_access_tag_list permitted);
    const struct v23_verror *(*root)(const struct vsec_crypto *c,
        struct vdl_bytes key, const char *why, struct v23_arena *a);
    const struct v23_verror *(*signing)(struct v23_arena *a,
        const struct v23_errctx *ctx, const v23_uniqueid_id *id);
};
extern const struct v23_verror vsec_unknown_error_;

/* Member `how` of vsec_errors with its arguments, or a constant. */
#define VSEC_ERROR_(constant, how, ...) \
    (vsec_profile.errors == NULL ? &(constant) \
                                 : vsec_profile.errors->how(__VA_ARGS__))

/* An error that is only a text (v.io/v23/verror.Unknown). */
#define VSEC_UNKNOWN_ID_ "v.io/v23/verror.Unknown"
#define vsec_plain_error_(a, ...) \
    VSEC_ERROR_(vsec_unknown_error_, text, (a), NULL, \
        vdl_str(VSEC_UNKNOWN_ID_), V23_NO_RETRY, __VA_ARGS__)

/* A caveat does not hold, because of e. */
static inline int vsec_refuse_(const struct v23_verror **err,
    const struct v23_verror *e)
{
    if (err != NULL)
        *err = e;
    return V23_ECAVEAT;
}

/* Octets of a text that are put into another, for "%.*s". */
static inline int vsec_shown_(struct vdl_str s)
{
    return s.n > 256 ? 256 : (int)s.n;
}

/* Make the caveats of a discharge those to be validated next. V23_ELIMIT:
 * discharges are nested too deeply. */
V23_MUST_USE int vsec_check_descend_(struct vsec_check *c,
    v23_security_caveat_list caveats);

/*
 * Validate one caveat of a known kind at once (no third party, no waiting).
 * V23_ECAVEAT with the complete error.
 */
V23_MUST_USE int vsec_caveat_validate_now_(const struct vsec_caveat_kind *k,
    const v23_security_caveat *cav, const struct vsec_call *call,
    struct v23_arena *a, const struct v23_verror **err);

#endif
