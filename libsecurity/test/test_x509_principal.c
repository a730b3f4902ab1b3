/* BSD-3-Clause; see LICENSE. */
/* Names by X.509 certificates: recognition and principals. */
#include "x509_rig.h"

#include <vsec/check.h>

static const v23_security_caveat_list none = { NULL, 0 };

/* ---- recognition --------------------------------------------------------- */

static int recognize(struct vsec_x509 *x, struct v23_bytes der,
    struct vdl_bytes key, const char *name, const struct v23_verror **err)
{
    struct vsec_roots *r;
    v23_security_certificate c;
    int rc;

    memset(&c, 0, sizeof(c));
    c.public_key = key;
    c.x509_raw = vdl_bytes(der.p, der.n);
    ck_assert_int_eq(vsec_roots_new(e, &r), 0);
    /* What the key is trusted for plays no part. */
    ck_assert_int_eq(vsec_roots_add(r, key, vdl_str("trusted")), 0);
    vsec_roots_use_x509(r, x);
    *err = NULL;
    rc = vsec_roots_recognized_cert(r, &c, vdl_str(name), in_2027, &arena,
        err);
    ck_assert_int_eq(rc == 0, *err == NULL);
    vsec_roots_unref(r);
    return rc;
}

static const struct {
    const char *names, *name;
    bool want;
} recognized[] = {
    { "dns www.example.com", "www.example.com", true },
    { "dns www.example.com", "www.example.com:a:b", true },
    { "dns a.b dns www.example.com", "www.example.com", true },
    { "dns www.example.com", "WWW.example.com", false },
    { "dns WWW.example.com", "WWW.example.com:x", true },
    { "dns www.example.com", "www.example.com.evil.com", false },
    { "dns www.example.com", "example.com", false },
    { "dns www.example.com", "www.example", false },
    { "dns www.example.com", "trusted", false },
    { "dns *.example.com", "a.example.com", true },
    { "dns *.example.com", "a.example.com:b.c", true },
    { "dns *.example.com", "*.example.com", true },
    { "dns *.example.com", "a.b.example.com", false },
    { "dns *.example.com", "example.com", false },
    { "dns *.example.com", ".example.com", false },
    /* What '*' stands for stays in the first component and is never empty;
     * the reference implementation recognizes these. */
    { "dns *.example.com", "root:x.example.com", false },
    { "dns *.local", "local", false },
    { "dns *.local", "local:x", false },
    /* What is no host name stands for nothing, here too unlike there. */
    { "dns ...", "anything", false },
    { "dns a:b", "a:b", false },
    { "dns * dns $", "*", false },
    { "dns 10.0.0.1", "10.0.0.1", false },
    { "dns 10.0.0.1 ip 0a000001", "10.0.0.1", true },
    { "ip 0a000001", "10.0.0.1", false },
    { "email a@www.example.com", "www.example.com", false },
};

START_TEST(name_is_recognized_by_certificate)
{
    struct vsec_anchors *t = trust_ca();
    const struct v23_verror *err;
    int rc = recognize(vsec_anchors_x509(t), leaf(recognized[_i].names),
        owner->key->der, recognized[_i].name, &err);

    ck_assert_msg(rc == (recognized[_i].want ? 0 : V23_EUNTRUSTED),
        "%s for %s: %d", recognized[_i].names, recognized[_i].name, rc);
    if (rc != 0)
        ck_assert(v23_security_err_unrecognized_root_is(err));
    vsec_anchors_unref(t);
}
END_TEST

START_TEST(certificate_of_another_key_is_refused)
{
    struct vsec_anchors *t = trust_ca();
    struct v23_bytes der = leaf("dns a.b");
    const struct v23_verror *err;

    /* A stolen certificate in a blessing of the thief's key. */
    ck_assert_int_eq(recognize(vsec_anchors_x509(t), der, ca.key, "a.b",
        &err), V23_EUNTRUSTED);
    ck_assert(!v23_security_err_unrecognized_root_is(err));
    ck_assert_int_eq(recognize(vsec_anchors_x509(t),
        v23_bytes(der.p, der.n - 1), owner->key->der, "a.b", &err),
        V23_EUNTRUSTED);
    ck_assert(!v23_security_err_unrecognized_root_is(err));
    vsec_anchors_unref(t);
}
END_TEST

/* ---- principals ---------------------------------------------------------- */

static void certify(const char *text)
{
    ck_assert_int_eq(vsec_principal_use_x509(owner, leaf(text)), 0);
}

static struct vsec_blessings *named(const char *name,
    v23_security_caveat_list caveats)
{
    struct vsec_blessings *b;

    ck_assert_int_eq(vsec_principal_bless_self(owner, vdl_str(name), caveats,
        &b), 0);
    return b;
}

static int try_name(const char *name)
{
    struct vsec_blessings *b = NULL;
    int rc = vsec_principal_bless_self(owner, vdl_str(name), none, &b);

    vsec_blessings_unref(b);
    return rc;
}

START_TEST(certificate_must_be_of_the_key)
{
    struct vsec_principal *other = person();
    struct v23_bytes der = leaf("dns a.b");

    ck_assert_int_eq(vsec_principal_use_x509(other, der), V23_EKEYMISMATCH);
    ck_assert_int_eq(vsec_principal_use_x509(owner,
        v23_bytes(der.p, der.n - 1)), V23_ECERT);
    ck_assert_uint_eq(owner->x509.n, 0);
    ck_assert_int_eq(vsec_principal_use_x509(owner, der), 0);
    ck_assert_int_eq(vsec_principal_use_x509(owner, der), V23_ESTATE);
    vsec_principal_unref(other);
}
END_TEST

START_TEST(empty_name_stands_for_all_hosts)
{
    struct vsec_blessings *b, *again;
    struct v23_buf vom;

    certify("dns a.example.com email x@y dns $ dns *.b.org");

    b = named("", none);
    text_is(vsec_blessings_text(b), "a.example.com,*.b.org");
    v23_buf_init(&vom, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_blessings_encode(&mem.al, b, &vom), 0);
    ck_assert_int_eq(vsec_blessings_decode(e, NULL, v23_bytes(vom.p, vom.n),
        &again), 0);
    ck_assert(vsec_blessings_eq(b, again));
    v23_buf_fini(&vom);
    vsec_blessings_unref(again);
    vsec_blessings_unref(b);
}
END_TEST

START_TEST(name_must_be_of_a_host)
{
    certify("dns www.example.com dns *.b.org");

    ck_assert_int_eq(try_name("www.example.com"), 0);
    ck_assert_int_eq(try_name("WWW.example.com:x:y"), 0);
    ck_assert_int_eq(try_name("a.b.org"), 0);
    ck_assert_int_eq(try_name("*.b.org"), 0);
    ck_assert_int_eq(try_name("b.org"), V23_ECERT);
    ck_assert_int_eq(try_name("alice"), V23_ECERT);
    ck_assert_int_eq(try_name("alice:www.example.com"), V23_ECERT);
    ck_assert_int_eq(try_name(":www.example.com"), V23_EPATTERN);
    ck_assert_int_eq(try_name("www.example.com:"), V23_EPATTERN);
    ck_assert_int_eq(try_name("www.example.com::a"), V23_EPATTERN);
}
END_TEST

START_TEST(certificate_without_hosts_gives_no_name)
{
    certify("ip 0a000001 dns $");

    ck_assert_int_eq(try_name(""), V23_ECERT);
    ck_assert_int_eq(try_name("leaf"), V23_ECERT);
}
END_TEST

START_TEST(chains_are_limited)
{
    char text[(VSEC_MAX_CHAINS + 1) * 8 + 1] = "";
    int i;

    for (i = 0; i <= VSEC_MAX_CHAINS; i++)
        sprintf(text + strlen(text), "dns h%d ", i);
    certify(text);

    ck_assert_int_eq(try_name(""), V23_ELIMIT);
    ck_assert_int_eq(try_name("h1"), 0);
}
END_TEST

START_TEST(caveats_of_the_certificate_come_last)
{
    v23_security_caveat mine, *v;
    const v23_security_certificate *c;
    struct vsec_blessings *b;
    struct v23_walltime expiry;
    v23_time_time t;

    certify("dns www.example.com");
    ck_assert_int_eq(vsec_caveat_method(&arena, strs("Get", NULL, NULL),
        &mine), 0);

    b = named("www.example.com", one(&mine));
    c = b->chains[0].certs.v;
    v = (v23_security_caveat *)(uintptr_t)c->caveats.v;
    ck_assert_uint_eq(c->caveats.n, 3);
    ck_assert(vsec_caveat_is(&v[0], &vsec_kind_method));
    ck_assert(vsec_caveat_is(&v[1], &vsec_kind_expiry));
    ck_assert(vsec_caveat_is(&v[2], &vsec_kind_not_before));
    ck_assert_int_eq(vsec_caveat_param(&v[2], &vsec_kind_not_before, &arena,
        &t), 0);
    ck_assert_int_eq(vsec_time_from_wire(t).sec, 1704067200);
    ck_assert(vsec_blessings_expiry(b, &expiry));
    ck_assert_int_eq(expiry.sec, 2335219200);
    ck_assert_uint_eq(c->x509_raw.n, owner->x509.n);
    vsec_blessings_unref(b);
}
END_TEST

/* Names of `b` as somebody sees them who trusts the authority. */
static void seen_as(struct vsec_blessings *b, const char *first,
    const char *second)
{
    struct vsec_principal *judge = person();
    struct vsec_anchors *t = trust_ca();
    struct vsec_names names_seen;
    struct vsec_call call;

    memset(&call, 0, sizeof(call));
    vsec_roots_use_x509(judge->roots, vsec_anchors_x509(t));
    vsec_anchors_unref(t);
    call.timestamp = in_2027;
    call.principal = judge;
    call.remote_blessings = b;
    ck_assert_int_eq(vsec_check_start(&call, &arena, NULL, &names_seen, NULL),
        0);
    ck_assert_uint_eq(names_seen.remote.n,
        (first != NULL ? 1u : 0u) + (second != NULL ? 1u : 0u));
    if (first != NULL)
        text_is(names_seen.remote.v[0], first);
    if (second != NULL)
        text_is(names_seen.remote.v[1], second);
    vsec_principal_unref(judge);
}

START_TEST(host_blesses_others)
{
    struct vsec_principal *bob = person();
    struct vsec_blessings *b, *theirs, *own, *both[2];

    certify("dns a.example.com dns b.example.com");
    b = named("", none);
    theirs = bless(owner, bob, b, "bob", NULL);
    own = self(bob, "bobby");
    both[0] = own;
    both[1] = theirs;

    seen_as(b, "a.example.com", "b.example.com");
    seen_as(theirs, "a.example.com:bob", "b.example.com:bob");
    vsec_blessings_unref(b);
    ck_assert_int_eq(vsec_blessings_union(both, 2, &b), 0);
    text_is(vsec_blessings_text(b),
        "bobby,a.example.com:bob,b.example.com:bob");
    seen_as(b, "a.example.com:bob", "b.example.com:bob");
    vsec_blessings_unref(b);
    vsec_blessings_unref(own);
    vsec_blessings_unref(theirs);
    vsec_principal_unref(bob);
}
END_TEST

START_TEST(wildcard_could_have_names_of_one_label)
{
    struct vsec_blessings *b;

    certify("dns *.example.com");
    b = named("*.example.com:x", none);

    ck_assert(vsec_blessings_could_have_names(b, strs("a.example.com:x",
        "*.example.com:x", NULL)));
    ck_assert(!vsec_blessings_could_have_names(b, strs("a.example.com", NULL,
        NULL)));
    ck_assert(!vsec_blessings_could_have_names(b, strs("a.b.example.com:x",
        NULL, NULL)));
    ck_assert(!vsec_blessings_could_have_names(b, strs("c:a.example.com:x",
        NULL, NULL)));
    ck_assert(!vsec_blessings_could_have_names(b, strs(".example.com:x",
        NULL, NULL)));
    vsec_blessings_unref(b);
}
END_TEST

struct maker {
    struct v23_bytes der, pkcs8;
};

static int bless_body(const struct v23_alloc *al, void *ud)
{
    struct maker *m = ud;
    struct vsec_principal *p = NULL;
    struct vsec_blessings *b = NULL;
    struct vsec_signer *s = NULL;
    struct vsec_engine *mine;
    int rc = vsec_engine_new(&mine, &vsec_crypto_default, al, NULL);

    if (rc != 0)
        return rc;
    rc = vsec_signer_pkcs8(mine, m->pkcs8, &s);
    if (rc == 0)
        rc = vsec_principal_new(mine, s, NULL, NULL, NULL, &p);
    if (rc == 0)
        rc = vsec_principal_use_x509(p, m->der);
    if (rc == 0)
        rc = vsec_principal_bless_self(p, vdl_str(""), none, &b);
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
    vsec_signer_unref(s);
    vsec_engine_unref(mine);
    return rc;
}

START_TEST(self_blessing_survives_lack_of_memory)
{
    struct maker m = { leaf("dns a.b dns c.d"), { NULL, 0 } };
    struct v23_buf key;

    v23_buf_init(&key, &mem.al, 4096);
    ck_assert_int_eq(vsec_pkcs8_put(owner->signer, &key), 0);
    m.pkcs8 = v23_bytes(key.p, key.n);
    tst_out_of_memory(bless_body, &m);
    v23_buf_fini(&key);
}
END_TEST

#define COUNT(v) (int)(sizeof(v) / sizeof((v)[0]))

static void fill(TCase *t)
{
    tcase_add_loop_test(t, name_is_recognized_by_certificate, 0,
        COUNT(recognized));
    tcase_add_test(t, certificate_of_another_key_is_refused);
    tcase_add_test(t, certificate_must_be_of_the_key);
    tcase_add_test(t, empty_name_stands_for_all_hosts);
    tcase_add_test(t, name_must_be_of_a_host);
    tcase_add_test(t, certificate_without_hosts_gives_no_name);
    tcase_add_test(t, chains_are_limited);
    tcase_add_test(t, caveats_of_the_certificate_come_last);
    tcase_add_test(t, host_blesses_others);
    tcase_add_test(t, wildcard_could_have_names_of_one_label);
    tcase_add_test(t, self_blessing_survives_lack_of_memory);
}

int main(void)
{
    return tst_run_case("security/x509_principal", fill, x509_setup,
        x509_teardown);
}
