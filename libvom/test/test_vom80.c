/* BSD-3-Clause; see LICENSE. */
/* Streams of version 0x80; test/vectors/vom/vom80_pass.jsonl has more. */
#include <vom/vom80.h>

#include "codec_test.h"

static const struct vom_options with_v80 = {
    .limits = VOM_LIMITS_HOST, .v80 = &vom_v80, .converter = &vom_converter};

/* Decode dynamically; the text of the value, or of the error. */
static const char *dec80(const char *stream)
{
    struct v23_bytes b = hex(stream);
    struct vdl_any v = {NULL, NULL};
    int rc = vom_decode_single(b.p, b.n, &with_v80, &arena, NULL, &v, NULL);

    return rc != 0 ? v23_strerror(rc) : any_text(v);
}

static int error80(const char *stream)
{
    struct v23_bytes b = hex(stream);
    size_t used = arena.used;
    struct vdl_any v;
    int rc = vom_decode_single(b.p, b.n, &with_v80, &arena, NULL, &v, NULL);

    if (rc != 0)
        ck_assert_uint_eq(arena.used, used);
    return rc;
}

START_TEST(both_versions_are_read_with_the_option)
{
    ck_assert_str_eq(dec80("80 02 01"), "true");
    ck_assert_str_eq(dec80("81 02 01"), "true");
    ck_assert_int_eq(dec_error("80 02 01"), V23_EVERSION);
    ck_assert_int_eq(error80("82 02 01"), V23_EVERSION);
}
END_TEST

START_TEST(byte_alone_is_raw)
{
    ck_assert_str_eq(dec80("80 04 C8"), "byte(200)");
    ck_assert_str_eq(dec80("80 04 E0"), "byte(224)");
    /* x.S struct{A byte;B []byte;C [2]byte} */
    ck_assert_str_eq(dec80("80 53 06 02 01 02 02 02 E1"
                           "51 1B 06 00 03 782E53 01 03 00 01 41 01 02 E1"
                           "00 01 42 01 27 E1 00 01 43 01 2A E1 E1"
                           "52 0A 00 FF 01 01 FE 02 00 FD FC E1"),
        "x.S struct{A byte;B []byte;C [2]byte}{A: 255, B: \"\\xfe\", "
        "C: \"\\xfd\\xfc\"}");
}
END_TEST

START_TEST(bytes_of_maps_and_sets_are_raw)
{
    ck_assert_str_eq(
        dec80("80 51 04 04 01 02 E1 52 03 02 80 FF"), "set[byte]{128, 255}");
    ck_assert_str_eq(dec80("80 51 06 05 01 02 02 02 E1 52 03 01 80 FF"),
        "map[byte]byte{128: 255}");
}
END_TEST

START_TEST(complex_is_two_floats)
{
    ck_assert_str_eq(dec80("80 18 02 00 00"),
        "math.Complex64 struct{Real float32;Imag float32}{Real: 0, Imag: 0}");
    ck_assert_str_eq(dec80("80 1A 06 FE F0 3F FE F8 3F"),
        "math.Complex128 struct{Real float64;Imag float64}"
        "{Real: 1, Imag: 1.5}");
    /* []complex64 */
    ck_assert_str_eq(dec80("80 51 04 03 01 0C E1 52 08 02 00 00 FE F0 3F 00"
                           ""),
        v23_strerror(V23_EEOF));
    ck_assert_str_eq(dec80("80 51 04 03 01 0C E1 52 07 02 00 00 FE F0 3F 00"),
        "[]math.Complex64 struct{Real float32;Imag float32}"
        "{{Real: 0, Imag: 0}, {Real: 1, Imag: 0}}");
}
END_TEST

START_TEST(named_complex_is_two_floats_too)
{
    const struct vdl_type *own = ty("x.C struct{Real float64;Imag float64}");
    struct vom_options opt = with_v80;
    struct v23_bytes b = hex("80 51 09 00 00 03 782E43 01 0D E1"
                             "52 04 00 FE F0 3F");
    struct vdl_any v;

    ck_assert_str_eq(dec80("80 51 09 00 00 03 782E43 01 0D E1"
                           "52 04 00 FE F0 3F"),
        "x.C struct{Real float64;Imag float64}{Real: 0, Imag: 1}");
    /* Also when the program knows a struct of that name. */
    opt.known.types = &own;
    opt.known.n = 1;
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, &opt, &arena, NULL, &v, NULL), 0);
    ck_assert_str_eq(
        any_text(v), "x.C struct{Real float64;Imag float64}{Real: 0, Imag: 1}");
}
END_TEST

START_TEST(types_are_built_when_used)
{
    /* x.N struct{K []x.N}: the list comes first, without a mark. */
    ck_assert_str_eq(dec80("80 53 04 03 01 29 E1"
                           "51 0F 06 00 03 782E4E 01 01 00 01 4B 01 2A E1 E1"
                           "52 05 00 02 E1 E1 E1"),
        "x.N struct{K []x.N}{K: {{K: {}}, {K: {}}}}");
    ck_assert_int_eq(error80("80 51 04 03 01 2A E1 52 01 00"), V23_EID);
    ck_assert_int_eq(error80("80 E2 51 04 03 01 08 E1 52 01 00"), V23_ECONTROL);
}
END_TEST

START_TEST(any_has_its_type_in_front)
{
    /* []any */
    ck_assert_str_eq(dec80("80 51 04 03 01 0F E1"
                           "52 10 05 E0 02 C8 0E 29 0C FE F0 3F 00 29 01 03 01"
                           "78"),
        "[]any{nil, byte(200), typeobject([]any), "
        "math.Complex64 struct{Real float32;Imag float32}{Real: 1, Imag: 0}, "
        "[]any{\"x\"}}");
}
END_TEST

START_TEST(values_convert_like_newer_ones)
{
    struct v23_bytes b = hex("80 04 C8");
    int64_t out = 0;

    ck_assert_int_eq(vom_decode_single(b.p, b.n, &with_v80, &arena,
                         &vdl_int64_desc, &out, NULL),
        0);
    ck_assert_int_eq(out, 200);
    ck_assert_int_eq(vom_decode_single(b.p, b.n, &with_v80, &arena,
                         &vdl_string_desc, &out, NULL),
        V23_ECOMPAT);
}
END_TEST

START_TEST(bad_streams_are_errors)
{
    ck_assert_int_eq(error80("80 20 00"), V23_EID); /* no int8 then */
    ck_assert_int_eq(error80("80 51 04 03 01 10 E1 52 01 00"), V23_EID);
    ck_assert_int_eq(error80("80 1C 2A"), V23_EID);
    ck_assert_int_eq(error80("80 1C E0"), V23_ECONTROL);
    ck_assert_int_eq(error80("80 18 03 00 00 00"), V23_ELENGTH);
    ck_assert_int_eq(error80("80 18 01 00"), V23_EEOF);
    ck_assert_int_eq(error80("80 51 04 03 01 0F E1 52 02 01 10"), V23_EID);
    ck_assert_int_eq(error80("80 51 04 03 01 0F E1 52 02 7F E0"), V23_ELENGTH);
}
END_TEST

START_TEST(every_truncation_is_an_end_of_input)
{
    struct v23_bytes b = hex("80 51 04 03 01 0F E1"
                             "52 10 05 E0 02 C8 0E 29 0C FE F0 3F 00 29 01 03"
                             "01 78");
    struct vdl_any v;
    size_t n;

    for (n = 0; n < b.n; n++)
        ck_assert_int_eq(
            vom_decode_single(b.p, n, &with_v80, &arena, NULL, &v, NULL),
            V23_EEOF);
}
END_TEST

static int decode_all(const struct v23_alloc *al, void *ud)
{
    struct v23_bytes *b = ud;
    struct v23_arena a;
    struct vdl_any v;
    int rc;

    v23_arena_init(&a, al, SIZE_MAX);
    rc = vom_decode_single(b->p, b->n, &with_v80, &a, NULL, &v, NULL);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(missing_memory_is_reported)
{
    struct v23_bytes b = hex("80 51 04 03 01 0F E1"
                             "52 10 05 E0 02 C8 0E 29 0C FE F0 3F 00 29 01 03"
                             "01 78");

    tst_out_of_memory(decode_all, &b);
}
END_TEST

/* ---- separate type stream ------------------------------------------------ */

struct split {
    struct vom_typedec *td;
    struct vom_dec d;
    struct vom_msg m;
};

static int split_value(struct split *s, struct v23_bytes b, struct vdl_any *v)
{
    size_t used;
    int rc = vom_dec_next(&s->d, b.p, b.n, &used, &s->m);

    return rc == 0 ? vom_dec_value(&s->d, &s->m, &arena, NULL, v) : rc;
}

START_TEST(value_waits_for_the_type_in_an_any)
{
    struct v23_bytes first = hex("80 51 04 03 01 0F E1");
    struct v23_bytes second = hex("53 04 03 01 01 E1");
    struct split s;
    struct vdl_any v;
    size_t used;

    ck_assert_int_eq(vom_typedec_new(&mem.al, &with_v80, &s.td), 0);
    vom_dec_init(&s.d, NULL, s.td, true);
    ck_assert_int_eq(vom_typedec_input(s.td, first.p, first.n, &used), 0);
    ck_assert_int_eq(
        split_value(&s, hex("80 52 04 01 2A 01 01"), &v), V23_EAGAIN);
    ck_assert(s.d.waits_type);
    ck_assert_int_eq(vom_typedec_input(s.td, second.p, second.n, &used), 0);
    ck_assert_int_eq(vom_dec_value(&s.d, &s.m, &arena, NULL, &v), 0);
    ck_assert_str_eq(any_text(v), "[]any{[]bool{true}}");
    vom_dec_fini(&s.d);
    vom_typedec_unref(s.td);
}
END_TEST

START_TEST(streams_of_one_connection_have_one_version)
{
    struct v23_bytes types = hex("80 51 04 03 01 0F E1");
    struct split s;
    struct vdl_any v;
    size_t used;

    ck_assert_int_eq(vom_typedec_new(&mem.al, &with_v80, &s.td), 0);
    vom_dec_init(&s.d, NULL, s.td, true);
    ck_assert_int_eq(vom_typedec_input(s.td, types.p, types.n, &used), 0);
    ck_assert_int_eq(split_value(&s, hex("81 02 01"), &v), V23_EVERSION);
    vom_dec_fini(&s.d);
    vom_typedec_unref(s.td);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, both_versions_are_read_with_the_option);
    tcase_add_test(tc, byte_alone_is_raw);
    tcase_add_test(tc, bytes_of_maps_and_sets_are_raw);
    tcase_add_test(tc, complex_is_two_floats);
    tcase_add_test(tc, named_complex_is_two_floats_too);
    tcase_add_test(tc, types_are_built_when_used);
    tcase_add_test(tc, any_has_its_type_in_front);
    tcase_add_test(tc, values_convert_like_newer_ones);
    tcase_add_test(tc, bad_streams_are_errors);
    tcase_add_test(tc, every_truncation_is_an_end_of_input);
    tcase_add_test(tc, missing_memory_is_reported);
    tcase_add_test(tc, value_waits_for_the_type_in_an_any);
    tcase_add_test(tc, streams_of_one_connection_have_one_version);
}

int main(void)
{
    return run_suite("libvom/vom80", fill);
}
