/* BSD-3-Clause; see LICENSE. */
/* Message catalogues: merging, looking up, texts in another language. */
#include "codec_test.h"

#include <v23/i18n.h>

#include <stdio.h>

static struct v23_i18n *cat;
static struct v23_buf out;

static void start(void)
{
    setup();
    ck_assert_int_eq(v23_i18n_new(&mem.al, &cat), 0);
    v23_buf_init(&out, &mem.al, SIZE_MAX);
}

static void stop(void)
{
    v23_i18n_free(cat);
    v23_buf_fini(&out);
    teardown();
}

/* Status of a merge; what it complains of is in `out`. */
static int merge(const char *text)
{
    v23_buf_cut(&out, 0);
    return v23_i18n_merge(cat, v23_bytes(text, strlen(text)), &out);
}

static const char *lookup(const char *language, const char *id)
{
    struct vdl_str f;

    if (!v23_i18n_lookup(cat, vdl_str(language), vdl_str(id), &f))
        return NULL;
    return v23_arena_dup(&arena, f.p, f.n);
}

static const char *printed(void)
{
    v23_buf_cut(&out, 0);
    v23_i18n_print(cat, &out);
    return v23_buf_cstr(&out);
}

START_TEST(a_merge_reads_lines)
{
    ck_assert_int_eq(merge("# comment\n"
                           "\n"
                           "de a.B \"{1:}{2:} nein {_}\"\n"
                           "  fr\ta.B   `non \\ `  and what follows\r\n"
                           "de a.C \"a\\n\\\"b\\\"\\u00e4\""),
        0);
    ck_assert_str_eq(v23_buf_cstr(&out), "");
    ck_assert_str_eq(lookup("de", "a.B"), "{1:}{2:} nein {_}");
    ck_assert_str_eq(lookup("fr", "a.B"), "non \\ ");
    ck_assert_str_eq(lookup("de", "a.C"), "a\n\"b\"\xc3\xa4");
    ck_assert_ptr_null(lookup("fr", "a.C"));
    ck_assert_ptr_null(lookup("en", "a.B"));
    ck_assert_ptr_null(lookup("", "a.B"));
    ck_assert_ptr_null(lookup("de", ""));
}
END_TEST

START_TEST(bad_lines_are_named_and_the_others_count)
{
    ck_assert_int_eq(merge("de a.A \"x\"\n"
                           "de\n"
                           "de a.B\n"
                           "de a.C x\n"
                           "de a.D \"no end\n"
                           "de a.E \"no end\\\"\n"
                           "de a.F \"\\q\"\n"
                           "de a.G \"y\"\n"),
        V23_ETEXT);
    ck_assert_str_eq(v23_buf_cstr(&out), "line 2: no message id\n"
                                         "line 3: no format in quotes\n"
                                         "line 4: no format in quotes\n"
                                         "line 5: no format in quotes\n"
                                         "line 6: no format in quotes\n"
                                         "line 7: bad escape in the format\n");
    ck_assert_str_eq(printed(), "de a.A \"x\"\nde a.G \"y\"\n");
}
END_TEST

START_TEST(complaints_are_bounded)
{
    struct v23_buf text;
    size_t i;

    v23_buf_init(&text, &mem.al, SIZE_MAX);
    for (i = 0; i < 10000; i++)
        v23_buf_puts(&text, "x\n");
    ck_assert_int_eq(
        v23_i18n_merge(cat, v23_bytes(text.p, text.n), &out), V23_ETEXT);
    v23_buf_fini(&text);

    ck_assert_uint_ge(out.n, V23_I18N_WHY);
    ck_assert_uint_lt(out.n, V23_I18N_WHY + 100);
}
END_TEST

START_TEST(the_last_message_of_an_id_counts)
{
    ck_assert_int_eq(merge("de a \"1\"\nde b \"2\"\nde a \"3\"\n"), 0);
    ck_assert_str_eq(printed(), "de a \"3\"\nde b \"2\"\n");
    ck_assert_int_eq(merge("de b \"4\"\n"), 0);
    ck_assert_str_eq(printed(), "de a \"3\"\nde b \"4\"\n");
}
END_TEST

START_TEST(relatives_of_a_language_help_out)
{
    ck_assert_int_eq(merge("de a \"de\"\n"
                           "de-AT a \"at\"\n"
                           "de-CH b \"ch\"\n"
                           "de-AT c \"at c\"\n"
                           "de-CH c \"ch c\"\n"
                           "dex b \"no\"\n"),
        0);
    ck_assert_str_eq(lookup("de-AT", "a"), "at");
    ck_assert_str_eq(lookup("de-CH", "a"), "de");
    ck_assert_str_eq(lookup("de", "b"), "ch");
    ck_assert_str_eq(lookup("de-DE", "c"), "at c");
    ck_assert_ptr_null(lookup("d", "a"));
    ck_assert_ptr_null(lookup("-", "a"));
}
END_TEST

START_TEST(an_error_is_told_in_a_language)
{
    static const struct v23_errctx ctx = { VDL_STR_INIT("hubd"),
        VDL_STR_INIT("get") };
    static const struct vdl_type *const params[] = { &vdl_string_desc };
    const struct v23_errdef def = { VDL_STR_INIT("x.E"), V23_NO_RETRY,
        VDL_STR_INIT("no sensor {3}"), 1, params };
    const struct vdl_str name = VDL_STR_INIT("s1");
    const void *values[] = { &name };
    const struct v23_verror *e = v23_verror_make(&arena, &ctx, &def, values);

    ck_assert_int_eq(merge("de x.E \"{1:}{2:} kein Sensor {3}\"\n"), 0);
    v23_i18n_error(cat, vdl_str("de-DE"), e, &out);
    v23_buf_puts(&out, "|");
    v23_i18n_error(cat, vdl_str("fr"), e, &out);
    v23_buf_puts(&out, "|");
    v23_i18n_error(NULL, vdl_str("de"), e, &out);

    ck_assert_str_eq(v23_buf_cstr(&out),
        "hubd:get: kein Sensor s1|hubd:get: no sensor s1|"
        "hubd:get: no sensor s1");
}
END_TEST

START_TEST(the_language_comes_from_the_environment)
{
    static const char *const cases[][2] = { { "de_AT.UTF-8", "de-AT" },
        { "fr", "fr" }, { "sr_RS@latin", "sr-RS" }, { "C", "" },
        { "C.UTF-8", "" }, { "POSIX", "" }, { "", "" }, { NULL, "" },
        { "aaaaaaaaaabbbbbbbbbbccccccccccddddd",
            "aaaaaaaaaabbbbbbbbbbccccccccccd" } };
    char text[32];
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vdl_str s = v23_i18n_language(cases[i][0], text);

        ck_assert_str_eq(text, cases[i][1]);
        ck_assert_uint_eq(s.n, strlen(text));
    }
}
END_TEST

START_TEST(there_is_a_limit_to_messages)
{
    char line[64];
    int i, rc = 0;

    for (i = 0; i < 17 && rc == 0; i++) {
        struct v23_buf text;
        int k;

        v23_buf_init(&text, NULL, SIZE_MAX);
        for (k = 0; k < 4096; k++) {
            snprintf(line, sizeof(line), "de m%d.%d \"\"\n", i, k);
            v23_buf_puts(&text, line);
        }
        rc = v23_i18n_merge(cat, v23_bytes(text.p, text.n), NULL);
        v23_buf_fini(&text);
    }
    ck_assert_int_eq(rc, V23_ELIMIT);
    ck_assert_int_eq(i, 17);
    ck_assert_str_eq(lookup("de", "m15.4095"), "");
}
END_TEST

START_TEST(there_is_a_limit_to_bytes)
{
    size_t n = V23_I18N_MAX_BYTES / 2;
    char *big = malloc(n + 16);
    int rc = 0, i;

    memset(big, 'x', n + 16);
    memcpy(big, "de a \"", 6);
    big[n] = '"';
    for (i = 0; i < 3 && rc == 0; i++)
        rc = v23_i18n_merge(cat, v23_bytes(big, n + 1), NULL);
    free(big);
    ck_assert_int_eq(rc, V23_ELIMIT);
}
END_TEST

static int merge_all(const struct v23_alloc *al, void *ud)
{
    static const char text[] = "de a \"x\"\nfr b \"y\"\nde a \"z\"\nno\n";
    struct v23_i18n *c;
    int rc = v23_i18n_new(al, &c);

    (void)ud;
    if (rc != 0)
        return rc;
    rc = v23_i18n_merge(c, v23_bytes(text, sizeof(text) - 1), NULL);
    v23_i18n_free(c);
    return rc == V23_ETEXT ? 0 : rc;
}

START_TEST(memory_may_run_out)
{
    tst_out_of_memory(merge_all, NULL);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, a_merge_reads_lines);
    tcase_add_test(tc, bad_lines_are_named_and_the_others_count);
    tcase_add_test(tc, complaints_are_bounded);
    tcase_add_test(tc, the_last_message_of_an_id_counts);
    tcase_add_test(tc, relatives_of_a_language_help_out);
    tcase_add_test(tc, an_error_is_told_in_a_language);
    tcase_add_test(tc, the_language_comes_from_the_environment);
    tcase_add_test(tc, there_is_a_limit_to_messages);
    tcase_add_test(tc, there_is_a_limit_to_bytes);
    tcase_add_test(tc, memory_may_run_out);
}

int main(void)
{
    return tst_run_case("libvom/i18n", fill, start, stop);
}
