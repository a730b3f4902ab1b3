/* BSD-3-Clause; see LICENSE. */
/*
 * AppCycle: the calls of Stop are kept in a list until the end. Each item is
 * the whole state, so a call whose window is shut is sent the newest one when
 * it opens again, and nothing is queued.
 */
#include <vrpc/appcycle.h>

#include <v23/vdl/v.io/v23/services/appcycle/appcycle.rpc.h>
#include <vrpc/server.h>
#include <vrpc/verror.h>

/* One call of Stop. */
struct watcher {
    struct vrpc_appcycle *ac;
    struct vrpc_server_call *call;
    struct watcher *next, **pprev;
    bool late; /* an item waits for room */
};

struct vrpc_appcycle {
    struct vrpc_appcycle_config cfg;
    struct watcher *watchers;
    v23_appcycle_task task;
    bool ended;
};

int vrpc_appcycle_new(const struct vrpc_appcycle_config *cfg,
    struct vrpc_appcycle **out)
{
    struct vrpc_appcycle *ac = v23_new(cfg->al, struct vrpc_appcycle);

    if (ac == NULL)
        return V23_ENOMEM;
    ac->cfg = *cfg;
    *out = ac;
    return 0;
}

void vrpc_appcycle_free(struct vrpc_appcycle *ac)
{
    if (ac == NULL)
        return;
    vrpc_appcycle_end(ac);
    v23_put(ac->cfg.al, ac);
}

static void finish(struct watcher *w)
{
    struct vrpc_server_call *call = w->call;

    *w->pprev = w->next;
    if (w->next != NULL)
        w->next->pprev = w->pprev;
    v23_put(w->ac->cfg.al, w);
    (void)v23_appcycle_app_cycle_stop_reply(call, NULL);
}

void vrpc_appcycle_end(struct vrpc_appcycle *ac)
{
    ac->ended = true;
    while (ac->watchers != NULL)
        finish(ac->watchers);
}

/* ---- progress ------------------------------------------------------------ */

static void show(struct watcher *w)
{
    w->late = v23_appcycle_app_cycle_stop_send(w->call, &w->ac->task)
        == V23_EAGAIN;
}

static void on_writable(void *ud, struct vrpc_server_call *call)
{
    struct watcher *w = ud;

    (void)call;
    if (w->late)
        show(w);
}

static void on_cancel(void *ud, struct vrpc_server_call *call, int reason)
{
    (void)call;
    (void)reason;
    finish(ud);
}

static void advance(struct vrpc_appcycle *ac, int32_t *what, int32_t steps)
{
    struct watcher *w;

    if (steps <= 0)
        return;
    *what = *what > INT32_MAX - steps ? INT32_MAX : *what + steps;
    for (w = ac->watchers; w != NULL; w = w->next)
        if (!w->late)
            show(w);
}

void vrpc_appcycle_advance_goal(struct vrpc_appcycle *ac, int32_t steps)
{
    advance(ac, &ac->task.goal, steps);
}

void vrpc_appcycle_advance_progress(struct vrpc_appcycle *ac, int32_t steps)
{
    advance(ac, &ac->task.progress, steps);
}

/* ---- the object ---------------------------------------------------------- */

static const struct v23_verror *stop(void *self, struct vrpc_server_call *call)
{
    struct vrpc_appcycle *ac = self;
    struct watcher *w;

    if (ac->ended)
        return NULL;
    w = v23_new(ac->cfg.al, struct watcher);
    if (w == NULL)
        return vrpc_err_make(vrpc_server_call_arena(call),
            vrpc_server_call_errctx(call), VRPC_ERR_INTERNAL,
            "out of memory");
    w->ac = ac;
    w->call = call;
    w->next = ac->watchers;
    w->pprev = &ac->watchers;
    if (w->next != NULL)
        w->next->pprev = &w->next;
    ac->watchers = w;
    vrpc_server_call_on_writable(call, on_writable, w);
    vrpc_server_call_on_cancel(call, on_cancel, w);
    ac->cfg.stop(ac->cfg.ud);
    return &vrpc_pending;
}

static const struct v23_verror *force_stop(void *self,
    struct vrpc_server_call *call)
{
    struct vrpc_appcycle *ac = self;

    ac->cfg.force_stop(ac->cfg.ud);
    return vrpc_err_make(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), VRPC_ERR_BAD_STATE,
        "the process goes on");
}

static const v23_appcycle_app_cycle_vt methods = { stop, force_stop };

struct vrpc_object vrpc_appcycle_object(struct vrpc_appcycle *ac)
{
    return v23_appcycle_app_cycle_object(&methods, ac);
}
