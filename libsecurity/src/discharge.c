/* BSD-3-Clause; see LICENSE. */
/*
 * Discharges: shared immutable objects. The only thing that changes in one is
 * the memory of which key verified its signature, so that a discharge kept for
 * a connection costs one public-key operation and not one per call.
 */
#include "blessings_int.h"
#include "caveat_int.h"

#include <vom/value.h>
#include <vsec/profile.h>

#include <stddef.h>

static struct vsec_discharge *of_ref(struct v23_ref *r)
{
    return (struct vsec_discharge *)(void *)r;
}

static void destroy(struct v23_ref *r)
{
    struct vsec_discharge *d = of_ref(r);
    const struct v23_alloc *al = d->arena.al;

    v23_arena_fini(&d->arena);
    v23_put(al, d);
}

static int check_limits(const v23_security_public_key_discharge *d)
{
    size_t total = d->third_party_caveat_id.n;
    uint32_t i;

    if (d->caveats.n > VSEC_MAX_CAVEATS)
        return V23_ELIMIT;
    for (i = 0; i < d->caveats.n; i++)
        total += d->caveats.v[i].param_vom.n;
    return total > VSEC_MAX_BLESSINGS ? V23_ELIMIT : 0;
}

static int set_expiry(struct vsec_discharge *d)
{
    const v23_security_public_key_discharge *pk = &d->wire.u.public_key;
    uint32_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < pk->caveats.n; i++)
        rc = vsec_expiry_note_(&pk->caveats.v[i], &d->arena, &d->expires,
            &d->expiry);
    return rc;
}

int vsec_discharge_from_wire(const struct v23_alloc *al,
    const v23_security_wire_discharge *w, struct vsec_discharge **out)
{
    struct vsec_discharge *d;
    int rc = check_limits(&w->u.public_key);

    if (rc != 0)
        return rc;
    d = v23_new(al, struct vsec_discharge);
    if (d == NULL)
        return V23_ENOMEM;
    d->ref.n = 1;
    d->ref.destroy = destroy;
    v23_arena_init(&d->arena, al, SIZE_MAX);
    rc = vdl_copy(&d->arena, &v23_security_wire_discharge_desc, &d->wire, w);
    if (rc == 0)
        rc = set_expiry(d);
    if (rc != 0) {
        v23_unref(&d->ref);
        return rc;
    }
    *out = d;
    return 0;
}

int vsec_discharge_decode(const struct v23_alloc *al, struct v23_bytes vom,
    struct vsec_discharge **out)
{
    v23_security_wire_discharge w;
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, al, 4 * (size_t)VSEC_MAX_BLESSINGS);
    rc = vsec_profile.decode(vom, &a, &v23_security_wire_discharge_desc, &w);
    if (rc == 0)
        rc = vsec_discharge_from_wire(al, &w, out);
    v23_arena_fini(&a);
    return rc;
}

struct vsec_discharge *vsec_discharge_ref(struct vsec_discharge *d)
{
    if (d != NULL)
        v23_ref(&d->ref);
    return d;
}

void vsec_discharge_unref(struct vsec_discharge *d)
{
    if (d != NULL)
        v23_unref(&d->ref);
}

bool vsec_discharge_eq(const struct vsec_discharge *a,
    const struct vsec_discharge *b)
{
    return a == b
        || vdl_equal(&v23_security_wire_discharge_desc, &a->wire, &b->wire);
}

struct vdl_str vsec_discharge_id(const struct vsec_discharge *d)
{
    return d->wire.u.public_key.third_party_caveat_id;
}

bool vsec_discharge_expiry(const struct vsec_discharge *d,
    struct v23_walltime *out)
{
    if (d->expires)
        *out = d->expiry;
    return d->expires;
}

static struct vsec_signature signature_of(const struct vsec_discharge *d)
{
    const v23_security_signature *s = &d->wire.u.public_key.signature;
    struct vsec_signature sig;

    sig.purpose = s->purpose;
    sig.hash = s->hash;
    sig.r = s->r;
    sig.s = s->s;
    sig.ed25519 = s->ed25519;
    sig.rsa = s->rsa;
    return sig;
}

/* What a verified discharge is in the cache of verified chains: longer than
 * any digest of a chain, so it is none. */
static int make_mark(const struct vsec_pubkey *k,
    const struct vsec_signature *sig, const uint8_t *digest,
    uint8_t mark[3 * VSEC_HASH_MAX])
{
    size_t n = k->hash->size;

    memcpy(mark, k->digest, n);
    memcpy(mark + n, digest, n);
    return vsec_signature_digest(k->hash, sig, mark + 2 * n);
}

/* Verify, or know that it has been verified before in another object. */
static int verify(const struct vsec_discharge *d, const struct vsec_pubkey *k,
    struct vsec_chain_cache *cache)
{
    struct vsec_signature sig = signature_of(d);
    uint8_t digest[VSEC_HASH_MAX], mark[3 * VSEC_HASH_MAX];
    struct v23_bytes b = v23_bytes(mark, 3 * (size_t)k->hash->size);
    int rc = vsec_discharge_digest(k->hash, &d->wire.u.public_key, digest);

    if (rc == 0 && cache != NULL) {
        rc = make_mark(k, &sig, digest, mark);
        if (rc == 0 && vsec_chain_cache_ops_(cache)->has(cache, b))
            return 0;
    }
    if (rc == 0)
        rc = vsec_verify(k, &sig, digest, k->hash->size);
    if (rc == 0 && cache != NULL)
        vsec_chain_cache_ops_(cache)->add(cache, b);
    return rc;
}

int vsec_discharge_verify_in_(struct vsec_discharge *d,
    const struct vsec_pubkey *discharger, struct vsec_chain_cache *cache)
{
    const struct vdl_bytes *purpose =
        &d->wire.u.public_key.signature.purpose;
    uint8_t n = discharger->hash->size;
    int rc;

    if (d->nverified == n && memcmp(d->verified, discharger->digest, n) == 0)
        return 0;
    if (!vdl_str_is(vdl_strn((const char *)purpose->p, purpose->n),
            VSEC_PURPOSE_DISCHARGE))
        return V23_ESIG;
    rc = verify(d, discharger, cache);
    if (rc != 0)
        return rc;
    memcpy(d->verified, discharger->digest, n);
    d->nverified = n;
    return 0;
}

int vsec_discharge_verify(struct vsec_discharge *d,
    const struct vsec_pubkey *discharger)
{
    return vsec_discharge_verify_in_(d, discharger, NULL);
}
