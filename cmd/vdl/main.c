/* BSD-3-Clause; see LICENSE. */
/*
 * The vdl command (spec/vdl.md section 12): compiles interface definitions and
 * generates C. Exit status: 0, 1 on errors, 2 on wrong usage, 10 when audit
 * finds stale files.
 */
#include <stdio.h>
#include <stdlib.h>

#include "output.h"
#include "resolve.h"

enum { EXIT_ERRORS = 1, EXIT_USAGE = 2, EXIT_STALE = 10 };

struct options {
    bool verbose, ignore_unknown;
    int max_errors;
    const char *config_name;
    bool status, warnings;
    const char *lang;
    const char *out_dir;
    bool shipped, deps;
};

enum flag_type { FLAG_BOOL, FLAG_INT, FLAG_STRING };

/* Commands a flag belongs to. */
enum { GENERATE = 1, COMPILE = 2, AUDIT = 4, LIST = 8, GLOBAL = 16 };

struct flag {
    const char *name;
    enum flag_type type;
    void *value;
    unsigned commands;
};

/* ---- flags --------------------------------------------------------------- */

static bool set_flag(const struct flag *f, const char *value)
{
    char *end;

    switch (f->type) {
    case FLAG_BOOL:
        if (strcmp(value, "true") != 0 && strcmp(value, "1") != 0 &&
            strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
            return false;
        *(bool *)f->value = value[0] == 't' || value[0] == '1';
        return true;
    case FLAG_INT:
        *(int *)f->value = (int)strtol(value, &end, 10);
        return *value != '\0' && *end == '\0';
    default:
        *(const char **)f->value = value;
        return true;
    }
}

/* Parse flags from argv[*at]; stops at the first other argument. */
static bool parse_flags(int argc, char **argv, int *at,
    const struct flag *flags, size_t n, unsigned commands)
{
    const char *name, *value;
    size_t len, i;

    for (; *at < argc && argv[*at][0] == '-' && argv[*at][1] != '\0';
         (*at)++) {
        name = argv[*at] + 1;
        if (strcmp(name, "-") == 0) {
            (*at)++;
            return true;
        }
        name += *name == '-';
        len = strcspn(name, "=");
        value = name[len] == '=' ? name + len + 1 : NULL;
        for (i = 0; i < n; i++) {
            if ((flags[i].commands & commands) != 0 &&
                strlen(flags[i].name) == len &&
                strncmp(flags[i].name, name, len) == 0)
                break;
        }
        if (i == n) {
            fprintf(stderr, "ERROR: vdl: flag provided but not defined: -%s\n",
                name);
            return false;
        }
        if (value == NULL && flags[i].type == FLAG_BOOL)
            value = "true";
        if (value == NULL && *at + 1 < argc)
            value = argv[++*at];
        if (value == NULL || !set_flag(&flags[i], value)) {
            fprintf(stderr, "ERROR: vdl: invalid value for flag -%s\n",
                flags[i].name);
            return false;
        }
    }
    return true;
}

/* ---- commands ------------------------------------------------------------ */

/* What the project's own build generates (DESIGN: shipped packages). */
static bool is_shipped(const struct package *p)
{
    return p->root || strncmp(p->ir.path, "v.io/", 5) == 0;
}

/* Compile, and generate unless the command is `compile`. True: stale. */
static bool build(struct ctx *c, const struct options *o,
    const struct list *packages, unsigned command)
{
    struct out_dir out;
    bool stale = false;
    size_t i;

    if (!out_dir_parse(c, o->out_dir, &out)) {
        ctx_fail(c, "invalid out dir xlate rule \"%s\" (not src->dst format)",
            o->out_dir);
        return false;
    }
    for (i = 0; i < packages->n; i++) {
        struct package *p = packages->v[i];

        if (!compile_package(c, p)) {
            if (command != COMPILE)
                break; /* generate nothing from a broken set */
            continue;
        }
        if (command == COMPILE) {
            if (o->status)
                puts(p->ir.path);
            continue;
        }
        if (p->ir.builtin || (o->shipped ? !p->named : is_shipped(p)) ||
            (!o->deps && !p->named))
            continue;
        if (!generate(c, p, &out, command == AUDIT))
            continue;
        stale = true;
        if (o->status)
            puts(p->ir.path);
    }
    return stale;
}

static int finish(struct ctx *c, const struct options *o)
{
    if (o->warnings && c->nwarnings > 0)
        fprintf(stderr, "%s\n", v23_buf_cstr(&c->warnings));
    if (c->nerrors == 0)
        return 0;
    fprintf(stderr, "ERROR: \n%s   (run with \"vdl -v\" for verbose logging "
        "or \"vdl help\" for help)\n", v23_buf_cstr(&c->errors));
    return EXIT_ERRORS;
}

static int run(const struct options *o, unsigned command,
    const char *const *args, size_t nargs)
{
    struct resolve_options ropt = { o->ignore_unknown, o->shipped };
    struct list packages = { 0 };
    struct ctx c;
    bool stale = false;
    int rc;

    ctx_init(&c);
    c.max_errors = o->max_errors;
    c.verbose = o->verbose;
    c.config_name = o->config_name;
    resolve(&c, &ropt, args, nargs, &packages);
    if (c.nerrors == 0 && command == LIST)
        list_packages(&c, &packages);
    else if (c.nerrors == 0)
        stale = build(&c, o, &packages, command);
    rc = finish(&c, o);
    if (rc == 0 && command == AUDIT && stale)
        rc = EXIT_STALE;
    ctx_fini(&c);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned command;
    } commands[] = { { "generate", GENERATE }, { "compile", COMPILE },
        { "audit", AUDIT }, { "list", LIST } };
    struct options o = { .max_errors = -1, .config_name = "vdl.config",
        .status = true, .warnings = true, .lang = "C", .out_dir = "",
        .deps = true };
    const struct flag flags[] = {
        { "v", FLAG_BOOL, &o.verbose, GLOBAL },
        { "max-errors", FLAG_INT, &o.max_errors, GLOBAL },
        { "vdl.config", FLAG_STRING, &o.config_name, GLOBAL },
        { "ignore_unknown", FLAG_BOOL, &o.ignore_unknown, GLOBAL },
        { "status", FLAG_BOOL, &o.status, GENERATE | COMPILE | AUDIT },
        { "show-warnings", FLAG_BOOL, &o.warnings,
            GENERATE | COMPILE | AUDIT },
        { "lang", FLAG_STRING, &o.lang, GENERATE | AUDIT },
        { "c-out-dir", FLAG_STRING, &o.out_dir, GENERATE | AUDIT },
        { "shipped", FLAG_BOOL, &o.shipped, GENERATE | AUDIT | COMPILE },
        { "deps", FLAG_BOOL, &o.deps, GENERATE | AUDIT },
    };
    size_t n = sizeof(flags) / sizeof(flags[0]), i;
    int at = 1;

    if (!parse_flags(argc, argv, &at, flags, n, GLOBAL))
        return EXIT_USAGE;
    for (i = 0; i < 4 && at < argc; i++) {
        if (strcmp(argv[at], commands[i].name) == 0)
            break;
    }
    if (at == argc || i == 4) {
        fprintf(stderr, "ERROR: vdl: no command specified\n");
        return EXIT_USAGE;
    }
    at++;
    if (!parse_flags(argc, argv, &at, flags, n,
            GLOBAL | commands[i].command))
        return EXIT_USAGE;
    if (strcmp(o.lang, "C") != 0) {
        fprintf(stderr, "ERROR: vdl: unknown language \"%s\"\n", o.lang);
        return EXIT_USAGE;
    }
    return run(&o, commands[i].command, (const char *const *)&argv[at],
        (size_t)(argc - at));
}
