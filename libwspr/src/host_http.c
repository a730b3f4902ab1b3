/* BSD-3-Clause; see LICENSE. */
/*
 * What is asked of the host (spec/wspr.md 2, 16.10, 17): who may open a
 * websocket, which of its protocols it speaks, and the few pages.
 */
#include "host_int.h"

#include <string.h>

#include <vrpc/ev.h>
#include <vrpc/websocket.h>

/* ---- origins ------------------------------------------------------------- */

/* `*` stands for anything but a slash. Case does not matter: scheme and host
 * have none, and there is no path. */
static bool matches(struct vdl_str pattern, struct vdl_str s)
{
    uint32_t i = 0, k = 0, star = UINT32_MAX, from = 0;

    while (k < s.n) {
        if (i < pattern.n && pattern.p[i] == '*') {
            star = i++;
            from = k;
        } else if (i < pattern.n &&
            v23_lower(pattern.p[i]) == v23_lower(s.p[k])) {
            i++;
            k++;
        } else if (star != UINT32_MAX && s.p[from] != '/') {
            i = star + 1;
            k = ++from;
        } else {
            return false;
        }
    }
    while (i < pattern.n && pattern.p[i] == '*')
        i++;
    return i == pattern.n;
}

/* The pattern `*` alone allows everything, also who has no origin. */
bool wspr_origin_is_allowed(const char *patterns, struct vdl_str origin)
{
    struct vdl_str one;
    size_t n;

    if (patterns == NULL)
        return true;
    for (; *patterns != 0; patterns += n + (patterns[n] == ',')) {
        n = strcspn(patterns, ",");
        one = vdl_strn(patterns, n);
        while (one.n > 0 && one.p[0] == ' ')
            one = vdl_strn(one.p + 1, one.n - 1);
        while (one.n > 0 && one.p[one.n - 1] == ' ')
            one.n--;
        if (vdl_str_is(one, "*") || (one.n > 0 && matches(one, origin)))
            return true;
    }
    return false;
}

/* ---- websockets ---------------------------------------------------------- */

struct way {
    const char *path, *subprotocol;
    enum wspr_protocol protocol;
};

static const struct way paths[] = { { "/ws", NULL, WSPR_AUTO },
    { "/vom/ws", NULL, WSPR_VOM }, { "/json/ws", NULL, WSPR_JSON } };
static const struct way subprotocols[] = {
    { NULL, "vanadium.wspr.v81", WSPR_VOM },
    { NULL, "veyron.wspr.json", WSPR_JSON } };

/* Which websocket a path is for; NULL: for none. */
static const struct way *way_of(struct vdl_str path)
{
    size_t i;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (vdl_str_is(path, paths[i].path))
            return &paths[i];
    return NULL;
}

/* The protocol: of the path, of the host, or one that is offered. */
static enum wspr_protocol choose(const struct wspr_host *h,
    const struct way *way, const struct wspr_request_ *r, const char **sub)
{
    enum wspr_protocol p = way->protocol;
    size_t i;

    if (p == WSPR_AUTO)
        p = h->cfg.protocol;
    *sub = NULL;
    for (i = 0; i < sizeof(subprotocols) / sizeof(subprotocols[0]); i++) {
        if ((p != WSPR_AUTO && p != subprotocols[i].protocol) ||
            !vrpc_http_head_lists(&r->head, "Sec-WebSocket-Protocol",
                subprotocols[i].subprotocol))
            continue;
        *sub = subprotocols[i].subprotocol;
        return subprotocols[i].protocol;
    }
    return p;
}

/* A page whose principal is still being made. */
struct opening {
    struct wspr_held_ held; /* first */
    struct wspr_host *h;
    struct wspr_conn_ *conn;
    struct wspr_making making;
    struct wspr_request_ r; /* its fields; behind the struct */
    enum wspr_protocol protocol;
    const char *sub;
};

static void no_page(struct wspr_conn_ *c, const char *why)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, 4096);
    v23_buf_printf(&b, "Failed to create controller: %s", why);
    wspr_conn_say_(c, 500, v23_buf_cstr(&b));
    v23_buf_fini(&b);
}

/* The connection has ended before the page has begun. */
static void opening_gone(struct wspr_held_ *held)
{
    struct opening *o = (struct opening *)held;

    wspr_principals_make_cancel(&o->making);
    v23_put(NULL, o);
}

static void on_made(void *ud, int rc, struct vsec_principal *p,
    const char *why)
{
    struct opening *o = ud;
    struct vdl_str origin;

    wspr_conn_set_object_(o->conn, NULL);
    (void)vrpc_http_head_get(&o->r.head, "Origin", &origin);
    if (rc == 0) {
        rc = wspr_page_open_(o->h, o->conn, &o->r, p, origin, o->protocol,
            o->sub);
        why = v23_strerror(rc);
    }
    if (rc != 0)
        no_page(o->conn, why);
    v23_put(NULL, o);
}

/* What outlives the request: its fields, of which there is one head at most. */
static struct opening *opening_new(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r)
{
    struct vdl_str fields = r->head.fields;
    struct opening *o = v23_get(NULL, sizeof(*o) + fields.n);

    if (o == NULL)
        return NULL;
    memset(o, 0, sizeof(*o));
    o->held.gone = opening_gone;
    o->h = h;
    o->conn = c;
    o->making.done = on_made;
    o->making.ud = o;
    memcpy(o + 1, fields.p, fields.n);
    o->r.head.fields = vdl_strn((const char *)(o + 1), fields.n);
    return o;
}

/*
 * Whom an origin's page acts as: 0 with a reference; V23_EAGAIN: k->done
 * follows; V23_EDENIED: nobody; others with a sentence in `why`.
 */
static int principal_of(const struct wspr_host *h, struct vdl_str origin,
    struct wspr_making *k, struct vsec_principal **out, char why[WSPR_WHY])
{
    struct wspr_principals *m = h->cfg.principals;

    if (m != NULL && wspr_principals_has_account(m, origin, vrpc_ev_wall()))
        return wspr_principals_make(m, origin, k, out, why);
    if (h->cfg.require_account)
        return V23_EDENIED;
    v23_logf(h->log, V23_LOG_DEBUG, "wspr: origin \"%.*s\" has no account: it "
        "gets our own principal", (int)origin.n, origin.n == 0 ? "" : origin.p);
    *out = vsec_principal_ref(h->p->rt.principal);
    return 0;
}

static void open_page(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r, const struct way *way,
    struct vdl_str origin)
{
    struct opening *o = opening_new(h, c, r);
    struct vsec_principal *principal = NULL;
    char why[WSPR_WHY] = "";
    int rc = V23_ENOMEM;

    if (o != NULL) {
        o->protocol = choose(h, way, r, &o->sub);
        rc = principal_of(h, origin, &o->making, &principal, why);
    }
    if (rc == V23_EAGAIN) {
        wspr_conn_set_object_(c, o);
        return;
    }
    if (rc == V23_EDENIED) {
        h->refused++;
        wspr_conn_say_(c, 403, "The origin has no account");
    } else {
        if (rc == 0) {
            rc = wspr_page_open_(h, c, r, principal, origin, o->protocol,
                o->sub);
            vsec_principal_unref(principal);
        }
        if (rc != 0)
            no_page(c, why[0] != 0 ? why : v23_strerror(rc));
    }
    v23_put(NULL, o);
}

/* In the order of spec/wspr.md 2, but nothing is made for what is refused. */
static void open_websocket(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r, const struct way *way)
{
    struct vdl_str origin;
    unsigned n = vrpc_http_head_get(&r->head, "Origin", &origin);

    if (!vdl_str_is(r->head.method, "GET")) {
        wspr_conn_say_(c, 405, "Method not allowed.");
        return;
    }
    if (n > 1 || (origin.n == 0 && h->cfg.require_origin)) {
        wspr_conn_say_(c, 400, "Could not read origin from the request");
        return;
    }
    if (vrpc_ws_fault(&r->head) != VRPC_WS_FINE) {
        wspr_conn_say_(c, 400, "Not a websocket handshake");
        return;
    }
    if (!wspr_origin_is_allowed(h->cfg.allowed_origins, origin)) {
        h->refused++;
        wspr_conn_say_(c, 403, "Origin not allowed");
        return;
    }
    open_page(h, c, r, way, origin);
}

/* ---- pages --------------------------------------------------------------- */

/* Nothing of other places; no frames around it. */
#define PAGE_HEADERS \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; " \
    "style-src 'self'; img-src 'self'; connect-src 'self' ws:; " \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n" \
    "Referrer-Policy: no-referrer\r\nCache-Control: no-cache\r\n"

static void not_found(struct wspr_conn_ *c)
{
    wspr_conn_say_(c, 404, "404 page not found");
}

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot != NULL && strcmp(dot, ".css") == 0)
        return "text/css; charset=utf-8";
    if (dot != NULL && (strcmp(dot, ".js") == 0 || strcmp(dot, ".mjs") == 0))
        return "text/javascript; charset=utf-8";
    if (dot != NULL && strcmp(dot, ".svg") == 0)
        return "image/svg+xml; charset=utf-8";
    return "text/html; charset=utf-8";
}

static bool reads(const struct wspr_request_ *r)
{
    return vdl_str_is(r->head.method, "GET") ||
        vdl_str_is(r->head.method, "HEAD");
}

/* One of the files; false: it is none. */
static bool send_file(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r)
{
    struct wspr_reply_ reply = { .code = 200, .headers = PAGE_HEADERS };
    const struct wspr_file *f = h->cfg.files;
    struct vdl_str name = vdl_strn(r->path.p + 1, r->path.n - 1);

    if (name.n == 0)
        name = vdl_str("index.html");
    while (f != NULL && f->name != NULL && !vdl_str_is(name, f->name))
        f++;
    if (f == NULL || f->name == NULL)
        return false;
    reply.type = type_of(f->name);
    reply.body = v23_bytes(f->p, f->n);
    if (reads(r))
        wspr_conn_reply_(c, &reply);
    else
        wspr_conn_say_(c, 405, "Method not allowed.");
    return true;
}

static void send_made(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r, const char *type,
    void (*make)(struct wspr_host *h, struct v23_buf *out))
{
    struct wspr_reply_ reply = { .code = 200, .type = type,
        .headers = PAGE_HEADERS };
    struct v23_buf b;

    v23_buf_init(&b, NULL, 64u << 20);
    if (!vdl_str_is(r->head.method, "GET"))
        reply.code = 405;
    else
        make(h, &b);
    if (b.err != 0) {
        wspr_conn_say_(c, 500, v23_strerror(b.err));
    } else {
        reply.body = v23_bytes(b.p, b.n);
        wspr_conn_reply_(c, &reply);
    }
    v23_buf_fini(&b);
}

void wspr_host_request_(void *ud, struct wspr_conn_ *c,
    const struct wspr_request_ *r)
{
    const struct way *way = way_of(r->path);
    struct wspr_host *h = ud;

    if (way != NULL)
        open_websocket(h, c, r, way);
    else if (r->path.p[0] != '/')
        wspr_conn_say_(c, 400, "Bad Request");
    else if (send_file(h, c, r))
        return;
    else if (h->cfg.protocol == WSPR_VOM)
        not_found(c);
    else if (vdl_str_is(r->path, "/create-account"))
        wspr_host_create_account_(h, c, r);
    else if (vdl_str_is(r->path, "/assoc-account"))
        wspr_host_assoc_account_(h, c, r);
    else if (vdl_str_is(r->path, "/debug"))
        send_made(h, c, r, "text/html; charset=utf-8", wspr_host_debug_);
    else if (vdl_str_is(r->path, "/debug/stats"))
        send_made(h, c, r, "text/plain; charset=utf-8", wspr_host_stats_);
    else
        not_found(c);
}
