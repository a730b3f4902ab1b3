/* BSD-3-Clause; see LICENSE. */
/*
 * Managers with clients and servers over an in-memory network in virtual time.
 * A node is reached at the address "<name>:1"; everything else refuses. One
 * root "test" blesses "test:<name>", and everybody recognises it.
 */
#ifndef WORLD_H
#define WORLD_H

#ifdef WORLD_WITHOUT_CHECK
#include "without_check.h"
#else
#include <suite.h>
#endif
#include <stdio.h>
#include <stdlib.h>

#include <support.h>
#include <vom/time.h>
#include <vrpc/client.h>
#include <vrpc/conn.h>
#include <vrpc/manager.h>
#include <vrpc/server.h>
#include <vrpc/verror.h>
#include <vrpc/vtrace.h>

#include "seeded.h"

#ifndef WORLD_NODES
#define WORLD_NODES 4
#endif
#define WORLD_LINKS 64

struct world;

struct wnode {
    struct world *w;
    const char *name;
    char address[32];
    struct vsec_principal *principal;
    struct vrpc_manager *m;
    struct vrpc_client *c;
    struct vrpc_server *s;
    bool listens;   /* though it has no server: a proxy */
    struct vrpc_vtrace *vtrace; /* its store, freed with it; or NULL */
    bool refuses;   /* dials get an error */
    bool black_hole; /* dials never end */
};

/* One end of a connection. */
struct wlink {
    struct vrpc_link link;
    struct wnode *node;
    struct vrpc_conn *conn;
    struct wlink *peer;
    bool used, closing;
    bool stuck; /* output is not fetched: a stalling network */
};

struct wdial {
    struct v23_op op;
    struct wnode *from;
    char address[64];
    bool used;
};

struct world {
    struct tst_alloc t;
    struct vsec_crypto crypto; /* to be changed before the first node */
    struct vsec_engine *engine;
    struct vsec_principal *root;
    struct vsec_blessings *root_b;
    struct v23_now now;
    struct wnode nodes[WORLD_NODES];
    size_t nnodes;
    struct wlink links[WORLD_LINKS];
    struct wdial dials[WORLD_LINKS];
    uint64_t seed;
    size_t ndials;  /* made so far */
    size_t max_out; /* bytes fetched at once; 0 = all */
    /* Of nodes made from now on. */
    uint32_t bytes_buffered; /* per flow */
    struct vrpc_stats *stats;
    uint32_t max_conns, max_handshakes;
    int64_t idle_ns;
    const struct v23_log *log;
    uint32_t mtu;            /* of nodes made from now on */
    struct vrpc_vtrace *vtrace; /* the store of the next node made */
    /* May change what is under way; NULL = a good network. */
    void (*tamper)(struct wlink *from, struct v23_buf *bytes);
};

static struct world W;

/* ---- transport ----------------------------------------------------------- */

static inline void world_now(void *ud, struct v23_now *out)
{
    *out = ((struct wnode *)ud)->w->now;
}

static inline int world_dial(void *ud, struct v23_op op,
    struct vdl_str protocol, struct vdl_str address, int64_t deadline)
{
    struct wnode *n = ud;
    size_t i;

    (void)protocol;
    (void)deadline;
    for (i = 0; i < WORLD_LINKS; i++) {
        struct wdial *d = &n->w->dials[i];

        if (d->used)
            continue;
        d->used = true;
        d->op = op;
        d->from = n;
        snprintf(d->address, sizeof(d->address), "%.*s", (int)address.n,
            address.p);
        n->w->ndials++;
        return V23_EAGAIN;
    }
    return V23_ELIMIT;
}

static inline void world_cancel(void *ud, struct v23_op op)
{
    struct wnode *n = ud;
    size_t i;

    for (i = 0; i < WORLD_LINKS; i++)
        if (n->w->dials[i].used && n->w->dials[i].from == n &&
            n->w->dials[i].op.index == op.index &&
            n->w->dials[i].op.generation == op.generation)
            n->w->dials[i].used = false;
}

static inline void world_wake(struct vrpc_link *l)
{
    (void)l;
}

static inline void world_closed(struct vrpc_link *l)
{
    ((struct wlink *)l)->closing = true;
}

static const struct vrpc_link_ops world_link_ops = { false, false, world_wake,
    world_closed };

static inline void world_timer(void *ud)
{
    (void)ud;
}

/* ---- nodes --------------------------------------------------------------- */

static inline int world_principal(struct world *w, struct wnode *n)
{
    v23_security_caveat cav = vsec_caveat_unconstrained();
    struct vsec_blessings *b = NULL;
    struct vsec_bless what;
    int rc;

    rc = vsec_principal_generate(w->engine, "ed25519", &n->principal);
    if (rc != 0)
        return rc;
    memset(&what, 0, sizeof(what));
    what.key = n->principal->key;
    what.with = w->root_b;
    what.extension = vdl_str(n->name);
    what.caveats.v = &cav;
    what.caveats.n = 1;
    rc = vsec_principal_bless(w->root, &what, &b);
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(n->principal, b);
    vsec_blessings_unref(b);
    return rc;
}

/* The next one, with a name only. */
static inline struct wnode *world_node_new(struct world *w, const char *name)
{
    struct wnode *n = &w->nodes[w->nnodes++];

    memset(n, 0, sizeof(*n));
    n->w = w;
    n->name = name;
    snprintf(n->address, sizeof(n->address), "%s:1", name);
    return n;
}

/* The manager and the client of one that has its principal. */
static inline int world_node_begin(struct wnode *n, uint64_t rid)
{
    struct world *w = n->w;
    struct vrpc_manager_config mc;
    struct vrpc_client_config cc;
    struct vrpc_transport tr;
    int rc;

    memset(&tr, 0, sizeof(tr));
    tr.now = world_now;
    tr.dial = world_dial;
    tr.cancel = world_cancel;
    tr.timer = world_timer;
    tr.ud = n;
    memset(&mc, 0, sizeof(mc));
    mc.al = &w->t.al;
    mc.transport = &tr;
    mc.principal = n->principal;
    mc.bytes_buffered = w->bytes_buffered;
    mc.stats = w->stats;
    mc.max_conns = w->max_conns;
    mc.max_handshakes = w->max_handshakes;
    mc.idle_ns = w->idle_ns;
    mc.log = w->log;
    mc.mtu = w->mtu;
    mc.vtrace = n->vtrace = w->vtrace;
    w->vtrace = NULL;
    if (rid != 0)
        mc.rid = vrpc_routing_id_fixed(rid);
    rc = vrpc_manager_new(&mc, &n->m);
    if (rc != 0)
        return rc;
    memset(&cc, 0, sizeof(cc));
    cc.component = vdl_str(n->name);
    return vrpc_client_new(n->m, &cc, &n->c);
}

/* A node with its manager and client; a server needs a routing id. */
static inline int world_node(struct world *w, const char *name, uint64_t rid,
    struct wnode **out)
{
    struct wnode *n = world_node_new(w, name);
    int rc = world_principal(w, n);

    if (rc == 0)
        rc = world_node_begin(n, rid);
    if (rc == 0 && out != NULL)
        *out = n;
    return rc;
}

/* Object name of a node: its endpoint after a slash. */
static inline void world_endpoint(const struct wnode *n, bool mount_table,
    struct v23_buf *out)
{
    struct vrpc_endpoint ep;
    struct vdl_str name;
    char blessing[64];

    memset(&ep, 0, sizeof(ep));
    snprintf(blessing, sizeof(blessing), "test:%s", n->name);
    name = vdl_str(blessing);
    ep.protocol = vdl_str("tcp");
    ep.address = vdl_str(n->address);
    ep.rid = *vrpc_manager_rid(n->m);
    ep.mount_table = mount_table;
    ep.blessings.v = &name;
    ep.blessings.n = 1;
    vrpc_endpoint_name(&ep, out);
}

/* Object name of a suffix at a node. */
static inline const char *world_name(const struct wnode *n,
    const char *suffix)
{
    static char text[4][512];
    static unsigned next;
    char *s = text[next++ % 4];
    struct v23_buf b;

    v23_buf_init_fixed(&b, s, 500);
    world_endpoint(n, false, &b);
    if (suffix[0] != 0) {
        v23_buf_put_byte(&b, '/');
        v23_buf_puts(&b, suffix);
    }
    v23_buf_put_byte(&b, 0);
    return s;
}

/* ---- the network --------------------------------------------------------- */

static inline struct wlink *world_link(struct world *w, struct wnode *n)
{
    size_t i;

    for (i = 0; i < WORLD_LINKS; i++)
        if (!w->links[i].used) {
            memset(&w->links[i], 0, sizeof(w->links[i]));
            w->links[i].used = true;
            w->links[i].node = n;
            w->links[i].link.ops = &world_link_ops;
            return &w->links[i];
        }
    ck_abort_msg("too many links");
    return NULL;
}

static inline void world_connect(struct world *w, struct wdial *d)
{
    struct vrpc_endpoint local;
    struct wnode *to = NULL;
    struct wlink *a, *b;
    size_t i;
    int rc;

    for (i = 0; i < w->nnodes; i++)
        if (w->nodes[i].m != NULL &&
            strcmp(w->nodes[i].address, d->address) == 0)
            to = &w->nodes[i];
    if (to != NULL && to->black_hole)
        return;
    d->used = false;
    if (to == NULL || (to->s == NULL && !to->listens) || to->refuses ||
        (to->s != NULL && vrpc_server_state(to->s) != VRPC_SERVER_READY)) {
        struct vrpc_conn *none;

        vrpc_manager_dialed(d->from->m, d->op, V23_ESYS, "connection refused",
            NULL, NULL, &none);
        return;
    }
    a = world_link(w, d->from);
    b = world_link(w, to);
    a->peer = b;
    b->peer = a;
    memset(&local, 0, sizeof(local));
    local.protocol = vdl_str("tcp");
    local.address = vdl_str("dialer:9");
    vrpc_manager_dialed(d->from->m, d->op, 0, NULL, &a->link, &local,
        &a->conn);
    if (a->conn == NULL) {
        a->used = b->used = false;
        return;
    }
    local.address = vdl_str(to->address);
    rc = vrpc_manager_accepted(to->m, &b->link, &local, &b->conn);
    if (rc != 0) {
        b->used = false;
        a->peer = NULL;
    }
}

/* The transport of a link ends; its peer sees the end of the stream. */
static inline void world_cut(struct wlink *l)
{
    struct world *w = l->node->w;
    struct wlink *p = l->peer;

    if (!l->used)
        return;
    l->used = false;
    if (p != NULL)
        p->peer = NULL;
    vrpc_manager_release(l->node->m, l->conn);
    if (p != NULL && p->used)
        vrpc_conn_input_end(p->conn, V23_ECLOSED, NULL, &w->now);
}

/* Move what one end has to send. */
static inline bool world_move(struct wlink *l)
{
    struct world *w = l->node->w;
    struct wlink *p = l->peer;
    struct v23_buf out;
    bool moved;

    if (!vrpc_conn_wants_output(l->conn) || l->stuck)
        return false;
    v23_buf_init(&out, NULL, SIZE_MAX);
    (void)!vrpc_conn_output(l->conn, &out,
        w->max_out == 0 ? SIZE_MAX : w->max_out, &w->now);
    moved = out.n > 0;
    if (moved && w->tamper != NULL)
        w->tamper(l, &out);
    if (moved && p != NULL && p->used && p->conn != NULL)
        (void)!vrpc_conn_input(p->conn, out.p, out.n, &w->now);
    v23_buf_fini(&out);
    return moved;
}

static inline bool world_step(struct world *w)
{
    bool moved = false;
    size_t i;

    for (i = 0; i < WORLD_LINKS; i++)
        if (w->dials[i].used) {
            bool before = w->dials[i].used;

            world_connect(w, &w->dials[i]);
            moved |= before != w->dials[i].used;
        }
    for (i = 0; i < w->nnodes; i++)
        if (w->nodes[i].m != NULL &&
            vrpc_manager_next_deadline(w->nodes[i].m) <= w->now.mono_ns) {
            vrpc_manager_tick(w->nodes[i].m);
            moved = true;
        }
    for (i = 0; i < WORLD_LINKS; i++) {
        struct wlink *l = &w->links[i];

        if (!l->used)
            continue;
        if (!l->closing &&
            vrpc_conn_next_deadline(l->conn) <= w->now.mono_ns) {
            vrpc_conn_tick(l->conn, &w->now);
            moved = true;
        }
        moved |= world_move(l);
        if (l->closing) {
            world_cut(l);
            moved = true;
        } else if (l->peer == NULL && !l->closing) {
            vrpc_conn_input_end(l->conn, V23_ECLOSED, NULL, &w->now);
        }
    }
    return moved;
}

/* Until nothing moves any more at this instant. */
static inline void world_settle(struct world *w)
{
    int i;

    for (i = 0; i < 1000000 && world_step(w); i++)
        ;
    ck_assert_int_lt(i, 1000000);
}

static inline int64_t world_next(const struct world *w)
{
    int64_t t = V23_NEVER, u;
    size_t i;

    for (i = 0; i < w->nnodes; i++)
        if (w->nodes[i].m != NULL) {
            u = vrpc_manager_next_deadline(w->nodes[i].m);
            t = u < t ? u : t;
        }
    for (i = 0; i < WORLD_LINKS; i++)
        if (w->links[i].used && !w->links[i].closing) {
            u = vrpc_conn_next_deadline(w->links[i].conn);
            t = u < t ? u : t;
        }
    return t;
}

static inline void world_set_time(struct world *w, int64_t mono)
{
    int64_t d = mono - w->now.mono_ns;

    if (d <= 0)
        return;
    w->now.mono_ns = mono;
    w->now.wall = v23_walltime_add(w->now.wall, d);
}

/* Let time pass. */
static inline void world_sleep(struct world *w, int64_t ns)
{
    int64_t until = w->now.mono_ns + ns, t;

    world_settle(w);
    while ((t = world_next(w)) <= until) {
        world_set_time(w, t);
        world_settle(w);
    }
    world_set_time(w, until);
}

/* Until *flag, letting at most `limit` pass; false when it stayed unset. */
static inline bool world_until(struct world *w, const int *flag, int64_t limit)
{
    int64_t until = w->now.mono_ns + limit, t;

    for (;;) {
        world_settle(w);
        if (*flag)
            return true;
        t = world_next(w);
        if (t > until)
            return false;
        world_set_time(w, t);
    }
}

/* ---- life ---------------------------------------------------------------- */

static inline int world_init(struct world *w)
{
    int rc;

    w->seed += 42;
    w->now.mono_ns = 1000 * V23_NS_PER_SEC;
    w->now.wall.sec = 1728388800;
    w->crypto = vsec_crypto_default;
    rc = seeded_engine(&w->seed, &w->crypto, &w->t.al, &w->engine);
    if (rc == 0)
        rc = seeded_person(w->engine, "test", &w->root, &w->root_b);
    return rc;
}

static inline void world_node_fini(struct wnode *n)
{
    struct world *w = n->w;
    size_t i;

    if (n->m != NULL) {
        vrpc_manager_close_all(n->m, "cache is closed");
        for (i = 0; i < WORLD_LINKS; i++)
            if (w->links[i].used && w->links[i].node == n)
                world_cut(&w->links[i]);
    }
    vrpc_client_free(n->c);
    vrpc_server_free(n->s);
    vrpc_manager_free(n->m);
    vrpc_vtrace_free(n->vtrace);
    vsec_principal_unref(n->principal);
    n->c = NULL;
    n->s = NULL;
    n->m = NULL;
    n->vtrace = NULL;
    n->principal = NULL;
}

static inline void world_fini(struct world *w)
{
    size_t i;

    for (i = 0; i < w->nnodes; i++)
        world_node_fini(&w->nodes[i]);
    vsec_blessings_unref(w->root_b);
    vsec_principal_unref(w->root);
    vsec_engine_unref(w->engine);
}

static inline void world_setup(void)
{
    memset(&W, 0, sizeof(W));
    tst_alloc_init(&W.t);
    ck_assert_int_eq(world_init(&W), 0);
}

static inline void world_teardown(void)
{
    world_fini(&W);
    ck_assert_uint_eq(W.t.live, 0);
}

/* First live link of a node. */
static inline struct wlink *world_link_of(struct world *w,
    const struct wnode *n)
{
    size_t i;

    for (i = 0; i < WORLD_LINKS; i++)
        if (w->links[i].used && w->links[i].node == n)
            return &w->links[i];
    return NULL;
}

#endif
