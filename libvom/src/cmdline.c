/* BSD-3-Clause; see LICENSE. */
/*
 * Parsing and running of command lines. The command tree and its tables are
 * the program's constants; the flags' variables are the only state.
 */
#include "cmdline_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <v23/time.h>
#include <vom/value.h>

/* A command line being parsed. */
struct parser {
    struct v23_cli *cli;
    bool metadata, time;
    struct v23_flag everywhere[3]; /* flags of every program */
    struct v23_flag help[3];       /* flags of the command "help" */
};

/* ---- reports ------------------------------------------------------------- */

static void report(struct v23_cli *cli, const char *fmt, va_list ap)
    V23_PRINTF(2, 0);
static void report(struct v23_cli *cli, const char *fmt, va_list ap)
{
    fputs("ERROR: ", cli->err);
    vfprintf(cli->err, fmt, ap);
    fputc('\n', cli->err);
}

int v23_cli_error(struct v23_cli *cli, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(cli, fmt, ap);
    va_end(ap);
    return 1;
}

int v23_cli_usage(struct v23_cli *cli, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(cli, fmt, ap);
    va_end(ap);
    fputc('\n', cli->err);
    v23_cli_print_usage_(cli, cli->err);
    return 2;
}

int v23_cli_nargs(struct v23_cli *cli, int got, int least, int most)
{
    if (got >= least && got <= most)
        return 0;
    return v23_cli_usage(cli,
        "%s: incorrect number of arguments, expected %d, got %d",
        cli->path[cli->depth - 1]->name, least, got);
}

void v23_cli_path_(const struct v23_cli *cli, size_t depth,
    struct v23_buf *out)
{
    const char *prefix = getenv("CMDLINE_PREFIX");
    size_t i;

    if (prefix != NULL && *prefix != 0) {
        v23_buf_puts(out, prefix);
        v23_buf_put_byte(out, ' ');
    }
    for (i = 0; i < depth; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ' ');
        v23_buf_puts(out, cli->path[i]->name);
    }
}

/* Usage error "PATH: why". */
static int path_usage(struct v23_cli *cli, struct v23_buf *why)
{
    struct v23_buf path;
    int rc;

    v23_buf_init(&path, NULL, SIZE_MAX);
    v23_cli_path_(cli, cli->depth, &path);
    rc = v23_cli_usage(cli, "%s: %s", v23_buf_cstr(&path), v23_buf_cstr(why));
    v23_buf_fini(&path);
    return rc;
}

/* ---- values of flags ----------------------------------------------------- */

static bool parse_bool(const char *s, bool *out)
{
    static const char *const yes[] = { "1", "t", "T", "true", "TRUE",
        "True" };
    static const char *const no[] = { "0", "f", "F", "false", "FALSE",
        "False" };
    size_t i;

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (strcmp(s, yes[i]) == 0 || strcmp(s, no[i]) == 0) {
            *out = strcmp(s, yes[i]) == 0;
            return true;
        }
    return false;
}

/* Reason why a number was not read, or NULL. */
static const char *parse_int(const char *s, int64_t *out)
{
    const char *digits = s + (*s == '-' || *s == '+');
    char *end;
    long long v;
    int base = 10;

    if (digits[0] == '0' && digits[1] != 0) {
        base = digits[1] == 'x' || digits[1] == 'X' ? 16
            : digits[1] == 'b' || digits[1] == 'B'  ? 2
                                                    : 8;
        if (base == 2 || digits[1] == 'o' || digits[1] == 'O')
            digits += 2;
    }
    if (*digits < '0' || *digits > '9')
        return "parse error";
    errno = 0;
    v = strtoll(digits, &end, base);
    if (*end != 0)
        return "parse error";
    if (*s == '-' && errno == ERANGE && strcmp(digits, "9223372036854775808")
        == 0) {
        *out = INT64_MIN;
        return NULL;
    }
    if (errno == ERANGE)
        return "value out of range";
    *out = *s == '-' ? -(int64_t)v : (int64_t)v;
    return NULL;
}

static const char *parse_float(const char *s, double *out)
{
    char *end;
    double v;

    errno = 0;
    v = strtod(s, &end);
    if (end == s || *end != 0 || *s == ' ')
        return "parse error";
    if (errno == ERANGE && (v > 1 || v < -1))
        return "value out of range";
    *out = v;
    return NULL;
}

static int invalid(const struct v23_flag *f, const char *text,
    const char *reason, struct v23_buf *why)
{
    bool is_bool = f->kind == V23_FLAG_BOOL;

    v23_buf_puts(why, is_bool ? "invalid boolean value " : "invalid value ");
    vdl_format_quoted(why, text, strlen(text));
    v23_buf_printf(why, " for %s-%s: %s", is_bool ? "" : "flag ", f->name,
        reason);
    return V23_ETEXT;
}

static int call_set(const struct v23_flag *f, const char *text,
    struct v23_buf *why)
{
    struct v23_buf reason;
    int rc;

    v23_buf_init(&reason, NULL, SIZE_MAX);
    rc = f->set(f->value, text, &reason);
    if (rc != 0)
        rc = invalid(f, text, v23_buf_cstr(&reason), why);
    v23_buf_fini(&reason);
    return rc;
}

static int set_flag(const struct v23_flag *f, const char *text,
    struct v23_buf *why)
{
    const char *reason = NULL;

    switch (f->kind) {
    case V23_FLAG_BOOL:
        if (!parse_bool(text, f->value))
            reason = "parse error";
        break;
    case V23_FLAG_STRING:
        *(const char **)f->value = text;
        break;
    case V23_FLAG_INT:
        reason = parse_int(text, f->value);
        break;
    case V23_FLAG_FLOAT:
        reason = parse_float(text, f->value);
        break;
    case V23_FLAG_DURATION:
        if (v23_duration_parse(text, f->value, NULL) != 0)
            reason = "parse error";
        break;
    case V23_FLAG_CALL:
        return call_set(f, text, why);
    }
    return reason == NULL ? 0 : invalid(f, text, reason, why);
}

void v23_flag_text_(const struct v23_flag *f, struct v23_buf *out)
{
    const char *s;

    if (f->shown != NULL) {
        v23_buf_puts(out, f->shown);
        return;
    }
    switch (f->kind) {
    case V23_FLAG_BOOL:
        v23_buf_puts(out, *(const bool *)f->value ? "true" : "false");
        break;
    case V23_FLAG_STRING:
        s = *(const char *const *)f->value;
        v23_buf_puts(out, s == NULL ? "" : s);
        break;
    case V23_FLAG_INT:
        v23_buf_printf(out, "%" PRId64, *(const int64_t *)f->value);
        break;
    case V23_FLAG_FLOAT:
        v23_buf_printf(out, "%g", *(const double *)f->value);
        break;
    case V23_FLAG_DURATION:
        v23_duration_put(out, *(const int64_t *)f->value);
        break;
    case V23_FLAG_CALL:
        break;
    }
}

/* ---- flags --------------------------------------------------------------- */

static const struct v23_flag *find_in(const struct v23_flag *table,
    const char *name, size_t n)
{
    for (; table != NULL && table->name != NULL; table++)
        if (strlen(table->name) == n && memcmp(table->name, name, n) == 0)
            return table;
    return NULL;
}

/* The command's own flags first, then those above it, then global ones. */
static const struct v23_flag *find_flag(const struct parser *p,
    const char *name, size_t n)
{
    const struct v23_cli *cli = p->cli;
    const struct v23_flag *f = NULL;
    size_t i;

    if (cli->path[cli->depth - 1] == &v23_cli_help_)
        f = find_in(p->help, name, n);
    for (i = cli->depth; i > 0 && f == NULL; i--)
        f = find_in(cli->path[i - 1]->flags, name, n);
    if (f == NULL)
        f = find_in(cli->global, name, n);
    return f != NULL ? f : find_in(p->everywhere, name, n);
}

enum { NOT_A_FLAG = 1, HELP_ASKED = 2 };

/*
 * Take one flag at the front of the arguments, and its value.
 * Returns 0, NOT_A_FLAG (flags end here), HELP_ASKED or a status with `why`.
 */
static int take_flag(const struct parser *p, int *argc, char ***argv,
    struct v23_buf *why)
{
    const char *name, *value, *arg = *argc == 0 ? "" : **argv;
    const struct v23_flag *f;
    size_t n;

    if (arg[0] != '-' || arg[1] == 0)
        return NOT_A_FLAG;
    ++*argv;
    --*argc;
    if (strcmp(arg, "--") == 0)
        return NOT_A_FLAG;
    name = arg + 1 + (arg[1] == '-');
    n = strcspn(name, "=");
    value = name[n] == '=' ? name + n + 1 : NULL;
    if (n == 0 || name[0] == '-') {
        v23_buf_printf(why, "bad flag syntax: %s", arg);
        return V23_ETEXT;
    }
    f = find_flag(p, name, n);
    if (f == NULL) {
        if ((n == 4 && memcmp(name, "help", 4) == 0)
            || (n == 1 && *name == 'h'))
            return HELP_ASKED;
        v23_buf_printf(why, "flag provided but not defined: -%.*s", (int)n,
            name);
        return V23_ETEXT;
    }
    if (value == NULL && f->kind == V23_FLAG_BOOL)
        value = "true";
    if (value == NULL) {
        if (*argc == 0) {
            v23_buf_printf(why, "flag needs an argument: -%s", f->name);
            return V23_ETEXT;
        }
        value = *(*argv)++;
        --*argc;
    }
    return set_flag(f, value, why);
}

/* ---- commands ------------------------------------------------------------ */

bool v23_cli_has_help_(const struct v23_cmd *cmd)
{
    return cmd->commands != NULL && cmd->commands[0] != NULL;
}

static const struct v23_cmd *find_command(const struct v23_cmd *cmd,
    const char *name)
{
    size_t i;

    if (!v23_cli_has_help_(cmd))
        return NULL;
    for (i = 0; cmd->commands[i] != NULL; i++)
        if (strcmp(cmd->commands[i]->name, name) == 0)
            return cmd->commands[i];
    return strcmp(name, v23_cli_help_.name) == 0 ? &v23_cli_help_ : NULL;
}

static void print_metadata(const struct v23_cli *cli)
{
    fprintf(cli->out,
        "<metadata>\n  <md name=\"program\"><![CDATA[%s]]></md>\n"
        "  <md name=\"language\"><![CDATA[C %ld]]></md>\n</metadata>\n",
        cli->path[0]->name, (long)__STDC_VERSION__);
}

/* Why the command takes no such arguments. */
static int refuse(struct v23_cli *cli, const char *word)
{
    const struct v23_cmd *cmd = cli->path[cli->depth - 1];
    struct v23_buf why;
    int rc;

    v23_buf_init(&why, NULL, SIZE_MAX);
    if (word == NULL) {
        v23_buf_puts(&why, "no command specified");
    } else if (cmd->run == NULL || v23_cli_has_help_(cmd)) {
        v23_buf_puts(&why, "unknown command ");
        vdl_format_quoted(&why, word, strlen(word));
    } else {
        v23_buf_puts(&why, "doesn't take arguments");
    }
    rc = path_usage(cli, &why);
    v23_buf_fini(&why);
    return rc;
}

/* Take the flags of the command at the end of the path. */
static int take_flags(const struct parser *p, int *argc, char ***argv,
    int *code)
{
    struct v23_cli *cli = p->cli;
    struct v23_buf why;
    int rc;

    v23_buf_init(&why, NULL, SIZE_MAX);
    do {
        rc = take_flag(p, argc, argv, &why);
    } while (rc == 0);
    if (rc == HELP_ASKED) {
        v23_cli_print_usage_(cli, cli->out);
        *code = 0;
    } else if (rc != NOT_A_FLAG) {
        *code = path_usage(cli, &why);
    }
    v23_buf_fini(&why);
    return rc == NOT_A_FLAG ? 0 : rc;
}

static int run_command(struct parser *p, int argc, char **argv)
{
    struct v23_cli *cli = p->cli;
    const struct v23_cmd *cmd = cli->path[cli->depth - 1];

    if (p->metadata) {
        print_metadata(cli);
        return 0;
    }
    if (argc == 0 ? cmd->run == NULL : cmd->run == NULL || cmd->args == NULL)
        return refuse(cli, argc == 0 ? NULL : argv[0]);
    return cmd->run(cli, argc, argv);
}

static int parse(struct parser *p, int argc, char **argv)
{
    struct v23_cli *cli = p->cli;
    const struct v23_cmd *sub;
    int code = 0;

    for (;;) {
        if (take_flags(p, &argc, &argv, &code) != 0)
            return code;
        sub = argc == 0 ? NULL
                        : find_command(cli->path[cli->depth - 1], argv[0]);
        if (sub == NULL || cli->depth == V23_CLI_DEPTH)
            return run_command(p, argc, argv);
        cli->path[cli->depth++] = sub;
        argc--;
        argv++;
    }
}

static int set_style(void *ud, const char *text, struct v23_buf *why)
{
    struct v23_cli *cli = ud;

    if (!v23_cli_is_style_(text)) {
        v23_buf_puts(why, "unknown style");
        return V23_ETEXT;
    }
    cli->style = text;
    return 0;
}

static void set_up(struct parser *p, struct v23_cli *cli)
{
    const struct v23_flag everywhere[] = {
        { "metadata", V23_FLAG_BOOL, &p->metadata, NULL, NULL, NULL },
        { "time", V23_FLAG_BOOL, &p->time, NULL, NULL, NULL },
    };
    const struct v23_flag help[] = {
        { "style", V23_FLAG_CALL, cli, NULL, NULL, set_style },
        { "width", V23_FLAG_INT, &cli->width, NULL, NULL, NULL },
    };

    memset(p, 0, sizeof(*p));
    p->cli = cli;
    memcpy(p->everywhere, everywhere, sizeof(everywhere));
    memcpy(p->help, help, sizeof(help));
    v23_cli_style_(cli);
}

int v23_cli_run_on(struct v23_cli *cli, const struct v23_cmd *root,
    const struct v23_flag *global, int argc, char **argv)
{
    clock_t begin = clock();
    struct parser p;
    int code;

    cli->global = global;
    cli->path[0] = root;
    cli->depth = 1;
    set_up(&p, cli);
    code = parse(&p, argc < 1 ? 0 : argc - 1, argv + (argc > 0));
    if (p.time)
        fprintf(cli->err, "%s: %.3fs\n", root->name,
            (double)(clock() - begin) / CLOCKS_PER_SEC);
    return code;
}

int v23_cli_run(const struct v23_cmd *root, const struct v23_flag *global,
    void *ud, int argc, char **argv)
{
    struct v23_cli cli;
    int code;

    memset(&cli, 0, sizeof(cli));
    cli.in = stdin;
    cli.out = stdout;
    cli.err = stderr;
    cli.ud = ud;
    code = v23_cli_run_on(&cli, root, global, argc, argv);
    if (fflush(stdout) != 0 && code == 0)
        code = v23_cli_error(&cli, "standard output: write failed");
    return code;
}
