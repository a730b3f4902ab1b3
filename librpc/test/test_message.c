/* BSD-3-Clause; see LICENSE. */
/* Frame headers, messages, binding. The full set of encodings is in
 * test/vectors/rpc. */
#include <check.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>
#include <vrpc/message.h>

static struct v23_buf out;

static void setup(void)
{
    v23_buf_init(&out, NULL, SIZE_MAX);
}

static void teardown(void)
{
    v23_buf_fini(&out);
}

/* Decode a message kept by hex(). */
static struct vrpc_msg decode(const char *text)
{
    struct v23_bytes b = hex(text);
    struct vrpc_msg m;

    ck_assert_int_eq(vrpc_msg_decode(b.p, b.n, &m, NULL), 0);
    return m;
}

static void encodes_to(const struct vrpc_msg *m, const char *text)
{
    struct v23_bytes b = hex(text);

    v23_buf_cut(&out, 0);
    vrpc_msg_encode(m, &out);
    ck_assert_int_eq(out.err, 0);
    ck_assert_str_eq(unhex(out.p, out.n), unhex(b.p, b.n));
}

START_TEST(frame_header_is_the_complement)
{
    uint8_t p[3];

    ck_assert_int_eq(vrpc_frame_put(p, 26), 0);
    ck_assert_str_eq(unhex(p, 3), "ffffe5");
    ck_assert_uint_eq(vrpc_frame_get(p), 26);
    ck_assert_int_eq(vrpc_frame_put(p, VRPC_FRAME_MAX), 0);
    ck_assert_uint_eq(vrpc_frame_get(p), VRPC_FRAME_MAX);
    ck_assert_int_eq(vrpc_frame_put(p, (size_t)VRPC_FRAME_MAX + 1),
        V23_EFRAME);
}
END_TEST

/* The examples of spec/rpc.md 4.5. */
START_TEST(examples_decode_and_encode)
{
    static const char open[] = "790bfe1000020301627965";
    static const char release[] = "780afe080a0cfe02a0fe012c00";
    struct vrpc_msg m;
    struct v23_bytes rest;
    uint64_t id, n;

    m = decode("7d627965");
    ck_assert_uint_eq(m.u.text.n, 3);
    encodes_to(&m, "7d627965");

    m = decode(open);
    ck_assert_uint_eq(m.u.open_flow.id, 11);
    ck_assert_uint_eq(m.u.open_flow.counters, 4096);
    ck_assert_uint_eq(m.u.open_flow.bkey, 2);
    ck_assert_uint_eq(m.u.open_flow.dkey, 3);
    ck_assert_uint_eq(m.u.open_flow.flags, VRPC_FLOW_CLOSE);
    ck_assert_mem_eq(m.u.open_flow.payload.p, "bye", 3);
    encodes_to(&m, open);

    m = decode("770a02");
    ck_assert_uint_eq(m.u.data.flags, VRPC_FLOW_CLEAR);
    encodes_to(&m, "770a02");

    m = decode(release);
    rest = m.u.counters;
    ck_assert_int_eq(vrpc_release_next(&rest, &id, &n), 0);
    ck_assert(id == 10 && n == 2058);
    ck_assert_int_eq(vrpc_release_next(&rest, &id, &n), 0);
    ck_assert(id == 12 && n == 672);
    ck_assert_int_eq(vrpc_release_next(&rest, &id, &n), 0);
    ck_assert(id == 300 && n == 0);
    ck_assert_int_eq(vrpc_release_next(&rest, &id, &n), V23_EEOF);
    encodes_to(&m, release);

    m = decode("7a010000000000");
    ck_assert_uint_eq(m.u.auth.bkey, 1);
    ck_assert_uint_eq(m.u.auth.r.n + m.u.auth.s.n, 0);
    encodes_to(&m, "7a010000000000");
}
END_TEST

START_TEST(clear_payload_is_left_out)
{
    struct vrpc_msg m = decode("770a00aabb");

    m.u.data.flags = VRPC_FLOW_CLEAR;

    encodes_to(&m, "770a02");
}
END_TEST

START_TEST(faults_have_ids)
{
    static const struct {
        const char *hex;
        enum vrpc_msg_fault fault;
        const char *id;
    } v[] = { { "", VRPC_FAULT_INVALID,
                  "v.io/v23/flow/messages.InvalidMsg" },
        { "7f", VRPC_FAULT_UNKNOWN, "v.io/v23/flow/messages.UnknownMsg" },
        { "7e0b0e0400", VRPC_FAULT_SETUP_OPTION,
            "v.io/v23/flow/messages.InvalidSetupOption" },
        { "790a01000000", VRPC_FAULT_BLESSINGS,
            "v.io/v23/flow/messages.MissingBlessings" },
        { "7a000000000000", VRPC_FAULT_BLESSINGS,
            "v.io/v23/flow/messages.MissingBlessings" } };
    struct v23_bytes b = hex(v[_i].hex);
    enum vrpc_msg_fault fault = 0;
    struct vrpc_msg m;

    ck_assert_int_eq(vrpc_msg_decode(b.p, b.n, &m, &fault), V23_EMSG);

    ck_assert_int_eq(fault, v[_i].fault);
    ck_assert_str_eq(vrpc_msg_fault_id(fault), v[_i].id);
}
END_TEST

/* One of each kind, complete. */
static const char *const whole[] = {
    "7e0b0e0120000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
    "1d1e1f033140364074637040683a3140403030303030303030303030303030303030"
    "30303030303030303030303030303740734040400404fd0100000504fd100000",
    "7a01000253310653484132353602aabb02ccdd", "790bfe1000020301627965",
    "780afe080a0cfe02a0fe012c00", "770d016c61737420776f726473"
};

START_TEST(every_truncation_is_safe)
{
    struct v23_bytes b = hex(whole[_i]);
    struct vrpc_msg m;
    uint8_t *copy;
    size_t n;

    for (n = 0; n <= b.n; n++) {
        copy = malloc(n + 1); /* exact: sanitizers see over-reads */
        copy = realloc(copy, n == 0 ? 1 : n);
        memcpy(copy, b.p, n);
        if (vrpc_msg_decode(copy, n, &m, NULL) == 0) {
            v23_buf_cut(&out, 0);
            vrpc_msg_encode(&m, &out);
        }
        free(copy);
    }
}
END_TEST

START_TEST(every_mutation_is_safe)
{
    struct v23_bytes b = hex(whole[_i]);
    struct vrpc_msg m, again;
    size_t i;
    int bit;

    for (i = 0; i < b.n; i++) {
        for (bit = 0; bit < 8; bit++) {
            uint8_t copy[256];

            ck_assert_uint_le(b.n, sizeof(copy));
            memcpy(copy, b.p, b.n);
            copy[i] ^= (uint8_t)(1u << bit);
            if (vrpc_msg_decode(copy, b.n, &m, NULL) != 0)
                continue;
            /* What decodes can be encoded, and means the same again. */
            v23_buf_cut(&out, 0);
            vrpc_msg_encode(&m, &out);
            ck_assert_int_eq(out.err, 0);
            ck_assert_int_eq(vrpc_msg_decode(out.p, out.n, &again, NULL), 0);
            ck_assert_uint_eq(again.type, m.type);
        }
    }
}
END_TEST

START_TEST(setup_takes_the_last_option_and_pads_keys)
{
    struct vrpc_msg m = decode("7e0a0e 0104aabbccdd 040105 040109 0902ffff");

    ck_assert_uint_eq(m.u.setup.mtu, 9);
    ck_assert(m.u.setup.has_key);
    ck_assert_uint_eq(m.u.setup.key[3], 0xdd);
    ck_assert_uint_eq(m.u.setup.key[4], 0);
    ck_assert_uint_eq(m.u.setup.nunknown, 1);
    encodes_to(&m, "7e0a0e 0120 aabbccdd00000000 0000000000000000"
        "0000000000000000 0000000000000000 040109 0902ffff");
}
END_TEST

START_TEST(setup_limits_unknown_options)
{
    struct v23_bytes b = hex("7e0b0e 0a00 0a00 0a00 0a00 0a00 0a00 0a00 0a00"
        "0a00");
    struct vrpc_msg m;

    ck_assert_int_eq(vrpc_msg_decode(b.p, b.n - 2, &m, NULL), 0);
    ck_assert_int_eq(vrpc_msg_decode(b.p, b.n, &m, NULL), V23_ELIMIT);
}
END_TEST

START_TEST(setup_limits_endpoints)
{
    struct vrpc_msg m;
    size_t i;

    /* 5,000 bytes; then 4,000 bytes of too many routes. */
    v23_buf_put(&out, hex("7e0b0e 02 fe1388").p, 7);
    for (i = 0; i < 5000; i++)
        v23_buf_put_byte(&out, 'a');
    ck_assert_int_eq(vrpc_msg_decode(out.p, out.n, &m, NULL), V23_ELIMIT);
    v23_buf_cut(&out, 0);
    v23_buf_put(&out, hex("7e0b0e 02 fe0fa0").p, 7);
    v23_buf_puts(&out, "@6@tcp@h:1@");
    for (i = 0; i < 3980; i++)
        v23_buf_put_byte(&out, ',');
    v23_buf_puts(&out, "@@s@@@@@@");
    ck_assert_int_eq(out.err, 0);
    ck_assert_int_eq(vrpc_msg_decode(out.p, out.n, &m, NULL), V23_ELIMIT);
}
END_TEST

START_TEST(versions_negotiate_the_smaller_maximum)
{
    uint64_t v = 0;

    ck_assert_int_eq(vrpc_negotiate(11, 14, 10, 13, &v), 0);
    ck_assert_uint_eq(v, 13);
    ck_assert_int_eq(vrpc_negotiate(11, 14, 14, 20, &v), 0);
    ck_assert_uint_eq(v, 14);
    ck_assert_int_eq(vrpc_negotiate(11, 14, 10, 10, &v), V23_ERPCVERSION);
    ck_assert_int_eq(vrpc_negotiate(11, 13, 14, 15, &v), V23_ERPCVERSION);
}
END_TEST

static void key(struct vrpc_setup *s, uint8_t c)
{
    memset(s, 0, sizeof(*s));
    memset(s->key, c, sizeof(s->key));
    s->has_key = true;
    s->min_version = 11;
    s->max_version = 14;
    s->mtu = 65536;
}

START_TEST(binding_below_14_is_the_sorted_keys)
{
    struct vrpc_setup d, a;

    key(&d, 9);
    key(&a, 3);

    ck_assert_int_eq(vrpc_binding(13, &d, &a, false, &out), 0);

    ck_assert_uint_eq(out.n, 64);
    ck_assert_uint_eq(out.p[0], 3);
    ck_assert_uint_eq(out.p[63], 9);
}
END_TEST

START_TEST(binding_of_an_encapsulated_dialer_has_no_routes)
{
    static const char ep[] = "@6@tcp@h:1@p1,p2@"
                             "00000000000000000000000000000007@s@@@";
    static const char bare[] = "@6@tcp@h:1@@"
                               "00000000000000000000000000000007@s@@@";
    struct vrpc_setup d, a;
    struct v23_buf other;

    key(&d, 9);
    key(&a, 3);
    v23_buf_init(&other, NULL, SIZE_MAX);
    d.remote = v23_bytes(bare, sizeof(bare) - 1);
    ck_assert_int_eq(vrpc_binding(14, &d, &a, false, &other), 0);
    d.remote = v23_bytes(ep, sizeof(ep) - 1);

    ck_assert_int_eq(vrpc_binding(14, &d, &a, true, &out), 0);

    ck_assert_uint_eq(out.n, other.n);
    ck_assert_mem_eq(out.p, other.p, out.n);
    v23_buf_cut(&out, 0);
    ck_assert_int_eq(vrpc_binding(14, &d, &a, false, &out), 0);
    ck_assert_uint_ne(out.n, other.n);
    v23_buf_fini(&other);
}
END_TEST

START_TEST(encoding_reports_a_full_buffer)
{
    struct vrpc_msg m = decode(whole[_i]);
    uint8_t mem[256];
    struct v23_buf b;
    size_t n;

    encodes_to(&m, whole[_i]);
    for (n = 0; n < out.n; n++) {
        v23_buf_init_fixed(&b, mem, n);
        vrpc_msg_encode(&m, &b);
        ck_assert_int_eq(b.err, V23_ENOSPC);
    }
}
END_TEST

START_TEST(longest_headers_fit)
{
    struct vrpc_open_flow m;
    uint8_t p[VRPC_OPEN_HEADER_MAX + 1], q[VRPC_DATA_HEADER_MAX + 1];

    memset(p, 0xa5, sizeof(p));
    memset(q, 0xa5, sizeof(q));
    m.id = m.counters = m.bkey = m.dkey = m.flags = UINT64_MAX;
    m.payload = v23_bytes(NULL, 0);

    ck_assert_uint_eq(vrpc_open_header(p, &m), VRPC_OPEN_HEADER_MAX);
    ck_assert_uint_le(vrpc_data_header(q, UINT64_MAX, UINT64_MAX),
        VRPC_DATA_HEADER_MAX);

    ck_assert_uint_eq(p[VRPC_OPEN_HEADER_MAX], 0xa5);
    ck_assert_uint_eq(q[VRPC_DATA_HEADER_MAX], 0xa5);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("librpc/message");
    TCase *tc = tcase_create("message");
    int n = (int)(sizeof(whole) / sizeof(whole[0]));

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, frame_header_is_the_complement);
    tcase_add_test(tc, examples_decode_and_encode);
    tcase_add_test(tc, clear_payload_is_left_out);
    tcase_add_loop_test(tc, faults_have_ids, 0, 5);
    tcase_add_loop_test(tc, every_truncation_is_safe, 0, n);
    tcase_add_loop_test(tc, every_mutation_is_safe, 0, n);
    tcase_add_test(tc, setup_takes_the_last_option_and_pads_keys);
    tcase_add_test(tc, setup_limits_unknown_options);
    tcase_add_test(tc, setup_limits_endpoints);
    tcase_add_test(tc, versions_negotiate_the_smaller_maximum);
    tcase_add_test(tc, binding_below_14_is_the_sorted_keys);
    tcase_add_test(tc, binding_of_an_encapsulated_dialer_has_no_routes);
    tcase_add_loop_test(tc, encoding_reports_a_full_buffer, 0, n);
    tcase_add_test(tc, longest_headers_fit);
    suite_add_tcase(s, tc);
    return tst_run(s);
}
