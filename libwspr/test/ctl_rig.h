/* BSD-3-Clause; see LICENSE. */
/*
 * Pages: controllers whose messages are kept, over the network in memory and
 * virtual time of librpc's tests. Servers of pages get a node each.
 *
 * There is a server that pages can call, found as "adder":
 *   Add(A, B int32) int32          Divide(A, B int32) int32
 *   Concat(A []string, M map[string]float64) ([]byte or string, map)
 *   StreamingAdd() stream<int32, int32> int32    running sums, then the sum
 *   Wait()                         until it is cancelled
 * Other names are those that pages serve.
 */
#ifndef WSPR_CTL_RIG_H
#define WSPR_CTL_RIG_H

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wunused-function"
#endif

#define WORLD_NODES 24
#include "servings.h"

#include <vom/parse.h>
#include <vom/value.h>

enum { RIG_FRAMES = 512, RIG_PAGES = 8 };

struct rig_page {
    struct wspr_ctl *ctl;
    struct wnode *n;       /* its client */
    char *frames[RIG_FRAMES]; /* sent to it; not freed before the end */
    size_t nframes, next;  /* the first that was not looked at */
    size_t queued;         /* what its socket has not taken */
    int code;              /* it was to be closed */
    char why[128];
    int closed;            /* it has ended */
    struct vsec_principal *assumed; /* whom it wants to be; a reference */
};

static struct {
    struct rig_page pages[RIG_PAGES];
    size_t npages;
    struct wnode *adder;
    struct vdl_types *types;
    struct v23_arena arena; /* of the types of the adder */
    int cancels;            /* of Wait */
    struct wspr_principals *principals; /* of pages that connect now */
    const struct v23_alloc *al;         /* of their controllers; or NULL */
    int64_t retry_ns;                   /* likewise */
} R;

/* ---- names --------------------------------------------------------------- */

/* Who serves under that name. */
static const struct wnode *rig_node(const char *name, size_t n)
{
    size_t i;

    for (i = 0; i < S.n; i++)
        if (S.v[i].s.server != NULL && strlen(S.v[i].name) == n &&
            memcmp(S.v[i].name, name, n) == 0)
            return S.v[i].n;
    if (n == 5 && memcmp(name, "adder", 5) == 0)
        return R.adder;
    return NULL;
}

static int rig_resolve(void *ud, struct v23_op op, struct vdl_str name,
    const struct vrpc_call_opts *opts, int64_t deadline, struct v23_arena *a,
    vdl_str_list *servers, const struct v23_verror **err)
{
    const char *slash = memchr(name.p, '/', name.n);
    size_t n = slash == NULL ? name.n : (size_t)(slash - name.p);
    const struct wnode *node = rig_node(name.p, n);
    char suffix[200] = "";

    (void)ud;
    (void)op;
    (void)opts;
    (void)deadline;
    (void)err;
    if (node == NULL)
        return V23_ENOENT;
    if (slash != NULL)
        snprintf(suffix, sizeof(suffix), "%.*s", (int)(name.n - n - 1),
            slash + 1);
    return serving_text(a, world_name(node, suffix), servers);
}

static void rig_resolve_cancel(void *ud, struct v23_op op)
{
    (void)ud;
    (void)op;
}

static void rig_flush(void *ud, struct vdl_str name)
{
    (void)ud;
    (void)name;
}

static const struct vrpc_resolver rig_resolver = {
    rig_resolve, rig_resolve_cancel, rig_flush, NULL};

/* ---- the server that pages call ------------------------------------------ */

static int32_t rig_int(const struct vdl_any *a)
{
    return *(const int32_t *)a->val;
}

static const struct v23_verror *rig_reply(
    struct vrpc_server_call *call, const struct vdl_any *results, size_t n)
{
    (void)vrpc_server_call_reply_any(call, NULL, results, n);
    return &vrpc_pending;
}

static struct vdl_any rig_sum;
static int32_t rig_total;

static const struct v23_verror *rig_concat(
    struct vrpc_server_call *call, const struct vdl_any *args)
{
    const vdl_str_list *l = args[0].val;
    char *text = v23_arena_get(vrpc_server_call_arena(call), 4096, 1);
    struct vdl_any results[2];
    struct vdl_str s = {NULL, 0};
    uint32_t i;

    if (text == NULL)
        return v23_verror_text(vrpc_server_call_arena(call), NULL,
            vdl_str("v.io/v23/verror.Internal"), V23_NO_RETRY, "memory");
    s.p = text;
    for (i = 0; i < l->n && s.n + l->v[i].n < 4096; s.n += l->v[i++].n)
        if (l->v[i].n > 0)
            memcpy(text + s.n, l->v[i].p, l->v[i].n);
    results[0].type = &vdl_string_desc;
    results[0].val = &s;
    results[1] = args[1];
    return rig_reply(call, results, 2);
}

static void rig_cancelled(void *ud, struct vrpc_server_call *call, int reason)
{
    (void)ud;
    (void)reason;
    R.cancels++;
    (void)vrpc_server_call_reply_any(call, NULL, NULL, 0);
}

static const struct v23_verror *rig_invoke(void *self,
    struct vrpc_server_call *call, const struct vdl_any *args, size_t n)
{
    struct vdl_str m = vrpc_server_call_method(call);
    int32_t v;
    struct vdl_any r;

    (void)self;
    (void)n;
    r.type = &vdl_int32_desc;
    r.val = &v;
    if (vdl_str_is(m, "Add")) {
        v = rig_int(&args[0]) + rig_int(&args[1]);
        return rig_reply(call, &r, 1);
    }
    if (vdl_str_is(m, "Divide")) {
        if (rig_int(&args[1]) == 0)
            return v23_verror_text(vrpc_server_call_arena(call), NULL,
                vdl_str("v.io/v23/verror.BadArg"), V23_NO_RETRY,
                "can't divide by zero");
        v = rig_int(&args[0]) / rig_int(&args[1]);
        return rig_reply(call, &r, 1);
    }
    if (vdl_str_is(m, "Concat"))
        return rig_concat(call, args);
    if (vdl_str_is(m, "Wait"))
        vrpc_server_call_on_cancel(call, rig_cancelled, NULL);
    rig_total = 0;
    return &vrpc_pending;
}

static void rig_item(
    void *self, struct vrpc_server_call *call, const struct vdl_any *item)
{
    int32_t v = 0;

    (void)self;
    if (!vdl_str_is(vrpc_server_call_method(call), "StreamingAdd"))
        return;
    rig_sum.type = &vdl_int32_desc;
    rig_sum.val = &rig_total;
    if (item == NULL) {
        (void)vrpc_server_call_reply_any(call, NULL, &rig_sum, 1);
        return;
    }
    if (vdl_convert(&R.arena, &vdl_int32_desc, &v, item->type, item->val) ==
        0)
        rig_total += v;
    (void)!vrpc_server_call_send_any(call, rig_sum);
}

static const struct vdl_type *rig_type(const char *text)
{
    const struct vdl_type *t = NULL;
    struct vdl_parse_error err;

    ck_assert_int_eq(vdl_type_parse(R.types, vdl_str(text), &t, &err), 0);
    return t;
}

static v23_signature_arg rig_arg(const char *name, const char *type)
{
    v23_signature_arg a;

    memset(&a, 0, sizeof(a));
    a.name = vdl_str(name);
    a.type = rig_type(type);
    return a;
}

static struct vrpc_dynamic rig_dynamic;

/* With the first n of its methods. */
static struct vrpc_object rig_adder_object(uint32_t n)
{
    static v23_signature_method m[5];
    static v23_signature_arg two[2], concat[2], joined[2], one, item;
    static v23_signature_interface x;
    struct vrpc_object o;
    size_t i;

    memset(m, 0, sizeof(m));
    memset(&x, 0, sizeof(x));
    two[0] = rig_arg("A", "int32");
    two[1] = rig_arg("B", "int32");
    concat[0] = rig_arg("A", "[]string");
    concat[1] = rig_arg("M", "map[string]float64");
    joined[0] = rig_arg("", "string");
    joined[1] = rig_arg("", "map[string]float64");
    one = rig_arg("", "int32");
    item = rig_arg("", "int32");
    m[0].name = vdl_str("Add");
    m[1].name = vdl_str("Concat");
    m[2].name = vdl_str("Divide");
    m[3].name = vdl_str("StreamingAdd");
    m[4].name = vdl_str("Wait");
    for (i = 0; i < 4; i++) {
        m[i].out_args.v = i == 1 ? joined : &one;
        m[i].out_args.n = i == 1 ? 2 : 1;
        m[i].in_args.v = i == 1 ? concat : two;
        m[i].in_args.n = i == 3 ? 0 : 2;
    }
    m[3].in_stream = m[3].out_stream = &item;
    x.name = vdl_str("Adder");
    x.methods.v = m;
    x.methods.n = n;
    rig_dynamic.interfaces = &x;
    rig_dynamic.ninterfaces = 1;
    rig_dynamic.invoke = rig_invoke;
    rig_dynamic.item = rig_item;
    memset(&o, 0, sizeof(o));
    o.dynamic = &rig_dynamic;
    return o;
}

/* ---- hooks --------------------------------------------------------------- */

static void rig_send(void *ud, const char *text, size_t n)
{
    struct rig_page *p = ud;
    char *copy = malloc(n + 1);

    if (copy == NULL || p->nframes == RIG_FRAMES) {
        free(copy);
        return;
    }
    memcpy(copy, text, n);
    copy[n] = 0;
    p->frames[p->nframes++] = copy;
}

static size_t rig_queued(void *ud)
{
    return ((struct rig_page *)ud)->queued;
}

static void rig_close(void *ud, int code, const char *why)
{
    struct rig_page *p = ud;

    p->code = code;
    snprintf(p->why, sizeof(p->why), "%s", why);
}

static void rig_timer(void *ud)
{
    (void)ud;
}

static int rig_identity(void *ud, struct vrpc_client **c, struct vname_ns **ns)
{
    struct rig_page *p = ud;

    *c = p->n->c;
    *ns = NULL;
    return 0;
}

static int rig_assume(void *ud, struct vsec_principal *who)
{
    struct rig_page *p = ud;

    vsec_principal_unref(p->assumed);
    p->assumed = vsec_principal_ref(who);
    return 0;
}

static const struct wspr_ctl_hooks rig_hooks = {
    .send = rig_send,
    .queued = rig_queued,
    .close = rig_close,
    .timer = rig_timer,
    .identity = rig_identity,
    .assume = rig_assume,
    SERVING_HOOKS,
};

/* ---- pages --------------------------------------------------------------- */

static const struct vdl_str rig_root = VDL_STR_INIT("/127.0.0.1:9101");

/* The page opens its websocket; `limits` may be NULL. 0 or V23_ENOMEM. */
static int rig_connect(struct rig_page *p, enum wspr_protocol protocol,
    const struct wspr_ctl_limits *limits)
{
    struct wspr_ctl_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.al = R.al != NULL ? R.al : &W.t.al;
    cfg.hooks = &rig_hooks;
    cfg.ud = p;
    cfg.principal = p->n->principal;
    cfg.component = vdl_str("wsprd");
    cfg.principals = R.principals;
    cfg.retry_ns = R.retry_ns;
    cfg.roots.v = &rig_root;
    cfg.roots.n = 1;
    cfg.protocol = protocol;
    if (limits != NULL)
        cfg.limits = *limits;
    return wspr_ctl_new(&cfg, &p->ctl);
}

static struct rig_page *rig_page(
    enum wspr_protocol protocol, const struct wspr_ctl_limits *limits)
{
    static const char *const names[RIG_PAGES] = {"page1", "page2", "page3",
        "page4", "page5", "page6", "page7", "page8"};
    struct rig_page *p = &R.pages[R.npages];

    ck_assert_int_eq(world_node(&W, names[R.npages], 0, &p->n), 0);
    R.npages++;
    vrpc_client_set_resolver(p->n->c, &rig_resolver);
    ck_assert_int_eq(rig_connect(p, protocol, limits), 0);
    return p;
}

/* A message of the page, and all that follows from it at once. */
static void rig_say_n(struct rig_page *p, const char *text, size_t n)
{
    wspr_ctl_input(p->ctl, text, n, &W.now);
    world_settle(&W);
}

static void rig_say(struct rig_page *p, const char *text)
{
    rig_say_n(p, text, strlen(text));
}

/* The next message to the page, or "". */
static const char *rig_next(struct rig_page *p)
{
    return p->next < p->nframes ? p->frames[p->next++] : "";
}

static void rig_closed(void *ud)
{
    ((struct rig_page *)ud)->closed = 1;
}

/* The websocket is gone. */
static void rig_hang_up(struct rig_page *p)
{
    wspr_ctl_close(p->ctl, rig_closed, p);
    world_settle(&W);
}

/* The page is gone, and may connect again. */
static void rig_forget(struct rig_page *p)
{
    wspr_ctl_free(p->ctl);
    p->ctl = NULL;
    vsec_principal_unref(p->assumed);
    p->assumed = NULL;
    while (p->nframes > 0)
        free(p->frames[--p->nframes]);
    p->next = 0;
    p->code = p->closed = 0;
}

/* Let time pass, for the pages too. */
static void rig_sleep(int64_t ns)
{
    int64_t until = W.now.mono_ns + ns, at;
    size_t i;

    for (;;) {
        world_settle(&W);
        at = world_next(&W);
        for (i = 0; i < R.npages; i++)
            if (R.pages[i].ctl != NULL &&
                wspr_ctl_next_deadline(R.pages[i].ctl) < at)
                at = wspr_ctl_next_deadline(R.pages[i].ctl);
        if (at > until)
            break;
        world_set_time(&W, at);
        for (i = 0; i < R.npages; i++)
            if (R.pages[i].ctl != NULL &&
                wspr_ctl_next_deadline(R.pages[i].ctl) <= at)
                wspr_ctl_tick(R.pages[i].ctl, &W.now);
    }
    world_set_time(&W, until);
}

/* ---- life ---------------------------------------------------------------- */

static void rig_setup_with(uint32_t nmethods)
{
    struct vrpc_server_config cfg;

    world_setup();
    memset(&R, 0, sizeof(R));
    memset(&S, 0, sizeof(S));
    v23_arena_init(&R.arena, &W.t.al, SIZE_MAX);
    ck_assert_int_eq(vdl_types_new(&W.t.al, NULL, &R.types), 0);
    ck_assert_int_eq(world_node(&W, "adder", 50, &R.adder), 0);
    memset(&cfg, 0, sizeof(cfg));
    cfg.object = rig_adder_object(nmethods);
    cfg.authorizer = &vsec_auth_everyone;
    ck_assert_int_eq(vrpc_server_new(R.adder->m, &cfg, &R.adder->s), 0);
}

static void rig_setup(void)
{
    rig_setup_with(5);
}

/* Everything ends, and nothing is left. */
static void rig_teardown(void)
{
    size_t i;

    for (i = 0; i < R.npages; i++)
        if (R.pages[i].ctl != NULL && !R.pages[i].closed)
            rig_hang_up(&R.pages[i]);
    for (i = 0; i < W.nnodes; i++)
        world_node_fini(&W.nodes[i]);
    for (i = 0; i < R.npages; i++)
        rig_forget(&R.pages[i]);
    vdl_types_unref(R.types);
    v23_arena_fini(&R.arena);
    world_teardown();
}

#endif
