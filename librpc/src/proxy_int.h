/* BSD-3-Clause; see LICENSE. */
/* What the parts of a proxy share; private to librpc. */
#ifndef VRPC_PROXY_INT_H
#define VRPC_PROXY_INT_H

#include <vrpc/message.h>
#include <vrpc/proxy.h>

#include "rpc_int.h"

struct vrpc_pcheck_;
struct vrpc_pflow_;

/* Counters of a routing id; the first member is what the owner sees. */
struct vrpc_pcount_ {
    struct vrpc_proxy_counts c;
    struct vrpc_cache_entry_ key;
    struct vrpc_pcount_ *next, **link; /* in the order of use */
    uint32_t users; /* routes */
};

enum vrpc_pstate_ {
    VRPC_P_FIRST_,   /* has not said what it wants */
    VRPC_P_CHECK_,   /* authorization is awaited */
    VRPC_P_REFUSED_, /* was told so; it should close */
    VRPC_P_LISTEN_,  /* listens through us */
    VRPC_P_ROUTE_
};

/* One end of a flow that is passed on. */
struct vrpc_pend_ {
    struct vrpc_user_ user;        /* first member */
    struct vrpc_pflow_ *of;
    struct vrpc_session_ *session; /* pinned; NULL: none yet */
    struct vrpc_flow *flow;        /* NULL: given back, or none yet */
    size_t waiting;                /* bytes from here that are held */
};

/* A flow that a peer opened. */
struct vrpc_pflow_ {
    struct vrpc_proxy *p;
    struct vrpc_pflow_ *next, **link; /* list of its state */
    struct vrpc_plist_ *list;
    enum vrpc_pstate_ state;
    bool of_proxy;               /* LISTEN: the peer is a proxy */
    bool owed;                   /* LISTEN: the endpoints are to be sent */
    int64_t until;               /* FIRST to REFUSED: patience ends */
    struct vrpc_pend_ in, out;   /* `out`: ROUTE */
    struct vrpc_pcheck_ *check;
    struct vrpc_pcount_ *count;  /* ROUTE; NULL: not counted */
};

struct vrpc_plist_ {
    struct vrpc_pflow_ *first, **tail;
    size_t n;
};

struct vrpc_proxy {
    struct vrpc_host_ host; /* first member */
    struct vrpc_manager *m;
    struct vrpc_proxy_config cfg;
    struct vrpc_plist_ pending, listeners, routes;
    size_t nproxies; /* of the listeners */
    size_t waiting;
    struct vrpc_timer_ patience;
    struct v23_arena arena; /* holds eps */
    struct vrpc_endpoint *eps;
    size_t neps;
    struct vrpc_cache_ index;   /* of counts */
    struct vrpc_pcount_ *counts, **counts_tail; /* used longest ago first */
    size_t ncounts;
};

/* ---- proxy.c ------------------------------------------------------------- */

/* Into the list of a state. A check is forgotten. */
void vrpc_pflow_move_(struct vrpc_pflow_ *f, enum vrpc_pstate_ state);
/* Give the flows back, at once or (close) behind what is queued, and free. */
void vrpc_pflow_end_(struct vrpc_pflow_ *f, bool close);
/* What a peer asked for has failed: say so to the log, and end. */
void vrpc_pflow_failed_(struct vrpc_pflow_ *f, const char *what,
    const char *why);
/*
 * May the peer of a session listen here? It shows what it presents on `flow`,
 * NULL: for the connection.
 * @return 0; V23_EAGAIN: `done` follows; others: no, with *why, valid until f
 *         is moved or ends
 */
V23_MUST_USE int vrpc_pflow_check_(struct vrpc_pflow_ *f,
    struct vrpc_session_ *s, const struct vrpc_flow *flow,
    void (*done)(struct vrpc_pflow_ *f, int rc, const char *why),
    const char **why);

/* ---- proxy_route.c ------------------------------------------------------- */

/* Handle a Setup, which is at the front of the flow. */
void vrpc_route_start_(struct vrpc_pflow_ *f, const struct vrpc_setup *s);
/* Queues drain without a word to us: look how full they really are. */
size_t vrpc_routes_waiting_(struct vrpc_proxy *p);
/* Forget what the ends of a route make us hold. */
void vrpc_route_fini_(struct vrpc_pflow_ *f);

/* ---- proxy_count.c ------------------------------------------------------- */

/* Counters of a routing id; NULL: not counted. */
struct vrpc_pcount_ *vrpc_pcount_get_(struct vrpc_proxy *p,
    const struct vrpc_routing_id *rid);
void vrpc_pcounts_init_(struct vrpc_proxy *p, uint64_t seed);
void vrpc_pcounts_fini_(struct vrpc_proxy *p);

#endif
