/* BSD-3-Clause; see LICENSE. */
/*
 * Discharging third-party caveats for callers. A call whose caveats take time
 * to validate, or its discharge to be signed, stays pending; what is needed then
 * lives in its arena.
 */
#include <vrpc/manager.h>
#include <vrpc/discharger.h>

#include <string.h>

#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>
#include <vom/time.h>
#include <vrpc/server.h>
#include <vrpc/verror.h>
#include <vsec/principal.h>

enum { MAX_CAVEATS = 3, MAX_SHOWN = 512 };

typedef v23_discharger_discharger_discharge_in args_in;
typedef v23_discharger_discharger_discharge_out args_out;
typedef v23_security_public_key_third_party_caveat_param tp_param;

/* One call. */
struct job {
    struct vrpc_discharger *d;
    struct vrpc_server_call *call;
    const args_in *in;
    tp_param param;
    struct vsec_call sec; /* the call with the discharger's kinds */
};

static const struct v23_verror *failed(struct job *j, const char *what,
    int rc)
{
    return vrpc_err_make(vrpc_server_call_arena(j->call),
        vrpc_server_call_errctx(j->call), vrpc_err_of_status(rc), "%s: %s",
        what, v23_strerror(rc));
}

/* ---- minting ------------------------------------------------------------- */

/* What the discharge is good for, according to the caller's report. */
static int restrict_use(struct job *j, v23_security_caveat *v, uint32_t *n)
{
    const v23_security_third_party_requirements *wants =
        &j->param.discharger_requirements;
    const v23_security_discharge_impetus *im = &j->in->impetus;
    struct v23_arena *a = vrpc_server_call_arena(j->call);
    struct v23_walltime now = vrpc_server_call_received(j->call).wall;
    vdl_str_list l;
    int rc = 0;

    if (wants->report_method) {
        l.v = &im->method;
        l.n = 1;
        rc = vsec_caveat_method(a, l, &v[(*n)++]);
    }
    if (rc == 0 && wants->report_server) {
        l.v = im->server.v;
        l.n = im->server.n;
        rc = vsec_caveat_peers(a, l, &v[(*n)++]);
    }
    if (rc == 0 && j->d->duration_ns != V23_NEVER)
        rc = vsec_caveat_expiry(a, v23_walltime_add(now, j->d->duration_ns),
            &v[(*n)++]);
    if (*n == 0)
        v[(*n)++] = vsec_caveat_unconstrained();
    return rc;
}

static const struct v23_verror *take(struct job *j, int rc,
    struct vsec_discharge *d, args_out *out)
{
    if (rc == 0)
        rc = v23_arena_hold(vrpc_server_call_arena(j->call), &d->ref);
    if (rc != 0)
        return failed(j, "cannot mint a discharge", rc);
    out->discharge = d->wire;
    return NULL;
}

static void minted(void *ud, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d)
{
    struct job *j = ud;
    const struct v23_verror *err;
    args_out out;

    (void)b;
    memset(&out, 0, sizeof(out));
    err = take(j, rc, d, &out);
    (void)v23_discharger_discharger_discharge_reply(j->call, err, &out);
}

static struct vsec_principal *minter(const struct job *j)
{
    return j->d->principal != NULL ? j->d->principal
        : vrpc_manager_principal(vrpc_server_manager(
            vrpc_server_call_server(j->call)));
}

static const struct v23_verror *mint(struct job *j, args_out *out)
{
    v23_security_caveat v[MAX_CAVEATS];
    struct vsec_issue_wait wait = { minted, j };
    struct vsec_discharge *d = NULL;
    const struct v23_verror *err;
    struct vsec_issue *issue;
    struct vsec_mint what;
    int rc;

    what.caveat = &j->in->caveat;
    what.caveats.v = v;
    what.caveats.n = 0;
    rc = restrict_use(j, v, &what.caveats.n);
    if (rc == 0)
        rc = vsec_principal_mint_start(minter(j), &what, &wait, &d,
            &issue);
    if (rc == V23_EAGAIN)
        return &vrpc_pending;
    err = take(j, rc, d, out);
    vsec_discharge_unref(d);
    return err;
}

/* ---- validating ---------------------------------------------------------- */

/* Names of the caller as "a,b" in fixed memory. */
static const char *caller(const vdl_str_list *names, struct v23_buf *b)
{
    uint32_t i;

    for (i = 0; i < names->n && b->err == 0; i++) {
        if (i > 0)
            v23_buf_put_byte(b, ',');
        v23_buf_put_str(b, names->v[i]);
    }
    if (names->n == 0)
        v23_buf_puts(b, "a caller without names");
    return v23_buf_cstr(b);
}

static const struct v23_verror *refused(struct job *j,
    const struct v23_verror *why)
{
    const vdl_str_list names = vrpc_server_call_remote_names(j->call);
    int n = why->msg.n > MAX_SHOWN ? MAX_SHOWN : (int)why->msg.n;
    char mem[MAX_SHOWN];
    struct v23_buf b;

    v23_buf_init_fixed(&b, mem, sizeof(mem));
    v23_logf(j->d->log, V23_LOG_INFO, "no discharge for %s: %.*s",
        caller(&names, &b), n, why->msg.p);
    return vrpc_err_make(vrpc_server_call_arena(j->call),
        vrpc_server_call_errctx(j->call), VRPC_ERR_UNKNOWN,
        "could not validate embedded restriction: %.*s", n, why->msg.p);
}

static const struct v23_verror *conclude(struct job *j, int rc,
    const struct vsec_names *names, args_out *out)
{
    if (rc != 0)
        return failed(j, "could not validate embedded restrictions", rc);
    if (names->rejected.n > 0)
        return refused(j, names->rejected.v[0].err);
    return mint(j, out);
}

static void checked(void *ud, int rc, const struct vsec_names *names)
{
    struct job *j = ud;
    const struct v23_verror *err;
    args_out out;

    memset(&out, 0, sizeof(out));
    err = conclude(j, rc, names, &out);
    if (err != &vrpc_pending)
        (void)v23_discharger_discharger_discharge_reply(j->call, err, &out);
}

/* ---- the call ------------------------------------------------------------ */

/* May this caveat be discharged here at all? */
static const struct v23_verror *inspect(struct job *j)
{
    const v23_security_third_party_requirements *wants =
        &j->param.discharger_requirements;
    struct v23_arena *a = vrpc_server_call_arena(j->call);
    const struct v23_errctx *ctx = vrpc_server_call_errctx(j->call);
    int rc = vsec_caveat_param(&j->in->caveat, &vsec_kind_third_party, a,
        &j->param);

    if (rc == V23_ENOMEM)
        return failed(j, "caveat", rc);
    if (rc != 0)
        return v23_discharger_err_not_athird_party_caveat(a, ctx,
            &j->in->caveat);
    if (!vdl_bytes_eq(j->param.discharger_key, minter(j)->key->der))
        return vrpc_err_make(a, ctx, VRPC_ERR_BAD_ARG,
            "the caveat names the key of another discharger");
    if (wants->report_method && j->in->impetus.method.n == 0)
        return vrpc_err_make(a, ctx, VRPC_ERR_BAD_ARG,
            "the caveat requires that the method called is reported");
    if (wants->report_server && j->in->impetus.server.n == 0)
        return vrpc_err_make(a, ctx, VRPC_ERR_BAD_ARG,
            "the caveat requires that the server called is reported");
    return NULL;
}

static const struct v23_verror *discharge(void *self,
    struct vrpc_server_call *call, const args_in *in, args_out *out)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct vsec_check_wait wait;
    struct vsec_names names;
    struct vsec_check *check;
    const struct v23_verror *err;
    struct job *j = v23_arena_new(a, struct job);
    int rc;

    if (j == NULL)
        return vrpc_err_make(a, NULL, VRPC_ERR_INTERNAL, "out of memory");
    j->d = self;
    j->call = call;
    j->in = in;
    err = inspect(j);
    if (err != NULL)
        return err;
    j->sec = *vrpc_server_call_security(call);
    j->sec.kinds = j->d->kinds;
    wait.done = checked;
    wait.ud = j;
    rc = vsec_check_caveats_start(&j->sec, j->param.caveats, a, &wait, &names,
        &check);
    return rc == V23_EAGAIN ? &vrpc_pending : conclude(j, rc, &names, out);
}

static const v23_discharger_discharger_vt methods = { discharge };

struct vrpc_object vrpc_discharger_object(struct vrpc_discharger *d)
{
    return v23_discharger_discharger_object(&methods, d);
}

/* ---- the kind Logging ---------------------------------------------------- */

static int log_texts(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    const struct v23_log *log = ud;
    const vdl_str_list *texts = param;
    static const vdl_str_list none = { NULL, 0 };
    char mem[MAX_SHOWN];
    struct v23_buf b;
    uint32_t i;

    (void)c;
    (void)op;
    (void)a;
    (void)err;
    v23_buf_init_fixed(&b, mem, sizeof(mem));
    for (i = 0; i < texts->n; i++) {
        v23_buf_cut(&b, 0);
        v23_logf(log, V23_LOG_INFO, "Logging caveat of %s: %.*s",
            caller(call->names == NULL ? &none : &call->names->remote, &b),
            texts->v[i].n > MAX_SHOWN ? MAX_SHOWN : (int)texts->v[i].n,
            texts->v[i].p);
    }
    return 0;
}

struct vsec_caveat_kind vrpc_discharger_logging(const struct v23_log *log)
{
    struct vsec_caveat_kind k;

    memset(&k, 0, sizeof(k));
    k.desc = &vsec_caveat_logging;
    k.name = "Logging";
    k.validate = log_texts;
    k.ud = (void *)(uintptr_t)log;
    return k;
}
