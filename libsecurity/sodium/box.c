/* BSD-3-Clause; see LICENSE. */
/* NaCl's box, from libsodium. */
#include <vsec/sodium.h>

#include <sodium.h>

_Static_assert(crypto_box_BEFORENMBYTES == VSEC_BOX_KEY, "shared key");
_Static_assert(crypto_box_SECRETKEYBYTES == VSEC_BOX_KEY, "secret key");
_Static_assert(crypto_box_NONCEBYTES == VSEC_BOX_NONCE, "nonce");
_Static_assert(crypto_box_MACBYTES == VSEC_BOX_TAG, "tag");

static int public_key(const uint8_t secret[32], uint8_t pub[32])
{
    return crypto_scalarmult_base(pub, secret) == 0 ? 0 : V23_ECRYPTO;
}

static int shared_key(const uint8_t secret[32], const uint8_t peer[32],
    uint8_t shared[32])
{
    if (crypto_box_beforenm(shared, peer, secret) == 0)
        return 0;
    v23_wipe(shared, VSEC_BOX_KEY);
    return V23_EKEY;
}

static void seal(const uint8_t shared[32], const uint8_t nonce[24],
    uint8_t *buf, size_t n)
{
    uint8_t tag[VSEC_BOX_TAG];

    crypto_box_detached_afternm(buf + VSEC_BOX_TAG, tag, buf + VSEC_BOX_TAG,
        n, nonce, shared);
    memcpy(buf, tag, sizeof(tag));
}

static int open(const uint8_t shared[32], const uint8_t nonce[24],
    uint8_t *buf, size_t n)
{
    uint8_t tag[VSEC_BOX_TAG];

    memcpy(tag, buf, sizeof(tag));
    return crypto_box_open_detached_afternm(buf + VSEC_BOX_TAG,
               buf + VSEC_BOX_TAG, tag, n, nonce, shared)
            == 0
        ? 0
        : V23_EBOX;
}

const struct vsec_box_ops vsec_sodium_box = { public_key, shared_key, seal,
    open };
