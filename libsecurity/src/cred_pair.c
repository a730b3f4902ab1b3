/* BSD-3-Clause; see LICENSE. */
/*
 * Pairs of a data file and its signature stream.
 *
 * Writing: both new files are complete on disk before the first of two renames.
 * A crash between the renames leaves new data beside the old signature, and
 * the new signature under its temporary name; reading finds that and accepts
 * it, because it verifies like any other.
 */
#include "cred_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

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

static int path_of(const struct vsec_cred_pair_ *p, const char *ext,
    char path[VSEC_CRED_PATH], char *why)
{
    char name[64];

    snprintf(name, sizeof(name), "%s.%s", p->base, ext);
    return vsec_cred_path_(path, p->dir, name, why);
}

static int read_one(const struct vsec_cred_pair_ *p, const char *ext,
    struct v23_buf *out, char *why)
{
    char path[VSEC_CRED_PATH];
    int rc = path_of(p, ext, path, why);

    return rc != 0 ? rc : vsec_cred_read_(path, out, why);
}

/* The signature does not fit the data, or is not there. */
static bool is_unsigned(int rc)
{
    return rc == V23_ESIG || rc == V23_ETAMPERED || rc == V23_ENOENT;
}

/* The signature that a crash left under its temporary name; else rc. */
static int verify_left_over(const struct vsec_cred_pair_ *p,
    struct v23_bytes data, int rc)
{
    char why[VSEC_CRED_WHY];
    struct v23_buf sig;

    v23_buf_init(&sig, p->key->engine->al, VSEC_CRED_FILE_MAX);
    if (read_one(p, "sig.new", &sig, why) == 0
        && vsec_stream_verify(p->key, data, v23_bytes(sig.p, sig.n)) == 0)
        rc = 0;
    v23_buf_fini(&sig);
    return rc;
}

static int read_signed(const struct vsec_cred_pair_ *p, struct v23_buf *data,
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
    if (rc == 0)
        rc = vsec_stream_verify(p->key, payload, v23_bytes(sig.p, sig.n));
    if (is_unsigned(rc))
        rc = verify_left_over(p, payload, rc);
    if (rc != 0)
        vsec_cred_pair_why_(p, rc, why);
    v23_buf_fini(&sig);
    return rc;
}

int vsec_cred_pair_read_(struct vsec_cred_pair_ *p, const struct vdl_type *t,
    struct v23_arena *arena, void *state, char *why)
{
    struct v23_buf data;
    int rc;

    memset(state, 0, t->size);
    v23_buf_init(&data, p->key->engine->al, VSEC_CRED_FILE_MAX);
    rc = read_signed(p, &data, why);
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

static int write_temporary(const struct vsec_cred_pair_ *p, const char *ext,
    struct v23_bytes data, char *why)
{
    char path[VSEC_CRED_PATH];
    int rc = path_of(p, ext, path, why);

    if (rc != 0)
        return rc;
    /* Left by a crash; the lock is held. */
    if (unlink(path) != 0 && errno != ENOENT)
        return vsec_cred_sys_(why, "remove", path);
    return vsec_cred_write_new_(path, data, 0666, why);
}

static int replace(const struct vsec_cred_pair_ *p, const char *from,
    const char *to, char *why)
{
    char a[VSEC_CRED_PATH], b[VSEC_CRED_PATH];
    int rc = path_of(p, from, a, why);

    if (rc == 0)
        rc = path_of(p, to, b, why);
    if (rc == 0 && rename(a, b) != 0)
        rc = vsec_cred_sys_(why, "rename", a);
    return rc;
}

/* Make the renames durable; some file systems cannot. */
static void sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static int write_signed(struct vsec_cred_pair_ *p, struct v23_bytes data,
    char *why)
{
    struct v23_buf sig;
    int rc;

    if (p->signer == NULL)
        return vsec_cred_why_(why, V23_ENOSYS,
            "%.256s: the private key is not available", p->dir);
    v23_buf_init(&sig, p->key->engine->al, VSEC_CRED_FILE_MAX);
    rc = vsec_stream_sign(p->signer, data, VSEC_STREAM_CHUNK, &sig);
    if (rc != 0)
        vsec_cred_why_(why, rc, "signing %.256s/%s: %s", p->dir, p->base,
            v23_strerror(rc));
    if (rc == 0)
        rc = write_temporary(p, "data.new", data, why);
    if (rc == 0)
        rc = write_temporary(p, "sig.new", v23_bytes(sig.p, sig.n), why);
    if (rc == 0)
        rc = replace(p, "data.new", "data", why);
    if (rc == 0)
        rc = replace(p, "sig.new", "sig", why);
    if (rc == 0)
        sync_dir(p->dir);
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
        rc = write_signed(p, v23_bytes(data.p, data.n), why);
    v23_buf_fini(&data);
    return rc;
}
