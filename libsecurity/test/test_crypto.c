/* BSD-3-Clause; see LICENSE. */
/* Known answers of the provider's hashes, ciphers and signatures; engines. */
#include "key_int.h"
#include "key_rig.h"

static void assert_octets(const void *p, const char *want)
{
    struct v23_bytes w = hex(want);

    ck_assert_mem_eq(p, w.p, w.n);
}

/* ---- hashes ------------------------------------------------------------- */

static const struct {
    const struct vsec_hash_alg *const *alg;
    const char *name;
    const char *abc;  /* of "abc" */
    const char *long_; /* of 00 … ff, four times */
} hashes[] = {
    { &vsec_crypto_default.sha256, "SHA256",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "785b0751fc2c53dc14a4ce3d800e69ef9ce1009eb327ccf458afe09c242c26c9" },
    { &vsec_crypto_default.sha384, "SHA384",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
        "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        "55fd17eeb1611f9193f6ac600238ce63aa298c2e332f042b"
        "80c8f691f800e4c7505af20c1a86a31f08504587395f081f" },
    { &vsec_crypto_default.sha512, "SHA512",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "37f652be867f28ed033269cbba201af2112c2b3fd334a89fd2f757938ddee815"
        "787cc61d6e24a8a33340d0f7e86ffc058816b88530766ba6e231620a130b566c" },
    { &vsec_crypto_default.md5, "MD5", "900150983cd24fb0d6963f7d28e17f72",
        "b2ea9f7fcea831a4a63b213f41a8855b" },
    { &vsec_crypto_default.sha1, "SHA1",
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "5b00669c480d5cffbdfa8bdba99561160f2d1b77" },
};

START_TEST(hash_known_answers)
{
    uint8_t d[VSEC_HASH_MAX + 1], text[1024];
    size_t i;

    for (i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)i;

    memset(d, 0xee, sizeof(d));
    ck_assert_str_eq((*hashes[_i].alg)->name, hashes[_i].name);
    ck_assert_int_eq(vsec_hash(*hashes[_i].alg, "abc", 3, d), 0);
    assert_octets(d, hashes[_i].abc);
    ck_assert_uint_eq(d[(*hashes[_i].alg)->size], 0xee); /* nothing behind */

    ck_assert_int_eq(vsec_hash(*hashes[_i].alg, text, sizeof(text), d), 0);
    assert_octets(d, hashes[_i].long_);
}
END_TEST

START_TEST(hash_in_parts_is_the_same)
{
    struct vsec_hash h;
    uint8_t d[VSEC_HASH_MAX], text[1024];
    size_t i, step;

    for (i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)i;
    for (step = 1; step < 300; step += 41) {
        vsec_hash_init(&h, *hashes[_i].alg);
        for (i = 0; i < sizeof(text); i += step)
            vsec_hash_update(&h, text + i,
                sizeof(text) - i < step ? sizeof(text) - i : step);
        vsec_hash_update(&h, NULL, 0);
        ck_assert_int_eq(vsec_hash_final(&h, d), 0);
        assert_octets(d, hashes[_i].long_);
    }
}
END_TEST

START_TEST(hash_allocates_nothing)
{
    size_t before = mem.calls;
    uint8_t d[VSEC_HASH_MAX];

    ck_assert_int_eq(vsec_hash(e->crypto->sha512, "x", 1, d), 0);

    ck_assert_uint_eq(mem.calls, before);
}
END_TEST

START_TEST(hash_missing_from_the_build_fails)
{
    struct vsec_hash h;
    uint8_t d[VSEC_HASH_MAX];

    ck_assert_int_eq(vsec_hash(NULL, "x", 1, d), V23_ENOSYS);
    vsec_hash_init(&h, NULL);
    vsec_hash_update(&h, "x", 1);
    ck_assert_int_eq(vsec_hash_final(&h, d), V23_ENOSYS);
}
END_TEST

static int fails_update(void *state, const uint8_t *p, size_t n)
{
    (void)state;
    (void)p;
    (void)n;
    return V23_ECRYPTO;
}

START_TEST(hash_failure_sticks_and_zeroes)
{
    struct vsec_hash_alg broken = *vsec_crypto_default.sha256;
    uint8_t d[VSEC_HASH_MAX], zero[32] = { 0 };

    broken.update = fails_update;
    memset(d, 0xee, sizeof(d));

    ck_assert_int_eq(vsec_hash(&broken, "x", 1, d), V23_ECRYPTO);
    ck_assert_mem_eq(d, zero, 32);
}
END_TEST

START_TEST(hash_names_are_exact)
{
    const struct vsec_crypto *c = &vsec_crypto_default;

    ck_assert_ptr_eq(vsec_hash_named(c, vdl_str("SHA256")), c->sha256);
    ck_assert_ptr_eq(vsec_hash_named(c, vdl_str("SHA384")), c->sha384);
    ck_assert_ptr_eq(vsec_hash_named(c, vdl_str("SHA512")), c->sha512);
    ck_assert_ptr_eq(vsec_hash_named(c, vdl_str("sha256")), c->sha512);
    ck_assert_ptr_eq(vsec_hash_named(c, vdl_str("SHA2566")), c->sha512);
    ck_assert_ptr_eq(vsec_hash_named(c, vdl_str("")), c->sha512);
}
END_TEST

/* ---- ciphers ------------------------------------------------------------ */

START_TEST(pbkdf2_known_answers)
{
    const struct vsec_cipher_ops *c = e->crypto->cipher;
    struct v23_bytes pass = v23_bytes("password", 8);
    struct v23_bytes salt = v23_bytes("salt", 4);
    uint8_t out[40];

    ck_assert_int_eq(c->pbkdf2(VSEC_HMAC_SHA1, pass, salt, 2, out, 20), 0);
    assert_octets(out, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
    ck_assert_int_eq(c->pbkdf2(VSEC_HMAC_SHA256, pass, salt, 3, out, 40), 0);
    assert_octets(out, "ad35240ac683febfaf3cd49d845473fbbbaa2437f5f82d5a"
                       "415ae00ac76c6bfccf9a9b8d6d2fe4a1");
}
END_TEST

static const char *const cbc[] = {
    "753d5eacf88ed4c2c30496112e5f2221380449120c43e61d91c66cae5065cdad"
    "a92a5c417f7993023b11fdc5780e1efb",
    "8109f00b4324e87d610d74c4e2ca931c682ca0dc59afb401b0c88076930072a4"
    "028a66bd8a30ca9804e8086fc7c72a5e",
    "904ce45cf22ed0d1be643f5fc86504cd5657deaccfb95ef5a793ca2db1f9a645"
    "923ef857a0910a8065d65bd40834fa0b",
};

static void count_up(uint8_t *p, size_t n, uint8_t from)
{
    size_t i;

    for (i = 0; i < n; i++)
        p[i] = (uint8_t)(from + i);
}

START_TEST(aes_cbc_known_answers)
{
    const struct vsec_cipher_ops *c = e->crypto->cipher;
    uint8_t key[32], iv[16], p[48], plain[48];
    struct v23_bytes k = v23_bytes(key, 16 + 8 * (size_t)_i);

    count_up(key, sizeof(key), 0);
    count_up(iv, sizeof(iv), 0xf0);
    count_up(plain, sizeof(plain), 0);
    memcpy(p, plain, sizeof(p));

    ck_assert_int_eq(c->aes_cbc(true, k, iv, p, sizeof(p)), 0);
    assert_octets(p, cbc[_i]);
    ck_assert_int_eq(c->aes_cbc(false, k, iv, p, sizeof(p)), 0);
    ck_assert_mem_eq(p, plain, sizeof(p));
    ck_assert_uint_eq(iv[15], 0xff); /* the caller's is untouched */
}
END_TEST

START_TEST(aes_rejects_wrong_sizes)
{
    const struct vsec_cipher_ops *c = e->crypto->cipher;
    uint8_t key[33] = { 0 }, iv[16] = { 0 }, p[32] = { 0 };

    ck_assert_int_eq(c->aes_cbc(true, v23_bytes(key, 33), iv, p, 16),
        V23_EARG);
    ck_assert_int_eq(c->aes_cbc(true, v23_bytes(key, 32), iv, p, 17),
        V23_EARG);
    ck_assert_int_eq(c->aes_ctr(v23_bytes(key, 8), iv, p, 16), V23_EARG);
}
END_TEST

START_TEST(aes_ctr_carries_over_all_octets)
{
    const struct vsec_cipher_ops *c = e->crypto->cipher;
    uint8_t key[32], iv[16], p[40];

    count_up(key, sizeof(key), 0);
    memset(iv, 0xff, sizeof(iv));
    count_up(p, sizeof(p), 0);

    ck_assert_int_eq(c->aes_ctr(v23_bytes(key, 32), iv, p, sizeof(p)), 0);
    assert_octets(p, "e998e61e48a276dd5b8e1b70518259e1e28112a53e5c89c7"
                     "b1ea8071c133699fd07c548d6e9cb9c2");
}
END_TEST

START_TEST(bcrypt_pbkdf_known_answer)
{
    struct v23_bytes pass = v23_bytes("password", 8);
    struct v23_bytes salt = v23_bytes("salt", 4);
    const struct vsec_hash_alg *sha512 = e->crypto->sha512;
    uint8_t out[32];

    /* OpenBSD's regression test of bcrypt_pbkdf. */
    ck_assert_int_eq(vsec_bcrypt_pbkdf_(sha512, pass, salt, 4, out, 32), 0);
    assert_octets(out, "5bbf0cc293587f1c3635555c27796598"
                       "d47e579071bf427e9d8fbe842aba34d9");
}
END_TEST

START_TEST(bcrypt_pbkdf_checks_parameters)
{
    struct v23_bytes pass = v23_bytes("p", 1), none = v23_bytes(NULL, 0);
    const struct vsec_hash_alg *h = e->crypto->sha512;
    uint8_t out[1025];

    ck_assert_int_eq(vsec_bcrypt_pbkdf_(h, none, pass, 1, out, 32), V23_EARG);
    ck_assert_int_eq(vsec_bcrypt_pbkdf_(h, pass, none, 1, out, 32), V23_EARG);
    ck_assert_int_eq(vsec_bcrypt_pbkdf_(h, pass, pass, 0, out, 32), V23_EARG);
    ck_assert_int_eq(vsec_bcrypt_pbkdf_(h, pass, pass, 1, out, 0), V23_EARG);
    ck_assert_int_eq(vsec_bcrypt_pbkdf_(h, pass, pass, 1, out, 1025),
        V23_EARG);
    ck_assert_int_eq(vsec_bcrypt_pbkdf_(NULL, pass, pass, 1, out, 32),
        V23_ENOSYS);
}
END_TEST

/* ---- signatures of the algorithms themselves ---------------------------- */

/* RFC 6979 A.2.5: P-256, SHA-256, "sample". A provider that does not sign that
 * way takes a new random number each time. */
START_TEST(p256_signs_deterministically_or_at_random)
{
    const struct vsec_alg *alg = alg_of(VSEC_ECDSA, VSEC_P256);
    struct vsec_raw_key raw;
    struct vsec_sigval sig, again;
    uint8_t digest[32], buf[2][VSEC_SIG_MAX];
    void *shared = NULL, *priv = NULL;

    memset(&raw, 0, sizeof(raw));
    raw.priv = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b"
                   "120f6721");
    ck_assert_int_eq(alg->shared_new(alg, e, &shared), 0);
    ck_assert_int_eq(alg->priv_new(alg, e, shared, &raw, &priv), 0);
    ck_assert_int_eq(vsec_hash(e->crypto->sha256, "sample", 6, digest), 0);

    ck_assert_int_eq(alg->sign(alg, e, shared, priv, e->crypto->sha256,
                         digest, buf[0], &sig),
        0);
    ck_assert_int_eq(alg->sign(alg, e, shared, priv, e->crypto->sha256,
                         digest, buf[1], &again),
        0);

    ck_assert_uint_eq(sig.a.n, 32);
    ck_assert_uint_eq(again.a.n, 32);
    if (memcmp(sig.a.p, again.a.p, 32) == 0) {
        assert_octets(sig.a.p, "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aa"
                               "f991c34d0ea84eaf3716");
        assert_octets(sig.b.p, "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9af"
                               "f4064dc4ab2f843acda8");
    } else {
        ck_assert_mem_ne(sig.b.p, again.b.p, 32);
    }
    alg->priv_free(e, priv);
    alg->shared_free(e, shared);
}
END_TEST

/* RFC 8032 7.1, TEST SHA(abc): the message is SHA-512("abc"). */
START_TEST(ed25519_known_answer)
{
    const struct vsec_alg *alg = ed25519s[_i];
    struct vsec_raw_key raw;
    struct vsec_sigval sig;
    uint8_t digest[64], buf[VSEC_SIG_MAX];
    void *priv = NULL;

    memset(&raw, 0, sizeof(raw));
    raw.priv = hex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b9"
                   "6dca3d42");
    raw.pub = hex("ec172b93ad5e563f4932c70e1245034c35467ef2efd4d64ebf819683"
                  "467e2bf2");
    ck_assert_int_eq(vsec_hash(e->crypto->sha512, "abc", 3, digest), 0);
    /* The last octet of the public key is wrong: the halves do not belong
     * together. */
    ck_assert_int_eq(alg->priv_new(alg, e, NULL, &raw, &priv), V23_EKEY);
    raw.pub = hex("ec172b93ad5e563f4932c70e1245034c35467ef2efd4d64ebf819683"
                  "467e2bf0");
    raw.pub.n = 31;
    ck_assert_int_eq(alg->priv_new(alg, e, NULL, &raw, &priv), V23_EKEY);
    raw.pub.n = 0;
    ck_assert_int_eq(alg->priv_new(alg, e, NULL, &raw, &priv), 0);

    ck_assert_int_eq(alg->sign(alg, e, NULL, priv, e->crypto->sha512, digest,
                         buf, &sig),
        0);

    ck_assert_uint_eq(sig.a.n, 64);
    assert_octets(sig.a.p, "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb"
                           "69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
                           "3dca179c138ac17ad9bef1177331a704");
    alg->priv_free(e, priv);
}
END_TEST

/* A made key signs; what is exported of it makes the same one. */
START_TEST(ed25519_makes_and_exports_keys)
{
    const struct vsec_alg *alg = ed25519s[_i];
    struct vsec_raw_key raw;
    struct vsec_sigval sig, again;
    uint8_t digest[64] = { 7 }, a[VSEC_SIG_MAX], b[VSEC_SIG_MAX], room[64];
    struct v23_buf buf;
    void *priv, *copy, *pub;

    memset(&raw, 0, sizeof(raw));
    v23_buf_init_fixed(&buf, room, sizeof(room));
    ck_assert_int_eq(alg->priv_generate(alg, e, NULL, 0, &priv), 0);
    ck_assert_int_eq(alg->priv_export(alg, e, NULL, priv, &buf, &raw), 0);
    ck_assert_int_eq(alg->priv_new(alg, e, NULL, &raw, &copy), 0);
    ck_assert_int_eq(alg->pub_new(alg, e, NULL, &raw, &pub), 0);

    ck_assert_int_eq(alg->sign(alg, e, NULL, priv, e->crypto->sha512, digest,
                         a, &sig),
        0);
    ck_assert_int_eq(alg->sign(alg, e, NULL, copy, e->crypto->sha512, digest,
                         b, &again),
        0);

    ck_assert_mem_eq(sig.a.p, again.a.p, 64);
    ck_assert_int_eq(alg->verify(alg, e, NULL, pub, e->crypto->sha512,
                         v23_bytes(digest, 64), &sig),
        0);
    digest[63] ^= 1;
    ck_assert_int_eq(alg->verify(alg, e, NULL, pub, e->crypto->sha512,
                         v23_bytes(digest, 64), &sig),
        V23_ESIG);
    ck_assert_int_eq(alg->priv_export(alg, e, NULL, priv, &buf, &raw),
        V23_ENOSPC);
    alg->priv_free(e, priv);
    alg->priv_free(e, copy);
    alg->pub_free(e, pub);
}
END_TEST

/* ---- engines ------------------------------------------------------------ */

static int fixed_random(void *ud, uint8_t *p, size_t n)
{
    memset(p, *(int *)ud, n);
    return 0;
}

static int no_random(void *ud, uint8_t *p, size_t n)
{
    (void)ud;
    memset(p, 0xee, n);
    return V23_ETIMEOUT;
}

START_TEST(engine_takes_the_callers_random_source)
{
    int octet = 0x5a;
    struct vsec_random r = { fixed_random, &octet };
    struct vsec_engine *other;
    uint8_t p[4];

    ck_assert_int_eq(vsec_engine_new(&other, &vsec_crypto_default, &mem.al,
                         &r),
        0);
    ck_assert_int_eq(vsec_random_fill(other, p, sizeof(p)), 0);
    assert_octets(p, "5a5a5a5a");
    vsec_engine_unref(other);
}
END_TEST

START_TEST(engine_random_failure_leaves_zeros)
{
    struct vsec_random r = { no_random, NULL };
    struct vsec_engine *other;
    uint8_t p[4];

    ck_assert_int_eq(vsec_engine_new(&other, &vsec_crypto_default, &mem.al,
                         &r),
        0);
    ck_assert_int_eq(vsec_random_fill(other, p, sizeof(p)), V23_ETIMEOUT);
    assert_octets(p, "00000000");
    vsec_engine_unref(other);
}
END_TEST

START_TEST(engine_default_random_varies)
{
    uint8_t a[32], b[32];

    ck_assert_int_eq(vsec_random_fill(e, a, sizeof(a)), 0);
    ck_assert_int_eq(vsec_random_fill(e, b, sizeof(b)), 0);
    ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

START_TEST(engine_needs_some_random_source)
{
    struct vsec_crypto none = vsec_crypto_default;
    struct vsec_engine *other;

    none.random = NULL;
    ck_assert_int_eq(vsec_engine_new(&other, &none, &mem.al, NULL), V23_EARG);
}
END_TEST

static int make_engine(const struct v23_alloc *al, void *ud)
{
    struct vsec_engine *x;
    int rc = vsec_engine_new(&x, &vsec_crypto_default, al, NULL);

    (void)ud;
    if (rc == 0)
        vsec_engine_unref(x);
    return rc;
}

START_TEST(engine_survives_out_of_memory)
{
    tst_out_of_memory(make_engine, NULL);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, hash_known_answers, 0, 4);
    tcase_add_loop_test(t, hash_in_parts_is_the_same, 0, 4);
    tcase_add_test(t, hash_allocates_nothing);
    tcase_add_test(t, hash_missing_from_the_build_fails);
    tcase_add_test(t, hash_failure_sticks_and_zeroes);
    tcase_add_test(t, hash_names_are_exact);
    tcase_add_test(t, pbkdf2_known_answers);
    tcase_add_loop_test(t, aes_cbc_known_answers, 0, 3);
    tcase_add_test(t, aes_rejects_wrong_sizes);
    tcase_add_test(t, aes_ctr_carries_over_all_octets);
    tcase_add_test(t, bcrypt_pbkdf_known_answer);
    tcase_add_test(t, bcrypt_pbkdf_checks_parameters);
    tcase_add_test(t, p256_signs_deterministically_or_at_random);
    tcase_add_loop_test(t, ed25519_known_answer, 0, NED25519);
    tcase_add_loop_test(t, ed25519_makes_and_exports_keys, 0, NED25519);
    tcase_add_test(t, engine_takes_the_callers_random_source);
    tcase_add_test(t, engine_random_failure_leaves_zeros);
    tcase_add_test(t, engine_default_random_varies);
    tcase_add_test(t, engine_needs_some_random_source);
    tcase_add_test(t, engine_survives_out_of_memory);
}

int main(void)
{
    return tst_run_case("security/crypto", add, setup, teardown);
}
