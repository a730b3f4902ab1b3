/* BSD-3-Clause; see LICENSE. */
/**
 * What libsodium gives to every provider: the box of the RPC connection, which
 * neither mbedTLS nor OpenSSL has, Ed25519, and the system's random source.
 * Part of each provider's archive.
 */
#ifndef VSEC_SODIUM_H
#define VSEC_SODIUM_H

#include <vsec/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const struct vsec_alg vsec_sodium_ed25519;
/* For devices that only verify: no private keys, no random source. */
extern const struct vsec_alg vsec_sodium_ed25519_verify;
extern const struct vsec_box_ops vsec_sodium_box;
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
