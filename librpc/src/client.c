/* BSD-3-Clause; see LICENSE. */
/*
 * Clients and the life of their calls. Call objects go back to a pool with the
 * memory they have, so that a steady stream of calls does not allocate. The
 * pool is the manager's: of a thousand clients that share one, few call at a
 * time.
 */
#include "call_int.h"
#include "fetch_int.h"

#include <string.h>
#include <vom/value.h>
#include <vrpc/name.h>
#include <vsec/blessings.h>

#define CONNECT_TIMEOUT (60 * V23_NS_PER_SEC)
#define DEFAULT_BUDGET (64u << 20)
#define DEFAULT_MAX_CALLS 65536u
#define DEFAULT_POOL 64u

static void call_done(void *ud);

/* ---- call objects -------------------------------------------------------- */

static struct vrpc_call *call_new(struct vrpc_client *c)
{
    struct vrpc_manager *m = c->m;
    struct vrpc_call *call = v23_new(m->al, struct vrpc_call);
    int rc;

    if (call == NULL)
        return NULL;
    call->c = c;
    vrpc_stream_init_(&call->stream, &vrpc_call_ops_, m->al,
        c->cfg.call_budget);
    v23_arena_init(&call->arena, m->al, SIZE_MAX);
    v23_arena_init(&call->data, m->al, c->cfg.call_budget);
    call->task.fn = call_done;
    call->task.ud = call;
    call->writable_task.fn = vrpc_call_writable_;
    call->writable_task.ud = call;
    call->resume_task.fn = vrpc_call_resume_;
    call->resume_task.ud = call;
    rc = vrpc_timer_init_(&m->timers, &call->deadline_timer,
        vrpc_call_deadline_, call);
    if (rc == 0)
        rc = vrpc_timer_init_(&m->timers, &call->retry_timer,
            vrpc_call_retry_timer_, call);
    if (rc != 0) {
        vrpc_timer_fini_(&m->timers, &call->deadline_timer);
        v23_put(m->al, call);
        return NULL;
    }
    return call;
}

static void call_free(struct vrpc_manager *m, struct vrpc_call *call)
{
    vrpc_stream_fini_(&call->stream);
    v23_arena_fini(&call->arena);
    v23_arena_fini(&call->data);
    vrpc_timer_fini_(&m->timers, &call->deadline_timer);
    vrpc_timer_fini_(&m->timers, &call->retry_timer);
    v23_put(m->al, call);
}

static void link_call(struct vrpc_call **list, struct vrpc_call *call)
{
    call->next = *list;
    if (call->next != NULL)
        call->next->link = &call->next;
    call->link = list;
    *list = call;
}

static void unlink_call(struct vrpc_call *call)
{
    *call->link = call->next;
    if (call->next != NULL)
        call->next->link = call->link;
}

void vrpc_calls_trim_(struct vrpc_manager *m)
{
    struct vrpc_call *call;

    while ((call = m->pool) != NULL) {
        unlink_call(call);
        m->npool--;
        call_free(m, call);
    }
}

/* Forget what the last use of a pooled object left. */
static void call_clear(struct vrpc_call *call)
{
    call->op.generation = 0;
    memset(&call->opts, 0, sizeof(call->opts));
    call->pattern.n = 0;
    call->span.store = NULL;
    call->method = NULL;
    call->in = NULL;
    call->nargs = call->nresults = 0;
    call->stub = NULL;
    call->item_fn = call->done_fn = NULL;
    call->any_cb = NULL;
    call->writable_fn = NULL;
    call->retries = call->tries = 0;
    call->prev = call->unconnected = call->err = NULL;
    call->attempts = call->chosen = NULL;
    call->pin = NULL;
    call->nattempts = 0;
    call->out = NULL;
    call->results = NULL;
    call->want = VRPC_WANT_NOTHING_;
    call->request_sent = call->send_closed = call->close_wanted = false;
    call->paused = call->canceled = call->expired = call->busy = false;
}

static struct vrpc_call *call_get(struct vrpc_client *c)
{
    struct vrpc_manager *m = c->m;
    struct vrpc_call *call = m->pool;

    if (c->ncalls >= c->cfg.max_calls)
        return NULL;
    m->called = true;
    /* Its buffers were made for its budget. */
    if (call != NULL && call->stream.budget == c->cfg.call_budget) {
        unlink_call(call);
        m->npool--;
        call_clear(call);
        call->c = c;
    } else {
        call = call_new(c);
        if (call == NULL)
            return NULL;
    }
    link_call(&c->calls, call);
    c->ncalls++;
    return call;
}

static void call_put(struct vrpc_call *call)
{
    struct vrpc_client *c = call->c;
    struct vrpc_manager *m = c->m;

    unlink_call(call);
    c->ncalls--;
    vrpc_task_drop_(&m->tasks, &call->writable_task);
    vrpc_task_drop_(&m->tasks, &call->resume_task);
    vsec_blessings_unref(call->peer);
    call->peer = NULL;
    vrpc_names_unref_(call->names);
    call->names = NULL;
    vrpc_call_unchoose_(call);
    vrpc_place_unref_(call->place);
    call->place = NULL;
    v23_arena_reset(&call->arena);
    v23_arena_reset(&call->data);
    call->state = VRPC_CALL_IDLE_;
    if (m->npool >= c->cfg.pool) {
        call_free(m, call);
        return;
    }
    link_call(&m->pool, call);
    m->npool++;
}

void vrpc_call_release_(struct vrpc_call *call)
{
    struct vrpc_client *c = call->c;
    struct v23_op op = call->op;
    size_t i;

    if (vrpc_op_live_(op)) {
        vrpc_op_end_(&c->m->ops, &call->op);
        if (call->state == VRPC_CALL_RESOLVE_ && c->resolver != NULL &&
            c->resolver->cancel != NULL)
            c->resolver->cancel(c->resolver->ud, op);
    }
    vrpc_call_stop_attempts_(call);
    if (call->fetch != NULL)
        vrpc_fetch_cancel_(call->fetch);
    call->fetch = NULL;
    vrpc_timer_set_(&c->m->timers, &call->retry_timer, V23_NEVER);
    vrpc_stream_end_(&call->stream, call->err != NULL);
    vrpc_session_unpin_(call->session);
    call->session = NULL;
    vsec_blessings_unref(call->blessings);
    vsec_blessings_unref(call->granted);
    call->blessings = call->granted = NULL;
    call->ngrants = 0;
    for (i = 0; i < call->ndischarges; i++)
        vsec_discharge_unref(call->discharges[i]);
    call->ndischarges = 0;
}

void vrpc_call_end_(struct vrpc_call *call, const struct v23_verror *err)
{
    if (call->state == VRPC_CALL_DONE_)
        return;
    call->err = err;
    vrpc_call_release_(call);
    vrpc_span_end(vrpc_call_span_(call));
    vrpc_timer_set_(&call->c->m->timers, &call->deadline_timer, V23_NEVER);
    call->state = VRPC_CALL_DONE_;
    vrpc_mgr_post_(call->c->m, &call->task);
}

/* Tell the caller. */
static void call_done(void *ud)
{
    struct vrpc_call *call = ud;

    if (call->method == NULL) {
        call->any_cb->done(call->ud, call->err, call->results,
            call->err == NULL ? call->nresults : 0);
    } else {
        call->stub->done(call->done_fn, call->ud, call->err,
            call->err == NULL ? call->out : NULL);
    }
    call_put(call);
}

const struct v23_errctx *vrpc_call_ctx_(struct vrpc_call *call)
{
    struct v23_errctx *ctx = v23_arena_new(&call->arena, struct v23_errctx);
    struct v23_buf b;

    if (ctx == NULL)
        return &call->c->ctx;
    *ctx = call->c->ctx;
    v23_buf_init(&b, call->c->m->al, 4096);
    v23_buf_puts(&b, "<rpc.Client>");
    vdl_format_quoted(&b, call->name.p, call->name.n);
    v23_buf_put_byte(&b, '.');
    v23_buf_put_str(&b, call->method_name);
    if (b.err == 0) {
        ctx->op.p = v23_arena_dup(&call->arena, b.p, b.n);
        ctx->op.n = ctx->op.p == NULL ? 0 : (uint32_t)b.n;
    }
    v23_buf_fini(&b);
    return ctx;
}

const struct vrpc_span *vrpc_call_span_(struct vrpc_call *call)
{
    if (!vrpc_span_live_(&call->span))
        return NULL;
    if (call->span.name.n == 0) /* collected since */
        call->span.name = vrpc_call_ctx_(call)->op;
    return &call->span;
}

/* ---- starting ------------------------------------------------------------ */

static void set_deadlines(struct vrpc_call *call, int64_t now)
{
    const struct vrpc_call_opts *o = &call->opts;

    call->started = now;
    call->deadline = o->deadline == 0 ? V23_NEVER : o->deadline;
    if (o->timeout_ns != 0 && now + o->timeout_ns < call->deadline)
        call->deadline = now + o->timeout_ns;
    call->conn_deadline = call->deadline;
    if (o->connect_timeout_ns > 0 &&
        now + o->connect_timeout_ns < call->conn_deadline)
        call->conn_deadline = now + o->connect_timeout_ns;
    if (call->conn_deadline == V23_NEVER)
        call->conn_deadline = now + CONNECT_TIMEOUT;
    if (call->deadline != V23_NEVER)
        vrpc_mgr_timer_(call->c->m, &call->deadline_timer, call->deadline);
}

static void begin_span(struct vrpc_call *call, struct v23_walltime now)
{
    struct vrpc_span *s = &call->span;

    vrpc_span_client_(&call->c->m->tracer, call->opts.span, now, s);
    call->opts.span = s; /* of the calls that are made for this one */
    if (s->metadata.n > 0) {
        s->metadata.p = v23_arena_dup(&call->arena, s->metadata.p,
            s->metadata.n);
        if (s->metadata.p == NULL)
            s->metadata.n = 0;
    }
    if (!vrpc_span_wanted_(s))
        return;
    s->name = vrpc_call_ctx_(call)->op;
    vrpc_span_start_(s, s->metadata);
}

/* The server's name: that of a place, or taken apart in the call's arena. */
static int set_name(struct vrpc_call *call, struct vdl_str name)
{
    struct v23_arena *a = &call->arena;
    const char *why;

    if (vrpc_name_is_rooted(name) &&
        vrpc_place_get_(&call->c->m->places, name, &call->place, &why) == 0) {
        if (call->place->plain) {
            call->name = call->rest = call->place->name;
            return 0;
        }
        vrpc_place_unref_(call->place);
        call->place = NULL;
    }
    call->name = vdl_strn(v23_arena_dup(a, name.p, name.n), name.n);
    if (call->name.p == NULL)
        return V23_ENOMEM;
    return vrpc_name_split_pattern(a, call->name, &call->pattern,
        &call->rest);
}

/* Of a method that is known by name only. */
static int set_method(struct vrpc_call *call, struct vdl_str method)
{
    call->method_name = vdl_strn(v23_arena_dup(&call->arena, method.p,
        method.n), method.n);
    return call->method_name.p == NULL ? V23_ENOMEM : 0;
}

static int copy_args(struct vrpc_call *call, const struct vrpc_method *m,
    const void *in)
{
    uint16_t i;
    char *to;
    int rc;

    call->nargs = m->nin;
    if (m->in_size == 0)
        return 0;
    call->in = to = v23_arena_get0(&call->arena, 1, m->in_size, 16);
    if (to == NULL)
        return V23_ENOMEM;
    for (i = 0; i < m->nin; i++) {
        rc = vdl_copy(&call->arena, m->in[i].type, to + m->in[i].offset,
            (const char *)in + m->in[i].offset);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int copy_any_args(struct vrpc_call *call, const struct vdl_any *args,
    size_t n)
{
    struct vdl_any *copy;
    size_t i;
    int rc;

    call->nargs = n;
    if (call->opts.keep_args) {
        call->in = args;
        return 0;
    }
    copy = v23_arena_get0(&call->arena, n, sizeof(*copy),
        V23_ALIGNOF(struct vdl_any));
    if (copy == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++) {
        rc = vdl_copy(&call->arena, &vdl_any_desc, &copy[i], &args[i]);
        if (rc != 0)
            return rc;
    }
    call->in = copy;
    return 0;
}

/* Everything is copied: go, or end with the failure of the copies. */
static struct vrpc_call *launch(struct vrpc_call *call, int rc)
{
    struct v23_now now;

    if (rc == V23_ENOMEM) {
        vrpc_timer_set_(&call->c->m->timers, &call->deadline_timer,
            V23_NEVER);
        call_put(call);
        return NULL;
    }
    if (rc != 0) {
        vrpc_call_end_(call,
            vrpc_err_make(&call->arena, vrpc_call_ctx_(call),
                vrpc_err_of_status(rc), "bad argument: %s",
                v23_strerror(rc)));
        return call;
    }
    now = vrpc_mgr_now_(call->c->m);
    set_deadlines(call, now.mono_ns);
    begin_span(call, now.wall);
    vrpc_call_try_(call);
    return call;
}

struct vrpc_call *vrpc_client_start(struct vrpc_client *c, const char *name,
    const struct vrpc_call_opts *opts, const struct vrpc_method *m,
    const void *in, const struct vrpc_call_stub *stub, vrpc_any_fn *item,
    vrpc_any_fn *done, void *ud)
{
    struct vrpc_call *call = call_get(c);
    int rc;

    if (call == NULL)
        return NULL;
    if (opts != NULL)
        call->opts = *opts;
    call->method = m;
    call->stub = stub;
    call->item_fn = item;
    call->done_fn = done;
    call->ud = ud;
    call->close_wanted = m->in_stream == NULL;
    call->method_name = m->name;
    rc = set_name(call, vdl_str(name));
    if (rc == 0)
        rc = copy_args(call, m, in);
    return launch(call, rc);
}

struct vrpc_call *vrpc_client_start_any(struct vrpc_client *c,
    struct vdl_str name, struct vdl_str method,
    const struct vrpc_call_opts *opts, const struct vdl_any *args,
    size_t nargs, size_t nresults, const struct vrpc_any_cb *cb, void *ud)
{
    struct vrpc_call *call = call_get(c);
    int rc;

    if (call == NULL)
        return NULL;
    if (opts != NULL)
        call->opts = *opts;
    call->any_cb = cb;
    call->ud = ud;
    call->nresults = nresults;
    rc = set_method(call, method);
    if (rc == 0)
        rc = set_name(call, name);
    if (rc == 0)
        rc = copy_any_args(call, args, nargs);
    return launch(call, rc);
}

struct vrpc_call *vrpc_call_connect_(struct vrpc_client *c,
    struct vdl_str name, const struct vrpc_call_opts *opts,
    const struct vrpc_any_cb *cb, struct vrpc_pin *p)
{
    struct vrpc_call *call = call_get(c);

    if (call == NULL)
        return NULL;
    call->opts = *opts;
    call->any_cb = cb;
    call->ud = p;
    call->pin = p;
    call->method_name = vdl_str("");
    return launch(call, set_name(call, name));
}

void vrpc_call_cancel(struct vrpc_call *call)
{
    if (call->state == VRPC_CALL_DONE_ || call->canceled)
        return;
    call->canceled = true;
    vrpc_call_end_(call,
        vrpc_err_make(&call->arena, vrpc_call_ctx_(call), VRPC_ERR_CANCELED,
            "canceled"));
}

void vrpc_call_on_writable(struct vrpc_call *call,
    void (*fn)(void *ud, struct vrpc_call *call), void *ud)
{
    call->writable_fn = fn;
    call->writable_ud = ud;
    if (fn != NULL && call->state == VRPC_CALL_RUN_)
        vrpc_mgr_post_(call->c->m, &call->writable_task);
}

bool vrpc_call_is_sent(const struct vrpc_call *call)
{
    return call->request_sent;
}

struct vrpc_client *vrpc_call_client(const struct vrpc_call *call)
{
    return call->c;
}

/* ---- clients ------------------------------------------------------------- */

void vrpc_client_networks_(struct vrpc_client *c,
    const struct vrpc_network *old, const struct vrpc_network *nets, size_t n)
{
    for (; c != NULL; c = c->next)
        if (c->cfg.networks == old && old != NULL) {
            c->cfg.networks = nets;
            c->cfg.nnetworks = n;
        }
}

int vrpc_client_new(struct vrpc_manager *m,
    const struct vrpc_client_config *cfg, struct vrpc_client **out)
{
    struct vrpc_client *c = v23_new(m->al, struct vrpc_client);

    if (c == NULL)
        return V23_ENOMEM;
    c->m = m;
    c->cfg = *cfg;
    c->resolver = cfg->resolver;
    if (c->cfg.call_budget == 0)
        c->cfg.call_budget = DEFAULT_BUDGET;
    if (c->cfg.max_calls == 0)
        c->cfg.max_calls = DEFAULT_MAX_CALLS;
    if (c->cfg.pool == 0)
        c->cfg.pool = DEFAULT_POOL;
    c->ctx.component = cfg->component;
    c->link = m->clients_tail;
    *c->link = c;
    m->clients_tail = &c->next;
    vrpc_client_stats_init_(c);
    *out = c;
    return 0;
}

void vrpc_client_set_resolver(struct vrpc_client *c,
    const struct vrpc_resolver *r)
{
    c->resolver = r;
}

void vrpc_client_free(struct vrpc_client *c)
{
    struct vrpc_manager *m;
    struct vrpc_call *call;

    if (c == NULL)
        return;
    m = c->m;
    vrpc_client_stats_fini_(c);
    c->cfg.max_calls = 0; /* no new ones from a callback */
    while (c->pins != NULL)
        vrpc_pin_free(c->pins);
    while ((call = c->calls) != NULL) {
        vrpc_call_cancel(call);
        vrpc_task_drop_(&m->tasks, &call->task);
        call_done(call);
    }
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    else
        m->clients_tail = c->link;
    if (m->clients == NULL)
        vrpc_calls_trim_(m);
    v23_put(m->al, c);
}

struct vrpc_manager *vrpc_client_manager(const struct vrpc_client *c)
{
    return c->m;
}

size_t vrpc_client_ncalls(const struct vrpc_client *c)
{
    return c->ncalls;
}
