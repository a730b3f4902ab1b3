/* BSD-3-Clause; see LICENSE. */
/**
 * Managers on libevent: TCP, websockets, unix sockets, DNS, timers, listeners.
 * Source: spec/rpc.md 2, 14.6, 20.
 *
 * The caller owns the event_base and runs it; no thread is made, no signal
 * handler set. All callbacks of a manager run on that loop.
 */
#ifndef VRPC_EV_H
#define VRPC_EV_H

#include <vrpc/manager.h>
#include <vrpc/proxied.h>
#include <vrpc/server.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
struct vrpc_ev;       /* one per loop: scratch buffer, DNS */
struct vrpc_ev_node;  /* one manager with its sockets */

/**
 * @param al    NULL = libc
 * @param log   NULL = silent; must outlive the object
 * @return 0, V23_ENOMEM, V23_ESYS
 */
V23_MUST_USE int vrpc_ev_new(struct event_base *base,
    const struct v23_alloc *al, const struct v23_log *log,
    struct vrpc_ev **out);
/** All nodes must have been freed. */
void vrpc_ev_free(struct vrpc_ev *ev);
struct event_base *vrpc_ev_base(const struct vrpc_ev *ev);
/**
 * The present time. Between two looks at it, a millisecond apart, the wall
 * clock is taken to run as the monotonic one does.
 */
void vrpc_ev_now(struct vrpc_ev *ev, struct v23_now *out);
/** The wall clock of this machine; needs no loop. */
struct v23_walltime vrpc_ev_wall(void);

/**
 * A manager whose transport is this loop.
 *
 * @param cfg  al, log, transport and chains are ignored: the loop's are used; a
 *             server node passes a random routing id (vrpc_ev_routing_id())
 */
V23_MUST_USE int vrpc_ev_node_new(struct vrpc_ev *ev,
    const struct vrpc_manager_config *cfg, struct vrpc_ev_node **out);
/**
 * Close all listeners and connections, free the manager with its client and
 * server if they are still there. Not from inside a callback of theirs. NULL
 * is ignored.
 */
void vrpc_ev_node_free(struct vrpc_ev_node *n);
struct vrpc_manager *vrpc_ev_node_manager(const struct vrpc_ev_node *n);
struct vrpc_ev *vrpc_ev_node_loop(const struct vrpc_ev_node *n);
/** A fresh random routing id. */
V23_MUST_USE int vrpc_ev_routing_id(struct vrpc_routing_id *out);

/**
 * Fetch and write the output of all connections now instead of at the end of
 * the loop turn (before a program exits).
 */
void vrpc_ev_node_flush(struct vrpc_ev_node *n);

/* ---- listening ----------------------------------------------------------- */

struct vrpc_listen_addr {
    /*
     * tcp, ws (websocket), wsh (either on one port, by the first byte), with 4
     * or 6 behind it for one version of IP; empty = wsh; unix.
     */
    struct vdl_str protocol;
    /*
     * "host:port", ":0"; empty = skipped. No host: every interface, of both
     * versions of IP on one socket. For unix a path, or "@name" (Linux: no
     * file). A socket file that nobody listens on is replaced, and ours is
     * removed with the listener.
     */
    struct vdl_str address;
};

/**
 * Listen. An address that fails is tried again every second and reported by
 * vrpc_ev_listen_errors(); the others listen. A host name is reported there,
 * too, until it has been looked up in the loop.
 *
 * @return 0; the status of the first address that failed (the node is usable
 *         and goes on trying); V23_ENOSYS for a protocol that is not
 *         supported (not tried again); V23_EAGAIN: none of these, but a name
 *         is being looked up
 */
V23_MUST_USE int vrpc_ev_listen(struct vrpc_ev_node *n,
    const struct vrpc_listen_addr *addrs, size_t naddrs);
/** Close the listeners, ask no proxy for connections; live ones stay. */
void vrpc_ev_unlisten(struct vrpc_ev_node *n);
/**
 * Listen through proxies, too (vrpc/proxied.h): they are asked again and again
 * until vrpc_ev_unlisten().
 *
 * @param cfg  its `changed` is not called: see vrpc_ev_on_endpoints()
 * @return 0; V23_EARG; V23_ENOMEM; V23_ESTATE: the node does so already
 */
V23_MUST_USE int vrpc_ev_listen_proxied(struct vrpc_ev_node *n,
    const struct vrpc_proxied_config *cfg);
/** As vrpc_proxied_errors(); "" when there are no proxies. */
const char *vrpc_ev_proxy_errors(struct vrpc_ev_node *n);

/**
 * Endpoints to publish (spec/rpc.md 14.6): those that proxies gave us, then the
 * address of each listener, for one on every interface those of the
 * interfaces; listening nowhere: the single bidi endpoint (14.5). The array and
 * what it points to are valid until the next call of this function or a change.
 * @return 0 or V23_ENOMEM
 */
V23_MUST_USE int vrpc_ev_endpoints(struct vrpc_ev_node *n,
    const struct vrpc_endpoint **eps, size_t *neps);
/**
 * Which addresses to publish for a listener on every interface.
 *
 * @param protocol    of the listener
 * @param candidates  addresses without port, those that most can reach first
 * @param out         room for `max` addresses: candidates or others, "host" or
 *                    "host:port"; valid until the next call
 * @return how many; 0: the listener's own address is published
 */
typedef size_t vrpc_address_chooser_fn(void *ud, struct vdl_str protocol,
    const struct vdl_str *candidates, size_t n, struct vdl_str *out,
    size_t max);
/** NULL: publish all candidates. */
void vrpc_ev_set_chooser(struct vrpc_ev_node *n, vrpc_address_chooser_fn *fn,
    void *ud);
/**
 * Call `fn` when the set of endpoints may have changed (re-listen, names,
 * addresses of the interfaces, proxies). */
void vrpc_ev_on_endpoints(struct vrpc_ev_node *n, void (*fn)(void *ud),
    void *ud);
/** Text of the errors of listeners that failed, one a line; "" = none. */
const char *vrpc_ev_listen_errors(struct vrpc_ev_node *n);

/**
 * Shut a server down in the order of spec/rpc.md 20.4: vrpc_ev_unlisten(), then
 * vrpc_server_stop(). `done` runs once, never before this returns.
 */
void vrpc_ev_server_stop(struct vrpc_ev_node *n, int64_t lame_duck_ns,
    void (*done)(void *ud), void *ud);

/** Networks of the local interfaces, for struct vrpc_client_config. They are
 * valid until they change; clients of the loop's nodes get the new ones. */
void vrpc_ev_networks(struct vrpc_ev *ev, const struct vrpc_network **nets,
    size_t *n);

#ifdef __cplusplus
}
#endif
#endif
