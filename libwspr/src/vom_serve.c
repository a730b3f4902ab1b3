/* BSD-3-Clause; see LICENSE. */
/* What the page is asked in the protocol of 2016, and its answers (spec/wspr.md
 * 10, 11). */
#include "vom_int.h"

#include <string.h>
#include <vom/time.h>

/* ---- calls as the page sees them ----------------------------------------- */

/* The kind ?GranterRequest. */
static const struct vdl_type granter_request_desc = {
    .kind = VDL_OPTIONAL,
    .flags = VDL_T_ANY,
    .align = _Alignof(const void *),
    .size = sizeof(const void *),
    .elem = &v23_wspr_app_granter_request_desc,
};

static v23_wspr_server_context context_of(const struct wspr_ctl *c,
    struct vdl_str language)
{
    v23_wspr_server_context x;

    x.language = language.n > 0 ? language : c->cfg.language;
    return x;
}

/* Blessings are named; `names` NULL: the lists of names stay empty. */
static int describe(struct wspr_ctl *c, struct v23_arena *a,
    const struct vsec_call *sc, v23_wspr_server_security_call *out)
{
    int rc;

    memset(out, 0, sizeof(*out));
    out->method = wspr_lower_first_(a, sc->method);
    out->suffix = sc->suffix;
    out->method_tags = sc->method_tags;
    out->local_endpoint = sc->local_endpoint;
    out->remote_endpoint = sc->remote_endpoint;
    if (sc->names != NULL) {
        out->local_blessing_strings = sc->names->local;
        out->remote_blessing_strings = sc->names->remote;
    }
    rc = wspr_vom_bless_(c, sc->local_blessings, &out->local_blessings);
    if (rc == 0)
        rc = wspr_vom_bless_(c, sc->remote_blessings, &out->remote_blessings);
    return rc;
}

/* ---- questions ----------------------------------------------------------- */

int wspr_vom_lookup_(struct wspr_ask_ *k, struct vdl_str suffix,
    struct vdl_str method, struct wspr_object_ **now)
{
    v23_wspr_server_dispatcher_request r;

    (void)method;
    (void)now;
    r.server_id = k->server->id;
    r.suffix = suffix;
    return wspr_vom_send_alone_(k->c, k->e.id, WSPR_S2C_LOOKUP_,
        &v23_wspr_server_dispatcher_request_desc, &r);
}

int wspr_vom_authorize_(struct wspr_ask_ *k, const struct wspr_object_ *o,
    const struct vsec_call *call)
{
    v23_wspr_server_auth_request r;
    int rc;

    r.server_id = k->server->id;
    r.handle = o->handle;
    r.context = context_of(k->c, call->language);
    rc = describe(k->c, k->a, call, &r.call);
    if (rc != 0)
        return rc;
    return wspr_vom_send_(k->c, k->e.id, WSPR_S2C_AUTHORIZE_,
        &v23_wspr_server_auth_request_desc, &r);
}

int wspr_vom_caveats_(struct wspr_ask_ *k, const struct vsec_call *call)
{
    v23_wspr_server_caveat_validation_request r;
    v23_security_caveat_list *sets;
    struct vsec_call nameless = *call;
    size_t i;
    int rc;

    sets = v23_arena_get0(k->a, k->nleft, sizeof(*sets),
        V23_ALIGNOF(v23_security_caveat_list));
    if (sets == NULL)
        return V23_ENOMEM;
    r.cavs.n = 0;
    for (i = 0; i < k->nsets; i++)
        if (k->sets[i].n > 0)
            sets[r.cavs.n++] = k->sets[i];
    r.cavs.v = sets;
    r.context = context_of(k->c, call->language);
    nameless.names = NULL;
    rc = describe(k->c, k->a, &nameless, &r.call);
    if (rc != 0)
        return rc;
    return wspr_vom_send_alone_(k->c, k->e.id, WSPR_S2C_CAVEATS_,
        &v23_wspr_server_caveat_validation_request_desc, &r);
}

/* The client's view: we are local, the server is remote. */
static int describe_own(struct wspr_ask_ *k, struct vrpc_call *rpc,
    struct vsec_blessings *local, v23_wspr_server_security_call *out)
{
    const struct vrpc_endpoint *ep = vrpc_call_server(rpc);
    struct vsec_principal *p = k->c->cfg.principal;
    const struct vsec_blessings *peer = vrpc_call_server_blessings(rpc);
    struct vsec_names names;
    struct vsec_call sc;
    struct v23_buf b;
    int rc;

    memset(&sc, 0, sizeof(sc));
    memset(&names, 0, sizeof(names));
    v23_buf_init(&b, k->c->al, 65536);
    if (ep != NULL)
        vrpc_endpoint_format(ep, &b);
    sc.remote_endpoint = vdl_strn((const char *)b.p, b.n);
    sc.method = k->call->method;
    sc.local_blessings = local;
    sc.remote_blessings = (struct vsec_blessings *)(uintptr_t)peer;
    names.remote = vrpc_call_server_names(rpc);
    rc = vsec_principal_names(p, local, wspr_ctl_now_(k->c).wall, k->a,
        &names.local);
    sc.names = &names;
    if (rc == 0)
        rc = describe(k->c, k->a, &sc, out);
    if (rc == 0) {
        out->remote_endpoint.p = v23_arena_dup(k->a, b.p, b.n);
        rc = out->remote_endpoint.p == NULL ? V23_ENOMEM : b.err;
    }
    v23_buf_fini(&b);
    return rc;
}

int wspr_vom_grant_(struct wspr_ask_ *k, int32_t handle,
    struct vrpc_call *rpc)
{
    struct vsec_blessings *local = NULL;
    v23_wspr_app_granter_request r;
    const v23_wspr_app_granter_request *p = &r;
    int rc;

    rc = vsec_store_for_peer(k->c->cfg.principal->store,
        vrpc_call_server_names(rpc), &local);
    if (rc == 0)
        rc = describe_own(k, rpc, local, &r.call);
    vsec_blessings_unref(local);
    if (rc != 0)
        return rc;
    r.granter_handle = handle;
    return wspr_vom_send_quoted_(k->c, k->e.id, WSPR_S2C_GRANTER_,
        &granter_request_desc, &p);
}

/* ---- calls that the page serves ------------------------------------------ */

static void fill_trace(const struct wspr_flow_ *f, v23_vtrace_request *out)
{
    const struct vrpc_span *s = vrpc_server_call_span(f->call);

    memset(out, 0, sizeof(*out));
    if (f->glob != NULL)
        return;
    out->trace_id = s->trace;
    out->span_id = s->id;
    if (vrpc_span_collected(s))
        out->flags = V23_VTRACE_COLLECT_IN_MEMORY;
}

int wspr_vom_invoke_(struct wspr_flow_ *f)
{
    const struct vrpc_server_call *call = f->call;
    const struct vsec_blessings *granted = vrpc_server_call_granted(call);
    struct v23_arena *a = vrpc_server_call_arena(f->call);
    struct wspr_ctl *c = f->c;
    v23_wspr_server_server_rpc_request r;
    int64_t now = vrpc_manager_now(vrpc_server_manager(
                                       vrpc_server_call_server(call)))
                      .mono_ns;
    int rc;

    memset(&r, 0, sizeof(r));
    r.server_id = f->server->id;
    r.handle = f->object->handle;
    r.method = f->method;
    r.args.v = f->args;
    r.args.n = (uint32_t)f->nargs;
    r.call.deadline = v23_deadline_to_wire(vrpc_server_call_deadline(call),
        now);
    r.call.context = context_of(c, vrpc_server_call_language(call));
    fill_trace(f, &r.call.trace_request);
    rc = describe(c, a, vrpc_server_call_security(call),
        &r.call.security_call);
    if (rc == 0)
        rc = wspr_vom_bless_(c, (struct vsec_blessings *)(uintptr_t)granted,
            &r.call.granted_blessings);
    if (rc != 0)
        return rc;
    return wspr_vom_send_(c, f->e.id, WSPR_S2C_INVOKE_,
        &v23_wspr_server_server_rpc_request_desc, &r);
}

void wspr_vom_reply_(struct wspr_flow_ *f, struct vdl_str data)
{
    struct v23_arena *a = vrpc_server_call_arena(f->call);
    const struct vrpc_span *span = vrpc_server_call_span(f->call);
    struct wspr_ctl *c = f->c;
    v23_wspr_lib_server_rpc_reply r;
    int rc;

    memset(&r, 0, sizeof(r));
    rc = wspr_vom_value_(c, data, a, &v23_wspr_lib_server_rpc_reply_desc, &r);
    if (rc == 0 && r.results.n > c->cfg.limits.args)
        rc = V23_ELIMIT;
    if (rc != 0) {
        wspr_flows_finish_(f, vrpc_err_make(a, vrpc_server_call_errctx(
                                                   f->call),
                                  VRPC_ERR_INTERNAL,
                                  "internal error: the page's answer cannot "
                                  "be decoded: %s",
                                  v23_strerror(rc)),
            NULL, 0);
        return;
    }
    if (c->cfg.vtrace != NULL && r.trace_response.trace.spans.n > 0 &&
        memcmp(&r.trace_response.trace.id, &span->trace,
            sizeof(span->trace)) == 0)
        vrpc_vtrace_merge(c->cfg.vtrace, &r.trace_response);
    wspr_flows_finish_(f, r.err, r.results.v, r.results.n);
}

/* ---- answers ------------------------------------------------------------- */

void wspr_vom_looked_up_(struct wspr_ask_ *k, struct vdl_str data)
{
    struct wspr_object_ *o = v23_arena_new(k->a, struct wspr_object_);
    v23_wspr_server_lookup_reply r;
    int rc = V23_ENOMEM;

    memset(&r, 0, sizeof(r));
    if (o != NULL)
        rc = wspr_vom_value_(k->c, data, k->a,
            &v23_wspr_server_lookup_reply_desc, &r);
    if (rc == 0) {
        o->handle = r.handle;
        o->has_authorizer = r.has_authorizer;
        o->has_globber = r.has_globber;
        o->dynamic.interfaces = r.signature.v;
        o->dynamic.ninterfaces = r.signature.n;
    }
    wspr_servers_looked_up_(k, rc, o, rc == 0 ? r.err : NULL);
}

void wspr_vom_authorized_(struct wspr_ask_ *k, struct vdl_str data)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(k->c);
    v23_wspr_server_auth_reply r;
    int rc;

    memset(&r, 0, sizeof(r));
    rc = wspr_vom_value_(k->c, data, k->a, &v23_wspr_server_auth_reply_desc,
        &r);
    wspr_servers_authorized_(k,
        rc == 0 ? r.err : wspr_status_error_(k->a, &ctx, rc));
}

void wspr_vom_validated_(struct wspr_ask_ *k, struct vdl_str data)
{
    v23_wspr_server_caveat_validation_response r;
    int rc;

    memset(&r, 0, sizeof(r));
    rc = wspr_vom_value_(k->c, data, k->a,
        &v23_wspr_server_caveat_validation_response_desc, &r);
    wspr_servers_validated_(k, r.results.v,
        rc == 0 ? r.results.n : SIZE_MAX);
}

/* The one payload that stands alone. */
static int read_grant(struct wspr_ask_ *k, struct vdl_str data,
    v23_wspr_app_granter_response *r, struct vsec_blessings **b)
{
    struct v23_buf in;
    int rc;

    memset(r, 0, sizeof(*r));
    v23_buf_init(&in, k->c->al, SIZE_MAX / 8);
    rc = v23_hex_parse(data.p, data.n, &in);
    if (rc == 0)
        rc = vom_decode_single(in.p, in.n, NULL, k->a,
            &v23_wspr_app_granter_response_desc, r, NULL);
    v23_buf_fini(&in);
    if (rc == 0 && r->err == NULL)
        rc = wspr_vom_blessings_(k->c, &r->blessings, b);
    return rc;
}

void wspr_vom_granted_(struct wspr_ask_ *k, struct vdl_str data)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(k->c);
    struct vsec_blessings *b = NULL;
    v23_wspr_app_granter_response r;
    const struct v23_verror *err;
    int rc = read_grant(k, data, &r, &b);

    err = rc != 0 ? wspr_status_error_(k->a, &ctx, rc) : r.err;
    if (rc == 0 && err != NULL)
        rc = V23_EDENIED;
    wspr_calls_granted_(k->call, rc, b, err);
}
