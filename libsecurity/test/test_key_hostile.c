/* BSD-3-Clause; see LICENSE. */
/* Keys that are well-formed at first sight: numbers and points that no honest
 * key has, other encodings of the same key, halves of different keys. */
#include "der_int.h"
#include "key_data.h"
#include "key_int.h"
#include "key_rig.h"

/* ---- points -------------------------------------------------------------- */

/* A point with a small x, and the same with x + p, which has its size too. */
static const struct {
    enum vsec_curve curve;
    const char *x, *above, *y;
} small_x[] = {
    { VSEC_P224, "00000000000000000000000000000000000000000000000000000003",
        "ffffffffffffffffffffffffffffffff000000000000000000000004",
        "8353d9639842aa15eb1000b152101a17b687aeb50eb377054b913fbb" },
    { VSEC_P256,
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4" },
    { VSEC_P384,
        "000000000000000000000000000000000000000000000000"
        "000000000000000000000000000000000000000000000000",
        "ffffffffffffffffffffffffffffffffffffffffffffffff"
        "fffffffffffffffeffffffff0000000000000000ffffffff",
        "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42d"
        "ea2c4b4f75550793406d80d2b91ad54f9048bd487af1ade1" },
    { VSEC_P521,
        "00000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "012df13601594a883ef2d935e44bb90bf4d6619b74e52af7552f97769011c0719eb4"
        "39cfab2a88d40fe59a2bed1f43557169a2d0a2ccd280c607b92bbf51ffe0b078" },
};

static int parse_point(enum vsec_curve curve, const char *x, const char *y)
{
    uint8_t point[KEY_POINT_MAX] = { 4 };
    struct v23_bytes vx = hex(x), vy;
    struct vsec_raw_key raw;
    struct v23_buf b;
    int rc;

    memcpy(point + 1, vx.p, vx.n);
    vy = hex(y);
    memcpy(point + 1 + vx.n, vy.p, vy.n);
    memset(&raw, 0, sizeof(raw));
    raw.pub = v23_bytes(point, 1 + vx.n + vy.n);
    v23_buf_init(&b, &mem.al, SIZE_MAX);
    vsec_spki_put_(alg_of(VSEC_ECDSA, curve), &raw, &b);
    rc = parse(b.p, b.n);
    v23_buf_fini(&b);
    return rc;
}

START_TEST(coordinates_are_reduced)
{
    ck_assert_int_eq(parse_point(small_x[_i].curve, small_x[_i].x,
                         small_x[_i].y),
        0);
    ck_assert_int_eq(parse_point(small_x[_i].curve, small_x[_i].above,
                         small_x[_i].y),
        V23_EKEY);
    ck_assert_int_eq(parse_point(small_x[_i].curve, small_x[_i].y,
                         small_x[_i].x),
        V23_EKEY);
}
END_TEST

/* Low order, and y of p and above. */
static const char *const bad_ed25519[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};
enum { NBAD_ED25519 = sizeof(bad_ed25519) / sizeof(bad_ed25519[0]) };

START_TEST(ed25519_points_are_reduced_and_of_high_order)
{
    uint8_t der[44];

    memcpy(der, hex(dave_spki).p, sizeof(der));
    memcpy(der + 12, hex(bad_ed25519[_i]).p, 32);

    ck_assert_int_eq(parse(der, sizeof(der)), V23_EKEY);
}
END_TEST

/* One octet off the refused ones; they are not all points, which only
 * verification finds. */
START_TEST(ed25519_neighbours_are_taken)
{
    static const uint8_t first[] = { 0xeb, 2, 0x27, 0xc8 };
    static const int like[] = { 8, 0, 4, 6 };
    uint8_t der[44];
    size_t i;

    memcpy(der, hex(dave_spki).p, sizeof(der));
    for (i = 0; i < sizeof(first); i++) {
        memcpy(der + 12, hex(bad_ed25519[like[i]]).p, 32);
        der[12] = first[i];
        ck_assert_int_eq(parse(der, sizeof(der)), 0);
    }
    memcpy(der + 12, hex(bad_ed25519[2]).p, 32);
    der[12 + 30] = 1;
    ck_assert_int_eq(parse(der, sizeof(der)), 0);
}
END_TEST

/* ---- RSA ----------------------------------------------------------------- */

/* A SubjectPublicKeyInfo of INTEGERs as they are given, with what is left out
 * or too much. */
struct rsa_form {
    bool no_null;          /* no parameters */
    struct v23_bytes n, e; /* contents of the INTEGERs */
    bool third;            /* a third INTEGER */
    bool tail;             /* something behind the SEQUENCE of both */
};

static int parse_rsa(const struct rsa_form *f)
{
    static const uint8_t oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1,
        1 };
    size_t spki, alg, bits, seq;
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    spki = vsec_der_open_(&b, DER_SEQUENCE);
    alg = vsec_der_open_(&b, DER_SEQUENCE);
    vsec_der_put_(&b, DER_OID, oid, sizeof(oid));
    if (!f->no_null)
        vsec_der_put_(&b, DER_NULL, NULL, 0);
    vsec_der_close_(&b, alg);
    bits = vsec_der_open_(&b, DER_BIT_STRING);
    v23_buf_put_byte(&b, 0);
    seq = vsec_der_open_(&b, DER_SEQUENCE);
    vsec_der_put_(&b, DER_INTEGER, f->n.p, f->n.n);
    vsec_der_put_(&b, DER_INTEGER, f->e.p, f->e.n);
    if (f->third)
        vsec_der_put_(&b, DER_INTEGER, f->e.p, f->e.n);
    vsec_der_close_(&b, seq);
    if (f->tail)
        vsec_der_put_(&b, DER_NULL, NULL, 0);
    vsec_der_close_(&b, bits);
    vsec_der_close_(&b, spki);
    ck_assert_int_eq(b.err, 0);
    rc = parse(b.p, b.n);
    v23_buf_fini(&b);
    return rc;
}

/* Octets of moduli: what stands in front, how many, the last. */
static const struct {
    uint8_t zero, first;
    size_t n;
    uint8_t last;
    int rc;
} moduli[] = {
    { 1, 0x80, 256, 1, 0 },           /* 2,048 bits */
    { 1, 0x80, 256, 0, V23_EKEY },    /* even */
    { 0, 0x7f, 256, 1, V23_EKEY },    /* 2,047 bits */
    { 1, 0xff, 255, 1, V23_EKEY },    /* 2,040 bits */
    { 0, 0x80, 256, 1, V23_EKEY },    /* negative */
    { 1, 0x7f, 257, 1, V23_EKEY },    /* padded */
    { 1, 0xff, 1024, 1, 0 },          /* 8,192 bits */
    { 0, 0x01, 1025, 1, V23_EKEY },   /* 8,193 bits */
    { 1, 0xff, 65536, 1, V23_EKEY },
};
enum { NMODULI = sizeof(moduli) / sizeof(moduli[0]) };

START_TEST(rsa_moduli_are_odd_and_within_bounds)
{
    static uint8_t n[65537];
    struct rsa_form f = { 0 };

    memset(n, 0x5a, sizeof(n));
    n[0] = 0;
    n[1] = moduli[_i].first;
    n[moduli[_i].n] = moduli[_i].last;
    f.n = v23_bytes(n + 1 - moduli[_i].zero, moduli[_i].n + moduli[_i].zero);
    f.e = hex("010001");

    ck_assert_int_eq(parse_rsa(&f), moduli[_i].rc);
}
END_TEST

static const struct {
    const char *e;
    int rc;
} exponents[] = {
    { "", V23_EKEY }, { "00", V23_EKEY }, { "01", V23_EKEY },
    { "02", V23_EKEY }, { "03", 0 }, { "04", V23_EKEY }, { "11", 0 },
    { "010001", 0 }, { "7fffffff", 0 }, { "7ffffffe", V23_EKEY },
    { "0080000001", V23_EKEY }, { "80000001", V23_EKEY }, { "81", V23_EKEY },
    { "0100000001", V23_EKEY }, { "0003", V23_EKEY },
    { "7fffffffffffffffffffffffffffffffffffffffffffffffff", V23_EKEY },
};
enum { NEXPONENTS = sizeof(exponents) / sizeof(exponents[0]) };

static void plain_form(struct rsa_form *f)
{
    static uint8_t n[257];

    memset(f, 0, sizeof(*f));
    memset(n, 0x5a, sizeof(n));
    n[0] = 0;
    n[1] = 0x80;
    n[256] = 1;
    f->n = v23_bytes(n, sizeof(n));
    f->e = hex("010001");
}

START_TEST(rsa_exponents_are_odd_and_small)
{
    struct rsa_form f;

    plain_form(&f);
    f.e = hex(exponents[_i].e);

    ck_assert_int_eq(parse_rsa(&f), exponents[_i].rc);
}
END_TEST

START_TEST(rsa_keys_have_one_form)
{
    struct rsa_form f;

    plain_form(&f);
    ck_assert_int_eq(parse_rsa(&f), 0);
    f.no_null = true;
    ck_assert_int_eq(parse_rsa(&f), V23_EKEY);
    plain_form(&f);
    f.third = true;
    ck_assert_int_eq(parse_rsa(&f), V23_EKEY);
    plain_form(&f);
    f.tail = true;
    ck_assert_int_eq(parse_rsa(&f), V23_EKEY);
}
END_TEST

/* ---- lengths ------------------------------------------------------------- */

/* Where alice's key has a length, and those around it. */
static const struct {
    uint8_t at, around[3];
} lengths[] = { { 1, { 0 } }, { 3, { 1 } }, { 5, { 1, 3 } },
    { 14, { 1, 3 } }, { 24, { 1 } } };
enum { NLENGTHS = sizeof(lengths) / sizeof(lengths[0]) };

/* Put `n` octets in front of the length and grow what is around. */
static int parse_longer(const uint8_t *form, size_t n)
{
    struct v23_bytes der = hex(alice_spki);
    size_t at = lengths[0].at, i;
    uint8_t p[100];
    int k, rc = V23_EKEY;

    for (k = 0; k < NLENGTHS; k++) {
        at = lengths[k].at;
        memcpy(p, der.p, at);
        memcpy(p + at, form, n);
        memcpy(p + at + n, der.p + at, der.n - at);
        for (i = 0; i < 3 && lengths[k].around[i] != 0; i++)
            p[lengths[k].around[i]] = (uint8_t)(p[lengths[k].around[i]] + n);
        rc = parse(p, der.n + n);
        if (rc != V23_EKEY)
            break;
    }
    return rc;
}

START_TEST(lengths_have_their_shortest_form)
{
    static const uint8_t forms[][4] = { { 0x81 }, { 0x82, 0 },
        { 0x83, 0, 0 }, { 0x84, 0, 0, 0 } };
    size_t i;

    ck_assert_int_eq(parse(hex(alice_spki).p, hex(alice_spki).n), 0);
    for (i = 0; i < 4; i++)
        ck_assert_int_eq(parse_longer(forms[i], i + 1), V23_EKEY);
}
END_TEST

/* ---- private keys -------------------------------------------------------- */

/* A private key of changed material. */
static int take_private(const struct vsec_alg *alg,
    const struct vsec_raw_key *raw)
{
    void *shared = NULL, *priv;
    int rc;

    if (alg->shared_new != NULL)
        ck_assert_int_eq(alg->shared_new(alg, e, &shared), 0);
    rc = alg->priv_new(alg, e, shared, raw, &priv);
    if (rc == 0)
        alg->priv_free(e, priv);
    if (shared != NULL)
        alg->shared_free(e, shared);
    return rc;
}

static void material(const char *pkcs8, uint8_t *room, size_t n,
    struct vsec_raw_key *raw)
{
    struct vsec_signer *s = signer(pkcs8);
    struct v23_buf b;

    v23_buf_init_fixed(&b, room, n);
    memset(raw, 0, sizeof(*raw));
    ck_assert_int_eq(s->ops->export_raw(s, &b, raw), 0);
    vsec_signer_unref(s);
}

START_TEST(rsa_numbers_belong_together)
{
    const struct vsec_alg *alg = alg_of(VSEC_RSA, VSEC_CURVE_NONE);
    uint8_t room[KEY_RAW_MAX], other[KEY_RAW_MAX];
    static const uint8_t one = 1;
    struct vsec_raw_key raw, bad;
    struct v23_bytes *v[] = { &bad.n, &bad.e, &bad.d, &bad.p, &bad.q };
    size_t i;

    material(eve_pkcs8, room, sizeof(room), &raw);
    ck_assert_int_eq(take_private(alg, &raw), 0);
    raw.dp.n = raw.dq.n = raw.qi.n = 0; /* computed */
    ck_assert_int_eq(take_private(alg, &raw), 0);

    for (i = 0; i < 5; i++) { /* each number off by two */
        bad = raw;
        memcpy(other, v[i]->p, v[i]->n);
        other[v[i]->n - 1] ^= 2;
        *v[i] = v23_bytes(other, v[i]->n);
        ck_assert_int_eq(take_private(alg, &bad), V23_EKEY);
    }
    bad = raw; /* n = n * 1 */
    bad.p = raw.n;
    bad.q = v23_bytes(&one, 1);
    ck_assert_int_eq(take_private(alg, &bad), V23_EKEY);
    bad.p = v23_bytes(&one, 1);
    bad.q = raw.n;
    ck_assert_int_eq(take_private(alg, &bad), V23_EKEY);
    bad = raw;
    bad.e = v23_bytes(&one, 1);
    bad.d = v23_bytes(&one, 1);
    ck_assert_int_eq(take_private(alg, &bad), V23_EKEY);
}
END_TEST

static const struct {
    const char *pkcs8;
    enum vsec_kind kind;
    enum vsec_curve curve;
} pairs[] = {
    { alice_pkcs8, VSEC_ECDSA, VSEC_P256 },
    { carol_pkcs8, VSEC_ECDSA, VSEC_P521 },
    { dave_pkcs8, VSEC_ED25519, VSEC_CURVE_NONE },
};
enum { NPAIRS = sizeof(pairs) / sizeof(pairs[0]) };

START_TEST(public_half_is_the_private_ones)
{
    const struct vsec_alg *alg = alg_of(pairs[_i].kind, pairs[_i].curve);
    uint8_t room[KEY_RAW_MAX], other[KEY_POINT_MAX];
    struct vsec_raw_key raw;
    size_t n;

    material(pairs[_i].pkcs8, room, sizeof(room), &raw);
    ck_assert_int_eq(take_private(alg, &raw), 0);
    n = raw.pub.n;
    raw.pub.n = 0;
    ck_assert_int_eq(take_private(alg, &raw), 0);
    raw.pub.n = n - 1;
    ck_assert_int_eq(take_private(alg, &raw), V23_EKEY);

    memcpy(other, raw.pub.p, n);
    other[n - 1] ^= 1;
    raw.pub = v23_bytes(other, n);

    ck_assert_int_eq(take_private(alg, &raw), V23_EKEY);
    raw.pub.n = 0;
    raw.priv.n--;
    ck_assert_int_eq(take_private(alg, &raw), V23_EKEY);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, coordinates_are_reduced, 0, 4);
    tcase_add_loop_test(t, ed25519_points_are_reduced_and_of_high_order, 0,
        NBAD_ED25519);
    tcase_add_test(t, ed25519_neighbours_are_taken);
    tcase_add_loop_test(t, rsa_moduli_are_odd_and_within_bounds, 0, NMODULI);
    tcase_add_loop_test(t, rsa_exponents_are_odd_and_small, 0, NEXPONENTS);
    tcase_add_test(t, rsa_keys_have_one_form);
    tcase_add_test(t, lengths_have_their_shortest_form);
    tcase_add_test(t, rsa_numbers_belong_together);
    tcase_add_loop_test(t, public_half_is_the_private_ones, 0, NPAIRS);
}

int main(void)
{
    return tst_run_case("security/key_hostile", add, setup, teardown);
}
