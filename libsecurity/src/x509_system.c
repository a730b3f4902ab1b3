/* BSD-3-Clause; see LICENSE. */
/*
 * The system's trust anchors (hosts). Places and environment variables are
 * those that the reference implementation knows, so that both programs of a
 * machine trust the same.
 */
#include "x509_int.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cred_int.h"

/* The first that can be read. */
static const char *const files[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
    NULL
};

/* All of them. */
static const char *const dirs = "/etc/ssl/certs:/etc/pki/tls/certs"
    ":/system/etc/security/cacerts";

/* *read: there was such a file. Only running out of memory is an error. */
static int add_file(struct vsec_anchors *t, const char *path, bool *read)
{
    char why[VSEC_CRED_WHY];
    struct v23_buf text;
    struct stat st;
    int rc;

    *read = false;
    /* Nothing that might block, such as a pipe. */
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    v23_buf_init(&text, t->engine->al, VSEC_CRED_FILE_MAX);
    rc = vsec_cred_read_(path, &text, why);
    *read = rc == 0;
    if (rc == 0)
        rc = vsec_anchors_add_pem(t, v23_bytes(text.p, text.n));
    v23_buf_fini(&text);
    return rc == V23_ENOMEM ? rc : 0;
}

/* A second name for a file of the same directory, as c_rehash makes them. */
static bool is_alias(const char *path)
{
    char target[VSEC_CRED_PATH];
    ssize_t n = readlink(path, target, sizeof(target));

    return n > 0 && memchr(target, '/', (size_t)n) == NULL;
}

static int add_dir(struct vsec_anchors *t, const char *dir)
{
    char path[VSEC_CRED_PATH];
    struct dirent *d;
    DIR *h = opendir(dir);
    bool read;
    int rc = 0;

    while (rc == 0 && h != NULL && (d = readdir(h)) != NULL)
        if (snprintf(path, sizeof(path), "%s/%s", dir, d->d_name)
                < (int)sizeof(path)
            && !is_alias(path))
            rc = add_file(t, path, &read);
    if (h != NULL)
        closedir(h);
    return rc;
}

static int add_dirs(struct vsec_anchors *t, const char *list)
{
    char dir[VSEC_CRED_PATH];
    size_t n;
    int rc = 0;

    while (rc == 0 && *list != 0) {
        n = strcspn(list, ":");
        if (n > 0 && n < sizeof(dir)) {
            memcpy(dir, list, n);
            dir[n] = 0;
            rc = add_dir(t, dir);
        }
        list += n + (list[n] == ':');
    }
    return rc;
}

static int load(struct vsec_anchors *t)
{
    const char *file = getenv("SSL_CERT_FILE"), *list = getenv("SSL_CERT_DIR");
    bool read = false;
    size_t i;
    int rc = 0;

    if (file != NULL && *file != 0)
        rc = add_file(t, file, &read);
    else
        for (i = 0; rc == 0 && !read && files[i] != NULL; i++)
            rc = add_file(t, files[i], &read);
    if (rc == 0)
        rc = add_dirs(t, list != NULL && *list != 0 ? list : dirs);
    return rc;
}

int vsec_anchors_system(struct vsec_engine *e, struct vsec_anchors **out)
{
    int rc = vsec_anchors_new(e, out);

    if (rc == 0)
        (*out)->load = load;
    return rc;
}
