/* BSD-3-Clause; see LICENSE. */
/* What a handler can ask about its call. */
#include "server_int.h"

#include <vsec/blessings.h>
#include <vsec/principal.h>

struct v23_arena *vrpc_server_call_arena(struct vrpc_server_call *call)
{
    return &call->arena;
}

const struct v23_errctx *vrpc_server_call_errctx(
    const struct vrpc_server_call *call)
{
    return &call->ctx;
}

const struct v23_verror *vrpc_not_implemented(struct vrpc_server_call *call)
{
    struct vdl_str name = call->method_name;

    return vrpc_err_params(&call->arena, &call->ctx, VRPC_ERR_NOT_IMPLEMENTED,
        &name, 1, "not implemented: %.*s", (int)name.n, name.p);
}

struct vdl_str vrpc_server_call_suffix(const struct vrpc_server_call *call)
{
    return call->suffix;
}

struct vdl_str vrpc_server_call_method(const struct vrpc_server_call *call)
{
    return call->method_name;
}

struct vdl_str vrpc_server_call_language(const struct vrpc_server_call *call)
{
    return call->language;
}

struct vrpc_server *vrpc_server_call_server(
    const struct vrpc_server_call *call)
{
    return call->s;
}

vdl_str_list vrpc_server_call_remote_names(
    const struct vrpc_server_call *call)
{
    return call->check.names.remote;
}

v23_security_rejected_blessing_list vrpc_server_call_rejected(
    const struct vrpc_server_call *call)
{
    return call->check.names.rejected;
}

vdl_str_list vrpc_server_call_local_names(const struct vrpc_server_call *call)
{
    return call->check.names.local;
}

const struct vsec_blessings *vrpc_server_call_remote_blessings(
    const struct vrpc_server_call *call)
{
    return call->check.call.remote_blessings;
}

const struct vsec_blessings *vrpc_server_call_local_blessings(
    const struct vrpc_server_call *call)
{
    return call->check.call.local_blessings;
}

const struct vsec_blessings *vrpc_server_call_granted(
    const struct vrpc_server_call *call)
{
    return call->granted;
}

const struct vsec_call *vrpc_server_call_security(
    const struct vrpc_server_call *call)
{
    return &call->check.call;
}

size_t vrpc_server_call_discharges(const struct vrpc_server_call *call)
{
    return call->check.call.nremote_discharges;
}

struct v23_bytes vrpc_server_call_remote_key(
    const struct vrpc_server_call *call)
{
    const struct vsec_pubkey *k =
        vsec_blessings_key(call->check.call.remote_blessings);

    return k == NULL ? v23_bytes(NULL, 0) : v23_bytes(k->der.p, k->der.n);
}

struct v23_bytes vrpc_server_call_local_key(
    const struct vrpc_server_call *call)
{
    const struct vsec_pubkey *k = call->s->m->principal->key;

    return v23_bytes(k->der.p, k->der.n);
}

const struct vrpc_endpoint *vrpc_server_call_remote_endpoint(
    const struct vrpc_server_call *call)
{
    return vrpc_conn_remote_endpoint(call->session->conn);
}

const struct vrpc_endpoint *vrpc_server_call_local_endpoint(
    const struct vrpc_server_call *call)
{
    return vrpc_conn_local_endpoint(call->session->conn);
}

int64_t vrpc_server_call_deadline(const struct vrpc_server_call *call)
{
    return call->deadline;
}

struct v23_now vrpc_server_call_received(const struct vrpc_server_call *call)
{
    return call->received;
}

int vrpc_server_call_status(const struct vrpc_server_call *call)
{
    return call->status;
}

void vrpc_server_call_on_cancel(struct vrpc_server_call *call,
    void (*fn)(void *ud, struct vrpc_server_call *call, int reason), void *ud)
{
    call->cancel_fn = fn;
    call->cancel_ud = ud;
}

void vrpc_server_call_on_writable(struct vrpc_server_call *call,
    void (*fn)(void *ud, struct vrpc_server_call *call), void *ud)
{
    call->writable_fn = fn;
    call->writable_ud = ud;
}

void vrpc_server_call_pause(struct vrpc_server_call *call, bool paused)
{
    bool was = call->paused;

    call->paused = paused;
    if (was && !paused)
        vrpc_mgr_post_(call->s->m, &call->resume_task);
}

void vrpc_server_call_set_data(struct vrpc_server_call *call, void *data)
{
    call->data = data;
}

void *vrpc_server_call_data(const struct vrpc_server_call *call)
{
    return call->data;
}
