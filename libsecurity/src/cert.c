/* BSD-3-Clause; see LICENSE. */
/*
 * Digests of certificates (spec 5.1, 5.2). Digests are built from the octets
 * of single fields, never from an encoding, so any copy of a certificate has
 * the same ones.
 */
#include "blessings_int.h"

/* outer += h(p) */
static void add(struct vsec_hash *outer, const struct vsec_hash_alg *h,
    const void *p, size_t n)
{
    uint8_t d[VSEC_HASH_MAX];
    int rc = vsec_hash(h, p, n, d);

    if (rc != 0) {
        if (outer->err == 0)
            outer->err = rc;
        return;
    }
    vsec_hash_update(outer, d, h->size);
}

int vsec_cert_own_digest(const struct vsec_hash_alg *h,
    const v23_security_certificate *c, uint8_t *out)
{
    struct vsec_hash outer;
    uint8_t d[VSEC_HASH_MAX];
    uint32_t i;
    int rc;

    vsec_hash_init(&outer, h);
    add(&outer, h, c->public_key.p, c->public_key.n);
    add(&outer, h, c->extension.p, c->extension.n);
    for (i = 0; i < c->caveats.n; i++) {
        rc = vsec_caveat_digest(h, &c->caveats.v[i], d);
        if (rc != 0)
            return rc;
        vsec_hash_update(&outer, d, h->size);
    }
    if (c->x509_raw.n > 0)
        add(&outer, h, c->x509_raw.p, c->x509_raw.n);
    return vsec_hash_final(&outer, out);
}

/* out = prev.n == 0 ? d : h(h(prev) ‖ d) */
static int chained(const struct vsec_hash_alg *h, struct v23_bytes prev,
    const uint8_t *d, uint8_t *out)
{
    struct vsec_hash outer;

    if (prev.n == 0) {
        memcpy(out, d, h->size);
        return 0;
    }
    vsec_hash_init(&outer, h);
    add(&outer, h, prev.p, prev.n);
    vsec_hash_update(&outer, d, h->size);
    return vsec_hash_final(&outer, out);
}

int vsec_cert_digests(const struct vsec_hash_alg *h,
    const v23_security_certificate *c, struct v23_bytes prev,
    uint8_t *content, uint8_t *digest)
{
    uint8_t d[2 * VSEC_HASH_MAX], whole[VSEC_HASH_MAX];
    struct vsec_signature sig = vsec_signature_of(&c->signature);
    int rc;

    rc = vsec_cert_own_digest(h, c, d);
    if (rc == 0 && content != NULL)
        rc = chained(h, prev, d, content);
    if (rc != 0 || digest == NULL)
        return rc;
    rc = vsec_signature_digest(h, &sig, d + h->size);
    if (rc == 0)
        rc = vsec_hash(h, d, 2 * (size_t)h->size, whole);
    if (rc == 0)
        rc = chained(h, prev, whole, digest);
    return rc;
}

int vsec_chain_digest_(const struct vsec_crypto *c,
    v23_security_certificate_list certs, uint8_t *digest, size_t *n)
{
    uint8_t next[VSEC_HASH_MAX];
    const struct vsec_hash_alg *h;
    struct v23_bytes prev = { NULL, 0 };
    uint32_t i;
    int rc;

    for (i = 0; i < certs.n; i++) {
        h = vsec_hash_named(c, certs.v[i].signature.hash);
        rc = vsec_cert_digests(h, &certs.v[i], prev, NULL, next);
        if (rc != 0)
            return rc;
        memcpy(digest, next, h->size);
        prev = v23_bytes(digest, h->size);
    }
    *n = prev.n;
    return 0;
}

struct vsec_signature vsec_signature_of(const v23_security_signature *s)
{
    struct vsec_signature v;

    v.purpose = s->purpose;
    v.hash = s->hash;
    v.r = s->r;
    v.s = s->s;
    v.ed25519 = s->ed25519;
    v.rsa = s->rsa;
    return v;
}

v23_security_signature vsec_signature_to_wire(const struct vsec_signature *s)
{
    v23_security_signature v;

    v.purpose = s->purpose;
    v.hash = s->hash;
    v.r = s->r;
    v.s = s->s;
    v.ed25519 = s->ed25519;
    v.rsa = s->rsa;
    return v;
}
