/* BSD-3-Clause; see LICENSE. */
/* What is wrong with a JSON text (vname/json.h). */
#include <check.h>

#include <suite.h>
#include <support.h>
#include <vname/json.h>

static const struct {
    const char *text, *why;
} bad[] = {
    { "{bad", "invalid character 'b' looking for beginning of object key "
              "string" },
    { "{", "unexpected EOF" },
    { "[1,", "unexpected EOF" },
    { "x", "invalid character 'x' looking for beginning of value" },
    { "'", "invalid character '\\'' looking for beginning of value" },
    { "[1,]", "invalid character ']' looking for beginning of value" },
    { "{\"a\":1,}", "invalid character '}' looking for beginning of object "
                    "key string" },
    { "{\"a\" 1}", "invalid character '1' after object key" },
    { "{\"a\":1 \"b\"}", "invalid character '\"' after object key:value "
                         "pair" },
    { "[1 2]", "invalid character '2' after array element" },
    { "[1}", "invalid character '}' after array element" },
    { "\"a\nb\"", "invalid character '\\n' in string literal" },
    { "\"a\\xb\"", "invalid character 'x' in string escape code" },
    { "\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character "
                     "escape" },
    { "-x", "invalid character 'x' in numeric literal" },
    { "1.x", "invalid character 'x' after decimal point in numeric literal" },
    { "1e+", "unexpected EOF" },
    { "1ex", "invalid character 'x' in exponent of numeric literal" },
    { "trye", "invalid character 'y' in literal true (expecting 'u')" },
    { "nul", "unexpected EOF" },
    { "\xc3\xa4", "invalid character '\xc3\x83' looking for beginning of "
                  "value" },
    { "\x01", "invalid character '\\x01' looking for beginning of value" },
};

START_TEST(check_names_the_fault)
{
    char mem[256];
    struct v23_buf why;

    v23_buf_init_fixed(&why, mem, sizeof(mem));

    ck_assert_int_eq(vname_json_check(v23_bytes(bad[_i].text,
                                          strlen(bad[_i].text)),
                         NULL, &why),
        V23_ETEXT);

    ck_assert_str_eq(v23_buf_cstr(&why), bad[_i].why);
}
END_TEST

START_TEST(check_finds_the_end_of_a_value)
{
    static const struct {
        const char *text;
        size_t end;
    } good[] = {
        { "{}", 2 }, { " [] x", 3 }, { "{\"a\":[1,{\"b\":null}],\"c\":\"}\"} {",
                                         28 },
        { "-0.5e-3,", 7 }, { "01", 1 }, { "true", 4 },
        { "\"\\u00e4\\\"\"", 10 },
        { "[[[]],[{}]]", 11 },
    };
    size_t i, end;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_int_eq(vname_json_check(v23_bytes(good[i].text,
                                              strlen(good[i].text)),
                             &end, NULL),
            0);
        ck_assert_uint_eq(end, good[i].end);
    }
}
END_TEST

START_TEST(check_of_blanks_is_the_end)
{
    ck_assert_int_eq(vname_json_check(v23_bytes(NULL, 0), NULL, NULL),
        V23_EEOF);
    ck_assert_int_eq(vname_json_check(v23_bytes(" \n\t\r", 4), NULL, NULL),
        V23_EEOF);
}
END_TEST

START_TEST(check_bounds_nesting)
{
    char text[4000];
    struct v23_buf why;
    char mem[64];
    size_t i;

    memset(text, '[', sizeof(text));
    v23_buf_init_fixed(&why, mem, sizeof(mem));
    ck_assert_int_eq(vname_json_check(v23_bytes(text, sizeof(text)), NULL,
                         &why),
        V23_ETEXT);
    ck_assert_str_eq(v23_buf_cstr(&why), "exceeded max depth");

    for (i = 0; i < 1000; i++)
        text[1000 + i] = ']';
    ck_assert_int_eq(vname_json_check(v23_bytes(text, 2000), NULL, NULL), 0);
}
END_TEST

START_TEST(check_refuses_every_truncation)
{
    const char *text = "{\"a\\n\":[true,-1.5e7,{\"b\":\"\\u0041\"}],"
                       "\"c\":null}";
    size_t n;

    for (n = 1; n < strlen(text); n++)
        ck_assert_int_eq(vname_json_check(v23_bytes(text, n), NULL, NULL),
            V23_ETEXT);
    ck_assert_int_eq(vname_json_check(v23_bytes(text, n), NULL, NULL), 0);
}
END_TEST

/* "key=value;" of each member; a key "stop" ends the walk. */
static int collect(void *ud, struct vdl_str key, struct v23_bytes value)
{
    struct v23_buf *out = ud;

    v23_buf_put_str(out, key);
    v23_buf_put_byte(out, '=');
    v23_buf_put(out, value.p, value.n);
    v23_buf_put_byte(out, ';');
    return vdl_str_is(key, "stop") ? 77 : 0;
}

static const struct {
    const char *text;
    int rc;
    const char *members;
} objects[] = {
    { "{}", 0, "" },
    { " { } x", 0, "" },
    { "{\"a\":1}", 0, "a=1;" },
    { "{\"a\" : [1, {\"b\":2}] ,\n\"c\": {\"d\":\"}\"} } tail", 0,
        "a=[1, {\"b\":2}];c={\"d\":\"}\"};" },
    { "{\"a\\\"b\":\"\\\\\",\"\":null}", 0, "a\\\"b=\"\\\\\";=null;" },
    { "{\"a\":1,\"stop\":2,\"b\":3}", 77, "a=1;stop=2;" },
    { "[1]", V23_EARG, "" },
    { "7", V23_EARG, "" },
    { "[1", V23_ETEXT, "" },
    { " ", V23_EEOF, "" },
    { "{\"a\":1", V23_ETEXT, "a=1;" },
    { "{\"a\":1]", V23_ETEXT, "a=1;" },
    { "{\"a\":1,}", V23_ETEXT, "a=1;" },
    { "{\"a\":1 \"b\":2}", V23_ETEXT, "a=1;" },
    { "{\"a\":}", V23_ETEXT, "" },
    { "{\"a\":[}", V23_ETEXT, "" },
    { "{\"a", V23_ETEXT, "" },
    { "{,}", V23_ETEXT, "" },
};

START_TEST(members_are_walked_as_they_are_written)
{
    char mem[256];
    struct v23_buf out;

    v23_buf_init_fixed(&out, mem, sizeof(mem));

    ck_assert_int_eq(vname_json_members(v23_bytes(objects[_i].text,
                                            strlen(objects[_i].text)),
                         collect, &out),
        objects[_i].rc);

    ck_assert_str_eq(v23_buf_cstr(&out), objects[_i].members);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libnaming/json");
    TCase *tc = tcase_create("json");

    tcase_add_loop_test(tc, check_names_the_fault, 0,
        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tc, check_finds_the_end_of_a_value);
    tcase_add_test(tc, check_of_blanks_is_the_end);
    tcase_add_test(tc, check_bounds_nesting);
    tcase_add_test(tc, check_refuses_every_truncation);
    tcase_add_loop_test(tc, members_are_walked_as_they_are_written, 0,
        sizeof(objects) / sizeof(objects[0]));
    suite_add_tcase(s, tc);
    return tst_run(s);
}
