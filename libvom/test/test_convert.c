/* BSD-3-Clause; see LICENSE. */
/* Decoding into another type than the sender's (spec/vom.md 11). */
#include <float.h>
#include <math.h>

#include "codec_test.h"

struct row {
    const char *from, *value, *to;
    const char *want; /* text of the result, or COMPAT or CONVERT */
};

static const char *error_text(const char *want)
{
    if (strcmp(want, "COMPAT") == 0)
        return v23_strerror(V23_ECOMPAT);
    return strcmp(want, "CONVERT") == 0 ? v23_strerror(V23_ECONVERT) : want;
}

/* ---- kinds (11.2) -------------------------------------------------------- */

#define E1 "enum{A;B;C}"
#define E2 "y.E enum{C;A}"
#define S1 "x.S struct{A int32;B string;C bool}"
#define S2 "y.T struct{C bool;D []string;A int64}"
#define U1 "union{A int32;B string}"
#define U2 "union{B string;A int64;C bool}"

static const struct row rows[] = {
    { "bool", "true", "x.B bool", "x.B bool(true)" },
    { "bool", "true", "int32", "COMPAT" },
    { "int32", "1", "bool", "COMPAT" },
    { "int32", "1", "string", "COMPAT" },
    { "string", "\"a\"", "x.S string", "x.S string(\"a\")" },
    { "string", "\"a\"", "[]byte", "COMPAT" },
    { "[]byte", "\"a\"", "string", "COMPAT" },
    /* text */
    { E1, "B", "string", "\"B\"" },
    { "string", "\"B\"", E1, E1 "(B)" },
    { "string", "\"b\"", E1, "CONVERT" },
    { "string", "\"\"", E1, "CONVERT" },
    { E1, "C", E2, E2 "(C)" },
    { E1, "A", E2, E2 "(A)" },
    { E1, "B", E2, "CONVERT" },
    { E1, "B", "int32", "COMPAT" },
    { "int32", "1", E1, "COMPAT" },
    { "[]" E1, "{A, C}", "[]string", "[]string{\"A\", \"C\"}" },
    /* typeobject */
    { "typeobject", "typeobject([]bool)", "typeobject",
        "typeobject([]bool)" },
    { "string", "\"a\"", "typeobject", "COMPAT" },
    /* bytes */
    { "[]byte", "\"abc\"", "[3]byte", "[3]byte(\"abc\")" },
    { "[3]byte", "{1, 2, 3}", "[]byte", "[]byte(\"\\x01\\x02\\x03\")" },
    { "[]byte", "\"abc\"", "[2]byte", "CONVERT" },
    { "[]byte", "\"abc\"", "[4]byte", "CONVERT" },
    { "[]byte", "\"a\\xff\"", "[]int16", "[]int16{97, 255}" },
    { "[]byte", "\"a\\xff\"", "[]int8", "CONVERT" },
    { "[]byte", "\"ab\"", "[2]float64", "[2]float64{97, 98}" },
    { "[]byte", "\"ab\"", "[]any", "[]any{byte(97), byte(98)}" },
    { "[]byte", "\"ab\"", "[]string", "COMPAT" },
    { "[]byte", "\"ab\"", "[]x.B byte", "[]x.B byte(\"ab\")" },
    { "[]uint32", "{7, 255}", "[]byte", "[]byte(\"\\a\\xff\")" },
    { "[]int32", "{7, 256}", "[]byte", "CONVERT" },
    { "[2]int32", "{7, 8}", "[2]byte", "[2]byte(\"\\a\\b\")" },
    { "[]any", "{byte(7), int64(9)}", "[]byte", "[]byte(\"\\a\\t\")" },
    { "[]any", "{byte(7), \"x\"}", "[]byte", "COMPAT" },
    /* lists and arrays */
    { "[]int32", "{1, 2}", "[]int64", "[]int64{1, 2}" },
    { "[]int32", "{1, 2}", "[2]int64", "[2]int64{1, 2}" },
    { "[]int32", "{1, 2}", "[1]int64", "CONVERT" },
    { "[]int32", "{1, 2}", "[3]int64", "CONVERT" },
    { "[2]int32", "{1, 2}", "[]int64", "[]int64{1, 2}" },
    { "[2]int32", "{1, 2}", "[3]int32", "CONVERT" },
    { "[]int32", "{}", "[]string", "COMPAT" },
    { "[]int32", "{}", "int32", "COMPAT" },
    { "[]int32", "{}", "set[int32]", "COMPAT" },
    { "[][]int32", "{{1}, {}}", "[][]int64", "[][]int64{{1}, {}}" },
    /* sets and maps */
    { "set[int32]", "{1, 2}", "set[uint16]", "set[uint16]{1, 2}" },
    { "set[int32]", "{1, 300}", "set[byte]", "CONVERT" },
    { "map[string]int32", "{\"A\": 1, \"C\": 2}", "map[" E1 "]int64",
        "map[" E1 "]int64{A: 1, C: 2}" },
    { "map[string]int32", "{\"Z\": 1}", "map[" E1 "]int64", "CONVERT" },
    { "map[string]bool", "{}", "set[string]", "COMPAT" },
    { "set[string]", "{}", "map[string]bool", "COMPAT" },
    { "map[string]bool", "{}", "struct{A bool}", "COMPAT" },
    /* structs */
    { S1, "{A: 5, B: \"b\", C: true}", S2,
        S2 "{C: true, D: {}, A: 5}" },
    { S1, "{}", S2, S2 "{C: false, D: {}, A: 0}" },
    { S2, "{C: true, D: {\"q\", \"r\"}, A: 6}", S1,
        S1 "{A: 6, B: \"\", C: true}" },
    { S1, "{A: 5}", "struct{}", "struct{}{}" },
    { "struct{}", "{}", S1, S1 "{A: 0, B: \"\", C: false}" },
    { "struct{A int32}", "{}", "struct{a int32}", "COMPAT" },
    { "struct{A int32}", "{}", "struct{A string}", "COMPAT" },
    { "struct{A int32}", "{}", "struct{B int32}", "COMPAT" },
    { "struct{A struct{X int32}}", "{}", "struct{A struct{Y int32}}",
        "COMPAT" },
    /* unions */
    { U1, "{A: 5}", U2, U2 "{A: 5}" },
    { U1, "{B: \"b\"}", U2, U2 "{B: \"b\"}" },
    { U2, "{C: true}", U1, "CONVERT" },
    { U1, "{A: 5}", "struct{A int32}", "COMPAT" },
    { U1, "{A: 5}", "union{C int32}", "COMPAT" },
    /* optional */
    { "?x.S struct{A int32}", "{A: 5}", "x.S struct{A int32}",
        "x.S struct{A int32}{A: 5}" },
    { "?x.S struct{A int32}", "nil", "x.S struct{A int32}", "CONVERT" },
    { "x.S struct{A int32}", "{A: 5}", "?y.T struct{A int64}",
        "?y.T struct{A int64}({A: 5})" },
    { "?x.S struct{A int32}", "{A: 5}", "?y.T struct{A int64}",
        "?y.T struct{A int64}({A: 5})" },
    { "?x.S struct{A int32}", "nil", "?y.T struct{A int64}",
        "?y.T struct{A int64}(nil)" },
    { "[]?x.S struct{A int32}", "{nil}", "[]y.T struct{A int64}",
        "CONVERT" },
    { "any", "nil", "?y.T struct{A int64}", "?y.T struct{A int64}(nil)" },
    { "any", "nil", "int32", "CONVERT" },
    /* any */
    { "any", "int32(5)", "int64", "int64(5)" },
    { "[]any", "{int32(5), uint16(6)}", "[]int64", "[]int64{5, 6}" },
    { "[]any", "{int32(5), nil}", "[]int64", "CONVERT" },
    { "[]any", "{int32(5), \"x\"}", "[]int64", "COMPAT" },
    { "[]any", "{[]string{\"x\"}}", "[][]int32", "COMPAT" },
    { "[]any", "{[]string{}}", "[][]int32", "COMPAT" },
    { "[]int32", "{5}", "[]any", "[]any{int32(5)}" },
    { "[]" E1, "{B}", "[]any", "[]any{" E1 "(B)}" },
    { "[]?x.S struct{A int32}", "{nil, {A: 1}}", "[]any",
        "[]any{?x.S struct{A int32}(nil), ?x.S struct{A int32}({A: 1})}" },
    { "struct{A any}", "{A: []int32{1}}", "struct{A []int64}",
        "struct{A []int64}{A: {1}}" },
    { "map[string]any", "{\"a\": nil, \"b\": true}",
        "map[string]?x.S struct{A int32}", "COMPAT" },
    /* recursion */
    { "x.N struct{V int32;K []x.N}", "{V: 1, K: {{V: 2}, {K: {{V: 3}}}}}",
        "y.M struct{V uint64;K []y.M}",
        "y.M struct{V uint64;K []y.M}{V: 1, K: {{V: 2, K: {}}, "
        "{V: 0, K: {{V: 3, K: {}}}}}}" },
    /* 11.4: what is zero is not sent, so the target's zero stands */
    { "struct{A int32}", "{}", "struct{A any}", "struct{A any}{A: nil}" },
    { "struct{E enum{A;B}}", "{}", "struct{E enum{B;C}}",
        "struct{E enum{B;C}}{E: B}" },
    { "struct{A any}", "{}", "struct{A int32}", "struct{A int32}{A: 0}" },
};

START_TEST(value_is_converted)
{
    const struct row *r = &rows[_i];

    ck_assert_str_eq(conv(r->from, r->value, r->to), error_text(r->want));
}
END_TEST

/* Types with many members, in another order, and labels that come twice. */
START_TEST(many_members_are_matched_by_name)
{
    static char space[400][8];
    struct vdl_type_member m[2][400];
    struct vdl_str labels[2][400];
    struct vdl_type_node node = { .kind = VDL_STRUCT, .nmembers = 400 };
    const struct vdl_type *st[2], *en[2];
    uint16_t label = 399;
    int32_t *a = calloc(400, sizeof(*a));
    int32_t *b = calloc(400, sizeof(*b));
    struct v23_bytes s;
    unsigned i, j;

    for (i = 0; i < 400; i++) {
        snprintf(space[i], sizeof(space[i]), "F%u", i);
        for (j = 0; j < 2; j++) {
            m[j][j == 0 ? i : (i * 7) % 400] = (struct vdl_type_member){
                vdl_str(space[i]), { &vdl_int32_desc, 0 } };
            labels[j][j == 0 ? i : (i * 7) % 400] = vdl_str(space[i]);
        }
        a[i] = (int32_t)i;
    }
    labels[1][50] = labels[1][399 * 7 % 400]; /* now F399 comes twice */
    for (j = 0; j < 2; j++) {
        node.kind = VDL_STRUCT;
        node.members = m[j];
        ck_assert_int_eq(vdl_types_build(types, &node, 1, &st[j]), 0);
        node.kind = VDL_ENUM;
        node.labels = labels[j];
        ck_assert_int_eq(vdl_types_build(types, &node, 1, &en[j]), 0);
    }

    s = hex(enc(st[0], a));
    ck_assert_int_eq(
        vom_decode_single(s.p, s.n, NULL, &arena, st[1], b, NULL), 0);
    for (i = 0; i < 400; i++)
        ck_assert_int_eq(b[(i * 7) % 400], a[i]);
    s = hex(enc(en[0], &label));
    ck_assert_int_eq(
        vom_decode_single(s.p, s.n, NULL, &arena, en[1], &label, NULL), 0);
    ck_assert_uint_eq(label, 50);
    s = hex(enc(&vdl_string_desc, &(struct vdl_str){ "F399", 4 }));
    ck_assert_int_eq(
        vom_decode_single(s.p, s.n, NULL, &arena, en[1], &label, NULL), 0);
    ck_assert_uint_eq(label, 50);
    s = hex(enc(&vdl_string_desc, &(struct vdl_str){ "F400", 4 }));
    ck_assert_int_eq(
        vom_decode_single(s.p, s.n, NULL, &arena, en[1], &label, NULL),
        V23_ECONVERT);
    free(a);
    free(b);
}
END_TEST

/* ---- skipping (11.5) ----------------------------------------------------- */

static const char *const skipped[][2] = {
    { "bool", "true" },
    { "byte", "200" },
    { "uint64", "70000" },
    { "float32", "1.5" },
    { "string", "\"text\"" },
    { "[]byte", "\"text\"" },
    { "[3]byte", "{1, 2, 3}" },
    { E1, "B" },
    { "typeobject", "typeobject([]bool)" },
    { "[2][]int32", "{{1}, {2, 3}}" },
    { "[]string", "{\"a\", \"b\"}" },
    { "set[int8]", "{-1, 2}" },
    { "map[string][]bool", "{\"a\": {true}}" },
    { "struct{A int32;B struct{C bool}}", "{B: {C: true}}" },
    { U1, "{B: \"b\"}" },
    { "?x.S struct{A int32}", "{A: 1}" },
    { "[]?x.S struct{A int32}", "{nil, {}}" },
    { "any", "int32(70000)" },
    { "any", "[]any{nil, \"x\", []int32{1}}" },
    { "map[string]any", "{\"a\": nil, \"b\": int32(1), \"c\": true}" },
};

START_TEST(unknown_field_is_skipped)
{
    char from[200], value[200], extra[100];

    snprintf(from, sizeof(from), "struct{A any;X %s;Y string;Z any}",
        skipped[_i][0]);
    snprintf(value, sizeof(value),
        "{A: uint16(1), X: %s, Y: \"def\", Z: int32(9)}", skipped[_i][1]);
    snprintf(extra, sizeof(extra), "struct{Y string;Z any}");

    ck_assert_str_eq(conv(from, value, extra),
        "struct{Y string;Z any}{Y: \"def\", Z: int32(9)}");
}
END_TEST

/* What is skipped has to be well-formed all the same. */
START_TEST(skipped_field_is_checked)
{
    static const struct {
        int rc;
        const char *id;    /* type of the field */
        const char *list;  /* the message's type-id list */
        const char *bytes; /* value of the field */
    } cases[] = { { V23_EINT, "01", "", "02" },
        { V23_ELENGTH, "03", "", "0561" }, { V23_ECONTROL, "08", "", "e0" },
        { V23_EINDEX, "0e", "00", "05" } };
    const struct vdl_type *t = ty("struct{Y string}");
    struct v23_bytes b;
    uint8_t v[32];
    char s[200];
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(s, sizeof(s),
            "81 5110 06 01 02 00 01 58 01 %s e1 00 01 59 01 03 e1 e1 52 %s"
            "%02x 00 %s",
            cases[i].id, cases[i].list,
            (unsigned)strlen(cases[i].bytes) / 2 + 1, cases[i].bytes);
        b = hex(s);
        ck_assert_int_eq(
            vom_decode_single(b.p, b.n, NULL, &arena, t, v, NULL),
            cases[i].rc);
    }
}
END_TEST

/* ---- numbers (11.3) ------------------------------------------------------ */

static const char *const number_kinds[] = { "byte", "uint16", "uint32",
    "uint64", "int8", "int16", "int32", "int64", "float32", "float64" };

static const char *const number_values[] = { "0", "1", "2", "127", "128",
    "255", "256", "32767", "32768", "65535", "65536", "16777216", "16777217",
    "2147483647", "2147483648", "4294967295", "4294967296",
    "9007199254740992", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "18446744073709551615", "-1", "-128", "-129",
    "-32768", "-32769", "-16777216", "-16777217", "-2147483648",
    "-2147483649", "-9007199254740992", "-9007199254740993",
    "-9223372036854775808" };

/* Does an integer, given as sign and magnitude, fit the kind? */
static bool fits(const char *kind, bool neg, uint64_t m, bool from_float)
{
    unsigned bits;

    if (strncmp(kind, "float", 5) == 0)
        return from_float
            || m <= (strcmp(kind, "float32") == 0 ? UINT64_C(1) << 24
                                                  : UINT64_C(1) << 53);
    bits = strcmp(kind, "byte") == 0
        ? 8
        : (unsigned)atoi(kind + (kind[0] == 'u' ? 4 : 3));
    if (kind[0] != 'i')
        return (!neg || m == 0) && (bits == 64 || m >> bits == 0);
    return neg ? m <= UINT64_C(1) << (bits - 1)
               : m < UINT64_C(1) << (bits - 1);
}

static bool is_float_name(const char *kind)
{
    return kind[0] == 'f';
}

/* Every kind into every kind at the edges of all. */
START_TEST(integers_convert_iff_they_fit)
{
    const char *from = number_kinds[_i], *text_, *got;
    char want[100];
    uint64_t m;
    size_t i, j;
    bool neg;

    for (i = 0; i < sizeof(number_values) / sizeof(*number_values); i++) {
        text_ = number_values[i];
        neg = text_[0] == '-';
        m = strtoull(text_ + neg, NULL, 10);
        /* floats hold what has few enough bits */
        if (is_float_name(from)
                ? m > UINT64_C(1) << 63
                    || (strcmp(from, "float32") == 0 ? (uint64_t)(float)m
                                                     : (uint64_t)(double)m)
                        != m
                : !fits(from, neg, m, false))
            continue;
        for (j = 0; j < 10; j++) {
            got = conv(from, text_, number_kinds[j]);
            if (!fits(number_kinds[j], neg, m, is_float_name(from))) {
                ck_assert_msg(
                    strcmp(got, v23_strerror(V23_ECONVERT)) == 0,
                    "%s(%s) to %s: %s", from, text_, number_kinds[j], got);
                continue;
            }
            if (is_float_name(number_kinds[j])) {
                ck_assert_msg(strstr(got, "float") == got, "%s(%s) to %s: %s",
                    from, text_, number_kinds[j], got);
                continue;
            }
            snprintf(want, sizeof(want), "%s(%s)", number_kinds[j], text_);
            ck_assert_str_eq(got, want);
        }
        v23_arena_reset(&arena);
    }
}
END_TEST

static const char *float_to(const char *from, double d, const char *to)
{
    const struct vdl_type *t = ty(from);
    float f = (float)d;

    return dec_as(ty(to),
        t->kind == VDL_FLOAT32 ? enc(t, &f) : enc(t, &d));
}

START_TEST(fractions_and_specials_are_no_integers)
{
    static const double bad[] = { 0.5, -0.5, 1e30, -1e30, INFINITY, -INFINITY,
        NAN, 18446744073709551616.0 };
    size_t i, j, k;

    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        for (j = 0; j < 8; j++)
            for (k = 8; k < 10; k++)
                ck_assert_str_eq(
                    float_to(number_kinds[k], bad[i], number_kinds[j]),
                    v23_strerror(V23_ECONVERT));
    ck_assert_str_eq(float_to("float64", -0.0, "uint16"), "uint16(0)");
    ck_assert_str_eq(float_to("float64", -0.0, "int16"), "int16(0)");
    ck_assert_str_eq(float_to("float64", -0x1p63, "int64"),
        "int64(-9223372036854775808)");
    ck_assert_str_eq(float_to("float64", 0x1p63, "int64"),
        v23_strerror(V23_ECONVERT));
    ck_assert_str_eq(float_to("float64", 0x1p63, "uint64"),
        "uint64(9223372036854775808)");
}
END_TEST

START_TEST(floats_convert_by_range)
{
    ck_assert_str_eq(float_to("float64", 0.1, "float32"),
        "float32(0.10000000149011612)");
    ck_assert_str_eq(float_to("float64", (double)FLT_MAX, "float32"),
        "float32(3.4028234663852886e+38)");
    ck_assert_str_eq(
        float_to("float64", nextafter((double)FLT_MAX, INFINITY), "float32"),
        v23_strerror(V23_ECONVERT));
    ck_assert_str_eq(float_to("float64", INFINITY, "float32"),
        v23_strerror(V23_ECONVERT));
    ck_assert_str_eq(float_to("float64", NAN, "float32"), "float32(NaN)");
    ck_assert_str_eq(float_to("float32", INFINITY, "float32"),
        "float32(+Inf)");
    ck_assert_str_eq(float_to("float32", -INFINITY, "x.F float32"),
        "x.F float32(-Inf)");
    ck_assert_str_eq(float_to("float32", INFINITY, "float64"),
        "float64(+Inf)");
    ck_assert_str_eq(float_to("float64", 1e300, "float64"),
        "float64(1e+300)");
}
END_TEST

/* A number out of its own kind's range is malformed whatever the target. */
START_TEST(source_range_is_checked_first)
{
    ck_assert_str_eq(dec_as(&vdl_uint64_desc, "81 04 fe0100"),
        v23_strerror(V23_EINT));
    ck_assert_str_eq(dec_as(&vdl_int64_desc, "81 20 fe0100"),
        v23_strerror(V23_EINT));
    ck_assert_str_eq(dec_as(&vdl_float64_desc, "81 14 f8ffffffffffffef7f"),
        v23_strerror(V23_EINT));
}
END_TEST

/* ---- plans --------------------------------------------------------------- */

/* A second value of the pair of types uses the first one's plan. */
START_TEST(plan_is_made_once)
{
    static const struct vdl_field fields[] = {
        { VDL_STR_INIT("C"), &vdl_bool_desc, 0 },
        { VDL_STR_INIT("A"), &vdl_int64_desc, _Alignof(int64_t) } };
    static const struct vdl_type fixed = { .kind = VDL_STRUCT,
        .flags = VDL_T_FLAT, .align = _Alignof(int64_t),
        .size = sizeof(int64_t) + _Alignof(int64_t),
        .name = VDL_STR_INIT("y.T"), .count = 2, .fields = fields };
    struct v23_bytes b = hex(enc_text(S1, "{A: 5, B: \"b\", C: true}"));
    struct vom_typedec *td;
    struct vom_dec d;
    struct vom_msg m;
    struct {
        bool c;
        int64_t a;
    } v;
    size_t used, calls = 0, i;

    ck_assert_int_eq(vom_typedec_new(&mem.al, NULL, &td), 0);
    vom_dec_init(&d, &mem.al, td, false);
    ck_assert_int_eq(vom_dec_next(&d, b.p, b.n, &used, &m), 0);
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(vom_dec_value(&d, &m, &arena, &fixed, &v), 0);
        if (i != 0)
            ck_assert_uint_eq(mem.calls, calls);
        calls = mem.calls;
        ck_assert_int_eq(v.a, 5);
        ck_assert(v.c);
    }
    vom_dec_fini(&d);
    vom_typedec_unref(td);
}
END_TEST

/* Targets made at run time may be freed between calls. */
START_TEST(passing_targets_leave_no_plan)
{
    static const char *const targets[] = { "y.A struct{A int64}",
        "y.B struct{B string}", "y.C struct{A uint64;C bool}",
        "y.A struct{A int64}" };
    static const char *const want[] = { "{A: 5}", "{B: \"b\"}",
        "{A: 5, C: true}", "{A: 5}" };
    const struct vdl_type *from = ty(S1), *to;
    struct v23_bytes b = hex(
        enc(from, val(from, "{A: 5, B: \"b\", C: true}")));
    uint8_t v[64];
    struct vdl_types *set;
    struct vom_typedec *td;
    struct vom_dec d;
    struct vom_msg m;
    size_t used, i;

    ck_assert_int_eq(vom_typedec_new(&mem.al, NULL, &td), 0);
    vom_dec_init(&d, &mem.al, td, false);
    ck_assert_int_eq(vom_dec_next(&d, b.p, b.n, &used, &m), 0);
    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &set), 0);
        to = type_in(set, targets[i]);
        ck_assert_int_eq(vom_dec_value(&d, &m, &arena, to, v), 0);
        ck_assert_str_eq(text(to, v) + strlen(targets[i]), want[i]);
        vdl_types_unref(set);
    }
    vom_dec_fini(&d);
    vom_typedec_unref(td);
}
END_TEST

/* ---- broken input and memory --------------------------------------------- */

/* The rows again, each byte of the stream changed. */
START_TEST(mutated_source_is_survived)
{
    const struct row *r = &rows[_i];
    const struct vdl_type *to = ty(r->to);
    struct v23_bytes b = hex(enc_text(r->from, r->value));
    uint8_t *copy = malloc(b.n), *in, *v = malloc(to->size);
    struct v23_arena a;
    struct v23_buf out;
    size_t i;
    unsigned x;

    v23_arena_init(&a, &mem.al, SIZE_MAX);
    memcpy(copy, b.p, b.n);
    for (i = 0; i < b.n; i++) {
        for (x = 1; x < 256; x += i < 40 ? 1 : 5) {
            in = malloc(b.n);
            memcpy(in, copy, b.n);
            in[i] ^= (uint8_t)x;
            if (vom_decode_single(in, b.n, NULL, &a, to, v, NULL) == 0) {
                v23_buf_init(&out, &mem.al, 1u << 20);
                ck_assert_int_eq(vom_encode_single(&mem.al, to, v, &out), 0);
                v23_buf_fini(&out);
            }
            free(in);
            v23_arena_reset(&a);
        }
    }
    v23_arena_fini(&a);
    free(copy);
    free(v);
}
END_TEST

static int convert_without_memory(const struct v23_alloc *al, void *ud)
{
    const struct row *r = ud;
    const struct vdl_type *to = ty(r->to);
    struct v23_bytes b = hex(enc_text(r->from, r->value));
    struct v23_arena a;
    void *v = malloc(to->size);
    int rc;

    v23_arena_init(&a, al, SIZE_MAX);
    rc = vom_decode_single(b.p, b.n, NULL, &a, to, v, NULL);
    v23_arena_fini(&a);
    free(v);
    return rc == V23_ECOMPAT || rc == V23_ECONVERT ? 0 : rc;
}

START_TEST(every_failing_allocation_is_survived)
{
    tst_out_of_memory(convert_without_memory,
        (void *)(uintptr_t)&rows[_i]);
}
END_TEST

static void fill(TCase *tc)
{
    const int n = sizeof(rows) / sizeof(*rows);

    tcase_add_loop_test(tc, value_is_converted, 0, n);
    tcase_add_test(tc, many_members_are_matched_by_name);
    tcase_add_loop_test(tc, unknown_field_is_skipped, 0,
        sizeof(skipped) / sizeof(*skipped));
    tcase_add_test(tc, skipped_field_is_checked);
    tcase_add_loop_test(tc, integers_convert_iff_they_fit, 0, 10);
    tcase_add_test(tc, fractions_and_specials_are_no_integers);
    tcase_add_test(tc, floats_convert_by_range);
    tcase_add_test(tc, source_range_is_checked_first);
    tcase_add_test(tc, plan_is_made_once);
    tcase_add_test(tc, passing_targets_leave_no_plan);
    tcase_add_loop_test(tc, mutated_source_is_survived, 0, n);
    tcase_add_loop_test(tc, every_failing_allocation_is_survived, 0, n);
}

int main(void)
{
    return run_suite("libvom/convert", fill);
}
