/* BSD-3-Clause; see LICENSE. */
/*
 * Glob over many servers (spec/naming.md 13.6). Every server that is reached
 * answers for its part; mount points in the answers lead to more queries. At
 * most MAX_CALLS run at a time, the others wait in a queue; no server is asked
 * the same question twice, so loops in the name space end.
 */
#include <vrpc/glob.h>
#include <vrpc/name.h>

#include "ns_int.h"

#define MAX_CALLS 64
/* A name space made to be endless ends here. */
#define MAX_QUERIES 65536
#define MAX_HELD (64u << 20) /* bytes of questions asked and to be asked */
#define VISITED_BUCKETS 256

struct glob;

/* One `__Glob` call, waiting or running. */
struct query {
    struct glob *g;
    struct query *next, **pprev;
    struct v23_arena arena;
    v23_naming_mount_entry at; /* whose servers are asked; name = where */
    struct vdl_str pattern;
    vdl_str_list names;
    uint32_t depth, left;      /* elements of the pattern */
    size_t size;               /* of the question, in g->held */
    struct vrpc_call *call;    /* NULL: waiting */
};

struct visited {
    struct visited *next;
    struct vdl_str key;
};

struct glob {
    struct vname_op op;
    struct vrpc_glob pattern;
    struct vdl_str prefix;
    vname_glob_fn *reply;
    vname_done_fn *done;
    void *ud;
    struct query *waiting, **last, *running;
    size_t nrunning, nqueries, held;
    struct visited *visited[VISITED_BUCKETS];
    bool no_memory, too_many;
};

/* Already asked; else remember it. */
static bool seen(struct glob *g, struct vdl_str server, struct vdl_str pattern)
{
    struct v23_arena *a = &g->op.arena;
    struct visited *v;
    uint32_t h = 2166136261u;
    size_t n = (size_t)server.n + 1 + pattern.n, i;
    char *key = v23_arena_get(a, n, 1);

    g->held += sizeof(*v) + n;
    v = v23_arena_new(a, struct visited);
    if (key == NULL || v == NULL) {
        g->no_memory = true;
        return true;
    }
    memcpy(key, server.p, server.n);
    key[server.n] = '!';
    if (pattern.n != 0)
        memcpy(key + server.n + 1, pattern.p, pattern.n);
    for (i = 0; i < n; i++)
        h = (h ^ (uint8_t)key[i]) * 16777619u;
    h = (h ^ h >> 16) % VISITED_BUCKETS;
    v->key = vdl_strn(key, n);
    for (v->next = g->visited[h]; v->next != NULL; v->next = v->next->next)
        if (vdl_str_eq(v->next->key, v->key))
            return true;
    v->next = g->visited[h];
    g->visited[h] = v;
    return false;
}

/* ---- replies ------------------------------------------------------------- */

static void out_entry(struct glob *g, struct v23_arena *scratch,
    const v23_naming_mount_entry *e)
{
    v23_naming_glob_reply r;

    memset(&r, 0, sizeof(r));
    r.which = V23_NAMING_GLOB_REPLY_ENTRY;
    r.u.entry = *e;
    if (vrpc_name_join2(scratch, g->prefix, e->name, &r.u.entry.name) != 0)
        g->no_memory = true;
    else
        g->reply(g->ud, &r);
}

static void out_error(struct glob *g, struct v23_arena *scratch,
    struct vdl_str at, struct vdl_str name, const struct v23_verror *err)
{
    struct vdl_str parts[3];
    v23_naming_glob_reply r;

    parts[0] = g->prefix;
    parts[1] = at;
    parts[2] = name;
    memset(&r, 0, sizeof(r));
    r.which = V23_NAMING_GLOB_REPLY_ERROR;
    r.u.error.error = err;
    if (vrpc_name_join(scratch, parts, 3, &r.u.error.name) != 0)
        g->no_memory = true;
    else
        g->reply(g->ud, &r);
}

/* ---- queries ------------------------------------------------------------- */

static void query_free(struct query *q)
{
    struct glob *g = q->g;

    g->held -= q->size;
    v23_arena_fini(&q->arena);
    v23_put(g->op.al, q);
}

/* Queue the question for the servers of `x`; `rest` is what is left. */
static void ask(struct glob *g, const v23_naming_mount_entry *x,
    uint32_t depth, const struct vrpc_glob *rest)
{
    struct query *q = v23_new(g->op.al, struct query);
    v23_naming_mount_entry servers;
    struct v23_buf text;
    bool again = false;
    uint32_t i;

    if (q == NULL) {
        g->no_memory = true;
        return;
    }
    q->g = g;
    q->depth = depth;
    q->left = rest->n;
    v23_arena_init(&q->arena, g->op.al, SIZE_MAX);
    v23_buf_init(&text, g->op.al, SIZE_MAX);
    vrpc_glob_format(rest, &text);
    q->pattern.p = v23_arena_dup(&q->arena, text.p, text.n);
    q->pattern.n = (uint32_t)text.n;
    servers = *x;
    servers.name = vdl_str(""); /* asked with an empty suffix */
    if (text.err != 0 || q->pattern.p == NULL
        || v23_naming_mount_entry_copy(&q->arena, &q->at, x) != 0
        || vname_object_names(&q->arena, &servers, &q->names) != 0)
        g->no_memory = true;
    v23_buf_fini(&text);
    q->size = q->arena.used;
    g->held += q->size;
    for (i = 0; i < x->servers.n && !g->no_memory; i++)
        again = seen(g, q->names.v[i], q->pattern) || again;
    if (!again && (g->nqueries == MAX_QUERIES || g->held > MAX_HELD))
        again = g->too_many = true;
    if (again || g->no_memory) {
        query_free(q);
        return;
    }
    g->nqueries++;
    q->pprev = g->last;
    *g->last = q;
    g->last = &q->next;
}

/* An entry that a server (or the root) named. */
static void consider(struct glob *g, struct v23_arena *scratch,
    const v23_naming_mount_entry *x, uint32_t depth)
{
    struct vrpc_glob rest = g->pattern;
    uint32_t used = vname_depth_(x->name);

    if (used > rest.n)
        used = rest.n;
    if (used != 0)
        rest.elems += used;
    rest.n -= used;
    if (rest.n == 0 && depth != 0)
        out_entry(g, scratch, x);
    if (vrpc_glob_is_empty(&rest) && !x->serves_mount_table)
        return;
    if (rest.restricted && rest.n == 0 && !x->serves_mount_table)
        return;
    if (x->servers.n != 0)
        ask(g, x, depth, &rest);
}

static void pump(struct glob *g);

/* vrpc_client_start() wants a description of the method (rpc.md 17). */
struct glob_in {
    struct vdl_str pattern;
};

static const struct vrpc_arg glob_args[] = {
    { VDL_STR_INIT("pattern"), VDL_STR_INIT(""), &vdl_string_desc, 0 },
};

static const struct vrpc_method glob_method = {
    .name = VDL_STR_INIT("__Glob"),
    .in = glob_args,
    .nin = 1,
    .in_size = sizeof(struct glob_in),
    .out_stream = &v23_naming_glob_reply_desc,
};

static void item(vrpc_any_fn *fn, void *ud, const void *value)
{
    struct query *q = ud;
    struct glob *g = q->g;
    const v23_naming_glob_reply *r = value;
    struct v23_arena scratch;
    v23_naming_mount_entry x;

    (void)fn;
    if (g->op.canceled)
        return;
    v23_arena_init(&scratch, g->op.al, SIZE_MAX);
    if (r->which == V23_NAMING_GLOB_REPLY_ERROR) {
        out_error(g, &scratch, q->at.name, r->u.error.name,
            r->u.error.error);
    } else if (q->left != 0 || q->depth + 1 <= g->op.ns->glob_depth) {
        x = r->u.entry;
        if (vrpc_name_join2(&scratch, q->at.name, x.name, &x.name) != 0)
            g->no_memory = true;
        else
            consider(g, &scratch, &x, q->depth + 1);
    }
    v23_arena_fini(&scratch);
}

static void unlink_query(struct query *q)
{
    *q->pprev = q->next;
    if (q->next != NULL)
        q->next->pprev = q->pprev;
}

static void query_done(vrpc_any_fn *fn, void *ud,
    const struct v23_verror *err, const void *out)
{
    struct query *q = ud;
    struct glob *g = q->g;

    (void)fn;
    (void)out;
    unlink_query(q);
    g->nrunning--;
    if (!g->op.canceled && err != NULL
        && (!vname_not_a_table_(err) || vname_lost_(err)))
        out_error(g, &q->arena, q->at.name, vdl_str(""), err);
    query_free(q);
    if (!g->op.canceled)
        pump(g);
    else if (g->nrunning == 0)
        vname_op_free_(&g->op);
}

static const struct vrpc_call_stub stub = { query_done, item };

static void start_query(struct glob *g, struct query *q)
{
    struct glob_in in;
    struct vrpc_call_opts opts;

    in.pattern = q->pattern;
    vname_call_opts_(&g->op, &q->names, &opts);
    if (q->depth > 0) { /* not the roots: who is gone is said to be gone */
        opts.no_retry = true;
        opts.connect_timeout_ns = VNAME_SHORT_NS;
    }
    q->call = vrpc_client_start(g->op.ns->client, "", &opts, &glob_method,
        &in, &stub, (vrpc_any_fn *)item, (vrpc_any_fn *)query_done, q);
    if (q->call == NULL) {
        g->no_memory = true;
        query_free(q);
        return;
    }
    q->next = g->running;
    q->pprev = &g->running;
    if (q->next != NULL)
        q->next->pprev = &q->next;
    g->running = q;
    g->nrunning++;
}

/* Start what may run; report the end when nothing is left. */
static void pump(struct glob *g)
{
    struct query *q;

    while (g->nrunning < MAX_CALLS && (q = g->waiting) != NULL) {
        g->waiting = q->next;
        if (g->waiting == NULL)
            g->last = &g->waiting;
        if (g->no_memory)
            query_free(q);
        else
            start_query(g, q);
    }
    if (g->nrunning != 0)
        return;
    g->done(g->ud,
        g->no_memory      ? vname_no_memory_(&g->op.arena)
            : g->too_many ? vname_error_(&g->op, "v.io/v23/verror.Aborted",
                  "glob leads to too many servers", vdl_str(""))
                          : NULL);
    vname_op_end_(&g->op);
}

static bool stop(struct vname_op *op)
{
    struct glob *g = (struct glob *)op;
    struct query *q;

    while ((q = g->waiting) != NULL) {
        g->waiting = q->next;
        query_free(q);
    }
    g->last = &g->waiting;
    for (q = g->running; q != NULL; q = q->next)
        vrpc_call_cancel(q->call);
    return g->nrunning != 0;
}

/* ---- start --------------------------------------------------------------- */

static const struct v23_verror *begin(struct glob *g, struct vdl_str pattern)
{
    struct v23_arena *a = &g->op.arena;
    v23_naming_mount_entry e;
    int rc = vname_root_entry_(g->op.ns, a, pattern, &e);

    if (rc == 0)
        rc = vrpc_glob_parse(a, e.name, &g->pattern);
    if (rc == V23_EGLOB)
        return v23_verror_text(a, NULL, vdl_str("v.io/v23/verror.Unknown"),
            V23_NO_RETRY, "syntax error in pattern");
    if (rc != 0)
        return vname_no_memory_(a);
    if (e.servers.n == 0)
        return vname_error_(&g->op, VNAME_ERR_NO_TABLE, "no mounttable",
            vdl_str(""));
    if (vrpc_name_is_rooted(pattern))
        g->prefix = e.servers.v[0].server;
    e.name = vdl_str("");
    consider(g, a, &e, 0);
    return NULL;
}

int vname_glob(struct vname_ns *ns, struct vdl_str pattern,
    const struct vname_opts *opts, vname_glob_fn *reply, vname_done_fn *done,
    void *ud, struct vname_op **op)
{
    struct glob *g = vname_op_new_(ns, sizeof(*g), opts, stop);
    const struct v23_verror *err;
    char *copy;

    if (g == NULL)
        return V23_ENOMEM;
    copy = v23_arena_dup(&g->op.arena, pattern.p, pattern.n);
    if (copy == NULL) {
        vname_op_free_(&g->op);
        return V23_ENOMEM;
    }
    g->reply = reply;
    g->done = done;
    g->ud = ud;
    g->last = &g->waiting;
    err = begin(g, vdl_strn(copy, pattern.n));
    if (err != NULL) {
        done(ud, err);
        vname_op_end_(&g->op);
    } else {
        pump(g);
    }
    vname_op_started_(&g->op, op);
    return 0;
}
