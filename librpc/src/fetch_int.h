/* BSD-3-Clause; see LICENSE. */
/* Discharges for blessings that are about to be shown. Private to librpc. */
#ifndef VRPC_FETCH_INT_H
#define VRPC_FETCH_INT_H

#include "rpc_int.h"

struct vrpc_fetch_;

/* Discharges found. */
struct vrpc_fetched_ {
    struct vsec_discharge **v; /* references, now the receiver's */
    size_t n;
    struct v23_walltime refresh; /* when to ask again; or vrpc_never_ */
};
extern const struct v23_walltime vrpc_never_;

struct vrpc_fetch_want_ {
    struct vrpc_client *c;          /* makes the calls; NULL: cache only */
    struct vrpc_manager *m;
    struct vsec_blessings *b;
    struct vrpc_call *call;         /* that they are for, or NULL */
    int64_t deadline;
    const struct vsec_authorizer *name_auth;
    bool cached_only;
    struct v23_arena *arena;        /* holds the result's array */
    /* A late result; not after a cancel. */
    void (*done)(void *ud, const struct vrpc_fetched_ *result);
    void *ud;
};

/*
 * Find or fetch (spec/security.md 8.5).
 * @return 0: *out; V23_EAGAIN: done follows, *f may be cancelled; V23_ENOMEM
 */
V23_MUST_USE int vrpc_fetch_start_(const struct vrpc_fetch_want_ *w,
    struct vrpc_fetched_ *out, struct vrpc_fetch_ **f);
void vrpc_fetch_cancel_(struct vrpc_fetch_ *f);
/* Discharges may be no good any more. */
void vrpc_fetch_forget_(struct vrpc_manager *m);

#endif
