/* BSD-3-Clause; see LICENSE. */
/*
 * More loops of a server: threads that share nothing. Each has a run time of
 * its own (event base, principal, manager, server) made from the same flags,
 * and listens on the addresses of the first loop, whose routing id it has; the
 * kernel deals the connections out. The first loop's thread alone starts, stops
 * and joins the others, and talks to them through a pair of sockets each.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ev_int.h"
#include "runtime_int.h"

enum what { UNLISTEN, STOP, RELOAD, QUIT };

/* To a loop; it answers with a byte when it has started and has stopped. */
struct order {
    enum what what;
    int64_t lame_duck_ns;
};

struct loop {
    struct vrpc_ev_loops_ *all;
    pthread_t thread;
    bool running;        /* to be joined */
    bool stopped;
    int ours, theirs;    /* ends of the pair */
    struct event answer; /* on the first loop */
    /* Of the thread, which writes rc and why before its first answer. */
    struct vrpc_runtime rt;
    struct event orders;
    struct vrpc_ev_node *node;
    int rc;
    char why[512];
};

struct vrpc_ev_loops_ {
    struct vrpc_ev_node *first;
    const struct vrpc_runtime *rt; /* of the first loop: flags, component */
    const struct vrpc_server_config *cfg; /* while starting */
    struct vrpc_routing_id rid;
    struct vrpc_listen_addr *addrs;
    size_t naddrs, nleft; /* nleft: not stopped yet */
    bool stopping;
    size_t n;
    struct loop v[];
};

/* ---- in the thread ------------------------------------------------------- */

static void answer(const struct loop *l)
{
    static const char byte = 1;

    while (write(l->theirs, &byte, 1) < 0 && errno == EINTR)
        ;
}

static void loop_stopped(void *ud)
{
    answer(ud);
}

static void on_order(evutil_socket_t fd, short what, void *ud)
{
    struct loop *l = ud;
    struct order o;

    (void)what;
    if (read(fd, &o, sizeof(o)) != (ssize_t)sizeof(o))
        return;
    switch (o.what) {
    case UNLISTEN:
        vrpc_ev_unlisten(l->node);
        break;
    case STOP:
        vrpc_ev_server_stop(l->node, o.lame_duck_ns, loop_stopped, l);
        break;
    case RELOAD:
        vrpc_runtime_reload_(&l->rt);
        break;
    case QUIT:
        vrpc_runtime_stop(&l->rt);
        break;
    }
}

static int open_server(struct loop *l)
{
    const struct vrpc_ev_loops_ *all = l->all;
    int rc = vrpc_runtime_node_(&l->rt, all->cfg, &all->rid, &l->node);

    if (rc != 0)
        return rc;
    l->node->shared_port = true;
    rc = vrpc_ev_listen(l->node, all->addrs, all->naddrs);
    if (rc != 0)
        snprintf(l->why, sizeof(l->why), "cannot listen: %.400s",
            vrpc_ev_listen_errors(l->node));
    event_assign(&l->orders, l->rt.base, l->theirs, EV_READ | EV_PERSIST,
        on_order, l);
    if (rc == 0 && event_add(&l->orders, NULL) != 0)
        rc = V23_ENOMEM;
    return rc;
}

static void *run(void *ud)
{
    struct loop *l = ud;
    const struct vrpc_runtime *first = l->all->rt;

    l->rc = vrpc_runtime_init_(&l->rt, first->flags, first->component, first);
    if (l->rc != 0) {
        snprintf(l->why, sizeof(l->why), "%s", l->rt.why);
        answer(l);
        return NULL;
    }
    l->rc = open_server(l);
    answer(l);
    if (l->rc == 0) {
        vrpc_runtime_run(&l->rt);
        event_del(&l->orders);
    }
    vrpc_ev_node_free(l->node);
    vrpc_runtime_fini(&l->rt);
    return NULL;
}

/* ---- in the first loop's ------------------------------------------------- */

static void give(const struct loop *l, enum what what, int64_t lame_duck_ns)
{
    struct order o;

    memset(&o, 0, sizeof(o));
    o.what = what;
    o.lame_duck_ns = lame_duck_ns;
    while (write(l->ours, &o, sizeof(o)) < 0 && errno == EINTR)
        ;
}

static void give_all(const struct vrpc_ev_loops_ *all, enum what what,
    int64_t lame_duck_ns)
{
    size_t i;

    for (i = 0; all != NULL && i < all->n; i++)
        if (all->v[i].running)
            give(&all->v[i], what, lame_duck_ns);
}

void vrpc_ev_loops_unlisten_(struct vrpc_ev_loops_ *all)
{
    give_all(all, UNLISTEN, 0);
}

void vrpc_ev_loops_reload_(struct vrpc_ev_loops_ *all)
{
    give_all(all, RELOAD, 0);
}

void vrpc_ev_loops_stop_(struct vrpc_ev_loops_ *all, int64_t lame_duck_ns)
{
    if (all != NULL)
        all->stopping = true;
    give_all(all, STOP, lame_duck_ns);
}

bool vrpc_ev_loops_stopped_(const struct vrpc_ev_loops_ *all)
{
    return all == NULL || all->nleft == 0;
}

static void on_answer(evutil_socket_t fd, short what, void *ud)
{
    struct loop *l = ud;
    char byte;

    (void)what;
    if (read(fd, &byte, 1) != 1 || l->stopped || !l->all->stopping)
        return;
    l->stopped = true;
    l->all->nleft--;
    vrpc_ev_server_stopped_(l->all->first);
}

static int start_loop(struct vrpc_ev_loops_ *all, struct loop *l)
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) != 0)
        return V23_ESYS;
    (void)evutil_make_socket_closeonexec(fd[0]);
    (void)evutil_make_socket_closeonexec(fd[1]);
    l->all = all;
    l->ours = fd[0];
    l->theirs = fd[1];
    if (pthread_create(&l->thread, NULL, run, l) != 0) {
        close(fd[0]);
        close(fd[1]);
        return V23_ESYS;
    }
    l->running = true;
    return 0;
}

/* Until it serves, or cannot: then its reason is in why. */
static int await_loop(struct loop *l, struct event_base *base, char *why,
    size_t size)
{
    char byte;

    while (read(l->ours, &byte, 1) < 0 && errno == EINTR)
        ;
    if (l->rc != 0) {
        snprintf(why, size, "%s", l->why);
        return l->rc;
    }
    event_assign(&l->answer, base, l->ours, EV_READ | EV_PERSIST, on_answer,
        l);
    return event_add(&l->answer, NULL) == 0 ? 0 : V23_ENOMEM;
}

/* What the first loop listens on, by the ports that it got. */
static int copy_addresses(struct vrpc_ev_loops_ *all)
{
    const struct v23_alloc *al = all->first->ev->al;
    const struct vrpc_ev_listener_ *l;
    size_t n = 0;

    for (l = all->first->listeners; l != NULL; l = l->next)
        n++;
    all->addrs = v23_get0(al, n + 1, sizeof(*all->addrs));
    if (all->addrs == NULL)
        return V23_ENOMEM;
    for (l = all->first->listeners; l != NULL; l = l->next) {
        if (l->fd < 0 || l->what->family == AF_UNIX)
            continue;
        all->addrs[all->naddrs].protocol = l->protocol;
        all->addrs[all->naddrs++].address = vdl_str(l->bound);
    }
    return 0;
}

static int start_all(struct vrpc_ev_loops_ *all, char *why, size_t size)
{
    sigset_t every, before;
    size_t i;
    int rc = 0, one;

    /* Signals are the first loop's. */
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    for (i = 0; i < all->n && rc == 0; i++)
        rc = start_loop(all, &all->v[i]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (i = 0; i < all->n; i++) {
        if (!all->v[i].running)
            continue;
        one = await_loop(&all->v[i], all->first->ev->base, why, size);
        rc = rc == 0 ? one : rc;
    }
    return rc;
}

int vrpc_ev_loops_start_(struct vrpc_ev_node *first, struct vrpc_runtime *rt,
    const struct vrpc_server_config *cfg, size_t n)
{
    const struct v23_alloc *al = first->ev->al;
    struct vrpc_ev_loops_ *all;
    int rc;

    all = v23_get0(al, 1, sizeof(*all) + n * sizeof(all->v[0]));
    if (all == NULL)
        return V23_ENOMEM;
    all->first = first;
    all->rt = rt;
    all->cfg = cfg;
    all->rid = *vrpc_manager_rid(first->m);
    all->n = all->nleft = n;
    rc = copy_addresses(all);
    if (rc == 0)
        rc = start_all(all, rt->why, sizeof(rt->why));
    all->cfg = NULL;
    v23_put(al, all->addrs);
    if (rc == 0)
        first->loops = all;
    else
        vrpc_ev_loops_free_(all);
    return rc;
}

void vrpc_ev_loops_free_(struct vrpc_ev_loops_ *all)
{
    size_t i;

    give_all(all, QUIT, 0);
    for (i = 0; all != NULL && i < all->n; i++) {
        struct loop *l = &all->v[i];

        if (!l->running)
            continue;
        pthread_join(l->thread, NULL);
        if (l->rc == 0)
            event_del(&l->answer);
        close(l->ours);
        close(l->theirs);
    }
    if (all != NULL)
        v23_put(all->first->ev->al, all);
}
