/* BSD-3-Clause; see LICENSE. */
/* What callers may ask for: options of a call and of its client (19.5). */
#include "echo.h"

static struct result R;

/* ---- granters ------------------------------------------------------------ */

static struct vsec_blessings *Grant, *Grant2;
static int Granted;

static int grant(void *ud, struct v23_op op, struct vrpc_call *c,
    struct vsec_blessings **out)
{
    (void)op;
    Granted++;
    ck_assert_uint_eq(vrpc_call_server_names(c).n, 1);
    ck_assert_uint_gt(vrpc_call_server_key(c).n, 0);
    if (Grant != NULL)
        *out = vsec_blessings_ref(Grant);
    return ud == NULL ? 0 : *(int *)ud;
}

static void bless_someone_as(struct wnode *whom, const char *extension)
{
    v23_security_caveat cav = vsec_caveat_unconstrained();
    struct vsec_bless what;

    memset(&what, 0, sizeof(what));
    what.key = whom->principal->key;
    what.with = vsec_store_default(P.c->principal->store);
    what.extension = vdl_str(extension);
    what.caveats.v = &cav;
    what.caveats.n = 1;
    ck_assert_int_eq(vsec_principal_bless(P.c->principal, &what, &Grant), 0);
}

static void bless_someone(struct wnode *whom)
{
    bless_someone_as(whom, "delegate");
}

static const struct vrpc_granter granter = { grant, NULL };

START_TEST(granted_blessings_arrive)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    const struct vsec_blessings *b;

    bless_someone(P.s);
    o.granters = &granter;
    o.ngranters = 1;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    b = vrpc_server_call_granted(P.echo.waiting);

    ck_assert_ptr_nonnull(b);
    ck_assert(vdl_str_is(vsec_blessings_text(b), "test:client:delegate"));
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, NULL), 0);
    ck_assert(world_until(&W, &R.done, SEC));
    vsec_blessings_unref(Grant);
    Grant = NULL;
}
END_TEST

START_TEST(blessings_granted_to_another_key_are_refused)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct add_in in = { 1, 2 };

    bless_someone(P.c);
    o.granters = &granter;
    o.ngranters = 1;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, VERR "NoAccess");
    ck_assert_int_eq(P.echo.calls, 0);
    vsec_blessings_unref(Grant);
    Grant = NULL;
}
END_TEST

static int grant_more(void *ud, struct v23_op op, struct vrpc_call *c,
    struct vsec_blessings **out)
{
    (void)ud;
    (void)op;
    (void)c;
    *out = vsec_blessings_ref(Grant2);
    return 0;
}

static int grant_nothing(void *ud, struct v23_op op, struct vrpc_call *c,
    struct vsec_blessings **out)
{
    (void)ud;
    (void)op;
    (void)c;
    (void)out;
    return 0;
}

START_TEST(granted_blessings_are_united)
{
    static const struct vrpc_granter all[] = { { grant, NULL },
        { grant_nothing, NULL }, { grant_more, NULL } };
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    const struct vsec_blessings *b;

    bless_someone(P.s);
    Grant2 = Grant;
    Grant = NULL;
    bless_someone_as(P.s, "friend");
    o.granters = all;
    o.ngranters = 3;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    b = vrpc_server_call_granted(P.echo.waiting);

    ck_assert(vdl_str_is(vsec_blessings_text(b),
        "test:client:delegate,test:client:friend"));
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, NULL), 0);
    ck_assert(world_until(&W, &R.done, SEC));
    vsec_blessings_unref(Grant);
    vsec_blessings_unref(Grant2);
    Grant = Grant2 = NULL;
}
END_TEST

START_TEST(grants_for_different_keys_are_not_united)
{
    static const struct vrpc_granter both[] = { { grant, NULL },
        { grant_more, NULL } };
    struct vrpc_call_opts o = opts_now();

    bless_someone(P.c);
    Grant2 = Grant;
    Grant = NULL;
    bless_someone(P.s);
    o.granters = both;
    o.ngranters = 2;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, VERR "NotTrusted");
    ck_assert_int_eq(P.echo.calls, 0);
    vsec_blessings_unref(Grant);
    vsec_blessings_unref(Grant2);
    Grant = Grant2 = NULL;
}
END_TEST

START_TEST(granter_that_fails_ends_with_not_trusted)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct vrpc_granter failing = { grant, NULL };
    int rc = V23_EDENIED;

    failing.ud = &rc;
    o.granters = &failing;
    o.ngranters = 1;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, VERR "NotTrusted");
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("librpc/client_opts");
    TCase *t = tcase_create("client_opts");

    tcase_add_checked_fixture(t, pair_setup, world_teardown);
    tcase_add_test(t, granted_blessings_arrive);
    tcase_add_test(t, blessings_granted_to_another_key_are_refused);
    tcase_add_test(t, granted_blessings_are_united);
    tcase_add_test(t, grants_for_different_keys_are_not_united);
    tcase_add_test(t, granter_that_fails_ends_with_not_trusted);
    suite_add_tcase(s, t);
    return tst_run(s);
}
