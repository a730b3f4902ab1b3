/* BSD-3-Clause; see LICENSE. */
/*
 * Managers and their sessions: hooks of connections become events of the
 * owners of flows; the sweep puts idle connections into lame duck and closes
 * them (spec/rpc.md 12-14).
 */
#include "tunnel_int.h"

#include <string.h>
#include <v23/vdl/v.io/v23/rpc/rpc.vdl.h>
#include <v23/vdl/v.io/x/ref/runtime/internal/flow/conn/conn.vdl.h>
#include <vsec/check.h>
#include <vsec/principal.h>

#define SWEEP_MIN (10 * V23_NS_PER_MS)
#define STRANGER_TIME (5 * V23_NS_PER_SEC) /* to authenticate under pressure */
#define SWEEP_MAX (30 * 60 * V23_NS_PER_SEC)

/* ---- time and tasks ------------------------------------------------------ */

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

/* ---- hooks of a connection ----------------------------------------------- */

static int hook_authorize(void *ud, struct vrpc_conn *c, struct v23_op op)
{
    (void)c;
    return vrpc_dial_authorize_(ud, op);
}

/* The peer's blessings, or those of its endpoint, may be other ones now. */
static void index_session(struct vrpc_session_ *s)
{
    const struct vrpc_endpoint *ep = vrpc_conn_remote_endpoint(s->conn);

    s->key.rid = ep->rid;
    if (vrpc_cache_insert_(&s->m->cache, &s->key,
            !s->accepted && !s->link->ops->encapsulated) != 0)
        vrpc_conn_close(s->conn, V23_ENOMEM, "out of memory");
}

/* ---- accepted connections in the handshake ------------------------------- */

static void begin_shaking(struct vrpc_session_ *s)
{
    struct vrpc_manager *m = s->m;

    s->hlink = m->shaking_tail;
    *m->shaking_tail = s;
    m->shaking_tail = &s->hnext;
    m->nshaking++;
}

static void end_shaking(struct vrpc_session_ *s)
{
    struct vrpc_manager *m = s->m;

    if (s->hlink == NULL)
        return;
    *s->hlink = s->hnext;
    if (s->hnext != NULL)
        s->hnext->hlink = s->hlink;
    else
        m->shaking_tail = s->hlink;
    s->hlink = NULL;
    s->hnext = NULL;
    m->nshaking--;
}

/* The oldest of them goes, if it has had its time. */
static bool drop_stranger(struct vrpc_manager *m, int64_t time)
{
    struct vrpc_session_ *s = m->shaking;

    if (s == NULL ||
        vrpc_mgr_now_(m).mono_ns - vrpc_conn_last_use_ns(s->conn) < time)
        return false;
    end_shaking(s);
    vrpc_conn_close(s->conn, V23_ELIMIT,
        "too many connections are in the handshake");
    return true;
}

static void hook_ready(void *ud, struct vrpc_conn *c)
{
    struct vrpc_session_ *s = ud;

    (void)c;
    end_shaking(s);
    s->ready = true;
    index_session(s);
    /* What was presented may have been replaced during the handshake. */
    if (!vrpc_routing_id_is_null(&s->m->rid) && !s->held &&
        s->shown != s->m->own.generation)
        vrpc_own_refresh_(s);
    if (s->m->host != NULL && s->m->host->state != VRPC_SERVER_READY) {
        s->ducked = true;
        vrpc_conn_enter_lame_duck(s->conn);
    }
    vrpc_dial_ready_(s);
}

static void hook_opened(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct vrpc_session_ *s = ud;

    (void)c;
    vrpc_flow_set_ud(f, NULL);
    if (s->m->host == NULL ||
        (s->proxied > 0 && s->m->host->state != VRPC_SERVER_READY))
        vrpc_flow_cancel(f);
    else if (s->proxied > 0)
        vrpc_tunnel_accept_(s, f);
    else
        s->m->host->ops->flow(s->m->host, s, f);
}

static void hook_readable(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct vrpc_user_ *u = vrpc_flow_ud(f);

    (void)ud;
    (void)c;
    if (u != NULL)
        u->ops->readable(u);
}

static void hook_writable(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct vrpc_user_ *u = vrpc_flow_ud(f);

    (void)ud;
    (void)c;
    if (u != NULL)
        u->ops->writable(u);
}

static void hook_flow_closed(void *ud, struct vrpc_conn *c,
    struct vrpc_flow *f, int status)
{
    struct vrpc_user_ *u = vrpc_flow_ud(f);

    (void)ud;
    (void)c;
    if (u != NULL)
        u->ops->closed(u, status);
    else
        vrpc_flow_close(f);
}

static void hook_refreshed(void *ud, struct vrpc_conn *c)
{
    struct vrpc_session_ *s = ud;

    (void)c;
    /* Nobody will ask for the old names again. */
    vrpc_names_unref_(s->names);
    s->names = NULL;
    s->refreshed = true;
    vrpc_dial_settled_(s);
}

static void hook_duck_acked(void *ud, struct vrpc_conn *c)
{
    struct vrpc_session_ *s = ud;

    (void)c;
    s->duck_acked = true;
    if (s->m->host != NULL)
        vrpc_host_progress_(s->m->host);
}

/* Out of every table; what the owner of the transport holds stays valid. */
static void session_unlink(struct vrpc_session_ *s)
{
    if (s->plink == NULL)
        return;
    end_shaking(s);
    *s->plink = s->next;
    if (s->next != NULL)
        s->next->plink = s->plink;
    s->plink = NULL;
    s->m->nsessions--;
    vrpc_cache_remove_(&s->m->cache, &s->key);
}

static void hook_closed(void *ud, struct vrpc_conn *c, int status,
    const char *text)
{
    struct vrpc_session_ *s = ud;
    struct vrpc_manager *m = s->m;

    (void)c;
    v23_logf(m->log, V23_LOG_DEBUG, "connection closed: %s: %s",
        v23_strerror(status), text);
    s->dead = true;
    session_unlink(s);
    vrpc_dial_failed_(s, status, text);
    vrpc_dial_settled_(s);
    if (m->host != NULL)
        vrpc_host_progress_(m->host);
    vrpc_pins_lost_(s);
    if (!s->released)
        s->link->ops->closed(s->link);
}

static void hook_wake(void *ud, struct vrpc_conn *c)
{
    struct vrpc_session_ *s = ud;

    (void)c;
    if (!s->released)
        s->link->ops->wake(s->link);
}

static const struct vrpc_conn_hooks hooks = {
    .authorize_peer = hook_authorize,
    .ready = hook_ready,
    .flow_opened = hook_opened,
    .flow_readable = hook_readable,
    .flow_writable = hook_writable,
    .flow_closed = hook_flow_closed,
    .lame_duck_acked = hook_duck_acked,
    .refreshed = hook_refreshed,
    .closed = hook_closed,
    .wake = hook_wake,
};

/* ---- sessions ------------------------------------------------------------ */

struct vsec_blessings *vrpc_session_blessings_(struct vrpc_session_ *s)
{
    const struct vsec_blessings *b = vrpc_conn_remote_blessings(s->conn);

    /* A check only reads; its struct has no const member. */
    return (struct vsec_blessings *)(uintptr_t)b;
}

static void print_endpoints(struct vrpc_session_ *s)
{
    if (s->texts.n > 0)
        return;
    vrpc_endpoint_format(vrpc_conn_remote_endpoint(s->conn), &s->texts);
    s->remote_n = s->texts.n;
    vrpc_endpoint_format(vrpc_conn_local_endpoint(s->conn), &s->texts);
    if (s->texts.err != 0) {
        v23_buf_cut(&s->texts, 0);
        s->remote_n = 0;
    }
}

struct vdl_str vrpc_session_remote_text_(struct vrpc_session_ *s)
{
    print_endpoints(s);
    return vdl_strn((const char *)s->texts.p, s->remote_n);
}

struct vdl_str vrpc_session_local_text_(struct vrpc_session_ *s)
{
    print_endpoints(s);
    return vdl_strn((const char *)s->texts.p + s->remote_n,
        s->texts.n - s->remote_n);
}

static void session_free(struct vrpc_session_ *s)
{
    struct vrpc_manager *m = s->m;

    session_unlink(s);
    vrpc_types_free_(s->ctypes);
    vrpc_types_free_(s->stypes);
    vrpc_conn_free(s->conn);
    vrpc_names_unref_(s->names);
    v23_buf_fini(&s->texts);
    v23_put(m->al, s->text);
    v23_put(m->al, s);
}

/* Keep the text of the index key in the session. */
static int set_key(struct vrpc_session_ *s, const struct vrpc_endpoint *ep)
{
    size_t n = (size_t)ep->protocol.n + ep->address.n;

    s->key.owner = s;
    if (n == 0)
        return 0;
    s->text = v23_get(s->m->al, n);
    if (s->text == NULL)
        return V23_ENOMEM;
    if (ep->protocol.n > 0)
        memcpy(s->text, ep->protocol.p, ep->protocol.n);
    if (ep->address.n > 0)
        memcpy(s->text + ep->protocol.n, ep->address.p, ep->address.n);
    s->key.protocol = vdl_strn(s->text, ep->protocol.n);
    s->key.address = vdl_strn(s->text + ep->protocol.n, ep->address.n);
    return 0;
}

static int random_fill(void *ud, void *p, size_t n)
{
    return vsec_random_fill(((struct vrpc_manager *)ud)->principal->engine, p,
        n);
}

/* Our end as we tell the peer: a server names its blessings. */
static int local_endpoint(struct vrpc_manager *m, struct v23_arena *a,
    const struct vrpc_endpoint *local, bool accepted,
    struct vrpc_endpoint *out)
{
    struct vsec_blessings *def = vsec_store_default(m->principal->store);

    *out = *local;
    out->rid = m->rid;
    out->blessings.n = 0;
    if (!accepted)
        return 0;
    return vsec_principal_names(m->principal, def, vrpc_mgr_now_(m).wall, a,
        &out->blessings);
}

int vrpc_session_new_(struct vrpc_manager *m, struct vrpc_link *link,
    const struct vrpc_endpoint *local, const struct vrpc_endpoint *remote,
    struct vrpc_session_ **out)
{
    struct vrpc_session_ *s = v23_new(m->al, struct vrpc_session_);
    struct v23_now now = vrpc_mgr_now_(m);
    struct vrpc_conn_config cfg;
    struct vrpc_endpoint lep;
    struct v23_arena a;
    int rc = V23_ENOMEM;

    if (s == NULL)
        return rc;
    v23_arena_init(&a, m->al, SIZE_MAX);
    s->m = m;
    s->link = link;
    v23_buf_init(&s->texts, m->al, 65536);
    s->accepted = remote == NULL;
    rc = set_key(s, remote == NULL ? local : remote);
    if (rc == 0)
        rc = local_endpoint(m, &a, local, s->accepted, &lep);
    if (rc != 0)
        goto out;
    memset(&cfg, 0, sizeof(cfg));
    cfg.al = m->al;
    cfg.log = m->log;
    cfg.random = random_fill;
    cfg.random_ud = m;
    cfg.principal = m->principal;
    cfg.chains = m->chains;
    cfg.known = &m->known;
    cfg.has_handler = !vrpc_routing_id_is_null(&m->rid);
    if (cfg.has_handler) {
        cfg.blessings = vsec_store_default(m->principal->store);
        cfg.discharges = m->own.v;
        cfg.ndischarges = m->own.n;
        s->held = cfg.hold = m->own.hold;
        s->shown = m->own.generation;
    }
    cfg.role = s->accepted ? VRPC_ACCEPTOR : VRPC_DIALER;
    cfg.local = &lep;
    cfg.remote = remote;
    cfg.mtu = m->mtu == 0 ? VRPC_MTU : m->mtu;
    if (link->ops->encapsulated && vrpc_tunnel_mtu_(link) < cfg.mtu)
        cfg.mtu = vrpc_tunnel_mtu_(link);
    cfg.bytes_buffered = m->bytes_buffered;
    cfg.handshake_timeout_ns = m->handshake_timeout;
    cfg.channel_timeout_ns = m->channel_timeout;
    cfg.limits.flows = m->max_flows;
    cfg.message_transport = link->ops->messages;
    cfg.encapsulated = link->ops->encapsulated;
    cfg.hooks = &hooks;
    cfg.ud = s;
    rc = vrpc_conn_new(&cfg, &now, &s->conn);
out:
    v23_arena_fini(&a);
    if (rc != 0) {
        v23_put(m->al, s->text);
        v23_put(m->al, s);
        return rc;
    }
    s->next = m->sessions;
    if (s->next != NULL)
        s->next->plink = &s->next;
    s->plink = &m->sessions;
    m->sessions = s;
    m->nsessions++;
    if (s->accepted)
        begin_shaking(s);
    *out = s;
    return 0;
}

int vrpc_manager_accepted(struct vrpc_manager *m, struct vrpc_link *link,
    const struct vrpc_endpoint *local, struct vrpc_conn **out)
{
    struct vrpc_session_ *s;
    int rc;

    if (m->host == NULL || m->closing)
        return V23_ESTATE;
    if (m->nshaking >= m->max_handshakes)
        (void)drop_stranger(m, 0);
    if (m->nsessions >= m->max_conns && vrpc_manager_reclaim(m, 1) == 0)
        return V23_ELIMIT;
    rc = vrpc_session_new_(m, link, local, NULL, &s);
    if (rc == 0)
        *out = s->conn;
    return rc;
}

void vrpc_manager_release(struct vrpc_manager *m, struct vrpc_conn *c)
{
    struct vrpc_session_ *s = vrpc_conn_ud(c);
    struct v23_now now = vrpc_mgr_now_(m);

    s->released = true;
    s->pins++;
    if (!s->dead)
        vrpc_conn_input_end(c, V23_ECLOSED, NULL, &now);
    session_unlink(s);
    vrpc_session_unpin_(s);
}

struct vrpc_session_ *vrpc_session_pin_(struct vrpc_session_ *s)
{
    s->pins++;
    return s;
}

void vrpc_session_unpin_(struct vrpc_session_ *s)
{
    if (s != NULL && --s->pins == 0 && s->released)
        session_free(s);
}

/* ---- idle connections ---------------------------------------------------- */

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

    while (done < n && drop_stranger(m, STRANGER_TIME))
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
    m->tracer.ids.random = random_fill;
    m->tracer.ids.ud = m;
    m->mtu = cfg->mtu;
    m->bytes_buffered = cfg->bytes_buffered;
    m->channel_timeout = cfg->channel_timeout_ns;
    m->handshake_timeout = cfg->handshake_timeout_ns;
    m->idle = cfg->idle_ns == 0 ? 600 * V23_NS_PER_SEC : cfg->idle_ns;
    m->max_conns = cfg->max_conns == 0 ? 16384 : cfg->max_conns;
    m->max_handshakes = cfg->max_handshakes == 0 ? 4096 : cfg->max_handshakes;
    m->shaking_tail = &m->shaking;
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
    return m->client;
}

struct vrpc_server *vrpc_manager_server(const struct vrpc_manager *m)
{
    return m->server;
}

size_t vrpc_manager_nconns(const struct vrpc_manager *m)
{
    return m->nsessions;
}
