/* BSD-3-Clause; see LICENSE. */
/* What --v23.virtualized.* publish; metadata services of clouds on loopback. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "ev_rig.h"
#include "ev_int.h"
#include "runtime_int.h"

static struct vrpc_flags F;
static struct vrpc_runtime R;
static struct vrpc_cloud_ *Cloud;
static struct evhttp *Http;

/* How the service behaves. */
static bool Token_wanted, No_public, Fails;
static const char *Server, *Flavor, *Document;

static bool path_is(struct evhttp_request *req, const char *path)
{
    return strcmp(evhttp_request_get_uri(req), path) == 0;
}

static void answer(struct evhttp_request *req, int code, const char *text)
{
    struct evkeyvalq *h = evhttp_request_get_output_headers(req);

    evhttp_add_header(h, "Server", Server);
    evhttp_add_header(h, "Metadata-Flavor", Flavor);
    evbuffer_add(evhttp_request_get_output_buffer(req), text, strlen(text));
    evhttp_send_reply(req, code, NULL, NULL);
}

static void reply(struct evhttp_request *req, const char *text)
{
    answer(req, 200, text);
}

static const char *header(struct evhttp_request *req, const char *name)
{
    const char *v = evhttp_find_header(evhttp_request_get_input_headers(req),
        name);

    return v == NULL ? "" : v;
}

#define AWS "/latest/"
#define GCP "/computeMetadata/v1/"
#define IF0 GCP "instance/network-interfaces/0/"

static void tell(struct evhttp_request *req, void *ud)
{
    bool put = evhttp_request_get_command(req) == EVHTTP_REQ_PUT;

    (void)ud;
    if (put && path_is(req, AWS "api/token")
        && strcmp(header(req, "X-aws-ec2-metadata-token-ttl-seconds"), "60")
            == 0)
        reply(req, "a-token");
    else if (put)
        evhttp_send_error(req, 400, NULL);
    else if (strncmp(evhttp_request_get_uri(req), GCP, strlen(GCP)) == 0
        && strcmp(header(req, "Metadata-Flavor"), "Google") != 0)
        evhttp_send_error(req, 403, NULL);
    else if (Token_wanted && strncmp(evhttp_request_get_uri(req), AWS, 8) == 0
        && strcmp(header(req, "X-aws-ec2-metadata-token"), "a-token") != 0)
        evhttp_send_error(req, 401, NULL);
    else if (path_is(req, AWS "dynamic/instance-identity/document"))
        reply(req, Document);
    else if (path_is(req, GCP "project/project-id"))
        reply(req, "project");
    else if (path_is(req, GCP "instance/zone"))
        reply(req, "zone");
    else if (Fails)
        evhttp_send_error(req, 500, NULL);
    else if (!No_public && (path_is(req, AWS "meta-data/public-ipv4")
            || path_is(req, IF0 "access-configs/0/external-ip")))
        reply(req, "203.0.113.7\n");
    else if (path_is(req, AWS "meta-data/local-ipv4")
        || path_is(req, IF0 "ip"))
        reply(req, "192.0.2.5");
    else
        answer(req, 404, "there is none");
}

static void setup(void)
{
    struct evhttp_bound_socket *s;
    struct sockaddr_in sa;
    socklen_t len = sizeof(sa);
    char text[64];

    ev_setup();
    unsetenv("V23_VIRTUALIZATION_PROVIDER");
    unsetenv("V23_EXPECT_GOOGLE_COMPUTE_ENGINE");
    ck_assert_int_eq(vrpc_flags_init(&F, VRPC_FLAGS_VIRTUALIZED), 0);
    memset(&R, 0, sizeof(R));
    R.flags = &F;
    R.base = B;
    R.ev = EV;
    Cloud = NULL;
    Token_wanted = No_public = Fails = false;
    Server = "EC2ws";
    Flavor = "Google";
    Document = "{\"accountId\":\"1\",\"region\":\"eu\"}";
    Http = evhttp_new(B);
    evhttp_set_allowed_methods(Http, EVHTTP_REQ_GET | EVHTTP_REQ_PUT);
    evhttp_set_gencb(Http, tell, NULL);
    s = evhttp_bind_socket_with_handle(Http, "127.0.0.1", 0);
    ck_assert_ptr_nonnull(s);
    (void)getsockname(evhttp_bound_socket_get_fd(s), (struct sockaddr *)&sa,
        &len);
    snprintf(text, sizeof(text), "http://127.0.0.1:%d/", ntohs(sa.sin_port));
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", text, 1);
    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(sa.sin_port));
    setenv("GCE_METADATA_HOST", text, 1);
}

static void teardown(void)
{
    vrpc_cloud_free_(Cloud);
    evhttp_free(Http);
    vrpc_flags_fini(&F);
    ev_teardown();
}

static void flag(const char *name, const char *value)
{
    const char *why = "";
    char full[80];

    snprintf(full, sizeof(full), "v23.virtualized.%s", name);
    ck_assert_msg(vrpc_flags_set(&F, full, value, &why) == 0, "%s: %s", name,
        why);
}

/* "host" of an address of the listener's port, else "host:port". */
static void put_address(struct v23_buf *out, struct vdl_str address)
{
    struct vdl_str host, p;

    ck_assert_int_eq(vrpc_split_host_port(address, &host, &p), 0);
    v23_buf_put_str(out, host);
    if (p.n <= 3) /* a listener's has more digits */
        v23_buf_printf(out, ":%.*s", (int)p.n, p.p);
    v23_buf_put_byte(out, ' ');
}

static int local_only(const struct v23_alloc *al, struct vrpc_network **nets,
    size_t *n)
{
    static const uint8_t addr[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
        0xff, 10, 0, 0, 9 };

    *nets = v23_get0(al, 1, sizeof(**nets));
    if (*nets == NULL)
        return V23_ENOMEM;
    memcpy((*nets)[0].addr, addr, 16);
    *n = 1;
    return 0;
}

/* The addresses published for a listener on every interface; one interface has
 * 10.0.0.9. */
static const char *published(const char *protocol)
{
    static char text[512];
    const struct vrpc_endpoint *eps;
    struct vrpc_listen_addr la;
    struct v23_buf b;
    size_t n, i;

    EV->interfaces = local_only;
    vrpc_cloud_use_(Cloud, S.node);
    la.protocol = vdl_str(protocol);
    la.address = vdl_str(":0");
    ck_assert_int_eq(vrpc_ev_listen(S.node, &la, 1), 0);
    ck_assert_int_eq(vrpc_ev_endpoints(S.node, &eps, &n), 0);
    v23_buf_init_fixed(&b, text, sizeof(text) - 1);
    for (i = 0; i < n; i++)
        put_address(&b, eps[i].address);
    text[b.n] = 0;
    vrpc_ev_unlisten(S.node);
    return text;
}

static void find(void)
{
    int rc = vrpc_cloud_find_(&R, &Cloud);

    ck_assert_msg(rc == 0, "%s", R.why);
}

START_TEST(without_flags_a_server_publishes_what_it_has)
{
    find();
    ck_assert_str_eq(published("wsh"), "10.0.0.9 ");
}
END_TEST

START_TEST(a_public_address_comes_first)
{
    flag("tcp.public-address", "203.0.113.1:99");
    find();
    ck_assert_str_eq(published("wsh"), "203.0.113.1:99 10.0.0.9 ");
    ck_assert_str_eq(published("tcp"), "10.0.0.9 "); /* of wsh */
}
END_TEST

START_TEST(private_addresses_may_be_left_out)
{
    flag("tcp.public-address", "203.0.113.1");
    flag("tcp.public-protocol", "tcp");
    flag("advertise-private-addresses", "false");
    find();
    ck_assert_str_eq(published("tcp"), "203.0.113.1 ");
    ck_assert_str_eq(published("wsh"), ":: "); /* the listener's own */
}
END_TEST

START_TEST(public_addresses_take_several_forms)
{
    flag("advertise-private-addresses", "false");
    flag("tcp.public-address", "[2001:db8::1]:99");
    find();
    ck_assert_str_eq(published("wsh"), "2001:db8::1:99 ");
    vrpc_cloud_free_(Cloud);
    Cloud = NULL;
    flag("tcp.public-address", "203.0.113.1:0");
    find();
    ck_assert_str_eq(published("wsh"), "203.0.113.1 ");
    vrpc_cloud_free_(Cloud);
    Cloud = NULL;
    flag("tcp.public-address", "2001:db8::1");
    find();
    ck_assert_str_eq(published("wsh"), "2001:db8::1 ");
}
END_TEST

START_TEST(a_public_name_is_not_looked_up)
{
    flag("dns.public-name", "server.invalid:99");
    flag("advertise-private-addresses", "false");
    find();
    ck_assert_str_eq(published("wsh"), "server.invalid:99 ");
}
END_TEST

START_TEST(bad_flags_are_refused)
{
    const char *why;

    ck_assert_int_eq(vrpc_flags_set(&F, "v23.virtualized.tcp.public-address",
                         "a:b", &why),
        V23_EARG);
    ck_assert_int_eq(vrpc_flags_set(&F, "v23.virtualized.provider", "azure",
                         &why),
        V23_EARG);
    ck_assert_int_eq(vrpc_flags_set(&F, "v23.virtualized.tcp.public-protocol",
                         "pigeon", &why),
        V23_EARG);
    ck_assert_int_eq(vrpc_flags_set(&F, "v23.virtualized.docker", "perhaps",
                         &why),
        V23_EARG);
}
END_TEST

START_TEST(aws_tells_the_addresses)
{
    flag("provider", "AWS");
    find();
    ck_assert_str_eq(published("tcp"), "203.0.113.7 192.0.2.5 10.0.0.9 ");
}
END_TEST

START_TEST(aws_may_want_a_token)
{
    Token_wanted = true;
    flag("provider", "aws");
    flag("advertise-private-addresses", "false");
    find();
    ck_assert_str_eq(published("wsh"), "203.0.113.7 ");
}
END_TEST

START_TEST(gcp_tells_the_addresses)
{
    vrpc_flags_fini(&F);
    setenv("V23_EXPECT_GOOGLE_COMPUTE_ENGINE", "1", 1);
    ck_assert_int_eq(vrpc_flags_init(&F, VRPC_FLAGS_VIRTUALIZED), 0);
    find();
    ck_assert_str_eq(published("wsh"), "203.0.113.7 192.0.2.5 10.0.0.9 ");
}
END_TEST

START_TEST(a_machine_may_have_no_public_address)
{
    No_public = true;
    flag("provider", "gcp");
    find();
    ck_assert_str_eq(published("wsh"), "192.0.2.5 10.0.0.9 ");
}
END_TEST

/* Once without, once with a way back. */
static void is_not(const char *provider)
{
    flag("provider", provider);
    flag("disallow-native-fallback", "false");
    find();
    ck_assert_str_eq(published("wsh"), "10.0.0.9 ");
    vrpc_cloud_free_(Cloud);
    Cloud = NULL;
    flag("disallow-native-fallback", "true");
    ck_assert_int_eq(vrpc_cloud_find_(&R, &Cloud), V23_ENOENT);
    ck_assert_ptr_nonnull(strstr(R.why, "this process is not running on "));
    ck_assert_ptr_null(Cloud);
}

START_TEST(other_services_are_told_apart)
{
    Server = "nginx";
    is_not("aws");
    Flavor = "Vanilla";
    is_not("gcp");
}
END_TEST

START_TEST(an_odd_document_is_none_of_aws)
{
    static const char *const odd[] = { "", "x", "[]", "{}",
        "{\"accountId\":1,\"region\":\"x\"}" };
    size_t i;

    flag("provider", "aws");
    flag("disallow-native-fallback", "true");
    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        Document = odd[i];
        ck_assert_int_eq(vrpc_cloud_find_(&R, &Cloud), V23_ENOENT);
    }
}
END_TEST

START_TEST(nobody_may_be_there)
{
    evhttp_free(Http);
    Http = evhttp_new(B);
    is_not("aws");
}
END_TEST

START_TEST(a_service_may_fail)
{
    Fails = true;
    flag("provider", "gcp");
    ck_assert_int_eq(vrpc_cloud_find_(&R, &Cloud), V23_ESYS);
    ck_assert_ptr_nonnull(strstr(R.why, "metadata service of GCP"));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, without_flags_a_server_publishes_what_it_has);
    tcase_add_test(tc, a_public_address_comes_first);
    tcase_add_test(tc, private_addresses_may_be_left_out);
    tcase_add_test(tc, public_addresses_take_several_forms);
    tcase_add_test(tc, a_public_name_is_not_looked_up);
    tcase_add_test(tc, bad_flags_are_refused);
    tcase_add_test(tc, aws_tells_the_addresses);
    tcase_add_test(tc, aws_may_want_a_token);
    tcase_add_test(tc, gcp_tells_the_addresses);
    tcase_add_test(tc, a_machine_may_have_no_public_address);
    tcase_add_test(tc, other_services_are_told_apart);
    tcase_add_test(tc, an_odd_document_is_none_of_aws);
    tcase_add_test(tc, nobody_may_be_there);
    tcase_add_test(tc, a_service_may_fail);
}

int main(void)
{
    return tst_run_case("librpc/ev_cloud", fill, setup, teardown);
}
