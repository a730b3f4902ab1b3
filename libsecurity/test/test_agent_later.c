/* BSD-3-Clause; see LICENSE. */
/* Users of agents who do not wait: answers that come later. */
#include "agent_rig.h"
#include "slow_key.h"

/* ---- signatures ---------------------------------------------------------- */

/* A user of an agent whose key takes its time. */
struct slow_user {
    struct slow x;
    struct vsec_principal *owner, *p;
    struct vsec_agent_server *server;
    struct user u;
    int done, rc;
};

static void slow_begin(struct slow_user *s)
{
    struct vsec_signer *real;

    memset(s, 0, sizeof(*s));
    ck_assert_int_eq(vsec_signer_generate(e, "ecdsa256", &real), 0);
    slow_init(&s->x, real);
    s->x.at_once = true;
    ck_assert_int_eq(vsec_principal_new(e, &s->x.s, NULL, NULL, NULL,
        &s->owner), 0);
    vsec_signer_unref(&s->x.s);
    s->server = agent(s->owner);
    s->p = user_new(&s->u, s->server);
    settle_users(&s->u, 1);
}

static void slow_end(struct slow_user *s)
{
    user_end(&s->u);
    vsec_agent_server_free(s->server);
    vsec_principal_unref(s->owner);
}

static void slow_done(void *ud, struct v23_op op, int rc,
    const struct vsec_signature *sig)
{
    struct slow_user *s = ud;

    ck_assert_uint_eq(op.index, 5);
    s->done++;
    s->rc = rc;
    if (rc == 0)
        s->rc = vsec_verify(s->owner->key, sig, "later", 5);
}

static void slow_start(struct slow_user *s)
{
    const struct vsec_sign_wait wait = { slow_done, s, { 5, 1 } };
    struct vsec_signature sig;

    ck_assert_int_eq(vsec_principal_sign(s->p, "later", 5, &arena, &sig,
        &wait), V23_EAGAIN);
}

START_TEST(signature_comes_later)
{
    struct slow_user s;

    slow_begin(&s);
    slow_start(&s);
    settle_users(&s.u, 1);
    ck_assert(s.x.busy);
    ck_assert_int_eq(s.done, 0);
    slow_answer(&s.x);
    settle_users(&s.u, 1);
    ck_assert_int_eq(s.done, 1);
    ck_assert_int_eq(s.rc, 0);
    slow_end(&s);
}
END_TEST

START_TEST(answers_come_in_any_order)
{
    struct slow_user s;

    slow_begin(&s);
    slow_start(&s);
    settle_users(&s.u, 1);
    ck_assert_int_eq(vsec_roots_add(s.p->roots, s.p->key->der, vdl_str("x")),
        0);
    ck_assert_int_eq(s.done, 0);
    slow_answer(&s.x);
    settle_users(&s.u, 1);
    ck_assert_int_eq(s.done, 1);
    slow_end(&s);
}
END_TEST

START_TEST(who_blocks_is_not_called_back)
{
    struct slow_user s;

    slow_begin(&s);
    slow_start(&s);
    settle_users(&s.u, 1);
    slow_answer(&s.x); /* its answer comes before that of the blocking call */
    ck_assert_int_eq(vsec_roots_add(s.p->roots, s.p->key->der, vdl_str("x")),
        0);
    ck_assert_int_eq(s.done, 0);
    vsec_agent_run(s.u.here);
    ck_assert_int_eq(s.done, 1);
    slow_end(&s);
}
END_TEST

START_TEST(canceled_signature_calls_nobody)
{
    const struct v23_op op = { 5, 1 };
    struct slow_user s;

    slow_begin(&s);
    slow_start(&s);
    settle_users(&s.u, 1);
    vsec_sign_cancel(s.p->signer, &s, op);
    slow_answer(&s.x);
    settle_users(&s.u, 1);
    ck_assert_int_eq(s.done, 0);
    slow_end(&s);
}
END_TEST

START_TEST(end_fails_what_is_pending)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b;
    struct slow_user s;

    slow_begin(&s);
    slow_start(&s);
    settle_users(&s.u, 1);
    vsec_agent_close(s.u.here, V23_EEOF);
    ck_assert_int_eq(s.done, 1);
    ck_assert_int_eq(s.rc, V23_ECLOSED);
    ck_assert_int_eq(s.u.closed, 1);
    ck_assert_int_eq(s.u.closed_rc, V23_EEOF);
    ck_assert_int_eq(vsec_principal_bless_self(s.p, vdl_str("x"), none, &b),
        V23_ECLOSED);
    /* The agent hears that its user is gone, and asks for no signature. */
    vsec_agent_close(s.u.there, V23_EEOF);
    ck_assert(!s.x.busy);
    slow_end(&s);
}
END_TEST

/* ---- blessings and discharges -------------------------------------------- */

struct issued {
    int done, rc;
    struct vsec_blessings *b;
    struct vsec_discharge *d;
};

static void issued(void *ud, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d)
{
    struct issued *s = ud;

    s->done++;
    s->rc = rc;
    s->b = vsec_blessings_ref(b);
    s->d = vsec_discharge_ref(d);
}

static struct vsec_issue *bless_later(struct vsec_principal *p,
    struct issued *s)
{
    const v23_security_caveat_list none = { NULL, 0 };
    const struct vsec_issue_wait wait = { issued, s };
    struct vsec_issue *i = NULL;
    struct vsec_blessings *b;

    memset(s, 0, sizeof(*s));
    ck_assert_int_eq(vsec_principal_bless_self_start(p, vdl_str("x"), none,
        &wait, &b, &i), V23_EAGAIN);
    ck_assert_ptr_nonnull(i);
    return i;
}

START_TEST(blessings_and_discharges_come_later)
{
    v23_security_caveat any = vsec_caveat_unconstrained(),
                        c = discharged_by(owner, "discharger");
    const struct vsec_mint mint = { &c, one(&any) };
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    struct vsec_bless what = { p->key, vsec_store_default(p->store),
        VDL_STR_INIT("me"), one(&any) };
    struct issued s = { 0, 0, NULL, NULL };
    const struct vsec_issue_wait wait = { issued, &s };
    struct vsec_blessings *b;
    struct vsec_discharge *d;
    struct vsec_issue *i;

    (void)bless_later(p, &s);
    settle_users(&u, 1);
    ck_assert_int_eq(s.done, 1);
    ck_assert_int_eq(s.rc, 0);
    text_is(vsec_blessings_text(s.b), "x");
    vsec_blessings_unref(s.b);
    ck_assert_int_eq(vsec_principal_bless_start(p, &what, &wait, &b, &i),
        V23_EAGAIN);
    settle_users(&u, 1);
    text_is(vsec_blessings_text(s.b), "alice:me");
    vsec_blessings_unref(s.b);
    ck_assert_int_eq(vsec_principal_mint_start(p, &mint, &wait, &d, &i),
        V23_EAGAIN);
    settle_users(&u, 1);
    ck_assert_int_eq(s.done, 3);
    ck_assert_ptr_null(s.b);
    ck_assert_int_eq(vsec_discharge_verify(s.d, owner->key), 0);
    vsec_discharge_unref(s.d);
    user_end(&u);
}
END_TEST

START_TEST(agent_waits_for_its_key)
{
    struct slow_user s;
    struct issued r;

    slow_begin(&s);
    (void)bless_later(s.p, &r);
    settle_users(&s.u, 1);
    ck_assert_int_eq(r.done, 0);
    slow_answer(&s.x);
    settle_users(&s.u, 1);
    ck_assert_int_eq(r.done, 1);
    text_is(vsec_blessings_text(r.b), "x");
    vsec_blessings_unref(r.b);
    /* Its user leaves: the key is not waited for. */
    (void)bless_later(s.p, &r);
    settle_users(&s.u, 1);
    ck_assert(s.x.busy);
    vsec_agent_close(s.u.there, V23_EEOF);
    ck_assert(!s.x.busy);
    vsec_agent_close(s.u.here, V23_EEOF);
    ck_assert_int_eq(r.done, 1);
    ck_assert_int_eq(r.rc, V23_ECLOSED);
    slow_end(&s);
}
END_TEST

START_TEST(canceled_blessing_calls_nobody)
{
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    struct issued s;

    vsec_issue_cancel(bless_later(p, &s));
    settle_users(&u, 1);
    ck_assert_int_eq(s.done, 0);
    user_end(&u);
}
END_TEST

START_TEST(agents_can_be_chained)
{
    struct user u, v;
    struct vsec_principal *p = user_new(&u, server), *q;
    struct vsec_agent_server *second = agent(p);
    struct vsec_signature sig;
    struct issued s;

    q = user_new(&v, second);
    (void)bless_later(q, &s);
    settle_users(&v, 1);
    settle_users(&u, 1);
    ck_assert_int_eq(s.done, 0);
    settle_users(&v, 1);
    ck_assert_int_eq(s.done, 1);
    text_is(vsec_blessings_text(s.b), "x");
    vsec_blessings_unref(s.b);
    /* The second agent asks the first without blocking: somebody has to carry
     * octets there. */
    ck_assert_int_eq(vsec_principal_sign(q, "x", 1, &arena, &sig, NULL),
        V23_ETIMEOUT);
    settle_users(&u, 1);
    settle_users(&v, 1);
    ck_assert_int_eq(vsec_store_set_default(q->store, NULL), 0);
    ck_assert_ptr_null(vsec_store_default(owner->store));
    user_end(&v);
    vsec_agent_server_free(second);
    user_end(&u);
}
END_TEST

struct found {
    int done, rc;
    struct vsec_discharge *d;
    struct v23_walltime cached;
};

static void found_later(void *ud, int rc, struct vsec_discharge *d,
    struct v23_walltime cached)
{
    struct found *f = ud;

    f->done++;
    f->rc = rc;
    f->d = vsec_discharge_ref(d);
    f->cached = cached;
}

START_TEST(discharges_are_looked_up_later)
{
    const v23_security_discharge_impetus impetus = { { NULL, 0 },
        { NULL, 0 }, { NULL, 0 } };
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    v23_security_caveat until, c = discharged_by(owner, "discharger");
    struct vsec_look_up what = { &c, &impetus, { 1, 0 } };
    struct found f = { 0, 0, NULL, { 0, 0 } };
    const struct vsec_look_up_wait wait = { found_later, &f };
    struct vsec_discharge *d;
    struct v23_walltime cached;

    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(1600000000), &until), 0);
    ck_assert_int_eq(vsec_principal_mint_discharge(p, &c, one(&until), &d),
        0);
    ck_assert_int_eq(vsec_store_cache_discharge(p->store, d, &c, &impetus,
        at(1)), 0);
    vsec_discharge_unref(d);
    ck_assert_int_eq(vsec_store_discharge_start(p->store, &what, &wait, &d,
        &cached), V23_EAGAIN);
    settle_users(&u, 1);
    ck_assert_int_eq(f.done, 1);
    ck_assert_int_eq(f.rc, 0);
    ck_assert_ptr_nonnull(f.d);
    ck_assert_int_eq(f.cached.sec, 1500000000);
    vsec_discharge_unref(f.d);
    what.now = at(1700000000); /* by the user's clock it has expired */
    ck_assert_int_eq(vsec_store_discharge_start(p->store, &what, &wait, &d,
        &cached), V23_EAGAIN);
    settle_users(&u, 1);
    ck_assert_int_eq(f.done, 2);
    ck_assert_ptr_null(f.d);
    ck_assert_int_eq(vsec_store_discharge_start(p->store, &what, &wait, &d,
        &cached), V23_EAGAIN);
    vsec_store_discharge_cancel(p->store, &f);
    settle_users(&u, 1);
    ck_assert_int_eq(f.done, 2);
    /* At home nobody waits. */
    what.now = at(1);
    ck_assert_int_eq(vsec_store_discharge_start(owner->store, &what, &wait,
        &d, &cached), 0);
    ck_assert_ptr_nonnull(d);
    vsec_discharge_unref(d);
    user_end(&u);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, discharges_are_looked_up_later);
    tcase_add_test(t, signature_comes_later);
    tcase_add_test(t, answers_come_in_any_order);
    tcase_add_test(t, who_blocks_is_not_called_back);
    tcase_add_test(t, canceled_signature_calls_nobody);
    tcase_add_test(t, end_fails_what_is_pending);
    tcase_add_test(t, blessings_and_discharges_come_later);
    tcase_add_test(t, agent_waits_for_its_key);
    tcase_add_test(t, canceled_blessing_calls_nobody);
    tcase_add_test(t, agents_can_be_chained);
}

int main(void)
{
    return tst_run_case("security/agent_later", add, agent_setup,
        agent_teardown);
}
