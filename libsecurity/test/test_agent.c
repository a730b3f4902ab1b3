/* BSD-3-Clause; see LICENSE. */
/* Agents: principals that work through a connection. */
#include "agent_rig.h"
#include "slow_key.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vsec/check.h>

static struct vsec_principal *owner; /* the agent's */
static struct vsec_agent_server *server;

static void setup(void)
{
    struct vsec_blessings *b;

    people_setup();
    owner = person();
    b = self(owner, "alice");
    ck_assert_int_eq(vsec_principal_set_default_blessings(owner, b), 0);
    vsec_blessings_unref(b);
    server = agent(owner);
}

static void teardown(void)
{
    vsec_agent_server_free(server);
    vsec_principal_unref(owner);
    people_teardown();
}

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

static v23_security_caveat third_party(struct vsec_principal *discharger)
{
    v23_security_caveat any = vsec_caveat_unconstrained(), c;
    struct vsec_third_party what;

    memset(&what, 0, sizeof(what));
    what.key = discharger->key->der;
    what.location = vdl_str("discharger");
    what.caveats = one(&any);
    ck_assert_int_eq(vsec_caveat_third_party(e, &arena, &what, &c), 0);
    return c;
}

START_TEST(discharges_are_minted_and_kept)
{
    const v23_security_discharge_impetus impetus = { { NULL, 0 },
        { NULL, 0 }, { NULL, 0 } };
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    v23_security_caveat any = vsec_caveat_unconstrained(),
                        c = third_party(owner);
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
    v23_security_caveat until, c = third_party(owner);
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

/* ---- waiting ------------------------------------------------------------- */

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

/* ---- what the agent makes, later ----------------------------------------- */

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
                        c = third_party(owner);
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

/* ---- other keys ---------------------------------------------------------- */

static char dir[] = "/tmp/v23-keys-XXXXXX";
static unsigned listeners;

static int keys_listen(void *ud, struct vsec_agent_server *s,
    const char *path, void **listener)
{
    (void)ud;
    if (strcmp(path, "/bad") == 0)
        return V23_ESYS;
    listeners++;
    *listener = s;
    return 0;
}

static void keys_unlisten(void *ud, void *listener)
{
    (void)ud;
    ck_assert_ptr_nonnull(listener);
    listeners--;
}

static struct vsec_agent_keys *keys_new(const char *at_dir)
{
    struct vsec_agent_keys_config cfg;
    struct vsec_agent_keys *k;

    memset(&cfg, 0, sizeof(cfg));
    cfg.engine = e;
    cfg.dir = at_dir;
    cfg.pass = v23_bytes("secret", 6);
    cfg.listen = keys_listen;
    cfg.unlisten = keys_unlisten;
    ck_assert_int_eq(vsec_agent_keys_new(&cfg, &k), 0);
    return k;
}

static struct vsec_agent_server *managing(struct vsec_agent_keys *k)
{
    struct vsec_agent_manager m = vsec_agent_keys_manager(k);
    struct vsec_agent_server_config cfg;
    struct vsec_agent_server *s;

    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = owner;
    cfg.manager = &m;
    ck_assert_int_eq(vsec_agent_server_new(&cfg, &s), 0);
    return s;
}

START_TEST(keys_in_memory_come_and_go)
{
    struct vsec_agent_keys *k = keys_new(NULL);
    struct vsec_agent_server *s = managing(k);
    uint8_t handle[VSEC_AGENT_HANDLE], other[VSEC_AGENT_HANDLE] = { 1 };
    struct user u;

    user_new(&u, s);
    ck_assert_int_eq(vsec_agent_key_new(u.client, false, handle), V23_ENOSYS);
    ck_assert_int_eq(vsec_agent_key_new(u.client, true, handle), 0);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, other, "/s"), V23_ENOENT);
    ck_assert_int_eq(vsec_agent_key_stop(u.client, handle), V23_ENOENT);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, ""), V23_EARG);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, "/bad"),
        V23_EWIREERR);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, "/s"), 0);
    ck_assert_uint_eq(listeners, 1);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, "/t"),
        V23_EEXIST);
    ck_assert_int_eq(vsec_agent_key_stop(u.client, handle), 0);
    ck_assert_uint_eq(listeners, 0);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, "/s"), 0);
    ck_assert_int_eq(vsec_agent_key_delete(u.client, handle), 0);
    ck_assert_uint_eq(listeners, 0);
    ck_assert_int_eq(vsec_agent_key_delete(u.client, handle), V23_ENOENT);
    user_end(&u);
    vsec_agent_server_free(s);
    vsec_agent_keys_free(k);
}
END_TEST

START_TEST(agent_without_manager_says_so)
{
    uint8_t handle[VSEC_AGENT_HANDLE];
    struct user u;

    user_new(&u, server);
    ck_assert_int_eq(vsec_agent_key_new(u.client, true, handle), V23_ENOSYS);
    ck_assert_str_eq(vsec_agent_client_error(u.client),
        "the agent manages no other keys");
    user_end(&u);
}
END_TEST

static unsigned entries(const char *path, const char *sub, mode_t mode)
{
    char at_path[512];
    struct dirent *d;
    struct stat st;
    unsigned n = 0;
    DIR *h;

    snprintf(at_path, sizeof(at_path), "%s/%s", path, sub);
    h = opendir(at_path);
    ck_assert_ptr_nonnull(h);
    while ((d = readdir(h)) != NULL) {
        if (d->d_name[0] == '.')
            continue;
        ck_assert_uint_eq(strlen(d->d_name), 88);
        snprintf(at_path, sizeof(at_path), "%s/%s/%s", path, sub, d->d_name);
        ck_assert_int_eq(stat(at_path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, mode);
        n++;
    }
    closedir(h);
    return n;
}

START_TEST(keys_on_disk_are_found_again)
{
    struct vsec_agent_keys *k;
    struct vsec_agent_manager m;
    uint8_t handle[VSEC_AGENT_HANDLE];
    char path[64];

    strcpy(dir + sizeof(dir) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    k = keys_new(dir);
    m = vsec_agent_keys_manager(k);
    ck_assert_int_eq(m.create(m.ud, false, handle), 0);
    ck_assert_uint_eq(entries(dir, "keys", 0600), 1);
    ck_assert_uint_eq(entries(dir, "creds", 0700), 1);
    vsec_agent_keys_free(k);
    k = keys_new(dir);
    m = vsec_agent_keys_manager(k);
    ck_assert_int_eq(m.serve(m.ud, handle, "/s"), 0);
    ck_assert_int_eq(m.remove(m.ud, handle), 0);
    ck_assert_uint_eq(listeners, 0);
    ck_assert_int_eq(m.serve(m.ud, handle, "/s"), V23_ENOENT);
    ck_assert_uint_eq(entries(dir, "keys", 0600), 0);
    ck_assert_uint_eq(entries(dir, "creds", 0700), 0);
    vsec_agent_keys_free(k);
    snprintf(path, sizeof(path), "%s/keys", dir);
    rmdir(path);
    snprintf(path, sizeof(path), "%s/creds", dir);
    rmdir(path);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, principal_has_the_agents_state);
    tcase_add_test(t, messages_are_signed);
    tcase_add_test(t, only_messages_are_signed);
    tcase_add_test(t, blessings_are_given);
    tcase_add_test(t, discharges_are_minted_and_kept);
    tcase_add_test(t, discharges_are_looked_up_later);
    tcase_add_test(t, changes_are_seen_by_who_makes_them);
    tcase_add_test(t, changes_reach_other_users);
    tcase_add_test(t, agent_tells_of_its_own_changes);
    tcase_add_test(t, signature_comes_later);
    tcase_add_test(t, answers_come_in_any_order);
    tcase_add_test(t, who_blocks_is_not_called_back);
    tcase_add_test(t, canceled_signature_calls_nobody);
    tcase_add_test(t, end_fails_what_is_pending);
    tcase_add_test(t, silent_agent_times_out);
    tcase_add_test(t, principal_outlives_its_client);
    tcase_add_test(t, blessings_and_discharges_come_later);
    tcase_add_test(t, agent_waits_for_its_key);
    tcase_add_test(t, canceled_blessing_calls_nobody);
    tcase_add_test(t, agents_can_be_chained);
    tcase_add_test(t, keys_in_memory_come_and_go);
    tcase_add_test(t, agent_without_manager_says_so);
    tcase_add_test(t, keys_on_disk_are_found_again);
}

int main(void)
{
    return tst_run_case("security/agent", add, setup, teardown);
}
