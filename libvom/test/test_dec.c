/* BSD-3-Clause; see LICENSE. */
/* Decoder: values, type messages, broken input. */
#include "codec_test.h"

/* Streams with all that the format has, used as seeds of broken ones. */
static const char *const streams[] = {
    /* []any{uint16(300), nil, []any{"x"}, ex.Id uint16(7)} */
    "81 51 04 03010fe1 53 0b 00 00 05 65782e4964 01 04 e1 52"
    "04 04 29 03 2a 04 03 05 02 01 11 04 00 00 fe012c e0"
    "01 01 01 02 02 01 78 03 03 07",
    /* ex.Node, recursive */
    "81 e2 53 04 03 01 29 e1 51 19 06 00 07 65782e4e6f6465 01 02"
    "00 01 56 01 03 e1 00 01 4b 01 2a e1 e1 52 0a 00 01 61 01 01"
    "00 01 62 e1 e1",
    /* ex.A: a typeobject */
    "81 51 16 06 00 04 65782e41 01 02 00 01 54 01 0e e1 00 01 4e 01 02 e1 e1"
    "55 0a 00 00 04 65782e4b 01 03 e1 53 04 03 01 2b e1"
    "52 01 2a 06 00 00 01 ff81 e1",
    /* ?ex.W: optional, bytes, array of floats */
    "81 55 06 02 01 0a 02 02 e1 53 16 06 00 04 65782e57 01 02"
    "00 01 42 01 27 e1 00 01 46 01 2b e1 e1 51 04 08 01 2a e1"
    "52 08 00 01 80 01 00 00 40 e1",
    /* ex.U: union, enum */
    ("81 53 10 01 00 04 65782e45 01 02 02 4c6f 02 4869 e1 51 16 07 00 04"
     "65782e55 01 02 00 01 49 01 09 e1 00 01 53 01 2a e1 e1 52 02 01 01"),
    /* map[int8]set[bool], named of named */
    "81 53 04 04 01 01 e1 51 06 05 01 10 02 2a e1 52 04 01 03 01 01",
    "81 5109 00 0003782e41 0108e1 5309 00 0003782e42 0129e1 540a",
};
#define STREAMS (sizeof(streams) / sizeof(*streams))

static const char *const texts[STREAMS] = {
    "[]any{uint16(300), nil, []any{\"x\"}, ex.Id uint16(7)}",
    "ex.Node struct{V string;K []ex.Node}{V: \"a\", K: {{V: \"b\", K: {}}}}",
    "ex.A struct{T typeobject;N byte}{T: []ex.K string, N: 129}",
    "?ex.W struct{B []byte;F [2]float32}({B: \"\\x80\", F: {0, 2}})",
    "ex.U union{I int64;S ex.E enum{Lo;Hi}}{S: Hi}",
    "map[int8]set[bool]{-2: {true}}",
    "x.B int32(5)",
};

START_TEST(stream_is_decoded)
{
    ck_assert_str_eq(dec(streams[_i]), texts[_i]);
}
END_TEST

/* ---- broken streams ------------------------------------------------------ */

/* Input in memory of its exact size, so that reading beyond it is caught. */
static int decode_exact(const uint8_t *p, size_t n, struct vdl_any *v)
{
    uint8_t *copy = malloc(n + 1);
    int rc;

    memcpy(copy, p, n);
    rc = vom_decode_single(copy, n, NULL, &arena, NULL, v, NULL);
    free(copy);
    return rc;
}

START_TEST(every_prefix_is_an_error)
{
    struct v23_bytes b = hex(streams[_i]);
    struct vdl_any v = { NULL, NULL };
    size_t n;

    for (n = 0; n < b.n; n++) {
        ck_assert_int_eq(decode_exact(b.p, n, &v), V23_EEOF);
        ck_assert_ptr_null(v.type);
    }
    ck_assert_uint_eq(arena.used, 0);
    ck_assert_int_eq(decode_exact(b.p, b.n, &v), 0);
}
END_TEST

/* What is accepted must be a proper value: it encodes and comes back. */
static void check_value(struct vdl_any v)
{
    struct vdl_any again = { NULL, NULL };
    struct v23_buf b;
    const char *s = any_text(v);

    v23_buf_init(&b, &mem.al, 1u << 20);
    ck_assert_int_eq(vom_encode_single(&mem.al, &vdl_any_desc, &v, &b), 0);
    ck_assert_int_eq(decode_exact(b.p, b.n, &again), 0);
    /* -0 is lost in struct fields */
    if (strstr(s, "-0") == NULL)
        ck_assert_str_eq(any_text(again), s);
    v23_buf_fini(&b);
}

START_TEST(every_mutated_byte_is_survived)
{
    struct v23_bytes b = hex(streams[_i]);
    uint8_t *copy = malloc(b.n);
    struct vdl_any v;
    unsigned x;
    size_t i;
    int rc;

    for (i = 0; i < b.n; i++) {
        for (x = 1; x < 256; x++) {
            memcpy(copy, b.p, b.n);
            copy[i] ^= (uint8_t)x;
            memset(&v, 0, sizeof(v));
            rc = decode_exact(copy, b.n, &v);
            if (rc == 0)
                check_value(v);
            else
                ck_assert_int_lt(rc, 0);
            v23_arena_reset(&arena);
        }
    }
    free(copy);
}
END_TEST

START_TEST(every_lost_or_added_byte_is_survived)
{
    struct v23_bytes b = hex(streams[_i]);
    uint8_t *copy = malloc(b.n + 1);
    struct vdl_any v;
    unsigned x;
    size_t i;

    for (i = 1; i < b.n; i++) {
        memcpy(copy, b.p, i);
        memcpy(copy + i, b.p + i + 1, b.n - i - 1);
        memset(&v, 0, sizeof(v));
        if (decode_exact(copy, b.n - 1, &v) == 0)
            check_value(v);
        memcpy(copy + i + 1, b.p + i, b.n - i);
        for (x = 0; x < 256; x++) {
            copy[i] = (uint8_t)x;
            memset(&v, 0, sizeof(v));
            if (decode_exact(copy, b.n + 1, &v) == 0)
                check_value(v);
        }
        v23_arena_reset(&arena);
    }
    free(copy);
}
END_TEST

struct broken {
    int rc;
    const char *stream;
};

static const struct broken broken[] = {
    /* version, control bytes */
    { V23_EEOF, "" },
    { V23_EEOF, "81" },
    { V23_EVERSION, "80 0201" },
    { V23_EVERSION, "02 01" },
    { V23_ECONTROL, "81 e0 0201" },
    { V23_ECONTROL, "81 80 0201" },
    { V23_ECONTROL, "81 e2 0201" },
    { V23_EINT, "81 f0 0201" },
    { V23_ECONTROL, "81 0c e1" },
    /* values of their kind */
    { V23_EINT, "81 0202" },
    { V23_EINT, "81 02ff" },
    { V23_EINT, "81 04 fe0100" },
    { V23_EINT, "81 08 fd010000" },
    { V23_EINT, "81 0a fb0100000000" },
    { V23_EINT, "81 20 fe0100" },
    { V23_EINT, "81 0e fd010000" },
    { V23_EINT, "81 10 fb0100000001" },
    { V23_EINT, "81 14 f8ffffffffffffef7f" },
    { V23_EINDEX, "81 510d 010003782e450102016101 62e1 5202" },
    { V23_EINDEX, "81 5102 06e1 5201 00" },
    { V23_EINDEX, "81 510f 070003782e5501010001410108e1e1 52020102" },
    /* ids */
    { V23_EID, "81 00" },
    { V23_EID, "81 1800" },
    { V23_EID, "81 5200" },
    { V23_EID, "81 5104 030108e1 5104 030108e1 5200" },
    { V23_EID, "81 4f04 030108e1 500100" },
    { V23_EID, "81 5104 03012ae1 520100" },
    { V23_EID, "81 5104 03010ce1 520100" },
    { V23_EID, "81 1c 01 32 00" },
    { V23_EID, "81 e25304 030129e1 5401 00" },
    { V23_EINDEX, "81 1c 01 08 01" },
    { V23_EINDEX, "81 1c 00 00" },
    /* type messages */
    { V23_EWIRETYPE, "81 5104 090108e1 520100" },
    { V23_EWIRETYPE, "81 5104 030208e1 520100" },
    { V23_EWIRETYPE, "81 5105 030108e100 520100" },
    { V23_EWIRETYPE, "81 5103 030108 520100" },
    { V23_EWIRETYPE, "81 5104 000108e1 5200" },
    { V23_EWIRETYPE, "81 5106 010105 0161 e1 5200" },
    { V23_ETYPE, "81 5109 000003782e41 010fe1 52000001e0" },
    { V23_ETYPE, "81 5109 000003782e41 0129e1 5200" },
    { V23_ETYPE, "81 5104 030129e1 520100" },
    { V23_ETYPE, "81 5104 080108e1 5201e0" },
    { V23_ETYPE, "81 5104 04010fe1 520000 0100" },
    { V23_ETYPE, "81 510c 010003782e450102016100e1 5200" },
    { V23_ETYPE, "81 5102 07e1 520100" },
    /* lengths */
    { V23_ELENGTH, "81 06 fc40000001" },
    { V23_ELENGTH, "81 4e fc40000001" },
    { V23_ELENGTH, "81 50 fc40000001" },
    { V23_ELENGTH, "81 51 fc40000001" },
    { V23_ELENGTH, "81 5104 030108e1 52 f8ffffffffffffffff 0102" },
    { V23_ELENGTH, "81 5104 030108e1 5204 01020000" },
    { V23_EEOF, "81 5104 030108e1 5200" },
    { V23_EEOF, "81 5104 030108e1 5202 01ff" },
    { V23_ELENGTH, "81 5104 030108e1 5202 0202" },
    { V23_ELENGTH, "81 5106 0201080202e1 5203 020204" },
    { V23_ELENGTH, "81 5106 0201020202e1 52020102" },
    { V23_ELENGTH, "81 0201 00" },
    /* any */
    { V23_EINDEX, "81 5104 03010fe1 52 0108 0101 04 01010002" },
    { V23_EINDEX, "81 5104 03010fe1 52 0108 0101 04 01000102" },
    { V23_EID, "81 5104 03010fe1 52 0163 0101 04 01000002" },
    { V23_ELENGTH, "81 5104 03010fe1 52 0108 01fc40000001 04 01000002" },
    { V23_ELENGTH, "81 5104 03010fe1 52 0108 0102 04 01000006" },
};

START_TEST(broken_stream_has_its_error)
{
    ck_assert_int_eq(dec_error(broken[_i].stream), broken[_i].rc);
}
END_TEST

START_TEST(any_lengths_are_checked_unless_lax)
{
    struct v23_bytes b = hex("81 5104 03010fe1 52 0108 014d 04 01000006");
    struct vom_options lax = vom_options_host;
    struct vdl_any v;

    lax.lax_any_lengths = true;
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v, NULL),
        V23_ELENGTH);
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, &lax, &arena, NULL, &v, NULL), 0);
    ck_assert_str_eq(any_text(v), "[]any{int32(3)}");
}
END_TEST

START_TEST(without_converter_types_must_be_equal)
{
    static const struct vom_options plain = { .limits = VOM_LIMITS_HOST };
    struct v23_bytes b = hex("81 5104 030108e1 52 02 0106");
    struct vdl_int32_list ints;
    const struct vdl_type *t, *other;
    struct vdl_types *set;
    struct vdl_any v;

    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &set), 0);
    ck_assert_int_eq(vdl_types_list(set, &vdl_int32_desc, &t), 0);
    ck_assert_int_eq(vdl_types_list(set, &vdl_int64_desc, &other), 0);

    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, &plain, &arena, NULL, &v, NULL), 0);
    ck_assert_str_eq(any_text(v), "[]int32{3}");
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, &plain, &arena, t, &ints, NULL), 0);
    ck_assert_int_eq(ints.n, 1);
    ck_assert_int_eq(ints.v[0], 3);
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, &plain, &arena, other, &ints, NULL),
        V23_ECOMPAT);
    vdl_types_unref(set);
}
END_TEST

/* ---- unusual but right --------------------------------------------------- */

static const struct {
    const char *stream, *text;
} unusual[] = {
    { "81 fe000201", "true" },
    { "81 1e 0108 0101 03 00000a", "int32(5)" },
    { "81 5104 03010fe1 52 0108 0101 07 02 000006 000008",
        "[]any{int32(3), int32(4)}" },
    { "81 fe07cf04 030108e1 fe07d0 020102", "[]int32{1}" },
    { "81 5104 030102e1 52 0201c8", "[]byte(\"\\x01\\xc8\")" },
    { "81 5109 0301080003782e4ce1 5202010a", "x.L []int32{5}" },
    { "81 510f 060003782e5301010001410108e1e1 53 09 000003782e54 0129e1"
      "54 03 000ae1",
        "x.T struct{A int32}{A: 5}" },
    { "81 510f 060003782e5301010001410108e1e1 52 09 0002 0004 0006 0008 e1",
        "x.S struct{A int32}{A: 4}" },
    { "81 5106 05010302 08e1 52 07 02 016b02 016b04",
        "map[string]int32{\"k\": 2}" },
    { "81 5104 040108e1 52 05 04 02040204", "set[int32]{1, 2}" },
    /* a type that is only ever flagged incomplete is whole all the same */
    { "81 e25104 030108e1 5202010a", "[]int32{5}" },
};

START_TEST(unusual_stream_is_decoded)
{
    ck_assert_str_eq(dec(unusual[_i].stream), unusual[_i].text);
}
END_TEST

/* The second of a struct's equal fields replaces the first entirely. */
START_TEST(last_field_wins_without_remains)
{
    static const char types_[] =
        "81 5310 06 01 02 00 01 41 01 08 e1 00 01 42 01 03 e1 e1"
        "5110 06 01 02 00 01 58 01 2a e1 00 01 59 01 28 e1 e1 ";
    char s[200];

    snprintf(s, sizeof(s), "%s %s", types_,
        "52 15 00 0002 010161e1 01 020162 0163 00 010164e1 01 00 e1");
    ck_assert_str_eq(dec(s),
        "struct{X struct{A int32;B string};Y []string}"
        "{X: {A: 0, B: \"d\"}, Y: {}}");
}
END_TEST

START_TEST(many_duplicate_keys_leave_the_last)
{
    const struct entry {
        uint16_t key, val;
    } *e;
    const struct vdl_list *l;
    struct vdl_any v = { NULL, NULL };
    struct v23_buf b;
    unsigned i;

    /* keys 0..39 three times, in changing order; the last round counts */
    v23_buf_init(&b, &mem.al, 4096);
    v23_buf_put(&b, "\x81\x51\x06\x05\x01\x04\x02\x04\xe1\x52\xff\xf1", 12);
    vom_buf_put_uint(&b, 120);
    for (i = 0; i < 120; i++) {
        vom_buf_put_uint(&b, i < 80 ? (i * 7) % 40 : 119 - i);
        vom_buf_put_uint(&b, i);
    }
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v, NULL), 0);
    l = v.val;
    ck_assert_uint_eq(l->n, 40);
    for (i = 0, e = l->v; i < 40; i++, e++) {
        ck_assert_uint_eq(e->key, 39 - i);
        ck_assert_uint_eq(e->val, 80 + i);
    }
    v23_buf_fini(&b);
}
END_TEST

START_TEST(nan_keys_are_all_kept)
{
    ck_assert_str_eq(dec("81 5104 04010be1 52 07 02 fef87f fef87f"),
        "set[float64]{NaN, NaN}");
    ck_assert_str_eq(dec("81 5104 04010be1 52 04 02 00 ff80"),
        "set[float64]{-0}");
    /* enough to be sorted: NaN must not come between equal keys */
    ck_assert_str_eq(dec("81 5104 04010be1 52 18 0b fef83f fef87f fef03f"
                         "fef87f 00 fef83f 00 ff40 ff40 00 00"),
        "set[float64]{0, 1, 1.5, 2, NaN, NaN}");
}
END_TEST

/* ---- types of values ----------------------------------------------------- */

START_TEST(known_types_are_recognised)
{
    static const struct vdl_field fields[] = { { VDL_STR_INIT("A"),
        &vdl_int32_desc, 0 } };
    static const struct vdl_type s = { .kind = VDL_STRUCT,
        .flags = VDL_T_FLAT, .align = 4, .size = 4, .count = 1,
        .name = VDL_STR_INIT("x.S"), .fields = fields };
    static const struct vdl_type *const all[] = { &vdl_bool_desc, &s };
    struct vom_options opt = vom_options_host;
    struct v23_bytes b = hex(
        "81 510f 060003782e5301010001410108e1e1 5304 03010fe1"
        "54 022908 020301 09 02 0000000ae1 01010c");
    const struct vdl_any *elems;
    struct vdl_any v;

    opt.known.types = all;
    opt.known.n = 2;
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, &opt, &arena, NULL, &v, NULL), 0);
    ck_assert_ptr_eq(v.type, &vdl_any_list_desc);
    elems = ((const struct vdl_list *)v.val)->v;
    ck_assert_ptr_eq(elems[0].type, &s);
    ck_assert_int_eq(*(const int32_t *)elems[0].val, 5);
    ck_assert_ptr_eq(elems[1].type, &vdl_int32_desc);
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v, NULL), 0);
    elems = ((const struct vdl_list *)v.val)->v;
    ck_assert_ptr_ne(elems[0].type, &s);
    ck_assert(vdl_type_equal(elems[0].type, &s));
}
END_TEST

static int make_registry(const struct v23_alloc *al, void *ud)
{
    const struct vdl_type *const *roots = ud;
    struct vdl_registry r;
    int rc = vdl_registry_make(al, roots, 1, &r);

    if (rc == 0)
        vdl_registry_free(al, &r);
    return rc;
}

START_TEST(registry_holds_the_parts_of_types_once)
{
    const struct vdl_type *t = ty("x.A struct{L []x.B struct{N x.N [4]byte;"
                                  "S []string;A ?x.A;M map[x.N]bool}}");
    struct vdl_registry r;
    size_t i, j;

    ck_assert_int_eq(vdl_registry_make(&mem.al, &t, 1, &r), 0);
    ck_assert_uint_eq(r.n, 6); /* A, []B, B, N, ?A, map[N]bool */
    ck_assert_ptr_eq(r.types[r.n - 1], t);
    for (i = 0; i < r.n; i++)
        for (j = 0; j < i; j++)
            ck_assert_ptr_ne(r.types[i], r.types[j]);
    vdl_registry_free(&mem.al, &r);
    tst_out_of_memory(make_registry, &t);
}
END_TEST

START_TEST(arena_keeps_types_alive)
{
    const struct vdl_type *t;
    struct vdl_any v[3];
    struct v23_bytes b;
    size_t i;

    for (i = 0; i < 2; i++) {
        b = hex(streams[i]);
        ck_assert_int_eq(
            vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v[i], NULL), 0);
    }
    b = hex("81 5104 030108e1 1c 0129 00");
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, &vdl_typeobject_desc, &t,
            NULL), 0);
    ck_assert_str_eq(any_text(v[0]), texts[0]);
    ck_assert_str_eq(any_text(v[1]), texts[1]);
    v[2].type = &vdl_typeobject_desc;
    v[2].val = &t;
    ck_assert_str_eq(any_text(v[2]), "typeobject([]int32)");
}
END_TEST

/* Nothing but the caller's memory is used, whatever its size. */
START_TEST(fixed_arena_is_enough)
{
    struct v23_bytes b = hex(streams[_i]);
    struct vdl_any v;
    struct v23_arena fixed;
    uint8_t *space = malloc(16384);
    size_t size, good = 0;
    int rc;

    for (size = 0; size <= 16384; size += 64) {
        v23_arena_init_fixed(&fixed, space, size);
        rc = vom_decode_single(b.p, b.n, NULL, &fixed, NULL, &v, NULL);
        ck_assert(rc == 0 || rc == V23_ENOMEM);
        if (rc == 0) {
            ck_assert_str_eq(any_text(v), texts[_i]);
            good++;
        }
        v23_arena_reset(&fixed);
        v23_arena_fini(&fixed);
    }
    ck_assert_uint_gt(good, 0);
    free(space);
}
END_TEST

START_TEST(failed_decode_leaves_a_fixed_arena_usable)
{
    struct v23_bytes b = hex(streams[0]);
    uint8_t *space = malloc(65536), *copy = malloc(b.n);
    struct v23_arena fixed;
    struct vdl_any v;
    size_t i;

    v23_arena_init_fixed(&fixed, space, 65536);
    for (i = 0; i < b.n; i++) {
        memcpy(copy, b.p, b.n);
        copy[i] ^= 0x11;
        if (vom_decode_single(copy, b.n, NULL, &fixed, NULL, &v, NULL) == 0)
            (void)any_text(v);
        if (vom_decode_single(b.p, b.n, NULL, &fixed, NULL, &v, NULL) == 0)
            ck_assert_str_eq(any_text(v), texts[0]);
        if (i % 4 == 3)
            v23_arena_reset(&fixed);
    }
    v23_arena_fini(&fixed);
    free(space);
    free(copy);
}
END_TEST

/* ---- out of memory ------------------------------------------------------- */

static int decode_without_memory(const struct v23_alloc *al, void *ud)
{
    struct v23_bytes b = hex(ud);
    struct vdl_any v = { NULL, NULL };
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, al, SIZE_MAX);
    rc = vom_decode_single(b.p, b.n, NULL, &a, NULL, &v, NULL);
    if (rc != 0)
        ck_assert_ptr_null(v.type);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(every_failing_allocation_is_survived)
{
    tst_out_of_memory(decode_without_memory,
        (void *)(uintptr_t)streams[_i]);
}
END_TEST

static void fill(TCase *tc)
{
    const int n = (int)STREAMS;

    tcase_add_loop_test(tc, stream_is_decoded, 0, n);
    tcase_add_loop_test(tc, every_prefix_is_an_error, 0, n);
    tcase_add_loop_test(tc, every_mutated_byte_is_survived, 0, n);
    tcase_add_loop_test(tc, every_lost_or_added_byte_is_survived, 0, n);
    tcase_add_loop_test(tc, broken_stream_has_its_error, 0,
        sizeof(broken) / sizeof(*broken));
    tcase_add_test(tc, any_lengths_are_checked_unless_lax);
    tcase_add_test(tc, without_converter_types_must_be_equal);
    tcase_add_loop_test(tc, unusual_stream_is_decoded, 0,
        sizeof(unusual) / sizeof(*unusual));
    tcase_add_test(tc, last_field_wins_without_remains);
    tcase_add_test(tc, many_duplicate_keys_leave_the_last);
    tcase_add_test(tc, nan_keys_are_all_kept);
    tcase_add_test(tc, known_types_are_recognised);
    tcase_add_test(tc, registry_holds_the_parts_of_types_once);
    tcase_add_test(tc, arena_keeps_types_alive);
    tcase_add_loop_test(tc, fixed_arena_is_enough, 0, n);
    tcase_add_test(tc, failed_decode_leaves_a_fixed_arena_usable);
    tcase_add_loop_test(tc, every_failing_allocation_is_survived, 0, n);
}

int main(void)
{
    return run_suite("libvom/dec", fill);
}
