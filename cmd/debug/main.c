/* BSD-3-Clause; see LICENSE. */
/* debug: looks into running servers (spec/services.md 9.5). */
#include "debug.h"

#include <stdio.h>

#include <v23/time.h>

int64_t timeout_ns = 10 * V23_NS_PER_SEC;

int64_t deadline(const struct vname_program *p)
{
    struct v23_now now;

    vrpc_ev_now(p->rt.ev, &now);
    if (timeout_ns > V23_NEVER - now.mono_ns)
        return V23_NEVER;
    return now.mono_ns + timeout_ns;
}

struct vrpc_call_opts call_opts(const struct vname_program *p)
{
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;

    opts.deadline = deadline(p);
    return opts;
}

int out_of_memory(void)
{
    return v23_error("out of memory");
}

int print_buf(struct v23_buf *out)
{
    int rc = out->err;

    if (rc == 0 && out->n != 0)
        fwrite(out->p, 1, out->n, stdout);
    fflush(stdout); /* the next one may take a while */
    v23_buf_cut(out, 0);
    return rc == 0 ? 0 : v23_error("%s", v23_strerror(rc));
}

/* ---- the command tree ---------------------------------------------------- */

static const struct v23_flag root_flags[] = {
    { "timeout", "Time to wait for various RPCs", "10s", V23_FLAG_DURATION,
        &timeout_ns, NULL },
};
static const struct v23_command *const children[] = { &cmd_glob, &cmd_vtrace,
    &cmd_logs, &cmd_stats, &cmd_pprof, &cmd_browse, &cmd_delegate,
    &cmd_discovery };
static const struct v23_command cmd_debug = {
    .name = "debug",
    .brief = "supports debugging Vanadium servers.",
    .about = "Command debug supports debugging Vanadium servers.",
    .flags = root_flags,
    .nflags = 1,
    .children = children,
    .nchildren = sizeof(children) / sizeof(children[0]),
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &cmd_debug,
        VRPC_FLAGS_CLIENT, argc, argv);
}
