/* BSD-3-Clause; see LICENSE. */
/**
 * The versions of mbedTLS. The sources are written for 3.x; what 2.28 names or
 * does otherwise is put right here. Included behind mbedTLS's own headers.
 */
#ifndef VSEC_MBEDTLS_COMPAT_H
#define VSEC_MBEDTLS_COMPAT_H

#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000

#include <mbedtls/private_access.h>

#else

#define MBEDTLS_PRIVATE(member) member

/* Hashes: functions of the plain names return nothing. */
#define mbedtls_md5_starts mbedtls_md5_starts_ret
#define mbedtls_md5_update mbedtls_md5_update_ret
#define mbedtls_md5_finish mbedtls_md5_finish_ret
#define mbedtls_sha1_starts mbedtls_sha1_starts_ret
#define mbedtls_sha1_update mbedtls_sha1_update_ret
#define mbedtls_sha1_finish mbedtls_sha1_finish_ret
#define mbedtls_sha256_starts mbedtls_sha256_starts_ret
#define mbedtls_sha256_update mbedtls_sha256_update_ret
#define mbedtls_sha256_finish mbedtls_sha256_finish_ret
#define mbedtls_sha512_starts mbedtls_sha512_starts_ret
#define mbedtls_sha512_update mbedtls_sha512_update_ret
#define mbedtls_sha512_finish mbedtls_sha512_finish_ret

/* RSA: the padding and which half of the key are named with each call. */
#define mbedtls_rsa_init(c) mbedtls_rsa_init(c, MBEDTLS_RSA_PKCS_V15, 0)
#define mbedtls_rsa_pkcs1_verify(c, md, n, digest, sig) \
    mbedtls_rsa_pkcs1_verify(c, NULL, NULL, MBEDTLS_RSA_PUBLIC, md, n, \
        digest, sig)
#define mbedtls_rsa_pkcs1_sign(c, rng, arg, md, n, digest, sig) \
    mbedtls_rsa_pkcs1_sign(c, rng, arg, MBEDTLS_RSA_PRIVATE, md, n, digest, \
        sig)

#endif

/* PBKDF2 by the hash's number came with 3.3. */
#if MBEDTLS_VERSION_NUMBER < 0x03030000 && defined(MBEDTLS_PKCS5_H)
static inline int mbedtls_pkcs5_pbkdf2_hmac_ext(mbedtls_md_type_t md,
    const unsigned char *pass, size_t npass, const unsigned char *salt,
    size_t nsalt, unsigned rounds, uint32_t n, unsigned char *out)
{
    mbedtls_md_context_t c;
    int ret;

    mbedtls_md_init(&c);
    ret = mbedtls_md_setup(&c, mbedtls_md_info_from_type(md), 1);
    if (ret == 0)
        ret = mbedtls_pkcs5_pbkdf2_hmac(&c, pass, npass, salt, nsalt, rounds,
            n, out);
    mbedtls_md_free(&c);
    return ret;
}
#endif

#endif
