/* BSD-3-Clause; see LICENSE. */
/*
 * Memory, messages and containers of the compiler.
 *
 * Messages are collected, not printed: the command line prints them all at the
 * end, the way the reference tool does ("#N place text" lines).
 */
#include "ctx.h"

#include <stdio.h>
#include <stdlib.h>

#include "bignum.h"

void ctx_init(struct ctx *c)
{
    static const struct vdl_type_limits limits = {
        1u << 20, 1000, UINT32_MAX, 65536};

    memset(c, 0, sizeof(*c));
    v23_arena_init(&c->arena, NULL, SIZE_MAX);
    v23_buf_init(&c->errors, NULL, SIZE_MAX);
    v23_buf_init(&c->warnings, NULL, SIZE_MAX);
    c->max_errors = -1;
    c->config_name = "vdl.config";
    ctx_must(vdl_types_new(NULL, &limits, &c->types));
}

void ctx_fini(struct ctx *c)
{
    bn_release(c->bns);
    v23_buf_fini(&c->errors);
    v23_buf_fini(&c->warnings);
    v23_arena_fini(&c->arena);
    vdl_types_unref(c->types);
}

void ctx_must(int rc)
{
    if (rc == 0)
        return;
    fprintf(stderr, "vdl: %s\n", v23_strerror(rc));
    exit(1);
}

void *ctx_get(struct ctx *c, size_t size)
{
    void *p = v23_arena_get0(&c->arena, 1, size, 16);

    ctx_must(p == NULL ? V23_ENOMEM : 0);
    return p;
}

char *ctx_strn(struct ctx *c, const char *p, size_t n)
{
    char *s = v23_arena_dup(&c->arena, p, n);

    ctx_must(s == NULL ? V23_ENOMEM : 0);
    return s;
}

char *ctx_str(struct ctx *c, const char *s)
{
    return ctx_strn(c, s, strlen(s));
}

static void put_va(struct v23_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    ctx_must(n < 0 ? V23_EARG : v23_buf_room(b, (size_t)n + 1));
    (void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
    b->n += (size_t)n;
}

char *ctx_printf(struct ctx *c, const char *fmt, ...)
{
    struct v23_buf b;
    va_list ap;

    v23_buf_init(&b, NULL, SIZE_MAX);
    va_start(ap, fmt);
    put_va(&b, fmt, ap);
    va_end(ap);
    return ctx_take(c, &b);
}

char *ctx_take(struct ctx *c, struct v23_buf *b)
{
    char *s;

    ctx_must(b->err);
    s = ctx_strn(c, (const char *)b->p, b->n);
    v23_buf_fini(b);
    return s;
}

/* ---- messages ------------------------------------------------------------ */

/* Characters of a source line that are shown, and how many of them may stand
   in front of the place. */
#define SHOWN_MAX 72
#define SHOWN_BEFORE 48
/* Longer lines are not shown at all, bytes. */
#define LINE_MAX_SHOWN 4096
/* Width of a tab in a source line. */
#define TAB 4
/* Longest message, what is shown of its end, and all messages together,
   bytes. */
#define MESSAGE_MAX 2000
#define MESSAGE_END 400
#define MESSAGES_MAX (4u << 20)

static const char bold[] = "\033[1m", red[] = "\033[1;31m",
                  green[] = "\033[1;32m", plain[] = "\033[0m";

static void put_style(const struct ctx *c, struct v23_buf *b, const char *style)
{
    if (c->colour)
        v23_buf_puts(b, style);
}

/* Where the lines of a file begin. */
struct lines {
    const char **v;
    size_t n;
};

static const struct lines *lines_of(struct ctx *c, const struct source *src)
{
    struct lines *l = map_get(&c->lines, src->path);
    const char *p = src->text, *end = p + src->len;
    size_t n = 1;

    if (l != NULL)
        return l;
    for (; p < end; p++)
        n += *p == '\n';
    l = ctx_new(c, struct lines);
    l->v = ctx_array(c, const char *, n);
    l->v[l->n++] = src->text;
    for (p = src->text; p < end; p++) {
        if (*p == '\n')
            l->v[l->n++] = p + 1;
    }
    map_put(c, &c->lines, ctx_str(c, src->path), l);
    return l;
}

/* Bytes of the character at p; what is not UTF-8 counts one by one. */
static size_t char_size(const char *p, const char *end)
{
    size_t n = v23_utf8_next(p, (size_t)(end - p), NULL);

    return n == 0 ? 1 : n;
}

/* A character of n bytes that a terminal takes for text. */
static bool is_printable(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;

    if (n == 1)
        return u[0] >= 0x20 && u[0] < 0x7f;
    return n != 2 || u[0] != 0xc2 || u[1] >= 0xa0;
}

static void put_char(struct v23_buf *b, const char *p, size_t n)
{
    if (is_printable(p, n))
        v23_buf_put(b, p, n);
    else
        v23_buf_puts(b, "?");
}

/*
 * Append the source line and a caret below the column. Of a wide line only
 * what surrounds the column is shown.
 */
static void put_caret(struct ctx *c, struct v23_buf *b,
    const struct source *src, int line, int col)
{
    const struct lines *l = lines_of(c, src);
    const char *p, *eol, *end = src->text + src->len;
    int i, width = 0, caret = 0, first;

    if ((size_t)line > l->n)
        return;
    p = l->v[line - 1];
    eol = (size_t)line < l->n ? l->v[line] - 1 : end;
    if (eol > p && eol[-1] == '\r')
        eol--;
    if ((p == eol && col > 1) || eol - p > LINE_MAX_SHOWN)
        return;
    first = col > SHOWN_MAX ? col - SHOWN_BEFORE : 1;
    v23_buf_puts(b, first > 1 ? "    ..." : "    ");
    for (i = 1; i < first && p < eol; i++)
        p += char_size(p, eol);
    for (; p < eol && width < SHOWN_MAX; i++) {
        size_t n = char_size(p, eol);
        int w = *p == '\t' ? TAB - width % TAB : 1;

        if (i == col)
            caret = width;
        width += w;
        if (*p != '\t')
            put_char(b, p, n);
        for (; *p == '\t' && w > 0; w--)
            v23_buf_put_byte(b, ' ');
        p += n;
    }
    if (i <= col)
        caret = width;
    v23_buf_puts(b, p < eol ? "...\n    " : "\n    ");
    caret += first > 1 ? 3 : 0;
    while (caret-- > 0)
        v23_buf_put_byte(b, ' ');
    put_style(c, b, green);
    v23_buf_puts(b, "^");
    put_style(c, b, plain);
    v23_buf_puts(b, "\n");
}

/* Text that comes from a source may hold what a terminal takes for more than
   text. */
static void make_printable(uint8_t *p, const uint8_t *end)
{
    const char *text;
    size_t n;

    for (; p < end; p += n) {
        text = (const char *)p;
        n = char_size(text, (const char *)end);
        if (*p != '\n' && !is_printable(text, n))
            memset(p, '?', n);
    }
}

/* The text of a message; of an overlong one both ends. */
static void put_text(struct v23_buf *b, const char *fmt, va_list ap)
{
    size_t start = b->n, end, cut, rest;

    put_va(b, fmt, ap);
    make_printable(b->p + start, b->p + b->n);
    if (b->n - start <= MESSAGE_MAX + 8)
        return;
    end = b->n;
    cut = start + MESSAGE_MAX - MESSAGE_END;
    rest = end - MESSAGE_END;
    while ((b->p[cut] & 0xc0) == 0x80)
        cut--;
    while (rest < end && (b->p[rest] & 0xc0) == 0x80)
        rest++;
    memcpy(b->p + cut, "...", 3);
    memmove(b->p + cut + 3, b->p + rest, end - rest);
    v23_buf_cut(b, cut + 3 + end - rest);
}

static void message(struct ctx *c, struct v23_buf *b, int number,
    const struct source *src, int line, int col, const char *fmt, va_list ap)
{
    v23_buf_printf(b, "#%d ", number);
    put_style(c, b, bold);
    if (src != NULL && line > 0)
        v23_buf_printf(b, "%s:%d:%d ", src->path, line, col);
    else if (src != NULL)
        v23_buf_printf(b, "%s:[no pos] ", src->path);
    put_style(c, b, b == &c->errors ? red : plain);
    put_text(b, fmt, ap);
    put_style(c, b, plain);
    v23_buf_put_byte(b, '\n');
    if (src != NULL && src->text != NULL && line > 0 && !c->terse)
        put_caret(c, b, src, line, col);
    ctx_must(b->err);
}

void ctx_verror(struct ctx *c, const struct source *src, int line, int col,
    const char *fmt, va_list ap)
{
    if (ctx_full(c))
        return;
    message(c, &c->errors, c->nerrors, src, line, col, fmt, ap);
    c->nerrors++;
    if (ctx_full(c))
        v23_buf_printf(
            &c->errors, "...stopping after %d error(s)...\n", c->nerrors);
}

void ctx_error(struct ctx *c, const struct source *src, int line, int col,
    const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ctx_verror(c, src, line, col, fmt, ap);
    va_end(ap);
}

void ctx_fail(struct ctx *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ctx_verror(c, NULL, 0, 0, fmt, ap);
    va_end(ap);
}

void ctx_warn(struct ctx *c, const struct source *src, int line, int col,
    const char *fmt, ...)
{
    va_list ap;

    if (c->warnings.n > MESSAGES_MAX)
        return;
    va_start(ap, fmt);
    message(c, &c->warnings, c->nwarnings++, src, line, col, fmt, ap);
    va_end(ap);
}

bool ctx_full(const struct ctx *c)
{
    return c->nerrors == c->max_errors || c->errors.n > MESSAGES_MAX;
}

void ctx_trace(const struct ctx *c, const char *fmt, ...)
{
    va_list ap;

    if (!c->verbose)
        return;
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* ---- containers ---------------------------------------------------------- */

static size_t hash(const char *s)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */

    for (; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

static struct map_entry *slot(const struct map *m, const char *key)
{
    size_t i = hash(key) & (m->cap - 1);

    while (m->slots[i].key != NULL && strcmp(m->slots[i].key, key) != 0)
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

void *map_get(const struct map *m, const char *key)
{
    return m->cap == 0 ? NULL : slot(m, key)->value;
}

void map_put(struct ctx *c, struct map *m, const char *key, void *value)
{
    struct map_entry *e;
    struct map old = *m;
    size_t i;

    if (2 * (m->n + 1) > m->cap) {
        m->cap = m->cap == 0 ? 16 : 2 * m->cap;
        m->slots = ctx_array(c, struct map_entry, m->cap);
        for (i = 0; i < old.cap; i++) {
            if (old.slots[i].key != NULL)
                *slot(m, old.slots[i].key) = old.slots[i];
        }
    }
    e = slot(m, key);
    if (e->key == NULL)
        m->n++;
    e->key = key;
    e->value = value;
}

void list_push(struct ctx *c, struct list *l, void *item)
{
    void **v;

    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 8 : 2 * l->cap;
        v = ctx_array(c, void *, l->cap);
        if (l->n > 0)
            memcpy(v, l->v, l->n * sizeof(*v));
        l->v = v;
    }
    l->v[l->n++] = item;
}

bool list_has(const struct list *l, const void *item)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        if (l->v[i] == item)
            return true;
    }
    return false;
}
