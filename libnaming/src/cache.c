/* BSD-3-Clause; see LICENSE. */
/*
 * Resolution cache. One block of memory per entry; a chained hash table of
 * fixed size, since the number of entries is bounded.
 */
#include "cache_int.h"

#include <v23/time.h>
#include <vrpc/name.h>

#define FLUSH_DEPTH 32
#define MAX_NEGATIVES 256

struct target {
    struct vdl_str server;
    int64_t expires_ns; /* V23_NEVER = no deadline */
};

struct entry {
    struct entry *next;
    struct vdl_str key;
    struct target *servers;
    uint32_t nservers;
    uint32_t first; /* rotates */
    bool mt;
};

/* Servers found not to be mount tables, with the time until which. */
struct negative {
    struct negative *next;
    int64_t until_ns;
    struct vdl_str server;
};

struct vname_cache {
    const struct v23_alloc *al;
    size_t n, max;
    struct negative *negatives;
    size_t nnegatives;
    uint64_t random;
    size_t nbuckets; /* a power of two */
    struct entry *buckets[];
};

static size_t bucket_of(const struct vname_cache *c, struct vdl_str s)
{
    uint32_t h = 2166136261u, i;

    for (i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 16777619u;
    return (h ^ h >> 15) & (c->nbuckets - 1);
}

int vname_cache_new_(const struct v23_alloc *al, size_t max, uint64_t seed,
    struct vname_cache **out)
{
    struct vname_cache *c;
    size_t n = 4, size;

    while (n < max && n <= SIZE_MAX / 4)
        n *= 2;
    if (v23_mul_size(n, sizeof(c->buckets[0]), &size) != 0
        || v23_add_size(size, sizeof(*c), &size) != 0)
        return V23_ENOMEM;
    c = v23_get0(al, 1, size);
    if (c == NULL)
        return V23_ENOMEM;
    c->al = al;
    c->max = max;
    c->nbuckets = n;
    c->random = seed | 1;
    *out = c;
    return 0;
}

static struct entry **find(struct vname_cache *c, struct vdl_str key)
{
    struct entry **p = &c->buckets[bucket_of(c, key)];

    while (*p != NULL && !vdl_str_eq((*p)->key, key))
        p = &(*p)->next;
    return p;
}

static void drop(struct vname_cache *c, struct entry **p)
{
    struct entry *e = *p;

    *p = e->next;
    c->n--;
    v23_put(c->al, e);
}

void vname_cache_free_(struct vname_cache *c)
{
    struct negative *neg;
    size_t i;

    if (c == NULL)
        return;
    for (i = 0; i < c->nbuckets; i++)
        while (c->buckets[i] != NULL)
            drop(c, &c->buckets[i]);
    while ((neg = c->negatives) != NULL) {
        c->negatives = neg->next;
        v23_put(c->al, neg);
    }
    v23_put(c->al, c);
}

size_t vname_cache_size_(const struct vname_cache *c)
{
    return c->n;
}

void vname_cache_keys_(const struct vname_cache *c,
    void (*fn)(void *ud, struct vdl_str key), void *ud)
{
    const struct entry *e;
    size_t i;

    for (i = 0; i < c->nbuckets; i++)
        for (e = c->buckets[i]; e != NULL; e = e->next)
            fn(ud, e->key);
}

static bool is_stale(const struct entry *e, int64_t now_ns)
{
    uint32_t i;

    for (i = 0; i < e->nservers; i++)
        if (now_ns > e->servers[i].expires_ns)
            return true;
    return false;
}

/* Expired entries first, then any, until there are few enough. */
static void clean(struct vname_cache *c, int64_t now_ns)
{
    size_t keep = c->max / 4 * 3, i;
    struct entry **p;

    for (i = 0; i < c->nbuckets; i++)
        for (p = &c->buckets[i]; *p != NULL;) {
            if (c->n < keep)
                return;
            if (is_stale(*p, now_ns))
                drop(c, p);
            else
                p = &(*p)->next;
        }
    while (c->n >= keep) {
        c->random = c->random * UINT64_C(6364136223846793005) + 1;
        p = &c->buckets[(c->random >> 33) & (c->nbuckets - 1)];
        if (*p != NULL)
            drop(c, p);
    }
}

/* One block: entry, targets, texts. */
static struct entry *entry_new(struct vname_cache *c, struct vdl_str key,
    const v23_naming_mount_entry *m, int64_t now_ns)
{
    size_t size = sizeof(struct entry) + m->servers.n * sizeof(struct target)
        + key.n;
    struct entry *e;
    uint32_t i;
    char *text;

    for (i = 0; i < m->servers.n; i++)
        size += m->servers.v[i].server.n;
    e = v23_get0(c->al, 1, size);
    if (e == NULL)
        return NULL;
    e->servers = (struct target *)(void *)(e + 1);
    e->nservers = m->servers.n;
    e->mt = m->serves_mount_table;
    text = (char *)(e->servers + e->nservers);
    if (key.n != 0)
        memcpy(text, key.p, key.n);
    e->key = vdl_strn(text, key.n);
    text += key.n;
    for (i = 0; i < e->nservers; i++) {
        const v23_naming_mounted_server *s = &m->servers.v[i];
        v23_time_duration left = s->deadline.from_now;

        if (s->server.n != 0)
            memcpy(text, s->server.p, s->server.n);
        e->servers[i].server = vdl_strn(text, s->server.n);
        text += s->server.n;
        e->servers[i].expires_ns = V23_NEVER;
        if ((left.seconds != 0 || left.nanos != 0)
            && left.seconds < INT64_C(4000000000))
            e->servers[i].expires_ns = left.seconds < 0 || left.nanos < 0
                ? now_ns - 1
                : now_ns + left.seconds * V23_NS_PER_SEC + left.nanos;
    }
    return e;
}

void vname_cache_remember_(struct vname_cache *c, struct v23_arena *scratch,
    struct vdl_str name, const v23_naming_mount_entry *m, int64_t now_ns)
{
    struct vdl_str key, rest;
    struct entry *e, **p;

    if (vrpc_name_clean(scratch, m->name, &rest) != 0
        || vrpc_name_trim_suffix(scratch, name, rest, &key) != 0)
        return;
    p = find(c, key);
    if (*p != NULL) {
        drop(c, p);
    } else if (c->n >= c->max) {
        clean(c, now_ns);
    }
    e = entry_new(c, key, m, now_ns);
    if (e == NULL)
        return;
    p = &c->buckets[bucket_of(c, key)];
    e->next = *p;
    *p = e;
    c->n++;
}

static int give(struct entry *e, struct v23_arena *a, struct vdl_str rest,
    int64_t now_ns, v23_naming_mount_entry *out)
{
    v23_naming_mounted_server *v = v23_arena_get0(a, e->nservers, sizeof(*v),
        _Alignof(v23_naming_mounted_server));
    uint32_t i;

    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < e->nservers; i++) {
        const struct target *t = &e->servers[(e->first + i) % e->nservers];

        v[i].server = t->server;
        v[i].server.p = v23_arena_dup(a, t->server.p, t->server.n);
        if (v[i].server.p == NULL)
            return V23_ENOMEM;
        if (t->expires_ns == V23_NEVER)
            continue;
        v[i].deadline.from_now.seconds
            = (t->expires_ns - now_ns) / V23_NS_PER_SEC;
        v[i].deadline.from_now.nanos
            = (int32_t)((t->expires_ns - now_ns) % V23_NS_PER_SEC);
    }
    memset(out, 0, sizeof(*out));
    out->name = rest;
    out->servers.v = v;
    out->servers.n = e->nservers;
    out->serves_mount_table = e->mt;
    if (e->nservers > 1)
        e->first = (e->first + 1) % e->nservers;
    return 0;
}

void vname_cache_shorten_(struct vdl_str name, struct vdl_str *prefix,
    struct vdl_str *rest)
{
    uint32_t i = prefix->n;

    while (i > 0 && prefix->p[i - 1] != '/')
        i--;
    /* The slash goes too; a first element leaves nothing, nor does "/a". */
    prefix->n = i < 2 ? 0 : i - 1;
    *rest = prefix->n == 0 ? name
                           : vdl_strn(name.p + i, (size_t)name.n - i);
}

int vname_cache_lookup_(struct vname_cache *c, struct v23_arena *a,
    struct vdl_str name, int64_t now_ns, v23_naming_mount_entry *out)
{
    struct vdl_str prefix, rest = { NULL, 0 };
    struct entry *e;
    int rc = vrpc_name_clean(a, name, &name);

    if (rc != 0)
        return rc;
    for (prefix = name; prefix.n != 0;
         vname_cache_shorten_(name, &prefix, &rest)) {
        e = *find(c, prefix);
        if (e != NULL)
            return is_stale(e, now_ns) ? V23_ENONAME
                                       : give(e, a, rest, now_ns, out);
    }
    return V23_ENONAME;
}

void vname_cache_forget_(struct vname_cache *c, struct v23_arena *scratch,
    struct vdl_str name)
{
    struct entry **p;
    size_t i;

    if (vrpc_name_clean(scratch, name, &name) != 0)
        return;
    for (i = 0; i < c->nbuckets; i++)
        for (p = &c->buckets[i]; *p != NULL;) {
            struct vdl_str key = (*p)->key;

            if (key.n >= name.n
                && (name.n == 0 || memcmp(key.p, name.p, name.n) == 0))
                drop(c, p);
            else
                p = &(*p)->next;
        }
}

static bool flush(struct vname_cache *c, struct v23_arena *scratch,
    struct vdl_str name, int64_t now_ns, int depth)
{
    v23_naming_mount_entry e;
    struct vdl_str key;
    uint32_t i;

    if (depth > FLUSH_DEPTH
        || vname_cache_lookup_(c, scratch, name, now_ns, &e) != 0)
        return false;
    for (i = 0; i < e.servers.n; i++) {
        struct vdl_str next;

        if (vrpc_name_join2(scratch, e.servers.v[i].server, e.name, &next)
                == 0
            && flush(c, scratch, next, now_ns, depth + 1))
            return true;
    }
    if (vrpc_name_trim_suffix(scratch, name, e.name, &key) != 0)
        return false;
    vname_cache_forget_(c, scratch, key);
    return true;
}

bool vname_cache_flush_(struct vname_cache *c, struct v23_arena *scratch,
    struct vdl_str name, int64_t now_ns)
{
    return flush(c, scratch, name, now_ns, 0);
}

/* ---- servers that are no mount tables ------------------------------------ */

/* An endpoint says itself whether it is a mount table. */
static bool is_endpoint(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i + 1 < s.n; i++)
        if (s.p[i] == '@' && s.p[i + 1] == '@')
            return true;
    return false;
}

static struct negative **find_negative(struct vname_cache *c,
    struct vdl_str server, int64_t now_ns)
{
    struct negative **p = &c->negatives, *neg;

    while ((neg = *p) != NULL) {
        if (now_ns > neg->until_ns) {
            *p = neg->next;
            c->nnegatives--;
            v23_put(c->al, neg);
        } else if (vdl_str_eq(neg->server, server)) {
            break;
        } else {
            p = &neg->next;
        }
    }
    return p;
}

void vname_cache_set_not_mt_(struct vname_cache *c, struct vdl_str server,
    int64_t now_ns)
{
    struct negative **p, *neg;
    char *text;

    if (is_endpoint(server))
        return;
    p = find_negative(c, server, now_ns);
    if (*p != NULL) {
        (*p)->until_ns = now_ns + VNAME_NOT_MT_NS;
        return;
    }
    if (c->nnegatives >= MAX_NEGATIVES)
        return; /* it only saves a question */
    neg = v23_get(c->al, sizeof(*neg) + server.n);
    if (neg == NULL)
        return;
    text = (char *)(neg + 1);
    if (server.n != 0)
        memcpy(text, server.p, server.n);
    neg->server = vdl_strn(text, server.n);
    neg->until_ns = now_ns + VNAME_NOT_MT_NS;
    neg->next = NULL;
    *p = neg;
    c->nnegatives++;
}

bool vname_cache_is_not_mt_(struct vname_cache *c, struct vdl_str server,
    int64_t now_ns)
{
    return !is_endpoint(server)
        && *find_negative(c, server, now_ns) != NULL;
}
