/* BSD-3-Clause; see LICENSE. */
/*
 * Serving one call, step by step as in spec/rpc.md 16.6: classify the flow,
 * wait for the type flow, request, lookup, arguments, authorization, handler,
 * answer. Every step may have to wait; vrpc_served_run_ goes on.
 */
#include <vrpc/message.h>

#include "server_int.h"

#include <inttypes.h>
#include <string.h>
#include <v23/vdl/v.io/x/ref/runtime/internal/rpc/rpc.vdl.h>
#include <vrpc/name.h>
#include <vsec/blessings.h>
#include <vsec/principal.h>

#define DATA_FLOW_BYTE 'd'
#define TYPE_FLOW_BYTE 't'
#define OUT_OF_MEMORY "out of memory"
#define DISCARD_TIMEOUT (60 * V23_NS_PER_SEC)

const struct v23_verror vrpc_pending = { VDL_STR_INIT("pending"), 0,
    VDL_STR_INIT(""), { NULL, 0 } };

static struct vrpc_server_call *call_of(struct vrpc_user_ *u)
{
    return (struct vrpc_server_call *)u;
}

/* ---- answering ----------------------------------------------------------- */

/* The method's out struct, or values of any type. */
struct results {
    const void *out;
    const struct vdl_any *any; /* NULL: `out` counts */
    size_t n;
};

static int put_results(struct vrpc_server_call *call, const struct results *r)
{
    const struct vrpc_method *m = call->method;
    size_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < r->n; i++)
        if (r->any != NULL)
            rc = vrpc_stream_put_(&call->stream, &vdl_any_desc, &r->any[i]);
        else
            rc = vrpc_stream_put_(&call->stream, m->out[i].type,
                (const char *)r->out + m->out[i].offset);
    return rc;
}

static int put_answer(struct vrpc_server_call *call,
    const struct v23_verror *err, const struct results *r)
{
    v23_rpc_response resp;
    int rc;

    memset(&resp, 0, sizeof(resp));
    resp.error = err;
    resp.end_stream_results = true;
    resp.num_pos_results = err == NULL ? r->n : 0;
    vrpc_served_report_(call, &resp.trace_response);
    rc = vrpc_stream_put_(&call->stream, &v23_rpc_response_desc, &resp);
    return rc == 0 && err == NULL ? put_results(call, r) : rc;
}

/* One try; V23_ECLOSED when there is nobody to answer. */
static int answer_once(struct vrpc_server_call *call,
    const struct v23_verror *err, const struct results *r)
{
    int rc = vrpc_stream_begin_force_(&call->stream);

    if (rc != 0)
        return rc;
    rc = put_answer(call, err, r);
    if (rc == 0)
        return vrpc_stream_commit_(&call->stream);
    vrpc_stream_rollback_(&call->stream);
    return rc;
}

static int answer_with(struct vrpc_server_call *call,
    const struct v23_verror *err, const struct results *r)
{
    struct vdl_str internal = vrpc_err_id(VRPC_ERR_INTERNAL);
    int rc;

    call->replied = true;
    vrpc_span_end(&call->span);
    if (call->state == VRPC_SERVED_RUN_)
        vrpc_server_stats_latency_(call);
    rc = call->gone ? V23_ECLOSED : answer_once(call, err, r);
    if (rc != 0 && rc != V23_ECLOSED) {
        vrpc_span_logf(&call->span, call->s->m->log, V23_LOG_WARN,
            "answer of %.*s cannot be encoded: %s",
            (int)call->method_name.n, call->method_name.p, v23_strerror(rc));
        err = v23_verror_text(&call->arena, &call->ctx, internal, V23_NO_RETRY,
            "result cannot be encoded: %s", v23_strerror(rc));
        rc = answer_once(call, err, NULL);
    }
    if (rc == 0 && vrpc_stream_flush_(&call->stream) == V23_EAGAIN) {
        call->state = VRPC_SERVED_LATE_;
        return 0;
    }
    vrpc_served_end_(call, rc != 0);
    return rc;
}

static int answer(struct vrpc_server_call *call, const struct v23_verror *err,
    const void *out)
{
    struct results r = { out, NULL, 0 };

    if (call->method != NULL)
        r.n = call->method->nout;
    return answer_with(call, err, &r);
}

/* The call ends with an error of our own. */
static void refuse(struct vrpc_server_call *call, const struct v23_verror *err)
{
    (void)answer(call, err, NULL);
}

/* The same after reading the arguments that are on their way, or that were only
 * announced. */
static void refuse_later(struct vrpc_server_call *call,
    const struct v23_verror *err)
{
    int64_t until = vrpc_mgr_now_(call->s->m).mono_ns + DISCARD_TIMEOUT;

    call->err = err;
    call->state = VRPC_SERVED_DISCARD_;
    if (until < call->deadline)
        vrpc_mgr_timer_(call->s->m, &call->timer, until);
}

static void refuse_status(struct vrpc_server_call *call, int rc)
{
    refuse(call, vrpc_err_make(&call->arena, &call->ctx,
                     vrpc_err_of_status(rc), "%s", v23_strerror(rc)));
}

/* ---- classification ------------------------------------------------------ */

static int take_types(struct vrpc_server_call *call)
{
    struct vrpc_session_ *ss = call->session;
    struct vrpc_flow *f = call->stream.flow;
    struct vrpc_user_ *u;

    if (ss->stypes != NULL || vrpc_types_accept_(ss, f) != 0) {
        vrpc_served_end_(call, true); /* only the first one counts */
        return V23_EAGAIN;
    }
    call->stream.flow = NULL;
    vrpc_served_end_(call, false);
    u = &ss->stypes->user;
    u->ops->readable(u);
    vrpc_server_types_(ss);
    return V23_EAGAIN;
}

static int classify(struct vrpc_server_call *call)
{
    struct v23_bytes b;
    uint8_t first;
    int rc = vrpc_flow_peek(call->stream.flow, &b);

    if (rc == 0 && b.n == 0)
        rc = V23_EAGAIN;
    if (rc != 0)
        return rc;
    first = b.p[0];
    vrpc_flow_consume(call->stream.flow, 1);
    if (first == TYPE_FLOW_BYTE)
        return take_types(call);
    /* The peer looks for another routing id and takes us for a proxy. A close
     * makes it resolve the name again, silence would keep it waiting. */
    if (first == VRPC_MSG_SETUP)
        return V23_EPROTO;
    call->state = first == DATA_FLOW_BYTE ? VRPC_SERVED_TYPES_
                                          : VRPC_SERVED_OTHER_;
    return 0;
}

static int await_types(struct vrpc_server_call *call)
{
    if (call->session->stypes == NULL)
        return V23_EAGAIN;
    vrpc_stream_attach_(&call->stream, call->session->stypes);
    call->state = VRPC_SERVED_REQUEST_;
    return 0;
}

/* ---- request ------------------------------------------------------------- */

static struct vdl_str strip_slashes(struct vdl_str s)
{
    while (s.n > 0 && s.p[0] == '/') {
        s.p++;
        s.n--;
    }
    return s;
}

static char *append(char *to, struct vdl_str s)
{
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

/* name/suffix.Method; a mount table without name counts as named "". */
static void set_context(struct vrpc_server_call *call)
{
    const struct vrpc_server_config *cfg = &call->s->cfg;
    bool slash = call->suffix.n > 0 && (cfg->name.n > 0 || cfg->mount_table);
    size_t n = (size_t)cfg->name.n + slash + call->suffix.n + 1
        + call->method_name.n;
    char *text = v23_arena_get(&call->arena, n, 1), *p;

    call->ctx.component = cfg->component;
    if (text == NULL)
        return;
    p = append(text, cfg->name);
    if (slash)
        *p++ = '/';
    p = append(p, call->suffix);
    *p++ = '.';
    append(p, call->method_name);
    call->ctx.op = vdl_strn(text, n);
}

static void set_deadline(struct vrpc_server_call *call,
    const v23_time_wire_deadline *d)
{
    int64_t s = d->from_now.seconds, ns = d->from_now.nanos;
    int64_t limit = INT64_MAX / V23_NS_PER_SEC / 4;

    call->deadline = V23_NEVER;
    if (s != 0 || ns != 0) {
        s = s > limit ? limit : s < -limit ? -limit : s;
        call->deadline = call->received.mono_ns + s * V23_NS_PER_SEC + ns;
    }
    vrpc_mgr_timer_(call->s->m, &call->timer, call->deadline);
}

/* Blessings granted to us must be for our key. */
static const struct v23_verror *take_granted(struct vrpc_server_call *call,
    const v23_security_wire_blessings *w)
{
    struct vsec_principal *p = call->s->m->principal;
    int rc;

    if (w->certificate_chains.n == 0)
        return NULL;
    rc = vsec_blessings_from_wire(p->engine, call->s->m->chains, w,
        &call->granted);
    if (rc != 0)
        return vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_BAD_PROTOCOL,
            "bad protocol or type: failed to decode request: %s",
            v23_strerror(rc));
    if (call->granted == NULL ||
        vsec_pubkey_eq(vsec_blessings_key(call->granted), p->key))
        return NULL;
    return vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_NO_ACCESS,
        "access denied: blessing granted not bound to this server");
}

static void start_lookup(struct vrpc_server_call *call);

static int read_request(struct vrpc_server_call *call)
{
    const struct v23_verror *err;
    v23_rpc_request req;
    struct vom_msg msg;
    int rc;

    rc = vrpc_stream_next_(&call->stream, &msg);
    if (rc == 0) {
        memset(&req, 0, sizeof(req));
        rc = vrpc_stream_value_(&call->stream, &msg, &call->arena,
            &v23_rpc_request_desc, &req);
    }
    if (rc == V23_EAGAIN || rc == V23_EEOF || rc == V23_ECLOSED)
        return rc;
    if (rc != 0) {
        refuse(call, vrpc_err_make(&call->arena, &call->ctx,
                         VRPC_ERR_BAD_PROTOCOL,
                         "bad protocol or type: failed to decode request: %s",
                         v23_strerror(rc)));
        return V23_EAGAIN;
    }
    call->method_name = req.method;
    call->suffix = strip_slashes(req.suffix);
    call->language = req.language;
    call->nargs = req.num_pos_args;
    call->received = vrpc_mgr_now_(call->s->m);
    set_context(call);
    set_deadline(call, &req.deadline);
    err = take_granted(call, &req.granted_blessings);
    if (err != NULL) {
        refuse_later(call, err);
        return 0;
    }
    if (vrpc_served_span_(call, &req.trace_request) == V23_EAGAIN)
        call->state = VRPC_SERVED_TRACE_;
    else
        start_lookup(call);
    return 0;
}

void vrpc_served_traced_(struct vrpc_server_call *call)
{
    start_lookup(call);
    vrpc_served_run_(call);
}

/* ---- lookup -------------------------------------------------------------- */

static void unknown_suffix(struct vrpc_server_call *call)
{
    refuse_later(call, vrpc_err_params(&call->arena, &call->ctx,
                           VRPC_ERR_UNKNOWN_SUFFIX, &call->suffix, 1,
                           "suffix does not exist: %.*s", (int)call->suffix.n,
                           call->suffix.p));
}

/* Find the method and get ready for its arguments. */
static void prepare(struct vrpc_server_call *call)
{
    struct vdl_str name = vrpc_name_strip_reserved(call->method_name);
    const struct v23_verror *err = NULL;
    const struct vrpc_method *m;

    if (call->obj.dynamic != NULL)
        m = vrpc_dynamic_method_(call, name, &err);
    else
        m = vrpc_find_method_(call->obj.iface, call->obj.vt, name, &call->vt);
    if (err != NULL) {
        refuse_later(call, err);
        return;
    }
    if (m == NULL) {
        refuse_later(call, vrpc_err_params(&call->arena, &call->ctx,
                               VRPC_ERR_UNKNOWN_METHOD, &name, 1,
                               "method does not exist: %.*s", (int)name.n,
                               name.p));
        return;
    }
    if (call->nargs != m->nin) {
        refuse_later(call, v23_internal_rpc_err_bad_num_input_args(&call->arena,
                               &call->ctx, call->suffix, call->method_name,
                               call->nargs, m->nin));
        return;
    }
    call->method = m;
    if (m->in_size > 0) {
        call->in = v23_arena_get0(&call->arena, 1, m->in_size, 16);
        if (call->in == NULL) {
            refuse_later(call, vrpc_err_make(&call->arena, &call->ctx,
                                   VRPC_ERR_INTERNAL, OUT_OF_MEMORY));
            return;
        }
    }
    call->state = VRPC_SERVED_ARGS_;
}

static void looked_up(struct vrpc_server_call *call, int rc,
    const struct v23_verror *err)
{
    struct vdl_str why;

    if (rc == 0)
        call->has_obj = true;
    if (rc == 0 && !vrpc_object_exists_(&call->obj))
        rc = V23_ENOENT;
    if (rc == V23_ENOENT) {
        unknown_suffix(call);
    } else if (rc == V23_EWIREERR && err != NULL) {
        refuse_later(call, err);
    } else if (rc != 0) {
        why = err == NULL ? vdl_str(v23_strerror(rc)) : err->msg;
        refuse_later(call, vrpc_err_make(&call->arena, &call->ctx,
                               VRPC_ERR_INTERNAL,
                               "invalid received object: %.*s", (int)why.n,
                               why.p));
    } else {
        prepare(call);
    }
}

void vrpc_served_looked_up_(struct vrpc_server_call *call, int rc,
    const struct v23_verror *err)
{
    looked_up(call, rc, vrpc_err_copy(&call->arena, err));
    vrpc_served_run_(call);
}

static void start_lookup(struct vrpc_server_call *call)
{
    struct vrpc_server *s = call->s;
    const struct v23_verror *err = NULL;
    int rc;

    call->state = VRPC_SERVED_LOOKUP_;
    if (vrpc_name_is_reserved(call->method_name)) {
        call->obj.iface = &vrpc_reserved_iface_;
        call->obj.self = s;
        call->auth = &vsec_auth_everyone;
        prepare(call);
        return;
    }
    call->dispatcher = s->dispatcher;
    if (vrpc_name_is_reserved(call->suffix))
        call->dispatcher = s->cfg.reserved;
    else if (s->leaf && call->suffix.n > 0)
        call->dispatcher = NULL;
    if (call->dispatcher == NULL) {
        unknown_suffix(call);
        return;
    }
    rc = vrpc_op_new_(&s->m->ops, VRPC_OP_LOOKUP, call, &call->op);
    if (rc == 0) {
        rc = call->dispatcher->lookup(call->dispatcher->ud, call->op,
            call->suffix, &call->arena, &call->obj, &call->auth, &err);
        if (rc == V23_EAGAIN)
            return;
        vrpc_op_end_(&s->m->ops, &call->op);
    }
    looked_up(call, rc, err);
}

/* ---- arguments ----------------------------------------------------------- */

static int discard(struct vrpc_server_call *call)
{
    struct vom_msg msg;
    int rc;

    while (call->arg < call->nargs) {
        rc = vrpc_stream_next_(&call->stream, &msg);
        if (rc == V23_EAGAIN || rc == V23_EEOF || rc == V23_ECLOSED)
            return rc;
        if (rc != 0)
            break; /* cannot be read any further */
        vrpc_stream_skip_(&call->stream);
        call->arg++;
    }
    refuse(call, call->err);
    return V23_EAGAIN;
}

static void bad_argument(struct vrpc_server_call *call, int rc)
{
    struct v23_arena *a = &call->arena;
    const struct v23_verror *why;

    why = vrpc_err_make(a, NULL, VRPC_ERR_UNKNOWN, "%s", v23_strerror(rc));
    refuse(call, v23_internal_rpc_err_bad_input_arg(a, &call->ctx,
                     call->suffix, call->method_name, call->arg, why));
}

static void start_authorization(struct vrpc_server_call *call);

static int read_args(struct vrpc_server_call *call)
{
    const struct vrpc_method *m = call->method;
    const struct vrpc_arg *arg;
    struct vom_msg msg;
    int rc = 0;

    while (call->arg < m->nin) {
        arg = &m->in[call->arg];
        rc = vrpc_stream_next_(&call->stream, &msg);
        if (rc == 0)
            rc = vrpc_stream_value_(&call->stream, &msg, &call->arena,
                arg->type, (char *)call->in + arg->offset);
        if (rc == V23_EAGAIN || rc == V23_EEOF || rc == V23_ECLOSED)
            return rc;
        if (rc != 0) {
            bad_argument(call, rc);
            return V23_EAGAIN;
        }
        call->arg++;
    }
    start_authorization(call);
    return 0;
}

/* ---- authorization and the handler --------------------------------------- */

static void invoke(struct vrpc_server_call *call)
{
    const struct vrpc_method *m = call->method;
    const struct v23_verror *err;

    call->state = VRPC_SERVED_RUN_;
    if (m->out_size > 0) {
        call->out = v23_arena_get0(&call->arena, 1, m->out_size, 16);
        if (call->out == NULL) {
            refuse_status(call, V23_ENOMEM);
            return;
        }
    }
    if (m->thunk == NULL) {
        refuse(call, vrpc_not_implemented(call));
        return;
    }
    err = m->thunk(call->vt, call->obj.self, call, call->in, call->out);
    if (err != &vrpc_pending)
        (void)answer(call, err, err == NULL ? call->out : NULL);
}

static void denied(struct vrpc_server_call *call, int rc,
    const struct v23_verror *err)
{
    struct vdl_str why = err == NULL ? vdl_str(v23_strerror(rc)) : err->msg;

    if (rc != V23_EDENIED) {
        refuse(call, err != NULL ? vrpc_err_copy(&call->arena, err)
                                 : vrpc_err_make(&call->arena, &call->ctx,
                                       VRPC_ERR_INTERNAL, "%s",
                                       v23_strerror(rc)));
        return;
    }
    refuse(call,
        vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_NO_ACCESS,
            "access denied: not authorized to call %.*s.%.*s: %.*s",
            (int)call->suffix.n, call->suffix.p, (int)call->method_name.n,
            call->method_name.p, (int)why.n, why.p));
}

static void checked(void *ud, int rc, const struct v23_verror *err)
{
    struct vrpc_server_call *call = ud;

    if (rc != 0) {
        denied(call, rc, err);
        return;
    }
    invoke(call);
    /* A call that is still alive may have items to read. */
    if (call->state == VRPC_SERVED_RUN_)
        vrpc_served_run_(call);
}

static void start_authorization(struct vrpc_server_call *call)
{
    struct vrpc_check_ *c = &call->check;
    const struct v23_verror *err = NULL;
    int rc;

    call->state = VRPC_SERVED_AUTH_;
    memset(c, 0, sizeof(*c));
    c->m = call->s->m;
    c->session = call->session;
    c->arena = &call->arena;
    c->auth = call->auth;
    c->done = checked;
    c->ud = call;
    vrpc_served_security_(call, &c->call);
    c->call.method_tags.v = call->method->tags;
    c->call.method_tags.n = call->method->ntags;
    rc = vrpc_check_start_(c, &err);
    vrpc_server_stats_names_(call, c->held != NULL);
    if (rc == V23_EAGAIN)
        return;
    if (rc != 0)
        denied(call, rc, err);
    else
        invoke(call);
}

/* ---- stream items in ----------------------------------------------------- */

static int read_items(struct vrpc_server_call *call)
{
    const struct vrpc_method *m = call->method;
    v23_rpc_request head;
    struct vom_msg msg;
    void *item;
    int rc;

    if (m == NULL || m->item == NULL || call->args_ended || call->paused ||
        call->gone)
        return V23_EAGAIN;
    rc = vrpc_stream_next_(&call->stream, &msg);
    if (rc != 0)
        return rc;
    v23_arena_reset(&call->item);
    if (!call->want_item) {
        memset(&head, 0, sizeof(head));
        rc = vrpc_stream_value_(&call->stream, &msg, &call->item,
            &v23_rpc_request_desc, &head);
        if (rc != 0)
            return rc;
        call->want_item = !head.end_stream_args;
        call->args_ended = head.end_stream_args;
        if (call->args_ended)
            m->item(call->vt, call->obj.self, call, NULL);
        return 0;
    }
    item = v23_arena_get0(&call->item, 1, m->in_stream->size,
        m->in_stream->align);
    if (item == NULL)
        return V23_ENOMEM;
    rc = vrpc_stream_value_(&call->stream, &msg, &call->item, m->in_stream,
        item);
    if (rc != 0)
        return rc;
    call->want_item = false;
    m->item(call->vt, call->obj.self, call, item);
    return 0;
}

/* ---- the run of a call --------------------------------------------------- */

void vrpc_served_cancel_(struct vrpc_server_call *call, int reason)
{
    void (*fn)(void *ud, struct vrpc_server_call *call, int reason);

    if (call->status != 0)
        return;
    call->status = reason;
    fn = call->cancel_fn;
    call->cancel_fn = NULL;
    if (fn != NULL)
        fn(call->cancel_ud, call, reason);
}

/* Nobody waits for the answer any more: the handler hears of it, and sees the
 * end of the client's stream; its reply then ends the call. */
static void lost(struct vrpc_server_call *call)
{
    const struct vrpc_method *m = call->method;

    call->gone = true;
    vrpc_served_cancel_(call, V23_ECANCELED);
    if (call->state != VRPC_SERVED_RUN_ || m->item == NULL ||
        call->args_ended)
        return;
    call->args_ended = true;
    m->item(call->vt, call->obj.self, call, NULL);
}

/* The client's items cannot be read. */
static void broken(struct vrpc_server_call *call, int rc)
{
    const struct v23_verror *err;

    if (rc != V23_EEOF && rc != V23_ECLOSED) {
        err = vrpc_err_make(&call->arena, &call->ctx,
            rc == V23_ENOMEM ? VRPC_ERR_INTERNAL : VRPC_ERR_BAD_PROTOCOL,
            "failed to decode streaming item: %s", v23_strerror(rc));
        if (answer_once(call, err, NULL) == 0)
            (void)!vrpc_stream_flush_(&call->stream);
    }
    vrpc_stream_end_(&call->stream, false);
    lost(call);
}

static int step(struct vrpc_server_call *call)
{
    switch (call->state) {
    case VRPC_SERVED_CLASSIFY_:
        return classify(call);
    case VRPC_SERVED_TYPES_:
        return await_types(call);
    case VRPC_SERVED_REQUEST_:
        return read_request(call);
    case VRPC_SERVED_ARGS_:
        return read_args(call);
    case VRPC_SERVED_DISCARD_:
        return discard(call);
    case VRPC_SERVED_RUN_:
        return read_items(call);
    default:
        return V23_EAGAIN;
    }
}

void vrpc_served_run_(struct vrpc_server_call *call)
{
    int rc;

    if (call->busy)
        return;
    call->busy = true;
    do {
        rc = step(call);
    } while (rc == 0);
    call->busy = false;
    if (rc == V23_EAGAIN || call->state == VRPC_SERVED_IDLE_)
        return;
    if (call->state == VRPC_SERVED_RUN_ && !call->gone)
        broken(call, rc);
    else if (call->state != VRPC_SERVED_RUN_)
        vrpc_served_end_(call, true);
}

static void served_readable(struct vrpc_user_ *u)
{
    vrpc_served_run_(call_of(u));
}

static void served_writable(struct vrpc_user_ *u)
{
    struct vrpc_server_call *call = call_of(u);

    if (call->state == VRPC_SERVED_LATE_) {
        if (vrpc_stream_flush_(&call->stream) != V23_EAGAIN)
            vrpc_served_end_(call, false);
    } else if (call->state == VRPC_SERVED_RUN_ && call->writable_fn != NULL) {
        call->writable_fn(call->writable_ud, call);
    }
}

static void served_closed(struct vrpc_user_ *u, int status)
{
    struct vrpc_server_call *call = call_of(u);

    (void)status;
    if (call->state == VRPC_SERVED_RUN_) {
        vrpc_served_run_(call); /* items that came before the close */
        if (call->state == VRPC_SERVED_RUN_ && !call->gone)
            lost(call);
        return;
    }
    vrpc_served_end_(call, true);
}

const struct vrpc_user_ops_ vrpc_served_ops_ = { served_readable,
    served_writable, served_closed };

void vrpc_served_timer_(void *ud)
{
    struct vrpc_server_call *call = ud;

    switch (call->state) {
    case VRPC_SERVED_TRACE_:
    case VRPC_SERVED_LOOKUP_:
    case VRPC_SERVED_ARGS_:
    case VRPC_SERVED_AUTH_:
        refuse_status(call, V23_ETIMEOUT);
        break;
    case VRPC_SERVED_DISCARD_:
        refuse(call, call->err);
        break;
    case VRPC_SERVED_RUN_:
        vrpc_served_cancel_(call, V23_ETIMEOUT);
        break;
    case VRPC_SERVED_IDLE_:
    case VRPC_SERVED_LATE_:
        break;
    default:
        vrpc_served_end_(call, true);
    }
}

void vrpc_served_resume_(void *ud)
{
    struct vrpc_server_call *call = ud;

    if (call->state == VRPC_SERVED_RUN_ && !call->paused)
        vrpc_served_run_(call);
}

/* ---- for handlers -------------------------------------------------------- */

int vrpc_server_call_reply(struct vrpc_server_call *call,
    const struct v23_verror *err, const void *out)
{
    if (call->replied || call->state == VRPC_SERVED_IDLE_)
        return V23_ESTATE;
    return answer(call, err, out);
}

int vrpc_server_call_reply_any(struct vrpc_server_call *call,
    const struct v23_verror *err, const struct vdl_any *results, size_t n)
{
    struct results r = { NULL, results, n };

    if (call->replied || call->state == VRPC_SERVED_IDLE_)
        return V23_ESTATE;
    return answer_with(call, err, &r);
}

static int send_item(struct vrpc_server_call *call, const struct vdl_type *t,
    const void *item)
{
    v23_rpc_response head;
    int rc;

    if (call->gone || call->replied)
        return V23_ECLOSED;
    if (t == NULL)
        return V23_ESTATE;
    rc = vrpc_stream_begin_(&call->stream);
    if (rc != 0)
        return rc;
    memset(&head, 0, sizeof(head));
    rc = vrpc_stream_put_(&call->stream, &v23_rpc_response_desc, &head);
    if (rc == 0)
        rc = vrpc_stream_put_(&call->stream, t, item);
    if (rc == 0)
        return vrpc_stream_commit_(&call->stream);
    vrpc_stream_rollback_(&call->stream);
    return rc;
}

int vrpc_server_call_send(struct vrpc_server_call *call, const void *item)
{
    return send_item(call, call->method->out_stream, item);
}

int vrpc_server_call_send_any(struct vrpc_server_call *call,
    struct vdl_any item)
{
    return send_item(call, &vdl_any_desc, &item);
}
