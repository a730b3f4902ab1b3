/* BSD-3-Clause; see LICENSE. */
/* An engine of the default provider for the tests of keys. */
#ifndef VSEC_TEST_KEY_RIG_H
#define VSEC_TEST_KEY_RIG_H

#include <suite.h>
#include <support.h>
#include <vsec/key.h>
#include <vsec/sodium.h>
#ifdef CRYPTO_openssl
#include <vsec/openssl.h>
#endif

static struct tst_alloc mem;
static struct vsec_crypto counted; /* default, secrets counted like the rest */
static struct vsec_engine *e;
static struct v23_arena arena;

/* The Ed25519s of the default provider's archive. */
static const struct vsec_alg *const ed25519s[] = { &vsec_sodium_ed25519,
#ifdef CRYPTO_openssl
    &vsec_openssl_ed25519,
#endif
};
enum { NED25519 = sizeof(ed25519s) / sizeof(ed25519s[0]) };

static inline void setup(void)
{
    tst_alloc_init(&mem);
    v23_arena_init(&arena, &mem.al, SIZE_MAX);
    counted = vsec_crypto_default;
    counted.secret = NULL;
    ck_assert_int_eq(vsec_engine_new(&e, &counted, &mem.al, NULL), 0);
}

static inline void teardown(void)
{
    vsec_engine_unref(e);
    v23_arena_fini(&arena);
    ck_assert_uint_eq(mem.live, 0);
}

/* The default provider's table. */
static inline const struct vsec_alg *alg_of(enum vsec_kind kind,
    enum vsec_curve curve)
{
    const struct vsec_alg *const *a = vsec_crypto_default.algs;

    while (*a != NULL && ((*a)->kind != kind || (*a)->curve != curve))
        a++;
    ck_assert_ptr_nonnull(*a);
    return *a;
}

/* Status of parsing a SubjectPublicKeyInfo. */
static inline int parse(const void *p, size_t n)
{
    struct vsec_pubkey *k = NULL;
    int rc = vsec_pubkey_parse(e, vdl_bytes(p, n), &k);

    ck_assert(rc == 0 ? k != NULL : k == NULL);
    vsec_pubkey_unref(k);
    return rc;
}

static inline struct vsec_signer *signer(const char *pkcs8)
{
    struct vsec_signer *s;

    ck_assert_int_eq(vsec_signer_pkcs8(e, hex(pkcs8), &s), 0);
    return s;
}

/* The purpose of these signatures. */
static const struct vdl_bytes s1 = { (const uint8_t *)"S1", 2 };

static inline void sign(struct vsec_signer *s, const char *msg,
    struct vsec_signature *sig)
{
    ck_assert_int_eq(vsec_sign(s, s1, msg, strlen(msg), &arena, sig, NULL),
        0);
}

static inline int verify(const struct vsec_pubkey *k,
    const struct vsec_signature *sig, const char *msg)
{
    return vsec_verify(k, sig, msg, strlen(msg));
}

#endif
