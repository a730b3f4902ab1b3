/* BSD-3-Clause; see LICENSE. */
/**
 * The tables of the provider made of OpenSSL 3 and libsodium, for hosts: its
 * P-256 verifies more than ten times as fast as that of mbedTLS.
 *
 * The box comes from libsodium, since OpenSSL has no XSalsa20. So does Ed25519
 * in the full list, because libsodium's is up to three times as fast; a program
 * that wants OpenSSL's lists vsec_openssl_ed25519 instead.
 *
 * Signing with ECDSA and making RSA keys take random octets from OpenSSL's own
 * generator; into the latter the engine's source is mixed.
 */
#ifndef VSEC_OPENSSL_H
#define VSEC_OPENSSL_H

#include <vsec/sodium.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const struct vsec_hash_alg vsec_openssl_sha256, vsec_openssl_sha384,
    vsec_openssl_sha512, vsec_openssl_md5, vsec_openssl_sha1;
extern const struct vsec_alg vsec_openssl_p224, vsec_openssl_p256,
    vsec_openssl_p384, vsec_openssl_p521, vsec_openssl_rsa,
    vsec_openssl_ed25519;
extern const struct vsec_cipher_ops vsec_openssl_cipher;
/**
 * Start libsodium and prepare OpenSSL's secure heap, where private keys rest:
 * the `start` of lists with tables from here. 0, V23_ECRYPTO.
 *
 * The heap is one for the process and does not grow (512 KiB: 8,000 keys of
 * P-256); a key that it has no room for is V23_ENOMEM. A program that wants
 * another size calls CRYPTO_secure_malloc_init before.
 */
V23_MUST_USE int vsec_openssl_start(void);
/** Random octets of OpenSSL's generator. */
V23_MUST_USE int vsec_openssl_random(void *ud, uint8_t *p, size_t n);

/* All of them, for programs that link several providers and choose. Its copy
 * vsec_crypto_default is the same in this provider's archive. */
extern const struct vsec_crypto vsec_openssl_crypto;

#ifdef __cplusplus
}
#endif
#endif
