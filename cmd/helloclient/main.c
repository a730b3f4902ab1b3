/* BSD-3-Clause; see LICENSE. */
/* helloclient: the smallest client, for smoke tests. */
#include <stdio.h>

#include <v23/vdl/v.io/x/ref/test/hello/hello.rpc.h>
#include <vname/program.h>

static const char *name = "";
static int result;

static const struct v23_flag flags[] = {
    { "name", "Name of the hello server.", "", V23_FLAG_STRING, &name, NULL },
};

static void done(void *ud, const struct v23_verror *err,
    const v23_hello_hello_hello_out *out)
{
    if (err != NULL)
        result = vname_program_error(ud, NULL, err);
    else if (!vdl_str_is(out->result, "hello"))
        result = v23_error("Unexpected result, got \"%.*s\", want \"hello\"",
            (int)out->result.n, out->result.n == 0 ? "" : out->result.p);
    vname_program_done(ud);
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;

    (void)inv;
    (void)argc;
    (void)argv;
    opts.timeout_ns = 10 * V23_NS_PER_SEC;
    if (v23_hello_hello_hello_start(p->rt.client, name, &opts, done, p)
        == NULL)
        return v23_error("out of memory");
    vname_program_wait(p);
    return result;
}

static const struct v23_command command = {
    .name = "helloclient",
    .brief = "checks that a server says hello",
    .about = "Command helloclient is a simple client, mainly for tests. It "
             "calls Hello and succeeds if the server answers within 10 "
             "seconds.",
    .flags = flags,
    .nflags = 1,
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_CLIENT, argc,
        argv);
}
