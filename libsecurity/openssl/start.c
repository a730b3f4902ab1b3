/* BSD-3-Clause; see LICENSE. */
/*
 * The place of private keys: OpenSSL's secure heap, pages that are locked, left
 * out of core dumps and fenced. OpenSSL has one per process; a program that
 * made it before keeps its own.
 */
#include "glue_int.h"

#include <openssl/crypto.h>

enum {
    HEAP = 1 << 19,    /* octets: 250 keys of RSA-4096, or 8,000 of P-256 */
    HEAP_SMALLEST = 32 /* octets of its smallest piece */
};

int vsec_openssl_start(void)
{
    int rc = vsec_sodium_start();

    if (rc != 0)
        return rc;
    /* 2: the system lets us lock no pages. The rest holds nevertheless. */
    if (CRYPTO_secure_malloc_initialized()
        || CRYPTO_secure_malloc_init(HEAP, HEAP_SMALLEST) != 0)
        return 0;
    return vsec_openssl_error_(V23_ECRYPTO);
}
