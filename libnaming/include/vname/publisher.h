/* BSD-3-Clause; see LICENSE. */
/**
 * Keeps (name, server) pairs mounted: mounts, refreshes every minute,
 * unmounts at the end. No timers of its own. Source: spec/naming.md 15.
 */
#ifndef VNAME_PUBLISHER_H
#define VNAME_PUBLISHER_H

#include <v23/log.h>
#include <vname/namespace.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Time between refreshes, and what a mount outlives it by. */
#define VNAME_PUBLISH_PERIOD_NS (60 * INT64_C(1000000000))
#define VNAME_PUBLISH_SLACK_NS (20 * INT64_C(1000000000))

struct vname_publisher;

struct vname_publisher_config {
    const struct v23_alloc *al; /* NULL = libc */
    const struct v23_log *log;  /* NULL = silent */
    struct vname_ns *ns;        /* outlives the publisher */
    int64_t period_ns;          /* 0 = VNAME_PUBLISH_PERIOD_NS */
    /* Called when next_deadline() moved to an earlier time; may be NULL. */
    void (*timer)(void *ud);
    /* A try to mount a server under a name has ended; err NULL: it is mounted.
     * Must not call the publisher. May be NULL. */
    void (*mounted)(void *ud, struct vdl_str name,
        const struct v23_verror *err);
    void *ud;
};

enum vname_publish_state {
    VNAME_UNMOUNTED,
    VNAME_MOUNTING,
    VNAME_MOUNTED,
    VNAME_UNMOUNTING
};

/* State of one pair. Times are monotonic; INT64_MIN = never. */
struct vname_publish_entry {
    struct vdl_str name, server;
    int64_t last_mount_ns, last_unmount_ns;
    struct vdl_str mount_error, unmount_error; /* ids; empty = fine */
    int64_t ttl_ns;
    enum vname_publish_state state;
    bool wanted;
};

V23_MUST_USE int vname_publisher_new(const struct vname_publisher_config *cfg,
    struct vname_publisher **out);
/** Frees at once, without unmounting; NULL is ignored. */
void vname_publisher_free(struct vname_publisher *p);
/** After vname_publisher_stop() these do nothing. 0 or V23_ENOMEM. */
V23_MUST_USE int vname_publisher_add_name(struct vname_publisher *p,
    struct vdl_str name, bool mount_table, bool leaf);
void vname_publisher_remove_name(struct vname_publisher *p,
    struct vdl_str name);
/** @param server  endpoint text without leading '/' */
V23_MUST_USE int vname_publisher_add_server(struct vname_publisher *p,
    struct vdl_str server);
void vname_publisher_remove_server(struct vname_publisher *p,
    struct vdl_str server);
/**
 * Make these the servers: add the new ones, remove all others.
 * @return 0; V23_ENOMEM: some are missing
 */
V23_MUST_USE int vname_publisher_set_servers(struct vname_publisher *p,
    const struct vdl_str *servers, size_t n);
/** Monotonic time of the next work; INT64_MIN = now; V23_NEVER. */
int64_t vname_publisher_next_deadline(const struct vname_publisher *p);
void vname_publisher_tick(struct vname_publisher *p, int64_t now_ns);
/**
 * Unmount everything, one attempt each, then call `done` (once; before this
 * returns when nothing is mounted).
 */
void vname_publisher_stop(struct vname_publisher *p, void (*done)(void *ud),
    void *ud);
/** Report every pair. */
void vname_publisher_status(const struct vname_publisher *p, int64_t now_ns,
    void (*fn)(void *ud, const struct vname_publish_entry *e), void *ud);
/** Every wanted pair has been mounted at least once without error. */
bool vname_publisher_is_settled(const struct vname_publisher *p);

#ifdef __cplusplus
}
#endif
#endif
