/* BSD-3-Clause; see LICENSE. */
/* Streams of one type whose type messages are a constant. */
#include "codec_test.h"

#include <vom/blob.h>

static struct v23_buf blob_bytes;

static struct vom_blob blob_of(const char *type)
{
    struct vom_blob b;

    v23_buf_init(&blob_bytes, &mem.al, 1u << 20);
    ck_assert_int_eq(vom_blob_make(&mem.al, ty(type), &blob_bytes, &b), 0);
    return b;
}

static const char *const samples[][2] = {
    {"bool", "true"},
    {"int32", "int32(-300)"},
    {"string", "\"hi\""},
    {"[]byte", "[]byte(\"\\x01\\xff\")"},
    {"[3]byte", "[3]byte(\"abc\")"},
    {"ex.Id uint16", "ex.Id(7)"},
    {"[]ex.Pt struct{X int32;Y int32;Tag string}",
        "{{X: 1}, {}, {Y: 200, Tag: \"t\"}}"},
    {"map[int8]set[bool]", "{-2: {true}}"},
    {"?ex.W struct{B []byte;F [2]float32}", "{B: \"a\", F: {0, 2}}"},
    {"?ex.W struct{B []byte;F [2]float32}", "nil"},
    {"ex.U union{I int64;S ex.E enum{Lo;Hi}}", "{S: Hi}"},
    {"ex.Node struct{V string;K []ex.Node}",
        "{V: \"a\", K: {{V: \"b\"}, {K: {{V: \"c\"}}}}}"},
};
#define SAMPLES (sizeof(samples) / sizeof(*samples))

START_TEST(blob_codes_like_the_encoder)
{
    const struct vdl_type *t = ty(samples[_i][0]);
    const void *v = val(t, samples[_i][1]);
    const char *want = enc(t, v), *shown = text(t, v);
    struct vom_blob b = blob_of(samples[_i][0]);
    struct v23_buf out;
    void *again;
    size_t used = 0;

    b.type = t;
    v23_buf_init(&out, &mem.al, 1u << 20);
    v23_buf_puts(&out, "before");
    ck_assert_int_eq(vom_blob_encode(&b, v, &out), 0);
    ck_assert_str_eq(unhex(out.p + 6, out.n - 6), want);
    again = v23_arena_get0(&arena, 1, t->size, 16);
    ck_assert_int_eq(vom_blob_decode(&b, v23_bytes(out.p + 6, out.n - 6),
                         &arena, again, NULL),
        0);
    ck_assert_str_eq(text(t, again), shown);
    v23_buf_puts(&out, "behind");
    ck_assert_int_eq(vom_blob_decode(&b, v23_bytes(out.p + 6, out.n - 6),
                         &arena, again, NULL),
        V23_ELENGTH);
    ck_assert_int_eq(vom_blob_decode(&b, v23_bytes(out.p + 6, out.n - 6),
                         &arena, again, &used),
        0);
    ck_assert_uint_eq(used, out.n - 12);
    v23_buf_fini(&out);
    v23_buf_fini(&blob_bytes);
}
END_TEST

START_TEST(long_body_moves_for_its_length)
{
    struct vom_blob b = blob_of("[]string");
    struct vdl_str items[200];
    struct vdl_list l = {items, 200};
    struct v23_buf out;
    size_t i;

    for (i = 0; i < 200; i++)
        items[i] = vdl_str("ab");
    v23_buf_init(&out, &mem.al, 1u << 20);
    ck_assert_int_eq(vom_blob_encode(&b, &l, &out), 0);
    ck_assert_str_eq(unhex(out.p, out.n), enc(&vdl_str_list_desc, &l));
    v23_buf_fini(&out);
    v23_buf_fini(&blob_bytes);
}
END_TEST

START_TEST(too_small_a_buffer_stays_as_it_was)
{
    struct vom_blob b = blob_of("[]ex.Pt struct{X int32;Y int32;Tag string}");
    const void *v = val(b.type, "{{X: 1}, {}, {Y: 200, Tag: \"t\"}}");
    uint8_t space[128];
    struct v23_buf out;
    size_t n;
    int rc = V23_ENOSPC;

    for (n = 0; rc != 0 && n < sizeof(space); n++) {
        v23_buf_init_fixed(&out, space, n);
        rc = vom_blob_encode(&b, v, &out);
        if (rc != 0) {
            ck_assert_int_eq(rc, V23_ENOSPC);
            ck_assert_uint_eq(out.n, 0);
        }
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_str_eq(unhex(out.p, out.n), enc(b.type, v));
    v23_buf_fini(&blob_bytes);
}
END_TEST

START_TEST(bad_selector_is_the_callers_fault)
{
    struct vom_blob b = blob_of("ex.E enum{Lo;Hi}");
    uint8_t space[64], e = 2;
    struct v23_buf out;

    v23_buf_init_fixed(&out, space, sizeof(space));
    ck_assert_int_eq(vom_blob_encode(&b, &e, &out), V23_EARG);
    ck_assert_uint_eq(out.n, 0);
    v23_buf_fini(&blob_bytes);
}
END_TEST

START_TEST(every_truncation_is_an_end_of_input)
{
    struct vom_blob b = blob_of("[]ex.Pt struct{X int32;Y int32;Tag string}");
    const void *v = val(b.type, "{{X: 1}, {}, {Y: 200, Tag: \"t\"}}");
    struct v23_bytes all = hex(enc(b.type, v));
    struct vdl_list l;
    size_t n, before = arena.used;

    for (n = 0; n < all.n; n++) {
        ck_assert_int_eq(
            vom_blob_decode(&b, v23_bytes(all.p, n), &arena, &l, NULL),
            V23_EEOF);
        ck_assert_uint_eq(arena.used, before);
    }
    v23_buf_fini(&blob_bytes);
}
END_TEST

static int decode_error(const struct vom_blob *b, const char *stream)
{
    static uint64_t out[64];

    return vom_blob_decode(b, hex(stream), &arena, out, NULL);
}

START_TEST(other_streams_are_refused)
{
    struct vom_blob b = blob_of("ex.S struct{A int32;B string}");
    const char *good = enc_text("ex.S struct{A int32;B string}", "{A: 1}");

    ck_assert_int_eq(decode_error(&b, good), 0);
    ck_assert_int_eq(decode_error(&b, ""), V23_EEOF);
    ck_assert_int_eq(decode_error(&b, "80 00"), V23_EVERSION);
    ck_assert_int_eq(
        decode_error(&b, enc_text("ex.T struct{A int32}", "{A: 1}")),
        V23_ECOMPAT);
    ck_assert_int_eq(
        decode_error(&b, enc_text("string", "\"x\"")), V23_ECOMPAT);
    v23_buf_fini(&blob_bytes);
}
END_TEST

/* The stream of the blob with another end. */
static int with_end(const struct vom_blob *b, const char *end)
{
    static uint64_t out[64];
    struct v23_bytes tail = hex(end);
    uint8_t space[256];

    memcpy(space, b->p, b->n);
    memcpy(space + b->n, tail.p, tail.n);
    return vom_blob_decode(
        b, v23_bytes(space, b->n + tail.n), &arena, out, NULL);
}

START_TEST(bad_values_are_refused)
{
    struct vom_blob b = blob_of("ex.S struct{A int32;B string}");

    ck_assert_int_eq(with_end(&b, "52 01 E1"), 0);
    ck_assert_int_eq(with_end(&b, "54 01 E1"), V23_ECOMPAT);
    ck_assert_int_eq(with_end(&b, "51 01 E1"), V23_ECOMPAT);
    ck_assert_int_eq(with_end(&b, "52 02 E1"), V23_EEOF);
    ck_assert_int_eq(with_end(&b, "52 02 E1 E1"), V23_ELENGTH);
    ck_assert_int_eq(with_end(&b, "52 FC 40 00 00 01 E1"), V23_ELENGTH);
    ck_assert_int_eq(with_end(&b, "52 03 02 00 E1"), V23_EINDEX);
    ck_assert_int_eq(with_end(&b, "52 04 01 05 61 E1"), V23_ELENGTH);
    ck_assert_int_eq(with_end(&b, "F0"), V23_EINT);
    v23_buf_fini(&blob_bytes);
}
END_TEST

START_TEST(types_that_need_lists_have_no_blob)
{
    static const char *const texts[] = {
        "any", "typeobject", "ex.S struct{A any}", "[]typeobject"};
    struct vom_blob b;
    uint8_t space[64];
    struct v23_buf out;
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        v23_buf_init_fixed(&out, space, sizeof(space));
        ck_assert_int_eq(
            vom_blob_make(&mem.al, ty(texts[i]), &out, &b), V23_EARG);
    }
    v23_buf_init_fixed(&out, space, 5);
    ck_assert_int_eq(
        vom_blob_make(&mem.al, ty("ex.S struct{A int32}"), &out, &b),
        V23_ENOSPC);
    ck_assert_uint_eq(out.n, 0);
}
END_TEST

START_TEST(flat_types_need_no_arena)
{
    struct vom_blob b = blob_of("ex.F struct{A int32;C [4]byte}");
    struct {
        int32_t a;
        uint8_t c[4];
    } out;

    ck_assert_int_eq(vom_blob_decode(&b,
                         hex(enc_text("ex.F struct{A int32;C [4]byte}",
                             "{A: -3, C: \"abcd\"}")),
                         NULL, &out, NULL),
        0);
    ck_assert_int_eq(out.a, -3);
    ck_assert_mem_eq(out.c, "abcd", 4);
    v23_buf_fini(&blob_bytes);
}
END_TEST

START_TEST(strings_without_an_arena_are_refused)
{
    struct vom_blob b = blob_of("string");
    struct vdl_str out;

    ck_assert_int_eq(
        vom_blob_decode(&b, hex("81 06 02 68 69"), NULL, &out, NULL),
        V23_ENOMEM);
    v23_buf_fini(&blob_bytes);
}
END_TEST

START_TEST(depth_is_bounded)
{
    struct vom_blob b = blob_of("x.RA []x.RA");
    uint8_t space[512];
    struct vdl_list out;
    size_t n = VOM_BLOB_DEPTH;

    memcpy(space, b.p, b.n);
    space[b.n] = 0x52;
    space[b.n + 1] = (uint8_t)n;
    memset(space + b.n + 2, 1, n);
    space[b.n + 1 + n] = 0;
    ck_assert_int_eq(
        vom_blob_decode(&b, v23_bytes(space, b.n + 2 + n), &arena, &out, NULL),
        0);
    space[b.n + 1]++;
    space[b.n + 1 + n] = 1;
    space[b.n + 2 + n] = 0;
    ck_assert_int_eq(
        vom_blob_decode(&b, v23_bytes(space, b.n + 3 + n), &arena, &out, NULL),
        V23_ELIMIT);
    v23_buf_fini(&blob_bytes);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, blob_codes_like_the_encoder, 0, SAMPLES);
    tcase_add_test(tc, long_body_moves_for_its_length);
    tcase_add_test(tc, too_small_a_buffer_stays_as_it_was);
    tcase_add_test(tc, bad_selector_is_the_callers_fault);
    tcase_add_test(tc, every_truncation_is_an_end_of_input);
    tcase_add_test(tc, other_streams_are_refused);
    tcase_add_test(tc, bad_values_are_refused);
    tcase_add_test(tc, types_that_need_lists_have_no_blob);
    tcase_add_test(tc, flat_types_need_no_arena);
    tcase_add_test(tc, strings_without_an_arena_are_refused);
    tcase_add_test(tc, depth_is_bounded);
}

int main(void)
{
    return run_suite("libvom/blob", fill);
}
