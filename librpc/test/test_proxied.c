/* BSD-3-Clause; see LICENSE. */
/* Clients and servers with proxies between them, in virtual time. */
#include "proxied.h"

#include "tunnel_int.h"

/* ---- the way there ------------------------------------------------------- */

START_TEST(proxied_endpoint_has_the_servers_id_and_names)
{
    ck_assert_str_eq(behind_name(&T.s, 0),
        "/@6@tcp@proxy:1@@0000000000000000000000000000004d@s@test:server@@");
    ck_assert_str_eq(behind_name(&T.s, 1), "");
    ck_assert_str_eq(vrpc_proxied_errors(T.s.p), "");
    ck_assert_int_ge(T.s.changes, 1);
}
END_TEST

START_TEST(server_is_called_through_a_proxy)
{
    struct vrpc_proxy_status st;

    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");

    ck_assert_int_eq(T.s.echo.calls, 2);
    ck_assert_uint_eq(W.ndials, 2); /* server and client */
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 2);
    vrpc_proxy_status(T.proxy.p, &st);
    ck_assert_uint_eq(st.routes, 1);
}
END_TEST

START_TEST(calls_at_once_share_one_tunnel)
{
    struct add_in in = { 1, 2 };
    struct result r[8];
    size_t i;

    for (i = 0; i < 8; i++)
        ck_assert_ptr_nonnull(start(T.c, behind_name(&T.s, 0), M_ADD, NULL,
            &in, &stub_plain, &r[i]));
    for (i = 0; i < 8; i++) {
        ck_assert(world_until(&W, &r[i].done, 10 * SEC));
        ck_assert_str_eq(r[i].id, "");
    }

    ck_assert_uint_eq(W.ndials, 2);
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 2);
}
END_TEST

START_TEST(servers_behind_one_proxy_share_the_connection_to_it)
{
    struct behind other;
    struct add_in in = { 1, 2 };
    struct result r[3];
    int i;

    memset(&other, 0, sizeof(other));
    ck_assert_int_eq(behind_init(&other, "other", 78, "/" PROXY_EP), 0);
    ck_assert(behind_ready(&other, 1));
    ck_assert_ptr_nonnull(start(T.c, behind_name(&T.s, 0), M_ADD, NULL, &in,
        &stub_plain, &r[0]));
    ck_assert_ptr_nonnull(start(T.c, behind_name(&other, 0), M_ADD, NULL, &in,
        &stub_plain, &r[1]));
    for (i = 0; i < 2; i++) {
        ck_assert(world_until(&W, &r[i].done, 10 * SEC));
        ck_assert_str_eq(r[i].id, "");
    }

    ck_assert_int_eq(T.s.echo.calls, 1);
    ck_assert_int_eq(other.echo.calls, 1);
    ck_assert_uint_eq(W.ndials, 3);
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 3);
    vrpc_proxied_free(other.p);
}
END_TEST

START_TEST(proxy_that_refuses_connections_fails_all_who_wait)
{
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 1, 2 };
    struct result r[3];
    const char *name = behind_name(&T.s, 0);
    char other[512];
    size_t dials = W.ndials;
    int i;

    snprintf(other, sizeof(other), "/@6@tcp@proxy:1@@"
        "0000000000000000000000000000004f@s@test:server@@");
    T.proxy.n->refuses = true;
    for (i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(start(T.c, i == 1 ? other : name, M_ADD, &o, &in,
            &stub_plain, &r[i]));
    for (i = 0; i < 3; i++) {
        ck_assert(world_until(&W, &r[i].done, 10 * SEC));
        ck_assert_str_eq(r[i].id, VERR "NoServers");
    }
    ck_assert_uint_eq(W.ndials, dials + 1);
}
END_TEST

START_TEST(unknown_routing_id_fails_soon)
{
    struct vrpc_call_opts o = opts_now();
    int64_t before = W.now.mono_ns;

    ck_assert_str_eq(add_from(T.c, "/@6@tcp@proxy:1@@"
        "0000000000000000000000000000004f@s@test:server@@", &o),
        VERR "NoServers");
    ck_assert_int_lt(W.now.mono_ns - before, 2 * SEC);
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 1); /* to the proxy */
}
END_TEST

START_TEST(server_taken_for_a_proxy_ends_the_attempt_at_once)
{
    struct vrpc_call_opts o = opts_now();
    int64_t before = W.now.mono_ns;

    T.s.n->listens = true;
    ck_assert_str_eq(add_from(T.c, "/@6@tcp@server:1@@"
        "0000000000000000000000000000004f@s@test:server@@", &o),
        VERR "NoServers");
    ck_assert_int_lt(W.now.mono_ns - before, 2 * SEC);
}
END_TEST

/* ---- who is trusted ------------------------------------------------------ */

#define OTHER_NAME "/@6@tcp@proxy:1@@0000000000000000000000000000004d@s@test:x@@"

START_TEST(client_authorizes_the_server_and_not_the_proxy)
{
    struct vrpc_call_opts o = opts_now();

    ck_assert_str_eq(add_from(T.c, OTHER_NAME, &o), VERR "NotTrusted");
    ck_assert_int_eq(T.s.echo.calls, 0);
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 1);
}
END_TEST

START_TEST(cached_tunnel_is_authorized_again)
{
    struct vrpc_call_opts o = opts_now();

    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
    ck_assert_str_eq(add_from(T.c, OTHER_NAME, &o), VERR "NotTrusted");
    ck_assert_int_eq(T.s.echo.calls, 1);
}
END_TEST

/* The proxy's own name is no name of the server. */
START_TEST(proxy_itself_can_be_no_server)
{
    struct vrpc_call_opts o = opts_now();

    ck_assert_str_eq(add_from(T.c, "/@6@tcp@proxy:1@@"
        "0000000000000000000000000000004d@s@test:proxy@@", &o),
        VERR "NotTrusted");
}
END_TEST

START_TEST(proxy_refuses_who_may_not_listen)
{
    struct behind denied;
    struct prig strict;

    memset(&denied, 0, sizeof(denied));
    memset(&strict, 0, sizeof(strict));
    strict.cfg.authorizer = &nobody;
    ck_assert_int_eq(prig_init(&strict, "strict", 0x64), 0);
    ck_assert_int_eq(behind_init(&denied, "other", 78,
        "/@6@tcp@strict:1@@00000000000000000000000000000064@s@@@"), 0);
    world_sleep(&W, 2 * SEC);

    ck_assert_uint_eq(vrpc_proxied_active(denied.p), 0);
    ck_assert_ptr_nonnull(strstr(vrpc_proxied_errors(denied.p),
        "@strict:1@"));
    ck_assert_ptr_nonnull(strstr(vrpc_proxied_errors(denied.p),
        "proxy returned: "));
    vrpc_proxied_free(denied.p);
}
END_TEST

/* ---- calls over tunnels -------------------------------------------------- */

static void echo_blob_from(struct wnode *c, const char *name, size_t n)
{
    struct blob in;
    struct result r;
    uint8_t *p = malloc(n);
    size_t i;

    for (i = 0; i < n; i++)
        p[i] = (uint8_t)(i * 7);
    in.b = vdl_bytes(p, n);
    ck_assert_ptr_nonnull(start(c, name, M_BLOB, NULL, &in, &stub_blob, &r));
    ck_assert(world_until(&W, &r.done, 10 * SEC));
    ck_assert_str_eq(r.id, "");
    ck_assert_uint_eq(r.blob_n, n);
    ck_assert(r.blob_ok);
    free(p);
}

START_TEST(values_larger_than_all_windows_pass)
{
    const char *name = behind_name(&T.s, 0);

    echo_blob_from(T.c, name, 100);
    echo_blob_from(T.c, name, 65536);
    echo_blob_from(T.c, name, 3 << 20);
}
END_TEST

START_TEST(many_more_messages_than_a_window_pass)
{
    struct result r;
    int32_t n = 100000;

    ck_assert_ptr_nonnull(start(T.c, behind_name(&T.s, 0), M_COUNT, NULL, &n,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 10 * SEC));
    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.items, n);
}
END_TEST

/* One direction of a link stalls: what waits is bounded, nothing is lost. */
static void stall(struct wlink *l)
{
    struct result r;
    int32_t n = 600000;
    size_t before;

    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
    before = W.t.bytes;
    W.t.peak = before;
    l->stuck = true; /* but for what asks */
    ck_assert_ptr_nonnull(start(T.c, behind_name(&T.s, 0), M_COUNT, NULL, &n,
        &stub_plain, &r));
    world_sleep(&W, SEC);
    ck_assert_int_lt(r.items, n);
    /* Three flows deep, and the ends. */
    ck_assert_uint_lt(W.t.peak - before, 3 << 20);

    l->stuck = false;
    ck_assert(world_until(&W, &r.done, 10 * SEC));
    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.items, n);
}

/* Of the connections of the proxy: 0 to the server, 1 to the client. */
static struct wlink *proxy_end(int i)
{
    struct wlink *l;

    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
    l = world_link_of(&W, i == 0 ? T.s.n : T.c);
    ck_assert_ptr_nonnull(l);
    return l->peer;
}

START_TEST(stalled_client_bounds_memory)
{
    stall(proxy_end(1));
}
END_TEST

START_TEST(stalled_way_to_the_proxy_bounds_memory)
{
    stall(proxy_end(0)->peer);
}
END_TEST

START_TEST(server_that_takes_nothing_stops_the_client)
{
    struct wlink *l = proxy_end(0);
    struct vrpc_call *call;
    struct result r;
    int32_t one = 1;
    int sent = 0;
    size_t before = W.t.bytes;

    W.t.peak = before;
    call = start(T.c, behind_name(&T.s, 0), M_SUM, NULL, NULL, &stub_plain,
        &r);
    ck_assert_ptr_nonnull(call);
    world_settle(&W);
    l->stuck = true;
    while (sent < 4000000 && vrpc_call_send(call, &one) == 0)
        if (++sent % 1000 == 0)
            world_settle(&W);
    world_sleep(&W, SEC);
    while (sent < 4000000 && vrpc_call_send(call, &one) == 0)
        sent++;
    ck_assert_int_lt(sent, 4000000);
    ck_assert_uint_lt(W.t.peak - before, 3 << 20);

    l->stuck = false;
    world_sleep(&W, SEC);
    vrpc_call_close_send(call);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, sent);
}
END_TEST

START_TEST(paused_reader_slows_a_server_behind_a_proxy)
{
    struct vrpc_call *call;
    struct result r;
    int32_t n = 600000;
    size_t before;

    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
    before = W.t.bytes;
    W.t.peak = before;
    call = start(T.c, behind_name(&T.s, 0), M_COUNT, NULL, &n, &stub_plain,
        &r);
    ck_assert_ptr_nonnull(call);
    vrpc_call_pause(call, true);
    world_sleep(&W, SEC);
    ck_assert_int_eq(r.items, 0);
    ck_assert_int_lt(T.s.echo.next, n);
    ck_assert_uint_lt(W.t.peak - before, 3 << 20);
    /* The tunnel is not blocked by one of its flows. */
    T.s.echo.auto_reply = false;
    vrpc_call_cancel(call);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
}
END_TEST

START_TEST(server_calls_back_over_a_tunnel)
{
    struct wnode *both;
    struct echo echo;
    char name[300];
    struct v23_buf b;

    memset(&echo, 0, sizeof(echo));
    ck_assert_int_eq(world_node(&W, "both", 99, &both), 0);
    ck_assert_int_eq(serve(both, &echo, &vsec_auth_everyone), 0);
    ck_assert_str_eq(add_from(both, behind_name(&T.s, 0), NULL), "");
    v23_buf_init_fixed(&b, name, sizeof(name));
    v23_buf_puts(&b, "/@6@bidi@@@");
    vrpc_routing_id_format(vrpc_manager_rid(both->m), &b);
    v23_buf_puts(&b, "@s@test:both@@");
    v23_buf_put_byte(&b, 0);

    ck_assert_str_eq(add_from(T.s.n, name, NULL), "");
    ck_assert_int_eq(echo.calls, 1);
}
END_TEST

START_TEST(cancelled_caller_leaves_no_tunnel)
{
    struct vrpc_call *call;
    struct result r;

    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
    world_sleep(&W, 1500 * SEC); /* the tunnel was idle, and is gone */
    world_link_of(&W, T.s.n)->stuck = true;
    call = start(T.c, behind_name(&T.s, 0), M_WAIT, NULL, NULL, &stub_plain,
        &r);
    ck_assert_ptr_nonnull(call);
    world_sleep(&W, SEC);
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 2);
    vrpc_call_cancel(call);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(r.id, VERR "Canceled");
    world_settle(&W);
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 1);
}
END_TEST

START_TEST(idle_tunnel_is_closed_then_the_connection_to_the_proxy)
{
    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
    world_sleep(&W, 5000 * SEC);
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 0);
    /* The server's stays. */
    ck_assert_uint_eq(vrpc_manager_nconns(T.s.n->m), 1);
    ck_assert_str_eq(add_from(T.c, behind_name(&T.s, 0), NULL), "");
}
END_TEST

/* ---- proxies behind proxies ---------------------------------------------- */

#define FAR_EP \
    "@6@tcp@far:1@@00000000000000000000000000000064@s@test:far@@"

/* `far` is reached through `proxy`: what it gives its servers, too. */
static void pass_on(struct prig *far, struct behind *link)
{
    struct vrpc_endpoint *eps;
    struct v23_arena a;
    size_t n;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ck_assert_int_eq(vrpc_proxied_endpoints(link->p, &a, &eps, &n), 0);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(vrpc_proxy_set_endpoints(far->p, eps, n), 0);
    v23_arena_fini(&a);
}

START_TEST(server_is_reached_over_two_proxies)
{
    struct prig far;
    struct behind up, s;

    memset(&far, 0, sizeof(far));
    memset(&up, 0, sizeof(up));
    memset(&s, 0, sizeof(s));
    ck_assert_int_eq(prig_init(&far, "far", 0x64), 0);
    up.n = far.n;
    ck_assert_int_eq(behind_listen(&up, "/" PROXY_EP, VRPC_PROXIED_PROXY), 0);
    ck_assert(behind_ready(&up, 1));
    pass_on(&far, &up);
    ck_assert_int_eq(behind_init(&s, "deep", 78, "/" FAR_EP), 0);
    ck_assert(behind_ready(&s, 1));

    ck_assert_str_eq(behind_name(&s, 0), "/@6@tcp@proxy:1@"
        "00000000000000000000000000000064@0000000000000000000000000000004e"
        "@s@test:deep@@");
    ck_assert_str_eq(add_from(T.c, behind_name(&s, 0), NULL), "");
    ck_assert_str_eq(add_from(T.c, behind_name(&s, 0), NULL), "");
    ck_assert_int_eq(s.echo.calls, 2);
    ck_assert_uint_eq(vrpc_manager_nconns(T.c->m), 2);
    vrpc_proxied_free(s.p);
    vrpc_proxied_free(up.p);
}
END_TEST

/* The server's connection to the far proxy is itself a tunnel, in which those
 * that clients ask for are tunnels again. */
START_TEST(tunnels_go_through_tunnels)
{
    struct prig far;
    struct behind up, s;

    memset(&far, 0, sizeof(far));
    memset(&up, 0, sizeof(up));
    memset(&s, 0, sizeof(s));
    ck_assert_int_eq(prig_init(&far, "far", 0x64), 0);
    up.n = far.n;
    ck_assert_int_eq(behind_listen(&up, "/" PROXY_EP, VRPC_PROXIED_SERVER), 0);
    ck_assert(behind_ready(&up, 1));
    ck_assert_int_eq(prig_endpoints(&far, &(const char *){ FAR_EP }, 1), 0);
    ck_assert_int_eq(behind_init(&s, "deep", 78, behind_name(&up, 0)), 0);
    ck_assert(behind_ready(&s, 1));
    ck_assert_uint_eq(vrpc_manager_nconns(s.n->m), 2);

    ck_assert_str_eq(behind_name(&s, 0), "/@6@tcp@far:1@@"
        "0000000000000000000000000000004e@s@test:deep@@");
    ck_assert_str_eq(add_from(T.c, behind_name(&s, 0), NULL), "");
    ck_assert_uint_eq(vrpc_manager_nconns(s.n->m), 3);
    echo_blob_from(T.c, behind_name(&s, 0), 300000);
    vrpc_proxied_free(s.p);
    vrpc_proxied_free(up.p);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, proxied_endpoint_has_the_servers_id_and_names);
    tcase_add_test(t, server_is_called_through_a_proxy);
    tcase_add_test(t, calls_at_once_share_one_tunnel);
    tcase_add_test(t, servers_behind_one_proxy_share_the_connection_to_it);
    tcase_add_test(t, proxy_that_refuses_connections_fails_all_who_wait);
    tcase_add_test(t, unknown_routing_id_fails_soon);
    tcase_add_test(t, server_taken_for_a_proxy_ends_the_attempt_at_once);
    tcase_add_test(t, client_authorizes_the_server_and_not_the_proxy);
    tcase_add_test(t, cached_tunnel_is_authorized_again);
    tcase_add_test(t, proxy_itself_can_be_no_server);
    tcase_add_test(t, proxy_refuses_who_may_not_listen);
    tcase_add_test(t, values_larger_than_all_windows_pass);
    tcase_add_test(t, many_more_messages_than_a_window_pass);
    tcase_add_test(t, stalled_client_bounds_memory);
    tcase_add_test(t, stalled_way_to_the_proxy_bounds_memory);
    tcase_add_test(t, server_that_takes_nothing_stops_the_client);
    tcase_add_test(t, paused_reader_slows_a_server_behind_a_proxy);
    tcase_add_test(t, server_calls_back_over_a_tunnel);
    tcase_add_test(t, cancelled_caller_leaves_no_tunnel);
    tcase_add_test(t,
        idle_tunnel_is_closed_then_the_connection_to_the_proxy);
    tcase_add_test(t, server_is_reached_over_two_proxies);
    tcase_add_test(t, tunnels_go_through_tunnels);
}

int main(void)
{
    return tst_run_case("librpc/proxied", add, trio_setup, trio_teardown);
}
