/* BSD-3-Clause; see LICENSE. */
/* namespace: looks at and changes the name space (spec/naming.md 17.3). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vname/json.h>
#include <vname/program.h>
#include <vrpc/name.h>
#include <vsec/acl.h>
#include <vsec/authorizer.h>

static bool long_form, fail_on_error, insecure, shallow, recursive;
static int result;
static struct v23_arena arena;

static void options(struct vname_program *p, struct vname_opts *o)
{
    struct v23_now now;

    memset(o, 0, sizeof(*o));
    vrpc_ev_now(p->rt.ev, &now);
    o->deadline = now.mono_ns + 60 * V23_NS_PER_SEC;
    if (insecure)
        o->name_auth = &vsec_auth_everyone;
}

/* What most commands begin with: check the arguments, set the options. */
static int begin(struct vname_program *p, const struct v23_invocation *inv,
    int want, int argc, struct vname_opts *o)
{
    int rc = v23_want_args(inv, want, argc);

    if (rc == 0)
        options(p, o);
    return rc;
}

static int out_of_memory(void)
{
    return v23_error("out of memory");
}

/* Wait for the operation whose start returned `rc`; returns the result. */
static int finish(struct vname_program *p, int rc)
{
    if (rc != 0)
        return out_of_memory();
    vname_program_wait(p);
    return result;
}

static void done(void *ud, const struct v23_verror *err)
{
    if (err != NULL)
        result = vname_program_error(ud, NULL, err);
    vname_program_done(ud);
}

/* ---- glob ---------------------------------------------------------------- */

struct lines {
    struct vdl_str *v; /* in the arena */
    size_t n, cap;
};

static void print_long(const v23_naming_mount_entry *e)
{
    uint32_t i;

    printf("%.*s", (int)e->name.n, e->name.n == 0 ? "" : e->name.p);
    for (i = 0; i < e->servers.n; i++)
        printf(" %.*s (Expires in %lld sec)", (int)e->servers.v[i].server.n,
            e->servers.v[i].server.p,
            (long long)e->servers.v[i].deadline.from_now.seconds);
    putchar('\n');
    fflush(stdout); /* the next one may take a while */
}

static struct lines names, errors;
static bool any_entry;

static void add(struct lines *l, struct vdl_str text)
{
    void *v = l->v;
    struct vdl_str copy;

    copy.p = v23_arena_dup(&arena, text.p, text.n);
    copy.n = text.n;
    if (copy.p == NULL
        || v23_reserve(NULL, &v, &l->cap, l->n + 1, SIZE_MAX / 64,
               sizeof(*l->v))
            != 0) {
        result = out_of_memory();
        return;
    }
    l->v = v;
    l->v[l->n++] = copy;
}

static void on_reply(void *ud, const v23_naming_glob_reply *r)
{
    const v23_naming_mount_entry *e = &r->u.entry;
    struct v23_buf line;

    (void)ud;
    if (r->which == V23_NAMING_GLOB_REPLY_ERROR) {
        const struct v23_verror *err = r->u.error.error;

        v23_buf_init(&line, NULL, SIZE_MAX);
        v23_buf_put_str(&line, r->u.error.name);
        v23_buf_puts(&line, ": ");
        if (err != NULL)
            v23_buf_put_str(&line, err->msg);
        add(&errors, vdl_strn((const char *)line.p, line.n));
        v23_buf_fini(&line);
        return;
    }
    any_entry = true;
    if (long_form)
        print_long(e);
    else if (e->name.n != 0)
        add(&names, e->name);
}

static int by_text(const void *a, const void *b)
{
    return vdl_str_cmp(*(const struct vdl_str *)a,
        *(const struct vdl_str *)b);
}

/* Servers answer in any order; what is printed at the end is in one. */
static void sort(struct lines *l)
{
    if (l->n != 0)
        qsort(l->v, l->n, sizeof(*l->v), by_text);
}

/* Errors are warnings when there are entries, too. */
static void print_errors(void)
{
    struct v23_buf b;
    size_t i;

    if (errors.n == 0)
        return;
    v23_buf_init(&b, NULL, SIZE_MAX);
    for (i = 0; i < errors.n; i++) {
        v23_buf_puts(&b, i == 0 ? "" : "\n");
        v23_buf_put_str(&b, errors.v[i]);
    }
    fflush(stdout);
    if (any_entry && !fail_on_error)
        fprintf(stderr, "%s\n", v23_buf_cstr(&b));
    else
        result = v23_error("%s", v23_buf_cstr(&b));
    v23_buf_fini(&b);
}

static int glob(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vname_opts o;
    size_t i;
    int rc = begin(p, inv, 1, argc, &o);

    if (rc != 0)
        return rc;
    if (vname_glob(p->ns, vdl_str(argv[0]), &o, on_reply, done, p, NULL) != 0)
        return out_of_memory();
    vname_program_wait(p);
    sort(&names);
    sort(&errors);
    for (i = 0; i < names.n; i++)
        if (i == 0 || !vdl_str_eq(names.v[i], names.v[i - 1]))
            printf("%.*s\n", (int)names.v[i].n, names.v[i].p);
    print_errors();
    v23_put(NULL, names.v);
    v23_put(NULL, errors.v);
    return result;
}

/* ---- mount and unmount --------------------------------------------------- */

static int mount(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vname_opts o;
    int64_t ttl;
    int rc = begin(p, inv, 3, argc, &o);

    if (rc == 0)
        rc = vname_program_ttl(argv[2], &ttl);
    if (rc != 0)
        return rc;
    rc = finish(p, vname_mount(p->ns, vdl_str(argv[0]), vdl_str(argv[1]), ttl,
                       0, &o, done, p, NULL));
    if (rc == 0)
        puts("Server mounted successfully.");
    return rc;
}

static int unmount(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vname_opts o;
    int rc = begin(p, inv, 2, argc, &o);

    if (rc != 0)
        return rc;
    rc = finish(p, vname_unmount(p->ns, vdl_str(argv[0]), vdl_str(argv[1]),
                       &o, done, p, NULL));
    if (rc == 0)
        puts("Server unmounted successfully.");
    return rc;
}

/* ---- resolve ------------------------------------------------------------- */

static void print_entry(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e)
{
    struct vdl_str name, address, suffix;
    uint32_t i;

    for (i = 0; err == NULL && i < e->servers.n; i++) {
        struct vdl_str s = e->servers.v[i].server;

        address = s;
        suffix = vdl_str("");
        if (vrpc_name_is_rooted(s)
            && vrpc_name_split(&arena, s, &address, &suffix) != 0)
            break;
        if (vrpc_name_join2(&arena, suffix, e->name, &suffix) != 0
            || vrpc_name_join_address(&arena, address, suffix, &name) != 0)
            break;
        printf("%.*s\n", (int)name.n, name.p);
    }
    done(ud, err);
}

static int resolve(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vname_opts o;
    int rc = begin(p, inv, 1, argc, &o);

    if (rc != 0)
        return rc;
    return finish(p, (shallow ? vname_shallow_resolve : vname_resolve)(p->ns,
                         vdl_str(argv[0]), &o, print_entry, p, NULL));
}

static int resolve_to_mt(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vname_opts o;
    int rc = begin(p, inv, 1, argc, &o);

    if (rc != 0)
        return rc;
    return finish(p, vname_resolve_to_mount_table(p->ns, vdl_str(argv[0]), &o,
                         print_entry, p, NULL));
}

static int delete_(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vname_opts o;
    int rc = begin(p, inv, 1, argc, &o);

    if (rc != 0)
        return rc;
    return finish(p, vname_delete(p->ns, vdl_str(argv[0]), recursive, &o, done,
                         p, NULL));
}

/* ---- permissions --------------------------------------------------------- */

static void print_perms(void *ud, const struct v23_verror *err,
    const v23_access_permissions *perms, struct vdl_str version)
{
    struct v23_buf b;

    if (err == NULL) {
        v23_buf_init(&b, NULL, 64u << 20);
        if (version.n == 0 && perms->n == 0)
            v23_buf_puts(&b, "null\n");
        else if (vsec_perms_to_json(perms, &b) != 0)
            result = out_of_memory();
        fwrite(b.p, 1, b.n, stdout);
        v23_buf_fini(&b);
    }
    done(ud, err);
}

static int perms_get(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vname_opts o;
    int rc = begin(p, inv, 1, argc, &o);

    if (rc != 0)
        return rc;
    return finish(p, vname_get_permissions(p->ns, vdl_str(argv[0]), &o,
                         print_perms, p, NULL));
}

static struct {
    struct vdl_str version;
    bool again;
} change;

static void got_version(void *ud, const struct v23_verror *err,
    const v23_access_permissions *perms, struct vdl_str version)
{
    (void)perms;
    if (err != NULL
        && v23_verror_is(err, vdl_str("v.io/v23/naming.nameDoesntExist")))
        err = NULL;
    change.version.p = v23_arena_dup(&arena, version.p, version.n);
    change.version.n = version.n;
    done(ud, err);
}

static void perms_changed(void *ud, const struct v23_verror *err)
{
    change.again = err != NULL
        && v23_verror_is(err, vdl_str("v.io/v23/verror.BadVersion"));
    done(ud, change.again ? NULL : err);
}

static int parse_json(struct v23_bytes text, v23_access_permissions *perms)
{
    struct v23_buf why;
    int rc;

    v23_buf_init(&why, NULL, 4096);
    rc = vname_json_check(text, NULL, &why);
    if (rc == V23_EEOF)
        v23_buf_puts(&why, "EOF");
    if (rc == 0)
        rc = vsec_perms_from_json(text, &arena, perms, NULL);
    if (rc != 0)
        rc = v23_error("%s",
            why.n != 0 ? v23_buf_cstr(&why)
                : rc == V23_ETEXT
                ? "the JSON text does not describe permissions"
                : v23_strerror(rc));
    v23_buf_fini(&why);
    return rc;
}

static int read_json(const char *file, v23_access_permissions *perms)
{
    FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "rb");
    struct v23_buf b;
    char chunk[4096];
    size_t n;
    int rc;

    if (f == NULL)
        return v23_error("open %s: %s", file,
            errno == ENOENT ? "no such file or directory" : strerror(errno));
    v23_buf_init(&b, NULL, 64u << 20);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) != 0)
        v23_buf_put(&b, chunk, n);
    if (f != stdin)
        fclose(f);
    rc = b.err != 0 ? v23_error("%s: %s", file, v23_strerror(b.err))
                    : parse_json(v23_bytes(b.p, b.n), perms);
    v23_buf_fini(&b);
    return rc;
}

static int perms_set(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    v23_access_permissions perms;
    struct vname_opts o;
    int rc = v23_want_args(inv, 2, argc);

    if (rc == 0)
        rc = read_json(argv[1], &perms);
    if (rc != 0)
        return rc;
    options(p, &o); /* the time to type them does not count */
    /* Somebody else may change them in between: then once more. */
    do {
        change.again = false;
        rc = finish(p, vname_get_permissions(p->ns, vdl_str(argv[0]), &o,
                           got_version, p, NULL));
        if (rc == 0)
            rc = finish(p, vname_set_permissions(p->ns, vdl_str(argv[0]),
                               &perms, change.version, &o, perms_changed, p,
                               NULL));
    } while (rc == 0 && change.again);
    return rc;
}

/* ---- the command tree ---------------------------------------------------- */

static const struct v23_flag glob_flags[] = {
    { "l", "Long form: servers and their expiry.", "false", V23_FLAG_BOOL,
        &long_form, NULL },
    { "fail-on-any-error", "Any error makes the command fail.", "false",
        V23_FLAG_BOOL, &fail_on_error, NULL },
};
static const struct v23_flag resolve_flags[] = {
    { "insecure", "Do not authorize the mount tables on the way.", "false",
        V23_FLAG_BOOL, &insecure, NULL },
    { "s", "Resolve the last mount table only.", "false", V23_FLAG_BOOL,
        &shallow, NULL },
};
static const struct v23_flag delete_flags[] = {
    { "r", "Delete all children as well.", "false", V23_FLAG_BOOL, &recursive,
        NULL },
};

#define NFLAGS(f) f, sizeof(f) / sizeof((f)[0])
static const struct v23_command glob_command = { "glob",
    "Returns all matching entries from the namespace", NULL, "<pattern>",
    "<pattern> is a glob pattern of object names.", NFLAGS(glob_flags), NULL,
    0, glob, NULL, 0 };
static const struct v23_command mount_command = { "mount",
    "Adds a server to the namespace", NULL, "<name> <server> <ttl>",
    "<name> is the name to add the server at, <server> its object name, "
    "<ttl> how long the entry lives, such as 1h30m; 0s is for ever.",
    NULL, 0, NULL, 0, mount, NULL, 0 };
static const struct v23_command unmount_command = { "unmount",
    "Removes a server from the namespace", NULL, "<name> <server>",
    "<name> is the name to remove the server from.", NULL, 0, NULL, 0,
    unmount, NULL, 0 };
static const struct v23_command resolve_command = { "resolve",
    "Translates a object name to its object address(es)", NULL, "<name>",
    "<name> is the name to resolve.", NFLAGS(resolve_flags), NULL, 0,
    resolve, NULL, 0 };
static const struct v23_command resolve_to_mt_command = { "resolvetomt",
    "Finds the address of the mounttable that holds an object name", NULL,
    "<name>", "<name> is the name to resolve.", resolve_flags, 1, NULL, 0,
    resolve_to_mt, NULL, 0 };
static const struct v23_command get_command = { "get",
    "Gets permissions on a mount name", NULL, "<name>",
    "<name> is a name in the namespace.", NULL, 0, NULL, 0, perms_get, NULL,
    0 };
static const struct v23_command set_command = { "set",
    "Sets permissions on a mount name", NULL, "<name> <permissions>",
    "<permissions> is a file with the permissions as JSON; - is standard "
    "input.",
    NULL, 0, NULL, 0, perms_set, NULL, 0 };
static const struct v23_command *const perms_children[] = { &get_command,
    &set_command };
static const struct v23_command perms_command = { "permissions",
    "Manipulates permissions on an entry in the namespace", NULL, NULL, NULL,
    NULL, 0, perms_children, 2, NULL, NULL, 0 };
static const struct v23_command delete_command = { "delete",
    "Deletes a name from the namespace", NULL, "<name>",
    "<name> is a name to delete.", NFLAGS(delete_flags), NULL, 0,
    delete_, NULL, 0 };
static const struct v23_command *const children[] = { &glob_command,
    &mount_command, &unmount_command, &resolve_command,
    &resolve_to_mt_command, &perms_command, &delete_command };
static const struct v23_command command = { "namespace",
    "resolves and manages names in the Vanadium namespace", NULL, NULL, NULL,
    NULL, 0, children, sizeof(children) / sizeof(children[0]), NULL, NULL, 0 };

int main(int argc, char **argv)
{
    static struct vname_program p;
    int rc;

    v23_arena_init(&arena, NULL, SIZE_MAX);
    rc = vname_program_main(&p, &command,
        VRPC_FLAGS_CLIENT, argc, argv);
    v23_arena_fini(&arena);
    return rc;
}
