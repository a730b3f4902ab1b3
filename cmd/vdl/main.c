/* BSD-3-Clause; see LICENSE. */
/*
 * The vdl command (spec/vdl.md section 12): compiles interface definitions and
 * generates C. Exit status: 0, 1 on errors, 2 on wrong usage, 10 when audit
 * finds stale files.
 */
#include <v23/cmdline.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cconfig.h"
#include "help.h"
#include "output.h"
#include "resolve.h"

enum { EXIT_ERRORS = 1, EXIT_STALE = 10 };

enum action { GENERATE, COMPILE, AUDIT, LIST };

/* Values of the flags. */
struct options {
    bool verbose, ignore_unknown;
    int64_t max_errors;
    const char *config_name;
    bool status, warnings;
    const char *lang;
    const char *out_dir;
    bool shipped, deps;
    const char *parts, *mode;
    struct cconfig_flags c;
};

/*
 * Packages that come ready-made with the libraries: only the project's own
 * build (-shipped) writes their code.
 */
static bool is_shipped(const struct package *p)
{
    return p->root || strncmp(p->ir.path, "v.io/", 5) == 0;
}

static bool wanted(const struct options *o, const struct package *p)
{
    if (p->ir.builtin || (!o->deps && !p->named))
        return false;
    return o->shipped ? p->named : !is_shipped(p);
}

/* The options of packages that the libraries ship are not the user's. */
static void configure(struct ctx *c, const struct options *o,
    struct package *p)
{
    struct cconfig_flags none = { o->c.file, 0, -1 };

    cconfig_read(c, is_shipped(p) && !o->shipped ? &none : &o->c, p);
}

/* Compile, and generate unless that is all. True: something was stale. */
static bool build(struct ctx *c, const struct options *o,
    const struct list *packages, enum action action)
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
            if (action != COMPILE)
                break; /* generate nothing from a broken set */
            continue;
        }
        if (action != COMPILE) {
            configure(c, o, p);
            if (c->nerrors > 0)
                break;
            if (!wanted(o, p) || !generate(c, p, &out, action == AUDIT))
                continue;
            stale = true;
        }
        if (o->status)
            puts(p->ir.path);
    }
    return stale;
}

static int report(struct ctx *c, const struct options *o)
{
    (void)fflush(stdout);
    if (o->warnings && c->nwarnings > 0)
        fprintf(stderr, "%s\n", v23_buf_cstr(&c->warnings));
    if (c->nerrors == 0)
        return 0;
    fprintf(stderr,
        "ERROR: \n%s   (run with \"vdl -v\" for verbose logging "
        "or \"vdl help\" for help)\n",
        v23_buf_cstr(&c->errors));
    return EXIT_ERRORS;
}

/* Messages go to a terminal that shows colours, and they are wanted. */
static bool wants_colour(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDERR_FILENO) == 1 && (none == NULL || *none == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

static int run(
    struct options *o, enum action action, int argc, char **argv)
{
    struct resolve_options ropt = {
        .ignore_unknown = o->ignore_unknown, .shipped = o->shipped};
    struct list packages = {0};
    struct ctx c;
    bool stale = false;
    int rc;

    ctx_init(&c);
    c.max_errors = (int)o->max_errors;
    c.verbose = o->verbose;
    c.colour = wants_colour();
    c.config_name = o->config_name;
    resolve(&c, &ropt, (const char *const *)argv, (size_t)argc, &packages);
    if (c.nerrors == 0 && action == LIST)
        list_packages(&c, &packages);
    else if (c.nerrors == 0)
        stale = build(&c, o, &packages, action);
    rc = report(&c, o);
    if (rc == 0 && action == AUDIT && stale)
        rc = EXIT_STALE;
    ctx_fini(&c);
    return rc;
}

/* Whether a language is one that other tools generate. */
static bool is_other_language(const char *s, size_t n)
{
    static const char *const names[] = {"Go", "Java", "Javascript", "Swift"};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == n && memcmp(names[i], s, n) == 0)
            return true;
    return false;
}

/* -lang: a list, of which C is the only member this tool can do. */
static int check_lang(const struct v23_invocation *inv, const char *list)
{
    size_t n;

    for (;; list += n + 1) {
        n = strcspn(list, ",");
        if (is_other_language(list, n))
            return v23_usage_error(inv,
                "%s: this tool generates C only; for "
                "%.*s use the vdl of the Go implementation",
                v23_invocation_path(inv), (int)n, list);
        if (n != 1 || *list != 'C')
            return v23_usage_error(inv,
                "%s: unknown language \"%.*s\" (this "
                "tool generates C)",
                v23_invocation_path(inv), (int)n, list);
        if (list[n] == '\0')
            return 0;
    }
}

static int check_mode(const struct v23_invocation *inv, struct options *o)
{
    if (strcmp(o->mode, "heap") == 0)
        return v23_usage_error(inv, "%s: %s", v23_invocation_path(inv),
            cconfig_no_heap);
    if (strcmp(o->mode, "arena") == 0)
        o->c.mode = 0;
    else if (strcmp(o->mode, "inline") == 0)
        o->c.mode = 1;
    else if (*o->mode != '\0')
        return v23_usage_error(inv, "%s: unknown mode \"%s\" (arena, inline)",
            v23_invocation_path(inv), o->mode);
    return 0;
}

static int check_flags(const struct v23_invocation *inv, struct options *o)
{
    int rc = check_lang(inv, o->lang);
    const char *bad;

    if (rc == 0)
        rc = check_mode(inv, o);
    if (rc != 0)
        return rc;
    bad = cconfig_parts(o->parts, &o->c.parts);
    if (bad != NULL)
        return v23_usage_error(inv, "%s: unknown part \"%.*s\" (types, "
            "client, server, doc)", v23_invocation_path(inv),
            (int)strcspn(bad, ","), bad);
    return 0;
}

static int run_generate(
    void *ud, const struct v23_invocation *inv, int argc, char **argv)
{
    struct options *o = ud;
    int rc = check_flags(inv, o);

    return rc != 0 ? rc : run(o, GENERATE, argc, argv);
}

static int run_audit(
    void *ud, const struct v23_invocation *inv, int argc, char **argv)
{
    struct options *o = ud;
    int rc = check_flags(inv, o);

    return rc != 0 ? rc : run(o, AUDIT, argc, argv);
}

static int run_compile(
    void *ud, const struct v23_invocation *inv, int argc, char **argv)
{
    (void)inv;
    return run(ud, COMPILE, argc, argv);
}

static int run_list(
    void *ud, const struct v23_invocation *inv, int argc, char **argv)
{
    (void)inv;
    return run(ud, LIST, argc, argv);
}

/* ---- the command line ---------------------------------------------------- */

static struct options given = {.max_errors = -1,
    .config_name = "vdl.config",
    .status = true,
    .warnings = true,
    .lang = "C",
    .out_dir = "",
    .deps = true,
    .parts = "",
    .mode = "",
    .c = {"vdl.c.config", 0, -1}};

static const struct v23_flag global[] = {
    {"ignore_unknown", "Skip unknown packages of the command line.",
        "false", V23_FLAG_BOOL, &given.ignore_unknown, NULL},
    {"max-errors", "Stop after this many errors; -1 for no limit.", "-1",
        V23_FLAG_INT, &given.max_errors, NULL},
    {"v", "Trace what is done.", "false", V23_FLAG_BOOL, &given.verbose, NULL},
    {"vdl.config", "Name of the optional config file of a package.",
        "vdl.config", V23_FLAG_STRING, &given.config_name, NULL},
};

/* The first two belong to compile as well. */
static const struct v23_flag generating[] = {
    {"show-warnings", "Show warnings.", "true", V23_FLAG_BOOL, &given.warnings,
        NULL},
    {"status", "Print the packages that were compiled or changed.", "true",
        V23_FLAG_BOOL, &given.status, NULL},
    {"c-config",
        "Name of the optional file with a package's options for C; see "
        "\"vdl help vdl.c.config\".",
        "vdl.c.config", V23_FLAG_STRING, &given.c.file, NULL},
    {"c-mode", help_mode, "", V23_FLAG_STRING, &given.mode, NULL},
    {"c-out-dir", help_out_dir, "", V23_FLAG_STRING, &given.out_dir, NULL},
    {"c-parts", help_parts, "", V23_FLAG_STRING, &given.parts, NULL},
    {"deps", "Generate imported packages too.", "true", V23_FLAG_BOOL,
        &given.deps, NULL},
    {"lang", "Languages to generate, separated by commas: C.", "C",
        V23_FLAG_STRING, &given.lang, NULL},
    {"shipped",
        "Generate the named packages even if the libraries ship "
        "them.",
        "false", V23_FLAG_BOOL, &given.shipped, NULL},
};

static const struct v23_command generate_cmd = {.name = "generate",
    .brief = "Compile packages and dependencies, and generate code",
    .about = help_generate,
    .args = "<packages>",
    .args_help = help_packages,
    .flags = generating,
    .nflags = sizeof(generating) / sizeof(generating[0]),
    .run = run_generate};

static const struct v23_command compile_cmd = {.name = "compile",
    .brief = "Compile packages and dependencies, but don't generate code",
    .about = help_compile,
    .args = "<packages>",
    .args_help = help_packages,
    .flags = generating,
    .nflags = 2,
    .run = run_compile};

static const struct v23_command audit_cmd = {.name = "audit",
    .brief = "Check if any packages are stale and need generation",
    .about = help_audit,
    .args = "<packages>",
    .args_help = help_packages,
    .flags = generating,
    .nflags = sizeof(generating) / sizeof(generating[0]),
    .run = run_audit};

static const struct v23_command list_cmd = {.name = "list",
    .brief = "List packages and dependencies in build order",
    .about = help_list,
    .args = "<packages>",
    .args_help = help_packages,
    .run = run_list};

static const struct v23_command *const children[] = {
    &generate_cmd, &compile_cmd, &audit_cmd, &list_cmd};

static const struct v23_command root = {.name = "vdl",
    .brief = "Manage Vanadium Definition Language source code",
    .about = help_vdl,
    .flags = global,
    .nflags = sizeof(global) / sizeof(global[0]),
    .children = children,
    .nchildren = sizeof(children) / sizeof(children[0]),
    .topics = help_topics,
    .ntopics = sizeof(help_topics) / sizeof(help_topics[0])};

int main(int argc, char **argv)
{
    return v23_cmdline_main(&root, NULL, 0, NULL, &given, argc, argv);
}
