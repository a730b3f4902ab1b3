/* BSD-3-Clause; see LICENSE. */
/*
 * Interfaces (spec/vdl.md section 9). Embedded ones are compiled first, so
 * that the check for methods defined twice sees all of them.
 */
#include "compile.h"

#include "names.h"

static void declare_ifaces(struct ctx *c, struct package *p)
{
    size_t i, k;

    for (i = 0; i < p->files.n; i++) {
        struct file *f = p->files.v[i];

        for (k = 0; k < f->ast->ifaces.n; k++) {
            const struct ast_iface *def = f->ast->ifaces.v[k];
            struct decl *d = declare(c, f, DECL_IFACE, "interface", def->name,
                def->pos);

            if (d == NULL)
                continue;
            d->ast = def;
            list_push(c, &p->ifaces, d);
        }
    }
}

static bool sort_ifaces(struct ctx *c, struct package *p, struct list *out)
{
    struct toposort sort = { 0 };
    const char *cycles, *first = NULL;
    const struct decl *d;
    size_t i, k;

    for (i = 0; i < p->ifaces.n; i++) {
        struct decl *def = p->ifaces.v[i];

        topo_node(c, &sort, def->name, def);
    }
    for (i = 0; i < p->ifaces.n; i++) {
        const struct ast_iface *def;

        d = p->ifaces.v[i];
        def = d->ast;
        for (k = 0; k < def->embeds.n; k++)
            topo_edge(c, &sort, d->name,
                ((const struct ast_embed *)def->embeds.v[k])->name);
    }
    cycles = topo_sort(c, &sort, out, &first);
    if (cycles == NULL)
        return true;
    d = map_get(&p->decls, first);
    FILE_ERROR(c, d->file, d->pos, "package %s has cyclic interfaces: %s",
        p->ir.name, cycles);
    return false;
}

/* ---- methods ------------------------------------------------------------- */

/* NULL when the argument's name is fine, else the message. */
static const char *check_arg(struct ctx *c, const char *method,
    const struct list *args, size_t at, bool in)
{
    const struct ast_field *a = args->v[at], *o;
    const char *why;
    size_t i;

    if (a->name[0] == '\0' && in)
        return ctx_printf(c,
            "method %s in-arg unnamed (must name all in-args)", method);
    if (a->name[0] == '\0' && args->n > 1)
        return ctx_printf(c, "method %s out-arg unnamed (must name all "
            "out-args if there are more than 1)", method);
    if (a->name[0] == '\0')
        return NULL;
    for (i = 0; i < at; i++) {
        o = args->v[i];
        if (strcmp(o->name, a->name) == 0)
            return ctx_printf(c,
                "method %s arg %s duplicate name (previous at %d:%d)", method,
                a->name, o->pos.line, o->pos.col);
    }
    why = name_check(a->name, NAME_LOWER);
    return why == NULL ? NULL
                       : ctx_printf(c, "method %s invalid arg %s (%s)", method,
                             a->name, why);
}

static const struct ir_arg *compile_args(struct ctx *c, struct file *f,
    const char *method, const struct list *args, bool in)
{
    struct ir_arg *out = ctx_array(c, struct ir_arg, args->n);
    const struct ast_type *last = NULL;
    const char *why;
    size_t i;

    for (i = 0; i < args->n; i++) {
        const struct ast_field *a = args->v[i];

        why = check_arg(c, method, args, i, in);
        if (why != NULL)
            FILE_ERROR(c, f, a->pos, "%s", why);
        out[i].name = a->name;
        out[i].pos = (struct ir_pos) { f->base, a->pos.line, a->pos.col };
        /* The arguments of "a, b T" share one tree: report once. */
        out[i].type = i > 0 && a->type == last
            ? out[i - 1].type
            : compile_exported_type(c, f, a->type);
        last = a->type;
    }
    return out;
}

static const struct vdl_any *compile_tags(struct ctx *c, struct file *f,
    const struct list *tags)
{
    struct vdl_any *out = ctx_array(c, struct vdl_any, tags->n);
    size_t i;

    for (i = 0; i < tags->n; i++)
        (void)compile_const(c, f, "tag", NULL, tags->v[i], &out[i]);
    return out;
}

static void compile_method(struct ctx *c, struct file *f,
    const struct ast_method *def, struct ir_method *out)
{
    out->name = def->name;
    out->doc = def->doc;
    out->pos = (struct ir_pos) { f->base, def->pos.line, def->pos.col };
    out->in = compile_args(c, f, def->name, &def->in, true);
    out->nin = def->in.n;
    out->out = compile_args(c, f, def->name, &def->out, false);
    out->nout = def->out.n;
    if (def->in_stream != NULL)
        out->in_stream = compile_exported_type(c, f, def->in_stream);
    if (def->out_stream != NULL)
        out->out_stream = compile_exported_type(c, f, def->out_stream);
    out->tags = compile_tags(c, f, &def->tags);
    out->ntags = def->tags.n;
}

static void compile_methods(struct ctx *c, struct file *f,
    const struct ast_iface *def, struct map *seen, struct ir_iface *out)
{
    struct ir_method *methods = ctx_array(c, struct ir_method,
        def->methods.n);
    const struct ir_method *o;
    const char *why;
    size_t i;

    for (i = 0; i < def->methods.n; i++) {
        const struct ast_method *m = def->methods.v[i];

        why = name_check(m->name, NAME_MEMBER);
        if (why != NULL) {
            FILE_ERROR(c, f, m->pos, "method %s name (%s)", m->name, why);
            continue;
        }
        o = map_get(seen, m->name);
        if (o != NULL) {
            FILE_ERROR(c, f, m->pos, "method %s redefined (previous at %d:%d)",
                m->name, o->pos.line, o->pos.col);
            continue;
        }
        compile_method(c, f, m, &methods[i]);
        map_put(c, seen, m->name, &methods[i]);
    }
    out->methods = methods;
    out->nmethods = def->methods.n;
}

/* ---- embedding ----------------------------------------------------------- */

/* "pkg/path/file.vdl:line:col", without the path inside one file. */
static const char *place(struct ctx *c, const struct file *f,
    const struct ir_iface *iface, struct ir_pos pos)
{
    if (strcmp(iface->package->path, f->package->ir.path) == 0 &&
        strcmp(pos.file, f->base) == 0)
        return ctx_printf(c, "%d:%d", pos.line, pos.col);
    return ctx_printf(c, "%s/%s:%d:%d", iface->package->path, pos.file,
        pos.line, pos.col);
}

/* A method and the interface it belongs to. */
struct owned {
    struct ir_method method; /* first: a map of methods can hold it */
    const struct ir_iface *iface;
};

static void embed_methods(struct ctx *c, struct file *f, struct pos pos,
    const struct ir_iface *embed, struct map *seen)
{
    struct owned *m;
    const struct owned *o;
    size_t i;

    for (i = 0; i < embed->nmethods; i++) {
        o = map_get(seen, embed->methods[i].name);
        if (o != NULL)
            FILE_ERROR(c, f, pos,
                "embedded method %s redefined (defined at %s and %s)",
                embed->methods[i].name,
                place(c, f, embed, embed->methods[i].pos),
                place(c, f, o->iface, o->method.pos));
        m = ctx_new(c, struct owned);
        m->method = embed->methods[i];
        m->iface = embed;
        map_put(c, seen, m->method.name, m);
    }
    for (i = 0; i < embed->nembeds; i++)
        embed_methods(c, f, pos, embed->embeds[i], seen);
}

static void compile_embeds(struct ctx *c, struct file *f,
    const struct ast_iface *def, struct map *seen, struct ir_iface *out)
{
    const struct ir_iface **embeds = ctx_array(c, const struct ir_iface *,
        def->embeds.n);
    const char *rest;
    size_t i, k, n = 0;

    for (i = 0; i < def->embeds.n; i++) {
        const struct ast_embed *e = def->embeds.v[i], *o = NULL;
        const struct decl *d = resolve_name(f, e->name, &rest);

        for (k = 0; k < i; k++) {
            o = def->embeds.v[k];
            if (strcmp(o->name, e->name) == 0)
                break;
        }
        if (k < i) {
            FILE_ERROR(c, f, e->pos,
                "interface %s duplicate embedding (previous at %d:%d)",
                e->name, o->pos.line, o->pos.col);
        } else if (d == NULL || d->kind != DECL_IFACE || d->iface == NULL) {
            FILE_ERROR(c, f, e->pos, "interface %s undefined", e->name);
        } else if (*rest != '\0') {
            FILE_ERROR(c, f, e->pos, "interface %s invalid (%s unmatched)",
                e->name, rest);
        } else {
            embed_methods(c, f, e->pos, d->iface, seen);
            embeds[n++] = d->iface;
        }
    }
    out->embeds = embeds;
    out->nembeds = n;
}

static void compile_iface(struct ctx *c, struct package *p, struct decl *d,
    struct ir_iface *out)
{
    const struct ast_iface *def = d->ast;
    struct map methods = { 0 }, owned = { 0 };
    struct owned *m;
    size_t i;

    out->name = d->name;
    out->doc = def->doc;
    out->pos = (struct ir_pos) { d->file->base, d->pos.line, d->pos.col };
    out->package = &p->ir;
    compile_methods(c, d->file, def, &methods, out);
    for (i = 0; i < out->nmethods; i++) {
        if (out->methods[i].name == NULL)
            continue; /* refused */
        m = ctx_new(c, struct owned);
        m->method = out->methods[i];
        m->iface = out;
        map_put(c, &owned, m->method.name, m);
    }
    compile_embeds(c, d->file, def, &owned, out);
    d->iface = out;
}

bool compile_ifaces(struct ctx *c, struct package *p)
{
    int before = c->nerrors;
    struct list sorted = { 0 };
    struct ir_iface *out;
    size_t i;

    declare_ifaces(c, p);
    if (c->nerrors != before || !sort_ifaces(c, p, &sorted))
        return false;
    out = ctx_array(c, struct ir_iface, sorted.n);
    for (i = 0; i < sorted.n; i++)
        compile_iface(c, p, sorted.v[i], &out[i]);
    p->ir.ifaces = out;
    p->ir.nifaces = sorted.n;
    return c->nerrors == before;
}
