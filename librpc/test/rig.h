/* BSD-3-Clause; see LICENSE. */
/*
 * Two connections over an in-memory link in virtual time, with principals in
 * memory. Everything that happens at an end is counted in struct end; what the
 * application does is in the tests.
 */
#ifndef RIG_H
#define RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>
#include <vrpc/conn.h>
#include <vrpc/message.h>

#include "seeded.h"

#define RIG_FLOWS 64
#define RIG_FRAMES 4096

struct rig;

struct end {
    struct rig *rig;
    struct end *peer;
    struct vrpc_conn *conn;
    struct vsec_principal *principal;
    struct v23_buf out; /* fetched, not yet delivered */
    /* what happened */
    int ready, closed, lame_duck, lame_acked, refreshed, wakes;
    int opened, readable, writable, flow_closed;
    int close_status, flow_close_status;
    char text[600];
    struct vrpc_flow *flows[RIG_FLOWS]; /* accepted, in order */
    size_t nflows;
    struct v23_buf got; /* bytes of all flows in the order read */
    /* what to do */
    int authorize_rc;
    struct v23_op authorize_op;
    bool hold;          /* do not read in flow_readable */
    bool echo;          /* write back what is read */
    bool close_on_eof;  /* give the handle back in flow_closed */
    bool messages;      /* accepted flows are in message mode */
    void (*on_readable)(struct end *e, struct vrpc_flow *f);
    void (*on_opened)(struct end *e, struct vrpc_flow *f);
    void (*on_writable)(struct end *e, struct vrpc_flow *f);
    bool free_in_hook;
};

struct rig {
    struct tst_alloc t;
    struct vsec_crypto crypto; /* to be changed before the connections */
    struct vsec_engine *engine;
    struct end d, a; /* dialer, acceptor */
    struct v23_now now;
    struct vrpc_conn_config dcfg, acfg;
    struct vrpc_endpoint aep, dep;
    struct vsec_blessings *server, *client;
    uint64_t seed;
    size_t chunk; /* bytes per input call; 0 = all */
};

/* ---- hooks --------------------------------------------------------------- */

static inline int rig_authorize(void *ud, struct vrpc_conn *c,
    struct v23_op op)
{
    struct end *e = ud;

    (void)c;
    e->authorize_op = op;
    return e->authorize_rc;
}

static inline void rig_ready(void *ud, struct vrpc_conn *c)
{
    struct end *e = ud;

    (void)c;
    e->ready++;
}

static inline void rig_opened(void *ud, struct vrpc_conn *c,
    struct vrpc_flow *f)
{
    struct end *e = ud;

    (void)c;
    ck_assert_int_eq(e->closed, 0);
    if (e->messages)
        vrpc_flow_set_messages(f);
    e->opened++;
    if (e->nflows < RIG_FLOWS)
        e->flows[e->nflows++] = f;
    vrpc_flow_set_ud(f, e);
    if (e->on_opened != NULL)
        e->on_opened(e, f);
}

static inline void rig_readable(void *ud, struct vrpc_conn *c,
    struct vrpc_flow *f)
{
    struct end *e = ud;
    struct v23_bytes b;

    (void)c;
    ck_assert_int_eq(e->closed, 0);
    e->readable++;
    if (e->on_readable != NULL) {
        e->on_readable(e, f);
        return;
    }
    if (e->hold)
        return;
    while (vrpc_flow_peek(f, &b) == 0) {
        v23_buf_put(&e->got, b.p, b.n);
        if (e->echo)
            ck_assert_int_eq(vrpc_flow_write(f, b.p, b.n), 0);
        vrpc_flow_consume(f, b.n);
        if (e->messages)
            v23_buf_put(&e->got, "|", 1);
    }
}

static inline void rig_writable(void *ud, struct vrpc_conn *c,
    struct vrpc_flow *f)
{
    struct end *e = ud;

    (void)c;
    e->writable++;
    if (e->on_writable != NULL)
        e->on_writable(e, f);
}

static inline void rig_flow_closed(void *ud, struct vrpc_conn *c,
    struct vrpc_flow *f, int status)
{
    struct end *e = ud;

    (void)c;
    ck_assert_int_eq(e->closed, 0);
    e->flow_closed++;
    e->flow_close_status = status;
    if (e->close_on_eof)
        vrpc_flow_close(f);
}

static inline void rig_lame_duck(void *ud, struct vrpc_conn *c)
{
    (void)c;
    ((struct end *)ud)->lame_duck++;
}

static inline void rig_lame_acked(void *ud, struct vrpc_conn *c)
{
    (void)c;
    ((struct end *)ud)->lame_acked++;
}

static inline void rig_refreshed(void *ud, struct vrpc_conn *c)
{
    (void)c;
    ((struct end *)ud)->refreshed++;
}

static inline void rig_closed(void *ud, struct vrpc_conn *c, int status,
    const char *text)
{
    struct end *e = ud;

    e->closed++;
    e->close_status = status;
    snprintf(e->text, sizeof(e->text), "%s", text);
    if (e->free_in_hook) {
        vrpc_conn_free(c);
        e->conn = NULL;
    }
}

static inline void rig_wake(void *ud, struct vrpc_conn *c)
{
    (void)c;
    ((struct end *)ud)->wakes++;
}

static const struct vrpc_conn_hooks rig_hooks = { rig_authorize, rig_ready,
    rig_opened, rig_readable, rig_writable, rig_flow_closed, rig_lame_duck,
    rig_lame_acked, rig_refreshed, rig_closed, rig_wake };

/* ---- life ---------------------------------------------------------------- */

/* Everything but the connections. Configurations may be changed afterwards. */
static inline int rig_init(struct rig *r)
{
    static struct vdl_str name = VDL_STR_INIT("server");
    int rc;

    r->seed += 42;
    r->now.mono_ns = 1000 * V23_NS_PER_SEC;
    r->now.wall.sec = 1728388800;
    r->crypto = vsec_crypto_default;
    rc = seeded_engine(&r->seed, &r->crypto, &r->t.al, &r->engine);
    if (rc == 0)
        rc = seeded_person(r->engine, "server", &r->a.principal, &r->server);
    if (rc == 0)
        rc = seeded_person(r->engine, "client", &r->d.principal, &r->client);
    r->aep.protocol = vdl_str("tcp");
    r->aep.address = vdl_str("127.0.0.1:8100");
    r->aep.rid = vrpc_routing_id_fixed(7);
    r->aep.blessings.v = &name;
    r->aep.blessings.n = 1;
    r->dep.protocol = vdl_str("tcp");
    r->dep.address = vdl_str("127.0.0.1:53802");
    r->d.rig = r->a.rig = r;
    r->d.peer = &r->a;
    r->a.peer = &r->d;
    v23_buf_init(&r->d.out, NULL, SIZE_MAX);
    v23_buf_init(&r->a.out, NULL, SIZE_MAX);
    v23_buf_init(&r->d.got, NULL, SIZE_MAX);
    v23_buf_init(&r->a.got, NULL, SIZE_MAX);
    r->dcfg.al = r->acfg.al = &r->t.al;
    r->dcfg.hooks = r->acfg.hooks = &rig_hooks;
    r->dcfg.principal = r->d.principal;
    r->acfg.principal = r->a.principal;
    r->dcfg.role = VRPC_DIALER;
    r->acfg.role = VRPC_ACCEPTOR;
    r->dcfg.local = &r->dep;
    r->dcfg.remote = &r->aep;
    r->acfg.local = &r->aep;
    r->acfg.blessings = r->server;
    r->acfg.has_handler = true;
    r->dcfg.ud = &r->d;
    r->acfg.ud = &r->a;
    return rc;
}

static inline void rig_fini(struct rig *r)
{
    vrpc_conn_free(r->d.conn);
    vrpc_conn_free(r->a.conn);
    v23_buf_fini(&r->d.out);
    v23_buf_fini(&r->a.out);
    v23_buf_fini(&r->d.got);
    v23_buf_fini(&r->a.got);
    vsec_blessings_unref(r->server);
    vsec_blessings_unref(r->client);
    vsec_principal_unref(r->d.principal);
    vsec_principal_unref(r->a.principal);
    vsec_engine_unref(r->engine);
}

static inline int rig_conns(struct rig *r)
{
    int rc = vrpc_conn_new(&r->dcfg, &r->now, &r->d.conn);

    if (rc == 0)
        rc = vrpc_conn_new(&r->acfg, &r->now, &r->a.conn);
    return rc;
}

/* ---- the link ------------------------------------------------------------ */

/* Give `n` bytes at p to an end in pieces; its status. */
static inline int rig_feed(struct end *e, uint8_t *p, size_t n)
{
    struct rig *r = e->rig;
    size_t k;
    int rc = 0;

    while (n > 0 && e->conn != NULL && rc == 0) {
        k = r->chunk == 0 || r->chunk > n ? n : r->chunk;
        rc = vrpc_conn_input(e->conn, p, k, &r->now);
        p += k;
        n -= k;
    }
    return rc;
}

/* Fetch what an end has to send. */
static inline int rig_fetch(struct end *e)
{
    if (e->conn == NULL)
        return 0;
    return vrpc_conn_output(e->conn, &e->out, SIZE_MAX, &e->rig->now);
}

/* One way: from `e` to its peer. With message transport one message a call. */
static inline int rig_move(struct end *e)
{
    int rc = 0, quiet = 0;

    do {
        e->out.n = 0;
        rc = rig_fetch(e);
        if (e->out.n == 0 && e->conn != NULL
            && !vrpc_conn_wants_output(e->conn))
            quiet = 1;
        if (rc == 0 && e->out.n > 0 && e->peer->conn != NULL)
            quiet = rig_feed(e->peer, e->out.p, e->out.n) != 0;
    } while (rc == 0 && !quiet && e->conn != NULL
        && vrpc_conn_wants_output(e->conn));
    return rc;
}

static inline bool rig_busy(const struct end *e)
{
    return e->conn != NULL && (vrpc_conn_wants_output(e->conn)
        || vrpc_conn_next_deadline(e->conn) == INT64_MIN);
}

/* Until nothing moves; 0 or the first V23_ENOMEM of an output. */
static inline int rig_run(struct rig *r)
{
    int rc = 0, i;

    for (i = 0; i < 100000 && rc == 0 && (rig_busy(&r->d) || rig_busy(&r->a));
        i++) {
        if (r->d.conn != NULL)
            vrpc_conn_tick(r->d.conn, &r->now);
        if (r->a.conn != NULL)
            vrpc_conn_tick(r->a.conn, &r->now);
        rc = rig_move(&r->d);
        if (rc == 0)
            rc = rig_move(&r->a);
    }
    if (rc == 0)
        ck_assert_int_lt(i, 100000);
    return rc;
}

/* Advance the clock, ticking whoever is due on the way. */
static inline void rig_sleep(struct rig *r, int64_t ns)
{
    int64_t until = r->now.mono_ns + ns, t, u;

    for (;;) {
        t = r->d.conn == NULL ? V23_NEVER
                              : vrpc_conn_next_deadline(r->d.conn);
        u = r->a.conn == NULL ? V23_NEVER
                              : vrpc_conn_next_deadline(r->a.conn);
        if (u < t)
            t = u;
        if (t > until)
            break;
        if (t > r->now.mono_ns)
            r->now.mono_ns = t;
        if (r->d.conn != NULL)
            vrpc_conn_tick(r->d.conn, &r->now);
        if (r->a.conn != NULL)
            vrpc_conn_tick(r->a.conn, &r->now);
        ck_assert_int_eq(rig_run(r), 0);
    }
    r->now.mono_ns = until;
}

/* ---- fixtures ------------------------------------------------------------ */

static struct rig R;

static inline void rig_setup(void)
{
    memset(&R, 0, sizeof(R));
    tst_alloc_init(&R.t);
    ck_assert_int_eq(rig_init(&R), 0);
}

static inline void rig_teardown(void)
{
    rig_fini(&R);
    ck_assert_uint_eq(R.t.live, 0);
}

/* Both connected and ready. */
static inline void rig_connect(void)
{
    ck_assert_int_eq(rig_conns(&R), 0);
    ck_assert_int_eq(rig_run(&R), 0);
    ck_assert_str_eq(R.d.text, "");
    ck_assert_str_eq(R.a.text, "");
    ck_assert_int_eq(R.d.ready, 1);
    ck_assert_int_eq(R.a.ready, 1);
}

/* A flow of the dialer that presents the client's blessings. */
static inline struct vrpc_flow *rig_open(void)
{
    struct vrpc_flow_opts o;
    struct vrpc_flow *f = NULL;

    memset(&o, 0, sizeof(o));
    o.blessings = R.client;
    o.ud = &R.d;
    ck_assert_int_eq(vrpc_flow_open(R.d.conn, &o, &f), 0);
    return f;
}

/* Whether an end has received exactly this. */
static inline bool got_is(const struct end *e, const char *text)
{
    return e->got.n == strlen(text) && memcmp(e->got.p, text, e->got.n) == 0;
}

#endif
