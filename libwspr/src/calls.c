/* BSD-3-Clause; see LICENSE. */
/*
 * Calls that the page makes (spec/wspr.md 6), without regard to how it writes
 * them: their life, streams both ways, cancellation.
 *
 * A call that the page has an answer to, or does not want any more, gives up
 * its id at once; the object stays until the RPC layer has done with it.
 */
#include "wspr_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <vom/value.h>
#include <vsec/acl.h>

#define MAX_POOL 4u
#define ARGS_TEXT 512u

/* ---- objects ------------------------------------------------------------- */

static void link_call(struct wspr_call_ **list, struct wspr_call_ *call)
{
    call->next = *list;
    if (call->next != NULL)
        call->next->link = &call->next;
    call->link = list;
    *list = call;
}

static void unlink_call(struct wspr_call_ *call)
{
    *call->link = call->next;
    if (call->next != NULL)
        call->next->link = call->link;
}

static struct wspr_call_ *take(struct wspr_ctl *c)
{
    struct wspr_call_ *call = c->pool;
    struct v23_arena arena;

    if (call == NULL) {
        call = v23_new(c->al, struct wspr_call_);
        if (call != NULL)
            v23_arena_init(&call->arena, c->al, SIZE_MAX);
        return call;
    }
    unlink_call(call);
    c->npool--;
    arena = call->arena;
    memset(call, 0, sizeof(*call));
    call->arena = arena;
    return call;
}

struct wspr_call_ *wspr_calls_get_(struct wspr_ctl *c)
{
    struct wspr_call_ *call = take(c);

    if (call == NULL)
        return NULL;
    call->c = c;
    call->e.kind = WSPR_CALL_;
    call->deadline = V23_NEVER;
    call->ctx = wspr_ctl_ctx_(c);
    wspr_queue_init_(&call->queue);
    link_call(&c->calls, call);
    return call;
}

static void call_free(struct wspr_call_ *call)
{
    v23_arena_fini(&call->arena);
    v23_put(call->c->al, call);
}

void wspr_calls_put_(struct wspr_call_ *call)
{
    struct wspr_ctl *c = call->c;

    wspr_table_drop_(c, &call->e);
    wspr_queue_clear_(c, &call->queue);
    if (call->ask != NULL)
        wspr_ask_free_(call->ask);
    if (call->held)
        c->nheld--;
    unlink_call(call);
    v23_arena_reset(&call->arena);
    if (c->npool >= MAX_POOL || c->closing) {
        call_free(call);
    } else {
        link_call(&c->pool, call);
        c->npool++;
    }
}

/* Nobody waits for it any more, neither here nor there. */
static void release(struct wspr_call_ *call)
{
    if (call->over && call->rpc == NULL && call->waits_for == NULL)
        wspr_calls_put_(call);
}

/* The page has its answer. */
static void answered(struct wspr_call_ *call)
{
    struct wspr_ctl *c = call->c;

    call->over = true;
    c->ncalls--;
    wspr_table_drop_(c, &call->e);
    wspr_queue_clear_(c, &call->queue);
    vrpc_span_end(&call->span);
}

/* For errors and traces; other calls need no name. */
static void name_call(struct wspr_call_ *call)
{
    struct v23_buf b;

    if (call->ctx.op.n > 0)
        return;

    v23_buf_init(&b, call->c->al, 8192);
    v23_buf_puts(&b, "<wspr>");
    vdl_format_quoted(&b, call->name.p, call->name.n);
    v23_buf_put_byte(&b, '.');
    v23_buf_put_str(&b, call->method);
    if (b.err == 0) {
        call->ctx.op.p = v23_arena_dup(&call->arena, b.p, b.n);
        call->ctx.op.n = call->ctx.op.p == NULL ? 0 : (uint32_t)b.n;
    }
    v23_buf_fini(&b);
}

bool wspr_calls_register_(struct wspr_call_ *call, int64_t id)
{
    struct wspr_ctl *c = call->c;
    const struct v23_verror *err;
    int rc = V23_ELIMIT;

    call->e.id = id;
    if (c->ncalls < c->cfg.limits.calls)
        rc = wspr_table_add_(c, &call->e);
    if (rc == 0) {
        c->ncalls++;
        return true;
    }
    name_call(call);
    if (rc == V23_EEXIST)
        err = vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_BAD_STATE,
            "invalid state: message %lld is not answered yet",
            (long long)id);
    else
        err = vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_ABORTED,
            "aborted: %s",
            rc == V23_ELIMIT ? "too many calls" : v23_strerror(rc));
    wspr_ctl_error_(c, id, err);
    wspr_calls_put_(call);
    return false;
}

/* ---- traces -------------------------------------------------------------- */

void wspr_calls_span_(struct wspr_call_ *call, const v23_vtrace_request *r)
{
    static const v23_uniqueid_id none;
    struct vrpc_vtrace *store = call->c->cfg.vtrace;
    struct vrpc_span parent;

    if (store != NULL)
        name_call(call);
    if (r == NULL || memcmp(&r->trace_id, &none, sizeof(none)) == 0) {
        if (store != NULL)
            vrpc_span_begin_trace(&call->span, store, call->ctx.op);
        call->opts.span = store == NULL ? NULL : &call->span;
        return;
    }
    memset(&parent, 0, sizeof(parent));
    parent.store = store;
    parent.trace = r->trace_id;
    parent.id = r->span_id;
    parent.parent = r->trace_id;
    vrpc_span_begin(&call->span, &parent, call->ctx.op);
    /* Not the page's span, which is the page's to tell of. */
    if ((r->flags & V23_VTRACE_COLLECT_IN_MEMORY) != 0)
        vrpc_span_force(&call->span, r->log_level);
    call->opts.span = &call->span;
}

void wspr_calls_trace_(struct wspr_call_ *call, v23_vtrace_response *out)
{
    const struct vrpc_span *s = &call->span;

    memset(out, 0, sizeof(*out));
    if (s->store == NULL || !vrpc_span_collected(s))
        return;
    vrpc_span_end(s);
    if (vrpc_vtrace_get(s->store, &s->trace, &call->arena, &out->trace) == 0)
        out->flags = V23_VTRACE_COLLECT_IN_MEMORY;
}

/* ---- endings ------------------------------------------------------------- */

static void stop_waiting(struct wspr_call_ *call)
{
    if (call->waits_for == NULL || call->local->cancel == NULL)
        return;
    call->local->cancel(call);
    call->waits_for = NULL;
}

void wspr_calls_fail_(struct wspr_call_ *call, const struct v23_verror *err)
{
    if (call->over)
        return;
    wspr_ctl_error_(call->c, call->e.id, err);
    answered(call);
    if (call->rpc != NULL)
        vrpc_call_cancel(call->rpc); /* released when that is done */
    else
        stop_waiting(call);
    release(call);
}

void wspr_calls_failf_(struct wspr_call_ *call, enum vrpc_err kind,
    const char *fmt, ...)
{
    char text[1024];
    struct vdl_str s;
    va_list ap;

    name_call(call);
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    s = vdl_str(text);
    wspr_calls_fail_(call, vrpc_err_params(&call->arena, &call->ctx, kind, &s,
                               1, "%s", text));
}

static void finish(struct wspr_call_ *call, const struct vdl_any *results,
    size_t n)
{
    struct wspr_ctl *c = call->c;
    int rc = 0;

    if (call->streaming)
        rc = c->era->item_end(c, &call->e);
    if (rc == 0)
        rc = c->era->final(call, results, n);
    if (rc != 0) {
        wspr_calls_failf_(call, VRPC_ERR_INTERNAL,
            "results cannot be sent: %s", v23_strerror(rc));
        return;
    }
    answered(call);
    release(call);
}

/* "[1 "a"]", for people. */
static struct vdl_str args_text(struct wspr_call_ *call)
{
    struct v23_buf b;
    struct vdl_str s;
    size_t i;

    v23_buf_init(&b, call->c->al, ARGS_TEXT);
    v23_buf_put_byte(&b, '[');
    for (i = 0; i < call->nargs && b.err == 0; i++) {
        if (i > 0)
            v23_buf_put_byte(&b, ' ');
        if (call->args[i].type == NULL)
            v23_buf_puts(&b, "nil");
        else if (vdl_format(call->args[i].type, call->args[i].val, true,
                     &b) != 0)
            v23_buf_puts(&b, "...");
    }
    v23_buf_put_byte(&b, ']');
    s.p = v23_arena_dup(&call->arena, b.p, b.n);
    s.n = s.p == NULL ? 0 : (uint32_t)b.n;
    v23_buf_fini(&b);
    return s;
}

/* The call did not get as far as its server. */
static const struct v23_verror *not_started(struct wspr_call_ *call,
    const struct v23_verror *err)
{
    const struct v23_verror *why =
        call->refusal != NULL ? call->refusal : err;
    struct vdl_str args = args_text(call), text;
    struct v23_buf b;

    name_call(call);
    v23_buf_init(&b, call->c->al, 1u << 20);
    v23_buf_printf(&b, "error starting call (name: %.*s, method: %.*s, "
                       "args: %.*s): %.*s",
        (int)call->name.n, call->name.p, (int)call->method.n, call->method.p,
        (int)args.n, args.p, (int)why->msg.n, why->msg.p);
    text = vdl_strn((const char *)b.p, b.n);
    err = vrpc_err_params(&call->arena, &call->ctx, VRPC_ERR_INTERNAL, &text,
        1, "internal error: %.*s", (int)text.n, text.p);
    v23_buf_fini(&b);
    return err;
}

static void rpc_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct wspr_call_ *call = ud;
    struct wspr_ctl *c = call->c;
    bool sent = vrpc_call_is_sent(call->rpc);

    call->rpc = NULL;
    c->nrpcs--;
    if (call->over)
        release(call);
    else if (err != NULL)
        wspr_calls_fail_(call, sent ? err : not_started(call, err));
    else
        finish(call, results, n);
    wspr_ctl_progress_(c);
}

/* ---- items for the page -------------------------------------------------- */

static void rpc_item(void *ud, struct vdl_any item)
{
    struct wspr_call_ *call = ud;
    struct wspr_ctl *c = call->c;
    int rc;

    if (call->over)
        return;
    rc = c->era->item(c, &call->e, item);
    if (rc != 0) {
        wspr_calls_failf_(call, VRPC_ERR_INTERNAL,
            "a stream value cannot be sent: %s", v23_strerror(rc));
    } else if (!call->held && wspr_ctl_behind_(c)) {
        call->held = true;
        c->nheld++;
        vrpc_call_pause(call->rpc, true);
    }
}

void wspr_calls_release_(struct wspr_ctl *c)
{
    struct wspr_call_ *call;

    for (call = c->calls; call != NULL; call = call->next) {
        if (!call->held)
            continue;
        call->held = false;
        c->nheld--;
        if (call->rpc != NULL)
            vrpc_call_pause(call->rpc, false);
    }
}

/* ---- items of the page --------------------------------------------------- */

/* 0: it is gone, one way or the other; V23_EAGAIN. */
static int send_item(struct wspr_call_ *call, struct vdl_str data)
{
    struct wspr_ctl *c = call->c;
    struct v23_arena_mark mark = v23_arena_mark(&c->scratch);
    struct vdl_any item;
    int rc;

    rc = c->era->decode_item(c, &call->e, data, &c->scratch, &item);
    if (rc == V23_ENOENT)
        return 0;
    if (rc != 0) {
        wspr_calls_failf_(call, VRPC_ERR_INTERNAL,
            "failed to decode stream arg from %.*s: %s",
            (int)(data.n < 64 ? data.n : 64), data.p, v23_strerror(rc));
        return 0;
    }
    rc = vrpc_call_send_any(call->rpc, item);
    v23_arena_rewind(&c->scratch, mark);
    if (rc == 0 || rc == V23_EAGAIN)
        return rc;
    if (rc != V23_ECLOSED && rc != V23_ESTATE) /* those: the end is near */
        wspr_calls_failf_(call, VRPC_ERR_INTERNAL,
            "failed to send on stream: %s", v23_strerror(rc));
    return 0;
}

static void drain(struct wspr_call_ *call)
{
    struct wspr_ctl *c = call->c;
    struct wspr_chunk_ *k;

    while (!call->over && (k = call->queue.first) != NULL) {
        if (k->kind == WSPR_END_)
            vrpc_call_close_send(call->rpc);
        else if (send_item(call, vdl_strn(k->text, k->n)) == V23_EAGAIN)
            return;
        if (!call->over)
            wspr_queue_drop_(c, &call->queue);
    }
}

static void rpc_writable(void *ud, struct vrpc_call *rpc)
{
    struct wspr_call_ *call = ud;

    (void)rpc;
    drain(call);
}

/* A call of an object of ours; else it may wait for a signature at first. */
static bool is_ours(const struct wspr_call_ *call)
{
    return call->local != NULL && call->local->method != NULL;
}

static void enqueue(struct wspr_call_ *call, enum wspr_chunk_kind_ kind,
    struct vdl_str data)
{
    int rc = wspr_queue_put_(call->c, &call->queue, kind, data);

    if (rc == V23_ELIMIT)
        wspr_calls_failf_(call, VRPC_ERR_ABORTED,
            "aborted: the server does not read its stream");
    else if (rc != 0)
        wspr_calls_failf_(call, VRPC_ERR_INTERNAL, "internal error: %s",
            v23_strerror(rc));
}

void wspr_calls_item_(struct wspr_call_ *call, struct vdl_str data)
{
    if (!call->streaming || is_ours(call))
        return;
    if (call->queue.first == NULL && call->rpc != NULL &&
        send_item(call, data) == 0)
        return;
    enqueue(call, WSPR_ITEM_, data);
}

void wspr_calls_end_stream_(struct wspr_call_ *call)
{
    if (!call->streaming || is_ours(call))
        return;
    if (call->queue.first == NULL && call->rpc != NULL)
        vrpc_call_close_send(call->rpc);
    else
        enqueue(call, WSPR_END_, vdl_strn(NULL, 0));
}

/* ---- starting ------------------------------------------------------------ */

static int ask_page(void *ud, struct v23_op op, struct vrpc_call *rpc,
    struct vsec_blessings **out)
{
    struct wspr_call_ *call = ud;
    struct wspr_ctl *c = call->c;
    struct wspr_ask_ *k;
    int rc;

    (void)out;
    if (call->over || c->era->grant == NULL)
        return V23_ECANCELED;
    rc = wspr_ask_new_(c, WSPR_GRANT_, NULL, &k);
    if (rc != 0)
        return rc;
    k->op = op;
    k->call = call;
    k->a = &call->arena;
    call->ask = k;
    rc = c->era->grant(k, call->granter_ids[call->nasked++], rpc);
    if (rc == 0)
        return V23_EAGAIN;
    wspr_ask_free_(k);
    return rc;
}

void wspr_calls_granted_(struct wspr_call_ *call, int rc,
    struct vsec_blessings *b, const struct v23_verror *err)
{
    struct v23_op op = call->ask->op;

    wspr_ask_free_(call->ask);
    if (rc != 0)
        call->refusal = vrpc_err_copy(&call->arena, err);
    vrpc_client_granted(call->c->client, op, rc, b);
}

static void set_options(struct wspr_call_ *call)
{
    struct vrpc_call_opts *o = &call->opts;
    size_t i;

    if (call->deadline != V23_NEVER)
        o->deadline = call->deadline == 0 ? 1 : call->deadline;
    o->keep_args = true;
    o->language = call->language.n > 0 ? call->language
                                       : call->c->cfg.language;
    if (call->servers_in != NULL) {
        call->acl.in.v = call->servers_in->v;
        call->acl.in.n = call->servers_in->n;
        call->auth = vsec_auth_acl(&call->acl);
        o->server_auth = &call->auth;
    }
    for (i = 0; i < call->ngranters; i++) {
        call->granters[i].grant = ask_page;
        call->granters[i].ud = call;
    }
    o->granters = call->granters;
    o->ngranters = call->ngranters;
}

static const struct vrpc_any_cb plain_cb = { NULL, rpc_done };
static const struct vrpc_any_cb stream_cb = { rpc_item, rpc_done };

void wspr_calls_start_(struct wspr_call_ *call, const struct vdl_any *args,
    size_t nargs)
{
    struct wspr_ctl *c = call->c;
    int rc = wspr_ctl_identity_(c);

    call->args = args;
    call->nargs = nargs;
    if (rc != 0) {
        wspr_calls_failf_(call, VRPC_ERR_INTERNAL,
            "no client for this connection: %s", v23_strerror(rc));
        return;
    }
    set_options(call);
    call->rpc = vrpc_client_start_any(c->client, call->name,
        wspr_upper_first_(&call->arena, call->method), &call->opts, args,
        nargs, call->nresults, call->streaming ? &stream_cb : &plain_cb,
        call);
    if (call->rpc == NULL) {
        wspr_calls_failf_(call, VRPC_ERR_INTERNAL,
            "too many calls, or out of memory");
        return;
    }
    c->nrpcs++;
    vrpc_call_on_writable(call->rpc, rpc_writable, call);
    if (!call->streaming)
        vrpc_call_close_send(call->rpc);
}

void wspr_calls_cancel_(struct wspr_call_ *call)
{
    if (call->rpc != NULL)
        vrpc_call_cancel(call->rpc);
    else if (call->waits_for != NULL)
        wspr_calls_failf_(call, VRPC_ERR_CANCELED, "canceled");
}

/* ---- calls of our own objects -------------------------------------------- */

void wspr_local_item_(struct wspr_call_ *call, struct vdl_any item)
{
    int rc;

    if (call->over)
        return;
    rc = call->c->era->item(call->c, &call->e, item);
    if (rc != 0)
        wspr_calls_failf_(call, VRPC_ERR_INTERNAL,
            "a stream value cannot be sent: %s", v23_strerror(rc));
}

void wspr_local_done_(struct wspr_call_ *call, int rc,
    const struct v23_verror *err)
{
    const struct vrpc_method *m = call->local->method;
    struct vdl_any *results;
    uint16_t i;

    call->waits_for = NULL;
    if (call->over) {
        release(call);
        return;
    }
    results = v23_arena_get0(&call->arena, m->nout, sizeof(*results),
        V23_ALIGNOF(struct vdl_any));
    if (results == NULL && rc == 0)
        rc = V23_ENOMEM;
    if (rc != 0) {
        if (err == NULL)
            err = wspr_status_error_(&call->arena, &call->ctx, rc);
        wspr_calls_fail_(call, err);
        return;
    }
    for (i = 0; i < m->nout; i++) {
        results[i].type = m->out[i].type;
        results[i].val = (const char *)call->out + m->out[i].offset;
    }
    finish(call, results, m->nout);
}

void wspr_local_start_(struct wspr_call_ *call)
{
    const struct vrpc_method *m = call->local->method;
    const struct v23_verror *err = NULL;
    int rc = 0;

    if (m->out_size > 0) {
        call->out = v23_arena_get0(&call->arena, 1, m->out_size, 16);
        rc = call->out == NULL ? V23_ENOMEM : 0;
    }
    name_call(call);
    if (rc == 0)
        rc = call->local->fn(call, &err);
    if (rc != V23_EAGAIN)
        wspr_local_done_(call, rc, err);
}

/* ---- the end ------------------------------------------------------------- */

void wspr_calls_close_(struct wspr_ctl *c)
{
    struct wspr_call_ *call, *next;

    for (call = c->calls; call != NULL; call = next) {
        next = call->next;
        if (call->over)
            continue;
        answered(call);
        if (call->rpc != NULL)
            vrpc_call_cancel(call->rpc);
        else
            stop_waiting(call);
        release(call);
    }
}

static void free_all(struct wspr_call_ **list)
{
    struct wspr_call_ *call;

    while ((call = *list) != NULL) {
        unlink_call(call);
        call_free(call);
    }
}

void wspr_calls_rest_(struct wspr_ctl *c)
{
    free_all(&c->pool);
    c->npool = 0;
}

void wspr_calls_fini_(struct wspr_ctl *c)
{
    free_all(&c->calls);
    free_all(&c->pool);
}
