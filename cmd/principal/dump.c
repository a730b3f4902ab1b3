/* BSD-3-Clause; see LICENSE. */
/* Commands that only look: dump, dumpblessings, dumproots, get. */
#include "principal.h"

#include <stdio.h>
#include <string.h>

static int print_buf(struct v23_buf *b, int rc)
{
    if (rc == 0)
        fwrite(b->p, 1, b->n, stdout);
    v23_buf_fini(b);
    return rc == 0 ? 0 : v23_error("%s", v23_strerror(rc));
}

static int print_store(struct app *app)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    return print_buf(&b, vsec_store_format(app->p->store, &b));
}

static int print_roots(struct app *app)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    return print_buf(&b, vsec_roots_format(app->p->roots, &b));
}

/* ---- dump ---------------------------------------------------------------- */

static bool short_form;

static int dump(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    char print[VSEC_FINGERPRINT];
    struct app *app = ud;
    int rc = app_runtime(app);

    (void)inv;
    (void)argc;
    (void)argv;
    if (rc != 0)
        return rc;
    if (short_form) {
        app_print_names(vsec_store_default(app->p->store));
        return 0;
    }
    printf("Public key : %s\n",
        app_fingerprint(app, app->p->key->der, print));
    printf("Default Blessings : ");
    app_print_names(vsec_store_default(app->p->store));
    printf("---------------- BlessingStore ----------------\n");
    rc = print_store(app);
    printf("---------------- BlessingRoots ----------------\n");
    return rc != 0 ? rc : print_roots(app);
}

static const struct v23_flag dump_flags[] = {
    { "s", "If true, show only the default blessing names", "false",
        V23_FLAG_BOOL, &short_form, NULL },
};

const struct v23_command cmd_dump = {
    .name = "dump",
    .brief = "Dump out information about the principal",
    .about = "Prints out information about the principal specified by the "
        "environment that this tool is running in.",
    .flags = dump_flags,
    .nflags = 1,
    .run = dump,
};

/* ---- dumpblessings, dumproots -------------------------------------------- */

static int print_chain(struct app *app, const struct vsec_chain *chain,
    uint32_t k)
{
    char print[VSEC_FINGERPRINT];
    const v23_security_certificate *c;
    struct v23_buf b;
    uint32_t i, j;
    int rc = 0;

    printf("Chain #%u (%u certificates). Root certificate public key: %s\n",
        (unsigned)k, (unsigned)chain->certs.n,
        app_fingerprint(app, chain->certs.v[0].public_key, print));
    for (i = 0; i < chain->certs.n; i++) {
        c = &chain->certs.v[i];
        printf("  Certificate #%u: %.*s with %u caveat%s\n", (unsigned)i,
            (int)c->extension.n, c->extension.n == 0 ? "" : c->extension.p,
            (unsigned)c->caveats.n, c->caveats.n == 1 ? "" : "s");
        for (j = 0; rc == 0 && j < c->caveats.n; j++) {
            printf("    (%u) ", (unsigned)j);
            v23_buf_init(&b, NULL, SIZE_MAX);
            rc = print_buf(&b,
                vsec_caveat_format(app->engine, &c->caveats.v[j], &b));
            putchar('\n');
        }
    }
    return rc;
}

static int one_file(struct app *app, int argc, char **argv,
    struct vsec_blessings **b)
{
    if (argc != 1)
        return v23_error("requires exactly one argument, <file>, provided %d",
            argc);
    return app_read_blessings(app, argv[0],
        "failed to decode provided blessings", b);
}

static int dump_blessings(void *ud, const struct v23_invocation *inv,
    int argc, char **argv)
{
    char print[VSEC_FINGERPRINT];
    struct vsec_blessings *b = NULL;
    struct app *app = ud;
    uint32_t i;
    int rc = one_file(app, argc, argv, &b);

    (void)inv;
    if (rc != 0)
        return rc;
    printf("Blessings          : ");
    app_print_names(b);
    printf("PublicKey          : %s\n", b == NULL ? "<nil>"
        : app_fingerprint(app, b->key->der, print));
    printf("Certificate chains : %u\n", b == NULL ? 0 : (unsigned)b->nchains);
    for (i = 0; rc == 0 && b != NULL && i < b->nchains; i++)
        rc = print_chain(app, &b->chains[i], i);
    vsec_blessings_unref(b);
    return rc;
}

const struct v23_command cmd_dumpblessings = {
    .name = "dumpblessings",
    .brief = "Dump out information about the provided blessings",
    .about = "Prints out information about the blessings (typically obtained "
        "from this tool) encoded in the provided file.",
    .args = "<file>",
    .args_help = "<file> is the path to a file containing blessings typically "
        "obtained from this tool. - is used for STDIN.",
    .run = dump_blessings,
};

static int dump_roots(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vsec_blessings *b = NULL, *root;
    struct app *app = ud;
    uint32_t i;
    int rc = one_file(app, argc, argv, &b);

    (void)inv;
    if (rc != 0 || b == NULL || vsec_blessings_is_nameless(b)) {
        vsec_blessings_unref(b);
        return rc;
    }
    for (i = 0; rc == 0 && i < b->nchains; i++) {
        rc = vsec_blessings_root(b, i, &root);
        if (rc != 0) {
            rc = v23_error("%s", v23_strerror(rc));
            break;
        }
        rc = app_print_blessings(app, root);
        vsec_blessings_unref(root);
    }
    vsec_blessings_unref(b);
    return rc;
}

const struct v23_command cmd_dumproots = {
    .name = "dumproots",
    .brief = "Dump out blessings of the identity providers of blessings",
    .about = "Prints out the blessings of the identity providers of the input "
        "blessings.  One line per identity provider, each line is a "
        "base64url-encoded (RFC 4648, Section 5) vom-encoded Blessings "
        "object.",
    .args = "<file>",
    .args_help = "<file> is the path to a file containing blessings "
        "(base64url-encoded vom-encoded). - is used for STDIN.",
    .run = dump_roots,
};

/* ---- get ----------------------------------------------------------------- */

static bool names, pretty;
static const char *root_key = "", *caveats = "";

static const struct vsec_chain *chain_named(const struct vsec_blessings *b,
    const char *name)
{
    uint32_t i;

    for (i = 0; i < b->nchains; i++)
        if (vdl_str_is(b->chains[i].name, name))
            return &b->chains[i];
    v23_error("no chains of name %s in %.*s", name,
        (int)vsec_blessings_text(b).n, vsec_blessings_text(b).p);
    return NULL;
}

static int print_caveats(struct app *app, const struct vsec_chain *chain)
{
    struct v23_buf b;
    uint32_t i, j;
    int rc = 0;

    for (i = 0; i < chain->certs.n; i++)
        for (j = 0; rc == 0 && j < chain->certs.v[i].caveats.n; j++) {
            v23_buf_init(&b, NULL, SIZE_MAX);
            rc = vsec_caveat_describe(app->engine,
                &chain->certs.v[i].caveats.v[j], &b);
            v23_buf_put_byte(&b, '\n');
            rc = print_buf(&b, rc);
        }
    return rc;
}

static int print_info(struct app *app, const struct vsec_blessings *b)
{
    char print[VSEC_FINGERPRINT];
    const struct vsec_chain *chain;
    struct vdl_str text = vsec_blessings_text(b);
    uint32_t i;

    if (b == NULL)
        return v23_error("no blessings found");
    if (names) {
        for (i = 0; i < text.n; i++)
            putchar(text.p[i] == ',' ? '\n' : text.p[i]);
        putchar('\n');
        return 0;
    }
    if (*root_key == 0 && *caveats == 0)
        return app_print_blessings(app, b);
    chain = chain_named(b, *root_key != 0 ? root_key : caveats);
    if (chain == NULL)
        return 1;
    if (*root_key == 0)
        return print_caveats(app, chain);
    printf("%s\n",
        app_fingerprint(app, chain->certs.v[0].public_key, print));
    return 0;
}

static int get_default(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct app *app = ud;
    int rc = app_runtime(app);

    (void)inv;
    (void)argc;
    (void)argv;
    return rc != 0 ? rc : print_info(app, vsec_store_default(app->p->store));
}

static int get_forpeer(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vsec_blessings *b = NULL;
    struct vdl_str peers[256];
    vdl_str_list l = { peers, 0 };
    struct app *app = ud;
    int i, rc = app_runtime(app);

    (void)inv;
    if (rc != 0)
        return rc;
    if (argc > 256)
        return v23_error("too many peers");
    for (i = 0; i < argc; i++)
        peers[l.n++] = vdl_str(argv[i]);
    rc = vsec_store_for_peer(app->p->store, l, &b);
    if (rc != 0)
        return v23_error("%s", v23_strerror(rc));
    rc = print_info(app, b);
    vsec_blessings_unref(b);
    return rc;
}

static int get_publickey(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    char print[VSEC_FINGERPRINT];
    struct app *app = ud;
    struct v23_buf b;
    int rc = app_runtime(app);

    (void)inv;
    (void)argc;
    (void)argv;
    if (rc != 0)
        return rc;
    if (pretty) {
        printf("%s\n", app_fingerprint(app, app->p->key->der, print));
        return 0;
    }
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_base64_put(&b, app->p->key->der.p, app->p->key->der.n, true);
    v23_buf_put_byte(&b, '\n');
    return print_buf(&b, b.err);
}

static int get_roots(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    int rc = app_runtime(ud);

    (void)inv;
    (void)argc;
    (void)argv;
    return rc != 0 ? rc : print_roots(ud);
}

static int get_peermap(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    int rc = app_runtime(ud);

    (void)inv;
    (void)argc;
    (void)argv;
    return rc != 0 ? rc : print_store(ud);
}

static const struct v23_flag info_flags[] = {
    { "caveats", "Shows the caveats on the provided certificate chain name.",
        "", V23_FLAG_STRING, &caveats, NULL },
    { "names", "If true, shows the value of the blessing name to be presented "
        "to the peer", "false", V23_FLAG_BOOL, &names, NULL },
    { "rootkey", "Shows the value of the root key of the provided certificate "
        "chain name.", "", V23_FLAG_STRING, &root_key, NULL },
};
static const struct v23_flag key_flags[] = {
    { "pretty", "If true, print the key out in a more human-readable but "
        "lossy representation.", "false", V23_FLAG_BOOL, &pretty, NULL },
};

#define INFO_ABOUT(which) \
    "\nProviding --names will print the " which "blessings' chain names." \
    "\nProviding --rootkey <chain_name> will print the root key of the " \
    "certificate chain with chain_name.\nProviding --caveats <chain_name> " \
    "will print the caveats on the certificate chain with chain_name."

static const struct v23_command cmd_get_default = {
    .name = "default",
    .brief = "Return blessings marked as default",
    .about = "Returns blessings that are marked as default in the "
        "BlessingStore specified by the environment that this tool is running "
        "in." INFO_ABOUT("default "),
    .flags = info_flags,
    .nflags = 3,
    .run = get_default,
};
static const struct v23_command cmd_get_forpeer = {
    .name = "forpeer",
    .brief = "Return blessings marked for the provided peer",
    .about = "Returns blessings that are marked for the provided peer in the "
        "BlessingStore specified by the environment that this tool is running "
        "in." INFO_ABOUT(""),
    .args = "[<peer_1> ... <peer_k>]",
    .args_help = "<peer_1> ... <peer_k> are the (human-readable string) "
        "blessings bound to the peer. The returned blessings are marked with a "
        "pattern that is matched by at least one of these. If no arguments are "
        "specified, store.forpeer returns the blessings that are marked for "
        "all peers (i.e., blessings set on the store with the \"...\" pattern).",
    .flags = info_flags,
    .nflags = 3,
    .run = get_forpeer,
};
static const struct v23_command cmd_get_publickey = {
    .name = "publickey",
    .brief = "Prints the public key of the principal.",
    .about = "Prints out the public key of the principal specified by the "
        "environment that this tool is running in.\n\nThe key is printed as a "
        "base64url encoded bytes (RFC 4648, Section 5) of the DER-format "
        "representation of the key (suitable to be provided as an argument to "
        "the 'recognize' command for example).\n\nWith --pretty, a 16-byte "
        "fingerprint of the key instead. This format is easier for humans to "
        "read and is used in output of other commands in this program, but is "
        "not suitable as an argument to the 'recognize' command.",
    .flags = key_flags,
    .nflags = 1,
    .run = get_publickey,
};
static const struct v23_command cmd_get_roots = {
    .name = "recognizedroots",
    .brief = "Return recognized blessings, and their associated public key.",
    .about = "Shows list of blessing names that the principal recognizes, and "
        "their associated public key. If the principal is operating as a "
        "client, contacted servers must appear on this list. If the principal "
        "is operating as a server, clients must present blessings derived from "
        "this list.",
    .run = get_roots,
};
static const struct v23_command cmd_get_peermap = {
    .name = "peermap",
    .brief = "Shows the map from peer pattern to which blessing name to "
        "present.",
    .about = "Shows the map from peer pattern to which blessing name to "
        "present. If the principal operates as a server, it presents its "
        "default blessing to all peers. If the principal operates as a client, "
        "it presents the map value associated with the peer it contacts.",
    .run = get_peermap,
};

static const struct v23_command *const get_children[] = { &cmd_get_default,
    &cmd_get_forpeer, &cmd_get_publickey, &cmd_get_roots, &cmd_get_peermap };

const struct v23_command cmd_get = {
    .name = "get",
    .brief = "Read the principal's blessings.",
    .about = "Commands to inspect the blessings of the principal.\n\nAll "
        "blessings are printed to stdout using base64url-vom-encoding.",
    .children = get_children,
    .nchildren = sizeof(get_children) / sizeof(get_children[0]),
};
