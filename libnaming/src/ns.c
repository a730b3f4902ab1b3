/* BSD-3-Clause; see LICENSE. */
/*
 * A namespace: its roots, its operations in progress, and its face as the
 * client's resolver.
 */
#include "ns_int.h"

#include <v23/verror.h>
#include <vom/value.h>
#include <vrpc/endpoint.h>
#include <vrpc/manager.h>
#include <vrpc/name.h>

static const struct vdl_str empty;

int64_t vname_now_(const struct vname_ns *ns)
{
    return vrpc_manager_now(vrpc_client_manager(ns->client)).mono_ns;
}

/* ---- errors -------------------------------------------------------------- */

const struct v23_verror *vname_copy_error_(struct v23_arena *a,
    const struct v23_verror *err)
{
    struct v23_verror *copy;

    if (err == NULL)
        return NULL;
    copy = v23_arena_new(a, struct v23_verror);
    if (copy == NULL || vdl_copy(a, &v23_verror_desc, copy, err) != 0)
        return vname_no_memory_(a);
    return copy;
}

const struct v23_verror *vname_no_memory_(struct v23_arena *a)
{
    return v23_verror_text(a, NULL, vdl_str("v.io/v23/verror.Internal"),
        V23_NO_RETRY, "out of memory");
}

const struct v23_verror *vname_error_(struct vname_op *op, const char *id,
    const char *text, struct vdl_str name)
{
    const struct v23_errctx *ctx
        = vrpc_client_resolve_ctx(op->ns->client, op->resolving);

    return v23_verror_text(&op->arena, ctx != NULL ? ctx : &op->ns->ctx,
        vdl_str(id), V23_NO_RETRY, text, (int)name.n, name.n == 0 ? "" : name.p);
}

bool vname_not_a_table_(const struct v23_verror *err)
{
    static const char *const ids[] = { "v.io/v23/verror.BadArg",
        "v.io/v23/verror.NoExist", "v.io/v23/verror.UnknownMethod",
        "v.io/v23/verror.UnknownSuffix", "v.io/v23/verror.BadProtocol",
        VNAME_ERR_NO_SERVERS };
    size_t i;

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (v23_verror_is(err, vdl_str(ids[i])))
            return true;
    return false;
}

bool vname_lost_(const struct v23_verror *err)
{
    return v23_verror_is(err, vdl_str("v.io/v23/verror.BadProtocol"));
}

bool vname_unreachable_(const struct v23_verror *err)
{
    return err != NULL
        && (v23_verror_is(err, vdl_str("v.io/v23/verror.NoServers"))
            || v23_verror_is(err, vdl_str("v.io/v23/verror.Timeout"))
            || vname_lost_(err));
}

/* ---- servers that do not answer ------------------------------------------ */

bool vname_is_dead_(const struct vname_ns *ns, struct vdl_str server)
{
    uint64_t h = v23_hash((uintptr_t)ns, server.p, server.n);
    int64_t now = vname_now_(ns);
    size_t i;

    for (i = 0; i < VNAME_MAX_DEAD; i++)
        if (ns->dead[i].hash == h && ns->dead[i].until_ns > now)
            return true;
    return false;
}

uint64_t vname_entry_hash_(
    const struct vname_ns *ns, const v23_naming_mount_entry *e)
{
    uint64_t key = (uintptr_t)ns, h = v23_hash(key, e->name.p, e->name.n);
    uint32_t i;

    for (i = 0; i < e->servers.n; i++)
        h += v23_hash(key + 1, e->servers.v[i].server.p,
            e->servers.v[i].server.n);
    return h | 1;
}

void vname_set_dead_(struct vname_ns *ns, struct vdl_str server, bool dead)
{
    uint64_t h = v23_hash((uintptr_t)ns, server.p, server.n);
    size_t i, at = 0;

    for (i = 0; i < VNAME_MAX_DEAD; i++) {
        if (ns->dead[i].hash == h) {
            at = i;
            break;
        }
        if (ns->dead[i].until_ns < ns->dead[at].until_ns)
            at = i;
    }
    if (!dead && ns->dead[at].hash != h)
        return;
    ns->dead[at].hash = h;
    ns->dead[at].until_ns = dead ? vname_now_(ns) + VNAME_DEAD_NS : 0;
}

/* ---- operations ---------------------------------------------------------- */

void *vname_op_new_(struct vname_ns *ns, size_t size,
    const struct vname_opts *opts, bool (*stop)(struct vname_op *op))
{
    struct vname_op *op = v23_get0(ns->al, 1, size);

    if (op == NULL)
        return NULL;
    op->ns = ns;
    op->al = ns->al;
    op->stop = stop;
    op->starting = true;
    v23_arena_init(&op->arena, ns->al, SIZE_MAX);
    if (opts != NULL) {
        op->deadline = opts->deadline;
        op->name_auth = opts->name_auth;
        op->no_retry = opts->no_retry;
        op->no_discharges = opts->no_discharges;
        op->has_span = opts->span != NULL;
        if (op->has_span) {
            op->span = *opts->span;
            op->span.metadata.n = 0; /* for servers, not for mount tables */
        }
    }
    op->next = ns->ops;
    op->pprev = &ns->ops;
    if (op->next != NULL)
        op->next->pprev = &op->next;
    ns->ops = op;
    return op;
}

static void unlink_op(struct vname_op *op)
{
    *op->pprev = op->next;
    if (op->next != NULL)
        op->next->pprev = op->pprev;
}

void vname_op_free_(struct vname_op *op)
{
    if (!op->canceled)
        unlink_op(op);
    v23_arena_fini(&op->arena);
    v23_put(op->al, op);
}

void vname_op_end_(struct vname_op *op)
{
    if (op->starting)
        op->over = true;
    else
        vname_op_free_(op);
}

void vname_op_started_(struct vname_op *op, struct vname_op **out)
{
    bool over = op->over;

    op->starting = false;
    if (out != NULL)
        *out = over ? NULL : op;
    if (over)
        vname_op_free_(op);
}

void vname_op_cancel(struct vname_op *op)
{
    if (op == NULL)
        return;
    if (!op->stop(op)) {
        vname_op_free_(op);
        return;
    }
    unlink_op(op);
    op->canceled = true;
}

/* ---- entries ------------------------------------------------------------- */

static int root_servers(struct vname_ns *ns, struct v23_arena *a,
    v23_naming_mount_entry *out)
{
    v23_naming_mounted_server *v = v23_arena_get0(a, ns->roots.n, sizeof(*v),
        _Alignof(v23_naming_mounted_server));
    uint32_t i;

    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < ns->roots.n; i++) {
        v[i].server = ns->roots.v[i];
        v[i].deadline.from_now.seconds = 3600;
    }
    out->servers.v = v;
    out->servers.n = ns->roots.n;
    out->serves_mount_table = true;
    return 0;
}

static int rooted_server(struct v23_arena *a, struct vdl_str name,
    v23_naming_mount_entry *out)
{
    v23_naming_mounted_server *v
        = v23_arena_new(a, v23_naming_mounted_server);
    struct vdl_str address, suffix;
    struct vrpc_endpoint ep;
    int rc = v == NULL ? V23_ENOMEM : 0;

    if (rc == 0)
        rc = vrpc_name_split(a, name, &address, &suffix);
    if (rc == 0)
        rc = vrpc_name_join_address(a, address, empty, &v->server);
    if (rc != 0)
        return rc;
    out->serves_mount_table = true;
    rc = vrpc_endpoint_parse(a, address, &ep, NULL);
    if (rc == V23_ENOMEM)
        return rc;
    if (rc == 0)
        out->serves_mount_table = ep.mount_table;
    out->name = suffix;
    out->servers.v = v;
    out->servers.n = 1;
    return 0;
}

int vname_root_entry_(struct vname_ns *ns, struct v23_arena *a,
    struct vdl_str name, v23_naming_mount_entry *out)
{
    struct vdl_str pattern;
    int rc = vrpc_name_clean(a, name, &name);

    if (rc == 0)
        rc = vrpc_name_split_pattern(a, name, &pattern, &name);
    if (rc != 0)
        return rc;
    memset(out, 0, sizeof(*out));
    if (vrpc_name_is_rooted(name))
        return rooted_server(a, name, out);
    out->name = name;
    return root_servers(ns, a, out);
}

int vname_object_names(struct v23_arena *a, const v23_naming_mount_entry *e,
    vdl_str_list *out)
{
    struct vdl_str *v = v23_arena_get0(a, e->servers.n, sizeof(*v),
        _Alignof(struct vdl_str));
    uint32_t i;
    int rc = v == NULL ? V23_ENOMEM : 0;

    /* A server may lack the slash, and may have a suffix of its own. */
    for (i = 0; rc == 0 && i < e->servers.n; i++)
        rc = vrpc_name_join_address(a, e->servers.v[i].server, e->name,
            &v[i]);
    if (rc != 0)
        return rc;
    out->v = v;
    out->n = e->servers.n;
    return 0;
}

const char *vname_call_name_(struct v23_arena *a, struct vdl_str name)
{
    const char *copy = name.n == 0 ? "" : v23_arena_dup(a, name.p, name.n);

    return copy == NULL ? "" : copy;
}

uint32_t vname_depth_(struct vdl_str name)
{
    uint32_t n = 0, i;

    for (i = 0; i < name.n; i++)
        n += name.p[i] != '/' && (i == 0 || name.p[i - 1] == '/');
    return n;
}

void vname_call_opts_(const struct vname_op *op, const vdl_str_list *names,
    struct vrpc_call_opts *out)
{
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;

    opts.preresolved = names;
    opts.server_auth = op->name_auth;
    opts.no_retry = op->no_retry;
    opts.no_discharges = op->no_discharges;
    opts.span = op->has_span ? &op->span : NULL;
    /* Where others can answer, a connection that nobody is behind any more is
     * to be noticed soon. */
    if (names->n > 1)
        opts.channel_timeout_ns = VNAME_SHORT_NS;
    if (op->deadline != 0)
        opts.deadline = op->deadline;
    else
        opts.timeout_ns = VNAME_CALL_TIMEOUT_NS;
    *out = opts;
}

/* ---- the client's resolver ----------------------------------------------- */

struct resolving {
    struct walk walk;
    struct v23_arena *out; /* while starting */
    vdl_str_list *servers;
    const struct v23_verror **err;
    int rc;
};

static int code_of(const struct v23_verror *err)
{
    if (err == NULL)
        return 0;
    if (v23_verror_is(err, vdl_str(VNAME_ERR_NO_NAME)))
        return V23_ENONAME;
    if (v23_verror_is(err, vdl_str("v.io/v23/verror.NoServers")))
        return V23_ENOENT;
    if (v23_verror_is(err, vdl_str("v.io/v23/verror.Timeout")))
        return V23_ETIMEOUT;
    return V23_EWIREERR;
}

static void resolved(struct walk *w, const struct v23_verror *err,
    const v23_naming_mount_entry *answer)
{
    struct resolving *r = (struct resolving *)w;
    struct vname_ns *ns = w->op.ns;
    struct v23_arena *a = w->op.starting ? r->out : &w->op.arena;
    vdl_str_list names = { NULL, 0 };
    int rc = code_of(err);

    if (rc == 0)
        rc = vname_object_names(a, answer, &names);
    if (w->op.starting) {
        *r->servers = names;
        *r->err = err == NULL ? NULL : vname_copy_error_(a, err);
        r->rc = rc;
    } else {
        vrpc_client_resolved(ns->client, w->op.resolving, rc, names, err);
    }
    vname_op_end_(&w->op);
}

static int resolve(void *ud, struct v23_op op, struct vdl_str name,
    const struct vrpc_call_opts *opts, int64_t deadline, struct v23_arena *a,
    vdl_str_list *servers, const struct v23_verror **err)
{
    struct vname_ns *ns = ud;
    struct vname_opts own = { 0 };
    struct resolving *r;
    int rc;

    own.deadline = deadline == V23_NEVER ? 0 : deadline;
    if (opts != NULL) {
        own.name_auth = opts->name_auth;
        own.no_retry = opts->no_retry;
        /* The way to a discharger must not need it. */
        own.no_discharges = opts->no_discharges;
        own.span = opts->span;
    }
    r = vname_op_new_(ns, sizeof(*r), &own, vname_walk_stop_);
    if (r == NULL)
        return V23_ENOMEM;
    r->walk.op.resolving = op;
    r->walk.mode = WALK_RESOLVE;
    r->walk.then = resolved;
    r->walk.name.p = v23_arena_dup(&r->walk.op.arena, name.p, name.n);
    r->walk.name.n = name.n;
    r->out = a;
    r->servers = servers;
    r->err = err;
    if (r->walk.name.p == NULL) {
        vname_op_free_(&r->walk.op);
        return V23_ENOMEM;
    }
    vname_walk_start_(&r->walk);
    rc = r->walk.op.over ? r->rc : V23_EAGAIN;
    vname_op_started_(&r->walk.op, NULL);
    return rc;
}

static void resolve_cancel(void *ud, struct v23_op op)
{
    struct vname_ns *ns = ud;
    struct vname_op *o;

    for (o = ns->ops; o != NULL; o = o->next)
        if (o->resolving.generation == op.generation
            && o->resolving.index == op.index && op.generation != 0) {
            vname_op_cancel(o);
            return;
        }
}

bool vname_ns_flush_name(struct vname_ns *ns, struct vdl_str name)
{
    int64_t now = vname_now_(ns);
    struct vdl_str rooted;
    struct v23_arena a;
    bool flushed = false;
    uint32_t i;

    if (ns->cache == NULL)
        return false;
    v23_arena_init(&a, ns->al, SIZE_MAX);
    if (vrpc_name_is_rooted(name))
        flushed = vname_cache_flush_(ns->cache, &a, name, now);
    else
        for (i = 0; i < ns->roots.n; i++)
            if (vrpc_name_join2(&a, ns->roots.v[i], name, &rooted) == 0)
                flushed = vname_cache_flush_(ns->cache, &a, rooted, now)
                    || flushed;
    v23_arena_fini(&a);
    return flushed;
}

static void flush_name(void *ud, struct vdl_str name)
{
    (void)vname_ns_flush_name(ud, name);
}

/* ---- life ---------------------------------------------------------------- */

int vname_ns_set_roots(struct vname_ns *ns, const struct vdl_str *roots,
    size_t n)
{
    struct vdl_str *v, address, suffix;
    struct v23_arena a;
    size_t i;
    int rc = V23_ENOMEM;

    v23_arena_init_small(&a, ns->al, SIZE_MAX, 128);
    v = v23_arena_get0(&a, n, sizeof(*v), _Alignof(struct vdl_str));
    if (v == NULL)
        goto out;
    for (i = 0; i < n; i++) {
        rc = vrpc_name_split(&a, roots[i], &address, &suffix);
        if (rc == 0 && address.n == 0)
            rc = V23_EARG;
        if (rc != 0)
            goto out;
        v[i].p = v23_arena_dup(&a, roots[i].p, roots[i].n);
        v[i].n = roots[i].n;
        rc = V23_ENOMEM;
        if (v[i].p == NULL)
            goto out;
    }
    v23_arena_fini(&ns->roots_arena);
    ns->roots_arena = a;
    ns->roots.v = v;
    ns->roots.n = (uint32_t)n;
    return 0;
out:
    v23_arena_fini(&a);
    return rc;
}

vdl_str_list vname_ns_roots(const struct vname_ns *ns)
{
    return ns->roots;
}

void vname_ns_flush(struct vname_ns *ns)
{
    struct v23_arena a;

    if (ns->cache == NULL)
        return;
    v23_arena_init(&a, ns->al, SIZE_MAX);
    vname_cache_forget_(ns->cache, &a, empty);
    v23_arena_fini(&a);
}

struct vname_cache *vname_ns_cache_(struct vname_ns *ns)
{
    if (ns->cache == NULL && ns->remembers)
        (void)!vname_cache_new_(ns->al, ns->cache_entries,
            (uint64_t)vname_now_(ns), &ns->cache);
    return ns->cache;
}

void vname_ns_disable_cache(struct vname_ns *ns, bool disable)
{
    ns->remembers = !disable;
    if (disable) {
        vname_cache_free_(ns->cache);
        ns->cache = NULL;
    }
}

int vname_ns_new(const struct vname_ns_config *cfg, struct vname_ns **out)
{
    struct vname_ns *ns = v23_new(cfg->al, struct vname_ns);
    int rc;

    if (ns == NULL)
        return V23_ENOMEM;
    ns->al = cfg->al;
    ns->client = cfg->client;
    ns->ctx.component = cfg->component;
    ns->resolve_depth = cfg->resolve_depth == 0 ? VNAME_MAX_RESOLVE_DEPTH
                                                : cfg->resolve_depth;
    ns->glob_depth
        = cfg->glob_depth == 0 ? VNAME_MAX_GLOB_DEPTH : cfg->glob_depth;
    v23_arena_init_small(&ns->roots_arena, ns->al, SIZE_MAX, 128);
    ns->cache_entries
        = cfg->cache_entries == 0 ? VNAME_CACHE_MAX : cfg->cache_entries;
    ns->remembers = !cfg->no_cache;
    rc = vname_ns_set_roots(ns, cfg->roots, cfg->nroots);
    if (rc != 0) {
        v23_arena_fini(&ns->roots_arena);
        v23_put(cfg->al, ns);
        return rc;
    }
    ns->resolver.resolve = resolve;
    ns->resolver.cancel = resolve_cancel;
    ns->resolver.flush = flush_name;
    ns->resolver.ud = ns;
    vrpc_client_set_resolver(ns->client, &ns->resolver);
    *out = ns;
    return 0;
}

void vname_ns_free(struct vname_ns *ns)
{
    if (ns == NULL)
        return;
    vrpc_client_set_resolver(ns->client, NULL);
    while (ns->ops != NULL)
        vname_op_cancel(ns->ops);
    vname_cache_free_(ns->cache);
    v23_arena_fini(&ns->roots_arena);
    v23_put(ns->al, ns);
}
