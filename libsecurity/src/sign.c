/* BSD-3-Clause; see LICENSE. */
/*
 * Signatures: the digest that is signed, verification, and signing with
 * anything that implements struct vsec_key_ops.
 */
#include "key_int.h"

static struct v23_bytes of(struct vdl_bytes b)
{
    return v23_bytes(b.p, b.n);
}

/* ---- digests ------------------------------------------------------------ */

int vsec_signed_digest(const struct vsec_hash_alg *h,
    const struct vsec_pubkey *k, struct vdl_bytes purpose, const void *msg,
    size_t n, uint8_t *f, uint8_t *d)
{
    uint8_t mem[3 * VSEC_HASH_MAX];
    uint8_t *part = f == NULL ? mem : f;
    int rc = 0;

    if (h == NULL)
        return V23_ENOSYS;
    if (h == k->hash)
        memcpy(part, k->digest, h->size);
    else
        rc = vsec_hash(h, k->der.p, k->der.n, part);
    if (rc == 0)
        rc = vsec_hash(h, msg, n, part + h->size);
    if (rc == 0)
        rc = vsec_hash(h, purpose.p, purpose.n, part + 2 * h->size);
    if (rc == 0)
        rc = vsec_hash(h, part, 3 * (size_t)h->size, d);
    return rc;
}

/* Add hash(p[0..n)) to a hash being computed. */
static void update_hashed(struct vsec_hash *outer,
    const struct vsec_hash_alg *h, const void *p, size_t n)
{
    uint8_t d[VSEC_HASH_MAX];
    int rc = vsec_hash(h, p, n, d);

    if (rc != 0 && outer->err == 0)
        outer->err = rc;
    vsec_hash_update(outer, d, h->size);
}

int vsec_signature_digest(const struct vsec_hash_alg *h,
    const struct vsec_signature *sig, uint8_t *out)
{
    struct vsec_hash sum;

    if (h == NULL)
        return V23_ENOSYS;
    vsec_hash_init(&sum, h);
    update_hashed(&sum, h, sig->hash.p, sig->hash.n);
    update_hashed(&sum, h, sig->purpose.p, sig->purpose.n);
    if (sig->r.n > 0) {
        update_hashed(&sum, h, "ECDSA", 5);
        update_hashed(&sum, h, sig->r.p, sig->r.n);
        update_hashed(&sum, h, sig->s.p, sig->s.n);
    } else if (sig->ed25519.n > 0) {
        update_hashed(&sum, h, "ED25519", 7);
        update_hashed(&sum, h, sig->ed25519.p, sig->ed25519.n);
    } else {
        update_hashed(&sum, h, "RSA", 3);
        update_hashed(&sum, h, sig->rsa.p, sig->rsa.n);
    }
    return vsec_hash_final(&sum, out);
}

/* ---- verification ------------------------------------------------------- */

/* r or s without its leading zeros; false when it cannot be in 1 .. order. */
static bool scalar(const struct vsec_alg *alg, struct v23_bytes *v)
{
    *v = vsec_strip_zeros_(*v);
    return v->n > 0 && v->n <= alg->field;
}

int vsec_verify_digest_(const struct vsec_pubkey *k,
    const struct vsec_hash_alg *h, struct v23_bytes digest,
    struct vsec_sigval sig)
{
    switch (k->alg->kind) {
    case VSEC_ECDSA:
        if (!scalar(k->alg, &sig.a) || !scalar(k->alg, &sig.b))
            return V23_ESIG;
        break;
    case VSEC_ED25519:
        if (sig.a.n != 64 || !vsec_ed25519_sound_(sig.a.p))
            return V23_ESIG;
        break;
    case VSEC_RSA:
        if (sig.a.n != (k->bits + 7u) / 8)
            return V23_ESIG;
        break;
    }
    return k->alg->verify(k->alg, k->engine, k->shared, k->pub, h, digest,
        &sig);
}

int vsec_verify(const struct vsec_pubkey *k, const struct vsec_signature *sig,
    const void *msg, size_t n)
{
    const struct vsec_hash_alg *h
        = vsec_hash_named(k->engine->crypto, sig->hash);
    struct vsec_sigval val = { { NULL, 0 }, { NULL, 0 } };
    uint8_t d[VSEC_HASH_MAX];
    int rc;

    switch (k->alg->kind) {
    case VSEC_ECDSA:
        val.a = of(sig->r);
        val.b = of(sig->s);
        break;
    case VSEC_ED25519:
        val.a = of(sig->ed25519);
        break;
    case VSEC_RSA:
        val.a = of(sig->rsa);
        break;
    }
    if (val.a.n == 0)
        return V23_ESIG;
    rc = vsec_signed_digest(h, k, sig->purpose, msg, n, NULL, d);
    if (rc != 0)
        return rc;
    return vsec_verify_digest_(k, h, v23_bytes(d, h->size), val);
}

/* ---- signing ------------------------------------------------------------ */

static void signer_destroy(struct v23_ref *r)
{
    struct vsec_signer *s = (struct vsec_signer *)(void *)r;
    struct vsec_pubkey *pub = s->pub;

    s->ops->destroy(s);
    vsec_pubkey_unref(pub);
}

void vsec_signer_init(struct vsec_signer *s, const struct vsec_key_ops *ops,
    struct vsec_pubkey *pub)
{
    s->ref.n = 1;
    s->ref.destroy = signer_destroy;
    s->ops = ops;
    s->pub = vsec_pubkey_ref(pub);
}

struct vsec_signer *vsec_signer_ref(struct vsec_signer *s)
{
    v23_ref(&s->ref);
    return s;
}

void vsec_signer_unref(struct vsec_signer *s)
{
    if (s != NULL)
        v23_unref(&s->ref);
}

/* The wire form of a raw value: views on req and val. */
static void fill_signature(const struct vsec_sign_req *req,
    const struct vsec_sigval *val, struct vsec_signature *sig)
{
    struct v23_bytes a = val->a, b;

    memset(sig, 0, sizeof(*sig));
    sig->purpose = vdl_bytes(req->purpose, req->purpose_len);
    sig->hash = vdl_str(req->hash->name);
    switch (req->key->alg->kind) {
    case VSEC_ECDSA:
        a = vsec_strip_zeros_(a);
        b = vsec_strip_zeros_(val->b);
        sig->r = vdl_bytes(a.p, a.n);
        sig->s = vdl_bytes(b.p, b.n);
        break;
    case VSEC_ED25519:
        sig->ed25519 = vdl_bytes(a.p, a.n);
        break;
    case VSEC_RSA:
        sig->rsa = vdl_bytes(a.p, a.n);
        break;
    }
}

static int keep_bytes(struct v23_arena *a, struct vdl_bytes *b)
{
    if (b->n == 0)
        return 0;
    b->p = (const uint8_t *)v23_arena_dup(a, b->p, b->n);
    return b->p == NULL ? V23_ENOMEM : 0;
}

/* Move everything that sig views into the arena; the hash's name is static. */
static int keep_signature(struct v23_arena *a, struct vsec_signature *sig)
{
    int rc = keep_bytes(a, &sig->purpose);

    if (rc == 0)
        rc = keep_bytes(a, &sig->r);
    if (rc == 0)
        rc = keep_bytes(a, &sig->s);
    if (rc == 0)
        rc = keep_bytes(a, &sig->ed25519);
    if (rc == 0)
        rc = keep_bytes(a, &sig->rsa);
    return rc;
}

int vsec_sign(struct vsec_signer *s, struct vdl_bytes purpose,
    const void *msg, size_t n, struct v23_arena *a,
    struct vsec_signature *out, const struct vsec_sign_wait *wait)
{
    struct vsec_sign_req req;
    struct vsec_signature sig;
    struct vsec_sigval val = { { NULL, 0 }, { NULL, 0 } };
    uint8_t buf[VSEC_SIG_MAX];
    int rc;

    if (purpose.n > VSEC_PURPOSE_MAX)
        return V23_EARG;
    memset(&req, 0, sizeof(req));
    req.key = s->pub;
    req.hash = s->pub->hash;
    req.purpose_len = (uint8_t)purpose.n;
    if (purpose.n > 0)
        memcpy(req.purpose, purpose.p, purpose.n);
    req.msg = v23_bytes(msg, n);
    if (wait != NULL)
        req.wait = *wait;
    rc = vsec_signed_digest(req.hash, s->pub, purpose, msg, n, req.f, req.d);
    if (rc == 0)
        rc = s->ops->sign(s, &req, buf, &val);
    if (rc != 0)
        return rc;
    fill_signature(&req, &val, &sig);
    rc = keep_signature(a, &sig);
    if (rc == 0)
        *out = sig;
    return rc;
}

void vsec_sign_cancel(struct vsec_signer *s, void *wait_ud, struct v23_op op)
{
    if (s->ops->cancel != NULL)
        s->ops->cancel(s, wait_ud, op);
}

void vsec_sign_complete(const struct vsec_sign_req *req, int rc,
    const struct vsec_sigval *val)
{
    struct vsec_signature sig;

    if (rc != 0) {
        req->wait.done(req->wait.ud, req->wait.op, rc, NULL);
        return;
    }
    fill_signature(req, val, &sig);
    req->wait.done(req->wait.ud, req->wait.op, 0, &sig);
}
