/* BSD-3-Clause; see LICENSE. */
/*
 * The kinds of servers are those of test/vectors/README.md. Every server has a
 * key of its own and a name it gave itself; everybody recognises everybody.
 */
#include <stdlib.h>

#define WORLD_WITHOUT_CHECK
#define WORLD_NODES 24
#include "../../librpc/test/world.h"

#include <vname/mount_service.h>
#include <vsec/authorizer.h>

#include "naming_world.h"

#define MAX_SERVERS 20

struct server {
    const char *id, *kind;
    struct wnode *n;
    struct vsec_blessings *blessings;
    struct vrpc_dispatcher dispatcher;
    struct vname_mount_service service;
    struct vname_table *table;
    int glob_calls;
    char endpoint[300];
};

static struct {
    struct server servers[MAX_SERVERS];
    size_t n;
    struct server client;
    struct vname_ns *ns;
    int warnings;
} S;

static void count_warning(void *ud, enum v23_log_level level,
    const char *text)
{
    (void)ud;
    (void)level;
    (void)text;
    S.warnings++;
}

static const struct v23_log warnings = { count_warning, NULL, V23_LOG_WARN };

/* ---- objects ------------------------------------------------------------- */

static const struct v23_verror *knock(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    struct vdl_str *answer = out;

    (void)vt;
    (void)self;
    (void)call;
    (void)in;
    *answer = vdl_str("Who's there?");
    return NULL;
}

static const struct vrpc_arg answer_arg[] = { { VDL_STR_INIT(""),
    VDL_STR_INIT(""), &vdl_string_desc, 0 } };
static const struct vrpc_method knock_method[] = { {
    .name = VDL_STR_INIT("KnockKnock"),
    .out = answer_arg,
    .nout = 1,
    .out_size = sizeof(struct vdl_str),
    .thunk = knock,
} };
static const struct vrpc_iface knock_iface
    = { .methods = knock_method, .nmethods = 1 };

/* Send a child if the pattern wants it. */
static int child(struct vrpc_glob_call *g, const struct vrpc_glob *pattern,
    const char *name)
{
    return vrpc_glob_match(pattern, vdl_str(name))
        ? vrpc_glob_send_child(g, vdl_str(name))
        : 0;
}

static int tree_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    struct vdl_str suffix = vrpc_glob_suffix(g);

    (void)self;
    if (suffix.n == 0)
        return child(g, pattern, "level1");
    return vdl_str_is(suffix, "level1") ? child(g, pattern, "level2") : 0;
}

static int deep_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    (void)self;
    return child(g, pattern, "x");
}

static int err_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    static const char *const names[] = { "bad", "nil", "secret", "err",
        "badchild", "errchild", "leaf", "ok" };
    struct vdl_str suffix = vrpc_glob_suffix(g);
    struct v23_arena *a
        = vrpc_server_call_arena(vrpc_glob_server_call(g));
    size_t i;
    int rc = 0;

    (void)self;
    if (vdl_str_is(suffix, "err"))
        return V23_ESTATE;
    if (vdl_str_is(suffix, "badchild"))
        return vrpc_glob_send_child(g, vdl_str("a/b"));
    if (vdl_str_is(suffix, "errchild"))
        return vrpc_glob_send_error(g, vdl_str("kid"),
            vrpc_err_make(a, NULL, VRPC_ERR_BAD_STATE, "bad state"));
    for (i = 0; suffix.n == 0 && rc == 0 && i < 8; i++)
        rc = child(g, pattern, names[i]);
    return rc;
}

static int count_globs(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    struct server *s = self;

    (void)g;
    (void)pattern;
    s->glob_calls++;
    return 0;
}

/* ---- __debug of "mtdebug" ------------------------------------------------ */

static const char *const debug_names[] = { "__debug", "__debug/http",
    "__debug/logs", "__debug/pprof", "__debug/stats",
    "__debug/stats/nsgen-root",
    "__debug/stats/nsgen-root/num-mounted-servers",
    "__debug/stats/nsgen-root/num-nodes",
    "__debug/stats/nsgen-root/num-nodes-per-user",
    "__debug/stats/nsgen-root/num-rpcs-per-user", "__debug/vtrace" };
#define NDEBUG_NAMES (sizeof(debug_names) / sizeof(debug_names[0]))

static int debug_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    struct vdl_str at = vrpc_glob_suffix(g);
    size_t i;
    int rc = 0;

    (void)self;
    for (i = 0; i < NDEBUG_NAMES && rc == 0; i++) {
        const char *name = debug_names[i];
        size_t n = at.n == 0 ? 0 : (size_t)at.n + 1;

        if (strlen(name) > n && (n == 0 || (memcmp(name, at.p, n - 1) == 0
                && name[n - 1] == '/')) && strchr(name + n, '/') == NULL)
            rc = child(g, pattern, name + n);
    }
    return rc;
}

static const struct vrpc_globber globbers[] = {
    { tree_children, NULL, NULL, NULL },
    { deep_children, NULL, NULL, NULL },
    { err_children, NULL, NULL, NULL },
    { NULL, count_globs, NULL, NULL },
    { debug_children, NULL, NULL, NULL },
};

static int debug_lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    size_t i;

    (void)ud;
    (void)op;
    (void)a;
    (void)err;
    *auth = &vsec_auth_everyone;
    for (i = 0; i < NDEBUG_NAMES; i++)
        if (suffix.n == 0 || vdl_str_is(suffix, debug_names[i])) {
            obj->iface = &knock_iface;
            if (!vdl_str_is(suffix, "__debug/pprof")
                && !vdl_str_is(suffix, "__debug/vtrace"))
                obj->glob = &globbers[4];
            return 0;
        }
    return V23_ENOENT;
}

static const struct vrpc_dispatcher debug_dispatcher
    = { debug_lookup, NULL, NULL, NULL };

static int refuse(void *ud, const struct vsec_call *call, struct v23_arena *a,
    const struct vsec_auth_wait *wait, const struct v23_verror **err)
{
    (void)ud;
    (void)call;
    (void)a;
    (void)wait;
    (void)err;
    return V23_EDENIED;
}

static const struct vsec_authorizer nobody = { refuse, NULL, NULL };

static int lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    struct server *s = ud;
    bool errors = strcmp(s->kind, "err") == 0;

    (void)op;
    (void)a;
    (void)err;
    *auth = &vsec_auth_everyone;
    if (errors && vdl_str_is(suffix, "bad"))
        return V23_ESTATE;
    if (errors && vdl_str_is(suffix, "nil"))
        return 0;
    obj->iface = &knock_iface;
    obj->self = s;
    if (strcmp(s->kind, "tree") == 0)
        obj->glob = &globbers[0];
    else if (strcmp(s->kind, "deep") == 0)
        obj->glob = &globbers[1];
    else if (strcmp(s->kind, "globber") == 0)
        obj->glob = &globbers[3];
    else if (!vdl_str_is(suffix, "leaf"))
        obj->glob = &globbers[2];
    if (errors && vdl_str_is(suffix, "secret"))
        *auth = &nobody;
    return 0;
}

/* ---- nodes --------------------------------------------------------------- */

static int make_node(struct server *s, const char *blessing, uint64_t rid)
{
    struct wnode *n = s->n = world_node_new(&W, s->id);
    int rc = seeded_person(W.engine, blessing, &n->principal, &s->blessings);

    if (rc == 0)
        rc = vsec_principal_set_default_blessings(n->principal,
            s->blessings);
    W.log = &warnings;
    return rc == 0 ? world_node_begin(n, rid) : rc;
}

static void set_endpoint(struct server *s, bool mount_table,
    const char *blessing)
{
    struct vdl_str name = vdl_str(blessing);
    struct vrpc_endpoint ep;
    struct v23_buf b;

    memset(&ep, 0, sizeof(ep));
    ep.protocol = vdl_str("tcp");
    ep.address = vdl_str(s->n->address);
    ep.rid = *vrpc_manager_rid(s->n->m);
    ep.mount_table = mount_table;
    ep.blessings.v = &name;
    ep.blessings.n = 1;
    v23_buf_init_fixed(&b, s->endpoint, sizeof(s->endpoint) - 1);
    vrpc_endpoint_format(&ep, &b);
    s->endpoint[b.n] = 0;
}

static int make_server(struct server *s, const char *blessing, uint64_t rid)
{
    struct vname_table_config tcfg;
    struct vrpc_server_config cfg;
    bool mt = strncmp(s->kind, "mt", 2) == 0;
    int rc = make_node(s, blessing, rid);

    memset(&tcfg, 0, sizeof(tcfg));
    memset(&cfg, 0, sizeof(cfg));
    tcfg.al = &W.t.al;
    cfg.component = vdl_str(s->id);
    cfg.mount_table = mt;
    s->dispatcher.lookup = lookup;
    s->dispatcher.ud = s;
    cfg.dispatcher = &s->dispatcher;
    if (rc == 0 && mt) {
        rc = vname_table_new(&tcfg, &s->table);
        if (rc == 0) {
            vname_mount_service_init(&s->service, s->table);
            cfg.dispatcher = &s->service.dispatcher;
        }
        if (strcmp(s->kind, "mtdebug") == 0)
            cfg.reserved = &debug_dispatcher;
    } else if (strcmp(s->kind, "leaf") == 0) {
        cfg.dispatcher = NULL;
        cfg.object.iface = &knock_iface;
        cfg.authorizer = &vsec_auth_everyone;
    }
    if (rc == 0)
        rc = vrpc_server_new(s->n->m, &cfg, &s->n->s);
    if (rc == 0)
        set_endpoint(s, mt, blessing);
    return rc;
}

/* Everybody recognises everybody. */
static int introduce(void)
{
    size_t i, k;
    int rc = 0;

    for (i = 0; i < S.n && rc == 0; i++) {
        rc = vsec_principal_add_to_roots(S.client.n->principal,
            S.servers[i].blessings);
        if (rc == 0)
            rc = vsec_principal_add_to_roots(S.servers[i].n->principal,
                S.client.blessings);
        for (k = 0; k < S.n && rc == 0; k++)
            rc = vsec_principal_add_to_roots(S.servers[i].n->principal,
                S.servers[k].blessings);
    }
    return rc;
}

static const char *member(const cJSON *o, const char *name, const char *other)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(v) ? v->valuestring : other;
}

bool world_start(struct run_case *c, struct vname_ns **ns)
{
    struct vname_ns_config cfg;
    const cJSON *o;
    int rc;

    memset(&W, 0, sizeof(W));
    memset(&S, 0, sizeof(S));
    tst_alloc_init(&W.t);
    rc = world_init(&W);
    cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(c->json,
                              "servers"))
    {
        struct server *s = &S.servers[S.n];

        if (rc != 0 || S.n == MAX_SERVERS)
            return run_fail(c, "cannot start: %s", v23_strerror(rc));
        S.n++;
        s->id = member(o, "id", "?");
        s->kind = member(o, "kind", "?");
        rc = make_server(s, member(o, "blessing", "sc"), 5000 + S.n);
    }
    S.client.id = "client";
    if (rc == 0)
        rc = make_node(&S.client, member(c->json, "client_blessing", "c"), 0);
    if (rc == 0)
        rc = introduce();
    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &W.t.al;
    if (rc == 0) {
        cfg.client = S.client.n->c;
        cfg.component = vdl_str("client");
        cfg.no_cache = !cJSON_IsTrue(
            cJSON_GetObjectItemCaseSensitive(c->json, "cache"));
        rc = vname_ns_new(&cfg, &S.ns);
    }
    *ns = S.ns;
    return rc == 0 || run_fail(c, "cannot start: %s", v23_strerror(rc));
}

bool world_stop(void)
{
    size_t i;

    vname_ns_free(S.ns);
    world_fini(&W);
    for (i = 0; i < S.n; i++) {
        vsec_blessings_unref(S.servers[i].blessings);
        vname_table_free(S.servers[i].table);
    }
    vsec_blessings_unref(S.client.blessings);
    return W.t.live == 0;
}

bool world_wait(const int *done)
{
    return world_until(&W, done, 600 * V23_NS_PER_SEC);
}

void world_pass(int64_t ns)
{
    const int64_t until = W.now.mono_ns + ns;
    const int never = 0;

    (void)world_until(&W, &never, ns);
    world_set_time(&W, until);
    world_settle(&W);
}

int64_t world_time(void)
{
    return W.now.mono_ns;
}

int world_warnings(void)
{
    return S.warnings;
}

struct vrpc_client *world_client(void)
{
    return S.client.n->c;
}

static struct server *find(const char *id, size_t n)
{
    size_t i;

    for (i = 0; i < S.n; i++)
        if (strlen(S.servers[i].id) == n
            && memcmp(S.servers[i].id, id, n) == 0)
            return &S.servers[i];
    return NULL;
}

int world_glob_calls(const char *id)
{
    struct server *s = find(id, strlen(id));
    int n = s == NULL ? -1 : s->glob_calls;

    if (s != NULL)
        s->glob_calls = 0;
    return n;
}

char *world_expand(const char *text)
{
    struct v23_buf b;
    struct server *s;
    const char *end;
    size_t n;
    char *out;

    v23_buf_init(&b, NULL, SIZE_MAX);
    for (; *text != 0; text++) {
        end = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;
        n = end == NULL ? 0 : strcspn(text + 2, ":}");
        s = end == NULL ? NULL : find(text + 2, n);
        if (s == NULL) {
            v23_buf_put_byte(&b, (uint8_t)*text);
            continue;
        }
        if (strncmp(text + 2 + n, ":addr", 5) == 0)
            v23_buf_puts(&b, s->n->address);
        else if (strncmp(text + 2 + n, ":rid", 4) == 0)
            v23_hex_put(&b, vrpc_manager_rid(s->n->m)->b, 16);
        else
            v23_buf_puts(&b, s->endpoint);
        text = end;
    }
    out = strdup(v23_buf_cstr(&b));
    v23_buf_fini(&b);
    return out;
}
