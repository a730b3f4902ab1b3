/* BSD-3-Clause; see LICENSE. */
/*
 * Asking one proxy to pass on to us who looks for our routing id: dial it,
 * whoever it is, show it the blessings that we have for it, say on a flow of
 * our own what we want, and read the endpoints it gives us, again and again.
 */
#include "proxied_int.h"

#include <stdio.h>
#include <string.h>
#include <vrpc/message.h>
#include <vsec/principal.h>

#define ANSWER_TIMEOUT (60 * V23_NS_PER_SEC)
#define ENDPOINTS_MAX 256u

static struct vrpc_request_ *of_wait(struct vrpc_waiter_ *w)
{
    return (struct vrpc_request_ *)(void *)((char *)w
        - offsetof(struct vrpc_request_, wait));
}

static struct vrpc_request_ *of_user(struct vrpc_user_ *u)
{
    return (struct vrpc_request_ *)(void *)((char *)u
        - offsetof(struct vrpc_request_, user));
}

/* ---- ends ---------------------------------------------------------------- */

void vrpc_request_stop_(struct vrpc_request_ *r)
{
    struct vrpc_session_ *s = r->session;
    struct vrpc_flow *f = r->flow;

    r->running = r->answered = false;
    r->neps = 0;
    vrpc_timer_set_(&r->m->timers, &r->timer, V23_NEVER);
    vrpc_mgr_unwait_(&r->wait);
    vrpc_check_fini_(&r->check);
    if (r->fetch != NULL)
        vrpc_fetch_cancel_(r->fetch);
    r->fetch = NULL;
    vsec_blessings_unref(r->blessings);
    r->blessings = NULL;
    r->flow = NULL;
    if (f != NULL)
        vrpc_flow_close(f);
    r->session = NULL;
    if (r->marked)
        s->proxied--;
    r->marked = false;
    v23_arena_reset(&r->arena);
    vrpc_session_unpin_(s);
}

static void end(struct vrpc_request_ *r, int rc, const char *why)
{
    char text[256];
    bool good = r->answered;

    snprintf(text, sizeof(text), "%s", why == NULL ? v23_strerror(rc) : why);
    vrpc_request_stop_(r);
    r->ended(r, good ? 0 : rc, text);
}

static void too_late(void *ud)
{
    end(ud, V23_ETIMEOUT, "the proxy does not answer");
}

/* ---- what the proxy says ------------------------------------------------- */

static int take_endpoints(struct vrpc_request_ *r, struct v23_bytes list)
{
    struct v23_bytes text;
    char *copy;
    int rc;

    v23_arena_reset(&r->arena);
    r->neps = 0;
    r->eps = v23_arena_get0(&r->arena, ENDPOINTS_MAX, sizeof(*r->eps),
        V23_ALIGNOF(struct vrpc_endpoint));
    if (r->eps == NULL)
        return V23_ENOMEM;
    while ((rc = vrpc_msg_next_bytes(&list, &text)) == 0) {
        if (r->neps == ENDPOINTS_MAX)
            return V23_ELIMIT;
        copy = v23_arena_dup(&r->arena, text.p, text.n);
        if (copy == NULL)
            return V23_ENOMEM;
        rc = vrpc_endpoint_parse(&r->arena, vdl_strn(copy, text.n),
            &r->eps[r->neps], NULL);
        if (rc != 0)
            return rc;
        r->neps++;
    }
    return rc == V23_EEOF ? 0 : rc;
}

static int take_message(struct vrpc_request_ *r, struct v23_bytes b,
    char why[256])
{
    struct vrpc_msg m;
    int rc = vrpc_msg_decode(b.p, b.n, &m, NULL);

    snprintf(why, 256, "invalid proxy response");
    if (rc != 0)
        return rc;
    if (m.type == VRPC_MSG_PROXY_RESPONSE)
        return take_endpoints(r, m.u.endpoints);
    if (m.type != VRPC_MSG_PROXY_ERROR)
        return V23_EPROTO;
    snprintf(why, 256, "proxy returned: %.*s",
        m.u.text.n > 200 ? 200 : (int)m.u.text.n, (const char *)m.u.text.p);
    return V23_EREMOTE;
}

static void readable(struct vrpc_user_ *u)
{
    struct vrpc_request_ *r = of_user(u);
    struct v23_bytes b;
    char why[256];
    int rc;

    while (r->flow != NULL && vrpc_flow_peek(r->flow, &b) == 0) {
        rc = b.n == 0 ? 0 : take_message(r, b, why);
        if (rc != 0) {
            end(r, rc, why);
            return;
        }
        vrpc_flow_consume(r->flow, b.n);
        if (b.n == 0)
            continue;
        r->answered = true;
        vrpc_timer_set_(&r->m->timers, &r->timer, V23_NEVER);
        r->changed(r);
    }
}

static void writable(struct vrpc_user_ *u)
{
    (void)u;
}

static void closed(struct vrpc_user_ *u, int status)
{
    end(of_user(u), status == 0 ? V23_ECLOSED : status,
        status == 0 ? "the proxy closed the flow" : NULL);
}

static const struct vrpc_user_ops_ user_ops = { readable, writable, closed };

/* ---- asking -------------------------------------------------------------- */

static int ask(struct vrpc_request_ *r, const struct vrpc_fetched_ *f)
{
    uint8_t msg = r->kind == VRPC_PROXIED_PROXY ? VRPC_MSG_MULTI_PROXY
                                                : VRPC_MSG_PROXY_SERVER;
    struct vrpc_flow_opts opts;
    int rc;

    memset(&opts, 0, sizeof(opts));
    opts.blessings = r->blessings;
    opts.discharges = f->v;
    opts.ndischarges = f->n;
    opts.messages = true;
    opts.ud = &r->user;
    rc = vrpc_flow_open(r->session->conn, &opts, &r->flow);
    if (rc == 0 && r->kind == VRPC_PROXIED_SERVER) {
        r->marked = true;
        r->session->proxied++;
    }
    if (rc == 0)
        rc = vrpc_flow_write_message(r->flow, &msg, 1, false);
    return rc;
}

static int ask_and_drop(struct vrpc_request_ *r,
    const struct vrpc_fetched_ *f)
{
    int rc = ask(r, f);
    size_t i;

    for (i = 0; i < f->n; i++)
        vsec_discharge_unref(f->v[i]);
    return rc;
}

static void fetched(void *ud, const struct vrpc_fetched_ *f)
{
    struct vrpc_request_ *r = ud;
    int rc;

    r->fetch = NULL;
    rc = ask_and_drop(r, f);
    if (rc != 0)
        end(r, rc, NULL);
}

/* The proxy's names are known. 0: under way. */
static int show(struct vrpc_request_ *r)
{
    struct vrpc_fetch_want_ w;
    struct vrpc_fetched_ out;
    int rc;

    rc = vsec_store_for_peer(r->m->principal->store, r->check.names.remote,
        &r->blessings);
    if (rc != 0)
        return rc;
    memset(&w, 0, sizeof(w));
    w.c = r->m->own.client != NULL ? r->m->own.client : r->m->clients;
    w.m = r->m;
    w.b = r->blessings;
    w.deadline = vrpc_mgr_now_(r->m).mono_ns + ANSWER_TIMEOUT;
    w.arena = &r->arena;
    w.done = fetched;
    w.ud = r;
    rc = vrpc_fetch_start_(&w, &out, &r->fetch);
    if (rc == 0)
        return ask_and_drop(r, &out);
    return rc == V23_EAGAIN ? 0 : rc;
}

static void checked(void *ud, int rc, const struct v23_verror *err)
{
    struct vrpc_request_ *r = ud;

    (void)err;
    if (rc == 0)
        rc = show(r);
    if (rc != 0)
        end(r, rc, NULL);
}

/* There is a connection: whose? 0: under way. */
static int meet(struct vrpc_request_ *r, struct vrpc_session_ *s)
{
    struct vrpc_check_ *c = &r->check;
    const struct v23_verror *err = NULL;
    int rc;

    r->session = vrpc_session_pin_(s);
    memset(c, 0, sizeof(*c));
    c->m = r->m;
    c->session = s;
    c->arena = &r->arena;
    c->done = checked;
    c->ud = r;
    c->auth = &vsec_auth_everyone;
    c->call.timestamp = vrpc_mgr_now_(r->m).wall;
    c->call.principal = r->m->principal;
    c->call.chains = r->m->chains;
    c->call.remote_blessings = vrpc_session_blessings_(s);
    c->call.remote_discharges = vrpc_conn_remote_discharges(s->conn,
        &c->call.nremote_discharges);
    rc = vrpc_check_start_(c, &err);
    if (rc == V23_EAGAIN)
        return 0;
    return rc == 0 ? show(r) : rc;
}

/* Whoever answers is the proxy: it learns who we are, and no more. */
static int anybody(struct vrpc_waiter_ *w, struct vrpc_session_ *s,
    struct v23_op op)
{
    (void)w;
    (void)s;
    (void)op;
    return 0;
}

static int reach(struct vrpc_request_ *r)
{
    struct vrpc_session_ *s;
    int rc = vrpc_mgr_connect_(r->m, &r->ep, false,
        vrpc_mgr_now_(r->m).mono_ns + ANSWER_TIMEOUT, &r->wait, &s);

    if (rc == 0)
        rc = meet(r, s);
    return rc == V23_EAGAIN ? 0 : rc;
}

static void dialed(struct vrpc_waiter_ *w, int rc, struct vrpc_session_ *s,
    const char *why)
{
    struct vrpc_request_ *r = of_wait(w);

    if (rc == 0) {
        rc = meet(r, s);
        why = NULL;
    } else if (rc == V23_EAGAIN) {
        rc = reach(r);
        why = NULL;
    }
    if (rc != 0)
        end(r, rc, why);
}

int vrpc_request_start_(struct vrpc_request_ *r)
{
    int rc;

    r->running = true;
    rc = reach(r);
    if (rc != 0)
        vrpc_request_stop_(r);
    else
        vrpc_mgr_timer_(r->m, &r->timer,
            vrpc_mgr_now_(r->m).mono_ns + ANSWER_TIMEOUT);
    return rc;
}

int vrpc_request_init_(struct vrpc_request_ *r)
{
    r->wait.authorize = anybody;
    r->wait.done = dialed;
    r->user.ops = &user_ops;
    v23_arena_init(&r->arena, r->m->al, 1u << 20);
    return vrpc_timer_init_(&r->m->timers, &r->timer, too_late, r);
}

void vrpc_request_fini_(struct vrpc_request_ *r)
{
    if (r->timer.fn == NULL)
        return;
    vrpc_request_stop_(r);
    vrpc_timer_fini_(&r->m->timers, &r->timer);
    v23_arena_fini(&r->arena);
}
