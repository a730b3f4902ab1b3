/* BSD-3-Clause; see LICENSE. */
/*
 * What a call shows and gives to the chosen server: blessings of the store for
 * its names, their discharges, and blessings granted (spec/rpc.md 19.4, 19.5).
 */
#include "call_int.h"
#include "fetch_int.h"

#include <string.h>
#include <vsec/blessings.h>
#include <vsec/principal.h>

/* One granter has answered; its blessings join those of the others. */
static int unite(struct vrpc_call *call, int rc, struct vsec_blessings *b)
{
    struct vsec_blessings *both[2] = { call->granted, b }, *u = NULL;

    if (rc == 0)
        rc = vsec_blessings_union(both, 2, &u);
    if (rc == 0) {
        vsec_blessings_unref(call->granted);
        call->granted = u;
    }
    vsec_blessings_unref(b);
    return rc;
}

/* A granter has answered late. */
static void granted(struct vrpc_call *call, int rc)
{
    if (rc != 0) {
        vrpc_call_end_(call,
            vrpc_call_convert_(call,
                vrpc_err_make(&call->arena, vrpc_call_ctx_(call),
                    VRPC_ERR_NOT_TRUSTED,
                    "client does not trust server: failed to grant blessing "
                    "to server with blessings: %s",
                    v23_strerror(rc))));
        return;
    }
    call->ngrants++;
    vrpc_call_blessed_(call);
}

void vrpc_client_granted(struct vrpc_client *c, struct v23_op op, int rc,
    struct vsec_blessings *b)
{
    struct vrpc_call *call = vrpc_op_owner_(&c->m->ops, op, VRPC_OP_GRANT);

    if (call == NULL) {
        vsec_blessings_unref(b);
        return;
    }
    vrpc_op_end_(&c->m->ops, &call->op);
    granted(call, unite(call, rc, b));
}

void vrpc_call_blessed_(struct vrpc_call *call)
{
    struct vrpc_manager *m = call->c->m;
    const struct vrpc_granter *g;
    struct vsec_blessings *b;
    int rc = 0;

    while (rc == 0 && call->ngrants < call->opts.ngranters) {
        g = &call->opts.granters[call->ngrants];
        b = NULL;
        rc = vrpc_op_new_(&m->ops, VRPC_OP_GRANT, call, &call->op);
        if (rc != 0)
            break;
        call->state = VRPC_CALL_GRANT_;
        rc = g->grant(g->ud, call->op, call, &b);
        if (rc == V23_EAGAIN)
            return;
        vrpc_op_end_(&m->ops, &call->op);
        rc = unite(call, rc, b);
        call->ngrants++;
    }
    if (rc == 0)
        vrpc_call_open_(call);
    else
        granted(call, rc);
}

static void fetched(void *ud, const struct vrpc_fetched_ *f)
{
    struct vrpc_call *call = ud;

    call->fetch = NULL;
    call->discharges = f->v;
    call->ndischarges = f->n;
    vrpc_call_blessed_(call);
}

static int fetch(struct vrpc_call *call)
{
    struct vrpc_fetch_want_ w;
    struct vrpc_fetched_ out;
    int rc;

    memset(&w, 0, sizeof(w));
    w.c = call->c;
    w.m = call->c->m;
    w.b = call->blessings;
    w.call = call;
    w.deadline = call->conn_deadline;
    w.name_auth = call->opts.name_auth;
    w.cached_only = call->opts.no_discharges;
    w.arena = &call->arena;
    w.done = fetched;
    w.ud = call;
    rc = vrpc_fetch_start_(&w, &out, &call->fetch);
    if (rc == 0) {
        call->discharges = out.v;
        call->ndischarges = out.n;
    }
    return rc;
}

void vrpc_call_chosen_(struct vrpc_call *call, struct vrpc_attempt_ *at)
{
    struct vrpc_manager *m = call->c->m;
    int rc;

    if (call->pin != NULL) {
        vrpc_pin_chosen_(call->pin, at->session);
        vrpc_call_end_(call, NULL);
        return;
    }
    vrpc_call_unchoose_(call);
    call->chosen = at;
    call->session = vrpc_session_pin_(at->session);
    vrpc_names_unref_(call->names);
    call->names = at->check.held; /* they are asked for until the end */
    at->check.held = NULL;
    vrpc_call_stop_attempts_(call);
    vsec_blessings_unref(call->peer);
    call->peer = vsec_blessings_ref(at->check.call.remote_blessings);
    rc = vsec_store_for_peer(m->principal->store, at->check.names.remote,
        &call->blessings);
    if (rc == 0) {
        call->state = VRPC_CALL_BLESS_;
        rc = fetch(call);
        if (rc == V23_EAGAIN)
            return;
    }
    if (rc != 0) {
        vrpc_call_end_(call,
            vrpc_err_make(&call->arena, vrpc_call_ctx_(call),
                VRPC_ERR_INTERNAL, "no blessings tagged for peer: %s",
                v23_strerror(rc)));
        return;
    }
    vrpc_call_blessed_(call);
}

vdl_str_list vrpc_call_server_names(const struct vrpc_call *call)
{
    static const vdl_str_list none = { NULL, 0 };

    return call->chosen == NULL ? none : call->chosen->check.names.remote;
}

const struct vrpc_endpoint *vrpc_call_server(const struct vrpc_call *call)
{
    return call->chosen == NULL ? NULL : &call->chosen->place->ep;
}

struct v23_bytes vrpc_call_server_key(const struct vrpc_call *call)
{
    struct vsec_pubkey *k = vsec_blessings_key(call->peer);

    return k == NULL ? v23_bytes(NULL, 0) : v23_bytes(k->der.p, k->der.n);
}

const struct vsec_blessings *vrpc_call_server_blessings(
    const struct vrpc_call *call)
{
    return call->peer;
}
