/* BSD-3-Clause; see LICENSE. */
/*
 * Finding packages: source roots (VDLROOT, VDLPATH, with the module name of a
 * go.mod), built-in packages, wildcards; then the order to build them in.
 *
 * A package is read as soon as it is found, and its imports are resolved
 * before it returns, so a missing import is reported with the file that asks
 * for it. Package vdltool is compiled first of all, because every vdl.config
 * depends on it.
 */
#include "resolve_int.h"

#include <errno.h>
#include <stdlib.h>

#include "fs.h"

/* An unknown path that the user may have asked to ignore. */
#define UNKNOWN(r, strict, ...)                                                \
    do {                                                                       \
        if (strict)                                                            \
            ctx_fail((r)->c, __VA_ARGS__);                                     \
        else                                                                   \
            ctx_trace((r)->c, __VA_ARGS__);                                    \
    } while (0)

/* ---- source roots -------------------------------------------------------- */

/* The name after "module" in a go.mod. */
static const char *module_name(struct ctx *c, const char *text, size_t len)
{
    const char *p = text, *end = text + len, *eol;
    size_t n;

    for (; p < end; p = eol + 1) {
        eol = memchr(p, '\n', (size_t)(end - p));
        if (eol == NULL)
            eol = end;
        for (; p < eol && (*p == ' ' || *p == '\t'); p++)
            ;
        if (eol - p < 7 || memcmp(p, "module", 6) != 0 ||
            (p[6] != ' ' && p[6] != '\t'))
            continue;
        for (p += 6; p < eol && (*p == ' ' || *p == '\t' || *p == '"'); p++)
            ;
        for (n = 0; p + n < eol && strchr(" \t\r\"", p[n]) == NULL; n++)
            ;
        return n == 0 ? NULL : ctx_strn(c, p, n);
    }
    return NULL;
}

static void add_root(struct resolver *r, const char *dir, bool standard)
{
    struct root *root = ctx_new(r->c, struct root);
    const char *text, *gomod;
    size_t len;

    root->dir = path_abs(r->c, dir);
    root->standard = standard;
    gomod = path_join(r->c, root->dir, "go.mod");
    if (is_file(gomod)) {
        if (read_file(r->c, gomod, &text, &len))
            root->module = module_name(r->c, text, len);
        if (root->module == NULL)
            ctx_fail(r->c,
                "failed to read go.mod: failed to find module "
                "statement in %s",
                gomod);
    }
    list_push(r->c, &r->roots, root);
}

static void add_roots(struct resolver *r)
{
    const char *s = getenv("VDLROOT"), *end;
    size_t before;

    if (s != NULL && *s != '\0') {
        r->has_vdlroot = true;
        if (is_dir(s))
            add_root(r, s, true);
        else
            ctx_fail(r->c, "VDLROOT \"%s\" doesn't exist: %s",
                path_abs(r->c, s), strerror(errno));
    }
    before = r->roots.n;
    s = getenv("VDLPATH");
    for (; s != NULL && *s != '\0'; s = *end == '\0' ? end : end + 1) {
        end = s + strcspn(s, ":");
        if (end > s)
            add_root(r, ctx_strn(r->c, s, (size_t)(end - s)), false);
    }
    if (r->roots.n == before)
        ctx_fail(r->c, "No src dirs; set VDLPATH to a valid value");
}

/* ---- reading packages ---------------------------------------------------- */

bool is_dir_path(const char *path)
{
    return path[0] == '/' || strcmp(path, ".") == 0 ||
           strcmp(path, "..") == 0 || strncmp(path, "./", 2) == 0 ||
           strncmp(path, "../", 3) == 0;
}

bool ignored_name(const char *name)
{
    return name[0] == '.' || name[0] == '_';
}

static bool valid_package_path(const char *path)
{
    for (;; path++) {
        if (ignored_name(path))
            return false;
        path = strchr(path, '/');
        if (path == NULL)
            return true;
    }
}

static void set_text(struct source *src, const char *text, size_t len)
{
    size_t mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    src->text = text + mark;
    src->len = len - mark;
}

static void add_file(struct ctx *c, struct package *p, const char *base,
    const char *text, size_t len)
{
    struct file *f = ctx_new(c, struct file);

    f->base = base;
    f->package = p;
    f->src.path = ctx_printf(c, "%s/%s", p->ir.path, base);
    set_text(&f->src, text, len);
    list_push(c, &p->files, f);
}

/* The name ends in one of the extensions. */
static bool is_source(const struct resolver *r, const char *name)
{
    const char *exts = r->opt->exts == NULL ? ".vdl" : r->opt->exts;
    const char *ext = strrchr(name, '.');
    size_t n;

    for (; ext != NULL && *exts != '\0'; exts += n + (exts[n] != '\0')) {
        n = strcspn(exts, ",");
        if (strlen(ext) == n && strncmp(ext, exts, n) == 0)
            return true;
    }
    return false;
}

/* NULL, or why a directory holds no package. */
static const char *read_package(struct resolver *r, struct package *p)
{
    struct ctx *c = r->c;
    struct list names = {0};
    const char *text, *full;
    size_t i, len;

    if (!list_dir(c, p->ir.dir, &names))
        return strerror(errno);
    for (i = 0; i < names.n; i++) {
        const char *name = names.v[i];

        full = path_join(c, p->ir.dir, name);
        if (ignored_name(name) || !is_source(r, name) || !is_file(full) ||
            (r->opt->skip != NULL && strcmp(full, r->opt->skip) == 0))
            continue;
        if (!read_file(c, full, &text, &len))
            return ctx_printf(c, "%s: %s", name, strerror(errno));
        add_file(c, p, name, text, len);
    }
    return p->files.n == 0 ? "no vdl files" : NULL;
}

/* Compile the package's vdl.config, if config_src says there is one. */
static bool take_config(struct resolver *r, struct package *p)
{
    static const char *const implicit[] = {"vdltool"};
    struct ctx *c = r->c;
    const struct package *vdltool = map_get(&c->packages, "vdltool");
    const struct decl *type;

    if (p->config_src.path == NULL)
        return true;
    if (r->bootstrap || vdltool == NULL || vdltool->failed) {
        ctx_fail(c,
            "%s: package \"%s\" cannot specify a config file; it is a "
            "transitive dependency of \"vdltool\"",
            p->config_src.path, p->ir.path);
        return false;
    }
    type = map_get(&vdltool->decls, "Config");
    return type != NULL && compile_config(c, &p->config_src, p->ir.path,
                               implicit, 1, type->type, &p->config);
}

/* The same for a package in a directory. */
static bool read_config(struct resolver *r, struct package *p)
{
    struct ctx *c = r->c;
    const char *path = path_join(c, p->ir.dir, c->config_name), *text;
    size_t len;

    if (!is_file(path))
        return true;
    p->config_src.path = path_join(c, p->ir.path, c->config_name);
    if (!read_file(c, path, &text, &len)) {
        ctx_fail(
            c, "%s: couldn't open (%s)", p->config_src.path, strerror(errno));
        return false;
    }
    set_text(&p->config_src, text, len);
    return take_config(r, p);
}

static struct package *resolve_import(
    struct resolver *r, const char *path, bool strict, const char *who);

/* Add a package that was found, and resolve what it imports. */
void add_package(struct resolver *r, struct package *p)
{
    struct ctx *c = r->c;
    size_t i, k;

    if (map_get(&r->sort.index, p->ir.path) != NULL)
        return;
    topo_node(c, &r->sort, p->ir.path, p);
    map_put(c, &c->packages, p->ir.path, p);
    if (p->ir.dir != NULL)
        map_put(c, &r->dirs, p->ir.dir, p);
    for (i = 0; i < p->files.n; i++) {
        struct file *f = p->files.v[i];
        struct ast_file *ast = parse(c, &f->src, PARSE_IMPORTS);

        if (ast == NULL)
            continue;
        if (p->ir.name == NULL)
            p->ir.name = ast->package;
        for (k = 0; k < ast->imports.n; k++) {
            const struct ast_import *imp = ast->imports.v[k];
            struct package *dep =
                resolve_import(r, imp->path, true, f->src.path);

            if (dep == NULL)
                continue;
            topo_edge(c, &r->sort, p->ir.path, dep->ir.path);
            if (!list_has(&p->imports, dep))
                list_push(c, &p->imports, dep);
        }
    }
}

/* ---- directories --------------------------------------------------------- */

/* Package path of a directory by the first root above it. */
static bool deduce_path(struct resolver *r, const char *dir, struct package *p)
{
    const char *below, *path;
    size_t i;

    for (i = 0; i < r->roots.n; i++) {
        const struct root *root = r->roots.v[i];

        below = path_below(dir, root->dir);
        if (below == NULL)
            continue;
        path = root->module == NULL ? path_clean(r->c, below)
                                    : path_join(r->c, root->module, below);
        p->ir.path = p->ir.gen_path = path;
        below = path_below(path, VDLROOT_PATH);
        if (below != NULL && *below != '\0')
            p->ir.path = below;
        else if (root->standard)
            p->ir.gen_path = path_join(r->c, VDLROOT_PATH, path);
        for (i = 0; i < std_count; i++) {
            if (std_packages[i].root &&
                strcmp(std_packages[i].path, p->ir.path) == 0)
                p->ir.gen_path = path_join(r->c, VDLROOT_PATH, p->ir.path);
        }
        p->root = strcmp(p->ir.path, p->ir.gen_path) != 0;
        return true;
    }
    return false;
}

struct package *resolve_dir(struct resolver *r, const char *dir, bool strict)
{
    const char *abs = path_abs(r->c, dir), *why;
    struct package *p = map_get(&r->dirs, abs), *o;

    if (p != NULL) {
        add_package(r, p);
        return p;
    }
    p = ctx_new(r->c, struct package);
    p->ir.dir = abs;
    if (!deduce_path(r, abs, p)) {
        ctx_fail(
            r->c, "%s: can't deduce package path (no matching src dirs)", abs);
        return NULL;
    }
    if (!valid_package_path(p->ir.path)) {
        UNKNOWN(
            r, strict, "%s: package path \"%s\" is invalid", abs, p->ir.path);
        return NULL;
    }
    o = map_get(&r->c->packages, p->ir.path);
    if (o != NULL && o->root && o->ir.dir == NULL) {
        /* The sources of a standard package; the tool has its own. */
        add_package(r, o);
        return o;
    }
    if (o != NULL) {
        UNKNOWN(r, strict, "%s: package path \"%s\" already resolved from %s",
            abs, p->ir.path, o->ir.dir == NULL ? "the tool" : o->ir.dir);
        return NULL;
    }
    if (!is_dir(abs)) {
        if (is_file(abs))
            UNKNOWN(r, strict, "%s: package isn't a directory", abs);
        else
            UNKNOWN(r, strict, "%s: %s", abs, strerror(ENOENT));
        return NULL;
    }
    why = read_package(r, p);
    if (why != NULL) {
        UNKNOWN(r, strict, "%s: bad package dir (%s)", abs, why);
        return NULL;
    }
    ctx_trace(r->c, "%s: package %s", abs, p->ir.path);
    if (!read_config(r, p))
        return NULL;
    add_package(r, p);
    return p;
}

/* ---- import paths -------------------------------------------------------- */

static struct package *find_builtin(
    struct resolver *r, const char *path, bool root)
{
    size_t i;

    for (i = 0; i < r->builtins.n; i++) {
        struct package *p = r->builtins.v[i];

        if (p->root != root || strcmp(p->ir.path, path) != 0)
            continue;
        if (!take_config(r, p))
            return NULL;
        add_package(r, p);
        return p;
    }
    return NULL;
}

static struct package *find_in_roots(
    struct resolver *r, const char *path, struct v23_buf *tried)
{
    const char *below, *dir;
    struct package *p = NULL;
    size_t i;

    for (i = 0; i < r->roots.n && p == NULL; i++) {
        const struct root *root = r->roots.v[i];

        dir = path_join(r->c, root->dir, path);
        v23_buf_printf(tried, "\n   %s", dir);
        if (is_dir(dir))
            p = resolve_dir(r, dir, false);
        below = root->module == NULL ? NULL : path_below(path, root->module);
        if (p == NULL && below != NULL) {
            dir = path_join(r->c, root->dir, below);
            if (is_dir(dir))
                p = resolve_dir(r, dir, false);
        }
    }
    return p;
}

static struct package *resolve_import(
    struct resolver *r, const char *path, bool strict, const char *who)
{
    int before = r->c->nerrors;
    struct v23_buf tried;
    struct package *p;

    path = path_clean(r->c, path);
    p = map_get(&r->c->packages, path);
    if (p != NULL) {
        add_package(r, p);
        return p;
    }
    if (!valid_package_path(path) || is_dir_path(path)) {
        UNKNOWN(r, strict, "%s: import path \"%s\" is invalid", who, path);
        return NULL;
    }
    if (path_below(path, VDLROOT_PATH) != NULL) {
        UNKNOWN(r, strict,
            "%s: import path \"%s\" is invalid (packages under "
            "vdlroot must be specified without the vdlroot prefix)",
            who, path);
        return NULL;
    }
    if (!r->opt->shipped)
        p = find_builtin(r, path, true);
    v23_buf_init(&tried, NULL, SIZE_MAX);
    if (p == NULL)
        p = find_in_roots(r, path, &tried);
    if (p == NULL)
        p = find_builtin(r, path, false);
    if (p == NULL && r->opt->shipped)
        p = find_builtin(r, path, true);
    if (p == NULL && r->c->nerrors == before)
        UNKNOWN(r, strict, "%s: can't resolve \"%s\" in any of:%s", who, path,
            v23_buf_cstr(&tried));
    v23_buf_fini(&tried);
    return p;
}

/* ---- entry point --------------------------------------------------------- */

static void add_builtin(struct resolver *r, const struct std_package *s)
{
    struct package *p = NULL;
    size_t len = s->len == 0 ? strlen(s->text) : s->len;

    if (r->builtins.n > 0)
        p = r->builtins.v[r->builtins.n - 1];
    if (p == NULL || strcmp(p->ir.path, s->path) != 0) {
        p = ctx_new(r->c, struct package);
        p->root = s->root;
        p->ir.path = p->ir.gen_path = s->path;
        if (s->root)
            p->ir.gen_path = path_join(r->c, VDLROOT_PATH, s->path);
        p->ir.builtin = true;
        list_push(r->c, &r->builtins, p);
    }
    if (strcmp(s->file, r->c->config_name) == 0) {
        p->config_src.path = path_join(r->c, s->path, s->file);
        set_text(&p->config_src, s->text, len);
    } else {
        add_file(r->c, p, s->file, s->text, len);
    }
}

static void add_builtins(struct resolver *r)
{
    size_t i;

    for (i = 0; i < std_count; i++) {
        if (!std_packages[i].root || !r->has_vdlroot)
            add_builtin(r, &std_packages[i]);
    }
    for (i = 0; i < r->opt->ngiven; i++)
        add_builtin(r, &r->opt->given[i]);
}

/* Sort, and start over with an empty graph. */
static bool take_sorted(struct resolver *r, struct list *out)
{
    const char *cycles = topo_sort(r->c, &r->sort, out, NULL);

    memset(&r->sort, 0, sizeof(r->sort));
    if (cycles == NULL)
        return true;
    ctx_fail(r->c, "cyclic package dependency: %s", cycles);
    return false;
}

static void bootstrap(struct resolver *r)
{
    struct list sorted = {0};
    size_t i;

    r->bootstrap = true;
    if (resolve_import(r, "vdltool", true, "<bootstrap>") == NULL ||
        !take_sorted(r, &sorted))
        return;
    for (i = 0; i < sorted.n; i++)
        (void)compile_package(r->c, sorted.v[i]);
    r->bootstrap = false;
}

static void resolve_arg(struct resolver *r, const char *arg)
{
    bool strict = !r->opt->ignore_unknown;
    int before = r->c->nerrors;
    struct list many = {0};
    struct package *p = NULL;
    size_t i;

    if (strcmp(arg, "all") == 0)
        arg = "...";
    if (strstr(arg, "...") != NULL)
        (void)resolve_wildcard(r, arg, &many);
    else if (is_dir_path(arg))
        p = resolve_dir(r, arg, strict);
    else
        p = resolve_import(r, arg, strict, "<root>");
    if (p != NULL)
        list_push(r->c, &many, p);
    for (i = 0; i < many.n; i++)
        ((struct package *)many.v[i])->named = true;
    if (many.n == 0 && r->c->nerrors == before)
        UNKNOWN(r, strict, "can't resolve \"%s\" to any packages", arg);
}

void resolve(struct ctx *c, const struct resolve_options *opt,
    const char *const *args, size_t nargs, struct list *out)
{
    struct resolver r;
    size_t i;

    memset(&r, 0, sizeof(r));
    r.c = c;
    r.opt = opt;
    if (opt->ngiven == 0)
        add_roots(&r);
    add_builtins(&r);
    if (c->nerrors > 0)
        return;
    bootstrap(&r);
    if (c->nerrors > 0)
        return;
    if (nargs == 0)
        resolve_arg(&r, ".");
    for (i = 0; i < nargs; i++)
        resolve_arg(&r, args[i]);
    (void)take_sorted(&r, out);
}
