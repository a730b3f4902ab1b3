/* BSD-3-Clause; see LICENSE. */
/*
 * Building parse trees: what the grammar's actions call, and the entry point.
 */
#include "parse.h"

#include <stdarg.h>

#include "bignum.h"
#include "grammar.h"

/* Nesting of an expression that later passes walk by recursion. */
#define EXPR_DEPTH_MAX 2000

void parse_error_at(struct parser *ps, struct pos pos, const char *fmt, ...)
{
    va_list ap;

    if (ps->skipping)
        return;
    va_start(ap, fmt);
    ps->errors++;
    ctx_verror(ps->c, ps->src, pos.line, pos.col, fmt, ap);
    va_end(ap);
}

static bool starts_definition(int t, struct pos pos)
{
    return pos.col == 1 && (t == TYPE || t == CONST || t == ERROR);
}

void parse_recover(struct parser *ps, int t)
{
    ps->recovering = true;
    if (!starts_definition(t, ps->tok))
        return;
    ps->pending = t;
    ps->pending_name.s = ps->text;
    ps->pending_name.len = (uint32_t)strlen(ps->text);
    ps->pending_name.pos = ps->tok;
}

/* ---- string literals ----------------------------------------------------- */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* `n` digits of a base; false when one is missing. */
static bool take_digits(
    const char **p, const char *end, int n, int base, uint32_t *out)
{
    uint32_t v = 0;

    for (; n > 0; n--, (*p)++) {
        if (*p == end || digit(**p) >= base)
            return false;
        v = v * (uint32_t)base + (uint32_t)digit(**p);
    }
    *out = v;
    return true;
}

static void put_utf8(struct v23_buf *b, uint32_t c)
{
    if (c < 0x80) {
        v23_buf_put_byte(b, (uint8_t)c);
    } else if (c < 0x800) {
        v23_buf_put_byte(b, (uint8_t)(0xc0 | c >> 6));
        v23_buf_put_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        if (c < 0x10000) {
            v23_buf_put_byte(b, (uint8_t)(0xe0 | c >> 12));
        } else {
            v23_buf_put_byte(b, (uint8_t)(0xf0 | c >> 18));
            v23_buf_put_byte(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        }
        v23_buf_put_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        v23_buf_put_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* The escape behind a backslash. */
static bool take_escape(const char **p, const char *end, struct v23_buf *b)
{
    static const char simple[] = "abfnrtv\\\"";
    static const char values[] = "\a\b\f\n\r\t\v\\\"";
    char c = **p;
    const char *s = c == '\0' ? NULL : strchr(simple, c);
    uint32_t v;

    if (s != NULL) {
        (*p)++;
        v23_buf_put_byte(b, (uint8_t)values[s - simple]);
        return true;
    }
    if (c >= '0' && c <= '7') {
        if (!take_digits(p, end, 3, 8, &v) || v > 255)
            return false;
        v23_buf_put_byte(b, (uint8_t)v);
        return true;
    }
    (*p)++;
    if (c == 'x') {
        if (!take_digits(p, end, 2, 16, &v))
            return false;
        v23_buf_put_byte(b, (uint8_t)v);
        return true;
    }
    if ((c != 'u' && c != 'U') ||
        !take_digits(p, end, c == 'u' ? 4 : 8, 16, &v) || v > 0x10ffff ||
        (v >= 0xd800 && v < 0xe000))
        return false;
    put_utf8(b, v);
    return true;
}

bool parse_string(
    struct parser *ps, const char *p, size_t n, struct ast_name *out)
{
    const char *end = p + n;
    struct v23_buf b;
    bool ok = true;

    v23_buf_init(&b, NULL, SIZE_MAX);
    while (ok && p < end) {
        if (*p != '\\') {
            v23_buf_put_byte(&b, (uint8_t)*p++);
            continue;
        }
        p++;
        ok = p < end && take_escape(&p, end, &b);
    }
    out->len = (uint32_t)b.n;
    out->s = ctx_take(ps->c, &b);
    return ok;
}

/* ---- names --------------------------------------------------------------- */

void parse_part(struct parser *ps, struct list *parts, struct ast_name part)
{
    list_push(ps->c, parts, (void *)(uintptr_t)part.s);
}

const char *parse_dotted(struct parser *ps, const struct list *parts)
{
    struct v23_buf b;
    size_t i;

    if (parts->n == 1)
        return parts->v[0];
    v23_buf_init(&b, NULL, SIZE_MAX);
    for (i = 0; i < parts->n; i++) {
        v23_buf_puts(&b, i > 0 ? "." : "");
        v23_buf_puts(&b, parts->v[i]);
    }
    return ctx_take(ps->c, &b);
}

/* ---- types and fields ---------------------------------------------------- */

struct ast_type *parse_type(struct parser *ps, enum ast_type_kind kind,
    struct pos pos, struct ast_type *key, struct ast_type *elem)
{
    struct ast_type *t = ctx_new(ps->c, struct ast_type);

    t->kind = kind;
    t->pos = pos;
    t->key = key;
    t->elem = elem;
    return t;
}

struct ast_type *parse_named_type(struct parser *ps, struct ast_name name)
{
    struct ast_type *t = parse_type(ps, AST_NAMED, name.pos, NULL, NULL);

    t->name = name.s;
    return t;
}

struct ast_type *parse_array_type(struct parser *ps, struct pos pos,
    struct ast_name len, struct ast_type *elem)
{
    struct ast_type *t = parse_type(ps, AST_ARRAY, pos, NULL, elem);
    const struct bn *n = bn_parse(ps->c, len.s);

    if (n == NULL || !bn_to_u64(n, &t->len))
        t->len = UINT64_MAX;
    return t;
}

struct ast_field *parse_field(
    struct parser *ps, struct ast_name name, struct ast_type *type)
{
    struct ast_field *f = ctx_new(ps->c, struct ast_field);

    f->name = name.s;
    f->pos = name.pos;
    f->type = type;
    return f;
}

void parse_fields(struct parser *ps, struct list *out, const struct list *names,
    struct ast_type *type)
{
    bool ok = true;
    size_t i;

    for (i = 0; i < names->n; i++) {
        const struct ast_type *t = names->v[i];
        struct ast_name name = {t->name, 0, t->pos};

        /* "error" and "typeobject" do as names here, as in Go. */
        if (t->kind != AST_NAMED || strchr(t->name, '.') != NULL) {
            parse_error_at(ps, t->pos,
                "%s invalid (expected one or more variable names)",
                ast_type_text(ps->c, t));
            ok = false;
            continue;
        }
        list_push(ps->c, out, parse_field(ps, name, type));
    }
    if (!ok)
        parse_error_at(ps, type->pos,
            "perhaps you forgot a comma before \"%s\"?.",
            ast_type_text(ps->c, type));
}

void parse_unnamed(
    struct parser *ps, struct list *out, const struct list *types)
{
    size_t i;

    for (i = 0; i < types->n; i++) {
        struct ast_type *t = types->v[i];
        struct ast_name name = {"", 0, t->pos};

        list_push(ps->c, out, parse_field(ps, name, t));
    }
}

void parse_append(struct parser *ps, struct list *to, const struct list *from)
{
    size_t i;

    for (i = 0; i < from->n; i++)
        list_push(ps->c, to, from->v[i]);
}

/* ---- expressions --------------------------------------------------------- */

struct ast_expr *parse_expr(
    struct parser *ps, enum ast_expr_kind kind, struct pos pos)
{
    struct ast_expr *e = ctx_new(ps->c, struct ast_expr);

    e->kind = kind;
    e->pos = pos;
    e->depth = 1;
    return e;
}

struct ast_expr *parse_binary(struct parser *ps, struct pos pos, int op,
    struct ast_expr *l, struct ast_expr *r)
{
    struct ast_expr *e =
        parse_expr(ps, r == NULL ? AST_UNARY : AST_BINARY, pos);

    e->op = op;
    e->l = l;
    e->r = r;
    e->depth = l->depth + 1;
    /* The parser's stack bounds the right side, a long sum grows the left. */
    if (e->depth == EXPR_DEPTH_MAX)
        parse_error_at(ps, pos, "expression nested too deeply");
    return e;
}

const char *ast_op_text(int op)
{
    static const struct {
        int op;
        const char *text;
    } two[] = {{NE, "!="}, {EQ, "=="}, {LE, "<="}, {GE, ">="}, {LSH, "<<"},
        {RSH, ">>"}, {OROR, "||"}, {ANDAND, "&&"}};
    static const char one[] = "!\0+\0-\0^\0<\0>\0*\0/\0%\0|\0&";
    size_t i;

    for (i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
        if (two[i].op == op)
            return two[i].text;
    }
    for (i = 0; i < sizeof(one); i += 2) {
        if (one[i] == op)
            return one + i;
    }
    return "?";
}

static void put_type(struct v23_buf *b, const struct ast_type *t)
{
    const char *sep = "";
    size_t i;

    switch (t->kind) {
    case AST_NAMED:
        v23_buf_puts(b, t->name);
        return;
    case AST_ARRAY:
        v23_buf_printf(b, "[%llu]", (unsigned long long)t->len);
        break;
    case AST_LIST:
        v23_buf_puts(b, "[]");
        break;
    case AST_OPTIONAL:
        v23_buf_puts(b, "?");
        break;
    case AST_SET:
    case AST_MAP:
        v23_buf_puts(b, t->kind == AST_SET ? "set[" : "map[");
        put_type(b, t->key);
        v23_buf_puts(b, "]");
        break;
    case AST_ENUM:
    case AST_STRUCT:
    case AST_UNION:
        v23_buf_puts(b, t->kind == AST_ENUM     ? "enum{"
                        : t->kind == AST_STRUCT ? "struct{"
                                                : "union{");
        for (i = 0; i < t->members.n; i++, sep = ";") {
            const struct ast_field *f = t->members.v[i];

            v23_buf_printf(b, "%s%s", sep, f->name);
            if (f->type != NULL) {
                v23_buf_puts(b, " ");
                put_type(b, f->type);
            }
        }
        v23_buf_puts(b, "}");
        break;
    }
    if (t->elem != NULL)
        put_type(b, t->elem);
}

const char *ast_type_text(struct ctx *c, const struct ast_type *t)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    put_type(&b, t);
    return ctx_take(c, &b);
}

const char *ast_expr_text(struct ctx *c, const struct ast_expr *e)
{
    switch (e->kind) {
    case AST_STRING:
        return ctx_printf(c, "\"%s\"", e->text.s);
    case AST_INTEGER:
    case AST_RATIONAL:
    case AST_NAME:
        return e->text.s;
    case AST_INDEX:
        return ctx_printf(c, "%s[...]", e->l->text.s);
    case AST_COMPOSITE:
        return ctx_printf(
            c, "%s{...}", e->type == NULL ? "" : ast_type_text(c, e->type));
    case AST_CONVERT:
        return ctx_printf(c, "%s(...)", ast_type_text(c, e->type));
    case AST_TYPEOBJECT:
        return ctx_printf(c, "typeobject(%s)", ast_type_text(c, e->type));
    case AST_UNARY:
        return ctx_printf(c, "%s(...)", ast_op_text(e->op));
    case AST_BINARY:
        return ctx_printf(c, "(... %s ...)", ast_op_text(e->op));
    }
    return "";
}

/* ---- bytes --------------------------------------------------------------- */

/* The first byte that no file may hold, even in comments. */
static bool check_bytes(struct parser *ps)
{
    const char *p = ps->src->text, *end = p + ps->src->len;
    struct pos at = {1, 1};
    size_t n;

    for (; p < end; p += n) {
        n = *p == '\0' ? 0 : v23_utf8_next(p, (size_t)(end - p), NULL);
        if (n == 0) {
            parse_error_at(ps, at, "invalid %s",
                *p == '\0' ? "character NUL" : "UTF-8 encoding");
            return false;
        }
        at.col++;
        if (*p == '\n') {
            at.line++;
            at.col = 1;
        }
    }
    return true;
}

/* ---- entry point --------------------------------------------------------- */

struct ast_file *parse(
    struct ctx *c, const struct source *src, enum parse_mode mode)
{
    struct parser ps;
    void *scanner;
    int rc;

    memset(&ps, 0, sizeof(ps));
    ps.c = c;
    ps.src = src;
    ps.mode = mode;
    ps.at.line = ps.at.col = 1;
    ps.start_token = mode == PARSE_CONFIG ? START_CONFIG
                     : mode == PARSE_EXPRS ? START_EXPRS
                                           : START_FILE;
    ps.file = ctx_new(c, struct ast_file);
    ps.file->file_doc = "";
    if (src->len > INT32_MAX) {
        ctx_error(c, src, 0, 0, "file too large");
        return NULL;
    }
    if (mode != PARSE_IMPORTS && !check_bytes(&ps))
        return NULL;
    v23_buf_init(&ps.block, NULL, SIZE_MAX);
    ctx_must(lex_begin(&ps, &scanner));
    rc = vdl_yyparse(scanner, &ps);
    lex_end(scanner);
    v23_buf_fini(&ps.block);
    if (rc != 0 && ps.errors == 0)
        parse_error_at(&ps, ps.tok, "syntax error");
    if (ps.errors != 0)
        return NULL;
    if (mode == PARSE_CONFIG &&
        ps.file->types.n + ps.file->errors.n + ps.file->ifaces.n > 0) {
        ctx_fail(c,
            "%s: config files may not contain error, type or "
            "interface definitions",
            src->path);
        return NULL;
    }
    doc_attach(&ps);
    return ps.file;
}
