/* BSD-3-Clause; see LICENSE. */
/* The opening handshake of a websocket, both sides, byte by byte. */
#include <stdio.h>

#include <suite.h>
#include <support.h>

#include "upgrade_int.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* the example of RFC 6455 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define REQUEST_TO(host) \
    "GET / HTTP/1.1\r\nHost: " host "\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
#define REQUEST REQUEST_TO("h:1") "Sec-WebSocket-Key: " KEY "\r\n"

static struct tst_alloc T;
static struct vsec_engine *E;

static void setup(void)
{
    tst_alloc_init(&T);
    ck_assert_int_eq(vsec_engine_new(&E, &vsec_crypto_default, &T.al, NULL),
        0);
}

static void teardown(void)
{
    vsec_engine_unref(E);
    ck_assert_uint_eq(T.live, 0);
}

/* Give a head to one side in two parts; the answer is in `out`. */
static int serve(const char *head, size_t split, size_t *used, char *out,
    size_t size)
{
    struct vrpc_upgrade_ u;
    const uint8_t *p = (const uint8_t *)head;
    size_t n = strlen(head), first = 0, more = 0;
    const char *why = "";
    struct v23_buf b;
    int rc;

    vrpc_upgrade_init_(&u, E, &T.al, true);
    v23_buf_init_fixed(&b, out, size - 1);
    split = split < n ? split : n;
    rc = vrpc_upgrade_input_(&u, p, split, &first, &b, &why);
    if (rc == V23_EAGAIN) {
        ck_assert_uint_eq(first, split);
        rc = vrpc_upgrade_input_(&u, p + split, n - split, &more, &b, &why);
    }
    out[b.n] = 0;
    *used = first + more;
    vrpc_upgrade_fini_(&u);
    if (rc == V23_EPROTO)
        ck_assert_str_ne(why, "");
    return rc;
}

START_TEST(example_of_the_rfc_is_answered_at_every_split)
{
    static const char head[] = REQUEST "\r\n";
    char out[512];
    size_t i, used;

    for (i = 0; i <= sizeof(head) - 1; i++) {
        ck_assert_int_eq(serve(head, i, &used, out, sizeof(out)), 0);
        ck_assert_uint_eq(used, sizeof(head) - 1);
        ck_assert_str_eq(out, "HTTP/1.1 101 Switching Protocols\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n");
    }
}
END_TEST

START_TEST(what_follows_the_head_is_left)
{
    char out[512];
    size_t used;

    ck_assert_int_eq(serve(REQUEST "\r\nabc", 5, &used, out, sizeof(out)), 0);
    ck_assert_uint_eq(used, strlen(REQUEST "\r\n"));
}
END_TEST

static const struct {
    const char *head, *status; /* NULL: accepted */
} requests[] = {
    { "GET /some/path?x=y HTTP/1.1\r\nhOST:h\r\nupgrade:\tfoo , WebSocket \r\n"
      "CONNECTION: keep-alive, upgrade\r\nsec-websocket-version:13\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate\r\nX-Other: \xc3\xa9\r\n"
      "Sec-websocket-key: " KEY " \r\n", NULL },
    { REQUEST "Origin: http://H:1\r\n", NULL },
    { REQUEST "Content-Length: 0\r\n", NULL },
    { REQUEST "Origin: http://evil:1\r\n", "403" },
    { REQUEST "Origin: http://h\r\n", "403" },
    { REQUEST "Origin: null\r\n", "403" },
    { REQUEST "Origin: http://h:1\r\nOrigin: http://h:1\r\n", "403" },
    { REQUEST "Sec-WebSocket-Key: " KEY "\r\n", "400" },
    { REQUEST "Host: h:1\r\n", "400" },
    { REQUEST "Content-Length: 5\r\n", "400" },
    { REQUEST "Transfer-Encoding: chunked\r\n", "400" },
    { REQUEST " continued: line\r\n", "400" },
    { REQUEST "no colon\r\n", "400" },
    { REQUEST "bad name : x\r\n", "400" },
    { REQUEST "X: a\nY: b\r\n", "400" },
    { REQUEST "X: a\rY: b\r\n", "400" },
    { REQUEST "X: \x01\r\n", "400" },
    { REQUEST ": x\r\n", "400" },
    { REQUEST_TO("h"), "400" },
    { REQUEST_TO("") "Sec-WebSocket-Key: " KEY "\r\n", "400" },
    { REQUEST_TO("h") "Sec-WebSocket-Key: AAAA\r\n", "400" },
    { REQUEST_TO("h") "Sec-WebSocket-Key: ?\r\n", "400" },
    { REQUEST_TO("h") "Sec-WebSocket-Key: " KEY KEY "\r\n", "400" },
    { "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade"
      "\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: " KEY "\r\n",
        "400" },
    { "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: web\r\nConnection: Upgrade"
      "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n",
        "400" },
    { "GET / HTTP/1.1\r\nHost: h\r\n", "400" },
    { "GET / HTTP/1.0\r\nHost: h\r\n", "400" },
    { "GET  HTTP/1.1\r\n", "400" },
    { "GET / / HTTP/1.1\r\n", "400" },
    { " HTTP/1.1\r\n", "400" },
    { "\r\n", "400" },
    { "GET\r\n", "400" },
    { "POST / HTTP/1.1\r\nHost: h\r\n", "405" },
    { "GETX / HTTP/1.1\r\nHost: h\r\n", "405" },
};

START_TEST(request_gets_its_status)
{
    char head[1024], out[512];
    size_t used;
    int rc;

    snprintf(head, sizeof(head), "%s\r\n", requests[_i].head);
    rc = serve(head, 7, &used, out, sizeof(out));

    if (requests[_i].status == NULL) {
        ck_assert_int_eq(rc, 0);
        ck_assert_int_eq(strncmp(out, "HTTP/1.1 101 ", 13), 0);
    } else {
        ck_assert_int_eq(rc, V23_EPROTO);
        ck_assert_int_eq(strncmp(out, "HTTP/1.1 ", 9), 0);
        ck_assert_int_eq(strncmp(out + 9, requests[_i].status, 3), 0);
        ck_assert_ptr_nonnull(strstr(out, "\r\nConnection: close\r\n"));
    }
}
END_TEST

START_TEST(endless_head_is_refused)
{
    static char head[VRPC_HTTP_HEAD_MAX + 2];
    char out[512];
    size_t used;

    memset(head, 'x', sizeof(head) - 1);
    memcpy(head, "GET / HTTP/1.1\r\nX: ", 19);
    ck_assert_int_eq(serve(head, 100, &used, out, sizeof(out)), V23_EPROTO);
    ck_assert_int_eq(strncmp(out, "HTTP/1.1 431 ", 13), 0);
}
END_TEST

START_TEST(every_truncation_waits)
{
    static const char head[] = REQUEST "\r\n";
    char part[sizeof(head)], out[512];
    size_t i, used;

    for (i = 0; i < sizeof(head) - 1; i++) {
        memcpy(part, head, i);
        part[i] = 0;
        ck_assert_int_eq(serve(part, i / 2, &used, out, sizeof(out)),
            V23_EAGAIN);
        ck_assert_str_eq(out, "");
    }
}
END_TEST

START_TEST(provider_without_sha1_cannot_answer)
{
    struct vsec_crypto none = vsec_crypto_default;
    struct vsec_engine *full = E;
    char out[512];
    size_t used;

    none.sha1 = NULL;
    ck_assert_int_eq(vsec_engine_new(&E, &none, &T.al, NULL), 0);
    ck_assert_int_eq(serve(REQUEST "\r\n", 3, &used, out, sizeof(out)),
        V23_ENOSYS);
    vsec_engine_unref(E);
    E = full;
}
END_TEST

/* ---- client -------------------------------------------------------------- */

static void request_of(struct vrpc_upgrade_ *u, const char *address, char *out,
    size_t size)
{
    struct v23_buf b;

    vrpc_upgrade_init_(u, E, &T.al, false);
    v23_buf_init_fixed(&b, out, size - 1);
    ck_assert_int_eq(vrpc_upgrade_request_(u, vdl_str(address), &b), 0);
    out[b.n] = 0;
}

START_TEST(request_names_the_host)
{
    static const struct {
        const char *address, *host;
    } cases[] = { { "10.0.0.1:80", "10.0.0.1:80" },
        { "host.example.org:8100", "host.example.org:8100" },
        { "[::1]:5", "[::1]:5" }, { "[fe80::1%eth0]:5", "[fe80::1]:5" } };
    struct vrpc_upgrade_ u;
    char out[512], want[512];
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_of(&u, cases[i].address, out, sizeof(out));
        snprintf(want, sizeof(want), "GET / HTTP/1.1\r\nHost: %s\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
            cases[i].host, u.key);
        ck_assert_str_eq(out, want);
        ck_assert_uint_eq(strlen(u.key), 24);
        vrpc_upgrade_fini_(&u);
    }
}
END_TEST

START_TEST(address_cannot_add_header_lines)
{
    static const char *const bad[] = { "h:1\r\nX: y", "h 1", "h\t", "h/..",
        "a@b", "\xff" };
    struct vrpc_upgrade_ u;
    char mem[512];
    struct v23_buf b;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        vrpc_upgrade_init_(&u, E, &T.al, false);
        v23_buf_init_fixed(&b, mem, sizeof(mem));
        ck_assert_int_eq(vrpc_upgrade_request_(&u, vdl_str(bad[i]), &b),
            V23_EENDPOINT);
        ck_assert_uint_eq(b.n, 0);
        vrpc_upgrade_fini_(&u);
    }
}
END_TEST

static const struct {
    const char *head;
    int rc;
} answers[] = {
    { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n", 0 },
    { "HTTP/1.1 101\r\nupgrade: WebSocket\r\nconnection: x, upgrade\r\n"
      "sec-websocket-accept:" ACCEPT "\r\nServer: z\r\n", 0 },
    { "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: t3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
        V23_EPROTO },
    { "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: \r\n", V23_EPROTO },
    { "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        V23_EPROTO },
    { "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: " ACCEPT "\r\n", V23_EPROTO },
    { "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " ACCEPT "\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate\r\n", V23_EPROTO },
    { "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " ACCEPT "\r\n"
      "Sec-WebSocket-Protocol: chat\r\n", V23_EPROTO },
    { "HTTP/1.1 1010 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " ACCEPT "\r\n", V23_EPROTO },
    { "HTTP/1.1 400 Bad Request\r\n", V23_EPROTO },
    { "SSH-2.0-x\r\n", V23_EPROTO },
};

START_TEST(answer_is_checked)
{
    struct vrpc_upgrade_ u;
    const char *why = "";
    char out[512], head[512];
    struct v23_buf none;
    size_t used;

    request_of(&u, "h:1", out, sizeof(out));
    memcpy(u.key, KEY, sizeof(KEY));
    v23_buf_init_fixed(&none, out, 0);
    snprintf(head, sizeof(head), "%s\r\nrest", answers[_i].head);
    ck_assert_int_eq(vrpc_upgrade_input_(&u, (uint8_t *)head, strlen(head),
        &used, &none, &why), answers[_i].rc);
    ck_assert_uint_eq(used, strlen(head) - 4);
    vrpc_upgrade_fini_(&u);
}
END_TEST

static int one_handshake(const struct v23_alloc *al, void *ud)
{
    static const char head[] = REQUEST "\r\n";
    struct vrpc_upgrade_ u;
    const char *why;
    struct v23_buf b;
    size_t used;
    int rc;

    (void)ud;
    v23_buf_init(&b, al, 4096);
    vrpc_upgrade_init_(&u, E, al, true);
    rc = vrpc_upgrade_input_(&u, (const uint8_t *)head, sizeof(head) - 1,
        &used, &b, &why);
    vrpc_upgrade_fini_(&u);
    v23_buf_fini(&b);
    return rc;
}

START_TEST(memory_failures_leave_nothing_behind)
{
    tst_out_of_memory(one_handshake, NULL);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, example_of_the_rfc_is_answered_at_every_split);
    tcase_add_test(tc, what_follows_the_head_is_left);
    tcase_add_loop_test(tc, request_gets_its_status, 0,
        (int)(sizeof(requests) / sizeof(requests[0])));
    tcase_add_test(tc, endless_head_is_refused);
    tcase_add_test(tc, every_truncation_waits);
    tcase_add_test(tc, provider_without_sha1_cannot_answer);
    tcase_add_test(tc, request_names_the_host);
    tcase_add_test(tc, address_cannot_add_header_lines);
    tcase_add_loop_test(tc, answer_is_checked, 0,
        (int)(sizeof(answers) / sizeof(answers[0])));
    tcase_add_test(tc, memory_failures_leave_nothing_behind);
}

int main(void)
{
    return tst_run_case("librpc/upgrade", fill, setup, teardown);
}
