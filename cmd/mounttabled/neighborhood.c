/* BSD-3-Clause; see LICENSE. */
/* The neighborhood of a mount table: a second server, and what speaks mDNS. */
#include "neighborhood.h"

#include <v23/time.h>
#include <vname/neighborhood.h>

#include "engine.h"

#define LOOK_EVERY (5 * V23_NS_PER_SEC) /* whether addresses have changed */

struct neighborhood {
    struct vname_program *p;
    struct vname_serving *table;
    struct vname_neighborhood *known;
    struct vname_neighborhood_service service;
    struct vrpc_server_config cfg;
    struct vrpc_listen_addr addr;
    struct vname_serving *serving;
    struct engine *engine;
    struct v23_buf name, address; /* published; listened on */
};

static void neighborhood_free(struct neighborhood *n)
{
    vname_neighborhood_free(n->known);
    v23_buf_fini(&n->name);
    v23_buf_fini(&n->address);
    v23_put(NULL, n);
}

static bool is_loopback(struct vdl_str host)
{
    return vdl_str_is(host, "localhost") || vdl_str_is(host, "::1")
        || (host.n >= 4 && memcmp(host.p, "127.", 4) == 0);
}

/* Listen where the table does, on a port of its own. */
static bool choose_address(struct neighborhood *n)
{
    const struct vrpc_flags *f = &n->p->flags;
    struct vdl_str host = vdl_str(""), port;

    if (f->naddrs != 0) {
        n->addr.protocol = f->addrs[0].protocol;
        if (vrpc_split_host_port(f->addrs[0].address, &host, &port) != 0)
            host = f->addrs[0].address; /* without a port */
    }
    if (host.n != 0 && memchr(host.p, ':', host.n) != NULL)
        v23_buf_printf(&n->address, "[%.*s]:0", (int)host.n, host.p);
    else
        v23_buf_printf(&n->address, "%.*s:0", (int)host.n,
            host.n == 0 ? "" : host.p);
    n->addr.address = vdl_str(v23_buf_cstr(&n->address));
    return is_loopback(host);
}

/* What the table announces; the caller frees txt. */
static int announcement(struct neighborhood *n, struct v23_buf *txt,
    uint16_t *port, const char **why)
{
    const struct vrpc_endpoint *eps;
    struct vname_announcement an;
    struct v23_arena a;
    size_t neps;
    int rc;

    v23_buf_init(txt, NULL, VNAME_TXT_MAX);
    v23_arena_init(&a, NULL, SIZE_MAX);
    rc = vname_serving_endpoints(n->table, &eps, &neps);
    if (rc == 0)
        rc = vname_neighborhood_announce(eps, neps, &a, &an, why);
    if (rc == 0)
        rc = vname_txt_pack(an.txt, txt);
    if (rc == 0)
        *port = an.port;
    v23_arena_fini(&a);
    return rc;
}

/* The table's addresses are those of the machine, which may change. */
static void look_again(void *ud)
{
    struct neighborhood *n = ud;
    struct v23_buf txt;
    uint16_t port;

    if (announcement(n, &txt, &port, NULL) == 0)
        engine_update(n->engine, v23_bytes(txt.p, txt.n), port);
    v23_buf_fini(&txt);
    (void)!vrpc_runtime_after(&n->p->rt, LOOK_EVERY, look_again, n);
}

static int start_engine(struct neighborhood *n, const char *host,
    struct v23_buf *why)
{
    struct engine_config cfg = { 0 };
    const char *reason = "out of memory";
    struct v23_buf txt;
    int rc = announcement(n, &txt, &cfg.port, &reason);

    if (rc != 0) {
        v23_buf_puts(why, reason);
    } else {
        cfg.rt = &n->p->rt;
        cfg.nh = n->known;
        cfg.host = vdl_str(host);
        cfg.txt = v23_bytes(txt.p, txt.n);
        cfg.loopback = choose_address(n);
        rc = engine_start(&cfg, &n->engine, why);
    }
    v23_buf_fini(&txt);
    if (rc == 0)
        rc = vrpc_runtime_after(&n->p->rt, LOOK_EVERY, look_again, n);
    return rc;
}

static void stop_engine(struct neighborhood *n)
{
    vrpc_runtime_cancel(&n->p->rt, look_again, n);
    if (n->engine != NULL)
        engine_stop(n->engine);
}

static int serve(struct neighborhood *n, const struct vrpc_endpoint *table)
{
    struct vname_serve_config cfg = { 0 };

    vrpc_endpoint_name(table, &n->name);
    v23_buf_puts(&n->name, "/nh");
    if (n->name.err != 0 || n->address.err != 0)
        return V23_ENOMEM;
    vname_neighborhood_service_init(&n->service, n->known);
    n->cfg.dispatcher = &n->service.dispatcher;
    n->cfg.mount_table = true;
    cfg.server = &n->cfg;
    cfg.addrs = &n->addr;
    cfg.naddrs = 1;
    cfg.name = vdl_strn((const char *)n->name.p, n->name.n);
    return vname_serve(n->p, &cfg, &n->serving);
}

static int start(struct neighborhood *n, struct vname_serving *table,
    const char *host, struct v23_buf *why)
{
    struct vname_neighborhood_config cfg = { NULL, &n->p->rt.log };
    const struct vrpc_endpoint *eps;
    size_t neps;
    int rc = vname_neighborhood_new(&cfg, &n->known);

    n->table = table;
    if (rc == 0)
        rc = start_engine(n, host, why);
    if (rc == 0)
        rc = vname_serving_endpoints(table, &eps, &neps);
    if (rc == 0) {
        rc = serve(n, &eps[0]);
        if (rc != 0)
            v23_buf_puts(why, n->p->rt.why);
    }
    if (rc != 0)
        stop_engine(n);
    return rc;
}

int neighborhood_start(struct vname_program *p, struct vname_serving *table,
    const char *host, struct neighborhood **out)
{
    struct neighborhood *n = v23_new(NULL, struct neighborhood);
    char mem[512];
    struct v23_buf why;
    int rc = V23_ENOMEM;

    v23_buf_init_fixed(&why, mem, sizeof(mem) - 1);
    if (strchr(host, '/') != NULL) {
        v23_buf_printf(&why, "hostname may not contain '/': %s", host);
        rc = V23_EARG;
        v23_put(NULL, n);
    } else if (n != NULL) {
        n->p = p;
        v23_buf_init(&n->name, NULL, 1u << 16);
        v23_buf_init(&n->address, NULL, 1u << 16);
        rc = start(n, table, host, &why);
        if (rc != 0)
            neighborhood_free(n);
    }
    if (rc != 0)
        return v23_error("mounttablelib.StartServers failed: %s",
            why.n != 0 ? v23_buf_cstr(&why) : v23_strerror(rc));
    *out = n;
    return 0;
}

static void finish(struct neighborhood *n)
{
    stop_engine(n);
    neighborhood_free(n);
}

void neighborhood_run(struct neighborhood *n)
{
    vname_serving_run(n->serving);
    finish(n);
}

void neighborhood_stop(struct neighborhood *n)
{
    vname_serving_stop(n->serving);
    finish(n);
}
