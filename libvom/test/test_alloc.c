/* BSD-3-Clause; see LICENSE. */
/* Allocators, size arithmetic, reference counts, arenas. */
#include <check.h>

#include <suite.h>
#include <support.h>
#include <v23/config.h>

static struct tst_alloc mem;
static struct v23_arena arena;

static void setup(void)
{
    tst_alloc_init(&mem);
    v23_arena_init(&arena, &mem.al, SIZE_MAX);
}

static void teardown(void)
{
    v23_arena_fini(&arena);
    ck_assert_uint_eq(mem.live, 0);
}

START_TEST(libc_stands_for_null)
{
    uint8_t *p = v23_get0(NULL, 3, 5), *q;

    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(p[14], 0);
    p[14] = 7;
    q = v23_regrow(NULL, p, 4000);

    ck_assert_ptr_nonnull(q);
    ck_assert_uint_eq(q[14], 7);
    v23_put(NULL, q);
    v23_put(NULL, NULL);
}
END_TEST

START_TEST(sizes_that_overflow_are_refused)
{
    size_t out = 1;

    ck_assert_int_eq(v23_add_size(SIZE_MAX, 1, &out), V23_ELIMIT);
    ck_assert_int_eq(v23_mul_size(SIZE_MAX / 2 + 1, 2, &out), V23_ELIMIT);
    ck_assert_uint_eq(out, 1);
    ck_assert_int_eq(v23_add_size(SIZE_MAX - 1, 1, &out), 0);
    ck_assert_uint_eq(out, SIZE_MAX);
    ck_assert_int_eq(v23_mul_size(0, SIZE_MAX, &out), 0);
    ck_assert_uint_eq(out, 0);
    ck_assert_ptr_null(v23_get0(&mem.al, SIZE_MAX, 2));
    ck_assert_ptr_null(v23_arena_get0(&arena, SIZE_MAX, 2, 1));
}
END_TEST

START_TEST(reserve_doubles_up_to_its_limit)
{
    void *v = NULL;
    size_t cap = 0;

    ck_assert_int_eq(v23_reserve(&mem.al, &v, &cap, 1, 10, 8), 0);
    ck_assert_uint_eq(cap, 4);
    ck_assert_int_eq(v23_reserve(&mem.al, &v, &cap, 5, 10, 8), 0);
    ck_assert_uint_eq(cap, 8);
    ck_assert_int_eq(v23_reserve(&mem.al, &v, &cap, 9, 10, 8), 0);
    ck_assert_uint_eq(cap, 10);
    ck_assert_int_eq(v23_reserve(&mem.al, &v, &cap, 11, 10, 8), V23_ELIMIT);
    ck_assert_int_eq(
        v23_reserve(&mem.al, &v, &cap, SIZE_MAX / 4, SIZE_MAX, 8),
        V23_ELIMIT);
    ck_assert_uint_eq(cap, 10);
    mem.fail_at = mem.calls + 1;
    ck_assert_int_eq(v23_reserve(&mem.al, &v, &cap, 11, 99, 8), V23_ENOMEM);
    ck_assert_uint_eq(cap, 10);
    v23_put(&mem.al, v);
}
END_TEST

/* ---- reference counts ---------------------------------------------------- */

struct counted {
    struct v23_ref ref;
    int destroyed;
};

static void destroy(struct v23_ref *r)
{
    ((struct counted *)(void *)r)->destroyed++;
}

START_TEST(the_last_owner_destroys)
{
    struct counted c = { { 1, destroy }, 0 };

    ck_assert_ptr_eq(v23_ref(&c.ref), &c.ref);
    v23_unref(&c.ref);
    ck_assert_int_eq(c.destroyed, 0);
    v23_unref(&c.ref);
    v23_unref(NULL);

    ck_assert_int_eq(c.destroyed, 1);
}
END_TEST

START_TEST(arena_holds_until_reset)
{
    struct counted c = { { 1, destroy }, 0 }, d = { { 1, destroy }, 0 };
    struct v23_arena_mark m = v23_arena_mark(&arena);
    size_t calls;

    ck_assert_int_eq(v23_arena_hold(&arena, &c.ref), 0);
    calls = mem.calls;
    ck_assert_int_eq(v23_arena_hold(&arena, &c.ref), 0);
    ck_assert_uint_eq(mem.calls, calls);
    ck_assert_uint_eq(c.ref.n, 2);
    ck_assert_int_eq(v23_arena_hold(&arena, &d.ref), 0);
    v23_unref(&c.ref);
    v23_unref(&d.ref);
    v23_arena_rewind(&arena, m);
    ck_assert_int_eq(c.destroyed + d.destroyed, 0);
    v23_arena_reset(&arena);

    ck_assert_int_eq(c.destroyed, 1);
    ck_assert_int_eq(d.destroyed, 1);
}
END_TEST

START_TEST(a_fixed_arena_holds_too)
{
    struct counted c = { { 1, destroy }, 0 }, d = { { 1, destroy }, 0 };
    struct v23_arena_mark m;
    struct v23_arena a;
    uint64_t space[8];

    v23_arena_init_fixed(&a, space, sizeof(space));
    m = v23_arena_mark(&a);
    ck_assert_ptr_nonnull(v23_arena_get(&a, 8, 8));
    ck_assert_int_eq(v23_arena_hold(&a, &c.ref), 0);
    v23_arena_rewind(&a, m);
    /* One record of two pointers is taken; leave less than another. */
    ck_assert_ptr_nonnull(
        v23_arena_get(&a, sizeof(space) - 3 * sizeof(void *), 8));
    ck_assert_int_eq(v23_arena_hold(&a, &d.ref), V23_ENOMEM);
    ck_assert_uint_eq(d.ref.n, 1);
    v23_unref(&c.ref);
    v23_arena_reset(&a);

    ck_assert_int_eq(c.destroyed, 1);
    ck_assert_ptr_nonnull(v23_arena_get(&a, sizeof(space), 1));
}
END_TEST

/* ---- arenas -------------------------------------------------------------- */

START_TEST(arena_aligns_and_does_not_overlap)
{
    uint8_t *last = NULL;
    size_t i, align;

    for (i = 0; i < 2000; i++) {
        uint8_t *p;

        align = (size_t)1 << i % 5;
        p = v23_arena_get(&arena, i % 37, align);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % align, 0);
        memset(p, (int)i, i % 37);
        if (last != NULL && i % 37 > 1)
            ck_assert_uint_eq(last[0], (uint8_t)(i - 1));
        last = i % 37 == 0 ? NULL : p;
    }
}
END_TEST

/* An allocator whose blocks are aligned to 8 only. */
static void *odd_get(void *ud, size_t size)
{
    char *p = v23_get(&mem.al, size + 8);

    (void)ud;
    return p == NULL ? NULL : p + 8;
}

static void odd_put(void *ud, void *p)
{
    (void)ud;
    v23_put(&mem.al, (char *)p - 8);
}

START_TEST(small_alignment_of_blocks_is_made_up_for)
{
    static const struct v23_alloc odd = { odd_get, NULL, odd_put, NULL };
    struct v23_arena a;
    size_t i;

    v23_arena_init(&a, &odd, SIZE_MAX);
    for (i = 1; i < 20; i++) {
        uint8_t *p = v23_arena_get(&a, 3000 * i, 16);

        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % 16, 0);
        memset(p, 1, 3000 * i);
    }
    v23_arena_fini(&a);
}
END_TEST

START_TEST(the_budget_is_kept)
{
    struct v23_arena a;

    v23_arena_init(&a, &mem.al, 100);
    ck_assert_ptr_nonnull(v23_arena_get(&a, 60, 1));
    ck_assert_ptr_null(v23_arena_get(&a, 41, 1));
    ck_assert_ptr_null(v23_arena_get(&a, SIZE_MAX, 1));
    ck_assert_uint_eq(a.used, 60);
    ck_assert_ptr_nonnull(v23_arena_get(&a, 40, 1));
    ck_assert_ptr_null(v23_arena_get(&a, 1, 1));
    ck_assert_uint_le(mem.bytes, 200);
    v23_arena_reset(&a);
    ck_assert_ptr_nonnull(v23_arena_get(&a, 100, 1));
    v23_arena_fini(&a);
}
END_TEST

START_TEST(a_steady_arena_does_not_allocate)
{
    size_t round, i, calls = 0;

    for (round = 0; round < 10; round++) {
        for (i = 0; i < 50; i++)
            ck_assert_ptr_nonnull(v23_arena_get(&arena, 400, 8));
        v23_arena_reset(&arena);
        if (round == 5)
            calls = mem.calls;
    }

    ck_assert_uint_eq(mem.calls, calls);
    ck_assert_uint_eq(mem.live, 1);
}
END_TEST

START_TEST(large_blocks_are_not_kept)
{
    ck_assert_ptr_nonnull(v23_arena_get(&arena, 10, 1));
    ck_assert_ptr_nonnull(v23_arena_get(&arena, 4 * V23_ARENA_KEEP, 1));
    v23_arena_reset(&arena);

    ck_assert_uint_le(mem.bytes, V23_ARENA_KEEP + 64);
}
END_TEST

START_TEST(rewind_goes_back_over_blocks)
{
    struct v23_arena_mark empty = v23_arena_mark(&arena), m;
    char *kept = v23_arena_dup(&arena, "kept", 4), *p;
    size_t used = arena.used, i;

    m = v23_arena_mark(&arena);
    for (i = 0; i < 100; i++)
        ck_assert_ptr_nonnull(v23_arena_get(&arena, 1000, 1));
    v23_arena_rewind(&arena, m);

    ck_assert_uint_eq(arena.used, used);
    ck_assert_uint_eq(mem.live, 1);
    ck_assert_str_eq(kept, "kept");
    p = v23_arena_get(&arena, 1, 1);
    ck_assert_ptr_eq(p, kept + 5);
    v23_arena_rewind(&arena, empty);
    ck_assert_uint_eq(arena.used, 0);
    ck_assert_ptr_eq(v23_arena_dup(&arena, NULL, 0), kept);
}
END_TEST

START_TEST(a_fixed_arena_allocates_nothing)
{
    struct v23_arena a;
    char space[32];

    v23_arena_init_fixed(&a, space, sizeof(space));
    ck_assert_ptr_eq(v23_arena_dup(&a, "abc", 3), space);
    ck_assert_str_eq(space, "abc");
    ck_assert_ptr_null(v23_arena_get(&a, 29, 1));
    ck_assert_ptr_nonnull(v23_arena_get(&a, 28, 1));
    ck_assert_ptr_null(v23_arena_get(&a, 1, 1));
    v23_arena_fini(&a);
}
END_TEST

static int use_arena(const struct v23_alloc *al, void *ud)
{
    struct counted *c = ud;
    struct v23_arena a;
    int rc = V23_ENOMEM;

    v23_arena_init(&a, al, SIZE_MAX);
    if (v23_arena_get(&a, 10, 1) != NULL
        && v23_arena_get(&a, 100000, 16) != NULL)
        rc = v23_arena_hold(&a, &c->ref);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(out_of_memory_leaks_nothing)
{
    struct counted c = { { 1, destroy }, 0 };

    tst_out_of_memory(use_arena, &c);

    ck_assert_uint_eq(c.ref.n, 1);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, libc_stands_for_null);
    tcase_add_test(tc, sizes_that_overflow_are_refused);
    tcase_add_test(tc, reserve_doubles_up_to_its_limit);
    tcase_add_test(tc, the_last_owner_destroys);
    tcase_add_test(tc, arena_holds_until_reset);
    tcase_add_test(tc, a_fixed_arena_holds_too);
    tcase_add_test(tc, arena_aligns_and_does_not_overlap);
    tcase_add_test(tc, small_alignment_of_blocks_is_made_up_for);
    tcase_add_test(tc, the_budget_is_kept);
    tcase_add_test(tc, a_steady_arena_does_not_allocate);
    tcase_add_test(tc, large_blocks_are_not_kept);
    tcase_add_test(tc, rewind_goes_back_over_blocks);
    tcase_add_test(tc, a_fixed_arena_allocates_nothing);
    tcase_add_test(tc, out_of_memory_leaks_nothing);
}

int main(void)
{
    return tst_run_case("libvom/alloc", add, setup, teardown);
}
