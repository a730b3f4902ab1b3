/* BSD-3-Clause; see LICENSE. */
/**
 * The tables of the provider made of mbedTLS (2.28 or 3.x) and libsodium. A
 * firmware lists those it wants in a struct vsec_crypto of its own; the others
 * are not linked.
 *
 * Ed25519 and the box come from libsodium, everything else from mbedTLS.
 *
 * mbedTLS 3.6.5 and 3.6.6 do not wipe what they compute an inverse with: making
 * or reading an RSA key (and no other) leaves 1/q mod p in freed memory. That
 * is overwritten where the engine's allocator is the one of mbedTLS (glibc's).
 * 2.28 and 3.6.4 wipe it.
 */
#ifndef VSEC_MBEDTLS_H
#define VSEC_MBEDTLS_H

#include <vsec/sodium.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const struct vsec_hash_alg vsec_mbedtls_sha256, vsec_mbedtls_sha384,
    vsec_mbedtls_sha512, vsec_mbedtls_md5, vsec_mbedtls_sha1;
extern const struct vsec_alg vsec_mbedtls_p224, vsec_mbedtls_p256,
    vsec_mbedtls_p384, vsec_mbedtls_p521, vsec_mbedtls_rsa;
/* For devices that only verify: no private keys, no random source. */
extern const struct vsec_alg vsec_mbedtls_p256_verify;
extern const struct vsec_cipher_ops vsec_mbedtls_cipher;

/* All of them, for programs that link several providers and choose. Its copy
 * vsec_crypto_default is the same in this provider's archive. */
extern const struct vsec_crypto vsec_mbedtls_crypto;

#ifdef __cplusplus
}
#endif
#endif
