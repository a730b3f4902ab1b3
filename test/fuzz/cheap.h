/* BSD-3-Clause; see LICENSE. */
/*
 * Cryptography for fuzz targets: keys of every kind that the parsers accept by
 * their form alone, signatures that always verify and ciphers that change
 * nothing, so that a mutated input comes as far as an honest one, and fast.
 * Hashes are real.
 */
#ifndef FUZZ_CHEAP_H
#define FUZZ_CHEAP_H

#include <vsec/principal.h>

#include "fuzz.h"
#include "../support/clear_box.h"

/* ---- keys ---------------------------------------------------------------- */

/* Its parts are copied behind it. */
struct cheap_key {
    struct vsec_raw_key raw;
};

#define CHEAP_PARTS(r)                                                         \
    {                                                                          \
        &(r)->pub, &(r)->priv, &(r)->n, &(r)->e, &(r)->d, &(r)->p, &(r)->q,    \
            &(r)->dp, &(r)->dq, &(r)->qi                                       \
    }
enum { CHEAP_NPARTS = 10 };

static inline int cheap_new(const struct vsec_alg *alg, struct vsec_engine *e,
    void *shared, const struct vsec_raw_key *raw, void **out)
{
    struct vsec_raw_key from = *raw;
    struct cheap_key *k;
    const struct v23_bytes *parts[] = CHEAP_PARTS(&from);
    size_t i, n = sizeof(*k);
    uint8_t *p;

    (void)shared;
    if (alg->kind == VSEC_ECDSA && raw->pub.n == 0 &&
        raw->priv.n == alg->field)
        from.pub = v23_bytes(NULL, 1 + 2u * alg->field);
    if (alg->kind == VSEC_ED25519 && raw->pub.n == 0)
        from.pub = v23_bytes(NULL, 32);
    if ((alg->kind == VSEC_ECDSA &&
            (from.pub.n != 1 + 2u * alg->field ||
                (from.pub.p != NULL && *from.pub.p != 4))) ||
        (alg->kind == VSEC_ED25519 && from.pub.n != 32) ||
        (alg->kind == VSEC_RSA && (raw->n.n == 0 || raw->e.n == 0)))
        return V23_EKEY;
    for (i = 0; i < CHEAP_NPARTS; i++)
        n += parts[i]->n;
    k = v23_get0(e->al, 1, n);
    if (k == NULL)
        return V23_ENOMEM;
    p = (uint8_t *)(k + 1);
    {
        struct v23_bytes *to[] = CHEAP_PARTS(&k->raw);

        for (i = 0; i < CHEAP_NPARTS; i++) {
            if (parts[i]->p != NULL && parts[i]->n != 0)
                memcpy(p, parts[i]->p, parts[i]->n);
            else if (parts[i]->n != 0)
                *p = 4; /* a public key that nobody computed */
            *to[i] = v23_bytes(p, parts[i]->n);
            p += parts[i]->n;
        }
    }
    *out = k;
    return 0;
}

static inline void cheap_free(struct vsec_engine *e, void *key)
{
    v23_put(e->al, key);
}

static inline int cheap_priv_new(const struct vsec_alg *alg,
    struct vsec_engine *e, void *shared, const struct vsec_raw_key *raw,
    void **out)
{
    if ((alg->kind == VSEC_ECDSA && raw->priv.n != alg->field) ||
        (alg->kind == VSEC_ED25519 && raw->priv.n != 32) ||
        (alg->kind == VSEC_RSA && raw->d.n == 0))
        return V23_EKEY;
    return cheap_new(alg, e, shared, raw, out);
}

static inline int cheap_export(const struct vsec_alg *alg,
    struct vsec_engine *e, void *shared, void *priv, struct v23_buf *mem,
    struct vsec_raw_key *raw)
{
    const struct cheap_key *k = priv;
    struct vsec_raw_key from = k->raw;
    const struct v23_bytes *parts[] = CHEAP_PARTS(&from);
    struct v23_bytes *to[] = CHEAP_PARTS(raw);
    size_t i;

    (void)alg;
    (void)e;
    (void)shared;
    for (i = 0; i < CHEAP_NPARTS; i++) {
        if (mem->cap - mem->n < parts[i]->n)
            return V23_ENOSPC;
        *to[i] = v23_bytes(mem->p + mem->n, parts[i]->n);
        v23_buf_put(mem, parts[i]->p, parts[i]->n);
    }
    return 0;
}

static inline int cheap_verify(const struct vsec_alg *alg,
    struct vsec_engine *e, void *shared, void *pub,
    const struct vsec_hash_alg *h, struct v23_bytes msg,
    const struct vsec_sigval *sig)
{
    (void)alg;
    (void)e;
    (void)shared;
    (void)pub;
    (void)h;
    (void)msg;
    return sig->a.n == 0 ? V23_ESIG : 0;
}

static inline int cheap_sign(const struct vsec_alg *alg,
    struct vsec_engine *e, void *shared, void *priv,
    const struct vsec_hash_alg *h, const uint8_t *digest, uint8_t *buf,
    struct vsec_sigval *sig)
{
    (void)alg;
    (void)e;
    (void)shared;
    (void)priv;
    memcpy(buf, digest, h->size);
    buf[0] |= 1;
    sig->a = sig->b = v23_bytes(buf, h->size);
    return 0;
}

#define CHEAP(name, kind, curve, field)                                        \
    static const struct vsec_alg name = {kind, curve, field, NULL, NULL,       \
        cheap_new, cheap_free, cheap_verify, cheap_priv_new, NULL, cheap_free, \
        cheap_export, cheap_sign}
CHEAP(cheap_p224, VSEC_ECDSA, VSEC_P224, 28);
CHEAP(cheap_p256, VSEC_ECDSA, VSEC_P256, 32);
CHEAP(cheap_p384, VSEC_ECDSA, VSEC_P384, 48);
CHEAP(cheap_p521, VSEC_ECDSA, VSEC_P521, 66);
CHEAP(cheap_ed25519, VSEC_ED25519, VSEC_CURVE_NONE, 0);
CHEAP(cheap_rsa, VSEC_RSA, VSEC_CURVE_NONE, 0);
static const struct vsec_alg *const cheap_algs[] = {&cheap_p256,
    &cheap_ed25519, &cheap_p384, &cheap_p521, &cheap_p224, &cheap_rsa, NULL};

/* ---- ciphers ------------------------------------------------------------- */

static inline int cheap_pbkdf2(enum vsec_prf prf, struct v23_bytes pass,
    struct v23_bytes salt, uint32_t rounds, uint8_t *out, size_t n)
{
    (void)prf;
    (void)pass;
    (void)salt;
    (void)rounds;
    memset(out, 0, n);
    return 0;
}

static inline int cheap_cbc(bool encrypt, struct v23_bytes key,
    const uint8_t iv[16], uint8_t *p, size_t n)
{
    (void)encrypt;
    (void)iv;
    (void)p;
    check(n % 16 == 0 && (key.n == 16 || key.n == 24 || key.n == 32));
    return 0;
}

static inline int cheap_ctr(
    struct v23_bytes key, const uint8_t iv[16], uint8_t *p, size_t n)
{
    (void)key;
    (void)iv;
    (void)p;
    (void)n;
    return 0;
}

static const struct vsec_cipher_ops cheap_cipher = {
    cheap_pbkdf2, cheap_cbc, cheap_ctr};

/* ---- engine, signers ----------------------------------------------------- */

/* An engine with these; one for the life of the process. */
static inline struct vsec_engine *cheap_engine(void)
{
    static struct vsec_crypto crypto;
    static struct vsec_engine *e;

    if (e == NULL) {
        crypto = vsec_crypto_default;
        crypto.algs = cheap_algs;
        crypto.cipher = &cheap_cipher;
        crypto.box = &clear_box;
        crypto.secret = NULL;
        check(vsec_engine_new(&e, &crypto, NULL, NULL) == 0);
    }
    return e;
}

/* A signer; equal numbers make equal keys. */
static inline struct vsec_signer *cheap_signer(uint8_t number)
{
    uint8_t der[48] = {0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03,
        0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
    struct vsec_signer *s = NULL;

    memset(der + 16, 1 + number, 32);
    check(vsec_signer_pkcs8(
              cheap_engine(), v23_bytes(der, sizeof(der)), &s) == 0);
    return s;
}

/* Somebody with that key, and a name of his own giving. */
static inline struct vsec_principal *cheap_person(
    uint8_t number, const char *name, struct vsec_blessings **b)
{
    const v23_security_caveat_list none = {NULL, 0};
    struct vsec_signer *s = cheap_signer(number);
    struct vsec_principal *p;

    check(vsec_principal_new(cheap_engine(), s, NULL, NULL, NULL, &p) == 0);
    vsec_signer_unref(s);
    check(vsec_principal_bless_self(p, vdl_str(name), none, b) == 0);
    return p;
}

#endif
