/* BSD-3-Clause; see LICENSE. */
/* Wire errors: construction, text, parameters. */
#include "codec_test.h"

#include <v23/vdl/v.io/v23/verror/verror.vdl.h>
#include <v23/verror.h>

static const struct v23_errctx ctx = { VDL_STR_INIT("hubd"),
    VDL_STR_INIT("get") };

static const struct vdl_type *const two_params[] = { &vdl_string_desc,
    &vdl_uint16_desc };

/* Text of an error with a string and a uint16 parameter. */
static const char *msg(const char *format, const char *s, uint16_t n)
{
    struct v23_errdef def = { VDL_STR_INIT("x.E"), V23_RETRY_REFETCH,
        { NULL, 0 }, 2, two_params };
    struct vdl_str str = vdl_str(s);
    const void *params[2];
    const struct v23_verror *e;

    def.format = vdl_str(format);
    params[0] = &str;
    params[1] = &n;
    e = v23_verror_make(&arena, &ctx, &def, params);
    return v23_arena_dup(&arena, e->msg.p, e->msg.n);
}

/* ---- text ---------------------------------------------------------------- */

START_TEST(parameters_are_filled_in)
{
    ck_assert_str_eq(msg("no sensor {3} at {4} Hz", "x1", 50),
        "hubd:get: no sensor x1 at 50 Hz");
    ck_assert_str_eq(msg("{4}{4}", "", 7), "hubd:get: 77");
    ck_assert_str_eq(msg("a{:3} {4:}b", "x", 1), "hubd:get: a: x 1:b");
    ck_assert_str_eq(msg("a{:3}{3:}b", "", 1), "hubd:get: ab");
    ck_assert_str_eq(msg("{:3:}", "x", 1), "hubd:get: : x:");
    ck_assert_str_eq(msg("{5}{:99}", "x", 1), "hubd:get: ?: ?");
    ck_assert_str_eq(msg("{1}-{2}", "x", 1), "hubd:get: hubd-get");
}
END_TEST

START_TEST(unused_parameters_are_gathered)
{
    ck_assert_str_eq(msg("all{:_}", "x", 1), "hubd:get: all: x 1");
    ck_assert_str_eq(msg("{3} then {_}", "x", 1), "hubd:get: x then 1");
    ck_assert_str_eq(msg("{3}{4}{:_}.", "x", 1), "hubd:get: x1.");
    ck_assert_str_eq(msg("{_:}", "x", 1), "hubd:get: x 1:");
    ck_assert_str_eq(msg("", "x", 1), "hubd:get: x.E: x 1");
}
END_TEST

START_TEST(other_braces_stay)
{
    ck_assert_str_eq(msg("{", "x", 1), "hubd:get: {");
    ck_assert_str_eq(msg("{3", "x", 1), "hubd:get: {3");
    ck_assert_str_eq(msg("{}{name}{0}{::3}", "x", 1),
        "hubd:get: {}{name}{0}{::3}");
    ck_assert_str_eq(msg("{{3}}", "x", 1), "hubd:get: {x}");
    ck_assert_str_eq(msg("{99999999999999999999}", "x", 1),
        "hubd:get: {99999999999999999999}");
}
END_TEST

START_TEST(the_prefix_leaves_out_what_is_empty)
{
    static const struct v23_errctx one = { VDL_STR_INIT("hubd"),
        { NULL, 0 } }, other = { { NULL, 0 }, VDL_STR_INIT("get") };
    struct vdl_str id = VDL_STR_INIT("x.E");

    ck_assert(vdl_str_is(v23_verror_text(&arena, &one, id, V23_NO_RETRY, "%s",
        "text")->msg, "hubd: text"));
    ck_assert(vdl_str_is(v23_verror_text(&arena, &other, id, V23_NO_RETRY,
        "text")->msg, "get: text"));
    ck_assert(vdl_str_is(v23_verror_text(&arena, NULL, id, V23_NO_RETRY,
        "text")->msg, "text"));
    ck_assert(vdl_str_is(v23_verror_text(&arena, &ctx, id, V23_NO_RETRY,
        "%s", "")->msg, "hubd:get: "));
}
END_TEST

START_TEST(long_texts_are_complete)
{
    static char word[5000];
    struct vdl_str id = VDL_STR_INIT("x.E");
    const char *s;

    memset(word, 'w', sizeof(word) - 1);
    s = msg("<{3}>", word, 1);
    ck_assert_uint_eq(strlen(s), 10 + 4999 + 2);
    ck_assert_int_eq(s[strlen(s) - 1], '>');
    ck_assert_uint_eq(v23_verror_text(&arena, &ctx, id, V23_NO_RETRY, "<%s>",
        word)->msg.n, 10 + 4999 + 2);
}
END_TEST

/* ---- content ------------------------------------------------------------- */

START_TEST(the_error_owns_its_content)
{
    char s[] = "x1", id[] = "x.E";
    uint16_t n = 50;
    struct vdl_str str = vdl_str(s);
    struct v23_errdef def = { { id, 3 }, V23_RETRY_BACKOFF,
        VDL_STR_INIT("{3}"), 2, two_params };
    const void *params[2] = { &str, &n };
    const struct v23_verror *e = v23_verror_make(&arena, &ctx, &def, params);

    memset(s, '?', 2);
    memset(id, '?', 3);
    n = 0;

    ck_assert_str_eq(text(&v23_verror_desc, e),
        "v.io/v23/vdl.WireError struct{Id string;RetryCode "
        "v.io/v23/vdl.WireRetryCode enum{NoRetry;RetryConnection;"
        "RetryRefetch;RetryBackoff};Msg string;ParamList []any}"
        "{Id: \"x.E\", RetryCode: RetryBackoff, Msg: \"hubd:get: x1\", "
        "ParamList: {\"hubd\", \"get\", \"x1\", uint16(50)}}");
    ck_assert(v23_verror_is(e, vdl_str("x.E")));
    ck_assert(!v23_verror_is(e, vdl_str("x.F")));
    ck_assert(!v23_verror_is(NULL, vdl_str("")));
}
END_TEST

START_TEST(errors_and_anys_are_parameters)
{
    static const struct vdl_type *const types_of[] = { &vdl_error_desc,
        &vdl_any_desc, &vdl_any_desc };
    static const struct v23_errdef def = { VDL_STR_INIT("x.E"), V23_NO_RETRY,
        VDL_STR_INIT("{3}; {4}; {5}"), 3, types_of };
    const struct v23_verror *cause = v23_verror_text(&arena, NULL,
        vdl_str("x.Cause"), V23_NO_RETRY, "because"), *e;
    struct vdl_any nil = { NULL, NULL }, list = { NULL, NULL };
    const void *params[3] = { &cause, &nil, &list };

    list.type = ty("[]int8");
    list.val = val(list.type, "{1, 2}");
    e = v23_verror_make(&arena, NULL, &def, params);

    ck_assert(vdl_str_is(e->msg, "because; nil; [1 2]"));
    ck_assert_ptr_eq(e->params.v[2].type, &vdl_error_desc);
    ck_assert_ptr_null(e->params.v[3].type);
    ck_assert(vdl_type_equal(e->params.v[4].type, list.type));
}
END_TEST

START_TEST(common_errors_read_well)
{
    const struct v23_verror *e = v23_verror_err_no_exist(&arena, &ctx);

    ck_assert(vdl_str_is(e->msg, "hubd:get: Does not exist"));
    ck_assert(vdl_str_is(e->id, "v.io/v23/verror.NoExist"));
    ck_assert_uint_eq(e->params.n, 2);
    ck_assert_int_eq(v23_verror_err_no_access(&arena, NULL)->retry,
        V23_RETRY_REFETCH);
}
END_TEST

START_TEST(without_memory_there_is_a_constant)
{
    struct v23_arena none;
    const struct v23_verror *e;
    char space[100];
    size_t size;

    for (size = 0; size <= sizeof(space); size += 4) {
        v23_arena_init_fixed(&none, space, size);
        e = v23_verror_text(&none, &ctx, vdl_str("x.E"), V23_NO_RETRY,
            "some text");
        ck_assert(v23_verror_is(e, vdl_str("v.io/v23/verror.Internal")));
        ck_assert(vdl_str_is(e->msg, "out of memory"));
        ck_assert_uint_eq(e->params.n, 2);
        ck_assert_str_ne(text(&v23_verror_desc, e), "");
        e = v23_verror_err_no_exist(&none, &ctx);
        ck_assert(v23_verror_is(e, vdl_str("v.io/v23/verror.Internal")));
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, parameters_are_filled_in);
    tcase_add_test(tc, unused_parameters_are_gathered);
    tcase_add_test(tc, other_braces_stay);
    tcase_add_test(tc, the_prefix_leaves_out_what_is_empty);
    tcase_add_test(tc, long_texts_are_complete);
    tcase_add_test(tc, the_error_owns_its_content);
    tcase_add_test(tc, errors_and_anys_are_parameters);
    tcase_add_test(tc, common_errors_read_well);
    tcase_add_test(tc, without_memory_there_is_a_constant);
}

int main(void)
{
    return run_suite("libvom/verror", fill);
}
