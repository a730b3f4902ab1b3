/* BSD-3-Clause; see LICENSE. */
/* Types, constants, JSON and signatures as text. */
#include "codec_test.h"

#include <v23/config.h>
#include <v23/verror.h>
#include <vom/signature.h>

/* ---- helpers ------------------------------------------------------------- */

static const char *type_text_of(const struct vdl_type *t)
{
    struct v23_buf *b = scratch();

    ck_assert_int_eq(vdl_print_type(t, b), 0);
    return v23_buf_cstr(b);
}

static const char *base_text_of(const struct vdl_type *t)
{
    struct v23_buf *b = scratch();

    ck_assert_int_eq(vdl_print_base_type(t, b), 0);
    return v23_buf_cstr(b);
}

static const char *const_of(const struct vdl_type *t, const void *v)
{
    struct v23_buf *b = scratch();

    ck_assert_int_eq(vdl_print_const(t, v, b), 0);
    return v23_buf_cstr(b);
}

static const char *json_of(const struct vdl_type *t, const void *v)
{
    struct v23_buf *b = scratch();

    ck_assert_int_eq(vdl_print_json(t, v, b), 0);
    return v23_buf_cstr(b);
}

struct row {
    const char *type;     /* canonical string */
    const char *constant; /* what vdl_parse_values() reads */
    const char *want, *json;
};

static void each(const struct row *r, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        const struct vdl_type *t = ty(r[i].type);
        const void *v = val(t, r[i].constant);

        ck_assert_str_eq(const_of(t, v), r[i].want);
        ck_assert_str_eq(json_of(t, v), r[i].json);
    }
}
#define EACH(rows) each(rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- types --------------------------------------------------------------- */

START_TEST(types_in_one_line)
{
    static const char *const rows[][2] = {
        {"any", "any"},
        {"bool", "bool"},
        {"byte", "byte"},
        {"uint64", "uint64"},
        {"int8", "int8"},
        {"float32", "float32"},
        {"string", "string"},
        {"typeobject", "typeobject"},
        {"enum{Lo;Hi}", "enum{Lo;Hi}"},
        {"[3][]byte", "[3][]byte"},
        {"set[string]", "set[string]"},
        {"map[int32]map[string]any", "map[int32]map[string]any"},
        {"[]a/b.c/d.Id uint16", "[]\"a/b.c/d\".Id"},
        {"map[x.K string]x.V []x.V", "map[\"x\".K]\"x\".V"},
        {"?x.S struct{Next ?x.S}", "?\"x\".S"},
        {"Local int32", "Local"},
        {"p. int32", "\"p\"."},
        {". int32", "<empty>"},
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_str_eq(type_text_of(ty(rows[i][0])), rows[i][1]);
    ck_assert_str_eq(type_text_of(NULL), "any");
    ck_assert_str_eq(type_text_of(&vdl_error_desc), "error");
}
END_TEST

START_TEST(errors_of_another_type_stream_are_called_error)
{
    struct v23_buf *b = scratch();
    const char *s;
    const struct vdl_type *t;

    ck_assert_int_eq(vdl_type_format(&vdl_error_desc, 4096, b), 0);
    s = v23_buf_cstr(b);
    t = ty(s);

    ck_assert_ptr_ne(t, &vdl_error_desc);
    ck_assert_str_eq(type_text_of(t), "error");
    /* A namesake with other fields is not. */
    ck_assert_str_eq(
        type_text_of(ty("?v.io/v23/vdl.WireError struct{X int32}")),
        "?\"v.io/v23/vdl\".WireError");
}
END_TEST

START_TEST(bodies_are_indented_by_depth)
{
    ck_assert_str_eq(
        type_text_of(ty("[]struct{A int32;B map[struct{K x.K string}]union{"
                        "L []string;R struct{}};C bool}")),
        "[]struct {\n"
        "\tA int32\n"
        "\tB map[struct {\n"
        "\t\tK \"x\".K\n"
        "\t}]union {\n"
        "\t\tL []string\n"
        "\t\tR struct {\n"
        "\t\t}\n"
        "\t}\n"
        "\tC bool\n"
        "}");
}
END_TEST

START_TEST(base_types_end_at_names)
{
    const struct vdl_type *t =
        ty("x.P struct{Q ?x.Q struct{P ?x.P};N x.I int8}");

    ck_assert_str_eq(type_text_of(t), "\"x\".P");
    ck_assert_str_eq(base_text_of(t), "struct {\n\tQ ?\"x\".Q\n\tN \"x\".I\n}");
    ck_assert_str_eq(base_text_of(ty("x.E enum{A;B}")), "enum{A;B}");
    ck_assert_str_eq(
        base_text_of(ty("x.M map[string]x.M")), "map[string]\"x\".M");
}
END_TEST

START_TEST(nesting_and_length_of_types_are_bounded)
{
    struct vdl_type chain[V23_TYPE_NEST + 1] = {{0}};
    struct vdl_field twice[40][2] = {{{{0}, NULL, 0}}};
    struct vdl_type dag[40] = {{0}};
    struct v23_buf *b = scratch();
    size_t i;

    for (i = 0; i <= V23_TYPE_NEST; i++) {
        chain[i].kind = VDL_LIST;
        chain[i].elem = i == 0 ? &vdl_bool_desc : &chain[i - 1];
    }
    for (i = 0; i < 40; i++) {
        dag[i].kind = VDL_STRUCT;
        dag[i].count = 2;
        dag[i].fields = twice[i];
        twice[i][0].name = vdl_str("A");
        twice[i][1].name = vdl_str("B");
        twice[i][0].type = twice[i][1].type =
            i == 0 ? &vdl_bool_desc : &dag[i - 1];
    }

    v23_buf_puts(b, "kept");
    ck_assert_int_eq(vdl_print_type(&chain[V23_TYPE_NEST], b), V23_ELIMIT);
    ck_assert_uint_eq(b->n, 4);
    /* The innermost takes a place, too. */
    ck_assert_int_eq(vdl_print_type(&chain[V23_TYPE_NEST - 2], b), 0);
    ck_assert_int_eq(vdl_print_type(&dag[39], b), V23_ENOSPC);
    ck_assert_str_eq(type_text_of(&dag[0]), "struct {\n\tA bool\n\tB bool\n}");
}
END_TEST

/* ---- named types --------------------------------------------------------- */

START_TEST(named_types_are_sorted_and_printed_once)
{
    struct vdl_types *other;
    struct vdl_named s;
    struct v23_buf *b = scratch();
    const struct vdl_type *t =
        ty("b.Z struct{Self ?b.Z;A a.z.Y []b.A string;T b.A}");

    vdl_named_init(&s, &mem.al);
    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &other), 0);
    ck_assert_int_eq(vdl_named_add(&s, NULL), 0);
    ck_assert_int_eq(vdl_named_add(&s, t), 0);
    ck_assert_int_eq(vdl_named_add(&s, ty("map[string]Plain int32")), 0);
    ck_assert_int_eq(vdl_named_add(&s, t), 0);
    /* Equal, but another object; the same name, but another type. */
    ck_assert_int_eq(vdl_named_add(&s, type_in(other, "b.A string")), 0);
    ck_assert_int_eq(vdl_named_add(&s, type_in(other, "[]b.A bool")), 0);

    ck_assert_uint_eq(s.n, 5);
    ck_assert_int_eq(vdl_named_print(&s, b), 0);
    ck_assert_str_eq(v23_buf_cstr(b), "\ntype Plain int32\n"
                                      "\ntype \"a.z\".Y []\"b\".A\n"
                                      "\ntype \"b\".A string\n"
                                      "\ntype \"b\".A bool\n"
                                      "\ntype \"b\".Z struct {\n"
                                      "\tSelf ?\"b\".Z\n"
                                      "\tA \"a.z\".Y\n"
                                      "\tT \"b\".A\n"
                                      "}\n");
    vdl_named_fini(&s);
    vdl_types_unref(other);
}
END_TEST

START_TEST(many_named_types)
{
    struct vdl_type many[300] = {{0}};
    char names[300][8];
    struct vdl_named s;
    size_t i;

    vdl_named_init(&s, &mem.al);
    for (i = 0; i < 300; i++) {
        snprintf(
            names[i], sizeof(names[i]), "x.T%03u", (unsigned)(i * 7 % 300));
        many[i].kind = VDL_LIST;
        many[i].name = vdl_str(names[i]);
        many[i].elem = &many[(i + 1) % 300];
    }
    ck_assert_int_eq(vdl_named_add(&s, &many[0]), 0);
    ck_assert_int_eq(vdl_named_add(&s, &many[150]), 0);

    ck_assert_uint_eq(s.n, 300);
    for (i = 1; i < 300; i++)
        ck_assert_int_lt(vdl_str_cmp(s.v[i - 1]->name, s.v[i]->name), 0);
    vdl_named_fini(&s);
}
END_TEST

/* ---- constants and JSON -------------------------------------------------- */

START_TEST(scalars)
{
    static const struct row rows[] = {
        {"bool", "true", "true", "true"},
        {"x.B bool", "false", "\"x\".B(false)", "false"},
        {"string", "\"a\\x01\\u00e9\"", "\"a\\x01\xc3\xa9\"",
            "\"a\\x01\xc3\xa9\""},
        {"x.S string", "\"a\"", "\"x\".S(\"a\")", "\"a\""},
        {"byte", "33", "byte(33)", "33"},
        {"uint16", "65535", "uint16(65535)", "65535"},
        {"uint32", "4294967295", "uint32(4294967295)", "4294967295"},
        {"uint64", "18446744073709551615", "uint64(18446744073709551615)",
            "\"18446744073709551615\""},
        {"int8", "-128", "int8(-128)", "-128"},
        {"int16", "-3", "int16(-3)", "-3"},
        {"x.T int32", "3", "\"x\".T(3)", "3"},
        {"int64", "-9223372036854775808", "int64(-9223372036854775808)",
            "\"-9223372036854775808\""},
        {"float32", "0.1", "float32(0.1)", "0.1"},
        {"float32", "16777216", "float32(1.6777216e+07)", "1.6777216e+07"},
        {"float64", "0.1", "float64(0.1)", "0.1"},
        {"float64", "1e6", "float64(1e+06)", "1e+06"},
        {"float64", "-0.00001", "float64(-1e-05)", "-1e-05"},
        {"x.F float64", "1.5", "\"x\".F(1.5)", "1.5"},
        {"x.E enum{Lo;Hi}", "Hi", "\"x\".E.Hi", "\"Hi\""},
        {"enum{Lo;Hi}", "Hi", "enum{Lo;Hi}.Hi", "\"Hi\""},
        {"typeobject", "typeobject([]string)", "typeobject([]string)",
            "[]string"},
        {"typeobject", "typeobject(any)", "typeobject(any)", "any"},
    };

    EACH(rows);
}
END_TEST

START_TEST(composites)
{
    static const struct row rows[] = {
        {"[]byte", "\"\\x01\\xff\"", "[]byte(\"\\x01\\xff\")", "[1,255]"},
        {"x.Y [2]byte", "\"ab\"", "\"x\".Y(\"ab\")", "[97,98]"},
        {"[]string", "{\"a\", \"b\"}", "[]string{\"a\", \"b\"}",
            "[\"a\",\"b\"]"},
        {"[]string", "{}", "[]string{}", "[]"},
        {"[2]int32", "{0, 0}", "[2]int32{}", "[0,0]"},
        {"[2]int32", "{0, 7}", "[2]int32{0, 7}", "[0,7]"},
        {"[][2]int32", "{{0, 0}}", "[][2]int32{{}}", "[[0,0]]"},
        {"set[int32]", "{9, 10, -1}", "set[int32]{-1, 10, 9}", "[-1,10,9]"},
        {"map[string]int64", "{\"b\": 1, \"a\": 0}",
            "map[string]int64{\"a\": 0, \"b\": 1}",
            "{\"a\": \"0\",\"b\": \"1\"}"},
        /* By key, not by entry: ':' sorts behind digits. */
        {"map[int32]bool", "{10: true, 1: false}",
            "map[int32]bool{1: false, 10: true}",
            "{\"1\": false,\"10\": true}"},
        {"map[x.E enum{B;A}][]byte", "{B: \"z\", A: \"\"}",
            "map[\"x\".E][]byte{A: \"\", B: \"z\"}",
            "{\"A\": [],\"B\": [122]}"},
        {"x.P struct{X int32;Y int32;Tag string}", "{Y: 2}", "\"x\".P{Y: 2}",
            "{\"x\": 0,\"y\": 2,\"tag\": \"\"}"},
        {"x.P struct{X int32;Y int32;Tag string}", "{}", "\"x\".P{}",
            "{\"x\": 0,\"y\": 0,\"tag\": \"\"}"},
        {"struct{}", "{}", "struct {\n}{}", "{}"},
        {"x.U union{A int32;B []string}", "{B: {\"q\"}}", "\"x\".U{B: {\"q\"}}",
            "{ \"b\": [\"q\"] }"},
        {"x.U union{A int32;B []string}", "{A: 0}", "\"x\".U{A: 0}",
            "{ \"a\": 0 }"},
        {"x.W struct{U x.U union{A int32;B bool};N int32}", "{N: 1}",
            "\"x\".W{N: 1}", "{\"u\": { \"a\": 0 },\"n\": 1}"},
        {"set[x.K struct{A int32;B int32}]", "{{0, 2}, {1, 0}}",
            "set[\"x\".K]{{B: 2}, {A: 1}}",
            "[{\"a\": 0,\"b\": 2},{\"a\": 1,\"b\": 0}]"},
        {"map[x.K struct{A string}]bool", "{{\"v\"}: true}",
            "map[\"x\".K]bool{{A: \"v\"}: true}", "{\"{\"a\": \"v\"}\": true}"},
    };

    EACH(rows);
}
END_TEST

START_TEST(any_and_optional)
{
    static const struct row rows[] = {
        {"any", "nil", "any(nil)", "null"},
        {"any", "uint16(5)", "any(uint16(5))", "5"},
        {"?x.S struct{A int32}", "nil", "?\"x\".S(nil)", "null"},
        {"?x.S struct{A int32}", "{A: 3}", "?\"x\".S{A: 3}", "{\"a\": 3}"},
        {"[]?x.S struct{A int32}", "{nil, {A: 3}, {}}",
            "[]?\"x\".S{nil, {A: 3}, {}}", "[null,{\"a\": 3},{\"a\": 0}]"},
        {"[]any", "{nil, int32(1), []any{\"x\", true}}",
            "[]any{nil, int32(1), []any{\"x\", true}}",
            "[null,1,[\"x\",true]]"},
        {"x.L struct{V any;Next ?x.L}",
            "{V: int64(1), Next: {V: set[byte]{3}}}",
            "\"x\".L{V: int64(1), Next: {V: set[byte]{3}}}",
            "{\"v\": \"1\",\"next\": {\"v\": [3],\"next\": null}}"},
    };
    struct v23_buf *b;
    struct vdl_any nil = {NULL, NULL};
    int32_t three = 3;
    struct vdl_any any = {&vdl_int32_desc, &three};

    EACH(rows);
    b = scratch();
    ck_assert_int_eq(vdl_print_any(nil, b), 0);
    ck_assert_int_eq(vdl_print_any(any, b), 0);
    ck_assert_int_eq(vdl_print_json_any(nil, b), 0);
    ck_assert_int_eq(vdl_print_json_any(any, b), 0);
    ck_assert_str_eq(v23_buf_cstr(b), "nilint32(3)null3");
}
END_TEST

START_TEST(floats_in_their_own_precision)
{
    static const float single[] = {
        1.2f, 3.4028234663852886e38f, 1e-45f, 16777217.0f, -0.0f, 123456.7f};
    static const char *const want[] = {"float32(1.2)", "float32(3.4028235e+38)",
        "float32(1e-45)", "float32(1.6777216e+07)", "float32(-0)",
        "float32(123456.7)"};
    size_t i;

    for (i = 0; i < sizeof(single) / sizeof(single[0]); i++)
        ck_assert_str_eq(const_of(&vdl_float32_desc, &single[i]), want[i]);
}
END_TEST

START_TEST(constants_can_be_read_back)
{
    static const char *const rows[][2] = {
        {"x.A struct{B []x.C struct{D map[string]any};E [2]x.F uint64}",
            "{B: {{}, {D: {\"k\": \"x\".F(9)}}}, E: {0, 5}}"},
        {"[]x.U union{A ?x.V struct{N int8};T typeobject}",
            "{{A: nil}, {A: {N: -1}}, {T: typeobject(?\"x\".V)}}"},
        {"map[x.E enum{P;Q}]float32", "{Q: 1.25e-9, P: -3}"},
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vdl_type *t = ty(rows[i][0]);
        const void *v = val(t, rows[i][1]);
        const char *s = const_of(t, v);

        ck_assert_msg(vdl_equal(t, v, val(t, s)), "%s", s);
    }
}
END_TEST

START_TEST(selectors_out_of_range_are_refused)
{
    const struct vdl_type *e = ty("x.E enum{A}");
    const struct vdl_type *u = ty("x.U union{A []x.E enum{A}}");
    uint8_t space[64] = {9};
    struct v23_buf *b = scratch();

    ck_assert_uint_le(u->size, sizeof(space));
    ck_assert_int_eq(vdl_print_const(e, space, b), V23_EARG);
    ck_assert_int_eq(vdl_print_const(u, space, b), V23_EARG);
    ck_assert_int_eq(vdl_print_json(e, space, b), V23_EARG);
    ck_assert_int_eq(vdl_print_json(u, space, b), V23_EARG);
    ck_assert_uint_eq(b->n, 0);
}
END_TEST

START_TEST(nesting_of_values_is_bounded)
{
    static struct vdl_any nest[VDL_VALUE_DEPTH + 2];
    struct v23_buf b;
    size_t i;

    v23_buf_init(&b, &mem.al, 1u << 20);
    nest[0].type = NULL;
    for (i = 1; i <= VDL_VALUE_DEPTH + 1; i++) {
        nest[i].type = &vdl_any_desc;
        nest[i].val = &nest[i - 1];
    }

    ck_assert_int_eq(vdl_print_json_any(nest[VDL_VALUE_DEPTH - 1], &b), 0);
    ck_assert_int_eq(
        vdl_print_json_any(nest[VDL_VALUE_DEPTH + 1], &b), V23_ELIMIT);
    ck_assert_int_eq(vdl_print_any(nest[VDL_VALUE_DEPTH - 1], &b), 0);
    ck_assert_int_eq(vdl_print_any(nest[VDL_VALUE_DEPTH + 1], &b), V23_ELIMIT);
    v23_buf_fini(&b);
}
END_TEST

START_TEST(full_buffers_stay_as_they_were)
{
    const struct vdl_type *t =
        ty("x.A struct{M map[string]int32;S set[int8];L []any}");
    const void *v = val(t, "{M: {\"b\": 1, \"a\": 2}, S: {3}, L: {true}}");
    size_t want = strlen(const_of(t, v)), i;
    char space[128];
    struct v23_buf b;

    ck_assert_uint_lt(want, sizeof(space));
    for (i = 0; i < want; i++) {
        v23_buf_init_fixed(&b, space, i);
        ck_assert_int_eq(vdl_print_const(t, v, &b), V23_ENOSPC);
        ck_assert_uint_eq(b.n, 0);
    }
    v23_buf_init_fixed(&b, space, want);
    ck_assert_int_eq(vdl_print_const(t, v, &b), 0);
    v23_buf_init(&b, &mem.al, want - 1);
    ck_assert_int_eq(vdl_print_const(t, v, &b), V23_ELIMIT);
    ck_assert_uint_eq(b.n, 0);
    v23_buf_fini(&b);
}
END_TEST

/* ---- signatures ---------------------------------------------------------- */

/* An interface with everything in it. */
static v23_signature_interface sample(void)
{
    static v23_signature_arg in[2], out[1], stream;
    static v23_signature_method m[3];
    static v23_signature_embed embed;
    static struct vdl_any tags[2];
    v23_signature_interface x;

    memset(&x, 0, sizeof(x));
    memset(m, 0, sizeof(m));
    in[0].name = vdl_str("key");
    in[0].type = ty("x.K struct{A int32}");
    in[1].type = ty("struct{B []x.L string}");
    out[0].name = vdl_str("found");
    out[0].type = &vdl_bool_desc;
    stream.type = ty("any");
    tags[0].type = ty("x.Tag string");
    tags[0].val = val(tags[0].type, "\"Admin\"");
    m[0].name = vdl_str("Get");
    m[0].doc = vdl_str("// Get gets.\n//\n// More.");
    m[0].in_args.v = in;
    m[0].in_args.n = 2;
    m[0].out_args.v = out;
    m[0].out_args.n = 1;
    m[0].tags.v = tags;
    m[0].tags.n = 2;
    m[1].name = vdl_str("Ping");
    m[2].name = vdl_str("Watch");
    m[2].doc = vdl_str("Watch watches.");
    m[2].out_stream = &stream;
    embed.name = vdl_str("Object");
    embed.pkg_path = vdl_str("x");
    embed.doc = vdl_str("// Embedded.");
    x.name = vdl_str("Store");
    x.pkg_path = vdl_str("y/z");
    x.doc = vdl_str("Store stores.");
    x.embeds.v = &embed;
    x.embeds.n = 1;
    x.methods.v = m;
    x.methods.n = 3;
    return x;
}

START_TEST(methods)
{
    v23_signature_interface x = sample();
    v23_signature_method m = x.methods.v[2];
    struct vdl_named types;
    struct v23_buf *b = scratch();

    vdl_named_init(&types, &mem.al);
    ck_assert_int_eq(vdl_print_method(&x.methods.v[1], &types, b), 0);
    ck_assert_str_eq(v23_buf_cstr(b), "Ping() error");
    b->n = 0;
    ck_assert_int_eq(vdl_print_method(&m, &types, b), 0);
    ck_assert_str_eq(
        v23_buf_cstr(b), "// Watch watches.\nWatch() stream<_, any> error");
    b->n = 0;
    m.doc = vdl_str("");
    m.in_stream = &x.methods.v[0].in_args.v[0];
    m.out_stream = NULL;
    ck_assert_int_eq(vdl_print_method(&m, &types, b), 0);
    ck_assert_str_eq(v23_buf_cstr(b), "Watch() stream<\"x\".K, _> error");
    ck_assert_uint_eq(types.n, 1);
    vdl_named_fini(&types);
}
END_TEST

START_TEST(interfaces)
{
    v23_signature_interface x = sample(), empty;
    struct vdl_named types;
    struct v23_buf *b = scratch();

    memset(&empty, 0, sizeof(empty));
    vdl_named_init(&types, &mem.al);
    ck_assert_int_eq(vdl_print_interface(&x, &types, b), 0);
    ck_assert_str_eq(v23_buf_cstr(b),
        "// Store stores.\n"
        "type \"y/z\".Store interface {\n"
        "\t// Embedded.\n"
        "\t\"x\".Object\n"
        "\t// Get gets.\n"
        "\t//\n"
        "\t// More.\n"
        "\tGet(key \"x\".K, struct {\n"
        "\t\tB []\"x\".L\n"
        "\t}) (found bool | error) {\"x\".Tag(\"Admin\"), nil}\n"
        "\tPing() error\n"
        "\t// Watch watches.\n"
        "\tWatch() stream<_, any> error\n"
        "}");
    ck_assert_uint_eq(types.n, 3);
    b->n = 0;
    ck_assert_int_eq(vdl_print_interface(&empty, &types, b), 0);
    ck_assert_str_eq(v23_buf_cstr(b), "type <empty> interface {\n}");
    vdl_named_fini(&types);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

struct job {
    v23_signature_interface x;
    const struct vdl_type *t;
    const void *v;
};

static int print_all(const struct v23_alloc *al, void *ud)
{
    struct job *j = ud;
    struct vdl_named types;
    struct v23_buf b;
    int rc;

    vdl_named_init(&types, al);
    v23_buf_init(&b, al, 1u << 20);
    rc = vdl_print_interface(&j->x, &types, &b);
    if (rc == 0)
        rc = vdl_named_print(&types, &b);
    if (rc == 0)
        rc = vdl_print_const(j->t, j->v, &b);
    if (rc == 0)
        rc = vdl_print_json(j->t, j->v, &b);
    v23_buf_fini(&b);
    vdl_named_fini(&types);
    return rc;
}

START_TEST(memory_may_run_out)
{
    struct job j;

    j.x = sample();
    j.t = ty("map[string]set[int32]");
    j.v = val(j.t, "{\"a\": {1, 2}, \"b\": {}, \"c\": {3}}");
    tst_out_of_memory(print_all, &j);
}
END_TEST

static void add(TCase *c)
{
    tcase_add_test(c, types_in_one_line);
    tcase_add_test(c, errors_of_another_type_stream_are_called_error);
    tcase_add_test(c, bodies_are_indented_by_depth);
    tcase_add_test(c, base_types_end_at_names);
    tcase_add_test(c, nesting_and_length_of_types_are_bounded);
    tcase_add_test(c, named_types_are_sorted_and_printed_once);
    tcase_add_test(c, many_named_types);
    tcase_add_test(c, scalars);
    tcase_add_test(c, composites);
    tcase_add_test(c, any_and_optional);
    tcase_add_test(c, floats_in_their_own_precision);
    tcase_add_test(c, constants_can_be_read_back);
    tcase_add_test(c, selectors_out_of_range_are_refused);
    tcase_add_test(c, nesting_of_values_is_bounded);
    tcase_add_test(c, full_buffers_stay_as_they_were);
    tcase_add_test(c, methods);
    tcase_add_test(c, interfaces);
    tcase_add_test(c, memory_may_run_out);
}

int main(void)
{
    return tst_run_case("print", add, setup, teardown);
}
