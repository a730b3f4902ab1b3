/* BSD-3-Clause; see LICENSE. */
/**
 * The tables of the provider made of mbedTLS (2.28 or 3.x) and libsodium. A
 * firmware lists those it wants in a struct vsec_crypto of its own; the others
 * are not linked. vsec_crypto_default lists them all.
 *
 * Ed25519 and the box come from libsodium, everything else from mbedTLS.
 */
#ifndef VSEC_MBEDTLS_H
#define VSEC_MBEDTLS_H

#include <vsec/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const struct vsec_hash_alg vsec_mbedtls_sha256, vsec_mbedtls_sha384,
    vsec_mbedtls_sha512, vsec_mbedtls_md5;
extern const struct vsec_alg vsec_mbedtls_p224, vsec_mbedtls_p256,
    vsec_mbedtls_p384, vsec_mbedtls_p521, vsec_mbedtls_rsa;
extern const struct vsec_alg vsec_sodium_ed25519;
extern const struct vsec_box_ops vsec_sodium_box;
extern const struct vsec_cipher_ops vsec_mbedtls_cipher;
/** Start libsodium: the `start` of every list that uses it. 0, V23_ECRYPTO. */
V23_MUST_USE int vsec_sodium_start(void);
/** Random octets of the system, through libsodium. */
V23_MUST_USE int vsec_sodium_random(void *ud, uint8_t *p, size_t n);

/* Guarded memory of libsodium: each block between pages that cannot be
 * touched, locked, and not dumped. */
extern const struct v23_alloc vsec_sodium_secret;

#ifdef __cplusplus
}
#endif
#endif
