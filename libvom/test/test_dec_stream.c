/* BSD-3-Clause; see LICENSE. */
/* Decoder: windows of a stream, single and split; what outlives a message. */
#include "codec_test.h"

struct in {
    struct vom_typedec *td;
    struct vom_dec d;
};

static void in_init(struct in *in, const struct vom_options *opt, bool split)
{
    ck_assert_int_eq(vom_typedec_new(&mem.al, opt, &in->td), 0);
    vom_dec_init(&in->d, &mem.al, in->td, split);
}

static void in_fini(struct in *in)
{
    vom_dec_fini(&in->d);
    vom_typedec_unref(in->td);
}

static int types_in(struct in *in, const char *text, size_t *used)
{
    struct v23_bytes b = hex(text);

    return vom_typedec_input(in->td, b.p, b.n, used);
}

/* Next message and its value as text, or the error's text. */
static const char *next_value(struct in *in, struct v23_bytes b, size_t *used)
{
    struct vdl_any v = { NULL, NULL };
    struct vom_msg m;
    int rc = vom_dec_next(&in->d, b.p, b.n, used, &m);

    if (rc == 0)
        rc = vom_dec_value(&in->d, &m, &arena, NULL, &v);
    return rc == 0 ? any_text(v) : v23_strerror(rc);
}

static const char *again;

START_TEST(single_stream_byte_by_byte)
{
    static const char stream[] =
        "81 1008 530a00000465782e4b0103e1 510403012ae1 5203010171 540172"
        "0603616263 4e020102 1e000001e0";
    static const char *const want[] = { "int32(4)",
        "[]ex.K string{\"q\"}", "ex.K string(\"r\")", "\"abc\"",
        "[]byte(\"\\x01\\x02\")", "any(nil)" };
    struct v23_bytes b = hex(stream);
    size_t n, at = 0, used, got = 0;
    const char *s;
    struct in in;

    again = v23_strerror(V23_EAGAIN);
    in_init(&in, NULL, false);
    for (n = 0; n <= b.n; n++) {
        s = next_value(&in, v23_bytes(b.p + at, n - at), &used);
        at += used;
        if (strcmp(s, again) == 0) {
            ck_assert(!in.d.waits_type);
            continue;
        }
        ck_assert_uint_lt(got, 6);
        ck_assert_str_eq(s, want[got++]);
    }
    ck_assert_uint_eq(got, 6);
    ck_assert_uint_eq(at, b.n);
    ck_assert_uint_eq(vom_typedec_count(in.td), 2);
    in_fini(&in);
}
END_TEST

START_TEST(need_tells_the_least_window)
{
    struct v23_bytes b = hex("81 4e 05 0102030405");
    struct vom_msg m;
    struct in in;
    size_t used;

    in_init(&in, NULL, false);
    ck_assert_int_eq(vom_dec_next(&in.d, b.p, 1, &used, &m), V23_EAGAIN);
    ck_assert_uint_eq(used, 1);
    ck_assert_int_eq(vom_dec_next(&in.d, b.p + 1, 2, &used, &m), V23_EAGAIN);
    ck_assert_uint_eq(used, 0);
    ck_assert_uint_eq(in.d.need, 7);
    ck_assert_int_eq(vom_dec_next(&in.d, b.p + 1, 6, &used, &m), V23_EAGAIN);
    ck_assert_int_eq(vom_dec_next(&in.d, b.p + 1, 7, &used, &m), 0);
    ck_assert_uint_eq(used, 7);
    ck_assert_uint_eq(m.body.n, 6);
    in_fini(&in);
}
END_TEST

START_TEST(value_waits_for_its_type)
{
    struct v23_bytes b = hex("81 5203010171 540172");
    struct vom_msg m;
    struct in in;
    size_t used, n;

    in_init(&in, NULL, true);
    ck_assert_int_eq(vom_dec_next(&in.d, b.p, b.n, &used, &m), V23_EAGAIN);
    ck_assert(in.d.waits_type);
    ck_assert_uint_eq(used, 1);
    b = v23_bytes(b.p + 1, b.n - 1);
    ck_assert_int_eq(types_in(&in, "81 530a00000465782e4b0103e1", &n), 0);
    ck_assert_int_eq(vom_dec_next(&in.d, b.p, b.n, &used, &m), V23_EAGAIN);
    ck_assert(in.d.waits_type);
    ck_assert_int_eq(types_in(&in, "510403012ae1", &n), 0);
    ck_assert_str_eq(next_value(&in, b, &used), "[]ex.K string{\"q\"}");
    ck_assert(!in.d.waits_type);
    b = v23_bytes(b.p + used, b.n - used);
    ck_assert_str_eq(next_value(&in, b, &used), "ex.K string(\"r\")");
    in_fini(&in);
}
END_TEST

/* A type needed only inside an any holds up the value, not the framing. */
START_TEST(any_waits_for_its_type)
{
    struct v23_bytes b = hex("81 52 01 2a 01 01 04 01 00 00 07");
    struct vdl_any v = { NULL, NULL };
    struct vom_msg m;
    struct in in;
    size_t used, n;

    in_init(&in, NULL, true);
    ck_assert_int_eq(types_in(&in, "81 5104 03010fe1", &n), 0);
    ck_assert_int_eq(vom_dec_next(&in.d, b.p, b.n, &used, &m), 0);
    ck_assert_int_eq(vom_dec_value(&in.d, &m, &arena, NULL, &v), V23_EAGAIN);
    ck_assert(in.d.waits_type);
    ck_assert_ptr_null(v.type);
    ck_assert_uint_eq(arena.used, 0);
    ck_assert_int_eq(types_in(&in, "530b00000565782e49640104e1", &n), 0);
    ck_assert_int_eq(vom_dec_value(&in.d, &m, &arena, NULL, &v), 0);
    ck_assert_str_eq(any_text(v), "[]any{ex.Id uint16(7)}");
    in_fini(&in);
}
END_TEST

START_TEST(type_stream_byte_by_byte)
{
    struct v23_bytes b = hex("81 e2530403 0129e1 5119060007"
                             "65782e4e6f64650102000156 0103e100014b012ae1e1");
    struct v23_bytes v = hex("81 52 0a 0001610101000162e1e1");
    size_t n, at = 0, used;
    struct in in;

    in_init(&in, NULL, true);
    for (n = 0; n <= b.n; n++) {
        ck_assert_ptr_null(vom_typedec_lookup(in.td, 41));
        ck_assert_int_eq(
            vom_typedec_input(in.td, b.p + at, n - at, &used), 0);
        at += used;
    }
    ck_assert_uint_eq(at, b.n);
    ck_assert_ptr_nonnull(vom_typedec_lookup(in.td, 42));
    ck_assert_str_eq(next_value(&in, v, &used),
        "ex.Node struct{V string;K []ex.Node}"
        "{V: \"a\", K: {{V: \"b\", K: {}}}}");
    in_fini(&in);
}
END_TEST

START_TEST(broken_type_stream_stays_broken)
{
    struct vom_msg m;
    struct v23_bytes b;
    struct in in;
    size_t used;

    in_init(&in, NULL, true);
    ck_assert_int_eq(
        types_in(&in, "81 5104 030108e1 5304 090108e1", &used),
        V23_EWIRETYPE);
    ck_assert_int_eq(types_in(&in, "5504 030108e1", &used), V23_EWIRETYPE);
    /* what was defined before still is */
    b = hex("81 5202010a");
    ck_assert_int_eq(vom_dec_next(&in.d, b.p, b.n, &used, &m), 0);
    b = hex("540100");
    ck_assert_int_eq(vom_dec_next(&in.d, b.p, b.n, &used, &m), V23_EWIRETYPE);
    in_fini(&in);
}
END_TEST

START_TEST(type_stream_holds_types_only)
{
    static const struct {
        int rc;
        const char *hex;
    } cases[] = { { V23_EVERSION, "80" }, { V23_EID, "81 0201" },
        { V23_ECONTROL, "81 e2 0201" }, { V23_ECONTROL, "81 e0" },
        { V23_EINT, "81 f0" }, { V23_EID, "81 00" } };
    struct in in;
    size_t i, used;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        in_init(&in, NULL, true);
        ck_assert_int_eq(types_in(&in, cases[i].hex, &used), cases[i].rc);
        in_fini(&in);
    }
}
END_TEST

START_TEST(split_value_stream_holds_values_only)
{
    static const struct {
        int rc;
        const char *hex;
    } cases[] = { { V23_EID, "81 5104 030108e1" },
        { V23_ECONTROL, "81 e2 5104 030108e1" }, { V23_EID, "81 1800" } };
    struct v23_bytes b;
    struct vom_msg m;
    struct in in;
    size_t i, used;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        in_init(&in, NULL, true);
        b = hex(cases[i].hex);
        ck_assert_int_eq(vom_dec_next(&in.d, b.p, b.n, &used, &m),
            cases[i].rc);
        ck_assert_int_eq(vom_dec_next(&in.d, b.p, b.n, &used, &m),
            cases[i].rc);
        ck_assert_int_eq(in.d.err, cases[i].rc);
        in_fini(&in);
    }
}
END_TEST

START_TEST(failed_value_ends_its_stream)
{
    struct v23_bytes b = hex("81 0202 0201");
    struct vom_msg m, copy;
    struct vdl_any v;
    struct in in;
    size_t used;

    in_init(&in, NULL, false);
    ck_assert_int_eq(vom_dec_next(&in.d, b.p, b.n, &used, &m), 0);
    copy = m;
    ck_assert_int_eq(vom_dec_value(&in.d, &m, &arena, NULL, &v), V23_EINT);
    ck_assert_int_eq(
        vom_dec_next(&in.d, b.p + used, b.n - used, &used, &m), V23_EINT);
    ck_assert_int_eq(vom_dec_value(&in.d, &copy, &arena, NULL, &v), V23_EINT);
    in_fini(&in);
}
END_TEST

START_TEST(leftover_is_told_or_refused)
{
    struct v23_bytes b = hex("81 0201 0200");
    struct vdl_any v;
    size_t used;

    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v, &used), 0);
    ck_assert_uint_eq(used, 3);
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v, NULL),
        V23_ELENGTH);
}
END_TEST

START_TEST(decoding_allocates_from_the_arena_only)
{
    struct v23_bytes b = hex(
        "81 e2 53 04 03 01 29 e1 51 19 06 00 07 65782e4e6f6465 01 02"
        "00 01 56 01 03 e1 00 01 4b 01 2a e1 e1 52 0a 00 01 61 01 01"
        "00 01 62 e1 e1");
    struct v23_arena own;
    struct vdl_any v;
    struct vom_msg m;
    struct in in;
    size_t used, calls, i;

    in_init(&in, NULL, false);
    ck_assert_int_eq(vom_dec_next(&in.d, b.p, b.n, &used, &m), 0);
    v23_arena_init(&own, NULL, SIZE_MAX);
    calls = mem.calls;
    for (i = 0; i < 10; i++) {
        ck_assert_int_eq(vom_dec_value(&in.d, &m, &own, NULL, &v), 0);
        v23_arena_reset(&own);
    }
    ck_assert_uint_eq(mem.calls, calls);
    v23_arena_fini(&own);
    in_fini(&in);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, single_stream_byte_by_byte);
    tcase_add_test(tc, need_tells_the_least_window);
    tcase_add_test(tc, value_waits_for_its_type);
    tcase_add_test(tc, any_waits_for_its_type);
    tcase_add_test(tc, type_stream_byte_by_byte);
    tcase_add_test(tc, broken_type_stream_stays_broken);
    tcase_add_test(tc, type_stream_holds_types_only);
    tcase_add_test(tc, split_value_stream_holds_values_only);
    tcase_add_test(tc, failed_value_ends_its_stream);
    tcase_add_test(tc, leftover_is_told_or_refused);
    tcase_add_test(tc, decoding_allocates_from_the_arena_only);
}

int main(void)
{
    return run_suite("libvom/dec_stream", fill);
}
