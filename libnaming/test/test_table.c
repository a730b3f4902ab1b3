/* BSD-3-Clause; see LICENSE. */
/* The mount table: names, servers, expiry, globs, quota. */
#include "table_rig.h"

#include "table_int.h"

#define SEC V23_NS_PER_SEC
#define S1 "/h1:1"
#define S2 "/h2:2"

/* ---- mounting and resolving ---------------------------------------------- */

START_TEST(mount_is_found_with_the_rest_of_the_name)
{
    ck_assert_str_eq(do_mount("", "a/b", S1, 60, 0), "");

    ck_assert_str_eq(look("", "a/b"), " " S1 "=60");
    ck_assert_str_eq(look("", "a/b/c/d"), "c/d " S1 "=60");
    ck_assert_str_eq(look("", "a"), "nameDoesntExist");
    ck_assert_str_eq(look("", "a/x"), "nameDoesntExist");
    ck_assert_str_eq(look("", ""), "rootNameDoesntExist");
    ck_assert_uint_eq(nodes(), 3);
    ck_assert_uint_eq(servers(), 1);
}
END_TEST

START_TEST(mount_puts_the_latest_first)
{
    do_mount("", "a", S1, 60, 0);
    do_mount("", "a", S2, 60, 0);
    ck_assert_str_eq(look("", "a"), " " S2 "=60 " S1 "=60");

    ck_assert_str_eq(do_mount("", "a", S1, 90, 0), "");

    ck_assert_str_eq(look("", "a"), " " S1 "=90 " S2 "=60");
    ck_assert_uint_eq(servers(), 2);
}
END_TEST

START_TEST(mount_with_replace_forgets_the_others)
{
    do_mount("", "a", S1, 60, 0);
    do_mount("", "a", S2, 60, 0);

    ck_assert_str_eq(do_mount("", "a", S1, 90, V23_NAMING_REPLACE), "");

    ck_assert_str_eq(look("", "a"), " " S1 "=90");
    ck_assert_uint_eq(servers(), 1);
}
END_TEST

START_TEST(mount_drops_the_oldest_of_too_many)
{
    const char *text;
    char server[32];
    int i;

    for (i = 0; i < VNAME_MAX_SERVERS + 3; i++) {
        snprintf(server, sizeof(server), "/h:%d", i);
        ck_assert_str_eq(do_mount("", "a", server, 60, 0), "");
    }

    ck_assert_uint_eq(servers(), VNAME_MAX_SERVERS);
    text = look("", "a");
    ck_assert_ptr_nonnull(strstr(text, " /h:66=60 "));
    ck_assert_ptr_nonnull(strstr(text, " /h:3=60"));
    ck_assert_ptr_null(strstr(text, " /h:2="));
}
END_TEST

START_TEST(mount_flags_must_agree)
{
    ck_assert_str_eq(do_mount("", "a", S1, 60, V23_NAMING_MT), "");
    ck_assert_str_eq(do_mount("", "a", S2, 60, 0),
        "mount table doesn't match");
    ck_assert_str_eq(do_mount("", "a", S2, 60,
                         V23_NAMING_MT | V23_NAMING_LEAF),
        "leaf doesn't match");
    ck_assert_str_eq(look("", "a"), " " S1 "=60 MT");

    /* The record outlives its servers until somebody meets it. */
    R.now_ns += 61 * SEC;
    ck_assert_str_eq(do_mount("", "a", S2, 60, 0),
        "mount table doesn't match");
    ck_assert_str_eq(look("", "a"), "nameDoesntExist");
    ck_assert_str_eq(do_mount("", "a", S2, 60, V23_NAMING_LEAF), "");
    ck_assert_str_eq(look("", "a"), " " S2 "=60 L");
}
END_TEST

START_TEST(mount_below_a_mount_is_refused)
{
    do_mount("", "a", S1, 60, 0);

    ck_assert_str_eq(do_mount("", "a/b", S2, 60, 0), "rootNameDoesntExist");
    ck_assert_uint_eq(nodes(), 2);
}
END_TEST

START_TEST(mount_over_a_directory_deletes_it)
{
    do_mount("", "a/b/c", S1, 60, 0);
    do_mount("", "a/d", S1, 60, 0);
    ck_assert_uint_eq(nodes(), 5);

    ck_assert_str_eq(do_mount("", "a", S2, 60, 0), "");

    ck_assert_uint_eq(nodes(), 2);
    ck_assert_uint_eq(servers(), 1);
    ck_assert_str_eq(look("", "a/b/c"), "b/c " S2 "=60");
}
END_TEST

START_TEST(mount_checks_the_server)
{
    static const char *const fine[] = { "h:1", "/h:1", "/h:1/x/y", "(b)@h:1",
        "@6@tcp@h:1@@000102030405060708090a0b0c0d0e0f@s@@@" };
    size_t i;

    for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
        ck_assert_str_eq(do_mount("", "a", fine[i], 60, 0), "");
    ck_assert_str_eq(do_mount("", "b", "foo", 60, 0),
        "malformed address foo for mounted server foo");
    ck_assert_str_eq(do_mount("", "b", "/h/x", 60, 0),
        "malformed address h for mounted server /h/x");
    ck_assert_uint_eq(nodes(), 2);
}
END_TEST

START_TEST(mount_bounds_the_server)
{
    static char server[VNAME_MAX_SERVER + 2];

    memset(server, 'x', sizeof(server) - 1);
    memcpy(server, "/h:1/", 5);

    ck_assert_str_eq(do_mount("", "a", server, 60, 0),
        "server /h:1/xxxxxxxxxxxxxxxxxxxxxxxxxxx...: too long (max len is "
        "8192)");
    server[VNAME_MAX_SERVER] = 0;
    ck_assert_str_eq(do_mount("", "a", server, 60, 0), "");
}
END_TEST

START_TEST(mount_bounds_the_name)
{
    char name[4 * VNAME_MAX_DEPTH];
    size_t i;

    memset(name, 'x', 513);
    name[513] = 0;
    ck_assert_str_eq(do_mount("", name, S1, 60, 0),
        "path element xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: too long (max len "
        "is 512)");
    name[512] = 0;
    ck_assert_str_eq(do_mount("", name, S1, 60, 0), "");

    for (i = 0; i < VNAME_MAX_DEPTH + 1; i++)
        memcpy(name + 2 * i, "y/", 2);
    name[2 * i - 1] = 0;
    ck_assert_str_eq(do_mount("", name, S1, 60, 0),
        "name has more than 1000 elements");
    name[2 * i - 3] = 0;
    ck_assert_str_eq(do_mount("", name, S1, 60, 0), "");
}
END_TEST

START_TEST(mount_for_ever_is_ten_years)
{
    ck_assert_str_eq(do_mount("", "a", S1, 0, 0), "");
    ck_assert_str_eq(look("", "a"), " " S1 "=315360000");
    ck_assert_str_eq(do_mount("", "a", S1, UINT32_MAX, 0), "");
    R.now_ns += (int64_t)UINT32_MAX * SEC;
    ck_assert_str_eq(look("", "a"), " " S1 "=0");
    R.now_ns += 1;
    ck_assert_str_eq(look("", "a"), "nameDoesntExist");
}
END_TEST

START_TEST(mount_on_the_root_makes_a_signpost)
{
    ck_assert_str_eq(do_mount("", "", S1, 60, V23_NAMING_MT), "");

    ck_assert_str_eq(look("", "a/b"), "a/b " S1 "=60 MT");
    ck_assert_str_eq(list("", "", "..."), "[ " S1 "=60 MT]");
    ck_assert_str_eq(do_unmount("", "", ""), "");
    ck_assert_str_eq(look("", ""), "rootNameDoesntExist");
    ck_assert_uint_eq(nodes(), 1);
}
END_TEST

/* ---- going away ---------------------------------------------------------- */

START_TEST(expired_servers_are_collected_with_their_nodes)
{
    do_mount("", "a/b/c", S1, 60, 0);
    do_mount("", "a/b/c", S2, 70, 0);
    R.now_ns += 60 * SEC;
    ck_assert_str_eq(look("", "a/b/c"), " " S2 "=10 " S1 "=0");

    R.now_ns += 1;
    ck_assert_str_eq(look("", "a/b/c"), " " S2 "=9");
    R.now_ns += 10 * SEC;
    ck_assert_str_eq(look("", "a/b/c"), "nameDoesntExist");

    ck_assert_uint_eq(nodes(), 1);
    ck_assert_uint_eq(servers(), 0);
}
END_TEST

START_TEST(unmount_takes_one_or_all)
{
    do_mount("", "a/b", S1, 60, 0);
    do_mount("", "a/b", S2, 60, 0);

    ck_assert_str_eq(do_unmount("", "a/b", "/h9:9"), "");
    ck_assert_str_eq(do_unmount("", "a/b", S2), "");
    ck_assert_str_eq(look("", "a/b"), " " S1 "=60");
    ck_assert_str_eq(do_unmount("", "a/b", S1), "");
    ck_assert_uint_eq(nodes(), 1);

    do_mount("", "a/b", S1, 60, 0);
    do_mount("", "a/b", S2, 60, 0);
    ck_assert_str_eq(do_unmount("", "a/b", ""), "");
    ck_assert_uint_eq(nodes(), 1);
    ck_assert_uint_eq(servers(), 0);
    ck_assert_str_eq(do_unmount("", "a/b", S1), "");
    ck_assert_str_eq(do_unmount("", "", ""), "");
}
END_TEST

START_TEST(delete_needs_leave_for_subtrees)
{
    do_mount("", "a/b/c", S1, 60, 0);

    ck_assert_str_eq(do_delete("", "", true), "cannot delete root node");
    ck_assert_str_eq(do_delete("", "a", false),
        "cannot delete a: has children");
    ck_assert_str_eq(do_delete("", "x/y", false), "");
    ck_assert_str_eq(do_delete("", "a/b/c/d", false), "");
    ck_assert_uint_eq(nodes(), 4);
    ck_assert_str_eq(do_delete("", "a", true), "");
    ck_assert_uint_eq(nodes(), 1);
    ck_assert_uint_eq(servers(), 0);
}
END_TEST

START_TEST(delete_of_a_deep_subtree_needs_no_stack)
{
    char name[2 * VNAME_MAX_DEPTH];
    size_t i;

    for (i = 0; i < VNAME_MAX_DEPTH; i++)
        memcpy(name + 2 * i, "y/", 2);
    name[2 * i - 1] = 0;
    ck_assert_str_eq(do_mount("", name, S1, 60, 0), "");
    ck_assert_uint_eq(nodes(), VNAME_MAX_DEPTH + 1);

    ck_assert_str_eq(do_delete("", "y", true), "");

    ck_assert_uint_eq(nodes(), 1);
}
END_TEST

/* ---- glob ---------------------------------------------------------------- */

START_TEST(glob_shows_directories_and_mounts)
{
    ck_assert_str_eq(list("", "", "..."), "");
    ck_assert_str_eq(list("", "", ""), "");
    do_mount("", "a/b", S1, 60, 0);
    do_mount("", "a/c", S2, 60, V23_NAMING_LEAF);

    ck_assert_str_eq(list("", "", "..."),
        "[ MT][a MT][a/b " S1 "=60][a/c " S2 "=60 L]");
    ck_assert_str_eq(list("", "", ""), "[ MT]");
    ck_assert_str_eq(list("", "", "*"), "[a MT]");
    ck_assert_str_eq(list("", "", "a/*"),
        "[a/b " S1 "=60][a/c " S2 "=60 L]");
    ck_assert_str_eq(list("", "", "a/b"), "[a/b " S1 "=60]");
    ck_assert_str_eq(list("", "", "*/c"), "[a/c " S2 "=60 L]");
    ck_assert_str_eq(list("", "a", "*"), "[b " S1 "=60][c " S2 "=60 L]");
    /* The pattern is not used up: go there. */
    ck_assert_str_eq(list("", "", "a/b/x/y"), "[a/b " S1 "=60]");
    /* Below a mount point. */
    ck_assert_str_eq(list("", "a/b/c", "*"), "[ " S1 "/c=60]");
    ck_assert_str_eq(list("", "x", "*"), "");
}
END_TEST

START_TEST(glob_collects_what_has_expired)
{
    do_mount("", "a/b", S1, 60, 0);
    do_mount("", "a/c", S1, 90, 0);
    do_mount("", "d/e/f", S1, 60, 0);
    R.now_ns += 61 * SEC;

    ck_assert_str_eq(list("", "", "..."), "[ MT][a MT][a/c " S1 "=29]");

    ck_assert_uint_eq(nodes(), 3);
    ck_assert_uint_eq(servers(), 1);
}
END_TEST

START_TEST(glob_takes_escaped_literals_literally)
{
    do_mount("", "a*b", S1, 60, 0);
    do_mount("", "axb", S2, 60, 0);

    ck_assert_str_eq(list("", "", "a\\*b"), "[a*b " S1 "=60]");
    ck_assert_str_eq(list("", "", "a*b"), "[a*b " S1 "=60][axb " S2 "=60]");
    ck_assert_str_eq(list("", "", "[]"), "");
}
END_TEST

START_TEST(glob_of_a_deep_tree_needs_no_stack)
{
    char name[2 * VNAME_MAX_DEPTH];
    size_t i, n;

    for (i = 0; i < VNAME_MAX_DEPTH; i++)
        memcpy(name + 2 * i, "y/", 2);
    name[2 * i - 1] = 0;
    do_mount("", name, S1, 60, 0);

    list("", "", "...");

    for (i = n = 0; R.text[i] != 0; i++)
        n += R.text[i] == '[';
    ck_assert_uint_ge(n, 100); /* the text of the rig is bounded */
    list("", "", name);
    ck_assert_ptr_nonnull(strstr(R.text, "y/y " S1 "=60]"));
}
END_TEST

static int stop_at_two(void *ud, const v23_naming_mount_entry *e)
{
    (void)e;
    return ++*(int *)ud == 2 ? V23_ECANCELED : 0;
}

START_TEST(glob_ends_when_the_receiver_wants)
{
    struct vrpc_glob g;
    int count = 0;

    do_mount("", "a", S1, 60, 0);
    do_mount("", "b", S1, 60, 0);
    do_mount("", "c", S1, 60, 0);
    ck_assert_int_eq(vrpc_glob_parse(&R.arena, vdl_str("*"), &g), 0);

    ck_assert_int_eq(each(as(""), "", &g, stop_at_two, &count),
        V23_ECANCELED);

    ck_assert_int_eq(count, 2);
}
END_TEST

static uint32_t dice(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)*state * n) >> 32);
}

#define DIRS 6
#define LEAVES 8

/* d<i>/x<j> stays, d<i>/y<j> comes and goes, and so do whole directories. */
static void disturb(uint32_t *state)
{
    char name[32];
    uint32_t d = dice(state, DIRS);

    snprintf(name, sizeof(name), "d%u/y%u", d, dice(state, LEAVES));
    switch (dice(state, 5)) {
    case 0:
        ck_assert_str_eq(do_delete("", name, true), "");
        break;
    case 1:
        ck_assert_str_eq(do_unmount("", name, ""), "");
        break;
    case 2:
        snprintf(name, sizeof(name), "gone%u", d);
        ck_assert_str_eq(do_delete("", name, true), "");
        break;
    case 3:
        snprintf(name, sizeof(name), "gone%u/a/b%u", d, dice(state, LEAVES));
        do_mount("", name, S1, 60, 0);
        break;
    default:
        do_mount("", name, S1, 1 + dice(state, 3), 0);
        break;
    }
    R.now_ns += V23_NS_PER_SEC / 2;
}

/* Walk through the whole table while it changes. */
static void walk_disturbed(uint32_t seed)
{
    unsigned seen[DIRS][LEAVES] = { { 0 } }, d, x;
    v23_naming_mount_entry e;
    struct vname_glob *w;
    struct vrpc_glob g;
    uint32_t state = seed;
    char name[32];
    int rc, n, i;

    ck_assert_int_eq(vrpc_glob_parse(&R.arena, vdl_str("..."), &g), 0);
    ck_assert_int_eq(vname_glob_new(R.table, as(""), vdl_str(""), &g, &w), 0);
    while ((rc = vname_glob_next(w, R.now_ns, &e)) == 0 || rc == V23_EAGAIN) {
        if (rc == V23_EAGAIN) {
            disturb(&state);
            continue;
        }
        snprintf(name, sizeof(name), "%.*s", (int)e.name.n, e.name.p);
        if (sscanf(name, "d%u/x%u%n", &d, &x, &n) == 2 && name[n] == 0)
            seen[d][x]++;
        for (i = (int)dice(&state, 4); i > 0; i--)
            disturb(&state);
    }
    ck_assert_int_eq(rc, V23_EEOF);
    ck_assert_int_eq(vname_glob_next(w, R.now_ns, &e), V23_EEOF);
    vname_glob_free(w);
    for (d = 0; d < DIRS; d++)
        for (x = 0; x < LEAVES; x++)
            ck_assert_msg(seen[d][x] == 1, "seed %u: d%u/x%u seen %u times",
                seed, d, x, seen[d][x]);
}

START_TEST(glob_finds_what_stays_while_the_table_changes)
{
    uint32_t seed, d, x;
    char name[32];

    for (d = 0; d < DIRS; d++)
        for (x = 0; x < LEAVES; x++) {
            snprintf(name, sizeof(name), "d%u/x%u", d, x);
            ck_assert_str_eq(do_mount("", name, S1, 1000000, 0), "");
            snprintf(name, sizeof(name), "gone%u/a/b%u", d, x);
            ck_assert_str_eq(do_mount("", name, S1, 60, 0), "");
        }
    for (seed = 1; seed <= 300; seed++) {
        R.table->glob_steps = seed % 3 == 0 ? VNAME_GLOB_STEPS : (int)seed % 7 + 1;
        walk_disturbed(seed);
    }
}
END_TEST

START_TEST(glob_gives_way_in_a_long_search)
{
    v23_naming_mount_entry e;
    struct vname_glob *w;
    struct vrpc_glob g;
    char name[32];
    int i, rc, turns = 0, found = 0;

    for (i = 0; i < 3 * VNAME_GLOB_STEPS; i++) {
        snprintf(name, sizeof(name), "d/%s%d", i % 5000 == 7 ? "b" : "a", i);
        ck_assert_str_eq(do_mount("", name, S1, 60, 0), "");
        v23_arena_reset(&R.arena);
    }
    ck_assert_int_eq(vrpc_glob_parse(&R.arena, vdl_str("d/b*"), &g), 0);
    ck_assert_int_eq(vname_glob_new(R.table, as(""), vdl_str(""), &g, &w), 0);

    while ((rc = vname_glob_next(w, R.now_ns, &e)) != V23_EEOF) {
        turns += rc == V23_EAGAIN;
        found += rc == 0;
    }

    ck_assert_int_eq(found, 3);
    ck_assert_int_ge(turns, 1);
    vname_glob_free(w);
}
END_TEST

START_TEST(glob_ends_when_its_start_is_gone)
{
    v23_naming_mount_entry e;
    struct vname_glob *w, *v;
    struct vrpc_glob g;

    do_mount("", "a/b/c", S1, 60, 0);
    do_mount("", "a/b/d", S1, 60, 0);
    ck_assert_int_eq(vrpc_glob_parse(&R.arena, vdl_str("..."), &g), 0);
    ck_assert_int_eq(vname_glob_new(R.table, as(""), vdl_str("a/b"), &g, &w),
        0);
    ck_assert_int_eq(vname_glob_new(R.table, as(""), vdl_str("a/b"), &g, &v),
        0);
    ck_assert_int_eq(vname_glob_next(w, R.now_ns, &e), 0);

    ck_assert_str_eq(do_delete("", "a", true), "");

    ck_assert_int_eq(vname_glob_next(w, R.now_ns, &e), V23_EEOF);
    ck_assert_int_eq(vname_glob_next(v, R.now_ns, &e), V23_EEOF);
    vname_glob_free(w);
    vname_glob_free(v);
}
END_TEST

/* ---- quota and statistics ------------------------------------------------ */

struct user_count {
    const char *id;
    int64_t nodes, rpcs;
};

static void count_user(void *ud, struct vdl_str id, int64_t n, int64_t rpcs)
{
    struct user_count *u = ud;

    if (vdl_str_is(id, u->id)) {
        u->nodes = n;
        u->rpcs = rpcs;
    }
}

static int64_t nodes_of(const char *id)
{
    struct user_count u = { id, -1, -1 };

    vname_table_users(R.table, count_user, &u);
    return u.nodes;
}

START_TEST(quota_is_per_user_and_given_back)
{
    vname_table_free(R.table);
    rig_new_table(2);

    ck_assert_str_eq(do_mount("alice", "a/b", S1, 60, 0), "");
    ck_assert_str_eq(do_mount("alice:phone", "c", S1, 60, 0),
        "user has exceeded their node limit");
    ck_assert_str_eq(do_mount("bob", "c/d", S1, 60, 0), "");
    ck_assert_str_eq(do_mount("", "e", S1, 60, 0), "");
    ck_assert_int_eq(nodes_of("alice"), 2);
    ck_assert_int_eq(nodes_of("self:?:Unauthenticated"), 1);

    ck_assert_str_eq(do_delete("bob", "a", true), "");
    ck_assert_int_eq(nodes_of("alice"), 0);
    ck_assert_str_eq(do_mount("alice", "f", S1, 60, 0), "");
}
END_TEST

START_TEST(user_ids_are_the_leading_components)
{
    do_mount("idp:u:carol:phone", "a", S1, 60, 0);
    do_mount("x/y", "b", S1, 60, 0);
    vname_table_count_rpc(R.table, as("x/y:z"));

    ck_assert_int_eq(nodes_of("idp:u:carol"), 1);
    ck_assert_int_eq(nodes_of("x\\y"), 1);
}
END_TEST

START_TEST(many_users_are_kept_apart)
{
    char name[32];
    int i;

    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "user%d", i);
        ck_assert_str_eq(do_mount(name, name, S1, 60, 0), "");
    }

    for (i = 0; i < 1000; i += 37) {
        snprintf(name, sizeof(name), "user%d", i);
        ck_assert_int_eq(nodes_of(name), 1);
    }
}
END_TEST

/* ---- robustness ---------------------------------------------------------- */

static uint64_t seed;

static unsigned rnd(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static const char *random_name(void)
{
    static char name[64];
    unsigned depth = rnd(4), i;

    name[0] = 0;
    for (i = 0; i < depth; i++)
        snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%c",
            i == 0 ? "" : "/", 'a' + (int)rnd(3));
    return name;
}

START_TEST(random_operations_leave_a_consistent_table)
{
    char server[16];
    int i;

    seed = (uint64_t)_i + 1;
    for (i = 0; i < 3000; i++) {
        snprintf(server, sizeof(server), "/h:%u", rnd(3) + 1);
        switch (rnd(6)) {
        case 0:
        case 1:
            do_mount("u", random_name(), server, rnd(20) + 1,
                rnd(8) == 0 ? V23_NAMING_REPLACE : 0);
            break;
        case 2:
            do_unmount("u", random_name(), rnd(2) ? server : "");
            break;
        case 3:
            do_delete("u", random_name(), rnd(2) != 0);
            break;
        case 4:
            list("u", random_name(), "...");
            break;
        default:
            look("u", random_name());
            R.now_ns += (int64_t)rnd(5) * SEC;
        }
        ck_assert_uint_le(nodes(), 1 + 3 + 9 + 27);
        ck_assert_int_eq(nodes() == 1 ? 0 : nodes_of("u"),
            (int64_t)nodes() - 1);
        v23_arena_reset(&R.arena);
    }
    R.now_ns += 100 * SEC;
    list("u", "", "...");
    list("u", "", "...");
    do_unmount("u", "", "");

    ck_assert_msg(nodes() == 1 && servers() == 0, "seed %d", _i + 1);
}
END_TEST

static int life(const struct v23_alloc *al, void *ud)
{
    const char *json = "{\"\":{\"Admin\":{\"In\":[\"root\"]},\"Resolve\":"
                       "{\"In\":[\"...\"]}},\"u/%%\":{\"Admin\":{\"In\":["
                       "\"%%\"]}},\"u\":{\"Create\":{\"In\":[\"...\"]}}}";
    struct vname_table_config cfg = { 0 };
    struct v23_buf why;
    struct vrpc_glob g;
    const char *what[4];
    int rc, count = 0;
    size_t i;

    (void)ud;
    cfg.al = al;
    rc = vname_table_new(&cfg, &R.table);
    if (rc != 0)
        return rc;
    v23_arena_init(&R.arena, al, SIZE_MAX);
    v23_buf_init(&why, NULL, 4096);
    rc = vname_table_load_permissions(R.table, vdl_str(json), &why);
    v23_buf_fini(&why);
    if (rc == 0)
        rc = vrpc_glob_parse(&R.arena, vdl_str("*/..."), &g);
    if (rc != 0)
        goto out;
    what[0] = strdup(do_mount("alice", "u/alice/x", S1, 60, 0));
    what[1] = strdup(do_mount("alice", "u/alice/y", S2, 60, 0));
    what[2] = strdup(do_mount("root", "z/y", S2, 60, 0));
    what[3] = strdup(do_delete("root", "u", true));
    rc = each(as("root"), "", &g, stop_at_two, &count);
    if (rc == V23_ECANCELED)
        rc = 0;
    for (i = 0; i < 4; i++) {
        /* "out of memory" is an Internal error; nothing else may happen. */
        if (strcmp(what[i], "Internal") == 0)
            rc = V23_ENOMEM;
        else
            ck_assert_str_eq(what[i], "");
        free((void *)(uintptr_t)what[i]);
    }
out:
    vname_table_free(R.table);
    v23_arena_fini(&R.arena);
    return rc;
}

START_TEST(table_survives_every_lack_of_memory)
{
    memset(&R, 0, sizeof(R));
    tst_out_of_memory(life, NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libnaming/table");
    TCase *tc = tcase_create("table"), *oom = tcase_create("memory");

    tcase_add_checked_fixture(tc, rig_setup, rig_teardown);
    tcase_add_test(tc, mount_is_found_with_the_rest_of_the_name);
    tcase_add_test(tc, mount_puts_the_latest_first);
    tcase_add_test(tc, mount_with_replace_forgets_the_others);
    tcase_add_test(tc, mount_drops_the_oldest_of_too_many);
    tcase_add_test(tc, mount_flags_must_agree);
    tcase_add_test(tc, mount_below_a_mount_is_refused);
    tcase_add_test(tc, mount_over_a_directory_deletes_it);
    tcase_add_test(tc, mount_checks_the_server);
    tcase_add_test(tc, mount_bounds_the_server);
    tcase_add_test(tc, mount_bounds_the_name);
    tcase_add_test(tc, mount_for_ever_is_ten_years);
    tcase_add_test(tc, mount_on_the_root_makes_a_signpost);
    tcase_add_test(tc, expired_servers_are_collected_with_their_nodes);
    tcase_add_test(tc, unmount_takes_one_or_all);
    tcase_add_test(tc, delete_needs_leave_for_subtrees);
    tcase_add_test(tc, delete_of_a_deep_subtree_needs_no_stack);
    tcase_add_test(tc, glob_shows_directories_and_mounts);
    tcase_add_test(tc, glob_collects_what_has_expired);
    tcase_add_test(tc, glob_takes_escaped_literals_literally);
    tcase_add_test(tc, glob_of_a_deep_tree_needs_no_stack);
    tcase_add_test(tc, glob_ends_when_the_receiver_wants);
    tcase_add_test(tc, glob_finds_what_stays_while_the_table_changes);
    tcase_add_test(tc, glob_gives_way_in_a_long_search);
    tcase_add_test(tc, glob_ends_when_its_start_is_gone);
    tcase_add_test(tc, quota_is_per_user_and_given_back);
    tcase_add_test(tc, user_ids_are_the_leading_components);
    tcase_add_test(tc, many_users_are_kept_apart);
    tcase_add_loop_test(tc, random_operations_leave_a_consistent_table, 0, 4);
    tcase_add_test(oom, table_survives_every_lack_of_memory);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, oom);
    return tst_run(s);
}
