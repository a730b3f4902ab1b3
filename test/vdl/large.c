/* BSD-3-Clause; see LICENSE. */
/*
 * Large sources of many shapes: the memory that the compiler takes must stay
 * in proportion to their length. Each shape once took more, or would with an
 * obvious way to write the part of the compiler that reads it; what takes
 * quadratic memory or time does not end.
 */
#include <stdio.h>

#include "vdl.h"

/* HEAD, then COUNT times ITEM with SEP between, then TAIL. In an item "#" is
   its number, "@" the next one; in the tail "#" is COUNT. */
struct shape {
    const char *want; /* "" = compiles, or part of the first error */
    const char *head, *item, *sep, *tail;
    unsigned count;
};

static const struct shape shapes[] = {
    /* lexer and parser */
    {"undefined", "const A = ", "a", ".", "", 20000},
    {"", "", "//\n", "", "type A bool", 20000},
    {"", "", "/**/", "", "type A bool", 20000},
    {"unexpected token", "const A = ", "\001", "", "", 20000},
    {"nested too deeply", "const A = ", "(", "", "", 20000},
    {"nested too deeply", "const A = ", "!", "", "true", 20000},
    {"nested too deeply", "const A = true", "+1", "", "", 20000},
    {"nested too deeply", "type A ", "[]", "", "bool", 20000},
    {"nested too deeply", "type A struct{X ", "map[bool]", "", "A}", 20000},
    {"nested too deeply", "type T []T; const A = T", "{", "", "", 20000},
    {"acronyms", "type A", "BC", "", " bool", 20000},
    {"", "const A = \"", "a", "", "\"", 20000},
    {"", "const A = int64(", "0", "", ")", 20000},
    {"constant too large", "const A = int64(", "1", "", ")", 20000},
    {"constant too large", "const A = float64(0.", "0", "", "1)", 20000},
    {"variable names", "type A struct{", "[]X, ", "", "[]X bool}", 5000},
    /* names */
    {"unused", "import (", "a# \"time\"", ";", ")", 5000},
    {"can't resolve", "import (", "\"t#\"", ";", ")", 5000},
    {"reused", "import \"time\"\n", "import \"time\"", "\n", "\n", 5000},
    {"conflict", "", "type A bool", "\n", "\n", 5000},
    /* types */
    {"type foo undefined", "type A struct{", "X# foo", ";", "}", 5000},
    {"type foo undefined", "", "type A# foo", "\n", "", 5000},
    {"", "type A struct{", "X#, ", "", "X bool}", 10000},
    {"", "type A enum{", "X#", ";", "}", 10000},
    {"too many members", "type A enum{", "X#", ";", "}", 70000},
    {"", "", "type A# struct{X []A#}", "\n", "", 5000},
    {"nested too deeply or too large", "", "type A# []A@", "\n",
        "\ntype A# []A0", 5000},
    {"", "", "type A# []A@", "\n", "\ntype A# []A0", 900},
    {"", "", "type A# A@", "\n", "\ntype A# bool", 10000},
    {"", "", "type A# A@; type B# []?A#", "\n", "\ntype A# struct{}", 5000},
    {"named type cycle", "", "type A# A@", "\n", "\ntype A# A0", 10000},
    {"strict cycle", "", "type A# struct{X A@}", "\n", "\ntype A# struct{X A0}",
        5000},
    {"invalid key", "", "type A# union{X A@}; type B# set[A#]", "\n",
        "\ntype A# []bool", 3000},
    {"", "", "type A# union{X A@}; type B# set[A#]", "\n", "\ntype A# bool",
        900},
    /* errors and interfaces */
    {"", "error E(", "a# bool", ",", ")", 10000},
    {"", "error E(a bool) {\"en\":\"", "{{{", "", "\"}", 10000},
    {"", "error E(a bool) {\"en\":\"", "{a}", "", "\"}", 10000},
    {"", "type I interface{", "M#() error", ";", "}", 5000},
    {"", "type I interface{M(", "a# bool", ",", ") error}", 10000},
    {"", "type I interface{M() error {", "\"t\"", ",", "}}", 10000},
    {"too much embedded", "",
        "type A# interface{A@; B@}; type B# interface{A@; B@}", "\n",
        "\ntype A# interface{}; type B# interface{}", 60},
    {"too much embedded", "", "type A# interface{A@; M#() error}", "\n",
        "\ntype A# interface{}", 10000},
    {"duplicate embedding", "type J interface{}; type I interface{", "J", ";",
        "}", 5000},
    /* constants */
    {"", "const A = set[int64]{", "#", ",", "}", 10000},
    {"", "const A = map[string]bool{", "\"#\": true", ",", "}", 10000},
    {"", "const A = []int64{", "#", ",", "}", 10000},
    {"", "const A = int64(1", "+1", "", ")", 1900},
    {"", "", "const A# = int64((1<<2000)%7)", "\n", "", 3000},
    {"", "", "const A# = float64(1.1e-300*3.3e-300/7.7e-310)", "\n", "", 500},
    {"constant too large", "const A0 = \"ab\"\n", "const A@ = A#+A#", "\n", "",
        500},
    {"", "", "const A# = A@", "\n", "\nconst A# = true", 5000},
    {"cyclic consts", "", "const A# = A@", "\n", "\nconst A# = A0", 5000},
    {"", "type A struct{X bool}; const B = []A{", "{X:true}", ",", "}", 5000},
    {"too few fields", "type A struct{X, Y bool}\n", "const B# = A{true}", "\n",
        "", 5000},
    {"out of range", "", "const A# = []int64{3000000: 1}", "\n", "", 500},
};

static void put_item(struct v23_buf *b, const char *s, unsigned i)
{
    for (; *s != '\0'; s++) {
        if (*s == '#' || *s == '@')
            v23_buf_printf(b, "%u", *s == '#' ? i : i + 1);
        else
            v23_buf_put_byte(b, (uint8_t)*s);
    }
}

static void put_source(struct v23_buf *b, const struct shape *s)
{
    unsigned i;

    v23_buf_puts(b, "package a\n");
    v23_buf_puts(b, s->head);
    for (i = 0; i < s->count; i++) {
        v23_buf_puts(b, i > 0 ? s->sep : "");
        put_item(b, s->item, i);
    }
    put_item(b, s->tail, s->count);
    v23_buf_put_byte(b, '\n');
}

/* Bytes of memory for each byte of source, and besides. */
#define PER_BYTE 600
#define BESIDES (24u << 20)

static const char *run(const struct shape *s)
{
    struct std_package source = {"p.kg/a", "a.vdl", NULL, false, 0};
    struct v23_buf text;
    struct list packages = {0};
    const char *why = NULL, *got;
    struct ctx c;

    v23_buf_init(&text, NULL, SIZE_MAX);
    put_source(&text, s);
    source.text = v23_buf_cstr(&text);
    source.len = text.n;
    ctx_init(&c);
    compile_given(&c, &source, 1, &packages);
    got = v23_buf_cstr(&c.errors);
    if ((s->want[0] == '\0') != (c.nerrors == 0) ||
        strstr(got, s->want) == NULL)
        why = "unexpected outcome";
    else if (c.arena.used > BESIDES + PER_BYTE * text.n)
        why = "too much memory";
    if (why != NULL)
        printf("%.60s%.60s…: %s (%zu bytes took %zu)\n%.300s\n", s->head,
            s->item, why, text.n, c.arena.used, got);
    ctx_fini(&c);
    v23_buf_fini(&text);
    return why;
}

void run_large(struct results *r)
{
    size_t i;

    for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (run(&shapes[i]) == NULL)
            r->passed++;
        else
            r->failed++;
    }
}
