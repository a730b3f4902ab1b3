/* BSD-3-Clause; see LICENSE. */
/* Tracing of calls: over several hops, and only for those who may. */
#include "echo.h"

#include <v23/vdl/v.io/v23/services/vtrace/vtrace.rpc.h>
#include <vrpc/vtrace_text.h>

/* ---- stores -------------------------------------------------------------- */

static bool has_magic(void *ud, struct vdl_str text)
{
    (void)ud;
    return text.n > 2 && text.p[0] == '.' && text.p[1] == 'W'; /* .Wait */
}

static void store_now(void *ud, struct v23_now *out)
{
    *out = ((struct world *)ud)->now;
}

static int store_random(void *ud, void *p, size_t n)
{
    return world_random(&((struct world *)ud)->seed, p, n);
}

static struct vrpc_vtrace_config store_config(void)
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
static void with_store(const struct vrpc_vtrace_config *c)
{
    ck_assert_int_eq(vrpc_vtrace_new(c, &W.vtrace), 0);
}

/* ---- a server that calls the next one on behalf of its caller ------------- */

struct hop {
    struct wnode *node;
    const char *next; /* NULL: the last one */
    struct vrpc_server_call *call;
    struct result r;
    struct vdl_str method;
};

static void hop_done(vrpc_any_fn *fn, void *ud, const struct v23_verror *err,
    const void *out)
{
    struct hop *h = ud;

    (void)fn;
    (void)out;
    (void)vrpc_server_call_reply(h->call, err, NULL);
}

static const struct vrpc_call_stub stub_hop = { hop_done, NULL };

static const struct v23_verror *hop(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out);

static const struct vrpc_method hop_method = { .name = STR("Hop"),
    .thunk = hop };
static const struct vrpc_iface hop_iface = { .name = STR("Hop"),
    .pkg_path = STR("x/hop"), .doc = STR(""), .methods = &hop_method,
    .nmethods = 1 };

static const struct v23_verror *hop(const void *vt, void *self,
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

static int debug_authorize(void *ud, const struct vsec_call *call,
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

static void debug_cancel(void *ud, struct v23_op op)
{
    (void)ud;
    (void)op;
    D.wait.done = NULL;
}

static const struct vsec_authorizer debug_auth = { debug_authorize,
    debug_cancel, NULL };

static int debug_lookup(void *ud, struct v23_op op, struct vdl_str suffix,
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

static void debug_release(void *ud, const struct vrpc_object *obj)
{
    (void)ud;
    (void)obj;
    D.releases++;
}

static void no_cancel(void *ud, struct v23_op op)
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

static int serve_hop(struct wnode *n, int i)
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

static void make_nodes(const struct vrpc_vtrace_config *a,
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

static void setup(void)
{
    world_setup();
    v23_arena_init(&arena, NULL, SIZE_MAX);
}

static void teardown(void)
{
    v23_arena_fini(&arena);
    world_teardown();
}

static void all_with_stores(void)
{
    struct vrpc_vtrace_config c = store_config();

    make_nodes(&c, &c, &c);
}

/* A calls B, which calls C. */
static const char *call_hop(const struct vrpc_span *span)
{
    struct vrpc_call_opts o = opts_now();

    memset(&R, 0, sizeof(R));
    o.span = span;
    ck_assert_ptr_nonnull(vrpc_client_start(A->c, world_name(B, ""), &o,
        &hop_method, NULL, &stub_plain, NULL, any_fn_dummy, &R));
    ck_assert(world_until(&W, &R.done, 10 * SEC));
    return R.id;
}

/* The spans of a trace by name, each with blanks as deep as it is. */
static const char *names(struct wnode *n, const v23_uniqueid_id *trace)
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

/* ---- ids without a store ------------------------------------------------- */

static struct vrpc_span seen;

static const struct v23_verror *look(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)in;
    (void)out;
    seen = *vrpc_server_call_span(call);
    return NULL;
}

static const struct vrpc_method look_method = { .name = STR("Hop"),
    .thunk = look };
static const struct vrpc_iface look_iface = { .name = STR("Look"),
    .methods = &look_method, .nmethods = 1 };

START_TEST(ids_travel_without_any_store)
{
    struct vrpc_server_config sc;
    struct vrpc_span parent, first;

    make_nodes(NULL, NULL, NULL);
    vrpc_server_free(C->s);
    C->s = NULL;
    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &look_iface;
    sc.authorizer = &vsec_auth_everyone;
    ck_assert_int_eq(vrpc_server_new(C->m, &sc, &C->s), 0);
    ck_assert_str_eq(call_hop(NULL), "");
    first = seen;
    memset(&parent, 0, sizeof(parent));
    parent.trace.v[3] = 9;
    parent.id.v[5] = 4;
    ck_assert_str_eq(call_hop(&parent), "");

    ck_assert_ptr_null(first.store);
    ck_assert(memcmp(&first.trace, &first.parent, 16) != 0);
    ck_assert(memcmp(&first.trace, &seen.trace, 16) != 0);
    ck_assert_int_eq(memcmp(&seen.trace, &parent.trace, 16), 0);
    ck_assert(memcmp(&seen.parent, &parent.id, 16) != 0);
    vrpc_span_begin(&parent, &seen, vdl_str("x")); /* the same, renamed */
    ck_assert_int_eq(memcmp(&parent.id, &seen.id, 16), 0);
}
END_TEST

static size_t allocations(void)
{
    size_t before;
    int i;

    for (i = 0; i < 20; i++)
        ck_assert_str_eq(call_hop(NULL), "");
    before = W.t.calls;
    for (i = 0; i < 20; i++)
        ck_assert_str_eq(call_hop(NULL), "");
    return W.t.calls - before;
}

START_TEST(calls_that_nobody_collects_allocate_nothing_more)
{
    size_t without;

    make_nodes(NULL, NULL, NULL);
    without = allocations();
    world_teardown();
    world_setup();
    all_with_stores();

    ck_assert_uint_eq(allocations(), without);
    ck_assert_uint_eq(vrpc_vtrace_count(A->vtrace), 0);
    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
    ck_assert_int_eq(D.asked + D.lookups, 0);
}
END_TEST

/* ---- hops ---------------------------------------------------------------- */

START_TEST(three_hops_are_collected_where_they_begin)
{
    all_with_stores();
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");
    vrpc_span_end(&top);

    ck_assert_str_eq(names(A, &top.trace),
        "top\n"
        " <call>.Hop\n"
        "  " DIAL
        "  .Hop\n"
        "   <call>.Hop\n"
        "    " DIAL
        "    .Hop\n");
    ck_assert_str_eq(names(C, &top.trace), "Missing Root Span\n"
        " Missing Data\n"
        "  .Hop\n");
    ck_assert(!D.strange);
    ck_assert_int_eq(D.asked, 2);
    ck_assert_int_eq(D.releases, 2);
}
END_TEST

START_TEST(an_answer_has_the_spans_of_its_call_only)
{
    v23_vtrace_trace_record r;
    struct vrpc_span s;

    all_with_stores();
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");
    /* Something else at B, of the same trace. */
    s = top;
    s.store = B->vtrace;
    vrpc_span_begin(&s, &s, vdl_str("other work"));
    vrpc_span_end(&s);
    ck_assert_str_eq(call_hop(&top), "");

    memset(&r, 0, sizeof(r));
    ck_assert_int_eq(vrpc_vtrace_get(B->vtrace, &top.trace, &arena, &r), 0);
    ck_assert_uint_eq(r.spans.n, 9);
    ck_assert_ptr_nonnull(strstr(names(B, &top.trace), "other work"));
    ck_assert_int_eq(vrpc_vtrace_get(A->vtrace, &top.trace, &arena, &r), 0);
    ck_assert_uint_eq(r.spans.n, 13);
    ck_assert_ptr_null(strstr(names(A, &top.trace), "other work"));
}
END_TEST

START_TEST(spans_have_times_and_annotations)
{
    v23_vtrace_trace_record r;
    uint32_t i, notes = 0;

    all_with_stores();
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");
    vrpc_span_end(&top);
    memset(&r, 0, sizeof(r));
    ck_assert_int_eq(vrpc_vtrace_get(A->vtrace, &top.trace, &arena, &r), 0);

    for (i = 0; i < r.spans.n; i++) {
        ck_assert(!vrpc_vtrace_no_time(r.spans.v[i].start));
        ck_assert(!vrpc_vtrace_no_time(r.spans.v[i].end));
        notes += r.spans.v[i].annotations.n;
    }
    ck_assert_uint_eq(notes, 4); /* at b, at c, two servers */
}
END_TEST

START_TEST(a_sampled_root_is_the_parent_of_calls_that_name_none)
{
    struct vrpc_vtrace_config with, plain = store_config();
    const struct vrpc_span *root;

    with = plain;
    with.sample_rate = 1;
    make_nodes(&with, &plain, NULL);
    root = vrpc_vtrace_begin_root(A->vtrace, vdl_str("main"));
    hops[0].next = NULL;
    ck_assert_str_eq(call_hop(NULL), "");

    ck_assert_str_eq(names(A, &root->trace),
        "main\n"
        " <call>.Hop\n"
        "  " DIAL
        "  .Hop\n");
}
END_TEST

START_TEST(a_call_without_parent_is_a_trace_of_its_own)
{
    struct vrpc_vtrace_config with = store_config();
    const v23_uniqueid_id *ids;
    size_t n;

    with.sample_rate = 1;
    make_nodes(&with, NULL, NULL);
    hops[0].next = NULL;
    ck_assert_str_eq(call_hop(NULL), "");
    ck_assert_int_eq(vrpc_vtrace_ids(A->vtrace, &arena, &ids, &n), 0);

    ck_assert_uint_eq(n, 2); /* top, the call */
    ck_assert_str_eq(names(A, &ids[1]), "<call>.Hop\n " DIAL);
}
END_TEST

START_TEST(failures_are_annotated)
{
    v23_vtrace_trace_record r;
    bool found = false;
    uint32_t i, j;

    all_with_stores();
    vrpc_span_force(&top, 0);
    B->refuses = true;
    ck_assert_str_eq(call_hop(&top), VERR "NoServers");
    memset(&r, 0, sizeof(r));
    ck_assert_int_eq(vrpc_vtrace_get(A->vtrace, &top.trace, &arena, &r), 0);

    for (i = 0; i < r.spans.n; i++)
        for (j = 0; j < r.spans.v[i].annotations.n; j++)
            found |= r.spans.v[i].annotations.v[j].message.n > 30 &&
                     memcmp(r.spans.v[i].annotations.v[j].message.p,
                         "Cannot retry after error: ", 26) == 0;
    ck_assert(found);
}
END_TEST

START_TEST(metadata_goes_one_hop)
{
    uint8_t meta[] = { 1, 2, 3 };
    v23_vtrace_trace_record r;
    uint32_t i;
    int b = 0, c = 0;

    all_with_stores();
    vrpc_span_force(&top, 0);
    top.metadata = vdl_bytes(meta, 3);
    ck_assert_str_eq(call_hop(&top), "");
    memset(&r, 0, sizeof(r));
    ck_assert_int_eq(vrpc_vtrace_get(B->vtrace, &top.trace, &arena, &r), 0);
    for (i = 0; i < r.spans.n; i++)
        b += r.spans.v[i].request_metadata.n == 3;
    ck_assert_int_eq(vrpc_vtrace_get(C->vtrace, &top.trace, &arena, &r), 0);
    for (i = 0; i < r.spans.n; i++)
        c += r.spans.v[i].request_metadata.n > 0;

    ck_assert_int_eq(b, 1);
    ck_assert_int_eq(c, 0);
}
END_TEST

/* ---- who may ------------------------------------------------------------- */

START_TEST(who_may_not_read_traces_has_none_collected)
{
    all_with_stores();
    D.answer = V23_EDENIED;
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");

    ck_assert_str_eq(names(A, &top.trace),
        "top\n"
        " <call>.Hop\n"
        "  " DIAL);
    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
    ck_assert_int_eq(D.asked, 1);
    ck_assert_int_eq(D.releases, 1);
}
END_TEST

START_TEST(without_a_reserved_dispatcher_the_default_decides)
{
    struct vrpc_vtrace_config c = store_config();
    struct vrpc_server_config sc;

    /* test:a and test:b are strangers to each other. */
    make_nodes(&c, &c, NULL);
    hops[0].next = NULL;
    vrpc_server_free(B->s);
    B->s = NULL;
    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &hop_iface;
    sc.object.self = &hops[0];
    sc.authorizer = &vsec_auth_everyone;
    ck_assert_int_eq(vrpc_server_new(B->m, &sc, &B->s), 0);
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");

    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
}
END_TEST

START_TEST(an_authorizer_that_answers_later_is_waited_for)
{
    all_with_stores();
    hops[0].next = NULL;
    D.answer = V23_EAGAIN;
    vrpc_span_force(&top, 0);
    memset(&R, 0, sizeof(R));
    {
        struct vrpc_call_opts o = opts_now();

        o.span = &top;
        ck_assert_ptr_nonnull(vrpc_client_start(A->c, world_name(B, ""), &o,
            &hop_method, NULL, &stub_plain, NULL, any_fn_dummy, &R));
    }
    world_sleep(&W, SEC);
    ck_assert_int_eq(R.done, 0);
    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
    D.wait.done(D.wait.ud, D.wait.op, 0, NULL);
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_str_eq(names(A, &top.trace),
        "top\n"
        " <call>.Hop\n"
        "  " DIAL
        "  .Hop\n");
}
END_TEST

START_TEST(a_caller_that_leaves_takes_its_question_along)
{
    struct vrpc_call_opts o = opts_now();
    struct vrpc_call *call;

    all_with_stores();
    D.answer = V23_EAGAIN;
    vrpc_span_force(&top, 0);
    memset(&R, 0, sizeof(R));
    o.span = &top;
    call = vrpc_client_start(A->c, world_name(B, ""), &o, &hop_method, NULL,
        &stub_plain, NULL, any_fn_dummy, &R);
    world_sleep(&W, SEC);
    ck_assert_ptr_nonnull(D.wait.done);
    vrpc_call_cancel(call);
    world_sleep(&W, SEC);

    ck_assert_ptr_null(D.wait.done); /* cancelled */
    ck_assert_uint_eq(vrpc_server_ncalls(B->s), 0);
    ck_assert_int_eq(D.releases, 1);
}
END_TEST

START_TEST(a_lookup_that_would_take_long_is_a_refusal)
{
    all_with_stores();
    hops[0].next = NULL;
    D.later = true;
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");
    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
    ck_assert_int_eq(D.releases, 0);
}
END_TEST

/* B collects on its own account: a name matches. */
static void b_collects(const v23_uniqueid_id **ids, size_t *n)
{
    struct vrpc_vtrace_config plain = store_config(), with;
    struct vrpc_server_config sc;
    struct vrpc_call_opts o = opts_now();
    static struct echo e;

    with = plain;
    with.match = has_magic;
    memset(&e, 0, sizeof(e));
    {
        int answer = D.answer;

        make_nodes(&plain, &with, NULL);
        D.answer = answer;
    }
    vrpc_server_free(B->s);
    B->s = NULL;
    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &echo_iface;
    sc.object.self = &e;
    sc.authorizer = &vsec_auth_everyone;
    sc.reserved = &debug[0];
    ck_assert_int_eq(vrpc_server_new(B->m, &sc, &B->s), 0);
    memset(&R, 0, sizeof(R));
    o.span = &top;
    ck_assert_ptr_nonnull(start(A, world_name(B, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    world_settle(&W);
    ck_assert_ptr_nonnull(e.waiting);
    ck_assert(vrpc_span_collected(vrpc_server_call_span(e.waiting)));
    (void)vrpc_server_call_reply(e.waiting, NULL, NULL);
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_int_eq(vrpc_vtrace_ids(A->vtrace, &arena, ids, n), 0);
}

START_TEST(what_a_server_collects_by_itself_is_sent_to_those_who_may)
{
    const v23_uniqueid_id *ids;
    size_t n;

    D.answer = 0;
    b_collects(&ids, &n);
    ck_assert_uint_eq(n, 1);
    ck_assert_ptr_nonnull(strstr(names(A, &ids[0]), ".Wait\n"));
    ck_assert_int_eq(D.asked, 1);
}
END_TEST

START_TEST(what_a_server_collects_by_itself_is_kept_from_others)
{
    const v23_uniqueid_id *ids;
    size_t n;

    D.answer = V23_EDENIED;
    b_collects(&ids, &n);
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(an_answer_does_not_wait_for_an_authorizer)
{
    const v23_uniqueid_id *ids;
    size_t n;

    D.answer = V23_EAGAIN;
    b_collects(&ids, &n);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(D.asked, 1);
    ck_assert_ptr_null(D.wait.done);
}
END_TEST

/* ---- the object ---------------------------------------------------------- */

static struct {
    int done, items;
    char id[64];
    uint32_t spans;
} Q;

static void note_end(const struct v23_verror *err)
{
    Q.done++;
    Q.id[0] = 0;
    if (err != NULL)
        snprintf(Q.id, sizeof(Q.id), "%.*s", (int)err->id.n, err->id.p);
}

static void got_trace(void *ud, const struct v23_verror *err,
    const v23_services_vtrace_store_trace_out *out)
{
    (void)ud;
    note_end(err);
    if (err == NULL)
        Q.spans = out->result.spans.n;
}

static void got_record(void *ud, const v23_vtrace_trace_record *item)
{
    (void)ud;
    Q.items++;
    Q.spans += item->spans.n;
}

static void got_all(void *ud, const struct v23_verror *err)
{
    (void)ud;
    note_end(err);
}

static const v23_services_vtrace_store_all_traces_cb all_cb = { got_record,
    got_all };

static const char *ask_trace(const v23_uniqueid_id *id)
{
    struct vrpc_call_opts o = opts_now();

    memset(&Q, 0, sizeof(Q));
    ck_assert_ptr_nonnull(v23_services_vtrace_store_trace_start(A->c,
        world_name(B, "__debug/vtrace"), &o, id, got_trace, NULL));
    ck_assert(world_until(&W, &Q.done, 10 * SEC));
    return Q.id;
}

static const char *ask_all(void)
{
    struct vrpc_call_opts o = opts_now();

    memset(&Q, 0, sizeof(Q));
    ck_assert_ptr_nonnull(v23_services_vtrace_store_all_traces_start(A->c,
        world_name(B, "__debug/vtrace"), &o, &all_cb, NULL));
    ck_assert(world_until(&W, &Q.done, 10 * SEC));
    return Q.id;
}

START_TEST(the_object_gives_one_trace_or_all)
{
    v23_uniqueid_id none = { { 1 } };
    struct vrpc_span s;

    all_with_stores();
    ck_assert_str_eq(ask_all(), "");
    ck_assert_int_eq(Q.items, 0);
    vrpc_span_begin_trace(&s, B->vtrace, vdl_str("one"));
    vrpc_span_force(&s, 0);
    ck_assert_str_eq(ask_trace(&s.trace), "");
    ck_assert_uint_eq(Q.spans, 1);
    ck_assert_str_eq(ask_trace(&none), VERR "NoExist");
    ck_assert_str_eq(ask_all(), "");
    ck_assert_int_eq(Q.items, 1);
}
END_TEST

START_TEST(many_traces_come_as_the_window_opens)
{
    struct vrpc_span s;
    char note[4096];
    int i, j;

    W.bytes_buffered = 65536;
    all_with_stores();
    memset(note, 'x', sizeof(note));
    for (i = 0; i < 30; i++) {
        vrpc_span_begin_trace(&s, B->vtrace, vdl_str("big"));
        vrpc_span_force(&s, 0);
        for (j = 0; j < 10; j++)
            vrpc_span_annotate(&s, vdl_strn(note, sizeof(note)));
    }
    ck_assert_str_eq(ask_all(), "");
    ck_assert_int_eq(Q.items, 30);
    ck_assert_uint_eq(Q.spans, 30);
}
END_TEST

START_TEST(a_stream_of_traces_may_be_cancelled)
{
    struct vrpc_call_opts o = opts_now();
    struct vrpc_call *call;
    struct vrpc_span s;
    char note[4096];
    int i, j;

    W.bytes_buffered = 65536;
    all_with_stores();
    memset(note, 'x', sizeof(note));
    for (i = 0; i < 30; i++) {
        vrpc_span_begin_trace(&s, B->vtrace, vdl_str("big"));
        vrpc_span_force(&s, 0);
        for (j = 0; j < 10; j++)
            vrpc_span_annotate(&s, vdl_strn(note, sizeof(note)));
    }
    memset(&Q, 0, sizeof(Q));
    call = v23_services_vtrace_store_all_traces_start(A->c,
        world_name(B, "__debug/vtrace"), &o, &all_cb, NULL);
    vrpc_call_pause(call, true);
    world_sleep(&W, SEC);
    ck_assert_int_eq(Q.items, 0);
    ck_assert_uint_eq(vrpc_server_ncalls(B->s), 1);
    vrpc_call_cancel(call);
    world_sleep(&W, SEC);

    ck_assert_int_eq(Q.done, 1);
    ck_assert_uint_eq(vrpc_server_ncalls(B->s), 0);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

START_TEST(a_lack_of_memory_costs_no_call)
{
    static struct tst_alloc scarce;
    struct vrpc_vtrace_config c;
    size_t k;

    /* Only the stores are short of it; each request fails once. */
    for (k = 1; k < 60; k++) {
        tst_alloc_init(&scarce);
        c = store_config();
        c.al = &scarce.al;
        c.sample_rate = 1;
        make_nodes(&c, &c, &c);
        scarce.fail_at = scarce.calls + k;
        ck_assert_str_eq(call_hop(&top), "");
        if (scarce.calls < scarce.fail_at)
            k = 60;
        world_teardown();
        ck_assert_uint_eq(scarce.live, 0);
        world_setup();
    }
    ck_assert_uint_eq(k, 61); /* it ran once without failure */
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, ids_travel_without_any_store);
    tcase_add_test(tc, calls_that_nobody_collects_allocate_nothing_more);
    tcase_add_test(tc, three_hops_are_collected_where_they_begin);
    tcase_add_test(tc, an_answer_has_the_spans_of_its_call_only);
    tcase_add_test(tc, spans_have_times_and_annotations);
    tcase_add_test(tc, a_sampled_root_is_the_parent_of_calls_that_name_none);
    tcase_add_test(tc, a_call_without_parent_is_a_trace_of_its_own);
    tcase_add_test(tc, failures_are_annotated);
    tcase_add_test(tc, metadata_goes_one_hop);
    tcase_add_test(tc, who_may_not_read_traces_has_none_collected);
    tcase_add_test(tc, without_a_reserved_dispatcher_the_default_decides);
    tcase_add_test(tc, an_authorizer_that_answers_later_is_waited_for);
    tcase_add_test(tc, a_caller_that_leaves_takes_its_question_along);
    tcase_add_test(tc, a_lookup_that_would_take_long_is_a_refusal);
    tcase_add_test(tc,
        what_a_server_collects_by_itself_is_sent_to_those_who_may);
    tcase_add_test(tc,
        what_a_server_collects_by_itself_is_kept_from_others);
    tcase_add_test(tc, an_answer_does_not_wait_for_an_authorizer);
    tcase_add_test(tc, the_object_gives_one_trace_or_all);
    tcase_add_test(tc, many_traces_come_as_the_window_opens);
    tcase_add_test(tc, a_stream_of_traces_may_be_cancelled);
    tcase_add_test(tc, a_lack_of_memory_costs_no_call);
}

int main(void)
{
    return tst_run_case("librpc/vtrace_calls", fill, setup, teardown);
}
