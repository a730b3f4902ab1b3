/* BSD-3-Clause; see LICENSE. */
/*
 * A connection that speaks HTTP/1.1: it collects a head, then a body; its
 * answer ends it.
 */
#include "ev_int.h"

#include <string.h>

/* ---- answers ------------------------------------------------------------- */

static const char *reason_of(int code)
{
    static const struct {
        int code;
        const char *text;
    } known[] = { { 200, "OK" }, { 204, "No Content" }, { 400, "Bad Request" },
        { 403, "Forbidden" }, { 404, "Not Found" },
        { 405, "Method Not Allowed" }, { 408, "Request Timeout" },
        { 411, "Length Required" }, { 413, "Content Too Large" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" }, { 503, "Service Unavailable" } };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].code == code)
            return known[i].text;
    return "Status";
}

void wspr_conn_reply_(struct wspr_conn_ *c, const struct wspr_reply_ *r)
{
    struct v23_buf *b = wspr_conn_out_(c);

    wspr_conn_request_ends_(c);
    v23_buf_fini(&c->in);
    v23_buf_printf(b, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
        "X-Content-Type-Options: nosniff\r\nContent-Length: %zu\r\n",
        r->code, reason_of(r->code),
        r->type != NULL ? r->type : "text/plain; charset=utf-8", r->body.n);
    if (r->headers != NULL)
        v23_buf_puts(b, r->headers);
    v23_buf_puts(b, "Connection: close\r\n\r\n");
    if (!c->bare)
        v23_buf_put(b, r->body.p, r->body.n);
    if (b->err != 0)
        c->broken = true;
    wspr_conn_set_state_(c, WSPR_CONN_ANSWERED_, WSPR_HTTP_ANSWER_TIME_);
}

void wspr_conn_say_(struct wspr_conn_ *c, int code, const char *text)
{
    struct wspr_reply_ r = { .code = code };
    struct v23_buf b;

    v23_buf_init(&b, c->h->cfg.al, 1u << 20);
    v23_buf_printf(&b, "%s\n", text);
    r.body = v23_bytes(b.p, b.n);
    wspr_conn_reply_(c, &r);
    v23_buf_fini(&b);
}

/* ---- requests ------------------------------------------------------------ */

static struct vdl_str path_of(struct vdl_str target)
{
    const char *q = memchr(target.p, '?', target.n);

    return q == NULL ? target : vdl_strn(target.p, (size_t)(q - target.p));
}

static void request_is_whole(struct wspr_conn_ *c)
{
    struct v23_buf head = c->in;
    struct wspr_request_ r;

    wspr_conn_request_ends_(c);
    c->state = WSPR_CONN_ANSWERING_;
    c->deadline = V23_NEVER;
    head.n = c->head;
    if (vrpc_http_head_parse(&head, &r.head) != 0) {
        wspr_conn_say_(c, 400, "Bad Request"); /* it was well-formed before */
        return;
    }
    c->bare = vdl_str_is(r.head.method, "HEAD");
    r.path = path_of(r.head.target);
    r.body = v23_bytes(c->in.p + c->head, c->body);
    c->h->cfg.hooks->request(c->h->cfg.ud, c, &r);
    if (c->state == WSPR_CONN_WEBSOCKET_ || c->state == WSPR_CONN_ANSWERING_)
        v23_buf_fini(&c->in);
}

/* Digits only; more than a body may have: SIZE_MAX. */
static size_t length_of(struct vdl_str s)
{
    size_t n = 0;
    uint32_t i;

    for (i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return SIZE_MAX;
        n = n > SIZE_MAX / 100 ? n : 10 * n + (size_t)(s.p[i] - '0');
    }
    return s.n == 0 ? SIZE_MAX : n;
}

/* 0, or the status of what is wrong with a head. */
static int check_head(struct wspr_conn_ *c)
{
    struct vrpc_http_head head;
    struct vdl_str v;
    unsigned n;

    if (vrpc_http_head_parse(&c->in, &head) != 0 ||
        !vrpc_http_head_is_request(&head) ||
        vrpc_http_head_get(&head, "Host", &v) != 1)
        return 400;
    if (vrpc_http_head_get(&head, "Transfer-Encoding", &v) > 0)
        return 411;
    n = vrpc_http_head_get(&head, "Content-Length", &v);
    c->head = c->in.n;
    c->body = n == 0 ? 0 : length_of(v);
    return n > 1 ? 400 : c->body > c->h->cfg.max_body ? 413 : 0;
}

void wspr_conn_request_came_(struct wspr_conn_ *c, const uint8_t *p, size_t n)
{
    size_t used = 0, more;
    int rc = 0, code;

    if (c->head == 0) {
        rc = vrpc_http_head_collect(&c->in, p, n, &used);
        code = rc == 0 ? check_head(c) : rc == V23_ELIMIT ? 431 : 0;
        if (code != 0) {
            wspr_conn_say_(c, code, reason_of(code));
            return;
        }
        if (rc != 0 && rc != V23_EAGAIN)
            wspr_conn_break_down_(c);
        if (rc != 0)
            return;
        c->in.max = SIZE_MAX;
    }
    more = c->head + c->body - c->in.n;
    more = more < n - used ? more : n - used;
    v23_buf_put(&c->in, p + used, more);
    used += more;
    if (c->in.err != 0) {
        wspr_conn_break_down_(c);
        return;
    }
    if (c->in.n < c->head + c->body)
        return;
    request_is_whole(c);
    if (c->state == WSPR_CONN_WEBSOCKET_ && used < n)
        wspr_conn_frames_came_(c, p + used, n - used);
}
