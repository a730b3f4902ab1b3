/* BSD-3-Clause; see LICENSE. */
/*
 * Finding and dialing connections (spec/rpc.md 14.2, 14.3): at most one dial
 * per (protocol, address, routing id) is in progress, everybody else who wants
 * that connection waits for it. The authorizer that decides during the
 * handshake is that of the first waiter; each waiter checks again for itself.
 */
#include "dial_int.h"

#include <string.h>

#define DIAL_TEXT 256

struct vrpc_dial_ {
    struct vrpc_manager *m;
    struct vrpc_dial_ *next, **link;
    struct v23_arena arena;
    struct vrpc_endpoint ep;
    struct v23_op op;             /* the transport's answer is awaited */
    struct vrpc_session_ *session; /* in the handshake */
    struct vrpc_waiter_ *waiters, **tail;
    struct vrpc_waiter_ *judge;   /* whose authorizer was asked */
    struct v23_op judge_op;       /* its answer is awaited */
    bool denied;                  /* the judge said no */
};

/* ---- waiters ------------------------------------------------------------- */

static void wait_on(struct vrpc_dial_ *d, struct vrpc_waiter_ *w)
{
    w->dial = d;
    w->next = NULL;
    w->link = d->tail;
    *d->tail = w;
    d->tail = &w->next;
}

static void unlink_waiter(struct vrpc_waiter_ *w)
{
    struct vrpc_dial_ *d = w->dial;

    *w->link = w->next;
    if (w->next != NULL)
        w->next->link = w->link;
    else if (d != NULL)
        d->tail = w->link;
    w->link = NULL;
    w->dial = NULL;
}

static void dial_free(struct vrpc_dial_ *d)
{
    struct vrpc_manager *m = d->m;

    *d->link = d->next;
    if (d->next != NULL)
        d->next->link = d->link;
    if (d->session != NULL)
        d->session->dial = NULL;
    vrpc_op_end_(&m->ops, &d->op);
    v23_arena_fini(&d->arena);
    v23_put(m->al, d);
}

/* Tell all waiters; the judge's refusal concerns only itself. */
static void dial_finish(struct vrpc_dial_ *d, int rc,
    struct vrpc_session_ *s, const char *why)
{
    struct vrpc_waiter_ *w;
    int each;

    *d->link = d->next; /* no new waiters */
    if (d->next != NULL)
        d->next->link = d->link;
    d->next = NULL;
    d->link = &d->next;
    while ((w = d->waiters) != NULL) {
        each = d->denied && w != d->judge ? V23_EAGAIN : rc;
        unlink_waiter(w);
        w->done(w, each, s, why);
    }
    d->link = &d->next;
    d->next = NULL;
    if (d->session != NULL)
        d->session->dial = NULL;
    vrpc_op_end_(&d->m->ops, &d->op);
    v23_arena_fini(&d->arena);
    v23_put(d->m->al, d);
}

void vrpc_mgr_unwait_(struct vrpc_manager *m, struct vrpc_waiter_ *w)
{
    struct vrpc_dial_ *d = w->dial;

    if (w->link == NULL)
        return;
    unlink_waiter(w);
    if (d == NULL)
        return;
    if (d->judge == w) {
        d->judge = NULL;
        if (vrpc_op_live_(d->judge_op)) {
            struct v23_op op = d->judge_op;

            d->judge_op.generation = 0;
            d->denied = true;
            vrpc_conn_authorize_complete(d->session->conn, op,
                V23_ECANCELED);
        }
    }
    if (d->waiters == NULL && vrpc_op_live_(d->op)) {
        struct v23_op op = d->op;

        vrpc_op_end_(&m->ops, &d->op);
        m->tr.cancel(m->tr.ud, op);
        dial_free(d);
    }
}

/* ---- looking up ---------------------------------------------------------- */

size_t vrpc_mgr_find_(struct vrpc_manager *m, const struct vrpc_endpoint *ep,
    struct vrpc_session_ **out, size_t max)
{
    const struct vrpc_cache_node_ *it = NULL;
    struct v23_now now = vrpc_mgr_now_(m);
    struct vrpc_session_ *s;
    int64_t rtt;
    size_t n = 0, i;

    while ((s = vrpc_cache_find_(&m->cache, ep, &it)) != NULL) {
        if (!vrpc_conn_can_open(s->conn))
            continue;
        rtt = vrpc_conn_rtt_ns(s->conn, &now);
        for (i = n; i > 0; i--) {
            if (vrpc_conn_rtt_ns(out[i - 1]->conn, &now) <= rtt)
                break;
            if (i < max)
                out[i] = out[i - 1];
        }
        if (i < max) {
            out[i] = s;
            n += n < max;
        }
    }
    return n;
}

bool vrpc_mgr_settle_(struct vrpc_session_ *s, struct v23_arena *scratch,
    struct vrpc_waiter_ *w)
{
    struct v23_arena_mark mark = v23_arena_mark(scratch);
    v23_security_caveat_list list = { NULL, 0 };
    size_t n;

    (void)vrpc_conn_remote_discharges(s->conn, &n);
    if (!s->accepted || s->refreshed || n > 0)
        return false;
    /* Short of memory: then the check will say so. */
    if (vsec_blessings_third_party(vrpc_conn_remote_blessings(s->conn),
            scratch, &list) != 0)
        list.n = 0;
    v23_arena_rewind(scratch, mark);
    if (list.n == 0)
        return false;
    w->dial = NULL;
    w->link = &s->unsettled;
    w->next = s->unsettled;
    if (w->next != NULL)
        w->next->link = &w->next;
    s->unsettled = w;
    return true;
}

void vrpc_dial_settled_(struct vrpc_session_ *s)
{
    struct vrpc_waiter_ *w;

    while ((w = s->unsettled) != NULL) {
        unlink_waiter(w);
        w->done(w, V23_EAGAIN, NULL, NULL);
    }
}

static struct vrpc_dial_ *find_dial(struct vrpc_manager *m,
    const struct vrpc_endpoint *ep)
{
    struct vrpc_dial_ *d;

    for (d = m->dials; d != NULL; d = d->next)
        if (vdl_str_eq(d->ep.protocol, ep->protocol) &&
            vdl_str_eq(d->ep.address, ep->address) &&
            (vrpc_routing_id_is_null(&ep->rid) ||
                vrpc_routing_id_eq(&d->ep.rid, &ep->rid)))
            return d;
    return NULL;
}

static int dial_start(struct vrpc_manager *m, const struct vrpc_endpoint *ep,
    int64_t deadline, struct vrpc_waiter_ *w)
{
    struct vrpc_dial_ *d = v23_new(m->al, struct vrpc_dial_);
    int rc;

    if (d == NULL)
        return V23_ENOMEM;
    d->m = m;
    d->tail = &d->waiters;
    d->next = m->dials;
    if (d->next != NULL)
        d->next->link = &d->next;
    d->link = &m->dials;
    m->dials = d;
    v23_arena_init(&d->arena, m->al, SIZE_MAX);
    rc = vrpc_endpoint_copy(&d->arena, &d->ep, ep);
    if (rc == 0)
        rc = vrpc_op_new_(&m->ops, VRPC_OP_DIAL, d, &d->op);
    if (rc == 0) {
        rc = m->tr.dial(m->tr.ud, d->op, d->ep.protocol, d->ep.address,
            deadline);
        if (rc == 0)
            rc = V23_EARG; /* the transport always answers later */
    }
    if (rc != V23_EAGAIN) {
        dial_free(d);
        return rc;
    }
    wait_on(d, w);
    return V23_EAGAIN;
}

int vrpc_mgr_connect_(struct vrpc_manager *m, const struct vrpc_endpoint *ep,
    bool cached_only, int64_t deadline, struct vrpc_waiter_ *w,
    struct vrpc_session_ **out)
{
    struct vrpc_dial_ *d;

    if (vrpc_mgr_find_(m, ep, out, 1) > 0)
        return 0;
    if (m->closing)
        return V23_ECLOSED;
    if (cached_only || vdl_str_is(ep->protocol, "bidi"))
        return V23_ENOENT;
    d = find_dial(m, ep);
    if (d != NULL) {
        wait_on(d, w);
        return V23_EAGAIN;
    }
    if (m->nsessions >= m->max_conns && vrpc_manager_reclaim(m, 1) == 0)
        return V23_ELIMIT;
    return dial_start(m, ep, deadline, w);
}

/* ---- the transport's and the connection's answers ------------------------ */

void vrpc_manager_dialed(struct vrpc_manager *m, struct v23_op op, int rc,
    const char *why, struct vrpc_link *link,
    const struct vrpc_endpoint *local, struct vrpc_conn **out)
{
    struct vrpc_dial_ *d = vrpc_op_owner_(&m->ops, op, VRPC_OP_DIAL);
    struct vrpc_session_ *s = NULL;

    *out = NULL;
    if (d == NULL)
        return;
    vrpc_op_end_(&m->ops, &d->op);
    if (rc == 0)
        rc = vrpc_session_new_(m, link, local, &d->ep, &s);
    if (rc != 0) {
        dial_finish(d, rc, NULL, why == NULL ? v23_strerror(rc) : why);
        return;
    }
    s->dial = d;
    d->session = s;
    *out = s->conn;
}

int vrpc_dial_authorize_(struct vrpc_session_ *s, struct v23_op op)
{
    struct vrpc_dial_ *d = s->dial;
    int rc;

    if (d == NULL || d->waiters == NULL)
        return V23_ECANCELED; /* nobody wants it any more */
    d->judge = d->waiters;
    d->judge_op = op;
    rc = d->judge->authorize(d->judge, s, op);
    if (rc == V23_EAGAIN)
        return rc;
    d->judge_op.generation = 0;
    d->denied = rc != 0;
    return rc;
}

void vrpc_dial_judged_(struct vrpc_session_ *s, int rc)
{
    struct vrpc_dial_ *d = s->dial;
    struct v23_op op;

    if (d == NULL || !vrpc_op_live_(d->judge_op))
        return;
    op = d->judge_op;
    d->judge_op.generation = 0;
    d->denied = rc != 0;
    vrpc_conn_authorize_complete(s->conn, op, rc);
}

void vrpc_dial_ready_(struct vrpc_session_ *s)
{
    if (s->dial != NULL)
        dial_finish(s->dial, 0, s, NULL);
}

void vrpc_dial_failed_(struct vrpc_session_ *s, int status, const char *why)
{
    if (s->dial != NULL)
        dial_finish(s->dial, status == 0 ? V23_ECLOSED : status, NULL, why);
}

void vrpc_dials_fail_(struct vrpc_manager *m, int rc, const char *why)
{
    struct vrpc_dial_ *d;

    while ((d = m->dials) != NULL) {
        if (vrpc_op_live_(d->op)) {
            struct v23_op op = d->op;

            vrpc_op_end_(&m->ops, &d->op);
            m->tr.cancel(m->tr.ud, op);
        }
        d->denied = false;
        dial_finish(d, rc, NULL, why);
    }
}
