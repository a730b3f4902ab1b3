/* BSD-3-Clause; see LICENSE. */
/* The namespace client and replicas of mount tables, some of which are gone. */
#include "ns_rig.h"

START_TEST(replicas_stand_in_for_each_other)
{
    struct table *third = add_table("third");
    struct vdl_str roots[2];

    /* Two equal roots, the first of which is down. */
    roots[0] = vdl_str("/(test:nobody)@nobody:1");
    roots[1] = vdl_str(third->name);
    ck_assert_int_eq(vname_ns_set_roots(N.ns, roots, 2), 0);
    ck_assert_str_eq(mount("a", "/h:1", 60 * SEC, 0), "");

    ck_assert_str_eq(resolve("a/b"), "");
    ck_assert_str_eq(N.text, "/h:1/b");
}
END_TEST

/* A node that never answers. */
static struct table *add_hole(const char *name)
{
    struct table *t = add_table(name);

    t->n->black_hole = true;
    return t;
}

static void set_two_roots(const struct table *a, const struct table *b)
{
    struct vdl_str roots[2];

    roots[0] = vdl_str(a->name);
    roots[1] = vdl_str(b->name);
    ck_assert_int_eq(vname_ns_set_roots(N.ns, roots, 2), 0);
}

/* Seconds since. */
static int since(int64_t *then)
{
    int s = (int)((W.now.mono_ns - *then) / SEC);

    *then = W.now.mono_ns;
    return s;
}

START_TEST(dead_root_costs_nothing_to_resolve)
{
    struct table *hole = add_hole("hole");
    int64_t then = W.now.mono_ns;
    size_t dials;

    build();
    set_two_roots(hole, &N.tables[0]);
    vname_ns_flush(N.ns);
    ck_assert_str_eq(resolve("mt/bar"), "");
    dials = W.ndials;

    vname_ns_flush(N.ns);
    ck_assert_str_eq(resolve("mt/bar"), "");
    ck_assert_str_eq(glob("mt/*"), "");

    ck_assert_int_eq(since(&then), 0);
    ck_assert_uint_eq(W.ndials, dials); /* it is not even tried again */
}
END_TEST

START_TEST(dead_root_costs_a_mount_one_short_time_out)
{
    struct table *hole = add_hole("hole");
    int64_t then = W.now.mono_ns;
    int k;

    for (k = 0; k < 2; k++) { /* whether it is the first or the last */
        set_two_roots(k == 0 ? hole : &N.tables[0],
            k == 0 ? &N.tables[0] : hole);
        ck_assert_str_eq(mount("a", "/h:1", 600 * SEC, 0), "");
        ck_assert_int_eq(since(&then), 5);
        ck_assert_str_eq(resolve(join(ROOT, "/a")), "");

        /* It is remembered, */
        ck_assert_str_eq(mount("b", "/h:1", 600 * SEC, 0), "");
        ck_assert_str_eq(unmount("b", "/h:1"), "");
        ck_assert_int_eq(since(&then), 0);

        /* and not for ever. */
        world_set_time(&W, W.now.mono_ns + 46 * SEC);
        since(&then);
        ck_assert_str_eq(mount("c", "/h:1", 600 * SEC, 0), "");
        ck_assert_int_eq(since(&then), 5);
        world_set_time(&W, W.now.mono_ns + 46 * SEC);
        since(&then);
    }
}
END_TEST

START_TEST(root_that_is_back_is_used_again)
{
    struct table *hole = add_hole("hole");

    set_two_roots(hole, &N.tables[0]);
    ck_assert_str_eq(mount("a", "/h:1", 600 * SEC, 0), "");
    hole->n->black_hole = false;
    world_set_time(&W, W.now.mono_ns + 46 * SEC);

    ck_assert_str_eq(mount("a", "/h:1", 600 * SEC, 0), "");

    ck_assert_str_eq(resolve(join(hole->name, "/a")), "");
}
END_TEST

START_TEST(mount_waits_for_roots_that_are_all_gone)
{
    struct table *a = add_hole("a"), *b = add_hole("b");
    struct vname_opts opts;
    int64_t then;

    set_two_roots(a, b);
    memset(&opts, 0, sizeof(opts));
    opts.deadline = W.now.mono_ns + 20 * SEC;
    then = W.now.mono_ns;
    ck_assert_str_eq(finish(vname_mount(N.ns, vdl_str("x"), vdl_str("/h:1"),
                         SEC, 0, &opts, on_done, NULL, NULL)),
        "v.io/v23/verror.Timeout");
    ck_assert_int_eq(since(&then), 20);

    /* One attempt each when no retries are wanted. */
    opts.deadline = 0;
    opts.no_retry = true;
    ck_assert_str_eq(finish(vname_mount(N.ns, vdl_str("x"), vdl_str("/h:1"),
                         SEC, 0, &opts, on_done, NULL, NULL)),
        "v.io/v23/verror.Timeout");
    ck_assert_int_eq(since(&then), 30);

    /* They come back while it waits. */
    opts.no_retry = false;
    opts.deadline = W.now.mono_ns + 60 * SEC;
    ck_assert_int_eq(vname_mount(N.ns, vdl_str("x"), vdl_str("/h:1"), SEC, 0,
                         &opts, on_done, NULL, NULL), 0);
    a->n->black_hole = b->n->black_hole = false;
    a->n->refuses = b->n->refuses = false;
    ck_assert_str_eq(finish(0), "");
}
END_TEST

START_TEST(unmount_goes_to_every_replica)
{
    set_two_roots(&N.tables[0], &N.tables[1]);
    mount("a", "/h:1", 60 * SEC, 0);

    ck_assert_str_eq(unmount("a", "/h:1"), "");

    ck_assert_str_eq(resolve(join(ROOT, "/a")), NO_NAME);
    ck_assert_str_eq(resolve(join(SUB, "/a")), NO_NAME);
}
END_TEST

START_TEST(refusal_of_the_last_replica_is_the_result)
{
    set_two_roots(&N.tables[0], &N.tables[1]);
    ck_assert_str_eq(mount("a", "/h:1", 60 * SEC, 0), "");
    ck_assert_str_eq(mount(join(SUB, "/b"), "/h:1", 60 * SEC, V23_NAMING_MT),
        "");

    ck_assert_str_eq(mount("b", "/h:1", 60 * SEC, 0),
        "v.io/v23/verror.Unknown");
}
END_TEST

START_TEST(root_that_falls_silent_is_given_up_soon)
{
    int64_t then;

    mount(join(SUB, "/a"), "/h:1", 600 * SEC, 0);
    set_two_roots(&N.tables[0], &N.tables[1]);
    vname_ns_flush(N.ns);
    mount("a", "/h:1", 600 * SEC, 0);
    ck_assert_str_eq(resolve("a"), "");
    vname_ns_flush(N.ns);
    /* Its machine loses power: the connection stays, answers do not come. */
    link_to(N.tables[0].n)->peer->stuck = true;
    N.tables[0].n->black_hole = true;
    then = W.now.mono_ns;

    ck_assert_str_eq(resolve("a"), "");
    ck_assert_int_le(since(&then), 5);
    vname_ns_flush(N.ns);
    ck_assert_str_eq(resolve("a"), "");
    ck_assert_int_eq(since(&then), 0);
}
END_TEST

START_TEST(broken_connection_does_not_make_another_of_a_table)
{
    const char *root = "/(test:root)@root:1";
    struct vdl_str roots[1];

    roots[0] = vdl_str(root);
    ck_assert_int_eq(vname_ns_set_roots(N.ns, roots, 1), 0);
    mount("a", "/h:1", 60 * SEC, 0);
    vname_ns_flush(N.ns);
    ck_assert_int_eq(vname_resolve(N.ns, vdl_str("a"), NULL, on_entry, NULL,
                         NULL), 0);
    world_cut(link_to(N.tables[0].n)->peer);

    ck_assert_str_eq(finish(0), "");
    ck_assert_str_eq(N.text, "/h:1");
    vname_ns_flush(N.ns);
    ck_assert_str_eq(resolve("a"), "");
    ck_assert_str_eq(N.text, "/h:1");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libnaming/namespace/replicas");
    TCase *tc = tcase_create("replicas");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, ns_setup, ns_teardown);
    tcase_add_test(tc, replicas_stand_in_for_each_other);
    tcase_add_test(tc, dead_root_costs_nothing_to_resolve);
    tcase_add_test(tc, dead_root_costs_a_mount_one_short_time_out);
    tcase_add_test(tc, root_that_is_back_is_used_again);
    tcase_add_test(tc, mount_waits_for_roots_that_are_all_gone);
    tcase_add_test(tc, unmount_goes_to_every_replica);
    tcase_add_test(tc, refusal_of_the_last_replica_is_the_result);
    tcase_add_test(tc, root_that_falls_silent_is_given_up_soon);
    tcase_add_test(tc, broken_connection_does_not_make_another_of_a_table);
    suite_add_tcase(s, tc);
    return tst_run(s);
}
