/* BSD-3-Clause; see LICENSE. */
/* fortune: asks a fortuned (spec/services.md 7.1). */
#include <stdio.h>

#include <v23/vdl/v.io/x/ref/examples/fortune/fortune.rpc.h>
#include <vname/program.h>
#include <vrpc/client.h>

static const char *name = "", *add_text = "", *has_text = "";
static int result;

static const struct v23_flag flags[] = {
    { "name", "Object name of the fortune server.", "", V23_FLAG_STRING,
        &name, NULL },
    { "add", "Fortune to add.", "", V23_FLAG_STRING, &add_text, NULL },
    { "has", "Fortune to ask for.", "", V23_FLAG_STRING, &has_text, NULL },
};

static void got(void *ud, const struct v23_verror *err,
    const v23_fortune_fortune_get_out *out)
{
    if (err != NULL)
        result = vname_program_error(ud, NULL, err);
    else
        printf("%.*s\n", (int)out->fortune.n,
            out->fortune.n == 0 ? "" : out->fortune.p);
    vname_program_done(ud);
}

static void added(void *ud, const struct v23_verror *err)
{
    if (err != NULL)
        result = vname_program_error(ud, NULL, err);
    vname_program_done(ud);
}

static void has(void *ud, const struct v23_verror *err,
    const v23_fortune_fortune_has_out *out)
{
    if (err != NULL)
        result = vname_program_error(ud, NULL, err);
    else
        printf("%s\n", out->result ? "true" : "false");
    vname_program_done(ud);
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;
    struct vrpc_call *call;

    (void)argc;
    (void)argv;
    if (name[0] == 0)
        return v23_usage_error(inv, "fortune: -name is missing");
    opts.timeout_ns = 60 * V23_NS_PER_SEC;
    if (add_text[0] != 0)
        call = v23_fortune_fortune_add_start(p->rt.client, name, &opts,
            vdl_str(add_text), added, p);
    else if (has_text[0] != 0)
        call = v23_fortune_fortune_has_start(p->rt.client, name, &opts,
            vdl_str(has_text), has, p);
    else
        call = v23_fortune_fortune_get_start(p->rt.client, name, &opts, got,
            p);
    if (call == NULL)
        return v23_error("out of memory");
    vname_program_wait(p);
    return result;
}

static const struct v23_command command = {
    .name = "fortune",
    .brief = "asks a fortune server",
    .about = "Command fortune gets a fortune from a fortune server, or with "
             "-add adds one, or with -has asks whether one is known.",
    .flags = flags,
    .nflags = 3,
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_CLIENT, argc,
        argv);
}
