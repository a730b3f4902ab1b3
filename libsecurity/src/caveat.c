/* BSD-3-Clause; see LICENSE. */
/*
 * Caveats: making them, looking into them, their digests and ids. Parameters
 * are hashed as the octets that travelled.
 */
#include "caveat_int.h"

#include <vom/enc.h>
#include <vom/time.h>
#include <vom/value.h>
#include <vsec/profile.h>

const v23_security_caveat_descriptor vsec_caveat_not_revoked = { { { 0x4b, 0x46,
    0x5c, 0x56, 0x37, 0x79, 0xd1, 0x3b, 0x7b, 0xa3, 0xa7, 0xd6, 0xa5, 0x34,
    0x80, 0x00 } }, &vdl_bytes_desc };
const v23_security_caveat_descriptor vsec_caveat_logging = { { { 0xb0, 0x34,
    0x1c, 0xed, 0xe2, 0xdf, 0x81, 0xbd, 0xed, 0x70, 0x97, 0xbb, 0x55, 0xad,
    0x80, 0x00 } }, &vdl_str_list_desc };

bool vsec_caveat_is(const v23_security_caveat *c,
    const struct vsec_caveat_kind *kind)
{
    return memcmp(c->id.v, kind->desc->id.v, sizeof(c->id.v)) == 0;
}

/* ---- making -------------------------------------------------------------- */

int vsec_caveat_make(struct v23_arena *a, const struct vsec_caveat_kind *kind,
    const void *param, v23_security_caveat *out)
{
    const struct vdl_type *t = kind->desc->param_type;
    struct v23_buf b;
    uint8_t *p;
    int rc;

    if (t == NULL || (t->flags & VDL_T_ANY) != 0)
        return V23_EARG;
    v23_buf_init(&b, a->al, VSEC_MAX_BLESSINGS);
    rc = vom_encode_single(a->al, t, param, &b);
    if (rc == 0) {
        p = v23_arena_dup(a, b.p, b.n);
        if (p == NULL) {
            rc = V23_ENOMEM;
        } else {
            out->id = kind->desc->id;
            out->param_vom = vdl_bytes(p, b.n);
        }
    }
    v23_buf_fini(&b);
    return rc;
}

v23_security_caveat vsec_caveat_unconstrained(void)
{
    static const uint8_t yes[] = { VOM_VERSION, 0x02, 0x01 };
    v23_security_caveat c;

    c.id = V23_SECURITY_CONST_CAVEAT.id;
    c.param_vom = vdl_bytes(yes, sizeof(yes));
    return c;
}

int vsec_caveat_expiry(struct v23_arena *a, struct v23_walltime t,
    v23_security_caveat *out)
{
    v23_time_time w = vsec_time_to_wire(t);

    return vsec_caveat_make(a, &vsec_kind_expiry, &w, out);
}

int vsec_caveat_not_before(struct v23_arena *a, struct v23_walltime t,
    v23_security_caveat *out)
{
    v23_time_time w = vsec_time_to_wire(t);

    return vsec_caveat_make(a, &vsec_kind_not_before, &w, out);
}

int vsec_caveat_method(struct v23_arena *a, vdl_str_list methods,
    v23_security_caveat *out)
{
    return vsec_caveat_make(a, &vsec_kind_method, &methods, out);
}

int vsec_caveat_peers(struct v23_arena *a, vdl_str_list patterns,
    v23_security_caveat *out)
{
    v23_security_blessing_pattern_list l;

    l.v = patterns.v;
    l.n = patterns.n;
    return vsec_caveat_make(a, &vsec_kind_peer_blessings, &l, out);
}

int vsec_caveat_access_tags(struct v23_arena *a, vdl_str_list tags,
    v23_security_caveat *out)
{
    v23_access_tag_list l;

    l.v = tags.v;
    l.n = tags.n;
    return vsec_caveat_make(a, &vsec_kind_access_tag, &l, out);
}

int vsec_caveat_third_party(struct vsec_engine *e, struct v23_arena *a,
    const struct vsec_third_party *what, v23_security_caveat *out)
{
    v23_security_public_key_third_party_caveat_param p;
    int rc;

    if (what->caveats.n == 0)
        return V23_EARG;
    memset(&p, 0, sizeof(p));
    rc = vsec_random_fill(e, p.nonce.v, sizeof(p.nonce.v));
    if (rc != 0)
        return rc;
    p.caveats = what->caveats;
    p.discharger_key = what->key;
    p.discharger_location = what->location;
    p.discharger_requirements = what->wants;
    return vsec_caveat_make(a, &vsec_kind_third_party, &p, out);
}

/* ---- looking into -------------------------------------------------------- */

int vsec_caveat_digest(const struct vsec_hash_alg *h,
    const v23_security_caveat *c, uint8_t *out)
{
    uint8_t d[2 * VSEC_HASH_MAX];
    int rc = vsec_hash(h, c->id.v, sizeof(c->id.v), d);

    if (rc == 0)
        rc = vsec_hash(h, c->param_vom.p, c->param_vom.n, d + h->size);
    if (rc == 0)
        rc = vsec_hash(h, d, 2 * (size_t)h->size, out);
    return rc;
}

int vsec_caveat_param(const v23_security_caveat *c,
    const struct vsec_caveat_kind *kind, struct v23_arena *a, void *out)
{
    if (!vsec_caveat_is(c, kind))
        return V23_ENOENT;
    return vsec_profile.decode(v23_bytes(c->param_vom.p, c->param_vom.n), a,
        kind->desc->param_type, out);
}

int vsec_expiry_note_(const v23_security_caveat *c, struct v23_arena *scratch,
    bool *expires, struct v23_walltime *expiry)
{
    struct v23_arena_mark m;
    struct v23_walltime t;
    v23_time_time w;
    int rc;

    if (!vsec_caveat_is(c, &vsec_kind_expiry))
        return 0;
    m = v23_arena_mark(scratch);
    rc = vsec_caveat_param(c, &vsec_kind_expiry, scratch, &w);
    v23_arena_rewind(scratch, m);
    if (rc != 0)
        return rc == V23_ENOMEM ? rc : 0;
    t = vsec_time_from_wire(w);
    if (vsec_time_is_zero(t))
        return 0;
    if (!*expires || v23_walltime_cmp(t, *expiry) < 0)
        *expiry = t;
    *expires = true;
    return 0;
}

/* out = h(h(first) ‖ h(second) ‖ CD(caveats)…) with `second` optional. */
static int sum(const struct vsec_hash_alg *h, struct v23_bytes first,
    const struct v23_bytes *second, v23_security_caveat_list caveats,
    uint8_t *out)
{
    uint8_t d[VSEC_HASH_MAX];
    struct vsec_hash outer;
    uint32_t i;
    int rc = vsec_hash(h, first.p, first.n, d);

    if (rc != 0)
        return rc;
    vsec_hash_init(&outer, h);
    vsec_hash_update(&outer, d, h->size);
    if (second != NULL) {
        rc = vsec_hash(h, second->p, second->n, d);
        if (rc != 0)
            return rc;
        vsec_hash_update(&outer, d, h->size);
    }
    for (i = 0; i < caveats.n; i++) {
        rc = vsec_caveat_digest(h, &caveats.v[i], d);
        if (rc != 0)
            return rc;
        vsec_hash_update(&outer, d, h->size);
    }
    return vsec_hash_final(&outer, out);
}

int vsec_third_party_id(struct vsec_engine *e,
    const v23_security_public_key_third_party_caveat_param *p,
    char out[VSEC_CAVEAT_ID])
{
    struct v23_bytes key = v23_bytes(p->discharger_key.p, p->discharger_key.n);
    uint8_t d[VSEC_HASH_MAX];
    struct vsec_pubkey *k;
    struct v23_buf b;
    int rc;

    out[0] = 0;
    rc = vsec_pubkey_parse(e, p->discharger_key, &k);
    if (rc != 0)
        return rc == V23_EKEY ? 0 : rc;
    rc = sum(k->hash, v23_bytes(p->nonce.v, sizeof(p->nonce.v)), &key,
        p->caveats, d);
    if (rc == 0) {
        v23_buf_init_fixed(&b, out, VSEC_CAVEAT_ID);
        v23_base64_put(&b, d, k->hash->size, false);
        v23_buf_put_byte(&b, 0);
        rc = b.err;
    }
    vsec_pubkey_unref(k);
    return rc;
}

int vsec_discharge_digest(const struct vsec_hash_alg *h,
    const v23_security_public_key_discharge *d, uint8_t *out)
{
    return sum(h, v23_bytes(d->third_party_caveat_id.p,
        d->third_party_caveat_id.n), NULL, d->caveats, out);
}
