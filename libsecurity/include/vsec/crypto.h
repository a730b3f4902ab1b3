/* BSD-3-Clause; see LICENSE. */
/**
 * What libsecurity asks of a cryptographic library.
 *
 * A provider is a set of small constant tables: one struct vsec_alg for each
 * signature algorithm, one struct vsec_hash_alg for each hash, the box of the
 * RPC connection, and the ciphers of encrypted key files. struct vsec_crypto
 * lists those that a program wants; what it does not list is not linked. The
 * core of libsecurity names no provider; <vsec/mbedtls.h> and <vsec/openssl.h>
 * declare the tables of those that come with it.
 *
 * struct vsec_engine is one instance of a provider with its allocator, random
 * source and the state that the provider fills lazily (curve tables). Objects
 * of an engine (keys, signers) keep it alive and belong to its thread; programs
 * with several event loops make one engine per loop.
 *
 * The providers' libraries allocate their own working memory (big numbers)
 * from their own allocator; everything else comes from the engine's. Private
 * keys and passphrases rest only in memory of engine->secret; where the system
 * can, that memory is in no core dump.
 *
 * Source: spec/security.md 3, 12.2; spec/rpc.md 6; design section 5.
 */
#ifndef VSEC_CRYPTO_H
#define VSEC_CRYPTO_H

#include <v23/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsec_engine;

/* ---- hashes -------------------------------------------------------------- */

enum {
    VSEC_HASH_MAX = 64,    /* octets of the longest digest */
    VSEC_HASH_STATE = 256  /* octets that a provider's hash state may need */
};

/*
 * A hash. The state is plain memory: it may be copied while no other call
 * runs, and dropped without a call (but for wiping).
 */
struct vsec_hash_alg {
    const char *name; /* "SHA256", "SHA384", "SHA512"; "MD5", "SHA1" */
    uint8_t size;     /* octets of a digest */
    int (*init)(void *state); /* 0 or V23_ECRYPTO */
    int (*update)(void *state, const uint8_t *p, size_t n);
    int (*final)(void *state, uint8_t *digest); /* wipes the state */
};

/* A hash being computed; lives on the stack. Failures stick until final. */
struct vsec_hash {
    const struct vsec_hash_alg *alg;
    int err;
    union {
        uint64_t align;
        uint8_t b[VSEC_HASH_STATE];
    } state;
};

/** Begin. `alg` NULL (not in this build) makes vsec_hash_final fail. */
void vsec_hash_init(struct vsec_hash *h, const struct vsec_hash_alg *alg);
/** Add n octets; p may be NULL when n is 0. */
void vsec_hash_update(struct vsec_hash *h, const void *p, size_t n);
/**
 * End: write alg->size octets and wipe the state.
 * @return 0, V23_ENOSYS (no such hash), V23_ECRYPTO; then digest is zeroed
 */
V23_MUST_USE int vsec_hash_final(struct vsec_hash *h, uint8_t *digest);
/** Hash n octets in one go. Errors as vsec_hash_final. */
V23_MUST_USE int vsec_hash(const struct vsec_hash_alg *alg, const void *p,
    size_t n, uint8_t *digest);

/* ---- signature algorithms ------------------------------------------------ */

enum vsec_kind { VSEC_ECDSA, VSEC_ED25519, VSEC_RSA };
enum vsec_curve {
    VSEC_CURVE_NONE,
    VSEC_P224,
    VSEC_P256,
    VSEC_P384,
    VSEC_P521
};

enum {
    VSEC_RSA_MIN_BITS = 2048, /* smaller keys are refused */
    VSEC_RSA_MAX_BITS = 8192, /* bounds what a peer's key can cost */
    VSEC_SIG_MAX = VSEC_RSA_MAX_BITS / 8 /* octets of the longest raw value */
};

/*
 * Key material in no particular encoding. Which members are used:
 *   ECDSA    pub = 04 X Y, priv = d, both of the curve's fixed size
 *   Ed25519  pub = 32 octets, priv = seed of 32 octets
 *   RSA      n, e, d, p, q and d mod (p - 1), d mod (q - 1), 1/q mod p:
 *            unsigned big-endian, no leading zero octets
 * In private keys that are taken in, pub, dp, dq and qi may be empty: they are
 * computed (a given pub must be right, the others are not used).
 */
struct vsec_raw_key {
    struct v23_bytes pub, priv;
    struct v23_bytes n, e, d, p, q, dp, dq, qi;
};

/*
 * A raw signature value.
 *   ECDSA    a = r, b = s: unsigned big-endian, from one octet to the field's
 *            size. A provider is given values to verify without leading zeros
 *            and returns those it makes with or without them.
 *   Ed25519  a = 64 octets
 *   RSA      a = as long as the modulus
 */
struct vsec_sigval {
    struct v23_bytes a, b;
};

/*
 * One algorithm of a provider. Every function gets the table itself, so one
 * set of functions can serve several curves. Contexts are opaque; they come
 * from engine->al. An algorithm that only verifies leaves the functions of
 * private keys NULL.
 */
struct vsec_alg {
    enum vsec_kind kind;
    enum vsec_curve curve; /* ECDSA */
    uint16_t field;        /* ECDSA: octets of a coordinate and of d */

    /*
     * State shared by all keys of this algorithm in one engine (curve tables);
     * made with the first key. May be NULL.
     */
    int (*shared_new)(const struct vsec_alg *alg, struct vsec_engine *e,
        void **shared);
    void (*shared_free)(struct vsec_engine *e, void *shared);

    /* Check (point on the curve) and take in a public key, whose sizes were
     * checked. 0, V23_EKEY, V23_ENOMEM, V23_ECRYPTO. */
    int (*pub_new)(const struct vsec_alg *alg, struct vsec_engine *e,
        void *shared, const struct vsec_raw_key *raw, void **pub);
    void (*pub_free)(struct vsec_engine *e, void *pub);
    /*
     * 0, V23_ESIG, V23_ENOMEM, V23_ECRYPTO. `digest` has h->size octets; for
     * Ed25519, which hashes by itself, it is a message of any length and h
     * does not matter.
     */
    int (*verify)(const struct vsec_alg *alg, struct vsec_engine *e,
        void *shared, void *pub, const struct vsec_hash_alg *h,
        struct v23_bytes digest, const struct vsec_sigval *sig);

    /* Take in a private key, checking that its halves belong together.
     * Errors as pub_new. */
    int (*priv_new)(const struct vsec_alg *alg, struct vsec_engine *e,
        void *shared, const struct vsec_raw_key *raw, void **priv);
    /* Make a new one; `bits` is the size of an RSA modulus. */
    int (*priv_generate)(const struct vsec_alg *alg, struct vsec_engine *e,
        void *shared, unsigned bits, void **priv);
    void (*priv_free)(struct vsec_engine *e, void *priv); /* wipes */
    /*
     * Give the key's material: everything that struct vsec_raw_key names for
     * this kind. The octets are appended to `mem`, which the caller wipes, and
     * *raw points into it (`mem` must not move: the caller makes room first).
     */
    int (*priv_export)(const struct vsec_alg *alg, struct vsec_engine *e,
        void *shared, void *priv, struct v23_buf *mem,
        struct vsec_raw_key *raw);
    /* Sign `digest`; *sig points into buf of VSEC_SIG_MAX octets. */
    int (*sign)(const struct vsec_alg *alg, struct vsec_engine *e,
        void *shared, void *priv, const struct vsec_hash_alg *h,
        const uint8_t *digest, uint8_t *buf, struct vsec_sigval *sig);
};

/* ---- the box of a connection --------------------------------------------- */

enum {
    VSEC_BOX_KEY = 32,   /* public, secret and shared keys */
    VSEC_BOX_NONCE = 24,
    VSEC_BOX_TAG = 16    /* what a sealed message has in front */
};

/* NaCl's crypto_box: X25519, HSalsa20, XSalsa20-Poly1305. */
struct vsec_box_ops {
    /* Public key of 32 secret octets (clamped inside). 0 or V23_ECRYPTO. */
    int (*public_key)(const uint8_t secret[32], uint8_t pub[32]);
    /*
     * Shared key of own secret and the peer's public key. V23_EKEY when the
     * X25519 result is all zero (low-order point); `shared` is then zeroed.
     */
    int (*shared_key)(const uint8_t secret[32], const uint8_t peer[32],
        uint8_t shared[32]);
    /* Seal in place: buf holds 16 free octets, then n octets of plain text;
     * afterwards the tag and the cipher text. Never reuse a nonce. */
    void (*seal)(const uint8_t shared[32], const uint8_t nonce[24],
        uint8_t *buf, size_t n);
    /* Open in place: buf holds the tag and n octets of cipher text; afterwards
     * the plain text is at buf + 16. V23_EBOX: forged; buf is unchanged. */
    int (*open)(const uint8_t shared[32], const uint8_t nonce[24],
        uint8_t *buf, size_t n);
};

/* ---- ciphers of private key files ---------------------------------------- */

enum vsec_prf { VSEC_HMAC_SHA1, VSEC_HMAC_SHA256 };

struct vsec_cipher_ops {
    /* PBKDF2. 0 or V23_ECRYPTO. */
    int (*pbkdf2)(enum vsec_prf prf, struct v23_bytes pass,
        struct v23_bytes salt, uint32_t rounds, uint8_t *out, size_t n);
    /* AES-CBC in place without padding; `n` is a multiple of 16, `key` of 16,
     * 24 or 32 octets. 0, V23_EARG or V23_ECRYPTO. */
    int (*aes_cbc)(bool encrypt, struct v23_bytes key, const uint8_t iv[16],
        uint8_t *p, size_t n);
    /* AES-CTR in place, 128-bit big-endian counter that starts at iv. */
    int (*aes_ctr)(struct v23_bytes key, const uint8_t iv[16], uint8_t *p,
        size_t n);
};

/* ---- provider and engine ------------------------------------------------- */

/* What a program may use. Any pointer may be NULL: then what needs it fails
 * with V23_ENOSYS, and keys of an unlisted algorithm with V23_EKEY. */
struct vsec_crypto {
    const struct vsec_alg *const *algs; /* ends with NULL */
    const struct vsec_hash_alg *sha256, *sha384, *sha512;
    const struct vsec_hash_alg *md5; /* fingerprints, RFC 1423 files */
    const struct vsec_hash_alg *sha1; /* websocket upgrades; nothing signed */
    const struct vsec_box_ops *box;
    const struct vsec_cipher_ops *cipher;
    /* Start the library behind (may be called again); NULL: nothing to do.
     * 0 or V23_ECRYPTO. */
    int (*start)(void);
    /* Random octets when the engine is given no source of its own; may be
     * NULL. 0 or V23_ECRYPTO. */
    int (*random)(void *ud, uint8_t *p, size_t n);
    /*
     * Memory for secrets: left out of core dumps, kept from swap as far as
     * limits allow, and wiped when it is given back or moves. NULL (a
     * firmware): the engine's allocator, so who holds a secret also wipes it.
     * Programs are to be linked with -z now: lazy binding saves registers, and
     * with them parts of secrets, on the stack.
     */
    const struct v23_alloc *secret;
};

/* Everything that the provider in the linked archive has. */
extern const struct vsec_crypto vsec_crypto_default;

/* A source of unpredictable octets. */
struct vsec_random {
    int (*fill)(void *ud, uint8_t *p, size_t n); /* 0 or an error */
    void *ud;
};

/* Members are for reading. */
struct vsec_engine {
    struct v23_ref ref;
    const struct vsec_crypto *crypto;
    const struct v23_alloc *al;
    const struct v23_alloc *secret; /* crypto->secret, or al; see there */
    struct vsec_random random;
    void **shared; /* state of crypto->algs[i], made with the first key */
};

/**
 * Make an engine.
 *
 * @param crypto  must outlive the engine; NULL is not allowed (pass
 *                &vsec_crypto_default)
 * @param al      NULL = libc
 * @param random  copied; NULL = crypto->random
 * @return 0, V23_ENOMEM, V23_EARG (no random source at all), V23_ECRYPTO (the
 *         library behind the provider does not start)
 */
V23_MUST_USE int vsec_engine_new(struct vsec_engine **out,
    const struct vsec_crypto *crypto, const struct v23_alloc *al,
    const struct vsec_random *random);
/** Add an owner; returns e. */
struct vsec_engine *vsec_engine_ref(struct vsec_engine *e);
/** Remove an owner; NULL is ignored. */
void vsec_engine_unref(struct vsec_engine *e);
/** Fill p with n random octets. 0 or the source's error (p zeroed). */
V23_MUST_USE int vsec_random_fill(struct vsec_engine *e, void *p, size_t n);

/**
 * The hash that a signature's `Hash` field selects: SHA256 and SHA384 by their
 * exact names, SHA512 for any other text, as the reference implementation
 * does. May be NULL when the provider lacks it.
 */
const struct vsec_hash_alg *vsec_hash_named(const struct vsec_crypto *c,
    struct vdl_str name);

#ifdef __cplusplus
}
#endif
#endif
