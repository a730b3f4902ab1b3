/* BSD-3-Clause; see LICENSE. */
/* Values written as VDL constants. */
#include <check.h>
#include <stdio.h>

#include <suite.h>
#include <support.h>
#include <vom/parse.h>
#include <vom/value.h>

static struct tst_alloc t;
static struct v23_arena a;

static void setup(void)
{
    tst_alloc_init(&t);
    v23_arena_init(&a, &t.al, SIZE_MAX);
}

static void teardown(void)
{
    v23_arena_fini(&a);
    ck_assert_uint_eq(t.live, 0);
}

/* Parse one constant and print it; "error: …" when it is refused. */
static const char *round_trip(const struct vdl_type *type, const char *text)
{
    static char out[512];
    const void *v;
    struct vdl_parse_error err;
    struct v23_buf b;
    size_t got;
    int rc =
        vdl_parse_values(vdl_str(text), NULL, &a, &type, 1, &v, &got, &err);

    if (rc == V23_EARG) {
        snprintf(out, sizeof(out), "error: %zu constants", got);
        return out;
    }
    if (rc != 0) {
        snprintf(out, sizeof(out), "error: %zu: %s", err.at, err.text);
        return out;
    }
    v23_buf_init_fixed(&b, out, sizeof(out) - 1);
    ck_assert_int_eq(vdl_format(type, v, true, &b), 0);
    out[b.n] = 0;
    return out;
}

struct pair {
    const struct vdl_type *type;
    const char *text, *want;
};

static void each(const struct pair *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        ck_assert_str_eq(round_trip(p[i].type, p[i].text), p[i].want);
}
#define EACH(pairs) each(pairs, sizeof(pairs) / sizeof((pairs)[0]))

START_TEST(scalars_are_read_by_type)
{
    static const struct pair p[] = {
        {&vdl_bool_desc, " true ", "true"},
        {&vdl_int32_desc, "-3", "int32(-3)"},
        {&vdl_int64_desc, "-9223372036854775808",
            "int64(-9223372036854775808)"},
        {&vdl_uint64_desc, "0xffff_ffff_ffff_ffff",
            "uint64(18446744073709551615)"},
        {&vdl_byte_desc, "0b11", "byte(3)"},
        {&vdl_uint16_desc, "017", "uint16(15)"},
        {&vdl_int32_desc, "2e2", "int32(200)"},
        {&vdl_float64_desc, "-1.5e3", "float64(-1500)"},
        {&vdl_float64_desc, "3", "float64(3)"},
        {&vdl_string_desc, "\"a\\x01\\u00e9\\n\"", "\"a\\x01\xc3\xa9\\n\""},
        {&vdl_string_desc, "`a\\b`", "\"a\\\\b\""},
        {&vdl_bytes_desc, "\"\\x01\\xff\"", "[]byte(\"\\x01\\xff\")"},
        {&vdl_typeobject_desc, "typeobject([]string)", "typeobject([]string)"},
    };

    EACH(p);
}
END_TEST

START_TEST(composites_and_typed_forms)
{
    static const struct pair p[] = {
        {&vdl_str_list_desc, "{\"a\", \"b\"}", "[]string{\"a\", \"b\"}"},
        {&vdl_str_list_desc, "{}", "[]string{}"},
        {&vdl_any_desc, "int32(5)", "any(int32(5))"},
        {&vdl_any_desc, "nil", "any(nil)"},
        {&vdl_any_desc, "map[string]int64{\"a\": 1}",
            "any(map[string]int64{\"a\": 1})"},
        {&vdl_any_desc, "[2]int32{1, 2}", "any([2]int32{1, 2})"},
        {&vdl_int32_desc, "int32(uint16(7))", "int32(7)"},
        {&vdl_int32_desc, "uint16(7)",
            "error: 0: int32 not assignable from uint16"},
        {&vdl_any_list_desc, "{true, \"x\", set[byte]{1}}",
            "[]any{true, \"x\", set[byte]{1}}"},
    };

    EACH(p);
}
END_TEST

static const struct vdl_type point = {.kind = VDL_STRUCT,
    .align = 4,
    .size = 8,
    .name = VDL_STR_INIT("p/q.Point"),
    .count = 2,
    .fields =
        (const struct vdl_field[]){{VDL_STR_INIT("X"), &vdl_int32_desc, 0},
            {VDL_STR_INIT("Y"), &vdl_int32_desc, 4}}};
static const struct vdl_type maybe_point = {.kind = VDL_OPTIONAL,
    .align = _Alignof(void *),
    .size = sizeof(void *),
    .elem = &point};
static const struct vdl_type color = {.kind = VDL_ENUM,
    .align = 1,
    .size = 1,
    .name = VDL_STR_INIT("p/q.Color"),
    .count = 2,
    .labels =
        (const struct vdl_str[]){VDL_STR_INIT("Red"), VDL_STR_INIT("RedDark")}};
#define POINT "p/q.Point struct{X int32;Y int32}"

START_TEST(named_types_are_found_by_their_path)
{
    static const struct pair p[] = {
        {&point, "{1, 2}", POINT "{X: 1, Y: 2}"},
        {&point, "{Y: 2}", POINT "{X: 0, Y: 2}"},
        {&point, "\"p/q\".Point{X: 1}", POINT "{X: 1, Y: 0}"},
        {&maybe_point, "nil", "?" POINT "(nil)"},
        {&maybe_point, "{X: 1}", "?" POINT "({X: 1, Y: 0})"},
        {&maybe_point, "?\"p/q\".Point{X: 1}", "?" POINT "({X: 1, Y: 0})"},
        {&maybe_point, "\"p/q\".Point{}", "?" POINT "({X: 0, Y: 0})"},
        {&maybe_point, "?\"p/q\".Point(nil)", "?" POINT "(nil)"},
        {&point, "?\"p/q\".Point{X: 1}", POINT "{X: 1, Y: 0}"},
        {&point, "?\"p/q\".Point(nil)",
            "error: 0: p/q.Point not assignable from p/q.Point"},
        {&color, "RedDark", "p/q.Color enum{Red;RedDark}(RedDark)"},
        {&color, "\"p/q\".Color.Red", "p/q.Color enum{Red;RedDark}(Red)"},
        {&color, "Blue", "error: 0: can't convert Blue to p/q.Color"},
        {&vdl_string_desc, "string(\"x\")", "\"x\""},
        {&vdl_string_desc, "\"p/q\".Greeting",
            "error: 0: \"p/q\".Greeting undefined"},
    };

    EACH(p);
}
END_TEST

START_TEST(literals_are_read_exactly)
{
    static const struct pair p[] = {
        {&vdl_float64_desc, "0x1p-2", "float64(0.25)"},
        {&vdl_float64_desc, "0x1.8p1", "float64(3)"},
        {&vdl_float64_desc, ".25", "float64(0.25)"},
        {&vdl_float64_desc, "1_0.5e0_1", "float64(105)"},
        {&vdl_float64_desc, "--1", "float64(1)"},
        {&vdl_float64_desc, "123456789012345678901234567890",
            "float64(1.2345678901234568e+29)"},
        {&vdl_float32_desc, "0.1", "float32(0.10000000149011612)"},
        {&vdl_float32_desc, "3.4028235e+38", "float32(3.4028234663852886e+38)"},
        {&vdl_float32_desc, "1e39", "error: 0: const 1e39 overflows float32"},
        {&vdl_float64_desc, "0x1.8", "error: 0: malformed number 0x1.8"},
        {&vdl_int32_desc, "08", "error: 0: malformed number 08"},
        {&vdl_int32_desc, "1x", "error: 0: malformed number 1x"},
        {&vdl_int32_desc, "0b1_01", "int32(5)"},
        {&vdl_int32_desc, "0o17", "int32(15)"},
        {&vdl_uint64_desc, "18446744073709551616",
            "error: 0: const 18446744073709551616 overflows uint64"},
        {&vdl_uint64_desc, "1e19", "uint64(10000000000000000000)"},
        {&vdl_int32_desc, "-2147483648", "int32(-2147483648)"},
        {&vdl_int32_desc, "-2147483649",
            "error: 0: const -2147483649 overflows int32"},
    };

    EACH(p);
}
END_TEST

START_TEST(strings_have_the_escapes_of_vdl)
{
    static const struct pair p[] = {
        {&vdl_string_desc, "\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"",
            "\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\""},
        {&vdl_string_desc, "\"\\101\\x42\\u0043\\U00000044\"", "\"ABCD\""},
        {&vdl_string_desc, "\"\\U0001f600\\uFFFD\\u00e9\"",
            "\"\xf0\x9f\x98\x80\xef\xbf\xbd\xc3\xa9\""},
        {&vdl_string_desc, "`a\r\n\"\\`", "\"a\\n\\\"\\\\\""},
        {&vdl_string_desc, "\"\\400\"", "error: 5: octal escape out of range"},
        {&vdl_string_desc, "\"\\ud800\"", "error: 7: escape is no code point"},
        {&vdl_string_desc, "\"\\U00110000\"",
            "error: 11: escape is no code point"},
        {&vdl_string_desc, "\"\\x4\"", "error: 4: malformed escape in string"},
        {&vdl_string_desc, "\"\\18\"", "error: 3: malformed escape in string"},
        {&vdl_string_desc, "\"\\'\"", "error: 2: unknown escape in string"},
        {&vdl_string_desc, "\"a\nb\"", "error: 0: string is not terminated"},
        {&vdl_string_desc, "`a", "error: 0: string is not terminated"},
        {&vdl_int32_desc, "1 // to the end", "int32(1)"},
        {&vdl_int32_desc, "1 /* a *//* b **/", "int32(1)"},
        {&vdl_int32_desc, "1 /* no end",
            "error: 2: unexpected text behind the constant"},
        {&vdl_int32_desc, "1 /",
            "error: 2: unexpected text behind the constant"},
    };

    EACH(p);
}
END_TEST

START_TEST(types_are_read_as_vdl_writes_them)
{
    static const struct pair p[] = {
        {&vdl_any_desc, "struct { A, B int8\n C []string }{A: 1}",
            "any(struct{A int8;B int8;C []string}{A: 1, B: 0, C: {}})"},
        {&vdl_any_desc, "union{A bool; B byte;}{B: 3}",
            "any(union{A bool;B byte}{B: 3})"},
        {&vdl_any_desc, "enum{Lo;Hi}.Hi", "any(enum{Lo;Hi}(Hi))"},
        {&vdl_any_desc, "enum{Lo;Hi}(Hi)", "any(enum{Lo;Hi}(Hi))"},
        {&vdl_any_desc, "error(nil)",
            "any(?v.io/v23/vdl.WireError struct{Id "
            "string;RetryCode v.io/v23/vdl.WireRetryCode enum{NoRetry;"
            "RetryConnection;RetryRefetch;RetryBackoff};Msg string;ParamList "
            "[]any}(nil))"},
        {&vdl_typeobject_desc, "typeobject(map[string]struct{})",
            "typeobject(map[string]struct{})"},
        {&vdl_any_desc, "struct{A int8 B bool}{}", "error: 14: expected ';'"},
        {&vdl_any_desc, "map[[]bool]bool{}", "error: 0: invalid type"},
    };

    EACH(p);
}
END_TEST

START_TEST(composites_follow_the_rules)
{
    static const struct pair p[] = {
        {&vdl_str_list_desc, "{2: \"c\", 0: \"a\", \"b\"}",
            "[]string{\"a\", \"b\", \"c\"}"},
        {&vdl_str_list_desc, "{2: \"c\"}", "[]string{\"\", \"\", \"c\"}"},
        {&vdl_str_list_desc, "{1: \"b\", 1: \"c\"}",
            "error: 9: duplicate index 1"},
        {&vdl_str_list_desc, "{1: \"b\", 0: \"a\", \"c\"}",
            "error: 17: duplicate index 1"},
        {&vdl_str_list_desc, "{99999999: \"\"}",
            "error: 1: index 99999999 out of range"},
        {&vdl_any_desc, "[3]int8{1: 5, 6}", "any([3]int8{0, 5, 6})"},
        {&vdl_any_desc, "[3]int8{3: 5}", "error: 8: index 3 out of range"},
        {&vdl_any_desc, "map[string]bool{\"a\": true, \"a\": true}",
            "error: 15: duplicate key"},
        {&point, "{X: 1, 2}", "error: 7: mixed key:value and value"},
        {&point, "{1}", "error: 0: too few fields"},
        {&point, "{1, 2, 3}", "error: 7: too many fields"},
        {&point, "{Z: 1}", "error: 1: unknown field \"Z\""},
        {&point, "{X: 1, X: 1}", "error: 7: duplicate field \"X\""},
        {&vdl_any_desc, "union{A bool}{true}",
            "error: 14: must have explicit key and value"},
        {&vdl_str_list_desc, "/* a */ {\"a\", // b\n\"/*\"};",
            "[]string{\"a\", \"/*\"}"},
    };

    EACH(p);
}
END_TEST

START_TEST(errors_name_the_constant)
{
    const struct vdl_type *types[2] = {&vdl_int32_desc, &vdl_str_list_desc};
    const void *v[2];
    struct vdl_parse_error err;
    size_t got;

    ck_assert_int_eq(vdl_parse_values(vdl_str("1, {\"a\", 2}"), NULL, &a, types,
                         2, v, &got, &err),
        V23_ETEXT);
    ck_assert_uint_eq(err.start, 3);
    ck_assert_uint_eq(err.at, 9);
    ck_assert_uint_eq(got, 2);
}
END_TEST

START_TEST(errors_name_place_and_reason)
{
    static const struct pair p[] = {
        {&vdl_int32_desc, "\"x\"", "error: 0: can't convert \"x\" to int32"},
        {&vdl_int32_desc, "99999999999",
            "error: 0: const 99999999999 overflows int32"},
        {&vdl_byte_desc, "-1", "error: 0: const -1 overflows byte"},
        {&vdl_int32_desc, "1.5",
            "error: 0: converting 1.5 to int32 loses precision"},
        {&vdl_int32_desc, "", "error: 0 constants"},
        {&vdl_int32_desc, "1,2", "error: 2 constants"},
        {&vdl_any_desc, "3", "error: 0: must be assigned a type"},
        {&vdl_string_desc, "\"abc", "error: 0: string is not terminated"},
        {&vdl_bool_desc, "true x",
            "error: 5: unexpected text behind the constant"},
        {&vdl_str_list_desc, "{\"a\" \"b\"}", "error: 5: expected ','"},
    };

    EACH(p);
}
END_TEST

START_TEST(every_prefix_of_a_constant_is_handled)
{
    const char *text =
        "map[string]any{\"a\": []string{\"\\u00e9\"}, \"b\": -0x1f}";
    char cut[128];
    size_t i;

    for (i = 0; i < strlen(text); i++) {
        memcpy(cut, text, i);
        cut[i] = 0;
        ck_assert_int_eq(
            strncmp(round_trip(&vdl_any_desc, cut), "error", 5), 0);
    }
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
    static const char *const parts[] = {
        "[]", "(", "{", "int32(", "?", "-", "any(", "map["};
    static char text[8 * VDL_PARSE_DEPTH + 16];
    size_t i, k, n;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        n = strlen(parts[i]);
        for (k = 0; k <= VDL_PARSE_DEPTH; k++)
            memcpy(text + k * n, parts[i], n);
        strcpy(text + k * n, "byte{}");
        ck_assert_int_eq(
            strncmp(round_trip(&vdl_any_desc, text), "error", 5), 0);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, scalars_are_read_by_type);
    tcase_add_test(tc, composites_and_typed_forms);
    tcase_add_test(tc, named_types_are_found_by_their_path);
    tcase_add_test(tc, literals_are_read_exactly);
    tcase_add_test(tc, strings_have_the_escapes_of_vdl);
    tcase_add_test(tc, types_are_read_as_vdl_writes_them);
    tcase_add_test(tc, composites_follow_the_rules);
    tcase_add_test(tc, errors_name_the_constant);
    tcase_add_test(tc, errors_name_place_and_reason);
    tcase_add_test(tc, every_prefix_of_a_constant_is_handled);
    tcase_add_test(tc, deep_nesting_is_refused);
}

int main(void)
{
    return tst_run_case("libvom/parse", add, setup, teardown);
}
