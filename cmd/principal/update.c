/* BSD-3-Clause; see LICENSE. */
/*
 * update-pkcs8: the private key of a directory in the form that is written
 * today.
 */
#include "principal.h"

#include <stdio.h>

static int ask_some(const char *dir, struct v23_buf *pass)
{
    char prompt[300];
    int rc;

    snprintf(prompt, sizeof(prompt), "Enter passphrase for %.200s: ", dir);
    rc = vsec_passphrase_read(prompt, pass);
    if (rc == 0 && pass->n == 0)
        return v23_error("A passphrase is required for %s", dir);
    return rc == 0 ? 0 : v23_error("%s", v23_strerror(rc));
}

/* Write the key in today's form; directories of 2015 have no public key file.
 */
static int rewrite(struct app *app, const char *dir, struct vsec_signer *s,
    struct v23_bytes pass)
{
    struct vsec_cred_files files;
    struct vsec_cred_opts opt;
    struct v23_buf priv, pub;
    char why[VSEC_CRED_WHY];
    int rc;

    v23_buf_init(&priv, app->engine->secret, FILE_MAX);
    v23_buf_init(&pub, NULL, FILE_MAX);
    rc = v23_buf_room(&priv, 16384);
    if (rc == 0)
        rc = vsec_key_file_put(s, pass, &priv);
    if (rc == 0)
        rc = vsec_pubkey_pem_put(s->pub->der, &pub);
    files.private_pem = v23_bytes(priv.p, priv.n);
    files.public_pem = v23_bytes(pub.p, pub.n);
    app_options(app, &opt);
    if (rc != 0)
        rc = v23_error("%s: %s", dir, v23_strerror(rc));
    else if (vsec_cred_rewrite_keys(dir, &opt, &files, why) != 0)
        rc = v23_error("%s", why);
    app_wipe(&priv);
    v23_buf_fini(&pub);
    return rc;
}

static int update(struct app *app, const char *dir, struct v23_bytes pass)
{
    char path[4096], why[512];
    struct vsec_key_file f;
    struct v23_buf text;
    int rc;

    v23_buf_init(&text, app->engine->secret, FILE_MAX);
    snprintf(path, sizeof(path), "%.4000s/privatekey.pem", dir);
    rc = app_read_file(path, &text);
    if (rc != 0) {
        app_read_error(path, rc, why, sizeof(why));
        rc = v23_error("%s", why);
        goto out;
    }
    rc = vsec_key_file_read(app->engine, v23_bytes(text.p, text.n), pass, &f);
    if (rc == V23_EBADPASSPHRASE) {
        rc = v23_error("principal: passphrase incorrect for decrypting "
            "private key");
        goto out;
    }
    if (rc != 0) {
        rc = v23_error("%s: %s", path, v23_strerror(rc));
        goto out;
    }
    rc = f.place == VSEC_KEY_HERE ? rewrite(app, dir, f.signer, pass)
                                  : v23_error("%s: the private key is "
                                        "elsewhere", path);
    vsec_key_file_fini(&f);
out:
    app_wipe(&text);
    return rc;
}

static int update_pkcs8(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct app *app = ud;
    struct v23_buf pass;
    int i, rc = 0;

    (void)inv;
    for (i = 0; rc == 0 && i < argc; i++) {
        v23_buf_init(&pass, app->engine->secret, 4096);
        rc = ask_some(argv[i], &pass);
        if (rc == 0)
            rc = update(app, argv[i], v23_bytes(pass.p, pass.n));
        app_wipe(&pass);
    }
    return rc;
}

const struct v23_command cmd_update_pkcs8 = {
    .name = "update-pkcs8",
    .brief = "Update an existing principal to pkcs8 format and encryption",
    .about = "Updates an existing PEM encrypted principal to pkcs8.",
    .args = "<directory>...",
    .args_help = "<directory> is the directory to be updated.",
    .run = update_pkcs8,
};
