/* BSD-3-Clause; see LICENSE. */
/* mounttable: raw calls of mount tables, no resolution (naming.md 17.2). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <v23/vdl/v.io/v23/services/mounttable/mounttable.rpc.h>
#include <vom/value.h>
#include <vname/program.h>

static int result;
static struct v23_arena arena;

static int options(struct vname_program *p, const char *name,
    struct vrpc_call_opts *o)
{
    static vdl_str_list names;
    const struct vrpc_call_opts init = VRPC_CALL_OPTS_INIT;

    *o = init;
    o->timeout_ns = 60 * V23_NS_PER_SEC;
    o->preresolved = &names;
    return vname_program_raw_names(p, name, &arena, &names) == 0
        ? 0
        : v23_error("out of memory");
}

static int wait(struct vname_program *p, struct vrpc_call *call)
{
    if (call == NULL)
        return v23_error("out of memory");
    vname_program_wait(p);
    return result;
}

static void done(void *ud, const struct v23_verror *err)
{
    if (err != NULL)
        result = vname_program_error(ud, NULL, err);
    vname_program_done(ud);
}

/* An instant `left` from now, as Go prints a time. */
static void print_deadline(struct vname_program *p, v23_time_duration left)
{
    struct v23_now now;
    int64_t nanos;
    char zone[16], text[64];
    struct tm tm;
    time_t t;
    int n = 9;

    vrpc_ev_now(p->rt.ev, &now);
    nanos = now.wall.nanos + left.nanos;
    t = (time_t)(now.wall.sec + left.seconds + nanos / 1000000000
        - (nanos < 0));
    nanos = (nanos % 1000000000 + 1000000000) % 1000000000;
    localtime_r(&t, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    strftime(zone, sizeof(zone), "%z %Z", &tm);
    printf("%s", text);
    if (nanos != 0) {
        while (nanos % 10 == 0) {
            nanos /= 10;
            n--;
        }
        printf(".%0*lld", n, (long long)nanos);
    }
    printf(" %s", zone);
}

/* ---- glob ---------------------------------------------------------------- */

static void on_item(void *ud, struct vdl_any item)
{
    struct vname_program *p = ud;
    v23_naming_glob_reply r;
    uint32_t i;

    if (item.type == NULL
        || vdl_convert(&arena, &v23_naming_glob_reply_desc, &r, item.type,
               item.val)
            != 0
        || r.which != V23_NAMING_GLOB_REPLY_ENTRY)
        return; /* errors about parts are not shown here */
    printf("%.*s", (int)r.u.entry.name.n,
        r.u.entry.name.n == 0 ? "" : r.u.entry.name.p);
    for (i = 0; i < r.u.entry.servers.n; i++) {
        printf(" %.*s (Deadline ", (int)r.u.entry.servers.v[i].server.n,
            r.u.entry.servers.v[i].server.p);
        print_deadline(p, r.u.entry.servers.v[i].deadline.from_now);
        putchar(')');
    }
    putchar('\n');
    fflush(stdout);
}

static void on_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    (void)results;
    (void)n;
    done(ud, err);
}

static int glob(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static const struct vrpc_any_cb cb = { on_item, on_done };
    struct vname_program *p = ud;
    struct vrpc_call_opts o;
    struct vdl_str pattern;
    struct vdl_any arg;
    const char *name;

    if (argc != 1 && argc != 2)
        return v23_usage_error(inv,
            "glob: incorrect number of arguments, expected 1 or 2, got %d",
            argc);
    name = argc == 2 ? argv[0] : "";
    if (options(p, name, &o) != 0)
        return 1;
    pattern = vdl_str(argv[argc - 1]);
    arg.type = &vdl_string_desc;
    arg.val = &pattern;
    return wait(p, vrpc_client_start_any(p->rt.client, vdl_str(name),
                       vdl_str("__Glob"), &o, &arg, 1, 0, &cb, p));
}

/* ---- mount, unmount, resolvestep ----------------------------------------- */

static int mount(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_call_opts o;
    uint32_t flags = 0, ttl;
    int64_t ns = 0;
    const char *c;

    if (argc < 2 || argc > 4)
        return v23_usage_error(inv,
            "mount: incorrect number of arguments, expected 2, 3, or 4, got "
            "%d",
            argc);
    if (argc > 2 && vname_program_ttl(argv[2], &ns) != 0)
        return 1;
    for (c = argc > 3 ? argv[3] : ""; *c != 0; c++)
        flags |= *c == 'L' ? V23_NAMING_LEAF
            : *c == 'M'    ? V23_NAMING_MT
            : *c == 'R'    ? V23_NAMING_REPLACE
                           : 0u;
    if (ns < 0 || ns / V23_NS_PER_SEC > UINT32_MAX)
        return v23_error("TTL parse error: out of range");
    ttl = (uint32_t)((ns + V23_NS_PER_SEC - 1) / V23_NS_PER_SEC);
    if (options(p, argv[0], &o) != 0
        || wait(p,
               v23_mounttable_mount_table_mount_start(p->rt.client, argv[0],
                   &o, vdl_str(argv[1]), ttl, flags, done, p))
            != 0)
        return 1;
    puts("Name mounted successfully.");
    return 0;
}

static int unmount(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_call_opts o;
    int rc = v23_want_args(inv, 2, argc);

    if (rc != 0)
        return rc;
    if (options(p, argv[0], &o) != 0
        || wait(p,
               v23_mounttable_mount_table_unmount_start(p->rt.client, argv[0],
                   &o, vdl_str(argv[1]), done, p))
            != 0)
        return 1;
    puts("Unmount successful or name not mounted.");
    return 0;
}

static void resolved(void *ud, const struct v23_verror *err,
    const v23_mounttable_mount_table_resolve_step_out *out)
{
    uint32_t i;

    if (err == NULL) {
        const v23_naming_mount_entry *e = &out->result;

        printf("Servers: [");
        for (i = 0; i < e->servers.n; i++) {
            printf("%s{%.*s ", i == 0 ? "" : " ",
                (int)e->servers.v[i].server.n, e->servers.v[i].server.p);
            print_deadline(ud, e->servers.v[i].deadline.from_now);
            putchar('}');
        }
        printf("] Suffix: \"%.*s\" MT: %s\n", (int)e->name.n,
            e->name.n == 0 ? "" : e->name.p,
            e->serves_mount_table ? "true" : "false");
    }
    done(ud, err);
}

static int resolve_step(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_call_opts o;

    if (argc != 1)
        return v23_usage_error(inv,
            "mount: incorrect number of arguments, expected 1, got %d", argc);
    if (options(p, argv[0], &o) != 0)
        return 1;
    return wait(p, v23_mounttable_mount_table_resolve_step_start(
                       p->rt.client, argv[0], &o, resolved, p));
}

/* ---- the command tree ---------------------------------------------------- */

static const struct v23_command glob_command = { "glob",
    "returns all matching entries in the mount table", NULL,
    "[<mount name>] <pattern>",
    "<mount name> is a mount name on a mount table, <pattern> a glob pattern "
    "to match against entries below it.",
    NULL, 0, NULL, 0, glob, NULL, 0 };
static const struct v23_command mount_command = { "mount",
    "Mounts a server <name> onto a mount table", NULL,
    "<mount name> <name> <ttl> [L|M|R]",
    "<name> is the rooted object name of the server, <ttl> how long the mount "
    "lives; without it for ever. L: the server is a leaf, M: a mount table, "
    "R: it replaces what is mounted.",
    NULL, 0, NULL, 0, mount, NULL, 0 };
static const struct v23_command unmount_command = { "unmount",
    "removes server <name> from the mount table", NULL,
    "<mount name> <name>", NULL, NULL, 0, NULL, 0, unmount, NULL, 0 };
static const struct v23_command resolve_command = { "resolvestep",
    "takes the next step in resolving a name.", NULL, "<mount name>", NULL,
    NULL, 0, NULL, 0, resolve_step, NULL, 0 };
static const struct v23_command *const children[] = { &glob_command,
    &mount_command, &unmount_command, &resolve_command };
static const struct v23_command command = { "mounttable",
    "sends commands to Vanadium mounttable services", NULL, NULL, NULL, NULL,
    0, children, sizeof(children) / sizeof(children[0]), NULL, NULL, 0 };

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
