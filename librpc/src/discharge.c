/* BSD-3-Clause; see LICENSE. */
/*
 * Discharges for blessings that a call or a server presents (spec/security.md
 * 8.5): from the store's cache, or by calling the dischargers. Failures never
 * end a call: the other end will refuse what is not discharged.
 */
#include "call_int.h"
#include "fetch_int.h"

#include <string.h>
#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>
#include <vsec/principal.h>

#define MAX_CAVEATS 64u
#define RETRY_S 60 /* after a failure; before the end of unknown lives */

struct need {
    struct vrpc_fetch_ *f;
    const v23_security_caveat *caveat;
    v23_security_public_key_third_party_caveat_param param;
    v23_security_discharge_impetus impetus;
    struct vsec_discharge *d; /* a reference; may be stale */
    int64_t refresh;          /* of d, wall clock seconds */
    struct vrpc_call *rpc;
    bool closed, hopeless;
};

struct vrpc_fetch_ {
    struct vrpc_fetch_want_ w;
    struct v23_arena arena;
    struct vrpc_call_opts opts;
    struct need *needs;
    size_t n, pending;
    bool progress, starting, cancelled;
};

static void fetch_free(struct vrpc_fetch_ *f)
{
    struct vrpc_manager *m = f->w.m;
    size_t i;

    for (i = 0; i < f->n; i++)
        vsec_discharge_unref(f->needs[i].d);
    v23_arena_fini(&f->arena);
    v23_put(m->al, f);
}

/* ---- what is told to the discharger -------------------------------------- */

static void add_arguments(struct vrpc_call *call,
    v23_security_discharge_impetus *im, struct v23_arena *a)
{
    const struct vrpc_method *m = call->method;
    struct vdl_any *args;
    size_t i;

    if (m == NULL) {
        im->arguments.v = call->in;
        im->arguments.n = (uint32_t)call->nargs;
        return;
    }
    args = v23_arena_get0(a, call->nargs, sizeof(*args),
        V23_ALIGNOF(struct vdl_any));
    for (i = 0; args != NULL && i < call->nargs; i++) {
        args[i].type = m->in[i].type;
        args[i].val = (const char *)call->in + m->in[i].offset;
    }
    im->arguments.v = args;
    im->arguments.n = args == NULL ? 0 : (uint32_t)call->nargs;
}

static v23_security_discharge_impetus impetus(struct vrpc_call *call,
    const v23_security_third_party_requirements *r, struct v23_arena *a)
{
    v23_security_discharge_impetus im;

    memset(&im, 0, sizeof(im));
    if (call == NULL)
        return im; /* a server's own: nobody is called */
    if (r->report_server) {
        im.server.v = call->chosen->check.names.remote.v;
        im.server.n = call->chosen->check.names.remote.n;
    }
    if (r->report_method)
        im.method = call->method_name;
    if (r->report_arguments && call->nargs > 0)
        add_arguments(call, &im, a);
    return im;
}

/* ---- the cache ----------------------------------------------------------- */

/* When a discharge should be replaced, wall clock seconds. */
static int64_t refresh_at(const struct vsec_discharge *d, int64_t cached)
{
    struct v23_walltime expiry;

    if (!vsec_discharge_expiry(d, &expiry))
        return INT64_MAX;
    if (cached <= -V23_TIME_UNIX_EPOCH)
        return expiry.sec - RETRY_S;
    return expiry.sec - (expiry.sec - cached) / 2;
}

static void look_up(struct need *n)
{
    struct vrpc_manager *m = n->f->w.m;
    struct v23_walltime now = vrpc_mgr_now_(m).wall, cached = { 0, 0 };
    struct vsec_discharge *d = NULL;

    if (vsec_store_discharge(m->principal->store, n->caveat, &n->impetus, now,
            &d, &cached) != 0 ||
        d == NULL)
        return;
    vsec_discharge_unref(n->d);
    n->d = d;
    n->refresh = refresh_at(d, cached.sec);
    n->closed = now.sec < n->refresh;
}

/* ---- results ------------------------------------------------------------- */

static int deliver(struct vrpc_fetch_ *f, struct vrpc_fetched_ *out)
{
    int64_t retry = vrpc_mgr_now_(f->w.m).wall.sec + RETRY_S, at;
    size_t i;

    memset(out, 0, sizeof(*out));
    out->refresh = INT64_MAX;
    out->v = v23_arena_get0(f->w.arena, f->n, sizeof(struct vsec_discharge *),
        V23_ALIGNOF(void *));
    if (out->v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < f->n; i++) {
        struct need *n = &f->needs[i];

        at = n->hopeless ? INT64_MAX : n->closed ? n->refresh : retry;
        if (at < out->refresh)
            out->refresh = at;
        if (n->d != NULL)
            out->v[out->n++] = n->d;
        n->d = NULL;
    }
    return 0;
}

static bool start_round(struct vrpc_fetch_ *f);

static void round_over(struct vrpc_fetch_ *f)
{
    struct vrpc_fetch_want_ w = f->w;
    struct vrpc_fetched_ out;

    if (f->cancelled) {
        fetch_free(f);
        return;
    }
    if (f->progress && start_round(f))
        return;
    if (deliver(f, &out) != 0)
        out.n = 0;
    fetch_free(f);
    w.done(w.ud, &out);
}

static void discharged(void *ud, const struct v23_verror *err,
    const v23_discharger_discharger_discharge_out *out)
{
    struct need *n = ud;
    struct vrpc_fetch_ *f = n->f;
    struct vrpc_manager *m = f->w.m;
    struct v23_walltime now = vrpc_mgr_now_(m).wall;
    struct vsec_discharge *d = NULL;

    n->rpc = NULL;
    if (err == NULL && !f->cancelled &&
        vsec_discharge_from_wire(m->al, &out->discharge, &d) == 0) {
        vsec_discharge_unref(n->d);
        n->d = d;
        n->refresh = refresh_at(d, now.sec);
        n->closed = f->progress = true;
        (void)!vsec_store_cache_discharge(m->principal->store, d, n->caveat,
            &n->impetus, now);
    } else if (err != NULL && !f->cancelled) {
        v23_logf(m->log, V23_LOG_WARN, "no discharge from %.*s: %.*s",
            (int)n->param.discharger_location.n,
            n->param.discharger_location.p, (int)err->msg.n, err->msg.p);
    }
    if (--f->pending == 0 && !f->starting)
        round_over(f);
}

/* Ask for everything open. False: there is nothing to wait for. */
static bool start_round(struct vrpc_fetch_ *f)
{
    const char *name;
    size_t i;

    f->progress = false;
    f->starting = true;
    for (i = 0; i < f->n; i++) {
        struct need *n = &f->needs[i];

        if (!n->closed && !n->hopeless)
            look_up(n);
        if (n->closed || n->hopeless || f->w.cached_only || f->w.c == NULL)
            continue;
        name = v23_arena_dup(&f->arena, n->param.discharger_location.p,
            n->param.discharger_location.n);
        if (name == NULL)
            continue;
        f->pending++;
        n->rpc = v23_discharger_discharger_discharge_start(f->w.c, name,
            &f->opts, n->caveat, &n->impetus, discharged, n);
        if (n->rpc == NULL)
            f->pending--;
    }
    f->starting = false;
    return f->pending > 0;
}

void vrpc_fetch_cancel_(struct vrpc_fetch_ *f)
{
    size_t i;

    f->cancelled = true;
    for (i = 0; i < f->n; i++)
        if (f->needs[i].rpc != NULL)
            vrpc_call_cancel(f->needs[i].rpc);
    /* The last cancelled call frees f. */
}

/* ---- start --------------------------------------------------------------- */

static int fill(struct vrpc_fetch_ *f, const v23_security_caveat_list *list)
{
    size_t n = list->n < MAX_CAVEATS ? list->n : MAX_CAVEATS, i;
    int rc;

    f->needs = v23_arena_get0(&f->arena, n, sizeof(*f->needs),
        V23_ALIGNOF(struct need));
    if (f->needs == NULL)
        return V23_ENOMEM;
    f->n = n;
    for (i = 0; i < n; i++) {
        struct need *e = &f->needs[i];

        e->f = f;
        e->caveat = &list->v[i];
        rc = vsec_caveat_param(e->caveat, &vsec_kind_third_party, &f->arena,
            &e->param);
        if (rc == V23_ENOMEM)
            return rc;
        e->hopeless = rc != 0;
        if (rc == 0)
            e->impetus = impetus(f->w.call, &e->param.discharger_requirements,
                &f->arena);
    }
    return 0;
}

int vrpc_fetch_start_(const struct vrpc_fetch_want_ *w,
    struct vrpc_fetched_ *out, struct vrpc_fetch_ **pf)
{
    v23_security_caveat_list list = { NULL, 0 };
    struct vrpc_fetch_ *f;
    int rc;

    memset(out, 0, sizeof(*out));
    out->refresh = INT64_MAX;
    rc = vsec_blessings_third_party(w->b, w->arena, &list);
    if (rc != 0 || list.n == 0)
        return rc;
    f = v23_new(w->m->al, struct vrpc_fetch_);
    if (f == NULL)
        return V23_ENOMEM;
    f->w = *w;
    v23_arena_init(&f->arena, w->m->al, SIZE_MAX);
    f->opts.deadline = w->deadline == V23_NEVER ? 0 : w->deadline;
    f->opts.name_auth = w->name_auth;
    f->opts.no_discharges = true; /* no discharges for discharges' sake */
    rc = fill(f, &list);
    if (rc == 0 && start_round(f)) {
        *pf = f;
        return V23_EAGAIN;
    }
    if (rc == 0)
        rc = deliver(f, out);
    fetch_free(f);
    return rc;
}
