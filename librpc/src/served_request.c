/* BSD-3-Clause; see LICENSE. */
/*
 * What a served call is asked for: its request is read, then the object and the
 * method that it names are looked up.
 */
#include "server_int.h"

#include <string.h>
#include <v23/vdl/v.io/x/ref/runtime/internal/rpc/rpc.vdl.h>
#include <vrpc/name.h>
#include <vsec/blessings.h>
#include <vsec/principal.h>

#define OUT_OF_MEMORY "out of memory"

/* ---- request ------------------------------------------------------------- */

static struct vdl_str strip_slashes(struct vdl_str s)
{
    while (s.n > 0 && s.p[0] == '/') {
        s.p++;
        s.n--;
    }
    return s;
}

static char *append(char *to, struct vdl_str s)
{
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

/* name/suffix.Method; a mount table without name counts as named "". */
static void set_context(struct vrpc_server_call *call)
{
    const struct vrpc_server_config *cfg = &call->s->cfg;
    bool slash = call->suffix.n > 0 && (cfg->name.n > 0 || cfg->mount_table);
    size_t n = (size_t)cfg->name.n + slash + call->suffix.n + 1
        + call->method_name.n;
    char *text = v23_arena_get(&call->arena, n, 1), *p;

    call->ctx.component = cfg->component;
    if (text == NULL)
        return;
    p = append(text, cfg->name);
    if (slash)
        *p++ = '/';
    p = append(p, call->suffix);
    *p++ = '.';
    append(p, call->method_name);
    call->ctx.op = vdl_strn(text, n);
}

static void set_deadline(struct vrpc_server_call *call,
    const v23_time_wire_deadline *d)
{
    int64_t s = d->from_now.seconds, ns = d->from_now.nanos;
    int64_t limit = INT64_MAX / V23_NS_PER_SEC / 4;

    call->deadline = V23_NEVER;
    if (s != 0 || ns != 0) {
        s = s > limit ? limit : s < -limit ? -limit : s;
        call->deadline = call->received.mono_ns + s * V23_NS_PER_SEC + ns;
    }
    vrpc_mgr_timer_(call->s->m, &call->timer, call->deadline);
}

/* Blessings granted to us must be for our key. */
static const struct v23_verror *take_granted(struct vrpc_server_call *call,
    const v23_security_wire_blessings *w)
{
    struct vsec_principal *p = call->s->m->principal;
    int rc;

    if (w->certificate_chains.n == 0)
        return NULL;
    rc = vsec_blessings_from_wire(p->engine, call->s->m->chains, w,
        &call->granted);
    if (rc != 0)
        return vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_BAD_PROTOCOL,
            "bad protocol or type: failed to decode request: %s",
            v23_strerror(rc));
    if (call->granted == NULL ||
        vsec_pubkey_eq(vsec_blessings_key(call->granted), p->key))
        return NULL;
    return vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_NO_ACCESS,
        "access denied: blessing granted not bound to this server");
}

static void start_lookup(struct vrpc_server_call *call);

int vrpc_served_request_(struct vrpc_server_call *call)
{
    const struct v23_verror *err;
    v23_rpc_request req;
    struct vom_msg msg;
    int rc;

    rc = vrpc_stream_next_(&call->stream, &msg);
    if (rc == 0) {
        memset(&req, 0, sizeof(req));
        rc = vrpc_stream_value_(&call->stream, &msg, &call->arena,
            &v23_rpc_request_desc, &req);
    }
    if (rc == V23_EAGAIN || rc == V23_EEOF || rc == V23_ECLOSED)
        return rc;
    if (rc != 0) {
        vrpc_served_refuse_(call,
            vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_BAD_PROTOCOL,
                "bad protocol or type: failed to decode request: %s",
                v23_strerror(rc)));
        return V23_EAGAIN;
    }
    call->method_name = req.method;
    call->suffix = strip_slashes(req.suffix);
    call->language = req.language;
    call->nargs = req.num_pos_args;
    call->received = vrpc_mgr_now_(call->s->m);
    set_context(call);
    set_deadline(call, &req.deadline);
    err = take_granted(call, &req.granted_blessings);
    if (err != NULL) {
        vrpc_served_refuse_later_(call, err);
        return 0;
    }
    if (vrpc_served_span_(call, &req.trace_request) == V23_EAGAIN)
        call->state = VRPC_SERVED_TRACE_;
    else
        start_lookup(call);
    return 0;
}

void vrpc_served_traced_(struct vrpc_server_call *call)
{
    start_lookup(call);
    vrpc_served_run_(call);
}

/* ---- lookup -------------------------------------------------------------- */

static void unknown_suffix(struct vrpc_server_call *call)
{
    vrpc_served_refuse_later_(call,
        vrpc_err_params(&call->arena, &call->ctx, VRPC_ERR_UNKNOWN_SUFFIX,
            &call->suffix, 1, "suffix does not exist: %.*s",
            (int)call->suffix.n, call->suffix.p));
}

/* Find the method and get ready for its arguments. */
static void prepare(struct vrpc_server_call *call)
{
    struct vdl_str name = vrpc_name_strip_reserved(call->method_name);
    const struct v23_verror *err = NULL;
    const struct vrpc_method *m;

    if (call->obj.dynamic != NULL)
        m = vrpc_dynamic_method_(call, name, &err);
    else
        m = vrpc_find_method_(call->obj.iface, call->obj.vt, name, &call->vt);
    if (err != NULL) {
        vrpc_served_refuse_later_(call, err);
        return;
    }
    if (m == NULL) {
        vrpc_served_refuse_later_(call,
            vrpc_err_params(&call->arena, &call->ctx, VRPC_ERR_UNKNOWN_METHOD,
                &name, 1, "method does not exist: %.*s", (int)name.n, name.p));
        return;
    }
    if (call->nargs != m->nin) {
        vrpc_served_refuse_later_(call,
            v23_internal_rpc_err_bad_num_input_args(&call->arena, &call->ctx,
                call->suffix, call->method_name, call->nargs, m->nin));
        return;
    }
    call->method = m;
    if (m->in_size > 0) {
        call->in = v23_arena_get0(&call->arena, 1, m->in_size, 16);
        if (call->in == NULL) {
            vrpc_served_refuse_later_(call,
                vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_INTERNAL,
                    OUT_OF_MEMORY));
            return;
        }
    }
    call->state = VRPC_SERVED_ARGS_;
}

static void looked_up(struct vrpc_server_call *call, int rc,
    const struct v23_verror *err)
{
    struct vdl_str why;

    if (rc == 0)
        call->has_obj = true;
    if (rc == 0 && !vrpc_object_exists_(&call->obj))
        rc = V23_ENOENT;
    if (rc == V23_ENOENT) {
        unknown_suffix(call);
    } else if (rc == V23_EWIREERR && err != NULL) {
        vrpc_served_refuse_later_(call, err);
    } else if (rc != 0) {
        why = err == NULL ? vdl_str(v23_strerror(rc)) : err->msg;
        vrpc_served_refuse_later_(call,
            vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_INTERNAL,
                "invalid received object: %.*s", (int)why.n, why.p));
    } else {
        prepare(call);
    }
}

void vrpc_served_looked_up_(struct vrpc_server_call *call, int rc,
    const struct v23_verror *err)
{
    looked_up(call, rc, vrpc_err_copy(&call->arena, err));
    vrpc_served_run_(call);
}

static void start_lookup(struct vrpc_server_call *call)
{
    struct vrpc_server *s = call->s;
    const struct v23_verror *err = NULL;
    int rc;

    call->state = VRPC_SERVED_LOOKUP_;
    if (vrpc_name_is_reserved(call->method_name)) {
        call->obj.iface = &vrpc_reserved_iface_;
        call->obj.self = s;
        call->auth = &vsec_auth_everyone;
        prepare(call);
        return;
    }
    call->dispatcher = s->dispatcher;
    if (vrpc_name_is_reserved(call->suffix))
        call->dispatcher = s->cfg.reserved;
    else if (s->leaf && call->suffix.n > 0)
        call->dispatcher = NULL;
    if (call->dispatcher == NULL) {
        unknown_suffix(call);
        return;
    }
    rc = vrpc_op_new_(&s->m->ops, VRPC_OP_LOOKUP, call, &call->op);
    if (rc == 0) {
        rc = call->dispatcher->lookup(call->dispatcher->ud, call->op,
            call->suffix, &call->arena, &call->obj, &call->auth, &err);
        if (rc == V23_EAGAIN)
            return;
        vrpc_op_end_(&s->m->ops, &call->op);
    }
    looked_up(call, rc, err);
}
