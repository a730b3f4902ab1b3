/* BSD-3-Clause; see LICENSE. */
/* The namespace client against mount tables in memory. */
#include "ns_rig.h"
#include "table_int.h"

/* ---- resolving ----------------------------------------------------------- */

START_TEST(resolve_follows_the_tables)
{
    build();

    ck_assert_str_eq(resolve("mt/bar/x"), "");
    ck_assert_str_eq(N.text, join(N.leaf_name, "/x"));
    ck_assert_str_eq(resolve("leaf"), "");
    ck_assert_str_eq(N.text, N.leaf_name);
    ck_assert_str_eq(resolve(join(SUB, "/bar/y/z")), "");
    ck_assert_str_eq(N.text, join(N.leaf_name, "/y/z"));
    /* A rooted name of something else is its own answer. */
    ck_assert_str_eq(resolve(join(N.leaf_name, "/q")), "");
    ck_assert_str_eq(N.text, join(N.leaf_name, "/q"));
}
END_TEST

START_TEST(resolve_asks_each_table_once)
{
    int before;

    build();
    resolve("mt/bar/x");
    before = calls_of(&N.tables[0]) + calls_of(&N.tables[1]);

    ck_assert_str_eq(resolve("mt/bar/y"), "");

    ck_assert_str_eq(N.text, join(N.leaf_name, "/y"));
    ck_assert_int_eq(calls_of(&N.tables[0]) + calls_of(&N.tables[1]), before);
    vname_ns_flush(N.ns);
    ck_assert_str_eq(resolve("mt/bar/y"), "");
    ck_assert_int_eq(calls_of(&N.tables[0]) + calls_of(&N.tables[1]),
        before + 2);
}
END_TEST

START_TEST(resolve_without_cache_asks_again)
{
    int before;

    build();
    new_ns(true);
    resolve("mt/bar");
    before = calls_of(&N.tables[1]);

    ck_assert_str_eq(resolve("mt/bar"), "");

    ck_assert_int_eq(calls_of(&N.tables[1]), before + 1);
}
END_TEST

START_TEST(resolve_of_a_missing_name_names_the_table)
{
    build();

    ck_assert_str_eq(resolve("nope/x"), NO_NAME);
    ck_assert_str_eq(N.err, NO_NAME ": root:/nope/x.ResolveStep: name nope/x "
                                    "doesn't exist");
}
END_TEST

START_TEST(resolve_of_a_table_fails_here)
{
    build();

    ck_assert_str_eq(resolve("mt"), NO_NAME);
    ck_assert_str_eq(N.err, NO_NAME ": tool: name mt doesn't exist");
    ck_assert_str_eq(shallow("mt"), "");
    ck_assert_str_eq(N.text, SUB);
    ck_assert_str_eq(shallow("mt/bar"), "");
    ck_assert_str_eq(N.text, N.leaf_name);
    ck_assert_str_eq(shallow("mt/none"), NO_NAME);
}
END_TEST

START_TEST(to_table_gives_the_holder)
{
    build();

    ck_assert_str_eq(to_table("mt/bar"), "");
    ck_assert_str_eq(N.text, join(SUB, "/bar"));
    ck_assert_str_eq(to_table("mt"), "");
    ck_assert_str_eq(N.text, join(ROOT, "/mt"));
    ck_assert_str_eq(to_table("nope/x"), "");
    ck_assert_str_eq(N.text, join(ROOT, "/nope/x"));
    ck_assert_str_eq(to_table("leaf/a/b"), "");
    ck_assert_str_eq(N.text, join(ROOT, "/leaf/a/b"));
}
END_TEST

START_TEST(resolve_ends_in_a_loop)
{
    mount("loop", join(ROOT, "/loop"), 60 * SEC, V23_NAMING_MT);

    ck_assert_str_eq(resolve("loop/x"),
        "v.io/v23/naming.resolutionDepthExceeded");
    ck_assert_str_eq(N.err, "v.io/v23/naming.resolutionDepthExceeded: tool: "
                            "resolution depth exceeded");
    ck_assert_str_eq(to_table("loop/x"),
        "v.io/v23/naming.resolutionDepthExceeded");
}
END_TEST

START_TEST(short_address_may_be_no_table)
{
    const char *name = "/(test:leaf)@leaf:1/x";

    ck_assert_str_eq(resolve(name), "");
    ck_assert_str_eq(N.text, name);
    ck_assert_int_eq(N.leaf_calls, 0);
    /* Now it is known; the server must not get lost. */
    ck_assert_str_eq(resolve(name), "");
    ck_assert_str_eq(N.text, name);

    ck_assert_str_eq(resolve("/(test:root)@root:1/nope"), NO_NAME);
}
END_TEST

START_TEST(reserved_names_resolve_to_the_table)
{
    ck_assert_str_eq(resolve(join(ROOT, "/__debug/stats")), "");
    ck_assert_str_eq(N.text, join(ROOT, "/__debug/stats"));
}
END_TEST

START_TEST(forgotten_slash_is_noticed)
{
    ck_assert_str_eq(resolve("host:80/a"), NO_NAME);
    ck_assert_ptr_nonnull(strstr(N.err, " [Did you mean: /host:80/a]"));
    ck_assert_str_eq(resolve("hostname/a"), NO_NAME);
    ck_assert_ptr_null(strstr(N.err, "Did you mean"));
}
END_TEST

START_TEST(roots_are_rooted_names)
{
    struct vdl_str roots[2];

    roots[0] = vdl_str("/h:1");
    roots[1] = vdl_str("h:1");
    ck_assert_int_eq(vname_ns_set_roots(N.ns, roots, 2), V23_EARG);
    ck_assert_uint_eq(vname_ns_roots(N.ns).n, 1);
    ck_assert_int_eq(vname_ns_set_roots(N.ns, roots, 1), 0);
    ck_assert(vdl_str_is(vname_ns_roots(N.ns).v[0], "/h:1"));

    ck_assert_int_eq(vname_ns_set_roots(N.ns, NULL, 0), 0);
    ck_assert_str_eq(resolve("a"), NO_NAME);
    ck_assert_str_eq(to_table("a"), "v.io/v23/naming.noMounttable");
    ck_assert_str_eq(glob("*"), "v.io/v23/naming.noMounttable");
    ck_assert_str_eq(mount("a", "/h:1", SEC, 0),
        "v.io/v23/naming.noMounttable");
}
END_TEST

START_TEST(untrusted_table_is_refused_unless_told)
{
    struct vname_opts opts;

    memset(&opts, 0, sizeof(opts));
    ck_assert_str_eq(resolve("/(test:other)@root:1/x"),
        "v.io/v23/verror.NotTrusted");

    opts.name_auth = &vsec_auth_everyone;
    ck_assert_str_eq(finish(vname_resolve(N.ns,
                         vdl_str("/(test:other)@root:1/x"), &opts, on_entry,
                         NULL, NULL)),
        NO_NAME);
}
END_TEST

/* ---- changes ------------------------------------------------------------- */

static int ttl_of(const char *name)
{
    struct vname_caller c;
    struct v23_arena a;
    v23_naming_mount_entry e;
    int ttl;

    memset(&c, 0, sizeof(c));
    v23_arena_init(&a, NULL, SIZE_MAX);
    c.arena = &a;
    c.now_ns = W.now.mono_ns;
    ck_assert_ptr_null(
        vname_table_resolve(N.tables[0].t, &c, vdl_str(name), &e));
    ttl = (int)e.servers.v[0].deadline.from_now.seconds;
    v23_arena_fini(&a);
    return ttl;
}

START_TEST(ttl_is_rounded_up)
{
    mount("a", "/h:1", 500 * V23_NS_PER_MS, 0);
    mount("b", "/h:1", SEC, 0);
    mount("c", "/h:1", SEC + 1, 0);
    mount("d", "/h:1", 0, 0);
    mount("e", "/h:1", INT64_MAX, 0);
    mount("f", "/h:1", -SEC, 0);

    ck_assert_int_eq(ttl_of("a"), 1);
    ck_assert_int_eq(ttl_of("b"), 1);
    ck_assert_int_eq(ttl_of("c"), 2);
    ck_assert_int_eq(ttl_of("d"), 315360000);
    ck_assert(ttl_of("e") < 0 || ttl_of("e") > 315360000); /* 2^32 - 1 s */
    ck_assert_int_eq(ttl_of("f"), 1);
}
END_TEST

START_TEST(mount_and_unmount_are_seen_at_once)
{
    build();
    resolve("mt/bar");

    ck_assert_str_eq(mount("mt/bar", "/h2:2", 60 * SEC, 0), "");
    ck_assert_str_eq(resolve("mt/bar"), "");
    ck_assert_str_eq(N.text, join("/h2:2 ", N.leaf_name));
    ck_assert_str_eq(unmount("mt/bar", "/h2:2"), "");
    ck_assert_str_eq(resolve("mt/bar"), "");
    ck_assert_str_eq(N.text, N.leaf_name);
    ck_assert_str_eq(unmount("mt/bar", ""), "");
    ck_assert_str_eq(resolve("mt/bar"), NO_NAME);
    ck_assert_str_eq(mount("x", "nonsense", SEC, 0),
        "v.io/v23/verror.Unknown");
    ck_assert_str_eq(N.err, "v.io/v23/verror.Unknown: malformed address "
                            "nonsense for mounted server nonsense");
}
END_TEST

START_TEST(mount_goes_to_every_replica)
{
    struct vdl_str roots[2];

    roots[0] = vdl_str(ROOT);
    roots[1] = vdl_str(SUB);
    ck_assert_int_eq(vname_ns_set_roots(N.ns, roots, 2), 0);

    ck_assert_str_eq(mount("a", "/h:1", 60 * SEC, 0), "");

    ck_assert_str_eq(resolve(join(ROOT, "/a")), "");
    ck_assert_str_eq(resolve(join(SUB, "/a")), "");
}
END_TEST

START_TEST(delete_and_permissions_reach_the_table)
{
    struct vdl_str in = VDL_STR_INIT("...");
    v23_access_permissions_entry e;
    v23_access_permissions p = { &e, 1 };

    build();
    memset(&e, 0, sizeof(e));
    e.key = vdl_str("Admin");
    e.val.in.v = &in;
    e.val.in.n = 1;
    ck_assert_str_eq(finish(vname_get_permissions(N.ns, vdl_str("mt/bar"),
                         NULL, on_perms, NULL, NULL)),
        "");
    ck_assert_str_eq(N.text, "0 ");
    ck_assert_str_eq(finish(vname_set_permissions(N.ns, vdl_str("mt/bar"),
                         &p, vdl_str(""), NULL, on_done, NULL, NULL)),
        "");
    ck_assert_str_eq(finish(vname_set_permissions(N.ns, vdl_str("mt/bar"),
                         &p, vdl_str("0"), NULL, on_done, NULL, NULL)),
        "v.io/v23/verror.BadVersion");
    ck_assert_str_eq(finish(vname_get_permissions(N.ns, vdl_str("mt/bar"),
                         NULL, on_perms, NULL, NULL)),
        "");
    ck_assert_str_eq(N.text, "1 1");
    ck_assert_str_eq(finish(vname_delete(N.ns, vdl_str("mt/bar"), false, NULL,
                         on_done, NULL, NULL)),
        "");
    ck_assert_str_eq(resolve("mt/bar"), NO_NAME);
    ck_assert_str_eq(finish(vname_get_permissions(N.ns, vdl_str("mt/bar"),
                         NULL, on_perms, NULL, NULL)),
        NO_NAME);
}
END_TEST

/* ---- glob ---------------------------------------------------------------- */

static bool has(const char *part)
{
    return strstr(N.text, part) != NULL;
}

START_TEST(glob_joins_the_tables)
{
    char want[512];

    build();
    mount("mt/dir/x", "/(test:nobody)@nobody:1", 60 * SEC, 0);

    ck_assert_str_eq(glob("*"), "");
    ck_assert(has("[mt @]") && has("[leaf @]"));
    ck_assert_str_eq(glob("mt/*"), "");
    ck_assert(has("[mt/bar @]") && has("[mt/dir]") && !has("[mt @]"));
    ck_assert_str_eq(glob(join(ROOT, "/mt/b*")), "");
    snprintf(want, sizeof(want), "[%s/mt/bar @]", ROOT);
    ck_assert_str_eq(N.text, want);
    ck_assert_str_eq(glob("mt/bar"), "");
    ck_assert(has("[mt/bar @]"));
    ck_assert_str_eq(glob("none/*"), "");
    ck_assert_str_eq(N.text, "");
    ck_assert_str_eq(glob("a["), "v.io/v23/verror.Unknown");
    ck_assert_str_eq(glob(""), "");
}
END_TEST

START_TEST(glob_reports_dead_and_other_servers)
{
    build();
    mount("mt/dead", "/(test:nobody)@nobody:1", 60 * SEC, V23_NAMING_MT);

    ck_assert_str_eq(glob("..."), "");

    ck_assert(has("[mt/dead @]"));
    ck_assert(has("[!mt/dead: v.io/v23/verror.NoServers]"));
    ck_assert(has("[mt @]") && has("[leaf @]") && has("[mt/bar @]"));
    /* "***" does not enter servers of other kinds. */
    ck_assert_str_eq(glob("mt/***"), "");
    ck_assert(has("[mt/bar @]"));
}
END_TEST

START_TEST(glob_reports_a_broken_connection)
{
    build();
    glob("mt/*");
    N.text[0] = 0;
    link_to(N.tables[1].n)->peer->stuck = true;
    ck_assert_int_eq(vname_glob(N.ns, vdl_str("..."), NULL, on_reply, on_done,
                         NULL, NULL), 0);
    world_settle(&W);
    world_cut(link_to(N.tables[1].n)->peer);

    ck_assert_str_eq(finish(0), "");
    ck_assert(has("[mt @]") && has("[!mt: v.io/v23/verror.BadProtocol]"));
}
END_TEST

static int order[2];

static void note_order(void *ud, const struct v23_verror *err)
{
    ck_assert_ptr_null(err);
    order[N.done++] = *(int *)ud;
}

static void note_entry(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e)
{
    (void)e;
    note_order(ud, err);
}

START_TEST(long_search_of_one_client_does_not_keep_others_waiting)
{
    static int search = 1, quick = 2;
    char name[32];
    int i;

    for (i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "d/a%d", i);
        mount(name, "/h:1", 600 * SEC, 0);
    }
    N.tables[0].t->glob_steps = 2;
    ck_assert_int_eq(vname_glob(N.ns, vdl_str("d/b*"), NULL, on_reply,
                         note_order, &search, NULL), 0);
    ck_assert_int_eq(vname_resolve(N.ns, vdl_str("d/a7"), NULL, note_entry,
                         &quick, NULL), 0);

    for (i = 0; i < 1000 && N.done < 2; i++)
        world_step(&W);

    ck_assert_int_eq(N.done, 2);
    ck_assert_int_eq(order[0], quick);
    N.done = 0;
}
END_TEST

START_TEST(glob_ends_in_a_loop)
{
    build();
    mount("mt/up", ROOT, 60 * SEC, V23_NAMING_MT);

    ck_assert_str_eq(glob("..."), "");

    ck_assert(has("[mt/up @]") && has("[mt/bar @]"));
    ck_assert(!has("mt/up/mt/up/mt"));
}
END_TEST

START_TEST(glob_takes_publishers_names_and_rooted_ones_as_equal)
{
    int before;

    /* The same table under two spellings is asked once for a pattern. */
    mount("one", ROOT + 1, 60 * SEC, V23_NAMING_MT);
    before = calls_of(&N.tables[0]);

    ck_assert_str_eq(glob("..."), "");

    ck_assert_int_eq(calls_of(&N.tables[0]) - before, 1);
}
END_TEST

/* ---- as the client's resolver -------------------------------------------- */

static void got_perms(void *ud, const struct v23_verror *err,
    const v23_permissions_object_get_permissions_out *out)
{
    (void)ud;
    note_error(err);
    N.text[0] = 0;
    if (err == NULL)
        put("%.*s", (int)out->version.n,
            out->version.n == 0 ? "" : out->version.p);
    N.done++;
}

static const char *call(const char *name, int64_t timeout)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;

    o.timeout_ns = timeout;
    ck_assert_ptr_nonnull(v23_permissions_object_get_permissions_start(
        N.client->c, name, &o, got_perms, NULL));
    return finish(0);
}

START_TEST(client_calls_relative_names)
{
    build();

    ck_assert_str_eq(call("mt/bar/some/suffix", 0), "");
    ck_assert_str_eq(N.text, "some/suffix");
    ck_assert_str_eq(call("leaf/x", 0), "");
    ck_assert_str_eq(N.text, "x");
    ck_assert_str_eq(call("nope", 3 * SEC), "v.io/v23/verror.NoServers");
    ck_assert_ptr_nonnull(strstr(N.err, "name nope doesn't exist"));
}
END_TEST

START_TEST(client_waits_for_a_name_to_appear)
{
    struct vname_caller c;
    struct v23_arena a;

    ck_assert_ptr_nonnull(v23_permissions_object_get_permissions_start(
        N.client->c, "late", NULL, got_perms, NULL));
    world_sleep(&W, 2 * SEC);
    ck_assert_int_eq(N.done, 0);

    memset(&c, 0, sizeof(c));
    v23_arena_init(&a, NULL, SIZE_MAX);
    c.arena = &a;
    c.now_ns = W.now.mono_ns;
    ck_assert_ptr_null(vname_table_mount(N.tables[0].t, &c, vdl_str("late"),
        vdl_str(N.leaf_name), 60, 0));
    v23_arena_fini(&a);

    ck_assert_str_eq(finish(0), "");
}
END_TEST

START_TEST(client_forgets_servers_that_are_gone)
{
    build();
    mount("x", "/(test:nobody)@nobody:1", 60 * SEC, 0);
    ck_assert_str_eq(resolve("x"), "");
    /* It moves, unseen by this client. */
    {
        struct vname_caller c;
        struct v23_arena a;

        memset(&c, 0, sizeof(c));
        v23_arena_init(&a, NULL, SIZE_MAX);
        c.arena = &a;
        c.now_ns = W.now.mono_ns;
        ck_assert_ptr_null(vname_table_mount(N.tables[0].t, &c, vdl_str("x"),
            vdl_str(N.leaf_name), 60, V23_NAMING_REPLACE));
        v23_arena_fini(&a);
    }

    ck_assert_str_eq(call("x/y", 20 * SEC), "");
    ck_assert_str_eq(N.text, "y");
}
END_TEST

/* ---- ends ---------------------------------------------------------------- */

START_TEST(cached_answers_come_at_once)
{
    struct vname_op *op = (struct vname_op *)(void *)&N;

    build();
    resolve("leaf");

    ck_assert_int_eq(vname_resolve(N.ns, vdl_str("leaf/z"), NULL, on_entry,
                         NULL, &op),
        0);

    ck_assert_int_eq(N.done, 1);
    ck_assert_ptr_null(op);
}
END_TEST

static void count_done(void *ud, const struct v23_verror *err)
{
    (void)err;
    ++*(int *)ud;
}

static void count_entry(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e)
{
    (void)err;
    (void)e;
    ++*(int *)ud;
}

static void count_perms(void *ud, const struct v23_verror *err,
    const v23_access_permissions *perms, struct vdl_str version)
{
    (void)err;
    (void)perms;
    (void)version;
    ++*(int *)ud;
}

START_TEST(cancelled_operations_are_silent)
{
    struct vname_op *op[5];
    int done[5] = { 0 }, before[5];
    size_t i;

    build();
    new_ns(true);
    ck_assert_int_eq(vname_resolve(N.ns, vdl_str("mt/bar"), NULL,
                         count_entry, &done[0], &op[0]),
        0);
    ck_assert_int_eq(vname_mount(N.ns, vdl_str("mt/q"), vdl_str("/h:1"), SEC,
                         0, NULL, count_done, &done[1], &op[1]),
        0);
    ck_assert_int_eq(vname_glob(N.ns, vdl_str("..."), NULL, on_reply,
                         count_done, &done[2], &op[2]),
        0);
    ck_assert_int_eq(vname_shallow_resolve(N.ns, vdl_str("mt"), NULL,
                         count_entry, &done[3], &op[3]),
        0);
    ck_assert_int_eq(vname_get_permissions(N.ns, vdl_str("mt"), NULL,
                         count_perms, &done[4], &op[4]),
        0);
    for (i = 0; i < (size_t)_i; i++)
        (void)world_step(&W); /* some are under way, some are over */
    for (i = 0; i < 5; i++) {
        before[i] = done[i];
        if (done[i] == 0)
            vname_op_cancel(op[i]);
    }
    vname_op_cancel(NULL);

    world_sleep(&W, 100 * SEC);

    for (i = 0; i < 5; i++)
        ck_assert_int_eq(done[i], before[i]);
}
END_TEST

START_TEST(namespace_can_end_before_its_operations)
{
    build();
    new_ns(true);
    ck_assert_int_eq(vname_resolve(N.ns, vdl_str("mt/bar"), NULL, on_entry,
                         NULL, NULL),
        0);
    ck_assert_int_eq(vname_glob(N.ns, vdl_str("..."), NULL, on_reply, on_done,
                         NULL, NULL),
        0);
    ck_assert_ptr_nonnull(v23_permissions_object_get_permissions_start(
        N.client->c, "leaf", NULL, got_perms, NULL));

    vname_ns_free(N.ns);
    N.ns = NULL;

    world_sleep(&W, 200 * SEC);
    ck_assert_int_le(N.done, 1); /* the client's own call */
}
END_TEST

START_TEST(deadline_ends_an_operation)
{
    struct vname_opts opts;
    struct vdl_str root = vdl_str("/(test:hole)@hole:1");
    struct wnode *hole;

    ck_assert_int_eq(world_node(&W, "hole", 300, &hole), 0);
    hole->black_hole = true;
    ck_assert_int_eq(vname_ns_set_roots(N.ns, &root, 1), 0);
    memset(&opts, 0, sizeof(opts));
    opts.deadline = W.now.mono_ns + 5 * SEC;
    ck_assert_int_eq(vname_resolve(N.ns, vdl_str("a"), &opts, on_entry, NULL,
                         NULL),
        0);
    world_sleep(&W, 4 * SEC);
    ck_assert_int_eq(N.done, 0);
    world_sleep(&W, 2 * SEC);
    ck_assert_int_eq(N.done, 1);
    ck_assert_str_eq(finish(0), "v.io/v23/verror.Timeout");

    /* Without one, each call has 30 s. */
    ck_assert_int_eq(vname_resolve(N.ns, vdl_str("a"), NULL, on_entry, NULL,
                         NULL),
        0);
    world_sleep(&W, 29 * SEC);
    ck_assert_int_eq(N.done, 0);
    world_sleep(&W, 2 * SEC);
    ck_assert_int_eq(N.done, 1);
    N.done = 0;
}
END_TEST

/* Every allocation of an operation fails once; connections exist already. */
static void starve(int (*start)(void))
{
    size_t k, used;
    int rc;

    for (k = 1;; k++) {
        N.done = 0;
        used = W.t.calls;
        W.t.fail_at = W.t.calls + k;
        rc = start();
        ck_assert(rc == 0 || rc == V23_ENOMEM);
        if (rc == 0)
            ck_assert(world_until(&W, &N.done, 300 * SEC));
        ck_assert_int_le(N.done, 1);
        used = W.t.calls - used;
        W.t.fail_at = 0;
        world_sleep(&W, SEC);
        if (used < k)
            break;
        vname_ns_flush(N.ns);
        ck_assert_uint_lt(k, 5000);
    }
    ck_assert_str_eq(N.err, "");
}

static int start_resolve(void)
{
    return vname_resolve(N.ns, vdl_str("mt/bar/x"), NULL, on_entry, NULL,
        NULL);
}

static int start_mount(void)
{
    return vname_mount(N.ns, vdl_str("mt/m"), vdl_str("/h:1"), 60 * SEC, 0,
        NULL, on_done, NULL, NULL);
}

static int start_glob(void)
{
    return vname_glob(N.ns, vdl_str("mt/*"), NULL, on_reply, on_done, NULL,
        NULL);
}

START_TEST(operations_survive_every_lack_of_memory)
{
    static int (*const starts[])(void)
        = { start_resolve, start_mount, start_glob };

    build();
    resolve("mt/bar");
    N.text[0] = 0;
    starve(starts[_i]);
}
END_TEST

static int life(const struct v23_alloc *al, void *ud)
{
    struct vname_ns_config cfg = { 0 };
    struct vdl_str root = vdl_str("/h:1");
    struct vname_ns *ns;
    int rc;

    (void)ud;
    cfg.al = al;
    cfg.client = N.client->c;
    cfg.roots = &root;
    cfg.nroots = 1;
    rc = vname_ns_new(&cfg, &ns);
    if (rc == 0)
        vname_ns_free(ns);
    return rc;
}

START_TEST(namespace_survives_every_lack_of_memory)
{
    tst_out_of_memory(life, NULL);
}
END_TEST

/* Two clients of one manager, as of two web pages: what one does with its
 * names does not concern the other. */
START_TEST(namespaces_over_one_manager_are_independent)
{
    struct vrpc_client_config cc;
    struct vname_ns_config cfg;
    struct vname_ns *first = N.ns, *ns;
    struct vdl_str root = vdl_str(N.tables[0].name);
    struct vrpc_client *c;
    size_t before = W.t.bytes, dials;
    int asked;

    memset(&cc, 0, sizeof(cc));
    memset(&cfg, 0, sizeof(cfg));
    ck_assert_int_eq(vrpc_client_new(N.client->m, &cc, &c), 0);
    cfg.al = &W.t.al;
    cfg.client = c;
    cfg.roots = &root;
    cfg.nroots = 1;
    ck_assert_int_eq(vname_ns_new(&cfg, &ns), 0);
    ck_assert_uint_lt(W.t.bytes - before, 2048); /* a cache comes later */
    build();
    ck_assert_str_eq(resolve("mt/bar"), "");
    asked = calls_of(&N.tables[0]) + calls_of(&N.tables[1]);
    dials = W.ndials;

    N.ns = ns; /* it has its own cache, but no connections */
    ck_assert_str_eq(resolve("mt/bar"), "");
    ck_assert_int_gt(calls_of(&N.tables[0]) + calls_of(&N.tables[1]), asked);
    ck_assert_uint_eq(W.ndials, dials);
    vname_ns_flush(ns);
    vname_ns_disable_cache(ns, true);
    ck_assert_int_eq(vname_ns_set_roots(ns, NULL, 0), 0);
    ck_assert_str_ne(resolve("mt/bar"), "");

    N.ns = first;
    asked = calls_of(&N.tables[0]) + calls_of(&N.tables[1]);
    ck_assert_str_eq(resolve("mt/bar"), "");
    ck_assert_int_eq(calls_of(&N.tables[0]) + calls_of(&N.tables[1]), asked);
    vname_ns_free(ns);
    vrpc_client_free(c);
    ck_assert_str_eq(resolve("mt/bar/y"), "");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libnaming/namespace");
    TCase *tc = tcase_create("namespace");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, ns_setup, ns_teardown);
    tcase_add_test(tc, resolve_follows_the_tables);
    tcase_add_test(tc, resolve_asks_each_table_once);
    tcase_add_test(tc, resolve_without_cache_asks_again);
    tcase_add_test(tc, resolve_of_a_missing_name_names_the_table);
    tcase_add_test(tc, resolve_of_a_table_fails_here);
    tcase_add_test(tc, to_table_gives_the_holder);
    tcase_add_test(tc, resolve_ends_in_a_loop);
    tcase_add_test(tc, short_address_may_be_no_table);
    tcase_add_test(tc, reserved_names_resolve_to_the_table);
    tcase_add_test(tc, forgotten_slash_is_noticed);
    tcase_add_test(tc, roots_are_rooted_names);
    tcase_add_test(tc, untrusted_table_is_refused_unless_told);
    tcase_add_test(tc, glob_reports_a_broken_connection);
    tcase_add_test(tc, ttl_is_rounded_up);
    tcase_add_test(tc, mount_and_unmount_are_seen_at_once);
    tcase_add_test(tc, mount_goes_to_every_replica);
    tcase_add_test(tc, delete_and_permissions_reach_the_table);
    tcase_add_test(tc, glob_joins_the_tables);
    tcase_add_test(tc, glob_reports_dead_and_other_servers);
    tcase_add_test(tc, long_search_of_one_client_does_not_keep_others_waiting);
    tcase_add_test(tc, glob_ends_in_a_loop);
    tcase_add_test(tc, glob_takes_publishers_names_and_rooted_ones_as_equal);
    tcase_add_test(tc, client_calls_relative_names);
    tcase_add_test(tc, client_waits_for_a_name_to_appear);
    tcase_add_test(tc, client_forgets_servers_that_are_gone);
    tcase_add_test(tc, cached_answers_come_at_once);
    tcase_add_loop_test(tc, cancelled_operations_are_silent, 0, 8);
    tcase_add_test(tc, namespace_can_end_before_its_operations);
    tcase_add_test(tc, deadline_ends_an_operation);
    tcase_add_loop_test(tc, operations_survive_every_lack_of_memory, 0, 3);
    tcase_add_test(tc, namespace_survives_every_lack_of_memory);
    tcase_add_test(tc, namespaces_over_one_manager_are_independent);
    suite_add_tcase(s, tc);
    return tst_run(s);
}
