/* BSD-3-Clause; see LICENSE. */
/**
 * Serving calls: dispatch, authorization, glob, signatures, and what a handler
 * can ask about its call. Source: spec/rpc.md 16.6, 17, 18, 20.
 *
 * A server belongs to a manager with a routing id (vrpc/manager.h). Nothing
 * here blocks: lookup, authorization and handlers may answer later.
 */
#ifndef VRPC_SERVER_H
#define VRPC_SERVER_H

#include <v23/op.h>
#include <v23/time.h>
#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <vrpc/endpoint.h>
#include <vrpc/glob.h>
#include <vrpc/iface.h>
#include <vsec/authorizer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_manager;
struct vrpc_server;
struct vrpc_span;

/* ---- dispatch ------------------------------------------------------------ */

/*
 * Find the object of a suffix (without leading '/'). Outcomes:
 *   0            *obj and *auth set; auth NULL = default authorizer; obj with
 *                neither iface nor glob = no object (UnknownSuffix)
 *   V23_EAGAIN   vrpc_server_looked_up() follows
 *   V23_ENOENT   UnknownSuffix
 *   V23_EWIREERR *err is sent to the client as it is (in `a` or constant)
 *   other        Internal
 * Also called for every object that __Glob visits.
 */
struct vrpc_dispatcher {
    int (*lookup)(void *ud, struct v23_op op, struct vdl_str suffix,
        struct v23_arena *a, struct vrpc_object *obj,
        const struct vsec_authorizer **auth, const struct v23_verror **err);
    void (*cancel)(void *ud, struct v23_op op);
    /* Optional: the call or glob step that used `obj` has ended. */
    void (*release)(void *ud, const struct vrpc_object *obj);
    void *ud;
};
/** Answer a lookup that returned V23_EAGAIN; err is copied. */
void vrpc_server_looked_up(struct vrpc_server *s, struct v23_op op, int rc,
    const struct vrpc_object *obj, const struct vsec_authorizer *auth,
    const struct v23_verror *err);

/**
 * The call that a lookup in progress is for: its method, language, deadline.
 * NULL for a stale op.
 */
const struct vrpc_server_call *vrpc_server_lookup_call(
    const struct vrpc_server *s, struct v23_op op);

/* ---- glob ---------------------------------------------------------------- */

struct vrpc_glob_call; /* one object asked for its part of a __Glob */

/*
 * How an object answers globs; exactly one of `children` and `glob` is set.
 * Both return 0 (everything was sent), V23_EAGAIN (goes on; ends with
 * vrpc_glob_done()) or an error; V23_EWIREERR after vrpc_glob_fail().
 */
struct vrpc_globber {
    /* Send the children whose names match the first element of `pattern`
     * (vrpc_glob_match()) with vrpc_glob_send_child(). */
    int (*children)(void *self, struct vrpc_glob_call *g,
        const struct vrpc_glob *pattern);
    /* Send entries for the whole pattern with vrpc_glob_send_entry(). */
    int (*glob)(void *self, struct vrpc_glob_call *g,
        const struct vrpc_glob *pattern);
    /* After a send gave V23_EAGAIN: there is room again. Or after
     * vrpc_glob_yield(). */
    void (*writable)(void *self, struct vrpc_glob_call *g);
    /* The client has gone; g is dead afterwards. */
    void (*cancel)(void *self, struct vrpc_glob_call *g);
};

/**
 * Report a child (children style).
 * @return 0; V23_EARG: empty, contains '/' or does not match; V23_ELIMIT,
 *         V23_ENOMEM; V23_ECLOSED: the client has gone
 */
V23_MUST_USE int vrpc_glob_send_child(struct vrpc_glob_call *g,
    struct vdl_str name);
/**
 * Send an entry (glob style); its name is relative to the object.
 * @return 0; V23_EAGAIN: nothing sent, `writable` follows; V23_ECLOSED
 */
V23_MUST_USE int vrpc_glob_send_entry(struct vrpc_glob_call *g,
    const v23_naming_mount_entry *e);
/**
 * Give way to others in the middle of a long search: `writable` is called at
 * the next turn of the loop. The function that calls this returns, or the
 * object's function gives V23_EAGAIN.
 */
void vrpc_glob_yield(struct vrpc_glob_call *g);
/** Report an error about a name relative to the object; both styles. */
V23_MUST_USE int vrpc_glob_send_error(struct vrpc_glob_call *g,
    struct vdl_str name, const struct v23_verror *err);
/** Set the error with which this object's part ends (copied). */
void vrpc_glob_fail(struct vrpc_glob_call *g, const struct v23_verror *err);
/** End a part that returned V23_EAGAIN; rc as the function's result. */
void vrpc_glob_done(struct vrpc_glob_call *g, int rc);
/** The __Glob call itself (caller's names, deadline, arena, …). */
struct vrpc_server_call *vrpc_glob_server_call(struct vrpc_glob_call *g);
/** Suffix of the object asked, and a place for its owner's data. */
struct vdl_str vrpc_glob_suffix(const struct vrpc_glob_call *g);
void vrpc_glob_set_data(struct vrpc_glob_call *g, void *data);
void *vrpc_glob_data(const struct vrpc_glob_call *g);

/* ---- a call being served ------------------------------------------------- */

struct vdl_str vrpc_server_call_suffix(const struct vrpc_server_call *call);
struct vdl_str vrpc_server_call_method(const struct vrpc_server_call *call);
struct vrpc_server *vrpc_server_call_server(
    const struct vrpc_server_call *call);
/** Recognised names of the caller's blessings. */
vdl_str_list vrpc_server_call_remote_names(
    const struct vrpc_server_call *call);
/** Names of the caller that were not recognised or failed a caveat. */
v23_security_rejected_blessing_list vrpc_server_call_rejected(
    const struct vrpc_server_call *call);
/** Names of the server's own blessings. */
vdl_str_list vrpc_server_call_local_names(const struct vrpc_server_call *call);
/** Borrowed; NULL when there are none. */
const struct vsec_blessings *vrpc_server_call_remote_blessings(
    const struct vrpc_server_call *call);
const struct vsec_blessings *vrpc_server_call_local_blessings(
    const struct vrpc_server_call *call);
/** What the caller granted, or NULL. */
const struct vsec_blessings *vrpc_server_call_granted(
    const struct vrpc_server_call *call);
/** All that authorizers know of the call. */
const struct vsec_call *vrpc_server_call_security(
    const struct vrpc_server_call *call);
/**
 * The span of the call, below the caller's: the parent of what is done for it
 * and of calls made on its behalf (vrpc/vtrace.h). Lives as long as the call.
 */
const struct vrpc_span *vrpc_server_call_span(
    const struct vrpc_server_call *call);
/** Language of the caller, "de-AT"; empty when it did not say. */
struct vdl_str vrpc_server_call_language(const struct vrpc_server_call *call);
/** Number of third-party discharges the caller sent. */
size_t vrpc_server_call_discharges(const struct vrpc_server_call *call);
/** Caller's and own public key, DER. */
struct v23_bytes vrpc_server_call_remote_key(
    const struct vrpc_server_call *call);
struct v23_bytes vrpc_server_call_local_key(
    const struct vrpc_server_call *call);
const struct vrpc_endpoint *vrpc_server_call_remote_endpoint(
    const struct vrpc_server_call *call);
const struct vrpc_endpoint *vrpc_server_call_local_endpoint(
    const struct vrpc_server_call *call);
/** Monotonic instant, V23_NEVER when the caller gave none. */
int64_t vrpc_server_call_deadline(const struct vrpc_server_call *call);
/** Time when the call was received; caveats were validated at `wall`. */
struct v23_now vrpc_server_call_received(const struct vrpc_server_call *call);
/**
 * V23_OK while running, V23_ECANCELED (caller or connection gone) or
 * V23_ETIMEOUT (deadline passed).
 */
int vrpc_server_call_status(const struct vrpc_server_call *call);
/**
 * Call `fn` once when the call is cancelled or its deadline passes; reason as
 * vrpc_server_call_status(). A pending call must still be replied to. When the
 * caller has gone before it ended its stream, the method's item callback is
 * then called with NULL as at any end.
 */
void vrpc_server_call_on_cancel(struct vrpc_server_call *call,
    void (*fn)(void *ud, struct vrpc_server_call *call, int reason), void *ud);
/** Call `fn` when a send that gave V23_EAGAIN would succeed again. */
void vrpc_server_call_on_writable(struct vrpc_server_call *call,
    void (*fn)(void *ud, struct vrpc_server_call *call), void *ud);
/** Hold back or let come item callbacks (back-pressure on the client). */
void vrpc_server_call_pause(struct vrpc_server_call *call, bool paused);
/**
 * Say that the call goes on until somebody ends it, such as a watcher: when the
 * server stops it is cancelled at once (V23_ECANCELED), while others are waited
 * for. Its connection is still there, so the end can be sent properly. On a
 * server that is stopping already this follows soon.
 */
void vrpc_server_call_endless(struct vrpc_server_call *call);
/** A place for the handler's data. */
void vrpc_server_call_set_data(struct vrpc_server_call *call, void *data);
void *vrpc_server_call_data(const struct vrpc_server_call *call);

/* ---- the server ---------------------------------------------------------- */

enum vrpc_leaf {
    VRPC_LEAF_DEFAULT, /* an object is a leaf, a dispatcher is not */
    VRPC_LEAF_YES,
    VRPC_LEAF_NO
};

enum vrpc_server_state {
    VRPC_SERVER_READY,
    VRPC_SERVER_STOPPING,
    VRPC_SERVER_STOPPED
};

struct vrpc_server_config {
    /* Either a dispatcher, or one object with its authorizer. */
    const struct vrpc_dispatcher *dispatcher;
    struct vrpc_object object;
    const struct vsec_authorizer *authorizer; /* NULL = default authorizer */
    const struct vrpc_dispatcher *reserved; /* "__debug…"; NULL = none */
    /* Who validates the caveats of those who call the server's objects, and not
     * what is reserved; NULL = the standard kinds. */
    const struct vsec_caveat_hook *caveats;
    bool no_debug;          /* vrpc_runtime_serve() shall not add one */
    enum vrpc_leaf leaf;
    bool mount_table;       /* endpoints say so */
    /* Patterns of the peers that may learn the server's blessings (a private
     * server, spec/rpc.md 8.6): NULL = all. Anything else is refused, as it
     * needs identity-based encryption. */
    const vdl_str_list *peers;
    struct vdl_str component; /* program name, for error texts */
    struct vdl_str name;      /* published name, for error texts */
    /* Dispatchers, authorizers and methods may run on several threads at the
     * same time: they change nothing but what locks or atomic operations
     * protect, and use of this library what belongs to the call's own loop
     * (the call, vrpc_runtime_of()). Else the server has one loop. */
    bool any_thread;
    uint32_t max_calls;     /* at the same time, in each loop; 0 = 65,536 */
    uint32_t max_calls_per_conn; /* 0 = 4,096 */
    size_t call_budget;     /* bytes of arguments or of one item; 0 = 64 MiB */
    size_t glob_budget;     /* bytes of queued names of one glob; 0 = 16 MiB */
    uint32_t pool;          /* call objects kept for reuse; 0 = 64 */
};

/**
 * Start serving on all present and future connections of a manager. One per
 * manager; config strings and tables are borrowed for the server's life.
 * @return 0, V23_ENOMEM, V23_ESTATE (has one); V23_EARG: null routing id, an
 *         empty list of peers, or peers of a server that has a name;
 *         V23_ENOSYS: private servers are not supported
 */
V23_MUST_USE int vrpc_server_new(struct vrpc_manager *m,
    const struct vrpc_server_config *cfg, struct vrpc_server **out);
/**
 * Shut down (spec/rpc.md 20.4): lame duck on all connections, wait for running
 * calls at most `lame_duck_ns` (0 = cancel at once), then cancel them and
 * close the connections. Listeners must have been closed by the caller
 * (vrpc_ev_server_stop() does all of it).
 * @param done  runs once, when the last handler has replied; never before
 *              this returns
 */
void vrpc_server_stop(struct vrpc_server *s, int64_t lame_duck_ns,
    void (*done)(void *ud), void *ud);
/** Free a stopped server (or one never used); NULL is ignored. */
void vrpc_server_free(struct vrpc_server *s);
enum vrpc_server_state vrpc_server_state(const struct vrpc_server *s);
/** Objects are leaves: the mount flag (20.2). */
bool vrpc_server_is_leaf(const struct vrpc_server *s);
bool vrpc_server_is_mount_table(const struct vrpc_server *s);
size_t vrpc_server_ncalls(const struct vrpc_server *s);
struct vrpc_manager *vrpc_server_manager(const struct vrpc_server *s);

#ifdef __cplusplus
}
#endif
#endif
