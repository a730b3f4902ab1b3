/* BSD-3-Clause; see LICENSE. */
/* The server's side of a call; shared by serve*.c, reserved.c, glob_*.c. */
#ifndef VRPC_SERVER_INT_H
#define VRPC_SERVER_INT_H

#include <v23/vdl/v.io/v23/rpc/rpc.vdl.h>
#include <vrpc/verror.h>

#include "rpc_int.h"

enum vrpc_served_state_ {
    VRPC_SERVED_IDLE_,     /* in the pool */
    VRPC_SERVED_CLASSIFY_, /* waits for the first byte of the flow */
    VRPC_SERVED_OTHER_,    /* unknown first byte: left alone for a while */
    VRPC_SERVED_TYPES_,    /* waits for the type flow */
    VRPC_SERVED_REQUEST_,
    VRPC_SERVED_TRACE_,    /* may the caller have the call collected? */
    VRPC_SERVED_LOOKUP_,
    VRPC_SERVED_ARGS_,
    VRPC_SERVED_DISCARD_,  /* skips arguments before an error is sent */
    VRPC_SERVED_AUTH_,
    VRPC_SERVED_RUN_,      /* the handler answers later */
    VRPC_SERVED_LATE_      /* the answer waits for the window */
};

struct vrpc_server_call {
    struct vrpc_stream_ stream; /* first member */
    struct vrpc_server *s;
    struct vrpc_session_ *session;
    struct vrpc_server_call *next, **link;   /* live calls, or the pool */
    struct vrpc_server_call *snext, **slink; /* of the session */
    enum vrpc_served_state_ state;
    struct v23_arena arena;  /* as long as the call */
    struct v23_arena item;   /* one stream item */
    struct vrpc_timer_ timer;
    struct vrpc_task_ resume_task;
    struct v23_op op;        /* lookup */

    struct vdl_str suffix, method_name, language;
    struct v23_errctx ctx;
    struct vrpc_span span;   /* its name is ctx.op */
    struct vrpc_served_trace_ *tracing; /* NULL: nobody asked */
    struct v23_now received;
    int64_t deadline;
    struct vsec_blessings *granted; /* a reference */
    const struct vrpc_dispatcher *dispatcher; /* that was asked */
    struct vrpc_object obj;
    const struct vsec_authorizer *auth;
    const struct vrpc_method *method;
    const void *vt;          /* of the interface that has the method */
    uint64_t nargs, arg;     /* sent; read so far */
    void *in, *out;
    struct vrpc_check_ check;
    const struct v23_verror *err; /* to be sent after DISCARD */
    int status;              /* 0, V23_ECANCELED, V23_ETIMEOUT */
    bool has_obj;            /* obj is to be released */
    bool want_item;          /* a stream header has been read */
    bool args_ended;         /* no more items */
    bool paused, busy, gone, replied;
    bool endless;            /* does not hold up a stop */
    void (*cancel_fn)(void *ud, struct vrpc_server_call *call, int reason);
    void *cancel_ud;
    void (*writable_fn)(void *ud, struct vrpc_server_call *call);
    void *writable_ud;
    void *data;
};

struct vrpc_server {
    struct vrpc_host_ host; /* first member */
    struct vrpc_manager *m;
    struct vrpc_server_config cfg;
    struct vrpc_dispatcher object_dispatcher; /* around cfg.object */
    const struct vrpc_dispatcher *dispatcher;
    bool leaf;
    struct vrpc_server_call *calls, *pool;
    size_t ncalls, npool;
    struct vrpc_task_ trim_task, endless_task;
    struct vrpc_server_stats_ *stats; /* or NULL */
};

/* served.c */
extern const struct vrpc_user_ops_ vrpc_served_ops_;
void vrpc_served_run_(struct vrpc_server_call *call);
void vrpc_served_timer_(void *ud);
void vrpc_served_resume_(void *ud);
/* The handler is told once that nobody waits any more. */
void vrpc_served_cancel_(struct vrpc_server_call *call, int reason);

/* served_request.c */
/* Read it and look up what it names; a step as served.c takes them. */
int vrpc_served_request_(struct vrpc_server_call *call);
/* Its request to be collected was judged. */
void vrpc_served_traced_(struct vrpc_server_call *call);
/* The lookup of a call has ended. */
void vrpc_served_looked_up_(struct vrpc_server_call *call, int rc,
    const struct v23_verror *err);

/* served_answer.c */
/* The end of a call; `out` is the method's out struct. 0; a status: it was
 * lost. */
int vrpc_served_answer_(struct vrpc_server_call *call,
    const struct v23_verror *err, const void *out);
/* The call ends with an error of our own. */
void vrpc_served_refuse_status_(struct vrpc_server_call *call, int rc);
void vrpc_served_refuse_(struct vrpc_server_call *call,
    const struct v23_verror *err);
/* The same after reading the arguments that are on their way, or that were only
 * announced. */
void vrpc_served_refuse_later_(struct vrpc_server_call *call,
    const struct v23_verror *err);
/* Send an error, but leave the call to its handler. */
void vrpc_served_tell_(struct vrpc_server_call *call,
    const struct v23_verror *err);

/* served_trace.c */
/* Begin the span. 0, or V23_EAGAIN: vrpc_served_traced_() follows. */
int vrpc_served_span_(struct vrpc_server_call *call,
    const v23_vtrace_request *req);
/* What was collected, if the caller may see it. */
void vrpc_served_report_(struct vrpc_server_call *call,
    v23_vtrace_response *out);
void vrpc_served_trace_end_(struct vrpc_server_call *call);

/* server.c */
/* Everything is said: give the flow back and the call to the pool. */
void vrpc_served_end_(struct vrpc_server_call *call, bool cancel);
void vrpc_served_release_object_(struct vrpc_server_call *call);
/* Views that security checks of a call start from. */
void vrpc_served_security_(struct vrpc_server_call *call,
    struct vsec_call *sc);

/* rpc_stats.c */
void vrpc_server_stats_init_(struct vrpc_server *s);
void vrpc_server_stats_fini_(struct vrpc_server *s);
/* Names of a caller were wanted, and remembered (`hit`) or not. */
void vrpc_server_stats_names_(struct vrpc_server_call *call, bool hit);
/* The handler has answered. */
void vrpc_server_stats_latency_(struct vrpc_server_call *call);

/* reserved.c */
extern const struct vrpc_iface vrpc_reserved_iface_;
/* Method of an object, and the vtable it belongs to; NULL: none. */
const struct vrpc_method *vrpc_find_method_(const struct vrpc_iface *iface,
    const void *vt, struct vdl_str name, const void **mvt);

/* dynamic.c */
/* The object may answer calls or globs. */
static inline bool vrpc_object_exists_(const struct vrpc_object *o)
{
    return o->iface != NULL || o->dynamic != NULL || o->glob != NULL;
}
const v23_signature_method *vrpc_dynamic_find_(const struct vrpc_dynamic *d,
    struct vdl_str name);
/*
 * The method that the request names, as a descriptor. NULL: *err says why not,
 * also whether the number of arguments is wrong.
 */
const struct vrpc_method *vrpc_dynamic_method_(struct vrpc_server_call *call,
    struct vdl_str name, const struct v23_verror **err);

/* glob_server.c */
struct vrpc_glob_run_;
const struct v23_verror *vrpc_glob_start_(struct vrpc_server_call *call,
    struct vdl_str pattern);
void vrpc_glob_looked_up_(struct vrpc_glob_run_ *g, int rc,
    const struct vrpc_object *obj, const struct vsec_authorizer *auth);
struct vrpc_server_call *vrpc_glob_call_of_(const struct vrpc_glob_run_ *g);

/* signature.c */
const struct v23_verror *vrpc_signature_(struct vrpc_server_call *call,
    void *out);
const struct v23_verror *vrpc_method_signature_(struct vrpc_server_call *call,
    struct vdl_str method, void *out);
void vrpc_signature_looked_up_(struct vrpc_server_call *call, int rc,
    const struct vrpc_object *obj, const struct v23_verror *err);

#endif
