/* BSD-3-Clause; see LICENSE. */
/**
 * Endpoints: how to reach a server and who it should be.
 * Source: spec/naming.md 2, spec/rpc.md 14.1.
 */
#ifndef VRPC_ENDPOINT_H
#define VRPC_ENDPOINT_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VRPC_ROUTING_ID_SIZE 16

/* 128 bits naming a server process; all zero = "not a server". */
struct vrpc_routing_id {
    uint8_t b[VRPC_ROUTING_ID_SIZE];
};

/* Borrowed parts; an all-zero struct is the zero endpoint. */
struct vrpc_endpoint {
    struct vdl_str protocol; /* "tcp", "wsh", …; empty = unknown */
    struct vdl_str address;  /* unescaped; "host:port" for IP protocols */
    vdl_str_list routes;     /* routing ids of proxies, unescaped */
    struct vrpc_routing_id rid;
    bool mount_table;        /* serves a mount table */
    vdl_str_list blessings;  /* names that the server presents */
};

/**
 * Parse the @6@…@@ form or a short form (host:port, (blessing)@host:port).
 *
 * @param a    arena for lists and unescaped text; other parts point into `s`
 * @param out  written only on success
 * @param why  NULL, or receives a constant phrase on V23_EENDPOINT:
 *             "invalid endpoint string", "invalid address: bad escape", …
 * @return 0, V23_EENDPOINT, V23_ENOMEM
 */
V23_MUST_USE int vrpc_endpoint_parse(struct v23_arena *a, struct vdl_str s,
    struct vrpc_endpoint *out, const char **why);
/**
 * Append the canonical version-6 form. An empty address stays empty; parsing
 * gives ":0" for it, so what was parsed prints as HEAD prints it.
 */
void vrpc_endpoint_format(const struct vrpc_endpoint *ep, struct v23_buf *out);
/** "/" and the canonical form: the object name of the server. */
void vrpc_endpoint_name(const struct vrpc_endpoint *ep, struct v23_buf *out);
/** Canonical form as arena text; V23_ENOMEM. */
V23_MUST_USE int vrpc_endpoint_text(struct v23_arena *a,
    const struct vrpc_endpoint *ep, struct vdl_str *out);
bool vrpc_endpoint_is_zero(const struct vrpc_endpoint *ep);
/** Deep copy into an arena. */
V23_MUST_USE int vrpc_endpoint_copy(struct v23_arena *a,
    struct vrpc_endpoint *dst, const struct vrpc_endpoint *src);

/**
 * Read 32 hex digits; the empty text is the null id.
 * @return 0 or V23_EENDPOINT
 */
V23_MUST_USE int vrpc_routing_id_parse(struct vdl_str s,
    struct vrpc_routing_id *out);
/** Append 32 lower-case hex digits. */
void vrpc_routing_id_format(const struct vrpc_routing_id *id,
    struct v23_buf *out);
/** The id with n in its low 64 bits (reserved range below 1024: tests). */
struct vrpc_routing_id vrpc_routing_id_fixed(uint64_t n);
bool vrpc_routing_id_is_null(const struct vrpc_routing_id *id);
/** One of those that vrpc_routing_id_fixed() makes of numbers below 1024. */
bool vrpc_routing_id_is_reserved(const struct vrpc_routing_id *id);
bool vrpc_routing_id_eq(const struct vrpc_routing_id *x,
    const struct vrpc_routing_id *y);

/**
 * Split "host:port" as Go's net.SplitHostPort does ("[v6]:port" loses its
 * brackets). @return 0 or V23_EENDPOINT
 */
V23_MUST_USE int vrpc_split_host_port(struct vdl_str s, struct vdl_str *host,
    struct vdl_str *port);

/* ---- choice among servers (spec/rpc.md 19.3) ----------------------------- */

/* An address with prefix length; IPv4 in the v4-mapped form (prefix + 96). */
struct vrpc_network {
    uint8_t addr[16];
    uint8_t prefix; /* 0..128 */
};
/** "10.0.0.0/8" → network. @return 0 or V23_EENDPOINT */
V23_MUST_USE int vrpc_network_parse(struct vdl_str cidr,
    struct vrpc_network *out);

struct vrpc_order_opts {
    vdl_str_list protocols; /* preferred ones; empty = the default list */
    const struct vrpc_network *networks; /* of the local interfaces */
    size_t nnetworks;
};
/**
 * Sort server names (rooted or plain endpoints) by preference, best first, and
 * drop those that cannot be used.
 *
 * @param order   room for n indices into `servers`
 * @param norder  how many are usable; 0 is not an error
 * @return 0 or V23_ENOMEM
 */
V23_MUST_USE int vrpc_order_servers(struct v23_arena *scratch,
    const struct vrpc_order_opts *opts, const struct vdl_str *servers,
    size_t n, size_t *order, size_t *norder);

#ifdef __cplusplus
}
#endif
#endif
