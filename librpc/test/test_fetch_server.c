/* BSD-3-Clause; see LICENSE. */
/*
 * Discharges that a server fetches for its own blessings (spec/security.md 8.5,
 * spec/rpc.md 8.5).
 */
#include "office.h"

static struct result R;

static const char *add_result(void)
{
    struct add_in in = { 1, 2 };

    return fail_with(world_name(P.s, ""), M_ADD, &in);
}

START_TEST(server_presents_its_own_discharges)
{
    O.life = 1000 * SEC;
    bless_with_third_party(P.s);
    world_settle(&W);
    ck_assert_int_eq(O.asked, 1);
    ck_assert_str_eq(add_result(), "");
    world_sleep(&W, 600 * SEC); /* fetched again at half its life */
    ck_assert_int_eq(O.asked, 2);
}
END_TEST

START_TEST(renewed_discharges_reach_live_connections)
{
    size_t dials;
    int i;

    O.life = 100 * SEC;
    bless_with_third_party(P.s);
    world_settle(&W);
    ck_assert_str_eq(add_result(), "");
    dials = W.ndials;
    for (i = 0; i < 5; i++) {
        world_sleep(&W, 70 * SEC);
        ck_assert_str_eq(add_result(), "");
    }
    ck_assert_int_ge(O.asked, 6);
    ck_assert_uint_eq(W.ndials, dials);
    O.refuses = true;
    world_sleep(&W, 120 * SEC); /* they have expired */
    ck_assert_str_eq(add_result(), VERR "NotTrusted");
}
END_TEST

START_TEST(failed_fetch_of_own_discharges_is_repeated)
{
    O.refuses = true;
    bless_with_third_party(P.s);
    world_settle(&W);
    ck_assert_int_eq(O.asked, 1);
    O.refuses = false;
    world_sleep(&W, 61 * SEC);

    ck_assert_int_eq(O.asked, 2);
    ck_assert_str_eq(add_result(), "");
}
END_TEST

START_TEST(first_connections_wait_for_the_discharges)
{
    struct add_in in = { 1, 2 };

    O.mute = true;
    bless_with_third_party(P.s);
    world_settle(&W);
    ck_assert_int_eq(O.asked, 1);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &R));
    world_sleep(&W, 2 * SEC);
    ck_assert_int_eq(R.done, 0);
    if (_i == 0) {
        reply_with_discharge(&O);
        ck_assert(world_until(&W, &R.done, SEC));
        ck_assert_str_eq(R.id, "");
        return;
    }
    world_sleep(&W, 4 * SEC); /* not for ever */
    ck_assert_int_eq(R.done, 1);
    ck_assert_str_eq(R.id, VERR "NotTrusted");
    ck_assert_int_eq(vrpc_server_call_reply(O.waiting, refusal(O.waiting),
        NULL), 0);
}
END_TEST

START_TEST(a_server_that_just_started_has_its_discharges)
{
    struct add_in in = { 1, 2 };

    bless_with_third_party(P.s);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_str_eq(R.id, "");
}
END_TEST

/* A server dials another one, which calls back on that connection. */
START_TEST(calls_back_wait_for_the_discharges)
{
    struct vrpc_call_opts plain = VRPC_CALL_OPTS_INIT;
    struct add_in in = { 1, 2 };
    struct result there;
    struct wnode *peer;
    struct echo echo;
    size_t dials;

    memset(&echo, 0, sizeof(echo));
    ck_assert_int_eq(world_node(&W, "peer", 66, &peer), 0);
    ck_assert_int_eq(serve(peer, &echo, &vsec_auth_everyone), 0);
    bless_with_third_party(peer);
    O.mute = true;
    plain.no_discharges = true;
    ck_assert_ptr_nonnull(start(peer, world_name(P.s, ""), M_ADD, &plain,
        &in, &stub_plain, &there));
    ck_assert(world_until(&W, &there.done, 30 * SEC));
    ck_assert_str_eq(there.id, "");
    dials = W.ndials;
    ck_assert_ptr_nonnull(start(P.s, world_name(peer, ""), M_ADD, NULL, &in,
        &stub_plain, &R));
    world_settle(&W);
    ck_assert_int_eq(R.done, 0);
    if (_i == 0) {
        O.mute = false;
        ck_assert_int_eq(vrpc_server_call_reply(O.waiting, refusal(O.waiting),
            NULL), 0);
        ck_assert(world_until(&W, &R.done, SEC));
        ck_assert_str_eq(R.id, VERR "NotTrusted");
    } else if (_i == 1) {
        reply_with_discharge(&O);
        ck_assert(world_until(&W, &R.done, SEC));
        ck_assert_str_eq(R.id, "");
    } else { /* nothing else to wait for */
        world_cut(world_link_of(&W, P.s));
        ck_assert(world_until(&W, &R.done, 100 * SEC));
    }
    ck_assert_int_eq(echo.calls, _i == 1);
    ck_assert(_i == 2 || W.ndials == dials);
}
END_TEST

START_TEST(new_default_blessings_reach_live_connections)
{
    v23_security_caveat cav = vsec_caveat_unconstrained();
    struct vsec_blessings *b;
    struct add_in in = { 1, 2 };
    char name[512], *at;

    ck_assert_str_eq(add_result(), "");
    b = blessed(P.s, "renamed", &cav);
    ck_assert_int_eq(vsec_principal_set_default_blessings(P.s->principal, b),
        0);
    vsec_blessings_unref(b);
    world_settle(&W);
    snprintf(name, sizeof(name), "%s", world_name(P.s, ""));
    at = strstr(name, "test:server");
    memmove(at + 12, at + 11, strlen(at + 11) + 1);
    memcpy(at, "test:renamed", 12);

    ck_assert_str_eq(fail_with(name, M_ADD, &in), "");
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

START_TEST(another_client_may_fetch)
{
    vrpc_manager_fetch_by(P.s->m, P.c->c);
    bless_with_third_party(P.s);
    world_settle(&W);
    ck_assert_int_eq(O.asked, 1);
    ck_assert_str_eq(add_result(), "");

    /* The server may go while its question is under way. */
    O.mute = true;
    bless_with_third_party(P.s);
    world_settle(&W);
    ck_assert_int_eq(O.asked, 2);
    world_node_fini(P.s);
    world_settle(&W);
    ck_assert_int_eq(vrpc_server_call_reply(O.waiting, NULL, NULL),
        V23_ECLOSED);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, server_presents_its_own_discharges);
    tcase_add_test(t, renewed_discharges_reach_live_connections);
    tcase_add_test(t, failed_fetch_of_own_discharges_is_repeated);
    tcase_add_loop_test(t, first_connections_wait_for_the_discharges, 0, 2);
    tcase_add_test(t, a_server_that_just_started_has_its_discharges);
    tcase_add_loop_test(t, calls_back_wait_for_the_discharges, 0, 3);
    tcase_add_test(t, new_default_blessings_reach_live_connections);
    tcase_add_test(t, another_client_may_fetch);
}

int main(void)
{
    return tst_run_case("librpc/fetch_server", add, setup, teardown);
}
