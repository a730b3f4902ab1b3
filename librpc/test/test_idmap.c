/* BSD-3-Clause; see LICENSE. */
/* The id map against a plain array, and the block pool. */
#include <check.h>

#include <suite.h>
#include <support.h>

#include "../src/idmap_int.h"
#include "../src/pool_int.h"

#define IDS 512

static struct tst_alloc t;
static struct vrpc_idmap_ m;

static void setup(void)
{
    tst_alloc_init(&t);
    memset(&m, 0, sizeof(m));
}

static void teardown(void)
{
    vrpc_idmap_fini_(&m, &t.al);
    ck_assert_uint_eq(t.live, 0);
}

static uint32_t next_random(uint32_t *s)
{
    *s = *s * 1664525u + 1013904223u;
    return *s >> 8;
}

START_TEST(map_agrees_with_an_array)
{
    uint64_t model[IDS] = { 0 };
    uint32_t seed = (uint32_t)_i + 1, id, used = 0;
    union vrpc_idval_ *v, val;
    int step;

    for (step = 0; step < 20000; step++) {
        id = 1 + next_random(&seed) % (IDS - 1);
        v = vrpc_idmap_get_(&m, id);
        ck_assert(v == NULL ? model[id] == 0 : v->n == model[id]);
        if (v == NULL) {
            val.n = model[id] = 1 + next_random(&seed);
            ck_assert_int_eq(vrpc_idmap_put_(&m, &t.al, id, val), 0);
            used++;
        } else {
            vrpc_idmap_del_(&m, id);
            model[id] = 0;
            used--;
        }
        if (next_random(&seed) % 100 == 0)
            vrpc_idmap_trim_(&m, &t.al);
        ck_assert_uint_eq(m.used, used);
    }
    for (id = 0; id < IDS; id++) {
        v = vrpc_idmap_get_(&m, id);
        ck_assert(v == NULL ? model[id] == 0 : v->n == model[id]);
    }
}
END_TEST

START_TEST(map_gives_memory_back)
{
    union vrpc_idval_ val = { NULL };
    uint64_t id;

    for (id = 1; id <= 1000; id++)
        ck_assert_int_eq(vrpc_idmap_put_(&m, &t.al, id, val), 0);
    for (id = 1; id <= 998; id++)
        vrpc_idmap_del_(&m, id);
    ck_assert(vrpc_idmap_is_sparse_(&m));

    vrpc_idmap_trim_(&m, &t.al);

    ck_assert(!vrpc_idmap_is_sparse_(&m));
    ck_assert_uint_le(t.bytes, 16 * sizeof(struct vrpc_idslot_));
    ck_assert_ptr_nonnull(vrpc_idmap_get_(&m, 999));
    ck_assert_ptr_nonnull(vrpc_idmap_get_(&m, 1000));
}
END_TEST

START_TEST(map_without_memory_is_unchanged)
{
    union vrpc_idval_ val = { NULL };
    uint64_t id;

    for (id = 1; id <= 4; id++)
        ck_assert_int_eq(vrpc_idmap_put_(&m, &t.al, id, val), 0);
    t.fail_at = t.calls + 1;

    ck_assert_int_eq(vrpc_idmap_put_(&m, &t.al, 5, val), V23_ENOMEM);

    ck_assert_ptr_null(vrpc_idmap_get_(&m, 5));
    ck_assert_ptr_nonnull(vrpc_idmap_get_(&m, 4));
}
END_TEST

START_TEST(pool_hands_out_what_it_got)
{
    struct vrpc_pool_ pool = { NULL, 0, 4096 };
    size_t cap;
    void *a, *b;

    a = vrpc_pool_get_(&pool, &t.al, 1000, &cap);
    ck_assert_uint_eq(cap, 1000);
    vrpc_pool_put_(&pool, &t.al, a, cap);
    ck_assert_uint_eq(pool.bytes, 1000);

    b = vrpc_pool_get_(&pool, &t.al, 500, &cap);
    ck_assert_ptr_eq(a, b);
    ck_assert_uint_eq(cap, 1000);
    a = vrpc_pool_get_(&pool, &t.al, 5000, &cap);
    vrpc_pool_put_(&pool, &t.al, a, cap); /* above max: freed */
    ck_assert_uint_eq(pool.bytes, 0);
    vrpc_pool_put_(&pool, &t.al, b, 1000);
    vrpc_pool_trim_(&pool, &t.al, 999);

    ck_assert_uint_eq(pool.bytes, 0);
    ck_assert_uint_eq(t.live, 0);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, map_agrees_with_an_array, 0, 5);
    tcase_add_test(tc, map_gives_memory_back);
    tcase_add_test(tc, map_without_memory_is_unchanged);
    tcase_add_test(tc, pool_hands_out_what_it_got);
}

int main(void)
{
    return tst_run_case("librpc/idmap", add, setup, teardown);
}
