/* BSD-3-Clause; see LICENSE. */
/* Public keys and signatures; hostile keys and signature values. */
#include <stdio.h>
#include <stdlib.h>

#include "key_data.h"
#include "key_rig.h"

static int parse_hex(const char *text)
{
    struct v23_bytes b = hex(text);

    return parse(b.p, b.n);
}

static struct vsec_pubkey *key(const char *text)
{
    struct v23_bytes b = hex(text);
    struct vsec_pubkey *k;

    ck_assert_int_eq(vsec_pubkey_parse(e, vdl_bytes(b.p, b.n), &k), 0);
    return k;
}

/* ---- parsing ------------------------------------------------------------ */

static const struct {
    const char *spki;
    enum vsec_kind kind;
    enum vsec_curve curve;
    unsigned bits;
    const char *hash;
} kinds[] = {
    { alice_spki, VSEC_ECDSA, VSEC_P256, 256, "SHA256" },
    { bob_spki, VSEC_ECDSA, VSEC_P384, 384, "SHA384" },
    { carol_spki, VSEC_ECDSA, VSEC_P521, 521, "SHA512" },
    { grace_spki, VSEC_ECDSA, VSEC_P224, 224, "SHA256" },
    { dave_spki, VSEC_ED25519, VSEC_CURVE_NONE, 256, "SHA512" },
    { eve_spki, VSEC_RSA, VSEC_CURVE_NONE, 2048, "SHA512" },
};
enum { NKINDS = sizeof(kinds) / sizeof(kinds[0]) };

START_TEST(parse_tells_the_kind)
{
    struct vsec_pubkey *k = key(kinds[_i].spki);
    struct v23_bytes der = hex(kinds[_i].spki);
    uint8_t d[VSEC_HASH_MAX];

    ck_assert_int_eq(k->alg->kind, kinds[_i].kind);
    ck_assert_int_eq(k->alg->curve, kinds[_i].curve);
    ck_assert_uint_eq(k->bits, kinds[_i].bits);
    ck_assert_str_eq(k->hash->name, kinds[_i].hash);
    ck_assert_uint_eq(k->der.n, der.n);
    ck_assert_mem_eq(k->der.p, der.p, der.n);
    ck_assert_int_eq(vsec_hash(k->hash, der.p, der.n, d), 0);
    ck_assert_mem_eq(k->digest, d, k->hash->size);
    vsec_pubkey_unref(k);
}
END_TEST

START_TEST(parse_rejects_truncation_and_surplus)
{
    struct v23_bytes der = hex(kinds[_i].spki);
    uint8_t *p = malloc(der.n + 1);
    size_t n;

    memcpy(p, der.p, der.n);
    p[der.n] = 0;
    for (n = 0; n < der.n; n++) {
        uint8_t *cut = malloc(n + 1); /* so that ASan sees overreads */

        memcpy(cut + 1, p, n);
        ck_assert_int_eq(parse(cut + 1, n), V23_EKEY);
        free(cut);
    }
    ck_assert_int_eq(parse(p, der.n + 1), V23_EKEY);
    ck_assert_int_eq(parse(p, der.n), 0);
    free(p);
}
END_TEST

/* No changed P-256 key is on the curve, and nothing else in it may vary. */
START_TEST(parse_rejects_every_changed_bit_of_an_ecdsa_key)
{
    struct v23_bytes der = hex(alice_spki);
    uint8_t p[91];
    size_t i;

    ck_assert_uint_eq(der.n, sizeof(p));
    memcpy(p, der.p, der.n);
    for (i = 0; i < 8 * sizeof(p); i++) {
        p[i / 8] ^= (uint8_t)(1u << (i % 8));
        ck_assert_int_eq(parse(p, sizeof(p)), V23_EKEY);
        p[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
}
END_TEST

START_TEST(parse_of_changed_octets_never_does_worse_than_refuse)
{
    struct v23_bytes der = hex(kinds[_i].spki);
    uint8_t *p = malloc(der.n);
    size_t i;
    unsigned v;
    int rc;

    memcpy(p, der.p, der.n);
    for (i = 0; i < der.n; i++)
        for (v = 1; v < 256; v += i < 40 ? 1 : 85) {
            p[i] ^= (uint8_t)v;
            rc = parse(p, der.n);
            ck_assert(rc == 0 || rc == V23_EKEY);
            p[i] ^= (uint8_t)v;
        }
    free(p);
}
END_TEST

/* Parts of alice's key. */
#define POINT \
    "03ac62b8f8041bc225055b04f276006d4cc3875ca381530496d05f7e53d8db78" \
    "5fbb3a58776355301659789c1a22cc927389e0c0672071be8bc16bef1569d19c"
#define OID_EC "06072a8648ce3d0201"

static const char *const bad_keys[] = {
    "", "30", "3000", "3080", "0500",
    /* length in two octets */
    "308159 3013" OID_EC OID_P256 "034200 04" POINT,
    /* indefinite length */
    "3080 3013" OID_EC OID_P256 "034200 04" POINT "0000",
    /* unused bits */
    "3059 3013" OID_EC OID_P256 "034201 04" POINT,
    /* empty bit string */
    "3017 3013" OID_EC OID_P256 "0300",
    "3018 3013" OID_EC OID_P256 "030100",
    /* point at infinity */
    "3019 3013" OID_EC OID_P256 "03020000",
    /* compressed */
    "3039 3013" OID_EC OID_P256 "032200 02"
    "03ac62b8f8041bc225055b04f276006d4cc3875ca381530496d05f7e53d8db78",
    /* hybrid form */
    "3059 3013" OID_EC OID_P256 "034200 06" POINT,
    /* 0, 0 */
    "3059 3013" OID_EC OID_P256 "034200 04"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000",
    /* no curve, NULL for a curve, something behind the curve */
    "304f 3009" OID_EC "034200 04" POINT,
    "3051 300b" OID_EC "0500 034200 04" POINT,
    "305b 3015" OID_EC OID_P256 "0500 034200 04" POINT,
    /* something behind the bit string */
    "305b 3013" OID_EC OID_P256 "034200 04" POINT "0500",
    /* P-256 point named P-384 */
    "3056 3010" OID_EC "06052b81040022 034200 04" POINT,
    /* Ed25519 with NULL, with 31 and 33 octets */
    "302c 3007 06032b6570 0500 032100"
    "199abdb9a80175cd5b8c750f3e6f01309d903c2e6be4d86404797be8ebb7ab2c",
    "3029 3005 06032b6570 032000"
    "199abdb9a80175cd5b8c750f3e6f01309d903c2e6be4d86404797be8ebb7ab",
    "302b 3005 06032b6570 032200"
    "199abdb9a80175cd5b8c750f3e6f01309d903c2e6be4d86404797be8ebb7ab2c00",
    /* X25519 */
    "302a 3005 06032b656e 032100"
    "199abdb9a80175cd5b8c750f3e6f01309d903c2e6be4d86404797be8ebb7ab2c",
    rsa_1024_spki, secp256k1_spki,
};
enum { NBAD = sizeof(bad_keys) / sizeof(bad_keys[0]) };

START_TEST(parse_rejects_bad_keys)
{
    ck_assert_int_eq(parse_hex(bad_keys[_i]), V23_EKEY);
}
END_TEST

/* eve's key with other octets for its exponent 010001. */
static int parse_exponent(const char *tail, size_t drop)
{
    struct v23_bytes der = hex(eve_spki), t = hex(tail);
    uint8_t p[300];

    ck_assert_uint_eq(der.n, 294);
    memcpy(p, der.p, der.n);
    memcpy(p + der.n - drop, t.p, t.n);
    return parse(p, der.n - drop + t.n);
}

START_TEST(parse_bounds_the_rsa_exponent)
{
    ck_assert_int_eq(parse_exponent("0203010001", 5), 0);
    ck_assert_int_eq(parse_exponent("0203000001", 5), V23_EKEY); /* padded */
    ck_assert_int_eq(parse_exponent("0203010000", 5), V23_EKEY); /* even */
    ck_assert_int_eq(parse_exponent("0203810001", 5), V23_EKEY); /* < 0 */
    ck_assert_int_eq(parse_exponent("0203000001", 5), V23_EKEY);
    ck_assert_int_eq(parse_exponent("010001", 3), 0);
}
END_TEST

START_TEST(parse_takes_the_rsa_exponent_three)
{
    ck_assert_int_eq(parse_hex(rsa_e3_spki), 0);
}
END_TEST

START_TEST(parse_without_the_algorithm_fails)
{
    const struct vsec_alg *const some[]
        = { alg_of(VSEC_ECDSA, VSEC_P256), NULL };
    struct vsec_crypto small = vsec_crypto_default;
    struct vsec_engine *other;
    struct vsec_pubkey *k;
    struct v23_bytes dave = hex(dave_spki), alice = hex(alice_spki);
    struct vsec_signer *s;

    small.algs = some;
    small.sha384 = small.sha512 = NULL;
    ck_assert_int_eq(vsec_engine_new(&other, &small, &mem.al, NULL), 0);

    ck_assert_int_eq(vsec_pubkey_parse(other, vdl_bytes(dave.p, dave.n), &k),
        V23_EKEY);
    ck_assert_int_eq(vsec_signer_generate(other, "ed25519", &s), V23_ENOSYS);
    ck_assert_int_eq(vsec_pubkey_parse(other, vdl_bytes(alice.p, alice.n),
                         &k),
        0);
    vsec_engine_unref(other); /* the key keeps it */
    vsec_pubkey_unref(k);
}
END_TEST

START_TEST(keys_are_equal_by_their_octets)
{
    struct vsec_pubkey *a = key(alice_spki), *b = key(alice_spki);
    struct vsec_pubkey *c = key(dave_spki);

    ck_assert(vsec_pubkey_eq(a, a));
    ck_assert(vsec_pubkey_eq(a, b));
    ck_assert(!vsec_pubkey_eq(a, c));
    ck_assert_ptr_eq(vsec_pubkey_ref(a), a);
    vsec_pubkey_unref(a);
    vsec_pubkey_unref(a);
    vsec_pubkey_unref(b);
    vsec_pubkey_unref(c);
    vsec_pubkey_unref(NULL);
}
END_TEST

START_TEST(fingerprint_is_colon_separated_md5)
{
    struct v23_bytes b = hex(alice_spki);
    struct vsec_crypto none = vsec_crypto_default;
    char fp[VSEC_FINGERPRINT];

    ck_assert_int_eq(vsec_fingerprint(&none, vdl_bytes(b.p, b.n), fp), 0);
    ck_assert_str_eq(fp, "ff:ad:19:35:a5:47:01:bf:1a:e2:d4:c8:ff:68:e6:68");
    none.md5 = NULL;
    ck_assert_int_eq(vsec_fingerprint(&none, vdl_bytes(b.p, b.n), fp),
        V23_ENOSYS);
    ck_assert_str_eq(fp, "");
}
END_TEST

/* ---- signing and verifying ---------------------------------------------- */

START_TEST(own_signatures_verify)
{
    struct vsec_signer *s = signer(privates[_i]);
    struct vsec_signature sig, other;

    sign(s, "message", &sig);

    ck_assert_int_eq(verify(s->pub, &sig, "message"), 0);
    ck_assert_int_eq(verify(s->pub, &sig, "massage"), V23_ESIG);
    ck_assert_int_eq(verify(s->pub, &sig, ""), V23_ESIG);
    ck_assert(vdl_bytes_eq(sig.purpose, s1));
    ck_assert(vdl_str_is(sig.hash, s->pub->hash->name));
    other = sig;
    other.purpose = vdl_bytes((const uint8_t *)"B1", 2);
    ck_assert_int_eq(verify(s->pub, &other, "message"), V23_ESIG);
    other = sig;
    other.hash = vdl_str(vdl_str_is(sig.hash, "SHA256") ? "SHA384"
                                                        : "SHA256");
    ck_assert_int_eq(verify(s->pub, &other, "message"), V23_ESIG);
    vsec_signer_unref(s);
}
END_TEST

/* Values of r and s have no leading zeros: try until one would have had. */
START_TEST(ecdsa_values_are_minimal)
{
    struct vsec_signer *s = signer(alice_pkcs8);
    struct vsec_signature sig;
    char msg[16];
    unsigned shorter = 0, i;

    for (i = 0; i < 3000 && shorter == 0; i++) {
        snprintf(msg, sizeof(msg), "%u", i);
        sign(s, msg, &sig);
        ck_assert(sig.r.p[0] != 0 && sig.s.p[0] != 0);
        if (sig.r.n < 32 || sig.s.n < 32)
            shorter++;
        v23_arena_reset(&arena);
    }
    ck_assert_uint_gt(shorter, 0);
    vsec_signer_unref(s);
}
END_TEST

START_TEST(values_of_another_kind_are_ignored)
{
    struct vsec_signer *s = signer(dave_pkcs8);
    struct vsec_signature sig;

    sign(s, "message", &sig);
    sig.r = sig.s = sig.rsa = s1;
    ck_assert_int_eq(verify(s->pub, &sig, "message"), 0);
    sig.ed25519.n = 0;
    ck_assert_int_eq(verify(s->pub, &sig, "message"), V23_ESIG);
    vsec_signer_unref(s);
}
END_TEST

#define ORDER_LESS_1 \
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define ALL_ONES \
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const char *const odd_values[] = { "", "00", "0000", "01", ORDER,
    ORDER_LESS_1, "00" ORDER, ALL_ONES, "01" ORDER, ALL_ONES ALL_ONES,
    "010000000000000000000000000000000000000000000000000000000000000000" };
enum { NODD = sizeof(odd_values) / sizeof(odd_values[0]) };

START_TEST(ecdsa_odd_values_do_not_verify)
{
    struct vsec_signer *s = signer(alice_pkcs8);
    struct vsec_signature good, sig;
    struct v23_bytes v = hex(odd_values[_i]);
    size_t i;

    sign(s, "message", &good);
    sig = good;
    sig.r = vdl_bytes(v.p, v.n);
    ck_assert_int_eq(verify(s->pub, &sig, "message"), V23_ESIG);
    sig = good;
    sig.s = vdl_bytes(v.p, v.n);
    ck_assert_int_eq(verify(s->pub, &sig, "message"), V23_ESIG);
    for (i = 0; i < NODD; i++) { /* and in pairs */
        struct v23_bytes w = hex(odd_values[i]);

        sig.r = vdl_bytes(w.p, w.n);
        ck_assert_int_eq(verify(s->pub, &sig, "message"), V23_ESIG);
    }
    vsec_signer_unref(s);
}
END_TEST

START_TEST(ecdsa_values_may_have_many_leading_zeros)
{
    struct vsec_signer *s = signer(alice_pkcs8);
    struct vsec_signature sig;
    uint8_t r[2048] = { 0 };

    sign(s, "message", &sig);
    memcpy(r + sizeof(r) - sig.r.n, sig.r.p, sig.r.n);
    sig.r = vdl_bytes(r, sizeof(r));

    ck_assert_int_eq(verify(s->pub, &sig, "message"), 0);
    r[0] = 1;
    ck_assert_int_eq(verify(s->pub, &sig, "message"), V23_ESIG);
    vsec_signer_unref(s);
}
END_TEST

START_TEST(ecdsa_order_minus_s_verifies)
{
    struct vsec_signer *s = signer(alice_pkcs8);
    struct v23_bytes n = hex(ORDER);
    struct vsec_signature sig;
    uint8_t neg[32], full[32] = { 0 };
    int i, borrow = 0, x;

    sign(s, "message", &sig);
    memcpy(full + 32 - sig.s.n, sig.s.p, sig.s.n);
    for (i = 31; i >= 0; i--) {
        x = n.p[i] - full[i] - borrow;
        borrow = x < 0;
        neg[i] = (uint8_t)x;
    }
    sig.s = vdl_bytes(neg, 32);

    ck_assert_int_eq(verify(s->pub, &sig, "message"), 0);
    vsec_signer_unref(s);
}
END_TEST

START_TEST(fixed_length_signatures_have_exactly_that_length)
{
    struct vsec_signer *s = signer(_i == 0 ? dave_pkcs8 : eve_pkcs8);
    struct vsec_signature sig;
    struct vdl_bytes *v = _i == 0 ? &sig.ed25519 : &sig.rsa;
    uint8_t p[1 + 256 + 1] = { 0 };
    uint32_t n;

    sign(s, "message", &sig);
    n = v->n;
    ck_assert_uint_eq(n, _i == 0 ? 64 : 256);
    memcpy(p + 1, v->p, n);
    *v = vdl_bytes(p + 1, n);
    ck_assert_int_eq(verify(s->pub, &sig, "message"), 0);
    *v = vdl_bytes(p + 1, n + 1);
    ck_assert_int_eq(verify(s->pub, &sig, "message"), V23_ESIG);
    *v = vdl_bytes(p, n + 1);
    ck_assert_int_eq(verify(s->pub, &sig, "message"), V23_ESIG);
    *v = vdl_bytes(p + 1, n - 1);
    ck_assert_int_eq(verify(s->pub, &sig, "message"), V23_ESIG);
    *v = vdl_bytes(p + 2, n - 1);
    ck_assert_int_eq(verify(s->pub, &sig, "message"), V23_ESIG);
    vsec_signer_unref(s);
}
END_TEST

START_TEST(rsa_forgery_with_short_padding_is_refused)
{
    struct vsec_pubkey *k = key(rsa_e3_spki);
    struct v23_bytes v = hex(rsa_forgery);
    struct vsec_signature sig;

    memset(&sig, 0, sizeof(sig));
    sig.purpose = s1;
    sig.hash = vdl_str("SHA256");
    sig.rsa = vdl_bytes(v.p, v.n);

    ck_assert_int_eq(verify(k, &sig, "forged"), V23_ESIG);
    vsec_pubkey_unref(k);
}
END_TEST

START_TEST(rsa_value_above_the_modulus_is_refused)
{
    struct vsec_pubkey *k = key(eve_spki);
    struct vsec_signature sig;
    uint8_t v[256];

    memset(v, 0xff, sizeof(v));
    memset(&sig, 0, sizeof(sig));
    sig.purpose = s1;
    sig.rsa = vdl_bytes(v, sizeof(v));
    ck_assert_int_eq(verify(k, &sig, "message"), V23_ESIG);
    memset(v, 0, sizeof(v));
    ck_assert_int_eq(verify(k, &sig, "message"), V23_ESIG);
    vsec_pubkey_unref(k);
}
END_TEST

START_TEST(verify_without_the_hash_fails)
{
    struct vsec_crypto small = vsec_crypto_default;
    struct v23_bytes der = hex(alice_spki);
    struct vsec_engine *other;
    struct vsec_pubkey *k;
    struct vsec_signature sig;

    small.sha512 = NULL;
    ck_assert_int_eq(vsec_engine_new(&other, &small, &mem.al, NULL), 0);
    ck_assert_int_eq(vsec_pubkey_parse(other, vdl_bytes(der.p, der.n), &k),
        0);
    memset(&sig, 0, sizeof(sig));
    sig.r = sig.s = s1;
    sig.hash = vdl_str("SHA512");

    ck_assert_int_eq(verify(k, &sig, "message"), V23_ENOSYS);
    vsec_pubkey_unref(k);
    vsec_engine_unref(other);
}
END_TEST

START_TEST(sign_refuses_a_long_purpose)
{
    struct vsec_signer *s = signer(dave_pkcs8);
    struct vsec_signature sig;

    ck_assert_int_eq(vsec_sign(s, vdl_bytes((const uint8_t *)"123456789", 9),
                         "m", 1, &arena, &sig, NULL),
        V23_EARG);
    ck_assert_int_eq(vsec_sign(s, vdl_bytes(NULL, 0), "m", 1, &arena, &sig,
                         NULL),
        0);
    ck_assert_int_eq(verify(s->pub, &sig, "m"), 0);
    vsec_signer_unref(s);
}
END_TEST

START_TEST(digest_covers_only_the_chosen_value)
{
    struct vsec_signature a, b;
    uint8_t da[VSEC_HASH_MAX], db[VSEC_HASH_MAX];
    const struct vsec_hash_alg *h = e->crypto->sha256;

    memset(&a, 0, sizeof(a));
    a.purpose = s1;
    a.r = s1;
    b = a;
    b.ed25519 = b.rsa = s1; /* ignored beside r */
    ck_assert_int_eq(vsec_signature_digest(h, &a, da), 0);
    ck_assert_int_eq(vsec_signature_digest(h, &b, db), 0);
    ck_assert_mem_eq(da, db, 32);
    b.s = s1;
    ck_assert_int_eq(vsec_signature_digest(h, &b, db), 0);
    ck_assert_mem_ne(da, db, 32);
    ck_assert_int_eq(vsec_signature_digest(NULL, &a, da), V23_ENOSYS);
}
END_TEST

static void add_public(TCase *t)
{
    tcase_add_loop_test(t, parse_tells_the_kind, 0, NKINDS);
    tcase_add_loop_test(t, parse_rejects_truncation_and_surplus, 0, NKINDS);
    tcase_add_test(t, parse_rejects_every_changed_bit_of_an_ecdsa_key);
    tcase_add_loop_test(t,
        parse_of_changed_octets_never_does_worse_than_refuse, 0, NKINDS);
    tcase_add_loop_test(t, parse_rejects_bad_keys, 0, NBAD);
    tcase_add_test(t, parse_bounds_the_rsa_exponent);
    tcase_add_test(t, parse_takes_the_rsa_exponent_three);
    tcase_add_test(t, parse_without_the_algorithm_fails);
    tcase_add_test(t, keys_are_equal_by_their_octets);
    tcase_add_test(t, fingerprint_is_colon_separated_md5);
}

static void add_signatures(TCase *t)
{
    tcase_add_loop_test(t, own_signatures_verify, 0, NPRIVATE);
    tcase_add_test(t, ecdsa_values_are_minimal);
    tcase_add_test(t, values_of_another_kind_are_ignored);
    tcase_add_loop_test(t, ecdsa_odd_values_do_not_verify, 0, NODD);
    tcase_add_test(t, ecdsa_values_may_have_many_leading_zeros);
    tcase_add_test(t, ecdsa_order_minus_s_verifies);
    tcase_add_loop_test(t, fixed_length_signatures_have_exactly_that_length,
        0, 2);
    tcase_add_test(t, rsa_forgery_with_short_padding_is_refused);
    tcase_add_test(t, rsa_value_above_the_modulus_is_refused);
    tcase_add_test(t, verify_without_the_hash_fails);
    tcase_add_test(t, sign_refuses_a_long_purpose);
    tcase_add_test(t, digest_covers_only_the_chosen_value);
}

static void add(TCase *t)
{
    add_public(t);
    add_signatures(t);
}

int main(void)
{
    return tst_run_case("security/key", add, setup, teardown);
}
