/* BSD-3-Clause; see LICENSE. */
/*
 * Command lines: parsing and dispatch. Texts are in cmdline_help.c. This part
 * of the library is for programs on hosts and writes to stdout and stderr.
 */
#include "cmdline_int.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <v23/time.h>
#include <vom/value.h>

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

const char *v23_errno(char buf[V23_ERRNO])
{
    snprintf(buf, V23_ERRNO, "%s", strerror(errno));
    buf[0] = v23_lower(buf[0]);
    return buf;
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
    v23_cmdline_usage_(inv, stderr);
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

/* ---- values of flags: NULL, or why the text is refused ------------------- */

static const char *parse_bool(const char *s, bool *out)
{
    static const char *const yes[] = { "1", "t", "T", "true", "TRUE",
        "True" };
    static const char *const no[] = { "0", "f", "F", "false", "FALSE",
        "False" };
    size_t i;

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (strcmp(s, yes[i]) == 0 || strcmp(s, no[i]) == 0) {
            *out = strcmp(s, yes[i]) == 0;
            return NULL;
        }
    return "parse error";
}

/* Decimal, 0x…, 0o… or 0…, 0b…. */
static const char *parse_int(const char *s, int64_t *out)
{
    const char *p = s + (*s == '-' || *s == '+');
    bool negative = *s == '-';
    unsigned long long v;
    int base = 10;
    char *end;

    if (p[0] == '0' && p[1] != 0) {
        char c = (char)(p[1] | 32);

        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        p += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
    }
    if (strchr("+- \t", *p) != NULL) /* also an empty text */
        return "parse error";
    errno = 0;
    v = strtoull(p, &end, base);
    if (end == p || *end != 0)
        return "parse error";
    if (errno == ERANGE || v > (unsigned long long)INT64_MAX + negative)
        return "value out of range";
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return NULL;
}

static const char *parse_float(const char *s, double *out)
{
    char *end;
    double v = strtod(s, &end);

    if (end == s || *end != 0 || *s == ' ')
        return "parse error";
    *out = v;
    return NULL;
}

static const char *set_flag(const struct v23_flag *f, const char *value)
{
    const char *why = "invalid value";
    int rc;

    switch (f->kind) {
    case V23_FLAG_BOOL:
        return parse_bool(value == NULL ? "true" : value, f->var);
    case V23_FLAG_STRING:
        *(const char **)f->var = value;
        return NULL;
    case V23_FLAG_INT:
        return parse_int(value, f->var);
    case V23_FLAG_FLOAT:
        return parse_float(value, f->var);
    case V23_FLAG_DURATION:
        return v23_duration_parse(value, f->var, NULL) == 0 ? NULL
                                                            : "parse error";
    default:
        rc = f->set(f->var, value, &why);
        return rc == 0 ? NULL : rc == V23_EARG ? why : v23_strerror(rc);
    }
}

/* ---- flags --------------------------------------------------------------- */

static const struct v23_flag *find_in(const struct v23_flag *v, size_t n,
    const char *name)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (strcmp(v[i].name, name) == 0)
            return &v[i];
    return NULL;
}

/* The flag of this level or an outer one, or NULL. */
static const struct v23_flag *find_flag(const struct v23_invocation *inv,
    const char *name)
{
    const struct v23_invocation *at;
    const struct v23_flag *f = NULL;

    if (inv->command == &v23_cmdline_help_)
        f = find_in(inv->line->help, 2, name);
    for (at = inv; at != NULL && f == NULL; at = at->outer)
        f = find_in(at->command->flags, at->command->nflags, name);
    return f;
}

static const struct v23_flag_source *find_source(
    const struct v23_invocation *inv, const char *name, bool *is_bool)
{
    const struct v23_cmdline_ *line = inv->line;
    size_t i;

    for (i = 0; i < line->nsources; i++)
        if (line->sources[i]->has(line->sources[i]->ud, name, is_bool))
            return line->sources[i];
    return NULL;
}

static int refuse(const struct v23_invocation *inv, const char *name,
    bool is_bool, const char *value, const char *why)
{
    struct v23_buf quoted;
    int rc;

    v23_buf_init(&quoted, NULL, SIZE_MAX);
    vdl_format_quoted(&quoted, value, strlen(value));
    rc = v23_usage_error(inv, "%s: invalid %svalue %s for %s-%s: %s",
        inv->path, is_bool ? "boolean " : "", v23_buf_cstr(&quoted),
        is_bool ? "" : "flag ", name, why);
    v23_buf_fini(&quoted);
    return rc;
}

/* What take_flag returns when help was printed. */
enum { HELPED = -1 };

static int unknown_flag(const struct v23_invocation *inv, const char *name)
{
    if (strcmp(name, "help") == 0 || strcmp(name, "h") == 0) {
        v23_cmdline_usage_(inv, stdout);
        return HELPED;
    }
    return v23_usage_error(inv, "%s: flag provided but not defined: -%s",
        inv->path, name);
}

/* One flag at argv[*at]; moves *at behind it. 0 or an exit code or HELPED. */
static int take_flag(const struct v23_invocation *inv, char **argv, int argc,
    int *at)
{
    const struct v23_flag_source *src = NULL;
    char *word = argv[*at] + 1, *value, *equals;
    const char *why = "invalid value";
    const struct v23_flag *f;
    bool is_bool = false;
    int rc;

    word += *word == '-';
    if (*word == 0 || *word == '-' || *word == '=')
        return v23_usage_error(inv, "%s: bad flag syntax: %s", inv->path,
            argv[*at]);
    ++*at;
    value = equals = strchr(word, '=');
    if (value != NULL)
        *value++ = 0;
    f = find_flag(inv, word);
    if (f == NULL)
        src = find_source(inv, word, &is_bool);
    if (f == NULL && src == NULL)
        f = find_in(inv->line->everywhere, 2, word);
    if (f == NULL && src == NULL)
        return unknown_flag(inv, word);
    if (f != NULL)
        is_bool = f->kind == V23_FLAG_BOOL;
    if (value == NULL && !is_bool) {
        if (*at == argc)
            return v23_usage_error(inv, "%s: flag needs an argument: -%s",
                inv->path, word);
        value = argv[(*at)++];
    }
    if (f != NULL) {
        why = set_flag(f, value);
    } else {
        rc = src->set(src->ud, word, value, &why);
        if (rc == 0)
            why = NULL;
        else if (rc != V23_EARG)
            why = v23_strerror(rc);
    }
    rc = why == NULL
        ? 0
        : refuse(inv, word, is_bool, value == NULL ? "" : value, why);
    if (equals != NULL) /* others read the command line, too: ps, __debug */
        *equals = '=';
    return rc;
}

/* ---- commands ------------------------------------------------------------ */

const struct v23_command *v23_cmdline_child_(const struct v23_command *c,
    const char *name)
{
    size_t i;

    for (i = 0; i < c->nchildren; i++)
        if (strcmp(c->children[i]->name, name) == 0)
            return c->children[i];
    if (c->nchildren != 0 && strcmp(name, v23_cmdline_help_.name) == 0)
        return &v23_cmdline_help_;
    return NULL;
}

void v23_cmdline_enter_(struct v23_invocation *inv,
    const struct v23_invocation *outer, const struct v23_command *c)
{
    size_t n = strlen(outer->path), k = strlen(c->name);

    inv->command = c;
    inv->outer = outer;
    inv->line = outer->line;
    inv->depth = outer->depth + 1;
    memcpy(inv->path, outer->path, n);
    /* A path that is too long for its place is cut: it is only shown. */
    if (k > sizeof(inv->path) - n - 2)
        k = sizeof(inv->path) - n - 2;
    inv->path[n] = ' ';
    memcpy(inv->path + n + 1, c->name, k);
    inv->path[n + 1 + k] = 0;
}

static int print_metadata(const struct v23_invocation *inv)
{
    while (inv->outer != NULL)
        inv = inv->outer;
    printf("<metadata>\n  <md name=\"program\"><![CDATA[%s]]></md>\n"
           "  <md name=\"language\"><![CDATA[C %ld]]></md>\n</metadata>\n",
        inv->command->name, (long)__STDC_VERSION__);
    return 0;
}

/* The arguments of a command that has no sub-command of that name. */
static int check_args(const struct v23_invocation *inv, int argc, char **argv)
{
    const struct v23_command *c = inv->command;

    if (argc == 0 && c->run == NULL)
        return v23_usage_error(inv, "%s: no command specified", inv->path);
    if (argc == 0)
        return 0;
    if (c->run == NULL || (c->args == NULL && c->nchildren != 0))
        return v23_usage_error(inv, "%s: unknown command \"%s\"", inv->path,
            argv[0]);
    if (c->args == NULL)
        return v23_usage_error(inv, "%s: doesn't take arguments", inv->path);
    if (argc == 2 && strcmp(argv[0], "help") == 0
        && strcmp(argv[1], "...") == 0)
        return v23_usage_error(inv, "%s: unsupported help invocation",
            inv->path);
    return 0;
}

/* What runs before and with a command. */
struct hooks {
    int (*before)(void *ud);
    void *ud;
};

static int run_command(const struct v23_invocation *inv,
    const struct hooks *hooks, int argc, char **argv)
{
    int rc;

    if (inv->line->metadata)
        return print_metadata(inv);
    if (inv->command == &v23_cmdline_help_)
        return v23_cmdline_show_help_(inv->outer, argc, argv);
    rc = check_args(inv, argc, argv);
    if (rc == 0 && hooks->before != NULL)
        rc = hooks->before(hooks->ud);
    if (rc == 0)
        rc = inv->command->run(hooks->ud, inv, argc, argv);
    return rc;
}

/* Recursion follows the program's own tree, not deeper than its depth. */
static int parse(const struct v23_invocation *inv, const struct hooks *hooks,
    int argc, char **argv)
{
    const struct v23_command *child = NULL;
    struct v23_invocation sub;
    int at = 0, rc;

    while (at < argc && argv[at][0] == '-' && argv[at][1] != 0) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        rc = take_flag(inv, argv, argc, &at);
        if (rc != 0)
            return rc == HELPED ? 0 : rc;
    }
    if (at < argc && inv->depth < V23_CMDLINE_DEPTH_)
        child = v23_cmdline_child_(inv->command, argv[at]);
    if (child == NULL)
        return run_command(inv, hooks, argc - at, argv + at);
    v23_cmdline_enter_(&sub, inv, child);
    return parse(&sub, hooks, argc - at - 1, argv + at + 1);
}

/* ---- start --------------------------------------------------------------- */

static int set_style(void *var, const char *value, const char **why)
{
    if (!v23_cmdline_is_style_(value)) {
        *why = "unknown style";
        return V23_EARG;
    }
    *(const char **)var = value;
    return 0;
}

static void set_flag_row(struct v23_flag *f, const char *name,
    enum v23_flag_kind kind, void *var, const char *def, const char *help)
{
    memset(f, 0, sizeof(*f));
    f->name = name;
    f->kind = kind;
    f->var = var;
    f->def = def;
    f->help = help;
}

static void set_up(struct v23_cmdline_ *line)
{
    const char *width = getenv("CMDLINE_WIDTH");

    set_flag_row(&line->everywhere[0], "metadata", V23_FLAG_BOOL,
        &line->metadata, "", "Print metadata of the program and exit.");
    set_flag_row(&line->everywhere[1], "time", V23_FLAG_BOOL, &line->time,
        "false", "Print the processor time taken on standard error.");
    set_flag_row(&line->help[0], "style", V23_FLAG_FUNC, &line->style,
        "compact",
        "Style of help: compact, full (also global flags), godoc or "
        "shortonly. The environment variable CMDLINE_STYLE sets the "
        "default.");
    line->help[0].set = set_style;
    set_flag_row(&line->help[1], "width", V23_FLAG_INT, &line->width,
        width != NULL && *width != 0 ? width : "<terminal width>",
        "Width of help in columns, unlimited if negative. The environment "
        "variable CMDLINE_WIDTH sets the default.");
    v23_cmdline_style_(line);
}

int v23_cmdline_main(const struct v23_command *root,
    const struct v23_flag_source *const *sources, size_t nsources,
    int (*before)(void *ud), void *ud, int argc, char **argv)
{
    const char *prefix = getenv("CMDLINE_PREFIX");
    struct v23_cmdline_ line = { 0 };
    struct v23_invocation inv = { 0 };
    struct hooks hooks = { before, ud };
    int rc;

    line.sources = sources;
    line.nsources = nsources;
    set_up(&line);
    inv.line = &line;
    inv.command = root;
    inv.depth = 1;
    snprintf(inv.path, sizeof(inv.path), "%s%s%s",
        prefix == NULL ? "" : prefix,
        prefix == NULL || *prefix == 0 ? "" : " ", root->name);
    rc = parse(&inv, &hooks, argc > 0 ? argc - 1 : 0, argv + 1);
    if ((fflush(stdout) != 0 || ferror(stdout)) && rc == 0)
        rc = v23_error("cannot write the output");
    if (line.time)
        fprintf(stderr, "%s: %.3fs\n", root->name,
            (double)clock() / CLOCKS_PER_SEC);
    return rc;
}
