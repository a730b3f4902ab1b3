/* BSD-3-Clause; see LICENSE. */
/*
 * Output: picks what goes next and seals it, straight into the caller's
 * buffer. Order: Setup, the blessings flow (what follows may name its keys),
 * control messages, Release, then flows in turn, one message each.
 *
 * A flow is in the ready queue only while it can send. Flows that need tokens
 * of the shared pool wait in a second queue, from which each message sent lets
 * one more into the first as long as the pool has tokens. Neither queue is
 * ever searched.
 */
#include "conn_int.h"

/* An entry of the express queue: length, then the message. */
#define ENTRY_CLEAR (UINT32_C(1) << 31)
#define ENTRY_HEAD sizeof(uint32_t)
/* Most an idle connection keeps for it. */
#define EXPRESS_KEEP 128u
/* Counters of one Release, whatever the mtu. */
#define RELEASE_MAX 256u

/* ---- memory -------------------------------------------------------------- */

void vrpc_recycle_(struct vrpc_conn *c, struct v23_buf *b)
{
    vrpc_pool_put_(&c->pool, c->al, b->p, b->cap);
    b->p = NULL;
    b->cap = 0;
    b->n = 0;
    b->err = 0;
}

int vrpc_refill_(struct vrpc_conn *c, struct v23_buf *b, size_t need)
{
    if (need < VRPC_TX_FIRST_)
        need = VRPC_TX_FIRST_;
    b->p = vrpc_pool_get_(&c->pool, c->al, need, &b->cap);
    b->n = 0;
    b->err = 0;
    if (b->p != NULL)
        return 0;
    b->cap = 0;
    return V23_ENOMEM;
}

/* ---- one message --------------------------------------------------------- */

/* Append a frame of two parts, sealed unless `clear`. */
static int emit(struct vrpc_conn *c, struct v23_buf *out,
    const uint8_t *head, size_t nhead, struct v23_bytes body, bool clear)
{
    size_t tag = clear ? 0 : VSEC_BOX_TAG;
    size_t frame = c->message_transport ? 0 : VRPC_FRAME_HEADER;
    size_t len = tag + nhead + body.n;
    uint8_t nonce[VSEC_BOX_NONCE], *p;
    uint64_t seq = c->sent_seq;
    int i, rc = v23_buf_room(out, frame + len);

    if (rc != 0)
        return rc;
    p = out->p + out->n;
    if (frame != 0) {
        rc = vrpc_frame_put(p, len);
        if (rc != 0)
            return rc;
        p += frame;
    }
    if (nhead > 0)
        memcpy(p + tag, head, nhead);
    if (body.n > 0)
        memcpy(p + tag + nhead, body.p, body.n);
    if (!clear) {
        memset(nonce, 0, sizeof(nonce));
        for (i = 0; i < 8; i++, seq >>= 8)
            nonce[i] = (uint8_t)seq;
        nonce[8] = c->sent_dir;
        c->box->seal(c->shared_key, nonce, p, len - tag);
        c->sent_seq++;
    }
    out->n += frame + len;
    c->last_sealed = !clear;
    return 0;
}

/* ---- express ------------------------------------------------------------- */

int vrpc_express_(struct vrpc_conn *c, const void *p, size_t n, bool clear)
{
    struct v23_buf *b = &c->express;
    uint32_t head = (uint32_t)n | (clear ? ENTRY_CLEAR : 0);
    int rc;

    if (b->n - c->express_head > VRPC_EXPRESS_MAX_)
        return V23_ELIMIT;
    rc = v23_buf_room(b, ENTRY_HEAD + n);
    if (rc != 0) {
        b->err = 0;
        return rc;
    }
    v23_buf_put(b, &head, sizeof(head));
    v23_buf_put(b, p, n);
    return 0;
}

int vrpc_express_byte_(struct vrpc_conn *c, uint8_t type)
{
    return vrpc_express_(c, &type, 1, false);
}

static uint32_t express_next(const struct vrpc_conn *c)
{
    uint32_t head;

    if (c->express_head == c->express.n)
        return 0;
    memcpy(&head, c->express.p + c->express_head, sizeof(head));
    return head;
}

static int send_express(struct vrpc_conn *c, struct v23_buf *out)
{
    static const struct v23_bytes none = { NULL, 0 };
    uint32_t head = express_next(c);
    size_t n = head & ~ENTRY_CLEAR;
    bool clear = !c->sealed || (head & ENTRY_CLEAR) != 0;
    int rc;

    rc = emit(c, out, c->express.p + c->express_head + ENTRY_HEAD, n, none,
        clear);
    if (rc != 0)
        return rc;
    c->express_head += ENTRY_HEAD + n;
    if (c->express_head < c->express.n)
        return 0;
    c->express_head = 0;
    if (c->express.cap > EXPRESS_KEEP)
        v23_buf_fini(&c->express);
    else
        v23_buf_cut(&c->express, 0);
    return 0;
}

/* ---- blessings, health, release ------------------------------------------ */

static int send_blessings(struct vrpc_conn *c, struct v23_buf *out)
{
    uint8_t head[VRPC_DATA_HEADER_MAX];
    size_t n = c->bf.out.n;
    int rc;

    if (n > vrpc_flow_mtu_(c))
        n = vrpc_flow_mtu_(c); /* a proxy passes on no more at once */
    rc = emit(c, out, head,
        vrpc_data_header(head, VRPC_BLESSINGS_FLOW_, 0),
        v23_bytes(c->bf.out.p, n), false);
    if (rc == 0 && n < c->bf.out.n)
        v23_buf_drop(&c->bf.out, n);
    else if (rc == 0)
        v23_buf_fini(&c->bf.out);
    return rc;
}

static int send_health_response(struct vrpc_conn *c, struct v23_buf *out)
{
    static const uint8_t msg[] = { VRPC_MSG_HEALTH_RESPONSE };
    static const struct v23_bytes none = { NULL, 0 };
    int rc = emit(c, out, msg, sizeof(msg), none, false);

    if (rc == 0)
        c->health_response_due = false;
    return rc;
}

static size_t put_counter(uint8_t *p, uint64_t flow, uint64_t tokens)
{
    size_t n = vom_put_uint(p, flow);

    return n + vom_put_uint(p + n, tokens);
}

/* Next counter to release; false when there is none. */
static bool next_counter(struct vrpc_conn *c, struct vrpc_counter_ *out)
{
    struct vrpc_flow *f;

    if (c->nclosed_release > 0) {
        *out = c->closed_release[--c->nclosed_release];
        return true;
    }
    if (!vrpc_linked_(&c->to_release))
        return false;
    f = VRPC_FLOW_OF_(c->to_release.next, rel);
    out->flow = f->id;
    out->tokens = f->to_release;
    f->to_release = 0;
    f->remote_borrowing = false;
    vrpc_unlink_(&f->rel);
    return true;
}

/*
 * One Release with as many counters as the mtu allows. The counters are taken
 * off their lists while encoding, so the buffer's room is secured before.
 */
static int send_release(struct vrpc_conn *c, struct v23_buf *out)
{
    size_t each = VRPC_RELEASE_EACH_ + vom_uint_size(c->window);
    size_t fit = c->mtu / each, max = fit < RELEASE_MAX ? fit : RELEASE_MAX;
    size_t n = c->nclosed_release, i, len;
    struct vrpc_counter_ counter;
    struct vrpc_link_ *l;
    struct v23_bytes body;
    uint8_t *mem, type = VRPC_MSG_RELEASE;
    int rc;

    if (max == 0)
        max = 1;
    for (l = c->to_release.next; l != &c->to_release && n < max; l = l->next)
        n++;
    if (n > max)
        n = max;
    if (n == 0) {
        c->release_due = false;
        return 0;
    }
    /* Encoded behind the place where emit() puts it. */
    len = VRPC_FRAME_HEADER + VSEC_BOX_TAG + 1 + 2 * (n * 18);
    rc = v23_buf_room(out, len);
    if (rc != 0)
        return rc;
    mem = out->p + out->n + len - n * 18;
    body = v23_bytes(mem, 0);
    for (i = 0; i < n && next_counter(c, &counter); i++)
        body.n += put_counter(mem + body.n, counter.flow, counter.tokens);
    rc = emit(c, out, &type, 1, body, false);
    if (c->nclosed_release == 0 && !vrpc_linked_(&c->to_release)) {
        c->release_due = false;
        c->to_release_borrowed = 0;
    }
    return rc;
}

/* ---- flows --------------------------------------------------------------- */

static uint64_t tokens_of(const struct vrpc_flow *f)
{
    return f->borrowing ? f->conn->pool_tokens : f->released;
}

/* Is what f->dep holds back still held back? */
static bool is_held(const struct vrpc_flow *f)
{
    return f->dep != NULL && f->dep->sent < f->dep_mark;
}

/* Head of the message at the front of the queue in message mode. */
static uint32_t message_head(const struct vrpc_flow *f)
{
    uint32_t head;

    memcpy(&head, f->tx.p + f->tx_head, sizeof(head));
    return head;
}

/* What to send next on f. */
struct piece {
    struct v23_bytes payload;
    size_t used;  /* of the queue */
    bool raw;
    bool sendable;
};

static struct piece next_message(const struct vrpc_flow *f)
{
    struct piece pc = { { NULL, 0 }, 0, false, false };
    uint32_t head;

    if (vrpc_flow_queue_(f) == 0) {
        pc.sendable = !f->opened || f->closing;
        return pc;
    }
    head = message_head(f);
    pc.payload = v23_bytes(f->tx.p + f->tx_head + ENTRY_HEAD,
        head & ~ENTRY_CLEAR);
    pc.used = ENTRY_HEAD + pc.payload.n;
    pc.raw = (head & ENTRY_CLEAR) != 0;
    pc.sendable = pc.payload.n <= tokens_of(f) && !is_held(f);
    return pc;
}

static struct piece next_piece(const struct vrpc_flow *f)
{
    struct piece pc = { { NULL, 0 }, 0, false, false };
    size_t queue = vrpc_flow_queue_(f), n = queue;
    uint64_t limit = tokens_of(f);

    if (f->messages)
        return next_message(f);
    if (is_held(f) && f->dep_from - f->sent < limit)
        limit = f->dep_from - f->sent;
    if (n > vrpc_flow_mtu_(f->conn))
        n = vrpc_flow_mtu_(f->conn);
    if (n > limit)
        n = (size_t)limit;
    pc.used = n;
    if (n > 0)
        pc.payload = v23_bytes(f->tx.p + f->tx_head, n);
    pc.sendable = n > 0 || (!f->opened && !is_held(f))
        || (queue == 0 && f->closing);
    return pc;
}

static bool has_work(const struct vrpc_flow *f)
{
    return f->mapped && f->written && !f->peer_closed
        && (vrpc_flow_queue_(f) > 0 || !f->opened || f->closing);
}

void vrpc_flow_ready_(struct vrpc_flow *f)
{
    struct vrpc_conn *c = f->conn;

    if (!has_work(f) || vrpc_is_closing_(c)) {
        vrpc_unlink_(&f->q);
        f->where = VRPC_NOWHERE_;
    } else if (next_piece(f).sendable) {
        if (f->where != VRPC_READY_)
            vrpc_append_(&c->ready, &f->q);
        f->where = VRPC_READY_;
    } else if (f->borrowing && !is_held(f)) {
        if (f->where != VRPC_POOL_WAIT_)
            vrpc_append_(&c->pool_wait, &f->q);
        f->where = VRPC_POOL_WAIT_;
        if (c->pool_tokens > 0)
            c->pool_blocked = true;
    } else {
        vrpc_unlink_(&f->q);
        f->where = VRPC_NOWHERE_;
    }
}

/* Free those whose wait for f is over. */
static void free_dependents(struct vrpc_flow *f)
{
    struct vrpc_link_ *l, *next;
    struct vrpc_flow *d;

    for (l = f->dependents.next; l != &f->dependents; l = next) {
        next = l->next;
        d = VRPC_FLOW_OF_(l, dep_link);
        if (is_held(d))
            continue;
        vrpc_unlink_(l);
        d->dep = NULL;
        vrpc_flow_ready_(d);
    }
}

static void piece_sent(struct vrpc_flow *f, const struct piece *pc, bool close)
{
    struct vrpc_conn *c = f->conn;

    if (f->borrowing) {
        c->pool_tokens -= pc->payload.n;
        f->borrowed += pc->payload.n;
    } else {
        f->released -= pc->payload.n;
    }
    f->tx_head += pc->used;
    f->sent += pc->used;
    if (!f->opened) {
        f->opened = true;
        c->unopened--;
        vrpc_lame_check_(c);
    }
    if (vrpc_flow_queue_(f) == 0 && f->tx.n == f->tx_commit) {
        vrpc_recycle_(c, &f->tx);
        f->tx_head = f->tx_commit = 0;
    }
    if (vrpc_linked_(&f->dependents))
        free_dependents(f);
    if (f->want_write && !vrpc_linked_(&f->due))
        vrpc_append_(&c->due, &f->due);
    /* To the end of the queue, if it has more. */
    vrpc_unlink_(&f->q);
    f->where = VRPC_NOWHERE_;
    if (close) {
        vrpc_flow_unmap_(f, false);
        vrpc_flow_done_(f);
    } else {
        vrpc_flow_ready_(f);
    }
}

static size_t flow_header(const struct vrpc_flow *f, uint64_t flags,
    uint8_t head[VRPC_OPEN_HEADER_MAX])
{
    struct vrpc_open_flow m;

    if (f->opened)
        return vrpc_data_header(head, f->id, flags);
    m.id = f->id;
    m.counters = f->grant;
    m.bkey = f->bkey;
    m.dkey = f->dkey;
    m.flags = flags | (f->side_channel ? VRPC_FLOW_SIDE_CHANNEL : 0);
    return vrpc_open_header(head, &m);
}

/* The header sealed, the payload as a clear frame of its own. */
static int emit_raw(struct vrpc_conn *c, struct v23_buf *out,
    const uint8_t *head, size_t nhead, struct v23_bytes payload)
{
    static const struct v23_bytes none = { NULL, 0 };
    size_t before = out->n;
    int rc;

    if (!c->message_transport) {
        rc = v23_buf_room(out, 2 * VRPC_FRAME_HEADER + VSEC_BOX_TAG + nhead
            + payload.n);
        if (rc == 0)
            rc = emit(c, out, head, nhead, none, false);
        /* There is room: this cannot fail but for the frame's length. */
        return rc == 0 ? emit(c, out, NULL, 0, payload, true) : rc;
    }
    v23_buf_put(&c->raw_out, payload.p, payload.n);
    if (c->raw_out.err != 0) {
        rc = c->raw_out.err;
        v23_buf_fini(&c->raw_out);
        return rc;
    }
    rc = emit(c, out, head, nhead, none, false);
    if (rc != 0) {
        out->n = before;
        v23_buf_fini(&c->raw_out);
        return rc;
    }
    c->raw_due = true;
    return 0;
}

static int send_flow(struct vrpc_flow *f, struct v23_buf *out)
{
    uint8_t head[VRPC_OPEN_HEADER_MAX];
    struct vrpc_conn *c = f->conn;
    struct piece pc = next_piece(f);
    uint64_t flags = pc.raw ? VRPC_FLOW_CLEAR : 0;
    bool close = f->closing && pc.used == vrpc_flow_queue_(f);
    size_t nhead;
    int rc;

    if (!pc.sendable) { /* the pool was emptied since it was queued */
        vrpc_flow_ready_(f);
        return 0;
    }
    if (close)
        flags |= VRPC_FLOW_CLOSE;
    nhead = flow_header(f, flags, head);
    if (pc.raw)
        rc = emit_raw(c, out, head, nhead, pc.payload);
    else
        rc = emit(c, out, head, nhead, pc.payload, false);
    if (rc == 0)
        piece_sent(f, &pc, close);
    return rc;
}

/* ---- the loop ------------------------------------------------------------ */

static bool pool_can_wake(const struct vrpc_conn *c)
{
    return c->pool_tokens > 0 && !c->pool_blocked
        && vrpc_linked_(&c->pool_wait);
}

bool vrpc_conn_wants_output(const struct vrpc_conn *c)
{
    if (c->raw_due || c->express_head < c->express.n)
        return true;
    if (vrpc_is_closing_(c))
        return false;
    return c->bf.out.n > 0 || c->health_response_due || c->release_due
        || vrpc_linked_(&c->ready) || pool_can_wake(c);
}

static int send_raw(struct vrpc_conn *c, struct v23_buf *out)
{
    int rc = emit(c, out, NULL, 0,
        v23_bytes(c->raw_out.p, c->raw_out.n), true);

    if (rc != 0)
        return rc;
    c->raw_due = false;
    c->last_sealed = true; /* its payload is */
    v23_buf_fini(&c->raw_out);
    return 0;
}

static int send_next(struct vrpc_conn *c, struct v23_buf *out)
{
    uint32_t express = express_next(c);

    if (c->raw_due)
        return send_raw(c, out);
    if (c->bf.out.n > 0 && (express & ENTRY_CLEAR) == 0)
        return send_blessings(c, out);
    if (express != 0)
        return send_express(c, out);
    if (c->health_response_due)
        return send_health_response(c, out);
    if (c->release_due)
        return send_release(c, out);
    if (pool_can_wake(c))
        vrpc_flow_ready_(VRPC_FLOW_OF_(c->pool_wait.next, q));
    if (!vrpc_linked_(&c->ready))
        return 0;
    return send_flow(VRPC_FLOW_OF_(c->ready.next, q), out);
}

int vrpc_output_(struct vrpc_conn *c, struct v23_buf *out, size_t max)
{
    size_t before = out->n;
    int rc = 0;

    while (rc == 0 && out->n < max && vrpc_conn_wants_output(c)) {
        rc = send_next(c, out);
        if (c->message_transport && out->n > before)
            break;
    }
    if (out->n > before)
        c->busy_ns = c->now.mono_ns;
    return rc;
}
