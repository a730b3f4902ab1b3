/* BSD-3-Clause; see LICENSE. */
/* The health server, on libevent's. */
#include "healthz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/util.h>

#include <v23/alloc.h>
#include <vrpc/endpoint.h>

#define TIMEOUT 10 /* seconds */
#define MAX_HEADERS 8192
#define MAX_BODY 4096

struct healthz {
    struct evhttp *http;
};

static void answer(struct evhttp_request *req, void *ud)
{
    struct evbuffer *body = evbuffer_new();
    struct evkeyvalq *h = evhttp_request_get_output_headers(req);

    (void)ud;
    evhttp_add_header(h, "Content-Type", "text/plain; charset=utf-8");
    if (body != NULL)
        evbuffer_add(body, "ok", 2);
    evhttp_send_reply(req, HTTP_OK, "OK", body);
    if (body != NULL)
        evbuffer_free(body);
}

static void say_where(const struct v23_log *log,
    struct evhttp_bound_socket *s)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof(ss);
    unsigned port = 0;

    if (getsockname(evhttp_bound_socket_get_fd(s), (struct sockaddr *)&ss,
            &n) == 0) {
        if (ss.ss_family == AF_INET)
            port = ntohs(((const struct sockaddr_in *)&ss)->sin_port);
        else if (ss.ss_family == AF_INET6)
            port = ntohs(((const struct sockaddr_in6 *)&ss)->sin6_port);
    }
    v23_logf(log, V23_LOG_INFO, "healthz server on port %u", port);
}

static int bind_at(struct healthz *h, const struct v23_log *log,
    const char *address)
{
    struct vdl_str host, port;
    struct evhttp_bound_socket *s = NULL;
    char name[256], *end;
    unsigned long n;

    if (vrpc_split_host_port(vdl_str(address), &host, &port) != 0 ||
        host.n >= sizeof(name) || port.n == 0)
        return V23_EARG;
    n = strtoul(port.p, &end, 10);
    if (end != port.p + port.n || n > 65535 || port.p[0] == '-')
        return V23_EARG;
    if (host.n > 0)
        memcpy(name, host.p, host.n);
    name[host.n] = 0;
    if (host.n > 0) {
        s = evhttp_bind_socket_with_handle(h->http, name, (uint16_t)n);
    } else {
        /* Of both versions of IP, where the system has both. */
        s = evhttp_bind_socket_with_handle(h->http, "::", (uint16_t)n);
        if (s == NULL)
            s = evhttp_bind_socket_with_handle(h->http, "0.0.0.0",
                (uint16_t)n);
    }
    if (s == NULL)
        return V23_ESYS;
    say_where(log, s);
    return 0;
}

int healthz_start(struct event_base *base, const struct v23_log *log,
    const char *address, struct healthz **out)
{
    struct healthz *h = v23_new(NULL, struct healthz);
    int rc = V23_ENOMEM;

    if (h == NULL)
        return rc;
    h->http = evhttp_new(base);
    if (h->http != NULL) {
        evhttp_set_timeout(h->http, TIMEOUT);
        evhttp_set_max_headers_size(h->http, MAX_HEADERS);
        evhttp_set_max_body_size(h->http, MAX_BODY);
        evhttp_set_gencb(h->http, answer, NULL);
        rc = bind_at(h, log, address);
    }
    if (rc != 0)
        healthz_stop(h);
    else
        *out = h;
    return rc;
}

void healthz_stop(struct healthz *h)
{
    if (h == NULL)
        return;
    if (h->http != NULL)
        evhttp_free(h->http);
    v23_put(NULL, h);
}
