/* BSD-3-Clause; see LICENSE. */
/**
 * A box that hides nothing and opens everything, for tests that write or change
 * what a peer says. Public keys are the secret ones.
 */
#ifndef CLEAR_BOX_H
#define CLEAR_BOX_H

#include <string.h>

#include <vsec/crypto.h>

static inline int clear_public(const uint8_t secret[32], uint8_t pub[32])
{
    memcpy(pub, secret, 32);
    return 0;
}

static inline int clear_shared(const uint8_t secret[32],
    const uint8_t peer[32], uint8_t shared[32])
{
    int i;

    for (i = 0; i < 32; i++)
        shared[i] = (uint8_t)(secret[i] ^ peer[i]);
    return 0;
}

static inline void clear_seal(const uint8_t shared[32],
    const uint8_t nonce[24], uint8_t *buf, size_t n)
{
    (void)shared;
    (void)nonce;
    (void)n;
    memset(buf, 0, VSEC_BOX_TAG);
}

static inline int clear_open(const uint8_t shared[32],
    const uint8_t nonce[24], uint8_t *buf, size_t n)
{
    (void)shared;
    (void)nonce;
    (void)buf;
    (void)n;
    return 0;
}

static const struct vsec_box_ops clear_box = { clear_public, clear_shared,
    clear_seal, clear_open };

#endif
