/* BSD-3-Clause; see LICENSE. */
/*
 * Cases in which HEAD misbehaves or surprises (quirks.jsonl). What is required
 * is written for people there, so each case is looked up by its id here: as a
 * script of operations like those of the other files, a function, or a part of
 * quirks.sh, which starts programs.
 */
#define _GNU_SOURCE 1 /* popen */
#include <stdio.h>
#include <stdlib.h>

#include <sys/wait.h>

#include <v23/time.h>
#include <vname/mounttable.h>
#include <vname/publisher.h>
#include <vrpc/endpoint.h>
#include <vrpc/glob.h>

#include "naming_int.h"
#include "naming_world.h"

/* ---- scripts ------------------------------------------------------------- */

#define OK "\"expect\":{\"err\":\"\"}"
#define OP(as, op, name) \
    "{\"as\":\"" as "\",\"op\":\"" op "\",\"name\":\"" name "\","
#define PERMS(who) \
    "{\"Admin\":{\"In\":[\"" who "\"],\"NotIn\":null}}"
#define SET(as, name, who) \
    OP(as, "setperms", name) \
    "\"perms\":" PERMS(who) ",\"version\":\"\"," OK "}"
#define GET(name, version) \
    OP("root", "getperms", name) "\"expect\":{\"err\":\"\",\"perms\":" \
    PERMS("root") ",\"version\":\"" version "\"}}"
#define TABLE(persist, ops) \
    "{\"acls\":null,\"persist\":" persist ",\"ops\":[" ops "]}"
#define RESTART "{\"op\":\"restart\"}"
#define MOUNT(name, flags, ttl, expect) \
    OP("root", "mount", name) "\"server\":\"/h:1\",\"flags\":\"" flags \
    "\",\"ttl\":" ttl "," expect "}"

#define SERVERS(roots, servers, ops) \
    "{\"cache\":false,\"client_blessing\":\"c\",\"servers\":[" servers \
    "],\"ops\":[{\"op\":\"roots\",\"roots\":[" roots "]," OK "}," ops "]}"
#define SERVER(id, kind) \
    "{\"id\":\"" id "\",\"kind\":\"" kind "\",\"blessing\":\"sc\"}"
#define NS_MOUNT(name, server, ttl, flags) \
    "{\"op\":\"mount\",\"name\":\"" name "\",\"server\":\"" server \
    "\",\"ttl\":" ttl ",\"flags\":\"" flags "\"," OK "}"
#define NS_RESOLVE(op, name, expect) \
    "{\"op\":\"" op "\",\"name\":\"" name "\",\"expect\":{" expect "}}"
#define IS(names, mt) \
    "\"err\":\"\",\"leaf\":false,\"mt\":" mt ",\"names\":[" names "]"
#define NO_NAME "\"err\":\"v.io/v23/naming.nameDoesntExist\""

static const struct {
    const char *id;
    bool (*run)(struct run_case *c);
    const char *script;
} scripts[] = {
    { "quirk-unmount-root", run_naming_table,
        TABLE("false",
            OP("root", "unmount", "") "\"server\":\"\"," OK "},"
            "{\"op\":\"stats\",\"expect\":{\"err\":\"\",\"values\":"
            "{\"num-nodes\":1,\"num-mounted-servers\":0}}},"
            OP("root", "glob", "") "\"pattern\":\"...\",\"expect\":"
            "{\"err\":\"\",\"entries\":[]}}") },
    { "quirk-persist-siblings", run_naming_table,
        TABLE("true", SET("root", "x", "root") "," SET("root", "y", "root")
            "," SET("root", "z", "root") "," RESTART "," GET("z", "1") ","
            RESTART "," GET("x", "1") "," GET("y", "1") "," GET("z", "1")) },
    { "quirk-persist-root", run_naming_table,
        TABLE("true", SET("root", "", "root") "," RESTART "," GET("", "1")
            "," OP("alice", "setperms", "a")
            "\"perms\":{},\"version\":\"\",\"expect\":"
            "{\"err\":\"v.io/v23/verror.NoAccess\"}}," RESTART ","
            GET("", "1")) },
    { "quirk-sameness-mount", run_naming_table,
        TABLE("false", MOUNT("a", "M", "10", OK) ","
            "{\"op\":\"advance\",\"seconds\":20},"
            MOUNT("a", "", "10", "\"expect\":{\"err\":"
                "\"v.io/v23/verror.Unknown\",\"msg\":"
                "\"mount table doesn't match\"}") ","
            MOUNT("b", "", "10", OK) ","
            "{\"op\":\"advance\",\"seconds\":20},"
            MOUNT("b", "L", "10", "\"expect\":{\"err\":"
                "\"v.io/v23/verror.Unknown\",\"msg\":"
                "\"leaf doesn't match\"}")) },
    { "quirk-delete-open-parent", run_naming_table,
        TABLE("false", SET("alice", "a", "alice") ","
            OP("bob", "getperms", "a")
            "\"expect\":{\"err\":\"v.io/v23/verror.NoAccess\"}},"
            OP("bob", "delete", "a") "\"subtree\":false," OK "},"
            OP("bob", "resolvestep", "a") "\"expect\":{" NO_NAME "}}") },
    { "quirk-resolve-table", run_naming_ns,
        SERVERS("\"/${root}\"", SERVER("root", "mt") "," SERVER("mt", "mt"),
            NS_MOUNT("mt", "/${mt}", "300", "M") ","
            NS_RESOLVE("resolve", "mt", NO_NAME) ","
            NS_RESOLVE("resolvetomt", "mt", IS("\"/${root}/mt\"", "true")) ","
            NS_RESOLVE("shallow", "mt", IS("\"/${mt}\"", "true"))) },
    { "quirk-mount-subsecond", run_naming_ns,
        SERVERS("\"/${root}\"", SERVER("root", "mt"),
            NS_MOUNT("half", "/h:1", "0.5", "") ","
            NS_MOUNT("ever", "/h:1", "0", "") ","
            "{\"op\":\"advance\",\"seconds\":0.9},"
            NS_RESOLVE("resolve", "half", IS("\"/h:1\"", "false")) ","
            "{\"op\":\"advance\",\"seconds\":100},"
            NS_RESOLVE("resolve", "half", NO_NAME) ","
            NS_RESOLVE("resolve", "ever", IS("\"/h:1\"", "false"))) },
    { "quirk-mount-report", run_naming_ns,
        SERVERS("\"/${bad}\",\"/${root}\"",
            SERVER("bad", "leaf") "," SERVER("root", "mt"),
            "{\"op\":\"warnings\",\"expect\":{\"count\":0}},"
            NS_MOUNT("a", "/h:1", "60", "") ","
            "{\"op\":\"warnings\",\"expect\":{\"count\":1}},"
            NS_RESOLVE("resolve", "/${root}/a", IS("\"/h:1\"", "false"))) },
    { "quirk-glob-error-name", run_naming_ns,
        SERVERS("\"/${root}\"",
            SERVER("root", "mt") "," SERVER("mt", "mt") "," SERVER("e", "err"),
            NS_MOUNT("a/mt", "/${mt}", "300", "M") ","
            NS_MOUNT("a/mt/e", "/${e}", "300", "") ","
            "{\"op\":\"glob\",\"pattern\":\"a/mt/e/errchild/*\",\"expect\":"
            "{\"err\":\"\",\"names\":[],\"errors\":[{\"err\":"
            "\"v.io/v23/verror.BadState\",\"name\":\"a/mt/e/errchild/kid\"}"
            "]}}") },
};

static bool run_script(struct run_case *c, size_t i)
{
    struct run_case inner = *c;
    cJSON *json = cJSON_Parse(scripts[i].script);
    bool ok;

    if (json == NULL)
        return run_fail(c, "the script is not JSON");
    inner.json = json;
    inner.why[0] = 0;
    ok = scripts[i].run(&inner) && inner.why[0] == 0;
    cJSON_Delete(json);
    return ok || run_fail(c, "%s", inner.why);
}

/* ---- functions ----------------------------------------------------------- */

static bool bad_key(struct run_case *c, struct v23_arena *a)
{
    struct vname_table_config cfg = { 0 };
    struct vname_table *t;
    struct vname_table_stats stats;
    struct v23_buf why;
    bool ok;

    v23_buf_init(&why, a->al, 4096);
    cfg.al = a->al;
    if (vname_table_new(&cfg, &t) != 0)
        return run_fail(c, "out of memory");
    ok = vname_table_load_permissions(t,
             vdl_str("{\"/foo/bar\":{\"Read\":{\"In\":[\"root\"]}}}"), &why)
            == V23_ETEXT
        && strstr(v23_buf_cstr(&why), "/foo/bar") != NULL;
    vname_table_stats(t, &stats);
    if (!ok || stats.nodes != 1)
        run_fail(c, "not refused: %s", v23_buf_cstr(&why));
    vname_table_free(t);
    v23_buf_fini(&why);
    return ok;
}

/* Every beginning of an endpoint, and the values of the one in question. */
static bool truncated(struct run_case *c, struct v23_arena *a)
{
    static const char whole[] = "@6@tcp@h:1@r@000102030405060708090a0b0c0d0e0f"
                                "@m@root@@";
    struct vrpc_endpoint ep, again;
    struct vdl_str text;
    size_t n;

    for (n = 0; n < sizeof(whole); n++) {
        char *cut = v23_arena_dup(a, whole, n);

        if (vrpc_endpoint_parse(a, vdl_strn(cut, n), &ep, NULL) != 0)
            continue;
        if (vrpc_endpoint_text(a, &ep, &text) != 0
            || vrpc_endpoint_parse(a, text, &again, NULL) != 0
            || !vrpc_routing_id_eq(&ep.rid, &again.rid)
            || ep.mount_table != again.mount_table || text.n < 40)
            return run_fail(c, "%.*s is not printed in full", (int)n, whole);
    }
    return (vrpc_endpoint_parse(a, vdl_str("@6@tcp@h:1@r@@@"), &ep, NULL) == 0
               && vrpc_routing_id_is_null(&ep.rid) && !ep.mount_table
               && ep.routes.n == 1)
        || run_fail(c, "other values");
}

static bool reserved_ids(struct run_case *c, struct v23_arena *a)
{
    struct vrpc_routing_id id = vrpc_routing_id_fixed(1023),
                           next = vrpc_routing_id_fixed(1024),
                           null = vrpc_routing_id_fixed(0), high = null;

    (void)a;
    high.b[7] = 1;
    return (vrpc_routing_id_is_reserved(&id)
               && vrpc_routing_id_is_reserved(&null)
               && !vrpc_routing_id_is_reserved(&next)
               && !vrpc_routing_id_is_reserved(&high))
        || run_fail(c, "others are reserved");
}

static bool pattern_clean(struct run_case *c, struct v23_arena *a)
{
    static const char *const pairs[][2] = { { "a/../b", "b" },
        { "a/./b", "a/b" }, { "../a", "../a" } };
    struct v23_buf out;
    struct vrpc_glob g;
    size_t i;
    bool ok = true;

    for (i = 0; ok && i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        v23_buf_init(&out, a->al, 4096);
        ok = vrpc_glob_parse(a, vdl_str(pairs[i][0]), &g) == 0;
        vrpc_glob_format(&g, &out);
        ok = ok && strcmp(v23_buf_cstr(&out), pairs[i][1]) == 0;
        if (!ok)
            run_fail(c, "%s is sent as %s", pairs[i][0], v23_buf_cstr(&out));
        v23_buf_fini(&out);
    }
    return ok;
}

static bool bad_classes(struct run_case *c, struct v23_arena *a)
{
    static const char *const patterns[] = { "[]", "[]a]", "[a-]", "[-a]",
        "[^]" };
    static const char *const segments[] = { "", "a", "-", "]", "[]", "a]",
        "]a]", "b" };
    struct vrpc_glob g;
    size_t i, k;

    for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (vrpc_glob_parse(a, vdl_str(patterns[i]), &g) != 0)
            return run_fail(c, "%s is refused", patterns[i]);
        for (k = 0; k < sizeof(segments) / sizeof(segments[0]); k++)
            if (vrpc_glob_match(&g, vdl_str(segments[k])))
                return run_fail(c, "%s matches %s", patterns[i], segments[k]);
    }
    return true;
}

static void see_mount(void *ud, const struct vname_publish_entry *e)
{
    int64_t *at = ud;

    *at = e->last_mount_ns;
}

/* Let the publisher work for five seconds; when did it mount last? */
static int64_t publish(struct vname_publisher *p)
{
    int64_t at = INT64_MIN;
    int i;

    for (i = 0; i < 50; i++) {
        vname_publisher_tick(p, world_time());
        world_pass(V23_NS_PER_SEC / 10);
    }
    vname_publisher_status(p, world_time(), see_mount, &at);
    return at;
}

static bool readd(struct run_case *c, struct vname_ns *ns)
{
    struct vname_publisher_config cfg = { 0 };
    struct vname_publisher *p;
    int64_t first, removed, second = INT64_MIN;
    struct vdl_str name = vdl_str("a");

    cfg.ns = ns;
    if (vname_publisher_new(&cfg, &p) != 0)
        return run_fail(c, "no publisher");
    if (vname_publisher_add_name(p, name, false, false) != 0
        || vname_publisher_add_server(p,
               vdl_str("@6@tcp@h:1@@00000000000000000000000000000001@s@@@"))
            != 0)
        run_fail(c, "out of memory");
    first = publish(p);
    removed = world_time();
    vname_publisher_remove_name(p, name);
    if (vname_publisher_add_name(p, name, false, false) == 0)
        second = publish(p);
    vname_publisher_free(p);
    return (first != INT64_MIN && second >= removed)
        || run_fail(c, "mounted at %lld, removed at %lld, mounted at %lld",
            (long long)first, (long long)removed, (long long)second);
}

static bool publisher_readd(struct run_case *c, struct v23_arena *a)
{
    struct run_case inner = *c;
    cJSON *json = cJSON_Parse(SERVERS("", SERVER("root", "mt"), "{}"));
    char *root = NULL;
    struct vdl_str name;
    struct vname_ns *ns;
    bool ok;

    (void)a;
    inner.json = json;
    ok = world_start(&inner, &ns);
    if (ok) {
        root = world_expand("/${root}");
        name = vdl_str(root);
        ok = vname_ns_set_roots(ns, &name, 1) == 0 && readd(c, ns);
    }
    free(root);
    ok = world_stop() && ok;
    cJSON_Delete(json);
    return ok || run_fail(c, "memory leaked");
}

static const struct {
    const char *id;
    bool (*run)(struct run_case *c, struct v23_arena *a);
} functions[] = {
    { "quirk-perms-file-bad-key", bad_key },
    { "quirk-endpoint-truncated", truncated },
    { "quirk-routing-id-reserved", reserved_ids },
    { "quirk-glob-pattern-clean", pattern_clean },
    { "quirk-glob-bad-class", bad_classes },
    { "quirk-publisher-readd", publisher_readd },
};

/* ---- programs ------------------------------------------------------------ */

static const char *const programs[] = { "quirk-neighborhood-watch",
    "quirk-neighborhood-goodbye", "quirk-xproxyd-bad-acl",
    "quirk-stats-json-struct", "quirk-logs-prefix" };

enum { CANNOT = 77 }; /* exit code of quirks.sh: not on this machine */

/* What debug stats read -json prints: each entry has a name, and one a
 * structure. */
static bool is_stats(struct run_case *c, const char *text)
{
    cJSON *json = cJSON_Parse(text);
    const cJSON *e;
    bool structure = false, names = cJSON_GetArraySize(json) > 0;

    cJSON_ArrayForEach(e, json)
    {
        names = names && cJSON_IsString(cJSON_GetObjectItem(e, "Name"))
            && cJSON_HasObjectItem(e, "Type");
        structure = structure
            || cJSON_IsObject(cJSON_GetObjectItem(e, "Value"));
    }
    cJSON_Delete(json);
    return (names && structure) || run_fail(c, "not such JSON: %.300s", text);
}

static bool run_program(struct run_case *c, const char *id)
{
    static char out[1 << 20];
    char cmd[8192];
    size_t n;
    FILE *f;
    int status;

    if (run_bin == NULL) {
        c->left = "programs cannot be run here";
        return true;
    }
    snprintf(cmd, sizeof(cmd),
        "BUILD=$(cd '%.3000s/..' && pwd) sh '%.3000s/../../runner/quirks.sh' "
        "%.100s 2>&1",
        run_bin, c->companions, id);
    f = popen(cmd, "r");
    if (f == NULL)
        return run_fail(c, "no shell");
    n = fread(out, 1, sizeof(out) - 1, f);
    out[n] = 0;
    status = pclose(f);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT) {
        c->left = strncmp(out, "skip ", 5) == 0 ? out + 5 : "no reason given";
        out[strcspn(out, "\n")] = 0;
        return true;
    }
    if (status != 0)
        return run_fail(c, "%.400s", out);
    return strcmp(id, "quirk-stats-json-struct") != 0 || is_stats(c, out);
}

bool run_naming_quirk(struct run_case *c)
{
    const char *id = run_str(c, "id");
    size_t i;

    for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
        if (strcmp(id, scripts[i].id) == 0)
            return run_script(c, i);
    for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(id, functions[i].id) == 0)
            return run_with_arena(c, functions[i].run);
    for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        if (strcmp(id, programs[i]) == 0)
            return run_program(c, id);
    return run_fail(c, "nobody knows how to check this");
}
