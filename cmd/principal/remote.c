/* BSD-3-Clause; see LICENSE. */
/*
 * Blessing over the network: recvblessings serves one object whose method
 * Grant takes a token; bless calls it and grants the blessing with the call
 * (spec/security.md 14.5). The token tells the receiver who sends, the
 * fingerprint of the key tells the sender who receives.
 */
#include "principal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include <vrpc/endpoint.h>
#include <vrpc/server.h>
#include <vsec/authorizer.h>

/* ---- run time ------------------------------------------------------------ */

int app_start(struct vname_program *p, struct app *app)
{
    struct vname_ns_config cfg;
    int rc;

    memset(p, 0, sizeof(*p));
    memset(&cfg, 0, sizeof(cfg));
    p->name = "principal";
    /* With an agent the run time talks to it by its own loop. */
    app->flags.principal = app->agent == NULL ? app->p : NULL;
    rc = vrpc_runtime_init(&p->rt, &app->flags, p->name);
    if (rc != 0)
        return v23_error("%s", p->rt.why[0] != 0 ? p->rt.why
                                                 : v23_strerror(rc));
    cfg.client = p->rt.client;
    cfg.roots = app->flags.roots;
    cfg.nroots = app->flags.nroots;
    rc = vname_ns_new(&cfg, &p->ns);
    if (rc != 0) {
        vrpc_runtime_fini(&p->rt);
        return v23_error("cannot start the namespace: %s",
            v23_strerror(rc));
    }
    p->started = true;
    return 0;
}

void app_stop(struct vname_program *p)
{
    if (!p->started)
        return;
    vname_ns_free(p->ns);
    vrpc_runtime_fini(&p->rt);
}

/* ---- blessings that arrive ----------------------------------------------- */

int app_keep(struct app *app, const struct keep *k, struct vsec_blessings *b,
    char *why, size_t size)
{
    struct vdl_str names = vsec_blessings_text(b);
    int n = names.n > 256 ? 256 : (int)names.n, rc = 0;

    if (k->make_default) {
        rc = vsec_store_set_default(app->p->store, b);
        if (rc != 0)
            snprintf(why, size, "failed to set blessings %.*s as default: %s",
                n, names.p, app_store_error(app, rc));
    }
    if (rc == 0 && *k->for_peer != 0) {
        rc = vsec_store_set(app->p->store, b, vdl_str(k->for_peer), NULL);
        if (rc != 0)
            snprintf(why, size, "failed to set blessings %.*s for peers "
                "%.128s: %s", n, names.p, k->for_peer, app_store_error(app, rc));
    }
    if (rc == 0 && k->add_to_roots) {
        rc = vsec_principal_add_to_roots(app->p, b);
        if (rc != 0)
            snprintf(why, size, "failed to add blessings to recognized "
                "roots: %s", app_store_error(app, rc));
    }
    if (rc == 0) {
        printf("Received blessings: %.*s\n", (int)names.n, names.p);
        fflush(stdout);
    }
    return rc;
}

/* ---- bless --------------------------------------------------------------- */

struct sender {
    struct vname_program p;
    const struct remote_bless *what;
    struct vsec_principal *blesser;
    char why[256]; /* set when nothing was granted, */
    int refused;   /* with this status */
    int result;
};

/* The server is known: bless its key if that is the one we were told. */
static int grant(void *ud, struct v23_op op, struct vrpc_call *call,
    struct vsec_blessings **out)
{
    struct sender *s = ud;
    struct vsec_engine *e = s->blesser->engine;
    struct v23_bytes der = vrpc_call_server_key(call);
    struct vdl_bytes key = vdl_bytes(der.p, der.n);
    char print[VSEC_FINGERPRINT];
    struct vsec_bless what;
    int rc = vsec_fingerprint(e->crypto, key, print);

    (void)op;
    if (rc != 0)
        return rc;
    if (strcmp(print, s->what->key) != 0) {
        snprintf(s->why, sizeof(s->why), "key mismatch: Remote end has "
            "public key %s, want %.60s", print, s->what->key);
        return s->refused = V23_EUNTRUSTED;
    }
    rc = vsec_pubkey_parse(e, key, &what.key);
    if (rc != 0)
        return rc;
    what.with = s->what->with;
    what.extension = vdl_str(s->what->extension);
    what.caveats = s->what->caveats;
    rc = vsec_principal_bless(s->blesser, &what, out);
    vsec_pubkey_unref(what.key);
    if (rc == V23_EPATTERN)
        app_extension_error(s->what->extension, s->why, sizeof(s->why));
    return s->refused = rc;
}

/* The message ends in what the status stands for: say it in full. */
static int not_sent(const struct sender *s, const struct v23_verror *err)
{
    const char *status = v23_strerror(s->refused);
    size_t n = strlen(status), all = err->msg.n;

    if (s->why[0] != 0 && all >= n
        && memcmp(err->msg.p + all - n, status, n) == 0)
        return v23_error("failed to make RPC to \"%s\": %.*s%s",
            s->what->name, (int)(all - n), err->msg.p, s->why);
    return v23_error("failed to make RPC to \"%s\": %.*s", s->what->name,
        (int)all, all == 0 ? "" : err->msg.p);
}

static void sent(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct sender *s = ud;

    (void)results;
    (void)n;
    if (err != NULL)
        s->result = not_sent(s, err);
    vname_program_done(&s->p);
}

int remote_bless(struct app *app, const struct remote_bless *r)
{
    static const struct vrpc_any_cb cb = { NULL, sent };
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;
    static struct sender s;
    struct vrpc_granter grants = { grant, NULL };
    struct vdl_str token = vdl_str(r->token);
    struct vdl_any arg;
    int rc;

    s.what = r;
    s.blesser = app->p;
    rc = app_start(&s.p, app);
    if (rc != 0)
        return rc;
    opts.timeout_ns = 60 * V23_NS_PER_SEC;
    opts.server_auth = &vsec_auth_everyone; /* grant() looks at the key */
    opts.name_auth = &vsec_auth_everyone;
    grants.ud = &s;
    opts.granters = &grants;
    opts.ngranters = 1;
    arg.type = &vdl_string_desc;
    arg.val = &token;
    if (vrpc_client_start_any(s.p.rt.client, vdl_str(r->name),
            vdl_str("Grant"), &opts, &arg, 1, 0, &cb, &s) == NULL)
        s.result = v23_error("out of memory");
    else
        vname_program_wait(&s.p);
    app_stop(&s.p);
    return s.result;
}

/* ---- recvblessings ------------------------------------------------------- */

static struct keep keep = { true, true, "..." };
static const char *arg_file = "";

struct receiver {
    struct vname_program p;
    struct app *app;
    struct vname_serving *serving;
    char token[33];
};

static const struct v23_verror *refuse(struct vrpc_server_call *call,
    const char *what, const char *why)
{
    return v23_verror_text(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), vdl_str("v.io/v23/verror.Unknown"),
        V23_NO_RETRY, "%s%s", what, why);
}

/* Copy of blessings in the engine of the principal that is changed. */
static int adopt(struct app *app, const struct vsec_blessings *b,
    struct vsec_blessings **out)
{
    v23_security_wire_blessings w = vsec_blessings_wire(b);

    return vsec_blessings_from_wire(app->engine, NULL, &w, out);
}

#define LINGER_NS (200 * V23_NS_PER_MS)

struct grant_in {
    struct vdl_str token;
};

static void finish(void *ud)
{
    vname_program_done(ud);
}

static const struct v23_verror *granted(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    const struct vsec_blessings *b = vrpc_server_call_granted(call);
    const struct grant_in *args = in;
    struct receiver *r = self;
    struct vsec_blessings *own;
    size_t n = strlen(r->token);
    char why[640];
    int rc;

    (void)vt;
    (void)out;
    if (b == NULL)
        return refuse(call, "no blessings granted by sender", "");
    if (args->token.n != n || !v23_ct_equal(args->token.p, r->token, n))
        return refuse(call, "blessings received from unexpected sender", "");
    rc = adopt(r->app, b, &own);
    if (rc != 0)
        return refuse(call, "blessings cannot be used: ", v23_strerror(rc));
    rc = app_keep(r->app, &keep, own, why, sizeof(why));
    vsec_blessings_unref(own);
    if (rc != 0)
        return refuse(call, why, "");
    /* The answer leaves after this returns. */
    if (vrpc_runtime_after(&r->p.rt, LINGER_NS, finish, &r->p) != 0)
        vname_program_done(&r->p);
    return NULL;
}

static const struct vrpc_arg grant_args[] = {
    { VDL_STR_INIT("token"), { NULL, 0 }, &vdl_string_desc,
        offsetof(struct grant_in, token) },
};
static const struct vrpc_method methods[] = {
    { .name = VDL_STR_INIT("Grant"), .in = grant_args, .thunk = granted,
        .in_size = sizeof(struct grant_in), .nin = 1 },
};
static const struct vrpc_iface iface = {
    .name = VDL_STR_INIT("BlessingsReceiver"),
    .methods = methods,
    .nmethods = 1,
};

static int make_token(struct app *app, char token[33])
{
    uint8_t raw[24];
    struct v23_buf b;
    int rc = vsec_random_fill(app->engine, raw, sizeof(raw));

    if (rc != 0)
        return v23_error("unable to generate token: %s", v23_strerror(rc));
    v23_buf_init_fixed(&b, token, 33);
    v23_base64_put(&b, raw, sizeof(raw), true);
    v23_buf_put_byte(&b, 0);
    return 0;
}

/* {"remote_key":…,"remote_token":…,"name":…} */
static int write_args(const char *path, const char *key, const char *token,
    const char *name)
{
    cJSON *o = cJSON_CreateObject();
    char *text = NULL, why[V23_ERRNO];
    bool ok = false;
    FILE *f;

    if (o != NULL && cJSON_AddStringToObject(o, "remote_key", key) != NULL
        && cJSON_AddStringToObject(o, "remote_token", token) != NULL
        && cJSON_AddStringToObject(o, "name", name) != NULL)
        text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    f = text == NULL ? NULL : fopen(path, "w");
    if (f != NULL) {
        ok = fputs(text, f) >= 0;
        ok = fclose(f) == 0 && ok;
    }
    v23_errno(why);
    if (text == NULL)
        snprintf(why, sizeof(why), "out of memory");
    cJSON_free(text);
    return ok ? 0 : v23_error("failed to write recvblessings info to %s: %s",
        path, why);
}

/* Tell what the sender has to do. */
static int announce(struct receiver *r, const char *name)
{
    char print[VSEC_FINGERPRINT];

    app_fingerprint(r->app, r->app->p->key->der, print);
    printf("Run the following command on behalf of the principal that will "
        "send blessings:\nYou may want to adjust flags affecting the caveats "
        "on this blessing, for example using\nthe --for flag\n\n");
    if (*arg_file != 0) {
        if (write_args(arg_file, print, r->token, name) != 0)
            return 1;
        printf("make \"%s\" accessible to the blesser, possibly by copying "
            "the file over and then run:\nprincipal bless "
            "--remote-arg-file=%s", arg_file, arg_file);
    } else {
        printf("principal bless --remote-key=%s --remote-token=%s %s\n",
            print, r->token, name);
    }
    printf("\n...waiting for sender..\n");
    fflush(stdout);
    return 0;
}

/* "/endpoint" of the first address served. */
static int first_name(struct receiver *r, struct v23_buf *out)
{
    const struct vrpc_endpoint *eps;
    size_t n;
    int rc = vname_serving_endpoints(r->serving, &eps, &n);

    if (rc == 0 && n == 0)
        rc = V23_ENOENT;
    if (rc == 0) {
        v23_buf_put_byte(out, '/');
        vrpc_endpoint_format(&eps[0], out);
        rc = out->err;
    }
    return rc == 0 ? 0 : v23_error("failed to create server to listen for "
        "blessings: %s", v23_strerror(rc));
}

static int receive(struct receiver *r)
{
    struct vrpc_server_config cfg;
    struct vname_serve_config scfg;
    struct v23_buf name;
    int rc;

    memset(&cfg, 0, sizeof(cfg));
    memset(&scfg, 0, sizeof(scfg));
    cfg.object.iface = &iface;
    cfg.object.self = r;
    cfg.authorizer = &vsec_auth_everyone;
    scfg.server = &cfg;
    scfg.addrs = r->app->flags.addrs;
    scfg.naddrs = r->app->flags.naddrs;
    rc = vname_serve(&r->p, &scfg, &r->serving);
    if (rc != 0)
        return v23_error("failed to create server to listen for blessings: "
            "%s", r->p.rt.why[0] != 0 ? r->p.rt.why : v23_strerror(rc));
    v23_buf_init(&name, NULL, 4096);
    rc = first_name(r, &name);
    if (rc == 0)
        rc = announce(r, v23_buf_cstr(&name));
    if (rc == 0)
        vname_program_wait(&r->p);
    v23_buf_fini(&name);
    vname_serving_stop(r->serving);
    return rc;
}

static int recvblessings(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static struct receiver r;
    int rc;

    (void)inv;
    (void)argv;
    if (argc != 0)
        return v23_error("command accepts no arguments");
    r.app = ud;
    rc = make_token(r.app, r.token);
    if (rc == 0)
        rc = app_mutable(r.app);
    if (rc == 0)
        rc = app_start(&r.p, r.app);
    if (rc == 0)
        rc = receive(&r);
    app_stop(&r.p);
    return rc;
}

static const struct v23_flag flags[] = {
    KEEP_FLAGS(keep),
    { "remote-arg-file", "If non-empty, the remote key, remote token, and "
        "principal will be written to the specified file in a JSON object. "
        "This can be provided to 'principal bless --remote-arg-file FILE "
        "EXTENSION'", "", V23_FLAG_STRING, &arg_file, NULL },
};

const struct v23_command cmd_recvblessings = {
    .name = "recvblessings",
    .brief = "Receive blessings sent by another principal and use them as "
        "the default",
    .about = "Allow another principal (likely a remote process) to bless this "
        "one.\n\nThis command sets up the invoker (this process) to wait for "
        "a blessing from another invocation of this tool (remote process) and "
        "prints out the command to be run as the remote principal.\n\nThe "
        "received blessings are set as default unless the --set-default flag "
        "is set to false, and are also set for sharing with all peers unless "
        "a more specific peer pattern is provided using the --for-peer "
        "flag.\n\nThe command to be run at the sender is of the form:\n"
        "    principal bless --remote-key=KEY --remote-token=TOKEN ADDRESS "
        "EXTENSION\n\nThe --remote-key flag is used to by the sender to "
        "\"authenticate\" the receiver, ensuring it blesses the intended "
        "recipient and not any attacker that may have taken over the "
        "address.\n\nThe --remote-token flag is used by the sender to "
        "authenticate itself to the receiver. This helps ensure that the "
        "receiver rejects blessings from senders who just happened to guess "
        "the network address of the 'recvblessings' invocation.\n\nIf the "
        "--remote-arg-file flag is provided to recvblessings, the remote key, "
        "remote token and object address of this principal will be written to "
        "the specified location. This file can be supplied to bless:\n"
        "    principal bless --remote-arg-file FILE EXTENSION",
    .flags = flags,
    .nflags = 3,
    .run = recvblessings,
};
