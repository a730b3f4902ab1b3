/* BSD-3-Clause; see LICENSE. */
/**
 * Interface descriptors and the entry points that generated code
 * (<pkg>.rpc.{h,c}) builds on. Source: spec/vdl.md 13.7 (names as in
 * design.md), spec/rpc.md 16-18.
 *
 * Handlers of a server:
 *   const struct v23_verror *get(void *self, struct vrpc_server_call *call,
 *       const T_in *in, T_out *out);
 * return NULL (ok, *out filled; what it points to lives in
 * vrpc_server_call_arena() or longer), a wire error, or &vrpc_pending and later
 * call the generated _reply function exactly once.
 */
#ifndef VRPC_IFACE_H
#define VRPC_IFACE_H

#include <v23/vdl/signature/signature.vdl.h>
#include <v23/verror.h>
#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_server_call; /* a call being served */
struct vrpc_client;      /* makes calls (vrpc/client.h) */
struct vrpc_call;        /* a call being made */
struct vrpc_call_opts;   /* vrpc/client.h */

struct vrpc_arg {
    struct vdl_str name, doc;
    const struct vdl_type *type;
    uint32_t offset; /* in the method's in or out struct */
};

typedef const struct v23_verror *vrpc_thunk_fn(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out);
/* item == NULL: the client ended its stream. */
typedef void vrpc_item_thunk_fn(const void *vt, void *self,
    struct vrpc_server_call *call, const void *item);

struct vrpc_method {
    struct vdl_str name, doc;
    const struct vrpc_arg *in, *out;
    const struct vdl_type *in_stream, *out_stream; /* NULL = none */
    const struct vdl_any *tags;
    vrpc_thunk_fn *thunk;         /* NULL in client-only builds */
    vrpc_item_thunk_fn *item;     /* with in_stream */
    uint32_t in_size, out_size;   /* of the structs; 0 = no struct */
    uint16_t nin, nout, ntags;
};

struct vrpc_iface;

struct vrpc_embed {
    const struct vrpc_iface *iface;
    uint32_t vt_offset; /* of the embedded vtable in this one */
};

struct vrpc_iface {
    struct vdl_str name, pkg_path, doc;
    const struct vrpc_embed *embeds;
    const struct vrpc_method *methods; /* own ones, sorted by name */
    uint16_t nembeds, nmethods;
};

struct vrpc_globber; /* vrpc/server.h: children of an object */

/*
 * An object whose methods are known at run time only: what a dispatcher returns
 * instead of an interface descriptor. Arguments are converted to the types of
 * the interfaces, of which the first with the method counts; results and items
 * have the types that they are given. Lives as long as the object.
 */
struct vrpc_dynamic {
    const v23_signature_interface *interfaces;
    size_t ninterfaces;
    /* As a handler; ends with vrpc_server_call_reply_any(), or at once without
     * results. An argument of type any is what it holds. */
    const struct v23_verror *(*invoke)(void *self,
        struct vrpc_server_call *call, const struct vdl_any *args,
        size_t nargs);
    /* An item of the client, of whatever type; NULL: it ended its stream. */
    void (*item)(void *self, struct vrpc_server_call *call,
        const struct vdl_any *item);
    /* The error for a method that is not there (m NULL) or does not take that
     * many arguments. NULL, or a result of NULL: the usual ones. */
    const struct v23_verror *(*refuse)(void *self,
        struct vrpc_server_call *call, const v23_signature_method *m,
        uint64_t nargs);
};

/* What a dispatcher returns for a suffix. */
struct vrpc_object {
    const struct vrpc_iface *iface; /* NULL: an object with glob only */
    const void *vt;
    void *self;
    const struct vrpc_globber *glob; /* NULL: a leaf */
    const struct vrpc_dynamic *dynamic; /* with iface NULL; else NULL */
};

/* Returned by a handler that answers later. */
extern const struct v23_verror vrpc_pending;

/* []signature.Interface, which __Signature returns. */
extern const struct vdl_type vrpc_interfaces_desc;

/* ---- used by generated code ---------------------------------------------- */

/* Documentation in descriptors. V23_NO_DOC = 1 when compiling generated
 * sources leaves it out (__Signature then has empty docs). */
#if defined(V23_NO_DOC) && V23_NO_DOC
#define VRPC_DOC_INIT(lit) { NULL, 0 }
#else
#define VRPC_DOC_INIT(lit) VDL_STR_INIT(lit)
#endif

/** v.io/v23/verror.NotImplemented for a method without handler. */
const struct v23_verror *vrpc_not_implemented(struct vrpc_server_call *call);

/** Arena of the call's arguments and results; reset when the call has ended. */
struct v23_arena *vrpc_server_call_arena(struct vrpc_server_call *call);
/** Component and operation for error constructors. */
const struct v23_errctx *vrpc_server_call_errctx(
    const struct vrpc_server_call *call);
/**
 * Finish a pending call. `out` (the method's out struct) is encoded at once.
 * @return 0; V23_ECLOSED when the client has gone away (the call is over)
 */
int vrpc_server_call_reply(struct vrpc_server_call *call,
    const struct v23_verror *err, const void *out);
/**
 * Send a stream item (of the method's out_stream type); encoded at once.
 * @return 0; V23_EAGAIN: the window is shut, nothing queued, the writable
 *         callback follows; V23_ECLOSED; an encoding error
 */
V23_MUST_USE int vrpc_server_call_send(struct vrpc_server_call *call,
    const void *item);

/**
 * Finish a call of a struct vrpc_dynamic; encoded at once.
 * @return as vrpc_server_call_reply(); V23_ESTATE: it is finished
 */
int vrpc_server_call_reply_any(struct vrpc_server_call *call,
    const struct v23_verror *err, const struct vdl_any *results, size_t n);
/** Send an item of it; codes as vrpc_server_call_send(). */
V23_MUST_USE int vrpc_server_call_send_any(struct vrpc_server_call *call,
    struct vdl_any item);

typedef void vrpc_any_fn(void); /* generic function pointer, cast back */

/* How the generic client hands results to a typed callback. */
struct vrpc_call_stub {
    /* err == NULL: success and out = the method's out struct (or NULL). */
    void (*done)(vrpc_any_fn *fn, void *ud, const struct v23_verror *err,
        const void *out);
    void (*item)(vrpc_any_fn *fn, void *ud, const void *item);
};

/**
 * Start a call. Arguments are encoded before this returns when a connection is
 * there, else copied.
 *
 * @param in    the method's in struct, borrowed during the call only; NULL
 *              when it has no arguments
 * @param item  typed callback per received item; NULL = none
 * @param done  typed callback, runs exactly once, never before this returns
 * @return NULL only when memory is short; other failures come through `done`
 */
struct vrpc_call *vrpc_client_start(struct vrpc_client *c, const char *name,
    const struct vrpc_call_opts *opts, const struct vrpc_method *m,
    const void *in, const struct vrpc_call_stub *stub, vrpc_any_fn *item,
    vrpc_any_fn *done, void *ud);
/** Send a stream item; codes as vrpc_server_call_send(). */
V23_MUST_USE int vrpc_call_send(struct vrpc_call *call, const void *item);
/** End the client's stream (CloseSend). */
void vrpc_call_close_send(struct vrpc_call *call);
/** Ask for cancellation; `done` still runs exactly once. */
void vrpc_call_cancel(struct vrpc_call *call);

#ifdef __cplusplus
}
#endif
#endif
