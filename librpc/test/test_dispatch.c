/* BSD-3-Clause; see LICENSE. */
/* Dispatchers in front of others, and permissions by the tags of methods. */
#include <v23/vdl/v.io/v23/security/access/access.vdl.h>
#include <vrpc/dispatch.h>
#include <vsec/acl.h>

#include "globbed.h"

static struct {
    char suffix[64];
    int lookups, cancels, releases;
    bool later;
    struct v23_op op;
} D;

static int lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    (void)ud;
    (void)a;
    (void)err;
    D.lookups++;
    D.op = op;
    snprintf(D.suffix, sizeof(D.suffix), "%.*s", (int)suffix.n, suffix.p);
    obj->iface = &echo_iface;
    obj->self = &P.echo;
    *auth = &vsec_auth_everyone;
    return D.later ? V23_EAGAIN : 0;
}

static void cancel(void *ud, struct v23_op op)
{
    (void)ud;
    ck_assert_uint_eq(op.generation, D.op.generation);
    D.cancels++;
}

static void release(void *ud, const struct vrpc_object *obj)
{
    (void)ud;
    ck_assert_ptr_eq(obj->iface, &echo_iface);
    D.releases++;
}

static const struct vrpc_dispatcher inner = { lookup, cancel, release, NULL };
static struct vrpc_dispatch Wrap;

static void setup(void)
{
    world_setup();
    memset(&P, 0, sizeof(P));
    memset(&D, 0, sizeof(D));
    memset(&Wrap, 0, sizeof(Wrap));
    Wrap.to = &inner;
    ck_assert_int_eq(world_node(&W, "client", 0, &P.c), 0);
    ck_assert_int_eq(world_node(&W, "server", 77, &P.s), 0);
}

static void serve_dispatcher(const struct vrpc_dispatcher *d)
{
    struct vrpc_server_config sc;

    memset(&sc, 0, sizeof(sc));
    sc.dispatcher = d;
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &P.s->s), 0);
}

static void serve_at(const char *at, const char *root)
{
    Wrap.at = vdl_str(at);
    Wrap.root = vdl_str(root);
    ck_assert_int_eq(vrpc_dispatch_init(&Wrap), 0);
    serve_dispatcher(&Wrap.d);
}

static const char *add_at(const char *suffix)
{
    struct add_in in = { 1, 2 };

    return fail_with(world_name(P.s, suffix), M_ADD, &in);
}

/* ---- names --------------------------------------------------------------- */

static const struct {
    const char *at, *root, *suffix, *becomes; /* NULL: unknown */
} places[] = {
    { "", "", "x/y", "x/y" },
    { "a", "", "a/b", "b" },
    { "a", "", "a", "" },
    { "a", "", "ab", NULL },
    { "a", "", "b", NULL },
    { "a/b", "", "a/b/c/d", "c/d" },
    { "a/b", "", "a/c", NULL },
    { "", "jail", "x", "jail/x" },
    { "", "jail", "", "jail" },
    { "a", "jail/cell", "a/x", "jail/cell/x" },
};

START_TEST(names_are_moved)
{
    serve_at(places[_i].at, places[_i].root);

    ck_assert_str_eq(add_at(places[_i].suffix),
        places[_i].becomes == NULL ? VERR "UnknownSuffix" : "");

    if (places[_i].becomes != NULL)
        ck_assert_str_eq(D.suffix, places[_i].becomes);
    ck_assert_int_eq(D.lookups, places[_i].becomes != NULL);
    ck_assert_int_eq(D.releases, D.lookups);
}
END_TEST

START_TEST(root_cannot_be_left)
{
    serve_at("", "jail");

    ck_assert_str_eq(add_at("../x"), "");

    ck_assert_str_eq(D.suffix, "jail/../x"); /* names have no ".." */
}
END_TEST

START_TEST(leaf_has_nothing_below)
{
    Wrap.leaf = true;
    serve_at("a", "");

    ck_assert_str_eq(add_at("a/b"), VERR "UnknownSuffix");
    ck_assert_int_eq(D.lookups, 0);
    ck_assert_str_eq(add_at("a"), "");
}
END_TEST

START_TEST(wrappers_may_be_wrapped)
{
    static struct vrpc_dispatch outer;

    Wrap.at = vdl_str("b");
    ck_assert_int_eq(vrpc_dispatch_init(&Wrap), 0);
    outer.to = &Wrap.d;
    outer.at = vdl_str("a");
    ck_assert_int_eq(vrpc_dispatch_init(&outer), 0);
    serve_dispatcher(&outer.d);

    ck_assert_str_eq(add_at("a/b/c"), "");
    ck_assert_str_eq(D.suffix, "c");
    ck_assert_str_eq(add_at("b/c"), VERR "UnknownSuffix");
}
END_TEST

START_TEST(late_lookup_is_cancelled_inside)
{
    struct add_in in = { 1, 2 };
    struct vrpc_call *c;
    struct result r;

    D.later = true;
    serve_at("a", "");
    c = start(P.c, world_name(P.s, "a/b"), M_ADD, NULL, &in, &stub_plain, &r);
    ck_assert(world_until(&W, &D.lookups, SEC));
    vrpc_call_cancel(c);

    ck_assert(world_until(&W, &D.cancels, SEC));
}
END_TEST

START_TEST(slashes_at_the_ends_are_refused)
{
    static const char *const bad[] = { "/a", "a/", "/" };
    struct vrpc_dispatch d;
    size_t i;

    memset(&d, 0, sizeof(d));
    ck_assert_int_eq(vrpc_dispatch_init(&d), V23_EARG);
    for (i = 0; i < 3; i++) {
        d.to = &inner;
        d.at = vdl_str(bad[i]);
        d.root = vdl_str("");
        ck_assert_int_eq(vrpc_dispatch_init(&d), V23_EARG);
        d.root = d.at;
        d.at = vdl_str("");
        ck_assert_int_eq(vrpc_dispatch_init(&d), V23_EARG);
    }
}
END_TEST

/* ---- globs --------------------------------------------------------------- */

START_TEST(place_is_found_by_globs)
{
    serve_at("a/b", "");

    ck_assert_str_eq(glob("", "*"), "a\n");
    ck_assert_str_eq(glob("", "x*"), "");
    ck_assert_str_eq(glob("a", "*"), "b leaf\n");
    ck_assert_str_eq(glob("", "..."), "\na\na/b leaf\n");
    ck_assert_int_eq(D.releases, D.lookups);
}
END_TEST

/* ---- permissions --------------------------------------------------------- */

/* Two methods of the echo interface under tags of access.Tag. */
static const struct vdl_str read_tag = VDL_STR_INIT("Read"),
                            admin_tag = VDL_STR_INIT("Admin");
static const struct vdl_any tags_of[] = {
    { &v23_access_tag_desc, (void *)(uintptr_t)&read_tag },
    { &v23_access_tag_desc, (void *)(uintptr_t)&admin_tag },
};
static struct vrpc_method tagged[2];
static struct vrpc_iface tagged_iface;

static void serve_tagged(const struct vsec_authorizer *auth)
{
    struct vrpc_server_config sc;

    tagged[0] = echo_methods[M_ADD];
    tagged[0].tags = &tags_of[0];
    tagged[0].ntags = 1;
    tagged[1] = echo_methods[M_FAIL];
    tagged[1].tags = &tags_of[1];
    tagged[1].ntags = 1;
    tagged_iface = echo_iface;
    tagged_iface.methods = tagged;
    tagged_iface.nmethods = 2;
    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &tagged_iface;
    sc.object.self = &P.echo;
    sc.authorizer = auth;
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &P.s->s), 0);
}

static const struct {
    const char *json, *add, *fail;
} perms[] = {
    { "{\"Read\":{\"In\":[\"test:client\"]}}", "", VERR "NoAccess" },
    { "{\"Admin\":{\"In\":[\"test\"]}}", VERR "NoAccess", "" },
    { "{\"Read\":{\"In\":[\"test\"],\"NotIn\":[\"test:client\"]},"
      "\"Admin\":{\"In\":[\"...\"]}}", VERR "NoAccess", "" },
    { "{\"Write\":{\"In\":[\"...\"]}}", VERR "NoAccess", VERR "NoAccess" },
};

START_TEST(permissions_are_by_tag)
{
    struct vsec_auth_perms ap = { NULL, NULL };
    struct text kind = { VDL_STR_INIT("nothing") };
    v23_access_permissions p;
    struct vsec_authorizer auth;
    struct add_in in = { 1, 2 };
    struct v23_arena a;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ck_assert_int_eq(vsec_perms_from_json(v23_bytes(perms[_i].json,
                         strlen(perms[_i].json)), &a, &p, NULL), 0);
    ap.perms = &p;
    auth = vsec_auth_perms(&ap);
    serve_tagged(&auth);

    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &in),
        perms[_i].add);
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_FAIL, &kind),
        perms[_i].fail);

    ck_assert_int_eq(P.echo.calls,
        (perms[_i].add[0] == 0) + (perms[_i].fail[0] == 0));
    v23_arena_fini(&a);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, names_are_moved, 0,
        (int)(sizeof(places) / sizeof(places[0])));
    tcase_add_test(t, root_cannot_be_left);
    tcase_add_test(t, leaf_has_nothing_below);
    tcase_add_test(t, wrappers_may_be_wrapped);
    tcase_add_test(t, late_lookup_is_cancelled_inside);
    tcase_add_test(t, slashes_at_the_ends_are_refused);
    tcase_add_test(t, place_is_found_by_globs);
    tcase_add_loop_test(t, permissions_are_by_tag, 0,
        (int)(sizeof(perms) / sizeof(perms[0])));
}

int main(void)
{
    return tst_run_case("librpc/dispatch", add, setup, world_teardown);
}
