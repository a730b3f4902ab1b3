/* BSD-3-Clause; see LICENSE. */
/*
 * bcrypt_pbkdf, the key derivation of encrypted OpenSSH keys. No library that
 * we may use offers it, so here is one: Blowfish with the expensive key setup
 * of bcrypt, used as the pseudo-random function of a PBKDF2-like construction
 * over SHA-512. Nothing else uses Blowfish.
 *
 * Sources: PROTOCOL.key of OpenSSH; Provos and Mazières, "A Future-Adaptable
 * Password Scheme" (1999); bcrypt_pbkdf(3) of OpenBSD.
 */
#include "key_int.h"

enum {
    WORDS = 8,              /* of a bcrypt result */
    OUT = 4 * WORDS,
    SHA = 64,               /* octets of a SHA-512 digest */
    NP = 18
};

struct blowfish {
    uint32_t p[NP];
    uint32_t s[4][256];
};

static void encipher(const struct blowfish *b, uint32_t *left, uint32_t *right)
{
    uint32_t l = *left ^ b->p[0], r = *right;
    int i;

    for (i = 1; i <= 16; i += 2) {
        r ^= (((b->s[0][l >> 24] + b->s[1][l >> 16 & 255])
                 ^ b->s[2][l >> 8 & 255])
                 + b->s[3][l & 255])
            ^ b->p[i];
        l ^= (((b->s[0][r >> 24] + b->s[1][r >> 16 & 255])
                 ^ b->s[2][r >> 8 & 255])
                 + b->s[3][r & 255])
            ^ b->p[i + 1];
    }
    *left = r ^ b->p[17];
    *right = l;
}

/* Big-endian word at octet *at, going round after SHA octets. */
static uint32_t next_word(const uint8_t *d, size_t *at)
{
    const uint8_t *p = d + *at;

    *at = (*at + 4) % SHA;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8
        | p[3];
}

/* Mix a key into the state; `salt` (or NULL) goes into what is enciphered. */
static void expand(struct blowfish *b, const uint8_t key[SHA],
    const uint8_t *salt)
{
    uint32_t l = 0, r = 0;
    size_t at = 0, i, k;

    for (i = 0; i < NP; i++)
        b->p[i] ^= next_word(key, &at);
    at = 0;
    for (i = 0; i < NP; i += 2) {
        if (salt != NULL) {
            l ^= next_word(salt, &at);
            r ^= next_word(salt, &at);
        }
        encipher(b, &l, &r);
        b->p[i] = l;
        b->p[i + 1] = r;
    }
    for (k = 0; k < 4; k++)
        for (i = 0; i < 256; i += 2) {
            if (salt != NULL) {
                l ^= next_word(salt, &at);
                r ^= next_word(salt, &at);
            }
            encipher(b, &l, &r);
            b->s[k][i] = l;
            b->s[k][i + 1] = r;
        }
}

static void bcrypt_hash(struct blowfish *b, const uint8_t pass[SHA],
    const uint8_t salt[SHA], uint8_t out[OUT])
{
    static const char magic[OUT + 1] = "OxychromaticBlowfishSwatDynamite";
    uint32_t w[WORDS];
    size_t i, k;

    memcpy(b->p, vsec_bcrypt_pi_, sizeof(b->p));
    memcpy(b->s, vsec_bcrypt_pi_ + NP, sizeof(b->s));
    expand(b, pass, salt);
    for (i = 0; i < 64; i++) {
        expand(b, salt, NULL);
        expand(b, pass, NULL);
    }
    for (i = 0, k = 0; i < WORDS; i++)
        w[i] = next_word((const uint8_t *)magic, &k);
    for (i = 0; i < 64; i++)
        for (k = 0; k < WORDS; k += 2)
            encipher(b, &w[k], &w[k + 1]);
    for (i = 0; i < WORDS; i++)
        for (k = 0; k < 4; k++)
            out[4 * i + k] = (uint8_t)(w[i] >> (8 * k));
    v23_wipe(w, sizeof(w));
}

/* Block `count` (from 1) of the output. */
static int block(const struct vsec_hash_alg *sha512, struct blowfish *b,
    const uint8_t pass[SHA], struct v23_bytes salt, uint32_t count,
    uint32_t rounds, uint8_t out[OUT])
{
    const uint8_t n[4] = { (uint8_t)(count >> 24), (uint8_t)(count >> 16),
        (uint8_t)(count >> 8), (uint8_t)count };
    uint8_t sub[SHA], tmp[OUT];
    struct vsec_hash h;
    uint32_t i;
    size_t k;
    int rc;

    vsec_hash_init(&h, sha512);
    vsec_hash_update(&h, salt.p, salt.n);
    vsec_hash_update(&h, n, sizeof(n));
    rc = vsec_hash_final(&h, sub);
    if (rc != 0)
        return rc;
    bcrypt_hash(b, pass, sub, tmp);
    memcpy(out, tmp, OUT);
    for (i = 1; i < rounds && rc == 0; i++) {
        rc = vsec_hash(sha512, tmp, OUT, sub);
        bcrypt_hash(b, pass, sub, tmp);
        for (k = 0; k < OUT; k++)
            out[k] ^= tmp[k];
    }
    v23_wipe(tmp, sizeof(tmp));
    v23_wipe(sub, sizeof(sub));
    return rc;
}

int vsec_bcrypt_pbkdf_(const struct vsec_hash_alg *sha512,
    struct v23_bytes pass, struct v23_bytes salt, uint32_t rounds,
    uint8_t *out, size_t n)
{
    struct blowfish b;
    uint8_t key[SHA], part[OUT];
    size_t blocks = (n + OUT - 1) / OUT, i, k;
    int rc;

    if (pass.n == 0 || salt.n == 0 || rounds == 0 || n == 0 || n > 1024)
        return V23_EARG;
    rc = vsec_hash(sha512, pass.p, pass.n, key);
    /* The blocks are interleaved: octet k of block i goes to k * blocks + i. */
    for (i = 0; i < blocks && rc == 0; i++) {
        rc = block(sha512, &b, key, salt, (uint32_t)i + 1, rounds, part);
        for (k = 0; k < OUT && k * blocks + i < n; k++)
            out[k * blocks + i] = part[k];
    }
    v23_wipe(&b, sizeof(b));
    v23_wipe(key, sizeof(key));
    v23_wipe(part, sizeof(part));
    return rc;
}
