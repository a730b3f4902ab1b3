/* BSD-3-Clause; see LICENSE. */
/*
 * Each limit of struct vom_limits (spec/vom.md 17.2) with its defaults for a
 * device and for a host: what just fits and what is one beyond.
 */
#include "codec_test.h"

static const struct vom_options defaults[2] = {
    {.limits = VOM_LIMITS_MCU, .converter = &vom_converter},
    {.limits = VOM_LIMITS_HOST, .converter = &vom_converter}};

START_TEST(defaults_are_those_of_the_specification)
{
    const struct vom_limits *mcu = &defaults[0].limits;
    const struct vom_limits *host = &defaults[1].limits;

    ck_assert_mem_eq(host, &vom_options_host.limits, sizeof(*host));
    ck_assert_uint_eq(mcu->message, 16u << 10);
    ck_assert_uint_eq(host->message, 64u << 20);
    ck_assert_uint_eq(mcu->depth, 64);
    ck_assert_uint_eq(host->depth, 1000);
    ck_assert_uint_eq(mcu->types.types, 64);
    ck_assert_uint_eq(host->types.types, 4096);
    ck_assert_uint_eq(mcu->type_message, 1u << 10);
    ck_assert_uint_eq(host->type_message, 64u << 10);
    ck_assert_uint_eq(mcu->types.depth, 64);
    ck_assert_uint_eq(host->types.depth, 256);
    ck_assert_uint_eq(mcu->types.size, 8u << 10);
    ck_assert_uint_eq(host->types.size, 16u << 20);
}
END_TEST

/* ---- building streams ---------------------------------------------------- */

static struct v23_buf out;

static void begin(void)
{
    v23_buf_init(&out, &mem.al, SIZE_MAX);
    v23_buf_put_byte(&out, VOM_VERSION);
}

static void put_hex(const char *s)
{
    struct v23_bytes b = hex(s);

    v23_buf_put(&out, b.p, b.n);
}

static void put_many(uint8_t c, size_t n)
{
    ck_assert_int_eq(v23_buf_room(&out, n), 0);
    memset(out.p + out.n, c, n);
    out.n += n;
}

/* Head of the type message 41 + index. */
static void put_type_head(uint32_t index, size_t len)
{
    vom_buf_put_uint(&out, 2 * (uint64_t)(41 + index) - 1);
    vom_buf_put_uint(&out, len);
}

/* A type message of `len` bytes, 300 or more: a named bool. */
static void put_named_bool(uint32_t index, size_t len)
{
    /* 00 00 length name 01 01 E1 */
    size_t fixed = 5 + vom_uint_size(len), name;

    if (vom_uint_size(len - fixed) != vom_uint_size(len))
        fixed--;
    name = len - fixed;
    put_type_head(index, len);
    put_hex("00 00");
    vom_buf_put_uint(&out, name);
    put_many('a', name - 8);
    v23_buf_printf(&out, "%08lu", (unsigned long)index);
    put_hex("01 01 e1");
}

/* Read all of `out` as a type stream and forget it. */
static int read_types(const struct vom_options *opt)
{
    struct vom_typedec *td;
    size_t used;
    int rc;

    ck_assert_int_eq(out.err, 0);
    ck_assert_int_eq(vom_typedec_new(&mem.al, opt, &td), 0);
    rc = vom_typedec_input(td, out.p, out.n, &used);
    if (rc == 0)
        ck_assert_uint_eq(used, out.n);
    vom_typedec_unref(td);
    v23_buf_fini(&out);
    return rc;
}

/* What vom_dec_next() says to `out`. */
static int read_head(const struct vom_options *opt)
{
    struct vom_typedec *td;
    struct vom_msg m;
    struct vom_dec d;
    size_t used;
    int rc;

    ck_assert_int_eq(vom_typedec_new(&mem.al, opt, &td), 0);
    vom_dec_init(&d, NULL, td, false);
    rc = vom_dec_next(&d, out.p, out.n, &used, &m);
    vom_dec_fini(&d);
    vom_typedec_unref(td);
    v23_buf_fini(&out);
    return rc;
}

static int decode(const struct vom_options *opt)
{
    struct vdl_any v;
    int rc = vom_decode_single(out.p, out.n, opt, &arena, NULL, &v, NULL);

    v23_buf_fini(&out);
    v23_arena_reset(&arena);
    return rc;
}

/* ---- messages ------------------------------------------------------------ */

/* Only heads: whether more is asked for, or the rest is not wanted. */
START_TEST(message_is_limited)
{
    static const char *const heads[] = {"50", "5104 030108e1 52", "1e 00 00"};
    const struct vom_options *opt = &defaults[_i & 1];
    size_t i, beyond;

    for (i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        for (beyond = 0; beyond < 2; beyond++) {
            begin();
            put_hex(heads[i]);
            vom_buf_put_uint(&out, opt->limits.message + beyond);
            ck_assert_int_eq(read_head(opt), beyond ? V23_ELIMIT : V23_EAGAIN);
        }
    }
}
END_TEST

/* In text and bytes the count is part of the body. */
START_TEST(message_without_length_is_limited)
{
    const struct vom_options *opt = &defaults[_i & 1];
    uint32_t max = opt->limits.message, n = max - 3;
    size_t beyond;

    if (vom_uint_size(n) == 5)
        n = max - 5;
    ck_assert_uint_eq(n + vom_uint_size(n), max);
    for (beyond = 0; beyond < 2; beyond++) {
        begin();
        put_hex("06");
        vom_buf_put_uint(&out, n + beyond);
        ck_assert_int_eq(read_head(opt), beyond ? V23_ELIMIT : V23_EAGAIN);
        begin();
        put_hex("4e");
        vom_buf_put_uint(&out, n + beyond);
        ck_assert_int_eq(read_head(opt), beyond ? V23_ELIMIT : V23_EAGAIN);
    }
}
END_TEST

START_TEST(lists_of_a_message_are_limited)
{
    const struct vom_options *opt = &defaults[_i & 1];
    size_t beyond;

    for (beyond = 0; beyond < 2; beyond++) {
        begin();
        put_hex("1e");
        vom_buf_put_uint(&out, opt->limits.message + beyond);
        ck_assert_int_eq(read_head(opt), beyond ? V23_ELIMIT : V23_EAGAIN);
        begin();
        put_hex("1e 00");
        vom_buf_put_uint(&out, opt->limits.message + beyond);
        ck_assert_int_eq(read_head(opt), beyond ? V23_ELIMIT : V23_EAGAIN);
    }
}
END_TEST

/* ---- types --------------------------------------------------------------- */

START_TEST(type_message_is_limited)
{
    const struct vom_options *opt = &defaults[_i & 1];

    begin();
    put_named_bool(0, opt->limits.type_message);
    ck_assert_int_eq(read_types(opt), 0);
    begin();
    put_named_bool(0, opt->limits.type_message + 1);
    ck_assert_int_eq(read_types(opt), V23_ELIMIT);
}
END_TEST

START_TEST(type_stream_is_limited)
{
    const struct vom_options *opt = &defaults[_i & 1];
    uint32_t left, n, i, beyond;

    for (beyond = 0; beyond < 2; beyond++) {
        begin();
        left = opt->limits.type_stream + beyond;
        for (i = 0; left != 0; i++) {
            n = opt->limits.type_message;
            if (n + 300 > left)
                n = left > n ? left - 300 : left;
            put_named_bool(i, n);
            left -= n;
        }
        ck_assert_int_eq(read_types(opt), beyond ? V23_ELIMIT : 0);
    }
}
END_TEST

START_TEST(number_of_types_is_limited)
{
    const struct vom_options *opt = &defaults[_i & 1];
    uint32_t i, beyond;

    for (beyond = 0; beyond < 2; beyond++) {
        begin();
        for (i = 0; i < opt->limits.types.types + beyond; i++) {
            put_type_head(i, 15);
            put_hex("00 00 09");
            v23_buf_printf(&out, "x.%07u", i);
            put_hex("01 01 e1");
        }
        ck_assert_int_eq(read_types(opt), beyond ? V23_ELIMIT : 0);
    }
}
END_TEST

/* [][]…bool, the innermost first. */
START_TEST(nesting_of_types_is_limited)
{
    const struct vom_options *opt = &defaults[_i & 1];
    uint32_t i, beyond;

    for (beyond = 0; beyond < 2; beyond++) {
        begin();
        for (i = 0; i < opt->limits.types.depth - 1 + beyond; i++) {
            put_type_head(i, 2 + vom_uint_size(i == 0 ? 1 : 40 + i) + 1);
            put_hex("03 01");
            vom_buf_put_uint(&out, i == 0 ? 1 : 40 + i);
            put_hex("e1");
        }
        ck_assert_int_eq(read_types(opt), beyond ? V23_ELIMIT : 0);
    }
}
END_TEST

START_TEST(size_of_a_type_is_limited)
{
    const struct vom_options *opt = &defaults[_i & 1];
    uint32_t n, beyond;

    for (beyond = 0; beyond < 2; beyond++) {
        n = opt->limits.types.size + beyond;
        begin();
        put_type_head(0, 5 + vom_uint_size(n));
        put_hex("02 01 02 02");
        vom_buf_put_uint(&out, n);
        put_hex("e1");
        ck_assert_int_eq(read_types(opt), beyond ? V23_ELIMIT : 0);
    }
}
END_TEST

/* Labels, as fields would soon break other limits. */
START_TEST(number_of_members_is_limited)
{
    struct vom_options opt = defaults[_i & 1];
    uint32_t n, i, beyond;

    opt.limits.type_message = opt.limits.type_stream = 8u << 20;
    for (beyond = 0; beyond < 2; beyond++) {
        n = opt.limits.types.members + beyond;
        begin();
        put_type_head(0, 2 + vom_uint_size(n) + 8 * (size_t)n + 1);
        put_hex("01 01");
        vom_buf_put_uint(&out, n);
        for (i = 0; i < n; i++)
            v23_buf_printf(&out, "\x07%07u", i);
        put_hex("e1");
        ck_assert_int_eq(read_types(&opt), beyond ? V23_ELIMIT : 0);
    }
}
END_TEST

/* ---- values -------------------------------------------------------------- */

/* Streams with as many levels, and with each what counts as none. */
static const struct {
    const char *stream;
    uint32_t levels;
} nested[] = {
    {"02 01", 0},                                          /* bool */
    {"06 01 61", 0},                                       /* string */
    {"4e 01 61", 1},                                       /* []byte */
    {"5104 030108e1 52 02 01 00", 1},                      /* []int32 */
    {"5106 02010802 01e1 52 02 00 00", 1},                 /* [1]int32 */
    {"5104 040108e1 52 02 01 00", 1},                      /* set[int32] */
    {"5106 05010802 08e1 52 03 01 00 00", 1},              /* map[int32]int32 */
    {"5302 06e1 5104 03012ae1 52 02 01 e1", 2},            /* []struct{} */
    {"510a 07 01 01 00 01 41 01 08 e1 e1 52 02 00 00", 1}, /* union */
    {"5307 0600 03782e53 e1 5104 08012ae1 52 01 e1", 1},   /* ?x.S */
    {"5307 0600 03782e53 e1 5104 08012ae1 52 01 e0", 0},   /* nil */
    {"1e 01 08 01 01 03 00 00 0a", 1},                     /* any(int32) */
    {"1e 00 00 01 e0", 1},                                 /* any(nil) */
    {"5104 03010fe1 52 01 08 01 01 04 01 00 00 0a", 2},    /* []any */
};
#define NESTED (sizeof(nested) / sizeof(*nested))

START_TEST(levels_count_as_specified)
{
    struct vom_options opt = defaults[1];

    opt.limits.depth = nested[_i].levels;
    begin();
    put_hex(nested[_i].stream);
    ck_assert_int_eq(decode(&opt), 0);
    if (nested[_i].levels == 0)
        return;
    opt.limits.depth--;
    begin();
    put_hex(nested[_i].stream);
    ck_assert_int_eq(decode(&opt), V23_ELIMIT);
}
END_TEST

/* x.RA []x.RA */
START_TEST(depth_of_values_is_limited)
{
    const struct vom_options *opt = &defaults[_i & 1];
    uint32_t n, beyond;

    for (beyond = 0; beyond < 2; beyond++) {
        n = opt->limits.depth + beyond;
        begin();
        put_hex("510a 030004782e5241 0129e1 52");
        vom_buf_put_uint(&out, n);
        put_many(1, n - 1);
        put_many(0, 1);
        ck_assert_int_eq(decode(opt), beyond ? V23_ELIMIT : 0);
    }
}
END_TEST

/* What a value takes, exactly, and a byte less. */
START_TEST(memory_of_a_value_is_limited)
{
    static const char stream[] = "81 510a 06 01 01 00 01 41 01 28 e1 e1"
                                 "52 0b 00 03 02 61 62 01 63 02 64 65 e1";
    struct vom_options opt = defaults[_i & 1];
    const struct vdl_type *t = ty("struct{A []string}");
    struct v23_bytes b = hex(stream);
    size_t before = arena.used, took;
    struct vdl_list l;

    ck_assert_int_eq(vom_decode_single(b.p, b.n, &opt, &arena, t, &l, NULL), 0);
    took = arena.used - before;
    ck_assert_uint_gt(took, 3 * sizeof(struct vdl_str) + 5);
    /* 11 bytes of body. */
    opt.limits.alloc_factor = 1;
    opt.limits.alloc_base = (uint32_t)(took - 11 - t->size);
    ck_assert_int_eq(vom_decode_single(b.p, b.n, &opt, &arena, t, &l, NULL), 0);
    opt.limits.alloc_base--;
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, &opt, &arena, t, &l, NULL), V23_ELIMIT);
}
END_TEST

START_TEST(arena_limits_what_the_options_do_not)
{
    struct v23_bytes b = hex("81 06 04 61626364");
    struct v23_arena a;
    struct vdl_str s;

    v23_arena_init(&a, &mem.al, 5);
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &a, &vdl_string_desc, &s, NULL), 0);
    v23_arena_reset(&a);
    a.limit = 4;
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &a, &vdl_string_desc, &s, NULL),
        V23_ELIMIT);
    v23_arena_fini(&a);
}
END_TEST

START_TEST(canonical_string_is_limited)
{
    const struct vdl_type *t = ty("[]ex.Pt struct{X int32;Y int32}");
    const size_t n = strlen("[]ex.Pt struct{X int32;Y int32}");
    struct v23_buf b;

    v23_buf_init(&b, &mem.al, 1000);
    ck_assert_int_eq(vdl_type_format(t, n, &b), 0);
    ck_assert_uint_eq(b.n, n);
    ck_assert_int_eq(vdl_type_format(t, n - 1, &b), V23_ELIMIT);
    ck_assert_uint_eq(b.n, n);
    v23_buf_fini(&b);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, defaults_are_those_of_the_specification);
    tcase_add_loop_test(tc, message_is_limited, 0, 2);
    tcase_add_loop_test(tc, message_without_length_is_limited, 0, 2);
    tcase_add_loop_test(tc, lists_of_a_message_are_limited, 0, 2);
    tcase_add_loop_test(tc, type_message_is_limited, 0, 2);
    tcase_add_loop_test(tc, type_stream_is_limited, 0, 2);
    tcase_add_loop_test(tc, number_of_types_is_limited, 0, 2);
    tcase_add_loop_test(tc, nesting_of_types_is_limited, 0, 2);
    tcase_add_loop_test(tc, size_of_a_type_is_limited, 0, 2);
    tcase_add_loop_test(tc, number_of_members_is_limited, 0, 2);
    tcase_add_loop_test(tc, levels_count_as_specified, 0, NESTED);
    tcase_add_loop_test(tc, depth_of_values_is_limited, 0, 2);
    tcase_add_loop_test(tc, memory_of_a_value_is_limited, 0, 2);
    tcase_add_test(tc, arena_limits_what_the_options_do_not);
    tcase_add_test(tc, canonical_string_is_limited);
}

int main(void)
{
    return run_suite("libvom/limits_edge", fill);
}
