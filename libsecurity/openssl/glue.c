/* BSD-3-Clause; see LICENSE. */
/* Small things that the algorithms of this provider share. */
#include "glue_int.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/rand.h>

int vsec_openssl_error_(int otherwise)
{
    unsigned long err;
    bool memory = false;

    while ((err = ERR_get_error()) != 0)
        memory = memory || ERR_GET_REASON(err) == ERR_R_MALLOC_FAILURE;
    return memory ? V23_ENOMEM : otherwise;
}

int vsec_openssl_key_(const char *type, int what, OSSL_PARAM *params,
    EVP_PKEY **out)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *k = NULL;
    int rc = 0;

    if (c == NULL || EVP_PKEY_fromdata_init(c) <= 0)
        rc = vsec_openssl_error_(V23_ECRYPTO);
    else if (EVP_PKEY_fromdata(c, &k, what, params) <= 0)
        rc = vsec_openssl_error_(V23_EKEY);
    else
        *out = k;
    EVP_PKEY_CTX_free(c);
    return rc;
}

void vsec_openssl_free_(struct vsec_engine *e, void *pkey)
{
    (void)e;
    EVP_PKEY_free((EVP_PKEY *)pkey); /* wipes private numbers */
}

int vsec_openssl_put_bn_(struct v23_buf *mem, const BIGNUM *x, size_t len,
    struct v23_bytes *out)
{
    if (len == 0)
        len = (size_t)BN_num_bytes(x);
    if (mem->cap - mem->n < len)
        return V23_ENOSPC;
    if (BN_bn2binpad(x, mem->p + mem->n, (int)len) < 0)
        return vsec_openssl_error_(V23_ECRYPTO);
    *out = v23_bytes(mem->p + mem->n, len);
    mem->n += len;
    return 0;
}

int vsec_openssl_random(void *ud, uint8_t *p, size_t n)
{
    size_t step;

    (void)ud;
    for (; n > 0; n -= step, p += step) {
        step = n < INT_MAX ? n : INT_MAX;
        if (RAND_bytes(p, (int)step) != 1)
            return vsec_openssl_error_(V23_ECRYPTO);
    }
    return 0;
}
