/* BSD-3-Clause; see LICENSE. */
/* Hashes of mbedTLS, computed in the caller's struct vsec_hash. */
#include "glue_int.h"

#include <mbedtls/md5.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "compat_int.h"

_Static_assert(sizeof(mbedtls_md5_context) <= VSEC_HASH_STATE, "MD5 state");
_Static_assert(sizeof(mbedtls_sha1_context) <= VSEC_HASH_STATE, "SHA-1 state");
_Static_assert(sizeof(mbedtls_sha256_context) <= VSEC_HASH_STATE,
    "SHA-256 state");
_Static_assert(sizeof(mbedtls_sha512_context) <= VSEC_HASH_STATE,
    "SHA-512 state");

/* 0 or V23_ECRYPTO. */
static int status(int ret)
{
    return ret == 0 ? 0 : V23_ECRYPTO;
}

static int sha256_init(void *state)
{
    mbedtls_sha256_context *c = (mbedtls_sha256_context *)state;

    mbedtls_sha256_init(c);
    return status(mbedtls_sha256_starts(c, 0));
}

static int sha256_update(void *state, const uint8_t *p, size_t n)
{
    return status(mbedtls_sha256_update((mbedtls_sha256_context *)state,
        p, n));
}

static int sha256_final(void *state, uint8_t *digest)
{
    mbedtls_sha256_context *c = (mbedtls_sha256_context *)state;
    int ret = mbedtls_sha256_finish(c, digest);

    mbedtls_sha256_free(c);
    return status(ret);
}

const struct vsec_hash_alg vsec_mbedtls_sha256 = { "SHA256", 32, sha256_init,
    sha256_update, sha256_final };

static int sha512_init(void *state)
{
    mbedtls_sha512_context *c = (mbedtls_sha512_context *)state;

    mbedtls_sha512_init(c);
    return status(mbedtls_sha512_starts(c, 0));
}

static int sha384_init(void *state)
{
    mbedtls_sha512_context *c = (mbedtls_sha512_context *)state;

    mbedtls_sha512_init(c);
    return status(mbedtls_sha512_starts(c, 1));
}

static int sha512_update(void *state, const uint8_t *p, size_t n)
{
    return status(mbedtls_sha512_update((mbedtls_sha512_context *)state,
        p, n));
}

static int sha512_final(void *state, uint8_t *digest)
{
    mbedtls_sha512_context *c = (mbedtls_sha512_context *)state;
    int ret = mbedtls_sha512_finish(c, digest);

    mbedtls_sha512_free(c);
    return status(ret);
}

/* mbedTLS 2.28 writes 64 octets for SHA-384 too. */
static int sha384_final(void *state, uint8_t *digest)
{
    uint8_t d[64];
    int rc = sha512_final(state, d);

    memcpy(digest, d, 48);
    v23_wipe(d, sizeof(d));
    return rc;
}

const struct vsec_hash_alg vsec_mbedtls_sha384 = { "SHA384", 48, sha384_init,
    sha512_update, sha384_final };
const struct vsec_hash_alg vsec_mbedtls_sha512 = { "SHA512", 64, sha512_init,
    sha512_update, sha512_final };

static int md5_init(void *state)
{
    mbedtls_md5_context *c = (mbedtls_md5_context *)state;

    mbedtls_md5_init(c);
    return status(mbedtls_md5_starts(c));
}

static int md5_update(void *state, const uint8_t *p, size_t n)
{
    return status(mbedtls_md5_update((mbedtls_md5_context *)state, p, n));
}

static int md5_final(void *state, uint8_t *digest)
{
    mbedtls_md5_context *c = (mbedtls_md5_context *)state;
    int ret = mbedtls_md5_finish(c, digest);

    mbedtls_md5_free(c);
    return status(ret);
}

const struct vsec_hash_alg vsec_mbedtls_md5 = { "MD5", 16, md5_init,
    md5_update, md5_final };

static int sha1_init(void *state)
{
    mbedtls_sha1_context *c = (mbedtls_sha1_context *)state;

    mbedtls_sha1_init(c);
    return status(mbedtls_sha1_starts(c));
}

static int sha1_update(void *state, const uint8_t *p, size_t n)
{
    return status(mbedtls_sha1_update((mbedtls_sha1_context *)state, p, n));
}

static int sha1_final(void *state, uint8_t *digest)
{
    mbedtls_sha1_context *c = (mbedtls_sha1_context *)state;
    int ret = mbedtls_sha1_finish(c, digest);

    mbedtls_sha1_free(c);
    return status(ret);
}

const struct vsec_hash_alg vsec_mbedtls_sha1 = { "SHA1", 20, sha1_init,
    sha1_update, sha1_final };
