/* BSD-3-Clause; see LICENSE. */
/* Help texts, wrapped to the width of the terminal. */
#include <stdlib.h>
#include <sys/types.h>

#include "cmdline_int.h"

#define WIDTH 80

static size_t width(void)
{
    const char *w = getenv("CMDLINE_WIDTH");
    int n = w == NULL ? 0 : atoi(w);

    if (n < 0)
        return (size_t)-1;
    return n < 20 ? WIDTH : (size_t)n;
}

/* Print paragraphs, wrapped and indented; '\n' in the text breaks the line. */
static void put_text(FILE *to, const char *text, size_t indent)
{
    size_t limit = width(), column = 0;
    bool fresh = true;

    while (*text != 0) {
        size_t n = strcspn(text, " \n");

        if (!fresh && column + 1 + n > limit) {
            fputc('\n', to);
            fresh = true;
        }
        if (n != 0) {
            if (fresh) {
                fprintf(to, "%*s", (int)indent, "");
                column = indent;
            } else {
                fputc(' ', to);
                column++;
            }
            fwrite(text, 1, n, to);
            column += n;
            fresh = false;
        }
        text += n;
        if (*text == '\n') {
            fputc('\n', to);
            fresh = true;
        }
        text += *text != 0;
    }
    if (!fresh)
        fputc('\n', to);
}

static void put_flags(FILE *to, const struct v23_command *c)
{
    size_t i;

    for (i = 0; i < c->nflags; i++) {
        fprintf(to, " -%s=%s\n", c->flags[i].name,
            c->flags[i].def == NULL ? "" : c->flags[i].def);
        put_text(to, c->flags[i].help, 3);
    }
}

static void put_synopsis(const struct v23_invocation *inv, FILE *to)
{
    const struct v23_command *c = inv->command;

    fputs("Usage:\n", to);
    if (c->run != NULL)
        fprintf(to, "   %s [flags]%s%s\n", inv->path,
            c->args == NULL ? "" : " ", c->args == NULL ? "" : c->args);
    if (c->nchildren != 0)
        fprintf(to, "   %s [flags] <command>\n", inv->path);
}

static void put_children(const struct v23_invocation *inv, FILE *to)
{
    const struct v23_command *c = inv->command;
    size_t i, most = 4;

    for (i = 0; i < c->nchildren; i++)
        if (strlen(c->children[i]->name) > most)
            most = strlen(c->children[i]->name);
    fprintf(to, "\nThe %s commands are:\n", inv->path);
    for (i = 0; i < c->nchildren; i++)
        fprintf(to, "   %-*s  %s\n", (int)most, c->children[i]->name,
            c->children[i]->brief);
    fprintf(to, "   %-*s  %s\n", (int)most, "help",
        "Display help for commands or topics");
    fprintf(to, "Run \"%s help [command]\" for command usage.\n", inv->path);
}

void v23_cmdline_usage_(const struct v23_invocation *inv, FILE *to, bool full)
{
    const struct v23_command *c = inv->command;
    const struct v23_invocation *o;
    struct v23_buf b;
    size_t i;

    if (full) {
        put_text(to, c->about == NULL ? c->brief : c->about, 0);
        fputc('\n', to);
    }
    put_synopsis(inv, to);
    if (c->nchildren != 0)
        put_children(inv, to);
    if (c->args_help != NULL) {
        fputc('\n', to);
        put_text(to, c->args_help, 0);
    }
    if (c->nflags != 0) {
        fprintf(to, "\nThe %s flags are:\n", inv->path);
        put_flags(to, c);
    }
    for (o = inv->outer; o != NULL; o = o->outer)
        if (o->command->nflags != 0) {
            fprintf(to, "\nThe %s flags are:\n", o->path);
            put_flags(to, o->command);
        }
    if (inv->nsources == 0)
        return;
    if (!full) {
        fprintf(to, "\nRun \"%s -help\" for the global flags.\n", inv->path);
        return;
    }
    fputs("\nThe global flags are:\n", to);
    v23_buf_init(&b, NULL, 1u << 20);
    for (i = 0; i < inv->nsources; i++)
        if (inv->sources[i]->help != NULL)
            inv->sources[i]->help(inv->sources[i]->ud, &b);
    if (b.n != 0)
        fwrite(b.p, 1, b.n, to);
    v23_buf_fini(&b);
}

static void usage_below(const struct v23_invocation *inv, FILE *to, int depth)
{
    size_t i;

    v23_cmdline_usage_(inv, to, true);
    for (i = 0; i < inv->command->nchildren && depth < 8; i++) {
        struct v23_invocation sub = *inv;

        fprintf(to, "\n%.*s\n", 72,
            "=========================================================="
            "==============");
        v23_cmdline_enter_(&sub, NULL, inv->command->children[i]);
        usage_below(&sub, to, depth + 1);
    }
}

void v23_cmdline_usage_all_(const struct v23_invocation *inv, FILE *to)
{
    usage_below(inv, to, 0);
}
