/* BSD-3-Clause; see LICENSE. */
/* The RPC object around a neighborhood; everybody may ask. */
#include <vname/mounttable.h>
#include <vname/neighborhood.h>

#include <v23/vdl/v.io/v23/services/mounttable/mounttable.rpc.h>
#include <vrpc/name.h>
#include <vsec/authorizer.h>

/* Cut the first element off. */
static struct vdl_str first(struct vdl_str *name)
{
    const char *slash = name->n == 0 ? NULL : memchr(name->p, '/', name->n);
    struct vdl_str head = *name;

    if (slash == NULL) {
        *name = vdl_str("");
        return head;
    }
    head.n = (uint32_t)(slash - name->p);
    name->p += head.n + 1;
    name->n -= head.n + 1;
    return head;
}

static const struct v23_verror *no_memory(struct vrpc_server_call *call)
{
    return v23_verror_text(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), vdl_str("v.io/v23/verror.Internal"),
        V23_NO_RETRY, "out of memory");
}

static const struct v23_verror *resolve_step(void *self,
    struct vrpc_server_call *call,
    v23_mounttable_mount_table_resolve_step_out *out)
{
    const struct vname_neighborhood_service *s = self;
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct vdl_str name = vrpc_server_call_suffix(call), rest = name;
    int rc;

    if (name.n == 0)
        return v23_naming_err_root_name_doesnt_exist(a,
            vrpc_server_call_errctx(call), name);
    rc = vname_neighborhood_get(s->nh, first(&rest), a, &out->result);
    if (rc == V23_ENOENT)
        return v23_naming_err_name_doesnt_exist(a,
            vrpc_server_call_errctx(call), name);
    while (rest.n != 0 && rest.p[0] == '/') {
        rest.p++;
        rest.n--;
    }
    if (rc == 0)
        rc = vrpc_name_clean(a, rest, &out->result.name);
    return rc == 0 ? NULL : no_memory(call);
}

static const struct v23_verror *get_permissions(void *self,
    struct vrpc_server_call *call,
    v23_permissions_object_get_permissions_out *out)
{
    (void)self;
    (void)call;
    memset(out, 0, sizeof(*out));
    return NULL;
}

/* What would change something has no handler: NotImplemented. */
static const v23_mounttable_mount_table_vt methods = {
    .object = { .get_permissions = get_permissions },
    .resolve_step = resolve_step,
};

/* ---- glob ---------------------------------------------------------------- */

/* A list that goes on as fast as the client reads: it remembers the name that
 * was sent last, since the neighborhood may change in between. */
struct listing {
    const struct vname_neighborhood *nh;
    struct vrpc_glob pattern;
    struct vdl_str only; /* this instance, as the object itself */
    char last[VNAME_MAX_ELEMENT];
    uint32_t nlast;
    struct v23_arena entry;
};

static int send_one(struct vrpc_glob_call *g, struct listing *l,
    struct vdl_str instance, struct vdl_str name)
{
    v23_naming_mount_entry e;
    int rc;

    v23_arena_reset(&l->entry);
    rc = vname_neighborhood_get(l->nh, instance, &l->entry, &e);
    if (rc != 0)
        return rc;
    e.name = name;
    return vrpc_glob_send_entry(g, &e);
}

static int send_list(struct vrpc_glob_call *g, struct listing *l)
{
    struct vdl_str name;
    int rc = 0;

    while (vname_neighborhood_next(l->nh, vdl_strn(l->last, l->nlast),
        &name)) {
        if (vrpc_glob_match(&l->pattern, name))
            rc = send_one(g, l, name, name);
        if (rc != 0)
            break;
        memcpy(l->last, name.p, name.n);
        l->nlast = name.n;
    }
    return rc;
}

static int send_some(struct vrpc_glob_call *g, struct listing *l)
{
    struct vrpc_server_call *call = vrpc_glob_server_call(g);
    int rc = l->only.n != 0 ? send_one(g, l, l->only, vdl_str(""))
                            : send_list(g, l);

    if (rc == V23_EAGAIN)
        return rc;
    v23_arena_fini(&l->entry);
    vrpc_glob_set_data(g, NULL);
    if (rc != V23_ENOENT)
        return rc;
    vrpc_glob_fail(g, v23_naming_err_name_doesnt_exist(
        vrpc_server_call_arena(call), vrpc_server_call_errctx(call),
        l->only));
    return V23_EWIREERR;
}

static int glob(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    const struct vname_neighborhood_service *s = self;
    struct vrpc_server_call *call = vrpc_glob_server_call(g);
    struct listing *l = v23_arena_new(vrpc_server_call_arena(call),
        struct listing);

    if (l == NULL)
        return V23_ENOMEM;
    l->nh = s->nh;
    l->pattern = *pattern;
    l->only = vrpc_glob_suffix(g); /* a longer name is no instance's */
    v23_arena_init(&l->entry, NULL, SIZE_MAX);
    vrpc_glob_set_data(g, l);
    return send_some(g, l);
}

static void glob_writable(void *self, struct vrpc_glob_call *g)
{
    struct listing *l = vrpc_glob_data(g);
    int rc;

    (void)self;
    if (l == NULL)
        return;
    rc = send_some(g, l);
    if (rc != V23_EAGAIN)
        vrpc_glob_done(g, rc);
}

static void glob_cancel(void *self, struct vrpc_glob_call *g)
{
    struct listing *l = vrpc_glob_data(g);

    (void)self;
    if (l != NULL)
        v23_arena_fini(&l->entry);
    vrpc_glob_set_data(g, NULL);
}

static const struct vrpc_globber globber = { NULL, glob, glob_writable,
    glob_cancel };

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

void vname_neighborhood_service_init(struct vname_neighborhood_service *s,
    struct vname_neighborhood *nh)
{
    memset(s, 0, sizeof(*s));
    s->dispatcher.lookup = lookup;
    s->dispatcher.ud = s;
    s->nh = nh;
}
