/* BSD-3-Clause; see LICENSE. */
/** What parsing and help of command lines share. */
#ifndef V23_CMDLINE_INT_H
#define V23_CMDLINE_INT_H

#include <stdio.h>

#include <v23/cmdline.h>

/* Nesting of commands. */
#define V23_CMDLINE_DEPTH_ 8

/* One per program run. */
struct v23_cmdline_ {
    const struct v23_flag_source *const *sources;
    size_t nsources;
    const char *style;
    int64_t width; /* of help; < 0: unlimited */
    bool metadata, time;
    struct v23_flag everywhere[2]; /* -metadata, -time */
    struct v23_flag help[2];       /* -style, -width of the command help */
};

struct v23_invocation {
    const struct v23_command *command;
    const struct v23_invocation *outer;
    struct v23_cmdline_ *line;
    size_t depth;
    char path[256]; /* "tool command", cut off at this size */
};

/* The command that every command with sub-commands has. */
extern const struct v23_command v23_cmdline_help_;

/* Go down to a sub-command. */
void v23_cmdline_enter_(struct v23_invocation *inv,
    const struct v23_invocation *outer, const struct v23_command *c);
/* Sub-command of that name, `help` included, or NULL. */
const struct v23_command *v23_cmdline_child_(const struct v23_command *c,
    const char *name);

bool v23_cmdline_is_style_(const char *text);
/* Take style and width from the environment. */
void v23_cmdline_style_(struct v23_cmdline_ *line);
void v23_cmdline_usage_(const struct v23_invocation *inv, FILE *to);
/* The command `help` below `inv`; returns the exit code. */
int v23_cmdline_show_help_(const struct v23_invocation *inv, int argc,
    char **argv);

#endif
