/* BSD-3-Clause; see LICENSE. */
/*
 * Discharges: shared immutable objects. The only thing that changes in one is
 * the memory of which key verified its signature, so that a discharge kept for
 * a connection costs one public-key operation and not one per call.
 */
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

int vsec_discharge_verify(struct vsec_discharge *d,
    const struct vsec_pubkey *discharger)
{
    const v23_security_signature *s = &d->wire.u.public_key.signature;
    struct vsec_signature sig;
    uint8_t digest[VSEC_HASH_MAX];
    uint8_t n = discharger->hash->size;
    int rc;

    if (d->nverified == n && memcmp(d->verified, discharger->digest, n) == 0)
        return 0;
    if (!vdl_str_is(vdl_strn((const char *)s->purpose.p, s->purpose.n),
            VSEC_PURPOSE_DISCHARGE))
        return V23_ESIG;
    rc = vsec_discharge_digest(discharger->hash, &d->wire.u.public_key,
        digest);
    if (rc != 0)
        return rc;
    sig.purpose = s->purpose;
    sig.hash = s->hash;
    sig.r = s->r;
    sig.s = s->s;
    sig.ed25519 = s->ed25519;
    sig.rsa = s->rsa;
    rc = vsec_verify(discharger, &sig, digest, n);
    if (rc != 0)
        return rc;
    memcpy(d->verified, discharger->digest, n);
    d->nverified = n;
    return 0;
}
