/* BSD-3-Clause; see LICENSE. */
/*
 * Trust anchors: certificates that issue others, and the recognition of root
 * certificates by them (spec 7.3). Their keys are parsed when a leaf names
 * them. What a signature check found good is remembered by the leaf's digest,
 * because the same blessings are recognized again with every call; times,
 * purposes and names are compared each time.
 */
#include "x509_int.h"

#include "der_int.h"
#include "key_int.h"

#include <vom/time.h>

enum { MAX_ANCHORS = 4096, MAX_SIGNATURE_CHECKS = 16 };

struct vsec_anchor_ {
    uint8_t *der;
    struct vsec_x509_cert c;
    struct vsec_pubkey *key; /* NULL: not parsed yet */
    bool unusable;           /* the key is not one of ours */
};

/* ---- objects ------------------------------------------------------------- */

static void destroy(struct v23_ref *ref)
{
    struct vsec_anchors *t = (struct vsec_anchors *)(void *)ref;
    struct vsec_engine *e = t->engine;
    size_t i;

    for (i = 0; i < t->n; i++) {
        vsec_pubkey_unref(t->v[i].key);
        v23_put(e->al, t->v[i].der);
    }
    v23_put(e->al, t->v);
    v23_put(e->al, t);
    vsec_engine_unref(e);
}

struct vsec_anchors *vsec_anchors_ref(struct vsec_anchors *t)
{
    if (t != NULL)
        v23_ref(&t->base.ref);
    return t;
}

void vsec_anchors_unref(struct vsec_anchors *t)
{
    if (t != NULL)
        v23_unref(&t->base.ref);
}

size_t vsec_anchors_count(const struct vsec_anchors *t)
{
    return t->n;
}

struct vsec_x509 *vsec_anchors_x509(struct vsec_anchors *t)
{
    return &t->base;
}

/* ---- filling ------------------------------------------------------------- */

static bool is_anchor(const struct vsec_anchors *t, struct v23_bytes der,
    size_t *at)
{
    size_t i;

    for (i = 0; i < t->n; i++)
        if (vsec_der_eq_(t->v[i].c.der, der)) {
            *at = i;
            return true;
        }
    return false;
}

int vsec_anchors_add(struct vsec_anchors *t, struct v23_bytes der)
{
    struct vsec_anchor_ *one;
    struct vsec_x509_cert c;
    void *v = t->v;
    uint8_t *copy;
    size_t at;
    int rc = vsec_x509_parse(der, &c);

    if (rc != 0 || is_anchor(t, der, &at))
        return rc;
    rc = v23_reserve(t->engine->al, &v, &t->cap, t->n + 1, MAX_ANCHORS,
        sizeof(*t->v));
    if (rc != 0)
        return rc;
    t->v = v;
    copy = (uint8_t *)v23_get(t->engine->al, der.n);
    if (copy == NULL)
        return V23_ENOMEM;
    memcpy(copy, der.p, der.n);
    one = &t->v[t->n];
    memset(one, 0, sizeof(*one));
    one->der = copy;
    rc = vsec_x509_parse(v23_bytes(copy, der.n), &one->c);
    if (rc != 0) {
        v23_put(t->engine->al, copy);
        return rc;
    }
    t->n++;
    return 0;
}

int vsec_anchors_add_pem(struct vsec_anchors *t, struct v23_bytes text)
{
    struct vsec_pem pem;
    int rc;

    for (;;) {
        rc = vsec_pem_next(&text, t->engine->al, &pem);
        if (rc != 0)
            return rc == V23_ENOENT ? 0 : rc;
        if (vdl_str_is(pem.type, "CERTIFICATE"))
            rc = vsec_anchors_add(t, v23_bytes(pem.body.p, pem.body.n));
        vsec_pem_fini(&pem);
        if (rc == V23_ENOMEM)
            return rc;
    }
}

/* ---- signatures ---------------------------------------------------------- */

/* How certificates are signed. */
struct method {
    enum vsec_kind kind;
    uint16_t hash; /* bits; Ed25519 hashes by itself */
    uint8_t noid, oid[9];
};

static const struct method methods[] = {
    { VSEC_ECDSA, 256, 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 } },
    { VSEC_ECDSA, 384, 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3 } },
    { VSEC_ECDSA, 512, 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4 } },
    { VSEC_RSA, 256, 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11 } },
    { VSEC_RSA, 384, 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12 } },
    { VSEC_RSA, 512, 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13 } },
    { VSEC_ED25519, 0, 3, { 0x2b, 0x65, 0x70 } },
};
enum { NMETHODS = sizeof(methods) / sizeof(methods[0]) };

static const struct method *method_of(struct v23_bytes algorithm)
{
    struct v23_bytes oid;
    size_t i;

    if (vsec_der_take_(&algorithm, DER_OID, &oid) != 0)
        return NULL;
    for (i = 0; i < NMETHODS; i++)
        if (vsec_der_eq_(oid, v23_bytes(methods[i].oid, methods[i].noid)))
            /* Ed25519 has no parameters, the others none that matter. */
            return methods[i].kind == VSEC_ED25519 && algorithm.n > 0
                ? NULL : &methods[i];
    return NULL;
}

static const struct vsec_hash_alg *hash_of(const struct vsec_crypto *c,
    const struct method *m)
{
    switch (m->hash) {
    case 256:
        return c->sha256;
    case 384:
        return c->sha384;
    default:
        return c->sha512;
    }
}

static int take_value(const struct method *m, struct v23_bytes in,
    struct vsec_sigval *val)
{
    memset(val, 0, sizeof(*val));
    if (m->kind == VSEC_ECDSA)
        return vsec_der_ecdsa_(in, val);
    val->a = in;
    return 0;
}

/* 0, V23_ESIG, V23_ENOSYS, V23_ENOMEM, V23_ECRYPTO. */
static int check_signature(const struct vsec_x509_cert *c,
    const struct method *m, const struct vsec_pubkey *k)
{
    const struct vsec_hash_alg *h = hash_of(k->engine->crypto, m);
    uint8_t digest[VSEC_HASH_MAX];
    struct vsec_sigval val;
    int rc;

    if (k->alg->kind != m->kind || take_value(m, c->signature, &val) != 0)
        return V23_ESIG;
    if (m->kind == VSEC_ED25519)
        return vsec_verify_digest_(k, h, c->tbs, val);
    rc = vsec_hash(h, c->tbs.p, c->tbs.n, digest);
    if (rc != 0)
        return rc;
    return vsec_verify_digest_(k, h, v23_bytes(digest, h->size), val);
}

/* ---- signatures seen ----------------------------------------------------- */

/* Without SHA-256 nothing is remembered. */
static bool digest_of(const struct vsec_anchors *t,
    const struct vsec_x509_cert *c, uint8_t digest[32])
{
    return vsec_hash(t->engine->crypto->sha256, c->der.p, c->der.n, digest)
        == 0;
}

static bool was_seen(const struct vsec_anchors *t, const uint8_t *digest,
    size_t anchor)
{
    uint32_t i;

    for (i = 0; i < t->nseen; i++)
        if (t->seen[i].anchor == anchor
            && memcmp(t->seen[i].digest, digest, 32) == 0)
            return true;
    return false;
}

static void remember(struct vsec_anchors *t, const uint8_t *digest,
    size_t anchor)
{
    memcpy(t->seen[t->next_seen].digest, digest, 32);
    t->seen[t->next_seen].anchor = anchor;
    t->next_seen = (t->next_seen + 1) % VSEC_ANCHORS_SEEN_;
    if (t->nseen < VSEC_ANCHORS_SEEN_)
        t->nseen++;
}

/* ---- verification -------------------------------------------------------- */

static bool in_time(const struct vsec_x509_cert *c, struct v23_walltime now)
{
    return v23_walltime_cmp(now, c->not_before) >= 0
        && v23_walltime_cmp(now, c->not_after) <= 0;
}

/* NULL, or why this anchor cannot have issued this leaf; the signature is
 * still to be checked. */
static const char *unfit(const struct vsec_x509_cert *ca,
    const struct vsec_x509_cert *leaf, struct v23_walltime now)
{
    if ((ca->version == 3 && !ca->has_basic) || (ca->has_basic && !ca->is_ca)
        || (ca->has_usage && !ca->signs_certs))
        return "the issuer's certificate is not one of an authority";
    if (ca->unhandled)
        return "the issuer's certificate has an unknown critical extension";
    if (!in_time(ca, now))
        return "the issuer's certificate has expired or is not yet valid";
    if (ca->has_purposes && !ca->serves)
        return "the issuer's certificate is not for server authentication";
    if (ca->has_constraints
        && (!vsec_x509_permits_(ca, leaf) || !vsec_x509_permits_(ca, ca)))
        return "the issuer's name constraints do not permit the names";
    return NULL;
}

static int parse_key(struct vsec_anchors *t, struct vsec_anchor_ *a)
{
    int rc;

    if (a->key != NULL)
        return 0;
    if (a->unusable)
        return V23_EKEY;
    rc = vsec_pubkey_parse(t->engine, a->c.spki, &a->key);
    a->unusable = rc == V23_EKEY;
    return rc;
}

/* 0, V23_EUNTRUSTED, or a failure. */
static int issued_by(struct vsec_anchors *t, size_t i,
    const struct vsec_x509_cert *leaf, const char **why)
{
    const struct method *m = method_of(leaf->algorithm);
    uint8_t digest[32];
    bool have = digest_of(t, leaf, digest);
    int rc;

    if (have && was_seen(t, digest, i))
        return 0;
    rc = m == NULL ? V23_ENOSYS : parse_key(t, &t->v[i]);
    if (rc == 0)
        rc = check_signature(leaf, m, t->v[i].key);
    if (rc == 0 && have)
        remember(t, digest, i);
    if (rc == V23_ENOMEM || rc == V23_ECRYPTO || rc == 0)
        return rc;
    *why = rc == V23_ESIG ? "the issuer's signature does not verify"
                          : "the signature algorithm is not supported";
    return V23_EUNTRUSTED;
}

/* The same names and key again: a renewed self-signed certificate does not
 * vouch for its predecessor. */
static bool is_twin(const struct vsec_x509_cert *a,
    const struct vsec_x509_cert *b)
{
    return vsec_der_eq_(a->subject, b->subject)
        && vsec_der_eq_(v23_bytes(a->spki.p, a->spki.n),
            v23_bytes(b->spki.p, b->spki.n))
        && vsec_der_eq_(a->names, b->names);
}

static int find_issuer(struct vsec_anchors *t,
    const struct vsec_x509_cert *leaf, struct v23_walltime now,
    const char **why)
{
    const struct vsec_x509_cert *ca;
    int rc, checks = 0;
    size_t i;

    *why = "certificate signed by unknown authority";
    for (i = 0; i < t->n; i++) {
        ca = &t->v[i].c;
        if (!vsec_der_eq_(ca->subject, leaf->issuer) || is_twin(ca, leaf))
            continue;
        *why = unfit(ca, leaf, now);
        if (*why != NULL)
            continue;
        if (++checks > MAX_SIGNATURE_CHECKS)
            break;
        rc = issued_by(t, i, leaf, why);
        if (rc != V23_EUNTRUSTED)
            return rc;
    }
    return V23_EUNTRUSTED;
}

static int load(struct vsec_anchors *t)
{
    int rc = t->load == NULL ? 0 : t->load(t);

    if (rc == 0)
        t->load = NULL;
    return rc;
}

int vsec_anchors_verify(struct vsec_anchors *t,
    const struct vsec_x509_cert *leaf, struct v23_walltime now,
    const char **why)
{
    size_t at;
    int rc = load(t);

    if (rc != 0)
        return rc;
    if (leaf->unhandled)
        *why = "the certificate has an unknown critical extension";
    else if (!in_time(leaf, now))
        *why = "the certificate has expired or is not yet valid";
    else if (leaf->has_purposes && !leaf->serves)
        *why = "the certificate is not for server authentication";
    else
        return is_anchor(t, leaf->der, &at)
            ? 0 : find_issuer(t, leaf, now, why);
    return V23_EUNTRUSTED;
}

/* ---- recognition --------------------------------------------------------- */

static int recognized(struct vsec_x509 *x,
    const v23_security_certificate *cert, struct vdl_str name,
    struct v23_walltime now, const char **why)
{
    struct vsec_anchors *t = (struct vsec_anchors *)(void *)x;
    struct vsec_x509_cert c;
    struct v23_bytes rest;
    struct vdl_str dns;
    int rc;

    rc = vsec_x509_parse(v23_bytes(cert->x509_raw.p, cert->x509_raw.n), &c);
    if (rc != 0) {
        *why = "malformed X.509 certificate";
        return V23_ECERT;
    }
    if (!vdl_bytes_eq(c.spki, cert->public_key)) {
        *why = "the X.509 certificate is of another public key";
        return V23_ECERT;
    }
    rest = c.names;
    while (vsec_x509_next_dns(&rest, &dns))
        if (vsec_x509_dns_names_(dns, name) && vsec_x509_has_host(&c, dns))
            return vsec_anchors_verify(t, &c, now, why);
    *why = "no DNS name of the X.509 certificate matches the name";
    return V23_EUNTRUSTED;
}

int vsec_anchors_new(struct vsec_engine *e, struct vsec_anchors **out)
{
    struct vsec_anchors *t = v23_new(e->al, struct vsec_anchors);

    if (t == NULL)
        return V23_ENOMEM;
    t->base.ref.n = 1;
    t->base.ref.destroy = destroy;
    t->base.recognized = recognized;
    t->engine = vsec_engine_ref(e);
    *out = t;
    return 0;
}
