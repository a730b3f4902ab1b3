/* BSD-3-Clause; see LICENSE. */
/*
 * A call over its flow (spec/rpc.md 16.3, 16.7): request and arguments are
 * encoded into the flow's buffer, responses, items and results decoded from
 * what it received.
 */
#include "call_int.h"
#include "fetch_int.h"

#include <inttypes.h>
#include <string.h>
#include <v23/vdl/v.io/v23/rpc/rpc.vdl.h>
#include <v23/vdl/v.io/x/ref/runtime/internal/rpc/rpc.vdl.h>
#include <vsec/principal.h>

#define DATA_FLOW_BYTE 'd'

static struct vrpc_call *call_of(struct vrpc_user_ *u)
{
    return (struct vrpc_call *)u;
}

/* ---- ends ---------------------------------------------------------------- */

/* The server did not understand what we sent (spec/rpc.md 16.7). */
static bool is_protocol_error(const struct v23_verror *err)
{
    return v23_verror_is(err, v23_internal_rpc_err_bad_num_input_args_def.id) ||
           v23_verror_is(err, v23_internal_rpc_err_bad_input_arg_def.id);
}

/* What the caller is told when the call fails for another reason. */
const struct v23_verror *vrpc_call_convert_(struct vrpc_call *call,
    const struct v23_verror *err)
{
    const struct v23_errctx *ctx = vrpc_call_ctx_(call);
    struct v23_arena *a = &call->arena;
    struct vrpc_suberr sub;
    struct v23_buf b;
    enum vrpc_err kind;

    if (vrpc_err_is(err, VRPC_ERR_CANCELED))
        return err;
    if (call->canceled)
        kind = VRPC_ERR_CANCELED;
    else if (call->expired && !vrpc_err_is(err, VRPC_ERR_TIMEOUT))
        kind = VRPC_ERR_TIMEOUT;
    else
        return is_protocol_error(err)
                   ? vrpc_err_make(a, ctx, VRPC_ERR_BAD_PROTOCOL,
                         "bad protocol or type: %.*s", (int)err->msg.n,
                         err->msg.p)
                   : err;
    v23_buf_init(&b, call->c->m->al, 4096);
    v23_buf_puts(&b, "remote=");
    if (call->chosen != NULL)
        v23_buf_put_str(&b, call->chosen->place->address);
    sub.name = vdl_strn(v23_arena_dup(a, b.p, b.n), b.n);
    v23_buf_fini(&b);
    if (sub.name.p == NULL)
        sub.name.n = 0;
    sub.err = err;
    return vrpc_err_with_subs(a,
        vrpc_err_make(a, ctx, kind, "%s",
            kind == VRPC_ERR_CANCELED ? "canceled" : "timeout"),
        &sub, 1);
}

static void fail(struct vrpc_call *call, enum vrpc_err kind, const char *what,
    int rc)
{
    vrpc_call_end_(call, vrpc_call_convert_(call,
                             vrpc_err_make(&call->arena, vrpc_call_ctx_(call),
                                 kind, "%s: %s", what, v23_strerror(rc))));
}

/* The stream broke or does not decode. */
static void fail_stream(struct vrpc_call *call, const char *what, int rc)
{
    fail(call, rc == V23_ENOMEM ? VRPC_ERR_INTERNAL : VRPC_ERR_BAD_PROTOCOL,
        what, rc);
}

void vrpc_call_deadline_(void *ud)
{
    struct vrpc_call *call = ud;
    const struct v23_verror *e;

    call->expired = true;
    if (call->state == VRPC_CALL_DONE_)
        return;
    e = vrpc_err_make(&call->arena, vrpc_call_ctx_(call), VRPC_ERR_TIMEOUT,
        "timeout");
    if (!call->request_sent && call->unconnected != NULL)
        e = call->unconnected;
    else if (!call->request_sent && call->prev != NULL)
        e = call->prev;
    vrpc_call_end_(call, e);
}

/* The server answered with an error. */
static void remote_error(struct vrpc_call *call, const struct v23_verror *err)
{
    const struct v23_verror *e = vrpc_err_copy(&call->arena, err);

    if (vrpc_err_is(e, VRPC_ERR_NO_ACCESS) && call->ndischarges > 0) {
        vrpc_fetch_forget_(call->c->m);
        (void)!vsec_store_clear_discharges(call->c->m->principal->store,
            call->discharges, call->ndischarges);
    }
    e = vrpc_call_convert_(call, e);
    /* Only calls without streams are made again. */
    if (e->retry == V23_RETRY_BACKOFF && call->method != NULL &&
        call->method->in_stream == NULL && call->method->out_stream == NULL) {
        vrpc_call_tried_(call, e, V23_RETRY_BACKOFF, false);
        return;
    }
    vrpc_call_end_(call, e);
}

/* ---- request ------------------------------------------------------------- */

static void fill_deadline(struct vrpc_call *call, v23_time_wire_deadline *d)
{
    int64_t left;

    if (call->deadline == V23_NEVER)
        return;
    left = call->deadline - vrpc_mgr_now_(call->c->m).mono_ns;
    if (left == 0)
        left = 1; /* 0 would mean none */
    d->from_now.seconds = left / V23_NS_PER_SEC;
    d->from_now.nanos = (int32_t)(left % V23_NS_PER_SEC);
}

static int put_args(struct vrpc_call *call)
{
    const struct vrpc_method *m = call->method;
    const struct vdl_any *args = call->in;
    size_t i;
    int rc = 0;

    for (i = 0; i < call->nargs && rc == 0; i++)
        if (m == NULL)
            rc = vrpc_stream_put_(&call->stream, &vdl_any_desc, &args[i]);
        else
            rc = vrpc_stream_put_(&call->stream, m->in[i].type,
                (const char *)call->in + m->in[i].offset);
    return rc;
}

static int put_end(struct vrpc_call *call)
{
    v23_rpc_request req;

    memset(&req, 0, sizeof(req));
    req.end_stream_args = true;
    return vrpc_stream_put_(&call->stream, &v23_rpc_request_desc, &req);
}

static int put_request(struct vrpc_call *call)
{
    v23_rpc_request req;
    int rc;

    memset(&req, 0, sizeof(req));
    req.suffix = call->chosen->place->suffix;
    req.method = call->method_name;
    req.num_pos_args = call->nargs;
    fill_deadline(call, &req.deadline);
    req.language = call->opts.language;
    if (call->granted != NULL)
        req.granted_blessings = vsec_blessings_wire(call->granted);
    vrpc_span_request_(&call->span, &req.trace_request);
    v23_buf_put_byte(call->stream.out, DATA_FLOW_BYTE);
    rc = vrpc_stream_put_(&call->stream, &v23_rpc_request_desc, &req);
    if (rc == 0)
        rc = put_args(call);
    if (rc == 0 && call->close_wanted)
        rc = put_end(call);
    return rc;
}

static void send_request(struct vrpc_call *call)
{
    int rc;

    rc = vrpc_stream_begin_(&call->stream);
    if (rc == V23_EAGAIN) {
        call->state = VRPC_CALL_OPEN_;
        return;
    }
    if (rc == 0) {
        rc = put_request(call);
        if (rc == 0)
            rc = vrpc_stream_commit_(&call->stream);
        else
            vrpc_stream_rollback_(&call->stream);
    }
    if (rc != 0) {
        fail_stream(call, "failed to encode request", rc);
        return;
    }
    call->state = VRPC_CALL_RUN_;
    call->request_sent = true;
    call->send_closed = call->close_wanted;
    call->want = VRPC_WANT_RESPONSE_;
    if (!call->send_closed && call->writable_fn != NULL)
        vrpc_mgr_post_(call->c->m, &call->writable_task);
}

void vrpc_call_open_(struct vrpc_call *call)
{
    struct vrpc_session_ *s = call->session;
    struct vrpc_flow_opts opts;
    int rc = 0;

    if (s->dead) {
        fail_stream(call, "failed to open flow", V23_ECLOSED);
        return;
    }
    if (s->ctypes == NULL)
        rc = vrpc_types_open_(s);
    if (rc == 0) {
        memset(&opts, 0, sizeof(opts));
        opts.blessings = call->blessings;
        opts.discharges = call->discharges;
        opts.ndischarges = call->ndischarges;
        opts.channel_timeout_ns = call->opts.channel_timeout_ns;
        opts.ud = &call->stream.user;
        rc = vrpc_flow_open(s->conn, &opts, &call->stream.flow);
    }
    if (rc != 0) {
        vrpc_call_tried_(call,
            vrpc_err_make(&call->arena, vrpc_call_ctx_(call),
                VRPC_ERR_NO_SERVERS, "failed to open flow: %s",
                v23_strerror(rc)),
            V23_RETRY_REFETCH, false);
        return;
    }
    vrpc_stream_attach_(&call->stream, s->ctypes);
    send_request(call);
}

/* ---- stream items out ---------------------------------------------------- */

static int send_item(struct vrpc_call *call, const struct vdl_type *t,
    const void *item)
{
    v23_rpc_request head;

    if (call->state == VRPC_CALL_DONE_)
        return V23_ECLOSED;
    if (call->close_wanted)
        return V23_ESTATE;
    if (call->state != VRPC_CALL_RUN_)
        return V23_EAGAIN;
    memset(&head, 0, sizeof(head));
    return vrpc_stream_send_(
        &call->stream, &v23_rpc_request_desc, &head, t, item);
}

int vrpc_call_send(struct vrpc_call *call, const void *item)
{
    if (call->method == NULL || call->method->in_stream == NULL)
        return V23_ESTATE;
    return send_item(call, call->method->in_stream, item);
}

int vrpc_call_send_any(struct vrpc_call *call, struct vdl_any item)
{
    return call->method != NULL ? V23_ESTATE
                                : send_item(call, &vdl_any_desc, &item);
}

static void try_close_send(struct vrpc_call *call)
{
    int rc = vrpc_stream_begin_(&call->stream);

    if (rc == V23_EAGAIN)
        return;
    if (rc == 0) {
        rc = put_end(call);
        if (rc == 0)
            rc = vrpc_stream_commit_(&call->stream);
        else
            vrpc_stream_rollback_(&call->stream);
    }
    /* A failure is not the call's: the response may have come already. */
    call->send_closed = true;
}

void vrpc_call_close_send(struct vrpc_call *call)
{
    if (call->state == VRPC_CALL_DONE_ || call->close_wanted)
        return;
    call->close_wanted = true;
    if (call->state == VRPC_CALL_RUN_)
        try_close_send(call);
}

static void run_writable(struct vrpc_user_ *u)
{
    struct vrpc_call *call = call_of(u);

    if (call->state == VRPC_CALL_OPEN_) {
        send_request(call);
        return;
    }
    if (call->state != VRPC_CALL_RUN_)
        return;
    if (call->close_wanted && !call->send_closed)
        try_close_send(call);
    else if (call->writable_fn != NULL)
        call->writable_fn(call->writable_ud, call);
}

/* ---- responses ----------------------------------------------------------- */

static int finish_results(struct vrpc_call *call, uint64_t n)
{
    struct v23_arena *a = &call->data;

    if (call->method == NULL) {
        if (call->nresults != VRPC_ANY_RESULTS && n != call->nresults)
            return V23_EPROTO;
        if (n > UINT32_MAX)
            return V23_ELIMIT;
        call->results = v23_arena_get0(a, (size_t)n, sizeof(struct vdl_any),
            V23_ALIGNOF(struct vdl_any));
        if (call->results == NULL)
            return V23_ELIMIT;
        call->nresults = (size_t)n;
    } else {
        if (n != call->method->nout)
            return V23_EPROTO;
        if (call->method->out_size > 0) {
            call->out = v23_arena_get0(a, 1, call->method->out_size, 16);
            if (call->out == NULL)
                return V23_ENOMEM;
        }
    }
    call->npending = n;
    call->want = VRPC_WANT_RESULT_;
    return 0;
}

/* What the servers have collected of this call's trace, and no other one. */
static void merge_trace(struct vrpc_call *call, const v23_vtrace_response *r)
{
    struct vrpc_vtrace *v = call->span.store;

    if (v != NULL && r->trace.spans.n > 0 &&
        memcmp(&r->trace.id, &call->span.trace, sizeof(r->trace.id)) == 0)
        vrpc_vtrace_merge(v, r);
}

static int read_response(struct vrpc_call *call)
{
    v23_rpc_response resp;
    struct vom_msg msg;
    int rc;

    rc = vrpc_stream_next_(&call->stream, &msg);
    if (rc != 0)
        return rc;
    v23_arena_reset(&call->data);
    memset(&resp, 0, sizeof(resp));
    rc = vrpc_stream_value_(&call->stream, &msg, &call->data,
        &v23_rpc_response_desc, &resp);
    if (rc != 0)
        return rc;
    merge_trace(call, &resp.trace_response);
    if (resp.error != NULL) {
        remote_error(call, resp.error);
        return 0;
    }
    if (!resp.end_stream_results) {
        if (call->method != NULL && call->method->out_stream == NULL) {
            fail(call, VRPC_ERR_BAD_PROTOCOL, "remaining stream results",
                V23_EPROTO);
            return 0;
        }
        call->want = VRPC_WANT_ITEM_;
        return 0;
    }
    v23_arena_reset(&call->data);
    rc = finish_results(call, resp.num_pos_results);
    if (rc == V23_EPROTO) {
        vrpc_call_end_(call,
            vrpc_err_make(&call->arena, vrpc_call_ctx_(call),
                VRPC_ERR_BAD_PROTOCOL,
                "failed to decode number of results: got %" PRIu64
                " results",
                resp.num_pos_results));
        return 0;
    }
    return rc;
}

static int read_item(struct vrpc_call *call)
{
    const struct vrpc_method *m = call->method;
    struct vdl_any any = { NULL, NULL };
    struct vom_msg msg;
    void *item = &any;
    int rc;

    if (call->paused)
        return V23_EAGAIN;
    rc = vrpc_stream_next_(&call->stream, &msg);
    if (rc != 0)
        return rc;
    v23_arena_reset(&call->data);
    if (m != NULL) {
        item = v23_arena_get0(&call->data, 1, m->out_stream->size,
            m->out_stream->align);
        if (item == NULL)
            return V23_ENOMEM;
    }
    rc = vrpc_stream_value_(&call->stream, &msg, &call->data,
        m == NULL ? &vdl_any_desc : m->out_stream, item);
    if (rc != 0)
        return rc;
    call->want = VRPC_WANT_RESPONSE_;
    if (m == NULL) {
        if (call->any_cb->item != NULL)
            call->any_cb->item(call->ud, any);
    } else if (call->item_fn != NULL) {
        call->stub->item(call->item_fn, call->ud, item);
    }
    return 0;
}

static int read_result(struct vrpc_call *call)
{
    const struct vrpc_method *m = call->method;
    struct vom_msg msg;
    uint64_t i;
    int rc;

    if (call->npending == 0) {
        vrpc_call_end_(call, NULL);
        return 0;
    }
    rc = vrpc_stream_next_(&call->stream, &msg);
    if (rc != 0)
        return rc;
    if (m == NULL) {
        i = call->nresults - call->npending;
        rc = vrpc_stream_value_(&call->stream, &msg, &call->data,
            &vdl_any_desc, &call->results[i]);
    } else {
        i = m->nout - call->npending;
        rc = vrpc_stream_value_(&call->stream, &msg, &call->data,
            m->out[i].type, (char *)call->out + m->out[i].offset);
    }
    if (rc == 0)
        call->npending--;
    return rc;
}

static void run_readable(struct vrpc_user_ *u)
{
    struct vrpc_call *call = call_of(u);
    static const char *const what[] = { "failed to decode response",
        "failed to decode streaming item", "failed to decode result" };
    enum vrpc_call_want_ want;
    int rc = 0;

    if (call->busy)
        return;
    call->busy = true;
    do {
        want = call->want;
        if (call->state != VRPC_CALL_RUN_)
            break;
        if (want == VRPC_WANT_RESPONSE_)
            rc = read_response(call);
        else if (want == VRPC_WANT_ITEM_)
            rc = read_item(call);
        else
            rc = read_result(call);
    } while (rc == 0);
    call->busy = false;
    if (call->state == VRPC_CALL_RUN_ && rc != 0 && rc != V23_EAGAIN)
        fail_stream(call, what[want], rc);
}

static void run_closed(struct vrpc_user_ *u, int status)
{
    struct vrpc_call *call = call_of(u);

    if (call->state == VRPC_CALL_RUN_) {
        run_readable(u);
        if (call->state != VRPC_CALL_RUN_ || call->paused ||
            call->stream.wait_link != NULL)
            return;
    }
    if (call->state == VRPC_CALL_RUN_ || call->state == VRPC_CALL_OPEN_)
        fail_stream(call, "the server closed the flow",
            status == 0 ? V23_ECLOSED : status);
}

const struct vrpc_user_ops_ vrpc_call_ops_ = { run_readable, run_writable,
    run_closed };

/* ---- pausing ------------------------------------------------------------- */

void vrpc_call_resume_(void *ud)
{
    struct vrpc_call *call = ud;

    if (call->state == VRPC_CALL_RUN_ && !call->paused)
        run_readable(&call->stream.user);
}

void vrpc_call_writable_(void *ud)
{
    struct vrpc_call *call = ud;

    if (call->state == VRPC_CALL_RUN_ && call->writable_fn != NULL)
        call->writable_fn(call->writable_ud, call);
}

void vrpc_call_pause(struct vrpc_call *call, bool paused)
{
    bool was = call->paused;

    call->paused = paused;
    if (was && !paused && call->state == VRPC_CALL_RUN_)
        vrpc_mgr_post_(call->c->m, &call->resume_task);
}
