/* BSD-3-Clause; see LICENSE. */
/*
 * A small name space in memory and virtual time: mount tables, a server of
 * another kind, and a client with a namespace.
 */
#ifndef NS_RIG_H
#define NS_RIG_H

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wunused-function"
#endif

#define WORLD_NODES 10
#include "../../librpc/test/world.h"

#include <stdarg.h>
#include <v23/vdl/v.io/v23/services/permissions/permissions.rpc.h>
#include <vname/mount_service.h>
#include <vname/namespace.h>
#include <vrpc/glob.h>

#define SEC V23_NS_PER_SEC

struct table {
    struct wnode *n;
    struct vname_table *t;
    struct vname_mount_service svc;
    char name[256]; /* rooted */
};

static struct {
    struct table tables[6];
    size_t ntables;
    struct wnode *leaf, *client;
    char leaf_name[256];
    int leaf_calls;
    struct vname_ns *ns;
    /* What the last operation reported. */
    int done;
    char err[512], text[8192];
} N;

static void set_name(const struct wnode *n, bool mount_table, char out[256])
{
    struct v23_buf b;

    v23_buf_init_fixed(&b, out, 255);
    world_endpoint(n, mount_table, &b);
    out[b.n] = 0;
}

/* A node that is a mount table. */
static struct table *add_table(const char *name)
{
    struct table *t = &N.tables[N.ntables++];
    struct vname_table_config tcfg;
    struct vrpc_server_config cfg;

    memset(&tcfg, 0, sizeof(tcfg));
    memset(&cfg, 0, sizeof(cfg));
    tcfg.al = &W.t.al;
    ck_assert_int_eq(world_node(&W, name, 100 + N.ntables, &t->n), 0);
    ck_assert_int_eq(vname_table_new(&tcfg, &t->t), 0);
    vname_mount_service_init(&t->svc, t->t);
    cfg.dispatcher = &t->svc.dispatcher;
    cfg.mount_table = true;
    cfg.component = vdl_str(name);
    ck_assert_int_eq(vrpc_server_new(t->n->m, &cfg, &t->n->s), 0);
    set_name(t->n, true, t->name);
    return t;
}

static const struct v23_verror *leaf_get(void *self,
    struct vrpc_server_call *call,
    v23_permissions_object_get_permissions_out *out)
{
    (void)self;
    N.leaf_calls++;
    out->version = vrpc_server_call_suffix(call);
    return NULL;
}

static const v23_permissions_object_vt leaf_methods
    = { .get_permissions = leaf_get };

/* A node that serves something else. */
static void add_leaf(void)
{
    struct vrpc_server_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.object = v23_permissions_object_object(&leaf_methods, NULL);
    cfg.authorizer = &vsec_auth_everyone;
    cfg.leaf = VRPC_LEAF_NO; /* any suffix */
    cfg.component = vdl_str("leaf");
    ck_assert_int_eq(world_node(&W, "leaf", 200, &N.leaf), 0);
    ck_assert_int_eq(vrpc_server_new(N.leaf->m, &cfg, &N.leaf->s), 0);
    set_name(N.leaf, false, N.leaf_name);
}

static void new_ns(bool no_cache)
{
    struct vname_ns_config cfg;
    struct vdl_str root = vdl_str(N.tables[0].name);

    vname_ns_free(N.ns);
    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &W.t.al;
    cfg.client = N.client->c;
    cfg.roots = &root;
    cfg.nroots = 1;
    cfg.component = vdl_str("tool");
    cfg.no_cache = no_cache;
    ck_assert_int_eq(vname_ns_new(&cfg, &N.ns), 0);
}

/* Tables "root" and "sub", a leaf, a client with a namespace. */
static void ns_setup(void)
{
    world_setup();
    memset(&N, 0, sizeof(N));
    add_table("root");
    add_table("sub");
    add_leaf();
    ck_assert_int_eq(world_node(&W, "client", 0, &N.client), 0);
    new_ns(false);
}

static void ns_teardown(void)
{
    size_t i;

    vname_ns_free(N.ns);
    N.ns = NULL;
    world_fini(&W);
    for (i = 0; i < N.ntables; i++)
        vname_table_free(N.tables[i].t);
    ck_assert_uint_eq(W.t.live, 0);
}

/* ---- operations, waited for ---------------------------------------------- */

static void note_error(const struct v23_verror *err)
{
    N.err[0] = 0;
    if (err != NULL)
        snprintf(N.err, sizeof(N.err), "%.*s: %.*s", (int)err->id.n,
            err->id.p, (int)err->msg.n, err->msg.n == 0 ? "" : err->msg.p);
}

static void on_done(void *ud, const struct v23_verror *err)
{
    (void)ud;
    note_error(err);
    N.done++;
}

static void put(const char *fmt, ...) V23_PRINTF(1, 2);
static void put(const char *fmt, ...)
{
    va_list ap;
    size_t n = strlen(N.text);

    va_start(ap, fmt);
    vsnprintf(N.text + n, sizeof(N.text) - n, fmt, ap);
    va_end(ap);
}

static void on_entry(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e)
{
    struct v23_arena a;
    vdl_str_list names;
    uint32_t i;

    (void)ud;
    note_error(err);
    N.text[0] = 0;
    if (err == NULL) {
        v23_arena_init(&a, NULL, SIZE_MAX);
        ck_assert_int_eq(vname_object_names(&a, e, &names), 0);
        for (i = 0; i < names.n; i++)
            put("%s%.*s", i == 0 ? "" : " ", (int)names.v[i].n,
                names.v[i].p);
        v23_arena_fini(&a);
    }
    N.done++;
}

static void on_perms(void *ud, const struct v23_verror *err,
    const v23_access_permissions *perms, struct vdl_str version)
{
    (void)ud;
    note_error(err);
    N.text[0] = 0;
    if (err == NULL)
        put("%u %.*s", perms->n, (int)version.n,
            version.n == 0 ? "" : version.p);
    N.done++;
}

/* Id of the error, "" for none; the text is in N.err. */
static const char *finish(int rc)
{
    static char id[256];

    ck_assert_int_eq(rc, 0);
    ck_assert(world_until(&W, &N.done, 200 * SEC));
    ck_assert_int_eq(N.done, 1);
    N.done = 0;
    snprintf(id, sizeof(id), "%.*s", (int)strcspn(N.err, ":"), N.err);
    return id;
}

static const char *resolve(const char *name)
{
    return finish(
        vname_resolve(N.ns, vdl_str(name), NULL, on_entry, NULL, NULL));
}

static const char *to_table(const char *name)
{
    return finish(vname_resolve_to_mount_table(N.ns, vdl_str(name), NULL,
        on_entry, NULL, NULL));
}

static const char *shallow(const char *name)
{
    return finish(vname_shallow_resolve(N.ns, vdl_str(name), NULL, on_entry,
        NULL, NULL));
}

static const char *mount(const char *name, const char *server, int64_t ttl,
    uint32_t flags)
{
    return finish(vname_mount(N.ns, vdl_str(name), vdl_str(server), ttl,
        flags, NULL, on_done, NULL, NULL));
}

static const char *unmount(const char *name, const char *server)
{
    return finish(vname_unmount(N.ns, vdl_str(name), vdl_str(server), NULL,
        on_done, NULL, NULL));
}

static void on_reply(void *ud, const v23_naming_glob_reply *r)
{
    (void)ud;
    if (r->which == V23_NAMING_GLOB_REPLY_ERROR)
        put("[!%.*s: %.*s]", (int)r->u.error.name.n,
            r->u.error.name.n == 0 ? "" : r->u.error.name.p,
            (int)r->u.error.error->id.n, r->u.error.error->id.p);
    else
        put("[%.*s%s]", (int)r->u.entry.name.n,
            r->u.entry.name.n == 0 ? "" : r->u.entry.name.p,
            r->u.entry.servers.n != 0 ? " @" : "");
}

/* Replies in N.text. */
static const char *glob(const char *pattern)
{
    N.text[0] = 0;
    return finish(vname_glob(N.ns, vdl_str(pattern), NULL, on_reply, on_done,
        NULL, NULL));
}

/* Number of calls that a table has served. */
static void add_rpcs(void *ud, struct vdl_str id, int64_t nodes, int64_t rpcs)
{
    (void)id;
    (void)nodes;
    *(int *)ud += (int)rpcs;
}

static int calls_of(const struct table *t)
{
    int n = 0;

    vname_table_users(t->t, add_rpcs, &n);
    return n;
}

#define NO_NAME "v.io/v23/naming.nameDoesntExist"

#define ROOT N.tables[0].name
#define SUB N.tables[1].name

static const char *join(const char *a, const char *b)
{
    static char text[4][600];
    static unsigned next;
    char *p = text[next++ % 4];

    snprintf(p, sizeof(text[0]), "%s%s", a, b);
    return p;
}

/* sub at "mt", the leaf at "bar" in it and at "leaf" in the root. */
static void build(void)
{
    ck_assert_str_eq(mount("mt", SUB, 60 * SEC, V23_NAMING_MT), "");
    ck_assert_str_eq(mount("mt/bar", N.leaf_name, 60 * SEC, 0), "");
    ck_assert_str_eq(mount("leaf", N.leaf_name, 60 * SEC, V23_NAMING_LEAF),
        "");
}

/* The end of a connection between the client and a node that is the client's,
 * or NULL. */
static struct wlink *link_to(const struct wnode *n)
{
    size_t i;

    for (i = 0; i < WORLD_LINKS; i++)
        if (W.links[i].used && W.links[i].node == N.client
            && W.links[i].peer != NULL && W.links[i].peer->node == n)
            return &W.links[i];
    return NULL;
}

#endif
