/* BSD-3-Clause; see LICENSE. */
/*
 * Pages: a websocket, its controller, and what the controller needs of the
 * network. A page outlives its websocket until its calls and servers have
 * ended. Whatever might be freed inside a callback of its own is freed in an
 * event that is run for that.
 */
#include "host_int.h"

#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <vrpc/ev.h>
#include <vsec/blessings.h>

#define MAX_CONNS 10000u
#define MAX_MESSAGE (16u << 20)
#define MAX_BODY (64u << 10)
#define QUEUE (4u << 20)
#define CHAINS 1024u

/* A name that a server has; the text lives as long as the server. */
struct name {
    struct name *next;
    struct vdl_str text;
    bool known, mounted; /* was it told; and what */
    uint64_t why;        /* a digest of why it is not */
};

struct serving {
    struct wspr_serving s; /* first */
    struct wspr_page_ *page;
    struct vname_serving *v;
    struct name *names;
    void (*done)(void *ud);
    void *done_ud;
    struct serving *next, **plink; /* of the page */
    struct serving *dead;          /* ended, to be freed */
};

struct wspr_host_ev_ {
    struct event reap;
    struct serving *dead;
};

static void now_of(const struct wspr_host *h, struct v23_now *out)
{
    vrpc_ev_now(h->p->rt.ev, out);
}

static void reap_soon(struct wspr_host *h)
{
    event_active(&h->ev->reap, 0, 0);
}

/* ---- servers of pages ---------------------------------------------------- */

static struct name *name_of(struct serving *s, struct vdl_str text)
{
    struct name *n = s->names;

    while (n != NULL && !vdl_str_eq(n->text, text))
        n = n->next;
    return n;
}

/* The name is kept for the life of the server. */
static struct name *keep_name(struct serving *s, struct vdl_str text)
{
    struct name *n = name_of(s, text);
    char *p;

    if (n != NULL)
        return n;
    n = v23_get(NULL, sizeof(*n) + text.n + 1);
    if (n == NULL)
        return NULL;
    memset(n, 0, sizeof(*n));
    p = (char *)(n + 1);
    if (text.n > 0)
        memcpy(p, text.p, text.n);
    p[text.n] = 0;
    n->text = vdl_strn(p, text.n);
    n->next = s->names;
    s->names = n;
    return n;
}

static uint64_t digest(struct vdl_str s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    uint32_t i;

    for (i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* The page learns of changes only. */
static void on_mounted(void *ud, struct vdl_str name,
    const struct v23_verror *err)
{
    static const struct vdl_str unknown = VDL_STR_INIT("unknown error");
    struct serving *s = ud;
    struct name *n = name_of(s, name);
    struct vdl_str why = err == NULL ? vdl_strn("", 0)
        : err->msg.n > 0             ? err->msg
                                     : unknown;

    if (n == NULL || (n->known && n->mounted == (err == NULL)
            && n->why == digest(why)))
        return;
    n->known = true;
    n->mounted = err == NULL;
    n->why = digest(why);
    if (!s->page->closed)
        wspr_ctl_mounted(s->page->ctl, name, why);
}

static void serving_free(struct serving *s)
{
    struct name *n;

    *s->plink = s->next;
    if (s->next != NULL)
        s->next->plink = s->plink;
    vname_serving_free(s->v);
    while ((n = s->names) != NULL) {
        s->names = n->next;
        v23_put(NULL, n);
    }
    v23_put(NULL, s);
}

static int serve(void *ud, const struct vrpc_server_config *cfg,
    struct vdl_str name, struct wspr_serving **out)
{
    struct wspr_page_ *page = ud;
    struct vname_serve_config scfg = { .server = cfg, .as = &page->id,
        .no_wait = true, .mounted = on_mounted };
    struct serving *s = v23_new(NULL, struct serving);
    struct name *n;
    int rc = V23_ENOMEM;

    if (s == NULL)
        return rc;
    s->page = page;
    s->next = page->servings;
    if (s->next != NULL)
        s->next->plink = &s->next;
    s->plink = &page->servings;
    page->servings = s;
    scfg.ud = s;
    n = keep_name(s, name);
    if (n != NULL) {
        scfg.name = n->text;
        page->h->p->rt.why[0] = 0;
        rc = vname_serve(page->h->p, &scfg, &s->v);
        if (rc != 0)
            v23_logf(page->h->log, V23_LOG_ERROR, "wspr: page %llu cannot "
                "serve: %s", (unsigned long long)page->number,
                page->h->p->rt.why[0] != 0 ? page->h->p->rt.why
                                           : v23_strerror(rc));
    }
    if (rc != 0) {
        serving_free(s);
        return rc;
    }
    s->s.server = vname_serving_server(s->v);
    *out = &s->s;
    return 0;
}

static int add_name(void *ud, struct wspr_serving *ws, struct vdl_str name)
{
    struct serving *s = (struct serving *)ws;

    (void)ud;
    if (keep_name(s, name) == NULL)
        return V23_ENOMEM;
    return vname_serving_add_name(s->v, name);
}

static void remove_name(void *ud, struct wspr_serving *ws,
    struct vdl_str name)
{
    struct serving *s = (struct serving *)ws;
    struct name *n = name_of(s, name);

    (void)ud;
    if (n != NULL)
        n->known = false; /* told again when it is added again */
    vname_serving_remove_name(s->v, name);
}

static int endpoints(void *ud, struct wspr_serving *ws, struct v23_arena *a,
    vdl_str_list *out)
{
    struct serving *s = (struct serving *)ws;
    const struct vrpc_endpoint *eps;
    struct vdl_str *v;
    size_t n, i;
    int rc = vname_serving_endpoints(s->v, &eps, &n);

    (void)ud;
    if (rc != 0)
        return rc;
    v = v23_arena_get0(a, n, sizeof(*v), _Alignof(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n && rc == 0; i++)
        rc = vrpc_endpoint_text(a, &eps[i], &v[i]);
    out->v = v;
    out->n = (uint32_t)n;
    return rc;
}

static void on_ended(void *ud)
{
    struct serving *s = ud;
    struct wspr_host *h = s->page->h;

    s->dead = h->ev->dead;
    h->ev->dead = s;
    reap_soon(h);
    s->done(s->done_ud);
}

static void stop(void *ud, struct wspr_serving *ws, void (*done)(void *ud),
    void *done_ud)
{
    struct serving *s = (struct serving *)ws;

    (void)ud;
    s->done = done;
    s->done_ud = done_ud;
    vname_serving_end(s->v, on_ended, s);
}

/* ---- the other hooks ----------------------------------------------------- */

static void send_text(void *ud, const char *text, size_t n)
{
    struct wspr_page_ *page = ud;

    if (page->conn != NULL)
        wspr_conn_send_(page->conn, text, n);
}

static size_t queued(void *ud)
{
    const struct wspr_page_ *page = ud;

    return page->conn == NULL ? 0 : wspr_conn_waiting_(page->conn);
}

static void end_page(void *ud, int code, const char *why)
{
    struct wspr_page_ *page = ud;

    if (page->conn != NULL)
        wspr_conn_close_(page->conn, (unsigned)code, why);
}

static void timer_moved(void *ud)
{
    struct wspr_page_ *page = ud;

    if (page->conn != NULL && page->ctl != NULL)
        wspr_conn_alarm_(page->conn, wspr_ctl_next_deadline(page->ctl));
}

/*
 * Connections belong to a principal, not to a page: a thousand pages whose
 * origins have no account, which all are the proxy, call a server over one
 * connection, like as many calls of one program. What a page can change for
 * itself (roots, what is remembered of names, its calls and their limits) is in
 * a client and a namespace of its own.
 */
static int make_identity(struct wspr_page_ *page)
{
    struct wspr_host *h = page->h;
    int rc;

    if (page->principal != h->p->rt.principal)
        return vname_identity_init(&page->id, h->p, page->principal);
    if (h->node == NULL) {
        rc = vname_identity_node(h->p, page->principal, &h->node);
        if (rc != 0)
            return rc;
    }
    return vname_identity_join(&page->id, h->p, h->node);
}

static int identity(void *ud, struct vrpc_client **c, struct vname_ns **ns)
{
    struct wspr_page_ *page = ud;
    int rc;

    if (!page->has_id) {
        rc = make_identity(page);
        if (rc != 0)
            return rc;
        page->has_id = true;
    }
    *c = page->id.client;
    *ns = page->id.ns;
    return 0;
}

static int assume(void *ud, struct vsec_principal *p)
{
    struct wspr_page_ *page = ud;

    if (page->has_id)
        return V23_ESTATE;
    vsec_principal_unref(page->principal);
    page->principal = vsec_principal_ref(p);
    return 0;
}

static const struct wspr_ctl_hooks ctl_hooks = { send_text, queued, end_page,
    timer_moved, identity, serve, add_name, remove_name, endpoints, stop,
    assume };

/* ---- the websocket's side ------------------------------------------------ */

static void follow_reading(void *ud)
{
    struct wspr_page_ *page = ud;

    if (page->conn != NULL)
        wspr_conn_set_reading_(page->conn, wspr_ctl_is_reading(page->ctl));
}

static int on_message(void *object, char *text, size_t n)
{
    struct wspr_page_ *page = object;
    struct v23_now now;

    now_of(page->h, &now);
    wspr_ctl_input(page->ctl, text, n, &now);
    follow_reading(page);
    return 0;
}

static void on_drained(void *object)
{
    struct wspr_page_ *page = object;
    struct v23_now now;

    now_of(page->h, &now);
    wspr_ctl_writable(page->ctl, &now);
}

static void on_alarm(void *object)
{
    struct wspr_page_ *page = object;
    struct v23_now now;

    now_of(page->h, &now);
    wspr_ctl_tick(page->ctl, &now);
    timer_moved(page);
}

static void on_closed(void *ud)
{
    struct wspr_page_ *page = ud;

    page->closed = true;
    reap_soon(page->h);
}

static void page_gone(struct wspr_held_ *held)
{
    struct wspr_page_ *page = (struct wspr_page_ *)held;

    page->conn = NULL;
    page->h->npages--;
    v23_logf(page->h->log, V23_LOG_INFO, "wspr: page %llu of %s has gone",
        (unsigned long long)page->number, page->peer);
    wspr_ctl_close(page->ctl, on_closed, page);
}

/* Only websockets have the other events. */
static void on_gone(void *object)
{
    struct wspr_held_ *held = object;

    held->gone(held);
}

static const struct wspr_http_hooks_ http_hooks = { wspr_host_request_,
    on_gone, on_message, on_drained, on_alarm };

/* ---- life of a page ------------------------------------------------------ */

/* Without `closed` all that it had is taken away from the controller. */
static void page_free(struct wspr_page_ *page)
{
    if (page->closed) {
        wspr_ctl_free(page->ctl);
        page->ctl = NULL;
    }
    while (page->servings != NULL)
        serving_free(page->servings);
    if (page->has_id)
        vname_identity_fini(&page->id);
    wspr_ctl_free(page->ctl);
    vsec_principal_unref(page->principal);
    *page->plink = page->next;
    if (page->next != NULL)
        page->next->plink = page->plink;
    v23_put(NULL, page);
}

static struct wspr_page_ *page_new(struct wspr_host *h, struct wspr_conn_ *c,
    struct vdl_str origin)
{
    const char *peer = wspr_conn_peer_(c);
    size_t n = strlen(peer) + 1;
    struct wspr_page_ *page = v23_get(NULL, sizeof(*page) + n + origin.n + 1);
    char *p;

    if (page == NULL)
        return NULL;
    memset(page, 0, sizeof(*page));
    p = (char *)(page + 1);
    memcpy(p, peer, n);
    page->peer = p;
    p += n;
    if (origin.n > 0)
        memcpy(p, origin.p, origin.n);
    p[origin.n] = 0;
    page->origin = p;
    page->held.gone = page_gone;
    page->h = h;
    page->conn = c;
    page->since = vrpc_ev_wall();
    page->next = h->pages;
    if (page->next != NULL)
        page->next->plink = &page->next;
    page->plink = &h->pages;
    h->pages = page;
    return page;
}

int wspr_page_open_(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r, struct vsec_principal *principal,
    struct vdl_str origin, enum wspr_protocol protocol,
    const char *subprotocol)
{
    struct wspr_page_ *page = page_new(h, c, origin);
    struct wspr_ctl_config cfg = { .log = h->log, .hooks = &ctl_hooks,
        .ud = page, .principal = principal, .chains = h->chains,
        .forms = h->forms,
        .vtrace = h->p->rt.vtrace, .component = vdl_str(h->p->name),
        .language = h->cfg.language, .protocol = protocol,
        .roots = vname_ns_roots(h->p->ns), .retry_ns = h->cfg.retry_ns,
        .principals = h->cfg.principals,
        .native_caveats = h->cfg.native_caveats, .limits = h->cfg.limits };
    int rc;

    if (page == NULL)
        return V23_ENOMEM;
    page->principal = vsec_principal_ref(principal);
    rc = wspr_conn_upgrade_(c, r, subprotocol);
    if (rc == 0) {
        /* What it sends at once comes behind the answer. */
        rc = wspr_ctl_new(&cfg, &page->ctl);
        if (rc != 0)
            wspr_conn_take_back_(c);
    }
    if (rc != 0) {
        page_free(page);
        return rc;
    }
    wspr_conn_set_object_(c, page);
    page->number = ++h->opened;
    h->npages++;
    wspr_ctl_on_reading(page->ctl, follow_reading, page);
    timer_moved(page);
    v23_logf(h->log, V23_LOG_INFO, "wspr: page %llu of %s, origin \"%s\"",
        (unsigned long long)page->number, page->peer, page->origin);
    return 0;
}

/* ---- life of the host ---------------------------------------------------- */

static void on_reap(evutil_socket_t fd, short what, void *ud)
{
    struct wspr_host *h = ud;
    struct wspr_page_ *page, *next;
    struct serving *s;
    void (*stopped)(void *ud) = h->stopped;

    (void)fd;
    (void)what;
    while ((s = h->ev->dead) != NULL) {
        h->ev->dead = s->dead;
        serving_free(s);
    }
    for (page = h->pages; page != NULL; page = next) {
        next = page->next;
        if (page->closed)
            page_free(page);
    }
    if (stopped != NULL && h->pages == NULL) {
        h->stopped = NULL;
        stopped(h->stopped_ud);
    }
}

static int start(struct wspr_host *h)
{
    struct vsec_engine *e = h->p->rt.principal->engine;
    const struct wspr_ctl_limits *l = &h->cfg.limits;
    struct wspr_http_config_ cfg = { .ev = h->p->rt.ev, .log = h->log,
        .engine = e, .hooks = &http_hooks, .ud = h,
        .host = h->cfg.address != NULL ? h->cfg.address : "127.0.0.1",
        .port = h->cfg.port, .max_body = MAX_BODY,
        .max_conns = h->cfg.max_conns != 0 ? h->cfg.max_conns : MAX_CONNS,
        .ping_ns = h->cfg.ping_ns, .patience_ns = h->cfg.patience_ns };
    int rc;

    cfg.max_message = l->message != 0 ? l->message : MAX_MESSAGE;
    /* The controller's own limit is nearer. */
    cfg.max_waiting = 8 * (l->queue != 0 ? l->queue : QUEUE);
    h->ev = v23_new(NULL, struct wspr_host_ev_);
    if (h->ev == NULL)
        return V23_ENOMEM;
    event_assign(&h->ev->reap, vrpc_ev_base(h->p->rt.ev), -1, 0, on_reap, h);
    rc = vsec_chain_cache_new(e, CHAINS, &h->chains);
    if (rc == 0)
        rc = wspr_forms_new(NULL, &h->forms);
    return rc != 0 ? rc : wspr_http_new_(&cfg, &h->http);
}

int wspr_host_new(const struct wspr_host_config *cfg, struct wspr_host **out)
{
    struct wspr_host *h = v23_new(NULL, struct wspr_host);
    int rc;

    if (h == NULL)
        return V23_ENOMEM;
    h->cfg = *cfg;
    h->p = cfg->program;
    h->log = &h->p->rt.log;
    rc = start(h);
    if (rc != 0)
        wspr_host_free(h);
    else
        *out = h;
    return rc;
}

const char *wspr_host_address(const struct wspr_host *h)
{
    return wspr_http_address_(h->http);
}

size_t wspr_host_npages(const struct wspr_host *h)
{
    return h->npages;
}

void wspr_host_stop(struct wspr_host *h, void (*done)(void *ud), void *ud)
{
    h->stopped = done;
    h->stopped_ud = ud;
    wspr_http_unlisten_(h->http);
    reap_soon(h);
}

void wspr_host_free(struct wspr_host *h)
{
    if (h == NULL)
        return;
    h->stopped = NULL;
    wspr_http_free_(h->http);
    wspr_host_forget_accounts_(h);
    while (h->pages != NULL)
        page_free(h->pages);
    if (h->node != NULL)
        vrpc_ev_node_free(h->node);
    if (h->ev != NULL)
        event_del(&h->ev->reap);
    vsec_chain_cache_free(h->chains);
    wspr_forms_free(h->forms);
    v23_put(NULL, h->ev);
    v23_put(NULL, h);
}
