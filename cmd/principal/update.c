/* BSD-3-Clause; see LICENSE. */
/*
 * update-pkcs8: the private key of a directory in the form that is written
 * today. privatekey.pem is never missing for longer than between two renames,
 * and then old-privatekey.pem holds the key.
 */
#include "principal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int write_file(const char *path, struct v23_bytes data)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    ssize_t n;

    if (fd < 0)
        return v23_error("open %s: %s", path, strerror(errno));
    n = write(fd, data.p, data.n);
    if (n != (ssize_t)data.n || fsync(fd) != 0) {
        close(fd);
        unlink(path);
        return v23_error("write %s: %s", path, strerror(errno));
    }
    close(fd);
    return 0;
}

/* new-privatekey.pem takes the place of privatekey.pem. */
static int swap_in(const char *dir)
{
    char now[4096], fresh[4096], old[4096];

    snprintf(now, sizeof(now), "%s/privatekey.pem", dir);
    snprintf(fresh, sizeof(fresh), "%s/new-privatekey.pem", dir);
    snprintf(old, sizeof(old), "%s/old-privatekey.pem", dir);
    if (rename(now, old) != 0 || rename(fresh, now) != 0
        || unlink(old) != 0)
        return v23_error("replacing %s: %s", now, strerror(errno));
    return 0;
}

/* Directories of 2015 have no public key file. */
static int add_public(const char *dir, const struct vsec_signer *signer)
{
    char path[4096];
    struct v23_buf pem;
    struct stat st;
    int rc;

    snprintf(path, sizeof(path), "%s/publickey.pem", dir);
    if (stat(path, &st) == 0)
        return 0;
    v23_buf_init(&pem, NULL, FILE_MAX);
    rc = vsec_pubkey_pem_put(signer->pub->der, &pem);
    rc = rc == 0 ? write_file(path, v23_bytes(pem.p, pem.n))
                 : v23_error("%s", v23_strerror(rc));
    v23_buf_fini(&pem);
    return rc;
}

static int update(struct app *app, const char *dir, struct v23_bytes pass)
{
    char path[4096];
    struct vsec_key_file f;
    struct v23_buf text, pem;
    int rc;

    v23_buf_init(&text, app->engine->secret, FILE_MAX);
    v23_buf_init(&pem, app->engine->secret, FILE_MAX);
    snprintf(path, sizeof(path), "%.4000s/privatekey.pem", dir);
    rc = app_read_file(path, &text);
    if (rc != 0) {
        rc = v23_error("open %s: %s", path, strerror(errno));
        goto out;
    }
    rc = v23_buf_room(&pem, 16384);
    if (rc == 0)
        rc = vsec_key_file_read(app->engine, v23_bytes(text.p, text.n), pass,
            &f);
    if (rc == V23_EBADPASSPHRASE) {
        rc = v23_error("principal: passphrase incorrect for decrypting "
            "private key");
        goto out;
    }
    if (rc != 0) {
        rc = v23_error("%s: %s", path, v23_strerror(rc));
        goto out;
    }
    rc = f.place == VSEC_KEY_HERE ? vsec_key_file_put(f.signer, pass, &pem)
                                  : V23_EKEY;
    snprintf(path, sizeof(path), "%.4000s/new-privatekey.pem", dir);
    if (rc != 0)
        rc = v23_error("%s: %s", dir, v23_strerror(rc));
    else
        rc = write_file(path, v23_bytes(pem.p, pem.n));
    if (rc == 0)
        rc = swap_in(dir);
    if (rc == 0)
        rc = add_public(dir, f.signer);
    vsec_key_file_fini(&f);
out:
    app_wipe(&text);
    app_wipe(&pem);
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
