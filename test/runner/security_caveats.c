/* BSD-3-Clause; see LICENSE. */
/* Caveats, discharges, extensions and patterns (spec/security.md 4 - 6, 8). */
#include "security_int.h"

#include <stdio.h>
#include <stdlib.h>

#include <vom/enc.h>
#include <vom/time.h>
#include <vsec/pattern.h>

static v23_security_caveat caveat_of(const cJSON *o)
{
    v23_security_caveat c;

    memcpy(c.id.v, hex(run_sec_text(o, "caveat_id")).p, sizeof(c.id.v));
    c.param_vom = run_sec_bytes(o, "param_vom");
    return c;
}

/* ---- caveats.jsonl ------------------------------------------------------- */

static int make_times(const char *kind, struct v23_arena *a, const cJSON *p,
    v23_security_caveat *out)
{
    struct v23_walltime t = run_sec_time(cJSON_IsString(p) ? p->valuestring
                                                           : "");

    return strcmp(kind, "Expiry") == 0 ? vsec_caveat_expiry(a, t, out)
                                       : vsec_caveat_not_before(a, t, out);
}

/* Build the caveat from the record's parameter. V23_ENOENT: not a kind that
 * has a constructor. */
static int make(struct run_case *c, struct v23_arena *a,
    v23_security_caveat *out)
{
    const char *kind = run_str(c, "kind");
    const cJSON *p = run_sec_get(c->json, "param");
    bool b;

    if (strcmp(kind, "Const") == 0) {
        b = cJSON_IsTrue(p);
        return vsec_caveat_make(a, &vsec_kind_const, &b, out);
    }
    if (strcmp(kind, "Expiry") == 0 || strcmp(kind, "NotBefore") == 0)
        return make_times(kind, a, p, out);
    if (strcmp(kind, "Method") == 0)
        return vsec_caveat_method(a, run_sec_strs(p, a), out);
    if (strcmp(kind, "PeerBlessings") == 0)
        return vsec_caveat_peers(a, run_sec_strs(p, a), out);
    if (strcmp(kind, "AccessTag") == 0)
        return vsec_caveat_access_tags(a, run_sec_strs(p, a), out);
    return V23_ENOENT;
}

static bool check_made(struct run_case *c, struct v23_arena *a)
{
    v23_security_caveat made;
    int rc = make(c, a, &made);

    if (rc == V23_ENOENT)
        return true;
    if (rc != 0)
        return run_fail(c, "constructor: %s", v23_strerror(rc));
    return run_sec_same(c, c->json, "param_vom", made.param_vom.p,
               made.param_vom.n)
        && run_sec_same(c, c->json, "caveat_id", made.id.v, 16);
}

static bool check_digests(struct run_case *c, const v23_security_caveat *cav)
{
    static const char *const names[] = { "SHA256", "SHA384", "SHA512" };
    const struct vsec_crypto *crypto = run_sec_engine(c)->crypto;
    const cJSON *want = run_sec_get(c->json, "digest");
    const struct vsec_hash_alg *h;
    uint8_t d[VSEC_HASH_MAX];
    int i;

    for (i = 0; i < 3; i++) {
        h = vsec_hash_named(crypto, vdl_str(names[i]));
        if (vsec_caveat_digest(h, cav, d) != 0
            || !run_sec_same(c, want, names[i], d, h->size))
            return run_fail(c, "digest %s", names[i]);
    }
    return true;
}

static bool check_third_party(struct run_case *c,
    const v23_security_caveat *cav, struct v23_arena *a)
{
    const cJSON *want = run_sec_get(c->json, "third_party");
    const cJSON *req;
    v23_security_public_key_third_party_caveat_param p;
    char id[VSEC_CAVEAT_ID];
    int rc;

    if (want == NULL)
        return true;
    req = run_sec_get(want, "requirements");
    rc = vsec_caveat_param(cav, &vsec_kind_third_party, a, &p);
    if (rc == 0)
        rc = vsec_third_party_id(run_sec_engine(c), &p, id);
    if (rc != 0)
        return run_fail(c, "third party: %s", v23_strerror(rc));
    if (cJSON_IsTrue(run_sec_get(req, "ReportServer"))
            != p.discharger_requirements.report_server
        || cJSON_IsTrue(run_sec_get(req, "ReportMethod"))
            != p.discharger_requirements.report_method
        || cJSON_IsTrue(run_sec_get(req, "ReportArguments"))
            != p.discharger_requirements.report_arguments)
        return run_fail(c, "requirements differ");
    return run_sec_same_text(c, want, "third_party_id", vdl_str(id))
        && run_sec_same_text(c, want, "location", p.discharger_location)
        && run_sec_same(c, want, "nonce", p.nonce.v, sizeof(p.nonce.v))
        && run_sec_same(c, want, "discharger_key", p.discharger_key.p,
            p.discharger_key.n);
}

bool run_sec_caveats(struct run_case *c)
{
    v23_security_caveat cav = caveat_of(c->json);
    struct vsec_engine *e = run_sec_engine(c);
    struct v23_arena a;
    struct v23_buf b;
    bool ok;

    if (e == NULL)
        return false;
    v23_arena_init(&a, e->al, SIZE_MAX);
    v23_buf_init(&b, e->al, SIZE_MAX);
    cav.param_vom.p = v23_arena_dup(&a, cav.param_vom.p, cav.param_vom.n);
    ok = check_made(c, &a) && check_digests(c, &cav)
        && check_third_party(c, &cav, &a);
    if (ok && vsec_caveat_format(e, &cav, &b) != 0)
        ok = run_fail(c, "text form");
    ok = ok && run_sec_same_text(c, c->json, "string",
        vdl_strn((const char *)b.p, b.n));
    b.n = 0;
    if (ok && vom_encode_single(e->al, &v23_security_caveat_desc, &cav, &b)
        != 0)
        ok = run_fail(c, "encoding");
    ok = ok && run_sec_same(c, c->json, "caveat_vom", b.p, b.n);
    v23_buf_fini(&b);
    v23_arena_fini(&a);
    return ok;
}

/* ---- discharges.jsonl ---------------------------------------------------- */

static bool check_discharge(struct run_case *c, struct vsec_discharge *d,
    struct vsec_pubkey *key, const char *id)
{
    const v23_security_public_key_discharge *pk = &d->wire.u.public_key;
    struct v23_walltime want = run_sec_time(run_str(c, "expiry"));
    struct v23_walltime got = run_sec_time("");
    uint8_t digest[VSEC_HASH_MAX];
    bool good;
    int rc;

    rc = vsec_discharge_digest(key->hash, pk, digest);
    if (rc != 0)
        return run_fail(c, "digest: %s", v23_strerror(rc));
    if (!run_sec_same(c, c->json, "discharge_digest", digest, key->hash->size)
        || !run_sec_same_text(c, c->json, "discharge_id",
            vsec_discharge_id(d)))
        return false;
    vsec_discharge_expiry(d, &got);
    if (v23_walltime_cmp(want, got) != 0)
        return run_fail(c, "expiry is %lld", (long long)got.sec);
    rc = vsec_discharge_verify(d, key);
    good = rc == 0 && vdl_str_is(vsec_discharge_id(d), id);
    if (good != run_bool(c, "expect_signature_ok"))
        return run_fail(c, "verification: %s", v23_strerror(rc));
    /* What was remembered must not change the answer. */
    if (vsec_discharge_verify(d, key) != rc)
        return run_fail(c, "second verification differs");
    return true;
}

bool run_sec_discharges(struct run_case *c)
{
    const cJSON *o = run_sec_get(c->json, "caveat");
    v23_security_public_key_third_party_caveat_param p;
    v23_security_caveat cav = caveat_of(o);
    struct vsec_engine *e = run_sec_engine(c);
    struct vsec_discharge *d = NULL;
    struct vsec_pubkey *key = NULL;
    char id[VSEC_CAVEAT_ID] = "";
    struct v23_arena a;
    bool ok = false;
    int rc;

    if (e == NULL)
        return false;
    v23_arena_init(&a, e->al, SIZE_MAX);
    rc = vsec_caveat_param(&cav, &vsec_kind_third_party, &a, &p);
    if (rc == 0)
        rc = vsec_third_party_id(e, &p, id);
    if (rc == 0)
        rc = vsec_pubkey_parse(e, p.discharger_key, &key);
    if (rc == 0)
        rc = vsec_discharge_decode(e->al, run_hex(c, "discharge_vom"), &d);
    if (rc != 0)
        run_fail(c, "%s", v23_strerror(rc));
    else
        ok = run_sec_same_text(c, c->json, "third_party_id", vdl_str(id))
            && check_discharge(c, d, key, id);
    vsec_discharge_unref(d);
    vsec_pubkey_unref(key);
    v23_arena_fini(&a);
    return ok;
}

/* ---- discharge_cache_keys.jsonl ------------------------------------------ */

bool run_sec_discharge_keys(struct run_case *c)
{
    const cJSON *req = run_sec_get(c->json, "requirements");
    const cJSON *imp = run_sec_get(c->json, "impetus");
    v23_security_third_party_requirements wants;
    v23_security_discharge_impetus impetus;
    uint8_t key[VSEC_DISCHARGE_KEY];
    struct vsec_engine *e = run_sec_engine(c);
    struct v23_arena a;
    vdl_str_list servers;
    int rc;

    if (e == NULL)
        return false;
    v23_arena_init(&a, e->al, SIZE_MAX);
    memset(&impetus, 0, sizeof(impetus));
    wants.report_server = cJSON_IsTrue(run_sec_get(req, "ReportServer"));
    wants.report_method = cJSON_IsTrue(run_sec_get(req, "ReportMethod"));
    wants.report_arguments = cJSON_IsTrue(run_sec_get(req,
        "ReportArguments"));
    servers = run_sec_strs(run_sec_get(imp, "server"), &a);
    impetus.server.v = servers.v;
    impetus.server.n = servers.n;
    impetus.method = vdl_str(run_sec_text(imp, "method"));
    rc = vsec_discharge_key(e, vdl_str(run_str(c, "third_party_id")), &wants,
        &impetus, key);
    v23_arena_fini(&a);
    if ((rc == 0) != run_bool(c, "cacheable"))
        return run_fail(c, "%s", v23_strerror(rc));
    return rc != 0 || run_sec_same(c, c->json, "key", key, sizeof(key));
}

/* ---- extensions and patterns --------------------------------------------- */

bool run_sec_extensions(struct run_case *c)
{
    struct v23_bytes b = run_hex(c, "extension_hex");
    const char *why = vsec_extension_fault(
        vdl_strn((const char *)b.p, b.n));

    if ((why == NULL) == run_bool(c, "valid"))
        return true;
    return run_fail(c, "%s", why == NULL ? "accepted" : why);
}

bool run_sec_patterns(struct run_case *c)
{
    struct v23_arena a;
    vdl_str_list names;
    bool got;

    v23_arena_init(&a, NULL, SIZE_MAX);
    names = run_sec_strs(run_sec_get(c->json, "blessings"), &a);
    got = vsec_pattern_matched(vdl_str(run_str(c, "pattern")), names);
    v23_arena_fini(&a);
    return got == run_bool(c, "expect")
        || run_fail(c, "matched: %d", (int)got);
}

bool run_sec_pattern_forms(struct run_case *c)
{
    struct vdl_str p = vdl_str(run_str(c, "pattern")), exact;
    vdl_str_list prefixes;
    struct v23_arena a;
    bool ok, valid = vsec_pattern_valid(p);

    if (valid != run_bool(c, "valid"))
        return run_fail(c, "valid: %d", (int)valid);
    if (!valid)
        return true;
    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = vsec_pattern_non_extendable(p, &a, &exact) == 0
        && vsec_pattern_prefixes(p, &a, &prefixes) == 0
        && run_sec_same_text(c, c->json, "make_non_extendable", exact)
        && run_sec_same_strs(c, run_sec_get(c->json, "prefix_patterns"),
            "prefix patterns", prefixes);
    v23_arena_fini(&a);
    return ok;
}
