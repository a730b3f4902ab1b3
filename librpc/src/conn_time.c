/* BSD-3-Clause; see LICENSE. */
/*
 * What a connection does with time: health checks (spec/rpc.md 11), lame duck
 * (12), giving memory back when it falls silent; and what it tells about
 * itself.
 */
#include "conn_int.h"

/* ---- lame duck ----------------------------------------------------------- */

void vrpc_conn_enter_lame_duck(struct vrpc_conn *c)
{
    if (c->status != VRPC_CONN_ACTIVE)
        return;
    c->status = VRPC_CONN_LAME_DUCK;
    if (vrpc_express_byte_(c, VRPC_MSG_ENTER_LAME_DUCK) != 0)
        vrpc_break_(c, V23_ENOMEM);
    vrpc_wake_(c);
}

void vrpc_lame_check_(struct vrpc_conn *c)
{
    if (!c->peer_lame || c->lame_ack_sent || c->unopened > 0
        || vrpc_is_closing_(c))
        return;
    c->lame_ack_sent = true;
    if (vrpc_express_byte_(c, VRPC_MSG_ACK_LAME_DUCK) != 0)
        vrpc_break_(c, V23_ENOMEM);
    vrpc_wake_(c);
}

/* ---- health -------------------------------------------------------------- */

/* A flow may be opened long after the connection last heard what time it is:
 * its time runs from when that is next known. */
void vrpc_health_flow_(struct vrpc_conn *c, int64_t timeout_ns)
{
    if (c->health_new_ns == 0 || timeout_ns < c->health_new_ns)
        c->health_new_ns = timeout_ns;
    vrpc_wake_(c);
}

void vrpc_health_begin_(struct vrpc_conn *c)
{
    int64_t now = c->now.mono_ns, t = c->health_new_ns;

    c->health_new_ns = 0;
    if (!c->health_pending && now + t / 2 < c->health_request_at)
        c->health_request_at = now + t / 2;
    if (now + t < c->health_close_at)
        c->health_close_at = now + t;
}

void vrpc_health_response_(struct vrpc_conn *c)
{
    int64_t t = c->channel_timeout_ns, now = c->now.mono_ns;
    const struct vrpc_link_ *l;
    const struct vrpc_flow *f;

    if (!c->health_pending)
        return;
    c->health_pending = false;
    c->rtt_ns = now - c->health_sent_at;
    for (l = c->flows.next; l != &c->flows; l = l->next) {
        f = (const struct vrpc_flow *)(const void *)((const char *)l
            - offsetof(struct vrpc_flow, all));
        if (f->mapped && f->channel_timeout_ns > 0
            && f->channel_timeout_ns < t)
            t = f->channel_timeout_ns;
    }
    c->health_request_at = now + t / 2;
    c->health_close_at = now + t;
}

void vrpc_health_tick_(struct vrpc_conn *c, int64_t now)
{
    if (now >= c->health_close_at) {
        vrpc_close_(c, V23_ETIMEOUT, "the channel has become unresponsive",
            true);
        return;
    }
    if (now < c->health_request_at)
        return;
    c->health_request_at = V23_NEVER;
    c->health_pending = true;
    c->health_sent_at = now;
    if (vrpc_express_byte_(c, VRPC_MSG_HEALTH_REQUEST) != 0)
        vrpc_break_(c, V23_ENOMEM);
}

/* ---- memory at rest ------------------------------------------------------ */

bool vrpc_is_fat_(const struct vrpc_conn *c)
{
    return c->pool.bytes > VRPC_POOL_REST_ || c->nspare > VRPC_FLOWS_REST_
        || vrpc_idmap_is_sparse_(&c->by_id)
        || vrpc_idmap_is_sparse_(&c->outstanding)
        || vrpc_blessflow_is_fat_(c) || c->closed_release != NULL;
}

static void slim(struct vrpc_conn *c)
{
    struct vrpc_flow *f;

    vrpc_pool_trim_(&c->pool, c->al, VRPC_POOL_REST_);
    vrpc_idmap_trim_(&c->by_id, c->al);
    vrpc_idmap_trim_(&c->outstanding, c->al);
    while (c->nspare > VRPC_FLOWS_REST_) {
        f = VRPC_FLOW_OF_(c->spare.next, all);
        vrpc_unlink_(&f->all);
        v23_put(c->al, f);
        c->nspare--;
    }
    vrpc_blessflow_slim_(c);
    if (c->nclosed_release > 0) {
        /* The peer's bookkeeping ends with ours. */
        c->release_due = true;
    } else {
        v23_put(c->al, c->closed_release);
        c->closed_release = NULL;
        c->closed_release_cap = 0;
    }
}

void vrpc_trim_tick_(struct vrpc_conn *c, int64_t now)
{
    if (now < c->trim_at)
        return;
    c->trim_at = V23_NEVER; /* vrpc_leave_ sets it again when needed */
    if (now - c->busy_ns >= VRPC_REST_AFTER_NS_)
        slim(c);
}

/* ---- enquiries ----------------------------------------------------------- */

enum vrpc_conn_status vrpc_conn_status(const struct vrpc_conn *c)
{
    return c->status;
}

void *vrpc_conn_ud(const struct vrpc_conn *c)
{
    return c->ud;
}

enum vrpc_role vrpc_conn_role(const struct vrpc_conn *c)
{
    return c->role;
}

uint32_t vrpc_conn_version(const struct vrpc_conn *c)
{
    return c->version;
}

uint32_t vrpc_conn_mtu(const struct vrpc_conn *c)
{
    return c->version == 0 ? 0 : c->mtu;
}

bool vrpc_conn_is_sealed(const struct vrpc_conn *c)
{
    return c->sealed;
}

bool vrpc_conn_is_proxy(const struct vrpc_conn *c)
{
    return c->is_proxy;
}

bool vrpc_conn_peer_lame_duck(const struct vrpc_conn *c)
{
    return c->peer_lame;
}

const struct vrpc_endpoint *vrpc_conn_local_endpoint(
    const struct vrpc_conn *c)
{
    return &c->local;
}

const struct vrpc_endpoint *vrpc_conn_remote_endpoint(
    const struct vrpc_conn *c)
{
    return &c->remote;
}

const struct vsec_blessings *vrpc_conn_remote_blessings(
    const struct vrpc_conn *c)
{
    const struct vrpc_recd_ *r = vrpc_blessings_known_(c, c->peer_bkey);

    return r == NULL ? NULL : r->b;
}

struct vsec_discharge *const *vrpc_conn_remote_discharges(
    const struct vrpc_conn *c, size_t *n)
{
    const struct vrpc_recd_ *r = vrpc_blessings_known_(c, c->peer_dkey);

    *n = r == NULL ? 0 : r->d.n;
    return r == NULL ? NULL : r->d.v;
}

const struct vsec_blessings *vrpc_conn_local_blessings(
    const struct vrpc_conn *c)
{
    return c->own;
}

int64_t vrpc_conn_rtt_ns(const struct vrpc_conn *c, const struct v23_now *now)
{
    int64_t pending = c->health_pending ? now->mono_ns - c->health_sent_at : 0;

    return pending > c->rtt_ns ? pending : c->rtt_ns;
}

int64_t vrpc_conn_last_use_ns(const struct vrpc_conn *c)
{
    return c->last_use_ns;
}

size_t vrpc_conn_flows(const struct vrpc_conn *c)
{
    return c->nflows - c->nside;
}

bool vrpc_conn_is_idle(const struct vrpc_conn *c, int64_t since_ns)
{
    return vrpc_conn_flows(c) == 0 && c->last_use_ns < since_ns;
}
