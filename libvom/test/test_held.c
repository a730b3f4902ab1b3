/* BSD-3-Clause; see LICENSE. */
/* Values held in place, streamed lists and floats as bits: generated types. */
#include "codec_test.h"

#include <example.org/held/held.vdl.h>

/* A sample's fields whose text the tests give; the rest is zero. */
#define SAMPLE(fields) "example.org/held.Sample struct{" fields "}"

static int into_bytes(const struct vdl_type *t, void *out, struct v23_arena *a,
    struct v23_bytes b)
{
    struct vom_typedec *td;
    struct vom_msg msg;
    struct vom_dec d;
    size_t used;
    int rc;

    ck_assert_int_eq(vom_typedec_new(&mem.al, NULL, &td), 0);
    vom_dec_init(&d, &mem.al, td, false);
    ck_assert_int_eq(vom_dec_next(&d, b.p, b.n, &used, &msg), 0);
    rc = vom_dec_value(&d, &msg, a, t, out);
    vom_dec_fini(&d);
    vom_typedec_unref(td);
    return rc;
}

/* Decode a value of another type into one of a generated type. */
static int into(const struct vdl_type *t, void *out, struct v23_arena *a,
    const char *from, const char *constant)
{
    return into_bytes(t, out, a, hex(enc_text(from, constant)));
}

/* The value as a peer sees it. */
static const char *dynamic(const struct vdl_type *t, const void *v)
{
    return dec(enc(t, v));
}

/* ---- in place ------------------------------------------------------------ */

START_TEST(sizes_are_the_smallest)
{
    ck_assert_uint_eq(sizeof(HELD_DEFAULT.sensor.n), 1);
    ck_assert_uint_eq(sizeof(HELD_DEFAULT.sensor.p), 4);
    ck_assert_uint_eq(sizeof(HELD_DEFAULT.memo.n), 2);
    ck_assert_uint_eq(sizeof(HELD_DEFAULT.attrs.n), 2);
    ck_assert_uint_eq(sizeof(HELD_DEFAULT.raw.n), 4);
    ck_assert((held_sample_desc.flags & VDL_T_FLAT) != 0);
    ck_assert((held_pair_desc.flags & VDL_T_FLAT) != 0);
    ck_assert((held_loose_desc.flags & VDL_T_FLAT) == 0);
    ck_assert((held_batch_desc.flags & VDL_T_STREAM) != 0);
}
END_TEST

START_TEST(text_is_that_of_the_normal_form)
{
    ck_assert_str_eq(text(&held_sample_desc, &HELD_DEFAULT),
        dynamic(&held_sample_desc, &HELD_DEFAULT));
    ck_assert_ptr_nonnull(strstr(
        text(&held_sample_desc, &HELD_DEFAULT), "Best: {A: 2, B: \"c\"}"));
}
END_TEST

START_TEST(json_and_const_are_those_of_the_normal_form)
{
    struct v23_bytes b = hex(enc(&held_sample_desc, &HELD_DEFAULT));
    struct vdl_any any;

    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, NULL, &any, NULL), 0);
    ck_assert(vdl_type_equal(any.type, &held_sample_desc));
    ck_assert(!vdl_type_same_layout(any.type, &held_sample_desc));
    struct v23_buf *x = scratch(), *y = scratch();
    ck_assert_int_eq(vdl_print_json(&held_sample_desc, &HELD_DEFAULT, x), 0);
    ck_assert_int_eq(vdl_print_json_any(any, y), 0);
    ck_assert_str_eq(v23_buf_cstr(x), v23_buf_cstr(y));
    x = scratch();
    y = scratch();
    ck_assert_int_eq(vdl_print_const(&held_sample_desc, &HELD_DEFAULT, x), 0);
    ck_assert_int_eq(vdl_print_any(any, y), 0);
    ck_assert_str_eq(v23_buf_cstr(x), v23_buf_cstr(y));
}
END_TEST

START_TEST(flat_types_decode_without_arena)
{
    struct v23_bytes b = hex(enc(&held_sample_desc, &HELD_DEFAULT));
    struct vom_typedec *td;
    held_sample x, y;
    struct vom_msg msg;
    struct vom_dec d;
    size_t used;

    ck_assert_int_eq(vom_typedec_new(&mem.al, NULL, &td), 0);
    vom_dec_init(&d, &mem.al, td, false);
    ck_assert_int_eq(vom_dec_next(&d, b.p, b.n, &used, &msg), 0);
    ck_assert_int_eq(held_sample_decode(&d, &msg, NULL, &x), 0);
    ck_assert(held_sample_equal(&x, &HELD_DEFAULT));
    y = x;
    ck_assert(held_sample_equal(&y, &HELD_DEFAULT));
    y.tags.v[0].p[0]++;
    ck_assert(!held_sample_equal(&y, &HELD_DEFAULT));
    ck_assert_int_eq(held_sample_copy(NULL, &y, &x), 0);
    ck_assert_str_eq(
        enc(&held_sample_desc, &y), enc(&held_sample_desc, &HELD_DEFAULT));
    vom_dec_fini(&d);
    vom_typedec_unref(td);
}
END_TEST

START_TEST(others_need_an_arena)
{
    held_loose x;

    ck_assert_int_eq(into(&held_loose_desc, &x, NULL,
                         "example.org/held.Loose struct{Words []string}", "{}"),
        V23_EARG);
}
END_TEST

START_TEST(zero_values_are_left_out)
{
    static held_sample x;
    held_choice c = {HELD_CHOICE_TEXT, {.text = {.n = 0}}};

    memset(&x, 0, sizeof(x));
    x.sensor.p[0] = 'x'; /* does not count */
    x.pairs.v[0].a = 7;
    ck_assert(vdl_is_zero(&held_sample_desc, &x));
    ck_assert_str_eq(
        dynamic(&held_sample_desc, &x), text(&held_sample_desc, &x));
    ck_assert_ptr_nonnull(strstr(enc(&held_sample_desc, &x), "5201e1"));
    ck_assert(!vdl_is_zero(&held_choice_desc, &c));
    x.opts.n = 1;
    ck_assert(!vdl_is_zero(&held_sample_desc, &x));
}
END_TEST

/* A value that just fits, and one that does not. */
static const struct {
    const char *fields, *fits, *not ;
} bounds[] = {
    {"Sensor example.org/held.Id string", "{\"abcd\"}", "{\"abcde\"}"},
    {"Sensor string", "{\"abcd\"}", "{\"abcde\"}"},
    {"Sensor any", "{\"abcd\"}", "{\"abcde\"}"},
    {"Sensor any", "{Lbl.Abcd}", "{Lbl.Abcde}"},
    {"Values []float64", "{{1, 2, 3}}", "{{1, 2, 3, 4}}"},
    {"Values []int32", "{{1, 2, -3}}", "{{1, 2, 3, 4}}"},
    {"Values []byte", "{\"abc\"}", "{\"abcd\"}"},
    {"Values any", "{[]float32{1, 2, 3}}", "{[]float32{1, 2, 3, 4}}"},
    {"Tags set[string]", "{{\"a\", \"bc\"}}", "{{\"a\", \"bcd\"}}"},
    {"Attrs map[string][]byte", "{{\"a\": \"123\"}}", "{{\"a\": \"1234\"}}"},
    {"Attrs map[string][]uint16", "{{\"a\": {1, 2, 3}}}",
        "{{\"a\": {1, 2, 3, 4}}}"},
    {"Attrs map[string]any", "{{\"a\": []byte(\"123\")}}",
        "{{\"a\": []byte(\"1234\")}}"},
    {"Pairs []p.P struct{B string}", "{{{\"abcd\"}, {}}}", "{{{}, {}, {}}}"},
    {"Pairs [2]p.P struct{B string}", "{{{\"abcd\"}, {}}}",
        "{{{\"abcde\"}, {}}}"},
    {"Best ?p.P struct{B string}", "{{\"abcd\"}}", "{{\"abcde\"}}"},
    {"Best p.P struct{B string}", "{{\"abcd\"}}", "{{\"abcde\"}}"},
    {"Opts []?p.P struct{B string}", "{{nil, {\"abcd\"}}}",
        "{{nil, nil, nil}}"},
    {"Names []string", "{{\"abc\", \"\"}}", "{{\"abcd\", \"\"}}"},
    {"Names []any", "{{\"abc\", \"\"}}", "{{\"abc\", \"\", \"\"}}"},
    {"Quad [2]string", "{{\"abc\", \"\"}}", "{{\"abcd\", \"\"}}"},
};

START_TEST(what_fits_is_decoded_and_what_does_not_is_refused)
{
    const char *from, *fields = bounds[_i].fields;
    char type[256];
    static held_sample x;
    (void)ty("Lbl enum{Abcd;Abcde}");
    (void)snprintf(type, sizeof(type), SAMPLE("%s"), fields);
    from = type;
    ck_assert_int_eq(
        into(&held_sample_desc, &x, NULL, from, bounds[_i].fits), 0);
    ck_assert_str_eq(
        text(&held_sample_desc, &x), dynamic(&held_sample_desc, &x));
    ck_assert(!vdl_is_zero(&held_sample_desc, &x));
    ck_assert_int_eq(
        into(&held_sample_desc, &x, &arena, from, bounds[_i].fits), 0);
    ck_assert_int_eq(
        into(&held_sample_desc, &x, NULL, from, bounds[_i].not ), V23_ECONVERT);
    ck_assert_int_eq(into(&held_sample_desc, &x, &arena, from, bounds[_i].not ),
        V23_ECONVERT);
}
END_TEST

START_TEST(repeated_keys_count_once_without_arena)
{
    static const char *const keys[] = {
        "l", "k", "b", "j", "i", "h", "b", "f", "e", "b", "c", "a"};
    const struct vdl_type *t = ty(SAMPLE("Tags set[string]"));
    struct vdl_str v[12];
    struct vdl_list tags = {v, 12};
    struct v23_bytes b;
    held_sample x;
    size_t i;

    for (i = 0; i < 12; i++)
        v[i] = vdl_str(keys[i]);
    b = hex(enc(t, &tags));
    ck_assert_int_eq(
        vom_decode_single(b.p, b.n, NULL, &arena, &held_sample_desc, &x, NULL),
        0);
    ck_assert_uint_eq(x.tags.n, 10);
    ck_assert_int_eq(x.tags.v[9].p[0], 'a');
    memset(&x, 0, sizeof(x));
    ck_assert_int_eq(into_bytes(&held_sample_desc, &x, NULL, b), 0);
    ck_assert_uint_eq(x.tags.n, 10);
    ck_assert_int_eq(x.tags.v[9].p[0], 'a');
}
END_TEST

START_TEST(a_count_out_of_range_is_refused)
{
    static held_sample x, y;
    struct v23_buf b;

    x.sensor.n = 5;
    v23_buf_init(&b, &mem.al, SIZE_MAX);
    ck_assert_int_eq(
        vom_encode_single(&mem.al, &held_sample_desc, &x, &b), V23_EARG);
    ck_assert_uint_eq(b.n, 0);
    ck_assert_int_eq(vdl_format(&held_sample_desc, &x, false, &b), V23_EARG);
    y = x;
    ck_assert(!held_sample_equal(&x, &y));
    v23_buf_fini(&b);
}
END_TEST

START_TEST(parts_outside_are_decoded_and_copied)
{
    const char *value = "{Texts: {\"a long text\", \"b\"}, Words: {\"abc\"}, "
                        "Keys: {\"b\", \"a\"}, Map: {High: {\"x\", \"y\"}}, "
                        "Best: {\"tail\"}, Any: int32(5)}";
    const char *type = "example.org/held.Loose struct{Texts []string;Words "
                       "[]string;Keys set[string];Map map[example.org/held."
                       "Level enum{Low;High}]example.org/held.Names []string;"
                       "Best ?example.org/held.Tail struct{Text string};Any "
                       "any}";
    held_loose x, y;
    struct v23_arena other;

    ck_assert_int_eq(into(&held_loose_desc, &x, &arena, type, value), 0);
    ck_assert_uint_eq(x.texts.n, 2);
    ck_assert(x.best.has);
    ck_assert_str_eq(enc(&held_loose_desc, &x), enc_text(type, value));
    v23_arena_init(&other, &mem.al, SIZE_MAX);
    ck_assert_int_eq(held_loose_copy(&other, &y, &x), 0);
    ck_assert(held_loose_equal(&x, &y));
    ck_assert(y.texts.v[0].p != x.texts.v[0].p);
    ck_assert(y.best.v.text.p != x.best.v.text.p);
    v23_arena_fini(&arena);
    v23_arena_init(&arena, &mem.al, SIZE_MAX);
    ck_assert_str_eq(enc(&held_loose_desc, &y), enc_text(type, value));
    v23_arena_fini(&other);
}
END_TEST

START_TEST(unions_hold_things_in_place)
{
    held_choice x;

    ck_assert_int_eq(
        into(&held_choice_desc, &x, NULL,
            "example.org/held.Choice union{Text string}", "{Text: \"abcde\"}"),
        0);
    ck_assert_uint_eq(x.which, HELD_CHOICE_TEXT);
    ck_assert_int_eq(memcmp(x.u.text.p, "abcde", 5), 0);
    ck_assert_str_eq(
        text(&held_choice_desc, &x), dynamic(&held_choice_desc, &x));
}
END_TEST

START_TEST(floats_are_the_same_memory)
{
    double d;

    memcpy(&d, &HELD_DEFAULT.num, sizeof(d));
    ck_assert(d == 1.5);
    memcpy(&d, &HELD_DEFAULT.values.v[1], sizeof(d));
    ck_assert(d == -2.5);
}
END_TEST

static int decode_loose(const struct v23_alloc *al, void *ud)
{
    const struct v23_bytes *b = ud;
    struct v23_arena a;
    held_loose x;
    int rc;

    v23_arena_init(&a, al, SIZE_MAX);
    rc = vom_decode_single(b->p, b->n, NULL, &a, &held_loose_desc, &x, NULL);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(lack_of_memory_is_an_error)
{
    struct v23_bytes b = hex(enc_text("example.org/held.Loose struct{Texts "
                                      "[]string;Words []string}",
        "{{\"a long text\"}, {\"abc\"}}"));

    tst_out_of_memory(decode_loose, &b);
}
END_TEST

/* ---- streams ------------------------------------------------------------- */

struct log {
    char text[256];
    int stop; /* after so many items, or 0 */
    int n;
};

static int each_pair(void *ud, const held_pair *item)
{
    struct log *l = ud;

    (void)snprintf(l->text + strlen(l->text), 32, "%d%.*s ", (int)item->a,
        item->b.n, item->b.p);
    return ++l->n == l->stop ? V23_ECANCELED : 0;
}

static int each_note(void *ud, const struct vdl_str *item)
{
    struct log *l = ud;

    (void)snprintf(
        l->text + strlen(l->text), 32, "%.*s ", (int)item->n, item->p);
    return 0;
}

static int each_last(void *ud, const vdl_str_2 *item)
{
    struct log *l = ud;

    (void)snprintf(l->text + strlen(l->text), 32, "%.*s ", item->n, item->p);
    return 0;
}

#define BATCH                                                                  \
    "example.org/held.Batch struct{Title string;Items "                        \
    "[]example.org/held.Pair struct{A int32;B example.org/held.Id string};"    \
    "Inner example.org/held.Inner struct{Notes []string;Count int32};"         \
    "Last []string}"
#define BATCH_VALUE                                                            \
    "{\"t\", {{1, \"a\"}, {}, {3, \"ccc\"}}, {{\"x\", \"yz\"}, 5}, "           \
    "{\"l\", \"m\"}}"

START_TEST(items_pass_through_callbacks)
{
    struct log l = {"", 0, 0};
    held_batch x;

    memset(&x, 0xff, sizeof(x));
    x.items.each = each_pair;
    x.inner.notes.each = each_note;
    x.last.each = each_last;
    x.items.ud = x.inner.notes.ud = x.last.ud = &l;
    ck_assert_int_eq(into(&held_batch_desc, &x, &arena, BATCH, BATCH_VALUE), 0);
    ck_assert_str_eq(l.text, "1a 0 3ccc x yz l m ");
    ck_assert_uint_eq(x.items.n, 3);
    ck_assert_uint_eq(x.inner.notes.n, 2);
    ck_assert_int_eq(x.inner.count, 5);
    ck_assert(x.items.each == each_pair);
    ck_assert(vdl_str_is(x.title, "t"));
}
END_TEST

START_TEST(items_are_converted)
{
    struct log l = {"", 0, 0};
    held_batch x;

    memset(&x, 0, sizeof(x));
    x.items.each = each_pair;
    x.inner.notes.each = each_note;
    x.items.ud = x.inner.notes.ud = &l;
    ck_assert_int_eq(into(&held_batch_desc, &x, &arena,
                         "b.B struct{Items [2]b.P struct{A uint64};"
                         "Inner b.I struct{Notes []b.E enum{P;Q}}}",
                         "{{{1}, {2}}, {{Q, P, Q}}}"),
        0);
    ck_assert_str_eq(l.text, "1 2 Q P Q ");
}
END_TEST

START_TEST(a_callback_can_stop)
{
    struct log l = {"", 2, 0};
    held_batch x;

    memset(&x, 0, sizeof(x));
    x.items.each = each_pair;
    x.items.ud = &l;
    ck_assert_int_eq(
        into(&held_batch_desc, &x, &arena, BATCH, BATCH_VALUE), V23_ECANCELED);
    ck_assert_str_eq(l.text, "1a 0 ");
}
END_TEST

START_TEST(items_without_callback_are_read_over)
{
    held_batch x;

    memset(&x, 0, sizeof(x));
    ck_assert_int_eq(
        into(&held_batch_desc, &x, &arena,
            "b.B struct{Items []b.P struct{B string}}", "{{{\"a\"}, {\"b\"}}}"),
        0);
    ck_assert_uint_eq(x.items.n, 2);
    ck_assert_int_eq(into(&held_batch_desc, &x, &arena,
                         "b.B struct{Items []b.P struct{B string}}",
                         "{{{\"a\"}, {\"abcde\"}}}"),
        V23_ECONVERT);
}
END_TEST

struct source {
    held_pair item;
    int left, fail;
};

static int next_pair(void *ud, const held_pair **item)
{
    struct source *s = ud;

    if (s->left == s->fail)
        return V23_ECANCELED;
    s->item.a = s->left--;
    *item = &s->item;
    return 0;
}

START_TEST(items_are_pulled)
{
    struct source s = {{0, {1, "p"}}, 3, -1};
    held_batch x;

    memset(&x, 0, sizeof(x));
    x.items.n = 3;
    x.items.next = next_pair;
    x.items.ud = &s;
    ck_assert_str_eq(enc(&held_batch_desc, &x),
        enc_text(BATCH, "{Items: {{3, \"p\"}, {2, \"p\"}, {1, \"p\"}}}"));
}
END_TEST

START_TEST(an_error_of_the_source_ends_encoding)
{
    struct source s = {{0, {1, "p"}}, 3, 1};
    held_batch x;
    struct v23_buf b;

    memset(&x, 0, sizeof(x));
    x.items.n = 3;
    x.items.next = next_pair;
    x.items.ud = &s;
    v23_buf_init(&b, &mem.al, SIZE_MAX);
    ck_assert_int_eq(
        vom_encode_single(&mem.al, &held_batch_desc, &x, &b), V23_ECANCELED);
    ck_assert_uint_eq(b.n, 0);
    x.items.next = NULL;
    ck_assert_int_eq(
        vom_encode_single(&mem.al, &held_batch_desc, &x, &b), V23_ESTATE);
    v23_buf_fini(&b);
}
END_TEST

/* ---- single-shot streams ------------------------------------------------- */

START_TEST(single_streams_need_no_memory)
{
    static uint8_t space[8192];
    static held_sample x;
    struct v23_buf b;
    size_t used;

    v23_buf_init_fixed(&b, space, sizeof(space));
    ck_assert_int_eq(held_sample_encode_single(&HELD_DEFAULT, &b), 0);
    ck_assert_str_eq(unhex(b.p, b.n), enc(&held_sample_desc, &HELD_DEFAULT));
    ck_assert_int_eq(
        held_sample_decode_single(v23_bytes(b.p, b.n), NULL, &x, &used), 0);
    ck_assert_uint_eq(used, b.n);
    ck_assert(held_sample_equal(&x, &HELD_DEFAULT));
}
END_TEST

START_TEST(single_streams_pass_items)
{
    struct v23_bytes b = hex(enc_text(BATCH, BATCH_VALUE));
    struct log l = {"", 0, 0};
    held_batch x;

    memset(&x, 0, sizeof(x));
    x.items.each = each_pair;
    x.items.ud = &l;
    ck_assert_int_eq(held_batch_decode_single(b, &arena, &x, NULL), 0);
    ck_assert_str_eq(l.text, "1a 0 3ccc ");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, sizes_are_the_smallest);
    tcase_add_test(tc, text_is_that_of_the_normal_form);
    tcase_add_test(tc, json_and_const_are_those_of_the_normal_form);
    tcase_add_test(tc, flat_types_decode_without_arena);
    tcase_add_test(tc, others_need_an_arena);
    tcase_add_test(tc, zero_values_are_left_out);
    tcase_add_loop_test(tc, what_fits_is_decoded_and_what_does_not_is_refused,
        0, sizeof(bounds) / sizeof(bounds[0]));
    tcase_add_test(tc, repeated_keys_count_once_without_arena);
    tcase_add_test(tc, a_count_out_of_range_is_refused);
    tcase_add_test(tc, parts_outside_are_decoded_and_copied);
    tcase_add_test(tc, unions_hold_things_in_place);
    tcase_add_test(tc, floats_are_the_same_memory);
    tcase_add_test(tc, lack_of_memory_is_an_error);
    tcase_add_test(tc, items_pass_through_callbacks);
    tcase_add_test(tc, items_are_converted);
    tcase_add_test(tc, a_callback_can_stop);
    tcase_add_test(tc, items_without_callback_are_read_over);
    tcase_add_test(tc, items_are_pulled);
    tcase_add_test(tc, an_error_of_the_source_ends_encoding);
    tcase_add_test(tc, single_streams_need_no_memory);
    tcase_add_test(tc, single_streams_pass_items);
}

int main(void)
{
    return run_suite("libvom/held", fill);
}
