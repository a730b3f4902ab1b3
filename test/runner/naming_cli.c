/* BSD-3-Clause; see LICENSE. */
/*
 * Recorded command lines and what programs say of themselves (cli.jsonl,
 * cli_commands.jsonl): scripts start what they need and run the cases; their
 * verdicts are counted.
 */
#define _GNU_SOURCE 1 /* popen */
#include <stdio.h>
#include <stdlib.h>

#include "naming_int.h"

/* "FAIL id: what" */
static void count_failure(const char *file, char *line)
{
    char *id = line + sizeof("FAIL ") - 1, *what = strchr(id, ':');

    if (what != NULL)
        *what++ = 0;
    run_result(file, id, false, what == NULL ? "" : what + (*what == ' '));
}

static void run_script(const char *script, const char *file,
    const char *companions, const char *path)
{
    char cmd[16384], line[65536];
    unsigned long passed = 0, failed = 0, told = 0;
    bool ended = false;
    FILE *f;

    snprintf(cmd, sizeof(cmd),
        "BUILD=$(cd '%.3000s/..' && pwd) sh '%.3000s/../../e2e/%s' '%.8000s' "
        "2>&1 </dev/null",
        run_bin, companions, script, path);
    f = popen(cmd, "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (sscanf(line, "%lu passed, %lu failed", &passed, &failed) == 2) {
            ended = true;
        } else if (strncmp(line, "FAIL ", 5) == 0) {
            count_failure(file, line);
            told++;
        } else if (line[0] != 0) {
            printf("%s\n", line); /* says more about a failure */
        }
    }
    if (f == NULL || pclose(f) != (failed != 0 ? 256 : 0) || !ended)
        run_result(file, script, false, "did not run to its end");
    for (; told < failed; told++)
        run_result(file, script, false, "a case without a name");
    for (; passed != 0; passed--)
        run_result(file, "", true, "");
}

void run_naming_cli(const char *dir, const char *companions,
    const char *path)
{
    (void)dir;
    if (run_bin == NULL)
        printf("left  naming/cli.jsonl: programs cannot be run here\n");
    else if (getenv("CLI_APART") != NULL)
        printf("left  naming/cli.jsonl: test/e2e/cli.sh reads it, at the same "
               "time\n");
    else
        run_script("cli.sh", "cli.jsonl", companions, path);
}

void run_naming_commands(const char *dir, const char *companions,
    const char *path)
{
    (void)dir;
    if (run_bin == NULL)
        printf("left  naming/cli_commands.jsonl: programs cannot be run "
               "here\n");
    else
        run_script("commands.sh", "cli_commands.jsonl", companions, path);
}
