/* BSD-3-Clause; see LICENSE. */
/*
 * The store in etcd on libevent's HTTP client: a connection for each slot, which
 * is kept from request to request. One that is not wanted any more may be in
 * the middle of a callback, so it is freed at the end of the loop's turn.
 */
#include <vname/etcd.h>

#include <stdio.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/util.h>

#include <vrpc/ev.h>
#include <vrpc/stats.h>

#include "etcd_int.h"

#define NEVER_S (10 * 365 * 86400)
#define OPEN_PATIENCE_NS (10 * V23_NS_PER_SEC)
/* What a connection brings before it has to be made anew. */
#define MAX_WATCHED (256u << 20)

struct link {
    struct vname_etcd *e; /* NULL: not wanted any more */
    struct link *next;    /* of those */
    struct evhttp_connection *con;
    unsigned slot, endpoint;
    bool busy, heard; /* something of the answer */
    enum evhttp_request_error error;
    bool has_error;
};

struct vname_etcd {
    const struct v23_alloc *al;
    struct vrpc_ev *ev;
    struct vname_table *table;
    struct vname_etcd_place place;
    char *password;
    struct evdns_base *dns; /* NULL while nobody needs it */
    struct event *timer, *burial;
    struct link *links[VNAME_ETCD_SLOTS], *dead;
    struct vname_etcd_io io;
    struct vname_etcd_core *core;
};

/* ---- time ---------------------------------------------------------------- */

static void tell_time(void *ud, struct v23_now *out)
{
    vrpc_ev_now(((struct vname_etcd *)ud)->ev, out);
}

static void arm(struct vname_etcd *e)
{
    int64_t at = vname_etcd_deadline_(e->core);
    struct v23_now now;
    struct timeval tv;

    if (at == V23_NEVER) {
        event_del(e->timer);
        return;
    }
    tell_time(e, &now);
    at = at < now.mono_ns ? 0 : at - now.mono_ns;
    tv.tv_sec = (time_t)(at / V23_NS_PER_SEC);
    tv.tv_usec = (suseconds_t)((at % V23_NS_PER_SEC + 999) / 1000);
    event_add(e->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *ud)
{
    struct vname_etcd *e = ud;

    (void)fd;
    (void)what;
    vname_etcd_tick_(e->core);
    arm(e);
}

/* At the end of this turn: what others add until then goes with it. */
static void wake(void *ud)
{
    event_active(((struct vname_etcd *)ud)->timer, EV_TIMEOUT, 0);
}

/* ---- connections --------------------------------------------------------- */

static void bury(struct vname_etcd *e)
{
    struct link *l;

    while ((l = e->dead) != NULL) {
        e->dead = l->next;
        evhttp_connection_free(l->con);
        v23_put(e->al, l);
    }
}

static void on_burial(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    bury(ud);
}

static void drop(struct vname_etcd *e, unsigned slot)
{
    struct link *l = e->links[slot];

    if (l == NULL)
        return;
    e->links[slot] = NULL;
    l->e = NULL;
    l->next = e->dead;
    e->dead = l;
    event_active(e->burial, EV_TIMEOUT, 0);
}

static bool is_number(const char *host)
{
    unsigned char room[16];

    return evutil_inet_pton(AF_INET, host, room) == 1
        || evutil_inet_pton(AF_INET6, host, room) == 1;
}

static int link_new(struct vname_etcd *e, unsigned slot, unsigned endpoint,
    struct link **out)
{
    const char *host = e->place.endpoints[endpoint].host;
    struct event_base *base = vrpc_ev_base(e->ev);
    struct link *l;

    if (!is_number(host) && e->dns == NULL) {
        e->dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS
                | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        if (e->dns == NULL)
            return V23_ESYS;
    }
    l = v23_new(e->al, struct link);
    if (l == NULL)
        return V23_ENOMEM;
    l->con = evhttp_connection_base_new(base, e->dns, host,
        e->place.endpoints[endpoint].port);
    if (l->con == NULL) {
        v23_put(e->al, l);
        return V23_ENOMEM;
    }
    /* Whoever asks knows how long to wait. */
    evhttp_connection_set_timeout(l->con, NEVER_S);
    evhttp_connection_set_max_headers_size(l->con, 65536);
    evhttp_connection_set_max_body_size(l->con,
        slot == VNAME_ETCD_WATCH ? MAX_WATCHED : VNAME_ETCD_MAX_ANSWER);
    l->e = e;
    l->slot = slot;
    l->endpoint = endpoint;
    *out = l;
    return 0;
}

static const char *reason(const struct link *l)
{
    if (!l->has_error)
        return l->heard ? "the watch has ended" : "it cannot be reached";
    switch (l->error) {
    case EVREQ_HTTP_TIMEOUT: return "it cannot be reached in time";
    case EVREQ_HTTP_EOF: return "it has closed the connection";
    case EVREQ_HTTP_INVALID_HEADER: return "it does not speak HTTP";
    case EVREQ_HTTP_BUFFER_ERROR: return "the connection has failed";
    case EVREQ_HTTP_DATA_TOO_LONG: return "an answer is too large";
    default: return "the request has failed";
    }
}

static void on_error(enum evhttp_request_error error, void *ud)
{
    struct link *l = ud;

    l->error = error;
    l->has_error = true;
}

static void on_answer(struct evhttp_request *req, void *ud)
{
    struct link *l = ud;
    struct vname_etcd *e = l->e;
    int status = req == NULL ? 0 : evhttp_request_get_response_code(req);
    struct evbuffer *b;
    size_t n;

    if (e == NULL)
        return;
    l->busy = false;
    if (status == 0 || l->slot == VNAME_ETCD_WATCH) {
        vname_etcd_failed_(e->core, l->slot, reason(l));
    } else {
        b = evhttp_request_get_input_buffer(req);
        n = evbuffer_get_length(b);
        vname_etcd_answer_(e->core, l->slot, status,
            v23_bytes(evbuffer_pullup(b, -1), n));
    }
    arm(e);
}

static void on_piece(struct evhttp_request *req, void *ud)
{
    struct evbuffer *b = evhttp_request_get_input_buffer(req);
    struct link *l = ud;
    struct vname_etcd *e = l->e;
    size_t n = evbuffer_get_length(b);

    if (e == NULL)
        return;
    l->heard = true;
    vname_etcd_chunk_(e->core, evhttp_request_get_response_code(req),
        v23_bytes(evbuffer_pullup(b, -1), n));
    arm(e);
}

static void add_headers(struct evkeyvalq *h, const struct vname_etcd *e,
    unsigned endpoint, const char *token)
{
    const char *host = e->place.endpoints[endpoint].host;
    char text[VNAME_ETCD_MAX_TEXT + 16];

    snprintf(text, sizeof(text),
        strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
        (unsigned)e->place.endpoints[endpoint].port);
    evhttp_add_header(h, "Host", text);
    evhttp_add_header(h, "Content-Type", "application/json");
    if (token[0] != 0)
        evhttp_add_header(h, "Authorization", token);
}

/* A request of several writes must not wait for the receipt of the first. */
static void hurry(struct link *l)
{
    evutil_socket_t fd
        = bufferevent_getfd(evhttp_connection_get_bufferevent(l->con));
    int on = 1;

    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int post(struct link *l, const struct vname_etcd_request *r)
{
    struct evhttp_request *req = evhttp_request_new(on_answer, l);

    if (req == NULL)
        return V23_ENOMEM;
    add_headers(evhttp_request_get_output_headers(req), l->e, l->endpoint,
        r->token);
    evhttp_request_set_error_cb(req, on_error);
    if (l->slot == VNAME_ETCD_WATCH)
        evhttp_request_set_chunked_cb(req, on_piece);
    if (evbuffer_add(evhttp_request_get_output_buffer(req), r->body.p,
            r->body.n)
        != 0) {
        evhttp_request_free(req);
        return V23_ENOMEM;
    }
    l->busy = true;
    l->heard = l->has_error = false;
    if (evhttp_make_request(l->con, req, EVHTTP_REQ_POST, r->path) != 0)
        return V23_ESYS;
    hurry(l);
    return 0;
}

static int send_request(void *ud, unsigned slot, unsigned endpoint,
    const struct vname_etcd_request *r)
{
    struct vname_etcd *e = ud;
    struct link *l = e->links[slot];
    int rc = 0;

    if (l != NULL && (l->busy || l->endpoint != endpoint)) {
        drop(e, slot);
        l = NULL;
    }
    if (l == NULL)
        rc = link_new(e, slot, endpoint, &l);
    e->links[slot] = l;
    return rc != 0 ? rc : post(l, r);
}

static void abort_request(void *ud, unsigned slot)
{
    struct vname_etcd *e = ud;

    if (e->links[slot] != NULL && e->links[slot]->busy)
        drop(e, slot);
}

/* ---- life ---------------------------------------------------------------- */

static int set_up(struct vname_etcd *e, const struct vname_etcd_config *cfg)
{
    struct event_base *base = vrpc_ev_base(cfg->ev);
    struct vname_etcd_core_config core = { .al = cfg->al,
        .log = cfg->log,
        .place = &e->place,
        .table = cfg->table,
        .io = &e->io };
    size_t n;

    e->al = cfg->al;
    e->ev = cfg->ev;
    e->table = cfg->table;
    e->place = *cfg->place;
    if (cfg->password != NULL) {
        n = strlen(cfg->password) + 1;
        e->password = v23_get(e->al, n);
        if (e->password == NULL)
            return V23_ENOMEM;
        memcpy(e->password, cfg->password, n);
        core.password = e->password;
    }
    e->io.send = send_request;
    e->io.abort = abort_request;
    e->io.wake = wake;
    e->io.now = tell_time;
    e->io.ud = e;
    e->timer = evtimer_new(base, on_timer, e);
    e->burial = evtimer_new(base, on_burial, e);
    if (e->timer == NULL || e->burial == NULL)
        return V23_ENOMEM;
    return vname_etcd_core_new_(&core, &e->core);
}

int vname_etcd_open(const struct vname_etcd_config *cfg,
    struct vname_etcd **out, struct v23_buf *why)
{
    struct vname_etcd *e = v23_new(cfg->al, struct vname_etcd);
    struct v23_now now;
    int64_t until;
    int rc;

    if (e == NULL)
        return V23_ENOMEM;
    rc = set_up(e, cfg);
    if (rc != 0)
        goto out;
    tell_time(e, &now);
    until = now.mono_ns + OPEN_PATIENCE_NS;
    wake(e);
    while (!vname_etcd_is_live_(e->core) && !vname_etcd_is_fatal_(e->core)
        && (now.mono_ns < until || vname_etcd_why_(e->core)[0] == 0)) {
        event_base_loop(vrpc_ev_base(e->ev), EVLOOP_ONCE);
        tell_time(e, &now);
    }
    if (!vname_etcd_is_live_(e->core)) {
        v23_buf_printf(why, "etcd: %s", vname_etcd_why_(e->core));
        rc = V23_ESYS;
        goto out;
    }
    *out = e;
    e = NULL;
out:
    vname_etcd_close(e);
    return rc;
}

int vname_etcd_settle(struct vname_etcd *e, struct v23_buf *why)
{
    const char *text;
    struct v23_now now;
    int64_t until;
    int rc;

    tell_time(e, &now);
    until = now.mono_ns + OPEN_PATIENCE_NS;
    while ((rc = vname_table_loading(e->table, &text)) == V23_EAGAIN
        && now.mono_ns < until) {
        event_base_loop(vrpc_ev_base(e->ev), EVLOOP_ONCE);
        tell_time(e, &now);
    }
    if (rc == V23_EAGAIN)
        v23_buf_printf(why, "etcd: %s", vname_etcd_why_(e->core));
    else if (rc != 0)
        v23_buf_puts(why, text);
    return rc == 0 ? 0 : V23_ESYS;
}

void vname_etcd_close(struct vname_etcd *e)
{
    unsigned i;

    if (e == NULL)
        return;
    for (i = 0; e->burial != NULL && i < VNAME_ETCD_SLOTS; i++)
        drop(e, i);
    bury(e);
    vname_etcd_core_free_(e->core);
    if (e->timer != NULL)
        event_free(e->timer);
    if (e->burial != NULL)
        event_free(e->burial);
    if (e->dns != NULL)
        evdns_base_free(e->dns, 0);
    if (e->password != NULL)
        v23_wipe(e->password, strlen(e->password));
    v23_put(e->al, e->password);
    v23_put(e->al, e);
}

/* ---- statistics ---------------------------------------------------------- */

static int put_int(struct v23_arena *a, int64_t n, struct vdl_any *out)
{
    int64_t *v = v23_arena_new(a, int64_t);

    if (v == NULL)
        return V23_ENOMEM;
    *v = n;
    out->type = &vdl_int64_desc;
    out->val = v;
    return 0;
}

static int put_text(struct v23_arena *a, const char *s, struct vdl_any *out)
{
    struct vdl_str *v = v23_arena_new(a, struct vdl_str);

    if (v == NULL)
        return V23_ENOMEM;
    *v = vdl_str(s);
    v->p = v23_arena_dup(a, s, v->n);
    out->type = &vdl_string_desc;
    out->val = v;
    return v->p == NULL ? V23_ENOMEM : 0;
}

static int show_state(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    struct vname_etcd *e = ud;
    const char *why = vname_etcd_why_(e->core);

    (void)now;
    return put_text(a, vname_etcd_is_live_(e->core) ? "live"
            : why[0] != 0                           ? why
                                                    : "reading",
        out);
}

static int show_endpoint(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    struct vname_etcd *e = ud;
    struct vname_etcd_facts f;
    char text[VNAME_ETCD_MAX_TEXT + 16];

    (void)now;
    vname_etcd_facts_(e->core, &f);
    snprintf(text, sizeof(text), "%s:%u", e->place.endpoints[f.endpoint].host,
        (unsigned)e->place.endpoints[f.endpoint].port);
    return put_text(a, text, out);
}

static int show_age(void *ud, const struct v23_now *now, struct v23_arena *a,
    struct vdl_any *out)
{
    struct vname_etcd_facts f;
    double *v = v23_arena_new(a, double);

    (void)now;
    if (v == NULL)
        return V23_ENOMEM;
    vname_etcd_facts_(((struct vname_etcd *)ud)->core, &f);
    *v = (double)f.age_ns / (double)V23_NS_PER_SEC;
    out->type = &vdl_float64_desc;
    out->val = v;
    return 0;
}

#define SHOW_INT(name, expr) \
    static int name(void *ud, const struct v23_now *now, \
        struct v23_arena *a, struct vdl_any *out) \
    { \
        struct vname_etcd *e = ud; \
        struct vname_etcd_facts f; \
\
        (void)now; \
        vname_etcd_facts_(e->core, &f); \
        return put_int(a, (int64_t)(expr), out); \
    }
SHOW_INT(show_revision, f.revision)
SHOW_INT(show_waiting, vname_table_waiting(e->table))
SHOW_INT(show_batches, f.batches)
SHOW_INT(show_operations, f.operations)

int vname_etcd_show(struct vname_etcd *e, struct vrpc_stats *stats)
{
    static const struct {
        const char *name;
        vrpc_stat_fn *fn;
    } rows[] = {
        { "mounttable/store/state", show_state },
        { "mounttable/store/endpoint", show_endpoint },
        { "mounttable/store/age", show_age },
        { "mounttable/store/revision", show_revision },
        { "mounttable/store/waiting", show_waiting },
        { "mounttable/store/batches", show_batches },
        { "mounttable/store/operations", show_operations },
    };
    size_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
        rc = vrpc_stats_func(stats, vdl_str(rows[i].name), rows[i].fn, e);
    return rc;
}
