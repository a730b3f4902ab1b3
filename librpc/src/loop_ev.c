/* BSD-3-Clause; see LICENSE. */
/*
 * Moving bytes. In one loop turn each connection is read at most once, into a
 * buffer that all share; at the end of the turn everything that came of it is
 * fetched from each connection and given to the socket in one call. Only what
 * the socket does not take is kept, and only then writability is waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/dns.h>

#include <vrpc/client.h>

#include "ev_int.h"

#define OUT_AT_ONCE (256u * 1024u) /* fetched from one connection per turn */
#define KEEP_OUT (512u * 1024u)    /* memory of the shared buffer at rest */
#define LINGER (1 * V23_NS_PER_SEC)
#define KEEPALIVE_S 30
#define MAX_ROUNDS 16 /* of work in one turn, then the loop looks around */

/* ---- time ---------------------------------------------------------------- */

void vrpc_ev_now(const struct vrpc_ev *ev, struct v23_now *out)
{
    struct timespec t;

    (void)ev;
    clock_gettime(CLOCK_MONOTONIC, &t);
    out->mono_ns = (int64_t)t.tv_sec * V23_NS_PER_SEC + t.tv_nsec;
    clock_gettime(CLOCK_REALTIME, &t);
    out->wall.sec = t.tv_sec;
    out->wall.nanos = (int32_t)t.tv_nsec;
}

struct timeval vrpc_ev_timeval_(int64_t ns)
{
    struct timeval tv = { 0, 0 };

    if (ns <= 0)
        return tv;
    ns += 999; /* never early */
    tv.tv_sec = (time_t)(ns / V23_NS_PER_SEC);
    tv.tv_usec = (suseconds_t)(ns % V23_NS_PER_SEC / 1000);
    return tv;
}

/* Arm a timer event for a monotonic instant, unless it fires before. */
static void arm(struct vrpc_ev *ev, struct event *e, int64_t *armed,
    int64_t at)
{
    struct v23_now now;
    struct timeval tv;

    if (at >= *armed)
        return;
    vrpc_ev_now(ev, &now);
    tv = vrpc_ev_timeval_(at == INT64_MIN ? 0 : at - now.mono_ns);
    if (event_add(e, &tv) == 0)
        *armed = at;
}

/* ---- links --------------------------------------------------------------- */

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

void vrpc_ev_link_free_(struct vrpc_ev_link_ *l)
{
    const struct v23_alloc *al = l->node->ev->al;

    drop_work(l);
    event_del(&l->read);
    event_del(&l->write);
    event_del(&l->timer);
    close(l->fd);
    v23_buf_fini(&l->rest);
    *l->plink = l->next;
    if (l->next != NULL)
        l->next->plink = l->plink;
    v23_put(al, l);
}

/* The transport is of no more use. */
static void link_gone(struct vrpc_ev_link_ *l)
{
    vrpc_manager_release(l->node->m, l->conn);
    vrpc_ev_link_free_(l);
}

static void link_failed(struct vrpc_ev_link_ *l, int status, const char *why)
{
    struct v23_now now;

    if (!l->closing) {
        vrpc_ev_now(l->node->ev, &now);
        vrpc_conn_input_end(l->conn, status, why, &now);
    }
    link_gone(l);
}

static void on_read(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev_link_ *l = ud;
    struct vrpc_ev *ev = l->node->ev;
    struct v23_now now;
    ssize_t n;

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
    (void)!vrpc_conn_input(l->conn, ev->scratch, (size_t)n, &now);
}

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

/* Fetch and write. 0; V23_EAGAIN: waits for the socket; V23_ESYS, … */
static int write_out(struct vrpc_ev_link_ *l)
{
    struct vrpc_ev *ev = l->node->ev;
    struct v23_now now;
    size_t done;
    int rc;

    rc = write_rest(l);
    if (rc != 0 || !vrpc_conn_wants_output(l->conn))
        return rc;
    v23_buf_cut(&ev->out, 0);
    vrpc_ev_now(ev, &now);
    rc = vrpc_conn_output(l->conn, &ev->out, OUT_AT_ONCE, &now);
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

/* The work of one link at the end of a turn. */
static void link_work(struct vrpc_ev_link_ *l)
{
    struct vrpc_ev *ev = l->node->ev;
    int rc = write_out(l);

    if (rc != 0 && rc != V23_EAGAIN) {
        link_failed(l, rc, rc == V23_ESYS ? strerror(errno) : NULL);
        return;
    }
    if (rc == 0 && vrpc_conn_wants_output(l->conn)) {
        want_work(l); /* others first */
        return;
    }
    if (!l->closing) {
        arm(ev, &l->timer, &l->armed, vrpc_conn_next_deadline(l->conn));
        return;
    }
    if (rc == 0) {
        link_gone(l);
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
    struct v23_now now;

    (void)fd;
    (void)what;
    l->armed = V23_NEVER;
    if (l->lingers) {
        link_gone(l);
        return;
    }
    vrpc_ev_now(l->node->ev, &now);
    if (!l->closing && vrpc_conn_next_deadline(l->conn) <= now.mono_ns)
        vrpc_conn_tick(l->conn, &now);
    want_work(l);
}

static struct vrpc_ev_link_ *link_of(struct vrpc_link *l)
{
    return (struct vrpc_ev_link_ *)l;
}

static void link_wake(struct vrpc_link *l)
{
    want_work(link_of(l));
}

static void link_closed(struct vrpc_link *l)
{
    link_of(l)->closing = true;
    want_work(link_of(l));
}

static const struct vrpc_link_ops link_ops = { false, false, link_wake,
    link_closed };

struct vrpc_ev_link_ *vrpc_ev_link_new_(struct vrpc_ev_node *n, int fd)
{
    struct vrpc_ev *ev = n->ev;
    struct vrpc_ev_link_ *l = v23_new(ev->al, struct vrpc_ev_link_);

    if (l == NULL)
        return NULL;
    l->link.ops = &link_ops;
    l->node = n;
    l->fd = fd;
    l->armed = V23_NEVER;
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

int vrpc_ev_link_start_(struct vrpc_ev_link_ *l)
{
    if (event_add(&l->read, NULL) != 0) {
        link_gone(l);
        return V23_ENOMEM;
    }
    want_work(l);
    return 0;
}

int vrpc_ev_socket_options_(int fd, bool stream)
{
    int one = 1, period = KEEPALIVE_S;

    if (evutil_make_socket_nonblocking(fd) != 0 ||
        evutil_make_socket_closeonexec(fd) != 0)
        return V23_ESYS;
    if (!stream)
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

/* ---- the end of a turn --------------------------------------------------- */

static void manager_work(struct vrpc_ev_node *n, int64_t now)
{
    vrpc_ev_dials_work_(n);
    if (vrpc_manager_next_deadline(n->m) <= now)
        vrpc_manager_tick(n->m);
}

static int64_t next_timer(const struct vrpc_ev *ev)
{
    const struct vrpc_ev_node *n;
    int64_t at = V23_NEVER, t;

    for (n = ev->nodes; n != NULL; n = n->next) {
        t = vrpc_manager_next_deadline(n->m);
        at = t < at ? t : at;
    }
    return at;
}

/* One round over everything that has something to do now. */
static void work_round(struct vrpc_ev *ev)
{
    struct vrpc_ev_node *n, *next;
    struct vrpc_ev_link_ *l;
    struct v23_now now;
    size_t todo = 0;

    vrpc_ev_now(ev, &now);
    for (n = ev->nodes; n != NULL; n = next) {
        next = n->next;
        manager_work(n, now.mono_ns);
    }
    for (l = ev->work; l != NULL; l = l->wnext)
        todo++;
    while (todo-- > 0 && (l = ev->work) != NULL) {
        drop_work(l);
        link_work(l);
    }
}

static void end_of_turn(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev *ev = ud;
    struct v23_now now;
    int i;

    (void)fd;
    (void)what;
    ev->turn_active = false;
    for (i = 0; i < MAX_ROUNDS; i++) {
        work_round(ev);
        vrpc_ev_now(ev, &now);
        if (ev->work == NULL && next_timer(ev) > now.mono_ns)
            break;
    }
    if (i == MAX_ROUNDS)
        vrpc_ev_turn_(ev);
    if (ev->out.cap > KEEP_OUT)
        v23_buf_fini(&ev->out);
    arm(ev, &ev->timer, &ev->armed, next_timer(ev));
}

void vrpc_ev_turn_(struct vrpc_ev *ev)
{
    if (ev->turn_active)
        return;
    ev->turn_active = true;
    event_active(&ev->turn, EV_TIMEOUT, 1);
}

static void on_ev_timer(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev *ev = ud;

    (void)fd;
    (void)what;
    ev->armed = V23_NEVER;
    vrpc_ev_turn_(ev);
}

/* ---- the transport of managers ------------------------------------------- */

static void tr_now(void *ud, struct v23_now *out)
{
    vrpc_ev_now(((struct vrpc_ev_node *)ud)->ev, out);
}

static void tr_timer(void *ud)
{
    vrpc_ev_turn_(((struct vrpc_ev_node *)ud)->ev);
}

/* ---- life ---------------------------------------------------------------- */

int vrpc_ev_new(struct event_base *base, const struct v23_alloc *al,
    const struct v23_log *log, struct vrpc_ev **out)
{
    struct vrpc_ev *ev = v23_new(al, struct vrpc_ev);

    if (ev == NULL)
        return V23_ENOMEM;
    ev->scratch = v23_get(al, VRPC_EV_SCRATCH_);
    if (ev->scratch == NULL) {
        v23_put(al, ev);
        return V23_ENOMEM;
    }
    ev->base = base;
    ev->al = al;
    ev->log = log;
    ev->armed = V23_NEVER;
    ev->work_tail = &ev->work;
    v23_buf_init(&ev->out, al, SIZE_MAX);
    event_assign(&ev->turn, base, -1, 0, end_of_turn, ev);
    event_assign(&ev->timer, base, -1, 0, on_ev_timer, ev);
    *out = ev;
    return 0;
}

void vrpc_ev_free(struct vrpc_ev *ev)
{
    if (ev == NULL)
        return;
    event_del(&ev->turn);
    event_del(&ev->timer);
    if (ev->dns != NULL)
        evdns_base_free(ev->dns, 0);
    v23_buf_fini(&ev->out);
    v23_put(ev->al, ev->scratch);
    v23_put(ev->al, ev->nets);
    vsec_chain_cache_free(ev->chains);
    v23_put(ev->al, ev);
}

struct event_base *vrpc_ev_base(const struct vrpc_ev *ev)
{
    return ev->base;
}

static void names_changed(void *ud, struct vsec_store *s)
{
    (void)s;
    vrpc_ev_endpoints_changed_(ud);
}

int vrpc_ev_node_new(struct vrpc_ev *ev,
    const struct vrpc_manager_config *cfg, struct vrpc_ev_node **out)
{
    struct vrpc_ev_node *n = v23_new(ev->al, struct vrpc_ev_node);
    struct vrpc_manager_config c = *cfg;
    struct vrpc_transport tr;
    int rc;

    if (n == NULL)
        return V23_ENOMEM;
    if (ev->chains == NULL &&
        vsec_chain_cache_new(cfg->principal->engine, 0, &ev->chains) != 0) {
        v23_put(ev->al, n);
        return V23_ENOMEM;
    }
    n->ev = ev;
    tr.now = tr_now;
    tr.dial = vrpc_ev_dial_;
    tr.cancel = vrpc_ev_dial_cancel_;
    tr.timer = tr_timer;
    tr.ud = n;
    c.al = ev->al;
    c.log = ev->log;
    c.transport = &tr;
    c.chains = ev->chains;
    rc = vrpc_manager_new(&c, &n->m);
    if (rc != 0) {
        v23_put(ev->al, n);
        return rc;
    }
    n->next = ev->nodes;
    if (n->next != NULL)
        n->next->plink = &n->next;
    n->plink = &ev->nodes;
    ev->nodes = n;
    v23_arena_init(&n->eps_arena, ev->al, SIZE_MAX);
    v23_buf_init(&n->errors, ev->al, 65536);
    n->watch.changed = names_changed;
    n->watch.ud = n;
    vsec_store_watch(cfg->principal->store, &n->watch);
    *out = n;
    return 0;
}

void vrpc_ev_node_flush(struct vrpc_ev_node *n)
{
    struct vrpc_ev_link_ *l, *next;
    int i;

    for (i = 0; i < MAX_ROUNDS; i++) {
        manager_work(n, INT64_MAX - 1);
        if (vrpc_manager_next_deadline(n->m) != INT64_MIN)
            break;
    }
    for (l = n->links; l != NULL; l = next) {
        next = l->next;
        drop_work(l);
        link_work(l);
    }
}

void vrpc_ev_node_free(struct vrpc_ev_node *n)
{
    struct vrpc_ev_link_ *l;

    if (n == NULL)
        return;
    vsec_store_unwatch(vrpc_manager_principal(n->m)->store, &n->watch);
    vrpc_ev_listeners_free_(n);
    vrpc_manager_close_all(n->m, "cache is closed");
    while ((l = n->links) != NULL) {
        (void)!write_out(l); /* the farewell, if the socket takes it */
        link_gone(l);
    }
    vrpc_client_free(vrpc_manager_client(n->m));
    vrpc_server_free(vrpc_manager_server(n->m));
    vrpc_manager_free(n->m);
    vrpc_ev_dials_free_(n);
    v23_arena_fini(&n->eps_arena);
    v23_buf_fini(&n->errors);
    *n->plink = n->next;
    if (n->next != NULL)
        n->next->plink = n->plink;
    v23_put(n->ev->al, n);
}

struct vrpc_manager *vrpc_ev_node_manager(const struct vrpc_ev_node *n)
{
    return n->m;
}

struct vrpc_ev *vrpc_ev_node_loop(const struct vrpc_ev_node *n)
{
    return n->ev;
}
