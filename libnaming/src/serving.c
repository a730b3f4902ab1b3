/* BSD-3-Clause; see LICENSE. */
/*
 * A server or a proxy of a program, under the names that it was given: what it
 * publishes follows its endpoints, and its end begins with taking the names
 * back. Timers go through the run time, so that nothing here touches the event
 * library.
 */
#include <stdio.h>

#include <v23/time.h>
#include <vom/time.h>
#include <vname/program.h>
#include <vrpc/endpoint.h>

#define PROXY_PATIENCE (10 * V23_NS_PER_SEC)

struct vname_serving {
    struct vname_program *p;
    const struct vname_identity *as; /* or NULL */
    void (*ended)(void *ud);
    void *ended_ud;
    void (*mounted)(void *ud, struct vdl_str name,
        const struct v23_verror *err);
    void *mounted_ud;
    struct vrpc_ev_node *node;
    struct vrpc_server *server; /* one of these */
    struct vrpc_proxy *proxy;
    struct vname_publisher *publisher;
    int64_t alarm_ns; /* when the pending timer fires; V23_NEVER = none */
    bool leaf, mount_table, stopping;
    bool waiting; /* for the first proxy */
};

/* ---- publishing ---------------------------------------------------------- */

static void arm(void *ud);

static void alarm_fired(void *ud)
{
    struct vname_serving *s = ud;
    struct v23_now now;

    s->alarm_ns = V23_NEVER;
    vrpc_ev_now(s->p->rt.ev, &now);
    vname_publisher_tick(s->publisher, now.mono_ns);
    arm(s);
}

/* See that a timer fires at the publisher's next deadline. */
static void arm(void *ud)
{
    struct vname_serving *s = ud;
    int64_t next = vname_publisher_next_deadline(s->publisher), delay;
    struct v23_now now;

    if (next == V23_NEVER || next >= s->alarm_ns || s->stopping)
        return;
    vrpc_ev_now(s->p->rt.ev, &now);
    delay = next <= now.mono_ns ? 0 : next - now.mono_ns;
    vrpc_runtime_cancel(&s->p->rt, alarm_fired, s);
    s->alarm_ns = V23_NEVER;
    if (vrpc_runtime_after(&s->p->rt, delay, alarm_fired, s) == 0)
        s->alarm_ns = now.mono_ns + delay;
}

static void on_mounted(void *ud, struct vdl_str name,
    const struct v23_verror *err)
{
    const struct vname_serving *s = ud;

    if (s->mounted != NULL)
        s->mounted(s->mounted_ud, name, err);
}

/* Where other proxies make a proxy known, the proxy itself is not reached. */
static bool is_published(const struct vname_serving *s,
    const struct vrpc_endpoint *ep)
{
    return !vdl_str_is(ep->protocol, "bidi") &&
           (s->proxy == NULL || ep->routes.n == 0);
}

/* A proxy tells everybody else, who listens through it. */
static int tell_proxy(struct vname_serving *s,
    const struct vrpc_endpoint *eps, size_t n)
{
    if (s->proxy == NULL)
        return 0;
    if (n == 1 && vdl_str_is(eps[0].protocol, "bidi"))
        n = 0; /* it listens nowhere */
    return vrpc_proxy_set_endpoints(s->proxy, eps, n);
}

/* The endpoints changed: the publisher gets the present ones. */
static void publish_endpoints(void *ud)
{
    struct vname_serving *s = ud;
    const struct vrpc_endpoint *eps;
    struct vdl_str *texts;
    struct v23_arena a;
    size_t n, i, k = 0;
    int rc;

    if (s->stopping || vrpc_ev_endpoints(s->node, &eps, &n) != 0)
        return;
    rc = tell_proxy(s, eps, n);
    v23_arena_init(&a, NULL, SIZE_MAX);
    texts = v23_arena_get0(&a, n, sizeof(*texts), _Alignof(struct vdl_str));
    for (i = 0; texts != NULL && i < n && rc == 0; i++)
        if (is_published(s, &eps[i]))
            rc = vrpc_endpoint_text(&a, &eps[i], &texts[k++]);
    if (k > 0 && s->waiting)
        vname_program_done(s->p);
    if (texts == NULL || rc != 0
        || vname_publisher_set_servers(s->publisher, texts, k) != 0)
        v23_logf(&s->p->rt.log, V23_LOG_ERROR,
            "cannot publish all endpoints: out of memory");
    v23_arena_fini(&a);
}

static void out_of_patience(void *ud)
{
    vname_program_done(ud);
}

/* Nobody can reach a server that only proxies know before one of them does. */
static void await_proxy(struct vname_serving *s)
{
    const struct vrpc_endpoint *eps;
    struct vname_program *p = s->p;
    size_t n;

    if (p->flags.proxy.n == 0 || vrpc_ev_endpoints(s->node, &eps, &n) != 0
        || !vdl_str_is(eps[0].protocol, "bidi")
        || vrpc_runtime_after(&p->rt, PROXY_PATIENCE, out_of_patience, p) != 0)
        return;
    s->waiting = true;
    p->done = false;
    vname_program_wait(p);
    s->waiting = false;
    vrpc_runtime_cancel(&p->rt, out_of_patience, p);
}

/* ---- what is published, among the statistics ----------------------------- */

struct listing {
    struct v23_buf text;
    struct v23_now now;
};

static void put_time(struct listing *l, const char *what, int64_t at_ns)
{
    v23_buf_puts(&l->text, what);
    v23_walltime_put(&l->text,
        v23_walltime_add(l->now.wall, at_ns - l->now.mono_ns));
}

static void put_entry(void *ud, const struct vname_publish_entry *e)
{
    struct listing *l = ud;

    v23_buf_printf(&l->text, "%s%.*s at %.*s:", l->text.n > 0 ? "\n" : "",
        (int)e->server.n, e->server.p, (int)e->name.n, e->name.p);
    if (e->last_mount_ns != INT64_MIN) {
        put_time(l, " Mounted @ ", e->last_mount_ns);
        v23_buf_puts(&l->text, " TTL ");
        v23_duration_put(&l->text, e->ttl_ns);
        v23_buf_printf(&l->text, " %.*s", (int)e->mount_error.n,
            e->mount_error.p);
    }
    if (e->last_unmount_ns != INT64_MIN) {
        put_time(l, " Unmounted @ ", e->last_unmount_ns);
        v23_buf_printf(&l->text, " %.*s", (int)e->unmount_error.n,
            e->unmount_error.p);
    }
}

static int published(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    const struct vname_serving *s = ud;
    struct vdl_str *text = v23_arena_new(a, struct vdl_str);
    struct listing l;
    int rc;

    v23_buf_init(&l.text, NULL, 1u << 20);
    l.now = *now;
    vname_publisher_status(s->publisher, now->mono_ns, put_entry, &l);
    rc = l.text.err;
    if (rc == 0 && text != NULL) {
        text->p = v23_arena_dup(a, l.text.n == 0 ? "" : (char *)l.text.p,
            l.text.n);
        text->n = (uint32_t)l.text.n;
        out->type = &vdl_string_desc;
        out->val = text;
    }
    v23_buf_fini(&l.text);
    return rc != 0 ? rc : text == NULL || text->p == NULL ? V23_ENOMEM : 0;
}

/* It goes with the server, which is freed after the publisher: then nobody
 * asks any more. */
static void show_published(struct vname_serving *s)
{
    char name[128];
    struct v23_buf b;

    if (s->p->rt.stats == NULL)
        return;
    v23_buf_init_fixed(&b, name, sizeof(name));
    v23_buf_puts(&b, "rpc/server/routing-id/");
    vrpc_routing_id_format(vrpc_manager_rid(vrpc_ev_node_manager(s->node)),
        &b);
    v23_buf_puts(&b, "/status/publisher");
    (void)!vrpc_stats_func(s->p->rt.stats, vdl_strn(name, b.n), published, s);
}

/* ---- life ---------------------------------------------------------------- */

void vname_serving_free(struct vname_serving *s)
{
    if (s == NULL)
        return;
    s->ended = NULL;
    vrpc_runtime_cancel(&s->p->rt, alarm_fired, s);
    vname_publisher_free(s->publisher);
    vrpc_ev_node_free(s->node);
    v23_put(NULL, s);
}

static int serve_node(struct vname_serving *s,
    const struct vname_serve_config *cfg)
{
    struct vrpc_runtime *rt = &s->p->rt;
    struct vrpc_server_config server;
    int rc;

    if (cfg->server == NULL) {
        s->leaf = true;
        return vrpc_runtime_proxy(rt, cfg->proxy, cfg->addrs, cfg->naddrs,
            &s->node, &s->proxy);
    }
    server = *cfg->server;
    server.name = cfg->name;
    if (s->as != NULL)
        rc = vrpc_runtime_serve_as(rt,
            vrpc_manager_principal(vrpc_ev_node_manager(s->as->node)),
            s->as->client, &server, &s->node);
    else
        rc = vrpc_runtime_serve(rt, &server, cfg->addrs, cfg->naddrs,
            &s->node, NULL, NULL);
    if (rc != 0)
        return rc;
    s->server = vrpc_manager_server(vrpc_ev_node_manager(s->node));
    s->leaf = vrpc_server_is_leaf(s->server);
    s->mount_table = vrpc_server_is_mount_table(s->server);
    return 0;
}

int vname_serve(struct vname_program *p, const struct vname_serve_config *cfg,
    struct vname_serving **out)
{
    struct vname_publisher_config pub = { 0 };
    struct vname_serving *s = v23_new(NULL, struct vname_serving);
    int rc = V23_ENOMEM;

    if (s == NULL)
        return rc;
    s->p = p;
    s->as = cfg->as;
    s->mounted = cfg->mounted;
    s->mounted_ud = cfg->ud;
    s->alarm_ns = V23_NEVER;
    rc = serve_node(s, cfg);
    if (rc != 0) {
        v23_put(NULL, s);
        return rc;
    }
    /* Our namespace resolves the names of dischargers, too. */
    vrpc_manager_fetch_by(vrpc_ev_node_manager(s->node),
        s->as != NULL ? s->as->client : p->rt.client);
    pub.log = &p->rt.log;
    pub.ns = s->as != NULL ? s->as->ns : p->ns;
    pub.timer = arm;
    pub.mounted = on_mounted;
    pub.ud = s;
    rc = vname_publisher_new(&pub, &s->publisher);
    if (rc == 0 && cfg->name.n != 0)
        rc = vname_publisher_add_name(s->publisher, cfg->name,
            s->mount_table, s->leaf);
    if (rc != 0) {
        vname_serving_free(s);
        return rc;
    }
    if (s->as == NULL)
        show_published(s);
    publish_endpoints(s);
    vrpc_ev_on_endpoints(s->node, publish_endpoints, s);
    if (!cfg->no_wait)
        await_proxy(s);
    *out = s;
    return 0;
}

/* ---- enquiries and names ------------------------------------------------- */

int vname_serving_endpoints(struct vname_serving *s,
    const struct vrpc_endpoint **eps, size_t *neps)
{
    return vrpc_ev_endpoints(s->node, eps, neps);
}

struct vrpc_server *vname_serving_server(const struct vname_serving *s)
{
    return s->server;
}

struct vrpc_proxy *vname_serving_proxy(const struct vname_serving *s)
{
    return s->proxy;
}

struct vrpc_ev_node *vname_serving_node(const struct vname_serving *s)
{
    return s->node;
}

int vname_serving_add_name(struct vname_serving *s, struct vdl_str name)
{
    return vname_publisher_add_name(s->publisher, name, s->mount_table,
        s->leaf);
}

void vname_serving_remove_name(struct vname_serving *s, struct vdl_str name)
{
    vname_publisher_remove_name(s->publisher, name);
}

void vname_serving_status(const struct vname_serving *s,
    void (*fn)(void *ud, const struct vname_publish_entry *e), void *ud)
{
    struct v23_now now;

    vrpc_ev_now(s->p->rt.ev, &now);
    vname_publisher_status(s->publisher, now.mono_ns, fn, ud);
}

/* ---- the end ------------------------------------------------------------- */

static void on_done(void *ud)
{
    vname_program_done(ud);
}

static void on_ended(void *ud)
{
    struct vname_serving *s = ud;

    if (s->ended != NULL)
        s->ended(s->ended_ud);
}

static void on_unmounted(void *ud)
{
    struct vname_serving *s = ud;

    vrpc_ev_server_stop(s->node, s->p->flags.lame_duck_ns, on_ended, s);
}

void vname_serving_end(struct vname_serving *s, void (*done)(void *ud),
    void *ud)
{
    s->stopping = true;
    s->ended = done;
    s->ended_ud = ud;
    vname_publisher_stop(s->publisher, on_unmounted, s);
}

void vname_serving_stop(struct vname_serving *s)
{
    struct vname_program *p = s->p;

    p->done = false;
    vname_serving_end(s, on_done, p);
    vname_program_wait(p);
    vname_serving_free(s);
}

void vname_serving_run(struct vname_serving *s)
{
    struct vname_program *p = s->p;

    if (vname_program_catch(p) == 0)
        vname_program_wait(p);
    vname_serving_stop(s);
}

int vname_serving_print(struct vname_serving *s, const char *key)
{
    const struct vrpc_endpoint *eps;
    struct v23_buf text;
    size_t n;

    if (vname_serving_endpoints(s, &eps, &n) != 0 || n == 0)
        return v23_error("there is no endpoint");
    if (vname_program_catch(s->p) != 0)
        return 1;
    v23_buf_init(&text, NULL, 1u << 16);
    vrpc_endpoint_name(&eps[0], &text);
    printf("%s=%s\n", key, v23_buf_cstr(&text));
    fflush(stdout);
    v23_buf_fini(&text);
    return 0;
}

int vname_serving_print_and_run(struct vname_serving *s)
{
    int rc = vname_serving_print(s, "NAME");

    if (rc == 0)
        vname_serving_run(s);
    else
        vname_serving_stop(s);
    return rc;
}
