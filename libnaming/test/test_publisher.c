/* BSD-3-Clause; see LICENSE. */
/* The publisher against mount tables in memory, in virtual time. */
#include <vname/publisher.h>

#include "ns_rig.h"

#define E1 "@6@tcp@h1:1@@00000000000000000000000000000001@s@@@"
#define E2 "@6@tcp@h2:2@@00000000000000000000000000000002@s@@@"

static struct vname_publisher *pub;
static int timers, stopped, warnings;

static void on_timer(void *ud)
{
    (void)ud;
    timers++;
}

static void on_stopped(void *ud)
{
    (void)ud;
    stopped++;
}

static int told, told_errors;

static void on_mounted(void *ud, struct vdl_str name,
    const struct v23_verror *err)
{
    (void)ud;
    ck_assert_uint_gt(name.n, 0);
    told++;
    told_errors += err != NULL;
}

static void write_log(void *ud, enum v23_log_level level, const char *text)
{
    (void)ud;
    (void)level;
    (void)text;
    warnings++;
}

static const struct v23_log log_ = { write_log, NULL, V23_LOG_WARN };

static int new_publisher(const struct v23_alloc *al)
{
    struct vname_publisher_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.al = al;
    cfg.log = &log_;
    cfg.ns = N.ns;
    cfg.timer = on_timer;
    cfg.mounted = on_mounted;
    return vname_publisher_new(&cfg, &pub);
}

static void setup(void)
{
    ns_setup();
    timers = stopped = warnings = told = told_errors = 0;
    ck_assert_int_eq(new_publisher(&W.t.al), 0);
}

static void teardown(void)
{
    vname_publisher_free(pub);
    ns_teardown();
}

/* Let time pass; the publisher's timer fires when it should. */
static void pass(int64_t ns)
{
    int64_t until = W.now.mono_ns + ns, t, p;

    for (;;) {
        world_settle(&W);
        p = vname_publisher_next_deadline(pub);
        if (p <= W.now.mono_ns) {
            vname_publisher_tick(pub, W.now.mono_ns);
            continue;
        }
        t = world_next(&W);
        if (p < t)
            t = p;
        if (t > until)
            break;
        world_set_time(&W, t);
    }
    world_set_time(&W, until);
}

static int add_name(const char *name, bool mt, bool leaf)
{
    return vname_publisher_add_name(pub, vdl_str(name), mt, leaf);
}

static int add_server(const char *server)
{
    return vname_publisher_add_server(pub, vdl_str(server));
}

/* "server=seconds … [MT] [L]" of a name in a table, "-" for none. */
static const char *mounted_in(const struct table *t, const char *name)
{
    struct vname_caller c;
    struct v23_arena a;
    v23_naming_mount_entry e;
    uint32_t i;

    memset(&c, 0, sizeof(c));
    v23_arena_init(&a, NULL, SIZE_MAX);
    c.arena = &a;
    c.now_ns = W.now.mono_ns;
    N.text[0] = 0;
    if (vname_table_resolve(t->t, &c, vdl_str(name), &e) != NULL) {
        put("-");
    } else {
        for (i = 0; i < e.servers.n; i++)
            put("%s%.*s=%d", i == 0 ? "" : " ", (int)e.servers.v[i].server.n,
                e.servers.v[i].server.p,
                (int)e.servers.v[i].deadline.from_now.seconds);
        put("%s%s", e.serves_mount_table ? " MT" : "",
            e.is_leaf ? " L" : "");
    }
    v23_arena_fini(&a);
    return N.text;
}

static const char *mounted(const char *name)
{
    return mounted_in(&N.tables[0], name);
}

static void put_state(void *ud, const struct vname_publish_entry *e)
{
    static const char *const states[] = { "unmounted", "mounting", "mounted",
        "unmounting" };

    (void)ud;
    put("[%.*s %s%s%.*s]", (int)e->name.n, e->name.p, states[e->state],
        e->mount_error.n == 0 ? "" : " !", (int)e->mount_error.n,
        e->mount_error.p);
}

static const char *status(void)
{
    N.text[0] = 0;
    vname_publisher_status(pub, W.now.mono_ns, put_state, NULL);
    return N.text;
}

/* ---- mounting ------------------------------------------------------------ */

static size_t servers_of(size_t table)
{
    struct vname_table_stats ts;

    vname_table_stats(N.tables[table].t, &ts);
    return ts.servers;
}

START_TEST(names_times_servers_are_mounted)
{
    ck_assert_int_eq(vname_publisher_next_deadline(pub), V23_NEVER);
    ck_assert_int_eq(add_name("a", false, false), 0);
    ck_assert_int_eq(add_server(E1), 0);
    ck_assert_int_eq(add_name("b/c", false, true), 0);
    ck_assert_int_eq(add_server(E2), 0);
    ck_assert_int_gt(timers, 0);
    ck_assert(!vname_publisher_is_settled(pub));

    pass(SEC / 10);

    ck_assert(vname_publisher_is_settled(pub));
    ck_assert_ptr_nonnull(strstr(mounted("a"), E1 "="));
    ck_assert_ptr_nonnull(strstr(N.text, E2 "="));
    ck_assert_ptr_null(strstr(N.text, " L"));
    ck_assert_ptr_nonnull(strstr(mounted("b/c"), " L"));
    ck_assert_ptr_nonnull(strstr(N.text, E1 "=79")); /* period + 20 s */
    ck_assert_int_eq(warnings, 0);
}
END_TEST

START_TEST(mounts_are_refreshed_each_minute)
{
    add_name("a", true, false);
    add_server(E1);
    pass(SEC / 10);

    pass(59 * SEC);
    ck_assert_str_eq(mounted("a"), E1 "=20 MT");
    pass(SEC);
    ck_assert_str_eq(mounted("a"), E1 "=79 MT");
    pass(600 * SEC);
    ck_assert_str_ne(mounted("a"), "-");
    ck_assert_str_eq(status(), "[a mounted]");
}
END_TEST

START_TEST(refresh_heals_a_table_that_forgot)
{
    struct vname_caller c;
    struct v23_arena a;

    add_name("a", false, false);
    add_server(E1);
    pass(SEC);
    memset(&c, 0, sizeof(c));
    v23_arena_init(&a, NULL, SIZE_MAX);
    c.arena = &a;
    ck_assert_ptr_null(vname_table_delete(N.tables[0].t, &c, vdl_str("a"),
        true));
    v23_arena_fini(&a);
    ck_assert_str_eq(mounted("a"), "-");

    pass(60 * SEC);

    ck_assert_str_ne(mounted("a"), "-");
}
END_TEST

START_TEST(server_started_before_its_table_appears_soon)
{
    N.tables[0].n->refuses = true;
    add_name("a", false, false);
    add_server(E1);
    pass(5 * SEC);
    ck_assert_str_eq(mounted("a"), "-");
    ck_assert(!vname_publisher_is_settled(pub));
    ck_assert_int_eq(warnings, 1); /* not one for each attempt */
    ck_assert_int_gt(told, 1);
    ck_assert_int_eq(told_errors, told);

    N.tables[0].n->refuses = false;
    pass(6 * SEC); /* the pauses double */

    ck_assert_int_eq(told_errors, told - 1);
    ck_assert_str_ne(mounted("a"), "-");
    ck_assert(vname_publisher_is_settled(pub));
}
END_TEST

START_TEST(pauses_between_attempts_are_bounded)
{
    size_t first, later;

    N.tables[0].n->refuses = true;
    add_name("a", false, false);
    add_server(E1);
    pass(10 * SEC);
    first = W.ndials;
    ck_assert_uint_ge(first, 4);
    pass(600 * SEC);
    later = W.ndials - first;

    /* Every 15 s, and with the refresh. */
    ck_assert_uint_ge(later, 600 / 15);
    ck_assert_uint_le(later, 600 / 15 + 600 / 60 + 5);
}
END_TEST

START_TEST(status_tells_the_error)
{
    N.tables[0].n->refuses = true;
    add_name("a", false, false);
    add_server(E1);
    ck_assert_str_eq(status(), "[a unmounted]");
    pass(SEC);
    ck_assert_str_eq(status(), "[a mounted !v.io/v23/verror.NoServers]");
}
END_TEST

/* ---- changes ------------------------------------------------------------- */

START_TEST(removed_names_and_servers_are_unmounted)
{
    add_name("a", false, false);
    add_name("b", false, false);
    add_server(E1);
    add_server(E2);
    pass(SEC);

    vname_publisher_remove_name(pub, vdl_str("a"));
    vname_publisher_remove_name(pub, vdl_str("none"));
    pass(SEC);
    ck_assert_str_eq(mounted("a"), "-");
    ck_assert_str_ne(mounted("b"), "-");

    vname_publisher_remove_server(pub, vdl_str(E1));
    pass(SEC);
    ck_assert_ptr_null(strstr(mounted("b"), E1));
    ck_assert_str_eq(status(), "[b mounted]");
}
END_TEST

START_TEST(set_servers_adds_and_removes)
{
    struct vdl_str both[2], one = VDL_STR_INIT(E2);

    both[0] = vdl_str(E1);
    both[1] = vdl_str(E2);
    add_name("a", false, false);
    ck_assert_int_eq(vname_publisher_set_servers(pub, both, 2), 0);
    pass(SEC);
    ck_assert_ptr_nonnull(strstr(mounted("a"), E1));
    ck_assert_ptr_nonnull(strstr(N.text, E2));

    ck_assert_int_eq(vname_publisher_set_servers(pub, &one, 1), 0);
    pass(SEC);
    ck_assert_ptr_null(strstr(mounted("a"), E1));
    ck_assert_ptr_nonnull(strstr(N.text, E2));

    ck_assert_int_eq(vname_publisher_set_servers(pub, NULL, 0), 0);
    pass(SEC);
    ck_assert_str_eq(mounted("a"), "-");
    ck_assert_str_eq(status(), "");
}
END_TEST

START_TEST(name_taken_away_and_given_back_is_mounted_at_once)
{
    add_name("a", false, false);
    add_server(E1);
    pass(SEC);
    pass(30 * SEC);

    vname_publisher_remove_name(pub, vdl_str("a"));
    ck_assert_int_eq(add_name("a", false, false), 0);
    pass(SEC / 10);

    ck_assert_str_eq(mounted("a"), E1 "=79");
}
END_TEST

START_TEST(name_never_mounted_is_not_unmounted)
{
    int before = calls_of(&N.tables[0]);

    add_name("a", false, false);
    add_server(E1);
    vname_publisher_remove_name(pub, vdl_str("a"));
    pass(SEC);

    ck_assert_str_eq(status(), "");
    ck_assert_int_eq(calls_of(&N.tables[0]), before);
}
END_TEST

START_TEST(changed_attributes_are_mounted_again)
{
    add_name("a", false, false);
    add_server(E1);
    pass(SEC);

    ck_assert_int_eq(add_name("a", false, true), 0);
    pass(SEC);

    /* The table refuses other flags while the old mount lives. */
    ck_assert_str_eq(status(), "[a mounted !v.io/v23/verror.Unknown]");
    pass(90 * SEC);
    pass(30 * SEC);
    ck_assert_ptr_nonnull(strstr(mounted("a"), " L"));
}
END_TEST

START_TEST(failed_unmount_is_tried_at_the_refresh)
{
    add_name("a", false, false);
    add_server(E1);
    pass(SEC);
    vrpc_manager_close_all(N.client->m, "cut");
    world_settle(&W);
    N.tables[0].n->refuses = true;
    vname_publisher_remove_name(pub, vdl_str("a"));
    pass(45 * SEC);
    ck_assert_str_eq(status(), "[a mounted]");
    N.tables[0].n->refuses = false;

    pass(60 * SEC);

    ck_assert_str_eq(mounted("a"), "-");
    ck_assert_str_eq(status(), "");
}
END_TEST

/* ---- the end ------------------------------------------------------------- */

START_TEST(stop_unmounts_everything)
{
    add_name("a", false, false);
    add_name("b", false, false);
    add_server(E1);
    pass(SEC);

    vname_publisher_stop(pub, on_stopped, NULL);
    vname_publisher_stop(pub, on_stopped, NULL);
    world_sleep(&W, SEC);

    ck_assert_int_eq(stopped, 1);
    ck_assert_str_eq(mounted("a"), "-");
    ck_assert_str_eq(mounted("b"), "-");
    ck_assert_int_eq(vname_publisher_next_deadline(pub), V23_NEVER);
    ck_assert_int_eq(add_name("c", false, false), 0);
    ck_assert_int_eq(add_server(E2), 0);
    vname_publisher_remove_name(pub, vdl_str("a"));
    ck_assert_str_eq(status(), "");
}
END_TEST

START_TEST(stop_of_nothing_is_done_at_once)
{
    vname_publisher_stop(pub, on_stopped, NULL);

    ck_assert_int_eq(stopped, 1);
}
END_TEST

START_TEST(stop_does_not_wait_for_a_dead_table)
{
    int i;
    char name[16];

    for (i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        add_name(name, false, false);
    }
    add_server(E1);
    pass(SEC);
    vrpc_manager_close_all(N.client->m, "cut");
    world_settle(&W);
    N.tables[0].n->black_hole = true;

    vname_publisher_stop(pub, on_stopped, NULL);
    world_sleep(&W, 3 * SEC); /* for all of them */

    ck_assert_int_eq(stopped, 1);
}
END_TEST

START_TEST(stop_undoes_a_mount_under_way)
{
    int i;

    add_name("a", false, false);
    add_server(E1);
    vname_publisher_tick(pub, W.now.mono_ns);
    for (i = 0; i < _i; i++)
        (void)world_step(&W);

    vname_publisher_stop(pub, on_stopped, NULL);
    world_sleep(&W, 5 * SEC);

    ck_assert_int_eq(stopped, 1);
    ck_assert_str_eq(mounted("a"), "-");
}
END_TEST

START_TEST(dead_root_does_not_delay_the_refresh_of_others)
{
    struct table *hole = add_table("hole");
    struct vdl_str roots[2];
    char name[16];
    int k, minute;

    hole->n->black_hole = true;
    roots[0] = vdl_str(hole->name);
    roots[1] = vdl_str(N.tables[0].name);
    ck_assert_int_eq(vname_ns_set_roots(N.ns, roots, 2), 0);
    ck_assert_int_eq(add_server(E1), 0);
    for (k = 0; k < 20; k++) {
        snprintf(name, sizeof(name), "n%d", k);
        ck_assert_int_eq(add_name(name, false, false), 0);
    }

    for (minute = 0; minute < 10; minute++) {
        pass(60 * SEC);
        for (k = 0; k < 20; k++) {
            snprintf(name, sizeof(name), "n%d", k);
            ck_assert_msg(strcmp(mounted(name), "-") != 0, "%s is gone after "
                "%d minutes", name, minute + 1);
        }
    }
    ck_assert(vname_publisher_is_settled(pub));
}
END_TEST

START_TEST(stop_unmounts_from_every_root)
{
    struct vdl_str roots[2];

    roots[0] = vdl_str(N.tables[0].name);
    roots[1] = vdl_str(N.tables[1].name);
    ck_assert_int_eq(vname_ns_set_roots(N.ns, roots, 2), 0);
    ck_assert_int_eq(add_server(E1), 0);
    ck_assert_int_eq(add_name("a", false, false), 0);
    ck_assert_int_eq(add_name("b/c", false, true), 0);
    pass(SEC);
    ck_assert_uint_eq(servers_of(0), 2);
    ck_assert_uint_eq(servers_of(1), 2);

    vname_publisher_stop(pub, on_stopped, NULL);
    pass(SEC);

    ck_assert_int_eq(stopped, 1);
    ck_assert_uint_eq(servers_of(0), 0);
    ck_assert_uint_eq(servers_of(1), 0);
}
END_TEST

START_TEST(free_in_the_middle_is_silent)
{
    add_name("a", false, false);
    add_server(E1);
    vname_publisher_tick(pub, W.now.mono_ns);
    (void)world_step(&W);

    vname_publisher_free(pub);
    pub = NULL;

    world_sleep(&W, 5 * SEC);
    ck_assert_int_eq(stopped, 0);
}
END_TEST

/* ---- what a refresh asks ------------------------------------------------- */

/* Calls that a table serves in the next minutes, which have a refresh each. */
static int calls_in(const struct table *t, int minutes)
{
    int before = calls_of(t);

    pass(minutes * 60 * SEC);
    return calls_of(t) - before;
}

/* Mount a table in the root table, without the client's knowing of it. */
static void lead_also(const char *name, const char *table, uint32_t seconds,
    uint32_t flags)
{
    struct vname_caller c;
    struct v23_arena a;

    memset(&c, 0, sizeof(c));
    v23_arena_init(&a, NULL, SIZE_MAX);
    c.arena = &a;
    c.now_ns = W.now.mono_ns;
    ck_assert_ptr_null(vname_table_mount(N.tables[0].t, &c, vdl_str(name),
        vdl_str(table), seconds, V23_NAMING_MT | flags));
    v23_arena_fini(&a);
}

static void lead(const char *name, const char *table, uint32_t seconds)
{
    lead_also(name, table, seconds, V23_NAMING_REPLACE);
}

static void publish(const char *name)
{
    ck_assert_int_eq(add_name(name, false, false), 0);
    ck_assert_int_eq(add_server(E1), 0);
    pass(SEC);
}

static bool has(const struct table *t, const char *name)
{
    return strcmp(mounted_in(t, name), "-") != 0;
}

START_TEST(refresh_is_one_call)
{
    publish("a");

    ck_assert_int_eq(calls_in(&N.tables[0], 10), 10);
    ck_assert_str_ne(mounted("a"), "-");
}
END_TEST

START_TEST(refresh_asks_for_the_way_only_when_it_may_have_changed)
{
    struct table *root = &N.tables[0], *sub = &N.tables[1];

    lead("mt", SUB, 86400);
    publish("mt/a/b");
    ck_assert_int_eq(calls_in(sub, 10), 10);
    ck_assert_int_eq(calls_in(root, 10), 0);

    lead("mt", SUB, 630);
    vname_ns_flush(N.ns); /* what it has, it keeps for a day */
    ck_assert_int_eq(calls_in(root, 10), 1);
    ck_assert(has(sub, "a/b"));
}
END_TEST

START_TEST(table_that_moved_is_found_when_the_way_to_it_expires)
{
    struct table *other = add_table("other");

    lead("mt", SUB, 150);
    publish("mt/a");
    lead("mt", other->name, 86400);
    ck_assert(!has(other, "a"));

    pass(130 * SEC);
    ck_assert(!has(other, "a"));
    pass(60 * SEC);

    ck_assert(has(other, "a"));
    ck_assert_int_eq(told_errors, 0);
}
END_TEST

START_TEST(table_mounted_on_the_way_gets_the_mount_at_the_next_refresh)
{
    struct table *root = &N.tables[0], *sub = &N.tables[1];

    publish("mt/a");
    lead("mt", SUB, 86400);

    pass(60 * SEC);

    ck_assert(has(sub, "a"));
    ck_assert_int_eq(told_errors, 0);
    ck_assert_int_eq(warnings, 0);
    ck_assert_int_eq(calls_in(sub, 10), 10);
    ck_assert_int_eq(calls_in(root, 10), 0);
}
END_TEST

START_TEST(table_that_is_gone_from_the_way_leaves_the_mount_to_its_holder)
{
    lead("mt", SUB, 86400);
    publish("mt/a");
    ck_assert_str_eq(unmount("mt", ""), "");
    ck_assert_str_eq(mounted("mt/a"), "-");

    pass(60 * SEC);

    ck_assert_str_eq(mounted("mt/a"), E1 "=79");
    ck_assert_int_eq(told_errors, 0);
}
END_TEST

/* A table that denies this client what it has allowed. */
START_TEST(refused_refresh_is_resolved_anew_and_told)
{
    struct table *sub = &N.tables[1];
    v23_access_permissions none = { 0 };
    struct vname_caller c;
    struct v23_arena a;
    int before;

    lead("mt", SUB, 86400);
    publish("mt/a");
    memset(&c, 0, sizeof(c));
    v23_arena_init(&a, NULL, SIZE_MAX);
    c.arena = &a;
    ck_assert_ptr_null(vname_table_set_permissions(sub->t, &c, vdl_str("a"),
        &none, vdl_str("")));
    v23_arena_fini(&a);
    before = calls_of(sub);

    pass(59 * SEC);

    ck_assert_int_eq(told_errors, 1);
    ck_assert_int_eq(calls_of(sub) - before, 2);
    ck_assert_str_eq(status(), "[mt/a mounted !v.io/v23/verror.NoAccess]");
}
END_TEST

START_TEST(every_replica_is_told_at_each_refresh)
{
    struct table *sub = &N.tables[1], *third = add_table("third"),
                 *fourth = add_table("fourth");

    lead("mt", SUB, 150);
    lead_also("mt", third->name, 150, 0);
    publish("mt/a");
    ck_assert(has(sub, "a") && has(third, "a"));
    ck_assert_int_eq(calls_in(third, 1), 1);
    ck_assert_int_eq(calls_in(sub, 1), 1);

    /* One more, once the way is asked for again. */
    lead("mt", SUB, 86400);
    lead_also("mt", third->name, 86400, 0);
    lead_also("mt", fourth->name, 86400, 0);
    pass(60 * SEC);
    ck_assert(has(sub, "a") && has(third, "a") && has(fourth, "a"));
}
END_TEST

START_TEST(table_out_of_reach_for_a_while_is_told_again)
{
    struct table *sub = &N.tables[1];

    lead("mt", SUB, 86400);
    publish("mt/a");
    world_cut(link_to(sub->n));
    sub->n->refuses = true;
    pass(70 * SEC);
    ck_assert_int_gt(told_errors, 0);
    ck_assert_int_eq(warnings, 1);

    sub->n->refuses = false;
    pass(60 * SEC);

    ck_assert(has(sub, "a"));
    ck_assert_str_eq(status(), "[mt/a mounted]");
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

static int life(const struct v23_alloc *al, void *ud)
{
    int rc = new_publisher(al);

    (void)ud;
    if (rc != 0)
        return rc;
    rc = add_name("a", false, false);
    if (rc == 0)
        rc = add_server(E1);
    if (rc == 0)
        rc = add_name("b", false, false);
    if (rc == 0)
        rc = add_server(E2);
    vname_publisher_remove_server(pub, vdl_str(E1));
    vname_publisher_free(pub);
    pub = NULL;
    return rc;
}

START_TEST(publisher_survives_every_lack_of_memory)
{
    vname_publisher_free(pub);
    pub = NULL;
    tst_out_of_memory(life, NULL);
}
END_TEST

START_TEST(mount_without_memory_is_tried_again)
{
    add_name("a", false, false);
    add_server(E1);
    W.t.fail_at = W.t.calls + 1;
    vname_publisher_tick(pub, W.now.mono_ns);
    W.t.fail_at = 0;

    pass(SEC);

    ck_assert_str_ne(mounted("a"), "-");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libnaming/publisher");
    TCase *tc = tcase_create("publisher");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, names_times_servers_are_mounted);
    tcase_add_test(tc, mounts_are_refreshed_each_minute);
    tcase_add_test(tc, refresh_heals_a_table_that_forgot);
    tcase_add_test(tc, server_started_before_its_table_appears_soon);
    tcase_add_test(tc, pauses_between_attempts_are_bounded);
    tcase_add_test(tc, status_tells_the_error);
    tcase_add_test(tc, removed_names_and_servers_are_unmounted);
    tcase_add_test(tc, set_servers_adds_and_removes);
    tcase_add_test(tc, name_taken_away_and_given_back_is_mounted_at_once);
    tcase_add_test(tc, name_never_mounted_is_not_unmounted);
    tcase_add_test(tc, changed_attributes_are_mounted_again);
    tcase_add_test(tc, failed_unmount_is_tried_at_the_refresh);
    tcase_add_test(tc, stop_unmounts_everything);
    tcase_add_test(tc, stop_of_nothing_is_done_at_once);
    tcase_add_test(tc, stop_does_not_wait_for_a_dead_table);
    tcase_add_loop_test(tc, stop_undoes_a_mount_under_way, 0, 20);
    tcase_add_test(tc, dead_root_does_not_delay_the_refresh_of_others);
    tcase_add_test(tc, stop_unmounts_from_every_root);
    tcase_add_test(tc, free_in_the_middle_is_silent);
    tcase_add_test(tc, refresh_is_one_call);
    tcase_add_test(tc, refresh_asks_for_the_way_only_when_it_may_have_changed);
    tcase_add_test(tc, table_that_moved_is_found_when_the_way_to_it_expires);
    tcase_add_test(tc, table_mounted_on_the_way_gets_the_mount_at_the_next_refresh);
    tcase_add_test(tc, table_that_is_gone_from_the_way_leaves_the_mount_to_its_holder);
    tcase_add_test(tc, refused_refresh_is_resolved_anew_and_told);
    tcase_add_test(tc, every_replica_is_told_at_each_refresh);
    tcase_add_test(tc, table_out_of_reach_for_a_while_is_told_again);
    tcase_add_test(tc, publisher_survives_every_lack_of_memory);
    tcase_add_test(tc, mount_without_memory_is_tried_again);
    suite_add_tcase(s, tc);
    return tst_run(s);
}
