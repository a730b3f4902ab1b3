/* BSD-3-Clause; see LICENSE. */
/* A client and a server on one libevent loop, over real sockets. */
#ifndef EV_RIG_H
#define EV_RIG_H

#include <event2/event.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <vrpc/ev.h>

#include "echo.h"

struct host {
    struct vrpc_ev_node *node;
    struct vrpc_client *c;
    struct vrpc_server *s;
    struct echo echo;
    char name[512]; /* of the server */
};

static struct event_base *B;
static struct vrpc_ev *EV;
static struct host C, S;

/* Listen, and note the name of the first endpoint. */
static inline void host_listen(struct host *h, const char *protocol,
    const char *address)
{
    struct vrpc_listen_addr la;
    const struct vrpc_endpoint *eps;
    struct v23_buf b;
    size_t n;

    la.protocol = vdl_str(protocol);
    la.address = vdl_str(address);
    ck_assert_int_eq(vrpc_ev_listen(h->node, &la, 1), 0);
    ck_assert_int_eq(vrpc_ev_endpoints(h->node, &eps, &n), 0);
    ck_assert_uint_ge(n, 1);
    v23_buf_init_fixed(&b, h->name, sizeof(h->name) - 1);
    vrpc_endpoint_name(&eps[0], &b);
    h->name[b.n] = 0;
}

static inline void node_new(struct host *h, struct wnode *who, bool server)
{
    struct vrpc_manager_config mc;
    struct vrpc_client_config cc;
    struct vrpc_server_config sc;

    memset(h, 0, sizeof(*h));
    memset(&mc, 0, sizeof(mc));
    mc.principal = who->principal;
    if (server)
        ck_assert_int_eq(vrpc_ev_routing_id(&mc.rid), 0);
    ck_assert_int_eq(vrpc_ev_node_new(EV, &mc, &h->node), 0);
    memset(&cc, 0, sizeof(cc));
    ck_assert_int_eq(vrpc_client_new(vrpc_ev_node_manager(h->node), &cc,
        &h->c), 0);
    if (!server)
        return;
    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &echo_iface;
    sc.object.self = &h->echo;
    sc.authorizer = &vsec_auth_everyone;
    ck_assert_int_eq(vrpc_server_new(vrpc_ev_node_manager(h->node), &sc,
        &h->s), 0);
}

/* A client and a server that does not listen yet. */
static inline void ev_setup(void)
{
    struct wnode *c, *s;

    world_setup();
    ck_assert_int_eq(world_node(&W, "client", 0, &c), 0);
    ck_assert_int_eq(world_node(&W, "server", 77, &s), 0);
    W.seed = 1;
    B = event_base_new();
    ck_assert_int_eq(vrpc_ev_new(B, &W.t.al, NULL, &EV), 0);
    node_new(&C, c, false);
    node_new(&S, s, true);
}

static inline void ev_teardown(void)
{
    vrpc_ev_node_free(C.node);
    vrpc_ev_node_free(S.node);
    vrpc_ev_free(EV);
    event_base_free(B);
    world_teardown();
}

static inline void stop_loop(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    *(int *)ud = 1;
}

/* Run until *flag is set; false after 10 s. */
static inline bool run_until(const int *flag)
{
    struct timeval tv = { 10, 0 };
    struct event *e;
    int late = 0;

    e = event_new(B, -1, 0, stop_loop, &late);
    event_add(e, &tv);
    while (!*flag && !late)
        event_base_loop(B, EVLOOP_ONCE);
    event_free(e);
    return *flag != 0;
}

static inline struct vrpc_call *go(const char *name, int method,
    const struct vrpc_call_opts *o, const void *in,
    const struct vrpc_call_stub *stub, struct result *r)
{
    struct wnode n;

    memset(&n, 0, sizeof(n));
    n.c = C.c;
    return start(&n, name, method, o, in, stub, r);
}

/* Connect a plain socket to the server. */
static inline int plain_connect(void)
{
    const struct vrpc_endpoint *eps;
    struct sockaddr_in sa;
    struct vdl_str host, port;
    size_t n;
    int fd;

    ck_assert_int_eq(vrpc_ev_endpoints(S.node, &eps, &n), 0);
    ck_assert_int_eq(vrpc_split_host_port(eps[0].address, &host, &port), 0);
    memset(&sa, 0, sizeof(sa));
    sa.sin_family = AF_INET;
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t)atoi(port.p));
    fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

static inline void count_up(void *ud)
{
    ++*(int *)ud;
}

/* A call is under way when the server is told to stop. */
static inline void stop_while_called(const char *name, struct result *r,
    int *stopped)
{
    ck_assert_ptr_nonnull(go(name, M_WAIT, NULL, NULL, &stub_plain, r));
    ck_assert(run_until(&S.echo.calls));
    vrpc_ev_server_stop(S.node, 10 * SEC, count_up, stopped);
}

/* It is answered, then the server has stopped; another one is refused. */
static inline void answer_and_refuse(const char *name, struct result *r,
    int *stopped)
{
    struct vrpc_call_opts o = opts_now();
    struct result r2;

    ck_assert_int_eq(vrpc_server_call_reply(S.echo.waiting, NULL, NULL), 0);
    ck_assert(run_until(stopped));
    ck_assert(run_until(&r->done));
    ck_assert_ptr_nonnull(go(name, M_WAIT, &o, NULL, &stub_plain, &r2));
    ck_assert(run_until(&r2.done));

    ck_assert_str_eq(r->id, "");
    ck_assert_str_eq(r2.id, VERR "NoServers");
}

#endif
