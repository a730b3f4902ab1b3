/* BSD-3-Clause; see LICENSE. */
/*
 * vbecome: runs a command with a principal that vbecome makes and keeps for it
 * (spec/services.md 10.6).
 */
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

/* Be the agent of `fresh` while the command runs. */
static int serve(struct vname_program *p, struct vsec_principal *fresh,
    const char *path, char **argv, int *status)
{
    struct vrpc_agent_listen_options opt;
    struct vsec_agent_server_config cfg;
    struct vrpc_agent_listener *l = NULL;
    struct vsec_agent_server *s = NULL;
    struct child_options child;
    char why[VRPC_AGENT_WHY];
    int rc;

    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = fresh;
    cfg.name = "vbecome";
    rc = vsec_agent_server_new(&cfg, &s);
    if (rc != 0)
        return v23_error("%s", v23_strerror(rc));
    memset(&opt, 0, sizeof(opt));
    opt.base = p->rt.base;
    opt.server = s;
    opt.path = path;
    opt.log = &p->rt.log;
    rc = vrpc_agent_listen(&opt, &l, why);
    if (rc != 0) {
        rc = v23_error("%s", why);
    } else {
        memset(&child, 0, sizeof(child));
        child.base = p->rt.base;
        child.argv = argv;
        child.agent_path = path;
        rc = child_run(&child, status);
    }
    vrpc_agent_unlisten(l);
    vsec_agent_server_free(s);
    return rc;
}

static int work(struct vname_program *p, char **argv, int *status)
{
    struct vsec_principal *fresh;
    char dir[PATH], path[PATH];
    int rc = vsec_principal_generate(p->rt.principal->engine, "ecdsa256",
        &fresh);

    if (rc != 0)
        return v23_error("%s", v23_strerror(rc));
    rc = become_bless(p, &become, argv[0], fresh);
    if (rc == 0)
        rc = become_socket(dir, path, PATH);
    if (rc == 0) {
        rc = serve(p, fresh, path, argv, status);
        rmdir(dir);
    }
    vsec_principal_unref(fresh);
    return rc;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static char *shell[] = { NULL, NULL };
    static char plain[] = "/bin/sh";
    int rc, status = 0;

    (void)inv;
    if (argc == 0) {
        shell[0] = getenv("SHELL");
        if (shell[0] == NULL || shell[0][0] == 0)
            shell[0] = plain;
        argv = shell;
    }
    rc = work(ud, argv, &status);
    return rc != 0 ? rc : status;
}

static const struct v23_command command = {
    .name = "vbecome",
    .brief = "runs a command with a principal that is made for it",
    .about = "Command vbecome makes a principal in its memory, blesses it "
        "with the current default blessing, extended and for a limited time, "
        "and runs a command, whose agent it is: the command finds the "
        "principal through V23_AGENT_PATH, and never has its key. Signals "
        "that ask to end go to the command; vbecome ends with its exit code, "
        "or 128 and the number of the signal that ended it.\n\n"
        "With --role, the blessing of a role is used: the new principal "
        "shows the role's server a blessing extended with _role.",
    .args = "[<command> [<argument>...]]",
    .args_help = "<command> is the program to run, with its arguments; "
        "without one, $SHELL.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    child_hide_memory();
    return vname_program_main(&p, &command, VRPC_FLAGS_CLIENT, argc,
        argv);
}
