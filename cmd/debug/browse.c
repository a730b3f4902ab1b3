/* BSD-3-Clause; see LICENSE. */
/* debug browse: whom to speak as, whom to look at, and how long. */
#include "browse.h"

#include <stdio.h>
#include <string.h>

#include <v23/time.h>
#include <vrpc/name.h>
#include <vsec/blessings.h>
#include <vsec/principal.h>

#include "debug.h"

static const char *addr = "", *assets = "", *blessings = "", *key = "";
static bool log_answers = true;

/* ---- borrowed credentials ------------------------------------------------ */

/* Another principal, from -key and -blessings. */
struct lent {
    struct vsec_signer *signer;
    struct vsec_blessings *b;
    struct vsec_principal *principal;
    struct vname_identity id;
    bool started;
};

static int decode(const char *flag, const char *text, struct v23_buf *out)
{
    if (v23_base64_parse(text, strlen(text), true, out) == 0)
        return 0;
    return v23_error("bad value for --%s: it is not base64 of URLs", flag);
}

static int read_key(struct vsec_engine *e, struct lent *l)
{
    struct v23_buf der;
    int rc;

    v23_buf_init(&der, NULL, 1u << 16);
    rc = decode("key", key, &der);
    if (rc == 0
        && vsec_signer_sec1(e, v23_bytes(der.p, der.n), &l->signer) != 0
        && vsec_signer_pkcs8(e, v23_bytes(der.p, der.n), &l->signer) != 0)
        rc = v23_error("bad value for --key: it is not a private key");
    if (der.p != NULL)
        v23_wipe(der.p, der.cap);
    v23_buf_fini(&der);
    return rc;
}

static int read_blessings(struct vsec_engine *e, struct lent *l)
{
    struct v23_buf vom;
    int rc;

    v23_buf_init(&vom, NULL, 4u << 20);
    rc = decode("blessings", blessings, &vom);
    if (rc == 0) {
        rc = vsec_blessings_decode(e, NULL, v23_bytes(vom.p, vom.n), &l->b);
        if (rc != 0 || l->b == NULL)
            rc = v23_error("bad value for --blessings: %s",
                rc == 0 ? "there are none" : v23_strerror(rc));
    }
    v23_buf_fini(&vom);
    return rc;
}

static int borrow(struct vname_program *p, struct lent *l)
{
    struct vsec_engine *e = p->rt.principal->engine;
    int rc = read_key(e, l);

    if (rc == 0)
        rc = read_blessings(e, l);
    if (rc != 0)
        return rc;
    rc = vsec_principal_new(e, l->signer, NULL, NULL, NULL, &l->principal);
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(l->principal, l->b);
    if (rc == 0)
        rc = vname_identity_init(&l->id, p, l->principal);
    if (rc != 0)
        return v23_error("cannot use --key and --blessings: %s",
            v23_strerror(rc));
    l->started = true;
    return 0;
}

static void give_back(struct lent *l)
{
    if (l->started)
        vname_identity_fini(&l->id);
    vsec_principal_unref(l->principal);
    vsec_blessings_unref(l->b);
    vsec_signer_unref(l->signer);
}

/* ---- choosing a name ----------------------------------------------------- */

/* All names at the same time; the first that answers is taken. */
struct choice {
    struct page *pg;
    struct vrpc_call_opts opts;
    size_t running;
    const char *name;
    struct v23_buf errors;
};

struct candidate {
    struct choice *c;
    const char *name;
    struct vrpc_call *call;
};

static void answered(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct candidate *k = ud;
    struct choice *c = k->c;
    bool there = vrpc_call_server(k->call) != NULL;

    (void)results;
    (void)n;
    k->call = NULL;
    if (there && c->name == NULL)
        c->name = k->name;
    if (!there && err != NULL) {
        v23_buf_puts(&c->errors, c->errors.n == 0 ? "" : " ");
        v23_buf_put_str(&c->errors, err->msg);
    }
    if (--c->running == 0 || there)
        vname_program_done(c->pg->p);
}

static void print_list(const char *what, int n, char **names)
{
    int i;

    printf("%s [", what);
    for (i = 0; i < n; i++)
        printf("%s%s", i == 0 ? "" : " ", names[i]);
    puts("]");
    fflush(stdout);
}

/* The calls of those that have lost the race are waited for. */
static void settle(struct choice *c, struct candidate *v, int n)
{
    int i;

    for (i = 0; i < n; i++)
        if (v[i].call != NULL)
            vrpc_call_cancel(v[i].call);
    while (c->running != 0)
        vname_program_wait(c->pg->p);
    c->pg->p->done = false;
}

static int choose(struct page *pg, int n, char **names)
{
    static const struct vrpc_any_cb cb = { NULL, answered };
    struct choice c = { .pg = pg, .opts = call_opts(pg->p) };
    struct vdl_str reserved = vdl_str("__debug"), name;
    struct candidate *v;
    struct v23_arena a;
    int i, rc = 0;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v = v23_arena_get0(&a, (size_t)n, sizeof(*v), _Alignof(struct candidate));
    if (v == NULL)
        return out_of_memory();
    v23_buf_init(&c.errors, NULL, 1u << 20);
    print_list("selecting from", n, names);
    for (i = 0; i < n; i++) {
        v[i].c = &c;
        v[i].name = names[i];
        /* Reserved names are not looked up in mount tables, which would say
         * that they have no name that is empty. */
        if (vrpc_name_join2(&a, vdl_str(names[i]), reserved, &name) == 0)
            v[i].call = vrpc_client_start_any(pg->client, name, vdl_str(""),
                &c.opts, NULL, 0, VRPC_ANY_RESULTS, &cb, &v[i]);
        if (v[i].call == NULL)
            continue;
        vrpc_call_close_send(v[i].call);
        c.running++;
    }
    if (c.running != 0)
        vname_program_wait(pg->p);
    settle(&c, v, n);
    pg->name = c.name;
    if (c.name == NULL)
        rc = v23_error("failed to contact server: [%s]",
            v23_buf_cstr(&c.errors));
    else
        printf("selected %s from", c.name), print_list("", n, names);
    v23_buf_fini(&c.errors);
    v23_arena_fini(&a);
    return rc;
}

/* ---- the command --------------------------------------------------------- */

static int serve(struct page *pg, int argc, char **argv)
{
    int rc = choose(pg, argc, argv);

    if (rc == 0)
        rc = page_open(pg, addr);
    if (rc == 0)
        rc = vname_program_catch(pg->p);
    if (rc != 0)
        return rc;
    printf("Visit http://%s/%s/ and Ctrl-C to quit\n", web_address(pg->web),
        pg->token);
    fflush(stdout);
    vname_program_wait(pg->p);
    return 0;
}

static int browse(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    /* The page's calls may outlive this function. */
    static struct page pg;
    struct lent lent = { 0 };
    int rc = 0;

    if (argc == 0)
        return v23_usage_error(inv,
            "must provide at least a single vanadium object name");
    if ((*key == 0) != (*blessings == 0))
        return v23_usage_error(inv, "either both --key and --blessings should "
            "be set, or neither should be");
    pg.p = ud;
    pg.client = pg.p->rt.client;
    pg.ns = pg.p->ns;
    pg.principal = pg.p->rt.principal;
    pg.log = log_answers;
    pg.assets = assets;
    if (*key != 0) {
        rc = borrow(pg.p, &lent);
        pg.client = lent.id.client;
        pg.ns = lent.id.ns;
        pg.principal = lent.principal;
    }
    if (rc == 0)
        rc = serve(&pg, argc, argv);
    page_close(&pg);
    give_back(&lent);
    return rc;
}

static const struct v23_flag flags[] = {
    { "addr", "Address on which the interactive HTTP server will listen, of "
        "this machine for itself. For example, localhost:14141. If empty, "
        "defaults to localhost:<some random port>", "", V23_FLAG_STRING,
        &addr, NULL },
    { "assets", "If non-empty, load assets from this directory.", "",
        V23_FLAG_STRING, &assets, NULL },
    { "blessings", "If non-empty, points to the blessings required to debug "
        "the process. This is typically obtained via 'debug delegate' run by "
        "the owner of the remote process", "", V23_FLAG_STRING, &blessings,
        NULL },
    { "key", "If non-empty, must be accompanied with --blessings with a value "
        "obtained via 'debug delegate' run by the owner of the remote process",
        "", V23_FLAG_STRING, &key, NULL },
    { "log", "If true, log debug data obtained so that if a subsequent refresh "
        "from the browser fails, previously obtained information is available "
        "from the log file", "true", V23_FLAG_BOOL, &log_answers, NULL },
};
const struct v23_command cmd_browse = {
    .name = "browse",
    .brief = "Starts an interactive interface for debugging",
    .about = "Starts a webserver with a URL that when visited allows for "
        "inspection of a remote process via a web browser: the names that it "
        "and the name space have, what its objects can be asked, its "
        "statistics, logs, traces and profiles.\n\n"
        "The server listens on this machine only, and answers only who knows "
        "the printed URL: keep it to yourself, it gives your rights.",
    .args = "<name> [<name>] [<name>]",
    .args_help = "<name> is the vanadium object name of the remote process to "
        "inspect. If multiple names are provided, they are considered "
        "equivalent and any one of them that is accessible is used.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = browse,
};
