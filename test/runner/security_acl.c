/* BSD-3-Clause; see LICENSE. */
/* Access lists and permissions (spec/security.md 11). */
#include "security_int.h"

#include <stdio.h>
#include <stdlib.h>

#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/value.h>
#include <vsec/acl.h>

/* An object {In, NotIn}; null lists are empty. */
static v23_access_access_list acl_of(const cJSON *o, struct v23_arena *a)
{
    vdl_str_list in = run_sec_strs(run_sec_get(o, "In"), a);
    v23_access_access_list acl;

    acl.in.v = in.v;
    acl.in.n = in.n;
    acl.not_in = run_sec_strs(run_sec_get(o, "NotIn"), a);
    return acl;
}

bool run_sec_acl(struct run_case *c)
{
    v23_access_access_list acl;
    struct v23_arena a;
    bool got;

    v23_arena_init(&a, NULL, SIZE_MAX);
    acl = acl_of(run_sec_get(c->json, "acl"), &a);
    got = vsec_acl_includes(&acl,
        run_sec_strs(run_sec_get(c->json, "blessings"), &a));
    v23_arena_fini(&a);
    return got == run_bool(c, "expect")
        || run_fail(c, "includes: %d", (int)got);
}

bool run_sec_enforceable(struct run_case *c)
{
    const cJSON *patterns = run_sec_get(c->json, "root_patterns"), *o;
    struct vsec_engine *e = run_sec_engine(c);
    const struct v23_verror *err = NULL;
    struct vsec_principal *p = NULL;
    v23_access_access_list acl;
    struct v23_arena a;
    bool ok;
    int rc;

    if (e == NULL || vsec_principal_generate(e, "ecdsa256", &p) != 0)
        return run_fail(c, "no principal");
    v23_arena_init(&a, NULL, SIZE_MAX);
    cJSON_ArrayForEach(o, patterns)
        if (vsec_roots_add(p->roots, p->key->der, vdl_str(o->valuestring))
            != 0)
            run_fail(c, "root %s", o->valuestring);
    acl = acl_of(run_sec_get(c->json, "acl"), &a);
    rc = vsec_acl_enforceable(&acl, p, &a, &err);
    ok = (rc == 0) == run_bool(c, "enforceable")
        || run_fail(c, "%s", v23_strerror(rc));
    if (ok && rc != 0 && (err == NULL
            || !vdl_str_is(err->id, run_str(c, "error_id"))))
        ok = run_fail(c, "error id %.*s", err == NULL ? 0 : (int)err->id.n,
            err == NULL ? "" : err->id.p);
    v23_arena_fini(&a);
    vsec_principal_unref(p);
    return ok;
}

/* ---- permissions_authorizer.jsonl ---------------------------------------- */

static bool decide(struct run_case *c, struct vsec_call *call,
    struct v23_arena *a)
{
    const cJSON *want = run_sec_get(c->json, "expect");
    const char *json = run_str(c, "permissions_json");
    const struct v23_verror *err = NULL;
    v23_access_permissions perms;
    struct vsec_auth_perms ap;
    struct vsec_authorizer auth;
    int rc;

    rc = vsec_perms_from_json(v23_bytes(json, strlen(json)), a, &perms, NULL);
    if (rc != 0)
        return run_fail(c, "permissions: %s", v23_strerror(rc));
    ap.perms = &perms;
    ap.tag = NULL;
    auth = vsec_auth_perms(&ap);
    rc = vsec_authorize(&auth, call, a, NULL, &err);
    if ((rc == 0) != cJSON_IsTrue(run_sec_get(want, "allow")))
        return run_fail(c, "%s", v23_strerror(rc));
    if (rc != 0 && (err == NULL
            || !vdl_str_is(err->id, run_sec_text(want, "error_id"))))
        return run_fail(c, "error id %.*s", err == NULL ? 0 : (int)err->id.n,
            err == NULL ? "" : err->id.p);
    return true;
}

bool run_sec_perms(struct run_case *c)
{
    struct vsec_blessings *remote = NULL;
    struct vsec_principal *p = NULL;
    struct vsec_call call;
    struct vsec_names names;
    struct v23_arena a;
    bool ok = true;

    memset(&call, 0, sizeof(call));
    memset(&names, 0, sizeof(names));
    v23_arena_init(&a, NULL, SIZE_MAX);
    call.timestamp = run_sec_time(run_str(c, "now"));
    call.method_tags = run_sec_tags(run_sec_get(c->json, "method_tags"), &a);
    names.remote = run_sec_strs(run_sec_get(c->json, "remote_names"), &a);
    call.names = &names;
    if (run_sec_text(c->json, "remote_blessings_vom")[0] != 0) {
        ok = run_sec_blessings(c, run_str(c, "remote_blessings_vom"),
                 &remote)
            && (remote == NULL
                || run_sec_principal(c, remote->key->der,
                    run_sec_get(c->json, "roots"), &p));
        call.principal = p;
        call.remote_blessings = remote;
        if (ok && vsec_check_start(&call, &a, NULL, &names, NULL) != 0)
            ok = run_fail(c, "check");
        ok = ok && run_sec_same_strs(c, run_sec_get(c->json, "remote_names"),
            "names", names.remote);
    }
    ok = ok && decide(c, &call, &a);
    vsec_blessings_unref(remote);
    vsec_principal_unref(p);
    v23_arena_fini(&a);
    return ok;
}

/* ---- permissions_json.jsonl ---------------------------------------------- */

/* The record's VOM holds the same permissions. */
static bool same_vom(struct run_case *c, const v23_access_permissions *got,
    struct v23_arena *a)
{
    struct v23_bytes vom = run_hex(c, "vom");
    v23_access_permissions want;
    int rc = vom_decode_single(vom.p, vom.n, NULL, a,
        &v23_access_permissions_desc, &want, NULL);

    if (rc != 0)
        return run_fail(c, "vom: %s", v23_strerror(rc));
    return vdl_equal(&v23_access_permissions_desc, &want, got)
        || run_fail(c, "vom differs");
}

bool run_sec_perms_json(struct run_case *c)
{
    const char *json = run_str(c, "json");
    bool want = strcmp(run_str(c, "expect"), "ok") == 0, nil = false, ok;
    v23_access_permissions perms, norm;
    struct v23_arena a;
    struct v23_buf b;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v23_buf_init(&b, NULL, SIZE_MAX);
    rc = vsec_perms_from_json(v23_bytes(json, strlen(json)), &a, &perms,
        &nil);
    ok = (rc == 0) == want || run_fail(c, "%s", v23_strerror(rc));
    if (ok && rc == 0) {
        ok = vsec_perms_to_json(nil ? NULL : &perms, &b) == 0
            && vsec_perms_normalize(&perms, &a, &norm) == 0
            && (nil == run_bool(c, "is_nil") || run_fail(c, "nil"))
            && run_sec_same_text(c, c->json, "normalized",
                vdl_strn((const char *)b.p, b.n))
            && same_vom(c, &norm, &a);
    }
    v23_buf_fini(&b);
    v23_arena_fini(&a);
    return ok;
}
