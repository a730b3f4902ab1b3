/* BSD-3-Clause; see LICENSE. */
/* Small things that the algorithms of this provider share. */
#include "glue_int.h"

int vsec_mbedtls_error_(int ret)
{
    return ret == MBEDTLS_ERR_MPI_ALLOC_FAILED ? V23_ENOMEM : V23_ECRYPTO;
}

int vsec_mbedtls_rng_(void *engine, unsigned char *p, size_t n)
{
    struct vsec_engine *e = (struct vsec_engine *)engine;

    /* Any error stops mbedTLS; which one does not matter. */
    if (e->random.fill(e->random.ud, p, n) == 0)
        return 0;
    return MBEDTLS_ERR_MPI_BAD_INPUT_DATA;
}

mbedtls_md_type_t vsec_mbedtls_md_(const struct vsec_hash_alg *h)
{
    if (strcmp(h->name, "SHA256") == 0)
        return MBEDTLS_MD_SHA256;
    if (strcmp(h->name, "SHA384") == 0)
        return MBEDTLS_MD_SHA384;
    if (strcmp(h->name, "SHA512") == 0)
        return MBEDTLS_MD_SHA512;
    return MBEDTLS_MD_NONE;
}

int vsec_mbedtls_put_mpi_(struct v23_buf *mem, const mbedtls_mpi *x,
    size_t len, struct v23_bytes *out)
{
    if (len == 0)
        len = mbedtls_mpi_size(x);
    if (mem->cap - mem->n < len)
        return V23_ENOSPC;
    if (mbedtls_mpi_write_binary(x, mem->p + mem->n, len) != 0)
        return V23_ECRYPTO;
    *out = v23_bytes(mem->p + mem->n, len);
    mem->n += len;
    return 0;
}
