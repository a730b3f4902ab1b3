/* BSD-3-Clause; see LICENSE. */
/**
 * Command lines of programs (hosts only): a tree of commands with flags, help,
 * the exit codes and error forms that all tools share. Source:
 * spec/services.md 3.1, spec/naming.md 17.1.
 *
 *     tool [flags] command [flags] args
 *
 * One or two dashes; `-f=v` or `-f v`, booleans `-b` or `-b=v`; the first other
 * word or `--` ends the flags of a level. Flags of outer levels are accepted
 * at inner ones too. Every program also has -metadata and -time.
 *
 * Help: `tool help [-style=S] [-width=N] [command|topic|...]`, `-help`, `-h`.
 * Environment: CMDLINE_STYLE (compact, full, godoc, shortonly), CMDLINE_WIDTH
 * (columns, < 0 unlimited; else the terminal's, else 80), CMDLINE_PREFIX (put
 * before the name of the tool).
 *
 * Exit codes: 0; 1 for an error; 2 for a usage error, whose first line is
 * `ERROR: text`, followed by a blank line and the usage.
 */
#ifndef V23_CMDLINE_H
#define V23_CMDLINE_H

#include <v23/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

enum v23_flag_kind {
    V23_FLAG_BOOL,     /* bool * */
    V23_FLAG_STRING,   /* const char **; points into argv */
    V23_FLAG_INT,      /* int64_t * */
    V23_FLAG_FLOAT,    /* double * */
    V23_FLAG_DURATION, /* int64_t *, nanoseconds; Go notation */
    V23_FLAG_FUNC      /* set(var, value, why) for every occurrence */
};

struct v23_flag {
    const char *name; /* without dashes */
    const char *help; /* one sentence */
    const char *def;  /* default as shown in help */
    enum v23_flag_kind kind;
    void *var;        /* holds the default before parsing */
    /* With V23_FLAG_FUNC: 0, or V23_EARG with *why set. */
    int (*set)(void *var, const char *value, const char **why);
};

/* Flags that something else knows (the --v23.* flags of librpc). */
struct v23_flag_source {
    /* Is this one of yours? *is_bool: it may stand without a value. */
    bool (*has)(void *ud, const char *name, bool *is_bool);
    /* value NULL: given without one. 0, or V23_EARG with *why set. */
    int (*set)(void *ud, const char *name, const char *value,
        const char **why);
    /* Append the lines about these flags for the full help. */
    void (*help)(void *ud, struct v23_buf *out);
    void *ud;
};

/* A text that `help NAME` prints. */
struct v23_topic {
    const char *name;
    const char *brief;
    const char *text;
};

struct v23_invocation; /* a command being run */

struct v23_command {
    const char *name;
    const char *brief;    /* one line: "Namespace operations" */
    const char *about;    /* paragraphs, NULL = brief; lines of a paragraph
                             are joined, indented ones kept as they are */
    const char *args;     /* "<name> [<x>]"; NULL = takes no arguments */
    const char *args_help; /* what the arguments are; may be NULL */
    const struct v23_flag *flags;
    size_t nflags;
    const struct v23_command *const *children; /* sub-commands */
    size_t nchildren;
    /* Returns the exit code. NULL for a command that only has children. */
    int (*run)(void *ud, const struct v23_invocation *inv, int argc,
        char **argv);
    const struct v23_topic *topics;
    size_t ntopics;
};

/**
 * Parse the command line and run the command; adds the command `help` where
 * there are sub-commands, and the flags -help and -h everywhere.
 *
 * @param sources  further flags, accepted at every level; may be NULL
 * @param before   called once after all flags are parsed and before the
 *                 command; NULL = none; non-zero ends with that exit code
 * @param ud       for `before` and run()
 * @return the program's exit code
 */
int v23_cmdline_main(const struct v23_command *root,
    const struct v23_flag_source *const *sources, size_t nsources,
    int (*before)(void *ud), void *ud, int argc, char **argv);

/** "tool sub" */
const char *v23_invocation_path(const struct v23_invocation *inv);
/** Print `ERROR: text`, a blank line and the usage on stderr; returns 2. */
int v23_usage_error(const struct v23_invocation *inv, const char *fmt, ...)
    V23_PRINTF(2, 3);
/**
 * Check the number of arguments: 0, or the exit code after the usage error
 * "<command>: incorrect number of arguments, expected N, got M".
 */
int v23_want_args(const struct v23_invocation *inv, int want, int got);
/** Print `ERROR: text` on stderr; returns 1. */
int v23_error(const char *fmt, ...) V23_PRINTF(1, 2);
#define V23_ERRNO 128
/** Text of errno as the reference tools have it: it begins in lower case. */
const char *v23_errno(char buf[V23_ERRNO]);

#ifdef __cplusplus
}
#endif
#endif
