/* BSD-3-Clause; see LICENSE. */
/*
 * Help: usage of commands, wrapped to a width. Styles: compact shows global
 * flags by a hint only, full and godoc show all, shortonly prints one line.
 */
#include "cmdline_int.h"

#include <stdlib.h>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/ioctl.h>
#include <unistd.h>
#endif

/* Flags of the command "help" itself. */
#define HELP_FLAGS \
    "\nThe help flags are:\n" \
    " -style=compact\n" \
    "   Style of help: compact, full, godoc or shortonly. The environment\n" \
    "   variable CMDLINE_STYLE sets the default.\n" \
    " -width=<terminal width>\n" \
    "   Width of help in columns, unlimited if negative. The environment\n" \
    "   variable CMDLINE_WIDTH sets the default.\n"

enum { DEFAULT_WIDTH = 80, NAME_WIDTH = 11 };

/* ---- output -------------------------------------------------------------- */

/* Words are put one by one; a line is broken where the next does not fit. */
struct writer {
    FILE *to;
    int64_t width; /* < 0: unlimited */
    int indent;    /* of lines after the first */
    int64_t col;
};

static int64_t columns(const char *s, size_t n)
{
    int64_t cols = 0;
    size_t i;

    for (i = 0; i < n; i++)
        cols += ((uint8_t)s[i] & 0xC0) != 0x80;
    return cols;
}

static void end_line(struct writer *w)
{
    if (w->col != 0)
        fputc('\n', w->to);
    w->col = 0;
}

static void put_word(struct writer *w, const char *s, size_t n)
{
    int64_t cols = columns(s, n);

    if (w->col != 0 && w->width >= 0 && w->col + 1 + cols > w->width)
        end_line(w);
    if (w->col == 0) {
        fprintf(w->to, "%*s", w->indent, "");
        w->col = w->indent;
    } else if (w->col > w->indent) {
        fputc(' ', w->to);
        w->col++;
    }
    fwrite(s, 1, n, w->to);
    w->col += cols;
}

/* One line of a text: its words join the paragraph, indented ones stay. */
static void put_text_line(struct writer *w, const char *s, size_t n)
{
    size_t word;

    if (n == 0) {
        end_line(w);
        fputc('\n', w->to);
        return;
    }
    if (*s == ' ' || *s == '\t') {
        end_line(w);
        fprintf(w->to, "%*s%.*s\n", w->indent, "", (int)n, s);
        return;
    }
    while (n != 0) {
        for (word = 0; word < n && s[word] != ' ';)
            word++;
        if (word != 0)
            put_word(w, s, word);
        word += word < n;
        s += word;
        n -= word;
    }
}

/* Paragraphs, ending in a newline. */
static void put_text(struct writer *w, const char *text)
{
    size_t n;

    for (; text != NULL && *text != 0; text += n) {
        n = strcspn(text, "\n");
        put_text_line(w, text, n);
        n += text[n] == '\n';
    }
    end_line(w);
}

static void put_row(struct writer *w, size_t name_width, const char *name,
    const char *brief)
{
    fprintf(w->to, "   %-*s ", (int)name_width, name);
    w->indent = (int)name_width + 4;
    w->col = w->indent;
    put_text(w, brief == NULL ? "" : brief);
    w->indent = 0;
}

/* ---- usage --------------------------------------------------------------- */

struct usage {
    struct v23_cli *cli;
    struct writer w;
    const char *path; /* "tool command" */
    bool first;       /* not part of "help ..." */
};

static bool is_style(const struct v23_cli *cli, const char *style)
{
    return strcmp(cli->style, style) == 0;
}

static size_t name_width(const struct v23_cmd *cmd)
{
    size_t n = NAME_WIDTH, i;

    for (i = 0; cmd->commands[i] != NULL; i++)
        if (strlen(cmd->commands[i]->name) > n)
            n = strlen(cmd->commands[i]->name);
    return n;
}

static void put_commands(struct usage *u, const struct v23_cmd *cmd)
{
    size_t n, i;

    if (!v23_cli_has_help_(cmd))
        return;
    n = name_width(cmd);
    fprintf(u->w.to, "\nThe %s commands are:\n", u->path);
    for (i = 0; cmd->commands[i] != NULL; i++)
        put_row(&u->w, n, cmd->commands[i]->name, cmd->commands[i]->brief);
    if (u->first)
        put_row(&u->w, n, v23_cli_help_.name, v23_cli_help_.brief);
    if (u->first && !is_style(u->cli, "godoc"))
        fprintf(u->w.to, "Run \"%s help [command]\" for command usage.\n",
            u->path);
}

static void put_topics(struct usage *u, const struct v23_topic *topic)
{
    if (topic == NULL || topic->name == NULL)
        return;
    fprintf(u->w.to, "\nThe %s additional help topics are:\n", u->path);
    for (; topic->name != NULL; topic++)
        put_row(&u->w, NAME_WIDTH, topic->name, topic->brief);
    if (u->first && !is_style(u->cli, "godoc"))
        fprintf(u->w.to, "Run \"%s help [topic]\" for topic details.\n",
            u->path);
}

static bool has_flags(const struct v23_flag *f)
{
    return f != NULL && f->name != NULL;
}

static void put_flags(struct usage *u, const struct v23_flag *f)
{
    struct v23_buf value;

    for (; has_flags(f); f++) {
        v23_buf_init(&value, NULL, SIZE_MAX);
        v23_flag_text_(f, &value);
        fprintf(u->w.to, " -%s=%s\n", f->name, v23_buf_cstr(&value));
        v23_buf_fini(&value);
        u->w.indent = 3;
        put_text(&u->w, f->help);
        u->w.indent = 0;
    }
}

/* Where all flags are shown. */
static void put_hint(struct usage *u)
{
    const struct v23_cli *cli = u->cli;
    struct v23_buf parent;

    if (v23_cli_has_help_(cli->path[cli->depth - 1])) {
        fprintf(u->w.to, "\nRun \"%s help -style=full\" to show all flags.\n",
            u->path);
    } else if (cli->depth > 1) {
        v23_buf_init(&parent, NULL, SIZE_MAX);
        v23_cli_path_(cli, cli->depth - 1, &parent);
        fprintf(u->w.to,
            "\nRun \"%s help -style=full %s\" to show all flags.\n",
            v23_buf_cstr(&parent), cli->path[cli->depth - 1]->name);
        v23_buf_fini(&parent);
    } else {
        fprintf(u->w.to,
            "\nRun \"CMDLINE_STYLE=full %s -help\" to show all flags.\n",
            u->path);
    }
}

static void put_all_flags(struct usage *u)
{
    const struct v23_cli *cli = u->cli;
    const struct v23_cmd *cmd = cli->path[cli->depth - 1];
    size_t i;

    if (has_flags(cmd->flags)) {
        fprintf(u->w.to, "\nThe %s flags are:\n", u->path);
        put_flags(u, cmd->flags);
    }
    if (!u->first)
        return;
    if (is_style(cli, "compact")) {
        put_hint(u);
        return;
    }
    for (i = 0; i + 1 < cli->depth; i++)
        if (has_flags(cli->path[i]->flags)) {
            fprintf(u->w.to, "\nThe %s flags are:\n", cli->path[i]->name);
            put_flags(u, cli->path[i]->flags);
        }
    fputs("\nThe global flags are:\n", u->w.to);
    put_flags(u, cli->global);
    fputs(" -metadata=\n   Print metadata of the program and exit.\n"
          " -time=false\n   Print the time taken on standard error.\n",
        u->w.to);
}

static void put_break(struct usage *u, const char *brief)
{
    int64_t i, n = u->w.width < 0 ? DEFAULT_WIDTH : u->w.width;

    for (i = 0; i < n && !is_style(u->cli, "godoc"); i++)
        fputc('=', u->w.to);
    fprintf(u->w.to, "\n%c%s - %s\n\n",
        u->path[0] >= 'a' && u->path[0] <= 'z' ? u->path[0] - 32
                                               : u->path[0],
        u->path + 1, brief == NULL ? "" : brief);
}

static void usage(struct v23_cli *cli, FILE *to, bool first)
{
    const struct v23_cmd *cmd = cli->path[cli->depth - 1];
    struct v23_buf path;
    struct usage u;

    v23_buf_init(&path, NULL, SIZE_MAX);
    v23_cli_path_(cli, cli->depth, &path);
    memset(&u, 0, sizeof(u));
    u.cli = cli;
    u.w.to = to;
    u.w.width = cli->width;
    u.path = v23_buf_cstr(&path);
    u.first = first;
    if (is_style(cli, "shortonly")) {
        fprintf(to, "%s\n", cmd->brief == NULL ? "" : cmd->brief);
        goto out;
    }
    if (!first)
        put_break(&u, cmd->brief);
    put_text(&u.w, cmd->text != NULL ? cmd->text : cmd->brief);
    fputs("\nUsage:\n", to);
    if (cmd->run != NULL)
        fprintf(to, "   %s [flags]%s%s\n", u.path,
            cmd->args == NULL ? "" : " ", cmd->args == NULL ? "" : cmd->args);
    if (v23_cli_has_help_(cmd))
        fprintf(to, "   %s [flags] <command>\n", u.path);
    put_commands(&u, cmd);
    if (cmd->args_text != NULL) {
        fputc('\n', to);
        put_text(&u.w, cmd->args_text);
    }
    put_topics(&u, cmd->topics);
    put_all_flags(&u);
    if (cmd == &v23_cli_help_)
        fputs(HELP_FLAGS, to);
out:
    v23_buf_fini(&path);
}

void v23_cli_print_usage_(struct v23_cli *cli, FILE *to)
{
    usage(cli, to, true);
}

/* Usage of the command and of all below it. The tree is the program's own and
 * V23_CLI_DEPTH deep at most. */
static void usage_all(struct v23_cli *cli, bool first)
{
    const struct v23_cmd *cmd = cli->path[cli->depth - 1];
    const struct v23_topic *t = cmd->topics;
    size_t i;

    usage(cli, cli->out, first);
    if (v23_cli_has_help_(cmd) && cli->depth < V23_CLI_DEPTH) {
        for (i = 0; cmd->commands[i] != NULL; i++) {
            cli->path[cli->depth++] = cmd->commands[i];
            usage_all(cli, false);
            cli->depth--;
        }
        if (first) {
            cli->path[cli->depth++] = &v23_cli_help_;
            usage_all(cli, false);
            cli->depth--;
        }
    }
    for (; t != NULL && t->name != NULL; t++)
        fprintf(cli->out, "\n%s - %s\n\n%s\n", t->name, t->brief, t->text);
}

/* ---- the command "help" -------------------------------------------------- */

static const struct v23_topic *find_topic(const struct v23_topic *t,
    const char *name)
{
    for (; t != NULL && t->name != NULL; t++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

static const struct v23_cmd *find_sub(const struct v23_cmd *cmd,
    const char *name)
{
    size_t i;

    for (i = 0; cmd->commands != NULL && cmd->commands[i] != NULL; i++)
        if (strcmp(cmd->commands[i]->name, name) == 0)
            return cmd->commands[i];
    return strcmp(name, v23_cli_help_.name) == 0 && v23_cli_has_help_(cmd)
        ? &v23_cli_help_
        : NULL;
}

int v23_cli_help_run_(struct v23_cli *cli, int argc, char **argv)
{
    const struct v23_topic *topic;
    const struct v23_cmd *sub;
    struct v23_buf path;
    int i, rc;

    for (cli->depth--, i = 0; i < argc; i++) {
        if (strcmp(argv[i], "...") == 0) {
            usage_all(cli, true);
            return 0;
        }
        sub = find_sub(cli->path[cli->depth - 1], argv[i]);
        topic = find_topic(cli->path[cli->depth - 1]->topics, argv[i]);
        if (sub != NULL && cli->depth < V23_CLI_DEPTH) {
            cli->path[cli->depth++] = sub;
        } else if (topic != NULL) {
            fprintf(cli->out, "%s\n", topic->text);
            return 0;
        } else {
            v23_buf_init(&path, NULL, SIZE_MAX);
            v23_cli_path_(cli, cli->depth, &path);
            rc = v23_cli_usage(cli, "%s: unknown command or topic \"%s\"",
                v23_buf_cstr(&path), argv[i]);
            v23_buf_fini(&path);
            return rc;
        }
    }
    usage(cli, cli->out, true);
    return 0;
}

const struct v23_cmd v23_cli_help_ = {
    "help", "Display help for commands or topics",
    "Without arguments, help prints the usage of the command before it; with "
    "arguments, that of a sub-command or a help topic. \"help ...\" prints "
    "the usage of all commands.",
    "[command/topic ...]",
    "[command/topic ...] names a sub-command or a help topic.",
    NULL, NULL, NULL, v23_cli_help_run_
};

/* ---- style and width ----------------------------------------------------- */

static int64_t terminal_width(FILE *f)
{
#ifdef TIOCGWINSZ
    struct winsize size;
    int fd = fileno(f);

    if (fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0)
        return size.ws_col;
#else
    (void)f;
#endif
    return DEFAULT_WIDTH;
}

bool v23_cli_is_style_(const char *text)
{
    return strcmp(text, "compact") == 0 || strcmp(text, "full") == 0
        || strcmp(text, "godoc") == 0 || strcmp(text, "shortonly") == 0;
}

void v23_cli_style_(struct v23_cli *cli)
{
    const char *style = getenv("CMDLINE_STYLE");
    const char *width = getenv("CMDLINE_WIDTH");
    char *end;

    cli->style = style != NULL && v23_cli_is_style_(style) ? style : "compact";
    cli->width = terminal_width(cli->out);
    if (width != NULL && *width != 0) {
        long long v = strtoll(width, &end, 10);

        if (*end == 0)
            cli->width = v;
    }
}
