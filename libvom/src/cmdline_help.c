/* BSD-3-Clause; see LICENSE. */
/*
 * Help texts, wrapped to a width. Styles: compact tells where to find global
 * flags, full and godoc show them, shortonly prints one line.
 */
#include "cmdline_int.h"

#include <stdlib.h>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/ioctl.h>
#include <unistd.h>
#endif

enum { DEFAULT_WIDTH = 80, NAME_WIDTH = 11 };

/* ---- output -------------------------------------------------------------- */

/* Words are put one by one; a line is broken where the next does not fit. */
struct writer {
    FILE *to;
    int64_t width; /* < 0: unlimited */
    int indent;
    int64_t col;   /* 0: at the start of a line */
    bool fresh;    /* no word in this line yet */
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
    w->fresh = true;
}

/* A word after `gap` spaces, which a line neither begins nor ends with. */
static void put_word(struct writer *w, const char *s, size_t n, int gap)
{
    int64_t cols = columns(s, n);

    if (!w->fresh && w->width >= 0 && w->col + gap + cols > w->width)
        end_line(w);
    if (w->col == 0) {
        fprintf(w->to, "%*s", w->indent, "");
        w->col = w->indent;
    } else if (!w->fresh) {
        fprintf(w->to, "%*s", gap, "");
        w->col += gap;
    }
    fwrite(s, 1, n, w->to);
    w->col += cols;
    w->fresh = false;
}

/* One line of a text: its words join the paragraph; an indented one stays. */
static void put_text_line(struct writer *w, const char *s, size_t n)
{
    size_t word;
    int gap = 1;

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
            put_word(w, s, word, gap);
        gap = word != 0 ? 1 : gap + 1;
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

static void put_indented(struct writer *w, int indent, const char *text)
{
    w->indent = indent;
    put_text(w, text);
    w->indent = 0;
}

static void put_row(struct writer *w, size_t width, const char *name,
    const char *brief)
{
    fprintf(w->to, "   %-*s ", (int)width, name);
    w->col = (int64_t)width + 4;
    put_indented(w, (int)width + 4, brief == NULL ? "" : brief);
}

/* ---- usage --------------------------------------------------------------- */

static bool is_style(const struct v23_invocation *inv, const char *style)
{
    return strcmp(inv->line->style, style) == 0;
}

static void put_synopsis(const struct v23_invocation *inv, FILE *to)
{
    const struct v23_command *c = inv->command;

    fputs("\nUsage:\n", to);
    if (c->run != NULL || c == &v23_cmdline_help_)
        fprintf(to, "   %s [flags]%s%s\n", inv->path,
            c->args == NULL ? "" : " ", c->args == NULL ? "" : c->args);
    if (c->nchildren != 0)
        fprintf(to, "   %s [flags] <command>\n", inv->path);
}

static void put_children(struct writer *w, const struct v23_invocation *inv,
    bool first)
{
    const struct v23_command *c = inv->command;
    size_t i, width = NAME_WIDTH;

    if (c->nchildren == 0)
        return;
    for (i = 0; i < c->nchildren; i++)
        if (strlen(c->children[i]->name) > width)
            width = strlen(c->children[i]->name);
    fprintf(w->to, "\nThe %s commands are:\n", inv->path);
    for (i = 0; i < c->nchildren; i++)
        put_row(w, width, c->children[i]->name, c->children[i]->brief);
    if (!first)
        return;
    put_row(w, width, v23_cmdline_help_.name, v23_cmdline_help_.brief);
    if (!is_style(inv, "godoc"))
        fprintf(w->to, "Run \"%s help [command]\" for command usage.\n",
            inv->path);
}

static void put_topics(struct writer *w, const struct v23_invocation *inv,
    bool first)
{
    const struct v23_command *c = inv->command;
    size_t i;

    if (c->ntopics == 0)
        return;
    fprintf(w->to, "\nThe %s additional help topics are:\n", inv->path);
    for (i = 0; i < c->ntopics; i++)
        put_row(w, NAME_WIDTH, c->topics[i].name, c->topics[i].brief);
    if (first && !is_style(inv, "godoc"))
        fprintf(w->to, "Run \"%s help [topic]\" for topic details.\n",
            inv->path);
}

/* The next one by name; NULL after the last. */
static const struct v23_flag *flag_after(const struct v23_flag *f, size_t n,
    const struct v23_flag *last)
{
    const struct v23_flag *next = NULL;
    size_t i;

    for (i = 0; i < n; i++)
        if ((last == NULL || strcmp(f[i].name, last->name) > 0)
            && (next == NULL || strcmp(f[i].name, next->name) < 0))
            next = &f[i];
    return next;
}

static void put_flags(struct writer *w, const struct v23_flag *f, size_t n)
{
    const struct v23_flag *at = NULL;

    while ((at = flag_after(f, n, at)) != NULL) {
        fprintf(w->to, " -%s=%s\n", at->name, at->def == NULL ? "" : at->def);
        put_indented(w, 3, at->help);
    }
}

static void put_flag_table(struct writer *w, const char *path,
    const struct v23_flag *f, size_t n)
{
    if (n == 0)
        return;
    fprintf(w->to, "\nThe %s flags are:\n", path);
    put_flags(w, f, n);
}

/* Where the global flags are shown. */
static void put_hint(const struct v23_invocation *inv, FILE *to)
{
    if (inv->command->nchildren != 0)
        fprintf(to, "\nRun \"%s help -style=full\" to show all flags.\n",
            inv->path);
    else if (inv->outer != NULL)
        fprintf(to, "\nRun \"%s help -style=full %s\" to show all flags.\n",
            inv->outer->path, inv->command->name);
    else
        fprintf(to, "\nRun \"CMDLINE_STYLE=full %s -help\" to show all "
                    "flags.\n",
            inv->path);
}

static void put_global_flags(struct writer *w,
    const struct v23_invocation *inv)
{
    const struct v23_cmdline_ *line = inv->line;
    struct v23_buf text;
    size_t i;

    fputs("\nThe global flags are:\n", w->to);
    v23_buf_init(&text, NULL, SIZE_MAX);
    for (i = 0; i < line->nsources; i++)
        if (line->sources[i]->help != NULL)
            line->sources[i]->help(line->sources[i]->ud, &text);
    fputs(v23_buf_cstr(&text), w->to);
    v23_buf_fini(&text);
    put_flags(w, line->everywhere, 2);
}

static void put_all_flags(struct writer *w, const struct v23_invocation *inv,
    bool first)
{
    const struct v23_command *c = inv->command;
    const struct v23_invocation *o;

    put_flag_table(w, inv->path, c->flags, c->nflags);
    if (c == &v23_cmdline_help_)
        put_flag_table(w, inv->path, inv->line->help, 2);
    if (!first)
        return;
    if (is_style(inv, "compact")) {
        put_hint(inv, w->to);
        return;
    }
    for (o = inv->outer; o != NULL; o = o->outer)
        put_flag_table(w, o->path, o->command->flags, o->command->nflags);
    put_global_flags(w, inv);
}

/* A line across and a title, before all usages but the first. */
static void put_title(struct writer *w, const struct v23_invocation *inv,
    const char *name, const char *brief)
{
    int64_t i, n = w->width < 0 ? DEFAULT_WIDTH : w->width;
    char first = inv->path[0];

    for (i = 0; i < n && !is_style(inv, "godoc"); i++)
        fputc('=', w->to);
    if (first >= 'a' && first <= 'z')
        first = (char)(first - 32);
    fprintf(w->to, "\n%c%s%s%s - %s\n\n", first, inv->path + 1,
        *name == 0 ? "" : " ", name, brief == NULL ? "" : brief);
}

static void put_usage(const struct v23_invocation *inv, FILE *to, bool first)
{
    const struct v23_command *c = inv->command;
    struct writer w = { to, inv->line->width, 0, 0, true };

    if (is_style(inv, "shortonly")) {
        fprintf(to, "%s\n", c->brief == NULL ? "" : c->brief);
        return;
    }
    if (!first)
        put_title(&w, inv, "", c->brief);
    put_text(&w, c->about == NULL ? c->brief : c->about);
    put_synopsis(inv, to);
    put_children(&w, inv, first);
    if (c->args_help != NULL) {
        fputc('\n', to);
        put_text(&w, c->args_help);
    }
    put_topics(&w, inv, first);
    put_all_flags(&w, inv, first);
}

void v23_cmdline_usage_(const struct v23_invocation *inv, FILE *to)
{
    put_usage(inv, to, true);
}

/* Usage of a command and all below it; the tree is the program's own. */
static void put_usage_all(const struct v23_invocation *inv, bool first)
{
    const struct v23_command *c = inv->command;
    struct writer w = { stdout, inv->line->width, 0, 0, true };
    struct v23_invocation sub;
    size_t i;

    put_usage(inv, stdout, first);
    if (inv->depth < V23_CMDLINE_DEPTH_)
        for (i = 0; i < c->nchildren; i++) {
            v23_cmdline_enter_(&sub, inv, c->children[i]);
            put_usage_all(&sub, false);
        }
    if (first && c->nchildren != 0) {
        v23_cmdline_enter_(&sub, inv, &v23_cmdline_help_);
        put_usage(&sub, stdout, false);
    }
    for (i = 0; i < c->ntopics; i++) {
        put_title(&w, inv, c->topics[i].name, c->topics[i].brief);
        put_text(&w, c->topics[i].text);
    }
}

/* ---- the command help ---------------------------------------------------- */

const struct v23_command v23_cmdline_help_ = {
    "help", "Display help for commands or topics",
    "Without arguments, help prints the usage of the command before it; with "
    "arguments, that of a sub-command or a help topic. \"help ...\" prints "
    "the usage of all commands.",
    "[command/topic ...]",
    "[command/topic ...] names a sub-command or a help topic.",
    NULL, 0, NULL, 0, NULL, NULL, 0
};

static const struct v23_topic *find_topic(const struct v23_command *c,
    const char *name)
{
    size_t i;

    for (i = 0; i < c->ntopics; i++)
        if (strcmp(c->topics[i].name, name) == 0)
            return &c->topics[i];
    return NULL;
}

int v23_cmdline_show_help_(const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct v23_invocation path[V23_CMDLINE_DEPTH_];
    struct writer w = { stdout, inv->line->width, 0, 0, true };
    const struct v23_command *child;
    const struct v23_topic *topic;
    int i;

    for (i = 0; i < argc; i++) {
        if (strcmp(argv[i], "...") == 0) {
            put_usage_all(inv, true);
            return 0;
        }
        child = v23_cmdline_child_(inv->command, argv[i]);
        topic = find_topic(inv->command, argv[i]);
        if (child != NULL && i < V23_CMDLINE_DEPTH_) {
            v23_cmdline_enter_(&path[i], inv, child);
            inv = &path[i];
        } else if (topic != NULL) {
            put_text(&w, topic->text);
            return 0;
        } else {
            return v23_usage_error(inv,
                "%s: unknown command or topic \"%s\"", inv->path, argv[i]);
        }
    }
    put_usage(inv, stdout, true);
    return 0;
}

/* ---- style and width ----------------------------------------------------- */

bool v23_cmdline_is_style_(const char *text)
{
    return strcmp(text, "compact") == 0 || strcmp(text, "full") == 0
        || strcmp(text, "godoc") == 0 || strcmp(text, "shortonly") == 0;
}

static int64_t terminal_width(void)
{
#ifdef TIOCGWINSZ
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0)
        return size.ws_col;
#endif
    return DEFAULT_WIDTH;
}

void v23_cmdline_style_(struct v23_cmdline_ *line)
{
    const char *style = getenv("CMDLINE_STYLE");
    const char *width = getenv("CMDLINE_WIDTH");
    char *end;

    line->style = "compact";
    if (style != NULL && v23_cmdline_is_style_(style))
        line->style = style;
    line->width = terminal_width();
    if (width != NULL && *width != 0) {
        long long v = strtoll(width, &end, 10);

        if (*end == 0)
            line->width = v;
    }
}
