/* BSD-3-Clause; see LICENSE. */
/*
 * Fields that are not held in the normal way (spec/vdl.md 13.5, 13.8): bounded
 * ones in place, streamed lists, float64 as bits.
 *
 * Such a field's C type is described by a struct vdl_type of the generator's
 * own, as its descriptor will be at run time: `wire` is the VDL type. A list
 * of changed elements that is not itself bounded is a list with another elem
 * and a wire type. Sizes and offsets in these objects are those of the wire
 * type: the generator reads values of constants by them.
 */
#include "gen_int.h"

#include <v23/verror.h>

static const struct gen_config defaults = {.prefix = "", .parts = GEN_ALL};

const struct gen_config *gen_config(const struct ir_package *p)
{
    return p == NULL || p->config == NULL ? &defaults : p->config;
}

/* ---- making types -------------------------------------------------------- */

struct option {
    uint32_t max_len, max_count;
    bool in_place, bits;
};

static bool same(const struct vdl_type *a, const struct vdl_type *b)
{
    return a->kind == b->kind && a->rep == b->rep && a->wire == b->wire &&
           a->elem == b->elem && a->key == b->key && a->count == b->count;
}

/* The one object with this content. */
static const struct vdl_type *intern(struct gen *g, const struct vdl_type *x)
{
    struct vdl_type *t;
    size_t i;

    for (i = 0; i < g->specials.n; i++) {
        if (same(g->specials.v[i], x))
            return g->specials.v[i];
    }
    t = v23_arena_new(&g->mem, struct vdl_type);
    if (t == NULL) {
        g->rc = V23_ENOMEM;
        return x->wire;
    }
    *t = *x;
    t->name = vdl_strn(NULL, 0);
    gen_add(g, &g->specials, t);
    return t;
}

/* `view` held in place, at most n elements. */
static const struct vdl_type *bounded(
    struct gen *g, const struct vdl_type *view, uint32_t n)
{
    struct vdl_type x;

    memset(&x, 0, sizeof(x));
    x.kind = VDL_SPECIAL;
    x.rep = VDL_REP_INLINE;
    x.wire = gen_wire(view);
    x.elem = view;
    x.count = n;
    return intern(g, &x);
}

static const struct vdl_type *special(
    struct gen *g, const struct vdl_type *t, const struct option *o);

/* The type with changed parts; itself when none changes. */
static const struct vdl_type *with_parts(
    struct gen *g, const struct vdl_type *t, const struct option *o)
{
    struct vdl_type x = *t;

    x.wire = t;
    if (t->elem != NULL)
        x.elem = special(g, t->elem, o);
    if (t->key != NULL)
        x.key = special(g, t->key, o);
    return x.elem == t->elem && x.key == t->key ? t : intern(g, &x);
}

static const struct vdl_type *special(
    struct gen *g, const struct vdl_type *t, const struct option *o)
{
    struct vdl_type x = *t;

    switch (t->kind) {
    case VDL_FLOAT64:
        x.wire = t;
        x.rep = GEN_REP_BITS;
        return o->bits ? intern(g, &x) : t;
    case VDL_STRING:
        return o->max_len != 0 ? bounded(g, t, o->max_len) : t;
    case VDL_LIST:
        if (t->elem->kind == VDL_BYTE)
            return o->max_len != 0 ? bounded(g, t, o->max_len) : t;
        V23_FALLTHROUGH;
    case VDL_SET:
    case VDL_MAP:
        t = with_parts(g, t, o);
        return o->max_count != 0 ? bounded(g, t, o->max_count) : t;
    case VDL_ARRAY:
        return with_parts(g, t, o);
    case VDL_OPTIONAL:
        if (gen_is_error(t) || !(o->in_place || o->max_count != 0))
            return t;
        return bounded(g, t, 1);
    default:
        return t;
    }
}

static const struct vdl_type *streamed(
    struct gen *g, const struct vdl_type *t, const struct option *o)
{
    struct vdl_type x;

    memset(&x, 0, sizeof(x));
    x.kind = VDL_SPECIAL;
    x.rep = VDL_REP_STREAM;
    x.wire = t;
    x.elem = with_parts(g, t, o);
    x.count = UINT32_MAX;
    return intern(g, &x);
}

const struct vdl_type *gen_held(struct gen *g, const struct ir_package *p,
    const char *key, const struct vdl_type *t)
{
    const struct gen_config *c = gen_config(p);
    struct option o = {0, 0, c->in_place, false};
    size_t i;

    for (i = 0; i < c->nfields; i++) {
        const struct gen_field_option *f = &c->fields[i];

        if (strcmp(f->key, key) != 0)
            continue;
        o.max_len = f->max_len;
        o.max_count = f->max_count;
        o.bits = f->bits;
        if (f->stream)
            return streamed(g, t, &o);
    }
    return special(g, t, &o);
}

/* ---- fields and arguments ------------------------------------------------ */

const struct ir_typedef *gen_typedef(struct gen *g, const struct vdl_type *t)
{
    const struct ir_package *p = gen_type_package(g, t);
    size_t i;

    for (i = 0; p != NULL && i < p->ntypes; i++) {
        if (p->types[i].type == t)
            return &p->types[i];
    }
    return NULL;
}

const struct vdl_type *gen_origin(struct gen *g, const struct vdl_type *t)
{
    const struct ir_typedef *d = gen_typedef(g, t);

    while (d != NULL && d->base != NULL && d->base->name.n > 0) {
        t = d->base;
        d = gen_typedef(g, t);
    }
    return t;
}

const struct vdl_type *gen_ftype(
    struct gen *g, const struct vdl_type *t, uint32_t i)
{
    const struct vdl_type *o = gen_origin(g, t);
    const struct ir_package *p = gen_type_package(g, o);
    const struct gen_config *c = gen_config(p);

    if (c->nfields == 0 && !c->in_place)
        return t->fields[i].type;
    return gen_held(g, p,
        gen_str(g, "%s.%.*s", gen_type_base(g, o), (int)t->fields[i].name.n,
            t->fields[i].name.p),
        t->fields[i].type);
}

static const struct vdl_type *in_method(struct gen *g, const struct ir_iface *f,
    const struct ir_method *m, const char *what, const struct vdl_type *t)
{
    return gen_held(
        g, f->package, gen_str(g, "%s.%s.%s", f->name, m->name, what), t);
}

const struct vdl_type *gen_atype(
    struct gen *g, const struct gen_method *n, const struct ir_arg *a)
{
    return in_method(g, n->iface, n->m,
        a->name == NULL || a->name[0] == '\0' ? "result" : a->name, a->type);
}

const struct vdl_type *gen_in_stream(struct gen *g, const struct gen_method *n)
{
    return in_method(g, n->iface, n->m, "<-", n->m->in_stream);
}

const struct vdl_type *gen_out_stream(struct gen *g, const struct gen_method *n)
{
    return in_method(g, n->iface, n->m, "->", n->m->out_stream);
}

/* ---- checks -------------------------------------------------------------- */

/* A part of t, held in it, is one of the types of the path. */
static bool holds(struct gen *g, struct gen_list *path, struct gen_list *done,
    const struct vdl_type *t)
{
    bool found = false;
    uint32_t i;

    if (t->kind == VDL_SPECIAL) {
        t = t->rep == VDL_REP_INLINE ? t->elem : NULL;
        if (t == NULL || t->kind == VDL_STRING)
            return false;
        return (t->key != NULL && holds(g, path, done, t->key)) ||
               (t->elem != NULL && holds(g, path, done, t->elem));
    }
    if (t->kind == VDL_ARRAY)
        return holds(g, path, done, t->elem);
    if (t->kind != VDL_STRUCT && t->kind != VDL_UNION)
        return false;
    if (gen_has(path, t))
        return true;
    if (gen_has(done, t) || gen_type_package(g, t) == NULL)
        return false;
    gen_add(g, path, t);
    for (i = 0; i < t->count && !found; i++)
        found = holds(g, path, done, gen_ftype(g, t, i));
    path->n--;
    gen_add(g, done, t);
    return found;
}

static void note(
    struct gen *g, const char **list, const char *key, const struct vdl_type *t)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    if (vdl_type_format(gen_wire(t), SIZE_MAX, &b) != 0)
        g->rc = V23_ENOMEM;
    *list = gen_str(g, "%s\n   %s %s", *list, key,
        t->name.n > 0 && (t->kind == VDL_STRUCT || t->kind == VDL_UNION)
            ? gen_str(g, "(%.*s, whose package is not inline)", (int)t->name.n,
                  t->name.p)
            : gen_str(g, "(%s)", v23_buf_cstr(&b)));
    v23_buf_fini(&b);
}

/* Memory outside is needed; types of the package speak for themselves. */
static bool unbounded(struct gen *g, const struct vdl_type *t)
{
    if (t->kind == VDL_STRUCT || t->kind == VDL_UNION) {
        if (gen_type_package(g, t) == g->p && gen_typedef(g, t) != NULL)
            return false;
        return !gen_flat(g, t);
    }
    if (t->kind == VDL_ARRAY)
        return unbounded(g, t->elem);
    if (t->kind != VDL_SPECIAL)
        return !gen_flat(g, t);
    if (t->rep != VDL_REP_INLINE)
        return false; /* a stream is bounded by what the callbacks do */
    t = t->elem;
    if (gen_is_text(t))
        return false;
    return (t->key != NULL && unbounded(g, t->key)) ||
           (t->elem != NULL && unbounded(g, t->elem));
}

static void check_method(struct gen *g, const char **list,
    const struct ir_iface *f, const struct ir_method *m)
{
    struct gen_method n = {.iface = f, .m = m};
    const struct vdl_type *t;
    size_t i;

    for (i = 0; i < m->nin + m->nout; i++) {
        const struct ir_arg *a = i < m->nin ? &m->in[i] : &m->out[i - m->nin];

        t = gen_atype(g, &n, a);
        if (unbounded(g, t))
            note(g, list,
                gen_str(g, "%s.%s.%s", f->name, m->name,
                    a->name == NULL || a->name[0] == '\0' ? "result" : a->name),
                t);
    }
    if (m->in_stream != NULL && unbounded(g, gen_in_stream(g, &n)))
        note(g, list, gen_str(g, "%s.%s.<-", f->name, m->name), m->in_stream);
    if (m->out_stream != NULL && unbounded(g, gen_out_stream(g, &n)))
        note(g, list, gen_str(g, "%s.%s.->", f->name, m->name), m->out_stream);
}

static void check_bounds(struct gen *g)
{
    const char *list = "";
    size_t i, j;
    uint32_t k;

    for (i = 0; i < g->p->ntypes; i++) {
        const struct ir_typedef *d = &g->p->types[i];
        const struct vdl_type *t = d->type, *f;

        if ((t->kind != VDL_STRUCT && t->kind != VDL_UNION) ||
            (d->base != NULL && d->base->name.n > 0))
            continue;
        for (k = 0; k < t->count; k++) {
            f = gen_ftype(g, t, k);
            if (unbounded(g, f))
                note(g, &list,
                    gen_str(g, "%s.%.*s", d->name, (int)t->fields[k].name.n,
                        t->fields[k].name.p),
                    f);
        }
    }
    for (i = 0; i < g->p->nifaces; i++) {
        for (j = 0; j < g->p->ifaces[i].nmethods; j++)
            check_method(
                g, &list, &g->p->ifaces[i], &g->p->ifaces[i].methods[j]);
    }
    if (*list != '\0')
        gen_fail(g,
            "in mode inline everything needs a bound, MaxLen or "
            "MaxCount in vdl.c.config; these have none:%s",
            list);
}

void gen_check_special(struct gen *g)
{
    const struct gen_config *c = gen_config(g->p);
    struct gen_list path = {NULL, 0, 0}, done = {NULL, 0, 0};
    size_t i;

    if (c->nfields == 0 && !c->in_place)
        return;
    for (i = 0; i < g->p->ntypes && g->rc == 0; i++) {
        if (holds(g, &path, &done, g->p->types[i].type))
            gen_fail(g,
                "type %s cannot be held in place: it would contain "
                "itself",
                g->p->types[i].name);
    }
    if (c->in_place && g->rc == 0)
        check_bounds(g);
}

/* ---- C types ------------------------------------------------------------- */

const char *gen_special_name(struct gen *g, const struct vdl_type *t)
{
    const char *base;

    if (t->rep == GEN_REP_BITS)
        return gen_str(g, "%s_bits", gen_tname(g, t->wire));
    if (t->kind != VDL_SPECIAL) { /* a named type with changed parts */
        base = gen_str(g, "%s_of", gen_tname(g, t->wire));
        if (t->key != NULL)
            base = gen_str(g, "%s_%s", base, gen_tname(g, t->key));
        return t->elem == NULL
                   ? base
                   : gen_str(g, "%s_%s", base, gen_tname(g, t->elem));
    }
    if (t->rep == VDL_REP_STREAM)
        return gen_str(g, "%s_stream", gen_tname(g, t->elem));
    if (t->elem->kind == VDL_OPTIONAL)
        return gen_str(g, "%s_maybe", gen_tname(g, t->elem->elem));
    return gen_str(g, "%s_%u", gen_tname(g, t->elem), (unsigned)t->count);
}

/* Smallest type for a count up to n. */
static const char *count_type(uint32_t n)
{
    return n <= UINT8_MAX    ? "uint8_t"
           : n <= UINT16_MAX ? "uint16_t"
                             : "uint32_t";
}

bool gen_is_text(const struct vdl_type *t)
{
    return t->kind == VDL_STRING ||
           (t->kind == VDL_LIST && t->elem->kind == VDL_BYTE);
}

/* Declaration of an element of a list, set or map. */
static const char *item(
    struct gen *g, const struct vdl_type *list, const char *name)
{
    if (list->kind == VDL_MAP)
        return gen_str(g, "%s %s", gen_entry(g, list), name);
    return gen_decl(g, list->kind == VDL_SET ? list->key : list->elem, name);
}

void gen_special_struct(
    struct gen *g, const struct vdl_type *t, const char *name)
{
    const struct vdl_type *view = t->elem;

    gen_put(g, "typedef struct %s {\n", name);
    if (t->rep == VDL_REP_STREAM) {
        gen_put(g,
            "    uint32_t n; /* of items */\n"
            "    int (*each)(void *ud, %s *item);\n"
            "    int (*next)(void *ud, %s **item);\n"
            "    void *ud;\n",
            gen_celem(g, view->elem), gen_celem(g, view->elem));
    } else if (view->kind == VDL_OPTIONAL) {
        gen_put(g, "    bool has;\n    %s;\n", gen_decl(g, view->elem, "v"));
    } else {
        gen_put(g, "    %s n;\n", count_type(t->count));
        if (view->kind == VDL_STRING)
            gen_put(g, "    char p[%u];\n", (unsigned)t->count);
        else if (gen_is_text(view))
            gen_put(g, "    uint8_t p[%u];\n", (unsigned)t->count);
        else
            gen_put(g, "    %s;\n",
                item(g, view, gen_str(g, "v[%u]", (unsigned)t->count)));
    }
    gen_put(g, "} %s;\n", name);
}
