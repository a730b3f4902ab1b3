/* BSD-3-Clause; see LICENSE. */
/* A credentials directory for the tests of what happens in it. */
#ifndef VSEC_TEST_CRED_RIG_H
#define VSEC_TEST_CRED_RIG_H

#include "people.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vsec/credentials.h>

static char base[64], dir[80];
static struct vsec_cred_opts opt;
static char why[VSEC_CRED_WHY];

static inline void cred_setup(void)
{
    people_setup();
    /* In memory, where syncing costs nothing. */
    snprintf(base, sizeof(base), "%s/v23-cred-XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(dir, sizeof(dir), "%s/d", base);
    memset(&opt, 0, sizeof(opt));
    opt.engine = e;
    opt.writable = true;
    why[0] = 0;
}

static inline const char *file(const char *name)
{
    static char path[4][128];
    static unsigned next;
    char *p = path[next++ % 4];

    snprintf(p, 128, "%s/%s", dir, name);
    return p;
}

static inline void remove_dir(const char *path)
{
    char sub[400];
    struct dirent *d;
    DIR *h = opendir(path);

    while (h != NULL && (d = readdir(h)) != NULL) {
        if (snprintf(sub, sizeof(sub), "%s/%s", path, d->d_name)
                < (int)sizeof(sub)
            && d->d_name[0] != '.' && unlink(sub) != 0)
            remove_dir(sub);
    }
    if (h != NULL)
        closedir(h);
    rmdir(path);
}

static inline void cred_teardown(void)
{
    remove_dir(base);
    people_teardown();
}

static inline struct vsec_principal *create(const char *pass)
{
    struct vsec_principal *p;
    struct vsec_signer *s;

    ck_assert_int_eq(vsec_signer_generate(e, "ed25519", &s), 0);
    ck_assert_int_eq(vsec_cred_create(dir, &opt, s,
        v23_bytes(pass, strlen(pass)), &p, why), 0);
    vsec_signer_unref(s);
    return p;
}

static inline int try_load(bool writable, struct vsec_principal **p)
{
    *p = NULL;
    opt.writable = writable;
    return vsec_cred_load(dir, &opt, p, why);
}

static inline struct vsec_principal *load(bool writable)
{
    struct vsec_principal *p;
    int rc = try_load(writable, &p);

    ck_assert_msg(rc == 0, "%s", why);
    return p;
}

static inline void put(const char *name, const void *data, size_t n)
{
    FILE *f = fopen(file(name), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, n, f), n);
    fclose(f);
}

static inline bool mentions(const char *text)
{
    return strstr(why, text) != NULL;
}

static inline bool exists(const char *name)
{
    struct stat st;

    return stat(file(name), &st) == 0;
}

static inline unsigned mode(const char *name)
{
    struct stat st;

    ck_assert_int_eq(stat(file(name), &st), 0);
    return st.st_mode & 0777;
}

#endif
