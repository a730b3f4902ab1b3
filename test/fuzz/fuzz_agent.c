/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the agent's protocol. The first octet chooses the end: 0 an
 * agent, else a user; and how the rest comes in: in pieces of its half.
 */
#include <vsec/agent.h>

#include "fuzz.h"

static struct vsec_engine *engine;
static struct vsec_principal *owner;

static void start(void)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b;

    check(vsec_engine_new(&engine, &vsec_crypto_default, NULL, NULL) == 0);
    check(vsec_principal_generate(engine, "ed25519", &owner) == 0);
    check(vsec_principal_bless_self(owner, vdl_str("alice"), none, &b) == 0);
    check(vsec_principal_set_default_blessings(owner, b) == 0);
    vsec_blessings_unref(b);
}

/* In pieces; whoever is asked takes what it has to say. */
static void feed(struct vsec_agent_conn *c, size_t piece, const uint8_t *p,
    size_t n)
{
    const struct v23_walltime now = { 1500000000, 0 };
    size_t k;

    while (n > 0 && vsec_agent_status(c) == 0) {
        k = piece == 0 || piece > n ? n : piece;
        (void)vsec_agent_input(c, p, k, now);
        vsec_agent_sent(c, vsec_agent_output(c).n);
        vsec_agent_run(c);
        p += k;
        n -= k;
    }
}

static void as_agent(size_t piece, const uint8_t *p, size_t n)
{
    const struct vsec_agent_limits limits = { 1 << 16, 0, 0, 0, 0 };
    const struct vsec_agent_io io = { NULL, NULL, NULL };
    struct vsec_agent_server_config cfg = { 0 };
    struct vsec_agent_server *s;
    struct vsec_agent_conn *c;

    cfg.principal = owner;
    check(vsec_agent_server_new(&cfg, &s) == 0);
    check(vsec_agent_server_accept(s, &limits, &io, &c) == 0);
    feed(c, piece, p, n);
    vsec_agent_conn_free(c);
    vsec_agent_server_free(s);
}

static void as_user(size_t piece, const uint8_t *p, size_t n)
{
    const struct vsec_agent_limits limits = { 1 << 16, 0, 0, 0, 0 };
    struct vsec_agent_client_config cfg = { 0 };
    struct vsec_agent_client *cl;

    cfg.engine = engine;
    cfg.limits = &limits;
    check(vsec_agent_client_new(&cfg, &cl) == 0);
    feed(vsec_agent_client_conn(cl), piece, p, n);
    vsec_agent_client_free(cl);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    if (engine == NULL)
        start();
    if (p[0] % 2 == 0)
        as_agent(p[0] / 2, p + 1, n - 1);
    else
        as_user(p[0] / 2, p + 1, n - 1);
    return 0;
}
