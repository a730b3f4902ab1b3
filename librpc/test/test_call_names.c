/* BSD-3-Clause; see LICENSE. */
/* Calls between managers: names, who the server is, resolvers. */
#include "echo.h"

/* ---- names and servers --------------------------------------------------- */

START_TEST(relative_name_without_resolver_is_no_servers)
{
    ck_assert_str_eq(fail_with("some/name", M_WAIT, NULL),
        VERR "NoServers");
}
END_TEST

START_TEST(bad_endpoint_is_no_servers)
{
    ck_assert_str_eq(fail_with("/@6@tcp", M_WAIT, NULL), VERR "NoServers");
}
END_TEST

START_TEST(refused_dial_is_retried_until_the_server_is_there)
{
    struct add_in in = { 1, 2 };
    struct result r;

    P.s->refuses = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    world_sleep(&W, 2 * SEC);
    ck_assert_int_eq(r.done, 0);
    ck_assert_uint_gt(W.ndials, 2);
    P.s->refuses = false;
    ck_assert(world_until(&W, &r.done, 10 * SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 3);
}
END_TEST

START_TEST(retries_end_with_the_connection_timeout)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    int64_t begin = W.now.mono_ns;
    struct result r;

    o.connect_timeout_ns = 5 * SEC;
    P.s->refuses = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 60 * SEC));

    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_int_le(W.now.mono_ns - begin, 5 * SEC);
    ck_assert_int_gt(W.now.mono_ns - begin, 3 * SEC);
}
END_TEST

START_TEST(cached_only_does_not_dial)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct add_in in = { 1, 2 };
    struct result r;

    o.cached_only = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_uint_eq(W.ndials, 0);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

/* Copy of a name with one part replaced. */
static const char *edited(const char *name, const char *what,
    const char *with)
{
    static char out[600];
    const char *at = strstr(name, what);

    ck_assert_ptr_nonnull(at);
    snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - name), name, with,
        at + strlen(what));
    return out;
}

START_TEST(server_with_other_name_is_not_trusted)
{
    ck_assert_str_eq(fail_with(edited(world_name(P.s, ""), "test:server",
        "test:other"), M_WAIT, NULL), VERR "NotTrusted");
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

START_TEST(endpoint_without_names_is_not_trusted)
{
    ck_assert_str_eq(fail_with(edited(world_name(P.s, ""), "test:server", ""),
        M_WAIT, NULL), VERR "NotTrusted");
}
END_TEST

START_TEST(cached_connection_is_authorized_again)
{
    struct add_in in = { 1, 2 };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(fail_with(edited(world_name(P.s, ""), "test:server",
        "test:other"), M_ADD, &in), VERR "NotTrusted");
    ck_assert_int_eq(P.echo.calls, 1);
}
END_TEST

START_TEST(server_authorizer_replaces_the_rule)
{
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 1, 2 };
    struct result r;

    o.server_auth = &vsec_auth_everyone;
    ck_assert_ptr_nonnull(start(P.c, edited(world_name(P.s, ""),
        "test:server", ""), M_ADD, &o, &in, &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(r.id, "");
    o.server_auth = &nobody;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NotTrusted");
}
END_TEST

START_TEST(pattern_in_the_name_must_match_too)
{
    struct add_in in = { 1, 2 };

    ck_assert_str_eq(fail_with(world_name(P.s, "__(test:server)"), M_ADD,
        &in), "");
    ck_assert_str_eq(fail_with(world_name(P.s, "__(test:other)"), M_ADD,
        &in), VERR "NotTrusted");
}
END_TEST

START_TEST(black_hole_does_not_hide_other_servers)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct vdl_str names[2];
    vdl_str_list list = { names, 2 };
    struct add_in in = { 1, 2 };
    struct wnode *hole;
    struct result r;

    ck_assert_int_eq(world_node(&W, "hole", 5, &hole), 0);
    hole->black_hole = true;
    names[0] = vdl_str(world_name(hole, ""));
    names[1] = vdl_str(world_name(P.s, ""));
    o.preresolved = &list;
    ck_assert_ptr_nonnull(start(P.c, "a/name", M_ADD, &o, &in, &stub_plain,
        &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_uint_eq(W.ndials, 2);
}
END_TEST

START_TEST(preresolved_servers_that_fail_report_each)
{
    struct vrpc_call_opts o = opts_now();
    struct vdl_str names[2] = { VDL_STR_INIT("/(x)@nowhere:1"),
        VDL_STR_INIT("/(x)@nowhere:2") };
    vdl_str_list list = { names, 2 };
    struct result r;

    o.preresolved = &list;
    ck_assert_ptr_nonnull(start(P.c, "n", M_WAIT, &o, NULL, &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_ptr_nonnull(strstr(r.msg, "nowhere:1:n.Wait"));
    ck_assert_ptr_nonnull(strstr(r.msg, "nowhere:2:n.Wait"));
    ck_assert_uint_eq(r.nparams, 4);
}
END_TEST

/* ---- resolver ------------------------------------------------------------ */

struct fake {
    int asked, cancelled, flushed;
    struct v23_op op;
    int rc;
    struct vdl_str server;
    bool later;
};

static int fake_resolve(void *ud, struct v23_op op, struct vdl_str name,
    const struct vrpc_call_opts *opts, int64_t deadline, struct v23_arena *a,
    vdl_str_list *servers, const struct v23_verror **err)
{
    struct fake *f = ud;

    (void)opts;
    (void)a;
    (void)err;
    ck_assert(vdl_str_is(name, "some/name"));
    ck_assert_int_gt(deadline, W.now.mono_ns);
    f->asked++;
    f->op = op;
    servers->v = &f->server;
    servers->n = 1;
    return f->later ? V23_EAGAIN : f->rc;
}

static void fake_cancel(void *ud, struct v23_op op)
{
    struct fake *f = ud;

    ck_assert_uint_eq(op.generation, f->op.generation);
    f->cancelled++;
}

static void fake_flush(void *ud, struct vdl_str name)
{
    (void)name;
    ((struct fake *)ud)->flushed++;
}

static struct fake F;
static const struct vrpc_resolver fake = { fake_resolve, fake_cancel,
    fake_flush, &F };

START_TEST(resolver_may_answer_at_once_or_later)
{
    struct add_in in = { 1, 2 };
    struct result r;
    vdl_str_list list = { &F.server, 1 };

    memset(&F, 0, sizeof(F));
    F.server = vdl_str(world_name(P.s, ""));
    vrpc_client_set_resolver(P.c->c, &fake);
    ck_assert_str_eq(fail_with("some/name", M_ADD, &in), "");
    F.later = true;
    ck_assert_ptr_nonnull(start(P.c, "some/name", M_ADD, NULL, &in,
        &stub_plain, &r));
    world_sleep(&W, SEC);
    ck_assert_int_eq(r.done, 0);
    vrpc_client_resolved(P.c->c, F.op, 0, list, NULL);
    vrpc_client_resolved(P.c->c, F.op, 0, list, NULL);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(F.asked, 2);
    ck_assert_int_eq(F.cancelled, 0);
}
END_TEST

START_TEST(resolver_is_not_asked_for_what_is_resolved)
{
    struct add_in in = { 1, 2 };

    memset(&F, 0, sizeof(F));
    vrpc_client_set_resolver(P.c->c, &fake);
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &in), "");
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &in), "");

    ck_assert_int_eq(F.asked, 0);
}
END_TEST

START_TEST(missing_name_is_asked_for_again)
{
    struct add_in in = { 1, 2 };
    struct result r;

    memset(&F, 0, sizeof(F));
    F.rc = V23_ENONAME;
    F.server = vdl_str(world_name(P.s, ""));
    vrpc_client_set_resolver(P.c->c, &fake);
    ck_assert_ptr_nonnull(start(P.c, "some/name", M_ADD, NULL, &in,
        &stub_plain, &r));
    world_sleep(&W, SEC);
    ck_assert_int_gt(F.asked, 1);
    F.rc = 0;
    ck_assert(world_until(&W, &r.done, 10 * SEC));

    ck_assert_str_eq(r.id, "");
}
END_TEST

START_TEST(other_resolver_errors_are_final)
{
    static const struct { int rc; const char *id; } cases[] = {
        { V23_ENOENT, VERR "NoServers" },
        { V23_ETIMEOUT, VERR "Timeout" },
        { V23_EDEPTH, VERR "NoServers" },
    };
    struct result r;
    size_t i;

    memset(&F, 0, sizeof(F));
    vrpc_client_set_resolver(P.c->c, &fake);
    for (i = 0; i < 3; i++) {
        F.rc = cases[i].rc;
        F.asked = 0;
        ck_assert_ptr_nonnull(start(P.c, "some/name", M_WAIT, NULL, NULL,
            &stub_plain, &r));
        ck_assert(world_until(&W, &r.done, SEC));
        ck_assert_str_eq(r.id, cases[i].id);
        ck_assert_int_eq(F.asked, 1);
    }
}
END_TEST

START_TEST(unreachable_servers_flush_the_cache)
{
    struct vrpc_call_opts o = opts_now();
    struct result r;

    memset(&F, 0, sizeof(F));
    F.server = vdl_str("/(x)@nowhere:1");
    vrpc_client_set_resolver(P.c->c, &fake);
    ck_assert_ptr_nonnull(start(P.c, "some/name", M_WAIT, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_int_eq(F.flushed, 1);
}
END_TEST

START_TEST(cancel_while_resolving_cancels_the_resolver)
{
    struct vrpc_call *call;
    struct result r;

    memset(&F, 0, sizeof(F));
    F.later = true;
    vrpc_client_set_resolver(P.c->c, &fake);
    call = start(P.c, "some/name", M_WAIT, NULL, NULL, &stub_plain, &r);
    vrpc_call_cancel(call);
    ck_assert_int_eq(r.done, 0);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "Canceled");
    ck_assert_int_eq(F.cancelled, 1);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, relative_name_without_resolver_is_no_servers);
    tcase_add_test(t, bad_endpoint_is_no_servers);
    tcase_add_test(t, refused_dial_is_retried_until_the_server_is_there);
    tcase_add_test(t, retries_end_with_the_connection_timeout);
    tcase_add_test(t, cached_only_does_not_dial);
    tcase_add_test(t, server_with_other_name_is_not_trusted);
    tcase_add_test(t, endpoint_without_names_is_not_trusted);
    tcase_add_test(t, cached_connection_is_authorized_again);
    tcase_add_test(t, server_authorizer_replaces_the_rule);
    tcase_add_test(t, pattern_in_the_name_must_match_too);
    tcase_add_test(t, black_hole_does_not_hide_other_servers);
    tcase_add_test(t, preresolved_servers_that_fail_report_each);
    tcase_add_test(t, resolver_may_answer_at_once_or_later);
    tcase_add_test(t, resolver_is_not_asked_for_what_is_resolved);
    tcase_add_test(t, missing_name_is_asked_for_again);
    tcase_add_test(t, other_resolver_errors_are_final);
    tcase_add_test(t, unreachable_servers_flush_the_cache);
    tcase_add_test(t, cancel_while_resolving_cancels_the_resolver);
}

int main(void)
{
    return tst_run_case("librpc/call_names", add, pair_setup, world_teardown);
}
