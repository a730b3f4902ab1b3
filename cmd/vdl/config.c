/* BSD-3-Clause; see LICENSE. */
/*
 * Rules for the content of a vdl.config (spec/vdl.md section 8) that its type
 * does not express. They concern generators for other languages; a package
 * that breaks them would be refused by their tools.
 */
#include <vom/value.h>

#include "compile.h"

/* The packages that may have native types: those that all tools know. */
static const char *const native_packages[] = {"math", "time",
    "v.io/v23/security", "v.io/v23/vdl", "v.io/v23/vdl/vdltest",
    "v.io/x/ref/lib/vdl/testdata/nativetest"};

/* ---- parts of a value ---------------------------------------------------- */

/* A field of a struct. The config's type is that of package vdltool. */
static struct vdl_any field(struct vdl_any v, const char *name)
{
    int i = vdl_type_field_index(v.type, vdl_str(name));
    struct vdl_any out = {NULL, NULL};

    if (i >= 0) {
        out.type = v.type->fields[i].type;
        out.val = (const char *)v.val + v.type->fields[i].offset;
    }
    return out;
}

static struct vdl_str string_field(struct vdl_any v, const char *name)
{
    struct vdl_any s = field(v, name);

    return s.type != NULL && s.type->kind == VDL_STRING
               ? *(const struct vdl_str *)s.val
               : vdl_str("");
}

/* Element i of a list; type NULL: there is none. */
static struct vdl_any element(struct vdl_any list, uint32_t i)
{
    const struct vdl_list *l = list.val;
    struct vdl_any out = {NULL, NULL};

    if (list.type != NULL && list.type->kind == VDL_LIST && i < l->n) {
        out.type = list.type->elem;
        out.val = (const char *)l->v + i * list.type->stride;
    }
    return out;
}

/* ---- native types -------------------------------------------------------- */

static bool contains(struct vdl_str s, struct vdl_str part)
{
    uint32_t i;

    for (i = 0; i + part.n <= s.n; i++) {
        if (memcmp(s.p + i, part.p, part.n) == 0)
            return true;
    }
    return false;
}

/* Why an import of a native type is wrong, or NULL. */
static const char *check_import(
    struct ctx *c, struct vdl_any native, struct vdl_any import)
{
    struct vdl_str path = string_field(import, "Path");
    struct vdl_str name = string_field(import, "Name");
    const char *prefix;

    if (path.n == 0 || name.n == 0)
        return "empty GoImport.Path or Name";
    prefix = ctx_printf(c, "%.*s.", (int)name.n, name.p);
    if (contains(string_field(native, "Type"), vdl_str(prefix)) ||
        contains(string_field(native, "ToNative"), vdl_str(prefix)) ||
        contains(string_field(native, "FromNative"), vdl_str(prefix)))
        return NULL;
    name = string_field(native, "Type");
    return ctx_printf(c,
        "native type \"%.*s\" doesn't contain import prefix "
        "\"%s\"",
        (int)name.n, name.p, prefix);
}

static const char *check_zero(struct ctx *c, struct vdl_any native)
{
    struct vdl_any zero = field(native, "Zero"), mode;
    struct vdl_str type = string_field(native, "Type");

    if (zero.type == NULL)
        return NULL;
    mode = field(zero, "Mode");
    if (string_field(zero, "IsZero").n > 0 ||
        (mode.type != NULL && mode.type->kind == VDL_ENUM &&
            vdl_str_cmp(mode.type->labels[vdl_get_enum(mode.type, mode.val)],
                vdl_str("Unique")) == 0))
        return NULL;
    return ctx_printf(c,
        "native type \"%.*s\" must be either Mode:Unique or "
        "have a non-empty IsZero",
        (int)type.n, type.p);
}

static void check_native(struct ctx *c, const struct package *p,
    struct vdl_str wire, struct vdl_any native)
{
    const char *base = ctx_strn(c, wire.p, wire.n);
    const char *why = NULL, *what = base;
    const struct decl *d;
    struct vdl_any imports = field(native, "Imports"), import;
    uint32_t i = 0;

    base += *base == '*'; /* an optional type */
    d = map_get(&p->decls, base);
    if (d == NULL || d->kind != DECL_TYPE)
        ctx_fail(c, "%s: type %s specified in Go.WireToNativeTypes undefined",
            p->config_src.path, what);
    if (string_field(native, "Type").n == 0)
        why = "empty GoType.Type";
    for (; why == NULL; i++) {
        import = element(imports, i);
        if (import.type == NULL)
            break;
        why = check_import(c, native, import);
    }
    if (why == NULL)
        why = check_zero(c, native);
    if (why != NULL)
        ctx_fail(c,
            "%s: type %s specified in Go.WireToNativeTypes invalid "
            "(%s)",
            p->config_src.path, what, why);
}

bool check_config(struct ctx *c, const struct package *p)
{
    const struct vdl_list *l;
    struct vdl_any go, native;
    int before = c->nerrors;
    const char *at;
    uint32_t i;
    size_t k;

    if (p->config.type == NULL)
        return true;
    go = field(p->config, "Go");
    go = go.type == NULL ? go : field(go, "WireToNativeTypes");
    if (go.type == NULL || go.type->kind != VDL_MAP)
        return true;
    l = go.val;
    for (k = 0; k < sizeof(native_packages) / sizeof(native_packages[0]); k++)
        if (strcmp(native_packages[k], p->ir.path) == 0)
            break;
    if (l->n > 0 && k == sizeof(native_packages) / sizeof(native_packages[0])) {
        ctx_fail(c,
            "%s: Go.WireToNativeTypes is restricted to whitelisted "
            "VDL packages",
            p->config_src.path);
        return false;
    }
    at = l->v;
    for (i = 0; i < l->n; i++, at += go.type->stride) {
        native.type = go.type->elem;
        native.val = at + go.type->val_off;
        check_native(c, p, *(const struct vdl_str *)(const void *)at, native);
    }
    return c->nerrors == before;
}
