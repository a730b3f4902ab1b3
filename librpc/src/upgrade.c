/* BSD-3-Clause; see LICENSE. */
/*
 * The opening handshake of a websocket. There is no body, no extension, and no
 * subprotocol that carries a connection.
 */
#include "upgrade_int.h"

#include <string.h>

#include <vrpc/websocket.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_SIZE 16 /* octets before base64 */

static bool is(struct vdl_str a, const char *lit)
{
    return vdl_str_eq_nocase(a, vdl_str(lit));
}

/* ---- the key ------------------------------------------------------------- */

/* base64 of SHA-1 of the key and the fixed text: 28 characters. */
static int accept_of(const struct vsec_engine *e, struct vdl_str key,
    struct v23_buf *out)
{
    const struct vsec_hash_alg *sha1 = e->crypto->sha1;
    uint8_t digest[VSEC_HASH_MAX];
    struct vsec_hash h;
    int rc;

    vsec_hash_init(&h, sha1);
    vsec_hash_update(&h, key.p, key.n);
    vsec_hash_update(&h, GUID, sizeof(GUID) - 1);
    rc = vsec_hash_final(&h, digest);
    if (rc == 0)
        v23_base64_put(out, digest, sha1->size, false);
    return rc;
}

static bool key_ok(struct vdl_str key)
{
    uint8_t mem[2 * KEY_SIZE];
    struct v23_buf b;

    v23_buf_init_fixed(&b, mem, sizeof(mem));
    return v23_base64_parse(key.p, key.n, false, &b) == 0 && b.n == KEY_SIZE;
}

/* ---- requests ------------------------------------------------------------ */

static bool asks_for_upgrade(const struct vrpc_http_head *h)
{
    return vrpc_http_head_lists(h, "Upgrade", "websocket") &&
           vrpc_http_head_lists(h, "Connection", "upgrade");
}

enum vrpc_ws_fault vrpc_ws_fault(const struct vrpc_http_head *h)
{
    struct vdl_str v;

    if (!asks_for_upgrade(h))
        return VRPC_WS_NO_UPGRADE;
    if (vrpc_http_head_get(h, "Sec-WebSocket-Version", &v) != 1 ||
        !is(v, "13"))
        return VRPC_WS_VERSION;
    if (vrpc_http_head_get(h, "Sec-WebSocket-Key", &v) != 1 || !key_ok(v))
        return VRPC_WS_KEY;
    return VRPC_WS_FINE;
}

int vrpc_ws_accept(const struct vsec_engine *e,
    const struct vrpc_http_head *h, const char *protocol,
    struct v23_buf *out)
{
    struct vdl_str key;
    int rc;

    (void)vrpc_http_head_get(h, "Sec-WebSocket-Key", &key);
    v23_buf_puts(out, "HTTP/1.1 101 Switching Protocols\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    if (protocol != NULL)
        v23_buf_printf(out, "Sec-WebSocket-Protocol: %s\r\n", protocol);
    v23_buf_puts(out, "Sec-WebSocket-Accept: ");
    rc = accept_of(e, key, out);
    v23_buf_puts(out, "\r\n\r\n");
    return rc != 0 ? rc : out->err;
}

/* ---- server -------------------------------------------------------------- */

static int refuse(struct v23_buf *out, const char *status, const char *more,
    const char *text, const char **why)
{
    v23_buf_printf(out, "HTTP/1.1 %s\r\n%sConnection: close\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: %zu\r\n\r\n%s\n", status, more, strlen(text) + 1,
        text);
    *why = text;
    return V23_EPROTO;
}

/* Does a page from "scheme://host[:port]" come from the host asked? */
static bool same_origin(struct vdl_str origin, struct vdl_str host)
{
    const char *slash = origin.n == 0 ? NULL : memchr(origin.p, '/', origin.n);
    struct vdl_str rest;

    if (slash == NULL || slash == origin.p || slash[-1] != ':' ||
        slash + 1 == origin.p + origin.n || slash[1] != '/')
        return false;
    rest = vdl_strn(slash + 2, (size_t)(origin.p + origin.n - slash) - 2);
    return vdl_str_eq_nocase(rest, host);
}

static bool has_body(const struct vrpc_http_head *h)
{
    struct vdl_str v;

    return vrpc_http_head_get(h, "Transfer-Encoding", &v) > 0 ||
           (vrpc_http_head_get(h, "Content-Length", &v) > 0 && !is(v, "0"));
}

static int answer(struct vrpc_upgrade_ *u, const struct vrpc_http_head *h,
    struct v23_buf *out, const char **why)
{
    static const char bad[] = "400 Bad Request";
    struct vdl_str host, origin;
    unsigned origins;

    if (!vrpc_http_head_is_request(h))
        return refuse(out, bad, "", "not an HTTP/1.1 request", why);
    if (!vdl_str_is(h->method, "GET"))
        return refuse(out, "405 Method Not Allowed", "Allow: GET\r\n",
            "method not allowed", why);
    if (vrpc_http_head_get(h, "Host", &host) != 1 || host.n == 0 ||
        has_body(h))
        return refuse(out, bad, "", "malformed request", why);
    switch (vrpc_ws_fault(h)) {
    case VRPC_WS_NO_UPGRADE:
        return refuse(out, bad, "", "not a websocket handshake", why);
    case VRPC_WS_VERSION:
        return refuse(out, bad, "Sec-WebSocket-Version: 13\r\n",
            "unsupported websocket version", why);
    case VRPC_WS_KEY:
        return refuse(out, bad, "", "bad Sec-WebSocket-Key", why);
    case VRPC_WS_FINE:
        break;
    }
    origins = vrpc_http_head_get(h, "Origin", &origin);
    if (origins > 1 || (origins == 1 && !same_origin(origin, host)))
        return refuse(out, "403 Forbidden", "", "origin not allowed", why);
    return vrpc_ws_accept(u->engine, h, NULL, out);
}

/* ---- client -------------------------------------------------------------- */

int vrpc_upgrade_request_(struct vrpc_upgrade_ *u, struct vdl_str address,
    struct v23_buf *out)
{
    const char *zone = NULL, *close = NULL;
    uint8_t octets[KEY_SIZE];
    struct v23_buf b;
    uint32_t i;
    int rc;

    for (i = 0; i < address.n; i++) {
        char c = v23_lower(address.p[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                (c != 0 && strchr(".-_:[]%", c) != NULL)))
            return V23_EENDPOINT; /* may not add lines to the request */
        if (c == '%' && zone == NULL)
            zone = address.p + i;
        if (c == ']')
            close = address.p + i;
    }
    rc = vsec_random_fill(u->engine, octets, sizeof(octets));
    if (rc != 0)
        return rc;
    v23_buf_init_fixed(&b, u->key, sizeof(u->key));
    v23_base64_put(&b, octets, sizeof(octets), false);
    u->key[b.n] = 0;
    v23_buf_printf(out, "GET %s HTTP/1.1\r\nHost: ",
        u->path != NULL ? u->path : "/");
    if (zone != NULL && close != NULL && zone < close) {
        /* The zone of an address means something on this machine only. */
        v23_buf_put(out, address.p, (size_t)(zone - address.p));
        address = vdl_strn(close, (size_t)(address.p + address.n - close));
    }
    v23_buf_put_str(out, address);
    v23_buf_printf(out, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n", u->key);
    if (u->origin != NULL)
        v23_buf_printf(out, "Origin: %s\r\n", u->origin);
    v23_buf_puts(out, "\r\n");
    return out->err;
}

static int check_answer(struct vrpc_upgrade_ *u,
    const struct vrpc_http_head *h, const char **why)
{
    static const char status[] = "HTTP/1.1 101";
    const size_t n = sizeof(status) - 1;
    struct vdl_str accept, none;
    uint8_t mem[32];
    struct v23_buf b;
    int rc;

    *why = "websocket upgrade refused";
    if (h->first.n < n || memcmp(h->first.p, status, n) != 0 ||
        (h->first.n > n && h->first.p[n] != ' '))
        return V23_EPROTO;
    *why = "bad answer to a websocket upgrade";
    /* Extensions and subprotocols are chosen by the server, if it was offered
     * some. */
    if (!asks_for_upgrade(h) ||
        vrpc_http_head_get(h, "Sec-WebSocket-Extensions", &none) > 0 ||
        vrpc_http_head_get(h, "Sec-WebSocket-Protocol", &none) > 0 ||
        vrpc_http_head_get(h, "Sec-WebSocket-Accept", &accept) != 1)
        return V23_EPROTO;
    v23_buf_init_fixed(&b, mem, sizeof(mem));
    rc = accept_of(u->engine, vdl_str(u->key), &b);
    if (rc != 0)
        return rc;
    return vdl_str_eq(accept, vdl_strn((char *)mem, b.n)) ? 0 : V23_EPROTO;
}

/* ---- both ---------------------------------------------------------------- */

void vrpc_upgrade_init_(struct vrpc_upgrade_ *u, struct vsec_engine *e,
    const struct v23_alloc *al, bool server)
{
    memset(u, 0, sizeof(*u));
    v23_buf_init(&u->head, al, VRPC_HTTP_HEAD_MAX);
    u->engine = e;
    u->server = server;
}

void vrpc_upgrade_fini_(struct vrpc_upgrade_ *u)
{
    v23_buf_fini(&u->head);
}

int vrpc_upgrade_input_(struct vrpc_upgrade_ *u, const uint8_t *p, size_t n,
    size_t *used, struct v23_buf *out, const char **why)
{
    struct vrpc_http_head h;
    int rc = vrpc_http_head_collect(&u->head, p, n, used);

    if (rc == V23_ELIMIT) {
        *why = "head of the websocket upgrade is too long";
        return u->server ? refuse(out, "431 Request Header Fields Too Large",
            "", *why, why) : V23_EPROTO;
    }
    if (rc != 0)
        return rc;
    rc = vrpc_http_head_parse(&u->head, &h);
    *why = "not HTTP";
    if (rc == 0)
        rc = u->server ? answer(u, &h, out, why) : check_answer(u, &h, why);
    else
        rc = u->server ? refuse(out, "400 Bad Request", "", *why, why)
                       : V23_EPROTO;
    v23_buf_fini(&u->head);
    return rc;
}
