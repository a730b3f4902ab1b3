/* BSD-3-Clause; see LICENSE. */
/*
 * The RPC object around a mount table. The server lets everybody in; the table
 * authorizes per node. A glob walks on as fast as the client takes entries.
 */
#include <vname/mount_service.h>

#include <v23/vdl/v.io/v23/services/mounttable/mounttable.rpc.h>
#include <vom/value.h>
#include <vrpc/manager.h>
#include <vsec/authorizer.h>

#include "table_int.h"

static struct vname_mount_service *service(void *self)
{
    return self;
}

static void note(const struct vname_mount_service *s,
    enum vname_mount_logging level, const char *what,
    struct vrpc_server_call *call, struct vdl_str detail)
{
    struct vdl_str name = vrpc_server_call_suffix(call);

    if (s->logging >= level)
        v23_logf(s->log, V23_LOG_INFO, "%s %.*s %.*s", what, (int)name.n,
            name.n == 0 ? "" : name.p, (int)detail.n,
            detail.n == 0 ? "" : detail.p);
}

/* {"name": reason} of each name that was refused, for error texts. */
static vdl_str_list rejected_of(struct vrpc_server_call *call,
    struct v23_arena *a)
{
    v23_security_rejected_blessing_list r = vrpc_server_call_rejected(call);
    vdl_str_list out = { NULL, 0 };
    struct vdl_str *v;
    struct v23_buf b;
    uint32_t i;

    v = r.n == 0 ? NULL
                 : v23_arena_get0(a, r.n, sizeof(*v),
                     _Alignof(struct vdl_str));
    if (v == NULL)
        return out; /* only a text suffers when memory is short */
    v23_buf_init(&b, NULL, 4096);
    for (i = 0; i < r.n; i++) {
        const struct v23_verror *err = r.v[i].err;

        v23_buf_cut(&b, 0);
        v23_buf_puts(&b, "{");
        vdl_format_quoted(&b, r.v[i].blessing.p, r.v[i].blessing.n);
        v23_buf_puts(&b, ": ");
        v23_buf_put_str(&b, err == NULL ? vdl_str("") : err->msg);
        v23_buf_puts(&b, "}");
        v[i].p = v23_arena_dup(a, b.p, b.n);
        v[i].n = v[i].p == NULL ? 0 : (uint32_t)b.n;
    }
    v23_buf_fini(&b);
    out.v = v;
    out.n = r.n;
    return out;
}

/* Who asks; also counts the call. */
static void caller_of(struct vname_mount_service *s,
    struct vrpc_server_call *call, struct vname_caller *c)
{
    struct v23_bytes local = vrpc_server_call_local_key(call);
    struct v23_bytes remote = vrpc_server_call_remote_key(call);

    c->arena = vrpc_server_call_arena(call);
    c->ctx = vrpc_server_call_errctx(call);
    c->names = vrpc_server_call_remote_names(call);
    c->rejected = rejected_of(call, c->arena);
    c->same_key = local.n == remote.n && local.n != 0
        && memcmp(local.p, remote.p, local.n) == 0;
    c->now_ns = vrpc_server_call_received(call).mono_ns;
    vname_table_count_rpc(s->table, c);
}

/* A call that changes the table, and may have to wait for its store. */
struct change {
    struct vname_write w;
    struct vrpc_server_call *call;
};

static void changed(void *ud, const struct v23_verror *err)
{
    struct change *x = ud;

    (void)vrpc_server_call_reply(x->call, err, NULL);
}

static const struct v23_verror *change(struct vname_mount_service *s,
    struct vrpc_server_call *call, const struct vname_write *w)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct change *x = v23_arena_new(a, struct change);
    const struct v23_verror *err;
    struct vname_caller c;

    caller_of(s, call, &c);
    if (x == NULL)
        return vname_err_no_memory_(&c);
    x->call = call;
    x->w = *w;
    x->w.name = vrpc_server_call_suffix(call);
    x->w.done = changed;
    x->w.ud = x;
    err = vname_table_write(s->table, &c, &x->w);
    return err == &vname_waiting ? &vrpc_pending : err;
}

static const struct v23_verror *mount_(void *self,
    struct vrpc_server_call *call,
    const v23_mounttable_mount_table_mount_in *in)
{
    struct vname_write w = { .kind = VNAME_WRITE_MOUNT,
        .server = in->server,
        .ttl = in->ttl,
        .flags = in->flags };

    note(service(self), VNAME_LOG_CHANGES, "Mount", call, in->server);
    return change(service(self), call, &w);
}

static const struct v23_verror *unmount_(void *self,
    struct vrpc_server_call *call,
    const v23_mounttable_mount_table_unmount_in *in)
{
    struct vname_write w = { .kind = VNAME_WRITE_UNMOUNT,
        .server = in->server };

    note(service(self), VNAME_LOG_CHANGES, "Unmount", call, in->server);
    return change(service(self), call, &w);
}

static const struct v23_verror *delete_(void *self,
    struct vrpc_server_call *call,
    const v23_mounttable_mount_table_delete_in *in)
{
    struct vname_write w = { .kind = VNAME_WRITE_DELETE,
        .subtree = in->delete_subtree };

    note(service(self), VNAME_LOG_CHANGES, "Delete", call, vdl_str(""));
    return change(service(self), call, &w);
}

static const struct v23_verror *resolve_step(void *self,
    struct vrpc_server_call *call,
    v23_mounttable_mount_table_resolve_step_out *out)
{
    struct vname_mount_service *s = service(self);
    struct vname_caller c;

    note(s, VNAME_LOG_ALL, "ResolveStep", call, vdl_str(""));
    caller_of(s, call, &c);
    return vname_table_resolve(s->table, &c, vrpc_server_call_suffix(call),
        &out->result);
}

static const struct v23_verror *set_permissions(void *self,
    struct vrpc_server_call *call,
    const v23_permissions_object_set_permissions_in *in)
{
    struct vname_write w = { .kind = VNAME_WRITE_PERMISSIONS,
        .perms = &in->perms,
        .version = in->version };

    note(service(self), VNAME_LOG_CHANGES, "SetPermissions", call,
        in->version);
    return change(service(self), call, &w);
}

static const struct v23_verror *get_permissions(void *self,
    struct vrpc_server_call *call,
    v23_permissions_object_get_permissions_out *out)
{
    struct vname_mount_service *s = service(self);
    struct vname_caller c;

    note(s, VNAME_LOG_ALL, "GetPermissions", call, vdl_str(""));
    caller_of(s, call, &c);
    return vname_table_get_permissions(s->table, &c,
        vrpc_server_call_suffix(call), &out->perms, &out->version);
}

static const v23_mounttable_mount_table_vt methods = {
    .object = { .set_permissions = set_permissions,
        .get_permissions = get_permissions },
    .mount = mount_,
    .unmount = unmount_,
    .delete_ = delete_,
    .resolve_step = resolve_step,
};

/* ---- glob ---------------------------------------------------------------- */

/* A walk that goes on as fast as the client reads. */
struct globbing {
    struct vname_glob *walk;
    const struct vrpc_manager *m;
    v23_naming_mount_entry entry;
    bool waiting; /* the entry was not sent for lack of room */
};

/* Send as much as goes. */
static int send_some(struct vrpc_glob_call *g, struct globbing *x)
{
    int rc = 0;

    for (;;) {
        if (!x->waiting)
            rc = vname_glob_next(x->walk, vrpc_manager_now(x->m).mono_ns,
                &x->entry);
        if (!x->waiting && rc == V23_EAGAIN) {
            vrpc_glob_yield(g); /* a long search: others have their turn */
            return rc;
        }
        if (rc == 0)
            rc = vrpc_glob_send_entry(g, &x->entry);
        x->waiting = rc == V23_EAGAIN;
        if (rc != 0)
            break;
    }
    if (rc == V23_EAGAIN)
        return rc;
    vname_glob_free(x->walk);
    vrpc_glob_set_data(g, NULL);
    return rc == V23_EEOF ? 0 : rc;
}

static int glob(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    struct vname_mount_service *s = service(self);
    struct vrpc_server_call *call = vrpc_glob_server_call(g);
    struct globbing *x = v23_arena_new(vrpc_server_call_arena(call),
        struct globbing);
    struct vname_caller c;
    int rc;

    if (x == NULL)
        return V23_ENOMEM;
    note(s, VNAME_LOG_ALL, "Glob", call, vdl_str(""));
    caller_of(s, call, &c);
    x->m = vrpc_server_manager(vrpc_server_call_server(call));
    rc = vname_glob_new(s->table, &c, vrpc_glob_suffix(g), pattern, &x->walk);
    if (rc != 0)
        return rc;
    vrpc_glob_set_data(g, x);
    return send_some(g, x);
}

static void glob_writable(void *self, struct vrpc_glob_call *g)
{
    struct globbing *x = vrpc_glob_data(g);
    int rc;

    (void)self;
    if (x == NULL)
        return;
    rc = send_some(g, x);
    if (rc != V23_EAGAIN)
        vrpc_glob_done(g, rc);
}

static void glob_cancel(void *self, struct vrpc_glob_call *g)
{
    struct globbing *x = vrpc_glob_data(g);

    (void)self;
    if (x != NULL)
        vname_glob_free(x->walk);
    vrpc_glob_set_data(g, NULL);
}

static const struct vrpc_globber globber = { NULL, glob, glob_writable,
    glob_cancel };

/* ---- dispatch ------------------------------------------------------------ */

static int lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    (void)op;
    (void)suffix;
    (void)a;
    (void)err;
    *obj = v23_mounttable_mount_table_object(&methods, ud);
    obj->glob = &globber;
    *auth = &vsec_auth_everyone;
    return 0;
}

void vname_mount_service_init(struct vname_mount_service *s,
    struct vname_table *table)
{
    memset(s, 0, sizeof(*s));
    s->dispatcher.lookup = lookup;
    s->dispatcher.ud = s;
    s->table = table;
    s->logging = VNAME_LOG_CHANGES;
}
