/* BSD-3-Clause; see LICENSE. */
/*
 * What every command says of itself, beside the recorded list of commands,
 * arguments, flags and defaults (test/vectors/naming/cli_commands.jsonl).
 */
#include "commands.h"

#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ARGS 64

static const cJSON *get(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static const char *text(const cJSON *o, const char *name)
{
    const cJSON *v = get(o, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

/* Programs that have the flags of the record without a program. */
static const char *const with_run_time[] = { "mounttabled", "mounttable",
    "namespace", "vrpc", "debug", "xproxyd" };

struct checked {
    const char *bin, *dir;
    const cJSON *record, *env;
    bool ok;
};

static void fail(struct checked *c, const char *what, const char *which)
{
    printf("FAIL %s: %s %s\n", text(c->record, "id"), what, which);
    c->ok = false;
}

/* Run a command; its standard output or, if it fails, NULL. malloc'd. */
static char *run(struct checked *c, char **argv)
{
    struct cli_process p;

    if (!cli_start(c->bin, c->dir, text(c->record, "id"), argv, c->env, NULL,
            &p)
        || cli_wait(&p, 30) != 0)
        return NULL;
    return cli_read(p.out);
}

/* A line of the help that begins like this. */
static bool has_line(const char *help, const char *begin, const char *next)
{
    const char *at = help;
    size_t n = strlen(begin);

    for (; at != NULL && *at != 0; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, begin, n) == 0 && strchr(next, at[n]) != NULL)
            return true;
    }
    return false;
}

static void check_commands(struct checked *c, const char *help)
{
    const cJSON *name;
    char line[128];

    cJSON_ArrayForEach(name, get(c->record, "commands"))
    {
        snprintf(line, sizeof(line), "   %s", name->valuestring);
        if (!has_line(help, line, " \n"))
            fail(c, "the help does not name the command", name->valuestring);
    }
}

static void check_flags(struct checked *c, const char *help)
{
    const cJSON *f;
    char line[256];

    cJSON_ArrayForEach(f, get(c->record, "flags"))
    {
        if (strcmp(text(f, "scope"), "command") != 0)
            continue;
        snprintf(line, sizeof(line), " -%s=%s", text(f, "flag"),
            text(f, "default"));
        if (!has_line(help, line, "\n"))
            fail(c, "the help does not have the flag", line + 1);
    }
}

/* "tool sub [flags] <x>": the words in front of the flags. */
static void check_usage(struct checked *c, const char *usage)
{
    char *words = strdup(usage), *argv[MAX_ARGS], *word, *save, *help;
    char line[512];
    size_t n = 0;

    for (word = strtok_r(words, " ", &save);
         word != NULL && word[0] != '[' && n < MAX_ARGS - 2;
         word = strtok_r(NULL, " ", &save))
        argv[n++] = word;
    argv[n++] = strdup("-help");
    argv[n] = NULL;
    help = run(c, argv);
    if (help == NULL) {
        fail(c, "does not run:", usage);
    } else {
        snprintf(line, sizeof(line), "   %s", usage);
        if (!has_line(help, line, "\n"))
            fail(c, "the help does not have the usage", usage);
        check_commands(c, help);
        check_flags(c, help);
    }
    free(argv[n - 1]);
    free(help);
    free(words);
}

/* A flag with its default, if that is written as it is read. */
static char *flag_of(const cJSON *f)
{
    const char *def = text(f, "default");
    char *out = malloc(strlen(text(f, "flag")) + strlen(def) + 16);

    if (out == NULL)
        abort();
    if (def[0] == '[') /* a list */
        sprintf(out, "-%s=%.*s", text(f, "flag"), (int)strlen(def) - 2,
            def + 1);
    else if (strcmp(def, "map[]") == 0)
        sprintf(out, "-%s=name:file", text(f, "flag"));
    else if (strcmp(text(f, "flag"), "v23.permissions.literal") == 0)
        sprintf(out, "-%s={}", text(f, "flag")); /* "" is no JSON */
    else
        sprintf(out, "-%s=%s", text(f, "flag"), def);
    return out;
}

/* Every program takes the flags, though not all do something with each. */
static void check_run_time(struct checked *c)
{
    char *argv[MAX_ARGS], *help, program[64], path[1024];
    const cJSON *f;
    size_t i, n;

    for (i = 0; i < sizeof(with_run_time) / sizeof(*with_run_time); i++) {
        snprintf(path, sizeof(path), "%s/%s", c->bin, with_run_time[i]);
        if (access(path, X_OK) != 0) {
            fail(c, "there is no program", with_run_time[i]);
            continue;
        }
        cJSON_ArrayForEach(f, get(c->record, "flags"))
        {
            snprintf(program, sizeof(program), "%s", with_run_time[i]);
            n = 0;
            argv[n++] = program;
            if (strcmp(text(f, "flag"), "metadata") != 0)
                argv[n++] = flag_of(f);
            argv[n] = strdup("-help");
            argv[n + 1] = NULL;
            help = run(c, argv);
            if (help == NULL)
                fail(c, with_run_time[i], n > 1 ? argv[1] : "-help");
            free(help);
            free(argv[n]);
            if (n > 1)
                free(argv[1]);
        }
    }
}

bool cli_check_commands(const char *bin, const char *dir, const cJSON *record)
{
    struct checked c = { bin, dir, record, NULL, true };
    cJSON *env = cJSON_CreateObject();
    const cJSON *u;

    cJSON_AddStringToObject(env, "CMDLINE_STYLE", "full");
    cJSON_AddStringToObject(env, "CMDLINE_WIDTH", "80");
    c.env = env;
    if (cJSON_GetArraySize(get(record, "usage")) == 0)
        check_run_time(&c);
    cJSON_ArrayForEach(u, get(record, "usage"))
        check_usage(&c, u->valuestring);
    cJSON_Delete(env);
    return c.ok;
}
