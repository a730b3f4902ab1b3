/* BSD-3-Clause; see LICENSE. */
/* Checks peers whose keys are of Ed25519. */
#include <vsec/mbedtls.h>
#include <vsec/sodium.h>

#include "board.h"
#include "verify.h"

static const struct vsec_alg *const algs[] = {
    &vsec_sodium_ed25519_verify, NULL};
static const struct vsec_crypto crypto = {
    .algs = algs,
    .sha256 = &vsec_mbedtls_sha256,
    .sha384 = &vsec_mbedtls_sha384,
    .sha512 = &vsec_mbedtls_sha512,
    .start = vsec_sodium_start,
};

int program(void)
{
    return verify(&crypto, &verify_ed25519);
}
