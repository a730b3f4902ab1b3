/* BSD-3-Clause; see LICENSE. */
/* Calls of the page in the protocol of 2016 (spec/wspr.md 6). */
#include "vom_int.h"

#include <string.h>
#include <vom/time.h>
#include <vom/value.h>

#define BLESSINGS "v.io/v23/security.WireBlessings"

/* ---- requests ------------------------------------------------------------ */

static int64_t deadline_of(const v23_wspr_app_page_deadline *d, int64_t now)
{
    v23_time_duration n = v23_duration_normalize(d->from_now);
    int64_t ns;

    if (d->no_deadline)
        return V23_NEVER;
    if (v23_duration_to_ns(n, &ns) != 0)
        return n.seconds > 0 ? V23_NEVER : INT64_MIN + 1;
    if (ns > 0 && now > V23_NEVER - ns)
        return V23_NEVER;
    if (ns < 0 && now < INT64_MIN + 1 - ns)
        return INT64_MIN + 1;
    return now + ns;
}

static bool set_options(struct wspr_call_ *call,
    const v23_wspr_app_rpc_call_option_list *l)
{
    const v23_wspr_app_rpc_call_option *o;
    vdl_str_list *in;
    uint32_t i;

    for (i = 0; i < l->n; i++) {
        o = &l->v[i];
        if (o->which == V23_WSPR_APP_RPC_CALL_OPTION_GRANTER) {
            if (call->ngranters == WSPR_MAX_GRANTERS_)
                return false;
            call->granter_ids[call->ngranters++] = o->u.granter;
            continue;
        }
        in = v23_arena_new(&call->arena, vdl_str_list);
        if (in == NULL)
            return false;
        in->v = o->u.allowed_servers_policy.v;
        in->n = o->u.allowed_servers_policy.n;
        call->servers_in = in;
    }
    return true;
}

static bool fill(struct wspr_call_ *call, const v23_wspr_app_rpc_request *r)
{
    uint32_t max = call->c->cfg.limits.args;

    call->name = r->name;
    call->method = r->method;
    call->language = r->context.language;
    call->streaming = r->is_streaming;
    call->nresults = (uint32_t)r->num_out_args;
    call->deadline = deadline_of(&r->deadline,
        wspr_ctl_now_(call->c).mono_ns);
    return r->num_in_args >= 0 && (uint32_t)r->num_in_args <= max &&
           r->num_out_args >= 0 && call->nresults <= max &&
           set_options(call, &r->call_options);
}

/* Arguments of the types that they come with. */
static int read_any(struct wspr_vom_in_ *in, struct v23_arena *a,
    struct vdl_any *args, size_t n)
{
    size_t i;
    int rc = 0;

    for (i = 0; i < n && rc == 0; i++)
        rc = wspr_vom_next_(in, a, NULL, &args[i]);
    return rc;
}

/* Arguments of the types that the method wants. */
static int read_typed(struct wspr_vom_in_ *in, struct wspr_call_ *call)
{
    const struct vrpc_method *m = call->local->method;
    char *p;
    uint16_t i;
    int rc = 0;

    if (m->in_size == 0)
        return 0;
    p = v23_arena_get0(&call->arena, 1, m->in_size, 16);
    if (p == NULL)
        return V23_ENOMEM;
    call->in = p;
    for (i = 0; i < m->nin && rc == 0; i++)
        rc = wspr_vom_next_(in, &call->arena, m->in[i].type,
            p + m->in[i].offset);
    return rc;
}

static void bad_arguments(struct wspr_call_ *call, int rc)
{
    wspr_calls_failf_(call, VRPC_ERR_INTERNAL,
        "arguments of %.*s cannot be decoded: %s", (int)call->method.n,
        call->method.p, v23_strerror(rc));
}

static void start_local(struct wspr_call_ *call, struct wspr_vom_in_ *in,
    size_t n)
{
    const struct v23_verror *err = NULL;
    int rc;

    if (wspr_local_find_(call, n, &err) == NULL) {
        wspr_calls_fail_(call, err);
        return;
    }
    rc = read_typed(in, call);
    if (rc != 0)
        bad_arguments(call, rc);
    else
        wspr_local_start_(call);
}

static void start_remote(struct wspr_call_ *call, struct wspr_vom_in_ *in,
    size_t n)
{
    struct vdl_any *args;
    int rc = V23_ENOMEM;

    args = v23_arena_get0(&call->arena, n, sizeof(*args),
        V23_ALIGNOF(struct vdl_any));
    if (args != NULL)
        rc = read_any(in, &call->arena, args, n);
    if (rc != 0)
        bad_arguments(call, rc);
    else
        wspr_calls_start_(call, args, n);
}

/* The payload could not even be opened. */
static void bad_request(struct wspr_ctl *c, const struct wspr_frame_ *f,
    int rc)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(c);
    struct v23_buf b;
    struct vdl_str text;

    v23_buf_init(&b, c->al, 4096);
    if (rc == V23_ETEXT) {
        v23_buf_puts(&b, "Error decoding hex string ");
        vdl_format_quoted(&b, f->data.p, f->data.n < 256 ? f->data.n : 256);
        v23_buf_puts(&b, ": not pairs of hex digits");
    } else {
        v23_buf_printf(&b, "request cannot be decoded: %s", v23_strerror(rc));
    }
    text = vdl_strn((const char *)b.p, b.n);
    wspr_ctl_error_(c, f->id, vrpc_err_params(&c->scratch, &ctx,
                                  VRPC_ERR_INTERNAL, &text, 1,
                                  "Internal error: %.*s", (int)text.n,
                                  text.p));
    v23_buf_fini(&b);
}

static void run(struct wspr_call_ *call, const struct wspr_frame_ *f,
    struct wspr_vom_in_ *in, const v23_wspr_app_rpc_request *r)
{
    bool good = fill(call, r);

    wspr_calls_span_(call, &r->trace_request);
    if (!wspr_calls_register_(call, f->id))
        return;
    if (!good)
        wspr_calls_failf_(call, VRPC_ERR_BAD_ARG,
            "too many arguments, results or options");
    else if (wspr_local_is_(call->name))
        start_local(call, in, (size_t)r->num_in_args);
    else
        start_remote(call, in, (size_t)r->num_in_args);
}

void wspr_vom_request_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    struct wspr_call_ *call = wspr_calls_get_(c);
    v23_wspr_app_rpc_request req;
    struct wspr_vom_in_ in;
    int rc = V23_ENOMEM;

    if (call != NULL)
        rc = wspr_vom_open_(c, f->data, &in);
    if (rc != 0) {
        bad_request(c, f, rc);
        if (call != NULL)
            wspr_calls_put_(call);
        return;
    }
    memset(&req, 0, sizeof(req));
    rc = wspr_vom_next_(&in, &call->arena, &v23_wspr_app_rpc_request_desc,
        &req);
    if (rc == 0) {
        run(call, f, &in, &req);
    } else {
        bad_request(c, f, rc);
        wspr_calls_put_(call);
    }
    wspr_vom_shut_(&in);
}

/* ---- results ------------------------------------------------------------- */

/* Blessings are put into the cache, and named. */
static int name_blessings(struct wspr_call_ *call, struct vdl_any *v)
{
    struct wspr_ctl *c = call->c;
    v23_security_wire_blessings w;
    v23_wspr_principal_blessings_id *id;
    struct vsec_blessings *b = NULL;
    int rc;

    memset(&w, 0, sizeof(w));
    id = v23_arena_new(&call->arena, v23_wspr_principal_blessings_id);
    rc = id == NULL ? V23_ENOMEM
                    : vdl_convert(&call->arena,
                          &v23_security_wire_blessings_desc, &w, v->type,
                          v->val);
    if (rc == 0)
        rc = wspr_vom_blessings_(c, &w, &b);
    if (rc == 0)
        rc = wspr_vom_bless_(c, b, id);
    vsec_blessings_unref(b);
    v->type = &v23_wspr_principal_blessings_id_desc;
    v->val = id;
    return rc;
}

int wspr_vom_final_(struct wspr_call_ *call, const struct vdl_any *results,
    size_t n)
{
    v23_wspr_app_rpc_response resp;
    struct vdl_any *v;
    size_t i;
    int rc;

    v = v23_arena_get0(&call->arena, n, sizeof(*v),
        V23_ALIGNOF(struct vdl_any));
    if (v == NULL || n > UINT32_MAX)
        return V23_ENOMEM;
    for (i = 0; i < n; i++) {
        v[i] = results[i];
        if (v[i].type != NULL && v[i].type->kind == VDL_ANY)
            v[i] = *(const struct vdl_any *)v[i].val;
        if (v[i].type == NULL || !vdl_str_is(v[i].type->name, BLESSINGS))
            continue;
        rc = name_blessings(call, &v[i]);
        if (rc != 0)
            return rc;
    }
    memset(&resp, 0, sizeof(resp));
    resp.out_args.v = v;
    resp.out_args.n = (uint32_t)n;
    wspr_calls_trace_(call, &resp.trace_response);
    return wspr_vom_send_(call->c, call->e.id, WSPR_S2C_FINAL_,
        &v23_wspr_app_rpc_response_desc, &resp);
}
