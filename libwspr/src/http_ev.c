/* BSD-3-Clause; see LICENSE. */
/*
 * HTTP/1.1 and websockets on libevent: sockets and time. Everything that ends a
 * connection is put off to the end of the loop turn, where output is written,
 * too. What a connection reads goes to http_request_ev.c, then, of a websocket,
 * to http_websocket_ev.c.
 */
#define _DEFAULT_SOURCE /* TCP_KEEPIDLE */

#include "ev_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/util.h>

#include <vrpc/ev.h>
#include <vrpc/websocket.h>
#include <vsec/crypto.h>

#define BACKLOG 1024
#define ACCEPT_AT_ONCE 16
#define KEEPALIVE_S 180                        /* spec/wspr.md 2 */
#define PING (50 * V23_NS_PER_SEC)             /* likewise */
#define PATIENCE (60 * V23_NS_PER_SEC)         /* likewise */
#define REQUEST_TIME (10 * V23_NS_PER_SEC)     /* for head and body */
#define LINGER (1 * V23_NS_PER_SEC)            /* for the peer's own end */
#define PRESSURE_PAUSE (5 * V23_NS_PER_MS)
#define SCRATCH 65536u
#define GOING_AWAY 1001u

/* ---- time ---------------------------------------------------------------- */

int64_t wspr_http_now_(const struct wspr_http_ *h)
{
    struct v23_now now;

    vrpc_ev_now(h->cfg.ev, &now);
    return now.mono_ns;
}

static struct timeval timeval(int64_t ns)
{
    struct timeval tv;

    ns = ns < 0 ? 0 : ns + 999; /* rounded up */
    tv.tv_sec = (time_t)(ns / V23_NS_PER_SEC);
    tv.tv_usec = (suseconds_t)(ns % V23_NS_PER_SEC / 1000);
    return tv;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A timer that fires too early is armed again then. */
static void arm(struct wspr_conn_ *c)
{
    int64_t at = earlier(c->deadline, c->alarm);
    struct timeval tv;

    if (c->state == WSPR_CONN_WEBSOCKET_)
        at = earlier(at, c->ping);
    if (at >= c->armed)
        return;
    tv = timeval(at == INT64_MIN ? 0 : at - wspr_http_now_(c->h));
    if (event_add(&c->timer, &tv) == 0)
        c->armed = at;
}

/* ---- lists --------------------------------------------------------------- */

void wspr_conn_want_work_(struct wspr_conn_ *c)
{
    struct wspr_http_ *h = c->h;

    if (!h->turn_active) {
        event_active(&h->turn, 0, 0);
        h->turn_active = true;
    }
    if (c->wplink != NULL)
        return;
    c->wnext = NULL;
    c->wplink = h->work_tail;
    *h->work_tail = c;
    h->work_tail = &c->wnext;
}

static void drop_work(struct wspr_conn_ *c)
{
    if (c->wplink == NULL)
        return;
    *c->wplink = c->wnext;
    if (c->wnext != NULL)
        c->wnext->wplink = c->wplink;
    else
        c->h->work_tail = c->wplink;
    c->wplink = NULL;
}

static void request_begins(struct wspr_conn_ *c)
{
    struct wspr_http_ *h = c->h;

    c->rplink = h->requests_tail;
    *h->requests_tail = c;
    h->requests_tail = &c->rnext;
}

void wspr_conn_request_ends_(struct wspr_conn_ *c)
{
    if (c->rplink == NULL)
        return;
    *c->rplink = c->rnext;
    if (c->rnext != NULL)
        c->rnext->rplink = c->rplink;
    else
        c->h->requests_tail = c->rplink;
    c->rplink = NULL;
}

/* ---- the end ------------------------------------------------------------- */

/* The object hears of nothing any more. */
static void let_go(struct wspr_conn_ *c)
{
    void *object = c->object;

    c->object = NULL;
    c->alarm = V23_NEVER;
    if (object != NULL)
        c->h->cfg.hooks->gone(object);
}

static void conn_free(struct wspr_conn_ *c)
{
    struct wspr_http_ *h = c->h;

    let_go(c);
    drop_work(c);
    wspr_conn_request_ends_(c);
    event_del(&c->read);
    event_del(&c->write);
    event_del(&c->timer);
    close(c->fd);
    vrpc_ws_free(c->ws);
    v23_buf_fini(&c->in);
    v23_buf_fini(&c->out);
    *c->plink = c->next;
    if (c->next != NULL)
        c->next->plink = c->plink;
    h->nconns--;
    v23_put(h->cfg.al, c);
}

void wspr_conn_break_down_(struct wspr_conn_ *c)
{
    c->broken = true;
    wspr_conn_want_work_(c);
}

void wspr_conn_set_state_(struct wspr_conn_ *c, enum wspr_conn_state_ s,
    int64_t time)
{
    c->state = s;
    c->deadline = wspr_http_now_(c->h) + time;
    wspr_conn_want_work_(c);
}

/* ---- sending ------------------------------------------------------------- */

struct v23_buf *wspr_conn_out_(struct wspr_conn_ *c)
{
    struct wspr_http_ *h = c->h;

    if (c->out.p == NULL && h->spare.p != NULL) {
        c->out = h->spare;
        v23_buf_init(&h->spare, h->cfg.al, SIZE_MAX);
    }
    return &c->out;
}

static void out_is_empty(struct wspr_conn_ *c)
{
    struct wspr_http_ *h = c->h;

    v23_buf_cut(&c->out, 0);
    c->off = 0;
    if (c->out.cap > h->spare.cap && c->out.cap <= WSPR_HTTP_KEPT_) {
        v23_buf_fini(&h->spare);
        h->spare = c->out;
        v23_buf_init(&c->out, h->cfg.al, SIZE_MAX);
    } else {
        v23_buf_fini(&c->out);
    }
}

/* 0: all is written; V23_EAGAIN; V23_ESYS */
static int write_out(struct wspr_conn_ *c)
{
    ssize_t k;

    wspr_conn_take_control_(c);
    if (c->out.n == 0)
        return 0;
    while (c->off < c->out.n) {
        k = send(c->fd, c->out.p + c->off, c->out.n - c->off, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return V23_ESYS;
        if (k < 0)
            break;
        c->off += (size_t)k;
        /* What is read gives time to read the rest. */
        if (c->full && c->state == WSPR_CONN_WEBSOCKET_)
            c->deadline = wspr_http_now_(c->h) + c->h->cfg.patience_ns;
    }
    c->full = c->off < c->out.n;
    if (!c->full) {
        out_is_empty(c);
        (void)event_del(&c->write);
        return 0;
    }
    return event_add(&c->write, NULL) == 0 ? V23_EAGAIN : V23_ESYS;
}

size_t wspr_conn_waiting_(const struct wspr_conn_ *c)
{
    return c->out.n - c->off;
}

/* ---- events -------------------------------------------------------------- */

static void on_read(evutil_socket_t fd, short what, void *ud)
{
    struct wspr_conn_ *c = ud;
    ssize_t n = recv(fd, c->h->scratch, SCRATCH, 0);

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    wspr_conn_want_work_(c);
    if (n == 0 && (c->state == WSPR_CONN_ANSWERED_ ||
                      c->state == WSPR_CONN_ENDING_))
        wspr_conn_set_reading_(c, false); /* it may still take the rest */
    else if (n <= 0)
        c->broken = true;
    else if (c->state == WSPR_CONN_REQUEST_)
        wspr_conn_request_came_(c, c->h->scratch, (size_t)n);
    else if (c->state == WSPR_CONN_WEBSOCKET_)
        wspr_conn_frames_came_(c, c->h->scratch, (size_t)n);
    /* Else it was read so that the end is noticed, and is dropped. */
}

static void on_write(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    wspr_conn_want_work_(ud);
}

static void on_timer(evutil_socket_t fd, short what, void *ud)
{
    struct wspr_conn_ *c = ud;
    int64_t now = wspr_http_now_(c->h);

    (void)fd;
    (void)what;
    c->armed = V23_NEVER;
    wspr_conn_want_work_(c);
    if (c->state == WSPR_CONN_WEBSOCKET_ && !c->reading)
        c->deadline = now + c->h->cfg.patience_ns; /* we do not listen */
    if (c->deadline <= now) {
        if (c->state == WSPR_CONN_WEBSOCKET_)
            v23_logf(c->h->cfg.log, V23_LOG_INFO, "wspr: no sign of life from "
                "%s", wspr_conn_peer_(c));
        c->broken = true;
        return;
    }
    if (c->state == WSPR_CONN_WEBSOCKET_ && c->ping <= now) {
        vrpc_ws_ping(c->ws);
        c->ping = now + c->h->cfg.ping_ns;
    }
    if (c->alarm <= now) {
        c->alarm = V23_NEVER;
        if (c->object != NULL)
            c->h->cfg.hooks->alarm(c->object);
    }
}

/* All is sent: half-close, so that nothing of it is lost. */
static void linger(struct wspr_conn_ *c)
{
    if (shutdown(c->fd, SHUT_WR) != 0) {
        c->broken = true;
        return;
    }
    wspr_conn_set_state_(c, WSPR_CONN_LINGERING_, LINGER);
    wspr_conn_set_reading_(c, true);
    arm(c);
}

/* What is to be done at the end of a turn. */
static void work(struct wspr_conn_ *c)
{
    bool waited = wspr_conn_waiting_(c) > 0;
    int rc;

    drop_work(c);
    if (c->state == WSPR_CONN_ENDING_)
        let_go(c);
    rc = c->broken ? V23_ECLOSED : write_out(c);
    if (rc == 0 && (c->state == WSPR_CONN_ENDING_ ||
                       c->state == WSPR_CONN_ANSWERED_))
        linger(c);
    if (c->broken || (rc != 0 && rc != V23_EAGAIN)) {
        conn_free(c);
        return;
    }
    if (rc == 0 && waited && c->state == WSPR_CONN_WEBSOCKET_ &&
        c->object != NULL)
        c->h->cfg.hooks->drained(c->object);
    arm(c);
}

/* Those that get something to do meanwhile have their turn later. */
static void on_turn(evutil_socket_t fd, short what, void *ud)
{
    struct wspr_http_ *h = ud;
    struct wspr_conn_ *c, **end = h->work_tail;
    bool last = h->work == NULL;

    (void)fd;
    (void)what;
    h->turn_active = false;
    while (!last) {
        c = h->work;
        last = end == &c->wnext || c == NULL;
        if (c != NULL)
            work(c);
    }
    if (h->work != NULL)
        wspr_conn_want_work_(h->work);
}

/* ---- accepting ----------------------------------------------------------- */

static void socket_options(int fd)
{
    int one = 1, period = KEEPALIVE_S;

    /* What fails here costs speed, not correctness. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
#ifdef TCP_KEEPIDLE
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &period, sizeof(period));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &period, sizeof(period));
#else
    (void)period;
#endif
}

static int conn_new(struct wspr_http_ *h, int fd)
{
    struct wspr_conn_ *c = v23_new(h->cfg.al, struct wspr_conn_);

    if (c == NULL)
        return V23_ENOMEM;
    c->h = h;
    c->fd = fd;
    c->armed = c->alarm = V23_NEVER;
    v23_buf_init(&c->in, h->cfg.al, VRPC_HTTP_HEAD_MAX);
    v23_buf_init(&c->out, h->cfg.al, SIZE_MAX);
    event_assign(&c->read, h->base, fd, EV_READ | EV_PERSIST, on_read, c);
    event_assign(&c->write, h->base, fd, EV_WRITE | EV_PERSIST, on_write, c);
    event_assign(&c->timer, h->base, -1, 0, on_timer, c);
    c->next = h->conns;
    if (c->next != NULL)
        c->next->plink = &c->next;
    c->plink = &h->conns;
    h->conns = c;
    h->nconns++;
    request_begins(c);
    wspr_conn_set_state_(c, WSPR_CONN_REQUEST_, h->cfg.request_ns);
    wspr_conn_set_reading_(c, true);
    return 0;
}

/* End the request that has had the most time; false: there is none. */
static bool drop_request(struct wspr_http_ *h)
{
    if (h->requests == NULL)
        return false;
    conn_free(h->requests);
    return true;
}

static void accepted(struct wspr_http_ *h, int fd)
{
    if ((h->nconns >= h->cfg.max_conns && !drop_request(h)) ||
        evutil_make_socket_nonblocking(fd) != 0 ||
        evutil_make_socket_closeonexec(fd) != 0) {
        close(fd);
        return;
    }
    socket_options(fd);
    if (conn_new(h, fd) != 0)
        close(fd);
}

static void on_accept(evutil_socket_t fd, short what, void *ud)
{
    struct timeval pause = timeval(PRESSURE_PAUSE);
    struct wspr_http_ *h = ud;
    int i, c;

    (void)what;
    for (i = 0; i < ACCEPT_AT_ONCE; i++) {
        c = accept(fd, NULL, NULL);
        if (c >= 0) {
            accepted(h, c);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
            errno == ENOMEM) {
            v23_logf(h->cfg.log, V23_LOG_WARN,
                "wspr: out of file descriptors");
            (void)drop_request(h);
            if (event_add(&h->pause, &pause) == 0)
                event_del(&h->accept);
        }
        return; /* other errors concern one connection, or nothing is left */
    }
}

static void on_pause_over(evutil_socket_t fd, short what, void *ud)
{
    struct wspr_http_ *h = ud;

    (void)fd;
    (void)what;
    if (h->fd >= 0)
        (void)event_add(&h->accept, NULL);
}

/* ---- addresses ----------------------------------------------------------- */

static void put_address(const struct sockaddr_storage *sa, char out[64])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
    char host[48] = "?";
    bool six = sa->ss_family == AF_INET6;

    (void)evutil_inet_ntop(sa->ss_family,
        six ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr,
        host, sizeof(host));
    snprintf(out, 64, six ? "[%s]:%u" : "%s:%u", host,
        (unsigned)ntohs(six ? v6->sin6_port : v4->sin_port));
}

const char *wspr_conn_peer_(struct wspr_conn_ *c)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t n = sizeof(sa);

    (void)getpeername(c->fd, (struct sockaddr *)&sa, &n);
    put_address(&sa, c->h->peer);
    return c->h->peer;
}

static int listen_on(struct wspr_http_ *h)
{
    struct sockaddr_storage sa = { 0 };
    int one = 1, n = sizeof(sa);
    socklen_t len;

    if (evutil_parse_sockaddr_port(h->cfg.host, (struct sockaddr *)&sa, &n)
        != 0)
        return V23_EARG;
    if (sa.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&sa)->sin6_port = htons(h->cfg.port);
    else
        ((struct sockaddr_in *)&sa)->sin_port = htons(h->cfg.port);
    h->fd = socket(sa.ss_family, SOCK_STREAM, 0);
    if (h->fd < 0)
        return V23_ESYS;
    (void)setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    len = (socklen_t)n;
    if (evutil_make_socket_nonblocking(h->fd) != 0 ||
        evutil_make_socket_closeonexec(h->fd) != 0 ||
        bind(h->fd, (struct sockaddr *)&sa, len) != 0 ||
        listen(h->fd, BACKLOG) != 0 ||
        getsockname(h->fd, (struct sockaddr *)&sa, &len) != 0)
        return V23_ESYS;
    put_address(&sa, h->address);
    event_assign(&h->accept, h->base, h->fd, EV_READ | EV_PERSIST, on_accept,
        h);
    return event_add(&h->accept, NULL) == 0 ? 0 : V23_ENOMEM;
}

/* ---- life ---------------------------------------------------------------- */

int wspr_http_new_(const struct wspr_http_config_ *cfg,
    struct wspr_http_ **out)
{
    struct wspr_http_ *h = v23_new(cfg->al, struct wspr_http_);
    int rc, err;

    if (h == NULL)
        return V23_ENOMEM;
    h->cfg = *cfg;
    h->cfg.request_ns = cfg->request_ns != 0 ? cfg->request_ns : REQUEST_TIME;
    h->cfg.ping_ns = cfg->ping_ns != 0 ? cfg->ping_ns : PING;
    h->cfg.patience_ns = cfg->patience_ns != 0 ? cfg->patience_ns : PATIENCE;
    h->cfg.engine = vsec_engine_ref(cfg->engine);
    h->base = vrpc_ev_base(cfg->ev);
    h->fd = -1;
    h->work_tail = &h->work;
    h->requests_tail = &h->requests;
    v23_buf_init(&h->message, cfg->al, SIZE_MAX);
    v23_buf_init(&h->spare, cfg->al, SIZE_MAX);
    event_assign(&h->accept, h->base, -1, EV_READ | EV_PERSIST, on_accept, h);
    event_assign(&h->pause, h->base, -1, 0, on_pause_over, h);
    event_assign(&h->turn, h->base, -1, 0, on_turn, h);
    h->scratch = v23_get(cfg->al, SCRATCH);
    rc = h->scratch == NULL ? V23_ENOMEM : listen_on(h);
    if (rc != 0) {
        err = errno;
        wspr_http_free_(h);
        errno = err;
        return rc;
    }
    *out = h;
    return 0;
}

const char *wspr_http_address_(const struct wspr_http_ *h)
{
    return h->address;
}

void wspr_http_unlisten_(struct wspr_http_ *h)
{
    struct wspr_conn_ *c, *next;

    if (h->fd >= 0) {
        event_del(&h->accept);
        event_del(&h->pause);
        close(h->fd);
        h->fd = -1;
    }
    for (c = h->conns; c != NULL; c = next) {
        next = c->next;
        if (c->state == WSPR_CONN_WEBSOCKET_)
            wspr_conn_close_(c, GOING_AWAY, "the server ends");
        else if (c->state == WSPR_CONN_REQUEST_)
            conn_free(c);
    }
}

void wspr_http_free_(struct wspr_http_ *h)
{
    if (h == NULL)
        return;
    wspr_http_unlisten_(h);
    while (h->conns != NULL) {
        (void)!write_out(h->conns);
        conn_free(h->conns);
    }
    event_del(&h->turn);
    v23_buf_fini(&h->message);
    v23_buf_fini(&h->spare);
    v23_put(h->cfg.al, h->scratch);
    vsec_engine_unref(h->cfg.engine);
    v23_put(h->cfg.al, h);
}

size_t wspr_http_nconns_(const struct wspr_http_ *h)
{
    return h->nconns;
}

/* ---- the object's side --------------------------------------------------- */

void wspr_conn_set_object_(struct wspr_conn_ *c, void *object)
{
    c->object = object;
}

void wspr_conn_set_reading_(struct wspr_conn_ *c, bool on)
{
    if (on == c->reading)
        return;
    c->reading = on;
    if (!on)
        (void)event_del(&c->read);
    else if (event_add(&c->read, NULL) != 0)
        wspr_conn_break_down_(c);
}

void wspr_conn_alarm_(struct wspr_conn_ *c, int64_t at)
{
    c->alarm = at;
    arm(c);
}
