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
            struct decl *d =
                declare(c, f, DECL_IFACE, "interface", def->name, def->pos);

            if (d == NULL)
                continue;
            d->ast = def;
            list_push(c, &p->ifaces, d);
        }
    }
}

static bool sort_ifaces(struct ctx *c, struct package *p, struct list *out)
{
    struct toposort sort = {0};
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
    const struct list *args, size_t at, struct map *seen)
{
    const struct ast_field *a = args->v[at], *o = map_get(seen, a->name);
    const char *why;

    if (o != NULL)
        return ctx_printf(c,
            "method %s arg %s duplicate name (previous at %d:%d)", method,
            a->name, o->pos.line, o->pos.col);
    map_put(c, seen, a->name, args->v[at]);
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
    struct map seen = {0};
    const char *why;
    size_t i;

    for (i = 0; i < args->n; i++) {
        const struct ast_field *a = args->v[i];

        if (a->name[0] != '\0')
            why = check_arg(c, method, args, i, &seen);
        else if (in)
            why = ctx_printf(
                c, "method %s in-arg unnamed (must name all in-args)", method);
        else if (args->n > 1)
            why = ctx_printf(c,
                "method %s out-arg unnamed (must name all "
                "out-args if there are more than 1)",
                method);
        else
            why = NULL;
        if (why != NULL)
            FILE_ERROR(c, f, a->pos, "%s", why);
        out[i].name = a->name;
        out[i].pos = (struct ir_pos){f->base, a->pos.line, a->pos.col};
        /* The arguments of "a, b T" share one tree: report once. */
        out[i].type = i > 0 && a->type == last
                          ? out[i - 1].type
                          : compile_exported_type(c, f, a->type);
        last = a->type;
    }
    return out;
}

static const struct vdl_any *compile_tags(
    struct ctx *c, struct file *f, const struct list *tags)
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
    out->pos = (struct ir_pos){f->base, def->pos.line, def->pos.col};
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
    struct ir_method *methods = ctx_array(c, struct ir_method, def->methods.n);
    const struct ir_method *o;
    const char *why;
    size_t i, n = 0;

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
        compile_method(c, f, m, &methods[n]);
        map_put(c, seen, m->name, &methods[n++]);
    }
    out->methods = methods;
    out->nmethods = n; /* without those refused */
}

/* ---- embedding ----------------------------------------------------------- */

/* "pkg/path/file.vdl:line:col", without the path inside one file. */
static const char *place(struct ctx *c, const struct file *f,
    const struct ir_iface *iface, struct ir_pos pos)
{
    if (strcmp(iface->package->path, f->package->ir.path) == 0 &&
        strcmp(pos.file, f->base) == 0)
        return ctx_printf(c, "%d:%d", pos.line, pos.col);
    return ctx_printf(
        c, "%s/%s:%d:%d", iface->package->path, pos.file, pos.line, pos.col);
}

/* A method and the interface it belongs to. */
struct owned {
    const struct ir_method *method;
    const struct ir_iface *iface;
};

static void own(struct ctx *c, struct map *seen, const struct ir_iface *iface,
    const struct ir_method *method)
{
    struct owned *m = ctx_new(c, struct owned);

    m->method = method;
    m->iface = iface;
    map_put(c, seen, method->name, m);
}

/* Interfaces and methods that one interface may embed, and all together. */
#define EMBEDDED_MAX 10000
#define ALL_EMBEDDED_MAX 500000

/* The walk over what an interface embeds, directly or not. */
struct embedding {
    struct ctx *c;
    struct file *f;
    struct pos pos;  /* of the embedded interface's name */
    struct map seen; /* method name -> struct owned */
    size_t visits;
};

/* False: there are too many. The depth is bounded with them. */
static bool embed_methods(struct embedding *x, const struct ir_iface *embed)
{
    struct ctx *c = x->c;
    const struct owned *o;
    size_t i;

    x->visits += 1 + embed->nmethods;
    c->embedded += 1 + embed->nmethods;
    if (x->visits > EMBEDDED_MAX || c->embedded > ALL_EMBEDDED_MAX)
        return false;
    for (i = 0; i < embed->nmethods; i++) {
        o = map_get(&x->seen, embed->methods[i].name);
        if (o != NULL)
            FILE_ERROR(c, x->f, x->pos,
                "embedded method %s redefined (defined at %s and %s)",
                embed->methods[i].name,
                place(c, x->f, embed, embed->methods[i].pos),
                place(c, x->f, o->iface, o->method->pos));
        own(c, &x->seen, embed, &embed->methods[i]);
    }
    for (i = 0; i < embed->nembeds; i++) {
        if (!embed_methods(x, embed->embeds[i]))
            return false;
    }
    return true;
}

static void compile_embeds(
    struct embedding *x, const struct ast_iface *def, struct ir_iface *out)
{
    struct ctx *c = x->c;
    struct file *f = x->f;
    const struct ir_iface **embeds =
        ctx_array(c, const struct ir_iface *, def->embeds.n);
    struct map names = {0};
    const char *rest;
    size_t i, n = 0;

    for (i = 0; i < def->embeds.n; i++) {
        const struct ast_embed *e = def->embeds.v[i];
        const struct ast_embed *o = map_get(&names, e->name);
        const struct decl *d = resolve_name(f, e->name, &rest);

        if (o == NULL)
            map_put(c, &names, e->name, def->embeds.v[i]);
        if (o != NULL) {
            FILE_ERROR(c, f, e->pos,
                "interface %s duplicate embedding (previous at %d:%d)", e->name,
                o->pos.line, o->pos.col);
        } else if (d == NULL || d->kind != DECL_IFACE || d->iface == NULL) {
            FILE_ERROR(c, f, e->pos, "interface %s undefined", e->name);
        } else if (*rest != '\0') {
            FILE_ERROR(c, f, e->pos, "interface %s invalid (%s unmatched)",
                e->name, rest);
        } else {
            x->pos = e->pos;
            if (!embed_methods(x, d->iface)) {
                FILE_ERROR(c, f, e->pos,
                    "interface %s invalid (too much embedded)", def->name);
                break;
            }
            embeds[n++] = d->iface;
        }
    }
    out->embeds = embeds;
    out->nembeds = n;
}

static void compile_iface(
    struct ctx *c, struct package *p, struct decl *d, struct ir_iface *out)
{
    const struct ast_iface *def = d->ast;
    struct embedding x = {.c = c, .f = d->file};
    struct map methods = {0};
    size_t i;

    out->name = d->name;
    out->doc = def->doc;
    out->pos = (struct ir_pos){d->file->base, d->pos.line, d->pos.col};
    out->package = &p->ir;
    compile_methods(c, d->file, def, &methods, out);
    for (i = 0; i < out->nmethods; i++)
        own(c, &x.seen, out, &out->methods[i]);
    compile_embeds(&x, def, out);
    d->iface = out;
}

bool compile_ifaces(struct ctx *c, struct package *p)
{
    int before = c->nerrors;
    struct list sorted = {0};
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
