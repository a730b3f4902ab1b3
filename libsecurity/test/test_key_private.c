/* BSD-3-Clause; see LICENSE. */
/* Private keys: making, reading, signing later, what is left in memory. */
#include <stdio.h>
#include <stdlib.h>

#include "key_data.h"
#include "key_rig.h"
#include "slow_key.h"

/* ---- generated keys ----------------------------------------------------- */

static const char *const types[] = { "ecdsa256", "ecdsa384", "ecdsa521",
    "ed25519", "rsa2048" };

START_TEST(generated_keys_work_and_survive_pkcs8)
{
    struct vsec_signer *s, *again;
    struct vsec_signature sig;
    struct v23_buf der;

    v23_buf_init(&der, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_signer_generate(e, types[_i], &s), 0);
    ck_assert_int_eq(vsec_pkcs8_put(s, &der), 0);
    ck_assert_int_eq(vsec_signer_pkcs8(e, v23_bytes(der.p, der.n), &again),
        0);

    ck_assert(vsec_pubkey_eq(s->pub, again->pub));
    sign(again, "message", &sig);
    ck_assert_int_eq(verify(s->pub, &sig, "message"), 0);
    vsec_signer_unref(s);
    vsec_signer_unref(again);
    v23_buf_fini(&der);
}
END_TEST

START_TEST(generate_rejects_unknown_types)
{
    struct vsec_signer *s;

    ck_assert_int_eq(vsec_signer_generate(e, "", &s), V23_ENOSYS);
    ck_assert_int_eq(vsec_signer_generate(e, "ecdsa224", &s), V23_ENOSYS);
    ck_assert_int_eq(vsec_signer_generate(e, "rsa1024", &s), V23_ENOSYS);
}
END_TEST

static int no_random(void *ud, uint8_t *p, size_t n)
{
    (void)ud;
    (void)p;
    (void)n;
    return V23_ECRYPTO;
}

START_TEST(generate_fails_without_random_octets)
{
    struct vsec_random r = { no_random, NULL };
    struct vsec_engine *other;
    struct vsec_signer *s;

    ck_assert_int_eq(vsec_engine_new(&other, &counted, &mem.al,
                         &r),
        0);
    ck_assert_int_eq(vsec_signer_generate(other, types[_i], &s),
        V23_ECRYPTO);
    vsec_engine_unref(other);
}
END_TEST

/* ---- private keys ------------------------------------------------------- */

START_TEST(private_key_forms_are_strict)
{
    struct v23_bytes der = hex(privates[_i]);
    uint8_t *p = malloc(der.n + 1);
    struct vsec_signer *s = NULL;
    size_t n;
    int rc;

    memcpy(p, der.p, der.n);
    p[der.n] = 0;
    for (n = 0; n < der.n; n += der.n > 200 ? 7 : 1) {
        uint8_t *cut = malloc(n + 1);

        memcpy(cut + 1, p, n);
        ck_assert_int_eq(vsec_signer_pkcs8(e, v23_bytes(cut + 1, n), &s),
            V23_EKEY);
        free(cut);
    }
    ck_assert_int_eq(vsec_signer_pkcs8(e, v23_bytes(p, der.n + 1), &s),
        V23_EKEY);
    for (n = 0; n < der.n; n += der.n > 200 ? 13 : 1) {
        p[n] ^= 0x10;
        rc = vsec_signer_pkcs8(e, v23_bytes(p, der.n), &s);
        ck_assert(rc == 0 || rc == V23_EKEY);
        /* Only Ed25519's seed may be anything. */
        ck_assert(rc != 0 || _i == 2 || der.n > 1000);
        if (rc == 0)
            vsec_signer_unref(s);
        p[n] ^= 0x10;
    }
    free(p);
}
END_TEST

/* d = 0, n, n + 1, and of one octet too many. */
static const char *const bad_d[] = {
    "0000000000000000000000000000000000000000000000000000000000000000", ORDER,
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552",
};

START_TEST(private_scalar_is_below_the_order)
{
    struct vsec_signer *s;
    struct v23_bytes d = hex(bad_d[_i]);
    uint8_t der[7 + 32 + 12] = { 0x30, 0x31, 2, 1, 1, 4, 0x20 };
    struct v23_bytes curve = hex("a00a" OID_P256);

    memcpy(der + 7, d.p, 32);
    memcpy(der + 39, curve.p, 12);
    ck_assert_int_eq(vsec_signer_sec1(e, v23_bytes(der, sizeof(der)), &s),
        V23_EKEY);
    memset(der + 7, 0, 31);
    der[38] = 5;
    ck_assert_int_eq(vsec_signer_sec1(e, v23_bytes(der, sizeof(der)), &s), 0);
    vsec_signer_unref(s);
}
END_TEST

START_TEST(sec1_needs_a_curve)
{
    struct vsec_signer *s;
    struct v23_bytes der = hex("30250201010420"
        "0ee47e3ef8da7ab7161678ce0427d71cf7211c93b8aeecca0b35a52d5bb5df35");

    ck_assert_int_eq(vsec_signer_sec1(e, der, &s), V23_EKEY);
    ck_assert_int_eq(vsec_signer_sec1(e, hex(alice_sec1), &s), 0);
    vsec_signer_unref(s);
}
END_TEST

START_TEST(short_rsa_private_key_is_refused)
{
    struct vsec_signer *s;

    ck_assert_int_eq(vsec_signer_pkcs8(e, hex(rsa_1024_pkcs8), &s), V23_EKEY);
}
END_TEST

/* Secrets are gone from every block that is given back. */
struct watch {
    struct v23_alloc al;
    struct v23_bytes secret;
    unsigned seen;
};

static size_t *size_of(void *p)
{
    return (size_t *)(void *)((char *)p - 16);
}

static void *watch_get(void *ud, size_t n)
{
    char *p = calloc(1, n + 16);

    (void)ud;
    if (p == NULL)
        return NULL;
    *(size_t *)(void *)p = n;
    return p + 16;
}

static void watch_put(void *ud, void *p)
{
    struct watch *w = ud;
    size_t i, n;

    if (p == NULL)
        return;
    n = *size_of(p);
    for (i = 0; i + w->secret.n <= n; i++)
        if (memcmp((char *)p + i, w->secret.p, w->secret.n) == 0)
            w->seen++;
    free((char *)p - 16);
}

static void *watch_regrow(void *ud, void *p, size_t n)
{
    void *q = watch_get(ud, n);

    if (p != NULL && q != NULL) {
        memcpy(q, p, *size_of(p) < n ? *size_of(p) : n);
        watch_put(ud, p);
    }
    return q;
}

START_TEST(freed_memory_holds_no_seed)
{
    struct watch w = { { watch_get, watch_regrow, watch_put, NULL },
        { NULL, 0 }, 0 };
    struct v23_bytes der = hex(dave_pkcs8);
    struct v23_bytes pass = v23_bytes("x", 1);
    struct vsec_engine *other;
    struct vsec_signer *s;
    struct vsec_key_file f;
    struct v23_buf pem;

    w.al.ud = &w;
    w.secret = v23_bytes(der.p + der.n - 32, 16);
    v23_buf_init(&pem, NULL, SIZE_MAX);
    ck_assert_int_eq(vsec_engine_new(&other, &counted, &w.al,
                         NULL),
        0);
    ck_assert_int_eq(vsec_signer_pkcs8(other, der, &s), 0);
    ck_assert_int_eq(vsec_key_file_put(s, v23_bytes(NULL, 0), &pem), 0);
    ck_assert_int_eq(vsec_key_file_read(other, v23_bytes(pem.p, pem.n),
                         v23_bytes(NULL, 0), &f),
        0);
    vsec_key_file_fini(&f);
    v23_buf_cut(&pem, 0);
    ck_assert_int_eq(vsec_key_file_put(s, pass, &pem), 0);
    ck_assert_int_eq(vsec_key_file_read(other, v23_bytes(pem.p, pem.n), pass,
                         &f),
        0);
    vsec_key_file_fini(&f);
    ck_assert_int_eq(vsec_key_file_read(other,
                         v23_bytes(dave_openssh, strlen(dave_openssh)),
                         v23_bytes(NULL, 0), &f),
        0);
    vsec_key_file_fini(&f);
    vsec_signer_unref(s);
    vsec_engine_unref(other);
    v23_buf_fini(&pem);

    ck_assert_uint_eq(w.seen, 0);
}
END_TEST

/* ---- signers that answer later ------------------------------------------ */

struct waiter {
    unsigned calls;
    int rc;
    uint32_t index;
    int verified;
    const struct vsec_pubkey *k;
};

static void waiter_done(void *ud, struct v23_op op, int rc,
    const struct vsec_signature *sig)
{
    struct waiter *w = ud;

    w->calls++;
    w->rc = rc;
    w->index = op.index;
    if (rc == 0)
        w->verified = vsec_verify(w->k, sig, "later", 5);
    else
        ck_assert_ptr_null(sig);
}

START_TEST(signature_may_come_later)
{
    struct slow x;
    struct waiter w = { 0, 1, 0, 1, NULL };
    struct vsec_sign_wait wait = { waiter_done, &w, { 7, 3 } };
    struct vsec_signature sig;

    slow_init(&x, signer(privates[_i]));
    w.k = x.s.pub;
    ck_assert_int_eq(vsec_sign(&x.s, s1, "later", 5, &arena, &sig, &wait),
        V23_EAGAIN);
    ck_assert_uint_eq(w.calls, 0);

    slow_answer(&x);

    ck_assert_uint_eq(w.calls, 1);
    ck_assert_int_eq(w.rc, 0);
    ck_assert_uint_eq(w.index, 7);
    ck_assert_int_eq(w.verified, 0);
    vsec_signer_unref(&x.s);
    ck_assert(x.destroyed);
}
END_TEST

START_TEST(late_failure_is_told)
{
    struct slow x;
    struct waiter w = { 0, 1, 0, 1, NULL };
    struct vsec_sign_wait wait = { waiter_done, &w, { 1, 1 } };
    struct vsec_signature sig;

    slow_init(&x, signer(dave_pkcs8));
    ck_assert_int_eq(vsec_sign(&x.s, s1, "later", 5, &arena, &sig, &wait),
        V23_EAGAIN);
    vsec_sign_complete(&x.req, V23_ETIMEOUT, NULL);

    ck_assert_uint_eq(w.calls, 1);
    ck_assert_int_eq(w.rc, V23_ETIMEOUT);
    vsec_signer_unref(&x.s);
}
END_TEST

START_TEST(cancel_reaches_the_signer)
{
    struct slow x;
    struct waiter w = { 0, 1, 0, 1, NULL };
    struct vsec_sign_wait wait = { waiter_done, &w, { 1, 5 } };
    struct v23_op stale = { 1, 4 };
    struct vsec_signature sig;

    slow_init(&x, signer(dave_pkcs8));
    ck_assert_int_eq(vsec_sign(&x.s, s1, "later", 5, &arena, &sig, &wait),
        V23_EAGAIN);
    vsec_sign_cancel(&x.s, &w, stale);
    ck_assert_uint_eq(x.cancelled, 0);
    vsec_sign_cancel(&x.s, &w, wait.op);
    ck_assert_uint_eq(x.cancelled, 1);
    vsec_sign_cancel(x.real, &w, wait.op); /* software: nothing to cancel */
    vsec_signer_unref(&x.s);
}
END_TEST

START_TEST(nothing_starts_when_nobody_can_wait)
{
    struct slow x;
    struct vsec_signature sig;
    struct v23_buf out;

    slow_init(&x, signer(dave_pkcs8));
    ck_assert_int_eq(vsec_sign(&x.s, s1, "later", 5, &arena, &sig, NULL),
        V23_EAGAIN);
    ck_assert(!x.busy);
    v23_buf_init(&out, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_pkcs8_put(&x.s, &out), V23_ENOSYS);
    ck_assert_uint_eq(out.n, 0);
    v23_buf_fini(&out);
    vsec_signer_unref(&x.s);
}
END_TEST

/* ---- out of memory ------------------------------------------------------ */

static int sign_and_verify(const struct v23_alloc *al, void *ud)
{
    const char *pkcs8 = ud;
    struct vsec_engine *x = NULL;
    struct vsec_signer *s = NULL;
    struct vsec_signature sig;
    struct v23_arena a;
    struct v23_buf der;
    int rc;

    v23_arena_init(&a, al, SIZE_MAX);
    v23_buf_init(&der, al, SIZE_MAX);
    rc = vsec_engine_new(&x, &counted, al, NULL);
    if (rc == 0)
        rc = vsec_signer_pkcs8(x, hex(pkcs8), &s);
    if (rc == 0)
        rc = vsec_sign(s, s1, "m", 1, &a, &sig, NULL);
    if (rc == 0)
        rc = vsec_verify(s->pub, &sig, "m", 1);
    if (rc == 0)
        rc = vsec_pkcs8_put(s, &der);
    if (rc == 0)
        ck_assert_uint_eq(der.n, hex(pkcs8).n);
    vsec_signer_unref(s);
    vsec_engine_unref(x);
    v23_buf_fini(&der);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(keys_survive_out_of_memory)
{
    static char copy[4096];

    snprintf(copy, sizeof(copy), "%s", privates[_i]);
    tst_out_of_memory(sign_and_verify, copy);
}
END_TEST

static int generate(const struct v23_alloc *al, void *ud)
{
    struct vsec_engine *x = NULL;
    struct vsec_signer *s = NULL;
    int rc = vsec_engine_new(&x, &counted, al, NULL);

    if (rc == 0)
        rc = vsec_signer_generate(x, ud, &s);
    vsec_signer_unref(s);
    vsec_engine_unref(x);
    return rc;
}

START_TEST(generate_survives_out_of_memory)
{
    char type[16];

    snprintf(type, sizeof(type), "%s", types[_i]);
    tst_out_of_memory(generate, type);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, generated_keys_work_and_survive_pkcs8, 0, 5);
    tcase_add_test(t, generate_rejects_unknown_types);
    tcase_add_loop_test(t, generate_fails_without_random_octets, 0, 5);
    tcase_add_loop_test(t, private_key_forms_are_strict, 0, NPRIVATE);
    tcase_add_loop_test(t, private_scalar_is_below_the_order, 0, 3);
    tcase_add_test(t, sec1_needs_a_curve);
    tcase_add_test(t, short_rsa_private_key_is_refused);
    tcase_add_test(t, freed_memory_holds_no_seed);
    tcase_add_loop_test(t, signature_may_come_later, 0, NPRIVATE);
    tcase_add_test(t, late_failure_is_told);
    tcase_add_test(t, cancel_reaches_the_signer);
    tcase_add_test(t, nothing_starts_when_nobody_can_wait);
    tcase_add_loop_test(t, keys_survive_out_of_memory, 0, NPRIVATE);
    tcase_add_loop_test(t, generate_survives_out_of_memory, 0, 4);
}

int main(void)
{
    return tst_run_case("security/key_private", add, setup, teardown);
}
