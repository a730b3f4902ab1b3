/* BSD-3-Clause; see LICENSE. */
/* Pages of 2014: identities and caveats (spec/wspr.md 16). */
#include "../../libsecurity/test/slow_key.h"
#include "json_page.h"

#include <v23/vdl/v.io/x/ref/services/wspr/internal/json/json.vdl.h>
#include <wspr/accounts.h>

START_TEST(identities_are_made_blessed_and_given_back)
{
    const char *s;

    ck_assert_str_eq(
        ask(1, 10, "\"me\""), "1 0 {\"handle\": 1, \"names\": []}");
    s = ask(3, 8,
        "{\"handle\":1,\"name\":\"friend\",\"durationMs\":60000,\"caveats\":"
        "[{\"_type\":\"MethodCaveat\",\"data\":[\"Get\"],\"service\":\"x\"},"
        "{\"_type\":\"PeerBlessingsCaveat\",\"data\":[\"...\"]}]}");
    ck_assert_str_eq(
        s, "3 0 {\"handle\": 2, \"names\": [\"test:page1:friend\"]}");
    ck_assert_str_eq(ask(5, 9, "1"), "");
    ck_assert_str_eq(ask(5, 9, "1"), "");
    ck_assert_str_eq(ask(7, 8, "{\"handle\":1,\"name\":\"x\"}"),
        "7 2 {\"iD\": \"" OLD
        "NoExist\", \"msg\": \"invalid PublicID handle\"}");
    ck_assert_str_eq(ask(9, 8, "{\"handle\":2,\"name\":\"x\"}"),
        "9 0 {\"handle\": 3, \"names\": [\"test:page1:x\"]}");
}
END_TEST

START_TEST(caveats_that_are_not_known_are_refused)
{
    ck_assert_str_eq(
        ask(1, 10, "\"me\""), "1 0 {\"handle\": 1, \"names\": []}");
    ck_assert_str_eq(
        ask(3, 8, "{\"handle\":1,\"name\":\"f\",\"caveats\":[{\"_type\":"
                  "\"Odd\",\"data\":[\"x\"]}]}"),
        "3 2 {\"iD\": \"" OLD
        "BadArg\", \"msg\": \"failed to create caveat: unknown caveat type "
        "Odd\"}");
    ck_assert_ptr_nonnull(strstr(
        ask(5, 8, "{\"handle\":1,\"name\":\"f\",\"caveats\":[{\"_type\":"
                  "\"MethodCaveat\",\"data\":[]}]}"),
        OLD "BadArg\", \"msg\": \"failed to create caveat: "));
    ck_assert_ptr_nonnull(strstr(
        ask(7, 8, "{\"handle\":1,\"name\":\"f\",\"caveats\":[{\"_type\":"
                  "\"MethodCaveat\",\"data\":[{}]}]}"),
        OLD "BadArg\", \"msg\": \"failed to create caveat: "));
    ck_assert_ptr_nonnull(
        strstr(ask(9, 8, "{\"handle\":1,\"name\":\"a::b\"}"), "BadArg"));
    ck_assert_ptr_nonnull(strstr(ask(11, 10, "\"a::b\""), "BadArg"));
    ck_assert_ptr_nonnull(strstr(
        ask(13, 10, "1"), "can't unmarshall message: "));
}
END_TEST

START_TEST(handles_are_bounded)
{
    struct wspr_ctl_limits limits;
    struct rig_page *r;

    memset(&limits, 0, sizeof(limits));
    limits.blessings = 2;
    r = rig_page(WSPR_JSON, &limits);
    r->next = 1;
    say(r, 1, 10, "\"a\"");
    say(r, 3, 10, "\"b\"");
    say(r, 5, 10, "\"c\"");
    expect(r, "1 0 ");
    expect(r, "3 0 ");
    expect(r, "5 2 {\"iD\": \"" OLD "Internal\"");
    say(r, 7, 9, "1");
    say(r, 9, 10, "\"c\"");
    ck_assert_str_eq(next(r), "9 0 {\"handle\": 3, \"names\": []}");
}
END_TEST

/* A key that takes its time. */
static struct slow slow;
static struct vsec_principal *quick;

static void slow_setup(void)
{
    setup();
    rig_hang_up(p);
    rig_forget(p);
    quick = p->n->principal;
    slow_init(&slow, vsec_signer_ref(quick->signer));
    ck_assert_int_eq(vsec_principal_new(W.engine, &slow.s, NULL, quick->store,
        quick->roots, &p->n->principal), 0);
    vsec_signer_unref(&slow.s);
    ck_assert_int_eq(rig_connect(p, WSPR_JSON, NULL), 0);
    p->next = 1;
    ck_assert_str_eq(
        ask(1, 10, "\"me\""), "1 0 {\"handle\": 1, \"names\": []}");
}

static void slow_teardown(void)
{
    rig_hang_up(p);
    rig_forget(p);
    vsec_principal_unref(p->n->principal);
    p->n->principal = quick;
    ck_assert(slow.destroyed);
    rig_teardown();
}

START_TEST(blessings_may_come_later)
{
    ck_assert_str_eq(ask(3, 8, "{\"handle\":1,\"name\":\"friend\"}"), "");
    ck_assert_str_eq(ask(5, 10, "\"you\""),
        "5 0 {\"handle\": 2, \"names\": []}");
    slow_answer(&slow);
    ck_assert_str_eq(next(p),
        "3 0 {\"handle\": 3, \"names\": [\"test:page1:friend\"]}");

    ck_assert_str_eq(ask(7, 8, "{\"handle\":1,\"name\":\"friend\"}"), "");
    slow_fail(&slow, V23_ECRYPTO);
    ck_assert_ptr_nonnull(strstr(next(p), "failed to bless: "));
}
END_TEST

START_TEST(page_may_go_before_its_blessing_comes)
{
    ck_assert_str_eq(ask(3, 8, "{\"handle\":1,\"name\":\"friend\"}"), "");
    rig_hang_up(p);
    if (_i == 0)
        slow_answer(&slow); /* nobody hears of it */
    rig_forget(p);
    ck_assert_uint_eq(slow.cancelled, (unsigned)_i);
    ck_assert_int_eq(rig_connect(p, WSPR_JSON, NULL), 0);
}
END_TEST

/* ---- pages of 2014-07 ---------------------------------------------------- */

/* A message that brings the identity "alice" with a key of `key`, blessed for
 * the key of `blessed`. */
static const char *identity(
    struct vsec_signer *key, struct vsec_principal *blessed)
{
    static char out[4096];
    const v23_security_caveat_list none = {NULL, 0};
    v23_wspr_json_private_identity id;
    struct vsec_blessings *b;
    struct v23_buf der, vom, text;

    v23_buf_init(&der, NULL, SIZE_MAX);
    v23_buf_init(&vom, NULL, SIZE_MAX);
    v23_buf_init_fixed(&text, out, sizeof(out) - 1);
    ck_assert_int_eq(vsec_pkcs8_put(key, &der), 0);
    ck_assert_int_eq(
        vsec_principal_bless_self(blessed, vdl_str("alice"), none, &b), 0);
    id.key = vdl_bytes(der.p, der.n);
    id.blessings = vsec_blessings_wire(b);
    ck_assert_int_eq(vom_encode_single(NULL,
                         &v23_wspr_json_private_identity_desc, &id, &vom),
        0);
    v23_buf_puts(&text, "{\"account\":\"acc\",\"origin\":\"http://o\","
                        "\"identity\":\"");
    v23_base64_put(&text, vom.p, vom.n, true);
    while (text.p[text.n - 1] == '=') /* old pages did not pad */
        text.n--;
    v23_buf_puts(&text, "\"}");
    ck_assert_int_eq(text.err, 0);
    out[text.n] = 0;
    vsec_blessings_unref(b);
    v23_buf_fini(&der);
    v23_buf_fini(&vom);
    return out;
}

static struct vsec_principal *alice;

static void assoc_setup(void)
{
    setup();
    ck_assert_int_eq(
        vsec_principal_generate(W.engine, "ecdsa256", &alice), 0);
}

static void assoc_teardown(void)
{
    vsec_principal_unref(alice);
    rig_hang_up(p);
    rig_forget(p);
    wspr_principals_free(R.principals);
    rig_teardown();
}

/* The page connects once more, to a proxy that keeps accounts. */
static void keep_accounts(void)
{
    char why[WSPR_WHY];

    ck_assert_int_eq(
        wspr_principals_new(W.root, NULL, &R.principals, why), 0);
    rig_hang_up(p);
    rig_forget(p);
    ck_assert_int_eq(rig_connect(p, WSPR_JSON, NULL), 0);
    p->next = 1;
}

START_TEST(pages_may_bring_their_identity)
{
    struct v23_walltime now = W.now.wall;

    keep_accounts();
    ck_assert_str_eq(
        ask(1, 7, identity(alice->signer, alice)), "1 0 null");
    ck_assert_ptr_nonnull(p->assumed);
    ck_assert(vsec_pubkey_eq(p->assumed->key, alice->key));
    ck_assert(wspr_principals_has_account(
        R.principals, vdl_str("http://o"), now));
    ck_assert(vdl_str_is(
        vsec_blessings_text(
            wspr_principals_blessings(R.principals, vdl_str("acc"))),
        "alice:wspr"));
    ck_assert_str_eq(
        ask(3, 10, "\"me\""), "3 0 {\"handle\": 1, \"names\": []}");
    ck_assert_str_eq(ask(5, 8, "{\"handle\":1,\"name\":\"x\"}"),
        "5 0 {\"handle\": 2, \"names\": [\"alice:x\"]}");
}
END_TEST

START_TEST(identities_are_taken_also_where_accounts_are_not_kept)
{
    const char *s = ask(1, 7, identity(alice->signer, alice));

    ck_assert_str_eq(s, "1 2 {\"iD\": \"" OLD "Internal\", \"msg\": "
                        "\"identity.AddAccount(acc) failed: there are no "
                        "accounts here\"}");
    ck_assert_str_eq(next(p), "1 0 null");
    ck_assert_ptr_nonnull(p->assumed);
}
END_TEST

START_TEST(identities_that_are_none_change_nothing)
{
    struct vsec_principal *bob;

    ck_assert_int_eq(
        vsec_principal_generate(W.engine, "ecdsa256", &bob), 0);
    keep_accounts();
    ck_assert_ptr_nonnull(strstr(ask(1, 7, identity(alice->signer, bob)),
        "1 2 {\"iD\": \"" OLD "BadArg\", \"msg\": \"invalid identity: "));
    ck_assert_ptr_nonnull(strstr(
        ask(3, 7, "{\"identity\":\"not!base64\"}"), OLD "BadArg"));
    ck_assert_ptr_nonnull(
        strstr(ask(5, 7, "{\"identity\":\"gQ\"}"), OLD "BadArg"));
    ck_assert_str_eq(ask(7, 7, "1"),
        "7 2 {\"iD\": \"\", \"msg\": \"unknown message type: 7\"}");
    ck_assert_ptr_nonnull(strstr(ask(9, 5, "{\"name\":\"adder\"}"), "9 0 "));
    ck_assert_ptr_nonnull(strstr( /* too late */
        ask(11, 7, identity(alice->signer, alice)), OLD "BadArg"));
    ck_assert_ptr_null(p->assumed);
    ck_assert_uint_eq(wspr_principals_accounts(R.principals).n, 0);
    vsec_principal_unref(bob);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wspr/json_era_identities");
    TCase *tm = tcase_create("made"), *tb = tcase_create("brought"),
          *tl = tcase_create("later");

    tcase_add_checked_fixture(tm, setup, rig_teardown);
    tcase_set_timeout(tm, 120);
    tcase_add_test(tm, identities_are_made_blessed_and_given_back);
    tcase_add_test(tm, caveats_that_are_not_known_are_refused);
    tcase_add_test(tm, handles_are_bounded);
    suite_add_tcase(s, tm);
    tcase_add_checked_fixture(tl, slow_setup, slow_teardown);
    tcase_add_test(tl, blessings_may_come_later);
    tcase_add_loop_test(tl, page_may_go_before_its_blessing_comes, 0, 2);
    suite_add_tcase(s, tl);
    tcase_add_checked_fixture(tb, assoc_setup, assoc_teardown);
    tcase_set_timeout(tb, 120);
    tcase_add_test(tb, pages_may_bring_their_identity);
    tcase_add_test(tb, identities_are_taken_also_where_accounts_are_not_kept);
    tcase_add_test(tb, identities_that_are_none_change_nothing);
    suite_add_tcase(s, tb);
    return tst_run(s);
}
