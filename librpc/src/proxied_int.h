/* BSD-3-Clause; see LICENSE. */
/* One proxy that we listen through (spec/rpc.md 15.2). Private to librpc. */
#ifndef VRPC_PROXIED_INT_H
#define VRPC_PROXIED_INT_H

#include <vrpc/proxied.h>

#include "fetch_int.h"

/*
 * A request to a proxy, from the dial until its flow ends. The owner fills the
 * first part, all else zero.
 */
struct vrpc_request_ {
    struct vrpc_manager *m;
    enum vrpc_proxied_kind kind;
    struct vrpc_endpoint ep; /* of the proxy; borrowed */
    /* The proxy said under which endpoints we are known. */
    void (*changed)(struct vrpc_request_ *r);
    /*
     * It is over, as after vrpc_request_stop_(); may start anew. rc 0: the
     * proxy had answered. Not from inside vrpc_request_start_().
     */
    void (*ended)(struct vrpc_request_ *r, int rc, const char *why);
    /* private */
    struct vrpc_waiter_ wait;
    struct vrpc_user_ user;
    struct vrpc_timer_ timer; /* first answer */
    struct v23_arena arena;   /* of the set-up; then of the endpoints */
    struct vrpc_session_ *session; /* pinned; NULL: none yet */
    struct vrpc_check_ check;
    struct vsec_blessings *blessings;
    struct vrpc_fetch_ *fetch;
    struct vrpc_flow *flow;
    bool running, marked;
    bool answered;
    struct vrpc_endpoint *eps; /* while answered; in the arena */
    size_t neps;
};

V23_MUST_USE int vrpc_request_init_(struct vrpc_request_ *r);
void vrpc_request_fini_(struct vrpc_request_ *r);
/* 0: `ended` follows; else why not. */
V23_MUST_USE int vrpc_request_start_(struct vrpc_request_ *r);
/* Close the flow; `ended` does not follow. */
void vrpc_request_stop_(struct vrpc_request_ *r);

/* The answer of a client's resolver. */
void vrpc_proxied_resolved_(struct vrpc_proxied *p, int rc,
    vdl_str_list servers, const struct v23_verror *err);

#endif
