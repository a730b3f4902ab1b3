/* BSD-3-Clause; see LICENSE. */
/*
 * The key manager of an agent (spec 15.3): principals that its users make, each
 * served on a socket of its own. On disk a key is keys/<handle>, its store and
 * roots are creds/<handle>/, both named by the handle in base64url.
 */
#include "agent_int.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "cred_int.h"

enum { NAME = 4 * ((VSEC_AGENT_HANDLE + 2) / 3) + 1, PEM_MAX = 16 << 10 };

struct key {
    struct key *next;
    uint8_t handle[VSEC_AGENT_HANDLE];
    char name[NAME];
    bool on_disk;
    struct vsec_principal *principal;
    struct vsec_agent_server *server; /* NULL: is not served */
    void *listener;
};

struct vsec_agent_keys {
    struct vsec_agent_keys_config cfg;
    char *dir; /* NULL: all is in memory */
    struct v23_buf pass;
    struct key *keys;
};

/* ---- names --------------------------------------------------------------- */

static void put_name(const uint8_t handle[VSEC_AGENT_HANDLE], char name[NAME])
{
    struct v23_buf b;

    v23_buf_init_fixed(&b, name, NAME);
    v23_base64_put(&b, handle, VSEC_AGENT_HANDLE, true);
    v23_buf_put_byte(&b, 0);
}

static int handle_of(struct vsec_engine *e, const struct vsec_pubkey *k,
    uint8_t handle[VSEC_AGENT_HANDLE])
{
    return vsec_hash(e->crypto->sha512, k->der.p, k->der.n, handle);
}

/* path = DIR/<folder>/<name> */
static int key_path(const struct vsec_agent_keys *k, const char *folder,
    const char *name, char path[VSEC_CRED_PATH])
{
    int n = snprintf(path, VSEC_CRED_PATH, "%s/%s/%s", k->dir, folder, name);

    return n < 0 || n >= VSEC_CRED_PATH ? V23_ELIMIT : 0;
}

/* ---- keys in memory ------------------------------------------------------ */

static void unserve(struct vsec_agent_keys *k, struct key *key)
{
    if (key->server == NULL)
        return;
    k->cfg.unlisten(k->cfg.ud, key->listener);
    vsec_agent_server_free(key->server);
    key->server = NULL;
    key->listener = NULL;
}

static void key_free(struct vsec_agent_keys *k, struct key *key)
{
    unserve(k, key);
    vsec_principal_unref(key->principal);
    v23_put(k->cfg.engine->al, key);
}

/* Takes the caller's reference to p, also on failure. */
static int key_add(struct vsec_agent_keys *k, struct vsec_principal *p,
    bool on_disk, struct key **out)
{
    struct key *key = v23_new(k->cfg.engine->al, struct key);
    int rc = V23_ENOMEM;

    if (key != NULL)
        rc = handle_of(k->cfg.engine, p->key, key->handle);
    if (rc != 0) {
        v23_put(k->cfg.engine->al, key);
        vsec_principal_unref(p);
        return rc;
    }
    put_name(key->handle, key->name);
    key->on_disk = on_disk;
    key->principal = p;
    key->next = k->keys;
    k->keys = key;
    *out = key;
    return 0;
}

/* ---- keys on disk -------------------------------------------------------- */

static int failed(const struct vsec_agent_keys *k, int rc, const char *why)
{
    if (rc != 0 && rc != V23_ENOENT)
        v23_logf(k->cfg.log, V23_LOG_ERROR, "key manager: %s",
            why[0] != 0 ? why : v23_strerror(rc));
    return rc;
}

/* The principal of a key, its store and roots in creds/<name>. */
static int adopt(struct vsec_agent_keys *k, struct vsec_signer *signer,
    const char *name, struct vsec_principal **out, char *why)
{
    struct vsec_cred_opts opt;
    char dir[VSEC_CRED_PATH];
    int rc = key_path(k, "creds", name, dir);

    if (rc != 0)
        return rc;
    memset(&opt, 0, sizeof(opt));
    opt.engine = k->cfg.engine;
    opt.writable = true;
    opt.log = k->cfg.log;
    return vsec_cred_adopt(dir, &opt, signer, out, why);
}

static int save(struct vsec_agent_keys *k, struct vsec_signer *signer,
    const char *name, char *why)
{
    char dir[VSEC_CRED_PATH];
    struct v23_buf pem;
    int rc = vsec_cred_path_(dir, k->dir, "keys", why);

    v23_buf_init(&pem, k->cfg.engine->secret, PEM_MAX);
    if (rc == 0)
        rc = v23_buf_room(&pem, PEM_MAX); /* so that it does not move */
    if (rc == 0)
        rc = vsec_key_file_put(signer, v23_bytes(k->pass.p, k->pass.n), &pem);
    if (rc == 0)
        rc = vsec_cred_write_temp_(dir, name, v23_bytes(pem.p, pem.n), 0600,
            why);
    if (rc == 0)
        rc = vsec_cred_commit_(dir, name, why);
    if (rc == 0)
        vsec_cred_sync_dir_(dir);
    if (pem.p != NULL)
        v23_wipe(pem.p, pem.cap);
    v23_buf_fini(&pem);
    return rc;
}

static int load_key(struct vsec_agent_keys *k, const char *name,
    struct vsec_key_file *out, char *why)
{
    char path[VSEC_CRED_PATH];
    struct v23_buf pem;
    int rc = key_path(k, "keys", name, path);

    v23_buf_init(&pem, k->cfg.engine->secret, PEM_MAX);
    if (rc == 0)
        rc = v23_buf_room(&pem, PEM_MAX);
    if (rc == 0)
        rc = vsec_cred_read_(path, &pem, why);
    if (rc == 0)
        rc = vsec_key_file_read(k->cfg.engine, v23_bytes(pem.p, pem.n),
            v23_bytes(k->pass.p, k->pass.n), out);
    if (rc == 0 && out->place != VSEC_KEY_HERE) {
        vsec_key_file_fini(out);
        rc = V23_EKEY;
    }
    if (pem.p != NULL)
        v23_wipe(pem.p, pem.cap);
    v23_buf_fini(&pem);
    return rc;
}

static int load(struct vsec_agent_keys *k,
    const uint8_t handle[VSEC_AGENT_HANDLE], struct key **out, char *why)
{
    uint8_t found[VSEC_AGENT_HANDLE];
    struct vsec_principal *p = NULL;
    struct vsec_key_file f;
    char name[NAME];
    int rc;

    put_name(handle, name);
    rc = load_key(k, name, &f, why);
    if (rc != 0)
        return rc;
    rc = handle_of(k->cfg.engine, f.signer->pub, found);
    if (rc == 0 && memcmp(found, handle, sizeof(found)) != 0)
        rc = V23_EKEYMISMATCH;
    if (rc == 0)
        rc = adopt(k, f.signer, name, &p, why);
    vsec_key_file_fini(&f);
    return rc != 0 ? rc : key_add(k, p, true, out);
}

/* The key of a handle: known, or read from its file. */
static int find(struct vsec_agent_keys *k,
    const uint8_t handle[VSEC_AGENT_HANDLE], struct key **out)
{
    char why[VSEC_CRED_WHY] = "";
    struct key *key;

    for (key = k->keys; key != NULL; key = key->next)
        if (memcmp(key->handle, handle, VSEC_AGENT_HANDLE) == 0) {
            *out = key;
            return 0;
        }
    if (k->dir == NULL)
        return V23_ENOENT;
    return failed(k, load(k, handle, out, why), why);
}

/* ---- operations ---------------------------------------------------------- */

static int create(void *ud, bool in_memory, uint8_t handle[VSEC_AGENT_HANDLE])
{
    struct vsec_agent_keys *k = ud;
    struct vsec_principal *p = NULL;
    struct vsec_signer *signer;
    char why[VSEC_CRED_WHY] = "", name[NAME];
    struct key *key;
    int rc;

    if (!in_memory && k->dir == NULL)
        return V23_ESTATE;
    rc = vsec_signer_generate(k->cfg.engine, "ecdsa256", &signer);
    if (rc != 0)
        return rc;
    rc = handle_of(k->cfg.engine, signer->pub, handle);
    put_name(handle, name);
    if (rc == 0 && in_memory) {
        rc = vsec_principal_new(k->cfg.engine, signer, NULL, NULL, NULL, &p);
    } else if (rc == 0) {
        rc = save(k, signer, name, why);
        if (rc == 0)
            rc = adopt(k, signer, name, &p, why);
    }
    vsec_signer_unref(signer);
    if (rc == 0)
        rc = key_add(k, p, !in_memory, &key);
    return failed(k, rc, why);
}

static int serve(void *ud, const uint8_t handle[VSEC_AGENT_HANDLE],
    const char *path)
{
    struct vsec_agent_keys *k = ud;
    struct vsec_agent_server_config cfg;
    struct key *key;
    int rc = find(k, handle, &key);

    if (rc != 0)
        return rc;
    if (key->server != NULL)
        return V23_EEXIST;
    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = key->principal;
    cfg.name = "agent";
    rc = vsec_agent_server_new(&cfg, &key->server);
    if (rc != 0)
        return rc;
    rc = k->cfg.listen(k->cfg.ud, key->server, path, &key->listener);
    if (rc != 0) {
        vsec_agent_server_free(key->server);
        key->server = NULL;
    }
    return rc;
}

static int stop(void *ud, const uint8_t handle[VSEC_AGENT_HANDLE])
{
    struct vsec_agent_keys *k = ud;
    struct key *key;
    int rc = find(k, handle, &key);

    if (rc == 0 && key->server == NULL)
        rc = V23_ENOENT;
    if (rc == 0)
        unserve(k, key);
    return rc;
}

/* Nothing but files is in creds/<name>. */
static void remove_files(const char *dir)
{
    char path[VSEC_CRED_PATH];
    struct dirent *e;
    DIR *d = opendir(dir);
    int n;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        n = snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (n > 0 && n < (int)sizeof(path))
            unlink(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(dir);
}

static int remove_key(void *ud, const uint8_t handle[VSEC_AGENT_HANDLE])
{
    struct vsec_agent_keys *k = ud;
    char path[VSEC_CRED_PATH], why[VSEC_CRED_WHY] = "";
    struct key *key, **p;
    int rc = find(k, handle, &key);

    if (rc == 0 && key->on_disk)
        rc = key_path(k, "keys", key->name, path);
    if (rc == 0 && key->on_disk && unlink(path) != 0)
        rc = vsec_cred_sys_(why, "unlink", path);
    if (rc != 0)
        return failed(k, rc, why);
    if (key->on_disk && key_path(k, "creds", key->name, path) == 0)
        remove_files(path);
    for (p = &k->keys; *p != key; p = &(*p)->next)
        ;
    *p = key->next;
    key_free(k, key);
    return 0;
}

struct vsec_agent_manager vsec_agent_keys_manager(struct vsec_agent_keys *k)
{
    struct vsec_agent_manager m = { create, serve, stop, remove_key, k };

    return m;
}

/* ---- objects ------------------------------------------------------------- */

static int make_folder(const struct vsec_agent_keys *k, const char *folder,
    char *why)
{
    char path[VSEC_CRED_PATH];
    int rc = vsec_cred_path_(path, k->dir, folder, why);

    return rc != 0 ? rc : vsec_cred_mkdir_(path, why);
}

static int init(struct vsec_agent_keys *k)
{
    const struct v23_alloc *al = k->cfg.engine->al;
    size_t n = k->cfg.dir == NULL ? 0 : strlen(k->cfg.dir);
    char why[VSEC_CRED_WHY] = "";
    int rc;

    v23_buf_init(&k->pass, k->cfg.engine->secret, 1 << 16);
    v23_buf_put(&k->pass, k->cfg.pass.p, k->cfg.pass.n);
    if (k->pass.err != 0 || n == 0)
        return k->pass.err;
    k->dir = v23_get(al, n + 1);
    if (k->dir == NULL)
        return V23_ENOMEM;
    memcpy(k->dir, k->cfg.dir, n + 1);
    rc = make_folder(k, "keys", why);
    if (rc == 0)
        rc = make_folder(k, "creds", why);
    return failed(k, rc, why);
}

int vsec_agent_keys_new(const struct vsec_agent_keys_config *cfg,
    struct vsec_agent_keys **out)
{
    struct vsec_agent_keys *k = v23_new(cfg->engine->al,
        struct vsec_agent_keys);
    int rc;

    if (k == NULL)
        return V23_ENOMEM;
    k->cfg = *cfg;
    k->cfg.engine = vsec_engine_ref(cfg->engine);
    rc = init(k);
    k->cfg.dir = NULL;
    k->cfg.pass = v23_bytes(NULL, 0);
    if (rc != 0)
        vsec_agent_keys_free(k);
    else
        *out = k;
    return rc;
}

void vsec_agent_keys_free(struct vsec_agent_keys *k)
{
    struct vsec_engine *e;
    struct key *key;

    if (k == NULL)
        return;
    e = k->cfg.engine;
    while ((key = k->keys) != NULL) {
        k->keys = key->next;
        key_free(k, key);
    }
    if (k->pass.p != NULL)
        v23_wipe(k->pass.p, k->pass.cap);
    v23_buf_fini(&k->pass);
    v23_put(e->al, k->dir);
    v23_put(e->al, k);
    vsec_engine_unref(e);
}
