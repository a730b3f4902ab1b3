/* BSD-3-Clause; see LICENSE. */
/**
 * What every program does at start: loop, principal, client. It saves a
 * program from knowing the order; nothing else in the library needs it.
 *
 *     struct vrpc_runtime rt;
 *     vrpc_runtime_init(&rt, &flags, "prog")   after the flags were parsed
 *     … libnaming builds a resolver from flags.roots …
 *     vrpc_runtime_run(&rt)                    until vrpc_runtime_stop()
 *     vrpc_runtime_fini(&rt)
 */
#ifndef VRPC_RUNTIME_H
#define VRPC_RUNTIME_H

#include <vrpc/client.h>
#include <vrpc/debug.h>
#include <vrpc/ev.h>
#include <vrpc/flags.h>
#include <vrpc/proxy.h>
#include <vrpc/vtrace.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_runtime {
    const struct vrpc_flags *flags; /* borrowed */
    struct event_base *base;
    struct vrpc_ev *ev;
    struct v23_log log;
    struct vrpc_vtrace *vtrace;     /* the store of traces; NULL = none */
    struct vsec_principal *principal;
    struct vrpc_ev_node *node;      /* client-only */
    struct vrpc_client *client;
    struct vrpc_stats *stats;       /* NULL until a server is made */
    char component[64];
    char why[512];                  /* reason of a failed init */
    struct vrpc_runtime_private *p;
};

/**
 * Make loop, log, principal (from --v23.credentials, else $V23_CREDENTIALS,
 * else of the agent at $V23_AGENT_PATH, else a fresh self-blessed one) and a
 * client.
 *
 * Store and roots of a credentials directory are read again every 5 minutes,
 * or every $V23_CREDENTIALS_RELOAD_INTERVAL ("30s"), and at SIGHUP; servers
 * then present the new default blessings. When that fails, the log says why
 * and what was known stays. SIGHUP does not end the program in any case.
 *
 * Traces are collected as the --v23.vtrace flags say; all calls of the program
 * that name no span are one trace.
 * @return 0, or a status with rt->why set; nothing is left allocated
 */
V23_MUST_USE int vrpc_runtime_init(struct vrpc_runtime *rt,
    const struct vrpc_flags *flags, const char *component);
/** Nodes of the caller have been freed. Prints the traces that were collected
 * on standard error, unless --v23.vtrace.dump-on-shutdown=false. */
void vrpc_runtime_fini(struct vrpc_runtime *rt);

/**
 * A server node of its own routing id, listening on flags->addrs and through
 * the proxies of flags->proxy, with a client that shares its connections.
 *
 * Unless cfg->reserved is set, or cfg->no_debug, it serves __debug
 * (vrpc/debug.h) with the statistics rt->stats, the log of the program and
 * profiles of the process, to whom the entry "runtime" of the permissions
 * flags, else the default authorizer, lets in. The log is read from --log_dir
 * if that is given, else from the last 64 KiB in memory; its lines are then
 * kept from level INFO on. With several loops (--v23.server.loops) each has
 * statistics and a log in memory of its own, of its share of the connections:
 * a reader sees those of the loop that has its connection.
 * $V23_STATS_ENVIRON, if not empty, adds the environment of the process to the
 * statistics.
 *
 * With --v23.server.loops and a server that may (`any_thread` of its config)
 * there are more loops, a thread each, that listen on the same ports; what is
 * done to the node (listening, stopping, freeing) is done to all. They share
 * nothing: each has a principal of its own from the same credentials, re-read
 * like the first one's, so these must be a directory or an agent's; what the
 * program itself changes in its principal concerns the first loop only. So do
 * unix sockets, proxies, clients and what is published.
 *
 * @param cfg     without `component`: the run time's
 * @param addrs   NULL = those of the flags
 * @param node    to be freed with vrpc_ev_node_free() before the run time
 * @param server  receives the server, which is the node's; may be NULL
 * @param client  receives the node's client; may be NULL
 * @return 0, or a status with rt->why set; V23_EARG: several loops, but
 *         credentials that cannot be opened again
 */
V23_MUST_USE int vrpc_runtime_serve(struct vrpc_runtime *rt,
    const struct vrpc_server_config *cfg,
    const struct vrpc_listen_addr *addrs, size_t naddrs,
    struct vrpc_ev_node **node, struct vrpc_server **server,
    struct vrpc_client **client);
/**
 * As vrpc_runtime_serve(), for another principal than the run time's: in this
 * loop only, and without __debug, which tells of the process.
 *
 * @param as        reference taken
 * @param resolver  a client that resolves names of proxies for it; outlives the
 *                  node; NULL = the run time's
 */
V23_MUST_USE int vrpc_runtime_serve_as(struct vrpc_runtime *rt,
    struct vsec_principal *as, struct vrpc_client *resolver,
    const struct vrpc_server_config *cfg, struct vrpc_ev_node **node);

/**
 * Append the text of an error, in the language of $LC_ALL, $LC_MESSAGES or
 * $LANG where --v23.i18n-catalogue has a format for it, else as it came.
 */
void vrpc_runtime_error(const struct vrpc_runtime *rt,
    const struct v23_verror *err, struct v23_buf *out);

/**
 * A proxy of its own routing id instead, which listens through the proxies of
 * flags->proxy as a proxy does. Telling it its endpoints is up to the caller
 * (vrpc_ev_endpoints(), vrpc_proxy_set_endpoints()). It also succeeds when some
 * of the addresses fail, as long as one does not.
 *
 * @param cfg    NULL = all defaults
 * @param proxy  receives the proxy, which is the node's
 */
V23_MUST_USE int vrpc_runtime_proxy(struct vrpc_runtime *rt,
    const struct vrpc_proxy_config *cfg,
    const struct vrpc_listen_addr *addrs, size_t naddrs,
    struct vrpc_ev_node **node, struct vrpc_proxy **proxy);

/**
 * The run time whose loop serves a call, where the handler's timers belong.
 * Only its base, log, principal and vrpc_runtime_after() are for handlers.
 * NULL: the server is a loop's, but not made by vrpc_runtime_serve().
 */
struct vrpc_runtime *vrpc_runtime_of(const struct vrpc_server_call *call);

/** Run the loop until vrpc_runtime_stop(). */
void vrpc_runtime_run(struct vrpc_runtime *rt);
void vrpc_runtime_stop(struct vrpc_runtime *rt);

struct vrpc_appcycle;    /* vrpc/appcycle.h */
struct vrpc_exec_config; /* vrpc/exec.h */

/* ---- the end of the process (spec/services.md 4.2) ----------------------- */

/* Instead of a signal's number: vrpc_runtime_request_stop(), or AppCycle. */
#define VRPC_STOP 0

/**
 * Call `fn` on SIGINT, SIGTERM, or a request to stop, once: a second one of
 * these ends the process with status 1.
 */
V23_MUST_USE int vrpc_runtime_on_signal(struct vrpc_runtime *rt,
    void (*fn)(void *ud, int signo), void *ud);
/** … unless it is the same within this time after the first; 0 = never. */
void vrpc_runtime_same_signal(struct vrpc_runtime *rt, int64_t within_ns);
/**
 * Ask the process to end, from anywhere in the loop: `fn` above is called with
 * VRPC_STOP at the end of the loop turn. Where there is none, the process ends
 * with status 1.
 */
void vrpc_runtime_request_stop(struct vrpc_runtime *rt);
/** The run time's; for progress (vrpc/appcycle.h). */
struct vrpc_appcycle *vrpc_runtime_appcycle(const struct vrpc_runtime *rt);
/**
 * Let the process that has started this one manage it: if its configuration
 * asks for that, serve AppCycle, to those who match the parent's pattern, and
 * tell the parent where.
 *
 * Needs a resolver if the parent's name is not rooted. Afterwards tell the
 * parent, with vrpc_exec_child_report().
 *
 * @param cfg   borrowed until `done`; the pattern, for the run time's life
 * @param done  once, never before this returns; NULL: it is managed, or nobody
 *              has asked for it
 * @return 0 or V23_ENOMEM
 */
V23_MUST_USE int vrpc_runtime_managed(struct vrpc_runtime *rt,
    const struct vrpc_exec_config *cfg,
    void (*done)(void *ud, const struct v23_verror *err), void *ud);

/** Run `fn` once after a delay, never earlier. */
V23_MUST_USE int vrpc_runtime_after(struct vrpc_runtime *rt, int64_t delay_ns,
    void (*fn)(void *ud), void *ud);
/** Forget those with this function and argument that have not fired. */
void vrpc_runtime_cancel(struct vrpc_runtime *rt, void (*fn)(void *ud),
    void *ud);
/** Forget every vrpc_runtime_after() that has not fired. */
void vrpc_runtime_cancel_timers(struct vrpc_runtime *rt);

#ifdef __cplusplus
}
#endif
#endif
