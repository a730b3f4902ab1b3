/* BSD-3-Clause; see LICENSE. */
/*
 * Constants. Scalars and strings become macros, everything else an object
 * with a static initialiser. Parts of a value that are held by pointer become
 * objects local to the file, written before the one that points at them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <vom/value.h>

#include "gen_int.h"

static const void *at(const void *v, size_t offset)
{
    return (const uint8_t *)v + offset;
}

/* ---- packages of a value ------------------------------------------------- */

void gen_use_value(struct gen *g, const struct vdl_type *t, const void *v)
{
    const struct vdl_list *l = v;
    uint32_t i, which;

    gen_use(g, t);
    if (v == NULL)
        return;
    switch (t->kind) {
    case VDL_ANY:
        if (((const struct vdl_any *)v)->type != NULL)
            gen_use_value(g, ((const struct vdl_any *)v)->type,
                ((const struct vdl_any *)v)->val);
        break;
    case VDL_OPTIONAL:
        gen_use_value(g, t->elem, *(const void *const *)v);
        break;
    case VDL_TYPEOBJECT:
        if (*(const struct vdl_type *const *)v != NULL)
            gen_use(g, *(const struct vdl_type *const *)v);
        break;
    case VDL_ARRAY:
        for (i = 0; i < t->count; i++)
            gen_use_value(g, t->elem, at(v, (size_t)i * t->elem->size));
        break;
    case VDL_LIST:
        for (i = 0; i < l->n; i++)
            gen_use_value(g, t->elem, at(l->v, (size_t)i * t->stride));
        break;
    case VDL_SET:
    case VDL_MAP:
        for (i = 0; i < l->n; i++) {
            gen_use_value(g, t->key, at(l->v, (size_t)i * t->stride));
            if (t->kind == VDL_MAP)
                gen_use_value(g, t->elem,
                    at(l->v, (size_t)i * t->stride + t->val_off));
        }
        break;
    case VDL_STRUCT:
        for (i = 0; i < t->count; i++)
            gen_use_value(g, t->fields[i].type, at(v, t->fields[i].offset));
        break;
    case VDL_UNION:
        which = vdl_get_which(t, v);
        gen_use_value(g, t->fields[which].type,
            at(v, t->fields[which].offset));
        break;
    default:
        break;
    }
}

/* ---- numbers ------------------------------------------------------------- */

static const char *text_int(struct gen *g, int64_t v)
{
    if (v == INT64_MIN)
        return "(-INT64_C(9223372036854775807) - 1)";
    if (v == INT32_MIN)
        return "(-2147483647 - 1)";
    if (v > INT32_MAX || v < INT32_MIN)
        return gen_str(g, "INT64_C(%" PRId64 ")", v);
    return gen_str(g, "%" PRId64, v);
}

static const char *text_uint(struct gen *g, uint64_t v)
{
    if (v > UINT32_MAX)
        return gen_str(g, "UINT64_C(%" PRIu64 ")", v);
    return gen_str(g, v > INT32_MAX ? "%" PRIu64 "u" : "%" PRIu64, v);
}

/* Shortest digits that read back as the same number. */
static const char *text_float(struct gen *g, double v, bool single)
{
    const char *s = "0";
    int digits;

    for (digits = single ? 6 : 15; digits <= 17; digits++) {
        s = gen_str(g, "%.*g", digits, v);
        if (single ? strtof(s, NULL) == (float)v : strtod(s, NULL) == v)
            break;
    }
    if (strpbrk(s, ".e") == NULL)
        s = gen_str(g, "%s.0", s);
    return single ? gen_str(g, "%sf", s) : s;
}

static const char *text_scalar(struct gen *g, const struct vdl_type *t,
    const void *v)
{
    switch (t->kind) {
    case VDL_BOOL:
        return *(const bool *)v ? "true" : "false";
    case VDL_BYTE:
    case VDL_UINT16:
    case VDL_UINT32:
    case VDL_UINT64:
        return text_uint(g, vdl_get_uint(t, v));
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        return text_int(g, vdl_get_int(t, v));
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        return text_float(g, vdl_get_float(t, v), t->kind == VDL_FLOAT32);
    default:
        return gen_label(g, t, vdl_get_enum(t, v));
    }
}

/* ---- order of keys ------------------------------------------------------- */

static int sign(bool less, bool more)
{
    return more - less;
}

static int compare(const struct vdl_type *t, const void *a, const void *b)
{
    uint32_t i, which;
    int c = 0;

    switch (t->kind) {
    case VDL_BOOL:
        return *(const bool *)a - *(const bool *)b;
    case VDL_STRING:
        return vdl_str_cmp(*(const struct vdl_str *)a,
            *(const struct vdl_str *)b);
    case VDL_ENUM:
        return (int)vdl_get_enum(t, a) - (int)vdl_get_enum(t, b);
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        return sign(vdl_get_int(t, a) < vdl_get_int(t, b),
            vdl_get_int(t, a) > vdl_get_int(t, b));
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        return sign(vdl_get_float(t, a) < vdl_get_float(t, b),
            vdl_get_float(t, a) > vdl_get_float(t, b));
    case VDL_ARRAY:
        for (i = 0; c == 0 && i < t->count; i++)
            c = compare(t->elem, at(a, (size_t)i * t->elem->size),
                at(b, (size_t)i * t->elem->size));
        return c;
    case VDL_STRUCT:
        for (i = 0; c == 0 && i < t->count; i++)
            c = compare(t->fields[i].type, at(a, t->fields[i].offset),
                at(b, t->fields[i].offset));
        return c;
    case VDL_UNION:
        which = vdl_get_which(t, a);
        if (which != vdl_get_which(t, b))
            return which < vdl_get_which(t, b) ? -1 : 1;
        return compare(t->fields[which].type, at(a, t->fields[which].offset),
            at(b, t->fields[which].offset));
    default:
        return sign(vdl_get_uint(t, a) < vdl_get_uint(t, b),
            vdl_get_uint(t, a) > vdl_get_uint(t, b));
    }
}

/* Entries of a set or map, least key first. */
static const void **sorted(struct gen *g, const struct vdl_type *t,
    const struct vdl_list *l)
{
    const void **v = v23_arena_get(&g->mem, l->n * sizeof(*v) + 1,
        _Alignof(void *));
    const void *x;
    uint32_t i, j;

    if (v == NULL) {
        g->rc = V23_ENOMEM;
        return NULL;
    }
    for (i = 0; i < l->n; i++) {
        x = at(l->v, (size_t)i * t->stride);
        for (j = i; j > 0 && compare(t->key, x, v[j - 1]) < 0; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
    return v;
}

/* ---- values -------------------------------------------------------------- */

struct gen_object {
    const char *type, *init, *name;
};

/* Define "static <type> <name><dim> = <init>" unless it is there. */
static const char *new_object(struct gen *g, const char *type,
    const char *dim, const char *init)
{
    struct gen_object *o;
    size_t i;

    for (i = 0; i < g->objects.n; i++) {
        const struct gen_object *old = g->objects.v[i];

        if (strcmp(old->type, type) == 0 && strcmp(old->init, init) == 0)
            return old->name;
    }
    o = v23_arena_new(&g->mem, struct gen_object);
    if (o == NULL) {
        g->rc = V23_ENOMEM;
        return "";
    }
    o->type = type;
    o->init = init;
    o->name = gen_str(g, "%sc%zu_", g->prefix, g->objects.n);
    gen_add(g, &g->objects, o);
    gen_putw(g, "static %s %s%s = %s;\n", type, o->name, dim, init);
    return o->name;
}

/* An object of its own; returns its name. Equal ones are shared. */
static const char *object(struct gen *g, const struct vdl_type *t,
    const void *v)
{
    gen_need_type(g, t);
    gen_flush_entries(g);
    return new_object(g, gen_celem(g, t), "", gen_value_str(g, t, v));
}

static void put_any(struct gen *g, struct v23_buf *b, const struct vdl_any *v)
{
    const char *name;

    if (v->type == NULL) {
        v23_buf_puts(b, "{ NULL, NULL }");
        return;
    }
    gen_need_desc(g, v->type);
    name = object(g, v->type, v->val);
    v23_buf_printf(b, "{ %s, &%s }", gen_desc(g, v->type), name);
}

static void put_typeobject(struct gen *g, struct v23_buf *b,
    const struct vdl_type *t)
{
    if (t == NULL || (t->kind == VDL_ANY && t->name.n == 0)) {
        v23_buf_puts(b, "NULL");
        return;
    }
    gen_need_desc(g, t);
    v23_buf_puts(b, gen_desc(g, t));
}

static void put_array(struct gen *g, struct v23_buf *b,
    const struct vdl_type *t, const void *v)
{
    const struct vdl_type *elem = gen_wire(t)->elem;
    uint32_t i, n = t->count;

    while (n > 1 && vdl_is_zero(elem, at(v, (size_t)(n - 1) * elem->size)))
        n--;
    v23_buf_puts(b, "{ { ");
    for (i = 0; i < n; i++) {
        v23_buf_puts(b, i > 0 ? ", " : "");
        gen_value(g, b, t->elem, at(v, (size_t)i * elem->size));
    }
    v23_buf_puts(b, " } }");
}

/* One element of a list, set or map. */
static void put_element(struct gen *g, struct v23_buf *b,
    const struct vdl_type *t, const void *x)
{
    if (t->kind != VDL_MAP) {
        gen_value(g, b, t->kind == VDL_SET ? t->key : t->elem, x);
        return;
    }
    v23_buf_puts(b, "{ ");
    gen_value(g, b, t->key, x);
    v23_buf_puts(b, ", ");
    gen_value(g, b, t->elem, at(x, t->val_off));
    v23_buf_puts(b, " }");
}

static void put_sequence(struct gen *g, struct v23_buf *b,
    const struct vdl_type *t, const struct vdl_list *l)
{
    const void **order = NULL;
    const char *elem, *name;
    struct v23_buf items;
    uint32_t i, per_line;

    if (l->n == 0) {
        v23_buf_puts(b, "{ NULL, 0 }");
        return;
    }
    if (t->kind != VDL_LIST) {
        order = sorted(g, gen_wire(t), l);
        if (order == NULL)
            return;
    }
    gen_need_type(g, t);
    gen_flush_entries(g);
    per_line = t->kind == VDL_LIST && t->elem->kind == VDL_BYTE ? 12 : 1;
    v23_buf_init(&items, NULL, SIZE_MAX);
    for (i = 0; i < l->n; i++) {
        v23_buf_puts(&items, i % per_line == 0 ? "    " : " ");
        put_element(g, &items, t, order != NULL ? order[i] :
            at(l->v, (size_t)i * t->stride));
        v23_buf_puts(&items, i % per_line == per_line - 1 || i + 1 == l->n ?
            ",\n" : ",");
    }
    if (t->kind == VDL_MAP)
        elem = gen_str(g, "const %s", gen_entry(g, t));
    else
        elem = gen_celem(g, t->kind == VDL_SET ? t->key : t->elem);
    name = new_object(g, elem, "[]",
        gen_str(g, "{\n%s}", v23_buf_cstr(&items)));
    if (items.err != 0)
        g->rc = items.err;
    v23_buf_fini(&items);
    v23_buf_printf(b, "{ %s, %u }", name, (unsigned)l->n);
}

static void put_struct(struct gen *g, struct v23_buf *b,
    const struct vdl_type *t, const void *v)
{
    const struct vdl_field *f;
    uint32_t i, n = 0;

    if (t->count == 0) {
        v23_buf_puts(b, "{ 0 }");
        return;
    }
    v23_buf_puts(b, "{ ");
    for (i = 0; i < t->count; i++) {
        f = &t->fields[i];
        if (vdl_is_zero(f->type, at(v, f->offset)) &&
            (n > 0 || i + 1 < t->count))
            continue;
        v23_buf_printf(b, "%s.%s = ", n++ > 0 ? ", " : "", gen_field(g, t, i));
        gen_value(g, b, gen_ftype(g, t, i), at(v, f->offset));
    }
    v23_buf_puts(b, " }");
}

static void put_union(struct gen *g, struct v23_buf *b,
    const struct vdl_type *t, const void *v)
{
    uint32_t i = vdl_get_which(t, v);
    const struct vdl_field *f = &t->fields[i];

    v23_buf_printf(b, "{ .which = %s, .u = { .%s = ", gen_label(g, t, i),
        gen_field(g, t, i));
    gen_value(g, b, gen_ftype(g, t, i), at(v, f->offset));
    v23_buf_puts(b, " } }");
}

/* ---- values held in place or as bits ------------------------------------- */

/* A text that fills its array has no room for the 0 of a literal. */
static void put_text_inline(struct gen *g, struct v23_buf *b,
    const struct vdl_type *t, const struct vdl_str *s)
{
    uint32_t i;

    if (t->elem->kind == VDL_STRING && s->n < t->count) {
        v23_buf_printf(b, "{ .n = %u, .p = %s }", (unsigned)s->n,
            gen_literal(g, s->p, s->n));
        return;
    }
    v23_buf_printf(b, "{ .n = %u, .p = { ", (unsigned)s->n);
    for (i = 0; i < s->n; i++)
        v23_buf_printf(b, "%s%d", i > 0 ? ", " : "",
            t->elem->kind == VDL_STRING ? s->p[i] : (uint8_t)s->p[i]);
    v23_buf_puts(b, " } }");
}

static void put_inline(struct gen *g, struct v23_buf *b,
    const struct vdl_type *t, const void *v)
{
    const struct vdl_type *view = t->elem, *wire = t->wire;
    const struct vdl_list *l = v;
    const void **order = NULL;
    uint32_t i;

    if (view->kind == VDL_OPTIONAL) {
        v = *(const void *const *)v;
        v23_buf_puts(b, v == NULL ? "{ .has = false" : "{ .has = true, .v = ");
        if (v != NULL)
            gen_value(g, b, view->elem, v);
        v23_buf_puts(b, " }");
        return;
    }
    if (l->n > t->count) {
        gen_fail(g, "a constant has %u elements where %u fit (%s)",
            (unsigned)l->n, (unsigned)t->count, gen_tname(g, t));
        return;
    }
    if (l->n == 0) {
        v23_buf_puts(b, "{ .n = 0 }");
        return;
    }
    if (gen_is_text(view)) {
        put_text_inline(g, b, t, v);
        return;
    }
    if (view->kind != VDL_LIST)
        order = sorted(g, wire, l);
    v23_buf_printf(b, "{ .n = %u, .v = { ", (unsigned)l->n);
    for (i = 0; i < l->n && g->rc == 0; i++) {
        v23_buf_puts(b, i > 0 ? ", " : "");
        put_element(g, b, view, order != NULL ? order[i] :
            at(l->v, (size_t)i * wire->stride));
    }
    v23_buf_puts(b, " } }");
}

static void put_special(struct gen *g, struct v23_buf *b,
    const struct vdl_type *t, const void *v)
{
    uint64_t bits;

    if (t->rep == GEN_REP_BITS) {
        memcpy(&bits, v, sizeof(bits));
        v23_buf_printf(b, "UINT64_C(0x%016" PRIx64 ")", bits);
    } else if (t->rep == VDL_REP_INLINE) {
        put_inline(g, b, t, v);
    } else if (((const struct vdl_list *)v)->n == 0) {
        v23_buf_puts(b, "{ .n = 0 }");
    } else {
        gen_fail(g, "a constant holds a list that is streamed (%s)",
            gen_tname(g, t));
    }
}

void gen_value(struct gen *g, struct v23_buf *b, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_str *s = v;
    const void *p;

    if (t->kind == VDL_SPECIAL || t->rep == GEN_REP_BITS) {
        put_special(g, b, t, v);
        return;
    }
    switch (t->kind) {
    case VDL_ANY:
        put_any(g, b, v);
        break;
    case VDL_OPTIONAL:
        p = *(const void *const *)v;
        if (p == NULL)
            v23_buf_puts(b, "NULL");
        else
            v23_buf_printf(b, "&%s", object(g, t->elem, p));
        break;
    case VDL_STRING:
        v23_buf_puts(b, gen_str_init(g, s->p, s->n));
        break;
    case VDL_TYPEOBJECT:
        put_typeobject(g, b, *(const struct vdl_type *const *)v);
        break;
    case VDL_ARRAY:
        put_array(g, b, t, v);
        break;
    case VDL_LIST:
    case VDL_SET:
    case VDL_MAP:
        put_sequence(g, b, t, v);
        break;
    case VDL_STRUCT:
        put_struct(g, b, t, v);
        break;
    case VDL_UNION:
        put_union(g, b, t, v);
        break;
    default:
        v23_buf_puts(b, text_scalar(g, t, v));
        break;
    }
}

const char *gen_value_str(struct gen *g, const struct vdl_type *t,
    const void *v)
{
    struct v23_buf b;
    const char *s;

    v23_buf_init(&b, NULL, SIZE_MAX);
    gen_value(g, &b, t, v);
    s = gen_str(g, "%s", v23_buf_cstr(&b));
    if (b.err != 0)
        g->rc = b.err;
    v23_buf_fini(&b);
    return s;
}

/* ---- parts of the files -------------------------------------------------- */

static bool is_macro(const struct vdl_type *t)
{
    return (t->kind >= VDL_BOOL && t->kind <= VDL_ENUM);
}

/* A value with its type, fit for any expression. */
static const char *macro_text(struct gen *g, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_str *s = v;

    if (t->kind == VDL_STRING)
        return gen_literal(g, s->p, s->n);
    if (t->kind == VDL_ENUM || t->kind == VDL_BOOL)
        return text_scalar(g, t, v);
    return gen_str(g, "((%s)%s)", gen_ctype(g, t), text_scalar(g, t, v));
}

/* What the constant holds; a nil any has no storage of its own. */
static const void *value_of(const struct ir_const *c)
{
    static const struct vdl_any nil;

    return c->value.val == NULL && c->value.type->kind == VDL_ANY ? &nil :
        c->value.val;
}

void gen_consts_h(struct gen *g)
{
    const struct ir_const *c;
    const char *name;
    size_t i;

    if (g->p->nconsts > 0) {
        gen_title(g, "consts");
        gen_put(g, "\n");
    }
    for (i = 0; i < g->p->nconsts; i++) {
        c = &g->p->consts[i];
        name = gen_ident(g, gen_const_name(g, c), c->name);
        gen_doc(g, "", &c->doc);
        if (is_macro(c->value.type))
            gen_put(g, "#define %s %s\n", name,
                macro_text(g, c->value.type, value_of(c)));
        else
            gen_put(g, "extern %s %s;\n", gen_celem(g, c->value.type), name);
    }
}

void gen_consts_c(struct gen *g)
{
    const struct ir_const *c;
    const char *init;
    size_t i;

    if (g->p->nconsts > 0) {
        gen_title(g, "consts");
        gen_put(g, "\n");
    }
    for (i = 0; i < g->p->nconsts; i++) {
        c = &g->p->consts[i];
        if (is_macro(c->value.type))
            continue;
        init = gen_value_str(g, c->value.type, value_of(c));
        gen_putw(g, "%s %s = %s;\n", gen_celem(g, c->value.type),
            gen_const_name(g, c), init);
    }
}
