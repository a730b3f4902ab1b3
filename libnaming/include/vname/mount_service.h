/* BSD-3-Clause; see LICENSE. */
/**
 * A mount table as an RPC object: every suffix of the server is a name in the
 * table. Source: spec/naming.md 6, 7.
 *
 *     vname_mount_service_init(&svc, table);
 *     cfg.dispatcher = &svc.dispatcher;
 *     cfg.mount_table = true;
 */
#ifndef VNAME_MOUNT_SERVICE_H
#define VNAME_MOUNT_SERVICE_H

#include <vname/mounttable.h>
#include <vrpc/server.h>
#include <vrpc/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is written to the log (flag -mounttable-logging). */
enum vname_mount_logging {
    VNAME_LOG_NOTHING,
    VNAME_LOG_CHANGES, /* Mount, Unmount, Delete, SetPermissions */
    VNAME_LOG_ALL
};

struct vname_mount_service {
    struct vrpc_dispatcher dispatcher; /* give this to the server */
    struct vname_table *table;         /* borrowed */
    const struct v23_log *log;         /* NULL = silent */
    enum vname_mount_logging logging;
};

/** `table` must outlive the service, the service the server. */
void vname_mount_service_init(struct vname_mount_service *s,
    struct vname_table *table);

/* A table's counts below "mounttable/" of a program's statistics: num-nodes,
 * num-mounted-servers, num-nodes-per-user/<id>, num-rpcs-per-user/<id>.
 * Source: spec/naming.md 9. */
struct vname_mount_stats {
    struct vname_table *table;
    struct vrpc_stats *stats;
    struct vrpc_stat *nodes, *rpcs;
    void (*now)(void *ud, struct v23_now *out);
    void *ud;
};
/**
 * Begin to show them; what was counted before is there, too.
 * @param s    caller's memory, which does not move; with table, stats, now and
 *             ud set: what tells the time
 * @return 0, or as the functions of vrpc/stats.h that make objects; then
 *         nothing is shown. A user for whom there is no room is left out.
 */
V23_MUST_USE int vname_mount_stats_init(struct vname_mount_stats *s);
/** Take them away, before the table or the statistics go. */
void vname_mount_stats_fini(struct vname_mount_stats *s);

#ifdef __cplusplus
}
#endif
#endif
