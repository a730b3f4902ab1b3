/* BSD-3-Clause; see LICENSE. */
/*
 * Servers and proxies of a program: their nodes, where they listen, and the
 * loops that they run in.
 */
#include <vrpc/runtime.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "ev_int.h"
#include "rpc_int.h"
#include "runtime_int.h"

#define MAX_LOOPS 256

/* ---- listening ----------------------------------------------------------- */

/* resolver: NULL = the run time's client. */
static int listen_proxied(struct vrpc_runtime *rt, struct vrpc_ev_node *n,
    enum vrpc_proxied_kind kind, struct vrpc_client *resolver)
{
    struct vrpc_proxied_config cfg;

    if (rt->flags->proxy.n == 0)
        return 0;
    memset(&cfg, 0, sizeof(cfg));
    cfg.kind = kind;
    cfg.name = rt->flags->proxy;
    cfg.policy = rt->flags->proxy_policy;
    cfg.limit = rt->flags->proxy_limit;
    cfg.client = resolver != NULL ? resolver : rt->client;
    return vrpc_ev_listen_proxied(n, &cfg);
}

int vrpc_runtime_listen_(struct vrpc_runtime *rt, struct vrpc_ev_node *n,
    const struct vrpc_listen_addr *addrs, size_t naddrs)
{
    static const struct vrpc_listen_addr any = { VDL_STR_INIT("wsh"),
        VDL_STR_INIT(":0") };
    const char *text;
    size_t len;
    int rc;

    if (addrs == NULL && rt->flags->addrs_flag) {
        addrs = rt->flags->addrs;
        naddrs = rt->flags->naddrs;
    } else if (addrs == NULL) {
        addrs = &any;
        naddrs = 1;
    }
    vrpc_cloud_use_(rt->p->cloud, n);
    if (naddrs == 0)
        return 0;
    rc = vrpc_ev_listen(n, addrs, naddrs);
    /* Names are looked up in the loop, which does not run at the start of a
     * program; where it does, the endpoints come later. */
    while (rc == V23_EAGAIN)
        rc = event_base_loop(rt->base, EVLOOP_ONCE) != 0
            ? 0 : vrpc_ev_listen_status_(n);
    if (rc == 0)
        return 0;
    /* The first line: the others fail for the same or get their turn. */
    text = vrpc_ev_listen_errors(n);
    len = strcspn(text, "\n");
    snprintf(rt->why, sizeof(rt->why), "cannot listen: %.*s",
        len == 0 ? 200 : (int)len, len == 0 ? v23_strerror(rc) : text);
    return rc;
}

/* ---- servers ------------------------------------------------------------- */

/* as: NULL = the run time's principal. */
static int server_node(struct vrpc_runtime *rt, struct vsec_principal *as,
    const struct vrpc_server_config *cfg, const struct vrpc_routing_id *rid,
    struct vrpc_ev_node **node)
{
    struct vrpc_manager_config mcfg;
    struct vrpc_server_config scfg = *cfg;
    struct vrpc_ev_node *n = NULL;
    struct vrpc_server *server;
    struct vrpc_client *client;
    int rc = 0;

    memset(&mcfg, 0, sizeof(mcfg));
    mcfg.principal = as != NULL ? as : rt->principal;
    mcfg.vtrace = rt->vtrace;
    if (scfg.component.n == 0)
        scfg.component = vdl_str(rt->component);
    if (as == NULL)
        rc = vrpc_runtime_debug_(rt, &scfg);
    mcfg.stats = as != NULL ? NULL : rt->stats;
    if (rid != NULL)
        mcfg.rid = *rid;
    else if (rc == 0)
        rc = vrpc_ev_routing_id(&mcfg.rid);
    if (rc == 0)
        rc = vrpc_ev_node_new(rt->ev, &mcfg, &n);
    if (rc == 0)
        rc = vrpc_server_new(vrpc_ev_node_manager(n), &scfg, &server);
    if (rc == 0)
        rc = vrpc_runtime_client_(rt, vrpc_ev_node_manager(n), &client);
    if (n != NULL)
        n->rt = rt;
    if (rc == 0)
        *node = n;
    else if (n != NULL)
        vrpc_ev_node_free(n); /* with what it has */
    return rc;
}

int vrpc_runtime_node_(struct vrpc_runtime *rt,
    const struct vrpc_server_config *cfg, const struct vrpc_routing_id *rid,
    struct vrpc_ev_node **node)
{
    return server_node(rt, NULL, cfg, rid, node);
}

/* Loops of a server besides the first one. */
static int more_loops(struct vrpc_runtime *rt,
    const struct vrpc_server_config *cfg, size_t *out)
{
    const char *agent = getenv("V23_AGENT_PATH");
    long n = rt->flags->loops;

    if (n == 0)
        n = sysconf(_SC_NPROCESSORS_ONLN);
    n = n < 1 ? 1 : n > MAX_LOOPS ? MAX_LOOPS : n;
    if (n > 1 && !cfg->any_thread) {
        v23_logf(&rt->log, V23_LOG_WARN, "this server runs in one loop only");
        n = 1;
    }
    *out = (size_t)n - 1;
    if (n == 1 || (rt->flags->principal == NULL
            && (rt->flags->credentials.n != 0
                || (agent != NULL && *agent != 0))))
        return 0;
    snprintf(rt->why, sizeof(rt->why), "several loops need credentials that "
        "each of them can open: a directory, or an agent");
    return V23_EARG;
}

int vrpc_runtime_serve(struct vrpc_runtime *rt,
    const struct vrpc_server_config *cfg,
    const struct vrpc_listen_addr *addrs, size_t naddrs,
    struct vrpc_ev_node **node, struct vrpc_server **server,
    struct vrpc_client **client)
{
    struct vrpc_ev_node *n = NULL;
    struct vrpc_manager *m;
    size_t more = 0;
    int rc = more_loops(rt, cfg, &more);

    if (rc == 0)
        rc = vrpc_runtime_node_(rt, cfg, NULL, &n);
    if (rc != 0)
        return rc;
    n->shared_port = more > 0;
    rc = vrpc_runtime_listen_(rt, n, addrs, naddrs);
    if (rc == 0 && more > 0)
        rc = vrpc_ev_loops_start_(n, rt, cfg, more);
    if (rc == 0)
        rc = listen_proxied(rt, n, VRPC_PROXIED_SERVER, NULL);
    if (rc != 0) {
        vrpc_ev_node_free(n);
        return rc;
    }
    vrpc_runtime_status_(rt, n, addrs, naddrs);
    *node = n;
    m = vrpc_ev_node_manager(n);
    if (server != NULL)
        *server = vrpc_manager_server(m);
    if (client != NULL)
        *client = vrpc_manager_client(m);
    return 0;
}

int vrpc_runtime_serve_as(struct vrpc_runtime *rt, struct vsec_principal *as,
    struct vrpc_client *resolver, const struct vrpc_server_config *cfg,
    struct vrpc_ev_node **node)
{
    struct vrpc_ev_node *n = NULL;
    int rc = server_node(rt, as, cfg, NULL, &n);

    if (rc == 0)
        rc = vrpc_runtime_listen_(rt, n, NULL, 0);
    if (rc == 0)
        rc = listen_proxied(rt, n, VRPC_PROXIED_SERVER, resolver);
    if (rc == 0)
        *node = n;
    else
        vrpc_ev_node_free(n);
    return rc;
}

struct vrpc_runtime *vrpc_runtime_of(const struct vrpc_server_call *call)
{
    const struct vrpc_manager *m
        = vrpc_server_manager(vrpc_server_call_server(call));

    return ((const struct vrpc_ev_node *)m->tr.ud)->rt;
}

/* ---- proxies ------------------------------------------------------------- */

/* Does any address listen? */
static bool listens(struct vrpc_ev_node *n)
{
    const struct vrpc_endpoint *eps;
    size_t k;

    return vrpc_ev_endpoints(n, &eps, &k) == 0 &&
           !vdl_str_is(eps[0].protocol, "bidi");
}

int vrpc_runtime_proxy(struct vrpc_runtime *rt,
    const struct vrpc_proxy_config *cfg,
    const struct vrpc_listen_addr *addrs, size_t naddrs,
    struct vrpc_ev_node **node, struct vrpc_proxy **proxy)
{
    struct vrpc_manager_config mcfg;
    struct vrpc_ev_node *n = NULL;
    int rc;

    memset(&mcfg, 0, sizeof(mcfg));
    mcfg.principal = rt->principal;
    mcfg.stats = rt->stats;
    mcfg.vtrace = rt->vtrace;
    rc = vrpc_ev_routing_id(&mcfg.rid);
    if (rc == 0)
        rc = vrpc_ev_node_new(rt->ev, &mcfg, &n);
    if (rc != 0)
        return rc;
    rc = vrpc_proxy_new(vrpc_ev_node_manager(n), cfg, proxy);
    if (rc == 0) {
        rc = vrpc_runtime_listen_(rt, n, addrs, naddrs);
        if (rc != 0 && listens(n)) {
            v23_logf(&rt->log, V23_LOG_ERROR, "%s", rt->why);
            rc = 0;
        }
    }
    if (rc == 0)
        rc = listen_proxied(rt, n, VRPC_PROXIED_PROXY, NULL);
    if (rc != 0)
        vrpc_ev_node_free(n);
    else
        *node = n;
    return rc;
}
