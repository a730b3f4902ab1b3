/* BSD-3-Clause; see LICENSE. */
/*
 * Credentials directories as a whole: load, create, reload, and the principal
 * of a program that starts (spec 12).
 */
#include "cred_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- load ---------------------------------------------------------------- */

/* The principal of loaded keys. dir.lock is held. */
static int assemble(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_cred_keys_ *k, struct vsec_principal **out, char *why)
{
    struct vsec_signer *writer = opt->writable ? k->signer : NULL;
    struct vsec_store *store = NULL;
    struct vsec_roots *roots = NULL;
    int rc;

    rc = vsec_cred_store_new_(dir, opt, writer, k->key, &store, why);
    if (rc == 0)
        rc = vsec_cred_roots_new_(dir, opt, writer, k->key, &roots, why);
    if (rc == 0)
        rc = vsec_principal_new(opt->engine, k->signer, k->key, store, roots,
            out);
    if (rc == 0) {
        v23_buf_put(&(*out)->x509, k->x509.p, k->x509.n);
        rc = (*out)->x509.err;
        if (rc != 0)
            vsec_principal_unref(*out);
    }
    vsec_roots_unref(roots);
    vsec_store_unref(store);
    return rc;
}

static enum vsec_cred_lock_kind_ lock_kind(const struct vsec_cred_opts *opt)
{
    if (opt->writable)
        return VSEC_CRED_EXCLUSIVE_;
    return opt->readonly_fs ? VSEC_CRED_NO_LOCK_ : VSEC_CRED_SHARED_;
}

/* Every failure has a reason. */
static int reason(int rc, char *why)
{
    if (rc != 0 && why[0] == 0)
        vsec_cred_why_(why, rc, "%s", v23_strerror(rc));
    return rc;
}

int vsec_cred_load(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_principal **out, char why[VSEC_CRED_WHY])
{
    struct vsec_cred_keys_ keys;
    int rc, fd;

    why[0] = 0;
    rc = vsec_cred_lock_(dir, "dir.lock", lock_kind(opt), &fd, why);
    if (rc != 0)
        return reason(rc, why);
    rc = vsec_cred_keys_load_(dir, opt, &keys, why);
    if (rc == 0) {
        rc = assemble(dir, opt, &keys, out, why);
        vsec_cred_keys_fini_(&keys);
    }
    vsec_cred_unlock_(&fd);
    return reason(rc, why);
}

int vsec_cred_reload(struct vsec_principal *p, char why[VSEC_CRED_WHY])
{
    int rc;

    why[0] = 0;
    rc = vsec_cred_store_reload_(p->store, why);
    if (rc == 0)
        rc = vsec_cred_roots_reload_(p->roots, why);
    return reason(rc, why);
}

/* ---- create -------------------------------------------------------------- */

static int write_key(const char *dir, const char *name, struct v23_bytes pem,
    char *why)
{
    char path[VSEC_CRED_PATH];
    int rc;

    if (pem.n == 0)
        return 0;
    rc = vsec_cred_path_(path, dir, name, why);
    return rc != 0 ? rc : vsec_cred_write_new_(path, pem, 0400, why);
}

/* Write both key files under the directory's lock, which stays held. */
static int write_keys(const char *dir, const struct vsec_cred_opts *opt,
    const struct vsec_cred_files *files, int *fd, char *why)
{
    int rc;

    *fd = -1;
    if (opt->readonly_fs)
        return vsec_cred_why_(why, V23_ESTATE, "%.256s: credentials cannot be "
            "created on a read-only file system", dir);
    rc = vsec_cred_mkdir_(dir, why);
    if (rc == 0)
        rc = vsec_cred_lock_(dir, "dir.lock", VSEC_CRED_EXCLUSIVE_, fd, why);
    if (rc == 0)
        rc = write_key(dir, "publickey.pem", files->public_pem, why);
    if (rc == 0)
        rc = write_key(dir, "privatekey.pem", files->private_pem, why);
    return rc;
}

int vsec_cred_create_files(const char *dir, const struct vsec_cred_opts *opt,
    const struct vsec_cred_files *files, struct vsec_principal **out,
    char why[VSEC_CRED_WHY])
{
    struct vsec_cred_keys_ keys;
    int rc, fd;

    why[0] = 0;
    rc = write_keys(dir, opt, files, &fd, why);
    if (rc == 0)
        rc = vsec_cred_keys_load_(dir, opt, &keys, why);
    if (rc == 0) {
        rc = assemble(dir, opt, &keys, out, why);
        vsec_cred_keys_fini_(&keys);
    }
    vsec_cred_unlock_(&fd);
    return reason(rc, why);
}

int vsec_cred_create(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_signer *signer, struct v23_bytes pass,
    struct vsec_principal **out, char why[VSEC_CRED_WHY])
{
    const struct v23_alloc *al = opt->engine->al;
    struct vsec_cred_files files;
    struct vsec_cred_keys_ keys;
    struct v23_buf priv, pub;
    int rc, fd = -1;

    why[0] = 0;
    memset(&keys, 0, sizeof(keys));
    keys.signer = signer;
    keys.key = signer->pub;
    v23_buf_init(&priv, opt->engine->secret, VSEC_CRED_FILE_MAX);
    v23_buf_init(&pub, al, VSEC_CRED_FILE_MAX);
    rc = v23_buf_room(&priv, 16384); /* so that the secret does not move */
    if (rc == 0)
        rc = vsec_key_file_put(signer, pass, &priv);
    if (rc == 0)
        rc = vsec_pubkey_pem_put(signer->pub->der, &pub);
    files.private_pem = v23_bytes(priv.p, priv.n);
    files.public_pem = v23_bytes(pub.p, pub.n);
    if (rc == 0)
        rc = write_keys(dir, opt, &files, &fd, why);
    if (rc == 0)
        rc = assemble(dir, opt, &keys, out, why);
    vsec_cred_unlock_(&fd);
    if (priv.p != NULL)
        v23_wipe(priv.p, priv.cap);
    v23_buf_fini(&priv);
    v23_buf_fini(&pub);
    return reason(rc, why);
}

/* ---- programs ------------------------------------------------------------ */

const char *const vsec_cred_env[] = { "V23_CREDENTIALS",
    "V23_CREDENTIALS_READONLY_FILESYSTEM", "V23_CREDENTIALS_NO_LOCK", NULL };

bool vsec_cred_env_readonly_fs(void)
{
    const char *v = getenv("V23_CREDENTIALS_READONLY_FILESYSTEM");

    if (v == NULL || *v == 0)
        v = getenv("V23_CREDENTIALS_NO_LOCK");
    return v != NULL && *v != 0;
}

/* "anonymous-<fruit>-<pid>[@<host>]" */
static int default_name(struct vsec_engine *e, char *name, size_t size)
{
    static const char *const fruits[] = { "apple", "banana", "cherry",
        "dragonfruit", "elderberry", "fig", "grape", "honeydew" };
    char host[256];
    uint8_t r;
    int rc = vsec_random_fill(e, &r, 1);

    if (rc != 0)
        return rc;
    if (gethostname(host, sizeof(host)) != 0)
        host[0] = 0;
    host[sizeof(host) - 1] = 0;
    if (strcmp(host, "(none)") == 0)
        host[0] = 0;
    snprintf(name, size, "anonymous-%s-%ld%s%s", fruits[r % 8],
        (long)getpid(), host[0] == 0 ? "" : "@", host);
    return 0;
}

static int anonymous(struct vsec_engine *e, struct vsec_principal **out)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b = NULL;
    struct vsec_principal *p;
    char name[320];
    int rc = default_name(e, name, sizeof(name));

    if (rc == 0)
        rc = vsec_principal_generate(e, "ecdsa256", &p);
    if (rc != 0)
        return rc;
    rc = vsec_principal_bless_self(p, vdl_str(name), none, &b);
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(p, b);
    vsec_blessings_unref(b);
    if (rc == 0)
        *out = p;
    else
        vsec_principal_unref(p);
    return rc;
}

int vsec_cred_runtime(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_principal **out, char why[VSEC_CRED_WHY])
{
    struct vsec_cred_opts o = *opt;

    why[0] = 0;
    if (dir == NULL || *dir == 0)
        return reason(anonymous(opt->engine, out), why);
    o.writable = false;
    o.passphrase = NULL;
    o.public_key_only_ok = true;
    return vsec_cred_load(dir, &o, out, why);
}
