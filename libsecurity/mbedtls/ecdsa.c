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

static int verify(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *pub, const struct vsec_hash_alg *h,
    struct v23_bytes digest, const struct vsec_sigval *sig)
{
    mbedtls_mpi r, s;
    int ret;

    (void)alg;
    (void)e;
    (void)h;
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    ret = mbedtls_mpi_read_binary(&r, sig->a.p, sig->a.n);
    if (ret == 0)
        ret = mbedtls_mpi_read_binary(&s, sig->b.p, sig->b.n);
    if (ret == 0)
        ret = mbedtls_ecdsa_verify((mbedtls_ecp_group *)shared, digest.p,
            digest.n, (mbedtls_ecp_point *)pub, &r, &s);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    if (ret == 0)
        return 0;
    if (ret == MBEDTLS_ERR_ECP_VERIFY_FAILED
        || ret == MBEDTLS_ERR_ECP_BAD_INPUT_DATA)
        return V23_ESIG;
    return vsec_mbedtls_error_(ret);
}

/* ---- private keys ------------------------------------------------------- */

enum { FIELD_MAX = 66 };

/* At rest: octets, in memory for secrets. mbedTLS's numbers live in memory of
 * malloc, so they are made for each use; that costs nothing beside the
 * multiplication. */
struct priv {
    uint8_t d[FIELD_MAX];           /* alg->field octets */
    uint8_t point[1 + 2 * FIELD_MAX];
};

static void priv_free(struct vsec_engine *e, void *priv)
{
    v23_wipe(priv, sizeof(struct priv));
    v23_put(e->secret, priv);
}

/* Keep a key. V23_ENOMEM, V23_ECRYPTO. */
static int priv_keep(const struct vsec_alg *alg, struct vsec_engine *e,
    mbedtls_ecp_group *grp, const mbedtls_mpi *d, const mbedtls_ecp_point *q,
    struct priv **out)
{
    struct priv *k = (struct priv *)v23_get(e->secret, sizeof(*k));
    size_t n = 0;

    if (k == NULL)
        return V23_ENOMEM;
    if (mbedtls_mpi_write_binary(d, k->d, alg->field) != 0
        || mbedtls_ecp_point_write_binary(grp, q, MBEDTLS_ECP_PF_UNCOMPRESSED,
               &n, k->point, sizeof(k->point))
            != 0
        || n != 1 + 2u * alg->field) {
        priv_free(e, k);
        return V23_ECRYPTO;
    }
    *out = k;
    return 0;
}

/* Check raw->priv and compute the public point. */
static int priv_compute(struct vsec_engine *e, mbedtls_ecp_group *grp,
    const struct vsec_raw_key *raw, mbedtls_mpi *d, mbedtls_ecp_point *q)
{
    int ret = mbedtls_mpi_read_binary(d, raw->priv.p, raw->priv.n);

    if (ret != 0)
        return vsec_mbedtls_error_(ret);
    if (mbedtls_ecp_check_privkey(grp, d) != 0)
        return V23_EKEY;
    ret = mbedtls_ecp_mul(grp, q, d, &grp->G, vsec_mbedtls_rng_, e);
    return ret == 0 ? 0 : vsec_mbedtls_error_(ret);
}

static int priv_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **priv)
{
    mbedtls_ecp_group *grp = (mbedtls_ecp_group *)shared;
    size_t n = 1 + 2u * alg->field;
    struct priv *k = NULL;
    mbedtls_ecp_point q;
    mbedtls_mpi d;
    int rc;

    if (raw->priv.n != alg->field)
        return V23_EKEY;
    mbedtls_mpi_init(&d);
    mbedtls_ecp_point_init(&q);
    rc = priv_compute(e, grp, raw, &d, &q);
    if (rc == 0)
        rc = priv_keep(alg, e, grp, &d, &q, &k);
    if (rc == 0 && raw->pub.n != 0
        && (raw->pub.n != n || memcmp(k->point, raw->pub.p, n) != 0)) {
        priv_free(e, k);
        rc = V23_EKEY;
    }
    if (rc == 0)
        *priv = k;
    mbedtls_ecp_point_free(&q);
    mbedtls_mpi_free(&d); /* wipes its limbs */
    return rc;
}

static int priv_generate(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, unsigned bits, void **priv)
{
    mbedtls_ecp_group *grp = (mbedtls_ecp_group *)shared;
    struct priv *k = NULL;
    mbedtls_ecp_point q;
    mbedtls_mpi d;
    int rc, ret;

    (void)bits;
    mbedtls_mpi_init(&d);
    mbedtls_ecp_point_init(&q);
    ret = mbedtls_ecp_gen_keypair(grp, &d, &q, vsec_mbedtls_rng_, e);
    rc = ret == 0 ? priv_keep(alg, e, grp, &d, &q, &k)
                  : vsec_mbedtls_error_(ret);
    if (rc == 0)
        *priv = k;
    mbedtls_ecp_point_free(&q);
    mbedtls_mpi_free(&d);
    return rc;
}

static int priv_export(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, struct v23_buf *mem, struct vsec_raw_key *raw)
{
    const struct priv *k = (const struct priv *)priv;
    size_t n = 1 + 2u * alg->field;

    (void)e;
    (void)shared;
    if (mem->cap - mem->n < alg->field + n)
        return V23_ENOSPC;
    raw->priv = v23_bytes(mem->p + mem->n, alg->field);
    v23_buf_put(mem, k->d, alg->field);
    raw->pub = v23_bytes(mem->p + mem->n, n);
    v23_buf_put(mem, k->point, n);
    return 0;
}

static int sign(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, const struct vsec_hash_alg *h,
    const uint8_t *digest, uint8_t *buf, struct vsec_sigval *sig)
{
    mbedtls_ecp_group *grp = (mbedtls_ecp_group *)shared;
    const struct priv *k = (const struct priv *)priv;
    mbedtls_mpi d, r, s;
    int ret;

    mbedtls_mpi_init(&d);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    ret = mbedtls_mpi_read_binary(&d, k->d, alg->field);
    if (ret != 0)
        goto out;
#ifdef MBEDTLS_ECDSA_DETERMINISTIC
    ret = mbedtls_ecdsa_sign_det_ext(grp, &r, &s, &d, digest, h->size,
        vsec_mbedtls_md_(h), vsec_mbedtls_rng_, e);
#else
    ret = mbedtls_ecdsa_sign(grp, &r, &s, &d, digest, h->size,
        vsec_mbedtls_rng_, e);
#endif
    if (ret == 0)
        ret = mbedtls_mpi_write_binary(&r, buf, alg->field);
    if (ret == 0)
        ret = mbedtls_mpi_write_binary(&s, buf + alg->field, alg->field);
out:
    mbedtls_mpi_free(&d);
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

/* What a program that has no private key links. */
const struct vsec_alg vsec_mbedtls_p256_verify = { VSEC_ECDSA, VSEC_P256, 32,
    group_new, group_free, pub_new, pub_free, verify, NULL, NULL, NULL, NULL,
    NULL };
