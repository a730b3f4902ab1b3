/* BSD-3-Clause; see LICENSE. */
/* Extensions and patterns. */
#include "people.h"

#include <vsec/pattern.h>

static const struct {
    const char *ext;
    bool valid;
} extensions[] = {
    { "", false }, { "a", true }, { "a:b", true }, { ":a", false },
    { "a:", false }, { ":", false }, { "a::b", false }, { "$", false },
    { "a$", true }, { "a:$", true }, { "$$", true }, { "a...b", false },
    { "...", false }, { "..", true }, { "a,b", false }, { "a@b", true },
    { "a@@b", false }, { "(", false }, { ")", false }, { "<x", false },
    { "x>", false }, { "a/b", false }, { "a b", true }, { "\xff\x01", true },
};

START_TEST(extension_rules_are_kept)
{
    const char *why = vsec_extension_fault(vdl_str(extensions[_i].ext));

    ck_assert_msg((why == NULL) == extensions[_i].valid, "\"%s\": %s",
        extensions[_i].ext, why == NULL ? "accepted" : why);
}
END_TEST

START_TEST(extension_may_hold_nul)
{
    ck_assert_ptr_null(vsec_extension_fault(vdl_strn("a\0b", 3)));
    ck_assert_ptr_nonnull(vsec_extension_fault(vdl_strn("a\0/", 3)));
}
END_TEST

static const struct {
    const char *pattern;
    bool valid;
} patterns[] = {
    { "", false }, { "...", true }, { "$", true }, { "a", true },
    { "a:$", true }, { "a:b:$", true }, { ":$", true }, { "a:$:b", false },
    { "a:...", false }, { "...:a", false }, { "a::b", false }, { ":a", false },
    { "a:", false }, { "a/b", false }, { "a$", true }, { "$$", true },
    { "a:$:$", false }, { ":", false }, { "::$", false },
};

START_TEST(pattern_validity)
{
    ck_assert_msg(vsec_pattern_valid(vdl_str(patterns[_i].pattern))
            == patterns[_i].valid, "%s", patterns[_i].pattern);
}
END_TEST

START_TEST(prefixes_match_at_components_only)
{
    ck_assert(vsec_pattern_matches(vdl_str("a:b"), vdl_str("a:b")));
    ck_assert(vsec_pattern_matches(vdl_str("a:b"), vdl_str("a:b:c")));
    ck_assert(!vsec_pattern_matches(vdl_str("a:b"), vdl_str("a:bc")));
    ck_assert(!vsec_pattern_matches(vdl_str("a:b"), vdl_str("a")));
    ck_assert(vsec_pattern_matches(vdl_str("a:b:$"), vdl_str("a:b")));
    ck_assert(!vsec_pattern_matches(vdl_str("a:b:$"), vdl_str("a:b:c")));
}
END_TEST

START_TEST(everybody_and_nobody)
{
    const vdl_str_list none = { NULL, 0 };

    ck_assert(vsec_pattern_matched(vdl_str("..."), none));
    ck_assert(vsec_pattern_matches(vdl_str("..."), vdl_str("x")));
    ck_assert(!vsec_pattern_matched(vdl_str("$"), none));
    ck_assert(!vsec_pattern_matches(vdl_str("$"), vdl_str("")));
    ck_assert(!vsec_pattern_matches(vdl_str(":$"), vdl_str("")));
    ck_assert(!vsec_pattern_matches(vdl_str(""), vdl_str("")));
    ck_assert(!vsec_pattern_matched(vdl_str("a"), none));
    ck_assert(vsec_pattern_matched(vdl_str("b"), strs("a", "b:c", NULL)));
}
END_TEST

START_TEST(non_extendable_is_idempotent)
{
    static const struct {
        const char *in, *out;
    } forms[] = { { "", "$" }, { "$", "$" }, { "a", "a:$" },
        { "a:$", "a:$" }, { "...", "...:$" } };
    struct vdl_str s;
    size_t i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        ck_assert_int_eq(vsec_pattern_non_extendable(vdl_str(forms[i].in),
            &arena, &s), 0);
        text_is(s, forms[i].out);
    }
}
END_TEST

START_TEST(prefix_patterns)
{
    vdl_str_list l;

    ck_assert_int_eq(vsec_pattern_prefixes(vdl_str("a:b:c"), &arena, &l), 0);
    ck_assert_uint_eq(l.n, 3);
    text_is(l.v[0], "a:$");
    text_is(l.v[1], "a:b:$");
    text_is(l.v[2], "a:b:c");

    ck_assert_int_eq(vsec_pattern_prefixes(vdl_str("a:b:$"), &arena, &l), 0);
    ck_assert_uint_eq(l.n, 2);
    text_is(l.v[0], "a:$");
    text_is(l.v[1], "a:b:$");

    ck_assert_int_eq(vsec_pattern_prefixes(vdl_str("$"), &arena, &l), 0);
    ck_assert_uint_eq(l.n, 1);
    text_is(l.v[0], "$");
}
END_TEST

START_TEST(building_reports_lack_of_memory)
{
    struct v23_arena tiny;
    vdl_str_list l = { NULL, 7 };
    struct vdl_str s = vdl_str("kept");
    uint8_t room[2];

    v23_arena_init_fixed(&tiny, room, sizeof(room));
    ck_assert_int_eq(vsec_pattern_non_extendable(vdl_str("abc"), &tiny, &s),
        V23_ENOMEM);
    text_is(s, "kept");
    ck_assert_int_eq(vsec_pattern_prefixes(vdl_str("a:b"), &tiny, &l),
        V23_ENOMEM);
    ck_assert_uint_eq(l.n, 7);
    v23_arena_fini(&tiny);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, extension_rules_are_kept, 0,
        sizeof(extensions) / sizeof(extensions[0]));
    tcase_add_test(t, extension_may_hold_nul);
    tcase_add_loop_test(t, pattern_validity, 0,
        sizeof(patterns) / sizeof(patterns[0]));
    tcase_add_test(t, prefixes_match_at_components_only);
    tcase_add_test(t, everybody_and_nobody);
    tcase_add_test(t, non_extendable_is_idempotent);
    tcase_add_test(t, prefix_patterns);
    tcase_add_test(t, building_reports_lack_of_memory);
}

int main(void)
{
    return tst_run_case("security/pattern", add, people_setup, people_teardown);
}
