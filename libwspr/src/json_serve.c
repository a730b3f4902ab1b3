/* BSD-3-Clause; see LICENSE. */
/* Servers of the page in the protocol of 2014 (spec/wspr.md 16.6). */
#include "json_calls_int.h"

#include <vom/value.h>

#define INTERNAL "v.io/v23/verror.Internal"

/* ---- signatures ---------------------------------------------------------- */

static int make_args(struct v23_arena *a, const struct vdl_str *names,
    uint32_t n, v23_signature_arg_list *out)
{
    v23_signature_arg *v =
        v23_arena_get0(a, n, sizeof(*v), V23_ALIGNOF(v23_signature_arg));
    uint32_t i;

    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++) {
        if (names != NULL)
            v[i].name = names[i];
        v[i].type = &vdl_any_desc;
    }
    out->v = v;
    out->n = n;
    return 0;
}

static int make_method(const struct wspr_ctl *c, struct v23_arena *a,
    const vdl_str_v23_wspr_json_method_entry *e, v23_signature_method *m)
{
    static const v23_signature_arg anything = {
        {NULL, 0}, {NULL, 0}, &vdl_any_desc};
    uint32_t max = c->cfg.limits.args;
    int32_t n = e->val.num_out_args;
    int rc;

    if (e->val.in_args.n > max || (n > 0 && (uint32_t)n > max))
        return V23_ELIMIT;
    memset(m, 0, sizeof(*m));
    m->name = wspr_upper_first_(a, e->key);
    if (e->val.is_streaming)
        m->in_stream = m->out_stream = &anything;
    rc = make_args(a, e->val.in_args.v, e->val.in_args.n, &m->in_args);
    if (rc == 0) /* their number includes the error */
        rc = make_args(a, NULL, n > 1 ? (uint32_t)n - 1 : 0, &m->out_args);
    return rc;
}

static int make_interface(const struct wspr_ctl *c, struct v23_arena *a,
    const vdl_str_v23_wspr_json_method_map *methods,
    const v23_signature_interface **out)
{
    v23_signature_interface *x = v23_arena_new(a, v23_signature_interface);
    v23_signature_method *v = v23_arena_get0(
        a, methods->n, sizeof(*v), V23_ALIGNOF(v23_signature_method));
    uint32_t i;
    int rc = x == NULL || v == NULL ? V23_ENOMEM : 0;

    for (i = 0; rc == 0 && i < methods->n; i++)
        rc = make_method(c, a, &methods->v[i], &v[i]);
    if (rc != 0)
        return rc;
    x->methods.v = v;
    x->methods.n = methods->n;
    *out = x;
    return 0;
}

/* ---- serving ------------------------------------------------------------- */

/*
 * Pages of 2014-07 say what their objects can do when they serve them, and are
 * not asked for objects (16.9).
 */
static int keep_signature(struct wspr_server_ *s, struct v23_bytes json)
{
    struct wspr_json_options opt = WSPR_JSON_OPTIONS_INIT;
    struct v23_arena_mark mark = v23_arena_mark(&s->arena);
    const struct vdl_field *f = v23_wspr_json_lookup_reply_desc.fields;
    const v23_signature_interface *x;
    vdl_str_v23_wspr_json_method_map methods;
    int rc;

    while (!vdl_str_is(f->name, "Signature"))
        f++;
    opt.lax = true;
    rc = wspr_json_decode(json, &opt, &s->arena, f->type, &methods, NULL);
    if (rc == 0)
        rc = make_interface(s->c, &s->arena, &methods, &x);
    if (rc == 0)
        s->era_data = x;
    else
        v23_arena_rewind(&s->arena, mark);
    return rc;
}

static void not_served(struct wspr_ctl *c, int64_t id, int rc)
{
    wspr_json_error_(c, id, INTERNAL, "failed to serve: %s",
        v23_strerror(rc));
}

static int serve(struct wspr_ctl *c, const v23_wspr_json_serve_request *r,
    struct wspr_server_ **out)
{
    struct wspr_serve_ what;

    *out = wspr_servers_find_(c, r->server_id);
    if (*out != NULL)
        return r->name.n == 0 ? 0 : wspr_servers_add_name_(*out, r->name);
    memset(&what, 0, sizeof(what));
    what.id = r->server_id;
    what.name = r->name;
    return wspr_servers_new_(c, &what, out);
}

void wspr_json_serve_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    v23_wspr_json_serve_request r;
    struct wspr_server_ *s;
    struct vdl_str first = {NULL, 0};
    struct v23_bytes service;
    vdl_str_list endpoints;
    int rc;

    if (!wspr_json_open_(c, f, &v23_wspr_json_serve_request_desc, &c->scratch,
            &r, "can't unmarshall JSONMessage"))
        return;
    rc = serve(c, &r, &s);
    service = wspr_json_member_(v23_bytes(f->data.p, f->data.n), "service");
    if (rc == 0 && s->era_data == NULL && service.n > 0 &&
        service.p[0] == '{')
        rc = keep_signature(s, service);
    if (rc == 0)
        rc = c->cfg.hooks->endpoints(
            c->cfg.ud, s->serving, &c->scratch, &endpoints);
    if (rc == 0 && endpoints.n > 0)
        first = endpoints.v[0];
    if (rc == 0) {
        wspr_json_quote(wspr_json_begin_(c, WSPR_J_FINAL_), first);
        rc = wspr_json_send_(c, f->id, 0);
    }
    if (rc != 0)
        not_served(c, f->id, rc);
}

void wspr_json_stop_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    struct wspr_call_ *call;
    struct wspr_server_ *s;
    uint32_t id;

    if (!wspr_json_open_(c, f, &vdl_uint32_desc, &c->scratch, &id,
            wspr_json_bad_message_))
        return;
    call = wspr_json_call_new_(c, f->id, WSPR_JSON_STOP_CALL_);
    if (call == NULL)
        return;
    call->local = &wspr_json_control_;
    if (!wspr_calls_register_(call, f->id))
        return;
    s = wspr_servers_find_(c, id);
    if (s == NULL)
        wspr_local_done_(call, 0, NULL);
    else
        wspr_servers_stop_(s, call);
}

/* ---- lookup -------------------------------------------------------------- */

static bool is_signature(struct vdl_str method)
{
    return vdl_str_is(method, "__Signature") ||
        vdl_str_is(method, "__MethodSignature");
}

/* The name of a method as pages know it. */
static struct vdl_str page_name(struct v23_arena *a, struct vdl_str method)
{
    if (is_signature(method))
        return vdl_str("signature");
    return wspr_lower_first_(a, method);
}

/* The object that a page has described once for all. */
static int known_object(struct wspr_ask_ *k, struct wspr_object_ **now)
{
    struct wspr_object_ *o = v23_arena_new(k->a, struct wspr_object_);

    if (o == NULL)
        return V23_ENOMEM;
    o->dynamic.interfaces = k->server->era_data;
    o->dynamic.ninterfaces = 1;
    *now = o;
    return 0;
}

int wspr_json_lookup_(struct wspr_ask_ *k, struct vdl_str suffix,
    struct vdl_str method, struct wspr_object_ **now)
{
    struct v23_buf *b;

    if (k->server->era_data != NULL)
        return known_object(k, now);
    b = wspr_json_begin_(k->c, WSPR_J_LOOKUP_);
    v23_buf_printf(b, "{\"serverID\": %u, \"suffix\": ",
        (unsigned)k->server->id);
    wspr_json_quote(b, suffix);
    v23_buf_puts(b, ", \"method\": ");
    wspr_json_quote(b, page_name(k->a, method));
    v23_buf_put_byte(b, '}');
    return wspr_json_send_(k->c, k->e.id, 0);
}

static uint32_t label_of(int64_t label)
{
    switch (label) {
    case 1:
    case 2:
    case 4:
    case 8:
    case 16:
    case 32:
        return (uint32_t)label;
    default:
        return WSPR_J_LABEL_ADMIN_;
    }
}

static int read_reply(const struct vdl_type *t, struct vdl_str data,
    struct v23_arena *a, void *out)
{
    struct wspr_json_options opt = WSPR_JSON_OPTIONS_INIT;

    opt.lax = true;
    memset(out, 0, t->size);
    return wspr_json_decode(
        v23_bytes(data.p, data.n), &opt, a, t, out, NULL);
}

/* ---- authorization ------------------------------------------------------- */

static int put_ids(struct wspr_ask_ *k, const struct vsec_call *call,
    struct v23_buf *b)
{
    static const struct vsec_names nobody;
    const struct vsec_names *names =
        call->names == NULL ? &nobody : call->names;
    int rc;

    v23_buf_puts(b, ", \"localID\": ");
    rc = wspr_json_put_id_(k->c, call->local_blessings, names->local, b);
    v23_buf_puts(b, ", \"remoteID\": ");
    if (rc == 0)
        rc = wspr_json_put_id_(
            k->c, call->remote_blessings, names->remote, b);
    return rc;
}

int wspr_json_authorize_(struct wspr_ask_ *k, const struct wspr_object_ *o,
    const struct vsec_call *call)
{
    struct v23_buf *b = wspr_json_begin_(k->c, WSPR_J_AUTHORIZE_);
    struct vdl_str method = page_name(k->a, call->method);
    uint32_t label = o->label;
    int rc;

    if (vdl_str_is(method, "signature"))
        label = WSPR_J_LABEL_READ_;
    v23_buf_printf(b, "{\"serverID\": %u, \"handle\": %ld, \"context\": "
                      "{\"method\": ",
        (unsigned)k->server->id, (long)o->handle);
    wspr_json_quote(b, method);
    v23_buf_puts(b, ", \"name\": ");
    wspr_json_quote(b, call->suffix);
    v23_buf_puts(b, ", \"suffix\": ");
    wspr_json_quote(b, call->suffix);
    v23_buf_printf(b, ", \"label\": %u", (unsigned)label);
    rc = put_ids(k, call, b);
    v23_buf_puts(b, ", \"localEndpoint\": ");
    wspr_json_quote(b, call->local_endpoint);
    v23_buf_puts(b, ", \"remoteEndpoint\": ");
    wspr_json_quote(b, call->remote_endpoint);
    v23_buf_puts(b, "}}");
    return wspr_json_send_(k->c, k->e.id, rc);
}

void wspr_json_authorized_(struct wspr_ask_ *k, struct vdl_str data)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(k->c);
    v23_wspr_json_auth_reply r;
    int rc = read_reply(&v23_wspr_json_auth_reply_desc, data, k->a, &r);

    wspr_servers_authorized_(
        k, rc == 0 ? r.err : wspr_status_error_(k->a, &ctx, rc));
}

/*
 * The RPC layer shows signatures to everybody. Pages of 2014 are asked, while
 * the lookup waits.
 */
static void signature_authorized(
    void *ud, struct v23_op op, int rc, const struct v23_verror *err)
{
    struct wspr_ask_ *k = wspr_ask_find_(ud, WSPR_LOOKUP_, op);
    struct wspr_object_ *o = (void *)(uintptr_t)k->e.era_data;
    struct v23_errctx ctx = wspr_ctl_ctx_(k->c);

    k->then = NULL;
    if (rc != 0)
        err = vrpc_err_make(k->a, &ctx, VRPC_ERR_NO_ACCESS,
            "access denied: %.*s", (int)err->msg.n, err->msg.p);
    wspr_servers_looked_up_(k, 0, o, err);
}

static int authorize_signature(struct wspr_ask_ *k, struct wspr_object_ *o,
    const struct vsec_call *call)
{
    struct vrpc_server *rs = k->server->serving->server;
    struct wspr_ask_ *then;
    int rc = wspr_ask_new_(k->c, WSPR_AUTHORIZE_, k->server, &then);

    if (rc != 0)
        return rc;
    then->a = k->a;
    then->wait.done = signature_authorized;
    then->wait.ud = k->server;
    then->wait.op = k->op;
    if (k->deadline == V23_NEVER)
        wspr_ask_limit_(
            then, vrpc_manager_now(vrpc_server_manager(rs)).mono_ns);
    rc = wspr_json_authorize_(then, o, call);
    if (rc != 0) {
        wspr_ask_free_(then);
        return rc;
    }
    k->e.era_data = o;
    k->then = then;
    return 0;
}

static void finish_lookup(
    struct wspr_ask_ *k, int rc, const v23_wspr_json_lookup_reply *r)
{
    struct wspr_object_ *o = v23_arena_new(k->a, struct wspr_object_);
    struct vrpc_server *rs = k->server->serving->server;
    const struct vrpc_server_call *call = vrpc_server_lookup_call(rs, k->op);

    if (rc == 0 && o == NULL)
        rc = V23_ENOMEM;
    if (rc == 0 && r->err == NULL) {
        o->handle = r->handle;
        o->has_authorizer = r->has_authorizer;
        o->label = label_of(r->label);
        o->dynamic.ninterfaces = 1;
        rc = make_interface(
            k->c, k->a, &r->signature, &o->dynamic.interfaces);
        if (rc == 0 && o->has_authorizer && o->handle >= 0 && call != NULL &&
            is_signature(vrpc_server_call_method(call))) {
            rc = authorize_signature(k, o, vrpc_server_call_security(call));
            if (rc == 0)
                return; /* the lookup ends with the authorization */
        }
    }
    wspr_servers_looked_up_(k, rc, o, rc == 0 ? r->err : NULL);
}

void wspr_json_looked_up_(struct wspr_ask_ *k, struct vdl_str data)
{
    v23_wspr_json_lookup_reply r;
    int rc;

    if (k->then == NULL) { /* else this is a second answer */
        rc = read_reply(&v23_wspr_json_lookup_reply_desc, data, k->a, &r);
        finish_lookup(k, rc, &r);
    }
}

/* ---- calls --------------------------------------------------------------- */

static int put_args(struct v23_buf *b, const struct wspr_flow_ *f)
{
    vdl_any_list args;

    args.v = f->args;
    args.n = (uint32_t)f->nargs;
    v23_buf_puts(b, ", \"args\": ");
    return wspr_json_encode(&vdl_any_list_desc, &args, b);
}

int wspr_json_invoke_(struct wspr_flow_ *f)
{
    struct v23_buf *b = wspr_json_begin_(f->c, WSPR_J_INVOKE_);
    struct vdl_str suffix = vrpc_server_call_suffix(f->call);
    int rc;

    v23_buf_printf(b, "{\"serverId\": %u, \"handle\": %ld, \"method\": ",
        (unsigned)f->server->id, (long)f->object->handle);
    wspr_json_quote(b, f->method);
    rc = put_args(b, f);
    v23_buf_puts(b, ", \"context\": {\"suffix\": ");
    wspr_json_quote(b, suffix);
    v23_buf_puts(b, ", \"name\": ");
    wspr_json_quote(b, suffix);
    v23_buf_puts(b, ", \"remoteID\": ");
    if (rc == 0)
        rc = wspr_json_put_id_(f->c,
            vrpc_server_call_remote_blessings(f->call),
            vrpc_server_call_remote_names(f->call), b);
    v23_buf_puts(b, "}}");
    return wspr_json_send_(f->c, f->e.id, rc);
}

void wspr_json_reply_(struct wspr_flow_ *f, struct vdl_str data)
{
    struct v23_arena *a = vrpc_server_call_arena(f->call);
    const struct v23_verror *err;
    v23_wspr_json_invoke_reply r;
    int rc = read_reply(&v23_wspr_json_invoke_reply_desc, data, a, &r);

    err = r.err;
    if (rc == 0 && r.results.n > f->c->cfg.limits.args)
        rc = V23_ELIMIT;
    if (rc != 0) {
        err = vrpc_err_make(a, vrpc_server_call_errctx(f->call),
            VRPC_ERR_INTERNAL,
            "internal error: the page's answer cannot be read: %s",
            v23_strerror(rc));
        r.results.n = 0;
    }
    wspr_flows_finish_(f, err, r.results.v, r.results.n);
}
