/* BSD-3-Clause; see LICENSE. */
/*
 * vrun: runs a command with a principal that the agent makes for it
 * (spec/services.md 6.10).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <v23/time.h>
#include <vrpc/agent.h>

#include "become.h"
#include "child.h"

enum { PATH = 4096 };

static struct become become = BECOME_INIT;

static const struct v23_flag flags[] = { BECOME_FLAGS(become) };

static int attach(struct vname_program *p, const char *path,
    struct vrpc_agent **out)
{
    struct vrpc_agent_options opt;
    char why[VRPC_AGENT_WHY];

    memset(&opt, 0, sizeof(opt));
    opt.engine = p->rt.principal->engine;
    opt.path = path;
    opt.base = p->rt.base;
    opt.log = &p->rt.log;
    return vrpc_agent_connect(&opt, out, why) == 0 ? 0
                                                   : v23_error("%s", why);
}

/* Have the agent make a principal and serve it on a socket of its own. */
static int make_principal(struct vsec_agent_client *agent, const char *path)
{
    uint8_t handle[VSEC_AGENT_HANDLE];
    const char *text;
    int rc = vsec_agent_key_new(agent, true, handle);

    if (rc == 0)
        rc = vsec_agent_key_serve(agent, handle, path);
    if (rc == 0)
        return 0;
    text = vsec_agent_client_error(agent);
    return v23_error("the agent cannot make a principal: %s",
        *text != 0 ? text : v23_strerror(rc));
}

static int prepare(struct vname_program *p, const char *command,
    const char *agent_path, char path[PATH])
{
    struct vrpc_agent *agent = NULL, *fresh = NULL;
    char dir[PATH];
    int rc = become_socket(dir, path, PATH);

    if (rc != 0)
        return rc;
    rc = attach(p, agent_path, &agent);
    if (rc == 0)
        rc = make_principal(vrpc_agent_client(agent), path);
    if (rc == 0)
        rc = attach(p, path, &fresh);
    if (rc == 0)
        rc = become_bless(p, &become, command, vrpc_agent_principal(fresh));
    vrpc_agent_free(fresh);
    vrpc_agent_free(agent);
    if (rc != 0) {
        unlink(path);
        rmdir(dir);
    }
    return rc;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static char bash[] = "bash", norc[] = "--norc";
    static char *shell[] = { bash, norc, NULL };
    const char *agent_path = getenv("V23_AGENT_PATH");
    char path[PATH];
    int rc;

    (void)inv;
    if (argc == 0)
        argv = shell;
    if (agent_path == NULL || *agent_path == 0)
        return v23_error("vrun needs an agent, and V23_AGENT_PATH is not set: "
            "run it under agentd --additional-principals=DIR, or use "
            "vbecome");
    rc = prepare(ud, argv[0], agent_path, path);
    if (rc != 0)
        return rc;
    child_environment(path);
    execvp(argv[0], argv);
    rc = errno;
    (void)v23_error("%s: %s", argv[0], strerror(rc));
    return rc == ENOENT ? 127 : 126;
}

static const struct v23_command command = {
    .name = "vrun",
    .brief = "runs a command with a principal of its own in the agent",
    .about = "Command vrun has the agent at V23_AGENT_PATH make a principal, "
        "blesses it with the current default blessing, extended and for a "
        "limited time, and becomes the command, whose principal that is. "
        "The key never leaves the agent, which must manage other keys "
        "(agentd --additional-principals) and forgets this one when it "
        "ends.\n\n"
        "With --role, the blessing of a role is used: the new principal "
        "shows the role's server a blessing extended with _role.",
    .args = "[<command> [<argument>...]]",
    .args_help = "<command> is the program to run, with its arguments; "
        "without one, bash --norc.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_CLIENT, argc,
        argv);
}
