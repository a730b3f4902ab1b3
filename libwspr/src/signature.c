/* BSD-3-Clause; see LICENSE. */
/*
 * Signatures of objects by name, remembered for an hour after they were last
 * wanted (spec/wspr.md 7.1). Who asks for one that is on its way waits for it
 * too.
 */
#include "wspr_int.h"

#include <string.h>
#include <vom/value.h>

#define KEEP_NS (3600 * V23_NS_PER_SEC)
#define MAX_BYTES (4u << 20)

struct wspr_signature_ {
    struct wspr_signature_ *next, **link; /* most recently used first */
    struct wspr_ctl *c;
    struct vdl_str name;
    struct vdl_list interfaces; /* of v23_signature_interface */
    struct v23_arena arena;
    struct vrpc_call *rpc; /* NULL: known */
    struct wspr_signature_wait_ *waiting;
    struct vrpc_call_opts opts;
    struct vrpc_span span;
    int64_t used;
    bool dropped; /* nobody is to find it */
};

/* ---- the list ------------------------------------------------------------ */

static void put_first(struct wspr_signature_ *s)
{
    struct wspr_ctl *c = s->c;

    s->next = c->signatures;
    if (s->next != NULL)
        s->next->link = &s->next;
    s->link = &c->signatures;
    c->signatures = s;
}

static void take_out(struct wspr_signature_ *s)
{
    *s->link = s->next;
    if (s->next != NULL)
        s->next->link = s->link;
}

static void signature_free(struct wspr_signature_ *s)
{
    take_out(s);
    s->c->nsignatures--;
    v23_arena_fini(&s->arena);
    v23_put(s->c->al, s);
}

static struct wspr_signature_ *find(struct wspr_ctl *c, struct vdl_str name)
{
    struct wspr_signature_ *s = c->signatures;

    while (s != NULL && (s->dropped || !vdl_str_eq(s->name, name)))
        s = s->next;
    return s;
}

/* Make room: what is old, then what was not used for longest. */
static bool make_room(struct wspr_ctl *c, int64_t now)
{
    struct wspr_signature_ *s, *next, *last = NULL;

    for (s = c->signatures; s != NULL; s = next) {
        next = s->next;
        if (s->rpc != NULL)
            continue;
        if (s->used + KEEP_NS <= now)
            signature_free(s);
        else
            last = s;
    }
    if (c->nsignatures < c->cfg.limits.signatures)
        return true;
    if (last != NULL)
        signature_free(last);
    return last != NULL;
}

/* ---- asking -------------------------------------------------------------- */

void wspr_signature_cancel_(struct wspr_signature_wait_ *w)
{
    if (w->link == NULL)
        return;
    *w->link = w->next;
    if (w->next != NULL)
        w->next->link = w->link;
    w->link = NULL;
}

static void tell(struct wspr_signature_ *s, const struct v23_verror *err)
{
    struct wspr_signature_wait_ *w;

    while ((w = s->waiting) != NULL) {
        wspr_signature_cancel_(w);
        w->done(w, err, err == NULL ? &s->interfaces : NULL);
    }
}

static const struct v23_verror *no_signature(struct wspr_signature_ *s,
    struct vdl_str why)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(s->c);
    struct vdl_str params[2];

    params[0] = s->name;
    params[1] = why;
    return vrpc_err_params(&s->arena, &ctx, VRPC_ERR_NO_SERVERS, params, 2,
        "no usable servers found for %.*s: %.*s", (int)s->name.n, s->name.p,
        (int)why.n, why.p);
}

static void done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct wspr_signature_ *s = ud;
    struct wspr_ctl *c = s->c;
    int rc = err == NULL ? V23_ECONVERT : 0;

    (void)n;
    s->rpc = NULL;
    c->nrpcs--;
    if (err == NULL && results[0].type != NULL)
        rc = vdl_convert(&s->arena, &vrpc_interfaces_desc, &s->interfaces,
            results[0].type, results[0].val);
    if (err != NULL)
        err = no_signature(s, err->msg);
    else if (rc != 0)
        err = no_signature(s, vdl_str(v23_strerror(rc)));
    if (!c->closing)
        tell(s, err);
    if (s->dropped || err != NULL)
        signature_free(s);
    wspr_ctl_progress_(c);
}

static const struct vrpc_any_cb cb = { NULL, done };

static int ask(struct wspr_signature_ *s, const struct wspr_call_ *caller)
{
    struct wspr_ctl *c = s->c;
    int rc = wspr_ctl_identity_(c);

    if (rc != 0)
        return rc;
    if (caller != NULL) {
        s->opts.deadline = caller->deadline == V23_NEVER ? 0
                                                         : caller->deadline;
        s->span = caller->span; /* the caller may be gone before */
        s->span.name = vdl_str("");
        s->opts.span = caller->opts.span == NULL ? NULL : &s->span;
        s->opts.no_retry = caller->opts.no_retry;
        s->opts.connect_timeout_ns = caller->opts.connect_timeout_ns;
    }
    s->opts.language = c->cfg.language;
    s->rpc = vrpc_client_start_any(c->client, s->name,
        vdl_str("__Signature"), &s->opts, NULL, 0, 1, &cb, s);
    if (s->rpc == NULL)
        return V23_ENOMEM;
    c->nrpcs++;
    vrpc_call_close_send(s->rpc);
    return 0;
}

static int start(struct wspr_ctl *c, struct vdl_str name,
    const struct wspr_call_ *caller, struct wspr_signature_ **out)
{
    struct wspr_signature_ *s;
    int rc;

    if (!make_room(c, wspr_ctl_now_(c).mono_ns))
        return V23_ELIMIT;
    s = v23_new(c->al, struct wspr_signature_);
    if (s == NULL)
        return V23_ENOMEM;
    s->c = c;
    v23_arena_init(&s->arena, c->al, MAX_BYTES);
    put_first(s);
    c->nsignatures++;
    s->name.p = v23_arena_dup(&s->arena, name.p, name.n);
    s->name.n = s->name.p == NULL ? 0 : name.n;
    rc = s->name.p == NULL ? V23_ENOMEM : ask(s, caller);
    if (rc != 0)
        signature_free(s);
    else
        *out = s;
    return rc;
}

int wspr_signature_get_(struct wspr_ctl *c, struct vdl_str name,
    const struct wspr_call_ *caller, struct wspr_signature_wait_ *w,
    const struct vdl_list **out)
{
    int64_t now = wspr_ctl_now_(c).mono_ns;
    struct wspr_signature_ *s = find(c, name);
    int rc;

    if (s != NULL && s->rpc == NULL) {
        if (s->used + KEEP_NS > now) {
            s->used = now;
            take_out(s);
            put_first(s);
            *out = &s->interfaces;
            return 0;
        }
        signature_free(s);
        s = NULL;
    }
    if (s == NULL) {
        rc = start(c, name, caller, &s);
        if (rc != 0)
            return rc;
    }
    s->used = now;
    w->next = s->waiting;
    if (w->next != NULL)
        w->next->link = &w->next;
    w->link = &s->waiting;
    s->waiting = w;
    return V23_EAGAIN;
}

void wspr_signature_forget_(struct wspr_ctl *c, struct vdl_str name)
{
    struct wspr_signature_ *s = find(c, name);

    if (s == NULL)
        return;
    if (s->rpc == NULL)
        signature_free(s);
    else
        s->dropped = true;
}

/* ---- the end ------------------------------------------------------------- */

void wspr_signature_close_(struct wspr_ctl *c)
{
    struct wspr_signature_ *s;

    for (s = c->signatures; s != NULL; s = s->next) {
        while (s->waiting != NULL)
            wspr_signature_cancel_(s->waiting);
        if (s->rpc != NULL) {
            s->dropped = true;
            vrpc_call_cancel(s->rpc);
        }
    }
}

void wspr_signature_fini_(struct wspr_ctl *c)
{
    while (c->signatures != NULL)
        signature_free(c->signatures);
}
