/* BSD-3-Clause; see LICENSE. */
/* xproxyd: a proxy of servers that nobody can dial (spec/services.md 8.2). */
#include <stdio.h>
#include <string.h>

#include <vname/program.h>
#include <vrpc/debug.h>
#include <vrpc/ev.h>
#include <vsec/acl.h>
#include <vsec/principal.h>

#include "counters.h"
#include "healthz.h"

#define WATCH_PERIOD (100 * V23_NS_PER_MS)
#define IDLE_PERIOD V23_NS_PER_SEC
/* Five counters of 2.6 KiB each, in the 8 MiB of a tree of statistics. */
#define MAX_COUNTS 512

static const char *name = "", *acl_json = "", *stats_json = "",
                  *healthz_address = "";

static const struct v23_flag flags[] = {
    { "name", "Name to mount the proxy as.", "", V23_FLAG_STRING, &name,
        NULL },
    { "access-list",
        "Who may listen through the proxy, as JSON of an access list "
        "({\"In\":[...],\"NotIn\":[...]}); empty: default authorization.",
        "", V23_FLAG_STRING, &acl_json, NULL },
    { "stats-access-list",
        "Who may read the statistics, as JSON of an access list; empty: "
        "default authorization.",
        "", V23_FLAG_STRING, &stats_json, NULL },
    { "healthz-address",
        "Address (host:port) of a web server that answers \"ok\".", "",
        V23_FLAG_STRING, &healthz_address, NULL },
};

struct list {
    v23_access_access_list acl;
    struct vsec_authorizer auth;
    const struct vsec_authorizer *use; /* NULL: default authorizer */
};

struct daemon {
    struct vname_program *p;
    struct v23_arena arena;
    struct list listen, stats_list;
    struct vrpc_debug *debug;
    struct vname_serving *proxy, *stats;
    struct counters counters;
    struct healthz *healthz;
    struct vrpc_dispatcher dispatcher; /* of the statistics */
    struct vrpc_listen_addr *stats_addrs;
};

/* ---- access lists -------------------------------------------------------- */

/* Our own names may always: the proxy's other programs. */
static int add_own(struct daemon *d, v23_access_access_list *l)
{
    struct vsec_principal *p = d->p->rt.principal;
    struct v23_now now;
    vdl_str_list own = { NULL, 0 };
    struct vdl_str *v;
    int rc;

    vrpc_ev_now(d->p->rt.ev, &now);
    rc = vsec_principal_names(p, vsec_store_default(p->store), now.wall,
        &d->arena, &own);
    if (rc != 0)
        return rc;
    v = v23_arena_get0(&d->arena, (size_t)l->in.n + own.n, sizeof(*v),
        V23_ALIGNOF(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    if (l->in.n > 0)
        memcpy(v, l->in.v, l->in.n * sizeof(*v));
    if (own.n > 0)
        memcpy(v + l->in.n, own.v, own.n * sizeof(*v));
    l->in.v = v;
    l->in.n += own.n;
    return 0;
}

static int read_list(struct daemon *d, const char *flag, const char *json,
    struct list *out)
{
    int rc;

    if (json[0] == 0)
        return 0;
    rc = vsec_acl_from_json(v23_bytes(json, strlen(json)), &d->arena,
        &out->acl);
    if (rc == 0)
        rc = add_own(d, &out->acl);
    if (rc != 0)
        return v23_error("failed to parse --%s: %s", flag, v23_strerror(rc));
    out->auth = vsec_auth_acl(&out->acl);
    out->use = &out->auth;
    return 0;
}

/* ---- statistics ---------------------------------------------------------- */

static void now(void *ud, struct v23_now *out)
{
    vrpc_ev_now(((struct vname_program *)ud)->rt.ev, out);
}

/* Fast while somebody may be watching or something happens. */
static void update(void *ud)
{
    struct daemon *d = ud;
    bool busy = counters_update(&d->counters) ||
                vrpc_server_ncalls(vname_serving_server(d->stats)) > 0;

    (void)!vrpc_runtime_after(&d->p->rt, busy ? WATCH_PERIOD : IDLE_PERIOD,
        update, d);
}

/* Beside the proxy: on its addresses, but other ports. */
static int other_ports(struct daemon *d)
{
    const struct vrpc_flags *f = &d->p->flags;
    struct vdl_str host, port;
    struct v23_buf text;
    size_t i;

    d->stats_addrs = v23_arena_get0(&d->arena, f->naddrs + 1,
        sizeof(*d->stats_addrs), V23_ALIGNOF(struct vrpc_listen_addr));
    if (d->stats_addrs == NULL)
        return V23_ENOMEM;
    for (i = 0; i < f->naddrs; i++) {
        d->stats_addrs[i] = f->addrs[i];
        if (vrpc_split_host_port(f->addrs[i].address, &host, &port) != 0)
            continue;
        v23_buf_init(&text, NULL, 65536);
        v23_buf_printf(&text, host.n > 0 && memchr(host.p, ':', host.n) != NULL
                ? "[%.*s]:0" : "%.*s:0",
            (int)host.n, host.n == 0 ? "" : host.p);
        d->stats_addrs[i].address.n = (uint32_t)text.n;
        d->stats_addrs[i].address.p = v23_arena_dup(&d->arena, text.p,
            text.n);
        v23_buf_fini(&text);
        if (d->stats_addrs[i].address.p == NULL)
            return V23_ENOMEM;
    }
    return 0;
}

/* The tree is the run time's, which is there as soon as a server is. */
static int stats_lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    const struct vrpc_dispatcher *s =
        vrpc_debug_stats_dispatcher(((struct daemon *)ud)->debug);

    return s->lookup(s->ud, op, suffix, a, obj, auth, err);
}

static int serve_stats(struct daemon *d)
{
    struct vname_serve_config cfg = { 0 };
    struct vrpc_debug_config debug = { 0 };
    struct vrpc_server_config server = { 0 };
    char *text;
    int rc;

    if (name[0] != 0) {
        text = v23_arena_get0(&d->arena, 1, strlen(name) + 5, 1);
        if (text == NULL)
            return V23_ENOMEM;
        sprintf(text, "%s-mon", name);
        cfg.name = vdl_str(text);
    }
    d->dispatcher.lookup = stats_lookup;
    d->dispatcher.ud = d;
    server.dispatcher = &d->dispatcher;
    cfg.server = &server;
    if (d->p->flags.addrs_flag) {
        rc = other_ports(d);
        if (rc != 0)
            return rc;
        cfg.addrs = d->stats_addrs;
        cfg.naddrs = d->p->flags.naddrs;
    }
    rc = vname_serve(d->p, &cfg, &d->stats);
    if (rc != 0)
        return rc;
    debug.stats = d->p->rt.stats;
    debug.authorizer = d->stats_list.use;
    debug.watch_period_ns = WATCH_PERIOD;
    d->counters.tree = d->p->rt.stats;
    d->counters.log = &d->p->rt.log;
    d->counters.now = now;
    d->counters.now_ud = d->p;
    return vrpc_debug_new(&debug, &d->debug);
}

static int serve_proxy(struct daemon *d)
{
    struct vrpc_proxy_config proxy = { 0 };
    struct vname_serve_config cfg = { 0 };

    proxy.authorizer = d->listen.use;
    proxy.max_counts = MAX_COUNTS;
    proxy.counted = counters_counted;
    proxy.ud = &d->counters;
    cfg.proxy = &proxy;
    cfg.name = vdl_str(name);
    return vname_serve(d->p, &cfg, &d->proxy);
}

/* ---- life ---------------------------------------------------------------- */

static void print(struct daemon *d)
{
    const struct vrpc_endpoint *eps;
    struct v23_buf out;
    size_t n, i;

    v23_buf_init(&out, NULL, 1u << 20);
    if (vname_serving_endpoints(d->proxy, &eps, &n) == 0 && n > 0) {
        v23_buf_puts(&out, name[0] != 0 ? "NAME=/" : "Proxy listening on ");
        vrpc_endpoint_format(&eps[0], &out);
        v23_buf_puts(&out, "\n");
    }
    if (vname_serving_endpoints(d->stats, &eps, &n) != 0)
        n = 0;
    if (name[0] != 0 && n == 1) {
        v23_buf_puts(&out, "STATS=/");
        vrpc_endpoint_format(&eps[0], &out);
        v23_buf_puts(&out, "\n");
    }
    v23_buf_puts(&out, "Proxy stats listening on: [");
    for (i = 0; i < n; i++) {
        v23_buf_puts(&out, i == 0 ? "" : " ");
        vrpc_endpoint_format(&eps[i], &out);
    }
    printf("%s]\n", v23_buf_cstr(&out));
    fflush(stdout);
    v23_buf_fini(&out);
}

static int start(struct daemon *d)
{
    int rc = read_list(d, "access-list", acl_json, &d->listen);

    if (rc == 0)
        rc = read_list(d, "stats-access-list", stats_json, &d->stats_list);
    if (rc != 0)
        return rc;
    rc = serve_stats(d);
    if (rc == 0)
        rc = serve_proxy(d);
    if (rc != 0)
        return v23_error("cannot serve: %s",
            d->p->rt.why[0] != 0 ? d->p->rt.why : v23_strerror(rc));
    if (healthz_address[0] != 0)
        rc = healthz_start(d->p->rt.base, &d->p->rt.log, healthz_address,
            &d->healthz);
    if (rc != 0)
        return v23_error("cannot answer at --healthz-address=%s: %s",
            healthz_address, v23_strerror(rc));
    return 0;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct daemon d = { 0 };
    int rc;

    (void)inv;
    (void)argc;
    (void)argv;
    d.p = ud;
    v23_arena_init(&d.arena, NULL, SIZE_MAX);
    rc = start(&d);
    if (rc == 0)
        rc = vname_program_catch(d.p);
    if (rc == 0) {
        update(&d);
        print(&d);
        vname_serving_run(d.proxy);
        vrpc_runtime_cancel(&d.p->rt, update, &d);
    } else if (d.proxy != NULL) {
        vname_serving_stop(d.proxy);
    }
    if (d.stats != NULL)
        vname_serving_stop(d.stats);
    healthz_stop(d.healthz);
    vrpc_debug_free(d.debug);
    v23_arena_fini(&d.arena);
    return rc;
}

static const struct v23_command command = {
    .name = "xproxyd",
    .brief = "proxies servers to the outside world",
    .about = "Command xproxyd passes connections on to servers that nobody "
             "can dial, typically behind NATs, and that keep a connection to "
             "it for that (their flag --v23.proxy). It prints NAME=<object "
             "name>, without -name \"Proxy listening on <endpoint>\", and "
             "where its statistics are served.\n\n"
             "With --v23.proxy, the proxy and its servers are also reached "
             "through that one.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command,
        VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN | VRPC_FLAGS_PERMISSIONS
            | VRPC_FLAGS_LOGGING,
        argc, argv);
}
