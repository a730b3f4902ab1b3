/* BSD-3-Clause; see LICENSE. */
/* create and fork: new principals. */
#include "principal.h"

#include <stdio.h>

static int set_defaults(const struct app *app, struct vsec_principal *p,
    struct vsec_blessings *b)
{
    int rc = vsec_principal_set_default_blessings(p, b);

    return rc == 0 ? 0 : v23_error("could not set blessings %.*s as default: "
        "%s", (int)vsec_blessings_text(b).n, vsec_blessings_text(b).p,
        app_store_error(app, rc));
}

/* ---- create -------------------------------------------------------------- */

static struct key_flags create_keys = { false, true, false, "ecdsa256", "",
    "", "", "" };

struct self {
    struct app *app;
    const char *name;
};

static int name_self(void *ud, struct vsec_principal *p)
{
    const v23_security_caveat_list none = { NULL, 0 };
    const struct self *self = ud;
    const char *name = self->name;
    struct vsec_blessings *b;
    char why[512];
    int rc = vsec_principal_bless_self(p, vdl_str(name), none, &b);

    if (rc == 0) {
        rc = set_defaults(self->app, p, b);
        vsec_blessings_unref(b);
        return rc;
    }
    app_self_error(p, rc, name, why, sizeof(why));
    return v23_error("BlessSelf(\"%s\") failed: %s", name, why);
}

static int create(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct self self = { ud, NULL };
    struct newborn n = { argc == 2 ? name_self : NULL, &self, 0 };

    (void)inv;
    if (argc < 1 || argc > 2)
        return v23_error("requires one or two arguments: <directory> [and "
            "optional <blessing>], provided %d", argc);
    self.name = argv[argc - 1];
    return create_principal(ud, argv[0], &create_keys, &n);
}

static const struct v23_flag create_flags[] = { KEY_FLAGS(create_keys) };

const struct v23_command cmd_create = {
    .name = "create",
    .brief = "Create a new principal and persist it into a directory",
    .about = "Creates a new principal with a single optional self-blessed "
        "blessing and writes it out to the provided directory. The same "
        "directory can then be used to set the V23_CREDENTIALS environment "
        "variable for other vanadium applications.\n\nThe operation fails if "
        "the directory already contains a principal. In this case the "
        "--overwrite flag can be provided to clear the directory and write "
        "out the new principal.",
    .args = "<directory> [<blessing>]",
    .args_help = "<directory> is the directory to which the new principal "
        "will be persisted.\n\n<blessing> is the optional self-blessed "
        "blessing that the principal will be setup to use by default.  If a "
        "blessing argument is not provided, the new principal will have no "
        "blessings.",
    .flags = create_flags,
    .nflags = NKEY_FLAGS,
    .run = create,
};

/* ---- fork ---------------------------------------------------------------- */

static struct key_flags fork_keys = { false, true, false, "ecdsa256", "", "",
    "", "" };
static struct caveat_flags fork_caveats;
static const char *with_file = "";
static bool require_caveats = true;

/* Caveats in wire order. */
static int final_caveats(struct app *app, struct v23_arena *a,
    v23_security_caveat_list *l)
{
    v23_security_caveat *free_use;
    int rc = caveats_make(app, &fork_caveats, a, l);

    if (rc != 0)
        return rc;
    caveats_rotate(*l);
    if (l->n > 0)
        return 0;
    if (require_caveats)
        return v23_error("%s", no_caveats);
    free_use = v23_arena_new(a, v23_security_caveat);
    if (free_use == NULL)
        return v23_error("out of memory");
    *free_use = vsec_caveat_unconstrained();
    l->v = free_use;
    l->n = 1;
    return 0;
}

/* The blessing of a forked principal. */
struct heritage {
    struct app *app;
    struct vsec_blessings *with;
    const char *extension;
    v23_security_caveat_list caveats;
};

static int bless_new(void *ud, struct vsec_principal *fresh)
{
    const struct heritage *h = ud;
    struct vdl_str with = vsec_blessings_text(h->with);
    char print[VSEC_FINGERPRINT], why[APP_WHY];
    struct vsec_blessings *b;
    struct vsec_bless what;
    int rc;

    what.key = fresh->key;
    what.with = h->with;
    what.extension = vdl_str(h->extension);
    what.caveats = h->caveats;
    rc = vsec_principal_bless(h->app->p, &what, &b);
    if (rc != 0)
        return v23_error("Bless(%s, %.*s, \"%s\", ...) failed: %s",
            app_fingerprint(h->app, fresh->key->der, print), (int)with.n,
            with.p, h->extension,
            app_bless_why(h->app, rc, h->extension, h->with, why));
    rc = set_defaults(h->app, fresh, b);
    vsec_blessings_unref(b);
    return rc;
}

static int fork_(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct app *app = ud;
    struct heritage h = { app, NULL, NULL, { NULL, 0 } };
    struct newborn n = { bless_new, &h, 0 };
    struct v23_arena a;
    char prefix[300];
    int rc;

    (void)inv;
    if (argc != 2)
        return v23_error("requires exactly two arguments: <directory> and "
            "<extension>, provided %d", argc);
    h.extension = argv[1];
    v23_arena_init(&a, NULL, SIZE_MAX);
    snprintf(prefix, sizeof(prefix),
        "failed to read blessings from --with=\"%.200s\"", with_file);
    rc = app_runtime(app);
    if (rc == 0)
        rc = final_caveats(app, &a, &h.caveats);
    if (rc == 0 && *with_file != 0)
        rc = app_read_blessings(app, with_file, prefix, &h.with);
    else if (rc == 0)
        h.with = vsec_blessings_ref(vsec_store_default(app->p->store));
    if (rc == 0)
        rc = create_principal(app, argv[0], &fork_keys, &n);
    vsec_blessings_unref(h.with);
    v23_arena_fini(&a);
    return rc;
}

static const struct v23_flag fork_flags[] = {
    CAVEAT_FLAGS(fork_caveats),
    KEY_FLAGS(fork_keys),
    { "require-caveats", "If false, allow blessing without any caveats. This "
        "is typically not advised as the principal wielding the blessing will "
        "be almost as powerful as its blesser", "true", V23_FLAG_BOOL,
        &require_caveats, NULL },
    { "with", "Path to file containing blessing to extend", "",
        V23_FLAG_STRING, &with_file, NULL },
};

const struct v23_command cmd_fork = {
    .name = "fork",
    .brief = "Fork a new principal from the principal that this tool is "
        "running as and persist it into a directory",
    .about = "Creates a new principal with a blessing from the principal "
        "specified by the environment that this tool is running in, and "
        "writes it out to the provided directory. The blessing that will be "
        "extended is the default one from the blesser's store, or specified "
        "by the --with flag. Expiration on the blessing are controlled via "
        "the --for flag. Additional caveats on the blessing are controlled "
        "with the --caveat flag. The blessing is marked as default and "
        "shareable with all peers on the new principal's blessing "
        "store.\n\nThe operation fails if the directory already contains a "
        "principal. In this case the --overwrite flag can be provided to "
        "clear the directory and write out the forked principal.",
    .args = "<directory> <extension>",
    .args_help = "<directory> is the directory to which the forked principal "
        "will be persisted.\n\n<extension> is the extension under which the "
        "forked principal is blessed.",
    .flags = fork_flags,
    .nflags = sizeof(fork_flags) / sizeof(fork_flags[0]),
    .run = fork_,
};
