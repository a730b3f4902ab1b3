/* BSD-3-Clause; see LICENSE. */
/*
 * Messages as they are printed: the source line and the caret below it.
 */
#include <stdio.h>

#include "vdl.h"

#define TEN "abcdefghij"
#define FIFTY TEN TEN TEN TEN TEN
#define HUNDRED FIFTY FIFTY

struct message {
    const char *source; /* behind the package clause's line */
    int max_errors;
    bool colour;
    const char *want;
};

static const struct message messages[] = {
    {"type A foo\n", -1, false,
        "#0 p.kg/a/a.vdl:2:8 type foo undefined\n"
        "    type A foo\n"
        "           ^\n"},
    {"type A foo\n", -1, true,
        "#0 \033[1mp.kg/a/a.vdl:2:8 \033[1;31mtype foo undefined\033[0m\n"
        "    type A foo\n"
        "           \033[1;32m^\033[0m\n"},
    {"\ttype\tA foo\n", -1, false,
        "#0 p.kg/a/a.vdl:2:9 type foo undefined\n"
        "        type    A foo\n"
        "                  ^\n"},
    {"type A /* \xc3\xa4\xe2\x82\xac */ foo // b\r\n", -1, false,
        "#0 p.kg/a/a.vdl:2:17 type foo undefined\n"
        "    type A /* \xc3\xa4\xe2\x82\xac */ foo // b\n"
        "                    ^\n"},
    {"type A /*\x01\x7f*/ foo", -1, false,
        "#0 p.kg/a/a.vdl:2:15 type foo undefined\n"
        "    type A /*\?\?*/ foo\n"
        "                  ^\n"},
    {"const A = \"\xff\"", -1, false,
        "#0 p.kg/a/a.vdl:2:12 invalid UTF-8 encoding\n"
        "    const A = \"?\"\n"
        "               ^\n"},
    {"type A foo // " HUNDRED "\n", -1, false,
        "#0 p.kg/a/a.vdl:2:8 type foo undefined\n"
        "    type A foo // " FIFTY "abcdefgh...\n"
        "           ^\n"},
    {"/*" HUNDRED "*/ type A foo // " HUNDRED "\n", -1, false,
        "#0 p.kg/a/a.vdl:2:113 type foo undefined\n"
        "    ...cdefghij" TEN TEN TEN "*/ type A foo // " TEN "abcdefg...\n"
        "                                                       ^\n"},
    {"type A \033\x01\xff", -1, false,
        "#0 p.kg/a/a.vdl:2:10 invalid UTF-8 encoding\n"
        "    type A \?\?\?\n"
        "             ^\n"},
    {"type A \033[1m", -1, false,
        "#0 p.kg/a/a.vdl:2:8 unexpected token [\?]\n"
        "    type A \?[1m\n"
        "           ^\n"},
    {"type A", -1, false,
        "#0 p.kg/a/a.vdl:2:7 syntax error: unexpected end of file, expected a "
        "type or \"interface\"\n"
        "    type A\n"
        "          ^\n"},
    {"type A foo\ntype B bar\ntype C baz\n", 2, false,
        "#0 p.kg/a/a.vdl:2:8 type foo undefined\n"
        "    type A foo\n"
        "           ^\n"
        "#1 p.kg/a/a.vdl:3:8 type bar undefined\n"
        "    type B bar\n"
        "           ^\n"
        "...stopping after 2 error(s)...\n"},
};

static bool run(const struct message *m)
{
    struct std_package source = {"p.kg/a", "a.vdl", NULL, false, 0};
    struct list packages = {0};
    struct v23_buf text;
    struct ctx c;
    bool ok;

    v23_buf_init(&text, NULL, SIZE_MAX);
    v23_buf_printf(&text, "package a\n%s", m->source);
    source.text = v23_buf_cstr(&text);
    ctx_init(&c);
    c.max_errors = m->max_errors;
    c.colour = m->colour;
    compile_given(&c, &source, 1, &packages);
    ok = strcmp(v23_buf_cstr(&c.errors), m->want) == 0;
    if (!ok)
        printf("want\n%sgot\n%s", m->want, v23_buf_cstr(&c.errors));
    ctx_fini(&c);
    v23_buf_fini(&text);
    return ok;
}

void run_messages(struct results *r)
{
    size_t i;

    for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        if (run(&messages[i]))
            r->passed++;
        else
            r->failed++;
    }
}
