/* BSD-3-Clause; see LICENSE. */
/* The text form of values (spec/vom.md 16.1). */
#include "codec_test.h"

#include <float.h>
#include <math.h>

static const char *shown(const char *type, const char *constant)
{
    const struct vdl_type *t = ty(type);

    return text(t, val(t, constant));
}

static const char *float_text(double d)
{
    return text(&vdl_float64_desc, &d);
}

static const char *quoted(const char *p, size_t n)
{
    struct v23_buf *b = scratch();

    vdl_format_quoted(b, p, n);
    return v23_buf_cstr(b);
}

/* ---- floats -------------------------------------------------------------- */

struct float_case {
    double v;
    const char *want;
};

START_TEST(floats_print_their_shortest_form)
{
    static const struct float_case cases[] = { { 64.5, "64.5" },
        { 0.0001, "0.0001" }, { 999999, "999999" }, { 1e-5, "1e-05" },
        { 1e6, "1e+06" }, { 1234567, "1.234567e+06" },
        { DBL_MAX, "1.7976931348623157e+308" }, { 5e-324, "5e-324" },
        { 0, "0" }, { -0.0, "-0" }, { -2.5, "-2.5" }, { 0.1, "0.1" },
        { 100000, "100000" }, { 123456.7, "123456.7" },
        { (double)(float)0.1, "0.10000000149011612" }, { 1e100, "1e+100" },
        { 1e23, "1e+23" }, { 9007199254740993.0, "9.007199254740992e+15" },
        { 0.000123, "0.000123" }, { 2.2250738585072014e-308,
            "2.2250738585072014e-308" }, { 1.5e-7, "1.5e-07" },
        { 20, "20" }, { 0x1p-1022, "2.2250738585072014e-308" } };
    char want[64];
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(want, sizeof(want), "float64(%s)", cases[i].want);
        ck_assert_str_eq(float_text(cases[i].v), want);
    }
    ck_assert_str_eq(float_text(NAN), "float64(NaN)");
    ck_assert_str_eq(float_text(INFINITY), "float64(+Inf)");
    ck_assert_str_eq(float_text(-INFINITY), "float64(-Inf)");
}
END_TEST

START_TEST(float_text_reads_back_and_is_shortest)
{
    uint64_t bits = UINT64_C(0x9E3779B97F4A7C15), x;
    char shorter[40];
    const char *s;
    double d;
    int i, digits;

    for (i = 0; i < 3000; i++) {
        bits = bits * UINT64_C(6364136223846793005) + 1442695040888963407u;
        /* All powers of two come up as well: their neighbours are uneven. */
        x = i < 2046 ? (uint64_t)(i + 1) << 52 : bits & ~(UINT64_C(1) << 63);
        memcpy(&d, &x, sizeof(d));
        if (!isfinite(d))
            continue;
        s = float_text(d) + strlen("float64(");
        ck_assert(strtod(s, NULL) == d);
        for (digits = 0; *s != 'e' && *s != ')'; s++)
            digits += *s >= '0' && *s <= '9';
        if (*s == 'e' && digits > 1 && d < 1e300) {
            snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, d);
            ck_assert(strtod(shorter, NULL) != d);
        }
    }
}
END_TEST

/* ---- strings ------------------------------------------------------------- */

START_TEST(strings_are_escaped)
{
    ck_assert_str_eq(quoted("a\"b\\", 4), "\"a\\\"b\\\\\"");
    ck_assert_str_eq(quoted("\a\b\f\n\r\t\v", 7),
        "\"\\a\\b\\f\\n\\r\\t\\v\"");
    ck_assert_str_eq(quoted("\0\x1f\x7f\xff", 4), "\"\\x00\\x1f\\x7f\\xff\"");
    ck_assert_str_eq(quoted("\xe7\x8e\x8b\xc3", 4), "\"\xe7\x8e\x8b\\xc3\"");
    ck_assert_str_eq(quoted("\xc2\xad\xe2\x80\x8b", 5),
        "\"\\u00ad\\u200b\"");
    ck_assert_str_eq(quoted("\xe2\x80\xa8\xc2\xa0", 5),
        "\"\\u2028\\u00a0\"");
    ck_assert_str_eq(quoted("\xf3\xa0\x80\x81", 4), "\"\\U000e0001\"");
    ck_assert_str_eq(quoted("\xf0\x9f\x98\x80", 4),
        "\"\xf0\x9f\x98\x80\"");
    ck_assert_str_eq(quoted("\xed\xa0\x80", 3), "\"\\xed\\xa0\\x80\"");
}
END_TEST

/* ---- values -------------------------------------------------------------- */

START_TEST(values_print_as_specified)
{
    ck_assert_str_eq(shown("string", "\"abc\""), "\"abc\"");
    ck_assert_str_eq(shown("x.S string", "\"abc\""), "x.S string(\"abc\")");
    ck_assert_str_eq(shown("bool", "true"), "true");
    ck_assert_str_eq(shown("int32", "-3"), "int32(-3)");
    ck_assert_str_eq(shown("ex.E enum{Lo;Hi}", "Hi"), "ex.E enum{Lo;Hi}(Hi)");
    ck_assert_str_eq(shown("[]byte", "\"\\x01\\xff\""),
        "[]byte(\"\\x01\\xff\")");
    ck_assert_str_eq(shown("[2]byte", "{1, 65}"), "[2]byte(\"\\x01A\")");
    ck_assert_str_eq(shown("ex.Pt struct{X int32;Y int32;Tag string}",
        "{X: -3, Tag: \"hi\"}"),
        "ex.Pt struct{X int32;Y int32;Tag string}"
        "{X: -3, Y: 0, Tag: \"hi\"}");
    ck_assert_str_eq(shown("?ex.W struct{B []byte}", "nil"),
        "?ex.W struct{B []byte}(nil)");
    ck_assert_str_eq(shown("?x.S struct{A int32}", "{A: 1}"),
        "?x.S struct{A int32}({A: 1})");
    ck_assert_str_eq(shown("[]any",
        "{uint16(300), nil, []any{\"x\"}, typeobject([3]int8)}"),
        "[]any{uint16(300), nil, []any{\"x\"}, typeobject([3]int8)}");
    ck_assert_str_eq(shown("any", "nil"), "any(nil)");
    ck_assert_str_eq(shown("union{A bool;B int8}", "{B: 2}"),
        "union{A bool;B int8}{B: 2}");
    ck_assert_str_eq(shown("map[string]struct{}", "{\"a\": {}}"),
        "map[string]struct{}{\"a\": {}}");
    ck_assert_str_eq(shown("set[int8]", "{}"), "set[int8]{}");
}
END_TEST

START_TEST(sorting_is_by_text)
{
    const struct vdl_type *t = ty("map[int8]string");
    const void *v = val(t, "{9: \"a\", 10: \"b\", -1: \"c\"}");
    struct v23_buf *b = scratch();

    ck_assert_str_eq(text(t, v),
        "map[int8]string{-1: \"c\", 10: \"b\", 9: \"a\"}");
    ck_assert_int_eq(vdl_format(t, v, false, b), 0);
    ck_assert_str_eq(v23_buf_cstr(b),
        "map[int8]string{9: \"a\", 10: \"b\", -1: \"c\"}");
    ck_assert_str_eq(shown("set[int8]", "{3, 2, 1}"),
        "set[int8]{1, 2, 3}");
}
END_TEST

START_TEST(a_full_buffer_is_left_as_it_was)
{
    const struct vdl_type *t = ty("set[int8]");
    struct v23_buf b;
    char space[16];

    v23_buf_init_fixed(&b, space, sizeof(space));
    v23_buf_puts(&b, "x");
    ck_assert_int_eq(vdl_format(t, val(t, "{1, 2, 3}"), true, &b),
        V23_ENOSPC);
    ck_assert_uint_eq(b.n, 1);
}
END_TEST

static int print(const struct v23_alloc *al, void *ud)
{
    const struct vdl_type *t = ty("map[string]int8");
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, al, SIZE_MAX);
    rc = vdl_format(t, ud, true, &b);
    v23_buf_fini(&b);
    return rc;
}

START_TEST(out_of_memory_is_reported)
{
    const struct vdl_type *t = ty("map[string]int8");

    tst_out_of_memory(print, (void *)(uintptr_t)val(t,
        "{\"some\": 1, \"entries\": 2, \"to\": 3, \"sort\": 4}"));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, floats_print_their_shortest_form);
    tcase_add_test(tc, float_text_reads_back_and_is_shortest);
    tcase_add_test(tc, strings_are_escaped);
    tcase_add_test(tc, values_print_as_specified);
    tcase_add_test(tc, sorting_is_by_text);
    tcase_add_test(tc, a_full_buffer_is_left_as_it_was);
    tcase_add_test(tc, out_of_memory_is_reported);
}

int main(void)
{
    return run_suite("libvom/text", fill);
}
