/* BSD-3-Clause; see LICENSE. */
/*
 * RSASSA-PKCS1-v1_5 of mbedTLS. A context belongs to one key: mbedTLS keeps
 * blinding values in it.
 *
 * mbedTLS's numbers live in memory of malloc. A private key rests as octets in
 * memory for secrets; its numbers are made for a signature and wiped after it.
 * What stays in the context tells nothing about the key: modulus and exponent,
 * and the pair of blinding values, which would cost a quarter (4096 bits) to
 * nearly a half (2048 bits) of a signature each time.
 */
#include "glue_int.h"

#include <mbedtls/rsa.h>

#include "compat_int.h"

static mbedtls_rsa_context *rsa_alloc(struct vsec_engine *e)
{
    mbedtls_rsa_context *c = v23_new(e->al, mbedtls_rsa_context);

    if (c == NULL)
        return NULL;
    mbedtls_rsa_init(c);
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
    struct v23_bytes digest, const struct vsec_sigval *sig)
{
    mbedtls_rsa_context *c = (mbedtls_rsa_context *)pub;
    mbedtls_md_type_t md = vsec_mbedtls_md_(h);
    int ret;

    (void)alg;
    (void)e;
    (void)shared;
    ret = mbedtls_rsa_pkcs1_verify(c, md, h->size, digest.p, sig->a.p);
    if (ret == 0)
        return 0;
    return key_error(ret) == V23_ENOMEM ? V23_ENOMEM : V23_ESIG;
}

/* ---- private keys ------------------------------------------------------- */

enum { PARTS = 6 };

/* At rest: d, p, q and what follows from them. */
struct secret {
    size_t size;
    struct v23_bytes part[PARTS]; /* in the octets that follow */
};

struct priv {
    mbedtls_rsa_context *c; /* the secret numbers are there during a use */
    struct secret *secret;
};

static void parts(mbedtls_rsa_context *c, mbedtls_mpi *x[PARTS])
{
    x[0] = &c->MBEDTLS_PRIVATE(D);
    x[1] = &c->MBEDTLS_PRIVATE(P);
    x[2] = &c->MBEDTLS_PRIVATE(Q);
    x[3] = &c->MBEDTLS_PRIVATE(DP);
    x[4] = &c->MBEDTLS_PRIVATE(DQ);
    x[5] = &c->MBEDTLS_PRIVATE(QP);
}

/* Take the secret numbers out of the context. Those of the Montgomery form
 * belong to them: R * R mod p gives p away. */
static void unload(mbedtls_rsa_context *c)
{
    mbedtls_mpi *x[PARTS];
    int i;

    parts(c, x);
    for (i = 0; i < PARTS; i++)
        mbedtls_mpi_free(x[i]); /* wipes */
    mbedtls_mpi_free(&c->MBEDTLS_PRIVATE(RP));
    mbedtls_mpi_free(&c->MBEDTLS_PRIVATE(RQ));
}

static int load(struct priv *k)
{
    mbedtls_mpi *x[PARTS];
    int i, ret = 0;

    parts(k->c, x);
    for (i = 0; ret == 0 && i < PARTS; i++)
        ret = mbedtls_mpi_read_binary(x[i], k->secret->part[i].p,
            k->secret->part[i].n);
    return ret;
}

static void priv_free(struct vsec_engine *e, void *priv)
{
    struct priv *k = (struct priv *)priv;

    if (k->c != NULL) {
        unload(k->c);
        rsa_free(e, k->c);
    }
    if (k->secret != NULL)
        v23_wipe(k->secret, k->secret->size);
    v23_put(e->secret, k->secret);
    v23_put(e->al, k);
}

/*
 * mbedTLS 3.6.5 computes 1/q mod p in a block of five times the size of p, and
 * frees that without wiping it. Blocks of this size are what the next request
 * for one gets, when the engine's memory is malloc's like that of mbedTLS.
 */
static void scrub(struct vsec_engine *e, const mbedtls_mpi *p)
{
    enum { BLOCKS = 8 }; /* malloc keeps up to seven of one size apart */
    size_t size = 5 * sizeof(mbedtls_mpi_uint) * p->MBEDTLS_PRIVATE(n);
    void *block[BLOCKS];
    int i;

    for (i = 0; i < BLOCKS; i++) {
        block[i] = v23_get(e->al, size);
        if (block[i] != NULL)
            v23_wipe(block[i], size);
    }
    for (i = 0; i < BLOCKS; i++)
        v23_put(e->al, block[i]);
}

/* Move the secret numbers of a complete context to where they rest. */
static int stow(struct vsec_engine *e, struct priv *k)
{
    size_t i, n = sizeof(struct secret);
    mbedtls_mpi *x[PARTS];
    struct secret *s;
    struct v23_buf b;
    int rc = 0;

    parts(k->c, x);
    scrub(e, x[1]);
    for (i = 0; i < PARTS; i++)
        n += mbedtls_mpi_size(x[i]);
    s = (struct secret *)v23_get0(e->secret, 1, n);
    if (s == NULL)
        return V23_ENOMEM;
    k->secret = s;
    s->size = n;
    v23_buf_init_fixed(&b, s + 1, n - sizeof(*s));
    for (i = 0; rc == 0 && i < PARTS; i++)
        rc = vsec_mbedtls_put_mpi_(&b, x[i], 0, &s->part[i]);
    unload(k->c);
    return rc;
}

static int priv_alloc(struct vsec_engine *e, struct priv **out)
{
    struct priv *k = v23_new(e->al, struct priv);

    if (k == NULL)
        return V23_ENOMEM;
    k->c = rsa_alloc(e);
    if (k->c == NULL) {
        priv_free(e, k);
        return V23_ENOMEM;
    }
    *out = k;
    return 0;
}

/* mbedTLS checks that n = p q and that d undoes e. */
static int priv_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **priv)
{
    struct priv *k;
    int ret, rc = priv_alloc(e, &k);

    (void)alg;
    (void)shared;
    if (rc != 0)
        return rc;
    ret = mbedtls_rsa_import_raw(k->c, raw->n.p, raw->n.n, raw->p.p,
        raw->p.n, raw->q.p, raw->q.n, raw->d.p, raw->d.n, raw->e.p,
        raw->e.n);
    if (ret == 0)
        ret = mbedtls_rsa_complete(k->c);
    if (ret == 0)
        ret = mbedtls_rsa_check_privkey(k->c);
    rc = ret == 0 ? stow(e, k) : key_error(ret);
    if (rc != 0)
        priv_free(e, k);
    else
        *priv = k;
    return rc;
}

static int priv_generate(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, unsigned bits, void **priv)
{
    struct priv *k;
    int ret, rc = priv_alloc(e, &k);

    (void)alg;
    (void)shared;
    if (rc != 0)
        return rc;
    ret = mbedtls_rsa_gen_key(k->c, vsec_mbedtls_rng_, e, bits, 65537);
    if (ret != 0)
        rc = key_error(ret) == V23_ENOMEM ? V23_ENOMEM : V23_ECRYPTO;
    else
        rc = stow(e, k);
    if (rc != 0)
        priv_free(e, k);
    else
        *priv = k;
    return rc;
}

static int priv_export(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, struct v23_buf *mem, struct vsec_raw_key *raw)
{
    const struct priv *k = (const struct priv *)priv;
    struct v23_bytes *to[PARTS] = { &raw->d, &raw->p, &raw->q, &raw->dp,
        &raw->dq, &raw->qi };
    int i, rc;

    (void)alg;
    (void)e;
    (void)shared;
    rc = vsec_mbedtls_put_mpi_(mem, &k->c->MBEDTLS_PRIVATE(N), 0, &raw->n);
    if (rc == 0)
        rc = vsec_mbedtls_put_mpi_(mem, &k->c->MBEDTLS_PRIVATE(E), 0,
            &raw->e);
    for (i = 0; rc == 0 && i < PARTS; i++) {
        if (mem->cap - mem->n < k->secret->part[i].n)
            return V23_ENOSPC;
        *to[i] = v23_bytes(mem->p + mem->n, k->secret->part[i].n);
        v23_buf_put(mem, k->secret->part[i].p, k->secret->part[i].n);
    }
    return rc;
}

static int sign(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, void *priv, const struct vsec_hash_alg *h,
    const uint8_t *digest, uint8_t *buf, struct vsec_sigval *sig)
{
    struct priv *k = (struct priv *)priv;
    mbedtls_rsa_context *c = k->c;
    mbedtls_md_type_t md = vsec_mbedtls_md_(h);
    int ret;

    (void)alg;
    (void)shared;
    ret = load(k);
    if (ret != 0)
        goto out;
    ret = mbedtls_rsa_pkcs1_sign(c, vsec_mbedtls_rng_, e, md, h->size, digest,
        buf);
out:
    unload(c);
    if (ret != 0)
        return key_error(ret) == V23_ENOMEM ? V23_ENOMEM : V23_ECRYPTO;
    sig->a = v23_bytes(buf, mbedtls_rsa_get_len(c));
    sig->b = v23_bytes(NULL, 0);
    return 0;
}

const struct vsec_alg vsec_mbedtls_rsa = { VSEC_RSA, VSEC_CURVE_NONE, 0, NULL,
    NULL, pub_new, rsa_free, verify, priv_new, priv_generate, priv_free,
    priv_export, sign };
