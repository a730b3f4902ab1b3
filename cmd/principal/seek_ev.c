/* BSD-3-Clause; see LICENSE. */
/*
 * seekblessings: blessings of a provider that asks its user on a web page
 * (spec/security.md 9). The page sends the browser back to a listener of this
 * process with a macaroon, which the provider's blesser then takes for
 * blessings. The state in the URL tells that the browser that comes back is the
 * one that was sent; the root key tells who may be the blesser.
 */
#include "principal.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include <v23/vdl/v.io/x/ref/services/identity/identity.rpc.h>
#include <vrpc/client.h>
#include <vsec/authorizer.h>

enum { MAX_NAMES = 64, STATE = 32 };
#define LIMIT_NS (60 * V23_NS_PER_SEC)
#define LINGER_NS (2 * V23_NS_PER_SEC)

static struct keep keep = { true, true, "..." };
static const char *from = "";
static bool browser = true;

struct seeker {
    struct vname_program p;
    struct app *app;
    struct evhttp *http;
    char state[48];
    struct evhttp_request *page; /* the browser waits for its answer */
    /* What the browser has brought. */
    struct evkeyvalq form;
    bool form_there;
    struct vdl_str macaroon, names[MAX_NAMES];
    vdl_str_list preresolved;
    struct vsec_pubkey *root;
    struct vsec_authorizer blesser;
    int64_t deadline;
    bool resolved; /* the second try, by way of the name servers */
    int result;
};

/* ---- the page ------------------------------------------------------------ */

static void over(void *ud)
{
    struct seeker *s = ud;

    vname_program_done(&s->p);
}

static void page_sent(struct evhttp_request *req, void *ud)
{
    (void)req;
    over(ud);
}

/* Answer a request: a heading and a line of text. */
static void answer(struct evhttp_request *req, int code, const char *head,
    const char *text)
{
    struct evkeyvalq *h = evhttp_request_get_output_headers(req);
    struct evbuffer *body = evbuffer_new();
    char *safe = evhttp_htmlescape(text);

    evhttp_add_header(h, "Content-Type", "text/html; charset=utf-8");
    evhttp_add_header(h, "Cache-Control", "no-store");
    evhttp_add_header(h, "Referrer-Policy", "no-referrer");
    evhttp_add_header(h, "Connection", "close");
    /* Nothing of other places: they would see the macaroon. */
    if (body != NULL)
        evbuffer_add_printf(body, "<!doctype html>\n<html><head><meta "
            "charset=\"UTF-8\"><title>Vanadium blessings</title></head>\n"
            "<body><h1>%s</h1><p>%s</p></body></html>\n", head,
            safe == NULL ? "" : safe);
    evhttp_send_reply(req, code, code == 200 ? "OK" : "Bad Request", body);
    if (body != NULL)
        evbuffer_free(body);
    free(safe);
}

/* The command ends when the browser has its answer, or soon. */
static void finish(struct seeker *s, const char *text)
{
    struct evhttp_request *req = s->page;

    s->page = NULL;
    if (req == NULL || evhttp_request_get_connection(req) == NULL
        || vrpc_runtime_after(&s->p.rt, LINGER_NS, over, s) != 0)
        vname_program_done(&s->p);
    if (req == NULL)
        return;
    evhttp_request_set_on_complete_cb(req, page_sent, s);
    if (s->result == 0)
        answer(req, 200, "Received blessings", text);
    else
        answer(req, 400, "No blessings received", text);
}

static void give_up(struct seeker *s, const char *why)
{
    s->result = v23_error("%s", why);
    finish(s, why);
}

/* ---- the blesser --------------------------------------------------------- */

static void start_call(struct seeker *s);

static void failed(struct seeker *s, const struct v23_verror *err)
{
    char why[1024];

    /* A single name may need the name servers, which nobody vouches for yet. */
    if (!s->resolved && s->preresolved.n == 1) {
        s->resolved = true;
        start_call(s);
        return;
    }
    snprintf(why, sizeof(why), "failed to get blessing from \"%.*s\"%s: %.*s",
        s->names[0].n > 256 ? 256 : (int)s->names[0].n, s->names[0].p,
        s->preresolved.n > 1 ? " and others" : "",
        err->msg.n > 512 ? 512 : (int)err->msg.n,
        err->msg.n == 0 ? "" : err->msg.p);
    give_up(s, why);
}

static void blessed(void *ud, const struct v23_verror *err,
    const v23_identity_macaroon_blesser_bless_out *out)
{
    struct seeker *s = ud;
    struct vsec_blessings *b = NULL;
    char why[640], names[1024];
    int rc;

    if (err != NULL) {
        failed(s, err);
        return;
    }
    rc = vsec_blessings_from_wire(s->app->engine, NULL, &out->blessing, &b);
    if (rc == 0 && b == NULL)
        rc = V23_ECERT;
    if (rc != 0) {
        snprintf(why, sizeof(why), "the blessings cannot be used: %s",
            v23_strerror(rc));
        give_up(s, why);
        return;
    }
    if (app_keep(s->app, &keep, b, why, sizeof(why)) != 0) {
        give_up(s, why);
    } else {
        snprintf(names, sizeof(names), "%.*s",
            (int)vsec_blessings_text(b).n, vsec_blessings_text(b).p);
        finish(s, names);
    }
    vsec_blessings_unref(b);
}

/* First the names as they are; then, if there is only one, resolved. */
static void start_call(struct seeker *s)
{
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;

    opts.deadline = s->deadline;
    opts.server_auth = &s->blesser;
    opts.name_auth = &vsec_auth_everyone;
    opts.no_retry = true; /* a blesser that is not the right one stays so */
    if (!s->resolved)
        opts.preresolved = &s->preresolved;
    if (v23_identity_macaroon_blesser_bless_start(s->p.rt.client,
            s->names[0].p, &opts, s->macaroon, blessed, s)
        == NULL)
        give_up(s, "out of memory");
}

/* ---- what the browser brings --------------------------------------------- */

static const char *field(struct seeker *s, const char *name)
{
    const char *v = evhttp_find_header(&s->form, name);

    return v == NULL ? "" : v;
}

static const char *take_names(struct seeker *s)
{
    const struct evkeyval *kv;
    uint32_t n = 0;

    TAILQ_FOREACH(kv, &s->form, next)
        if (strcmp(kv->key, "object_name") == 0) {
            if (n == MAX_NAMES)
                return "too many object names";
            s->names[n++] = vdl_str(kv->value);
        }
    s->preresolved.v = s->names;
    s->preresolved.n = n;
    return n == 0 ? "no object name of a blesser" : NULL;
}

static const char *take_root(struct seeker *s)
{
    const char *text = field(s, "root_key");
    const char *why = NULL;
    struct v23_buf der;

    v23_buf_init(&der, NULL, 1 << 16);
    if (v23_base64_parse(text, strlen(text), true, &der) != 0)
        why = "failed to decode root key";
    else if (vsec_pubkey_parse(s->app->engine, vdl_bytes(der.p, der.n),
                 &s->root)
        != 0)
        why = "failed to unmarshal root key";
    else
        s->blesser = vsec_auth_public_key(s->root);
    v23_buf_fini(&der);
    return why;
}

/* NULL, or what is wrong. */
static const char *take_form(struct seeker *s)
{
    const char *why = take_names(s);

    if (why == NULL)
        why = take_root(s);
    s->macaroon = vdl_str(field(s, "macaroon"));
    if (why == NULL && s->macaroon.n == 0)
        why = "no macaroon";
    return why;
}

/* The provider's page says why not, in base64. */
static void refused(struct seeker *s, const char *coded)
{
    char why[1024];
    struct v23_buf text;
    bool ok;
    size_t i;

    v23_buf_init(&text, NULL, 4096);
    ok = v23_base64_parse(coded, strlen(coded), true, &text) == 0;
    for (i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] == 0x7f)
            text.p[i] = ' '; /* it goes to a terminal */
    snprintf(why, sizeof(why), "failed to get blessings: %.*s",
        ok ? (int)(text.n > 900 ? 900 : text.n) : 0,
        ok && text.n > 0 ? (const char *)text.p : "");
    v23_buf_fini(&text);
    give_up(s, why);
}

static int64_t in_a_minute(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * V23_NS_PER_SEC + t.tv_nsec + LIMIT_NS;
}

static void came_back(struct evhttp_request *req, void *ud)
{
    const char *query = evhttp_uri_get_query(
        evhttp_request_get_evhttp_uri(req));
    struct seeker *s = ud;
    struct evkeyvalq form;
    const char *state, *why;

    if (s->form_there) {
        answer(req, 400, "Unexpected request", "There was one before.");
        return;
    }
    TAILQ_INIT(&form);
    if (query == NULL || evhttp_parse_query_str(query, &form) != 0)
        state = "";
    else
        state = evhttp_find_header(&form, "state");
    if (state == NULL || strlen(state) != strlen(s->state)
        || !v23_ct_equal(state, s->state, strlen(s->state))) {
        answer(req, 400, "Unexpected request", "Mismatched state parameter. "
            "Possible cross-site-request-forgery?");
        evhttp_clear_headers(&form);
        return;
    }
    TAILQ_INIT(&s->form);
    TAILQ_CONCAT(&s->form, &form, next);
    s->form_there = true;
    s->page = req;
    if (*field(s, "error") != 0) {
        refused(s, field(s, "error"));
        return;
    }
    why = take_form(s);
    if (why != NULL) {
        give_up(s, why);
        return;
    }
    s->deadline = in_a_minute();
    start_call(s);
}

/* ---- the listener and its URL -------------------------------------------- */

static int listen_http(struct seeker *s, unsigned *port)
{
    struct evhttp_bound_socket *bound;
    struct sockaddr_in at;
    socklen_t n = sizeof(at);

    s->http = evhttp_new(s->p.rt.base);
    if (s->http == NULL)
        return v23_error("out of memory");
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET);
    evhttp_set_max_headers_size(s->http, 64 << 10);
    evhttp_set_max_body_size(s->http, 1 << 10);
    evhttp_set_timeout(s->http, 90); /* more than the call may take */
    if (evhttp_set_cb(s->http, "/macaroon", came_back, s) != 0)
        return v23_error("out of memory");
    bound = evhttp_bind_socket_with_handle(s->http, "127.0.0.1", 0);
    if (bound == NULL
        || getsockname(evhttp_bound_socket_get_fd(bound),
               (struct sockaddr *)&at, &n)
            != 0)
        return v23_error("failed to get macaroon from Vanadium blesser: "
            "failed to setup authorization code interception server");
    *port = ntohs(at.sin_port);
    return 0;
}

static int make_state(struct seeker *s)
{
    uint8_t raw[STATE];
    struct v23_buf b;
    int rc = vsec_random_fill(s->app->engine, raw, sizeof(raw));

    if (rc != 0)
        return v23_error("failed to generate state token: %s",
            v23_strerror(rc));
    v23_buf_init_fixed(&b, s->state, sizeof(s->state));
    v23_base64_put(&b, raw, sizeof(raw), true);
    v23_buf_put_byte(&b, 0);
    return 0;
}

static bool usable(const char *url)
{
    struct evhttp_uri *u = evhttp_uri_parse(url);
    const char *scheme = u == NULL ? NULL : evhttp_uri_get_scheme(u);
    bool ok = scheme != NULL
        && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0)
        && evhttp_uri_get_host(u) != NULL && *evhttp_uri_get_host(u) != 0
        && evhttp_uri_get_query(u) == NULL
        && evhttp_uri_get_fragment(u) == NULL;

    if (u != NULL)
        evhttp_uri_free(u);
    return ok;
}

/* Append "name=value", the value escaped. */
static void put_param(struct v23_buf *b, const char *name, const char *value)
{
    char *safe = evhttp_uriencode(value, -1, 0);

    v23_buf_puts(b, name);
    v23_buf_put_byte(b, '=');
    if (safe != NULL)
        v23_buf_puts(b, safe);
    free(safe);
}

static void put_url(struct seeker *s, unsigned port, struct v23_buf *url)
{
    struct vdl_bytes der = s->app->p->key->der;
    char redirect[64];
    struct v23_buf key;

    v23_buf_init(&key, NULL, 1 << 16);
    v23_base64_put(&key, der.p, der.n, true);
    snprintf(redirect, sizeof(redirect), "http://127.0.0.1:%u/macaroon",
        port);
    v23_buf_puts(url, from);
    if (from[strlen(from) - 1] != '/')
        v23_buf_put_byte(url, '/');
    v23_buf_puts(url, "seekblessings?");
    put_param(url, "public_key", v23_buf_cstr(&key));
    put_param(url, "&redirect_url", redirect);
    put_param(url, "&state", s->state);
    v23_buf_fini(&key);
}

/*
 * Show the page in the user's browser; the URL is printed too, so failure does
 * not matter. A process between sees to it that nobody waits for the browser.
 */
static void open_browser(const char *url)
{
    const char *const *v;
    pid_t pid = fork();
    int null;

    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    if (pid != 0)
        return;
    for (v = vsec_cred_env; *v != NULL; v++)
        unsetenv(*v);
    null = open("/dev/null", O_RDWR);
    if (fork() == 0 && null >= 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0
        && dup2(null, 2) >= 0)
        execlp("xdg-open", "xdg-open", url, (char *)NULL);
    _exit(0);
}

static int seek(struct seeker *s)
{
    struct v23_buf url;
    unsigned port = 0;
    int rc = make_state(s);

    if (rc == 0)
        rc = listen_http(s, &port);
    if (rc != 0)
        return rc;
    v23_buf_init(&url, NULL, 1 << 16);
    put_url(s, port, &url);
    if (url.err != 0) {
        v23_buf_fini(&url);
        return v23_error("the URL is too long");
    }
    printf("Please visit the following URL to seek blessings:\n%s\n",
        v23_buf_cstr(&url));
    fflush(stdout);
    if (browser)
        open_browser(v23_buf_cstr(&url));
    v23_buf_fini(&url);
    vname_program_wait(&s->p);
    return s->result;
}

static int seekblessings(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static struct seeker s;
    int rc;

    (void)inv;
    (void)argv;
    if (argc != 0)
        return v23_error("command accepts no arguments");
    if (*from == 0)
        from = getenv("V23_OAUTH_IDENTITY_PROVIDER");
    if (from == NULL || *from == 0)
        from = "https://dev.v.io/auth/google";
    if (!usable(from))
        return v23_error("failed to get macaroon from Vanadium blesser: "
            "\"%s\" is not a URL of http or https without query", from);
    s.app = ud;
    rc = app_mutable(s.app);
    if (rc == 0)
        rc = app_start(&s.p, s.app);
    if (rc != 0)
        return rc;
    rc = seek(&s);
    if (s.http != NULL)
        evhttp_free(s.http);
    app_stop(&s.p);
    if (s.form_there)
        evhttp_clear_headers(&s.form);
    vsec_pubkey_unref(s.root);
    return rc;
}

static const struct v23_flag flags[] = {
    KEEP_FLAGS(keep),
    { "add-to-roots", "If true, the root certificate of the blessing will be "
        "added to the principal's set of recognized root certificates",
        "true", V23_FLAG_BOOL, &keep.add_to_roots, NULL },
    { "browser", "If false, the seekblessings command will not open the "
        "browser and only print the url to visit.", "true", V23_FLAG_BOOL,
        &browser, NULL },
    { "from", "URL to use to begin the seek blessings process",
        "https://dev.v.io/auth/google", V23_FLAG_STRING, &from, NULL },
};

const struct v23_command cmd_seekblessings = {
    .name = "seekblessings",
    .brief = "Seek blessings from a web-based Vanadium blessing service",
    .about = "Seeks blessings from a web-based Vanadium blesser which requires "
        "the caller to first authenticate with Google using OAuth. Simply run "
        "the command to see what happens.\n\nThe blessings are sought for the "
        "principal specified by the environment that this tool is running "
        "in.\n\nThe blessings obtained are set as default unless the "
        "--set-default flag is set to false, and are also set for sharing with "
        "all peers unless a more specific peer pattern is provided using the "
        "--for-peer flag.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = seekblessings,
};
