/* BSD-3-Clause; see LICENSE. */
/*
 * Built-in types, predicates and comparison of types.
 *
 * Walks over type graphs keep what they have seen in a set on the stack that
 * holds V23_TYPE_GRAPH entries; none recurses or allocates.
 */
#include "type_build_int.h"

#define SCALAR(name_, kind_, ctype_, flags_) \
    const struct vdl_type vdl_##name_##_desc = { kind_, VDL_REP_NORMAL, \
        flags_, _Alignof(ctype_), sizeof(ctype_), { NULL, 0 }, NULL, NULL, 0, \
        0, 0, NULL, { NULL }, NULL }
#define LIST(name_, elem_, ctype_, flags_) \
    const struct vdl_type vdl_##name_##_desc = { VDL_LIST, VDL_REP_NORMAL, \
        flags_, _Alignof(struct vdl_list), sizeof(struct vdl_list), \
        { NULL, 0 }, &vdl_##elem_##_desc, NULL, 0, sizeof(ctype_), 0, NULL, \
        { NULL }, NULL }

SCALAR(any, VDL_ANY, struct vdl_any, VDL_T_ANY);
SCALAR(bool, VDL_BOOL, bool, VDL_T_FLAT);
SCALAR(byte, VDL_BYTE, uint8_t, VDL_T_FLAT);
SCALAR(uint16, VDL_UINT16, uint16_t, VDL_T_FLAT);
SCALAR(uint32, VDL_UINT32, uint32_t, VDL_T_FLAT);
SCALAR(uint64, VDL_UINT64, uint64_t, VDL_T_FLAT);
SCALAR(int8, VDL_INT8, int8_t, VDL_T_FLAT);
SCALAR(int16, VDL_INT16, int16_t, VDL_T_FLAT);
SCALAR(int32, VDL_INT32, int32_t, VDL_T_FLAT);
SCALAR(int64, VDL_INT64, int64_t, VDL_T_FLAT);
SCALAR(float32, VDL_FLOAT32, float, VDL_T_FLAT);
SCALAR(float64, VDL_FLOAT64, double, VDL_T_FLAT);
SCALAR(string, VDL_STRING, struct vdl_str, 0);
SCALAR(typeobject, VDL_TYPEOBJECT, const struct vdl_type *, VDL_T_TYPEOBJECT);
LIST(bytes, byte, uint8_t, 0);
LIST(str_list, string, struct vdl_str, 0);
LIST(any_list, any, struct vdl_any, VDL_T_ANY);

const struct vdl_type *const vdl_builtin_[VDL_KINDS] = { &vdl_any_desc, NULL,
    &vdl_bool_desc, &vdl_byte_desc, &vdl_uint16_desc, &vdl_uint32_desc,
    &vdl_uint64_desc, &vdl_int8_desc, &vdl_int16_desc, &vdl_int32_desc,
    &vdl_int64_desc, &vdl_float32_desc, &vdl_float64_desc, &vdl_string_desc,
    NULL, &vdl_typeobject_desc, NULL, NULL, NULL, NULL, NULL, NULL };

/* ---- sets ---------------------------------------------------------------- */

uint32_t vdl_mix_str_(uint32_t h, struct vdl_str s)
{
    const char *p = s.p;
    uint32_t n = s.n, word;

    h = h * 31 + n;
    for (; n >= sizeof(word); n -= (uint32_t)sizeof(word), p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        h = ((h << 7 | h >> 25) ^ word) * 16777619u;
    }
    while (n-- != 0)
        h = (h ^ (uint8_t)*p++) * 16777619u;
    return h;
}

uint32_t vdl_slot_(const uint16_t *slots, const struct vdl_type *const *a,
    const struct vdl_type *const *b, const struct vdl_type *ka,
    const struct vdl_type *kb)
{
    uint32_t h = (uint32_t)vdl_address_hash_(ka), i;

    if (b != NULL)
        h = h * 31 + (uint32_t)vdl_address_hash_(kb);
    for (h %= VDL_SLOTS_; slots[h] != 0; h = (h + 1) % VDL_SLOTS_) {
        i = slots[h] - 1u;
        if (a[i] == ka && (b == NULL || b[i] == kb))
            break;
    }
    return h;
}

void vdl_pairs_init_(struct vdl_pairs_ *s)
{
    s->n = 0;
    memset(s->slots, 0, sizeof(s->slots));
}

bool vdl_pairs_has_(const struct vdl_pairs_ *s, const struct vdl_type *a,
    const struct vdl_type *b)
{
    return s->slots[vdl_slot_(s->slots, s->a, s->b, a, b)] != 0;
}

bool vdl_pairs_add_(struct vdl_pairs_ *s, const struct vdl_type *a,
    const struct vdl_type *b)
{
    uint32_t h = vdl_slot_(s->slots, s->a, s->b, a, b);

    if (s->slots[h] != 0)
        return true;
    if (s->n == VDL_GRAPH_)
        return false;
    s->a[s->n] = a;
    s->b[s->n] = b;
    s->slots[h] = (uint16_t)++s->n;
    return true;
}

/* ---- one node ------------------------------------------------------------ */

uint32_t vdl_nsubtypes_(const struct vdl_type *t)
{
    switch (t->kind) {
    case VDL_OPTIONAL:
    case VDL_ARRAY:
    case VDL_LIST:
    case VDL_SET:
        return 1;
    case VDL_SPECIAL: /* its view */
        return t->elem != NULL;
    case VDL_MAP:
        return 2;
    case VDL_STRUCT:
    case VDL_UNION:
        return t->count;
    default:
        return 0;
    }
}

const struct vdl_type *vdl_subtype_(const struct vdl_type *t, uint32_t i)
{
    if (t->kind == VDL_STRUCT || t->kind == VDL_UNION)
        return t->fields[i].type;
    if (t->kind == VDL_SET || (t->kind == VDL_MAP && i == 0))
        return t->key;
    return t->elem;
}

bool vdl_type_same_node_(const struct vdl_type *a, const struct vdl_type *b)
{
    uint32_t i;

    if (a->kind != b->kind || a->count != b->count
        || !vdl_str_eq(a->name, b->name))
        return false;
    if (a->kind == VDL_ENUM)
        for (i = 0; i < a->count; i++)
            if (!vdl_str_eq(a->labels[i], b->labels[i]))
                return false;
    if (a->kind == VDL_STRUCT || a->kind == VDL_UNION)
        for (i = 0; i < a->count; i++)
            if (!vdl_str_eq(a->fields[i].name, b->fields[i].name))
                return false;
    return true;
}

bool vdl_type_is_bytes(const struct vdl_type *t)
{
    t = vdl_wire_(t);
    return (t->kind == VDL_LIST || t->kind == VDL_ARRAY)
        && t->elem->kind == VDL_BYTE;
}

bool vdl_type_has_length(const struct vdl_type *t)
{
    t = vdl_wire_(t);
    switch (t->kind) {
    case VDL_LIST:
    case VDL_ARRAY:
        return !vdl_type_is_bytes(t);
    case VDL_ANY:
    case VDL_OPTIONAL:
    case VDL_SET:
    case VDL_MAP:
    case VDL_STRUCT:
    case VDL_UNION:
        return true;
    default:
        return false;
    }
}

bool vdl_type_can_be_key(const struct vdl_type *t)
{
    struct vdl_pairs_ seen;
    uint32_t at, i, n;

    t = vdl_wire_(t);
    if ((t->flags & VDL_T_BUILT_) != 0)
        return (t->flags & VDL_T_NOKEY_) == 0;
    vdl_pairs_init_(&seen);
    if (!vdl_pairs_add_(&seen, t, NULL))
        return false;
    for (at = 0; at < seen.n; at++) {
        t = seen.a[at];
        switch (t->kind) {
        case VDL_ANY:
        case VDL_LIST:
        case VDL_MAP:
        case VDL_OPTIONAL:
        case VDL_SET:
        case VDL_TYPEOBJECT:
            return false;
        default:
            break;
        }
        n = vdl_nsubtypes_(t);
        for (i = 0; i < n; i++)
            if (!vdl_pairs_add_(&seen, vdl_wire_(vdl_subtype_(t, i)), NULL))
                return false;
    }
    return true;
}

bool vdl_type_can_be_named(const struct vdl_type *t)
{
    return t->kind != VDL_ANY && t->kind != VDL_TYPEOBJECT;
}

bool vdl_type_can_be_optional(const struct vdl_type *t)
{
    return t->kind == VDL_STRUCT && t->name.n != 0;
}

const char *vdl_kind_name(enum vdl_kind kind)
{
    static const char *const names[VDL_KINDS] = { "any", "optional", "bool",
        "byte", "uint16", "uint32", "uint64", "int8", "int16", "int32",
        "int64", "float32", "float64", "string", "enum", "typeobject", "array",
        "list", "set", "map", "struct", "union" };

    return (unsigned)kind < VDL_KINDS ? names[kind] : "?";
}

int vdl_type_label_index(const struct vdl_type *t, struct vdl_str label)
{
    uint32_t i;

    for (i = 0; i < t->count; i++)
        if (vdl_str_eq(t->labels[i], label))
            return (int)i;
    return -1;
}

int vdl_type_field_index(const struct vdl_type *t, struct vdl_str name)
{
    uint32_t i;

    for (i = 0; i < t->count; i++)
        if (vdl_str_eq(t->fields[i].name, name))
            return (int)i;
    return -1;
}

/* ---- equality ------------------------------------------------------------ */

static bool same_layout_node(const struct vdl_type *a,
    const struct vdl_type *b)
{
    uint32_t i;

    if (!vdl_str_eq(vdl_wire_(a)->name, vdl_wire_(b)->name))
        return false;
    if (a->rep != b->rep || a->size != b->size || a->align != b->align
        || a->stride != b->stride || a->val_off != b->val_off)
        return false;
    if (a->kind == VDL_STRUCT || a->kind == VDL_UNION)
        for (i = 0; i < a->count; i++)
            if (a->fields[i].offset != b->fields[i].offset)
                return false;
    return true;
}

static bool equal_node(const struct vdl_type *a, const struct vdl_type *b,
    bool layout)
{
    return vdl_type_same_node_(a, b) && (!layout || same_layout_node(a, b));
}

/* The set of pairs is the work list too: each pair is expanded once. */
static bool equal(const struct vdl_type *a, const struct vdl_type *b,
    bool layout)
{
    const struct vdl_type *x, *y;
    struct vdl_pairs_ todo;
    uint32_t at, i, n;

    if (a == b)
        return true;
    if (!equal_node(a, b, layout))
        return false;
    vdl_pairs_init_(&todo);
    (void)vdl_pairs_add_(&todo, a, b);
    for (at = 0; at < todo.n; at++) {
        a = todo.a[at];
        b = todo.b[at];
        n = vdl_nsubtypes_(a);
        for (i = 0; i < n; i++) {
            x = vdl_subtype_(a, i);
            y = vdl_subtype_(b, i);
            if (!layout) {
                x = vdl_wire_(x);
                y = vdl_wire_(y);
            }
            if (x == y)
                continue;
            if (!equal_node(x, y, layout) || !vdl_pairs_add_(&todo, x, y))
                return false;
        }
    }
    return true;
}

bool vdl_type_equal(const struct vdl_type *a, const struct vdl_type *b)
{
    return equal(vdl_wire_(a), vdl_wire_(b), false);
}

bool vdl_type_same_layout(const struct vdl_type *a, const struct vdl_type *b)
{
    return equal(a, b, true);
}
