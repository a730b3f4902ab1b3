/* BSD-3-Clause; see LICENSE. */
/* New directories with keys: made, copied, or referred to. */
#include "principal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- keys ---------------------------------------------------------------- */

static int failed(const char *why)
{
    return v23_error("failed to create principal: %s", why);
}

/* How many sources of a key were named: none means a new one. */
static int check_source(const struct key_flags *f, bool *fresh)
{
    int n = (*f->ssh_key != 0) + (*f->ssh_public != 0)
        + (*f->ssl_key != 0 || *f->ssl_cert != 0);

    *fresh = n == 0;
    if (n > 1)
        return failed("multiple key sources chosen, please choose one and "
            "only one of --ssh-public-key, ssh-key and ssl-key");
    if ((*f->ssl_key == 0) != (*f->ssl_cert == 0))
        return failed("both an SSL private key and public certificate must "
            "be specified");
    return 0;
}

static void lower(const char *s, char *out, size_t size)
{
    size_t i;

    for (i = 0; s[i] != 0 && i + 1 < size; i++)
        out[i] = v23_lower(s[i]);
    out[i] = 0;
}

static int generate(struct app *app, const char *type,
    struct vsec_signer **out)
{
    char name[32], why[200];
    int rc;

    lower(type, name, sizeof(name));
    rc = vsec_signer_generate(app->engine, name, out);
    if (rc == 0)
        return 0;
    if (rc != V23_ENOSYS)
        return failed(v23_strerror(rc));
    snprintf(why, sizeof(why), "unsupported keytype: %.50s is not one of "
        "ecdsa256, ecdsa384, ecdsa521, ed25519, rsa2048, rsa4096", type);
    return failed(why);
}

/* Read a file that is given on the command line. */
static int read_given(const char *path, struct v23_buf *out)
{
    char why[512];
    int rc = app_read_file(path, out);

    if (rc == 0)
        return 0;
    app_read_error(path, rc, why, sizeof(why));
    return failed(why);
}

/* Read a private key from a file of the user's. */
static int read_key(struct app *app, const char *path, bool encrypted_ok,
    struct vsec_signer **out)
{
    struct v23_bytes none = { NULL, 0 };
    struct vsec_key_file f;
    struct v23_buf text, pass;
    char why[512];
    int rc;

    v23_buf_init(&text, app->engine->secret, FILE_MAX);
    v23_buf_init(&pass, app->engine->secret, 4096);
    rc = read_given(path, &text);
    if (rc != 0)
        goto out;
    rc = vsec_key_file_read(app->engine, v23_bytes(text.p, text.n), none, &f);
    if (rc == V23_EPASSPHRASE && encrypted_ok) {
        rc = vsec_passphrase_ask(NULL, path, &pass);
        if (rc == 0)
            rc = vsec_key_file_read(app->engine, v23_bytes(text.p, text.n),
                v23_bytes(pass.p, pass.n), &f);
    }
    if (rc == 0 && f.place != VSEC_KEY_HERE) {
        vsec_key_file_fini(&f);
        rc = V23_EKEY;
    }
    if (rc == V23_EPASSPHRASE) {
        rc = failed("passphrase required");
    } else if (rc != 0) {
        snprintf(why, sizeof(why), "%.256s: %s", path, rc == V23_ENOENT
            ? "processed all PEM blocks without finding a private key"
            : v23_strerror(rc));
        rc = failed(why);
    } else {
        *out = vsec_signer_ref(f.signer);
        vsec_key_file_fini(&f);
    }
out:
    app_wipe(&text);
    app_wipe(&pass);
    return rc;
}

/* ---- directories --------------------------------------------------------- */

/* Like rm -r; symbolic links are removed, not followed. */
static int remove_tree(const char *path, int depth)
{
    char sub[4096];
    struct dirent *e;
    struct stat st;
    DIR *d;
    int rc = 0;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISDIR(st.st_mode))
        return unlink(path);
    errno = ELOOP;
    d = depth == 0 ? NULL : opendir(path);
    if (d == NULL)
        return -1;
    while (rc == 0 && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        errno = ENAMETOOLONG;
        rc = snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name)
                >= (int)sizeof(sub)
            ? -1
            : remove_tree(sub, depth - 1);
    }
    closedir(d);
    return rc == 0 ? rmdir(path) : rc;
}

/* Ask for the passphrase of the new key. */
static int new_passphrase(const struct key_flags *f, bool fresh,
    struct v23_buf *out)
{
    int rc;

    if (!f->with_passphrase || (!fresh && !f->copy))
        return 0;
    rc = vsec_passphrase_read("Enter passphrase (entering nothing will store "
            "the principal key unencrypted): ", out);
    return rc == 0 ? 0 : failed(v23_strerror(rc));
}

/* With --overwrite, once the new key is there: make room. */
static int clear(const char *dir, const struct key_flags *f)
{
    char text[V23_ERRNO], why[512];

    if (!f->overwrite || remove_tree(dir, 32) == 0)
        return 0;
    snprintf(why, sizeof(why), "cannot remove %.256s: %s", dir,
        v23_errno(text));
    return failed(why);
}

static int furnish(void *ud, struct vsec_principal *p)
{
    struct newborn *n = ud;

    if (n->give != NULL)
        n->rc = n->give(n->ud, p);
    return n->rc;
}

static int create_fresh(struct app *app, const char *dir,
    const struct key_flags *f, struct v23_bytes pass, struct newborn *n)
{
    struct vsec_principal *p;
    char why[VSEC_CRED_WHY];
    struct vsec_cred_opts opt;
    struct vsec_signer *signer = NULL;
    int rc = generate(app, f->type, &signer);

    if (rc == 0)
        rc = clear(dir, f);
    if (rc == 0) {
        app_options(app, &opt);
        opt.writable = true;
        opt.furnish = furnish;
        opt.furnish_ud = n;
        rc = vsec_cred_create(dir, &opt, signer, pass, &p, why);
        if (rc == 0)
            vsec_principal_unref(p);
        else if (n->rc == 0)
            rc = failed(why);
    }
    vsec_signer_unref(signer);
    return rc;
}

/* First line of an authorized_keys file that is neither empty nor a comment. */
static struct v23_bytes key_line(const struct v23_buf *text)
{
    size_t i = 0, n;

    for (; i < text->n; i += n + 1) {
        for (n = 0; i + n < text->n && text->p[i + n] != '\n';)
            n++;
        if (n > 0 && text->p[i] != '#' && text->p[i] != '\r')
            return v23_bytes(text->p + i, n);
    }
    return v23_bytes(NULL, 0);
}

/* Contents of the key files of a key that an ssh-agent holds. */
static int hosted_files(struct app *app, const struct key_flags *f,
    struct v23_buf *priv, struct v23_buf *pub)
{
    struct vsec_pubkey *key = NULL;
    struct v23_buf text;
    struct v23_bytes line;
    char why[512];
    int rc;

    v23_buf_init(&text, NULL, FILE_MAX);
    rc = read_given(f->ssh_public, &text);
    if (rc != 0)
        goto out;
    line = key_line(&text);
    rc = vsec_ssh_pubkey_parse(app->engine, line, &key);
    if (rc == V23_EKEY) {
        snprintf(why, sizeof(why), "%.256s: not a public key of ssh that can "
            "be used", f->ssh_public);
        rc = failed(why);
        goto out;
    }
    if (rc == 0) {
        v23_buf_put(pub, line.p, line.n);
        v23_buf_put_byte(pub, '\n');
        rc = pub->err;
    }
    if (rc == 0)
        rc = vsec_key_file_put_indirect(VSEC_KEY_SSH_AGENT,
            v23_bytes(pub->p, pub->n), priv);
    if (rc != 0)
        rc = failed(v23_strerror(rc));
out:
    vsec_pubkey_unref(key);
    v23_buf_fini(&text);
    return rc;
}

/* The first certificate of a file: those that follow are of its issuers. */
static int import_certificate(const char *path, struct v23_buf *pub)
{
    struct v23_bytes rest;
    struct v23_buf text;
    struct vsec_pem pem;
    bool found = false;
    char why[512];
    int rc;

    v23_buf_init(&text, NULL, FILE_MAX);
    rc = read_given(path, &text);
    rest = v23_bytes(text.p, text.n);
    while (rc == 0 && !found && vsec_pem_next(&rest, NULL, &pem) == 0) {
        found = vdl_str_is(pem.type, "CERTIFICATE");
        if (found)
            rc = vsec_pem_put("CERTIFICATE", NULL, pem.body.p, pem.body.n,
                pub);
        vsec_pem_fini(&pem);
    }
    v23_buf_fini(&text);
    if (rc == 0 && !found) {
        snprintf(why, sizeof(why), "%.256s: no certificate in any PEM block",
            path);
        rc = failed(why);
    }
    return rc;
}

/* Contents of the key files of a key in a file. */
static int import_files(struct app *app, const struct key_flags *f,
    struct v23_bytes pass, struct v23_buf *priv, struct v23_buf *pub)
{
    const char *path = *f->ssh_key != 0 ? f->ssh_key : f->ssl_key;
    struct vsec_signer *signer = NULL;
    int rc = read_key(app, path, f->copy, &signer);

    if (rc != 0)
        return rc;
    if (f->copy)
        rc = vsec_key_file_put(signer, pass, priv);
    else
        rc = vsec_key_file_put_indirect(VSEC_KEY_IN_FILE,
            v23_bytes(path, strlen(path)), priv);
    if (rc == 0 && *f->ssl_cert == 0)
        rc = vsec_pubkey_pem_put(signer->pub->der, pub);
    vsec_signer_unref(signer);
    if (rc != 0)
        return failed(v23_strerror(rc));
    return *f->ssl_cert == 0 ? 0 : import_certificate(f->ssl_cert, pub);
}

static int again(void *ud, const char *what, struct v23_buf *out)
{
    const struct v23_bytes *pass = ud;

    (void)what;
    v23_buf_put(out, pass->p, pass->n);
    return out->err;
}

static int create_imported(struct app *app, const char *dir,
    const struct key_flags *f, struct v23_bytes pass, struct newborn *n)
{
    char why[VSEC_CRED_WHY];
    struct vsec_cred_files files;
    struct vsec_principal *p;
    struct vsec_cred_opts opt;
    struct v23_buf priv, pub;
    int rc;

    v23_buf_init(&priv, app->engine->secret, FILE_MAX);
    v23_buf_init(&pub, NULL, FILE_MAX);
    rc = *f->ssh_public != 0 ? hosted_files(app, f, &priv, &pub)
                             : import_files(app, f, pass, &priv, &pub);
    if (rc == 0)
        rc = clear(dir, f);
    if (rc == 0) {
        files.private_pem = v23_bytes(priv.p, priv.n);
        files.public_pem = v23_bytes(pub.p, pub.n);
        app_options(app, &opt);
        opt.writable = true;
        opt.passphrase = pass.n > 0 ? again : NULL;
        opt.ud = &pass;
        opt.furnish = furnish;
        opt.furnish_ud = n;
        rc = vsec_cred_create_files(dir, &opt, &files, &p, why);
        if (rc == 0)
            vsec_principal_unref(p);
        else if (n->rc == 0)
            rc = failed(why);
    }
    app_wipe(&priv);
    v23_buf_fini(&pub);
    return rc;
}

int create_principal(struct app *app, const char *dir,
    const struct key_flags *f, struct newborn *n)
{
    struct v23_buf pass;
    struct v23_bytes secret;
    bool fresh;
    int rc = check_source(f, &fresh);

    if (rc != 0)
        return rc;
    v23_buf_init(&pass, app->engine->secret, 4096);
    rc = new_passphrase(f, fresh, &pass);
    secret = v23_bytes(pass.p, pass.n);
    if (rc == 0)
        rc = fresh ? create_fresh(app, dir, f, secret, n)
                   : create_imported(app, dir, f, secret, n);
    app_wipe(&pass);
    return rc;
}
