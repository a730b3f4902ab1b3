/* BSD-3-Clause; see LICENSE. */
/*
 * Engines and the thin dispatch to a provider's hashes.
 */
#include <vsec/crypto.h>

#include "key_int.h"

/* ---- hashes ------------------------------------------------------------- */

void vsec_hash_init(struct vsec_hash *h, const struct vsec_hash_alg *alg)
{
    h->alg = alg;
    h->err = alg == NULL ? V23_ENOSYS : alg->init(&h->state);
}

void vsec_hash_update(struct vsec_hash *h, const void *p, size_t n)
{
    if (h->err == 0 && n > 0)
        h->err = h->alg->update(&h->state, (const uint8_t *)p, n);
}

int vsec_hash_final(struct vsec_hash *h, uint8_t *digest)
{
    int rc = h->err;

    if (rc == 0)
        rc = h->alg->final(&h->state, digest);
    if (rc == 0)
        return 0;
    if (h->alg != NULL)
        memset(digest, 0, h->alg->size);
    v23_wipe(&h->state, sizeof(h->state));
    return rc;
}

int vsec_hash(const struct vsec_hash_alg *alg, const void *p, size_t n,
    uint8_t *digest)
{
    struct vsec_hash h;

    vsec_hash_init(&h, alg);
    vsec_hash_update(&h, p, n);
    return vsec_hash_final(&h, digest);
}

const struct vsec_hash_alg *vsec_hash_named(const struct vsec_crypto *c,
    struct vdl_str name)
{
    if (vdl_str_is(name, "SHA256"))
        return c->sha256;
    if (vdl_str_is(name, "SHA384"))
        return c->sha384;
    return c->sha512;
}

/* ---- engines ------------------------------------------------------------ */

static void engine_destroy(struct v23_ref *r)
{
    struct vsec_engine *e = (struct vsec_engine *)(void *)r;
    const struct vsec_alg *const *algs = e->crypto->algs;
    size_t i;

    for (i = 0; algs != NULL && algs[i] != NULL; i++)
        if (e->shared[i] != NULL)
            algs[i]->shared_free(e, e->shared[i]);
    v23_put(e->al, e->shared);
    v23_put(e->al, e);
}

int vsec_engine_new(struct vsec_engine **out, const struct vsec_crypto *crypto,
    const struct v23_alloc *al, const struct vsec_random *random)
{
    struct vsec_engine *e;
    size_t n = 0;
    int rc;

    if (al == NULL)
        al = &v23_alloc_libc;
    if (random == NULL && crypto->random == NULL)
        return V23_EARG;
    rc = crypto->start == NULL ? 0 : crypto->start();
    if (rc != 0)
        return rc;
    e = v23_new(al, struct vsec_engine);
    if (e == NULL)
        return V23_ENOMEM;
    while (crypto->algs != NULL && crypto->algs[n] != NULL)
        n++;
    e->shared = (void **)v23_get0(al, n + 1, sizeof(void *));
    if (e->shared == NULL) {
        v23_put(al, e);
        return V23_ENOMEM;
    }
    e->ref.n = 1;
    e->ref.destroy = engine_destroy;
    e->crypto = crypto;
    e->al = al;
    e->secret = crypto->secret == NULL ? al : crypto->secret;
    if (random != NULL)
        e->random = *random;
    else
        e->random.fill = crypto->random;
    *out = e;
    return 0;
}

struct vsec_engine *vsec_engine_ref(struct vsec_engine *e)
{
    v23_ref(&e->ref);
    return e;
}

void vsec_engine_unref(struct vsec_engine *e)
{
    if (e != NULL)
        v23_unref(&e->ref);
}

int vsec_random_fill(struct vsec_engine *e, void *p, size_t n)
{
    int rc = e->random.fill(e->random.ud, (uint8_t *)p, n);

    if (rc != 0)
        memset(p, 0, n);
    return rc;
}

int vsec_engine_alg_(struct vsec_engine *e, enum vsec_kind kind,
    enum vsec_curve curve, const struct vsec_alg **alg, void **shared)
{
    const struct vsec_alg *const *algs = e->crypto->algs;
    size_t i;
    int rc;

    for (i = 0; algs != NULL && algs[i] != NULL; i++) {
        if (algs[i]->kind != kind || algs[i]->curve != curve)
            continue;
        if (e->shared[i] == NULL && algs[i]->shared_new != NULL) {
            rc = algs[i]->shared_new(algs[i], e, &e->shared[i]);
            if (rc != 0)
                return rc;
        }
        *alg = algs[i];
        *shared = e->shared[i];
        return 0;
    }
    return V23_EKEY;
}
