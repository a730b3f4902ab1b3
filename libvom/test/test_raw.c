/* BSD-3-Clause; see LICENSE. */
/* Values kept as bytes. What they are encoded to is what the reference
 * implementation makes of its RawBytes. */
#include <vom/print.h>
#include <vom/raw.h>

#include "codec_test.h"

#define PT "ex.Pt struct{X int32;Y int32;Tag string}"
#define ANYS "[]any"

/* Streams of one value: alone, and as first and last of []any{v, nil, v}. */
static const struct {
    const char *type, *value; /* as a constant */
    const char *alone, *inside;
} samples[] = {
    {"bool", "true", "81 0201",
        "81 51 0403010FE1 52 01 01 02 01 01 08 03 0000 01 E0 0001 01"},
    {"int32", "int32(-300)", "81 10 FE0257",
        "81 51 0403010FE1 52 01 08 02 03 03 0C 03 0000 FE0257 E0 0001 FE0257"},
    {"ex.Id uint16", "ex.Id(7)", "81 51 0B 00 00 05 65782E4964 01 04 E1 52 07",
        "81 51 04 03010FE1 53 0B 00 00 05 65782E4964 01 04 E1"
        "52 01 2A 02 01 01 08 03 0000 07 E0 0001 07"},
    {"[]any", "{uint16(300), nil, []any{\"x\"}}",
        "81 51 0403010FE1 52 03 04 29 03 03 03 05 02 0E 03 0000 FE012C E0"
        "0101 01 0202 0178",
        "81 51 0403010FE1 52 03 29 04 03 08 0E 03 05 02 0E 03 05 02 22 03"
        "0000 03 0101 FE012C E0 0002 01 0203 0178 E0"
        "0004 03 0105 FE012C E0 0006 01 0207 0178"},
    {"typeobject", "typeobject([]bool)", "81 51 04 030101 E1 1C 01 29 00",
        "81 51 04 03010F E1 53 04 030101 E1 52 02 0E 2A 02 01 01 08 03 0000 01"
        "E0 0001 01"},
};
#define SAMPLES (sizeof(samples) / sizeof(*samples))

static int decode(const char *stream, const struct vom_options *opt,
    const struct vdl_type *t, void *out)
{
    struct v23_bytes b = hex(stream);

    return vom_decode_single(b.p, b.n, opt, &arena, t, out, NULL);
}

static struct vom_raw raw_of(const char *stream)
{
    struct vom_raw raw;

    memset(&raw, 0xFF, sizeof(raw));
    ck_assert_int_eq(decode(stream, NULL, &vom_raw_desc, &raw), 0);
    return raw;
}

static struct vdl_any any_of(const struct vom_raw *raw)
{
    struct vdl_any any = {&vom_raw_desc, raw};

    return any;
}

static const char *list_text(struct vdl_any any)
{
    struct vdl_list l = {&any, 1};

    return text(&vdl_any_list_desc, &l);
}

/* ---- encoding ------------------------------------------------------------ */

START_TEST(sample_is_what_it_says)
{
    ck_assert_str_eq(
        enc_text(samples[_i].type, samples[_i].value), flat(samples[_i].alone));
}
END_TEST

START_TEST(raw_alone_encodes_to_its_bytes)
{
    struct vom_raw raw = raw_of(samples[_i].alone);
    struct vdl_any any = any_of(&raw);

    ck_assert_str_eq(enc(&vom_raw_desc, &raw), flat(samples[_i].alone));
    ck_assert_str_eq(enc(&vdl_any_desc, &any), flat(samples[_i].alone));
}
END_TEST

START_TEST(raw_inside_refers_to_the_new_lists)
{
    struct vom_raw raw = raw_of(samples[_i].alone);
    struct vdl_any v[3] = {any_of(&raw), {NULL, NULL}, any_of(&raw)};
    struct vdl_list l = {v, 3};

    ck_assert_str_eq(enc(&vdl_any_list_desc, &l), flat(samples[_i].inside));
}
END_TEST

START_TEST(raw_inside_comes_out_alone)
{
    static const struct vom_options opt = {
        .limits = VOM_LIMITS_HOST, .any = &vom_any_raw};
    struct vdl_list l;
    const struct vdl_any *v;
    const struct vom_raw *raw;
    struct vom_raw alone;

    ck_assert_int_eq(
        decode(samples[_i].inside, &opt, &vdl_any_list_desc, &l), 0);
    v = l.v;
    ck_assert_ptr_eq(v[0].type, &vom_raw_desc);
    ck_assert_ptr_null(v[1].type);
    ck_assert(vdl_any_equal(v[0], v[2]));
    raw = v[0].val;
    alone = raw_of(samples[_i].alone);
    ck_assert_str_eq(text(&vom_raw_desc, raw), text(&vom_raw_desc, &alone));
    ck_assert_str_eq(enc(&vdl_any_list_desc, &l), flat(samples[_i].inside));
}
END_TEST

START_TEST(unused_and_repeated_entries_of_the_lists_stay)
{
    /* []any{true} with list {bool, bool, string} and lengths {9, 1} */
    static const char stream[] =
        "81 51 0403010FE1 52 03 01 01 03 02 09 01 04 01 01 01 01";
    struct vom_raw raw = raw_of(stream);

    ck_assert_uint_eq(raw.nids, 3);
    ck_assert_uint_eq(raw.nlens, 2);
    ck_assert_str_eq(enc(&vom_raw_desc, &raw), flat(stream));
}
END_TEST

START_TEST(lists_shrink_when_raw_is_put_inside)
{
    struct vom_raw raw =
        raw_of("81 51 0403010FE1 52 03 01 01 03 02 09 01 04 01 01 01 01");
    struct vdl_any any = any_of(&raw);
    struct vdl_list l = {&any, 1};

    ck_assert_str_eq(enc(&vdl_any_list_desc, &l),
        flat("81 51 0403010FE1 52 02 29 01 02 04 01 07 01 00 00 01 01 01 01"));
}
END_TEST

START_TEST(raw_field_may_stand_for_any)
{
    struct holder {
        struct vom_raw x;
        int32_t n;
    } in, out;
    struct vdl_field f[] = {
        {VDL_STR_INIT("X"), &vom_raw_desc, offsetof(struct holder, x)},
        {VDL_STR_INIT("N"), &vdl_int32_desc, offsetof(struct holder, n)}};
    struct vdl_type t = {.kind = VDL_STRUCT,
        .flags = VDL_T_ANY,
        .align = _Alignof(struct holder),
        .size = sizeof(struct holder),
        .name = VDL_STR_INIT("ex.H"),
        .count = 2,
        .fields = f};
    const char *stream =
        enc_text("ex.H struct{X any;N int32}", "{X: []string{\"a\"}, N: 3}");

    ck_assert_int_eq(decode(stream, NULL, &t, &in), 0);
    ck_assert_int_eq(in.n, 3);
    ck_assert_ptr_eq(in.x.type, &vdl_str_list_desc);
    ck_assert_uint_eq(in.x.nids, 0);
    ck_assert_str_eq(enc(&t, &in), stream);
    ck_assert_str_eq(
        text(&t, &in), "ex.H struct{X any;N int32}{X: []string{\"a\"}, N: 3}");
    ck_assert_int_eq(vdl_copy(&arena, &t, &out, &in), 0);
    ck_assert_ptr_ne(out.x.data, in.x.data);
    ck_assert(vdl_equal(&t, &in, &out));
    ck_assert_str_eq(enc(&t, &out), stream);

    /* A nil is zero and left out. */
    ck_assert_int_eq(
        decode(enc_text("ex.H struct{X any;N int32}", "{}"), NULL, &t, &out),
        0);
    ck_assert(vdl_is_zero(&t, &out));
    ck_assert(!vdl_equal(&t, &in, &out));
    ck_assert_str_eq(
        enc(&t, &out), enc_text("ex.H struct{X any;N int32}", "{}"));
}
END_TEST

START_TEST(any_field_of_a_peer_may_be_typed)
{
    struct vdl_field f[] = {{VDL_STR_INIT("X"), &vom_raw_desc, 0}};
    struct vdl_type t = {.kind = VDL_STRUCT,
        .flags = VDL_T_ANY,
        .align = _Alignof(struct vom_raw),
        .size = sizeof(struct vom_raw),
        .name = VDL_STR_INIT("ex.H"),
        .count = 1,
        .fields = f};
    struct vom_raw raw;

    ck_assert_int_eq(
        decode(enc_text("ex.S struct{X ?ex.P struct{A int32}}", "{X: {A: 7}}"),
            NULL, &t, &raw),
        0);
    ck_assert_str_eq(
        text(&vom_raw_desc, &raw), "any(?ex.P struct{A int32}({A: 7}))");
    ck_assert_int_eq(decode(enc_text("ex.S struct{X []byte}", "{X: \"ab\"}"),
                         NULL, &t, &raw),
        0);
    ck_assert_str_eq(text(&vom_raw_desc, &raw), "any([]byte(\"ab\"))");
}
END_TEST

START_TEST(bytes_become_raw_numbers)
{
    struct vdl_type list = {.kind = VDL_LIST,
        .flags = VDL_T_ANY,
        .align = _Alignof(struct vdl_list),
        .size = sizeof(struct vdl_list),
        .elem = &vom_raw_desc,
        .stride = sizeof(struct vom_raw)};
    struct vdl_list l;

    ck_assert_int_eq(decode("81 4E 02 07 C8", NULL, &list, &l), 0);
    ck_assert_uint_eq(l.n, 2);
    ck_assert_str_eq(text(&list, &l), "[]any{byte(7), byte(200)}");
    ck_assert_str_eq(enc(&list, &l), enc_text("[]any", "{byte(7), byte(200)}"));
}
END_TEST

/* ---- nil ----------------------------------------------------------------- */

START_TEST(nil_any_is_zero_raw)
{
    struct vom_raw raw = raw_of("81 1E 00 00 01 E0");
    struct vdl_any any = any_of(&raw), nil = {NULL, NULL};

    ck_assert_ptr_null(raw.type);
    ck_assert(vdl_is_zero(&vom_raw_desc, &raw));
    ck_assert_str_eq(enc(&vom_raw_desc, &raw), flat("81 1E 00 00 01 E0"));
    ck_assert_str_eq(enc(&vdl_any_desc, &any), flat("81 1E 00 00 01 E0"));
    ck_assert_str_eq(text(&vom_raw_desc, &raw), "any(nil)");
    ck_assert(vdl_any_equal(any, nil));
    ck_assert(vdl_any_equal(nil, any));
    ck_assert_str_eq(list_text(any), "[]any{nil}");
}
END_TEST

START_TEST(nil_optional_is_not_nil_any)
{
    struct vom_raw raw = raw_of(enc_text("?ex.P struct{A int32}", "nil"));
    struct vdl_any any = any_of(&raw), nil = {NULL, NULL};

    ck_assert_ptr_nonnull(raw.type);
    ck_assert(!vdl_is_zero(&vom_raw_desc, &raw));
    ck_assert(!vdl_any_equal(any, nil));
    ck_assert_str_eq(list_text(any), "[]any{?ex.P struct{A int32}(nil)}");
}
END_TEST

/* ---- what a decoder makes of an any -------------------------------------- */

static const char *kinds_of(const struct vdl_list *l)
{
    struct v23_buf *b = scratch();
    const struct vdl_any *v = l->v;
    uint32_t i;

    for (i = 0; i < l->n; i++)
        v23_buf_puts(b, v[i].type == NULL            ? "nil "
                        : v[i].type == &vom_raw_desc ? "raw "
                                                     : "value ");
    return v23_buf_cstr(b);
}

static const char *decoded_as(
    const struct vom_any_mode *mode, const struct vdl_registry *known)
{
    const char *stream =
        enc_text("[]any", "{int32(1), nil, []string{\"a\"}, []int32{2}}");
    struct vom_options opt = vom_options_host;
    struct vdl_list l;

    opt.any = mode;
    if (known != NULL)
        opt.known = *known;
    ck_assert_int_eq(decode(stream, &opt, &vdl_any_list_desc, &l), 0);
    if (mode != &vom_any_none)
        ck_assert_str_eq(text(&vdl_any_list_desc, &l),
            "[]any{int32(1), nil, []string{\"a\"}, []int32{2}}");
    return kinds_of(&l);
}

START_TEST(option_says_which_anys_become_raw)
{
    static const struct vdl_type list = {.kind = VDL_LIST,
        .align = _Alignof(struct vdl_list),
        .size = sizeof(struct vdl_list),
        .elem = &vdl_int32_desc,
        .stride = 4};
    const struct vdl_type *types[] = {&list};
    struct vdl_registry known = {types, 1};

    ck_assert_str_eq(decoded_as(NULL, NULL), "value nil value value ");
    ck_assert_str_eq(decoded_as(&vom_any_known, NULL), "value nil value raw ");
    ck_assert_str_eq(
        decoded_as(&vom_any_known, &known), "value nil value value ");
    ck_assert_str_eq(decoded_as(&vom_any_raw, NULL), "raw nil raw raw ");
    ck_assert_str_eq(decoded_as(&vom_any_none, NULL), "nil nil nil nil ");
}
END_TEST

START_TEST(dynamic_decoding_obeys_the_option)
{
    struct vom_options opt = vom_options_host;
    struct vdl_any any;

    opt.any = &vom_any_raw;
    ck_assert_int_eq(decode("81 08 01", &opt, NULL, &any), 0);
    ck_assert_ptr_eq(any.type, &vom_raw_desc);
    opt.any = &vom_any_known;
    ck_assert_int_eq(decode("81 08 01", &opt, NULL, &any), 0);
    ck_assert_ptr_eq(any.type, &vdl_uint16_desc);
    opt.any = &vom_any_none;
    ck_assert_int_eq(decode("81 08 01", &opt, NULL, &any), 0);
    ck_assert_ptr_null(any.type);
}
END_TEST

START_TEST(bad_content_is_found_in_every_mode)
{
    static const struct vom_any_mode *const modes[] = {
        NULL, &vom_any_known, &vom_any_raw, &vom_any_none};
    /* []any{[]bool{2}}, []any{#43}, []any{int32(1) with length 2} */
    static const char *const bad[] = {
        "81 51 0403010FE1 53 04030101E1 52 01 2A 01 02 05 01 00 00 01 02",
        "81 51 0403010FE1 52 01 2B 01 01 04 01 00 00 01",
        "81 51 0403010FE1 52 01 08 01 02 04 01 00 00 02"};
    struct vom_options opt = vom_options_host;
    struct vdl_any any;
    size_t i, k, used = arena.used;

    for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        opt.any = modes[i];
        for (k = 0; k < sizeof(bad) / sizeof(*bad); k++)
            ck_assert_int_ne(decode(bad[k], &opt, NULL, &any), 0);
    }
    ck_assert_uint_eq(arena.used, used);
}
END_TEST

START_TEST(wrong_lengths_inside_are_passed_on)
{
    /* []any{[]any{true}} whose inner any has length 0 */
    static const char stream[] =
        "81 51 0403010FE1 52 02 29 01 02 04 00 07 01 00 00 01 01 01 01";
    struct vom_options opt = vom_options_host;
    struct vdl_any any, list[1];
    struct vdl_list l = {list, 1};
    struct vom_raw raw;

    ck_assert_int_eq(decode(stream, NULL, &vom_raw_desc, &raw), V23_ELENGTH);
    opt.lax_any_lengths = true;
    ck_assert_int_eq(decode(stream, &opt, &vom_raw_desc, &raw), 0);
    ck_assert_str_eq(enc(&vom_raw_desc, &raw), flat(stream));
    ck_assert_int_eq(vom_raw_decode(&raw, NULL, &arena, NULL, &any), 0);
    ck_assert_str_eq(any_text(any), "[]any{[]any{true}}");
    /* Inside another value they are made anew. */
    list[0] = any_of(&raw);
    ck_assert_str_eq(
        dec(enc(&vdl_any_list_desc, &l)), "[]any{[]any{[]any{true}}}");
}
END_TEST

/* ---- looking into one ---------------------------------------------------- */

START_TEST(raw_decodes_like_its_stream)
{
    const char *stream =
        enc_text("[]ex.S struct{A int32;B any}", "{{A: 1, B: \"b\"}, {A: 2}}");
    struct vom_raw raw = raw_of(stream);
    struct vdl_any any;
    const struct vdl_type *t = ty("[]ex.T struct{B string}");
    struct vdl_list l;

    ck_assert_int_eq(vom_raw_decode(&raw, NULL, &arena, NULL, &any), 0);
    ck_assert_str_eq(any_text(any),
        "[]ex.S struct{A int32;B any}{{A: 1, B: \"b\"}, {A: 2, B: nil}}");
    ck_assert_int_eq(vom_raw_decode(&raw, NULL, &arena, t, &l), 0);
    ck_assert_str_eq(
        text(t, &l), "[]ex.T struct{B string}{{B: \"b\"}, {B: \"\"}}");
    ck_assert_int_eq(
        vom_raw_decode(&raw, NULL, &arena, &vdl_string_desc, &l), V23_ECOMPAT);
}
END_TEST

START_TEST(nil_decodes_into_what_can_be_nil)
{
    struct vom_raw raw;
    struct vdl_any any = {&vdl_bool_desc, NULL};
    const void *opt = "";
    bool b;

    memset(&raw, 0, sizeof(raw));
    ck_assert_int_eq(vom_raw_decode(&raw, NULL, &arena, NULL, &any), 0);
    ck_assert_ptr_null(any.type);
    ck_assert_int_eq(
        vom_raw_decode(&raw, NULL, &arena, ty("?ex.P struct{A int32}"), &opt),
        0);
    ck_assert_ptr_null(opt);
    ck_assert_int_eq(
        vom_raw_decode(&raw, NULL, &arena, &vdl_bool_desc, &b), V23_ECONVERT);
}
END_TEST

START_TEST(values_convert_to_raw_and_back)
{
    const struct vdl_type *t = ty(PT);
    const void *v = val(t, "{X: -3, Tag: \"hi\"}");
    struct vom_raw raw;
    struct vdl_any any;
    void *again = v23_arena_get0(&arena, 1, t->size, 16);

    ck_assert_int_eq(vdl_convert(&arena, &vom_raw_desc, &raw, t, v), 0);
    ck_assert_str_eq(enc(&vom_raw_desc, &raw), enc(t, v));
    ck_assert_int_eq(vdl_convert(&arena, t, again, &vom_raw_desc, &raw), 0);
    ck_assert(vdl_equal(t, v, again));
    ck_assert_int_eq(
        vdl_convert(&arena, &vdl_any_desc, &any, &vom_raw_desc, &raw), 0);
    ck_assert_str_eq(any_text(any), text(t, v));
    ck_assert_str_eq(any_text(any), PT "{X: -3, Y: 0, Tag: \"hi\"}");
}
END_TEST

START_TEST(raw_equals_the_value_it_holds)
{
    struct vom_raw one = raw_of(enc_text("[]any", "{int32(5), \"x\"}"));
    struct vom_raw two = raw_of(enc_text("[]any", "{\"x\", int32(5)}"));
    struct vdl_any x = any_of(&one), y = any_of(&two), plain;

    ck_assert_int_eq(vom_raw_decode(&one, NULL, &arena, NULL, &plain), 0);
    ck_assert(vdl_equal(&vom_raw_desc, &one, &one));
    ck_assert(!vdl_equal(&vom_raw_desc, &one, &two));
    ck_assert(vdl_any_equal(x, plain));
    ck_assert(vdl_any_equal(plain, x));
    ck_assert(!vdl_any_equal(y, plain));
}
END_TEST

static const char *printed(
    int (*print)(struct vdl_any any, struct v23_buf *out), struct vdl_any any)
{
    struct v23_buf *b = scratch();

    ck_assert_int_eq(print(any, b), 0);
    return v23_buf_cstr(b);
}

START_TEST(raw_prints_like_the_value_it_holds)
{
    struct vom_raw raw =
        raw_of(enc_text("ex.S struct{A []any;B any}", "{A: {int32(5), nil}}"));
    struct vdl_any any = any_of(&raw), plain;

    ck_assert_int_eq(vom_raw_decode(&raw, NULL, &arena, NULL, &plain), 0);
    ck_assert_str_eq(
        printed(vdl_print_any, any), printed(vdl_print_any, plain));
    ck_assert_str_eq(
        printed(vdl_print_json_any, any), printed(vdl_print_json_any, plain));
    ck_assert_str_eq(list_text(any), list_text(plain));
    raw = raw_of("81 1E 00 00 01 E0");
    ck_assert_str_eq(printed(vdl_print_any, any), "nil");
    ck_assert_str_eq(printed(vdl_print_json_any, any), "null");
}
END_TEST

START_TEST(copy_outlives_the_stream)
{
    struct v23_arena own, other;
    struct v23_bytes b;
    const struct vdl_type *id = ty("ex.Id uint16");
    uint16_t seven = 7;
    struct vdl_any content = {id, &seven}, any;
    struct vdl_list l = {&content, 1};
    struct vom_raw raw, copy;

    b = hex(enc(&vdl_any_list_desc, &l));
    v23_arena_init(&own, &mem.al, SIZE_MAX);
    v23_arena_init(&other, &mem.al, SIZE_MAX);
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &own, &vom_raw_desc, &raw, NULL), 0);
    ck_assert_int_eq(vdl_copy(&other, &vom_raw_desc, &copy, &raw), 0);
    v23_arena_fini(&own);
    ck_assert_int_eq(vom_raw_decode(&copy, NULL, &other, NULL, &any), 0);
    ck_assert_str_eq(any_text(any), "[]any{ex.Id uint16(7)}");
    v23_arena_fini(&other);
}
END_TEST

START_TEST(bytes_a_program_made_up_are_checked)
{
    static const uint8_t junk[] = {0x05, 0x00};
    struct vom_raw raw = {
        .type = &vdl_any_list_desc, .data = junk, .ndata = sizeof(junk)};
    struct vdl_any any = any_of(&raw), out;
    struct vdl_list l = {&any, 1};
    struct v23_buf b;

    ck_assert_int_ne(vom_raw_decode(&raw, NULL, &arena, NULL, &out), 0);
    v23_buf_init(&b, &mem.al, 1000);
    ck_assert_int_ne(vom_encode_single(&mem.al, &vdl_any_list_desc, &l, &b), 0);
    ck_assert_uint_eq(b.n, 0);
    v23_buf_fini(&b);
    ck_assert_str_eq(
        list_text(any), "[]any{[]any(!invalid length or leftover bytes)}");
    ck_assert(!vdl_any_equal(any, any));
}
END_TEST

/* ---- streams and memory -------------------------------------------------- */

START_TEST(raw_waits_for_types_of_another_stream)
{
    struct v23_bytes first = hex("81 51 0403010FE1");
    struct v23_bytes second = hex("53 0403 0101E1");
    struct v23_bytes value = hex("81 52 01 2A 01 02 05 01 00 00 01 01");
    struct vom_typedec *td;
    struct vom_dec d;
    struct vom_msg m;
    struct vom_raw raw;
    size_t used;

    ck_assert_int_eq(vom_typedec_new(&mem.al, NULL, &td), 0);
    vom_dec_init(&d, NULL, td, true);
    ck_assert_int_eq(vom_typedec_input(td, first.p, first.n, &used), 0);
    ck_assert_int_eq(vom_dec_next(&d, value.p, value.n, &used, &m), 0);
    ck_assert_int_eq(
        vom_dec_value(&d, &m, &arena, &vom_raw_desc, &raw), V23_EAGAIN);
    ck_assert(d.waits_type);
    ck_assert_int_eq(vom_typedec_input(td, second.p, second.n, &used), 0);
    ck_assert_int_eq(vom_dec_value(&d, &m, &arena, &vom_raw_desc, &raw), 0);
    vom_dec_fini(&d);
    vom_typedec_unref(td);
    /* The types live on with the arena. */
    ck_assert_str_eq(text(&vom_raw_desc, &raw), "any([]any{[]bool{true}})");
}
END_TEST

START_TEST(lists_are_kept_once_per_message)
{
    struct vom_options opt = vom_options_host;
    struct v23_buf b;
    struct vdl_any inner[1], outer[400];
    struct vdl_list l = {inner, 1}, all = {outer, 400};
    bool yes = true;
    size_t i, before;

    opt.any = &vom_any_raw;
    inner[0] = (struct vdl_any){&vdl_bool_desc, &yes};
    for (i = 0; i < 400; i++)
        outer[i] = (struct vdl_any){&vdl_any_list_desc, &l};
    v23_buf_init(&b, &mem.al, 1u << 20);
    ck_assert_int_eq(
        vom_encode_single(&mem.al, &vdl_any_list_desc, &all, &b), 0);
    before = arena.used;
    ck_assert_int_eq(vom_decode_single(b.p, b.n, &opt, &arena,
                         &vdl_any_list_desc, &all, NULL),
        0);
    ck_assert_uint_eq(all.n, 400);
    ck_assert_uint_lt(arena.used - before, 32 * b.n);
    v23_buf_fini(&b);
}
END_TEST

static int round_trip(const struct v23_alloc *al, void *ud)
{
    struct v23_bytes *b = ud;
    struct vom_options opt = vom_options_host;
    struct v23_arena a;
    struct vdl_any any, copy;
    struct vdl_list l = {&copy, 1};
    struct v23_buf out;
    int rc;

    opt.any = &vom_any_raw;
    v23_arena_init(&a, al, SIZE_MAX);
    v23_buf_init(&out, al, 1u << 20);
    rc = vom_decode_single(b->p, b->n, &opt, &a, NULL, &any, NULL);
    if (rc == 0)
        rc = vdl_copy(&a, &vdl_any_desc, &copy, &any);
    if (rc == 0)
        rc = vom_encode_single(al, &vdl_any_list_desc, &l, &out);
    if (rc == 0)
        rc = vom_raw_decode(copy.val, NULL, &a, NULL, &any);
    v23_buf_fini(&out);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(missing_memory_is_reported)
{
    struct v23_bytes b = hex(samples[3].inside);

    tst_out_of_memory(round_trip, &b);
}
END_TEST

START_TEST(raw_fits_memory_without_an_allocator)
{
    static uint64_t space[1024];
    struct v23_bytes b = hex(samples[3].alone);
    struct v23_arena a;
    struct vom_raw raw;
    struct vdl_any any;

    v23_arena_init_fixed(&a, space, sizeof(space));
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &a, &vom_raw_desc, &raw, NULL), 0);
    ck_assert_int_eq(vom_raw_decode(&raw, NULL, &a, NULL, &any), 0);
    ck_assert_str_eq(any_text(any), "[]any{uint16(300), nil, []any{\"x\"}}");
    v23_arena_fini(&a);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, sample_is_what_it_says, 0, SAMPLES);
    tcase_add_loop_test(tc, raw_alone_encodes_to_its_bytes, 0, SAMPLES);
    tcase_add_loop_test(tc, raw_inside_refers_to_the_new_lists, 0, SAMPLES);
    tcase_add_loop_test(tc, raw_inside_comes_out_alone, 0, SAMPLES);
    tcase_add_test(tc, unused_and_repeated_entries_of_the_lists_stay);
    tcase_add_test(tc, lists_shrink_when_raw_is_put_inside);
    tcase_add_test(tc, raw_field_may_stand_for_any);
    tcase_add_test(tc, any_field_of_a_peer_may_be_typed);
    tcase_add_test(tc, bytes_become_raw_numbers);
    tcase_add_test(tc, nil_any_is_zero_raw);
    tcase_add_test(tc, nil_optional_is_not_nil_any);
    tcase_add_test(tc, option_says_which_anys_become_raw);
    tcase_add_test(tc, dynamic_decoding_obeys_the_option);
    tcase_add_test(tc, bad_content_is_found_in_every_mode);
    tcase_add_test(tc, wrong_lengths_inside_are_passed_on);
    tcase_add_test(tc, raw_decodes_like_its_stream);
    tcase_add_test(tc, nil_decodes_into_what_can_be_nil);
    tcase_add_test(tc, values_convert_to_raw_and_back);
    tcase_add_test(tc, raw_equals_the_value_it_holds);
    tcase_add_test(tc, raw_prints_like_the_value_it_holds);
    tcase_add_test(tc, copy_outlives_the_stream);
    tcase_add_test(tc, bytes_a_program_made_up_are_checked);
    tcase_add_test(tc, raw_waits_for_types_of_another_stream);
    tcase_add_test(tc, lists_are_kept_once_per_message);
    tcase_add_test(tc, missing_memory_is_reported);
    tcase_add_test(tc, raw_fits_memory_without_an_allocator);
}

int main(void)
{
    return run_suite("libvom/raw", fill);
}
