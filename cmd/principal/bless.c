/* BSD-3-Clause; see LICENSE. */
/* bless and blessself. */
#include "principal.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

/* ---- blessself ----------------------------------------------------------- */

static struct caveat_flags self_caveats;

/* user@host */
static void default_name(char *buf, size_t size)
{
    const struct passwd *pw = getpwuid(getuid());
    char host[256];

    if (gethostname(host, sizeof(host)) != 0)
        host[0] = 0;
    host[sizeof(host) - 1] = 0;
    snprintf(buf, size, "%s%s%s", pw == NULL || pw->pw_name[0] == 0
        ? "anonymous" : pw->pw_name, host[0] == 0 ? "" : "@", host);
}

static int bless_self(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vsec_blessings *b = NULL;
    v23_security_caveat_list l;
    struct app *app = ud;
    struct v23_arena a;
    char name[512], why[512];
    const char *self = argc == 1 ? argv[0] : name;
    int rc;

    (void)inv;
    if (argc > 1)
        return v23_error("requires at most one argument, provided %d", argc);
    default_name(name, sizeof(name));
    v23_arena_init(&a, NULL, SIZE_MAX);
    rc = caveats_make(app, &self_caveats, &a, &l);
    if (rc == 0)
        rc = app_mutable(app);
    if (rc != 0)
        goto out;
    rc = vsec_principal_bless_self(app->p, vdl_str(self), l, &b);
    if (rc == 0) {
        rc = app_print_blessings(app, b);
    } else {
        app_self_error(app->p, rc, self, why, sizeof(why));
        rc = v23_error("failed to create self-signed blessing for name "
            "\"%s\": %s", self, why);
    }
out:
    vsec_blessings_unref(b);
    v23_arena_fini(&a);
    return rc;
}

static const struct v23_flag self_flags[] = { CAVEAT_FLAGS(self_caveats) };

const struct v23_command cmd_blessself = {
    .name = "blessself",
    .brief = "Generate a self-signed blessing",
    .about = "Returns a blessing with name <name> and self-signed by the "
        "principal specified by the environment that this tool is running in. "
        "Optionally, the blessing can be restricted with an expiry caveat "
        "specified using the --for flag. Additional caveats can be added with "
        "the --caveat flag.",
    .args = "[<name>]",
    .args_help = "<name> is the name used to create the self-signed blessing. "
        "If not specified, a name will be generated based on the hostname of "
        "the machine and the name of the user running this command.",
    .flags = self_flags,
    .nflags = 2,
    .run = bless_self,
};

/* ---- bless --------------------------------------------------------------- */

static struct caveat_flags caveats;
static const char *with_file = "", *remote_file = "", *remote_key = "",
    *remote_token = "";
static bool require_caveats = true;

/* Whom to bless, as what, and how to reach it. */
struct target {
    const char *who, *extension, *key, *token;
    struct v23_buf typed; /* an extension that was asked for */
    cJSON *json;          /* of --remote-arg-file */
};

static int check_args(int argc)
{
    if (*remote_file != 0) {
        if (argc > 1)
            return v23_error("when --remote-arg-file is provided, only "
                "<extension> is expected, provided %d", argc);
        if (*remote_key != 0 || *remote_token != 0)
            return v23_error("--remote-key and --remote-token should not be "
                "specified when --remote-arg-file is");
    } else if (argc > 2) {
        return v23_error("got %d arguments, require at most 2", argc);
    } else if ((*remote_key == 0) != (*remote_token == 0)) {
        return v23_error("either both --remote-key and --remote-token should "
            "be set, or neither should");
    }
    return 0;
}

static int confirm(void)
{
    static const char prompt[] = "WARNING: No caveats provided\n"
        "It is generally dangerous to bless another principal without any "
        "caveats as\nthat gives them unrestricted access to the blesser's "
        "credentials.\n\nCaveats can be specified with the --for or --caveat "
        "flags.\n\nDo you really wish to bless without caveats? (YES to "
        "confirm)";
    struct v23_buf line;
    const char *s;
    bool yes;

    v23_buf_init(&line, NULL, 4096);
    yes = app_ask(prompt, &line) == 0;
    s = v23_buf_cstr(&line);
    yes = yes && line.n == 3 && (s[0] | 32) == 'y' && (s[1] | 32) == 'e'
        && (s[2] | 32) == 's';
    v23_buf_fini(&line);
    return yes ? 0 : v23_error("%s", no_caveats);
}

static const char *member(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

static int read_remote_file(struct target *t)
{
    struct v23_buf b;
    char why[512];
    int rc;

    v23_buf_init(&b, NULL, FILE_MAX);
    rc = app_read_file(remote_file, &b);
    if (rc != 0) {
        app_read_error(remote_file, rc, why, sizeof(why));
        rc = v23_error("%s", why);
    } else {
        t->json = cJSON_ParseWithLength((const char *)b.p, b.n);
    }
    v23_buf_fini(&b);
    if (rc == 0 && t->json == NULL)
        rc = v23_error("%s: malformed JSON", remote_file);
    if (rc == 0) {
        t->key = member(t->json, "remote_key");
        t->token = member(t->json, "remote_token");
        t->who = member(t->json, "name");
    }
    return rc;
}

static int find_target(int argc, char **argv, struct target *t)
{
    bool given;

    t->key = remote_key;
    t->token = remote_token;
    if (*remote_file != 0) {
        if (read_remote_file(t) != 0)
            return 1;
        given = argc > 0;
    } else {
        if (argc == 0)
            return v23_error("no remote-arg-file flag and no arguments");
        t->who = argv[0];
        given = argc > 1;
    }
    if (given) {
        t->extension = argv[argc - 1];
        return 0;
    }
    if (app_ask("Extension to use for blessing:", &t->typed) != 0)
        return v23_error("EOF");
    t->extension = v23_buf_cstr(&t->typed);
    return 0;
}

/* Key text or blessings text of a file. */
static int read_key_file(struct app *app, const char *path,
    struct vsec_pubkey **out)
{
    struct vsec_blessings *b = NULL;
    struct v23_buf text, raw;
    char why[512];
    size_t at;
    int rc;

    v23_buf_init(&text, NULL, FILE_MAX);
    v23_buf_init(&raw, NULL, FILE_MAX);
    rc = app_read_file(path, &text);
    if (rc != 0) {
        app_read_error(path, rc, why, sizeof(why));
        rc = v23_error("failed to read \"%s\": %s", path, why);
    } else if (!app_base64(v23_bytes(text.p, text.n), &raw, &at)) {
        rc = v23_error("failed to decode base64url encoded bytes in \"%s\": "
            "illegal base64 data at input byte %zu", path, at);
    } else if (vsec_pubkey_parse(app->engine, vdl_bytes(raw.p, raw.n), out)
        != 0) {
        rc = vsec_blessings_decode(app->engine, NULL,
            v23_bytes(raw.p, raw.n), &b);
        if (rc != 0 || b == NULL)
            rc = v23_error("failed to decode blessings (%s) or public key "
                "from \"%s\"", v23_strerror(rc), path);
        else
            *out = vsec_pubkey_ref(b->key);
    }
    vsec_blessings_unref(b);
    v23_buf_fini(&text);
    v23_buf_fini(&raw);
    return rc;
}

int app_read_key(struct app *app, const char *who, struct vsec_pubkey **out)
{
    char why[VSEC_CRED_WHY];
    struct vsec_cred_opts opt;
    struct stat st;

    if (stat(who, &st) != 0 || !S_ISDIR(st.st_mode))
        return read_key_file(app, who, out);
    app_options(app, &opt);
    opt.derive_public = true;
    if (vsec_cred_public_key(who, &opt, out, why) != 0)
        return v23_error("failed to read principal in directory \"%s\": %s",
            who, why);
    return 0;
}

static int bless_local(struct app *app, const struct target *t,
    struct vsec_blessings *with, v23_security_caveat_list l)
{
    struct vsec_blessings *b = NULL;
    struct vsec_bless what;
    char why[APP_WHY];
    int rc;

    what.key = NULL;
    rc = app_read_key(app, t->who, &what.key);
    if (rc != 0)
        return rc;
    what.with = with;
    what.extension = vdl_str(t->extension);
    what.caveats = l;
    rc = vsec_principal_bless(app->p, &what, &b);
    if (rc != 0)
        rc = v23_error("%s",
            app_bless_why(app, rc, t->extension, with, why));
    else
        rc = app_print_blessings(app, b);
    vsec_blessings_unref(b);
    vsec_pubkey_unref(what.key);
    return rc;
}

static int bless_remote(struct app *app, const struct target *t,
    struct vsec_blessings *with, v23_security_caveat_list l)
{
    struct remote_bless r;

    r.key = t->key;
    r.token = t->token;
    r.name = t->who;
    r.extension = t->extension;
    r.with = with;
    r.caveats = l;
    return remote_bless(app, &r);
}

/* Caveats in wire order; asks when there are none. */
static int final_caveats(struct app *app, struct v23_arena *a,
    v23_security_caveat_list *l)
{
    v23_security_caveat *free_use;
    int rc = caveats_make(app, &caveats, a, l);

    if (rc != 0)
        return rc;
    if (l->n > 0) {
        caveats_rotate(*l);
        return 0;
    }
    if (require_caveats)
        rc = confirm();
    if (rc != 0)
        return rc;
    free_use = v23_arena_new(a, v23_security_caveat);
    if (free_use == NULL)
        return v23_error("out of memory");
    *free_use = vsec_caveat_unconstrained();
    l->v = free_use;
    l->n = 1;
    return 0;
}

static int bless(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    char prefix[300];
    struct vsec_blessings *with = NULL;
    v23_security_caveat_list l;
    struct app *app = ud;
    struct v23_arena a;
    struct target t;
    int rc = check_args(argc);

    (void)inv;
    if (rc == 0)
        rc = app_runtime(app);
    if (rc != 0)
        return rc;
    memset(&t, 0, sizeof(t));
    v23_buf_init(&t.typed, NULL, 4096);
    v23_arena_init(&a, NULL, SIZE_MAX);
    snprintf(prefix, sizeof(prefix),
        "failed to read blessings from --with=\"%.200s\"", with_file);
    if (*with_file != 0)
        rc = app_read_blessings(app, with_file, prefix, &with);
    else
        with = vsec_blessings_ref(vsec_store_default(app->p->store));
    if (rc == 0)
        rc = final_caveats(app, &a, &l);
    if (rc == 0)
        rc = find_target(argc, argv, &t);
    if (rc == 0)
        rc = *t.key != 0 ? bless_remote(app, &t, with, l)
                         : bless_local(app, &t, with, l);
    vsec_blessings_unref(with);
    v23_arena_fini(&a);
    v23_buf_fini(&t.typed);
    cJSON_Delete(t.json);
    return rc;
}

static const struct v23_flag bless_flags[] = {
    CAVEAT_FLAGS(caveats),
    { "remote-arg-file", "File containing bless arguments written by "
        "'principal recvblessings -remote-arg-file FILE EXTENSION' command. "
        "This can be provided to bless in place of --remote-key, "
        "--remote-token, and <principal>", "", V23_FLAG_STRING, &remote_file,
        NULL },
    { "remote-key", "Public key of the remote principal to bless (obtained "
        "from the 'recvblessings' command run by the remote principal", "",
        V23_FLAG_STRING, &remote_key, NULL },
    { "remote-token", "Token provided by principal running the "
        "'recvblessings' command", "", V23_FLAG_STRING, &remote_token,
        NULL },
    { "require-caveats", "If false, allow blessing without any caveats. This "
        "is typically not advised as the principal wielding the blessing will "
        "be almost as powerful as its blesser", "true", V23_FLAG_BOOL,
        &require_caveats, NULL },
    { "with", "Path to file containing blessing to extend", "",
        V23_FLAG_STRING, &with_file, NULL },
};

const struct v23_command cmd_bless = {
    .name = "bless",
    .brief = "Bless another principal",
    .about = "Bless another principal.\n\nThe blesser is obtained from the "
        "runtime this tool is using. The blessing that will be extended is "
        "the default one from the blesser's store, or specified by the --with "
        "flag. Expiration on the blessing are controlled via the --for flag. "
        "Additional caveats are controlled with the --caveat flag.\n\nFor "
        "example, let's say a principal \"alice\" wants to bless another "
        "principal \"bob\" as \"alice:friend\", the invocation would be:\n"
        "    V23_CREDENTIALS=<path to alice> principal bless <path to bob> "
        "friend\n"
        "and this will dump the blessing to STDOUT.\n\nWith the --remote-key "
        "and --remote-token flags, this command can be used to bless a "
        "principal on a remote machine. In this case, the blessing is not "
        "dumped to STDOUT but sent to the remote end. Use 'principal help "
        "recvblessings' for details.\n\nWhen --remote-arg-file is specified, "
        "only the blessing extension is required, as all other arguments will "
        "be extracted from the specified file.",
    .args = "[<principal to bless>] [<extension>]",
    .args_help = "<principal to bless> represents the principal to be blessed "
        "(i.e., whose public key will be provided with a name).  This can be "
        "either:\n\n"
        "(a) The directory containing credentials for that principal,\n"
        "  OR\n"
        "(b) The filename (- for STDIN) containing the base64url-encoded "
        "public\n"
        "    key or any other blessings of the principal,\n"
        "  OR\n"
        "(c) The object name produced by the 'recvblessings' command of this "
        "tool\n"
        "    running on behalf of another principal (if the --remote-key and\n"
        "    --remote-token flags are specified).\n"
        "  OR\n"
        "(d) None (if the --remote-arg-file flag is specified, only "
        "<extension> should\n"
        "    be provided to bless).\n\n<extension> is the string "
        "extension that will be applied to create the blessing.",
    .flags = bless_flags,
    .nflags = sizeof(bless_flags) / sizeof(bless_flags[0]),
    .run = bless,
};
