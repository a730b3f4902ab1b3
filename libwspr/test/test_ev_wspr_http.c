/* BSD-3-Clause; see LICENSE. */
/* HTTP and websockets of the proxy over real sockets, without controllers. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <vrpc/ev.h>
#include <vrpc/websocket.h>
#include <vsec/crypto.h>
#include <wspr/host.h>

#include <suite.h>
#include <support.h>

#include "http_int.h"

#define UPGRADE \
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n" \
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct tst_alloc T;
static struct vsec_engine *E;
static struct event_base *B;
static struct vrpc_ev *EV;
static struct wspr_http_ *H;
static struct wspr_http_config_ CFG;

/* What the hooks have seen. The object of a websocket is its connection. */
static struct {
    int requests, gone, drained, alarms, messages;
    char path[64], body[64], text[256];
    size_t longest;
    struct wspr_conn_ *conn; /* of the last request */
    bool echo, later;
} SEEN;

static void on_request(void *ud, struct wspr_conn_ *c,
    const struct wspr_request_ *r)
{
    ck_assert_ptr_eq(ud, &SEEN);
    SEEN.requests++;
    SEEN.conn = c;
    snprintf(SEEN.path, sizeof(SEEN.path), "%.*s", (int)r->path.n, r->path.p);
    snprintf(SEEN.body, sizeof(SEEN.body), "%.*s", (int)r->body.n,
        r->body.n == 0 ? "" : (const char *)r->body.p);
    wspr_conn_set_object_(c, c);
    if (vdl_str_is(r->path, "/ws")) {
        if (wspr_conn_upgrade_(c, r, "sub") != 0)
            wspr_conn_say_(c, 500, "no memory");
    } else if (!SEEN.later)
        wspr_conn_say_(c, 404, "none");
}

static void on_gone(void *object)
{
    ck_assert_ptr_nonnull(object);
    SEEN.gone++;
    SEEN.conn = NULL;
}

static int on_message(void *object, char *text, size_t n)
{
    SEEN.messages++;
    if (n > SEEN.longest)
        SEEN.longest = n;
    snprintf(SEEN.text, sizeof(SEEN.text), "%.*s", (int)n, text);
    if (SEEN.echo)
        wspr_conn_send_(object, text, n);
    return 0;
}

static void on_drained(void *object)
{
    ck_assert_ptr_nonnull(object);
    SEEN.drained++;
}

static void on_alarm(void *object)
{
    ck_assert_ptr_nonnull(object);
    SEEN.alarms++;
}

static const struct wspr_http_hooks_ hooks = { on_request, on_gone, on_message,
    on_drained, on_alarm };

/* ---- a peer -------------------------------------------------------------- */

struct peer {
    int fd;
    bool eof;
    struct v23_buf got;
};

static struct peer peer_open(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    struct peer p = { 0 };

    v23_buf_init(&p.got, NULL, SIZE_MAX);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)atoi(strrchr(wspr_http_address_(H), ':')
        + 1));
    p.fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(p.fd, 0);
    ck_assert_int_eq(connect(p.fd, (struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(fcntl(p.fd, F_SETFL, O_NONBLOCK), 0);
    return p;
}

static void peer_close(struct peer *p)
{
    close(p->fd);
    v23_buf_fini(&p->got);
}

static void turn(void)
{
    ck_assert_int_ge(event_base_loop(B, EVLOOP_NONBLOCK), 0);
}

/* Let both sides work for a moment; take what has come. */
static void pump(struct peer *p)
{
    struct pollfd fd = { .fd = p->fd, .events = POLLIN };
    uint8_t part[4096];
    ssize_t n;

    turn();
    if (poll(&fd, 1, 1) <= 0)
        return;
    n = recv(p->fd, part, sizeof(part), 0);
    if (n > 0)
        v23_buf_put(&p->got, part, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        p->eof = true;
}

static void say(struct peer *p, const void *text, size_t n)
{
    const uint8_t *b = text;
    ssize_t k;

    while (n > 0) {
        k = send(p->fd, b, n, MSG_NOSIGNAL);
        if (k < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            turn();
            continue;
        }
        b += k;
        n -= (size_t)k;
    }
}

static void says(struct peer *p, const char *text)
{
    say(p, text, strlen(text));
}

/* A frame of a client; its mask is zero. */
static void frame(struct peer *p, unsigned first, const void *payload,
    size_t n)
{
    uint8_t head[14] = { 0 };
    size_t k = n < 126 ? 2 : n < 65536 ? 4 : 10, i;

    head[0] = (uint8_t)first;
    head[1] = (uint8_t)(0x80 | (n < 126 ? n : n < 65536 ? 126 : 127));
    for (i = 2; i < k; i++)
        head[i] = (uint8_t)((uint64_t)n >> (8 * (k - 1 - i)));
    say(p, head, k + 4);
    say(p, payload, n);
}

#define UNTIL(peer, cond) \
    do { \
        int left_ = 20000; \
        while (!(cond) && --left_ > 0) \
            pump(peer); \
        ck_assert_msg(cond, "never: " #cond); \
    } while (0)

static bool got_text(const struct peer *p, const char *text)
{
    size_t n = strlen(text), i;

    for (i = 0; i + n <= p->got.n; i++)
        if (memcmp(p->got.p + i, text, n) == 0)
            return true;
    return false;
}

/* A websocket behind its handshake. */
static struct peer open_websocket(void)
{
    struct peer p = peer_open();

    says(&p, UPGRADE "\r\n");
    UNTIL(&p, got_text(&p, "\r\n\r\n"));
    ck_assert(got_text(&p, "HTTP/1.1 101 "));
    v23_buf_cut(&p.got, 0);
    return p;
}

static void restart(void)
{
    wspr_http_free_(H);
    ck_assert_int_eq(wspr_http_new_(&CFG, &H), 0);
}

static void setup(void)
{
    tst_alloc_init(&T);
    memset(&SEEN, 0, sizeof(SEEN));
    B = event_base_new();
    ck_assert_ptr_nonnull(B);
    ck_assert_int_eq(vrpc_ev_new(B, NULL, NULL, &EV), 0);
    ck_assert_int_eq(vsec_engine_new(&E, &vsec_crypto_default, NULL, NULL), 0);
    CFG = (struct wspr_http_config_){ .ev = EV, .al = &T.al, .engine = E,
        .hooks = &hooks, .ud = &SEEN, .host = "127.0.0.1",
        .max_message = 1000, .max_body = 100, .max_waiting = 1u << 20,
        .max_conns = 100 };
    ck_assert_int_eq(wspr_http_new_(&CFG, &H), 0);
}

static void teardown(void)
{
    wspr_http_free_(H);
    ck_assert_uint_eq(T.live, 0);
    vsec_engine_unref(E);
    vrpc_ev_free(EV);
    event_base_free(B);
}

/* ---- requests ------------------------------------------------------------ */

START_TEST(request_is_answered_and_the_connection_ends)
{
    struct peer p = peer_open();

    says(&p, "POST /a?b=c HTTP/1.1\r\nHost: x\r\ncontent-length: 4\r\n\r\nbo");
    pump(&p);
    says(&p, "dyGET / HTTP/1.1\r\n\r\n"); /* no second request is taken */
    UNTIL(&p, p.eof);

    ck_assert_str_eq(SEEN.path, "/a");
    ck_assert_str_eq(SEEN.body, "body");
    ck_assert_int_eq(SEEN.requests, 1);
    ck_assert(got_text(&p, "HTTP/1.1 404 Not Found\r\n"));
    ck_assert(got_text(&p, "Content-Length: 5\r\n"));
    ck_assert(got_text(&p, "Connection: close\r\n\r\nnone\n"));
    peer_close(&p);
    UNTIL(&p, wspr_http_nconns_(H) == 0);
    ck_assert_int_eq(SEEN.gone, 1);
}
END_TEST

START_TEST(answer_to_head_has_no_body)
{
    struct peer p = peer_open();

    says(&p, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(&p, p.eof);

    ck_assert(got_text(&p, "HTTP/1.1 404 Not Found\r\n"));
    ck_assert(got_text(&p, "Content-Length: 5\r\n"));
    ck_assert(!got_text(&p, "none"));
    peer_close(&p);
}
END_TEST

static const struct {
    const char *request, *status;
} bad[] = {
    { "x\r\n\r\n", "400" },
    { "GET / HTTP/1.0\r\nHost: x\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
      "Content-Length: 2\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n", "413" },
    { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "413" },
    { "GET / HTTP/1.1\r\nHost: x\r\n"
      "Content-Length: 99999999999999999999999999\r\n\r\n", "413" },
    { "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "411" },
};

START_TEST(malformed_request_is_refused)
{
    struct peer p = peer_open();
    char want[32];

    snprintf(want, sizeof(want), "HTTP/1.1 %s ", bad[_i].status);
    says(&p, bad[_i].request);
    UNTIL(&p, p.eof);

    ck_assert(got_text(&p, want));
    ck_assert_int_eq(SEEN.requests, 0);
    peer_close(&p);
}
END_TEST

START_TEST(endless_head_is_cut_off)
{
    static char lines[9000];
    struct peer p = peer_open();

    memset(lines, 'x', sizeof(lines));
    says(&p, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    say(&p, lines, sizeof(lines));
    UNTIL(&p, p.eof);

    ck_assert(got_text(&p, "HTTP/1.1 431 "));
    peer_close(&p);
}
END_TEST

/* However slowly it comes: the time is for the whole. */
START_TEST(slow_head_loses_its_connection)
{
    struct peer p;
    int i;

    CFG.request_ns = 30 * V23_NS_PER_MS;
    restart();
    p = peer_open();
    for (i = 0; i < 20000 && !p.eof; i++) {
        (void)!send(p.fd, "x", 1, MSG_NOSIGNAL);
        pump(&p);
    }
    ck_assert(p.eof);
    ck_assert_uint_eq(wspr_http_nconns_(H), 0);
    peer_close(&p);
}
END_TEST

START_TEST(oldest_request_gives_way_when_there_are_too_many)
{
    struct peer p[5];
    size_t i;

    CFG.max_conns = 3;
    restart();
    for (i = 0; i < 5; i++) {
        p[i] = peer_open();
        pump(&p[i]);
    }
    UNTIL(&p[0], p[0].eof);
    UNTIL(&p[1], p[1].eof);
    ck_assert_uint_eq(wspr_http_nconns_(H), 3);
    says(&p[4], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(&p[4], got_text(&p[4], "404"));
    for (i = 0; i < 5; i++)
        peer_close(&p[i]);
}
END_TEST

START_TEST(websockets_do_not_give_way)
{
    struct peer a, b;

    CFG.max_conns = 1;
    restart();
    a = open_websocket();
    b = peer_open();
    UNTIL(&b, b.eof);
    ck_assert_int_eq(SEEN.gone, 0);
    peer_close(&a);
    peer_close(&b);
}
END_TEST

START_TEST(answer_may_come_later_or_not_at_all)
{
    struct peer p = peer_open(), q;

    SEEN.later = true;
    says(&p, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(&p, SEEN.requests == 1);
    wspr_conn_say_(SEEN.conn, 200, "at last");
    UNTIL(&p, got_text(&p, "at last\n"));
    peer_close(&p);
    UNTIL(&p, SEEN.gone == 1);

    q = peer_open();
    says(&q, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(&q, SEEN.requests == 2);
    close(q.fd);
    q.fd = -1;
    UNTIL(&q, SEEN.gone == 2);
    v23_buf_fini(&q.got);
}
END_TEST

/* ---- websockets ---------------------------------------------------------- */

START_TEST(websocket_may_begin_later)
{
    static const char fields[] =
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    struct wspr_request_ r = { 0 };
    struct peer p = peer_open();

    SEEN.echo = SEEN.later = true;
    r.head.fields = vdl_str(fields);
    says(&p, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(&p, SEEN.requests == 1);
    ck_assert_int_eq(wspr_conn_upgrade_(SEEN.conn, &r, NULL), 0);
    UNTIL(&p, got_text(&p, "HTTP/1.1 101 Switching Protocols\r\n"));
    ck_assert(got_text(&p, "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
    frame(&p, 0x81, "hi", 2);
    UNTIL(&p, got_text(&p, "\x81\x02hi"));
    peer_close(&p);
    UNTIL(&p, SEEN.gone == 1);
}
END_TEST

START_TEST(texts_are_echoed_also_those_that_came_with_the_head)
{
    struct peer p = peer_open();

    SEEN.echo = true;
    says(&p, UPGRADE "\r\n" "\x81\x82" "1234" "YP");
    UNTIL(&p, got_text(&p, "\x81\x02hb"));

    ck_assert(got_text(&p, "Sec-WebSocket-Protocol: sub\r\n"));
    v23_buf_cut(&p.got, 0);
    frame(&p, 0x82, "binary", 6);
    UNTIL(&p, got_text(&p, "\x81\x06" "binary"));
    ck_assert_int_eq(SEEN.messages, 2);
    peer_close(&p);
    UNTIL(&p, SEEN.gone == 1);
}
END_TEST

static const struct {
    unsigned first;
    const char *payload;
    size_t n;
    const char *close; /* its code */
} ends[] = {
    { 0x88, "\x03\xe8", 2, "\x88\x02\x03\xe8" },      /* close: the same */
    { 0x81, "\xff", 1, "\x03\xef" },                  /* not UTF-8 */
    { 0x83, "x", 1, "\x03\xea" },                     /* unknown opcode */
    { 0xc1, "x", 1, "\x03\xea" },                     /* reserved bit */
    { 0x80, "x", 1, "\x03\xea" },                     /* nothing to continue */
};

START_TEST(websocket_ends_with_a_code)
{
    struct peer p = open_websocket();

    frame(&p, ends[_i].first, ends[_i].payload, ends[_i].n);
    UNTIL(&p, p.eof);

    ck_assert(got_text(&p, ends[_i].close));
    ck_assert_int_eq(SEEN.gone, 1);
    ck_assert_int_eq(SEEN.messages, 0);
    peer_close(&p);
}
END_TEST

START_TEST(message_beyond_the_limit_ends_it)
{
    static char big[1001];
    struct peer p = open_websocket();

    memset(big, 'a', sizeof(big));
    frame(&p, 0x81, big, sizeof(big) - 1);
    UNTIL(&p, SEEN.messages == 1);
    ck_assert_uint_eq(SEEN.longest, 1000);
    frame(&p, 0x81, big, sizeof(big));
    UNTIL(&p, p.eof);

    ck_assert(got_text(&p, "\x03\xf1"));
    ck_assert_int_eq(SEEN.messages, 1);
    peer_close(&p);
}
END_TEST

START_TEST(signs_of_life_are_asked_for)
{
    struct peer p;
    int i;

    CFG.ping_ns = 5 * V23_NS_PER_MS;
    CFG.patience_ns = 200 * V23_NS_PER_MS;
    restart();
    p = open_websocket();
    for (i = 0; i < 20; i++) {
        v23_buf_cut(&p.got, 0);
        UNTIL(&p, got_text(&p, "\x89"));
        frame(&p, 0x8a, "", 0);
    }
    ck_assert_int_eq(SEEN.gone, 0);
    UNTIL(&p, p.eof); /* it says nothing any more */
    ck_assert_int_eq(SEEN.gone, 1);
    peer_close(&p);
}
END_TEST

START_TEST(reader_that_is_slow_is_waited_for_then_cut_off)
{
    static char text[100000];
    struct peer p = open_websocket();
    struct wspr_conn_ *c = SEEN.conn;
    size_t n = 0;

    memset(text, 'b', sizeof(text));
    while (wspr_conn_waiting_(c) == 0 || n < 2) {
        wspr_conn_send_(c, text, sizeof(text));
        turn();
        n++;
    }
    n *= sizeof(text);
    SEEN.drained = 0;
    UNTIL(&p, p.got.n >= n);
    UNTIL(&p, SEEN.drained == 1);
    ck_assert_uint_eq(wspr_conn_waiting_(c), 0);

    while (SEEN.gone == 0) {
        wspr_conn_send_(c, text, sizeof(text));
        turn();
        ck_assert(SEEN.gone == 1 ||
            wspr_conn_waiting_(c) <= CFG.max_waiting + sizeof(text) + 10);
    }
    peer_close(&p);
}
END_TEST

START_TEST(reading_stops_and_goes_on)
{
    struct peer p = open_websocket();
    int i;

    wspr_conn_set_reading_(SEEN.conn, false);
    frame(&p, 0x81, "x", 1);
    for (i = 0; i < 20; i++)
        pump(&p);
    ck_assert_int_eq(SEEN.messages, 0);
    wspr_conn_set_reading_(SEEN.conn, true);
    UNTIL(&p, SEEN.messages == 1);
    peer_close(&p);
}
END_TEST

START_TEST(alarm_rings_once)
{
    struct peer p = open_websocket();
    struct v23_now now;

    vrpc_ev_now(EV, &now);
    wspr_conn_alarm_(SEEN.conn, now.mono_ns + V23_NS_PER_SEC);
    wspr_conn_alarm_(SEEN.conn, now.mono_ns + 2 * V23_NS_PER_MS);
    UNTIL(&p, SEEN.alarms == 1);
    wspr_conn_alarm_(SEEN.conn, INT64_MIN);
    UNTIL(&p, SEEN.alarms == 2);
    peer_close(&p);
}
END_TEST

START_TEST(end_of_the_server_is_going_away)
{
    struct peer p = open_websocket(), q = peer_open();

    pump(&q);
    wspr_http_unlisten_(H);
    UNTIL(&p, p.eof);
    UNTIL(&q, q.eof);
    ck_assert(got_text(&p, "\x03\xe9"));
    ck_assert_int_eq(SEEN.gone, 1);
    peer_close(&p);
    peer_close(&q);
}
END_TEST

START_TEST(idle_websocket_is_small)
{
    struct peer p = open_websocket();
    size_t before;

    SEEN.echo = true;
    frame(&p, 0x81, "x", 1);
    UNTIL(&p, p.got.n >= 3);
    before = T.bytes;
    peer_close(&p);
    UNTIL(&p, wspr_http_nconns_(H) == 0);
    ck_assert_uint_lt(before - T.bytes, 6500); /* of which wslay 4,200 */
}
END_TEST

START_TEST(want_of_memory_costs_connections_only)
{
    struct peer p;
    size_t k;
    int i;

    for (k = 1; k < 40; k++) {
        p = peer_open();
        T.fail_at = T.calls + k;
        says(&p, UPGRADE "\r\n");
        for (i = 0; i < 5; i++)
            pump(&p);
        T.fail_at = 0;
        peer_close(&p);
        UNTIL(&p, wspr_http_nconns_(H) == 0);
    }
    p = open_websocket();
    peer_close(&p);
}
END_TEST

/* ---- origins ------------------------------------------------------------- */

static const struct {
    const char *patterns, *origin;
    bool ok;
} origins[] = {
    { NULL, "http://a", true }, { NULL, "", true },
    { "*", "http://a", true }, { "*", "", true },
    { "", "http://a", false },
    { "http://a", "http://a", true }, { "http://a", "HTTP://A", true },
    { "http://a", "http://a:1", false }, { "http://a", "http://ab", false },
    { "http://a", "", false }, { "http://a*", "", false },
    { "https://*.x.org", "https://b.x.org", true },
    { "https://*.x.org", "https://x.org", false },
    { "https://*.x.org", "https://evil/.x.org", false },
    { "https://*.x.org", "https://b.x.org.evil.org", false },
    { "http://localhost:*", "http://localhost:8080", true },
    { "http://localhost:*", "http://localhost.evil.org", false },
    { "http://b, http://a ,", "http://a", true },
    { "http://b,http://c", "http://a", false },
    { "*://a", "http://a", true }, { "**a*b**", "aab", true },
    { "null", "null", true }, { "http*", "null", false },
};

START_TEST(origin_matches_patterns)
{
    ck_assert_msg(wspr_origin_is_allowed(origins[_i].patterns,
        vdl_str(origins[_i].origin)) == origins[_i].ok, "%s: %s",
        origins[_i].patterns, origins[_i].origin);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

static void fill(TCase *tc)
{
    tcase_add_test(tc, request_is_answered_and_the_connection_ends);
    tcase_add_test(tc, answer_to_head_has_no_body);
    tcase_add_loop_test(tc, malformed_request_is_refused, 0, N(bad));
    tcase_add_test(tc, endless_head_is_cut_off);
    tcase_add_test(tc, slow_head_loses_its_connection);
    tcase_add_test(tc, oldest_request_gives_way_when_there_are_too_many);
    tcase_add_test(tc, websockets_do_not_give_way);
    tcase_add_test(tc, answer_may_come_later_or_not_at_all);
    tcase_add_test(tc, websocket_may_begin_later);
    tcase_add_test(tc, texts_are_echoed_also_those_that_came_with_the_head);
    tcase_add_loop_test(tc, websocket_ends_with_a_code, 0, N(ends));
    tcase_add_test(tc, message_beyond_the_limit_ends_it);
    tcase_add_test(tc, signs_of_life_are_asked_for);
    tcase_add_test(tc, reader_that_is_slow_is_waited_for_then_cut_off);
    tcase_add_test(tc, reading_stops_and_goes_on);
    tcase_add_test(tc, alarm_rings_once);
    tcase_add_test(tc, end_of_the_server_is_going_away);
    tcase_add_test(tc, idle_websocket_is_small);
    tcase_add_test(tc, want_of_memory_costs_connections_only);
    tcase_add_loop_test(tc, origin_matches_patterns, 0, N(origins));
}

int main(void)
{
    return tst_run_case("libwspr/http", fill, setup, teardown);
}
