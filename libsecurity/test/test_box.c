/* BSD-3-Clause; see LICENSE. */
/* The sealed box of a connection. */
#include <check.h>

#include <suite.h>
#include <support.h>
#include <vsec/sodium.h>

#include <sodium.h>

static const struct vsec_box_ops *const box = &vsec_sodium_box;

/* The keys of RFC 7748 6.1 and of "Cryptography in NaCl". */
static const char alice_secret[]
    = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
static const char alice_public[]
    = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
static const char bob_secret[]
    = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
static const char bob_public[]
    = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
static const char shared_secret[]
    = "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389";

static void two_keys(uint8_t a[32], uint8_t b[32])
{
    uint8_t sa[32], sb[32], pa[32], pb[32];

    memset(sa, 1, sizeof(sa));
    memset(sb, 2, sizeof(sb));
    ck_assert_int_eq(box->public_key(sa, pa), 0);
    ck_assert_int_eq(box->public_key(sb, pb), 0);
    ck_assert_int_eq(box->shared_key(sa, pb, a), 0);
    ck_assert_int_eq(box->shared_key(sb, pa, b), 0);
}

START_TEST(keys_known_answers)
{
    uint8_t pub[32], shared[32];

    ck_assert_int_eq(box->public_key(hex(alice_secret).p, pub), 0);
    ck_assert_mem_eq(pub, hex(alice_public).p, 32);
    ck_assert_int_eq(box->public_key(hex(bob_secret).p, pub), 0);
    ck_assert_mem_eq(pub, hex(bob_public).p, 32);

    ck_assert_int_eq(box->shared_key(hex(alice_secret).p, pub, shared), 0);
    ck_assert_mem_eq(shared, hex(shared_secret).p, 32);
}
END_TEST

START_TEST(both_ends_get_one_key)
{
    uint8_t a[32], b[32];

    two_keys(a, b);

    ck_assert_mem_eq(a, b, 32);
}
END_TEST

/* Points of low order, and numbers above the prime that stand for them. */
static const char *const low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

START_TEST(low_order_peer_keys_are_refused)
{
    uint8_t secret[32], key[32], zero[32] = { 0 };

    memset(secret, 7, sizeof(secret));
    memset(key, 0xee, sizeof(key));

    ck_assert_int_eq(box->shared_key(secret, hex(low_order[_i]).p, key),
        V23_EKEY);
    ck_assert_mem_eq(key, zero, 32);
}
END_TEST

START_TEST(seals_and_opens_in_place)
{
    uint8_t a[32], b[32], nonce[24] = { 1 }, buf[16 + 300], plain[300];
    size_t n, i;

    two_keys(a, b);
    for (i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)i;
    for (n = 0; n <= sizeof(plain); n++) {
        memcpy(buf + 16, plain, n);
        box->seal(a, nonce, buf, n);
        if (n > 8)
            ck_assert_mem_ne(buf + 16, plain, n);
        ck_assert_int_eq(box->open(b, nonce, buf, n), 0);
        if (n > 0)
            ck_assert_mem_eq(buf + 16, plain, n);
    }
}
END_TEST

/* Small boxes are put together here, others are libsodium's. */
START_TEST(boxes_of_every_size_are_those_of_libsodium)
{
    uint8_t a[32], b[32], nonce[24] = { 7 }, buf[16 + 600], want[16 + 600];
    size_t n, i;

    two_keys(a, b);
    for (n = 0; n <= 600; n++) {
        nonce[1] = (uint8_t)n;
        for (i = 0; i < n; i++)
            buf[16 + i] = (uint8_t)(i * n);
        ck_assert_int_eq(crypto_box_easy_afternm(want, buf + 16, n, nonce, a),
            0);
        box->seal(a, nonce, buf, n);
        ck_assert_mem_eq(buf, want, 16 + n);
        buf[n % 16] ^= 0x40;
        ck_assert_int_eq(box->open(b, nonce, buf, n), V23_EBOX);
        buf[n % 16] ^= 0x40;
        ck_assert_mem_eq(buf, want, 16 + n);
        ck_assert_int_eq(box->open(b, nonce, buf, n), 0);
        for (i = 0; i < n; i++)
            ck_assert_uint_eq(buf[16 + i], (uint8_t)(i * n));
    }
}
END_TEST

START_TEST(every_changed_bit_is_noticed)
{
    uint8_t a[32], b[32], nonce[24] = { 0 }, buf[16 + 33], was[16 + 33];
    size_t i;

    two_keys(a, b);
    memset(buf, 0x41, sizeof(buf));
    box->seal(a, nonce, buf, 33);
    for (i = 0; i < 8 * sizeof(buf); i++) {
        buf[i / 8] ^= (uint8_t)(1u << (i % 8));
        memcpy(was, buf, sizeof(buf));
        ck_assert_int_eq(box->open(b, nonce, buf, 33), V23_EBOX);
        ck_assert_mem_eq(buf, was, sizeof(buf));
        buf[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    ck_assert_int_eq(box->open(b, nonce, buf, 32), V23_EBOX); /* cut off */
    nonce[23] = 1;
    ck_assert_int_eq(box->open(b, nonce, buf, 33), V23_EBOX);
    nonce[23] = 0;
    b[0] ^= 1;
    ck_assert_int_eq(box->open(b, nonce, buf, 33), V23_EBOX);
    b[0] ^= 1;
    ck_assert_int_eq(box->open(b, nonce, buf, 33), 0);
}
END_TEST

/* spec/rpc.md 6: the keys of its example are in rpc/box.jsonl, which the
 * vector runner takes; here the cipher alone, of "Cryptography in NaCl". */
START_TEST(seal_known_answer)
{
    struct v23_bytes key = hex(shared_secret);
    struct v23_bytes nonce
        = hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
    struct v23_bytes want = hex("f3ffc7703f9400e52a7dfb4b3d3305d9"
                                "8e993b9f48681273c29650ba32fc76ce"
                                "48332ea7164d96a4476fb8c531a1186a"
                                "c0dfc17c98dce87b4da7f011ec48c972"
                                "71d2c20f9b928fe2270d6fb863d51738"
                                "b48eeee314a7cc8ab932164548e526ae"
                                "90224368517acfeabd6bb3732bc0e9da"
                                "99832b61ca01b6de56244a9e88d5f9b3"
                                "7973f622a43d14a6599b1f654cb45a74"
                                "e355a5");
    struct v23_bytes plain = hex("be075fc53c81f2d5cf141316ebeb0c7b"
                                 "5228c52a4c62cbd44b66849b64244ffc"
                                 "e5ecbaaf33bd751a1ac728d45e6c6129"
                                 "6cdc3c01233561f41db66cce314adb31"
                                 "0e3be8250c46f06dceea3a7fa1348057"
                                 "e2f6556ad6b1318a024a838f21af1fde"
                                 "048977eb48f59ffd4924ca1c60902e52"
                                 "f0a089bc76897040e082f93776384864"
                                 "5e0705");
    uint8_t buf[16 + 131];

    ck_assert_uint_eq(plain.n, 131);
    memcpy(buf + 16, plain.p, plain.n);

    box->seal(key.p, nonce.p, buf, plain.n);

    ck_assert_mem_eq(buf, want.p, want.n);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("security/box");
    TCase *t = tcase_create("box");

    tcase_add_test(t, keys_known_answers);
    tcase_add_test(t, both_ends_get_one_key);
    tcase_add_loop_test(t, low_order_peer_keys_are_refused, 0, 7);
    tcase_add_test(t, seals_and_opens_in_place);
    tcase_add_test(t, boxes_of_every_size_are_those_of_libsodium);
    tcase_add_test(t, every_changed_bit_is_noticed);
    tcase_add_test(t, seal_known_answer);
    suite_add_tcase(s, t);
    return tst_run(s);
}
