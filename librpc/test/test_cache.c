/* BSD-3-Clause; see LICENSE. */
/* The index of connections, timers, deferred functions and operations. */
#include <check.h>
#include <stdio.h>

#include <suite.h>
#include <support.h>

#include "cache_int.h"
#include "sched_int.h"

static struct tst_alloc T;

static void setup(void)
{
    tst_alloc_init(&T);
}

static void teardown(void)
{
    ck_assert_uint_eq(T.live, 0);
}

struct item {
    struct vrpc_cache_entry_ e;
    char address[32];
    int id;
};

static void item_init(struct item *it, int id, uint64_t rid)
{
    memset(it, 0, sizeof(*it));
    it->id = id;
    snprintf(it->address, sizeof(it->address), "host:%d", id);
    it->e.owner = it;
    it->e.protocol = vdl_str("tcp");
    it->e.address = vdl_str(it->address);
    if (rid != 0)
        it->e.rid = vrpc_routing_id_fixed(rid);
}

static struct vrpc_endpoint ep_of(const char *address, uint64_t rid)
{
    struct vrpc_endpoint ep;

    memset(&ep, 0, sizeof(ep));
    ep.protocol = vdl_str("tcp");
    ep.address = vdl_str(address);
    if (rid != 0)
        ep.rid = vrpc_routing_id_fixed(rid);
    return ep;
}

static int count(const struct vrpc_cache_ *c, const struct vrpc_endpoint *ep)
{
    const struct vrpc_cache_node_ *it = NULL;
    int n = 0;

    while (vrpc_cache_find_(c, ep, &it) != NULL)
        n++;
    return n;
}

START_TEST(entry_is_found_by_either_key)
{
    struct vrpc_endpoint by_addr = ep_of("host:1", 0);
    struct vrpc_endpoint by_rid = ep_of("elsewhere:9", 7);
    struct vrpc_endpoint other = ep_of("host:1", 8);
    const struct vrpc_cache_node_ *it = NULL;
    struct vrpc_cache_ c;
    struct item a;

    vrpc_cache_init_(&c, &T.al, 1);
    ck_assert_int_eq(count(&c, &by_addr), 0);
    item_init(&a, 1, 7);
    ck_assert_int_eq(vrpc_cache_insert_(&c, &a.e, true), 0);
    ck_assert_ptr_eq(vrpc_cache_find_(&c, &by_addr, &it), &a);
    ck_assert_int_eq(count(&c, &by_rid), 1);
    ck_assert_int_eq(count(&c, &other), 0); /* the id decides */
    vrpc_cache_remove_(&c, &a.e);
    vrpc_cache_remove_(&c, &a.e);

    ck_assert_int_eq(count(&c, &by_addr), 0);
    ck_assert_int_eq(count(&c, &by_rid), 0);
    vrpc_cache_fini_(&c);
}
END_TEST

START_TEST(accepted_connection_has_no_address)
{
    struct vrpc_endpoint by_addr = ep_of("host:1", 0);
    struct vrpc_endpoint by_rid = ep_of("", 7);
    struct vrpc_cache_ c;
    struct item a, b;

    vrpc_cache_init_(&c, &T.al, 1);
    item_init(&a, 1, 7);
    item_init(&b, 1, 0); /* a client without routing id: no key at all */
    ck_assert_int_eq(vrpc_cache_insert_(&c, &a.e, false), 0);
    ck_assert_int_eq(vrpc_cache_insert_(&c, &b.e, false), 0);

    ck_assert_int_eq(count(&c, &by_addr), 0);
    ck_assert_int_eq(count(&c, &by_rid), 1);
    vrpc_cache_remove_(&c, &a.e);
    vrpc_cache_remove_(&c, &b.e);
    vrpc_cache_fini_(&c);
}
END_TEST

START_TEST(many_entries_keep_their_places)
{
    static struct item v[500];
    struct vrpc_cache_ c;
    struct vrpc_endpoint ep;
    int i;

    vrpc_cache_init_(&c, &T.al, 99);
    for (i = 0; i < 500; i++) {
        item_init(&v[i], i % 250, (uint64_t)i + 1000);
        ck_assert_int_eq(vrpc_cache_insert_(&c, &v[i].e, true), 0);
    }
    for (i = 0; i < 250; i++) {
        ep = ep_of(v[i].address, 0);
        ck_assert_int_eq(count(&c, &ep), 2);
    }
    for (i = 0; i < 500; i += 2)
        vrpc_cache_remove_(&c, &v[i].e);
    for (i = 0; i < 500; i++) {
        ep = ep_of("x", (uint64_t)i + 1000);
        ck_assert_int_eq(count(&c, &ep), i % 2);
    }

    for (i = 1; i < 500; i += 2)
        vrpc_cache_remove_(&c, &v[i].e);
    ck_assert_uint_eq(c.n, 0);
    vrpc_cache_fini_(&c);
}
END_TEST

START_TEST(insert_without_memory_changes_nothing)
{
    struct vrpc_cache_ c;
    struct item a;

    vrpc_cache_init_(&c, &T.al, 1);
    item_init(&a, 1, 7);
    T.fail_at = T.calls + 1;
    ck_assert_int_eq(vrpc_cache_insert_(&c, &a.e, true), V23_ENOMEM);
    ck_assert_uint_eq(c.n, 0);
    vrpc_cache_fini_(&c);
}
END_TEST

/* ---- timers -------------------------------------------------------------- */

static int64_t Order[1000];
static size_t Norder;

static void fired(void *ud)
{
    Order[Norder++] = ((struct vrpc_timer_ *)ud)->at == V23_NEVER
                          ? *(int64_t *)((struct vrpc_timer_ *)ud + 1)
                          : -1;
}

struct clocked {
    struct vrpc_timer_ t;
    int64_t at;
};

START_TEST(timers_fire_in_order)
{
    static struct clocked v[1000];
    struct vrpc_timers_ h;
    uint32_t seed = 12345;
    int64_t last = -1;
    size_t i;

    vrpc_timers_init_(&h, &T.al);
    Norder = 0;
    ck_assert(vrpc_timers_next_(&h) == V23_NEVER);
    for (i = 0; i < 1000; i++) {
        ck_assert_int_eq(vrpc_timer_init_(&h, &v[i].t, fired, &v[i].t), 0);
        seed = seed * 1664525 + 1013904223;
        v[i].at = seed % 5000;
        vrpc_timer_set_(&h, &v[i].t, v[i].at);
    }
    for (i = 0; i < 1000; i += 3) { /* move some, stop others */
        seed = seed * 1664525 + 1013904223;
        v[i].at = i % 2 == 0 ? seed % 5000 : V23_NEVER;
        vrpc_timer_set_(&h, &v[i].t, v[i].at);
    }
    while (vrpc_timers_run_(&h, 5000))
        ;

    for (i = 0; i < Norder; i++) {
        ck_assert(Order[i] >= last);
        last = Order[i];
    }
    ck_assert_uint_eq(Norder, 1000 - 167);
    ck_assert(!vrpc_timers_run_(&h, INT64_MAX - 1));
    for (i = 0; i < 1000; i++)
        vrpc_timer_fini_(&h, &v[i].t);
    vrpc_timers_fini_(&h);
}
END_TEST

/* ---- deferred functions -------------------------------------------------- */

struct chain {
    struct vrpc_tasks_ *q;
    struct vrpc_task_ t;
    int runs;
    bool again;
    struct vrpc_task_ *drop;
};

static void task(void *ud)
{
    struct chain *c = ud;

    c->runs++;
    if (c->again)
        vrpc_task_post_(c->q, &c->t);
    if (c->drop != NULL)
        vrpc_task_drop_(c->q, c->drop);
}

START_TEST(tasks_posted_by_tasks_run_next_time)
{
    struct vrpc_tasks_ q;
    struct chain a = { .again = true }, b = { .runs = 0 }, c = { .runs = 0 };

    vrpc_tasks_init_(&q);
    a.q = b.q = c.q = &q;
    a.t.fn = b.t.fn = c.t.fn = task;
    a.t.ud = &a;
    b.t.ud = &b;
    c.t.ud = &c;
    b.drop = &c.t;
    vrpc_task_post_(&q, &a.t);
    vrpc_task_post_(&q, &a.t);
    vrpc_task_post_(&q, &b.t);
    vrpc_task_post_(&q, &c.t);
    vrpc_tasks_run_(&q);
    ck_assert_int_eq(a.runs, 1);
    ck_assert_int_eq(b.runs, 1);
    ck_assert_int_eq(c.runs, 0);
    ck_assert_ptr_eq(q.first, &a.t);
    a.again = false;
    vrpc_tasks_run_(&q);

    ck_assert_int_eq(a.runs, 2);
    ck_assert_ptr_null(q.first);
}
END_TEST

/* ---- operations ---------------------------------------------------------- */

START_TEST(stale_operations_have_no_owner)
{
    struct vrpc_ops_ o;
    struct v23_op a, b, old;
    int x, y;

    vrpc_ops_init_(&o, &T.al);
    ck_assert_int_eq(vrpc_op_new_(&o, 1, &x, &a), 0);
    ck_assert_int_eq(vrpc_op_new_(&o, 2, &y, &b), 0);
    ck_assert_ptr_eq(vrpc_op_owner_(&o, a, 1), &x);
    ck_assert_ptr_null(vrpc_op_owner_(&o, a, 2));
    ck_assert_ptr_eq(vrpc_op_owner_(&o, b, 2), &y);
    old = a;
    vrpc_op_end_(&o, &a);
    ck_assert(!vrpc_op_live_(a));
    ck_assert_ptr_null(vrpc_op_owner_(&o, old, 1));
    ck_assert_int_eq(vrpc_op_new_(&o, 1, &y, &a), 0);

    ck_assert_uint_eq(a.index, old.index); /* reused, but not the same */
    ck_assert_ptr_null(vrpc_op_owner_(&o, old, 1));
    vrpc_op_end_(&o, &old);
    ck_assert_ptr_eq(vrpc_op_owner_(&o, a, 1), &y);
    a.index = 1000;
    ck_assert_ptr_null(vrpc_op_owner_(&o, a, 1));
    vrpc_ops_fini_(&o);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/cache");
    TCase *t = tcase_create("cache");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, entry_is_found_by_either_key);
    tcase_add_test(t, accepted_connection_has_no_address);
    tcase_add_test(t, many_entries_keep_their_places);
    tcase_add_test(t, insert_without_memory_changes_nothing);
    tcase_add_test(t, timers_fire_in_order);
    tcase_add_test(t, tasks_posted_by_tasks_run_next_time);
    tcase_add_test(t, stale_operations_have_no_owner);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
