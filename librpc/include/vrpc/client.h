/* BSD-3-Clause; see LICENSE. */
/**
 * Calls: options, results without generated code, and the hooks a client needs
 * from above (names to servers). Source: spec/rpc.md 16.7, 19.
 *
 * A client lives in a manager (vrpc/manager.h), which owns the connections. A
 * manager may have many: each has its resolver, its limits and its calls, all
 * act as the manager's principal over its connections.
 * Typed calls are made by generated code through vrpc_client_start()
 * (vrpc/iface.h); tools that know no types use vrpc_client_start_any().
 *
 * Callbacks run on the manager's thread, never inside the function that
 * started the call, and `done` runs exactly once; the call is gone when it
 * returns.
 */
#ifndef VRPC_CLIENT_H
#define VRPC_CLIENT_H

#include <v23/op.h>
#include <v23/time.h>
#include <vrpc/endpoint.h>
#include <vrpc/iface.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_manager;
struct vrpc_span;
struct vsec_authorizer;
struct vsec_blessings;
struct vsec_principal;

/* ---- names to servers ---------------------------------------------------- */

/*
 * What libnaming plugs in. Without one a client can call rooted names only.
 * Outcomes of `resolve` (spec/rpc.md 19.2):
 *   0             `servers` holds rooted names, best effort order
 *   V23_EAGAIN    vrpc_client_resolved() follows
 *   V23_ENONAME   no such name (the call is retried until its deadline)
 *   V23_ENOENT    no server for the name, final
 *   V23_ETIMEOUT  final
 *   other         final; the call ends with NoServers
 * With a failure *err may be set (in `a`): it becomes a sub-error.
 *
 * It is not asked for a rooted name whose endpoint is no mount table's: that
 * is what it resolves to.
 */
struct vrpc_resolver {
    int (*resolve)(void *ud, struct v23_op op, struct vdl_str name,
        const struct vrpc_call_opts *opts, int64_t deadline,
        struct v23_arena *a, vdl_str_list *servers,
        const struct v23_verror **err);
    /* The call that asked is over; no answer is wanted. */
    void (*cancel)(void *ud, struct v23_op op);
    /* None of the servers of `name` could be reached: forget what is cached. */
    void (*flush)(void *ud, struct vdl_str name);
    void *ud;
};

/**
 * Answer a `resolve` that returned V23_EAGAIN. Servers and err are copied.
 * A stale op is ignored.
 */
void vrpc_client_resolved(struct vrpc_client *c, struct v23_op op, int rc,
    vdl_str_list servers, const struct v23_verror *err);

/**
 * Component and operation of the call that asked for a resolution, for errors
 * that a resolver makes; valid until the answer. NULL for a stale op.
 */
const struct v23_errctx *vrpc_client_resolve_ctx(struct vrpc_client *c,
    struct v23_op op);

/* ---- options of a call --------------------------------------------------- */

/*
 * Blessings to grant to the server (spec/rpc.md 19.5), evaluated when the
 * server is known. Returns 0 with *out (a reference for the call), V23_EAGAIN
 * (vrpc_client_granted() follows) or an error: the call ends with NotTrusted.
 */
typedef int vrpc_granter_fn(void *ud, struct v23_op op, struct vrpc_call *call,
    struct vsec_blessings **out);
struct vrpc_granter {
    vrpc_granter_fn *grant;
    void *ud;
};
void vrpc_client_granted(struct vrpc_client *c, struct v23_op op, int rc,
    struct vsec_blessings *b);

/* All-zero = defaults. Borrowed until the call is done, strings too. */
struct vrpc_call_opts {
    int64_t timeout_ns;          /* deadline of the call, from its start; 0 =
                                    none */
    int64_t deadline;            /* the same as monotonic instant; 0 = none */
    int64_t connect_timeout_ns;  /* resolution and connection; 0 = 1 minute or
                                    the call's deadline */
    int64_t channel_timeout_ns;  /* health checks (11); 0 = default */
    /* Who may be the server; NULL = the names in its endpoint (19.4). */
    const struct vsec_authorizer *server_auth;
    /* Who may be a mount table on the way; NULL = the same rule. */
    const struct vsec_authorizer *name_auth;
    /* Asked one after the other; what they grant is united. */
    const struct vrpc_granter *granters;
    size_t ngranters;
    /* What the call is made for (vrpc/vtrace.h); NULL = the root of the
     * program's store, else the call is a trace of its own. */
    const struct vrpc_span *span;
    /* Skip resolution: use these rooted names (they include the suffix). */
    const vdl_str_list *preresolved;
    bool no_resolve;  /* the name is used as it is */
    bool no_retry;    /* no retries of any kind */
    bool cached_only; /* use live connections, never dial */
    bool no_discharges; /* use cached discharges only */
    bool keep_args;   /* arguments of vrpc_client_start_any() live until the
                         call is done: they are not copied */
    struct vdl_str language; /* of the caller, "de-AT"; empty = not said */
};
/* An initializer for C and C++. */
#define VRPC_CALL_OPTS_INIT \
    { 0, 0, 0, 0, NULL, NULL, NULL, 0, NULL, NULL, false, false, false, \
        false, false, { NULL, 0 } }

/* ---- calls without generated code ---------------------------------------- */

struct vrpc_any_cb {
    /* One received stream item; valid during the callback. NULL = drop. */
    void (*item)(void *ud, struct vdl_any item);
    /* err == NULL: success. Values are valid during the callback. */
    void (*done)(void *ud, const struct v23_verror *err,
        const struct vdl_any *results, size_t n);
};

#define VRPC_ANY_RESULTS SIZE_MAX /* accept as many results as come */

/**
 * Start a dynamic call. The caller's stream stays open until
 * vrpc_call_close_send(): call that at once when there is nothing to send.
 *
 * @param args      copied unless the options say otherwise; each travels under its own type, a nil any as any
 * @param nresults  expected number of results, or VRPC_ANY_RESULTS
 * @param cb        must stay valid until done
 * @return NULL only when memory is short or max_calls run; other failures come
 *         through `done`
 */
struct vrpc_call *vrpc_client_start_any(struct vrpc_client *c,
    struct vdl_str name, struct vdl_str method,
    const struct vrpc_call_opts *opts, const struct vdl_any *args,
    size_t nargs, size_t nresults, const struct vrpc_any_cb *cb, void *ud);
/** Send a stream item of a dynamic call; codes as vrpc_call_send(). */
V23_MUST_USE int vrpc_call_send_any(struct vrpc_call *call,
    struct vdl_any item);

/* ---- a running call ------------------------------------------------------ */

/**
 * Call `fn` once when vrpc_call_send() would succeed again after V23_EAGAIN,
 * or when the call first gets its connection. Stays registered.
 */
void vrpc_call_on_writable(struct vrpc_call *call,
    void (*fn)(void *ud, struct vrpc_call *call), void *ud);
/**
 * Hold back (true) or let come (false) further `item` callbacks; the server is
 * slowed down by flow control.
 */
void vrpc_call_pause(struct vrpc_call *call, bool paused);
/** Blessing names the server presented that are recognised; valid until done;
 * empty before the connection is made. */
vdl_str_list vrpc_call_server_names(const struct vrpc_call *call);
/** Endpoint of the chosen server, or NULL before there is one. */
const struct vrpc_endpoint *vrpc_call_server(const struct vrpc_call *call);
/** Public key (DER) of the server, empty before there is one. */
struct v23_bytes vrpc_call_server_key(const struct vrpc_call *call);
/** Everything the server presented, recognised or not; NULL before that. */
const struct vsec_blessings *vrpc_call_server_blessings(
    const struct vrpc_call *call);
/** The request has been sent: what fails now fails at the server. */
bool vrpc_call_is_sent(const struct vrpc_call *call);
/** The client a call belongs to. */
struct vrpc_client *vrpc_call_client(const struct vrpc_call *call);

/* ---- pinned connections -------------------------------------------------- */

/*
 * A connection that is made without a call, is never idle, and is made again
 * when it is lost: at once, and after a try that failed after 50 ms, doubling
 * to a minute. Each try looks the name up and takes a server as a call does.
 */
struct vrpc_pin;
/* err NULL: there is a connection (again). Else why a try has failed; the next
 * one follows. May free the pin. */
typedef void vrpc_pin_fn(void *ud, struct vrpc_pin *p,
    const struct v23_verror *err);
/**
 * Pin a connection to a server of `name`.
 *
 * @param name  copied
 * @param opts  NULL = defaults; what it points to is borrowed while the pin
 *              lives. A deadline is that of each try; with no_retry a try does
 *              not back off by itself.
 * @param fn    NULL = nobody wants to know; never called from inside here
 * @param out   until vrpc_pin_free() or the end of the client
 * @return 0 or V23_ENOMEM
 * Source: spec/rpc.md 19.5.
 */
V23_MUST_USE int vrpc_client_pin(struct vrpc_client *c, struct vdl_str name,
    const struct vrpc_call_opts *opts, vrpc_pin_fn *fn, void *ud,
    struct vrpc_pin **out);
/** Is it connected now? */
bool vrpc_pin_is_connected(const struct vrpc_pin *p);
/** Unpin; the connection lives on like any other. NULL is ignored. */
void vrpc_pin_free(struct vrpc_pin *p);

/* ---- the client ---------------------------------------------------------- */

struct vrpc_client_config {
    const struct vrpc_resolver *resolver; /* NULL = rooted names only */
    struct vdl_str component; /* program name, for error texts */
    vdl_str_list protocols;   /* preferred ones; empty = default (19.3) */
    const struct vrpc_network *networks; /* of the local interfaces */
    size_t nnetworks;
    size_t call_budget;  /* bytes of results or of one item; 0 = 64 MiB */
    uint32_t max_calls;  /* at the same time; 0 = 65,536 */
    uint32_t pool;       /* call objects that the manager keeps for reuse by
                            any of its clients; 0 = 64 */
};

/**
 * A client of a manager. Strings, arrays and the resolver are borrowed for the
 * life of the client. What the manager itself asks of others, for its server
 * or for proxies, it asks with the oldest one.
 *
 * @return 0, V23_ENOMEM
 */
V23_MUST_USE int vrpc_client_new(struct vrpc_manager *m,
    const struct vrpc_client_config *cfg, struct vrpc_client **out);
/** Install or replace the resolver (libnaming is made after the client). */
void vrpc_client_set_resolver(struct vrpc_client *c,
    const struct vrpc_resolver *r);
/** Cancel all calls (their `done` runs), unpin, and free; NULL is ignored. */
void vrpc_client_free(struct vrpc_client *c);
struct vrpc_manager *vrpc_client_manager(const struct vrpc_client *c);
size_t vrpc_client_ncalls(const struct vrpc_client *c);

#ifdef __cplusplus
}
#endif
#endif
