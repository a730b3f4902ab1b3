/* BSD-3-Clause; see LICENSE. */
/* Blessings and discharges by keys that answer later. */
#include "people.h"
#include "slow_key.h"

#include <vsec/check.h>

struct result {
    int done, rc;
    struct vsec_blessings *b;
    struct vsec_discharge *d;
};

static struct slow key;
static struct vsec_principal *p, *friend;
static struct result got;
static const v23_security_caveat_list none = { NULL, 0 };

static void done(void *ud, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d)
{
    struct result *r = ud;

    r->done++;
    r->rc = rc;
    r->b = vsec_blessings_ref(b);
    r->d = d == NULL ? NULL : vsec_discharge_ref(d);
}

static const struct vsec_issue_wait waiting = { done, &got };

static void setup(void)
{
    struct vsec_signer *real;

    people_setup();
    memset(&got, 0, sizeof(got));
    ck_assert_int_eq(vsec_signer_generate(e, "ed25519", &real), 0);
    slow_init(&key, real);
    ck_assert_int_eq(vsec_principal_new(e, &key.s, NULL, NULL, NULL, &p), 0);
    vsec_signer_unref(&key.s);
    friend = person();
}

static void teardown(void)
{
    vsec_blessings_unref(got.b);
    vsec_discharge_unref(got.d);
    vsec_principal_unref(friend);
    vsec_principal_unref(p);
    ck_assert(key.destroyed);
    people_teardown();
}

/* The principal's own blessing "slow". */
static struct vsec_blessings *own(const char *name)
{
    struct vsec_blessings *b;
    struct vsec_issue *i;

    ck_assert_int_eq(vsec_principal_bless_self_start(p, vdl_str(name), none,
        &waiting, &b, &i), V23_EAGAIN);
    slow_answer(&key);
    ck_assert_int_eq(got.done, 1);
    ck_assert_int_eq(got.rc, 0);
    b = got.b;
    memset(&got, 0, sizeof(got));
    return b;
}

static int start_bless(struct vsec_blessings *with, struct vsec_blessings **b,
    struct vsec_issue **i)
{
    v23_security_caveat any = vsec_caveat_unconstrained();
    char extension[] = "friend";
    struct vsec_bless what;
    int rc;

    what.key = friend->key;
    what.with = with;
    what.extension = vdl_str(extension);
    what.caveats = one(&any);
    rc = vsec_principal_bless_start(p, &what, &waiting, b, i);
    memset(extension, 'x', sizeof(extension)); /* not needed any more */
    memset(&any, 0xff, sizeof(any));
    return rc;
}

/* Blessings are good if they can be taken from the wire. */
static void check_good(const struct vsec_blessings *b, const char *text)
{
    v23_security_wire_blessings w = vsec_blessings_wire(b);
    struct vsec_blessings *again;

    ck_assert_int_eq(vsec_blessings_from_wire(e, NULL, &w, &again), 0);
    ck_assert(vdl_str_is(vsec_blessings_text(again), text));
    vsec_blessings_unref(again);
}

START_TEST(every_chain_waits_for_its_signature)
{
    struct vsec_blessings *two[2], *with, *b;
    struct vsec_issue *i;

    two[0] = own("one");
    two[1] = own("two");
    ck_assert_int_eq(vsec_blessings_union(two, 2, &with), 0);
    ck_assert_int_eq(start_bless(with, &b, &i), V23_EAGAIN);

    slow_answer(&key);
    ck_assert_int_eq(got.done, 0);
    slow_answer(&key);

    ck_assert_int_eq(got.done, 1);
    ck_assert_int_eq(got.rc, 0);
    ck_assert(vsec_pubkey_eq(got.b->key, friend->key));
    check_good(got.b, "one:friend,two:friend");
    vsec_blessings_unref(with);
    vsec_blessings_unref(two[0]);
    vsec_blessings_unref(two[1]);
}
END_TEST

START_TEST(quick_key_is_done_at_once)
{
    const v23_security_caveat any = vsec_caveat_unconstrained();
    struct vsec_blessings *b, *out;
    struct vsec_issue *i = NULL;
    struct vsec_bless what;

    b = self(friend, "quick");
    what.key = p->key;
    what.with = b;
    what.extension = vdl_str("x");
    what.caveats = one(&any);
    ck_assert_int_eq(vsec_principal_bless_start(friend, &what, &waiting, &out,
        &i), 0);
    check_good(out, "quick:x");
    ck_assert_int_eq(got.done, 0);
    vsec_blessings_unref(out);
    vsec_blessings_unref(b);
}
END_TEST

START_TEST(discharge_waits_for_its_signature)
{
    v23_security_caveat any = vsec_caveat_unconstrained(),
                        third = discharged_by(p, "");
    struct vsec_discharge *d;
    struct vsec_issue *i;
    struct vsec_mint what;

    what.caveat = &third;
    what.caveats = one(&any);
    ck_assert_int_eq(vsec_principal_mint_start(p, &what, &waiting, &d, &i),
        V23_EAGAIN);
    slow_answer(&key);
    ck_assert_int_eq(got.done, 1);
    ck_assert_int_eq(vsec_discharge_verify(got.d, p->key), 0);
}
END_TEST

START_TEST(failure_of_the_key_is_told)
{
    struct vsec_blessings *with = own("slow"), *b;
    struct vsec_issue *i;

    ck_assert_int_eq(start_bless(with, &b, &i), V23_EAGAIN);
    slow_fail(&key, V23_ETIMEOUT);
    ck_assert_int_eq(got.done, 1);
    ck_assert_int_eq(got.rc, V23_ETIMEOUT);
    ck_assert_ptr_null(got.b);
    vsec_blessings_unref(with);
}
END_TEST

START_TEST(cancelled_issue_says_nothing)
{
    struct vsec_blessings *with = own("slow"), *b;
    struct vsec_issue *i;

    ck_assert_int_eq(start_bless(with, &b, &i), V23_EAGAIN);
    vsec_issue_cancel(i);
    ck_assert_uint_eq(key.cancelled, 1);
    ck_assert_int_eq(got.done, 0);
    vsec_blessings_unref(with);
}
END_TEST

START_TEST(bad_arguments_are_refused_at_the_start)
{
    struct vsec_blessings *other = self(friend, "other"), *b;
    struct vsec_issue *i;

    ck_assert_int_eq(start_bless(other, &b, &i), V23_EKEYMISMATCH);
    ck_assert_int_eq(start_bless(NULL, &b, &i), V23_EARG);
    ck_assert_int_eq(vsec_principal_bless_self_start(p, vdl_str("a/b"), none,
        &waiting, &b, &i), V23_EPATTERN);
    vsec_blessings_unref(other);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, every_chain_waits_for_its_signature);
    tcase_add_test(t, quick_key_is_done_at_once);
    tcase_add_test(t, discharge_waits_for_its_signature);
    tcase_add_test(t, failure_of_the_key_is_told);
    tcase_add_test(t, cancelled_issue_says_nothing);
    tcase_add_test(t, bad_arguments_are_refused_at_the_start);
}

int main(void)
{
    return tst_run_case("security/issue", add, setup, teardown);
}
