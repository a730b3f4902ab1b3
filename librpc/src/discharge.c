/* BSD-3-Clause; see LICENSE. */
/*
 * Discharges for the blessings that a call presents (spec/security.md 8.5):
 * from the store's cache, or by calling the dischargers. Failures never end
 * the call: the server will refuse what is not discharged.
 */
#include "call_int.h"

#include <string.h>
#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>
#include <vsec/principal.h>

#define MAX_CAVEATS 64u

struct need {
    struct vrpc_fetch_ *f;
    const v23_security_caveat *caveat;
    v23_security_public_key_third_party_caveat_param param;
    v23_security_discharge_impetus impetus;
    struct vsec_discharge *d; /* a reference; may be stale */
    struct vrpc_call *rpc;
    bool closed;
};

struct vrpc_fetch_ {
    struct vrpc_call *call; /* NULL: no longer wanted */
    struct vrpc_client *c;
    struct v23_arena arena;
    struct vrpc_call_opts opts;
    struct need *needs;
    size_t n, pending;
    bool progress, starting;
};

static void fetch_free(struct vrpc_fetch_ *f)
{
    struct vrpc_manager *m = f->c->m;
    size_t i;

    for (i = 0; i < f->n; i++)
        vsec_discharge_unref(f->needs[i].d);
    v23_arena_fini(&f->arena);
    v23_put(m->al, f);
}

static v23_security_discharge_impetus impetus(struct vrpc_call *call,
    const v23_security_third_party_requirements *r, struct v23_arena *a)
{
    v23_security_discharge_impetus im;
    const struct vrpc_method *m = call->method;
    struct vdl_any *args;
    size_t i;

    memset(&im, 0, sizeof(im));
    if (r->report_server) {
        im.server.v = call->chosen->check.names.remote.v;
        im.server.n = call->chosen->check.names.remote.n;
    }
    if (r->report_method)
        im.method = call->method_name;
    if (!r->report_arguments || call->nargs == 0)
        return im;
    if (m == NULL) {
        im.arguments.v = call->in;
        im.arguments.n = (uint32_t)call->nargs;
        return im;
    }
    args = v23_arena_get0(a, call->nargs, sizeof(*args),
        V23_ALIGNOF(struct vdl_any));
    for (i = 0; args != NULL && i < call->nargs; i++) {
        args[i].type = m->in[i].type;
        args[i].val = (const char *)call->in + m->in[i].offset;
    }
    im.arguments.v = args;
    im.arguments.n = args == NULL ? 0 : (uint32_t)call->nargs;
    return im;
}

/* When a cached discharge should be replaced. */
static bool is_fresh(const struct vsec_discharge *d, struct v23_walltime cached,
    struct v23_walltime now)
{
    struct v23_walltime expiry;
    int64_t life;

    if (!vsec_discharge_expiry(d, &expiry))
        return true;
    if (cached.sec <= -V23_TIME_UNIX_EPOCH)
        life = 120; /* unknown: one minute before the end */
    else
        life = expiry.sec - cached.sec;
    return now.sec < expiry.sec - life / 2;
}

static void look_up(struct need *n)
{
    struct vrpc_manager *m = n->f->c->m;
    struct v23_walltime now = vrpc_mgr_now_(m).wall, cached = { 0, 0 };
    struct vsec_discharge *d = NULL;

    if (vsec_store_discharge(m->principal->store, n->caveat, &n->impetus, now,
            &d, &cached) != 0 ||
        d == NULL)
        return;
    vsec_discharge_unref(n->d);
    n->d = d;
    n->closed = is_fresh(d, cached, now);
}

/* Hand over what there is; returns the number. */
static int deliver(struct vrpc_fetch_ *f)
{
    struct vrpc_call *call = f->call;
    size_t i, n = 0;

    call->discharges = v23_arena_get0(&call->arena, f->n,
        sizeof(struct vsec_discharge *), V23_ALIGNOF(void *));
    if (call->discharges == NULL)
        return V23_ENOMEM;
    for (i = 0; i < f->n; i++) {
        if (f->needs[i].d == NULL)
            continue;
        call->discharges[n++] = f->needs[i].d;
        f->needs[i].d = NULL;
    }
    call->ndischarges = n;
    return 0;
}

static bool start_round(struct vrpc_fetch_ *f);

static void round_over(struct vrpc_fetch_ *f)
{
    struct vrpc_call *call = f->call;

    if (call == NULL) {
        fetch_free(f);
        return;
    }
    if (f->progress && start_round(f))
        return;
    call->fetch = NULL;
    if (deliver(f) != 0)
        call->ndischarges = 0;
    fetch_free(f);
    vrpc_call_blessed_(call);
}

static void discharged(void *ud, const struct v23_verror *err,
    const v23_discharger_discharger_discharge_out *out)
{
    struct need *n = ud;
    struct vrpc_fetch_ *f = n->f;
    struct vrpc_manager *m = f->c->m;
    struct vsec_discharge *d = NULL;

    n->rpc = NULL;
    if (err == NULL && f->call != NULL &&
        vsec_discharge_from_wire(m->al, &out->discharge, &d) == 0) {
        vsec_discharge_unref(n->d);
        n->d = d;
        n->closed = f->progress = true;
        (void)!vsec_store_cache_discharge(m->principal->store, d, n->caveat,
            &n->impetus, vrpc_mgr_now_(m).wall);
    } else if (err != NULL) {
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

        if (n->closed)
            continue;
        look_up(n);
        if (n->closed)
            continue;
        name = v23_arena_dup(&f->arena, n->param.discharger_location.p,
            n->param.discharger_location.n);
        if (name == NULL)
            continue;
        f->pending++;
        n->rpc = v23_discharger_discharger_discharge_start(f->c, name,
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

    f->call = NULL;
    for (i = 0; i < f->n; i++)
        if (f->needs[i].rpc != NULL)
            vrpc_call_cancel(f->needs[i].rpc);
    /* The last cancelled call frees f. */
}

static int fetch_fill(struct vrpc_fetch_ *f,
    const v23_security_caveat_list *list)
{
    struct vrpc_call *call = f->call;
    uint32_t i;
    int rc;

    f->n = list->n < MAX_CAVEATS ? list->n : MAX_CAVEATS;
    f->needs = v23_arena_get0(&f->arena, f->n, sizeof(*f->needs),
        V23_ALIGNOF(struct need));
    if (f->needs == NULL) {
        f->n = 0;
        return V23_ENOMEM;
    }
    for (i = 0; i < f->n; i++) {
        struct need *n = &f->needs[i];

        n->f = f;
        n->caveat = &list->v[i];
        rc = vsec_caveat_param(n->caveat, &vsec_kind_third_party, &f->arena,
            &n->param);
        if (rc == V23_ENOMEM)
            return rc;
        n->closed = rc != 0; /* nobody can discharge it */
        if (rc == 0)
            n->impetus = impetus(call, &n->param.discharger_requirements,
                &f->arena);
    }
    return 0;
}

int vrpc_fetch_start_(struct vrpc_call *call)
{
    struct vrpc_client *c = call->c;
    v23_security_caveat_list list = { NULL, 0 };
    struct vrpc_fetch_ *f;
    int rc;

    rc = vsec_blessings_third_party(call->blessings, &call->arena, &list);
    if (rc != 0 || list.n == 0)
        return rc;
    f = v23_new(c->m->al, struct vrpc_fetch_);
    if (f == NULL)
        return V23_ENOMEM;
    f->call = call;
    f->c = c;
    v23_arena_init(&f->arena, c->m->al, SIZE_MAX);
    f->opts.deadline = call->conn_deadline;
    f->opts.name_auth = call->opts.name_auth;
    f->opts.no_discharges = true;
    rc = fetch_fill(f, &list);
    if (rc == 0 && call->opts.no_discharges) {
        size_t i;

        for (i = 0; i < f->n; i++)
            look_up(&f->needs[i]);
    } else if (rc == 0 && start_round(f)) {
        call->fetch = f;
        return V23_EAGAIN;
    }
    if (rc == 0)
        rc = deliver(f);
    fetch_free(f);
    return rc;
}
