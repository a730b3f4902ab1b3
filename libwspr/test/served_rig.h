/* BSD-3-Clause; see LICENSE. */
/* A page with a server, and somebody who calls it. */
#ifndef SERVED_RIG_H
#define SERVED_RIG_H

#include "page_rig.h"

#include <v23/vdl/v.io/v23/naming/naming.vdl.h>

/* ---- the caller ---------------------------------------------------------- */

static struct {
    int done, items;
    size_t n;
    char id[128], msg[1024];
    struct vdl_any results[4];
    struct vdl_any last;
    struct v23_arena a;
    struct vrpc_call *call;
} R;

static void r_item(void *ud, struct vdl_any item)
{
    (void)ud;
    R.items++;
    ck_assert_int_eq(vdl_copy(&R.a, &vdl_any_desc, &R.last, &item), 0);
}

static void r_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    size_t i;

    (void)ud;
    R.done++;
    R.n = n;
    R.call = NULL;
    R.id[0] = R.msg[0] = 0;
    if (err != NULL) {
        snprintf(R.id, sizeof(R.id), "%.*s", (int)err->id.n, err->id.p);
        snprintf(R.msg, sizeof(R.msg), "%.*s", (int)err->msg.n, err->msg.p);
        return;
    }
    for (i = 0; i < n && i < 4; i++)
        ck_assert_int_eq(vdl_copy(&R.a, &vdl_any_desc, &R.results[i],
            &results[i]), 0);
}

static const struct vrpc_any_cb r_cb = { r_item, r_done };
static struct vrpc_call_opts r_opts;

static void start(const char *suffix, const char *method,
    const struct vdl_any *args, size_t n)
{
    R.done = R.items = 0;
    R.call = vrpc_client_start_any(O.n->c,
        vdl_str(world_name(S.v[0].n, suffix)), vdl_str(method), &r_opts,
        args, n, VRPC_ANY_RESULTS, &r_cb, NULL);
    ck_assert_ptr_nonnull(R.call);
}

static void start_closed(const char *suffix, const char *method,
    const struct vdl_any *args, size_t n)
{
    start(suffix, method, args, n);
    vrpc_call_close_send(R.call);
}

/* Its error; "" = success. */
static const char *outcome(void)
{
    settle();
    ck_assert_int_eq(R.done, 1);
    return R.id;
}

/* ---- the page's side ----------------------------------------------------- */

/* The next one that does not tell of blessings. */
static const struct got *next_past(unsigned type)
{
    settle();
    while (P.next < P.ngot && P.got[P.next].type == BLESSINGS)
        P.next++;
    return next_of(type);
}

static int64_t new_server(uint32_t id, const char *name, bool leaf)
{
    static const struct vdl_type list = { .kind = VDL_LIST,
        .align = _Alignof(struct vdl_list), .size = sizeof(struct vdl_list),
        .elem = &v23_wspr_app_rpc_server_option_desc,
        .stride = sizeof(v23_wspr_app_rpc_server_option) };
    v23_wspr_app_rpc_server_option o;
    struct vdl_list l = { &o, leaf ? 1 : 0 };
    struct vdl_str s = vdl_str(name);
    struct vdl_any args[3];

    memset(&o, 0, sizeof(o));
    o.which = V23_WSPR_APP_RPC_SERVER_OPTION_IS_LEAF;
    o.u.is_leaf = leaf;
    args[0].type = &vdl_string_desc;
    args[0].val = &s;
    args[1].type = &vdl_uint32_desc;
    args[1].val = &id;
    args[2].type = &list;
    args[2].val = &l;
    return call_it("__controller", "NewServer", args, 3, 0);
}

static int64_t control(const char *method, uint32_t id, const char *name)
{
    struct vdl_str s = vdl_str(name == NULL ? "" : name);
    struct vdl_any args[2];

    args[0].type = &vdl_uint32_desc;
    args[0].val = &id;
    args[1].type = &vdl_string_desc;
    args[1].val = &s;
    return call_it("__controller", method, args, name == NULL ? 1 : 2, 0);
}

static const v23_signature_arg p_arg[] = { { .name = STR("v"),
    .type = &vdl_any_desc } };
static const v23_signature_arg p_int[] = { { .name = STR("n"),
    .type = &vdl_int64_desc } };
static const struct vdl_str p_tag = STR("Read");
static const struct vdl_any p_tags[] = { { &vdl_string_desc, &p_tag } };
static const v23_signature_method p_methods[] = {
    { .name = STR("Add"), .in_args = { p_int, 1 }, .tags = { p_tags, 1 } },
    { .name = STR("Any"), .in_args = { p_arg, 1 } },
    { .name = STR("Stream") },
};
static const v23_signature_interface p_iface = { .name = STR(""),
    .methods = { p_methods, 3 } };

static v23_wspr_server_lookup_reply object(int32_t handle)
{
    v23_wspr_server_lookup_reply r;

    memset(&r, 0, sizeof(r));
    r.handle = handle;
    r.signature.v = &p_iface;
    r.signature.n = 1;
    return r;
}

/* Answer the lookup that comes next. */
static void look_up(const char *suffix, const v23_wspr_server_lookup_reply *r)
{
    const struct got *g = next_past(LOOKUP);
    v23_wspr_server_dispatcher_request q;

    as(g, &v23_wspr_server_dispatcher_request_desc, &q);
    ck_assert_uint_eq(q.server_id, 1);
    ck_assert(vdl_str_is(q.suffix, suffix));
    ck_assert(vdl_str_is(g->v.type->name, SRV "dispatcherRequest"));
    ck_assert_int_eq((int)(g->id % 2), 0);
    send_value(g->id, C_LOOKUP, &v23_wspr_server_lookup_reply_desc, r);
}

/* All caveats that are asked about hold. */
static void allow_caveats(void)
{
    const struct got *g = next_past(CAVEATS);
    v23_wspr_server_caveat_validation_request q;
    v23_wspr_server_caveat_validation_response r;
    const struct v23_verror *none[8];

    as(g, &v23_wspr_server_caveat_validation_request_desc, &q);
    ck_assert_uint_le(q.cavs.n, 8);
    memset(none, 0, sizeof(none));
    r.results.v = none;
    r.results.n = q.cavs.n;
    send_value(g->id, C_CAVEATS,
        &v23_wspr_server_caveat_validation_response_desc, &r);
}

static v23_wspr_server_server_rpc_request invocation;

/* The id of the invocation that comes next. */
static int64_t invoked(const char *method)
{
    const struct got *g = next_past(INVOKE);

    memset(&invocation, 0, sizeof(invocation));
    as(g, &v23_wspr_server_server_rpc_request_desc, &invocation);
    ck_assert(vdl_str_is(invocation.method, method));
    ck_assert_uint_eq(invocation.server_id, 1);
    return g->id;
}

static void reply(int64_t id, const struct vdl_any *results, uint32_t n,
    const struct v23_verror *err)
{
    v23_wspr_lib_server_rpc_reply r;

    memset(&r, 0, sizeof(r));
    r.results.v = results;
    r.results.n = n;
    r.err = err;
    send_value(id, C_RESPONSE, &v23_wspr_lib_server_rpc_reply_desc, &r);
}

/* From the lookup to the invocation. */
static int64_t serve_until(const char *suffix, const char *method)
{
    v23_wspr_server_lookup_reply o = object(7);

    look_up(suffix, &o);
    allow_caveats();
    return invoked(method);
}

static void served_setup(void)
{
    rig_setup();
    memset(&R, 0, sizeof(R));
    memset(&r_opts, 0, sizeof(r_opts));
    v23_arena_init(&R.a, NULL, SIZE_MAX);
    (void)final_of(new_server(1, "a/name", false));
}

static void served_teardown(void)
{
    v23_arena_fini(&R.a);
    rig_teardown();
}

#endif
