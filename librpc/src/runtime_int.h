/* BSD-3-Clause; see LICENSE. */
/* The insides of a run time. */
#ifndef VRPC_RUNTIME_INT_H
#define VRPC_RUNTIME_INT_H

#include <vrpc/appcycle.h>
#include <vrpc/debug_host.h>
#include <vrpc/runtime.h>
#include <vsec/authorizer.h>

#include <stdio.h>

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
    struct vrpc_cloud_ *cloud;  /* NULL: servers publish what they have */
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
    /* log */
    enum v23_log_level to_stderr; /* lines above are not printed there */
    FILE *log_file;               /* NULL: no --log_dir */
    struct vrpc_log_ring *ring;   /* or NULL */
    /* __debug */
    struct vrpc_log_dir *log_dir;
    struct vrpc_debug *debug;
    struct vrpc_flags_auth auth;
    bool has_auth;
};

/* runtime_ev.c */
/* vrpc_runtime_init(); first NULL, or of the first loop: then this one takes no
 * signals, and traces go to the store of that one. */
V23_MUST_USE int vrpc_runtime_init_(struct vrpc_runtime *rt,
    const struct vrpc_flags *flags, const char *component,
    const struct vrpc_runtime *first);
/* A client for a manager of the program. */
V23_MUST_USE int vrpc_runtime_client_(struct vrpc_runtime *rt,
    struct vrpc_manager *m, struct vrpc_client **out);

/* runtime_principal_ev.c */
/* Load the principal and watch its files; `first`: also take SIGHUP. 0, or a
 * status with rt->why. */
V23_MUST_USE int vrpc_runtime_principal_(struct vrpc_runtime *rt, bool first);
/* Read the credentials again. */
void vrpc_runtime_reload_(struct vrpc_runtime *rt);

/* runtime_serve_ev.c */
/* A server's node that listens nowhere, with its client. rid NULL: a new one. */
V23_MUST_USE int vrpc_runtime_node_(struct vrpc_runtime *rt,
    const struct vrpc_server_config *cfg, const struct vrpc_routing_id *rid,
    struct vrpc_ev_node **node);
/* Listen, NULL: on the addresses of the flags, and wait until names are looked
 * up; 0, or a status with rt->why. */
V23_MUST_USE int vrpc_runtime_listen_(struct vrpc_runtime *rt,
    struct vrpc_ev_node *n, const struct vrpc_listen_addr *addrs,
    size_t naddrs);

/* cloud_ev.c: what --v23.virtualized.* publish */
struct vrpc_cloud_;
/* Find the addresses; 0, or a status with rt->why. *out stays if there is
 * nothing to choose. */
V23_MUST_USE int vrpc_cloud_find_(struct vrpc_runtime *rt,
    struct vrpc_cloud_ **out);
void vrpc_cloud_free_(struct vrpc_cloud_ *c);
void vrpc_cloud_use_(struct vrpc_cloud_ *c, struct vrpc_ev_node *n);

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

/* runtime_debug_ev.c */
/* Begin to log. */
void vrpc_runtime_log_(struct vrpc_runtime *rt);
/* Nothing is logged any more. */
void vrpc_runtime_log_fini_(struct vrpc_runtime *rt);
/* Make the statistics of the program, unless they are there. */
V23_MUST_USE int vrpc_runtime_stats_(struct vrpc_runtime *rt);
/* Tell there where a server listens; forgotten with the server. */
void vrpc_runtime_status_(struct vrpc_runtime *rt, struct vrpc_ev_node *n,
    const struct vrpc_listen_addr *addrs, size_t naddrs);
/* Give a server __debug, unless it has a dispatcher of its own or wants
 * none. */
V23_MUST_USE int vrpc_runtime_debug_(struct vrpc_runtime *rt,
    struct vrpc_server_config *cfg);
/* All servers have gone. */
void vrpc_runtime_debug_fini_(struct vrpc_runtime *rt);

#endif
