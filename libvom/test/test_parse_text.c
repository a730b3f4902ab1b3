/* BSD-3-Clause; see LICENSE. */
/* The text of values and the canonical strings of types, read back. */
#include "codec_test.h"

/* ---- helpers ------------------------------------------------------------- */

/* Parse the text of a value and print it; "place: reason" if it is refused. */
static const char *again(const char *in)
{
    struct vdl_parse_error err;
    struct vdl_any v = { NULL, NULL };
    struct v23_buf *b = scratch();
    int rc = vdl_parse(vdl_str(in), &arena, &v, &err);

    if (rc == 0)
        return any_text(v);
    ck_assert_int_eq(rc, V23_ETEXT);
    v23_buf_printf(b, "%zu: %s", err.at, err.text);
    return v23_buf_cstr(b);
}

static const char *type_again(const char *in)
{
    struct vdl_parse_error err;
    const struct vdl_type *t;
    struct v23_buf *b = scratch();
    int rc = vdl_type_parse(types, vdl_str(in), &t, &err);

    if (rc == 0)
        ck_assert_int_eq(vdl_type_format(t, 65536, b), 0);
    else
        v23_buf_printf(b, "%zu: %s", err.at, err.text);
    return v23_buf_cstr(b);
}

struct row {
    const char *in, *want;
};

static void each(const char *(*f)(const char *), const struct row *r,
    size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        ck_assert_str_eq(f(r[i].in), r[i].want == NULL ? r[i].in : r[i].want);
}
#define EACH(f, rows) each(f, rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- types --------------------------------------------------------------- */

START_TEST(canonical_strings_of_types_read_back)
{
    static const struct row rows[] = {
        { "any", NULL },
        { "[]byte", NULL },
        { "[3]map[int8]set[bool]", NULL },
        { "[]ex.Pt struct{X int32;Y int32;Tag string}", NULL },
        { "struct{A x.S struct{N int32};B x.S;C []x.S}", NULL },
        { "ex.P struct{Q ?ex.Q struct{P ?ex.P};N int8}", NULL },
        { "v.io/v23/a-b.E enum{Lo;Hi}", NULL },
        { "struct{}", NULL },
        { "x.RX []x.RY []x.RX", NULL },
        { "?v.io/v23/vdl.WireError struct{Id string;RetryCode "
          "v.io/v23/vdl.WireRetryCode enum{NoRetry;RetryConnection;"
          "RetryRefetch;RetryBackoff};Msg string;ParamList []any}", NULL },
        { "int32 struct{A bool;B []int32}", NULL }, /* a misleading name */
    };

    EACH(type_again, rows);
}
END_TEST

START_TEST(equal_texts_make_equal_types_in_any_set)
{
    const char *text = "x.N struct{K []x.N;L map[x.E enum{A}]?x.N}";
    struct vdl_types *other;
    const struct vdl_type *a = ty(text), *b;

    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &other), 0);
    b = type_in(other, text);
    ck_assert(vdl_type_equal(a, b));
    vdl_types_unref(other);
}
END_TEST

START_TEST(bad_type_strings_name_the_place)
{
    static const struct row rows[] = {
        { "", "0: expected a type" },
        { "int33", "0: unknown type int33" },
        { "[]", "2: expected a type" },
        { "[3x]byte", "2: expected ']'" },
        { "struct{A int32", "14: expected ';'" },
        { "struct{A}", "8: expected ' '" },
        { "struct{A int32;A bool}", "0: invalid type" },
        { "enum{}", "0: invalid type" },
        { "enum{A;}", "7: expected a label" },
        { "map[[]bool]int32", "0: invalid type" },
        { "?int32", "0: invalid type" },
        { "[0]bool", "0: invalid type" },
        { "int32 ", "6: expected a type" },
        { "int32}", "5: unexpected text behind the type" },
        { "struct{A x.S int32;B x.S bool}", "21: x.S is defined twice" },
    };

    EACH(type_again, rows);
}
END_TEST

/* ---- values -------------------------------------------------------------- */

START_TEST(texts_of_values_read_back)
{
    static const struct row rows[] = {
        { "true", NULL },
        { "\"a\\n\\x01\\xff\\u00ad\xc3\xa9\"", NULL },
        { "int32(-3)", NULL },
        { "uint64(18446744073709551615)", NULL },
        { "int64(-9223372036854775808)", NULL },
        { "float32(0.10000000149011612)", NULL },
        { "float64(5e-324)", NULL },
        { "float64(1.7976931348623157e+308)", NULL },
        { "float64(-0)", NULL },
        { "[]float64{NaN, +Inf, -Inf, 1e-05}", NULL },
        { "ex.E enum{Lo;Hi}(Hi)", NULL },
        { "enum{A;AB}(AB)", NULL },
        { "[]byte(\"\\x01\\xff\")", NULL },
        { "x.M [3]byte(\"abc\")", NULL },
        { "ex.Pt struct{X int32;Y int32;Tag string}{X: -3, Y: 0, Tag: \"h\"}",
            NULL },
        { "ex.U union{I int64;S ex.E enum{Lo;Hi}}{S: Hi}", NULL },
        { "?ex.W struct{B []byte}(nil)", NULL },
        { "?x.S struct{A int32}({A: 1})", NULL },
        { "[]any{uint16(300), nil, []any{\"x\"}, ex.Id uint16(7)}", NULL },
        { "[]any{true, false, \"true\", true.T bool(true)}", NULL },
        { "[]any{nil bool(true), true int8(1), true, nil}", NULL },
        { "typeobject([3]int8)", NULL },
        { "typeobject(any)", NULL },
        { "[]typeobject{any, x.S struct{N []x.S}, x.S struct{N bool}}", NULL },
        { "any(nil)", NULL },
        { "any(int32(5))", "int32(5)" },
        { "map[string]set[int8]{\"\": {}, \"a\": {-1, 2}}", NULL },
        { "x.L struct{V int8;Next ?x.L}{V: 1, Next: {V: 2, Next: nil}}",
            NULL },
        { "struct{}{}", NULL },
        { "[2][2]bool{{true, false}, {false, true}}", NULL },
        { " []int8{ 1 ,2, } ", "[]int8{1, 2}" },
    };

    EACH(again, rows);
}
END_TEST

START_TEST(bad_texts_name_the_place)
{
    static const struct row rows[] = {
        { "", "0: expected a type" },
        { "int32", "5: expected '('" },
        { "int32(", "6: expected a constant" },
        { "int32(1", "7: expected ')'" },
        { "int32(1)x", "8: unexpected text behind the value" },
        { "int8(128)", "5: const 128 overflows int8" },
        { "int32(1.5)", "6: converting 1.5 to int32 loses precision" },
        { "int32(NaN)", "6: const NaN overflows int32" },
        { "float64(1e999)", "8: const 1e999 overflows float64" },
        { "float32(1e-99)", "8: const 1e-99 underflows float32" },
        { "enum{A;B}(C)", "10: can't convert C to enum" },
        { "enum{A;B}(AB)", "10: can't convert AB to enum" },
        { "struct{A int32}{B: 1}", "16: unknown field \"B\"" },
        { "struct{A int32}{A: 1, A: 2}", "22: duplicate field \"A\"" },
        { "set[int8]{1, 1}", "9: duplicate key" },
        { "[2]bool{true, true, true}", "20: index 2 out of range" },
        { "[2]byte(\"abc\")", "8: array needs 2 bytes" },
        { "union{A bool}{A: true, A: true}",
            "13: must have a single entry" },
        { "int32(int32(1))", "6: can't convert int32 to int32" },
        { "int32(1 /* no comments */)", "8: expected ')'" },
        { "\"\\q\"", "2: unknown escape in string" },
        { "x.S int32", "9: expected '('" },
    };

    EACH(again, rows);
}
END_TEST

START_TEST(every_prefix_of_a_text_is_refused)
{
    const char *all = "[]any{x.S struct{A x.E enum{P;Q};B [2]byte;C float32}"
                      "{A: Q, B: \"\\x00z\", C: 1.5e-3}, nil, "
                      "?x.S struct{D map[bool]typeobject}"
                      "({D: {true: []int8}})}";
    struct vdl_parse_error err;
    struct vdl_any v;
    size_t i;

    for (i = 0; i < strlen(all); i++)
        ck_assert_int_eq(vdl_parse(vdl_strn(all, i), &arena, &v, &err),
            V23_ETEXT);
    ck_assert_int_eq(vdl_parse(vdl_str(all), &arena, &v, &err), 0);
}
END_TEST

START_TEST(types_of_one_text_are_made_once)
{
    struct vdl_parse_error err;
    struct vdl_any v;
    const struct vdl_any *e;
    const struct vdl_list *l;

    ck_assert_int_eq(vdl_parse(vdl_str("[]any{x.I int8(1), x.I int8(2)}"),
                         &arena, &v, &err), 0);

    l = v.val;
    e = l->v;
    ck_assert_ptr_eq(e[0].type, e[1].type);
}
END_TEST

static void nested(struct v23_buf *b, unsigned depth)
{
    unsigned i;

    v23_buf_puts(b, "x.RA []x.RA");
    for (i = 0; i < depth; i++)
        v23_buf_puts(b, "{");
    for (i = 0; i < depth; i++)
        v23_buf_puts(b, "}");
}

START_TEST(nesting_is_bounded)
{
    struct v23_buf *b = scratch();

    nested(b, VDL_PARSE_DEPTH);
    ck_assert_str_eq(again(v23_buf_cstr(b)), v23_buf_cstr(b));
    b = scratch();
    nested(b, VDL_PARSE_DEPTH + 1);
    ck_assert_str_eq(again(v23_buf_cstr(b)), "1011: nested too deeply");
}
END_TEST

static int read_all(const struct v23_alloc *al, void *ud)
{
    struct vdl_parse_error err;
    struct v23_arena a;
    struct vdl_any v;
    int rc;

    (void)ud;
    v23_arena_init(&a, al, SIZE_MAX);
    rc = vdl_parse(vdl_str("[]any{x.S struct{A [3]int8;B map[bool]x.S}{A: {1, "
                           "2, 3}, B: {true: {}, false: {}}}, \"s\", "
                           "typeobject(x.E enum{P;Q})}"),
        &a, &v, &err);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(running_out_of_memory_leaves_nothing)
{
    tst_out_of_memory(read_all, NULL);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, canonical_strings_of_types_read_back);
    tcase_add_test(tc, equal_texts_make_equal_types_in_any_set);
    tcase_add_test(tc, bad_type_strings_name_the_place);
    tcase_add_test(tc, texts_of_values_read_back);
    tcase_add_test(tc, bad_texts_name_the_place);
    tcase_add_test(tc, every_prefix_of_a_text_is_refused);
    tcase_add_test(tc, types_of_one_text_are_made_once);
    tcase_add_test(tc, nesting_is_bounded);
    tcase_add_test(tc, running_out_of_memory_leaves_nothing);
}

int main(void)
{
    return run_suite("libvom/parse_text", fill);
}
