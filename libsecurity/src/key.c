/* BSD-3-Clause; see LICENSE. */
/*
 * Public keys: SubjectPublicKeyInfo in and out, fingerprints.
 */
#include "der_int.h"
#include "key_int.h"

/* ---- names of algorithms ------------------------------------------------ */

static const uint8_t oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1 };
static const uint8_t oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1,
    1 };
static const uint8_t oid_ed25519[] = { 0x2b, 0x65, 0x70 };
static const uint8_t oid_p224[] = { 0x2b, 0x81, 4, 0, 0x21 };
static const uint8_t oid_p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 };
static const uint8_t oid_p384[] = { 0x2b, 0x81, 4, 0, 0x22 };
static const uint8_t oid_p521[] = { 0x2b, 0x81, 4, 0, 0x23 };

static const struct v23_bytes ec = { oid_ec, sizeof(oid_ec) };
static const struct v23_bytes rsa = { oid_rsa, sizeof(oid_rsa) };
static const struct v23_bytes ed25519 = { oid_ed25519, sizeof(oid_ed25519) };

static const struct vsec_curve_ curves[] = {
    { VSEC_P256, 32, 256, { oid_p256, sizeof(oid_p256) }, "nistp256" },
    { VSEC_P384, 48, 384, { oid_p384, sizeof(oid_p384) }, "nistp384" },
    { VSEC_P521, 66, 521, { oid_p521, sizeof(oid_p521) }, "nistp521" },
    { VSEC_P224, 28, 224, { oid_p224, sizeof(oid_p224) }, NULL },
};
enum { NCURVES = sizeof(curves) / sizeof(curves[0]) };

const struct vsec_curve_ *vsec_curve_by_oid_(struct v23_bytes oid)
{
    size_t i;

    for (i = 0; i < NCURVES; i++)
        if (vsec_der_eq_(curves[i].oid, oid))
            return &curves[i];
    return NULL;
}

const struct vsec_curve_ *vsec_curve_by_id_(enum vsec_curve id)
{
    size_t i;

    for (i = 0; i < NCURVES; i++)
        if (curves[i].curve == id)
            return &curves[i];
    return NULL;
}

const struct vsec_curve_ *vsec_curve_by_ssh_(struct v23_bytes name)
{
    size_t i;

    for (i = 0; i < NCURVES; i++)
        if (curves[i].ssh != NULL && strlen(curves[i].ssh) == name.n
            && memcmp(curves[i].ssh, name.p, name.n) == 0)
            return &curves[i];
    return NULL;
}

struct v23_bytes vsec_strip_zeros_(struct v23_bytes v)
{
    while (v.n > 0 && v.p[0] == 0) {
        v.p++;
        v.n--;
    }
    return v;
}

/* ---- SubjectPublicKeyInfo ----------------------------------------------- */

int vsec_spki_take_alg_(struct v23_bytes *in, enum vsec_kind *kind,
    enum vsec_curve *curve)
{
    struct v23_bytes seq, oid, param;
    const struct vsec_curve_ *c;

    *curve = VSEC_CURVE_NONE;
    if (vsec_der_take_(in, DER_SEQUENCE, &seq) != 0
        || vsec_der_take_(&seq, DER_OID, &oid) != 0)
        return V23_EKEY;
    if (vsec_der_eq_(oid, ec)) {
        *kind = VSEC_ECDSA;
        if (vsec_der_take_(&seq, DER_OID, &param) != 0)
            return V23_EKEY;
        c = vsec_curve_by_oid_(param);
        if (c == NULL)
            return V23_EKEY;
        *curve = c->curve;
    } else if (vsec_der_eq_(oid, rsa)) {
        *kind = VSEC_RSA;
        if (vsec_der_take_(&seq, DER_NULL, &param) != 0 || param.n != 0)
            return V23_EKEY;
    } else if (vsec_der_eq_(oid, ed25519)) {
        *kind = VSEC_ED25519;
    } else {
        return V23_EKEY;
    }
    return seq.n == 0 ? 0 : V23_EKEY;
}

/* Modulus and exponent out of RSAPublicKey. */
static int take_rsa(struct v23_bytes in, struct vsec_raw_key *raw)
{
    struct v23_bytes seq;

    if (vsec_der_take_(&in, DER_SEQUENCE, &seq) != 0 || in.n != 0
        || vsec_der_take_uint_(&seq, &raw->n) != 0
        || vsec_der_take_uint_(&seq, &raw->e) != 0 || seq.n != 0)
        return V23_EKEY;
    return 0;
}

/* The parts of a SubjectPublicKeyInfo. */
static int take_spki(struct v23_bytes in, enum vsec_kind *kind,
    enum vsec_curve *curve, struct vsec_raw_key *raw)
{
    struct v23_bytes seq, bits;

    memset(raw, 0, sizeof(*raw));
    if (vsec_der_take_(&in, DER_SEQUENCE, &seq) != 0 || in.n != 0
        || vsec_spki_take_alg_(&seq, kind, curve) != 0
        || vsec_der_take_bits_(&seq, &bits) != 0 || seq.n != 0)
        return V23_EKEY;
    if (*kind == VSEC_RSA)
        return take_rsa(bits, raw);
    raw->pub = bits;
    return 0;
}

void vsec_spki_put_alg_(const struct vsec_alg *alg, struct v23_buf *b)
{
    const struct vsec_curve_ *c = vsec_curve_by_id_(alg->curve);
    size_t mark = vsec_der_open_(b, DER_SEQUENCE);

    switch (alg->kind) {
    case VSEC_ECDSA:
        vsec_der_put_(b, DER_OID, ec.p, ec.n);
        vsec_der_put_(b, DER_OID, c->oid.p, c->oid.n);
        break;
    case VSEC_ED25519:
        vsec_der_put_(b, DER_OID, ed25519.p, ed25519.n);
        break;
    case VSEC_RSA:
        vsec_der_put_(b, DER_OID, rsa.p, rsa.n);
        vsec_der_put_(b, DER_NULL, NULL, 0);
        break;
    }
    vsec_der_close_(b, mark);
}

void vsec_spki_put_(const struct vsec_alg *alg, const struct vsec_raw_key *raw,
    struct v23_buf *b)
{
    size_t mark = vsec_der_open_(b, DER_SEQUENCE), bits, seq;

    vsec_spki_put_alg_(alg, b);
    if (alg->kind != VSEC_RSA) {
        vsec_der_put_bits_(b, raw->pub);
    } else {
        bits = vsec_der_open_(b, DER_BIT_STRING);
        v23_buf_put_byte(b, 0);
        seq = vsec_der_open_(b, DER_SEQUENCE);
        vsec_der_put_uint_(b, raw->n);
        vsec_der_put_uint_(b, raw->e);
        vsec_der_close_(b, seq);
        vsec_der_close_(b, bits);
    }
    vsec_der_close_(b, mark);
}

/* ---- keys --------------------------------------------------------------- */

/*
 * The y of a point of low order, but for the sign, is 0, 1, p - 1 or one of
 * these. Of such a key anyone can sign some messages, and libraries disagree
 * on whether to refuse it; they also disagree on numbers of p and above.
 */
static const uint8_t order_8[2][32] = {
    { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89,
        0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
        0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
    { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76,
        0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
        0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
};

bool vsec_ed25519_sound_(const uint8_t point[32])
{
    uint8_t y[32], ones = 0xff, zeros = 0;
    size_t i;

    memcpy(y, point, sizeof(y));
    y[31] &= 0x7f;
    if (memcmp(y, order_8[0], sizeof(y)) == 0
        || memcmp(y, order_8[1], sizeof(y)) == 0)
        return false;
    for (i = 1; i < 31; i++) {
        ones &= y[i];
        zeros |= y[i];
    }
    /* p is 2^255 - 19: from p - 1 on only the first octet differs. */
    if (ones == 0xff && y[31] == 0x7f)
        return y[0] < 0xec;
    return (zeros | y[31]) != 0 || y[0] > 1;
}

/* Bits of an unsigned number without leading zero octets. */
static size_t bit_length(struct v23_bytes v)
{
    size_t bits = v.n * 8;
    unsigned top;

    if (v.n == 0)
        return 0;
    for (top = v.p[0]; (top & 0x80) == 0 && bits > 0; top <<= 1)
        bits--;
    return bits;
}

static bool is_odd(struct v23_bytes v)
{
    return v.n > 0 && (v.p[v.n - 1] & 1) != 0;
}

/* Size of the key, or 0 when it is not acceptable. The bounds of RSA keep a
 * peer from naming one that is weak, or costs seconds to use. */
static size_t key_bits(enum vsec_kind kind, enum vsec_curve curve,
    const struct vsec_raw_key *raw)
{
    size_t bits;

    if (kind == VSEC_ECDSA)
        return vsec_curve_by_id_(curve)->bits;
    if (kind == VSEC_ED25519)
        return raw->pub.n == 32 && vsec_ed25519_sound_(raw->pub.p) ? 256 : 0;
    bits = bit_length(raw->n);
    if (bits < VSEC_RSA_MIN_BITS || bits > VSEC_RSA_MAX_BITS
        || bit_length(raw->e) < 2 || bit_length(raw->e) > 31
        || !is_odd(raw->n) || !is_odd(raw->e))
        return 0;
    return bits;
}

/* spec 3.1 */
static const struct vsec_hash_alg *key_hash(const struct vsec_crypto *c,
    enum vsec_kind kind, size_t bits)
{
    if (kind == VSEC_ECDSA && bits <= 256)
        return c->sha256;
    if (kind == VSEC_ECDSA && bits <= 384)
        return c->sha384;
    return c->sha512;
}

static void pubkey_destroy(struct v23_ref *r)
{
    struct vsec_pubkey *k = (struct vsec_pubkey *)(void *)r;
    struct vsec_engine *e = k->engine;

    k->alg->pub_free(e, k->pub);
    v23_put(e->al, k);
    vsec_engine_unref(e);
}

int vsec_pubkey_parse(struct vsec_engine *e, struct vdl_bytes der,
    struct vsec_pubkey **out)
{
    struct vsec_pubkey *k;
    struct vsec_raw_key raw;
    const struct vsec_alg *alg;
    enum vsec_kind kind;
    enum vsec_curve curve;
    void *shared;
    size_t bits;
    int rc;

    if (take_spki(v23_bytes(der.p, der.n), &kind, &curve, &raw) != 0)
        return V23_EKEY;
    bits = key_bits(kind, curve, &raw);
    if (bits == 0 || key_hash(e->crypto, kind, bits) == NULL)
        return V23_EKEY;
    rc = vsec_engine_alg_(e, kind, curve, &alg, &shared);
    if (rc != 0)
        return rc;
    k = (struct vsec_pubkey *)v23_get0(e->al, 1, sizeof(*k) + der.n);
    if (k == NULL)
        return V23_ENOMEM;
    k->alg = alg;
    k->shared = shared;
    k->bits = (uint16_t)bits;
    k->hash = key_hash(e->crypto, kind, bits);
    memcpy(k + 1, der.p, der.n);
    k->der = vdl_bytes((const uint8_t *)(k + 1), der.n);
    rc = vsec_hash(k->hash, der.p, der.n, k->digest);
    if (rc == 0)
        rc = alg->pub_new(alg, e, shared, &raw, &k->pub);
    if (rc != 0) {
        v23_put(e->al, k);
        return rc;
    }
    k->ref.n = 1;
    k->ref.destroy = pubkey_destroy;
    k->engine = vsec_engine_ref(e);
    *out = k;
    return 0;
}

int vsec_pubkey_from_raw_(struct vsec_engine *e, const struct vsec_alg *alg,
    const struct vsec_raw_key *raw, struct vsec_pubkey **out)
{
    struct v23_buf der;
    int rc;

    v23_buf_init(&der, e->al, KEY_FILE_MAX);
    vsec_spki_put_(alg, raw, &der);
    rc = der.err;
    if (rc == 0)
        rc = vsec_pubkey_parse(e, vdl_bytes(der.p, der.n), out);
    v23_buf_fini(&der);
    return rc;
}

int vsec_pubkey_raw_(const struct vsec_pubkey *k, struct vsec_raw_key *raw)
{
    enum vsec_kind kind;
    enum vsec_curve curve;

    return take_spki(v23_bytes(k->der.p, k->der.n), &kind, &curve, raw);
}

struct vsec_pubkey *vsec_pubkey_ref(struct vsec_pubkey *k)
{
    v23_ref(&k->ref);
    return k;
}

void vsec_pubkey_unref(struct vsec_pubkey *k)
{
    if (k != NULL)
        v23_unref(&k->ref);
}

bool vsec_pubkey_eq(const struct vsec_pubkey *a, const struct vsec_pubkey *b)
{
    return a == b || vdl_bytes_eq(a->der, b->der);
}

int vsec_fingerprint(const struct vsec_crypto *c, struct vdl_bytes der,
    char out[VSEC_FINGERPRINT])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t md[VSEC_HASH_MAX];
    size_t i;
    int rc = vsec_hash(c->md5, der.p, der.n, md);

    out[0] = 0;
    if (rc != 0)
        return rc;
    for (i = 0; i < 16; i++) {
        out[3 * i] = digits[md[i] >> 4];
        out[3 * i + 1] = digits[md[i] & 15];
        out[3 * i + 2] = i == 15 ? 0 : ':';
    }
    return 0;
}
