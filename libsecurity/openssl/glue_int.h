/* BSD-3-Clause; see LICENSE. */
/** What the sources of the OpenSSL provider share. */
#ifndef VSEC_OPENSSL_GLUE_H
#define VSEC_OPENSSL_GLUE_H

#include <openssl/bn.h>
#include <openssl/evp.h>

#include <vsec/openssl.h>

/*
 * Status of a failed OpenSSL call: V23_ENOMEM when it ran out of memory, else
 * `otherwise`. Forgets what OpenSSL noted about it.
 */
int vsec_openssl_error_(int otherwise);
/*
 * Key of OpenSSL's parameters.
 * @param type  "EC", "RSA"
 * @param what  EVP_PKEY_PUBLIC_KEY, EVP_PKEY_KEYPAIR, EVP_PKEY_KEY_PARAMETERS
 * @return 0, V23_EKEY, V23_ENOMEM, V23_ECRYPTO
 */
int vsec_openssl_key_(const char *type, int what, OSSL_PARAM *params,
    EVP_PKEY **out);
/* The pub_free and priv_free of algorithms whose keys are EVP_PKEYs. */
void vsec_openssl_free_(struct vsec_engine *e, void *pkey);
/* Append an unsigned number in exactly `len` octets (0: as many as it needs);
 * *out views it. V23_ENOSPC, V23_ECRYPTO. */
int vsec_openssl_put_bn_(struct v23_buf *mem, const BIGNUM *x, size_t len,
    struct v23_bytes *out);

#endif
