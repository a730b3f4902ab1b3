/* BSD-3-Clause; see LICENSE. */
/* Zero test, equality, copies, scalar access, conversion of values. */
#include "codec_test.h"

#include <math.h>

#define REC "x.L struct{V string;N ?x.L}"

static bool zero(const char *type, const char *constant)
{
    const struct vdl_type *t = ty(type);

    return vdl_is_zero(t, val(t, constant));
}

static bool equal(const char *type, const char *a, const char *b)
{
    const struct vdl_type *t = ty(type);

    return vdl_equal(t, val(t, a), val(t, b));
}

/* ---- zero ---------------------------------------------------------------- */

START_TEST(zero_follows_the_table)
{
    ck_assert(zero("bool", "false"));
    ck_assert(!zero("bool", "true"));
    ck_assert(zero("uint64", "0"));
    ck_assert(!zero("int8", "-1"));
    ck_assert(zero("string", "\"\""));
    ck_assert(!zero("enum{A;B}", "B"));
    ck_assert(zero("typeobject", "typeobject(any)"));
    ck_assert(!zero("typeobject", "typeobject(bool)"));
    ck_assert(zero("[2]struct{A int8;B []bool}", "{}"));
    ck_assert(!zero("[2]struct{A int8;B []bool}", "{{}, {B: {false}}}"));
    ck_assert(zero("map[string]bool", "{}"));
    ck_assert(!zero("set[int8]", "{0}"));
    ck_assert(!zero("union{A int8;B bool}", "{B: false}"));
    ck_assert(zero("union{A int8;B bool}", "{A: 0}"));
    ck_assert(!zero("?x.S struct{}", "{}"));
    ck_assert(zero("?x.S struct{}", "nil"));
    ck_assert(zero("any", "nil"));
    ck_assert(!zero("any", "int32(0)"));
}
END_TEST

START_TEST(minus_zero_is_zero_and_nan_is_not)
{
    double d = -0.0;
    float f = -0.0f;

    ck_assert(vdl_is_zero(&vdl_float64_desc, &d));
    ck_assert(vdl_is_zero(&vdl_float32_desc, &f));
    d = NAN;
    f = NAN;
    ck_assert(!vdl_is_zero(&vdl_float64_desc, &d));
    ck_assert(!vdl_is_zero(&vdl_float32_desc, &f));
}
END_TEST

START_TEST(zero_bytes_are_the_zero_value)
{
    static const char *const all[] = { "any", "typeobject", "?x.S struct{}",
        "[3]string", "union{A map[string]any;B bool}", "enum{A;B}",
        "struct{A float32;B []int8;C set[bool]}" };
    static const uint64_t space[64];
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        ck_assert(vdl_is_zero(ty(all[i]), space));
}
END_TEST

/* ---- equality ------------------------------------------------------------ */

START_TEST(equality_of_each_kind)
{
    ck_assert(equal("[]byte", "\"ab\"", "\"ab\""));
    ck_assert(!equal("[]byte", "\"ab\"", "\"ac\""));
    ck_assert(!equal("[]int8", "{1}", "{1, 2}"));
    ck_assert(equal("[2]string", "{\"a\", \"\"}", "{\"a\", \"\"}"));
    ck_assert(!equal("union{A int8;B int8}", "{A: 1}", "{B: 1}"));
    ck_assert(!equal("union{A int8;B int8}", "{A: 1}", "{A: 2}"));
    ck_assert(!equal("?x.S struct{}", "{}", "nil"));
    ck_assert(equal("?x.S struct{}", "{}", "{}"));
    ck_assert(equal("any", "[]any{int8(1), nil}", "[]any{int8(1), nil}"));
    ck_assert(!equal("any", "int8(1)", "int16(1)"));
    ck_assert(!equal("any", "nil", "int16(1)"));
    ck_assert(equal("typeobject", "typeobject([]bool)",
        "typeobject([]bool)"));
    ck_assert(!equal("typeobject", "typeobject([]bool)",
        "typeobject(any)"));
    ck_assert(!equal("struct{A bool;B bool}", "{A: true}", "{B: true}"));
}
END_TEST

START_TEST(floats_compare_as_numbers)
{
    double a = NAN, b = -0.0, c = 0.0;

    ck_assert(!vdl_equal(&vdl_float64_desc, &a, &a));
    ck_assert(vdl_equal(&vdl_float64_desc, &b, &c));
}
END_TEST

START_TEST(sets_and_maps_ignore_order)
{
    ck_assert(equal("set[int8]", "{1, 2, 3}", "{3, 1, 2}"));
    ck_assert(!equal("set[int8]", "{1, 2, 3}", "{3, 1, 4}"));
    ck_assert(equal("map[string]bool", "{\"a\": true, \"b\": false}",
        "{\"b\": false, \"a\": true}"));
    ck_assert(!equal("map[string]bool", "{\"a\": true, \"b\": false}",
        "{\"b\": true, \"a\": false}"));
}
END_TEST

/* A list of n nodes, deepest first. */
struct node {
    struct vdl_str v;
    const struct node *next;
};
static struct node *chain(size_t n)
{
    struct node *v = calloc(n, sizeof(*v));
    size_t i;

    ck_assert_ptr_nonnull(v);
    for (i = 0; i + 1 < n; i++)
        v[i].next = &v[i + 1];
    return v;
}

START_TEST(depth_is_bounded)
{
    const struct vdl_type *t = ty(REC);
    struct node *deep = chain(100000), *fine = chain(400), out;
    struct v23_buf *b = scratch();
    size_t used = arena.used;

    out.next = deep;
    ck_assert(!vdl_equal(t, deep, deep));
    ck_assert(vdl_equal(t, fine, fine));
    ck_assert_int_eq(vdl_copy(&arena, t, &out, deep), V23_ELIMIT);
    ck_assert_ptr_eq(out.next, deep);
    ck_assert_uint_eq(arena.used, used);
    ck_assert_int_eq(vdl_format(t, deep, false, b), V23_ELIMIT);
    ck_assert_uint_eq(b->n, 0);
    ck_assert_int_eq(vdl_copy(&arena, t, &out, fine), 0);
    ck_assert(vdl_equal(t, &out, fine));
    free(deep);
    free(fine);
}
END_TEST

/* ---- copy ---------------------------------------------------------------- */

/* Values with all kinds of pointers. */
static const char *const parts[][2] = {
    { "[]any", "{int8(1), nil, \"x\", []string{\"a\", \"b\"}}" },
    { "map[string][]byte", "{\"k\": \"v\", \"l\": \"\"}" },
    { "x.Q struct{A []x.Q;T typeobject}",
        "{A: {{}, {T: typeobject(x.Q)}}, T: typeobject([]x.Q)}" },
    { "union{A bool;B string}", "{B: \"text\"}" },
    { "set[[2]string]", "{{\"a\", \"b\"}}" },
    { "?x.L struct{V string;N ?x.L}", "{V: \"1\", N: {V: \"2\"}}" },
};

START_TEST(copies_do_not_share_memory)
{
    size_t i, n = sizeof(parts) / sizeof(parts[0]);
    struct v23_arena own;
    struct vdl_any any[8], copy[8];
    const char *want[8];

    v23_arena_init(&own, &mem.al, SIZE_MAX);
    for (i = 0; i < n; i++) {
        any[i].type = ty(parts[i][0]);
        any[i].val = val(any[i].type, parts[i][1]);
        want[i] = any_text(any[i]);
        ck_assert_int_eq(vdl_copy(&own, &vdl_any_desc, &copy[i], &any[i]),
            0);
        ck_assert(vdl_any_equal(any[i], copy[i]));
    }
    /* All types and values of the originals go away. */
    v23_arena_fini(&arena);
    vdl_types_unref(types);
    types = NULL;
    for (i = 0; i < n; i++)
        ck_assert_str_eq(any_text(copy[i]), want[i]);
    v23_arena_fini(&own);
    v23_arena_init(&arena, &mem.al, SIZE_MAX);
}
END_TEST

START_TEST(copied_types_can_be_built_upon)
{
    const struct vdl_type *t = ty("x.Q struct{A []x.Q;B string}"), *l;
    struct vdl_any any = { t, NULL }, copy;

    any.val = val(t, "{A: {{B: \"b\"}}}");
    ck_assert_int_eq(vdl_copy(&arena, &vdl_any_desc, &copy, &any), 0);
    ck_assert_ptr_ne(copy.type, t);
    ck_assert(vdl_type_same_layout(copy.type, t));
    ck_assert_int_eq(vdl_types_list(types, copy.type, &l), 0);
    ck_assert(vdl_type_equal(l, t->fields[0].type));
}
END_TEST

START_TEST(copies_respect_the_budget)
{
    const struct vdl_type *t = ty("[]string");
    const void *v = val(t, "{\"aaaaaaaaaaaaaaaaaaaa\", \"b\"}");
    struct vdl_list out = { &out, 9 };
    struct v23_arena small;
    char space[sizeof(struct vdl_str) * 2 + 20];

    /* Room for the list, not for the texts. */
    v23_arena_init_fixed(&small, space, sizeof(space));
    ck_assert_int_eq(vdl_copy(&small, t, &out, v), V23_ENOMEM);
    ck_assert_uint_eq(out.n, 9);
    ck_assert_uint_eq(small.used, 0);
}
END_TEST

START_TEST(a_bad_selector_is_refused)
{
    const struct vdl_type *t = ty("union{A string;B bool}");
    uint64_t v[4] = { 0 }, out[4];

    vdl_set_which(t, v, 2);
    ck_assert_int_eq(vdl_copy(&arena, t, out, v), V23_EARG);
    ck_assert_int_eq(vdl_format(t, v, false, scratch()), V23_EARG);
    ck_assert(!vdl_equal(t, v, v));
}
END_TEST

static int copy_all(const struct v23_alloc *al, void *ud)
{
    struct vdl_any *any = ud, copy;
    struct v23_arena a;
    size_t i;
    int rc = 0;

    v23_arena_init(&a, al, SIZE_MAX);
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++)
        rc = vdl_copy(&a, &vdl_any_desc, &copy, &any[i]);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(copies_survive_lack_of_memory)
{
    struct vdl_any any[8];
    size_t i;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        any[i].type = ty(parts[i][0]);
        any[i].val = val(any[i].type, parts[i][1]);
    }

    tst_out_of_memory(copy_all, any);
}
END_TEST

/* ---- scalars ------------------------------------------------------------- */

START_TEST(scalars_are_read_at_their_size)
{
    int8_t i8 = -5;
    int16_t i16 = -300;
    uint8_t u8 = 200;
    uint64_t u64 = UINT64_MAX;
    float f = 0.5f;

    ck_assert_int_eq(vdl_get_int(&vdl_int8_desc, &i8), -5);
    ck_assert_int_eq(vdl_get_int(&vdl_int16_desc, &i16), -300);
    ck_assert_uint_eq(vdl_get_uint(&vdl_byte_desc, &u8), 200);
    ck_assert_uint_eq(vdl_get_uint(&vdl_uint64_desc, &u64), UINT64_MAX);
    ck_assert_double_eq(vdl_get_float(&vdl_float32_desc, &f), 0.5);
}
END_TEST

/* ---- conversion ---------------------------------------------------------- */

static const char *converted(const char *from, const char *constant,
    const char *to)
{
    const struct vdl_type *st = ty(from), *dt = ty(to);
    void *out = v23_arena_get0(&arena, 1, dt->size, 16);
    int rc = vdl_convert(&arena, dt, out, st, val(st, constant));

    return rc != 0 ? v23_strerror(rc) : text(dt, out);
}

START_TEST(values_are_converted)
{
    ck_assert_str_eq(converted("int32", "7", "float64"), "float64(7)");
    ck_assert_str_eq(converted("int32", "-7", "byte"),
        v23_strerror(V23_ECONVERT));
    ck_assert_str_eq(converted("int32", "7", "string"),
        v23_strerror(V23_ECOMPAT));
    ck_assert_str_eq(converted("int32", "7", "any"), "any(int32(7))");
    ck_assert_str_eq(converted("any", "int32(7)", "uint16"), "uint16(7)");
    ck_assert_str_eq(converted("any", "nil", "?x.S struct{A bool}"),
        "?x.S struct{A bool}(nil)");
    ck_assert_str_eq(converted("struct{A int8;B string}",
        "{A: 1, B: \"b\"}", "struct{B x.T string;C bool}"),
        "struct{B x.T string;C bool}{B: \"b\", C: false}");
    ck_assert_str_eq(converted("?x.S struct{A int8}", "{A: 1}",
        "y.T struct{A int64}"), "y.T struct{A int64}{A: 1}");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, zero_follows_the_table);
    tcase_add_test(tc, minus_zero_is_zero_and_nan_is_not);
    tcase_add_test(tc, zero_bytes_are_the_zero_value);
    tcase_add_test(tc, equality_of_each_kind);
    tcase_add_test(tc, floats_compare_as_numbers);
    tcase_add_test(tc, sets_and_maps_ignore_order);
    tcase_add_test(tc, depth_is_bounded);
    tcase_add_test(tc, copies_do_not_share_memory);
    tcase_add_test(tc, copied_types_can_be_built_upon);
    tcase_add_test(tc, copies_respect_the_budget);
    tcase_add_test(tc, a_bad_selector_is_refused);
    tcase_add_test(tc, copies_survive_lack_of_memory);
    tcase_add_test(tc, scalars_are_read_at_their_size);
    tcase_add_test(tc, values_are_converted);
}

int main(void)
{
    return run_suite("libvom/value", fill);
}
