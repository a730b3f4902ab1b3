/* BSD-3-Clause; see LICENSE. */
/*
 * A provider of identities for tests (spec/services.md 6.9, 11.1): it asks
 * nobody who a token is of.
 */
#include "runner.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include <v23/vdl/v.io/x/ref/services/identity/identity.rpc.h>
#include <vom/time.h>
#include <vname/program.h>
#include <vrpc/server.h>
#include <vsec/acl.h>
#include <vsec/principal.h>

#define USER "testemail@example.com"
#define CLIENT "test-client-id"
#define VALIDITY (365 * 24 * 3600 * V23_NS_PER_SEC)
#define TIMEOUT_S 10
#define MAX_HEADERS 8192
#define MAX_BODY 4096

struct identd {
    struct vname_program *p;
    struct vrpc_server_config server;
    struct vname_serving *serving;
    struct vsec_blessings *last; /* until the answer with it has left */
    struct evhttp *http;
};

/* ---- blessings ----------------------------------------------------------- */

static int bless(struct identd *d, struct vrpc_server_call *call)
{
    struct vsec_principal *me = d->p->rt.principal;
    struct v23_bytes der = vrpc_server_call_remote_key(call);
    struct vsec_bless what = { NULL, NULL, VDL_STR_INIT(USER ":" CLIENT),
        { NULL, 1 } };
    v23_security_caveat limit;
    int rc = vsec_caveat_expiry(vrpc_server_call_arena(call),
        v23_walltime_add(vrpc_ev_wall(), VALIDITY), &limit);

    vsec_blessings_unref(d->last);
    d->last = NULL;
    what.with = vsec_store_default(me->store);
    what.caveats.v = &limit;
    if (rc == 0)
        rc = vsec_pubkey_parse(me->engine, vdl_bytes(der.p, der.n),
            &what.key);
    if (rc == 0)
        rc = vsec_principal_bless(me, &what, &d->last);
    vsec_pubkey_unref(what.key);
    return rc;
}

static const struct v23_verror *use_token(void *self,
    struct vrpc_server_call *call,
    const v23_identity_oauth_blesser_bless_using_access_token_in *in,
    v23_identity_oauth_blesser_bless_using_access_token_out *out)
{
    struct identd *d = self;
    int rc = in->token.n == 0 ? V23_EARG : bless(d, call);

    if (rc != 0)
        return v23_verror_text(vrpc_server_call_arena(call),
            vrpc_server_call_errctx(call), vdl_str("v.io/v23/verror.NoAccess"),
            V23_NO_RETRY, "%s", rc == V23_EARG ? "there is no token"
                                               : v23_strerror(rc));
    out->blessing = vsec_blessings_wire(d->last);
    out->email = vdl_str(USER ":" CLIENT);
    return NULL;
}

static const v23_identity_oauth_blesser_vt methods = {
    .bless_using_access_token = use_token };

/* ---- web ----------------------------------------------------------------- */

/* Names and key of the blessings that it gives. */
static void put_root(const struct identd *d, struct v23_buf *out)
{
    const struct vsec_principal *me = d->p->rt.principal;
    struct vdl_str names = vsec_blessings_text(vsec_store_default(me->store));

    v23_buf_puts(out, "{\"names\":[");
    vsec_json_put_text(out, names);
    v23_buf_puts(out, "],\"publicKey\":\"");
    v23_base64_put(out, me->key->der.p, me->key->der.n, true);
    v23_buf_puts(out, "\"}\n");
}

static void on_request(struct evhttp_request *req, void *ud)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
    struct evbuffer *body = evbuffer_new();
    struct v23_buf text;
    int code = 404;

    v23_buf_init(&text, NULL, 1u << 20);
    if (path != NULL && strcmp(path, "/health") == 0) {
        code = 204;
    } else if (path != NULL && strcmp(path, "/auth/blessing-root") == 0) {
        code = 200;
        put_root(ud, &text);
        evhttp_add_header(evhttp_request_get_output_headers(req),
            "Content-Type", "application/json");
        evhttp_add_header(evhttp_request_get_output_headers(req),
            "Access-Control-Allow-Origin", "*");
    }
    if (body != NULL && text.n > 0)
        evbuffer_add(body, text.p, text.n);
    evhttp_send_reply(req, code, NULL, body);
    if (body != NULL)
        evbuffer_free(body);
    v23_buf_fini(&text);
}

static int web_start(struct identd *d, char *address, size_t size)
{
    struct evhttp_bound_socket *s;
    struct sockaddr_in at;
    socklen_t n = sizeof(at);

    d->http = evhttp_new(d->p->rt.base);
    if (d->http == NULL)
        return v23_error("out of memory");
    evhttp_set_allowed_methods(d->http, EVHTTP_REQ_GET);
    evhttp_set_max_headers_size(d->http, MAX_HEADERS);
    evhttp_set_max_body_size(d->http, MAX_BODY);
    evhttp_set_timeout(d->http, TIMEOUT_S);
    evhttp_set_gencb(d->http, on_request, d);
    s = evhttp_bind_socket_with_handle(d->http, "127.0.0.1", 0);
    if (s == NULL || getsockname(evhttp_bound_socket_get_fd(s),
            (struct sockaddr *)&at, &n) != 0)
        return v23_error("the identity provider cannot listen");
    snprintf(address, size, "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    return 0;
}

/* ---- life ---------------------------------------------------------------- */

int identd_start(struct vname_program *p, const char *name,
    struct identd **out, char *http, size_t size)
{
    static const struct vrpc_listen_addr here = { VDL_STR_INIT("wsh"),
        VDL_STR_INIT("127.0.0.1:0") };
    struct vname_serve_config cfg = { .addrs = &here, .naddrs = 1 };
    struct identd *d = v23_new(NULL, struct identd);
    int rc;

    if (d == NULL)
        return v23_error("out of memory");
    d->p = p;
    d->server.object = v23_identity_oauth_blesser_object(&methods, d);
    d->server.authorizer = &vsec_auth_everyone;
    cfg.server = &d->server;
    cfg.name = vdl_str(name);
    rc = vname_serve(p, &cfg, &d->serving);
    if (rc != 0)
        rc = v23_error("the identity provider cannot serve: %s",
            p->rt.why[0] != 0 ? p->rt.why : v23_strerror(rc));
    else
        rc = web_start(d, http, size);
    if (rc != 0)
        identd_stop(d);
    else
        *out = d;
    return rc;
}

void identd_stop(struct identd *d)
{
    if (d == NULL)
        return;
    if (d->http != NULL)
        evhttp_free(d->http);
    if (d->serving != NULL)
        vname_serving_stop(d->serving);
    vsec_blessings_unref(d->last);
    v23_put(NULL, d);
}
