/* BSD-3-Clause; see LICENSE. */
/*
 * A hand-written interface for the tests of calls:
 *   Add(a, b int32) int32              Echo(s string) string
 *   Blob(b []byte) []byte              Fail(kind string)
 *   Sum() stream<int32, int32> int32   running sums, then the total
 *   Count(n int32) stream<_, int32>    0..n-1, as fast as the window opens
 *   Wait()                             answers when told
 *   Any(v any) any
 */
#ifndef ECHO_H
#define ECHO_H

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wunused-function"
#endif

#include "world.h"

#include "rpc_int.h"

#define SEC V23_NS_PER_SEC
#define VERR "v.io/v23/verror."

struct add_in { int32_t a, b; };
struct add_out { int32_t sum; };
struct text { struct vdl_str s; };
struct blob { struct vdl_bytes b; };
struct any1 { struct vdl_any v; };

static inline int deny(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    (void)ud;
    (void)call;
    (void)a;
    (void)wait;
    (void)err;
    return V23_EDENIED;
}
static const struct vsec_authorizer nobody = { deny, NULL, NULL };

/* What the server saw. */
struct echo {
    int calls, cancels, items, ended;
    int cancel_reason;
    struct vrpc_server_call *waiting;
    int32_t sum;
    int32_t next, count;
    const char *retry_until; /* NULL, or Fail fails until calls reach it */
    bool unsent;     /* a sum waits for the window */
    bool auto_reply; /* cancelled Wait calls are replied to */
};

static const struct v23_verror *echo_add(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    const struct add_in *i = in;

    (void)vt;
    (void)call;
    ((struct echo *)self)->calls++;
    ((struct add_out *)out)->sum = i->a + i->b;
    return NULL;
}

static const struct v23_verror *echo_echo(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)call;
    ((struct echo *)self)->calls++;
    *(struct text *)out = *(const struct text *)in;
    return NULL;
}

static const struct v23_verror *echo_blob(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)call;
    ((struct echo *)self)->calls++;
    *(struct blob *)out = *(const struct blob *)in;
    return NULL;
}

static const struct v23_verror *echo_any(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)call;
    ((struct echo *)self)->calls++;
    *(struct any1 *)out = *(const struct any1 *)in;
    return NULL;
}

static const struct v23_verror *echo_fail(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    const struct v23_errctx *ctx = vrpc_server_call_errctx(call);
    const struct text *kind = in;
    struct echo *e = self;

    (void)vt;
    (void)out;
    e->calls++;
    if (vdl_str_is(kind->s, "noexist"))
        return vrpc_err_params(a, ctx, VRPC_ERR_NO_EXIST, &kind->s, 1,
            "does not exist: x");
    if (vdl_str_is(kind->s, "backoff") && e->calls < 3)
        return v23_verror_text(a, ctx, vdl_str("x/y.Later"),
            V23_RETRY_BACKOFF, "later");
    return NULL;
}

static const struct v23_verror *echo_sum(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    struct echo *e = self;

    (void)vt;
    (void)call;
    (void)in;
    (void)out;
    e->calls++;
    e->sum = 0;
    return &vrpc_pending;
}

static void echo_sum_writable(void *ud, struct vrpc_server_call *call)
{
    struct echo *e = ud;

    if (e->unsent && vrpc_server_call_send(call, &e->sum) != V23_EAGAIN) {
        e->unsent = false;
        vrpc_server_call_pause(call, false);
    }
}

static void echo_sum_item(const void *vt, void *self,
    struct vrpc_server_call *call, const void *item)
{
    struct echo *e = self;
    struct add_out out;

    (void)vt;
    if (item == NULL) {
        e->ended++;
        out.sum = e->sum;
        (void)vrpc_server_call_reply(call, NULL, &out);
        return;
    }
    e->items++;
    e->sum += *(const int32_t *)item;
    if (vrpc_server_call_send(call, &e->sum) == V23_EAGAIN) {
        e->unsent = true;
        vrpc_server_call_pause(call, true);
        vrpc_server_call_on_writable(call, echo_sum_writable, e);
    }
}

static void echo_count_more(void *ud, struct vrpc_server_call *call)
{
    struct echo *e = ud;
    int rc = 0;

    while (e->next < e->count && rc == 0) {
        rc = vrpc_server_call_send(call, &e->next);
        if (rc == 0)
            e->next++;
    }
    if (rc == 0)
        (void)vrpc_server_call_reply(call, NULL, NULL);
}

static void echo_cancelled(void *ud, struct vrpc_server_call *call, int reason)
{
    struct echo *e = ud;

    e->cancels++;
    e->cancel_reason = reason;
    if (!e->auto_reply)
        return;
    e->waiting = NULL;
    ck_assert_int_eq(vrpc_server_call_reply(call, NULL, NULL),
        reason == V23_ECANCELED ? V23_ECLOSED : 0);
}

static const struct v23_verror *echo_count(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    struct echo *e = self;

    (void)vt;
    (void)out;
    e->calls++;
    e->next = 0;
    e->count = *(const int32_t *)in;
    e->auto_reply = true;
    vrpc_server_call_on_writable(call, echo_count_more, e);
    vrpc_server_call_on_cancel(call, echo_cancelled, e);
    echo_count_more(e, call);
    return &vrpc_pending;
}

static const struct v23_verror *echo_wait(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    struct echo *e = self;

    (void)vt;
    (void)in;
    (void)out;
    e->calls++;
    e->waiting = call;
    vrpc_server_call_on_cancel(call, echo_cancelled, e);
    return &vrpc_pending;
}

#define STR(lit) VDL_STR_INIT(lit)
static const struct vrpc_arg add_in_args[] = {
    { STR("a"), STR(""), &vdl_int32_desc, offsetof(struct add_in, a) },
    { STR("b"), STR(""), &vdl_int32_desc, offsetof(struct add_in, b) },
};
static const struct vrpc_arg int_args[] = { { STR("n"), STR("the number"),
    &vdl_int32_desc, 0 } };
static const struct vrpc_arg text_args[] = { { STR("s"), STR(""),
    &vdl_string_desc, 0 } };
static const struct vrpc_arg blob_args[] = { { STR("b"), STR(""),
    &vdl_bytes_desc, 0 } };
static const struct vrpc_arg any_args[] = { { STR("v"), STR(""),
    &vdl_any_desc, 0 } };

/* Sorted by name. */
enum { M_ADD, M_ANY, M_BLOB, M_COUNT, M_ECHO, M_FAIL, M_NO, M_SUM, M_WAIT,
    M_N };
static const struct vrpc_method echo_methods[M_N] = {
    [M_ADD] = { .name = STR("Add"), .doc = STR("Add adds."),
        .in = add_in_args, .nin = 2, .in_size = sizeof(struct add_in),
        .out = int_args, .nout = 1, .out_size = sizeof(struct add_out),
        .thunk = echo_add },
    [M_ANY] = { .name = STR("Any"), .in = any_args, .nin = 1,
        .in_size = sizeof(struct any1), .out = any_args, .nout = 1,
        .out_size = sizeof(struct any1), .thunk = echo_any },
    [M_BLOB] = { .name = STR("Blob"), .in = blob_args, .nin = 1,
        .in_size = sizeof(struct blob), .out = blob_args, .nout = 1,
        .out_size = sizeof(struct blob), .thunk = echo_blob },
    [M_COUNT] = { .name = STR("Count"), .in = int_args, .nin = 1,
        .in_size = sizeof(int32_t), .out_stream = &vdl_int32_desc,
        .thunk = echo_count },
    [M_ECHO] = { .name = STR("Echo"), .in = text_args, .nin = 1,
        .in_size = sizeof(struct text), .out = text_args, .nout = 1,
        .out_size = sizeof(struct text), .thunk = echo_echo },
    [M_FAIL] = { .name = STR("Fail"), .in = text_args, .nin = 1,
        .in_size = sizeof(struct text), .thunk = echo_fail },
    [M_NO] = { .name = STR("NoThunk") },
    [M_SUM] = { .name = STR("Sum"), .in_stream = &vdl_int32_desc,
        .out_stream = &vdl_int32_desc, .out = int_args, .nout = 1,
        .out_size = sizeof(struct add_out), .thunk = echo_sum,
        .item = echo_sum_item },
    [M_WAIT] = { .name = STR("Wait"), .thunk = echo_wait },
};
static const struct vrpc_iface echo_iface = { .name = STR("Echo"),
    .pkg_path = STR("x/echo"), .doc = STR("Echo is for tests."),
    .methods = echo_methods, .nmethods = M_N };

/* What a client saw. */
struct result {
    int done;
    char id[96], msg[1024];
    uint8_t retry;
    uint32_t nparams;
    int32_t sum;
    char text[64];
    size_t blob_n;
    bool blob_ok;
    int items;
    int32_t last;
};

static void got_done(vrpc_any_fn *fn, void *ud, const struct v23_verror *err,
    const void *out)
{
    struct result *r = ud;

    (void)fn;
    r->done++;
    if (err != NULL) {
        snprintf(r->id, sizeof(r->id), "%.*s", (int)err->id.n, err->id.p);
        snprintf(r->msg, sizeof(r->msg), "%.*s", (int)err->msg.n,
            err->msg.p);
        r->retry = err->retry;
        r->nparams = err->params.n;
        ck_assert_ptr_null(out);
        return;
    }
    r->id[0] = 0;
    if (out != NULL)
        memcpy(&r->sum, out, sizeof(r->sum));
}

static void got_text(vrpc_any_fn *fn, void *ud, const struct v23_verror *err,
    const void *out)
{
    struct result *r = ud;
    const struct text *t = out;

    got_done(fn, ud, err, out);
    if (t != NULL)
        snprintf(r->text, sizeof(r->text), "%.*s", (int)t->s.n, t->s.p);
}

static void got_blob(vrpc_any_fn *fn, void *ud, const struct v23_verror *err,
    const void *out)
{
    struct result *r = ud;
    const struct blob *b = out;
    uint32_t i;

    got_done(fn, ud, err, out);
    if (b == NULL)
        return;
    r->blob_n = b->b.n;
    r->blob_ok = true;
    for (i = 0; i < b->b.n; i++)
        r->blob_ok = r->blob_ok && b->b.p[i] == (uint8_t)(i * 7);
}

static void got_item(vrpc_any_fn *fn, void *ud, const void *item)
{
    struct result *r = ud;

    (void)fn;
    ck_assert_int_eq(r->done, 0);
    r->items++;
    r->last = *(const int32_t *)item;
}

static void any_fn_dummy(void)
{
}

static const struct vrpc_call_stub stub_plain = { got_done, got_item };
static const struct vrpc_call_stub stub_text = { got_text, NULL };
static const struct vrpc_call_stub stub_blob = { got_blob, NULL };

static struct vrpc_call *start(struct wnode *n, const char *name, int method,
    const struct vrpc_call_opts *opts, const void *in,
    const struct vrpc_call_stub *stub, struct result *r)
{
    memset(r, 0, sizeof(*r));
    return vrpc_client_start(n->c, name, opts, &echo_methods[method], in, stub,
        any_fn_dummy, any_fn_dummy, r);
}

/* ---- the usual two nodes ------------------------------------------------- */

struct pair {
    struct wnode *c, *s;
    struct echo echo;
};

static struct pair P;

static int serve(struct wnode *n, struct echo *e,
    const struct vsec_authorizer *auth)
{
    struct vrpc_server_config sc;

    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &echo_iface;
    sc.object.self = e;
    sc.authorizer = auth;
    sc.component = vdl_str(n->name);
    return vrpc_server_new(n->m, &sc, &n->s);
}

static int pair_init(struct world *w)
{
    int rc;

    memset(&P, 0, sizeof(P));
    rc = world_node(w, "client", 0, &P.c);
    if (rc == 0)
        rc = world_node(w, "server", 77, &P.s);
    if (rc == 0)
        rc = serve(P.s, &P.echo, &vsec_auth_everyone);
    return rc;
}

static void pair_setup(void)
{
    world_setup();
    ck_assert_int_eq(pair_init(&W), 0);
}

/* One attempt: what goes wrong is the result at once. */
static struct vrpc_call_opts opts_now(void)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;

    o.no_retry = true;
    return o;
}

/* The error id of such a call; "" if it succeeds. */
static const char *fail_with(const char *name, int method, const void *in)
{
    static struct result r;
    struct vrpc_call_opts o = opts_now();

    ck_assert_ptr_nonnull(start(P.c, name, method, &o, in, &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 10 * SEC));
    ck_assert_int_eq(r.done, 1);
    return r.id;
}

/* ---- flows written by hand ----------------------------------------------- */

static void raw_ignore(struct vrpc_user_ *u)
{
    (void)u;
}

static void raw_closed(struct vrpc_user_ *u, int status)
{
    (void)u;
    (void)status;
}

static const struct vrpc_user_ops_ raw_ops = { raw_ignore, raw_ignore,
    raw_closed };
static struct vrpc_user_ raw_user = { &raw_ops };

/* A flow whose handle stays the test's. */
static struct vrpc_flow *raw_open(struct vrpc_conn *c)
{
    struct vrpc_flow *f;

    ck_assert_int_eq(vrpc_flow_open(c, NULL, &f), 0);
    vrpc_flow_set_ud(f, &raw_user);
    return f;
}

#endif
