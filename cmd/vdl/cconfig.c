/* BSD-3-Clause; see LICENSE. */
/*
 * Reading vdl.c.config. Its type is that of package vdlc, which exists for
 * these files only: no package can import it. The value is read from its
 * run-time layout; the parse tree is consulted for positions.
 */
#include "cconfig.h"

#include <errno.h>
#include <stdlib.h>

#include "fs.h"

const char cconfig_no_heap[] =
    "mode heap is not offered: a value's memory "
    "belongs to an arena and is freed with it; use arena, or inline for "
    "values without memory of their own";

static const char text_vdlc[] =
    "package vdlc\n"
    "type Config struct {\n"
    "\tPrefix string\n"
    "\tParts set[Part]\n"
    "\tMode Mode\n"
    "\tFields map[string]FieldConfig\n"
    "\tRename map[string]string\n"
    "\tInclude []string\n"
    "\tSkip set[string]\n"
    "}\n"
    "type FieldConfig struct {\n"
    "\tMaxLen uint32\n"
    "\tMaxCount uint32\n"
    "\tStream bool\n"
    "\tFloat64AsBits bool\n"
    "}\n"
    "type Part enum { Types; Client; Server; Doc }\n"
    "type Mode enum { Arena; Heap; Inline }\n";

/* Order of the labels of vdlc.Mode. */
enum { MODE_ARENA, MODE_HEAP, MODE_INLINE };

struct reader {
    struct ctx *c;
    struct package *p;
    struct source src;
    const struct ast_expr *tree; /* of the exported constant */
    struct list keys;            /* struct ckey */
    struct gen_config *out;
};

/* ---- positions ----------------------------------------------------------- */

static const struct ast_entry *entry_of(
    const struct ast_expr *e, const char *key)
{
    size_t i;

    for (i = 0; e != NULL && e->kind == AST_COMPOSITE && i < e->entries.n;
         i++) {
        const struct ast_entry *x = e->entries.v[i];
        const struct ast_expr *k = x->key == NULL ? x->value : x->key;

        if ((k->kind == AST_NAME || k->kind == AST_STRING) &&
            strcmp(k->text.s, key) == 0)
            return x;
    }
    return NULL;
}

/* Where `key` stands in the value of `field`, or the nearest outer place. */
static struct pos place(
    const struct reader *r, const char *field, const char *key)
{
    const struct ast_entry *x = entry_of(r->tree, field), *y = NULL;

    if (x == NULL)
        return r->tree->pos;
    if (key != NULL)
        y = entry_of(x->value, key);
    if (y == NULL)
        return key == NULL ? x->value->pos : x->key->pos;
    return y->key == NULL ? y->value->pos : y->key->pos;
}

#define FAIL(r, field, key, ...)                                               \
    do {                                                                       \
        struct pos at_ = place((r), (field), (key));                           \
        ctx_error((r)->c, &(r)->src, at_.line, at_.col, __VA_ARGS__);          \
    } while (0)

/* ---- values -------------------------------------------------------------- */

static const void *field_at(const struct vdl_type *t, const void *v,
    const char *name, const struct vdl_type **type)
{
    const struct vdl_field *f =
        &t->fields[vdl_type_field_index(t, vdl_str(name))];

    if (type != NULL)
        *type = f->type;
    return (const char *)v + f->offset;
}

static const char *string_at(struct ctx *c, const void *v)
{
    const struct vdl_str *s = v;

    return ctx_strn(c, s->p, s->n);
}

/* A list, set or map, entry by entry. */
struct entries {
    const struct vdl_type *type;
    const struct vdl_list *list;
};

static struct entries entries_at(
    const struct vdl_type *t, const void *v, const char *name)
{
    struct entries e;

    e.list = field_at(t, v, name, &e.type);
    return e;
}

static const void *entry_at(const struct entries *e, uint32_t i)
{
    return (const char *)e->list->v + (size_t)i * e->type->stride;
}

/* Indices of the entries of a set or map by key, as text: any order of
 * reading must give the same messages and files. */
struct keyed {
    const char *key;
    const void *entry;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(
        ((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

static struct keyed *sorted(struct ctx *c, const struct entries *e)
{
    struct keyed *v = ctx_array(c, struct keyed, e->list->n + 1);
    uint32_t i;

    for (i = 0; i < e->list->n; i++) {
        v[i].entry = entry_at(e, i);
        v[i].key = string_at(c, v[i].entry);
    }
    if (e->list->n > 1)
        qsort(v, e->list->n, sizeof(*v), by_key);
    return v;
}

/* ---- checks -------------------------------------------------------------- */

static bool is_identifier(const char *s)
{
    size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "abcdefghijklmnopqrstuvwxyz0123456789_");

    return n > 0 && s[n] == '\0' && (s[0] < '0' || s[0] > '9');
}

/* The key's target, or NULL after a message. */
static const struct ckey *find(
    struct reader *r, const char *field, const char *name)
{
    const struct ckey *k = ckey_find(&r->keys, name);
    const char *near;

    if (k != NULL)
        return k;
    near = ckey_nearest(r->c, &r->keys, name);
    if (near == NULL)
        FAIL(r, field, name, "%s: \"%s\" is nothing in package %s", field, name,
            r->p->ir.path);
    else
        FAIL(r, field, name,
            "%s: \"%s\" is nothing in package %s; the "
            "nearest is \"%s\"",
            field, name, r->p->ir.path, near);
    return NULL;
}

/* ---- parts of the file --------------------------------------------------- */

static void read_prefix(struct reader *r, const char *s)
{
    size_t n = strlen(s);

    r->out->prefix = s;
    if (n == 0)
        return;
    if (!is_identifier(s))
        FAIL(r, "Prefix", NULL, "Prefix: \"%s\" is no C identifier", s);
    if (s[n - 1] != '_')
        r->out->prefix = ctx_printf(r->c, "%s_", s);
}

static void read_mode(struct reader *r, uint32_t mode, int flag)
{
    if (mode == MODE_HEAP)
        FAIL(r, "Mode", NULL, "%s", cconfig_no_heap);
    r->out->in_place = flag < 0 ? mode == MODE_INLINE : flag == 1;
}

static void read_parts(struct reader *r, const struct entries *e, unsigned flag)
{
    uint32_t i;

    r->out->parts = 0;
    for (i = 0; i < e->list->n; i++)
        r->out->parts |= 1u << *(const uint8_t *)entry_at(e, i);
    if (flag != 0)
        r->out->parts = flag;
    else if (e->list->n == 0)
        r->out->parts = GEN_ALL;
}

static void read_fields(struct reader *r, const struct entries *e)
{
    const struct keyed *v = sorted(r->c, e);
    const struct vdl_type *t = e->type->elem;
    struct gen_field_option *f =
        ctx_array(r->c, struct gen_field_option, e->list->n + 1);
    const struct ckey *k;
    const char *why;
    uint32_t i;

    r->out->fields = f;
    for (i = 0; i < e->list->n; i++, f++) {
        const void *x = (const char *)v[i].entry + e->type->val_off;

        f->key = v[i].key;
        f->max_len = *(const uint32_t *)field_at(t, x, "MaxLen", NULL);
        f->max_count = *(const uint32_t *)field_at(t, x, "MaxCount", NULL);
        f->stream = *(const bool *)field_at(t, x, "Stream", NULL);
        f->bits = *(const bool *)field_at(t, x, "Float64AsBits", NULL);
        k = find(r, "Fields", f->key);
        if (k == NULL)
            continue;
        if (k->kind == CKEY_DERIVED)
            why = ctx_printf(r->c,
                "give the options of \"%s\", whose C type "
                "this is",
                k->base);
        else if (k->type == NULL)
            why = "it is no field, argument or stream";
        else
            why = ckey_reason(r->c, k, f);
        if (why != NULL)
            FAIL(r, "Fields", f->key, "Fields: \"%s\": %s", f->key, why);
    }
    r->out->nfields = e->list->n;
}

static void read_renames(struct reader *r, const struct entries *e)
{
    const struct keyed *v = sorted(r->c, e);
    struct gen_rename *n = ctx_array(r->c, struct gen_rename, e->list->n + 1);
    const struct ckey *k;
    uint32_t i;

    r->out->renames = n;
    r->out->nrenames = e->list->n;
    for (i = 0; i < e->list->n; i++, n++) {
        n->key = v[i].key;
        n->name = string_at(r->c, (const char *)v[i].entry + e->type->val_off);
        k = find(r, "Rename", n->key);
        if (k == NULL)
            continue;
        if (k->kind == CKEY_STREAM)
            FAIL(r, "Rename", n->key, "Rename: \"%s\": a stream has no name",
                n->key);
        else if (k->kind == CKEY_DERIVED)
            FAIL(r, "Rename", n->key,
                "Rename: \"%s\": rename \"%s\", whose C "
                "type this is",
                n->key, k->base);
        else if (!is_identifier(n->name))
            FAIL(r, "Rename", n->key, "Rename: \"%s\" is no C identifier",
                n->name);
    }
}

static void read_includes(struct reader *r, const struct entries *e)
{
    const char **v = ctx_array(r->c, const char *, e->list->n + 1), *s;
    size_t n;
    uint32_t i;

    r->out->includes = v;
    r->out->nincludes = e->list->n;
    for (i = 0; i < e->list->n; i++) {
        s = string_at(r->c, entry_at(e, i));
        n = strlen(s);
        if (n == 0 || strpbrk(s, "\n\r\"") != NULL ||
            (s[0] == '<') != (s[n - 1] == '>'))
            FAIL(r, "Include", s,
                "Include: \"%s\" is no header: write x.h "
                "or <x.h>",
                s);
        v[i] = s[0] == '<' ? s : ctx_printf(r->c, "\"%s\"", s);
    }
}

/* ---- Skip ---------------------------------------------------------------- */

struct skip {
    const struct keyed *v;
    uint32_t n;
};

static bool skipped(const struct skip *s, const char *name)
{
    uint32_t i;

    for (i = 0; i < s->n; i++) {
        if (strcmp(s->v[i].key, name) == 0)
            return true;
    }
    return false;
}

/* Copy the elements of an array that stay; each begins with its name. */
static const void *keep(
    struct ctx *c, const struct skip *s, const void *v, size_t *n, size_t size)
{
    char *out = ctx_get(c, *n * size + 1);
    size_t i, k = 0;

    for (i = 0; i < *n; i++) {
        const char *x = (const char *)v + i * size;

        if (!skipped(s, *(const char *const *)(const void *)x))
            memcpy(out + k++ * size, x, size);
    }
    *n = k;
    return out;
}

_Static_assert(offsetof(struct ir_typedef, name) == 0 &&
                   offsetof(struct ir_const, name) == 0 &&
                   offsetof(struct ir_error, name) == 0 &&
                   offsetof(struct ir_iface, name) == 0,
    "a definition begins with its name");

static void read_skip(struct reader *r, const struct entries *e)
{
    struct skip s = {sorted(r->c, e), e->list->n};
    struct ir_package *p = &r->p->ir;
    struct ctx *c = r->c;
    const struct ckey *k;
    uint32_t i;

    for (i = 0; i < s.n; i++) {
        k = find(r, "Skip", s.v[i].key);
        if (k != NULL && k->kind != CKEY_TOP)
            FAIL(r, "Skip", s.v[i].key,
                "Skip: \"%s\" is no type, const, "
                "error or interface",
                s.v[i].key);
    }
    if (s.n == 0)
        return;
    p->types = keep(c, &s, p->types, &p->ntypes, sizeof(*p->types));
    p->consts = keep(c, &s, p->consts, &p->nconsts, sizeof(*p->consts));
    p->errors = keep(c, &s, p->errors, &p->nerrors, sizeof(*p->errors));
    p->ifaces = keep(c, &s, p->ifaces, &p->nifaces, sizeof(*p->ifaces));
}

/* ---- the file ------------------------------------------------------------ */

static void take(struct reader *r, const struct cconfig_flags *flags,
    const struct vdl_type *t, const void *v)
{
    struct entries parts = entries_at(t, v, "Parts");
    struct entries fields = entries_at(t, v, "Fields");
    struct entries renames = entries_at(t, v, "Rename");
    struct entries includes = entries_at(t, v, "Include");
    struct entries skip = entries_at(t, v, "Skip");

    read_prefix(r, string_at(r->c, field_at(t, v, "Prefix", NULL)));
    read_mode(r, *(const uint8_t *)field_at(t, v, "Mode", NULL), flags->mode);
    read_parts(r, &parts, flags->parts);
    read_fields(r, &fields);
    read_renames(r, &renames);
    read_includes(r, &includes);
    read_skip(r, &skip);
}

/* No import path is like this. */
#define VDLC_KEY " vdlc"

static struct package *vdlc(struct ctx *c)
{
    struct package *p = map_get(&c->packages, VDLC_KEY);
    struct file *f;

    if (p != NULL)
        return p;
    p = ctx_new(c, struct package);
    f = ctx_new(c, struct file);
    p->ir.path = p->ir.gen_path = "vdlc";
    f->base = f->src.path = "vdlc.vdl";
    f->src.text = text_vdlc;
    f->src.len = sizeof(text_vdlc) - 1;
    f->package = p;
    list_push(c, &p->files, f);
    map_put(c, &c->packages, VDLC_KEY, p);
    (void)compile_package(c, p);
    return p;
}

static void read_file_of(struct reader *r, const struct cconfig_flags *flags)
{
    static const char *const implicit[] = {"vdlc"};
    struct ctx *c = r->c;
    void *user = map_get(&c->packages, "vdlc");
    struct package *p = vdlc(c);
    const struct decl *type = map_get(&p->decls, "Config");
    struct vdl_any value;

    map_put(c, &c->packages, "vdlc", p);
    if (type != NULL && compile_config(c, &r->src, r->p->ir.path, implicit, 1,
                            type->type, &value)) {
        r->tree = parse(c, &r->src, PARSE_CONFIG)->config;
        ckeys(c, &r->p->ir, &r->keys);
        take(r, flags, value.type, value.val);
    }
    map_put(c, &c->packages, "vdlc", user);
}

void cconfig_read(
    struct ctx *c, const struct cconfig_flags *flags, struct package *p)
{
    struct reader r;
    const char *path;

    memset(&r, 0, sizeof(r));
    r.c = c;
    r.p = p;
    r.out = ctx_new(c, struct gen_config);
    r.out->prefix = "";
    r.out->parts = flags->parts != 0 ? flags->parts : GEN_ALL;
    r.out->in_place = flags->mode == 1;
    p->ir.config = r.out;
    if (p->ir.dir == NULL)
        return;
    path = path_join(c, p->ir.dir, flags->file);
    if (!is_file(path))
        return;
    r.src.path = path_join(c, p->ir.path, flags->file);
    if (!read_file(c, path, &r.src.text, &r.src.len)) {
        ctx_fail(c, "%s: couldn't open (%s)", r.src.path, strerror(errno));
        return;
    }
    read_file_of(&r, flags);
}

const char *cconfig_parts(const char *list, unsigned *parts)
{
    static const char *const names[] = {"types", "client", "server", "doc"};
    size_t n, i;

    *parts = 0;
    if (*list == '\0')
        return NULL;
    for (;; list += n + 1) {
        n = strcspn(list, ",");
        for (i = 0; i < 4 &&
                    (strlen(names[i]) != n || strncmp(names[i], list, n) != 0);
             i++)
            ;
        if (i == 4)
            return list;
        *parts |= 1u << i;
        if (list[n] == '\0')
            return NULL;
    }
}
