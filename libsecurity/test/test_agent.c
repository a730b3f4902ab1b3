/* BSD-3-Clause; see LICENSE. */
/* Agents: principals that work through a connection. */
#include "agent_rig.h"

/* ---- a principal --------------------------------------------------------- */

START_TEST(principal_has_the_agents_state)
{
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    struct v23_buf mine, theirs;
    size_t n;

    ck_assert(vsec_pubkey_eq(p->key, owner->key));
    text_is(vsec_blessings_text(vsec_store_default(p->store)), "alice");
    vsec_store_peers(p->store, &n);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(vsec_roots_recognized(p->roots, owner->key->der,
        vdl_str("alice:x")), 0);
    ck_assert_int_eq(vsec_roots_recognized(p->roots, owner->key->der,
        vdl_str("bob")), V23_EUNTRUSTED);
    v23_buf_init(&mine, NULL, SIZE_MAX);
    v23_buf_init(&theirs, NULL, SIZE_MAX);
    ck_assert_int_eq(vsec_store_format(p->store, &mine), 0);
    ck_assert_int_eq(vsec_store_format(owner->store, &theirs), 0);
    ck_assert_str_eq(v23_buf_cstr(&mine), v23_buf_cstr(&theirs));
    v23_buf_fini(&mine);
    v23_buf_fini(&theirs);
    ck_assert_int_eq(u.ready, 0); /* told when nobody blocks */
    vsec_agent_run(u.here);
    ck_assert_int_eq(u.ready, 1);
    ck_assert_int_eq(u.ready_rc, 0);
    user_end(&u);
}
END_TEST

START_TEST(messages_are_signed)
{
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    struct vsec_signature sig;

    ck_assert_int_eq(vsec_principal_sign(p, "hello", 5, &arena, &sig, NULL),
        0);
    ck_assert_int_eq(vsec_verify(owner->key, &sig, "hello", 5), 0);
    ck_assert_mem_eq(sig.purpose.p, "S1", 2);
    user_end(&u);
}
END_TEST

START_TEST(only_messages_are_signed)
{
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    struct vsec_signature sig;

    ck_assert_int_eq(vsec_sign(p->signer, vdl_bytes((const uint8_t *)"B1", 2),
        "x", 1, &arena, &sig, NULL), V23_ENOSYS);
    user_end(&u);
}
END_TEST

START_TEST(blessings_are_given)
{
    struct user u;
    struct vsec_principal *p = user_new(&u, server), *bob = person();
    v23_security_caveat c[2] = { vsec_caveat_unconstrained() };
    struct vsec_bless what = { bob->key, vsec_store_default(p->store),
        VDL_STR_INIT("bob"), { c, 2 } };
    struct vsec_blessings *b, *s;

    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(2000000000), &c[1]), 0);
    ck_assert_int_eq(vsec_principal_bless(p, &what, &b), 0);
    text_is(vsec_blessings_text(b), "alice:bob");
    ck_assert(vsec_pubkey_eq(b->key, bob->key));
    /* In the order given: the last one is the one that must be there. */
    ck_assert_uint_eq(b->chains[0].certs.v[1].caveats.n, 2);
    ck_assert(vsec_caveat_is(&b->chains[0].certs.v[1].caveats.v[1],
        &vsec_kind_expiry));
    ck_assert_int_eq(vsec_principal_bless_self(p, vdl_str("carol"),
        one(&c[1]), &s), 0);
    text_is(vsec_blessings_text(s), "carol");
    ck_assert(s->expires);
    vsec_blessings_unref(s);
    vsec_blessings_unref(b);
    what.with = NULL;
    ck_assert_int_eq(vsec_principal_bless(p, &what, &b), V23_EARG);
    vsec_principal_unref(bob);
    user_end(&u);
}
END_TEST

START_TEST(discharges_are_minted_and_kept)
{
    const v23_security_discharge_impetus impetus = { { NULL, 0 },
        { NULL, 0 }, { NULL, 0 } };
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    v23_security_caveat any = vsec_caveat_unconstrained(),
                        c = discharged_by(owner, "discharger");
    struct vsec_discharge *d, *found;
    struct v23_walltime cached;

    ck_assert_int_eq(vsec_principal_mint_discharge(p, &c, one(&any), &d), 0);
    ck_assert_int_eq(vsec_discharge_verify(d, owner->key), 0);
    ck_assert_int_eq(vsec_store_discharge(p->store, &c, &impetus, at(1),
        &found, &cached), 0);
    ck_assert_ptr_null(found);
    ck_assert_int_eq(vsec_store_cache_discharge(p->store, d, &c, &impetus,
        at(1)), 0);
    settle_users(&u, 1);
    ck_assert_int_eq(vsec_store_discharge(p->store, &c, &impetus, at(1),
        &found, &cached), 0);
    ck_assert_ptr_nonnull(found);
    ck_assert_int_eq(cached.sec, 1500000000); /* by the agent's clock */
    ck_assert_int_eq(vsec_store_clear_discharges(p->store, &found, 1), 0);
    vsec_discharge_unref(found);
    ck_assert_int_eq(vsec_store_discharge(p->store, &c, &impetus, at(1),
        &found, NULL), 0);
    ck_assert_ptr_null(found);
    vsec_discharge_unref(d);
    user_end(&u);
}
END_TEST

/* ---- changes ------------------------------------------------------------- */

static void count(void *ud, struct vsec_store *s)
{
    (void)s;
    ++*(int *)ud;
}

START_TEST(changes_are_seen_by_who_makes_them)
{
    struct user u;
    struct vsec_principal *p = user_new(&u, server), *bob = person();
    struct vsec_blessings *b = self(owner, "al"), *old, *for_bob;
    int told = 0;
    struct vsec_store_watch w = { count, &told, NULL };

    vsec_store_watch(p->store, &w);
    ck_assert_int_eq(vsec_store_set(p->store, b, vdl_str("bob"), &old), 0);
    ck_assert_ptr_null(old);
    ck_assert_int_eq(told, 0);
    ck_assert_int_eq(vsec_store_for_peer(p->store, strs("bob", NULL, NULL),
        &for_bob), 0);
    text_is(vsec_blessings_text(for_bob), "al,alice");
    vsec_blessings_unref(for_bob);
    ck_assert_int_eq(vsec_store_set_default(p->store, b), 0);
    ck_assert_int_eq(told, 1);
    text_is(vsec_blessings_text(vsec_store_default(p->store)), "al");
    text_is(vsec_blessings_text(vsec_store_default(owner->store)), "al");
    ck_assert_int_eq(vsec_store_set(p->store, NULL, vdl_str("bob"), &old), 0);
    text_is(vsec_blessings_text(old), "al");
    vsec_blessings_unref(old);
    ck_assert_int_eq(vsec_roots_add(p->roots, bob->key->der, vdl_str("bob")),
        0);
    ck_assert_int_eq(vsec_roots_recognized(p->roots, bob->key->der,
        vdl_str("bob")), 0);
    ck_assert_int_eq(vsec_roots_recognized(owner->roots, bob->key->der,
        vdl_str("bob")), 0);
    ck_assert_int_eq(vsec_store_set(p->store, b, vdl_str("a/b"), NULL),
        V23_EPATTERN);
    vsec_store_unwatch(p->store, &w);
    vsec_blessings_unref(b);
    vsec_principal_unref(bob);
    user_end(&u);
}
END_TEST

START_TEST(changes_reach_other_users)
{
    struct user u[2];
    struct vsec_principal *p = user_new(&u[0], server),
                          *q = user_new(&u[1], server);
    struct vsec_blessings *b = self(owner, "al");
    int told = 0;
    struct vsec_store_watch w = { count, &told, NULL };

    settle_users(u, 2);
    vsec_store_watch(q->store, &w);
    ck_assert_int_eq(vsec_principal_set_default_blessings(p, b), 0);
    text_is(vsec_blessings_text(vsec_store_default(q->store)), "alice");
    settle_users(u, 2);
    text_is(vsec_blessings_text(vsec_store_default(q->store)), "al");
    ck_assert_int_eq(told, 1);
    ck_assert_int_eq(vsec_roots_recognized(q->roots, owner->key->der,
        vdl_str("al")), 0);
    vsec_store_unwatch(q->store, &w);
    vsec_blessings_unref(b);
    user_end(&u[1]);
    user_end(&u[0]);
}
END_TEST

START_TEST(agent_tells_of_its_own_changes)
{
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    struct vsec_blessings *b = self(owner, "al");

    ck_assert_int_eq(vsec_store_set_default(owner->store, b), 0);
    /* Many at once are told as one, and one more. */
    vsec_agent_server_flush(server);
    vsec_agent_server_flush(server);
    vsec_agent_server_flush(server);
    settle_users(&u, 1);
    text_is(vsec_blessings_text(vsec_store_default(p->store)), "al");
    vsec_blessings_unref(b);
    user_end(&u);
}
END_TEST

/* ---- the end of a connection --------------------------------------------- */

START_TEST(silent_agent_times_out)
{
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    struct vsec_signature sig;

    u.mute = true;
    ck_assert_int_eq(vsec_principal_sign(p, "x", 1, &arena, &sig, NULL),
        V23_ETIMEOUT);
    /* The late answer belongs to nobody. */
    u.mute = false;
    settle_users(&u, 1);
    ck_assert_int_eq(vsec_principal_sign(p, "x", 1, &arena, &sig, NULL), 0);
    user_end(&u);
}
END_TEST

START_TEST(principal_outlives_its_client)
{
    struct user u;
    struct vsec_principal *p = vsec_principal_ref(user_new(&u, server));
    struct vsec_signature sig;

    user_end(&u);
    text_is(vsec_blessings_text(vsec_store_default(p->store)), "alice");
    ck_assert_int_eq(vsec_principal_sign(p, "x", 1, &arena, &sig, NULL),
        V23_ECLOSED);
    ck_assert_int_eq(vsec_store_set_default(p->store, NULL), V23_ECLOSED);
    ck_assert_int_eq(vsec_roots_add(p->roots, owner->key->der,
        vdl_str("x")), V23_ECLOSED);
    vsec_principal_unref(p);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, principal_has_the_agents_state);
    tcase_add_test(t, messages_are_signed);
    tcase_add_test(t, only_messages_are_signed);
    tcase_add_test(t, blessings_are_given);
    tcase_add_test(t, discharges_are_minted_and_kept);
    tcase_add_test(t, changes_are_seen_by_who_makes_them);
    tcase_add_test(t, changes_reach_other_users);
    tcase_add_test(t, agent_tells_of_its_own_changes);
    tcase_add_test(t, silent_agent_times_out);
    tcase_add_test(t, principal_outlives_its_client);
}

int main(void)
{
    return tst_run_case("security/agent", add, agent_setup, agent_teardown);
}
