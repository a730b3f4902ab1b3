/* BSD-3-Clause; see LICENSE. */
/* What the parts of the program principal share. */
#ifndef PRINCIPAL_H
#define PRINCIPAL_H

#include <v23/cmdline.h>
#include <vname/program.h>
#include <vrpc/agent.h>
#include <vrpc/ev.h>
#include <vsec/credentials.h>

/* Most octets of a file of blessings. */
enum { FILE_MAX = 8 << 20, APP_WHY = 768 };

struct app {
    struct vrpc_flags flags;
    struct vsec_engine *engine;
    struct vsec_principal *p; /* the one that the command works for */
    struct vrpc_agent *agent; /* that has it; or NULL */
    struct v23_log log;       /* of credentials */
    char logged[512];         /* its last line */
};

/* ---- app.c --------------------------------------------------------------- */

/*
 * The functions below return 0, or print the error and return the exit code.
 */

/* --v23.credentials as a C string; "" when not set. */
const char *app_credentials(struct app *app, char *buf, size_t size);
/* Load app->p to look at: read-only, no passphrase; without credentials a new
 * one in memory. */
int app_runtime(struct app *app);
/* Load app->p to change it; asks for the passphrase. */
int app_mutable(struct app *app);
void app_options(struct app *app, struct vsec_cred_opts *opt);

/* Give back a buffer that held a secret. */
void app_wipe(struct v23_buf *b);
/* Print a prompt on standard output and read a line, blanks trimmed. */
int app_ask(const char *prompt, struct v23_buf *out);
/* Whole file, "-" = standard input, "" = nothing. V23_ESYS with errno. */
int app_read_file(const char *path, struct v23_buf *out);
/* why = "open path: …" for what app_read_file() returned. */
void app_read_error(const char *path, int rc, char *why, size_t size);
/* Blessings in text form; *why explains failure. */
int app_parse_blessings(struct app *app, struct v23_bytes text,
    struct vsec_blessings **out, char *why, size_t size);
/* Blessings of a file; prints "ERROR: <prefix>: …". */
int app_read_blessings(struct app *app, const char *path, const char *prefix,
    struct vsec_blessings **out);
int app_print_blessings(struct app *app, const struct vsec_blessings *b);
/* Decode base64url; 0, or the offset of the first bad octet in *at. */
bool app_base64(struct v23_bytes text, struct v23_buf *out, size_t *at);
/* Names, with " [EXPIRED]" when they are. */
void app_print_names(const struct vsec_blessings *b);
const char *app_fingerprint(struct app *app, struct vdl_bytes der,
    char buf[VSEC_FINGERPRINT]);
/* Why a name may not be used, in the words of the reference tool. */
void app_extension_error(const char *ext, char *why, size_t size);
/* The same about an error of vsec_principal_bless_self(). */
void app_self_error(const struct vsec_principal *p, int rc, const char *name,
    char *why, size_t size);
/* Why vsec_principal_bless() failed; may use `why`. */
const char *app_bless_why(struct app *app, int rc, const char *ext,
    const struct vsec_blessings *with, char why[APP_WHY]);

/* Why store or roots could not be changed. */
const char *app_store_error(const struct app *app, int rc);

/* ---- remote.c ------------------------------------------------------------ */

/* Start a run time and namespace that act as app->p. */
int app_start(struct vname_program *p, struct app *app);
void app_stop(struct vname_program *p);

/* What is done with blessings that somebody has sent. */
struct keep {
    bool make_default, add_to_roots;
    const char *for_peer;
};
#define KEEP_FLAGS(k) \
    { "for-peer", "If non-empty, the blessings obtained will be marked for " \
        "peers matching this pattern in the store", "...", V23_FLAG_STRING, \
        &(k).for_peer, NULL }, \
    { "set-default", "If true, the blessings received will be set as the " \
        "default blessing in the store", "true", V23_FLAG_BOOL, \
        &(k).make_default, NULL }

/* Store and announce them; 0, or a status with the reason. */
int app_keep(struct app *app, const struct keep *k, struct vsec_blessings *b,
    char *why, size_t size);

/* ---- caveats.c ----------------------------------------------------------- */

/* --caveat and --for of one command. */
struct caveat_flags {
    const char **texts;
    size_t n, cap;
    int64_t for_ns;
};
int caveat_flag_set(void *var, const char *value, const char **why);
/* In the order of the flags, then Expiry; prints errors. */
int caveats_make(struct app *app, const struct caveat_flags *f,
    struct v23_arena *a, v23_security_caveat_list *out);
/* The order on the wire: the first caveat goes last. */
void caveats_rotate(v23_security_caveat_list l);

#define CAVEAT_FLAGS(f) \
    { "caveat", "\"package/path\".CaveatName:VDLExpressionParam to attach " \
        "to this blessing", "[]", V23_FLAG_FUNC, &(f), \
        caveat_flag_set }, \
    { "for", "Duration of blessing validity (zero implies no expiration)", \
        "0s", V23_FLAG_DURATION, &(f).for_ns, NULL }

/* ---- newkey.c ------------------------------------------------------------ */

/* Flags about the new key. */
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

/* What a new principal gets before its directory counts as one. */
struct newborn {
    int (*give)(void *ud, struct vsec_principal *p); /* prints its errors */
    void *ud;
    int rc; /* of `give` */
};

/* Create a directory with a new or imported key. */
int create_principal(struct app *app, const char *dir,
    const struct key_flags *f, struct newborn *n);

/* ---- revocable.c ---------------------------------------------------------- */

/* The caveat of --caveat=revocable=KEY,NAME; prints its id on stderr. */
int revocable_make(struct app *app, struct v23_arena *a, struct vdl_str param,
    v23_security_caveat *out);
/* Key of a directory, or of a file with a key or blessings (bless.c). */
int app_read_key(struct app *app, const char *who, struct vsec_pubkey **out);

/* ---- commands ------------------------------------------------------------ */

extern const struct v23_command cmd_create, cmd_fork, cmd_update_pkcs8,
    cmd_seekblessings, cmd_scripts, cmd_recvblessings, cmd_dump,
    cmd_dumpblessings, cmd_dumproots,
    cmd_blessself, cmd_bless, cmd_set, cmd_get, cmd_recognize, cmd_union;

/* Bless over the network (remote.c). */
struct remote_bless {
    const char *key, *token, *name;
    const char *extension;
    struct vsec_blessings *with; /* NULL = the default blessings */
    v23_security_caveat_list caveats;
};
int remote_bless(struct app *app, const struct remote_bless *r);

extern const char no_caveats[];

#endif
