/* BSD-3-Clause; see LICENSE. */
/* Integers and floats of spec/vom.md 2. */
#include <float.h>
#include <math.h>

#include "codec_test.h"
#include "prim_int.h"

struct uint_case {
    uint64_t v;
    const char *hex;
};

static const struct uint_case examples[] = {
    { 0, "00" },
    { 1, "01" },
    { 127, "7f" },
    { 128, "ff80" },
    { 255, "ffff" },
    { 256, "fe0100" },
    { 65535, "feffff" },
    { 65536, "fd010000" },
    { (UINT64_C(1) << 24) - 1, "fdffffff" },
    { UINT64_C(1) << 24, "fc01000000" },
    { UINT32_MAX, "fcffffffff" },
    { UINT64_C(1) << 32, "fb0100000000" },
    { UINT64_C(1) << 40, "fa010000000000" },
    { UINT64_C(1) << 48, "f901000000000000" },
    { UINT64_C(1) << 56, "f80100000000000000" },
    { UINT64_MAX, "f8ffffffffffffffff" },
};

START_TEST(uint_has_bytes_of_the_table)
{
    const struct uint_case *c = &examples[_i];
    uint8_t out[9];
    struct v23_buf b;

    ck_assert_uint_eq(vom_uint_size(c->v), strlen(c->hex) / 2);
    ck_assert_uint_eq(vom_put_uint(out, c->v), strlen(c->hex) / 2);
    ck_assert_str_eq(unhex(out, strlen(c->hex) / 2), c->hex);
    v23_buf_init_fixed(&b, out, sizeof(out));
    vom_buf_put_uint(&b, c->v);
    ck_assert_str_eq(unhex(b.p, b.n), c->hex);
}
END_TEST

/* Both near the end of the input and far from it. */
START_TEST(uint_reads_back)
{
    const struct uint_case *c = &examples[_i];
    size_t n = strlen(c->hex) / 2;
    uint8_t *exact = malloc(n), more[32] = { 0 };
    const uint8_t *p = exact;
    uint64_t v = 1;

    memcpy(exact, hex(c->hex).p, n);
    memcpy(more, exact, n);
    ck_assert_int_eq(vom_get_uint(&p, exact + n, &v), 0);
    ck_assert_uint_eq(v, c->v);
    ck_assert_ptr_eq(p, exact + n);
    p = more;
    ck_assert_int_eq(vom_get_uint(&p, more + sizeof(more), &v), 0);
    ck_assert_uint_eq(v, c->v);
    ck_assert_ptr_eq(p, more + n);
    free(exact);
}
END_TEST

START_TEST(uint_rejects_truncation)
{
    const struct uint_case *c = &examples[_i];
    size_t n = strlen(c->hex) / 2, i;
    const uint8_t *p;
    uint8_t *cut;
    uint64_t v = 7;

    for (i = 0; i < n; i++) {
        cut = malloc(i + 1);
        memcpy(cut, hex(c->hex).p, i);
        p = cut;
        ck_assert_int_eq(vom_get_uint(&p, cut + i, &v), V23_EEOF);
        ck_assert_ptr_eq(p, cut);
        ck_assert_uint_eq(v, 7);
        free(cut);
    }
}
END_TEST

START_TEST(uint_accepts_non_minimal)
{
    static const char *const five[] = { "05", "ff05", "fe0005", "fd000005",
        "fc00000005", "fb0000000005", "fa000000000005", "f900000000000005",
        "f80000000000000005" };
    struct v23_bytes b = hex(five[_i]);
    const uint8_t *p = b.p;
    uint64_t v;

    ck_assert_int_eq(vom_get_uint(&p, b.p + b.n, &v), 0);
    ck_assert_uint_eq(v, 5);
}
END_TEST

START_TEST(uint_rejects_other_first_bytes)
{
    uint8_t in[20] = { 0 };
    const uint8_t *p = in;
    uint64_t v;

    in[0] = (uint8_t)_i;
    ck_assert_int_eq(vom_get_uint(&p, in + sizeof(in), &v),
        _i < 0xF0 ? V23_ECONTROL : V23_EINT);
    ck_assert_int_eq(vom_get_uint(&p, in + 1, &v),
        _i < 0xF0 ? V23_ECONTROL : V23_EINT);
    ck_assert_ptr_eq(p, in);
}
END_TEST

START_TEST(uint_of_every_width_round_trips)
{
    uint8_t out[9];
    const uint8_t *p;
    uint64_t v, got;
    unsigned bit;
    int off;

    for (bit = 0; bit < 64; bit++) {
        for (off = -2; off <= 2; off++) {
            v = (UINT64_C(1) << bit) + (uint64_t)off;
            p = out;
            ck_assert_int_eq(
                vom_get_uint(&p, out + vom_put_uint(out, v), &got), 0);
            ck_assert_uint_eq(v, got);
            ck_assert_uint_eq((size_t)(p - out), vom_uint_size(v));
        }
    }
}
END_TEST

START_TEST(int_has_bytes_of_the_table)
{
    static const struct {
        int64_t v;
        const char *hex;
    } cases[] = { { 0, "00" }, { 1, "02" }, { -1, "01" }, { 63, "7e" },
        { 64, "ff80" }, { -64, "7f" }, { -65, "ff81" }, { -300, "fe0257" },
        { INT64_MAX, "f8fffffffffffffffe" },
        { INT64_MIN, "f8ffffffffffffffff" } };
    uint8_t out[9];
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert_str_eq(
            unhex(out, vom_put_uint(out, vom_zigzag_(cases[i].v))),
            cases[i].hex);
        ck_assert_int_eq(vom_unzigzag_(vom_zigzag_(cases[i].v)), cases[i].v);
    }
}
END_TEST

START_TEST(float_has_bytes_of_the_table)
{
    static const struct {
        double v;
        const char *hex;
    } cases[] = { { 0, "00" }, { 1, "fef03f" }, { -1, "fef0bf" },
        { 1.5, "fef83f" }, { -0.0, "ff80" },
        { 0.1, "f89a9999999999b93f" }, { (double)(float)0.1, "fba09999b93f" },
        { INFINITY, "fef07f" }, { -INFINITY, "fef0ff" } };
    uint8_t out[9];
    double back;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert_str_eq(
            unhex(out, vom_put_uint(out, vom_float_bits_(cases[i].v))),
            cases[i].hex);
        back = vom_bits_float_(vom_float_bits_(cases[i].v));
        ck_assert_int_eq(memcmp(&back, &cases[i].v, sizeof(back)), 0);
    }
}
END_TEST

START_TEST(nan_keeps_its_payload)
{
    static const char *const streams[] = { "f801000000 0000f87f", "fef87f" };
    struct v23_bytes b = hex(streams[_i]);
    const uint8_t *p = b.p;
    uint64_t v;
    uint8_t out[9];

    ck_assert_int_eq(vom_get_uint(&p, b.p + b.n, &v), 0);
    ck_assert(isnan(vom_bits_float_(v)));
    ck_assert_str_eq(
        unhex(out, vom_put_uint(out, vom_float_bits_(vom_bits_float_(v)))),
        flat(streams[_i]));
}
END_TEST

START_TEST(buffer_keeps_its_error)
{
    uint8_t small[2];
    struct v23_buf b;

    v23_buf_init_fixed(&b, small, sizeof(small));
    vom_buf_put_uint(&b, 1000);
    ck_assert_int_eq(b.err, V23_ENOSPC);
    ck_assert_uint_eq(b.n, 0);
}
END_TEST

static void fill(TCase *tc)
{
    const int n = sizeof(examples) / sizeof(*examples);

    tcase_add_loop_test(tc, uint_has_bytes_of_the_table, 0, n);
    tcase_add_loop_test(tc, uint_reads_back, 0, n);
    tcase_add_loop_test(tc, uint_rejects_truncation, 0, n);
    tcase_add_loop_test(tc, uint_accepts_non_minimal, 0, 9);
    tcase_add_loop_test(tc, uint_rejects_other_first_bytes, 0x80, 0xF8);
    tcase_add_test(tc, uint_of_every_width_round_trips);
    tcase_add_test(tc, int_has_bytes_of_the_table);
    tcase_add_test(tc, float_has_bytes_of_the_table);
    tcase_add_loop_test(tc, nan_keeps_its_payload, 0, 2);
    tcase_add_test(tc, buffer_keeps_its_error);
}

int main(void)
{
    return run_suite("libvom/prim", fill);
}
