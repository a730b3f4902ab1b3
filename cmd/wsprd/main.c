/* BSD-3-Clause; see LICENSE. */
/* wsprd: web pages as Vanadium clients and servers (spec/wspr.md 18). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <v23/i18n.h>
#include <vname/program.h>
#include <wspr/host.h>

#include "assets.h"

#define MAX_FILES 64
#define MAX_MESSAGE (1 << 30)
#define MAX_RETRY 86400

static int64_t port = 8124, max_message = 16 << 20, retry_timeout;
static const char *address = "127.0.0.1", *identd = "", *protocol = "auto",
                  *origins = "", *state_dir = "";
static bool require_origin, require_account, native_caveats, demo;

static const struct v23_flag flags[] = {
    { "address", "Address of this machine to listen on, as a number. With any "
        "other than 127.0.0.1 or ::1 other machines reach the websockets, and "
        "with them this program's rights; -allowed-origins does not keep "
        "programs out.", "127.0.0.1", V23_FLAG_STRING, &address, NULL },
    { "allowed-origins", "Whose pages may open a websocket: patterns of "
        "origins (scheme://host[:port]), separated by commas, in which * "
        "stands for anything but a slash. Empty: all. The pattern * alone also "
        "allows programs that name no origin.", "", V23_FLAG_STRING, &origins,
        NULL },
    { "demo", "Serve the demonstration page at /, with the JavaScript client.",
        "false", V23_FLAG_BOOL, &demo, NULL },
    { "identd", "Name of the service that makes accounts of access tokens "
        "(POST /create-account). Empty: no account can be made.", "",
        V23_FLAG_STRING, &identd, NULL },
    { "max-message-size", "Most bytes of a message from a page.", "16777216",
        V23_FLAG_INT, &max_message, NULL },
    { "native-caveats", "Do not ask pages about caveats of known kinds on "
        "blessings that are presented to them.", "false", V23_FLAG_BOOL,
        &native_caveats, NULL },
    { "port", "Port to listen on; 0 = any.", "8124", V23_FLAG_INT, &port,
        NULL },
    { "protocol", "What is spoken at /ws: vom (2016), json (2014, "
        "greeting the page at once) or auto (what the page begins with). /vom/ws "
        "and /json/ws always speak the one they name.", "auto",
        V23_FLAG_STRING, &protocol, NULL },
    { "require-account", "Refuse pages whose origin has no account, instead of "
        "giving them this program's own principal.", "false", V23_FLAG_BOOL,
        &require_account, NULL },
    { "require-origin", "Refuse who names no origin, as programs do.", "false",
        V23_FLAG_BOOL, &require_origin, NULL },
    { "retry-timeout", "Seconds to try again to begin a call of a page of 2014; "
        "0 = not at all.", "0", V23_FLAG_INT, &retry_timeout, NULL },
    { "state-dir", "Directory that keeps accounts, and which origins have "
        "them, signed. Empty: they end with the program.", "",
        V23_FLAG_STRING, &state_dir, NULL },
};

struct daemon {
    struct vname_program *p;
    struct wspr_host *host;
    struct vsec_signed_files state;
    struct wspr_principals *principals;
    struct wspr_accounts *accounts;
    struct wspr_file files[MAX_FILES + 1];
    char language[32];
};

/* ---- the flags ----------------------------------------------------------- */

static int choose_protocol(const struct v23_invocation *inv,
    enum wspr_protocol *out)
{
    static const struct {
        const char *name;
        enum wspr_protocol protocol;
    } all[] = { { "auto", WSPR_AUTO }, { "vom", WSPR_VOM },
        { "json", WSPR_JSON } };
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(protocol, all[i].name) == 0) {
            *out = all[i].protocol;
            return 0;
        }
    return v23_usage_error(inv,
        "bad value for --protocol: \"%s\" is not auto, vom or json", protocol);
}

static int check_flags(const struct v23_invocation *inv)
{
    if (port < 0 || port > 65535)
        return v23_usage_error(inv, "bad value for --port: %lld",
            (long long)port);
    if (max_message < 1024 || max_message > MAX_MESSAGE)
        return v23_usage_error(inv,
            "bad value for --max-message-size: %lld is not between 1024 and "
            "%d", (long long)max_message, MAX_MESSAGE);
    if (retry_timeout < 0 || retry_timeout > MAX_RETRY)
        return v23_usage_error(inv,
            "bad value for --retry-timeout: %lld is not between 0 and %d",
            (long long)retry_timeout, MAX_RETRY);
    return 0;
}

static void fill_files(struct daemon *d)
{
    size_t i;

    for (i = 0; i < MAX_FILES && assets[i].name != NULL; i++)
        d->files[i] = (struct wspr_file){ assets[i].name, assets[i].p,
            assets[i].n };
}

/* ---- accounts ------------------------------------------------------------ */

/* Before somebody's account is lost. */
static int check_state_dir(const struct daemon *d)
{
    const char *agent = getenv("V23_AGENT_PATH");
    struct stat st;
    int err = 0;

    if (*state_dir == 0)
        return 0;
    if (d->p->flags.credentials.n == 0 && (agent == NULL || *agent == 0))
        return v23_error("-state-dir needs credentials that stay "
            "(-v23.credentials): they sign what is kept");
    if (stat(state_dir, &st) != 0)
        err = errno == ENOENT ? 0 : errno; /* it is made when it is needed */
    else if (!S_ISDIR(st.st_mode))
        err = ENOTDIR;
    else if (access(state_dir, R_OK | W_OK | X_OK) != 0)
        err = errno;
    return err == 0 ? 0 : v23_error("-state-dir: %s: %s", state_dir,
        strerror(err));
}

static int open_accounts(struct daemon *d)
{
    struct wspr_state_io io;
    char why[WSPR_WHY] = "";
    int rc = check_state_dir(d);

    if (rc != 0)
        return rc;
    d->state.dir = state_dir;
    d->state.base = "principalData";
    d->state.principal = d->p->rt.principal;
    io = wspr_state_files(&d->state);
    rc = wspr_principals_new(d->p->rt.principal,
        *state_dir == 0 ? NULL : &io, &d->principals, why);
    if (rc != 0)
        return v23_error("cannot read the accounts in %s: %s", state_dir,
            why[0] != 0 ? why : v23_strerror(rc));
    if (*identd != 0)
        rc = wspr_accounts_new(d->principals, d->p->rt.client, identd,
            &d->accounts);
    return rc == 0 ? 0 : v23_error("%s", v23_strerror(rc));
}

/* ---- life ---------------------------------------------------------------- */

static void on_stopped(void *ud)
{
    vname_program_done(ud);
}

/* Host and port apart, as programs read them that start this one. */
static void print_ready(const struct wspr_host *h)
{
    const char *at = wspr_host_address(h), *colon = strrchr(at, ':');

    printf("Listening on host: %.*s port: %s\n", (int)(colon - at), at,
        colon + 1);
    fflush(stdout);
}

static int serve(struct daemon *d)
{
    struct vname_program *p = d->p;

    if (vname_program_catch(p) != 0)
        return 1;
    print_ready(d->host);
    vname_program_wait(p);
    wspr_host_stop(d->host, on_stopped, p);
    vname_program_wait(p);
    return 0;
}

static int start(struct daemon *d, enum wspr_protocol p)
{
    struct wspr_host_config cfg = { .protocol = p };
    int rc = open_accounts(d);

    if (rc != 0)
        return rc;
    cfg.program = d->p;
    cfg.principals = d->principals;
    cfg.accounts = d->accounts;
    cfg.address = address;
    cfg.port = (uint16_t)port;
    cfg.allowed_origins = *origins == 0 ? NULL : origins;
    cfg.require_origin = require_origin;
    cfg.require_account = require_account;
    cfg.native_caveats = native_caveats;
    cfg.retry_ns = retry_timeout * V23_NS_PER_SEC;
    cfg.language = v23_i18n_language(getenv("LANG"), d->language);
    cfg.limits.message = (size_t)max_message;
    if (demo) {
        fill_files(d);
        cfg.files = d->files;
    }
    if (d->p->flags.proxy.n == 0)
        v23_logf(&d->p->rt.log, V23_LOG_WARN, "no proxy is set (--v23.proxy): "
            "servers of pages are reached only by who reaches this machine");
    rc = wspr_host_new(&cfg, &d->host);
    if (rc != 0)
        return v23_error("cannot listen on %s, port %d: %s", address,
            (int)port,
            rc == V23_ESYS ? strerror(errno)
            : rc == V23_EARG ? "not an address" : v23_strerror(rc));
    return 0;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct daemon d = { .p = ud };
    enum wspr_protocol p = WSPR_AUTO;
    int rc = check_flags(inv);

    (void)argc;
    (void)argv;
    if (rc == 0)
        rc = choose_protocol(inv, &p);
    if (rc == 0)
        rc = start(&d, p);
    if (rc == 0)
        rc = serve(&d);
    wspr_host_free(d.host);
    wspr_accounts_free(d.accounts);
    wspr_principals_free(d.principals);
    return rc;
}

static const struct v23_command command = {
    .name = "wsprd",
    .brief = "Runs the wspr web socket proxy daemon",
    .about = "Runs the wspr web socket proxy daemon.\n\n"
             "Command wsprd lets web pages and Node programs be Vanadium "
             "clients and servers: it speaks with them over websockets, makes "
             "their calls and serves for them. It prints \"Listening on host: "
             "<host> port: <port>\" when it is ready.\n\n"
             "It listens on this machine only, and trusts who connects: any "
             "page that a browser of this machine shows may act with this "
             "program's blessings, unless -allowed-origins or -require-account "
             "say otherwise. It speaks no TLS: for pages from elsewhere put a "
             "web server in front that does, and that says who may come.\n\n"
             "Unless -protocol is vom, the page /debug lists what is "
             "connected.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command,
        VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN | VRPC_FLAGS_PERMISSIONS
            | VRPC_FLAGS_LOGGING | VRPC_FLAGS_WRITABLE,
        argc, argv);
}
