/* BSD-3-Clause; see LICENSE. */
/* Ed25519 of libsodium. The digest is signed as the message (pure Ed25519 over
 * 64 octets). */
#include <vsec/sodium.h>

#include <sodium.h>

enum {
    PUB = crypto_sign_PUBLICKEYBYTES,
    SEED = crypto_sign_SEEDBYTES,
    SECRET = crypto_sign_SECRETKEYBYTES /* seed, then public key */
};

static int pub_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **pub)
{
    uint8_t *k;

    (void)alg;
    (void)shared;
    if (raw->pub.n != PUB)
        return V23_EKEY;
    k = (uint8_t *)v23_get(e->al, PUB);
    if (k == NULL)
        return V23_ENOMEM;
    memcpy(k, raw->pub.p, PUB);
    *pub = k;
    return 0;
}

static void pub_free(struct vsec_engine *e, void *pub)
{
    v23_put(e->al, pub);
}

static int verify(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *pub, const struct vsec_hash_alg *h,
    struct v23_bytes digest, const struct vsec_sigval *sig)
{
    (void)alg;
    (void)e;
    (void)shared;
    (void)h;
    return crypto_sign_verify_detached(sig->a.p, digest.p, digest.n,
               (const uint8_t *)pub)
            == 0
        ? 0
        : V23_ESIG;
}

static void priv_free(struct vsec_engine *e, void *priv)
{
    v23_wipe(priv, SECRET);
    v23_put(e->secret, priv);
}

static int from_seed(struct vsec_engine *e, const uint8_t *seed, void **priv)
{
    uint8_t pub[PUB], *k = (uint8_t *)v23_get(e->secret, SECRET);

    if (k == NULL)
        return V23_ENOMEM;
    if (crypto_sign_seed_keypair(pub, k, seed) != 0) {
        priv_free(e, k);
        return V23_ECRYPTO;
    }
    *priv = k;
    return 0;
}

static int priv_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **priv)
{
    void *k;
    int rc;

    (void)alg;
    (void)shared;
    if (raw->priv.n != SEED)
        return V23_EKEY;
    rc = from_seed(e, raw->priv.p, &k);
    if (rc != 0)
        return rc;
    if (raw->pub.n != 0
        && (raw->pub.n != PUB
            || memcmp((uint8_t *)k + SEED, raw->pub.p, PUB) != 0)) {
        priv_free(e, k);
        return V23_EKEY;
    }
    *priv = k;
    return 0;
}

static int priv_generate(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, unsigned bits, void **priv)
{
    uint8_t seed[SEED];
    int rc;

    (void)alg;
    (void)shared;
    (void)bits;
    rc = e->random.fill(e->random.ud, seed, sizeof(seed));
    if (rc == 0)
        rc = from_seed(e, seed, priv);
    v23_wipe(seed, sizeof(seed));
    return rc;
}

static int priv_export(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, struct v23_buf *mem, struct vsec_raw_key *raw)
{
    (void)alg;
    (void)e;
    (void)shared;
    if (mem->cap - mem->n < SECRET)
        return V23_ENOSPC;
    memcpy(mem->p + mem->n, priv, SECRET);
    raw->priv = v23_bytes(mem->p + mem->n, SEED);
    raw->pub = v23_bytes(mem->p + mem->n + SEED, PUB);
    mem->n += SECRET;
    return 0;
}

static int sign(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, const struct vsec_hash_alg *h,
    const uint8_t *digest, uint8_t *buf, struct vsec_sigval *sig)
{
    (void)alg;
    (void)e;
    (void)shared;
    if (crypto_sign_detached(buf, NULL, digest, h->size,
            (const uint8_t *)priv)
        != 0)
        return V23_ECRYPTO;
    sig->a = v23_bytes(buf, crypto_sign_BYTES);
    sig->b = v23_bytes(NULL, 0);
    return 0;
}

const struct vsec_alg vsec_sodium_ed25519 = { VSEC_ED25519, VSEC_CURVE_NONE, 0,
    NULL, NULL, pub_new, pub_free, verify, priv_new, priv_generate, priv_free,
    priv_export, sign };

/* What a program that has no private key links. */
const struct vsec_alg vsec_sodium_ed25519_verify = { VSEC_ED25519,
    VSEC_CURVE_NONE, 0, NULL, NULL, pub_new, pub_free, verify, NULL, NULL,
    NULL, NULL, NULL };
