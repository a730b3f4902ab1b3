/* BSD-3-Clause; see LICENSE. */
/*
 * The frame of a program: event loop, log, principal, client, servers, one-shot
 * timers. Everything it makes is undone by vrpc_runtime_fini() in reverse
 * order.
 */
#include <vrpc/runtime.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <v23/i18n.h>
#include <v23/time.h>
#include <vrpc/agent.h>
#include <vsec/credentials.h>
#include <vsec/crypto.h>

#include "ev_int.h"
#include "rpc_int.h"
#include "runtime_int.h"

#define MAX_LOOPS 256

/* ---- messages ------------------------------------------------------------ */

static int read_file(struct vdl_str path, struct v23_buf *out)
{
    char name[4096];
    uint8_t part[4096];
    size_t n;
    FILE *f;
    int rc;

    if (path.n >= sizeof(name))
        return V23_ESYS;
    memcpy(name, path.p, path.n);
    name[path.n] = 0;
    f = fopen(name, "r");
    if (f == NULL)
        return V23_ESYS;
    while ((n = fread(part, 1, sizeof(part), f)) != 0)
        v23_buf_put(out, part, n);
    rc = ferror(f) ? V23_ESYS : out->err;
    fclose(f);
    return rc;
}

/* Whatever is wrong with it, programs can do without. */
static void load_catalogue(struct vrpc_runtime *rt)
{
    static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    struct vdl_str file = rt->flags->catalogue;
    struct v23_buf text, why;
    const char *v = NULL, *line;
    size_t i;
    int rc;

    for (i = 0; i < 3 && (v == NULL || *v == 0); i++)
        v = getenv(variables[i]);
    (void)v23_i18n_language(v, rt->p->language);
    if (file.n == 0)
        return;
    v23_buf_init(&text, NULL, V23_I18N_MAX_BYTES);
    v23_buf_init(&why, NULL, 2 * V23_I18N_WHY);
    rc = read_file(file, &text);
    if (rc == 0)
        rc = v23_i18n_new(NULL, &rt->p->catalogue);
    if (rc == 0)
        rc = v23_i18n_merge(rt->p->catalogue, v23_bytes(text.p, text.n), &why);
    if (rc != 0 && rc != V23_ETEXT)
        v23_logf(&rt->log, V23_LOG_WARN, "message catalogue %.*s: %s",
            (int)file.n, file.p,
            rc == V23_ESYS ? strerror(errno) : v23_strerror(rc));
    for (line = v23_buf_cstr(&why); *line != 0; line += strcspn(line, "\n") + 1)
        v23_logf(&rt->log, V23_LOG_WARN, "message catalogue %.*s: %.*s",
            (int)file.n, file.p, (int)strcspn(line, "\n"), line);
    v23_buf_fini(&text);
    v23_buf_fini(&why);
}

void vrpc_runtime_error(const struct vrpc_runtime *rt,
    const struct v23_verror *err, struct v23_buf *out)
{
    v23_i18n_error(rt->p->catalogue, vdl_str(rt->p->language), err, out);
}

/* ---- principal ----------------------------------------------------------- */

static void agent_lost(void *ud, int rc)
{
    const struct vrpc_runtime *rt = ud;

    v23_logf(&rt->log, V23_LOG_ERROR, "the agent is gone: %s",
        v23_strerror(rc));
}

static int use_agent(struct vrpc_runtime *rt, const char *path)
{
    struct vrpc_agent_options opt;
    char why[VRPC_AGENT_WHY];
    int rc;

    memset(&opt, 0, sizeof(opt));
    opt.engine = rt->p->engine;
    opt.path = path;
    opt.base = rt->base;
    opt.log = &rt->log;
    opt.lost = agent_lost;
    opt.ud = rt;
    rc = vrpc_agent_connect(&opt, &rt->p->agent, why);
    if (rc == 0)
        rt->principal = vsec_principal_ref(vrpc_agent_principal(rt->p->agent));
    else
        snprintf(rt->why, sizeof(rt->why), "%s", why);
    return rc;
}

static int load_principal(struct vrpc_runtime *rt)
{
    const char *path = getenv("V23_AGENT_PATH");
    struct vsec_cred_opts opt;
    char dir[4096], why[VSEC_CRED_WHY] = "";
    int rc;

    if (rt->flags->principal != NULL) {
        rt->principal = vsec_principal_ref(rt->flags->principal);
        return 0;
    }
    memset(&opt, 0, sizeof(opt));
    opt.engine = rt->p->engine;
    opt.readonly_fs = vsec_cred_env_readonly_fs();
    opt.writable = (rt->flags->groups & VRPC_FLAGS_WRITABLE) != 0
        && !opt.readonly_fs;
    opt.public_key_only_ok = true;
    opt.log = &rt->log;
    if (rt->flags->credentials.n == 0 && path != NULL && *path != 0)
        return use_agent(rt, path);
    if (rt->flags->credentials.n >= sizeof(dir)) {
        snprintf(rt->why, sizeof(rt->why), "credentials path is too long");
        return V23_EARG;
    }
    if (rt->flags->credentials.n != 0)
        memcpy(dir, rt->flags->credentials.p, rt->flags->credentials.n);
    dir[rt->flags->credentials.n] = 0;
    rc = vsec_cred_runtime(dir, &opt, &rt->principal, why);
    if (rc != 0 && opt.writable) {
        opt.writable = false;
        rc = vsec_cred_runtime(dir, &opt, &rt->principal, why);
    }
    if (rc != 0)
        snprintf(rt->why, sizeof(rt->why),
            "failed to initialize credentials, perhaps you need to create "
            "them with 'principal create %.200s': %.200s",
            dir[0] != 0 ? dir : "DIR", why[0] != 0 ? why : v23_strerror(rc));
    return rc;
}

/* ---- credentials that others change -------------------------------------- */

static void arm_reload(struct vrpc_runtime *rt)
{
    struct timeval tv;

    tv.tv_sec = (time_t)(rt->p->reload_ns / V23_NS_PER_SEC);
    tv.tv_usec = (suseconds_t)(rt->p->reload_ns % V23_NS_PER_SEC / 1000);
    (void)event_add(rt->p->reload, &tv);
}

/* A reload that fails keeps what is known; the next one may succeed. */
void vrpc_runtime_reload_(struct vrpc_runtime *rt)
{
    char why[VSEC_CRED_WHY];

    if (rt->p->reload == NULL)
        return;
    if (vsec_cred_reload(rt->principal, why) != 0)
        v23_logf(&rt->log, V23_LOG_ERROR, "failed to reload principal: %s",
            why);
    arm_reload(rt);
}

static void reload(evutil_socket_t signo, short what, void *ud)
{
    struct vrpc_runtime *rt = ud;
    const struct vrpc_ev_node *n;

    (void)signo;
    if ((what & EV_SIGNAL) != 0) {
        v23_logf(&rt->log, V23_LOG_INFO, "Received signal hangup");
        for (n = rt->ev->nodes; n != NULL; n = n->next)
            vrpc_ev_loops_reload_(n->loops);
    }
    vrpc_runtime_reload_(rt);
}

/* Credentials of files are read again after a while and at SIGHUP, which in
 * any case does not end the program: it may have been started as a daemon. */
static int watch_credentials(struct vrpc_runtime *rt, bool first)
{
    if (first) {
        rt->p->hangup = evsignal_new(rt->base, SIGHUP, reload, rt);
        if (rt->p->hangup == NULL || event_add(rt->p->hangup, NULL) != 0)
            return V23_ENOMEM;
    }
    if (rt->flags->credentials.n == 0)
        return 0;
    rt->p->reload = evtimer_new(rt->base, reload, rt);
    if (rt->p->reload == NULL)
        return V23_ENOMEM;
    rt->p->reload_ns = vsec_cred_env_reload_ns(&rt->log);
    arm_reload(rt);
    return 0;
}

/* ---- start and end ------------------------------------------------------- */

static int fill_client(struct vrpc_runtime *rt, struct vrpc_manager *m,
    struct vrpc_client **out)
{
    struct vrpc_client_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.component = vdl_str(rt->component);
    vrpc_ev_networks(rt->ev, &cfg.networks, &cfg.nnetworks);
    return vrpc_client_new(m, &cfg, out);
}

int vrpc_runtime_init_(struct vrpc_runtime *rt,
    const struct vrpc_flags *flags, const char *component,
    const struct vrpc_runtime *first)
{
    struct vrpc_manager_config cfg;
    int rc = V23_ENOMEM;

    memset(rt, 0, sizeof(*rt));
    rt->flags = flags;
    snprintf(rt->component, sizeof(rt->component), "%s", component);
    rt->p = v23_new(NULL, struct vrpc_runtime_private);
    if (rt->p == NULL)
        goto out;
    vrpc_runtime_log_(rt);
    load_catalogue(rt);
    rt->base = event_base_new();
    if (rt->base == NULL)
        goto out;
    rc = vsec_engine_new(&rt->p->engine, &vsec_crypto_default, NULL, NULL);
    if (rc != 0)
        goto out;
    if (first != NULL)
        rt->vtrace = first->vtrace; /* it locks */
    else
        rc = vrpc_runtime_trace_new_(rt, rt->p->engine, &rt->p->trace);
    if (rc != 0)
        goto out;
    rc = load_principal(rt);
    if (rc == 0)
        rc = watch_credentials(rt, first == NULL);
    if (rc != 0)
        goto out;
    rc = vrpc_ev_new(rt->base, NULL, &rt->log, &rt->ev);
    if (rc == 0 && (flags->groups & VRPC_FLAGS_LISTEN) != 0)
        rc = vrpc_runtime_stats_(rt);
    if (rc != 0)
        goto out;
    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = rt->principal;
    cfg.vtrace = rt->vtrace;
    cfg.stats = rt->stats;
    rc = vrpc_ev_node_new(rt->ev, &cfg, &rt->node);
    if (rc == 0)
        rc = fill_client(rt, vrpc_ev_node_manager(rt->node), &rt->client);
    if (rc == 0)
        rc = vrpc_runtime_life_(rt);
    if (rc == 0)
        rc = vrpc_cloud_find_(rt, &rt->p->cloud);
out:
    if (rc != 0) {
        char why[sizeof(rt->why)];

        memcpy(why, rt->why, sizeof(why));
        vrpc_runtime_fini(rt);
        memcpy(rt->why, why, sizeof(why));
        if (why[0] == 0)
            snprintf(rt->why, sizeof(rt->why), "cannot start: %s",
                v23_strerror(rc));
    }
    return rc;
}

int vrpc_runtime_init(struct vrpc_runtime *rt, const struct vrpc_flags *flags,
    const char *component)
{
    return vrpc_runtime_init_(rt, flags, component, NULL);
}

void vrpc_runtime_fini(struct vrpc_runtime *rt)
{
    vrpc_runtime_life_fini_(rt);
    vrpc_client_free(rt->client);
    if (rt->node != NULL)
        vrpc_ev_node_free(rt->node);
    if (rt->p != NULL) {
        vrpc_runtime_trace_free_(rt, rt->p->trace);
        vrpc_runtime_cancel_timers(rt);
        if (rt->p->hangup != NULL)
            event_free(rt->p->hangup);
        if (rt->p->reload != NULL)
            event_free(rt->p->reload);
    }
    if (rt->ev != NULL)
        vrpc_ev_free(rt->ev);
    vsec_principal_unref(rt->principal);
    if (rt->p != NULL) {
        vrpc_cloud_free_(rt->p->cloud);
        v23_i18n_free(rt->p->catalogue);
        vrpc_agent_free(rt->p->agent);
        vsec_engine_unref(rt->p->engine);
    }
    if (rt->base != NULL)
        event_base_free(rt->base);
    if (rt->p != NULL) {
        vrpc_runtime_debug_fini_(rt);
        vrpc_runtime_log_fini_(rt);
    }
    v23_put(NULL, rt->p);
    memset(rt, 0, sizeof(*rt));
}

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

/* Listen on addresses, NULL: those of the flags. */
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
        rc = fill_client(rt, vrpc_ev_node_manager(n), &client);
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

/* ---- loop, timers ------------------------------------------------------- */

void vrpc_runtime_run(struct vrpc_runtime *rt)
{
    event_base_dispatch(rt->base);
}

void vrpc_runtime_stop(struct vrpc_runtime *rt)
{
    event_base_loopbreak(rt->base);
}

static void timer_free(struct timer *t)
{
    *t->pprev = t->next;
    if (t->next != NULL)
        t->next->pprev = t->pprev;
    event_free(t->event);
    v23_put(NULL, t);
}

static int64_t monotonic_ns(const struct vrpc_runtime *rt)
{
    struct v23_now now;

    vrpc_ev_now(rt->ev, &now);
    return now.mono_ns;
}

static int timer_arm(struct timer *t, int64_t ns)
{
    struct timeval tv;

    ns += 999; /* rounded up */
    tv.tv_sec = (time_t)(ns / V23_NS_PER_SEC);
    tv.tv_usec = (suseconds_t)(ns % V23_NS_PER_SEC / 1000);
    return event_add(t->event, &tv) == 0 ? 0 : V23_ENOMEM;
}

static void timer_fired(evutil_socket_t fd, short what, void *ud)
{
    struct timer *t = ud;
    void (*fn)(void *ud) = t->fn;
    void *fn_ud = t->ud;
    int64_t left = t->at - monotonic_ns(t->rt);

    (void)fd;
    (void)what;
    /* libevent's clock is coarse, by milliseconds: whatever wakes the loop
     * shortly before may find the time over. */
    if (left > 0 && timer_arm(t, left) == 0)
        return;
    timer_free(t);
    fn(fn_ud);
}

int vrpc_runtime_after(struct vrpc_runtime *rt, int64_t delay_ns,
    void (*fn)(void *ud), void *ud)
{
    struct timer *t = v23_new(NULL, struct timer);

    if (t == NULL)
        return V23_ENOMEM;
    t->event = evtimer_new(rt->base, timer_fired, t);
    if (t->event == NULL) {
        v23_put(NULL, t);
        return V23_ENOMEM;
    }
    t->fn = fn;
    t->ud = ud;
    t->rt = rt;
    t->at = monotonic_ns(rt) + delay_ns;
    t->next = rt->p->timers;
    t->pprev = &rt->p->timers;
    if (t->next != NULL)
        t->next->pprev = &t->next;
    rt->p->timers = t;
    if (timer_arm(t, delay_ns) == 0)
        return 0;
    timer_free(t);
    return V23_ENOMEM;
}

void vrpc_runtime_cancel(struct vrpc_runtime *rt, void (*fn)(void *ud),
    void *ud)
{
    struct timer *t, *next;

    for (t = rt->p->timers; t != NULL; t = next) {
        next = t->next;
        if (t->fn == fn && t->ud == ud)
            timer_free(t);
    }
}

void vrpc_runtime_cancel_timers(struct vrpc_runtime *rt)
{
    while (rt->p->timers != NULL)
        timer_free(rt->p->timers);
}
