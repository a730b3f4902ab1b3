/* BSD-3-Clause; see LICENSE. */
/* Validation, names and roots (spec/security.md 4.3, 6.4, 7.3, 8.3, 10). */
#include "security_int.h"

#include <stdio.h>
#include <stdlib.h>

#include <vsec/authorizer.h>

/* ---- validation.jsonl ---------------------------------------------------- */

/* The error that CaveatValidation wraps; "" for a plain text or none. */
static const char *cause_of(const struct v23_verror *e)
{
    const struct v23_verror *cause;
    const struct vdl_any *p;

    if (e == NULL || !v23_security_err_caveat_validation_is(e)
        || e->params.n < 3)
        return "";
    p = &e->params.v[2];
    if (p->type == NULL || p->type->kind != VDL_OPTIONAL)
        return "?";
    cause = *(const struct v23_verror *const *)p->val;
    if (cause == NULL || vdl_str_is(cause->id, "v.io/v23/verror.Unknown"))
        return "";
    return cause->id.p;
}

static bool id_is(struct run_case *c, const char *what,
    const struct v23_verror *e, const char *want)
{
    struct vdl_str id = e == NULL ? vdl_str("") : e->id;

    if (vdl_str_is(id, want))
        return true;
    return run_fail(c, "%s: error id %.*s", what, (int)id.n, id.p);
}

bool run_sec_rejected(struct run_case *c, const cJSON *want,
    v23_security_rejected_blessing_list got)
{
    const cJSON *o;
    const char *cause;
    uint32_t i = 0;

    if ((uint32_t)cJSON_GetArraySize(want) != got.n)
        return run_fail(c, "%u rejected", (unsigned)got.n);
    cJSON_ArrayForEach(o, want) {
        if (!run_sec_same_text(c, o, "name", got.v[i].blessing)
            || !id_is(c, "rejected", got.v[i].err,
                run_sec_text(o, "error_id")))
            return false;
        cause = cause_of(got.v[i].err);
        if (strncmp(cause, run_sec_text(o, "cause_id"),
                strlen(run_sec_text(o, "cause_id"))) != 0
            || (cause[0] != 0) != (run_sec_text(o, "cause_id")[0] != 0))
            return run_fail(c, "cause is %s", cause);
        i++;
    }
    return true;
}

static bool check_authorizer(struct run_case *c, const char *name,
    const struct vsec_authorizer *auth, const struct vsec_call *call,
    struct v23_arena *a)
{
    const cJSON *want = run_sec_get(run_sec_get(c->json, "expect"), name);
    const struct v23_verror *err = NULL;
    int rc;

    if (want == NULL)
        return true;
    rc = vsec_authorize(auth, call, a, NULL, &err);
    if ((rc == 0) != cJSON_IsTrue(run_sec_get(want, "allow")))
        return run_fail(c, "%s: %s", name, v23_strerror(rc));
    return rc == 0 || id_is(c, name, err, run_sec_text(want, "error_id"));
}

static bool check_call(struct run_case *c, struct vsec_call *call,
    struct v23_arena *a)
{
    const cJSON *want = run_sec_get(c->json, "expect");
    struct vsec_names names;
    int rc = vsec_check_start(call, a, NULL, &names, NULL);

    if (rc != 0)
        return run_fail(c, "check: %s", v23_strerror(rc));
    call->names = &names;
    return run_sec_same_strs(c, run_sec_get(want, "remote_names"),
               "remote names", names.remote)
        && run_sec_same_strs(c, run_sec_get(want, "local_names"),
            "local names", names.local)
        && run_sec_rejected(c, run_sec_get(want, "rejected"), names.rejected)
        && check_authorizer(c, "default_authorizer", &vsec_auth_default, call,
            a)
        && check_authorizer(c, "endpoint_authorizer", &vsec_auth_endpoint,
            call, a);
}

enum { MAX_DISCHARGES = 64 };

static bool load_discharges(struct run_case *c, struct vsec_discharge **v,
    size_t *n)
{
    const cJSON *o, *all = run_sec_get(c->json, "remote_discharges_vom");
    int rc;

    cJSON_ArrayForEach(o, all) {
        if (*n == MAX_DISCHARGES)
            return run_fail(c, "too many discharges");
        rc = vsec_discharge_decode(run_sec_engine(c)->al,
            hex(o->valuestring), &v[*n]);
        if (rc != 0)
            return run_fail(c, "discharge: %s", v23_strerror(rc));
        (*n)++;
    }
    return true;
}

bool run_sec_validation(struct run_case *c)
{
    struct vsec_discharge *discharges[MAX_DISCHARGES];
    struct vsec_principal *p = NULL;
    struct vsec_blessings *local = NULL, *remote = NULL;
    struct vsec_call call;
    struct v23_arena a;
    size_t n = 0;
    bool ok;

    memset(&call, 0, sizeof(call));
    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = run_sec_principal(c, run_sec_bytes(c->json, "local_public_key"),
             run_sec_get(c->json, "roots"), &p)
        && run_sec_blessings(c, run_str(c, "local_blessings_vom"), &local)
        && run_sec_blessings(c, run_str(c, "remote_blessings_vom"), &remote)
        && load_discharges(c, discharges, &n);
    if (ok) {
        call.timestamp = run_sec_time(run_str(c, "now"));
        call.method = vdl_str(run_str(c, "method"));
        call.suffix = vdl_str(run_str(c, "suffix"));
        call.method_tags = run_sec_tags(run_sec_get(c->json, "method_tags"),
            &a);
        call.principal = p;
        call.local_blessings = local;
        call.remote_blessings = remote;
        call.remote_discharges = discharges;
        call.nremote_discharges = n;
        call.remote_endpoint_names = run_sec_strs(
            run_sec_get(c->json, "remote_endpoint_blessing_names"), &a);
        ok = check_call(c, &call, &a);
    }
    while (n > 0)
        vsec_discharge_unref(discharges[--n]);
    vsec_blessings_unref(remote);
    vsec_blessings_unref(local);
    vsec_principal_unref(p);
    v23_arena_fini(&a);
    return ok;
}

/* ---- local_names.jsonl, signing_names.jsonl ------------------------------ */

/* The records only use far-away times. */
static const struct v23_walltime wall = { 1728388800, 0 };

bool run_sec_local_names(struct run_case *c)
{
    struct vsec_principal *p = NULL;
    struct vsec_blessings *b = NULL;
    struct v23_arena a;
    vdl_str_list names;
    bool ok;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = run_sec_principal(c, run_sec_bytes(c->json, "public_key"),
             run_sec_get(c->json, "roots"), &p)
        && run_sec_blessings(c, run_str(c, "blessings_vom"), &b);
    if (ok && vsec_principal_names(p, b, wall, &a, &names) != 0)
        ok = run_fail(c, "names");
    ok = ok && run_sec_same_strs(c, run_sec_get(c->json, "expect"), "names",
        names);
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
    v23_arena_fini(&a);
    return ok;
}

bool run_sec_signing_names(struct run_case *c)
{
    const cJSON *want = run_sec_get(c->json, "expect");
    struct vsec_principal *p = NULL;
    struct vsec_blessings *b = NULL, *sub = NULL;
    struct v23_arena a;
    struct vsec_names names;
    bool ok;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = run_sec_blessings(c, run_str(c, "blessings_vom"), &b);
    ok = ok && run_sec_principal(c, b == NULL
            ? run_sec_bytes(run_sec_get(c->json, "roots")->child,
                "public_key") : b->key->der,
        run_sec_get(c->json, "roots"), &p);
    if (ok && (vsec_signing_names(p, b, wall, &a, &names) != 0
            || vsec_blessings_for_signing(b, &sub) != 0))
        ok = run_fail(c, "names");
    ok = ok && run_sec_same_strs(c, run_sec_get(want, "names"), "names",
             names.remote)
        && run_sec_rejected(c, run_sec_get(want, "rejected"), names.rejected)
        && run_sec_same_text(c, want, "signing_subset",
            vsec_blessings_text(sub));
    vsec_blessings_unref(sub);
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
    v23_arena_fini(&a);
    return ok;
}

/* ---- roots.jsonl --------------------------------------------------------- */

bool run_sec_roots(struct run_case *c)
{
    const cJSON *patterns = run_sec_get(c->json, "patterns"), *o;
    struct vsec_engine *e = run_sec_engine(c);
    v23_security_certificate cert;
    const struct v23_verror *err = NULL;
    struct vsec_roots *r = NULL;
    struct v23_arena a;
    bool ok = true;
    int rc, add = 0;

    if (e == NULL || vsec_roots_new(e, &r) != 0)
        return run_fail(c, "no roots");
    v23_arena_init(&a, NULL, SIZE_MAX);
    cJSON_ArrayForEach(o, patterns) {
        rc = vsec_roots_add(r, run_sec_bytes(c->json, "root_public_key"),
            vdl_str(o->valuestring));
        if (rc != 0)
            add = rc;
    }
    if ((add != 0) != (run_str(c, "add_error")[0] != 0))
        ok = run_fail(c, "add: %s", v23_strerror(add));
    memset(&cert, 0, sizeof(cert));
    cert.public_key = run_sec_bytes(c->json, "query_public_key");
    rc = vsec_roots_recognized_cert(r, &cert,
        vdl_str(run_str(c, "blessing")), wall, &a, &err);
    if (ok && (rc == 0) != run_bool(c, "recognized"))
        ok = run_fail(c, "recognized: %s", v23_strerror(rc));
    if (ok && rc != 0)
        ok = id_is(c, "root", err, run_sec_text(c->json, "error_id"));
    vsec_roots_unref(r);
    v23_arena_fini(&a);
    return ok;
}
