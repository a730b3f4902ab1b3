/* BSD-3-Clause; see LICENSE. */
/*
 * Patterns with "..." that stand for packages (spec/vdl.md 4.3).
 */
#include "resolve_int.h"

#include "fs.h"

struct wildcard {
    struct resolver *r;
    const char *pattern;
    const char *base;        /* directory form: what paths are relative to */
    const struct root *root; /* import form */
    bool any;
    struct list found; /* struct package */
};

static bool wildcard_matches(const struct wildcard *w, const char *dir)
{
    struct ctx *c = w->r->c;
    const char *below;

    if (w->root == NULL)
        return path_match(c, w->pattern, path_below(dir, w->base));
    below = path_below(dir, w->root->dir);
    if (path_match(c, w->pattern, below))
        return true;
    return w->root->module != NULL &&
           path_match(c, w->pattern, path_join(c, w->root->module, below));
}

static bool under_vdlroot(const struct wildcard *w, const char *dir)
{
    struct ctx *c = w->r->c;
    const char *below;

    if (w->root == NULL)
        return false;
    below = path_below(dir, w->root->dir);
    if (w->root->module != NULL)
        below = path_join(c, w->root->module, below);
    return path_below(below, VDLROOT_PATH) != NULL;
}

static void found(struct wildcard *w, struct package *p)
{
    if (p == NULL)
        return;
    w->any = true;
    list_push(w->r->c, &w->found, p);
}

/* Depth is that of the file system; PATH_MAX bounds it. */
static void walk(struct wildcard *w, const char *dir)
{
    struct list names = {0};
    const char *sub;
    size_t i;

    if (under_vdlroot(w, dir) || !list_dir(w->r->c, dir, &names))
        return;
    if (wildcard_matches(w, dir))
        found(w, resolve_dir(w->r, dir, false));
    for (i = 0; i < names.n; i++) {
        sub = path_join(w->r->c, dir, names.v[i]);
        if (!ignored_name(names.v[i]) && is_real_dir(sub))
            walk(w, sub);
    }
}

/* Everything before the last '/' in front of the first wildcard. */
static const char *fixed_part(struct ctx *c, const char *pattern)
{
    const char *dots = strstr(pattern, "...");
    size_t n = (size_t)(dots - pattern);

    while (n > 0 && pattern[n - 1] != '/')
        n--;
    return ctx_strn(c, pattern, n);
}

static void wildcard_in_root(struct wildcard *w)
{
    struct ctx *c = w->r->c;
    const char *fixed = path_clean(c, fixed_part(c, w->pattern)), *below;

    below = w->root->module == NULL ? NULL : path_below(fixed, w->root->module);
    walk(w, path_join(c, w->root->dir, fixed));
    if (below != NULL)
        walk(w, path_join(c, w->root->dir, below));
    else if (w->root->module != NULL && strcmp(fixed, ".") != 0 &&
             path_below(w->root->module, fixed) != NULL)
        walk(w, w->root->dir);
}

bool resolve_wildcard(struct resolver *r, const char *pattern, struct list *out)
{
    struct wildcard w;
    const char *fixed;
    size_t i;

    memset(&w, 0, sizeof(w));
    w.r = r;
    w.pattern = pattern;
    if (is_dir_path(pattern)) {
        fixed = fixed_part(r->c, pattern);
        w.pattern = path_clean(r->c, pattern + strlen(fixed));
        w.base = path_abs(r->c, fixed);
        walk(&w, w.base);
    } else {
        w.pattern = pattern = path_clean(r->c, pattern);
        for (i = 0; i < r->builtins.n; i++) {
            struct package *p = r->builtins.v[i];

            if (p->root && path_match(r->c, pattern, p->ir.path)) {
                add_package(r, p);
                found(&w, p);
            }
        }
        for (i = 0; i < r->roots.n; i++) {
            w.root = r->roots.v[i];
            wildcard_in_root(&w);
        }
    }
    *out = w.found;
    return w.any;
}
