/* BSD-3-Clause; see LICENSE. */
/*
 * The key files of a credentials directory (spec 12.2, 12.3). Contents are
 * understood by keyfile.c; here are the files, the passphrase, the one
 * indirection that is followed, and the check that both halves fit.
 */
#include "cred_int.h"

#include <vsec/x509.h>

void vsec_cred_keys_fini_(struct vsec_cred_keys_ *k)
{
    vsec_signer_unref(k->signer);
    vsec_pubkey_unref(k->key);
    v23_buf_fini(&k->x509);
}

static void wipe_fini(struct v23_buf *b)
{
    if (b->p != NULL)
        v23_wipe(b->p, b->cap);
    v23_buf_fini(b);
}

/* ---- private key --------------------------------------------------------- */

/* Parse, asking for the passphrase when one is needed. */
static int parse_private(const struct vsec_cred_opts *opt, const char *path,
    struct v23_bytes text, struct vsec_key_file *out)
{
    const struct v23_bytes none = { NULL, 0 };
    struct v23_buf pass;
    int rc = vsec_key_file_read(opt->engine, text, none, out);

    if (rc != V23_EPASSPHRASE || opt->passphrase == NULL)
        return rc;
    v23_buf_init(&pass, opt->engine->secret, 4096);
    rc = v23_buf_room(&pass, 4096);
    if (rc == 0)
        rc = opt->passphrase(opt->ud, path, &pass);
    if (rc == 0)
        rc = vsec_key_file_read(opt->engine, text,
            v23_bytes(pass.p, pass.n), out);
    wipe_fini(&pass);
    return rc;
}

/* The contents of a private key file, of the name `path`. */
static int take_private(const struct vsec_cred_opts *opt, const char *path,
    struct v23_bytes text, struct vsec_key_file *out, char *why)
{
    int rc = parse_private(opt, path, text, out);

    if (rc == V23_ENOENT)
        rc = vsec_cred_why_(why, V23_EKEY, "%.256s: no private key in "
            "any PEM block", path);
    else if (rc == V23_EPASSPHRASE)
        vsec_cred_why_(why, rc, "passphrase required");
    else if (rc == V23_EBADPASSPHRASE)
        vsec_cred_why_(why, rc,
            "passphrase incorrect for decrypting private key");
    else if (rc != 0)
        vsec_cred_why_(why, rc, "%.256s: %s", path, v23_strerror(rc));
    return rc;
}

static int read_private(const struct vsec_cred_opts *opt, const char *path,
    struct vsec_key_file *out, char *why)
{
    struct v23_buf text;
    int rc;

    v23_buf_init(&text, opt->engine->secret, VSEC_CRED_FILE_MAX);
    rc = vsec_cred_read_(path, &text, why);
    if (rc == 0)
        rc = take_private(opt, path, v23_bytes(text.p, text.n), out, why);
    wipe_fini(&text);
    return rc;
}

/* Follow an indirection, once. */
static int follow(const struct vsec_cred_opts *opt, struct vsec_key_file *f,
    char *why)
{
    struct vsec_key_file real;
    int rc;

    if (f->place == VSEC_KEY_SSH_AGENT)
        return vsec_cred_hosted_(opt, v23_bytes(f->target.p, f->target.n),
            &f->signer, why);
    if (f->target.n > 0 && memchr(f->target.p, 0, f->target.n) != NULL)
        return vsec_cred_why_(why, V23_EKEY,
            "the name of the file with the private key contains a NUL");
    rc = read_private(opt, v23_buf_cstr(&f->target), &real, why);
    if (rc != 0)
        return rc == V23_ENOENT ? V23_EKEY : rc;
    if (real.place != VSEC_KEY_HERE) {
        vsec_key_file_fini(&real);
        return vsec_cred_why_(why, V23_EKEY,
            "%.256s does not hold the key itself", v23_buf_cstr(&f->target));
    }
    vsec_key_file_fini(f);
    *f = real;
    return 0;
}

/* The signer of what a private key file says, which is released; NULL when it
 * is out of reach and that is allowed. `rc` is how reading it went. */
static int signer_of(const struct vsec_cred_opts *opt, int rc,
    struct vsec_key_file *f, struct vsec_signer **out, char *why)
{
    if (rc == 0) {
        if (f->place != VSEC_KEY_HERE)
            rc = follow(opt, f, why);
        if (rc == 0)
            *out = vsec_signer_ref(f->signer);
        vsec_key_file_fini(f);
    }
    if (opt->public_key_only_ok
        && (rc == V23_EPASSPHRASE || rc == V23_ENOSYS)) {
        *out = NULL;
        rc = 0;
    }
    return rc;
}

static int load_private(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_signer **out, char *why)
{
    char path[VSEC_CRED_PATH];
    struct vsec_key_file f;
    int rc = vsec_cred_path_(path, dir, "privatekey.pem", why);

    if (rc == 0)
        rc = read_private(opt, path, &f, why);
    return signer_of(opt, rc, &f, out, why);
}

/* ---- public key ---------------------------------------------------------- */

static int parse_public(const struct vsec_cred_opts *opt,
    struct v23_bytes text, struct vsec_cred_keys_ *out)
{
    struct vsec_pubkey_file f;
    struct vsec_x509_cert c;
    int rc = vsec_pubkey_file_read(opt->engine, text, &f);

    if (rc != 0)
        return rc;
    if (f.key != NULL) {
        out->key = vsec_pubkey_ref(f.key);
    } else {
        rc = vsec_x509_parse(v23_bytes(f.x509.p, f.x509.n), &c);
        if (rc == 0)
            rc = vsec_pubkey_parse(opt->engine, c.spki, &out->key);
        if (rc == 0) {
            v23_buf_put(&out->x509, f.x509.p, f.x509.n);
            rc = out->x509.err;
        }
    }
    vsec_pubkey_file_fini(&f);
    return rc;
}

/* The contents of a public key file, of the name `path`. */
static int take_public(const struct vsec_cred_opts *opt, const char *path,
    struct v23_bytes text, struct vsec_cred_keys_ *out, char *why)
{
    int rc = parse_public(opt, text, out);

    if (rc == V23_ENOENT)
        rc = V23_EKEY;
    if (rc != 0)
        vsec_cred_why_(why, rc, "%.256s: %s", path, v23_strerror(rc));
    return rc;
}

static int load_public(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_cred_keys_ *out, char *why)
{
    char path[VSEC_CRED_PATH];
    struct v23_buf text;
    int rc = vsec_cred_path_(path, dir, "publickey.pem", why);

    if (rc != 0)
        return rc;
    v23_buf_init(&text, opt->engine->al, VSEC_CRED_FILE_MAX);
    rc = vsec_cred_read_(path, &text, why);
    if (rc == 0)
        rc = take_public(opt, path, v23_bytes(text.p, text.n), out, why);
    v23_buf_fini(&text);
    return rc;
}

/* ---- both ---------------------------------------------------------------- */

/* Hand over two halves that belong together; `rc` is how getting them went. */
static int join(const char *dir, int rc, struct vsec_cred_keys_ *k,
    struct vsec_cred_keys_ *out, char *why)
{
    if (rc == 0 && k->key == NULL && k->signer == NULL)
        rc = V23_EPASSPHRASE; /* `why` says what kept the key away */
    if (rc == 0 && k->key == NULL)
        k->key = vsec_pubkey_ref(k->signer->pub);
    if (rc == 0 && k->signer != NULL
        && !vsec_pubkey_eq(k->signer->pub, k->key))
        rc = vsec_cred_why_(why, V23_EKEYMISMATCH,
            "%.256s: public and private key do not belong together", dir);
    if (rc == 0)
        *out = *k;
    else
        vsec_cred_keys_fini_(k);
    return rc;
}

static void init(struct vsec_cred_keys_ *k, const struct vsec_cred_opts *opt)
{
    memset(k, 0, sizeof(*k));
    v23_buf_init(&k->x509, opt->engine->al, VSEC_CRED_FILE_MAX);
}

int vsec_cred_keys_load_(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_cred_keys_ *out, char *why)
{
    struct vsec_cred_keys_ k;
    int rc;

    init(&k, opt);
    rc = load_public(dir, opt, &k, why);
    if (rc == 0 || (rc == V23_ENOENT && opt->derive_public))
        rc = load_private(dir, opt, &k.signer, why);
    return join(dir, rc, &k, out, why);
}

int vsec_cred_keys_parse_(const char *dir, const struct vsec_cred_opts *opt,
    const struct vsec_cred_files *files, struct vsec_cred_keys_ *out,
    char *why)
{
    struct vsec_cred_keys_ k;
    struct vsec_key_file f;
    int rc;

    init(&k, opt);
    rc = take_public(opt, "publickey.pem", files->public_pem, &k, why);
    if (rc == 0 && files->private_pem.n > 0) {
        rc = take_private(opt, "privatekey.pem", files->private_pem, &f, why);
        rc = signer_of(opt, rc, &f, &k.signer, why);
    }
    return join(dir, rc, &k, out, why);
}

int vsec_cred_public_key(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_pubkey **out, char why[VSEC_CRED_WHY])
{
    struct vsec_cred_keys_ k;
    int rc;

    why[0] = 0;
    init(&k, opt);
    rc = load_public(dir, opt, &k, why);
    if (rc == V23_ENOENT && opt->derive_public) {
        rc = load_private(dir, opt, &k.signer, why);
        if (rc == 0 && k.signer == NULL)
            rc = V23_EPASSPHRASE;
        if (rc == 0)
            k.key = vsec_pubkey_ref(k.signer->pub);
    }
    if (rc == 0)
        *out = vsec_pubkey_ref(k.key);
    vsec_cred_keys_fini_(&k);
    return rc;
}
