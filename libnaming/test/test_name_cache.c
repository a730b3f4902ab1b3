/* BSD-3-Clause; see LICENSE. */
/* The resolution cache beyond its recorded scripts: size, time, memory. */
#include <check.h>
#include <stdio.h>

#include <suite.h>
#include <support.h>
#include <v23/time.h>

#include "cache_int.h"

#define SEC V23_NS_PER_SEC

static struct tst_alloc t;
static struct v23_arena a;
static struct vname_cache *cache;
static int64_t now;

static void setup(void)
{
    tst_alloc_init(&t);
    v23_arena_init(&a, &t.al, SIZE_MAX);
    now = 1000 * SEC;
    ck_assert_int_eq(vname_cache_new_(&t.al, 64, 7, &cache), 0);
}

static void teardown(void)
{
    vname_cache_free_(cache);
    v23_arena_fini(&a);
    ck_assert_uint_eq(t.live, 0);
}

static void remember(const char *name, const char *suffix,
    const char *server, int64_t seconds)
{
    v23_naming_mounted_server s;
    v23_naming_mount_entry e;

    memset(&s, 0, sizeof(s));
    memset(&e, 0, sizeof(e));
    s.server = vdl_str(server);
    s.deadline.from_now.seconds = seconds;
    e.name = vdl_str(suffix);
    e.servers.v = &s;
    e.servers.n = 1;
    vname_cache_remember_(cache, &a, vdl_str(name), &e, now);
}

/* "rest server seconds", or "-". */
static const char *lookup(const char *name)
{
    static char text[256];
    v23_naming_mount_entry e;
    int rc = vname_cache_lookup_(cache, &a, vdl_str(name), now, &e);

    if (rc == V23_ENONAME)
        return "-";
    ck_assert_int_eq(rc, 0);
    snprintf(text, sizeof(text), "%.*s %.*s %d", (int)e.name.n,
        e.name.n == 0 ? "" : e.name.p, (int)e.servers.v[0].server.n,
        e.servers.v[0].server.p,
        (int)e.servers.v[0].deadline.from_now.seconds);
    return text;
}

START_TEST(lookup_gives_the_time_left)
{
    remember("/h/a/b", "b", "/s:1", 60);
    now += 20 * SEC;

    ck_assert_str_eq(lookup("/h/a/x/y"), "x/y /s:1 40");
    ck_assert_str_eq(lookup("/h//a/"), " /s:1 40");
    ck_assert_str_eq(lookup("/h"), "-");
    ck_assert_str_eq(lookup("/h/ab"), "-");

    now += 40 * SEC;
    ck_assert_str_eq(lookup("/h/a"), " /s:1 0");
    now += 1;
    ck_assert_str_eq(lookup("/h/a"), "-");
}
END_TEST

START_TEST(entry_without_deadline_stays)
{
    remember("/h/a", "", "/s:1", 0);
    now += INT64_C(1000000) * SEC;

    ck_assert_str_eq(lookup("/h/a"), " /s:1 0");
}
END_TEST

START_TEST(absurd_deadlines_do_not_overflow)
{
    remember("/h/a", "", "/s:1", INT64_MAX);
    remember("/h/b", "", "/s:1", INT64_MIN);

    ck_assert_str_eq(lookup("/h/a"), " /s:1 0"); /* none */
    ck_assert_str_eq(lookup("/h/b"), "-");
}
END_TEST

START_TEST(size_is_bounded)
{
    char name[32];
    size_t most = 0;
    int i;

    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "/h/%d", i);
        remember(name, "", "/s:1", 60);
        if (vname_cache_size_(cache) > most)
            most = vname_cache_size_(cache);
        ck_assert_str_eq(lookup(name), " /s:1 60");
    }

    ck_assert_uint_eq(most, 64);
    ck_assert_uint_ge(vname_cache_size_(cache), 48);
}
END_TEST

START_TEST(expired_entries_go_first)
{
    char name[32];
    int i;

    for (i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "/old/%d", i);
        remember(name, "", "/s:1", 10);
    }
    now += 11 * SEC;
    for (i = 0; i < 45; i++) {
        snprintf(name, sizeof(name), "/new/%d", i);
        remember(name, "", "/s:1", 60);
    }

    for (i = 0; i < 45; i++) {
        snprintf(name, sizeof(name), "/new/%d", i);
        ck_assert_str_eq(lookup(name), " /s:1 60");
    }
}
END_TEST

START_TEST(forget_of_nothing_forgets_all)
{
    remember("/h/a", "", "/s:1", 60);
    remember("/g/a", "", "/s:1", 60);

    vname_cache_forget_(cache, &a, vdl_str(""));

    ck_assert_uint_eq(vname_cache_size_(cache), 0);
}
END_TEST

START_TEST(flush_of_a_loop_ends)
{
    remember("/h1/a", "", "/h2", 60);
    remember("/h2", "", "/h1/a", 60);

    ck_assert(vname_cache_flush_(cache, &a, vdl_str("/h1/a"), now));

    ck_assert_uint_lt(vname_cache_size_(cache), 2);
}
END_TEST

START_TEST(negatives_are_bounded_and_expire)
{
    char server[32];
    int i;

    for (i = 0; i < 2000; i++) {
        snprintf(server, sizeof(server), "/h:%d", i);
        vname_cache_set_not_mt_(cache, vdl_str(server), now);
    }
    ck_assert_uint_lt(t.live, 400);
    ck_assert(vname_cache_is_not_mt_(cache, vdl_str("/h:0"), now));
    vname_cache_set_not_mt_(cache, vdl_str("/h:0"), now + 30 * SEC);

    ck_assert(vname_cache_is_not_mt_(cache, vdl_str("/h:1"), now + 60 * SEC));
    ck_assert(!vname_cache_is_not_mt_(cache, vdl_str("/h:1"),
        now + 60 * SEC + 1));
    ck_assert(vname_cache_is_not_mt_(cache, vdl_str("/h:0"),
        now + 60 * SEC + 1));
}
END_TEST

START_TEST(what_does_not_fit_is_not_remembered)
{
    remember("/h/a", "", "/s:1", 60);
    t.fail_at = t.calls + 1;
    remember("/h/b", "", "/s:1", 60);
    ck_assert_str_eq(lookup("/h/b"), "-");
    ck_assert_str_eq(lookup("/h/a"), " /s:1 60");

    t.fail_at = t.calls + 1;
    vname_cache_set_not_mt_(cache, vdl_str("/h:1"), now);
    ck_assert(!vname_cache_is_not_mt_(cache, vdl_str("/h:1"), now));
}
END_TEST

static int life(const struct v23_alloc *al, void *ud)
{
    struct vname_cache *c;
    int rc = vname_cache_new_(al, 64, 1, &c);

    (void)ud;
    if (rc == 0)
        vname_cache_free_(c);
    return rc;
}

START_TEST(cache_survives_every_lack_of_memory)
{
    tst_out_of_memory(life, NULL);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, lookup_gives_the_time_left);
    tcase_add_test(tc, entry_without_deadline_stays);
    tcase_add_test(tc, absurd_deadlines_do_not_overflow);
    tcase_add_test(tc, size_is_bounded);
    tcase_add_test(tc, expired_entries_go_first);
    tcase_add_test(tc, forget_of_nothing_forgets_all);
    tcase_add_test(tc, flush_of_a_loop_ends);
    tcase_add_test(tc, negatives_are_bounded_and_expire);
    tcase_add_test(tc, what_does_not_fit_is_not_remembered);
    tcase_add_test(tc, cache_survives_every_lack_of_memory);
}

int main(void)
{
    return tst_run_case("libnaming/cache", add, setup, teardown);
}
