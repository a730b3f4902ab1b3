/* BSD-3-Clause; see LICENSE. */
/*
 * C types of a header. Types are written in the package's order, but what one
 * needs by value comes first, and what it only points at gets a forward
 * typedef, so every recursion that VDL allows can be written down.
 *
 * Typedefs of unnamed lists, sets and maps stand between #ifndef VDL_HAVE_…,
 * for several packages may need the same one. A named type that is exactly
 * what the typedef's name says (type FooList []Foo) serves for it.
 */
#include <stdio.h>

#include "gen_int.h"

/* ---- packages used ------------------------------------------------------- */

void gen_use(struct gen *g, const struct vdl_type *t)
{
    const struct ir_package *p;

    if (gen_is_error(t))
        return;
    if (t->name.n > 0) {
        p = gen_type_package(g, t);
        if (p != NULL && !gen_has(&g->packages, p))
            gen_add(g, &g->packages, p);
        return;
    }
    if (t->key != NULL)
        gen_use(g, t->key);
    if (t->elem != NULL)
        gen_use(g, t->elem);
}

/* ---- dependencies -------------------------------------------------------- */

static void emit(struct gen *g, const struct ir_typedef *d);

/* The definition of a type of this package; NULL for others. */
static const struct ir_typedef *local(const struct gen *g,
    const struct vdl_type *t)
{
    size_t i;

    for (i = 0; i < g->p->ntypes; i++) {
        if (g->p->types[i].type == t)
            return &g->p->types[i];
    }
    return NULL;
}

static bool is_derived(const struct ir_typedef *d)
{
    return d->base != NULL && d->base->name.n > 0;
}

/* Has a struct tag, so a forward typedef is enough to point at it. */
static bool has_tag(const struct ir_typedef *d)
{
    const struct vdl_type *t = d->type;

    if (is_derived(d))
        return false;
    if (t->kind == VDL_LIST)
        return t->elem->kind != VDL_BYTE || t->elem->name.n > 0;
    return t->kind >= VDL_ARRAY && t->kind <= VDL_UNION;
}

/* Make "const T *" writable. */
static void need_pointer(struct gen *g, const struct vdl_type *t)
{
    const struct ir_typedef *d = local(g, t);
    const char *name;

    if (d == NULL || !has_tag(d)) {
        gen_need_type(g, t);
        return;
    }
    if (gen_has(&g->forward, t))
        return;
    name = gen_ctype(g, t);
    gen_put(g, "typedef struct %s %s;\n", name, name);
    gen_add(g, &g->forward, t);
}

/* A type with the C name that a typedef would take, or NULL. */
static const struct vdl_type *namesake(struct gen *g,
    const struct vdl_type *t, const char *name)
{
    const struct vdl_type *root = t;
    const struct ir_package *p;
    size_t i;

    while (root->name.n == 0 && (root->key != NULL || root->elem != NULL))
        root = gen_wire(root->key != NULL ? root->key : root->elem);
    if (root->name.n == 0)
        return NULL;
    p = gen_type_package(g, root);
    for (i = 0; p != NULL && i < p->ntypes; i++) {
        if (strcmp(gen_tname(g, p->types[i].type), name) == 0)
            return p->types[i].type;
    }
    return NULL;
}

static bool same_c(const struct vdl_type *a, const struct vdl_type *b);

static bool same_part(const struct vdl_type *a, const struct vdl_type *b)
{
    if (a == NULL || b == NULL || a == b || a->name.n > 0 || b->name.n > 0)
        return a == b;
    return same_c(a, b);
}

/* The C types of two lists, sets or maps are the same, named or not. */
static bool same_c(const struct vdl_type *a, const struct vdl_type *b)
{
    return a->kind == b->kind && same_part(a->elem, b->elem) &&
        same_part(a->key, b->key);
}

static bool in_runtime(const char *name)
{
    static const char *const v[] = { "vdl_str_list", "vdl_any_list",
        "vdl_bool_list", "vdl_uint16_list", "vdl_uint32_list",
        "vdl_uint64_list", "vdl_int8_list", "vdl_int16_list",
        "vdl_int32_list", "vdl_int64_list", "vdl_float32_list",
        "vdl_float64_list", "vdl_bytes_list", "vdl_typeobject_list" };
    size_t i;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        if (strcmp(name, v[i]) == 0)
            return true;
    }
    return false;
}

static void sequence_body(struct gen *g, const char *name, const char *elem)
{
    gen_put(g, "typedef struct %s {\n    %s *v;\n    uint32_t n;\n} %s;\n",
        name, elem, name);
}

static void unnamed(struct gen *g, const struct vdl_type *t)
{
    const char *name = gen_tname(g, t), *entry;
    const struct vdl_type *same;
    size_t i;

    if (in_runtime(name))
        return;
    for (i = 0; i < g->unnamed.n; i++) {
        same = g->unnamed.v[i];
        if (strcmp(gen_tname(g, same), name) != 0)
            continue;
        if (!same_c(same, t))
            gen_fail(g, "C names of two unnamed types collide: %s", name);
        return;
    }
    same = namesake(g, t, name);
    if (same != NULL) {
        if (same_c(same, t))
            gen_need_type(g, same);
        else
            gen_fail(g, "C names of type %.*s and an unnamed %s collide: %s",
                (int)same->name.n, same->name.p,
                vdl_kind_name((enum vdl_kind)t->kind), name);
        return;
    }
    gen_add(g, &g->unnamed, t);
    if (t->kind != VDL_MAP)
        need_pointer(g, t->kind == VDL_SET ? t->key : t->elem);
    gen_put(g, "\n#ifndef VDL_HAVE_%s\n#define VDL_HAVE_%s\n", name, name);
    if (t->kind == VDL_MAP) {
        entry = gen_entry(g, t);
        gen_put(g, "typedef struct %s %s;\n", entry, entry);
        sequence_body(g, name, gen_str(g, "const %s", entry));
        gen_add(g, &g->entries, t);
    } else {
        sequence_body(g, name,
            gen_celem(g, t->kind == VDL_SET ? t->key : t->elem));
    }
    gen_put(g, "#endif\n");
}

/* A bounded or streamed type. */
static void special(struct gen *g, const struct vdl_type *t)
{
    const char *name = gen_tname(g, t);
    const struct vdl_type *view = t->elem;
    size_t i;

    for (i = 0; i < g->unnamed.n; i++) {
        if (strcmp(gen_tname(g, g->unnamed.v[i]), name) == 0)
            return;
    }
    if (gen_taken(g, name))
        gen_fail(g, "C names of a type and a bounded field collide: %s "
            "(Rename the type in vdl.c.config)", name);
    gen_add(g, &g->unnamed, t);
    if (t->rep == VDL_REP_STREAM) {
        need_pointer(g, view->elem);
    } else if (view->kind == VDL_MAP) {
        gen_need_type(g, view);
        view = gen_origin(g, view);
        if (view->name.n == 0 || local(g, view) != NULL)
            gen_need_entry(g, view);
    } else if (!gen_is_text(view)) {
        gen_need_type(g, view->kind == VDL_SET ? view->key : view->elem);
    }
    gen_put(g, "\n#ifndef VDL_HAVE_%s\n#define VDL_HAVE_%s\n", name, name);
    gen_special_struct(g, t, name);
    gen_put(g, "#endif\n");
}

/* A named array with changed elements. */
static void changed_array(struct gen *g, const struct vdl_type *t)
{
    const char *name = gen_tname(g, t);

    if (gen_has_name(&g->arrays, name))
        return;
    gen_add(g, &g->arrays, name);
    gen_need_type(g, t->elem);
    gen_put(g, "\n#ifndef VDL_HAVE_%s\n#define VDL_HAVE_%s\n"
        "typedef struct %s {\n    %s;\n} %s;\n#endif\n", name, name, name,
        gen_decl(g, t->elem, gen_str(g, "v[%u]", (unsigned)t->count)), name);
}

void gen_need_type(struct gen *g, const struct vdl_type *t)
{
    const struct ir_typedef *d;

    if (gen_is_error(t) || t->rep == GEN_REP_BITS)
        return;
    if (t->kind == VDL_SPECIAL) {
        special(g, t);
        return;
    }
    if (t->kind == VDL_ARRAY && t->wire != NULL) {
        changed_array(g, t);
        return;
    }
    if (t->name.n > 0) {
        d = local(g, t);
        if (d != NULL)
            emit(g, d);
        return;
    }
    if (t->kind == VDL_OPTIONAL)
        need_pointer(g, t->elem);
    else if (t->kind == VDL_SET || t->kind == VDL_MAP ||
        (t->kind == VDL_LIST && strcmp(gen_tname(g, t), "vdl_bytes") != 0))
        unnamed(g, t);
}

void gen_need_entry(struct gen *g, const struct vdl_type *t)
{
    const char *entry = gen_entry(g, t);

    if (gen_has_name(&g->complete, entry))
        return;
    gen_add(g, &g->complete, entry);
    gen_need_type(g, t->key);
    gen_need_type(g, t->elem);
    if (t->name.n == 0)
        gen_put(g, "\n#ifndef VDL_HAVE_%s\n#define VDL_HAVE_%s\n", entry,
            entry);
    else
        gen_put(g, "\n");
    gen_put(g, "struct %s {\n    %s;\n    %s;\n};\n", entry,
        gen_decl(g, t->key, "key"), gen_decl(g, t->elem, "val"));
    if (t->name.n == 0)
        gen_put(g, "#endif\n");
}

void gen_flush_entries(struct gen *g)
{
    size_t i;

    for (i = 0; i < g->entries.n && g->rc == 0; i++)
        gen_need_entry(g, g->entries.v[i]);
}

/* ---- one definition ------------------------------------------------------ */

static void open_struct(struct gen *g, const struct vdl_type *t,
    const char *name)
{
    gen_put(g, gen_has(&g->forward, t) ? "struct %s {\n" :
        "typedef struct %s {\n", name);
}

static void close_struct(struct gen *g, const struct vdl_type *t,
    const char *name)
{
    if (gen_has(&g->forward, t))
        gen_put(g, "};\n");
    else
        gen_put(g, "} %s;\n", name);
}

/* The constants of an enum's labels or a union's fields. */
static void constants(struct gen *g, const struct vdl_type *t,
    const char *name, const char *kind)
{
    const char *tag = gen_str(g, "%s_%s", name, kind);
    const char *what = gen_type_base(g, t);
    const char *count;
    uint32_t i;

    if (gen_taken(g, tag))
        gen_put(g, "enum {\n");
    else
        gen_put(g, "enum %s {\n", gen_ident(g, tag, what));
    for (i = 0; i < t->count; i++)
        gen_put(g, "    %s = %u%s\n",
            gen_ident(g, gen_label(g, t, i), what), (unsigned)i,
            i + 1 < t->count ? "," : "");
    gen_put(g, "};\n");
    count = gen_str(g, "%s_COUNT", gen_upper(g, name));
    if (t->kind == VDL_ENUM && !gen_taken(g, count))
        gen_put(g, "#define %s %uu\n", gen_ident(g, count, what),
            (unsigned)t->count);
}

static void member_names(struct gen *g, const struct vdl_type *t)
{
    const char **v;
    uint32_t i;

    if (t->count == 0)
        return;
    v = v23_arena_get(&g->mem, t->count * sizeof(*v), _Alignof(void *));
    if (v == NULL) {
        g->rc = V23_ENOMEM;
        return;
    }
    for (i = 0; i < t->count; i++)
        v[i] = gen_field(g, t, i);
    gen_check_scope(g, v, t->count, gen_type_base(g, t));
}

static void members(struct gen *g, const struct ir_typedef *d,
    const char *indent)
{
    const struct vdl_type *t = d->type;
    uint32_t i;

    member_names(g, t);
    for (i = 0; i < t->count; i++) {
        if (d->members != NULL)
            gen_doc(g, indent, &d->members[i]);
        gen_put(g, "%s%s;\n", indent,
            gen_decl(g, gen_ftype(g, t, i), gen_field(g, t, i)));
    }
}

static void body_struct(struct gen *g, const struct ir_typedef *d,
    const char *name)
{
    open_struct(g, d->type, name);
    if (d->type->count == 0)
        gen_put(g, "    char unused_;\n");
    members(g, d, "    ");
    close_struct(g, d->type, name);
}

static void body_union(struct gen *g, const struct ir_typedef *d,
    const char *name)
{
    open_struct(g, d->type, name);
    gen_put(g, "    %s which; /* one of %s_... */\n    union {\n",
        d->type->count > 256 ? "uint16_t" : "uint8_t", gen_upper(g, name));
    members(g, d, "        ");
    gen_put(g, "    } u;\n");
    close_struct(g, d->type, name);
}

static void body_map(struct gen *g, const struct vdl_type *t,
    const char *name)
{
    const char *entry = gen_entry(g, t);

    gen_ident(g, entry, gen_type_base(g, t));
    gen_put(g, "typedef struct %s %s;\n", entry, entry);
    open_struct(g, t, name);
    gen_put(g, "    const %s *v;\n    uint32_t n;\n", entry);
    close_struct(g, t, name);
    gen_add(g, &g->entries, t);
}

static void body_sequence(struct gen *g, const struct vdl_type *t,
    const char *name)
{
    open_struct(g, t, name);
    gen_put(g, "    %s *v;\n    uint32_t n;\n",
        gen_celem(g, t->kind == VDL_SET ? t->key : t->elem));
    close_struct(g, t, name);
}

static void body_array(struct gen *g, const struct vdl_type *t,
    const char *name)
{
    open_struct(g, t, name);
    gen_put(g, "    %s;\n",
        gen_decl(g, t->elem, gen_str(g, "v[%u]", (unsigned)t->count)));
    close_struct(g, t, name);
}

static void body(struct gen *g, const struct ir_typedef *d, const char *name)
{
    const struct vdl_type *t = d->type;
    struct vdl_type plain;

    if (is_derived(d)) {
        gen_put(g, "typedef %s;\n", gen_decl(g, d->base, name));
        if (t->kind == VDL_MAP)
            gen_put(g, "typedef %s %s;\n", gen_entry(g, d->base),
                gen_ident(g, gen_entry(g, t), d->name));
        return;
    }
    switch (t->kind) {
    case VDL_ENUM:
        gen_put(g, "typedef %s %s; /* one of %s_... */\n",
            t->count > 256 ? "uint16_t" : "uint8_t", name,
            gen_upper(g, name));
        break;
    case VDL_STRUCT:
        body_struct(g, d, name);
        break;
    case VDL_UNION:
        body_union(g, d, name);
        break;
    case VDL_ARRAY:
        body_array(g, t, name);
        break;
    case VDL_MAP:
        body_map(g, t, name);
        break;
    case VDL_SET:
        body_sequence(g, t, name);
        break;
    case VDL_LIST:
        if (has_tag(d)) {
            body_sequence(g, t, name);
            break;
        }
        V23_FALLTHROUGH;
    default:
        plain = *t;
        plain.name.n = 0;
        gen_put(g, "typedef %s;\n", gen_decl(g, &plain, name));
        break;
    }
}

/* What the definition needs before it. */
static void prerequisites(struct gen *g, const struct ir_typedef *d)
{
    const struct vdl_type *t = d->type;
    uint32_t i;

    if (is_derived(d)) {
        if (t->kind == VDL_MAP) /* its entry too */
            gen_need_type(g, d->base);
        else
            need_pointer(g, d->base);
        return;
    }
    switch (t->kind) {
    case VDL_ARRAY:
        gen_need_type(g, t->elem);
        break;
    case VDL_LIST:
        need_pointer(g, t->elem);
        break;
    case VDL_SET:
        need_pointer(g, t->key);
        break;
    case VDL_STRUCT:
    case VDL_UNION:
        for (i = 0; i < t->count; i++)
            gen_need_type(g, gen_ftype(g, t, i));
        break;
    default:
        break;
    }
}

static void emit(struct gen *g, const struct ir_typedef *d)
{
    const struct vdl_type *t = d->type;
    const char *name;

    if (gen_has(&g->started, t)) {
        /* By value a derived type needs all of its base. */
        if (is_derived(d))
            gen_need_type(g, d->base);
        return;
    }
    gen_add(g, &g->started, t);
    prerequisites(g, d);
    name = gen_ctype(g, t);
    gen_put(g, "\n");
    gen_doc(g, "", &d->doc);
    if (t->kind == VDL_ENUM)
        constants(g, t, name, "label");
    if (t->kind == VDL_UNION)
        constants(g, t, name, "tag");
    body(g, d, name);
    if (is_derived(d))
        gen_need_type(g, d->base);
    else if (has_tag(d) && !gen_has(&g->forward, t))
        gen_add(g, &g->forward, t);
}

/* ---- wrappers ------------------------------------------------------------ */

#define INT_FN "V23_MUST_USE static inline int "

static void wrapper(struct gen *g, const char *name, const char *op,
    const char *what, const char *result, const char *params,
    const char *call)
{
    const char *fn = gen_ident(g, gen_str(g, "%s_%s", name, op), what);

    gen_putw(g, "%s%s(%s)\n{\n    return %s;\n}\n", result, fn, params,
        call);
}

static void enum_wrappers(struct gen *g, const char *name, const char *what)
{
    const char *fn;

    gen_put(g, "/** Label of a value, or NULL when it is out of range. */\n");
    wrapper(g, name, "name", what, "static inline const char *",
        gen_str(g, "%s x", name),
        gen_str(g, "x < %s_desc.count ? %s_desc.labels[x].p : NULL", name,
            name));
    fn = gen_ident(g, gen_str(g, "%s_parse", name), what);
    gen_putw(g, "/** Value of a label: 0, or V23_EINDEX when none has it. */\n"
        "V23_MUST_USE static inline int %s(struct vdl_str s, %s *out)\n{\n"
        "    int i = vdl_type_label_index(&%s_desc, s);\n\n"
        "    if (i < 0)\n        return V23_EINDEX;\n"
        "    *out = (%s)i;\n    return 0;\n}\n", fn, name, name, name);
}

static void wrappers(struct gen *g, const struct ir_typedef *d)
{
    const char *name = gen_ctype(g, d->type);
    const char *what = d->name;

    wrapper(g, name, "encode", what, INT_FN,
        gen_str(g, "struct vom_enc *e, const %s *x", name),
        gen_str(g, "vom_encode(e, &%s_desc, x)", name));
    wrapper(g, name, "decode", what, INT_FN,
        gen_str(g, "struct vom_dec *d, const struct vom_msg *m, "
            "struct v23_arena *a, %s *x", name),
        gen_str(g, "vom_dec_value(d, m, a, &%s_desc, x)", name));
    wrapper(g, name, "equal", what, "static inline bool ",
        gen_str(g, "const %s *x, const %s *y", name, name),
        gen_str(g, "vdl_equal(&%s_desc, x, y)", name));
    wrapper(g, name, "copy", what, INT_FN,
        gen_str(g, "struct v23_arena *a, %s *dst, const %s *src", name,
            name),
        gen_str(g, "vdl_copy(a, &%s_desc, dst, src)", name));
    gen_blob_h(g, d);
    if (d->type->kind == VDL_ENUM)
        enum_wrappers(g, name, what);
}

void gen_types_h(struct gen *g)
{
    size_t i;

    for (i = 0; i < g->p->ntypes; i++)
        gen_ident(g, gen_ctype(g, g->p->types[i].type), g->p->types[i].name);
    if (g->p->ntypes > 0)
        gen_title(g, "types");
    for (i = 0; i < g->p->ntypes; i++) {
        emit(g, &g->p->types[i]);
        gen_flush_entries(g);
    }
    for (i = 0; i < g->p->nerrors; i++) {
        const struct ir_error *e = &g->p->errors[i];
        size_t j;

        for (j = 0; j < e->nparams; j++)
            gen_need_type(g, e->params[j].type);
    }
    for (i = 0; i < g->p->nconsts; i++)
        gen_need_type(g, g->p->consts[i].value.type);
    gen_flush_entries(g);
    if (g->p->ntypes > 0)
        gen_put(g, "\n");
    for (i = 0; i < g->p->ntypes; i++) {
        const char *name = gen_ctype(g, g->p->types[i].type);

        gen_put(g, "extern const struct vdl_type %s;\n",
            gen_ident(g, gen_str(g, "%s_desc", name), g->p->types[i].name));
    }
    for (i = 0; i < g->p->ntypes; i++) {
        gen_put(g, "\n");
        wrappers(g, &g->p->types[i]);
    }
}
