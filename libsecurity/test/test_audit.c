/* BSD-3-Clause; see LICENSE. */
/* Principals whose every use of the key is recorded. */
#include "people.h"
#include "slow_key.h"

#include <vsec/audit.h>

/* The last record, as text, and how many there were. */
static struct v23_buf text;
static int records, fail;

static int keep(void *ud, const struct vsec_audit_record *r)
{
    ck_assert_ptr_eq(ud, &records);
    records++;
    v23_buf_cut(&text, 0);
    ck_assert_int_eq(vsec_audit_format(e, r, at(1136214245), &text), 0);
    v23_buf_cstr(&text);
    return fail;
}

static const struct vsec_auditor auditor = { keep, &records };
static struct vsec_principal *own, *p, *other;
static struct vsec_blessings *mine;

static void setup(void)
{
    people_setup();
    v23_buf_init(&text, NULL, 1 << 16);
    records = 0;
    fail = 0;
    own = person();
    other = person();
    mine = self(own, "me");
    ck_assert_int_eq(vsec_principal_audited(own, &auditor, &p), 0);
}

static void teardown(void)
{
    v23_buf_fini(&text);
    vsec_blessings_unref(mine);
    vsec_principal_unref(p);
    vsec_principal_unref(other);
    vsec_principal_unref(own);
    people_teardown();
}

static void recorded(const char *want)
{
    ck_assert_int_eq(records, 1);
    ck_assert_str_eq(v23_buf_cstr(&text), want);
}

static const char *fingerprint(struct vsec_principal *q)
{
    static char buf[VSEC_FINGERPRINT];

    ck_assert_int_eq(vsec_fingerprint(e->crypto, q->key->der, buf), 0);
    return buf;
}

/* Text of a caveat. */
static const char *form(const v23_security_caveat *c)
{
    static struct v23_buf b[2];
    static unsigned next;
    struct v23_buf *t = &b[next++ % 2];
    static char keep_text[2][400];
    char *k = keep_text[next % 2];

    v23_buf_init_fixed(t, k, 400);
    ck_assert_int_eq(vsec_caveat_format(e, c, t), 0);
    return v23_buf_cstr(t);
}

static int do_bless(v23_security_caveat_list l, struct vsec_blessings **out)
{
    struct vsec_bless what;

    what.key = other->key;
    what.with = mine;
    what.extension = vdl_str("friend");
    what.caveats = l;
    return vsec_principal_bless(p, &what, out);
}

START_TEST(bless_is_recorded_with_its_arguments_in_order)
{
    v23_security_caveat c[2];
    v23_security_caveat_list l = { c, 2 };
    struct vsec_blessings *b;
    char want[900];

    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(500), &c[0]), 0);
    c[1] = vsec_caveat_unconstrained();

    ck_assert_int_eq(do_bless(l, &b), 0);

    snprintf(want, sizeof(want), "2006-01-02T15:04:05Z: Bless(%s, me, friend, "
        "%s, %s) = (me:friend)", fingerprint(other), form(&c[1]),
        form(&c[0]));
    recorded(want);
    ck_assert(text_is(vsec_blessings_text(b), "me:friend"));
    vsec_blessings_unref(b);
}
END_TEST

START_TEST(bless_self_is_recorded)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b;

    ck_assert_int_eq(vsec_principal_bless_self(p, vdl_str("self"), none, &b),
        0);

    recorded("2006-01-02T15:04:05Z: BlessSelf(self) = (self)");
    vsec_blessings_unref(b);
}
END_TEST

START_TEST(control_characters_do_not_begin_new_records)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b;

    ck_assert_int_eq(vsec_principal_bless_self(p, vdl_str("a\nb\x7f"), none,
        &b), 0);

    recorded("2006-01-02T15:04:05Z: BlessSelf(a?b?) = (a?b?)");
    vsec_blessings_unref(b);
}
END_TEST

START_TEST(sign_is_recorded_without_the_signature)
{
    struct vsec_signature sig;

    ck_assert_int_eq(vsec_principal_sign(p, "\1\2\377", 3, &arena, &sig,
        NULL), 0);

    recorded("2006-01-02T15:04:05Z: Sign([1 2 255])");
    ck_assert_int_eq(vsec_verify(own->key, &sig, "\1\2\377", 3), 0);
}
END_TEST

START_TEST(mint_discharge_is_recorded_without_the_discharge)
{
    v23_security_caveat tp = discharged_by(own, "dischargers"),
                        any = vsec_caveat_unconstrained();
    struct vsec_discharge *d;
    char want[900];

    ck_assert_int_eq(vsec_principal_mint_discharge(p, &tp, one(&any), &d), 0);

    snprintf(want, sizeof(want), "2006-01-02T15:04:05Z: MintDischarge(%s, %s)",
        form(&tp), form(&any));
    recorded(want);
    ck_assert_int_eq(vsec_discharge_verify(d, own->key), 0);
    vsec_discharge_unref(d);
}
END_TEST

START_TEST(result_that_cannot_be_recorded_is_withheld)
{
    v23_security_caveat any = vsec_caveat_unconstrained(),
                        tp = discharged_by(own, "dischargers");
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b = NULL;
    struct vsec_discharge *d = NULL;
    struct vsec_signature sig;

    fail = V23_ENOSPC;
    memset(&sig, 0, sizeof(sig));
    ck_assert_int_eq(do_bless(one(&any), &b), V23_EAUDIT);
    ck_assert_int_eq(vsec_principal_bless_self(p, vdl_str("x"), none, &b),
        V23_EAUDIT);
    ck_assert_int_eq(vsec_principal_sign(p, "m", 1, &arena, &sig, NULL),
        V23_EAUDIT);
    ck_assert_int_eq(vsec_principal_mint_discharge(p, &tp, one(&any), &d),
        V23_EAUDIT);
    ck_assert_int_eq(records, 4);
    ck_assert_ptr_null(b);
    ck_assert_ptr_null(d);
    ck_assert_uint_eq(sig.ed25519.n, 0);
}
END_TEST

START_TEST(what_fails_is_not_recorded)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_principal *blind, *q;
    struct vsec_signature sig;
    struct vsec_blessings *b;

    ck_assert_int_eq(vsec_principal_bless_self(p, vdl_str("a:..."), none, &b),
        V23_EPATTERN);
    ck_assert_int_eq(do_bless(none, &b), V23_EARG);
    ck_assert_int_eq(vsec_principal_new(e, NULL, own->key, NULL, NULL,
        &blind), 0);
    ck_assert_int_eq(vsec_principal_audited(blind, &auditor, &q), 0);
    ck_assert_int_eq(vsec_principal_sign(q, "m", 1, &arena, &sig, NULL),
        V23_ENOSYS);
    ck_assert_int_eq(records, 0);
    vsec_principal_unref(q);
    vsec_principal_unref(blind);
}
END_TEST

START_TEST(store_roots_and_key_are_those_of_the_other)
{
    ck_assert_ptr_eq(p->store, own->store);
    ck_assert_ptr_eq(p->roots, own->roots);
    ck_assert_ptr_eq(p->key, own->key);
    ck_assert_int_eq(vsec_principal_set_default_blessings(p, mine), 0);
    ck_assert_int_eq(records, 0);
    ck_assert(vsec_blessings_eq(vsec_store_default(own->store), mine));
}
END_TEST

/* ---- signatures that come later ------------------------------------------ */

static struct slow slow;
static struct vsec_principal *slow_own, *slow_p;
static int done_calls, done_rc;

static void slow_setup(void)
{
    struct vsec_signer *real;

    setup();
    ck_assert_int_eq(vsec_signer_generate(e, "ed25519", &real), 0);
    slow_init(&slow, real);
    ck_assert_int_eq(vsec_principal_new(e, &slow.s, NULL, NULL, NULL,
        &slow_own), 0);
    vsec_signer_unref(&slow.s);
    ck_assert_int_eq(vsec_principal_audited(slow_own, &auditor, &slow_p), 0);
    done_calls = 0;
}

static void slow_teardown(void)
{
    vsec_principal_unref(slow_p);
    vsec_principal_unref(slow_own);
    teardown();
}

static void done(void *ud, struct v23_op op, int rc,
    const struct vsec_signature *sig)
{
    ck_assert_ptr_eq(ud, &done_rc);
    ck_assert_uint_eq(op.index, 9);
    ck_assert((sig != NULL) == (rc == 0));
    if (sig != NULL)
        ck_assert_int_eq(vsec_verify(slow_own->key, sig, "later", 5), 0);
    done_calls++;
    done_rc = rc;
}

static const struct vsec_sign_wait wait_done = { done, &done_rc, { 9, 2 } };

static void start(void)
{
    struct vsec_signature sig;
    char msg[] = "later"; /* the caller's only during the call */

    ck_assert_int_eq(vsec_principal_sign(slow_p, msg, 5, &arena, &sig,
        &wait_done), V23_EAGAIN);
    memset(msg, 0, sizeof(msg));
    ck_assert_int_eq(records, 0);
}

START_TEST(late_signature_is_recorded_when_it_comes)
{
    start();

    slow_answer(&slow);

    recorded("2006-01-02T15:04:05Z: Sign([108 97 116 101 114])");
    ck_assert_int_eq(done_calls, 1);
    ck_assert_int_eq(done_rc, 0);
}
END_TEST

START_TEST(late_signature_is_withheld_when_not_recorded)
{
    fail = 1;
    start();

    slow_answer(&slow);

    ck_assert_int_eq(records, 1);
    ck_assert_int_eq(done_calls, 1);
    ck_assert_int_eq(done_rc, V23_EAUDIT);
}
END_TEST

START_TEST(late_failure_is_not_recorded)
{
    start();

    slow_fail(&slow, V23_ECRYPTO);

    ck_assert_int_eq(records, 0);
    ck_assert_int_eq(done_rc, V23_ECRYPTO);
}
END_TEST

START_TEST(late_signature_can_be_cancelled)
{
    const struct v23_op stale = { 9, 1 };

    start();
    vsec_principal_sign_cancel(slow_p, &done_rc, stale);
    ck_assert(slow.busy);

    vsec_principal_sign_cancel(slow_p, &done_rc, wait_done.op);

    ck_assert(!slow.busy);
    ck_assert_uint_eq(slow.cancelled, 1);
    vsec_principal_sign_cancel(slow_p, &done_rc, wait_done.op);
    ck_assert_uint_eq(slow.cancelled, 1);
    ck_assert_int_eq(records + done_calls, 0);
}
END_TEST

START_TEST(last_owner_cancels_late_signatures)
{
    start();
    start();

    vsec_principal_unref(slow_p);
    slow_p = NULL;

    ck_assert(!slow.busy);
    ck_assert_int_eq(records + done_calls, 0);
}
END_TEST

static struct vsec_blessings *issued;

static void issue_done(void *ud, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d)
{
    ck_assert_ptr_eq(ud, &done_rc);
    ck_assert_ptr_null(d);
    done_calls++;
    done_rc = rc;
    if (rc == 0)
        issued = vsec_blessings_ref(b);
}

/* What is made with a late signature is recorded once, when it is complete. */
START_TEST(late_blessings_are_recorded_or_withheld)
{
    const struct vsec_issue_wait wait = { issue_done, &done_rc };
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *now;
    struct vsec_issue *i;

    fail = _i;
    ck_assert_int_eq(vsec_principal_bless_self_start(slow_p, vdl_str("late"),
        none, &wait, &now, &i), V23_EAGAIN);
    ck_assert_int_eq(records, 0);

    slow_answer(&slow);

    recorded("2006-01-02T15:04:05Z: BlessSelf(late) = (late)");
    ck_assert_int_eq(done_calls, 1);
    ck_assert_int_eq(done_rc, _i == 0 ? 0 : V23_EAUDIT);
    if (_i == 0)
        vsec_blessings_unref(issued);
}
END_TEST

START_TEST(nobody_waiting_is_told_at_once)
{
    struct vsec_signature sig;

    ck_assert_int_eq(vsec_principal_sign(slow_p, "m", 1, &arena, &sig, NULL),
        V23_EAGAIN);
    ck_assert(!slow.busy);
}
END_TEST

/* ---- lack of memory ------------------------------------------------------ */

static int count(void *ud, const struct vsec_audit_record *r)
{
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, ud, 4096);
    rc = vsec_audit_format(e, r, at(0), &b);
    ck_assert(rc == 0 || b.n == 0);
    v23_buf_fini(&b);
    return rc;
}

static int audit_once(const struct v23_alloc *al, void *ud)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_principal *inner = NULL, *q = NULL;
    struct vsec_auditor a;
    struct vsec_blessings *b = NULL;
    struct vsec_engine *mine_e;
    int rc = vsec_engine_new(&mine_e, &counted, al, NULL);

    (void)ud;
    if (rc != 0)
        return rc;
    a.record = count;
    a.ud = (void *)(uintptr_t)al;
    rc = vsec_principal_generate(mine_e, "ed25519", &inner);
    if (rc == 0)
        rc = vsec_principal_audited(inner, &a, &q);
    if (rc == 0)
        rc = vsec_principal_bless_self(q, vdl_str("x"), none, &b);
    vsec_blessings_unref(b);
    vsec_principal_unref(q);
    vsec_principal_unref(inner);
    vsec_engine_unref(mine_e);
    return rc == V23_EAUDIT ? V23_ENOMEM : rc;
}

START_TEST(auditing_survives_out_of_memory)
{
    tst_out_of_memory(audit_once, NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("security/audit");
    TCase *t = tcase_create("at once"), *l = tcase_create("later");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, bless_is_recorded_with_its_arguments_in_order);
    tcase_add_test(t, bless_self_is_recorded);
    tcase_add_test(t, control_characters_do_not_begin_new_records);
    tcase_add_test(t, sign_is_recorded_without_the_signature);
    tcase_add_test(t, mint_discharge_is_recorded_without_the_discharge);
    tcase_add_test(t, result_that_cannot_be_recorded_is_withheld);
    tcase_add_test(t, what_fails_is_not_recorded);
    tcase_add_test(t, store_roots_and_key_are_those_of_the_other);
    tcase_add_test(t, auditing_survives_out_of_memory);
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(l, slow_setup, slow_teardown);
    tcase_add_test(l, late_signature_is_recorded_when_it_comes);
    tcase_add_test(l, late_signature_is_withheld_when_not_recorded);
    tcase_add_test(l, late_failure_is_not_recorded);
    tcase_add_test(l, late_signature_can_be_cancelled);
    tcase_add_test(l, last_owner_cancels_late_signatures);
    tcase_add_loop_test(l, late_blessings_are_recorded_or_withheld, 0, 2);
    tcase_add_test(l, nobody_waiting_is_told_at_once);
    suite_add_tcase(s, l);
    return tst_run(s);
}
