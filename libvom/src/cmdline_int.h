/* BSD-3-Clause; see LICENSE. */
/** Help output of command lines. */
#ifndef V23_CMDLINE_INT_H
#define V23_CMDLINE_INT_H

#include <v23/cmdline.h>

/* The command that every command with sub-commands has. */
extern const struct v23_cmd v23_cli_help_;

/* "tool command" of the first `depth` commands of the path. */
void v23_cli_path_(const struct v23_cli *cli, size_t depth,
    struct v23_buf *out);
/* The text of a flag's value. */
void v23_flag_text_(const struct v23_flag *f, struct v23_buf *out);
bool v23_cli_has_help_(const struct v23_cmd *cmd);
bool v23_cli_is_style_(const char *text);
/* Take style and width from the environment. */
void v23_cli_style_(struct v23_cli *cli);
/* Usage of the command at the end of the path. */
void v23_cli_print_usage_(struct v23_cli *cli, FILE *to);
/* The command "help" with its arguments; returns the exit code. */
int v23_cli_help_run_(struct v23_cli *cli, int argc, char **argv);

#endif
