/* BSD-3-Clause; see LICENSE. */
/* Stores, signed streams and credentials directories (spec 7.2, 12). */
#include "security_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vom/enc.h>
#include <vom/time.h>
#include <vsec/credentials.h>

/* ---- stores -------------------------------------------------------------- */

static bool new_store(struct run_case *c, struct vsec_store **out)
{
    struct vsec_engine *e = run_sec_engine(c);
    struct vsec_pubkey *k;
    int rc;

    if (e == NULL)
        return false;
    rc = vsec_pubkey_parse(e, run_sec_bytes(c->json, "public_key"), &k);
    if (rc == 0) {
        rc = vsec_store_new(e, k, out);
        vsec_pubkey_unref(k);
    }
    return rc == 0 || run_fail(c, "store: %s", v23_strerror(rc));
}

/* Perform the record's Set operations; each tells what it replaces. */
static bool set_all(struct run_case *c, struct vsec_store *s)
{
    const cJSON *o, *ops = run_sec_get(c->json, "set");
    struct vsec_blessings *b, *old;
    bool ok = true;
    int rc;

    cJSON_ArrayForEach(o, ops) {
        if (!run_sec_blessings(c, run_sec_text(o, "vom"), &b))
            return false;
        old = NULL;
        rc = vsec_store_set(s, b, vdl_str(run_sec_text(o, "pattern")), &old);
        if (rc != 0)
            ok = run_fail(c, "set: %s", v23_strerror(rc));
        else
            ok = run_sec_same_text(c, o, "previous",
                vsec_blessings_text(old));
        vsec_blessings_unref(old);
        vsec_blessings_unref(b);
        if (!ok)
            return false;
    }
    return true;
}

bool run_sec_for_peer(struct run_case *c)
{
    struct vsec_blessings *b = NULL;
    struct vsec_store *s = NULL;
    struct v23_arena a;
    bool ok;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = new_store(c, &s) && set_all(c, s);
    if (ok) {
        rc = vsec_store_for_peer(s,
            run_sec_strs(run_sec_get(c->json, "peer_names"), &a), &b);
        if (rc != 0)
            ok = run_fail(c, "%s", v23_strerror(rc));
        else
            ok = run_sec_same_text(c, c->json, "expect",
                     vsec_blessings_text(b))
                && run_sec_same(c, c->json, "expect_unique_id",
                    b == NULL ? NULL : b->id, b == NULL ? 0 : b->nid)
                && run_sec_encodes(c, b, run_str(c, "expect_vom"));
    }
    vsec_blessings_unref(b);
    vsec_store_unref(s);
    v23_arena_fini(&a);
    return ok;
}

bool run_sec_set_errors(struct run_case *c)
{
    struct vsec_blessings *b = NULL;
    struct vsec_store *s = NULL;
    bool ok;
    int rc;

    ok = new_store(c, &s) && run_sec_blessings(c, run_str(c, "vom"), &b);
    if (ok) {
        rc = vsec_store_set(s, b, vdl_str(run_str(c, "pattern")), NULL);
        if ((rc == 0) != run_bool(c, "ok"))
            ok = run_fail(c, "set: %s", v23_strerror(rc));
        rc = vsec_store_set_default(s, b);
        if (ok && (rc == 0) != run_bool(c, "set_default_ok"))
            ok = run_fail(c, "set default: %s", v23_strerror(rc));
    }
    vsec_blessings_unref(b);
    vsec_store_unref(s);
    return ok;
}

/* ---- serialization.jsonl ------------------------------------------------- */

bool run_sec_serialization(struct run_case *c)
{
    bool want = strcmp(run_str(c, "recommended"), "ok") == 0;
    struct vsec_engine *e = run_sec_engine(c);
    struct v23_bytes data = run_hex(c, "data"), sig = run_hex(c, "sig");
    struct vsec_pubkey *k;
    int rc;

    if (e == NULL || vsec_pubkey_parse(e,
            run_sec_bytes(c->json, "public_key"), &k) != 0)
        return run_fail(c, "key");
    rc = vsec_stream_verify(k, data, sig);
    vsec_pubkey_unref(k);
    if ((rc == 0) != want)
        return run_fail(c, "%s", v23_strerror(rc));
    return rc != 0 || run_sec_same(c, c->json, "read", data.p, data.n);
}

/* ---- loading directories ------------------------------------------------- */

static int give_passphrase(void *ud, const char *what, struct v23_buf *out)
{
    (void)what;
    v23_buf_puts(out, ud);
    return out->err;
}

/* Load `name` from the working directory `base`: key files may name others
 * relative to it. */
static int load(struct run_case *c, const char *base, const char *name,
    const char *pass, bool derive, struct vsec_principal **out, char *why)
{
    struct vsec_cred_opts opt;
    char secret[128];
    int rc, here = open(".", O_RDONLY);

    memset(&opt, 0, sizeof(opt));
    snprintf(secret, sizeof(secret), "%s", pass);
    opt.engine = run_sec_engine(c);
    opt.readonly_fs = true;
    opt.public_key_only_ok = pass[0] == 0;
    opt.derive_public = derive;
    if (pass[0] != 0) {
        opt.passphrase = give_passphrase;
        opt.ud = secret;
    }
    *out = NULL;
    if (here < 0 || chdir(base) != 0) {
        snprintf(why, VSEC_CRED_WHY, "no directory %s", base);
        rc = V23_ESYS;
    } else {
        rc = vsec_cred_load(name, &opt, out, why);
    }
    if (here < 0 || fchdir(here) != 0)
        abort();
    close(here);
    return rc;
}

/* <dir>/credentials, in the directory under test or the project's own. */
static void base_dir(const struct run_case *c, char *path, size_t size)
{
    struct stat st;

    snprintf(path, size, "%s/credentials", c->dir);
    if (stat(path, &st) != 0)
        snprintf(path, size, "%s/credentials", c->companions);
}

/* The part of "credentials/alice" behind the slash. */
static const char *dir_name(struct run_case *c)
{
    const char *dir = run_str(c, "dir"), *slash = strchr(dir, '/');

    return slash == NULL ? dir : slash + 1;
}

/* ---- credentials_contents.jsonl ------------------------------------------ */

static bool same_blessings(struct run_case *c, const cJSON *want,
    const struct vsec_blessings *b)
{
    return run_sec_same_text(c, want, "string", vsec_blessings_text(b))
        && (run_sec_text(want, "vom")[0] == 0
            || run_sec_encodes(c, b, run_sec_text(want, "vom")));
}

static bool check_peers(struct run_case *c, const struct vsec_store *s)
{
    const cJSON *o, *want = run_sec_get(c->json, "peers");
    const struct vsec_store_entry *v;
    size_t n, i;

    v = vsec_store_peers(s, &n);
    if ((size_t)cJSON_GetArraySize(want) != n)
        return run_fail(c, "%zu peer entries", n);
    cJSON_ArrayForEach(o, want) {
        for (i = 0; i < n; i++)
            if (vdl_str_is(v[i].pattern, run_sec_text(o, "pattern")))
                break;
        if (i == n)
            return run_fail(c, "no entry for %s", run_sec_text(o, "pattern"));
        if (!same_blessings(c, o, v[i].b))
            return false;
    }
    return true;
}

static bool check_roots(struct run_case *c, const struct vsec_roots *r)
{
    const cJSON *o, *want = run_sec_get(c->json, "roots");
    const struct vsec_root *v;
    vdl_str_list patterns;
    struct vdl_bytes key;
    size_t n, i;

    v = vsec_roots_all(r, &n);
    if ((size_t)cJSON_GetArraySize(want) != n)
        return run_fail(c, "%zu roots", n);
    cJSON_ArrayForEach(o, want) {
        key = run_sec_bytes(o, "public_key");
        for (i = 0; i < n && !vdl_bytes_eq(v[i].key, key); i++)
            ;
        if (i == n)
            return run_fail(c, "no root %s", run_sec_text(o, "public_key"));
        patterns.v = v[i].patterns;
        patterns.n = (uint32_t)v[i].npatterns;
        if (!run_sec_same_strs(c, run_sec_get(o, "patterns"), "patterns",
                patterns))
            return false;
    }
    return true;
}

static bool same_discharge(struct run_case *c, const cJSON *want,
    const struct vsec_store_discharge *got)
{
    struct v23_buf b;
    bool ok;

    v23_buf_init(&b, NULL, SIZE_MAX);
    ok = vom_encode_single(NULL, &v23_security_wire_discharge_desc,
             &got->d->wire, &b) == 0
        && run_sec_same(c, want, "discharge_vom", b.p, b.n)
        && (v23_walltime_cmp(run_sec_time(run_sec_text(want, "cache_time")),
                got->cached) == 0
            || run_fail(c, "cache time"));
    v23_buf_fini(&b);
    return ok;
}

static bool check_discharges(struct run_case *c, const struct vsec_store *s)
{
    const cJSON *o, *want = run_sec_get(c->json, "discharges");
    const struct vsec_store_discharge *v = s->state.discharges;
    size_t n = s->state.ndischarges, i;

    if ((size_t)cJSON_GetArraySize(want) != n)
        return run_fail(c, "%zu discharges", n);
    cJSON_ArrayForEach(o, want) {
        for (i = 0; i < n; i++)
            if (vdl_str_is(vsec_discharge_id(v[i].d),
                    run_sec_text(o, "discharge_id")))
                break;
        if (i == n || !same_discharge(c, o, &v[i]))
            return run_fail(c, "discharge %s",
                run_sec_text(o, "discharge_id"));
    }
    return true;
}

static bool check_principal(struct run_case *c,
    const struct vsec_principal *p)
{
    char print[VSEC_FINGERPRINT];

    if (vsec_fingerprint(p->engine->crypto, p->key->der, print) != 0)
        return run_fail(c, "fingerprint");
    return run_sec_same(c, c->json, "public_key", p->key->der.p,
               p->key->der.n)
        && run_sec_same_text(c, c->json, "fingerprint", vdl_str(print));
}

static bool check_contents(struct run_case *c,
    const struct vsec_principal *p)
{
    return check_principal(c, p)
        && same_blessings(c, run_sec_get(c->json, "default"),
            vsec_store_default(p->store))
        && check_peers(c, p->store) && check_roots(c, p->roots)
        && check_discharges(c, p->store);
}

/* A directory that the reference cannot load: one of 2015 gives at least its
 * key when asked to. */
static bool check_unloadable(struct run_case *c, const char *base)
{
    char why[VSEC_CRED_WHY];
    struct vsec_principal *p;
    bool ok = true;
    int rc = load(c, base, dir_name(c), "", true, &p, why);

    if (rc == 0 && run_has(c, "public_key"))
        ok = check_principal(c, p);
    if (rc == 0 && p->signer == NULL)
        ok = run_fail(c, "no signer");
    vsec_principal_unref(p);
    return ok;
}

bool run_sec_contents(struct run_case *c)
{
    const char *pass = run_sec_text(c->json, "passphrase");
    bool want = run_bool(c, "loadable"), ok;
    char base[1024], why[VSEC_CRED_WHY];
    struct vsec_principal *p;
    int rc;

    if (run_sec_engine(c) == NULL)
        return false;
    base_dir(c, base, sizeof(base));
    rc = load(c, base, dir_name(c), pass, false, &p, why);
    ok = (rc == 0) == want || run_fail(c, "%s", rc == 0 ? "loaded" : why);
    if (ok && rc == 0)
        ok = check_contents(c, p)
            && (pass[0] == 0 || p->signer != NULL
                || run_fail(c, "no signer"));
    vsec_principal_unref(p);
    if (ok && want && pass[0] != 0) {
        /* Without the passphrase: everything but signing. */
        rc = load(c, base, dir_name(c), "", false, &p, why);
        ok = (rc == 0 && p->signer == NULL && check_contents(c, p))
            || run_fail(c, "without passphrase: %s", why);
        vsec_principal_unref(p);
    }
    return ok && (want || check_unloadable(c, base));
}

/* ---- credentials_negative.jsonl ------------------------------------------ */

static void put_file(const char *dir, const char *name, struct v23_bytes data)
{
    char path[2048];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "wb");
    if (f == NULL || fwrite(data.p, 1, data.n, f) != data.n)
        abort();
    fclose(f);
}

/* Copy the files of a directory, with the record's change. */
static bool copy_changed(struct run_case *c, const char *from,
    const char *to)
{
    const char *file = run_str(c, "file");
    char path[2048], *text;
    struct dirent *e;
    size_t n;
    DIR *d = opendir(from);

    if (d == NULL)
        return run_fail(c, "no directory %s", from);
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.' || strcmp(e->d_name, file) == 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", from, e->d_name);
        text = tst_read_file(path, &n);
        if (text != NULL)
            put_file(to, e->d_name, v23_bytes(text, n));
        free(text);
    }
    closedir(d);
    if (!run_bool(c, "remove"))
        put_file(to, file, run_hex(c, "content"));
    return true;
}

static void remove_all(const char *dir)
{
    char path[2048];
    struct dirent *e;
    DIR *d = opendir(dir);

    while (d != NULL && (e = readdir(d)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(dir);
}

static bool check_negative(struct run_case *c,
    const struct vsec_principal *p)
{
    const cJSON *roots = run_sec_get(c->json, "roots");
    size_t n;

    vsec_roots_all(p->roots, &n);
    if (cJSON_IsNumber(roots) && (size_t)roots->valuedouble != n)
        return run_fail(c, "%zu roots", n);
    return !run_has(c, "default")
        || run_sec_same_text(c, c->json, "default",
            vsec_blessings_text(vsec_store_default(p->store)));
}

bool run_sec_negative(struct run_case *c)
{
    const char *want = run_str(c, "recommended");
    const char *tmp = getenv("TMPDIR");
    char base[1024], from[1100], to[1024], why[VSEC_CRED_WHY] = "";
    struct vsec_principal *p = NULL;
    bool ok;
    int rc;

    if (run_sec_engine(c) == NULL)
        return false;
    base_dir(c, base, sizeof(base));
    snprintf(from, sizeof(from), "%s/%s", base, dir_name(c));
    snprintf(to, sizeof(to), "%s/v23-cred-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(to) == NULL)
        return run_fail(c, "no temporary directory");
    ok = copy_changed(c, from, to);
    if (ok) {
        rc = load(c, to, ".", "", false, &p, why);
        if (strcmp(want, "either") != 0)
            ok = (rc == 0) == (strcmp(want, "ok") == 0)
                || run_fail(c, "%s", rc == 0 ? "loaded" : why);
        if (ok && rc == 0)
            ok = check_negative(c, p);
    }
    vsec_principal_unref(p);
    remove_all(to);
    return ok;
}
