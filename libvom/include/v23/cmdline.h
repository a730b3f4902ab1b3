/* BSD-3-Clause; see LICENSE. */
/**
 * Command lines of programs: a tree of commands with flags, help and the exit
 * codes that all tools share. Source: spec/services.md 3.1, spec/naming.md
 * 17.1.
 *
 *   tool [flags] command [flags] [args]
 *
 * A flag is written with one or two dashes, "-f=v" or "-f v"; a bool flag "-b"
 * or "-b=v". The first word that is no flag, or "--", ends the flags of a
 * command. The flags of a command are those of its own, of the commands above
 * it and the global ones. "-h" and "-help" print help, as does the command
 * "help" that every command with sub-commands has.
 *
 * Exit codes: 0 success; 1 "ERROR: …" on standard error; 2 the same followed
 * by a blank line and the usage of the command.
 *
 * Environment: CMDLINE_STYLE (compact, full, godoc, shortonly), CMDLINE_WIDTH,
 * CMDLINE_PREFIX (put before the name of the tool).
 */
#ifndef V23_CMDLINE_H
#define V23_CMDLINE_H

#include <stdio.h>

#include <v23/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

enum v23_flag_kind {
    V23_FLAG_BOOL,     /* bool */
    V23_FLAG_STRING,   /* const char *, points into argv */
    V23_FLAG_INT,      /* int64_t */
    V23_FLAG_FLOAT,    /* double */
    V23_FLAG_DURATION, /* int64_t nanoseconds, written as 1h2m3.5s */
    V23_FLAG_CALL      /* `set` is called for each use */
};

struct v23_flag {
    const char *name; /* without dash; NULL ends the table */
    enum v23_flag_kind kind;
    void *value;      /* the variable, which holds the default; CALL: ud */
    const char *help;
    const char *shown; /* the default as help shows it; NULL = the value's */
    /* CALL: take the text of one use. Returns 0, or not 0 with the reason
     * appended to `why`. */
    int (*set)(void *ud, const char *text, struct v23_buf *why);
};

/* A text that "help NAME" shows. */
struct v23_topic {
    const char *name; /* NULL ends the table */
    const char *brief;
    const char *text;
};

struct v23_cli;

struct v23_cmd {
    const char *name;
    const char *brief; /* one line without full stop */
    const char *text;  /* paragraphs; indented lines are kept as they are */
    const char *args;  /* "<name> [<server>]"; NULL: takes no arguments */
    const char *args_text; /* more about them; may be NULL */
    const struct v23_flag *flags;           /* may be NULL */
    const struct v23_cmd *const *commands;  /* ends with NULL; may be NULL */
    const struct v23_topic *topics;         /* may be NULL */
    /* Run the command; argv are the arguments behind the flags. Returns the
     * exit code, usually 0, v23_cli_error() or v23_cli_usage(). */
    int (*run)(struct v23_cli *cli, int argc, char **argv);
};

enum { V23_CLI_DEPTH = 8 }; /* nesting of commands */

/* The command line being run. */
struct v23_cli {
    FILE *in, *out, *err;
    void *ud;                        /* of the caller of v23_cli_run_on() */
    const struct v23_flag *global;
    const struct v23_cmd *path[V23_CLI_DEPTH]; /* root to running command */
    size_t depth;
    /* Private: how help is printed. */
    const char *style;
    int64_t width;
};

/**
 * Parse the command line of a program and run its command on standard input
 * and output.
 *
 * @param root    the program; its name is the tool's
 * @param global  flags of all commands, may be NULL; -metadata and -time are
 *                added
 * @return exit code for main()
 */
int v23_cli_run(const struct v23_cmd *root, const struct v23_flag *global,
    void *ud, int argc, char **argv);
/** The same on other streams: set in, out, err and ud of a zeroed struct. */
int v23_cli_run_on(struct v23_cli *cli, const struct v23_cmd *root,
    const struct v23_flag *global, int argc, char **argv);

/** Print "ERROR: " and the text on the error stream; returns 1. */
int v23_cli_error(struct v23_cli *cli, const char *fmt, ...) V23_PRINTF(2, 3);
/** The same with the usage of the running command; returns 2. */
int v23_cli_usage(struct v23_cli *cli, const char *fmt, ...) V23_PRINTF(2, 3);
/**
 * Usage error unless `got` lies between the two numbers:
 * "NAME: incorrect number of arguments, expected LEAST, got GOT".
 * @return 0 or 2
 */
int v23_cli_nargs(struct v23_cli *cli, int got, int least, int most);

#ifdef __cplusplus
}
#endif
#endif
