/* BSD-3-Clause; see LICENSE. */
/*
 * agentd: holds a principal's private key and runs a command that uses it
 * through a socket (spec/security.md 15.4).
 */
#define _DEFAULT_SOURCE /* realpath */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <v23/cmdline.h>
#include <v23/time.h>
#include <vrpc/agent.h>
#include <vrpc/flags.h>
#include <vsec/credentials.h>

#include "child.h"
#include "lock.h"

enum { PATH = 4096, PASSPHRASE = 4096 };

struct app {
    struct vrpc_flags flags;
    struct v23_log log;
    struct vsec_engine *engine;
    struct vsec_principal *p;
    struct event_base *base;
    struct v23_buf pass;          /* of the key, for those of the manager */
    struct vsec_agent_keys *keys; /* NULL: manages no others */
    struct vsec_agent_server *server;
    struct vrpc_agent_listener *listener;
    struct event *reload;
    struct lock lock;
    char dir[PATH], socket[PATH + 16];
};

static const char *additional = "", *blessing = "agent_principal",
                  *restart = "";
static bool no_passphrase, with_passphrase = true;

static const struct v23_flag flags[] = {
    { "additional-principals", "Directory for keys that programs may make in "
        "this agent, beside the principal's own; empty: they may not.", "",
        V23_FLAG_STRING, &additional, NULL },
    { "new-principal-blessing-name", "Name of a principal that is made "
        "because the directory holds none.", "agent_principal",
        V23_FLAG_STRING, &blessing, NULL },
    { "no-passphrase", "Do not ask for a passphrase: a new key is not "
        "encrypted.", "false", V23_FLAG_BOOL, &no_passphrase, NULL },
    { "restart-exit-code", "Run the command again when it exits with this "
        "code, or, with a leading !, with any other.", "", V23_FLAG_STRING,
        &restart, NULL },
    { "with-passphrase", "Ask for a passphrase; the opposite of "
        "no-passphrase.", "true", V23_FLAG_BOOL, &with_passphrase, NULL },
};

static void write_log(void *ud, enum v23_log_level level, const char *text)
{
    (void)ud;
    fprintf(stderr, "agentd: %s%s\n", level == V23_LOG_ERROR ? "" : "note: ",
        text);
}

/* ---- restart rule -------------------------------------------------------- */

/* "3" or "!3"; false when malformed. */
static bool parse_restart(int *code, bool *not)
{
    const char *s = restart;
    char *end;
    long v;

    *not = *s == '!';
    s += *not;
    v = strtol(s, &end, 10);
    *code = (int)v;
    return *s >= '0' && *s <= '9' && *end == 0 && v <= 255;
}

static bool run_again(void *ud, int status)
{
    bool not;
    int code;

    (void)ud;
    if (restart[0] == 0 || !parse_restart(&code, &not))
        return false;
    return (status == code) != not;
}

/* ---- principal ----------------------------------------------------------- */

static bool asks(void)
{
    return with_passphrase && !no_passphrase;
}

/* The passphrase is kept for the keys of the manager. */
static int ask_passphrase(void *ud, const char *what, struct v23_buf *out)
{
    struct app *app = ud;
    int rc = vsec_passphrase_ask(NULL, what, &app->pass);

    if (rc == 0) {
        v23_buf_put(out, app->pass.p, app->pass.n);
        rc = out->err;
    }
    return rc;
}

static void options(struct app *app, struct vsec_cred_opts *opt)
{
    memset(opt, 0, sizeof(*opt));
    opt->engine = app->engine;
    opt->writable = true;
    opt->derive_public = true;
    opt->passphrase = asks() ? ask_passphrase : NULL;
    opt->ud = app;
    opt->log = &app->log;
}

static int create(struct app *app)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_signer *signer = NULL;
    struct vsec_blessings *b = NULL;
    char why[VSEC_CRED_WHY] = "";
    struct vsec_cred_opts opt;
    int rc = 0;

    options(app, &opt);
    if (asks())
        rc = vsec_passphrase_read("Enter passphrase (entering nothing will "
            "store the principal key unencrypted): ", &app->pass);
    if (rc == 0)
        rc = vsec_signer_generate(app->engine, "ecdsa256", &signer);
    if (rc == 0)
        rc = vsec_cred_create(app->dir, &opt, signer,
            v23_bytes(app->pass.p, app->pass.n), &app->p, why);
    if (rc == 0)
        rc = vsec_principal_bless_self(app->p, vdl_str(blessing), none, &b);
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(app->p, b);
    vsec_blessings_unref(b);
    vsec_signer_unref(signer);
    return rc == 0 ? 0
                   : v23_error("cannot create a principal in %s: %s", app->dir,
                       why[0] != 0 ? why : v23_strerror(rc));
}

static bool holds_key(const struct app *app)
{
    char path[PATH + 32];

    snprintf(path, sizeof(path), "%s/privatekey.pem", app->dir);
    return access(path, F_OK) == 0;
}

static int load(struct app *app)
{
    char why[VSEC_CRED_WHY];
    struct vsec_cred_opts opt;
    int rc;

    if (!holds_key(app))
        return create(app);
    options(app, &opt);
    rc = vsec_cred_load(app->dir, &opt, &app->p, why);
    if (rc == V23_EPASSPHRASE)
        return v23_error("%s: the key is encrypted; leave out "
            "--no-passphrase", app->dir);
    return rc == 0 ? 0 : v23_error("%s", why);
}

/* ---- sockets ------------------------------------------------------------- */

static int listen_at(struct app *app, struct vsec_agent_server *s,
    const char *path, struct vrpc_agent_listener **out,
    char why[VRPC_AGENT_WHY])
{
    struct vrpc_agent_listen_options opt;

    memset(&opt, 0, sizeof(opt));
    opt.base = app->base;
    opt.server = s;
    opt.path = path;
    opt.log = &app->log;
    return vrpc_agent_listen(&opt, out, why);
}

static int keys_listen(void *ud, struct vsec_agent_server *s,
    const char *path, void **listener)
{
    struct app *app = ud;
    struct vrpc_agent_listener *l = NULL;
    char why[VRPC_AGENT_WHY];
    int rc = listen_at(app, s, path, &l, why);

    if (rc != 0)
        v23_logf(&app->log, V23_LOG_ERROR, "%s", why);
    *listener = l;
    return rc;
}

static void keys_unlisten(void *ud, void *listener)
{
    (void)ud;
    vrpc_agent_unlisten(listener);
}

static int open_keys(struct app *app)
{
    struct vsec_agent_keys_config cfg;
    int rc;

    if (additional[0] == 0)
        return 0;
    memset(&cfg, 0, sizeof(cfg));
    cfg.engine = app->engine;
    cfg.dir = additional;
    cfg.pass = v23_bytes(app->pass.p, app->pass.n);
    cfg.log = &app->log;
    cfg.listen = keys_listen;
    cfg.unlisten = keys_unlisten;
    cfg.ud = app;
    rc = vsec_agent_keys_new(&cfg, &app->keys);
    return rc == 0 ? 0 : v23_error("%s: %s", additional, v23_strerror(rc));
}

static int serve(struct app *app)
{
    struct vsec_agent_server_config cfg;
    struct vsec_agent_manager manager;
    char why[VRPC_AGENT_WHY];
    int rc;

    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = app->p;
    cfg.name = "agentd";
    if (app->keys != NULL) {
        manager = vsec_agent_keys_manager(app->keys);
        cfg.manager = &manager;
    }
    rc = vsec_agent_server_new(&cfg, &app->server);
    if (rc != 0)
        return v23_error("%s", v23_strerror(rc));
    snprintf(app->socket, sizeof(app->socket), "%s/agent.sock", app->dir);
    rc = listen_at(app, app->server, app->socket, &app->listener, why);
    return rc == 0 ? 0 : v23_error("%s", why);
}

/* ---- changes by others --------------------------------------------------- */

/* Somebody may have changed the directory behind our back. */
static void reload(evutil_socket_t fd, short what, void *ud)
{
    struct app *app = ud;
    char why[VSEC_CRED_WHY];

    (void)fd;
    (void)what;
    if (vsec_cred_reload(app->p, why) != 0)
        v23_logf(&app->log, V23_LOG_ERROR, "failed to reload principal: %s",
            why);
    else
        vsec_agent_server_flush(app->server);
}

static int watch(struct app *app)
{
    int64_t ns = vsec_cred_env_reload_ns(&app->log);
    struct timeval tv;

    tv.tv_sec = (time_t)(ns / V23_NS_PER_SEC);
    tv.tv_usec = (suseconds_t)(ns % V23_NS_PER_SEC / 1000);
    app->reload = event_new(app->base, -1, EV_PERSIST, reload, app);
    if (app->reload == NULL || event_add(app->reload, &tv) != 0)
        return v23_error("out of memory");
    return 0;
}

/* ---- program ------------------------------------------------------------- */

/* The directory, made when it is missing, as an absolute path. */
static int find_dir(struct app *app, const struct v23_invocation *inv)
{
    struct vdl_str dir = app->flags.credentials;
    char path[PATH], *real;

    if (dir.n == 0)
        return v23_usage_error(inv, "--v23.credentials or V23_CREDENTIALS "
            "must name the directory of the principal");
    if (dir.n >= sizeof(path))
        return v23_error("the path of the directory is too long");
    memcpy(path, dir.p, dir.n);
    path[dir.n] = 0;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return v23_error("mkdir %s: %s", path, strerror(errno));
    real = realpath(path, NULL);
    if (real == NULL || strlen(real) >= sizeof(app->dir)) {
        free(real);
        return v23_error("%s: %s", path, strerror(errno));
    }
    strcpy(app->dir, real);
    free(real);
    return 0;
}

static void forget_passphrase(struct app *app)
{
    if (app->pass.p != NULL)
        v23_wipe(app->pass.p, app->pass.cap);
    v23_buf_fini(&app->pass);
}

static int work(struct app *app, char **argv, int *status)
{
    struct child_options opt;
    int rc = lock_take(&app->lock, app->dir);

    if (rc == 0)
        rc = load(app);
    if (rc == 0)
        rc = open_keys(app);
    forget_passphrase(app);
    if (rc == 0)
        rc = serve(app);
    if (rc == 0)
        rc = watch(app);
    if (rc != 0)
        return rc;
    memset(&opt, 0, sizeof(opt));
    opt.base = app->base;
    opt.argv = argv;
    opt.agent_path = app->socket;
    opt.again = run_again;
    return child_run(&opt, status);
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct app *app = ud;
    int rc, status = 0, code;
    bool not;

    if (argc == 0)
        return v23_usage_error(inv, "no command to run");
    if (restart[0] != 0 && !parse_restart(&code, &not))
        return v23_usage_error(inv, "-restart-exit-code=%s is neither N nor "
            "!N, 0 to 255", restart);
    rc = find_dir(app, inv);
    if (rc == 0)
        rc = work(app, argv, &status);
    if (app->reload != NULL)
        event_free(app->reload);
    vrpc_agent_unlisten(app->listener);
    vsec_agent_server_free(app->server);
    vsec_agent_keys_free(app->keys);
    lock_drop(&app->lock);
    return rc != 0 ? rc : status;
}

static const struct v23_command command = {
    .name = "agentd",
    .brief = "holds a private key and runs a command that uses it",
    .about = "Command agentd holds the private key of the principal in the "
        "credentials directory, and runs a command whose principal that is: "
        "the command, and what it starts, sign and bless through a socket, "
        "agent.sock in the directory, and never have the key. Who may open "
        "the socket may use the key; the directory must be its owner's "
        "alone.\n\n"
        "A directory without a principal gets one. The passphrase of the key "
        "is asked for on the terminal.\n\n"
        "Signals that ask to end go to the command. When it has ended, and "
        "is not to be run again, agentd ends with its exit code, or 128 and "
        "the number of the signal that ended it.\n\n"
        "What others change in the directory is read every 5 minutes, or "
        "every V23_CREDENTIALS_RELOAD_INTERVAL (30s).\n\n"
        "The command finds the socket in V23_AGENT_PATH; V23_CREDENTIALS and "
        "V23_AGENT_ENDPOINT are not set for it.",
    .args = "<command> [<argument>...]",
    .args_help = "<command> is the program to run, with its arguments.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    const struct v23_flag_source *sources[1];
    struct v23_flag_source source;
    static struct app app;
    int rc;

    child_hide_memory();
    app.log.write = write_log;
    app.log.max = V23_LOG_WARN;
    if (vrpc_flags_init(&app.flags, VRPC_FLAGS_RUNTIME) != 0)
        return v23_error("out of memory");
    rc = vsec_engine_new(&app.engine, &vsec_crypto_default, NULL, NULL);
    app.base = event_base_new();
    if (rc == 0 && app.base != NULL) {
        v23_buf_init(&app.pass, app.engine->secret, PASSPHRASE + 1);
        vrpc_flags_source(&app.flags, &source);
        sources[0] = &source;
        rc = v23_cmdline_main(&command, sources, 1, NULL, &app, argc, argv);
        vsec_principal_unref(app.p);
    } else {
        rc = v23_error("%s", rc == 0 ? "no event loop" : v23_strerror(rc));
    }
    if (app.base != NULL)
        event_base_free(app.base);
    vsec_engine_unref(app.engine);
    vrpc_flags_fini(&app.flags);
    return rc;
}
