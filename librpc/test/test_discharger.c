/* BSD-3-Clause; see LICENSE. */
/* The service that discharges third-party caveats (spec/security.md 8.4). */
#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>
#include <vrpc/discharger.h>

#include "../../libsecurity/test/slow_key.h"
#include "echo.h"

static struct v23_arena A; /* of the test */
static struct vrpc_discharger D;
static struct wnode *N; /* where it is */
static char logged[1024];

static void keep_log(void *ud, enum v23_log_level level, const char *text)
{
    (void)ud;
    (void)level;
    snprintf(logged, sizeof(logged), "%s", text);
}
static const struct v23_log log_ = { keep_log, NULL, V23_LOG_INFO };

static void setup(void)
{
    struct vrpc_server_config sc;

    pair_setup();
    v23_arena_init(&A, NULL, SIZE_MAX);
    logged[0] = 0;
    ck_assert_int_eq(world_node(&W, "office", 55, &N), 0);
    memset(&D, 0, sizeof(D));
    D.principal = N->principal;
    D.duration_ns = VRPC_DISCHARGE_NS;
    D.log = &log_;
    memset(&sc, 0, sizeof(sc));
    sc.object = vrpc_discharger_object(&D);
    sc.authorizer = &vsec_auth_everyone;
    ck_assert_int_eq(vrpc_server_new(N->m, &sc, &N->s), 0);
}

static void teardown(void)
{
    v23_arena_fini(&A);
    world_teardown();
}

/* ---- calls --------------------------------------------------------------- */

static struct {
    int done;
    char id[96], msg[512];
    struct vsec_discharge *d; /* from the arena A */
} R;

static void answered(void *ud, const struct v23_verror *err,
    const v23_discharger_discharger_discharge_out *out)
{
    (void)ud;
    R.done++;
    R.id[0] = R.msg[0] = 0;
    if (err != NULL) {
        snprintf(R.id, sizeof(R.id), "%.*s", (int)err->id.n, err->id.p);
        snprintf(R.msg, sizeof(R.msg), "%.*s", (int)err->msg.n, err->msg.p);
        return;
    }
    ck_assert_int_eq(vsec_discharge_from_wire(&W.t.al, &out->discharge, &R.d),
        0);
    ck_assert_int_eq(v23_arena_hold(&A, &R.d->ref), 0);
    vsec_discharge_unref(R.d);
}

static v23_security_discharge_impetus impetus;

static void call_it(const v23_security_caveat *c)
{
    memset(&R, 0, sizeof(R));
    ck_assert_ptr_nonnull(v23_discharger_discharger_discharge_start(P.c->c,
        world_name(N, ""), NULL, c, &impetus, answered, NULL));
}

/* The id of the error, or "". */
static const char *ask(const v23_security_caveat *c)
{
    call_it(c);
    ck_assert(world_until(&W, &R.done, 10 * SEC));
    return R.id;
}

static bool says(const char *part)
{
    if (strstr(R.msg, part) != NULL)
        return true;
    ck_abort_msg("\"%s\" does not say \"%s\"", R.msg, part);
}

static v23_security_caveat third_party(const v23_security_caveat *inner,
    bool server, bool method)
{
    v23_security_caveat any = vsec_caveat_unconstrained(), c;
    struct vsec_third_party tp;

    memset(&tp, 0, sizeof(tp));
    tp.key = N->principal->key->der;
    tp.wants.report_server = server;
    tp.wants.report_method = method;
    tp.caveats.v = inner == NULL ? &any : inner;
    tp.caveats.n = 1;
    ck_assert_int_eq(vsec_caveat_third_party(W.engine, &A, &tp, &c), 0);
    return c;
}

/* Caveat i of the discharge got last. */
static const v23_security_caveat *of_discharge(uint32_t i)
{
    const v23_security_caveat_list *l = &R.d->wire.u.public_key.caveats;

    ck_assert_uint_lt(i, l->n);
    return &l->v[i];
}

START_TEST(discharge_is_signed_and_expires)
{
    v23_security_public_key_third_party_caveat_param p;
    v23_security_caveat c = third_party(NULL, false, false);
    struct v23_walltime now = W.now.wall, until;
    char id[VSEC_CAVEAT_ID];

    ck_assert_str_eq(ask(&c), "");
    ck_assert_int_eq(vsec_discharge_verify(R.d, N->principal->key), 0);
    ck_assert_int_eq(vsec_caveat_param(&c, &vsec_kind_third_party, &A, &p),
        0);
    ck_assert_int_eq(vsec_third_party_id(W.engine, &p, id), 0);
    ck_assert(vdl_str_is(vsec_discharge_id(R.d), id));
    ck_assert(vsec_discharge_expiry(R.d, &until));
    ck_assert_int_eq(until.sec, now.sec + 900);
    ck_assert_uint_eq(R.d->wire.u.public_key.caveats.n, 1);

    D.duration_ns = V23_NEVER;
    ck_assert_str_eq(ask(&c), "");
    ck_assert(!vsec_discharge_expiry(R.d, &until));
    ck_assert(vsec_caveat_is(of_discharge(0), &vsec_kind_const));
}
END_TEST

START_TEST(other_caveats_are_not_for_dischargers)
{
    v23_security_caveat c = vsec_caveat_unconstrained();

    ck_assert_str_eq(ask(&c),
        "v.io/x/ref/services/discharger.NotAThirdPartyCaveat");
    c = third_party(NULL, false, false);
    c.param_vom.n--;
    ck_assert_str_eq(ask(&c),
        "v.io/x/ref/services/discharger.NotAThirdPartyCaveat");
}
END_TEST

START_TEST(caveats_for_another_key_are_refused)
{
    v23_security_caveat c = third_party(NULL, false, false);

    D.principal = P.s->principal;
    ck_assert_str_eq(ask(&c), VERR "BadArg");
}
END_TEST

START_TEST(embedded_caveats_concern_the_call)
{
    struct vdl_str own = vdl_str("Discharge"), other = vdl_str("Get");
    vdl_str_list l = { &own, 1 };
    v23_security_caveat inner, c;

    ck_assert_int_eq(vsec_caveat_method(&A, l, &inner), 0);
    c = third_party(&inner, false, false);
    ck_assert_str_eq(ask(&c), "");

    l.v = &other;
    ck_assert_int_eq(vsec_caveat_method(&A, l, &inner), 0);
    c = third_party(&inner, false, false);
    ck_assert_str_eq(ask(&c), VERR "Unknown");
    ck_assert(says("could not validate embedded restriction"));
    ck_assert(says("method Discharge not in list [Get]"));
    ck_assert_ptr_nonnull(strstr(logged, "no discharge for test:client: "));
}
END_TEST

START_TEST(unknown_kinds_are_refused)
{
    v23_security_caveat inner = vsec_caveat_unconstrained(), c;

    inner.id.v[0] = 0x77;
    c = third_party(&inner, false, false);
    ck_assert_str_eq(ask(&c), VERR "Unknown");
    ck_assert(says("no validation function registered for caveat"));
}
END_TEST

START_TEST(discharge_is_good_for_what_was_reported)
{
    struct vdl_str server = vdl_str("test:server");
    v23_security_caveat c = third_party(NULL, true, true);
    struct vsec_check *none = NULL;
    struct vsec_names names;
    struct vsec_call call;
    vdl_str_list methods;

    impetus.method = vdl_str("Get");
    impetus.server.v = &server;
    impetus.server.n = 1;
    ck_assert_str_eq(ask(&c), "");
    ck_assert_uint_eq(R.d->wire.u.public_key.caveats.n, 3);
    ck_assert_int_eq(vsec_caveat_param(of_discharge(0), &vsec_kind_method, &A,
        &methods), 0);
    ck_assert_uint_eq(methods.n, 1);
    ck_assert(vdl_str_is(methods.v[0], "Get"));

    /* Validated by that server, and by another one. */
    memset(&call, 0, sizeof(call));
    call.timestamp = W.now.wall;
    call.method = vdl_str("Get");
    call.principal = P.s->principal;
    call.local_blessings = vsec_store_default(P.s->principal->store);
    ck_assert_int_eq(vsec_check_caveats_start(&call,
        R.d->wire.u.public_key.caveats, &A, NULL, &names, &none), 0);
    ck_assert_uint_eq(names.rejected.n, 0);
    call.principal = N->principal;
    call.local_blessings = vsec_store_default(N->principal->store);
    ck_assert_int_eq(vsec_check_caveats_start(&call,
        R.d->wire.u.public_key.caveats, &A, NULL, &names, &none), 0);
    ck_assert_uint_eq(names.rejected.n, 1);
}
END_TEST

START_TEST(what_is_required_must_be_reported)
{
    v23_security_caveat c;

    memset(&impetus, 0, sizeof(impetus));
    c = third_party(NULL, true, false);
    ck_assert_str_eq(ask(&c), VERR "BadArg");
    ck_assert(says("server"));
    c = third_party(NULL, false, true);
    ck_assert_str_eq(ask(&c), VERR "BadArg");
    ck_assert(says("method"));
}
END_TEST

START_TEST(logging_caveats_are_logged)
{
    struct vdl_str text = vdl_str("I agree\nto all");
    vdl_str_list texts = { &text, 1 };
    struct vsec_caveat_kind k = vrpc_discharger_logging(&log_);
    const struct vsec_caveat_kind *v[1] = { &k };
    struct vsec_caveat_kinds kinds = { v, 1 };
    v23_security_caveat inner, c;

    D.kinds = &kinds;
    ck_assert_int_eq(vsec_caveat_make(&A, &k, &texts, &inner), 0);
    c = third_party(&inner, false, false);
    ck_assert_str_eq(ask(&c), "");
    ck_assert_str_eq(logged, "Logging caveat of test:client: I agree to all");
}
END_TEST

/* ---- restrictions that take time ----------------------------------------- */

static struct {
    struct vsec_check *c;
    struct v23_op op;
} slow;

static int think(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    (void)ud;
    (void)call;
    (void)param;
    (void)a;
    (void)err;
    slow.c = c;
    slow.op = op;
    return V23_EAGAIN;
}

static const v23_security_caveat_descriptor slow_desc = { { { 'S', 'L' } },
    &vdl_string_desc };
static const struct vsec_caveat_kind slow_kind = { &slow_desc, "Slow", think,
    NULL, NULL };

/* Ask for a discharge, up to a restriction that takes time. */
static void call_slow(void)
{
    static const struct vsec_caveat_kind *const v[1] = { &slow_kind };
    static const struct vsec_caveat_kinds kinds = { v, 1 };
    struct vdl_str param = vdl_str("x");
    v23_security_caveat inner, c;

    D.kinds = &kinds;
    ck_assert_int_eq(vsec_caveat_make(&A, &slow_kind, &param, &inner), 0);
    c = third_party(&inner, false, false);
    call_it(&c);
    world_settle(&W);
}

START_TEST(restrictions_may_take_time)
{
    call_slow();
    ck_assert_int_eq(R.done, 0);
    vsec_check_complete(slow.c, slow.op, _i == 0 ? 0 : V23_ECAVEAT, NULL);
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_str_eq(R.id, _i == 0 ? "" : VERR "Unknown");
}
END_TEST

START_TEST(caller_may_go_meanwhile)
{
    call_slow();
    world_node_fini(P.c);
    world_settle(&W);
    vsec_check_complete(slow.c, slow.op, 0, NULL);
    ck_assert_uint_eq(vrpc_server_ncalls(N->s), 0);
}
END_TEST

/* ---- keys that take time ------------------------------------------------- */

static struct slow late;

/* The same key, answering later. */
static void slow_down(void)
{
    struct vsec_signer *real = N->principal->signer;

    memset(&late, 0, sizeof(late));
    slow_init(&late, vsec_signer_ref(real));
    ck_assert_int_eq(vsec_principal_new(W.engine, &late.s, NULL, NULL, NULL,
        &D.principal), 0);
}

static void speed_up(void)
{
    vsec_principal_unref(D.principal);
    vsec_signer_unref(&late.s);
    ck_assert(late.destroyed);
}

START_TEST(signature_may_take_time)
{
    const struct vsec_caveat_kind *v[1] = { &slow_kind };
    struct vsec_caveat_kinds kinds = { v, 1 };
    struct vdl_str param = vdl_str("x");
    v23_security_caveat inner, c;

    slow_down();
    if (_i == 0) {
        c = third_party(NULL, false, false);
    } else { /* the restriction, too */
        D.kinds = &kinds;
        ck_assert_int_eq(vsec_caveat_make(&A, &slow_kind, &param, &inner), 0);
        c = third_party(&inner, false, false);
    }
    call_it(&c);
    world_settle(&W);
    if (_i > 0)
        vsec_check_complete(slow.c, slow.op, 0, NULL);
    world_settle(&W);
    ck_assert_int_eq(R.done, 0);
    if (_i < 2)
        slow_answer(&late);
    else
        slow_fail(&late, V23_ECRYPTO);
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_str_eq(R.id, _i < 2 ? "" : VERR "Internal");
    if (_i < 2)
        ck_assert_int_eq(vsec_discharge_verify(R.d, N->principal->key), 0);
    speed_up();
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, discharge_is_signed_and_expires);
    tcase_add_test(t, other_caveats_are_not_for_dischargers);
    tcase_add_test(t, caveats_for_another_key_are_refused);
    tcase_add_test(t, embedded_caveats_concern_the_call);
    tcase_add_test(t, unknown_kinds_are_refused);
    tcase_add_test(t, discharge_is_good_for_what_was_reported);
    tcase_add_test(t, what_is_required_must_be_reported);
    tcase_add_test(t, logging_caveats_are_logged);
    tcase_add_loop_test(t, restrictions_may_take_time, 0, 2);
    tcase_add_test(t, caller_may_go_meanwhile);
    tcase_add_loop_test(t, signature_may_take_time, 0, 3);
}

int main(void)
{
    return tst_run_case("librpc/discharger", add_tests, setup, teardown);
}
