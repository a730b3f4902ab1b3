/* BSD-3-Clause; see LICENSE. */
/* A proxy and peers whose flows the test writes by hand. */
#ifndef PROXY_RIG_H
#define PROXY_RIG_H

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wunused-function"
#endif

#define WORLD_NODES 8
#include "world.h"

#include <vrpc/message.h>
#include <vrpc/proxy.h>

#include "rpc_int.h"

#define SEC V23_NS_PER_SEC
#define TAPS 8

/* One flow of a peer. */
struct tap {
    struct vrpc_user_ user;
    struct vrpc_flow *flow; /* NULL: given back */
    bool stalled;           /* does not read */
    bool closed;            /* the other end closed it */
    size_t msgs, bytes;
    uint8_t last[2048];     /* the newest message, cut */
    size_t last_n;
};

/* A node that is connected to a proxy. */
struct peer {
    struct vrpc_host_ host; /* takes the proxy's flows; of those with an id */
    struct wnode *n;
    struct vrpc_waiter_ w;
    struct vrpc_session_ *s;
    int up;
    struct tap taps[TAPS];
    size_t ntaps;
    bool accept_stalled;
};

struct prig {
    struct wnode *n;
    struct vrpc_proxy *p;
    struct vrpc_proxy_config cfg;
};

static void tap_read(struct vrpc_user_ *u)
{
    struct tap *t = (struct tap *)u;
    struct v23_bytes b;

    while (!t->stalled && t->flow != NULL &&
           vrpc_flow_peek(t->flow, &b) == 0) {
        t->msgs++;
        t->bytes += b.n;
        t->last_n = b.n < sizeof(t->last) ? b.n : sizeof(t->last);
        if (t->last_n > 0)
            memcpy(t->last, b.p, t->last_n);
        vrpc_flow_consume(t->flow, b.n);
    }
}

static void tap_writable(struct vrpc_user_ *u)
{
    (void)u;
}

static void tap_closed(struct vrpc_user_ *u, int status)
{
    struct tap *t = (struct tap *)u;

    (void)status;
    tap_read(u);
    t->closed = true;
    vrpc_flow_close(t->flow);
    t->flow = NULL;
}

static const struct vrpc_user_ops_ tap_ops = { tap_read, tap_writable,
    tap_closed };

static struct tap *tap_new(struct peer *p, struct vrpc_flow *f)
{
    struct tap *t = &p->taps[p->ntaps++];

    ck_assert_uint_le(p->ntaps, TAPS);
    memset(t, 0, sizeof(*t));
    t->user.ops = &tap_ops;
    t->flow = f;
    vrpc_flow_set_ud(f, &t->user);
    return t;
}

/* ---- peers --------------------------------------------------------------- */

static void peer_flow(struct vrpc_host_ *h, struct vrpc_session_ *ss,
    struct vrpc_flow *f)
{
    struct peer *p = (struct peer *)h;
    struct tap *t;

    (void)ss;
    vrpc_flow_set_messages(f);
    if (p->ntaps == TAPS) {
        vrpc_flow_cancel(f);
        return;
    }
    t = tap_new(p, f);
    t->stalled = p->accept_stalled;
}

static size_t peer_busy(const struct vrpc_host_ *h)
{
    (void)h;
    return 0;
}

static void peer_destroy(struct vrpc_host_ *h)
{
    vrpc_host_fini_(h);
}

static const struct vrpc_host_ops_ peer_ops = { peer_flow, peer_busy, NULL,
    peer_destroy };

static int peer_authorize(struct vrpc_waiter_ *w, struct vrpc_session_ *s,
    struct v23_op op)
{
    (void)w;
    (void)s;
    (void)op;
    return 0;
}

static void peer_up(struct vrpc_waiter_ *w, int rc, struct vrpc_session_ *s,
    const char *why)
{
    struct peer *p = (struct peer *)(void *)((char *)w -
                                             offsetof(struct peer, w));

    (void)why;
    p->up = 1;
    p->s = rc == 0 ? s : NULL;
}

/* Connect a peer to a proxy; 0, or the memory was too short. */
static int peer_connect(struct peer *p, struct wnode *proxy)
{
    struct vrpc_endpoint ep;
    int rc;

    memset(&ep, 0, sizeof(ep));
    ep.protocol = vdl_str("tcp");
    ep.address = vdl_str(proxy->address);
    ep.rid = *vrpc_manager_rid(proxy->m);
    p->w.authorize = peer_authorize;
    p->w.done = peer_up;
    p->up = 0;
    p->s = NULL;
    rc = vrpc_mgr_connect_(p->n->m, &ep, false, V23_NEVER, &p->w, &p->s);
    if (rc == V23_EAGAIN && !world_until(&W, &p->up, 100 * SEC))
        ck_abort_msg("connecting never ended");
    world_settle(&W); /* the acceptor's side, too */
    return p->s == NULL ? V23_ENOMEM : 0;
}

static int peer_init(struct peer *p, const char *name, uint64_t rid,
    struct wnode *proxy)
{
    int rc;

    memset(p, 0, sizeof(*p));
    rc = world_node(&W, name, rid, &p->n);
    if (rc == 0 && rid != 0)
        rc = vrpc_host_init_(&p->host, p->n->m, &peer_ops);
    return rc == 0 ? peer_connect(p, proxy) : rc;
}

/* Is its connection still there? */
static bool peer_is_up(const struct peer *p)
{
    const struct vrpc_session_ *s = p->n->m->sessions;

    while (s != NULL && s != p->s)
        s = s->next;
    return s != NULL;
}

/* A flow in message mode; NULL: memory is short. */
static struct tap *peer_open(struct peer *p)
{
    struct vrpc_flow_opts o;
    struct vrpc_flow *f;

    memset(&o, 0, sizeof(o));
    o.messages = true;
    o.blessings = vsec_store_default(p->n->principal->store);
    if (!peer_is_up(p) || vrpc_flow_open(p->s->conn, &o, &f) != 0)
        return NULL;
    return tap_new(p, f);
}

/* A flow that begins with a message. */
static struct tap *peer_say(struct peer *p, const void *msg, size_t n)
{
    struct tap *t = peer_open(p);

    if (t == NULL || vrpc_flow_write_message(t->flow, msg, n, false) != 0)
        return NULL;
    world_settle(&W);
    return t;
}

static struct tap *peer_ask(struct peer *p, uint8_t type)
{
    return peer_say(p, &type, 1);
}

/* A Setup for a routing id, over routes (comma separated hex). */
static struct tap *peer_setup(struct peer *p, uint64_t rid, const char *routes)
{
    struct vrpc_routing_id id = vrpc_routing_id_fixed(rid);
    struct v23_buf ep, out;
    struct vrpc_msg m;
    struct tap *t;

    v23_buf_init(&ep, NULL, 8192);
    v23_buf_init(&out, NULL, 8192);
    v23_buf_printf(&ep, "@6@tcp@proxy:1@%s@", routes);
    vrpc_routing_id_format(&id, &ep);
    v23_buf_puts(&ep, "@s@test:server@@");
    memset(&m, 0, sizeof(m));
    m.type = VRPC_MSG_SETUP;
    m.u.setup.min_version = 10;
    m.u.setup.max_version = 14;
    memset(m.u.setup.key, 7, sizeof(m.u.setup.key));
    m.u.setup.has_key = true;
    m.u.setup.remote = v23_bytes(ep.p, ep.n);
    m.u.setup.mtu = 65536;
    vrpc_msg_encode(&m, &out);
    ck_assert_int_eq(out.err, 0);
    t = peer_say(p, out.p, out.n);
    v23_buf_fini(&ep);
    v23_buf_fini(&out);
    return t;
}

/* ---- what a tap got ------------------------------------------------------ */

/* Text of the i-th endpoint of a ProxyResponse; "" = there is none. */
static const char *told(const struct tap *t, size_t i)
{
    static char text[512];
    struct v23_bytes rest, item = { NULL, 0 };
    struct vrpc_msg m;

    text[0] = 0;
    if (vrpc_msg_decode(t->last, t->last_n, &m, NULL) != 0 ||
        m.type != VRPC_MSG_PROXY_RESPONSE)
        return text;
    rest = m.u.endpoints;
    do {
        if (vrpc_msg_next_bytes(&rest, &item) != 0)
            return text;
    } while (i-- > 0);
    snprintf(text, sizeof(text), "%.*s", (int)item.n, (const char *)item.p);
    return text;
}

/* Text of a ProxyErrorResponse, "" = it is none. */
static const char *refusal(const struct tap *t)
{
    static char text[512];

    text[0] = 0;
    if (t->last_n > 0 && t->last[0] == VRPC_MSG_PROXY_ERROR)
        snprintf(text, sizeof(text), "%.*s", (int)t->last_n - 1,
            (const char *)t->last + 1);
    return text;
}

/* Option 2 of a Setup, "" = it is none. */
static const char *setup_target(const struct tap *t)
{
    static char text[512];
    struct vrpc_msg m;

    text[0] = 0;
    if (vrpc_msg_decode(t->last, t->last_n, &m, NULL) == 0 &&
        m.type == VRPC_MSG_SETUP)
        snprintf(text, sizeof(text), "%.*s", (int)m.u.setup.remote.n,
            (const char *)m.u.setup.remote.p);
    return text;
}

/* ---- the proxy ----------------------------------------------------------- */

static int prig_endpoints(struct prig *r, const char *const *texts, size_t n)
{
    struct vrpc_endpoint eps[8];
    struct v23_arena a;
    size_t i;
    int rc = 0;

    v23_arena_init(&a, NULL, SIZE_MAX);
    for (i = 0; rc == 0 && i < n; i++)
        rc = vrpc_endpoint_parse(&a, vdl_str(texts[i]), &eps[i], NULL);
    if (rc == 0)
        rc = vrpc_proxy_set_endpoints(r->p, eps, n);
    v23_arena_fini(&a);
    return rc;
}

#define PROXY_EP "@6@tcp@proxy:1@@00000000000000000000000000000063@s@test:proxy@@"

/* A node "proxy" with routing id 0x63, or another. */
static int prig_init(struct prig *r, const char *name, uint64_t rid)
{
    static const char *const ep[] = { PROXY_EP };
    int rc = world_node(&W, name, rid, &r->n);

    if (r->cfg.authorizer == NULL)
        r->cfg.authorizer = &vsec_auth_everyone;
    if (rc == 0)
        rc = vrpc_proxy_new(r->n->m, &r->cfg, &r->p);
    if (rc != 0)
        return rc;
    r->n->listens = true;
    return prig_endpoints(r, ep, 1);
}

#endif
