/* BSD-3-Clause; see LICENSE. */
/* PBKDF2 and AES of OpenSSL, for private key files. */
#include "glue_int.h"

#include <limits.h>

static int pbkdf2(enum vsec_prf prf, struct v23_bytes pass,
    struct v23_bytes salt, uint32_t rounds, uint8_t *out, size_t n)
{
    const EVP_MD *md = prf == VSEC_HMAC_SHA1 ? EVP_sha1() : EVP_sha256();

    if (pass.n > INT_MAX || salt.n > INT_MAX || rounds > INT_MAX
        || n > INT_MAX)
        return V23_ECRYPTO;
    if (PKCS5_PBKDF2_HMAC((const char *)pass.p, (int)pass.n, salt.p,
            (int)salt.n, (int)rounds, md, (int)n, out)
        != 1)
        return vsec_openssl_error_(V23_ECRYPTO);
    return 0;
}

/* The cipher of this key size; NULL: no such size. */
static const EVP_CIPHER *aes(bool ctr, size_t key)
{
    switch (key) {
    case 16:
        return ctr ? EVP_aes_128_ctr() : EVP_aes_128_cbc();
    case 24:
        return ctr ? EVP_aes_192_ctr() : EVP_aes_192_cbc();
    case 32:
        return ctr ? EVP_aes_256_ctr() : EVP_aes_256_cbc();
    default:
        return NULL;
    }
}

/* The octets in place; whole blocks only, or a stream. */
static int crypt(const EVP_CIPHER *cipher, bool encrypt, struct v23_bytes key,
    const uint8_t iv[16], uint8_t *p, size_t n)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int len = 0, rc = 0;

    if (c == NULL || EVP_CipherInit_ex(c, cipher, NULL, key.p, iv, encrypt) != 1
        || EVP_CIPHER_CTX_set_padding(c, 0) != 1
        || EVP_CipherUpdate(c, p, &len, p, (int)n) != 1 || len != (int)n)
        rc = vsec_openssl_error_(V23_ECRYPTO);
    EVP_CIPHER_CTX_free(c); /* wipes */
    return rc;
}

static int aes_cbc(bool encrypt, struct v23_bytes key, const uint8_t iv[16],
    uint8_t *p, size_t n)
{
    const EVP_CIPHER *cipher = aes(false, key.n);

    if (cipher == NULL || n % 16 != 0 || n > INT_MAX)
        return V23_EARG;
    return crypt(cipher, encrypt, key, iv, p, n);
}

static int aes_ctr(struct v23_bytes key, const uint8_t iv[16], uint8_t *p,
    size_t n)
{
    const EVP_CIPHER *cipher = aes(true, key.n);

    if (cipher == NULL || n > INT_MAX)
        return V23_EARG;
    return crypt(cipher, true, key, iv, p, n);
}

const struct vsec_cipher_ops vsec_openssl_cipher = { pbkdf2, aes_cbc,
    aes_ctr };
