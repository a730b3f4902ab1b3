/* BSD-3-Clause; see LICENSE. */
/* Commands that change a store or roots, and union: set, recognize, union. */
#include "principal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool add_to_roots = true;

static int text_n(const struct vsec_blessings *b)
{
    return (int)vsec_blessings_text(b).n;
}

static int add_roots(struct app *app, const struct vsec_blessings *b)
{
    int rc = vsec_principal_add_to_roots(app->p, b);

    if (rc == 0)
        return 0;
    return v23_error("AddToRoots failed: %s",
        app_store_error(app, rc));
}

/* ---- set ----------------------------------------------------------------- */

static int set_default(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vsec_blessings *b = NULL;
    struct app *app = ud;
    int rc;

    (void)inv;
    if (argc != 1)
        return v23_error("requires exactly one argument, <file>, provided %d",
            argc);
    rc = app_read_blessings(app, argv[0],
        "failed to decode provided blessings", &b);
    if (rc == 0)
        rc = app_mutable(app);
    if (rc != 0)
        goto out;
    rc = vsec_store_set_default(app->p->store, b);
    if (rc != 0)
        rc = v23_error("failed to set blessings %.*s as default: %s",
            text_n(b), vsec_blessings_text(b).p, app_store_error(app, rc));
    else if (add_to_roots)
        rc = add_roots(app, b);
out:
    vsec_blessings_unref(b);
    return rc;
}

static int set_forpeer(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vsec_blessings *b = NULL;
    struct app *app = ud;
    char why[300];
    int rc;

    (void)inv;
    if (argc != 2)
        return v23_error("requires exactly two arguments <file>, <pattern>, "
            "provided %d", argc);
    rc = app_read_blessings(app, argv[0],
        "failed to decode provided blessings", &b);
    if (rc == 0)
        rc = app_mutable(app);
    if (rc != 0)
        goto out;
    rc = vsec_store_set(app->p->store, b, vdl_str(argv[1]), NULL);
    if (rc != 0) {
        snprintf(why, sizeof(why), "%.200s is an invalid BlessingPattern",
            argv[1]);
        rc = v23_error("failed to set blessings %.*s for peers %s: %s",
            text_n(b), vsec_blessings_text(b).p, argv[1],
            rc == V23_EPATTERN ? why : app_store_error(app, rc));
    } else if (add_to_roots) {
        rc = add_roots(app, b);
    }
out:
    vsec_blessings_unref(b);
    return rc;
}

static const struct v23_flag set_flags[] = {
    { "add-to-roots", "If true, the root certificate of the blessing will be "
        "added to the principal's set of recognized root certificates",
        "true", V23_FLAG_BOOL, &add_to_roots, NULL },
};

static const struct v23_command cmd_set_default = {
    .name = "default",
    .brief = "Set provided blessings as default",
    .about = "Sets the provided blessings as default in the BlessingStore "
        "specified by the environment that this tool is running in.\n\nIt is "
        "an error to call 'set default' with blessings whose public key does "
        "not match the public key of the principal specified by the "
        "environment.",
    .args = "<file>",
    .args_help = "<file> is the path to a file containing a blessing "
        "typically obtained from this tool. - is used for STDIN.",
    .flags = set_flags,
    .nflags = 1,
    .run = set_default,
};
static const struct v23_command cmd_set_forpeer = {
    .name = "forpeer",
    .brief = "Set provided blessings for peer",
    .about = "Marks the provided blessings to be shared with the provided "
        "peers on the BlessingStore specified by the environment that this "
        "tool is running in.\n\n'set b pattern' marks the intention to reveal "
        "b to peers who present blessings of their own matching "
        "'pattern'.\n\nIt is an error to call 'set forpeer' with blessings "
        "whose public key does not match the public key of this principal "
        "specified by the environment.",
    .args = "<file> <pattern>",
    .args_help = "<file> is the path to a file containing a blessing "
        "typically obtained from this tool. - is used for STDIN.\n\n<pattern> "
        "is the BlessingPattern used to identify peers with whom this "
        "blessing can be shared with.",
    .flags = set_flags,
    .nflags = 1,
    .run = set_forpeer,
};

static const struct v23_command *const set_children[] = { &cmd_set_default,
    &cmd_set_forpeer };

const struct v23_command cmd_set = {
    .name = "set",
    .brief = "Mutate the principal's blessings.",
    .about = "Commands to mutate the blessings of the principal.\n\nAll input "
        "blessings are expected to be serialized using "
        "base64url-vom-encoding. See 'principal get'.",
    .children = set_children,
    .nchildren = 2,
};

/* ---- recognize ----------------------------------------------------------- */

static int recognize_file(struct app *app, const char *path)
{
    struct vsec_blessings *b = NULL;
    int rc = app_mutable(app);

    if (rc == 0)
        rc = app_read_blessings(app, path,
            "failed to decode provided blessings", &b);
    if (rc == 0)
        rc = add_roots(app, b);
    vsec_blessings_unref(b);
    return rc;
}

static int recognize_key(struct app *app, const char *pattern,
    const char *key)
{
    struct v23_buf der;
    size_t at;
    int rc = app_mutable(app);

    if (rc != 0)
        return rc;
    v23_buf_init(&der, NULL, FILE_MAX);
    if (!app_base64(v23_bytes(key, strlen(key)), &der, &at)) {
        rc = v23_error("invalid base64url encoding of public key: illegal "
            "base64 data at input byte %zu", at);
    } else {
        rc = vsec_roots_add(app->p->roots, vdl_bytes(der.p, der.n),
            vdl_str(pattern));
        if (rc == V23_EPATTERN)
            rc = v23_error("a root cannot be recognized for all blessing "
                "names (i.e., the pattern '...')");
        else if (rc != 0)
            rc = v23_error("%s", app_store_error(app, rc));
    }
    v23_buf_fini(&der);
    return rc;
}

static int recognize(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    (void)inv;
    if (argc == 1)
        return recognize_file(ud, argv[0]);
    if (argc == 2)
        return recognize_key(ud, argv[0], argv[1]);
    return v23_error("requires either one argument <file>, or two arguments "
        "<blessing pattern> <key>, provided %d", argc);
}

const struct v23_command cmd_recognize = {
    .name = "recognize",
    .brief = "Add to the set of identity providers recognized by this "
        "principal",
    .about = "Adds an identity provider to the set of recognized root public "
        "keys for this principal.\n\nIt accepts either a single argument "
        "(which points to a file containing a blessing) or two arguments (a "
        "name and a base64url-encoded DER-encoded public key).\n\nFor "
        "example, to make the principal in credentials directory A recognize "
        "the root of the default blessing in credentials directory B:\n"
        "  principal -v23.credentials=B bless A some_extension |\n"
        "  principal -v23.credentials=A recognize -\n"
        "The extension 'some_extension' has no effect in the command "
        "above.\n\nOr to make the principal in credentials directory A "
        "recognize the public key for the principal in credentials directory "
        "B for blessing pattern P:\n"
        "  principal -v23.credentials=A recognize P $(principal "
        "-v23.credentials=B get publickey)",
    .args = "<blessing pattern|blessing> [<key>]",
    .args_help = "<blessing> is the path to a file containing a blessing "
        "typically obtained from this tool. - is used for STDIN.\n\n<blessing "
        "pattern> is the blessing pattern for which <key> should be "
        "recognized.\n\n<key> is a base64url-encoded, DER-encoded public key, "
        "such as that printed by \"principal get publickey\".",
    .run = recognize,
};

/* ---- union --------------------------------------------------------------- */

/* A file when there is one of that name, else the text of blessings. */
static int read_arg(struct app *app, const char *arg,
    struct vsec_blessings **out)
{
    struct stat st;
    char why[512];

    if (stat(arg, &st) == 0)
        return app_read_blessings(app, arg, "", out);
    if (app_parse_blessings(app, v23_bytes(arg, strlen(arg)), out, why,
            sizeof(why)) != 0)
        return v23_error("%s", why);
    return 0;
}

static int unite(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vsec_blessings *pair[2] = { NULL, NULL }, *sum;
    struct app *app = ud;
    int i, rc = 0;

    (void)inv;
    for (i = 0; rc == 0 && i < argc; i++) {
        rc = read_arg(app, argv[i], &pair[1]);
        if (rc != 0)
            break;
        rc = vsec_blessings_union(pair, 2, &sum);
        vsec_blessings_unref(pair[1]);
        if (rc == V23_EKEYMISMATCH) {
            rc = v23_error("cannot create union of blessings bound to "
                "different public keys");
        } else if (rc != 0) {
            rc = v23_error("%s", v23_strerror(rc));
        } else {
            vsec_blessings_unref(pair[0]);
            pair[0] = sum;
        }
    }
    if (rc == 0)
        rc = pair[0] == NULL ? v23_error("no blessings found")
                             : app_print_blessings(app, pair[0]);
    vsec_blessings_unref(pair[0]);
    return rc;
}

const struct v23_command cmd_union = {
    .name = "union",
    .brief = "Merge multiple blessings into one",
    .about = "Merges multiple blessings into one.\n\nIt accepts multiple "
        "base64url-encoded blessings. Each argument can be a file containing "
        "a blessing, or the blessing itself. It returns the union of all the "
        "blessings.\n\nFor example, to merge the blessings contained in files "
        "A and B:\n"
        "  principal union A B, or\n"
        "  principal union $(cat A) $(cat B)",
    .args = "[<blessing> | <blessing file>...]",
    .args_help = "<blessing> is a base64url-encoded blessing.\n\n<blessing "
        "file> is a file that contains a base64url-encoded blessing.",
    .run = unite,
};
