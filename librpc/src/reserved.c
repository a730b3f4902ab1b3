/* BSD-3-Clause; see LICENSE. */
/*
 * The built-in object behind method names that begin with "__": its interface,
 * and the search for methods in interfaces (spec/rpc.md 17, vdl.md 13.7).
 */
#include "server_int.h"

#include <v23/vdl/signature/signature.vdl.h>

#define MAX_EMBED_DEPTH 16

/* ---- methods of an interface --------------------------------------------- */

static const struct vrpc_method *own_method(const struct vrpc_iface *iface,
    struct vdl_str name)
{
    size_t lo = 0, hi = iface->nmethods, mid;
    int c;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        c = vdl_str_cmp(iface->methods[mid].name, name);
        if (c == 0)
            return &iface->methods[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static const struct vrpc_method *find(const struct vrpc_iface *iface,
    const void *vt, struct vdl_str name, const void **mvt, unsigned depth)
{
    const struct vrpc_method *m = own_method(iface, name);
    const struct vrpc_embed *e;
    const void *sub;
    uint16_t i;

    if (m != NULL) {
        *mvt = vt;
        return m;
    }
    for (i = 0; i < iface->nembeds && depth < MAX_EMBED_DEPTH; i++) {
        e = &iface->embeds[i];
        sub = vt == NULL ? NULL : (const char *)vt + e->vt_offset;
        m = find(e->iface, sub, name, mvt, depth + 1);
        if (m != NULL)
            return m;
    }
    return NULL;
}

const struct vrpc_method *vrpc_find_method_(const struct vrpc_iface *iface,
    const void *vt, struct vdl_str name, const void **mvt)
{
    return iface == NULL ? NULL : find(iface, vt, name, mvt, 0);
}

/* ---- the built-in object ------------------------------------------------- */

static const struct v23_verror *glob_thunk(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)out;
    return vrpc_glob_start_(call, *(const struct vdl_str *)in);
}

/* The signature says that the client may stream; nobody reads it. */
static void glob_item(const void *vt, void *self,
    struct vrpc_server_call *call, const void *item)
{
    (void)vt;
    (void)self;
    (void)call;
    (void)item;
}

static const struct v23_verror *method_signature_thunk(const void *vt,
    void *self, struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    return vrpc_method_signature_(call, *(const struct vdl_str *)in, out);
}

static const struct v23_verror *signature_thunk(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)in;
    return vrpc_signature_(call, out);
}

const struct vdl_type vrpc_interfaces_desc = {
    .kind = VDL_LIST,
    .flags = VDL_T_ANY | VDL_T_TYPEOBJECT,
    .align = _Alignof(struct vdl_list),
    .size = sizeof(struct vdl_list),
    .elem = &v23_signature_interface_desc,
    .stride = sizeof(v23_signature_interface),
};

static const struct vrpc_arg pattern_arg[] = { { VDL_STR_INIT("pattern"),
    VDL_STR_INIT(""), &vdl_string_desc, 0 } };
static const struct vrpc_arg method_arg[] = { { VDL_STR_INIT("method"),
    VDL_STR_INIT("Method name whose signature will be returned."),
    &vdl_string_desc, 0 } };
static const struct vrpc_arg method_out[] = { { VDL_STR_INIT(""),
    VDL_STR_INIT("Method signature for the given method."),
    &v23_signature_method_desc, 0 } };
static const struct vrpc_arg signature_out[] = { { VDL_STR_INIT(""),
    VDL_STR_INIT("All interface signatures implemented by the object."),
    &vrpc_interfaces_desc, 0 } };

static const struct vrpc_method methods[] = {
    {
        .name = VDL_STR_INIT("Glob"),
        .doc = VDL_STR_INIT("Glob returns all entries matching the pattern."),
        .in = pattern_arg,
        .in_stream = &vdl_any_desc,
        .out_stream = &vdl_any_desc,
        .thunk = glob_thunk,
        .item = glob_item,
        .in_size = sizeof(struct vdl_str),
        .nin = 1,
    },
    {
        .name = VDL_STR_INIT("MethodSignature"),
        .doc = VDL_STR_INIT(
            "MethodSignature returns the signature for the given method."),
        .in = method_arg,
        .out = method_out,
        .thunk = method_signature_thunk,
        .in_size = sizeof(struct vdl_str),
        .out_size = sizeof(v23_signature_method),
        .nin = 1,
        .nout = 1,
    },
    {
        .name = VDL_STR_INIT("Signature"),
        .doc = VDL_STR_INIT(
            "Signature returns all interface signatures implemented by the "
            "object."),
        .out = signature_out,
        .thunk = signature_thunk,
        .out_size = sizeof(struct vdl_list),
        .nout = 1,
    },
};

const struct vrpc_iface vrpc_reserved_iface_ = {
    .name = VDL_STR_INIT("__Reserved"),
    .pkg_path = VDL_STR_INIT(""),
    .doc = VDL_STR_INIT(
        "Reserved methods implemented by the RPC framework.  Each method "
        "name is prefixed with a double underscore \"__\"."),
    .methods = methods,
    .nmethods = 3,
};
