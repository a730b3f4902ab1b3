/* BSD-3-Clause; see LICENSE. */
/*
 * HTTP/1.1 and websockets on libevent. A connection collects a head, then a
 * body; its answer ends it. As a websocket it only moves frames: what they mean
 * is its object's affair. Everything that ends a connection is put off to the
 * end of the loop turn, where output is written, too.
 */
#define _DEFAULT_SOURCE /* TCP_KEEPIDLE */

#include "http_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>
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
#define ANSWER_TIME (30 * V23_NS_PER_SEC)      /* for an answer to be taken */
#define LINGER (1 * V23_NS_PER_SEC)            /* for the peer's own end */
#define PRESSURE_PAUSE (5 * V23_NS_PER_MS)
#define SCRATCH 65536u
#define KEPT (256u * 1024u) /* of buffers that are shared */
#define GOING_AWAY 1001u

enum state {
    REQUEST,   /* head or body are to come */
    ANSWERING, /* the answer is being made, */
    ANSWERED,  /* … is being sent */
    WEBSOCKET,
    ENDING,    /* the last is being sent, */
    LINGERING  /* … was sent, the peer is to close */
};

struct wspr_conn_ {
    struct wspr_http_ *h;
    struct wspr_conn_ *next, **plink;   /* of all */
    struct wspr_conn_ *rnext, **rplink; /* in state REQUEST, oldest first */
    struct wspr_conn_ *wnext, **wplink; /* with something to do */
    void *object;
    struct vrpc_ws *ws;
    enum state state;
    bool reading, broken;
    bool full; /* the socket takes no more for now */
    int fd;
    struct event read, write, timer;
    int64_t armed;    /* when `timer` fires */
    int64_t deadline; /* of the state; of a websocket, the peer's next sign */
    int64_t ping;     /* when to ask for one */
    int64_t alarm;    /* the object's */
    struct v23_buf in;  /* the request so far */
    size_t head;        /* octets of its head, when that is whole */
    size_t body;        /* … and of its body */
    struct v23_buf out; /* to be sent, from `off` on */
    size_t off;
};

struct wspr_http_ {
    struct wspr_http_config_ cfg;
    struct event_base *base;
    int fd;
    struct event accept, pause, turn;
    bool turn_active;
    char address[64], peer[64];
    size_t nconns;
    struct wspr_conn_ *conns;
    struct wspr_conn_ *requests, **requests_tail;
    struct wspr_conn_ *work, **work_tail;
    uint8_t *scratch;
    struct v23_buf message; /* put together here */
    struct v23_buf spare;   /* memory for the next `out` */
};

/* ---- time ---------------------------------------------------------------- */

static int64_t now_of(const struct wspr_http_ *h)
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

    if (c->state == WEBSOCKET)
        at = earlier(at, c->ping);
    if (at >= c->armed)
        return;
    tv = timeval(at == INT64_MIN ? 0 : at - now_of(c->h));
    if (event_add(&c->timer, &tv) == 0)
        c->armed = at;
}

/* ---- lists --------------------------------------------------------------- */

static void want_work(struct wspr_conn_ *c)
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

static void request_ends(struct wspr_conn_ *c)
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
    request_ends(c);
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

/* Whatever is in its queue has no way to go. */
static void break_down(struct wspr_conn_ *c)
{
    c->broken = true;
    want_work(c);
}

static void set_state(struct wspr_conn_ *c, enum state s, int64_t time)
{
    c->state = s;
    c->deadline = now_of(c->h) + time;
    want_work(c);
}

/* ---- sending ------------------------------------------------------------- */

/* The queue, with memory from the last one that was emptied. */
static struct v23_buf *out_of(struct wspr_conn_ *c)
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
    if (c->out.cap > h->spare.cap && c->out.cap <= KEPT) {
        v23_buf_fini(&h->spare);
        h->spare = c->out;
        v23_buf_init(&c->out, h->cfg.al, SIZE_MAX);
    } else {
        v23_buf_fini(&c->out);
    }
}

/* Control frames go to where messages are. */
static void take_control(struct wspr_conn_ *c)
{
    if (c->ws != NULL && vrpc_ws_wants_output(c->ws) &&
        vrpc_ws_output(c->ws, out_of(c)) != 0)
        c->broken = true;
}

/* 0: all is written; V23_EAGAIN; V23_ESYS */
static int write_out(struct wspr_conn_ *c)
{
    ssize_t k;

    take_control(c);
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
        if (c->full && c->state == WEBSOCKET) /* so it is being read */
            c->deadline = now_of(c->h) + c->h->cfg.patience_ns;
    }
    c->full = c->off < c->out.n;
    if (!c->full) {
        out_is_empty(c);
        (void)event_del(&c->write);
        return 0;
    }
    return event_add(&c->write, NULL) == 0 ? V23_EAGAIN : V23_ESYS;
}

void wspr_conn_send_(struct wspr_conn_ *c, const char *text, size_t n)
{
    if (c->state != WEBSOCKET || c->broken)
        return;
    if (wspr_conn_waiting_(c) > c->h->cfg.max_waiting) {
        v23_logf(c->h->cfg.log, V23_LOG_WARN,
            "wspr: %s does not read what is sent to it", wspr_conn_peer_(c));
        break_down(c);
        return;
    }
    take_control(c);
    if (c->off > 0 && c->off >= c->out.n / 2) {
        v23_buf_drop(&c->out, c->off);
        c->off = 0;
    }
    if (vrpc_ws_send(c->ws, (const uint8_t *)text, n, out_of(c)) != 0)
        c->broken = true;
    want_work(c);
}

size_t wspr_conn_waiting_(const struct wspr_conn_ *c)
{
    return c->out.n - c->off;
}

void wspr_conn_close_(struct wspr_conn_ *c, unsigned code, const char *why)
{
    if (c->state != WEBSOCKET)
        return;
    vrpc_ws_close(c->ws, code, why);
    set_state(c, ENDING, ANSWER_TIME);
}

/* ---- answers ------------------------------------------------------------- */

static const char *reason_of(int code)
{
    static const struct {
        int code;
        const char *text;
    } known[] = { { 200, "OK" }, { 204, "No Content" }, { 400, "Bad Request" },
        { 403, "Forbidden" }, { 404, "Not Found" },
        { 405, "Method Not Allowed" }, { 408, "Request Timeout" },
        { 411, "Length Required" }, { 413, "Content Too Large" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" }, { 503, "Service Unavailable" } };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].code == code)
            return known[i].text;
    return "Status";
}

void wspr_conn_reply_(struct wspr_conn_ *c, const struct wspr_reply_ *r)
{
    struct v23_buf *b = out_of(c);

    request_ends(c);
    v23_buf_fini(&c->in);
    v23_buf_printf(b, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
        "X-Content-Type-Options: nosniff\r\nContent-Length: %zu\r\n",
        r->code, reason_of(r->code),
        r->type != NULL ? r->type : "text/plain; charset=utf-8", r->body.n);
    if (r->headers != NULL)
        v23_buf_puts(b, r->headers);
    v23_buf_puts(b, "Connection: close\r\n\r\n");
    v23_buf_put(b, r->body.p, r->body.n);
    if (b->err != 0)
        c->broken = true;
    set_state(c, ANSWERED, ANSWER_TIME);
}

void wspr_conn_say_(struct wspr_conn_ *c, int code, const char *text)
{
    struct wspr_reply_ r = { .code = code };
    struct v23_buf b;

    v23_buf_init(&b, c->h->cfg.al, 1u << 20);
    v23_buf_printf(&b, "%s\n", text);
    r.body = v23_bytes(b.p, b.n);
    wspr_conn_reply_(c, &r);
    v23_buf_fini(&b);
}

/* ---- websockets ---------------------------------------------------------- */

static int on_open(void *ud)
{
    (void)ud;
    return 0;
}

static int on_message(void *ud, uint8_t *p, size_t n)
{
    struct wspr_conn_ *c = ud;

    if (c->object == NULL || c->state != WEBSOCKET)
        return 0;
    return c->h->cfg.hooks->message(c->object, (char *)p, n);
}

static size_t on_limit(void *ud)
{
    return ((struct wspr_conn_ *)ud)->h->cfg.max_message;
}

static const struct vrpc_ws_hooks ws_hooks = { on_open, on_message, on_limit,
    NULL };

int wspr_conn_upgrade_(struct wspr_conn_ *c, const struct wspr_request_ *r,
    const char *protocol)
{
    struct wspr_http_ *h = c->h;
    struct vrpc_ws_config cfg = { .engine = h->cfg.engine, .al = h->cfg.al,
        .hooks = &ws_hooks, .ud = c, .text = true, .upgraded = true };
    struct v23_buf *out = out_of(c);
    int rc = vrpc_ws_new(&cfg, &c->ws);

    if (rc == 0)
        rc = vrpc_ws_accept(h->cfg.engine, &r->head, protocol, out);
    if (rc != 0) {
        vrpc_ws_free(c->ws);
        c->ws = NULL;
        v23_buf_cut(out, 0);
        return rc;
    }
    request_ends(c);
    set_state(c, WEBSOCKET, h->cfg.patience_ns);
    c->ping = now_of(h) + h->cfg.ping_ns;
    return 0;
}

void wspr_conn_take_back_(struct wspr_conn_ *c)
{
    vrpc_ws_free(c->ws);
    c->ws = NULL;
    v23_buf_cut(&c->out, 0);
    set_state(c, ANSWERING, ANSWER_TIME);
}

static void frames_came(struct wspr_conn_ *c, const uint8_t *p, size_t n)
{
    struct wspr_http_ *h = c->h;
    const char *why = NULL;
    int rc;

    c->deadline = now_of(h) + h->cfg.patience_ns;
    rc = vrpc_ws_input(c->ws, p, n, &h->message, &why);
    if (h->message.cap > KEPT)
        v23_buf_fini(&h->message);
    if (rc == 0)
        return;
    if (rc != V23_ECLOSED)
        v23_logf(h->cfg.log, V23_LOG_INFO, "wspr: %s: %s", wspr_conn_peer_(c),
            why != NULL ? why : v23_strerror(rc));
    if (c->state == WEBSOCKET)
        set_state(c, ENDING, ANSWER_TIME);
}

/* ---- requests ------------------------------------------------------------ */

static struct vdl_str path_of(struct vdl_str target)
{
    const char *q = memchr(target.p, '?', target.n);

    return q == NULL ? target : vdl_strn(target.p, (size_t)(q - target.p));
}

static void request_is_whole(struct wspr_conn_ *c)
{
    struct v23_buf head = c->in;
    struct wspr_request_ r;

    request_ends(c);
    c->state = ANSWERING;
    c->deadline = V23_NEVER;
    head.n = c->head;
    if (vrpc_http_head_parse(&head, &r.head) != 0) {
        wspr_conn_say_(c, 400, "Bad Request"); /* it was well-formed before */
        return;
    }
    r.path = path_of(r.head.target);
    r.body = v23_bytes(c->in.p + c->head, c->body);
    c->h->cfg.hooks->request(c->h->cfg.ud, c, &r);
    if (c->state == WEBSOCKET || c->state == ANSWERING)
        v23_buf_fini(&c->in);
}

/* Digits only; more than a body may have: SIZE_MAX. */
static size_t length_of(struct vdl_str s)
{
    size_t n = 0;
    uint32_t i;

    for (i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return SIZE_MAX;
        n = n > SIZE_MAX / 100 ? n : 10 * n + (size_t)(s.p[i] - '0');
    }
    return s.n == 0 ? SIZE_MAX : n;
}

/* 0, or the status of what is wrong with a head. */
static int check_head(struct wspr_conn_ *c)
{
    struct vrpc_http_head head;
    struct vdl_str v;
    unsigned n;

    if (vrpc_http_head_parse(&c->in, &head) != 0 ||
        !vrpc_http_head_is_request(&head) ||
        vrpc_http_head_get(&head, "Host", &v) != 1)
        return 400;
    if (vrpc_http_head_get(&head, "Transfer-Encoding", &v) > 0)
        return 411;
    n = vrpc_http_head_get(&head, "Content-Length", &v);
    c->head = c->in.n;
    c->body = n == 0 ? 0 : length_of(v);
    return n > 1 ? 400 : c->body > c->h->cfg.max_body ? 413 : 0;
}

/* Bytes of a request; what is left of them belongs to a websocket. */
static void request_came(struct wspr_conn_ *c, const uint8_t *p, size_t n)
{
    size_t used = 0, more;
    int rc = 0, code;

    if (c->head == 0) {
        rc = vrpc_http_head_collect(&c->in, p, n, &used);
        code = rc == 0 ? check_head(c) : rc == V23_ELIMIT ? 431 : 0;
        if (code != 0) {
            wspr_conn_say_(c, code, reason_of(code));
            return;
        }
        if (rc != 0 && rc != V23_EAGAIN)
            break_down(c);
        if (rc != 0)
            return;
        c->in.max = SIZE_MAX;
    }
    more = c->head + c->body - c->in.n;
    more = more < n - used ? more : n - used;
    v23_buf_put(&c->in, p + used, more);
    used += more;
    if (c->in.err != 0) {
        break_down(c);
        return;
    }
    if (c->in.n < c->head + c->body)
        return;
    request_is_whole(c);
    if (c->state == WEBSOCKET && used < n)
        frames_came(c, p + used, n - used);
}

/* ---- events -------------------------------------------------------------- */

static void on_read(evutil_socket_t fd, short what, void *ud)
{
    struct wspr_conn_ *c = ud;
    ssize_t n = recv(fd, c->h->scratch, SCRATCH, 0);

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    want_work(c);
    if (n == 0 && (c->state == ANSWERED || c->state == ENDING))
        wspr_conn_set_reading_(c, false); /* it may still take the rest */
    else if (n <= 0)
        c->broken = true;
    else if (c->state == REQUEST)
        request_came(c, c->h->scratch, (size_t)n);
    else if (c->state == WEBSOCKET)
        frames_came(c, c->h->scratch, (size_t)n);
    /* Else it was read so that the end is noticed, and is dropped. */
}

static void on_write(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    want_work(ud);
}

static void on_timer(evutil_socket_t fd, short what, void *ud)
{
    struct wspr_conn_ *c = ud;
    int64_t now = now_of(c->h);

    (void)fd;
    (void)what;
    c->armed = V23_NEVER;
    want_work(c);
    if (c->state == WEBSOCKET && !c->reading)
        c->deadline = now + c->h->cfg.patience_ns; /* we do not listen */
    if (c->deadline <= now) {
        if (c->state == WEBSOCKET)
            v23_logf(c->h->cfg.log, V23_LOG_INFO, "wspr: no sign of life from "
                "%s", wspr_conn_peer_(c));
        c->broken = true;
        return;
    }
    if (c->state == WEBSOCKET && c->ping <= now) {
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
    set_state(c, LINGERING, LINGER);
    wspr_conn_set_reading_(c, true);
    arm(c);
}

/* What is to be done at the end of a turn. */
static void work(struct wspr_conn_ *c)
{
    bool waited = wspr_conn_waiting_(c) > 0;
    int rc;

    drop_work(c);
    if (c->state == ENDING)
        let_go(c);
    rc = c->broken ? V23_ECLOSED : write_out(c);
    if (rc == 0 && (c->state == ENDING || c->state == ANSWERED))
        linger(c);
    if (c->broken || (rc != 0 && rc != V23_EAGAIN)) {
        conn_free(c);
        return;
    }
    if (rc == 0 && waited && c->state == WEBSOCKET && c->object != NULL)
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
        want_work(h->work);
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
    set_state(c, REQUEST, h->cfg.request_ns);
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
        if (c->state == WEBSOCKET)
            wspr_conn_close_(c, GOING_AWAY, "the server ends");
        else if (c->state == REQUEST)
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
        break_down(c);
}

void wspr_conn_alarm_(struct wspr_conn_ *c, int64_t at)
{
    c->alarm = at;
    arm(c);
}
