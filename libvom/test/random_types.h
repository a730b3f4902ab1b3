/* BSD-3-Clause; see LICENSE. */
/*
 * Random types and values for tests. A set of types is a table of nodes that
 * keeps the rules of spec/vom.md 1.2, from which equal types can be built any
 * number of times, and changed ones that values convert to and back from.
 */
#ifndef RANDOM_TYPES_H
#define RANDOM_TYPES_H

#include "codec_test.h"

#define RT_NODES 16
#define RT_MEMBERS 300

struct rt {
    uint64_t state;
    struct vdl_type_node nodes[RT_NODES];
    uint32_t n;
    bool keyable[RT_NODES];                 /* may be a key */
    const struct vdl_type *types[RT_NODES]; /* built; anys hold these */
    uint32_t budget;                        /* values that may still be made */
};

/* ---- numbers ------------------------------------------------------------- */

static inline uint64_t rt_next(struct rt *r)
{
    uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 0 … n - 1 */
static inline uint32_t rt_below(struct rt *r, uint32_t n)
{
    return (uint32_t)(rt_next(r) % n);
}

static inline bool rt_one_in(struct rt *r, uint32_t n)
{
    return rt_below(r, n) == 0;
}

/* ---- types --------------------------------------------------------------- */

static const struct vdl_type *const rt_scalars[] = {&vdl_bool_desc,
    &vdl_byte_desc, &vdl_uint16_desc, &vdl_uint32_desc, &vdl_uint64_desc,
    &vdl_int8_desc, &vdl_int16_desc, &vdl_int32_desc, &vdl_int64_desc,
    &vdl_float32_desc, &vdl_float64_desc, &vdl_string_desc};
#define RT_SCALARS (sizeof(rt_scalars) / sizeof(*rt_scalars))

static inline struct vdl_str rt_name(const char *prefix, uint32_t i)
{
    char text[32];

    snprintf(text, sizeof(text), "%s%u", prefix, (unsigned)i);
    return vdl_str(v23_arena_dup(&arena, text, strlen(text)));
}

/* A reference to a node below `below`, to a named one from there on if it is
 * not held inline, or to a built-in type. */
static inline struct vdl_type_ref rt_ref(
    struct rt *r, uint32_t below, bool inlined, bool key)
{
    struct vdl_type_ref ref = {NULL, 0};
    uint32_t i, tries;

    for (tries = 0; tries < 4; tries++) {
        i = rt_below(r, inlined || key ? below + 1 : r->n);
        if (i >= below && (inlined || key || r->nodes[i].name.n == 0))
            continue;
        if (key && !r->keyable[i])
            continue;
        ref.node = i;
        return ref;
    }
    if (!key && rt_one_in(r, 8))
        ref.type = &vdl_any_desc;
    else if (!key && rt_one_in(r, 12))
        ref.type = &vdl_typeobject_desc;
    else
        ref.type = rt_scalars[rt_below(r, RT_SCALARS)];
    return ref;
}

static inline bool rt_ref_keyable(const struct rt *r, struct vdl_type_ref ref)
{
    if (ref.type == NULL)
        return r->keyable[ref.node];
    return ref.type->kind != VDL_ANY && ref.type->kind != VDL_TYPEOBJECT;
}

static inline void rt_labels(struct rt *r, struct vdl_type_node *node)
{
    uint32_t i,
        n = rt_one_in(r, 20) ? 257 + rt_below(r, 40) : 1 + rt_below(r, 5);
    struct vdl_str *labels = v23_arena_get0(&arena, n, sizeof(*labels), 8);

    for (i = 0; i < n; i++)
        labels[i] = rt_name("L", i);
    node->labels = labels;
    node->nmembers = n;
}

static inline bool rt_fields(
    struct rt *r, struct vdl_type_node *node, uint32_t below)
{
    uint32_t i, n = rt_below(r, 7);
    struct vdl_type_member *m;
    bool keyable = true;

    if (rt_one_in(r, 25))
        n = 120 + rt_below(r, 20);
    if (node->kind == VDL_UNION)
        n++;
    m = v23_arena_get0(&arena, n + 1, sizeof(*m), 8);
    for (i = 0; i < n; i++) {
        m[i].name = rt_name("F", i);
        m[i].type = rt_ref(r, below, true, false);
        keyable = keyable && rt_ref_keyable(r, m[i].type);
    }
    node->members = m;
    node->nmembers = n;
    return keyable;
}

/* A struct of a kind that an optional may hold, or RT_NODES. */
static inline uint32_t rt_find_struct(struct rt *r)
{
    uint32_t i, start = rt_below(r, r->n), at;

    for (i = 0; i < r->n; i++) {
        at = (start + i) % r->n;
        if (r->nodes[at].kind == VDL_STRUCT && r->nodes[at].name.n != 0)
            return at;
    }
    return RT_NODES;
}

static inline void rt_node(struct rt *r, uint32_t at)
{
    struct vdl_type_node *node = &r->nodes[at];
    bool *keyable = &r->keyable[at];
    uint32_t to;

    switch (node->kind) {
    case VDL_OPTIONAL:
        to = rt_find_struct(r);
        if (to == RT_NODES) {
            node->kind = VDL_LIST;
            node->elem = rt_ref(r, at, false, false);
        } else {
            node->elem.node = to;
        }
        return;
    case VDL_ARRAY:
        node->len = 1 + rt_below(r, 4);
        node->elem = rt_ref(r, at, true, false);
        *keyable = rt_ref_keyable(r, node->elem);
        return;
    case VDL_LIST:
        node->elem = rt_ref(r, at, false, false);
        return;
    case VDL_SET:
        node->key = rt_ref(r, at, false, true);
        return;
    case VDL_MAP:
        node->key = rt_ref(r, at, false, true);
        node->elem = rt_ref(r, at, false, false);
        return;
    case VDL_STRUCT:
    case VDL_UNION:
        *keyable = rt_fields(r, node, at);
        return;
    case VDL_ENUM:
        rt_labels(r, node);
        V23_FALLTHROUGH;
    default:
        *keyable = true;
        return;
    }
}

/* Make a table of nodes. */
static inline void rt_types(struct rt *r)
{
    static const uint8_t kinds[] = {VDL_OPTIONAL, VDL_ENUM, VDL_ARRAY, VDL_LIST,
        VDL_LIST, VDL_SET, VDL_MAP, VDL_STRUCT, VDL_STRUCT, VDL_STRUCT,
        VDL_UNION};
    struct vdl_type_node *node;
    uint32_t i;

    r->n = 1 + rt_below(r, RT_NODES - 1);
    memset(r->nodes, 0, sizeof(r->nodes));
    memset(r->keyable, 0, sizeof(r->keyable));
    for (i = 0; i < r->n; i++) {
        node = &r->nodes[i];
        node->kind = (enum vdl_kind)kinds[rt_below(r, sizeof(kinds))];
        if (rt_one_in(r, 5))
            node->kind =
                (enum vdl_kind)rt_scalars[rt_below(r, RT_SCALARS)]->kind;
        if (node->kind != VDL_OPTIONAL && !rt_one_in(r, 3))
            node->name = rt_name("x.T", i);
    }
    for (i = 0; i < r->n; i++)
        rt_node(r, i);
}

/* Build types of a table in a set. */
static inline void rt_build(const struct rt *r,
    const struct vdl_type_node *nodes, struct vdl_types *set,
    const struct vdl_type **out)
{
    int rc = vdl_types_build(set, nodes, r->n, out);

    ck_assert_msg(rc == 0, "types are refused: %s", v23_strerror(rc));
}

/* ---- values -------------------------------------------------------------- */

static inline void rt_value(
    struct rt *r, const struct vdl_type *t, void *v, unsigned depth);

static inline uint64_t rt_number(struct rt *r)
{
    uint64_t x = rt_next(r);

    switch (rt_below(r, 6)) {
    case 0:
        return 0;
    case 1:
        return x & 127;
    case 2:
        return ~(x & 127);
    default:
        return x >> rt_below(r, 64);
    }
}

static inline double rt_float(struct rt *r, bool single)
{
    static const double special[] = {
        0, -0.0, 1, -1.5, 1e30, -3.25e-20, 16777216, 0.1f};
    double d;

    if (rt_one_in(r, 2))
        return special[rt_below(r, 8)];
    d = (double)(int64_t)rt_next(r) / (double)(1u << rt_below(r, 31));
    return single ? (double)(float)d : d;
}

static inline struct vdl_str rt_text(struct rt *r)
{
    static const char *const parts[] = {"", "a", "xyz", "\xce\x94",
        "\xe2\x80\xa8", "\n", "\"", "\\", "\x01", "\xff", "'",
        "a longer text that takes more than a few words"};
    struct v23_buf b;
    char space[256];
    uint32_t i, n = rt_below(r, 4);

    v23_buf_init_fixed(&b, space, sizeof(space));
    for (i = 0; i < n; i++)
        v23_buf_puts(&b, parts[rt_below(r, 12)]);
    return vdl_strn(v23_arena_dup(&arena, b.p, b.n), b.n);
}

/* Keep of equal keys one. */
static inline uint32_t rt_unique(
    const struct vdl_type *t, uint8_t *v, uint32_t n)
{
    uint32_t i, k, kept = 0;

    for (i = 0; i < n; i++) {
        for (k = 0; k < kept; k++)
            if (vdl_equal(t->key, v + k * t->stride, v + i * t->stride))
                break;
        if (k == kept)
            memmove(v + kept++ * t->stride, v + i * t->stride, t->stride);
    }
    return kept;
}

static inline void rt_table(
    struct rt *r, const struct vdl_type *t, struct vdl_list *l, unsigned depth)
{
    const struct vdl_type *first = t->kind == VDL_LIST ? t->elem : t->key;
    uint32_t i, n = depth > 6 || r->budget == 0 ? 0 : rt_below(r, 4);
    uint8_t *v;

    if (n != 0 && rt_one_in(r, 30) && first->size < 16)
        n = 30;
    v = v23_arena_get0(&arena, n + 1, t->stride, 16);
    for (i = 0; i < n; i++) {
        rt_value(r, first, v + i * t->stride, depth);
        if (t->kind == VDL_MAP)
            rt_value(r, t->elem, v + i * t->stride + t->val_off, depth);
    }
    l->v = v;
    l->n = t->kind == VDL_LIST ? n : rt_unique(t, v, n);
}

/* A type that an any or a typeobject may hold. */
static inline const struct vdl_type *rt_pick(struct rt *r)
{
    return rt_one_in(r, 2) ? r->types[rt_below(r, r->n)]
                           : rt_scalars[rt_below(r, RT_SCALARS)];
}

static inline const void *rt_object(
    struct rt *r, const struct vdl_type *t, unsigned depth)
{
    void *v = v23_arena_get0(&arena, 1, t->size, 16);

    rt_value(r, t, v, depth);
    return v;
}

static inline void rt_parts(
    struct rt *r, const struct vdl_type *t, uint8_t *v, unsigned depth)
{
    uint32_t i;

    if (t->kind == VDL_ARRAY) {
        for (i = 0; i < t->count; i++)
            rt_value(r, t->elem, v + i * t->elem->size, depth);
    } else if (t->kind == VDL_STRUCT) {
        for (i = 0; i < t->count; i++)
            if (!rt_one_in(r, 3))
                rt_value(r, t->fields[i].type, v + t->fields[i].offset, depth);
    } else {
        i = rt_below(r, t->count);
        vdl_set_which(t, v, i);
        rt_value(r, t->fields[i].type, v + t->fields[i].offset, depth);
    }
}

/* Fill zeroed memory. */
static inline void rt_value(
    struct rt *r, const struct vdl_type *t, void *v, unsigned depth)
{
    struct vdl_any *any = v;

    depth++;
    r->budget -= r->budget != 0;
    switch (t->kind) {
    case VDL_ANY:
        if (depth > 6 || r->budget == 0 || rt_one_in(r, 4))
            return;
        any->type = rt_pick(r);
        any->val = rt_object(r, any->type, depth);
        return;
    case VDL_OPTIONAL:
        if (depth <= 6 && r->budget != 0 && !rt_one_in(r, 4))
            *(const void **)v = rt_object(r, t->elem, depth);
        return;
    case VDL_BOOL:
        *(bool *)v = rt_one_in(r, 2);
        return;
    case VDL_STRING:
        *(struct vdl_str *)v = rt_text(r);
        return;
    case VDL_ENUM:
        vdl_set_enum(t, v, rt_below(r, t->count));
        return;
    case VDL_TYPEOBJECT:
        *(const struct vdl_type **)v = rt_pick(r);
        return;
    case VDL_FLOAT32:
        *(float *)v = (float)rt_float(r, true);
        return;
    case VDL_FLOAT64:
        *(double *)v = rt_float(r, false);
        return;
    case VDL_LIST:
    case VDL_SET:
    case VDL_MAP:
        rt_table(r, t, v, depth);
        return;
    case VDL_ARRAY:
    case VDL_STRUCT:
    case VDL_UNION:
        rt_parts(r, t, v, depth);
        return;
    default:
        vdl_set_uint(t, v, rt_number(r));
        return;
    }
}

/* ---- changed types ------------------------------------------------------- */

/* The same or a wider kind of number, which holds all values of it. */
static inline const struct vdl_type *rt_wider(
    struct rt *r, const struct vdl_type *t)
{
    static const struct vdl_type *const to[VDL_KINDS][3] = {
        [VDL_BYTE] = {&vdl_uint16_desc, &vdl_int16_desc, &vdl_float32_desc},
        [VDL_UINT16] = {&vdl_uint32_desc, &vdl_int32_desc, &vdl_float32_desc},
        [VDL_UINT32] = {&vdl_uint64_desc, &vdl_int64_desc, &vdl_float64_desc},
        [VDL_INT8] = {&vdl_int16_desc, &vdl_int64_desc, &vdl_float32_desc},
        [VDL_INT16] = {&vdl_int32_desc, &vdl_int64_desc, &vdl_float64_desc},
        [VDL_INT32] = {&vdl_int64_desc, &vdl_int64_desc, &vdl_float64_desc},
        [VDL_FLOAT32] = {
            &vdl_float64_desc, &vdl_float64_desc, &vdl_float64_desc}};
    const struct vdl_type *x = to[t->kind][rt_below(r, 3)];

    return x == NULL || t->name.n != 0 || rt_one_in(r, 3) ? t : x;
}

static inline void rt_change_ref(
    struct rt *r, struct vdl_type_ref *ref, bool key)
{
    if (ref->type != NULL)
        ref->type = rt_wider(r, ref->type);
    if (!key && rt_one_in(r, 8)) {
        ref->type = &vdl_any_desc;
        ref->node = 0;
    }
}

static inline void rt_change_fields(
    struct rt *r, struct vdl_type_node *node, bool key)
{
    uint32_t i, n = node->nmembers, k;
    struct vdl_type_member *m = v23_arena_get0(&arena, n + 1, sizeof(*m), 8);
    struct vdl_type_member swap;

    if (n != 0)
        memcpy(m, node->members, n * sizeof(*m));
    for (i = 0; i < n; i++)
        rt_change_ref(r, &m[i].type, key);
    /* An absent union is field 0, which therefore stays. */
    for (i = 0; node->kind == VDL_STRUCT && i < n; i++) {
        k = rt_below(r, n);
        swap = m[i];
        m[i] = m[k];
        m[k] = swap;
    }
    if (rt_one_in(r, 2)) {
        m[n].name = vdl_str("More");
        m[n].type.type = &vdl_int32_desc;
        node->nmembers++;
    }
    node->members = m;
}

/* Nodes of types to which all values convert without loss. */
static inline void rt_change(struct rt *r, struct vdl_type_node *nodes)
{
    struct vdl_type_node *node;
    uint32_t i;

    memcpy(nodes, r->nodes, sizeof(r->nodes));
    for (i = 0; i < r->n; i++) {
        node = &nodes[i];
        switch (node->kind) {
        case VDL_ARRAY:
            rt_change_ref(r, &node->elem, r->keyable[i]);
            if (!r->keyable[i] && rt_one_in(r, 3))
                node->kind = VDL_LIST;
            break;
        case VDL_LIST:
            rt_change_ref(r, &node->elem, false);
            break;
        case VDL_SET:
            rt_change_ref(r, &node->key, true);
            break;
        case VDL_MAP:
            rt_change_ref(r, &node->key, true);
            rt_change_ref(r, &node->elem, false);
            break;
        case VDL_STRUCT:
        case VDL_UNION:
            rt_change_fields(r, node, r->keyable[i]);
            break;
        default:
            break;
        }
    }
}

#endif
