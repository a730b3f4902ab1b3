/* BSD-3-Clause; see LICENSE. */
/*
 * Discharges fetched for calls and for a server's own blessings
 * (spec/security.md 8.5, spec/rpc.md 8.5).
 */
#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>

#include "echo.h"

#define MIN_ (60 * SEC)

/* A discharger. */
struct office {
    struct wnode *n;
    int asked;
    bool refuses;
    bool mute; /* answers when told */
    struct vrpc_server_call *waiting;
    v23_security_caveat asked_for; /* by the call waiting */
    int64_t life; /* nanoseconds; 0 = for ever */
    const v23_security_caveat *nested; /* in discharges */
    const v23_security_caveat *other;  /* discharges this one instead */
    uint32_t server_names, nargs;
    char method[32];
};

static struct office O, O2;

static void make_discharge(struct office *o, struct vrpc_server_call *call,
    const v23_security_caveat *c, v23_security_wire_discharge *out)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    v23_security_caveat v[2];
    v23_security_caveat_list list = { v, 1 };
    struct vsec_discharge *d;

    v[0] = vsec_caveat_unconstrained();
    if (o->life != 0)
        ck_assert_int_eq(vsec_caveat_expiry(a,
            v23_walltime_add(W.now.wall, o->life), &v[0]), 0);
    if (o->nested != NULL)
        v[list.n++] = *o->nested;
    ck_assert_int_eq(vsec_principal_mint_discharge(o->n->principal,
        o->other != NULL ? o->other : c, list, &d), 0);
    ck_assert_int_eq(v23_arena_hold(a, &d->ref), 0);
    *out = d->wire;
    vsec_discharge_unref(d);
}

/* NoAccess would make callers forget the discharges that they came with. */
static const struct v23_verror *refusal(struct vrpc_server_call *call)
{
    return vrpc_err_make(vrpc_server_call_arena(call), NULL, VRPC_ERR_UNKNOWN,
        "no");
}

static const struct v23_verror *mint(void *self, struct vrpc_server_call *call,
    const v23_discharger_discharger_discharge_in *in,
    v23_discharger_discharger_discharge_out *out)
{
    struct office *o = self;

    o->asked++;
    o->server_names = in->impetus.server.n;
    o->nargs = in->impetus.arguments.n;
    snprintf(o->method, sizeof(o->method), "%.*s",
        (int)in->impetus.method.n, in->impetus.method.p);
    if (o->refuses)
        return refusal(call);
    make_discharge(o, call, &in->caveat, &out->discharge);
    if (!o->mute)
        return NULL;
    o->waiting = call;
    o->asked_for = in->caveat;
    return &vrpc_pending;
}

/* Answer what was asked of an office that is mute. */
static void reply_with_discharge(struct office *o)
{
    v23_discharger_discharger_discharge_out out;

    make_discharge(o, o->waiting, &o->asked_for, &out.discharge);
    ck_assert_int_eq(vrpc_server_call_reply(o->waiting, NULL, &out), 0);
}

static const v23_discharger_discharger_vt office_vt = { mint };

static void open_office(struct office *o, const char *name, uint64_t rid,
    const struct vsec_authorizer *auth)
{
    struct vrpc_server_config sc;

    memset(o, 0, sizeof(*o));
    ck_assert_int_eq(world_node(&W, name, rid, &o->n), 0);
    memset(&sc, 0, sizeof(sc));
    sc.object = v23_discharger_discharger_object(&office_vt, o);
    sc.authorizer = auth;
    ck_assert_int_eq(vrpc_server_new(o->n->m, &sc, &o->n->s), 0);
    world_settle(&W);
}

/* ---- blessings ----------------------------------------------------------- */

static struct v23_arena A; /* of the test */

enum { SERVER = 1, METHOD = 2, ARGUMENTS = 4 };

static v23_security_caveat third_party(struct office *o, int wants)
{
    v23_security_caveat inner = vsec_caveat_unconstrained(), cav;
    struct vsec_third_party tp;
    const char *at = world_name(o->n, "");

    memset(&tp, 0, sizeof(tp));
    tp.key = o->n->principal->key->der;
    tp.location = vdl_strn(v23_arena_dup(&A, at, strlen(at)), strlen(at));
    tp.wants.report_server = (wants & SERVER) != 0;
    tp.wants.report_method = (wants & METHOD) != 0;
    tp.wants.report_arguments = (wants & ARGUMENTS) != 0;
    tp.caveats.v = &inner;
    tp.caveats.n = 1;
    ck_assert_int_eq(vsec_caveat_third_party(W.engine, &A, &tp, &cav), 0);
    return cav;
}

/* "test:<extension>" with one caveat. */
static struct vsec_blessings *blessed(struct wnode *n, const char *extension,
    const v23_security_caveat *cav)
{
    struct vsec_blessings *b;
    struct vsec_bless what;

    memset(&what, 0, sizeof(what));
    what.key = n->principal->key;
    what.with = W.root_b;
    what.extension = vdl_str(extension);
    what.caveats.v = cav;
    what.caveats.n = 1;
    ck_assert_int_eq(vsec_principal_bless(W.root, &what, &b), 0);
    return b;
}

static void use(struct wnode *n, const v23_security_caveat *cav)
{
    struct vsec_blessings *b = blessed(n, n->name, cav);

    ck_assert_int_eq(vsec_principal_set_default_blessings(n->principal, b),
        0);
    vsec_blessings_unref(b);
}

/* Blessings that need a discharge of the office. */
static void bless_with_third_party(struct wnode *n)
{
    v23_security_caveat cav = third_party(&O, SERVER | METHOD);

    use(n, &cav);
}

static void setup(void)
{
    pair_setup();
    v23_arena_init(&A, NULL, SIZE_MAX);
    open_office(&O, "office", 55, &vsec_auth_everyone);
}

static void teardown(void)
{
    v23_arena_fini(&A);
    world_teardown();
}

/* ---- calls --------------------------------------------------------------- */

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

/* ---- a server's own ------------------------------------------------------ */

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

static void add_calls(TCase *t)
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

static void add_servers(TCase *t)
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

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/fetch");
    TCase *t = tcase_create("fetch");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    add_calls(t);
    add_servers(t);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
