/* BSD-3-Clause; see LICENSE. */
/* A websocket over in-memory buffers: two ends, and one end against frames
 * written by hand. */
#include <stdio.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>

#include <vrpc/websocket.h>
#include <vsec/crypto.h>

#define REQUEST \
    "GET / HTTP/1.1\r\nHost: h:1\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static struct tst_alloc T;
static struct vsec_engine *E;

/* One end with what came out of it. */
struct end {
    struct vrpc_ws *ws;
    struct v23_buf scratch, got, out; /* got: messages, each after its size */
    size_t limit;
    int opened, messages, pongs, status;
    const char *why;
};

static int on_open(void *ud)
{
    ((struct end *)ud)->opened++;
    return 0;
}

static int on_message(void *ud, uint8_t *p, size_t n)
{
    struct end *e = ud;
    uint32_t size = (uint32_t)n;

    e->messages++;
    v23_buf_put(&e->got, &size, sizeof(size));
    v23_buf_put(&e->got, p, n);
    memset(p, 0xee, n); /* it may be clobbered */
    return 0;
}

static size_t on_limit(void *ud)
{
    return ((struct end *)ud)->limit;
}

static void on_pong(void *ud)
{
    ((struct end *)ud)->pongs++;
}

static const struct vrpc_ws_hooks hooks = { on_open, on_message, on_limit,
    on_pong };

static int end_init(struct end *e, const struct v23_alloc *al,
    const char *address)
{
    struct vdl_str a = vdl_str(address);
    struct vrpc_ws_config cfg = { .engine = E, .al = al, .hooks = &hooks,
        .ud = e, .address = address == NULL ? NULL : &a };

    memset(e, 0, sizeof(*e));
    e->limit = 1u << 20;
    v23_buf_init(&e->scratch, al, SIZE_MAX);
    v23_buf_init(&e->got, NULL, SIZE_MAX);
    v23_buf_init(&e->out, NULL, SIZE_MAX);
    return vrpc_ws_new(&cfg, &e->ws);
}

/* A server of texts whose handshake is over. */
static void text_end_init(struct end *e)
{
    struct vrpc_ws_config cfg = { .engine = E, .al = &T.al, .hooks = &hooks,
        .ud = e, .text = true, .upgraded = true };

    memset(e, 0, sizeof(*e));
    e->limit = 1u << 20;
    v23_buf_init(&e->scratch, &T.al, SIZE_MAX);
    v23_buf_init(&e->got, NULL, SIZE_MAX);
    v23_buf_init(&e->out, NULL, SIZE_MAX);
    ck_assert_int_eq(vrpc_ws_new(&cfg, &e->ws), 0);
}

static void end_fini(struct end *e)
{
    vrpc_ws_free(e->ws);
    v23_buf_fini(&e->scratch);
    v23_buf_fini(&e->got);
    v23_buf_fini(&e->out);
}

/* Bytes arrive in pieces of `each`. The first failure stays. */
static void feed(struct end *e, const void *p, size_t n, size_t each)
{
    const uint8_t *b = p;
    size_t k;

    for (; n > 0 && e->status == 0; b += k, n -= k) {
        k = n < each ? n : each;
        e->status = vrpc_ws_input(e->ws, b, k, &e->scratch, &e->why);
    }
    if (vrpc_ws_wants_output(e->ws))
        ck_assert_int_eq(vrpc_ws_output(e->ws, &e->out), 0);
}

/* What `from` has to say goes to `to`. */
static void pump(struct end *from, struct end *to, size_t each)
{
    if (vrpc_ws_wants_output(from->ws))
        ck_assert_int_eq(vrpc_ws_output(from->ws, &from->out), 0);
    feed(to, from->out.p, from->out.n, each);
    v23_buf_cut(&from->out, 0);
}

static struct end C, S;

static void setup(void)
{
    tst_alloc_init(&T);
    ck_assert_int_eq(vsec_engine_new(&E, &vsec_crypto_default, &T.al, NULL),
        0);
    ck_assert_int_eq(end_init(&C, &T.al, "h:1"), 0);
    ck_assert_int_eq(end_init(&S, &T.al, NULL), 0);
}

static void teardown(void)
{
    end_fini(&C);
    end_fini(&S);
    vsec_engine_unref(E);
    ck_assert_uint_eq(T.live, 0);
}

static void connect_ends(void)
{
    pump(&C, &S, SIZE_MAX);
    pump(&S, &C, SIZE_MAX);
    ck_assert_int_eq(C.opened, 1);
    ck_assert_int_eq(S.opened, 1);
}

static void send_message(struct end *e, const void *p, size_t n)
{
    ck_assert_int_eq(vrpc_ws_send(e->ws, p, n, &e->out), 0);
}

/* The k-th message that came. */
static struct v23_bytes got(const struct end *e, int k)
{
    const uint8_t *p = e->got.p;
    uint32_t n;

    for (;; p += sizeof(n) + n) {
        ck_assert(p < e->got.p + e->got.n);
        memcpy(&n, p, sizeof(n));
        if (k-- == 0)
            return v23_bytes(p + sizeof(n), n);
    }
}

/* A frame by hand: first octet, payload, masked or not. */
static void put_frame(struct v23_buf *b, unsigned first, const void *p,
    size_t n, bool masked)
{
    static const uint8_t mask[4] = { 0x12, 0x34, 0x56, 0x78 };
    unsigned bit = masked ? 0x80 : 0;
    size_t i;

    v23_buf_put_byte(b, (uint8_t)first);
    if (n < 126) {
        v23_buf_put_byte(b, (uint8_t)(bit | n));
    } else {
        v23_buf_put_byte(b, (uint8_t)(bit | 126));
        v23_buf_put_byte(b, (uint8_t)(n >> 8));
        v23_buf_put_byte(b, (uint8_t)n);
    }
    if (masked)
        v23_buf_put(b, mask, 4);
    for (i = 0; i < n; i++)
        v23_buf_put_byte(b,
            (uint8_t)(((const uint8_t *)p)[i] ^ (masked ? mask[i % 4] : 0)));
}

/* ---- two ends ------------------------------------------------------------ */

START_TEST(messages_pass_at_every_split)
{
    char text[600];
    size_t each, i;

    for (i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 7);
    for (each = 1; each < 700; each += 1 + each / 40) {
        end_fini(&C);
        end_fini(&S);
        ck_assert_int_eq(end_init(&C, &T.al, "h:1"), 0);
        ck_assert_int_eq(end_init(&S, &T.al, NULL), 0);
        pump(&C, &S, each);
        send_message(&S, "greeting", 8); /* right behind the answer */
        pump(&S, &C, each);
        send_message(&C, text, sizeof(text));
        send_message(&C, "x", 1);
        send_message(&C, NULL, 0);
        pump(&C, &S, each);

        ck_assert_int_eq(C.status, 0);
        ck_assert_int_eq(S.status, 0);
        ck_assert_int_eq(C.messages, 1);
        ck_assert_int_eq(S.messages, 3);
        ck_assert_int_eq(memcmp(got(&C, 0).p, "greeting", 8), 0);
        ck_assert_uint_eq(got(&S, 0).n, sizeof(text));
        ck_assert_int_eq(memcmp(got(&S, 0).p, text, sizeof(text)), 0);
        ck_assert_int_eq(got(&S, 1).p[0], 'x');
        ck_assert_uint_eq(got(&S, 2).n, 0);
    }
}
END_TEST

START_TEST(every_length_form_passes)
{
    static const size_t sizes[] = { 0, 1, 125, 126, 127, 65535, 65536,
        200000 };
    uint8_t *big = calloc(1, 200000);
    size_t i, k;

    for (k = 0; k < 200000; k++)
        big[k] = (uint8_t)(k >> 3);
    connect_ends();
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        send_message(&C, big, sizes[i]);
        pump(&C, &S, 65536);
        send_message(&S, big, sizes[i]);
        pump(&S, &C, 10000);
        ck_assert_uint_eq(got(&S, (int)i).n, sizes[i]);
        ck_assert_uint_eq(got(&C, (int)i).n, sizes[i]);
        ck_assert(sizes[i] == 0 ||
            memcmp(got(&S, (int)i).p, big, sizes[i]) == 0);
        ck_assert(sizes[i] == 0 ||
            memcmp(got(&C, (int)i).p, big, sizes[i]) == 0);
    }
    free(big);
}
END_TEST

START_TEST(client_masks_and_server_does_not)
{
    uint8_t zero[64] = { 0 }, one[4], two[4];

    connect_ends();
    send_message(&S, zero, sizeof(zero));
    ck_assert_uint_eq(S.out.n, 2 + sizeof(zero));
    ck_assert_uint_eq(S.out.p[0], 0x82); /* final, binary */
    ck_assert_uint_eq(S.out.p[1], sizeof(zero));
    send_message(&C, zero, sizeof(zero));
    ck_assert_uint_eq(C.out.n, 6 + sizeof(zero));
    ck_assert_uint_eq(C.out.p[1], 0x80 | sizeof(zero));
    memcpy(one, C.out.p + 2, 4);
    ck_assert_int_eq(memcmp(one, C.out.p + 6, 4), 0);
    v23_buf_cut(&C.out, 0);
    send_message(&C, zero, sizeof(zero));
    memcpy(two, C.out.p + 2, 4);
    ck_assert_int_ne(memcmp(one, two, 4), 0); /* each frame has its own */
}
END_TEST

START_TEST(close_is_going_away)
{
    connect_ends();
    vrpc_ws_close(S.ws, 1001, "EOF");
    vrpc_ws_close(S.ws, 1001, "EOF");
    ck_assert_int_eq(vrpc_ws_output(S.ws, &S.out), 0);
    ck_assert_str_eq(unhex(S.out.p, S.out.n), "880503e9454f46");
    pump(&S, &C, 3);

    ck_assert_int_eq(C.status, V23_ECLOSED);
    ck_assert_uint_eq(C.out.n, 2 + 4 + 2); /* the code is sent back */
    ck_assert(!vrpc_ws_wants_output(S.ws));
}
END_TEST

START_TEST(close_before_the_handshake_is_silent)
{
    vrpc_ws_close(S.ws, 1001, "EOF");
    ck_assert(!vrpc_ws_wants_output(S.ws));
}
END_TEST

/* ---- frames by hand ------------------------------------------------------ */

START_TEST(fragments_make_one_message_with_pings_between)
{
    struct v23_buf b;
    size_t each;

    for (each = 1; each < 40; each++) {
        end_fini(&S);
        ck_assert_int_eq(end_init(&S, &T.al, NULL), 0);
        feed(&S, REQUEST, sizeof(REQUEST) - 1, SIZE_MAX);
        v23_buf_cut(&S.out, 0);
        v23_buf_init(&b, NULL, SIZE_MAX);
        put_frame(&b, 0x02, "ab", 2, true);
        put_frame(&b, 0x89, "ping", 4, true);
        put_frame(&b, 0x00, "", 0, true);
        put_frame(&b, 0x8a, "unasked", 7, true);
        put_frame(&b, 0x00, "cde", 3, true);
        put_frame(&b, 0x80, "f", 1, true);
        put_frame(&b, 0x82, "g", 1, true);
        feed(&S, b.p, b.n, each);
        v23_buf_fini(&b);

        ck_assert_int_eq(S.status, 0);
        ck_assert_int_eq(S.messages, 2);
        ck_assert_uint_eq(got(&S, 0).n, 6);
        ck_assert_int_eq(memcmp(got(&S, 0).p, "abcdef", 6), 0);
        ck_assert_uint_eq(got(&S, 1).n, 1);
        ck_assert_str_eq(unhex(S.out.p, S.out.n), "8a0470696e67");
    }
}
END_TEST

static const struct {
    unsigned first;
    const char *payload;
    size_t n;
    bool masked;
    int status;
    const char *code; /* of the close that goes out */
} violations[] = {
    { 0x82, "x", 1, false, V23_EPROTO, "03ea" },    /* not masked */
    { 0x81, "x", 1, true, V23_EPROTO, "03eb" },     /* text */
    { 0xc2, "x", 1, true, V23_EPROTO, "03ea" },     /* reserved bit */
    { 0x83, "x", 1, true, V23_EPROTO, "03ea" },     /* unknown */
    { 0x8b, "x", 1, true, V23_EPROTO, "03ea" },     /* unknown control */
    { 0x80, "x", 1, true, V23_EPROTO, "03ea" },     /* nothing to continue */
    { 0x09, "x", 1, true, V23_EPROTO, "03ea" },     /* fragmented ping */
    { 0x88, "x", 1, true, V23_EPROTO, "03ea" },     /* half a code */
    { 0x88, "\x03\xe8", 2, true, V23_ECLOSED, "03e8" },
    { 0x88, "\x03\xe8 bye", 6, true, V23_ECLOSED, "03e8" },
};

START_TEST(violation_ends_with_a_close)
{
    struct v23_buf b;

    feed(&S, REQUEST, sizeof(REQUEST) - 1, SIZE_MAX);
    v23_buf_cut(&S.out, 0);
    v23_buf_init(&b, NULL, SIZE_MAX);
    put_frame(&b, violations[_i].first, violations[_i].payload,
        violations[_i].n, violations[_i].masked);
    feed(&S, b.p, b.n, 1);
    v23_buf_fini(&b);

    ck_assert_int_eq(S.status, violations[_i].status);
    ck_assert_int_eq(S.messages, 0);
    ck_assert_uint_ge(S.out.n, 4);
    ck_assert_uint_eq(S.out.p[0], 0x88);
    ck_assert_str_eq(unhex(S.out.p + 2, 2), violations[_i].code);
    ck_assert_ptr_nonnull(S.why);
}
END_TEST

START_TEST(text_is_sent_as_text_and_comes_either_way)
{
    struct v23_buf b;

    end_fini(&S);
    text_end_init(&S);
    v23_buf_init(&b, NULL, SIZE_MAX);
    put_frame(&b, 0x81, "gr\xc3\xbc\xc3\x9f dich, Welt", 18, true);
    put_frame(&b, 0x82, "b", 1, true);
    put_frame(&b, 0x01, "\xe2\x82", 2, true); /* a character in two parts */
    put_frame(&b, 0x80, "\xac", 1, true);
    feed(&S, b.p, b.n, 4);
    send_message(&S, "ab", 2);
    v23_buf_fini(&b);

    ck_assert_int_eq(S.status, 0);
    ck_assert_int_eq(S.opened, 0);
    ck_assert_int_eq(S.messages, 3);
    ck_assert_uint_eq(got(&S, 0).n, 18);
    ck_assert_int_eq(memcmp(got(&S, 2).p, "\xe2\x82\xac", 3), 0);
    ck_assert_str_eq(unhex(S.out.p, S.out.n), "81026162");
}
END_TEST

START_TEST(text_that_is_not_utf8_ends_it)
{
    static const char *const bad[] = { "\xff", "12345678\xc3", "\xc0\x80",
        "\xed\xa0\x80" };
    struct v23_buf b;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        end_fini(&S);
        text_end_init(&S);
        v23_buf_init(&b, NULL, SIZE_MAX);
        put_frame(&b, 0x81, bad[i], strlen(bad[i]), true);
        feed(&S, b.p, b.n, SIZE_MAX);
        v23_buf_fini(&b);

        ck_assert_int_eq(S.status, V23_ETEXT);
        ck_assert_int_eq(S.messages, 0);
        ck_assert_str_eq(unhex(S.out.p + 2, 2), "03ef");
    }
}
END_TEST

START_TEST(ping_is_answered_and_the_answer_heard)
{
    connect_ends();
    vrpc_ws_ping(S.ws);
    pump(&S, &C, 1);
    pump(&C, &S, 1);
    ck_assert_int_eq(S.pongs, 1);
    vrpc_ws_close(S.ws, 1000, "");
    vrpc_ws_ping(S.ws); /* nothing follows a close */
    ck_assert_int_eq(vrpc_ws_output(S.ws, &S.out), 0);
    ck_assert_str_eq(unhex(S.out.p, S.out.n), "880203e8");
}
END_TEST

START_TEST(malformed_lengths_end_it)
{
    static const char *const bad[] = { "82fe007d12345678", /* could be short */
        "82ff000000000000ffff12345678", "82ffffffffffffffffff12345678",
        "89fe007e12345678" };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        end_fini(&S);
        ck_assert_int_eq(end_init(&S, &T.al, NULL), 0);
        feed(&S, REQUEST, sizeof(REQUEST) - 1, SIZE_MAX);
        feed(&S, hex(bad[i]).p, hex(bad[i]).n, 3);
        ck_assert_int_eq(S.status, V23_EPROTO);
    }
}
END_TEST

START_TEST(message_beyond_the_limit_is_not_stored)
{
    static const uint8_t zero[80];
    struct v23_buf b;

    feed(&S, REQUEST, sizeof(REQUEST) - 1, SIZE_MAX);
    S.limit = 100;
    v23_buf_init(&b, NULL, SIZE_MAX);
    put_frame(&b, 0x02, zero, 80, true);
    put_frame(&b, 0x80, zero, 20, true);
    feed(&S, b.p, b.n, 7);
    ck_assert_int_eq(S.status, 0);
    ck_assert_uint_eq(got(&S, 0).n, 100);
    v23_buf_cut(&b, 0);
    v23_buf_cut(&S.out, 0);
    put_frame(&b, 0x02, zero, 80, true);
    put_frame(&b, 0x80, zero, 21, true);
    feed(&S, b.p, b.n, 7);
    ck_assert_int_eq(S.status, V23_EFRAME);
    ck_assert_int_eq(S.messages, 1);
    ck_assert_str_eq(unhex(S.out.p + 2, 2), "03f1");
    v23_buf_fini(&b);
}
END_TEST

/* The announced length alone allocates nothing. */
START_TEST(large_announcement_costs_nothing)
{
    size_t before;

    feed(&S, REQUEST, sizeof(REQUEST) - 1, SIZE_MAX);
    S.limit = 1u << 30;
    before = T.bytes;
    feed(&S, hex("82ff0000000010000000 12345678 00").p, 15, SIZE_MAX);
    ck_assert_int_eq(S.status, 0);
    ck_assert_uint_lt(T.bytes - before, 1000);
}
END_TEST

START_TEST(flood_of_pings_is_not_stored)
{
    struct v23_buf b;
    uint8_t payload[125] = { 0 };
    size_t before = T.peak;
    int i;

    feed(&S, REQUEST, sizeof(REQUEST) - 1, SIZE_MAX);
    v23_buf_init(&b, NULL, SIZE_MAX);
    for (i = 0; i < 1000; i++)
        put_frame(&b, 0x89, payload, sizeof(payload), true);
    ck_assert_int_eq(vrpc_ws_input(S.ws, b.p, b.n, &S.scratch, &S.why), 0);
    ck_assert_uint_lt(T.peak - before, 8192);
    v23_buf_fini(&b);
}
END_TEST

START_TEST(refused_request_leaves_an_answer)
{
    feed(&S, "GET / HTTP/1.1\r\n\r\n", 18, 5);
    ck_assert_int_eq(S.status, V23_EPROTO);
    ck_assert_int_eq(S.opened, 0);
    ck_assert_int_eq(strncmp((char *)S.out.p, "HTTP/1.1 400", 12), 0);
}
END_TEST

START_TEST(refused_client_says_why)
{
    feed(&C, "HTTP/1.1 403 Forbidden\r\n\r\n", 26, 5);
    ck_assert_int_eq(C.status, V23_EPROTO);
    ck_assert_str_eq(C.why, "websocket upgrade refused");
}
END_TEST

START_TEST(random_bytes_never_break_it)
{
    uint64_t seed = 88172645463325252u;
    uint8_t noise[64];
    size_t i;
    int k;

    for (k = 0; k < 3000; k++) {
        end_fini(&S);
        ck_assert_int_eq(end_init(&S, &T.al, NULL), 0);
        feed(&S, REQUEST, sizeof(REQUEST) - 1, SIZE_MAX);
        for (i = 0; i < sizeof(noise); i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            noise[i] = (uint8_t)seed;
        }
        noise[0] &= 0x8f;
        noise[1] |= 0x80;
        feed(&S, noise, sizeof(noise), 1 + seed % 9);
    }
}
END_TEST

static int conversation(const struct v23_alloc *al, void *ud)
{
    struct end s;
    struct v23_buf b;
    int rc;

    (void)ud;
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_puts(&b, REQUEST);
    put_frame(&b, 0x02, "ab", 2, true);
    put_frame(&b, 0x89, "p", 1, true);
    put_frame(&b, 0x80, "c", 1, true);
    rc = end_init(&s, al, NULL);
    if (rc == 0) {
        feed(&s, b.p, b.n, 3);
        rc = s.status;
    }
    if (rc == 0)
        rc = vrpc_ws_send(s.ws, b.p, b.n, &s.scratch);
    end_fini(&s);
    v23_buf_fini(&b);
    return rc;
}

START_TEST(memory_failures_leave_nothing_behind)
{
    tst_out_of_memory(conversation, NULL);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, messages_pass_at_every_split);
    tcase_add_test(tc, every_length_form_passes);
    tcase_add_test(tc, client_masks_and_server_does_not);
    tcase_add_test(tc, close_is_going_away);
    tcase_add_test(tc, close_before_the_handshake_is_silent);
    tcase_add_test(tc, fragments_make_one_message_with_pings_between);
    tcase_add_loop_test(tc, violation_ends_with_a_close, 0,
        (int)(sizeof(violations) / sizeof(violations[0])));
    tcase_add_test(tc, text_is_sent_as_text_and_comes_either_way);
    tcase_add_test(tc, text_that_is_not_utf8_ends_it);
    tcase_add_test(tc, ping_is_answered_and_the_answer_heard);
    tcase_add_test(tc, malformed_lengths_end_it);
    tcase_add_test(tc, message_beyond_the_limit_is_not_stored);
    tcase_add_test(tc, large_announcement_costs_nothing);
    tcase_add_test(tc, flood_of_pings_is_not_stored);
    tcase_add_test(tc, refused_request_leaves_an_answer);
    tcase_add_test(tc, refused_client_says_why);
    tcase_add_test(tc, random_bytes_never_break_it);
    tcase_add_test(tc, memory_failures_leave_nothing_behind);
}

int main(void)
{
    return tst_run_case("librpc/ws", fill, setup, teardown);
}
