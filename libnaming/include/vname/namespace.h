/* BSD-3-Clause; see LICENSE. */
/**
 * The namespace client: names to servers through mount tables, and changes of
 * mount tables. Source: spec/naming.md 13.
 *
 * A namespace makes its calls with a struct vrpc_client and, as that client's
 * resolver, lets it call relative names. Operations are state machines that
 * advance when their calls end: nothing blocks, nothing else does I/O.
 *
 * Every operation reports once through its callback. When nobody has to be
 * asked (the answer is cached, there are no roots, …) the callback runs before
 * the function that starts the operation returns.
 */
#ifndef VNAME_NAMESPACE_H
#define VNAME_NAMESPACE_H

#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <v23/vdl/v.io/v23/security/access/access.vdl.h>
#include <vrpc/client.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VNAME_MAX_RESOLVE_DEPTH 32
#define VNAME_MAX_GLOB_DEPTH 10
/* Time-out of each call when the caller sets no deadline: 30 s. */
#define VNAME_CALL_TIMEOUT_NS (30 * INT64_C(1000000000))

struct vname_ns;
struct vname_op; /* an operation in progress */

struct vname_ns_config {
    const struct v23_alloc *al; /* NULL = libc */
    struct vrpc_client *client; /* outlives the namespace */
    const struct vdl_str *roots; /* rooted names; copied */
    size_t nroots;
    /* Program name, for error texts; borrowed. */
    struct vdl_str component;
    bool no_cache;
    uint32_t cache_entries; /* most kept; 0 = 4,000; ≥ 4 */
    uint32_t resolve_depth; /* 0 = VNAME_MAX_RESOLVE_DEPTH */
    uint32_t glob_depth;    /* 0 = VNAME_MAX_GLOB_DEPTH */
};

/**
 * Make a namespace and install it as the client's resolver.
 * @return 0; V23_EARG: a root is not a rooted name; V23_ENOMEM
 */
V23_MUST_USE int vname_ns_new(const struct vname_ns_config *cfg,
    struct vname_ns **out);
/** Cancels what is in progress without callbacks; NULL is ignored. */
void vname_ns_free(struct vname_ns *ns);
/** Replace all roots, or none (V23_EARG). An empty list is allowed. */
V23_MUST_USE int vname_ns_set_roots(struct vname_ns *ns,
    const struct vdl_str *roots, size_t n);
vdl_str_list vname_ns_roots(const struct vname_ns *ns);
/** Remember nothing from now on, or do again. */
void vname_ns_disable_cache(struct vname_ns *ns, bool disable);
/** Forget everything that is cached. */
void vname_ns_flush(struct vname_ns *ns);
/**
 * Forget what led to the servers of a name (13.7), the last step only.
 * @return whether anything was forgotten
 */
bool vname_ns_flush_name(struct vname_ns *ns, struct vdl_str name);

/* Options of an operation; NULL = all zero. Borrowed until it ends. */
struct vname_opts {
    int64_t deadline;   /* monotonic; 0 = 30 s for each call */
    /* Who may be a mount table on the way; NULL = names in its endpoint. */
    const struct vsec_authorizer *name_auth;
    bool no_retry; /* one attempt for each call */
    bool no_discharges; /* cached discharges only, as in vrpc/client.h */
    const struct vrpc_span *span; /* what it is for; NULL as there */
    /*
     * For a mount that is refreshed: a number that outlives the operation, 0 at
     * first. It tells the table that took the mount; where the way still leads
     * to the same servers, that table is not asked again whether it is the one,
     * which halves the calls. If it refuses, the name is resolved as always.
     */
    uint64_t *table;
};

/** Give up; no callback runs. NULL is ignored. */
void vname_op_cancel(struct vname_op *op);

/* err == NULL: `e` is the answer, valid during the call. */
typedef void vname_entry_done_fn(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e);
typedef void vname_done_fn(void *ud, const struct v23_verror *err);
typedef void vname_perms_done_fn(void *ud, const struct v23_verror *err,
    const v23_access_permissions *perms, struct vdl_str version);

/*
 * The functions below return 0, or V23_ENOMEM and nothing happens. *op (may be
 * NULL) receives the operation for vname_op_cancel(), or NULL when it is over
 * already. Strings are copied.
 */

/** Servers of a name (13.3): object names are server "/" e->name. */
V23_MUST_USE int vname_resolve(struct vname_ns *ns, struct vdl_str name,
    const struct vname_opts *opts, vname_entry_done_fn *done, void *ud,
    struct vname_op **op);
/** The mount table that holds the last element of a name (13.4). */
V23_MUST_USE int vname_resolve_to_mount_table(struct vname_ns *ns,
    struct vdl_str name, const struct vname_opts *opts,
    vname_entry_done_fn *done, void *ud,
    struct vname_op **op);
/** What is mounted at the name itself, also a mount table (13.4). */
V23_MUST_USE int vname_shallow_resolve(struct vname_ns *ns,
    struct vdl_str name, const struct vname_opts *opts,
    vname_entry_done_fn *done, void *ud,
    struct vname_op **op);

/**
 * Object names of an entry's servers, in their order: server "/" e->name.
 * What the option `preresolved` of a call takes.
 * @return 0, V23_ENOMEM; *out is in the arena
 */
V23_MUST_USE int vname_object_names(struct v23_arena *a,
    const v23_naming_mount_entry *e, vdl_str_list *out);

/*
 * A name may be held by several equal mount tables. Mounting and unmounting go
 * to each of them, one after the other; one that does not answer costs 5 s at
 * most and is then left out for 45 s, unless none answers. The last answer is
 * the result. The other changes, and what is asked, go to whichever answers
 * first.
 */

/**
 * Mount a server (13.5).
 * @param ttl_ns  0 = for ever; less than a second counts as one
 * @param flags   V23_NAMING_REPLACE | _MT | _LEAF
 */
V23_MUST_USE int vname_mount(struct vname_ns *ns, struct vdl_str name,
    struct vdl_str server, int64_t ttl_ns, uint32_t flags,
    const struct vname_opts *opts, vname_done_fn *done, void *ud,
    struct vname_op **op);
/** @param server  empty = all servers */
V23_MUST_USE int vname_unmount(struct vname_ns *ns, struct vdl_str name,
    struct vdl_str server, const struct vname_opts *opts, vname_done_fn *done,
    void *ud, struct vname_op **op);
V23_MUST_USE int vname_delete(struct vname_ns *ns, struct vdl_str name,
    bool subtree, const struct vname_opts *opts, vname_done_fn *done, void *ud,
    struct vname_op **op);
V23_MUST_USE int vname_set_permissions(struct vname_ns *ns,
    struct vdl_str name, const v23_access_permissions *perms,
    struct vdl_str version, const struct vname_opts *opts,
    vname_done_fn *done, void *ud,
    struct vname_op **op);
V23_MUST_USE int vname_get_permissions(struct vname_ns *ns,
    struct vdl_str name, const struct vname_opts *opts,
    vname_perms_done_fn *done, void *ud,
    struct vname_op **op);

/* One reply of a glob, valid during the call: an entry or an error. */
typedef void vname_glob_fn(void *ud, const v23_naming_glob_reply *reply);
/**
 * Everything that matches a pattern (13.6), in no order, names possibly more
 * than once. Errors about parts of the name space are replies; `done` gets an
 * error only when nothing could be started or memory ran short.
 */
V23_MUST_USE int vname_glob(struct vname_ns *ns, struct vdl_str pattern,
    const struct vname_opts *opts, vname_glob_fn *reply, vname_done_fn *done,
    void *ud, struct vname_op **op);

#ifdef __cplusplus
}
#endif
#endif
