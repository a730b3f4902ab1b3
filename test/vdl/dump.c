/* BSD-3-Clause; see LICENSE. */
/*
 * Parse trees and docs as text. A position is "@LINE:COL"; on line 2, where
 * most one-line cases are, "@COL".
 */
#include "vdl.h"

#include <vom/value.h>

static void put_pos(struct v23_buf *b, struct pos p)
{
    if (p.line == 2)
        v23_buf_printf(b, "@%d", p.col);
    else
        v23_buf_printf(b, "@%d:%d", p.line, p.col);
}

static void put_quoted(struct v23_buf *b, const char *s)
{
    vdl_format_quoted(b, s, (uint32_t)strlen(s));
}

static void put_doc(struct v23_buf *b, struct ir_doc d)
{
    if (d.doc != NULL && d.doc[0] != '\0') {
        v23_buf_puts(b, " doc");
        put_quoted(b, d.doc);
    }
    if (d.suffix != NULL && d.suffix[0] != '\0') {
        v23_buf_puts(b, " suffix");
        put_quoted(b, d.suffix);
    }
}

static void put_name(
    struct v23_buf *b, const char *name, struct pos p, struct ir_doc d)
{
    v23_buf_puts(b, name);
    put_pos(b, p);
    put_doc(b, d);
}

/* ---- parse trees --------------------------------------------------------- */

static void put_type(struct v23_buf *b, const struct ast_type *t);

static void put_fields(
    struct v23_buf *b, const struct list *fields, const char *sep)
{
    const struct ast_field *f;
    size_t i;

    for (i = 0; i < fields->n; i++) {
        f = fields->v[i];
        v23_buf_puts(b, i > 0 ? sep : "");
        put_name(b, f->name, f->pos, f->doc);
        if (f->type != NULL) {
            v23_buf_puts(b, " ");
            put_type(b, f->type);
        }
    }
}

static void put_type(struct v23_buf *b, const struct ast_type *t)
{
    static const char *const words[] = {
        "", "", "[]", "enum", "set", "map", "struct", "union", "?"};

    if (t->kind == AST_NAMED)
        v23_buf_puts(b, t->name);
    else if (t->kind == AST_ARRAY)
        v23_buf_printf(b, "[%llu]", (unsigned long long)t->len);
    else
        v23_buf_puts(b, words[t->kind]);
    put_pos(b, t->pos);
    if (t->kind == AST_ENUM || t->kind == AST_STRUCT || t->kind == AST_UNION) {
        v23_buf_puts(b, "{");
        put_fields(b, &t->members, "; ");
        v23_buf_puts(b, "}");
    }
    if (t->key != NULL) {
        v23_buf_puts(b, "[");
        put_type(b, t->key);
        v23_buf_puts(b, "]");
    }
    if (t->elem != NULL) {
        v23_buf_puts(b, " ");
        put_type(b, t->elem);
    }
}

static void put_expr(struct v23_buf *b, const struct ast_expr *e);

static void put_exprs(struct v23_buf *b, const struct list *l)
{
    size_t i;

    v23_buf_puts(b, "{");
    for (i = 0; i < l->n; i++) {
        v23_buf_puts(b, i > 0 ? ", " : "");
        put_expr(b, l->v[i]);
    }
    v23_buf_puts(b, "}");
}

static void put_entries(struct v23_buf *b, const struct list *l)
{
    const struct ast_entry *e;
    size_t i;

    v23_buf_puts(b, "{");
    for (i = 0; i < l->n; i++) {
        e = l->v[i];
        v23_buf_puts(b, i > 0 ? ", " : "");
        if (e->key != NULL) {
            put_expr(b, e->key);
            v23_buf_puts(b, ": ");
        }
        put_expr(b, e->value);
    }
    v23_buf_puts(b, "}");
}

static void put_expr(struct v23_buf *b, const struct ast_expr *e)
{
    switch (e->kind) {
    case AST_STRING:
        vdl_format_quoted(b, e->text.s, e->text.len);
        break;
    case AST_INTEGER:
    case AST_RATIONAL:
    case AST_NAME:
        v23_buf_puts(b, e->text.s);
        break;
    case AST_COMPOSITE:
        v23_buf_puts(b, "lit");
        break;
    case AST_INDEX:
        v23_buf_puts(b, "index");
        break;
    case AST_CONVERT:
    case AST_TYPEOBJECT:
        v23_buf_puts(b, e->kind == AST_CONVERT ? "conv" : "typeobject");
        break;
    case AST_UNARY:
    case AST_BINARY:
        v23_buf_puts(b, ast_op_text(e->op));
        break;
    }
    put_pos(b, e->pos);
    if (e->type != NULL) {
        v23_buf_puts(b, " ");
        put_type(b, e->type);
    }
    if (e->kind == AST_COMPOSITE)
        put_entries(b, &e->entries);
    if (e->l != NULL) {
        v23_buf_puts(b, "(");
        put_expr(b, e->l);
        if (e->r != NULL) {
            v23_buf_puts(b, ", ");
            put_expr(b, e->r);
        }
        v23_buf_puts(b, ")");
    }
}

static void put_names(struct v23_buf *b, const struct ast_error *e)
{
    const struct ast_format *f;
    const struct ast_name *n;
    size_t i;

    v23_buf_puts(b, " {");
    for (i = 0; i < e->actions.n; i++) {
        n = e->actions.v[i];
        v23_buf_puts(b, i > 0 ? ", " : "");
        v23_buf_puts(b, n->s);
        put_pos(b, n->pos);
    }
    for (i = 0; i < e->formats.n; i++) {
        f = e->formats.v[i];
        v23_buf_puts(b, i + e->actions.n > 0 ? ", " : "");
        put_quoted(b, f->lang.s);
        put_pos(b, f->lang.pos);
        v23_buf_puts(b, ": ");
        put_quoted(b, f->text.s);
        put_pos(b, f->text.pos);
    }
    v23_buf_puts(b, "}");
}

static void put_method(struct v23_buf *b, const struct ast_method *m)
{
    put_name(b, m->name, m->pos, m->doc);
    v23_buf_puts(b, "(");
    put_fields(b, &m->in, ", ");
    v23_buf_puts(b, ")");
    if (m->in_stream != NULL) {
        v23_buf_puts(b, " in ");
        put_type(b, m->in_stream);
    }
    if (m->out_stream != NULL) {
        v23_buf_puts(b, " out ");
        put_type(b, m->out_stream);
    }
    v23_buf_puts(b, " (");
    put_fields(b, &m->out, ", ");
    v23_buf_puts(b, ")");
    if (m->tags.n > 0) {
        v23_buf_puts(b, " ");
        put_exprs(b, &m->tags);
    }
}

static void put_iface(struct v23_buf *b, const struct ast_iface *d)
{
    const struct ast_embed *e;
    size_t i;

    v23_buf_puts(b, "; interface ");
    put_name(b, d->name, d->pos, d->doc);
    v23_buf_puts(b, "{");
    for (i = 0; i < d->embeds.n; i++) {
        e = d->embeds.v[i];
        v23_buf_puts(b, i > 0 ? "; " : "");
        put_name(b, e->name, e->pos, e->doc);
    }
    for (i = 0; i < d->methods.n; i++) {
        v23_buf_puts(b, i + d->embeds.n > 0 ? "; " : "");
        put_method(b, d->methods.v[i]);
    }
    v23_buf_puts(b, "}");
}

static void put_imports(struct v23_buf *b, const struct ast_file *f)
{
    const struct ast_import *d;
    size_t i;

    for (i = 0; i < f->imports.n; i++) {
        d = f->imports.v[i];
        v23_buf_puts(b, "; import ");
        if (d->name != NULL)
            v23_buf_printf(b, "%s ", d->name);
        put_quoted(b, d->path);
        put_pos(b, d->pos);
        put_doc(b, d->doc);
    }
}

void dump_file(struct v23_buf *b, struct ctx *c, const struct ast_file *f)
{
    size_t i;

    (void)c;
    if (f->file_doc[0] != '\0') {
        v23_buf_puts(b, "file");
        put_quoted(b, f->file_doc);
        v23_buf_puts(b, "; ");
    }
    v23_buf_puts(b, "package ");
    put_name(b, f->package, f->package_pos, f->package_doc);
    if (f->config != NULL) {
        v23_buf_puts(b, " = ");
        put_expr(b, f->config);
    }
    put_imports(b, f);
    for (i = 0; i < f->types.n; i++) {
        const struct ast_typedef *d = f->types.v[i];

        v23_buf_puts(b, "; type ");
        put_name(b, d->name, d->pos, d->doc);
        v23_buf_puts(b, " ");
        put_type(b, d->type);
    }
    for (i = 0; i < f->consts.n; i++) {
        const struct ast_const *d = f->consts.v[i];

        v23_buf_puts(b, "; const ");
        put_name(b, d->name, d->pos, d->doc);
        v23_buf_puts(b, " = ");
        put_expr(b, d->expr);
    }
    for (i = 0; i < f->errors.n; i++) {
        const struct ast_error *d = f->errors.v[i];

        v23_buf_puts(b, "; error ");
        put_name(b, d->name, d->pos, d->doc);
        v23_buf_puts(b, "(");
        put_fields(b, &d->params, ", ");
        v23_buf_puts(b, ")");
        put_names(b, d);
    }
    for (i = 0; i < f->ifaces.n; i++)
        put_iface(b, f->ifaces.v[i]);
}

/* ---- docs of compiled packages ------------------------------------------- */

static void put_item(
    struct v23_buf *b, const char *indent, const char *name, struct ir_doc d)
{
    v23_buf_printf(b, "%s%s", indent, name);
    put_doc(b, d);
}

void dump_docs(struct v23_buf *b, const struct ir_package *p)
{
    size_t i, k;

    if (p->file_doc[0] != '\0') {
        v23_buf_puts(b, "file");
        put_quoted(b, p->file_doc);
        v23_buf_puts(b, "; ");
    }
    v23_buf_printf(b, "package %s", p->name);
    for (i = 0; i < p->ntypes; i++) {
        const struct ir_typedef *t = &p->types[i];

        put_item(b, "; type ", t->name, t->doc);
        for (k = 0; t->members != NULL && k < t->type->count; k++) {
            v23_buf_printf(b, ", %u", (unsigned)k);
            put_doc(b, t->members[k]);
        }
    }
    for (i = 0; i < p->nconsts; i++)
        put_item(b, "; const ", p->consts[i].name, p->consts[i].doc);
    for (i = 0; i < p->nerrors; i++)
        put_item(b, "; error ", p->errors[i].name, p->errors[i].doc);
    for (i = 0; i < p->nifaces; i++) {
        put_item(b, "; interface ", p->ifaces[i].name, p->ifaces[i].doc);
        for (k = 0; k < p->ifaces[i].nmethods; k++)
            put_item(b, ", ", p->ifaces[i].methods[k].name,
                p->ifaces[i].methods[k].doc);
    }
}
