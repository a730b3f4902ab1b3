/* BSD-3-Clause; see LICENSE. */
/* Commands that run with an agent; shared by agentd, vbecome and vrun. */
#ifndef AGENTD_CHILD_H
#define AGENTD_CHILD_H

#include <stdbool.h>

struct event_base;

/* Keep the kernel from showing this process's memory to others of its user,
 * and from writing it into core files. */
void child_hide_memory(void);
/* Make the agent at `path` the principal of this process's environment. */
void child_environment(const char *path);

struct child_options {
    struct event_base *base;
    char **argv;            /* ends with NULL */
    const char *agent_path; /* absolute */
    /* Run it again after it has ended with this status? NULL = never. */
    bool (*again)(void *ud, int status);
    void *ud;
};

/*
 * Run a command in the loop until it has ended for good. Signals that ask to
 * end (SIGINT, SIGTERM, SIGHUP, SIGQUIT) go to it; after one it is not run
 * again.
 * @param status  its exit code, or 128 and the number of the signal that
 *                ended it
 * @return 0 or the exit code after a message
 */
int child_run(const struct child_options *opt, int *status);

#endif
