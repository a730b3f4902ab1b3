/* BSD-3-Clause; see LICENSE. */
/* Credentials for a test bed, gone with it. */
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <v23/cmdline.h>
#include <vsec/credentials.h>
#include <vsec/principal.h>

struct newborn {
    struct vsec_principal *by; /* NULL: itself */
    const char *name;
};

int people_init(struct people *p)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(p->dir, sizeof(p->dir), "%s/servicerunnerXXXXXX",
        tmp == NULL || *tmp == 0 ? "/tmp" : tmp);

    if (n < 0 || (size_t)n >= sizeof(p->dir)) {
        p->dir[0] = 0;
        return v23_error("the path of the temporary directory is too long");
    }
    if (mkdtemp(p->dir) != NULL)
        return 0;
    n = v23_error("%s: %s", p->dir, strerror(errno));
    p->dir[0] = 0;
    return n;
}

/* Directories are two deep, and there are no links. */
static void remove_all(const char *dir, int depth)
{
    char path[1024];
    struct dirent *e;
    DIR *d = opendir(dir);

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (unlink(path) != 0 && depth > 0)
            remove_all(path, depth - 1);
    }
    if (d != NULL)
        closedir(d);
    (void)rmdir(dir);
}

void people_fini(struct people *p)
{
    if (p->dir[0] != 0)
        remove_all(p->dir, 2);
    p->dir[0] = 0;
}

/* What a new principal has from the start. */
static int furnish(void *ud, struct vsec_principal *p)
{
    const struct newborn *n = ud;
    v23_security_caveat free_use = vsec_caveat_unconstrained();
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b = NULL;
    struct vsec_bless what = { NULL, NULL, vdl_str(n->name),
        { &free_use, 1 } };
    int rc;

    if (n->by == NULL) {
        rc = vsec_principal_bless_self(p, vdl_str(n->name), none, &b);
    } else {
        what.key = p->key;
        what.with = vsec_store_default(n->by->store);
        rc = vsec_principal_bless(n->by, &what, &b);
    }
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(p, b);
    vsec_blessings_unref(b);
    return rc;
}

static int make(struct newborn *n, const char *path)
{
    struct vsec_cred_opts opt = { .writable = true, .furnish = furnish,
        .furnish_ud = n };
    struct vsec_principal *p = NULL;
    struct vsec_signer *signer = NULL;
    struct vsec_engine *e = NULL;
    char why[VSEC_CRED_WHY] = "";
    int rc = vsec_engine_new(&e, &vsec_crypto_default, NULL, NULL);

    opt.engine = e;
    if (rc == 0)
        rc = vsec_signer_generate(e, "ecdsa256", &signer);
    if (rc == 0)
        rc = vsec_cred_create(path, &opt, signer, v23_bytes(NULL, 0), &p, why);
    if (rc != 0)
        v23_error("cannot make credentials in %s: %s", path,
            why[0] != 0 ? why : v23_strerror(rc));
    vsec_principal_unref(p);
    vsec_signer_unref(signer);
    vsec_engine_unref(e);
    return rc == 0 ? 0 : 1;
}

int people_self(struct people *p, const char *name, char *path, size_t size)
{
    struct newborn n = { NULL, name };

    snprintf(path, size, "%s/%s", p->dir, name);
    return make(&n, path);
}

int people_blessed(struct people *p, struct vsec_principal *by,
    const char *name, const char *extension, char *path, size_t size)
{
    struct newborn n = { by, extension };

    snprintf(path, size, "%s/%s", p->dir, name);
    return make(&n, path);
}
