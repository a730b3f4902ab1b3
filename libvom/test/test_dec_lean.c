/* BSD-3-Clause; see LICENSE. */
/* The decoder for small devices. */
#include "codec_test.h"

static const struct vom_limits limits = VOM_LIMITS_MCU;

/* The text of what a stream gives, or of the error. */
static const char *lean_bytes(const struct vdl_type *t, struct v23_bytes b)
{
    void *v = v23_arena_get0(&arena, 1, t->size, 16);
    int rc = vom_decode_lean(b, &limits, &arena, t, v, NULL);

    return rc != 0 ? v23_strerror(rc) : text(t, v);
}

static const char *lean(
    const char *from, const char *constant, const char *to)
{
    return lean_bytes(ty(to), hex(enc_text(from, constant)));
}

/* The value arrives as this one. */
static void becomes(
    const char *from, const char *constant, const char *to, const char *as)
{
    ck_assert_str_eq(lean(from, constant, to), text(ty(to), val(ty(to), as)));
}

static void refused(
    const char *from, const char *constant, const char *to, int want)
{
    ck_assert_str_eq(lean(from, constant, to), v23_strerror(want));
}

/* Type and constant that are read as what they are. */
static const char *const plain[][2] = {
    {"bool", "true"},
    {"byte", "200"},
    {"uint16", "65535"},
    {"uint32", "7"},
    {"uint64", "18446744073709551615"},
    {"int8", "-128"},
    {"int16", "-2"},
    {"int32", "2147483647"},
    {"int64", "-9223372036854775808"},
    {"string", "\"text\""},
    {"string", "\"\""},
    {"[]byte", "\"octets\""},
    {"[]string", "{\"a\", \"\", \"c\"}"},
    {"p.Name string", "\"named\""},
    {"p.Id [3]byte", "{1, 2, 3}"},
    {"[2]int16", "{-1, 1}"},
    {"[][]uint32", "{{1}, {}, {2, 3}}"},
    {"p.S struct{A int64;B string}", "{A: -1, B: \"b\"}"},
    {"p.T struct{L []p.S struct{A int64;B string}}",
        "{L: {{A: 1}, {B: \"x\"}, {}}}"},
    {"p.U union{X bool;Y []byte}", "{Y: \"y\"}"},
    {"p.R struct{Next []p.R}", "{Next: {{}, {Next: {{}}}}}"},
};
#define PLAIN (sizeof(plain) / sizeof(*plain))

START_TEST(plain_values_are_read)
{
    const char *type = plain[_i][0], *constant = plain[_i][1];

    ck_assert_str_eq(lean(type, constant, type),
        text(ty(type), val(ty(type), constant)));
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    const struct vdl_type *t = ty(plain[_i][0]);
    struct v23_bytes b = hex(enc(t, val(t, plain[_i][1])));
    void *v = v23_arena_get0(&arena, 1, t->size, 16);
    size_t n, used = arena.used;

    for (n = 0; n < b.n; n++)
        ck_assert_int_ne(vom_decode_lean(
                             v23_bytes(b.p, n), &limits, &arena, t, v, NULL),
            0);
    ck_assert_uint_eq(arena.used, used);
}
END_TEST

/* What it accepts, the decoder of hosts accepts and reads alike; but that one
 * also looks at types that no value uses. */
START_TEST(damage_is_refused_or_read_as_by_the_other_decoder)
{
    const struct vdl_type *t = ty(plain[_i][0]);
    struct v23_bytes b = hex(enc(t, val(t, plain[_i][1])));
    void *v = v23_arena_get0(&arena, 1, t->size, 16);
    void *w = v23_arena_get0(&arena, 1, t->size, 16);
    uint8_t *p = v23_arena_dup(&arena, b.p, b.n);
    unsigned bit;
    size_t i;

    for (i = 0; i < b.n; i++)
        for (bit = 1; bit < 0x100; bit <<= 1) {
            p[i] = b.p[i] ^ (uint8_t)bit;
            if (vom_decode_lean(
                    v23_bytes(p, b.n), &limits, &arena, t, v, NULL) == 0 &&
                vom_decode_single(p, b.n, NULL, &arena, t, w, NULL) == 0)
                ck_assert(vdl_equal(t, v, w));
            p[i] = b.p[i];
        }
}
END_TEST

START_TEST(fields_are_matched_by_name)
{
    becomes("old.S struct{A int64;B string}", "{A: 5, B: \"b\"}",
        "new.S struct{B string;C bool;A int64}",
        "{B: \"b\", C: false, A: 5}");
    becomes("old.R struct{A []p.L string}", "{A: {\"a\"}}",
        "new.R struct{B bool;A []string}", "{A: {\"a\"}}");
}
END_TEST

START_TEST(what_nobody_wants_is_read_over)
{
    becomes("p.S struct{A float64;B p.E enum{X;Y};C ?p.O struct{I int8};"
            "D ?p.O;E map[string]int8;F set[uint16];G [2]string;H p.U "
            "union{V bool;W []p.O};I []bool;Z string}",
        "{A: 1.5, B: Y, C: {I: 1}, E: {\"k\": 2}, F: {3, 4}, G: "
        "{\"g\", \"\"}, H: {W: {{I: 1}, {}}}, I: {true, false}, Z: \"z\"}",
        "p.D struct{Z string}", "{Z: \"z\"}");
}
END_TEST

START_TEST(other_kinds_are_refused)
{
    refused("int32", "1", "int64", V23_ECOMPAT);
    refused("uint32", "1", "int32", V23_ECOMPAT);
    refused("string", "\"1\"", "int32", V23_ECOMPAT);
    refused("[]byte", "\"1\"", "[]int8", V23_ECOMPAT);
    refused("[]int8", "{1}", "[]byte", V23_ECOMPAT);
    refused("[2]byte", "{1, 2}", "[]byte", V23_ECOMPAT);
    refused("[2]byte", "{1, 2}", "[3]byte", V23_ECONVERT);
    refused("float64", "1.5", "float64", V23_ECOMPAT);
    refused("p.E enum{A;B}", "B", "p.E enum{A;B}", V23_ECOMPAT);
    refused("set[string]", "{\"a\"}", "set[string]", V23_ECOMPAT);
    refused("p.S struct{A ?p.O struct{I int8}}", "{A: {I: 1}}",
        "p.S struct{A ?p.O struct{I int8}}", V23_ECOMPAT);
    refused("p.S struct{A any;B bool}", "{A: \"x\"}", "p.D struct{B bool}",
        V23_ECOMPAT);
    refused("p.A struct{A []p.B struct{T typeobject};B bool}", "{B: true}",
        "p.D struct{B bool}", V23_ECOMPAT);
    refused("p.M struct{A map[string]any;B bool}", "{B: true}",
        "p.D struct{B bool}", V23_ECOMPAT);
    refused("p.U union{X bool;Y int8}", "{X: true}", "p.V union{Y int8}",
        V23_ECONVERT);
}
END_TEST

START_TEST(structs_that_share_no_field_are_refused)
{
    refused("p.S struct{A bool}", "{A: true}", "p.D struct{B bool}",
        V23_ECOMPAT);
    refused("p.S struct{A bool}", "{}", "p.D struct{B bool}", V23_ECOMPAT);
    becomes("p.C struct{A bool;C bool}", "{}", "p.E struct{B bool;C bool}",
        "{}");
    becomes("p.N struct{}", "{}", "p.D struct{B bool}", "{}");
}
END_TEST

/* A struct of two bools, fields as given. */
#define TWO                                                                    \
    "81 51 15 06 00 03 702e53 01 02 00 01 41 01 01 e1 00 01 42 01 01 e1 e1 "   \
    "52 05 "

START_TEST(fields_out_of_order_are_refused)
{
    const struct vdl_type *t = ty("p.S struct{A bool;B bool}");

    ck_assert_str_eq(lean_bytes(t, hex(TWO "00 01 01 01 e1")),
        text(t, val(t, "{A: true, B: true}")));
    ck_assert_str_eq(lean_bytes(t, hex(TWO "01 01 00 01 e1")),
        v23_strerror(V23_ECOMPAT));
    ck_assert_str_eq(lean_bytes(t, hex(TWO "00 01 00 01 e1")),
        v23_strerror(V23_ECOMPAT));
}
END_TEST

/* A type 41 + i that is a list of the next, or for the last of bools. */
static void put_list(struct v23_buf *b, unsigned i, uint64_t elem)
{
    struct v23_buf body;
    uint8_t space[16];

    v23_buf_init_fixed(&body, space, sizeof(space));
    v23_buf_put(&body, "\x03\x01", 2);
    vom_buf_put_uint(&body, elem);
    v23_buf_put_byte(&body, 0xE1);
    vom_buf_put_uint(b, 2 * (uint64_t)(41 + i) - 1);
    vom_buf_put_uint(b, body.n);
    v23_buf_put(b, body.p, body.n);
}

static int lists(unsigned types, unsigned first)
{
    const struct vdl_type *t = ty("p.R []p.R");
    struct v23_buf *b = scratch();
    struct vdl_list v;
    unsigned i;

    v23_buf_put_byte(b, VOM_VERSION);
    for (i = 0; i < types; i++)
        put_list(b, i, i + 1 < types ? 42 + i : 41);
    vom_buf_put_uint(b, 2 * (uint64_t)(41 + first));
    v23_buf_put(b, "\x01\x00", 2);
    ck_assert_int_eq(b->err, 0);
    return vom_decode_lean(
        v23_bytes(b->p, b->n), &limits, &arena, t, &v, NULL);
}

START_TEST(types_are_limited)
{
    ck_assert_int_eq(lists(48, 47), 0);
    ck_assert_int_eq(lists(49, 0), V23_ELIMIT);
}
END_TEST

START_TEST(members_are_limited)
{
    char type[1024];
    size_t n;
    int i, count;

    for (count = 32; count <= 33; count++) {
        n = (size_t)snprintf(type, sizeof(type), "p.S%d struct{", count);
        for (i = 0; i < count; i++)
            n += (size_t)snprintf(type + n, sizeof(type) - n, "%sF%d bool",
                i > 0 ? ";" : "", i);
        snprintf(type + n, sizeof(type) - n, "}");
        if (count == 32)
            becomes(type, "{F31: true}", "p.D struct{F31 bool}",
                "{F31: true}");
        else
            refused(type, "{F32: true}", "p.D struct{F32 bool}", V23_ELIMIT);
    }
}
END_TEST

/* Lists in lists, each of one element. */
static int nested(unsigned depth)
{
    const struct vdl_type *t = ty("p.R []p.R");
    struct v23_buf *b = scratch();
    struct vdl_list v;
    unsigned i;

    v23_buf_put_byte(b, VOM_VERSION);
    put_list(b, 0, 41);
    vom_buf_put_uint(b, 2 * (uint64_t)41);
    vom_buf_put_uint(b, depth);
    for (i = 1; i < depth; i++)
        v23_buf_put_byte(b, 1);
    v23_buf_put_byte(b, 0);
    return vom_decode_lean(
        v23_bytes(b->p, b->n), &limits, &arena, t, &v, NULL);
}

START_TEST(nesting_is_limited)
{
    ck_assert_int_eq(nested(limits.depth), 0);
    ck_assert_int_eq(nested(limits.depth + 1), V23_ELIMIT);
}
END_TEST

START_TEST(names_in_a_circle_are_refused)
{
    /* 41 is a name for 42, 42 for 41 */
    ck_assert_str_eq(lean_bytes(&vdl_bool_desc,
                         hex("81 51 07 00 00 01 61 01 2a e1 53 07 00 00 01 62 "
                             "01 29 e1 52 01")),
        v23_strerror(V23_ETYPE));
}
END_TEST

START_TEST(memory_is_limited_by_the_input)
{
    const struct vdl_type *t =
        ty("p.W struct{L []p.Wide struct{A [200]uint64;B bool}}");
    struct v23_buf *b = scratch();
    void *v = v23_arena_get0(&arena, 1, t->size, 16);
    struct v23_buf stream;

    v23_buf_init(&stream, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vom_encode_single(&mem.al, t, v, &stream), 0);
    /* The zero value ends the stream; one with 2000 empty structs instead. */
    v23_buf_put(b, stream.p, stream.n - 2);
    v23_buf_fini(&stream);
    vom_buf_put_uint(b, 4 + 2001);
    v23_buf_put(b, "\x00\xfe\x07\xd0", 4);
    memset(b->p + b->n, 0xE1, 2001);
    b->n += 2001;
    ck_assert_str_eq(lean_bytes(t, v23_bytes(b->p, b->n)),
        v23_strerror(V23_ELIMIT));
}
END_TEST

START_TEST(leftover_is_refused_or_told)
{
    uint8_t v;
    size_t used = 0;
    struct v23_bytes b = hex("81 04 07 00");

    ck_assert_int_eq(
        vom_decode_lean(b, &limits, &arena, &vdl_byte_desc, &v, NULL),
        V23_ELENGTH);
    ck_assert_int_eq(
        vom_decode_lean(b, &limits, &arena, &vdl_byte_desc, &v, &used), 0);
    ck_assert_uint_eq(used, 3);
    ck_assert_uint_eq(v, 7);
}
END_TEST

START_TEST(malformed_streams_are_refused)
{
    static const struct {
        const char *stream;
        int rc;
    } bad[] = {
        {"", V23_EEOF},
        {"80 04 07", V23_EVERSION},
        {"81", V23_EEOF},
        {"81 00", V23_EID},
        {"81 5f 07", V23_EEOF},
        {"81 52 07", V23_EID},
        {"81 e2 04 07", V23_ECONTROL},
        {"81 04 e0", V23_ECONTROL},
        {"81 04 fe 01 00", V23_EINT},
        {"81 51 05 03 01 29 e1", V23_EEOF},
        {"81 51 04 03 01 29 00 52 00", V23_EWIRETYPE},
        {"81 51 04 03 01 01 e1 51 04 03 01 01 e1", V23_EID},
        {"81 03 04 03 01 01 e1", V23_EID},
    };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_str_eq(lean_bytes(&vdl_byte_desc, hex(bad[i].stream)),
            v23_strerror(bad[i].rc));
}
END_TEST

static int out_of_memory(const struct v23_alloc *al, void *ud)
{
    const struct vdl_type *t = ud;
    struct v23_arena a;
    void *v = v23_arena_get0(&arena, 1, t->size, 16);
    int rc;

    v23_arena_init(&a, al, SIZE_MAX);
    rc = vom_decode_lean(hex(enc(t, val(t, "{L: {\"a\", \"b\"}}"))), &limits,
        &a, t, v, NULL);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(out_of_memory_is_reported)
{
    tst_out_of_memory(out_of_memory,
        (void *)(uintptr_t)ty("p.S struct{L []string}"));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, plain_values_are_read, 0, PLAIN);
    tcase_add_loop_test(tc, every_truncation_is_refused, 0, PLAIN);
    tcase_add_loop_test(
        tc, damage_is_refused_or_read_as_by_the_other_decoder, 0, PLAIN);
    tcase_add_test(tc, fields_are_matched_by_name);
    tcase_add_test(tc, what_nobody_wants_is_read_over);
    tcase_add_test(tc, other_kinds_are_refused);
    tcase_add_test(tc, structs_that_share_no_field_are_refused);
    tcase_add_test(tc, fields_out_of_order_are_refused);
    tcase_add_test(tc, types_are_limited);
    tcase_add_test(tc, members_are_limited);
    tcase_add_test(tc, nesting_is_limited);
    tcase_add_test(tc, names_in_a_circle_are_refused);
    tcase_add_test(tc, memory_is_limited_by_the_input);
    tcase_add_test(tc, leftover_is_refused_or_told);
    tcase_add_test(tc, malformed_streams_are_refused);
    tcase_add_test(tc, out_of_memory_is_reported);
}

int main(void)
{
    return run_suite("libvom/dec_lean", fill);
}
