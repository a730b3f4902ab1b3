/* BSD-3-Clause; see LICENSE. */
/*
 * A flow as transport (spec/rpc.md 2.5): each message of the inner connection
 * is one message of the outer flow, and the other way round.
 *
 * Received messages go at once into the inner connection, whose own flow
 * control bounds what it keeps, so the outer window stays open. What is to be
 * sent is fetched only while the outer flow's window is: behind a slow peer
 * it waits in the inner connection's flows, where the writers notice.
 *
 * Hooks of the outer connection run verbs of the inner one, never the other
 * way round; whatever the inner one wants is done by a task of the manager,
 * which alone frees the tunnel. Tunnels through tunnels are the same again.
 */
#include "tunnel_int.h"

#include "conn_int.h"

#define LINGER (1 * V23_NS_PER_SEC) /* for the last words */

struct vrpc_tunnel_ {
    struct vrpc_link link;   /* first: the inner connection's transport */
    struct vrpc_user_ user;  /* of the outer flow */
    struct vrpc_manager *m;
    struct vrpc_tunnel_ *next, **plink;
    struct vrpc_flow *flow;  /* NULL: given back */
    struct vrpc_conn *conn;  /* the inner one */
    struct vrpc_task_ task;
    struct vrpc_timer_ timer; /* the inner connection's; at the end, ours */
    uint32_t mtu;
    bool closing; /* the inner connection is dead: send what is left */
    bool lingers;
};

static struct vrpc_tunnel_ *of_user(struct vrpc_user_ *u)
{
    return (struct vrpc_tunnel_ *)(void *)((char *)u
        - offsetof(struct vrpc_tunnel_, user));
}

static void want_work(struct vrpc_tunnel_ *t)
{
    vrpc_mgr_post_(t->m, &t->task);
}

static void tunnel_free(struct vrpc_tunnel_ *t)
{
    struct vrpc_manager *m = t->m;

    vrpc_task_drop_(&m->tasks, &t->task);
    vrpc_timer_fini_(&m->timers, &t->timer);
    *t->plink = t->next;
    if (t->next != NULL)
        t->next->plink = t->plink;
    if (m->tunnels->first == NULL)
        v23_buf_fini(&m->tunnels->buf);
    v23_put(m->al, t);
}

/* Both ends are given back. */
static void gone(struct vrpc_tunnel_ *t, bool cancel)
{
    struct vrpc_flow *f = t->flow;

    t->flow = NULL;
    if (f != NULL && cancel)
        vrpc_flow_cancel(f);
    else if (f != NULL)
        vrpc_flow_close(f);
    if (t->conn != NULL)
        vrpc_manager_release(t->m, t->conn);
    tunnel_free(t);
}

/* ---- from the inner connection to the outer flow ------------------------- */

/* The transport failed; what the inner connection still has to say is lost. */
static void broken(struct vrpc_tunnel_ *t, int rc, const struct v23_now *now)
{
    if (!t->closing)
        vrpc_conn_input_end(t->conn, rc, NULL, now);
    if (t->flow != NULL)
        vrpc_flow_cancel(t->flow);
    t->flow = NULL;
}

/* One message; false: nothing more goes now. */
static bool move_out(struct vrpc_tunnel_ *t, const struct v23_now *now)
{
    struct v23_buf *b = &t->m->tunnels->buf;
    int rc;

    if (t->flow == NULL || !vrpc_conn_wants_output(t->conn))
        return false;
    rc = vrpc_flow_wait(t->flow);
    if (rc == V23_EAGAIN)
        return false;
    if (rc == 0) {
        v23_buf_cut(b, 0);
        rc = vrpc_conn_output(t->conn, b, SIZE_MAX, now);
    }
    if (rc == 0 && b->n > 0 && t->flow != NULL)
        rc = vrpc_flow_write_message(t->flow, b->p, b->n,
            vrpc_conn_output_was_sealed(t->conn));
    if (rc == V23_ECLOSED)
        return false; /* the hook follows */
    if (rc != 0)
        broken(t, rc, now);
    return rc == 0;
}

/* As much as the window takes. */
static void pump(struct vrpc_tunnel_ *t)
{
    struct vrpc_tunnels_ *all = t->m->tunnels;
    struct v23_now now = vrpc_mgr_now_(t->m);

    if (all->busy) { /* another one's hooks are running */
        want_work(t);
        return;
    }
    all->busy = true;
    while (move_out(t, &now))
        ;
    all->busy = false;
}

/* ---- the inner connection's transport ------------------------------------ */

static void link_wake(struct vrpc_link *l)
{
    want_work((struct vrpc_tunnel_ *)l);
}

static void link_closed(struct vrpc_link *l)
{
    struct vrpc_tunnel_ *t = (struct vrpc_tunnel_ *)l;

    t->closing = true;
    want_work(t);
}

static const struct vrpc_link_ops link_ops = { true, true, link_wake,
    link_closed };

uint32_t vrpc_tunnel_mtu_(const struct vrpc_link *l)
{
    return ((const struct vrpc_tunnel_ *)l)->mtu;
}

/* The inner connection is dead: until its last words have gone. */
static void finish(struct vrpc_tunnel_ *t, int64_t now)
{
    if (t->flow == NULL || !vrpc_conn_wants_output(t->conn)) {
        gone(t, false);
    } else if (!t->lingers) {
        t->lingers = true;
        vrpc_mgr_timer_(t->m, &t->timer, now + LINGER);
    }
}

static void work(void *ud)
{
    struct vrpc_tunnel_ *t = ud;
    struct v23_now now = vrpc_mgr_now_(t->m);
    int64_t at;

    if (!t->closing && vrpc_conn_next_deadline(t->conn) <= now.mono_ns)
        vrpc_conn_tick(t->conn, &now);
    pump(t);
    if (t->closing) {
        finish(t, now.mono_ns);
        return;
    }
    at = vrpc_conn_next_deadline(t->conn);
    if (at <= now.mono_ns)
        want_work(t);
    else if (at != t->timer.at)
        vrpc_mgr_timer_(t->m, &t->timer, at);
}

static void on_timer(void *ud)
{
    struct vrpc_tunnel_ *t = ud;

    if (t->lingers)
        gone(t, true);
    else
        work(t);
}

/* ---- the outer flow ------------------------------------------------------ */

static void flow_readable(struct vrpc_user_ *u)
{
    struct vrpc_tunnel_ *t = of_user(u);
    struct v23_now now = vrpc_mgr_now_(t->m);
    struct v23_bytes b;

    while (t->flow != NULL && vrpc_flow_peek(t->flow, &b) == 0) {
        /* The message is ours to open in place. An empty one is no message,
         * but what comes of flushing nothing, or with a close. */
        if (!t->closing && b.n > 0)
            (void)!vrpc_conn_input(t->conn, (uint8_t *)(uintptr_t)b.p, b.n,
                &now);
        if (t->flow != NULL)
            vrpc_flow_consume(t->flow, b.n);
    }
    want_work(t);
}

static void flow_writable(struct vrpc_user_ *u)
{
    struct vrpc_tunnel_ *t = of_user(u);

    pump(t);
    want_work(t);
}

static void flow_closed(struct vrpc_user_ *u, int status)
{
    struct vrpc_tunnel_ *t = of_user(u);
    struct v23_now now = vrpc_mgr_now_(t->m);

    vrpc_flow_cancel(t->flow);
    t->flow = NULL;
    if (!t->closing)
        vrpc_conn_input_end(t->conn, status == 0 ? V23_ECLOSED : status,
            status == 0 ? "the proxy closed the flow"
                        : "the connection to the proxy is lost",
            &now);
    want_work(t);
}

static const struct vrpc_user_ops_ user_ops = { flow_readable, flow_writable,
    flow_closed };

/* ---- making -------------------------------------------------------------- */

static struct vrpc_tunnels_ *tunnels_of(struct vrpc_manager *m)
{
    if (m->tunnels == NULL) {
        m->tunnels = v23_new(m->al, struct vrpc_tunnels_);
        if (m->tunnels != NULL)
            v23_buf_init(&m->tunnels->buf, m->al, SIZE_MAX);
    }
    return m->tunnels;
}

/*
 * A message is sent when there are tokens for all of it, so it may be no
 * longer than what the other end of the flow leaves: as it gives tokens back
 * when half of them are used, that is half of them.
 */
static uint32_t mtu_over(const struct vrpc_session_ *outer)
{
    const struct vrpc_conn *c = outer->conn;
    size_t n = vrpc_flow_mtu_(c);

    return n < c->peer_pool / 2 ? (uint32_t)n : c->peer_pool / 2;
}

static struct vrpc_tunnel_ *tunnel_new(struct vrpc_session_ *outer)
{
    struct vrpc_manager *m = outer->m;
    struct vrpc_tunnels_ *all = tunnels_of(m);
    struct vrpc_tunnel_ *t;

    if (all == NULL)
        return NULL;
    t = v23_new(m->al, struct vrpc_tunnel_);
    if (t == NULL)
        return NULL;
    if (vrpc_timer_init_(&m->timers, &t->timer, on_timer, t) != 0) {
        v23_put(m->al, t);
        return NULL;
    }
    t->link.ops = &link_ops;
    t->user.ops = &user_ops;
    t->m = m;
    t->mtu = mtu_over(outer);
    t->task.fn = work;
    t->task.ud = t;
    t->next = all->first;
    if (t->next != NULL)
        t->next->plink = &t->next;
    t->plink = &all->first;
    all->first = t;
    return t;
}

int vrpc_tunnel_dial_(struct vrpc_session_ *outer,
    const struct vrpc_endpoint *remote, struct vrpc_session_ **out)
{
    struct vrpc_tunnel_ *t = tunnel_new(outer);
    struct vrpc_flow_opts opts;
    int rc;

    if (t == NULL)
        return V23_ENOMEM;
    memset(&opts, 0, sizeof(opts)); /* nameless: the proxy need not know us */
    opts.messages = true;
    opts.ud = &t->user;
    rc = vrpc_flow_open(outer->conn, &opts, &t->flow);
    if (rc == 0)
        rc = vrpc_session_new_(outer->m, &t->link,
            vrpc_conn_local_endpoint(outer->conn), remote, out);
    if (rc != 0) {
        gone(t, true);
        return rc;
    }
    t->conn = (*out)->conn;
    want_work(t);
    return 0;
}

void vrpc_tunnel_accept_(struct vrpc_session_ *outer, struct vrpc_flow *f)
{
    struct vrpc_tunnel_ *t = tunnel_new(outer);
    int rc = V23_ENOMEM;

    if (t == NULL) {
        vrpc_flow_cancel(f);
    } else {
        t->flow = f;
        vrpc_flow_set_messages(f);
        vrpc_flow_set_ud(f, &t->user);
        rc = vrpc_manager_accepted(outer->m, &t->link,
            vrpc_conn_local_endpoint(outer->conn), &t->conn);
        if (rc == 0)
            want_work(t);
        else
            gone(t, true);
    }
    if (rc != 0)
        v23_logf(outer->m->log, V23_LOG_WARN,
            "connection through a proxy refused: %s", v23_strerror(rc));
}

void vrpc_tunnels_fini_(struct vrpc_manager *m)
{
    if (m->tunnels == NULL)
        return;
    while (m->tunnels->first != NULL)
        gone(m->tunnels->first, true);
    v23_put(m->al, m->tunnels);
    m->tunnels = NULL;
}
