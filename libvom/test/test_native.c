/* BSD-3-Clause; see LICENSE. */
/* The standard types on the wire (spec/vom.md 15.1, 15.2). */
#include <v23/vdl/math/math.vdl.h>
#include <v23/verror.h>
#include <vom/time.h>

#include "codec_test.h"

/* ---- package time -------------------------------------------------------- */

#define TIME                                                                   \
    "51 25 06 00 09 74696D652E54696D65 01 02 00 07 5365636F6E6473 01 09 E1 "   \
    "00 05 4E616E6F73 01 08 E1 E1"
#define DURATION                                                               \
    "51 29 06 00 0D 74696D652E4475726174696F6E 01 02 "                         \
    "00 07 5365636F6E6473 01 09 E1 00 05 4E616E6F73 01 08 E1 E1"

START_TEST(instant_is_seconds_since_year_one)
{
    /* 2024-10-08T00:00:00.000000005Z */
    struct v23_walltime wall = {1728345600, 5};
    v23_time_time t = v23_time_from_wall(wall);

    ck_assert_int_eq(t.seconds, 63863942400);
    ck_assert_str_eq(enc(&v23_time_time_desc, &t),
        flat("81" TIME "52 0A 00 FB 1D BD 2C DA 00 01 0A E1"));
}
END_TEST

START_TEST(duration_has_one_sign)
{
    v23_time_duration d = v23_duration_from_ns(-2500000000);

    ck_assert_str_eq(enc(&v23_time_duration_desc, &d),
        flat("81" DURATION "52 09 00 03 01 FC 3B 9A C9 FF E1"));
}
END_TEST

START_TEST(unset_time_is_an_empty_struct)
{
    v23_time_time t = {0, 0};

    ck_assert_str_eq(enc(&v23_time_time_desc, &t), flat("81" TIME "52 01 E1"));
}
END_TEST

/* They are structurally alike, so they convert into each other. */
START_TEST(time_and_duration_are_compatible)
{
    struct v23_bytes b = hex("81" DURATION "52 03 00 06 E1");
    v23_time_time t;

    ck_assert_int_eq(vom_decode_single(
                         b.p, b.n, NULL, &arena, &v23_time_time_desc, &t, NULL),
        0);
    ck_assert_int_eq(t.seconds, 3);
}
END_TEST

START_TEST(deadline_of_old_peers_is_understood)
{
    const struct vdl_type *old =
        ty("time.WireDeadline struct{FromNow time.Duration "
           "struct{Seconds int64;Nanos int32};NoDeadline bool}");
    const char *stream =
        enc(old, val(old, "{FromNow: {Seconds: 2}, NoDeadline: true}"));
    struct v23_bytes b = hex(stream);
    v23_time_wire_deadline d;

    ck_assert_int_eq(vom_decode_single(b.p, b.n, NULL, &arena,
                         &v23_time_wire_deadline_desc, &d, NULL),
        0);
    ck_assert_int_eq(v23_deadline_from_wire(d, 7), 2000000007);
}
END_TEST

/* ---- complex numbers ----------------------------------------------------- */

START_TEST(complex_is_a_struct)
{
    v23_math_complex64 c = {1, -1};

    ck_assert_str_eq(dec(enc(&v23_math_complex64_desc, &c)),
        "math.Complex64 struct{Real float32;Imag float32}{Real: 1, Imag: -1}");
}
END_TEST

/* ---- errors -------------------------------------------------------------- */

static const char *error_text(const struct v23_verror *e)
{
    return text(&vdl_error_desc, &e);
}

START_TEST(error_is_the_worked_example)
{
    struct vdl_str prog = VDL_STR_INIT("prog"), op = VDL_STR_INIT("op");
    int32_t seven = 7;
    struct vdl_any params[] = {{&vdl_string_desc, &prog},
        {&vdl_string_desc, &op}, {&vdl_int32_desc, &seven}};
    struct v23_verror e;
    const struct v23_verror *p = &e;
    struct v23_bytes b;

    memset(&e, 0, sizeof(e));
    e.id = vdl_str("v.io/v23/verror.NoExist");
    e.retry = 2;
    e.msg = vdl_str("gone");
    e.params.v = params;
    e.params.n = 3;
    b = hex(enc(&vdl_error_desc, &p));
    ck_assert_uint_gt(b.n, 60);
    ck_assert_str_eq(unhex(b.p + b.n - 60, 60),
        flat("52 02 03 08 03 05 03 01 33"
             "00 17 762E696F2F7632332F766572726F722E4E6F4578697374"
             "01 02 02 04 676F6E65 03 03 00 00 04 70726F67"
             "00 01 02 6F70 01 02 0E E1"));
    /* Type messages in the order 43, 44, 42, 41. */
    ck_assert_uint_eq(b.p[1], 0x55);
}
END_TEST

START_TEST(nil_is_no_error)
{
    const struct v23_verror *e = NULL;
    struct v23_bytes b = hex(enc(&vdl_error_desc, &e));

    ck_assert_uint_eq(b.p[b.n - 1], 0xE0);
    e = (const struct v23_verror *)&b;
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, &vdl_error_desc, &e, NULL),
        0);
    ck_assert_ptr_null(e);
}
END_TEST

START_TEST(error_of_old_peers_is_compatible)
{
    const struct vdl_type *old =
        ty("?error struct{Id string;RetryCode enum{NoRetry;RetryConnection;"
           "RetryRefetch;RetryBackoff};Msg string;ParamList []any}");
    struct v23_bytes b = hex(
        enc(old, val(old, "{Id: \"x.Y\", RetryCode: RetryBackoff, Msg: \"m\", "
                          "ParamList: {\"a\", int32(1)}}")));
    const struct v23_verror *e = NULL;

    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, &vdl_error_desc, &e, NULL),
        0);
    ck_assert(vdl_str_is(e->id, "x.Y"));
    ck_assert_ptr_nonnull(strstr(error_text(e),
        "({Id: \"x.Y\", RetryCode: RetryBackoff, Msg: \"m\", "
        "ParamList: {\"a\", int32(1)}})"));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, instant_is_seconds_since_year_one);
    tcase_add_test(tc, duration_has_one_sign);
    tcase_add_test(tc, unset_time_is_an_empty_struct);
    tcase_add_test(tc, time_and_duration_are_compatible);
    tcase_add_test(tc, deadline_of_old_peers_is_understood);
    tcase_add_test(tc, complex_is_a_struct);
    tcase_add_test(tc, error_is_the_worked_example);
    tcase_add_test(tc, nil_is_no_error);
    tcase_add_test(tc, error_of_old_peers_is_compatible);
}

int main(void)
{
    return run_suite("libvom/native", fill);
}
