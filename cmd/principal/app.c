/* BSD-3-Clause; see LICENSE. */
/* Principals, files, prompts and texts that the commands have in common. */
#include "principal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vom/time.h>
#include <vsec/x509.h>

const char no_caveats[] = "no caveats provided: it is generally dangerous to "
    "bless another principal without any caveats as that gives them almost "
    "unrestricted access to the blesser's credentials. If you really want to "
    "do this, set --require-caveats=false";

/* ---- principals ---------------------------------------------------------- */

const char *app_credentials(struct app *app, char *buf, size_t size)
{
    struct vdl_str dir = app->flags.credentials;

    if (dir.n >= size)
        dir.n = (uint32_t)size - 1;
    if (dir.n > 0)
        memcpy(buf, dir.p, dir.n);
    buf[dir.n] = 0;
    return buf;
}

void app_options(struct app *app, struct vsec_cred_opts *opt)
{
    memset(opt, 0, sizeof(*opt));
    opt->engine = app->engine;
    opt->readonly_fs = vsec_cred_env_readonly_fs();
    opt->log = &app->log;
}

const char *app_store_error(const struct app *app, int rc)
{
    if (rc == V23_EKEYMISMATCH)
        return "blessing's public key does not match store's public key";
    return app->logged[0] != 0 ? app->logged : v23_strerror(rc);
}

/* The agent that is used without a directory; NULL = none. */
static const char *agent_path(const char *dir)
{
    const char *path = dir[0] != 0 ? NULL : getenv("V23_AGENT_PATH");

    return path == NULL || *path == 0 ? NULL : path;
}

static int use_agent(struct app *app, const char *path)
{
    struct vrpc_agent_options opt;
    char why[VRPC_AGENT_WHY];
    int rc;

    memset(&opt, 0, sizeof(opt));
    opt.engine = app->engine;
    opt.path = path;
    rc = vrpc_agent_connect(&opt, &app->agent, why);
    if (rc != 0)
        return v23_error("%s", why);
    app->p = vsec_principal_ref(vrpc_agent_principal(app->agent));
    return 0;
}

/* To the letter what the reference tool says. */
static int no_credentials(const char *dir, const char *why)
{
    return v23_error("runtimeFactory returned: failed to initialize "
        "credentials, perhaps you need to create them with 'principal create "
        "%s: %s", dir, why);
}

int app_runtime(struct app *app)
{
    char dir[4096], why[VSEC_CRED_WHY];
    struct vsec_cred_opts opt;
    int rc;

    app_options(app, &opt);
    app_credentials(app, dir, sizeof(dir));
    if (agent_path(dir) != NULL)
        return use_agent(app, agent_path(dir));
    rc = vsec_cred_runtime(dir, &opt, &app->p, why);
    if (rc == 0)
        return 0;
    return no_credentials(dir, why);
}

int app_mutable(struct app *app)
{
    char dir[4096], why[VSEC_CRED_WHY];
    struct vsec_cred_opts opt;
    int rc;

    app_options(app, &opt);
    opt.writable = true;
    opt.passphrase = vsec_passphrase_ask;
    app_credentials(app, dir, sizeof(dir));
    if (agent_path(dir) != NULL)
        return use_agent(app, agent_path(dir));
    if (dir[0] == 0)
        return v23_error("no credentials directory: use --v23.credentials or "
            "V23_CREDENTIALS");
    rc = vsec_cred_load(dir, &opt, &app->p, why);
    switch (rc) {
    case 0:
        return 0;
    case V23_EPASSPHRASE:
        return v23_error("principal: passphrase required for decrypting "
            "private key");
    case V23_EBADPASSPHRASE:
        return v23_error("principal: %s", why);
    case V23_ENOSYS: /* the key is where it cannot be asked */
    case V23_ECANCELED:
        return v23_error("%s", why);
    }
    return no_credentials(dir, why);
}

/* ---- input --------------------------------------------------------------- */

/* A line without its newline, octet by octet: what follows it is for others. */
static int read_line(struct v23_buf *out)
{
    ssize_t n;
    char c;

    for (;;) {
        n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return V23_EEOF;
        if (c == '\n')
            return out->err;
        v23_buf_put_byte(out, (uint8_t)c);
    }
}

void app_wipe(struct v23_buf *b)
{
    if (b->p != NULL)
        v23_wipe(b->p, b->cap);
    v23_buf_fini(b);
}

int app_ask(const char *prompt, struct v23_buf *out)
{
    int rc;
    size_t i = 0;

    printf("%s ", prompt);
    fflush(stdout);
    rc = read_line(out);
    while (out->n > 0 && strchr(" \t\r", out->p[out->n - 1]) != NULL)
        out->n--;
    while (i < out->n && strchr(" \t\r", out->p[i]) != NULL)
        i++;
    v23_buf_drop(out, i);
    return rc;
}

int app_read_file(const char *path, struct v23_buf *out)
{
    char part[4096];
    FILE *f;
    size_t n;
    int rc;

    if (*path == 0)
        return 0;
    f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (f == NULL)
        return V23_ESYS;
    setvbuf(f, NULL, _IONBF, 0); /* it may be a key: no copy of it is left */
    do {
        n = fread(part, 1, sizeof(part), f);
        v23_buf_put(out, part, n);
    } while (n > 0 && out->err == 0);
    rc = ferror(f) ? V23_ESYS : out->err;
    v23_wipe(part, sizeof(part));
    if (f != stdin)
        fclose(f);
    return rc;
}

void app_read_error(const char *path, int rc, char *why, size_t size)
{
    char text[V23_ERRNO];

    if (rc != V23_ESYS)
        snprintf(why, size, "read %.256s: %s", path, v23_strerror(rc));
    else
        snprintf(why, size, "%s %.256s: %s",
            errno == EISDIR ? "read" : "open", path, v23_errno(text));
}

/* ---- blessings as text --------------------------------------------------- */

static bool in_alphabet(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
        || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static size_t skip_newlines(struct v23_bytes t, size_t i)
{
    while (i < t.n && (t.p[i] == '\r' || t.p[i] == '\n'))
        i++;
    return i;
}

/* Where a text stops being base64, as the reference tool counts. */
static size_t first_bad(struct v23_bytes t)
{
    size_t i = 0, j = 0;

    for (;;) {
        i = skip_newlines(t, i);
        if (i == t.n)
            return i - j; /* the group that is cut */
        if (!in_alphabet(t.p[i]))
            break;
        i++;
        j = (j + 1) % 4;
    }
    if (t.p[i] != '=' || j < 2)
        return i;
    i = skip_newlines(t, i + 1);
    if (j == 2 && i < t.n && t.p[i] == '=')
        i = skip_newlines(t, i + 1);
    return i;
}

bool app_base64(struct v23_bytes text, struct v23_buf *out, size_t *at)
{
    if (v23_base64_parse((const char *)text.p, text.n, true, out) == 0)
        return true;
    *at = first_bad(text);
    return false;
}

/* What of a text is shown in an error: a short one, of a long one its start,
 * which may be that of a key. */
static int shown(struct v23_bytes text)
{
    size_t i = 0, most = text.n > 40 ? 16 : text.n;

    while (i < most && text.p[i] >= ' ' && text.p[i] != 0x7f)
        i++;
    return (int)i;
}

int app_parse_blessings(struct app *app, struct v23_bytes text,
    struct vsec_blessings **out, char *why, size_t size)
{
    struct v23_buf b;
    size_t at;
    int rc;

    v23_buf_init(&b, NULL, FILE_MAX);
    if (!app_base64(text, &b, &at)) {
        rc = V23_ETEXT;
        snprintf(why, size, "failed to decode %.*s: illegal base64 data at "
            "input byte %zu", shown(text), (const char *)text.p, at);
    } else {
        rc = vsec_blessings_decode(app->engine, NULL, v23_bytes(b.p, b.n),
            out);
        if (rc != 0)
            snprintf(why, size, "failed to decode %.*s: %s", shown(text),
                (const char *)text.p, b.n == 0 ? "EOF" : v23_strerror(rc));
    }
    v23_buf_fini(&b);
    return rc;
}

int app_read_blessings(struct app *app, const char *path, const char *prefix,
    struct vsec_blessings **out)
{
    struct v23_buf text;
    char why[512];
    int rc;

    v23_buf_init(&text, NULL, FILE_MAX);
    rc = app_read_file(path, &text);
    if (rc != 0)
        app_read_error(path, rc, why, sizeof(why));
    else
        rc = app_parse_blessings(app, v23_bytes(text.p, text.n), out, why,
            sizeof(why));
    v23_buf_fini(&text);
    if (rc == 0)
        return 0;
    return v23_error("%s%s%s", prefix, *prefix == 0 ? "" : ": ", why);
}

int app_print_blessings(struct app *app, const struct vsec_blessings *b)
{
    struct v23_buf vom, text;
    int rc;

    (void)app;
    v23_buf_init(&vom, NULL, FILE_MAX);
    v23_buf_init(&text, NULL, SIZE_MAX);
    rc = vsec_blessings_encode(NULL, b, &vom);
    if (rc == 0) {
        v23_base64_put(&text, vom.p, vom.n, true);
        rc = text.err;
    }
    if (rc == 0)
        printf("%s\n", v23_buf_cstr(&text));
    v23_buf_fini(&vom);
    v23_buf_fini(&text);
    return rc == 0 ? 0 : v23_error("%s", v23_strerror(rc));
}

void app_print_names(const struct vsec_blessings *b)
{
    struct vdl_str text = vsec_blessings_text(b);
    struct v23_walltime t;

    fwrite(text.p, 1, text.n, stdout);
    if (vsec_blessings_expiry(b, &t) && v23_walltime_cmp(t, vrpc_ev_wall()) < 0)
        fputs(" [EXPIRED]", stdout);
    putchar('\n');
}

const char *app_fingerprint(struct app *app, struct vdl_bytes der,
    char buf[VSEC_FINGERPRINT])
{
    if (vsec_fingerprint(app->engine->crypto, der, buf) != 0)
        return "<invalid PublicKey>";
    return buf;
}

/* ---- errors -------------------------------------------------------------- */

void app_extension_error(const char *ext, char *why, size_t size)
{
    static const char *const parts[] = { "...", "::", ",", "@@", "(", ")",
        "<", ">", "/" };
    size_t i, n = strlen(ext);

    if (n == 0)
        snprintf(why, size, "invalid blessing extension(empty string)");
    else if (ext[0] == ':')
        snprintf(why, size, "invalid blessing extension(starts with (:)");
    else if (ext[n - 1] == ':')
        snprintf(why, size, "invalid blessing extension(ends with (:)");
    else if (strcmp(ext, "$") == 0)
        snprintf(why, size, "invalid blessing extension($)");
    else
        for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
            if (strstr(ext, parts[i]) != NULL) {
                snprintf(why, size, "invalid blessing extension(%.256s) has "
                    "(%s) as a substring)", ext, parts[i]);
                break;
            }
}

/* The directory was opened without passphrase: say why there is no signer,
 * unless that is the reason. */
static void no_signer(struct app *app, char *out, size_t size)
{
    char dir[4096], why[VSEC_CRED_WHY];
    struct vsec_principal *p = NULL;
    struct vsec_cred_opts opt;
    int rc;

    app_options(app, &opt);
    app_credentials(app, dir, sizeof(dir));
    rc = vsec_cred_load(dir, &opt, &p, why);
    vsec_principal_unref(p);
    if (rc == 0 || rc == V23_EPASSPHRASE)
        why[0] = 0;
    snprintf(out, size, "underlying signer is nil%s%s",
        why[0] == 0 ? "" : ": ", why);
}

/* The certificate of `p` is not for the host of a name. */
static void host_error(const struct vsec_principal *p, const char *name,
    char *why, size_t size)
{
    int host = (int)strcspn(name, ":");
    struct vsec_x509_cert c;
    struct v23_buf names;
    struct v23_bytes rest;
    struct vdl_str dns;

    v23_buf_init(&names, NULL, FILE_MAX);
    if (vsec_x509_parse(v23_bytes(p->x509.p, p->x509.n), &c) == 0)
        for (rest = c.names; vsec_x509_next_dns(&rest, &dns);)
            v23_buf_printf(&names, "%s%.*s", names.n == 0 ? "" : ", ",
                (int)dns.n, dns.p);
    if (names.n == 0)
        snprintf(why, size, "x509: certificate is not valid for any names, "
            "but wanted to match %.*s", host, name);
    else
        snprintf(why, size, "x509: certificate is valid for %s, not %.*s",
            v23_buf_cstr(&names), host, name);
    v23_buf_fini(&names);
}

void app_self_error(const struct vsec_principal *p, int rc, const char *name,
    char *why, size_t size)
{
    if (rc == V23_EPATTERN)
        app_extension_error(name, why, size);
    else if (rc == V23_ECERT)
        host_error(p, name, why, size);
    else
        snprintf(why, size, "%s", v23_strerror(rc));
}

const char *app_bless_why(struct app *app, int rc, const char *ext,
    const struct vsec_blessings *with, char why[APP_WHY])
{
    char own[VSEC_FINGERPRINT], other[VSEC_FINGERPRINT], text[V23_ERRNO];

    switch (rc) {
    case V23_EPATTERN:
        app_extension_error(ext, why, APP_WHY);
        return why;
    case V23_EKEYMISMATCH:
        snprintf(why, APP_WHY, "Principal with public key %s cannot extend "
            "blessing with public key %s",
            app_fingerprint(app, app->p->key->der, own),
            app_fingerprint(app, with->key->der, other));
        return why;
    case V23_ENOSYS:
        if (app->p->signer != NULL)
            break;
        no_signer(app, why, APP_WHY);
        return why;
    case V23_EDENIED:
        return "the ssh-agent refuses to sign";
    case V23_ESYS:
        snprintf(why, APP_WHY, "cannot sign: %s", v23_errno(text));
        return why;
    case V23_EARG:
        return "the blessings to extend have no names";
    default:
        break;
    }
    return v23_strerror(rc);
}
