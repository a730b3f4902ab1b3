/* BSD-3-Clause; see LICENSE. */
/*
 * New credentials directories (spec 12.1), and new forms of their keys.
 *
 * Both key files are complete on disk under temporary names first; then come
 * store and roots with what they hold from the start; then the key files get
 * their names, the private one last. So a directory with a private key is
 * complete. Before that, its temporary name shows that nobody was told of the
 * directory yet, and the next creation clears away what is there.
 */
#include "cred_int.h"

static const char public_name[] = "publickey.pem";
static const char private_name[] = "privatekey.pem";

/* ---- key files ----------------------------------------------------------- */

static int is_free(const char *dir, const char *name, char *why)
{
    if (!vsec_cred_exists_(dir, name, NULL))
        return 0;
    return vsec_cred_why_(why, V23_EEXIST, "failed to open %.200s/%s for "
        "writing: open %.200s/%s: file exists", dir, name, dir, name);
}

/* Remove what a creation has written. */
static void clear(const char *dir)
{
    static const char *const names[] = { "blessingstore.data",
        "blessingstore.sig", "blessingroots.data", "blessingroots.sig",
        public_name, private_name };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        vsec_cred_remove_(dir, names[i], NULL);
        vsec_cred_remove_(dir, names[i], "new");
    }
    vsec_cred_sync_dir_(dir);
}

/* Fails when the directory holds a key. */
static int check_free(const char *dir, char *why)
{
    int rc;

    if (!vsec_cred_exists_(dir, private_name, NULL)
        && vsec_cred_exists_(dir, private_name, "new"))
        clear(dir);
    rc = is_free(dir, public_name, why);
    return rc != 0 ? rc : is_free(dir, private_name, why);
}

static int write_temp(const char *dir, const char *name, struct v23_bytes pem,
    char *why)
{
    return pem.n == 0 ? 0 : vsec_cred_write_temp_(dir, name, pem, 0400, why);
}

static int commit(const char *dir, const char *name, struct v23_bytes pem,
    char *why)
{
    return pem.n == 0 ? 0 : vsec_cred_commit_(dir, name, why);
}

static int stage(const char *dir, const struct vsec_cred_files *files,
    char *why)
{
    int rc = write_temp(dir, private_name, files->private_pem, why);

    return rc != 0 ? rc : write_temp(dir, public_name, files->public_pem, why);
}

static int publish(const char *dir, const struct vsec_cred_files *files,
    char *why)
{
    int rc = commit(dir, public_name, files->public_pem, why);

    if (rc != 0)
        return rc;
    /* As long as the private key's temporary name is there, the public key
     * counts for nothing: this order also after a power cut. */
    vsec_cred_sync_dir_(dir);
    rc = commit(dir, private_name, files->private_pem, why);
    if (rc == 0)
        vsec_cred_sync_dir_(dir);
    return rc;
}

/* ---- new directories ----------------------------------------------------- */

/* Make and lock the directory; what an earlier attempt left is cleared. */
static int prepare(const char *dir, const struct vsec_cred_opts *opt, int *fd,
    char *why)
{
    int rc;

    *fd = -1;
    if (opt->readonly_fs)
        return vsec_cred_why_(why, V23_ESTATE, "%.256s: credentials cannot be "
            "created on a read-only file system", dir);
    rc = vsec_cred_mkdir_(dir, why);
    if (rc == 0)
        rc = vsec_cred_lock_(dir, "dir.lock", VSEC_CRED_EXCLUSIVE_, fd, why);
    return rc != 0 ? rc : check_free(dir, why);
}

/* Everything but the names of the key files; then these. Store and roots that
 * are there, of whatever key, are found to be wrong before anything changes. */
static int build(const char *dir, const struct vsec_cred_opts *opt,
    const struct vsec_cred_files *files, struct vsec_cred_keys_ *keys,
    struct vsec_principal **out, char *why)
{
    struct vsec_principal *p;
    int rc = vsec_cred_assemble_(dir, opt, keys, &p, why);

    if (rc != 0)
        return rc;
    rc = stage(dir, files, why);
    if (rc == 0 && opt->furnish != NULL)
        rc = opt->furnish(opt->furnish_ud, p);
    if (rc == 0)
        rc = publish(dir, files, why);
    if (rc == 0) {
        *out = p;
        return 0;
    }
    vsec_principal_unref(p);
    clear(dir);
    return rc;
}

int vsec_cred_create_files(const char *dir, const struct vsec_cred_opts *opt,
    const struct vsec_cred_files *files, struct vsec_principal **out,
    char why[VSEC_CRED_WHY])
{
    struct vsec_cred_keys_ keys;
    int rc, fd;

    why[0] = 0;
    rc = prepare(dir, opt, &fd, why);
    if (rc == 0)
        rc = vsec_cred_keys_parse_(dir, opt, files, &keys, why);
    if (rc == 0) {
        rc = build(dir, opt, files, &keys, out, why);
        vsec_cred_keys_fini_(&keys);
    }
    vsec_cred_unlock_(&fd);
    return vsec_cred_reason_(rc, why);
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
        rc = prepare(dir, opt, &fd, why);
    if (rc == 0)
        rc = build(dir, opt, &files, &keys, out, why);
    vsec_cred_unlock_(&fd);
    if (priv.p != NULL)
        v23_wipe(priv.p, priv.cap);
    v23_buf_fini(&priv);
    v23_buf_fini(&pub);
    return vsec_cred_reason_(rc, why);
}

/* ---- another form of the same key ---------------------------------------- */

int vsec_cred_rewrite_keys(const char *dir, const struct vsec_cred_opts *opt,
    const struct vsec_cred_files *files, char why[VSEC_CRED_WHY])
{
    bool publish = files->public_pem.n != 0
        && !vsec_cred_exists_(dir, public_name, NULL);
    int rc, fd = -1;

    why[0] = 0;
    if (opt->readonly_fs)
        return vsec_cred_why_(why, V23_ESTATE, "%.256s: credentials cannot be "
            "written on a read-only file system", dir);
    rc = vsec_cred_lock_(dir, "dir.lock", VSEC_CRED_EXCLUSIVE_, &fd, why);
    if (rc != 0)
        return rc;
    if (publish)
        rc = vsec_cred_write_temp_(dir, public_name, files->public_pem, 0400,
            why);
    if (rc == 0 && publish)
        rc = vsec_cred_commit_(dir, public_name, why);
    if (rc == 0)
        rc = vsec_cred_write_temp_(dir, private_name, files->private_pem,
            0400, why);
    if (rc == 0) {
        rc = vsec_cred_commit_(dir, private_name, why);
        vsec_cred_sync_dir_(dir);
    }
    vsec_cred_unlock_(&fd);
    return rc;
}
