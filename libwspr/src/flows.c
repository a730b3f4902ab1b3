/* BSD-3-Clause; see LICENSE. */
/* Calls that the page serves, and globs (spec/wspr.md 10.4, 10.5). */
#include "wspr_int.h"

#include <string.h>
#include <vom/value.h>

#define MAX_PATTERN 65536u

/* ---- life ---------------------------------------------------------------- */

/* 0 with a flow that has an id. */
static int flow_new(const struct wspr_object_ *o,
    struct vrpc_server_call *call, struct wspr_flow_ **out)
{
    struct wspr_server_ *s = o->server;
    struct wspr_ctl *c = s->c;
    struct wspr_flow_ *f;
    int rc;

    if (s->stopped || c->closing || c->cut)
        return V23_ECLOSED;
    if (c->nasks >= c->cfg.limits.flows)
        return V23_ELIMIT;
    f = v23_new(c->al, struct wspr_flow_);
    if (f == NULL)
        return V23_ENOMEM;
    f->c = c;
    f->server = s;
    f->object = o;
    f->call = call;
    f->e.kind = WSPR_FLOW_;
    f->e.id = wspr_ctl_id_(c);
    wspr_queue_init_(&f->queue);
    rc = wspr_table_add_(c, &f->e);
    if (rc != 0) {
        v23_put(c->al, f);
        return rc;
    }
    f->next = s->flows;
    if (f->next != NULL)
        f->next->link = &f->next;
    f->link = &s->flows;
    s->flows = f;
    c->nasks++;
    wspr_ctl_reading_(c);
    *out = f;
    return 0;
}

static void flow_free(struct wspr_flow_ *f)
{
    struct wspr_ctl *c = f->c;

    wspr_table_drop_(c, &f->e);
    wspr_queue_clear_(c, &f->queue);
    *f->link = f->next;
    if (f->next != NULL)
        f->next->link = f->link;
    if (f->held)
        c->nheld--;
    c->nasks--;
    wspr_ctl_reading_(c);
    v23_put(c->al, f);
}

static const struct v23_verror *failure(struct vrpc_server_call *call, int rc)
{
    return wspr_status_error_(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), rc);
}

void wspr_flows_finish_(struct wspr_flow_ *f, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct vrpc_server_call *call = f->call;
    struct vrpc_glob_call *glob = f->glob;

    flow_free(f);
    if (glob != NULL) { /* what it returned is of no interest */
        vrpc_glob_done(glob, 0);
        return;
    }
    vrpc_server_call_set_data(call, NULL);
    (void)vrpc_server_call_reply_any(call, err, results, n);
}

void wspr_flows_abort_(struct wspr_flow_ *f, bool cancel,
    const struct v23_verror *err)
{
    struct vrpc_server_call *call = f->call;
    struct vrpc_glob_call *glob = f->glob;
    struct wspr_ctl *c = f->c;

    if (cancel && !c->closing && c->era->cancel != NULL)
        (void)!c->era->cancel(c, f->e.id);
    flow_free(f);
    if (glob != NULL) {
        vrpc_glob_fail(glob, err);
        vrpc_glob_done(glob, V23_EWIREERR);
        return;
    }
    vrpc_server_call_set_data(call, NULL);
    (void)vrpc_server_call_reply_any(call, err, NULL, 0);
}

void wspr_flows_stop_(struct wspr_flow_ *f)
{
    wspr_flows_abort_(f, false,
        vrpc_err_make(vrpc_server_call_arena(f->call),
            vrpc_server_call_errctx(f->call), VRPC_ERR_TIMEOUT,
            "timeout: the server was stopped"));
}

static const struct v23_verror *aborted(struct wspr_flow_ *f, const char *why)
{
    return vrpc_err_make(vrpc_server_call_arena(f->call),
        vrpc_server_call_errctx(f->call), VRPC_ERR_ABORTED, "aborted: %s",
        why);
}

/* ---- what the page sends ------------------------------------------------- */

static int send_reply(struct wspr_flow_ *f, const struct vdl_any *item)
{
    v23_naming_glob_reply r;
    int rc;

    memset(&r, 0, sizeof(r));
    if (item->type == NULL)
        return V23_ECOMPAT;
    rc = vdl_convert(&f->c->scratch, &v23_naming_glob_reply_desc, &r,
        item->type, item->val);
    if (rc != 0)
        return rc;
    if (r.which == V23_NAMING_GLOB_REPLY_ENTRY)
        return vrpc_glob_send_entry(f->glob, &r.u.entry);
    return vrpc_glob_send_error(f->glob, r.u.error.name, r.u.error.error);
}

static void bad_item(struct wspr_flow_ *f, int rc)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(f->c);

    wspr_ctl_error_(f->c, f->e.id, vrpc_err_make(&f->c->scratch, &ctx,
                                       VRPC_ERR_BAD_ARG,
                                       "bad argument: stream value: %s",
                                       v23_strerror(rc)));
}

/* 0: it is gone, one way or the other; V23_EAGAIN. */
static int send_item(struct wspr_flow_ *f, struct vdl_str data)
{
    struct wspr_ctl *c = f->c;
    struct v23_arena_mark mark = v23_arena_mark(&c->scratch);
    struct vdl_any item;
    int rc;

    rc = c->era->decode_item(c, &f->e, data, &c->scratch, &item);
    if (rc == 0)
        rc = f->glob != NULL ? send_reply(f, &item)
                             : vrpc_server_call_send_any(f->call, item);
    v23_arena_rewind(&c->scratch, mark);
    if (rc == 0 || rc == V23_EAGAIN)
        return rc;
    if (rc != V23_ECLOSED && rc != V23_ENOENT)
        bad_item(f, rc);
    return 0;
}

/* Send what waits, as far as there is room. */
static void drain(struct wspr_flow_ *f)
{
    struct wspr_ctl *c = f->c;
    struct wspr_chunk_ *k;

    while ((k = f->queue.first) != NULL) {
        if (k->kind == WSPR_REPLY_) {
            c->era->reply(f, vdl_strn(k->text, k->n)); /* the flow is gone */
            return;
        }
        if (send_item(f, vdl_strn(k->text, k->n)) == V23_EAGAIN)
            return;
        wspr_queue_drop_(c, &f->queue);
    }
}

static void enqueue(struct wspr_flow_ *f, enum wspr_chunk_kind_ kind,
    struct vdl_str data)
{
    int rc = wspr_queue_put_(f->c, &f->queue, kind, data);

    if (rc != 0)
        wspr_flows_abort_(f, kind == WSPR_ITEM_,
            rc == V23_ELIMIT ? aborted(f, "the caller does not read")
                             : failure(f->call, rc));
}

void wspr_flows_item_(struct wspr_flow_ *f, struct vdl_str data)
{
    if (f->over || (f->queue.first == NULL && send_item(f, data) == 0))
        return;
    enqueue(f, WSPR_ITEM_, data);
}

void wspr_flows_reply_(struct wspr_flow_ *f, struct vdl_str data)
{
    if (f->over)
        return;
    f->over = true;
    if (f->queue.first == NULL)
        f->c->era->reply(f, data);
    else
        enqueue(f, WSPR_REPLY_, data);
}

/* ---- a call -------------------------------------------------------------- */

static void cancelled(void *ud, struct vrpc_server_call *call, int reason)
{
    struct wspr_flow_ *f = ud;

    (void)call;
    wspr_flows_abort_(f, true, aborted(f, v23_strerror(reason)));
}

static void writable(void *ud, struct vrpc_server_call *call)
{
    (void)call;
    drain(ud);
}

const struct v23_verror *wspr_flows_invoke_(void *self,
    struct vrpc_server_call *call, const struct vdl_any *args, size_t n)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct wspr_flow_ *f;
    int rc = flow_new(self, call, &f);

    if (rc != 0)
        return failure(call, rc);
    f->method = wspr_lower_first_(a, vrpc_server_call_method(call));
    f->args = args;
    f->nargs = n;
    rc = f->c->era->invoke(f);
    if (rc != 0) {
        flow_free(f);
        return failure(call, rc);
    }
    vrpc_server_call_set_data(call, f);
    vrpc_server_call_on_cancel(call, cancelled, f);
    vrpc_server_call_on_writable(call, writable, f);
    return &vrpc_pending;
}

void wspr_flows_client_item_(void *self, struct vrpc_server_call *call,
    const struct vdl_any *item)
{
    struct wspr_flow_ *f = vrpc_server_call_data(call);
    struct wspr_ctl *c;
    int rc;

    (void)self;
    if (f == NULL || f->over)
        return;
    c = f->c;
    rc = item == NULL ? c->era->item_end(c, &f->e)
                      : c->era->item(c, &f->e, *item);
    if (rc != 0) {
        wspr_flows_abort_(f, true, failure(call, rc));
    } else if (!f->held && item != NULL && wspr_ctl_behind_(c)) {
        f->held = true;
        c->nheld++;
        vrpc_server_call_pause(call, true);
    }
}

void wspr_flows_release_(struct wspr_ctl *c)
{
    struct wspr_server_ *s;
    struct wspr_flow_ *f;

    for (s = c->servers; s != NULL; s = s->next)
        for (f = s->flows; f != NULL; f = f->next)
            if (f->held) {
                f->held = false;
                c->nheld--;
                vrpc_server_call_pause(f->call, false);
            }
}

/* ---- globs --------------------------------------------------------------- */

static int glob(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    struct vrpc_server_call *call = vrpc_glob_server_call(g);
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct wspr_flow_ *f;
    struct vdl_any *arg;
    struct vdl_str *text;
    struct v23_buf b;
    int rc = flow_new(self, call, &f);

    if (rc != 0)
        return rc;
    f->glob = g;
    f->method = vdl_str("Glob__");
    v23_buf_init(&b, f->c->al, MAX_PATTERN);
    vrpc_glob_format(pattern, &b);
    text = v23_arena_new(a, struct vdl_str);
    arg = v23_arena_new(a, struct vdl_any);
    if (text != NULL && arg != NULL && b.err == 0) {
        text->p = v23_arena_dup(a, b.p, b.n);
        text->n = (uint32_t)b.n;
    }
    v23_buf_fini(&b);
    if (text == NULL || arg == NULL || text->p == NULL) {
        flow_free(f);
        return V23_ENOMEM;
    }
    arg->type = &vdl_string_desc;
    arg->val = text;
    f->args = arg;
    f->nargs = 1;
    rc = f->c->era->invoke(f);
    if (rc != 0) {
        flow_free(f);
        return rc;
    }
    vrpc_glob_set_data(g, f);
    return V23_EAGAIN;
}

static void glob_writable(void *self, struct vrpc_glob_call *g)
{
    (void)self;
    drain(vrpc_glob_data(g));
}

static void glob_cancel(void *self, struct vrpc_glob_call *g)
{
    struct wspr_flow_ *f = vrpc_glob_data(g);
    struct wspr_ctl *c = f->c;

    (void)self;
    if (!c->closing && c->era->cancel != NULL)
        (void)!c->era->cancel(c, f->e.id);
    flow_free(f);
}

const struct vrpc_globber wspr_flows_globber_ = { NULL, glob, glob_writable,
    glob_cancel };
