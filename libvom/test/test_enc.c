/* BSD-3-Clause; see LICENSE. */
/* Encoder: the worked examples of the specification and its contract. */
#include <math.h>

#include "codec_test.h"

/* ---- worked examples ----------------------------------------------------- */

struct example {
    const char *type, *value, *hex;
};

static const struct example examples[] = {
    { "bool", "true", "81 02 01" },
    { "string", "\"hi\"", "81 06 02 6869" },
    { "[]byte", "\"\\xff\"", "81 4e 01 ff" },
    { "[]string", "{\"\"}", "81 50 02 01 00" },
    { "byte", "200", "81 04 ff c8" },
    { "typeobject", "typeobject(string)", "81 1c 01 03 00" },
    { "any", "nil", "81 1e 00 00 01 e0" },
    { "any", "int32(-3)", "81 10 05" },
    { "[]any", "{}", "81 5104 03010fe1 52 00 00 01 00" },
    { "[2]int16", "{0, -300}",
        "81 51 06 02 01 07 02 02 e1 52 05 00 00 fe0257" },
    { "map[int8]set[bool]", "{-2: {true}}",
        "81 53 04 04 01 01 e1 51 06 05 01 10 02 2a e1 52 04 01 03 01 01" },
    /* §5.1 and §5.2 */
    { "[]int32", "{5}", "81 5104 030108e1 5202010a" },
    { "ex.Id uint16", "1", "81 51 0b 00000565782e49640104e1 52 01" },
    { "struct{}", "{}", "81 51 02 06e1 52 01 e1" },
    { "ex.Node struct{V string;K []ex.Node}",
        "{V: \"a\", K: {{V: \"b\"}}}",
        "81 e2 53 04 03 01 29 e1 51 19 06 00 07 65782e4e6f6465 01 02"
        "00 01 56 01 03 e1 00 01 4b 01 2a e1 e1 52 0a 00 01 61 01 01"
        "00 01 62 e1 e1" },
    /* only P has no unfinished ancestor */
    { "ex.P struct{Q ?ex.Q struct{P ?ex.P;N int8}}", "{}",
        "81 e2 57 04 08 01 29 e1 e2 55 16 06 00 04 65782e51 01 02"
        "00 01 50 01 2c e1 00 01 4e 01 10 e1 e1 e2 53 04 08 01 2b e1"
        "51 10 06 00 04 65782e50 01 01 00 01 51 01 2a e1 e1 52 01 e1" },
    /* §6 */
    { "ex.U union{I int64;S ex.E enum{Lo;Hi}}", "{S: Hi}",
        "81 53 10 01 00 04 65782e45 01 02 02 4c6f 02 4869 e1 51 16 07 00 04"
        "65782e55 01 02 00 01 49 01 09 e1 00 01 53 01 2a e1 e1 52 02 01 01" },
    { "?ex.W struct{B []byte;F [2]float32}", "{B: \"\\x80\", F: {0, 2}}",
        "81 55 06 02 01 0a 02 02 e1 53 16 06 00 04 65782e57 01 02"
        "00 01 42 01 27 e1 00 01 46 01 2b e1 e1 51 04 08 01 2a e1"
        "52 08 00 01 80 01 00 00 40 e1" },
    { "?ex.W struct{B []byte;F [2]float32}", "nil",
        "81 55 06 02 01 0a 02 02 e1 53 16 06 00 04 65782e57 01 02"
        "00 01 42 01 27 e1 00 01 46 01 2b e1 e1 51 04 08 01 2a e1"
        "52 01 e0" },
    { "[]ex.Pt struct{X int32;Y int32;Tag string}", "{{}, {Y: 200}}",
        "81 53 1f 06 00 05 65782e5074 01 03 00 01 58 01 08 e1 00 01 59 01 08 e1"
        "00 03 546167 01 03 e1 e1 51 04 03 01 2a e1 52 07 02 e1 01 fe 01 90"
        "e1" },
    /* §7 */
    { "ex.A struct{T typeobject;N byte}", "{N: 129}",
        "81 51 16 06 00 04 65782e41 01 02 00 01 54 01 0e e1 00 01 4e 01 02 e1"
        "e1 52 00 04 01 ff81 e1" },
};

START_TEST(example_is_encoded)
{
    const struct example *e = &examples[_i];

    ck_assert_str_eq(enc_text(e->type, e->value), flat(e->hex));
}
END_TEST

START_TEST(anys_fill_both_lists)
{
    ty("ex.Id uint16");

    ck_assert_str_eq(
        enc(&vdl_any_list_desc,
            val(&vdl_any_list_desc,
                "{uint16(300), nil, []any{\"x\"}, \"ex\".Id(7)}")),
        flat("81 51 04 03010fe1 53 0b 00 00 05 65782e4964 01 04 e1 52"
             "04 04 29 03 2a 04 03 05 02 01 11 04 00 00 fe012c e0"
             "01 01 01 02 02 01 78 03 03 07"));
}
END_TEST

START_TEST(typeobject_value_defines_its_type)
{
    struct {
        const struct vdl_type *t;
        uint8_t n;
    } v = { NULL, 129 };
    const struct vdl_type *a = ty("ex.A struct{T typeobject;N byte}");

    v.t = ty("[]ex.K string");
    ck_assert_str_eq(enc(a, &v),
        flat("81 51 16 06 00 04 65782e41 01 02 00 01 54 01 0e e1"
             "00 01 4e 01 02 e1 e1 55 0a 00 00 04 65782e4b 01 03 e1"
             "53 04 03 01 2b e1 52 01 2a 06 00 00 01 ff81 e1"));
}
END_TEST

START_TEST(any_in_any_is_one_any)
{
    int32_t five = 5;
    struct vdl_any in = { &vdl_int32_desc, &five }, out = { &vdl_any_desc,
        &in };
    struct vdl_any nil = { NULL, NULL }, around = { &vdl_any_desc, &nil };
    struct vdl_any pair[2];
    struct vdl_list list = { pair, 2 };

    pair[0] = out;
    pair[1] = around;
    ck_assert_str_eq(enc(&vdl_any_desc, &out), "81100a");
    ck_assert_str_eq(enc(&vdl_any_desc, &around), "811e000001e0");
    ck_assert_str_eq(enc(&vdl_any_list_desc, &list),
        flat("81 5104 03010fe1 52 01 08 01 01 05 02 00 00 0a e0"));
}
END_TEST

START_TEST(optional_in_any_keeps_its_type)
{
    ty("?x.S struct{A int32}");

    ck_assert_str_eq(enc_text("struct{V any}", "{V: ?\"x\".S(nil)}"),
        flat("81 51 0a 06 01 01 00 01 56 01 0f e1 e1 55 0f 06 00 03 782e53"
             "01 01 00 01 41 01 08 e1 e1 53 04 08 01 2b e1"
             "52 01 2a 01 01 05 00 00 00 e0 e1"));
}
END_TEST

/* ---- zero values --------------------------------------------------------- */

#define ZOO "struct{A bool;B byte;C int64;D float64;E string;F enum{X;Y};" \
    "G [2]int8;H []any;I set[bool];J map[bool]bool;K struct{L [2]string};" \
    "M union{N uint16;O bool};P ?x.S struct{Q any};R any;S typeobject;" \
    "T [3]byte;U [2]float32}"

START_TEST(zero_fields_are_left_out)
{
    const struct vdl_type *t = ty(ZOO);
    uint8_t v[512] = { 0 };
    const char *s;

    ck_assert_uint_le(t->size, sizeof(v));
    s = enc(t, v);
    ck_assert_str_eq(s + strlen(s) - 10, "52000001e1");
}
END_TEST

START_TEST(nonzero_fields_are_written)
{
    static const struct {
        const char *value, *tail;
    } cases[] = {
        { "{A: true}", "0001e1" },
        { "{D: 1}", "03fef03fe1" },
        { "{F: Y}", "0501e1" },
        { "{G: {0, 1}}", "06000002e1" },
        { "{H: {nil}}", "0701e0e1" },
        { "{I: {false}}", "080100e1" },
        { "{J: {false: false}}", "09010000e1" },
        { "{K: {L: {\"\", \"a\"}}}", "0a0000000161e1e1" },
        { "{M: {O: false}}", "0b0100e1" },
        { "{M: {N: 1}}", "0b0001e1" },
        { "{P: {}}", "0ce1e1" },
        { "{R: int32(0)}", "0d000000e1" },
        { "{S: typeobject(bool)}", "0e00e1" },
        { "{T: {0, 0, 1}}", "0f00000001e1" },
        { "{U: {0, 1}}", "100000fef03fe1" },
    };
    const char *s;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        s = enc_text(ZOO, cases[i].value);
        ck_assert_msg(
            strcmp(s + strlen(s) - strlen(cases[i].tail), cases[i].tail) == 0,
            "%s: %s", cases[i].value, s);
    }
}
END_TEST

START_TEST(negative_zero_is_lost_in_fields_only)
{
    double d[2] = { -0.0, -0.0 };
    struct vdl_list list = { d, 2 };
    const struct vdl_type *list_t = ty("[]float64");

    ck_assert_str_eq(enc(ty("struct{D [2]float64}"), d),
        flat("81 53 06 02 01 0b 02 02 e1 51 0a 06 01 01 00 01 44 01 2a e1 e1"
             "52 01 e1"));
    ck_assert_str_eq(enc(list_t, &list),
        flat("81 51 04 03 01 0b e1 52 05 02 ff80 ff80"));
}
END_TEST

START_TEST(typeobject_any_in_zero_field_leaves_no_entry)
{
    ck_assert_str_eq(
        enc_text("struct{A [2]typeobject;B bool}", "{B: true}"),
        flat("81 53 06 02 01 0e 02 02 e1 51 10 06 01 02 00 01 41 01 2a e1"
             "00 01 42 01 01 e1 e1 52 00 03 01 01 e1"));
}
END_TEST

/* ---- streams ------------------------------------------------------------- */

struct split {
    struct v23_buf types, values;
    struct vom_typeenc te;
    struct vom_enc e;
};

static void split_init(struct split *s, const struct v23_alloc *al,
    bool single)
{
    v23_buf_init(&s->types, al, 1u << 20);
    v23_buf_init(&s->values, al, 1u << 20);
    vom_typeenc_init(&s->te, al, single ? &s->values : &s->types);
    vom_enc_init(&s->e, &s->te, &s->values);
}

static void split_fini(struct split *s)
{
    vom_enc_fini(&s->e);
    vom_typeenc_fini(&s->te);
    v23_buf_fini(&s->types);
    v23_buf_fini(&s->values);
}

static void put(struct split *s, const char *type, const char *constant)
{
    const struct vdl_type *t = ty(type);

    ck_assert_int_eq(vom_encode(&s->e, t, val(t, constant)), 0);
}

START_TEST(stream_sends_types_once)
{
    struct split s;

    split_init(&s, &mem.al, true);
    put(&s, "int32", "4");
    put(&s, "[]ex.K string", "{\"q\"}");
    put(&s, "ex.K string", "\"r\"");
    ck_assert_str_eq(unhex(s.values.p, s.values.n),
        flat("81 1008 530a00000465782e4b0103e1 510403012ae1 5203010171"
             "540172"));
    split_fini(&s);
}
END_TEST

START_TEST(split_streams_have_a_version_each)
{
    struct split s;

    split_init(&s, &mem.al, false);
    put(&s, "int32", "4");
    ck_assert_uint_eq(s.types.n, 0);
    put(&s, "[]ex.K string", "{\"q\"}");
    put(&s, "ex.K string", "\"r\"");
    ck_assert_str_eq(unhex(s.types.p, s.types.n),
        flat("81 530a00000465782e4b0103e1 510403012ae1"));
    ck_assert_str_eq(unhex(s.values.p, s.values.n),
        flat("81 1008 5203010171 540172"));
    split_fini(&s);
}
END_TEST

START_TEST(two_value_streams_share_types)
{
    const struct vdl_type *t = ty("[]int32");
    struct vom_enc other;
    struct v23_buf out;
    struct split s;

    split_init(&s, &mem.al, false);
    v23_buf_init(&out, &mem.al, 4096);
    vom_enc_init(&other, &s.te, &out);
    put(&s, "[]int32", "{1}");
    ck_assert_int_eq(vom_encode(&other, t, val(t, "{2}")), 0);
    ck_assert_str_eq(unhex(out.p, out.n), flat("81 52 02 01 04"));
    ck_assert_str_eq(unhex(s.types.p, s.types.n), flat("81 5104 030108e1"));
    vom_enc_fini(&other);
    v23_buf_fini(&out);
    split_fini(&s);
}
END_TEST

/* Two descriptors of one type, as two packages would have them. */
START_TEST(equal_types_share_an_id)
{
    static const struct vdl_type one = { .kind = VDL_LIST,
        .align = _Alignof(struct vdl_list), .size = sizeof(struct vdl_list),
        .elem = &vdl_int32_desc, .stride = 4 };
    static const struct vdl_type two = { .kind = VDL_LIST,
        .align = _Alignof(struct vdl_list), .size = sizeof(struct vdl_list),
        .elem = &vdl_int32_desc, .stride = 4 };
    struct vdl_list empty = { NULL, 0 };
    struct split s;

    split_init(&s, &mem.al, true);
    ck_assert_int_eq(vom_encode(&s.e, &one, &empty), 0);
    ck_assert_int_eq(vom_encode(&s.e, &two, &empty), 0);
    ck_assert_int_eq(vom_encode(&s.e, &two, &empty), 0);
    ck_assert_str_eq(unhex(s.values.p, s.values.n),
        flat("81 5104 030108e1 520100 520100 520100"));
    split_fini(&s);
}
END_TEST

START_TEST(built_in_ids_go_by_structure)
{
    static const struct vdl_type strings = { .kind = VDL_LIST,
        .align = _Alignof(struct vdl_list), .size = sizeof(struct vdl_list),
        .elem = &vdl_string_desc, .stride = sizeof(struct vdl_str) };
    static const struct vdl_type i32 = { .kind = VDL_INT32,
        .align = _Alignof(int32_t), .size = sizeof(int32_t) };
    struct vdl_list empty = { NULL, 0 };
    int32_t five = 5;

    ck_assert_str_eq(enc(&strings, &empty), flat("81 50 01 00"));
    ck_assert_str_eq(enc(&i32, &five), flat("81 10 0a"));
}
END_TEST

/* A type may be freed after the call and another one take its place. */
START_TEST(run_time_types_may_go)
{
    static const char *const texts[] = { "x.A []int32", "x.B []int64",
        "x.A []int32", "x.C []bool", "x.B []int64" };
    static const char *const ids[] = { "52", "54", "52", "56", "54" };
    struct vdl_list empty = { NULL, 0 };
    struct vdl_types *set;
    struct vdl_any any;
    struct split s;
    size_t i, at;

    split_init(&s, &mem.al, false);
    for (i = 0; i < 5; i++) {
        ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &set), 0);
        any.type = type_in(set, texts[i]);
        any.val = &empty;
        at = s.values.n == 0 ? 1 : s.values.n;
        ck_assert_int_eq(vom_encode(&s.e, any.type, any.val), 0);
        ck_assert_str_eq(unhex(s.values.p + at, 1), ids[i]);
        vdl_types_unref(set);
    }
    ck_assert_uint_eq(s.te.ntypes, 3);
    split_fini(&s);
}
END_TEST

START_TEST(settled_types_are_known_by_their_addresses)
{
    struct vdl_list empty = { NULL, 0 };
    const struct vdl_type *t, *key;
    struct vdl_types *set;
    struct split s;

    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &set), 0);
    t = type_in(set, "x.A []x.B struct{C []x.D uint32}");
    key = type_in(set, "x.E struct{F string}");
    vdl_types_settle(set);
    vdl_types_settle(NULL);
    split_init(&s, &mem.al, false);
    ck_assert_int_eq(vom_encode(&s.e, t, &empty), 0);
    ck_assert_int_eq(vom_encode(&s.e, t, &empty), 0);

    ck_assert_uint_eq(s.te.ntypes, 4);
    ck_assert_ptr_eq(s.te.types[0].type, t); /* no copy */
    ck_assert(vdl_type_can_be_key(key));
    ck_assert(!vdl_type_can_be_key(t));
    split_fini(&s);
    vdl_types_unref(set);
}
END_TEST

/* ---- contract ------------------------------------------------------------ */

#define RICH "x.R struct{A string;B []x.I uint64;C any;D map[string]any;" \
    "E []byte;F [3]x.I;G typeobject;H ?x.R;I union{J bool;K string}}"
#define RICH_VALUE "{A: \"text\", B: {1, 2, 300, 70000}, C: \"in any\", " \
    "D: {\"k\": []int32{5}, \"n\": nil, \"l\": []any{true, []string{\"s\"}}}," \
    " E: \"\\x01\\x02\", F: {7, 8, 9}, G: typeobject(set[string]), " \
    "H: {A: \"inner\"}, I: {K: \"u\"}}"

/*
 * Every size of a caller's buffer: all or nothing, and what did not fit leaves
 * no trace in the ids.
 */
static void every_room(const char *type, const char *constant)
{
    const struct vdl_type *t = ty(type);
    const void *v = val(t, constant);
    struct v23_bytes want = hex(enc(t, v));
    struct vom_typeenc te;
    struct v23_buf out;
    struct vom_enc e;
    uint8_t *space;
    size_t n;
    int rc;

    for (n = 0; n <= want.n + 2; n++) {
        space = malloc(n + 1);
        v23_buf_init_fixed(&out, space, n);
        vom_typeenc_init(&te, &mem.al, &out);
        vom_enc_init(&e, &te, &out);
        rc = vom_encode(&e, t, v);
        ck_assert_int_eq(rc, n < want.n ? V23_ENOSPC : 0);
        ck_assert_uint_eq(out.n, n < want.n ? 0 : want.n);
        ck_assert_int_eq(out.err, 0);
        if (rc == 0)
            ck_assert_int_eq(memcmp(out.p, want.p, want.n), 0);
        else
            ck_assert_uint_eq(te.ntypes, 0);
        vom_enc_fini(&e);
        vom_typeenc_fini(&te);
        free(space);
    }
}

START_TEST(every_room_fits_all_or_nothing)
{
    every_room("bool", "true");
    every_room("string", "\"some text\"");
    every_room("[]int32", "{1, 2, 3, 4, 5, 100000}");
    every_room("[]any", "{int32(1), \"x\", []int32{1, 2}}");
    every_room(RICH, RICH_VALUE);
    every_room("x.Wide struct{A int64;B int64;C int64;D int64;E int64;"
               "F int64;G int64;H int64;I int64;J int64;K int64;L int64;"
               "M int64;N int64;O int64;P int64;Q int64;R int64;S int64}",
        "{A: 1, C: 300, P: 5, Q: 6, S: 7}");
}
END_TEST

/* The same for a growing buffer's maximum and for both streams of a pair. */
START_TEST(failure_leaves_both_streams_as_they_were)
{
    const struct vdl_type *t = ty(RICH);
    const void *v = val(t, RICH_VALUE);
    struct split s, full;
    size_t n;

    split_init(&full, &mem.al, false);
    ck_assert_int_eq(vom_encode(&full.e, t, v), 0);
    for (n = 0; n < full.types.n; n++) {
        split_init(&s, &mem.al, false);
        s.types.max = n;
        ck_assert_int_eq(vom_encode(&s.e, t, v), V23_ELIMIT);
        ck_assert_uint_eq(s.types.n + s.values.n + s.te.ntypes, 0);
        s.types.max = 1u << 20;
        ck_assert_int_eq(vom_encode(&s.e, t, v), 0);
        ck_assert_uint_eq(s.types.n, full.types.n);
        ck_assert_int_eq(memcmp(s.types.p, full.types.p, s.types.n), 0);
        split_fini(&s);
    }
    for (n = 0; n < full.values.n; n++) {
        split_init(&s, &mem.al, false);
        s.values.max = n;
        ck_assert_int_eq(vom_encode(&s.e, t, v), V23_ELIMIT);
        ck_assert_uint_eq(s.types.n + s.values.n + s.te.ntypes, 0);
        s.values.max = 1u << 20;
        ck_assert_int_eq(vom_encode(&s.e, t, v), 0);
        ck_assert_uint_eq(s.values.n, full.values.n);
        ck_assert_int_eq(memcmp(s.values.p, full.values.p, s.values.n), 0);
        split_fini(&s);
    }
    split_fini(&full);
}
END_TEST

START_TEST(error_of_a_buffer_stays)
{
    struct split s;
    bool v = true;

    split_init(&s, &mem.al, false);
    s.values.err = V23_ENOMEM;
    ck_assert_int_eq(vom_encode(&s.e, &vdl_bool_desc, &v), V23_ENOMEM);
    ck_assert_int_eq(s.values.err, V23_ENOMEM);
    split_fini(&s);
}
END_TEST

START_TEST(selectors_out_of_range_are_refused)
{
    const struct vdl_type *e = ty("x.E enum{A;B}");
    const struct vdl_type *u = ty("x.U union{A bool;B bool}");
    const struct vdl_type *s = ty("x.S struct{L []x.E enum{A;B}}");
    uint8_t labels[] = { 0, 1, 2 }, which[2] = { 2, 0 };
    struct vdl_list list = { labels, 3 };
    struct split sp;

    split_init(&sp, &mem.al, true);
    ck_assert_int_eq(vom_encode(&sp.e, e, &labels[2]), V23_EARG);
    ck_assert_int_eq(vom_encode(&sp.e, u, which), V23_EARG);
    ck_assert_int_eq(vom_encode(&sp.e, s, &list), V23_EARG);
    ck_assert_uint_eq(sp.values.n, 0);
    ck_assert_uint_eq(sp.te.ntypes, 0);
    split_fini(&sp);
}
END_TEST

START_TEST(enum_of_many_labels_is_wide)
{
    static char space[300][8];
    struct vdl_type_node node = { .kind = VDL_ENUM };
    const struct vdl_type *t;
    struct vdl_str labels[300];
    uint16_t v = 299;
    const char *s;
    uint32_t i;

    for (i = 0; i < 300; i++) {
        snprintf(space[i], sizeof(space[i]), "L%u", (unsigned)i);
        labels[i] = vdl_str(space[i]);
    }
    node.labels = labels;
    node.nmembers = 300;
    ck_assert_int_eq(vdl_types_build(types, &node, 1, &t), 0);
    s = enc(t, &v);
    ck_assert_str_eq(s + strlen(s) - 8, "52fe012b");
    ck_assert(strstr(dec(s), "(L299)") != NULL);
}
END_TEST

START_TEST(depth_is_limited)
{
    const struct vdl_type *t = ty("x.RA []x.RA");
    struct vdl_list *levels = calloc(1001, sizeof(*levels));
    struct split s;
    size_t i;

    for (i = 1; i < 1001; i++) {
        levels[i].v = &levels[i - 1];
        levels[i].n = 1;
    }
    split_init(&s, &mem.al, true);
    ck_assert_int_eq(vom_encode(&s.e, t, &levels[1000]), V23_ELIMIT);
    ck_assert_uint_eq(s.values.n, 0);
    ck_assert_int_eq(vom_encode(&s.e, t, &levels[999]), 0);
    split_fini(&s);
    free(levels);
}
END_TEST

START_TEST(lengths_beyond_the_protocol_are_refused)
{
    struct vdl_list huge = { "", (1u << 30) + 1 };
    struct split s;

    split_init(&s, &mem.al, true);
    ck_assert_int_eq(vom_encode(&s.e, &vdl_string_desc, &huge), V23_ELIMIT);
    ck_assert_int_eq(vom_encode(&s.e, &vdl_bytes_desc, &huge), V23_ELIMIT);
    ck_assert_int_eq(vom_encode(&s.e, &vdl_str_list_desc, &huge), V23_ELIMIT);
    ck_assert_uint_eq(s.values.n, 0);
    split_fini(&s);
}
END_TEST

START_TEST(warm_encoding_does_not_allocate)
{
    const struct vdl_type *t = ty(RICH);
    const void *v = val(t, RICH_VALUE);
    struct split s;
    size_t calls, i;

    split_init(&s, &mem.al, false);
    for (i = 0; i < 2; i++) {
        v23_buf_cut(&s.values, 0);
        ck_assert_int_eq(vom_encode(&s.e, t, v), 0);
    }
    calls = mem.calls;
    for (i = 0; i < 100; i++) {
        v23_buf_cut(&s.values, 0);
        ck_assert_int_eq(vom_encode(&s.e, t, v), 0);
    }
    ck_assert_uint_eq(mem.calls, calls);
    split_fini(&s);
}
END_TEST

/* Static types into fixed buffers: what a small device does. */
START_TEST(few_static_types_need_no_allocator)
{
    static const struct vdl_type ids = { .kind = VDL_LIST,
        .align = _Alignof(struct vdl_list), .size = sizeof(struct vdl_list),
        .elem = &vdl_uint16_desc, .stride = 2 };
    static const struct vdl_field fields[] = {
        { VDL_STR_INIT("A"), &ids, 0 },
        { VDL_STR_INIT("B"), &vdl_any_desc, sizeof(struct vdl_list) }
    };
    static const struct vdl_type t = { .kind = VDL_STRUCT,
        .flags = VDL_T_ANY, .align = _Alignof(struct vdl_any),
        .size = sizeof(struct vdl_list) + sizeof(struct vdl_any),
        .name = VDL_STR_INIT("x.T"), .count = 2, .fields = fields };
    uint16_t n[] = { 1, 2 };
    struct {
        struct vdl_list a;
        struct vdl_any b;
    } v = { { n, 2 }, { &ids, &v.a } };
    uint8_t out[128], types_out[128];
    struct v23_buf b, tb;
    struct vom_typeenc te;
    struct vom_enc e;
    size_t calls = mem.calls;

    v23_buf_init_fixed(&b, out, sizeof(out));
    v23_buf_init_fixed(&tb, types_out, sizeof(types_out));
    vom_typeenc_init(&te, &mem.al, &tb);
    vom_enc_init(&e, &te, &b);
    ck_assert_int_eq(vom_encode(&e, &t, &v), 0);
    ck_assert_str_eq(unhex(b.p, b.n),
        flat("81 52 01 2a 01 03 0b 00 02 01 02 01 00 00 02 01 02 e1"));
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
    ck_assert_uint_eq(mem.calls, calls);
}
END_TEST

/* Header lengths change between messages: the guess must never show. */
START_TEST(body_moves_when_the_header_grows_or_shrinks)
{
    static const uint32_t sizes[] = { 0, 1, 127, 128, 1, 40000, 3, 70000, 127,
        128, 20, 65535, 65536, 0 };
    const struct vdl_type *t = ty("x.B struct{B []byte;N int32}");
    struct {
        struct vdl_list b;
        int32_t n;
    } v = { { NULL, 0 }, 5 };
    uint8_t *data = malloc(70000);
    struct vom_typedec *td;
    struct split s;
    struct vom_dec d;
    struct vom_msg m;
    size_t i, used, at = 0;

    memset(data, 'x', 70000);
    split_init(&s, &mem.al, true);
    for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        v.b.v = data;
        v.b.n = sizes[i];
        ck_assert_int_eq(vom_encode(&s.e, t, &v), 0);
    }
    ck_assert_int_eq(vom_typedec_new(&mem.al, NULL, &td), 0);
    vom_dec_init(&d, &mem.al, td, false);
    for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        ck_assert_int_eq(
            vom_dec_next(&d, s.values.p + at, s.values.n - at, &used, &m), 0);
        at += used;
        memset(&v, 0, sizeof(v));
        ck_assert_int_eq(vom_dec_value(&d, &m, &arena, t, &v), 0);
        ck_assert_uint_eq(v.b.n, sizes[i]);
        ck_assert_int_eq(v.n, 5);
        ck_assert(sizes[i] == 0 || memcmp(v.b.v, data, sizes[i]) == 0);
    }
    ck_assert_uint_eq(at, s.values.n);
    vom_dec_fini(&d);
    vom_typedec_unref(td);
    split_fini(&s);
    free(data);
}
END_TEST

/* Long lists of every number kind, through all widths. */
START_TEST(number_lists_round_trip)
{
    static const char *const kinds[] = { "bool", "uint16", "uint32", "uint64",
        "int8", "int16", "int32", "int64", "float32", "float64", "x.N int32",
        "string", "enum{A;B;C}" };
    const struct vdl_type *elem = ty(kinds[_i]), *t;
    uint8_t *data = calloc(2000, 16);
    struct vdl_list list = { data, 2000 }, back = { NULL, 0 };
    struct vdl_type_node node = { .kind = VDL_LIST, .elem = { elem, 0 } };
    struct v23_bytes b;
    struct v23_buf out;
    size_t i, j;

    ck_assert_int_eq(vdl_types_build(types, &node, 1, &t), 0);
    for (i = 0; i < 2000 && elem->kind != VDL_STRING; i++) {
        for (j = 0; j < elem->size; j++)
            if (j <= i % 9)
                data[i * elem->size + j] = (uint8_t)(i * 37 + j * 11);
        if (elem->kind == VDL_BOOL)
            data[i] &= 1;
        if (elem->kind == VDL_ENUM)
            data[i] %= 3;
        if (elem->kind == VDL_FLOAT32)
            ((float *)(void *)data)[i] = (float)i * 0.37f - 300;
    }
    v23_buf_init(&out, &mem.al, 1u << 20);
    ck_assert_int_eq(vom_encode_single(&mem.al, t, &list, &out), 0);
    b = v23_bytes(out.p, out.n);
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, t, &back, NULL), 0);
    ck_assert(vdl_equal(t, &list, &back)
        || elem->kind == VDL_FLOAT64 /* some are NaN */);
    if (elem->kind != VDL_STRING)
        ck_assert_int_eq(memcmp(back.v, data, 2000u * elem->size), 0);
    v23_buf_fini(&out);
    free(data);
}
END_TEST

/* ---- out of memory ------------------------------------------------------- */

static int encode_without_memory(const struct v23_alloc *al, void *ud)
{
    const struct vdl_type *t = ty(RICH);
    const void *v = ud;
    struct split s;
    size_t before;
    int rc;

    split_init(&s, al, true);
    before = s.values.n;
    rc = vom_encode(&s.e, t, v);
    if (rc != 0) {
        ck_assert_uint_eq(s.values.n, before);
        ck_assert_uint_eq(s.te.ntypes, 0);
    }
    split_fini(&s);
    return rc;
}

START_TEST(every_failing_allocation_is_survived)
{
    const struct vdl_type *t = ty(RICH);

    tst_out_of_memory(encode_without_memory,
        (void *)(uintptr_t)val(t, RICH_VALUE));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, example_is_encoded, 0,
        sizeof(examples) / sizeof(*examples));
    tcase_add_test(tc, anys_fill_both_lists);
    tcase_add_test(tc, typeobject_value_defines_its_type);
    tcase_add_test(tc, any_in_any_is_one_any);
    tcase_add_test(tc, optional_in_any_keeps_its_type);
    tcase_add_test(tc, zero_fields_are_left_out);
    tcase_add_test(tc, nonzero_fields_are_written);
    tcase_add_test(tc, negative_zero_is_lost_in_fields_only);
    tcase_add_test(tc, typeobject_any_in_zero_field_leaves_no_entry);
    tcase_add_test(tc, stream_sends_types_once);
    tcase_add_test(tc, split_streams_have_a_version_each);
    tcase_add_test(tc, two_value_streams_share_types);
    tcase_add_test(tc, equal_types_share_an_id);
    tcase_add_test(tc, built_in_ids_go_by_structure);
    tcase_add_test(tc, run_time_types_may_go);
    tcase_add_test(tc, settled_types_are_known_by_their_addresses);
    tcase_add_test(tc, every_room_fits_all_or_nothing);
    tcase_add_test(tc, failure_leaves_both_streams_as_they_were);
    tcase_add_test(tc, error_of_a_buffer_stays);
    tcase_add_test(tc, selectors_out_of_range_are_refused);
    tcase_add_test(tc, enum_of_many_labels_is_wide);
    tcase_add_test(tc, depth_is_limited);
    tcase_add_test(tc, lengths_beyond_the_protocol_are_refused);
    tcase_add_test(tc, warm_encoding_does_not_allocate);
    tcase_add_test(tc, few_static_types_need_no_allocator);
    tcase_add_test(tc, body_moves_when_the_header_grows_or_shrinks);
    tcase_add_loop_test(tc, number_lists_round_trip, 0, 13);
    tcase_add_test(tc, every_failing_allocation_is_survived);
}

int main(void)
{
    return run_suite("libvom/enc", fill);
}
