/* BSD-3-Clause; see LICENSE. */
/* scripts: the scripting language of the reference tool, which is not here. */
#include "principal.h"

static bool documentation, compile_only;

static int scripts(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    (void)ud;
    (void)inv;
    (void)argc;
    (void)argv;
    return v23_error("scripts: this tool does not have the scripting language "
        "of the reference tool; use the other commands from a shell script");
}

static const struct v23_flag flags[] = {
    { "compile-only", "Compile the scripts but do not run them", "false",
        V23_FLAG_BOOL, &compile_only, NULL },
    { "documentation", "Display documentation on the scripting language and "
        "supported commands", "false", V23_FLAG_BOOL, &documentation, NULL },
};

const struct v23_command cmd_scripts = {
    .name = "scripts",
    .brief = "Run one or more scripts",
    .about = "The scripting language of the reference tool is not supported: "
        "this command always fails. A shell script can do the same with the "
        "other commands.",
    .args = "<script>...",
    .args_help = "<script> refers to a file containing a script.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = scripts,
};
