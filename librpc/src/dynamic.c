/* BSD-3-Clause; see LICENSE. */
/*
 * Objects whose methods are known at run time only: for each call a descriptor
 * of the one method is made, in the call's arena, so that the rest of serving
 * need not know.
 */
#include "server_int.h"

#include <string.h>

#define MAX_ARGS 65535u

const v23_signature_method *vrpc_dynamic_find_(const struct vrpc_dynamic *d,
    struct vdl_str name)
{
    const v23_signature_interface *f;
    size_t i;
    uint32_t k;

    for (i = 0; i < d->ninterfaces; i++) {
        f = &d->interfaces[i];
        for (k = 0; k < f->methods.n; k++)
            if (vdl_str_eq(f->methods.v[k].name, name))
                return &f->methods.v[k];
    }
    return NULL;
}

/* ---- calling ------------------------------------------------------------- */

static const struct v23_verror *thunk(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    const struct vrpc_dynamic *d = call->obj.dynamic;
    const struct vrpc_method *m = call->method;
    struct vdl_any *args;
    uint16_t i;

    (void)vt;
    (void)out;
    args = v23_arena_get0(&call->arena, m->nin, sizeof(*args),
        V23_ALIGNOF(struct vdl_any));
    if (args == NULL)
        return vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_INTERNAL,
            "out of memory");
    for (i = 0; i < m->nin; i++) {
        args[i].type = m->in[i].type;
        args[i].val = (const char *)in + m->in[i].offset;
        if (args[i].type->kind == VDL_ANY)
            args[i] = *(const struct vdl_any *)args[i].val;
    }
    return d->invoke(self, call, args, m->nin);
}

static void item_thunk(const void *vt, void *self,
    struct vrpc_server_call *call, const void *item)
{
    (void)vt;
    call->obj.dynamic->item(self, call, item);
}

/* ---- descriptors --------------------------------------------------------- */

/* Lay the arguments out like the members of a struct. */
static int lay_out(struct v23_arena *a, const v23_signature_method *sm,
    struct vrpc_method *m)
{
    const struct vdl_type *t;
    struct vrpc_arg *in;
    uint64_t size = 0;
    uint32_t i;

    in = v23_arena_get0(a, sm->in_args.n, sizeof(*in),
        V23_ALIGNOF(struct vrpc_arg));
    if (in == NULL)
        return V23_ENOMEM;
    for (i = 0; i < sm->in_args.n; i++) {
        t = sm->in_args.v[i].type;
        if (t == NULL)
            t = &vdl_any_desc;
        size = (size + t->align - 1) / t->align * t->align;
        if (size + t->size > UINT32_MAX / 2)
            return V23_ELIMIT;
        in[i].name = sm->in_args.v[i].name;
        in[i].type = t;
        in[i].offset = (uint32_t)size;
        size += t->size;
    }
    m->in = in;
    m->nin = (uint16_t)sm->in_args.n;
    m->in_size = (uint32_t)size;
    return 0;
}

static const struct vrpc_method *describe(struct vrpc_server_call *call,
    const v23_signature_method *sm)
{
    struct vrpc_method *m = v23_arena_new(&call->arena, struct vrpc_method);

    if (m == NULL || sm->in_args.n > MAX_ARGS ||
        lay_out(&call->arena, sm, m) != 0)
        return NULL;
    m->name = sm->name;
    m->in_stream = &vdl_any_desc;
    m->out_stream = &vdl_any_desc;
    m->tags = sm->tags.v;
    m->ntags = (uint16_t)(sm->tags.n < MAX_ARGS ? sm->tags.n : MAX_ARGS);
    m->thunk = thunk;
    m->item = call->obj.dynamic->item == NULL ? NULL : item_thunk;
    return m;
}

const struct vrpc_method *vrpc_dynamic_method_(struct vrpc_server_call *call,
    struct vdl_str name, const struct v23_verror **err)
{
    const struct vrpc_dynamic *d = call->obj.dynamic;
    const v23_signature_method *sm = vrpc_dynamic_find_(d, name);
    const struct vrpc_method *m;

    if (d->refuse != NULL && (sm == NULL || sm->in_args.n != call->nargs)) {
        *err = d->refuse(call->obj.self, call, sm, call->nargs);
        if (*err != NULL)
            return NULL;
    }
    if (sm == NULL)
        return NULL;
    m = describe(call, sm);
    if (m == NULL)
        *err = vrpc_err_make(&call->arena, &call->ctx, VRPC_ERR_INTERNAL,
            "arguments of %.*s take too much memory", (int)name.n, name.p);
    return m;
}
