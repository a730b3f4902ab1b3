/* BSD-3-Clause; see LICENSE. */
/*
 * __Glob (spec/rpc.md 17.3): a breadth-first walk over the names below the
 * receiver. Each name visited is looked up and authorized by itself, then its
 * object answers for its children or for the whole rest of the pattern.
 *
 * Names of one level of the tree live in one of two arenas, those of the next
 * level in the other, so that memory is bounded by the two widest levels. When
 * the client reads slowly the reply in hand is held and the walk stands still.
 */
#include "server_int.h"

#include <string.h>
#include <v23/vdl/v.io/v23/rpc/reserved/reserved.vdl.h>
#include <v23/vdl/v.io/v23/security/access/access.vdl.h>
#include <vom/value.h>
#include <vrpc/name.h>

#define MAX_RECURSION 10

struct node {
    struct node *next;
    struct vdl_str name; /* relative to the receiver */
    struct vrpc_glob pattern;
    uint32_t depth;
};

struct level {
    struct v23_arena arena;
    struct node *first, **tail;
};

enum run_state { RUN_NEXT, RUN_WAIT, RUN_PART, RUN_OVER };

/* An object that is asked for its part. */
struct vrpc_glob_call {
    struct vrpc_glob_run_ *run;
    const struct v23_verror *err; /* set by vrpc_glob_fail() */
    void *data;
    bool live;     /* it has not said that it is done */
    bool writable; /* it waits for the window */
};

struct vrpc_glob_run_ {
    struct vrpc_server_call *call;
    const struct vrpc_dispatcher *dispatcher;
    struct level levels[2];
    unsigned cur;            /* level being visited */
    struct v23_arena arena;  /* of the node in hand */
    struct node *node;
    enum run_state state;
    struct v23_op op;        /* lookup */
    struct vrpc_object obj;
    const struct vsec_authorizer *auth;
    struct vrpc_check_ check;
    struct vdl_any tag;
    struct vdl_str suffix;   /* of the node in hand */
    struct vrpc_glob pattern; /* what its object is asked for */
    uint32_t depth;          /* of its children */
    struct vrpc_glob_call part;
    v23_naming_glob_reply held; /* a reply that waits for the window */
    bool has_held, omitted, has_obj, busy;
    struct vrpc_task_ again; /* the object has given way to others */
};

static void run(struct vrpc_glob_run_ *g);

/* ---- replies ------------------------------------------------------------- */

static int send_now(struct vrpc_glob_run_ *g,
    const v23_naming_glob_reply *reply)
{
    struct vdl_any any;

    any.type = &v23_naming_glob_reply_desc;
    any.val = reply;
    return vrpc_server_call_send(g->call, &any);
}

/* Send a reply of our own; with a shut window it is held (and lives on in the
 * node's arena), and the walk stops. */
static void reply(struct vrpc_glob_run_ *g, const v23_naming_glob_reply *r)
{
    int rc = send_now(g, r);

    if (rc == V23_EAGAIN) {
        g->held = *r;
        g->has_held = true;
    } else if (rc != 0) {
        g->state = RUN_OVER;
    }
}

static void reply_error(struct vrpc_glob_run_ *g, struct vdl_str name,
    const struct v23_verror *err)
{
    v23_naming_glob_reply r;

    memset(&r, 0, sizeof(r));
    r.which = V23_NAMING_GLOB_REPLY_ERROR;
    r.u.error.name = name;
    r.u.error.error = err;
    reply(g, &r);
}

static void reply_entry(struct vrpc_glob_run_ *g, struct vdl_str name,
    bool leaf)
{
    v23_naming_glob_reply r;

    memset(&r, 0, sizeof(r));
    r.which = V23_NAMING_GLOB_REPLY_ENTRY;
    r.u.entry.name = name;
    r.u.entry.is_leaf = leaf;
    reply(g, &r);
}

/* ---- the queue ----------------------------------------------------------- */

static void level_init(struct level *l, const struct v23_alloc *al,
    size_t budget)
{
    v23_arena_init(&l->arena, al, budget);
    l->first = NULL;
    l->tail = &l->first;
}

static int push(struct level *l, struct vdl_str dir, struct vdl_str child,
    const struct vrpc_glob *pattern, uint32_t depth)
{
    struct node *n = v23_arena_new(&l->arena, struct node);
    int rc;

    if (n == NULL)
        return V23_ELIMIT;
    rc = vrpc_name_join2(&l->arena, dir, child, &n->name);
    if (rc != 0)
        return V23_ELIMIT;
    if (n->name.n > 0) { /* the result may point into the arguments */
        n->name.p = v23_arena_dup(&l->arena, n->name.p, n->name.n);
        if (n->name.p == NULL)
            return V23_ELIMIT;
    }
    n->pattern = *pattern;
    n->depth = depth;
    *l->tail = n;
    l->tail = &n->next;
    return 0;
}

static struct node *pop(struct vrpc_glob_run_ *g)
{
    struct level *l = &g->levels[g->cur];
    struct node *n;

    if (l->first == NULL) {
        v23_arena_reset(&l->arena);
        l->tail = &l->first;
        g->cur ^= 1;
        l = &g->levels[g->cur];
    }
    n = l->first;
    if (n != NULL) {
        l->first = n->next;
        if (l->first == NULL)
            l->tail = &l->first;
    }
    return n;
}

/* ---- one object ---------------------------------------------------------- */

static void part_over(struct vrpc_glob_run_ *g, int rc)
{
    const struct v23_verror *err = g->part.err;
    struct vdl_str why;

    vrpc_task_drop_(&g->call->s->m->tasks, &g->again);
    g->part.live = false;
    g->state = RUN_NEXT;
    if (rc == 0 || rc == V23_ECLOSED)
        return;
    why = err == NULL ? vdl_str(v23_strerror(rc)) : err->msg;
    reply_error(g, g->node->name, vrpc_err_make(&g->arena, &g->call->ctx,
                                      VRPC_ERR_INTERNAL, "%.*s", (int)why.n,
                                      why.p));
}

static void ask_object(struct vrpc_glob_run_ *g)
{
    const struct vrpc_globber *b = g->obj.glob;
    int rc;

    memset(&g->part, 0, sizeof(g->part));
    g->part.run = g;
    g->part.live = true;
    g->state = RUN_PART;
    g->pattern = g->node->pattern;
    rc = b->glob != NULL ? b->glob(g->obj.self, &g->part, &g->pattern)
                         : b->children(g->obj.self, &g->part, &g->pattern);
    if (rc != V23_EAGAIN && g->state == RUN_PART)
        part_over(g, rc);
}

/* The caller may see the object of the node in hand. */
static void visit(struct vrpc_glob_run_ *g)
{
    const struct node *n = g->node;
    const struct vrpc_globber *b = g->obj.glob;

    g->state = RUN_NEXT;
    if (b == NULL || (b->glob == NULL && b->children == NULL)) {
        if (n->pattern.n == 0)
            reply_entry(g, n->name, true);
        else
            reply_error(g, n->name, v23_reserved_err_glob_not_implemented(
                                        &g->arena, &g->call->ctx));
        return;
    }
    g->depth = n->depth;
    if (b->glob == NULL && n->pattern.n == 0) {
        reply_entry(g, n->name, false);
        if (!n->pattern.recursive || g->state == RUN_OVER)
            return;
        g->depth++;
    }
    if (g->has_held)
        g->state = RUN_WAIT; /* goes on in writable() */
    else
        ask_object(g);
}

static void checked(void *ud, int rc, const struct v23_verror *err)
{
    struct vrpc_glob_run_ *g = ud;

    (void)err;
    if (rc != 0) {
        g->omitted = true;
        g->state = RUN_NEXT;
    } else {
        visit(g);
    }
    run(g);
}

static int authorize(struct vrpc_glob_run_ *g)
{
    struct vrpc_check_ *c = &g->check;
    const struct v23_verror *err = NULL;

    vrpc_check_fini_(c);
    memset(c, 0, sizeof(*c));
    c->m = g->call->s->m;
    c->session = g->call->session;
    c->arena = &g->arena;
    c->auth = g->auth;
    c->done = checked;
    c->ud = g;
    c->call = g->call->check.call;
    c->call.suffix = g->suffix;
    if (g->dispatcher == g->call->s->dispatcher)
        c->call.hook = g->call->s->cfg.caveats;
    c->call.method_tags.v = &g->tag;
    c->call.method_tags.n = 1;
    /* The names do not depend on the suffix unless a caveat does: check. */
    c->call.names = NULL;
    return vrpc_check_start_(c, &err);
}

static void looked_up(struct vrpc_glob_run_ *g, int rc)
{
    struct v23_arena *a = &g->arena;

    g->state = RUN_NEXT;
    if (rc == 0)
        g->has_obj = true;
    if (rc == 0 && vrpc_object_exists_(&g->obj)) {
        rc = authorize(g);
        if (rc == V23_EAGAIN) {
            g->state = RUN_WAIT;
        } else if (rc != 0) {
            g->omitted = true;
        } else {
            visit(g);
        }
        return;
    }
    reply_error(g, g->node->name, vrpc_err_make(a, &g->call->ctx,
                                      VRPC_ERR_NO_EXIST, "does not exist: %s",
                                      rc == 0 ? "nil object"
                                              : v23_strerror(rc)));
}

struct vrpc_server_call *vrpc_glob_call_of_(const struct vrpc_glob_run_ *g)
{
    return g->call;
}

void vrpc_glob_looked_up_(struct vrpc_glob_run_ *g, int rc,
    const struct vrpc_object *obj, const struct vsec_authorizer *auth)
{
    vrpc_op_end_(&g->call->s->m->ops, &g->op);
    if (rc == 0) {
        g->obj = *obj;
        g->auth = auth;
    }
    looked_up(g, rc);
    run(g);
}

static void release_object(struct vrpc_glob_run_ *g)
{
    const struct vrpc_dispatcher *d = g->dispatcher;

    if (g->has_obj && d->release != NULL)
        d->release(d->ud, &g->obj);
    g->has_obj = false;
}

static void next_node(struct vrpc_glob_run_ *g)
{
    struct vrpc_manager *m = g->call->s->m;
    const struct vrpc_dispatcher *d = g->dispatcher;
    const struct v23_verror *err = NULL;
    int rc;

    release_object(g);
    v23_arena_reset(&g->arena);
    memset(&g->obj, 0, sizeof(g->obj));
    g->auth = NULL;
    g->node = pop(g);
    if (g->node == NULL) {
        g->state = RUN_OVER;
        if (g->omitted)
            reply_error(g, vdl_str(""), v23_reserved_err_glob_matches_omitted(
                                            &g->arena, &g->call->ctx));
        return;
    }
    if (g->node->depth > MAX_RECURSION) {
        reply_error(g, g->node->name,
            v23_reserved_err_glob_max_recursion_reached(&g->arena,
                &g->call->ctx));
        return;
    }
    rc = vrpc_name_join2(&g->arena, g->call->suffix, g->node->name,
        &g->suffix);
    if (rc == 0)
        rc = vrpc_op_new_(&m->ops, VRPC_OP_GLOB_LOOKUP, g, &g->op);
    if (rc == 0) {
        g->state = RUN_WAIT;
        rc = d->lookup(d->ud, g->op, g->suffix, &g->arena, &g->obj, &g->auth,
            &err);
        if (rc == V23_EAGAIN)
            return;
        vrpc_op_end_(&m->ops, &g->op);
    }
    looked_up(g, rc);
}

/* ---- the walk ------------------------------------------------------------ */

static void finish(struct vrpc_glob_run_ *g)
{
    struct vrpc_server_call *call = g->call;

    release_object(g);
    vrpc_task_drop_(&call->s->m->tasks, &g->again);
    vrpc_check_fini_(&g->check);
    v23_arena_fini(&g->levels[0].arena);
    v23_arena_fini(&g->levels[1].arena);
    v23_arena_fini(&g->arena);
    call->cancel_fn = NULL;
    call->writable_fn = NULL;
    (void)vrpc_server_call_reply(call, NULL, NULL); /* g is gone */
}

static void run(struct vrpc_glob_run_ *g)
{
    if (g->busy)
        return;
    g->busy = true;
    while (g->state == RUN_NEXT && !g->has_held)
        next_node(g);
    g->busy = false;
    if (g->state == RUN_OVER && !g->has_held)
        finish(g);
}

static void writable(void *ud, struct vrpc_server_call *call)
{
    struct vrpc_glob_run_ *g = ud;
    const struct vrpc_globber *b = g->obj.glob;

    (void)call;
    if (g->has_held) {
        int rc = send_now(g, &g->held);

        if (rc == V23_EAGAIN)
            return;
        g->has_held = false;
        if (rc != 0)
            g->state = RUN_OVER;
        else if (g->state == RUN_WAIT && !vrpc_op_live_(g->op))
            ask_object(g); /* the entry of the object itself was held */
    }
    if (g->state == RUN_PART && g->part.writable) {
        g->part.writable = false;
        if (b->writable != NULL)
            b->writable(g->obj.self, &g->part); /* g may be gone */
        return;
    }
    run(g);
}

static void go_on(void *ud)
{
    struct vrpc_glob_run_ *g = ud;

    if (g->state == RUN_PART && g->part.live)
        g->obj.glob->writable(g->obj.self, &g->part); /* g may be gone */
}

static void cancelled(void *ud, struct vrpc_server_call *call, int reason)
{
    struct vrpc_glob_run_ *g = ud;
    struct v23_op op = g->op;

    (void)call;
    (void)reason;
    if (vrpc_op_live_(op)) {
        vrpc_op_end_(&g->call->s->m->ops, &g->op);
        if (g->dispatcher->cancel != NULL)
            g->dispatcher->cancel(g->dispatcher->ud, op);
    }
    vrpc_check_cancel_(&g->check);
    if (g->part.live) {
        g->part.live = false;
        if (g->obj.glob->cancel != NULL)
            g->obj.glob->cancel(g->obj.self, &g->part);
    }
    g->has_held = false;
    g->state = RUN_OVER;
    if (!g->busy)
        finish(g);
}

const struct v23_verror *vrpc_glob_start_(struct vrpc_server_call *call,
    struct vdl_str pattern)
{
    static const struct vdl_str resolve = VDL_STR_INIT("Resolve");
    static const struct vdl_str debug = VDL_STR_INIT("Debug");
    struct vrpc_server *s = call->s;
    struct vdl_str unknown = vrpc_err_id(VRPC_ERR_UNKNOWN);
    bool reserved = vrpc_name_is_reserved(call->suffix) ||
                    (call->suffix.n == 0 && vrpc_name_is_reserved(pattern));
    struct vrpc_glob_run_ *g;
    struct vrpc_glob parsed;
    int rc;

    rc = vrpc_glob_parse(&call->arena, pattern, &parsed);
    if (rc == V23_EGLOB)
        return v23_verror_text(&call->arena, &call->ctx, unknown,
            V23_NO_RETRY, "syntax error in pattern");
    if (reserved && s->cfg.reserved == NULL)
        return v23_reserved_err_glob_not_implemented(&call->arena,
            &call->ctx);
    g = v23_arena_new(&call->arena, struct vrpc_glob_run_);
    if (rc != 0 || g == NULL)
        return vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_INTERNAL,
            "out of memory");
    g->call = call;
    g->dispatcher = reserved ? s->cfg.reserved : s->dispatcher;
    g->tag.type = &v23_access_tag_desc;
    g->tag.val = reserved ? &debug : &resolve;
    level_init(&g->levels[0], s->m->al, s->cfg.glob_budget);
    level_init(&g->levels[1], s->m->al, s->cfg.glob_budget);
    v23_arena_init(&g->arena, s->m->al, s->cfg.call_budget);
    g->again.fn = go_on;
    g->again.ud = g;
    vrpc_server_call_on_cancel(call, cancelled, g);
    vrpc_server_call_on_writable(call, writable, g);
    rc = push(&g->levels[0], vdl_str(""), vdl_str(""), &parsed, 0);
    if (rc != 0)
        g->state = RUN_OVER;
    run(g);
    return &vrpc_pending;
}

/* ---- for objects --------------------------------------------------------- */

int vrpc_glob_send_child(struct vrpc_glob_call *g, struct vdl_str name)
{
    struct vrpc_glob_run_ *r = g->run;
    struct vrpc_glob tail;

    if (!g->live || r->state != RUN_PART)
        return V23_ECLOSED;
    if (name.n == 0 || memchr(name.p, '/', name.n) != NULL ||
        !vrpc_glob_match(&r->pattern, name))
        return V23_EARG;
    tail = vrpc_glob_tail(&r->pattern);
    return push(&r->levels[r->cur ^ 1], r->node->name, name, &tail, r->depth);
}

/* Name of a reply of the object, relative to the receiver. */
static int prefixed(struct vrpc_glob_call *g, struct vdl_str name,
    struct v23_arena *a, struct vdl_str *out)
{
    return vrpc_name_join2(a, g->run->node->name, name, out);
}

static int send_part(struct vrpc_glob_call *g,
    const v23_naming_glob_reply *reply_)
{
    struct vrpc_glob_run_ *r = g->run;
    int rc = r->has_held ? V23_EAGAIN : send_now(r, reply_);

    if (rc == V23_EAGAIN)
        g->writable = true;
    return rc;
}

void vrpc_glob_yield(struct vrpc_glob_call *g)
{
    struct vrpc_glob_run_ *r = g->run;

    if (g->live && r->state == RUN_PART && r->obj.glob->writable != NULL)
        vrpc_mgr_post_(r->call->s->m, &r->again);
}

int vrpc_glob_send_entry(struct vrpc_glob_call *g,
    const v23_naming_mount_entry *e)
{
    struct vrpc_glob_run_ *r = g->run;
    struct v23_arena_mark mark = v23_arena_mark(&r->arena);
    v23_naming_glob_reply out;
    int rc;

    if (!g->live)
        return V23_ECLOSED;
    memset(&out, 0, sizeof(out));
    out.which = V23_NAMING_GLOB_REPLY_ENTRY;
    out.u.entry = *e;
    rc = prefixed(g, e->name, &r->arena, &out.u.entry.name);
    if (rc == 0)
        rc = send_part(g, &out);
    v23_arena_rewind(&r->arena, mark);
    return rc;
}

int vrpc_glob_send_error(struct vrpc_glob_call *g, struct vdl_str name,
    const struct v23_verror *err)
{
    struct vrpc_glob_run_ *r = g->run;
    struct v23_arena_mark mark = v23_arena_mark(&r->arena);
    v23_naming_glob_reply out;
    int rc;

    if (!g->live)
        return V23_ECLOSED;
    memset(&out, 0, sizeof(out));
    out.which = V23_NAMING_GLOB_REPLY_ERROR;
    out.u.error.error = err;
    rc = prefixed(g, name, &r->arena, &out.u.error.name);
    if (rc == 0)
        rc = send_part(g, &out);
    v23_arena_rewind(&r->arena, mark);
    return rc;
}

void vrpc_glob_fail(struct vrpc_glob_call *g, const struct v23_verror *err)
{
    g->err = vrpc_err_copy(&g->run->arena, err);
}

void vrpc_glob_done(struct vrpc_glob_call *g, int rc)
{
    struct vrpc_glob_run_ *r = g->run;

    if (!g->live || r->state != RUN_PART)
        return;
    part_over(r, rc);
    run(r);
}

struct vrpc_server_call *vrpc_glob_server_call(struct vrpc_glob_call *g)
{
    return g->run->call;
}

struct vdl_str vrpc_glob_suffix(const struct vrpc_glob_call *g)
{
    return g->run->suffix;
}

void vrpc_glob_set_data(struct vrpc_glob_call *g, void *data)
{
    g->data = data;
}

void *vrpc_glob_data(const struct vrpc_glob_call *g)
{
    return g->data;
}
