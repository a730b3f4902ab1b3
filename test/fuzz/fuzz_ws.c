/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of websockets. The first byte chooses the end, whether the input
 * begins with the opening handshake or behind it, and whether messages are
 * text; the second one how large the pieces are in which it arrives.
 */
#include <vrpc/websocket.h>
#include <vsec/crypto.h>

#include "fuzz.h"

#define LIMIT 5000u
#define REQUEST \
    "GET / HTTP/1.1\r\nHost: h:1\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* To a key of sixteen zero octets. */
#define ANSWER \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\n" \
    "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n"

struct run {
    struct vrpc_ws *ws;
    struct v23_buf scratch, out;
    bool open, ended;
    const char *why;
};

static int no_random(void *ud, uint8_t *p, size_t n)
{
    (void)ud;
    memset(p, 0, n);
    return 0;
}

static int on_open(void *ud)
{
    struct run *r = ud;

    check(!r->open);
    r->open = true;
    return 0;
}

static int on_message(void *ud, uint8_t *p, size_t n)
{
    struct run *r = ud;
    volatile uint8_t sum = 0;
    size_t i;

    check(r->open && !r->ended && n <= LIMIT);
    for (i = 0; i < n; i++)
        sum = (uint8_t)(sum + p[i]);
    return 0;
}

static size_t on_limit(void *ud)
{
    (void)ud;
    return LIMIT;
}

static const struct vrpc_ws_hooks hooks = { on_open, on_message, on_limit,
    NULL };

static void feed(struct run *r, const void *p, size_t n, size_t each)
{
    const uint8_t *b = p;
    size_t k;

    for (; n > 0 && !r->ended; b += k, n -= k) {
        k = n < each ? n : each;
        r->ended = vrpc_ws_input(r->ws, b, k, &r->scratch, &r->why) != 0;
        check(vrpc_ws_output(r->ws, &r->out) == 0);
        check(r->out.n < 4096);
        v23_buf_cut(&r->out, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const struct vsec_random zeros = { no_random, NULL };
    static const struct vdl_str address = VDL_STR_INIT("h:1");
    static struct vsec_engine *e;
    struct vrpc_ws_config cfg = { .hooks = &hooks };
    struct run r;
    bool server;

    if (n < 2)
        return 0;
    if (e == NULL)
        check(vsec_engine_new(&e, &vsec_crypto_default, NULL, &zeros) == 0);
    memset(&r, 0, sizeof(r));
    v23_buf_init(&r.scratch, NULL, SIZE_MAX);
    v23_buf_init(&r.out, NULL, SIZE_MAX);
    server = (p[0] & 1) != 0;
    cfg.engine = e;
    cfg.ud = &r;
    cfg.address = server ? NULL : &address;
    cfg.text = (p[0] & 4) != 0;
    check(vrpc_ws_new(&cfg, &r.ws) == 0);
    if ((p[0] & 2) != 0) {
        feed(&r, server ? REQUEST : ANSWER,
            server ? sizeof(REQUEST) - 1 : sizeof(ANSWER) - 1, SIZE_MAX);
        check(r.open);
    }
    feed(&r, p + 2, n - 2, 1u + p[1]);
    vrpc_ws_close(r.ws, 1001, "EOF");
    vrpc_ws_free(r.ws);
    v23_buf_fini(&r.scratch);
    v23_buf_fini(&r.out);
    return 0;
}
