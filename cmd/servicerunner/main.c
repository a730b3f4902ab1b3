/* BSD-3-Clause; see LICENSE. */
/*
 * servicerunner: all that a web page needs of Vanadium, on this machine
 * (spec/services.md 6.9).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vname/program.h>
#include <vsec/acl.h>

#include "runner.h"

#define IDENTD "test/identd"
#define PROXY "test/proxy"
#define LOOK (V23_NS_PER_SEC / 2) /* how often to see if children live */

static int64_t port = 8124;
static const char *identd_name = "";
static bool demo;

static const struct v23_flag flags[] = {
    { "demo", "Have wsprd serve its demonstration page.", "false",
        V23_FLAG_BOOL, &demo, NULL },
    { "identd", "Name of the identity service that wsprd asks. Empty: one for "
        "tests is run.", "", V23_FLAG_STRING, &identd_name, NULL },
    { "port", "Port of wsprd; 0 = any.", "8124", V23_FLAG_INT, &port, NULL },
};

struct bed {
    struct vname_program *p;
    struct people *people;
    struct children children;
    struct identd *identd;
    char table[2048], proxy[2048], wspr[128], http[64];
    bool failed;
};

/* In a temporary directory when nobody says whose credentials to use. */
static struct people people;

/* ---- the children -------------------------------------------------------- */

static int start(struct bed *b, const char *const *argv, const char *key,
    char *value, size_t size)
{
    char credentials[512];
    int rc = people_blessed(b->people, b->p->rt.principal, argv[0], "child",
        credentials, sizeof(credentials));

    return rc != 0 ? rc : children_start(&b->children, credentials, argv, key,
        value, size);
}

static int start_table(struct bed *b)
{
    static const char *const argv[] = { "mounttabled",
        "--v23.tcp.protocol=ws", "--v23.tcp.address=127.0.0.1:0", NULL };
    struct vdl_str root;
    int rc = start(b, argv, "NAME=", b->table, sizeof(b->table));

    if (rc != 0)
        return rc;
    setenv("V23_NAMESPACE", b->table, 1); /* of those that follow */
    root = vdl_str(b->table);
    rc = vname_ns_set_roots(b->p->ns, &root, 1);
    return rc == 0 ? 0 : v23_error("%s: %s", b->table, v23_strerror(rc));
}

static int start_proxy(struct bed *b)
{
    static const char *const argv[] = { "xproxyd", "--name=" PROXY,
        "--v23.tcp.protocol=ws", "--v23.tcp.address=127.0.0.1:0",
        "--access-list={\"In\":[\"...\"]}", NULL };

    return start(b, argv, "NAME=", b->proxy, sizeof(b->proxy));
}

static int start_wspr(struct bed *b)
{
    char at[32], identd[512], text[sizeof(b->wspr)], *mid;
    const char *argv[] = { "wsprd", at, identd, "--v23.proxy=" PROXY,
        "--v23.tcp.address=127.0.0.1:0", demo ? "--demo" : NULL, NULL };
    int rc;

    snprintf(at, sizeof(at), "--port=%d", (int)port);
    snprintf(identd, sizeof(identd), "--identd=%s",
        *identd_name != 0 ? identd_name : IDENTD);
    rc = start(b, argv, "Listening on host: ", text, sizeof(text));
    if (rc != 0)
        return rc;
    mid = strstr(text, " port: ");
    if (mid == NULL)
        return v23_error("wsprd says \"%s\"", text);
    *mid = 0;
    snprintf(b->wspr, sizeof(b->wspr), "%.64s:%.8s", text, mid + 7);
    return 0;
}

static int start_all(struct bed *b)
{
    int rc = start_table(b);

    if (rc == 0)
        rc = start_proxy(b);
    if (rc == 0 && *identd_name == 0)
        rc = identd_start(b->p, IDENTD, &b->identd, b->http, sizeof(b->http));
    return rc == 0 ? start_wspr(b) : rc;
}

/* ---- life ---------------------------------------------------------------- */

static void put(struct v23_buf *out, const char *key, const char *value)
{
    v23_buf_puts(out, out->n == 0 ? "{" : ",");
    vsec_json_put_text(out, vdl_str(key));
    v23_buf_puts(out, ":");
    vsec_json_put_text(out, vdl_str(value));
}

/* One line, with the keys in order. */
static void print(const struct bed *b)
{
    struct v23_buf out;

    v23_buf_init(&out, NULL, 1u << 20);
    put(&out, "MT_NAME", b->table);
    put(&out, "PROXY_NAME", b->proxy);
    if (b->identd != NULL) {
        put(&out, "TEST_IDENTITYD_HTTP_ADDR", b->http);
        put(&out, "TEST_IDENTITYD_NAME", IDENTD);
    }
    put(&out, "WSPR_ADDR", b->wspr);
    printf("%s}\n", v23_buf_cstr(&out));
    fflush(stdout);
    v23_buf_fini(&out);
}

/* Without one of them the others are of no use. */
static void look(void *ud)
{
    struct bed *b = ud;
    const char *name = children_ended(&b->children);

    if (name != NULL) {
        b->failed = true;
        v23_error("%s has ended", name);
        vname_program_done(b->p);
    } else {
        (void)!vrpc_runtime_after(&b->p->rt, LOOK, look, b);
    }
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct bed b = { .p = ud, .people = &people };
    int rc = 0;

    (void)argc;
    (void)argv;
    if (port < 0 || port > 65535)
        return v23_usage_error(inv, "bad value for --port: %lld",
            (long long)port);
    if (people.dir[0] == 0)
        rc = people_init(&people);
    if (rc == 0)
        rc = vname_program_catch(b.p);
    if (rc == 0)
        rc = start_all(&b);
    if (rc == 0) {
        print(&b);
        look(&b);
        vname_program_wait(b.p);
        vrpc_runtime_cancel(&b.p->rt, look, &b);
    }
    identd_stop(b.identd);
    /* They would wait for us to agree to their end, who wait for that. */
    vrpc_manager_close_all(vrpc_ev_node_manager(b.p->rt.node),
        "servicerunner ends");
    vrpc_ev_node_flush(b.p->rt.node);
    children_stop(&b.children);
    return rc != 0 ? rc : b.failed ? 1 : 0;
}

static const struct v23_command command = {
    .name = "servicerunner",
    .brief = "runs the services that a web page needs",
    .about = "Command servicerunner runs a mount table, a proxy, wsprd and an "
             "identity provider for tests on this machine, all with blessings "
             "of its own principal, and prints one line of JSON that says "
             "where: MT_NAME, PROXY_NAME, WSPR_ADDR, TEST_IDENTITYD_NAME, "
             "TEST_IDENTITYD_HTTP_ADDR. They end with it.\n\n"
             "Without credentials its principal is a new one named \"test\". "
             "The identity provider takes everybody for "
             "testemail@example.com: never let others reach it.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

static bool is_set(const char *name)
{
    const char *v = getenv(name);

    return v != NULL && *v != 0;
}

int main(int argc, char **argv)
{
    static struct vname_program p;
    char path[512];
    int rc = 0;

    if (!is_set("V23_CREDENTIALS") && !is_set("V23_AGENT_PATH")) {
        rc = people_init(&people);
        if (rc == 0)
            rc = people_self(&people, "test", path, sizeof(path));
        if (rc == 0)
            setenv("V23_CREDENTIALS", path, 1);
    }
    if (rc == 0)
        rc = vname_program_main(&p, &command,
            VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN | VRPC_FLAGS_LOGGING, argc,
            argv);
    people_fini(&people);
    return rc;
}
