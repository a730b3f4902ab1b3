/* BSD-3-Clause; see LICENSE. */
/*
 * Principals: what a key, a store and roots can do together (spec 7.1). The
 * object itself never changes; its store and roots do.
 */
#include "blessings_int.h"

#include <vsec/pattern.h>
#include <vsec/principal.h>

/* ---- objects ------------------------------------------------------------- */

static void destroy(struct v23_ref *r)
{
    struct vsec_principal *p = (struct vsec_principal *)(void *)r;
    struct vsec_engine *e = p->engine;

    if (p->ops != NULL && p->ops->destroy != NULL)
        p->ops->destroy(p);
    vsec_store_unref(p->store);
    vsec_roots_unref(p->roots);
    vsec_signer_unref(p->signer);
    vsec_pubkey_unref(p->key);
    v23_buf_fini(&p->x509);
    v23_put(e->al, p);
    vsec_engine_unref(e);
}

static int fill(struct vsec_principal *p, struct vsec_store *store,
    struct vsec_roots *roots)
{
    int rc = 0;

    if (store != NULL)
        p->store = vsec_store_ref(store);
    else
        rc = vsec_store_new(p->engine, p->key, &p->store);
    if (rc != 0)
        return rc;
    if (roots != NULL)
        p->roots = vsec_roots_ref(roots);
    else
        rc = vsec_roots_new(p->engine, &p->roots);
    return rc;
}

int vsec_principal_new(struct vsec_engine *e, struct vsec_signer *signer,
    struct vsec_pubkey *key, struct vsec_store *store,
    struct vsec_roots *roots, struct vsec_principal **out)
{
    struct vsec_principal *p;
    int rc;

    if (key == NULL && signer == NULL)
        return V23_EARG;
    if (key == NULL)
        key = signer->pub;
    if ((signer != NULL && !vsec_pubkey_eq(signer->pub, key))
        || (store != NULL && !vsec_pubkey_eq(store->key, key)))
        return V23_EKEYMISMATCH;
    p = v23_new(e->al, struct vsec_principal);
    if (p == NULL)
        return V23_ENOMEM;
    p->ref.n = 1;
    p->ref.destroy = destroy;
    p->engine = vsec_engine_ref(e);
    p->key = vsec_pubkey_ref(key);
    if (signer != NULL)
        p->signer = vsec_signer_ref(signer);
    v23_buf_init(&p->x509, e->al, VSEC_MAX_BLESSINGS);
    rc = fill(p, store, roots);
    if (rc != 0) {
        v23_unref(&p->ref);
        return rc;
    }
    *out = p;
    return 0;
}

int vsec_principal_generate(struct vsec_engine *e, const char *key_type,
    struct vsec_principal **out)
{
    struct vsec_signer *s;
    int rc = vsec_signer_generate(e, key_type, &s);

    if (rc != 0)
        return rc;
    rc = vsec_principal_new(e, s, NULL, NULL, NULL, out);
    vsec_signer_unref(s);
    return rc;
}

struct vsec_principal *vsec_principal_ref(struct vsec_principal *p)
{
    if (p != NULL)
        v23_ref(&p->ref);
    return p;
}

void vsec_principal_unref(struct vsec_principal *p)
{
    if (p != NULL)
        v23_unref(&p->ref);
}

/* ---- signing ------------------------------------------------------------- */

static struct vdl_bytes purpose(const char *text)
{
    return vdl_bytes((const uint8_t *)text, strlen(text));
}

int vsec_principal_sign(struct vsec_principal *p, const void *msg, size_t n,
    struct v23_arena *a, struct vsec_signature *out,
    const struct vsec_sign_wait *wait)
{
    if (p->signer == NULL)
        return V23_ENOSYS;
    if (p->ops != NULL && p->ops->sign != NULL)
        return p->ops->sign(p, msg, n, a, out, wait);
    return vsec_sign(p->signer, purpose(VSEC_PURPOSE_MESSAGE), msg, n, a, out,
        wait);
}

void vsec_principal_sign_cancel(struct vsec_principal *p, void *wait_ud,
    struct v23_op op)
{
    if (p->ops != NULL && p->ops->cancel != NULL)
        p->ops->cancel(p, wait_ud, op);
    else if (p->signer != NULL)
        vsec_sign_cancel(p->signer, wait_ud, op);
}

int vsec_sign_cert_(struct vsec_principal *p, struct vsec_issue *i,
    v23_security_certificate *c, struct v23_bytes prev, struct v23_arena *a,
    struct v23_bytes *digest)
{
    const struct vsec_hash_alg *h = p->key->hash;
    struct vsec_signature sig;
    uint8_t content[VSEC_HASH_MAX];
    uint8_t *d = v23_arena_get(a, VSEC_HASH_MAX, 1);
    int rc;

    if (d == NULL)
        return V23_ENOMEM;
    rc = vsec_cert_digests(h, c, prev, content, NULL);
    if (rc == 0)
        rc = vsec_issue_sign_(i, p->signer,
            purpose(VSEC_PURPOSE_CERTIFICATE), v23_bytes(content, h->size), a,
            &sig);
    if (rc != 0)
        return rc;
    c->signature = vsec_signature_to_wire(&sig);
    rc = vsec_cert_digests(h, c, prev, NULL, d);
    *digest = v23_bytes(d, h->size);
    return rc;
}

/* ---- blessing ------------------------------------------------------------ */

/* *out = the chain and one certificate more, signed. */
static int extend(struct vsec_principal *p, struct vsec_issue *i,
    const struct vsec_bless *what, const struct vsec_chain *chain,
    struct v23_arena *a, struct vsec_link_ *out)
{
    v23_security_certificate *v, *c;

    if (chain->certs.n >= VSEC_MAX_CERTS)
        return V23_ELIMIT;
    v = v23_arena_get0(a, (size_t)chain->certs.n + 1, sizeof(*v),
        V23_ALIGNOF(v23_security_certificate));
    if (v == NULL)
        return V23_ENOMEM;
    memcpy(v, chain->certs.v, chain->certs.n * sizeof(*v));
    c = &v[chain->certs.n];
    c->extension = what->extension;
    c->public_key = what->key->der;
    c->caveats = what->caveats;
    out->certs.v = v;
    out->certs.n = chain->certs.n + 1;
    return vsec_sign_cert_(p, i, c,
        v23_bytes(chain->digest.p, chain->digest.n), a, &out->digest);
}

static int check_bless(const struct vsec_principal *p,
    const struct vsec_bless *what)
{
    if (what->with == NULL || what->with->nameless || what->caveats.n == 0)
        return V23_EARG;
    if (what->caveats.n > VSEC_MAX_CAVEATS)
        return V23_ELIMIT;
    if (p->signer == NULL)
        return V23_ENOSYS;
    if (!vsec_pubkey_eq(what->with->key, p->key))
        return V23_EKEYMISMATCH;
    return vsec_extension_fault(what->extension) == NULL ? 0 : V23_EPATTERN;
}

int vsec_bless_(struct vsec_principal *p, struct vsec_issue *is,
    const struct vsec_bless *what, struct vsec_blessings **out)
{
    struct vsec_link_ links[VSEC_MAX_CHAINS];
    struct v23_arena a;
    uint32_t i;
    int rc = check_bless(p, what);

    if (rc != 0)
        return rc;
    if (p->ops != NULL && p->ops->bless != NULL)
        return p->ops->bless(p, is, what, out);
    v23_arena_init(&a, p->engine->al, SIZE_MAX);
    for (i = 0; rc == 0 && i < what->with->nchains; i++)
        rc = extend(p, is, what, &what->with->chains[i], &a, &links[i]);
    if (rc == 0)
        rc = vsec_blessings_build_(what->key, links, what->with->nchains,
            false, out);
    v23_arena_fini(&a);
    return rc;
}

int vsec_principal_bless(struct vsec_principal *p,
    const struct vsec_bless *what, struct vsec_blessings **out)
{
    return vsec_bless_(p, NULL, what, out);
}

int vsec_bless_self_(struct vsec_principal *p, struct vsec_issue *i,
    struct vdl_str name, v23_security_caveat_list caveats,
    struct vsec_blessings **out)
{
    const struct v23_bytes none = { NULL, 0 };
    v23_security_certificate c;
    struct vsec_link_ link;
    struct v23_arena a;
    bool by_ops;
    int rc;

    if (p->signer == NULL)
        return V23_ENOSYS;
    by_ops = p->ops != NULL && p->ops->bless_self != NULL;
    if (vsec_extension_fault(name) != NULL && !(by_ops && name.n == 0))
        return V23_EPATTERN;
    if (caveats.n > VSEC_MAX_CAVEATS)
        return V23_ELIMIT;
    if (by_ops)
        return p->ops->bless_self(p, i, name, caveats, out);
    memset(&c, 0, sizeof(c));
    c.extension = name;
    c.public_key = p->key->der;
    c.caveats = caveats;
    link.certs.v = &c;
    link.certs.n = 1;
    v23_arena_init(&a, p->engine->al, SIZE_MAX);
    rc = vsec_sign_cert_(p, i, &c, none, &a, &link.digest);
    if (rc == 0)
        rc = vsec_blessings_build_(p->key, &link, 1, false, out);
    v23_arena_fini(&a);
    return rc;
}

int vsec_principal_bless_self(struct vsec_principal *p, struct vdl_str name,
    v23_security_caveat_list caveats, struct vsec_blessings **out)
{
    return vsec_bless_self_(p, NULL, name, caveats, out);
}

/* ---- discharges ---------------------------------------------------------- */

static int mint(struct vsec_principal *p, struct vsec_issue *i,
    v23_security_public_key_discharge *d, struct v23_arena *a)
{
    struct vsec_signature sig;
    uint8_t digest[VSEC_HASH_MAX];
    int rc = vsec_discharge_digest(p->key->hash, d, digest);

    if (rc == 0)
        rc = vsec_issue_sign_(i, p->signer, purpose(VSEC_PURPOSE_DISCHARGE),
            v23_bytes(digest, p->key->hash->size), a, &sig);
    if (rc == 0)
        d->signature = vsec_signature_to_wire(&sig);
    return rc;
}

int vsec_mint_(struct vsec_principal *p, struct vsec_issue *i,
    const v23_security_caveat *caveat, v23_security_caveat_list caveats,
    struct vsec_discharge **out)
{
    v23_security_public_key_third_party_caveat_param param;
    v23_security_wire_discharge w;
    char id[VSEC_CAVEAT_ID];
    struct v23_arena a;
    int rc;

    if (!vsec_caveat_is(caveat, &vsec_kind_third_party) || caveats.n == 0)
        return V23_EARG;
    if (p->signer == NULL)
        return V23_ENOSYS;
    if (p->ops != NULL && p->ops->mint_discharge != NULL)
        return p->ops->mint_discharge(p, i, caveat, caveats, out);
    memset(&w, 0, sizeof(w));
    v23_arena_init(&a, p->engine->al, VSEC_MAX_BLESSINGS);
    rc = vsec_caveat_param(caveat, &vsec_kind_third_party, &a, &param);
    if (rc == 0)
        rc = vsec_third_party_id(p->engine, &param, id);
    if (rc == 0) {
        w.u.public_key.third_party_caveat_id = vdl_str(id);
        w.u.public_key.caveats = caveats;
        rc = mint(p, i, &w.u.public_key, &a);
    }
    if (rc == 0)
        rc = vsec_discharge_from_wire(p->engine->al, &w, out);
    v23_arena_fini(&a);
    return rc;
}

int vsec_principal_mint_discharge(struct vsec_principal *p,
    const v23_security_caveat *caveat, v23_security_caveat_list caveats,
    struct vsec_discharge **out)
{
    return vsec_mint_(p, NULL, caveat, caveats, out);
}

/* ---- roots and defaults -------------------------------------------------- */

int vsec_principal_add_to_roots(struct vsec_principal *p,
    const struct vsec_blessings *b)
{
    const v23_security_certificate *root;
    uint32_t i;
    int rc;

    if (b == NULL || b->nameless)
        return 0;
    for (i = 0; i < b->nchains; i++) {
        root = &b->chains[i].certs.v[0];
        rc = vsec_roots_add(p->roots, root->public_key, root->extension);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int vsec_principal_set_default_blessings(struct vsec_principal *p,
    struct vsec_blessings *b)
{
    int rc = vsec_principal_add_to_roots(p, b);

    if (rc == 0)
        rc = vsec_store_set_default(p->store, b);
    if (rc == 0)
        rc = vsec_store_set(p->store, b, vdl_str(VSEC_ALL_PRINCIPALS), NULL);
    return rc;
}
