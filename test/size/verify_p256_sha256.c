/* BSD-3-Clause; see LICENSE. */
/* Checks peers whose keys are of P-256 and who know no other hash. */
#include <vsec/mbedtls.h>

#include "board.h"
#include "verify.h"

static const struct vsec_alg *const algs[] = {&vsec_mbedtls_p256_verify, NULL};
static const struct vsec_crypto crypto = {
    .algs = algs,
    .sha256 = &vsec_mbedtls_sha256,
};

int program(void)
{
    return verify(&crypto, &verify_p256);
}
