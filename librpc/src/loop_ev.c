/* BSD-3-Clause; see LICENSE. */
/*
 * The turns of a loop. In one turn each connection is read at most once; at
 * its end everything that came of it is fetched from each connection and given
 * to the socket in one call (link_ev.c).
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

#define KEEP_OUT (512u * 1024u)    /* memory of the shared buffer at rest */
#define MAX_ROUNDS 16 /* of work in one turn, then the loop looks around */

/* ---- time ---------------------------------------------------------------- */

struct v23_walltime vrpc_ev_wall(void)
{
    struct v23_walltime w;
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    w.sec = t.tv_sec;
    w.nanos = (int32_t)t.tv_nsec;
    return w;
}

void vrpc_ev_now(const struct vrpc_ev *ev, struct v23_now *out)
{
    struct timespec t;

    (void)ev;
    clock_gettime(CLOCK_MONOTONIC, &t);
    out->mono_ns = (int64_t)t.tv_sec * V23_NS_PER_SEC + t.tv_nsec;
    out->wall = vrpc_ev_wall();
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

void vrpc_ev_arm_(struct vrpc_ev *ev, struct event *e, int64_t *armed,
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
        vrpc_ev_link_work_(l);
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
    if (ev->in.cap > KEEP_OUT)
        v23_buf_fini(&ev->in);
    if (ev->msg.cap > KEEP_OUT)
        v23_buf_fini(&ev->msg);
    vrpc_ev_arm_(ev, &ev->timer, &ev->armed, next_timer(ev));
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
    ev->interfaces = vrpc_ev_interfaces_;
    ev->work_tail = &ev->work;
    v23_buf_init(&ev->out, al, SIZE_MAX);
    v23_buf_init(&ev->in, al, SIZE_MAX);
    v23_buf_init(&ev->msg, al, SIZE_MAX);
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
    v23_buf_fini(&ev->in);
    v23_buf_fini(&ev->msg);
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
    n->pending_tail = &n->pending;
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
        vrpc_ev_link_work_(l);
    }
}

void vrpc_ev_node_free(struct vrpc_ev_node *n)
{
    struct vrpc_ev_link_ *l;

    if (n == NULL)
        return;
    vrpc_ev_loops_free_(n->loops);
    n->loops = NULL;
    vsec_store_unwatch(vrpc_manager_principal(n->m)->store, &n->watch);
    vrpc_ev_unlisten(n);
    vrpc_manager_close_all(n->m, "cache is closed");
    while ((l = n->links) != NULL) {
        vrpc_ev_link_farewell_(l);
        vrpc_ev_link_gone_(l);
    }
    vrpc_client_free(vrpc_manager_client(n->m));
    vrpc_manager_free(n->m);
    vrpc_ev_dials_free_(n);
    v23_arena_fini(&n->eps_arena);
    v23_put(n->ev->al, n->eps);
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
