/* BSD-3-Clause; see LICENSE. */
/*
 * From servers to an authorized connection (spec/rpc.md 19.2, 19.4): all are
 * tried at once, and the best that is up first is taken.
 */
#include "call_int.h"

#include <stdio.h>
#include <string.h>

/* ---- one server ---------------------------------------------------------- */

static struct vrpc_attempt_ *attempt_of(struct vrpc_waiter_ *w)
{
    return (struct vrpc_attempt_ *)w;
}

/* "server:name.method", or "server.method" when they are the same. */
static struct vdl_str suberr_name(struct vrpc_attempt_ *at)
{
    struct vrpc_call *call = at->call;
    struct vdl_str s;
    char *p;

    p = v23_arena_get(&call->arena, (size_t)at->server.n + call->name.n +
                                        call->method_name.n + 3,
        1);
    if (p == NULL)
        return at->server;
    s.p = p;
    if (vdl_str_eq(at->server, call->rest))
        s.n = (uint32_t)sprintf(p, "%.*s.%.*s", (int)at->server.n,
            at->server.p, (int)call->method_name.n, call->method_name.p);
    else
        s.n = (uint32_t)sprintf(p, "%.*s:%.*s.%.*s", (int)at->server.n,
            at->server.p, (int)call->rest.n, call->rest.p,
            (int)call->method_name.n, call->method_name.p);
    return s;
}

/* Every server failed. */
static void all_failed(struct vrpc_call *call)
{
    struct vrpc_client *c = call->c;
    struct vrpc_suberr *subs;
    const struct v23_verror *e;
    enum vrpc_err kind = VRPC_ERR_NO_SERVERS;
    enum v23_retry action = V23_RETRY_REFETCH;
    const char *what = "no usable servers found for";
    size_t i, n = 0;

    if (c->resolver != NULL && c->resolver->flush != NULL &&
        call->opts.preresolved == NULL && !call->opts.no_resolve)
        c->resolver->flush(c->resolver->ud, call->rest);
    subs = v23_arena_get0(&call->arena, call->nattempts, sizeof(*subs),
        V23_ALIGNOF(struct vrpc_suberr));
    for (i = 0; i < call->nattempts; i++) {
        struct vrpc_attempt_ *at = &call->attempts[i];

        if (at->untrusted) {
            kind = VRPC_ERR_NOT_TRUSTED;
            action = V23_NO_RETRY;
            what = "client does not trust server:";
        } else if (at->timed_out && kind != VRPC_ERR_NOT_TRUSTED) {
            kind = VRPC_ERR_TIMEOUT;
            what = "timeout:";
        }
        if (subs != NULL && at->err != NULL) {
            subs[n].name = suberr_name(at);
            subs[n++].err = at->err;
        }
    }
    e = vrpc_err_make(&call->arena, vrpc_call_ctx_(call), kind, "%s %.*s",
        what, (int)call->name.n, call->name.p);
    if (subs != NULL)
        e = vrpc_err_with_subs(&call->arena, e, subs, n);
    vrpc_call_tried_(call, e, action, false);
}

static void attempt_begin_span(struct vrpc_attempt_ *at)
{
    const struct vrpc_span *parent = vrpc_call_span_(at->call);

    if (parent == NULL)
        return;
    at->span = v23_arena_new(&at->call->arena, struct vrpc_span);
    if (at->span == NULL)
        return;
    vrpc_span_begin(at->span, parent,
        vdl_str("<rpc.Client>tryConnectToServer"));
    vrpc_span_annotate(at->span, at->server);
}

static void attempt_end_span(struct vrpc_attempt_ *at)
{
    vrpc_span_end(at->span);
    at->span = NULL;
}

static void attempt_failed(struct vrpc_attempt_ *at,
    const struct v23_verror *err)
{
    struct vrpc_call *call = at->call;

    at->err = err;
    at->session = NULL;
    vrpc_span_annotate(at->span, err->msg);
    attempt_end_span(at);
    call->nfailed++;
    if (call->nfailed == call->nattempts && !call->busy)
        all_failed(call);
}

static void attempt_status(struct vrpc_attempt_ *at, int rc, const char *why)
{
    struct v23_arena *a = &at->call->arena;
    const struct v23_errctx *ctx = vrpc_call_ctx_(at->call);
    struct vdl_str id = VDL_STR_INIT("v.io/v23/flow.DialFailed");

    at->timed_out = rc == V23_ETIMEOUT;
    if (rc == V23_ETIMEOUT)
        attempt_failed(at, vrpc_err_make(a, ctx, VRPC_ERR_TIMEOUT, "%s", why));
    else
        attempt_failed(at, v23_verror_text(a, ctx, id, V23_NO_RETRY, "%s",
                               why));
}

static void attempt_denied(struct vrpc_attempt_ *at, int rc,
    const struct v23_verror *err, const char *text)
{
    struct vdl_str id = VDL_STR_INIT(VRPC_ID_RPC_ "errPeerAuthorizedFailed");
    struct v23_arena *a = &at->call->arena;
    struct vdl_str why = err != NULL ? err->msg
        : vdl_str(text != NULL ? text : v23_strerror(rc));

    at->untrusted = true;
    attempt_failed(at, v23_verror_text(a, vrpc_call_ctx_(at->call), id,
                           V23_NO_RETRY,
                           "failed to authorize flow with remote blessings: "
                           "%.*s",
                           (int)why.n, why.p));
}

/* The check of a connection has ended. */
static void attempt_checked(void *ud, int rc, const struct v23_verror *err)
{
    struct vrpc_attempt_ *at = ud;

    at->checking = false;
    if (rc == 0)
        at->authorized = true;
    if (at->judging) {
        struct vrpc_session_ *s = at->session;

        at->judging = false;
        at->untrusted = rc != 0; /* reported when the handshake has ended */
        if (rc != 0)
            at->err = vrpc_err_copy(&at->call->arena, err);
        vrpc_dial_judged_(s, rc);
        return;
    }
    if (rc != 0)
        attempt_denied(at, rc, err, NULL);
    else
        vrpc_call_chosen_(at->call, at);
}

static int check_start(struct vrpc_attempt_ *at, struct vrpc_session_ *s,
    const struct v23_verror **err)
{
    struct vrpc_call *call = at->call;
    struct vrpc_check_ *c = &at->check;
    struct vsec_call *sc = &c->call;
    struct vsec_auth_pattern *p;
    struct vsec_authorizer *also;
    int rc;

    vrpc_check_fini_(c);
    memset(c, 0, sizeof(*c));
    c->m = call->c->m;
    c->session = s;
    c->arena = &call->arena;
    c->done = attempt_checked;
    c->ud = at;
    c->auth = call->opts.server_auth == NULL ? &vsec_auth_endpoint
                                             : call->opts.server_auth;
    if (call->pattern.n > 0) {
        p = v23_arena_new(&call->arena, struct vsec_auth_pattern);
        also = v23_arena_new(&call->arena, struct vsec_authorizer);
        if (p == NULL || also == NULL)
            return V23_ENOMEM;
        p->pattern = call->pattern;
        *also = vsec_auth_pattern(p);
        c->also = also;
    }
    sc->timestamp = vrpc_mgr_now_(c->m).wall;
    sc->principal = c->m->principal;
    sc->chains = c->m->chains;
    sc->remote_blessings = vrpc_session_blessings_(s);
    sc->remote_discharges = vrpc_conn_remote_discharges(s->conn,
        &sc->nremote_discharges);
    sc->remote_endpoint = at->place->address;
    sc->remote_endpoint_names = at->place->ep.blessings;
    at->session = s;
    at->checking = true;
    rc = vrpc_check_start_(c, err);
    at->checking = rc == V23_EAGAIN;
    return rc;
}

static void attempt_check(struct vrpc_attempt_ *at)
{
    const struct v23_verror *err = NULL;
    int rc;

    rc = check_start(at, at->session, &err);
    if (rc == V23_EAGAIN)
        return;
    if (rc != 0) {
        attempt_denied(at, rc, err, NULL);
        return;
    }
    at->authorized = true;
    if (!at->call->busy)
        vrpc_call_chosen_(at->call, at);
}

/* Hook of the handshake. */
static int wait_authorize(struct vrpc_waiter_ *w, struct vrpc_session_ *s,
    struct v23_op op)
{
    struct vrpc_attempt_ *at = attempt_of(w);
    const struct v23_verror *err = NULL;
    int rc;

    (void)op;
    rc = check_start(at, s, &err);
    at->judging = rc == V23_EAGAIN;
    if (rc == 0)
        at->authorized = true;
    else if (rc != V23_EAGAIN)
        at->untrusted = true;
    if (err != NULL)
        at->err = err;
    return rc;
}

static void attempt_not_connected(struct vrpc_attempt_ *at, int rc)
{
    const char *why = v23_strerror(rc);

    if (rc == V23_ENOENT) { /* none is live, and no dial is wanted */
        why = vrpc_failure_of_(at->call->c->m, &at->place->ep, &rc);
        if (why == NULL)
            why = "connection not in cache";
    }
    attempt_status(at, rc, why);
}

static void attempt_connect(struct vrpc_attempt_ *at)
{
    struct vrpc_call *call = at->call;
    int rc;

    rc = vrpc_mgr_connect_(call->c->m, &at->place->ep, call->opts.cached_only,
        call->conn_deadline, &at->wait, &at->session);
    if (rc == 0 && vrpc_mgr_settle_(at->session, &call->arena, &at->wait))
        return;
    if (rc == 0)
        attempt_check(at);
    else if (rc != V23_EAGAIN)
        attempt_not_connected(at, rc);
}

static void wait_done(struct vrpc_waiter_ *w, int rc, struct vrpc_session_ *s,
    const char *why)
{
    struct vrpc_attempt_ *at = attempt_of(w);

    if (rc == V23_EAGAIN) {
        attempt_connect(at);
        return;
    }
    if (rc != 0) {
        if (at->checking) { /* the connection died under the check */
            at->checking = at->judging = false;
            vrpc_check_fini_(&at->check);
        }
        if (at->untrusted || rc == V23_EUNTRUSTED)
            attempt_denied(at, rc, at->err, why);
        else if (at->err == NULL)
            attempt_status(at, rc, why);
        return;
    }
    if (at->authorized && at->session == s) {
        vrpc_call_chosen_(at->call, at);
        return;
    }
    at->session = s;
    attempt_check(at);
}

/* ---- all servers --------------------------------------------------------- */

static void attempt_init(struct vrpc_call *call, struct vrpc_attempt_ *at,
    struct vdl_str server)
{
    const char *why = NULL;
    int rc = 0;

    at->call = call;
    at->server = server;
    attempt_begin_span(at);
    at->wait.authorize = wait_authorize;
    at->wait.done = wait_done;
    if (call->place != NULL && server.p == call->place->name.p)
        at->place = vrpc_place_ref_(call->place);
    else
        rc = vrpc_place_get_(&call->c->m->places, server, &at->place, &why);
    if (rc != 0)
        attempt_status(at, rc, rc == V23_ENOMEM ? v23_strerror(rc) : why);
}

/* A server that we have a connection with: no other is dialed if it will do. */
static bool is_at_hand(const struct vrpc_attempt_ *at)
{
    struct vrpc_session_ *s;

    return at->err == NULL
        && vrpc_mgr_find_(at->call->c->m, &at->place->ep, &s, 1) > 0;
}

/* Start on those that are at hand, or on the others; the first that will do at
 * once ends that. `nattempts`: none will. */
static size_t first_of(struct vrpc_call *call, bool at_hand)
{
    struct vrpc_attempt_ *at;
    size_t i;

    for (i = 0; i < call->nattempts; i++) {
        at = &call->attempts[i];
        if (at->at_hand != at_hand || at->err != NULL)
            continue;
        attempt_connect(at);
        if (at->authorized)
            break;
    }
    return i;
}

void vrpc_call_attempt_(struct vrpc_call *call, const struct vdl_str *v,
    const size_t *order, size_t n)
{
    struct vrpc_attempt_ *at;
    size_t i;

    call->attempts = v23_arena_get0(&call->arena, n, sizeof(*at),
        V23_ALIGNOF(struct vrpc_attempt_));
    if (call->attempts == NULL) {
        vrpc_call_end_(call, vrpc_err_make(&call->arena, NULL,
                                 VRPC_ERR_INTERNAL, "out of memory"));
        return;
    }
    call->state = VRPC_CALL_CONNECT_;
    call->nattempts = n;
    call->nfailed = 0;
    call->busy = true; /* keeps what completes at once in order */
    for (i = 0; i < n; i++) {
        at = &call->attempts[i];
        attempt_init(call, at, v[order[i]]);
        at->at_hand = n > 1 && is_at_hand(at);
    }
    i = first_of(call, true);
    if (i == n)
        i = first_of(call, false);
    call->busy = false;
    if (i < n)
        vrpc_call_chosen_(call, &call->attempts[i]);
    else if (call->nfailed == n)
        all_failed(call);
}

void vrpc_call_stop_attempts_(struct vrpc_call *call)
{
    size_t i;

    for (i = 0; i < call->nattempts; i++) {
        struct vrpc_attempt_ *at = &call->attempts[i];

        at->checking = false;
        vrpc_check_fini_(&at->check);
        vrpc_mgr_unwait_(&at->wait);
        attempt_end_span(at);
        if (at != call->chosen) {
            vrpc_place_unref_(at->place);
            at->place = NULL;
        }
    }
    call->nattempts = 0;
}

void vrpc_call_unchoose_(struct vrpc_call *call)
{
    if (call->chosen == NULL)
        return;
    vrpc_place_unref_(call->chosen->place);
    call->chosen = NULL;
}
