/* BSD-3-Clause; see LICENSE. */
/** The full list of this provider, for its two names. */
#ifndef VSEC_MBEDTLS_PROVIDER_H
#define VSEC_MBEDTLS_PROVIDER_H

#include <vsec/mbedtls.h>

static const struct vsec_alg *const algs[] = { &vsec_mbedtls_p256,
    &vsec_sodium_ed25519, &vsec_mbedtls_p384, &vsec_mbedtls_p521,
    &vsec_mbedtls_p224, &vsec_mbedtls_rsa, NULL };

#define EVERYTHING \
    { algs, &vsec_mbedtls_sha256, &vsec_mbedtls_sha384, \
        &vsec_mbedtls_sha512, &vsec_mbedtls_md5, &vsec_mbedtls_sha1, \
        &vsec_sodium_box, &vsec_mbedtls_cipher, vsec_sodium_start, \
        vsec_sodium_random, &vsec_sodium_secret }

#endif
