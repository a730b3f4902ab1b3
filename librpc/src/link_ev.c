/* BSD-3-Clause; see LICENSE. */
/*
 * One socket with its connection. What comes is read into a buffer that all
 * share and goes through the link's wire, which knows what the bytes are; what
 * is to be sent is fetched at the end of the turn and written in one call.
 * Only what the socket does not take is kept, and only then writability is
 * waited for.
 *
 * A link has no connection while it is pending: an accepted one of which it
 * is not known yet what it speaks, or a websocket in its opening handshake.
 */
#define _DEFAULT_SOURCE /* TCP_KEEPIDLE */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "ev_int.h"

#define LINGER (1 * V23_NS_PER_SEC)
#define KEEPALIVE_S 30

/* ---- the work list ------------------------------------------------------- */

static void want_work(struct vrpc_ev_link_ *l)
{
    struct vrpc_ev *ev = l->node->ev;

    if (l->wplink != NULL)
        return;
    l->wnext = NULL;
    l->wplink = ev->work_tail;
    *ev->work_tail = l;
    ev->work_tail = &l->wnext;
    vrpc_ev_turn_(ev);
}

static void drop_work(struct vrpc_ev_link_ *l)
{
    struct vrpc_ev *ev = l->node->ev;

    if (l->wplink == NULL)
        return;
    *l->wplink = l->wnext;
    if (l->wnext != NULL)
        l->wnext->wplink = l->wplink;
    else
        ev->work_tail = l->wplink;
    l->wplink = NULL;
}

void vrpc_ev_link_wake_(struct vrpc_link *link)
{
    want_work((struct vrpc_ev_link_ *)link);
}

void vrpc_ev_link_closed_(struct vrpc_link *link)
{
    struct vrpc_ev_link_ *l = (struct vrpc_ev_link_ *)link;

    l->closing = true;
    want_work(l);
}

/* ---- pending links ------------------------------------------------------- */

void vrpc_ev_link_pend_(struct vrpc_ev_link_ *l, int64_t ns)
{
    struct vrpc_ev_node *n = l->node;
    struct v23_now now;

    vrpc_ev_now(n->ev, &now);
    l->deadline = now.mono_ns + ns;
    if (l->pplink != NULL)
        return;
    l->pnext = NULL;
    l->pplink = n->pending_tail;
    *n->pending_tail = l;
    n->pending_tail = &l->pnext;
    n->npending++;
}

static void unpend(struct vrpc_ev_link_ *l)
{
    struct vrpc_ev_node *n = l->node;

    if (l->pplink == NULL)
        return;
    *l->pplink = l->pnext;
    if (l->pnext != NULL)
        l->pnext->pplink = l->pplink;
    else
        n->pending_tail = l->pplink;
    l->pplink = NULL;
    n->npending--;
}

/* ---- ends ---------------------------------------------------------------- */

void vrpc_ev_link_free_(struct vrpc_ev_link_ *l)
{
    const struct v23_alloc *al = l->node->ev->al;

    drop_work(l);
    unpend(l);
    event_del(&l->read);
    event_del(&l->write);
    event_del(&l->timer);
    close(l->fd);
    vrpc_ws_free(l->ws);
    v23_buf_fini(&l->rest);
    *l->plink = l->next;
    if (l->next != NULL)
        l->next->plink = l->plink;
    v23_put(al, l);
}

void vrpc_ev_link_gone_(struct vrpc_ev_link_ *l)
{
    if (l->conn != NULL)
        vrpc_manager_release(l->node->m, l->conn);
    if (l->dial != NULL)
        vrpc_ev_dial_lost_(l->dial, V23_ECLOSED, NULL);
    vrpc_ev_link_free_(l);
}

static void link_failed(struct vrpc_ev_link_ *l, int status, const char *why)
{
    struct v23_now now;

    if (l->dial != NULL)
        vrpc_ev_dial_lost_(l->dial, status, why);
    l->dial = NULL;
    if (l->conn == NULL && why != NULL)
        v23_logf(l->node->ev->log, V23_LOG_DEBUG, "connection dropped: %s",
            why);
    if (l->conn != NULL && !l->closing) {
        vrpc_ev_now(l->node->ev, &now);
        vrpc_conn_input_end(l->conn, status, why, &now);
    }
    vrpc_ev_link_gone_(l);
}

int vrpc_ev_link_opened_(struct vrpc_ev_link_ *l)
{
    struct vrpc_ev_dial_ *d = l->dial;
    int rc;

    unpend(l);
    l->deadline = V23_NEVER;
    l->dial = NULL;
    rc = d != NULL ? vrpc_ev_dial_opened_(d, l) : vrpc_ev_accept_link_(l);
    l->listener = NULL;
    return rc;
}

/* ---- reading ------------------------------------------------------------- */

static void on_read(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev_link_ *l = ud;
    struct vrpc_ev *ev = l->node->ev;
    const char *why = NULL;
    struct v23_now now;
    ssize_t n;
    int rc;

    (void)what;
    n = recv(fd, ev->scratch, VRPC_EV_SCRATCH_, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        link_failed(l, n == 0 ? V23_ECLOSED : V23_ESYS,
            n == 0 ? "EOF" : strerror(errno));
        vrpc_ev_turn_(ev);
        return;
    }
    want_work(l);
    if (l->closing)
        return; /* read, so that the close is noticed, and dropped */
    vrpc_ev_now(ev, &now);
    rc = l->wire->input(l, ev->scratch, (size_t)n, &now, &why);
    if (rc == 0)
        return;
    /* Why not, if the socket takes it. */
    (void)!vrpc_ev_link_write_(l, &now);
    link_failed(l, rc, why);
    vrpc_ev_turn_(ev);
}

/* ---- writing ------------------------------------------------------------- */

/* Write n bytes; 0 and *done, or V23_ESYS. */
static int write_some(int fd, const uint8_t *p, size_t n, size_t *done)
{
    ssize_t k;

    *done = 0;
    while (*done < n) {
        k = send(fd, p + *done, n - *done, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : V23_ESYS;
        *done += (size_t)k;
        if ((size_t)k < n)
            break; /* the socket is full */
    }
    return 0;
}

static int write_rest(struct vrpc_ev_link_ *l)
{
    size_t done;
    int rc;

    if (l->rest.n == 0)
        return 0;
    rc = write_some(l->fd, l->rest.p + l->rest_off, l->rest.n - l->rest_off,
        &done);
    if (rc != 0)
        return rc;
    l->rest_off += done;
    if (l->rest_off < l->rest.n)
        return V23_EAGAIN;
    v23_buf_fini(&l->rest);
    l->rest_off = 0;
    event_del(&l->write);
    return 0;
}

int vrpc_ev_link_write_(struct vrpc_ev_link_ *l, const struct v23_now *now)
{
    struct vrpc_ev *ev = l->node->ev;
    size_t done;
    int rc;

    rc = write_rest(l);
    if (rc != 0 || !l->wire->wants(l))
        return rc;
    v23_buf_cut(&ev->out, 0);
    rc = l->wire->output(l, &ev->out, now);
    if (rc != 0 && ev->out.n == 0)
        return rc;
    rc = write_some(l->fd, ev->out.p, ev->out.n, &done);
    if (rc != 0 || done == ev->out.n)
        return rc;
    v23_buf_init(&l->rest, ev->al, SIZE_MAX);
    v23_buf_put(&l->rest, ev->out.p + done, ev->out.n - done);
    l->rest_off = 0;
    if (l->rest.err != 0)
        return l->rest.err;
    return event_add(&l->write, NULL) == 0 ? V23_EAGAIN : V23_ENOMEM;
}

void vrpc_ev_link_farewell_(struct vrpc_ev_link_ *l)
{
    struct v23_now now;

    vrpc_ev_now(l->node->ev, &now);
    if (vrpc_ev_link_write_(l, &now) != 0 || l->wire->bye == NULL)
        return;
    l->wire->bye(l);
    (void)!vrpc_ev_link_write_(l, &now);
}

static int64_t next_deadline(const struct vrpc_ev_link_ *l)
{
    return l->conn == NULL ? l->deadline : vrpc_conn_next_deadline(l->conn);
}

void vrpc_ev_link_work_(struct vrpc_ev_link_ *l, const struct v23_now *now)
{
    struct vrpc_ev *ev = l->node->ev;
    int rc;

    drop_work(l);
    rc = vrpc_ev_link_write_(l, now);
    if (rc == 0 && l->closing && l->wire->bye != NULL && !l->wire->wants(l)) {
        l->wire->bye(l);
        rc = vrpc_ev_link_write_(l, now);
    }
    if (rc != 0 && rc != V23_EAGAIN) {
        link_failed(l, rc, rc == V23_ESYS ? strerror(errno) : NULL);
        return;
    }
    if (rc == 0 && l->wire->wants(l)) {
        want_work(l); /* others first */
        return;
    }
    if (!l->closing) {
        vrpc_ev_arm_(ev, &l->timer, &l->armed, next_deadline(l));
        return;
    }
    if (rc == 0) {
        vrpc_ev_link_gone_(l);
    } else if (!l->lingers) {
        struct timeval tv = vrpc_ev_timeval_(LINGER);

        l->lingers = true;
        event_add(&l->timer, &tv);
    }
}

static void on_write(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    want_work(ud);
}

static void on_timer(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev_link_ *l = ud;
    struct vrpc_ev *ev = l->node->ev;
    struct v23_now now;

    (void)fd;
    (void)what;
    l->armed = V23_NEVER;
    if (l->lingers) {
        vrpc_ev_link_gone_(l);
        return;
    }
    vrpc_ev_now(ev, &now);
    if (!l->closing && next_deadline(l) <= now.mono_ns) {
        if (l->conn == NULL) {
            link_failed(l, V23_ETIMEOUT, "handshake timed out");
            vrpc_ev_turn_(ev);
            return;
        }
        vrpc_conn_tick(l->conn, &now);
    }
    want_work(l);
}

/* ---- life ---------------------------------------------------------------- */

struct vrpc_ev_link_ *vrpc_ev_link_new_(struct vrpc_ev_node *n, int fd,
    const struct vrpc_ev_wire_ *wire)
{
    struct vrpc_ev *ev = n->ev;
    struct vrpc_ev_link_ *l = v23_new(ev->al, struct vrpc_ev_link_);

    if (l == NULL)
        return NULL;
    vrpc_ev_link_set_wire_(l, wire);
    l->node = n;
    l->fd = fd;
    l->armed = l->deadline = V23_NEVER;
    v23_buf_init(&l->rest, ev->al, SIZE_MAX);
    event_assign(&l->read, ev->base, fd, EV_READ | EV_PERSIST, on_read, l);
    event_assign(&l->write, ev->base, fd, EV_WRITE | EV_PERSIST, on_write, l);
    event_assign(&l->timer, ev->base, -1, 0, on_timer, l);
    l->next = n->links;
    if (l->next != NULL)
        l->next->plink = &l->next;
    l->plink = &n->links;
    n->links = l;
    return l;
}

void vrpc_ev_link_set_wire_(struct vrpc_ev_link_ *l,
    const struct vrpc_ev_wire_ *wire)
{
    l->wire = wire;
    l->link.ops = &wire->link;
}

int vrpc_ev_link_start_(struct vrpc_ev_link_ *l)
{
    if (event_add(&l->read, NULL) != 0) {
        vrpc_ev_link_gone_(l);
        return V23_ENOMEM;
    }
    want_work(l);
    return 0;
}

int vrpc_ev_socket_options_(int fd, bool tcp)
{
    int one = 1, period = KEEPALIVE_S;

    if (evutil_make_socket_nonblocking(fd) != 0 ||
        evutil_make_socket_closeonexec(fd) != 0)
        return V23_ESYS;
    if (!tcp)
        return 0;
    /* What fails here costs speed, not correctness. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
#ifdef TCP_KEEPIDLE
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &period, sizeof(period));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &period, sizeof(period));
#endif
    return 0;
}
