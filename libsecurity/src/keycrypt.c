/* BSD-3-Clause; see LICENSE. */
/*
 * Decryption and encryption of private keys: PBES2 of PKCS#5 with PBKDF2 and
 * AES-CBC, and the older form of RFC 1423. A wrong passphrase shows in the
 * padding or, once in 256 times, in octets that are no key; the caller takes
 * care of the latter.
 */
#include "der_int.h"
#include "key_int.h"

enum {
    SEAL_ROUNDS = 10000,  /* what the reference implementation writes */
    MAX_ROUNDS = 10000000 /* seconds of work; beyond, a file is an attack */
};

static const uint8_t oid_pbes2[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5,
    13 };
static const uint8_t oid_pbkdf2[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5,
    12 };
static const uint8_t oid_sha1[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 7 };
static const uint8_t oid_sha256[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2,
    9 };
/* The last octet is 2, 22 or 42 for keys of 16, 24 or 32 octets. */
static const uint8_t oid_aes_cbc[] = { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1,
    42 };

#define IS(oid, name) vsec_der_eq_(oid, v23_bytes(name, sizeof(name)))

struct pbes2 {
    struct v23_bytes salt, iv, data;
    uint32_t rounds;
    enum vsec_prf prf;
    size_t key_len;
};

/* ---- AES-CBC with padding ----------------------------------------------- */

/* Decrypt `data` into the empty *plain and take the padding off. */
static int cbc_open(const struct vsec_crypto *c, struct v23_bytes key,
    struct v23_bytes iv, struct v23_bytes data, struct v23_buf *plain)
{
    size_t pad, i;
    uint8_t bad = 0;
    int rc;

    if (data.n == 0 || data.n % 16 != 0)
        return V23_EKEY;
    rc = v23_buf_room(plain, data.n);
    if (rc != 0)
        return rc;
    v23_buf_put(plain, data.p, data.n);
    rc = c->cipher->aes_cbc(false, key, iv.p, plain->p, plain->n);
    if (rc != 0)
        return rc;
    pad = plain->p[plain->n - 1];
    if (pad == 0 || pad > 16)
        return V23_EBADPASSPHRASE;
    for (i = 1; i <= pad; i++)
        bad |= (uint8_t)(plain->p[plain->n - i] ^ pad);
    if (bad != 0)
        return V23_EBADPASSPHRASE;
    v23_buf_cut(plain, plain->n - pad);
    return 0;
}

/* ---- PBES2 -------------------------------------------------------------- */

/* PBKDF2-params ::= { salt, rounds, [key length], [prf] } */
static int take_pbkdf2(struct v23_bytes in, struct pbes2 *p,
    uint32_t *key_len)
{
    struct v23_bytes prf, oid, null;

    *key_len = 0;
    p->prf = VSEC_HMAC_SHA1;
    if (vsec_der_take_(&in, DER_OCTET_STRING, &p->salt) != 0
        || vsec_der_take_u32_(&in, UINT32_MAX, &p->rounds) != 0)
        return V23_EKEY;
    if (in.n > 0 && in.p[0] == DER_INTEGER
        && vsec_der_take_u32_(&in, 32, key_len) != 0)
        return V23_EKEY;
    if (in.n == 0)
        return 0;
    if (vsec_der_take_(&in, DER_SEQUENCE, &prf) != 0 || in.n != 0
        || vsec_der_take_(&prf, DER_OID, &oid) != 0
        || vsec_der_take_opt_(&prf, DER_NULL, &null) != 0 || prf.n != 0)
        return V23_EKEY;
    if (IS(oid, oid_sha256))
        p->prf = VSEC_HMAC_SHA256;
    else if (!IS(oid, oid_sha1))
        return V23_EKEY;
    return 0;
}

/* AlgorithmIdentifier of AES-CBC. */
static int take_aes(struct v23_bytes in, struct pbes2 *p)
{
    struct v23_bytes oid;
    size_t n = sizeof(oid_aes_cbc);

    if (vsec_der_take_(&in, DER_OID, &oid) != 0
        || vsec_der_take_(&in, DER_OCTET_STRING, &p->iv) != 0 || in.n != 0
        || p->iv.n != 16 || oid.n != n
        || memcmp(oid.p, oid_aes_cbc, n - 1) != 0)
        return V23_EKEY;
    switch (oid.p[n - 1]) {
    case 2:
        p->key_len = 16;
        return 0;
    case 22:
        p->key_len = 24;
        return 0;
    case 42:
        p->key_len = 32;
        return 0;
    default:
        return V23_EKEY;
    }
}

static int take_pbes2(struct v23_bytes in, struct pbes2 *p)
{
    struct v23_bytes seq, alg, oid, params, kdf, enc, kdf_params;
    uint32_t key_len;

    if (vsec_der_take_(&in, DER_SEQUENCE, &seq) != 0 || in.n != 0
        || vsec_der_take_(&seq, DER_SEQUENCE, &alg) != 0
        || vsec_der_take_(&seq, DER_OCTET_STRING, &p->data) != 0
        || seq.n != 0 || vsec_der_take_(&alg, DER_OID, &oid) != 0
        || !IS(oid, oid_pbes2)
        || vsec_der_take_(&alg, DER_SEQUENCE, &params) != 0 || alg.n != 0
        || vsec_der_take_(&params, DER_SEQUENCE, &kdf) != 0
        || vsec_der_take_(&params, DER_SEQUENCE, &enc) != 0
        || params.n != 0 || vsec_der_take_(&kdf, DER_OID, &oid) != 0
        || !IS(oid, oid_pbkdf2)
        || vsec_der_take_(&kdf, DER_SEQUENCE, &kdf_params) != 0
        || kdf.n != 0 || take_pbkdf2(kdf_params, p, &key_len) != 0
        || take_aes(enc, p) != 0
        || (key_len != 0 && key_len != p->key_len))
        return V23_EKEY;
    return 0;
}

int vsec_pbes2_open_(const struct vsec_crypto *c, struct v23_bytes der,
    struct v23_bytes pass, struct v23_buf *plain)
{
    struct pbes2 p;
    uint8_t key[32];
    int rc;

    if (pass.n == 0)
        return V23_EPASSPHRASE;
    rc = take_pbes2(der, &p);
    if (rc != 0)
        return rc;
    if (p.rounds == 0 || p.rounds > MAX_ROUNDS)
        return V23_ELIMIT;
    if (c->cipher == NULL)
        return V23_ENOSYS;
    rc = c->cipher->pbkdf2(p.prf, pass, p.salt, p.rounds, key, p.key_len);
    if (rc == 0)
        rc = cbc_open(c, v23_bytes(key, p.key_len), p.iv, p.data, plain);
    v23_wipe(key, sizeof(key));
    return rc;
}

/* Append the AlgorithmIdentifier of what vsec_pbes2_seal_ does. */
static void put_pbes2(struct v23_buf *b, const uint8_t salt[8],
    const uint8_t iv[16])
{
    static const uint8_t rounds[2] = { SEAL_ROUNDS >> 8, SEAL_ROUNDS & 0xff };
    size_t alg = vsec_der_open_(b, DER_SEQUENCE), params, seq, kdf, prf;

    vsec_der_put_(b, DER_OID, oid_pbes2, sizeof(oid_pbes2));
    params = vsec_der_open_(b, DER_SEQUENCE);
    seq = vsec_der_open_(b, DER_SEQUENCE);
    vsec_der_put_(b, DER_OID, oid_pbkdf2, sizeof(oid_pbkdf2));
    kdf = vsec_der_open_(b, DER_SEQUENCE);
    vsec_der_put_(b, DER_OCTET_STRING, salt, 8);
    vsec_der_put_uint_(b, v23_bytes(rounds, sizeof(rounds)));
    prf = vsec_der_open_(b, DER_SEQUENCE);
    vsec_der_put_(b, DER_OID, oid_sha256, sizeof(oid_sha256));
    vsec_der_put_(b, DER_NULL, NULL, 0);
    vsec_der_close_(b, prf);
    vsec_der_close_(b, kdf);
    vsec_der_close_(b, seq);
    seq = vsec_der_open_(b, DER_SEQUENCE);
    vsec_der_put_(b, DER_OID, oid_aes_cbc, sizeof(oid_aes_cbc));
    vsec_der_put_(b, DER_OCTET_STRING, iv, 16);
    vsec_der_close_(b, seq);
    vsec_der_close_(b, params);
    vsec_der_close_(b, alg);
}

int vsec_pbes2_seal_(struct vsec_engine *e, struct v23_bytes plain,
    struct v23_bytes pass, struct v23_buf *out)
{
    const struct vsec_cipher_ops *c = e->crypto->cipher;
    uint8_t random[24], key[32]; /* salt, IV; key */
    size_t pad = 16 - plain.n % 16, seq, data, i;
    int rc;

    if (c == NULL)
        return V23_ENOSYS;
    rc = vsec_random_fill(e, random, sizeof(random));
    if (rc == 0)
        rc = v23_buf_room(out, plain.n + 256);
    if (rc == 0)
        rc = c->pbkdf2(VSEC_HMAC_SHA256, pass, v23_bytes(random, 8),
            SEAL_ROUNDS, key, sizeof(key));
    if (rc != 0)
        goto out;
    seq = vsec_der_open_(out, DER_SEQUENCE);
    put_pbes2(out, random, random + 8);
    data = vsec_der_open_(out, DER_OCTET_STRING);
    v23_buf_put(out, plain.p, plain.n);
    for (i = 0; i < pad; i++)
        v23_buf_put_byte(out, (uint8_t)pad);
    rc = out->err;
    if (rc == 0)
        rc = c->aes_cbc(true, v23_bytes(key, sizeof(key)), random + 8,
            out->p + data, out->n - data);
    vsec_der_close_(out, data);
    vsec_der_close_(out, seq);
    if (rc == 0)
        rc = out->err;
out:
    v23_wipe(key, sizeof(key));
    return rc;
}

/* ---- RFC 1423 ----------------------------------------------------------- */

/* Key of a passphrase: MD5(pass salt), MD5(previous pass salt), … */
static int rfc1423_key(const struct vsec_crypto *c, struct v23_bytes pass,
    const uint8_t salt[8], uint8_t key[32])
{
    struct vsec_hash h;
    size_t at;
    int rc = 0;

    for (at = 0; at < 32 && rc == 0; at += 16) {
        vsec_hash_init(&h, c->md5);
        if (at > 0)
            vsec_hash_update(&h, key + at - 16, 16);
        vsec_hash_update(&h, pass.p, pass.n);
        vsec_hash_update(&h, salt, 8);
        rc = vsec_hash_final(&h, key + at);
    }
    return rc;
}

/* "AES-256-CBC,<hex of the IV>" */
static int parse_dek(struct vdl_str dek, size_t *key_len, uint8_t iv[16])
{
    static const struct {
        const char *name;
        size_t key_len;
    } ciphers[] = { { "AES-256-CBC,", 32 }, { "AES-192-CBC,", 24 },
        { "AES-128-CBC,", 16 } };
    enum { NAME = 12 };
    struct v23_buf b;
    size_t i = 0;

    if (dek.n != NAME + 32)
        return V23_EKEY;
    while (i < 3 && memcmp(dek.p, ciphers[i].name, NAME) != 0)
        i++;
    if (i == 3)
        return V23_EKEY;
    v23_buf_init_fixed(&b, iv, 16);
    if (v23_hex_parse(dek.p + NAME, 32, &b) != 0)
        return V23_EKEY;
    *key_len = ciphers[i].key_len;
    return 0;
}

int vsec_rfc1423_open_(const struct vsec_crypto *c, struct vdl_str dek,
    struct v23_bytes body, struct v23_bytes pass, struct v23_buf *plain)
{
    uint8_t key[32], iv[16];
    size_t key_len;
    int rc;

    if (pass.n == 0)
        return V23_EPASSPHRASE;
    rc = parse_dek(dek, &key_len, iv);
    if (rc != 0)
        return rc;
    if (c->cipher == NULL)
        return V23_ENOSYS;
    rc = rfc1423_key(c, pass, iv, key);
    if (rc == 0)
        rc = cbc_open(c, v23_bytes(key, key_len),
            v23_bytes(iv, sizeof(iv)), body, plain);
    v23_wipe(key, sizeof(key));
    return rc;
}
