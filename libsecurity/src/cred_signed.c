/* BSD-3-Clause; see LICENSE. */
/* Signed files of programs, kept like those of credentials directories. */
#include "cred_int.h"

#include <stdio.h>

enum { NAME = 64 };

static int open_pair(const struct vsec_signed_files *f,
    struct vsec_cred_pair_ *p, char lock[NAME], char *why)
{
    struct vsec_principal *of = f->principal;
    int rc;

    memset(p, 0, sizeof(*p));
    p->fd = -1;
    if (strlen(f->base) > 48)
        return vsec_cred_why_(why, V23_EARG, "%.256s: too long", f->base);
    snprintf(lock, NAME, "%s.lock", f->base);
    rc = vsec_cred_pair_init_(
        p, f->dir, f->base, lock, of->signer, of->key, false);
    return rc == 0 ? 0 : vsec_cred_pair_why_(p, rc, why);
}

/* Why nothing can be read: a state with one file missing is not no state. */
static int missing(const struct vsec_signed_files *f, char *why)
{
    if (!vsec_cred_exists_(f->dir, f->base, "data") &&
        !vsec_cred_exists_(f->dir, f->base, "sig"))
        return vsec_cred_why_(why, V23_ENOENT, "%.256s/%s.data: no such file",
            f->dir, f->base);
    return vsec_cred_why_(why, V23_ETAMPERED,
        "%.256s/%s.data and .sig: one of the two is missing", f->dir, f->base);
}

static int read_verified(
    struct vsec_cred_pair_ *p, struct v23_buf *out, char *why)
{
    struct v23_buf data;
    int rc;

    v23_buf_init(&data, p->key->engine->al, VSEC_CRED_FILE_MAX);
    rc = vsec_cred_pair_get_(p, &data, why);
    if (rc == 0) {
        v23_buf_put(out, data.p, data.n);
        rc = out->err;
    }
    v23_buf_fini(&data);
    return rc;
}

int vsec_signed_files_read(const struct vsec_signed_files *f,
    struct v23_buf *out, char why[VSEC_CRED_WHY])
{
    struct vsec_cred_pair_ p;
    char lock[NAME];
    int rc;

    why[0] = 0;
    rc = open_pair(f, &p, lock, why);
    if (rc == 0 && missing(f, why) == V23_ENOENT)
        rc = V23_ENOENT; /* perhaps there is not even the folder */
    if (rc == 0) {
        why[0] = 0;
        rc = vsec_cred_pair_lock_(&p, false, why);
        if (rc == 0)
            rc = read_verified(&p, out, why);
        if (rc == V23_ENOENT)
            rc = missing(f, why);
    }
    vsec_cred_pair_fini_(&p);
    return vsec_cred_reason_(rc, why);
}

int vsec_signed_files_write(const struct vsec_signed_files *f,
    struct v23_bytes data, char why[VSEC_CRED_WHY])
{
    struct vsec_cred_pair_ p;
    char lock[NAME];
    int rc;

    why[0] = 0;
    rc = open_pair(f, &p, lock, why);
    if (rc == 0)
        rc = vsec_cred_mkdir_(f->dir, why);
    if (rc == 0)
        rc = vsec_cred_pair_lock_(&p, true, why);
    if (rc == 0)
        rc = vsec_cred_pair_put_(&p, data, why);
    vsec_cred_pair_fini_(&p);
    return vsec_cred_reason_(rc, why);
}
