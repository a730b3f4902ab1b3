/* BSD-3-Clause; see LICENSE. */
/*
 * What the peer does to flows: OpenFlow, Data, Release; and the receiving half
 * of flow control (spec/rpc.md 9, 10).
 *
 * A payload is shown to the application where it lies in the input; only what
 * it leaves is copied.
 */
#include "conn_int.h"

/* ---- tokens -------------------------------------------------------------- */

void vrpc_pool_add_(struct vrpc_conn *c, uint64_t n)
{
    if (n == 0)
        return;
    c->pool_tokens += n;
    c->pool_blocked = false;
}

/*
 * How much of a window may be used up before it is given back. Messages are
 * sent whole, so of that of a message flow there must always be left what the
 * longest one takes.
 */
static uint64_t slack(const struct vrpc_flow *f, uint64_t window)
{
    uint64_t mtu = f->conn->mtu;

    if (!f->messages || window / 2 >= mtu)
        return window / 2;
    return window > mtu ? window - mtu : 0;
}

void vrpc_flow_used_(struct vrpc_flow *f, uint64_t n)
{
    struct vrpc_conn *c = f->conn;

    if (n == 0 || vrpc_is_closing_(c))
        return;
    if (f->mapped) {
        f->to_release += n;
        if (!vrpc_linked_(&f->rel))
            vrpc_append_(&c->to_release, &f->rel);
    }
    if (f->remote_borrowing) {
        c->to_release_borrowed += n;
        if (c->to_release_borrowed > slack(f, c->peer_pool))
            c->release_due = true;
    } else if (f->to_release > slack(f, f->grant)) {
        c->release_due = true;
    }
}

static void release_one(struct vrpc_conn *c, uint64_t id, uint64_t tokens)
{
    union vrpc_idval_ *v = vrpc_idmap_get_(&c->by_id, id);
    struct vrpc_flow *f;
    uint64_t back;

    if (v == NULL) {
        v = vrpc_idmap_get_(&c->outstanding, id);
        if (v == NULL)
            return;
        back = tokens < v->n ? tokens : v->n;
        v->n -= back;
        if (v->n == 0)
            vrpc_idmap_del_(&c->outstanding, id);
        vrpc_pool_add_(c, back);
        return;
    }
    f = v->p;
    if (!f->opened)
        return; /* the peer cannot know this flow */
    back = tokens < f->borrowed ? tokens : f->borrowed;
    f->borrowing = false;
    f->borrowed -= back;
    tokens -= back;
    f->released = tokens > UINT64_MAX - f->released ? UINT64_MAX
                                                    : f->released + tokens;
    vrpc_pool_add_(c, back);
    vrpc_flow_ready_(f);
}

int vrpc_on_release_(struct vrpc_conn *c, struct v23_bytes b)
{
    uint64_t id, tokens;

    while (vrpc_release_next(&b, &id, &tokens) == 0)
        release_one(c, id, tokens);
    return 0;
}

/* ---- payload ------------------------------------------------------------- */

static size_t unread(const struct vrpc_flow *f)
{
    return f->rx.n - f->rx_head;
}

/* Copy what is left of the direct window behind the queue. */
static int keep(struct vrpc_flow *f)
{
    struct vrpc_conn *c = f->conn;
    uint32_t head = (uint32_t)f->direct.n;
    size_t need = f->direct.n + (f->messages ? sizeof(head) : 0);
    int rc;

    f->in_direct = false;
    if (f->rx.p == NULL) {
        rc = vrpc_refill_(c, &f->rx, need);
        if (rc != 0)
            return rc;
    } else if (f->rx_head >= f->rx.n - f->rx_head) {
        v23_buf_drop(&f->rx, f->rx_head);
        f->rx_head = 0;
    }
    if (f->messages)
        v23_buf_put(&f->rx, &head, sizeof(head));
    v23_buf_put(&f->rx, f->direct.p, f->direct.n);
    f->direct.n = 0;
    if (f->rx.err == 0)
        c->unread += need;
    return f->rx.err;
}

static bool overdrawn(const struct vrpc_flow *f, size_t n)
{
    const struct vrpc_conn *c = f->conn;
    uint64_t max = f->grant > c->peer_pool ? f->grant : c->peer_pool;
    uint64_t all = c->granted + c->peer_pool;

    /* Heads of queued messages are not the peer's bytes. */
    if (f->messages)
        max += max / 4 + 4096;
    all += all / 4 + 4096;
    return unread(f) + n > max || c->unread + n > all;
}

/* Offer a payload. The flow may be gone afterwards: c->current == NULL. */
static int offer(struct vrpc_flow *f, struct v23_bytes payload)
{
    struct vrpc_conn *c = f->conn;

    if (overdrawn(f, payload.n))
        return vrpc_fail_(c, V23_ELIMIT, "flow control counter overflow");
    if (!f->handle) {
        vrpc_flow_used_(f, payload.n);
        return 0;
    }
    if (payload.n == 0 && !f->messages)
        return 0;
    f->direct = payload;
    if (unread(f) > 0 || c->hooks->flow_readable == NULL) {
        if (keep(f) != 0)
            return vrpc_fail_(c, V23_ENOMEM, NULL);
    } else {
        f->in_direct = true;
    }
    return 0;
}

static int show(struct vrpc_conn *c)
{
    struct vrpc_flow *f = c->current;

    if (f == NULL || !f->handle)
        return 0;
    if (c->hooks->flow_readable != NULL)
        c->hooks->flow_readable(c->ud, c, f);
    if (c->dead)
        return V23_ECLOSED;
    f = c->current; /* NULL when it was freed */
    if (f != NULL && f->in_direct && keep(f) != 0)
        return vrpc_fail_(c, V23_ENOMEM, NULL);
    return 0;
}

static void tell_closed(struct vrpc_conn *c)
{
    struct vrpc_flow *f = c->current;

    if (f == NULL || !f->handle || f->told_closed)
        return;
    f->told_closed = true;
    vrpc_unlink_(&f->due);
    if (c->hooks->flow_closed != NULL)
        c->hooks->flow_closed(c->ud, c, f, f->close_status);
}

/* A payload and flags for an open flow. */
static int deliver(struct vrpc_flow *f, struct v23_bytes payload,
    uint64_t flags)
{
    struct vrpc_conn *c = f->conn;
    int rc;

    c->current = f;
    rc = offer(f, payload);
    if (rc != 0)
        return rc;
    if ((flags & VRPC_FLOW_CLOSE) != 0) {
        vrpc_flow_unmap_(f, true);
        vrpc_flow_end_(f, V23_OK); /* frees it if nobody holds it */
    }
    if (payload.n > 0 || (c->current != NULL && c->current->messages))
        rc = show(c);
    if (c->dead)
        return V23_ECLOSED;
    if ((flags & VRPC_FLOW_CLOSE) != 0)
        tell_closed(c);
    if (c->dead)
        return V23_ECLOSED;
    c->current = NULL;
    return rc;
}

/* ---- Data ---------------------------------------------------------------- */

int vrpc_on_data_(struct vrpc_conn *c, const struct vrpc_data *m)
{
    union vrpc_idval_ *v;
    struct vrpc_flow *f;
    int rc;

    if (m->id == VRPC_BLESSINGS_FLOW_) {
        rc = vrpc_blessings_input_(c, m->payload);
        return rc == 0 ? 0 : vrpc_fail_(c, rc, "too much on blessings flow");
    }
    v = vrpc_idmap_get_(&c->by_id, m->id);
    f = v == NULL ? NULL : v->p;
    if (f == NULL) {
        v = vrpc_idmap_get_(&c->outstanding, m->id);
        if (v != NULL) {
            vrpc_pool_add_(c, v->n);
            vrpc_idmap_del_(&c->outstanding, m->id);
        }
        return 0;
    }
    return f->opened ? deliver(f, m->payload, m->flags) : 0;
}

/* ---- OpenFlow ------------------------------------------------------------ */

static bool is_peers(const struct vrpc_conn *c, uint64_t id)
{
    uint64_t parity = c->role == VRPC_DIALER ? 1 : 0;

    return id >= VRPC_FIRST_FLOW_ && (id & 1) == parity;
}

/* Too many flows: close it at once. */
static int refuse(struct vrpc_conn *c, uint64_t id)
{
    uint8_t head[VRPC_DATA_HEADER_MAX];
    int rc;

    rc = vrpc_express_(c, head, vrpc_data_header(head, id, VRPC_FLOW_CLOSE),
        false);
    return rc == 0 ? 0 : vrpc_fail_(c, rc, "too many flows");
}

static int accept(struct vrpc_conn *c, const struct vrpc_open_flow *m,
    struct vrpc_flow **out)
{
    struct vrpc_flow *f = vrpc_flow_new_(c);
    int rc;

    if (f == NULL)
        return V23_ENOMEM;
    f->id = m->id;
    f->accepted = true;
    f->opened = true;
    f->written = true;
    f->released = m->counters;
    f->remote_borrowing = true;
    f->bkey = m->bkey;
    f->dkey = m->dkey;
    f->side_channel = (m->flags & VRPC_FLOW_SIDE_CHANNEL) != 0;
    rc = vrpc_flow_map_(f);
    if (rc != 0) {
        vrpc_flow_drop_(f);
        return rc;
    }
    f->handle = true;
    vrpc_flow_grant_(f);
    f->to_release = f->grant;
    vrpc_append_(&c->to_release, &f->rel);
    *out = f;
    return 0;
}

int vrpc_on_open_(struct vrpc_conn *c, const struct vrpc_open_flow *m)
{
    struct vrpc_flow *f;
    int rc;

    if (!c->has_handler)
        return vrpc_fail_(c, V23_EPROTO, "unexpected OpenFlow");
    if (!is_peers(c, m->id) || vrpc_idmap_get_(&c->by_id, m->id) != NULL)
        return vrpc_fail_(c, V23_EPROTO, "invalid flow id");
    if (c->nflows >= c->limits.flows)
        return refuse(c, m->id);
    rc = vrpc_blessings_fetch_(c, m->bkey, m->dkey);
    if (rc == 0 && vrpc_blessings_known_(c, m->bkey)->b == NULL)
        rc = V23_EPROTO;
    if (rc == 0)
        rc = accept(c, m, &f);
    if (rc != 0)
        return vrpc_fail_(c, rc, NULL);
    c->last_use_ns = c->now.mono_ns;
    c->current = f;
    c->hooks->flow_opened(c->ud, c, f);
    if (c->dead)
        return V23_ECLOSED;
    f = c->current;
    if (f == NULL || vrpc_is_closing_(c))
        return 0;
    return deliver(f, m->payload, m->flags);
}
