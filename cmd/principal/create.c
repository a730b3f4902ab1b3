/* BSD-3-Clause; see LICENSE. */
/* create and fork: new principals. */
#include "principal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Flags about the new key; create and fork have their own. */
struct key_flags {
    bool overwrite, with_passphrase, copy;
    const char *type, *ssh_public, *ssh_key, *ssl_key, *ssl_cert;
};

#define KEY_FLAGS(f) \
    { "copy-private-key", "If set, the private key will be copied into the " \
        "newly created principal rather than being referred to in its " \
        "current location.", "false", V23_FLAG_BOOL, &(f).copy, NULL }, \
    { "key-type", "The type of key to be created, allowed values are " \
        "ecdsa256, ecdsa384, ecdsa521, ed25519, rsa2048, rsa4096.", \
        "ecdsa256", V23_FLAG_STRING, &(f).type, NULL }, \
    { "overwrite", "If true, any existing principal data in the directory " \
        "will be overwritten", "false", V23_FLAG_BOOL, &(f).overwrite, \
        NULL }, \
    { "ssh-key", "If set, use the ssh private key from the specified file", \
        "", V23_FLAG_STRING, &(f).ssh_key, NULL }, \
    { "ssh-public-key", "If set, use the key hosted by the accessible " \
        "ssh-agent that corresponds to the specified public key file.", "", \
        V23_FLAG_STRING, &(f).ssh_public, NULL }, \
    { "ssl-cert", "If set, use the ssl/tls certificate from the specified " \
        "file.", "", V23_FLAG_STRING, &(f).ssl_cert, NULL }, \
    { "ssl-key", "If set, use the ssl/tls private key from the specified " \
        "file.", "", V23_FLAG_STRING, &(f).ssl_key, NULL }, \
    { "with-passphrase", "If true, the user is prompted for a passphrase to " \
        "encrypt the principal. Otherwise, the principal is stored " \
        "unencrypted.", "true", V23_FLAG_BOOL, &(f).with_passphrase, NULL }

enum { NKEY_FLAGS = 8 };

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
    if (*f->ssh_public != 0)
        return failed("keys in an ssh-agent are not supported");
    return 0;
}

static void lower(const char *s, char *out, size_t size)
{
    size_t i;

    for (i = 0; s[i] != 0 && i + 1 < size; i++)
        out[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
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

/* Read a private key from a file of the user's. */
static int read_key(struct app *app, const char *path, bool encrypted_ok,
    struct vsec_signer **out)
{
    struct v23_bytes none = { NULL, 0 };
    struct vsec_key_file f;
    struct v23_buf text, pass;
    char prompt[300];
    int rc;

    v23_buf_init(&text, app->engine->secret, FILE_MAX);
    v23_buf_init(&pass, app->engine->secret, 4096);
    rc = app_read_file(path, &text);
    if (rc != 0) {
        snprintf(prompt, sizeof(prompt), "open %.200s: %s", path,
            strerror(errno));
        rc = failed(prompt);
        goto out;
    }
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
        rc = failed(v23_strerror(rc));
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
    d = depth == 0 ? NULL : opendir(path);
    if (d == NULL)
        return -1;
    while (rc == 0 && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name)
            >= (int)sizeof(sub))
            rc = -1;
        else
            rc = remove_tree(sub, depth - 1);
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

/* What a new principal gets before its directory counts as one. */
struct newborn {
    int (*give)(void *ud, struct vsec_principal *p); /* prints its errors */
    void *ud;
    int rc; /* of `give` */
};

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

    if (rc != 0)
        return rc;
    app_options(app, &opt);
    opt.writable = true;
    opt.furnish = furnish;
    opt.furnish_ud = n;
    rc = vsec_cred_create(dir, &opt, signer, pass, &p, why);
    vsec_signer_unref(signer);
    if (rc == 0)
        vsec_principal_unref(p);
    return rc == 0 || n->rc != 0 ? rc : failed(why);
}

/* Contents of the key files of an imported key. */
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
    if (*f->ssl_cert != 0 && app_read_file(f->ssl_cert, pub) != 0)
        return failed("the certificate file cannot be read");
    return 0;
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
    rc = import_files(app, f, pass, &priv, &pub);
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

static int create_principal(struct app *app, const char *dir,
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
    if (rc == 0 && f->overwrite && remove_tree(dir, 32) != 0)
        rc = failed(strerror(errno));
    secret = v23_bytes(pass.p, pass.n);
    if (rc == 0)
        rc = fresh ? create_fresh(app, dir, f, secret, n)
                   : create_imported(app, dir, f, secret, n);
    app_wipe(&pass);
    return rc;
}

static int set_defaults(struct vsec_principal *p, struct vsec_blessings *b)
{
    int rc = vsec_principal_set_default_blessings(p, b);

    return rc == 0 ? 0 : v23_error("could not set blessings %.*s as default: "
        "%s", (int)vsec_blessings_text(b).n, vsec_blessings_text(b).p,
        v23_strerror(rc));
}

/* ---- create -------------------------------------------------------------- */

static struct key_flags create_keys = { false, true, false, "ecdsa256", "",
    "", "", "" };

static int name_self(void *ud, struct vsec_principal *p)
{
    const v23_security_caveat_list none = { NULL, 0 };
    const char *name = ud;
    struct vsec_blessings *b;
    char why[512];
    int rc = vsec_principal_bless_self(p, vdl_str(name), none, &b);

    if (rc == 0) {
        rc = set_defaults(p, b);
        vsec_blessings_unref(b);
        return rc;
    }
    if (rc == V23_EPATTERN)
        app_extension_error(name, why, sizeof(why));
    else if (p->x509.n > 0)
        snprintf(why, sizeof(why),
            "blessings by X.509 certificates are not supported");
    else
        snprintf(why, sizeof(why), "%s", v23_strerror(rc));
    return v23_error("BlessSelf(\"%s\") failed: %s", name, why);
}

static int create(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct newborn n = { argc == 2 ? name_self : NULL, NULL, 0 };

    (void)inv;
    if (argc < 1 || argc > 2)
        return v23_error("requires one or two arguments: <directory> [and "
            "optional <blessing>], provided %d", argc);
    n.ud = argv[argc - 1];
    return create_principal(ud, argv[0], &create_keys, &n);
}

static const struct v23_flag create_flags[] = { KEY_FLAGS(create_keys) };

const struct v23_command cmd_create = {
    .name = "create",
    .brief = "Create a new principal and persist it into a directory",
    .about = "Creates a new principal with a single optional self-blessed "
        "blessing and writes it out to the provided directory. The same "
        "directory can then be used to set the V23_CREDENTIALS environment "
        "variable for other vanadium applications.\n\nThe operation fails if "
        "the directory already contains a principal. In this case the "
        "--overwrite flag can be provided to clear the directory and write "
        "out the new principal.",
    .args = "<directory> [<blessing>]",
    .args_help = "<directory> is the directory to which the new principal "
        "will be persisted.\n\n<blessing> is the optional self-blessed "
        "blessing that the principal will be setup to use by default. If a "
        "blessing argument is not provided, the new principal will have no "
        "blessings.",
    .flags = create_flags,
    .nflags = NKEY_FLAGS,
    .run = create,
};

/* ---- fork ---------------------------------------------------------------- */

static struct key_flags fork_keys = { false, true, false, "ecdsa256", "", "",
    "", "" };
static struct caveat_flags fork_caveats;
static const char *with_file = "";
static bool require_caveats = true;

/* Caveats in wire order. */
static int final_caveats(struct v23_arena *a, v23_security_caveat_list *l)
{
    v23_security_caveat *free_use;
    int rc = caveats_make(&fork_caveats, a, l);

    if (rc != 0)
        return rc;
    caveats_rotate(*l);
    if (l->n > 0)
        return 0;
    if (require_caveats)
        return v23_error("%s", no_caveats);
    free_use = v23_arena_new(a, v23_security_caveat);
    if (free_use == NULL)
        return v23_error("out of memory");
    *free_use = vsec_caveat_unconstrained();
    l->v = free_use;
    l->n = 1;
    return 0;
}

/* The blessing of a forked principal. */
struct heritage {
    struct app *app;
    struct vsec_blessings *with;
    const char *extension;
    v23_security_caveat_list caveats;
};

static int bless_new(void *ud, struct vsec_principal *fresh)
{
    const struct heritage *h = ud;
    struct vsec_blessings *b;
    struct vsec_bless what;
    int rc;

    what.key = fresh->key;
    what.with = h->with;
    what.extension = vdl_str(h->extension);
    what.caveats = h->caveats;
    rc = vsec_principal_bless(h->app->p, &what, &b);
    if (rc != 0)
        return app_bless_error(h->app, rc, h->extension, h->with);
    rc = set_defaults(fresh, b);
    vsec_blessings_unref(b);
    return rc;
}

static int fork_(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct app *app = ud;
    struct heritage h = { app, NULL, NULL, { NULL, 0 } };
    struct newborn n = { bless_new, &h, 0 };
    struct v23_arena a;
    char prefix[300];
    int rc;

    (void)inv;
    if (argc != 2)
        return v23_error("requires exactly two arguments: <directory> and "
            "<extension>, provided %d", argc);
    h.extension = argv[1];
    v23_arena_init(&a, NULL, SIZE_MAX);
    snprintf(prefix, sizeof(prefix),
        "failed to read blessings from --with=\"%.200s\"", with_file);
    rc = app_runtime(app);
    if (rc == 0)
        rc = final_caveats(&a, &h.caveats);
    if (rc == 0 && *with_file != 0)
        rc = app_read_blessings(app, with_file, prefix, &h.with);
    else if (rc == 0)
        h.with = vsec_blessings_ref(vsec_store_default(app->p->store));
    if (rc == 0)
        rc = create_principal(app, argv[0], &fork_keys, &n);
    vsec_blessings_unref(h.with);
    v23_arena_fini(&a);
    return rc;
}

static const struct v23_flag fork_flags[] = {
    CAVEAT_FLAGS(fork_caveats),
    KEY_FLAGS(fork_keys),
    { "require-caveats", "If false, allow blessing without any caveats. This "
        "is typically not advised as the principal wielding the blessing will "
        "be almost as powerful as its blesser", "true", V23_FLAG_BOOL,
        &require_caveats, NULL },
    { "with", "Path to file containing blessing to extend", "",
        V23_FLAG_STRING, &with_file, NULL },
};

const struct v23_command cmd_fork = {
    .name = "fork",
    .brief = "Fork a new principal from the principal that this tool is "
        "running as and persist it into a directory",
    .about = "Creates a new principal with a blessing from the principal "
        "specified by the environment that this tool is running in, and "
        "writes it out to the provided directory. The blessing that will be "
        "extended is the default one from the blesser's store, or specified "
        "by the --with flag. Expiration on the blessing are controlled via "
        "the --for flag. Additional caveats on the blessing are controlled "
        "with the --caveat flag. The blessing is marked as default and "
        "shareable with all peers on the new principal's blessing "
        "store.\n\nThe operation fails if the directory already contains a "
        "principal. In this case the --overwrite flag can be provided to "
        "clear the directory and write out the forked principal.",
    .args = "<directory> <extension>",
    .args_help = "<directory> is the directory to which the forked principal "
        "will be persisted.\n\n<extension> is the extension under which the "
        "forked principal is blessed.",
    .flags = fork_flags,
    .nflags = sizeof(fork_flags) / sizeof(fork_flags[0]),
    .run = fork_,
};
