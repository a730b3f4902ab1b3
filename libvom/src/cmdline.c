/* BSD-3-Clause; see LICENSE. */
/*
 * Command lines: parsing and dispatch. Texts are in cmdline_help.c. This part
 * of the library is for programs on hosts and writes to stdout and stderr.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <v23/time.h>

#include "cmdline_int.h"

int v23_error(const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    fputs("ERROR: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return 1;
}

int v23_usage_error(const struct v23_invocation *inv, const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    fputs("ERROR: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs("\n\n", stderr);
    v23_cmdline_usage_(inv, stderr, false);
    return 2;
}

int v23_want_args(const struct v23_invocation *inv, int want, int got)
{
    if (want == got)
        return 0;
    return v23_usage_error(inv,
        "%s: incorrect number of arguments, expected %d, got %d",
        inv->command->name, want, got);
}

const char *v23_invocation_path(const struct v23_invocation *inv)
{
    return inv->path;
}

/* ---- flags --------------------------------------------------------------- */

static int set_bool(void *var, const char *value, const char **why)
{
    static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
    static const char *const no[] = { "0", "f", "F", "false", "FALSE",
        "False" };
    size_t i;

    for (i = 0; i < 6; i++) {
        if (value == NULL || strcmp(value, yes[i]) == 0) {
            *(bool *)var = true;
            return 0;
        }
        if (strcmp(value, no[i]) == 0) {
            *(bool *)var = false;
            return 0;
        }
    }
    *why = "not a boolean";
    return V23_EARG;
}

static int set_number(const struct v23_flag *f, const char *value,
    const char **why)
{
    char *end;

    errno = 0;
    if (f->kind == V23_FLAG_INT) {
        long long v = strtoll(value, &end, 0);

        if (*value != 0 && *end == 0 && errno == 0) {
            *(int64_t *)f->var = v;
            return 0;
        }
    } else {
        double v = strtod(value, &end);

        if (*value != 0 && *end == 0) {
            *(double *)f->var = v;
            return 0;
        }
    }
    *why = "not a number";
    return V23_EARG;
}

static int set_flag(const struct v23_flag *f, const char *value,
    const char **why)
{
    switch (f->kind) {
    case V23_FLAG_BOOL:
        return set_bool(f->var, value, why);
    case V23_FLAG_STRING:
        *(const char **)f->var = value;
        return 0;
    case V23_FLAG_DURATION:
        if (v23_duration_parse(value, f->var, NULL) == 0)
            return 0;
        *why = "not a duration";
        return V23_EARG;
    case V23_FLAG_FUNC:
        return f->set(f->var, value, why);
    default:
        return set_number(f, value, why);
    }
}

/* The flag of this level or an outer one, or NULL. */
static const struct v23_flag *find_flag(const struct v23_invocation *inv,
    const char *name)
{
    size_t i;

    for (; inv != NULL; inv = inv->outer)
        for (i = 0; i < inv->command->nflags; i++)
            if (strcmp(inv->command->flags[i].name, name) == 0)
                return &inv->command->flags[i];
    return NULL;
}

static const struct v23_flag_source *find_source(
    const struct v23_invocation *inv, const char *name, bool *is_bool)
{
    size_t i;

    for (i = 0; i < inv->nsources; i++)
        if (inv->sources[i]->has(inv->sources[i]->ud, name, is_bool))
            return inv->sources[i];
    return NULL;
}

/* One flag at argv[*at]; moves *at behind it. 0 or an exit code. */
static int take_flag(const struct v23_invocation *inv, char **argv, int argc,
    int *at)
{
    char *word = argv[*at] + 1, *value;
    const struct v23_flag_source *src;
    const struct v23_flag *f;
    const char *why = "invalid value";
    bool is_bool = false;
    int rc;

    word += *word == '-';
    ++*at;
    value = strchr(word, '=');
    if (value != NULL)
        *value++ = 0;
    f = find_flag(inv, word);
    src = f == NULL ? find_source(inv, word, &is_bool) : NULL;
    if (f == NULL && src == NULL) {
        if (strcmp(word, "help") == 0 || strcmp(word, "h") == 0) {
            v23_cmdline_usage_(inv, stdout, true);
            return -1;
        }
        return v23_usage_error(inv,
            "%s: flag provided but not defined: -%s", inv->path, word);
    }
    if (f != NULL)
        is_bool = f->kind == V23_FLAG_BOOL;
    if (value == NULL && !is_bool) {
        if (*at == argc)
            return v23_usage_error(inv, "%s: flag needs an argument: -%s",
                inv->path, word);
        value = argv[(*at)++];
    }
    rc = f != NULL ? set_flag(f, value, &why)
                   : src->set(src->ud, word, value, &why);
    if (rc == 0)
        return 0;
    if (rc != V23_EARG)
        why = v23_strerror(rc);
    return v23_usage_error(inv, "%s: invalid value \"%s\" for flag -%s: %s",
        inv->path, value == NULL ? "" : value, word, why);
}

/* ---- commands ------------------------------------------------------------ */

static const struct v23_command *find_child(const struct v23_command *c,
    const char *name)
{
    size_t i;

    for (i = 0; i < c->nchildren; i++)
        if (strcmp(c->children[i]->name, name) == 0)
            return c->children[i];
    return NULL;
}

static int show_help(const struct v23_invocation *inv, int argc, char **argv)
{
    struct v23_invocation sub = *inv;
    const struct v23_command *c = inv->command;
    int i;

    for (i = 0; i < argc; i++) {
        if (argv[i][0] == '-')
            continue; /* -style and -width change nothing here */
        if (strcmp(argv[i], "...") == 0) {
            v23_cmdline_usage_all_(&sub, stdout);
            return 0;
        }
        c = find_child(c, argv[i]);
        if (c == NULL)
            return v23_usage_error(inv,
                "%s: unknown command or topic \"%s\"", inv->path, argv[i]);
        v23_cmdline_enter_(&sub, NULL, c);
    }
    v23_cmdline_usage_(&sub, stdout, true);
    return 0;
}

void v23_cmdline_enter_(struct v23_invocation *inv,
    const struct v23_invocation *outer, const struct v23_command *c)
{
    size_t n = strlen(inv->path);

    inv->command = c;
    inv->outer = outer;
    snprintf(inv->path + n, sizeof(inv->path) - n, "%s%s", n == 0 ? "" : " ",
        c->name);
}

static int run(struct v23_invocation *inv, int (*before)(void *ud), void *ud,
    int argc, char **argv)
{
    const struct v23_command *c = inv->command, *child;
    struct v23_invocation sub = *inv;
    int at = 0, rc;

    while (at < argc && argv[at][0] == '-' && argv[at][1] != 0) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        rc = take_flag(inv, argv, argc, &at);
        if (rc != 0)
            return rc < 0 ? 0 : rc;
    }
    if (c->nchildren != 0 && at < argc) {
        child = find_child(c, argv[at]);
        if (child != NULL) {
            v23_cmdline_enter_(&sub, inv, child);
            return run(&sub, before, ud, argc - at - 1, argv + at + 1);
        }
        if (strcmp(argv[at], "help") == 0)
            return show_help(inv, argc - at - 1, argv + at + 1);
        if (c->run == NULL)
            return v23_usage_error(inv, "%s: unknown command \"%s\"",
                inv->path, argv[at]);
    }
    if (c->run == NULL)
        return v23_usage_error(inv, "%s: no command specified", inv->path);
    if (c->args == NULL && at < argc)
        return v23_usage_error(inv, "%s: doesn't take arguments", inv->path);
    rc = before == NULL ? 0 : before(ud);
    if (rc == 0)
        rc = c->run(ud, inv, argc - at, argv + at);
    if (fflush(stdout) != 0 && rc == 0)
        rc = v23_error("cannot write the output");
    return rc;
}

int v23_cmdline_main(const struct v23_command *root,
    const struct v23_flag_source *const *sources, size_t nsources,
    int (*before)(void *ud), void *ud, int argc, char **argv)
{
    struct v23_invocation inv = { 0 };

    inv.sources = sources;
    inv.nsources = nsources;
    v23_cmdline_enter_(&inv, NULL, root);
    return run(&inv, before, ud, argc > 0 ? argc - 1 : 0, argv + 1);
}
