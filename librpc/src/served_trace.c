/* BSD-3-Clause; see LICENSE. */
/*
 * Tracing of a served call (spec/rpc.md 22, 26). Who asks for collection, and
 * who is sent what was collected, must be one whom the reserved dispatcher
 * would let call Trace of "__debug/vtrace"; nobody else makes this process keep
 * anything, nor learns of it.
 */
#include "server_int.h"

#include <string.h>
#include <v23/vdl/v.io/v23/security/access/access.vdl.h>

#define STORE_SUFFIX "__debug/vtrace"

enum verdict { UNKNOWN, WAITING, ALLOWED, DENIED };

struct vrpc_served_trace_ {
    struct vrpc_server_call *call;
    struct vrpc_check_ check;
    struct vdl_any tag;
    struct vdl_bytes metadata;
    int level;
    const struct vrpc_dispatcher *dispatcher; /* of `obj`, or NULL */
    struct vrpc_object obj;
    enum verdict verdict;
};

/* ---- may the caller? ----------------------------------------------------- */

/* Whom the reserved dispatcher lets in; V23_EAGAIN is not waited for. */
static int find_authorizer(struct vrpc_served_trace_ *t)
{
    struct vrpc_server *s = t->call->s;
    const struct vrpc_dispatcher *d = s->cfg.reserved;
    const struct v23_verror *err = NULL;
    struct v23_op op;
    int rc;

    if (d == NULL)
        return 0; /* the default authorizer */
    rc = vrpc_op_new_(&s->m->ops, VRPC_OP_LOOKUP, t->call, &op);
    if (rc != 0)
        return rc;
    rc = d->lookup(d->ud, op, vdl_str(STORE_SUFFIX), &t->call->arena, &t->obj,
        &t->check.auth, &err);
    vrpc_op_end_(&s->m->ops, &op);
    if (rc == 0)
        t->dispatcher = d;
    else if (rc == V23_EAGAIN && d->cancel != NULL)
        d->cancel(d->ud, op);
    return rc;
}

static void judged(void *ud, int rc, const struct v23_verror *err);

/* 0, V23_EAGAIN (judged() follows), or a refusal. */
static int ask(struct vrpc_served_trace_ *t)
{
    static const struct vdl_str debug = VDL_STR_INIT("Debug");
    struct vrpc_server_call *call = t->call;
    struct vrpc_check_ *c = &t->check;
    const struct v23_verror *err = NULL;
    int rc = find_authorizer(t);

    if (rc != 0)
        return V23_EDENIED;
    c->m = call->s->m;
    c->session = call->session;
    c->arena = &call->arena;
    c->done = judged;
    c->ud = t;
    vrpc_served_security_(call, &c->call);
    t->tag.type = &v23_access_tag_desc;
    t->tag.val = &debug;
    c->call.hook = NULL;
    c->call.method = vdl_str("Trace");
    c->call.suffix = vdl_str(STORE_SUFFIX);
    c->call.method_tags.v = &t->tag;
    c->call.method_tags.n = 1;
    return vrpc_check_start_(c, &err);
}

static struct vrpc_served_trace_ *make(struct vrpc_server_call *call)
{
    struct vrpc_served_trace_ *t = v23_arena_new(&call->arena,
        struct vrpc_served_trace_);

    if (t != NULL)
        t->call = call;
    call->tracing = t;
    return t;
}

void vrpc_served_trace_end_(struct vrpc_server_call *call)
{
    struct vrpc_served_trace_ *t = call->tracing;

    if (t == NULL)
        return;
    call->tracing = NULL;
    vrpc_check_fini_(&t->check);
    if (t->dispatcher != NULL && t->dispatcher->release != NULL)
        t->dispatcher->release(t->dispatcher->ud, &t->obj);
}

/* ---- the span ------------------------------------------------------------ */

static void start(struct vrpc_server_call *call, struct vdl_bytes metadata)
{
    call->span.name = call->ctx.op;
    if (vrpc_span_wanted_(&call->span))
        vrpc_span_start_(&call->span, metadata);
}

static void decided(struct vrpc_served_trace_ *t, int rc)
{
    struct vrpc_server_call *call = t->call;

    t->verdict = rc == 0 ? ALLOWED : DENIED;
    if (rc == 0)
        vrpc_store_force_(call->span.store, &call->span.trace, t->level);
    start(call, t->metadata);
}

static void judged(void *ud, int rc, const struct v23_verror *err)
{
    struct vrpc_served_trace_ *t = ud;

    (void)err;
    decided(t, rc);
    vrpc_served_traced_(t->call);
}

int vrpc_served_span_(struct vrpc_server_call *call,
    const v23_vtrace_request *req)
{
    struct vrpc_served_trace_ *t;
    int rc;

    vrpc_span_server_(&call->s->m->tracer, req, call->received.wall,
        &call->span);
    if (call->span.store == NULL)
        return 0;
    t = (req->flags & V23_VTRACE_COLLECT_IN_MEMORY) == 0 ? NULL : make(call);
    if (t == NULL) {
        start(call, req->request_metadata);
        return 0;
    }
    t->metadata = req->request_metadata;
    t->level = req->log_level;
    rc = ask(t);
    if (rc == V23_EAGAIN) {
        t->verdict = WAITING;
        return rc;
    }
    decided(t, rc);
    return 0;
}

void vrpc_served_report_(struct vrpc_server_call *call,
    v23_vtrace_response *out)
{
    struct vrpc_span *s = &call->span;
    struct vrpc_served_trace_ *t = call->tracing;

    if (!vrpc_span_collected(s) || call->stream.flow == NULL)
        return;
    if (t == NULL) {
        t = make(call);
        if (t == NULL)
            return;
        /* The answer does not wait for whom the caller is. */
        t->verdict = ask(t) == 0 ? ALLOWED : DENIED;
        vrpc_check_cancel_(&t->check);
    }
    /* Not the whole trace: with each of many calls it would grow. */
    if (t->verdict == ALLOWED &&
        vrpc_store_below_(s->store, s, &call->arena, &out->trace) == 0)
        out->flags = V23_VTRACE_COLLECT_IN_MEMORY;
}

const struct vrpc_span *vrpc_server_call_span(
    const struct vrpc_server_call *call)
{
    return &call->span;
}
