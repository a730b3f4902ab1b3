/* BSD-3-Clause; see LICENSE. */
/*
 * Runs the cases of .tsv files through the compiler's front end, without a
 * process or a file per case:
 *
 *   vdl [-print] FILE…
 *
 * and then what is in messages.c and large.c.
 *
 * A line is EXPECTED <tab> SOURCE [<tab> SOURCE]…; "⏎" stands for a newline,
 * "␍" for a carriage return and "␀" for a zero byte in a source. Source number
 * 1 is the file p.kg/a/a.vdl, number 2 p.kg/b/b.vdl and so on, with the
 * package clause put in front; "@" in front of a source means that it has its
 * own, "[PATH]" that it also names its file.
 *
 *   ok              compiles
 *   = TEXT          and this is the constant Res of the last package
 *   docs TEXT       and these are the last package's docs (dump_docs)
 *   tree TEXT       the last source parses to this (dump_file)
 *   ! ERROR[ ¦ ERROR]…
 *                   fails with these errors, no more and no less, each
 *                   LINE:COL TEXT for the last source's file, PATH:LINE:COL
 *                   TEXT for another one and "- TEXT" without a place; TEXT is
 *                   a part of the message
 *
 * -print writes the file with what is the case in place of EXPECTED.
 */
#include <stdio.h>
#include <stdlib.h>

#include "constant.h"
#include "vdl.h"

#define SOURCES_MAX 8

struct test_case {
    struct std_package sources[SOURCES_MAX];
    size_t n;
    struct v23_arena arena;
};

static void *must(void *p)
{
    if (p == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return p;
}

/* ---- sources ------------------------------------------------------------- */

/* Replace the signs that stand for control characters. */
static void unescape(struct v23_buf *b, const char *s)
{
    static const struct {
        const char *sign;
        char byte;
    } signs[] = {{"⏎", '\n'}, {"␍", '\r'}, {"␀", '\0'}};
    size_t i, n;

    while (*s != '\0') {
        for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
            n = strlen(signs[i].sign);
            if (strncmp(s, signs[i].sign, n) == 0)
                break;
        }
        if (i < sizeof(signs) / sizeof(signs[0])) {
            v23_buf_put_byte(b, (uint8_t)signs[i].byte);
            s += n;
        } else {
            v23_buf_put_byte(b, (uint8_t)*s++);
        }
    }
}

static char *copy(struct test_case *t, const char *p, size_t n)
{
    return must(v23_arena_dup(&t->arena, p, n));
}

static void add_source(struct test_case *t, const char *s)
{
    struct std_package *out = &t->sources[t->n];
    char letter = (char)('a' + t->n);
    struct v23_buf b;
    const char *end, *slash;

    v23_buf_init(&b, NULL, SIZE_MAX);
    memset(out, 0, sizeof(*out));
    if (*s == '[') {
        end = strchr(s, ']');
        for (slash = end; *slash != '/'; slash--)
            ;
        out->path = copy(t, s + 1, (size_t)(slash - s - 1));
        out->file = copy(t, slash + 1, (size_t)(end - slash - 1));
        s = end + 1;
    } else {
        v23_buf_printf(&b, "p.kg/%c", letter);
        out->path = copy(t, (char *)b.p, b.n);
        v23_buf_cut(&b, 0);
        v23_buf_printf(&b, "%c.vdl", letter);
        out->file = copy(t, (char *)b.p, b.n);
        v23_buf_cut(&b, 0);
        if (*s == '@')
            s++;
        else
            v23_buf_printf(&b, "package %c\n", letter);
    }
    unescape(&b, s);
    out->text = copy(t, (char *)b.p, b.n);
    out->len = b.n;
    v23_buf_fini(&b);
    t->n++;
}

/* ---- compiling ----------------------------------------------------------- */

void compile_given(struct ctx *c, const struct std_package *sources, size_t n,
    struct list *packages)
{
    struct resolve_options opt = {.given = sources, .ngiven = n};
    const char *args[SOURCES_MAX];
    size_t i, nargs = 0;

    for (i = 0; i < n; i++) {
        if (i == 0 || strcmp(sources[i].path, args[nargs - 1]) != 0)
            args[nargs++] = sources[i].path;
    }
    resolve(c, &opt, args, nargs, packages);
    if (c->nerrors > 0)
        return;
    for (i = 0; i < packages->n; i++)
        (void)compile_package(c, packages->v[i]);
}

static const struct ir_package *last_package(
    struct ctx *c, const struct test_case *t)
{
    const struct package *p = map_get(&c->packages, t->sources[t->n - 1].path);

    return p == NULL ? NULL : &p->ir;
}

static void put_res(
    struct v23_buf *b, struct ctx *c, const struct ir_package *p)
{
    size_t i;

    for (i = 0; p != NULL && i < p->nconsts; i++) {
        if (strcmp(p->consts[i].name, "Res") == 0) {
            v23_buf_printf(b, "= %s", value_whole_text(c, p->consts[i].value));
            return;
        }
    }
    v23_buf_puts(b, "ok");
}

/* "#N PLACE TEXT" lines of the messages, without the sources below them. */
static void put_errors(
    struct v23_buf *b, struct ctx *c, const struct test_case *t)
{
    const struct std_package *last = &t->sources[t->n - 1];
    char *line, *end, place[64], *s = ctx_str(c, v23_buf_cstr(&c->errors));
    int number = 0;
    size_t n;

    for (line = s; *line != '\0'; line = end) {
        end = line + strcspn(line, "\n");
        if (*end != '\0')
            *end++ = '\0';
        (void)snprintf(place, sizeof(place), "#%d ", number);
        n = strlen(place);
        if (strncmp(line, place, n) != 0)
            continue;
        v23_buf_puts(b, number++ == 0 ? "! " : " ¦ ");
        line += n;
        (void)snprintf(place, sizeof(place), "%s/%s:", last->path, last->file);
        n = strlen(place);
        if (strncmp(line, place, n) == 0)
            v23_buf_printf(b, "%s%s", line[n] == ' ' ? "-" : "", line + n);
        else
            v23_buf_printf(
                b, "%s%s", strstr(line, ".vdl:") == NULL ? "- " : "", line);
    }
}

static void put_tree(
    struct v23_buf *b, struct ctx *c, const struct test_case *t)
{
    const struct std_package *last = &t->sources[t->n - 1];
    struct source src = {
        ctx_printf(c, "%s/%s", last->path, last->file), last->text, last->len};
    bool config = strcmp(last->file, c->config_name) == 0;
    const struct ast_file *f =
        parse(c, &src, config ? PARSE_CONFIG : PARSE_FILE);

    if (f == NULL) {
        put_errors(b, c, t);
        return;
    }
    v23_buf_puts(b, "tree ");
    dump_file(b, c, f);
}

/* What is the case, in the form of EXPECTED. */
static void put_outcome(
    struct v23_buf *b, const struct test_case *t, const char *want)
{
    struct list packages = {0};
    struct ctx c;

    ctx_init(&c);
    if (strncmp(want, "tree ", 5) == 0) {
        put_tree(b, &c, t);
    } else {
        compile_given(&c, t->sources, t->n, &packages);
        if (c.nerrors > 0) {
            put_errors(b, &c, t);
        } else if (strncmp(want, "docs ", 5) == 0) {
            v23_buf_puts(b, "docs ");
            dump_docs(b, last_package(&c, t));
        } else {
            put_res(b, &c, last_package(&c, t));
        }
    }
    ctx_fini(&c);
}

/* ---- comparing ----------------------------------------------------------- */

/* "PLACE TEXT": the same place, and the text is part of what is the case. */
static bool error_matches(
    const char *want, size_t nwant, const char *got, size_t ngot)
{
    const char *space = memchr(want, ' ', nwant);
    size_t k, n;

    if (space == NULL)
        return false;
    k = (size_t)(space + 1 - want);
    if (ngot < k || memcmp(want, got, k) != 0)
        return false;
    n = nwant - k;
    for (got += k, ngot -= k; ngot >= n; got++, ngot--) {
        if (memcmp(got, space + 1, n) == 0)
            return true;
    }
    return false;
}

static size_t error_length(const char *s)
{
    const char *end = strstr(s, " ¦ ");

    return end == NULL ? strlen(s) : (size_t)(end - s);
}

static bool matches(const char *want, const char *got)
{
    static const size_t separator = sizeof(" ¦ ") - 1;
    size_t n, k;

    if (want[0] != '!')
        return strcmp(want, got) == 0 ||
               (strcmp(want, "ok") == 0 && got[0] == '=');
    if (got[0] != '!')
        return false;
    for (want += 2, got += 2;; want += n + separator, got += k + separator) {
        n = error_length(want);
        k = error_length(got);
        if (!error_matches(want, n, got, k))
            return false;
        if (want[n] == '\0' || got[k] == '\0')
            return want[n] == got[k];
    }
}

/* ---- files --------------------------------------------------------------- */

static void run_line(
    struct results *r, const char *where, char *line, bool print)
{
    struct test_case t = {.n = 0};
    struct v23_buf got;
    char *s, *next;

    v23_arena_init(&t.arena, NULL, SIZE_MAX);
    v23_buf_init(&got, NULL, SIZE_MAX);
    next = strchr(line, '\t');
    if (print)
        s = must(v23_arena_dup(&t.arena, next, strlen(next)));
    *next++ = '\0';
    while (next != NULL && t.n < SOURCES_MAX) {
        char *at = next;

        next = strchr(at, '\t');
        if (next != NULL)
            *next++ = '\0';
        add_source(&t, at);
    }
    put_outcome(&got, &t, line);
    if (print) {
        printf("%s%s\n", v23_buf_cstr(&got), s);
    } else if (matches(line, v23_buf_cstr(&got))) {
        r->passed++;
    } else {
        printf("%s\n  want %s\n  got  %s\n", where, line, v23_buf_cstr(&got));
        r->failed++;
    }
    v23_buf_fini(&got);
    v23_arena_fini(&t.arena);
}

static bool run_file(struct results *r, const char *path, bool print)
{
    FILE *f = fopen(path, "rb");
    char *line = NULL, where[512];
    size_t cap = 0;
    ssize_t n;
    int number = 0;

    if (f == NULL) {
        perror(path);
        return false;
    }
    while ((n = getline(&line, &cap, f)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        (void)snprintf(where, sizeof(where), "%s:%d", path, ++number);
        if (line[0] != '#' && strchr(line, '\t') != NULL)
            run_line(r, where, line, print);
        else if (print)
            puts(line);
        else if (line[0] != '#' && line[0] != '\0') {
            printf("%s: no source\n", where);
            r->failed++;
        }
    }
    free(line);
    fclose(f);
    return true;
}

int main(int argc, char **argv)
{
    bool print = argc > 1 && strcmp(argv[1], "-print") == 0, ok = true;
    struct results r = {0, 0};
    int i;

    for (i = 1 + print; i < argc; i++)
        ok = run_file(&r, argv[i], print) && ok;
    if (print)
        return !ok;
    run_messages(&r);
    run_large(&r);
    printf("%d passed, %d failed\n", r.passed, r.failed);
    return !ok || r.failed > 0 || r.passed == 0;
}
