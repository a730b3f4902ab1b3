/* BSD-3-Clause; see LICENSE. */
/*
 * Connecting: literal addresses at once, host names through evdns. Of several
 * addresses, those of the two families in turn, the next one is tried when one
 * has failed or has not answered for a while; the first connection wins
 * (RFC 8305). An answer is never given from inside the dial: a failure at the
 * end of a loop turn, a connection from its event.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/util.h>

#include "ev_int.h"

#define MAX_ADDRESSES 16
#define NEXT_AFTER (250 * V23_NS_PER_MS)

/* One address. */
struct attempt {
    struct vrpc_ev_dial_ *dial;
    struct sockaddr_storage sa;
    socklen_t len;
    int fd;             /* connecting, or -1 */
    struct event event; /* writable: connected or failed */
};

struct vrpc_ev_dial_ {
    struct vrpc_ev_node *node;
    struct vrpc_ev_dial_ *next, **plink;
    struct v23_op op;
    const struct vrpc_ev_protocol_ *protocol;
    char *text;            /* storage of host and port, or path */
    char *host, *port;
    struct vrpc_ev_lookup_ *lookup; /* of the host; or NULL */
    struct attempt attempts[MAX_ADDRESSES];
    size_t n, at;          /* addresses; the next one to try */
    size_t active;
    struct vrpc_ev_link_ *link; /* in its opening handshake */
    int fd;                /* connected, or -1 */
    struct event stagger;  /* try the next address */
    struct event timer;    /* deadline */
    int rc;                /* why it has failed: */
    bool finished, wanted;
    char why[160];
};

/* ---- ends ---------------------------------------------------------------- */

static void drop_attempts(struct vrpc_ev_dial_ *d)
{
    size_t i;

    event_del(&d->stagger);
    for (i = 0; i < d->at; i++) {
        event_del(&d->attempts[i].event);
        if (d->attempts[i].fd >= 0)
            close(d->attempts[i].fd);
        d->attempts[i].fd = -1;
    }
}

static void dial_free(struct vrpc_ev_dial_ *d)
{
    const struct v23_alloc *al = d->node->ev->al;

    drop_attempts(d);
    vrpc_ev_lookup_cancel_(d->lookup);
    event_del(&d->timer);
    if (d->link != NULL) {
        d->link->dial = NULL;
        vrpc_ev_link_free_(d->link);
    }
    if (d->fd >= 0)
        close(d->fd);
    *d->plink = d->next;
    if (d->next != NULL)
        d->next->plink = d->plink;
    v23_put(al, d->text);
    v23_put(al, d);
}

static void fail(struct vrpc_ev_dial_ *d, int rc, const char *why)
{
    if (d->finished)
        return;
    d->finished = true;
    d->rc = rc;
    if (why != NULL)
        snprintf(d->why, sizeof(d->why), "%s", why);
    drop_attempts(d);
    event_del(&d->timer);
    vrpc_ev_node_turn_(d->node);
}

/* ---- the transport ------------------------------------------------------- */

int vrpc_ev_dial_opened_(struct vrpc_ev_dial_ *d, struct vrpc_ev_link_ *l)
{
    struct vrpc_ev_node *n = d->node;
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    struct vrpc_endpoint local;
    char text[160];
    struct v23_buf b;

    memset(&local, 0, sizeof(local));
    v23_buf_init_fixed(&b, text, sizeof(text));
    if (getsockname(l->fd, (struct sockaddr *)&sa, &len) == 0)
        vrpc_ev_format_addr_((struct sockaddr *)&sa, len, &b);
    local.protocol = vdl_str(d->protocol->family == AF_UNIX ? "unix" : "tcp");
    local.address = vdl_strn(text, b.n);
    d->link = NULL;
    d->wanted = false; /* cancelling it from a hook does nothing now */
    vrpc_manager_dialed(n->m, d->op, 0, NULL, &l->link, &local, &l->conn);
    dial_free(d);
    return l->conn == NULL ? V23_ECANCELED : 0;
}

void vrpc_ev_dial_lost_(struct vrpc_ev_dial_ *d, int rc, const char *why)
{
    d->link = NULL;
    fail(d, rc, why);
}

/* The socket is connected: make a link of it. The dial may be gone. */
static void connected(struct vrpc_ev_dial_ *d)
{
    char text[300];
    struct vrpc_ev_link_ *l = vrpc_ev_link_new_(d->node, d->fd,
        d->protocol->dial);
    bool v6 = strchr(d->host, ':') != NULL;
    int rc;

    if (l == NULL) {
        fail(d, V23_ENOMEM, NULL);
        return;
    }
    d->fd = -1;
    d->link = l;
    l->dial = d;
    snprintf(text, sizeof(text), v6 ? "[%s]:%s" : "%s:%s", d->host, d->port);
    rc = vrpc_ev_wire_dial_(l, vdl_str(text));
    if (rc == 0) {
        (void)!vrpc_ev_link_start_(l);
        return;
    }
    if (l->dial != NULL)
        vrpc_ev_dial_lost_(l->dial, rc, NULL);
    vrpc_ev_link_free_(l);
}

/* ---- connecting ---------------------------------------------------------- */

static void try_next(struct vrpc_ev_dial_ *d, int err);

static void on_connect(evutil_socket_t fd, short what, void *ud)
{
    struct attempt *a = ud;
    struct vrpc_ev_dial_ *d = a->dial;
    socklen_t n = sizeof(int);
    int err = 0;

    (void)what;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0)
        err = errno;
    if (err == 0) {
        d->fd = a->fd;
        a->fd = -1;
        drop_attempts(d);
        connected(d);
        return;
    }
    close(a->fd);
    a->fd = -1;
    d->active--;
    try_next(d, err);
}

/* Start connecting; false: it failed at once. */
static bool start(struct attempt *a, int *err)
{
    struct sockaddr *sa = (struct sockaddr *)&a->sa;

    event_assign(&a->event, a->dial->node->ev->base, -1, 0, on_connect, a);
    a->fd = socket(sa->sa_family, SOCK_STREAM, 0);
    if (a->fd >= 0 &&
        vrpc_ev_socket_options_(a->fd, sa->sa_family != AF_UNIX) == 0) {
        if (connect(a->fd, sa, a->len) == 0 || errno == EINPROGRESS ||
            errno == EINTR) {
            event_assign(&a->event, a->dial->node->ev->base, a->fd, EV_WRITE,
                on_connect, a);
            if (event_add(&a->event, NULL) == 0)
                return true;
        }
    }
    *err = errno;
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
    return false;
}

static void try_next(struct vrpc_ev_dial_ *d, int err)
{
    struct timeval tv = vrpc_ev_timeval_(NEXT_AFTER);

    while (d->at < d->n) {
        if (!start(&d->attempts[d->at++], &err))
            continue;
        d->active++;
        if (d->at < d->n)
            (void)event_add(&d->stagger, &tv);
        return;
    }
    if (d->active == 0)
        fail(d, err == ETIMEDOUT ? V23_ETIMEOUT : V23_ESYS,
            err == 0 ? "no address" : strerror(err));
}

static void on_stagger(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    try_next(ud, 0);
}

/* ---- resolving ----------------------------------------------------------- */

/* The next address at or after `ai` that is of `family` or is not. */
static struct evutil_addrinfo *of_family(struct evutil_addrinfo *ai,
    int family, bool equal)
{
    while (ai != NULL && (ai->ai_family == family) != equal)
        ai = ai->ai_next;
    return ai;
}

static void add_address(struct vrpc_ev_dial_ *d, const void *sa, size_t n)
{
    struct attempt *a = &d->attempts[d->n];

    if (d->n == MAX_ADDRESSES || n > sizeof(a->sa))
        return;
    a->dial = d;
    a->fd = -1;
    memcpy(&a->sa, sa, n);
    a->len = (socklen_t)n;
    d->n++;
}

/* IPv6 and IPv4 in turn. */
static void add_addresses(struct vrpc_ev_dial_ *d, struct evutil_addrinfo *ai)
{
    struct evutil_addrinfo *v6 = of_family(ai, AF_INET6, true);
    struct evutil_addrinfo *v4 = of_family(ai, AF_INET6, false);

    while (v6 != NULL || v4 != NULL) {
        if (v6 != NULL) {
            add_address(d, v6->ai_addr, v6->ai_addrlen);
            v6 = of_family(v6->ai_next, AF_INET6, true);
        }
        if (v4 != NULL) {
            add_address(d, v4->ai_addr, v4->ai_addrlen);
            v4 = of_family(v4->ai_next, AF_INET6, false);
        }
    }
}

/* Somebody has connected to one of the addresses: then that will do. */
static bool is_connected(struct vrpc_ev_dial_ *d)
{
    struct vdl_str texts[MAX_ADDRESSES];
    char mem[MAX_ADDRESSES][80];
    struct v23_buf b;
    size_t i;

    for (i = 0; i < d->n; i++) {
        v23_buf_init_fixed(&b, mem[i], sizeof(mem[i]));
        vrpc_ev_format_addr_((struct sockaddr *)&d->attempts[i].sa,
            d->attempts[i].len, &b);
        texts[i] = vdl_strn(mem[i], b.n);
    }
    d->wanted = false; /* cancelling it from a hook does nothing now */
    if (vrpc_manager_resolved(d->node->m, d->op, texts, d->n)) {
        dial_free(d);
        return true;
    }
    d->wanted = true;
    return false;
}

static void on_resolved(void *ud, int err, struct evutil_addrinfo *ai)
{
    struct vrpc_ev_dial_ *d = ud;

    d->lookup = NULL;
    if (d->finished)
        return;
    if (err == 0)
        add_addresses(d, ai);
    if (err != 0)
        fail(d, V23_ESYS, evutil_gai_strerror(err));
    else if (!is_connected(d))
        try_next(d, 0);
}

static void resolve(struct vrpc_ev_dial_ *d)
{
    const struct vrpc_ev_host_ host = { d->host, d->port,
        d->protocol->family };
    struct evutil_addrinfo *ai = NULL;

    if (vrpc_ev_numeric_(&host, &ai) == 0) {
        add_addresses(d, ai);
        evutil_freeaddrinfo(ai);
        try_next(d, 0);
        return;
    }
    d->lookup = vrpc_ev_lookup_(d->node->ev, &host, on_resolved, d);
    if (d->lookup == NULL)
        fail(d, V23_ENOMEM, "no resolver");
}

/* ---- dials --------------------------------------------------------------- */

static void on_deadline(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    fail(ud, V23_ETIMEOUT, "connection timed out");
}

/* Split "host:port" into NUL-terminated strings of the dial. */
static int set_address(struct vrpc_ev_dial_ *d, struct vdl_str address)
{
    struct sockaddr_storage sa;
    struct vdl_str host, port;
    socklen_t len;
    int rc;

    d->text = v23_get(d->node->ev->al, (size_t)address.n + 16);
    if (d->text == NULL)
        return V23_ENOMEM;
    d->host = d->port = d->text;
    if (d->protocol->family == AF_UNIX) {
        d->text[0] = 0;
        rc = vrpc_ev_unix_address_(address, &sa, &len);
        if (rc == 0)
            add_address(d, &sa, len);
        return rc;
    }
    if (vrpc_split_host_port(address, &host, &port) != 0)
        return V23_EENDPOINT;
    /* No host means this machine. */
    d->port = d->host + sprintf(d->host, "%.*s", (int)host.n, host.p) + 1;
    if (host.n == 0)
        d->port = d->host + sprintf(d->host, "127.0.0.1") + 1;
    sprintf(d->port, "%.*s", (int)port.n, port.p);
    return 0;
}

static struct vrpc_ev_dial_ *dial_new(struct vrpc_ev_node *n,
    struct v23_op op, const struct vrpc_ev_protocol_ *protocol)
{
    struct vrpc_ev_dial_ *d = v23_new(n->ev->al, struct vrpc_ev_dial_);

    if (d == NULL)
        return NULL;
    d->node = n;
    d->op = op;
    d->fd = -1;
    d->protocol = protocol;
    d->wanted = true;
    d->next = n->dials;
    if (d->next != NULL)
        d->next->plink = &d->next;
    d->plink = &n->dials;
    n->dials = d;
    event_assign(&d->stagger, n->ev->base, -1, 0, on_stagger, d);
    event_assign(&d->timer, n->ev->base, -1, 0, on_deadline, d);
    return d;
}

int vrpc_ev_dial_(void *ud, struct v23_op op, struct vdl_str protocol,
    struct vdl_str address, int64_t deadline)
{
    struct vrpc_ev_node *n = ud;
    const struct vrpc_ev_protocol_ *p = vrpc_ev_protocol_(protocol);
    struct vrpc_ev_dial_ *d;
    struct timeval tv;
    struct v23_now now;
    int rc;

    if (p == NULL)
        return V23_ENOSYS;
    d = dial_new(n, op, p);
    if (d == NULL)
        return V23_ENOMEM;
    rc = set_address(d, address);
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
    if (p->family == AF_UNIX)
        try_next(d, 0);
    else
        resolve(d);
    return V23_EAGAIN;
}

static void dial_drop(struct vrpc_ev_dial_ *d)
{
    d->wanted = false;
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

static void tell_failure(struct vrpc_ev_dial_ *d)
{
    struct vrpc_conn *none;

    d->wanted = false;
    vrpc_manager_dialed(d->node->m, d->op, d->rc,
        d->why[0] == 0 ? NULL : d->why, NULL, NULL, &none);
    dial_free(d);
}

/* The first that has failed, or NULL. */
static struct vrpc_ev_dial_ *failed(struct vrpc_ev_node *n)
{
    struct vrpc_ev_dial_ *d;

    for (d = n->dials; d != NULL; d = d->next)
        if (d->finished && d->wanted)
            break;
    return d;
}

void vrpc_ev_dials_work_(struct vrpc_ev_node *n)
{
    struct vrpc_ev_dial_ *d;

    while ((d = failed(n)) != NULL)
        tell_failure(d);
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
