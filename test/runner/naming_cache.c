/* BSD-3-Clause; see LICENSE. */
/*
 * The resolution cache of the namespace client (cache_scripts.jsonl), on a
 * clock that the script moves, and small functions beside it
 * (namespace_misc.jsonl).
 */
#include <stdio.h>
#include <stdlib.h>

#include <v23/time.h>

#include "../../libnaming/src/ns_int.h"
#include "naming_int.h"

#define MAX_KEYS 64

struct script {
    struct run_case *c;
    struct vname_cache *cache;
    struct v23_arena arena; /* of one operation */
    int64_t now_ns;
    size_t op;
    struct vdl_str keys[MAX_KEYS];
    size_t nkeys;
};

static bool fail(struct script *s, const char *what)
{
    return run_fail(s->c, "op %zu: %s", s->op, what);
}

static void note_key(void *ud, struct vdl_str key)
{
    struct script *s = ud;

    if (s->nkeys < MAX_KEYS)
        s->keys[s->nkeys] = key;
    s->nkeys++;
}

static bool same_keys(struct script *s, const cJSON *want)
{
    const cJSON *k;
    size_t i;

    if (want == NULL)
        return true;
    s->nkeys = 0;
    vname_cache_keys_(s->cache, note_key, s);
    if (s->nkeys != (size_t)cJSON_GetArraySize(want))
        return fail(s, "another number of keys");
    cJSON_ArrayForEach(k, want)
    {
        for (i = 0; i < s->nkeys; i++)
            if (vdl_str_eq(s->keys[i], run_text(k)))
                break;
        if (i == s->nkeys)
            return run_fail(s->c, "op %zu: no key \"%s\"", s->op,
                k->valuestring);
    }
    return true;
}

static bool remember(struct script *s, const cJSON *op)
{
    v23_naming_mounted_server servers[8] = { 0 };
    v23_naming_mount_entry e = { 0 };
    const cJSON *srv;
    uint32_t n = 0;

    e.name = run_text(get(op, "suffix"));
    e.serves_mount_table = cJSON_IsTrue(get(op, "mt"));
    cJSON_ArrayForEach(srv, get(op, "servers"))
    {
        servers[n].server = run_text(srv);
        servers[n++].deadline.from_now.seconds
            = (int64_t)get(op, "ttl")->valuedouble;
    }
    e.servers.v = servers;
    e.servers.n = n;
    vname_cache_remember_(s->cache, &s->arena, run_text(get(op, "name")), &e,
        s->now_ns);
    return true;
}

static bool lookup(struct script *s, const cJSON *op, const cJSON *expect)
{
    const cJSON *servers = get(expect, "servers"), *srv;
    v23_naming_mount_entry e;
    uint32_t i = 0;
    int rc = vname_cache_lookup_(s->cache, &s->arena,
        run_text(get(op, "name")), s->now_ns, &e);

    if (rc != 0 && rc != V23_ENONAME)
        return fail(s, v23_strerror(rc));
    if ((rc == 0) != cJSON_IsTrue(get(expect, "found")))
        return fail(s, rc == 0 ? "found" : "not found");
    if (rc != 0)
        return true;
    if (!vdl_str_eq(e.name, run_text(get(expect, "name"))))
        return fail(s, "another suffix");
    if (e.serves_mount_table != cJSON_IsTrue(get(expect, "mt")))
        return fail(s, "another kind of server");
    if (e.servers.n != (uint32_t)cJSON_GetArraySize(servers))
        return fail(s, "another number of servers");
    cJSON_ArrayForEach(srv, servers)
        if (!vdl_str_eq(e.servers.v[i++].server, run_text(srv)))
            return fail(s, "another order of servers");
    return true;
}

static bool forget(struct script *s, const cJSON *op)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, get(op, "names"))
        vname_cache_forget_(s->cache, &s->arena, run_text(name));
    return true;
}

static bool fill(struct script *s, const cJSON *op)
{
    v23_naming_mounted_server server = { 0 };
    v23_naming_mount_entry e = { 0 };
    int count = (int)get(op, "count")->valuedouble, i;
    char name[32];

    server.server = vdl_str("s");
    server.deadline.from_now.seconds = 30;
    e.servers.v = &server;
    e.servers.n = 1;
    for (i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%d", i);
        vname_cache_remember_(s->cache, &s->arena, vdl_str(name), &e,
            s->now_ns);
    }
    return true;
}

static bool run_op(struct script *s, const cJSON *op, const cJSON *expect)
{
    const char *kind = get(op, "op")->valuestring;
    struct vdl_str name = run_text(get(op, "name"));

    if (strcmp(kind, "remember") == 0)
        return remember(s, op);
    if (strcmp(kind, "lookup") == 0)
        return lookup(s, op, expect);
    if (strcmp(kind, "forget") == 0)
        return forget(s, op);
    if (strcmp(kind, "fill") == 0)
        return fill(s, op);
    if (strcmp(kind, "flush") == 0)
        return vname_cache_flush_(s->cache, &s->arena, name, s->now_ns)
            == cJSON_IsTrue(get(expect, "flushed"))
            || fail(s, "flushed something or not");
    if (strcmp(kind, "setnotmt") == 0) {
        vname_cache_set_not_mt_(s->cache, name, s->now_ns);
        return true;
    }
    if (strcmp(kind, "isnotmt") == 0)
        return vname_cache_is_not_mt_(s->cache, name, s->now_ns)
            == cJSON_IsTrue(get(expect, "not_mt"))
            || fail(s, "known as no mount table or not");
    if (strcmp(kind, "expire-notmt") == 0) {
        s->now_ns += 61 * V23_NS_PER_SEC;
        return true;
    }
    return strcmp(kind, "size") == 0 || fail(s, "unknown operation");
}

static bool run_ops(struct script *s)
{
    const cJSON *op, *expect, *size;

    cJSON_ArrayForEach(op, get(s->c->json, "ops"))
    {
        expect = get(op, "expect");
        v23_arena_reset(&s->arena);
        if (!run_op(s, op, expect) || !same_keys(s, get(expect, "keys")))
            return false;
        size = get(expect, "size");
        if (size != NULL
            && (size_t)size->valuedouble != vname_cache_size_(s->cache))
            return fail(s, "another number of entries");
        s->op++;
    }
    return true;
}

bool run_naming_cache(struct run_case *c)
{
    struct script *s = calloc(1, sizeof(*s));
    struct tst_alloc t;
    bool ok;

    if (s == NULL)
        return run_fail(c, "out of memory");
    tst_alloc_init(&t);
    s->c = c;
    s->now_ns = 1000 * V23_NS_PER_SEC;
    v23_arena_init(&s->arena, NULL, SIZE_MAX);
    ok = vname_cache_new_(&t.al, VNAME_CACHE_MAX, 1, &s->cache) == 0
        ? run_ops(s)
        : run_fail(c, "out of memory");
    vname_cache_free_(s->cache);
    v23_arena_fini(&s->arena);
    free(s);
    if (ok && t.live != 0)
        return run_fail(c, "%zu blocks leaked", t.live);
    return ok;
}

/* ---- namespace_misc.jsonl ------------------------------------------------ */

static bool backup(struct run_case *c)
{
    const char *prefix = run_str(c, "prefix"), *suffix = run_str(c, "suffix");
    char name[256];
    struct vdl_str left, rest;

    snprintf(name, sizeof(name), "%s%s%s", prefix, suffix[0] != 0 ? "/" : "",
        suffix);
    left = vdl_strn(name, strlen(prefix));
    vname_cache_shorten_(vdl_str(name), &left, &rest);
    if (!vdl_str_is(left, run_str(c, "out_prefix")))
        return run_fail(c, "prefix is \"%.*s\"", (int)left.n, left.p);
    return vdl_str_is(rest, run_str(c, "out_suffix"))
        || run_fail(c, "suffix is \"%.*s\"", (int)rest.n, rest.p);
}

bool run_naming_misc(struct run_case *c)
{
    const char *fn = run_str(c, "fn");
    uint32_t n;

    if (strcmp(fn, "backup") == 0)
        return backup(c);
    if (strcmp(fn, "depth") != 0)
        return run_fail(c, "unknown function %s", fn);
    n = vname_depth_(vdl_str(run_str(c, "in")));
    return n == (uint32_t)get(c->json, "out")->valuedouble
        || run_fail(c, "depth is %u", n);
}
