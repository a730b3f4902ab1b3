/* BSD-3-Clause; see LICENSE. */
/*
 * Discharges fetched for calls and for a server's own blessings
 * (spec/security.md 8.5, spec/rpc.md 8.5).
 */
#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>

#include "echo.h"

struct office {
    struct wnode *n;
    int asked;
    bool refuses;
    int64_t life; /* seconds; 0 = for ever */
    uint32_t server_names;
    char method[32];
};

static struct office O;

static const struct v23_verror *mint(void *self, struct vrpc_server_call *call,
    const v23_discharger_discharger_discharge_in *in,
    v23_discharger_discharger_discharge_out *out)
{
    struct office *o = self;
    struct v23_arena *a = vrpc_server_call_arena(call);
    v23_security_caveat cav = vsec_caveat_unconstrained();
    v23_security_caveat_list list = { &cav, 1 };
    struct v23_walltime until = W.now.wall;
    static struct vsec_discharge *d;

    o->asked++;
    o->server_names = in->impetus.server.n;
    snprintf(o->method, sizeof(o->method), "%.*s",
        (int)in->impetus.method.n, in->impetus.method.p);
    if (o->refuses)
        return vrpc_err_make(a, NULL, VRPC_ERR_NO_ACCESS, "no");
    until.sec += o->life;
    if (o->life != 0)
        ck_assert_int_eq(vsec_caveat_expiry(a, until, &cav), 0);
    ck_assert_int_eq(vsec_principal_mint_discharge(o->n->principal,
        &in->caveat, list, &d), 0);
    ck_assert_int_eq(v23_arena_hold(a, &d->ref), 0);
    out->discharge = d->wire;
    vsec_discharge_unref(d);
    return NULL;
}

static const v23_discharger_discharger_vt office_vt = { mint };

/* Blessings "test:<name>" that need a discharge of the office. */
static void bless_with_third_party(struct wnode *n)
{
    static char location[512];
    v23_security_caveat inner = vsec_caveat_unconstrained(), cav;
    struct vsec_third_party tp;
    struct vsec_blessings *b;
    struct vsec_bless what;
    struct v23_arena a;

    v23_arena_init(&a, NULL, SIZE_MAX);
    snprintf(location, sizeof(location), "%s", world_name(O.n, ""));
    memset(&tp, 0, sizeof(tp));
    tp.key = O.n->principal->key->der;
    tp.location = vdl_str(location);
    tp.wants.report_server = true;
    tp.wants.report_method = true;
    tp.caveats.v = &inner;
    tp.caveats.n = 1;
    ck_assert_int_eq(vsec_caveat_third_party(W.engine, &a, &tp, &cav), 0);
    memset(&what, 0, sizeof(what));
    what.key = n->principal->key;
    what.with = W.root_b;
    what.extension = vdl_str(n->name);
    what.caveats.v = &cav;
    what.caveats.n = 1;
    ck_assert_int_eq(vsec_principal_bless(W.root, &what, &b), 0);
    ck_assert_int_eq(vsec_principal_set_default_blessings(n->principal, b),
        0);
    vsec_blessings_unref(b);
    v23_arena_fini(&a);
}

static void setup(void)
{
    struct vrpc_server_config sc;

    pair_setup();
    memset(&O, 0, sizeof(O));
    ck_assert_int_eq(world_node(&W, "office", 55, &O.n), 0);
    memset(&sc, 0, sizeof(sc));
    sc.object = v23_discharger_discharger_object(&office_vt, &O);
    sc.authorizer = &vsec_auth_everyone;
    ck_assert_int_eq(vrpc_server_new(O.n->m, &sc, &O.n->s), 0);
    world_settle(&W);
}

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

START_TEST(call_brings_its_discharge)
{
    struct vrpc_server_call *c;

    bless_with_third_party(P.c);
    c = reach();

    ck_assert_uint_eq(vrpc_server_call_discharges(c), 1);
    ck_assert_uint_eq(vrpc_server_call_remote_names(c).n, 1);
    ck_assert(vdl_str_is(vrpc_server_call_remote_names(c).v[0],
        "test:client"));
    ck_assert_int_eq(O.asked, 1);
    ck_assert_uint_eq(O.server_names, 1);
    ck_assert_str_eq(O.method, "Wait");
    leave();
}
END_TEST

START_TEST(discharge_is_cached_until_half_its_life)
{
    bless_with_third_party(P.c);
    O.life = 100;
    reach();
    leave();
    world_sleep(&W, 40 * SEC);
    reach();
    leave();
    ck_assert_int_eq(O.asked, 1);
    world_sleep(&W, 20 * SEC);
    reach();
    leave();

    ck_assert_int_eq(O.asked, 2);
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

START_TEST(server_presents_its_own_discharges)
{
    struct add_in in = { 1, 2 };

    O.life = 1000;
    bless_with_third_party(P.s);
    world_settle(&W);
    ck_assert_int_eq(O.asked, 1);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    world_sleep(&W, 600 * SEC); /* fetched again at half its life */
    ck_assert_int_eq(O.asked, 2);
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
}
END_TEST

START_TEST(new_default_blessings_reach_live_connections)
{
    v23_security_caveat cav = vsec_caveat_unconstrained();
    struct vsec_blessings *b;
    struct add_in in = { 1, 2 };
    struct vsec_bless what;
    char name[512], *at;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));
    memset(&what, 0, sizeof(what));
    what.key = P.s->principal->key;
    what.with = W.root_b;
    what.extension = vdl_str("renamed");
    what.caveats.v = &cav;
    what.caveats.n = 1;
    ck_assert_int_eq(vsec_principal_bless(W.root, &what, &b), 0);
    ck_assert_int_eq(vsec_principal_set_default_blessings(P.s->principal, b),
        0);
    vsec_blessings_unref(b);
    world_settle(&W);
    snprintf(name, sizeof(name), "%s", world_name(P.s, ""));
    at = strstr(name, "test:server");
    memmove(at + 12, at + 11, strlen(at + 11) + 1);
    memcpy(at, "test:renamed", 12);
    ck_assert_ptr_nonnull(start(P.c, name, M_ADD, NULL, &in, &stub_plain,
        &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/fetch");
    TCase *t = tcase_create("fetch");

    tcase_add_checked_fixture(t, setup, world_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, call_brings_its_discharge);
    tcase_add_test(t, discharge_is_cached_until_half_its_life);
    tcase_add_test(t, refused_discharge_does_not_end_the_call);
    tcase_add_test(t, no_discharges_option_asks_nobody);
    tcase_add_test(t, cancelled_call_gives_up_the_fetch);
    tcase_add_test(t, server_presents_its_own_discharges);
    tcase_add_test(t, failed_fetch_of_own_discharges_is_repeated);
    tcase_add_test(t, new_default_blessings_reach_live_connections);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
