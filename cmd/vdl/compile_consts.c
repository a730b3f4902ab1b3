/* BSD-3-Clause; see LICENSE. */
/*
 * Constant definitions: they may refer to each other in any order, so they are
 * sorted first and then evaluated one by one (spec/vdl.md 7.6).
 */
#include "compile.h"
#include "constant.h"

static void declare_consts(struct ctx *c, struct package *p)
{
    size_t i, k;

    for (i = 0; i < p->files.n; i++) {
        struct file *f = p->files.v[i];

        for (k = 0; k < f->ast->consts.n; k++) {
            const struct ast_const *def = f->ast->consts.v[k];
            struct decl *d = declare(c, f, DECL_CONST, "const", def->name,
                def->pos);

            if (d == NULL)
                continue;
            d->ast = def;
            list_push(c, &p->consts, d);
        }
    }
}

/* Constants of this package that an expression mentions. */
static void add_edges(struct ctx *c, struct toposort *sort, const char *from,
    const struct ast_expr *e)
{
    size_t i;

    if (e == NULL)
        return;
    if (e->kind == AST_NAME)
        topo_edge(c, sort, from,
            ctx_strn(c, e->text.s, strcspn(e->text.s, ".")));
    add_edges(c, sort, from, e->l);
    add_edges(c, sort, from, e->r);
    for (i = 0; i < e->entries.n; i++) {
        const struct ast_entry *entry = e->entries.v[i];

        add_edges(c, sort, from, entry->key);
        add_edges(c, sort, from, entry->value);
    }
}

static bool sort_consts(struct ctx *c, struct package *p, struct list *out)
{
    struct toposort sort = { 0 };
    const char *cycles, *first = NULL;
    const struct decl *d;
    size_t i;

    for (i = 0; i < p->consts.n; i++) {
        struct decl *def = p->consts.v[i];

        topo_node(c, &sort, def->name, def);
    }
    for (i = 0; i < p->consts.n; i++) {
        d = p->consts.v[i];
        add_edges(c, &sort, d->name, ((const struct ast_const *)d->ast)->expr);
    }
    cycles = topo_sort(c, &sort, out, &first);
    if (cycles == NULL)
        return true;
    d = map_get(&p->decls, first);
    FILE_ERROR(c, d->file, d->pos, "package %s has cyclic consts: %s",
        p->ir.name, cycles);
    return false;
}

bool compile_consts(struct ctx *c, struct package *p)
{
    int before = c->nerrors;
    struct list sorted = { 0 };
    struct ir_const *out;
    size_t i;

    declare_consts(c, p);
    if (c->nerrors != before || !sort_consts(c, p, &sorted))
        return false;
    out = ctx_array(c, struct ir_const, sorted.n);
    for (i = 0; i < sorted.n; i++) {
        struct decl *d = sorted.v[i];
        const struct ast_const *def = d->ast;

        if (!compile_const(c, d->file, "const", NULL, def->expr, &d->value)) {
            d->failed = true;
            continue;
        }
        if (c->verbose)
            ctx_trace(c, "const %s.%s = %s", p->ir.path, d->name,
                value_whole_text(c, d->value));
        if (d->exported && !type_exported(d->value.type))
            FILE_ERROR(c, d->file, d->pos,
                "const %s must have a transitively exported type", d->name);
        out[i].name = d->name;
        out[i].doc = def->doc;
        out[i].pos = (struct ir_pos) { d->file->base, d->pos.line,
            d->pos.col };
        out[i].value = d->value;
    }
    p->ir.consts = out;
    p->ir.nconsts = sorted.n;
    return c->nerrors == before;
}
