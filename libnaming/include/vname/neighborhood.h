/* BSD-3-Clause; see LICENSE. */
/**
 * The neighborhood: mount tables that announce themselves on the local network,
 * as a mount table that cannot be changed. A data structure without I/O; what
 * it is told of comes from mDNS (vname/mdns.h), and nothing of that is to be
 * believed: names and addresses are checked and bounded, servers are
 * authenticated when they are called. Source: spec/naming.md 12.
 *
 *     vname_neighborhood_new(&cfg, &nh);
 *     vname_neighborhood_service_init(&svc, nh);
 *     server_cfg.dispatcher = &svc.dispatcher;
 *     server_cfg.mount_table = true;
 *
 * Thread: one at a time.
 */
#ifndef VNAME_NEIGHBORHOOD_H
#define VNAME_NEIGHBORHOOD_H

#include <v23/log.h>
#include <vname/dnssd.h>
#include <vname/mdns.h>
#include <vrpc/endpoint.h>
#include <vrpc/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The DNS-SD service of mount tables. */
#define VNAME_NEIGHBORHOOD_SERVICE "vanadium"

enum {
    VNAME_NEIGHBORHOOD_TTL = 120,        /* seconds that records live */
    VNAME_NEIGHBORHOOD_TXT = 1300,       /* octets that are announced */
    VNAME_NEIGHBORHOOD_INSTANCES = 1024, /* known at the same time */
    VNAME_NEIGHBORHOOD_RECORDS = 16,     /* TXT records of one */
    VNAME_NEIGHBORHOOD_BYTES = 4 << 20   /* names and records of all */
};

/* ---- being announced ----------------------------------------------------- */

struct vname_announcement {
    vdl_str_list txt; /* strings of the TXT record */
    uint16_t port;    /* of the SRV record */
    size_t left_out;  /* endpoints that are too long, or too many */
};
/**
 * What a table with these endpoints announces: one string `address:/…` each,
 * and the port of the first that is a TCP or websocket address.
 * @param why  receives a constant phrase on V23_EARG; may be NULL
 * @return 0; V23_EARG: nobody could be reached at any of them; V23_ENOMEM
 */
V23_MUST_USE int vname_neighborhood_announce(const struct vrpc_endpoint *eps,
    size_t n, struct v23_arena *a, struct vname_announcement *out,
    const char **why);

/* ---- the others ---------------------------------------------------------- */

struct vname_neighborhood;

struct vname_neighborhood_config {
    const struct v23_alloc *al; /* NULL = libc */
    const struct v23_log *log;  /* NULL = silent */
};

/** @return 0 or V23_ENOMEM */
V23_MUST_USE int vname_neighborhood_new(
    const struct vname_neighborhood_config *cfg,
    struct vname_neighborhood **out);
void vname_neighborhood_free(struct vname_neighborhood *nh); /* NULL: nothing */
/**
 * A TXT record of an instance was heard. The same one from the same source is
 * known once.
 * @return 0; V23_ETEXT: it holds no address of a server, or the name cannot be
 *         an element of an object name; V23_ELIMIT: no room (both are logged at
 *         level DEBUG, the first V23_ELIMIT as an error); V23_ENOMEM
 */
int vname_neighborhood_found(struct vname_neighborhood *nh,
    const struct vname_dns_found *f);
/** The record is gone, or all of an instance; nothing if it is not known. */
void vname_neighborhood_lost(struct vname_neighborhood *nh,
    const struct vname_dns_found *f);
/** Nothing is known any more. */
void vname_neighborhood_clear(struct vname_neighborhood *nh);
size_t vname_neighborhood_count(const struct vname_neighborhood *nh);
/**
 * The servers of an instance, in the arena; the entry's name is empty.
 * @return 0, V23_ENOENT, V23_ENOMEM
 */
V23_MUST_USE int vname_neighborhood_get(const struct vname_neighborhood *nh,
    struct vdl_str instance, struct v23_arena *a, v23_naming_mount_entry *out);
/**
 * The first instance behind a name in the order of bytes; an empty one is
 * before all.
 * @param out  valid until the next change
 * @return false: there is none
 */
bool vname_neighborhood_next(const struct vname_neighborhood *nh,
    struct vdl_str after, struct vdl_str *out);

/* ---- as a server --------------------------------------------------------- */

struct vname_neighborhood_service {
    struct vrpc_dispatcher dispatcher; /* give this to the server */
    struct vname_neighborhood *nh;     /* borrowed */
};
/** `nh` must outlive the service, the service the server. */
void vname_neighborhood_service_init(struct vname_neighborhood_service *s,
    struct vname_neighborhood *nh);

#ifdef __cplusplus
}
#endif
#endif
