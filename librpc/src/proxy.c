/* BSD-3-Clause; see LICENSE. */
/*
 * Proxies: flows that peers open, what they ask for, and who listens. A flow
 * is in one of three lists: pending (asks, or was refused), listeners, routes.
 * Those that are pending wait for the same time, so their list is in the order
 * of its end and one timer serves all.
 */
#include "proxy_int.h"

#include <string.h>
#include <v23/vdl/v.io/x/ref/services/xproxy/xproxy/xproxy.vdl.h>
#include <vom/enc.h>
#include <vsec/principal.h>

#include "message_int.h"

#define PATIENCE (60 * V23_NS_PER_SEC)
#define CHECK_BUDGET (4u << 20)
#define MAX_ROUTES 16u
#define MAX_TEXT 1024 /* of an error that is sent */
#define VERSION_ERRORS 13 /* the first that knows ProxyErrorResponse */

/* ---- lists --------------------------------------------------------------- */

static void list_init(struct vrpc_plist_ *l)
{
    l->first = NULL;
    l->tail = &l->first;
    l->n = 0;
}

static void list_remove(struct vrpc_pflow_ *f)
{
    if (f->list == NULL)
        return;
    *f->link = f->next;
    if (f->next != NULL)
        f->next->link = f->link;
    else
        f->list->tail = f->link;
    f->list->n--;
    f->list = NULL;
}

static void list_append(struct vrpc_plist_ *l, struct vrpc_pflow_ *f)
{
    list_remove(f);
    f->next = NULL;
    f->link = l->tail;
    *l->tail = f;
    l->tail = &f->next;
    l->n++;
    f->list = l;
}

/* ---- checks -------------------------------------------------------------- */

struct vrpc_pcheck_ {
    struct vrpc_check_ c;
    struct v23_arena arena;
    struct vrpc_pflow_ *f;
    void (*done)(struct vrpc_pflow_ *f, int rc, const char *why);
};

static void check_free(struct vrpc_pflow_ *f)
{
    struct vrpc_pcheck_ *k = f->check;

    if (k == NULL)
        return;
    f->check = NULL;
    vrpc_check_fini_(&k->c);
    v23_arena_fini(&k->arena);
    v23_put(f->p->m->al, k);
}

static const char *reason(struct vrpc_pcheck_ *k, int rc,
    const struct v23_verror *err)
{
    const char *text = NULL;

    if (rc == V23_EDENIED && err != NULL)
        text = v23_arena_dup(&k->arena, err->msg.p, err->msg.n);
    return text == NULL ? v23_strerror(rc) : text;
}

static void check_done(void *ud, int rc, const struct v23_verror *err)
{
    struct vrpc_pcheck_ *k = ud;

    k->done(k->f, rc, reason(k, rc, err));
}

static void fill_call(struct vsec_call *c, struct vrpc_session_ *s,
    const struct vrpc_flow *flow)
{
    const struct vsec_blessings *local, *remote;

    if (flow != NULL) {
        local = vrpc_flow_local_blessings(flow);
        remote = vrpc_flow_remote_blessings(flow);
        c->remote_discharges = vrpc_flow_remote_discharges(flow,
            &c->nremote_discharges);
    } else {
        local = vrpc_conn_local_blessings(s->conn);
        remote = vrpc_conn_remote_blessings(s->conn);
        c->remote_discharges = vrpc_conn_remote_discharges(s->conn,
            &c->nremote_discharges);
    }
    c->timestamp = vrpc_mgr_now_(s->m).wall;
    c->principal = s->m->principal;
    c->chains = s->m->chains;
    /* Checks only read; their struct has no const members. */
    c->local_blessings = (struct vsec_blessings *)(uintptr_t)local;
    c->remote_blessings = (struct vsec_blessings *)(uintptr_t)remote;
    c->local_endpoint = vrpc_session_local_text_(s);
    c->remote_endpoint = vrpc_session_remote_text_(s);
    c->remote_endpoint_names = vrpc_conn_remote_endpoint(s->conn)->blessings;
}

int vrpc_pflow_check_(struct vrpc_pflow_ *f, struct vrpc_session_ *s,
    const struct vrpc_flow *flow,
    void (*done)(struct vrpc_pflow_ *f, int rc, const char *why),
    const char **why)
{
    const struct v23_verror *err = NULL;
    struct vrpc_pcheck_ *k;
    int rc;

    check_free(f);
    k = v23_new(f->p->m->al, struct vrpc_pcheck_);
    if (k == NULL) {
        *why = v23_strerror(V23_ENOMEM);
        return V23_ENOMEM;
    }
    v23_arena_init(&k->arena, f->p->m->al, CHECK_BUDGET);
    k->f = f;
    k->done = done;
    k->c.m = f->p->m;
    k->c.session = s;
    k->c.auth = f->p->cfg.authorizer;
    k->c.arena = &k->arena;
    k->c.done = check_done;
    k->c.ud = k;
    fill_call(&k->c.call, s, flow);
    f->check = k;
    rc = vrpc_check_start_(&k->c, &err);
    if (rc != 0 && rc != V23_EAGAIN)
        *why = reason(k, rc, err);
    return rc;
}

/* ---- flows --------------------------------------------------------------- */

static bool is_pending(enum vrpc_pstate_ state)
{
    return state != VRPC_P_LISTEN_ && state != VRPC_P_ROUTE_;
}

static void listener_left(struct vrpc_pflow_ *f)
{
    f->in.session->listens--;
    f->p->nproxies -= f->of_proxy;
}

void vrpc_pflow_move_(struct vrpc_pflow_ *f, enum vrpc_pstate_ state)
{
    struct vrpc_proxy *p = f->p;
    bool was_pending = is_pending(f->state);

    if (f->state == VRPC_P_LISTEN_)
        listener_left(f);
    if (state != VRPC_P_CHECK_)
        check_free(f);
    f->state = state;
    if (!is_pending(state)) {
        list_append(state == VRPC_P_LISTEN_ ? &p->listeners : &p->routes, f);
    } else if (!was_pending || state == VRPC_P_REFUSED_ || f->list == NULL) {
        f->until = vrpc_mgr_now_(p->m).mono_ns + PATIENCE;
        list_append(&p->pending, f);
        if (p->patience.pos == 0)
            vrpc_mgr_timer_(p->m, &p->patience, f->until);
    }
}

static void end_give_back(struct vrpc_pend_ *e, bool close)
{
    struct vrpc_session_ *s = e->session;

    if (e->flow != NULL && close)
        vrpc_flow_close(e->flow);
    else if (e->flow != NULL)
        vrpc_flow_cancel(e->flow);
    e->flow = NULL;
    e->session = NULL;
    vrpc_session_unpin_(s);
}

void vrpc_pflow_end_(struct vrpc_pflow_ *f, bool close)
{
    struct vrpc_proxy *p = f->p;

    if (f->state == VRPC_P_LISTEN_)
        listener_left(f);
    else if (f->state == VRPC_P_ROUTE_)
        vrpc_route_fini_(f);
    list_remove(f);
    check_free(f);
    f->in.session->nserved--;
    end_give_back(&f->in, close);
    end_give_back(&f->out, close);
    v23_put(p->m->al, f);
    vrpc_host_progress_(&p->host);
}

void vrpc_pflow_failed_(struct vrpc_pflow_ *f, const char *what,
    const char *why)
{
    v23_logf(f->p->m->log, V23_LOG_DEBUG, "proxy: %s: %s", what, why);
    vrpc_pflow_end_(f, false);
}

static void out_of_patience(void *ud)
{
    struct vrpc_proxy *p = ud;
    int64_t now = vrpc_mgr_now_(p->m).mono_ns;

    while (p->pending.first != NULL && p->pending.first->until <= now)
        vrpc_pflow_failed_(p->pending.first, "flow", "timed out");
    if (p->pending.first != NULL)
        vrpc_mgr_timer_(p->m, &p->patience, p->pending.first->until);
}

/* ---- who listens --------------------------------------------------------- */

static void refuse(struct vrpc_pflow_ *f, const char *why)
{
    struct vdl_str who = vrpc_session_remote_text_(f->in.session);
    struct vrpc_flow *flow = f->in.flow;
    uint8_t msg[1 + MAX_TEXT];
    size_t n = strlen(why);
    int rc = 0;

    v23_logf(f->p->m->log, V23_LOG_INFO, "proxy: %.*s may not listen: %s",
        (int)who.n, who.n == 0 ? "" : who.p, why);
    n = n > MAX_TEXT ? MAX_TEXT : n;
    msg[0] = VRPC_MSG_PROXY_ERROR;
    memcpy(msg + 1, why, n);
    if (vrpc_conn_version(vrpc_flow_conn(flow)) >= VERSION_ERRORS)
        rc = vrpc_flow_write_message(flow, msg, n + 1, false);
    if (rc != 0)
        vrpc_pflow_end_(f, false);
    else
        vrpc_pflow_move_(f, VRPC_P_REFUSED_);
}

static void not_listening(struct vrpc_pflow_ *f)
{
    const struct v23_verror *err;
    struct v23_arena a;
    const char *text;

    v23_arena_init(&a, f->p->m->al, 4096);
    err = v23_xproxy_err_not_listening(&a, NULL);
    text = v23_arena_dup(&a, err->msg.p, err->msg.n);
    refuse(f, text == NULL ? v23_strerror(V23_ENOMEM) : text);
    v23_arena_fini(&a);
}

/* An endpoint as the peer of f should make it known. */
static int announce(struct vrpc_pflow_ *f, const struct vrpc_endpoint *ep,
    struct vdl_str own, struct v23_buf *out)
{
    const struct vrpc_conn *c = f->in.session->conn;
    struct vdl_str routes[MAX_ROUTES];
    struct vrpc_endpoint e = *ep;
    struct vdl_str text;
    struct v23_arena a;
    int rc;

    if (!f->of_proxy) {
        e.rid = vrpc_conn_remote_endpoint(c)->rid;
    } else {
        if (e.routes.n >= MAX_ROUTES)
            return V23_ELIMIT;
        if (e.routes.n > 0)
            memcpy(routes, e.routes.v, e.routes.n * sizeof(routes[0]));
        routes[e.routes.n++] = own;
        e.routes.v = routes;
    }
    v23_arena_init(&a, f->p->m->al, 65536);
    rc = vrpc_endpoint_text(&a, &e, &text);
    if (rc == 0 && out->n + text.n + 9 > vrpc_conn_mtu(c))
        rc = V23_ELIMIT;
    if (rc == 0)
        vrpc_put_bytes_(out, v23_bytes(text.p, text.n));
    v23_arena_fini(&a);
    return rc == 0 ? out->err : rc;
}

static int put_endpoints(struct vrpc_pflow_ *f, struct v23_buf *out)
{
    char hex[2 * VRPC_ROUTING_ID_SIZE + 1];
    struct v23_buf id;
    size_t i;
    int rc;

    v23_buf_init_fixed(&id, hex, sizeof(hex));
    vrpc_routing_id_format(
        &vrpc_conn_remote_endpoint(f->in.session->conn)->rid, &id);
    v23_buf_put_byte(out, VRPC_MSG_PROXY_RESPONSE);
    for (i = 0; i < f->p->neps; i++) {
        rc = announce(f, &f->p->eps[i], vdl_strn(hex, (uint32_t)id.n), out);
        if (rc != 0 && rc != V23_ELIMIT)
            return rc;
    }
    return out->err;
}

/* Tell who listens where. f may be gone afterwards. */
static void tell(struct vrpc_pflow_ *f)
{
    struct v23_buf out;
    int rc;

    if (f->p->neps == 0) {
        not_listening(f);
        return;
    }
    v23_buf_init(&out, f->p->m->al, 2 * VRPC_MTU);
    rc = put_endpoints(f, &out);
    if (rc == 0)
        rc = vrpc_flow_write_message(f->in.flow, out.p, out.n, false);
    v23_buf_fini(&out);
    f->owed = rc == V23_EAGAIN;
    if (rc != 0 && rc != V23_EAGAIN)
        vrpc_pflow_failed_(f, "cannot answer", v23_strerror(rc));
}

static void admitted(struct vrpc_pflow_ *f, int rc, const char *why)
{
    struct vrpc_session_ *s = f->in.session;
    struct vrpc_pcount_ *count;

    if (rc != 0) {
        refuse(f, why);
        return;
    }
    vrpc_pflow_move_(f, VRPC_P_LISTEN_);
    s->listens++;
    f->p->nproxies += f->of_proxy;
    count = f->of_proxy ? NULL
                        : vrpc_pcount_get_(f->p,
                              &vrpc_conn_remote_endpoint(s->conn)->rid);
    if (count != NULL)
        count->c.requests++;
    tell(f);
}

static void wants_to_listen(struct vrpc_pflow_ *f, bool of_proxy)
{
    struct vrpc_proxy *p = f->p;
    const struct vrpc_routing_id *rid =
        &vrpc_conn_remote_endpoint(f->in.session->conn)->rid;
    const char *why = NULL;
    int rc;

    f->of_proxy = of_proxy;
    vrpc_pflow_move_(f, VRPC_P_CHECK_);
    if (vrpc_routing_id_is_null(rid) ||
        vrpc_routing_id_eq(rid, &p->m->rid)) {
        refuse(f, "without a routing id of its own");
        return;
    }
    if (p->listeners.n >= p->cfg.max_servers) {
        refuse(f, "too many listen already");
        return;
    }
    rc = vrpc_pflow_check_(f, f->in.session, f->in.flow, admitted, &why);
    if (rc != V23_EAGAIN)
        admitted(f, rc, why);
}

/* ---- what a flow says ---------------------------------------------------- */

/* The first message. f may be gone afterwards. */
static void classify(struct vrpc_pflow_ *f)
{
    struct v23_bytes b;
    struct vrpc_msg m;
    int rc = vrpc_flow_peek(f->in.flow, &b);

    if (rc != 0)
        return; /* closed before it said anything: `closed` follows */
    rc = vrpc_msg_decode(b.p, b.n, &m, NULL);
    if (rc != 0) {
        vrpc_pflow_failed_(f, "bad message", v23_strerror(rc));
    } else if (m.type == VRPC_MSG_SETUP) {
        vrpc_route_start_(f, &m.u.setup);
    } else if (m.type == VRPC_MSG_PROXY_SERVER ||
               m.type == VRPC_MSG_MULTI_PROXY) {
        vrpc_flow_consume(f->in.flow, b.n);
        wants_to_listen(f, m.type == VRPC_MSG_MULTI_PROXY);
    } else {
        vrpc_pflow_failed_(f, "bad message", "of unexpected type");
    }
}

static struct vrpc_pflow_ *flow_of(struct vrpc_user_ *u)
{
    return ((struct vrpc_pend_ *)u)->of;
}

static void readable(struct vrpc_user_ *u)
{
    struct vrpc_pflow_ *f = flow_of(u);
    struct v23_bytes b;

    if (f->state == VRPC_P_FIRST_) {
        classify(f);
        return;
    }
    /* A Setup stays until it is passed on; others have nothing to say. */
    if (f->state == VRPC_P_LISTEN_ || f->state == VRPC_P_REFUSED_)
        while (vrpc_flow_peek(f->in.flow, &b) == 0)
            vrpc_flow_consume(f->in.flow, b.n);
}

static void writable(struct vrpc_user_ *u)
{
    struct vrpc_pflow_ *f = flow_of(u);

    if (f->state == VRPC_P_LISTEN_ && f->owed)
        tell(f);
}

static void closed(struct vrpc_user_ *u, int status)
{
    (void)status;
    vrpc_pflow_end_(flow_of(u), false);
}

static const struct vrpc_user_ops_ flow_ops = { readable, writable, closed };

/* ---- the manager's events ------------------------------------------------ */

static bool has_room(const struct vrpc_proxy *p,
    const struct vrpc_session_ *ss)
{
    return p->host.state == VRPC_SERVER_READY &&
           p->pending.n < p->cfg.max_pending &&
           ss->nserved < p->cfg.max_flows_per_conn;
}

static void host_flow(struct vrpc_host_ *h, struct vrpc_session_ *ss,
    struct vrpc_flow *flow)
{
    struct vrpc_proxy *p = (struct vrpc_proxy *)h;
    struct vrpc_pflow_ *f = NULL;

    if (has_room(p, ss))
        f = v23_new(p->m->al, struct vrpc_pflow_);
    if (f == NULL) {
        vrpc_flow_cancel(flow);
        return;
    }
    f->p = p;
    f->in.of = f->out.of = f;
    f->in.user.ops = f->out.user.ops = &flow_ops;
    f->in.session = vrpc_session_pin_(ss);
    ss->nserved++;
    f->in.flow = flow;
    vrpc_flow_set_ud(flow, &f->in.user);
    vrpc_flow_set_messages(flow);
    vrpc_pflow_move_(f, VRPC_P_FIRST_);
}

static size_t host_busy(const struct vrpc_host_ *h)
{
    return ((const struct vrpc_proxy *)h)->routes.n;
}

/* Who listens should do so elsewhere from now on. */
static void host_stopping(struct vrpc_host_ *h)
{
    struct vrpc_proxy *p = (struct vrpc_proxy *)h;

    while (p->listeners.first != NULL)
        vrpc_pflow_end_(p->listeners.first, true);
    while (p->pending.first != NULL)
        vrpc_pflow_end_(p->pending.first, false);
}

static void host_destroy(struct vrpc_host_ *h)
{
    vrpc_proxy_free((struct vrpc_proxy *)h);
}

static const struct vrpc_host_ops_ host_ops = { host_flow, host_busy,
    host_stopping, host_destroy };

/* ---- endpoints ----------------------------------------------------------- */

static bool same(const struct vrpc_endpoint *x, const struct vrpc_endpoint *y,
    size_t n)
{
    struct v23_buf b;
    size_t i, half;
    bool eq = true;

    v23_buf_init(&b, NULL, 65536);
    for (i = 0; i < n && eq; i++) {
        v23_buf_cut(&b, 0);
        vrpc_endpoint_format(&x[i], &b);
        half = b.n;
        vrpc_endpoint_format(&y[i], &b);
        eq = b.err == 0 && b.n == 2 * half &&
             memcmp(b.p, b.p + half, half) == 0;
    }
    v23_buf_fini(&b);
    return eq;
}

int vrpc_proxy_set_endpoints(struct vrpc_proxy *p,
    const struct vrpc_endpoint *eps, size_t n)
{
    struct vrpc_endpoint *copy;
    struct vrpc_pflow_ *f, *next;
    struct v23_arena a;
    size_t i;
    int rc = 0;

    if (n == p->neps && same(p->eps, eps, n))
        return 0;
    v23_arena_init(&a, p->m->al, SIZE_MAX);
    copy = v23_arena_get0(&a, n, sizeof(*copy), V23_ALIGNOF(struct
        vrpc_endpoint));
    if (copy == NULL)
        rc = V23_ENOMEM;
    for (i = 0; rc == 0 && i < n; i++)
        rc = vrpc_endpoint_copy(&a, &copy[i], &eps[i]);
    if (rc != 0) {
        v23_arena_fini(&a);
        return rc;
    }
    v23_arena_fini(&p->arena);
    p->arena = a;
    p->eps = copy;
    p->neps = n;
    for (f = p->listeners.first; f != NULL; f = next) {
        next = f->next;
        tell(f);
    }
    return 0;
}

void vrpc_proxy_status(struct vrpc_proxy *p, struct vrpc_proxy_status *out)
{
    out->servers = p->listeners.n - p->nproxies;
    out->proxies = p->nproxies;
    out->routes = p->routes.n;
    out->pending = p->pending.n;
    out->waiting = vrpc_routes_waiting_(p);
}

/* ---- life ---------------------------------------------------------------- */

static void defaults(struct vrpc_proxy_config *c)
{
    if (c->max_servers == 0)
        c->max_servers = 4096;
    if (c->max_routes == 0)
        c->max_routes = 65536;
    if (c->max_pending == 0)
        c->max_pending = 4096;
    if (c->max_flows_per_conn == 0)
        c->max_flows_per_conn = 4096;
    if (c->max_counts == 0)
        c->max_counts = 4096;
    if (c->max_waiting == 0)
        c->max_waiting = (size_t)256 << 20;
}

int vrpc_proxy_new(struct vrpc_manager *m, const struct vrpc_proxy_config *cfg,
    struct vrpc_proxy **out)
{
    struct vrpc_proxy *p = v23_new(m->al, struct vrpc_proxy);
    uint64_t seed = 0;
    int rc;

    if (p == NULL)
        return V23_ENOMEM;
    p->m = m;
    if (cfg != NULL)
        p->cfg = *cfg;
    defaults(&p->cfg);
    rc = vsec_random_fill(m->principal->engine, &seed, sizeof(seed));
    if (rc == 0)
        rc = vrpc_timer_init_(&m->timers, &p->patience, out_of_patience, p);
    if (rc == 0)
        rc = vrpc_host_init_(&p->host, m, &host_ops);
    if (rc != 0) {
        vrpc_timer_fini_(&m->timers, &p->patience);
        v23_put(m->al, p);
        return rc;
    }
    list_init(&p->pending);
    list_init(&p->listeners);
    list_init(&p->routes);
    v23_arena_init(&p->arena, m->al, SIZE_MAX);
    vrpc_pcounts_init_(p, seed);
    *out = p;
    vrpc_own_start_(m);
    return 0;
}

void vrpc_proxy_free(struct vrpc_proxy *p)
{
    if (p == NULL)
        return;
    p->host.state = VRPC_SERVER_STOPPED; /* nothing waits for the routes */
    host_stopping(&p->host);
    while (p->routes.first != NULL)
        vrpc_pflow_end_(p->routes.first, false);
    vrpc_pcounts_fini_(p);
    v23_arena_fini(&p->arena);
    vrpc_timer_fini_(&p->m->timers, &p->patience);
    vrpc_host_fini_(&p->host);
    v23_put(p->m->al, p);
}
