/* BSD-3-Clause; see LICENSE. */
/*
 * Routes of a proxy: from the Setup that names a target, over its
 * authorization, to passing on whole messages in both directions
 * (spec/rpc.md 15.4). What one end does not take stays unread in the flow of
 * the other.
 */
#include "proxy_int.h"

#include <string.h>

/* More proxies between client and server than this are a loop. */
#define MAX_HOPS 16u
#define MAX_CANDIDATES 4u

/* ---- passing on ---------------------------------------------------------- */

static struct vrpc_pend_ *other(struct vrpc_pend_ *e)
{
    return e == &e->of->in ? &e->of->out : &e->of->in;
}

static struct vrpc_proxy_traffic *traffic(struct vrpc_pend_ *from)
{
    struct vrpc_pcount_ *c = from->of->count;

    if (c == NULL)
        return NULL;
    return from == &from->of->in ? &c->c.to : &c->c.from;
}

static void wait_for(struct vrpc_pend_ *from, size_t n)
{
    struct vrpc_proxy *p = from->of->p;

    p->waiting += n;
    p->waiting -= from->waiting;
    from->waiting = n;
}

static size_t held(struct vrpc_pend_ *from)
{
    return vrpc_flow_unread(from->flow) + vrpc_flow_queued(other(from)->flow);
}

size_t vrpc_routes_waiting_(struct vrpc_proxy *p)
{
    struct vrpc_pflow_ *f;

    for (f = p->routes.first; f != NULL; f = f->next) {
        wait_for(&f->in, held(&f->in));
        wait_for(&f->out, held(&f->out));
    }
    return p->waiting;
}

static bool too_much(struct vrpc_proxy *p)
{
    return p->waiting > p->cfg.max_waiting &&
           vrpc_routes_waiting_(p) > p->cfg.max_waiting;
}

void vrpc_route_fini_(struct vrpc_pflow_ *f)
{
    wait_for(&f->in, 0);
    wait_for(&f->out, 0);
    if (f->count == NULL)
        return;
    f->count->c.to.msgs++;
    f->count->c.from.msgs++;
    f->count->users--;
    f->count = NULL;
}

/* Move what goes. False: the route has ended. */
static bool pump(struct vrpc_pend_ *from)
{
    struct vrpc_pend_ *to = other(from);
    struct vrpc_pflow_ *f = from->of;
    struct vrpc_proxy_traffic *t = traffic(from);
    struct v23_bytes b;
    int rc;

    while ((rc = vrpc_flow_peek(from->flow, &b)) == 0) {
        rc = vrpc_flow_write_message(to->flow, b.p, b.n, false);
        /* What the closed end has sent may still be on its way through. */
        if (rc != 0 && rc != V23_ECLOSED)
            break;
        if (rc == 0 && t != NULL)
            t->bytes += b.n;
        vrpc_flow_consume(from->flow, b.n);
    }
    if (rc == V23_EEOF) { /* the rest is under way */
        vrpc_pflow_end_(f, true);
        return false;
    }
    if (rc == V23_EAGAIN) {
        wait_for(from, held(from));
        if (!too_much(f->p))
            return true;
        rc = V23_ELIMIT;
    }
    v23_logf(f->p->m->log, V23_LOG_DEBUG, "proxy: route ends: %s",
        v23_strerror(rc));
    vrpc_pflow_end_(f, false);
    return false;
}

static void readable(struct vrpc_user_ *u)
{
    (void)pump((struct vrpc_pend_ *)u);
}

static void writable(struct vrpc_user_ *u)
{
    (void)pump(other((struct vrpc_pend_ *)u));
}

static void closed(struct vrpc_user_ *u, int status)
{
    (void)status;
    (void)pump((struct vrpc_pend_ *)u);
}

static const struct vrpc_user_ops_ route_ops = { readable, writable, closed };

/* ---- the way there ------------------------------------------------------- */

/* Next hop and target of a Setup, which loses the hop's route. */
struct hop {
    struct vrpc_routing_id rid, target;
    struct vdl_str text; /* option 2 without the route */
};

static int next_hop(struct v23_arena *a, const struct vrpc_setup *s,
    struct hop *out)
{
    struct vdl_str text = vdl_strn((const char *)s->remote.p,
        (uint32_t)s->remote.n);
    struct vrpc_endpoint ep;
    int rc;

    if (s->remote.n == 0)
        return V23_EENDPOINT;
    rc = vrpc_endpoint_parse(a, text, &ep, NULL);
    if (rc != 0)
        return rc;
    if (ep.routes.n > MAX_HOPS)
        return V23_ELIMIT;
    out->rid = out->target = ep.rid;
    out->text = text;
    if (ep.routes.n == 0)
        return 0;
    rc = vrpc_routing_id_parse(ep.routes.v[0], &out->rid);
    ep.routes.v++;
    ep.routes.n--;
    return rc == 0 ? vrpc_endpoint_text(a, &ep, &out->text) : rc;
}

/* Write the Setup on a flow to the target. */
static int pass_setup(struct vrpc_pflow_ *f, struct v23_arena *a)
{
    struct v23_buf out;
    struct v23_bytes b;
    struct vrpc_msg m;
    struct hop hop;
    int rc = vrpc_flow_peek(f->in.flow, &b);

    if (rc == 0)
        rc = vrpc_msg_decode(b.p, b.n, &m, NULL);
    if (rc == 0)
        rc = next_hop(a, &m.u.setup, &hop);
    if (rc != 0)
        return rc;
    m.u.setup.remote = v23_bytes(hop.text.p, hop.text.n);
    v23_buf_init(&out, f->p->m->al, 2 * VRPC_MTU);
    vrpc_msg_encode(&m, &out);
    rc = out.err;
    if (rc == 0)
        rc = vrpc_flow_write_message(f->out.flow, out.p, out.n, false);
    v23_buf_fini(&out);
    if (rc != 0)
        return rc;
    f->count = vrpc_pcount_get_(f->p, &hop.target);
    if (f->count != NULL) {
        f->count->users++;
        f->count->c.to.bytes += b.n;
    }
    vrpc_flow_consume(f->in.flow, b.n);
    return 0;
}

/* The target may be asked: open a flow to it. */
static void open_route(struct vrpc_pflow_ *f)
{
    struct vrpc_conn *c = f->out.session->conn;
    const struct vsec_blessings *own = vrpc_conn_local_blessings(c);
    struct vrpc_flow_opts o;
    struct v23_arena a;
    int rc;

    memset(&o, 0, sizeof(o));
    /* A reference is taken; nothing is changed. */
    o.blessings = (struct vsec_blessings *)(uintptr_t)own;
    o.messages = true;
    o.ud = &f->out.user;
    rc = vrpc_flow_open(c, &o, &f->out.flow);
    if (rc == 0) {
        v23_arena_init(&a, f->p->m->al, 65536);
        rc = pass_setup(f, &a);
        v23_arena_fini(&a);
    }
    if (rc != 0) {
        vrpc_pflow_failed_(f, "cannot route", v23_strerror(rc));
        return;
    }
    f->in.user.ops = f->out.user.ops = &route_ops;
    vrpc_pflow_move_(f, VRPC_P_ROUTE_);
    (void)pump(&f->in);
}

static void checked(struct vrpc_pflow_ *f, int rc, const char *why)
{
    if (rc == 0)
        open_route(f);
    else
        vrpc_pflow_failed_(f, "target is not authorized", why);
}

/* The fastest of the connections over which the routing id listens. */
static struct vrpc_session_ *find_listener(struct vrpc_manager *m,
    const struct vrpc_endpoint *ep)
{
    const struct vrpc_cache_node_ *it = NULL;
    struct v23_now now = vrpc_mgr_now_(m);
    struct vrpc_session_ *s, *best = NULL;

    while ((s = vrpc_cache_find_(&m->cache, ep, &it)) != NULL)
        if (s->listens > 0 && vrpc_conn_can_open(s->conn) &&
            (best == NULL || vrpc_conn_rtt_ns(s->conn, &now) <
                                 vrpc_conn_rtt_ns(best->conn, &now)))
            best = s;
    return best;
}

/*
 * Connections to the next hop. Anybody can claim a routing id, so one that is
 * allowed to listen here goes before all others.
 */
static size_t candidates(struct vrpc_manager *m,
    const struct vrpc_routing_id *rid, struct vrpc_session_ **out)
{
    struct vrpc_endpoint ep;

    memset(&ep, 0, sizeof(ep));
    ep.rid = *rid;
    out[0] = find_listener(m, &ep);
    if (out[0] != NULL)
        return 1;
    return vrpc_mgr_find_(m, &ep, out, MAX_CANDIDATES);
}

static void to_candidate(struct vrpc_pflow_ *f,
    const struct vrpc_routing_id *rid)
{
    struct vrpc_session_ *s[MAX_CANDIDATES];
    size_t n = candidates(f->p->m, rid, s), i;
    const char *why = "there is no connection with its routing id";
    int rc = V23_ENOENT;

    vrpc_pflow_move_(f, VRPC_P_CHECK_);
    for (i = 0; i < n; i++)
        (void)vrpc_session_pin_(s[i]);
    for (i = 0; i < n && rc != 0 && rc != V23_EAGAIN; i++) {
        vrpc_session_unpin_(f->out.session);
        f->out.session = vrpc_session_pin_(s[i]);
        rc = vrpc_pflow_check_(f, s[i], NULL, checked, &why);
    }
    for (i = 0; i < n; i++)
        vrpc_session_unpin_(s[i]);
    if (rc != V23_EAGAIN)
        checked(f, rc, why);
}

void vrpc_route_start_(struct vrpc_pflow_ *f, const struct vrpc_setup *s)
{
    struct vrpc_proxy *p = f->p;
    struct v23_arena a;
    struct hop hop;
    int rc;

    v23_arena_init(&a, p->m->al, 65536);
    rc = next_hop(&a, s, &hop);
    v23_arena_fini(&a);
    if (rc == 0 && p->routes.n >= p->cfg.max_routes)
        rc = V23_ELIMIT;
    if (rc == 0 && (vrpc_routing_id_is_null(&hop.rid) ||
                       vrpc_routing_id_eq(&hop.rid, &p->m->rid)))
        rc = V23_ENOENT;
    if (rc != 0)
        vrpc_pflow_failed_(f, "cannot route", v23_strerror(rc));
    else
        to_candidate(f, &hop.rid);
}
