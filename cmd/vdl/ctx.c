/* BSD-3-Clause; see LICENSE. */
/*
 * Memory, messages and containers of the compiler.
 *
 * Messages are collected, not printed: the command line prints them all at the
 * end, the way the reference tool does ("#N place text" lines).
 */
#include "ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bignum.h"

void ctx_init(struct ctx *c)
{
    static const struct vdl_type_limits limits = { 1u << 20, 1000, UINT32_MAX,
        65536 };

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

/* Longer lines are not repeated in messages, bytes. */
#define SHOWN_LINE_MAX 200

/* Append the source line and a caret below the column. */
static void put_caret(struct v23_buf *b, const struct source *src, int line,
    int col)
{
    const char *p = src->text, *end = p + src->len, *eol;
    int i;

    for (i = 1; i < line && p < end; p++)
        i += *p == '\n';
    if (p >= end)
        return;
    eol = memchr(p, '\n', (size_t)(end - p));
    if (eol == NULL)
        eol = end;
    if (eol > p && eol[-1] == '\r')
        eol--;
    if (eol - p > SHOWN_LINE_MAX)
        return;
    v23_buf_puts(b, "    ");
    v23_buf_put(b, p, (size_t)(eol - p));
    v23_buf_puts(b, "\n    ");
    for (i = 1; i < col && p < eol; p++) {
        if (((unsigned char)*p & 0xc0) == 0x80)
            continue; /* columns count characters */
        v23_buf_put_byte(b, *p == '\t' ? '\t' : ' ');
        i++;
    }
    v23_buf_puts(b, "^\n");
}

static void message(struct v23_buf *b, int number, const struct source *src,
    int line, int col, const char *fmt, va_list ap)
{
    v23_buf_printf(b, "#%d ", number);
    if (src != NULL && line > 0)
        v23_buf_printf(b, "%s:%d:%d ", src->path, line, col);
    else if (src != NULL)
        v23_buf_printf(b, "%s:[no pos] ", src->path);
    put_va(b, fmt, ap);
    v23_buf_put_byte(b, '\n');
    if (src != NULL && src->text != NULL && line > 0)
        put_caret(b, src, line, col);
    ctx_must(b->err);
}

static void report(struct ctx *c, const struct source *src, int line, int col,
    const char *fmt, va_list ap)
{
    if (ctx_full(c))
        return;
    message(&c->errors, c->nerrors, src, line, col, fmt, ap);
    c->nerrors++;
    if (ctx_full(c))
        v23_buf_printf(&c->errors, "...stopping after %d error(s)...\n",
            c->nerrors);
}

void ctx_error(struct ctx *c, const struct source *src, int line, int col,
    const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(c, src, line, col, fmt, ap);
    va_end(ap);
}

void ctx_fail(struct ctx *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(c, NULL, 0, 0, fmt, ap);
    va_end(ap);
}

void ctx_warn(struct ctx *c, const struct source *src, int line, int col,
    const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    message(&c->warnings, c->nwarnings++, src, line, col, fmt, ap);
    va_end(ap);
}

bool ctx_full(const struct ctx *c)
{
    return c->nerrors == c->max_errors;
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
