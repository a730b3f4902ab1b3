/* BSD-3-Clause; see LICENSE. */
/* Three nodes whose servers call the next one, with stores of traces. */
#ifndef VRPC_TEST_VTRACE_RIG_H
#define VRPC_TEST_VTRACE_RIG_H

#include "echo.h"

#include <v23/vdl/v.io/v23/services/vtrace/vtrace.rpc.h>
#include <vrpc/vtrace_text.h>

/* ---- stores -------------------------------------------------------------- */

static inline bool has_magic(void *ud, struct vdl_str text)
{
    (void)ud;
    return text.n > 2 && text.p[0] == '.' && text.p[1] == 'W'; /* .Wait */
}

static inline void store_now(void *ud, struct v23_now *out)
{
    *out = ((struct world *)ud)->now;
}

static inline int store_random(void *ud, void *p, size_t n)
{
    return seeded_random(&((struct world *)ud)->seed, p, n);
}

static inline struct vrpc_vtrace_config store_config(void)
{
    struct vrpc_vtrace_config c;

    memset(&c, 0, sizeof(c));
    c.al = &W.t.al;
    c.now = store_now;
    c.random = store_random;
    c.ud = &W;
    return c;
}

/* The next node has this store. */
static inline void with_store(const struct vrpc_vtrace_config *c)
{
    ck_assert_int_eq(vrpc_vtrace_new(c, &W.vtrace), 0);
}

/* ---- a server that calls the next one on behalf of its caller ------------ */

struct hop {
    struct wnode *node;
    const char *next; /* NULL: the last one */
    struct vrpc_server_call *call;
    struct result r;
    struct vdl_str method;
};

static inline void hop_done(vrpc_any_fn *fn, void *ud,
    const struct v23_verror *err,
    const void *out)
{
    struct hop *h = ud;

    (void)fn;
    (void)out;
    (void)vrpc_server_call_reply(h->call, err, NULL);
}

static const struct vrpc_call_stub stub_hop = { hop_done, NULL };

static inline const struct v23_verror *hop(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out);

static const struct vrpc_method hop_method = { .name = STR("Hop"),
    .thunk = hop };
static const struct vrpc_iface hop_iface = { .name = STR("Hop"),
    .pkg_path = STR("x/hop"), .doc = STR(""), .methods = &hop_method,
    .nmethods = 1 };

static inline const struct v23_verror *hop(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    struct vrpc_call_opts o = opts_now();
    struct hop *h = self;

    (void)vt;
    (void)in;
    (void)out;
    vrpc_span_annotatef(vrpc_server_call_span(call), "at %s", h->node->name);
    if (h->next == NULL)
        return NULL;
    h->call = call;
    o.span = vrpc_server_call_span(call);
    if (vrpc_client_start(h->node->c, h->next, &o, &hop_method, NULL,
            &stub_hop, NULL, any_fn_dummy, h) == NULL)
        return vrpc_err_make(vrpc_server_call_arena(call), NULL,
            VRPC_ERR_INTERNAL, "out of memory");
    return &vrpc_pending;
}

/* ---- who may read traces ------------------------------------------------- */

/* The reserved dispatcher of the servers, and what its authorizer saw. */
static struct {
    int asked, lookups, releases;
    int answer; /* 0, V23_EDENIED, V23_EAGAIN */
    bool later, strange;
    struct vsec_auth_wait wait;
} D;

static inline int debug_authorize(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    (void)ud;
    (void)a;
    (void)err;
    D.asked++;
    D.wait = *wait;
    D.strange = !vdl_str_is(call->method, "Trace") ||
                !vdl_str_is(call->suffix, "__debug/vtrace") ||
                call->method_tags.n != 1 ||
                !vdl_str_is(*(const struct vdl_str *)call->method_tags.v->val,
                    "Debug") ||
                call->names == NULL;
    return D.answer;
}

static inline void debug_cancel(void *ud, struct v23_op op)
{
    (void)ud;
    (void)op;
    D.wait.done = NULL;
}

static const struct vsec_authorizer debug_auth = { debug_authorize,
    debug_cancel, NULL };

static inline int debug_lookup(void *ud, struct v23_op op,
    struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    struct wnode *n = ud;

    (void)op;
    (void)a;
    (void)err;
    D.lookups++;
    if (!vdl_str_is(suffix, "__debug/vtrace"))
        return V23_ENOENT;
    *obj = vrpc_vtrace_object(n->vtrace);
    *auth = &debug_auth;
    return D.later ? V23_EAGAIN : 0;
}

static inline void debug_release(void *ud, const struct vrpc_object *obj)
{
    (void)ud;
    (void)obj;
    D.releases++;
}

static inline void no_cancel(void *ud, struct v23_op op)
{
    (void)ud;
    (void)op;
}

/* ---- three nodes --------------------------------------------------------- */

static struct wnode *A, *B, *C;
static struct hop hops[2]; /* of B and C */
static struct vrpc_dispatcher debug[2];
static struct v23_arena arena;
static struct vrpc_span top; /* in A's store */
static struct result R;
static char name_of_c[512];

static inline int serve_hop(struct wnode *n, int i)
{
    struct vrpc_server_config sc;

    memset(&sc, 0, sizeof(sc));
    hops[i].node = n;
    debug[i].lookup = debug_lookup;
    debug[i].release = debug_release;
    debug[i].cancel = no_cancel;
    debug[i].ud = n;
    sc.object.iface = &hop_iface;
    sc.object.self = &hops[i];
    sc.authorizer = &vsec_auth_everyone;
    sc.component = vdl_str(n->name);
    if (n->vtrace != NULL)
        sc.reserved = &debug[i];
    return vrpc_server_new(n->m, &sc, &n->s);
}

/* In place of what a node serves. */
static inline void serve_other(struct wnode *n, const struct vrpc_iface *iface,
    void *self, const struct vrpc_dispatcher *reserved)
{
    struct vrpc_server_config sc;

    vrpc_server_free(n->s);
    n->s = NULL;
    memset(&sc, 0, sizeof(sc));
    sc.object.iface = iface;
    sc.object.self = self;
    sc.authorizer = &vsec_auth_everyone;
    sc.reserved = reserved;
    ck_assert_int_eq(vrpc_server_new(n->m, &sc, &n->s), 0);
}

static inline void make_nodes(const struct vrpc_vtrace_config *a,
    const struct vrpc_vtrace_config *b, const struct vrpc_vtrace_config *c)
{
    memset(&D, 0, sizeof(D));
    memset(hops, 0, sizeof(hops));
    if (a != NULL)
        with_store(a);
    ck_assert_int_eq(world_node(&W, "a", 0, &A), 0);
    if (b != NULL)
        with_store(b);
    ck_assert_int_eq(world_node(&W, "b", 77, &B), 0);
    if (c != NULL)
        with_store(c);
    ck_assert_int_eq(world_node(&W, "c", 78, &C), 0);
    ck_assert_int_eq(serve_hop(B, 0), 0);
    ck_assert_int_eq(serve_hop(C, 1), 0);
    snprintf(name_of_c, sizeof(name_of_c), "%s", world_name(C, ""));
    hops[0].next = name_of_c;
    P.c = A;
    P.s = B;
    if (a != NULL)
        vrpc_span_begin_trace(&top, A->vtrace, vdl_str("top"));
}

static inline void setup(void)
{
    world_setup();
    v23_arena_init(&arena, NULL, SIZE_MAX);
}

static inline void teardown(void)
{
    v23_arena_fini(&arena);
    world_teardown();
}

static inline void all_with_stores(void)
{
    struct vrpc_vtrace_config c = store_config();

    make_nodes(&c, &c, &c);
}

/* A calls B, which calls C. */
static inline struct vrpc_call *start_hop(const struct vrpc_span *span)
{
    struct vrpc_call_opts o = opts_now();
    struct vrpc_call *call;

    memset(&R, 0, sizeof(R));
    o.span = span;
    call = vrpc_client_start(A->c, world_name(B, ""), &o, &hop_method, NULL,
        &stub_plain, NULL, any_fn_dummy, &R);
    ck_assert_ptr_nonnull(call);
    return call;
}

/* The id of its error, or "". */
static inline const char *call_hop(const struct vrpc_span *span)
{
    start_hop(span);
    ck_assert(world_until(&W, &R.done, 10 * SEC));
    return R.id;
}

/* The spans of a trace by name, each with blanks as deep as it is. */
static inline const char *names(struct wnode *n,
    const v23_uniqueid_id *trace)
{
    static char text[4096];
    const struct vrpc_vtrace_node *root, *x;
    v23_vtrace_trace_record r;
    struct v23_buf b;
    struct vdl_str name;
    uint32_t i;

    memset(&r, 0, sizeof(r));
    if (vrpc_vtrace_get(n->vtrace, trace, &arena, &r) != 0)
        return "";
    ck_assert_int_eq(vrpc_vtrace_tree(&r, &arena, &root), 0);
    v23_buf_init_fixed(&b, text, sizeof(text) - 1);
    for (x = root; x != NULL; x = vrpc_vtrace_node_next(x)) {
        for (i = 0; i < x->depth; i++)
            v23_buf_puts(&b, " ");
        name = x->span->name;
        /* Without the endpoint in it. */
        if (name.n > 12 && memcmp(name.p, "<rpc.Client>\"", 13) == 0) {
            v23_buf_puts(&b, "<call>");
            name = vdl_strn(name.p + name.n - 4, 4);
        }
        v23_buf_put_str(&b, name);
        v23_buf_puts(&b, "\n");
    }
    text[b.n] = 0;
    return text;
}

#define DIAL "<rpc.Client>tryConnectToServer\n"

#endif
