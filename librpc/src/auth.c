/* BSD-3-Clause; see LICENSE. */
/*
 * Names and authorization of the other end of a call: first the validated
 * names, then the authorizer, either of which may answer later.
 *
 * Names whose caveats, and those of their discharges, depend on nothing but the
 * time are remembered by the session until the second ends, so that a stream of
 * calls does not validate the same certificates again and again.
 */
#include "rpc_int.h"

#include <string.h>
#include <vom/value.h>

/* ---- remembered names ---------------------------------------------------- */

struct vrpc_names_ {
    struct v23_ref ref;
    struct vrpc_manager *m;
    struct v23_arena arena;
    struct vsec_names names;
    struct vsec_blessings *remote, *local; /* references */
    /* Only compared: a connection keeps all arrays that it ever had. */
    struct vsec_discharge *const *discharges;
    int64_t sec; /* good in this second of the wall clock */
};

static void names_destroy(struct v23_ref *r)
{
    struct vrpc_names_ *n = (struct vrpc_names_ *)r;

    vsec_blessings_unref(n->remote);
    vsec_blessings_unref(n->local);
    v23_arena_fini(&n->arena);
    v23_put(n->m->al, n);
}

void vrpc_names_unref_(struct vrpc_names_ *n)
{
    if (n != NULL)
        v23_unref(&n->ref);
}

/* Do they depend on time and discharges only? */
static bool is_simple(const v23_security_caveat_list *l)
{
    uint32_t i;

    for (i = 0; i < l->n; i++)
        if (!vsec_caveat_is(&l->v[i], &vsec_kind_const) &&
            !vsec_caveat_is(&l->v[i], &vsec_kind_expiry) &&
            !vsec_caveat_is(&l->v[i], &vsec_kind_not_before) &&
            !vsec_caveat_is(&l->v[i], &vsec_kind_third_party))
            return false;
    return true;
}

static bool time_only(const struct vsec_call *call)
{
    const struct vsec_blessings *b = call->remote_blessings;
    uint32_t i, j;
    size_t k;

    if (b == NULL)
        return true;
    for (i = 0; i < b->nchains; i++)
        for (j = 0; j < b->chains[i].certs.n; j++)
            if (!is_simple(&b->chains[i].certs.v[j].caveats))
                return false;
    for (k = 0; k < call->nremote_discharges; k++)
        if (!is_simple(&call->remote_discharges[k]
                            ->wire.u.public_key.caveats))
            return false;
    return true;
}

static bool recall(struct vrpc_check_ *c)
{
    struct vrpc_names_ *n = c->session->names;

    if (n == NULL || n->remote != c->call.remote_blessings ||
        n->local != c->call.local_blessings ||
        n->discharges != c->call.remote_discharges ||
        n->sec != c->call.timestamp.sec)
        return false;
    v23_ref(&n->ref);
    c->held = n;
    c->names = n->names;
    return true;
}

static int copy_list(struct v23_arena *a, const vdl_str_list *src,
    vdl_str_list *dst)
{
    return vdl_copy(a, &vdl_str_list_desc, dst, src);
}

/* Failing to remember does no harm. */
static void remember(struct vrpc_check_ *c)
{
    struct vrpc_session_ *s = c->session;
    struct vrpc_names_ *n;

    if (c->names.rejected.n > 0 || c->call.hook != NULL ||
        !time_only(&c->call))
        return;
    n = v23_new(c->m->al, struct vrpc_names_);
    if (n == NULL)
        return;
    n->ref.n = 1;
    n->ref.destroy = names_destroy;
    n->m = c->m;
    v23_arena_init_small(&n->arena, c->m->al, SIZE_MAX, 128);
    n->remote = vsec_blessings_ref(c->call.remote_blessings);
    n->local = vsec_blessings_ref(c->call.local_blessings);
    n->discharges = c->call.remote_discharges;
    n->sec = c->call.timestamp.sec;
    if (copy_list(&n->arena, &c->names.remote, &n->names.remote) != 0 ||
        copy_list(&n->arena, &c->names.local, &n->names.local) != 0) {
        v23_unref(&n->ref);
        return;
    }
    vrpc_names_unref_(s->names);
    s->names = n;
}

/* ---- authorizers --------------------------------------------------------- */

static int ask(struct vrpc_check_ *c, const struct vsec_authorizer *auth,
    const struct v23_verror **err);

/* Both authorizers, one after the other. */
static int ask_all(struct vrpc_check_ *c, const struct v23_verror **err)
{
    int rc = ask(c, c->auth, err);

    if (rc == 0 && c->also != NULL)
        rc = ask(c, c->also, err);
    return rc;
}

static void authorized(void *ud, struct v23_op op, int rc,
    const struct v23_verror *err)
{
    struct vrpc_check_ *c = vrpc_op_owner_(
        &((struct vrpc_manager *)ud)->ops, op, VRPC_OP_CHECK);
    bool first;

    if (c == NULL || c->asked == NULL)
        return;
    vrpc_op_end_(&c->m->ops, &c->op);
    first = c->asked != c->also;
    c->asked = NULL;
    if (rc == 0 && first && c->also != NULL) {
        err = NULL;
        rc = ask(c, c->also, &err);
        if (rc == V23_EAGAIN)
            return;
    }
    c->done(c->ud, rc, err);
}

static int ask(struct vrpc_check_ *c, const struct vsec_authorizer *auth,
    const struct v23_verror **err)
{
    struct vsec_auth_wait wait;
    int rc;

    rc = vrpc_op_new_(&c->m->ops, VRPC_OP_CHECK, c, &c->op);
    if (rc != 0)
        return rc;
    wait.done = authorized;
    wait.ud = c->m;
    wait.op = c->op;
    rc = vsec_authorize(auth, &c->call, c->arena, &wait, err);
    if (rc == V23_EAGAIN)
        c->asked = auth == NULL ? &vsec_auth_default : auth;
    else
        vrpc_op_end_(&c->m->ops, &c->op);
    return rc;
}

/* ---- checks -------------------------------------------------------------- */

static void named(void *ud, int rc, const struct vsec_names *names)
{
    struct vrpc_check_ *c = ud;
    const struct v23_verror *err = NULL;

    c->check = NULL;
    if (rc == 0) {
        c->names = *names;
        c->call.names = &c->names;
        rc = ask_all(c, &err);
        if (rc == V23_EAGAIN)
            return;
    }
    c->done(c->ud, rc, err);
}

int vrpc_check_start_(struct vrpc_check_ *c, const struct v23_verror **err)
{
    struct vsec_check_wait wait;
    int rc;

    if (c->pinned == NULL)
        c->pinned = vrpc_session_pin_(c->session);
    if (c->call.hook != NULL || !recall(c)) {
        wait.done = named;
        wait.ud = c;
        rc = vsec_check_start(&c->call, c->arena, &wait, &c->names,
            &c->check);
        if (rc != V23_EAGAIN)
            c->check = NULL;
        if (rc != 0)
            return rc;
        remember(c);
    }
    c->call.names = &c->names;
    return ask_all(c, err);
}

void vrpc_check_cancel_(struct vrpc_check_ *c)
{
    const struct vsec_authorizer *asked = c->asked;
    struct v23_op op = c->op;

    if (c->check != NULL) {
        vsec_check_cancel(c->check);
        c->check = NULL;
    }
    if (asked == NULL)
        return;
    c->asked = NULL;
    vrpc_op_end_(&c->m->ops, &c->op);
    if (asked->cancel != NULL)
        asked->cancel(asked->ud, op);
}

void vrpc_check_fini_(struct vrpc_check_ *c)
{
    vrpc_check_cancel_(c);
    vrpc_names_unref_(c->held);
    c->held = NULL;
    vrpc_session_unpin_(c->pinned);
    c->pinned = NULL;
}
