/* BSD-3-Clause; see LICENSE. */
/* The system's random source, and the start of libsodium. */
#include <vsec/sodium.h>

#include <sodium.h>

int vsec_sodium_start(void)
{
    /* 1: was started before. It picks the code for this processor. */
    return sodium_init() < 0 ? V23_ECRYPTO : 0;
}

int vsec_sodium_random(void *ud, uint8_t *p, size_t n)
{
    (void)ud;
    randombytes_buf(p, n); /* ends the process when the system has none */
    return 0;
}
