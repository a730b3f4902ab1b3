/* BSD-3-Clause; see LICENSE. */
/*
 * Discharges for blessings that a call or a server presents (spec/security.md
 * 8.5): from the store's cache, or by calling the dischargers. Failures never
 * end a call: the other end will refuse what is not discharged.
 *
 * Discharges may have third-party caveats themselves; those become needs like
 * the ones of the blessings.
 */
#include "call_int.h"
#include "fetch_int.h"

#include <string.h>
#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>
#include <vom/time.h>
#include <vom/value.h>
#include <vsec/principal.h>

#define MAX_NEEDS 64u
#define RETRY_NS (60 * V23_NS_PER_SEC) /* after a failure; before the end of
                                          lives of unknown length */
/* How long a call waits for a discharge, and for one that is better than what
 * it has. Then the server is asked: if it refuses, it says what is missing. */
#define WAIT_NS (10 * V23_NS_PER_SEC)
#define PATIENCE_NS (5 * V23_NS_PER_SEC)

const struct v23_walltime vrpc_never_ = { INT64_MAX, 0 };

struct need {
    struct need *next;
    struct vrpc_fetch_ *f;
    v23_security_caveat caveat;
    v23_security_public_key_third_party_caveat_param param;
    char id[VSEC_CAVEAT_ID];
    v23_security_discharge_impetus impetus;
    struct vsec_discharge *d;    /* a reference; may be stale */
    struct v23_walltime refresh; /* when d becomes stale */
    struct vrpc_call *rpc;
    bool looking; /* the store has been asked, and answers later */
    bool closed, hopeless;
};

struct vrpc_fetch_ {
    const struct v23_alloc *al;
    struct vrpc_fetch_want_ w;
    struct vsec_blessings *b; /* of w, a reference */
    struct v23_arena arena;
    struct vrpc_call_opts opts, impatient;
    struct need *needs, **tail;
    size_t n, pending;
    bool again; /* another round may get more */
    bool starting, cancelled;
};

static void fetch_free(struct vrpc_fetch_ *f)
{
    struct need *n;

    for (n = f->needs; n != NULL; n = n->next)
        vsec_discharge_unref(n->d);
    vsec_blessings_unref(f->b);
    v23_arena_fini(&f->arena);
    v23_put(f->al, f);
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

/* ---- needs --------------------------------------------------------------- */

static bool is_known(const struct vrpc_fetch_ *f, const v23_security_caveat *c)
{
    const struct need *n;

    for (n = f->needs; n != NULL; n = n->next)
        if (vdl_bytes_eq(n->caveat.param_vom, c->param_vom))
            return true;
    return false;
}

/* The caveat lives as long as the fetch. */
static int add_need(struct vrpc_fetch_ *f, const v23_security_caveat *c)
{
    struct need *n;
    int rc;

    if (f->n == MAX_NEEDS || is_known(f, c))
        return 0;
    n = v23_arena_new(&f->arena, struct need);
    if (n == NULL)
        return V23_ENOMEM;
    n->f = f;
    n->caveat = *c;
    rc = vsec_caveat_param(c, &vsec_kind_third_party, &f->arena, &n->param);
    if (rc == 0)
        rc = vsec_third_party_id(f->w.m->principal->engine, &n->param, n->id);
    if (rc == V23_ENOMEM)
        return rc;
    n->hopeless = rc != 0 || n->id[0] == 0;
    if (!n->hopeless)
        n->impetus = impetus(f->w.call, &n->param.discharger_requirements,
            &f->arena);
    *f->tail = n;
    f->tail = &n->next;
    f->n++;
    return 0;
}

/* A discharge is of use only with those that it needs itself. */
static void add_nested(struct vrpc_fetch_ *f, const struct vsec_discharge *d)
{
    const v23_security_caveat_list *l = &d->wire.u.public_key.caveats;
    v23_security_caveat copy;
    size_t before = f->n;
    uint32_t i;

    for (i = 0; i < l->n; i++)
        if (vsec_caveat_is(&l->v[i], &vsec_kind_third_party) &&
            (vdl_copy(&f->arena, &v23_security_caveat_desc, &copy, &l->v[i])
                    != 0 ||
                add_need(f, &copy) != 0))
            break; /* the server will say what is missing */
    /* What is added while a round starts is part of it. */
    if (f->n != before && !f->starting)
        f->again = true;
}

/* ---- the cache ----------------------------------------------------------- */

static struct v23_walltime middle(struct v23_walltime a, struct v23_walltime b)
{
    int64_t odd = (b.sec - a.sec) % 2;
    struct v23_walltime t;

    t.sec = a.sec + (b.sec - a.sec) / 2;
    t.nanos = a.nanos;
    return v23_walltime_add(t,
        (odd * V23_NS_PER_SEC + b.nanos - a.nanos) / 2);
}

/* When a discharge should be replaced. */
static struct v23_walltime refresh_at(const struct vsec_discharge *d,
    struct v23_walltime cached)
{
    struct v23_walltime expiry;

    if (!vsec_discharge_expiry(d, &expiry))
        return vrpc_never_;
    if (vsec_time_is_zero(cached))
        return v23_walltime_add(expiry, -RETRY_NS);
    return v23_walltime_cmp(expiry, cached) <= 0 ? expiry
                                              : middle(cached, expiry);
}

static void take(struct need *n, struct vsec_discharge *d,
    struct v23_walltime cached, bool fresh)
{
    vsec_discharge_unref(n->d);
    n->d = d;
    n->refresh = refresh_at(d, cached);
    n->closed = fresh ||
        v23_walltime_cmp(vrpc_mgr_now_(n->f->w.m).wall, n->refresh) < 0;
    /* Of a stale one, when there is no better: see settle(). */
    if (n->closed)
        add_nested(n->f, d);
}

/* Nothing better than what there is will come in this round. */
static void settle(struct need *n)
{
    if (!n->closed && n->d != NULL)
        add_nested(n->f, n->d);
}

static void looked_up(void *ud, int rc, struct vsec_discharge *d,
    struct v23_walltime cached);

static void look_up(struct need *n)
{
    struct vrpc_manager *m = n->f->w.m;
    const struct vsec_look_up what = { &n->caveat, &n->impetus,
        vrpc_mgr_now_(m).wall };
    const struct vsec_look_up_wait wait = { looked_up, n };
    struct v23_walltime cached = { 0, 0 };
    struct vsec_discharge *d = NULL;
    int rc = vsec_store_discharge_start(m->principal->store, &what, &wait, &d,
        &cached);

    if (rc == V23_EAGAIN) {
        n->looking = true;
        n->f->pending++;
    } else if (rc == 0 && d != NULL) {
        take(n, d, cached, false);
    }
}

/* ---- what is remembered --------------------------------------------------- */

/*
 * The last discharges that are good for every server and method: most calls
 * present the same blessings, and looking the caveats up costs more than the
 * rest of a small call.
 */
void vrpc_fetch_forget_(struct vrpc_manager *m)
{
    struct vrpc_memo_ *memo = &m->memo;

    while (memo->n > 0)
        vsec_discharge_unref(memo->v[--memo->n]);
    vsec_blessings_unref(memo->b);
    memo->b = NULL;
}

static bool is_for_all(const struct need *n)
{
    const v23_security_third_party_requirements *r =
        &n->param.discharger_requirements;

    return n->closed && !r->report_server && !r->report_method &&
           !r->report_arguments;
}

static void remember(struct vrpc_fetch_ *f, struct v23_walltime until)
{
    struct vrpc_memo_ *memo = &f->w.m->memo;
    struct need *n;

    for (n = f->needs; n != NULL; n = n->next)
        if (!is_for_all(n))
            return;
    if (f->n > VRPC_MEMO_MAX_)
        return;
    vrpc_fetch_forget_(f->w.m);
    for (n = f->needs; n != NULL; n = n->next)
        memo->v[memo->n++] = vsec_discharge_ref(n->d);
    memo->b = f->b;
    f->b = NULL;
    memo->until = until;
}

static bool recall(const struct vrpc_fetch_want_ *w,
    struct vrpc_fetched_ *out)
{
    struct vrpc_memo_ *memo = &w->m->memo;

    if (w->b == NULL || memo->b != w->b ||
        v23_walltime_cmp(vrpc_mgr_now_(w->m).wall, memo->until) >= 0)
        return false;
    out->v = v23_arena_get0(w->arena, memo->n, sizeof(struct vsec_discharge *),
        V23_ALIGNOF(void *));
    if (out->v == NULL)
        return false;
    for (; out->n < memo->n; out->n++)
        out->v[out->n] = vsec_discharge_ref(memo->v[out->n]);
    out->refresh = memo->until;
    return true;
}

/* ---- results ------------------------------------------------------------- */

static int deliver(struct vrpc_fetch_ *f, struct vrpc_fetched_ *out)
{
    struct v23_walltime at, retry;
    struct need *n;

    retry = v23_walltime_add(vrpc_mgr_now_(f->w.m).wall, RETRY_NS);
    memset(out, 0, sizeof(*out));
    out->refresh = vrpc_never_;
    out->v = v23_arena_get0(f->w.arena, f->n, sizeof(struct vsec_discharge *),
        V23_ALIGNOF(void *));
    if (out->v == NULL)
        return V23_ENOMEM;
    for (n = f->needs; n != NULL; n = n->next) {
        at = n->hopeless ? vrpc_never_ : n->closed ? n->refresh : retry;
        if (v23_walltime_cmp(at, out->refresh) < 0)
            out->refresh = at;
    }
    remember(f, out->refresh);
    for (n = f->needs; n != NULL; n = n->next) {
        if (n->d != NULL)
            out->v[out->n++] = n->d;
        n->d = NULL;
    }
    return 0;
}

static bool start_round(struct vrpc_fetch_ *f);

/*
 * What was got in a round may open the way to what was not: a discharger may
 * want discharges from its callers. Those that were in the cache before were
 * there for this round's calls already, so they are no reason for another one.
 */
static void round_over(struct vrpc_fetch_ *f)
{
    struct vrpc_fetch_want_ w = f->w;
    struct vrpc_fetched_ out;

    if (f->again && start_round(f))
        return;
    if (deliver(f, &out) != 0)
        out.n = 0;
    fetch_free(f);
    w.done(w.ud, &out);
}

static void complain(struct need *n, struct vdl_str why)
{
    struct vdl_str from = n->param.discharger_location;

    v23_logf(n->f->w.m->log, V23_LOG_WARN, "no discharge from %.*s: %.*s",
        (int)from.n, from.p, (int)why.n, why.p);
}

static void got(struct need *n, const v23_security_wire_discharge *w)
{
    struct vrpc_manager *m = n->f->w.m;
    struct v23_walltime now = vrpc_mgr_now_(m).wall;
    struct vsec_discharge *d;
    int rc = vsec_discharge_from_wire(m->al, w, &d);

    if (rc != 0) {
        complain(n, vdl_str(v23_strerror(rc)));
        return;
    }
    if (!vdl_str_is(vsec_discharge_id(d), n->id)) {
        complain(n, vdl_str("the answer is for another caveat"));
        vsec_discharge_unref(d);
        return;
    }
    (void)!vsec_store_cache_discharge(m->principal->store, d, &n->caveat,
        &n->impetus, now);
    n->f->again = true;
    take(n, d, now, true);
}

static void discharged(void *ud, const struct v23_verror *err,
    const v23_discharger_discharger_discharge_out *out)
{
    struct need *n = ud;
    struct vrpc_fetch_ *f = n->f;

    n->rpc = NULL;
    f->pending--;
    if (f->cancelled) { /* whoever asked is no more */
        if (f->pending == 0)
            fetch_free(f);
        return;
    }
    if (err == NULL)
        got(n, &out->discharge);
    else
        complain(n, err->msg);
    settle(n);
    if (f->pending == 0 && !f->starting)
        round_over(f);
}

static void ask(struct need *n)
{
    struct vrpc_fetch_ *f = n->f;
    const char *name = v23_arena_dup(&f->arena,
        n->param.discharger_location.p, n->param.discharger_location.n);

    if (name != NULL)
        n->rpc = v23_discharger_discharger_discharge_start(f->w.c, name,
            n->d == NULL || f->w.call == NULL ? &f->opts : &f->impatient, &n->caveat, &n->impetus,
            discharged, n);
    if (n->rpc != NULL)
        f->pending++;
    else
        settle(n);
}

/* What the store had for it was not enough. */
static void go_on(struct need *n)
{
    if (n->closed)
        return;
    if (n->f->w.cached_only || n->f->w.c == NULL)
        settle(n);
    else
        ask(n);
}

static void looked_up(void *ud, int rc, struct vsec_discharge *d,
    struct v23_walltime cached)
{
    struct need *n = ud;
    struct vrpc_fetch_ *f = n->f;

    n->looking = false;
    f->pending--;
    if (rc == 0 && d != NULL)
        take(n, vsec_discharge_ref(d), cached, false);
    go_on(n);
    if (f->pending == 0)
        round_over(f);
}

/* Ask for everything open. False: there is nothing to wait for. */
static bool start_round(struct vrpc_fetch_ *f)
{
    struct need *n;

    f->again = false;
    f->starting = true;
    for (n = f->needs; n != NULL; n = n->next) { /* may grow meanwhile */
        if (n->closed || n->hopeless)
            continue;
        look_up(n);
        if (!n->looking)
            go_on(n);
    }
    f->starting = false;
    return f->pending > 0;
}

void vrpc_fetch_cancel_(struct vrpc_fetch_ *f)
{
    struct need *n;

    f->cancelled = true;
    for (n = f->needs; n != NULL; n = n->next)
        if (n->looking) {
            vsec_store_discharge_cancel(f->w.m->principal->store, n);
            f->pending--;
        }
    if (f->pending == 0) {
        fetch_free(f);
        return;
    }
    for (n = f->needs; n != NULL; n = n->next)
        if (n->rpc != NULL)
            vrpc_call_cancel(n->rpc);
    /* The last cancelled call frees f. */
}

/* ---- start --------------------------------------------------------------- */

/* The call needs its part of the time. */
static int64_t part(const struct vrpc_fetch_ *f, int64_t most)
{
    int64_t now = vrpc_mgr_now_(f->w.m).mono_ns;
    int64_t half = f->w.deadline > now ? (f->w.deadline - now) / 2 : 1;

    return now + (half < most ? half : most);
}

static void set_options(struct vrpc_fetch_ *f)
{
    f->opts.deadline = f->w.call == NULL ? f->w.deadline : part(f, WAIT_NS);
    f->opts.name_auth = f->w.name_auth;
    f->opts.span = f->w.call == NULL ? NULL : &f->w.call->span;
    f->opts.no_discharges = true; /* no discharges for discharges' sake */
    f->impatient = f->opts;
    f->impatient.deadline = part(f, PATIENCE_NS);
}

int vrpc_fetch_start_(const struct vrpc_fetch_want_ *w,
    struct vrpc_fetched_ *out, struct vrpc_fetch_ **pf)
{
    v23_security_caveat_list list = { NULL, 0 };
    struct vrpc_fetch_ *f;
    uint32_t i;
    int rc;

    memset(out, 0, sizeof(*out));
    out->refresh = vrpc_never_;
    if (recall(w, out))
        return 0;
    rc = vsec_blessings_third_party(w->b, w->arena, &list);
    if (rc != 0 || list.n == 0)
        return rc;
    f = v23_new(w->m->al, struct vrpc_fetch_);
    if (f == NULL)
        return V23_ENOMEM;
    f->al = w->m->al;
    f->w = *w;
    f->b = vsec_blessings_ref(w->b);
    f->tail = &f->needs;
    v23_arena_init(&f->arena, f->al, SIZE_MAX);
    set_options(f);
    for (i = 0; i < list.n && rc == 0; i++)
        rc = add_need(f, &list.v[i]);
    if (rc == 0 && start_round(f)) {
        *pf = f;
        return V23_EAGAIN;
    }
    if (rc == 0)
        rc = deliver(f, out);
    fetch_free(f);
    return rc;
}
