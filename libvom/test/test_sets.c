/* BSD-3-Clause; see LICENSE. */
/* Finding and ordering the entries of sets and maps. */
#include "codec_test.h"

/* A value of a type, both from text. */
struct held {
    const struct vdl_type *t;
    struct vdl_list l;
};

static struct held held(const char *type, const char *constant)
{
    struct held h;

    h.t = ty(type);
    memcpy(&h.l, val(h.t, constant), sizeof(h.l));
    return h;
}

/* Text with the entries in the order they have. */
static const char *text_of(struct held h)
{
    struct v23_buf b;
    const char *s;

    v23_buf_init(&b, &mem.al, 4096);
    ck_assert_int_eq(vdl_format(h.t, &h.l, false, &b), 0);
    s = v23_arena_dup(&arena, b.p, b.n);
    v23_buf_fini(&b);
    return s;
}

START_TEST(entry_is_found_by_its_key)
{
    struct held h = held("map[string]int32", "{\"b\": 2, \"\": 9, \"a\": 1}");
    struct vdl_str key = vdl_str("a"), none = vdl_str("c");
    const uint8_t *e = vdl_find(h.t, &h.l, &key);

    ck_assert_ptr_nonnull(e);
    ck_assert_int_eq(*(const int32_t *)(const void *)(e + h.t->val_off), 1);
    ck_assert_ptr_null(vdl_find(h.t, &h.l, &none));
}
END_TEST

START_TEST(set_knows_its_keys)
{
    struct held h = held("set[struct{A int8;B string}]",
        "{{1, \"x\"}, {1, \"y\"}, {-1, \"x\"}}");
    const void *in = val(h.t->key, "{1, \"y\"}");
    const void *out = val(h.t->key, "{-1, \"y\"}");

    ck_assert(vdl_set_has(h.t, &h.l, in));
    ck_assert(!vdl_set_has(h.t, &h.l, out));
    h.l.n = 0;
    ck_assert(!vdl_set_has(h.t, &h.l, in));
    ck_assert_ptr_null(vdl_find_sorted(h.t, &h.l, in));
}
END_TEST

START_TEST(nan_is_never_found)
{
    struct held h = held("set[float64]", "{NaN, 1}");
    const double *keys = h.l.v;

    ck_assert(!vdl_set_has(h.t, &h.l, &keys[0]));
    ck_assert(vdl_set_has(h.t, &h.l, &keys[1]));
    ck_assert_int_eq(vdl_sort(&arena, h.t, &h.l), 0);
    keys = h.l.v;
    ck_assert(keys[0] == 1);
    ck_assert_ptr_eq(vdl_find_sorted(h.t, &h.l, &keys[0]), &keys[0]);
    ck_assert_ptr_null(vdl_find_sorted(h.t, &h.l, &keys[1]));
}
END_TEST

static const struct {
    const char *type, *constant, *sorted;
} orders[] = {
    { "set[int16]", "{3, -2, 300, 0}", "set[int16]{-2, 0, 3, 300}" },
    { "set[string]", "{\"b\", \"\", \"ab\", \"a\"}",
        "set[string]{\"\", \"a\", \"ab\", \"b\"}" },
    { "set[bool]", "{true, false}", "set[bool]{false, true}" },
    { "map[enum{Z;A}]uint16", "{A: 1, Z: 2}",
        "map[enum{Z;A}]uint16{Z: 2, A: 1}" },
    { "set[union{A bool;B int8}]", "{{B: 1}, {B: -1}, {A: true}}",
        "set[union{A bool;B int8}]{{A: true}, {B: -1}, {B: 1}}" },
    { "set[[2]byte]", "{{2, 0}, {1, 9}}",
        "set[[2]byte]{\"\\x01\\t\", \"\\x02\\x00\"}" },
    { "set[byte]", "{}", "set[byte]{}" },
};

START_TEST(sorting_orders_by_key)
{
    struct held h = held(orders[_i].type, orders[_i].constant);
    struct vdl_list before = h.l;

    ck_assert_int_eq(vdl_sort(&arena, h.t, &h.l), 0);
    ck_assert_str_eq(text_of(h), orders[_i].sorted);
    ck_assert(vdl_equal(h.t, &h.l, &before));
}
END_TEST

START_TEST(every_entry_is_found_when_sorted)
{
    enum { N = 100 };
    struct held h = held("set[uint32]", "{}");
    uint32_t keys[N], i;

    for (i = 0; i < N; i++)
        keys[i] = i * 7919 % 1009;
    h.l.v = keys;
    h.l.n = N;
    ck_assert_int_eq(vdl_sort(&arena, h.t, &h.l), 0);
    for (i = 0; i < N; i++)
        ck_assert_uint_eq(
            *(const uint32_t *)vdl_find_sorted(h.t, &h.l, &keys[i]), keys[i]);
    i = 2000;
    ck_assert_ptr_null(vdl_find_sorted(h.t, &h.l, &i));
}
END_TEST

START_TEST(sorting_without_memory_changes_nothing)
{
    struct held h = held("set[int32]", "{2, 1}");
    const void *before = h.l.v;
    struct v23_arena none;
    uint64_t space[2]; /* of the entries, not of the work */

    v23_arena_init_fixed(&none, space, sizeof(space));
    ck_assert_int_eq(vdl_sort(&none, h.t, &h.l), V23_ENOMEM);
    ck_assert_ptr_eq(h.l.v, before);
    ck_assert_uint_eq(none.used, 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, entry_is_found_by_its_key);
    tcase_add_test(tc, set_knows_its_keys);
    tcase_add_test(tc, nan_is_never_found);
    tcase_add_loop_test(tc, sorting_orders_by_key, 0,
        sizeof(orders) / sizeof(*orders));
    tcase_add_test(tc, every_entry_is_found_when_sorted);
    tcase_add_test(tc, sorting_without_memory_changes_nothing);
}

int main(void)
{
    return run_suite("libvom/sets", fill);
}
