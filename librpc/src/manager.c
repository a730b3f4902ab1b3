/* BSD-3-Clause; see LICENSE. */
/*
 * Managers: time for what belongs to them, and how many connections they have.
 * The sweep puts idle ones into lame duck and closes them (spec/rpc.md 12-14).
 */
#include "tunnel_int.h"

#include <v23/vdl/v.io/v23/rpc/rpc.vdl.h>
#include <v23/vdl/v.io/x/ref/runtime/internal/flow/conn/conn.vdl.h>
#include <vsec/principal.h>

#define SWEEP_MIN (10 * V23_NS_PER_MS)
#define STRANGER_TIME (5 * V23_NS_PER_SEC) /* to authenticate under pressure */
#define SWEEP_MAX (30 * 60 * V23_NS_PER_SEC)

/* ---- time, tasks, lots --------------------------------------------------- */

struct v23_now vrpc_mgr_now_(const struct vrpc_manager *m)
{
    struct v23_now now;

    m->tr.now(m->tr.ud, &now);
    return now;
}

void vrpc_mgr_post_(struct vrpc_manager *m, struct vrpc_task_ *t)
{
    bool idle = m->tasks.first == NULL;

    vrpc_task_post_(&m->tasks, t);
    if (idle)
        m->tr.timer(m->tr.ud);
}

void vrpc_mgr_timer_(struct vrpc_manager *m, struct vrpc_timer_ *t, int64_t at)
{
    int64_t before = vrpc_timers_next_(&m->timers);

    vrpc_timer_set_(&m->timers, t, at);
    if (vrpc_timers_next_(&m->timers) < before)
        m->tr.timer(m->tr.ud);
}

int vrpc_mgr_random_(void *ud, void *p, size_t n)
{
    return vsec_random_fill(((struct vrpc_manager *)ud)->principal->engine, p,
        n);
}

int64_t vrpc_manager_next_deadline(const struct vrpc_manager *m)
{
    return m->tasks.first != NULL ? INT64_MIN
                                  : vrpc_timers_next_(&m->timers);
}

void vrpc_manager_tick(struct vrpc_manager *m)
{
    struct v23_now now = vrpc_mgr_now_(m);

    while (vrpc_timers_run_(&m->timers, now.mono_ns))
        ;
    vrpc_tasks_run_(&m->tasks);
}

/* ---- connections --------------------------------------------------------- */

static int64_t sweep_period(const struct vrpc_manager *m)
{
    int64_t p = m->idle / 2;

    if (m->idle < 0 || p > SWEEP_MAX)
        return SWEEP_MAX;
    return p < SWEEP_MIN ? SWEEP_MIN : p;
}

static void sweep(void *ud)
{
    struct vrpc_manager *m = ud;
    struct v23_now now = vrpc_mgr_now_(m);
    struct vrpc_session_ *s, *next;

    for (s = m->sessions; s != NULL; s = next) {
        next = s->next;
        if (!s->ready || m->idle < 0 || s->kept != NULL ||
            !vrpc_conn_is_idle(s->conn, now.mono_ns - m->idle))
            continue;
        if (s->duck_acked) {
            vrpc_conn_close(s->conn, V23_ECLOSED,
                "connection is idle and was lame-ducked");
        } else if (!s->ducked) {
            s->ducked = true;
            vrpc_conn_enter_lame_duck(s->conn);
        }
    }
    if (!m->called)
        vrpc_calls_trim_(m);
    m->called = false;
    vrpc_mgr_timer_(m, &m->sweep, now.mono_ns + sweep_period(m));
}

/* Which one would rather be missed? One that others are reached by is quiet,
 * but not idle. */
static bool is_better_victim(const struct vrpc_session_ *s,
    const struct vrpc_session_ *than)
{
    bool a = s->proxied + s->listens > 0, b;

    if (than == NULL)
        return true;
    b = than->proxied + than->listens > 0;
    return a != b ? b
                  : vrpc_conn_last_use_ns(s->conn) <
                        vrpc_conn_last_use_ns(than->conn);
}

size_t vrpc_manager_reclaim(struct vrpc_manager *m, size_t n)
{
    struct vrpc_session_ *s, *best;
    size_t done = 0;
    int64_t since = vrpc_mgr_now_(m).mono_ns - (m->idle < 0 ? 0 : m->idle);

    while (done < n && vrpc_session_drop_stranger_(m, STRANGER_TIME))
        done++;
    while (done < n) {
        best = NULL;
        for (s = m->sessions; s != NULL; s = s->next) {
            if (!s->ready ||
                vrpc_conn_status(s->conn) >= VRPC_CONN_CLOSING)
                continue; /* handshakes end by themselves */
            if (vrpc_conn_is_idle(s->conn, since)) {
                best = s;
                break;
            }
            if (is_better_victim(s, best))
                best = s;
        }
        if (best == NULL)
            break;
        vrpc_conn_close(best->conn, V23_ELIMIT,
            "connection killed to free resources");
        done++;
    }
    return done;
}

int vrpc_manager_accepted(struct vrpc_manager *m, struct vrpc_link *link,
    const struct vrpc_endpoint *local, struct vrpc_conn **out)
{
    struct vrpc_session_ *s;
    int rc;

    if (m->host == NULL || m->closing)
        return V23_ESTATE;
    if (m->nshaking >= m->max_handshakes)
        (void)vrpc_session_drop_stranger_(m, 0);
    if (m->nsessions >= m->max_conns && vrpc_manager_reclaim(m, 1) == 0)
        return V23_ELIMIT;
    rc = vrpc_session_new_(m, link, local, NULL, &s);
    if (rc == 0)
        *out = s->conn;
    return rc;
}

void vrpc_manager_close_all(struct vrpc_manager *m, const char *why)
{
    struct vrpc_session_ *s;

    for (s = m->sessions; s != NULL; s = s->next)
        vrpc_conn_close(s->conn, V23_ECLOSED, why);
}

/* ---- life ---------------------------------------------------------------- */

/* What every connection sends: a quarter of a connection's memory at rest, if
 * it were built for each. */
static int know_types(struct vrpc_manager *m)
{
    static const struct vdl_type *const roots[] = { &v23_rpc_request_desc,
        &v23_rpc_response_desc, &v23_conn_blessings_flow_message_desc };

    return vdl_registry_make(m->al, roots, sizeof(roots) / sizeof(roots[0]),
        &m->known);
}

int vrpc_manager_new(const struct vrpc_manager_config *cfg,
    struct vrpc_manager **out)
{
    struct vrpc_manager *m;
    uint64_t seed = 0;
    int rc;

    if (cfg->transport == NULL || cfg->principal == NULL)
        return V23_EARG;
    m = v23_new(cfg->al, struct vrpc_manager);
    if (m == NULL)
        return V23_ENOMEM;
    m->al = cfg->al;
    m->log = cfg->log;
    m->tr = *cfg->transport;
    m->rid = cfg->rid;
    m->tracer.store = cfg->vtrace;
    m->tracer.ids.random = vrpc_mgr_random_;
    m->tracer.ids.ud = m;
    m->mtu = cfg->mtu;
    m->bytes_buffered = cfg->bytes_buffered;
    m->channel_timeout = cfg->channel_timeout_ns;
    m->handshake_timeout = cfg->handshake_timeout_ns;
    m->idle = cfg->idle_ns == 0 ? 600 * V23_NS_PER_SEC : cfg->idle_ns;
    m->max_conns = cfg->max_conns == 0 ? 16384 : cfg->max_conns;
    m->max_handshakes = cfg->max_handshakes == 0 ? 4096 : cfg->max_handshakes;
    m->shaking_tail = &m->shaking;
    m->clients_tail = &m->clients;
    m->places.al = m->al;
    m->max_flows = cfg->max_flows == 0 ? 16384 : cfg->max_flows;
    vrpc_timers_init_(&m->timers, m->al);
    vrpc_tasks_init_(&m->tasks);
    vrpc_ops_init_(&m->ops, m->al);
    m->principal = vsec_principal_ref(cfg->principal);
    m->chains = cfg->chains;
    m->stats = cfg->stats;
    rc = vsec_random_fill(cfg->principal->engine, &seed, sizeof(seed));
    if (rc == 0)
        rc = vrpc_timer_init_(&m->timers, &m->sweep, sweep, m);
    if (rc == 0)
        rc = know_types(m);
    if (rc == 0)
        rc = vrpc_own_init_(m);
    if (rc != 0) {
        vdl_registry_free(m->al, &m->known);
        vrpc_timers_fini_(&m->timers);
        vsec_principal_unref(m->principal);
        v23_put(m->al, m);
        return rc;
    }
    vrpc_cache_init_(&m->cache, m->al, seed);
    vrpc_mgr_timer_(m, &m->sweep, vrpc_mgr_now_(m).mono_ns + sweep_period(m));
    vrpc_manager_stats_init_(m);
    *out = m;
    return 0;
}

void vrpc_manager_free(struct vrpc_manager *m)
{
    struct vrpc_session_ *s;

    if (m == NULL)
        return;
    if (m->host != NULL)
        m->host->ops->destroy(m->host);
    vrpc_manager_stats_fini_(m);
    m->closing = true;
    vrpc_dials_fail_(m, V23_ECLOSED, VRPC_CACHE_CLOSED_);
    vrpc_tunnels_fini_(m);
    while ((s = m->sessions) != NULL) {
        vrpc_conn_close(s->conn, V23_ECLOSED, VRPC_CACHE_CLOSED_);
        vrpc_manager_release(m, s->conn);
    }
    vrpc_timer_fini_(&m->timers, &m->sweep);
    vrpc_own_fini_(m);
    vrpc_failures_fini_(m);
    vrpc_cache_fini_(&m->cache);
    vrpc_places_fini_(&m->places);
    vrpc_ops_fini_(&m->ops);
    vdl_registry_free(m->al, &m->known);
    vrpc_timers_fini_(&m->timers);
    vsec_principal_unref(m->principal);
    v23_put(m->al, m);
}

void vrpc_manager_stop(struct vrpc_manager *m, int64_t lame_duck_ns,
    void (*done)(void *ud), void *ud)
{
    if (m->host != NULL)
        vrpc_host_stop_(m->host, lame_duck_ns, done, ud);
}

/* ---- enquiries ----------------------------------------------------------- */

const struct vrpc_routing_id *vrpc_manager_rid(const struct vrpc_manager *m)
{
    return &m->rid;
}

struct vsec_principal *vrpc_manager_principal(const struct vrpc_manager *m)
{
    return m->principal;
}

const struct v23_alloc *vrpc_manager_alloc(const struct vrpc_manager *m)
{
    return m->al;
}

const struct v23_log *vrpc_manager_log(const struct vrpc_manager *m)
{
    return m->log;
}

struct v23_now vrpc_manager_now(const struct vrpc_manager *m)
{
    return vrpc_mgr_now_(m);
}

struct vrpc_client *vrpc_manager_client(const struct vrpc_manager *m)
{
    return m->clients;
}

struct vrpc_server *vrpc_manager_server(const struct vrpc_manager *m)
{
    return m->server;
}

size_t vrpc_manager_nconns(const struct vrpc_manager *m)
{
    return m->nsessions;
}
