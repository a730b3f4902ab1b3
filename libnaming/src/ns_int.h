/* BSD-3-Clause; see LICENSE. */
/* Inside of the namespace client. */
#ifndef VNAME_NS_INT_H
#define VNAME_NS_INT_H

#include <vname/namespace.h>
#include <vrpc/vtrace.h>

#include "cache_int.h"

/* What one server may take to answer when there are others, and how long one
 * that did not is left alone. */
#define VNAME_SHORT_NS (5 * V23_NS_PER_SEC)
#define VNAME_DEAD_NS (45 * V23_NS_PER_SEC)
#define VNAME_MAX_DEAD 16

struct vname_ns {
    const struct v23_alloc *al;
    struct vrpc_client *client;
    struct vrpc_resolver resolver;
    struct v23_errctx ctx;     /* of errors made here */
    struct vname_cache *cache; /* NULL = nothing to remember so far */
    uint32_t cache_entries;
    bool remembers;            /* else the cache is disabled */
    struct v23_arena roots_arena;
    vdl_str_list roots;
    uint32_t resolve_depth, glob_depth;
    struct vname_op *ops; /* all in progress */
    /* Servers that did not answer, by the hash of their names. */
    struct {
        uint64_t hash;
        int64_t until_ns;
    } dead[VNAME_MAX_DEAD];
};

/* What every operation has; first member of each kind. */
struct vname_op {
    struct vname_ns *ns;
    const struct v23_alloc *al; /* outlives the namespace */
    struct vname_op *next, **pprev;
    struct v23_arena arena;
    int64_t deadline; /* monotonic, 0 = none */
    const struct vsec_authorizer *name_auth;
    bool no_retry, no_discharges, has_span;
    struct vrpc_span span; /* parent of the calls */
    struct v23_op resolving; /* set: started by the client's resolver */
    /* Cancel the calls in flight; false: there are none. Each call still
     * reports, and the last one frees the operation (vname_op_drop_). */
    bool (*stop)(struct vname_op *op);
    bool starting; /* inside the function that started it */
    bool over;     /* finished while starting */
    bool canceled; /* unlinked; only waits for its calls */
};

/* Get a zeroed operation of `size` bytes, linked into the namespace. */
void *vname_op_new_(struct vname_ns *ns, size_t size,
    const struct vname_opts *opts, bool (*stop)(struct vname_op *op));
/* Unlink and free. */
void vname_op_free_(struct vname_op *op);
/* Finished: free, or when starting leave that to vname_op_started_(). */
void vname_op_end_(struct vname_op *op);
/* End of a function that starts an operation. */
void vname_op_started_(struct vname_op *op, struct vname_op **out);
/* The cache to put something into, made now if need be; NULL: it is disabled,
 * or memory is short. */
struct vname_cache *vname_ns_cache_(struct vname_ns *ns);
/* Monotonic time. */
int64_t vname_now_(const struct vname_ns *ns);

/* Root entry of a name (spec/naming.md 13.1); servers have no deadline unless
 * they are the roots'. 0 or V23_ENOMEM. */
int vname_root_entry_(struct vname_ns *ns, struct v23_arena *a,
    struct vdl_str name, v23_naming_mount_entry *out);
/* Call options: preresolved to `names`, deadline or default time-out. */
void vname_call_opts_(const struct vname_op *op, const vdl_str_list *names,
    struct vrpc_call_opts *out);
/* The error says that the server is no mount table. */
bool vname_not_a_table_(const struct v23_verror *err);
/* The connection broke before the answer came; it may say something else. */
bool vname_lost_(const struct v23_verror *err);
/* No server has answered. */
bool vname_unreachable_(const struct v23_verror *err);
bool vname_is_dead_(const struct vname_ns *ns, struct vdl_str server);
void vname_set_dead_(struct vname_ns *ns, struct vdl_str server, bool dead);
const struct v23_verror *vname_copy_error_(struct v23_arena *a,
    const struct v23_verror *err);
const struct v23_verror *vname_no_memory_(struct v23_arena *a);
/* `text` has one "%.*s" for the name, or none. */
const struct v23_verror *vname_error_(struct vname_op *op, const char *id,
    const char *text, struct vdl_str name);
/* NUL-terminated copy for calls; "" when memory is short. */
const char *vname_call_name_(struct v23_arena *a, struct vdl_str name);
/* Tells entries apart by name and servers, in any order; never 0. */
uint64_t vname_entry_hash_(
    const struct vname_ns *ns, const v23_naming_mount_entry *e);
/* Number of elements of a name that need not be clean (13.6). */
uint32_t vname_depth_(struct vdl_str name);

#define VNAME_ERR_NO_NAME "v.io/v23/naming.nameDoesntExist"
#define VNAME_ERR_ROOT_NAME "v.io/v23/naming.rootNameDoesntExist"
#define VNAME_ERR_DEPTH "v.io/v23/naming.resolutionDepthExceeded"
#define VNAME_ERR_NO_TABLE "v.io/v23/naming.noMounttable"
#define VNAME_ERR_NO_SERVERS \
    "v.io/x/ref/runtime/internal/naming/namespace.errNoServers"

/* ---- walking (ns_resolve.c) ---------------------------------------------- */

enum walk_mode {
    WALK_RESOLVE,  /* 13.3 */
    WALK_TO_TABLE  /* 13.4 */
};

struct walk {
    struct vname_op op;
    enum walk_mode mode;
    struct vdl_str name;
    v23_naming_mount_entry e, last;
    v23_naming_mount_entry asked; /* e without servers that are no tables */
    uint32_t steps;
    bool again; /* the step is made a second time: a connection broke */
    /* WALK_TO_TABLE: an entry that is taken for the table, without being asked
     * (vname_entry_hash_); 0 = none. */
    uint64_t known;
    bool guessed; /* and was */
    struct vrpc_call *call;
    vdl_str_list names; /* of the call in flight */
    /* What to do with the answer (or an error); may free the walk. */
    void (*then)(struct walk *w, const struct v23_verror *err,
        const v23_naming_mount_entry *answer);
};

bool vname_walk_stop_(struct vname_op *op);
/* Begin at the root entry of w->name; w->then runs once, maybe at once. */
void vname_walk_start_(struct walk *w);

#endif
