/* BSD-3-Clause; see LICENSE. */
/** What the sources of the mbedTLS provider share: errors, random, numbers. */
#ifndef VSEC_MBEDTLS_GLUE_H
#define VSEC_MBEDTLS_GLUE_H

#include <mbedtls/bignum.h>
#include <mbedtls/md.h>

#include <vsec/mbedtls.h>

/* Status of an mbedTLS result that is neither success nor a bad signature:
 * V23_ENOMEM or V23_ECRYPTO. */
int vsec_mbedtls_error_(int ret);
/* Random function for mbedTLS; `engine` is the struct vsec_engine. */
int vsec_mbedtls_rng_(void *engine, unsigned char *p, size_t n);
/* mbedTLS's number of a hash; MBEDTLS_MD_NONE when unknown. */
mbedtls_md_type_t vsec_mbedtls_md_(const struct vsec_hash_alg *h);
/* Append an unsigned number in exactly `len` octets (0: as many as it needs);
 * *out views it. V23_ENOSPC, V23_ECRYPTO. */
int vsec_mbedtls_put_mpi_(struct v23_buf *mem, const mbedtls_mpi *x,
    size_t len, struct v23_bytes *out);

#endif
