/* BSD-3-Clause; see LICENSE. */
/*
 * Listening sockets, what a server publishes about them, and its shutdown
 * (spec/rpc.md 14.6, 20.3, 20.4). A listener that fails is tried again every
 * second; out of descriptors, connections are given up, more each time.
 */
#define _DEFAULT_SOURCE /* SO_REUSEPORT */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/util.h>

#include <vsec/check.h>

#include "ev_int.h"

#define BACKLOG 1024
#define ACCEPT_AT_ONCE 16
#define RELISTEN (1 * V23_NS_PER_SEC)
#define PRESSURE_PAUSE (5 * V23_NS_PER_MS)
#define MAX_PRESSURE 1024u
#define MAX_PENDING 4096u /* links that have not said yet what they are */

/* ---- accepting ----------------------------------------------------------- */

/* Drop up to n links that have no connection yet, the oldest first. */
static size_t drop_pending(struct vrpc_ev_node *node, size_t n)
{
    size_t done = 0;

    for (; done < n && node->pending != NULL; done++)
        vrpc_ev_link_gone_(node->pending);
    return done;
}

static void under_pressure(struct vrpc_ev_listener_ *l)
{
    struct timeval tv = vrpc_ev_timeval_(PRESSURE_PAUSE);
    size_t n = l->pressure == 0 ? 1 : l->pressure, k;

    v23_logf(l->node->ev->log, V23_LOG_WARN,
        "out of file descriptors: closing %zu connections", n);
    k = drop_pending(l->node, n);
    if (k < n)
        (void)vrpc_manager_reclaim(l->node->m, n - k);
    l->pressure = n < MAX_PRESSURE ? 2 * n : n;
    event_del(&l->event);
    if (event_add(&l->pause, &tv) != 0)
        (void)event_add(&l->event, NULL);
}

static void on_pause_over(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev_listener_ *l = ud;

    (void)fd;
    (void)what;
    if (l->fd >= 0)
        (void)event_add(&l->event, NULL);
}

int vrpc_ev_accept_link_(struct vrpc_ev_link_ *l)
{
    struct vrpc_ev_node *n = l->node;
    struct vrpc_endpoint local;
    int rc;

    memset(&local, 0, sizeof(local));
    local.protocol = l->listener->protocol;
    local.address = vdl_str(l->listener->bound);
    rc = vrpc_manager_accepted(n->m, &l->link, &local, &l->conn);
    if (rc != 0)
        v23_logf(n->ev->log, V23_LOG_WARN, "connection refused: %s",
            v23_strerror(rc));
    return rc;
}

static void accepted(struct vrpc_ev_listener_ *li, int fd)
{
    struct vrpc_ev_node *n = li->node;
    struct vrpc_ev_link_ *l;

    if (vrpc_ev_socket_options_(fd, li->what->family != AF_UNIX) != 0 ||
        (l = vrpc_ev_link_new_(n, fd, li->what->accept)) == NULL) {
        close(fd);
        return;
    }
    l->listener = li;
    if (n->npending >= MAX_PENDING)
        vrpc_ev_link_gone_(n->pending); /* it has had the most time */
    if (vrpc_ev_wire_accept_(l) != 0)
        vrpc_ev_link_free_(l);
    else
        (void)!vrpc_ev_link_start_(l);
}

static void on_accept(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev_listener_ *l = ud;
    int i, c;

    (void)what;
    for (i = 0; i < ACCEPT_AT_ONCE; i++) {
        c = accept(fd, NULL, NULL);
        if (c < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                under_pressure(l);
            return; /* others concern one connection, or nothing is left */
        }
        l->pressure = 0;
        accepted(l, c);
    }
}

/* ---- listening ----------------------------------------------------------- */

static void relisten(evutil_socket_t fd, short what, void *ud);

static void explain(struct vrpc_ev_listener_ *l, const char *step,
    const char *why)
{
    snprintf(l->why, sizeof(l->why), "(%.*s, %.*s): %s: %s",
        (int)l->protocol.n, l->protocol.p, (int)l->address.n, l->address.p,
        step, why);
}

static int failed(struct vrpc_ev_listener_ *l, const char *step,
    const char *why)
{
    struct timeval tv = vrpc_ev_timeval_(RELISTEN);

    explain(l, step, why);
    v23_logf(l->node->ev->log, V23_LOG_INFO, "listen error: %s", l->why);
    event_assign(&l->event, l->node->ev->base, -1, 0, relisten, l);
    (void)event_add(&l->event, &tv);
    return V23_ESYS;
}

/* A bound and listening socket, or -1 with errno and *step. */
static int open_socket(const struct vrpc_ev_node *n,
    const struct evutil_addrinfo *ai, bool dual, const char **step)
{
    int one = 1, zero = 0, fd, err;

    *step = "socket";
    fd = socket(ai->ai_family, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
#ifdef SO_REUSEPORT
    if (n->shared_port)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
#else
    (void)n;
#endif
    if (ai->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, dual ? &zero : &one,
            sizeof(one));
    if (vrpc_ev_socket_options_(fd, false) == 0) {
        *step = "bind";
        if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
            *step = "listen";
            if (listen(fd, BACKLOG) == 0)
                return fd;
        }
    }
    err = errno;
    close(fd);
    errno = err;
    return -1;
}

/* host:port, host, :port; NUL-terminated copies. */
static void split(struct vdl_str address, char host[256], char port[32])
{
    struct vdl_str h, p;

    if (vrpc_split_host_port(address, &h, &p) != 0) {
        h = address;
        p = vdl_str("0");
    }
    snprintf(host, 256, "%.*s", (int)h.n, h.p);
    snprintf(port, 32, "%.*s", (int)p.n, p.n == 0 ? "0" : p.p);
}

/* A socket that listens on one of the addresses, or -1. */
static int open_one(const struct vrpc_ev_node *n,
    const struct evutil_addrinfo *list, bool any, const char **step)
{
    const struct evutil_addrinfo *ai;
    int fd = -1, pass;

    errno = EADDRNOTAVAIL;
    *step = "resolve";
    /* Both families on one socket where possible, else the first that goes. */
    for (pass = 0; pass < 2 && fd < 0; pass++)
        for (ai = list; ai != NULL && fd < 0; ai = ai->ai_next)
            if (pass == 1 || (any && ai->ai_family == AF_INET6))
                fd = open_socket(n, ai, pass == 0, step);
    return fd;
}

static int listening(struct vrpc_ev_listener_ *l, int fd, const char *step)
{
    socklen_t len = sizeof(l->sa);
    struct v23_buf b;

    if (fd < 0)
        return failed(l, step, strerror(errno));
    l->fd = fd;
    l->why[0] = 0;
    (void)getsockname(fd, (struct sockaddr *)&l->sa, &len);
    v23_buf_init_fixed(&b, l->bound, sizeof(l->bound) - 1);
    vrpc_ev_format_addr_((struct sockaddr *)&l->sa, len, &b);
    l->bound[b.n] = 0;
    if (vrpc_ev_is_unspecified_((struct sockaddr *)&l->sa))
        vrpc_ev_roam_(l);
    event_assign(&l->event, l->node->ev->base, fd, EV_READ | EV_PERSIST,
        on_accept, l);
    return event_add(&l->event, NULL) == 0 ? 0 : V23_ENOMEM;
}

static void on_resolved(void *ud, int err, struct evutil_addrinfo *ai)
{
    struct vrpc_ev_listener_ *l = ud;
    const char *step;
    int fd;

    l->lookup = NULL;
    if (err != 0) {
        (void)failed(l, "resolve", evutil_gai_strerror(err));
        return;
    }
    fd = open_one(l->node, ai, false, &step);
    if (listening(l, fd, step) == 0)
        vrpc_ev_endpoints_changed_(l->node);
}

/* 0; V23_EAGAIN: the name is being looked up, on_resolved() follows; … */
static int listen_ip(struct vrpc_ev_listener_ *l)
{
    struct evutil_addrinfo *list = NULL;
    char host[256], port[32];
    struct vrpc_ev_host_ h = { host, port, l->what->family };
    const char *step;
    int fd;

    split(l->address, host, port);
    if (host[0] == 0)
        h.name = NULL;
    if (vrpc_ev_numeric_(&h, &list) == 0) {
        fd = open_one(l->node, list, h.family == AF_UNSPEC
                && (h.name == NULL || strcmp(host, "::") == 0), &step);
        evutil_freeaddrinfo(list);
        return listening(l, fd, step);
    }
    explain(l, "resolve", "no answer yet");
    l->lookup = vrpc_ev_lookup_(l->node->ev, &h, on_resolved, l);
    return l->lookup == NULL ? failed(l, "resolve", "out of memory")
                             : V23_EAGAIN;
}

static int listen_now(struct vrpc_ev_listener_ *l)
{
    const char *step;
    int fd;

    if (l->what->family != AF_UNIX)
        return listen_ip(l);
    fd = vrpc_ev_unix_listen_(l->address, BACKLOG, &l->file, &step);
    return listening(l, fd, step);
}

static void relisten(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev_listener_ *l = ud;

    (void)fd;
    (void)what;
    if (listen_now(l) == 0)
        vrpc_ev_endpoints_changed_(l->node);
}

static void listener_free(struct vrpc_ev_listener_ *l)
{
    struct vrpc_ev_link_ *p, *next;

    for (p = l->node->pending; p != NULL; p = next) {
        next = p->pnext;
        if (p->listener == l)
            vrpc_ev_link_gone_(p);
    }
    event_del(&l->event);
    event_del(&l->pause);
    vrpc_ev_lookup_cancel_(l->lookup);
    if (l->fd >= 0)
        close(l->fd);
    vrpc_ev_unix_remove_(&l->file);
    vrpc_ev_unroam_(l);
    v23_put(l->node->ev->al, l->text);
    v23_put(l->node->ev->al, l);
}

static struct vrpc_ev_listener_ *listener_new(struct vrpc_ev_node *n,
    const struct vrpc_listen_addr *a, const struct vrpc_ev_protocol_ *what)
{
    const struct v23_alloc *al = n->ev->al;
    struct vrpc_ev_listener_ *l = v23_new(al, struct vrpc_ev_listener_), **p;

    if (l == NULL)
        return NULL;
    l->text = v23_get(al, (size_t)a->protocol.n + a->address.n + 1);
    if (l->text == NULL) {
        v23_put(al, l);
        return NULL;
    }
    if (a->protocol.n > 0)
        memcpy(l->text, a->protocol.p, a->protocol.n);
    memcpy(l->text + a->protocol.n, a->address.p, a->address.n);
    l->protocol = vdl_strn(l->text, a->protocol.n);
    l->address = vdl_strn(l->text + a->protocol.n, a->address.n);
    l->node = n;
    l->what = what;
    l->fd = -1;
    event_assign(&l->event, n->ev->base, -1, 0, relisten, l);
    event_assign(&l->pause, n->ev->base, -1, 0, on_pause_over, l);
    for (p = &n->listeners; *p != NULL; p = &(*p)->next)
        ;
    *p = l;
    return l;
}

int vrpc_ev_listen(struct vrpc_ev_node *n,
    const struct vrpc_listen_addr *addrs, size_t naddrs)
{
    const struct vrpc_ev_protocol_ *what;
    struct vrpc_ev_listener_ *l;
    int first = 0, rc;
    size_t i;

    for (i = 0; i < naddrs; i++) {
        if (addrs[i].address.n == 0)
            continue;
        what = vrpc_ev_protocol_(addrs[i].protocol);
        l = what == NULL ? NULL : listener_new(n, &addrs[i], what);
        rc = what == NULL ? V23_ENOSYS
            : l == NULL   ? V23_ENOMEM
                          : listen_now(l);
        if (first == 0 || (first == V23_EAGAIN && rc != 0))
            first = rc;
    }
    vrpc_ev_endpoints_changed_(n);
    return first;
}

int vrpc_ev_listen_status_(const struct vrpc_ev_node *n)
{
    const struct vrpc_ev_listener_ *l;
    int rc = 0;

    for (l = n->listeners; l != NULL && rc != V23_EAGAIN; l = l->next)
        if (l->fd < 0)
            rc = l->lookup != NULL ? V23_EAGAIN : V23_ESYS;
    return rc;
}

void vrpc_ev_listeners_free_(struct vrpc_ev_node *n)
{
    struct vrpc_ev_listener_ *l;

    while ((l = n->listeners) != NULL) {
        n->listeners = l->next;
        listener_free(l);
    }
}

static void proxied_changed(void *ud)
{
    vrpc_ev_endpoints_changed_(ud);
}

int vrpc_ev_listen_proxied(struct vrpc_ev_node *n,
    const struct vrpc_proxied_config *cfg)
{
    struct vrpc_proxied_config c = *cfg;

    if (n->proxied != NULL)
        return V23_ESTATE;
    c.changed = proxied_changed;
    c.ud = n;
    return vrpc_proxied_new(n->m, &c, &n->proxied);
}

const char *vrpc_ev_proxy_errors(struct vrpc_ev_node *n)
{
    return n->proxied == NULL ? "" : vrpc_proxied_errors(n->proxied);
}

void vrpc_ev_unlisten(struct vrpc_ev_node *n)
{
    vrpc_ev_loops_unlisten_(n->loops);
    vrpc_ev_listeners_free_(n);
    vrpc_proxied_free(n->proxied);
    n->proxied = NULL;
}

const char *vrpc_ev_listen_errors(struct vrpc_ev_node *n)
{
    const struct vrpc_ev_listener_ *l;

    v23_buf_cut(&n->errors, 0);
    for (l = n->listeners; l != NULL; l = l->next)
        if (l->fd < 0)
            v23_buf_printf(&n->errors, "%s\n", l->why);
    return v23_buf_cstr(&n->errors);
}

/* ---- shutdown ------------------------------------------------------------ */

void vrpc_ev_server_stopped_(struct vrpc_ev_node *n)
{
    void (*fn)(void *ud) = n->stop_fn;

    if (!n->stopped || !vrpc_ev_loops_stopped_(n->loops) || fn == NULL)
        return;
    n->stop_fn = NULL;
    fn(n->stop_ud);
}

static void server_stopped(void *ud)
{
    struct vrpc_ev_node *n = ud;

    n->stopped = true;
    vrpc_ev_server_stopped_(n);
}

void vrpc_ev_server_stop(struct vrpc_ev_node *n, int64_t lame_duck_ns,
    void (*done)(void *ud), void *ud)
{
    n->stop_fn = done;
    n->stop_ud = ud;
    vrpc_ev_unlisten(n);
    vrpc_ev_loops_stop_(n->loops, lame_duck_ns);
    vrpc_manager_stop(n->m, lame_duck_ns, server_stopped, n);
}
