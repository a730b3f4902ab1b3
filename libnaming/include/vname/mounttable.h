/* BSD-3-Clause; see LICENSE. */
/**
 * The mount table: a tree of names with servers, expiry and permissions, as a
 * data structure without I/O or clock. The RPC object around it is
 * vname/mount_service.h. Source: spec/naming.md 7-9.
 *
 * Operations take the caller's recognised blessing names and authorize per
 * node. They return NULL for success, else a wire error built in call->arena.
 *
 * Thread: one at a time.
 */
#ifndef VNAME_MOUNTTABLE_H
#define VNAME_MOUNTTABLE_H

#include <v23/log.h>
#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <v23/vdl/v.io/v23/security/access/access.vdl.h>
#include <v23/verror.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Longest path element, bytes. */
#define VNAME_MAX_ELEMENT 512
/* Most elements of a name that can be created. */
#define VNAME_MAX_DEPTH 1000
/* Longest name of a server: an endpoint and its suffix. */
#define VNAME_MAX_SERVER 8192
/* Most servers of a mount point: older ones are dropped. */
#define VNAME_MAX_SERVERS 64
/* Size of the permissions of a node, bytes of JSON or a little less. */
#define VNAME_MAX_PERMISSIONS 65536
/* Nodes one user may have created, by default. */
#define VNAME_MAX_NODES_PER_USER 1000
/* TTL that "0 seconds" stands for: ten years. */
#define VNAME_TTL_FOREVER 315360000u

struct vname_table;

struct vname_table_config {
    const struct v23_alloc *al; /* NULL = libc */
    const struct v23_log *log;  /* NULL = silent */
    uint32_t max_nodes_per_user; /* 0 = no limit */
    /* Keys of permissions files may have empty elements ("/a", "a//b"): the
     * reference takes them, though they are hardly ever meant. */
    bool empty_elements;
};

/* Who asks, when, and where the answer is built. */
struct vname_caller {
    struct v23_arena *arena;
    const struct v23_errctx *ctx; /* for errors; NULL = none */
    vdl_str_list names;    /* recognised blessing names */
    vdl_str_list rejected; /* texts for "access denied"; may be empty */
    bool same_key;         /* has the table's own public key */
    int64_t now_ns;        /* monotonic */
};

/** @return 0 or V23_ENOMEM */
V23_MUST_USE int vname_table_new(const struct vname_table_config *cfg,
    struct vname_table **out);
void vname_table_free(struct vname_table *t); /* NULL is ignored */

/* ---- operations ---------------------------------------------------------- */

/*
 * Those that change the table, in one form: for tables whose store
 * (vname/store.h) answers later.
 */
enum vname_write_kind {
    VNAME_WRITE_MOUNT,   /* server, ttl, flags */
    VNAME_WRITE_UNMOUNT, /* server */
    VNAME_WRITE_DELETE,  /* subtree */
    VNAME_WRITE_PERMISSIONS, /* perms, version */
    VNAME_WRITE_LOAD,    /* private: perms or none, without checks */
    VNAME_WRITE_COLLECT  /* private: nothing is left there */
};
struct vname_write {
    enum vname_write_kind kind;
    struct vdl_str name, server, version;
    uint32_t ttl, flags;
    bool subtree;
    const v23_access_permissions *perms;
    /* The outcome, after &vname_waiting; `err` as below, in the caller's
     * arena. */
    void (*done)(void *ud, const struct v23_verror *err);
    void *ud;
    /* private: */
    struct vname_caller c;
    struct vname_write *next; /* while it waits */
    bool unsure; /* the store may have kept it, but did not say so */
    int64_t until_ns;
};

/* What vname_table_write() returns when `done` follows. */
extern const struct v23_verror vname_waiting;

/**
 * Change the table, once its store has kept that.
 *
 * @param w  caller's memory. If it waits, it and what it and the caller point to
 *           live until `done`, which is never called from inside this function
 *           and may free them.
 * @return NULL: done; &vname_waiting; else the error
 */
const struct v23_verror *vname_table_write(struct vname_table *t,
    const struct vname_caller *c, struct vname_write *w);

/* The next four are vname_table_write() for tables whose store, if any, answers
 * at once; where it does not they are refused. */

/**
 * Mount a server at a name, creating nodes on the way.
 *
 * @param name    suffix of the call, split at '/' as it is
 * @param server  object name or endpoint text
 * @param ttl     seconds; 0 = VNAME_TTL_FOREVER
 * @param flags   V23_NAMING_REPLACE | _MT | _LEAF
 */
const struct v23_verror *vname_table_mount(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, struct vdl_str server,
    uint32_t ttl, uint32_t flags);
/** Remove a server, or with an empty one all; success if it is not there. */
const struct v23_verror *vname_table_unmount(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, struct vdl_str server);
/** Remove a node; one with children only with `subtree`. */
const struct v23_verror *vname_table_delete(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, bool subtree);
/** One step of a resolution; *out is built in the caller's arena. */
const struct v23_verror *vname_table_resolve(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    v23_naming_mount_entry *out);
/** Replace the permissions of a node (created when missing). */
const struct v23_verror *vname_table_set_permissions(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    const v23_access_permissions *perms, struct vdl_str version);
/** Permissions and their version; both empty when the node has none. */
const struct v23_verror *vname_table_get_permissions(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    v23_access_permissions *perms, struct vdl_str *version);

/* ---- glob ---------------------------------------------------------------- */

struct vrpc_glob;
struct vname_glob; /* a walk over the matches; one entry is in memory */
/* Walks of a table at the same time. */
#define VNAME_MAX_GLOBS 65535
/* Nodes looked at in one turn. */
#define VNAME_GLOB_STEPS 4096

/**
 * Begin to look for every entry at or below `name` that matches (spec/naming.md
 * 7.4). The table may be used and changed between two entries: what is removed
 * is not found any more, what is added may or may not be.
 *
 * @param c        its arena, names and what `pattern` points to must live as
 *                 long as the walk
 * @return 0; V23_ELIMIT: too many walks; V23_ENOMEM
 * Ownership: the caller's, to be freed before the table.
 */
V23_MUST_USE int vname_glob_new(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    const struct vrpc_glob *pattern, struct vname_glob **out);
/**
 * The next entry, in no particular order.
 * @param now_ns  monotonic time
 * @param e       valid until the next call
 * @return 0; V23_EAGAIN: none among VNAME_GLOB_STEPS nodes, so ask again after
 *         others had their turn; V23_EEOF: there are no more; V23_ENOMEM
 */
V23_MUST_USE int vname_glob_next(struct vname_glob *g, int64_t now_ns,
    v23_naming_mount_entry *e);
void vname_glob_free(struct vname_glob *g); /* NULL is ignored */

/* ---- permissions of the start -------------------------------------------- */

/**
 * Apply the text of a permissions file (spec/naming.md 8.2): JSON documents
 * one after the other. What was applied before a fault stays.
 * With a store of whole tables they are kept there if they differ from what is
 * there; the outcome of that is vname_table_loading().
 * @param why  receives the reason of V23_ETEXT
 * @return 0, V23_ETEXT, V23_ENOMEM
 */
V23_MUST_USE int vname_table_load_permissions(struct vname_table *t,
    struct vdl_str json, struct v23_buf *why);

/**
 * @return 0: what was loaded is there; V23_EAGAIN: the store has not answered
 *         yet; else what went wrong there, and *why, if not NULL, what it was
 */
int vname_table_loading(const struct vname_table *t, const char **why);

/* ---- statistics ---------------------------------------------------------- */

struct vname_table_stats {
    size_t nodes;   /* with the root: an empty table has one */
    size_t servers; /* in all lists, expired ones until noticed */
};
void vname_table_stats(const struct vname_table *t,
    struct vname_table_stats *out);
/** Count one call of a user, also refused ones (num-rpcs-per-user). */
void vname_table_count_rpc(struct vname_table *t,
    const struct vname_caller *c);
/**
 * Call `fn` at each change of a user's counters, with what is added to the
 * nodes and the calls; NULL = nobody.
 */
typedef void vname_count_fn(void *ud, struct vdl_str id, int64_t nodes,
    int64_t rpcs);
void vname_table_on_count(struct vname_table *t, vname_count_fn *fn,
    void *ud);
/* One user's counters. */
typedef void vname_user_fn(void *ud, struct vdl_str id, int64_t nodes,
    int64_t rpcs);
/** Report every user seen so far. */
void vname_table_users(const struct vname_table *t, vname_user_fn *fn,
    void *ud);

#ifdef __cplusplus
}
#endif
#endif
