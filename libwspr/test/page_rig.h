/* BSD-3-Clause; see LICENSE. */
/*
 * A controller without a socket, in virtual time, with a page before it and
 * real RPC behind it: nodes in memory that serve and call.
 */
#ifndef PAGE_RIG_H
#define PAGE_RIG_H

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wunused-function"
#endif

#define WORLD_NODES 12
#include "servings.h"

#include <v23/vdl/v.io/x/ref/services/wspr/internal/app/app.rpc.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/lib/lib.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/rpc/server/server.vdl.h>
#include <vname/namespace.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/value.h>

#define SEC V23_NS_PER_SEC
#define VERR "v.io/v23/verror."
#define SRV "v.io/x/ref/services/wspr/internal/rpc/server."
#define STR(lit) VDL_STR_INIT(lit)

enum { FINAL, ITEM, ERROR, INVOKE, END, LOOKUP, AUTHORIZE, CANCEL, CAVEATS,
    LOG, GRANTER, BLESSINGS, TYPE, PLAIN };
enum { C_REQUEST = 0, C_RESPONSE = 2, C_ITEM = 3, C_END = 4, C_LOOKUP = 11,
    C_AUTHORIZE = 12, C_CANCEL = 17, C_CAVEATS = 21, C_GRANTER = 22,
    C_TYPE = 23 };

/* ---- the page ------------------------------------------------------------ */

struct got {
    int64_t id;
    unsigned type;
    struct vdl_any v;
    const char *text; /* as it came */
};

static struct {
    struct vom_typeenc te;
    struct v23_buf te_out, payload;
    struct vom_enc enc;
    struct vom_typedec *types;
    struct v23_buf types_in;
    struct v23_arena a;
    struct got got[4096];
    size_t ngot, next;
    size_t queued; /* what the socket has not taken */
    int closes, close_code, closed, resumed;
    bool bad_types; /* count what cannot be decoded */
    int64_t next_id;
} P;

/* ---- the proxy ----------------------------------------------------------- */

static struct {
    struct wspr_ctl *c;
    struct wnode *client;
    struct vname_ns *ns;
    struct wspr_forms *forms;
} X;

static void page_single(struct v23_bytes b, struct vdl_any *out)
{
    int rc = vom_decode_single(b.p, b.n, NULL, &P.a, NULL, out, NULL);

    ck_assert_msg(rc == 0 || P.bad_types, "bad stream: %d", rc);
}

static void page_quoted(const struct vdl_any *s, unsigned type,
    struct vdl_any *out)
{
    const struct vdl_str *text = s->val;
    struct v23_buf b;
    struct vom_dec d;
    struct vom_msg msg;
    size_t used;
    int rc;

    ck_assert_ptr_eq(s->type, &vdl_string_desc);
    v23_buf_init(&b, NULL, SIZE_MAX);
    ck_assert_int_eq(v23_hex_parse(text->p, text->n, &b), 0);
    if (type == GRANTER) {
        page_single(v23_bytes(b.p, b.n), out);
    } else {
        vom_dec_init(&d, NULL, P.types, true);
        rc = vom_dec_next(&d, b.p, b.n, &used, &msg);
        ck_assert_int_eq(rc, 0);
        ck_assert_int_eq(vom_dec_value(&d, &msg, &P.a, NULL, out), 0);
        ck_assert_uint_eq(used, b.n);
        vom_dec_fini(&d);
    }
    v23_buf_fini(&b);
}

static void page_types(const struct vdl_any *v)
{
    const struct vdl_bytes *b = v->val;
    size_t used;

    ck_assert_ptr_eq(v->type, &vdl_bytes_desc);
    v23_buf_put(&P.types_in, b->p, b->n);
    ck_assert_int_eq(vom_typedec_input(P.types, P.types_in.p, P.types_in.n,
        &used), 0);
    v23_buf_drop(&P.types_in, used);
}

static void page_take(const char *text, size_t n)
{
    struct got *g = &P.got[P.ngot];
    const uint8_t *p, *end;
    uint64_t id, type;
    struct vdl_any v;
    struct v23_buf b;

    ck_assert_uint_lt(P.ngot, 4096);
    memset(g, 0, sizeof(*g));
    g->text = v23_arena_dup(&P.a, text, n);
    g->type = PLAIN;
    v23_buf_init(&b, NULL, SIZE_MAX);
    if (v23_hex_parse(text, n, &b) != 0) {
        P.ngot++;
        v23_buf_fini(&b);
        return;
    }
    p = b.p;
    end = b.p + b.n;
    ck_assert_int_eq(vom_get_uint(&p, end, &id), 0);
    ck_assert_int_eq(vom_get_uint(&p, end, &type), 0);
    g->id = (int64_t)id;
    g->type = (unsigned)type;
    memset(&v, 0, sizeof(v));
    page_single(v23_bytes(p, (size_t)(end - p)), &v);
    g->v = v;
    if (type == TYPE) {
        ck_assert_int_eq((int)id, 0);
        page_types(&v);
    } else {
        if (type == FINAL || type == ITEM || type == INVOKE ||
            type == AUTHORIZE || type == GRANTER)
            page_quoted(&v, (unsigned)type, &g->v);
        P.ngot++;
    }
    v23_buf_fini(&b);
}

/* ---- hooks --------------------------------------------------------------- */

static void h_send(void *ud, const char *text, size_t n)
{
    (void)ud;
    page_take(text, n);
}

static size_t h_queued(void *ud)
{
    (void)ud;
    return P.queued;
}

static void h_close(void *ud, int code, const char *why)
{
    (void)ud;
    (void)why;
    P.closes++;
    P.close_code = code;
}

static void h_timer(void *ud)
{
    (void)ud;
}

static int h_identity(void *ud, struct vrpc_client **c, struct vname_ns **ns)
{
    struct vname_ns_config cfg;
    int rc = 0;

    (void)ud;
    if (X.ns == NULL) {
        memset(&cfg, 0, sizeof(cfg));
        cfg.al = &W.t.al;
        cfg.client = X.client->c;
        cfg.component = vdl_str("wsprd");
        rc = vname_ns_new(&cfg, &X.ns);
    }
    *c = X.client->c;
    *ns = X.ns;
    return rc;
}

static const struct wspr_ctl_hooks rig_hooks = {
    .send = h_send,
    .queued = h_queued,
    .close = h_close,
    .timer = h_timer,
    .identity = h_identity,
    SERVING_HOOKS,
};

/* ---- time ---------------------------------------------------------------- */

static void settle(void)
{
    do {
        world_settle(&W);
        if (X.c != NULL && wspr_ctl_next_deadline(X.c) <= W.now.mono_ns)
            wspr_ctl_tick(X.c, &W.now);
        else
            break;
    } while (1);
}

/* Let time pass, for the controller as well. */
static void pass(int64_t ns)
{
    int64_t until = W.now.mono_ns + ns, at;

    settle();
    while (W.now.mono_ns < until) {
        at = X.c == NULL ? until : wspr_ctl_next_deadline(X.c);
        at = at > until ? until : at;
        world_sleep(&W, at - W.now.mono_ns > 0 ? at - W.now.mono_ns : 1);
        settle();
    }
}

/* ---- what the page sends ------------------------------------------------- */

static void say(const char *text)
{
    wspr_ctl_input(X.c, text, strlen(text), &W.now);
}

static void say_hex(int64_t id, int type, const uint8_t *p, size_t n)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_printf(&b, "{\"id\":%d,\"data\":\"", (int)id);
    v23_hex_put(&b, p, n);
    v23_buf_printf(&b, "\",\"type\":%d}", type);
    wspr_ctl_input(X.c, (const char *)b.p, b.n, &W.now);
    v23_buf_fini(&b);
}

/* A payload is put together from values, then sent. */
static void put(const struct vdl_type *t, const void *v)
{
    if (P.payload.n == 0)
        P.enc.started = false;
    ck_assert_int_eq(vom_encode(&P.enc, t, v), 0);
}

static void send_as(int64_t id, int type)
{
    if (P.te_out.n > 0) {
        say_hex(0, C_TYPE, P.te_out.p, P.te_out.n);
        v23_buf_cut(&P.te_out, 0);
    }
    say_hex(id, type, P.payload.p, P.payload.n);
    v23_buf_cut(&P.payload, 0);
}

static void send_value(int64_t id, int type, const struct vdl_type *t,
    const void *v)
{
    put(t, v);
    send_as(id, type);
}

static v23_wspr_app_rpc_request request(const char *name, const char *method,
    int nin, int nout)
{
    v23_wspr_app_rpc_request r;

    memset(&r, 0, sizeof(r));
    r.name = vdl_str(name);
    r.method = vdl_str(method);
    r.num_in_args = nin;
    r.num_out_args = nout;
    r.deadline.no_deadline = true;
    return r;
}

/* The id of a call that is sent; arguments are pairs of type and value. */
static int64_t call_with(const v23_wspr_app_rpc_request *r,
    const struct vdl_any *args)
{
    int64_t id = P.next_id;
    int32_t i;

    P.next_id += 2;
    put(&v23_wspr_app_rpc_request_desc, r);
    for (i = 0; i < r->num_in_args; i++)
        put(args[i].type == NULL ? &vdl_any_desc : args[i].type,
            args[i].type == NULL ? (const void *)&args[i] : args[i].val);
    send_as(id, C_REQUEST);
    return id;
}

static int64_t call_it(const char *name, const char *method,
    const struct vdl_any *args, int nin, int nout)
{
    v23_wspr_app_rpc_request r = request(name, method, nin, nout);

    return call_with(&r, args);
}

/* ---- what the page gets -------------------------------------------------- */

static const struct got *next_any(void)
{
    settle();
    return P.next < P.ngot ? &P.got[P.next++] : NULL;
}

static const struct got *next_of(unsigned type)
{
    const struct got *g = next_any();

    ck_assert_msg(g != NULL, "nothing came, want %u", type);
    if (g->type == ERROR && type != ERROR) {
        const struct v23_verror *const *e = g->v.val;

        ck_abort_msg("error instead of %u: %.*s", type, (int)(*e)->msg.n,
            (*e)->msg.p);
    }
    ck_assert_uint_eq(g->type, type);
    return g;
}

static void nothing(void)
{
    settle();
    ck_assert_uint_eq(P.next, P.ngot);
}

/* Decode into a known type, as pages do by name. */
static void as(const struct got *g, const struct vdl_type *t, void *out)
{
    ck_assert_int_eq(vdl_convert(&P.a, t, out, g->v.type, g->v.val), 0);
}

static v23_wspr_app_rpc_response final_of(int64_t id)
{
    v23_wspr_app_rpc_response r;
    const struct got *g = next_of(FINAL);

    ck_assert_int_eq(g->id, id);
    memset(&r, 0, sizeof(r));
    as(g, &v23_wspr_app_rpc_response_desc, &r);
    return r;
}

static const struct v23_verror *last_error;

static const char *error_of(int64_t id)
{
    const struct got *g = next_of(ERROR);
    const struct v23_verror *e = NULL;

    ck_assert_int_eq(g->id, id);
    as(g, &vdl_error_desc, &e);
    ck_assert_ptr_nonnull(e);
    last_error = e;
    return v23_arena_dup(&P.a, e->id.p, e->id.n);
}

static bool error_says(const char *text)
{
    struct vdl_str m = last_error->msg;
    const char *s = v23_arena_dup(&P.a, m.p, m.n);

    return strstr(s, text) != NULL;
}

static int64_t int_of(struct vdl_any v)
{
    ck_assert_ptr_nonnull(v.type);
    return vdl_get_int(v.type, v.val);
}

static const char *str_of(struct vdl_any v)
{
    const struct vdl_str *s = v.val;

    ck_assert_ptr_nonnull(v.type);
    ck_assert_int_eq(v.type->kind, VDL_STRING);
    return v23_arena_dup(&P.a, s->p, s->n);
}

/* ---- an object of somebody else's ---------------------------------------- */

static struct {
    struct wnode *n;
    struct vrpc_dynamic dynamic;
    struct vrpc_server_call *waiting;
    int calls, items, ended, cancels;
    int64_t sum;
    char language[16];
    struct vdl_any result;
    struct v23_arena a;
    int64_t deadline;
    int to_send; /* items of Count */
    bool granted;
} O;

static const v23_signature_arg any_arg[] = { { .name = STR("v"),
    .type = &vdl_any_desc } };
static const v23_signature_method o_methods[] = {
    { .name = STR("Echo"), .in_args = { any_arg, 1 },
        .out_args = { any_arg, 1 } },
    { .name = STR("Fail") },
    { .name = STR("Sum"), .in_stream = any_arg, .out_stream = any_arg,
        .out_args = { any_arg, 1 } },
    { .name = STR("Wait") },
    { .name = STR("Count"), .in_args = { any_arg, 1 } },
    { .name = STR("Result"), .out_args = { any_arg, 1 } },
};
static const v23_signature_interface o_iface = { .name = STR("Other"),
    .methods = { o_methods, 6 } };

static void o_cancelled(void *ud, struct vrpc_server_call *call, int reason)
{
    (void)ud;
    (void)reason;
    O.cancels++;
    O.waiting = NULL;
    (void)vrpc_server_call_reply_any(call, NULL, NULL, 0);
}

static void o_count(void *ud, struct vrpc_server_call *call)
{
    static char big[2000];
    struct vdl_bytes b = vdl_bytes((const uint8_t *)big, sizeof(big));
    struct vdl_any v = { &vdl_bytes_desc, &b };

    (void)ud;
    while (O.to_send > 0 && vrpc_server_call_send_any(call, v) == 0)
        O.to_send--;
    if (O.to_send == 0)
        (void)vrpc_server_call_reply_any(call, NULL, NULL, 0);
}

static const struct v23_verror *o_invoke(void *self,
    struct vrpc_server_call *call, const struct vdl_any *args, size_t n)
{
    struct vdl_str m = vrpc_server_call_method(call);
    struct vdl_str l = vrpc_server_call_language(call);

    (void)self;
    O.calls++;
    O.granted = vrpc_server_call_granted(call) != NULL;
    O.deadline = vrpc_server_call_deadline(call);
    snprintf(O.language, sizeof(O.language), "%.*s", (int)l.n, l.p);
    if (vdl_str_is(m, "Fail"))
        return v23_verror_text(vrpc_server_call_arena(call), NULL,
            vdl_str("x/y.Own"), V23_RETRY_REFETCH, "on purpose");
    if (vdl_str_is(m, "Echo"))
        (void)vrpc_server_call_reply_any(call, NULL, args, n);
    else if (vdl_str_is(m, "Result"))
        (void)vrpc_server_call_reply_any(call, NULL, &O.result, 1);
    else if (vdl_str_is(m, "Wait")) {
        O.waiting = call;
        vrpc_server_call_pause(call, true);
        vrpc_server_call_on_cancel(call, o_cancelled, NULL);
    } else if (vdl_str_is(m, "Count")) {
        O.to_send = (int)int_of(args[0]);
        vrpc_server_call_on_writable(call, o_count, NULL);
        vrpc_server_call_on_cancel(call, o_cancelled, NULL);
        o_count(NULL, call);
    }
    return &vrpc_pending;
}

static void o_item(void *self, struct vrpc_server_call *call,
    const struct vdl_any *item)
{
    struct vdl_any sum = { &vdl_int64_desc, &O.sum };

    (void)self;
    if (item == NULL) {
        O.ended++;
        if (vdl_str_is(vrpc_server_call_method(call), "Sum"))
            (void)vrpc_server_call_reply_any(call, NULL, &sum, 1);
        return;
    }
    O.items++;
    O.sum += item->type == &vdl_bytes_desc ? 1 : int_of(*item);
    (void)!vrpc_server_call_send_any(call, sum);
}

static void o_init(void)
{
    struct vrpc_server_config sc;

    memset(&O, 0, sizeof(O));
    v23_arena_init(&O.a, NULL, SIZE_MAX);
    O.dynamic.interfaces = &o_iface;
    O.dynamic.ninterfaces = 1;
    O.dynamic.invoke = o_invoke;
    O.dynamic.item = o_item;
    ck_assert_int_eq(world_node(&W, "other", 77, &O.n), 0);
    memset(&sc, 0, sizeof(sc));
    sc.object.dynamic = &O.dynamic;
    sc.authorizer = &vsec_auth_everyone;
    sc.leaf = VRPC_LEAF_NO; /* any suffix */
    ck_assert_int_eq(vrpc_server_new(O.n->m, &sc, &O.n->s), 0);
}

/* ---- life ---------------------------------------------------------------- */

static struct wspr_ctl_config rig_config(void)
{
    struct wspr_ctl_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &W.t.al;
    cfg.hooks = &rig_hooks;
    cfg.principal = X.client->principal;
    cfg.component = vdl_str("wsprd");
    cfg.protocol = WSPR_VOM;
    cfg.forms = X.forms;
    return cfg;
}

static void page_init(void)
{
    memset(&P, 0, sizeof(P));
    v23_buf_init(&P.te_out, NULL, SIZE_MAX);
    v23_buf_init(&P.payload, NULL, SIZE_MAX);
    v23_buf_init(&P.types_in, NULL, SIZE_MAX);
    v23_arena_init(&P.a, NULL, SIZE_MAX);
    vom_typeenc_init(&P.te, NULL, &P.te_out);
    vom_enc_init(&P.enc, &P.te, &P.payload);
    ck_assert_int_eq(vom_typedec_new(NULL, NULL, &P.types), 0);
    P.next_id = 1;
}

static void page_fini(void)
{
    v23_buf_fini(&P.te_out);
    v23_buf_fini(&P.payload);
    v23_buf_fini(&P.types_in);
    v23_arena_fini(&P.a);
    vom_enc_fini(&P.enc);
    vom_typeenc_fini(&P.te);
    vom_typedec_unref(P.types);
}

static void rig_setup(void)
{
    struct wspr_ctl_config cfg;

    world_setup();
    memset(&X, 0, sizeof(X));
    memset(&S, 0, sizeof(S));
    page_init();
    ck_assert_int_eq(wspr_forms_new(NULL, &X.forms), 0);
    ck_assert_int_eq(world_node(&W, "wsprd", 0, &X.client), 0);
    o_init();
    cfg = rig_config();
    ck_assert_int_eq(wspr_ctl_new(&cfg, &X.c), 0);
}

static void on_closed(void *ud)
{
    (void)ud;
    P.closed++;
}

static void rig_close(void)
{
    wspr_ctl_close(X.c, on_closed, NULL);
    settle();
}

static void rig_teardown(void)
{
    if (X.c != NULL)
        rig_close();
    ck_assert_int_eq(P.closed, X.c != NULL);
    vname_ns_free(X.ns);
    wspr_ctl_free(X.c);
    v23_arena_fini(&O.a);
    page_fini();
    world_teardown();
    wspr_forms_free(X.forms);
}

#endif
