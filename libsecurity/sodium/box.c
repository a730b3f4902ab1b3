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

/* ---- small boxes --------------------------------------------------------- */

/*
 * Most messages of calls are small, and for those libsodium's boxes take two or
 * three short passes of the stream cipher, where its vector code wants whole
 * ones. So they are put together here as NaCl defines them: the first 32 octets
 * of the stream are the key of the authenticator, the rest is added to the
 * text.
 */
#define BLOCK 64u
#if defined(__x86_64__) || defined(__i386__)
#define PASS 256u
#else
#define PASS BLOCK
#endif
#define STREAM 512u
#define KEY ((size_t)crypto_onetimeauth_KEYBYTES)
#define SMALL (STREAM - KEY)

_Static_assert(crypto_onetimeauth_BYTES == VSEC_BOX_TAG, "tag");
_Static_assert(crypto_stream_xsalsa20_NONCEBYTES == VSEC_BOX_NONCE, "nonce");

static void make_stream(uint8_t out[STREAM], const uint8_t shared[32],
    const uint8_t nonce[24], size_t n)
{
    size_t need = KEY + n;

    need = need <= BLOCK ? BLOCK : (need + PASS - 1) / PASS * PASS;
    (void)crypto_stream_xsalsa20(out, need, nonce, shared);
}

static void add_stream(uint8_t *p, const uint8_t *stream, size_t n)
{
    uint64_t a, b;

    for (; n >= sizeof(a); n -= sizeof(a)) {
        memcpy(&a, p, sizeof(a));
        memcpy(&b, stream, sizeof(b));
        a ^= b;
        memcpy(p, &a, sizeof(a));
        p += sizeof(a);
        stream += sizeof(b);
    }
    while (n-- > 0)
        *p++ ^= *stream++;
}

static void seal_small(const uint8_t shared[32], const uint8_t nonce[24],
    uint8_t *buf, size_t n)
{
    uint8_t stream[STREAM];

    make_stream(stream, shared, nonce, n);
    add_stream(buf + VSEC_BOX_TAG, stream + KEY, n);
    (void)crypto_onetimeauth(buf, buf + VSEC_BOX_TAG, n, stream);
    sodium_memzero(stream, sizeof(stream));
}

static int open_small(const uint8_t shared[32], const uint8_t nonce[24],
    uint8_t *buf, size_t n)
{
    uint8_t stream[STREAM];
    int rc = V23_EBOX;

    make_stream(stream, shared, nonce, n);
    if (crypto_onetimeauth_verify(buf, buf + VSEC_BOX_TAG, n, stream) == 0) {
        add_stream(buf + VSEC_BOX_TAG, stream + KEY, n);
        rc = 0;
    }
    sodium_memzero(stream, sizeof(stream));
    return rc;
}

/* ---- boxes --------------------------------------------------------------- */

static void seal(const uint8_t shared[32], const uint8_t nonce[24],
    uint8_t *buf, size_t n)
{
    uint8_t tag[VSEC_BOX_TAG];

    if (n <= SMALL) {
        seal_small(shared, nonce, buf, n);
        return;
    }
    crypto_box_detached_afternm(buf + VSEC_BOX_TAG, tag, buf + VSEC_BOX_TAG,
        n, nonce, shared);
    memcpy(buf, tag, sizeof(tag));
}

static int open(const uint8_t shared[32], const uint8_t nonce[24],
    uint8_t *buf, size_t n)
{
    uint8_t tag[VSEC_BOX_TAG];

    if (n <= SMALL)
        return open_small(shared, nonce, buf, n);
    memcpy(tag, buf, sizeof(tag));
    return crypto_box_open_detached_afternm(buf + VSEC_BOX_TAG,
               buf + VSEC_BOX_TAG, tag, n, nonce, shared)
            == 0
        ? 0
        : V23_EBOX;
}

const struct vsec_box_ops vsec_sodium_box = { public_key, shared_key, seal,
    open };
