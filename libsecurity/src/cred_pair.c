/* BSD-3-Clause; see LICENSE. */
/*
 * Pairs of a data file and its signature stream.
 *
 * Writing: both new files are complete on disk before the first of two renames.
 * A crash between the renames leaves new data beside the old signature, and
 * the new signature under its temporary name; reading finds that and accepts
 * it, because it verifies like any other. Whoever holds the exclusive lock then
 * does the second rename, before anything else: other implementations look at
 * the two files only, and the next writer needs the temporary name.
 */
#include "cred_int.h"

#include <stdio.h>

#include <vom/dec.h>
#include <vom/enc.h>

int vsec_cred_pair_init_(struct vsec_cred_pair_ *p, const char *dir,
    const char *base, const char *lock, struct vsec_signer *signer,
    struct vsec_pubkey *key, bool readonly_fs)
{
    size_t n = strlen(dir) + 1;

    memset(p, 0, sizeof(*p));
    p->fd = -1;
    p->dir = v23_get(key->engine->al, n);
    if (p->dir == NULL)
        return V23_ENOMEM;
    memcpy(p->dir, dir, n);
    p->base = base;
    p->lock = lock;
    p->signer = signer == NULL ? NULL : vsec_signer_ref(signer);
    p->key = vsec_pubkey_ref(key);
    p->readonly_fs = readonly_fs;
    return 0;
}

void vsec_cred_pair_fini_(struct vsec_cred_pair_ *p)
{
    if (p->key == NULL)
        return;
    vsec_cred_pair_unlock_(p);
    v23_put(p->key->engine->al, p->dir);
    vsec_signer_unref(p->signer);
    vsec_pubkey_unref(p->key);
}

int vsec_cred_pair_lock_(struct vsec_cred_pair_ *p, bool writable, char *why)
{
    enum vsec_cred_lock_kind_ kind = VSEC_CRED_SHARED_;

    if (writable)
        kind = VSEC_CRED_EXCLUSIVE_;
    else if (p->readonly_fs)
        kind = VSEC_CRED_NO_LOCK_;
    p->exclusive = writable;
    return vsec_cred_lock_(p->dir, p->lock, kind, &p->fd, why);
}

void vsec_cred_pair_unlock_(struct vsec_cred_pair_ *p)
{
    vsec_cred_unlock_(&p->fd);
}

int vsec_cred_pair_why_(const struct vsec_cred_pair_ *p, int rc, char *why)
{
    return vsec_cred_why_(why, rc, "%.256s/%s: %s", p->dir, p->base,
        v23_strerror(rc));
}

/* "base.ext" */
static const char *name_of(const struct vsec_cred_pair_ *p, const char *ext,
    char name[64])
{
    snprintf(name, 64, "%s.%s", p->base, ext);
    return name;
}

static int read_one(const struct vsec_cred_pair_ *p, const char *ext,
    struct v23_buf *out, char *why)
{
    char name[64], path[VSEC_CRED_PATH];
    int rc = vsec_cred_path_(path, p->dir, name_of(p, ext, name), why);

    return rc != 0 ? rc : vsec_cred_read_(path, out, why);
}

/* The signature does not fit the data, or is not there. */
static bool is_unsigned(int rc)
{
    return rc == V23_ESIG || rc == V23_ETAMPERED || rc == V23_ENOENT;
}

/* Is there a signature that a crash left under its temporary name? Else rc. */
static int verify_left_over(const struct vsec_cred_pair_ *p,
    struct v23_bytes data, int rc, char *why)
{
    char unused[VSEC_CRED_WHY], name[64];
    struct v23_buf sig;

    v23_buf_init(&sig, p->key->engine->al, VSEC_CRED_FILE_MAX);
    if (read_one(p, "sig.new", &sig, unused) == 0
        && vsec_stream_verify(p->key, data, v23_bytes(sig.p, sig.n)) == 0) {
        rc = 0;
        if (p->exclusive) {
            rc = vsec_cred_commit_(p->dir, name_of(p, "sig", name), why);
            vsec_cred_sync_dir_(p->dir);
        }
    }
    v23_buf_fini(&sig);
    return rc;
}

static int read_once(const struct vsec_cred_pair_ *p, struct v23_buf *data,
    char *why)
{
    struct v23_bytes payload;
    struct v23_buf sig;
    int rc = read_one(p, "data", data, why);

    if (rc != 0)
        return rc;
    v23_buf_init(&sig, p->key->engine->al, VSEC_CRED_FILE_MAX);
    payload = v23_bytes(data->p, data->n);
    rc = read_one(p, "sig", &sig, why);
    if (rc == 0) {
        rc = vsec_stream_verify(p->key, payload, v23_bytes(sig.p, sig.n));
        if (rc != 0)
            vsec_cred_pair_why_(p, rc, why);
    }
    if (is_unsigned(rc))
        rc = verify_left_over(p, payload, rc, why);
    v23_buf_fini(&sig);
    return rc;
}

int vsec_cred_pair_get_(const struct vsec_cred_pair_ *p, struct v23_buf *data,
    char *why)
{
    int rc, tries = p->readonly_fs && !p->exclusive ? 3 : 1;

    /* Without a lock the files may be of before and after a change. */
    do {
        v23_buf_cut(data, 0);
        rc = read_once(p, data, why);
    } while (is_unsigned(rc) && --tries > 0);
    return rc;
}

int vsec_cred_pair_read_(struct vsec_cred_pair_ *p, const struct vdl_type *t,
    struct v23_arena *arena, void *state, char *why)
{
    struct v23_buf data;
    int rc;

    memset(state, 0, t->size);
    v23_buf_init(&data, p->key->engine->al, VSEC_CRED_FILE_MAX);
    rc = vsec_cred_pair_get_(p, &data, why);
    if (rc == V23_ENOENT) {
        rc = 0;
    } else if (rc == 0) {
        rc = vom_decode_single(data.p, data.n, NULL, arena, t, state, NULL);
        if (rc != 0)
            vsec_cred_pair_why_(p, rc, why);
    }
    v23_buf_fini(&data);
    return rc;
}

/* ---- writing ------------------------------------------------------------- */

/* Put two complete new files into the place of the old ones. */
static int commit(const struct vsec_cred_pair_ *p, const char *data,
    const char *sig, char *why)
{
    char unused[VSEC_CRED_WHY];
    int rc = vsec_cred_commit_(p->dir, data, why);

    if (rc != 0)
        return rc;
    vsec_cred_sync_dir_(p->dir); /* in this order also after a power cut */
    /* From here on the new state is what everybody reads: a failure is like a
     * crash at this point, which the next change makes good. */
    if (vsec_cred_commit_(p->dir, sig, unused) == 0)
        vsec_cred_sync_dir_(p->dir);
    return 0;
}

int vsec_cred_pair_put_(struct vsec_cred_pair_ *p, struct v23_bytes data,
    char *why)
{
    char data_name[64], sig_name[64];
    struct v23_buf sig;
    int rc;

    name_of(p, "data", data_name);
    name_of(p, "sig", sig_name);
    if (p->signer == NULL)
        return vsec_cred_why_(why, V23_ENOSYS,
            "%.256s: the private key is not available", p->dir);
    v23_buf_init(&sig, p->key->engine->al, VSEC_CRED_FILE_MAX);
    rc = vsec_stream_sign(p->signer, data, VSEC_STREAM_CHUNK, &sig);
    if (rc != 0)
        vsec_cred_why_(why, rc, "signing %.256s/%s: %s", p->dir, p->base,
            v23_strerror(rc));
    if (rc == 0)
        rc = vsec_cred_write_temp_(p->dir, data_name, data, 0666, why);
    if (rc == 0) {
        rc = vsec_cred_write_temp_(p->dir, sig_name,
            v23_bytes(sig.p, sig.n), 0666, why);
        if (rc == 0)
            rc = commit(p, data_name, sig_name, why);
        else
            vsec_cred_remove_(p->dir, data_name, "new");
    }
    v23_buf_fini(&sig);
    return rc;
}

int vsec_cred_pair_write_(struct vsec_cred_pair_ *p, const struct vdl_type *t,
    const void *state, char *why)
{
    const struct v23_alloc *al = p->key->engine->al;
    struct v23_buf data;
    int rc;

    v23_buf_init(&data, al, VSEC_CRED_FILE_MAX);
    rc = vom_encode_single(al, t, state, &data);
    if (rc != 0)
        vsec_cred_why_(why, rc, "%s: %s", p->base, v23_strerror(rc));
    else
        rc = vsec_cred_pair_put_(p, v23_bytes(data.p, data.n), why);
    v23_buf_fini(&data);
    return rc;
}
