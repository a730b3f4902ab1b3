/* BSD-3-Clause; see LICENSE. */
#ifndef V23_CMDLINE_INT_H
#define V23_CMDLINE_INT_H

#include <stdio.h>

#include <v23/cmdline.h>

struct v23_invocation {
    const struct v23_command *command;
    const struct v23_invocation *outer;
    const struct v23_flag_source *const *sources;
    size_t nsources;
    char path[256];
};

/* Go down to a sub-command: extends the path. */
void v23_cmdline_enter_(struct v23_invocation *inv,
    const struct v23_invocation *outer, const struct v23_command *c);
/* Usage of one command; `full`: with the description of everything. */
void v23_cmdline_usage_(const struct v23_invocation *inv, FILE *to,
    bool full);
/* Usage of a command and all below it. */
void v23_cmdline_usage_all_(const struct v23_invocation *inv, FILE *to);

#endif
