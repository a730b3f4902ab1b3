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
#define LOOK_AFTER V23_NS_PER_MS /* at the wall clock again */

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

void vrpc_ev_now(struct vrpc_ev *ev, struct v23_now *out)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    out->mono_ns = (int64_t)t.tv_sec * V23_NS_PER_SEC + t.tv_nsec;
    if (out->mono_ns - ev->looked.mono_ns >= LOOK_AFTER) {
        ev->looked.mono_ns = out->mono_ns;
        ev->looked.wall = vrpc_ev_wall();
    }
    out->wall = ev->looked.wall;
    out->wall.nanos += (int32_t)(out->mono_ns - ev->looked.mono_ns);
    if (out->wall.nanos >= V23_NS_PER_SEC) {
        out->wall.nanos -= (int32_t)V23_NS_PER_SEC;
        out->wall.sec++;
    }
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

/* Note when the manager wants to run. It may be woken too early: most
 * deadlines are put off before they come. */
static void node_plan(struct vrpc_ev_node *n)
{
    int64_t at = vrpc_manager_next_deadline(n->m);

    if (at == INT64_MIN)
        vrpc_ev_node_turn_(n);
    else if (at < n->timer.at)
        vrpc_timer_set_(&n->ev->timers, &n->timer, at);
}

static void node_work(void *ud)
{
    struct vrpc_ev_node *n = ud;

    n->working = true;
    vrpc_ev_dials_work_(n);
    vrpc_manager_tick(n->m);
    n->working = false;
    node_plan(n);
}

static void node_timeout(void *ud)
{
    vrpc_ev_node_turn_(ud);
}

/* One round over everything that has something to do now. */
static void work_round(struct vrpc_ev *ev, struct v23_now *now)
{
    struct vrpc_ev_link_ *l;
    size_t todo = 0;

    while (vrpc_timers_run_(&ev->timers, now->mono_ns))
        ;
    if (ev->tasks.first != NULL) {
        vrpc_tasks_run_(&ev->tasks);
        vrpc_ev_now(ev, now);
    }
    for (l = ev->work; l != NULL; l = l->wnext)
        todo++;
    while (todo-- > 0 && (l = ev->work) != NULL)
        vrpc_ev_link_work_(l, now);
}

/* Is there more to do at once? */
static bool has_work(const struct vrpc_ev *ev, const struct v23_now *now)
{
    return ev->work != NULL || ev->tasks.first != NULL
        || vrpc_timers_next_(&ev->timers) <= now->mono_ns;
}

static void end_of_turn(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev *ev = ud;
    struct v23_now now;
    int i;

    (void)fd;
    (void)what;
    ev->turn_active = false;
    vrpc_ev_now(ev, &now);
    for (i = 0; i < MAX_ROUNDS && has_work(ev, &now); i++)
        work_round(ev, &now);
    if (has_work(ev, &now))
        vrpc_ev_turn_(ev);
    if (ev->out.cap > KEEP_OUT)
        v23_buf_fini(&ev->out);
    if (ev->in.cap > KEEP_OUT)
        v23_buf_fini(&ev->in);
    if (ev->msg.cap > KEEP_OUT)
        v23_buf_fini(&ev->msg);
    vrpc_ev_arm_(ev, &ev->timer, &ev->armed, vrpc_timers_next_(&ev->timers));
}

void vrpc_ev_turn_(struct vrpc_ev *ev)
{
    if (ev->turn_active)
        return;
    ev->turn_active = true;
    event_active(&ev->turn, EV_TIMEOUT, 1);
}

void vrpc_ev_node_turn_(struct vrpc_ev_node *n)
{
    vrpc_task_post_(&n->ev->tasks, &n->task);
    vrpc_ev_turn_(n->ev);
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
    struct vrpc_ev_node *n = ud;

    if (n->m == NULL || n->working) /* looked at afterwards */
        return;
    node_plan(n);
    vrpc_ev_turn_(n->ev);
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
    ev->looked.mono_ns = -LOOK_AFTER;
    vrpc_timers_init_(&ev->timers, al);
    vrpc_tasks_init_(&ev->tasks);
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
    vrpc_timers_fini_(&ev->timers);
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
    n->task.fn = node_work;
    n->task.ud = n;
    rc = vrpc_timer_init_(&ev->timers, &n->timer, node_timeout, n);
    if (rc == 0)
        rc = vrpc_manager_new(&c, &n->m);
    if (rc != 0) {
        vrpc_timer_fini_(&ev->timers, &n->timer);
        v23_put(ev->al, n);
        return rc;
    }
    node_plan(n);
    vrpc_ev_turn_(ev);
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
    struct v23_now now;
    int i;

    for (i = 0; i < MAX_ROUNDS; i++) {
        node_work(n);
        if (vrpc_manager_next_deadline(n->m) != INT64_MIN)
            break;
    }
    vrpc_ev_now(n->ev, &now);
    for (l = n->links; l != NULL; l = next) {
        next = l->next;
        vrpc_ev_link_work_(l, &now);
    }
}

void vrpc_ev_node_free(struct vrpc_ev_node *n)
{
    struct vrpc_client *c;
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
    while ((c = vrpc_manager_client(n->m)) != NULL)
        vrpc_client_free(c);
    vrpc_manager_free(n->m);
    vrpc_ev_dials_free_(n);
    vrpc_task_drop_(&n->ev->tasks, &n->task);
    vrpc_timer_fini_(&n->ev->timers, &n->timer);
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
