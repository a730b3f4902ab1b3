/* BSD-3-Clause; see LICENSE. */
/* __Glob over a tree of objects (spec/rpc.md 17.3). */
#include "globbed.h"

/*
 * The tree: "" has children a, x, secret, gone, nil, whole, slow; "a" has b
 * and c; "a/c" has d; "x" has "y z"; "deep" below "" is endless; "wide" has
 * many children; "bad" sends wrong child names; "fails" fails.
 */
struct dir {
    const char *name;
    const char *children; /* separated by '|'; NULL = a leaf */
};

static const struct dir dirs[] = {
    { "", "a|x|secret|gone|nil" },
    { "a", "b|c" },
    { "a/b", NULL },
    { "a/c", "d" },
    { "a/c/d", NULL },
    { "x", "y z" },
    { "x/y z", NULL },
    { "secret", "hidden" },
};

struct tree {
    int lookups, releases, cancels, writables;
    struct v23_op op;
    char late[64];        /* this suffix is looked up later */
    struct vrpc_glob_call *g; /* of "slow" */
    int32_t sent, total;  /* entries of "whole" */
    int32_t wide;
};

static struct tree T;

static int dir_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    const struct dir *d = self;
    const char *p = d->children, *end;
    struct vdl_str name;
    int rc = 0;

    ck_assert_ptr_nonnull(vrpc_glob_server_call(g));
    ck_assert(vdl_str_is(vrpc_glob_suffix(g), d->name));
    while (rc == 0) {
        end = strchr(p, '|');
        name = vdl_strn(p, end == NULL ? strlen(p) : (size_t)(end - p));
        if (vrpc_glob_match(pattern, name))
            rc = vrpc_glob_send_child(g, name);
        if (end == NULL)
            break;
        p = end + 1;
    }
    return rc;
}

static int deep_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    (void)self;
    return vrpc_glob_match(pattern, vdl_str("deep"))
               ? vrpc_glob_send_child(g, vdl_str("deep"))
               : 0;
}

static int wide_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    char name[32];
    int32_t i;
    int rc = 0;

    (void)self;
    for (i = 0; i < T.wide && rc == 0; i++) {
        snprintf(name, sizeof(name), "child%d", (int)i);
        if (vrpc_glob_match(pattern, vdl_str(name)))
            rc = vrpc_glob_send_child(g, vdl_str(name));
    }
    return rc;
}

static int bad_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    (void)self;
    (void)pattern;
    ck_assert_int_eq(vrpc_glob_send_child(g, vdl_str("")), V23_EARG);
    ck_assert_int_eq(vrpc_glob_send_child(g, vdl_str("a/b")), V23_EARG);
    ck_assert_int_eq(vrpc_glob_send_child(g, vdl_str("nomatch")), V23_EARG);
    ck_assert_int_eq(vrpc_glob_send_error(g, vdl_str("kid"),
        vrpc_err_make(vrpc_server_call_arena(vrpc_glob_server_call(g)), NULL,
            VRPC_ERR_BAD_STATE, "kid is ill")), 0);
    return 0;
}

static int fail_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    (void)self;
    (void)pattern;
    vrpc_glob_fail(g, vrpc_err_make(
        vrpc_server_call_arena(vrpc_glob_server_call(g)), NULL,
        VRPC_ERR_NO_ACCESS, "no"));
    return V23_EWIREERR;
}

static int whole_more(struct vrpc_glob_call *g)
{
    v23_naming_mount_entry e;
    char name[32];
    int rc = 0;

    while (T.sent < T.total) {
        memset(&e, 0, sizeof(e));
        snprintf(name, sizeof(name), "entry%d", (int)T.sent);
        e.name = vdl_str(name);
        e.is_leaf = true;
        rc = vrpc_glob_send_entry(g, &e);
        if (rc != 0)
            break;
        T.sent++;
    }
    return rc;
}

static int whole_glob(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    (void)self;
    ck_assert(pattern->recursive);
    T.sent = 0;
    return whole_more(g);
}

static void whole_writable(void *self, struct vrpc_glob_call *g)
{
    int rc = whole_more(g);

    (void)self;
    T.writables++;
    if (rc != V23_EAGAIN)
        vrpc_glob_done(g, rc);
}

static void tree_cancel(void *self, struct vrpc_glob_call *g)
{
    (void)self;
    (void)g;
    T.cancels++;
}

static int slow_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    (void)self;
    (void)pattern;
    T.g = g;
    return V23_EAGAIN;
}

static const struct vrpc_globber dir_globber = { dir_children, NULL, NULL,
    NULL };
static const struct vrpc_globber deep_globber = { deep_children, NULL, NULL,
    NULL };
static const struct vrpc_globber wide_globber = { wide_children, NULL, NULL,
    NULL };
static const struct vrpc_globber bad_globber = { bad_children, NULL, NULL,
    NULL };
static const struct vrpc_globber fail_globber = { fail_children, NULL, NULL,
    NULL };
static const struct vrpc_globber whole_globber = { NULL, whole_glob,
    whole_writable, tree_cancel };
static const struct vrpc_globber slow_globber = { slow_children, NULL, NULL,
    tree_cancel };

static bool starts(struct vdl_str s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && memcmp(s.p, with, n) == 0;
}

static int find(struct vdl_str suffix, struct vrpc_object *obj,
    const struct vsec_authorizer **auth)
{
    size_t i;

    *auth = starts(suffix, "secret") ? &nobody : &vsec_auth_everyone;
    if (vdl_str_is(suffix, "gone"))
        return V23_ENOENT;
    if (vdl_str_is(suffix, "nil"))
        return 0;
    obj->iface = &echo_iface;
    if (starts(suffix, "deep"))
        obj->glob = &deep_globber;
    else if (vdl_str_is(suffix, "wide"))
        obj->glob = &wide_globber;
    else if (vdl_str_is(suffix, "bad"))
        obj->glob = &bad_globber;
    else if (vdl_str_is(suffix, "fails"))
        obj->glob = &fail_globber;
    else if (vdl_str_is(suffix, "whole"))
        obj->glob = &whole_globber;
    else if (vdl_str_is(suffix, "slow"))
        obj->glob = &slow_globber;
    else if (starts(suffix, "wide/"))
        obj->glob = NULL;
    else
        for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
            if (vdl_str_is(suffix, dirs[i].name)) {
                union { const struct dir *c; void *m; } u = { &dirs[i] };

                obj->glob = dirs[i].children == NULL ? NULL : &dir_globber;
                obj->self = u.m;
            }
    return 0;
}

static int tree_lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    (void)ud;
    (void)a;
    (void)err;
    T.lookups++;
    T.op = op;
    if (T.late[0] != 0 && vdl_str_is(suffix, T.late))
        return V23_EAGAIN;
    return find(suffix, obj, auth);
}

static void tree_lookup_cancel(void *ud, struct v23_op op)
{
    (void)ud;
    (void)op;
    T.cancels++;
}

static void tree_release(void *ud, const struct vrpc_object *obj)
{
    (void)ud;
    (void)obj;
    T.releases++;
}

static const struct vrpc_dispatcher tree = { tree_lookup, tree_lookup_cancel,
    tree_release, NULL };


static void setup(void)
{
    struct vrpc_server_config sc;

    world_setup();
    memset(&P, 0, sizeof(P));
    memset(&T, 0, sizeof(T));
    ck_assert_int_eq(world_node(&W, "client", 0, &P.c), 0);
    ck_assert_int_eq(world_node(&W, "server", 77, &P.s), 0);
    memset(&sc, 0, sizeof(sc));
    sc.dispatcher = &tree;
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &P.s->s), 0);
}

START_TEST(star_gives_children)
{
    ck_assert_str_eq(glob("a", "*"), "b leaf\nc\n");
    ck_assert_str_eq(G.id, "");
    ck_assert_str_eq(glob("", "a/*"), "a/b leaf\na/c\n");
    ck_assert_str_eq(glob("x", "y*"), "y z leaf\n");
    ck_assert_str_eq(glob("a", "z*"), "");
}
END_TEST

START_TEST(empty_pattern_gives_the_object)
{
    ck_assert_str_eq(glob("a/b", ""), " leaf\n");
    ck_assert_str_eq(glob("a", ""), "\n");
}
END_TEST

START_TEST(ellipsis_walks_the_tree)
{
    ck_assert_str_eq(glob("a", "..."), "\nb leaf\nc\nc/d leaf\n");
}
END_TEST

START_TEST(problems_are_reported_in_the_stream)
{
    ck_assert_str_eq(glob("", "*"),
        "a\nx\ngone!NoExist\nnil!NoExist\n!GlobMatchesOmitted\n");
    ck_assert_str_eq(glob("a/b", "*"), "!GlobNotImplemented\n");
    ck_assert_str_eq(glob("fails", "*"), "!Internal\n");
    ck_assert_str_eq(glob("bad", "x*"), "kid!BadState\n");
    ck_assert_str_eq(G.id, "");
    ck_assert_int_eq(T.releases, 8);
}
END_TEST

START_TEST(bad_pattern_fails_the_call)
{
    glob("a", "[");

    ck_assert_str_eq(G.id, VERR "Unknown");
    ck_assert_int_eq(T.lookups, 0);
}
END_TEST

START_TEST(reserved_pattern_without_dispatcher_is_not_implemented)
{
    glob("", "__debug/*");

    ck_assert_str_eq(G.id, "v.io/v23/rpc/reserved.GlobNotImplemented");
}
END_TEST

START_TEST(endless_tree_stops_at_ten)
{
    glob("deep", "...");

    ck_assert_int_eq(G.entries, 11);
    ck_assert_int_eq(G.errors, 1);
    ck_assert_ptr_nonnull(strstr(G.text, "!GlobMaxRecursionReached"));
}
END_TEST

START_TEST(wide_directory_streams)
{
    T.wide = 20000;
    glob("wide", "*");

    ck_assert_int_eq(G.entries, 20000);
    ck_assert_int_eq(G.errors, 0);
}
END_TEST

START_TEST(object_answers_for_the_whole_pattern_slowly)
{
    struct vrpc_call *call;

    T.total = 100000;
    call = glob_start("whole", "...");
    vrpc_call_pause(call, true);
    world_settle(&W);
    ck_assert_int_lt(T.sent, T.total);
    vrpc_call_pause(call, false);
    ck_assert(world_until(&W, &G.done, SEC));

    ck_assert_int_eq(G.errors, 0);
    ck_assert_int_eq(T.sent, T.total);
    ck_assert_int_gt(T.writables, 0);
}
END_TEST

START_TEST(late_lookup_and_late_children_continue)
{
    struct vrpc_object obj;
    const struct vsec_authorizer *auth;

    memset(&obj, 0, sizeof(obj));
    snprintf(T.late, sizeof(T.late), "slow");
    glob_start("slow", "*");
    world_settle(&W);
    ck_assert_int_eq(G.done, 0);
    ck_assert_int_eq(find(vdl_str("slow"), &obj, &auth), 0);
    vrpc_server_looked_up(P.s->s, T.op, 0, &obj, auth, NULL);
    ck_assert_ptr_nonnull(T.g);
    ck_assert_int_eq(vrpc_glob_send_child(T.g, vdl_str("kid")), 0);
    vrpc_glob_done(T.g, 0);
    ck_assert(world_until(&W, &G.done, SEC));

    ck_assert_str_eq(G.text, "kid leaf\n");
}
END_TEST

START_TEST(cancelled_glob_cancels_what_it_waits_for)
{
    struct vrpc_call *call;

    call = glob_start("slow", "*");
    world_settle(&W);
    ck_assert_ptr_nonnull(T.g);
    vrpc_call_cancel(call);
    ck_assert(world_until(&W, &T.cancels, SEC));
    ck_assert(world_until(&W, &G.done, SEC));
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    snprintf(T.late, sizeof(T.late), "a");
    T.cancels = 0;
    call = glob_start("a", "*");
    world_settle(&W);
    vrpc_call_cancel(call);
    ck_assert(world_until(&W, &T.cancels, SEC));

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_int_eq(T.releases, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/glob_server");
    TCase *t = tcase_create("glob");

    tcase_add_checked_fixture(t, setup, world_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, star_gives_children);
    tcase_add_test(t, empty_pattern_gives_the_object);
    tcase_add_test(t, ellipsis_walks_the_tree);
    tcase_add_test(t, problems_are_reported_in_the_stream);
    tcase_add_test(t, bad_pattern_fails_the_call);
    tcase_add_test(t, reserved_pattern_without_dispatcher_is_not_implemented);
    tcase_add_test(t, endless_tree_stops_at_ten);
    tcase_add_test(t, wide_directory_streams);
    tcase_add_test(t, object_answers_for_the_whole_pattern_slowly);
    tcase_add_test(t, late_lookup_and_late_children_continue);
    tcase_add_test(t, cancelled_glob_cancels_what_it_waits_for);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
