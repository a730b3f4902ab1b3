/* BSD-3-Clause; see LICENSE. */
/* Types: text, equality, compatibility, building by the rules of vom.md 1.2. */
#include "codec_test.h"

#include <v23/config.h>
#include <v23/verror.h>

/* ---- helpers ------------------------------------------------------------- */

static const char *type_text(const struct vdl_type *t)
{
    struct v23_buf *b = scratch();

    ck_assert_int_eq(vdl_type_format(t, 60000, b), 0);
    return v23_buf_cstr(b);
}

static struct vdl_type_node node_of(enum vdl_kind kind, const char *name)
{
    struct vdl_type_node n;

    memset(&n, 0, sizeof(n));
    n.kind = kind;
    n.name = vdl_str(name);
    return n;
}

static struct vdl_type_ref to_node(uint32_t i)
{
    struct vdl_type_ref r = { NULL, i };

    return r;
}

static struct vdl_type_ref to_type(const struct vdl_type *t)
{
    struct vdl_type_ref r = { t, 0 };

    return r;
}

/* Build; on failure nothing may have changed. */
static int build(const struct vdl_type_node *nodes, uint32_t n,
    const struct vdl_type **out)
{
    const struct vdl_type *first = &vdl_bool_desc;
    int rc;

    out[0] = first;
    rc = vdl_types_build(types, nodes, n, out);
    if (rc != 0)
        ck_assert_ptr_eq(out[0], first);
    return rc;
}

static int build1(struct vdl_type_node n)
{
    const struct vdl_type *out;

    return build(&n, 1, &out);
}

static struct vdl_type_node struct_of(const char *name,
    const struct vdl_type_member *m, uint32_t n)
{
    struct vdl_type_node node = node_of(VDL_STRUCT, name);

    node.members = m;
    node.nmembers = n;
    return node;
}

/* ---- text ---------------------------------------------------------------- */

START_TEST(canonical_strings_come_back)
{
    static const char *const all[] = { "any", "bool", "typeobject", "float64",
        "x.S string", "enum{A;B}", "x.E enum{A}", "[3]int8", "[]byte",
        "[]string", "[]any", "set[x.E enum{A}]", "map[int8]set[bool]",
        "struct{}", "x.P struct{X int32;Y []int32}", "union{A bool;B any}",
        "?x.S struct{A int32}",
        "struct{A x.S struct{N int32};B x.S;C []x.S}",
        "ex.P struct{Q ?ex.Q struct{P ?ex.P;N int8}}",
        "ex.Q struct{P ?ex.P struct{Q ?ex.Q};N int8}",
        "x.RA []x.RA", "x.RX []x.RY []x.RX", "x.RM map[string]x.RM" };
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        ck_assert_str_eq(type_text(ty(all[i])), all[i]);
}
END_TEST

START_TEST(text_is_capped)
{
    const struct vdl_type *t = &vdl_bool_desc;
    struct vdl_type_member m[2];
    struct vdl_type_node n;
    struct v23_buf *b = scratch();
    int i;

    /* 2^40 leaves, each printed in full. */
    for (i = 0; i < 20; i++) {
        m[0].name = vdl_str("A");
        m[1].name = vdl_str("B");
        m[0].type = m[1].type = to_type(t);
        n = struct_of("", m, 2);
        ck_assert_int_eq(build(&n, 1, &t), 0);
    }
    v23_buf_puts(b, "before");
    ck_assert_int_eq(vdl_type_format(t, 50000, b), V23_ELIMIT);
    ck_assert_str_eq(v23_buf_cstr(b), "before");
    ck_assert_int_eq(vdl_type_format(&vdl_any_desc, 2, b), V23_ELIMIT);
    ck_assert_int_eq(vdl_type_format(&vdl_any_desc, 3, b), 0);
}
END_TEST

/* ---- predicates, equality ------------------------------------------------ */

START_TEST(predicates_follow_the_table)
{
    ck_assert(vdl_type_is_bytes(ty("[4]x.B byte")));
    ck_assert(!vdl_type_has_length(ty("[4]x.B byte")));
    ck_assert(vdl_type_has_length(ty("struct{}")));
    ck_assert(!vdl_type_has_length(&vdl_typeobject_desc));
    ck_assert(vdl_type_can_be_key(ty("struct{A [2]union{B string}}")));
    ck_assert(!vdl_type_can_be_key(ty("struct{A [2]union{B []byte}}")));
    ck_assert(!vdl_type_can_be_key(&vdl_any_list_desc));
    ck_assert(vdl_type_can_be_key(&v23_retry_desc));
    ck_assert(!vdl_type_can_be_key(&v23_verror_desc));
    ck_assert_int_eq(vdl_type_label_index(ty("enum{A;B;A}"), vdl_str("A")),
        0);
    ck_assert_int_eq(vdl_type_label_index(ty("enum{A;B}"), vdl_str("a")), -1);
    ck_assert_int_eq(
        vdl_type_field_index(&v23_verror_desc, vdl_str("ParamList")), 3);
    ck_assert_str_eq(vdl_kind_name(VDL_UNION), "union");
}
END_TEST

START_TEST(builtin_nodes_become_builtin_types)
{
    ck_assert_ptr_eq(ty("[]byte"), &vdl_bytes_desc);
    ck_assert_ptr_eq(ty("[]string"), &vdl_str_list_desc);
    ck_assert_ptr_eq(ty("struct{A []any}")->fields[0].type,
        &vdl_any_list_desc);
}
END_TEST

START_TEST(equality_is_that_of_the_text)
{
    static const char *const all[] = { "x.RA []x.RA", "x.RB []x.RB",
        "struct{A int32}", "struct{A int64}", "struct{B int32}",
        "x.S struct{A int32}", "enum{A}", "enum{B}", "[2]bool", "[3]bool",
        "map[bool]int8", "map[int8]bool", "x.L struct{N ?x.L}",
        "x.M struct{N ?x.M struct{N ?x.M}}" };
    size_t i, j, n = sizeof(all) / sizeof(all[0]) - 1;
    struct vdl_types *other;

    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &other), 0);
    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++) {
            const struct vdl_type *a = ty(all[i]), *b = type_in(other, all[j]);

            ck_assert_int_eq(vdl_type_equal(a, b), i == j);
            ck_assert_int_eq(vdl_type_same_layout(a, b), i == j);
        }
    vdl_types_unref(other);
}
END_TEST

START_TEST(unrolled_recursion_is_equal)
{
    /* L = {?L}, once as one node and once as two of one name. */
    struct vdl_type_member m = { VDL_STR_INIT("N"), { NULL, 1 } };
    struct vdl_type_member m2 = { VDL_STR_INIT("N"), { NULL, 3 } };
    struct vdl_type_node n[4];
    const struct vdl_type *out[4];

    n[0] = struct_of("x.L", &m, 1);
    n[1] = node_of(VDL_OPTIONAL, "");
    n[1].elem = to_node(2);
    n[2] = struct_of("x.L", &m2, 1);
    n[3] = node_of(VDL_OPTIONAL, "");
    n[3].elem = to_node(0);

    ck_assert_int_eq(build(n, 4, out), 0);
    ck_assert(vdl_type_equal(out[0], ty("x.L struct{N ?x.L}")));
    ck_assert(vdl_type_equal(out[0], out[2]));
}
END_TEST

/* ---- compatibility ------------------------------------------------------- */

static bool compat(const char *a, const char *b)
{
    return vdl_type_compatible(ty(a), ty(b));
}

START_TEST(compatibility_by_groups)
{
    ck_assert(compat("any", "[]int32"));
    ck_assert(compat("x.E enum{A}", "string"));
    ck_assert(compat("byte", "float32"));
    ck_assert(!compat("bool", "byte"));
    ck_assert(!compat("string", "[]byte"));
    ck_assert(compat("[2]int8", "[]float64"));
    ck_assert(!compat("[]int8", "set[int8]"));
    ck_assert(compat("?x.S struct{A int8}", "y.S struct{A int16;B bool}"));
    ck_assert(!compat("struct{A int8}", "struct{B int8}"));
    ck_assert(!compat("struct{A int8}", "union{A int8}"));
    ck_assert(compat("struct{}", "struct{B int8}"));
    ck_assert(!compat("map[string]bool", "map[string]int8"));
    ck_assert(compat("x.N struct{V int32;K []x.N}",
        "y.M struct{V int64;K []y.M}"));
    ck_assert(!compat("x.N struct{V int32;K []x.N}",
        "z.M struct{V string;K []z.M}"));
}
END_TEST

START_TEST(one_side_met_before_counts_as_compatible)
{
    /* int32 was compared with int64, so it passes against string too … */
    ck_assert(compat("struct{A int32;B int32}", "struct{A int64;B string}"));
    ck_assert(!compat("struct{A int32;B int16}", "struct{A int64;B string}"));
    /* … but comparing equal types leaves no trace. */
    ck_assert(!compat("struct{A x.S struct{I int32};B int32}",
        "struct{A x.S struct{I int32};B string}"));
}
END_TEST

START_TEST(equal_types_of_other_sets_leave_no_trace)
{
    struct vdl_types *other;
    const struct vdl_type *b;

    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &other), 0);
    b = type_in(other, "struct{A x.N struct{K []x.N;S x.T string};B string}");

    ck_assert(!vdl_type_compatible(
        ty("struct{A x.N struct{K []x.N;S x.T string};B bool}"), b));
    ck_assert(!vdl_type_compatible(
        ty("struct{A x.N struct{K []x.N;S x.T string};B x.T}"),
        type_in(other, "struct{A x.N struct{K []x.N;S x.T string};B bool}")));
    vdl_types_unref(other);
}
END_TEST

/* Parts of a cycle are not equal because they look so half way through. */
START_TEST(parts_of_an_unequal_cycle_leave_a_trace)
{
    /* x.M is met with x.M, which differs as x.T does; so it counts as known
     * when x.L comes. */
    ck_assert(compat("x.T struct{A x.M map[byte][]x.T;B x.M}",
        "x.T struct{A x.M map[byte][]x.T;B x.L [][]x.T}"));
    ck_assert(!compat("x.T struct{A x.M map[byte]bool;B x.M}",
        "x.T struct{A x.M map[byte]bool;B x.L []bool}"));
    ck_assert(!compat("x.T struct{A int8;B x.M map[byte][]x.T}",
        "x.T struct{A int8;B x.L [][]x.T}"));
}
END_TEST

/* 2^n paths, n nodes. */
static const struct vdl_type *ladder(struct vdl_types *ts, int n,
    const struct vdl_type *leaf)
{
    struct vdl_type_member m[2];
    struct vdl_type_node list, node;
    int i;

    for (i = 0; i < n; i++) {
        list = node_of(VDL_LIST, "");
        list.elem = to_type(leaf);
        ck_assert_int_eq(vdl_types_build(ts, &list, 1, &leaf), 0);
        m[0].name = vdl_str("A");
        m[1].name = vdl_str("B");
        m[0].type = m[1].type = to_type(leaf);
        node = struct_of("", m, 2);
        ck_assert_int_eq(vdl_types_build(ts, &node, 1, &leaf), 0);
    }
    return leaf;
}

START_TEST(walks_are_linear)
{
    struct vdl_types *other;
    const struct vdl_type *a, *b, *c;

    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &other), 0);
    a = ladder(types, 100, &vdl_int32_desc);
    b = ladder(other, 100, &vdl_int32_desc);
    c = ladder(other, 100, &vdl_int64_desc);

    ck_assert(vdl_type_equal(a, b));
    ck_assert(!vdl_type_equal(a, c));
    ck_assert(vdl_type_compatible(a, b));
    ck_assert(vdl_type_compatible(a, c));
    ck_assert(!vdl_type_compatible(a,
        ladder(other, 100, &vdl_bool_desc)));
    vdl_types_unref(other);
}
END_TEST

START_TEST(huge_graphs_are_unequal_and_compatible)
{
    struct vdl_type_limits lim = VDL_TYPE_LIMITS_HOST;
    struct vdl_types *wide[2];
    const struct vdl_type *t[2];
    static const struct vdl_type *out[V23_TYPE_GRAPH + 2];
    static struct vdl_type_node n[V23_TYPE_GRAPH + 2];
    static struct vdl_type_member m[V23_TYPE_GRAPH + 1];
    static char names[V23_TYPE_GRAPH + 1][8];
    uint32_t i, k;

    for (i = 0; i <= V23_TYPE_GRAPH; i++) {
        snprintf(names[i], sizeof(names[i]), "F%u", i);
        m[i].name = vdl_str(names[i]);
        m[i].type = to_node(i + 1);
        n[i + 1] = node_of(VDL_STRING, names[i]);
    }
    n[0] = struct_of("", m, V23_TYPE_GRAPH + 1);
    for (k = 0; k < 2; k++) {
        ck_assert_int_eq(vdl_types_new(&mem.al, &lim, &wide[k]), 0);
        ck_assert_int_eq(
            vdl_types_build(wide[k], n, V23_TYPE_GRAPH + 2, out), 0);
        t[k] = out[0];
    }

    ck_assert(!vdl_type_equal(t[0], t[1]));
    ck_assert(vdl_type_equal(t[0], t[0]));
    ck_assert(vdl_type_compatible(t[0], t[1]));
    vdl_types_unref(wide[0]);
    vdl_types_unref(wide[1]);
}
END_TEST

/* ---- rules --------------------------------------------------------------- */

START_TEST(nodes_must_be_well_formed)
{
    static const struct vdl_str empty_label[] = { VDL_STR_INIT("A"),
        { NULL, 0 } };
    struct vdl_type_member two[2] = { { VDL_STR_INIT("A"), { NULL, 0 } },
        { VDL_STR_INIT("A"), { NULL, 0 } } };
    struct vdl_type_node n;

    ck_assert_int_eq(build1(node_of(VDL_ANY, "x.A")), V23_ETYPE);
    ck_assert_int_eq(build1(node_of(VDL_TYPEOBJECT, "x.A")), V23_ETYPE);
    ck_assert_int_eq(build1(node_of(VDL_ENUM, "")), V23_ETYPE);
    ck_assert_int_eq(build1(node_of(VDL_UNION, "")), V23_ETYPE);
    ck_assert_int_eq(build1(node_of(VDL_KINDS, "")), V23_ETYPE);
    n = node_of(VDL_ENUM, "");
    n.labels = empty_label;
    n.nmembers = 2;
    ck_assert_int_eq(build1(n), V23_ETYPE);
    two[0].type = two[1].type = to_type(&vdl_bool_desc);
    ck_assert_int_eq(build1(struct_of("", two, 2)), V23_ETYPE);
    two[1].name = vdl_str("");
    ck_assert_int_eq(build1(struct_of("", two, 2)), V23_ETYPE);
    two[1].name = vdl_str("B");
    two[1].type = to_node(1);
    ck_assert_int_eq(build1(struct_of("", two, 2)), V23_ETYPE);
    n = node_of(VDL_LIST, "");
    n.elem = to_node(7);
    ck_assert_int_eq(build1(n), V23_ETYPE);
    ck_assert_int_eq(build1(node_of(VDL_STRUCT, "x.E")), 0);
}
END_TEST

START_TEST(array_lengths_are_bounded)
{
    struct vdl_type_node n = node_of(VDL_ARRAY, "");

    n.elem = to_type(&vdl_int64_desc);
    ck_assert_int_eq(build1(n), V23_ETYPE);
    n.len = UINT64_C(1) << 63;
    ck_assert_int_eq(build1(n), V23_ETYPE);
    n.len = (UINT64_C(1) << 63) - 1;
    ck_assert_int_eq(build1(n), V23_ELIMIT);
    n.len = UINT32_MAX;
    ck_assert_int_eq(build1(n), V23_ELIMIT);
    n.len = (16u << 20) / 8;
    ck_assert_int_eq(build1(n), 0);
    n.len++;
    ck_assert_int_eq(build1(n), V23_ELIMIT);
}
END_TEST

START_TEST(optional_needs_a_named_struct)
{
    struct vdl_type_node n = node_of(VDL_OPTIONAL, "");
    const struct vdl_type *t = ty("?x.S struct{}");

    n.elem = to_type(&vdl_int32_desc);
    ck_assert_int_eq(build1(n), V23_ETYPE);
    n.elem = to_type(ty("struct{A bool}"));
    ck_assert_int_eq(build1(n), V23_ETYPE);
    n.elem = to_type(t);
    ck_assert_int_eq(build1(n), V23_ETYPE);
    n.elem = to_type(t->elem);
    ck_assert_int_eq(build1(n), 0);
    n.name = vdl_str("x.O");
    ck_assert_int_eq(build1(n), 0);
}
END_TEST

START_TEST(keys_are_checked_through_the_graph)
{
    struct vdl_type_node n[3];
    const struct vdl_type *out[3];
    struct vdl_type_member m = { VDL_STR_INIT("F"), { NULL, 2 } };

    n[0] = node_of(VDL_MAP, "");
    n[0].key = to_node(1);
    n[0].elem = to_type(&vdl_any_desc);
    n[1] = struct_of("x.K", &m, 1);
    n[2] = node_of(VDL_ARRAY, "");
    n[2].len = 2;
    n[2].elem = to_type(&vdl_string_desc);
    ck_assert_int_eq(build(n, 3, out), 0);
    n[2].elem = to_type(&vdl_bytes_desc);
    ck_assert_int_eq(build(n, 3, out), V23_ETYPE);
    n[2].elem = to_type(&vdl_typeobject_desc);
    ck_assert_int_eq(build(n, 3, out), V23_ETYPE);
    n[2] = node_of(VDL_STRING, "");
    n[0].kind = VDL_SET;
    ck_assert_int_eq(build(n, 3, out), 0);
    n[0].key = to_type(&vdl_any_desc);
    ck_assert_int_eq(build(n, 3, out), V23_ETYPE);
}
END_TEST

START_TEST(unnamed_cycles_are_refused)
{
    struct vdl_type_node n[2];
    const struct vdl_type *out[2];

    n[0] = node_of(VDL_LIST, "");
    n[0].elem = to_node(0);
    ck_assert_int_eq(build(n, 1, out), V23_ETYPE);
    n[0].elem = to_node(1);
    n[1] = n[0];
    n[1].elem = to_node(0);
    ck_assert_int_eq(build(n, 2, out), V23_ETYPE);
    n[1].name = vdl_str("x.L");
    ck_assert_int_eq(build(n, 2, out), 0);
    ck_assert_str_eq(type_text(out[0]), "[]x.L [][]x.L");
}
END_TEST

START_TEST(strict_cycles_are_refused)
{
    struct vdl_type_node n[2];
    struct vdl_type_member m = { VDL_STR_INIT("F"), { NULL, 1 } };
    const struct vdl_type *out[2];

    n[0] = struct_of("x.S", &m, 1);
    n[1] = node_of(VDL_ARRAY, "x.A");
    n[1].len = 1;
    n[1].elem = to_node(0);
    ck_assert_int_eq(build(n, 2, out), V23_ETYPE);
    n[0].kind = VDL_UNION;
    ck_assert_int_eq(build(n, 2, out), V23_ETYPE);
    n[1].kind = VDL_OPTIONAL;
    n[0].kind = VDL_STRUCT;
    ck_assert_int_eq(build(n, 2, out), 0);
}
END_TEST

START_TEST(renames_copy_the_structure)
{
    struct vdl_type_node n[3];
    const struct vdl_type *out[3];

    n[0] = node_of(VDL_BOOL, "x.A");
    n[0].renames = true;
    n[0].elem = to_node(1);
    n[1] = n[0];
    n[1].name = vdl_str("x.B");
    n[1].elem = to_type(ty("y.S struct{N int32;T string}"));
    n[2] = node_of(VDL_MAP, "x.C");
    n[2].renames = true;
    n[2].elem = to_type(&vdl_float32_desc);
    ck_assert_int_eq(build(n, 3, out), 0);
    ck_assert_str_eq(type_text(out[0]), "x.A struct{N int32;T string}");
    ck_assert_str_eq(type_text(out[1]), "x.B struct{N int32;T string}");
    ck_assert_str_eq(type_text(out[2]), "x.C float32");
    ck_assert_uint_eq(out[0]->fields[1].offset,
        n[1].elem.type->fields[1].offset);
    n[1].elem = to_node(0);
    ck_assert_int_eq(build(n, 2, out), V23_ETYPE);
    n[1].elem = to_type(&vdl_any_desc);
    ck_assert_int_eq(build(n, 2, out), V23_ETYPE);
    n[0].name = vdl_str("");
    n[1].elem = to_type(&vdl_bool_desc);
    ck_assert_int_eq(build(n, 2, out), V23_ETYPE);
}
END_TEST

START_TEST(one_name_is_one_type)
{
    struct vdl_type_member m[2];
    const struct vdl_type *a = ty("x.S struct{A int32}");
    const struct vdl_type *same = ty("x.S struct{A int32}");
    const struct vdl_type *list = ty("x.S []int32"), *both;
    struct vdl_type_node n;

    ck_assert_ptr_ne(a, same);
    m[0].name = vdl_str("A");
    m[0].type = to_type(a);
    m[1].name = vdl_str("B");
    m[1].type = to_type(same);
    n = struct_of("", m, 2);
    ck_assert_int_eq(build(&n, 1, &both), 0);
    ck_assert_str_eq(type_text(both), "struct{A x.S struct{A int32};B x.S}");
    m[1].type = to_type(list);
    ck_assert_int_eq(build1(struct_of("", m, 2)), V23_ETYPE);
    ck_assert_int_eq(build1(struct_of("x.S", m, 1)), V23_ETYPE);
    ck_assert_int_eq(build1(struct_of("x.T", m, 1)), 0);
}
END_TEST

/* ---- flags, layout ------------------------------------------------------- */

START_TEST(flags_cover_cycles)
{
    /* The list is built before the any field is seen. */
    const struct vdl_type *t = ty("x.N struct{K []x.N;A any}");
    const struct vdl_type *list = t->fields[0].type;

    ck_assert_uint_ne(t->flags & VDL_T_ANY, 0);
    ck_assert_uint_ne(list->flags & VDL_T_ANY, 0);
    ck_assert_uint_eq(list->flags & VDL_T_TYPEOBJECT, 0);
    ck_assert_uint_eq(ty("x.R []x.R")->flags
        & (VDL_T_ANY | VDL_T_TYPEOBJECT | VDL_T_FLAT), 0);
    ck_assert_uint_ne(ty("struct{A [2]float64;B enum{A}}")->flags
        & VDL_T_FLAT, 0);
    ck_assert_uint_eq(ty("struct{A [2]string}")->flags & VDL_T_FLAT, 0);
    ck_assert_uint_ne(ty("map[string]typeobject")->flags
        & VDL_T_TYPEOBJECT, 0);
}
END_TEST

struct sample {
    bool b;
    uint64_t n;
    struct vdl_str s;
    uint8_t e;
    double arr[3];
    struct {
        uint8_t which;
        union {
            bool b;
            uint32_t n;
        } u;
    } u;
    struct {
        const void *v;
        uint32_t n;
    } map;
    struct vdl_any any;
    const struct sample *next;
    int16_t last;
};
struct sample_entry {
    uint16_t key;
    struct vdl_str val;
};

START_TEST(layout_is_that_of_the_compiler)
{
    const struct vdl_type *t = ty("x.S struct{B bool;N uint64;S string;"
        "E enum{A};Arr [3]float64;U union{B bool;N uint32};"
        "Map map[uint16]string;Any any;Next ?x.S;Last int16}");
    const struct vdl_field *f = t->fields;

    ck_assert_uint_eq(t->size, sizeof(struct sample));
    ck_assert_uint_eq(t->align, _Alignof(struct sample));
    ck_assert_uint_eq(f[1].offset, offsetof(struct sample, n));
    ck_assert_uint_eq(f[2].offset, offsetof(struct sample, s));
    ck_assert_uint_eq(f[3].offset, offsetof(struct sample, e));
    ck_assert_uint_eq(f[4].offset, offsetof(struct sample, arr));
    ck_assert_uint_eq(f[5].offset, offsetof(struct sample, u));
    ck_assert_uint_eq(f[5].type->fields[1].offset,
        offsetof(struct sample, u.u) - offsetof(struct sample, u));
    ck_assert_uint_eq(f[6].offset, offsetof(struct sample, map));
    ck_assert_uint_eq(f[6].type->stride, sizeof(struct sample_entry));
    ck_assert_uint_eq(f[6].type->val_off, offsetof(struct sample_entry, val));
    ck_assert_uint_eq(f[7].offset, offsetof(struct sample, any));
    ck_assert_uint_eq(f[8].offset, offsetof(struct sample, next));
    ck_assert_uint_eq(f[9].offset, offsetof(struct sample, last));
    ck_assert_uint_eq(ty("struct{}")->size, 1);
    ck_assert_uint_eq(ty("[]struct{}")->stride, 1);
}
END_TEST

START_TEST(many_labels_take_two_bytes)
{
    static struct vdl_str labels[257];
    static char text[257][8];
    struct vdl_type_node n = node_of(VDL_ENUM, "");
    const struct vdl_type *t;
    uint32_t i;

    for (i = 0; i < 257; i++) {
        snprintf(text[i], sizeof(text[i]), "L%u", i);
        labels[i] = vdl_str(text[i]);
    }
    n.labels = labels;
    n.nmembers = 256;
    ck_assert_int_eq(build(&n, 1, &t), 0);
    ck_assert_uint_eq(t->size, 1);
    n.nmembers = 257;
    ck_assert_int_eq(build(&n, 1, &t), 0);
    ck_assert_uint_eq(t->size, 2);
    ck_assert_int_eq(vdl_type_label_index(t, vdl_str("L256")), 256);
}
END_TEST

/* ---- limits -------------------------------------------------------------- */

START_TEST(sets_have_limits)
{
    struct vdl_type_limits lim = { 3, 2, 64, 2 };
    struct vdl_types *small;
    const struct vdl_type *a, *b, *c;
    struct vdl_type_member m[3];
    struct vdl_type_node n;

    ck_assert_int_eq(vdl_types_new(&mem.al, &lim, &small), 0);
    memset(m, 0, sizeof(m));
    m[0].name = vdl_str("A");
    m[1].name = vdl_str("B");
    m[2].name = vdl_str("C");
    m[0].type = m[1].type = m[2].type = to_type(&vdl_bool_desc);
    n = struct_of("", m, 3);
    ck_assert_int_eq(vdl_types_build(small, &n, 1, &a), V23_ELIMIT);
    ck_assert_int_eq(vdl_types_list(small, &vdl_bool_desc, &a), 0);
    ck_assert_int_eq(vdl_types_list(small, a, &b), V23_ELIMIT);
    n = node_of(VDL_ARRAY, "");
    n.len = 9;
    n.elem = to_type(&vdl_int64_desc);
    ck_assert_int_eq(vdl_types_build(small, &n, 1, &b), V23_ELIMIT);
    n.len = 8;
    ck_assert_int_eq(vdl_types_build(small, &n, 1, &b), 0);
    ck_assert_int_eq(vdl_types_list(small, &vdl_int8_desc, &b), 0);
    ck_assert_int_eq(vdl_types_list(small, &vdl_int16_desc, &c), V23_ELIMIT);
    ck_assert_int_eq(vdl_types_list(small, &vdl_bool_desc, &c), 0);
    ck_assert_ptr_eq(a, c);
    vdl_types_unref(small);
}
END_TEST

START_TEST(an_exploding_inline_size_is_refused)
{
    const struct vdl_type *t = &vdl_int64_desc;
    struct vdl_type_member m[2];
    struct vdl_type_node n;
    int i, rc = 0;

    for (i = 0; i < 64 && rc == 0; i++) {
        m[0].name = vdl_str("A");
        m[1].name = vdl_str("B");
        m[0].type = m[1].type = to_type(t);
        n = struct_of("", m, 2);
        rc = vdl_types_build(types, &n, 1, &t);
    }

    ck_assert_int_eq(rc, V23_ELIMIT);
    ck_assert_int_eq(i, 22);
}
END_TEST

START_TEST(long_cycles_and_chains_do_not_recurse)
{
    enum { N = 200 };
    struct vdl_type_node n[2 * N];
    struct vdl_type_member m[N];
    const struct vdl_type *out[2 * N];
    char names[N][8];
    uint32_t i;

    for (i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "x.T%u", i);
        m[i].name = vdl_str("F");
        m[i].type = to_node(N + i);
        n[i] = struct_of(names[i], &m[i], 1);
        n[N + i] = node_of(VDL_OPTIONAL, "");
        n[N + i].elem = to_node((i + 1) % N);
    }
    ck_assert_int_eq(build(n, 2 * N, out), V23_ELIMIT);
    n[N / 2].kind = VDL_LIST;
    n[N / 2].name = vdl_str("");
    n[N / 2].elem = to_type(&vdl_bool_desc);
    ck_assert_int_eq(build(n, 2 * N, out), V23_ETYPE);
    for (i = 0; i < 2 * N; i++)
        if (n[i].kind == VDL_OPTIONAL)
            n[i].kind = VDL_LIST;
    ck_assert_int_eq(build(n, 2 * N, out), V23_ELIMIT);
    m[100].type = to_type(&vdl_bool_desc);
    ck_assert_int_eq(build(n, 100, out), V23_ETYPE);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

static int build_some(const struct v23_alloc *al, void *ud)
{
    struct vdl_types *ts = NULL;
    struct vdl_type_member m[2] = { { VDL_STR_INIT("A"), { NULL, 1 } },
        { VDL_STR_INIT("B"), { NULL, 0 } } };
    struct vdl_type_node n[2];
    const struct vdl_type *out[2], *t;
    int rc, again;

    (void)ud;
    rc = vdl_types_new(al, NULL, &ts);
    if (rc != 0)
        return rc;
    m[1].type = to_type(&vdl_any_desc);
    n[0] = struct_of("x.Tree", m, 2);
    n[1] = node_of(VDL_LIST, "");
    n[1].elem = to_node(0);
    rc = vdl_types_build(ts, n, 2, out);
    if (rc == V23_ENOMEM) {
        /* The set is as before: the same build works when tried again. */
        again = vdl_types_build(ts, n, 2, out);
        ck_assert(again == 0);
    }
    if (rc == 0)
        rc = vdl_types_optional(ts, out[0], &t);
    vdl_types_unref(ts);
    return rc;
}

START_TEST(out_of_memory_leaves_the_set_whole)
{
    tst_out_of_memory(build_some, NULL);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, canonical_strings_come_back);
    tcase_add_test(tc, text_is_capped);
    tcase_add_test(tc, predicates_follow_the_table);
    tcase_add_test(tc, builtin_nodes_become_builtin_types);
    tcase_add_test(tc, equality_is_that_of_the_text);
    tcase_add_test(tc, unrolled_recursion_is_equal);
    tcase_add_test(tc, compatibility_by_groups);
    tcase_add_test(tc, one_side_met_before_counts_as_compatible);
    tcase_add_test(tc, equal_types_of_other_sets_leave_no_trace);
    tcase_add_test(tc, parts_of_an_unequal_cycle_leave_a_trace);
    tcase_add_test(tc, walks_are_linear);
    tcase_add_test(tc, huge_graphs_are_unequal_and_compatible);
    tcase_add_test(tc, nodes_must_be_well_formed);
    tcase_add_test(tc, array_lengths_are_bounded);
    tcase_add_test(tc, optional_needs_a_named_struct);
    tcase_add_test(tc, keys_are_checked_through_the_graph);
    tcase_add_test(tc, unnamed_cycles_are_refused);
    tcase_add_test(tc, strict_cycles_are_refused);
    tcase_add_test(tc, renames_copy_the_structure);
    tcase_add_test(tc, one_name_is_one_type);
    tcase_add_test(tc, flags_cover_cycles);
    tcase_add_test(tc, layout_is_that_of_the_compiler);
    tcase_add_test(tc, many_labels_take_two_bytes);
    tcase_add_test(tc, sets_have_limits);
    tcase_add_test(tc, an_exploding_inline_size_is_refused);
    tcase_add_test(tc, long_cycles_and_chains_do_not_recurse);
    tcase_add_test(tc, out_of_memory_leaves_the_set_whole);
}

int main(void)
{
    return run_suite("libvom/type", fill);
}
