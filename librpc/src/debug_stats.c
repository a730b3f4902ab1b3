/* BSD-3-Clause; see LICENSE. */
/*
 * __debug/stats (spec/services.md 9.3). A search copies what it finds, so that
 * the tree may change while a slow client is sent the results.
 */
#include "debug_int.h"

#include <v23/vdl/v.io/v23/services/stats/stats.rpc.h>

#define BUDGET (16u << 20) /* of what one search finds */

/* ---- Value --------------------------------------------------------------- */

static const struct v23_verror *no_exist(struct vrpc_server_call *call,
    struct vdl_str name)
{
    return vrpc_err_make(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), VRPC_ERR_NO_EXIST,
        "does not exist: %.*s", (int)name.n, name.p);
}

static const struct v23_verror *value(void *self,
    struct vrpc_server_call *call, v23_stats_stats_value_out *out)
{
    const struct vrpc_debug_object_ *o = self;
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct v23_now now = vrpc_mgr_now_(call->s->m);
    int rc = vrpc_stats_value(o->d->cfg.stats, o->suffix, &now, a,
        &out->result);

    if (rc == V23_ENOENT)
        return no_exist(call, o->suffix);
    if (rc != 0)
        return vrpc_debug_failed_(call, "operation failed for ", o->suffix);
    return NULL; /* a map is a nil */
}

/* ---- WatchGlob ----------------------------------------------------------- */

struct watch {
    struct vrpc_debug_run_ run; /* first member */
    struct vdl_str root;
    struct vrpc_glob pattern;
    int64_t since;
    struct v23_arena arena; /* of one pass */
    struct vrpc_stats_matches found;
    size_t sent;
};

static void watch_end(struct vrpc_debug_run_ *r)
{
    v23_arena_fini(&((struct watch *)r)->arena);
}

/* Look what is there, or was updated since the last time. */
static int look(struct watch *w)
{
    struct vrpc_stats_query q;

    q.now = vrpc_mgr_now_(w->run.call->s->m);
    q.since = w->since;
    q.values = true;
    v23_arena_reset(&w->arena);
    w->sent = w->found.n = 0;
    w->since = q.now.mono_ns;
    return vrpc_stats_glob(w->run.d->cfg.stats, w->root, &w->pattern, &q,
        &w->arena, &w->found);
}

/* V23_EAGAIN: the window is shut. */
static int send_changes(struct watch *w)
{
    v23_watch_change c;
    int rc = 0;

    memset(&c, 0, sizeof(c));
    for (; rc == 0 && w->sent < w->found.n; w->sent += rc == 0) {
        c.name = w->found.v[w->sent].name;
        c.value = w->found.v[w->sent].value;
        rc = v23_watch_glob_watcher_watch_glob_send(w->run.call, &c);
    }
    return rc;
}

static void watch_go(struct vrpc_debug_run_ *r, bool timed)
{
    struct watch *w = (struct watch *)r;
    bool pending = w->sent < w->found.n;
    int rc = timed ? look(w) : 0;

    if (rc == V23_ENOENT) {
        vrpc_debug_run_finish_(r, no_exist(r->call, w->root));
        return;
    }
    if (rc == 0)
        rc = send_changes(w);
    else
        rc = V23_ELIMIT;
    if (rc == V23_EAGAIN)
        return;
    if (rc == 0) {
        w->sent = w->found.n = 0;
        v23_arena_reset(&w->arena); /* who only waits holds little */
        if (timed || pending)
            vrpc_debug_run_wait_(r, r->d->cfg.watch_period_ns);
        return;
    }
    vrpc_debug_run_finish_(r, rc == V23_ECLOSED
                                  ? NULL
                                  : vrpc_debug_failed_(r->call,
                                        "operation failed for ", w->root));
}

static const struct v23_verror *watch_glob(void *self,
    struct vrpc_server_call *call,
    const v23_watch_glob_watcher_watch_glob_in *in)
{
    const struct vrpc_debug_object_ *o = self;
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct watch *w = v23_arena_new(a, struct watch);
    const struct v23_verror *err;

    if (w == NULL ||
        vrpc_glob_parse(a, in->req.pattern, &w->pattern) != 0)
        return vrpc_debug_failed_(call, "operation failed for ", o->suffix);
    w->root = o->suffix;
    w->since = INT64_MIN;
    w->run.go = watch_go;
    w->run.end = watch_end;
    err = vrpc_debug_run_start_(&w->run, o->d, call);
    if (err != NULL)
        return err;
    v23_arena_init(&w->arena, o->d->cfg.al, BUDGET);
    watch_go(&w->run, true);
    return &vrpc_pending;
}

/* ---- glob ---------------------------------------------------------------- */

struct listing {
    struct vrpc_debug *d;
    struct v23_arena arena;
    struct vrpc_stats_matches found;
    size_t sent;
};

static void listing_free(struct listing *l)
{
    l->d->nruns--;
    v23_arena_fini(&l->arena);
    v23_put(l->d->cfg.al, l);
}

static int send_names(struct listing *l, struct vrpc_glob_call *g)
{
    v23_naming_mount_entry e;
    int rc = 0;

    memset(&e, 0, sizeof(e));
    for (; rc == 0 && l->sent < l->found.n; l->sent += rc == 0) {
        e.name = l->found.v[l->sent].name;
        rc = vrpc_glob_send_entry(g, &e);
    }
    if (rc != V23_EAGAIN)
        listing_free(l);
    return rc;
}

static int glob(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    const struct vrpc_debug_object_ *o = self;
    struct vrpc_debug *d = o->d;
    struct vrpc_stats_query q;
    struct listing *l;
    int rc;

    if (d->nruns >= d->cfg.max_streams)
        return V23_ELIMIT;
    l = v23_new(d->cfg.al, struct listing);
    if (l == NULL)
        return V23_ENOMEM;
    d->nruns++;
    l->d = d;
    v23_arena_init(&l->arena, d->cfg.al, BUDGET);
    memset(&q, 0, sizeof(q));
    q.now = vrpc_mgr_now_(vrpc_glob_server_call(g)->s->m);
    q.since = INT64_MIN;
    rc = vrpc_stats_glob(d->cfg.stats, o->suffix, pattern, &q, &l->arena,
        &l->found);
    if (rc != 0) { /* a missing root has nothing below it */
        listing_free(l);
        return rc == V23_ENOENT ? 0 : rc;
    }
    vrpc_glob_set_data(g, l);
    return send_names(l, g);
}

static void glob_writable(void *self, struct vrpc_glob_call *g)
{
    int rc = send_names(vrpc_glob_data(g), g);

    (void)self;
    if (rc != V23_EAGAIN)
        vrpc_glob_done(g, rc);
}

static void glob_cancel(void *self, struct vrpc_glob_call *g)
{
    (void)self;
    listing_free(vrpc_glob_data(g));
}

struct vrpc_object vrpc_debug_stats_(struct vrpc_debug_object_ *o)
{
    static const v23_stats_stats_vt vt = { { watch_glob }, value };
    static const struct vrpc_globber globber = { NULL, glob, glob_writable,
        glob_cancel };
    struct vrpc_object obj = v23_stats_stats_object(&vt, o);

    obj.glob = &globber;
    return obj;
}
