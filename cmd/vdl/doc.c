/* BSD-3-Clause; see LICENSE. */
/*
 * Attaching comments to what they document (spec/vdl.md 2.6).
 *
 * Comments form blocks while the file is read; afterwards each item of the
 * tree takes the block that begins on its own line (suffix) and then the one
 * that ends on the line before it (doc). Of two blocks that begin, or end, on
 * the same line only the first counts.
 */
#include "parse.h"

static int lines(const char *p, size_t n)
{
    int k = 0;

    for (; n > 0; n--, p++)
        k += *p == '\n';
    return k;
}

static void end_block(struct parser *ps)
{
    struct comment *b = ps->open, *o = NULL;

    ps->open = NULL;
    if (b == NULL)
        return;
    b->text = ctx_take(ps->c, &ps->block);
    v23_buf_init(&ps->block, NULL, SIZE_MAX);
    /* Blocks come in the order of their lines: only the last can clash. */
    if (ps->comments.n > 0)
        o = ps->comments.v[ps->comments.n - 1];
    if (o == NULL || (o->first != b->first && o->last != b->last))
        list_push(ps->c, &ps->comments, b);
}

void doc_comment(struct parser *ps, const char *p, size_t n, struct pos pos)
{
    struct comment *b = ps->open;

    if (b != NULL && b->last < pos.line - 1) {
        end_block(ps);
        b = NULL;
    }
    if (b == NULL) {
        b = ps->open = ctx_new(ps->c, struct comment);
        b->first = pos.line;
    } else if (b->last == pos.line - 1) {
        v23_buf_put_byte(&ps->block, '\n');
    }
    v23_buf_put(&ps->block, p, n);
    b->last = pos.line + lines(p, n);
    if (ps->prev != 0 && ps->prev_line == pos.line)
        end_block(ps);
}

void doc_token(struct parser *ps)
{
    end_block(ps);
}

/* The block that begins (or ends) on a line, once. */
static const struct comment *take(struct parser *ps, int line, bool by_last)
{
    size_t lo = 0, hi = ps->comments.n, mid;
    struct comment *b;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        b = ps->comments.v[mid];
        if ((by_last ? b->last : b->first) < line)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == ps->comments.n)
        return NULL;
    b = ps->comments.v[lo];
    if ((by_last ? b->last : b->first) != line || b->taken)
        return NULL;
    b->taken = true;
    return b;
}

static void attach(
    struct parser *ps, struct ir_doc *doc, struct pos pos, bool suffix)
{
    const struct comment *b;

    if (suffix) {
        b = take(ps, pos.line, false);
        doc->suffix = b == NULL ? "" : ctx_printf(ps->c, " %s", b->text);
    } else {
        b = take(ps, pos.line - 1, true);
        doc->doc = b == NULL ? "" : ctx_printf(ps->c, "%s\n", b->text);
    }
}

static void attach_type(
    struct parser *ps, const struct ast_type *t, bool suffix)
{
    size_t i;

    if (t == NULL)
        return;
    attach_type(ps, t->key, suffix);
    attach_type(ps, t->elem, suffix);
    for (i = 0; i < t->members.n; i++) {
        struct ast_field *f = t->members.v[i];

        attach(ps, &f->doc, f->pos, suffix);
        attach_type(ps, f->type, suffix);
    }
}

static void attach_iface(struct parser *ps, struct ast_iface *d, bool suffix)
{
    size_t i;

    attach(ps, &d->doc, d->pos, suffix);
    for (i = 0; i < d->embeds.n; i++) {
        struct ast_embed *e = d->embeds.v[i];

        attach(ps, &e->doc, e->pos, suffix);
    }
    for (i = 0; i < d->methods.n; i++) {
        struct ast_method *m = d->methods.v[i];

        attach(ps, &m->doc, m->pos, suffix);
    }
}

static void pass(struct parser *ps, bool suffix)
{
    struct ast_file *f = ps->file;
    size_t i;

    attach(ps, &f->package_doc, f->package_pos, suffix);
    for (i = 0; i < f->imports.n; i++) {
        struct ast_import *d = f->imports.v[i];

        attach(ps, &d->doc, d->pos, suffix);
    }
    for (i = 0; i < f->errors.n; i++) {
        struct ast_error *d = f->errors.v[i];

        attach(ps, &d->doc, d->pos, suffix);
    }
    for (i = 0; i < f->types.n; i++) {
        struct ast_typedef *d = f->types.v[i];

        attach(ps, &d->doc, d->pos, suffix);
        attach_type(ps, d->type, suffix);
    }
    for (i = 0; i < f->consts.n; i++) {
        struct ast_const *d = f->consts.v[i];

        attach(ps, &d->doc, d->pos, suffix);
    }
    for (i = 0; i < f->ifaces.n; i++)
        attach_iface(ps, f->ifaces.v[i], suffix);
}

void doc_attach(struct parser *ps)
{
    const struct comment *b;

    pass(ps, true);
    pass(ps, false);
    b = take(ps, 1, false);
    if (b != NULL)
        ps->file->file_doc = ctx_printf(ps->c, "%s\n", b->text);
}
