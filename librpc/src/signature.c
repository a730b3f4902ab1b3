/* BSD-3-Clause; see LICENSE. */
/*
 * __Signature and __MethodSignature from interface descriptors
 * (spec/rpc.md 17.4, spec/vdl.md 11). The object is looked up like that of any
 * call, but nobody is asked whether the caller may see it.
 */
#include "server_int.h"

#include <string.h>
#include <v23/vdl/signature/signature.vdl.h>
#include <vrpc/name.h>

#define MAX_INTERFACES 64u
#define MAX_EMBED_DEPTH 16u

/* Document of the one argument that a streaming method's stream is. */
static const struct vdl_str glob_stream_doc =
    VDL_STR_INIT("Streams matching entries back to the client.");

struct job {
    struct vrpc_server_call *call;
    struct v23_arena *a;
    void *out;             /* list of interfaces, or a method */
    struct vdl_str method; /* of __MethodSignature */
    bool all;              /* __Signature */
};

/* ---- descriptors to signatures ------------------------------------------- */

static int args(struct v23_arena *a, const struct vrpc_arg *v, uint16_t n,
    v23_signature_arg_list *out)
{
    v23_signature_arg *p;
    uint16_t i;

    p = v23_arena_get0(a, n, sizeof(*p), V23_ALIGNOF(v23_signature_arg));
    if (p == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++) {
        p[i].name = v[i].name;
        p[i].doc = v[i].doc;
        p[i].type = v[i].type;
    }
    out->v = p;
    out->n = n;
    return 0;
}

static int stream(struct v23_arena *a, const struct vdl_type *t,
    const v23_signature_arg **out)
{
    v23_signature_arg *p;

    *out = NULL;
    if (t == NULL)
        return 0;
    p = v23_arena_new(a, v23_signature_arg);
    if (p == NULL)
        return V23_ENOMEM;
    p->type = t;
    *out = p;
    return 0;
}

static int method(struct v23_arena *a, const struct vrpc_method *m,
    bool reserved, v23_signature_method *out)
{
    v23_signature_arg *doc;
    char *p;
    int rc;

    memset(out, 0, sizeof(*out));
    out->name = m->name;
    out->doc = m->doc;
    if (reserved) {
        p = v23_arena_get(a, (size_t)m->name.n + 2, 1);
        if (p == NULL)
            return V23_ENOMEM;
        memcpy(p, "__", 2);
        memcpy(p + 2, m->name.p, m->name.n);
        out->name = vdl_strn(p, (size_t)m->name.n + 2);
    }
    rc = args(a, m->in, m->nin, &out->in_args);
    if (rc == 0)
        rc = args(a, m->out, m->nout, &out->out_args);
    if (rc == 0)
        rc = stream(a, m->in_stream, &out->in_stream);
    if (rc == 0)
        rc = stream(a, m->out_stream, &out->out_stream);
    if (rc == 0 && m == &vrpc_reserved_iface_.methods[0]) {
        doc = v23_arena_new(a, v23_signature_arg);
        if (doc == NULL)
            return V23_ENOMEM;
        *doc = *out->out_stream;
        doc->doc = glob_stream_doc;
        out->out_stream = doc;
    }
    out->tags.v = m->tags;
    out->tags.n = m->ntags;
    return rc;
}

static int interface(struct v23_arena *a, const struct vrpc_iface *f,
    bool reserved, v23_signature_interface *out)
{
    v23_signature_embed *e;
    v23_signature_method *m;
    uint16_t i;
    int rc;

    memset(out, 0, sizeof(*out));
    out->name = f->name;
    out->pkg_path = f->pkg_path;
    out->doc = f->doc;
    e = v23_arena_get0(a, f->nembeds, sizeof(*e),
        V23_ALIGNOF(v23_signature_embed));
    m = v23_arena_get0(a, f->nmethods, sizeof(*m),
        V23_ALIGNOF(v23_signature_method));
    if (e == NULL || m == NULL)
        return V23_ENOMEM;
    for (i = 0; i < f->nembeds; i++) {
        e[i].name = f->embeds[i].iface->name;
        e[i].pkg_path = f->embeds[i].iface->pkg_path;
        e[i].doc = f->embeds[i].iface->doc;
    }
    for (i = 0; i < f->nmethods; i++) {
        rc = method(a, &f->methods[i], reserved, &m[i]);
        if (rc != 0)
            return rc;
    }
    out->embeds.v = e;
    out->embeds.n = f->nembeds;
    out->methods.v = m;
    out->methods.n = f->nmethods;
    return 0;
}

/* All interfaces of an object, each once, depth first. */
static size_t collect(const struct vrpc_iface *f,
    const struct vrpc_iface **v, size_t n, unsigned depth)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (vdl_str_eq(v[i]->name, f->name) &&
            vdl_str_eq(v[i]->pkg_path, f->pkg_path))
            return n;
    if (n == MAX_INTERFACES || depth == MAX_EMBED_DEPTH)
        return n;
    v[n++] = f;
    for (i = 0; i < f->nembeds; i++)
        n = collect(f->embeds[i].iface, v, n, depth + 1);
    return n;
}

static int object_signature(struct job *j, const struct vrpc_object *obj)
{
    const struct vrpc_iface *v[MAX_INTERFACES];
    const struct vrpc_dynamic *d = obj->dynamic;
    struct vdl_list *out = j->out;
    v23_signature_interface *p;
    size_t n = 0, i;
    int rc = 0;

    if (d != NULL)
        n = d->ninterfaces;
    else if (obj->iface != NULL)
        n = collect(obj->iface, v, 0, 0);
    p = v23_arena_get0(j->a, n + 1, sizeof(*p),
        V23_ALIGNOF(v23_signature_interface));
    if (p == NULL)
        return V23_ENOMEM;
    if (d != NULL && n > 0)
        memcpy(p, d->interfaces, n * sizeof(*p));
    for (i = 0; i < n && rc == 0 && d == NULL; i++)
        rc = interface(j->a, v[i], false, &p[i]);
    if (rc == 0)
        rc = interface(j->a, &vrpc_reserved_iface_, true, &p[n]);
    out->v = p;
    out->n = (uint32_t)n + 1;
    return rc;
}

/* ---- the calls ----------------------------------------------------------- */

static const struct v23_verror *unknown_method(struct job *j,
    struct vdl_str name)
{
    return vrpc_err_params(j->a, &j->call->ctx, VRPC_ERR_UNKNOWN_METHOD,
        &name, 1, "method does not exist: %.*s", (int)name.n, name.p);
}

static const struct v23_verror *no_object(struct job *j)
{
    struct vdl_str s = j->call->suffix;

    if (!j->all)
        return unknown_method(j, vdl_str("__MethodSignature"));
    return vrpc_err_params(j->a, &j->call->ctx, VRPC_ERR_UNKNOWN_SUFFIX, &s, 1,
        "suffix does not exist: %.*s", (int)s.n, s.p);
}

static const struct v23_verror *finish(struct job *j, int rc,
    const struct vrpc_object *obj, const struct v23_verror *err)
{
    const v23_signature_method *sm;
    const struct vrpc_method *m;
    const void *vt;

    if (rc == V23_EWIREERR && err != NULL)
        return err;
    if (rc == V23_ENOENT || (rc == 0 && !vrpc_object_exists_(obj)))
        return no_object(j);
    if (rc == 0 && j->all) {
        rc = object_signature(j, obj);
    } else if (rc == 0 && obj->dynamic != NULL) {
        sm = vrpc_dynamic_find_(obj->dynamic, j->method);
        if (sm == NULL)
            return unknown_method(j, j->method);
        *(v23_signature_method *)j->out = *sm;
    } else if (rc == 0) {
        m = vrpc_find_method_(obj->iface, NULL, j->method, &vt);
        if (m == NULL)
            return unknown_method(j, j->method);
        rc = method(j->a, m, false, j->out);
    }
    return rc == 0 ? NULL
                   : vrpc_err_make(j->a, &j->call->ctx,
                         rc == V23_ENOMEM ? VRPC_ERR_INTERNAL
                                          : vrpc_err_of_status(rc),
                         "%s", v23_strerror(rc));
}

/* A late lookup: finish as a pending handler would. */
void vrpc_signature_looked_up_(struct vrpc_server_call *call, int rc,
    const struct vrpc_object *obj, const struct v23_verror *err)
{
    struct job *j = call->data;
    const struct v23_verror *e;

    e = finish(j, rc, obj, vrpc_err_copy(j->a, err));
    if (rc == 0) {
        call->obj = *obj;
        call->has_obj = true;
    }
    (void)vrpc_server_call_reply(call, e, e == NULL ? j->out : NULL);
}

static void client_gone(void *ud, struct vrpc_server_call *call, int reason)
{
    struct vrpc_server *s = call->s;
    struct v23_op op = call->op;

    (void)ud;
    (void)reason;
    if (vrpc_op_live_(op)) {
        vrpc_op_end_(&s->m->ops, &call->op);
        if (call->dispatcher->cancel != NULL)
            call->dispatcher->cancel(call->dispatcher->ud, op);
    }
    (void)vrpc_server_call_reply(call,
        vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_CANCELED,
            "canceled"),
        NULL);
}

static const struct v23_verror *look_up(struct job *j)
{
    struct vrpc_server_call *call = j->call;
    struct vrpc_server *s = call->s;
    const struct vsec_authorizer *auth = NULL;
    const struct v23_verror *err = NULL, *e;
    struct vrpc_object obj;
    int rc;

    memset(&obj, 0, sizeof(obj));
    call->dispatcher = vrpc_name_is_reserved(call->suffix) ? s->cfg.reserved
                                                           : s->dispatcher;
    if (call->dispatcher == NULL)
        return no_object(j);
    rc = vrpc_op_new_(&s->m->ops, VRPC_OP_SIGNATURE, call, &call->op);
    if (rc == 0) {
        rc = call->dispatcher->lookup(call->dispatcher->ud, call->op,
            call->suffix, j->a, &obj, &auth, &err);
        if (rc == V23_EAGAIN) {
            vrpc_server_call_on_cancel(call, client_gone, NULL);
            return &vrpc_pending;
        }
        vrpc_op_end_(&s->m->ops, &call->op);
    }
    e = finish(j, rc, &obj, err);
    if (rc == 0) {
        call->obj = obj;
        call->has_obj = true;
    }
    return e;
}

static struct job *new_job(struct vrpc_server_call *call, void *out)
{
    struct job *j = v23_arena_new(&call->arena, struct job);

    if (j == NULL)
        return NULL;
    j->call = call;
    j->a = &call->arena;
    j->out = out;
    call->data = j;
    return j;
}

static const struct v23_verror *out_of_memory(struct vrpc_server_call *call)
{
    return vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_INTERNAL,
        "out of memory");
}

const struct v23_verror *vrpc_signature_(struct vrpc_server_call *call,
    void *out)
{
    struct job *j = new_job(call, out);

    if (j == NULL)
        return out_of_memory(call);
    j->all = true;
    return look_up(j);
}

const struct v23_verror *vrpc_method_signature_(struct vrpc_server_call *call,
    struct vdl_str name, void *out)
{
    struct job *j = new_job(call, out);
    struct vrpc_object self;

    if (j == NULL)
        return out_of_memory(call);
    j->method = name;
    if (!vrpc_name_is_reserved(name))
        return look_up(j);
    memset(&self, 0, sizeof(self));
    self.iface = &vrpc_reserved_iface_;
    j->method = vrpc_name_strip_reserved(name);
    return finish(j, 0, &self, NULL);
}
