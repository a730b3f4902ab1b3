/* BSD-3-Clause; see LICENSE. */
/*
 * Names of a package and of its files' imports, and the order of the stages.
 */
#include "compile.h"

#include <stdlib.h>

#include "names.h"

static char *lower_case(struct ctx *c, const char *s)
{
    char *out = ctx_str(c, s), *p;

    for (p = out; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return out;
}

/* ---- names --------------------------------------------------------------- */

static const char *decl_what(enum decl_kind kind)
{
    static const char *const names[] = {"type", "const", "error", "interface"};

    return names[kind];
}

struct decl *declare(struct ctx *c, struct file *f, enum decl_kind kind,
    const char *what, const char *name, struct pos pos)
{
    struct package *p = f->package;
    const struct import *imp = map_get(&f->imports, name);
    const char *lower = lower_case(c, name), *reason;
    struct decl *d = map_get(&p->lower, lower);

    reason = name_check(name, kind == DECL_CONST ? NAME_CONST : NAME_NORMAL);
    if (reason == NULL && builtin_name(name) != NULL)
        reason = "name is built in";
    if (reason != NULL) {
        FILE_ERROR(c, f, pos, "%s %s invalid name (%s)", what, name, reason);
        return NULL;
    }
    if (imp != NULL) {
        FILE_ERROR(c, f, pos, "%s %s name conflict (previous import at %d:%d)",
            what, name, imp->pos.line, imp->pos.col);
        return NULL;
    }
    if (d != NULL) {
        FILE_ERROR(c, f, pos, "%s %s name conflict (previous %s at %s:%d:%d)",
            what, name, decl_what(d->kind), d->file->base, d->pos.line,
            d->pos.col);
        return NULL;
    }
    d = ctx_new(c, struct decl);
    d->kind = kind;
    d->name = name;
    d->file = f;
    d->pos = pos;
    d->exported = name_exported(name);
    map_put(c, &p->lower, lower, d);
    map_put(c, &p->decls, name, d);
    return d;
}

/* The part of a dotted name up to the next dot; no name is longer. */
#define PART_MAX 256

static const char *take_part(const char *name, char part[PART_MAX])
{
    size_t n = strcspn(name, ".");

    if (*name == '"') /* the path of a package */
        n = strcspn(name + 1, "\"") + 2;
    if (n >= PART_MAX)
        return NULL;
    memcpy(part, name, n);
    part[n] = '\0';
    return name + n;
}

const struct decl *resolve_name(
    struct file *f, const char *name, const char **rest)
{
    char part[PART_MAX];
    struct import *imp;
    const struct decl *d;

    *rest = take_part(name, part);
    if (*rest == NULL)
        return NULL;
    d = builtin_name(part);
    if (d == NULL)
        d = map_get(&f->package->decls, part);
    if (d != NULL)
        return d->kind == DECL_ERROR ? NULL : d;
    imp = map_get(&f->imports, part);
    if (imp == NULL)
        return NULL;
    imp->used = true;
    if (**rest == '\0' || imp->package == NULL)
        return NULL;
    *rest = take_part(*rest + 1, part);
    if (*rest == NULL)
        return NULL;
    d = map_get(&imp->package->decls, part);
    return d != NULL && d->exported && d->kind != DECL_ERROR ? d : NULL;
}

/* ---- imports ------------------------------------------------------------- */

static const char *last_element(const char *path)
{
    const char *s = strrchr(path, '/');

    return s == NULL ? path : s + 1;
}

static void add_import(struct ctx *c, struct file *f, const char *local,
    const char *path, struct pos pos, bool used)
{
    struct import *imp = map_get(&f->imports, local);

    if (imp != NULL) {
        FILE_ERROR(c, f, pos, "import %s reused (previous at %d:%d)", local,
            imp->pos.line, imp->pos.col);
        return;
    }
    imp = ctx_new(c, struct import);
    imp->path = path;
    imp->pos = pos;
    imp->package = map_get(&c->packages, path);
    imp->used = used;
    map_put(c, &f->imports, local, imp);
    list_push(c, &f->import_list, imp);
    if (imp->package == NULL)
        FILE_ERROR(c, f, pos, "import path \"%s\" not found", path);
    else if (!list_has(&f->package->imports, imp->package))
        list_push(c, &f->package->imports, imp->package);
}

static void compile_imports(struct ctx *c, struct package *p)
{
    size_t i, k;

    for (i = 0; i < p->files.n; i++) {
        struct file *f = p->files.v[i];

        for (k = 0; k < f->ast->imports.n; k++) {
            const struct ast_import *d = f->ast->imports.v[k];

            add_import(c, f, d->name != NULL ? d->name : last_element(d->path),
                d->path, d->pos, false);
        }
    }
}

/*
 * An import that a config file has without saying so. The Go tool refuses a
 * vdl.config that does not make use of it, so such a file would do for this
 * tool only.
 */
static void add_implicit(struct ctx *c, struct file *f, const char *path)
{
    size_t i;

    for (i = 0; i < f->ast->imports.n; i++) {
        const struct ast_import *d = f->ast->imports.v[i];

        if (strcmp(d->path, path) == 0)
            return;
    }
    add_import(c, f, last_element(path), path, f->ast->package_pos,
        strcmp(path, "vdltool") != 0);
}

static void check_unused(struct ctx *c, struct package *p)
{
    size_t i, k;

    for (i = 0; i < p->files.n; i++) {
        struct file *f = p->files.v[i];

        for (k = 0; k < f->import_list.n; k++) {
            const struct import *imp = f->import_list.v[k];

            if (!imp->used)
                FILE_ERROR(
                    c, f, imp->pos, "import path \"%s\" unused", imp->path);
        }
    }
}

/* ---- packages ------------------------------------------------------------ */

/* All files agree on the package's name and on the file doc. */
static void check_files(struct ctx *c, struct package *p)
{
    static const struct pos start = {1, 1};
    struct file *first = p->files.v[0], *f;
    const char *reason;
    size_t i;

    p->ir.name = first->ast->package;
    p->ir.file_doc = first->ast->file_doc;
    for (i = 1; i < p->files.n; i++) {
        f = p->files.v[i];
        if (strcmp(f->ast->package, p->ir.name) != 0)
            ctx_fail(c,
                "Files in the same directory must be in the same "
                "package; %s has package %s, but %s has package %s",
                first->base, p->ir.name, f->base, f->ast->package);
        if (strcmp(f->ast->file_doc, p->ir.file_doc) != 0)
            FILE_ERROR(c, f, start,
                "all files in a package must have the same "
                "file doc (the comment on the first line of each *.vdl file "
                "that isn't package doc)");
    }
    reason = name_check(p->ir.name, NAME_NORMAL);
    if (reason != NULL)
        ctx_fail(c, "package %s invalid name (%s)", p->ir.name, reason);
}

static int by_path(const void *a, const void *b)
{
    return strcmp((*(const struct ir_package *const *)a)->path,
        (*(const struct ir_package *const *)b)->path);
}

static void set_deps(struct ctx *c, struct package *p)
{
    const struct ir_package **deps;
    size_t i;

    deps = ctx_array(c, const struct ir_package *, p->imports.n);
    for (i = 0; i < p->imports.n; i++)
        deps[i] = &((struct package *)p->imports.v[i])->ir;
    if (p->imports.n > 1)
        qsort(deps, p->imports.n, sizeof(deps[0]), by_path);
    p->ir.deps = deps;
    p->ir.ndeps = p->imports.n;
}

typedef bool stage(struct ctx *c, struct package *p);

/* Everything but the check for unused imports. */
static bool compile_parsed(struct ctx *c, struct package *p)
{
    static stage *const stages[] = {
        compile_types, compile_errors, compile_consts, compile_ifaces};
    int before = c->nerrors;
    size_t i;

    check_files(c, p);
    if (c->nerrors != before)
        return false;
    p->imports.n = 0;
    compile_imports(c, p);
    if (c->nerrors != before)
        return false;
    for (i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (!stages[i](c, p) || c->nerrors != before)
            return false;
    }
    set_deps(c, p);
    return true;
}

bool compile_package(struct ctx *c, struct package *p)
{
    int before = c->nerrors;
    bool ok = true;
    size_t i;

    if (p->compiled)
        return !p->failed;
    p->compiled = p->failed = true;
    ctx_trace(c, "%s: compiling", p->ir.path);
    for (i = 0; i < p->imports.n; i++)
        ok = ok && !((struct package *)p->imports.v[i])->failed;
    if (!ok)
        return false; /* reported there */
    for (i = 0; i < p->files.n; i++) {
        struct file *f = p->files.v[i];

        f->ast = parse(c, &f->src, PARSE_FILE);
    }
    if (c->nerrors != before)
        return false;
    if (!compile_parsed(c, p))
        return false;
    check_unused(c, p);
    p->failed = !check_config(c, p) || c->nerrors != before;
    return !p->failed;
}

bool compile_config(struct ctx *c, const struct source *src,
    const char *pkg_path, const char *const *implicit, size_t nimplicit,
    const struct vdl_type *type, struct vdl_any *out)
{
    struct package *p = ctx_new(c, struct package);
    struct file *f = ctx_new(c, struct file);
    int before = c->nerrors;
    size_t i;

    p->ir.path = p->ir.gen_path = pkg_path;
    f->base = last_element(src->path);
    f->src = *src;
    f->package = p;
    list_push(c, &p->files, f);
    f->ast = parse(c, src, PARSE_CONFIG);
    if (f->ast == NULL)
        return false;
    for (i = 0; i < nimplicit; i++)
        add_implicit(c, f, implicit[i]);
    if (!compile_parsed(c, p))
        return false;
    if (!compile_const(c, f, "config", type, f->ast->config, out))
        return false;
    check_unused(c, p);
    return c->nerrors == before;
}
