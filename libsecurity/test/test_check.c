/* BSD-3-Clause; see LICENSE. */
/* Validation of a call's blessings: order, suspension, discharges, hooks. */
#include "people.h"

#include <vsec/authorizer.h>
#include <vsec/check.h>

/* A server that recognizes idp, and a client blessed by it. */
static struct vsec_principal *server, *idp, *client;
static struct vsec_blessings *root;
static struct vsec_call call;
static struct vsec_names names;

static void setup(void)
{
    people_setup();
    server = person();
    idp = person();
    client = person();
    root = self(idp, "idp");
    ck_assert_int_eq(vsec_principal_add_to_roots(server, root), 0);
    memset(&call, 0, sizeof(call));
    call.timestamp = at(1000);
    call.method = vdl_str("Get");
    call.principal = server;
}

static void teardown(void)
{
    vsec_blessings_unref(call.remote_blessings);
    vsec_blessings_unref(call.local_blessings);
    vsec_blessings_unref(root);
    vsec_principal_unref(server);
    vsec_principal_unref(idp);
    vsec_principal_unref(client);
    people_teardown();
}

/* The client presents idp:<ext> with a caveat (NULL = none that restricts). */
static void present(const char *ext, const v23_security_caveat *c)
{
    struct vsec_blessings *pair[2], *sum;

    pair[0] = call.remote_blessings;
    pair[1] = bless(idp, client, root, ext, c);
    ck_assert_int_eq(vsec_blessings_union(pair, 2, &sum), 0);
    vsec_blessings_unref(pair[0]);
    vsec_blessings_unref(pair[1]);
    call.remote_blessings = sum;
}

static void check(void)
{
    ck_assert_int_eq(vsec_check_start(&call, &arena, NULL, &names, NULL), 0);
}

static void rejected_because(uint32_t i, const char *id)
{
    ck_assert_uint_lt(i, names.rejected.n);
    ck_assert_ptr_nonnull(names.rejected.v[i].err);
    text_is(names.rejected.v[i].err->id, id);
}

/* ---- roots and standard caveats ------------------------------------------ */

START_TEST(nobody_presents_nothing)
{
    check();
    ck_assert_uint_eq(names.remote.n + names.rejected.n + names.local.n, 0);
    ck_assert_int_eq(vsec_blessings_nameless(client->key,
        &call.remote_blessings), 0);
    check();
    ck_assert_uint_eq(names.remote.n + names.rejected.n, 0);
}
END_TEST

START_TEST(unknown_roots_are_rejected)
{
    call.remote_blessings = self(client, "me");
    check();
    ck_assert_uint_eq(names.remote.n, 0);
    text_is(names.rejected.v[0].blessing, "me");
    rejected_because(0, "v.io/v23/security.UnrecognizedRoot");

    call.principal = NULL;
    check();
    rejected_because(0, "v.io/v23/verror.Unknown");
}
END_TEST

START_TEST(local_names_need_the_own_key)
{
    call.local_blessings = bless(idp, server, root, "server", NULL);
    check();
    ck_assert_uint_eq(names.local.n, 1);
    text_is(names.local.v[0], "idp:server");

    vsec_blessings_unref(call.local_blessings);
    call.local_blessings = bless(idp, client, root, "thief", NULL);
    check();
    ck_assert_uint_eq(names.local.n, 0);
}
END_TEST

START_TEST(expiry_includes_its_instant_and_not_before_does_not)
{
    v23_security_caveat c;

    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(1000), &c), 0);
    present("a", &c);
    ck_assert_int_eq(vsec_caveat_not_before(&arena, at(1000), &c), 0);
    present("b", &c);
    check();
    ck_assert_uint_eq(names.remote.n, 1);
    text_is(names.remote.v[0], "idp:a");
    text_is(names.rejected.v[0].blessing, "idp:b");

    call.timestamp.nanos = 1;
    check();
    text_is(names.remote.v[0], "idp:b");
    text_is(names.rejected.v[0].blessing, "idp:a");
    rejected_because(0, "v.io/v23/security.CaveatValidation");
}
END_TEST

START_TEST(unknown_and_malformed_caveats_are_told_apart)
{
    v23_security_caveat c = vsec_caveat_unconstrained();

    c.param_vom.n--;
    present("a", &c);
    check();
    rejected_because(0, "v.io/v23/security.CaveatParamCoding");

    vsec_blessings_unref(call.remote_blessings);
    call.remote_blessings = NULL;
    c.id.v[3] = 9;
    present("a", &c);
    check();
    rejected_because(0, "v.io/v23/security.CaveatNotRegistered");
}
END_TEST

/* ---- validators that need time ------------------------------------------- */

static const v23_security_caveat_descriptor slow_desc = { { { 'S', 'L' } },
    &vdl_string_desc };
static struct {
    struct vsec_check *c;
    struct v23_op op;
    char param[16];
    int asked, canceled;
} slow;

static int slow_validate(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *cl, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    const struct vdl_str *s = param;

    (void)ud;
    (void)cl;
    (void)a;
    (void)err;
    slow.c = c;
    slow.op = op;
    slow.asked++;
    snprintf(slow.param, sizeof(slow.param), "%.*s", (int)s->n, s->p);
    return V23_EAGAIN;
}

static void slow_cancel(void *ud, struct v23_op op)
{
    (void)ud;
    ck_assert_uint_eq(op.generation, slow.op.generation);
    slow.canceled++;
}

static const struct vsec_caveat_kind slow_kind = { &slow_desc, "Slow",
    slow_validate, slow_cancel, NULL };
static const struct vsec_caveat_kind *const kinds[] = { &vsec_kind_const,
    &slow_kind, &vsec_kind_third_party };
static const struct vsec_caveat_kinds with_slow = { kinds, 3 };

static struct {
    int runs, rc;
    const struct vsec_names *names;
} done;

static void on_done(void *ud, int rc, const struct vsec_names *n)
{
    (void)ud;
    done.runs++;
    done.rc = rc;
    done.names = n;
}

static const struct vsec_check_wait wait = { on_done, NULL };

static void slow_setup(void)
{
    struct vdl_str first = vdl_str("first"), second = vdl_str("second");
    v23_security_caveat c;

    memset(&slow, 0, sizeof(slow));
    memset(&done, 0, sizeof(done));
    call.kinds = &with_slow;
    ck_assert_int_eq(vsec_caveat_make(&arena, &slow_kind, &first, &c), 0);
    present("a", &c);
    ck_assert_int_eq(vsec_caveat_make(&arena, &slow_kind, &second, &c), 0);
    present("b", &c);
    present("c", NULL);
}

START_TEST(check_waits_for_each_answer)
{
    struct vsec_check *c;
    struct v23_op stale;

    slow_setup();
    ck_assert_int_eq(vsec_check_start(&call, &arena, &wait, &names, &c),
        V23_EAGAIN);
    ck_assert_str_eq(slow.param, "first");
    stale = slow.op;
    vsec_check_complete(c, stale, 0, NULL);
    ck_assert_str_eq(slow.param, "second");
    ck_assert_int_eq(done.runs, 0);

    vsec_check_complete(c, stale, 0, NULL); /* ignored */
    ck_assert_int_eq(done.runs, 0);
    vsec_check_complete(c, slow.op, V23_ECAVEAT,
        v23_security_err_const_caveat_validation(&arena, NULL));

    ck_assert_int_eq(done.runs, 1);
    ck_assert_int_eq(done.rc, 0);
    names = *done.names;
    ck_assert_uint_eq(names.remote.n, 2);
    text_is(names.remote.v[0], "idp:a");
    text_is(names.remote.v[1], "idp:c");
    text_is(names.rejected.v[0].blessing, "idp:b");
    rejected_because(0, "v.io/v23/security.CaveatValidation");
    ck_assert_int_eq(slow.canceled, 0);
}
END_TEST

START_TEST(a_failing_validator_ends_the_check)
{
    struct vsec_check *c;

    slow_setup();
    ck_assert_int_eq(vsec_check_start(&call, &arena, &wait, &names, &c),
        V23_EAGAIN);
    vsec_check_complete(c, slow.op, V23_ETIMEOUT, NULL);
    ck_assert_int_eq(done.runs, 1);
    ck_assert_int_eq(done.rc, V23_ETIMEOUT);
    ck_assert_ptr_null(done.names);
}
END_TEST

START_TEST(cancel_tells_the_validator_once)
{
    struct vsec_check *c;

    slow_setup();
    ck_assert_int_eq(vsec_check_start(&call, &arena, &wait, &names, &c),
        V23_EAGAIN);
    vsec_check_cancel(c);
    vsec_check_cancel(c);
    ck_assert_int_eq(slow.canceled, 1);
    vsec_check_complete(c, slow.op, 0, NULL);
    ck_assert_int_eq(done.runs, 0);
}
END_TEST

START_TEST(nobody_waits)
{
    slow_setup();
    ck_assert_int_eq(vsec_check_start(&call, &arena, NULL, &names, NULL),
        V23_EAGAIN);
    ck_assert_int_eq(slow.canceled, 1);
}
END_TEST

/* ---- the hook ------------------------------------------------------------ */

static struct {
    struct vsec_check *c;
    struct v23_op op;
    size_t n;
    uint32_t first;
    bool wait;
} hooked;

static int hook_validate(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *cl, const v23_security_caveat_list *sets,
    size_t n, struct v23_arena *a, const struct v23_verror **errs)
{
    (void)ud;
    (void)cl;
    hooked.c = c;
    hooked.op = op;
    hooked.n = n;
    hooked.first = sets[0].n;
    if (hooked.wait)
        return V23_EAGAIN;
    errs[n - 1] = v23_security_err_const_caveat_validation(a, NULL);
    return 0;
}

static const struct vsec_caveat_hook hook = { hook_validate, NULL, NULL };

START_TEST(hook_replaces_validation)
{
    v23_security_caveat c = vsec_caveat_unconstrained();

    memset(&hooked, 0, sizeof(hooked));
    call.hook = &hook;
    c.id.v[0] = 0xee; /* nobody knows it */
    present("a", &c);
    present("b", &c);
    check();
    ck_assert_uint_eq(hooked.n, 2);
    ck_assert_uint_eq(hooked.first, 1);
    text_is(names.remote.v[0], "idp:a");
    text_is(names.rejected.v[0].blessing, "idp:b");
    rejected_because(0, "v.io/v23/security.ConstCaveatValidation");
}
END_TEST

/* A check of two blessings that waits for the hook. */
static struct vsec_check *check_of_two(void)
{
    struct vsec_check *c;

    memset(&hooked, 0, sizeof(hooked));
    memset(&done, 0, sizeof(done));
    hooked.wait = true;
    call.hook = &hook;
    present("a", NULL);
    present("b", NULL);
    ck_assert_int_eq(vsec_check_start(&call, &arena, &wait, &names, &c),
        V23_EAGAIN);
    return c;
}

START_TEST(hook_may_answer_later)
{
    const struct v23_verror *errs[2] = { NULL, NULL };
    struct vsec_check *c = check_of_two();

    vsec_check_complete_all(c, hooked.op, 0, errs, 2);
    ck_assert_int_eq(done.runs, 1);
    ck_assert_uint_eq(done.names->remote.n, 2);
}
END_TEST

START_TEST(hook_with_too_few_answers_fails)
{
    const struct v23_verror *errs[1] = { NULL };
    struct vsec_check *c = check_of_two();

    vsec_check_complete_all(c, hooked.op, 0, errs, 1);
    ck_assert_int_eq(done.rc, V23_EARG);
}
END_TEST

/* ---- discharges ---------------------------------------------------------- */

static struct vsec_discharge *mint(struct vsec_principal *p,
    const v23_security_caveat *tp, const v23_security_caveat *c)
{
    v23_security_caveat any = vsec_caveat_unconstrained();
    struct vsec_discharge *d;

    ck_assert_int_eq(vsec_principal_mint_discharge(p, tp,
        one(c == NULL ? &any : c), &d), 0);
    return d;
}

START_TEST(third_party_needs_its_discharge)
{
    struct vsec_principal *d = person(), *liar = person();
    v23_security_caveat c = discharged_by(d, ""), other = discharged_by(d, "");
    struct vsec_discharge *v[2];

    present("a", &c);
    check();
    rejected_because(0, "v.io/v23/security.CaveatValidation");

    v[0] = mint(d, &other, NULL);
    v[1] = mint(d, &c, NULL);
    call.remote_discharges = v;
    call.nremote_discharges = 2;
    check();
    text_is(names.remote.v[0], "idp:a");
    check(); /* the verification is remembered */
    ck_assert_uint_eq(names.remote.n, 1);

    /* The first of the right id counts, good or bad. */
    vsec_discharge_unref(v[0]);
    v[0] = mint(liar, &c, NULL);
    check();
    ck_assert_uint_eq(names.remote.n, 0);
    vsec_discharge_unref(v[0]);
    vsec_discharge_unref(v[1]);
    vsec_principal_unref(d);
    vsec_principal_unref(liar);
}
END_TEST

/* The same discharge in another object, as another connection has it. */
static struct vsec_discharge *again(const struct vsec_discharge *d)
{
    struct vsec_discharge *copy;

    ck_assert_int_eq(vsec_discharge_from_wire(&mem.al, &d->wire, &copy), 0);
    return copy;
}

START_TEST(discharges_are_verified_once)
{
    struct vsec_principal *d = person(), *liar = person();
    v23_security_caveat c = discharged_by(d, "");
    struct vsec_discharge *v[1], *first = mint(d, &c, NULL);
    v23_security_public_key_discharge *pk;
    uint8_t *r;

    ck_assert_int_eq(vsec_chain_cache_new(e, 64, &call.chains), 0);
    present("a", &c);
    call.remote_discharges = v;
    call.nremote_discharges = 1;
    v[0] = first;
    check();
    ck_assert_uint_eq(names.remote.n, 1);
    ck_assert_uint_eq(vsec_chain_cache_count(call.chains), 1);
    v[0] = again(first);
    check();
    ck_assert_uint_eq(names.remote.n, 1);
    ck_assert_uint_eq(vsec_chain_cache_count(call.chains), 1);
    vsec_discharge_unref(v[0]);

    /* Another signature is not known, nor is one by another key. */
    v[0] = again(first);
    pk = &v[0]->wire.u.public_key;
    r = (uint8_t *)(uintptr_t)pk->signature.ed25519.p;
    r[5] ^= 1;
    check();
    ck_assert_uint_eq(names.remote.n, 0);
    vsec_discharge_unref(v[0]);
    v[0] = mint(liar, &c, NULL);
    check();
    ck_assert_uint_eq(names.remote.n, 0);
    ck_assert_uint_eq(vsec_chain_cache_count(call.chains), 1);
    vsec_discharge_unref(v[0]);
    vsec_discharge_unref(first);
    vsec_chain_cache_free(call.chains);
    vsec_principal_unref(d);
    vsec_principal_unref(liar);
}
END_TEST

START_TEST(caveats_of_discharges_count)
{
    struct vsec_principal *d = person();
    v23_security_caveat c = discharged_by(d, ""), until;
    struct vsec_discharge *v[1];

    present("a", &c);
    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(2000), &until), 0);
    v[0] = mint(d, &c, &until);
    call.remote_discharges = v;
    call.nremote_discharges = 1;
    check();
    ck_assert_uint_eq(names.remote.n, 1);
    call.timestamp = at(2001);
    check();
    ck_assert_uint_eq(names.remote.n, 0);
    rejected_because(0, "v.io/v23/security.CaveatValidation");
    vsec_discharge_unref(v[0]);
    vsec_principal_unref(d);
}
END_TEST

/* Discharges that need each other, or themselves, must not go on for ever. */
START_TEST(circles_of_discharges_end)
{
    struct vsec_principal *d = person();
    v23_security_caveat a = discharged_by(d, ""), b = discharged_by(d, "");
    struct vsec_discharge *v[2];

    present("a", &a);
    v[0] = mint(d, &a, &b);
    v[1] = mint(d, &b, _i == 0 ? &a : &b);
    call.remote_discharges = v;
    call.nremote_discharges = 2;
    check();
    ck_assert_uint_eq(names.remote.n, 0);
    ck_assert_uint_eq(names.rejected.n, 1);
    vsec_discharge_unref(v[0]);
    vsec_discharge_unref(v[1]);
    vsec_principal_unref(d);
}
END_TEST

/* A tree of discharges: 64 caveats each, 15 levels deep. */
START_TEST(trees_of_discharges_end)
{
    struct vsec_principal *d = person();
    v23_security_caveat level[VSEC_MAX_NESTED], wide[64];
    struct vsec_discharge *v[VSEC_MAX_NESTED];
    v23_security_caveat_list l;
    int i, j;

    for (i = 0; i < VSEC_MAX_NESTED; i++)
        level[i] = discharged_by(d, "");
    for (i = 0; i + 1 < VSEC_MAX_NESTED; i++) {
        for (j = 0; j < 64; j++)
            wide[j] = i + 2 == VSEC_MAX_NESTED ? vsec_caveat_unconstrained()
                                               : level[i + 1];
        l.v = wide;
        l.n = 64;
        ck_assert_int_eq(vsec_principal_mint_discharge(d, &level[i], l,
            &v[i]), 0);
    }
    present("a", &level[0]);
    call.remote_discharges = v;
    call.nremote_discharges = VSEC_MAX_NESTED - 1;
    check();
    ck_assert_uint_eq(names.remote.n, 0);
    ck_assert_uint_eq(names.rejected.n, 1);
    for (i = 0; i + 1 < VSEC_MAX_NESTED; i++)
        vsec_discharge_unref(v[i]);
    vsec_principal_unref(d);
}
END_TEST

START_TEST(waiting_inside_a_discharge)
{
    struct vsec_principal *d = person();
    struct vdl_str inner = vdl_str("inner");
    v23_security_caveat c = discharged_by(d, ""), s;
    struct vsec_discharge *v[1];
    struct vsec_check *k;

    memset(&slow, 0, sizeof(slow));
    memset(&done, 0, sizeof(done));
    call.kinds = &with_slow;
    ck_assert_int_eq(vsec_caveat_make(&arena, &slow_kind, &inner, &s), 0);
    present("a", &c);
    v[0] = mint(d, &c, &s);
    call.remote_discharges = v;
    call.nremote_discharges = 1;
    ck_assert_int_eq(vsec_check_start(&call, &arena, &wait, &names, &k),
        V23_EAGAIN);
    ck_assert_str_eq(slow.param, "inner");
    vsec_check_complete(k, slow.op, 0, NULL);
    ck_assert_int_eq(done.runs, 1);
    ck_assert_uint_eq(done.names->remote.n, 1);
    vsec_discharge_unref(v[0]);
    vsec_principal_unref(d);
}
END_TEST

/* ---- reasons ------------------------------------------------------------- */

static bool says(struct vdl_str text, const char *part)
{
    size_t n = strlen(part), i;

    for (i = 0; i + n <= text.n; i++)
        if (memcmp(text.p + i, part, n) == 0)
            return true;
    ck_abort_msg("\"%.*s\" does not say \"%s\"", (int)text.n, text.p, part);
}

static bool reason_says(const char *part)
{
    ck_assert_uint_eq(names.rejected.n, 1);
    return says(names.rejected.v[0].err->msg, part);
}

/* A third-party caveat of a discharger at "shop/discharger". */
static v23_security_caveat at_shop(struct vsec_principal *discharger,
    char id[VSEC_CAVEAT_ID])
{
    v23_security_public_key_third_party_caveat_param p;
    v23_security_caveat c = discharged_by(discharger, "shop/discharger");

    ck_assert_int_eq(vsec_caveat_param(&c, &vsec_kind_third_party, &arena,
        &p), 0);
    ck_assert_int_eq(vsec_third_party_id(e, &p, id), 0);
    return c;
}

START_TEST(refusals_name_caveat_and_discharger)
{
    struct vsec_principal *d = person(), *liar = person();
    char id[VSEC_CAVEAT_ID];
    v23_security_caveat c = at_shop(d, id), until;
    struct vsec_discharge *v[1];

    present("a", &c);
    check();
    ck_assert(reason_says(id) && reason_says("shop/discharger"));

    v[0] = mint(liar, &c, NULL);
    call.remote_discharges = v;
    call.nremote_discharges = 1;
    check();
    ck_assert(reason_says(id) && reason_says("does not verify"));
    vsec_discharge_unref(v[0]);

    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(10), &until), 0);
    v[0] = mint(d, &c, &until);
    check();
    ck_assert(reason_says("caveat(Expiry) on the discharge"));
    ck_assert(reason_says("is after expiry(1970-01-01 00:00:10"));
    vsec_discharge_unref(v[0]);

    until.id.v[0] = 0x12;
    until.id.v[15] = 0x34;
    v[0] = mint(d, &c, &until);
    check();
    ck_assert(reason_says("caveat(124c2d0119fba3348071feeb2f308034)"));
    vsec_discharge_unref(v[0]);
    vsec_principal_unref(d);
    vsec_principal_unref(liar);
}
END_TEST

START_TEST(authorizers_name_blessing_and_caveat)
{
    const struct v23_verror *err = NULL;
    v23_security_caveat c;

    ck_assert_int_eq(vsec_caveat_method(&arena, strs("Put", NULL, NULL), &c),
        0);
    present("phone", &c);
    check();
    call.names = &names;
    ck_assert_int_eq(vsec_authorize(&vsec_auth_default, &call, &arena, NULL,
        &err), V23_EDENIED);
    ck_assert(says(err->msg, "idp:phone"));
    ck_assert(says(err->msg, "method Get not in list [Put]"));
}
END_TEST

/* ---- caveats without blessings ------------------------------------------- */

static int check_bare(const v23_security_caveat *c, uint32_t n)
{
    v23_security_caveat_list l;

    l.v = c;
    l.n = n;
    return vsec_check_caveats_start(&call, l, &arena, NULL, &names, NULL);
}

START_TEST(bare_caveats_hold_or_say_why)
{
    v23_security_caveat c[2];

    ck_assert_int_eq(check_bare(NULL, 0), 0);
    ck_assert_uint_eq(names.rejected.n, 0);
    call.hook = &hook; /* not asked */
    c[0] = vsec_caveat_unconstrained();
    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(1000), &c[1]), 0);
    ck_assert_int_eq(check_bare(c, 2), 0);
    ck_assert_uint_eq(names.remote.n + names.rejected.n, 0);
    call.timestamp = at(1001);
    ck_assert_int_eq(check_bare(c, 2), 0);
    rejected_because(0, "v.io/v23/security.CaveatValidation");
}
END_TEST

START_TEST(bare_third_party_caveats_find_their_discharges)
{
    struct vsec_principal *d = person();
    v23_security_caveat c = discharged_by(d, "");
    struct vsec_discharge *v[1];

    ck_assert_int_eq(check_bare(&c, 1), 0);
    ck_assert_uint_eq(names.rejected.n, 1);
    v[0] = mint(d, &c, NULL);
    call.remote_discharges = v;
    call.nremote_discharges = 1;
    ck_assert_int_eq(check_bare(&c, 1), 0);
    ck_assert_uint_eq(names.rejected.n, 0);
    call.principal = NULL; /* and with it any engine */
    ck_assert_int_eq(check_bare(&c, 1), V23_EARG);
    vsec_discharge_unref(v[0]);
    vsec_principal_unref(d);
}
END_TEST

START_TEST(bare_caveats_may_take_time)
{
    struct vdl_str text = vdl_str("bare");
    v23_security_caveat_list l;
    v23_security_caveat s;
    struct vsec_check *k;

    memset(&slow, 0, sizeof(slow));
    memset(&done, 0, sizeof(done));
    call.kinds = &with_slow;
    call.hook = &hook;
    ck_assert_int_eq(vsec_caveat_make(&arena, &slow_kind, &text, &s), 0);
    l = one(&s);
    ck_assert_int_eq(check_bare(&s, 1), V23_EAGAIN); /* nobody waits */
    ck_assert_int_eq(vsec_check_caveats_start(&call, l, &arena, &wait, &names,
        &k), V23_EAGAIN);
    vsec_check_complete(k, slow.op, V23_ECAVEAT, NULL);
    ck_assert_int_eq(done.runs, 1);
    ck_assert_int_eq(done.rc, 0);
    ck_assert_uint_eq(done.names->rejected.n, 1);
    ck_assert_int_eq(vsec_check_caveats_start(&call, l, &arena, &wait, &names,
        &k), V23_EAGAIN);
    vsec_check_cancel(k);
    ck_assert_int_eq(done.runs, 1);
}
END_TEST

static int check_once(const struct v23_alloc *al, void *ud)
{
    struct vsec_names n;
    struct v23_arena a;
    int rc;

    (void)ud;
    v23_arena_init(&a, al, SIZE_MAX);
    rc = vsec_check_start(&call, &a, NULL, &n, NULL);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(check_survives_out_of_memory)
{
    v23_security_caveat c;

    ck_assert_int_eq(vsec_caveat_method(&arena, strs("Put", NULL, NULL), &c),
        0);
    present("a", &c);
    present("b", NULL);
    call.local_blessings = bless(idp, server, root, "server", NULL);
    tst_out_of_memory(check_once, NULL);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, nobody_presents_nothing);
    tcase_add_test(t, unknown_roots_are_rejected);
    tcase_add_test(t, local_names_need_the_own_key);
    tcase_add_test(t, expiry_includes_its_instant_and_not_before_does_not);
    tcase_add_test(t, unknown_and_malformed_caveats_are_told_apart);
    tcase_add_test(t, check_waits_for_each_answer);
    tcase_add_test(t, a_failing_validator_ends_the_check);
    tcase_add_test(t, cancel_tells_the_validator_once);
    tcase_add_test(t, nobody_waits);
    tcase_add_test(t, hook_replaces_validation);
    tcase_add_test(t, hook_may_answer_later);
    tcase_add_test(t, hook_with_too_few_answers_fails);
    tcase_add_test(t, third_party_needs_its_discharge);
    tcase_add_test(t, discharges_are_verified_once);
    tcase_add_test(t, caveats_of_discharges_count);
    tcase_add_loop_test(t, circles_of_discharges_end, 0, 2);
    tcase_add_test(t, trees_of_discharges_end);
    tcase_add_test(t, waiting_inside_a_discharge);
    tcase_add_test(t, refusals_name_caveat_and_discharger);
    tcase_add_test(t, authorizers_name_blessing_and_caveat);
    tcase_add_test(t, bare_caveats_hold_or_say_why);
    tcase_add_test(t, bare_third_party_caveats_find_their_discharges);
    tcase_add_test(t, bare_caveats_may_take_time);
    tcase_add_test(t, check_survives_out_of_memory);
}

int main(void)
{
    return tst_run_case("security/check", add, setup, teardown);
}
