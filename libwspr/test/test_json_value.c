/* BSD-3-Clause; see LICENSE. */
/* Values as JSON and back (wspr/json.h). */
#include <check.h>
#include <stdio.h>

#include <suite.h>
#include <support.h>
#include <v23/verror.h>
#include <vom/parse.h>
#include <vom/value.h>
#include <wspr/json.h>

static struct tst_alloc t;
static struct v23_arena a;
static struct vdl_types *types;
static struct v23_buf why;

static void setup(void)
{
    tst_alloc_init(&t);
    v23_arena_init(&a, &t.al, SIZE_MAX);
    v23_buf_init(&why, &t.al, 4096);
    ck_assert_int_eq(vdl_types_new(&t.al, NULL, &types), 0);
}

static void teardown(void)
{
    vdl_types_unref(types);
    v23_buf_fini(&why);
    v23_arena_fini(&a);
    ck_assert_uint_eq(t.live, 0);
}

/* The type of that canonical text. */
static const struct vdl_type *type(const char *text)
{
    const struct vdl_type *out = NULL;
    struct vdl_parse_error err;

    ck_assert_int_eq(vdl_type_parse(types, vdl_str(text), &out, &err), 0);
    return out;
}

/* JSON read by type and printed as VDL; "error: why" when it is refused. */
static const char *read_as(const char *of, const char *json)
{
    static char out[512];
    const struct vdl_type *dt = type(of);
    struct v23_buf b;
    void *v = v23_arena_get0(&a, 1, dt->size, 16);
    int rc;

    v23_buf_cut(&why, 0);
    rc = wspr_json_decode(
        v23_bytes(json, strlen(json)), NULL, &a, dt, v, &why);
    if (rc != 0) {
        ck_assert(rc == V23_ECONVERT || rc == V23_ETEXT || rc == V23_EEOF);
        snprintf(out, sizeof(out), "error: %s", v23_buf_cstr(&why));
        return out;
    }
    v23_buf_init_fixed(&b, out, sizeof(out) - 1);
    ck_assert_int_eq(vdl_format(dt, v, true, &b), 0);
    out[b.n] = 0;
    return out;
}

/* VDL text of a value printed as JSON. */
static const char *written(const char *vdl)
{
    static char out[512];
    struct vdl_parse_error err;
    struct vdl_any any;
    struct v23_buf b;

    ck_assert_msg(vdl_parse(vdl_str(vdl), &a, &any, &err) == 0, "%s: %s", vdl,
        err.text);
    v23_buf_init_fixed(&b, out, sizeof(out) - 1);
    ck_assert_int_eq(wspr_json_encode(&vdl_any_desc, &any, &b), 0);
    out[b.n] = 0;
    return out;
}

struct row {
    const char *type, *json, *want;
};

static void each(const struct row *r, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        ck_assert_str_eq(read_as(r[i].type, r[i].json), r[i].want);
}
#define EACH(rows) each(rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- reading ------------------------------------------------------------- */

START_TEST(integers_are_exact_in_both_forms)
{
    static const struct row rows[] = {
        {"int32", "5", "int32(5)"},
        {"int32", " \"-7\" ", "int32(-7)"},
        {"int64", "9007199254740993", "int64(9007199254740993)"},
        {"int64", "\"-9223372036854775808\"", "int64(-9223372036854775808)"},
        {"uint64", "18446744073709551615", "uint64(18446744073709551615)"},
        {"int8", "-128", "int8(-128)"},
        {"byte", "255", "byte(255)"},
        {"uint16", "\"007\"", "uint16(7)"},
        {"uint64", "-0", "uint64(0)"},
        {"Num int16", "300", "Num int16(300)"},
    };

    EACH(rows);
}
END_TEST

START_TEST(numbers_that_do_not_fit_are_refused)
{
    static const struct row rows[] = {
        {"int32", "\"notanumber\"",
            "error: \"notanumber\" is not a value of type int32"},
        {"int32", "1.5", "error: 1.5 is not a value of type int32"},
        {"int32", "1e3", "error: 1e3 is not a value of type int32"},
        {"int32", "\"\"", "error: \"\" is not a value of type int32"},
        {"int32", "\"-\"", "error: \"-\" is not a value of type int32"},
        {"int32", "true", "error: true is not a value of type int32"},
        {"int32", "null", "error: null is not a value of type int32"},
        {"int32", "[1]", "error: an array is not a value of type int32"},
        {"byte", "256", "error: 256 is not a value of type byte"},
        {"byte", "-1", "error: -1 is not a value of type byte"},
        {"int8", "-129", "error: -129 is not a value of type int8"},
        {"int64", "9223372036854775808",
            "error: 9223372036854775808 is not a value of type int64"},
        {"uint64", "18446744073709551616",
            "error: 18446744073709551616 is not a value of type uint64"},
        {"float64", "\"NaN\"", "error: \"NaN\" is not a value of type float64"},
        {"float32", "1e99", "error: 1e99 is not a value of type float32"},
    };

    EACH(rows);
}
END_TEST

START_TEST(floats_come_as_numbers_or_text)
{
    static const struct row rows[] = {
        {"float64", "1.5", "float64(1.5)"},
        {"float64", "\"-2.5e3\"", "float64(-2500)"},
        {"float32", "0.5", "float32(0.5)"},
        {"float64", "3", "float64(3)"},
        {"F float32", "4", "F float32(4)"},
    };

    EACH(rows);
}
END_TEST

START_TEST(strings_are_unescaped)
{
    static const struct row rows[] = {
        {"string", "\"a\\n\\u00e9\\ud83d\\ude00\\/\\\"\"",
            "\"a\\n\xc3\xa9\xf0\x9f\x98\x80/\\\"\""},
        {"string", "\"\\ud800x\\udc00\"", "\"\xef\xbf\xbdx\xef\xbf\xbd\""},
        {"string", "\"\\ud83d\\u0041\"", "\"\xef\xbf\xbd"
                                         "A\""},
        {"string", "\"\xff\"", "\"\xef\xbf\xbd\""},
        {"string", "\"a\\u0000b\"", "\"a\\x00b\""},
        {"string", "5", "error: 5 is not a value of type string"},
        {"bool", "true", "true"},
        {"bool", "\"true\"", "error: \"true\" is not a value of type bool"},
        {"E enum{A;B}", "\"B\"", "E enum{A;B}(B)"},
        {"E enum{A;B}", "\"C\"", "error: \"C\" is not a value of type E"},
        {"E enum{A;B}", "1", "error: 1 is not a value of type E"},
    };

    EACH(rows);
}
END_TEST

/* The reader marks numbers and NUL by octets that no text can hold. */
START_TEST(texts_are_not_taken_for_numbers)
{
    static const struct row rows[] = {
        {"any", "\"\xff" "5\"", "any(\"\xef\xbf\xbd" "5\")"},
        {"int32", "\"\xff" "5\"",
            "error: \"\xef\xbf\xbd" "5\" is not a value of type int32"},
        {"string", "\"\xfe\\ufffe\"",
            "\"\xef\xbf\xbd\\ufffe\""},
        {"[]byte", "5", "error: 5 is not a value of type list"},
        {"string", "\"\\\\u0000\\\"\"", "\"\\\\u0000\\\"\""},
    };

    EACH(rows);
}
END_TEST

START_TEST(lists_and_bytes)
{
    static const struct row rows[] = {
        {"[]int32", "[1, \"2\" ,3]", "[]int32{1, 2, 3}"},
        {"[]int32", "[]", "[]int32{}"},
        {"[]int32", "null", "[]int32{}"},
        {"[]byte", "[1,2,255]", "[]byte(\"\\x01\\x02\\xff\")"},
        {"[]byte", "\"h\\u00e9\"", "[]byte(\"h\xc3\xa9\")"},
        {"[2]byte", "\"hi\"", "[2]byte(\"hi\")"},
        {"[2]byte", "\"h\"", "error: \"h\" is not a value of type array"},
        {"[2]int32", "[1,2]", "[2]int32{1, 2}"},
        {"[2]int32", "[1]", "error: 1 elements for an array of 2"},
        {"set[string]", "[\"b\",\"a\"]", "set[string]{\"a\", \"b\"}"},
        {"set[string]", "[\"b\",\"b\"]", "error: a key comes twice"},
        {"[][]int32", "[[],[1,\"x\"]]",
            "error: [1][1]: \"x\" is not a value of type int32"},
        {"[]int32", "{\"0\":1}",
            "error: an object is not a value of type list"},
    };

    EACH(rows);
}
END_TEST

START_TEST(maps_parse_their_keys)
{
    static const struct row rows[] = {
        {"map[string]bool", "{\"a\\u0000\":true}",
            "map[string]bool{\"a\\x00\": true}"},
        {"map[bool]bool", "{\"null\":false}", "error: null: no such key"},
        {"map[string]int32", "{\"a\":1,\"\\u0062\":\"2\"}",
            "map[string]int32{\"a\": 1, \"b\": 2}"},
        {"map[int32]bool", "{\"-5\":true}", "map[int32]bool{-5: true}"},
        {"map[bool]bool", "{\"true\":false}", "map[bool]bool{true: false}"},
        {"map[int32]bool", "{\"5\":true,\"05\":true}",
            "error: a key comes twice"},
        {"map[int32]bool", "{\"x\":true}", "error: x: no such key"},
        {"map[struct{A int32}]bool", "{\"{\\\"a\\\":4}\":true}",
            "map[struct{A int32}]bool{{A: 4}: true}"},
        {"map[string]int32", "null", "map[string]int32{}"},
        {"map[string]int32", "{\"a\":{}}",
            "error: a: an object is not a value of type int32"},
    };

    EACH(rows);
}
END_TEST

START_TEST(structs_match_fields_leniently_but_know_all_members)
{
    static const struct row rows[] = {
        {"S struct{Name string;SizeB int32}", "{\"sizeB\":3,\"name\":\"x\"}",
            "S struct{Name string;SizeB int32}{Name: \"x\", SizeB: 3}"},
        {"S struct{Name string;SizeB int32}", "{\"NAME\":\"x\"}",
            "S struct{Name string;SizeB int32}{Name: \"x\", SizeB: 0}"},
        {"S struct{AB int32;Ab int32}", "{\"ab\":1,\"aB\":2}",
            "S struct{AB int32;Ab int32}{AB: 2, Ab: 1}"},
        {"S struct{Name string}", "{\"nom\":\"x\"}",
            "error: nom: no such field"},
        {"S struct{Name string}", "{\"name\":\"x\",\"nom\":1}",
            "error: 2 members for a struct of 1 fields"},
        {"S struct{}", "{}", "S struct{}{}"},
        {"S struct{A []struct{B int32}}", "{\"a\":[{},{\"b\":\"x\"}]}",
            "error: a[1].b: \"x\" is not a value of type int32"},
        {"U union{A int32;B string}", "{\"b\":\"x\"}",
            "U union{A int32;B string}{B: \"x\"}"},
        {"U union{A int32;B string}", "{}",
            "error: a union has one member, not 0"},
        {"U union{A int32;B string}", "{\"c\":1}",
            "error: c: no such field"},
        {"?S struct{A int32}", "null", "?S struct{A int32}(nil)"},
        {"?S struct{A int32}", "{\"a\":1}", "?S struct{A int32}({A: 1})"},
        {"typeobject", "\"int32\"",
            "error: \"int32\" is not a value of type typeobject"},
    };

    EACH(rows);
}
END_TEST

START_TEST(any_takes_what_comes)
{
    static const struct row rows[] = {
        {"any", "null", "any(nil)"},
        {"any", "1", "any(float64(1))"},
        {"any", "\"1\"", "any(\"1\")"},
        {"any", "[true,null]", "any([]any{true, nil})"},
        {"any", "{\"a\":[1]}",
            "any(map[string]any{\"a\": []any{float64(1)}})"},
    };

    EACH(rows);
}
END_TEST

/* A JSON error; NULL is nil. */
static const struct v23_verror *error_of(const char *json)
{
    const struct v23_verror *e = NULL;

    ck_assert_int_eq(wspr_json_decode(v23_bytes(json, strlen(json)), NULL, &a,
                         &vdl_error_desc, &e, &why),
        0);
    return e;
}

START_TEST(errors_are_texts_or_have_ids_of_2014)
{
    const struct v23_verror *e;

    ck_assert_ptr_null(error_of("null"));
    ck_assert_ptr_null(error_of("\"\""));
    e = error_of("\"broken\"");
    ck_assert(vdl_str_is(e->id, "v.io/v23/verror.Unknown"));
    ck_assert(vdl_str_is(e->msg, "broken"));
    e = error_of("{\"iD\":\"veyron.io/veyron/veyron2/verror.NoExist\","
                 "\"msg\":\"m\",\"stack\":[1]}");
    ck_assert(vdl_str_is(e->id, "v.io/v23/verror.NoExist"));
    ck_assert(vdl_str_is(e->msg, "m"));
    e = error_of("{\"iD\":\"my.own\"}");
    ck_assert(vdl_str_is(e->id, "my.own"));
    ck_assert_int_eq(wspr_json_decode(v23_bytes("5", 1), NULL, &a,
                         &vdl_error_desc, &e, &why),
        V23_ECONVERT);
}
END_TEST

START_TEST(syntax_errors_say_what_and_where)
{
    static const struct row rows[] = {
        {"int32", "", "error: "},
        {"int32", "  ", "error: "},
        {"int32", "nope",
            "error: invalid character 'o' in literal null (expecting 'u')"},
        {"[]int32", "[1,", "error: unexpected EOF"},
        {"string", "\"a", "error: unexpected EOF"},
    };

    EACH(rows);
}
END_TEST

START_TEST(long_values_are_cut_in_messages)
{
    ck_assert_str_eq(
        read_as("int32", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9z\""),
        "error: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... is not a value of "
        "type int32");
}
END_TEST

/* Only the code, with options. */
static int code(const char *json, const struct wspr_json_options *opt,
    const struct vdl_type *dt)
{
    struct vdl_any any;

    return wspr_json_decode(
        v23_bytes(json, strlen(json)), opt, &a, dt, &any, &why);
}

START_TEST(limits_are_kept)
{
    struct wspr_json_options opt = WSPR_JSON_OPTIONS_INIT;
    size_t used = a.used, limit = a.limit;

    opt.depth = 2;
    ck_assert_int_eq(code("[[1]]", &opt, &vdl_any_desc), 0);
    ck_assert_int_eq(code("[[[]]]", &opt, &vdl_any_desc), V23_ELIMIT);
    ck_assert_int_eq(code("[[],{},{\"[[[\":1}]", &opt, &vdl_any_desc), 0);
    opt.elements = 4;
    ck_assert_int_eq(code("[ [ ],{ }, []]", &opt, &vdl_any_desc), 0);
    ck_assert_int_eq(code("[\",\",[],3,4]", &opt, &vdl_any_desc), V23_ELIMIT);
    ck_assert_int_eq(code("[1,[2]]", &opt, &vdl_any_desc), 0);
    ck_assert_int_eq(code("[1,[2,3]]", &opt, &vdl_any_desc), V23_ELIMIT);
    used = a.used;
    opt.bytes = 64;
    ck_assert_int_eq(code("[1,2,3]", &opt, &vdl_any_desc), V23_ENOMEM);
    ck_assert_uint_eq(a.used, used);
    ck_assert_uint_eq(a.limit, limit);
    ck_assert_int_eq(code("[[[", &opt, &vdl_any_desc), V23_ETEXT);
}
END_TEST

START_TEST(messages_are_read_leniently)
{
    const struct vdl_type *dt = type("M struct{Name string;N int32;L []bool}");
    struct wspr_json_options opt = WSPR_JSON_OPTIONS_INIT;
    static const char text[] = "{\"name\":null,\"x\":[{\"}]\":{}},1],"
                               "\"n\":4,\"y\":\"]\",\"l\":[true]}tail";
    struct {
        struct vdl_str name;
        int32_t n;
        vdl_bool_list l;
    } m;

    opt.lax = true;
    ck_assert_int_eq(wspr_json_decode(v23_bytes(text, sizeof(text) - 1), &opt,
                         &a, dt, &m, &why),
        0);
    ck_assert_uint_eq(m.name.n, 0);
    ck_assert_int_eq(m.n, 4);
    ck_assert(m.l.n == 1 && m.l.v[0]);
}
END_TEST

/* ---- writing ------------------------------------------------------------- */

START_TEST(values_are_written_in_the_form_of_2014)
{
    static const struct {
        const char *vdl, *json;
    } rows[] = {
        {"true", "true"},
        {"int64(-9223372036854775808)", "-9223372036854775808"},
        {"uint64(18446744073709551615)", "18446744073709551615"},
        {"float64(1.5)", "1.5"},
        {"float64(5)", "5"},
        {"\"a\\\"\\\\\\n\\x01\xc3\xa9<\"", "\"a\\\"\\\\\\n\\u0001\xc3\xa9<\""},
        {"E enum{A;B}(B)", "\"B\""},
        {"[]int32{1, 2}", "[1, 2]"},
        {"[]byte(\"ab\")", "[97, 98]"},
        {"[2]bool{true, false}", "[true, false]"},
        {"set[int32]{7}", "[7]"},
        {"map[string]int32{\"a b\": 1}", "{\"a b\": 1}"},
        {"map[int32]bool{5: true}", "{\"5\": true}"},
        {"map[string]set[int32]{\"b\": {9, 10, -1}, \"a\": {}}",
            "{\"b\": [9, 10, -1], \"a\": []}"},
        {"[]struct{}{{}, {}}", "[{}, {}]"},
        {"[]any{any(nil), []any{}}", "[null, []]"},
        {"map[struct{A string}]bool{{A: \"x\"}: true}",
            "{\"{\\\"a\\\": \\\"x\\\"}\": true}"},
        {"S struct{ServerID int32;ID []any}{ServerID: 1, ID: {nil, \"x\"}}",
            "{\"serverID\": 1, \"iD\": [null, \"x\"]}"},
        {"U union{A int32;Bb string}{Bb: \"x\"}", "{\"bb\": \"x\"}"},
        {"?S struct{A int32}(nil)", "null"},
        {"?S struct{A int32}({A: 1})", "{\"a\": 1}"},
        {"typeobject([]int32)", "\"[]int32\""},
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_str_eq(written(rows[i].vdl), rows[i].json);
}
END_TEST

/* JSON of a C value. */
static const char *json_of(const struct vdl_type *dt, const void *v)
{
    static char out[256];
    struct v23_buf b;

    v23_buf_init_fixed(&b, out, sizeof(out) - 1);
    ck_assert_int_eq(wspr_json_encode(dt, v, &b), 0);
    out[b.n] = 0;
    return out;
}

START_TEST(what_json_lacks_is_null_or_text)
{
    const double zero = 0;
    double inf = 1 / zero;
    struct v23_verror e;
    const struct v23_verror *pe = NULL;
    struct vdl_str bad = vdl_str("a\xff\x7f");
    const struct vdl_type *any = NULL;

    ck_assert_str_eq(json_of(&vdl_float64_desc, &inf), "null");
    ck_assert_str_eq(json_of(&vdl_error_desc, &pe), "null");
    memset(&e, 0, sizeof(e));
    e.id = vdl_str("v.io/v23/verror.BadArg");
    e.msg = vdl_str("no");
    pe = &e;
    ck_assert_str_eq(json_of(&vdl_error_desc, &pe),
        "{\"iD\": \"veyron.io/veyron/veyron2/verror.BadArg\", "
        "\"msg\": \"no\"}");
    e.id = vdl_str("v.io/v23/verror.Unknown");
    ck_assert_str_eq(json_of(&v23_verror_desc, &e),
        "{\"iD\": \"\", \"msg\": \"no\"}");
    ck_assert_str_eq(
        json_of(&vdl_string_desc, &bad), "\"a\xef\xbf\xbd\\u007f\"");
    ck_assert_str_eq(json_of(&vdl_typeobject_desc, &any), "\"any\"");
}
END_TEST

/* A peer's type: members of its choice must not be smuggled in. */
START_TEST(names_of_fields_are_quoted)
{
    struct vdl_field f = { .name = vdl_str("A\": 1, \"\n"),
        .type = &vdl_bool_desc };
    struct vdl_type t = { .kind = VDL_STRUCT, .size = 1, .count = 1,
        .fields = &f };
    bool yes = true;

    ck_assert_str_eq(json_of(&t, &yes), "{\"a\\\": 1, \\\"\\n\": true}");
    f.name = vdl_str("");
    ck_assert_str_eq(json_of(&t, &yes), "{\"\": true}");
}
END_TEST

START_TEST(nothing_is_appended_on_failure)
{
    struct vdl_str s = vdl_str("long text");
    uint8_t room[8];
    struct v23_buf b;

    v23_buf_init_fixed(&b, room, sizeof(room));
    v23_buf_puts(&b, "ab");
    ck_assert_int_eq(wspr_json_encode(&vdl_string_desc, &s, &b), V23_ENOSPC);
    ck_assert_uint_eq(b.n, 2);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

static int decode_body(const struct v23_alloc *al, void *ud)
{
    const char *json = ud;
    struct v23_arena mem;
    struct vdl_any any;
    struct v23_buf out;
    int rc;

    v23_arena_init(&mem, al, SIZE_MAX);
    v23_buf_init(&out, al, SIZE_MAX);
    rc = wspr_json_decode(v23_bytes(json, strlen(json)), NULL, &mem,
        &vdl_any_desc, &any, NULL);
    if (rc == 0)
        rc = wspr_json_encode(&vdl_any_desc, &any, &out);
    if (rc == 0)
        ck_assert_str_eq(v23_buf_cstr(&out), json);
    v23_buf_fini(&out);
    v23_arena_fini(&mem);
    return rc;
}

START_TEST(memory_may_end_anywhere)
{
    char text[] = "{\"a\": [1.5, \"\xc3\xa9\", {\"b\": null, \"c\": true}], "
                  "\"d\": [[], {}]}";

    tst_out_of_memory(decode_body, text);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, integers_are_exact_in_both_forms);
    tcase_add_test(tc, numbers_that_do_not_fit_are_refused);
    tcase_add_test(tc, floats_come_as_numbers_or_text);
    tcase_add_test(tc, strings_are_unescaped);
    tcase_add_test(tc, texts_are_not_taken_for_numbers);
    tcase_add_test(tc, lists_and_bytes);
    tcase_add_test(tc, maps_parse_their_keys);
    tcase_add_test(tc, structs_match_fields_leniently_but_know_all_members);
    tcase_add_test(tc, any_takes_what_comes);
    tcase_add_test(tc, errors_are_texts_or_have_ids_of_2014);
    tcase_add_test(tc, syntax_errors_say_what_and_where);
    tcase_add_test(tc, long_values_are_cut_in_messages);
    tcase_add_test(tc, limits_are_kept);
    tcase_add_test(tc, messages_are_read_leniently);
    tcase_add_test(tc, values_are_written_in_the_form_of_2014);
    tcase_add_test(tc, what_json_lacks_is_null_or_text);
    tcase_add_test(tc, names_of_fields_are_quoted);
    tcase_add_test(tc, nothing_is_appended_on_failure);
    tcase_add_test(tc, memory_may_end_anywhere);
}

int main(void)
{
    return tst_run_case("wspr/json", fill, setup, teardown);
}
