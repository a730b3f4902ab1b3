/* BSD-3-Clause; see LICENSE. */
/*
 * Expressions outside of any package (spec/vdl.md 3, ExprList): the arguments
 * of a call or a caveat. Their types come from a server or program and not from
 * VDL files; the named ones are put into packages made up for them, if those are
 * not compiled already.
 */
#include <string.h>

#include <vom/print.h>

#include "compile.h"
#include "constant.h"

/* The package of that path, imported under its quoted path; one of a single
 * element also under its name. */
static struct package *package_of(
    struct ctx *c, struct file *f, const char *path)
{
    const char *quoted = ctx_printf(c, "\"%s\"", path);
    struct import *imp = map_get(&f->imports, quoted);

    if (imp != NULL)
        return imp->package;
    imp = ctx_new(c, struct import);
    imp->path = path;
    imp->package = map_get(&c->packages, path);
    if (imp->package == NULL) {
        imp->package = ctx_new(c, struct package);
        imp->package->ir.path = path;
    }
    map_put(c, &f->imports, quoted, imp);
    if (strpbrk(path, "/.") == NULL)
        map_put(c, &f->imports, path, imp);
    return imp->package;
}

static void add_type(struct ctx *c, struct file *f, const struct vdl_type *t)
{
    const char *full = ctx_strn(c, t->name.p, t->name.n);
    const char *dot = strrchr(full, '.');
    struct package *p = f->package;
    struct decl *d = ctx_new(c, struct decl);

    if (dot != NULL)
        p = package_of(c, f, ctx_strn(c, full, (size_t)(dot - full)));
    d->kind = DECL_TYPE;
    d->name = dot == NULL ? full : dot + 1;
    d->exported = true;
    d->type = t;
    if (map_get(&p->decls, d->name) == NULL)
        map_put(c, &p->decls, d->name, d);
}

static void add_types(struct ctx *c, struct file *f,
    const struct vdl_type *const *types, size_t n)
{
    struct vdl_named names;
    size_t i;

    vdl_named_init(&names, NULL);
    for (i = 0; i < n; i++)
        ctx_must(vdl_named_add(&names, types[i]));
    for (i = 0; i < names.n; i++)
        add_type(c, f, names.v[i]);
    vdl_named_fini(&names);
}

/* What is compiled can be named without being imported. */
static void add_packages(struct ctx *c, struct file *f)
{
    size_t i;

    for (i = 0; i < c->packages.cap; i++)
        if (c->packages.slots[i].key != NULL)
            (void)package_of(c, f, c->packages.slots[i].key);
}

bool compile_exprs(struct ctx *c, const struct source *src,
    const struct vdl_type *const *types, size_t n, struct list *out)
{
    struct package *p = ctx_new(c, struct package);
    struct file *f = ctx_new(c, struct file);
    int before = c->nerrors;
    size_t i;

    p->ir.path = p->ir.gen_path = p->ir.name = f->base = "_expr";
    f->src = *src;
    f->package = p;
    f->ast = parse(c, src, PARSE_EXPRS);
    if (f->ast == NULL)
        return false;
    add_packages(c, f);
    add_types(c, f, types, n);
    for (i = 0; i < f->ast->exprs.n; i++) {
        const struct vdl_type *t = types[i < n ? i : n - 1];
        struct vdl_any *v = ctx_new(c, struct vdl_any), own;
        void *place;

        if (!compile_const(c, f, "expression", t, f->ast->exprs.v[i], &own))
            continue;
        place = ctx_get(c, t->size);
        value_store(t, place, own);
        v->type = t;
        v->val = place;
        list_push(c, out, v);
    }
    return c->nerrors == before;
}
