/* BSD-3-Clause; see LICENSE. */
/*
 * Hashes of OpenSSL, computed in the caller's struct vsec_hash.
 *
 * These are the functions that OpenSSL 3 calls deprecated: the new ones keep
 * their state on OpenSSL's heap, which makes the hash of a certificate's part
 * two to six times as dear (measured: 0.12 us against 0.27 us with a digest
 * fetched before and 0.77 us without), and which a state that is dropped
 * without a call would leak.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>

#include "glue_int.h"

_Static_assert(sizeof(MD5_CTX) <= VSEC_HASH_STATE, "MD5 state");
_Static_assert(sizeof(SHA_CTX) <= VSEC_HASH_STATE, "SHA-1 state");
_Static_assert(sizeof(SHA256_CTX) <= VSEC_HASH_STATE, "SHA-256 state");
_Static_assert(sizeof(SHA512_CTX) <= VSEC_HASH_STATE, "SHA-512 state");

/* A table and its functions, of the three that OpenSSL calls name_Init, … */
#define HASH(name, size, table, ctx) \
    static int name##_init(void *state) \
    { \
        return name##_Init((ctx *)state) == 1 ? 0 : V23_ECRYPTO; \
    } \
    static int name##_update(void *state, const uint8_t *p, size_t n) \
    { \
        return name##_Update((ctx *)state, p, n) == 1 ? 0 : V23_ECRYPTO; \
    } \
    static int name##_final(void *state, uint8_t *digest) \
    { \
        int ok = name##_Final(digest, (ctx *)state); \
\
        v23_wipe(state, sizeof(ctx)); \
        return ok == 1 ? 0 : V23_ECRYPTO; \
    } \
    const struct vsec_hash_alg vsec_openssl_##table = { #name, size, \
        name##_init, name##_update, name##_final };

HASH(SHA256, 32, sha256, SHA256_CTX)
HASH(SHA384, 48, sha384, SHA512_CTX)
HASH(SHA512, 64, sha512, SHA512_CTX)
HASH(MD5, 16, md5, MD5_CTX)
HASH(SHA1, 20, sha1, SHA_CTX)
