/* BSD-3-Clause; see LICENSE. */
/*
 * HTTP/1.1 as far as a websocket's opening handshake needs it. A head is
 * collected up to a limit and then read in one pass; what is not understood
 * ends the handshake. There is no body, no extension and no subprotocol.
 */
#include "upgrade_int.h"

#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_SIZE 16 /* octets before base64 */

/* What a head says about the upgrade. */
struct head {
    struct vdl_str first; /* request or status line */
    struct vdl_str host, origin, key, version, accept;
    unsigned hosts, origins, keys, versions, accepts;
    bool upgrade, connection; /* they name what they should */
    bool extension;           /* or subprotocol: chosen by the server */
    bool body;
};

/* ---- text ---------------------------------------------------------------- */

static bool is(struct vdl_str a, const char *lit)
{
    return vdl_str_eq_nocase(a, vdl_str(lit));
}

static struct vdl_str trim(struct vdl_str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Is `word` an element of a comma-separated list? */
static bool lists(struct vdl_str list, const char *word)
{
    const char *comma;
    struct vdl_str one;

    while (list.n > 0) {
        comma = memchr(list.p, ',', list.n);
        one = vdl_strn(list.p,
            comma == NULL ? list.n : (size_t)(comma - list.p));
        if (is(trim(one), word))
            return true;
        if (comma == NULL)
            break;
        list = vdl_strn(comma + 1, list.n - one.n - 1);
    }
    return false;
}

/* ---- reading a head ------------------------------------------------------ */

/* RFC 9110: a token; what a header's name is made of. */
static bool is_token(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++) {
        char c = v23_lower(s.p[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
            return false;
    }
    return s.n > 0;
}

static bool is_text(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') ||
            s.p[i] == 0x7f)
            return false;
    return true;
}

static void take_header(struct head *h, struct vdl_str name,
    struct vdl_str value)
{
    if (is(name, "Host")) {
        h->host = value;
        h->hosts++;
    } else if (is(name, "Origin")) {
        h->origin = value;
        h->origins++;
    } else if (is(name, "Upgrade")) {
        h->upgrade = h->upgrade || lists(value, "websocket");
    } else if (is(name, "Connection")) {
        h->connection = h->connection || lists(value, "upgrade");
    } else if (is(name, "Sec-WebSocket-Key")) {
        h->key = value;
        h->keys++;
    } else if (is(name, "Sec-WebSocket-Version")) {
        h->version = value;
        h->versions++;
    } else if (is(name, "Sec-WebSocket-Accept")) {
        h->accept = value;
        h->accepts++;
    } else if (is(name, "Sec-WebSocket-Extensions") ||
        is(name, "Sec-WebSocket-Protocol")) {
        h->extension = true;
    } else if (is(name, "Transfer-Encoding") ||
        (is(name, "Content-Length") && !is(value, "0"))) {
        h->body = true;
    }
}

/* All lines but the blank one; false: not HTTP. */
static bool read_head(struct vdl_str text, struct head *h)
{
    struct vdl_str line, name;
    const char *end, *colon;

    memset(h, 0, sizeof(*h));
    while (text.n > 0) {
        end = memchr(text.p, '\r', text.n);
        if (end == NULL || end + 1 == text.p + text.n || end[1] != '\n')
            return false;
        line = vdl_strn(text.p, (size_t)(end - text.p));
        text = vdl_strn(end + 2, text.n - line.n - 2);
        if (!is_text(line))
            return false;
        if (h->first.p == NULL) {
            h->first = line;
            continue;
        }
        colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);
        if (colon == NULL)
            return false;
        name = vdl_strn(line.p, (size_t)(colon - line.p));
        if (!is_token(name))
            return false; /* also a line that continues the one before */
        take_header(h, name, trim(vdl_strn(colon + 1, line.n - name.n - 1)));
    }
    return h->first.p != NULL;
}

/* Append what belongs to the head; true: its blank line has come. */
static bool collect(struct v23_buf *b, const uint8_t *p, size_t n,
    size_t *used)
{
    for (*used = 0; *used < n;) {
        v23_buf_put_byte(b, p[(*used)++]);
        if (b->err != 0)
            return false;
        if (b->n >= 4 && memcmp(b->p + b->n - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
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

static bool is_get(struct vdl_str line)
{
    return line.n > 4 && memcmp(line.p, "GET ", 4) == 0;
}

/* "METHOD target HTTP/1.1" with exactly these spaces. */
static bool is_request(struct vdl_str line)
{
    static const char tail[] = " HTTP/1.1";
    const size_t n = sizeof(tail) - 1;
    const char *sp;
    struct vdl_str target;

    if (line.n <= n || memcmp(line.p + line.n - n, tail, n) != 0)
        return false;
    sp = memchr(line.p, ' ', line.n - n);
    if (sp == NULL)
        return false;
    target = vdl_strn(sp + 1, (size_t)(line.p + line.n - n - sp) - 1);
    return is_token(vdl_strn(line.p, (size_t)(sp - line.p))) && target.n > 0 &&
        memchr(target.p, ' ', target.n) == NULL;
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

static int answer(struct vrpc_upgrade_ *u, const struct head *h,
    struct v23_buf *out, const char **why)
{
    static const char bad[] = "400 Bad Request";
    int rc;

    if (!is_request(h->first))
        return refuse(out, bad, "", "not an HTTP/1.1 request", why);
    if (!is_get(h->first))
        return refuse(out, "405 Method Not Allowed", "Allow: GET\r\n",
            "method not allowed", why);
    if (h->hosts != 1 || h->host.n == 0 || h->body)
        return refuse(out, bad, "", "malformed request", why);
    if (!h->upgrade || !h->connection)
        return refuse(out, bad, "", "not a websocket handshake", why);
    if (h->versions != 1 || !is(h->version, "13"))
        return refuse(out, bad, "Sec-WebSocket-Version: 13\r\n",
            "unsupported websocket version", why);
    if (h->keys != 1 || !key_ok(h->key))
        return refuse(out, bad, "", "bad Sec-WebSocket-Key", why);
    if (h->origins > 1 || (h->origins == 1 && !same_origin(h->origin, h->host)))
        return refuse(out, "403 Forbidden", "", "origin not allowed", why);
    v23_buf_puts(out, "HTTP/1.1 101 Switching Protocols\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: ");
    rc = accept_of(u->engine, h->key, out);
    v23_buf_puts(out, "\r\n\r\n");
    return rc != 0 ? rc : out->err;
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
    v23_buf_puts(out, "GET / HTTP/1.1\r\nHost: ");
    if (zone != NULL && close != NULL && zone < close) {
        /* The zone of an address means something on this machine only. */
        v23_buf_put(out, address.p, (size_t)(zone - address.p));
        address = vdl_strn(close, (size_t)(address.p + address.n - close));
    }
    v23_buf_put_str(out, address);
    v23_buf_printf(out, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", u->key);
    return out->err;
}

static int check_answer(struct vrpc_upgrade_ *u, const struct head *h,
    const char **why)
{
    static const char status[] = "HTTP/1.1 101";
    const size_t n = sizeof(status) - 1;
    uint8_t mem[32];
    struct v23_buf b;
    int rc;

    *why = "websocket upgrade refused";
    if (h->first.n < n || memcmp(h->first.p, status, n) != 0 ||
        (h->first.n > n && h->first.p[n] != ' '))
        return V23_EPROTO;
    *why = "bad answer to a websocket upgrade";
    if (!h->upgrade || !h->connection || h->extension || h->accepts != 1)
        return V23_EPROTO;
    v23_buf_init_fixed(&b, mem, sizeof(mem));
    rc = accept_of(u->engine, vdl_str(u->key), &b);
    if (rc != 0)
        return rc;
    return vdl_str_eq(h->accept, vdl_strn((char *)mem, b.n)) ? 0 : V23_EPROTO;
}

/* ---- both ---------------------------------------------------------------- */

void vrpc_upgrade_init_(struct vrpc_upgrade_ *u, struct vsec_engine *e,
    const struct v23_alloc *al, bool server)
{
    memset(u, 0, sizeof(*u));
    v23_buf_init(&u->head, al, VRPC_HEAD_MAX_);
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
    struct head h;
    bool whole = collect(&u->head, p, n, used), http;
    int rc = u->head.err;

    if (rc == V23_ELIMIT) {
        *why = "head of the websocket upgrade is too long";
        return u->server ? refuse(out, "431 Request Header Fields Too Large",
            "", *why, why) : V23_EPROTO;
    }
    if (rc != 0 || !whole)
        return rc != 0 ? rc : V23_EAGAIN;
    http = read_head(vdl_strn((char *)u->head.p, u->head.n - 2), &h);
    *why = "not HTTP";
    if (http)
        rc = u->server ? answer(u, &h, out, why) : check_answer(u, &h, why);
    else
        rc = u->server ? refuse(out, "400 Bad Request", "", *why, why)
                       : V23_EPROTO;
    v23_buf_fini(&u->head);
    return rc;
}
