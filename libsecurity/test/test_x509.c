/* BSD-3-Clause; see LICENSE. */
/* Certificates of X.509: reading them, their names, trust anchors. */
#include "x509_rig.h"

#include "x509_data.h"

/* ---- reading ------------------------------------------------------------- */

static int parse(struct v23_bytes der)
{
    struct vsec_x509_cert c;

    return vsec_x509_parse(der, &c);
}

START_TEST(certificate_is_read)
{
    struct v23_bytes der = leaf("dns a.example.com ip 0a000001 dns *.b.org");
    struct vsec_x509_cert c;
    struct v23_bytes rest;
    struct vdl_str name;

    ck_assert_int_eq(vsec_x509_parse(der, &c), 0);

    ck_assert(vdl_bytes_eq(c.spki, owner->key->der));
    ck_assert_int_eq(c.not_before.sec, 1704067200);
    ck_assert_int_eq(c.not_after.sec, 2335219200);
    rest = c.names;
    ck_assert(vsec_x509_next_dns(&rest, &name));
    text_is(name, "a.example.com");
    ck_assert(vsec_x509_next_dns(&rest, &name));
    text_is(name, "*.b.org");
    ck_assert(!vsec_x509_next_dns(&rest, &name));
}
END_TEST

static const struct {
    const char *text;
    int64_t sec; /* -1: refused */
} times[] = {
    { "700101000000Z", 0 },
    { "500101000000Z", -631152000 },
    { "491231235959Z", 2524607999 },
    { "240229120000Z", 1709208000 },
    { "20500101000000Z", 2524608000 },
    { "99991231235959Z", 253402300799 },
    { "00000101000000Z", -62167219200 },
    { "21000228000000Z", 4107456000 },
    { "230229120000Z", -1 },
    { "21000229000000Z", -1 },
    { "240431000000Z", -1 },
    { "241301000000Z", -1 },
    { "240001000000Z", -1 },
    { "240100000000Z", -1 },
    { "240101240000Z", -1 },
    { "240101006000Z", -1 },
    { "240101000060Z", -1 },
    { "2401010000Z", -1 },
    { "240101000000+0100", -1 },
    { "2401010000000", -1 },
    { "24010100000aZ", -1 },
    { "2024010100000aZ", -1 },
    { "20240101000000.5Z", -1 },
};

START_TEST(times_are_those_of_the_calendar)
{
    struct vsec_x509_cert c;
    int rc;

    new_form("CA", "leaf", owner->key->der);
    form.from = times[_i].text;
    rc = vsec_x509_parse(certificate(), &c);

    if (times[_i].sec == -1) {
        ck_assert_int_eq(rc, V23_ECERT);
    } else {
        ck_assert_int_eq(rc, 0);
        ck_assert_int_eq(c.not_before.sec, times[_i].sec);
    }
}
END_TEST

START_TEST(certificate_refuses_every_truncation_and_octets_behind)
{
    struct v23_bytes der = leaf("dns a.example.com");
    uint8_t longer[1024] = { 0 };
    size_t i;

    for (i = 0; i < der.n; i++)
        ck_assert_int_eq(parse(v23_bytes(der.p, i)), V23_ECERT);
    ck_assert_uint_lt(der.n, sizeof(longer));
    memcpy(longer, der.p, der.n);
    ck_assert_int_eq(parse(v23_bytes(longer, der.n + 1)), V23_ECERT);
}
END_TEST

START_TEST(extension_twice_is_refused)
{
    leaf_form("dns a.example.com");
    names("dns b.example.com");

    ck_assert_int_eq(parse(certificate()), V23_ECERT);
}
END_TEST

START_TEST(extensions_are_counted)
{
    char oid[] = "2a0300";
    int i;

    new_form("CA", "leaf", owner->key->der);
    for (i = 0; i < VSEC_X509_MAX_EXTENSIONS; i++) {
        oid[4] = "0123456789abcdef"[i / 16];
        oid[5] = "0123456789abcdef"[i % 16];
        extension(oid, false, "0500");
    }
    ck_assert_int_eq(parse(certificate()), 0);
    extension("2a0401", false, "0500");
    ck_assert_int_eq(parse(certificate()), V23_ELIMIT);
}
END_TEST

START_TEST(names_are_counted)
{
    char text[VSEC_X509_MAX_NAMES * 6 + 7] = "";
    int i;

    for (i = 0; i < VSEC_X509_MAX_NAMES; i++)
        strcat(text, "dns a ");
    ck_assert_int_eq(parse(leaf(text)), 0);
    strcat(text, "dns a ");
    ck_assert_int_eq(parse(leaf(text)), V23_ELIMIT);
}
END_TEST

START_TEST(octets_are_limited)
{
    static uint8_t big[VSEC_X509_MAX + 1];

    ck_assert_int_eq(parse(v23_bytes(big, VSEC_X509_MAX + 1)), V23_ELIMIT);
    ck_assert_int_eq(parse(v23_bytes(big, VSEC_X509_MAX)), V23_ECERT);
}
END_TEST

/* What an extension must not hold. */
static const struct {
    const char *oid, *value;
} malformed[] = {
    { oid_names, "0500" },
    { oid_names, "30028200" "00" },
    { oid_names, "3003820180" },   /* not ASCII */
    { oid_names, "30058703010203" }, /* address of three octets */
    { oid_names, "3003bf0100" },   /* a long tag */
    { oid_basic, "0500" },
    { oid_basic, "3003010101" },   /* TRUE is ff */
    { oid_basic, "30060101ff0201ff" }, /* negative path */
    { oid_usage, "03010004" },
    { oid_usage, "03020904" },     /* nine unused bits */
    { oid_usage, "03020701" },     /* an unused bit is set */
    { oid_usage, "0300" },
    { oid_purposes, "30020500" },
    { oid_constraints, "3000" },
    { oid_constraints, "3002a000" },
    { oid_constraints, "3006a0043002" "8203" },
    { oid_constraints, "300ba0093007820561" "2e2e6263" }, /* a..bc */
    { oid_constraints, "300ea00c300a870804030201ff00ff00" }, /* mask */
    { oid_constraints, "300aa008300687040a000000" }, /* no mask */
};

START_TEST(malformed_extension_is_refused)
{
    new_form("CA", "leaf", owner->key->der);
    extension(malformed[_i].oid, false, malformed[_i].value);

    ck_assert_int_eq(parse(certificate()), V23_ECERT);
}
END_TEST

START_TEST(mutations_are_never_verified)
{
    struct v23_bytes der = hex(ed25519_leaf);
    struct vsec_anchors *t = trust(hex(ed25519_ca));
    uint8_t *copy = v23_arena_dup(&arena, der.p, der.n);
    struct vsec_x509_cert c;
    const char *why;
    size_t i;
    int bit, rc;

    ck_assert_int_eq(vsec_x509_parse(der, &c), 0);
    ck_assert_int_eq(vsec_anchors_verify(t, &c, in_2027, &why), 0);
    for (i = 0; i < der.n; i++)
        for (bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            rc = vsec_x509_parse(v23_bytes(copy, der.n), &c);
            if (rc == 0)
                rc = vsec_anchors_verify(t, &c, in_2027, &why);
            ck_assert_msg(rc == V23_ECERT || rc == V23_ELIMIT
                || rc == V23_EUNTRUSTED, "octet %zu bit %d: %d", i, bit, rc);
            copy[i] ^= (uint8_t)(1 << bit);
        }
    vsec_anchors_unref(t);
}
END_TEST

/* ---- hosts --------------------------------------------------------------- */

/* Decisions of the reference implementation, but for the name "*". */
static const struct {
    const char *names, *host;
    bool want;
} hosts[] = {
    { "dns www.example.com", "www.example.com", true },
    { "dns www.example.com", "WWW.Example.COM", true },
    { "dns WWW.EXAMPLE.com", "www.example.com", true },
    { "dns www.example.com", "www.example.com.", true },
    { "dns www.example.com", "www.example.com..", false },
    { "dns www.example.com", "example.com", false },
    { "dns www.example.com", "x.www.example.com", false },
    { "dns www.example.com", "", false },
    { "dns www.example.com", "leaf", false }, /* the common name */
    { "dns *.example.com", "a.example.com", true },
    { "dns *.example.com", "A.EXAMPLE.com", true },
    { "dns *.example.com", "a.b.example.com", false },
    { "dns *.example.com", "example.com", false },
    { "dns *.example.com", ".example.com", false },
    { "dns *.example.com", "*.example.com", true },
    { "dns www.*.com", "www.x.com", false },
    { "dns www.*.com", "www.*.com", true },
    { "dns w*.example.com", "ww.example.com", false },
    { "dns *", "host", false },
    { "dns *", "*", true },
    { "dns -a.b", "-a.b", true },
    { "dns a_b.c", "A_B.c", true },
    { "dns a..b", "a..b", true },
    { "dns .", ".", false },
    { "dns ''", "", false },
    { "dns a.b.", "a.b.", true },
    { "dns a.b.", "a.b", false },
    { "dns 10.0.0.1", "10.0.0.1", false },
    { "dns 10.0.0.1 ip 0a000001", "10.0.0.1", true },
    { "ip 0a000001", "[10.0.0.1]", true },
    { "ip 0a000001", "10.0.0.2", false },
    { "ip 0a000001", "10.0.0.01", false },
    { "ip 0a000001", "10.0.0", false },
    { "ip 0a000001", "10.0.0.1.", false },
    { "ip 0a000001", "10.0.0.257", false },
    { "ip 00000000000000000000ffff0a000001", "10.0.0.1", true },
    { "ip 00000000000000000000fffe0a000001", "10.0.0.1", false },
    { "email a@example.com", "example.com", false },
};

START_TEST(host_is_compared)
{
    struct vsec_x509_cert c;

    ck_assert_int_eq(vsec_x509_parse(leaf(hosts[_i].names), &c), 0);
    ck_assert_msg(vsec_x509_has_host(&c, vdl_str(hosts[_i].host))
        == hosts[_i].want, "%s for %s", hosts[_i].names, hosts[_i].host);
}
END_TEST

/* ---- verification -------------------------------------------------------- */

static const char *why;

static int verify(struct vsec_anchors *t, struct v23_bytes der)
{
    struct vsec_x509_cert c;
    int rc = vsec_x509_parse(der, &c);

    why = NULL;
    rc = rc == 0 ? vsec_anchors_verify(t, &c, in_2027, &why) : rc;
    ck_assert_int_eq(rc == V23_EUNTRUSTED, why != NULL);
    return rc;
}

/* The same, and the anchors are released. */
static int verify_once(struct vsec_anchors *t, struct v23_bytes der)
{
    int rc = verify(t, der);

    vsec_anchors_unref(t);
    return rc;
}

START_TEST(leaf_of_an_anchor_is_verified)
{
    ck_assert_int_eq(verify_once(trust_ca(), leaf("dns a.b")), 0);
    ck_assert_int_eq(verify_once(trust(hex(ed25519_ca)), hex(ed25519_leaf)),
        0);
    ck_assert_int_eq(verify_once(trust(hex(rsa_ca)), hex(rsa_sha256_leaf)),
        0);
}
END_TEST

START_TEST(weak_and_unknown_signatures_are_refused)
{
    ck_assert_int_eq(verify_once(trust(hex(rsa_ca)), hex(rsa_sha1_leaf)),
        V23_EUNTRUSTED);
    ck_assert_ptr_nonnull(strstr(why, "not supported"));
    ck_assert_int_eq(verify_once(trust(hex(rsa_ca)), hex(rsa_pss_leaf)),
        V23_EUNTRUSTED);
}
END_TEST

START_TEST(unknown_authority_is_refused)
{
    struct vsec_anchors *t;
    struct authority other;

    ck_assert_int_eq(vsec_anchors_new(e, &t), 0);
    ck_assert_int_eq(verify_once(t, leaf("dns a.b")), V23_EUNTRUSTED);
    ck_assert_int_eq(verify_once(trust(hex(rsa_ca)), leaf("dns a.b")),
        V23_EUNTRUSTED);
    /* One of the same name. */
    t = trust_ca();
    other = ca;
    authority_new(&ca);
    ck_assert_int_eq(verify(t, leaf("dns a.b")), V23_EUNTRUSTED);
    ck_assert_ptr_nonnull(strstr(why, "signature"));
    /* Until that is an anchor, too. */
    ca_form();
    ck_assert_int_eq(vsec_anchors_add(t, certificate()), 0);
    ck_assert_int_eq(verify_once(t, leaf("dns a.b")), 0);
    authority_free(&ca);
    ca = other;
}
END_TEST

START_TEST(leaf_may_be_an_anchor_itself)
{
    struct v23_bytes der = leaf("dns a.b");

    ck_assert_int_eq(verify_once(trust(der), der), 0);
    leaf_form("dns a.b");
    form.until = "20260101000000Z";
    der = certificate();
    ck_assert_int_eq(verify_once(trust(der), der), V23_EUNTRUSTED);
}
END_TEST

START_TEST(self_signed_certificate_does_not_vouch_for_its_like)
{
    struct v23_bytes first;

    ca_form();
    names("dns a.b");
    first = certificate();
    form.until = "20450101000000Z";

    ck_assert_int_eq(verify_once(trust(first), certificate()),
        V23_EUNTRUSTED);
}
END_TEST

START_TEST(leaf_must_be_good_for_its_use)
{
    struct vsec_anchors *t = trust_ca();

    leaf_form("dns a.b");
    form.until = "20260101000000Z";
    ck_assert_int_eq(verify(t, certificate()), V23_EUNTRUSTED);
    ck_assert_ptr_nonnull(strstr(why, "expired"));
    leaf_form("dns a.b");
    form.from = "20300101000000Z";
    ck_assert_int_eq(verify(t, certificate()), V23_EUNTRUSTED);
    new_form("CA", "leaf", owner->key->der);
    extension(oid_purposes, false, client_auth);
    ck_assert_int_eq(verify(t, certificate()), V23_EUNTRUSTED);
    ck_assert_ptr_nonnull(strstr(why, "server"));
    new_form("CA", "leaf", owner->key->der);
    extension(oid_purposes, false, any_purpose);
    ck_assert_int_eq(verify(t, certificate()), 0);
    leaf_form("dns a.b");
    extension("2a0304", true, "0500");
    ck_assert_int_eq(verify(t, certificate()), V23_EUNTRUSTED);
    ck_assert_ptr_nonnull(strstr(why, "critical"));
    leaf_form("dns a.b");
    extension("2a0304", false, "0500");
    ck_assert_int_eq(verify_once(t, certificate()), 0);
}
END_TEST

START_TEST(validity_includes_both_ends)
{
    struct vsec_anchors *t = trust_ca();

    leaf_form("dns a.b");
    form.until = "270115080000Z";
    ck_assert_int_eq(verify(t, certificate()), 0);
    form.until = "270115075959Z";
    ck_assert_int_eq(verify(t, certificate()), V23_EUNTRUSTED);
    leaf_form("dns a.b");
    form.from = "270115080000Z";
    ck_assert_int_eq(verify(t, certificate()), 0);
    form.from = "270115080001Z";
    ck_assert_int_eq(verify_once(t, certificate()), V23_EUNTRUSTED);
}
END_TEST

/* Does an authority with this form vouch for a leaf? */
static int vouch(void)
{
    struct v23_bytes der = certificate();

    return verify_once(trust(der), leaf("dns a.b"));
}

START_TEST(anchor_must_be_an_authority)
{
    new_form("CA", "CA", ca.key);
    ck_assert_int_eq(vouch(), V23_EUNTRUSTED); /* no basic constraints */
    extension(oid_basic, true, "3000");
    ck_assert_int_eq(vouch(), V23_EUNTRUSTED); /* not an authority */
    new_form("CA", "CA", ca.key);
    extension(oid_basic, true, "30030101ff");
    ck_assert_int_eq(vouch(), 0);
    extension(oid_usage, true, "03020780"); /* only digital signatures */
    ck_assert_int_eq(vouch(), V23_EUNTRUSTED);
    new_form("CA", "CA", ca.key);
    form.version = 0;
    ck_assert_int_eq(vouch(), 0); /* before there were extensions */
    new_form("CA", "CA", ca.key);
    extension(oid_basic, true, "30060101ff020100"); /* path of none more */
    ck_assert_int_eq(vouch(), 0);
}
END_TEST

START_TEST(anchor_must_be_good_for_its_use)
{
    ca_form();
    form.until = "260101000000Z";
    ck_assert_int_eq(vouch(), V23_EUNTRUSTED);
    ca_form();
    extension("2a0304", true, "0500");
    ck_assert_int_eq(vouch(), V23_EUNTRUSTED);
    ca_form();
    extension(oid_purposes, false, client_auth);
    ck_assert_int_eq(vouch(), V23_EUNTRUSTED);
    ca_form();
    extension(oid_purposes, false, server_auth);
    ck_assert_int_eq(vouch(), 0);
}
END_TEST

/* Name constraints; decisions of the reference implementation unless noted. */
static const struct {
    const char *permitted, *excluded, *names;
    bool want;
} limits[] = {
    { "dns example.com", "", "dns a.example.com dns example.com", true },
    { "dns EXAMPLE.com", "", "dns a.example.COM", true },
    { "dns example.com", "", "dns badexample.com", false },
    { "dns example.com", "", "dns a.example.com dns b.org", false },
    { "dns .example.com", "", "dns a.example.com", true },
    { "dns .example.com", "", "dns example.com", false },
    { "dns example.com", "", "dns *.example.com", true },
    { "dns a.com dns b.com", "", "dns x.a.com dns x.b.com", true },
    { "dns ''", "", "dns anything", true },
    { "", "dns bad.example.com", "dns a.example.com", true },
    { "", "dns bad.example.com", "dns x.bad.example.com", false },
    { "dns example.com", "dns b.example.com", "dns a.b.example.com", false },
    { "", "dns zzz", "dns a..b", false },
    { "ip 0a000000ff000000", "", "ip 0a010203", true },
    { "ip 0a000000ff000000", "", "ip 0b010203", false },
    { "ip 0a000000ff000000", "", "dns a.b", true },
    { "", "ip 0a010000ffff0000", "ip 0a010203", false },
    { "", "ip 0a010000ffff0000", "ip 0a020203", true },
    { "ip 0a000000ff000000", "", "ip 20010db8000000000000000000000001",
        false },
    /* Ours: not compared, hence refused. */
    { "email example.com", "", "email a@example.com", false },
    { "", "uri b.org", "uri https://a.org/", false },
    { "email example.com", "", "dns a.b uri https://a.org/", true },
};

START_TEST(name_constraints_hold)
{
    struct v23_bytes der;

    ca_form();
    constraints(true, limits[_i].permitted, limits[_i].excluded);
    der = certificate();

    ck_assert_int_eq(verify_once(trust(der), leaf(limits[_i].names)),
        limits[_i].want ? 0 : V23_EUNTRUSTED);
}
END_TEST

START_TEST(unknown_kind_of_constraint_matters_when_critical)
{
    ca_form();
    constraints(true, "dir 3000", "");
    ck_assert_int_eq(vouch(), V23_EUNTRUSTED);
    ca_form();
    constraints(false, "dir 3000", "");
    ck_assert_int_eq(vouch(), 0);
}
END_TEST

START_TEST(anchor_is_added_once)
{
    struct v23_bytes der;
    struct vsec_anchors *t;

    ca_form();
    der = certificate();
    t = trust(der);
    ck_assert_int_eq(vsec_anchors_add(t, der), 0);
    ck_assert_uint_eq(vsec_anchors_count(t), 1);
    ck_assert_int_eq(vsec_anchors_add(t, v23_bytes(der.p, 10)), V23_ECERT);
    ck_assert_uint_eq(vsec_anchors_count(t), 1);
    vsec_anchors_unref(t);
}
END_TEST

START_TEST(anchors_are_read_from_pem)
{
    struct v23_bytes der = hex(rsa_ca);
    struct vsec_anchors *t;
    struct v23_buf b;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    v23_buf_puts(&b, "some text\n");
    ck_assert_int_eq(vsec_pem_put("CERTIFICATE", NULL, der.p, der.n, &b), 0);
    ck_assert_int_eq(vsec_pem_put("CERTIFICATE", NULL, "bad", 3, &b), 0);
    ck_assert_int_eq(vsec_pem_put("X509 CRL", NULL, der.p, der.n, &b), 0);
    der = hex(ed25519_ca);
    ck_assert_int_eq(vsec_pem_put("CERTIFICATE", NULL, der.p, der.n, &b), 0);
    ck_assert_int_eq(vsec_anchors_new(e, &t), 0);

    ck_assert_int_eq(vsec_anchors_add_pem(t, v23_bytes(b.p, b.n)), 0);
    ck_assert_uint_eq(vsec_anchors_count(t), 2);
    ck_assert_int_eq(verify_once(t, hex(ed25519_leaf)), 0);
    v23_buf_fini(&b);
}
END_TEST

/* ---- signatures seen ----------------------------------------------------- */

static int verified;
static int (*real_verify)(const struct vsec_alg *alg, struct vsec_engine *en,
    void *shared, void *pub, const struct vsec_hash_alg *h,
    struct v23_bytes digest, const struct vsec_sigval *sig);

static int counting_verify(const struct vsec_alg *alg, struct vsec_engine *en,
    void *shared, void *pub, const struct vsec_hash_alg *h,
    struct v23_bytes digest, const struct vsec_sigval *sig)
{
    verified++;
    return real_verify(alg, en, shared, pub, h, digest, sig);
}

START_TEST(good_signature_is_checked_once)
{
    struct vsec_crypto crypto = vsec_crypto_default;
    const struct vsec_alg *algs[] = { NULL, NULL };
    struct vsec_engine *mine;
    struct vsec_anchors *t;
    struct vsec_x509_cert c;
    struct vsec_alg counting;
    void *shared;

    ck_assert_int_eq(vsec_engine_alg_(e, VSEC_ED25519, VSEC_CURVE_NONE,
        &algs[0], &shared), 0);
    counting = *algs[0];
    real_verify = counting.verify;
    counting.verify = counting_verify;
    algs[0] = &counting;
    crypto.algs = algs;
    ck_assert_int_eq(vsec_engine_new(&mine, &crypto, &mem.al, NULL), 0);
    ck_assert_int_eq(vsec_anchors_new(mine, &t), 0);
    ck_assert_int_eq(vsec_anchors_add(t, hex(ed25519_ca)), 0);

    verified = 0;
    ck_assert_int_eq(vsec_x509_parse(hex(ed25519_leaf), &c), 0);
    ck_assert_int_eq(vsec_anchors_verify(t, &c, in_2027, &why), 0);
    ck_assert_int_eq(vsec_anchors_verify(t, &c, in_2027, &why), 0);
    ck_assert_int_eq(verified, 1);
    /* The time counts whatever was seen. */
    ck_assert_int_eq(vsec_anchors_verify(t, &c, at(0), &why),
        V23_EUNTRUSTED);
    vsec_anchors_unref(t);
    vsec_engine_unref(mine);
}
END_TEST

/* ---- out of memory ------------------------------------------------------- */

static int anchors_body(const struct v23_alloc *al, void *ud)
{
    struct vsec_anchors *t = NULL;
    struct vsec_engine *mine;
    struct vsec_x509_cert c;
    const char *reason;
    int rc = vsec_engine_new(&mine, &vsec_crypto_default, al, NULL);

    (void)ud;
    if (rc != 0)
        return rc;
    rc = vsec_anchors_new(mine, &t);
    if (rc == 0)
        rc = vsec_anchors_add(t, hex(rsa_ca));
    if (rc == 0)
        rc = vsec_anchors_add(t, hex(ed25519_ca));
    if (rc == 0)
        rc = vsec_x509_parse(hex(ed25519_leaf), &c);
    if (rc == 0)
        rc = vsec_anchors_verify(t, &c, in_2027, &reason);
    vsec_anchors_unref(t);
    vsec_engine_unref(mine);
    return rc;
}

START_TEST(anchors_survive_lack_of_memory)
{
    tst_out_of_memory(anchors_body, NULL);
}
END_TEST

#define COUNT(v) (int)(sizeof(v) / sizeof((v)[0]))

static void fill(TCase *t)
{
    tcase_add_test(t, certificate_is_read);
    tcase_add_loop_test(t, times_are_those_of_the_calendar, 0, COUNT(times));
    tcase_add_test(t, certificate_refuses_every_truncation_and_octets_behind);
    tcase_add_test(t, extension_twice_is_refused);
    tcase_add_test(t, extensions_are_counted);
    tcase_add_test(t, names_are_counted);
    tcase_add_test(t, octets_are_limited);
    tcase_add_loop_test(t, malformed_extension_is_refused, 0,
        COUNT(malformed));
    tcase_add_test(t, mutations_are_never_verified);
    tcase_add_loop_test(t, host_is_compared, 0, COUNT(hosts));
    tcase_add_test(t, leaf_of_an_anchor_is_verified);
    tcase_add_test(t, weak_and_unknown_signatures_are_refused);
    tcase_add_test(t, unknown_authority_is_refused);
    tcase_add_test(t, leaf_may_be_an_anchor_itself);
    tcase_add_test(t, self_signed_certificate_does_not_vouch_for_its_like);
    tcase_add_test(t, leaf_must_be_good_for_its_use);
    tcase_add_test(t, validity_includes_both_ends);
    tcase_add_test(t, anchor_must_be_an_authority);
    tcase_add_test(t, anchor_must_be_good_for_its_use);
    tcase_add_loop_test(t, name_constraints_hold, 0, COUNT(limits));
    tcase_add_test(t, unknown_kind_of_constraint_matters_when_critical);
    tcase_add_test(t, anchor_is_added_once);
    tcase_add_test(t, anchors_are_read_from_pem);
    tcase_add_test(t, good_signature_is_checked_once);
    tcase_add_test(t, anchors_survive_lack_of_memory);
}

int main(void)
{
    return tst_run_case("security/x509", fill, x509_setup, x509_teardown);
}
