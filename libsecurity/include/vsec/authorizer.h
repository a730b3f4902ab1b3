/* BSD-3-Clause; see LICENSE. */
/**
 * May the other end of a call do what it asks for? Source: spec/security.md 10.
 *
 * Authorizers look at call->names, so the check (vsec/check.h) comes first.
 */
#ifndef VSEC_AUTHORIZER_H
#define VSEC_AUTHORIZER_H

#include <vsec/check.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Who is told of a late answer. `err` as below, valid during the call.
 */
struct vsec_auth_wait {
    void (*done)(void *ud, struct v23_op op, int rc,
        const struct v23_verror *err);
    void *ud;
    struct v23_op op; /* the caller's; names the request to cancel */
};

/*
 * `authorize` returns 0: allowed; V23_EDENIED: refused, and *err (in `a` or
 * constant) says why; V23_EAGAIN: wait->done is called exactly once later,
 * never from inside (only when wait is not NULL); other codes: no decision
 * could be made (the call fails). `call` lives until the answer.
 * `cancel` may be NULL when authorize never returns V23_EAGAIN.
 */
struct vsec_authorizer {
    int (*authorize)(void *ud, const struct vsec_call *call,
        struct v23_arena *a, const struct vsec_auth_wait *wait,
        const struct v23_verror **err);
    void (*cancel)(void *ud, struct v23_op op);
    void *ud;
};

/** Ask an authorizer (NULL = vsec_auth_default). */
V23_MUST_USE int vsec_authorize(const struct vsec_authorizer *auth,
    const struct vsec_call *call, struct v23_arena *a,
    const struct vsec_auth_wait *wait, const struct v23_verror **err);

/* One end is the other, or a delegate of it. */
extern const struct vsec_authorizer vsec_auth_default;
/* Everyone, also without names. */
extern const struct vsec_authorizer vsec_auth_everyone;
/* Client side: the server has a name that its endpoint claims. */
extern const struct vsec_authorizer vsec_auth_endpoint;

/** Only the holder of one key; `key` is borrowed for the authorizer's life. */
struct vsec_authorizer vsec_auth_public_key(const struct vsec_pubkey *key);

/* The remote names must match a pattern; borrowed. */
struct vsec_auth_pattern {
    struct vdl_str pattern;
};
struct vsec_authorizer vsec_auth_pattern(const struct vsec_auth_pattern *p);

#ifdef __cplusplus
}
#endif
#endif
