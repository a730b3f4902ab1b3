/* BSD-3-Clause; see LICENSE. */
/* Host names: a name server on loopback that answers as it likes. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/util.h>

#include "ev_rig.h"
#include "ev_int.h"

static struct evdns_server_port *Port;
static struct evdns_server_request *Mute[8]; /* without an answer */
static int Muted, Asked, Late;                   /* questions; of late.test */

/* up.test is here, late.test from the second question on, mute.test gets no
 * answer, everything else does not exist. */
static void answer(struct evdns_server_request *req, void *ud)
{
    const char *name = req->questions[0]->name;
    bool a = req->questions[0]->type == EVDNS_TYPE_A;
    struct in_addr here;
    int code = DNS_ERR_NONE;

    (void)ud;
    Asked = 1;
    here.s_addr = htonl(INADDR_LOOPBACK);
    if (evutil_ascii_strcasecmp(name, "mute.test") == 0) {
        if (Muted < 8)
            Mute[Muted++] = req;
        return;
    }
    if (evutil_ascii_strcasecmp(name, "late.test") == 0 && a)
        Late++;
    if (evutil_ascii_strcasecmp(name, "up.test") != 0
        && (evutil_ascii_strcasecmp(name, "late.test") != 0 || Late < 2))
        code = DNS_ERR_NOTEXIST;
    else if (a)
        (void)evdns_server_request_add_a_reply(req, name, 1, &here.s_addr, 1);
    (void)evdns_server_request_respond(req, code);
}

static void setup(void)
{
    struct sockaddr_in sa;
    socklen_t len = sizeof(sa);
    char text[64];
    int fd;

    ev_setup();
    memset(&sa, 0, sizeof(sa));
    sa.sin_family = AF_INET;
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    (void)getsockname(fd, (struct sockaddr *)&sa, &len);
    ck_assert_int_eq(evutil_make_socket_nonblocking(fd), 0);
    Port = evdns_add_server_port_with_base(B, fd, 0, answer, NULL);
    ck_assert_ptr_nonnull(Port);
    Asked = Late = Muted = 0;
    EV->dns = evdns_base_new(B, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(sa.sin_port));
    ck_assert_int_eq(evdns_base_nameserver_ip_add(EV->dns, text), 0);
}

static void teardown(void)
{
    while (Muted > 0)
        (void)evdns_server_request_drop(Mute[--Muted]);
    evdns_close_server_port(Port);
    event_base_loop(B, EVLOOP_NONBLOCK); /* answers to cancelled questions */
    ev_teardown();
}

static int Changed;

static void on_changed(void *ud)
{
    (void)ud;
    Changed = S.node->listeners != NULL && S.node->listeners->fd >= 0;
}

static int listen_at(const char *address)
{
    struct vrpc_listen_addr la;

    Changed = 0;
    vrpc_ev_on_endpoints(S.node, on_changed, NULL);
    la.protocol = vdl_str("tcp");
    la.address = vdl_str(address);
    return vrpc_ev_listen(S.node, &la, 1);
}

/* A call of the server at this host passes. */
static bool call_at(const char *host)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct add_in in = { 2, 3 };
    const char *port = strrchr(S.node->listeners->bound, ':');
    static struct result r;
    char name[256];

    o.server_auth = &vsec_auth_everyone;
    o.timeout_ns = 10 * SEC;
    snprintf(name, sizeof(name), "/@6@tcp@%s%s@@%032d@s@test:server@@", host,
        port, 0);
    ck_assert_ptr_nonnull(go(name, M_ADD, &o, &in, &stub_plain, &r));
    return run_until(&r.done) && r.id[0] == 0;
}

START_TEST(a_name_is_looked_up_in_the_loop)
{
    ck_assert_int_eq(listen_at("up.test:0"), V23_EAGAIN);
    ck_assert_str_eq(vrpc_ev_listen_errors(S.node),
        "(tcp, up.test:0): resolve: no answer yet\n");
    ck_assert(run_until(&Changed));
    ck_assert_str_eq(vrpc_ev_listen_errors(S.node), "");
    ck_assert_int_eq(strncmp(S.node->listeners->bound, "127.0.0.1:", 10), 0);
    ck_assert(call_at("up.test"));
}
END_TEST

START_TEST(a_name_is_asked_for_again)
{
    ck_assert_int_eq(listen_at("late.test:0"), V23_EAGAIN);
    while (S.node->listeners->lookup != NULL)
        event_base_loop(B, EVLOOP_ONCE);
    ck_assert_ptr_nonnull(
        strstr(vrpc_ev_listen_errors(S.node), "late.test:0): resolve: "));
    ck_assert(run_until(&Changed));
    ck_assert_int_eq(Late, 2);
    ck_assert_str_eq(vrpc_ev_listen_errors(S.node), "");
}
END_TEST

START_TEST(the_question_of_a_closed_listener_is_dropped)
{
    ck_assert_int_eq(listen_at("mute.test:0"), V23_EAGAIN);
    ck_assert(run_until(&Asked));
    vrpc_ev_unlisten(S.node);
    event_base_loop(B, EVLOOP_NONBLOCK);
    ck_assert_int_eq(Changed, 0);
}
END_TEST

START_TEST(a_call_does_not_wait_for_a_name_for_ever)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    static struct result r;

    o.server_auth = &vsec_auth_everyone;
    o.timeout_ns = SEC / 20;
    ck_assert_ptr_nonnull(go("/@6@tcp@mute.test:1@@@s@test:server@@", M_WAIT,
        &o, NULL, &stub_plain, &r));
    ck_assert(run_until(&r.done));
    ck_assert_str_eq(r.id, VERR "Timeout");
}
END_TEST

START_TEST(a_name_that_is_none_costs_the_call)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    static struct result r;

    o.server_auth = &vsec_auth_everyone;
    o.timeout_ns = 10 * SEC;
    o.no_retry = true;
    ck_assert_ptr_nonnull(go("/@6@tcp@none.test:1@@@s@test:server@@", M_WAIT,
        &o, NULL, &stub_plain, &r));
    ck_assert(run_until(&r.done));
    ck_assert_str_eq(r.id, VERR "NoServers");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, a_name_is_looked_up_in_the_loop);
    tcase_add_test(tc, a_name_is_asked_for_again);
    tcase_add_test(tc, the_question_of_a_closed_listener_is_dropped);
    tcase_add_test(tc, a_call_does_not_wait_for_a_name_for_ever);
    tcase_add_test(tc, a_name_that_is_none_costs_the_call);
}

int main(void)
{
    return tst_run_case("librpc/ev_dns", fill, setup, teardown);
}
