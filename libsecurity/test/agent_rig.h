/* BSD-3-Clause; see LICENSE. */
/* Agents and their users in one process, octets carried from hand to hand. */
#ifndef VSEC_TEST_AGENT_RIG_H
#define VSEC_TEST_AGENT_RIG_H

#include "people.h"

#include <vsec/agent.h>

static struct vsec_principal *owner; /* the agent's, "alice" */
static struct vsec_agent_server *server;

/* A user and its connection at both ends. Freed ends are NULL. */
struct user {
    struct vsec_agent_client *client;
    struct vsec_agent_conn *here, *there;
    size_t chunk;  /* most octets moved at a time; 0 = all */
    int ready, closed, lost; /* calls of the callbacks, and their rc */
    int ready_rc, closed_rc, lost_rc;
    bool mute;     /* nothing is moved: blocking times out */
};

static inline size_t move(struct vsec_agent_conn *from,
    struct vsec_agent_conn *to, size_t most)
{
    struct v23_bytes b = vsec_agent_output(from);
    size_t n = most != 0 && b.n > most ? most : b.n;
    uint8_t *copy;

    if (n == 0)
        return 0;
    copy = malloc(n); /* exact, for sanitizers */
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, b.p, n);
    vsec_agent_sent(from, n);
    (void)vsec_agent_input(to, copy, n, at(1500000000));
    free(copy);
    return n;
}

/* Carry in both directions once; octets moved. */
static inline size_t carry(struct user *u)
{
    size_t n = 0;

    if (u->mute)
        return 0;
    if (u->there != NULL)
        n += move(u->here, u->there, u->chunk);
    if (u->there != NULL)
        n += move(u->there, u->here, u->chunk);
    return n;
}

/* Until nothing moves. */
static inline void settle_users(struct user *u, size_t n)
{
    size_t i, moved;

    do {
        moved = 0;
        for (i = 0; i < n; i++)
            moved += carry(&u[i]);
    } while (moved > 0);
    for (i = 0; i < n; i++)
        vsec_agent_run(u[i].here);
}

static inline int user_block(void *ud)
{
    return carry(ud) > 0 ? 0 : V23_ETIMEOUT;
}

static inline void user_ready(void *ud, int rc)
{
    struct user *u = ud;

    u->ready++;
    u->ready_rc = rc;
}

static inline void user_closed(void *ud, int rc)
{
    struct user *u = ud;

    u->closed++;
    u->closed_rc = rc;
}

static inline void user_lost(void *ud, int rc)
{
    struct user *u = ud;

    u->lost++;
    u->lost_rc = rc;
}

/* Connect a user; 0, or why not. */
static inline int user_start(struct user *u, struct vsec_engine *engine,
    struct vsec_agent_server *s, const struct vsec_agent_limits *limits)
{
    const struct vsec_agent_io there = { NULL, user_lost, u };
    struct vsec_agent_client_config cfg;
    int rc;

    memset(u, 0, sizeof(*u));
    memset(&cfg, 0, sizeof(cfg));
    cfg.engine = engine;
    cfg.io.closed = user_closed;
    cfg.io.ud = u;
    cfg.block = user_block;
    cfg.ready = user_ready;
    cfg.limits = limits;
    rc = vsec_agent_client_new(&cfg, &u->client);
    if (rc != 0)
        return rc;
    u->here = vsec_agent_client_conn(u->client);
    return vsec_agent_server_accept(s, limits, &there, &u->there);
}

static inline void user_end(struct user *u)
{
    vsec_agent_client_free(u->client);
    vsec_agent_conn_free(u->there);
    memset(u, 0, sizeof(*u));
}

/* Connected and loaded; its principal. */
static inline struct vsec_principal *user_new(struct user *u,
    struct vsec_agent_server *s)
{
    ck_assert_int_eq(user_start(u, e, s, NULL), 0);
    ck_assert_int_eq(vsec_agent_client_wait(u->client), 0);
    ck_assert_ptr_nonnull(vsec_agent_client_principal(u->client));
    return vsec_agent_client_principal(u->client);
}

static inline struct vsec_agent_server *agent(struct vsec_principal *p)
{
    struct vsec_agent_server_config cfg;
    struct vsec_agent_server *s;

    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = p;
    cfg.name = "agent";
    ck_assert_int_eq(vsec_agent_server_new(&cfg, &s), 0);
    return s;
}

static inline void agent_setup(void)
{
    struct vsec_blessings *b;

    people_setup();
    owner = person();
    b = self(owner, "alice");
    ck_assert_int_eq(vsec_principal_set_default_blessings(owner, b), 0);
    vsec_blessings_unref(b);
    server = agent(owner);
}

static inline void agent_teardown(void)
{
    vsec_agent_server_free(server);
    vsec_principal_unref(owner);
    people_teardown();
}

#endif
