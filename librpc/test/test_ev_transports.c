/* BSD-3-Clause; see LICENSE. */
/* The same calls over every transport; and what is particular to each. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ev_rig.h"

#include "call_int.h"
#include "ev_int.h"

static char Dir[] = "/tmp/vrpc-test.XXXXXX"; /* for sockets */
static char Path[64];

static void setup(void)
{
    strcpy(Dir + sizeof(Dir) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(Dir));
    snprintf(Path, sizeof(Path), "%s/s", Dir);
    ev_setup();
}

static void teardown(void)
{
    ev_teardown();
    unlink(Path);
    ck_assert_int_eq(rmdir(Dir), 0);
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 sa;
    int fd = socket(AF_INET6, SOCK_STREAM, 0), rc;

    memset(&sa, 0, sizeof(sa));
    sa.sin6_family = AF_INET6;
    sa.sin6_addr = in6addr_loopback;
    rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&sa, sizeof(sa));
    if (fd >= 0)
        close(fd);
    if (rc != 0)
        puts("left out: this machine has no ::1");
    return rc == 0;
}

/* The server's name with another protocol. */
static const char *renamed(const char *protocol)
{
    static char name[600];
    const char *rest = strchr(S.name + 4, '@');

    snprintf(name, sizeof(name), "/@6@%s%s", protocol, rest);
    return name;
}

static void add_works(const char *name)
{
    struct add_in in = { 40, 2 };
    struct result r;

    ck_assert_ptr_nonnull(go(name, M_ADD, NULL, &in, &stub_plain, &r));
    ck_assert(run_until(&r.done));
    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 42);
}

/* ---- every transport ----------------------------------------------------- */

static const struct {
    const char *protocol, *address, *dial; /* address NULL: Path */
    bool v6;
} kinds[] = {
    { "tcp", "127.0.0.1:0", "tcp", false },
    { "ws", "127.0.0.1:0", "ws", false },
    { "wsh", "127.0.0.1:0", "wsh", false },
    { "wsh", "127.0.0.1:0", "ws", false },
    { "wsh4", "127.0.0.1:0", "ws4", false },
    { "", "127.0.0.1:0", "", false },
    { "tcp6", "[::1]:0", "tcp6", true },
    { "ws6", "[::1]:0", "ws6", true },
    { "wsh6", "[::1]:0", "wsh6", true },
    { "unix", NULL, "unix", false },
#ifdef __linux__
    { "unix", "@vrpc-test", "unix", false },
#endif
};

/* Listen on one of them; false: this machine cannot. */
static bool listen_on(int i, char *name, size_t size)
{
    char address[96];
    const char *a = kinds[i].address;

    if (kinds[i].v6 && !has_ipv6())
        return false;
    if (a == NULL)
        a = Path;
    if (a[0] == '@') {
        snprintf(address, sizeof(address), "%s-%ld", a, (long)getpid());
        a = address;
    }
    host_listen(&S, kinds[i].protocol, a);
    snprintf(name, size, "%s", renamed(kinds[i].dial));
    return true;
}

START_TEST(calls_pass)
{
    static struct result many[40];
    static uint8_t data[3u << 20];
    struct add_in in = { 0, 1 };
    struct result r;
    struct blob blob;
    char name[600];
    size_t i;

    if (!listen_on(_i, name, sizeof(name)))
        return;
    add_works(name);
    for (i = 0; i < 40; i++) {
        in.a = (int32_t)i;
        ck_assert_ptr_nonnull(go(name, M_ADD, NULL, &in, &stub_plain,
            &many[i]));
    }
    for (i = 0; i < 40; i++) {
        ck_assert(run_until(&many[i].done));
        ck_assert_int_eq(many[i].sum, i + 1);
    }
    for (i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    blob.b = vdl_bytes(data, sizeof(data));
    ck_assert_ptr_nonnull(go(name, M_BLOB, NULL, &blob, &stub_blob, &r));
    ck_assert(run_until(&r.done));
    ck_assert_str_eq(r.id, "");
    ck_assert_uint_eq(r.blob_n, sizeof(data));
    ck_assert(r.blob_ok);
    ck_assert_uint_eq(vrpc_manager_nconns(vrpc_ev_node_manager(C.node)), 1);
    ck_assert_uint_eq(vrpc_manager_nconns(vrpc_ev_node_manager(S.node)), 1);
}
END_TEST

START_TEST(server_stops_cleanly)
{
    struct result r;
    char name[600];
    int stopped = 0;

    if (!listen_on(_i, name, sizeof(name)))
        return;
    stop_while_called(name, &r, &stopped);
    answer_and_refuse(name, &r, &stopped);
}
END_TEST

START_TEST(lost_connection_is_made_again)
{
    char name[600];
    int i;

    if (!listen_on(_i, name, sizeof(name)))
        return;
    for (i = 0; i < 3; i++) {
        add_works(name);
        vrpc_manager_close_all(vrpc_ev_node_manager(i == 1 ? S.node : C.node),
            "test");
        while (vrpc_manager_nconns(vrpc_ev_node_manager(S.node)) > 0 ||
            vrpc_manager_nconns(vrpc_ev_node_manager(C.node)) > 0)
            event_base_loop(B, EVLOOP_ONCE);
    }
}
END_TEST

START_TEST(warm_calls_do_not_allocate)
{
    struct add_in in = { 1, 1 };
    struct result r;
    char name[600];
    size_t before;
    int i;

    if (!listen_on(_i, name, sizeof(name)))
        return;
    for (i = 0; i < 20; i++)
        add_works(name);
    before = W.t.calls;
    for (i = 0; i < 100; i++) {
        ck_assert_ptr_nonnull(go(name, M_ADD, NULL, &in, &stub_plain, &r));
        ck_assert(run_until(&r.done));
    }
    ck_assert_uint_lt(W.t.calls - before, 30);
}
END_TEST

START_TEST(dial_can_be_given_up)
{
    struct add_in in = { 1, 1 };
    struct result r;
    char name[600];
    int turns, k;

    if (!listen_on(_i, name, sizeof(name)))
        return;
    for (turns = 0; turns < 8; turns++) {
        struct vrpc_call *call = go(name, M_ADD, NULL, &in, &stub_plain, &r);

        ck_assert_ptr_nonnull(call);
        for (k = 0; k < turns && !r.done; k++)
            event_base_loop(B, EVLOOP_ONCE);
        if (!r.done)
            vrpc_call_cancel(call);
        ck_assert(run_until(&r.done));
        vrpc_manager_close_all(vrpc_ev_node_manager(C.node), "test");
    }
    add_works(name);
}
END_TEST

/* Of both ends, as they share the allocator. */
START_TEST(memory_failure_costs_a_connection_at_most)
{
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 1, 2 };
    struct result r;
    char name[600];
    size_t k;

    if (!listen_on(_i, name, sizeof(name)))
        return;
    o.timeout_ns = 5 * SEC;
    for (k = 1; k < 120; k += k < 60 ? 1 : 7) {
        W.t.fail_at = W.t.calls + k;
        if (go(name, M_ADD, &o, &in, &stub_plain, &r) != NULL)
            ck_assert(run_until(&r.done));
        W.t.fail_at = 0;
        vrpc_manager_close_all(vrpc_ev_node_manager(C.node), "test");
        while (vrpc_manager_nconns(vrpc_ev_node_manager(C.node)) > 0)
            event_base_loop(B, EVLOOP_ONCE);
    }
    add_works(name);
}
END_TEST

/* ---- sockets by hand ----------------------------------------------------- */

static int raw_connect(void)
{
    int fd = plain_connect();

    ck_assert_int_eq(evutil_make_socket_nonblocking(fd), 0);
    return fd;
}

/* Run the loop until the peer closes; what it says is in `got`. */
static void read_to_end(int fd, char *got, size_t size)
{
    size_t n = 0;
    ssize_t k;

    for (;;) {
        k = recv(fd, got + n, size - n - 1, 0);
        if (k == 0 || (k < 0 && errno != EAGAIN))
            break;
        if (k > 0)
            n += (size_t)k;
        else
            event_base_loop(B, EVLOOP_ONCE);
    }
    got[n] = 0;
}

#define BYTES(text) text, sizeof(text) - 1
#define UPGRADE \
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n" \
    "Connection: upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const struct {
    const char *bytes;
    size_t n;
    const char *status; /* of the answer; "" = none, NULL = not HTTP */
} hostile[] = {
    { BYTES("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 400" },
    { BYTES(UPGRADE "Origin: http://evil\r\n\r\n"), "HTTP/1.1 403" },
    { BYTES("GARBAGE\r\n\r\n"), "HTTP/1.1 400" },
    { BYTES("\x80\x00\x00\x05hello"), NULL },
    /* A frame that is not masked; one that is too long. */
    { BYTES(UPGRADE "\r\n\x82\x01x"), "HTTP/1.1 101" },
    { BYTES(UPGRADE "\r\n\x82\xff\x00\x00\x00\x00\x00\x10\x00\x00mask."),
        "HTTP/1.1 101" },
    /* Half a request, and nothing more: a second, then it is over. */
    { BYTES("GET / HTTP/1.1\r\nHo"), "" },
};

START_TEST(hostile_peer_costs_its_own_connection)
{
    char got[1024];
    int fd;

    host_listen(&S, "wsh", "127.0.0.1:0");
    add_works(renamed("ws"));
    fd = raw_connect();
    ck_assert_int_eq(send(fd, hostile[_i].bytes, hostile[_i].n, 0),
        (ssize_t)hostile[_i].n);
    read_to_end(fd, got, sizeof(got));
    close(fd);

    if (hostile[_i].status != NULL)
        ck_assert_int_eq(strncmp(got, hostile[_i].status,
            strlen(hostile[_i].status)), 0);
    if (hostile[_i].status != NULL && hostile[_i].status[0] == 0)
        ck_assert_str_eq(got, "");
    add_works(renamed("ws"));
    ck_assert_uint_eq(vrpc_manager_nconns(vrpc_ev_node_manager(S.node)), 1);
    ck_assert_uint_eq(S.node->npending, 0);
}
END_TEST

START_TEST(silent_peers_wait_outside)
{
    int fds[20];
    char got[16];
    size_t i;

    host_listen(&S, "wsh", "127.0.0.1:0");
    for (i = 0; i < 20; i++)
        fds[i] = raw_connect();
    while (S.node->npending < 20)
        event_base_loop(B, EVLOOP_ONCE);
    add_works(S.name);
    ck_assert_uint_eq(vrpc_manager_nconns(vrpc_ev_node_manager(S.node)), 1);
    close(fds[0]); /* one gives up */
    while (S.node->npending > 19)
        event_base_loop(B, EVLOOP_ONCE);
    vrpc_ev_unlisten(S.node); /* the others are not taken any more */
    ck_assert_uint_eq(S.node->npending, 0);
    for (i = 1; i < 20; i++) {
        read_to_end(fds[i], got, sizeof(got));
        close(fds[i]);
    }
    add_works(S.name); /* over the connection there is */
}
END_TEST

START_TEST(websocket_dial_of_a_plain_server_fails)
{
    struct vrpc_call_opts o = opts_now();
    struct result r;

    host_listen(&S, "tcp", "127.0.0.1:0");
    ck_assert_ptr_nonnull(go(renamed("ws"), M_WAIT, &o, NULL, &stub_plain,
        &r));
    ck_assert(run_until(&r.done));
    ck_assert_str_eq(r.id, VERR "NoServers");
}
END_TEST

START_TEST(websocket_dial_has_the_deadline_of_the_call)
{
    struct vrpc_call_opts o = opts_now();
    struct sockaddr_in sa;
    socklen_t n = sizeof(sa);
    struct result r;
    char name[128];
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* accepts, never answers */

    memset(&sa, 0, sizeof(sa));
    sa.sin_family = AF_INET;
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, n), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
    snprintf(name, sizeof(name), "/@6@ws@127.0.0.1:%u@@%032d@s@test:server@@",
        (unsigned)ntohs(sa.sin_port), 0);
    o.timeout_ns = 200 * V23_NS_PER_MS;
    ck_assert_ptr_nonnull(go(name, M_WAIT, &o, NULL, &stub_plain, &r));
    ck_assert(run_until(&r.done));
    close(fd);
    ck_assert_str_eq(r.id, VERR "Timeout");
}
END_TEST

/* ---- addresses ----------------------------------------------------------- */

START_TEST(any_address_serves_both_families)
{
    const char *port;
    char name[600];

    host_listen(&S, "tcp", ":0");
    port = strrchr(S.node->listeners->bound, ':') + 1;
    snprintf(name, sizeof(name), "/(test:server)@127.0.0.1:%s", port);
    add_works(name);
    vrpc_manager_close_all(vrpc_ev_node_manager(C.node), "test");
    if (!has_ipv6())
        return;
    snprintf(name, sizeof(name), "/(test:server)@[::1]:%s", port);
    add_works(name);
}
END_TEST

START_TEST(zone_is_part_of_an_address)
{
    struct vrpc_endpoint ep;
    struct sockaddr_in6 sa;
    struct vdl_str printed;
    struct v23_arena a;
    char text[80];
    struct v23_buf b;

    memset(&sa, 0, sizeof(sa));
    sa.sin6_family = AF_INET6;
    sa.sin6_port = htons(5);
    ck_assert_int_eq(inet_pton(AF_INET6, "fe80::1", &sa.sin6_addr), 1);
    sa.sin6_scope_id = if_nametoindex("lo");
    if (sa.sin6_scope_id == 0) {
        puts("left out: no interface is named lo");
        return;
    }
    v23_buf_init_fixed(&b, text, sizeof(text) - 1);
    vrpc_ev_format_addr_((struct sockaddr *)&sa, sizeof(sa), &b);
    text[b.n] = 0;
    ck_assert_str_eq(text, "[fe80::1%lo]:5");
    memset(&ep, 0, sizeof(ep));
    ep.protocol = vdl_str("tcp");
    ep.address = vdl_str(text);
    v23_arena_init(&a, NULL, SIZE_MAX);
    ck_assert_int_eq(vrpc_endpoint_text(&a, &ep, &printed), 0);
    ck_assert_int_eq(vrpc_endpoint_parse(&a, printed, &ep, NULL), 0);
    ck_assert(vdl_str_is(ep.address, text));
    v23_arena_fini(&a);
}
END_TEST

/*
 * A listener whose queue is full neither accepts nor refuses. The name has
 * both families; the server is behind the second.
 */
START_TEST(address_that_does_not_answer_is_not_waited_for)
{
    struct sockaddr_in6 sa;
    const char *port;
    FILE *f;
    char name[600];
    int fd, fill[8], i;

    if (!has_ipv6())
        return;
    f = fopen(Path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("127.0.0.1 two.test\n::1 two.test\n", f);
    fclose(f);
    EV->dns = evdns_base_new(B, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    ck_assert_int_eq(evdns_base_load_hosts(EV->dns, Path), 0);
    host_listen(&S, "tcp4", "127.0.0.1:0");
    port = strrchr(S.node->listeners->bound, ':') + 1;
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    memset(&sa, 0, sizeof(sa));
    sa.sin6_family = AF_INET6;
    sa.sin6_addr = in6addr_loopback;
    sa.sin6_port = htons((uint16_t)atoi(port));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(fd, 0), 0);
    for (i = 0; i < 8; i++) {
        fill[i] = socket(AF_INET6, SOCK_STREAM, 0);
        evutil_make_socket_nonblocking(fill[i]);
        (void)!connect(fill[i], (struct sockaddr *)&sa, sizeof(sa));
    }
    snprintf(name, sizeof(name), "/(test:server)@two.test:%s", port);
    add_works(name);
    for (i = 0; i < 8; i++)
        close(fill[i]);
    close(fd);
}
END_TEST

/* ---- published addresses ------------------------------------------------- */

/* What the machine's interfaces are, as far as the loop knows. */
static const char *const *Interfaces;

static int fake_interfaces(const struct v23_alloc *al,
    struct vrpc_network **nets, size_t *n)
{
    size_t i;

    *n = 0;
    *nets = v23_get(al, 16 * sizeof(**nets));
    if (*nets == NULL)
        return V23_ENOMEM;
    memset(*nets, 0, 16 * sizeof(**nets));
    for (i = 0; Interfaces[i] != NULL; i++)
        ck_assert_int_eq(vrpc_network_parse(vdl_str(Interfaces[i]),
            &(*nets)[(*n)++]), 0);
    return 0;
}

static void have_interfaces(const char *const *list)
{
    Interfaces = list;
    EV->interfaces = fake_interfaces;
    vrpc_ev_networks_changed_(EV);
}

/* The published hosts, in order, without their port. */
static const char *published(void)
{
    static char text[512];
    const struct vrpc_endpoint *eps;
    size_t n, i, at = 0;

    text[0] = 0;
    ck_assert_int_eq(vrpc_ev_endpoints(S.node, &eps, &n), 0);
    for (i = 0; i < n; i++) {
        const char *a = eps[i].address.p;
        size_t k = eps[i].address.n;

        while (k > 0 && a[k - 1] != ':')
            k--;
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s",
            i == 0 ? "" : " ", (int)(k == 0 ? 0 : k - 1), a);
    }
    return text;
}

static const char *const mixed[] = { "127.0.0.1/8", "::1/128",
    "169.254.1.2/16", "10.1.2.3/8", "fe80::1/64", "fd00::7/64",
    "198.51.100.9/24", "2001:db8::5/64", "192.168.3.4/16", NULL };
static const char *const alone[] = { "127.0.0.1/8", "::1/128", NULL };
static const char *const other[] = { "127.0.0.1/8", "10.7.7.7/8", NULL };

START_TEST(every_interface_is_published_best_first)
{
    have_interfaces(mixed);
    host_listen(&S, "wsh4", ":0");
    ck_assert_str_eq(published(), "198.51.100.9 10.1.2.3 192.168.3.4");
    vrpc_ev_unlisten(S.node);
    host_listen(&S, "tcp", "127.0.0.1:0");
    ck_assert_str_eq(published(), "127.0.0.1");
    vrpc_ev_unlisten(S.node);
    have_interfaces(alone);
    host_listen(&S, "tcp4", ":0");
    ck_assert_str_eq(published(), "127.0.0.1");
    if (!has_ipv6())
        return;
    have_interfaces(mixed);
    vrpc_ev_unlisten(S.node);
    host_listen(&S, "tcp", ":0");
    ck_assert_str_eq(published(), "198.51.100.9 10.1.2.3 192.168.3.4 "
        "[fd00::7] [2001:db8::5]");
    vrpc_ev_unlisten(S.node);
    host_listen(&S, "tcp6", ":0");
    ck_assert_str_eq(published(), "[fd00::7] [2001:db8::5]");
}
END_TEST

static size_t choose_none(void *ud, struct vdl_str protocol,
    const struct vdl_str *candidates, size_t n, struct vdl_str *out,
    size_t max)
{
    (void)ud;
    (void)protocol;
    (void)candidates;
    (void)n;
    (void)out;
    (void)max;
    return 0;
}

static size_t choose_two(void *ud, struct vdl_str protocol,
    const struct vdl_str *candidates, size_t n, struct vdl_str *out,
    size_t max)
{
    ck_assert_ptr_eq(ud, &S);
    ck_assert(vdl_str_is(protocol, "tcp4"));
    ck_assert_uint_eq(n, 3);
    ck_assert_uint_ge(max, n);
    out[0] = candidates[1];
    out[1] = vdl_str("host.test:99");
    return 2;
}

START_TEST(chooser_decides_what_is_published)
{
    const struct vrpc_endpoint *eps;
    size_t n;

    have_interfaces(mixed);
    host_listen(&S, "tcp4", ":0");
    vrpc_ev_set_chooser(S.node, choose_two, &S);
    ck_assert_str_eq(published(), "10.1.2.3 host.test");
    ck_assert_int_eq(vrpc_ev_endpoints(S.node, &eps, &n), 0);
    ck_assert(vdl_str_is(eps[1].address, "host.test:99"));
    vrpc_ev_set_chooser(S.node, choose_none, NULL);
    ck_assert_str_eq(published(), "0.0.0.0");
    vrpc_ev_set_chooser(S.node, NULL, NULL);
    ck_assert_str_eq(published(), "198.51.100.9 10.1.2.3 192.168.3.4");
}
END_TEST

START_TEST(changed_interfaces_are_published)
{
    int changes = 0;

    have_interfaces(mixed);
    host_listen(&S, "tcp4", ":0");
    vrpc_ev_on_endpoints(S.node, count_up, &changes);
    have_interfaces(mixed);
    ck_assert_int_eq(changes, 0); /* nothing is new */
    have_interfaces(other);
    ck_assert_int_eq(changes, 1);
    ck_assert_str_eq(published(), "10.7.7.7");
    vrpc_ev_unlisten(S.node);
    host_listen(&S, "tcp4", "127.0.0.1:0");
    changes = 0;
    have_interfaces(mixed);
    ck_assert_int_eq(changes, 0); /* it does not concern this one */
}
END_TEST

START_TEST(client_learns_of_changed_interfaces)
{
    struct vrpc_manager_config mc;
    struct vrpc_client_config cc;
    struct vrpc_ev_node *node;
    struct vrpc_client *c;

    have_interfaces(mixed);
    memset(&mc, 0, sizeof(mc));
    mc.principal = W.nodes[0].principal;
    ck_assert_int_eq(vrpc_ev_node_new(EV, &mc, &node), 0);
    memset(&cc, 0, sizeof(cc));
    vrpc_ev_networks(EV, &cc.networks, &cc.nnetworks);
    ck_assert_int_eq(vrpc_client_new(vrpc_ev_node_manager(node), &cc, &c),
        0);
    have_interfaces(other);
    ck_assert_uint_eq(c->cfg.nnetworks, 2);
    ck_assert_ptr_eq(c->cfg.networks, EV->nets);
    vrpc_ev_node_free(node);
}
END_TEST

/* ---- socket files -------------------------------------------------------- */

/* Listen once more on Path; its status. */
static int listen_again(void)
{
    struct vrpc_listen_addr la;

    la.protocol = vdl_str("unix");
    la.address = vdl_str(Path);
    return vrpc_ev_listen(S.node, &la, 1);
}

START_TEST(stale_socket_file_is_replaced)
{
    struct sockaddr_un sa;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(&sa, 0, sizeof(sa));
    sa.sun_family = AF_UNIX;
    strcpy(sa.sun_path, Path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(listen_again(), V23_ESYS); /* it is alive */
    ck_assert_ptr_nonnull(strstr(vrpc_ev_listen_errors(S.node), Path));
    vrpc_ev_unlisten(S.node);
    ck_assert_int_eq(access(Path, F_OK), 0);
    close(fd);

    host_listen(&S, "unix", Path);
    add_works(S.name);
    vrpc_ev_unlisten(S.node);
    ck_assert_int_ne(access(Path, F_OK), 0);
}
END_TEST

START_TEST(only_sockets_are_replaced_and_removed)
{
    FILE *f = fopen(Path, "w");

    ck_assert_ptr_nonnull(f);
    fclose(f);
    ck_assert_int_eq(listen_again(), V23_ESYS);
    vrpc_ev_unlisten(S.node);
    ck_assert_int_eq(unlink(Path), 0);

    host_listen(&S, "unix", Path);
    ck_assert_int_eq(unlink(Path), 0);
    f = fopen(Path, "w"); /* somebody else's */
    fclose(f);
    vrpc_ev_unlisten(S.node);
    ck_assert_int_eq(access(Path, F_OK), 0);
}
END_TEST

START_TEST(socket_path_is_published_absolute)
{
    const struct vrpc_endpoint *eps;
    char cwd[512], want[600];
    size_t n;

    ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
    ck_assert_int_eq(chdir(Dir), 0);
    host_listen(&S, "unix", "s");
    ck_assert_int_eq(vrpc_ev_endpoints(S.node, &eps, &n), 0);
    snprintf(want, sizeof(want), "%s", Path);
    ck_assert(vdl_str_is(eps[0].address, want));
    ck_assert_int_eq(chdir(cwd), 0);
    add_works(S.name);
}
END_TEST

START_TEST(socket_path_has_a_limit)
{
    struct vrpc_call_opts o = opts_now();
    struct vrpc_listen_addr la;
    char text[300], name[400];
    struct result r;

    memset(text, 'x', sizeof(text) - 1);
    text[0] = '/';
    text[sizeof(text) - 1] = 0;
    la.protocol = vdl_str("unix");
    la.address = vdl_str(text);
    ck_assert_int_eq(vrpc_ev_listen(S.node, &la, 1), V23_ESYS);
    snprintf(name, sizeof(name), "/@6@unix@%s@@%032d@s@test:server@@", text,
        0);
    ck_assert_ptr_nonnull(go(name, M_WAIT, &o, NULL, &stub_plain, &r));
    ck_assert(run_until(&r.done));
    ck_assert_str_eq(r.id, VERR "NoServers");
}
END_TEST

static void fill(TCase *tc)
{
    const int n = (int)(sizeof(kinds) / sizeof(kinds[0]));

    tcase_add_loop_test(tc, calls_pass, 0, n);
    tcase_add_loop_test(tc, server_stops_cleanly, 0, n);
    tcase_add_loop_test(tc, lost_connection_is_made_again, 0, n);
    tcase_add_loop_test(tc, warm_calls_do_not_allocate, 0, n);
    tcase_add_loop_test(tc, dial_can_be_given_up, 0, n);
    tcase_add_loop_test(tc, memory_failure_costs_a_connection_at_most, 2, 4);
    tcase_add_loop_test(tc, hostile_peer_costs_its_own_connection, 0,
        (int)(sizeof(hostile) / sizeof(hostile[0])));
    tcase_add_test(tc, silent_peers_wait_outside);
    tcase_add_test(tc, websocket_dial_of_a_plain_server_fails);
    tcase_add_test(tc, websocket_dial_has_the_deadline_of_the_call);
    tcase_add_test(tc, any_address_serves_both_families);
    tcase_add_test(tc, zone_is_part_of_an_address);
    tcase_add_test(tc, address_that_does_not_answer_is_not_waited_for);
    tcase_add_test(tc, every_interface_is_published_best_first);
    tcase_add_test(tc, chooser_decides_what_is_published);
    tcase_add_test(tc, changed_interfaces_are_published);
    tcase_add_test(tc, client_learns_of_changed_interfaces);
    tcase_add_test(tc, stale_socket_file_is_replaced);
    tcase_add_test(tc, only_sockets_are_replaced_and_removed);
    tcase_add_test(tc, socket_path_is_published_absolute);
    tcase_add_test(tc, socket_path_has_a_limit);
}

int main(void)
{
    return tst_run_case("librpc/transports", fill, setup, teardown);
}
