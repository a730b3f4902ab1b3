/* BSD-3-Clause; see LICENSE. */
/* The object "__namespace" (spec/wspr.md 8). */
#include "local_int.h"

#include <string.h>
#include <vname/namespace.h>
#include <vom/time.h>
#include <vom/value.h>

static int begin(struct wspr_call_ *call)
{
    int rc = wspr_ctl_identity_(call->c);

    if (rc != 0)
        return rc;
    call->ns_opts.deadline = call->deadline == V23_NEVER ? 0
                             : call->deadline == 0       ? 1
                                                         : call->deadline;
    call->ns_opts.span = call->opts.span;
    call->waits_for = call;
    return 0;
}

/* The operation has begun, and perhaps ended: then the call is gone. */
static int begun(struct wspr_call_ *call, int rc, struct vname_op *op)
{
    if (rc != 0)
        call->waits_for = NULL;
    else if (op != NULL)
        call->op = op;
    return rc == 0 ? V23_EAGAIN : rc;
}

static void cancel(struct wspr_call_ *call)
{
    vname_op_cancel(call->op);
}

/* ---- answers ------------------------------------------------------------- */

static void done(void *ud, const struct v23_verror *err)
{
    wspr_local_done_(ud, err == NULL ? 0 : V23_EWIREERR, err);
}

/* Of three methods with the same results. */
static void resolved(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e)
{
    struct wspr_call_ *call = ud;
    v23_wspr_namespace_namespace_resolve_out *out = call->out;
    int rc = err == NULL ? 0 : V23_EWIREERR;
    vdl_str_list l;

    if (rc == 0)
        rc = vname_object_names(&call->arena, e, &l);
    if (rc == 0)
        out->addresses = l;
    wspr_local_done_(call, rc, err);
}

static void perms_done(void *ud, const struct v23_verror *err,
    const v23_access_permissions *perms, struct vdl_str version)
{
    struct wspr_call_ *call = ud;
    v23_wspr_namespace_namespace_get_permissions_out *out = call->out;

    if (err == NULL) {
        out->perms = *perms; /* valid while this runs, and sent at once */
        out->version = version;
    }
    wspr_local_done_(call, err == NULL ? 0 : V23_EWIREERR, err);
}

static void glob_reply(void *ud, const v23_naming_glob_reply *reply)
{
    struct vdl_any item;

    item.type = &v23_naming_glob_reply_desc;
    item.val = reply;
    wspr_local_item_(ud, item);
}

/* ---- methods ------------------------------------------------------------- */

static int ns_glob(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_namespace_namespace_glob_in *in = call->in;
    struct vname_op *op = NULL;
    int rc = begin(call);

    (void)err;
    if (rc != 0)
        return rc;
    rc = vname_glob(call->c->ns, in->pattern, &call->ns_opts, glob_reply,
        done, call, &op);
    return begun(call, rc, op);
}

static int ns_mount(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_namespace_namespace_mount_in *in = call->in;
    uint32_t flags = in->replace ? V23_NAMING_REPLACE : 0;
    struct vname_op *op = NULL;
    int64_t ttl;
    int rc = v23_duration_to_ns(in->ttl, &ttl);

    (void)err;
    if (rc == 0)
        rc = begin(call);
    if (rc != 0)
        return rc;
    rc = vname_mount(call->c->ns, in->name, in->server, ttl, flags,
        &call->ns_opts, done, call, &op);
    return begun(call, rc, op);
}

static int ns_unmount(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_namespace_namespace_unmount_in *in = call->in;
    struct vname_op *op = NULL;
    int rc = begin(call);

    (void)err;
    if (rc != 0)
        return rc;
    rc = vname_unmount(call->c->ns, in->name, in->server, &call->ns_opts,
        done, call, &op);
    return begun(call, rc, op);
}

typedef int resolve_fn(struct vname_ns *ns, struct vdl_str name,
    const struct vname_opts *opts, vname_entry_done_fn *fn, void *ud,
    struct vname_op **op);

static int resolve_by(struct wspr_call_ *call, resolve_fn *fn)
{
    const v23_wspr_namespace_namespace_resolve_in *in = call->in;
    struct vname_op *op = NULL;
    int rc = begin(call);

    if (rc != 0)
        return rc;
    rc = fn(call->c->ns, in->name, &call->ns_opts, resolved, call, &op);
    return begun(call, rc, op);
}

static int ns_resolve(struct wspr_call_ *call, const struct v23_verror **err)
{
    (void)err;
    return resolve_by(call, vname_resolve);
}

static int ns_resolve_mt(struct wspr_call_ *call,
    const struct v23_verror **err)
{
    (void)err;
    return resolve_by(call, vname_resolve_to_mount_table);
}

static int ns_shallow(struct wspr_call_ *call, const struct v23_verror **err)
{
    (void)err;
    return resolve_by(call, vname_shallow_resolve);
}

static int ns_flush(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_namespace_namespace_flush_cache_entry_in *in = call->in;
    v23_wspr_namespace_namespace_flush_cache_entry_out *out = call->out;
    int rc = wspr_ctl_identity_(call->c);

    (void)err;
    if (rc == 0)
        out->flushed = vname_ns_flush_name(call->c->ns, in->name);
    return rc;
}

static int ns_disable_cache(struct wspr_call_ *call,
    const struct v23_verror **err)
{
    const v23_wspr_namespace_namespace_disable_cache_in *in = call->in;
    int rc = wspr_ctl_identity_(call->c);

    (void)err;
    if (rc == 0)
        vname_ns_disable_cache(call->c->ns, in->disable);
    return rc;
}

static int ns_roots(struct wspr_call_ *call, const struct v23_verror **err)
{
    v23_wspr_namespace_namespace_roots_out *out = call->out;
    int rc = wspr_ctl_identity_(call->c);

    (void)err;
    if (rc == 0)
        out->roots = vname_ns_roots(call->c->ns);
    return rc;
}

static int ns_set_roots(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_namespace_namespace_set_roots_in *in = call->in;
    struct vdl_str text;
    struct v23_buf b;
    uint32_t i;
    int rc = wspr_ctl_identity_(call->c);

    if (rc == 0)
        rc = vname_ns_set_roots(call->c->ns, in->roots.v, in->roots.n);
    if (rc != V23_EARG)
        return rc;
    v23_buf_init(&b, call->c->al, 4096);
    v23_buf_puts(&b, "At least one root is not a rooted name: [");
    for (i = 0; i < in->roots.n; i++) {
        v23_buf_puts(&b, i > 0 ? " " : "");
        v23_buf_put_str(&b, in->roots.v[i]);
    }
    v23_buf_put_byte(&b, ']');
    text = vdl_strn((const char *)b.p, b.n);
    *err = vrpc_err_params(&call->arena, &call->ctx, VRPC_ERR_INTERNAL, &text,
        1, "internal error: %.*s", (int)text.n, text.p);
    v23_buf_fini(&b);
    return rc;
}

static int ns_set_perms(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_namespace_namespace_set_permissions_in *in = call->in;
    struct vname_op *op = NULL;
    int rc = begin(call);

    (void)err;
    if (rc != 0)
        return rc;
    rc = vname_set_permissions(call->c->ns, in->name, &in->perms, in->version,
        &call->ns_opts, done, call, &op);
    return begun(call, rc, op);
}

static int ns_get_perms(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_namespace_namespace_get_permissions_in *in = call->in;
    struct vname_op *op = NULL;
    int rc = begin(call);

    (void)err;
    if (rc != 0)
        return rc;
    rc = vname_get_permissions(call->c->ns, in->name, &call->ns_opts,
        perms_done, call, &op);
    return begun(call, rc, op);
}

static int ns_delete(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_namespace_namespace_delete_in *in = call->in;
    struct vname_op *op = NULL;
    int rc = begin(call);

    (void)err;
    if (rc != 0)
        return rc;
    rc = vname_delete(call->c->ns, in->name, in->delete_subtree,
        &call->ns_opts, done, call, &op);
    return begun(call, rc, op);
}

const struct wspr_local_ wspr_namespace_[] = {
    { "Glob", ns_glob, cancel, NULL },
    { "Mount", ns_mount, cancel, NULL },
    { "Unmount", ns_unmount, cancel, NULL },
    { "Resolve", ns_resolve, cancel, NULL },
    { "ResolveToMountTable", ns_resolve_mt, cancel, NULL },
    { "ShallowResolve", ns_shallow, cancel, NULL },
    { "FlushCacheEntry", ns_flush, NULL, NULL },
    { "DisableCache", ns_disable_cache, NULL, NULL },
    { "Roots", ns_roots, NULL, NULL },
    { "SetRoots", ns_set_roots, NULL, NULL },
    { "SetPermissions", ns_set_perms, cancel, NULL },
    { "GetPermissions", ns_get_perms, cancel, NULL },
    { "Delete", ns_delete, cancel, NULL },
};
