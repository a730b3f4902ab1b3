/* BSD-3-Clause; see LICENSE. */
/*
 * A try of a call (spec/rpc.md 19.1-19.3): resolve the name and put its servers
 * into order for call_connect.c; when that, or the request, has failed, back off
 * and start again.
 */
#include "call_int.h"
#include "proxied_int.h"

#include <vrpc/name.h>
#include <vsec/principal.h>

#define BACKOFF_MAX (60 * V23_NS_PER_SEC)
#define RESERVE (100 * V23_NS_PER_MS)
#define MAX_SERVERS 64u /* tried for one name */

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

/* ---- resolution ---------------------------------------------------------- */

static void servers_known(struct vrpc_call *call, const struct vdl_str *v,
    size_t n)
{
    struct vrpc_client *c = call->c;
    struct vrpc_order_opts opts;
    const struct v23_verror *e;
    size_t *order, norder = 0;
    size_t one = 0;

    if (n == 1 && c->cfg.protocols.n == 0) {
        vrpc_call_attempt_(call, v, &one, 1);
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
    vrpc_call_attempt_(call, v, order, norder < MAX_SERVERS ? norder
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
