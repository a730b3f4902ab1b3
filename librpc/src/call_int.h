/* BSD-3-Clause; see LICENSE. */
/* The client's side of a call; shared by client.c and call_*.c. */
#ifndef VRPC_CALL_INT_H
#define VRPC_CALL_INT_H

#include <vrpc/verror.h>

#include "rpc_int.h"

enum vrpc_call_state_ {
    VRPC_CALL_IDLE_,    /* in the pool */
    VRPC_CALL_RESOLVE_, /* waits for the resolver */
    VRPC_CALL_CONNECT_, /* attempts run */
    VRPC_CALL_BLESS_,   /* discharges are fetched */
    VRPC_CALL_GRANT_,   /* waits for the granter */
    VRPC_CALL_OPEN_,    /* waits for the window before the request */
    VRPC_CALL_RUN_,     /* request sent */
    VRPC_CALL_BACKOFF_, /* waits before another try */
    VRPC_CALL_DONE_     /* `done` is to be called */
};

/* One server being tried. */
struct vrpc_attempt_ {
    struct vrpc_waiter_ wait;
    struct vrpc_call *call;
    struct vdl_str server;  /* its name, for error texts */
    struct vrpc_place_ *place; /* it, taken apart; a reference */
    struct vrpc_session_ *session;
    struct vrpc_check_ check;
    const struct v23_verror *err; /* why it failed; NULL: not yet */
    struct vrpc_span *span; /* of a collected trace, until it ends */
    bool judging; /* the handshake waits for the check */
    bool checking;
    bool at_hand;    /* there is a connection already */
    bool authorized; /* for `session` */
    bool untrusted, timed_out;
};

/* What is expected next from the server. */
enum vrpc_call_want_ {
    VRPC_WANT_RESPONSE_,
    VRPC_WANT_ITEM_,
    VRPC_WANT_RESULT_,
    VRPC_WANT_NOTHING_
};

struct vrpc_call {
    struct vrpc_stream_ stream; /* first member */
    struct vrpc_client *c;
    struct vrpc_call *next, **link; /* live calls, or the manager's pool */
    enum vrpc_call_state_ state;
    struct v23_arena arena; /* as long as the call */
    struct v23_arena data;  /* one item, or the results */
    struct vrpc_timer_ deadline_timer, retry_timer;
    struct vrpc_task_ task; /* `done` */
    struct vrpc_task_ writable_task, resume_task;
    struct v23_op op;       /* resolve or grant */

    /* what was asked */
    struct vdl_str name, pattern, rest, method_name;
    struct vrpc_place_ *place; /* what `name` is; a reference, or NULL */
    struct vrpc_call_opts opts;
    struct vrpc_span span;
    int64_t started;                 /* monotonic */
    int64_t deadline, conn_deadline; /* the same, V23_NEVER = none */
    const struct vrpc_method *method; /* NULL: dynamic */
    const void *in;         /* the in struct, or struct vdl_any[] */
    size_t nargs, nresults;
    const struct vrpc_call_stub *stub;
    vrpc_any_fn *item_fn, *done_fn;
    const struct vrpc_any_cb *any_cb;
    void *ud;
    void (*writable_fn)(void *ud, struct vrpc_call *call);
    void *writable_ud;

    /* connecting */
    unsigned retries, tries; /* of the request, of connecting for it */
    const struct v23_verror *prev, *unconnected; /* the last error of each */
    struct vrpc_attempt_ *attempts;
    size_t nattempts, nfailed;
    struct vrpc_attempt_ *chosen; /* keeps its place until the end */
    struct vrpc_pin *pin;        /* wants the connection, and no call */
    struct vrpc_session_ *session; /* of the chosen server; pinned */
    struct vsec_blessings *peer; /* the server's; a reference */
    struct vrpc_names_ *names;   /* of the server; a reference, or NULL */
    struct vsec_blessings *blessings, *granted; /* references */
    size_t ngrants;                             /* granters that were asked */
    struct vsec_discharge **discharges;         /* references */
    size_t ndischarges;
    struct vrpc_fetch_ *fetch;                  /* discharges being fetched */

    /* running */
    enum vrpc_call_want_ want;
    uint64_t npending;     /* results still to be decoded */
    void *out;
    struct vdl_any *results;
    const struct v23_verror *err; /* outcome */
    bool request_sent, send_closed, close_wanted, paused, in_item;
    bool canceled, expired, busy;
};

struct vrpc_client {
    struct vrpc_manager *m;
    struct vrpc_client *next, **link; /* of the manager, oldest first */
    struct vrpc_client_config cfg;
    const struct vrpc_resolver *resolver;
    struct vrpc_call *calls;
    struct vrpc_pin *pins;
    size_t ncalls;
    struct v23_errctx ctx; /* for errors of calls */
    char stat_name[40];    /* of the calls in the statistics, or empty */
};

/* rpc_stats.c */
void vrpc_client_stats_init_(struct vrpc_client *c);
void vrpc_client_stats_fini_(struct vrpc_client *c);

/* call_try.c */
void vrpc_call_try_(struct vrpc_call *call);
/* A try failed: back off and try again, or end the call. */
void vrpc_call_tried_(struct vrpc_call *call, const struct v23_verror *err,
    enum v23_retry action, bool require_resolve);
void vrpc_call_retry_timer_(void *ud);

/* call_connect.c */
/* Start on all servers v[order[0 … n-1]]; vrpc_call_chosen_() or
 * vrpc_call_tried_() follows, or the end of the call. */
void vrpc_call_attempt_(struct vrpc_call *call, const struct vdl_str *v,
    const size_t *order, size_t n);
void vrpc_call_stop_attempts_(struct vrpc_call *call);
void vrpc_call_unchoose_(struct vrpc_call *call);

/* call_bless.c: blessings for the chosen server, given and granted */
/* An attempt's server was chosen: go on to the request. */
void vrpc_call_chosen_(struct vrpc_call *call, struct vrpc_attempt_ *at);
/* Discharges are there, or as many as could be had. */
void vrpc_call_blessed_(struct vrpc_call *call);

/* pin.c */
/* The connection was chosen. */
void vrpc_pin_chosen_(struct vrpc_pin *p, struct vrpc_session_ *s);

/* call_run.c */
extern const struct vrpc_user_ops_ vrpc_call_ops_;
void vrpc_call_open_(struct vrpc_call *call);
void vrpc_call_deadline_(void *ud);
void vrpc_call_resume_(void *ud);
void vrpc_call_writable_(void *ud);
/* The caller's error: canceled and expired calls say so. */
const struct v23_verror *vrpc_call_convert_(struct vrpc_call *call,
    const struct v23_verror *err);

/* client.c */
/* Give back flow, blessings and whatever waits; the call may try again. */
void vrpc_call_release_(struct vrpc_call *call);
/* The outcome is known: release everything but the arenas, post `done`. */
void vrpc_call_end_(struct vrpc_call *call, const struct v23_verror *err);
/* Connect for a pin and tell cb->done. NULL as vrpc_client_start_any(). */
struct vrpc_call *vrpc_call_connect_(struct vrpc_client *c,
    struct vdl_str name, const struct vrpc_call_opts *opts,
    const struct vrpc_any_cb *cb, struct vrpc_pin *p);
/* Error context "<rpc.Client>"name".method". */
const struct v23_errctx *vrpc_call_ctx_(struct vrpc_call *call);
/* The call's span, named, if what happens in it may be kept; else NULL. */
const struct vrpc_span *vrpc_call_span_(struct vrpc_call *call);

#endif
