/* BSD-3-Clause; see LICENSE. */
/*
 * What a served call sends: the items of its stream, and its one answer, which
 * is the results of the handler or an error of our own.
 */
#include "server_int.h"

#include <string.h>

#define DISCARD_TIMEOUT (60 * V23_NS_PER_SEC)

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

int vrpc_served_answer_(struct vrpc_server_call *call,
    const struct v23_verror *err, const void *out)
{
    struct results r = { out, NULL, 0 };

    if (call->method != NULL)
        r.n = call->method->nout;
    return answer_with(call, err, &r);
}

void vrpc_served_refuse_(struct vrpc_server_call *call,
    const struct v23_verror *err)
{
    (void)vrpc_served_answer_(call, err, NULL);
}

void vrpc_served_refuse_later_(struct vrpc_server_call *call,
    const struct v23_verror *err)
{
    int64_t until = vrpc_mgr_now_(call->s->m).mono_ns + DISCARD_TIMEOUT;

    call->err = err;
    call->state = VRPC_SERVED_DISCARD_;
    if (until < call->deadline)
        vrpc_mgr_timer_(call->s->m, &call->timer, until);
}

void vrpc_served_refuse_status_(struct vrpc_server_call *call, int rc)
{
    vrpc_served_refuse_(call,
        vrpc_err_make(&call->arena, &call->ctx, vrpc_err_of_status(rc), "%s",
            v23_strerror(rc)));
}

void vrpc_served_tell_(struct vrpc_server_call *call,
    const struct v23_verror *err)
{
    if (answer_once(call, err, NULL) == 0)
        (void)!vrpc_stream_flush_(&call->stream);
}

/* ---- for handlers -------------------------------------------------------- */

int vrpc_server_call_reply(struct vrpc_server_call *call,
    const struct v23_verror *err, const void *out)
{
    if (call->replied || call->state == VRPC_SERVED_IDLE_)
        return V23_ESTATE;
    return vrpc_served_answer_(call, err, out);
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

    if (call->gone || call->replied)
        return V23_ECLOSED;
    if (t == NULL)
        return V23_ESTATE;
    memset(&head, 0, sizeof(head));
    return vrpc_stream_send_(
        &call->stream, &v23_rpc_response_desc, &head, t, item);
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
