/* BSD-3-Clause; see LICENSE. */
/* Names taken apart, and remembered. */
#include <check.h>

#include <stdio.h>

#include <suite.h>
#include <support.h>

#include "../src/place_int.h"

#include <v23/err.h>

#define SERVER \
    "/@6@tcp@127.0.0.1:1@@00112233445566778899aabbccddeeff@s@root:x@@"

static struct tst_alloc t;
static struct vrpc_places_ places;

static void setup(void)
{
    tst_alloc_init(&t);
    memset(&places, 0, sizeof(places));
    places.al = &t.al;
}

static void teardown(void)
{
    vrpc_places_fini_(&places);
    ck_assert_uint_eq(t.live, 0);
}

/* A place that stays until another name takes its slot. */
static struct vrpc_place_ *get(const char *name)
{
    struct vrpc_place_ *p = NULL;
    const char *why;

    ck_assert_int_eq(vrpc_place_get_(&places, vdl_str(name), &p, &why), 0);
    vrpc_place_unref_(p);
    return p;
}

START_TEST(place_is_remembered_without_memory)
{
    struct vrpc_place_ *p = get(SERVER "/a/b");
    size_t calls = t.calls;

    ck_assert_ptr_eq(get(SERVER "/a/b"), p);
    ck_assert_uint_eq(t.calls, calls);
    ck_assert(vdl_str_is(p->suffix, "a/b"));
    ck_assert(vdl_str_is(p->ep.address, "127.0.0.1:1"));
    ck_assert(p->address.p[0] == '@');
    ck_assert(p->clean);
    ck_assert(!p->ep.mount_table);
}
END_TEST

START_TEST(place_tells_names_apart)
{
    char name[sizeof(SERVER) + 16];
    int i, round;

    for (round = 0; round < 2; round++)
        for (i = 0; i < 100; i++) {
            snprintf(name, sizeof(name), SERVER "/%d", i);
            ck_assert(vdl_str_eq(get(name)->suffix,
                vdl_str(name + sizeof(SERVER))));
        }
}
END_TEST

START_TEST(place_knows_whether_a_name_is_clean)
{
    ck_assert(get(SERVER)->clean);
    ck_assert(!get(SERVER "/")->clean);
    ck_assert(!get(SERVER "/a//b")->clean);
    ck_assert(vdl_str_is(get(SERVER "/a//b")->suffix, "a/b"));
}
END_TEST

START_TEST(place_stays_with_those_who_hold_it)
{
    struct vrpc_place_ *held = vrpc_place_ref_(get(SERVER "/a"));
    char name[sizeof(SERVER) + 16];
    int i;

    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), SERVER "/%d", i);
        (void)get(name);
    }
    vrpc_places_fini_(&places);
    ck_assert(vdl_str_is(held->suffix, "a"));
    vrpc_place_unref_(held);
    vrpc_place_unref_(NULL);
}
END_TEST

START_TEST(place_knows_patterns)
{
    ck_assert(get(SERVER "/a")->plain);
    ck_assert(!get(SERVER "/a/")->plain);
    ck_assert(get(SERVER "/__(root:x")->plain);
    ck_assert(!get(SERVER "/__(root:x)")->plain);
    ck_assert(!get(SERVER "/__(root:x)/a")->plain);
}
END_TEST

START_TEST(place_needs_an_address)
{
    static const char *const bad[] = { "", "a/b", "/", "/@6@", "/@9@@@@@@" };
    struct vrpc_place_ *p = NULL;
    const char *why;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        why = NULL;
        ck_assert_int_eq(vrpc_place_get_(&places, vdl_str(bad[i]), &p, &why),
            V23_EENDPOINT);
        ck_assert_ptr_nonnull(why);
    }
    ck_assert_ptr_null(p);
}
END_TEST

static int get_and_free(const struct v23_alloc *al, void *ud)
{
    struct vrpc_places_ s = { al, { NULL } };
    struct vrpc_place_ *p = NULL;
    const char *why;
    int rc = vrpc_place_get_(&s, vdl_str(SERVER "//x"), &p, &why);

    (void)ud;
    if (rc == 0)
        vrpc_place_unref_(p);
    vrpc_places_fini_(&s);
    return rc;
}

START_TEST(place_survives_lack_of_memory)
{
    tst_out_of_memory(get_and_free, NULL);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, place_is_remembered_without_memory);
    tcase_add_test(tc, place_tells_names_apart);
    tcase_add_test(tc, place_knows_whether_a_name_is_clean);
    tcase_add_test(tc, place_stays_with_those_who_hold_it);
    tcase_add_test(tc, place_knows_patterns);
    tcase_add_test(tc, place_needs_an_address);
    tcase_add_test(tc, place_survives_lack_of_memory);
}

int main(void)
{
    return tst_run_case("librpc/place", add, setup, teardown);
}
