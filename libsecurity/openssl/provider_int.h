/* BSD-3-Clause; see LICENSE. */
/** The full list of this provider, for its two names. */
#ifndef VSEC_OPENSSL_PROVIDER_H
#define VSEC_OPENSSL_PROVIDER_H

#include <vsec/openssl.h>

static const struct vsec_alg *const algs[] = { &vsec_openssl_p256,
    &vsec_sodium_ed25519, &vsec_openssl_p384, &vsec_openssl_p521,
    &vsec_openssl_p224, &vsec_openssl_rsa, NULL };

#define EVERYTHING \
    { algs, &vsec_openssl_sha256, &vsec_openssl_sha384, \
        &vsec_openssl_sha512, &vsec_openssl_md5, &vsec_openssl_sha1, \
        &vsec_sodium_box, &vsec_openssl_cipher, vsec_openssl_start, \
        vsec_openssl_random, &vsec_sodium_secret }

#endif
