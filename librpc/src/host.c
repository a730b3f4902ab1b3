/* BSD-3-Clause; see LICENSE. */
/*
 * Who takes the flows that the peers of a manager open (a server, a proxy),
 * and the way to its stop (spec/rpc.md 20.4): lame duck on all connections, a
 * while for what is at work, then everything is closed.
 */
#include "rpc_int.h"

#include <string.h>

#define DRAIN_PERIOD (5 * V23_NS_PER_MS)

static void stopped(void *ud)
{
    struct vrpc_host_ *h = ud;

    h->state = VRPC_SERVER_STOPPED;
    if (h->stopped != NULL)
        h->stopped(h->stopped_ud);
}

/* Everybody has left, or is thrown out. */
static void cut(struct vrpc_host_ *h)
{
    h->cut = true;
    vrpc_timer_set_(&h->m->timers, &h->duck_timer, V23_NEVER);
    vrpc_timer_set_(&h->m->timers, &h->drain_timer, V23_NEVER);
    vrpc_manager_close_all(h->m, VRPC_CACHE_CLOSED_);
}

/* Everything that was said has left; else look again in a moment. */
static bool drained(struct vrpc_host_ *h)
{
    const struct vrpc_session_ *ss;

    for (ss = h->m->sessions; ss != NULL; ss = ss->next)
        if (vrpc_conn_status(ss->conn) < VRPC_CONN_CLOSING &&
            vrpc_conn_wants_output(ss->conn)) {
            vrpc_mgr_timer_(h->m, &h->drain_timer,
                vrpc_mgr_now_(h->m).mono_ns + DRAIN_PERIOD);
            return false;
        }
    return true;
}

void vrpc_host_progress_(struct vrpc_host_ *h)
{
    const struct vrpc_session_ *ss;

    if (h->state != VRPC_SERVER_STOPPING)
        return;
    if (!h->cut) {
        if (h->ops->busy(h) > 0)
            return;
        for (ss = h->m->sessions; ss != NULL; ss = ss->next)
            if (ss->ready && !ss->duck_acked &&
                vrpc_conn_status(ss->conn) < VRPC_CONN_CLOSING)
                return;
        if (!drained(h))
            return;
        cut(h);
    }
    if (h->ops->busy(h) == 0)
        vrpc_mgr_post_(h->m, &h->task);
}

static void drain_timeout(void *ud)
{
    vrpc_host_progress_(ud);
}

static void duck_timeout(void *ud)
{
    struct vrpc_host_ *h = ud;

    if (h->ops->busy(h) > 0)
        v23_logf(h->m->log, V23_LOG_WARN,
            "timed out waiting for active requests to complete");
    cut(h);
    vrpc_host_progress_(h);
}

void vrpc_host_stop_(struct vrpc_host_ *h, int64_t lame_duck_ns,
    void (*done)(void *ud), void *ud)
{
    struct vrpc_session_ *ss;

    if (h->state != VRPC_SERVER_READY)
        return;
    h->state = VRPC_SERVER_STOPPING;
    h->stopped = done;
    h->stopped_ud = ud;
    if (h->ops->stopping != NULL)
        h->ops->stopping(h);
    if (lame_duck_ns <= 0) {
        cut(h);
        vrpc_host_progress_(h);
        return;
    }
    vrpc_mgr_timer_(h->m, &h->duck_timer,
        vrpc_mgr_now_(h->m).mono_ns + lame_duck_ns);
    for (ss = h->m->sessions; ss != NULL; ss = ss->next)
        if (ss->ready && !ss->ducked) {
            ss->ducked = true;
            vrpc_conn_enter_lame_duck(ss->conn);
        }
    if (h->m->server != NULL)
        vrpc_server_stopping_(h->m->server);
    vrpc_host_progress_(h);
}

int vrpc_host_init_(struct vrpc_host_ *h, struct vrpc_manager *m,
    const struct vrpc_host_ops_ *ops)
{
    int rc;

    if (m->host != NULL)
        return V23_ESTATE;
    if (vrpc_routing_id_is_null(&m->rid))
        return V23_EARG;
    memset(h, 0, sizeof(*h));
    h->ops = ops;
    h->m = m;
    h->task.fn = stopped;
    h->task.ud = h;
    rc = vrpc_timer_init_(&m->timers, &h->duck_timer, duck_timeout, h);
    if (rc == 0)
        rc = vrpc_timer_init_(&m->timers, &h->drain_timer, drain_timeout, h);
    if (rc != 0) {
        vrpc_timer_fini_(&m->timers, &h->duck_timer);
        return rc;
    }
    m->host = h;
    return 0;
}

void vrpc_host_fini_(struct vrpc_host_ *h)
{
    h->state = VRPC_SERVER_STOPPED;
    vrpc_task_drop_(&h->m->tasks, &h->task);
    vrpc_timer_fini_(&h->m->timers, &h->duck_timer);
    vrpc_timer_fini_(&h->m->timers, &h->drain_timer);
    h->m->host = NULL;
}
