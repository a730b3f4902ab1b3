/* BSD-3-Clause; see LICENSE. */
/*
 * Composite literals (spec/vdl.md 7.5).
 */
#include <vom/value.h>

#include "eval.h"

/* State of one literal. */
struct composite {
    struct ctx *c;
    struct file *f;
    const struct ast_expr *e;
    const struct vdl_type *t;
    char *v; /* C representation, zero at first */
};

/* "p.kg/a.T struct{X bool} struct literal" */
static const char *describe(const struct composite *x)
{
    return ctx_printf(x->c, "%s %s literal", type_text(x->c, x->t),
        vdl_kind_name((enum vdl_kind)x->t->kind));
}

/* Elements of a list, set or map that grow. */
struct elements {
    char *v;
    size_t n, cap, size;
};

static bool elements_reach(struct ctx *c, struct elements *l, size_t n)
{
    char *v;

    if (n <= l->n)
        return true;
    if (n > VALUE_SIZE_MAX / l->size)
        return false;
    if (n > l->cap) {
        l->cap = n < 8 ? 8 : 2 * n;
        v = value_get(c, l->cap * l->size);
        if (v == NULL)
            return false;
        if (l->n > 0)
            memcpy(v, l->v, l->n * l->size);
        l->v = v;
    }
    l->n = n;
    return true;
}

static void put_elements(struct composite *x, const struct elements *l)
{
    struct vdl_list list;

    list.v = l->v;
    list.n = (uint32_t)l->n;
    memcpy(x->v, &list, sizeof(list));
}

static bool eval_list(struct composite *x)
{
    bool is_array = x->t->kind == VDL_ARRAY;
    uint64_t max = is_array ? x->t->count : UINT32_MAX, index = 0;
    struct elements l = {0}, used = {0};
    struct vdl_any v;
    size_t i;

    l.size = is_array ? x->t->elem->size : x->t->stride;
    l.v = is_array ? x->v : NULL;
    l.n = is_array ? x->t->count : 0;
    used.size = 1;
    for (i = 0; i < x->e->entries.n; i++, index++) {
        const struct ast_entry *entry = x->e->entries.v[i];

        if (entry->key != NULL &&
            !eval_index(x->c, x->f, "list index", entry->key, &index))
            return false;
        if (index < used.n && used.v[index] != 0) {
            FILE_ERROR(x->c, x->f, entry->value->pos,
                "duplicate index %llu in %s", (unsigned long long)index,
                describe(x));
            return false;
        }
        if (index >= max || !elements_reach(x->c, &l, index + 1) ||
            !elements_reach(x->c, &used, index + 1)) {
            FILE_ERROR(x->c, x->f, entry->value->pos,
                "index %llu out of range in %s", (unsigned long long)index,
                describe(x));
            return false;
        }
        used.v[index] = 1;
        if (!compile_const(x->c, x->f, is_array ? "array value" : "list value",
                x->t->elem, entry->value, &v))
            return false;
        value_store(x->t->elem, l.v + index * l.size, v);
    }
    if (!is_array)
        put_elements(x, &l);
    return true;
}

/* Keys of one type are equal when their texts are. */
static bool is_duplicate(
    struct composite *x, struct map *seen, struct vdl_any key, struct pos pos)
{
    const char *text = value_whole_text(x->c, key);

    if (map_get(seen, text) == NULL) {
        map_put(x->c, seen, text, x);
        return false;
    }
    FILE_ERROR(x->c, x->f, pos, "duplicate key %s in %s", value_text(x->c, key),
        describe(x));
    return true;
}

/* A set or a map. */
static bool eval_keyed(struct composite *x)
{
    bool is_map = x->t->kind == VDL_MAP;
    struct elements l = {0};
    struct map seen = {0};
    struct vdl_any key, elem;
    size_t i;
    char *at;

    l.size = x->t->stride;
    for (i = 0; i < x->e->entries.n; i++) {
        const struct ast_entry *entry = x->e->entries.v[i];
        const struct ast_expr *k = is_map ? entry->key : entry->value;

        if (is_map != (entry->key != NULL)) {
            FILE_ERROR(x->c, x->f, is_map ? entry->value->pos : entry->key->pos,
                "%s in %s", is_map ? "missing key" : "invalid index",
                describe(x));
            return false;
        }
        if (!compile_const(x->c, x->f, is_map ? "map key" : "set key",
                x->t->key, k, &key) ||
            is_duplicate(x, &seen, key, k->pos))
            return false;
        if (!elements_reach(x->c, &l, l.n + 1)) {
            FILE_ERROR(
                x->c, x->f, k->pos, "too many entries in %s", describe(x));
            return false;
        }
        at = l.v + (l.n - 1) * l.size;
        value_store(x->t->key, at, key);
        if (!is_map)
            continue;
        if (!compile_const(
                x->c, x->f, "map value", x->t->elem, entry->value, &elem))
            return false;
        value_store(x->t->elem, at + x->t->val_off, elem);
    }
    put_elements(x, &l);
    return true;
}

/* Index of the field that a key names, or -1. */
static int eval_field(struct composite *x, const struct ast_expr *key)
{
    int i;

    if (key->kind != AST_NAME) {
        FILE_ERROR(x->c, x->f, key->pos, "invalid field name \"%s\" in %s",
            ast_expr_text(x->c, key), describe(x));
        return -1;
    }
    i = vdl_type_field_index(x->t, vdl_str(key->text.s));
    if (i < 0)
        FILE_ERROR(x->c, x->f, key->pos, "unknown field \"%s\" in %s",
            key->text.s, describe(x));
    return i;
}

static bool eval_struct(struct composite *x)
{
    const struct list *entries = &x->e->entries;
    bool keyed = entries->n > 0 &&
                 ((const struct ast_entry *)entries->v[0])->key != NULL;
    bool *used = ctx_array(x->c, bool, x->t->count);
    struct vdl_any v;
    size_t i;
    int at;

    for (i = 0; i < entries->n; i++) {
        const struct ast_entry *entry = entries->v[i];
        const struct vdl_field *field;

        if (keyed != (entry->key != NULL)) {
            FILE_ERROR(x->c, x->f, entry->value->pos,
                "mixed key:value and value in %s", describe(x));
            return false;
        }
        if (!keyed && i >= x->t->count) {
            FILE_ERROR(x->c, x->f, entry->value->pos, "too many fields in %s",
                describe(x));
            return false;
        }
        at = keyed ? eval_field(x, entry->key) : (int)i;
        if (at < 0)
            return false;
        field = &x->t->fields[at];
        if (used[at]) {
            FILE_ERROR(x->c, x->f, entry->value->pos,
                "duplicate field \"%.*s\" in %s", (int)field->name.n,
                field->name.p, describe(x));
            return false;
        }
        used[at] = true;
        if (!compile_const(
                x->c, x->f, "struct field", field->type, entry->value, &v))
            return false;
        value_store(field->type, x->v + field->offset, v);
    }
    if (!keyed && entries->n > 0 && entries->n < x->t->count) {
        FILE_ERROR(x->c, x->f, x->e->pos, "too few fields in %s", describe(x));
        return false;
    }
    return true;
}

static bool eval_union(struct composite *x)
{
    const struct ast_entry *entry;
    const struct vdl_field *field;
    struct vdl_any v;
    int at;

    if (x->e->entries.n == 0)
        return true;
    entry = x->e->entries.v[0];
    if (x->e->entries.n != 1 || entry->key == NULL) {
        FILE_ERROR(x->c, x->f, x->e->pos, "invalid %s (must have %s)",
            describe(x),
            x->e->entries.n != 1 ? "a single entry" : "explicit key and value");
        return false;
    }
    at = eval_field(x, entry->key);
    if (at < 0)
        return false;
    field = &x->t->fields[at];
    if (!compile_const(
            x->c, x->f, "union field", field->type, entry->value, &v))
        return false;
    vdl_set_which(x->t, x->v, (uint32_t)at);
    value_store(field->type, x->v + field->offset, v);
    return true;
}

static bool eval_kind(struct composite *x)
{
    switch (x->t->kind) {
    case VDL_ARRAY:
    case VDL_LIST:
        return eval_list(x);
    case VDL_SET:
    case VDL_MAP:
        return eval_keyed(x);
    case VDL_STRUCT:
        return eval_struct(x);
    default:
        return eval_union(x);
    }
}

bool eval_composite(struct ctx *c, struct file *f, const struct vdl_type *t,
    const struct ast_expr *e, struct constant *out)
{
    const struct vdl_type *optional = NULL;
    struct composite x;
    struct vdl_any v;
    const void **pointer;

    if (e->type != NULL) {
        t = compile_type(c, f, e->type);
        if (t == NULL)
            return false;
    }
    if (t == NULL) {
        FILE_ERROR(c, f, e->pos, "missing type for composite literal");
        return false;
    }
    if (t->kind == VDL_OPTIONAL) {
        optional = t;
        t = t->elem;
    }
    if (t->kind < VDL_ARRAY) {
        FILE_ERROR(c, f, e->pos, "%s invalid type for composite literal",
            type_text(c, t));
        return false;
    }
    x.c = c;
    x.f = f;
    x.e = e;
    x.t = t;
    x.v = value_zero(c, t);
    if (x.v == NULL) {
        FILE_ERROR(c, f, e->pos, "%s too large", describe(&x));
        return false;
    }
    if (!eval_kind(&x))
        return false;
    v.type = t;
    v.val = x.v;
    if (optional != NULL) {
        pointer = ctx_new(c, const void *);
        *pointer = x.v;
        v.type = optional;
        v.val = pointer;
    }
    *out = constant_of(c, v);
    return true;
}
