/* BSD-3-Clause; see LICENSE. */
/* PBKDF2 and AES of mbedTLS, for private key files. */
#include "glue_int.h"

#include <mbedtls/aes.h>
#include <mbedtls/pkcs5.h>

#include "compat_int.h"

static int pbkdf2(enum vsec_prf prf, struct v23_bytes pass,
    struct v23_bytes salt, uint32_t rounds, uint8_t *out, size_t n)
{
    mbedtls_md_type_t md = prf == VSEC_HMAC_SHA1 ? MBEDTLS_MD_SHA1
                                                 : MBEDTLS_MD_SHA256;
    int ret = mbedtls_pkcs5_pbkdf2_hmac_ext(md, pass.p, pass.n, salt.p,
        salt.n, rounds, (uint32_t)n, out);

    return ret == 0 ? 0 : V23_ECRYPTO;
}

static bool key_size_ok(struct v23_bytes key)
{
    return key.n == 16 || key.n == 24 || key.n == 32;
}

static int aes_cbc(bool encrypt, struct v23_bytes key, const uint8_t iv[16],
    uint8_t *p, size_t n)
{
    mbedtls_aes_context c;
    uint8_t block[16];
    int ret;

    if (!key_size_ok(key) || n % sizeof(block) != 0)
        return V23_EARG;
    mbedtls_aes_init(&c);
    memcpy(block, iv, sizeof(block));
    if (encrypt)
        ret = mbedtls_aes_setkey_enc(&c, key.p, (unsigned)key.n * 8);
    else
        ret = mbedtls_aes_setkey_dec(&c, key.p, (unsigned)key.n * 8);
    if (ret == 0)
        ret = mbedtls_aes_crypt_cbc(&c,
            encrypt ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT, n, block, p,
            p);
    mbedtls_aes_free(&c);
    v23_wipe(block, sizeof(block));
    return ret == 0 ? 0 : V23_ECRYPTO;
}

static int aes_ctr(struct v23_bytes key, const uint8_t iv[16], uint8_t *p,
    size_t n)
{
    mbedtls_aes_context c;
    uint8_t counter[16], stream[16];
    size_t off = 0;
    int ret;

    if (!key_size_ok(key))
        return V23_EARG;
    mbedtls_aes_init(&c);
    memcpy(counter, iv, sizeof(counter));
    ret = mbedtls_aes_setkey_enc(&c, key.p, (unsigned)key.n * 8);
    if (ret == 0)
        ret = mbedtls_aes_crypt_ctr(&c, n, &off, counter, stream, p, p);
    mbedtls_aes_free(&c);
    v23_wipe(stream, sizeof(stream));
    return ret == 0 ? 0 : V23_ECRYPTO;
}

const struct vsec_cipher_ops vsec_mbedtls_cipher = { pbkdf2, aes_cbc,
    aes_ctr };
