/* BSD-3-Clause; see LICENSE. */
/*
 * Finding and dialing connections (spec/rpc.md 14.2, 14.3): at most one dial
 * per path (protocol, address, routing id) is in progress, everybody else who
 * wants that connection waits for it. The authorizer that decides during the
 * handshake is that of the first waiter; each waiter checks again for itself.
 *
 * A dial first reaches its address: by a connection that is there, by that
 * which another dial is making, or by one of its own. If somebody else than
 * the wanted routing id answers, that is a proxy, and the dial goes on over a
 * flow of the connection.
 */
#include "tunnel_int.h"

#include <string.h>

#define DIAL_TEXT 256

struct vrpc_dial_ {
    struct vrpc_manager *m;
    struct vrpc_dial_ *next, **link;
    struct v23_arena arena;
    struct vrpc_endpoint ep;
    struct v23_op op;             /* the transport's answer is awaited */
    struct vrpc_dial_ *base;      /* whose connection to the address we await */
    struct vrpc_dial_ *fnext, **flink; /* in its list */
    struct vrpc_dial_ *followers; /* who await ours */
    struct vrpc_session_ *session; /* in the handshake */
    bool reached;                 /* there is a connection to the address */
    bool finished;                /* the waiters are being told */
    int64_t deadline;
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

/* Nobody awaits anybody's connection by way of d. */
static void unfollow(struct vrpc_dial_ *d)
{
    if (d->base == NULL)
        return;
    *d->flink = d->fnext;
    if (d->fnext != NULL)
        d->fnext->flink = d->flink;
    d->base = NULL;
}

static void follow(struct vrpc_dial_ *base, struct vrpc_dial_ *d)
{
    d->base = base;
    d->fnext = base->followers;
    if (d->fnext != NULL)
        d->fnext->flink = &d->fnext;
    d->flink = &base->followers;
    base->followers = d;
}

/* Out of the list: nobody joins it any more. */
static void unlist(struct vrpc_dial_ *d)
{
    *d->link = d->next;
    if (d->next != NULL)
        d->next->link = d->link;
    d->next = NULL;
    d->link = &d->next;
}

static void dial_free(struct vrpc_dial_ *d)
{
    struct vrpc_manager *m = d->m;

    unlist(d);
    unfollow(d);
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

    if (rc != 0 && !d->m->closing)
        vrpc_failure_note_(d->m, &d->ep, rc,
            why == NULL ? v23_strerror(rc) : why);
    unlist(d);
    d->finished = true;
    unfollow(d);
    while ((w = d->waiters) != NULL) {
        each = d->denied && w != d->judge ? V23_EAGAIN : rc;
        unlink_waiter(w);
        w->done(w, each, s, why);
    }
    dial_free(d);
}

static bool same_address(const struct vrpc_dial_ *d,
    const struct vrpc_endpoint *ep)
{
    return vdl_str_eq(d->ep.protocol, ep->protocol) &&
           vdl_str_eq(d->ep.address, ep->address);
}

/* The dial of a path. */
static struct vrpc_dial_ *find_dial(struct vrpc_manager *m,
    const struct vrpc_endpoint *ep)
{
    struct vrpc_dial_ *d;

    for (d = m->dials; d != NULL; d = d->next)
        if (same_address(d, ep) && vrpc_routing_id_eq(&d->ep.rid, &ep->rid))
            return d;
    return NULL;
}

/* Another dial that is connecting to the address itself. */
static struct vrpc_dial_ *find_base(const struct vrpc_dial_ *who)
{
    struct vrpc_dial_ *d;

    for (d = who->m->dials; d != NULL; d = d->next)
        if (d != who && !d->reached && d->base == NULL &&
            same_address(d, &who->ep))
            return d;
    return NULL;
}

/* Somebody at the address whom we have a connection with. */
static struct vrpc_session_ *find_proxy(struct vrpc_manager *m,
    const struct vrpc_endpoint *ep)
{
    struct vrpc_endpoint at = *ep;
    struct vrpc_session_ *s;

    memset(&at.rid, 0, sizeof(at.rid));
    return vrpc_mgr_find_(m, &at, &s, 1) > 0 ? s : NULL;
}

/* Go on over a flow of s. 0: it is the wanted one; V23_EAGAIN: under way. */
static int reached(struct vrpc_dial_ *d, struct vrpc_session_ *s)
{
    struct vrpc_session_ *inner;
    int rc;

    d->reached = true;
    if (vrpc_routing_id_is_null(&d->ep.rid) ||
        vrpc_routing_id_eq(&d->ep.rid, &s->key.rid))
        return 0;
    rc = vrpc_tunnel_dial_(s, &d->ep, &inner);
    if (rc != 0)
        return rc;
    inner->dial = d;
    d->session = inner;
    return V23_EAGAIN;
}

/* 0: *out is the wanted one; V23_EAGAIN: under way; else why not. */
static int reach(struct vrpc_dial_ *d, struct vrpc_session_ **out)
{
    struct vrpc_manager *m = d->m;
    struct vrpc_dial_ *base = find_base(d);
    int rc;

    *out = find_proxy(m, &d->ep);
    if (*out != NULL)
        return reached(d, *out);
    if (base != NULL) {
        follow(base, d);
        return V23_EAGAIN;
    }
    rc = vrpc_op_new_(&m->ops, VRPC_OP_DIAL, d, &d->op);
    if (rc == 0) {
        rc = m->tr.dial(m->tr.ud, d->op, d->ep.protocol, d->ep.address,
            d->deadline);
        if (rc == 0)
            rc = V23_EARG; /* the transport always answers later */
    }
    if (rc != V23_EAGAIN)
        vrpc_op_end_(&m->ops, &d->op);
    return rc;
}

/* The address was reached, or why not; V23_EAGAIN: each for itself. */
static void arrived(struct vrpc_dial_ *d, int rc, struct vrpc_session_ *s,
    const char *why)
{
    if (d->waiters == NULL) { /* they have left meanwhile */
        dial_free(d);
        return;
    }
    if (rc == 0)
        rc = reached(d, s);
    else if (rc == V23_EAGAIN)
        rc = reach(d, &s);
    if (rc != V23_EAGAIN)
        dial_finish(d, rc, s, why == NULL ? v23_strerror(rc) : why);
}

/* Tell those who await our connection to the address, then go on ourselves. */
static void settle(struct vrpc_dial_ *d, int rc, struct vrpc_session_ *s,
    const char *why)
{
    int each = d->denied || rc == V23_ETIMEOUT ? V23_EAGAIN : rc;
    struct vrpc_dial_ *f;

    d->reached = true;
    if (d->session != NULL)
        d->session->dial = NULL;
    d->session = NULL;
    while ((f = d->followers) != NULL) {
        unfollow(f);
        arrived(f, each, s, why);
    }
    if (rc == 0)
        arrived(d, 0, s, NULL);
    else
        dial_finish(d, rc, NULL, why);
}

/* Nobody waits any more. A handshake with the address goes on. */
static void abandon(struct vrpc_dial_ *d)
{
    struct vrpc_manager *m = d->m;
    struct v23_op op = d->op;

    if (vrpc_op_live_(op)) {
        vrpc_op_end_(&m->ops, &d->op);
        m->tr.cancel(m->tr.ud, op);
        dial_free(d);
    } else if (d->base != NULL) {
        struct vrpc_dial_ *base = d->base;

        dial_free(d);
        if (base->waiters == NULL && base->followers == NULL &&
            !base->finished)
            abandon(base);
    } else if (d->reached && d->session != NULL) {
        vrpc_conn_close(d->session->conn, V23_ECANCELED, "canceled");
    }
}

void vrpc_mgr_unwait_(struct vrpc_waiter_ *w)
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
    if (d->waiters == NULL && d->followers == NULL && !d->finished)
        abandon(d);
}

/* ---- looking up ---------------------------------------------------------- */

size_t vrpc_mgr_find_(struct vrpc_manager *m, const struct vrpc_endpoint *ep,
    struct vrpc_session_ **out, size_t max)
{
    const struct vrpc_cache_node_ *it = NULL;
    struct vrpc_session_ *s;
    struct v23_now now;
    int64_t rtt = 0;
    size_t n = 0, i;

    while ((s = vrpc_cache_find_(&m->cache, ep, &it)) != NULL) {
        if (!vrpc_conn_can_open(s->conn))
            continue;
        if (n > 0) {
            now = vrpc_mgr_now_(m);
            rtt = vrpc_conn_rtt_ns(s->conn, &now);
        }
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

static int dial_start(struct vrpc_manager *m, const struct vrpc_endpoint *ep,
    int64_t deadline, struct vrpc_waiter_ *w, struct vrpc_session_ **out)
{
    struct vrpc_dial_ *d = v23_new(m->al, struct vrpc_dial_);
    int rc;

    if (d == NULL)
        return V23_ENOMEM;
    d->m = m;
    d->deadline = deadline;
    d->tail = &d->waiters;
    d->link = &d->next;
    v23_arena_init(&d->arena, m->al, SIZE_MAX);
    rc = vrpc_endpoint_copy(&d->arena, &d->ep, ep);
    if (rc == 0)
        rc = reach(d, out);
    if (rc != V23_EAGAIN) {
        dial_free(d);
        return rc;
    }
    d->next = m->dials;
    if (d->next != NULL)
        d->next->link = &d->next;
    d->link = &m->dials;
    m->dials = d;
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
    return dial_start(m, ep, deadline, w, out);
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
        settle(d, rc, NULL, why == NULL ? v23_strerror(rc) : why);
        return;
    }
    s->dial = d;
    d->session = s;
    *out = s->conn;
}

bool vrpc_manager_resolved(struct vrpc_manager *m, struct v23_op op,
    const struct vdl_str *addresses, size_t n)
{
    struct vrpc_dial_ *d = vrpc_op_owner_(&m->ops, op, VRPC_OP_DIAL);
    struct vrpc_session_ *s;
    struct vrpc_endpoint ep;
    size_t i;

    if (d == NULL || !vrpc_routing_id_is_null(&d->ep.rid))
        return false;
    ep = d->ep;
    for (i = 0; i < n; i++) {
        ep.address = addresses[i];
        if (vrpc_mgr_find_(m, &ep, &s, 1) == 0)
            continue;
        vrpc_op_end_(&m->ops, &d->op);
        settle(d, 0, s, NULL);
        return true;
    }
    return false;
}

int vrpc_dial_authorize_(struct vrpc_session_ *s, struct v23_op op)
{
    struct vrpc_dial_ *d = s->dial;
    int rc;

    if (d == NULL)
        return V23_ECANCELED;
    if (d->waiters == NULL) { /* nobody wants it any more */
        d->denied = true;
        return V23_ECANCELED;
    }
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
    struct vrpc_dial_ *d = s->dial;

    if (d == NULL)
        return;
    if (d->reached)
        dial_finish(d, 0, s, NULL);
    else
        settle(d, 0, s, NULL);
}

void vrpc_dial_failed_(struct vrpc_session_ *s, int status, const char *why)
{
    struct vrpc_dial_ *d = s->dial;

    if (d == NULL)
        return;
    if (status == 0)
        status = V23_ECLOSED;
    if (d->reached)
        dial_finish(d, status, NULL, why);
    else
        settle(d, status, NULL, why);
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
        while (d->followers != NULL)
            unfollow(d->followers);
        dial_finish(d, rc, NULL, why);
    }
}

/* ---- for people ---------------------------------------------------------- */

void vrpc_dials_each_(const struct vrpc_manager *m,
    void (*fn)(void *ud, const struct vrpc_endpoint *ep), void *ud)
{
    const struct vrpc_dial_ *d;

    for (d = m->dials; d != NULL; d = d->next)
        fn(ud, &d->ep);
}
