/* BSD-3-Clause; see LICENSE. */
/*
 * What has been verified before. It only ever holds what was verified, so an
 * entry that is pushed out costs a verification and nothing else.
 *
 * Digests of chains: a set of SHA-256(digest), four ways per bucket. A key of
 * all zero octets marks a free place: nobody finds a digest with that hash.
 *
 * Whole blessings: the same octets again give the same object, without a
 * digest being made. An object is found by the content of its certificates
 * (what a decoder hands over), or by the VOM value that it came from; either
 * is compared in full, the hash only finds the place.
 */
#include "blessings_int.h"

enum {
    KEY = 32,
    WAYS = 4,
    DEFAULT_MAX = 1024,
    MOST = 1 << 20,
    PER_OBJECT = 8,      /* digests held for each object held */
    OBJECT_MAX = 8 << 10 /* octets of a VOM value; larger ones are not held */
};

struct bucket {
    uint8_t keys[WAYS][KEY];
};

struct object {
    uint64_t hash;
    struct vsec_blessings *b; /* a reference; NULL: free */
    uint8_t *vom;             /* NULL: found by content */
    size_t n;
};

struct vsec_chain_cache {
    const struct vsec_chain_cache_ops_ *ops;
    struct vsec_engine *engine;
    struct bucket *buckets;
    struct object *objects; /* WAYS for each of object_mask + 1 sets */
    uint64_t seed;
    uint32_t mask, object_mask; /* buckets - 1, sets - 1 */
    uint32_t victim;            /* next way to be pushed out */
};

static const uint8_t free_key[KEY];

/* Largest power of two whose buckets hold at most `max` entries. */
static uint32_t buckets_for(uint32_t max)
{
    uint32_t n = 1;

    while (2 * n * WAYS <= max)
        n *= 2;
    return n;
}

static void drop(struct vsec_chain_cache *c, struct object *o)
{
    vsec_blessings_unref(o->b);
    v23_put(c->engine->al, o->vom);
    memset(o, 0, sizeof(*o));
}

void vsec_chain_cache_free(struct vsec_chain_cache *c)
{
    struct vsec_engine *e;
    uint32_t i;

    if (c == NULL)
        return;
    e = c->engine;
    for (i = 0; c->objects != NULL && i < (c->object_mask + 1) * WAYS; i++)
        drop(c, &c->objects[i]);
    v23_put(e->al, c->objects);
    v23_put(e->al, c->buckets);
    v23_put(e->al, c);
    vsec_engine_unref(e);
}

uint32_t vsec_chain_cache_count(const struct vsec_chain_cache *c)
{
    uint32_t i, j, n = 0;

    for (i = 0; i <= c->mask; i++)
        for (j = 0; j < WAYS; j++)
            n += memcmp(c->buckets[i].keys[j], free_key, KEY) != 0;
    return n;
}

/* ---- digests ------------------------------------------------------------- */

/* Bucket of a digest and its key; NULL without a hash. */
static struct bucket *find(struct vsec_chain_cache *c, struct v23_bytes digest,
    uint8_t key[KEY])
{
    uint32_t i;

    if (digest.n == 0
        || vsec_hash(c->engine->crypto->sha256, digest.p, digest.n, key) != 0)
        return NULL;
    i = (uint32_t)key[0] | (uint32_t)key[1] << 8 | (uint32_t)key[2] << 16;
    return &c->buckets[i & c->mask];
}

static bool holds(const struct bucket *b, const uint8_t key[KEY])
{
    int j;

    for (j = 0; j < WAYS; j++)
        if (memcmp(b->keys[j], key, KEY) == 0)
            return true;
    return false;
}

static bool has(struct vsec_chain_cache *c, struct v23_bytes digest)
{
    uint8_t key[KEY];
    struct bucket *b = find(c, digest, key);

    return b != NULL && holds(b, key);
}

static void add(struct vsec_chain_cache *c, struct v23_bytes digest)
{
    uint8_t key[KEY];
    struct bucket *b = find(c, digest, key);
    uint32_t j;

    if (b == NULL || holds(b, key))
        return;
    for (j = 0; j < WAYS; j++)
        if (memcmp(b->keys[j], free_key, KEY) == 0)
            break;
    if (j == WAYS)
        j = c->victim++ % WAYS;
    memcpy(b->keys[j], key, KEY);
}

/* ---- objects ------------------------------------------------------------- */

static uint64_t hash_cert(uint64_t h, const v23_security_certificate *c)
{
    const v23_security_signature *s = &c->signature;
    uint32_t i;

    h = v23_hash(h, c->extension.p, c->extension.n);
    h = v23_hash(h, c->public_key.p, c->public_key.n);
    h = v23_hash(h, s->r.p, s->r.n);
    h = v23_hash(h, s->ed25519.p, s->ed25519.n);
    for (i = 0; i < c->caveats.n; i++)
        h = v23_hash(h, c->caveats.v[i].param_vom.p,
            c->caveats.v[i].param_vom.n);
    return h;
}

static uint64_t hash_content(const struct vsec_chain_cache *c,
    const v23_security_wire_blessings *w)
{
    uint64_t h = ~c->seed;
    uint32_t i, j;

    for (i = 0; i < w->certificate_chains.n; i++)
        for (j = 0; j < w->certificate_chains.v[i].n; j++)
            h = hash_cert(h, &w->certificate_chains.v[i].v[j]);
    return h;
}

static bool same_caveats(v23_security_caveat_list a, v23_security_caveat_list b)
{
    uint32_t i;

    if (a.n != b.n)
        return false;
    for (i = 0; i < a.n; i++)
        if (memcmp(a.v[i].id.v, b.v[i].id.v, sizeof(a.v[i].id.v)) != 0
            || !vdl_bytes_eq(a.v[i].param_vom, b.v[i].param_vom))
            return false;
    return true;
}

static bool same_cert(const v23_security_certificate *a,
    const v23_security_certificate *b)
{
    const v23_security_signature *x = &a->signature, *y = &b->signature;

    return vdl_str_eq(a->extension, b->extension)
        && vdl_bytes_eq(a->public_key, b->public_key)
        && same_caveats(a->caveats, b->caveats)
        && vdl_bytes_eq(a->x509_raw, b->x509_raw)
        && vdl_bytes_eq(x->purpose, y->purpose) && vdl_str_eq(x->hash, y->hash)
        && vdl_bytes_eq(x->r, y->r) && vdl_bytes_eq(x->s, y->s)
        && vdl_bytes_eq(x->ed25519, y->ed25519)
        && vdl_bytes_eq(x->rsa, y->rsa);
}

static bool same_content(const v23_security_wire_blessings *a,
    const v23_security_wire_blessings *b)
{
    uint32_t i, j;

    if (a->certificate_chains.n != b->certificate_chains.n)
        return false;
    for (i = 0; i < a->certificate_chains.n; i++) {
        v23_security_certificate_list x = a->certificate_chains.v[i];
        v23_security_certificate_list y = b->certificate_chains.v[i];

        if (x.n != y.n)
            return false;
        for (j = 0; j < x.n; j++)
            if (!same_cert(&x.v[j], &y.v[j]))
                return false;
    }
    return true;
}

/* WAYS objects that may have this hash. */
static struct object *set_of(struct vsec_chain_cache *c, uint64_t hash)
{
    return &c->objects[((uint32_t)hash & c->object_mask) * WAYS];
}

static struct vsec_blessings *content(struct vsec_chain_cache *c,
    const v23_security_wire_blessings *w)
{
    uint64_t hash = hash_content(c, w);
    struct object *o = set_of(c, hash);
    int i;

    for (i = 0; i < WAYS; i++)
        if (o[i].b != NULL && o[i].vom == NULL && o[i].hash == hash
            && same_content(&o[i].b->wire, w))
            return vsec_blessings_ref(o[i].b);
    return NULL;
}

static struct vsec_blessings *vom_value(struct vsec_chain_cache *c,
    struct v23_bytes vom)
{
    struct object *o;
    uint64_t hash;
    int i;

    if (vom.n == 0 || vom.n > OBJECT_MAX)
        return NULL;
    hash = v23_hash(c->seed, vom.p, vom.n);
    o = set_of(c, hash);
    for (i = 0; i < WAYS; i++)
        if (o[i].vom != NULL && o[i].hash == hash && o[i].n == vom.n
            && memcmp(o[i].vom, vom.p, vom.n) == 0)
            return vsec_blessings_ref(o[i].b);
    return NULL;
}

static struct object *make_place(struct vsec_chain_cache *c, uint64_t hash)
{
    struct object *o = set_of(c, hash);
    uint32_t i;

    for (i = 0; i < WAYS; i++)
        if (o[i].b == NULL)
            break;
    if (i == WAYS)
        i = c->victim++ % WAYS;
    drop(c, &o[i]);
    o[i].hash = hash;
    return &o[i];
}

static void keep(struct vsec_chain_cache *c,
    struct vsec_blessings *b)
{
    if (b->arena.used > OBJECT_MAX)
        return;
    make_place(c, hash_content(c, &b->wire))->b = vsec_blessings_ref(b);
}

static void keep_vom(struct vsec_chain_cache *c,
    struct v23_bytes vom, struct vsec_blessings *b)
{
    struct object *o;
    uint8_t *copy;

    if (b == NULL || vom.n > OBJECT_MAX)
        return;
    copy = v23_get(c->engine->al, vom.n);
    if (copy == NULL)
        return;
    memcpy(copy, vom.p, vom.n);
    o = make_place(c, v23_hash(c->seed, vom.p, vom.n));
    o->b = vsec_blessings_ref(b);
    o->vom = copy;
    o->n = vom.n;
}

/* ---- the cache ----------------------------------------------------------- */

static const struct vsec_chain_cache_ops_ ops = { has, add, content, vom_value,
    keep, keep_vom };

int vsec_chain_cache_new(struct vsec_engine *e, uint32_t max,
    struct vsec_chain_cache **out)
{
    struct vsec_chain_cache *c;
    uint32_t n, m;
    int rc = V23_ENOMEM;

    if (max == 0)
        max = DEFAULT_MAX;
    if (max > MOST)
        max = MOST;
    n = buckets_for(max);
    m = buckets_for(max / PER_OBJECT);
    c = v23_new(e->al, struct vsec_chain_cache);
    if (c == NULL)
        return V23_ENOMEM;
    c->ops = &ops;
    c->engine = vsec_engine_ref(e);
    c->mask = n - 1;
    c->buckets = v23_get0(e->al, n, sizeof(*c->buckets));
    c->objects = v23_get0(e->al, (size_t)m * WAYS, sizeof(*c->objects));
    if (c->objects != NULL)
        c->object_mask = m - 1;
    if (c->buckets != NULL && c->objects != NULL)
        rc = vsec_random_fill(e, &c->seed, sizeof(c->seed));
    if (rc != 0)
        vsec_chain_cache_free(c);
    else
        *out = c;
    return rc;
}
