/* BSD-3-Clause; see LICENSE. */
/* Discharges fetched for calls (spec/security.md 8.5, spec/rpc.md 8.5). */
#include "office.h"

static struct office O2;
static struct result R;

/* A Wait call that is held at the server. */
static struct vrpc_server_call *reach(void)
{
    P.echo.calls = 0;
    P.echo.waiting = NULL;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, 100 * SEC));
    return P.echo.waiting;
}

static void leave(void)
{
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, NULL), 0);
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_str_eq(R.id, "");
}

/* How many of the client's names are good in a call made now? */
static uint32_t names_now(void)
{
    uint32_t n = vrpc_server_call_remote_names(reach()).n;

    leave();
    return n;
}

START_TEST(call_brings_its_discharge)
{
    struct vrpc_server_call *c;

    bless_with_third_party(P.c);
    c = reach();

    ck_assert_uint_eq(vrpc_server_call_discharges(c), 1);
    ck_assert_uint_eq(vrpc_server_call_remote_names(c).n, 1);
    ck_assert(vdl_str_is(vrpc_server_call_remote_names(c).v[0],
        "test:client"));
    /* Once: the call to the office went without a discharge. */
    ck_assert_int_eq(O.asked, 1);
    ck_assert_uint_eq(O.server_names, 1);
    ck_assert_str_eq(O.method, "Wait");
    ck_assert_uint_eq(O.nargs, 0);
    leave();
}
END_TEST

START_TEST(only_what_is_required_is_reported)
{
    v23_security_caveat cav = third_party(&O, 0);
    struct add_in in = { 1, 2 };

    use(P.c, &cav);
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &in), "");

    ck_assert_int_eq(O.asked, 1);
    ck_assert_uint_eq(O.server_names, 0);
    ck_assert_str_eq(O.method, "");
    ck_assert_uint_eq(O.nargs, 0);
    ck_assert_uint_eq(names_now(), 1); /* any method */
    ck_assert_int_eq(O.asked, 1);
}
END_TEST

START_TEST(reported_arguments_are_never_cached)
{
    v23_security_caveat cav = third_party(&O, ARGUMENTS);
    struct add_in in = { 1, 2 };
    int i;

    use(P.c, &cav);
    for (i = 1; i <= 2; i++) {
        ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &in), "");
        ck_assert_int_eq(O.asked, i);
        ck_assert_uint_eq(O.nargs, 2);
    }
}
END_TEST

START_TEST(a_caveat_of_two_chains_is_discharged_once)
{
    v23_security_caveat cav = third_party(&O, 0);
    struct vsec_blessings *pair[2], *both;

    pair[0] = blessed(P.c, "a", &cav);
    pair[1] = blessed(P.c, "b", &cav);
    ck_assert_int_eq(vsec_blessings_union(pair, 2, &both), 0);
    ck_assert_int_eq(vsec_principal_set_default_blessings(P.c->principal,
        both), 0);
    ck_assert_uint_eq(names_now(), 2);
    ck_assert_int_eq(O.asked, 1);
    vsec_blessings_unref(pair[0]);
    vsec_blessings_unref(pair[1]);
    vsec_blessings_unref(both);
}
END_TEST

START_TEST(refused_discharge_does_not_end_the_call)
{
    struct vrpc_server_call *c;

    bless_with_third_party(P.c);
    O.refuses = true;
    c = reach();

    ck_assert_uint_eq(vrpc_server_call_discharges(c), 0);
    ck_assert_uint_eq(vrpc_server_call_remote_names(c).n, 0);
    ck_assert_uint_eq(vrpc_server_call_rejected(c).n, 1);
    leave();
}
END_TEST

START_TEST(discharge_of_another_caveat_is_not_taken)
{
    v23_security_caveat cav = third_party(&O, 0), other = third_party(&O, 0);

    use(P.c, &cav);
    O.other = &other;
    ck_assert_uint_eq(names_now(), 0);
    O.other = NULL;
    ck_assert_uint_eq(names_now(), 1);
    ck_assert_int_eq(O.asked, 2);
}
END_TEST

START_TEST(no_discharges_option_asks_nobody)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;

    bless_with_third_party(P.c);
    o.no_discharges = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));

    ck_assert_int_eq(O.asked, 0);
    ck_assert_uint_eq(vrpc_server_call_discharges(P.echo.waiting), 0);
    leave();
}
END_TEST

START_TEST(cancelled_call_gives_up_the_fetch)
{
    struct vrpc_call *call;

    bless_with_third_party(P.c);
    O.n->black_hole = true;
    call = start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL, &stub_plain,
        &R);
    world_sleep(&W, SEC);
    ck_assert_int_eq(R.done, 0);
    vrpc_call_cancel(call);
    ck_assert(world_until(&W, &R.done, SEC));
    world_settle(&W);

    ck_assert_str_eq(R.id, VERR "Canceled");
    ck_assert_uint_eq(vrpc_client_ncalls(P.c->c), 0);
}
END_TEST

/* ---- the cache ----------------------------------------------------------- */

START_TEST(discharge_is_cached_until_half_its_life)
{
    v23_security_caveat cav = third_party(&O, _i < 2 ? 0 : SERVER);

    use(P.c, &cav);
    O.life = _i % 2 == 0 ? 100 * SEC : 3 * SEC / 2;
    ck_assert_uint_eq(names_now(), 1);
    world_sleep(&W, O.life / 2 - V23_NS_PER_MS);
    ck_assert_uint_eq(names_now(), 1);
    ck_assert_int_eq(O.asked, 1);
    world_sleep(&W, V23_NS_PER_MS);
    ck_assert_uint_eq(names_now(), 1);

    ck_assert_int_eq(O.asked, 2);
}
END_TEST

START_TEST(discharge_of_unknown_age_is_good_until_a_minute_before)
{
    const struct v23_walltime unknown = { -V23_TIME_UNIX_EPOCH, 0 };
    v23_security_caveat cav = third_party(&O, 0), until;
    v23_security_discharge_impetus none;
    v23_security_caveat_list list = { &until, 1 };
    struct vsec_discharge *d;

    use(P.c, &cav);
    memset(&none, 0, sizeof(none));
    ck_assert_int_eq(vsec_caveat_expiry(&A,
        v23_walltime_add(W.now.wall, 1000 * SEC), &until), 0);
    ck_assert_int_eq(vsec_principal_mint_discharge(O.n->principal, &cav, list,
        &d), 0);
    ck_assert_int_eq(vsec_store_cache_discharge(P.c->principal->store, d,
        &cav, &none, unknown), 0);
    vsec_discharge_unref(d);
    world_sleep(&W, 939 * SEC);
    ck_assert_uint_eq(names_now(), 1);
    ck_assert_int_eq(O.asked, 0);
    world_sleep(&W, 2 * SEC);
    ck_assert_uint_eq(names_now(), 1);
    ck_assert_int_eq(O.asked, 1);
}
END_TEST

START_TEST(discharge_without_expiry_is_never_replaced)
{
    v23_security_caveat cav = third_party(&O, _i == 0 ? 0 : METHOD);

    use(P.c, &cav);
    ck_assert_uint_eq(names_now(), 1);
    world_sleep(&W, INT64_C(100) * 86400 * SEC);
    ck_assert_uint_eq(names_now(), 1);

    ck_assert_int_eq(O.asked, 1);
}
END_TEST

START_TEST(stale_discharge_is_kept_when_there_is_no_better)
{
    v23_security_caveat cav = third_party(&O, _i == 0 ? 0 : METHOD);

    use(P.c, &cav);
    O.life = 100 * SEC;
    ck_assert_uint_eq(names_now(), 1);
    world_sleep(&W, 60 * SEC);
    O.refuses = true;
    ck_assert_uint_eq(names_now(), 1);
    ck_assert_int_eq(O.asked, 2);
    world_sleep(&W, 50 * SEC); /* it has expired */
    ck_assert_uint_eq(names_now(), 0);
}
END_TEST

/* A call does not wait long for something better than what it has. */
START_TEST(silent_discharger_delays_calls_a_little)
{
    int64_t before;

    bless_with_third_party(P.c);
    O.life = 100 * SEC;
    ck_assert_uint_eq(names_now(), 1);
    world_sleep(&W, 60 * SEC);
    O.mute = true;
    before = W.now.mono_ns;
    ck_assert_uint_eq(names_now(), 1);
    ck_assert_int_gt(W.now.mono_ns, before);
    ck_assert_int_le(W.now.mono_ns, before + 5 * SEC);
    ck_assert_int_eq(vrpc_server_call_reply(O.waiting, NULL, NULL),
        V23_ECLOSED);
}
END_TEST

/* Nor does it spend all its time on it: the server says what is missing. */
START_TEST(silent_discharger_leaves_the_call_its_time)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    int64_t before = W.now.mono_ns;

    bless_with_third_party(P.c);
    O.mute = true;
    if (_i == 0)
        o.timeout_ns = 4 * SEC;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, 100 * SEC));
    ck_assert_int_le(W.now.mono_ns, before + (_i == 0 ? 2 : 10) * SEC);
    ck_assert_uint_eq(vrpc_server_call_rejected(P.echo.waiting).n, 1);
    leave();
    ck_assert_int_eq(vrpc_server_call_reply(O.waiting, NULL, NULL),
        V23_ECLOSED);
}
END_TEST

START_TEST(refusal_of_the_server_forgets_the_discharge)
{
    v23_security_caveat cav = third_party(&O, _i == 0 ? 0 : METHOD);

    use(P.c, &cav);
    ck_assert_uint_eq(names_now(), 1);
    ck_assert_int_eq(O.asked, 1);
    vrpc_server_free(P.s->s);
    ck_assert_int_eq(serve(P.s, &P.echo, &nobody), 0);
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_WAIT, NULL),
        VERR "NoAccess");
    ck_assert_int_eq(O.asked, 1);
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_WAIT, NULL),
        VERR "NoAccess");
    ck_assert_int_eq(O.asked, 2);
}
END_TEST

/* ---- several dischargers ------------------------------------------------- */

static int clients_only(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    uint32_t i;

    (void)ud;
    (void)a;
    (void)wait;
    (void)err;
    for (i = 0; i < call->names->remote.n; i++)
        if (vdl_str_is(call->names->remote.v[i], "test:member"))
            return 0;
    return V23_EDENIED;
}
static const struct vsec_authorizer members = { clients_only, NULL, NULL };

/* The second discharger serves members, and who is one needs a discharge of
 * the first. */
START_TEST(rounds_go_on_while_they_get_something)
{
    v23_security_caveat first, second;
    struct vsec_blessings *member, *phone;
    struct vsec_store *store = P.c->principal->store;

    open_office(&O2, "second", 56, &members);
    first = third_party(&O, 0);
    second = third_party(&O2, 0);
    member = blessed(P.c, "member", &first);
    phone = blessed(P.c, "phone", &second);
    ck_assert_int_eq(vsec_store_set(store, member, vdl_str("..."), NULL), 0);
    ck_assert_int_eq(vsec_store_set(store, phone, vdl_str("test:server"),
        NULL), 0);
    ck_assert_uint_eq(names_now(), 2);
    ck_assert_int_eq(O.asked, 1);
    ck_assert_int_eq(O2.asked, 1);

    /* Nothing is got any more: no endless rounds. */
    O.refuses = true;
    world_sleep(&W, SEC);
    ck_assert_int_eq(vsec_store_clear_discharges(store, NULL, 0), 0);
    ck_assert_uint_eq(names_now(), 2);
    ck_assert_int_eq(O.asked, 1);
    vsec_blessings_unref(member);
    vsec_blessings_unref(phone);
}
END_TEST

START_TEST(rounds_end_when_nothing_is_got)
{
    v23_security_caveat both[2];
    v23_security_caveat_list list = { both, 2 };
    struct vsec_blessings *b;
    struct vsec_bless what;

    open_office(&O2, "second", 56, &vsec_auth_everyone);
    both[0] = third_party(&O, 0);
    both[1] = third_party(&O2, 0);
    memset(&what, 0, sizeof(what));
    what.key = P.c->principal->key;
    what.with = W.root_b;
    what.extension = vdl_str("client");
    what.caveats = list;
    ck_assert_int_eq(vsec_principal_bless(W.root, &what, &b), 0);
    ck_assert_int_eq(vsec_principal_set_default_blessings(P.c->principal, b),
        0);
    vsec_blessings_unref(b);
    O.refuses = true;
    ck_assert_uint_eq(names_now(), 0);
    ck_assert_int_eq(O.asked, 2); /* again after the other one was got */
    ck_assert_int_eq(O2.asked, 1);
    ck_assert_uint_eq(names_now(), 0);
    ck_assert_int_eq(O.asked, 3); /* the other one is in the cache */
}
END_TEST

START_TEST(dischargers_are_asked_at_the_same_time)
{
    v23_security_caveat first, second;
    struct vsec_blessings *pair[2], *both;

    open_office(&O2, "second", 56, &vsec_auth_everyone);
    first = third_party(&O, 0);
    second = third_party(&O2, 0);
    pair[0] = blessed(P.c, "a", &first);
    pair[1] = blessed(P.c, "b", &second);
    ck_assert_int_eq(vsec_blessings_union(pair, 2, &both), 0);
    ck_assert_int_eq(vsec_principal_set_default_blessings(P.c->principal,
        both), 0);
    O.mute = O2.mute = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &R));
    world_settle(&W);
    ck_assert_int_eq(O.asked, 1);
    ck_assert_int_eq(O2.asked, 1);
    O.mute = O2.mute = false;
    ck_assert_int_eq(vrpc_server_call_reply(O.waiting, refusal(O.waiting),
        NULL), 0);
    ck_assert_int_eq(vrpc_server_call_reply(O2.waiting, refusal(O2.waiting),
        NULL), 0);
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    leave();
    vsec_blessings_unref(pair[0]);
    vsec_blessings_unref(pair[1]);
    vsec_blessings_unref(both);
}
END_TEST

START_TEST(discharges_may_need_discharges)
{
    v23_security_caveat cav, nested;
    struct vrpc_server_call *c;

    open_office(&O2, "second", 56, &vsec_auth_everyone);
    cav = third_party(&O, 0);
    nested = third_party(&O2, METHOD);
    use(P.c, &cav);
    O.nested = &nested;
    c = reach();
    ck_assert_uint_eq(vrpc_server_call_discharges(c), 2);
    ck_assert_uint_eq(vrpc_server_call_remote_names(c).n, 1);
    ck_assert_str_eq(O2.method, "Wait");
    leave();
    ck_assert_uint_eq(names_now(), 1); /* from the cache, both */
    ck_assert_int_eq(O.asked, 1);
    ck_assert_int_eq(O2.asked, 1);
}
END_TEST

/* ---- connections that live long ------------------------------------------ */

/* Every switch of the method needs a key of the connection. */
START_TEST(connections_are_replaced_before_their_keys_are_used_up)
{
    struct add_in in = { 1, 2 };
    struct text text = { VDL_STR_INIT("hi") };
    size_t dials = 0;
    int i;

    bless_with_third_party(P.c);
    O.life = 100000 * SEC;
    for (i = 0; i < 1000; i++) {
        if (i == 1)
            world_sleep(&W, SEC); /* another discharge, not the same again */
        ck_assert_str_eq(fail_with(world_name(P.s, ""),
            i % 2 == 0 ? M_ADD : M_ECHO,
            i % 2 == 0 ? (void *)&in : &text), "");
        if (i == 1)
            dials = W.ndials;
    }
    ck_assert_int_eq(O.asked, 2);
    ck_assert_uint_eq(W.ndials, dials + 1);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, call_brings_its_discharge);
    tcase_add_test(t, only_what_is_required_is_reported);
    tcase_add_test(t, reported_arguments_are_never_cached);
    tcase_add_test(t, a_caveat_of_two_chains_is_discharged_once);
    tcase_add_test(t, refused_discharge_does_not_end_the_call);
    tcase_add_test(t, discharge_of_another_caveat_is_not_taken);
    tcase_add_test(t, no_discharges_option_asks_nobody);
    tcase_add_test(t, cancelled_call_gives_up_the_fetch);
    tcase_add_loop_test(t, discharge_is_cached_until_half_its_life, 0, 4);
    tcase_add_test(t, discharge_of_unknown_age_is_good_until_a_minute_before);
    tcase_add_loop_test(t, discharge_without_expiry_is_never_replaced, 0, 2);
    tcase_add_loop_test(t, stale_discharge_is_kept_when_there_is_no_better, 0,
        2);
    tcase_add_test(t, silent_discharger_delays_calls_a_little);
    tcase_add_loop_test(t, silent_discharger_leaves_the_call_its_time, 0, 2);
    tcase_add_loop_test(t, refusal_of_the_server_forgets_the_discharge, 0, 2);
    tcase_add_test(t, rounds_go_on_while_they_get_something);
    tcase_add_test(t, rounds_end_when_nothing_is_got);
    tcase_add_test(t, dischargers_are_asked_at_the_same_time);
    tcase_add_test(t, discharges_may_need_discharges);
    tcase_add_test(t, connections_are_replaced_before_their_keys_are_used_up);
}

int main(void)
{
    return tst_run_case("librpc/fetch", add, setup, teardown);
}
