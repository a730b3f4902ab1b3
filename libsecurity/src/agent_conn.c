/* BSD-3-Clause; see LICENSE. */
/*
 * A connection to or from an agent (spec 15.1): one VOM stream in each
 * direction, calls both ways, answers in any order. Whatever breaks the
 * protocol ends the connection, and with it every call in progress.
 *
 * Calls that have ended are delivered when nobody blocks, so that a caller who
 * waits for one answer is not called back about others.
 */
#include "agent_int.h"

enum { HEADERS = 64 << 10 }; /* room for type messages beside a value */

/* ---- calls --------------------------------------------------------------- */

static struct vsec_agent_call_ *call_new(struct vsec_agent_conn *c,
    const struct vsec_agent_method_ *m, uint64_t id)
{
    struct vsec_agent_call_ *call = v23_new(c->al, struct vsec_agent_call_);

    if (call == NULL)
        return NULL;
    call->c = c;
    call->m = m;
    call->id = id;
    v23_arena_init(&call->arena, c->al, 4 * (size_t)c->limits.message);
    if (m == NULL)
        return call;
    call->args = v23_arena_get0(&call->arena, 1, m->args->size, 16);
    call->results = v23_arena_get0(&call->arena, 1, m->results->size, 16);
    if (call->args == NULL || call->results == NULL) {
        vsec_agent_call_free_(call);
        return NULL;
    }
    return call;
}

void vsec_agent_call_free_(struct vsec_agent_call_ *call)
{
    const struct v23_alloc *al;

    if (call == NULL)
        return;
    al = call->arena.al;
    v23_arena_fini(&call->arena);
    v23_put(al, call);
}

static bool unlink_call(struct vsec_agent_call_ **list,
    struct vsec_agent_call_ *call)
{
    for (; *list != NULL; list = &(*list)->next)
        if (*list == call) {
            *list = call->next;
            return true;
        }
    return false;
}

static void append_call(struct vsec_agent_call_ **list,
    struct vsec_agent_call_ *call)
{
    while (*list != NULL)
        list = &(*list)->next;
    call->next = NULL;
    *list = call;
}

/* An own call has its outcome. */
static void end_call(struct vsec_agent_call_ *call, int rc)
{
    struct vsec_agent_conn *c = call->c;

    (void)unlink_call(&c->own, call);
    c->nown--;
    call->rc = rc;
    call->ended = true;
    if (!call->then.at_once) {
        append_call(&c->ended, call);
        return;
    }
    call->then.done(call);
    vsec_agent_call_free_(call);
}

/* ---- the end ------------------------------------------------------------- */

static void wake(struct vsec_agent_conn *c)
{
    if (c->io.wake != NULL)
        c->io.wake(c->io.ud);
}

/* End the connection; who waits is told by vsec_agent_run(). */
static void fail(struct vsec_agent_conn *c, int rc)
{
    struct vsec_agent_call_ *call;

    if (c->status != 0)
        return;
    c->status = rc;
    c->tell = true;
    if (c->in_call != NULL && !c->in_answer)
        vsec_agent_call_free_(c->in_call);
    c->in_call = NULL;
    while (c->own != NULL)
        end_call(c->own, V23_ECLOSED);
    while ((call = c->peers) != NULL) {
        c->peers = call->next;
        c->npeers--;
        /* One that is being worked on will be answered, and goes then. */
        if (call->then.done != NULL) {
            call->then.done(call);
            vsec_agent_call_free_(call);
        }
    }
}

static void destroy(struct vsec_agent_conn *c)
{
    vom_dec_fini(&c->dec);
    vom_typedec_unref(c->typedec);
    vom_enc_fini(&c->enc);
    vom_typeenc_fini(&c->typeenc);
    v23_buf_fini(&c->in);
    v23_buf_fini(&c->out);
    v23_put(c->al, c);
}

/* Who was called back may have freed the connection: true if it is gone. */
static bool leave(struct vsec_agent_conn *c)
{
    c->busy--;
    if (!c->dead || c->busy > 0)
        return c->dead;
    destroy(c);
    return true;
}

static void deliver(struct vsec_agent_conn *c)
{
    struct vsec_agent_call_ *call;

    while ((call = c->ended) != NULL) {
        c->ended = call->next;
        if (call->then.done != NULL)
            call->then.done(call);
        vsec_agent_call_free_(call);
    }
    if (c->end.settle != NULL && !c->dead)
        c->end.settle(c->end.ud);
    if (c->tell && !c->dead) {
        c->tell = false;
        if (c->io.closed != NULL)
            c->io.closed(c->io.ud, c->status);
    }
}

void vsec_agent_close(struct vsec_agent_conn *c, int rc)
{
    fail(c, rc);
    vsec_agent_run(c);
}

int vsec_agent_status(const struct vsec_agent_conn *c)
{
    return c->status;
}

void vsec_agent_conn_free_(struct vsec_agent_conn *c)
{
    c->tell = false;
    c->io.wake = NULL;
    c->busy++;
    fail(c, V23_ECLOSED);
    c->tell = false;
    deliver(c);
    c->dead = true;
    (void)leave(c);
}

static bool paused(const struct vsec_agent_conn *c)
{
    return c->want == VSEC_AGENT_MESSAGE_
        && (c->npeers >= c->limits.calls
            || c->out.n - c->sent > c->limits.output);
}

/* Requests that waited for room may go on; see vsec_agent_run(). */
static void resume(struct vsec_agent_conn *c)
{
    if (c->waiting && c->status == 0 && !paused(c))
        wake(c);
}

/* ---- output -------------------------------------------------------------- */

struct v23_bytes vsec_agent_output(struct vsec_agent_conn *c)
{
    size_t n = c->out.n - c->sent;

    return v23_bytes(n == 0 ? NULL : c->out.p + c->sent, n);
}

void vsec_agent_sent(struct vsec_agent_conn *c, size_t n)
{
    c->sent += n;
    /* Moving the rest down each time would cost the square of its length. */
    if (c->sent == c->out.n || c->sent > HEADERS) {
        v23_buf_drop(&c->out, c->sent);
        c->sent = 0;
    }
    if (c->out.n == 0)
        v23_buf_fini(&c->out);
    resume(c);
}

/* The fields of a struct, each a value of its own. */
static int put_fields(struct vsec_agent_conn *c, const struct vdl_type *t,
    const void *v)
{
    uint32_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < t->count; i++)
        rc = vom_encode(&c->enc, t->fields[i].type,
            (const uint8_t *)v + t->fields[i].offset);
    return rc;
}

/* A message cut short cannot be taken back: types may have been announced. */
static int put_message(struct vsec_agent_conn *c,
    const v23_agent_rpc_message *msg, const struct vdl_type *t, const void *v)
{
    int rc = v23_agent_rpc_message_encode(&c->enc, msg);

    if (rc == 0 && t != NULL)
        rc = put_fields(c, t, v);
    if (rc != 0)
        fail(c, rc);
    wake(c);
    return rc;
}

int vsec_agent_start_(struct vsec_agent_conn *c,
    enum vsec_agent_method_no_ m, const void *args,
    const struct vsec_agent_then_ *then, struct vsec_agent_call_ **out)
{
    const struct vsec_agent_method_ *method = &vsec_agent_methods_[m];
    struct vsec_agent_call_ *call;
    v23_agent_rpc_message msg;

    if (c->status != 0)
        return V23_ECLOSED;
    if (c->nown >= c->limits.calls)
        return V23_EAGAIN;
    call = call_new(c, method, c->next_id);
    if (call == NULL)
        return V23_ENOMEM;
    if (then != NULL)
        call->then = *then;
    append_call(&c->own, call);
    c->nown++;
    memset(&msg, 0, sizeof(msg));
    msg.which = V23_AGENT_RPC_MESSAGE_REQ;
    msg.u.req.id = c->next_id++;
    msg.u.req.method = method->name;
    msg.u.req.num_args = method->args->count;
    if (out != NULL)
        *out = call;
    /* On failure the connection has ended, and the call with it. */
    (void)!put_message(c, &msg, method->args, args);
    return 0;
}

void vsec_agent_answer_(struct vsec_agent_call_ *call,
    const struct v23_verror *err)
{
    struct vsec_agent_conn *c = call->c;
    v23_agent_rpc_message msg;

    if (unlink_call(&c->peers, call)) {
        c->npeers--;
        memset(&msg, 0, sizeof(msg));
        msg.which = V23_AGENT_RPC_MESSAGE_RESP;
        msg.u.resp.id = call->id;
        msg.u.resp.err = err;
        if (call->m != NULL)
            msg.u.resp.num_args = call->m->results->count;
        (void)!put_message(c, &msg, call->m == NULL ? NULL : call->m->results,
            call->results);
        resume(c);
    }
    vsec_agent_call_free_(call);
}

/* ---- input --------------------------------------------------------------- */

/* All values of a message are here. */
static void end_values(struct vsec_agent_conn *c)
{
    struct vsec_agent_call_ *call = c->in_call;

    c->in_call = NULL;
    c->want = VSEC_AGENT_MESSAGE_;
    if (call == NULL)
        return;
    if (c->in_answer) {
        end_call(call, call->rc);
        return;
    }
    append_call(&c->peers, call);
    c->npeers++;
    c->end.request(c->end.ud, call);
}

static int begin_values(struct vsec_agent_conn *c,
    struct vsec_agent_call_ *call, bool answer, uint32_t n)
{
    c->in_call = call;
    c->in_answer = answer;
    c->left = n;
    c->got = 0;
    c->want = VSEC_AGENT_VALUES_;
    if (n == 0)
        end_values(c);
    return c->status;
}

static const struct vsec_agent_method_ *find_method(
    const struct vsec_agent_conn *c, struct vdl_str name)
{
    size_t i;

    for (i = c->end.first; i < (size_t)c->end.last; i++)
        if (vdl_str_eq(vsec_agent_methods_[i].name, name))
            return &vsec_agent_methods_[i];
    return NULL;
}

static void put_text(char *out, size_t size, struct vdl_str s)
{
    size_t n = s.n < size ? s.n : size - 1;

    if (n > 0)
        memcpy(out, s.p, n);
    out[n] = 0;
}

static int take_request(struct vsec_agent_conn *c,
    const v23_agent_rpc_request *req)
{
    const struct vsec_agent_method_ *m = find_method(c, req->method);
    struct vsec_agent_call_ *call;
    const char *why = "unknown method";
    char name[VSEC_AGENT_TEXT_];
    struct v23_errctx ctx;

    if (m != NULL && req->num_args != m->args->count) {
        why = "wrong number of arguments";
        m = NULL;
    }
    call = call_new(c, m, req->id);
    if (call == NULL)
        return V23_ENOMEM;
    if (m != NULL)
        return begin_values(c, call, false, req->num_args);
    put_text(name, sizeof(name), req->method);
    ctx.component = vdl_str(c->end.name);
    ctx.op = vdl_str("");
    append_call(&c->peers, call);
    c->npeers++;
    vsec_agent_answer_(call, v23_verror_text(&call->arena, &ctx,
        vdl_str("v.io/v23/verror.Unknown"), V23_NO_RETRY, "%s: %s", name,
        why));
    return c->status != 0 ? c->status
                          : begin_values(c, NULL, false, req->num_args);
}

/* Keep the text of an error that the peer answered with. */
static int take_error(struct vsec_agent_call_ *call,
    const struct v23_verror *err)
{
    put_text(call->c->error, sizeof(call->c->error),
        err->msg.n > 0 ? err->msg : err->id);
    return vsec_agent_error_code_(err);
}

static int take_answer(struct vsec_agent_conn *c,
    const v23_agent_rpc_response *resp)
{
    struct vsec_agent_call_ *call = c->own;

    while (call != NULL && call->id != resp->id)
        call = call->next;
    if (call == NULL)
        return V23_EPROTO;
    call->rc = 0;
    if (resp->err != NULL)
        call->rc = take_error(call, resp->err);
    else if (resp->num_args != call->m->results->count)
        call->rc = V23_EPROTO;
    return begin_values(c, call, true, resp->num_args);
}

static int take_message(struct vsec_agent_conn *c, const struct vom_msg *m)
{
    v23_agent_rpc_message msg;
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, c->al, 4 * (size_t)c->limits.message);
    rc = v23_agent_rpc_message_decode(&c->dec, m, &a, &msg);
    if (rc == 0 && msg.which == V23_AGENT_RPC_MESSAGE_REQ)
        rc = msg.u.req.num_args > c->limits.args
                 ? V23_ELIMIT
                 : take_request(c, &msg.u.req);
    else if (rc == 0)
        rc = msg.u.resp.num_args > c->limits.args
                 ? V23_ELIMIT
                 : take_answer(c, &msg.u.resp);
    v23_arena_fini(&a);
    return rc;
}

static int take_value(struct vsec_agent_conn *c, const struct vom_msg *m)
{
    struct vsec_agent_call_ *call = c->in_call;
    const struct vdl_type *t = NULL;
    uint8_t *v = NULL;
    int rc = 0;

    if (call != NULL && call->rc == 0) {
        t = c->in_answer ? call->m->results : call->m->args;
        v = c->in_answer ? call->results : call->args;
        rc = vom_dec_value(&c->dec, m, &call->arena, t->fields[c->got].type,
            v + t->fields[c->got].offset);
    }
    if (rc != 0)
        return rc;
    c->got++;
    if (--c->left == 0)
        end_values(c);
    return c->status;
}

static int take_info(struct vsec_agent_conn *c, const struct vom_msg *m)
{
    v23_agent_conn_info info;
    int rc = v23_agent_conn_info_decode(&c->dec, m, NULL, &info);

    if (rc != 0)
        return rc;
    c->want = VSEC_AGENT_MESSAGE_;
    return info.min_version <= 1 && info.max_version >= 1 ? 0 : V23_EVERSION;
}

bool vsec_agent_wants_input(const struct vsec_agent_conn *c)
{
    return c->status == 0 && !paused(c);
}

static int take(struct vsec_agent_conn *c, const struct vom_msg *m)
{
    switch (c->want) {
    case VSEC_AGENT_INFO_VALUE_:
        return take_info(c, m);
    case VSEC_AGENT_MESSAGE_:
        return take_message(c, m);
    case VSEC_AGENT_VALUES_:
        return take_value(c, m);
    }
    return V23_ESTATE;
}

/* Work through what has come in. */
static void process(struct vsec_agent_conn *c)
{
    struct vom_msg msg;
    size_t pos = 0, used;
    int rc = 0;

    while (c->status == 0 && !paused(c)) {
        rc = vom_dec_next(&c->dec, c->in.p + pos, c->in.n - pos, &used, &msg);
        pos += used;
        if (rc == V23_EAGAIN)
            break;
        if (rc == 0)
            rc = take(c, &msg);
        if (rc != 0)
            fail(c, rc);
    }
    c->waiting = c->in.n > pos && paused(c);
    v23_buf_drop(&c->in, pos);
    if (c->in.n == 0)
        v23_buf_fini(&c->in);
}

int vsec_agent_input(struct vsec_agent_conn *c, const void *p, size_t n,
    struct v23_walltime now)
{
    int rc;

    c->now = now;
    c->busy++;
    if (c->status == 0) {
        v23_buf_put(&c->in, p, n);
        if (c->in.err != 0)
            fail(c, c->in.err);
        else
            process(c);
    }
    rc = c->status;
    if (c->blocked == 0)
        deliver(c);
    (void)leave(c);
    return rc;
}

void vsec_agent_run(struct vsec_agent_conn *c)
{
    if (c->blocked > 0)
        return;
    c->busy++;
    if (c->waiting)
        process(c);
    deliver(c);
    (void)leave(c);
}

/* ---- blocking ------------------------------------------------------------ */

int vsec_agent_block_(struct vsec_agent_conn *c, const bool *flag)
{
    int rc = 0;

    if (c->end.block == NULL)
        return V23_EAGAIN;
    c->busy++;
    c->blocked++;
    while (rc == 0 && !*flag && c->status == 0)
        rc = c->end.block(c->io.ud);
    c->blocked--;
    if (rc == 0 && !*flag)
        rc = V23_ECLOSED;
    if (c->blocked == 0)
        wake(c); /* something may have ended in the meantime */
    (void)leave(c);
    return rc;
}

int vsec_agent_ask_(struct vsec_agent_conn *c,
    enum vsec_agent_method_no_ m, const void *args,
    struct vsec_agent_call_ **out)
{
    struct vsec_agent_call_ *call;
    int rc;

    if (c->end.block == NULL)
        return V23_EAGAIN;
    rc = vsec_agent_start_(c, m, args, NULL, &call);
    if (rc != 0)
        return rc;
    rc = vsec_agent_block_(c, &call->ended);
    if (!call->ended) /* its answer, if any, will be dropped */
        return rc;
    (void)unlink_call(&c->ended, call);
    rc = call->rc;
    if (rc == 0 && out != NULL)
        *out = call;
    else
        vsec_agent_call_free_(call);
    return rc;
}

/* ---- objects ------------------------------------------------------------- */

static void set_limits(struct vsec_agent_limits *to,
    const struct vsec_agent_limits *from)
{
    if (from != NULL)
        *to = *from;
    if (to->message == 0)
        to->message = 8 << 20;
    if (to->calls == 0)
        to->calls = 256;
    if (to->args == 0)
        to->args = 16;
    if (to->depth == 0)
        to->depth = 100;
    if (to->output == 0)
        to->output = 1 << 20;
}

static int init_streams(struct vsec_agent_conn *c)
{
    const v23_agent_conn_info info = { 1, 1 };
    struct vom_options opt = vom_options_host;
    int rc;

    opt.limits.message = c->limits.message;
    opt.limits.depth = c->limits.depth;
    v23_buf_init(&c->in, c->al, (size_t)c->limits.message + 3 * HEADERS);
    v23_buf_init(&c->out, c->al, SIZE_MAX);
    vom_typeenc_init(&c->typeenc, c->al, &c->out);
    vom_enc_init(&c->enc, &c->typeenc, &c->out);
    rc = vom_typedec_new(c->al, &opt, &c->typedec);
    if (rc != 0)
        return rc;
    vom_dec_init(&c->dec, c->al, c->typedec, false);
    return v23_agent_conn_info_encode(&c->enc, &info);
}

int vsec_agent_conn_new_(const struct v23_alloc *al,
    const struct vsec_agent_limits *limits, const struct vsec_agent_io *io,
    const struct vsec_agent_end_ *end, struct vsec_agent_conn **out)
{
    struct vsec_agent_conn *c = v23_new(al, struct vsec_agent_conn);
    int rc;

    if (c == NULL)
        return V23_ENOMEM;
    c->al = al;
    c->io = *io;
    c->end = *end;
    set_limits(&c->limits, limits);
    rc = init_streams(c);
    if (rc != 0)
        destroy(c);
    else
        *out = c;
    return rc;
}
