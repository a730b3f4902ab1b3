/* BSD-3-Clause; see LICENSE. */
/*
 * Descriptors: constant struct vdl_type objects. Those of named types are
 * external; those of unnamed types are local to the file and come, children
 * first, before their first use. A cycle always passes a named type, so no
 * forward definition is needed.
 */
#include "gen_int.h"

/* ---- flags --------------------------------------------------------------- */

struct walk {
    struct gen *g;
    struct gen_list seen;
    unsigned found; /* bit per kind */
};

static void visit(struct walk *w, const struct vdl_type *t)
{
    uint32_t i;

    if (gen_has(&w->seen, t))
        return;
    gen_add(w->g, &w->seen, t);
    if (t->kind == VDL_SPECIAL) {
        if (t->rep == VDL_REP_STREAM)
            w->found |= 1u << VDL_SPECIAL;
        t = t->elem; /* its parts, but not the pointer to them */
        if (gen_is_text(t))
            return;
    } else {
        w->found |= 1u << t->kind;
    }
    if (t->elem != NULL)
        visit(w, t->elem);
    if (t->key != NULL)
        visit(w, t->key);
    if (t->fields == NULL)
        return;
    for (i = 0; i < t->count; i++)
        visit(w, gen_ftype(w->g, t, i));
}

/* Bit per kind that lies within the type. */
static unsigned kinds_in(struct gen *g, const struct vdl_type *t)
{
    struct walk w;

    memset(&w, 0, sizeof(w));
    w.g = g;
    visit(&w, t);
    return w.found;
}

#define POINTERS \
    (1u << VDL_ANY | 1u << VDL_OPTIONAL | 1u << VDL_STRING | \
        1u << VDL_TYPEOBJECT | 1u << VDL_LIST | 1u << VDL_SET | \
        1u << VDL_MAP | 1u << VDL_SPECIAL)

bool gen_flat(struct gen *g, const struct vdl_type *t)
{
    return (kinds_in(g, t) & POINTERS) == 0;
}

static const char *flags(struct gen *g, const struct vdl_type *t)
{
    static const struct {
        unsigned bit;
        const char *name;
    } flags[] = { { 1u << VDL_ANY, "VDL_T_ANY" },
        { 1u << VDL_TYPEOBJECT, "VDL_T_TYPEOBJECT" },
        { 1u << VDL_SPECIAL, "VDL_T_STREAM" } };
    unsigned found = kinds_in(g, t);
    const char *s = "";
    size_t i;

    if ((found & POINTERS) == 0)
        return "VDL_T_FLAT";
    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if ((found & flags[i].bit) != 0)
            s = gen_str(g, "%s%s%s", s, *s != '\0' ? " | " : "",
                flags[i].name);
    }
    return *s == '\0' ? "0" : s;
}

/* ---- references ---------------------------------------------------------- */

/* Unnamed types with a descriptor in libvom. */
static bool in_runtime(const struct vdl_type *t)
{
    if (t->wire != NULL || t->kind == VDL_SPECIAL)
        return false;
    if (t->kind == VDL_LIST && t->elem->name.n == 0)
        return t->elem->kind == VDL_BYTE || t->elem->kind == VDL_STRING ||
            t->elem->kind == VDL_ANY;
    return t->kind != VDL_LIST && t->kind != VDL_SET && t->kind != VDL_MAP &&
        t->kind != VDL_OPTIONAL;
}

const char *gen_desc(struct gen *g, const struct vdl_type *t)
{
    const char *local;

    if (t->rep == GEN_REP_BITS)
        return gen_desc(g, t->wire);
    if (gen_is_error(t))
        return "&vdl_error_desc";
    if (t->kind == VDL_STRING && t->name.n == 0)
        return "&vdl_string_desc";
    if (t->rep == VDL_REP_STREAM)
        return gen_str(g, "&%s_desc_.t", gen_tname(g, t));
    local = t->name.n == 0 && !in_runtime(t) ? "_" : "";
    return gen_str(g, "&%s_desc%s", gen_tname(g, t), local);
}

/* ---- one descriptor ------------------------------------------------------ */

static const char *const kinds[VDL_KINDS] = {
    [VDL_ANY] = "VDL_ANY",
    [VDL_OPTIONAL] = "VDL_OPTIONAL",
    [VDL_BOOL] = "VDL_BOOL",
    [VDL_BYTE] = "VDL_BYTE",
    [VDL_UINT16] = "VDL_UINT16",
    [VDL_UINT32] = "VDL_UINT32",
    [VDL_UINT64] = "VDL_UINT64",
    [VDL_INT8] = "VDL_INT8",
    [VDL_INT16] = "VDL_INT16",
    [VDL_INT32] = "VDL_INT32",
    [VDL_INT64] = "VDL_INT64",
    [VDL_FLOAT32] = "VDL_FLOAT32",
    [VDL_FLOAT64] = "VDL_FLOAT64",
    [VDL_STRING] = "VDL_STRING",
    [VDL_ENUM] = "VDL_ENUM",
    [VDL_TYPEOBJECT] = "VDL_TYPEOBJECT",
    [VDL_ARRAY] = "VDL_ARRAY",
    [VDL_LIST] = "VDL_LIST",
    [VDL_SET] = "VDL_SET",
    [VDL_MAP] = "VDL_MAP",
    [VDL_STRUCT] = "VDL_STRUCT",
    [VDL_UNION] = "VDL_UNION",
};
static const char *const reps[] = { NULL, "VDL_REP_INLINE",
    "VDL_REP_STREAM" };

/* The initialiser's members behind those that every type has. */
static void details(struct gen *g, const struct vdl_type *t,
    const char *cname)
{
    const char *entry;

    if (t->elem != NULL)
        gen_put(g, "    .elem = %s,\n", gen_desc(g, t->elem));
    if (t->key != NULL)
        gen_put(g, "    .key = %s,\n", gen_desc(g, t->key));
    if (t->count > 0)
        gen_put(g, "    .count = %u,\n", (unsigned)t->count);
    switch (t->kind) {
    case VDL_LIST:
        gen_put(g, "    .stride = sizeof(%s),\n", gen_ctype(g, t->elem));
        break;
    case VDL_SET:
        gen_put(g, "    .stride = sizeof(%s),\n", gen_ctype(g, t->key));
        break;
    case VDL_MAP:
        entry = gen_entry(g, t);
        gen_put(g, "    .stride = sizeof(%s),\n"
            "    .val_off = offsetof(%s, val),\n", entry, entry);
        break;
    case VDL_ENUM:
        gen_put(g, "    .labels = %s_labels_,\n", cname);
        break;
    case VDL_STRUCT:
    case VDL_UNION:
        if (t->count > 0)
            gen_put(g, "    .fields = %s_fields_,\n", cname);
        break;
    default:
        break;
    }
}

/* Members of a special type's descriptor. */
static void special_details(struct gen *g, const struct vdl_type *t,
    const char *cname)
{
    const struct vdl_type *view = t->elem;

    gen_put(g, "    .elem = %s,\n    .count = %uu,\n", gen_desc(g, view),
        (unsigned)t->count);
    if (t->rep == VDL_REP_INLINE)
        gen_put(g, "    .val_off = offsetof(%s, %s),\n"
            "    .ops = VDL_INLINE_OPS,\n", cname,
            gen_is_text(view) ? "p" : "v");
}

/* Sizes of a list are the same whatever its elements are. */
static const char *sized_type(struct gen *g, const struct vdl_type *t)
{
    if (t->kind == VDL_OPTIONAL)
        return "void *";
    if (t->name.n == 0 && t->kind >= VDL_LIST && t->kind <= VDL_MAP)
        return "struct vdl_list";
    return gen_ctype(g, t);
}

/* The parts only differ in C: float64 and its bits. */
static bool same_memory(const struct vdl_type *t)
{
    if (t->wire == NULL || t->rep == GEN_REP_BITS)
        return true;
    if (t->kind == VDL_SPECIAL || t->wire->name.n > 0)
        return false;
    return (t->elem == NULL || same_memory(t->elem)) &&
        (t->key == NULL || same_memory(t->key));
}

/* The initialiser between the braces. */
static void members(struct gen *g, const struct vdl_type *t,
    const char *cname)
{
    const char *ctype = sized_type(g, t);

    if (t->kind == VDL_SPECIAL)
        gen_put(g, "    .kind = VDL_SPECIAL,\n    .rep = %s,\n",
            reps[t->rep]);
    else
        gen_put(g, "    .kind = %s,\n", kinds[t->kind]);
    gen_put(g, "    .flags = %s,\n", flags(g, t));
    gen_put(g, "    .align = _Alignof(%s),\n    .size = sizeof(%s),\n", ctype,
        ctype);
    if (t->name.n > 0)
        gen_put(g, "    .name = VDL_STR_INIT(%s),\n",
            gen_literal(g, t->name.p, t->name.n));
    if (t->kind == VDL_SPECIAL)
        special_details(g, t, cname);
    else
        details(g, t, cname);
    if (t->rep != VDL_REP_INLINE &&
        (kinds_in(g, t) & 1u << VDL_SPECIAL) != 0)
        gen_put(g, "    .ops = &vdl_stream_ops,\n");
    if (!same_memory(t))
        gen_put(g, "    .wire = %s,\n", gen_desc(g, t->wire));
}

static void descriptor(struct gen *g, const struct vdl_type *t,
    const char *object, const char *cname)
{
    gen_put(g, "%sconst struct vdl_type %s = {\n",
        t->name.n > 0 ? "" : "static ", object);
    members(g, t, cname);
    gen_put(g, "};\n");
}

/* With functions that call the callbacks by their types. */
static void stream_descriptor(struct gen *g, const struct vdl_type *t,
    const char *name)
{
    const char *item = gen_celem(g, t->elem->elem);

    gen_putw(g, "static int %s_each_(const void *stream, const void *item)\n"
        "{\n    const %s *s = stream;\n\n"
        "    return s->each == NULL ? 0 : s->each(s->ud, item);\n}\n"
        "static int %s_next_(const void *stream, const void **item)\n"
        "{\n    const %s *s = stream;\n    %s *x = NULL;\n"
        "    int rc = s->next == NULL ? V23_ESTATE : s->next(s->ud, &x);\n\n"
        "    *item = x;\n    return rc;\n}\n", name, name, name, name, item);
    gen_put(g, "static const struct vdl_stream_type %s_desc_ = { {\n", name);
    members(g, t, name);
    gen_put(g, "}, %s_each_, %s_next_ };\n", name, name);
}

void gen_need_desc(struct gen *g, const struct vdl_type *t)
{
    const char *name;

    if (t->rep == GEN_REP_BITS)
        t = t->wire;
    if (gen_is_error(t) || t->name.n > 0 || in_runtime(t))
        return;
    name = gen_tname(g, t);
    if (gen_has_name(&g->descs, name))
        return;
    gen_add(g, &g->descs, name);
    if (t->elem != NULL)
        gen_need_desc(g, t->elem);
    if (t->key != NULL)
        gen_need_desc(g, t->key);
    if (t->wire != NULL)
        gen_need_desc(g, t->wire);
    gen_need_type(g, t);
    gen_flush_entries(g);
    gen_put(g, "\n");
    if (t->rep == VDL_REP_STREAM)
        stream_descriptor(g, t, name);
    else
        descriptor(g, t, gen_str(g, "%s_desc_", name), name);
}

static void tables(struct gen *g, const struct vdl_type *t, const char *cname)
{
    uint32_t i;

    if (t->kind == VDL_ENUM) {
        gen_put(g, "static const struct vdl_str %s_labels_[] = {\n", cname);
        for (i = 0; i < t->count; i++)
            gen_put(g, "    %s,\n",
                gen_str_init(g, t->labels[i].p, t->labels[i].n));
        gen_put(g, "};\n");
        return;
    }
    if (t->count == 0)
        return;
    gen_put(g, "static const struct vdl_field %s_fields_[] = {\n", cname);
    for (i = 0; i < t->count; i++) {
        const struct vdl_field *f = &t->fields[i];

        gen_put(g, "    { %s, %s,\n        offsetof(%s, %s) },\n",
            gen_str_init(g, f->name.p, f->name.n),
            gen_desc(g, gen_ftype(g, t, i)),
            cname, t->kind == VDL_UNION ? "u" : gen_field(g, t, i));
    }
    gen_put(g, "};\n");
}

static void named(struct gen *g, const struct vdl_type *t)
{
    const char *cname = gen_ctype(g, t);
    uint32_t i;

    if (t->elem != NULL)
        gen_need_desc(g, t->elem);
    if (t->key != NULL)
        gen_need_desc(g, t->key);
    if (t->fields != NULL) {
        for (i = 0; i < t->count; i++)
            gen_need_desc(g, gen_ftype(g, t, i));
    }
    gen_put(g, "\n");
    if (t->kind == VDL_ENUM || t->kind == VDL_STRUCT || t->kind == VDL_UNION)
        tables(g, t, cname);
    descriptor(g, t, gen_str(g, "%s_desc", cname), cname);
    if (t->kind == VDL_ARRAY || t->kind == VDL_STRUCT || t->kind == VDL_UNION)
        gen_put(g, "_Static_assert(sizeof(%s) <= INT32_MAX, \"size\");\n",
            cname);
}

/* ---- parts of the files -------------------------------------------------- */

void gen_descs_h(struct gen *g)
{
    if (g->p->ntypes == 0)
        return;
    gen_put(g, "\n/* All types above, for a struct vdl_registry. */\n"
        "#define %sTYPES %zuu\nextern const struct vdl_type *const "
        "%stypes[%sTYPES];\n", g->upper, g->p->ntypes, g->prefix, g->upper);
    gen_ident(g, gen_str(g, "%sTYPES", g->upper), "the list of types");
    gen_ident(g, gen_str(g, "%stypes", g->prefix), "the list of types");
}

void gen_descs_c(struct gen *g)
{
    size_t i;

    if (g->p->ntypes == 0)
        return;
    gen_title(g, "types");
    for (i = 0; i < g->p->ntypes; i++)
        named(g, g->p->types[i].type);
    for (i = 0; i < g->p->ntypes; i++)
        gen_blob_c(g, g->p->types[i].type);
    gen_put(g, "\nconst struct vdl_type *const %stypes[%sTYPES] = {\n",
        g->prefix, g->upper);
    for (i = 0; i < g->p->ntypes; i++)
        gen_put(g, "    %s,\n", gen_desc(g, g->p->types[i].type));
    gen_put(g, "};\n");
}
