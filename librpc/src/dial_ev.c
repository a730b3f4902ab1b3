/* BSD-3-Clause; see LICENSE. */
/*
 * Connecting TCP sockets: literal addresses at once, host names through evdns;
 * the addresses of a name are tried one after the other. Every answer, also of
 * a failure at once, is given from the end of the loop turn.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/dns.h>
#include <event2/util.h>

#include "ev_int.h"

#define MAX_ADDRESSES 16

struct vrpc_ev_dial_ {
    struct vrpc_ev_node *node;
    struct vrpc_ev_dial_ *next, **plink;
    struct v23_op op;
    struct vdl_str protocol;
    char *text;            /* storage of protocol, host, port */
    char *host, *port;
    int family;
    struct evdns_getaddrinfo_request *request;
    struct sockaddr_storage addrs[MAX_ADDRESSES];
    socklen_t lens[MAX_ADDRESSES];
    size_t naddrs, at;
    int fd;                /* connecting, or -1 */
    struct event event;    /* writable: connected or failed */
    struct event timer;    /* deadline */
    int rc;                /* result, with `finished` */
    bool finished, resolving, wanted;
    char why[160];
};

int vrpc_ev_family_(struct vdl_str p)
{
    if (p.n == 0 || vdl_str_is(p, "tcp") || vdl_str_is(p, "wsh"))
        return AF_UNSPEC;
    if (vdl_str_is(p, "tcp4") || vdl_str_is(p, "wsh4"))
        return AF_INET;
    if (vdl_str_is(p, "tcp6") || vdl_str_is(p, "wsh6"))
        return AF_INET6;
    return V23_ENOSYS;
}

/* ---- ends ---------------------------------------------------------------- */

static void dial_free(struct vrpc_ev_dial_ *d)
{
    const struct v23_alloc *al = d->node->ev->al;

    event_del(&d->event);
    event_del(&d->timer);
    if (d->fd >= 0)
        close(d->fd);
    *d->plink = d->next;
    if (d->next != NULL)
        d->next->plink = d->plink;
    v23_put(al, d->text);
    v23_put(al, d);
}

static void finish(struct vrpc_ev_dial_ *d, int rc, const char *why)
{
    if (d->finished)
        return;
    d->finished = true;
    d->rc = rc;
    if (why != NULL)
        snprintf(d->why, sizeof(d->why), "%s", why);
    event_del(&d->event);
    event_del(&d->timer);
    vrpc_ev_turn_(d->node->ev);
}

/* ---- connecting ---------------------------------------------------------- */

static void try_next(struct vrpc_ev_dial_ *d, int err);

static void on_connect(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev_dial_ *d = ud;
    socklen_t n = sizeof(int);
    int err = 0;

    (void)what;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0)
        err = errno;
    if (err == 0) {
        finish(d, 0, NULL);
        return;
    }
    close(d->fd);
    d->fd = -1;
    d->at++;
    try_next(d, err);
}

/* Start connecting to the next address; false: it failed at once. */
static bool start(struct vrpc_ev_dial_ *d, int *err)
{
    struct sockaddr *sa = (struct sockaddr *)&d->addrs[d->at];

    d->fd = socket(sa->sa_family, SOCK_STREAM, 0);
    if (d->fd >= 0 && vrpc_ev_socket_options_(d->fd, true) == 0) {
        if (connect(d->fd, sa, d->lens[d->at]) == 0 ||
            errno == EINPROGRESS || errno == EINTR) {
            event_assign(&d->event, d->node->ev->base, d->fd, EV_WRITE,
                on_connect, d);
            if (event_add(&d->event, NULL) == 0)
                return true;
        }
    }
    *err = errno;
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    return false;
}

static void try_next(struct vrpc_ev_dial_ *d, int err)
{
    while (d->at < d->naddrs) {
        if (start(d, &err))
            return;
        d->at++;
    }
    finish(d, err == ETIMEDOUT ? V23_ETIMEOUT : V23_ESYS,
        err == 0 ? "no address" : strerror(err));
}

static void add_addresses(struct vrpc_ev_dial_ *d,
    const struct evutil_addrinfo *ai)
{
    for (; ai != NULL && d->naddrs < MAX_ADDRESSES; ai = ai->ai_next) {
        if (ai->ai_addrlen > sizeof(d->addrs[0]) ||
            (ai->ai_family != AF_INET && ai->ai_family != AF_INET6))
            continue;
        memcpy(&d->addrs[d->naddrs], ai->ai_addr, ai->ai_addrlen);
        d->lens[d->naddrs++] = ai->ai_addrlen;
    }
}

/* ---- resolving ----------------------------------------------------------- */

static void on_resolved(int err, struct evutil_addrinfo *ai, void *ud)
{
    struct vrpc_ev_dial_ *d = ud;

    d->request = NULL;
    if (err == 0)
        add_addresses(d, ai);
    if (ai != NULL)
        evutil_freeaddrinfo(ai);
    if (d->resolving && !d->wanted) {
        d->resolving = false;
        dial_free(d); /* cancelled meanwhile */
        return;
    }
    d->resolving = false;
    if (d->finished)
        return;
    if (err != 0)
        finish(d, V23_ESYS, evutil_gai_strerror(err));
    else
        try_next(d, 0);
}

static void resolve(struct vrpc_ev_dial_ *d)
{
    struct vrpc_ev *ev = d->node->ev;
    struct evutil_addrinfo hints, *ai = NULL;
    struct evdns_getaddrinfo_request *req;

    memset(&hints, 0, sizeof(hints));
    hints.ai_family = d->family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = EVUTIL_AI_NUMERICHOST;
    if (evutil_getaddrinfo(d->host, d->port, &hints, &ai) == 0) {
        add_addresses(d, ai);
        evutil_freeaddrinfo(ai);
        try_next(d, 0);
        return;
    }
    if (ev->dns == NULL)
        ev->dns = evdns_base_new(ev->base,
            EVDNS_BASE_INITIALIZE_NAMESERVERS |
                EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (ev->dns == NULL) {
        finish(d, V23_ENOMEM, "no resolver");
        return;
    }
    hints.ai_flags = 0;
    d->resolving = true;
    req = evdns_getaddrinfo(ev->dns, d->host, d->port, &hints, on_resolved,
        d);
    if (d->resolving)
        d->request = req;
}

/* ---- dials --------------------------------------------------------------- */

static void on_deadline(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    finish(ud, V23_ETIMEOUT, "connection timed out");
}

/* Split "host:port" into NUL-terminated strings of the dial. */
static int set_address(struct vrpc_ev_dial_ *d, struct vdl_str protocol,
    struct vdl_str address)
{
    struct vdl_str host, port;

    if (vrpc_split_host_port(address, &host, &port) != 0)
        return V23_EENDPOINT;
    d->text = v23_get(d->node->ev->al,
        (size_t)protocol.n + host.n + port.n + 16);
    if (d->text == NULL)
        return V23_ENOMEM;
    if (protocol.n > 0)
        memcpy(d->text, protocol.p, protocol.n);
    d->protocol = vdl_strn(d->text, protocol.n);
    d->host = d->text + protocol.n;
    /* No host means this machine. */
    d->port = d->host + sprintf(d->host, "%.*s", (int)host.n, host.p) + 1;
    if (host.n == 0)
        d->port = d->host + sprintf(d->host, "127.0.0.1") + 1;
    sprintf(d->port, "%.*s", (int)port.n, port.p);
    return 0;
}

int vrpc_ev_dial_(void *ud, struct v23_op op, struct vdl_str protocol,
    struct vdl_str address, int64_t deadline)
{
    struct vrpc_ev_node *n = ud;
    int family = vrpc_ev_family_(protocol), rc;
    struct vrpc_ev_dial_ *d;
    struct timeval tv;
    struct v23_now now;

    if (family < 0)
        return family;
    d = v23_new(n->ev->al, struct vrpc_ev_dial_);
    if (d == NULL)
        return V23_ENOMEM;
    d->node = n;
    d->op = op;
    d->fd = -1;
    d->family = family;
    d->wanted = true;
    d->next = n->dials;
    if (d->next != NULL)
        d->next->plink = &d->next;
    d->plink = &n->dials;
    n->dials = d;
    event_assign(&d->event, n->ev->base, -1, 0, on_connect, d);
    event_assign(&d->timer, n->ev->base, -1, 0, on_deadline, d);
    rc = set_address(d, protocol, address);
    if (rc == 0 && deadline != V23_NEVER) {
        vrpc_ev_now(n->ev, &now);
        tv = vrpc_ev_timeval_(deadline - now.mono_ns);
        if (event_add(&d->timer, &tv) != 0)
            rc = V23_ENOMEM;
    }
    if (rc != 0) {
        dial_free(d);
        return rc;
    }
    resolve(d);
    return V23_EAGAIN;
}

static void dial_drop(struct vrpc_ev_dial_ *d)
{
    d->wanted = false;
    if (d->resolving) {
        d->finished = true;
        event_del(&d->timer);
        if (d->request != NULL)
            evdns_getaddrinfo_cancel(d->request); /* on_resolved frees */
        return;
    }
    dial_free(d);
}

void vrpc_ev_dial_cancel_(void *ud, struct v23_op op)
{
    struct vrpc_ev_node *n = ud;
    struct vrpc_ev_dial_ *d;

    for (d = n->dials; d != NULL; d = d->next)
        if (d->wanted && d->op.index == op.index &&
            d->op.generation == op.generation) {
            dial_drop(d);
            return;
        }
}

/* Hand a connected socket to the manager. */
static void deliver(struct vrpc_ev_dial_ *d)
{
    struct vrpc_ev_node *n = d->node;
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    struct vrpc_endpoint local;
    struct vrpc_ev_link_ *l;
    char text[96];
    struct v23_buf b;

    memset(&local, 0, sizeof(local));
    v23_buf_init_fixed(&b, text, sizeof(text));
    if (getsockname(d->fd, (struct sockaddr *)&sa, &len) == 0)
        vrpc_ev_format_addr_((struct sockaddr *)&sa, &b);
    local.protocol = vdl_str("tcp");
    local.address = vdl_strn(text, b.n);
    l = vrpc_ev_link_new_(n, d->fd);
    if (l == NULL) {
        d->rc = V23_ENOMEM;
        return;
    }
    d->fd = -1;
    vrpc_manager_dialed(n->m, d->op, 0, NULL, &l->link, &local,
        &l->conn);
    if (l->conn == NULL)
        vrpc_ev_link_free_(l);
    else
        (void)!vrpc_ev_link_start_(l);
}

void vrpc_ev_dials_work_(struct vrpc_ev_node *n)
{
    struct vrpc_ev_dial_ *d, *next;
    struct vrpc_conn *none;

    for (d = n->dials; d != NULL; d = next) {
        next = d->next;
        if (!d->finished || !d->wanted || d->resolving)
            continue;
        d->wanted = false; /* cancelling it from a hook does nothing now */
        if (d->rc == 0)
            deliver(d);
        if (d->rc != 0)
            vrpc_manager_dialed(n->m, d->op, d->rc,
                d->why[0] == 0 ? NULL : d->why, NULL, NULL, &none);
        next = d->next;
        dial_free(d);
    }
}

void vrpc_ev_dials_free_(struct vrpc_ev_node *n)
{
    struct vrpc_ev_dial_ *d, *next;

    for (d = n->dials; d != NULL; d = next) {
        next = d->next;
        if (d->wanted)
            dial_drop(d);
    }
}
