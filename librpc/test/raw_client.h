/* BSD-3-Clause; see LICENSE. */
/* Clients made by hand: what they write, and a connection to write it on. */
#ifndef RAW_CLIENT_H
#define RAW_CLIENT_H

#include <v23/vdl/v.io/v23/rpc/rpc.vdl.h>
#include <vom/enc.h>

#include "echo.h"

/* What a client writes: types that rpc.Request needs on the type flow, then a
 * request on a flow of its own. */
struct raw {
    struct v23_buf types, values;
};

/* A request that announces `npos` arguments; nargs of them follow. */
static void raw_request(struct raw *r, const char *method, uint64_t npos,
    const struct vdl_type *type, const void *const *args, size_t nargs)
{
    struct vom_typeenc te;
    struct vom_enc e;
    v23_rpc_request req;
    size_t i;

    v23_buf_init(&r->types, NULL, SIZE_MAX);
    v23_buf_init(&r->values, NULL, SIZE_MAX);
    v23_buf_puts(&r->types, "t");
    v23_buf_puts(&r->values, "d");
    vom_typeenc_init(&te, NULL, &r->types);
    vom_enc_init(&e, &te, &r->values);
    memset(&req, 0, sizeof(req));
    req.method = vdl_str(method);
    req.num_pos_args = npos;
    ck_assert_int_eq(vom_encode(&e, &v23_rpc_request_desc, &req), 0);
    for (i = 0; i < nargs; i++)
        ck_assert_int_eq(vom_encode(&e, type, args[i]), 0);
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
}

static void raw_call(struct raw *r, const char *method,
    const struct vdl_type *type, const void *const *args, size_t nargs)
{
    raw_request(r, method, nargs, type, args, nargs);
}

static void raw_free(struct raw *r)
{
    v23_buf_fini(&r->types);
    v23_buf_fini(&r->values);
}

static int refuse_grant(void *ud, struct v23_op op, struct vrpc_call *call,
    struct vsec_blessings **out)
{
    (void)ud;
    (void)op;
    (void)call;
    (void)out;
    return V23_EDENIED;
}

static const struct vrpc_granter refuse = { refuse_grant, NULL };

/* The granter refuses after the connection is there and before any flow. */
static struct vrpc_conn *bare_client(void)
{
    struct vrpc_call_opts o = opts_now();
    struct wnode *n;
    struct result r;

    ck_assert_int_eq(world_node(&W, "raw", 0, &n), 0);
    o.granters = &refuse;
    o.ngranters = 1;
    ck_assert_ptr_nonnull(start(n, world_name(P.s, ""), M_NO, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 2 * SEC));
    ck_assert_str_eq(r.id, VERR "NotTrusted");
    return world_link_of(&W, n)->conn;
}

#endif
