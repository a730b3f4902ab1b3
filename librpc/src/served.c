/* BSD-3-Clause; see LICENSE. */
/*
 * Serving one call, step by step as in spec/rpc.md 16.6: classify the flow,
 * wait for the type flow, request, lookup (served_request.c), arguments,
 * authorization, handler, answer (served_answer.c). Every step may have to wait;
 * vrpc_served_run_ goes on.
 */
#include <vrpc/message.h>

#include "server_int.h"

#include <string.h>
#include <v23/vdl/v.io/x/ref/runtime/internal/rpc/rpc.vdl.h>

#define DATA_FLOW_BYTE 'd'
#define TYPE_FLOW_BYTE 't'

const struct v23_verror vrpc_pending = { VDL_STR_INIT("pending"), 0,
    VDL_STR_INIT(""), { NULL, 0 } };

static struct vrpc_server_call *call_of(struct vrpc_user_ *u)
{
    return (struct vrpc_server_call *)u;
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
    vrpc_served_refuse_(call, call->err);
    return V23_EAGAIN;
}

static void bad_argument(struct vrpc_server_call *call, int rc)
{
    struct v23_arena *a = &call->arena;
    const struct v23_verror *why;

    why = vrpc_err_make(a, NULL, VRPC_ERR_UNKNOWN, "%s", v23_strerror(rc));
    vrpc_served_refuse_(call,
        v23_internal_rpc_err_bad_input_arg(a, &call->ctx, call->suffix,
            call->method_name, call->arg, why));
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
            vrpc_served_refuse_status_(call, V23_ENOMEM);
            return;
        }
    }
    if (m->thunk == NULL) {
        vrpc_served_refuse_(call, vrpc_not_implemented(call));
        return;
    }
    err = m->thunk(call->vt, call->obj.self, call, call->in, call->out);
    if (err != &vrpc_pending)
        (void)vrpc_served_answer_(call, err, err == NULL ? call->out : NULL);
}

static void denied(struct vrpc_server_call *call, int rc,
    const struct v23_verror *err)
{
    struct vdl_str why = err == NULL ? vdl_str(v23_strerror(rc)) : err->msg;

    if (rc != V23_EDENIED) {
        vrpc_served_refuse_(call,
            err != NULL ? vrpc_err_copy(&call->arena, err)
                        : vrpc_err_make(&call->arena, &call->ctx,
                              VRPC_ERR_INTERNAL, "%s", v23_strerror(rc)));
        return;
    }
    vrpc_served_refuse_(call,
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
        vrpc_served_tell_(call, err);
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
        return vrpc_served_request_(call);
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
        vrpc_served_refuse_status_(call, V23_ETIMEOUT);
        break;
    case VRPC_SERVED_DISCARD_:
        vrpc_served_refuse_(call, call->err);
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
