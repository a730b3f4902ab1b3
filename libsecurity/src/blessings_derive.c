/* BSD-3-Clause; see LICENSE. */
/*
 * Blessings made of other blessings: union, roots, the part that may sign. No
 * signature is checked here: the chains come from objects that exist.
 */
#include "blessings_int.h"

#include <vsec/pattern.h>

bool vsec_blessings_expiry(const struct vsec_blessings *b,
    struct v23_walltime *out)
{
    if (b == NULL || !b->expires)
        return false;
    *out = b->expiry;
    return true;
}

/* ---- union --------------------------------------------------------------- */

/* Shorter chains first, then by the extensions. */
static int chain_cmp(const struct vsec_link_ *a, const struct vsec_link_ *b)
{
    uint32_t i;
    int c;

    if (a->certs.n != b->certs.n)
        return a->certs.n < b->certs.n ? -1 : 1;
    for (i = 0; i < a->certs.n; i++) {
        c = vdl_str_cmp(a->certs.v[i].extension, b->certs.v[i].extension);
        if (c != 0)
            return c;
    }
    return 0;
}

/* Stable, and short lists: by insertion. */
static void sort_links(struct vsec_link_ *v, size_t n)
{
    struct vsec_link_ one;
    size_t i, j;

    for (i = 1; i < n; i++) {
        one = v[i];
        for (j = i; j > 0 && chain_cmp(&one, &v[j - 1]) < 0; j--)
            v[j] = v[j - 1];
        v[j] = one;
    }
}

static struct vsec_link_ link_of(const struct vsec_chain *c)
{
    struct vsec_link_ l;

    l.certs = c->certs;
    l.digest = v23_bytes(c->digest.p, c->digest.n);
    return l;
}

/* Chains of all members that have names; the key is that of the first member
 * even if that is nameless. */
static int count_chains(struct vsec_blessings *const *v, size_t n,
    size_t *count)
{
    size_t i;

    *count = 0;
    for (i = 0; i < n; i++) {
        if (v[i] == NULL || v[i]->nameless)
            continue;
        if (!vsec_pubkey_eq(v[0]->key, v[i]->key))
            return V23_EKEYMISMATCH;
        *count += v[i]->nchains;
    }
    return *count > VSEC_MAX_CHAINS ? V23_ELIMIT : 0;
}

int vsec_blessings_union(struct vsec_blessings *const *v, size_t n,
    struct vsec_blessings **out)
{
    struct vsec_link_ links[VSEC_MAX_CHAINS];
    size_t i, count, k = 0;
    uint32_t j;
    int rc;

    while (n > 0 && v[0] == NULL) {
        v++;
        n--;
    }
    if (n <= 1) {
        *out = n == 0 ? NULL : vsec_blessings_ref(v[0]);
        return 0;
    }
    rc = count_chains(v, n, &count);
    if (rc != 0)
        return rc;
    if (count == 0) {
        *out = vsec_blessings_ref(v[0]);
        return 0;
    }
    for (i = 0; i < n; i++) {
        if (v[i] == NULL || v[i]->nameless)
            continue;
        for (j = 0; j < v[i]->nchains; j++)
            links[k++] = link_of(&v[i]->chains[j]);
    }
    sort_links(links, k);
    return vsec_blessings_build_(v[0]->key, links, (uint32_t)k, false, out);
}

/* ---- parts --------------------------------------------------------------- */

int vsec_blessings_root(const struct vsec_blessings *b, uint32_t i,
    struct vsec_blessings **out)
{
    struct vsec_link_ link;
    struct vsec_pubkey *key;
    uint8_t digest[VSEC_HASH_MAX];
    size_t n;
    int rc;

    if (b == NULL || b->nameless || i >= b->nchains)
        return V23_EARG;
    link.certs.v = b->chains[i].certs.v;
    link.certs.n = 1;
    rc = vsec_chain_digest_(b->key->engine->crypto, link.certs, digest, &n);
    if (rc != 0)
        return rc;
    link.digest = v23_bytes(digest, n);
    rc = vsec_pubkey_parse(b->key->engine, link.certs.v[0].public_key, &key);
    if (rc != 0)
        return rc;
    rc = vsec_blessings_build_(key, &link, 1, false, out);
    vsec_pubkey_unref(key);
    return rc;
}

static bool may_sign(const struct vsec_chain *c)
{
    const v23_security_caveat *cav;
    uint32_t i, j;

    for (i = 0; i < c->certs.n; i++)
        for (j = 0; j < c->certs.v[i].caveats.n; j++) {
            cav = &c->certs.v[i].caveats.v[j];
            if (!vsec_caveat_is(cav, &vsec_kind_expiry)
                && !vsec_caveat_is(cav, &vsec_kind_const))
                return false;
        }
    return true;
}

int vsec_blessings_for_signing(const struct vsec_blessings *b,
    struct vsec_blessings **out)
{
    struct vsec_link_ links[VSEC_MAX_CHAINS];
    uint32_t i, n = 0;

    if (b != NULL && !b->nameless)
        for (i = 0; i < b->nchains; i++)
            if (may_sign(&b->chains[i]))
                links[n++] = link_of(&b->chains[i]);
    if (n == 0) {
        *out = NULL;
        return 0;
    }
    return vsec_blessings_build_(b->key, links, n, false, out);
}

/* Collect into v, or only count when v is NULL. */
static uint32_t third_parties(const struct vsec_blessings *b,
    v23_security_caveat *v)
{
    v23_security_caveat_list l;
    uint32_t i, j, k, n = 0;

    for (i = 0; b != NULL && i < b->nchains; i++)
        for (j = 0; j < b->chains[i].certs.n; j++) {
            l = b->chains[i].certs.v[j].caveats;
            for (k = 0; k < l.n; k++) {
                if (!vsec_caveat_is(&l.v[k], &vsec_kind_third_party))
                    continue;
                if (v != NULL)
                    v[n] = l.v[k];
                n++;
            }
        }
    return n;
}

int vsec_blessings_third_party(const struct vsec_blessings *b,
    struct v23_arena *a, v23_security_caveat_list *out)
{
    uint32_t n = third_parties(b, NULL);
    v23_security_caveat *v = NULL;

    if (n > 0) {
        v = v23_arena_get0(a, n, sizeof(*v),
            V23_ALIGNOF(v23_security_caveat));
        if (v == NULL)
            return V23_ENOMEM;
        third_parties(b, v);
    }
    out->v = v;
    out->n = n;
    return 0;
}

/* ---- names asked for ----------------------------------------------------- */

/* "*.dom:ext" covers "host.dom:ext", one label of the first component. */
static bool wildcard_covers(struct vdl_str ext, struct vdl_str name)
{
    uint32_t tail = ext.n - 1, host, i;

    if (name.n <= tail
        || memcmp(name.p + name.n - tail, ext.p + 1, tail) != 0)
        return false;
    host = name.n - tail;
    for (i = 0; i < host; i++)
        if (name.p[i] == '.' || name.p[i] == ':')
            return false;
    return true;
}

static bool has_name(const struct vsec_blessings *b, struct vdl_str name)
{
    const struct vsec_chain *c;
    uint32_t i;

    for (i = 0; i < b->nchains; i++) {
        c = &b->chains[i];
        if (vdl_str_eq(c->name, name))
            return true;
        if (c->name.n >= 2 && memcmp(c->name.p, "*.", 2) == 0
            && c->certs.v[0].extension.n >= 2
            && wildcard_covers(c->certs.v[0].extension, name))
            return true;
    }
    return false;
}

bool vsec_blessings_could_have_names(const struct vsec_blessings *b,
    vdl_str_list names)
{
    uint32_t i;

    for (i = 0; i < names.n; i++)
        if (b == NULL || !has_name(b, names.v[i]))
            return false;
    return true;
}
