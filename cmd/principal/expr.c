/* BSD-3-Clause; see LICENSE. */
/*
 * VDL expressions on the command line, by the compiler's front end. Packages
 * that an expression names are compiled from VDLPATH; those of the wanted type
 * are known without.
 */
#include "expr.h"

#include <stdlib.h>
#include <string.h>

#include <resolve.h>
#include <vom/value.h>

#include "principal.h"

void expr_init(struct expr *x)
{
    ctx_init(&x->c);
    x->c.max_errors = 10;
}

void expr_fini(struct expr *x)
{
    ctx_fini(&x->c);
}

/* Length of a quoted text, both quotes included; 0 when it does not end. */
static size_t quoted(const char *s)
{
    size_t n = 1;

    while (s[n] != 0 && s[n] != '"')
        n += s[n] == '\\' && s[n + 1] != 0 ? 2 : 1;
    return s[n] == 0 ? 0 : n + 1;
}

/* The packages in `"pkg/path".Name`, in new memory. */
static void find_packages(struct ctx *c, const char *text, struct list *out)
{
    size_t n;

    for (; *text != 0; text++) {
        if (*text != '"')
            continue;
        n = quoted(text);
        if (n == 0)
            return;
        if (text[n] == '.')
            list_push(c, out, ctx_strn(c, text + 1, n - 2));
        text += n - 1;
    }
}

/* Compile the packages that an expression names, as far as they are found. */
static bool load(struct ctx *c, const struct list *names)
{
    const struct resolve_options opt = { .ignore_unknown = true };
    struct list packages = { 0 };
    size_t i;

    resolve(c, &opt, (const char *const *)(void *)names->v, names->n,
        &packages);
    for (i = 0; i < packages.n && c->nerrors == 0; i++) {
        struct package *p = packages.v[i];

        if (!p->compiled && !compile_package(c, p))
            break;
    }
    return c->nerrors == 0;
}

int expr_eval(struct expr *x, struct vdl_str text,
    const struct vdl_type *type, struct vdl_any *out)
{
    struct ctx *c = &x->c;
    struct list names = { 0 }, values = { 0 };
    const char *own = ctx_strn(c, text.p, text.n), *path = getenv("VDLPATH");
    struct source src = { "_expr/_expr.vdl", own, text.n };
    bool sources = path != NULL && *path != 0;

    find_packages(c, own, &names);
    if ((names.n > 0 && sources && !load(c, &names))
        || !compile_exprs(c, &src, &type, 1, &values))
        return v23_error("failed to parse caveats: can't build expression "
            "%s:\n%s%s", own, v23_buf_cstr(&c->errors), names.n == 0 || sources
            ? "" : "(VDLPATH names no folders with VDL packages)");
    if (values.n != 1)
        return v23_error("failed to parse caveats: %s is not one expression",
            own);
    *out = *(const struct vdl_any *)values.v[0];
    if (type->kind == VDL_ANY)
        *out = *(const struct vdl_any *)out->val;
    return 0;
}
