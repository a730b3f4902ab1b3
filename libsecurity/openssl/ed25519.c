/* BSD-3-Clause; see LICENSE. */
/* Ed25519 of OpenSSL. The digest is signed as the message. */
#include "glue_int.h"

enum { PUB = 32, SEED = 32, SIG = 64 };

static int pub_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **pub)
{
    EVP_PKEY *k;

    (void)alg;
    (void)e;
    (void)shared;
    if (raw->pub.n != PUB)
        return V23_EKEY;
    k = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, raw->pub.p, PUB);
    if (k == NULL)
        return vsec_openssl_error_(V23_ECRYPTO);
    *pub = k;
    return 0;
}

static int verify(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *pub, const struct vsec_hash_alg *h,
    struct v23_bytes digest, const struct vsec_sigval *sig)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    int rc = 0;

    (void)alg;
    (void)e;
    (void)shared;
    (void)h;
    if (c == NULL
        || EVP_DigestVerifyInit_ex(c, NULL, NULL, NULL, NULL, (EVP_PKEY *)pub,
               NULL)
            != 1)
        rc = vsec_openssl_error_(V23_ECRYPTO);
    else if (EVP_DigestVerify(c, sig->a.p, sig->a.n, digest.p, digest.n) != 1)
        rc = vsec_openssl_error_(V23_ESIG);
    EVP_MD_CTX_free(c);
    return rc;
}

static int priv_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **priv)
{
    EVP_PKEY *k;
    uint8_t pub[PUB];
    size_t n = sizeof(pub);
    int rc = 0;

    (void)alg;
    (void)shared;
    if (raw->priv.n != SEED)
        return V23_EKEY;
    k = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, raw->priv.p,
        SEED);
    if (k == NULL || EVP_PKEY_get_raw_public_key(k, pub, &n) != 1)
        rc = vsec_openssl_error_(V23_ECRYPTO);
    else if (raw->pub.n != 0
        && (raw->pub.n != PUB || memcmp(pub, raw->pub.p, PUB) != 0))
        rc = V23_EKEY;
    if (rc != 0) {
        vsec_openssl_free_(e, k);
        return rc;
    }
    *priv = k;
    return 0;
}

static int priv_generate(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, unsigned bits, void **priv)
{
    struct vsec_raw_key raw;
    uint8_t seed[SEED];
    int rc;

    (void)bits;
    memset(&raw, 0, sizeof(raw));
    raw.priv = v23_bytes(seed, SEED);
    rc = e->random.fill(e->random.ud, seed, SEED);
    if (rc == 0)
        rc = priv_new(alg, e, shared, &raw, priv);
    v23_wipe(seed, sizeof(seed));
    return rc;
}

static int priv_export(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, struct v23_buf *mem, struct vsec_raw_key *raw)
{
    EVP_PKEY *k = (EVP_PKEY *)priv;
    size_t seed = SEED, pub = PUB;
    uint8_t *p = mem->p + mem->n;

    (void)alg;
    (void)e;
    (void)shared;
    if (mem->cap - mem->n < SEED + PUB)
        return V23_ENOSPC;
    if (EVP_PKEY_get_raw_private_key(k, p, &seed) != 1
        || EVP_PKEY_get_raw_public_key(k, p + SEED, &pub) != 1)
        return vsec_openssl_error_(V23_ECRYPTO);
    raw->priv = v23_bytes(p, SEED);
    raw->pub = v23_bytes(p + SEED, PUB);
    mem->n += SEED + PUB;
    return 0;
}

static int sign(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, const struct vsec_hash_alg *h,
    const uint8_t *digest, uint8_t *buf, struct vsec_sigval *sig)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    size_t n = SIG;
    int rc = 0;

    (void)alg;
    (void)e;
    (void)shared;
    if (c == NULL
        || EVP_DigestSignInit_ex(c, NULL, NULL, NULL, NULL, (EVP_PKEY *)priv,
               NULL)
            != 1
        || EVP_DigestSign(c, buf, &n, digest, h->size) != 1)
        rc = vsec_openssl_error_(V23_ECRYPTO);
    EVP_MD_CTX_free(c);
    sig->a = v23_bytes(buf, SIG);
    sig->b = v23_bytes(NULL, 0);
    return rc;
}

const struct vsec_alg vsec_openssl_ed25519 = { VSEC_ED25519, VSEC_CURVE_NONE,
    0, NULL, NULL, pub_new, vsec_openssl_free_, verify, priv_new,
    priv_generate, vsec_openssl_free_, priv_export, sign };
