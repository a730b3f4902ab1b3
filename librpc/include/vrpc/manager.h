/* BSD-3-Clause; see LICENSE. */
/**
 * The connections of one routing id: cache, dialing, calling both ways over
 * the same connection. Source: spec/rpc.md 12-14.
 *
 * A manager does no I/O. An adapter (vrpc/ev.h for hosts with libevent, own
 * ones for firmware, an in-memory one in the tests) gives it a struct
 * vrpc_transport and, for each connection, a struct vrpc_link, whose bytes it
 * moves by vrpc/conn.h's input and output. A pure client has a manager with the null routing id; each
 * server has its own manager, whose client can also be called back.
 */
#ifndef VRPC_MANAGER_H
#define VRPC_MANAGER_H

#include <v23/log.h>
#include <v23/op.h>
#include <v23/time.h>
#include <vrpc/endpoint.h>
#include <vrpc/iface.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_conn;
struct vrpc_manager;
struct vrpc_server;
struct vrpc_vtrace;
struct vrpc_stats;
struct vsec_chain_cache;
struct vsec_principal;

/*
 * What carries the bytes of one connection: the first member of its owner's
 * object (an adapter's socket, plain or websocket; a flow of another
 * connection).
 */
struct vrpc_link {
    const struct vrpc_link_ops *ops;
};
struct vrpc_link_ops {
    /* Messages travel one by one and not as a stream; the transport is a flow
     * of another connection: as in struct vrpc_conn_config. */
    bool messages, encapsulated;
    /*
     * The connection of this link has output to fetch or an earlier deadline:
     * call vrpc_conn_output() and vrpc_conn_next_deadline() soon, but never
     * from inside this function.
     */
    void (*wake)(struct vrpc_link *l);
    /* The connection of this link is dead: soon, but not from inside, send
     * what vrpc_conn_output() still yields, close the transport, and call
     * vrpc_manager_release(). */
    void (*closed)(struct vrpc_link *l);
};

/* What the adapter does for the manager. */
struct vrpc_transport {
    /* The present time. */
    void (*now)(void *ud, struct v23_now *out);
    /*
     * Connect to an address ("host:port"). V23_EAGAIN: vrpc_manager_dialed()
     * follows. Failures at once: V23_ENOSYS (protocol not supported), others.
     * The strings live until the answer. deadline: monotonic, V23_NEVER = none.
     */
    int (*dial)(void *ud, struct v23_op op, struct vdl_str protocol,
        struct vdl_str address, int64_t deadline);
    void (*cancel)(void *ud, struct v23_op op); /* no answer is wanted */
    /* The manager's own next deadline moved to an earlier time. */
    void (*timer)(void *ud);
    void *ud;
};

struct vrpc_manager_config {
    const struct v23_alloc *al; /* NULL = libc */
    const struct v23_log *log;  /* NULL = silent */
    const struct vrpc_transport *transport;
    struct vsec_principal *principal; /* reference taken */
    /* Of verified chains, shared by the managers of a loop; outlives them.
     * NULL = every chain is verified each time. */
    struct vsec_chain_cache *chains;
    /* Of the program; outlives the manager. NULL = nothing is collected. */
    struct vrpc_vtrace *vtrace;
    struct vrpc_routing_id rid;   /* null: no server will be attached */
    /* Where manager, client and server tell of themselves, below "rpc/"; NULL =
     * nowhere. Outlives the manager. Managers of one routing id share what
     * they count: the one made first is freed last. */
    struct vrpc_stats *stats;
    uint32_t mtu;                 /* 0 = 65,536 */
    uint32_t bytes_buffered;      /* per flow; 0 = 1 MiB */
    int64_t channel_timeout_ns;   /* 0 = 30 minutes */
    int64_t handshake_timeout_ns; /* 0 = 60 s */
    int64_t idle_ns;              /* idle expiry; 0 = 10 min, < 0 = never */
    uint32_t max_conns;           /* 0 = 16,384; beyond it one is closed: a
                                     handshake older than 5 s, an idle one, the
                                     one that was not used for longest; last
                                     those that proxies and their servers are
                                     reached by */
    uint32_t max_handshakes;      /* accepted and not authenticated; 0 = 4,096;
                                     beyond it the oldest one is closed */
    uint32_t max_flows;           /* open per connection; 0 = 16,384 */
};

/** @return 0, V23_ENOMEM, V23_EARG */
V23_MUST_USE int vrpc_manager_new(const struct vrpc_manager_config *cfg,
    struct vrpc_manager **out);
/**
 * Close all connections ("cache is closed"), fail all calls and free, with the
 * server or proxy of the manager if it is still there. Its clients must have
 * been freed. NULL is ignored.
 */
void vrpc_manager_free(struct vrpc_manager *m);
/**
 * Shut down the manager's server or proxy, as vrpc_server_stop(), which says
 * more; without one nothing happens.
 */
void vrpc_manager_stop(struct vrpc_manager *m, int64_t lame_duck_ns,
    void (*done)(void *ud), void *ud);

/* ---- for the adapter ----------------------------------------------------- */

/**
 * Answer a dial that returned V23_EAGAIN.
 *
 * @param rc     0, or why not: V23_ETIMEOUT, V23_ESYS, V23_ENOSYS, …
 * @param why    text of a failure for error messages, NULL = the code's
 * @param link   the new transport; its `ops` do not change afterwards
 * @param local  own address as "host:port" and protocol; copied
 * @param out    the connection to move bytes for; NULL when the answer is no
 *               longer wanted or memory is short: close the transport
 */
void vrpc_manager_dialed(struct vrpc_manager *m, struct v23_op op, int rc,
    const char *why, struct vrpc_link *link,
    const struct vrpc_endpoint *local, struct vrpc_conn **out);
/**
 * The host of a dial that returned V23_EAGAIN has these addresses
 * ("host:port"). Is one of them connected? Then the dial is over, without an
 * answer. Not from inside `dial`.
 * Source: spec/rpc.md 14.2.
 */
bool vrpc_manager_resolved(struct vrpc_manager *m, struct v23_op op,
    const struct vdl_str *addresses, size_t n);
/**
 * A transport was accepted by a listener.
 * @param local  endpoint of the listener (protocol, address); copied
 * @return 0, V23_ENOMEM, V23_ELIMIT (too many connections), V23_ESTATE (no
 *         server)
 */
V23_MUST_USE int vrpc_manager_accepted(struct vrpc_manager *m,
    struct vrpc_link *link, const struct vrpc_endpoint *local,
    struct vrpc_conn **out);
/**
 * The adapter is done with a connection: it is freed. Called after `closed`,
 * or at any time when the transport broke (then the connection's hooks run
 * first, as with vrpc_conn_input_end()).
 */
void vrpc_manager_release(struct vrpc_manager *m, struct vrpc_conn *c);
/**
 * Monotonic time of the manager's next timer: V23_NEVER when idle, INT64_MIN
 * when something was put off until now.
 */
int64_t vrpc_manager_next_deadline(const struct vrpc_manager *m);
/**
 * Run timers that are due and what was put off. Call it once in each loop turn
 * in which vrpc_manager_next_deadline() has come, before output is fetched.
 */
void vrpc_manager_tick(struct vrpc_manager *m);
/** Out of descriptors: close up to n connections, as max_conns says. */
size_t vrpc_manager_reclaim(struct vrpc_manager *m, size_t n);

/* ---- enquiries ----------------------------------------------------------- */

const struct vrpc_routing_id *vrpc_manager_rid(const struct vrpc_manager *m);
struct vsec_principal *vrpc_manager_principal(const struct vrpc_manager *m);
const struct v23_alloc *vrpc_manager_alloc(const struct vrpc_manager *m);
const struct v23_log *vrpc_manager_log(const struct vrpc_manager *m);
struct v23_now vrpc_manager_now(const struct vrpc_manager *m);
/** The manager's client, the oldest one if there are several, and its server;
 * NULL when it has none. */
struct vrpc_client *vrpc_manager_client(const struct vrpc_manager *m);
struct vrpc_server *vrpc_manager_server(const struct vrpc_manager *m);
/**
 * Let another client ask for the discharges of the default blessings that a
 * server presents: one that can resolve the dischargers' names.
 * @param c  of the same thread; outlives the manager; NULL = the manager's own,
 *           the oldest one
 */
void vrpc_manager_fetch_by(struct vrpc_manager *m, struct vrpc_client *c);
/** Live connections. */
size_t vrpc_manager_nconns(const struct vrpc_manager *m);
/** Close every live connection (tests, "kill the connection" tools). */
void vrpc_manager_close_all(struct vrpc_manager *m, const char *why);

#ifdef __cplusplus
}
#endif
#endif
