/* BSD-3-Clause; see LICENSE. */
/* Mount tables over one etcd: one tree, no lost acknowledgements, trouble. */
#include "etcd_rig.h"

static void all_see(const char *name, const char *what)
{
    unsigned i;

    for (i = 0; i < REPLICAS; i++)
        ck_assert_str_eq(w_look(i, "root", name), what);
}

START_TEST(mount_at_one_is_found_at_all)
{
    ck_assert_str_eq(w_mount(0, "root", "a/b", S1, 60), "");
    ck_assert_str_eq(w_look(0, "root", "a/b/c"), "c " S1 "=60");
    ck_assert_str_eq(w_mount(1, "root", "a/b", S2, 30), "");
    w_run();

    all_see("a/b", " " S2 "=30 " S1 "=60");
    ck_assert_str_eq(fake_get("p/n/a"), "{\"C\":\"root\"}");
    ck_assert_str_eq(fake_get("p/n/a/b"),
        "{\"C\":\"root\",\"S\":{\"/h2:2\":1700001030000,"
        "\"/h1:1\":1700001060000}}");
}
END_TEST

START_TEST(mount_obeys_the_rules_of_tables)
{
    ck_assert_str_eq(w_mount(0, "root", "a", "foo", 60),
        "malformed address foo for mounted server foo");
    ck_assert_str_eq(w_mount(0, "root", "a", S1, 60), "");
    ck_assert_str_eq(w_mount(1, "root", "a/b", S1, 60),
        "rootNameDoesntExist");
    ck_assert_str_eq(w_mount(0, "root", "a//b", S1, 60),
        "a name may not have empty elements, NULs or invalid UTF-8 here");
    ck_assert_str_eq(w_mount(0, "root", "x\xff", S1, 60),
        "a name may not have empty elements, NULs or invalid UTF-8 here");
    ck_assert_str_eq(w_mount(0, "root", "x", "/h:1/\xff", 60),
        "the server's name may not have NULs or invalid UTF-8");
    ck_assert_str_eq(w_mount(0, "root", "d/e/f", S1, 60), "");
    ck_assert_str_eq(w_mount(1, "root", "d", S2, 60), "");
    w_run();
    all_see("d/e/f", "e/f " S2 "=60");
    ck_assert_ptr_null(fake_get("p/n/d/e/f"));
}
END_TEST

START_TEST(mount_at_each_table_is_written_once)
{
    size_t writes;

    ck_assert_str_eq(w_mount(0, "root", "a", S1, 80), "");
    w_run();
    writes = F.writes;
    ck_assert_str_eq(w_mount(1, "root", "a", S1, 80), "");
    ck_assert_str_eq(w_mount(2, "root", "a", S1, 80), "");
    ck_assert_uint_eq(F.writes, writes);

    w_pass(60 * SEC);
    ck_assert_str_eq(w_mount(1, "root", "a", S1, 80), "");
    w_run();
    all_see("a", " " S1 "=80");
}
END_TEST

START_TEST(unmount_takes_away_everywhere)
{
    w_mount(0, "root", "a/b", S1, 60);
    w_mount(0, "root", "a/b", S2, 60);
    ck_assert_str_eq(w_unmount(1, "root", "a/b", S2), "");
    w_run();
    all_see("a/b", " " S1 "=60");
    ck_assert_str_eq(w_unmount(2, "root", "a/b", "/other:1"), "");
    ck_assert_str_eq(w_unmount(2, "root", "nowhere", S1), "");
    ck_assert_str_eq(w_unmount(2, "root", "a/b", ""), "");
    w_run();
    all_see("a/b", "nameDoesntExist");
    ck_assert_ptr_null(fake_get("p/n/a/b"));
}
END_TEST

START_TEST(delete_of_a_subtree_is_seen_by_all)
{
    w_mount(0, "root", "a/b/c", S1, 60);
    w_mount(0, "root", "a/d", S1, 60);
    w_mount(0, "root", "ab", S1, 60);
    w_run();
    ck_assert_str_eq(w_delete(1, "root", "a", false),
        "cannot delete a: has children");
    ck_assert_str_eq(w_delete(1, "root", "a", true), "");
    w_run();
    all_see("a/b/c", "nameDoesntExist");
    all_see("ab", " " S1 "=60");
    ck_assert_uint_eq(w_nodes(2), 2);
    ck_assert_ptr_null(fake_get("p/n/a"));
    ck_assert_ptr_null(fake_get("p/n/a/b/c"));
}
END_TEST

START_TEST(what_expires_is_removed_from_etcd)
{
    w_mount(0, "root", "a/b", S1, 5);
    w_run();
    w_pass(4 * SEC);
    all_see("a/b", " " S1 "=1");
    w_pass(2 * SEC);
    all_see("a/b", "nameDoesntExist");
    w_pass(5 * SEC);
    ck_assert_ptr_null(fake_get("p/n/a/b"));
    ck_assert_ptr_null(fake_get("p/n/a"));
    ck_assert_uint_eq(w_nodes(1), 1);
}
END_TEST

START_TEST(race_for_permissions_has_one_winner)
{
    struct waiting x[REPLICAS];
    unsigned i, won = 0;

    ck_assert_str_eq(w_set(0, "root", "a", OPEN, ""), "");
    w_run();
    for (i = 0; i < REPLICAS; i++)
        w_begin_set(&x[i], i, "root", "a", OPEN, "1");
    for (i = 0; i < REPLICAS; i++) {
        const char *said = w_end(&x[i]);

        won += said[0] == 0;
        ck_assert(said[0] == 0 || strcmp(said, "BadVersion") == 0);
    }
    w_run();
    ck_assert_uint_eq(won, 1);
    ck_assert_int_eq(w_get(2, "root", "a")[0], '2');
}
END_TEST

START_TEST(permissions_that_have_just_changed_count)
{
    struct waiting x, y;

    ck_assert_str_eq(w_set(0, "root", "a", OPEN, ""), "");
    w_run();
    w_begin_set(&x, 0, "root", "a", "{\"Admin\":{\"In\":[\"bob\"]}}", "");
    ck_assert_str_eq(w_end(&x), "");
    /* The other table may not know of it yet. */
    w_begin_mount(&y, 1, "alice", "a/b", S1, 60);
    ck_assert_str_eq(w_end(&y), "NoAccess");
    ck_assert_ptr_null(fake_get("p/n/a/b"));
}
END_TEST

/* ---- quotas -------------------------------------------------------------- */

static void mount_by(const char *who, unsigned each, unsigned *good)
{
    struct waiting *x = calloc(REPLICAS * each, sizeof(*x));
    char (*names)[32] = calloc(REPLICAS * each, sizeof(*names));
    unsigned i;

    for (i = 0; i < REPLICAS * each; i++) {
        snprintf(names[i], sizeof(names[i]), "%s%u", who, i);
        w_begin_mount(&x[i], i % REPLICAS, who, names[i], S1, 600);
    }
    for (*good = i = 0; i < REPLICAS * each; i++) {
        const char *said = w_end(&x[i]);

        ck_assert_msg(said[0] == 0
                || strcmp(said, "user has exceeded their node limit") == 0,
            "%s", said);
        *good += said[0] == 0;
    }
    free(x);
    free(names);
}

START_TEST(quota_holds_over_all_tables)
{
    unsigned i, good;
    char name[32];

    w_init();
    for (i = 0; i < REPLICAS; i++)
        ck_assert_int_eq(w_open_limited(i, 10), 0);
    w_run();

    mount_by("alice", 8, &good);
    ck_assert_uint_eq(good, 10);
    mount_by("bob", 2, &good);
    ck_assert_uint_eq(good, 6);
    w_run();
    ck_assert_uint_eq(w_nodes(0), 1 + 10 + 6);
    for (i = 0, name[0] = 0; fake_get(name) == NULL; i++)
        snprintf(name, sizeof(name), "p/n/alice%u", i);
    ck_assert_str_eq(w_delete(0, "alice", name + 4, true), "");
    ck_assert_str_eq(w_mount(1, "alice", "again", S1, 60), "");
    ck_assert_str_eq(w_mount(2, "alice", "more", S1, 60),
        "user has exceeded their node limit");
    w_fini();
}
END_TEST

/* Somebody asks for the same thing all the time. */
START_TEST(one_busy_name_does_not_keep_others_waiting)
{
    static struct waiting busy[500], other;
    int64_t since = W.now_ns;
    unsigned i, k;

    for (i = 0; i < 500; i++)
        w_begin_set(&busy[i], 0, "root", "busy", OPEN, "");
    w_begin_mount(&other, 0, "root", "other", S1, 60);
    for (i = 0; !other.ended && i < 200; i++)
        for (k = 0; k < 4; k++)
            (void)w_step();
    ck_assert(other.ended);
    ck_assert_str_eq(other.said, "");
    for (i = 0; i < 500; i++)
        ck_assert_str_eq(w_end(&busy[i]), "");
    ck_assert_int_le(W.now_ns - since, VNAME_STORE_PATIENCE_NS);
    ck_assert_str_eq(w_get(0, "root", "busy"),
        "500 {\"Admin\":{\"In\":[\"root\"],\"NotIn\":null},\"Read\":{"
        "\"In\":[\"...\"],\"NotIn\":null}}");
}
END_TEST

START_TEST(too_many_that_wait_are_turned_away)
{
    static struct waiting x[VNAME_MAX_WAITING + 10];
    static char names[VNAME_MAX_WAITING + 10][16];
    unsigned i, late = 0;

    W.down[0] = W.down[1] = true;
    vname_etcd_failed_(W.r[0].core, VNAME_ETCD_WATCH, "gone");
    for (i = 0; i < VNAME_MAX_WAITING + 10; i++) {
        snprintf(names[i], sizeof(names[i]), "n%u", i);
        w_begin_mount(&x[i], 0, "root", names[i], S1, 60);
        late += x[i].ended;
    }
    ck_assert_uint_eq(late, 10);
    w_pass(VNAME_STORE_PATIENCE_NS + SEC);
    for (i = 0; i < VNAME_MAX_WAITING + 10; i++)
        ck_assert_str_eq(w_end(&x[i]), "Aborted");
}
END_TEST

/* ---- trouble ------------------------------------------------------------- */

START_TEST(without_etcd_writes_fail_and_reads_go_on)
{
    struct waiting x;
    int64_t since;

    w_mount(0, "root", "a", S1, 60);
    w_run();
    W.down[0] = W.down[1] = true;
    vname_etcd_failed_(W.r[0].core, VNAME_ETCD_WATCH, "gone");
    since = W.now_ns;
    w_begin_mount(&x, 0, "root", "b", S1, 60);
    ck_assert_str_eq(w_look(0, "root", "a"), " " S1 "=60");
    ck_assert_str_eq(w_end(&x), "Aborted");
    ck_assert_int_eq(x.retry, V23_RETRY_BACKOFF);
    ck_assert_int_le(W.now_ns - since, VNAME_STORE_PATIENCE_NS + SEC);
    ck_assert(strstr(vname_etcd_why_(W.r[0].core), "cannot be reached"));

    W.down[0] = W.down[1] = false;
    w_pass(6 * SEC);
    ck_assert(vname_etcd_is_live_(W.r[0].core));
    ck_assert_str_eq(w_mount(0, "root", "b", S1, 60), "");
}
END_TEST

START_TEST(attempts_become_rare)
{
    W.down[0] = W.down[1] = true;
    vname_etcd_failed_(W.r[0].core, VNAME_ETCD_WATCH, "gone");
    w_pass(60 * SEC);
    ck_assert_uint_lt(W.asked[0] + W.asked[1], REPLICAS * 40);
    ck_assert_uint_gt(W.asked[1], 5);
}
END_TEST

START_TEST(another_end_point_takes_over)
{
    struct vname_etcd_facts f;

    w_mount(0, "root", "a", S1, 600);
    w_run();
    W.down[0] = true;
    vname_etcd_failed_(W.r[0].core, VNAME_ETCD_WATCH, "gone");
    ck_assert_str_eq(w_mount(0, "root", "b", S1, 60), "");
    vname_etcd_facts_(W.r[0].core, &f);
    ck_assert_uint_eq(f.endpoint, 1);
    /* It went on where it was: nothing was read anew. */
    ck_assert_ptr_null(strstr(W.log, "anew"));
    ck_assert_str_eq(w_look(0, "root", "a"), " " S1 "=600");
}
END_TEST

START_TEST(compaction_means_reading_anew)
{
    w_mount(0, "root", "a", S1, 600);
    w_mount(0, "root", "b/c", S1, 600);
    w_run();
    vname_etcd_failed_(W.r[0].core, VNAME_ETCD_WATCH, "gone");
    w_delete(1, "root", "a", true);
    w_mount(1, "root", "d", S2, 600);
    F.compacted = F.rev;
    w_pass(SEC);
    ck_assert(vname_etcd_is_live_(W.r[0].core));
    ck_assert_str_eq(w_look(0, "root", "a"), "nameDoesntExist");
    ck_assert_str_eq(w_look(0, "root", "b/c"), " " S1 "=599");
    ck_assert_str_eq(w_look(0, "root", "d"), " " S2 "=599");
    ck_assert_uint_eq(w_nodes(0), 4);
}
END_TEST

START_TEST(compacted_while_disconnected_is_read_anew)
{
    w_mount(0, "root", "a", S1, 600);
    w_run();
    W.path = "/v3/watch"; /* nobody can watch for a moment */
    vname_etcd_failed_(W.r[0].core, VNAME_ETCD_WATCH, "gone");
    w_delete(1, "root", "a", true);
    F.compacted = F.rev;
    W.path = NULL;
    w_pass(SEC);
    ck_assert(strstr(W.log, "is forgotten: everything is read anew"));
    ck_assert_str_eq(w_look(0, "root", "a"), "nameDoesntExist");
}
END_TEST

START_TEST(etcd_restored_from_a_copy_is_noticed)
{
    unsigned i;

    w_mount(0, "root", "a", S1, 600);
    w_run();
    for (i = 0; i < 5; i++)
        fake_set("p/alive", "");
    w_mount(0, "root", "b", S1, 600);
    w_run();
    /* As of before, with other revisions. */
    fake_set("p/n/b", NULL);
    F.rev = 4;
    fake_forget_events();
    for (i = 0; i < F.n; i++)
        F.v[i].rev = 3;
    w_pass(30 * SEC);
    for (i = 0; i < REPLICAS; i++) {
        ck_assert(vname_etcd_is_live_(W.r[i].core));
        ck_assert_str_eq(w_look(i, "root", "a"), " " S1 "=570");
        ck_assert_str_eq(w_look(i, "root", "b"), "nameDoesntExist");
    }
    ck_assert(strstr(W.log, "restored from a copy"));
}
END_TEST

START_TEST(silent_watch_is_noticed)
{
    struct waiting x;

    W.r[0].no_events = true;
    w_begin_mount(&x, 0, "root", "a", S1, 600);
    w_pass(2 * SEC);
    ck_assert(x.ended); /* it is kept, whoever sees it */
    ck_assert_str_eq(x.said, "");
    W.r[0].no_events = false;
    W.r[0].next_event = F.nevents; /* they were swallowed */
    w_pass(3 * SEC);
    ck_assert(strstr(W.log, "the watch is silent"));
    ck_assert_str_eq(w_look(0, "root", "a"), " " S1 "=595");
}
END_TEST

START_TEST(idle_watch_shows_signs_of_life)
{
    struct vname_etcd_facts f;
    unsigned i;

    w_pass(60 * SEC);
    for (i = 0; i < REPLICAS; i++) {
        vname_etcd_facts_(W.r[i].core, &f);
        ck_assert_int_le(f.age_ns, 7 * SEC);
    }
    ck_assert_uint_le(F.writes, 1 + REPLICAS * 60 / 5);
}
END_TEST

START_TEST(unknown_outcome_of_permissions_is_no_bad_version)
{
    struct waiting x;

    ck_assert_str_eq(w_set(0, "root", "a", OPEN, ""), "");
    w_run();
    W.path = "/v3/kv/txn";
    w_begin_set(&x, 0, "root", "a", "{\"Admin\":{\"In\":[\"root\",\"bob\"]}}",
        "1");
    w_run();
    /* It has its effect, and the answer is lost. */
    W.lose = 1;
    W.seed = 3; /* whichever kind of loss comes: one of these */
    W.path = NULL;
    w_run();
    W.lose = 0;
    ck_assert_str_eq(w_end(&x), "");
    w_run();
    ck_assert_int_eq(w_get(1, "root", "a")[0], '2');
}
END_TEST

/* ---- what is in etcd ----------------------------------------------------- */

START_TEST(keys_of_others_are_left_alone)
{
    fake_set("p/else", "x");
    fake_set("p/n/bad", "{\"S\":{\"/h:1\":\"soon\"}}");
    fake_set("p/n/bad/child", "{\"C\":\"root\",\"S\":{\"/h:1\":1800000000000}}");
    fake_set("p/n/orphan/child", "{\"C\":\"root\",\"X\":[1,2],\"S\":{"
                                 "\"/h:1\":1800000000000}}");
    fake_set("p/n/a//b", "{}");
    fake_set("other", "x");
    w_run();
    ck_assert(strstr(W.log, "key \"p/else\" is none of a mount table's"));
    ck_assert(strstr(W.log, "key \"p/n/bad\" has a malformed value"));
    ck_assert(strstr(W.log, "key \"p/n/a//b\" cannot be a name"));
    ck_assert_ptr_null(strstr(W.log, "\"other\""));
    ck_assert_str_eq(w_look(0, "root", "bad/child"), "NoAccess");
    ck_assert_str_eq(w_mount(0, "root", "bad/other", S1, 60), "NoAccess");
    ck_assert_str_eq(w_look(0, "root", "orphan/child"), " /h:1=99999000");
    ck_assert_str_eq(w_mount(0, "root", "orphan/two", S1, 60), "");
    /* The root has no permissions, so anybody may repair it. */
    ck_assert_str_eq(w_delete(1, "root", "bad", true), "");
    ck_assert_ptr_null(fake_get("p/n/bad/child"));
    ck_assert_str_eq(fake_get("other"), "x");
}
END_TEST

START_TEST(large_trees_are_read_in_pages)
{
    char key[64];
    unsigned i;

    w_fini();
    w_init();
    for (i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "p/n/d%04u", i);
        fake_set(key, "{\"C\":\"root\"}");
    }
    ck_assert_int_eq(w_open_limited(0, 0), 0);
    w_run();
    ck_assert(vname_etcd_is_live_(W.r[0].core));
    ck_assert_uint_eq(w_nodes(0), 5001);
    /* One for the format, one for the watch, and several pages. */
    ck_assert_uint_gt(W.asked[0], 4);
}
END_TEST

START_TEST(other_formats_are_refused)
{
    w_fini();
    w_init();
    fake_set("p/format", "vanadium mount table 2");
    ck_assert_int_eq(w_open_limited(0, 0), 0);
    w_pass(SEC);
    ck_assert(vname_etcd_is_fatal_(W.r[0].core));
    ck_assert(strstr(vname_etcd_why_(W.r[0].core), "another format"));
}
END_TEST

START_TEST(token_is_asked_for_and_renewed)
{
    w_fini();
    w_init();
    F.token = "first";
    strcpy(W.place.user, "me");
    W.password = "secret\"";
    ck_assert_int_eq(w_open_limited(0, 0), 0);
    w_run();
    ck_assert_str_eq(w_mount(0, "root", "a", S1, 60), "");
    F.token = "second";
    ck_assert_str_eq(w_mount(0, "root", "b", S1, 60), "");
    ck_assert_ptr_null(strstr(W.log, "secret"));
    ck_assert_ptr_null(strstr(W.log, "first"));
}
END_TEST

static void load(unsigned i, const char *json)
{
    struct v23_buf why;

    v23_buf_init(&why, NULL, 1024);
    ck_assert_int_eq(
        vname_table_load_permissions(W.r[i].table, vdl_str(json), &why), 0);
    w_run();
    ck_assert_int_eq(vname_table_loading(W.r[i].table, NULL), 0);
    v23_buf_fini(&why);
}

START_TEST(permissions_file_is_kept_once)
{
    const char *json = "{\"\":{\"Admin\":{\"In\":[\"root\"]},\"Resolve\":"
                       "{\"In\":[\"...\"]}},\"u/%%\":{\"Admin\":{\"In\":["
                       "\"%%\"]}},\"u\":{\"Create\":{\"In\":[\"...\"]}},"
                       "\"x/y\":{\"Read\":{\"In\":[\"...\"]}}}";
    size_t writes;
    unsigned i;

    load(0, json);
    ck_assert_str_eq(w_get(0, "root", "u"),
        "2 {\"Create\":{\"In\":[\"...\"],\"NotIn\":null}}");
    writes = F.writes;
    load(1, json);
    load(2, json);
    ck_assert_uint_eq(F.writes, writes);
    for (i = 0; i < REPLICAS; i++) {
        ck_assert_str_eq(w_mount(i, "alice", "u/bob", S1, 60), "NoAccess");
        ck_assert_str_eq(w_mount(i, "alice", "u/alice/x", S1, 60), "");
    }
    /* Root's admins are superusers. */
    ck_assert_str_eq(w_delete(2, "root", "u/alice", true), "");
}
END_TEST

/* ---- whatever comes ------------------------------------------------------ */

static void equal_to_etcd(void)
{
    char first[4096];
    unsigned i;
    size_t k, nodes = 1;

    for (k = 0; k < F.n; k++)
        nodes += strncmp(F.v[k].key, "p/n/", 4) == 0 && F.v[k].nkey > 4;
    for (i = 0; i < REPLICAS; i++) {
        ck_assert(vname_etcd_is_live_(W.r[i].core));
        ck_assert_uint_eq(vname_table_waiting(W.r[i].table), 0);
        ck_assert_uint_eq(w_nodes(i), nodes);
        for (k = 0; k < F.n; k++)
            if (strncmp(F.v[k].key, "p/n/", 4) == 0) {
                snprintf(first, sizeof(first), "%s",
                    w_look(0, "root", F.v[k].key + 4));
                ck_assert_str_eq(w_look(i, "root", F.v[k].key + 4), first);
                snprintf(first, sizeof(first), "%s",
                    w_get(0, "root", F.v[k].key + 4));
                ck_assert_str_eq(w_get(i, "root", F.v[k].key + 4), first);
            }
    }
}

#define MANY 60

/* Mounts that were acknowledged are there in the end, though requests and
 * watches are lost, etcd forgets, and tables come and go. */
START_TEST(nothing_acknowledged_is_lost)
{
    static struct waiting x[MANY];
    static char names[MANY][32];
    unsigned i, k;

    W.seed = (uint32_t)_i + 1;
    W.lose = 8;
    for (i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "d%u/e%u/f%u", w_dice(3),
            w_dice(2), i);
        w_begin_mount(&x[i], i % REPLICAS, "root", names[i], S1, 6000);
        for (k = w_dice(12); k > 0; k--)
            (void)w_step();
        if (w_dice(10) == 0) {
            F.compacted = F.rev;
            vname_etcd_failed_(W.r[w_dice(3)].core, VNAME_ETCD_WATCH, "cut");
        }
        W.r[w_dice(3)].piece = w_dice(40);
        if (w_dice(4) == 0)
            w_pass((int64_t)w_dice(200) * V23_NS_PER_MS);
    }
    W.lose = 0;
    w_pass(20 * SEC);
    for (i = 0; i < MANY; i++) {
        ck_assert(x[i].ended);
        ck_assert_msg(x[i].said[0] == 0
                || strcmp(x[i].said, "Aborted") == 0,
            "seed %d: %s", _i + 1, x[i].said);
        if (x[i].said[0] == 0)
            for (k = 0; k < REPLICAS; k++)
                ck_assert_msg(w_look(k, "root", names[i])[0] == ' ',
                    "seed %d: %s is lost at %u", _i + 1, names[i], k);
    }
    equal_to_etcd();
}
END_TEST

/* Everybody does everything at once, on few names. */
START_TEST(random_operations_end_in_one_tree)
{
    static struct waiting x[300];
    static char names[300][16];
    unsigned i, k;

    W.seed = (uint32_t)_i + 101;
    W.lose = 20;
    for (i = 0; i < 300; i++) {
        unsigned at = w_dice(REPLICAS);

        snprintf(names[i], sizeof(names[i]),
            w_dice(3) == 0 ? "a%u" : "a%u/b%u", w_dice(3), w_dice(3));
        switch (w_dice(6)) {
        case 0:
            w_start(&x[i], "root", VNAME_WRITE_UNMOUNT, names[i]);
            w_go(&x[i], at);
            break;
        case 1:
            w_start(&x[i], "root", VNAME_WRITE_DELETE, names[i]);
            x[i].w.subtree = w_dice(2) == 0;
            w_go(&x[i], at);
            break;
        case 2:
            w_begin_set(&x[i], at, "root", names[i], OPEN, "");
            break;
        default:
            w_begin_mount(&x[i], at, "root", names[i],
                w_dice(2) == 0 ? S1 : S2, 1 + w_dice(100));
        }
        for (k = w_dice(8); k > 0; k--)
            (void)w_step();
        if (w_dice(8) == 0)
            w_pass((int64_t)w_dice(500) * V23_NS_PER_MS);
    }
    W.lose = 0;
    w_pass(200 * SEC);
    for (i = 0; i < 300; i++)
        ck_assert(x[i].ended);
    equal_to_etcd();
}
END_TEST

/* One allocation fails, at whatever moment: it is another reason to try
 * again. */
START_TEST(lack_of_memory_is_survived)
{
    struct waiting x;
    size_t k;

    for (k = 1;; k++) {
        w_init();
        fake_set("p/n/old", "{\"C\":\"root\",\"V\":{\"V\":1,\"P\":{\"Read\":{"
                            "\"In\":[\"...\"]},\"Admin\":{\"In\":[\"root\"]}}"
                            "},\"E\":true}");
        W.t.fail_at = k;
        if (w_open_limited(0, 100) == 0) {
            w_pass(SEC);
            w_begin_mount(&x, 0, "root", "old/b", S1, 600);
            if (strcmp(w_end(&x), "") == 0) {
                w_pass(6 * SEC);
                ck_assert_msg(w_look(0, "root", "old/b")[0] == ' ',
                    "allocation %zu", k);
            } else {
                ck_assert_str_eq(x.said, "Internal");
            }
            w_unmount(0, "root", "old/b", "");
            w_pass(3 * SEC);
        }
        if (W.t.calls < k) {
            w_fini();
            break;
        }
        W.t.fail_at = 0;
        w_fini();
    }
    ck_assert_uint_gt(k, 30);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libnaming/etcd");
    TCase *tc = tcase_create("etcd"), *bare = tcase_create("bare");

    tcase_add_checked_fixture(tc, w_setup, w_fini);
    tcase_add_test(tc, mount_at_one_is_found_at_all);
    tcase_add_test(tc, mount_obeys_the_rules_of_tables);
    tcase_add_test(tc, mount_at_each_table_is_written_once);
    tcase_add_test(tc, unmount_takes_away_everywhere);
    tcase_add_test(tc, delete_of_a_subtree_is_seen_by_all);
    tcase_add_test(tc, what_expires_is_removed_from_etcd);
    tcase_add_test(tc, race_for_permissions_has_one_winner);
    tcase_add_test(tc, permissions_that_have_just_changed_count);
    tcase_add_test(tc, one_busy_name_does_not_keep_others_waiting);
    tcase_add_test(tc, too_many_that_wait_are_turned_away);
    tcase_add_test(tc, without_etcd_writes_fail_and_reads_go_on);
    tcase_add_test(tc, attempts_become_rare);
    tcase_add_test(tc, another_end_point_takes_over);
    tcase_add_test(tc, compaction_means_reading_anew);
    tcase_add_test(tc, compacted_while_disconnected_is_read_anew);
    tcase_add_test(tc, etcd_restored_from_a_copy_is_noticed);
    tcase_add_test(tc, silent_watch_is_noticed);
    tcase_add_test(tc, idle_watch_shows_signs_of_life);
    tcase_add_test(tc, unknown_outcome_of_permissions_is_no_bad_version);
    tcase_add_test(tc, keys_of_others_are_left_alone);
    tcase_add_test(tc, large_trees_are_read_in_pages);
    tcase_add_test(tc, other_formats_are_refused);
    tcase_add_test(tc, token_is_asked_for_and_renewed);
    tcase_add_test(tc, permissions_file_is_kept_once);
    tcase_add_loop_test(tc, nothing_acknowledged_is_lost, 0, 8);
    tcase_add_loop_test(tc, random_operations_end_in_one_tree, 0, 8);
    tcase_add_test(bare, quota_holds_over_all_tables);
    tcase_add_test(bare, lack_of_memory_is_survived);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, bare);
    return tst_run(s);
}
