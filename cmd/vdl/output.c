/* BSD-3-Clause; see LICENSE. */
/*
 * Output files: where they go, and that they are written only when their
 * content changes, so that build systems stay quiet.
 */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vom/value.h>

#include "fs.h"
#include "gen.h"

bool out_dir_parse(struct ctx *c, const char *value, struct out_dir *out)
{
    struct out_rule *rule;
    const char *end;
    char *text, *arrow;

    memset(out, 0, sizeof(*out));
    out->dir = value;
    if (strstr(value, "->") == NULL)
        return true;
    for (;; value = end + 1) {
        end = value + strcspn(value, ",");
        text = ctx_strn(c, value, (size_t)(end - value));
        arrow = strstr(text, "->");
        if (arrow == NULL || strstr(arrow + 2, "->") != NULL)
            return false;
        *arrow = '\0';
        rule = ctx_new(c, struct out_rule);
        rule->src = text;
        rule->dst = arrow + 2;
        list_push(c, &out->rules, rule);
        if (*end == '\0')
            return true;
    }
}

/*
 * Source directory without the package path; with a go.mod only the end of
 * the path is part of the directory.
 */
static const char *source_prefix(struct ctx *c, const struct package *p)
{
    const char *tail, *at;

    for (tail = p->ir.path; tail != NULL; tail = strchr(tail, '/')) {
        tail += *tail == '/';
        at = path_ends(p->ir.dir, tail);
        if (at != NULL)
            return path_clean(c,
                ctx_strn(c, p->ir.dir, (size_t)(at - p->ir.dir)));
    }
    return p->ir.dir;
}

/* Directory for a package's files; NULL: skipped, or an error reported. */
static const char *target_dir(struct ctx *c, const struct package *p,
    const struct out_dir *out)
{
    const char *prefix, *at;
    size_t i;

    if (out->rules.n == 0 && *out->dir != '\0')
        return path_join(c, out->dir, p->ir.path);
    if (p->ir.dir == NULL)
        return NULL;
    if (out->rules.n == 0)
        return p->ir.dir;
    prefix = source_prefix(c, p);
    for (i = 0; i < out->rules.n; i++) {
        const struct out_rule *rule = out->rules.v[i];

        at = prefix + strlen(prefix) - strlen(rule->src);
        if (strlen(prefix) < strlen(rule->src) || strcmp(at, rule->src) != 0)
            continue;
        if (strcmp(rule->dst, "SKIP") == 0)
            return NULL;
        return path_join(c, ctx_printf(c, "%.*s%s", (int)(at - prefix), prefix,
            rule->dst), p->ir.path);
    }
    ctx_fail(c, "--c-out-dir error: package prefix \"%s\" doesn't match "
        "translation rules %s", prefix, out->dir);
    return NULL;
}

static bool write_changed(struct ctx *c, const char *path,
    const struct v23_buf *b, bool audit)
{
    const char *old;
    size_t n;

    if (is_file(path) && read_file(c, path, &old, &n) && n == b->n &&
        memcmp(old, b->p, n) == 0)
        return false;
    if (!audit && !write_file(c, path, b->p, b->n))
        ctx_fail(c, "Couldn't write file %s: %s", path, strerror(errno));
    return true;
}

static const struct ir_package *find_package(void *ud, struct vdl_str path)
{
    struct ctx *c = ud;
    const struct package *p = map_get(&c->packages,
        ctx_strn(c, path.p, path.n));

    return p == NULL ? NULL : &p->ir;
}

bool generate(struct ctx *c, const struct package *p,
    const struct out_dir *out, bool audit)
{
    static const char *const suffixes[] = { "vdl.h", "vdl.c", "rpc.h",
        "rpc.c" };
    struct gen_options opt = { find_package, c };
    const char *dir = target_dir(c, p, out);
    struct gen_files files;
    struct v23_buf err, *const bufs[] = { &files.vdl_h, &files.vdl_c,
        &files.rpc_h, &files.rpc_c };
    bool changed = false;
    size_t i;
    int rc;

    if (dir == NULL)
        return false;
    v23_buf_init(&err, NULL, SIZE_MAX);
    for (i = 0; i < 4; i++)
        v23_buf_init(bufs[i], NULL, SIZE_MAX);
    rc = gen_c(&p->ir, &opt, &files, &err);
    if (rc == V23_EARG)
        ctx_fail(c, "%s: %s", p->ir.path, v23_buf_cstr(&err));
    else
        ctx_must(rc);
    for (i = 0; i < 4; i++) {
        if (rc == 0 && bufs[i]->n > 0)
            changed = write_changed(c,
                path_join(c, dir, ctx_printf(c, "%s.%s", p->ir.name,
                    suffixes[i])), bufs[i], audit) || changed;
        v23_buf_fini(bufs[i]);
    }
    v23_buf_fini(&err);
    return changed;
}

/* ---- list ---------------------------------------------------------------- */

static int terminal_width(void)
{
    struct winsize ws;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
        return ws.ws_col;
    return 80;
}

static void put_config(struct vdl_any config)
{
    struct v23_buf b;

    if (config.type == NULL || vdl_is_zero(config.type, config.val))
        return;
    v23_buf_init(&b, NULL, SIZE_MAX);
    if (vdl_format(config.type, config.val, true, &b) == 0)
        printf("Config:  %s\n", v23_buf_cstr(&b));
    v23_buf_fini(&b);
}

void list_packages(struct ctx *c, const struct list *packages)
{
    int width = terminal_width();
    const char *number;
    size_t i, k;

    for (i = 0; i < packages->n; i++) {
        const struct package *p = packages->v[i];

        number = ctx_printf(c, "%zu ", i);
        fputs(number, stdout);
        for (k = strlen(number); k < (size_t)width; k++)
            putchar('=');
        printf("\nName:    %s\n", p->ir.name);
        printf("IsRoot:  %s\n", p->root ? "true" : "false");
        printf("Path:    %s\n", p->ir.path);
        printf("GenPath: %s\n", p->ir.gen_path);
        printf("Dir:     %s\n", p->ir.dir == NULL ? p->ir.path : p->ir.dir);
        put_config(p->config);
        printf("Files:\n");
        for (k = 0; k < p->files.n; k++)
            printf("   %s\n", ((const struct file *)p->files.v[k])->base);
    }
}
