/* BSD-3-Clause; see LICENSE. */
/**
 * A proxy: servers that nobody can dial keep a connection to it, and it passes
 * on to them who asks for their routing ids. What it passes on are connections
 * of their own, sealed between their ends: it learns who talks to whom and how
 * much, nothing else. Source: spec/rpc.md 15.4, 24; spec/services.md 8.2.
 *
 * A proxy takes the flows that the peers of a manager open, in the place of a
 * server; it does no I/O and has no thread. Its owner tells it the endpoints
 * under which it is reached: those of its listeners, and those at which other
 * proxies make it known (vrpc/proxied.h).
 *
 * Back-pressure goes from end to end: what the receiver of a route does not
 * take stays in the flow of the sender, whose window then stays shut. So a
 * route holds, per direction, at most the manager's `bytes_buffered`, a quarter
 * of that if messages are tiny, and 200 KiB.
 */
#ifndef VRPC_PROXY_H
#define VRPC_PROXY_H

#include <vrpc/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_manager;
struct vrpc_proxy;
struct vsec_authorizer;

/* Streams and their bytes in one direction. */
struct vrpc_proxy_traffic {
    uint64_t msgs;  /* streams that have ended */
    uint64_t bytes;
};

/* What was passed on for one routing id. */
struct vrpc_proxy_counts {
    struct vrpc_routing_id rid;
    uint64_t requests; /* to listen through us */
    struct vrpc_proxy_traffic to, from;
};

struct vrpc_proxy_config {
    /* Who may listen through us, and to whom is passed on; borrowed. NULL =
     * default authorizer. */
    const struct vsec_authorizer *authorizer;
    uint32_t max_servers; /* listening through us, proxies too; 0 = 4,096 */
    uint32_t max_routes;  /* at the same time; 0 = 65,536 */
    uint32_t max_pending; /* flows that have not said what they want, or wait
                             for an answer; 0 = 4,096 */
    uint32_t max_flows_per_conn; /* of one peer; 0 = 4,096 */
    uint32_t max_counts;  /* routing ids counted; 0 = 4,096. One more makes
                             that be forgotten which was used last longest
                             ago */
    /* Bytes that stalled receivers of all routes together make us hold; who
     * adds to them beyond it loses its route. 0 = 256 MiB */
    size_t max_waiting;
    /*
     * A routing id is counted for the first time, or (gone) is forgotten: `c`
     * lives, and its numbers grow, from the one to the other. May be NULL.
     */
    void (*counted)(void *ud, const struct vrpc_proxy_counts *c, bool gone);
    void *ud;
};

/**
 * Start to serve as a proxy on all present and future connections of a
 * manager, which has no server. vrpc_manager_stop() shuts it down: requests to
 * listen are closed, routes may go on for the time given.
 *
 * @param cfg  NULL = all zero; copied
 * @return 0; V23_ENOMEM; V23_ESTATE (the manager has a server or a proxy);
 *         V23_EARG (null routing id)
 */
V23_MUST_USE int vrpc_proxy_new(struct vrpc_manager *m,
    const struct vrpc_proxy_config *cfg, struct vrpc_proxy **out);
/** All routes end; `counted` tells what is forgotten. NULL is ignored. */
void vrpc_proxy_free(struct vrpc_proxy *p);
/**
 * Say where we are reached; whoever listens through us is told when that
 * changed. What is given to a server has its routing id; to a proxy, its
 * routing id is appended to the routes.
 *
 * @param eps  copied; more of them than a message can hold are left out
 * @return 0; V23_ENOMEM: nothing has changed
 */
V23_MUST_USE int vrpc_proxy_set_endpoints(struct vrpc_proxy *p,
    const struct vrpc_endpoint *eps, size_t n);

/* What it does at present; O(routes). */
struct vrpc_proxy_status {
    size_t servers, proxies; /* that listen through us */
    size_t routes;
    size_t pending;
    size_t waiting;          /* bytes held for receivers that stall */
};
void vrpc_proxy_status(struct vrpc_proxy *p, struct vrpc_proxy_status *out);

#ifdef __cplusplus
}
#endif
#endif
