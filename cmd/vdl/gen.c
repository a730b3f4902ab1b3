/* BSD-3-Clause; see LICENSE. */
/*
 * Frame of the generated files. The order matters: <pkg>.vdl.h decides which C
 * types exist; the .c and .rpc.h files start from that state each, so what one
 * adds for itself is forgotten before the next.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gen_int.h"

void gen_fail(struct gen *g, const char *fmt, ...)
{
    char text[512], *more = NULL;
    va_list ap, ap2;
    int n;

    if (g->rc != 0)
        return;
    va_start(ap, fmt);
    va_copy(ap2, ap);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    if (n >= (int)sizeof(text)) {
        more = v23_arena_get(&g->mem, (size_t)n + 1, 1);
        if (more != NULL)
            (void)vsnprintf(more, (size_t)n + 1, fmt, ap2);
    }
    va_end(ap2);
    va_end(ap);
    g->rc = V23_EARG;
    v23_buf_puts(g->err, more != NULL ? more : text);
}

const char *gen_str(struct gen *g, const char *fmt, ...)
{
    va_list ap, ap2;
    char *s = NULL;
    int n;

    va_start(ap, fmt);
    va_copy(ap2, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0)
        s = v23_arena_get(&g->mem, (size_t)n + 1, 1);
    if (s != NULL)
        (void)vsnprintf(s, (size_t)n + 1, fmt, ap2);
    else
        g->rc = V23_ENOMEM;
    va_end(ap2);
    va_end(ap);
    return s == NULL ? "" : s;
}

void gen_add(struct gen *g, struct gen_list *l, const void *p)
{
    const void **v;

    if (l->n == l->cap) {
        v = v23_arena_get(&g->mem, (l->cap * 2 + 16) * sizeof(*v),
            _Alignof(void *));
        if (v == NULL) {
            g->rc = V23_ENOMEM;
            return;
        }
        if (l->n > 0)
            memcpy(v, l->v, l->n * sizeof(*v));
        l->v = v;
        l->cap = l->cap * 2 + 16;
    }
    l->v[l->n++] = p;
}

bool gen_has(const struct gen_list *l, const void *p)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        if (l->v[i] == p)
            return true;
    }
    return false;
}

bool gen_has_name(const struct gen_list *l, const char *name)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        if (strcmp(l->v[i], name) == 0)
            return true;
    }
    return false;
}

/* ---- comments ------------------------------------------------------------ */

void gen_title(struct gen *g, const char *title)
{
    size_t i, n = strlen(title);

    gen_put(g, "\n/* ---- %s ", title);
    for (i = n; i < 66; i++)
        gen_put(g, "-");
    gen_put(g, " */\n");
}

/* Length up to the next place where a line may be broken: before a blank that
 * follows ',' or '{', or behind '('. */
static size_t word_length(const char *p, size_t n)
{
    bool quoted = false;
    size_t i;

    for (i = 0; i < n; i++) {
        if (p[i] == '"')
            quoted = !quoted;
        else if (quoted && p[i] == '\\')
            i++;
        else if (!quoted && p[i] == '(')
            return i + 1;
        else if (!quoted && p[i] == ' ' && i > 0 &&
            strchr(",{", p[i - 1]) != NULL)
            break;
    }
    return i < n ? i : n;
}

static void wrap_line(struct gen *g, const char *p, size_t n)
{
    size_t indent = strspn(p, " "), col = 0, blank = 0, w;

    while (n > 0) {
        w = word_length(p, n);
        if (col > indent + 4 && col + blank + w > 79) {
            gen_put(g, "\n%*s", (int)indent + 4, "");
            col = indent + 4;
        } else if (blank > 0) {
            v23_buf_put_byte(g->out, ' ');
            col++;
        }
        v23_buf_put(g->out, p, w);
        col += w;
        p += w;
        n -= w;
        blank = n > 0 && *p == ' ' ? 1 : 0;
        p += blank;
        n -= blank;
    }
}

void gen_wrap(struct gen *g, const char *text)
{
    size_t n;

    while (*text != '\0') {
        n = strcspn(text, "\n");
        wrap_line(g, text, n);
        text += n;
        if (*text == '\n') {
            v23_buf_put_byte(g->out, '\n');
            text++;
        }
    }
}

/* One line of a comment, without anything that would end or open one. */
static void comment_line(struct gen *g, const char *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (p[i] == '\r')
            continue;
        v23_buf_put_byte(g->out, (uint8_t)p[i]);
        if (i + 1 < n && ((p[i] == '*' && p[i + 1] == '/') ||
                (p[i] == '/' && p[i + 1] == '*')))
            v23_buf_put_byte(g->out, ' ');
    }
}

/* Next line of a doc text without its comment markers. */
static bool doc_line(const char **doc, const char **line, size_t *n)
{
    const char *p = *doc, *end;

    if (*p == '\0')
        return false;
    end = strchr(p, '\n');
    if (end == NULL)
        end = p + strlen(p);
    *doc = *end == '\0' ? end : end + 1;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (end - p >= 2 && (strncmp(p, "//", 2) == 0 || strncmp(p, "/*", 2) == 0))
        p += 2;
    while (p < end && *p == ' ')
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\r'))
        end--;
    if (end - p >= 2 && strncmp(end - 2, "*/", 2) == 0)
        end -= 2;
    while (end > p && end[-1] == ' ')
        end--;
    *line = p;
    *n = (size_t)(end - p);
    return true;
}

static void doc_lines(struct gen *g, const char *indent, const char *doc,
    unsigned *count)
{
    const char *line;
    size_t n;

    while (doc_line(&doc, &line, &n)) {
        if (n == 0 && *count == 0)
            continue;
        gen_put(g, *count == 0 ? "%s/*" : "%s *", indent);
        if (n > 0)
            gen_put(g, " ");
        comment_line(g, line, n);
        ++*count;
        if (*doc != '\0')
            gen_put(g, "\n");
    }
}

void gen_doc(struct gen *g, const char *indent, const struct ir_doc *doc)
{
    unsigned count = 0;

    if (doc == NULL || (gen_config(g->p)->parts & GEN_DOC) == 0)
        return;
    if (doc->doc != NULL)
        doc_lines(g, indent, doc->doc, &count);
    if (doc->suffix != NULL && doc->suffix[0] != '\0') {
        if (count > 0)
            gen_put(g, "\n");
        doc_lines(g, indent, doc->suffix, &count);
    }
    if (count > 0)
        gen_put(g, " */\n");
}

/* ---- files --------------------------------------------------------------- */

static void banner(struct gen *g)
{
    unsigned count = 0;

    gen_put(g, "/* Generated by vdl from package %s. Do not edit. */\n",
        g->p->path);
    if (g->p->file_doc != NULL)
        doc_lines(g, "", g->p->file_doc, &count);
    if (count > 0)
        gen_put(g, " */\n");
}

static int compare_include(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void includes(struct gen *g, const struct gen_list *packages,
    const char *ext)
{
    const char **v;
    size_t i, n = 0;

    if (packages->n == 0)
        return;
    v = v23_arena_get(&g->mem, packages->n * sizeof(*v), _Alignof(void *));
    if (v == NULL) {
        g->rc = V23_ENOMEM;
        return;
    }
    for (i = 0; i < packages->n; i++) {
        if (packages->v[i] != g->p)
            v[n++] = gen_include(g, packages->v[i], ext);
    }
    qsort(v, n, sizeof(*v), compare_include);
    for (i = 0; i < n; i++)
        gen_put(g, "#include %s\n", v[i]);
}

/* Those that the package's options name. */
static void own_includes(struct gen *g)
{
    const struct gen_config *c = gen_config(g->p);
    size_t i;

    for (i = 0; i < c->nincludes; i++)
        gen_put(g, "#include %s\n", c->includes[i]);
}

static void open_cxx(struct gen *g)
{
    gen_put(g, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
}

static void close_cxx(struct gen *g)
{
    gen_put(g, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

static void use_package(struct gen *g)
{
    size_t i, j;
    uint32_t k;

    for (i = 0; i < g->p->ntypes; i++) {
        const struct ir_typedef *d = &g->p->types[i];
        const struct vdl_type *t = d->type;

        if (d->base != NULL)
            gen_use(g, d->base);
        if (t->elem != NULL)
            gen_use(g, t->elem);
        if (t->key != NULL)
            gen_use(g, t->key);
        if (t->fields != NULL) {
            for (k = 0; k < t->count; k++)
                gen_use(g, t->fields[k].type);
        }
    }
    for (i = 0; i < g->p->nconsts; i++)
        gen_use_value(g, g->p->consts[i].value.type, g->p->consts[i].value.val);
    for (i = 0; i < g->p->nerrors; i++) {
        for (j = 0; j < g->p->errors[i].nparams; j++)
            gen_use(g, g->p->errors[i].params[j].type);
    }
}

static void vdl_h(struct gen *g)
{
    const char *guard = gen_guard(g, "vdl.h");

    banner(g);
    gen_put(g, "#ifndef %s\n#define %s\n\n", guard, guard);
    gen_put(g, "#include <v23/verror.h>\n%s#include <vom/dec.h>\n"
        "#include <vom/enc.h>\n#include <vom/value.h>\n",
        gen_shipped(g->p) ? "" : "#include <vom/blob.h>\n");
    use_package(g);
    includes(g, &g->packages, "vdl.h");
    own_includes(g);
    open_cxx(g);
    gen_types_h(g);
    gen_descs_h(g);
    gen_consts_h(g);
    gen_errors_h(g);
    close_cxx(g);
}

/* Bounded and streamed types refer to it. */
static void include_rep(struct gen *g)
{
    const struct gen_config *c = gen_config(g->p);

    if (c->nfields > 0 || c->in_place)
        gen_put(g, "#include <vom/rep.h>\n");
}

static void vdl_c(struct gen *g)
{
    banner(g);
    gen_put(g, "#include \"%s.vdl.h\"\n", g->p->name);
    include_rep(g);
    gen_descs_c(g);
    gen_consts_c(g);
    gen_errors_c(g);
}

static void rpc_h(struct gen *g)
{
    const char *guard = gen_guard(g, "rpc.h");
    struct gen_list used = { NULL, 0, 0 };
    size_t i, j;

    banner(g);
    gen_put(g, "#ifndef %s\n#define %s\n\n#include <vrpc/iface.h>\n\n", guard,
        guard);
    gen_put(g, "#include \"%s.vdl.h\"\n", g->p->name);
    gen_use_ifaces(g);
    includes(g, &g->packages, "vdl.h");
    for (i = 0; i < g->p->nifaces; i++) {
        for (j = 0; j < g->p->ifaces[i].nembeds; j++) {
            const struct ir_package *p = g->p->ifaces[i].embeds[j]->package;

            if (!gen_has(&used, p))
                gen_add(g, &used, p);
        }
    }
    includes(g, &used, "rpc.h");
    open_cxx(g);
    gen_ifaces_h(g);
    close_cxx(g);
}

static void rpc_c(struct gen *g)
{
    banner(g);
    gen_put(g, "#include \"%s.rpc.h\"\n", g->p->name);
    include_rep(g);
    gen_ifaces_c(g);
}

/* Where the knowledge of <pkg>.vdl.h ends. */
struct state {
    size_t started, forward, unnamed, entries, complete, arrays;
};

static void back(struct gen *g, const struct state *s)
{
    g->started.n = s->started;
    g->forward.n = s->forward;
    g->unnamed.n = s->unnamed;
    g->entries.n = s->entries;
    g->complete.n = s->complete;
    g->arrays.n = s->arrays;
    g->descs.n = 0;
    g->objects.n = 0;
}

int gen_c(const struct ir_package *p, const struct gen_options *opt,
    struct gen_files *out, struct v23_buf *err)
{
    struct gen g;
    struct state s;
    struct v23_buf *files[4];
    size_t i;

    memset(&g, 0, sizeof(g));
    g.p = p;
    g.opt = opt;
    g.err = err;
    v23_arena_init(&g.mem, NULL, SIZE_MAX);
    g.prefix = gen_prefix(&g, p);
    g.upper = gen_upper(&g, g.prefix);
    gen_check_special(&g);
    g.out = &out->vdl_h;
    vdl_h(&g);
    s = (struct state){ g.started.n, g.forward.n, g.unnamed.n, g.entries.n,
        g.complete.n, g.arrays.n };
    g.out = &out->vdl_c;
    back(&g, &s);
    vdl_c(&g);
    if ((gen_config(p)->parts & GEN_TYPES) == 0)
        out->vdl_h.n = out->vdl_c.n = 0;
    if (p->nifaces > 0 &&
        (gen_config(p)->parts & (GEN_CLIENT | GEN_SERVER)) != 0) {
        back(&g, &s);
        g.packages.n = 0;
        g.out = &out->rpc_h;
        rpc_h(&g);
        g.out = &out->rpc_c;
        rpc_c(&g);
    }
    files[0] = &out->vdl_h;
    files[1] = &out->vdl_c;
    files[2] = &out->rpc_h;
    files[3] = &out->rpc_c;
    for (i = 0; i < 4 && g.rc == 0; i++)
        g.rc = files[i]->err;
    v23_arena_fini(&g.mem);
    return g.rc;
}
