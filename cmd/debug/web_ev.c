/* BSD-3-Clause; see LICENSE. */
/*
 * The web server on evhttp. An answer goes out in chunks; while it does, the
 * connection is read too, because only that tells when the reader leaves.
 */
#include "web.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include <v23/cmdline.h>

enum { READ_S = 30, WRITE_S = 60 };

struct web_req {
    struct web *w;
    struct evhttp_request *req; /* NULL: the server was closed */
    struct evkeyvalq params;
    bool parsed, started, gone;
    void (*on_gone)(void *ud);
    void (*on_drained)(void *ud);
    void *ud;
    LIST_ENTRY(web_req) link;
};

struct web {
    struct evhttp *http;
    web_handler_fn *fn;
    void *ud;
    char address[64], port[8];
    size_t nreqs;
    LIST_HEAD(, web_req) reqs;
};

/* ---- who may ask --------------------------------------------------------- */

/* Is that Host one of this machine's own names for us? */
static bool host_is_ours(const struct web *w, const char *host)
{
    static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
    size_t i, n;

    if (host == NULL)
        return false;
    if (strcmp(host, w->address) == 0)
        return true;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        n = strlen(names[i]);
        if (!vdl_str_eq_nocase(vdl_strn(host, strnlen(host, n)),
                vdl_str(names[i])))
            continue;
        if (host[n] == ':' && strcmp(host + n + 1, w->port) == 0)
            return true;
        if (host[n] == 0 && strcmp(w->port, "80") == 0)
            return true;
    }
    return false;
}

static void refuse(struct evhttp_request *req, int code, const char *why)
{
    struct evkeyvalq *h = evhttp_request_get_output_headers(req);
    struct evbuffer *body = evbuffer_new();

    evhttp_add_header(h, "Content-Type", "text/plain; charset=utf-8");
    evhttp_add_header(h, "Connection", "close");
    if (body != NULL)
        evbuffer_add_printf(body, "%s\n", why);
    evhttp_send_reply(req, code, NULL, body);
    if (body != NULL)
        evbuffer_free(body);
}

/* ---- the reader ---------------------------------------------------------- */

static void reader_gone(struct web_req *q)
{
    if (q->gone)
        return;
    q->gone = true;
    if (q->on_gone != NULL)
        q->on_gone(q->ud);
}

static void on_close(struct evhttp_connection *c, void *ud)
{
    (void)c;
    reader_gone(ud);
}

static void on_written(struct evhttp_connection *c, void *ud)
{
    struct web_req *q = ud;

    (void)c;
    if (!q->gone && q->on_drained != NULL)
        q->on_drained(q->ud);
}

void web_watch(struct web_req *q, void (*gone)(void *ud),
    void (*drained)(void *ud), void *ud)
{
    q->on_gone = gone;
    q->on_drained = drained;
    q->ud = ud;
}

static struct bufferevent *stream(const struct web_req *q)
{
    struct evhttp_connection *c = q->req == NULL || q->gone ? NULL
        : evhttp_request_get_connection(q->req);

    return c == NULL ? NULL : evhttp_connection_get_bufferevent(c);
}

bool web_is_full(const struct web_req *q)
{
    struct bufferevent *b = stream(q);

    return b != NULL
        && evbuffer_get_length(bufferevent_get_output(b)) > WEB_FULL;
}

/* ---- requests ------------------------------------------------------------ */

static void on_request(struct evhttp_request *req, void *ud)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    struct evhttp_connection *c = evhttp_request_get_connection(req);
    const char *raw = uri == NULL ? NULL : evhttp_uri_get_path(uri);
    char *path = raw == NULL ? NULL : evhttp_uridecode(raw, 0, NULL);
    struct web *w = ud;
    struct web_req *q;

    if (!host_is_ours(w, evhttp_find_header(
            evhttp_request_get_input_headers(req), "Host"))) {
        refuse(req, 421, "This server answers only under the names of this "
            "machine for itself.");
    } else if (path == NULL || c == NULL) {
        refuse(req, 400, "The address cannot be understood.");
    } else if (w->nreqs >= WEB_REQUESTS
        || (q = v23_new(NULL, struct web_req)) == NULL) {
        refuse(req, 503, "There are too many requests at the same time.");
    } else {
        q->w = w;
        q->req = req;
        w->nreqs++;
        LIST_INSERT_HEAD(&w->reqs, q, link);
        evhttp_connection_set_closecb(c, on_close, q);
        w->fn(w->ud, q, path);
    }
    free(path);
}

bool web_is_post(const struct web_req *q)
{
    return q->req != NULL
        && evhttp_request_get_command(q->req) == EVHTTP_REQ_POST;
}

struct v23_bytes web_body(struct web_req *q)
{
    struct evbuffer *b = evhttp_request_get_input_buffer(q->req);
    size_t n = evbuffer_get_length(b);

    return v23_bytes(evbuffer_pullup(b, -1), n);
}

const char *web_query(const struct web_req *q)
{
    const char *s = evhttp_uri_get_query(
        evhttp_request_get_evhttp_uri(q->req));

    return s == NULL ? "" : s;
}

const char *web_param(struct web_req *q, const char *name)
{
    if (!q->parsed) {
        TAILQ_INIT(&q->params);
        q->parsed = true;
        if (evhttp_parse_query_str(web_query(q), &q->params) != 0)
            evhttp_clear_headers(&q->params);
    }
    return evhttp_find_header(&q->params, name);
}

int64_t web_number(struct web_req *q, const char *name, int64_t def)
{
    const char *s = web_param(q, name);
    char *end;
    long long v;

    if (s == NULL)
        return def;
    v = strtoll(s, &end, 10);
    return end == s || *end != 0 ? def : v;
}

/* ---- answers ------------------------------------------------------------- */

static void put_headers(struct web_req *q, const char *const *headers)
{
    struct evkeyvalq *h = evhttp_request_get_output_headers(q->req);

    for (; headers != NULL && *headers != NULL; headers += 2)
        evhttp_add_header(h, headers[0], headers[1]);
}

/* From here on reading serves to notice the end only, so it may last. */
static void watch_reader(struct web_req *q)
{
    const struct timeval write_limit = { WRITE_S, 0 };
    struct bufferevent *b = stream(q);

    if (b == NULL)
        return;
    bufferevent_setwatermark(b, EV_READ, 0, 4096);
    bufferevent_set_timeouts(b, NULL, &write_limit);
    bufferevent_enable(b, EV_READ);
}

void web_start(struct web_req *q, int code, const char *const *headers)
{
    q->started = true;
    if (q->req == NULL)
        return;
    put_headers(q, headers);
    evhttp_add_header(evhttp_request_get_output_headers(q->req), "Connection",
        "close");
    evhttp_send_reply_start(q->req, code, NULL);
    watch_reader(q);
}

bool web_started(const struct web_req *q)
{
    return q->started;
}

void web_put(struct web_req *q, const void *p, size_t n)
{
    struct evbuffer *b;

    if (q->req == NULL || q->gone || n == 0)
        return;
    b = evbuffer_new();
    if (b != NULL && evbuffer_add(b, p, n) == 0)
        evhttp_send_reply_chunk_with_cb(q->req, b, on_written, q);
    if (b != NULL)
        evbuffer_free(b);
}

static void req_free(struct web_req *q)
{
    struct web *w = q->w;

    if (q->parsed)
        evhttp_clear_headers(&q->params);
    LIST_REMOVE(q, link);
    v23_put(NULL, q);
    if (--w->nreqs == 0 && w->http == NULL)
        v23_put(NULL, w);
}

/* Nobody hears of the connection any more. */
static void let_go(struct web_req *q)
{
    struct evhttp_connection *c = q->gone ? NULL
        : evhttp_request_get_connection(q->req);

    if (c != NULL)
        evhttp_connection_set_closecb(c, NULL, NULL);
}

void web_end(struct web_req *q)
{
    if (q->req == NULL) {
        req_free(q);
        return;
    }
    if (!q->started)
        web_start(q, 200, NULL);
    let_go(q);
    evhttp_send_reply_end(q->req);
    req_free(q);
}

void web_reply(struct web_req *q, int code, const char *const *headers,
    struct v23_bytes body)
{
    struct evbuffer *b;

    if (q->req == NULL) {
        req_free(q);
        return;
    }
    b = evbuffer_new();
    if (b != NULL && body.n != 0)
        evbuffer_add(b, body.p, body.n);
    put_headers(q, headers);
    let_go(q);
    evhttp_send_reply(q->req, code, NULL, b);
    if (b != NULL)
        evbuffer_free(b);
    req_free(q);
}

/* ---- the server ---------------------------------------------------------- */

/* Split "host:port" and see that the host is this machine's loopback. */
static int loopback(const char *addr, char *host, size_t size, char *port)
{
    const char *colon = strrchr(addr, ':');
    size_t n = colon == NULL ? strlen(addr) : (size_t)(colon - addr);

    if (colon == NULL || strlen(colon + 1) > 5
        || strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return v23_error("-addr: \"%s\" is not of the form host:port", addr);
    snprintf(port, 8, "%s", colon[1] == 0 ? "0" : colon + 1);
    if (atoi(port) > 65535)
        return v23_error("-addr: \"%s\" is not a port", port);
    snprintf(host, size, "%.*s", n > 15 ? 15 : (int)n, addr);
    if (n == 0 || strcmp(host, "localhost") == 0)
        strcpy(host, "127.0.0.1");
    else if (strcmp(host, "[::1]") == 0 || strcmp(host, "::1") == 0)
        strcpy(host, "::1");
    else if (n > 15 || strncmp(host, "127.", 4) != 0)
        return v23_error("-addr: \"%s\" is not an address of this machine "
            "for itself, such as 127.0.0.1 or [::1]; nobody else is to see "
            "the pages", addr);
    return 0;
}

static int bound_port(struct evhttp_bound_socket *s)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    socklen_t n = sizeof(at);

    if (getsockname(evhttp_bound_socket_get_fd(s), &at.any, &n) != 0)
        return 0;
    return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port
                                              : at.v4.sin_port);
}

static int listen_at(struct web *w, const char *addr)
{
    struct evhttp_bound_socket *bound;
    char host[64], port[8];

    if (loopback(addr, host, sizeof(host), port) != 0)
        return 1;
    bound = evhttp_bind_socket_with_handle(w->http, host,
        (uint16_t)atoi(port));
    if (bound == NULL)
        return v23_error("cannot listen on %s", addr);
    snprintf(w->port, sizeof(w->port), "%d", bound_port(bound));
    snprintf(w->address, sizeof(w->address),
        strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, w->port);
    return 0;
}

int web_open(struct event_base *base, const char *addr, web_handler_fn *fn,
    void *ud, struct web **out)
{
    struct web *w = v23_new(NULL, struct web);

    if (w == NULL || (w->http = evhttp_new(base)) == NULL) {
        v23_put(NULL, w);
        return v23_error("out of memory");
    }
    LIST_INIT(&w->reqs);
    w->fn = fn;
    w->ud = ud;
    evhttp_set_allowed_methods(w->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_max_headers_size(w->http, WEB_HEADERS);
    evhttp_set_max_body_size(w->http, WEB_BODY);
    evhttp_set_timeout(w->http, READ_S);
    evhttp_set_gencb(w->http, on_request, w);
    if (listen_at(w, addr == NULL || *addr == 0 ? "127.0.0.1:0" : addr) != 0) {
        evhttp_free(w->http);
        v23_put(NULL, w);
        return 1;
    }
    *out = w;
    return 0;
}

const char *web_address(const struct web *w)
{
    return w->address;
}

void web_close(struct web *w)
{
    struct web_req *q, *next;

    if (w == NULL)
        return;
    for (q = LIST_FIRST(&w->reqs); q != NULL; q = next) {
        next = LIST_NEXT(q, link);
        let_go(q);
        if (q->gone)
            evhttp_send_reply_end(q->req); /* no connection has it any more */
        q->req = NULL;
        reader_gone(q);
    }
    evhttp_free(w->http);
    w->http = NULL;
    if (w->nreqs == 0)
        v23_put(NULL, w);
}
