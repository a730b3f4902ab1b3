/* BSD-3-Clause; see LICENSE. */
/*
 * Credentials directories as a whole: load, reload, and the principal of a
 * program that starts (spec 12).
 */
#include "cred_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <v23/time.h>

#include <vsec/x509.h>

/* ---- load ---------------------------------------------------------------- */

int vsec_cred_assemble_(const char *dir, const struct vsec_cred_opts *opt,
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
    if (rc == 0 && k->x509.n > 0) {
        rc = vsec_principal_use_x509(*out, v23_bytes(k->x509.p, k->x509.n));
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

int vsec_cred_reason_(int rc, char *why)
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
        return vsec_cred_reason_(rc, why);
    rc = vsec_cred_keys_load_(dir, opt, &keys, why);
    if (rc == 0) {
        rc = vsec_cred_assemble_(dir, opt, &keys, out, why);
        vsec_cred_keys_fini_(&keys);
    }
    vsec_cred_unlock_(&fd);
    return vsec_cred_reason_(rc, why);
}

int vsec_cred_reload(struct vsec_principal *p, char why[VSEC_CRED_WHY])
{
    int rc;

    why[0] = 0;
    rc = vsec_cred_store_reload_(p->store, why);
    if (rc == 0)
        rc = vsec_cred_roots_reload_(p->roots, why);
    return vsec_cred_reason_(rc, why);
}

int vsec_cred_adopt(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_signer *signer, struct vsec_principal **out,
    char why[VSEC_CRED_WHY])
{
    struct vsec_cred_keys_ keys;
    int rc, fd = -1;

    why[0] = 0;
    memset(&keys, 0, sizeof(keys));
    keys.signer = signer;
    keys.key = signer->pub;
    rc = vsec_cred_mkdir_(dir, why);
    if (rc == 0)
        rc = vsec_cred_lock_(dir, "dir.lock", lock_kind(opt), &fd, why);
    if (rc == 0)
        rc = vsec_cred_assemble_(dir, opt, &keys, out, why);
    vsec_cred_unlock_(&fd);
    return vsec_cred_reason_(rc, why);
}

/* ---- programs ------------------------------------------------------------ */

const char *const vsec_cred_env[] = { "V23_CREDENTIALS",
    "V23_CREDENTIALS_READONLY_FILESYSTEM", "V23_CREDENTIALS_NO_LOCK",
    "V23_AGENT_PATH", "V23_AGENT_ENDPOINT", NULL };

bool vsec_cred_env_readonly_fs(void)
{
    const char *v = getenv("V23_CREDENTIALS_READONLY_FILESYSTEM");

    if (v == NULL || *v == 0)
        v = getenv("V23_CREDENTIALS_NO_LOCK");
    return v != NULL && *v != 0;
}

int64_t vsec_cred_env_reload_ns(const struct v23_log *log)
{
    const char *text = getenv("V23_CREDENTIALS_RELOAD_INTERVAL");
    int64_t ns = 5 * 60 * V23_NS_PER_SEC, given;

    if (text == NULL || *text == 0)
        return ns;
    if (v23_duration_parse(text, &given, NULL) == 0 && given > 0)
        return given;
    v23_logf(log, V23_LOG_WARN, "V23_CREDENTIALS_RELOAD_INTERVAL: "
        "\"%.64s\" is not a time above zero; 5m is used", text);
    return ns;
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

static int anonymous(const struct vsec_cred_opts *opt,
    struct vsec_principal **out)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b = NULL;
    struct vsec_principal *p;
    char name[320];
    int rc = default_name(opt->engine, name, sizeof(name));

    if (rc == 0)
        rc = vsec_principal_generate(opt->engine, "ecdsa256", &p);
    if (rc != 0)
        return rc;
    rc = vsec_cred_x509_(p->roots, opt);
    if (rc == 0)
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
        return vsec_cred_reason_(anonymous(opt, out), why);
    o.passphrase = NULL;
    o.public_key_only_ok = true;
    return vsec_cred_load(dir, &o, out, why);
}
