/* BSD-3-Clause; see LICENSE. */
/* The insides of a run time. */
#ifndef VRPC_RUNTIME_INT_H
#define VRPC_RUNTIME_INT_H

#include <vrpc/appcycle.h>
#include <vrpc/runtime.h>
#include <vsec/authorizer.h>

struct event;
struct v23_i18n;
struct vrpc_agent;
struct vrpc_runtime_trace_;
struct vsec_engine;

struct timer {
    struct timer *next, **pprev;
    struct event *event;
    const struct vrpc_runtime *rt;
    int64_t at; /* monotonic */
    void (*fn)(void *ud);
    void *ud;
};

struct vrpc_runtime_private {
    struct vsec_engine *engine;
    struct vrpc_runtime_trace_ *trace;
    struct vrpc_agent *agent; /* the principal's; or NULL */
    struct v23_i18n *catalogue; /* NULL: none */
    char language[32];
    struct timer *timers;
    struct event *hangup, *reload; /* SIGHUP; every `reload_ns` */
    int64_t reload_ns;
    struct {
        struct event *signals[2], *stop;
        void (*fn)(void *ud, int signo);
        void *ud;
        int last;                /* the event that came, or -1 */
        int64_t at, same_ns;     /* when; how long it may come again */
        struct vrpc_appcycle *appcycle;
        struct vrpc_ev_node *node; /* that serves it; or NULL, */
        struct vsec_auth_pattern pattern; /* to whom, */
        struct vsec_authorizer auth;
        int failed;                /* or why not */
        void (*managed)(void *ud, const struct v23_verror *err);
        void *managed_ud;
    } life;
};

/* runtime_ev.c */
/* A server's node that listens nowhere, with its client. */
V23_MUST_USE int vrpc_runtime_node_(struct vrpc_runtime *rt,
    const struct vrpc_server_config *cfg, struct vrpc_ev_node **node,
    struct vrpc_server **server, struct vrpc_client **client);

/* life_ev.c */
V23_MUST_USE int vrpc_runtime_life_(struct vrpc_runtime *rt);
void vrpc_runtime_life_fini_(struct vrpc_runtime *rt);

/* runtime_trace_ev.c: set rt->vtrace as the flags say. 0; V23_EARG with
 * rt->why; V23_ENOMEM. */
V23_MUST_USE int vrpc_runtime_trace_new_(struct vrpc_runtime *rt,
    struct vsec_engine *engine, struct vrpc_runtime_trace_ **out);
/* Print what was collected, if wanted, and free the store. NULL ignored. */
void vrpc_runtime_trace_free_(struct vrpc_runtime *rt,
    struct vrpc_runtime_trace_ *t);

#endif
