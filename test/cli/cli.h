/* BSD-3-Clause; see LICENSE. */
/**
 * cli: replays recorded command lines (test/vectors/naming/cli.jsonl) against
 * the programs and daemons of this build. The runner of the vectors uses parts
 * of it for those of the program principal.
 */
#ifndef TEST_CLI_H
#define TEST_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

/* ---- texts with placeholders (match.c) ----------------------------------- */

/*
 * Put the values of $ROOT, $SUB, $TESTD and $TMP (environment) into a text;
 * other placeholders stay. malloc'd.
 */
char *cli_expand(const char *text);
/*
 * Does the text fit the pattern? Placeholders: $N a number, $TIME a time,
 * $LOG at the start of a line the prefix of a log line, any other a word.
 */
bool cli_match(const char *pattern, const char *text);
/* The same line by line, in any order. */
bool cli_match_lines(const char *pattern, const char *text);
/*
 * Length of "2006-01-02 15:04:05.999999999 -0700 MST" at the start of a text, 0
 * for anything else. A monotonic reading " m=+1.5" may follow.
 */
size_t cli_time_length(const char *text);
/* Remove comments and empty lines, in place. */
void cli_strip_comments(char *text);

/* ---- processes (run.c) --------------------------------------------------- */

struct cli_process {
    pid_t pid;
    char out[512], err[512]; /* files */
};

/*
 * Start bin/argv[0] in `dir` with output into files of the case's name; argv
 * comes expanded. `env` is an object or NULL, `input` a text or NULL.
 */
bool cli_start(const char *bin, const char *dir, const char *id, char **argv,
    const cJSON *env, const char *input, struct cli_process *out);
/* Wait at most `seconds`; exit code, or -1 (then it was killed). */
int cli_wait(const struct cli_process *p, int seconds);
/* Content of a file, "" when it is missing; malloc'd. */
char *cli_read(const char *path);

#endif
