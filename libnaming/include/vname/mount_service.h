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

#ifdef __cplusplus
}
#endif
#endif
