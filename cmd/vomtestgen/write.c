/* BSD-3-Clause; see LICENSE. */
/*
 * The VDL file. Constants are printed with types of full names, "pkg/path".T,
 * which a VDL file cannot use: they are replaced by the names that its imports
 * give. The output depends on the config only.
 */
#include <stdlib.h>
#include <string.h>

#include <vom/enc.h>
#include <vom/print.h>
#include <vom/value.h>

#include "names.h"
#include "testgen.h"

#define TEXT_MAX ((size_t)1 << 30)

struct import_name {
    const char *path, *name;
};

struct writer {
    struct ctx *c;
    const struct testdata *d;
    struct v23_buf out;
    struct list imports; /* struct import_name */
    int rc;
};

static void puts_to(struct writer *w, const char *s)
{
    v23_buf_puts(&w->out, s);
}

/* ---- imports ------------------------------------------------------------- */

static bool name_taken(const struct writer *w, const char *name)
{
    size_t i;

    for (i = 0; i < w->imports.n; i++) {
        const struct import_name *imp = w->imports.v[i];

        if (strcmp(imp->name, name) == 0)
            return true;
    }
    return strcmp(name, "Tests") == 0 || strcmp(name, "CompatTests") == 0 ||
           strcmp(name, "ConvertTests") == 0 ||
           (w->d->own != NULL && map_get(&w->d->own->decls, name) != NULL);
}

/* What a package is called in the file; NULL: it is the file's own. */
static const char *import(struct writer *w, const char *path)
{
    struct import_name *imp;
    const char *base = strrchr(path, '/');
    size_t i;

    if (w->d->own != NULL && strcmp(path, w->d->own->ir.path) == 0)
        return NULL;
    for (i = 0; i < w->imports.n; i++) {
        imp = w->imports.v[i];
        if (strcmp(imp->path, path) == 0)
            return imp->name;
    }
    base = base == NULL ? path : base + 1;
    imp = ctx_new(w->c, struct import_name);
    imp->path = path;
    imp->name = base;
    for (i = 2;
         name_check(imp->name, NAME_NORMAL) != NULL || name_taken(w, imp->name);
         i++)
        imp->name = ctx_printf(w->c, "p%zu", i);
    list_push(w->c, &w->imports, imp);
    return imp->name;
}

/* Length of the string literal that begins at p. */
static size_t literal(const char *p)
{
    size_t n = 1;

    while (p[n] != '"')
        n += p[n] == '\\' ? 2 : 1;
    return n + 1;
}

/* Append a printed constant with the names of packages in this file. */
static void put_local(struct writer *w, const char *text)
{
    const char *name;
    size_t n;

    for (; *text != '\0'; text += n) {
        n = strcspn(text, "\"");
        if (n == 0) {
            n = literal(text);
            if (text[n] == '.') { /* nothing else is like that */
                name = import(w, ctx_strn(w->c, text + 1, n - 2));
                if (name != NULL)
                    v23_buf_printf(&w->out, "%s.", name);
                n++;
                continue;
            }
        }
        v23_buf_put(&w->out, text, n);
    }
}

/* ---- constants ----------------------------------------------------------- */

/* The content of an any, or the nil any itself. */
static struct vdl_any content(const struct vdl_any *v)
{
    struct vdl_any nil = {&vdl_any_desc, v};

    return v->type == NULL ? nil : *v;
}

static const char *const_text(struct writer *w, struct vdl_any v)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, TEXT_MAX);
    w->rc = w->rc != 0 ? w->rc : vdl_print_const(v.type, v.val, &b);
    return ctx_take(w->c, &b);
}

static void put_const(struct writer *w, struct vdl_any v)
{
    put_local(w, const_text(w, v));
}

static void put_quoted(struct writer *w, const char *s, size_t n)
{
    vdl_format_quoted(&w->out, s, n);
}

/* A list of constants in the order of a map's keys. */
static const struct vdl_any *entries(
    struct writer *w, struct vdl_any map, size_t *n);

static int by_key(const void *a, const void *b)
{
    const struct vdl_any *x = a, *y = b;
    int c;

    if (x->type->key->kind == VDL_STRING) {
        c = vdl_str_cmp(
            *(const struct vdl_str *)x->val, *(const struct vdl_str *)y->val);
        return c;
    }
    return (int)*(const uint8_t *)x->val - (int)*(const uint8_t *)y->val;
}

static const struct vdl_any *entries(
    struct writer *w, struct vdl_any map, size_t *n)
{
    const struct vdl_list *l = map.val;
    struct vdl_any *v = ctx_array(w->c, struct vdl_any, l->n);
    uint32_t i;

    for (i = 0; i < l->n; i++) {
        v[i].type = map.type;
        v[i].val = (const char *)l->v + (size_t)i * map.type->stride;
    }
    if (l->n > 1)
        qsort(v, l->n, sizeof(*v), by_key);
    *n = l->n;
    return v;
}

/* "pkg/path".Name as it is called in this file. */
static const char *type_name(struct writer *w, const struct vdl_type *t)
{
    const char *name = ctx_strn(w->c, t->name.p, t->name.n);
    const char *dot = strrchr(name, '.'), *package;

    if (dot == NULL)
        return name;
    package = import(w, ctx_strn(w->c, name, (size_t)(dot - name)));
    return package == NULL ? dot + 1 : ctx_printf(w->c, "%s%s", package, dot);
}

/* ---- tests --------------------------------------------------------------- */

/* The messages of one stream, without the version byte. */
static void put_messages(struct writer *w, const struct v23_buf *b)
{
    v23_buf_put_byte(&w->out, '"');
    if (b->n > 1)
        v23_hex_put(&w->out, b->p + 1, b->n - 1);
    v23_buf_put_byte(&w->out, '"');
}

static void put_hex(struct writer *w, struct vdl_any v)
{
    struct v23_buf types, values;
    struct vom_typeenc te;
    struct vom_enc e;

    v23_buf_init(&types, NULL, TEXT_MAX);
    v23_buf_init(&values, NULL, TEXT_MAX);
    vom_typeenc_init(&te, NULL, &types);
    vom_enc_init(&e, &te, &values);
    if (w->rc == 0)
        w->rc = vom_encode(&e, v.type, v.val);
    puts_to(w, "\t\t\"81");
    if (types.n > 1)
        v23_hex_put(&w->out, types.p + 1, types.n - 1);
    if (values.n > 1)
        v23_hex_put(&w->out, values.p + 1, values.n - 1);
    puts_to(w, "\",\n\t\t\"81\", ");
    put_messages(w, &types);
    puts_to(w, ", ");
    put_messages(w, &values);
    puts_to(w, ",\n");
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
    v23_buf_fini(&types);
    v23_buf_fini(&values);
}

static void put_test(struct writer *w, struct vdl_any v)
{
    size_t start = w->out.n, n;
    const char *type, *text;

    /* The name is the constant as it stands in this file. */
    put_const(w, v);
    n = w->out.err != 0 ? 0 : w->out.n - start;
    text = ctx_strn(w->c, n == 0 ? "" : (const char *)w->out.p + start, n);
    if (w->out.err == 0)
        v23_buf_cut(&w->out, start);
    puts_to(w, "\t{\n\t\t");
    put_quoted(w, text, n);
    v23_buf_printf(&w->out, ",\n\t\t%s,\n\t\t", text);
    type = type_text(w->c, v.type);
    put_quoted(w, type, strlen(type));
    puts_to(w, ",\n");
    put_hex(w, v);
    puts_to(w, "\t},\n");
}

static void put_list(struct writer *w, const struct vdl_list *l)
{
    const struct vdl_any *v = l->v;
    uint32_t i;

    for (i = 0; i < l->n; i++)
        put_test(w, content(&v[i]));
}

static void put_tests(struct writer *w)
{
    struct vdl_any values = w->d->values;
    const struct vdl_any *v;
    size_t i, n;

    v23_buf_printf(&w->out,
        "\n// Tests has values and their encodings in version 81 of vom.\n"
        "const Tests = []%s{\n",
        type_name(w, w->d->test_case));
    if (values.type->kind == VDL_LIST) {
        put_list(w, values.val);
    } else {
        v = entries(w, values, &n);
        /* The key is the first version that has the values. */
        for (i = 0; i < n && *(const uint8_t *)v[i].val <= 0x81; i++)
            put_list(w,
                (const void *)((const char *)v[i].val + values.type->val_off));
    }
    puts_to(w, "}\n");
}

static void put_compat(struct writer *w)
{
    struct vdl_any map = w->d->compat, types;
    const struct vdl_any *v;
    const struct vdl_str *key;
    size_t i, n;

    v = entries(w, map, &n);
    puts_to(w,
        "\n// CompatTests has sets of types. Those of one set are compatible "
        "with each\n// other, and with none of another set.\n"
        "const CompatTests = map[string][]typeobject{\n");
    for (i = 0; i < n; i++) {
        key = v[i].val;
        puts_to(w, "\t");
        put_quoted(w, key->p, key->n);
        puts_to(w, ": ");
        types.type = map.type->elem;
        types.val = (const char *)v[i].val + map.type->val_off;
        put_const(w, types);
        puts_to(w, ",\n");
    }
    puts_to(w, "}\n");
}

static void put_group(struct writer *w, const void *group)
{
    const struct vdl_field *f = w->d->group->fields;
    const char *at = group;
    const struct vdl_str *name = (const void *)(at + f[0].offset);
    struct vdl_any type = {f[1].type, at + f[1].offset};
    const struct vdl_list *l = (const void *)(at + f[2].offset);
    const struct vdl_any *v = l->v;
    uint32_t i;

    puts_to(w, "\t\t{\n\t\t\t");
    put_quoted(w, name->p, name->n);
    puts_to(w, ",\n\t\t\t");
    put_const(w, type);
    puts_to(w, ",\n\t\t\t{\n");
    for (i = 0; i < l->n; i++) {
        puts_to(w, "\t\t\t\t");
        put_const(w, content(&v[i]));
        puts_to(w, ",\n");
    }
    puts_to(w, "\t\t\t},\n\t\t},\n");
}

static void put_convert(struct writer *w)
{
    struct vdl_any map = w->d->convert;
    const struct vdl_any *v;
    const struct vdl_list *groups;
    const struct vdl_str *key;
    size_t i, n;
    uint32_t k;

    v = entries(w, map, &n);
    v23_buf_printf(&w->out,
        "\n// ConvertTests has groups of values. Those of one group convert "
        "into each\n// other; those of a later group do not convert into the "
        "primary type of an\n// earlier one.\n"
        "const ConvertTests = map[string][]%s{\n",
        type_name(w, w->d->group));
    for (i = 0; i < n; i++) {
        key = v[i].val;
        groups = (const void *)((const char *)v[i].val + map.type->val_off);
        puts_to(w, "\t");
        put_quoted(w, key->p, key->n);
        puts_to(w, ": {\n");
        for (k = 0; k < groups->n; k++)
            put_group(
                w, (const char *)groups->v + (size_t)k * w->d->group->size);
        puts_to(w, "\t},\n");
    }
    puts_to(w, "}\n");
}

/* ---- the file ------------------------------------------------------------ */

static int by_path(const void *a, const void *b)
{
    const struct import_name *const *x = a, *const *y = b;

    return strcmp((*x)->path, (*y)->path);
}

/* All files of a package begin with the same comment. */
static void put_head(struct writer *w, struct v23_buf *out)
{
    const char *base = strrchr(w->d->src.path, '/');
    const char *doc = w->d->own == NULL ? "" : w->d->own->ir.file_doc;
    size_t i;

    if (doc != NULL && *doc != '\0')
        v23_buf_printf(out, "%s\n", doc);
    v23_buf_printf(out,
        "// Made by vomtestgen from %s; change that instead.\npackage %s\n",
        base == NULL ? w->d->src.path : base + 1, w->d->package);
    if (w->imports.n == 0)
        return;
    qsort(w->imports.v, w->imports.n, sizeof(w->imports.v[0]), by_path);
    v23_buf_puts(out, "\nimport (\n");
    for (i = 0; i < w->imports.n; i++) {
        const struct import_name *imp = w->imports.v[i];
        const char *slash = strrchr(imp->path, '/');

        v23_buf_puts(out, "\t");
        if (strcmp(imp->name, slash == NULL ? imp->path : slash + 1) != 0)
            v23_buf_printf(out, "%s ", imp->name);
        v23_buf_printf(out, "\"%s\"\n", imp->path);
    }
    v23_buf_puts(out, ")\n");
}

const char *make_vdl(struct ctx *c, const struct testdata *d)
{
    struct writer w = {.c = c, .d = d};
    struct v23_buf all;

    v23_buf_init(&w.out, NULL, TEXT_MAX);
    v23_buf_init(&all, NULL, 2 * TEXT_MAX);
    if (d->values.type != NULL)
        put_tests(&w);
    if (d->compat.type != NULL)
        put_compat(&w);
    if (d->convert.type != NULL)
        put_convert(&w);
    put_head(&w, &all);
    if (w.rc == 0)
        w.rc = w.out.err;
    if (w.rc == 0)
        v23_buf_put(&all, w.out.p, w.out.n);
    if (w.rc == 0)
        w.rc = all.err;
    v23_buf_fini(&w.out);
    if (w.rc != 0) {
        v23_buf_fini(&all);
        ctx_error(c, &d->src, d->at.line, d->at.col,
            "invalid config (a value cannot be printed or encoded: %s)",
            v23_strerror(w.rc));
        return NULL;
    }
    return ctx_take(c, &all);
}
