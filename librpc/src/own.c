/* BSD-3-Clause; see LICENSE. */
/*
 * What a server presents for its connections: the default blessings and their
 * discharges, fetched ahead of time and again before they expire. Whenever one
 * of them changes, all connections are told (spec/rpc.md 8.5).
 */
#include "dial_int.h"
#include "fetch_int.h"

#include <string.h>
#include <vom/time.h>
#include <vsec/principal.h>

#define FETCH_TIMEOUT (60 * V23_NS_PER_SEC)
#define MIN_SLEEP (500 * V23_NS_PER_MS)
#define MAX_SLEEP (7 * 86400 * V23_NS_PER_SEC)
#define PATIENCE (5 * V23_NS_PER_SEC)

static void drop_discharges(struct vrpc_manager *m)
{
    size_t i;

    for (i = 0; i < m->own.n; i++)
        vsec_discharge_unref(m->own.v[i]);
    m->own.n = 0;
    m->own.v = NULL;
    v23_arena_reset(&m->own.arena);
}

void vrpc_own_refresh_(struct vrpc_session_ *s)
{
    struct vrpc_manager *m = s->m;
    struct vsec_blessings *b = vsec_store_default(m->principal->store);
    int rc;

    if (b == NULL || !s->ready || s->held ||
        vrpc_conn_status(s->conn) >= VRPC_CONN_CLOSING)
        return;
    s->shown = m->own.generation;
    rc = vrpc_conn_refresh(s->conn, b, m->own.v, m->own.n);
    if (rc != 0)
        v23_logf(m->log, V23_LOG_WARN, "refreshing blessings: %s",
            v23_strerror(rc));
}

static void refresh_all(struct vrpc_manager *m)
{
    struct vrpc_session_ *s;

    for (s = m->sessions; s != NULL; s = s->next)
        vrpc_own_refresh_(s);
}

static void arm(struct vrpc_manager *m, struct v23_walltime refresh)
{
    struct v23_now now = vrpc_mgr_now_(m);
    int64_t left = MAX_SLEEP;

    if (v23_walltime_cmp(refresh, vrpc_never_) == 0) {
        vrpc_mgr_timer_(m, &m->own.timer, V23_NEVER);
        return;
    }
    if (v23_walltime_cmp(refresh, v23_walltime_add(now.wall, MAX_SLEEP)) < 0)
        left = (refresh.sec - now.wall.sec) * V23_NS_PER_SEC + refresh.nanos
            - now.wall.nanos;
    if (left < MIN_SLEEP)
        left = MIN_SLEEP; /* discharges that are short-lived, or expired */
    vrpc_mgr_timer_(m, &m->own.timer, now.mono_ns + left);
}

/* ---- connections in the handshake ---------------------------------------- */

/*
 * A connection that comes before the first discharges waits for them: its
 * dialer may want to know whom it talks to. But not for long, as the
 * discharger may be waiting for us.
 */
static void release(struct vrpc_manager *m)
{
    struct vsec_blessings *b = vsec_store_default(m->principal->store);
    struct vrpc_session_ *s;
    int rc;

    m->own.hold = false;
    vrpc_mgr_timer_(m, &m->own.patience, V23_NEVER);
    for (s = m->sessions; s != NULL; s = s->next) {
        if (!s->held)
            continue;
        s->held = false;
        s->shown = m->own.generation;
        rc = vrpc_conn_present(s->conn, b, m->own.v, m->own.n);
        if (rc != 0)
            vrpc_conn_close(s->conn, rc, NULL);
    }
}

static void impatient(void *ud)
{
    release(ud);
}

static void hold(struct vrpc_manager *m)
{
    m->own.hold = true;
    vrpc_mgr_timer_(m, &m->own.patience,
        vrpc_mgr_now_(m).mono_ns + PATIENCE);
}

/* ---- fetching ------------------------------------------------------------ */

static bool same(const struct vrpc_manager *m,
    const struct vrpc_fetched_ *f)
{
    size_t i;

    if (m->own.n != f->n)
        return false;
    for (i = 0; i < f->n; i++)
        if (!vsec_discharge_eq(m->own.v[i], f->v[i]))
            return false;
    return true;
}

/* Keep what was found; the array goes to our arena. */
static void keep(struct vrpc_manager *m, const struct vrpc_fetched_ *f)
{
    bool changed = !same(m, f) || m->own.changed;
    size_t i;

    drop_discharges(m);
    m->own.v = v23_arena_get0(&m->own.arena, f->n, sizeof(*f->v),
        V23_ALIGNOF(void *));
    for (i = 0; i < f->n; i++) {
        if (m->own.v == NULL)
            vsec_discharge_unref(f->v[i]);
        else
            m->own.v[m->own.n++] = f->v[i];
    }
    m->own.changed = false;
    m->own.generation += changed;
    release(m);
    if (changed)
        refresh_all(m);
    arm(m, f->refresh);
}

static void fetched(void *ud, const struct vrpc_fetched_ *f)
{
    struct vrpc_manager *m = ud;

    m->own.fetch = NULL;
    keep(m, f);
    v23_arena_fini(&m->own.scratch);
    vsec_blessings_unref(m->own.b);
    m->own.b = NULL;
}

static void update(struct vrpc_manager *m)
{
    struct vrpc_fetch_want_ w;
    struct vrpc_fetched_ out;
    int rc;

    if (m->own.fetch != NULL || vrpc_routing_id_is_null(&m->rid))
        return;
    memset(&w, 0, sizeof(w));
    m->own.b = vsec_store_default(m->principal->store);
    if (m->own.b != NULL)
        m->own.b = vsec_blessings_ref(m->own.b);
    v23_arena_init(&m->own.scratch, m->al, SIZE_MAX);
    w.c = m->own.client != NULL ? m->own.client : m->clients;
    w.m = m;
    w.b = m->own.b;
    w.deadline = vrpc_mgr_now_(m).mono_ns + FETCH_TIMEOUT;
    w.arena = &m->own.scratch;
    w.done = fetched;
    w.ud = m;
    rc = vrpc_fetch_start_(&w, &out, &m->own.fetch);
    if (rc == V23_EAGAIN)
        return;
    if (rc != 0) {
        out.n = 0;
        out.refresh = v23_walltime_add(vrpc_mgr_now_(m).wall, FETCH_TIMEOUT);
    }
    fetched(m, &out);
}

static void timer(void *ud)
{
    update(ud);
}

static void task(void *ud)
{
    update(ud);
}

static void give_up(struct vrpc_manager *m)
{
    if (m->own.fetch == NULL)
        return;
    vrpc_fetch_cancel_(m->own.fetch);
    m->own.fetch = NULL;
    v23_arena_fini(&m->own.scratch);
    vsec_blessings_unref(m->own.b);
    m->own.b = NULL;
}

/* The default blessings have changed: the rest is done soon, not here. */
static void changed(void *ud, struct vsec_store *s)
{
    struct vrpc_manager *m = ud;

    (void)s;
    give_up(m);
    m->own.changed = true;
    hold(m);
    vrpc_mgr_post_(m, &m->own.task);
}

void vrpc_manager_fetch_by(struct vrpc_manager *m, struct vrpc_client *c)
{
    give_up(m);
    m->own.client = c;
    if (c != NULL && m->host != NULL)
        vrpc_mgr_post_(m, &m->own.task);
}

int vrpc_own_init_(struct vrpc_manager *m)
{
    int rc = vrpc_timer_init_(&m->timers, &m->own.timer, timer, m);

    if (rc == 0)
        rc = vrpc_timer_init_(&m->timers, &m->own.patience, impatient, m);
    if (rc != 0)
        return rc;
    v23_arena_init(&m->own.arena, m->al, SIZE_MAX);
    m->own.task.fn = task;
    m->own.task.ud = m;
    m->own.watch.changed = changed;
    m->own.watch.ud = m;
    vsec_store_watch(m->principal->store, &m->own.watch);
    return 0;
}

void vrpc_own_start_(struct vrpc_manager *m)
{
    hold(m);
    vrpc_mgr_post_(m, &m->own.task);
}

void vrpc_own_fini_(struct vrpc_manager *m)
{
    give_up(m);
    vrpc_fetch_forget_(m);
    vsec_store_unwatch(m->principal->store, &m->own.watch);
    vrpc_task_drop_(&m->tasks, &m->own.task);
    vrpc_timer_fini_(&m->timers, &m->own.timer);
    vrpc_timer_fini_(&m->timers, &m->own.patience);
    drop_discharges(m);
    v23_arena_fini(&m->own.arena);
}
