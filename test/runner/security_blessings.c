/* BSD-3-Clause; see LICENSE. */
/* Blessings, their verification and union (spec/security.md 5). */
#include "security_int.h"

#include <stdio.h>
#include <stdlib.h>

#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/time.h>
#include <vom/value.h>
#include <vsec/pattern.h>
#include <vsec/profile.h>

/* Devices decode what hosts decode, and to the same. */
static bool check_lean(struct run_case *c)
{
    const struct vdl_type *t = &v23_security_wire_blessings_desc;
    struct v23_bytes vom = run_hex(c, "vom");
    v23_security_wire_blessings host, lean;
    struct v23_arena a;
    bool ok;
    int rc1, rc2;

    v23_arena_init(&a, NULL, SIZE_MAX);
    rc1 = vsec_decode_host(vom, &a, t, &host);
    rc2 = vsec_decode_lean(vom, &a, t, &lean);
    ok = (rc1 == 0) == (rc2 == 0)
        && (rc1 != 0 || vdl_equal(t, &host, &lean));
    v23_arena_fini(&a);
    return ok || run_fail(c, "on a device: %s", v23_strerror(rc2));
}

/* ---- blessings.jsonl ----------------------------------------------------- */

static bool check_cert(struct run_case *c, const cJSON *want,
    const v23_security_certificate *cert, struct v23_bytes prev)
{
    const struct vsec_crypto *crypto = run_sec_engine(c)->crypto;
    const struct vsec_hash_alg *h = vsec_hash_named(crypto,
        vdl_str(run_sec_text(want, "digest_hash")));
    struct vsec_signature sig = vsec_signature_of(&cert->signature);
    uint8_t own[VSEC_HASH_MAX], content[VSEC_HASH_MAX];
    uint8_t chained[VSEC_HASH_MAX], sd[VSEC_HASH_MAX];

    if (vsec_cert_own_digest(h, cert, own) != 0
        || vsec_cert_digests(h, cert, prev, content, chained) != 0
        || vsec_signature_digest(h, &sig, sd) != 0)
        return run_fail(c, "digests cannot be computed");
    return run_sec_same_text(c, want, "extension", cert->extension)
        && run_sec_same(c, want, "public_key", cert->public_key.p,
            cert->public_key.n)
        && run_sec_same(c, want, "own_content_digest", own, h->size)
        && run_sec_same(c, want, "chained_content_digest", content, h->size)
        && run_sec_same(c, want, "signature_digest", sd, h->size)
        && run_sec_same(c, want, "chained_digest", chained, h->size);
}

static bool check_chain(struct run_case *c, const cJSON *want,
    const struct vsec_chain *chain)
{
    const cJSON *certs = run_sec_get(want, "certificates"), *o;
    struct v23_bytes prev = { NULL, 0 };
    uint32_t i = 0;

    if (!run_sec_same_text(c, want, "name", chain->name)
        || !run_sec_same(c, want, "digest", chain->digest.p, chain->digest.n))
        return false;
    if ((uint32_t)cJSON_GetArraySize(certs) != chain->certs.n)
        return run_fail(c, "%u certificates", (unsigned)chain->certs.n);
    cJSON_ArrayForEach(o, certs) {
        if (!check_cert(c, o, &chain->certs.v[i++], prev))
            return false;
        prev = hex(run_sec_text(o, "chained_digest"));
    }
    return true;
}

static bool check_third_parties(struct run_case *c,
    const struct vsec_blessings *b, struct v23_arena *a)
{
    v23_security_public_key_third_party_caveat_param p;
    v23_security_caveat_list l;
    struct vdl_str ids[64];
    vdl_str_list got = { ids, 0 };
    char *id;
    uint32_t i;

    if (vsec_blessings_third_party(b, a, &l) != 0)
        return run_fail(c, "third-party caveats");
    for (i = 0; i < l.n && i < 64; i++) {
        id = v23_arena_get(a, VSEC_CAVEAT_ID, 1);
        if (vsec_caveat_param(&l.v[i], &vsec_kind_third_party, a, &p) != 0
            || vsec_third_party_id(run_sec_engine(c), &p, id) != 0)
            return run_fail(c, "third-party caveat %u", (unsigned)i);
        ids[got.n++] = vdl_str(id);
    }
    return run_sec_same_strs(c, run_sec_get(c->json, "third_party_ids"),
        "third-party ids", got);
}

static bool check_roots(struct run_case *c, const struct vsec_blessings *b)
{
    const cJSON *want = run_sec_get(c->json, "root_blessings_vom"), *o;
    struct vsec_blessings *root;
    uint32_t i = 0;
    bool ok;

    if (vsec_blessings_is_nameless(b))
        return cJSON_GetArraySize(want) == 0
            || run_fail(c, "nameless, but roots are expected");
    cJSON_ArrayForEach(o, want) {
        if (vsec_blessings_root(b, i++, &root) != 0)
            return run_fail(c, "root %u", (unsigned)(i - 1));
        ok = run_sec_encodes(c, root, o->valuestring);
        vsec_blessings_unref(root);
        if (!ok)
            return false;
    }
    return i == b->nchains || run_fail(c, "%u chains", (unsigned)b->nchains);
}

static bool check_properties(struct run_case *c,
    const struct vsec_blessings *b)
{
    struct v23_walltime want = run_sec_time(run_sec_text(c->json, "expiry"));
    struct v23_walltime got = run_sec_time("");
    struct vsec_blessings *sub;
    char print[VSEC_FINGERPRINT];
    bool ok;

    vsec_blessings_expiry(b, &got);
    if (v23_walltime_cmp(want, got) != 0)
        return run_fail(c, "expiry is %lld.%09d", (long long)got.sec,
            (int)got.nanos);
    if (vsec_fingerprint(run_sec_engine(c)->crypto, b->key->der, print) != 0
        || vsec_blessings_for_signing(b, &sub) != 0)
        return run_fail(c, "fingerprint or signing subset");
    ok = run_sec_same_text(c, c->json, "string", vsec_blessings_text(b))
        && run_sec_same_text(c, c->json, "fingerprint", vdl_str(print))
        && run_sec_same(c, c->json, "unique_id", b->id, b->nid)
        && run_sec_same(c, c->json, "public_key", b->key->der.p,
            b->key->der.n)
        && run_sec_same_text(c, c->json, "signing_blessings",
            vsec_blessings_text(sub))
        && run_sec_encodes(c, b, run_str(c, "vom"));
    vsec_blessings_unref(sub);
    if (vsec_blessings_is_nameless(b)
        != cJSON_IsTrue(run_sec_get(c->json, "nameless")))
        return run_fail(c, "nameless: %d", (int)b->nameless);
    return ok;
}

static bool check_text_form(struct run_case *c)
{
    const char *text = run_str(c, "base64url");
    struct v23_buf b;
    bool ok;

    v23_buf_init(&b, NULL, SIZE_MAX);
    ok = v23_base64_parse(text, strlen(text), true, &b) == 0
        && run_sec_same(c, c->json, "vom", b.p, b.n);
    v23_buf_fini(&b);
    return ok || run_fail(c, "base64url");
}

bool run_sec_blessings_case(struct run_case *c)
{
    const cJSON *chains = run_sec_get(c->json, "chains"), *o;
    struct vsec_blessings *b;
    struct v23_arena a;
    uint32_t i = 0;
    bool ok;

    if (!run_sec_blessings(c, run_str(c, "vom"), &b))
        return false;
    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = (uint32_t)cJSON_GetArraySize(chains) == b->nchains
        || run_fail(c, "%u chains", (unsigned)b->nchains);
    if (ok)
        cJSON_ArrayForEach(o, chains)
            ok = ok && check_chain(c, o, &b->chains[i++]);
    ok = ok && check_properties(c, b) && check_third_parties(c, b, &a)
        && check_roots(c, b) && check_text_form(c) && check_lean(c);
    v23_arena_fini(&a);
    vsec_blessings_unref(b);
    return ok;
}

/* ---- wire_blessings_decode.jsonl ----------------------------------------- */

bool run_sec_decode(struct run_case *c)
{
    struct vsec_engine *e = run_sec_engine(c);
    struct vsec_chain_cache *cache = NULL;
    bool want = strcmp(run_str(c, "expect"), "ok") == 0, ok = true;
    struct vsec_blessings *b;
    int i, rc;

    if (e == NULL || vsec_chain_cache_new(e, 0, &cache) != 0)
        return run_fail(c, "no cache");
    /* The second time the cache holds what was verified. */
    for (i = 0; ok && i < 2; i++) {
        b = NULL;
        rc = vsec_blessings_decode(e, cache, run_hex(c, "vom"), &b);
        if ((rc == 0) != want)
            ok = run_fail(c, "time %d: %s", i, v23_strerror(rc));
        else if (rc == 0)
            ok = (b == NULL) == cJSON_IsTrue(run_sec_get(c->json, "zero"))
                && run_sec_same_text(c, c->json, "string",
                    vsec_blessings_text(b))
                && (!run_has(c, "unique_id")
                    || run_sec_same(c, c->json, "unique_id",
                        b == NULL ? NULL : b->id, b == NULL ? 0 : b->nid));
        vsec_blessings_unref(b);
    }
    if (!want && vsec_chain_cache_count(cache) != 0 && ok) {
        /* Only whole verified chains may be remembered: a failing value may
         * leave good chains that came before the bad one. */
        b = NULL;
        rc = vsec_blessings_decode(e, cache, run_hex(c, "vom"), &b);
        if (rc == 0)
            ok = run_fail(c, "accepted from the cache");
        vsec_blessings_unref(b);
    }
    vsec_chain_cache_free(cache);
    return ok && check_lean(c);
}

/* ---- unions.jsonl -------------------------------------------------------- */

bool run_sec_unions(struct run_case *c)
{
    const cJSON *inputs = run_sec_get(c->json, "inputs_vom"), *o;
    bool want = strcmp(run_str(c, "expect"), "ok") == 0, ok = true;
    struct vsec_blessings *v[64], *sum = NULL;
    size_t n = 0;
    int rc;

    cJSON_ArrayForEach(o, inputs) {
        ok = n < 64 && run_sec_blessings(c, o->valuestring, &v[n]);
        if (!ok)
            break;
        n++;
    }
    if (ok) {
        rc = vsec_blessings_union(v, n, &sum);
        if ((rc == 0) != want)
            ok = run_fail(c, "%s", v23_strerror(rc));
        else if (rc == 0)
            ok = run_sec_same_text(c, c->json, "string",
                     vsec_blessings_text(sum))
                && run_sec_same(c, c->json, "unique_id",
                    sum == NULL ? NULL : sum->id, sum == NULL ? 0 : sum->nid)
                && run_sec_encodes(c, sum, run_str(c, "vom"));
    }
    vsec_blessings_unref(sum);
    while (n > 0)
        vsec_blessings_unref(v[--n]);
    return ok;
}

/* ---- wire_values.jsonl --------------------------------------------------- */

static const struct vdl_type *type_named(const char *name)
{
    static const struct vdl_type *const types[] = {
        &v23_security_wire_blessings_desc, &v23_security_wire_discharge_desc,
        &v23_security_caveat_desc, &v23_security_certificate_desc,
        &v23_security_signature_desc, &v23_security_discharge_impetus_desc,
        &v23_security_rejected_blessing_desc,
        &v23_security_caveat_descriptor_desc,
        &v23_security_third_party_requirements_desc,
        &v23_security_public_key_third_party_caveat_param_desc,
        &v23_security_public_key_discharge_desc,
        &v23_security_blessing_pattern_desc, &v23_security_hash_desc,
        &v23_access_access_list_desc, &v23_access_permissions_desc,
        &v23_access_tag_desc };
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (vdl_str_is(types[i]->name, name))
            return types[i];
    return NULL;
}

/* Decode into type t (NULL: dynamically), encode again. */
static bool there_and_back(struct run_case *c, const struct vdl_type *t)
{
    struct v23_bytes vom = run_hex(c, "vom");
    struct vdl_any any;
    struct v23_arena a;
    struct v23_buf b;
    void *v = &any;
    bool ok;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v23_buf_init(&b, NULL, SIZE_MAX);
    if (t != NULL)
        v = v23_arena_get0(&a, 1, t->size, t->align);
    rc = vom_decode_single(vom.p, vom.n, NULL, &a, t, v, NULL);
    if (rc == 0)
        rc = vom_encode_single(NULL, t == NULL ? &vdl_any_desc : t, v, &b);
    if (rc != 0)
        ok = run_fail(c, "%s", v23_strerror(rc));
    else
        ok = run_sec_same(c, c->json, "vom", b.p, b.n);
    v23_buf_fini(&b);
    v23_arena_fini(&a);
    return ok;
}

bool run_sec_wire_values(struct run_case *c)
{
    const char *name = run_str(c, "type");
    const struct vdl_type *t = type_named(name);

    if (t == NULL && strncmp(name, "[]", 2) != 0)
        return run_fail(c, "no descriptor of %s", name);
    return (t == NULL || there_and_back(c, t)) && there_and_back(c, NULL);
}
