/* BSD-3-Clause; see LICENSE. */
/* An agent's end: its users, who are told of every change (spec 15.2). */
#include "agent_int.h"

/* ---- telling users ------------------------------------------------------- */

static void flush(struct vsec_agent_conn *c);

static void flushed(struct vsec_agent_call_ *call)
{
    struct vsec_agent_conn *c = call->then.ud;

    c->flushing = false;
    if (c->flush_again)
        flush(c);
}

/* One at a time: who does not answer does not pile them up. */
static void flush(struct vsec_agent_conn *c)
{
    const struct vsec_agent_then_ then = { flushed, c, false };

    c->flush_again = c->flushing;
    if (!c->flushing
        && vsec_agent_start_(c, VSEC_AGENT_FLUSH_, NULL, &then, NULL) == 0)
        c->flushing = true;
}

void vsec_agent_server_flush(struct vsec_agent_server *s)
{
    struct vsec_agent_conn *c;

    for (c = s->conns; c != NULL; c = c->next)
        flush(c);
}

/* ---- objects ------------------------------------------------------------- */

int vsec_agent_server_new(const struct vsec_agent_server_config *cfg,
    struct vsec_agent_server **out)
{
    struct vsec_engine *e = cfg->principal->engine;
    struct vsec_agent_server *s = v23_new(e->al, struct vsec_agent_server);
    size_t n = cfg->name == NULL ? 0 : strlen(cfg->name);

    if (s == NULL)
        return V23_ENOMEM;
    if (vsec_chain_cache_new(e, 0, &s->cache) != 0) {
        v23_put(e->al, s);
        return V23_ENOMEM;
    }
    s->engine = vsec_engine_ref(e);
    s->principal = vsec_principal_ref(cfg->principal);
    if (cfg->manager != NULL) {
        s->manager = *cfg->manager;
        s->manages = true;
    }
    if (n > 0)
        memcpy(s->name, cfg->name, n < sizeof(s->name) ? n : sizeof(s->name) - 1);
    *out = s;
    return 0;
}

void vsec_agent_server_free(struct vsec_agent_server *s)
{
    struct vsec_engine *e;

    if (s == NULL)
        return;
    e = s->engine;
    vsec_chain_cache_free(s->cache);
    vsec_principal_unref(s->principal);
    v23_put(e->al, s);
    vsec_engine_unref(e);
}

int vsec_agent_server_accept(struct vsec_agent_server *s,
    const struct vsec_agent_limits *limits, const struct vsec_agent_io *io,
    struct vsec_agent_conn **out)
{
    struct vsec_agent_end_ end;
    int rc;

    memset(&end, 0, sizeof(end));
    end.first = VSEC_AGENT_BLESS_;
    end.last = VSEC_AGENT_METHODS_;
    end.request = vsec_agent_request_;
    end.name = s->name;
    end.ud = s;
    rc = vsec_agent_conn_new_(s->engine->al, limits, io, &end, out);
    if (rc != 0)
        return rc;
    (*out)->next = s->conns;
    s->conns = *out;
    return 0;
}

void vsec_agent_conn_free(struct vsec_agent_conn *c)
{
    struct vsec_agent_conn **p;

    if (c == NULL)
        return;
    for (p = &((struct vsec_agent_server *)c->end.ud)->conns; *p != c;
         p = &(*p)->next)
        ;
    *p = c->next;
    vsec_agent_conn_free_(c);
}
