/* BSD-3-Clause; see LICENSE. */
/*
 * Type definitions (spec/vdl.md section 6).
 *
 * All definitions of a package are built in one step, because they may refer
 * to each other in any order and in cycles: every definition is a node of the
 * builder's table, unnamed types between them are further nodes. The rules are
 * checked here and in type_check.c first, so that messages have positions; the
 * builder checks them again.
 */
#include "types_int.h"

#include <v23/verror.h>

#include "names.h"

/* Largest array: what every implementation can index. */
#define ARRAY_MAX 2147483647u

static const struct ref bad_ref = {false, {NULL, 0}};

/* WireError and its retry code, which the library itself is built on. */
static const struct vdl_type *boot_type(
    const struct package *p, const char *name)
{
    if (strcmp(p->ir.path, "v.io/v23/vdl") != 0)
        return NULL;
    if (strcmp(name, "WireError") == 0)
        return &v23_verror_desc;
    return strcmp(name, "WireRetryCode") == 0 ? &v23_retry_desc : NULL;
}

/* Most members that a type may have. */
#define MEMBERS_MAX 65536

static void declare_members(
    struct ctx *c, struct file *f, const struct ast_typedef *def)
{
    const struct list *members = &def->type->members;
    const struct ast_field *m, *o;
    struct map seen = {0};
    const char *reason;
    size_t i;

    if (members->n > MEMBERS_MAX)
        FILE_ERROR(c, f, def->pos, "type %s has too many members", def->name);
    for (i = 0; i < members->n; i++) {
        m = members->v[i];
        reason = name_check(m->name, NAME_MEMBER);
        if (reason != NULL)
            FILE_ERROR(c, f, m->pos, "invalid %s name %s (%s)",
                m->type == NULL ? "enum label" : "field", m->name, reason);
        o = map_get(&seen, m->name);
        if (o != NULL)
            FILE_ERROR(c, f, m->pos,
                "\"%s\" has duplicate %s name \"%s\" (previous at %d:%d)",
                def->name, m->type == NULL ? "label" : "field", m->name,
                o->pos.line, o->pos.col);
        else
            map_put(c, &seen, m->name, members->v[i]);
    }
}

static void declare_types(struct ctx *c, struct package *p)
{
    size_t i, k;

    for (i = 0; i < p->files.n; i++) {
        struct file *f = p->files.v[i];

        for (k = 0; k < f->ast->types.n; k++) {
            const struct ast_typedef *def = f->ast->types.v[k];
            struct decl *d =
                declare(c, f, DECL_TYPE, "type", def->name, def->pos);

            if (d == NULL)
                continue;
            d->ast = def;
            d->node = (uint32_t)p->types.n;
            list_push(c, &p->types, d);
            declare_members(c, f, def);
        }
    }
}

static bool describe_members(
    struct builder *b, struct decl *d, const struct ast_type *t, uint32_t at)
{
    const struct ast_type *last = NULL;
    struct vdl_type_member *m;
    struct vdl_str *labels;
    bool ok = true;
    uint32_t i, n = (uint32_t)t->members.n;
    struct ref r = bad_ref;

    b->nodes[at].nmembers = n;
    if (t->kind == AST_ENUM) {
        labels = ctx_array(b->c, struct vdl_str, n);
        for (i = 0; i < n; i++)
            labels[i] =
                vdl_str(((const struct ast_field *)t->members.v[i])->name);
        b->nodes[at].labels = labels;
        return true;
    }
    if (t->kind == AST_UNION && n == 0) {
        FILE_ERROR(b->c, d->file, t->pos,
            "%s base type invalid (no union fields)", d->name);
        return false;
    }
    m = ctx_array(b->c, struct vdl_type_member, n);
    for (i = 0; i < n; i++) {
        const struct ast_field *field = t->members.v[i];

        /* The fields of "A, B T" share one tree: report once. */
        if (field->type != last)
            r = type_ref(b->c, d->file, b, field->type, d->exported);
        last = field->type;
        ok = ok && r.ok;
        m[i].name = vdl_str(field->name);
        m[i].type = r.r;
    }
    b->nodes[at].members = m;
    return ok;
}

static bool describe_named(
    struct builder *b, struct decl *d, const struct ast_type *t, uint32_t at)
{
    struct ref r = type_ref(b->c, d->file, b, t, d->exported);
    struct file *f = d->file;

    if (!r.ok)
        return false;
    if (r.r.type == &vdl_error_desc) {
        FILE_ERROR(b->c, f, d->pos, "error cannot be renamed");
        return false;
    }
    if (r.r.type == &vdl_any_desc || r.r.type == &vdl_typeobject_desc) {
        FILE_ERROR(b->c, f, d->pos,
            "%s invalid (any and typeobject cannot be renamed)", d->name);
        return false;
    }
    b->nodes[at].renames = true;
    b->nodes[at].elem = r.r;
    if (r.r.type != NULL)
        b->nodes[at].kind = (enum vdl_kind)r.r.type->kind;
    return true;
}

/* Fill the node of one definition. */
static bool describe(struct builder *b, uint32_t at)
{
    struct decl *d = DEF(b, at);
    const struct ast_type *t = b->asts[at];
    struct file *f = d->file;
    struct ref key, elem;

    b->nodes[at].name =
        vdl_str(ctx_printf(b->c, "%s.%s", b->p->ir.path, d->name));
    b->nodes[at].kind = kind_of(t->kind);
    switch (t->kind) {
    case AST_NAMED:
        return describe_named(b, d, t, at);
    case AST_ENUM:
    case AST_STRUCT:
    case AST_UNION:
        return describe_members(b, d, t, at);
    case AST_OPTIONAL:
        FILE_ERROR(
            b->c, f, t->pos, "can't define type based on top-level optional");
        return false;
    default:
        break;
    }
    key = elem = bad_ref;
    if (t->key != NULL)
        key = type_ref(b->c, f, b, t->key, d->exported);
    if (t->elem != NULL)
        elem = type_ref(b->c, f, b, t->elem, d->exported);
    if (key.ok != (t->key != NULL) || elem.ok != (t->elem != NULL))
        return false;
    if (t->kind == AST_ARRAY && (t->len == 0 || t->len > ARRAY_MAX)) {
        FILE_ERROR(b->c, f, t->pos, "%s base type invalid (%s)", d->name,
            t->len == 0 ? "negative or zero array length"
                        : "array length too large");
        return false;
    }
    b->nodes[at].key = key.r;
    b->nodes[at].elem = elem.r;
    b->nodes[at].len = t->len;
    return true;
}

/* ---- building ------------------------------------------------------------ */

static bool build(struct builder *b)
{
    const struct vdl_type *boot;
    struct decl *d;
    uint32_t i;
    int rc;

    b->out = ctx_array(b->c, const struct vdl_type *, b->n);
    rc = vdl_types_build(b->c->types, b->nodes, b->n, b->out);
    if (rc == V23_ENOMEM)
        ctx_must(rc);
    if (rc != 0) {
        ctx_fail(b->c, "package %s has invalid types (%s)", b->p->ir.path,
            rc == V23_ELIMIT ? "nested too deeply or too large"
                             : v23_strerror(rc));
        return false;
    }
    for (i = 0; i < b->ndefs; i++) {
        d = DEF(b, i);
        boot = boot_type(b->p, d->name);
        if (boot != NULL && !vdl_type_equal(boot, b->out[i])) {
            FILE_ERROR(b->c, d->file, d->pos, "%s invalid (must be %s)",
                d->name, type_text(b->c, boot));
            return false;
        }
        /* Other packages refer to the library's own descriptor. */
        d->type = boot != NULL ? boot : b->out[i];
    }
    for (i = b->ndefs; i < b->n; i++)
        keep_unnamed(b->c, b->out[i]);
    return true;
}

/* Definitions that a type refers to. */
static void add_edges(struct builder *b, struct toposort *sort,
    const char *from, const struct ast_type *t)
{
    size_t i;

    if (t == NULL)
        return;
    if (t->kind == AST_NAMED)
        topo_edge(b->c, sort, from, t->name);
    add_edges(b, sort, from, t->key);
    add_edges(b, sort, from, t->elem);
    for (i = 0; i < t->members.n; i++)
        add_edges(
            b, sort, from, ((const struct ast_field *)t->members.v[i])->type);
}

static const struct ir_doc *member_docs(struct ctx *c, const struct ast_type *t)
{
    struct ir_doc *docs;
    size_t i;

    if (t->members.n == 0)
        return NULL;
    docs = ctx_array(c, struct ir_doc, t->members.n);
    for (i = 0; i < t->members.n; i++)
        docs[i] = ((const struct ast_field *)t->members.v[i])->doc;
    return docs;
}

/* The package's types, dependencies first. */
static void finish(struct builder *b)
{
    struct toposort sort = {0};
    struct list sorted = {0};
    struct ir_typedef *out;
    const char *rest;
    uint32_t i;

    for (i = 0; i < b->ndefs; i++)
        topo_node(b->c, &sort, DEF(b, i)->name, DEF(b, i));
    for (i = 0; i < b->ndefs; i++)
        add_edges(b, &sort, DEF(b, i)->name, b->asts[i]);
    (void)topo_sort(b->c, &sort, &sorted, NULL);
    out = ctx_array(b->c, struct ir_typedef, b->ndefs);
    for (i = 0; i < b->ndefs; i++) {
        struct decl *d = sorted.v[i];
        const struct ast_typedef *def = d->ast;

        out[i].name = d->name;
        out[i].doc = def->doc;
        out[i].pos.file = d->file->base;
        out[i].pos.line = d->pos.line;
        out[i].pos.col = d->pos.col;
        out[i].type = b->out[d->node];
        if (def->type->kind == AST_NAMED)
            out[i].base = resolve_name(d->file, def->type->name, &rest)->type;
        out[i].members = member_docs(b->c, def->type);
    }
    b->p->ir.types = out;
    b->p->ir.ntypes = b->ndefs;
}

bool compile_types(struct ctx *c, struct package *p)
{
    int before = c->nerrors;
    struct builder b;
    bool ok = true;
    uint32_t i;

    declare_types(c, p);
    if (c->nerrors != before)
        return false;
    memset(&b, 0, sizeof(b));
    b.c = c;
    b.p = p;
    b.ndefs = (uint32_t)p->types.n;
    b.asts = ctx_array(c, const struct ast_type *, b.ndefs);
    for (i = 0; i < b.ndefs; i++) {
        (void)add_node(&b);
        b.asts[i] = ((const struct ast_typedef *)DEF(&b, i)->ast)->type;
    }
    if (!follow_names(&b))
        return false;
    for (i = 0; i < b.ndefs; i++)
        ok = describe(&b, i) && ok;
    if (!ok || !check_types(&b) || !build(&b))
        return false;
    finish(&b);
    return true;
}
