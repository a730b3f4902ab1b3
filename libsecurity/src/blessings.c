/* BSD-3-Clause; see LICENSE. */
/*
 * Blessings: verification of what was received (spec 5.5), the immutable
 * object, its plain properties.
 *
 * Everything of an object lies in its arena; nothing points into the input.
 * An object exists only for chains that verified, and its arena is never
 * written again.
 */
#include "blessings_int.h"
#include "caveat_int.h"

#include <vom/enc.h>
#include <vom/value.h>
#include <vsec/pattern.h>
#include <vsec/profile.h>

/* ---- the object ---------------------------------------------------------- */

static void destroy(struct v23_ref *r)
{
    struct vsec_blessings *b = (struct vsec_blessings *)(void *)r;
    struct vsec_engine *e = vsec_engine_ref(b->key->engine);

    vsec_pubkey_unref(b->key);
    v23_arena_fini(&b->arena);
    v23_put(e->al, b);
    vsec_engine_unref(e);
}

int vsec_chain_name_(v23_security_certificate_list certs, struct v23_arena *a,
    struct vdl_str *out)
{
    size_t n = 0;
    uint32_t i;
    char *p;

    for (i = 0; i < certs.n; i++)
        n += (size_t)certs.v[i].extension.n + 1;
    if (n > VSEC_MAX_BLESSINGS)
        return V23_ELIMIT;
    p = v23_arena_get(a, n, 1);
    if (p == NULL)
        return V23_ENOMEM;
    n = 0;
    for (i = 0; i < certs.n; i++) {
        if (i > 0)
            p[n++] = VSEC_NAME_SEPARATOR;
        if (certs.v[i].extension.n > 0)
            memcpy(p + n, certs.v[i].extension.p, certs.v[i].extension.n);
        n += certs.v[i].extension.n;
    }
    *out = vdl_strn(p, n);
    return 0;
}

/* Names joined by ','. */
static int join_names(struct vsec_blessings *b)
{
    size_t n = 0;
    uint32_t i;
    char *p;

    if (b->nchains == 1) {
        b->text = b->chains[0].name;
        return 0;
    }
    for (i = 0; i < b->nchains; i++)
        n += (size_t)b->chains[i].name.n + 1;
    if (n > UINT32_MAX)
        return V23_ELIMIT;
    p = v23_arena_get(&b->arena, n, 1);
    if (p == NULL)
        return V23_ENOMEM;
    n = 0;
    for (i = 0; i < b->nchains; i++) {
        if (i > 0)
            p[n++] = ',';
        if (b->chains[i].name.n > 0)
            memcpy(p + n, b->chains[i].name.p, b->chains[i].name.n);
        n += b->chains[i].name.n;
    }
    b->text = vdl_strn(p, n);
    return 0;
}

/* Unique id: hash of the chains' digests under the bound key's hash. */
static int set_id(struct vsec_blessings *b)
{
    struct vsec_hash h;
    uint32_t i;

    if (b->key->hash == NULL)
        return V23_ENOSYS;
    vsec_hash_init(&h, b->key->hash);
    for (i = 0; i < b->nchains; i++)
        vsec_hash_update(&h, b->chains[i].digest.p, b->chains[i].digest.n);
    b->nid = b->key->hash->size;
    return vsec_hash_final(&h, b->id);
}

/* Count the caveats of a certificate and find the earliest expiry. */
static int note_caveats(struct vsec_blessings *b,
    const v23_security_certificate *c, struct vsec_chain *chain)
{
    uint32_t i;
    int rc = 0;

    chain->ncaveats += c->caveats.n;
    for (i = 0; rc == 0 && i < c->caveats.n; i++)
        rc = vsec_expiry_note_(&c->caveats.v[i], &b->arena, &b->expires,
            &b->expiry);
    return rc;
}

/* A chain whose certificates are in the arena already. */
static int fill_chain(struct vsec_blessings *b, const struct vsec_link_ *in,
    struct vsec_chain *out)
{
    uint8_t *d;
    uint32_t i;
    int rc;

    for (i = 0; i < in->certs.n; i++) {
        rc = note_caveats(b, &in->certs.v[i], out);
        if (rc != 0)
            return rc;
    }
    out->certs = in->certs;
    d = v23_arena_dup(&b->arena, in->digest.p, in->digest.n);
    if (d == NULL)
        return V23_ENOMEM;
    out->digest = vdl_bytes(d, in->digest.n);
    return vsec_chain_name_(out->certs, &b->arena, &out->name);
}

static int fill(struct vsec_blessings *b, const struct vsec_link_ *v,
    uint32_t n)
{
    v23_security_certificate_list *lists;
    struct vsec_chain *chains;
    uint32_t i;
    int rc;

    chains = v23_arena_get0(&b->arena, n, sizeof(*chains),
        V23_ALIGNOF(struct vsec_chain));
    lists = v23_arena_get0(&b->arena, n, sizeof(*lists),
        V23_ALIGNOF(v23_security_certificate_list));
    if (chains == NULL || lists == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++) {
        rc = fill_chain(b, &v[i], &chains[i]);
        if (rc != 0)
            return rc;
        lists[i] = chains[i].certs;
    }
    b->chains = chains;
    b->nchains = n;
    b->wire.certificate_chains.v = lists;
    b->wire.certificate_chains.n = n;
    rc = join_names(b);
    return rc != 0 ? rc : set_id(b);
}

/*
 * Make an object of chains that lie in `own`. The arena becomes the object's,
 * and *own an empty one, also on failure.
 */
static int adopt(struct v23_arena *own, struct vsec_pubkey *key,
    const struct vsec_link_ *v, uint32_t n, bool nameless,
    struct vsec_blessings **out)
{
    const struct v23_alloc *al = key->engine->al;
    struct vsec_blessings *b = v23_new(al, struct vsec_blessings);
    int rc;

    if (b == NULL)
        return V23_ENOMEM;
    b->ref.n = 1;
    b->ref.destroy = destroy;
    b->key = vsec_pubkey_ref(key);
    b->nameless = nameless;
    b->arena = *own;
    b->arena.limit = SIZE_MAX;
    v23_arena_init(own, al, SIZE_MAX);
    rc = fill(b, v, n);
    if (rc != 0) {
        v23_unref(&b->ref);
        return rc;
    }
    *out = b;
    return 0;
}

static int copy_chain(struct v23_arena *a, const struct vsec_link_ *in,
    struct vsec_link_ *out)
{
    v23_security_certificate *v;
    uint32_t i;
    int rc;

    v = v23_arena_get0(a, in->certs.n, sizeof(*v),
        V23_ALIGNOF(v23_security_certificate));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < in->certs.n; i++) {
        rc = vdl_copy(a, &v23_security_certificate_desc, &v[i],
            &in->certs.v[i]);
        if (rc != 0)
            return rc;
    }
    out->certs.v = v;
    out->certs.n = in->certs.n;
    out->digest = in->digest;
    return 0;
}

/* The same as adopt, of copies of the chains. */
static int copy(struct v23_arena *none, struct vsec_pubkey *key,
    const struct vsec_link_ *v, uint32_t n, bool nameless,
    struct vsec_blessings **out)
{
    struct v23_arena a;
    struct vsec_link_ *links;
    uint32_t i;
    int rc = 0;

    (void)none;
    v23_arena_init_small(&a, key->engine->al, SIZE_MAX, 1024);
    links = v23_arena_get0(&a, n, sizeof(*links),
        V23_ALIGNOF(struct vsec_link_));
    if (links == NULL)
        rc = V23_ENOMEM;
    for (i = 0; rc == 0 && i < n; i++)
        rc = copy_chain(&a, &v[i], &links[i]);
    if (rc == 0)
        rc = adopt(&a, key, links, n, nameless, out);
    v23_arena_fini(&a);
    return rc;
}

int vsec_blessings_build_(struct vsec_pubkey *key, const struct vsec_link_ *v,
    uint32_t n, bool nameless, struct vsec_blessings **out)
{
    return copy(NULL, key, v, n, nameless, out);
}

struct vsec_blessings *vsec_blessings_ref(struct vsec_blessings *b)
{
    if (b != NULL)
        v23_ref(&b->ref);
    return b;
}

void vsec_blessings_unref(struct vsec_blessings *b)
{
    if (b != NULL)
        v23_unref(&b->ref);
}

/* ---- verification -------------------------------------------------------- */

/* Digests of a certificate. */
struct digests {
    uint8_t content[VSEC_HASH_MAX];
    uint8_t digest[VSEC_HASH_MAX];
    uint8_t size;
};

struct verify {
    struct vsec_engine *engine;
    struct vsec_chain_cache *cache;
    /* Makes the object: adopt or copy. */
    int (*build)(struct v23_arena *own, struct vsec_pubkey *key,
        const struct vsec_link_ *v, uint32_t n, bool nameless,
        struct vsec_blessings **out);
    struct v23_arena *own;
    struct digests *certs; /* of the chain being verified */
};

static struct v23_bytes chained(const struct digests *d)
{
    return v23_bytes(d->digest, d->size);
}

static int digest_chain(struct verify *v, v23_security_certificate_list chain)
{
    const struct vsec_hash_alg *h;
    struct v23_bytes prev = { NULL, 0 };
    uint32_t i;
    int rc;

    for (i = 0; i < chain.n; i++) {
        h = vsec_hash_named(v->engine->crypto, chain.v[i].signature.hash);
        if (h == NULL)
            return V23_ENOSYS;
        rc = vsec_cert_digests(h, &chain.v[i], prev, v->certs[i].content,
            v->certs[i].digest);
        if (rc != 0)
            return rc;
        v->certs[i].size = h->size;
        prev = chained(&v->certs[i]);
    }
    return 0;
}

static int check_fields(const v23_security_certificate *c)
{
    struct vdl_str purpose = vdl_strn((const char *)c->signature.purpose.p,
        c->signature.purpose.n);

    if (!vdl_str_is(purpose, VSEC_PURPOSE_CERTIFICATE))
        return V23_ECERT;
    return vsec_extension_fault(c->extension) == NULL ? 0 : V23_ECERT;
}

/* Verify certificate i of a chain; *signer is the key parsed last. */
static int verify_link(struct verify *v, v23_security_certificate_list chain,
    uint32_t i, struct vsec_pubkey **signer)
{
    const v23_security_certificate *issuer = &chain.v[i > 0 ? i - 1 : 0];
    struct vsec_signature sig = vsec_signature_of(&chain.v[i].signature);
    int rc = check_fields(&chain.v[i]);

    if (rc != 0)
        return rc;
    if (*signer == NULL
        || !vdl_bytes_eq((*signer)->der, issuer->public_key)) {
        vsec_pubkey_unref(*signer);
        *signer = NULL;
        rc = vsec_pubkey_parse(v->engine, issuer->public_key, signer);
        if (rc != 0)
            return rc;
    }
    return vsec_verify(*signer, &sig, v->certs[i].content, v->certs[i].size);
}

/* Verify from the last certificate to the root, or to a verified prefix. */
static int verify_chain(struct verify *v, v23_security_certificate_list chain,
    struct vsec_pubkey *key)
{
    struct vsec_pubkey *signer = vsec_pubkey_ref(key);
    uint32_t n;
    int rc = digest_chain(v, chain);

    for (n = chain.n; rc == 0 && n > 0; n--) {
        if (v->cache != NULL
            && vsec_chain_cache_ops_(v->cache)->has(v->cache,
                chained(&v->certs[n - 1])))
            break;
        rc = verify_link(v, chain, n - 1, &signer);
    }
    vsec_pubkey_unref(signer);
    /* The prefix of n certificates is in the cache already. */
    for (; rc == 0 && v->cache != NULL && n < chain.n; n++)
        vsec_chain_cache_ops_(v->cache)->add(v->cache,
            chained(&v->certs[n]));
    return rc;
}

bool vsec_is_nameless_(const v23_security_wire_blessings *w)
{
    const v23_security_certificate *c;

    if (w->certificate_chains.n != 1 || w->certificate_chains.v[0].n != 1)
        return false;
    c = &w->certificate_chains.v[0].v[0];
    return c->extension.n == 0 && c->caveats.n == 0 && c->x509_raw.n == 0
        && c->signature.purpose.n == 0 && c->signature.hash.n == 0
        && c->signature.r.n == 0 && c->signature.s.n == 0
        && c->signature.ed25519.n == 0 && c->signature.rsa.n == 0;
}

/* Counts and sizes, before anything is hashed. */
static int check_limits(const v23_security_wire_blessings *w)
{
    const v23_security_certificate *c;
    size_t total = 0;
    uint32_t i, j, k;

    if (w->certificate_chains.n > VSEC_MAX_CHAINS)
        return V23_ELIMIT;
    for (i = 0; i < w->certificate_chains.n; i++) {
        if (w->certificate_chains.v[i].n == 0)
            return V23_ECERT;
        if (w->certificate_chains.v[i].n > VSEC_MAX_CERTS)
            return V23_ELIMIT;
        for (j = 0; j < w->certificate_chains.v[i].n; j++) {
            c = &w->certificate_chains.v[i].v[j];
            if (c->caveats.n > VSEC_MAX_CAVEATS)
                return V23_ELIMIT;
            total += (size_t)c->extension.n + c->public_key.n + c->x509_raw.n
                + c->signature.purpose.n + c->signature.hash.n
                + c->signature.r.n + c->signature.s.n
                + c->signature.ed25519.n + c->signature.rsa.n;
            for (k = 0; k < c->caveats.n; k++)
                total += (size_t)16 + c->caveats.v[k].param_vom.n;
            if (total > VSEC_MAX_BLESSINGS)
                return V23_ELIMIT;
        }
    }
    return 0;
}

static const v23_security_certificate *last(v23_security_certificate_list c)
{
    return &c.v[c.n - 1];
}

/* Room for the digests of the longest chain. */
static struct digests *make_room(struct v23_arena *a,
    const v23_security_wire_blessings *w)
{
    uint32_t i, most = 0;

    for (i = 0; i < w->certificate_chains.n; i++)
        if (w->certificate_chains.v[i].n > most)
            most = w->certificate_chains.v[i].n;
    return v23_arena_get0(a, most, sizeof(struct digests),
        V23_ALIGNOF(struct digests));
}

/* Verify all chains and build the object. */
static int verify_all(struct verify *v, const v23_security_wire_blessings *w,
    struct v23_arena *a, struct vsec_blessings **out)
{
    const v23_security_certificate_list *chains = w->certificate_chains.v;
    uint32_t i, n = w->certificate_chains.n;
    struct vdl_bytes der = last(chains[0])->public_key;
    struct vsec_pubkey *key = NULL;
    struct vsec_link_ *links;
    struct v23_bytes end;
    uint8_t *d;
    int rc;

    links = v23_arena_get0(a, n, sizeof(*links),
        V23_ALIGNOF(struct vsec_link_));
    v->certs = make_room(a, w);
    if (links == NULL || v->certs == NULL)
        return V23_ENOMEM;
    rc = vsec_pubkey_parse(v->engine, der, &key);
    for (i = 0; rc == 0 && i < n; i++) {
        if (!vdl_bytes_eq(last(chains[i])->public_key, der)) {
            rc = V23_EKEYMISMATCH;
            break;
        }
        rc = verify_chain(v, chains[i], key);
        if (rc != 0)
            break;
        end = chained(&v->certs[chains[i].n - 1]);
        d = v23_arena_dup(a, end.p, end.n);
        if (d == NULL)
            rc = V23_ENOMEM;
        links[i].certs = chains[i];
        links[i].digest = v23_bytes(d, end.n);
    }
    if (rc == 0)
        rc = v->build(v->own, key, links, n, false, out);
    vsec_pubkey_unref(key);
    return rc;
}

static int receive(struct verify *v, const v23_security_wire_blessings *w,
    struct vsec_blessings **out)
{
    struct vsec_pubkey *key = NULL;
    struct vsec_blessings *b;
    struct v23_arena scratch;
    int rc;

    if (w->certificate_chains.n == 0) {
        *out = NULL;
        return 0;
    }
    rc = check_limits(w);
    if (rc != 0)
        return rc;
    b = v->cache == NULL
        ? NULL : vsec_chain_cache_ops_(v->cache)->content(v->cache, w);
    if (b != NULL) {
        *out = b;
        return 0;
    }
    if (vsec_is_nameless_(w)) {
        rc = vsec_pubkey_parse(v->engine,
            w->certificate_chains.v[0].v[0].public_key, &key);
        if (rc == 0)
            rc = vsec_blessings_nameless(key, out);
        if (rc == 0 && v->cache != NULL)
            vsec_chain_cache_ops_(v->cache)->keep(v->cache, *out);
        vsec_pubkey_unref(key);
        return rc;
    }
    v23_arena_init(&scratch, v->engine->al, SIZE_MAX);
    rc = verify_all(v, w, &scratch, out);
    v23_arena_fini(&scratch);
    if (rc == 0 && v->cache != NULL)
        vsec_chain_cache_ops_(v->cache)->keep(v->cache, *out);
    return rc;
}

int vsec_blessings_from_wire(struct vsec_engine *e,
    struct vsec_chain_cache *cache, const v23_security_wire_blessings *w,
    struct vsec_blessings **out)
{
    struct verify v = { e, cache, copy, NULL, NULL };

    return receive(&v, w, out);
}

int vsec_blessings_nameless(struct vsec_pubkey *k, struct vsec_blessings **out)
{
    struct v23_bytes none = { NULL, 0 };
    v23_security_certificate *c;
    struct vsec_link_ link;
    struct v23_arena a;
    uint8_t d[VSEC_HASH_MAX];
    int rc = V23_ENOMEM;

    v23_arena_init_small(&a, k->engine->al, SIZE_MAX, 384);
    c = v23_arena_new(&a, v23_security_certificate);
    if (c == NULL)
        goto out;
    c->public_key = vdl_bytes(v23_arena_dup(&a, k->der.p, k->der.n), k->der.n);
    if (c->public_key.p == NULL)
        goto out;
    rc = vsec_cert_digests(k->hash, c, none, NULL, d);
    if (rc != 0)
        goto out;
    link.certs.v = c;
    link.certs.n = 1;
    link.digest = v23_bytes(d, k->hash->size);
    rc = adopt(&a, k, &link, 1, true, out);
out:
    v23_arena_fini(&a);
    return rc;
}

/* ---- encoded form -------------------------------------------------------- */

int vsec_blessings_decode(struct vsec_engine *e,
    struct vsec_chain_cache *cache, struct v23_bytes vom,
    struct vsec_blessings **out)
{
    v23_security_wire_blessings w;
    struct vsec_blessings *b;
    struct v23_arena a;
    struct verify v = { e, cache, adopt, &a, NULL };
    int rc;

    b = cache == NULL ? NULL : vsec_chain_cache_ops_(cache)->vom(cache, vom);
    if (b != NULL) {
        *out = b;
        return 0;
    }
    v23_arena_init(&a, e->al, 4 * (size_t)VSEC_MAX_BLESSINGS);
    rc = vsec_profile.decode(vom, &a, &v23_security_wire_blessings_desc, &w);
    if (rc == 0)
        rc = receive(&v, &w, out);
    if (rc == 0 && cache != NULL)
        vsec_chain_cache_ops_(cache)->keep_vom(cache, vom, *out);
    v23_arena_fini(&a);
    return rc;
}

v23_security_wire_blessings vsec_blessings_wire(const struct vsec_blessings *b)
{
    v23_security_wire_blessings none;

    if (b != NULL)
        return b->wire;
    memset(&none, 0, sizeof(none));
    return none;
}

int vsec_blessings_encode(const struct v23_alloc *al,
    const struct vsec_blessings *b, struct v23_buf *out)
{
    v23_security_wire_blessings w = vsec_blessings_wire(b);

    return vom_encode_single(al, &v23_security_wire_blessings_desc, &w, out);
}

/* ---- plain properties ---------------------------------------------------- */

struct vsec_pubkey *vsec_blessings_key(const struct vsec_blessings *b)
{
    return b == NULL ? NULL : b->key;
}

bool vsec_blessings_is_nameless(const struct vsec_blessings *b)
{
    return b != NULL && b->nameless;
}

bool vsec_blessings_eq(const struct vsec_blessings *a,
    const struct vsec_blessings *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->nid == b->nid && memcmp(a->id, b->id, a->nid) == 0;
}

struct vdl_str vsec_blessings_text(const struct vsec_blessings *b)
{
    return b == NULL ? vdl_str("") : b->text;
}
