/* BSD-3-Clause; see LICENSE. */
/*
 * Vectors of the family naming/ whose subjects live in librpc: endpoints,
 * object names, glob patterns, routing ids, server order.
 */
#include <stdio.h>
#include <stdlib.h>

#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <vrpc/endpoint.h>
#include <vrpc/glob.h>
#include <vrpc/name.h>

#include "naming_int.h"
#include "runner.h"

#define MAX_LIST 64

static const cJSON *member(const struct run_case *c, const char *name)
{
    return get(c->json, name);
}

static struct vdl_str text(struct run_case *c, const char *name)
{
    run_str(c, name); /* complains when it is missing */
    return run_text(member(c, name));
}

/* Compare with the record's member; NULL member text = "". */
static bool same(struct run_case *c, const char *name, struct vdl_str got)
{
    struct vdl_str want = run_text(member(c, name));

    if (vdl_str_eq(got, want))
        return true;
    return run_fail(c, "%s is \"%.*s\", not \"%.*s\"", name, (int)got.n,
        got.n == 0 ? "" : got.p, (int)want.n, want.n == 0 ? "" : want.p);
}

static bool same_bool(struct run_case *c, const char *name, bool got)
{
    if (got == run_bool(c, name))
        return true;
    return run_fail(c, "%s is %s", name, got ? "true" : "false");
}

static bool same_num(struct run_case *c, const char *name, size_t got)
{
    const cJSON *v = member(c, name);

    if (cJSON_IsNumber(v) && (size_t)v->valuedouble == got)
        return true;
    return run_fail(c, "%s is %zu", name, got);
}

static size_t list_of(const cJSON *v, struct vdl_str *out)
{
    const cJSON *e;
    size_t n = 0;

    cJSON_ArrayForEach(e, v)
    {
        if (n < MAX_LIST && cJSON_IsString(e))
            out[n++] = run_text(e);
    }
    return n;
}

static bool same_list(struct run_case *c, const char *name, vdl_str_list got)
{
    struct vdl_str want[MAX_LIST];
    size_t n = list_of(member(c, name), want), i;

    if (n != got.n)
        return run_fail(c, "%s has %u elements, not %zu", name, got.n, n);
    for (i = 0; i < n; i++)
        if (!vdl_str_eq(want[i], got.v[i]))
            return run_fail(c, "%s[%zu] is \"%.*s\"", name, i,
                (int)got.v[i].n, got.v[i].n == 0 ? "" : got.v[i].p);
    return true;
}

/* ---- endpoints ----------------------------------------------------------- */

static bool same_endpoint(struct run_case *c, struct v23_arena *a,
    const struct vrpc_endpoint *ep)
{
    struct vdl_str s;
    struct v23_buf b;
    char mem[4096];

    if (vrpc_endpoint_text(a, ep, &s) != 0)
        return run_fail(c, "out of memory");
    v23_buf_init_fixed(&b, mem, sizeof(mem));
    vrpc_endpoint_name(ep, &b);
    return same(c, "string", s)
        && same(c, "name", vdl_strn(mem, b.n));
}

static bool parse_case(struct run_case *c, struct v23_arena *a)
{
    struct vrpc_endpoint ep;
    const char *why = "", *want;
    int rc = vrpc_endpoint_parse(a, text(c, "input"), &ep, &why);

    if (rc != 0) {
        if (run_bool(c, "ok"))
            return run_fail(c, "refused: %s", why);
        /* Texts of the reference continue with the offending part. */
        want = run_str(c, "error");
        if (strncmp(want, why, strlen(why)) != 0)
            return run_fail(c, "reason is \"%s\"", why);
        return true;
    }
    if (!run_bool(c, "ok"))
        return run_fail(c, "accepted");
    return same(c, "protocol", ep.protocol) && same(c, "address", ep.address)
        && same_list(c, "routes", ep.routes)
        && same(c, "rid", vdl_str(unhex(ep.rid.b, sizeof(ep.rid.b))))
        && same_bool(c, "mt", ep.mount_table)
        && same_list(c, "blessings", ep.blessings)
        && same_endpoint(c, a, &ep);
}

/* The fields as an endpoint; FormatEndpoint of the reference is plain
 * concatenation (naming.md 2.4) and has no counterpart. */
static bool format_case(struct run_case *c, struct v23_arena *a)
{
    struct vdl_str routes[MAX_LIST], blessings[MAX_LIST];
    struct vrpc_endpoint ep = { 0 };
    const cJSON *rid = member(c, "rid");

    ep.protocol = text(c, "protocol");
    ep.address = text(c, "address");
    ep.routes.v = routes;
    ep.routes.n = (uint32_t)list_of(member(c, "routes"), routes);
    ep.blessings.v = blessings;
    ep.blessings.n = (uint32_t)list_of(member(c, "blessings"), blessings);
    ep.mount_table = cJSON_IsTrue(member(c, "mt"));
    if (cJSON_IsString(rid)
        && vrpc_routing_id_parse(run_text(rid), &ep.rid) != 0)
        return run_fail(c, "routing id refused");
    return same_endpoint(c, a, &ep);
}

static bool rid_case(struct run_case *c, struct v23_arena *a)
{
    struct vrpc_routing_id id;
    const cJSON *fixed = member(c, "fixed");

    (void)a;
    if (cJSON_IsString(fixed)) {
        id = vrpc_routing_id_fixed(strtoull(fixed->valuestring, NULL, 10));
    } else if (vrpc_routing_id_parse(text(c, "input"), &id) != 0) {
        return !run_bool(c, "ok") || run_fail(c, "refused");
    }
    if (!run_bool(c, "ok"))
        return run_fail(c, "accepted");
    return same(c, "rid", vdl_str(unhex(id.b, sizeof(id.b))));
}

/* ---- names --------------------------------------------------------------- */

static bool escape_case(struct run_case *c, const char *fn)
{
    char mem[4096];
    struct v23_buf b;
    struct vdl_str in = text(c, "in");

    v23_buf_init_fixed(&b, mem, sizeof(mem));
    if (strcmp(fn, "escape") == 0) {
        vrpc_escape(in, run_str(c, "special"), &b);
        return same(c, "out", vdl_strn(mem, b.n));
    }
    if (strcmp(fn, "encode_as_name_element") == 0) {
        vrpc_name_encode_element(in, &b);
        return same(c, "out", vdl_strn(mem, b.n));
    }
    if (vrpc_name_decode_element(in, &b) != 0) {
        /* A malformed escape gives the input back. */
        if (run_bool(c, "ok"))
            return run_fail(c, "refused");
        return strcmp(run_str(c, "out_hex"), unhex(in.p, in.n)) == 0
            || run_fail(c, "record expects another text");
    }
    if (!run_bool(c, "ok"))
        return run_fail(c, "accepted");
    return strcmp(run_str(c, "out_hex"), unhex(mem, b.n)) == 0
        || run_fail(c, "decodes to %s", unhex(mem, b.n));
}

static bool user_id_case(struct run_case *c)
{
    struct vdl_str want[MAX_LIST], id;
    size_t n, k, i, len = 0;

    id = vrpc_user_id(text(c, "in"), &n);
    k = list_of(member(c, "out"), want);
    for (i = 0; i < k; i++)
        len += want[i].n + (i != 0);
    if (k != n || len != id.n)
        return run_fail(c, "id is \"%.*s\" (%zu parts)", (int)id.n, id.p, n);
    return true;
}

static bool uniqueid_case(struct run_case *c)
{
    uint8_t mem[64];
    struct v23_buf b;
    struct vdl_str in = text(c, "in");
    bool ok;

    v23_buf_init_fixed(&b, mem, sizeof(mem));
    ok = v23_hex_parse(in.p, in.n, &b) == 0 && b.n == 16;
    if (ok != run_bool(c, "ok"))
        return run_fail(c, ok ? "accepted" : "refused");
    /* The record's text has the "0x" of the uniqueid tool. */
    return !ok
        || strcmp(run_str(c, "out") + 2, unhex(mem, b.n)) == 0
        || run_fail(c, "is %s", unhex(mem, b.n));
}

static bool split_case(struct run_case *c, struct v23_arena *a, bool pattern)
{
    struct vdl_str x, y;
    int rc;

    if (pattern) {
        rc = vrpc_name_split_pattern(a, text(c, "in"), &x, &y);
        return rc == 0 && same(c, "pattern", x) && same(c, "name", y);
    }
    rc = vrpc_name_split(a, text(c, "in"), &x, &y);
    return rc == 0 && same(c, "address", x) && same(c, "name", y);
}

static bool name_case(struct run_case *c, struct v23_arena *a)
{
    const char *fn = run_str(c, "fn");
    struct vdl_str out, list[MAX_LIST];
    int rc;

    if (strcmp(fn, "clean") == 0)
        rc = vrpc_name_clean(a, text(c, "in"), &out);
    else if (strcmp(fn, "rooted") == 0)
        return same_bool(c, "out", vrpc_name_is_rooted(text(c, "in")));
    else if (strcmp(fn, "split_address_name") == 0)
        return split_case(c, a, false);
    else if (strcmp(fn, "split_pattern_name") == 0)
        return split_case(c, a, true);
    else if (strcmp(fn, "join_address_name") == 0)
        rc = vrpc_name_join_address(a, text(c, "address"), text(c, "name"),
            &out);
    else if (strcmp(fn, "join_pattern_name") == 0)
        rc = vrpc_name_join_pattern(a, text(c, "pattern"), text(c, "name"),
            &out);
    else if (strcmp(fn, "join") == 0)
        rc = vrpc_name_join(a, list, list_of(member(c, "in"), list), &out);
    else if (strcmp(fn, "trim_suffix") == 0)
        rc = vrpc_name_trim_suffix(a, text(c, "name"), text(c, "suffix"),
            &out);
    else if (strcmp(fn, "is_reserved") == 0)
        return same_bool(c, "out", vrpc_name_is_reserved(text(c, "in")))
            && same(c, "stripped", vrpc_name_strip_reserved(text(c, "in")));
    else if (strcmp(fn, "escape") == 0
        || strcmp(fn, "encode_as_name_element") == 0
        || strcmp(fn, "decode_from_name_element") == 0)
        return escape_case(c, fn);
    else if (strcmp(fn, "parse_user_id") == 0)
        return user_id_case(c);
    else if (strcmp(fn, "uniqueid_from_hex") == 0)
        return uniqueid_case(c);
    else
        return run_fail(c, "unknown function %s", fn);
    if (rc != 0)
        return run_fail(c, "%s", v23_strerror(rc));
    return same(c, "out", out);
}

/* ---- globs --------------------------------------------------------------- */

static bool same_pattern(struct run_case *c, const char *name,
    const struct vrpc_glob *g)
{
    char mem[4096];
    struct v23_buf b;

    v23_buf_init_fixed(&b, mem, sizeof(mem));
    vrpc_glob_format(g, &b);
    return same(c, name, vdl_strn(mem, b.n));
}

static bool glob_parse_case(struct run_case *c, struct v23_arena *a)
{
    struct vrpc_glob g, tail, rest;
    struct vdl_str prefix;
    vdl_str_list fixed;
    bool is_fixed;
    int rc = vrpc_glob_parse(a, text(c, "pattern"), &g);

    if (rc != 0)
        return !run_bool(c, "ok") || run_fail(c, "refused");
    if (!run_bool(c, "ok"))
        return run_fail(c, "accepted");
    tail = vrpc_glob_tail(&g);
    if (vrpc_glob_split_fixed(a, &g, &fixed, &rest) != 0
        || vrpc_glob_fixed_prefix(a, &g, &prefix, &is_fixed) != 0)
        return run_fail(c, "out of memory");
    return same_num(c, "len", g.n) && same_bool(c, "recursive", g.recursive)
        && same_bool(c, "restricted", g.restricted)
        && same_bool(c, "empty", vrpc_glob_is_empty(&g))
        && same_pattern(c, "string", &g) && same_pattern(c, "tail", &tail)
        && same_bool(c, "tail_empty", vrpc_glob_is_empty(&tail))
        && same_list(c, "fixed", fixed) && same_pattern(c, "rest", &rest)
        && same_bool(c, "head_is_fixed", is_fixed)
        && same(c, "head_fixed_prefix", prefix);
}

static bool match_all(struct run_case *c, const struct vrpc_glob *g,
    const char *name, bool want)
{
    struct vdl_str seg[MAX_LIST];
    size_t n = list_of(member(c, name), seg), i;

    for (i = 0; i < n; i++)
        if (vrpc_glob_match(g, seg[i]) != want)
            return run_fail(c, "\"%.*s\" %s", (int)seg[i].n, seg[i].p,
                want ? "does not match" : "matches");
    return true;
}

static bool glob_match_case(struct run_case *c, struct v23_arena *a)
{
    struct vrpc_glob g, tail;

    if (vrpc_glob_parse(a, text(c, "pattern"), &g) != 0)
        return run_fail(c, "refused");
    tail = vrpc_glob_tail(&g);
    return match_all(c, &g, "segment_match", true)
        && match_all(c, &g, "segment_nomatch", false)
        && same_pattern(c, "remaining", &tail);
}

static bool glob_path_case(struct run_case *c, struct v23_arena *a)
{
    struct vdl_str path[MAX_LIST];
    struct vrpc_glob g;
    size_t n = list_of(member(c, "path"), path), i;
    bool matched = true;

    if (vrpc_glob_parse(a, text(c, "pattern"), &g) != 0)
        return run_fail(c, "refused");
    for (i = 0; i < n && matched; i++) {
        matched = vrpc_glob_match(&g, path[i]);
        g = vrpc_glob_tail(&g);
    }
    if (!same_bool(c, "prefix_matched", matched) || !matched)
        return c->why[0] == 0;
    return same_bool(c, "complete", g.n == 0)
        && same_bool(c, "can_descend", !vrpc_glob_is_empty(&g))
        && same_pattern(c, "remaining", &g);
}

/* ---- server order -------------------------------------------------------- */

static bool order_case(struct run_case *c, struct v23_arena *a,
    const char *networks, const char *result)
{
    struct vdl_str servers[MAX_LIST], nets[MAX_LIST], protocols[MAX_LIST],
        got[MAX_LIST];
    struct vrpc_network parsed[MAX_LIST];
    struct vrpc_order_opts opts = { { NULL, 0 }, parsed, 0 };
    size_t order[MAX_LIST], norder, i,
        n = list_of(member(c, "servers"), servers);
    vdl_str_list out = { got, 0 };

    opts.nnetworks = list_of(member(c, networks), nets);
    for (i = 0; i < opts.nnetworks; i++)
        if (vrpc_network_parse(nets[i], &parsed[i]) != 0)
            return run_fail(c, "network %zu refused", i);
    opts.protocols.v = protocols;
    opts.protocols.n = (uint32_t)list_of(member(c, "preferred"), protocols);
    if (vrpc_order_servers(a, &opts, servers, n, order, &norder) != 0)
        return run_fail(c, "out of memory");
    for (i = 0; i < norder; i++)
        got[i] = servers[order[i]];
    out.n = (uint32_t)norder;
    if (!run_has(c, result))
        return norder == 0 || run_fail(c, "%zu servers left", norder);
    return same_list(c, result, out);
}

static bool naming_order(struct run_case *c, struct v23_arena *a)
{
    return order_case(c, a, "networks", "out");
}

static bool rpc_order(struct run_case *c, struct v23_arena *a)
{
    return order_case(c, a, "localNets", "ordered");
}

int run_permissions(const cJSON *v, struct v23_arena *a,
    v23_access_permissions *out)
{
    char *s = cJSON_PrintUnformatted(v);
    int rc = vsec_perms_from_json(v23_bytes(s, strlen(s)), a, out, NULL);

    cJSON_free(s);
    return rc;
}

uint32_t run_mount_flags(const cJSON *op)
{
    const cJSON *f = get(op, "flags");
    const char *t = cJSON_IsString(f) ? f->valuestring : "";

    return (strchr(t, 'R') != NULL ? V23_NAMING_REPLACE : 0u)
        | (strchr(t, 'M') != NULL ? V23_NAMING_MT : 0u)
        | (strchr(t, 'L') != NULL ? V23_NAMING_LEAF : 0u);
}

bool run_with_arena(struct run_case *c,
    bool (*fn)(struct run_case *c, struct v23_arena *a))
{
    struct tst_alloc t;
    struct v23_arena a;
    bool ok;

    tst_alloc_init(&t);
    v23_arena_init(&a, &t.al, SIZE_MAX);
    ok = fn(c, &a);
    v23_arena_fini(&a);
    if (ok && t.live != 0)
        return run_fail(c, "%zu blocks leaked", t.live);
    return ok;
}

#define EACH(name, fn) \
    static bool name(struct run_case *c) \
    { \
        return run_with_arena(c, fn); \
    }
EACH(run_parse, parse_case)
EACH(run_format, format_case)
EACH(run_rid, rid_case)
EACH(run_name, name_case)
EACH(run_glob_parse, glob_parse_case)
EACH(run_glob_match, glob_match_case)
EACH(run_glob_path, glob_path_case)
EACH(run_order, naming_order)

bool run_rpc_server_order(struct run_case *c)
{
    return run_with_arena(c, rpc_order);
}

static const struct run_file files[] = {
    { "endpoint_parse.jsonl", run_parse, NULL, NULL, NULL, NULL },
    { "endpoint_format.jsonl", run_format, NULL, NULL, NULL, NULL },
    { "routingid.jsonl", run_rid, NULL, NULL, NULL, NULL },
    { "names.jsonl", run_name, NULL, NULL, NULL, NULL },
    { "glob_parse.jsonl", run_glob_parse, NULL, NULL, NULL, NULL },
    { "glob_match.jsonl", run_glob_match, NULL, NULL, NULL, NULL },
    { "glob_path.jsonl", run_glob_path, NULL, NULL, NULL, NULL },
    { "server_order.jsonl", run_order, NULL, NULL, NULL, NULL },
    { "wire.jsonl", run_naming_wire, NULL, NULL, NULL, NULL },
    { "mounttable_scripts.jsonl", run_naming_table, NULL, NULL, NULL,
        NULL },
    { "namespace_scripts.jsonl", run_naming_ns, NULL, NULL, NULL, NULL },
    { "namespace_misc.jsonl", run_naming_misc, NULL, NULL, NULL, NULL },
    { "cache_scripts.jsonl", run_naming_cache, NULL, NULL, NULL, NULL },
    { "cli.jsonl", NULL, run_naming_cli, NULL, NULL, NULL },
    { "cli_commands.jsonl", NULL, run_naming_commands, NULL, NULL, NULL },
    { "discovery.jsonl", run_naming_discovery, NULL, NULL, NULL, NULL },
    { "discovery_ads.jsonl", run_naming_ads, NULL, NULL, NULL, NULL },
    { "mdns.jsonl", run_naming_mdns, NULL, NULL, NULL, NULL },
    { "quirks.jsonl", run_naming_quirk, NULL, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL, NULL },
};

const struct run_family run_naming = { "naming", files, NULL };
