/* BSD-3-Clause; see LICENSE. */
/*
 * Everything this provider has, as vsec_crypto_default. Alone in its object
 * file: a program with a list of its own links only what it names.
 */
#include "glue_int.h"

static const struct vsec_alg *const algs[] = { &vsec_mbedtls_p256,
    &vsec_sodium_ed25519, &vsec_mbedtls_p384, &vsec_mbedtls_p521,
    &vsec_mbedtls_p224, &vsec_mbedtls_rsa, NULL };

const struct vsec_crypto vsec_crypto_default = { algs, &vsec_mbedtls_sha256,
    &vsec_mbedtls_sha384, &vsec_mbedtls_sha512, &vsec_mbedtls_md5,
    &vsec_sodium_box, &vsec_mbedtls_cipher, vsec_sodium_start,
    vsec_sodium_random, &vsec_sodium_secret };
