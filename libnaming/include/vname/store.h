/* BSD-3-Clause; see LICENSE. */
/**
 * What outlives the process: a mount table tells its store what an operation
 * changes, before it changes it, and takes back what was kept. Stores are the
 * journal (vname/journal.h), which keeps permissions and answers at once, and
 * etcd (vname/etcd.h), which keeps whole tables for many processes and answers
 * later. Without a store a table is memory only. Source: spec/naming.md 8.3,
 * 20.3.
 *
 * Thread: that of the table.
 */
#ifndef VNAME_STORE_H
#define VNAME_STORE_H

#include <v23/op.h>
#include <v23/time.h>
#include <vname/mounttable.h>

#ifdef __cplusplus
extern "C" {
#endif

enum vname_change_kind {
    VNAME_KEEP,   /* the node is there, as the rest of the change says */
    VNAME_DELETE, /* it is gone, with all below it */
    /* The rest is for stores of whole tables only. */
    VNAME_REMOVE, /* it is gone; nothing is below it */
    VNAME_CLEAR,  /* all below it is gone */
    VNAME_SAME,   /* it is what it was: the other changes rest on that */
    VNAME_COUNT   /* `name` is the id of a user near the limit, who gets more
                     nodes: nobody else has given him any since `rev` */
};

struct vname_mounted {
    struct vdl_str name;
    int64_t expires_ns; /* monotonic */
};

/* What becomes of one node. */
struct vname_change {
    enum vname_change_kind kind;
    struct vdl_str name;
    /* Revision in the store of what this rests on; 0: it is not there. */
    int64_t rev;
    /* With VNAME_KEEP: */
    const v23_access_permissions *perms; /* NULL = none */
    int32_t version;
    bool set;               /* the permissions were set, not inherited */
    struct vdl_str creator; /* user id of who created the node */
    bool mt, leaf;          /* flags of the mount */
    const struct vname_mounted *servers; /* most recent first */
    size_t nservers;
};

struct vname_store {
    /*
     * Keep what one operation changes: all of it or nothing, and only if what
     * it rests on is still so. Of permissions a store that is not `whole` gets
     * one VNAME_KEEP for each node where they were set.
     *
     * @param ch  valid during the call
     * @return 0: kept, the table may change; V23_EAGAIN: vname_table_committed()
     *         follows; V23_ESTATE: not now, vname_table_go_on() follows (both
     *         from `whole` stores only); V23_ELIMIT: more than can be kept;
     *         V23_ESYS: it cannot be kept, so it must not happen; V23_ENOMEM
     */
    int (*commit)(void *ud, struct v23_op op, const struct vname_change *ch,
        size_t n);
    void *ud;
    /*
     * All nodes and servers are kept, not only permissions. Such a table
     * changes by vname_table_feed() and _forget() only, and is written to by
     * vname_table_write(), which answers later.
     */
    bool whole;
};

/**
 * Tell a store from now on; NULL = none. It is borrowed. With one, names,
 * servers and permissions that JSON cannot carry unchanged (NULs, invalid
 * UTF-8) are refused: they would come back as others. In a whole store names
 * cannot have empty elements.
 */
void vname_table_set_store(struct vname_table *t, const struct vname_store *s);

/* ---- taking back --------------------------------------------------------- */

/**
 * Apply a VNAME_KEEP of permissions or a VNAME_DELETE that was kept, without
 * checks, quota and telling the store.
 * @return 0; V23_EARG: no such name or version can be; V23_ENOMEM
 */
V23_MUST_USE int vname_table_restore(struct vname_table *t,
    const struct vname_change *ch);
/**
 * Report all permissions that were set, parents before children.
 * @return 0, what fn returned (which ends it), or V23_ENOMEM
 */
V23_MUST_USE int vname_table_each_kept(const struct vname_table *t,
    int (*fn)(void *ud, const struct vname_change *ch), void *ud);
/**
 * The same in parts, one such report at a time, while the table changes. Each
 * node is reported as it is when its turn comes, parents before children; what
 * changes meanwhile is told to the store in any case, and may be reported or
 * not. Whoever writes down all parts, and behind them the changes told since
 * the beginning, has what the table keeps.
 */
void vname_table_kept_begin(struct vname_table *t);
/**
 * Report the next part.
 *
 * @param nodes  how many to look at
 * @param fn     must not change the table; > 0 ends the part
 * @return 1: there is more; 0: that was all; < 0: what fn returned, or
 *         V23_ENOMEM; with both the report has ended
 */
V23_MUST_USE int vname_table_kept_next(struct vname_table *t, size_t nodes,
    int (*fn)(void *ud, const struct vname_change *ch), void *ud);
/** Report no more of it; nothing happens when it has ended. */
void vname_table_kept_end(struct vname_table *t);

/* ---- for whole stores ---------------------------------------------------- */

/**
 * The outcome of a commit that gave V23_EAGAIN.
 *
 * @param rc   0: kept, and the table has been fed with it; V23_EAGAIN: it
 *             rested on what has changed; V23_ETIMEOUT: what became of it is
 *             not known; after both it is thought over at the next
 *             vname_table_go_on(); other: it failed
 * @param why  reason of the failure, for people; may be NULL
 */
void vname_table_committed(struct vname_table *t, struct v23_op op, int rc,
    const char *why);
/**
 * Try the operations that wait; those that have waited for
 * VNAME_STORE_PATIENCE_NS fail with an error that asks to try again later.
 * @param why  what is wrong with the store, for that error
 */
void vname_table_go_on(struct vname_table *t, int64_t now_ns,
    const char *why);
#define VNAME_STORE_PATIENCE_NS (5 * V23_NS_PER_SEC)
/* Operations that wait at the same time; more are refused like those that have
 * waited too long. */
#define VNAME_MAX_WAITING 10000
/** Operations that wait or are being kept. */
size_t vname_table_waiting(const struct vname_table *t);

/**
 * The store holds this node in this form: a VNAME_KEEP with its `rev`. Missing
 * parents are made, with what they inherit. What is newer already stays.
 * @return 0; V23_EARG: no such name or version can be; V23_ENOMEM
 */
V23_MUST_USE int vname_table_feed(struct vname_table *t,
    const struct vname_change *ch);
/** The store has no such node since this revision. */
void vname_table_forget(struct vname_table *t, struct vdl_str name,
    int64_t rev);
/** The guard of a user's count (VNAME_COUNT) has this revision now; 0: none. */
V23_MUST_USE int vname_table_feed_user(struct vname_table *t,
    struct vdl_str id, int64_t rev);
/**
 * Everything is read anew: between begin and end each node that is there is fed
 * in any form; at the end the others are forgotten.
 */
void vname_table_reread_begin(struct vname_table *t);
void vname_table_reread_end(struct vname_table *t);
/**
 * Let the store remove some nodes that are of no use any more. Few calls cover
 * a small table; each looks at a part only.
 */
void vname_table_sweep(struct vname_table *t, int64_t now_ns);

#ifdef __cplusplus
}
#endif
#endif
