/* BSD-3-Clause; see LICENSE. */
/**
 * A mount table kept in etcd (hosts): many tables over one etcd are the same
 * tree, and outlive each other. What is stored, and how a fleet uses it:
 * docs/naming.md, "Stores".
 *
 *     vname_table_new(…, &t);
 *     vname_etcd_open(&cfg, &e, &why);    has read everything
 *     vname_table_load_permissions(t, …);
 *     vname_etcd_settle(e, &why);         until that is kept
 *
 * The table holds all names in memory: it is what answers. It follows etcd by a
 * watch, which begins again where it ended when an end point is lost, and by
 * reading everything anew when etcd has forgotten that point. While no end point
 * answers, writes fail after VNAME_STORE_PATIENCE_NS with an error that asks to
 * try again, and reads go on from what is known.
 *
 * Needs etcd 3.4 or later, by HTTP: its JSON gateway.
 */
#ifndef VNAME_ETCD_H
#define VNAME_ETCD_H

#include <v23/log.h>
#include <vname/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_ev;
struct vrpc_stats;
struct vname_etcd;

#define VNAME_ETCD_SCHEME "etcd://"
/* Longest host, prefix, user and password, and number of end points. */
#define VNAME_ETCD_MAX_TEXT 255
#define VNAME_ETCD_MAX_ENDPOINTS 16

/* Where a table is kept: etcd://[user@]host:port[,host:port…]/prefix */
struct vname_etcd_place {
    struct {
        char host[VNAME_ETCD_MAX_TEXT + 1]; /* without brackets */
        uint16_t port;
    } endpoints[VNAME_ETCD_MAX_ENDPOINTS];
    size_t nendpoints;
    char prefix[VNAME_ETCD_MAX_TEXT + 1]; /* of all keys; without '/' at its
                                             ends, not empty */
    char user[VNAME_ETCD_MAX_TEXT + 1];   /* "" = no authentication */
};
/**
 * Read such a text.
 * @param why  receives what is wrong with it
 * @return 0, V23_ETEXT
 */
V23_MUST_USE int vname_etcd_parse(const char *text,
    struct vname_etcd_place *out, struct v23_buf *why);

struct vname_etcd_config {
    const struct v23_alloc *al; /* NULL = libc */
    const struct v23_log *log;  /* NULL = silent */
    struct vrpc_ev *ev;         /* the loop */
    const struct vname_etcd_place *place; /* copied */
    const char *password;       /* of place->user; copied; NULL = none */
    struct vname_table *table;  /* empty, without store; outlives this */
};

/**
 * Be the table's store, and run the loop until it has been read.
 * @param why  receives the reason of V23_ESYS
 * @return 0; V23_ESYS: no end point has answered for 10 seconds, or one has
 *         refused us; V23_ENOMEM
 */
V23_MUST_USE int vname_etcd_open(const struct vname_etcd_config *cfg,
    struct vname_etcd **out, struct v23_buf *why);
/**
 * Run the loop until no write of vname_table_load_permissions() waits.
 * @return 0; V23_ESYS: they could not be kept; then *why says why
 */
V23_MUST_USE int vname_etcd_settle(struct vname_etcd *e, struct v23_buf *why);
/** Leave etcd; nothing may wait. NULL is ignored. */
void vname_etcd_close(struct vname_etcd *e);
/**
 * Show how it is: mounttable/store/state ("live", else what is wrong),
 * endpoint, age (seconds since the table was last known to be what etcd has),
 * revision, waiting (writes), batches, operations.
 * @return as the functions of vrpc/stats.h that make objects
 */
V23_MUST_USE int vname_etcd_show(struct vname_etcd *e,
    struct vrpc_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
