/* BSD-3-Clause; see LICENSE. */
/*
 * security/keys.jsonl, key_files.jsonl, signatures.jsonl (spec/security.md 3,
 * 12.2, 12.3).
 */
#include "security_int.h"

#include <stdio.h>
#include <stdlib.h>

#include <vsec/key.h>

/* ---- state: one engine for a file ---------------------------------------- */

struct state {
    struct tst_alloc t;
    struct vsec_engine *e;
};

void *run_sec_engine_begin(const char *dir, const char *companions)
{
    struct state *s = calloc(1, sizeof(*s));

    (void)dir;
    (void)companions;
    if (s == NULL)
        return NULL;
    tst_alloc_init(&s->t);
    if (vsec_engine_new(&s->e, &vsec_crypto_default, &s->t.al, NULL) != 0) {
        free(s);
        return NULL;
    }
    return s;
}

void run_sec_engine_end(void *engine)
{
    struct state *s = engine;

    if (s == NULL)
        return;
    vsec_engine_unref(s->e);
    if (s->t.live != 0)
        run_result("security", "keys", false, "memory was not given back");
    free(s);
}

struct vsec_engine *run_sec_engine(struct run_case *c)
{
    struct state *s = c->state;

    if (s == NULL)
        run_fail(c, "no engine");
    return s == NULL ? NULL : s->e;
}

/* ---- helpers ------------------------------------------------------------- */

static struct vdl_bytes as_vdl(struct v23_bytes b)
{
    return vdl_bytes(b.p, b.n);
}

static bool same(struct run_case *c, const char *what, struct v23_bytes want,
    const void *p, size_t n)
{
    if (want.n == n && (n == 0 || memcmp(want.p, p, n) == 0))
        return true;
    return run_fail(c, "%s is %s", what, unhex(p, n));
}

/* A file of the family; `name` is the record's member. Caller frees. */
static char *load(struct run_case *c, const char *name, size_t *n)
{
    char path[1024], *text;

    snprintf(path, sizeof(path), "%s/%s", c->dir, run_str(c, name));
    text = tst_read_file(path, n);
    if (text == NULL) {
        snprintf(path, sizeof(path), "%s/%s", c->companions,
            run_str(c, name));
        text = tst_read_file(path, n);
    }
    if (text == NULL)
        run_fail(c, "%s cannot be read", path);
    return text;
}

/* Sign with s and verify. */
static bool sign_and_verify(struct run_case *c, struct vsec_signer *s)
{
    struct vdl_bytes purpose = vdl_bytes((const uint8_t *)"S1", 2);
    struct vsec_signature sig;
    struct v23_arena a;
    bool ok = true;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    rc = vsec_sign(s, purpose, "message", 7, &a, &sig, NULL);
    if (rc != 0)
        ok = run_fail(c, "cannot sign: %s", v23_strerror(rc));
    else if (vsec_verify(s->pub, &sig, "message", 7) != 0)
        ok = run_fail(c, "own signature does not verify");
    else if (vsec_verify(s->pub, &sig, "massage", 7) != V23_ESIG)
        ok = run_fail(c, "signature verifies another message");
    v23_arena_fini(&a);
    return ok;
}

/* ---- keys.jsonl ---------------------------------------------------------- */

static bool check_pubkey(struct run_case *c, const struct vsec_pubkey *k)
{
    char fp[VSEC_FINGERPRINT];

    if (strcmp(k->hash->name, run_str(c, "hash")) != 0)
        return run_fail(c, "hash %s", k->hash->name);
    if (vsec_fingerprint(&vsec_crypto_default, k->der, fp) != 0
        || strcmp(fp, run_str(c, "fingerprint")) != 0)
        return run_fail(c, "fingerprint %s", fp);
    return true;
}

/* The PEM form is written as the file has it, and the file gives the key. */
static bool check_public_file(struct run_case *c, const struct vsec_pubkey *k,
    const char *member)
{
    struct vsec_pubkey_file f = { NULL, { 0 } };
    size_t n = 0;
    char *text = load(c, member, &n);
    int rc;

    if (text == NULL)
        return false;
    rc = vsec_pubkey_file_read(run_sec_engine(c), v23_bytes(text, n), &f);
    free(text);
    if (rc != 0)
        return run_fail(c, "%s: %s", member, v23_strerror(rc));
    if (f.key == NULL || !vsec_pubkey_eq(f.key, k))
        run_fail(c, "%s holds another key", member);
    vsec_pubkey_file_fini(&f);
    return c->why[0] == 0;
}

static bool check_public_forms(struct run_case *c,
    const struct vsec_pubkey *k)
{
    struct v23_buf b;
    size_t n = 0;
    char *text = load(c, "public_pem", &n);

    v23_buf_init(&b, NULL, SIZE_MAX);
    if (text != NULL && vsec_pubkey_pem_put(k->der, &b) == 0
        && (b.n != n || memcmp(b.p, text, n) != 0))
        run_fail(c, "PEM is %s", v23_buf_cstr(&b));
    free(text);
    v23_buf_cut(&b, 0);
    if (run_has(c, "ssh_public")) {
        if (vsec_ssh_pubkey_put(k, &b) != 0)
            run_fail(c, "no ssh form");
        v23_buf_put_byte(&b, '\n');
        if (strcmp(v23_buf_cstr(&b), run_str(c, "ssh_public")) != 0)
            run_fail(c, "ssh form is %s", v23_buf_cstr(&b));
        check_public_file(c, k, "ssh_public_file");
    } else if (vsec_ssh_pubkey_put(k, &b) != V23_ENOSYS) {
        run_fail(c, "unexpected ssh form");
    }
    v23_buf_fini(&b);
    return c->why[0] == 0 && check_public_file(c, k, "public_pem");
}

/* A private key belongs to the public key and is written as it was read. */
static bool check_private(struct run_case *c, struct vsec_signer *s,
    const struct vsec_pubkey *k)
{
    struct v23_buf b;

    if (!vsec_pubkey_eq(s->pub, k))
        return run_fail(c, "private key of another key");
    v23_buf_init(&b, NULL, SIZE_MAX);
    if (vsec_pkcs8_put(s, &b) != 0)
        run_fail(c, "cannot write PKCS#8");
    else
        same(c, "PKCS#8", run_hex(c, "private_key_pkcs8"), b.p, b.n);
    v23_buf_fini(&b);
    return c->why[0] == 0 && sign_and_verify(c, s);
}

bool run_sec_keys(struct run_case *c)
{
    struct vsec_engine *e = run_sec_engine(c);
    struct vsec_pubkey *k = NULL;
    struct vsec_signer *s = NULL, *sec1 = NULL;
    int rc;

    if (e == NULL)
        return false;
    rc = vsec_pubkey_parse(e, as_vdl(run_hex(c, "public_key")), &k);
    if (rc != 0)
        return run_fail(c, "public key: %s", v23_strerror(rc));
    check_pubkey(c, k);
    check_public_forms(c, k);
    rc = vsec_signer_pkcs8(e, run_hex(c, "private_key_pkcs8"), &s);
    if (rc != 0)
        run_fail(c, "private key: %s", v23_strerror(rc));
    else
        check_private(c, s, k);
    if (run_has(c, "private_key_sec1")) {
        rc = vsec_signer_sec1(e, run_hex(c, "private_key_sec1"), &sec1);
        if (rc != 0)
            run_fail(c, "SEC1: %s", v23_strerror(rc));
        else
            check_private(c, sec1, k);
    }
    vsec_signer_unref(sec1);
    vsec_signer_unref(s);
    vsec_pubkey_unref(k);
    return c->why[0] == 0;
}

/* ---- key_files.jsonl ----------------------------------------------------- */

/* Written again, with and without passphrase, it reads as the same key. */
static bool check_rewrite(struct run_case *c, struct vsec_signer *s,
    const char *pass)
{
    struct v23_bytes p = v23_bytes(pass, strlen(pass));
    struct vsec_key_file f = { VSEC_KEY_HERE, NULL, { 0 } };
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, NULL, SIZE_MAX);
    rc = vsec_key_file_put(s, p, &b);
    if (rc == 0)
        rc = vsec_key_file_read(run_sec_engine(c), v23_bytes(b.p, b.n), p, &f);
    if (rc != 0) {
        run_fail(c, "written again: %s", v23_strerror(rc));
    } else {
        if (f.signer == NULL || !vsec_pubkey_eq(f.signer->pub, s->pub))
            run_fail(c, "written again it is another key");
        vsec_key_file_fini(&f);
    }
    v23_buf_fini(&b);
    return c->why[0] == 0;
}

/* Local error that a record's error text stands for. */
static int expected_error(const char *text)
{
    if (strcmp(text, "passphrase required") == 0)
        return V23_EPASSPHRASE;
    if (strcmp(text, "bad passphrase") == 0)
        return V23_EBADPASSPHRASE;
    if (strstr(text, "without finding a private key") != NULL)
        return V23_ENOENT;
    return V23_EKEY;
}

bool run_sec_key_files(struct run_case *c)
{
    const char *pass = run_str(c, "passphrase");
    struct vsec_key_file f = { VSEC_KEY_HERE, NULL, { 0 } };
    size_t n = 0;
    char *text = load(c, "file", &n);
    int rc, want = 0;

    if (text == NULL || run_sec_engine(c) == NULL)
        return false;
    rc = vsec_key_file_read(run_sec_engine(c), v23_bytes(text, n),
        v23_bytes(pass, strlen(pass)), &f);
    free(text);
    if (strcmp(run_str(c, "expect"), "ok") != 0)
        want = expected_error(run_str(c, "error"));
    if (rc != want)
        run_fail(c, "got: %s", v23_strerror(rc));
    if (rc != 0)
        return c->why[0] == 0;
    if (f.place != VSEC_KEY_HERE || f.signer == NULL) {
        run_fail(c, "key is elsewhere");
    } else {
        same(c, "public key", run_hex(c, "public_key"), f.signer->pub->der.p,
            f.signer->pub->der.n);
        sign_and_verify(c, f.signer);
        check_rewrite(c, f.signer, pass);
    }
    vsec_key_file_fini(&f);
    return c->why[0] == 0;
}

/* ---- signatures.jsonl ---------------------------------------------------- */

static struct vdl_bytes sig_hex(const cJSON *sig, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(sig, name);

    if (!cJSON_IsString(v))
        return vdl_bytes(NULL, 0);
    return as_vdl(hex(v->valuestring));
}

static struct vdl_str sig_str(const cJSON *sig, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(sig, name);

    return vdl_str(cJSON_IsString(v) ? v->valuestring : "");
}

static bool check_digests(struct run_case *c, const struct vsec_pubkey *k,
    const struct vsec_signature *sig, struct v23_bytes msg)
{
    const struct vsec_hash_alg *h
        = vsec_hash_named(&vsec_crypto_default, sig->hash);
    uint8_t d[VSEC_HASH_MAX];

    if (strcmp(h->name, run_str(c, "effective_hash")) != 0)
        return run_fail(c, "effective hash %s", h->name);
    if (vsec_signed_digest(h, k, sig->purpose, msg.p, msg.n, NULL, d) != 0)
        return run_fail(c, "no digest");
    if (!same(c, "signed_hash", run_hex(c, "signed_hash"), d, h->size))
        return false;
    if (vsec_signature_digest(h, sig, d) != 0)
        return run_fail(c, "no signature digest");
    return same(c, "signature_digest", run_hex(c, "signature_digest"), d,
        h->size);
}

bool run_sec_signatures(struct run_case *c)
{
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(c->json, "signature");
    struct v23_bytes msg = run_hex(c, "message");
    struct vsec_pubkey *k = NULL;
    struct vdl_str purpose = sig_str(json, "purpose");
    struct vsec_signature sig;
    int rc;

    if (run_sec_engine(c) == NULL)
        return false;
    sig.purpose = vdl_bytes((const uint8_t *)purpose.p, purpose.n);
    sig.hash = sig_str(json, "hash");
    sig.r = sig_hex(json, "r");
    sig.s = sig_hex(json, "s");
    sig.ed25519 = sig_hex(json, "ed25519");
    sig.rsa = sig_hex(json, "rsa");
    rc = vsec_pubkey_parse(run_sec_engine(c),
        as_vdl(run_hex(c, "public_key")), &k);
    if (rc != 0)
        return run_fail(c, "public key: %s", v23_strerror(rc));
    check_digests(c, k, &sig, msg);
    rc = vsec_verify(k, &sig, msg.p, msg.n);
    if (rc != (run_bool(c, "expect") ? 0 : V23_ESIG))
        run_fail(c, "verify: %s", v23_strerror(rc));
    vsec_pubkey_unref(k);
    return c->why[0] == 0;
}
