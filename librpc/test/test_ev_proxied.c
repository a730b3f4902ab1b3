/* BSD-3-Clause; see LICENSE. */
/* Nodes of a libevent loop that are reached through a proxy only. */
#include <vrpc/proxy.h>

#include "ev_rig.h"

static struct host X; /* the proxy */
static struct vrpc_proxy *Core;
static char Proxy[520]; /* its name */
static int Changes, Reached;

/* Told of each change; Reached: there is an endpoint that is no bidi one. */
static void changed(void *ud)
{
    struct host *h = ud;
    const struct vrpc_endpoint *eps;
    struct v23_buf b;
    size_t n;

    Changes++;
    ck_assert_int_eq(vrpc_ev_endpoints(h->node, &eps, &n), 0);
    ck_assert_uint_eq(n, 1);
    Reached = !vdl_str_is(eps[0].protocol, "bidi");
    v23_buf_init_fixed(&b, h->name, sizeof(h->name) - 1);
    vrpc_endpoint_name(&eps[0], &b);
    h->name[b.n] = 0;
}

static void listen_proxied(const char *name)
{
    struct vrpc_proxied_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.name = vdl_str(name);
    vrpc_ev_on_endpoints(S.node, changed, &S);
    ck_assert_int_eq(vrpc_ev_listen_proxied(S.node, &cfg), 0);
    ck_assert_int_eq(vrpc_ev_listen_proxied(S.node, &cfg), V23_ESTATE);
}

static void setup(void)
{
    struct vrpc_proxy_config cfg;
    const struct vrpc_endpoint *eps;
    struct wnode *who;
    size_t n;

    ev_setup();
    ck_assert_int_eq(world_node(&W, "proxy", 99, &who), 0);
    memset(&X, 0, sizeof(X));
    node_new(&X, who, true);
    vrpc_server_free(X.s);
    memset(&cfg, 0, sizeof(cfg));
    cfg.authorizer = &vsec_auth_everyone;
    ck_assert_int_eq(vrpc_proxy_new(vrpc_ev_node_manager(X.node), &cfg,
        &Core), 0);
    host_listen(&X, "tcp", "127.0.0.1:0");
    snprintf(Proxy, sizeof(Proxy), "%s", X.name);
    ck_assert_int_eq(vrpc_ev_endpoints(X.node, &eps, &n), 0);
    ck_assert_int_eq(vrpc_proxy_set_endpoints(Core, eps, n), 0);
    Changes = Reached = 0;
}

static void teardown(void)
{
    vrpc_ev_node_free(X.node);
    ev_teardown();
}

START_TEST(server_that_listens_nowhere_is_called_through_a_proxy)
{
    static uint8_t data[1u << 20];
    struct blob in;
    struct result r;
    size_t i;

    ck_assert_str_eq(vrpc_ev_proxy_errors(S.node), "");
    listen_proxied(Proxy);
    ck_assert(run_until(&Reached));
    for (i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    in.b = vdl_bytes(data, sizeof(data));
    ck_assert_ptr_nonnull(go(S.name, M_BLOB, NULL, &in, &stub_blob, &r));
    ck_assert(run_until(&r.done));

    ck_assert_str_eq(r.id, "");
    ck_assert(r.blob_ok);
    ck_assert_str_eq(vrpc_ev_proxy_errors(S.node), "");
}
END_TEST

START_TEST(errors_of_proxies_can_be_read)
{
    char name[600];

    snprintf(name, sizeof(name), "/@6@tcp@127.0.0.1:1@@"
        "00000000000000000000000000000063@s@test:proxy@@");
    listen_proxied(name);
    ck_assert(run_until(&Changes));
    ck_assert_int_eq(Reached, 0);
    ck_assert_ptr_nonnull(strstr(vrpc_ev_proxy_errors(S.node),
        "@127.0.0.1:1@"));
}
END_TEST

START_TEST(stopped_server_leaves_the_proxy_and_finishes)
{
    struct vrpc_proxy_status st;
    struct result r;
    int stopped = 0, i;

    listen_proxied(Proxy);
    ck_assert(run_until(&Reached));
    stop_while_called(S.name, &r, &stopped);
    for (i = 0; i < 1000; i++) {
        vrpc_proxy_status(Core, &st);
        if (st.servers == 0)
            break;
        event_base_loop(B, EVLOOP_ONCE);
    }
    ck_assert_uint_eq(st.servers, 0);
    ck_assert_int_eq(stopped, 0);
    answer_and_refuse(S.name, &r, &stopped);
}
END_TEST

START_TEST(proxy_that_ends_is_noticed)
{
    listen_proxied(Proxy);
    ck_assert(run_until(&Reached));
    Changes = 0;
    vrpc_ev_unlisten(X.node);
    vrpc_manager_close_all(vrpc_ev_node_manager(X.node), "bye");
    ck_assert(run_until(&Changes));
    ck_assert_int_eq(Reached, 0);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, server_that_listens_nowhere_is_called_through_a_proxy);
    tcase_add_test(t, errors_of_proxies_can_be_read);
    tcase_add_test(t, stopped_server_leaves_the_proxy_and_finishes);
    tcase_add_test(t, proxy_that_ends_is_noticed);
}

int main(void)
{
    return tst_run_case("librpc/ev_proxied", add, setup, teardown);
}
