/* BSD-3-Clause; see LICENSE. */
/*
 * mtstress: load for a mount table (spec/services.md 14). At a fixed rate it
 * measures latency as the reference tool does; at rate 0 it measures what the
 * table can do.
 */
#include "mtstress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vom/value.h>
#include <vrpc/endpoint.h>
#include <vrpc/name.h>

#define SERVER "@6@tcp@127.0.0.1:14141@@@s@@@"

static struct stress stress = {
    .rate = 1,
    .duration_ns = 10 * V23_NS_PER_SEC,
    .workers = 16,
};

static const struct v23_flag flags[] = {
    { "rate", "Calls per second; 0 for as many as the workers can make, each "
        "one after the other.", "1", V23_FLAG_FLOAT, &stress.rate, NULL },
    { "duration", "How long calls are made.", "10s", V23_FLAG_DURATION,
        &stress.duration_ns, NULL },
    { "reauthenticate", "Make a new connection for each call, as that many "
        "processes would.", "false", V23_FLAG_BOOL, &stress.reauthenticate,
        NULL },
    { "workers", "Calls under way at the same time with -rate=0.", "16",
        V23_FLAG_INT, &stress.workers, NULL },
    { "names", "Use so many names below the one that is given, instead of that "
        "one. With -rate=0 each is mounted once; those to resolve are picked "
        "at random.", "0", V23_FLAG_INT, &stress.names, NULL },
};

/* ---- what is called ------------------------------------------------------ */

static void mounted(void *ud, const struct v23_verror *err)
{
    stress_called(ud, err);
}

static struct vrpc_call *call_mount(struct work *w, struct vrpc_client *c,
    const char *name, const struct vrpc_call_opts *opts)
{
    return v23_mounttable_mount_table_mount_start(c, name, opts,
        vdl_str(SERVER), w->s->ttl, 0, mounted, w);
}

static void resolved(void *ud, const struct v23_verror *err,
    const v23_mounttable_mount_table_resolve_step_out *out)
{
    (void)out;
    /* That there is no such name is an answer, too. */
    if (err != NULL
        && (vdl_str_is(err->id, "v.io/v23/naming.nameDoesntExist")
            || vdl_str_is(err->id, "v.io/v23/naming.rootNameDoesntExist")))
        err = NULL;
    stress_called(ud, err);
}

static struct vrpc_call *call_resolve(struct work *w, struct vrpc_client *c,
    const char *name, const struct vrpc_call_opts *opts)
{
    return v23_mounttable_mount_table_resolve_step_start(c, name, opts,
        resolved, w);
}

static void on_entry(void *ud, struct vdl_any item)
{
    (void)item;
    ((struct work *)ud)->s->entries++;
}

static void globbed(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    (void)results;
    (void)n;
    stress_called(ud, err);
}

static struct vrpc_call *call_glob(struct work *w, struct vrpc_client *c,
    const char *name, const struct vrpc_call_opts *opts)
{
    static const struct vrpc_any_cb cb = { on_entry, globbed };
    const struct vdl_any arg = { &vdl_string_desc, &w->s->pattern };
    struct vrpc_call *call = vrpc_client_start_any(c, vdl_str(name),
        vdl_str("__Glob"), opts, &arg, 1, 0, &cb, w);

    if (call != NULL)
        vrpc_call_close_send(call);
    return call;
}

/* ---- commands ------------------------------------------------------------ */

static int check_flags(const struct v23_invocation *inv)
{
    if (!(stress.rate >= 0 && stress.rate <= 1e6))
        return v23_usage_error(inv, "-rate must be between 0 and 1000000");
    if (stress.duration_ns <= 0)
        return v23_usage_error(inv, "-duration must be above zero");
    if (stress.workers < 1 || stress.workers > MAX_WORKERS)
        return v23_usage_error(inv, "-workers must be between 1 and %d",
            MAX_WORKERS);
    if (stress.names < 0 || stress.names > MAX_NAMES)
        return v23_usage_error(inv, "-names must be between 0 and %d",
            MAX_NAMES);
    return 0;
}

static int mount(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct v23_buf why;
    int64_t ns;
    int rc;

    if (argc != 2)
        return v23_usage_error(inv, "mount: got %d arguments, want 2", argc);
    rc = check_flags(inv);
    if (rc != 0)
        return rc;
    v23_buf_init(&why, NULL, 1024);
    if (v23_duration_parse(argv[1], &ns, &why) != 0 || ns < 0
        || ns / V23_NS_PER_SEC > UINT32_MAX) {
        rc = v23_usage_error(inv, "invalid TTL: %s",
            why.n == 0 ? "out of range" : v23_buf_cstr(&why));
        v23_buf_fini(&why);
        return rc;
    }
    v23_buf_fini(&why);
    stress.ttl = (uint32_t)(ns / V23_NS_PER_SEC);
    stress.once = stress.rate == 0 && stress.names > 0;
    return stress_run(&stress, ud, argv[0], call_mount);
}

static int resolve(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    int rc;

    if (argc != 1)
        return v23_usage_error(inv, "resolve: got %d arguments, want 1", argc);
    rc = check_flags(inv);
    stress.shuffle = true;
    return rc != 0 ? rc : stress_run(&stress, ud, argv[0], call_resolve);
}

static int glob(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    int rc;

    if (argc != 2)
        return v23_usage_error(inv, "glob: got %d arguments, want 2", argc);
    rc = check_flags(inv);
    stress.pattern = vdl_str(argv[1]);
    return rc != 0 ? rc : stress_run(&stress, ud, argv[0], call_glob);
}

static const struct v23_command mount_command = {
    .name = "mount",
    .brief = "Measure Mount calls",
    .args = "<mountpoint> <ttl>",
    .args_help = "<mountpoint> is the name to be mounted, <ttl> how long the "
        "mount lives: \"5s\", \"1m\", …",
    .run = mount,
};
static const struct v23_command resolve_command = {
    .name = "resolve",
    .brief = "Measure ResolveStep calls",
    .args = "<name>",
    .args_help = "<name> is the object name to resolve.",
    .run = resolve,
};
static const struct v23_command glob_command = {
    .name = "glob",
    .brief = "Measure globs and their entries",
    .args = "<name> <pattern>",
    .args_help = "<name> is where to look, <pattern> what for.",
    .run = glob,
};
static const struct v23_command *const children[] = { &mount_command,
    &resolve_command, &glob_command };

static const struct v23_command command = {
    .name = "mtstress",
    .brief = "stress tests a mount table",
    .about = "Command mtstress makes calls to a mount table at a fixed rate and "
        "measures how long they take, or, with -rate=0, how many it can "
        "answer. Names are called as they stand: a relative one at the roots "
        "of the name space. When it is interrupted it reports what it has "
        "measured so far.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .children = children,
    .nchildren = sizeof(children) / sizeof(children[0]),
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_CLIENT, argc,
        argv);
}
