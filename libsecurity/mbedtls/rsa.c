/* BSD-3-Clause; see LICENSE. */
/*
 * RSASSA-PKCS1-v1_5 of mbedTLS. A context belongs to one key: mbedTLS keeps
 * blinding values in it.
 */
#include "glue_int.h"

#include <mbedtls/rsa.h>

static mbedtls_rsa_context *rsa_alloc(struct vsec_engine *e)
{
    mbedtls_rsa_context *c = v23_new(e->al, mbedtls_rsa_context);

    if (c == NULL)
        return NULL;
#if VSEC_MBEDTLS_3
    mbedtls_rsa_init(c);
#else
    mbedtls_rsa_init(c, MBEDTLS_RSA_PKCS_V15, 0);
#endif
    return c;
}

static void rsa_free(struct vsec_engine *e, void *key)
{
    mbedtls_rsa_free((mbedtls_rsa_context *)key); /* wipes its numbers */
    v23_put(e->al, key);
}

/* V23_EKEY unless mbedTLS ran out of memory (it wraps that error). */
static int key_error(int ret)
{
    /* High-level errors are multiples of 0x80, low-level ones are added. */
    if (ret == MBEDTLS_ERR_MPI_ALLOC_FAILED
        || (-ret & 0x7f) == -MBEDTLS_ERR_MPI_ALLOC_FAILED)
        return V23_ENOMEM;
    return V23_EKEY;
}

static int pub_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **pub)
{
    mbedtls_rsa_context *c = rsa_alloc(e);
    int ret;

    (void)alg;
    (void)shared;
    if (c == NULL)
        return V23_ENOMEM;
    ret = mbedtls_rsa_import_raw(c, raw->n.p, raw->n.n, NULL, 0, NULL, 0,
        NULL, 0, raw->e.p, raw->e.n);
    if (ret == 0)
        ret = mbedtls_rsa_complete(c);
    if (ret == 0)
        ret = mbedtls_rsa_check_pubkey(c);
    if (ret != 0) {
        rsa_free(e, c);
        return key_error(ret);
    }
    *pub = c;
    return 0;
}

static int verify(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *pub, const struct vsec_hash_alg *h,
    const uint8_t *digest, const struct vsec_sigval *sig)
{
    mbedtls_rsa_context *c = (mbedtls_rsa_context *)pub;
    mbedtls_md_type_t md = vsec_mbedtls_md_(h);
    int ret;

    (void)alg;
    (void)e;
    (void)shared;
    if (sig->a.n != mbedtls_rsa_get_len(c))
        return V23_ESIG;
#if VSEC_MBEDTLS_3
    ret = mbedtls_rsa_pkcs1_verify(c, md, h->size, digest, sig->a.p);
#else
    ret = mbedtls_rsa_pkcs1_verify(c, NULL, NULL, MBEDTLS_RSA_PUBLIC, md,
        h->size, digest, sig->a.p);
#endif
    if (ret == 0)
        return 0;
    return key_error(ret) == V23_ENOMEM ? V23_ENOMEM : V23_ESIG;
}

/* mbedTLS checks that n = p q and that d undoes e. */
static int priv_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **priv)
{
    mbedtls_rsa_context *c = rsa_alloc(e);
    int ret;

    (void)alg;
    (void)shared;
    if (c == NULL)
        return V23_ENOMEM;
    ret = mbedtls_rsa_import_raw(c, raw->n.p, raw->n.n, raw->p.p, raw->p.n,
        raw->q.p, raw->q.n, raw->d.p, raw->d.n, raw->e.p, raw->e.n);
    if (ret == 0)
        ret = mbedtls_rsa_complete(c);
    if (ret == 0)
        ret = mbedtls_rsa_check_privkey(c);
    if (ret != 0) {
        rsa_free(e, c);
        return key_error(ret);
    }
    *priv = c;
    return 0;
}

static int priv_generate(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, unsigned bits, void **priv)
{
    mbedtls_rsa_context *c = rsa_alloc(e);
    int ret;

    (void)alg;
    (void)shared;
    if (c == NULL)
        return V23_ENOMEM;
    ret = mbedtls_rsa_gen_key(c, vsec_mbedtls_rng_, e, bits, 65537);
    if (ret != 0) {
        rsa_free(e, c);
        return key_error(ret) == V23_ENOMEM ? V23_ENOMEM : V23_ECRYPTO;
    }
    *priv = c;
    return 0;
}

static int priv_export(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, struct v23_buf *mem, struct vsec_raw_key *raw)
{
    mbedtls_rsa_context *c = (mbedtls_rsa_context *)priv;
    struct v23_bytes *to[] = { &raw->n, &raw->p, &raw->q, &raw->d, &raw->e,
        &raw->dp, &raw->dq, &raw->qi };
    mbedtls_mpi x[8];
    size_t i;
    int rc = 0;

    (void)alg;
    (void)e;
    (void)shared;
    for (i = 0; i < 8; i++)
        mbedtls_mpi_init(&x[i]);
    /* A complete key has all parts: only copying them can fail. */
    if (mbedtls_rsa_export(c, &x[0], &x[1], &x[2], &x[3], &x[4]) != 0
        || mbedtls_rsa_export_crt(c, &x[5], &x[6], &x[7]) != 0)
        rc = V23_ENOMEM;
    for (i = 0; i < 8 && rc == 0; i++)
        rc = vsec_mbedtls_put_mpi_(mem, &x[i], 0, to[i]);
    for (i = 0; i < 8; i++)
        mbedtls_mpi_free(&x[i]);
    return rc;
}

static int sign(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, const struct vsec_hash_alg *h,
    const uint8_t *digest, uint8_t *buf, struct vsec_sigval *sig)
{
    mbedtls_rsa_context *c = (mbedtls_rsa_context *)priv;
    mbedtls_md_type_t md = vsec_mbedtls_md_(h);
    int ret;

    (void)alg;
    (void)shared;
#if VSEC_MBEDTLS_3
    ret = mbedtls_rsa_pkcs1_sign(c, vsec_mbedtls_rng_, e, md, h->size, digest,
        buf);
#else
    ret = mbedtls_rsa_pkcs1_sign(c, vsec_mbedtls_rng_, e, MBEDTLS_RSA_PRIVATE,
        md, h->size, digest, buf);
#endif
    if (ret != 0)
        return key_error(ret) == V23_ENOMEM ? V23_ENOMEM : V23_ECRYPTO;
    sig->a = v23_bytes(buf, mbedtls_rsa_get_len(c));
    sig->b = v23_bytes(NULL, 0);
    return 0;
}

const struct vsec_alg vsec_mbedtls_rsa = { VSEC_RSA, VSEC_CURVE_NONE, 0, NULL,
    NULL, pub_new, rsa_free, verify, priv_new, priv_generate, rsa_free,
    priv_export, sign };
