/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of calls: a server whose client, or a client whose server, says
 * what the input says on honest flows: requests, arguments, items, responses
 * and the types of all of them. The first byte chooses the side.
 *
 * What must hold: a call is served or answered once, and when the connection
 * has ended nothing of it is left.
 */
#include "cheap.h"

#include <support.h>
#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <vom/value.h>
#include <vrpc/client.h>
#include <vrpc/conn.h>
#include <vrpc/manager.h>
#include <vrpc/server.h>
#include <vrpc/verror.h>
#include <vrpc/vtrace.h>
#include <vsec/authorizer.h>
#include <vsec/principal.h>

#define FLOWS 8
#define BUDGET ((size_t)1 << 20)
#define MEMORY_MAX ((size_t)16 << 20)

#define TRACES_MAX ((size_t)1 << 20)

static struct tst_alloc T, traces;
static struct v23_now now;
static struct vsec_principal *who[2]; /* the peer, the one tested */
static struct vsec_blessings *named[2];
static struct vrpc_manager *client_m, *server_m;
static struct vrpc_client *client;
static struct vrpc_server *server;

/* ---- the service --------------------------------------------------------- */

struct text { struct vdl_str s; };
struct any1 { struct vdl_any v; };
struct int1 { int32_t n; };
struct entry { v23_naming_mount_entry e; };

static const struct v23_verror *echo(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)call;
    *(struct text *)out = *(const struct text *)in;
    return NULL;
}

static const struct v23_verror *any(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)call;
    *(struct any1 *)out = *(const struct any1 *)in;
    return NULL;
}

static const struct v23_verror *mount(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)call;
    *(struct entry *)out = *(const struct entry *)in;
    return NULL;
}

static const struct v23_verror *sum(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)in;
    (void)out;
    vrpc_server_call_set_data(call, NULL);
    return &vrpc_pending;
}

/* Each item is answered by itself, where the window lets it. */
static void sum_item(const void *vt, void *self, struct vrpc_server_call *call,
    const void *item)
{
    struct int1 zero = { 0 };

    (void)vt;
    (void)self;
    if (item == NULL)
        (void)!vrpc_server_call_reply(call, NULL, &zero);
    else
        (void)!vrpc_server_call_send(call, item);
}

#define STR(lit) VDL_STR_INIT(lit)
static const struct vrpc_arg text_args[] = { { STR("s"), STR(""),
    &vdl_string_desc, 0 } };
static const struct vrpc_arg any_args[] = { { STR("v"), STR(""),
    &vdl_any_desc, 0 } };
static const struct vrpc_arg int_args[] = { { STR("n"), STR(""),
    &vdl_int32_desc, 0 } };
static const struct vrpc_arg entry_args[] = { { STR("e"), STR(""),
    &v23_naming_mount_entry_desc, 0 } };
static const struct vrpc_method methods[] = {
    { .name = STR("Any"), .in = any_args, .nin = 1,
        .in_size = sizeof(struct any1), .out = any_args, .nout = 1,
        .out_size = sizeof(struct any1), .thunk = any },
    { .name = STR("Echo"), .in = text_args, .nin = 1,
        .in_size = sizeof(struct text), .out = text_args, .nout = 1,
        .out_size = sizeof(struct text), .thunk = echo },
    { .name = STR("Mount"), .in = entry_args, .nin = 1,
        .in_size = sizeof(struct entry), .out = entry_args, .nout = 1,
        .out_size = sizeof(struct entry), .thunk = mount },
    { .name = STR("Sum"), .in_stream = &vdl_int32_desc,
        .out_stream = &vdl_int32_desc, .out = int_args, .nout = 1,
        .out_size = sizeof(struct int1), .thunk = sum, .item = sum_item },
};
static const struct vrpc_iface iface = { .name = STR("Fuzz"),
    .pkg_path = STR("x/fuzz"), .methods = methods,
    .nmethods = sizeof(methods) / sizeof(*methods) };

static int children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    (void)self;
    return vrpc_glob_match(pattern, vdl_str("alpha"))
               ? vrpc_glob_send_child(g, vdl_str("alpha"))
               : 0;
}

static const struct vrpc_globber globber = { .children = children };

/* ---- one world for all inputs -------------------------------------------- */

static struct v23_op dial_op;
static bool dialing;

static void tell_now(void *ud, struct v23_now *out)
{
    (void)ud;
    *out = now;
}

static int dial(void *ud, struct v23_op op, struct vdl_str protocol,
    struct vdl_str address, int64_t deadline)
{
    (void)ud;
    (void)protocol;
    (void)address;
    (void)deadline;
    dial_op = op;
    dialing = true;
    return V23_EAGAIN;
}

static void cancel(void *ud, struct v23_op op)
{
    (void)ud;
    (void)op;
    dialing = false;
}

static void timer(void *ud)
{
    (void)ud;
}

static const struct vrpc_transport transport = { tell_now, dial, cancel, timer,
    NULL };

static int no_random(void *ud, void *p, size_t n)
{
    (void)ud;
    memset(p, 5, n);
    return 0;
}

/* Traces that the peer has collected stay, within their bounds. */
static struct vrpc_vtrace *make_store(void)
{
    struct vrpc_vtrace_config vc;
    struct vrpc_vtrace *v;

    tst_alloc_init(&traces);
    memset(&vc, 0, sizeof(vc));
    vc.al = &traces.al;
    vc.now = tell_now;
    vc.random = no_random;
    vc.max_traces = 16;
    vc.bytes = TRACES_MAX / 2;
    check(vrpc_vtrace_new(&vc, &v) == 0);
    return v;
}

/* Everybody may have calls collected and read the traces. */
static int reserved(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    (void)op;
    (void)suffix;
    (void)a;
    (void)err;
    *obj = vrpc_vtrace_object(ud);
    *auth = &vsec_auth_everyone;
    return 0;
}

static void make_managers(void)
{
    static struct vrpc_dispatcher debug;
    struct vrpc_manager_config mc;
    struct vrpc_client_config cc;
    struct vrpc_server_config sc;

    memset(&mc, 0, sizeof(mc));
    mc.al = &T.al;
    mc.transport = &transport;
    mc.principal = who[1];
    mc.idle_ns = -1;
    mc.vtrace = make_store();
    debug.lookup = reserved;
    debug.ud = mc.vtrace;
    check(vrpc_manager_new(&mc, &client_m) == 0);
    mc.rid = vrpc_routing_id_fixed(7);
    check(vrpc_manager_new(&mc, &server_m) == 0);
    memset(&cc, 0, sizeof(cc));
    cc.call_budget = BUDGET;
    check(vrpc_client_new(client_m, &cc, &client) == 0);
    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &iface;
    sc.object.glob = &globber;
    sc.leaf = VRPC_LEAF_NO;
    sc.authorizer = &vsec_auth_everyone;
    sc.reserved = &debug;
    sc.call_budget = BUDGET;
    sc.glob_budget = BUDGET;
    check(vrpc_server_new(server_m, &sc, &server) == 0);
}

static void start(void)
{
    static const char *const names[2] = { "peer", "self" };
    uint8_t i;

    tst_alloc_init(&T);
    for (i = 0; i < 2; i++) {
        who[i] = cheap_person(i, names[i], &named[i]);
        check(vsec_principal_set_default_blessings(who[i], named[i]) == 0);
    }
    make_managers();
}

/* ---- the peer ------------------------------------------------------------ */

static struct {
    struct vrpc_conn *conn;
    struct vrpc_flow *flows[FLOWS];
    bool ready, closed;
} peer;

static int on_authorize(void *ud, struct vrpc_conn *c, struct v23_op op)
{
    (void)ud;
    (void)c;
    (void)op;
    return 0;
}

static void on_ready(void *ud, struct vrpc_conn *c)
{
    (void)ud;
    (void)c;
    peer.ready = true;
}

static void on_opened(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    size_t i;

    (void)ud;
    (void)c;
    for (i = 0; i < FLOWS && peer.flows[i] != NULL; i++)
        ;
    if (i == FLOWS)
        vrpc_flow_cancel(f);
    else
        peer.flows[i] = f;
}

static void on_readable(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct v23_bytes b;

    (void)ud;
    (void)c;
    while (vrpc_flow_peek(f, &b) == 0)
        vrpc_flow_consume(f, b.n);
}

static void on_closed(void *ud, struct vrpc_conn *c, int status,
    const char *text)
{
    (void)ud;
    (void)c;
    (void)status;
    (void)text;
    peer.closed = true;
}

static const struct vrpc_conn_hooks hooks = { .authorize_peer = on_authorize,
    .ready = on_ready, .flow_opened = on_opened, .flow_readable = on_readable,
    .closed = on_closed };

static void peer_new(bool serves)
{
    struct vrpc_conn_config cfg;
    struct vrpc_endpoint ep;

    memset(&peer, 0, sizeof(peer));
    memset(&cfg, 0, sizeof(cfg));
    memset(&ep, 0, sizeof(ep));
    ep.protocol = vdl_str("tcp");
    ep.address = vdl_str("h:1");
    ep.rid = vrpc_routing_id_fixed(serves ? 8 : 7);
    cfg.al = &T.al;
    cfg.principal = who[0];
    cfg.role = serves ? VRPC_ACCEPTOR : VRPC_DIALER;
    cfg.has_handler = serves;
    cfg.blessings = serves ? named[0] : NULL;
    cfg.local = serves ? &ep : NULL;
    cfg.remote = serves ? NULL : &ep;
    cfg.hooks = &hooks;
    check(vrpc_conn_new(&cfg, &now, &peer.conn) == 0);
}

/* ---- the one tested ------------------------------------------------------ */

static struct {
    struct vrpc_link link;
    struct vrpc_conn *conn;
    bool closed;
} link_;

static void on_link(struct vrpc_link *l)
{
    (void)l;
}

static void on_link_closed(struct vrpc_link *l)
{
    (void)l;
    link_.closed = true;
}

static const struct vrpc_link_ops link_ops = { false, false, on_link,
    on_link_closed };

static int ended;

static void on_item(void *ud, struct vdl_any v)
{
    check(ended == 0 && v.type != NULL);
    if (ud != NULL)
        vrpc_call_pause(*(struct vrpc_call **)ud, v.type->kind == VDL_BOOL);
}

static void on_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    size_t i;

    (void)ud;
    check(ended++ == 0);
    check(err == NULL || n == 0);
    for (i = 0; i < n; i++)
        check(results[i].type != NULL);
}

static void tick(void)
{
    struct vrpc_manager *m[2] = { client_m, server_m };
    int i;

    for (i = 0; i < 2; i++)
        if (vrpc_manager_next_deadline(m[i]) <= now.mono_ns)
            vrpc_manager_tick(m[i]);
}

static bool move(struct vrpc_conn *from, struct vrpc_conn *to)
{
    struct v23_buf out;
    bool some;

    if (from == NULL || to == NULL || !vrpc_conn_wants_output(from))
        return false;
    v23_buf_init(&out, NULL, SIZE_MAX);
    check(vrpc_conn_output(from, &out, SIZE_MAX, &now) == 0);
    some = out.n > 0;
    if (some)
        (void)!vrpc_conn_input(to, out.p, out.n, &now);
    v23_buf_fini(&out);
    return some;
}

/* Until nothing moves. */
static void settle(void)
{
    bool moved = true;
    int i;

    for (i = 0; moved && i < 10000; i++) {
        tick();
        if (link_.conn != NULL && !link_.closed)
            vrpc_conn_tick(link_.conn, &now);
        vrpc_conn_tick(peer.conn, &now);
        moved = move(peer.conn, link_.closed ? NULL : link_.conn);
        moved |= move(link_.conn, peer.conn);
    }
    check(i < 10000);
}

static void begin_server(void)
{
    struct vrpc_endpoint local;

    memset(&local, 0, sizeof(local));
    local.protocol = vdl_str("tcp");
    local.address = vdl_str("h:1");
    peer_new(false);
    check(vrpc_manager_accepted(server_m, &link_.link, &local, &link_.conn)
        == 0);
}

static struct vrpc_call *begin_client(uint8_t how)
{
    static const struct vrpc_any_cb cb = { on_item, on_done };
    static const struct vrpc_span zero; /* the trace that has no id */
    static struct vrpc_call *call;
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct vrpc_endpoint ep;
    struct vdl_str name = vdl_str(
        "/@6@tcp@h:1@@00000000000000000000000000000008@s@peer@@");

    peer_new(true);
    o.server_auth = &vsec_auth_everyone;
    o.no_retry = true;
    o.span = &zero;
    o.timeout_ns = 600 * V23_NS_PER_SEC;
    call = vrpc_client_start_any(client, name, vdl_str("Echo"), &o, NULL, 0,
        (how & 4) != 0 ? VRPC_ANY_RESULTS : (size_t)how / 64, &cb, &call);
    check(call != NULL && dialing);
    if ((how & 8) != 0)
        vrpc_call_close_send(call);
    memset(&ep, 0, sizeof(ep));
    ep.protocol = vdl_str("tcp");
    ep.address = vdl_str("h:2");
    dialing = false;
    vrpc_manager_dialed(client_m, dial_op, 0, NULL, &link_.link, &ep,
        &link_.conn);
    check(link_.conn != NULL);
    return call;
}

static void finish(void)
{
    bool serves = vrpc_conn_role(link_.conn) == VRPC_ACCEPTOR;
    int i;

    vrpc_manager_release(serves ? server_m : client_m, link_.conn);
    vrpc_conn_free(peer.conn);
    for (i = 0; i < 100; i++)
        tick();
    check(serves || ended == 1);
    check(vrpc_server_ncalls(server) == 0);
    check(vrpc_client_ncalls(client) == 0);
    check(vrpc_manager_nconns(server_m) + vrpc_manager_nconns(client_m) == 0);
    check(T.bytes < MEMORY_MAX);
    check(traces.bytes < TRACES_MAX);
}

/* ---- steps --------------------------------------------------------------- */

static void write_flow(struct vrpc_flow **f, const uint8_t *p, size_t n)
{
    struct vrpc_flow_opts o;

    if (*f == NULL && vrpc_conn_can_open(peer.conn)) {
        memset(&o, 0, sizeof(o));
        o.blessings = named[0];
        if (vrpc_flow_open(peer.conn, &o, f) != 0)
            *f = NULL;
    }
    if (*f != NULL && n > 0)
        (void)!vrpc_flow_write(*f, p, n);
}

static void step(uint8_t op, const uint8_t *p, size_t n)
{
    struct vrpc_flow **f = &peer.flows[op % FLOWS];

    switch (op / FLOWS % 8) {
    case 6:
        if (*f != NULL)
            vrpc_flow_close(*f);
        *f = NULL;
        break;
    case 7:
        now.mono_ns += (int64_t)(n + 1) * V23_NS_PER_SEC;
        break;
    default:
        write_flow(f, p, n);
    }
    if ((op & 0x80) == 0)
        settle();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    uint8_t how, op;
    size_t k;

    if (n == 0)
        return 0;
    if (who[0] == NULL)
        start();
    now.mono_ns = 1000 * V23_NS_PER_SEC;
    now.wall.sec = 1728388800;
    memset(&link_, 0, sizeof(link_));
    link_.link.ops = &link_ops;
    ended = 0;
    how = *p++;
    n--;
    if ((how & 1) == 0)
        begin_server();
    else
        (void)begin_client(how);
    settle();
    check(peer.ready);
    while (n >= 3 && !peer.closed) {
        op = p[0];
        k = (size_t)p[1] << 8 | p[2];
        p += 3;
        n -= 3;
        if (k > n)
            k = n;
        step(op, p, k);
        p += k;
        n -= k;
    }
    settle();
    finish();
    return 0;
}
