/* BSD-3-Clause; see LICENSE. */
/**
 * DNS-SD over multicast DNS with libavahi-core, on a libevent loop. In an
 * archive of its own (libnaming-avahi.a, link -lavahi-core -lavahi-common);
 * libnaming itself needs neither, and struct vname_dns_found is all it knows
 * of what speaks mDNS.
 *
 * Packets come from anybody on the link, and the library aborts the process
 * where it finds itself in a state that it thinks impossible. A daemon runs it
 * in a child process (cmd/mounttabled).
 *
 * Thread: the loop's. Source: RFC 6762, RFC 6763; spec/naming.md 12, 19.4.
 */
#ifndef VNAME_MDNS_H
#define VNAME_MDNS_H

#include <v23/log.h>
#include <vname/dnssd.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
struct vname_mdns;

/* A TXT record of an instance of the service. */
struct vname_dns_found {
    struct vdl_str instance; /* without escapes */
    uint32_t source;         /* network interface and IP version */
    uint32_t ttl;            /* seconds; at most VNAME_MDNS_TTL_MAX */
    struct v23_bytes txt;    /* the record's data; of what is lost also nothing:
                                all records of the instance */
};

enum {
    VNAME_MDNS_TTL_MAX = 4500,
    VNAME_MDNS_INSTANCES = 1024, /* whose records are asked for */
    VNAME_MDNS_CACHE = 4096      /* records kept per interface */
};

struct vname_mdns_config {
    struct event_base *base; /* outlives the object */
    const struct v23_log *log;
    bool loopback; /* on loopback interfaces only; else on all others */
    struct vdl_str service; /* to look for, as in vname_dns_service() */
    /*
     * To be announced as; empty = nothing is. `()` at the end becomes the
     * highest hardware address in parentheses; if somebody else has the name,
     * `()` is appended once.
     */
    struct vdl_str host;
    struct v23_bytes txt; /* the TXT record's data, */
    uint32_t ttl;         /* the life of all records in seconds */
    uint16_t port;        /* and the port of the SRV record */
    /* Called from the loop only. They may not free the object. */
    void (*found)(void *ud, const struct vname_dns_found *f);
    void (*lost)(void *ud, const struct vname_dns_found *f);
    /* The service is announced now, under this name; may be NULL. */
    void (*announced)(void *ud, struct vdl_str host);
    /* It cannot go on; it looks and announces no more. May be NULL. */
    void (*failed)(void *ud, const char *why);
    void *ud;
};

/**
 * Begin. Texts in the config are copied.
 * @param why  receives a constant phrase on failure; may be NULL
 * @return 0; V23_EARG: the host name is too long or holds a '/'; V23_ENOMEM;
 *         V23_ESYS: no sockets
 */
V23_MUST_USE int vname_mdns_new(const struct vname_mdns_config *cfg,
    struct vname_mdns **out, const char **why);
/** Announce something else from now on. 0 or V23_ENOMEM. */
V23_MUST_USE int vname_mdns_update(struct vname_mdns *m, struct v23_bytes txt,
    uint16_t port);
/** Say goodbye to the others, at once, and free. NULL is ignored. */
void vname_mdns_free(struct vname_mdns *m);

#ifdef __cplusplus
}
#endif
#endif
