/* BSD-3-Clause; see LICENSE. */
/* The providers that are measured, side by side in one program. */
#include "secbench.h"

#include <have.h>

#include <vsec/mbedtls.h>
#if SECBENCH_OPENSSL
#include <vsec/openssl.h>
#endif

#if SECBENCH_OPENSSL
/* As vsec_openssl_crypto, but with its own Ed25519. */
static const struct vsec_alg *const openssl_algs[] = { &vsec_openssl_p256,
    &vsec_openssl_p384, &vsec_openssl_p521, &vsec_openssl_rsa,
    &vsec_openssl_ed25519, NULL };

static const struct vsec_crypto openssl = {
    .algs = openssl_algs,
    .sha256 = &vsec_openssl_sha256,
    .sha384 = &vsec_openssl_sha384,
    .sha512 = &vsec_openssl_sha512,
    .md5 = &vsec_openssl_md5,
    .box = &vsec_sodium_box,
    .cipher = &vsec_openssl_cipher,
    .start = vsec_sodium_start,
    .random = vsec_sodium_random,
    .secret = &vsec_sodium_secret,
};
#endif

const struct provider providers[] = {
    { "mbedtls", &vsec_mbedtls_crypto },
#if SECBENCH_OPENSSL
    { "openssl", &openssl },
#endif
    { NULL, NULL },
};
