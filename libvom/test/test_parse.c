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
    int rc = vdl_parse_values(vdl_str(text), NULL, &a, &type, 1, &v, &got,
        &err);

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
        { &vdl_bool_desc, " true ", "true" },
        { &vdl_int32_desc, "-3", "int32(-3)" },
        { &vdl_int64_desc, "-9223372036854775808",
            "int64(-9223372036854775808)" },
        { &vdl_uint64_desc, "0xffff_ffff_ffff_ffff",
            "uint64(18446744073709551615)" },
        { &vdl_byte_desc, "0b11", "byte(3)" },
        { &vdl_uint16_desc, "017", "uint16(15)" },
        { &vdl_int32_desc, "2e2", "int32(200)" },
        { &vdl_float64_desc, "-1.5e3", "float64(-1500)" },
        { &vdl_float64_desc, "3", "float64(3)" },
        { &vdl_string_desc, "\"a\\x01\\u00e9\\n\"", "\"a\\x01\xc3\xa9\\n\"" },
        { &vdl_string_desc, "`a\\b`", "\"a\\\\b\"" },
        { &vdl_bytes_desc, "\"\\x01\\xff\"", "[]byte(\"\\x01\\xff\")" },
        { &vdl_typeobject_desc, "typeobject([]string)",
            "typeobject([]string)" },
    };

    EACH(p);
}
END_TEST

START_TEST(composites_and_typed_forms)
{
    static const struct pair p[] = {
        { &vdl_str_list_desc, "{\"a\", \"b\"}", "[]string{\"a\", \"b\"}" },
        { &vdl_str_list_desc, "{}", "[]string{}" },
        { &vdl_any_desc, "int32(5)", "any(int32(5))" },
        { &vdl_any_desc, "nil", "any(nil)" },
        { &vdl_any_desc, "map[string]int64{\"a\": 1}",
            "any(map[string]int64{\"a\": 1})" },
        { &vdl_any_desc, "[2]int32{1, 2}", "any([2]int32{1, 2})" },
        { &vdl_int32_desc, "uint16(7)", "int32(7)" },
        { &vdl_any_list_desc, "{true, \"x\", set[byte]{1}}",
            "[]any{true, \"x\", set[byte]{1}}" },
    };

    EACH(p);
}
END_TEST

START_TEST(errors_name_the_constant)
{
    const struct vdl_type *types[2] = { &vdl_int32_desc, &vdl_str_list_desc };
    const void *v[2];
    struct vdl_parse_error err;
    size_t got;

    ck_assert_int_eq(vdl_parse_values(vdl_str("1, {\"a\", 2}"), NULL, &a,
                         types, 2, v, &got, &err),
        V23_ETEXT);
    ck_assert_uint_eq(err.start, 3);
    ck_assert_uint_eq(err.at, 9);
    ck_assert_uint_eq(got, 2);
}
END_TEST

START_TEST(errors_name_place_and_reason)
{
    static const struct pair p[] = {
        { &vdl_int32_desc, "\"x\"", "error: 0: can't convert \"x\" to int32" },
        { &vdl_int32_desc, "99999999999",
            "error: 11: const 99999999999 overflows int32" },
        { &vdl_byte_desc, "-1", "error: 2: const -1 overflows byte" },
        { &vdl_int32_desc, "1.5",
            "error: 3: converting 1.5 to int32 loses precision" },
        { &vdl_int32_desc, "", "error: 0 constants" },
        { &vdl_int32_desc, "1,2", "error: 2 constants" },
        { &vdl_any_desc, "3", "error: 0: must be assigned a type" },
        { &vdl_string_desc, "\"abc", "error: 4: string is not terminated" },
        { &vdl_bool_desc, "true x",
            "error: 5: unexpected text behind the constant" },
        { &vdl_str_list_desc, "{\"a\" \"b\"}", "error: 5: expected ','" },
    };

    EACH(p);
}
END_TEST

START_TEST(every_prefix_of_a_constant_is_handled)
{
    const char *text
        = "map[string]any{\"a\": []string{\"\\u00e9\"}, \"b\": -0x1f}";
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
    char text[4 * VDL_PARSE_DEPTH + 16] = "";
    int i;

    for (i = 0; i < 2 * VDL_PARSE_DEPTH; i++)
        strcat(text, "[]");
    strcat(text, "byte{}");

    ck_assert_int_eq(strncmp(round_trip(&vdl_any_desc, text), "error", 5), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libvom/parse");
    TCase *tc = tcase_create("parse");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, scalars_are_read_by_type);
    tcase_add_test(tc, composites_and_typed_forms);
    tcase_add_test(tc, errors_name_the_constant);
    tcase_add_test(tc, errors_name_place_and_reason);
    tcase_add_test(tc, every_prefix_of_a_constant_is_handled);
    tcase_add_test(tc, deep_nesting_is_refused);
    suite_add_tcase(s, tc);
    return tst_run(s);
}
