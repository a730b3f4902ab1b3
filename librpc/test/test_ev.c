/* BSD-3-Clause; see LICENSE. */
/* The libevent adapter over loopback sockets on ports the kernel chooses. */
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ev_rig.h"

static void setup(void)
{
    ev_setup();
    host_listen(&S, "tcp", "127.0.0.1:0");
}

START_TEST(unary_call_over_loopback)
{
    struct add_in in = { 40, 2 };
    struct result r;

    ck_assert_ptr_nonnull(go(S.name, M_ADD, NULL, &in, &stub_plain, &r));
    ck_assert(run_until(&r.done));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 42);
}
END_TEST

START_TEST(second_call_uses_the_same_connection)
{
    struct add_in in = { 1, 2 };
    struct result r;
    int i;

    for (i = 0; i < 5; i++) {
        ck_assert_ptr_nonnull(go(S.name, M_ADD, NULL, &in, &stub_plain, &r));
        ck_assert(run_until(&r.done));
        ck_assert_str_eq(r.id, "");
    }

    ck_assert_uint_eq(vrpc_manager_nconns(vrpc_ev_node_manager(C.node)), 1);
    ck_assert_uint_eq(vrpc_manager_nconns(vrpc_ev_node_manager(S.node)), 1);
}
END_TEST

START_TEST(large_arguments_and_results_pass)
{
    static uint8_t data[4u << 20];
    struct blob in;
    struct result r;
    size_t i;

    for (i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    in.b = vdl_bytes(data, sizeof(data));
    ck_assert_ptr_nonnull(go(S.name, M_BLOB, NULL, &in, &stub_blob, &r));
    ck_assert(run_until(&r.done));

    ck_assert_str_eq(r.id, "");
    ck_assert_uint_eq(r.blob_n, sizeof(data));
    ck_assert(r.blob_ok);
}
END_TEST

START_TEST(many_calls_at_once_are_answered)
{
    static struct result r[50];
    struct add_in in = { 0, 1 };
    int i;

    for (i = 0; i < 50; i++) {
        in.a = i;
        ck_assert_ptr_nonnull(go(S.name, M_ADD, NULL, &in, &stub_plain,
            &r[i]));
    }
    for (i = 0; i < 50; i++) {
        ck_assert(run_until(&r[i].done));
        ck_assert_int_eq(r[i].sum, i + 1);
    }
    ck_assert_uint_eq(vrpc_manager_nconns(vrpc_ev_node_manager(C.node)), 1);
}
END_TEST

START_TEST(refused_connection_is_no_servers)
{
    struct vrpc_call_opts o = opts_now();
    struct result r;

    ck_assert_ptr_nonnull(go("/(test:server)@127.0.0.1:1", M_WAIT, &o, NULL,
        &stub_plain, &r));
    ck_assert(run_until(&r.done));

    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_ptr_nonnull(strstr(r.msg, "refused"));
}
END_TEST

START_TEST(host_name_is_resolved)
{
    struct add_in in = { 20, 2 };
    struct result r;
    char name[600];
    const char *port = strchr(S.name, ':') + 1;

    snprintf(name, sizeof(name), "/(test:server)@localhost:%.*s",
        (int)strcspn(port, "@"), port);
    ck_assert_ptr_nonnull(go(name, M_ADD, NULL, &in, &stub_plain, &r));
    ck_assert(run_until(&r.done));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 22);
}
END_TEST

START_TEST(host_name_finds_the_connection_to_its_address)
{
    struct add_in in = { 20, 2 };
    struct result r;
    char name[600];
    const char *port = strchr(S.name, ':') + 1;
    const char *const hosts[] = { "127.0.0.1", "localhost" };
    int i;

    for (i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "/(test:server)@%s:%.*s", hosts[i],
            (int)strcspn(port, "@"), port);
        ck_assert_ptr_nonnull(go(name, M_ADD, NULL, &in, &stub_plain, &r));
        ck_assert(run_until(&r.done));
        ck_assert_str_eq(r.id, "");
        ck_assert_uint_eq(vrpc_manager_nconns(vrpc_ev_node_manager(C.node)),
            1);
    }
}
END_TEST

START_TEST(deadline_ends_a_call)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct add_in in = { 1, 2 };
    struct result r;

    ck_assert_ptr_nonnull(go(S.name, M_ADD, NULL, &in, &stub_plain, &r));
    ck_assert(run_until(&r.done)); /* connected */
    S.echo.auto_reply = true;
    o.timeout_ns = 300 * V23_NS_PER_MS;
    ck_assert_ptr_nonnull(go(S.name, M_WAIT, &o, NULL, &stub_plain, &r));
    ck_assert(run_until(&r.done));
    ck_assert(run_until(&S.echo.cancels));

    ck_assert_str_eq(r.id, VERR "Timeout");
}
END_TEST

START_TEST(stopped_server_finishes_and_refuses)
{
    struct result r;
    int stopped = 0;

    stop_while_called(S.name, &r, &stopped);
    ck_assert_int_eq(stopped, 0);
    answer_and_refuse(S.name, &r, &stopped);

    ck_assert_int_eq(stopped, 1);
    ck_assert_int_eq(vrpc_server_state(S.s), VRPC_SERVER_STOPPED);
}
END_TEST

START_TEST(call_after_the_connection_died_reconnects)
{
    struct add_in in = { 1, 1 };
    struct result r;
    int i;

    for (i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(go(S.name, M_ADD, NULL, &in, &stub_plain, &r));
        ck_assert(run_until(&r.done));
        ck_assert_str_eq(r.id, "");
        vrpc_manager_close_all(vrpc_ev_node_manager(C.node), "test");
        while (vrpc_manager_nconns(vrpc_ev_node_manager(S.node)) > 0)
            event_base_loop(B, EVLOOP_ONCE);
    }
}
END_TEST

/* ---- listening ----------------------------------------------------------- */

START_TEST(unspecified_address_is_published_as_interfaces)
{
    struct vrpc_listen_addr la[2] = {
        { VDL_STR_INIT("wsh"), VDL_STR_INIT(":0") },
        { VDL_STR_INIT("tcp"), VDL_STR_INIT("") } };
    const struct vrpc_endpoint *eps;
    size_t n, i;

    vrpc_ev_unlisten(S.node);
    ck_assert_int_eq(vrpc_ev_listen(S.node, la, 2), 0);
    ck_assert_int_eq(vrpc_ev_endpoints(S.node, &eps, &n), 0);

    ck_assert_uint_ge(n, 1);
    for (i = 0; i < n; i++) {
        ck_assert(vdl_str_is(eps[i].protocol, "wsh"));
        ck_assert(eps[i].address.n > 2);
        ck_assert(strncmp(eps[i].address.p, "0.0.0.0", 7) != 0);
        ck_assert(strncmp(eps[i].address.p, "[::]", 4) != 0);
        ck_assert_uint_eq(eps[i].blessings.n, 1);
        ck_assert(vdl_str_is(eps[i].blessings.v[0], "test:server"));
    }
}
END_TEST

START_TEST(listening_nowhere_gives_a_bidi_endpoint)
{
    const struct vrpc_endpoint *eps;
    size_t n;

    vrpc_ev_unlisten(S.node);
    ck_assert_int_eq(vrpc_ev_endpoints(S.node, &eps, &n), 0);

    ck_assert_uint_eq(n, 1);
    ck_assert(vdl_str_is(eps[0].protocol, "bidi"));
    ck_assert_uint_eq(eps[0].address.n, 0);
}
END_TEST

static void count_change(void *ud)
{
    ++*(int *)ud;
}

START_TEST(failed_listener_is_reported_and_tried_again)
{
    const struct vrpc_endpoint *eps;
    struct vrpc_listen_addr la;
    struct vrpc_ev_node *other;
    struct vrpc_manager_config mc;
    char address[32];
    int changes = 0;
    size_t n;

    ck_assert_int_eq(vrpc_ev_endpoints(S.node, &eps, &n), 0);
    snprintf(address, sizeof(address), "%.*s", (int)eps[0].address.n,
        eps[0].address.p);
    memset(&mc, 0, sizeof(mc));
    mc.principal = W.nodes[0].principal;
    ck_assert_int_eq(vrpc_ev_routing_id(&mc.rid), 0);
    ck_assert_int_eq(vrpc_ev_node_new(EV, &mc, &other), 0);
    la.protocol = vdl_str("tcp");
    la.address = vdl_str(address);
    ck_assert_int_eq(vrpc_ev_listen(other, &la, 1), V23_ESYS);
    ck_assert_ptr_nonnull(strstr(vrpc_ev_listen_errors(other), address));
    vrpc_ev_on_endpoints(other, count_change, &changes);
    vrpc_ev_unlisten(S.node); /* the port becomes free */
    ck_assert(run_until(&changes));

    ck_assert_str_eq(vrpc_ev_listen_errors(other), "");
    ck_assert_int_eq(vrpc_ev_endpoints(other, &eps, &n), 0);
    ck_assert(vdl_str_is(eps[0].address, address));
    vrpc_ev_node_free(other);
}
END_TEST

START_TEST(unknown_protocols_cannot_be_listened_on)
{
    struct vrpc_listen_addr la = { VDL_STR_INIT("bidi"),
        VDL_STR_INIT("127.0.0.1:0") };

    ck_assert_int_eq(vrpc_ev_listen(S.node, &la, 1), V23_ENOSYS);
}
END_TEST

static void run_for(int ms)
{
    struct timeval tv = { 0, ms * 1000 };

    event_base_loopexit(B, &tv);
    event_base_dispatch(B);
}

/* Run until the server has at least (or, want 0, exactly) so many. */
static void run_until_conns(size_t want)
{
    struct vrpc_manager *m = vrpc_ev_node_manager(S.node);
    size_t n;
    int i;

    for (i = 0; i < 500; i++) {
        n = vrpc_manager_nconns(m);
        if (want == 0 ? n == 0 : n >= want)
            break;
        run_for(10);
    }
}

START_TEST(out_of_descriptors_accepts_go_on_later)
{
    struct vrpc_manager *m = vrpc_ev_node_manager(S.node);
    struct rlimit old, low;
    int fds[5], i;

    for (i = 0; i < 5; i++)
        fds[i] = plain_connect();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = (rlim_t)fds[4] + 3; /* room for two */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    run_for(50);
    ck_assert_uint_le(vrpc_manager_nconns(m), 2);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    run_until_conns(3);

    ck_assert_uint_ge(vrpc_manager_nconns(m), 3);
    for (i = 0; i < 5; i++)
        close(fds[i]);
    run_until_conns(0);
    ck_assert_uint_eq(vrpc_manager_nconns(m), 0);
}
END_TEST

START_TEST(garbage_on_the_port_closes_the_connection)
{
    static const char *const junk[] = { "GET / HTTP/1.0\r\n\r\n",
        "\xff\xff\xff", "\x80\x00\x00\x05hello",
        "\xff\xff\xfe\x7d" };
    static const size_t sizes[] = { 18, 3, 9, 4 };
    struct vrpc_manager *m = vrpc_ev_node_manager(S.node);
    struct add_in in = { 1, 2 };
    struct result r;
    size_t i;
    int fd;

    for (i = 0; i < 4; i++) {
        fd = plain_connect();
        ck_assert_int_gt(send(fd, junk[i], sizes[i], 0), 0);
        run_for(20);
        run_until_conns(0);
        ck_assert_msg(vrpc_manager_nconns(m) == 0, "junk %zu is let in", i);
        close(fd);
    }
    ck_assert_ptr_nonnull(go(S.name, M_ADD, NULL, &in, &stub_plain, &r));
    ck_assert(run_until(&r.done));
    ck_assert_str_eq(r.id, "");
}
END_TEST

START_TEST(warm_calls_do_not_allocate)
{
    struct add_in in = { 1, 1 };
    struct result r;
    size_t before;
    int i;

    for (i = 0; i < 20; i++) {
        ck_assert_ptr_nonnull(go(S.name, M_ADD, NULL, &in, &stub_plain, &r));
        ck_assert(run_until(&r.done));
    }
    before = W.t.calls;
    for (i = 0; i < 100; i++) {
        ck_assert_ptr_nonnull(go(S.name, M_ADD, NULL, &in, &stub_plain, &r));
        ck_assert(run_until(&r.done));
    }
    /* Names are validated again when a new second begins. */
    ck_assert_uint_lt(W.t.calls - before, 30);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/ev");
    TCase *t = tcase_create("loopback");

    tcase_add_checked_fixture(t, setup, ev_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, unary_call_over_loopback);
    tcase_add_test(t, second_call_uses_the_same_connection);
    tcase_add_test(t, large_arguments_and_results_pass);
    tcase_add_test(t, many_calls_at_once_are_answered);
    tcase_add_test(t, refused_connection_is_no_servers);
    tcase_add_test(t, host_name_is_resolved);
    tcase_add_test(t, host_name_finds_the_connection_to_its_address);
    tcase_add_test(t, deadline_ends_a_call);
    tcase_add_test(t, stopped_server_finishes_and_refuses);
    tcase_add_test(t, call_after_the_connection_died_reconnects);
    tcase_add_test(t, unspecified_address_is_published_as_interfaces);
    tcase_add_test(t, listening_nowhere_gives_a_bidi_endpoint);
    tcase_add_test(t, failed_listener_is_reported_and_tried_again);
    tcase_add_test(t, unknown_protocols_cannot_be_listened_on);
    tcase_add_test(t, out_of_descriptors_accepts_go_on_later);
    tcase_add_test(t, garbage_on_the_port_closes_the_connection);
    tcase_add_test(t, warm_calls_do_not_allocate);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}
