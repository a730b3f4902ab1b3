/* BSD-3-Clause; see LICENSE. */
/* DNS-SD names and strings, and the tables near by (vname/neighborhood.h). */
#include <stdio.h>

#include <suite.h>
#include <support.h>
#include <vname/mounttable.h>
#include <vname/neighborhood.h>

static struct tst_alloc T;
static struct v23_arena A;
static struct vname_neighborhood *nh;
static int errors;

static void write_log(void *ud, enum v23_log_level level, const char *text)
{
    (void)ud;
    (void)text;
    errors += level == V23_LOG_ERROR;
}

static const struct v23_log log_ = { write_log, NULL, V23_LOG_DEBUG };

static void setup(void)
{
    struct vname_neighborhood_config cfg = { &T.al, &log_ };

    tst_alloc_init(&T);
    v23_arena_init(&A, &T.al, SIZE_MAX);
    errors = 0;
    ck_assert_int_eq(vname_neighborhood_new(&cfg, &nh), 0);
}

static void teardown(void)
{
    vname_neighborhood_free(nh);
    v23_arena_fini(&A);
    ck_assert_uint_eq(T.live, 0);
}

/* ---- DNS-SD -------------------------------------------------------------- */

static const char *instance_of(const char *name)
{
    static char text[VNAME_DOMAIN_MAX];
    struct v23_buf b;
    int rc;

    v23_buf_init_fixed(&b, text, sizeof(text));
    rc = vname_dns_instance_of(vdl_str(name), vdl_str("_x._tcp.local"), &b);
    return rc == V23_ENOENT ? "?" : rc != 0 ? "!" : v23_buf_cstr(&b);
}

START_TEST(instances_come_back)
{
    static const struct {
        const char *instance, *domain;
    } cases[] = {
        { "joe", "joe._x._tcp.local" },
        { "joe(00ff)", "joe(00ff)._x._tcp.local" },
        { "a.b\\c", "a\\.b\\\\c._x._tcp.local" },
        { "J\xc3\xb6 x", "J\\195\\182\\032x._x._tcp.local" },
    };
    char text[VNAME_DOMAIN_MAX];
    struct v23_buf b;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        v23_buf_init_fixed(&b, text, sizeof(text));
        ck_assert_int_eq(vname_dns_instance(vdl_str(cases[i].instance),
                             vdl_str("_x._tcp.local"), &b),
            0);
        ck_assert_str_eq(v23_buf_cstr(&b), cases[i].domain);
        ck_assert_str_eq(instance_of(cases[i].domain), cases[i].instance);
    }
}
END_TEST

START_TEST(instances_are_read_with_care)
{
    ck_assert_str_eq(instance_of("joe._X._TCP.local."), "joe");
    ck_assert_str_eq(instance_of("a.b._x._tcp.local"), "a.b");
    ck_assert_str_eq(instance_of("joe._y._tcp.local"), "?");
    ck_assert_str_eq(instance_of("joe_x._tcp.local"), "?");
    ck_assert_str_eq(instance_of("local"), "?");
    ck_assert_str_eq(instance_of("_x._tcp.local"), "!");
    ck_assert_str_eq(instance_of("._x._tcp.local"), "!");
    ck_assert_str_eq(instance_of("a\\256._x._tcp.local"), "!");
    ck_assert_str_eq(instance_of("a\\25._x._tcp.local"), "!");
}
END_TEST

START_TEST(long_instances_are_refused)
{
    char text[VNAME_DOMAIN_MAX];
    struct v23_buf b;

    memset(text, 'x', 64);
    v23_buf_init(&b, &T.al, SIZE_MAX);
    ck_assert_int_eq(vname_dns_host(vdl_strn(text, 63), &b), 0);
    ck_assert_int_eq(vname_dns_host(vdl_strn(text, 64), &b), V23_EARG);
    ck_assert_int_eq(vname_dns_host(vdl_str(""), &b), V23_EARG);
    v23_buf_fini(&b);
}
END_TEST

START_TEST(strings_come_back)
{
    struct vdl_str v[] = { vdl_str("a"), vdl_str(""), vdl_str("bc") };
    vdl_str_list in = { v, 3 }, out;
    struct v23_buf b;

    v23_buf_init(&b, &T.al, SIZE_MAX);
    ck_assert_int_eq(vname_txt_pack(in, &b), 0);
    ck_assert_str_eq(unhex(b.p, b.n), "016100026263");
    ck_assert_int_eq(vname_txt_unpack(v23_bytes(b.p, b.n), &A, &out), 0);
    ck_assert_uint_eq(out.n, 3);
    ck_assert(vdl_str_is(out.v[2], "bc"));
    ck_assert_int_eq(vname_txt_unpack(v23_bytes(b.p, b.n - 1), &A, &out),
        V23_EEOF);
    ck_assert_int_eq(vname_txt_unpack(v23_bytes(NULL, 0), &A, &out), 0);
    ck_assert_uint_eq(out.n, 0);
    v[1] = vdl_strn((const char *)T.al.get, 256);
    ck_assert_int_eq(vname_txt_pack(in, &b), V23_ELIMIT);
    v23_buf_fini(&b);
}
END_TEST

/* ---- announcing ---------------------------------------------------------- */

static struct vrpc_endpoint endpoint(const char *protocol, const char *address)
{
    struct vrpc_endpoint ep;

    memset(&ep, 0, sizeof(ep));
    ep.protocol = vdl_str(protocol);
    ep.address = vdl_str(address);
    ep.mount_table = true;
    return ep;
}

START_TEST(announcement_has_all_addresses_and_the_first_port)
{
    struct vrpc_endpoint eps[] = { endpoint("unixfd", "@x"),
        endpoint("wsh", "[::1]:0"), endpoint("wsh4", "1.2.3.4:8101"),
        endpoint("tcp", "1.2.3.4:8102") };
    struct vname_announcement an;

    ck_assert_int_eq(vname_neighborhood_announce(eps, 4, &A, &an, NULL), 0);

    ck_assert_uint_eq(an.port, 8101);
    ck_assert_uint_eq(an.txt.n, 4);
    ck_assert_uint_eq(an.left_out, 0);
    ck_assert(vdl_str_is(an.txt.v[2],
        "address:/@6@wsh4@1.2.3.4:8101@@"
        "00000000000000000000000000000000@m@@@"));
}
END_TEST

START_TEST(endpoints_that_do_not_fit_are_left_out)
{
    char *host = v23_arena_get0(&A, 300, 1, 1);
    struct vrpc_endpoint eps[40];
    struct vname_announcement an;
    size_t i;

    memset(host, 'x', 250);
    strcpy(host + 250, ":80");
    eps[0] = endpoint("tcp", host);
    for (i = 1; i < 40; i++)
        eps[i] = endpoint("tcp", "1.2.3.4:81");
    ck_assert_int_eq(vname_neighborhood_announce(eps, 40, &A, &an, NULL), 0);
    ck_assert_uint_eq(an.txt.n, 1300 / (an.txt.v[0].n + 1));
    ck_assert_uint_eq(an.left_out, 40 - an.txt.n);
}
END_TEST

START_TEST(who_cannot_be_reached_is_not_announced)
{
    static const char *const bad[] = { "h", "h:", "h:0", "h:65536", "h:http",
        "h:-1", "h:4294967297" };
    struct vrpc_endpoint ep;
    struct vname_announcement an;
    const char *why = "";
    size_t i;

    ck_assert_int_eq(vname_neighborhood_announce(NULL, 0, &A, &an, &why),
        V23_EARG);
    ck_assert_str_eq(why, "neighborhood passed no useful addresses");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ep = endpoint("tcp", bad[i]);
        ck_assert_int_eq(vname_neighborhood_announce(&ep, 1, &A, &an, &why),
            V23_EARG);
        ck_assert_str_eq(why,
            "neighborhood couldn't determine a port to use{");
    }
}
END_TEST

/* ---- the others ---------------------------------------------------------- */

/* A record whose strings stand one after the other. */
static struct vname_dns_found heard(const char *instance, uint32_t source,
    const char *s1, const char *s2)
{
    struct vdl_str v[] = { vdl_str(s1), vdl_str(s2) };
    vdl_str_list list = { v, s2 == NULL ? 1 : 2 };
    struct vname_dns_found f;
    struct v23_buf b;

    v23_buf_init(&b, &T.al, SIZE_MAX);
    ck_assert_int_eq(vname_txt_pack(list, &b), 0);
    f.instance = vdl_str(instance);
    f.source = source;
    f.ttl = 120;
    f.txt = v23_bytes(v23_arena_dup(&A, b.p, b.n), b.n);
    v23_buf_fini(&b);
    return f;
}

static int found(const char *instance, uint32_t source, const char *s1,
    const char *s2)
{
    struct vname_dns_found f = heard(instance, source, s1, s2);

    return vname_neighborhood_found(nh, &f);
}

static void lost(const char *instance, uint32_t source, const char *s1)
{
    struct vname_dns_found f = heard(instance, source, s1, NULL);

    vname_neighborhood_lost(nh, &f);
}

/* "name server,server" of all. */
static const char *listing(void)
{
    static char text[4096];
    struct vdl_str name = vdl_str("");
    v23_naming_mount_entry e;
    uint32_t i;

    text[0] = 0;
    while (vname_neighborhood_next(nh, name, &name)) {
        ck_assert_int_eq(vname_neighborhood_get(nh, name, &A, &e), 0);
        ck_assert(e.serves_mount_table);
        sprintf(text + strlen(text), "[%.*s", (int)name.n, name.p);
        for (i = 0; i < e.servers.n; i++)
            sprintf(text + strlen(text), " %.*s", (int)e.servers.v[i].server.n,
                e.servers.v[i].server.p);
        strcat(text, "]");
    }
    return text;
}

START_TEST(tables_come_and_go)
{
    v23_naming_mount_entry e;

    ck_assert_int_eq(found("joe", 2, "address:/h:1", "address:/h:2"), 0);
    ck_assert_int_eq(found("ann", 2, "address:/(b)@h:3", "other=x"), 0);
    ck_assert_str_eq(listing(), "[ann /(b)@h:3][joe /h:1 /h:2]");
    ck_assert_int_eq(vname_neighborhood_get(nh, vdl_str("joe"), &A, &e), 0);
    ck_assert_int_eq(e.servers.v[0].deadline.from_now.seconds, 120);
    ck_assert_int_eq(vname_neighborhood_get(nh, vdl_str("jo"), &A, &e),
        V23_ENOENT);
    lost("ann", 3, "address:/(b)@h:3");
    ck_assert_uint_eq(vname_neighborhood_count(nh), 2);
    vname_neighborhood_lost(nh,
        &(struct vname_dns_found){ .instance = vdl_str("ann") });
    ck_assert_str_eq(listing(), "[joe /h:1 /h:2]");
    vname_neighborhood_clear(nh);
    ck_assert_str_eq(listing(), "");
}
END_TEST

START_TEST(records_of_several_interfaces_are_one_instance)
{
    ck_assert_int_eq(found("joe", 2, "address:/h:1", NULL), 0);
    ck_assert_int_eq(found("joe", 2, "address:/h:1", NULL), 0);
    ck_assert_int_eq(found("joe", 3, "address:/h:1", "address:/h:2"), 0);
    ck_assert_str_eq(listing(), "[joe /h:1 /h:2]");
    lost("joe", 2, "address:/h:1");
    ck_assert_str_eq(listing(), "[joe /h:1 /h:2]");
    ck_assert_int_eq(found("joe", 3, "address:/h:3", NULL), 0);
    vname_neighborhood_lost(nh, &(struct vname_dns_found){
        .instance = vdl_str("joe"), .source = 3,
        .txt = heard("joe", 3, "address:/h:1", "address:/h:2").txt });
    ck_assert_str_eq(listing(), "[joe /h:3]");
    lost("joe", 3, "address:/h:3");
    ck_assert_str_eq(listing(), "");
}
END_TEST

START_TEST(what_is_no_table_is_ignored)
{
    struct vname_dns_found f = heard("joe", 1, "address:/h:1", NULL);
    char *name = v23_arena_get0(&A, 600, 1, 1);

    ck_assert_int_eq(found("joe", 1, "x", NULL), V23_ETEXT);
    ck_assert_int_eq(found("joe", 1, "address:", NULL), V23_ETEXT);
    ck_assert_int_eq(found("joe", 1, "address:h:1", NULL), V23_ETEXT);
    ck_assert_int_eq(found("joe", 1, "address:/nothing", NULL), V23_ETEXT);
    ck_assert_int_eq(found("joe", 1, "Address:/h:1", NULL), V23_ETEXT);
    ck_assert_int_eq(found("a/b", 1, "address:/h:1", NULL), V23_ETEXT);
    ck_assert_int_eq(found("\xff", 1, "address:/h:1", NULL), V23_ETEXT);
    ck_assert_int_eq(found("a\x1b[2J", 1, "address:/h:1", NULL), V23_ETEXT);
    ck_assert_int_eq(found("", 1, "address:/h:1", NULL), V23_ETEXT);
    memset(name, 'x', 513);
    ck_assert_int_eq(found(name, 1, "address:/h:1", NULL), V23_ETEXT);
    f.txt.n--; /* cut off */
    ck_assert_int_eq(vname_neighborhood_found(nh, &f), V23_ETEXT);
    f.txt.n = 0;
    ck_assert_int_eq(vname_neighborhood_found(nh, &f), V23_ETEXT);
    ck_assert_str_eq(listing(), "");
    ck_assert_int_eq(errors, 0);
}
END_TEST

START_TEST(life_of_records_is_bounded)
{
    struct vname_dns_found f = heard("joe", 1, "address:/h:1", NULL);
    v23_naming_mount_entry e;

    f.ttl = UINT32_MAX;
    ck_assert_int_eq(vname_neighborhood_found(nh, &f), 0);
    ck_assert_int_eq(vname_neighborhood_get(nh, vdl_str("joe"), &A, &e), 0);
    ck_assert_int_eq(e.servers.v[0].deadline.from_now.seconds, 4500);
}
END_TEST

START_TEST(crowds_are_bounded)
{
    char name[32];
    int i;

    for (i = 0; i < 5000; i++) {
        sprintf(name, "n%d", i);
        ck_assert_int_eq(found(name, 1, "address:/h:1", NULL),
            i < VNAME_NEIGHBORHOOD_INSTANCES ? 0 : V23_ELIMIT);
    }
    ck_assert_uint_eq(vname_neighborhood_count(nh),
        VNAME_NEIGHBORHOOD_INSTANCES);
    ck_assert_int_eq(errors, 1);
    lost("n7", 1, "address:/h:1");
    ck_assert_int_eq(found("x", 1, "address:/h:1", NULL), 0);
}
END_TEST

START_TEST(addresses_of_one_are_bounded)
{
    v23_naming_mount_entry e;
    char address[32];
    int i, n = 0;

    for (i = 0; i < 1000; i++) {
        sprintf(address, "address:/h:%d", i);
        n += found("joe", (uint32_t)i, address, NULL) == 0;
    }
    ck_assert_int_eq(n, VNAME_NEIGHBORHOOD_RECORDS);
    ck_assert_int_eq(vname_neighborhood_get(nh, vdl_str("joe"), &A, &e), 0);
    ck_assert_uint_eq(e.servers.n, VNAME_NEIGHBORHOOD_RECORDS);
}
END_TEST

START_TEST(memory_is_bounded)
{
    struct vname_dns_found f;
    struct v23_buf b;
    char name[32];
    int i, n = 0;

    v23_buf_init(&b, &T.al, SIZE_MAX);
    v23_buf_puts(&b, "\x0c" "address:/h:1");
    while (b.n < 8900)
        v23_buf_puts(&b, "\x08" "xxxxxxxx");
    f.source = 1;
    f.ttl = 1;
    f.txt = v23_bytes(b.p, b.n);
    for (i = 0; i < 1000; i++) {
        sprintf(name, "n%d", i);
        f.instance = vdl_str(name);
        n += vname_neighborhood_found(nh, &f) == 0;
    }
    ck_assert_int_lt(n, 500);
    ck_assert_uint_lt(T.bytes, 5u << 20);
    v23_buf_fini(&b);
}
END_TEST

static int hear(const struct v23_alloc *al, void *ud)
{
    struct vname_neighborhood_config cfg = { al, NULL };
    const struct vname_dns_found *f = ud;
    struct vname_neighborhood *x;
    v23_naming_mount_entry e;
    struct v23_arena a;
    int rc = vname_neighborhood_new(&cfg, &x);

    if (rc != 0)
        return rc;
    v23_arena_init(&a, al, SIZE_MAX);
    rc = vname_neighborhood_found(x, f);
    if (rc == 0)
        rc = vname_neighborhood_get(x, f->instance, &a, &e);
    v23_arena_fini(&a);
    vname_neighborhood_free(x);
    return rc;
}

START_TEST(lack_of_memory_is_no_disaster)
{
    struct vname_dns_found f = heard("joe", 1, "address:/h:1",
        "address:/@6@wsh@%40h:1@r@@m@b@@");

    tst_out_of_memory(hear, &f);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, instances_come_back);
    tcase_add_test(tc, instances_are_read_with_care);
    tcase_add_test(tc, long_instances_are_refused);
    tcase_add_test(tc, strings_come_back);
    tcase_add_test(tc, announcement_has_all_addresses_and_the_first_port);
    tcase_add_test(tc, endpoints_that_do_not_fit_are_left_out);
    tcase_add_test(tc, who_cannot_be_reached_is_not_announced);
    tcase_add_test(tc, tables_come_and_go);
    tcase_add_test(tc, records_of_several_interfaces_are_one_instance);
    tcase_add_test(tc, what_is_no_table_is_ignored);
    tcase_add_test(tc, life_of_records_is_bounded);
    tcase_add_test(tc, crowds_are_bounded);
    tcase_add_test(tc, addresses_of_one_are_bounded);
    tcase_add_test(tc, memory_is_bounded);
    tcase_add_test(tc, lack_of_memory_is_no_disaster);
}

int main(void)
{
    return tst_run_case("libnaming/neighborhood", fill, setup, teardown);
}
