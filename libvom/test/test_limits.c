/* BSD-3-Clause; see LICENSE. */
/* Decoder: what hostile input may cost (spec/vom.md 17.2). */
#include "codec_test.h"

#define MIB (1u << 20)

/* ---- building hostile streams -------------------------------------------- */

static struct v23_buf out;

static void begin(void)
{
    v23_buf_init(&out, NULL, 256u << 20);
    v23_buf_put_byte(&out, VOM_VERSION);
}

static void put_hex(const char *s)
{
    struct v23_bytes b = hex(s);

    v23_buf_put(&out, b.p, b.n);
}

/* Signed message id and length. */
static void put_head(int64_t id, size_t len)
{
    vom_buf_put_uint(&out,
        id < 0 ? 2 * (uint64_t)(-id) - 1 : 2 * (uint64_t)id);
    vom_buf_put_uint(&out, len);
}

static void put_bytes(uint8_t c, size_t n)
{
    ck_assert_int_eq(v23_buf_room(&out, n), 0);
    memset(out.p + out.n, c, n);
    out.n += n;
}

/* struct T<id> { <n fields of type `sub`> } as type message. */
static void put_struct(unsigned id, unsigned n, unsigned sub)
{
    uint8_t body[4096];
    struct v23_buf b;
    char name[16];
    unsigned i;

    v23_buf_init_fixed(&b, body, sizeof(body));
    v23_buf_put(&b, "\x06\x00", 2);
    snprintf(name, sizeof(name), "x.T%u", id);
    vom_buf_put_uint(&b, strlen(name));
    v23_buf_puts(&b, name);
    v23_buf_put_byte(&b, 1);
    vom_buf_put_uint(&b, n);
    for (i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "F%u", i);
        v23_buf_put_byte(&b, 0);
        vom_buf_put_uint(&b, strlen(name));
        v23_buf_puts(&b, name);
        v23_buf_put_byte(&b, 1);
        vom_buf_put_uint(&b, sub);
        v23_buf_put_byte(&b, 0xe1);
    }
    v23_buf_put_byte(&b, 0xe1);
    put_head(-(int64_t)id, b.n);
    v23_buf_put(&out, b.p, b.n);
}

/* Decode what was built; memory is counted. */
static int finish(const struct vom_options *opt, const struct vdl_type *t,
    void *v)
{
    int rc = vom_decode_single(out.p, out.n, opt, &arena, t, v, NULL);

    v23_buf_fini(&out);
    return rc;
}

static int finish_any(const struct vom_options *opt)
{
    struct vdl_any v;

    return finish(opt, NULL, &v);
}

/* ---- counts -------------------------------------------------------------- */

START_TEST(huge_counts_allocate_nothing)
{
    static const char *const bombs[] = {
        "81 5104 030108e1 5206 fc3fffffff02",
        "81 5307 060003782e45e1 5104 03012ae1 5206 fc3fffffffe1",
        "81 5106 0501080208e1 5207 fc3fffffff0202",
        "81 5104 040108e1 5206 fc3fffffff02",
        "81 5005 fc3fffffff", "81 4e fc3fffffff",
        "81 5104 03010fe1 52 00 00 06 fc3fffffffe0" };
    struct vdl_any v;
    struct v23_bytes b = hex(bombs[_i]);
    int rc = vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v, NULL);

    ck_assert_int_lt(rc, 0);
    ck_assert_uint_lt(mem.peak, 16384);
}
END_TEST

/* An array's elements count with the bytes they need at least. */
START_TEST(least_size_of_elements_is_known)
{
    /* [][1000][1000]bool: an element takes a million bytes and more */
    begin();
    put_hex("5508 020101 02fe03e8 e1");
    put_hex("5308 02012b 02fe03e8 e1");
    put_hex("5104 03012a e1");
    put_head(41, 3 + 1000);
    put_hex("fe03e8");
    put_bytes(0, 1000);
    ck_assert_int_eq(finish_any(NULL), V23_ELENGTH);
    ck_assert_uint_lt(mem.peak, 32768);
}
END_TEST

/* ---- sizes --------------------------------------------------------------- */

START_TEST(huge_array_type_is_refused)
{
    struct vdl_any v;
    struct v23_bytes b = hex("81 530c02010202fa010000000000e1 51150600"
                             "03782e530102000141012ae10001420108e1e1"
                             "530c 02010202fa010000000000e1");

    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v, NULL),
        V23_ELIMIT);
    ck_assert_uint_lt(mem.peak, 32768);
}
END_TEST

/* 2^n inline leaves with n types, with and without names. */
START_TEST(exponential_struct_is_refused_at_once)
{
    unsigned i;

    begin();
    put_struct(41, 2, 8);
    for (i = 1; i < 40; i++)
        put_struct(41 + i, 2, 40 + i);
    put_head(80, 1);
    put_bytes(0xe1, 1);
    ck_assert_int_eq(finish_any(NULL), V23_ELIMIT);
    ck_assert_uint_lt(mem.peak, MIB);
}
END_TEST

START_TEST(wide_dag_is_decoded_in_linear_time)
{
    struct vdl_any v;
    unsigned i;

    begin();
    put_struct(41, 2, 8);
    for (i = 1; i < 17; i++)
        put_struct(41 + i, 2, 40 + i);
    put_head(57, 1);
    put_bytes(0xe1, 1);
    ck_assert_int_eq(finish(NULL, NULL, &v), 0);
    ck_assert_uint_eq(v.type->size, 4u << 17);
}
END_TEST

/*
 * Elements of one byte on the wire that are large in memory: the budget of the
 * value counts, not what a list of that many might be.
 */
START_TEST(amplification_is_bounded)
{
    size_t n = 100000;

    begin();
    put_hex("5506 020109 0240 e1");
    put_hex("530f 060003782e53 0101 000141012be1 e1");
    put_hex("5104 03012ae1");
    put_head(41, 4 + n);
    put_hex("fd0186a0");
    put_bytes(0xe1, n);
    ck_assert_int_eq(finish_any(NULL), V23_ELIMIT);
    ck_assert_uint_lt(mem.peak, 16 * MIB);
}
END_TEST

START_TEST(arena_budget_is_kept)
{
    struct vdl_any v = { NULL, NULL };
    struct v23_arena small;
    struct v23_bytes b;
    size_t limit;

    begin();
    put_hex("4e fe2710");
    put_bytes('x', 10000);
    b = v23_bytes(out.p, out.n);
    for (limit = 0; limit < 10200; limit += 100) {
        v23_arena_init(&small, &mem.al, limit);
        ck_assert_int_eq(
            vom_decode_single(b.p, b.n, NULL, &small, NULL, &v, NULL),
            limit < 10100 ? V23_ELIMIT : 0);
        ck_assert_uint_eq(small.limit, limit);
        ck_assert_uint_le(small.used, limit);
        v23_arena_fini(&small);
    }
    v23_buf_fini(&out);
}
END_TEST

/* Clearing a field again and again costs its size each time. */
START_TEST(repeated_large_fields_are_bounded)
{
    size_t n = 200000, i;

    begin();
    put_hex("5509 020109 02fd020000 e1");
    put_hex("530f 060003782e53 0101 000141012be1 e1");
    put_hex("510f 060003782e54 0101 000142012ae1 e1");
    put_head(41, 2 * n + 1);
    for (i = 0; i < n; i++)
        put_hex("00e1");
    put_bytes(0xe1, 1);
    ck_assert_int_eq(finish_any(NULL), V23_ELIMIT);
}
END_TEST

/* ---- depth --------------------------------------------------------------- */

static int nested_lists(size_t depth, const struct vom_options *opt)
{
    begin();
    put_hex("510a 030004782e5241 0129e1");
    put_head(41, depth);
    put_bytes(1, depth - 1);
    put_bytes(0, 1);
    return finish_any(opt);
}

START_TEST(depth_of_values_is_limited)
{
    struct vom_options opt = vom_options_host;

    ck_assert_int_eq(nested_lists(1000, NULL), 0);
    v23_arena_reset(&arena);
    ck_assert_int_eq(nested_lists(1001, NULL), V23_ELIMIT);
    ck_assert_int_eq(nested_lists(100001, NULL), V23_ELIMIT);
    opt.limits.depth = 3;
    ck_assert_int_eq(nested_lists(3, &opt), 0);
    ck_assert_int_eq(nested_lists(4, &opt), V23_ELIMIT);
}
END_TEST

START_TEST(depth_counts_when_skipping_and_converting)
{
    const struct vdl_type *skip = ty("struct{B bool}");
    const struct vdl_type *conv_t = ty("struct{A y.L []y.L}");
    size_t depth;
    uint8_t v[64];
    int rc;

    for (depth = 999; depth <= 1001; depth++) {
        rc = depth <= 999 ? 0 : V23_ELIMIT;
        begin();
        put_hex("530a 030004782e5241 012ae1");
        put_hex("5110 0601 02 000141012ae1 000142 0101e1 e1");
        put_head(41, 1 + depth + 3);
        put_bytes(0, 1);
        put_bytes(1, depth - 1);
        put_hex("00 0101 e1");
        ck_assert_int_eq(
            vom_decode_single(out.p, out.n, NULL, &arena, skip, v, NULL), rc);
        ck_assert_int_eq(finish(NULL, conv_t, v), rc);
    }
}
END_TEST

/* Anys in anys: each level takes three bytes. */
START_TEST(depth_of_anys_is_limited)
{
    size_t n = 600, i;

    /* []any{[]any{…}} */
    begin();
    put_hex("5104 03010fe1 52 01 29");
    vom_buf_put_uint(&out, n);
    for (i = 0; i < n; i++)
        vom_buf_put_uint(&out, 1);
    vom_buf_put_uint(&out, 3 * n + 1);
    for (i = 0; i < n; i++)
        put_hex("010000");
    put_bytes(0, 1);
    ck_assert_int_eq(finish_any(NULL), V23_ELIMIT);
}
END_TEST

/* Types whose graph is deep need no deep values. */
START_TEST(deep_type_graphs_are_handled)
{
    unsigned i;
    int rc;

    begin();
    put_struct(41, 1, 8);
    for (i = 1; i < 1000; i++)
        put_struct(41 + i, 1, 40 + i);
    put_head(1040, 1);
    put_bytes(0xe1, 1);
    rc = finish_any(NULL);
    ck_assert(rc == 0 || rc == V23_ELIMIT);
}
END_TEST

/* ---- messages and types -------------------------------------------------- */

START_TEST(message_sizes_are_limited)
{
    static const char *const kinds[] = { "4e 11", "06 11", "50 11",
        "5104 030108e1 52 11", "1e 11", "1e 00 11", "1e 00 00 11" };
    struct vom_options opt = vom_options_host;
    struct vom_typedec *td;
    struct vom_msg m;
    struct vom_dec d;
    size_t i, used;

    opt.limits.message = 16;
    for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        begin();
        put_hex(kinds[i]);
        ck_assert_int_eq(vom_typedec_new(&mem.al, &opt, &td), 0);
        vom_dec_init(&d, &mem.al, td, false);
        ck_assert_int_eq(vom_dec_next(&d, out.p, out.n, &used, &m),
            V23_ELIMIT);
        vom_dec_fini(&d);
        vom_typedec_unref(td);
        v23_buf_fini(&out);
    }
}
END_TEST

START_TEST(type_streams_are_limited)
{
    struct vom_options opt = vom_options_host;
    struct vom_typedec *td;
    unsigned i;
    size_t used;
    int rc;

    /* one message */
    opt.limits.type_message = 8;
    begin();
    put_struct(41, 1, 8);
    ck_assert_int_eq(vom_typedec_new(&mem.al, &opt, &td), 0);
    ck_assert_int_eq(vom_typedec_input(td, out.p, out.n, &used), V23_ELIMIT);
    vom_typedec_unref(td);
    v23_buf_fini(&out);

    /* number of types, and bytes of all */
    for (i = 0; i < 2; i++) {
        opt = vom_options_host;
        if (i == 0)
            opt.limits.types.types = 10;
        else
            opt.limits.type_stream = 10 * 18;
        begin();
        for (unsigned k = 0; k < 20; k++)
            put_struct(41 + k, 1, 8);
        ck_assert_int_eq(vom_typedec_new(&mem.al, &opt, &td), 0);
        rc = vom_typedec_input(td, out.p, out.n, &used);
        ck_assert_int_eq(rc, V23_ELIMIT);
        ck_assert_uint_eq(vom_typedec_count(td), 10);
        vom_typedec_unref(td);
        v23_buf_fini(&out);
    }

    /* members of one type */
    opt = vom_options_host;
    opt.limits.types.members = 4;
    begin();
    put_struct(41, 5, 8);
    ck_assert_int_eq(vom_typedec_new(&mem.al, &opt, &td), 0);
    ck_assert_int_eq(vom_typedec_input(td, out.p, out.n, &used), V23_ELIMIT);
    vom_typedec_unref(td);
    v23_buf_fini(&out);
}
END_TEST

START_TEST(device_limits_hold)
{
    static const struct vom_options mcu = { .limits = VOM_LIMITS_MCU };
    unsigned i;

    begin();
    for (i = 0; i < 65; i++)
        put_struct(41 + i, 1, 8);
    put_hex("0201");
    ck_assert_int_eq(finish_any(&mcu), V23_ELIMIT);
    begin();
    put_hex("4e fe4001");
    put_bytes('x', 16385);
    ck_assert_int_eq(finish_any(&mcu), V23_ELIMIT);
    ck_assert_int_eq(nested_lists(65, &mcu), V23_ELIMIT);
    ck_assert_int_eq(nested_lists(64, &mcu), 0);
}
END_TEST

/* ---- time ---------------------------------------------------------------- */

/* A header that trickles in is not read again from its start each time. */
START_TEST(trickling_header_is_cheap)
{
    const size_t n = 200000;
    size_t used, calls = 0, have;
    struct vom_typedec *td;
    struct vom_dec d;
    struct vom_msg m;
    int rc = V23_EAGAIN;

    begin();
    put_hex("5104 03010fe1 52");
    vom_buf_put_uint(&out, n);
    for (have = 0; have < n; have++)
        put_hex("fe0008");
    put_hex("00 01 00");
    ck_assert_int_eq(vom_typedec_new(&mem.al, NULL, &td), 0);
    vom_dec_init(&d, &mem.al, td, false);
    ck_assert_int_eq(vom_dec_next(&d, out.p, 8, &used, &m), V23_EAGAIN);
    v23_buf_drop(&out, used);
    for (have = 1; have <= out.n && rc == V23_EAGAIN; have++) {
        calls += have >= d.need;
        rc = vom_dec_next(&d, out.p, have, &used, &m);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(m.nids, n);
    ck_assert_uint_lt(calls, 100);
    vom_dec_fini(&d);
    vom_typedec_unref(td);
    v23_buf_fini(&out);
}
END_TEST

/* Keys in an order that is bad for naive searches. */
START_TEST(many_keys_are_compared_in_order_n_log_n)
{
    struct vdl_any v;
    size_t n = 300000, i;

    begin();
    put_hex("5104 040106e1 52");
    vom_buf_put_uint(&out, 4 + 9 * n);
    vom_buf_put_uint(&out, n);
    for (i = 0; i < n; i++) {
        uint64_t k = (i * UINT64_C(0x9E3779B97F4A7C15)) | UINT64_C(1) << 63;

        vom_buf_put_uint(&out, k);
    }
    ck_assert_int_eq(finish(NULL, NULL, &v), 0);
    ck_assert_uint_le(((const struct vdl_list *)v.val)->n, n);
}
END_TEST

/* A message may name a type many times without defining it: no look-up. */
START_TEST(unused_list_entries_cost_little)
{
    size_t n = 100000, i;

    begin();
    put_hex("5104 03010fe1 52");
    vom_buf_put_uint(&out, n);
    for (i = 0; i < n; i++)
        put_hex("63");
    put_hex("00 01 00");
    ck_assert_int_eq(finish_any(NULL), 0);
    ck_assert_uint_lt(mem.peak, 4 * MIB);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, huge_counts_allocate_nothing, 0, 7);
    tcase_add_test(tc, least_size_of_elements_is_known);
    tcase_add_test(tc, huge_array_type_is_refused);
    tcase_add_test(tc, exponential_struct_is_refused_at_once);
    tcase_add_test(tc, wide_dag_is_decoded_in_linear_time);
    tcase_add_test(tc, amplification_is_bounded);
    tcase_add_test(tc, arena_budget_is_kept);
    tcase_add_test(tc, repeated_large_fields_are_bounded);
    tcase_add_test(tc, depth_of_values_is_limited);
    tcase_add_test(tc, depth_counts_when_skipping_and_converting);
    tcase_add_test(tc, depth_of_anys_is_limited);
    tcase_add_test(tc, deep_type_graphs_are_handled);
    tcase_add_test(tc, message_sizes_are_limited);
    tcase_add_test(tc, type_streams_are_limited);
    tcase_add_test(tc, device_limits_hold);
    tcase_add_test(tc, trickling_header_is_cheap);
    tcase_add_test(tc, many_keys_are_compared_in_order_n_log_n);
    tcase_add_test(tc, unused_list_entries_cost_little);
}

int main(void)
{
    return run_suite("libvom/limits", fill);
}
