/* BSD-3-Clause; see LICENSE. */
/*
 * Software keys: a provider's private key as a signer, and its PKCS#8 and SEC1
 * forms. Secrets are kept in the provider's context only; every buffer that
 * holds one on the way is wiped and never moves.
 */
#include "der_int.h"
#include "key_int.h"

struct soft {
    struct vsec_signer s;
    const struct vsec_alg *alg;
    void *shared, *priv;
};

void vsec_wipe_buf_(struct v23_buf *b)
{
    if (b->p != NULL && !b->fixed)
        v23_wipe(b->p, b->cap);
    v23_buf_fini(b);
}

void vsec_wipe_cut_(struct v23_buf *b, size_t n)
{
    if (b->n > n)
        v23_wipe(b->p + n, b->n - n);
    v23_buf_cut(b, n);
}

static int soft_sign(struct vsec_signer *s, const struct vsec_sign_req *req,
    uint8_t *buf, struct vsec_sigval *sig)
{
    struct soft *k = (struct soft *)(void *)s;

    return k->alg->sign(k->alg, s->pub->engine, k->shared, k->priv, req->hash,
        req->d, buf, sig);
}

static void soft_destroy(struct vsec_signer *s)
{
    struct soft *k = (struct soft *)(void *)s;
    struct vsec_engine *e = s->pub->engine;

    k->alg->priv_free(e, k->priv);
    v23_put(e->al, k);
}

static int soft_export(struct vsec_signer *s, struct v23_buf *mem,
    struct vsec_raw_key *raw)
{
    struct soft *k = (struct soft *)(void *)s;

    return k->alg->priv_export(k->alg, s->pub->engine, k->shared, k->priv,
        mem, raw);
}

static const struct vsec_key_ops soft_ops = { soft_sign, NULL, soft_destroy,
    soft_export };

/* Signer around `priv`, which it takes also on failure. */
static int soft_new(struct vsec_engine *e, const struct vsec_alg *alg,
    void *shared, void *priv, struct vsec_signer **out)
{
    struct soft *k = v23_new(e->al, struct soft);
    struct vsec_pubkey *pub = NULL;
    struct vsec_raw_key raw;
    struct v23_buf mem;
    int rc = V23_ENOMEM;

    v23_buf_init(&mem, e->secret, KEY_RAW_MAX);
    memset(&raw, 0, sizeof(raw));
    if (k == NULL)
        goto out;
    rc = v23_buf_room(&mem, KEY_RAW_MAX);
    if (rc == 0)
        rc = alg->priv_export(alg, e, shared, priv, &mem, &raw);
    if (rc == 0)
        rc = vsec_pubkey_from_raw_(e, alg, &raw, &pub);
    if (rc != 0)
        goto out;
    k->alg = alg;
    k->shared = shared;
    k->priv = priv;
    vsec_signer_init(&k->s, &soft_ops, pub);
    *out = &k->s;
    k = NULL;
out:
    vsec_wipe_buf_(&mem);
    vsec_pubkey_unref(pub);
    if (rc != 0) {
        v23_put(e->al, k);
        alg->priv_free(e, priv);
    }
    return rc;
}

int vsec_signer_from_raw_(struct vsec_engine *e, enum vsec_kind kind,
    enum vsec_curve curve, const struct vsec_raw_key *raw,
    struct vsec_signer **out)
{
    const struct vsec_alg *alg;
    void *shared, *priv;
    int rc;

    if (kind == VSEC_RSA
        && (raw->n.n < VSEC_RSA_MIN_BITS / 8
            || raw->n.n > VSEC_RSA_MAX_BITS / 8))
        return V23_EKEY;
    rc = vsec_engine_alg_(e, kind, curve, &alg, &shared);
    if (rc != 0)
        return rc;
    if (alg->priv_new == NULL)
        return V23_EKEY;
    rc = alg->priv_new(alg, e, shared, raw, &priv);
    if (rc != 0)
        return rc;
    return soft_new(e, alg, shared, priv, out);
}

/* ---- new keys ----------------------------------------------------------- */

int vsec_signer_generate(struct vsec_engine *e, const char *type,
    struct vsec_signer **out)
{
    static const struct {
        const char *name;
        enum vsec_kind kind;
        enum vsec_curve curve;
        unsigned bits;
    } types[] = {
        { "ecdsa256", VSEC_ECDSA, VSEC_P256, 0 },
        { "ecdsa384", VSEC_ECDSA, VSEC_P384, 0 },
        { "ecdsa521", VSEC_ECDSA, VSEC_P521, 0 },
        { "ed25519", VSEC_ED25519, VSEC_CURVE_NONE, 0 },
        { "rsa2048", VSEC_RSA, VSEC_CURVE_NONE, 2048 },
        { "rsa4096", VSEC_RSA, VSEC_CURVE_NONE, 4096 },
    };
    const struct vsec_alg *alg;
    void *shared, *priv;
    size_t i = 0;
    int rc;

    while (i < sizeof(types) / sizeof(types[0])
        && strcmp(types[i].name, type) != 0)
        i++;
    if (i == sizeof(types) / sizeof(types[0]))
        return V23_ENOSYS;
    rc = vsec_engine_alg_(e, types[i].kind, types[i].curve, &alg, &shared);
    if (rc == V23_EKEY || (rc == 0 && alg->priv_generate == NULL))
        return V23_ENOSYS;
    if (rc == 0)
        rc = alg->priv_generate(alg, e, shared, types[i].bits, &priv);
    if (rc != 0)
        return rc;
    return soft_new(e, alg, shared, priv, out);
}

/* ---- SEC1 and PKCS#8 in ------------------------------------------------- */

int vsec_ec_scalar_(enum vsec_curve curve, struct v23_bytes v,
    uint8_t d[KEY_FIELD_MAX], struct v23_bytes *out)
{
    const struct vsec_curve_ *c = vsec_curve_by_id_(curve);

    v = vsec_strip_zeros_(v);
    if (c == NULL || v.n > c->field)
        return V23_EKEY;
    memset(d, 0, KEY_FIELD_MAX);
    if (v.n > 0)
        memcpy(d + c->field - v.n, v.p, v.n);
    *out = v23_bytes(d, c->field);
    return 0;
}

/* The parts of an ECPrivateKey; VSEC_CURVE_NONE when it names no curve. */
static int take_sec1(struct v23_bytes in, enum vsec_curve *curve,
    struct vsec_raw_key *raw)
{
    struct v23_bytes seq, param, oid, bits;
    const struct vsec_curve_ *c;
    uint32_t version;

    *curve = VSEC_CURVE_NONE;
    if (vsec_der_take_(&in, DER_SEQUENCE, &seq) != 0 || in.n != 0
        || vsec_der_take_u32_(&seq, 1, &version) != 0 || version != 1
        || vsec_der_take_(&seq, DER_OCTET_STRING, &raw->priv) != 0
        || vsec_der_take_opt_(&seq, DER_CONTEXT, &param) != 0
        || vsec_der_take_opt_(&seq, DER_CONTEXT + 1, &bits) != 0
        || seq.n != 0)
        return V23_EKEY;
    if (param.n > 0) {
        if (vsec_der_take_(&param, DER_OID, &oid) != 0 || param.n != 0)
            return V23_EKEY;
        c = vsec_curve_by_oid_(oid);
        if (c == NULL)
            return V23_EKEY;
        *curve = c->curve;
    }
    if (bits.n > 0
        && (vsec_der_take_bits_(&bits, &raw->pub) != 0 || bits.n != 0))
        return V23_EKEY;
    /* A compressed point is of no use here; the point is computed anyway. */
    if (raw->pub.n > 0 && (raw->pub.p[0] & 0xfe) == 2)
        raw->pub.n = 0;
    return 0;
}

/* Signer of an ECPrivateKey; `curve` is the one named outside of it, if any.
 */
static int signer_ec(struct vsec_engine *e, struct v23_bytes der,
    enum vsec_curve curve, struct vsec_signer **out)
{
    struct vsec_raw_key raw;
    uint8_t d[KEY_FIELD_MAX];
    enum vsec_curve inner;
    int rc;

    memset(&raw, 0, sizeof(raw));
    rc = take_sec1(der, &inner, &raw);
    if (rc != 0)
        return rc;
    if (curve == VSEC_CURVE_NONE)
        curve = inner;
    if (inner != VSEC_CURVE_NONE && inner != curve)
        return V23_EKEY;
    rc = vsec_ec_scalar_(curve, raw.priv, d, &raw.priv);
    if (rc == 0)
        rc = vsec_signer_from_raw_(e, VSEC_ECDSA, curve, &raw, out);
    v23_wipe(d, sizeof(d));
    return rc;
}

static int signer_rsa(struct vsec_engine *e, struct v23_bytes in,
    struct vsec_signer **out)
{
    struct vsec_raw_key raw;
    struct v23_bytes seq;
    uint32_t version;

    memset(&raw, 0, sizeof(raw));
    if (vsec_der_take_(&in, DER_SEQUENCE, &seq) != 0 || in.n != 0
        || vsec_der_take_u32_(&seq, 0, &version) != 0
        || vsec_der_take_uint_(&seq, &raw.n) != 0
        || vsec_der_take_uint_(&seq, &raw.e) != 0
        || vsec_der_take_uint_(&seq, &raw.d) != 0
        || vsec_der_take_uint_(&seq, &raw.p) != 0
        || vsec_der_take_uint_(&seq, &raw.q) != 0
        || vsec_der_take_uint_(&seq, &raw.dp) != 0
        || vsec_der_take_uint_(&seq, &raw.dq) != 0
        || vsec_der_take_uint_(&seq, &raw.qi) != 0 || seq.n != 0)
        return V23_EKEY;
    return vsec_signer_from_raw_(e, VSEC_RSA, VSEC_CURVE_NONE, &raw, out);
}

static int signer_ed25519(struct vsec_engine *e, struct v23_bytes in,
    struct vsec_signer **out)
{
    struct vsec_raw_key raw;

    memset(&raw, 0, sizeof(raw));
    if (vsec_der_take_(&in, DER_OCTET_STRING, &raw.priv) != 0 || in.n != 0)
        return V23_EKEY;
    return vsec_signer_from_raw_(e, VSEC_ED25519, VSEC_CURVE_NONE, &raw, out);
}

int vsec_signer_sec1(struct vsec_engine *e, struct v23_bytes der,
    struct vsec_signer **out)
{
    return signer_ec(e, der, VSEC_CURVE_NONE, out);
}

int vsec_signer_pkcs8(struct vsec_engine *e, struct v23_bytes der,
    struct vsec_signer **out)
{
    struct v23_bytes in = der, seq, key, attrs;
    enum vsec_kind kind = VSEC_ECDSA;
    enum vsec_curve curve;
    uint32_t version;

    if (vsec_der_take_(&in, DER_SEQUENCE, &seq) != 0 || in.n != 0
        || vsec_der_take_u32_(&seq, 1, &version) != 0
        || vsec_spki_take_alg_(&seq, &kind, &curve) != 0
        || vsec_der_take_(&seq, DER_OCTET_STRING, &key) != 0
        || vsec_der_take_opt_(&seq, DER_CONTEXT, &attrs) != 0)
        return V23_EKEY;
    /* Version 1 (RFC 5958) may repeat the public key: it is computed here. */
    if (version == 1 && seq.n > 0 && vsec_der_skip_(&seq) != 0)
        return V23_EKEY;
    if (seq.n != 0)
        return V23_EKEY;
    switch (kind) {
    case VSEC_ECDSA:
        return signer_ec(e, key, curve, out);
    case VSEC_ED25519:
        return signer_ed25519(e, key, out);
    case VSEC_RSA:
        return signer_rsa(e, key, out);
    }
    return V23_EKEY;
}

/* ---- PKCS#8 out --------------------------------------------------------- */

static void put_sec1(const struct vsec_raw_key *raw, struct v23_buf *b)
{
    static const uint8_t one = 1;
    size_t seq = vsec_der_open_(b, DER_SEQUENCE), ctx;

    vsec_der_put_(b, DER_INTEGER, &one, 1);
    vsec_der_put_(b, DER_OCTET_STRING, raw->priv.p, raw->priv.n);
    ctx = vsec_der_open_(b, DER_CONTEXT + 1);
    vsec_der_put_bits_(b, raw->pub);
    vsec_der_close_(b, ctx);
    vsec_der_close_(b, seq);
}

static void put_pkcs1(const struct vsec_raw_key *raw, struct v23_buf *b)
{
    size_t seq = vsec_der_open_(b, DER_SEQUENCE);

    vsec_der_put_uint_(b, v23_bytes(NULL, 0)); /* version 0 */
    vsec_der_put_uint_(b, raw->n);
    vsec_der_put_uint_(b, raw->e);
    vsec_der_put_uint_(b, raw->d);
    vsec_der_put_uint_(b, raw->p);
    vsec_der_put_uint_(b, raw->q);
    vsec_der_put_uint_(b, raw->dp);
    vsec_der_put_uint_(b, raw->dq);
    vsec_der_put_uint_(b, raw->qi);
    vsec_der_close_(b, seq);
}

static void put_pkcs8(const struct vsec_alg *alg,
    const struct vsec_raw_key *raw, struct v23_buf *b)
{
    size_t seq = vsec_der_open_(b, DER_SEQUENCE), key;

    vsec_der_put_uint_(b, v23_bytes(NULL, 0)); /* version 0 */
    vsec_spki_put_alg_(alg, b);
    key = vsec_der_open_(b, DER_OCTET_STRING);
    switch (alg->kind) {
    case VSEC_ECDSA:
        put_sec1(raw, b);
        break;
    case VSEC_ED25519:
        vsec_der_put_(b, DER_OCTET_STRING, raw->priv.p, raw->priv.n);
        break;
    case VSEC_RSA:
        put_pkcs1(raw, b);
        break;
    }
    vsec_der_close_(b, key);
    vsec_der_close_(b, seq);
}

int vsec_pkcs8_put(struct vsec_signer *s, struct v23_buf *out)
{
    struct vsec_engine *e = s->pub->engine;
    struct vsec_raw_key raw;
    struct v23_buf mem;
    size_t before = out->n;
    int rc;

    if (s->ops->export_raw == NULL)
        return V23_ENOSYS;
    if (out->err != 0)
        return out->err;
    memset(&raw, 0, sizeof(raw));
    v23_buf_init(&mem, e->secret, KEY_RAW_MAX);
    rc = v23_buf_room(&mem, KEY_RAW_MAX);
    if (rc == 0)
        rc = s->ops->export_raw(s, &mem, &raw);
    /* All the room at once: growing would leave a copy behind. */
    if (rc == 0)
        rc = v23_buf_room(out, mem.n + 128);
    if (rc == 0) {
        put_pkcs8(s->pub->alg, &raw, out);
        rc = out->err;
    }
    vsec_wipe_buf_(&mem);
    if (rc != 0)
        vsec_wipe_cut_(out, before);
    return rc;
}
