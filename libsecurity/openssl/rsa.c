/* BSD-3-Clause; see LICENSE. */
/*
 * RSASSA-PKCS1-v1_5 of OpenSSL. A private key rests as OpenSSL's parameters in
 * the secure heap, and becomes an EVP_PKEY for each signature: what that keeps
 * beside the numbers (Montgomery's form of the primes) is on the plain heap,
 * and wiped when it is freed. New blinding values make such a signature take
 * twice as long as one with a kept EVP_PKEY (2,048 bits: 0.8 ms for 0.4).
 */
#include "glue_int.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

/* ---- public keys -------------------------------------------------------- */

static int pub_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **pub)
{
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(raw->n.p, (int)raw->n.n, NULL);
    BIGNUM *exp = BN_bin2bn(raw->e.p, (int)raw->e.n, NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *k;
    int rc;

    (void)alg;
    (void)e;
    (void)shared;
    if (bld != NULL && n != NULL && exp != NULL
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exp) == 1)
        params = OSSL_PARAM_BLD_to_param(bld);
    if (params == NULL)
        rc = vsec_openssl_error_(V23_ENOMEM);
    else
        rc = vsec_openssl_key_("RSA", EVP_PKEY_PUBLIC_KEY, params, &k);
    if (rc == 0)
        *pub = k;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    BN_free(n);
    BN_free(exp);
    return rc;
}

/* The scheme of spec 3.2 as parameters of an operation. */
static void scheme(const struct vsec_hash_alg *h, char hash[16],
    OSSL_PARAM params[3])
{
    static char pkcs1[] = OSSL_PKEY_RSA_PAD_MODE_PKCSV15;

    snprintf(hash, 16, "%s", h->name);
    params[0] = OSSL_PARAM_construct_utf8_string(
        OSSL_SIGNATURE_PARAM_PAD_MODE, pkcs1, 0);
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST,
        hash, 0);
    params[2] = OSSL_PARAM_construct_end();
}

static int verify(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *pub, const struct vsec_hash_alg *h,
    struct v23_bytes digest, const struct vsec_sigval *sig)
{
    EVP_PKEY_CTX *c
        = EVP_PKEY_CTX_new_from_pkey(NULL, (EVP_PKEY *)pub, NULL);
    OSSL_PARAM params[3];
    char hash[16];
    int rc = 0;

    (void)alg;
    (void)e;
    (void)shared;
    scheme(h, hash, params);
    if (c == NULL || EVP_PKEY_verify_init_ex(c, params) <= 0)
        rc = vsec_openssl_error_(V23_ECRYPTO);
    else if (EVP_PKEY_verify(c, sig->a.p, sig->a.n, digest.p, digest.n) != 1)
        rc = vsec_openssl_error_(V23_ESIG);
    EVP_PKEY_CTX_free(c);
    return rc;
}

/* ---- private keys ------------------------------------------------------- */

/* The numbers of a private key, in the order of `names`. */
enum { N, E, D, P, Q, DP, DQ, QI, NUMBERS };
static const char *const names[NUMBERS] = { OSSL_PKEY_PARAM_RSA_N,
    OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };

static void priv_free(struct vsec_engine *e, void *priv)
{
    (void)e;
    OSSL_PARAM_free((OSSL_PARAM *)priv); /* wipes what is in the secure heap */
}

static void free_numbers(BIGNUM *x[NUMBERS])
{
    size_t i;

    for (i = 0; i < NUMBERS; i++)
        BN_clear_free(x[i]);
}

/* All numbers with room, secret ones in the secure heap. */
static int new_numbers(BIGNUM *x[NUMBERS])
{
    size_t i;
    int rc = 0;

    for (i = 0; i < NUMBERS; i++) {
        x[i] = i < D ? BN_new() : BN_secure_new();
        if (x[i] == NULL)
            rc = vsec_openssl_error_(V23_ENOMEM);
        else if (i >= D)
            BN_set_flags(x[i], BN_FLG_CONSTTIME);
    }
    return rc;
}

/* Does d undo e for the prime p (which is odd)? dp becomes d mod (p - 1).
 * 1 or 0; -1: OpenSSL fails. */
static int undoes(BIGNUM *x[NUMBERS], const BIGNUM *p, BIGNUM *dp, BN_CTX *c)
{
    BIGNUM *less, *one;
    int ok = -1;

    BN_CTX_start(c);
    less = BN_CTX_get(c);
    one = BN_CTX_get(c);
    if (one != NULL && BN_copy(less, p) != NULL && BN_sub_word(less, 1) == 1) {
        BN_set_flags(less, BN_FLG_CONSTTIME);
        if (BN_mod(dp, x[D], less, c) == 1
            && BN_mod_mul(one, dp, x[E], less, c) == 1)
            ok = BN_is_one(one);
    }
    BN_CTX_end(c);
    return ok;
}

/* Do the numbers belong together? Computes the last three. */
static int complete(BIGNUM *x[NUMBERS])
{
    BN_CTX *c = BN_CTX_secure_new();
    BIGNUM *n;
    int p = 0, q = 0, rc = V23_EKEY;

    if (c == NULL)
        return vsec_openssl_error_(V23_ENOMEM);
    BN_CTX_start(c);
    n = BN_CTX_get(c);
    if (n == NULL || BN_mul(n, x[P], x[Q], c) != 1)
        rc = vsec_openssl_error_(V23_ECRYPTO);
    else if (BN_is_odd(x[N]) && BN_cmp(n, x[N]) == 0 && !BN_is_one(x[P])
        && !BN_is_one(x[Q]) && BN_is_odd(x[E]) && !BN_is_one(x[E])) {
        p = undoes(x, x[P], x[DP], c);
        q = undoes(x, x[Q], x[DQ], c);
    }
    if (p < 0 || q < 0)
        rc = vsec_openssl_error_(V23_ECRYPTO);
    else if (p == 1 && q == 1)
        rc = BN_mod_inverse(x[QI], x[Q], x[P], c) != NULL
            ? 0
            : vsec_openssl_error_(V23_EKEY);
    BN_CTX_end(c);
    BN_CTX_free(c);
    return rc;
}

/* The resting form of complete numbers. */
static int pack(BIGNUM *x[NUMBERS], void **priv)
{
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    bool ok = bld != NULL;
    size_t i;

    for (i = 0; i < NUMBERS && ok; i++)
        ok = OSSL_PARAM_BLD_push_BN(bld, names[i], x[i]) == 1;
    if (ok)
        params = OSSL_PARAM_BLD_to_param(bld);
    OSSL_PARAM_BLD_free(bld);
    if (params == NULL)
        return vsec_openssl_error_(V23_ENOMEM);
    *priv = params;
    return 0;
}

static int priv_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **priv)
{
    const struct v23_bytes *from[] = { &raw->n, &raw->e, &raw->d, &raw->p,
        &raw->q };
    BIGNUM *x[NUMBERS];
    size_t i;
    int rc = new_numbers(x);

    (void)alg;
    (void)e;
    (void)shared;
    for (i = N; i <= Q && rc == 0; i++) {
        if (from[i]->n > 2 * VSEC_SIG_MAX)
            rc = V23_EKEY;
        else if (BN_bin2bn(from[i]->p, (int)from[i]->n, x[i]) == NULL)
            rc = vsec_openssl_error_(V23_ENOMEM);
    }
    if (rc == 0)
        rc = complete(x);
    if (rc == 0)
        rc = pack(x, priv);
    free_numbers(x);
    return rc;
}

/* A new key pair of OpenSSL's, which takes no other random source than its
 * own: the engine's is mixed into that. */
static EVP_PKEY *new_pair(unsigned bits)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *k = NULL;

    if (c == NULL || EVP_PKEY_keygen_init(c) <= 0
        || EVP_PKEY_CTX_set_rsa_keygen_bits(c, (int)bits) <= 0
        || EVP_PKEY_generate(c, &k) <= 0)
        k = NULL;
    EVP_PKEY_CTX_free(c);
    return k;
}

static int priv_generate(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, unsigned bits, void **priv)
{
    BIGNUM *x[NUMBERS];
    uint8_t seed[48];
    EVP_PKEY *k = NULL;
    size_t i;
    int rc = e->random.fill(e->random.ud, seed, sizeof(seed));

    (void)alg;
    (void)shared;
    if (rc != 0)
        return rc;
    RAND_add(seed, sizeof(seed), 0);
    v23_wipe(seed, sizeof(seed));
    rc = new_numbers(x);
    if (rc == 0) {
        k = new_pair(bits);
        for (i = 0; i < NUMBERS && k != NULL && rc == 0; i++)
            if (EVP_PKEY_get_bn_param(k, names[i], &x[i]) != 1)
                rc = vsec_openssl_error_(V23_ECRYPTO);
        if (k == NULL)
            rc = vsec_openssl_error_(V23_ECRYPTO);
    }
    if (rc == 0)
        rc = pack(x, priv);
    EVP_PKEY_free(k);
    free_numbers(x);
    return rc;
}

static int priv_export(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, struct v23_buf *mem, struct vsec_raw_key *raw)
{
    struct v23_bytes *to[NUMBERS] = { &raw->n, &raw->e, &raw->d, &raw->p,
        &raw->q, &raw->dp, &raw->dq, &raw->qi };
    BIGNUM *x[NUMBERS];
    size_t i;
    int rc = new_numbers(x);

    (void)alg;
    (void)e;
    (void)shared;
    for (i = 0; i < NUMBERS && rc == 0; i++) {
        if (OSSL_PARAM_get_BN(
                OSSL_PARAM_locate_const((OSSL_PARAM *)priv, names[i]), &x[i])
            != 1)
            rc = vsec_openssl_error_(V23_ECRYPTO);
        else
            rc = vsec_openssl_put_bn_(mem, x[i], 0, to[i]);
    }
    free_numbers(x);
    return rc;
}

static int sign(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, const struct vsec_hash_alg *h,
    const uint8_t *digest, uint8_t *buf, struct vsec_sigval *sig)
{
    EVP_PKEY_CTX *c = NULL;
    EVP_PKEY *k = NULL;
    OSSL_PARAM params[3];
    size_t n = VSEC_SIG_MAX;
    char hash[16];
    int rc;

    (void)alg;
    (void)e;
    (void)shared;
    rc = vsec_openssl_key_("RSA", EVP_PKEY_KEYPAIR, (OSSL_PARAM *)priv, &k);
    if (rc != 0)
        return rc;
    scheme(h, hash, params);
    c = EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
    if (c == NULL || EVP_PKEY_sign_init_ex(c, params) <= 0
        || EVP_PKEY_sign(c, buf, &n, digest, h->size) <= 0)
        rc = vsec_openssl_error_(V23_ECRYPTO);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(k);
    sig->a = v23_bytes(buf, n);
    sig->b = v23_bytes(NULL, 0);
    return rc;
}

const struct vsec_alg vsec_openssl_rsa = { VSEC_RSA, VSEC_CURVE_NONE, 0, NULL,
    NULL, pub_new, vsec_openssl_free_, verify, priv_new, priv_generate,
    priv_free, priv_export, sign };
