/* BSD-3-Clause; see LICENSE. */
/*
 * Flow handles: opening, writing, reading, closing. What the peer does to
 * flows is in flow_in.c; what is sent is decided in conn_out.c.
 *
 * A handle is given back by close or cancel; the object lives on until what
 * was queued has been sent.
 */
#include "conn_int.h"

#define QUEUE_MAX ((size_t)1 << 30) /* bytes of one flow's buffer */
#define MESSAGE_CLEAR (UINT32_C(1) << 31)

/* ---- life ---------------------------------------------------------------- */

struct vrpc_flow *vrpc_flow_new_(struct vrpc_conn *c)
{
    struct vrpc_flow *f;

    if (vrpc_linked_(&c->spare)) {
        f = VRPC_FLOW_OF_(c->spare.next, all);
        vrpc_unlink_(&f->all);
        c->nspare--;
    } else {
        f = v23_get(c->al, sizeof(*f));
        if (f == NULL)
            return NULL;
    }
    memset(f, 0, sizeof(*f));
    f->conn = c;
    vrpc_link_init_(&f->all);
    vrpc_link_init_(&f->q);
    vrpc_link_init_(&f->due);
    vrpc_link_init_(&f->rel);
    vrpc_link_init_(&f->dep_link);
    vrpc_link_init_(&f->dependents);
    v23_buf_init(&f->tx, c->al, QUEUE_MAX);
    v23_buf_init(&f->rx, c->al, QUEUE_MAX);
    vrpc_append_(&c->flows, &f->all);
    return f;
}

int vrpc_flow_map_(struct vrpc_flow *f)
{
    struct vrpc_conn *c = f->conn;
    union vrpc_idval_ val;
    int rc;

    val.p = f;
    rc = vrpc_idmap_put_(&c->by_id, c->al, f->id, val);
    if (rc != 0)
        return rc;
    f->mapped = true;
    c->nflows++;
    c->nside += f->side_channel;
    return 0;
}

/* Those who wait for f need not wait any more. */
static void let_go(struct vrpc_flow *f)
{
    struct vrpc_flow *d;

    while (vrpc_linked_(&f->dependents)) {
        d = VRPC_FLOW_OF_(f->dependents.next, dep_link);
        vrpc_unlink_(&d->dep_link);
        d->dep = NULL;
        vrpc_flow_ready_(d);
    }
}

void vrpc_flow_discard_(struct vrpc_flow *f)
{
    vrpc_unlink_(&f->q);
    f->where = VRPC_NOWHERE_;
    vrpc_unlink_(&f->dep_link);
    f->dep = NULL;
    vrpc_recycle_(f->conn, &f->tx);
    f->tx_head = f->tx_commit = 0;
    let_go(f);
}

/* Out of the map, whatever becomes of the tokens. */
static void take_out(struct vrpc_flow *f)
{
    struct vrpc_conn *c = f->conn;

    if (!f->mapped)
        return;
    vrpc_idmap_del_(&c->by_id, f->id);
    f->mapped = false;
    c->nflows--;
    c->nside -= f->side_channel;
    vrpc_unlink_(&f->rel);
    if (!f->opened) {
        c->unopened--;
        vrpc_lame_check_(c);
    }
}

/* Remember the allowance of a flow that the peer closed (spec 10). */
static void release_closed(struct vrpc_flow *f)
{
    struct vrpc_conn *c = f->conn;
    void *v = c->closed_release;
    int rc;

    rc = v23_reserve(c->al, &v, &c->closed_release_cap,
        c->nclosed_release + 1, VRPC_CLOSED_MAX_, sizeof(*c->closed_release));
    c->closed_release = v;
    if (rc != 0) {
        vrpc_break_(c, rc);
        return;
    }
    c->closed_release[c->nclosed_release].flow = f->id;
    c->closed_release[c->nclosed_release++].tokens = f->to_release;
    if (c->nclosed_release >= VRPC_CLOSED_RELEASE_)
        c->release_due = true;
}

void vrpc_flow_unmap_(struct vrpc_flow *f, bool peer_closed)
{
    struct vrpc_conn *c = f->conn;
    union vrpc_idval_ val;
    int rc;

    take_out(f);
    if (vrpc_is_closing_(c))
        return;
    if (peer_closed) {
        vrpc_pool_add_(c, f->borrowed);
        /* Our own close would have told the peer as much. */
        if (f->remote_borrowing)
            release_closed(f);
    } else if (f->borrowed > 0) {
        val.n = f->borrowed;
        rc = vrpc_idmap_put_(&c->outstanding, c->al, f->id, val);
        if (rc != 0)
            vrpc_break_(c, rc);
    }
    f->borrowed = 0;
}

/* Nothing of what was queued for the application is wanted. */
static void forget_rx(struct vrpc_flow *f)
{
    f->conn->unread -= f->rx.n - f->rx_head;
    vrpc_recycle_(f->conn, &f->rx);
    f->rx_head = 0;
}

void vrpc_flow_grant_(struct vrpc_flow *f)
{
    struct vrpc_conn *c = f->conn;

    f->grant = c->window;
    if (c->granted + f->grant > c->limits.windows && f->grant > c->mtu)
        f->grant = c->mtu;
    c->granted += f->grant;
}

void vrpc_flow_drop_(struct vrpc_flow *f)
{
    struct vrpc_conn *c = f->conn;

    take_out(f);
    vrpc_flow_discard_(f);
    forget_rx(f);
    c->granted -= f->grant;
    vrpc_unlink_(&f->due);
    vsec_blessings_unref(f->blessings);
    vrpc_discharges_fini_(c->al, &f->discharges);
    if (c->current == f)
        c->current = NULL;
    vrpc_unlink_(&f->all);
    if (c->nspare < VRPC_FLOWS_BUSY_) {
        vrpc_append_(&c->spare, &f->all);
        c->nspare++;
    } else {
        v23_put(c->al, f);
    }
}

size_t vrpc_flow_unread(const struct vrpc_flow *f)
{
    return f->rx.n - f->rx_head + f->direct.n;
}

void vrpc_flow_done_(struct vrpc_flow *f)
{
    if (!f->handle && !f->mapped)
        vrpc_flow_drop_(f);
}

void vrpc_flow_end_(struct vrpc_flow *f, int status)
{
    f->peer_closed = true;
    f->close_status = status;
    f->want_write = false;
    vrpc_flow_discard_(f);
    if (f->handle)
        vrpc_append_(&f->conn->due, &f->due);
    else
        vrpc_flow_done_(f);
}

/* ---- opening ------------------------------------------------------------- */

static int may_open(const struct vrpc_conn *c)
{
    if (vrpc_is_closing_(c))
        return V23_ECLOSED;
    if (c->peer_lame)
        return V23_ELAMEDUCK;
    if (c->shake != NULL || vrpc_routing_id_is_null(&c->remote.rid))
        return V23_ESTATE;
    return c->nflows >= c->limits.flows ? V23_ELIMIT : 0;
}

bool vrpc_conn_can_open(const struct vrpc_conn *c)
{
    int rc = may_open(c);

    return (rc == 0 || rc == V23_ELIMIT) && !vrpc_blessflow_is_old_(c);
}

static int fill_own(struct vrpc_flow *f, const struct vrpc_flow_opts *o)
{
    struct vrpc_conn *c = f->conn;
    int rc;

    f->ud = o->ud;
    f->side_channel = o->side_channel;
    f->messages = o->messages;
    f->channel_timeout_ns = o->channel_timeout_ns;
    f->borrowing = true;
    vrpc_flow_grant_(f);
    if (o->blessings != NULL)
        f->blessings = vsec_blessings_ref(o->blessings);
    rc = vrpc_discharges_copy_(c->al, &f->discharges, o->discharges,
        o->blessings == NULL ? 0 : o->ndischarges);
    if (rc != 0)
        return rc;
    f->id = c->next_id;
    return vrpc_flow_map_(f);
}

int vrpc_flow_open(struct vrpc_conn *c, const struct vrpc_flow_opts *opts,
    struct vrpc_flow **out)
{
    static const struct vrpc_flow_opts none;
    struct vrpc_flow *f;
    int rc = may_open(c);

    if (opts == NULL)
        opts = &none;
    if (rc != 0)
        return rc;
    if (opts->blessings != NULL
        && !vsec_pubkey_eq(vsec_blessings_key(opts->blessings),
            c->principal->key))
        return V23_EARG;
    f = vrpc_flow_new_(c);
    if (f == NULL)
        return V23_ENOMEM;
    rc = fill_own(f, opts);
    if (rc != 0) {
        vrpc_flow_drop_(f);
        return rc;
    }
    f->handle = true;
    c->next_id += 2;
    c->unopened++;
    if (f->channel_timeout_ns > 0)
        vrpc_health_flow_(c, f->channel_timeout_ns);
    *out = f;
    return 0;
}

/* ---- writing ------------------------------------------------------------- */

static int may_write(const struct vrpc_flow *f)
{
    return f->peer_closed || f->closing || vrpc_is_closing_(f->conn)
        ? V23_ECLOSED : 0;
}

bool vrpc_flow_can_write(const struct vrpc_flow *f)
{
    uint64_t window = f->borrowing ? f->conn->pool_tokens : f->released;
    size_t queue = vrpc_flow_queue_(f);

    if (may_write(f) != 0)
        return false;
    if (window > f->conn->limits.flow_queue)
        window = f->conn->limits.flow_queue;
    return queue == 0 || queue < window;
}

/* Make sure that tx has memory, and move the queue down now and then. */
static int prepare_tx(struct vrpc_flow *f)
{
    size_t queue = f->tx.n - f->tx_head;

    if (f->tx.p == NULL)
        return vrpc_refill_(f->conn, &f->tx, VRPC_TX_FIRST_);
    f->tx.err = 0;
    if (f->tx_head > 0 && f->tx_head >= queue) {
        v23_buf_drop(&f->tx, f->tx_head);
        f->tx_commit -= f->tx_head;
        f->tx_head = 0;
    }
    return 0;
}

int vrpc_flow_wait(struct vrpc_flow *f)
{
    int rc = may_write(f);

    if (rc == 0 && !vrpc_flow_can_write(f)) {
        f->want_write = true;
        rc = V23_EAGAIN;
    }
    return rc;
}

static int window(struct vrpc_flow *f)
{
    int rc = vrpc_flow_wait(f);

    return rc == 0 ? prepare_tx(f) : rc;
}

int vrpc_flow_buf(struct vrpc_flow *f, struct v23_buf **out)
{
    int rc = f->messages ? V23_ESTATE : window(f);

    if (rc == 0)
        *out = &f->tx;
    return rc;
}

void vrpc_flow_rollback(struct vrpc_flow *f)
{
    v23_buf_cut(&f->tx, f->tx_commit);
    if (f->tx_commit == f->tx_head) {
        vrpc_recycle_(f->conn, &f->tx);
        f->tx_head = f->tx_commit = 0;
    }
}

int vrpc_flow_commit(struct vrpc_flow *f)
{
    struct vrpc_conn *c = f->conn;
    int rc = may_write(f);

    if (rc == 0)
        rc = f->tx.err;
    if (rc == 0 && !f->written && !f->accepted)
        rc = vrpc_blessings_send_(c, f->blessings, &f->discharges, &f->bkey,
            &f->dkey);
    if (rc != 0) {
        vrpc_flow_rollback(f);
        return rc;
    }
    f->committed += f->tx.n - f->tx_commit;
    f->tx_commit = f->tx.n;
    f->written = true;
    c->last_use_ns = c->now.mono_ns;
    vrpc_flow_ready_(f);
    if (vrpc_conn_wants_output(c))
        vrpc_wake_(c);
    return 0;
}

int vrpc_flow_write(struct vrpc_flow *f, const void *p, size_t n)
{
    struct v23_buf *b;
    int rc = vrpc_flow_buf(f, &b);

    if (rc != 0)
        return rc;
    v23_buf_put(b, p, n);
    return vrpc_flow_commit(f);
}

int vrpc_flow_write_message(struct vrpc_flow *f, const void *p, size_t n,
    bool clear)
{
    /* An empty frame would be no message on a message transport. */
    uint32_t head = (uint32_t)n | (clear && n > 0 ? MESSAGE_CLEAR : 0);
    int rc;

    if (!f->messages)
        return V23_ESTATE;
    if (n > vrpc_flow_mtu_(f->conn))
        return V23_ELIMIT;
    rc = window(f);
    if (rc != 0)
        return rc;
    v23_buf_put(&f->tx, &head, sizeof(head));
    v23_buf_put(&f->tx, p, n);
    return vrpc_flow_commit(f);
}

size_t vrpc_flow_queued(const struct vrpc_flow *f)
{
    return vrpc_flow_queue_(f);
}

void vrpc_flow_send_after(struct vrpc_flow *f, struct vrpc_flow *dep)
{
    if (dep->sent == dep->committed || dep->peer_closed || f == dep)
        return;
    if (f->dep != NULL && f->dep != dep)
        return; /* one at a time is all that anybody needs */
    if (f->dep == NULL)
        f->dep_from = f->committed;
    f->dep = dep;
    f->dep_mark = dep->committed;
    vrpc_append_(&dep->dependents, &f->dep_link);
}

/* ---- reading ------------------------------------------------------------- */

void vrpc_flow_set_messages(struct vrpc_flow *f)
{
    f->messages = true;
    /* It gets a window of its own at once: a whole message may not fit into
     * what stalled flows have left of the pool. */
    if (f->accepted && f->mapped)
        f->conn->release_due = true;
}

int vrpc_flow_peek(struct vrpc_flow *f, struct v23_bytes *bytes)
{
    uint32_t n;

    if (f->in_direct) {
        *bytes = f->direct;
        return 0;
    }
    if (f->rx_head == f->rx.n)
        return f->peer_closed ? V23_EEOF : V23_EAGAIN;
    if (f->messages) {
        memcpy(&n, f->rx.p + f->rx_head, sizeof(n));
        *bytes = v23_bytes(f->rx.p + f->rx_head + sizeof(n), n);
    } else {
        *bytes = v23_bytes(f->rx.p + f->rx_head, f->rx.n - f->rx_head);
    }
    return 0;
}

void vrpc_flow_consume(struct vrpc_flow *f, size_t n)
{
    struct vrpc_conn *c = f->conn;
    size_t queued = f->messages ? sizeof(uint32_t) + n : n;

    if (f->in_direct) {
        f->direct.p += n;
        f->direct.n -= n;
        f->in_direct = !f->messages && f->direct.n > 0;
    } else {
        f->rx_head += queued;
        c->unread -= queued;
        if (f->rx_head == f->rx.n) {
            vrpc_recycle_(c, &f->rx);
            f->rx_head = 0;
        }
    }
    c->last_use_ns = c->now.mono_ns;
    vrpc_flow_used_(f, n);
    if (c->release_due)
        vrpc_wake_(c);
}

/* ---- closing ------------------------------------------------------------- */

/* The application will read nothing more. */
static void drop_input(struct vrpc_flow *f)
{
    vrpc_flow_used_(f, vrpc_flow_unread(f));
    f->direct.n = 0;
    f->in_direct = false;
    forget_rx(f);
}

/* Everything is sent: close on the wire, past what other flows queue. */
static void close_now(struct vrpc_flow *f)
{
    struct vrpc_conn *c = f->conn;
    uint8_t head[VRPC_DATA_HEADER_MAX];
    int rc;

    if (f->mapped && f->opened) {
        rc = vrpc_express_(c, head,
            vrpc_data_header(head, f->id, VRPC_FLOW_CLOSE), false);
        if (rc != 0)
            vrpc_break_(c, rc);
        else
            vrpc_wake_(c);
    }
    f->handle = false;
    vrpc_unlink_(&f->due);
    if (f->mapped)
        vrpc_flow_unmap_(f, false);
    vrpc_flow_done_(f);
}

void vrpc_flow_close(struct vrpc_flow *f)
{
    if (f->tx.n > f->tx_commit)
        vrpc_flow_rollback(f);
    drop_input(f);
    f->want_write = false;
    if (!f->mapped || !f->written
        || (f->opened && vrpc_flow_queue_(f) == 0)) {
        close_now(f);
        return;
    }
    f->handle = false;
    vrpc_unlink_(&f->due);
    f->closing = true;
    vrpc_flow_ready_(f);
    vrpc_wake_(f->conn);
}

void vrpc_flow_cancel(struct vrpc_flow *f)
{
    drop_input(f);
    vrpc_flow_discard_(f);
    close_now(f);
}

/* ---- enquiries ----------------------------------------------------------- */

struct vrpc_conn *vrpc_flow_conn(const struct vrpc_flow *f)
{
    return f->conn;
}

uint64_t vrpc_flow_id(const struct vrpc_flow *f)
{
    return f->id;
}

void vrpc_flow_set_ud(struct vrpc_flow *f, void *ud)
{
    f->ud = ud;
}

void *vrpc_flow_ud(const struct vrpc_flow *f)
{
    return f->ud;
}

bool vrpc_flow_is_accepted(const struct vrpc_flow *f)
{
    return f->accepted;
}

bool vrpc_flow_is_closed(const struct vrpc_flow *f)
{
    return f->peer_closed;
}

const struct vsec_blessings *vrpc_flow_remote_blessings(
    const struct vrpc_flow *f)
{
    if (!f->accepted)
        return vrpc_conn_remote_blessings(f->conn);
    return vrpc_blessings_known_(f->conn, f->bkey)->b;
}

struct vsec_discharge *const *vrpc_flow_remote_discharges(
    const struct vrpc_flow *f, size_t *n)
{
    const struct vrpc_recd_ *r;

    if (!f->accepted)
        return vrpc_conn_remote_discharges(f->conn, n);
    r = vrpc_blessings_known_(f->conn, f->dkey);
    *n = r == NULL ? 0 : r->d.n;
    return r == NULL ? NULL : r->d.v;
}

const struct vsec_blessings *vrpc_flow_local_blessings(
    const struct vrpc_flow *f)
{
    return f->accepted ? f->conn->own : f->blessings;
}
