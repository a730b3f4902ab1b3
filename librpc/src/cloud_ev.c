/* BSD-3-Clause; see LICENSE. */
/*
 * Servers on machines of clouds: under which addresses they are reached from
 * outside (--v23.virtualized.*, spec/rpc.md 25). Found out once, at the start
 * of a program, when the loop does not run yet: so this runs it.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/util.h>

#include <v23/time.h>
#include <vrpc/endpoint.h>

#include "ev_int.h"
#include "flags_int.h"
#include "runtime_int.h"

#define TIMEOUT (1 * V23_NS_PER_SEC) /* of one question */
#define LOOKUP (10 * V23_NS_PER_SEC)  /* of a name */
#define MAX_BODY 65536
#define MAX_PUBLIC 16

struct vrpc_cloud_ {
    struct vdl_str protocol; /* of listeners that the addresses are for; empty
                                = of all */
    struct vdl_str addresses[MAX_PUBLIC];
    size_t n;
    bool private_too;
    struct v23_arena arena;
};

static int add(struct vrpc_cloud_ *c, const char *text, size_t n)
{
    char *p = v23_arena_dup(&c->arena, text, n);

    if (p == NULL)
        return V23_ENOMEM;
    if (c->n < MAX_PUBLIC)
        c->addresses[c->n++] = vdl_strn(p, n);
    return 0;
}

static size_t choose(void *ud, struct vdl_str protocol,
    const struct vdl_str *candidates, size_t n, struct vdl_str *out,
    size_t max)
{
    const struct vrpc_cloud_ *c = ud;
    size_t i, k = 0;

    if (c->protocol.n == 0 || vdl_str_eq(c->protocol, protocol))
        for (i = 0; i < c->n && k < max; i++)
            out[k++] = c->addresses[i];
    for (i = 0; c->private_too && i < n && k < max; i++)
        out[k++] = candidates[i];
    return k;
}

/* ---- one question at a time ---------------------------------------------- */

struct question {
    struct vrpc_runtime *rt;
    bool done;
    /* of a metadata service */
    int status; /* of HTTP; 0 = no answer */
    char server[64], flavor[64]; /* headers of the answer */
    char body[MAX_BODY + 1];
    /* of a name server */
    int err, rc;
    struct vdl_str port;
    struct vrpc_cloud_ *cloud;
};

static void on_timeout(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    *(bool *)ud = true;
}

/* Run the loop until the answer, or the time, has come. */
static void wait(struct question *q, int64_t timeout)
{
    struct timeval tv = vrpc_ev_timeval_(timeout);
    struct event timer;
    bool late = false;

    event_assign(&timer, q->rt->base, -1, 0, on_timeout, &late);
    (void)event_add(&timer, &tv);
    while (!q->done && !late
        && event_base_loop(q->rt->base, EVLOOP_ONCE) == 0)
        ;
    event_del(&timer);
}

static void copy_header(struct evhttp_request *req, const char *name,
    char out[64])
{
    const char *v = evhttp_find_header(evhttp_request_get_input_headers(req),
        name);

    snprintf(out, 64, "%s", v == NULL ? "" : v);
}

static void on_reply(struct evhttp_request *req, void *ud)
{
    struct question *q = ud;
    ssize_t n = 0;

    q->done = true;
    if (req == NULL)
        return;
    q->status = evhttp_request_get_response_code(req);
    copy_header(req, "Server", q->server);
    copy_header(req, "Metadata-Flavor", q->flavor);
    n = evbuffer_copyout(evhttp_request_get_input_buffer(req), q->body,
        MAX_BODY);
    q->body[n > 0 ? n : 0] = 0;
}

/* A metadata service. */
struct service {
    const char *host, *port;
    char storage[300];
};

struct header {
    const char *name, *value;
};

/* Ask; q->status says what came of it. */
static void ask(struct question *q, const struct service *s,
    enum evhttp_cmd_type method, const char *path, struct header header)
{
    struct evhttp_connection *c = evhttp_connection_base_new(q->rt->base,
        vrpc_ev_resolver_(q->rt->ev), s->host, (uint16_t)atoi(s->port));
    struct evhttp_request *req = evhttp_request_new(on_reply, q);

    q->done = false;
    q->status = 0;
    q->body[0] = 0;
    if (c == NULL || req == NULL) {
        if (req != NULL)
            evhttp_request_free(req);
    } else {
        evhttp_connection_set_max_body_size(c, MAX_BODY);
        evhttp_connection_set_max_headers_size(c, 8192);
        evhttp_add_header(evhttp_request_get_output_headers(req), "Host",
            s->host);
        if (header.name != NULL)
            evhttp_add_header(evhttp_request_get_output_headers(req),
                header.name, header.value);
        if (evhttp_make_request(c, req, method, path) == 0)
            wait(q, TIMEOUT);
    }
    if (c != NULL)
        evhttp_connection_free(c); /* and the request, if it has no answer */
    if (!q->done)
        q->status = 0;
}

/* "host", "host:port", "http://host:port/" of the environment, or the default
 * host. */
static void find_service(struct service *s, const char *variable,
    const char *host)
{
    const char *v = getenv(variable);
    char *colon;

    if (v == NULL || *v == 0)
        v = host;
    if (strncmp(v, "http://", 7) == 0)
        v += 7;
    snprintf(s->storage, sizeof(s->storage), "%.*s", (int)strcspn(v, "/"), v);
    s->host = s->storage;
    s->port = "80";
    colon = strchr(s->storage, ':');
    if (colon != NULL) {
        *colon = 0;
        s->port = colon + 1;
    }
}

/* ---- providers ----------------------------------------------------------- */

/* The address that was answered, if it is one. */
static int add_answer(struct question *q)
{
    uint8_t bytes[16];

    q->body[strcspn(q->body, "\r\n ")] = 0;
    if (inet_pton(AF_INET, q->body, bytes) != 1
        && inet_pton(AF_INET6, q->body, bytes) != 1)
        return 0;
    return add(q->cloud, q->body, strlen(q->body));
}

#define AWS_TOKEN "X-aws-ec2-metadata-token"

/* Version 2 wants a token, which is asked for first. */
static bool aws(struct question *q, const struct service *s, bool v2,
    const char *path)
{
    const struct header life = { AWS_TOKEN "-ttl-seconds", "60" };
    struct header token = { NULL, NULL };
    char text[512];

    if (v2) {
        ask(q, s, EVHTTP_REQ_PUT, "/latest/api/token", life);
        if (q->status != 200)
            return false;
        snprintf(text, sizeof(text), "%.500s", q->body);
        token.name = AWS_TOKEN;
        token.value = text;
    }
    ask(q, s, EVHTTP_REQ_GET, path, token);
    if (strcmp(q->server, "EC2ws") != 0)
        q->status = 0; /* somebody else */
    return q->status == 200;
}

static bool aws_identity(struct question *q, const struct service *s, bool v2)
{
    cJSON *doc;
    bool ok;

    if (!aws(q, s, v2, "/latest/dynamic/instance-identity/document"))
        return false;
    doc = cJSON_Parse(q->body);
    ok = cJSON_IsString(cJSON_GetObjectItemCaseSensitive(doc, "accountId"))
        && cJSON_IsString(cJSON_GetObjectItemCaseSensitive(doc, "region"));
    cJSON_Delete(doc);
    return ok;
}

/* 0; V23_ENOENT: this is another provider's machine; V23_ESYS: no answer. An
 * address that the machine does not have (404) is none. */
static int ask_aws(struct question *q)
{
    static const char *const paths[] = { "/latest/meta-data/public-ipv4",
        "/latest/meta-data/local-ipv4" };
    struct service s;
    bool v2 = false;
    int i, rc = 0;

    find_service(&s, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "169.254.169.254");
    if (!aws_identity(q, &s, false)) {
        v2 = true;
        if (!aws_identity(q, &s, true))
            return V23_ENOENT;
    }
    for (i = 0; i < (q->cloud->private_too ? 2 : 1) && rc == 0; i++)
        if (aws(q, &s, v2, paths[i]))
            rc = add_answer(q);
        else if (q->status != 404)
            rc = V23_ESYS;
    return rc;
}

#define GCP "/computeMetadata/v1/"

static bool gcp(struct question *q, const struct service *s, const char *path)
{
    const struct header google = { "Metadata-Flavor", "Google" };

    ask(q, s, EVHTTP_REQ_GET, path, google);
    if (strcmp(q->flavor, "Google") != 0)
        q->status = 0;
    return q->status == 200;
}

static int ask_gcp(struct question *q)
{
    static const char *const paths[] = {
        GCP "instance/network-interfaces/0/access-configs/0/external-ip",
        GCP "instance/network-interfaces/0/ip" };
    struct service s;
    int i, rc = 0;

    find_service(&s, "GCE_METADATA_HOST", "metadata.google.internal");
    if (!gcp(q, &s, GCP "project/project-id") || q->body[0] == 0
        || !gcp(q, &s, GCP "instance/zone") || q->body[0] == 0)
        return V23_ENOENT;
    for (i = 0; i < (q->cloud->private_too ? 2 : 1) && rc == 0; i++)
        if (gcp(q, &s, paths[i]))
            rc = add_answer(q);
        else if (q->status != 404)
            rc = V23_ESYS;
    return rc;
}

static int ask_provider(struct vrpc_runtime *rt, struct vrpc_cloud_ *c)
{
    bool on_aws = rt->flags->provider == VRPC_PROVIDER_AWS;
    const char *name = on_aws ? "AWS" : "GCP";
    struct question *q = v23_new(NULL, struct question);
    int rc;

    if (q == NULL)
        return V23_ENOMEM;
    q->rt = rt;
    q->cloud = c;
    rc = on_aws ? ask_aws(q) : ask_gcp(q);
    v23_put(NULL, q);
    if (rc == V23_ENOENT && !rt->flags->no_native_fallback) {
        v23_logf(&rt->log, V23_LOG_INFO, "this machine is not of %s", name);
        rc = 0;
    } else if (rc == V23_ENOENT) {
        snprintf(rt->why, sizeof(rt->why),
            "this process is not running on %s, though "
            "--v23.virtualized.provider says so", name);
    } else if (rc == V23_ESYS) {
        snprintf(rt->why, sizeof(rt->why),
            "the metadata service of %s does not tell the addresses", name);
    }
    return rc;
}

/* ---- addresses of flags -------------------------------------------------- */

static int add_with_port(struct vrpc_cloud_ *c, struct vdl_str host,
    struct vdl_str port)
{
    bool v6 = memchr(host.p, ':', host.n) != NULL;
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, NULL, 1024);
    if (port.n == 0 || vdl_str_is(port, "0")) /* the listener's comes later */
        v23_buf_put_str(&b, host);
    else
        v23_buf_printf(&b, v6 ? "[%.*s]:%.*s" : "%.*s:%.*s", (int)host.n,
            host.p, (int)port.n, port.p);
    rc = b.err != 0 ? b.err : add(c, (const char *)b.p, b.n);
    v23_buf_fini(&b);
    return rc;
}

static int add_resolved(struct question *q, const struct evutil_addrinfo *ai)
{
    char host[INET6_ADDRSTRLEN];
    struct sockaddr_in6 s6;
    struct sockaddr_in s4;

    if (ai->ai_family == AF_INET6) {
        memcpy(&s6, ai->ai_addr, sizeof(s6));
        inet_ntop(AF_INET6, &s6.sin6_addr, host, sizeof(host));
    } else {
        memcpy(&s4, ai->ai_addr, sizeof(s4));
        inet_ntop(AF_INET, &s4.sin_addr, host, sizeof(host));
    }
    return add_with_port(q->cloud, vdl_str(host), q->port);
}

/* Of several addresses each is published, a single one goes by the name. */
static void on_resolved(void *ud, int err, struct evutil_addrinfo *ai)
{
    struct question *q = ud;

    q->done = true;
    q->err = err;
    if (err != 0 || ai == NULL || ai->ai_next == NULL)
        return;
    for (; ai != NULL && q->rc == 0; ai = ai->ai_next)
        q->rc = add_resolved(q, ai);
}

static int look_up(struct vrpc_runtime *rt, struct vrpc_cloud_ *c,
    const char *name, struct vdl_str port)
{
    const struct vrpc_ev_host_ host = { name, "0", AF_UNSPEC };
    struct question *q = v23_new(NULL, struct question);
    struct vrpc_ev_lookup_ *l;
    int rc;

    if (q == NULL)
        return V23_ENOMEM;
    q->rt = rt;
    q->cloud = c;
    q->port = port;
    l = vrpc_ev_lookup_(rt->ev, &host, on_resolved, q);
    if (l != NULL)
        wait(q, LOOKUP);
    if (l != NULL && !q->done)
        vrpc_ev_lookup_cancel_(l);
    rc = l == NULL ? V23_ENOMEM : !q->done || q->err != 0 ? V23_ESYS : q->rc;
    if (rc == V23_ESYS)
        snprintf(rt->why, sizeof(rt->why),
            "--v23.virtualized.tcp.public-address: %.200s: %s", name,
            q->done ? evutil_gai_strerror(q->err) : "no answer");
    v23_put(NULL, q);
    if (rc == 0 && c->n == 0)
        rc = add_with_port(c, vdl_str(name), port);
    return rc;
}

static int use_address(struct vrpc_runtime *rt, struct vrpc_cloud_ *c,
    struct vdl_str text, bool resolve)
{
    struct evutil_addrinfo *ai = NULL;
    struct vrpc_ev_host_ h = { NULL, "0", AF_UNSPEC };
    struct vdl_str host, port;
    const char *why;
    char name[256];

    if (vrpc_flags_split_(text, &host, &port, &why) != 0
        || host.n >= sizeof(name))
        return V23_EARG; /* checked by the flag */
    snprintf(name, sizeof(name), "%.*s", (int)host.n, host.p);
    h.name = name;
    if (!resolve || vrpc_ev_numeric_(&h, &ai) == 0) {
        if (ai != NULL)
            evutil_freeaddrinfo(ai);
        return add_with_port(c, host, port);
    }
    return look_up(rt, c, name, port);
}

/* ---- for the run time ---------------------------------------------------- */

void vrpc_cloud_free_(struct vrpc_cloud_ *c)
{
    if (c == NULL)
        return;
    v23_arena_fini(&c->arena);
    v23_put(NULL, c);
}

int vrpc_cloud_find_(struct vrpc_runtime *rt, struct vrpc_cloud_ **out)
{
    const struct vrpc_flags *f = rt->flags;
    struct vrpc_cloud_ *c;
    int rc;

    if ((f->groups & VRPC_FLAGS_VIRTUALIZED) == 0)
        return 0;
    c = v23_new(NULL, struct vrpc_cloud_);
    if (c == NULL)
        return V23_ENOMEM;
    v23_arena_init_small(&c->arena, NULL, SIZE_MAX, 256);
    c->private_too = f->advertise_private;
    if (f->public_address.n != 0 || f->public_name.n != 0) {
        c->protocol = f->public_protocol;
        rc = f->public_address.n != 0
            ? use_address(rt, c, f->public_address, true)
            : use_address(rt, c, f->public_name, false);
    } else {
        rc = f->provider == VRPC_PROVIDER_NATIVE ? 0 : ask_provider(rt, c);
    }
    if (rc == 0)
        *out = c;
    else
        vrpc_cloud_free_(c);
    return rc;
}

void vrpc_cloud_use_(struct vrpc_cloud_ *c, struct vrpc_ev_node *n)
{
    if (c != NULL)
        vrpc_ev_set_chooser(n, choose, c);
}
