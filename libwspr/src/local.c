/* BSD-3-Clause; see LICENSE. */
/* The objects that the proxy itself has for a page: which methods there are. */
#include "local_int.h"

#include <string.h>

static const struct {
    const char *name;
    const struct vrpc_iface *iface;
    const struct wspr_local_ *methods;
} objects[] = {
    { "__controller", &v23_wspr_app_controller_iface, wspr_controller_ },
    { "__namespace", &v23_wspr_namespace_namespace_iface, wspr_namespace_ },
};

static size_t object_of(struct vdl_str name)
{
    size_t i = 0;

    while (i < 2 && !vdl_str_is(name, objects[i].name))
        i++;
    return i;
}

bool wspr_local_is_(struct vdl_str name)
{
    return object_of(name) < 2;
}

static const struct vrpc_method *method_of(const struct vrpc_iface *f,
    struct vdl_str name)
{
    uint16_t i;

    for (i = 0; i < f->nmethods; i++)
        if (vdl_str_eq(f->methods[i].name, name))
            return &f->methods[i];
    return NULL;
}

const struct vrpc_method *wspr_local_find_(struct wspr_call_ *call,
    size_t nargs, const struct v23_verror **err)
{
    size_t o = object_of(call->name);
    const struct vrpc_method *m = method_of(objects[o].iface, call->method);
    const struct wspr_local_ *l = objects[o].methods;
    struct wspr_local_ *own;

    if (m == NULL) {
        *err = vrpc_err_params(&call->arena, &call->ctx,
            VRPC_ERR_UNKNOWN_METHOD, &call->method, 1,
            "method does not exist: %.*s", (int)call->method.n,
            call->method.p);
        return NULL;
    }
    if (m->nin != nargs) {
        *err = vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_BAD_PROTOCOL,
            "wrong number of arguments for %.*s: got %lu, want %u",
            (int)m->name.n, m->name.p, (unsigned long)nargs, m->nin);
        return NULL;
    }
    while (!vdl_str_is(m->name, l->name))
        l++;
    own = v23_arena_new(&call->arena, struct wspr_local_);
    if (own == NULL) {
        *err = wspr_status_error_(&call->arena, &call->ctx, V23_ENOMEM);
        return NULL;
    }
    *own = *l;
    own->method = m;
    call->local = own;
    return m;
}
