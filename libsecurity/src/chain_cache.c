/* BSD-3-Clause; see LICENSE. */
/*
 * Cache of the digests of verified chains: a set of SHA-256(digest), four ways
 * per bucket. It only ever holds what was verified, so an entry that is pushed
 * out costs a verification and nothing else. A key of all zero octets marks a
 * free place: nobody finds a digest with that hash.
 */
#include "blessings_int.h"

enum { KEY = 32, WAYS = 4, DEFAULT_MAX = 1024, MOST = 1 << 20 };

struct bucket {
    uint8_t keys[WAYS][KEY];
};

struct vsec_chain_cache {
    struct vsec_engine *engine;
    struct bucket *buckets;
    uint32_t mask;   /* buckets - 1 */
    uint32_t victim; /* next way to be pushed out */
};

static const uint8_t free_key[KEY];

int vsec_chain_cache_new(struct vsec_engine *e, uint32_t max,
    struct vsec_chain_cache **out)
{
    struct vsec_chain_cache *c;
    uint32_t n = 1;

    if (max == 0)
        max = DEFAULT_MAX;
    if (max > MOST)
        max = MOST;
    while (2 * n * WAYS <= max)
        n *= 2;
    c = v23_new(e->al, struct vsec_chain_cache);
    if (c == NULL)
        return V23_ENOMEM;
    c->buckets = v23_get0(e->al, n, sizeof(*c->buckets));
    if (c->buckets == NULL) {
        v23_put(e->al, c);
        return V23_ENOMEM;
    }
    c->engine = vsec_engine_ref(e);
    c->mask = n - 1;
    *out = c;
    return 0;
}

void vsec_chain_cache_free(struct vsec_chain_cache *c)
{
    struct vsec_engine *e;

    if (c == NULL)
        return;
    e = c->engine;
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

/* Bucket of a digest and its key; NULL without a cache or hash. */
static struct bucket *find(struct vsec_chain_cache *c, struct v23_bytes digest,
    uint8_t key[KEY])
{
    uint32_t i;

    if (c == NULL || digest.n == 0
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

bool vsec_chain_cache_has_(struct vsec_chain_cache *c, struct v23_bytes digest)
{
    uint8_t key[KEY];
    struct bucket *b = find(c, digest, key);

    return b != NULL && holds(b, key);
}

void vsec_chain_cache_add_(struct vsec_chain_cache *c, struct v23_bytes digest)
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
