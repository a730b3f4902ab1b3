/* BSD-3-Clause; see LICENSE. */
/*
 * Sessions, one for each connection of a manager: they are made and end here,
 * and the hooks of connections become events of the owners of flows, of dials
 * and of the host.
 */
#include "tunnel_int.h"

#include <string.h>
#include <vsec/principal.h>

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

bool vrpc_session_drop_stranger_(struct vrpc_manager *m, int64_t time)
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

static void fill_config(struct vrpc_session_ *s,
    const struct vrpc_endpoint *local, const struct vrpc_endpoint *remote,
    struct vrpc_conn_config *cfg)
{
    struct vrpc_manager *m = s->m;

    memset(cfg, 0, sizeof(*cfg));
    cfg->al = m->al;
    cfg->log = m->log;
    cfg->random = vrpc_mgr_random_;
    cfg->random_ud = m;
    cfg->principal = m->principal;
    cfg->chains = m->chains;
    cfg->known = &m->known;
    cfg->has_handler = !vrpc_routing_id_is_null(&m->rid);
    if (cfg->has_handler) {
        cfg->blessings = vsec_store_default(m->principal->store);
        cfg->discharges = m->own.v;
        cfg->ndischarges = m->own.n;
        s->held = cfg->hold = m->own.hold;
        s->shown = m->own.generation;
    }
    cfg->role = s->accepted ? VRPC_ACCEPTOR : VRPC_DIALER;
    cfg->local = local;
    cfg->remote = remote;
    cfg->mtu = m->mtu == 0 ? VRPC_MTU : m->mtu;
    if (s->link->ops->encapsulated && vrpc_tunnel_mtu_(s->link) < cfg->mtu)
        cfg->mtu = vrpc_tunnel_mtu_(s->link);
    cfg->bytes_buffered = m->bytes_buffered;
    cfg->handshake_timeout_ns = m->handshake_timeout;
    cfg->channel_timeout_ns = m->channel_timeout;
    cfg->limits.flows = m->max_flows;
    cfg->message_transport = s->link->ops->messages;
    cfg->encapsulated = s->link->ops->encapsulated;
    cfg->hooks = &hooks;
    cfg->ud = s;
}

static void session_link(struct vrpc_session_ *s)
{
    struct vrpc_manager *m = s->m;

    s->next = m->sessions;
    if (s->next != NULL)
        s->next->plink = &s->next;
    s->plink = &m->sessions;
    m->sessions = s;
    m->nsessions++;
    if (s->accepted)
        begin_shaking(s);
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
    if (rc == 0) {
        fill_config(s, &lep, remote, &cfg);
        rc = vrpc_conn_new(&cfg, &now, &s->conn);
    }
    v23_arena_fini(&a);
    if (rc != 0) {
        v23_put(m->al, s->text);
        v23_put(m->al, s);
        return rc;
    }
    session_link(s);
    *out = s;
    return 0;
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
