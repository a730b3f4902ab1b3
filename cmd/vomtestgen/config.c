/* BSD-3-Clause; see LICENSE. */
/*
 * The config file: compiled like any other, then taken apart. Its types are
 * those of the packages it imports, so what is wrong with the constant is
 * reported where it stands.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "resolve.h"
#include "testgen.h"

/* ---- packages ------------------------------------------------------------ */

/* Some element of VDLPATH holds the directory. */
static bool below_root(struct ctx *c, const char *dir)
{
    const char *s = getenv("VDLPATH");
    size_t n;

    for (; s != NULL && *s != '\0'; s += n + (s[n] != '\0')) {
        n = strcspn(s, ":");
        if (n != 0 && path_below(dir, path_abs(c, ctx_strn(c, s, n))) != NULL)
            return true;
    }
    return false;
}

/* Compile what the config imports, and the package of its directory. */
static void load_packages(struct ctx *c, const struct ast_file *ast,
    const char *dir, const struct resolve_options *opt, struct testdata *d)
{
    const char **args = ctx_array(c, const char *, ast->imports.n + 1);
    struct list packages = {0};
    size_t i, n = 0;

    for (i = 0; i < ast->imports.n; i++)
        args[n++] = ((const struct ast_import *)ast->imports.v[i])->path;
    if (below_root(c, dir))
        args[n++] = dir;
    if (n > 0)
        resolve(c, opt, args, n, &packages);
    for (i = 0; c->nerrors == 0 && i < packages.n; i++) {
        struct package *p = packages.v[i];

        (void)compile_package(c, p);
        if (p->ir.dir != NULL && strcmp(p->ir.dir, dir) == 0)
            d->own = p;
    }
}

/* ---- the constant -------------------------------------------------------- */

static bool is_list_of(const struct vdl_type *t, const struct vdl_type *elem)
{
    return t->kind == VDL_LIST && t->elem == elem;
}

static bool is_values(const struct vdl_type *t)
{
    if (t->kind == VDL_MAP && t->key == &vdl_byte_desc)
        t = t->elem;
    return is_list_of(t, &vdl_any_desc);
}

static bool is_map_of_lists(const struct vdl_type *t)
{
    return t->kind == VDL_MAP && t->key == &vdl_string_desc &&
           t->elem->kind == VDL_LIST;
}

/* struct { Name string; PrimaryType typeobject; Values []any } */
static bool is_group(const struct vdl_type *t)
{
    return t->kind == VDL_STRUCT && t->name.n != 0 && t->count == 3 &&
           t->fields[0].type == &vdl_string_desc &&
           t->fields[1].type == &vdl_typeobject_desc &&
           is_list_of(t->fields[2].type, &vdl_any_desc);
}

static bool is_test_case(const struct vdl_type *t)
{
    uint32_t i;

    if (t->kind != VDL_STRUCT || t->count != 7)
        return false;
    for (i = 0; i < t->count; i++) {
        if (t->fields[i].type != (i == 1 ? &vdl_any_desc : &vdl_string_desc))
            return false;
    }
    return true;
}

static void take_fields(struct ctx *c, struct vdl_any v, struct testdata *d)
{
    uint32_t i;

    for (i = 0; i < v.type->count; i++) {
        const struct vdl_field *f = &v.type->fields[i];
        struct vdl_any x = {f->type, (const char *)v.val + f->offset};

        if (vdl_str_is(f->name, "EncodeDecodeData") && is_values(x.type)) {
            d->values = x;
        } else if (vdl_str_is(f->name, "CompatData") &&
                   is_map_of_lists(x.type) &&
                   x.type->elem->elem == &vdl_typeobject_desc) {
            d->compat = x;
        } else if (vdl_str_is(f->name, "ConvertData") &&
                   is_map_of_lists(x.type) && is_group(x.type->elem->elem)) {
            d->convert = x;
            d->group = x.type->elem->elem;
        } else {
            ctx_error(c, &d->src, d->at.line, d->at.col,
                "invalid config (field %.*s %s has no meaning here)",
                (int)f->name.n, f->name.p, type_text(c, f->type));
        }
    }
}

/* Where TestCase is defined: beside the type of the config, or here. */
static const struct package *home(
    struct ctx *c, const struct testdata *d, const struct vdl_type *t)
{
    uint32_t n = t->name.n;

    while (n > 0 && t->name.p[n - 1] != '.')
        n--;
    return n == 0 ? d->own
                  : map_get(&c->packages, ctx_strn(c, t->name.p, n - 1));
}

static void find_test_case(
    struct ctx *c, struct testdata *d, const struct vdl_type *t)
{
    const struct package *p = home(c, d, t);
    const struct decl *decl = p == NULL ? NULL : map_get(&p->decls, "TestCase");

    if (decl != NULL && decl->kind == DECL_TYPE && is_test_case(decl->type)) {
        d->test_case = decl->type;
        return;
    }
    ctx_error(c, &d->src, d->at.line, d->at.col,
        "package %s has no type TestCase struct { Name string; Value any; "
        "TypeString, Hex, HexVersion, HexType, HexValue string }",
        p == NULL ? "of the directory" : p->ir.path);
}

static void take_config(struct ctx *c, struct vdl_any v, struct testdata *d)
{
    if (is_values(v.type)) {
        d->values = v;
    } else if (v.type->kind == VDL_STRUCT) {
        take_fields(c, v, d);
    } else {
        ctx_error(c, &d->src, d->at.line, d->at.col,
            "invalid config (%s is neither []any nor a struct)",
            type_text(c, v.type));
    }
    if (c->nerrors == 0 && d->values.type != NULL)
        find_test_case(c, d, v.type);
}

bool load_config(struct ctx *c, const char *path, const char *output,
    const char *exts, struct testdata *out)
{
    struct resolve_options opt = {
        .ignore_unknown = true, .exts = exts, .skip = path_abs(c, output)};
    const char *abs = path_abs(c, path), *dir;
    const struct ast_file *ast;
    struct vdl_any v;

    memset(out, 0, sizeof(*out));
    out->src.path = path;
    if (!read_file(c, path, &out->src.text, &out->src.len)) {
        ctx_fail(c, "%s: couldn't open (%s)", path, strerror(errno));
        return false;
    }
    dir = ctx_strn(c, abs, strlen(abs) - strlen(path_base(abs)) - 1);
    ast = parse(c, &out->src, PARSE_CONFIG);
    if (ast == NULL)
        return false;
    out->at = ast->config->pos;
    load_packages(c, ast, dir, &opt, out);
    if (c->nerrors > 0 ||
        !compile_config(c, &out->src, path, NULL, 0, NULL, &v))
        return false;
    out->package = out->own != NULL ? out->own->ir.name : path_base(dir);
    take_config(c, v, out);
    return c->nerrors == 0;
}
