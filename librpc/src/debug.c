/* BSD-3-Clause; see LICENSE. */
/*
 * The dispatcher of __debug (spec/services.md 9.1), and how its calls that
 * take long are kept.
 */
#include "debug_int.h"

#include <vrpc/name.h>

#define ROOT "__debug"
#define WATCH_PERIOD (10 * V23_NS_PER_SEC)
#define FOLLOW_PERIOD (500 * V23_NS_PER_MS)
#define MAX_STREAMS 64

/* ---- calls that take long ------------------------------------------------ */

const struct v23_verror *vrpc_debug_failed_(struct vrpc_server_call *call,
    const char *what, struct vdl_str detail)
{
    return vrpc_err_make(vrpc_server_call_arena(call), NULL, VRPC_ERR_UNKNOWN,
        "%s%.*s", what, (int)detail.n, detail.p);
}

static void run_timer(void *ud)
{
    struct vrpc_debug_run_ *r = ud;

    r->go(r, true);
}

static void run_writable(void *ud, struct vrpc_server_call *call)
{
    struct vrpc_debug_run_ *r = ud;

    (void)call;
    r->go(r, false);
}

static void run_cancelled(void *ud, struct vrpc_server_call *call, int reason)
{
    (void)call;
    (void)reason;
    vrpc_debug_run_finish_(ud, NULL);
}

const struct v23_verror *vrpc_debug_run_start_(struct vrpc_debug_run_ *r,
    struct vrpc_debug *d, struct vrpc_server_call *call)
{
    if (d->nruns >= d->cfg.max_streams)
        return vrpc_debug_failed_(call, "too many watchers and readers",
            vdl_str(""));
    if (vrpc_timer_init_(&call->s->m->timers, &r->timer, run_timer, r) != 0)
        return vrpc_err_make(vrpc_server_call_arena(call),
            vrpc_server_call_errctx(call), VRPC_ERR_INTERNAL,
            "out of memory");
    d->nruns++;
    r->d = d;
    r->call = call;
    vrpc_server_call_on_writable(call, run_writable, r);
    vrpc_server_call_on_cancel(call, run_cancelled, r);
    vrpc_server_call_endless(call);
    return NULL;
}

void vrpc_debug_run_wait_(struct vrpc_debug_run_ *r, int64_t ns)
{
    struct vrpc_manager *m = r->call->s->m;

    vrpc_mgr_timer_(m, &r->timer, vrpc_mgr_now_(m).mono_ns + ns);
}

void vrpc_debug_run_finish_(struct vrpc_debug_run_ *r,
    const struct v23_verror *err)
{
    struct vrpc_server_call *call = r->call;

    r->d->nruns--;
    vrpc_timer_fini_(&call->s->m->timers, &r->timer);
    call->cancel_fn = NULL;
    call->writable_fn = NULL;
    r->end(r);
    (void)vrpc_server_call_reply(call, err, r->out); /* r is gone */
}

/* ---- directories --------------------------------------------------------- */

static int send_if(struct vrpc_glob_call *g, const struct vrpc_glob *pattern,
    const char *name)
{
    if (!vrpc_glob_match(pattern, vdl_str(name)))
        return 0;
    return vrpc_glob_send_child(g, vdl_str(name));
}

static int root_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    (void)self;
    return send_if(g, pattern, ROOT);
}

static bool has_vtrace(const struct vrpc_debug *d)
{
    return d->cfg.vtrace.iface != NULL || d->cfg.vtrace.glob != NULL;
}

static int debug_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    const struct vrpc_debug *d = ((struct vrpc_debug_object_ *)self)->d;
    int rc = 0;

    if (d->cfg.logs.ops != NULL)
        rc = send_if(g, pattern, "logs");
    if (rc == 0)
        rc = send_if(g, pattern, "pprof");
    if (rc == 0 && d->cfg.stats != NULL)
        rc = send_if(g, pattern, "stats");
    if (rc == 0 && has_vtrace(d))
        rc = send_if(g, pattern, "vtrace");
    return rc != 0 ? rc : send_if(g, pattern, "http");
}

static const struct vrpc_globber root_globber = { .children = root_children };
static const struct vrpc_globber debug_globber = {
    .children = debug_children };

/* ---- lookup -------------------------------------------------------------- */

/* The first element of a name, and what follows the slashes behind it. */
static struct vdl_str cut(struct vdl_str *name)
{
    const char *slash = name->n == 0 ? NULL : memchr(name->p, '/', name->n);
    struct vdl_str first = *name;

    if (slash == NULL) {
        name->n = 0;
        return first;
    }
    first.n = (uint32_t)(slash - name->p);
    name->p += first.n;
    name->n -= first.n;
    while (name->n > 0 && name->p[0] == '/') {
        name->p++;
        name->n--;
    }
    return first;
}

static struct vrpc_object object_of(struct vrpc_debug_object_ *o)
{
    const struct vrpc_debug *d = o->d;
    struct vdl_str what = cut(&o->suffix);
    struct vrpc_object none = { NULL, NULL, NULL, NULL, NULL };

    if (what.n == 0) {
        none.self = o;
        none.glob = &debug_globber;
    } else if (vdl_str_is(what, "stats") && d->cfg.stats != NULL) {
        return vrpc_debug_stats_(o);
    } else if (vdl_str_is(what, "logs") && d->cfg.logs.ops != NULL) {
        return vrpc_debug_logs_(o);
    } else if (vdl_str_is(what, "pprof")) {
        return vrpc_debug_pprof_(o);
    } else if (vdl_str_is(what, "http")) {
        return vrpc_debug_http_(o);
    } else if (vdl_str_is(what, "vtrace") && has_vtrace(d)) {
        return d->cfg.vtrace;
    }
    return none;
}

/* What both kinds of lookup begin with; NULL: out of memory. */
static struct vrpc_debug_object_ *look(struct vrpc_debug *d,
    struct vdl_str suffix, struct v23_arena *a,
    const struct vsec_authorizer **auth)
{
    struct vrpc_debug_object_ *o = v23_arena_new(a, struct vrpc_debug_object_);

    if (o == NULL)
        return NULL;
    o->d = d;
    o->suffix = suffix;
    *auth = d->cfg.authorizer;
    return o;
}

static int lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    struct vrpc_debug *d = ud;
    struct vrpc_debug_object_ *o = look(d, suffix, a, auth);

    (void)op;
    (void)err;
    if (o == NULL)
        return V23_ENOMEM;
    if (suffix.n == 0)
        obj->glob = &root_globber;
    else if (vdl_str_is(cut(&o->suffix), ROOT))
        *obj = object_of(o);
    return 0;
}

/* The statistics alone, without a name before theirs. */
static int stats_lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    struct vrpc_debug *d = ud;
    struct vrpc_debug_object_ *o = look(d, suffix, a, auth);

    (void)op;
    (void)err;
    if (o == NULL)
        return V23_ENOMEM;
    if (d->cfg.stats != NULL)
        *obj = vrpc_debug_stats_(o);
    return 0;
}

/* ---- life ---------------------------------------------------------------- */

int vrpc_debug_new(const struct vrpc_debug_config *cfg,
    struct vrpc_debug **out)
{
    struct vrpc_debug *d = v23_new(cfg->al, struct vrpc_debug);

    if (d == NULL)
        return V23_ENOMEM;
    d->cfg = *cfg;
    if (d->cfg.watch_period_ns <= 0)
        d->cfg.watch_period_ns = WATCH_PERIOD;
    if (d->cfg.follow_period_ns <= 0)
        d->cfg.follow_period_ns = FOLLOW_PERIOD;
    if (d->cfg.max_streams == 0)
        d->cfg.max_streams = MAX_STREAMS;
    d->dispatcher.lookup = lookup;
    d->dispatcher.ud = d;
    d->stats_dispatcher.lookup = stats_lookup;
    d->stats_dispatcher.ud = d;
    *out = d;
    return 0;
}

void vrpc_debug_free(struct vrpc_debug *d)
{
    if (d != NULL)
        v23_put(d->cfg.al, d);
}

const struct vrpc_dispatcher *vrpc_debug_dispatcher(struct vrpc_debug *d)
{
    return &d->dispatcher;
}

const struct vrpc_dispatcher *vrpc_debug_stats_dispatcher(
    struct vrpc_debug *d)
{
    return &d->stats_dispatcher;
}
