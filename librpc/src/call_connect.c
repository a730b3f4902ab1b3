/* BSD-3-Clause; see LICENSE. */
/*
 * From a name to an authorized connection (spec/rpc.md 19.1-19.4): resolve,
 * order, try all servers at once, take the best that is up first, else back
 * off and start again.
 */
#include "call_int.h"
#include "proxied_int.h"

#include <stdio.h>
#include <string.h>
#include <vrpc/name.h>
#include <vsec/principal.h>

#define BACKOFF_MAX (60 * V23_NS_PER_SEC)
#define RESERVE (100 * V23_NS_PER_MS)
#define MAX_SERVERS 64u /* tried for one name */

static void attempt_check(struct vrpc_attempt_ *at);
static void attempt_failed(struct vrpc_attempt_ *at,
    const struct v23_verror *err);

/* ---- retry --------------------------------------------------------------- */

/* What is reported when this try failed too. */
static const struct v23_verror *prefer(const struct v23_verror *err,
    const struct v23_verror *prev)
{
    return prev != NULL && vrpc_err_is(err, VRPC_ERR_TIMEOUT) ? prev : err;
}

/* Before try number n + 1. False: there is no time for it. */
static bool back_off(struct vrpc_call *call, unsigned n)
{
    struct vrpc_manager *m = call->c->m;
    int64_t now = vrpc_mgr_now_(m).mono_ns, left, wait = BACKOFF_MAX;
    uint8_t r = 0;

    if (call->conn_deadline != V23_NEVER &&
        call->conn_deadline - now <= RESERVE)
        return false;
    (void)!vsec_random_fill(m->principal->engine, &r, 1);
    if (n < 10)
        wait = (100 + r % 100) * V23_NS_PER_MS << n;
    if (wait > BACKOFF_MAX)
        wait = BACKOFF_MAX;
    left = call->conn_deadline == V23_NEVER
               ? wait
               : call->conn_deadline - now - RESERVE;
    vrpc_mgr_timer_(m, &call->retry_timer, now + (wait < left ? wait : left));
    call->state = VRPC_CALL_BACKOFF_;
    return true;
}

static void annotate(struct vrpc_call *call, const char *what,
    const struct v23_verror *err)
{
    vrpc_span_annotatef(vrpc_call_span_(call), "%s: %.*s", what,
        (int)err->msg.n, err->msg.p);
}

void vrpc_call_tried_(struct vrpc_call *call, const struct v23_verror *err,
    enum v23_retry action, bool require_resolve)
{
    int64_t now = vrpc_mgr_now_(call->c->m).mono_ns;
    bool fixed = call->opts.preresolved != NULL || call->opts.no_resolve;
    bool sent = call->request_sent;

    vrpc_call_release_(call);
    if (sent ? action != V23_RETRY_BACKOFF
                           : action != V23_RETRY_CONNECTION &&
                                 action != V23_RETRY_REFETCH)
        action = V23_NO_RETRY;
    if (call->opts.no_retry || action == V23_NO_RETRY ||
        now > call->conn_deadline || (!sent && call->opts.cached_only) ||
        (require_resolve && fixed)) {
        annotate(call, "Cannot retry after error", err);
        if (!sent)
            err = prefer(err, call->unconnected);
        vrpc_call_end_(call, prefer(err, call->prev));
        return;
    }
    if (!back_off(call, sent ? call->retries : call->tries)) {
        annotate(call, "Retries exhausted", err);
        vrpc_call_end_(call, sent ? err : prefer(err, call->prev));
        return;
    }
    annotate(call, "Retrying due to error", err);
    if (!sent) {
        call->unconnected = err;
        call->tries++;
        return;
    }
    call->prev = err;
    call->retries++;
    call->unconnected = NULL; /* connecting begins anew */
    call->tries = 0;
    call->request_sent = false;
}

void vrpc_call_retry_timer_(void *ud)
{
    vrpc_call_try_(ud);
}

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

/* ---- resolution ---------------------------------------------------------- */

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

/* Start on all servers; `busy` keeps what completes at once in order. */
static void attempts_start(struct vrpc_call *call, const struct vdl_str *v,
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
    call->busy = true;
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

static void servers_known(struct vrpc_call *call, const struct vdl_str *v,
    size_t n)
{
    struct vrpc_client *c = call->c;
    struct vrpc_order_opts opts;
    const struct v23_verror *e;
    size_t *order, norder = 0;
    size_t one = 0;

    if (n == 1 && c->cfg.protocols.n == 0) {
        attempts_start(call, v, &one, 1);
        return;
    }
    opts.protocols = c->cfg.protocols;
    opts.networks = c->cfg.networks;
    opts.nnetworks = c->cfg.nnetworks;
    order = v23_arena_get0(&call->arena, n, sizeof(*order),
        V23_ALIGNOF(size_t));
    if (order == NULL || vrpc_order_servers(&call->arena, &opts, v, n, order,
                             &norder) != 0) {
        vrpc_call_end_(call, vrpc_err_make(&call->arena, NULL,
                                 VRPC_ERR_INTERNAL, "out of memory"));
        return;
    }
    if (norder == 0) {
        e = vrpc_err_make(&call->arena, vrpc_call_ctx_(call),
            n == 0 ? VRPC_ERR_INTERNAL : VRPC_ERR_NO_SERVERS,
            "no usable servers found for: %.*s", (int)call->name.n,
            call->name.p);
        vrpc_call_tried_(call, e,
            n == 0 ? V23_NO_RETRY : V23_RETRY_REFETCH, true);
        return;
    }
    attempts_start(call, v, order, norder < MAX_SERVERS ? norder
                                                         : MAX_SERVERS);
}

/* No servers, because resolution failed: its text becomes part of the text,
 * and itself the last parameter. */
static const struct v23_verror *unresolved(struct vrpc_call *call,
    enum vrpc_err kind, const struct v23_verror *err)
{
    struct v23_arena *a = &call->arena;
    const struct v23_errctx *ctx = vrpc_call_ctx_(call);
    struct v23_verror *out = v23_arena_new(a, struct v23_verror);
    const struct v23_verror *e;
    struct vrpc_suberr sub;

    if (err == NULL)
        return vrpc_err_params(a, ctx, kind, &call->rest, 1,
            "no usable servers found for: %.*s", (int)call->rest.n,
            call->rest.p);
    sub.name = call->rest;
    sub.err = vrpc_err_copy(a, err);
    e = vrpc_err_params(a, ctx, kind, &call->rest, 1,
        "no usable servers found for: %.*s: %.*s", (int)call->rest.n,
        call->rest.p, (int)sub.err->msg.n,
        sub.err->msg.n == 0 ? "" : sub.err->msg.p);
    if (out == NULL)
        return e;
    *out = *vrpc_err_with_subs(a, e, &sub, 1);
    out->msg = e->msg;
    return out;
}

static void resolved(struct vrpc_call *call, int rc, vdl_str_list servers,
    const struct v23_verror *err)
{
    enum vrpc_err kind = VRPC_ERR_NO_SERVERS;

    if (rc == 0) {
        servers_known(call, servers.v, servers.n);
        return;
    }
    if (rc == V23_ETIMEOUT)
        kind = VRPC_ERR_TIMEOUT;
    else if (rc == V23_ECANCELED)
        kind = VRPC_ERR_CANCELED;
    vrpc_call_tried_(call,
        vrpc_err_is(err, kind) ? vrpc_err_copy(&call->arena, err)
                               : unresolved(call, kind, err),
        rc == V23_ENONAME ? V23_RETRY_REFETCH : V23_NO_RETRY, false);
}

void vrpc_client_resolved(struct vrpc_client *c, struct v23_op op, int rc,
    vdl_str_list servers, const struct v23_verror *err)
{
    struct vrpc_call *call = vrpc_op_owner_(&c->m->ops, op, VRPC_OP_RESOLVE);
    struct vrpc_proxied *p = vrpc_op_owner_(&c->m->ops, op, VRPC_OP_PROXIES);
    vdl_str_list copy = { NULL, 0 };

    if (p != NULL)
        vrpc_proxied_resolved_(p, rc, servers, err);
    if (call == NULL)
        return;
    vrpc_op_end_(&c->m->ops, &call->op);
    if (rc == 0)
        rc = vdl_copy(&call->arena, &vdl_str_list_desc, &copy, &servers);
    resolved(call, rc, copy, err);
}

const struct v23_errctx *vrpc_client_resolve_ctx(struct vrpc_client *c,
    struct v23_op op)
{
    struct vrpc_call *call = vrpc_op_owner_(&c->m->ops, op, VRPC_OP_RESOLVE);

    return call == NULL ? NULL : vrpc_call_ctx_(call);
}

/* A rooted name of what is no mount table is itself what it resolves to. */
static bool is_resolved(struct vrpc_call *call)
{
    struct vrpc_place_ *p = call->place;
    const char *why;
    bool yes;

    if (p != NULL)
        return !p->ep.mount_table;
    if (!vrpc_name_is_rooted(call->rest) ||
        vrpc_place_get_(&call->c->m->places, call->rest, &p, &why) != 0)
        return false;
    yes = p->clean && !p->ep.mount_table;
    vrpc_place_unref_(p);
    return yes;
}

void vrpc_call_try_(struct vrpc_call *call)
{
    struct vrpc_client *c = call->c;
    vdl_str_list servers = { NULL, 0 };
    const struct v23_verror *err = NULL;
    int rc;

    if (call->opts.preresolved != NULL) {
        servers_known(call, call->opts.preresolved->v,
            call->opts.preresolved->n);
        return;
    }
    if (c->resolver == NULL || call->opts.no_resolve || is_resolved(call)) {
        servers_known(call, &call->rest, 1);
        return;
    }
    rc = vrpc_op_new_(&c->m->ops, VRPC_OP_RESOLVE, call, &call->op);
    if (rc == 0) {
        call->state = VRPC_CALL_RESOLVE_;
        rc = c->resolver->resolve(c->resolver->ud, call->op, call->rest,
            &call->opts, call->conn_deadline, &call->arena, &servers, &err);
        if (rc == V23_EAGAIN)
            return;
        vrpc_op_end_(&c->m->ops, &call->op);
    }
    resolved(call, rc, servers, err);
}
