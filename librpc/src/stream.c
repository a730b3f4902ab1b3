/* BSD-3-Clause; see LICENSE. */
/*
 * Data flows: VOM value streams over a flow, encoded straight into the flow's
 * output buffer and decoded straight from what was received. Only an item that
 * does not arrive in one piece is collected in a buffer of its own, so that
 * the window never has to hold a whole item.
 */
#include "rpc_int.h"

#include <string.h>

/* Unconsumed bytes of an incomplete item above which they are moved. */
#define COLLECT_AT 8192u
/* What a value's message may have in front of its body. */
#define ITEM_SLACK (1u << 20)
/* Memory a reusable stream keeps. */
#define KEEP_MAX 65536u

void vrpc_stream_init_(struct vrpc_stream_ *s,
    const struct vrpc_user_ops_ *ops, const struct v23_alloc *al,
    size_t budget)
{
    memset(s, 0, sizeof(*s));
    s->user.ops = ops;
    s->budget = budget;
    v23_buf_init(&s->in, al,
        budget > SIZE_MAX - ITEM_SLACK ? SIZE_MAX : budget + ITEM_SLACK);
    v23_buf_init(&s->late, al, SIZE_MAX);
}

void vrpc_stream_attach_(struct vrpc_stream_ *s, struct vrpc_types_ *t)
{
    s->types = t;
    vom_dec_init(&s->dec, NULL, t->dec, true);
    s->has_dec = true;
}

void vrpc_stream_end_(struct vrpc_stream_ *s, bool cancel)
{
    struct vrpc_flow *f = s->flow;

    vrpc_stream_unwait_(s);
    if (s->has_dec)
        vom_dec_fini(&s->dec);
    s->has_dec = false;
    s->types = NULL;
    s->flow = NULL;
    s->out = NULL;
    s->out_started = false;
    s->in_off = s->used = 0;
    v23_buf_fini(&s->late);
    if (s->in.cap > KEEP_MAX)
        v23_buf_fini(&s->in);
    else
        v23_buf_cut(&s->in, 0);
    if (f == NULL)
        return;
    vrpc_flow_set_ud(f, NULL);
    if (cancel)
        vrpc_flow_cancel(f);
    else
        vrpc_flow_close(f);
}

void vrpc_stream_fini_(struct vrpc_stream_ *s)
{
    vrpc_stream_end_(s, true);
    v23_buf_fini(&s->in);
}

/* ---- output -------------------------------------------------------------- */

int vrpc_stream_begin_(struct vrpc_stream_ *s)
{
    int rc;

    if (s->flow == NULL)
        return V23_ECLOSED;
    rc = vrpc_flow_buf(s->flow, &s->out);
    if (rc != 0)
        s->out = NULL;
    s->out_was_started = s->out_started;
    return rc;
}

int vrpc_stream_begin_force_(struct vrpc_stream_ *s)
{
    int rc = s->late.n > 0 ? V23_EAGAIN : vrpc_stream_begin_(s);

    if (rc != V23_EAGAIN)
        return rc;
    s->out_was_started = s->out_started;
    s->late_was = s->late.n;
    s->out = &s->late;
    return 0;
}

int vrpc_stream_flush_(struct vrpc_stream_ *s)
{
    int rc;

    if (s->late.n == 0)
        return 0;
    if (s->flow == NULL)
        return V23_ECLOSED;
    rc = vrpc_flow_write(s->flow, s->late.p, s->late.n);
    if (rc == 0)
        v23_buf_fini(&s->late);
    return rc;
}

int vrpc_stream_put_(struct vrpc_stream_ *s, const struct vdl_type *t,
    const void *v)
{
    struct vom_enc *e = &s->types->values;
    int rc;

    e->out = s->out;
    e->started = s->out_started;
    rc = vom_encode(e, t, v);
    s->out_started = e->started;
    e->out = &s->types->out;
    return rc;
}

/* Types that were never sent go first. With a shut window they stay behind:
 * the peer waits for them. */
static int send_types(struct vrpc_stream_ *s)
{
    struct vrpc_types_ *t = s->types;
    int rc;

    if (t->out.n == 0)
        return 0;
    if (t->flow == NULL)
        return V23_ECLOSED;
    rc = vrpc_flow_write(t->flow, t->out.p, t->out.n);
    if (rc != 0)
        return rc == V23_EAGAIN ? 0 : rc;
    v23_buf_fini(&t->out); /* new types are rare */
    vrpc_flow_send_after(s->flow, t->flow);
    return 0;
}

int vrpc_stream_commit_(struct vrpc_stream_ *s)
{
    int rc = send_types(s);

    if (rc != 0) {
        vrpc_stream_rollback_(s);
        return rc;
    }
    rc = s->out == &s->late ? s->late.err : vrpc_flow_commit(s->flow);
    if (rc != 0)
        s->out_started = s->out_was_started;
    s->out = NULL;
    return rc;
}

void vrpc_stream_rollback_(struct vrpc_stream_ *s)
{
    if (s->out == NULL)
        return;
    if (s->out == &s->late)
        v23_buf_cut(&s->late, s->late_was);
    else
        vrpc_flow_rollback(s->flow);
    s->out_started = s->out_was_started;
    s->out = NULL;
}

int vrpc_stream_send_(struct vrpc_stream_ *s,
    const struct vdl_type *head_type, const void *head,
    const struct vdl_type *t, const void *item)
{
    int rc = vrpc_stream_begin_(s);

    if (rc != 0)
        return rc;
    rc = vrpc_stream_put_(s, head_type, head);
    if (rc == 0)
        rc = vrpc_stream_put_(s, t, item);
    if (rc == 0)
        return vrpc_stream_commit_(s);
    vrpc_stream_rollback_(s);
    return rc;
}

/* ---- input --------------------------------------------------------------- */

void vrpc_stream_unwait_(struct vrpc_stream_ *s)
{
    if (s->wait_link == NULL)
        return;
    *s->wait_link = s->wait_next;
    if (s->wait_next != NULL)
        s->wait_next->wait_link = s->wait_link;
    s->wait_link = NULL;
}

static void wait_type(struct vrpc_stream_ *s)
{
    struct vrpc_types_ *t = s->types;

    if (s->wait_link != NULL)
        return;
    s->wait_next = t->waiters;
    if (s->wait_next != NULL)
        s->wait_next->wait_link = &s->wait_next;
    t->waiters = s;
    s->wait_link = &t->waiters;
}

static void consume(struct vrpc_stream_ *s, size_t n)
{
    if (s->in.n == 0) {
        if (n > 0)
            vrpc_flow_consume(s->flow, n);
        return;
    }
    s->in_off += n;
    if (s->in_off < s->in.n)
        return;
    s->in_off = 0;
    if (s->in.cap > KEEP_MAX)
        v23_buf_fini(&s->in);
    else
        v23_buf_cut(&s->in, 0);
}

/* Move everything received behind what is collected already. */
static int collect(struct vrpc_stream_ *s, const struct v23_bytes *b)
{
    if (s->in_off > 0) {
        v23_buf_drop(&s->in, s->in_off);
        s->in_off = 0;
    }
    v23_buf_put(&s->in, b->p, b->n);
    if (s->in.err != 0)
        return s->in.err;
    vrpc_flow_consume(s->flow, b->n);
    return 0;
}

/* The bytes to decode next; 0, V23_EAGAIN (none), V23_EEOF. */
static int window(struct vrpc_stream_ *s, struct v23_bytes *w)
{
    struct v23_bytes b;
    int rc;

    rc = vrpc_flow_peek(s->flow, &b);
    if (s->in.n == 0) {
        if (rc == 0)
            *w = b;
        return rc;
    }
    if (rc == 0 && b.n > 0) {
        rc = collect(s, &b);
        if (rc != 0)
            return rc;
    }
    *w = v23_bytes(s->in.p + s->in_off, s->in.n - s->in_off);
    return 0;
}

/* A decoder said V23_EAGAIN: wait for a type, for bytes, or give up. */
static int incomplete(struct vrpc_stream_ *s, const struct v23_bytes *w)
{
    struct v23_bytes b;

    if (s->dec.waits_type) {
        if (s->types->err != 0)
            return s->types->err;
        wait_type(s);
        return V23_EAGAIN;
    }
    if (vrpc_flow_is_closed(s->flow))
        return w->n == 0 ? V23_EEOF : V23_ECLOSED;
    if (s->in.n == 0 && w->n >= COLLECT_AT) {
        b = *w;
        return collect(s, &b) == 0 ? V23_EAGAIN : s->in.err;
    }
    return V23_EAGAIN;
}

int vrpc_stream_next_(struct vrpc_stream_ *s, struct vom_msg *msg)
{
    struct v23_bytes w = v23_bytes(NULL, 0);
    size_t used = 0;
    int rc;

    if (s->flow == NULL)
        return V23_ECLOSED;
    rc = window(s, &w);
    if (rc != 0)
        return rc;
    s->dec_was_started = s->dec.started;
    rc = vom_dec_next(&s->dec, w.p, w.n, &used, msg);
    if (rc == 0) {
        s->used = used;
        return 0;
    }
    if (rc != V23_EAGAIN)
        return rc;
    if (used > 0) {
        consume(s, used);
        rc = window(s, &w);
        if (rc != 0)
            return rc == V23_EEOF && s->dec.waits_type ? V23_ECLOSED : rc;
    }
    return incomplete(s, &w);
}

int vrpc_stream_value_(struct vrpc_stream_ *s, const struct vom_msg *msg,
    struct v23_arena *a, const struct vdl_type *t, void *out)
{
    int rc = vom_dec_value(&s->dec, msg, a, t, out);

    if (rc == 0) {
        consume(s, s->used);
        return 0;
    }
    if (rc != V23_EAGAIN)
        return rc;
    /* The message is cut out again later, but not its version byte. */
    if (!s->dec_was_started)
        consume(s, 1);
    if (s->types->err != 0)
        return s->types->err;
    wait_type(s);
    return V23_EAGAIN;
}

void vrpc_stream_skip_(struct vrpc_stream_ *s)
{
    consume(s, s->used);
}
