/* BSD-3-Clause; see LICENSE. */
/* What the commands of debug share. */
#ifndef DEBUG_TOOL_H
#define DEBUG_TOOL_H

#include <v23/time.h>
#include <vname/program.h>

/* The root flag -timeout, in nanoseconds. */
extern int64_t timeout_ns;

/* The monotonic instant at which what starts now has lasted long enough. */
int64_t deadline(const struct vname_program *p);
/* Options with that deadline, which a call borrows until it is done. */
struct vrpc_call_opts call_opts(const struct vname_program *p);

int out_of_memory(void);
/** Write a buffer to stdout, empty it, or report its error. */
int print_buf(struct v23_buf *out);

/* ---- globs --------------------------------------------------------------- */

/* Several patterns at the same time. */
struct globs {
    struct vname_program *p;
    void (*entry)(void *ud, const v23_naming_mount_entry *e);
    /* A part of the name space that did not answer; may be NULL. */
    void (*error)(void *ud, const v23_naming_glob_error *e);
    /* A pattern that cannot be asked for at all. */
    void (*bad)(void *ud, const char *pattern, const struct v23_verror *err);
    void (*done)(void *ud); /* all patterns have ended */
    void *ud;
    size_t running; /* private */
    struct vname_opts opts;
};

/**
 * Start. `done` may run before this returns.
 * @return 0, or an exit code; then `done` does not run
 */
int globs_start(struct globs *g, int n, char **patterns);

/* ---- commands ------------------------------------------------------------ */

extern const struct v23_command cmd_glob, cmd_vtrace, cmd_logs, cmd_stats,
    cmd_pprof, cmd_browse, cmd_delegate, cmd_discovery;

#endif
