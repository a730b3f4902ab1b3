/* BSD-3-Clause; see LICENSE. */
/*
 * idp: both ends of a provider of blessings, for the tests of seekblessings.
 *
 *   idp serve            the blesser: takes the macaroon "pass" for a blessing
 *                        of its default one with the extension "user"
 *   idp visit URL A=B…   the browser that comes back: sends state and these
 *                        values to the redirect_url of the printed URL, and
 *                        prints status and text of the answer; state=X sends
 *                        another state
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <v23/vdl/v.io/x/ref/services/identity/identity.rpc.h>
#include <vname/program.h>
#include <vrpc/server.h>
#include <vsec/principal.h>

static const char *name = "";

/* ---- serve --------------------------------------------------------------- */

static const struct v23_verror *bless(void *self,
    struct vrpc_server_call *call,
    const v23_identity_macaroon_blesser_bless_in *in,
    v23_identity_macaroon_blesser_bless_out *out)
{
    struct vname_program *p = self;
    struct vsec_principal *me = p->rt.principal;
    struct v23_bytes der = vrpc_server_call_remote_key(call);
    static struct vsec_blessings *b; /* until the answer has left */
    v23_security_caveat free_use = vsec_caveat_unconstrained();
    struct vsec_bless what = { NULL, NULL, VDL_STR_INIT("user"),
        { &free_use, 1 } };
    int rc = V23_EDENIED;

    vsec_blessings_unref(b);
    b = NULL;
    what.with = vsec_store_default(me->store);
    if (vdl_str_is(in->macaroon, "pass"))
        rc = vsec_pubkey_parse(me->engine, vdl_bytes(der.p, der.n),
            &what.key);
    if (rc == 0)
        rc = vsec_principal_bless(me, &what, &b);
    vsec_pubkey_unref(what.key);
    if (rc == 0)
        out->blessing = vsec_blessings_wire(b);
    return rc == 0 ? NULL
                   : v23_verror_text(vrpc_server_call_arena(call),
                         vrpc_server_call_errctx(call),
                         vdl_str("v.io/v23/verror.NoAccess"), V23_NO_RETRY,
                         "the macaroon is not mine");
}

static const v23_identity_macaroon_blesser_vt methods = { .bless = bless };

static int serve(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vname_serving *s;

    (void)inv;
    (void)argc;
    (void)argv;
    cfg.object = v23_identity_macaroon_blesser_object(&methods, p);
    cfg.authorizer = &vsec_auth_everyone;
    cfg.component = vdl_str("idp");
    scfg.server = &cfg;
    scfg.name = vdl_str(name);
    if (vname_serve(p, &scfg, &s) != 0)
        return v23_error("cannot serve: %s", p->rt.why);
    return vname_serving_print_and_run(s);
}

/* ---- visit --------------------------------------------------------------- */

static void put(struct v23_buf *b, const char *key, size_t nkey,
    const char *value)
{
    char *safe = evhttp_uriencode(value, -1, 0);

    v23_buf_printf(b, "%c%.*s=%s", memchr(b->p, '?', b->n) == NULL ? '?' : '&',
        (int)nkey, key, safe);
    free(safe);
}

/* Path and query of the visit; the host and port go to `to`. */
static bool plan(int argc, char **argv, struct v23_buf *path,
    struct sockaddr_in *to)
{
    struct evhttp_uri *page = evhttp_uri_parse(argv[0]), *back;
    struct evkeyvalq q;
    const char *state;
    int i;

    if (page == NULL
        || evhttp_parse_query_str(evhttp_uri_get_query(page), &q) != 0)
        return false;
    back = evhttp_uri_parse(evhttp_find_header(&q, "redirect_url"));
    state = evhttp_find_header(&q, "state");
    if (back == NULL || state == NULL)
        return false;
    to->sin_family = AF_INET;
    to->sin_port = htons((uint16_t)evhttp_uri_get_port(back));
    inet_pton(AF_INET, evhttp_uri_get_host(back), &to->sin_addr);
    v23_buf_puts(path, evhttp_uri_get_path(back));
    for (i = 1; i < argc; i++) {
        size_t n = strcspn(argv[i], "=");

        if (strncmp(argv[i], "state=", 6) == 0)
            state = argv[i] + 6;
        else
            put(path, argv[i], n, argv[i] + n + (argv[i][n] != 0));
    }
    put(path, "state", 5, state);
    evhttp_uri_free(page);
    evhttp_uri_free(back);
    evhttp_clear_headers(&q);
    return path->err == 0;
}

static int visit(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct sockaddr_in to = { 0 };
    struct v23_buf path, text;
    char part[4096];
    ssize_t n;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)ud;
    if (argc < 1)
        return v23_usage_error(inv, "idp: no URL");
    v23_buf_init(&path, NULL, 1 << 20);
    v23_buf_init(&text, NULL, 1 << 20);
    if (!plan(argc, argv, &path, &to))
        return v23_error("not the URL of seekblessings");
    v23_buf_printf(&text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
        v23_buf_cstr(&path));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0
        || send(fd, text.p, text.n, 0) != (ssize_t)text.n)
        return v23_error("cannot connect");
    while ((n = recv(fd, part, sizeof(part), 0)) > 0)
        fwrite(part, 1, (size_t)n, stdout);
    close(fd);
    v23_buf_fini(&path);
    v23_buf_fini(&text);
    return 0;
}

/* ---- the program --------------------------------------------------------- */

static const struct v23_flag serve_flags[] = {
    { "name", "Name to publish the server under.", "", V23_FLAG_STRING, &name,
        NULL },
};
static const struct v23_command cmd_serve = {
    .name = "serve",
    .brief = "serves a blesser",
    .flags = serve_flags,
    .nflags = 1,
    .run = serve,
};
static const struct v23_command cmd_visit = {
    .name = "visit",
    .brief = "sends the browser back",
    .args = "<url> <key=value>...",
    .run = visit,
};
static const struct v23_command *const children[] = { &cmd_serve,
    &cmd_visit };
static const struct v23_command root = {
    .name = "idp",
    .brief = "a provider of blessings for tests",
    .children = children,
    .nchildren = 2,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &root,
        VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN | VRPC_FLAGS_LOGGING, argc,
        argv);
}
