/* BSD-3-Clause; see LICENSE. */
/*
 * echo-server: serves the interface of echo.vdl so that clients of another
 * implementation can be tried out on it.
 */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>

#include <vrpc/verror.h>
#include <vsec/acl.h>

#define MAX_LISTEN 16

static const char *name = "", *listen_at = "", *proxy = "",
                  *auth = "default";
static bool discharger = true, quiet, leaf;
static int64_t discharge_expiry, lame_duck = 5 * V23_NS_PER_SEC, max_calls;

static const struct v23_flag flags[] = {
    { "name", "Name to publish the server under.", "", V23_FLAG_STRING, &name,
        NULL },
    { "listen",
        "Where to listen, proto@host:port,…; none: nowhere. Overrides "
        "--v23.tcp.*.",
        "", V23_FLAG_STRING, &listen_at, NULL },
    { "proxy", "Name of a proxy to listen through. Overrides --v23.proxy.", "",
        V23_FLAG_STRING, &proxy, NULL },
    { "auth", "Who may call: default, all or perms.", "default",
        V23_FLAG_STRING, &auth, NULL },
    { "discharger", "Serve a discharger at the name discharger.", "true",
        V23_FLAG_BOOL, &discharger, NULL },
    { "discharge-expiry", "Life of discharges; 0s: unlimited.", "0s",
        V23_FLAG_DURATION, &discharge_expiry, NULL },
    { "quiet", "Do not log calls.", "false", V23_FLAG_BOOL, &quiet, NULL },
    { "lame-duck", "How long calls may go on when the server stops.", "5s",
        V23_FLAG_DURATION, &lame_duck, NULL },
    { "max-calls", "Most calls at the same time; 0: the usual.", "0",
        V23_FLAG_INT, &max_calls, NULL },
    { "leaf", "Serve the empty suffix only.", "false", V23_FLAG_BOOL, &leaf,
        NULL },
};

/* ---- objects ------------------------------------------------------------- */

static int refuse(void *ud, const struct vsec_call *call, struct v23_arena *a,
    const struct vsec_auth_wait *wait, const struct v23_verror **err)
{
    (void)ud;
    (void)call;
    (void)wait;
    if (err != NULL)
        *err = vrpc_err_make(a, NULL, VRPC_ERR_NO_ACCESS, "nobody may");
    return V23_EDENIED;
}

static const struct vsec_authorizer nobody = { refuse, NULL, NULL };

/* One for each name of the tree, then `deny`. */
static struct echo_object objects[ECHO_NODES + 1];

static struct vrpc_object echo_object(struct echo_object *o)
{
    struct vrpc_object out = echo_echo_object(&echo_methods, o);

    out.glob = &echo_children;
    return out;
}

static int lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **who, const struct v23_verror **err)
{
    struct echo_server *s = ud;
    size_t i;

    (void)op;
    (void)a;
    (void)err;
    *who = s->auth;
    for (i = 0; i < ECHO_NODES; i++)
        if (vdl_str_is(suffix, echo_tree[i].name)) {
            *obj = echo_object(&objects[i]);
            return 0;
        }
    if (vdl_str_is(suffix, "deny")) {
        *obj = echo_object(&objects[ECHO_NODES]);
        *who = &nobody;
        return 0;
    }
    if (vdl_str_is(suffix, "all")) {
        obj->self = s;
        obj->glob = &echo_all;
        return 0;
    }
    if (vdl_str_is(suffix, "discharger") && s->discharger) {
        *obj = vrpc_discharger_object(&s->discharge);
        *who = &vsec_auth_everyone;
        return 0;
    }
    return V23_ENOENT;
}

/* ---- who may call -------------------------------------------------------- */

static int use_perms(struct echo_server *s)
{
    int rc = vrpc_flags_auth_init(&s->perms, &s->p->flags, NULL,
        &s->p->rt.log);

    if (rc == V23_ETEXT)
        return v23_error("the permissions are malformed");
    if (rc != 0)
        return v23_error("%s", v23_strerror(rc));
    s->auth = s->perms.authorizer;
    return s->auth != NULL ? 0
        : v23_error("-auth=perms needs -v23.permissions.literal or "
                    "-v23.permissions.file=runtime:FILE");
}

static int choose_auth(struct echo_server *s)
{
    if (strcmp(auth, "all") == 0)
        s->auth = &vsec_auth_everyone;
    else if (strcmp(auth, "perms") == 0)
        return use_perms(s);
    else if (strcmp(auth, "default") != 0)
        return v23_error("-auth=%s: not one of default, all, perms", auth);
    return 0;
}

/* ---- serving ------------------------------------------------------------- */

/* Cut -listen into addresses; V23_EARG. */
static int parse_listen(struct vrpc_listen_addr *addrs, size_t *n)
{
    const char *p = listen_at, *end, *at;

    *n = 0;
    if (strcmp(p, "none") == 0)
        return 0;
    for (;;) {
        end = p + strcspn(p, ",");
        at = memchr(p, '@', (size_t)(end - p));
        if (at == NULL || at == p || at + 1 == end || *n == MAX_LISTEN)
            return V23_EARG;
        addrs[*n].protocol = vdl_strn(p, (size_t)(at - p));
        addrs[*n].address = vdl_strn(at + 1, (size_t)(end - at - 1));
        ++*n;
        if (*end == 0)
            return 0;
        p = end + 1;
    }
}

static int print_endpoints(struct vname_serving *v)
{
    const struct vrpc_endpoint *eps;
    struct v23_buf text;
    size_t n, i;

    if (vname_serving_endpoints(v, &eps, &n) != 0)
        return v23_error("out of memory");
    v23_buf_init(&text, NULL, 1u << 16);
    for (i = 0; i < n; i++) {
        v23_buf_cut(&text, 0);
        vrpc_endpoint_name(&eps[i], &text);
        printf("ENDPOINT %.*s %s\n", (int)eps[i].protocol.n,
            eps[i].protocol.n == 0 ? "" : eps[i].protocol.p,
            v23_buf_cstr(&text));
    }
    v23_buf_fini(&text);
    puts("READY");
    fflush(stdout);
    return 0;
}

static int serve(struct echo_server *s)
{
    struct vrpc_listen_addr addrs[MAX_LISTEN];
    struct vrpc_dispatcher dispatcher = { .lookup = lookup, .ud = s };
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vname_serving *v;
    int rc;

    cfg.dispatcher = &dispatcher;
    cfg.leaf = leaf ? VRPC_LEAF_YES : VRPC_LEAF_DEFAULT;
    cfg.max_calls = (uint32_t)max_calls;
    cfg.any_thread = true;
    scfg.server = &cfg;
    scfg.name = vdl_str(name);
    if (listen_at[0] != 0) {
        if (parse_listen(addrs, &scfg.naddrs) != 0)
            return v23_error("-listen=%s: not a list of proto@host:port",
                listen_at);
        scfg.addrs = addrs;
    }
    s->p->flags.lame_duck_ns = lame_duck;
    rc = vname_serve(s->p, &scfg, &v);
    if (rc == V23_ENOSYS)
        return v23_error("cannot serve: a protocol is not supported by this "
                         "version%s%s",
            listen_at[0] == 0 ? "" : ": -listen=", listen_at);
    if (rc != 0)
        return v23_error("cannot serve: %s",
            s->p->rt.why[0] != 0 ? s->p->rt.why : v23_strerror(rc));
    rc = vname_program_catch(s->p);
    if (rc == 0)
        rc = print_endpoints(v);
    if (rc == 0)
        vname_serving_run(v);
    else
        vname_serving_stop(v);
    return rc;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct echo_server s = { .p = ud,
        .quiet = quiet,
        .discharger = discharger };
    size_t i;
    int rc;

    (void)inv;
    (void)argc;
    (void)argv;
    if (proxy[0] != 0)
        s.p->flags.proxy = vdl_str(proxy);
    if (max_calls < 0 || max_calls > UINT32_MAX)
        return v23_error("-max-calls is out of range");
    for (i = 0; i <= ECHO_NODES; i++) {
        objects[i].server = &s;
        objects[i].node = &echo_tree[i < ECHO_NODES ? i : 0];
    }
    s.discharge.duration_ns = discharge_expiry == 0 ? V23_NEVER
                                                    : discharge_expiry;
    rc = choose_auth(&s);
    if (rc == 0)
        rc = serve(&s);
    if (s.auth == s.perms.authorizer)
        vrpc_flags_auth_fini(&s.perms);
    return rc;
}

static const struct v23_command command = {
    .name = "echo-server",
    .brief = "serves echo.vdl for interoperability tests",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_SERVER, argc,
        argv);
}
