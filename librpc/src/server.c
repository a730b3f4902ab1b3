/* BSD-3-Clause; see LICENSE. */
/*
 * Servers: call objects and the leaf rule (spec/rpc.md 18.1).
 */
#include "server_int.h"

#include <string.h>
#include <vrpc/name.h>
#include <vsec/blessings.h>
#include <vsec/principal.h>

#define DEFAULT_BUDGET (64u << 20)
#define DEFAULT_GLOB_BUDGET (16u << 20)
#define FIRST_TIMEOUT (60 * V23_NS_PER_SEC)

/* ---- call objects -------------------------------------------------------- */

static struct vrpc_server_call *call_new(struct vrpc_server *s)
{
    struct vrpc_manager *m = s->m;
    struct vrpc_server_call *call = v23_new(m->al, struct vrpc_server_call);

    if (call == NULL)
        return NULL;
    if (vrpc_timer_init_(&m->timers, &call->timer, vrpc_served_timer_,
            call) != 0) {
        v23_put(m->al, call);
        return NULL;
    }
    call->s = s;
    vrpc_stream_init_(&call->stream, &vrpc_served_ops_, m->al,
        s->cfg.call_budget);
    v23_arena_init(&call->arena, m->al, s->cfg.call_budget);
    v23_arena_init(&call->item, m->al, s->cfg.call_budget);
    call->resume_task.fn = vrpc_served_resume_;
    call->resume_task.ud = call;
    return call;
}

static void call_free(struct vrpc_server_call *call)
{
    struct vrpc_manager *m = call->s->m;

    vrpc_stream_fini_(&call->stream);
    v23_arena_fini(&call->arena);
    v23_arena_fini(&call->item);
    vrpc_timer_fini_(&m->timers, &call->timer);
    v23_put(m->al, call);
}

static void link_call(struct vrpc_server_call **list,
    struct vrpc_server_call *call)
{
    call->next = *list;
    if (call->next != NULL)
        call->next->link = &call->next;
    call->link = list;
    *list = call;
}

static void unlink_call(struct vrpc_server_call *call)
{
    *call->link = call->next;
    if (call->next != NULL)
        call->next->link = call->link;
}

static void session_link(struct vrpc_session_ *ss,
    struct vrpc_server_call *call)
{
    call->session = vrpc_session_pin_(ss);
    call->snext = ss->served;
    if (call->snext != NULL)
        call->snext->slink = &call->snext;
    call->slink = &ss->served;
    ss->served = call;
    ss->nserved++;
}

static void session_unlink(struct vrpc_server_call *call)
{
    if (call->slink == NULL)
        return;
    *call->slink = call->snext;
    if (call->snext != NULL)
        call->snext->slink = call->slink;
    call->slink = NULL;
    call->session->nserved--;
}

static void call_clear(struct vrpc_server_call *call)
{
    call->op.generation = 0;
    call->suffix.n = call->method_name.n = call->language.n = 0;
    memset(&call->ctx, 0, sizeof(call->ctx));
    call->span.store = NULL;
    call->deadline = V23_NEVER;
    call->dispatcher = NULL;
    memset(&call->obj, 0, sizeof(call->obj));
    call->auth = NULL;
    call->method = NULL;
    call->vt = NULL;
    call->nargs = call->arg = 0;
    call->in = call->out = NULL;
    memset(&call->check, 0, sizeof(call->check));
    call->err = NULL;
    call->status = 0;
    call->has_obj = call->want_item = call->args_ended = false;
    call->paused = call->busy = call->gone = call->replied = false;
    call->endless = false;
    call->cancel_fn = NULL;
    call->writable_fn = NULL;
    call->data = NULL;
}

static struct vrpc_server_call *call_get(struct vrpc_server *s)
{
    struct vrpc_server_call *call = s->pool;

    if (s->ncalls >= s->cfg.max_calls)
        return NULL;
    if (call != NULL) {
        unlink_call(call);
        s->npool--;
    } else {
        call = call_new(s);
        if (call == NULL)
            return NULL;
    }
    call_clear(call);
    link_call(&s->calls, call);
    s->ncalls++;
    return call;
}

void vrpc_served_release_object_(struct vrpc_server_call *call)
{
    const struct vrpc_dispatcher *d = call->dispatcher;

    if (call->has_obj && d != NULL && d->release != NULL)
        d->release(d->ud, &call->obj);
    call->has_obj = false;
}

void vrpc_served_end_(struct vrpc_server_call *call, bool cancel)
{
    struct vrpc_session_ *ss = call->session;
    struct vrpc_server *s = call->s;
    struct v23_op op = call->op;

    if (vrpc_op_live_(op)) {
        vrpc_op_end_(&s->m->ops, &call->op);
        if (call->dispatcher->cancel != NULL)
            call->dispatcher->cancel(call->dispatcher->ud, op);
    }
    vrpc_check_fini_(&call->check);
    vrpc_served_trace_end_(call);
    vrpc_served_release_object_(call);
    vrpc_timer_set_(&s->m->timers, &call->timer, V23_NEVER);
    vrpc_task_drop_(&s->m->tasks, &call->resume_task);
    session_unlink(call);
    vrpc_stream_end_(&call->stream, cancel);
    vsec_blessings_unref(call->granted);
    call->granted = NULL;
    v23_arena_reset(&call->arena);
    v23_arena_reset(&call->item);
    call->state = VRPC_SERVED_IDLE_;
    unlink_call(call);
    s->ncalls--;
    /* Its own step may still be on the stack: freed later, if at all. */
    link_call(&s->pool, call);
    if (++s->npool > s->cfg.pool)
        vrpc_mgr_post_(s->m, &s->trim_task);
    vrpc_session_unpin_(ss);
    vrpc_host_progress_(&s->host);
}

static void trim(void *ud)
{
    struct vrpc_server *s = ud;
    struct vrpc_server_call *call;

    while (s->npool > s->cfg.pool) {
        call = s->pool;
        unlink_call(call);
        s->npool--;
        call_free(call);
    }
}

void vrpc_served_security_(struct vrpc_server_call *call,
    struct vsec_call *sc)
{
    struct vrpc_session_ *ss = call->session;
    struct vrpc_flow *f = call->stream.flow;
    const struct vsec_blessings *local = vrpc_flow_local_blessings(f);
    const struct vsec_blessings *remote = vrpc_flow_remote_blessings(f);

    memset(sc, 0, sizeof(*sc));
    sc->timestamp = call->received.wall;
    sc->method = call->method_name;
    sc->suffix = call->suffix;
    sc->language = call->language;
    /* The hook's owner has nothing to do with objects of our own. */
    if (!vrpc_name_is_reserved(call->method_name) &&
        !vrpc_name_is_reserved(call->suffix))
        sc->hook = call->s->cfg.caveats;
    sc->principal = call->s->m->principal;
    sc->chains = call->s->m->chains;
    /* Checks only read; their struct has no const members. */
    sc->local_blessings = (struct vsec_blessings *)(uintptr_t)local;
    sc->remote_blessings = (struct vsec_blessings *)(uintptr_t)remote;
    sc->remote_discharges = vrpc_flow_remote_discharges(f,
        &sc->nremote_discharges);
    sc->local_endpoint = vrpc_session_local_text_(ss);
    sc->remote_endpoint = vrpc_session_remote_text_(ss);
    sc->remote_endpoint_names =
        vrpc_conn_remote_endpoint(ss->conn)->blessings;
}

/* ---- the manager's events ------------------------------------------------ */

static void host_flow(struct vrpc_host_ *h, struct vrpc_session_ *ss,
    struct vrpc_flow *f)
{
    struct vrpc_server *s = (struct vrpc_server *)h;
    struct vrpc_server_call *call = NULL;

    if (ss->nserved < s->cfg.max_calls_per_conn)
        call = call_get(s);
    if (call == NULL) {
        vrpc_flow_cancel(f);
        return;
    }
    session_link(ss, call);
    call->stream.flow = f;
    vrpc_flow_set_ud(f, &call->stream.user);
    call->state = VRPC_SERVED_CLASSIFY_;
    call->received = vrpc_mgr_now_(s->m);
    vrpc_mgr_timer_(s->m, &call->timer,
        call->received.mono_ns + FIRST_TIMEOUT);
}

void vrpc_server_types_(struct vrpc_session_ *ss)
{
    struct vrpc_server_call *call, *next;

    for (call = ss->served; call != NULL; call = next) {
        next = call->snext;
        if (call->state == VRPC_SERVED_TYPES_) {
            vrpc_served_run_(call);
            /* The call's own callbacks may have ended its neighbours. */
            next = ss->served;
            while (next != NULL && next->state != VRPC_SERVED_TYPES_)
                next = next->snext;
        }
    }
}

static size_t host_busy(const struct vrpc_host_ *h)
{
    return ((const struct vrpc_server *)h)->ncalls;
}

static void host_destroy(struct vrpc_host_ *h)
{
    vrpc_server_free((struct vrpc_server *)h);
}

static const struct vrpc_host_ops_ host_ops = { host_flow, host_busy,
    NULL, host_destroy };

/* ---- lookup -------------------------------------------------------------- */

void vrpc_server_looked_up(struct vrpc_server *s, struct v23_op op, int rc,
    const struct vrpc_object *obj, const struct vsec_authorizer *auth,
    const struct v23_verror *err)
{
    struct vrpc_server_call *call = vrpc_op_owner_(&s->m->ops, op,
        VRPC_OP_LOOKUP);
    struct vrpc_glob_run_ *g = vrpc_op_owner_(&s->m->ops, op,
        VRPC_OP_GLOB_LOOKUP);
    struct vrpc_server_call *sig = vrpc_op_owner_(&s->m->ops, op,
        VRPC_OP_SIGNATURE);

    if (sig != NULL) {
        vrpc_op_end_(&s->m->ops, &sig->op);
        vrpc_signature_looked_up_(sig, rc, obj, err);
        return;
    }
    if (g != NULL) {
        vrpc_glob_looked_up_(g, rc, obj, auth);
        return;
    }
    if (call == NULL)
        return;
    vrpc_op_end_(&s->m->ops, &call->op);
    if (rc == 0) {
        call->obj = *obj;
        call->auth = auth;
    }
    vrpc_served_looked_up_(call, rc, err);
}

const struct vrpc_server_call *vrpc_server_lookup_call(
    const struct vrpc_server *s, struct v23_op op)
{
    const struct vrpc_ops_ *ops = &s->m->ops;
    const struct vrpc_server_call *call = vrpc_op_owner_(ops, op,
        VRPC_OP_LOOKUP);
    struct vrpc_glob_run_ *g;

    if (call == NULL)
        call = vrpc_op_owner_(ops, op, VRPC_OP_SIGNATURE);
    g = call != NULL ? NULL : vrpc_op_owner_(ops, op, VRPC_OP_GLOB_LOOKUP);
    return g == NULL ? call : vrpc_glob_call_of_(g);
}

static int object_lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    struct vrpc_server *s = ud;
    struct v23_errctx ctx;

    (void)op;
    if (suffix.n > 0 && s->leaf) {
        memset(&ctx, 0, sizeof(ctx));
        ctx.component = s->cfg.component;
        *err = vrpc_err_params(a, &ctx, VRPC_ERR_UNKNOWN_SUFFIX, &suffix, 1,
            "Suffix does not exist: %.*s", (int)suffix.n, suffix.p);
        return V23_EWIREERR;
    }
    *obj = s->cfg.object;
    *auth = s->cfg.authorizer;
    return 0;
}

/* ---- calls without end --------------------------------------------------- */

/* Ask those to end that would not by themselves. */
static void cancel_endless(void *ud)
{
    struct vrpc_server *s = ud;
    struct vrpc_server_call *call = s->calls;

    while (call != NULL) {
        if (call->endless && call->status == 0) {
            vrpc_served_cancel_(call, V23_ECANCELED);
            call = s->calls; /* it may have ended, and others with it */
        } else {
            call = call->next;
        }
    }
}

void vrpc_server_call_endless(struct vrpc_server_call *call)
{
    struct vrpc_server *s = call->s;

    call->endless = true;
    if (vrpc_server_state(s) != VRPC_SERVER_READY)
        vrpc_mgr_post_(s->m, &s->endless_task);
}

void vrpc_server_stopping_(struct vrpc_server *s)
{
    cancel_endless(s);
}

/* ---- life ---------------------------------------------------------------- */

static void defaults(struct vrpc_server_config *c)
{
    if (c->max_calls == 0)
        c->max_calls = 65536;
    if (c->max_calls_per_conn == 0)
        c->max_calls_per_conn = 4096;
    if (c->call_budget == 0)
        c->call_budget = DEFAULT_BUDGET;
    if (c->glob_budget == 0)
        c->glob_budget = DEFAULT_GLOB_BUDGET;
    if (c->pool == 0)
        c->pool = 64;
}

int vrpc_server_new(struct vrpc_manager *m,
    const struct vrpc_server_config *cfg, struct vrpc_server **out)
{
    struct vrpc_server *s;
    int rc;

    if (cfg->peers != NULL) /* needs identity-based encryption */
        return cfg->peers->n == 0 || cfg->name.n > 0 ? V23_EARG : V23_ENOSYS;
    s = v23_new(m->al, struct vrpc_server);
    if (s == NULL)
        return V23_ENOMEM;
    rc = vrpc_host_init_(&s->host, m, &host_ops);
    if (rc != 0) {
        v23_put(m->al, s);
        return rc;
    }
    s->m = m;
    s->cfg = *cfg;
    defaults(&s->cfg);
    s->trim_task.fn = trim;
    s->trim_task.ud = s;
    s->endless_task.fn = cancel_endless;
    s->endless_task.ud = s;
    s->object_dispatcher.lookup = object_lookup;
    s->object_dispatcher.ud = s;
    s->dispatcher = cfg->dispatcher != NULL ? cfg->dispatcher
                                            : &s->object_dispatcher;
    s->leaf = cfg->leaf == VRPC_LEAF_DEFAULT ? cfg->dispatcher == NULL
                                             : cfg->leaf == VRPC_LEAF_YES;
    m->server = s;
    vrpc_server_stats_init_(s);
    *out = s;
    vrpc_own_start_(m);
    return 0;
}

void vrpc_server_free(struct vrpc_server *s)
{
    struct vrpc_server_call *call;

    if (s == NULL)
        return;
    s->host.state = VRPC_SERVER_STOPPED; /* nothing waits for the calls */
    vrpc_server_stats_fini_(s);
    vrpc_task_drop_(&s->m->tasks, &s->trim_task);
    vrpc_task_drop_(&s->m->tasks, &s->endless_task);
    while ((call = s->calls) != NULL)
        vrpc_served_end_(call, true);
    vrpc_task_drop_(&s->m->tasks, &s->trim_task);
    while ((call = s->pool) != NULL) {
        unlink_call(call);
        call_free(call);
    }
    vrpc_host_fini_(&s->host);
    s->m->server = NULL;
    v23_put(s->m->al, s);
}

enum vrpc_server_state vrpc_server_state(const struct vrpc_server *s)
{
    return s->host.state;
}

bool vrpc_server_is_leaf(const struct vrpc_server *s)
{
    return s->leaf;
}

bool vrpc_server_is_mount_table(const struct vrpc_server *s)
{
    return s->cfg.mount_table;
}

void vrpc_server_stop(struct vrpc_server *s, int64_t lame_duck_ns,
    void (*done)(void *ud), void *ud)
{
    vrpc_host_stop_(&s->host, lame_duck_ns, done, ud);
}

size_t vrpc_server_ncalls(const struct vrpc_server *s)
{
    return s->ncalls;
}

struct vrpc_manager *vrpc_server_manager(const struct vrpc_server *s)
{
    return s->m;
}
