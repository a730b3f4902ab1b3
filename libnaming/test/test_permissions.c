/* BSD-3-Clause; see LICENSE. */
/* Permissions of the mount table's nodes: checks, versions, files, keeping. */
#include "table_rig.h"

#define S1 "/h1:1"
#define OPEN "{\"Admin\":{\"In\":[\"root\"]},\"Read\":{\"In\":[\"...\"]}}"

/* ---- setting and getting ------------------------------------------------- */

START_TEST(set_adds_the_caller_and_counts_versions)
{
    ck_assert_str_eq(do_set("root", "a", "{\"Read\":{\"In\":[\"...\"]}}", ""),
        "");
    ck_assert_str_eq(do_get("root", "a"),
        "1 {\"Admin\":{\"In\":[\"root\"],\"NotIn\":null},"
        "\"Read\":{\"In\":[\"...\"],\"NotIn\":null}}");

    ck_assert_str_eq(do_set("root", "a", OPEN, "1"), "");
    ck_assert_str_eq(do_set("root", "a", OPEN, "1"), "BadVersion");
    ck_assert_str_eq(do_set("root", "a", OPEN, "+02"), "");
    ck_assert_str_eq(do_set("root", "a", OPEN, "-7"), "");
    ck_assert_str_eq(do_set("root", "a", OPEN, "x"), "BadVersion");
    ck_assert_str_eq(do_set("root", "a", OPEN, "+"), "BadVersion");
    ck_assert_str_eq(do_set("root", "a", OPEN, " 4"), "BadVersion");
    ck_assert_str_eq(do_set("root", "a", OPEN, "4294967300"), "BadVersion");
    ck_assert_str_eq(do_set("root", "a", OPEN, "-2147483649"), "BadVersion");
    ck_assert_str_eq(do_set("root", "a", OPEN, "4"), "");
    ck_assert_int_eq(do_get("root", "a")[0], '5');
}
END_TEST

START_TEST(set_keeps_only_admins_that_were)
{
    do_set("root", "a", OPEN, "");
    ck_assert_str_eq(do_set("alice", "a", OPEN, ""), "NoAccess");

    do_set("root", "a", "{\"Admin\":{\"In\":[\"root\",\"alice\"]}}", "");
    ck_assert_str_eq(do_set("alice", "a", "{}", ""), "");

    ck_assert_str_eq(do_get("alice", "a"),
        "3 {\"Admin\":{\"In\":[\"alice\"],\"NotIn\":null}}");
    ck_assert_str_eq(do_get("root", "a"), "NoAccess");
}
END_TEST

START_TEST(version_wraps_to_zero)
{
    v23_access_permissions p = table_perms(OPEN, &R.arena);
    struct vname_change ch;

    memset(&ch, 0, sizeof(ch));
    ch.name = vdl_str("a");
    ch.perms = &p;
    ch.version = INT32_MAX;
    ck_assert_int_eq(vname_table_restore(R.table, &ch), 0);

    ck_assert_str_eq(do_set("root", "a", OPEN, "2147483647"), "");

    ck_assert_int_eq(do_get("root", "a")[0], '0');
}
END_TEST

START_TEST(get_of_open_and_missing_nodes)
{
    do_mount("", "a", S1, 60, 0);

    ck_assert_str_eq(do_get("", "a"), " {}");
    ck_assert_str_eq(do_get("", "b"), "nameDoesntExist");
    ck_assert_str_eq(do_get("", "a/b"), "nameDoesntExist");
    ck_assert_str_eq(do_set("", "a/b", OPEN, ""), "nameDoesntExist");
}
END_TEST

START_TEST(set_makes_a_node_stay)
{
    do_set("root", "a/b", OPEN, "");
    do_mount("root", "a/b", S1, 60, 0);
    R.now_ns += 61 * V23_NS_PER_SEC;

    ck_assert_str_eq(look("root", "a/b"), "nameDoesntExist");
    ck_assert_str_eq(list("root", "", "..."), "[ MT][a MT][a/b]");
    ck_assert_str_eq(do_unmount("root", "a/b", ""), "");
    ck_assert_str_eq(list("root", "", "..."), "[ MT][a MT][a/b MT]");
    ck_assert_uint_eq(nodes(), 3);
}
END_TEST

START_TEST(equal_permissions_take_memory_once)
{
    static const char json[] = "{\"Admin\":{\"In\":[\"root\"]},\"Create\":{"
                               "\"In\":[\"...\"]}}";
    char name[32];
    size_t first, i;

    /* The same text at two places, and what alice's names inherit. */
    ck_assert_str_eq(do_set("root", "a", json, ""), "");
    first = R.t.live;
    ck_assert_str_eq(do_set("root", "b", json, ""), "");
    ck_assert_uint_eq(R.t.live, first + 1);
    do_mount("alice", "a/0", S1, 60, 0);
    first = R.t.live;
    for (i = 1; i < 40; i++) {
        snprintf(name, sizeof(name), "a/%zu", i);
        ck_assert_str_eq(do_mount("alice", name, S1, 60, 0), "");
    }

    /* A node and a server each; the caller's arena grows as well. */
    ck_assert_uint_le(R.t.live, first + 80);
    ck_assert_str_eq(do_get("root", "a/7"),
        "1 {\"Admin\":{\"In\":[\"alice\",\"root\"],\"NotIn\":null},\"Create\":"
        "{\"In\":[\"...\"],\"NotIn\":null}}");

    /* Each goes its own way when it is changed. */
    ck_assert_str_eq(do_set("root", "a/7", json, ""), "");
    ck_assert_str_eq(do_get("root", "a/8"),
        "1 {\"Admin\":{\"In\":[\"alice\",\"root\"],\"NotIn\":null},\"Create\":"
        "{\"In\":[\"...\"],\"NotIn\":null}}");
}
END_TEST

START_TEST(set_bounds_the_size)
{
    struct vdl_str in[2000];
    v23_access_permissions_entry e;
    v23_access_permissions p = { &e, 1 };
    size_t i;

    memset(&e, 0, sizeof(e));
    for (i = 0; i < 2000; i++)
        in[i] = vdl_str("a:blessing:pattern:of:some:length");
    e.key = vdl_str("Admin");
    e.val.in.v = in;
    e.val.in.n = 2000;

    ck_assert_str_eq(table_said(vname_table_set_permissions(R.table, as("root"),
                         vdl_str("a"), &p, vdl_str(""))),
        "permissions are too large (max is 65536)");
    e.val.in.n = 1800;
    ck_assert_str_eq(table_said(vname_table_set_permissions(R.table, as("root"),
                         vdl_str("a"), &p, vdl_str(""))),
        "");
}
END_TEST

START_TEST(access_is_checked_on_the_way)
{
    do_set("root", "", "{\"Admin\":{\"In\":[\"root\"]},"
                       "\"Resolve\":{\"In\":[\"alice\"]},"
                       "\"Create\":{\"In\":[\"bob\"]}}",
        "");
    do_mount("root", "a/b", S1, 60, 0);

    /* Children inherit; the creator is root. */
    ck_assert_str_eq(look("alice", "a/b"), " " S1 "=60");
    ck_assert_str_eq(look("carol", "a/b"), "NoAccess");
    ck_assert_str_eq(look("bob", "a/b"), "NoAccess");
    ck_assert_str_eq(look("alice", "x"), "nameDoesntExist");
    ck_assert_str_eq(do_mount("alice", "c", S1, 60, 0), "NoAccess");
    ck_assert_str_eq(do_mount("bob", "c", S1, 60, 0), "");
    /* Who creates a node becomes its admin. */
    ck_assert_str_eq(do_get("bob", "c"),
        "1 {\"Admin\":{\"In\":[\"bob\",\"root\"],\"NotIn\":null},"
        "\"Create\":{\"In\":[\"bob\"],\"NotIn\":null},"
        "\"Resolve\":{\"In\":[\"alice\"],\"NotIn\":null}}");
    ck_assert_str_eq(do_delete("alice", "c", false), "NoAccess");
    ck_assert_str_eq(do_unmount("alice", "c", ""), "NoAccess");
}
END_TEST

START_TEST(glob_shows_what_may_be_seen)
{
    do_set("root", "a", "{\"Admin\":{\"In\":[\"root\"]},"
                        "\"Resolve\":{\"In\":[\"alice\"]}}",
        "");
    do_mount("root", "a/m", S1, 60, 0);
    do_set("root", "a/n", "{\"Admin\":{\"In\":[\"root\"]},"
                          "\"Mount\":{\"In\":[\"alice\"]}}",
        "");
    do_mount("root", "a/n", S1, 60, 0);

    /* Listing needs Read or Admin; a literal name does not. */
    ck_assert_str_eq(list("alice", "", "a/*"), "");
    ck_assert_str_eq(list("alice", "", "a/m"), "[a/m " S1 "=60]");
    ck_assert_str_eq(list("alice", "", "a/n"), "[a/n]");
    ck_assert_str_eq(list("root", "", "a/*"), "[a/m " S1 "=60][a/n " S1
                                              "=60]");
    ck_assert_str_eq(list("carol", "", "*"), "");
    ck_assert_str_eq(list("carol", "a", "m"), "");
}
END_TEST

/* ---- files --------------------------------------------------------------- */

static char why_mem[4096];

static int load(const char *json)
{
    struct v23_buf why;
    int rc;

    v23_buf_init_fixed(&why, why_mem, sizeof(why_mem));
    rc = vname_table_load_permissions(R.table, vdl_str(json), &why);
    (void)v23_buf_cstr(&why);
    return rc;
}

START_TEST(file_makes_nodes_and_superusers)
{
    ck_assert_int_eq(
        load("{\"\":{\"Admin\":{\"In\":[\"root\"]}},"
             "\"a/b\":{\"Admin\":{\"In\":[\"alice\"]}}}"),
        0);

    ck_assert_str_eq(do_get("root", ""),
        "1 {\"Admin\":{\"In\":[\"root\"],\"NotIn\":null}}");
    /* The superuser reads what only alice may. */
    ck_assert_str_eq(do_get("root", "a/b"),
        "2 {\"Admin\":{\"In\":[\"alice\"],\"NotIn\":null}}");
    ck_assert_str_eq(do_get("alice", "a/b"), "NoAccess"); /* of the root */
    ck_assert_str_eq(do_set("root", "", "{\"Admin\":{\"In\":[\"bob\"]}}", ""),
        "");
    ck_assert_str_eq(do_set("root", "", OPEN, ""), "");
}
END_TEST

START_TEST(file_template_admits_the_named)
{
    ck_assert_int_eq(
        load("{\"\":{\"Admin\":{\"In\":[\"root\"]},"
             "\"Resolve\":{\"In\":[\"...\"]}},"
             "\"u\":{\"Create\":{\"In\":[\"...\"]}},"
             "\"u/%%\":{\"Admin\":{\"In\":[\"%%\"]},"
             "\"Read\":{\"In\":[\"%%:friend\",\"x%%y%%\"],"
             "\"NotIn\":[\"%%:foe\"]}}}"),
        0);

    ck_assert_str_eq(do_mount("alice:phone", "u/alice/m", S1, 60, 0), "");
    ck_assert_str_eq(do_get("alice", "u/alice"),
        "0 {\"Admin\":{\"In\":[\"alice\"],\"NotIn\":null},"
        "\"Read\":{\"In\":[\"alice:friend\",\"xaliceyalice\"],"
        "\"NotIn\":[\"alice:foe\"]}}");
    ck_assert_str_eq(do_mount("bob", "u/alicia", S1, 60, 0), "NoAccess");
    /* A template is for users, not for superusers. */
    ck_assert_str_eq(do_mount("root", "u/root2", S1, 60, 0), "NoAccess");
}
END_TEST

START_TEST(file_documents_add_up)
{
    ck_assert_int_eq(load("{\"a\":{\"Read\":{\"In\":[\"x\"]}}} "
                          "{\"b\":{\"Read\":{\"In\":[\"y\"]}}}\n"
                          "null {}"),
        0);

    /* The first is applied after every document. */
    ck_assert_int_eq(do_get("x", "a")[0], '4');
    ck_assert_int_eq(do_get("y", "b")[0], '3');
}
END_TEST

START_TEST(file_faults_are_named)
{
    static const struct {
        const char *json, *why;
    } bad[] = {
        { "{bad", "invalid character 'b' looking for beginning of object key "
                  "string" },
        { "{} [", "unexpected EOF" },
        { "[]", "not a JSON object" },
        { "{\"a\":7}", "node \"a\" has malformed permissions" },
        { "{\"a\":{\"Read\":[]}}", "node \"a\" has malformed permissions" },
        { "{\"/a\":{}}", "\"/a\" is no name of a node" },
        { "{\"a//b\":{}}", "\"a//b\" is no name of a node" },
        { "{\"a/\":{}}", "\"a/\" is no name of a node" },
        { "{\"a\\u0000b\":{}}", "a text has a NUL" },
    };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(load(bad[i].json), V23_ETEXT);
        ck_assert_str_eq(why_mem, bad[i].why);
    }
    ck_assert_int_eq(load(""), 0);
    ck_assert_uint_eq(nodes(), 1);
}
END_TEST

/* ---- what outlives the process ------------------------------------------- */

struct record {
    char text[64][512];
    size_t n;
};

static void note(struct record *r, const struct vname_change *ch)
{
    struct v23_buf b;

    ck_assert_uint_lt(r->n, 64);
    v23_buf_init_fixed(&b, r->text[r->n++], 511);
    v23_buf_put_str(&b, ch->name);
    v23_buf_printf(&b, " %d %.*s ", (int)ch->version, (int)ch->creator.n,
        ch->creator.n == 0 ? "" : ch->creator.p);
    ck_assert_int_eq(vsec_perms_to_json(ch->perms, &b), 0);
    b.n--;
    (void)v23_buf_cstr(&b);
}

static int commit_rc;

static int commit(void *ud, struct v23_op op, const struct vname_change *ch,
    size_t n)
{
    (void)op;
    if (commit_rc != 0)
        return commit_rc;
    ck_assert_uint_eq(n, 1);
    note(ud, ch);
    return 0;
}

/* A store that answers at once, and writes down what it is told. */
static void set_store(struct record *r)
{
    static struct vname_store store;

    store.commit = commit;
    store.ud = r;
    vname_table_set_store(R.table, &store);
}

static int on_kept(void *ud, const struct vname_change *ch)
{
    note(ud, ch);
    return 0;
}

START_TEST(changes_are_told)
{
    struct record r;

    r.n = 0;
    set_store(&r);
    do_mount("root", "a/x", S1, 60, 0);
    do_set("root", "a", OPEN, "");
    do_set("root", "a", OPEN, "9");     /* fails */
    do_set("root", "", "{\"Read\":{\"In\":[\"...\"]}}", "");
    do_delete("alice", "a", true);      /* fails */
    do_delete("root", "a", true);
    do_delete("root", "a", true);       /* nothing to do */

    ck_assert_uint_eq(r.n, 3);
    ck_assert_str_eq(r.text[0],
        "a 1 root {\"Admin\":{\"In\":[\"root\"],\"NotIn\":null},"
        "\"Read\":{\"In\":[\"...\"],\"NotIn\":null}}");
    ck_assert_str_eq(r.text[1],
        " 1  {\"Admin\":{\"In\":[\"root\"],\"NotIn\":null},"
        "\"Read\":{\"In\":[\"...\"],\"NotIn\":null}}");
    ck_assert_str_eq(r.text[2], "a 0  null");
}
END_TEST

START_TEST(change_that_cannot_be_kept_is_not_made)
{
    struct record r;

    r.n = 0;
    ck_assert_str_eq(do_set("root", "a", OPEN, ""), "");
    set_store(&r);
    commit_rc = V23_ESYS;

    ck_assert_str_eq(do_set("root", "a", OPEN, ""), "Internal");
    ck_assert_str_eq(do_delete("root", "a", true), "Internal");
    commit_rc = V23_ENOMEM;
    ck_assert_str_eq(do_set("root", "a", OPEN, ""), "Internal");
    vname_table_set_store(R.table, NULL);
    commit_rc = 0;
    ck_assert_int_eq(do_get("root", "a")[0], '1');
}
END_TEST

START_TEST(kept_state_is_parents_first_and_complete)
{
    static const char *const names[] = { "", "a", "a/b", "a/c/d", "z", "y//w",
        "a/c/e" };
    struct record r;
    size_t i, k;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_str_eq(do_set("root", names[i], OPEN, ""), "");
    do_mount("root", "m/n", S1, 60, 0);
    r.n = 0;

    ck_assert_int_eq(vname_table_each_kept(R.table, on_kept, &r), 0);

    ck_assert_uint_eq(r.n, 7);
    for (i = 0; i < 7; i++) {
        for (k = 0; k < r.n; k++)
            if (strncmp(r.text[k], names[i], strlen(names[i])) == 0
                && r.text[k][strlen(names[i])] == ' ')
                break;
        ck_assert_msg(k < r.n, "%s is missing", names[i]);
        ck_assert(i != 0 || k == 0);
    }
}
END_TEST

static int stop(void *ud, const struct vname_change *ch)
{
    (void)ud;
    (void)ch;
    return V23_ECANCELED;
}

/* Everything that is kept, a part of it each time. */
static void next_part(struct record *r, size_t nodes_, int more)
{
    ck_assert_int_eq(
        vname_table_kept_next(R.table, nodes_, on_kept, r), more);
}

static bool has_noted(const struct record *r, const char *text)
{
    size_t i;

    for (i = 0; i < r->n; i++)
        if (strncmp(r->text[i], text, strlen(text)) == 0)
            return true;
    return false;
}

START_TEST(kept_state_can_be_had_in_parts)
{
    struct record all, parts;
    size_t i, round;

    do_set("root", "a", OPEN, "");
    do_set("root", "a/b/c", OPEN, "");
    do_set("root", "", "{\"Read\":{\"In\":[\"...\"]}}", "");
    do_set("root", "z/y", OPEN, "");
    all.n = 0;
    ck_assert_int_eq(vname_table_each_kept(R.table, on_kept, &all), 0);

    for (round = 0; round < 3; round++) {
        parts.n = 0;
        vname_table_kept_begin(R.table);
        for (i = 0; i < 5; i++)
            next_part(&parts, 1, 1);
        next_part(&parts, 1, 0); /* six nodes */
        ck_assert_uint_eq(parts.n, all.n);
        for (i = 0; i < all.n; i++)
            ck_assert_str_eq(parts.text[i], all.text[i]);
    }
}
END_TEST

START_TEST(parts_follow_a_table_that_changes)
{
    struct record r;

    do_set("root", "a", OPEN, "");
    do_set("root", "a/b", OPEN, "");
    do_set("root", "a/b/c", OPEN, "");
    do_set("root", "d", OPEN, "");
    r.n = 0;
    vname_table_kept_begin(R.table);
    next_part(&r, 1, 1); /* the root */
    next_part(&r, 1, 1); /* the newest child */
    ck_assert(has_noted(&r, "d "));
    next_part(&r, 2, 1);
    ck_assert(has_noted(&r, "a/b "));

    /* Now it rests at a/b/c, which goes, and would be the last. */
    do_set("root", "e", OPEN, "");
    do_set("root", "a/n", OPEN, "");
    do_delete("root", "a/b", true);
    do_set("root", "a/b/c", OPEN, "");
    next_part(&r, 100, 0);
    ck_assert_uint_eq(r.n, 3);
}
END_TEST

START_TEST(parts_of_a_table_need_not_be_had)
{
    struct record r;

    do_set("root", "a", OPEN, "");
    do_set("root", "a/b", OPEN, "");
    vname_table_kept_begin(R.table);
    r.n = 0;
    next_part(&r, 2, 1);
    vname_table_kept_end(R.table);
    vname_table_kept_end(R.table);

    vname_table_kept_begin(R.table);
    next_part(&r, 2, 1);
    /* The table may go in the middle. */
}
END_TEST

START_TEST(kept_walk_can_be_ended)
{
    do_set("root", "a", OPEN, "");

    ck_assert_int_eq(vname_table_each_kept(R.table, stop, NULL),
        V23_ECANCELED);

    vname_table_kept_begin(R.table);
    ck_assert_int_eq(vname_table_kept_next(R.table, 9, stop, NULL),
        V23_ECANCELED);
}
END_TEST

START_TEST(restore_makes_the_way_and_deletes)
{
    v23_access_permissions p = table_perms(OPEN, &R.arena);
    struct vname_change ch;

    memset(&ch, 0, sizeof(ch));
    ch.name = vdl_str("a/b/c");
    ch.perms = &p;
    ch.version = 7;
    ch.creator = vdl_str("alice");
    ck_assert_int_eq(vname_table_restore(R.table, &ch), 0);
    ck_assert_int_eq(do_get("root", "a/b/c")[0], '7');
    ck_assert_str_eq(do_get("", "a/b"), " {}");
    ck_assert_uint_eq(nodes(), 4);

    ch.kind = VNAME_DELETE;
    ch.name = vdl_str("a/b/x"); /* missing: fine */
    ck_assert_int_eq(vname_table_restore(R.table, &ch), 0);
    ch.name = vdl_str("");      /* the root stays */
    ck_assert_int_eq(vname_table_restore(R.table, &ch), 0);
    ck_assert_uint_eq(nodes(), 4);
    ch.name = vdl_str("a/b");
    ck_assert_int_eq(vname_table_restore(R.table, &ch), 0);
    ck_assert_uint_eq(nodes(), 2);
}
END_TEST

START_TEST(restore_refuses_impossible_records)
{
    char name[VNAME_MAX_ELEMENT + 2];
    struct vname_change ch;

    memset(&ch, 0, sizeof(ch));
    memset(name, 'x', sizeof(name));
    ch.name = vdl_strn(name, VNAME_MAX_ELEMENT + 1);
    ck_assert_int_eq(vname_table_restore(R.table, &ch), V23_EARG);
    ch.name = vdl_str("a");
    ch.version = -1;
    ck_assert_int_eq(vname_table_restore(R.table, &ch), V23_EARG);
    ck_assert_uint_eq(nodes(), 1);
}
END_TEST

START_TEST(what_json_would_change_is_not_kept)
{
    static const char odd[] = "a\0b";
    v23_access_permissions p = { NULL, 0 };
    v23_access_permissions_entry e;
    struct vdl_str in = VDL_STR_INIT("x\0y");
    struct record r;
    const char *refusal
        = "neither name nor permissions may have NULs or invalid UTF-8";

    memset(&e, 0, sizeof(e));
    /* Without a journal names are bytes. */
    ck_assert_str_eq(table_said(vname_table_set_permissions(R.table, as("root"),
                         vdl_strn(odd, 3), &p, vdl_str(""))),
        "");
    r.n = 0;
    set_store(&r);

    ck_assert_str_eq(table_said(vname_table_set_permissions(R.table, as("root"),
                         vdl_strn(odd, 3), &p, vdl_str(""))),
        refusal);
    ck_assert_str_eq(do_set("root", "a\xff", OPEN, ""), refusal);
    e.key = vdl_str("Admin");
    e.val.in.v = &in;
    e.val.in.n = 1;
    p.v = &e;
    p.n = 1;
    ck_assert_str_eq(table_said(vname_table_set_permissions(R.table, as("root"),
                         vdl_str("b"), &p, vdl_str(""))),
        refusal);
    ck_assert_str_eq(do_set("root", "\xc3\xa4", OPEN, ""), "");
    ck_assert_uint_eq(r.n, 1);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, set_adds_the_caller_and_counts_versions);
    tcase_add_test(tc, set_keeps_only_admins_that_were);
    tcase_add_test(tc, version_wraps_to_zero);
    tcase_add_test(tc, get_of_open_and_missing_nodes);
    tcase_add_test(tc, set_makes_a_node_stay);
    tcase_add_test(tc, equal_permissions_take_memory_once);
    tcase_add_test(tc, set_bounds_the_size);
    tcase_add_test(tc, access_is_checked_on_the_way);
    tcase_add_test(tc, glob_shows_what_may_be_seen);
    tcase_add_test(tc, file_makes_nodes_and_superusers);
    tcase_add_test(tc, file_template_admits_the_named);
    tcase_add_test(tc, file_documents_add_up);
    tcase_add_test(tc, file_faults_are_named);
    tcase_add_test(tc, changes_are_told);
    tcase_add_test(tc, change_that_cannot_be_kept_is_not_made);
    tcase_add_test(tc, kept_state_is_parents_first_and_complete);
    tcase_add_test(tc, kept_state_can_be_had_in_parts);
    tcase_add_test(tc, parts_follow_a_table_that_changes);
    tcase_add_test(tc, parts_of_a_table_need_not_be_had);
    tcase_add_test(tc, kept_walk_can_be_ended);
    tcase_add_test(tc, restore_makes_the_way_and_deletes);
    tcase_add_test(tc, restore_refuses_impossible_records);
    tcase_add_test(tc, what_json_would_change_is_not_kept);
}

int main(void)
{
    return tst_run_case("libnaming/permissions", add, rig_setup, rig_teardown);
}
