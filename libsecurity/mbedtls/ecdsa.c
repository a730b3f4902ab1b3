/* BSD-3-Clause; see LICENSE. */
/*
 * ECDSA of mbedTLS. The curve group is shared by all keys of one engine:
 * mbedTLS 2.28 fills its table of multiples of the base point with the first
 * use, which costs as much as a verification. Signing is deterministic
 * (RFC 6979) where mbedTLS has it; the random source only blinds.
 */
#include "glue_int.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>

static mbedtls_ecp_group_id group_id(enum vsec_curve c)
{
    switch (c) {
    case VSEC_P224:
        return MBEDTLS_ECP_DP_SECP224R1;
    case VSEC_P256:
        return MBEDTLS_ECP_DP_SECP256R1;
    case VSEC_P384:
        return MBEDTLS_ECP_DP_SECP384R1;
    case VSEC_P521:
        return MBEDTLS_ECP_DP_SECP521R1;
    case VSEC_CURVE_NONE:
        break;
    }
    return MBEDTLS_ECP_DP_NONE;
}

static int group_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void **shared)
{
    mbedtls_ecp_group *grp = v23_new(e->al, mbedtls_ecp_group);
    int ret;

    if (grp == NULL)
        return V23_ENOMEM;
    mbedtls_ecp_group_init(grp);
    ret = mbedtls_ecp_group_load(grp, group_id(alg->curve));
    if (ret != 0) {
        mbedtls_ecp_group_free(grp);
        v23_put(e->al, grp);
        return vsec_mbedtls_error_(ret);
    }
    *shared = grp;
    return 0;
}

static void group_free(struct vsec_engine *e, void *shared)
{
    mbedtls_ecp_group_free((mbedtls_ecp_group *)shared);
    v23_put(e->al, shared);
}

/* ---- public keys -------------------------------------------------------- */

/* Read and check a point; q is initialised. */
static int read_point(mbedtls_ecp_group *grp, mbedtls_ecp_point *q,
    struct v23_bytes raw)
{
    int ret = mbedtls_ecp_point_read_binary(grp, q, raw.p, raw.n);

    if (ret == 0)
        ret = mbedtls_ecp_check_pubkey(grp, q);
    if (ret == 0)
        return 0;
    return ret == MBEDTLS_ERR_MPI_ALLOC_FAILED ? V23_ENOMEM : V23_EKEY;
}

static void pub_free(struct vsec_engine *e, void *pub)
{
    mbedtls_ecp_point_free((mbedtls_ecp_point *)pub);
    v23_put(e->al, pub);
}

static int pub_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **pub)
{
    mbedtls_ecp_point *q;
    int rc;

    if (raw->pub.n != 1 + 2u * alg->field || raw->pub.p[0] != 4)
        return V23_EKEY;
    q = v23_new(e->al, mbedtls_ecp_point);
    if (q == NULL)
        return V23_ENOMEM;
    mbedtls_ecp_point_init(q);
    rc = read_point((mbedtls_ecp_group *)shared, q, raw->pub);
    if (rc != 0) {
        pub_free(e, q);
        return rc;
    }
    *pub = q;
    return 0;
}

/* Read r or s; V23_ESIG when it is too long to be below the order. */
static int read_sig(const struct vsec_alg *alg, struct v23_bytes v,
    mbedtls_mpi *x)
{
    int ret;

    while (v.n > 0 && v.p[0] == 0) {
        v.p++;
        v.n--;
    }
    if (v.n == 0 || v.n > alg->field)
        return V23_ESIG;
    ret = mbedtls_mpi_read_binary(x, v.p, v.n);
    return ret == 0 ? 0 : vsec_mbedtls_error_(ret);
}

static int verify(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *pub, const struct vsec_hash_alg *h,
    const uint8_t *digest, const struct vsec_sigval *sig)
{
    mbedtls_mpi r, s;
    int rc, ret;

    (void)e;
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    rc = read_sig(alg, sig->a, &r);
    if (rc == 0)
        rc = read_sig(alg, sig->b, &s);
    if (rc != 0)
        goto out;
    ret = mbedtls_ecdsa_verify((mbedtls_ecp_group *)shared, digest, h->size,
        (mbedtls_ecp_point *)pub, &r, &s);
    if (ret == MBEDTLS_ERR_ECP_VERIFY_FAILED
        || ret == MBEDTLS_ERR_ECP_BAD_INPUT_DATA)
        rc = V23_ESIG;
    else if (ret != 0)
        rc = vsec_mbedtls_error_(ret);
out:
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    return rc;
}

/* ---- private keys ------------------------------------------------------- */

struct priv {
    mbedtls_mpi d;
    mbedtls_ecp_point q;
};

static void priv_free(struct vsec_engine *e, void *priv)
{
    struct priv *k = (struct priv *)priv;

    mbedtls_mpi_free(&k->d); /* wipes its limbs */
    mbedtls_ecp_point_free(&k->q);
    v23_put(e->al, k);
}

static struct priv *priv_alloc(struct vsec_engine *e)
{
    struct priv *k = v23_new(e->al, struct priv);

    if (k == NULL)
        return NULL;
    mbedtls_mpi_init(&k->d);
    mbedtls_ecp_point_init(&k->q);
    return k;
}

/* Take in raw->priv and compute the public point. */
static int priv_set(const struct vsec_alg *alg, struct vsec_engine *e,
    mbedtls_ecp_group *grp, const struct vsec_raw_key *raw, struct priv *k)
{
    uint8_t point[1 + 2 * 66];
    size_t n = 0;
    int ret;

    ret = mbedtls_mpi_read_binary(&k->d, raw->priv.p, raw->priv.n);
    if (ret != 0)
        return vsec_mbedtls_error_(ret);
    if (mbedtls_ecp_check_privkey(grp, &k->d) != 0)
        return V23_EKEY;
    ret = mbedtls_ecp_mul(grp, &k->q, &k->d, &grp->G, vsec_mbedtls_rng_, e);
    if (ret != 0)
        return vsec_mbedtls_error_(ret);
    if (raw->pub.n == 0)
        return 0;
    ret = mbedtls_ecp_point_write_binary(grp, &k->q,
        MBEDTLS_ECP_PF_UNCOMPRESSED, &n, point, sizeof(point));
    if (ret != 0)
        return V23_ECRYPTO;
    if (n != 1 + 2u * alg->field || raw->pub.n != n
        || memcmp(point, raw->pub.p, n) != 0)
        return V23_EKEY;
    return 0;
}

static int priv_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **priv)
{
    struct priv *k;
    int rc;

    if (raw->priv.n != alg->field)
        return V23_EKEY;
    k = priv_alloc(e);
    if (k == NULL)
        return V23_ENOMEM;
    rc = priv_set(alg, e, (mbedtls_ecp_group *)shared, raw, k);
    if (rc != 0) {
        priv_free(e, k);
        return rc;
    }
    *priv = k;
    return 0;
}

static int priv_generate(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, unsigned bits, void **priv)
{
    struct priv *k = priv_alloc(e);
    int ret;

    (void)alg;
    (void)bits;
    if (k == NULL)
        return V23_ENOMEM;
    ret = mbedtls_ecp_gen_keypair((mbedtls_ecp_group *)shared, &k->d, &k->q,
        vsec_mbedtls_rng_, e);
    if (ret != 0) {
        priv_free(e, k);
        return vsec_mbedtls_error_(ret);
    }
    *priv = k;
    return 0;
}

static int priv_export(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, struct v23_buf *mem, struct vsec_raw_key *raw)
{
    struct priv *k = (struct priv *)priv;
    size_t n = 0;
    int rc;

    (void)e;
    rc = vsec_mbedtls_put_mpi_(mem, &k->d, alg->field, &raw->priv);
    if (rc != 0)
        return rc;
    if (mem->cap - mem->n < 1 + 2u * alg->field)
        return V23_ENOSPC;
    if (mbedtls_ecp_point_write_binary((mbedtls_ecp_group *)shared, &k->q,
            MBEDTLS_ECP_PF_UNCOMPRESSED, &n, mem->p + mem->n,
            mem->cap - mem->n)
        != 0)
        return V23_ECRYPTO;
    raw->pub = v23_bytes(mem->p + mem->n, n);
    mem->n += n;
    return 0;
}

static int sign(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, const struct vsec_hash_alg *h,
    const uint8_t *digest, uint8_t *buf, struct vsec_sigval *sig)
{
    mbedtls_ecp_group *grp = (mbedtls_ecp_group *)shared;
    struct priv *k = (struct priv *)priv;
    mbedtls_mpi r, s;
    int ret;

    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
#ifdef MBEDTLS_ECDSA_DETERMINISTIC
    ret = mbedtls_ecdsa_sign_det_ext(grp, &r, &s, &k->d, digest, h->size,
        vsec_mbedtls_md_(h), vsec_mbedtls_rng_, e);
#else
    ret = mbedtls_ecdsa_sign(grp, &r, &s, &k->d, digest, h->size,
        vsec_mbedtls_rng_, e);
#endif
    if (ret == 0)
        ret = mbedtls_mpi_write_binary(&r, buf, alg->field);
    if (ret == 0)
        ret = mbedtls_mpi_write_binary(&s, buf + alg->field, alg->field);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    if (ret != 0)
        return vsec_mbedtls_error_(ret);
    sig->a = v23_bytes(buf, alg->field);
    sig->b = v23_bytes(buf + alg->field, alg->field);
    return 0;
}

#define ECDSA(curve, field) \
    { VSEC_ECDSA, curve, field, group_new, group_free, pub_new, pub_free, \
        verify, priv_new, priv_generate, priv_free, priv_export, sign }

const struct vsec_alg vsec_mbedtls_p224 = ECDSA(VSEC_P224, 28);
const struct vsec_alg vsec_mbedtls_p256 = ECDSA(VSEC_P256, 32);
const struct vsec_alg vsec_mbedtls_p384 = ECDSA(VSEC_P384, 48);
const struct vsec_alg vsec_mbedtls_p521 = ECDSA(VSEC_P521, 66);
