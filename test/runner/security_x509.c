/* BSD-3-Clause; see LICENSE. */
/* Blessings by X.509 certificates (spec/security.md 5.8, 7.3). */
#include "security_int.h"

#include <stdio.h>
#include <string.h>

#include <vsec/check.h>
#include <vsec/x509.h>

/* ---- what a record is about ---------------------------------------------- */

/* A file of the folder x509. */
static bool read_file(struct run_case *c, const char *name,
    struct v23_buf *out)
{
    char path[600];
    uint8_t part[4096];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", c->companions, name);
    f = fopen(path, "rb");
    if (f == NULL)
        return run_fail(c, "%s cannot be read", path);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        v23_buf_put(out, part, n);
    fclose(f);
    return out->err == 0;
}

/* The private key beside the certificate: "x509/multi.crt", "….key". */
static bool read_signer(struct run_case *c, struct vsec_signer **out)
{
    const struct v23_bytes none = { NULL, 0 };
    const char *cert = run_str(c, "cert");
    struct vsec_key_file f;
    struct v23_buf text;
    char name[100];
    bool ok;
    int rc;

    snprintf(name, sizeof(name), "%.*s.key", (int)(strlen(cert) - 4), cert);
    v23_buf_init(&text, NULL, 1 << 20);
    ok = read_file(c, name, &text);
    if (ok) {
        rc = vsec_key_file_read(run_sec_engine(c), v23_bytes(text.p, text.n),
            none, &f);
        ok = rc == 0 || run_fail(c, "%s: %s", name, v23_strerror(rc));
    }
    if (ok) {
        *out = vsec_signer_ref(f.signer);
        vsec_key_file_fini(&f);
    }
    v23_buf_fini(&text);
    return ok;
}

/* The holder of the certificate. */
static bool make_holder(struct run_case *c, struct vsec_principal **out)
{
    struct vsec_signer *s;
    int rc;

    if (!read_signer(c, &s))
        return false;
    rc = vsec_principal_new(s->pub->engine, s, NULL, NULL, NULL, out);
    vsec_signer_unref(s);
    if (rc == 0)
        rc = vsec_principal_use_x509(*out, run_hex(c, "x509_der"));
    return rc == 0 || run_fail(c, "principal: %s", v23_strerror(rc));
}

/* Who looks at it, with or without the authority as the only anchor. */
static bool make_judge(struct run_case *c, bool with_ca,
    struct vsec_principal **out)
{
    struct vsec_anchors *t = NULL;
    int rc = vsec_principal_generate(run_sec_engine(c), "ed25519", out);

    if (rc == 0)
        rc = vsec_anchors_new(run_sec_engine(c), &t);
    if (rc == 0 && with_ca)
        rc = vsec_anchors_add(t, run_hex(c, "ca_der"));
    if (rc == 0)
        vsec_roots_use_x509((*out)->roots, vsec_anchors_x509(t));
    vsec_anchors_unref(t);
    return rc == 0 || run_fail(c, "anchors: %s", v23_strerror(rc));
}

/* ---- expectations -------------------------------------------------------- */

static bool names_are(struct run_case *c, bool with_ca,
    struct vsec_blessings *b, const char *expect)
{
    const cJSON *want = run_sec_get(c->json, expect);
    struct vsec_principal *judge = NULL;
    struct vsec_names names;
    struct vsec_call call;
    struct v23_arena a;
    bool ok;

    if (want == NULL)
        return run_fail(c, "no %s", expect);
    memset(&call, 0, sizeof(call));
    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = make_judge(c, with_ca, &judge);
    if (ok) {
        call.timestamp = run_sec_time(run_str(c, "now"));
        call.principal = judge;
        call.remote_blessings = b;
        ok = vsec_check_start(&call, &a, NULL, &names, NULL) == 0
            || run_fail(c, "check");
    }
    ok = ok
        && run_sec_same_strs(c, run_sec_get(want, "remote_names"), expect,
            names.remote)
        && run_sec_rejected(c, run_sec_get(want, "rejected"), names.rejected);
    vsec_principal_unref(judge);
    v23_arena_fini(&a);
    return ok;
}

static bool could_have(struct run_case *c, const struct vsec_blessings *b)
{
    const cJSON *o, *all = run_sec_get(c->json, "could_have_names");
    struct vdl_str name;
    vdl_str_list l = { &name, 1 };

    cJSON_ArrayForEach(o, all) {
        name = vdl_str(o->string);
        if (vsec_blessings_could_have_names(b, l) != cJSON_IsTrue(o))
            return run_fail(c, "could have %s", o->string);
    }
    return all != NULL || run_fail(c, "no could_have_names");
}

/* Everything about blessings, whoever made them. */
static bool judged(struct run_case *c, struct vsec_blessings *b)
{
    return could_have(c, b) && names_are(c, true, b, "expect_with_ca")
        && names_are(c, false, b, "expect_without_ca");
}

/* Ours against the recorded ones: signatures of ECDSA differ. */
static bool same_blessings(struct run_case *c, const struct vsec_blessings *a,
    const struct vsec_blessings *b)
{
    const v23_security_certificate *x, *y;
    const struct vsec_hash_alg *h = b->key->hash;
    uint8_t dx[VSEC_HASH_MAX], dy[VSEC_HASH_MAX];
    uint32_t i;

    if (a->nchains != b->nchains)
        return run_fail(c, "%u chains", (unsigned)a->nchains);
    for (i = 0; i < a->nchains; i++) {
        x = a->chains[i].certs.v;
        y = b->chains[i].certs.v;
        if (a->chains[i].certs.n != 1
            || !vdl_str_eq(x->signature.hash, y->signature.hash)
            || vsec_cert_own_digest(h, x, dx) != 0
            || vsec_cert_own_digest(h, y, dy) != 0
            || memcmp(dx, dy, h->size) != 0)
            return run_fail(c, "chain %u differs", (unsigned)i);
    }
    return b->key->alg->kind == VSEC_ECDSA || vsec_blessings_eq(a, b)
        || run_fail(c, "signatures differ");
}

static bool check_made(struct run_case *c, struct vsec_blessings *made)
{
    struct run_case sub = *c;
    struct vsec_blessings *b = NULL, *longer = NULL;
    bool ok;

    sub.json = run_sec_get(c->json, "blessings");
    if (!run_sec_blessings_case(&sub))
        return run_fail(c, "%s", sub.why);
    ok = run_sec_blessings(c, run_sec_text(sub.json, "vom"), &b)
        && run_sec_blessings(c, run_str(c, "extended_vom"), &longer)
        && same_blessings(c, made, b) && judged(c, b) && judged(c, made)
        && names_are(c, true, longer, "expect_extended_with_ca");
    vsec_blessings_unref(longer);
    vsec_blessings_unref(b);
    return ok;
}

static bool check_dns_names(struct run_case *c)
{
    struct vsec_x509_cert cert;
    struct vdl_str v[32];
    vdl_str_list l = { v, 0 };
    struct v23_bytes rest;

    if (vsec_x509_parse(run_hex(c, "x509_der"), &cert) != 0)
        return run_fail(c, "certificate");
    rest = cert.names;
    while (l.n < 32 && vsec_x509_next_dns(&rest, &v[l.n]))
        l.n++;
    return run_sec_same_strs(c, run_sec_get(c->json, "dns_names"), "names",
        l);
}

static bool check_holder(struct run_case *c)
{
    const v23_security_caveat_list none = { NULL, 0 };
    bool want = strcmp(run_str(c, "bless_self"), "ok") == 0, ok;
    struct vsec_principal *p = NULL;
    struct vsec_blessings *b = NULL;
    int rc;

    ok = check_dns_names(c) && make_holder(c, &p);
    if (ok) {
        rc = vsec_principal_bless_self(p,
            vdl_str(run_str(c, "bless_self_name")), none, &b);
        ok = want ? rc == 0 : rc == V23_ECERT;
        if (!ok)
            run_fail(c, "self blessing: %s", v23_strerror(rc));
    }
    ok = ok && (!want || check_made(c, b));
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
    return ok;
}

/* ---- forgeries ----------------------------------------------------------- */

static bool check_recognition(struct run_case *c)
{
    struct vsec_principal *judge = NULL;
    const struct v23_verror *err = NULL;
    struct vsec_blessings *b = NULL;
    struct v23_arena a;
    bool ok, want = run_bool(c, "recognized");
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = run_sec_blessings(c, run_str(c, "blessings_vom"), &b)
        && make_judge(c, true, &judge);
    if (ok) {
        rc = vsec_roots_recognized_cert(judge->roots, b->chains[0].certs.v,
            vdl_str(run_str(c, "name")), run_sec_time(run_str(c, "now")), &a,
            &err);
        ok = (want ? rc == 0 : rc == V23_EUNTRUSTED)
            || run_fail(c, "recognized: %s", v23_strerror(rc));
    }
    if (ok && !want)
        ok = vdl_str_is(err->id, run_str(c, "error_id"))
            || run_fail(c, "error id %.*s", (int)err->id.n, err->id.p);
    vsec_blessings_unref(b);
    vsec_principal_unref(judge);
    v23_arena_fini(&a);
    return ok;
}

bool run_sec_x509(struct run_case *c)
{
    return run_has(c, "blessings_vom") ? check_recognition(c)
                                       : check_holder(c);
}
