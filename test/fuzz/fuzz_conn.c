/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of a connection, in either role, from the end of the handshake
 * on. Everything opens under the cheap box, so what the input says is what a
 * peer with the right keys says. The first byte chooses role and transport;
 * then come steps: messages of the peer in pieces of any size, octets that are
 * no frame, what the application does, time.
 *
 * What must hold: no hook after `closed`, which comes once; no shared token is
 * lost or made; memory stays within what limits and windows allow, and all is
 * given back.
 */
#include "cheap.h"

#include <support.h>
#include <vrpc/conn.h>
#include <vrpc/message.h>
#include <vsec/principal.h>

#include "conn_int.h"

#define FLOWS 8
#define WINDOW 4096u
#define MTU 1024u
/* Limits of flow 1, windows of all flows, queues of the application. */
#define MEMORY_MAX ((size_t)8 << 20)

struct side {
    struct vrpc_conn *conn;
    struct vrpc_flow *flows[FLOWS];
    bool ready, closed, hold;
    uint8_t seed;
};

static struct vsec_principal *who[2];
static struct vsec_blessings *named[2];
static struct v23_now now;
static struct side sides[2]; /* the peer, the one tested */

/* ---- hooks --------------------------------------------------------------- */

static void live(const struct side *s)
{
    check(!s->closed);
}

static int on_authorize(void *ud, struct vrpc_conn *c, struct v23_op op)
{
    (void)c;
    (void)op;
    live(ud);
    return 0;
}

static void on_ready(void *ud, struct vrpc_conn *c)
{
    struct side *s = ud;

    (void)c;
    live(s);
    check(!s->ready);
    s->ready = true;
}

/* Keep it where there is room. */
static void on_opened(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct side *s = ud;
    size_t i;

    (void)c;
    live(s);
    for (i = 0; i < FLOWS && s->flows[i] != NULL; i++)
        ;
    if (i == FLOWS) {
        vrpc_flow_cancel(f);
        return;
    }
    s->flows[i] = f;
    if ((vrpc_flow_id(f) & 16) != 0)
        vrpc_flow_set_messages(f);
}

static void consume(struct vrpc_flow *f, size_t most)
{
    struct v23_bytes b;
    volatile uint8_t sum = 0;
    size_t i;

    while (vrpc_flow_peek(f, &b) == 0) {
        for (i = 0; i < b.n; i++)
            sum = (uint8_t)(sum + b.p[i]);
        if (b.n > most && most > 0) {
            vrpc_flow_consume(f, most);
            return; /* a message is taken whole, or not */
        }
        vrpc_flow_consume(f, b.n);
    }
}

static void on_readable(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    struct side *s = ud;

    (void)c;
    live(s);
    if (!s->hold)
        consume(f, 0);
}

static void on_flow(void *ud, struct vrpc_conn *c, struct vrpc_flow *f)
{
    (void)c;
    (void)f;
    live(ud);
}

static void on_flow_closed(void *ud, struct vrpc_conn *c, struct vrpc_flow *f,
    int status)
{
    (void)status;
    on_flow(ud, c, f);
}

static void on_event(void *ud, struct vrpc_conn *c)
{
    (void)c;
    live(ud);
}

static void on_closed(void *ud, struct vrpc_conn *c, int status,
    const char *text)
{
    struct side *s = ud;

    (void)c;
    live(s);
    check(text != NULL && status != 0 && strlen(text) < 1024);
    s->closed = true;
}

static void on_wake(void *ud, struct vrpc_conn *c)
{
    (void)ud;
    (void)c;
}

static const struct vrpc_conn_hooks hooks = { on_authorize, on_ready,
    on_opened, on_readable, on_flow, on_flow_closed, on_event, on_event,
    on_event, on_closed, on_wake };

/* ---- set-up -------------------------------------------------------------- */

static int fixed_random(void *ud, void *p, size_t n)
{
    memset(p, ((struct side *)ud)->seed, n);
    return 0;
}

static void start(void)
{
    static const char *const names[2] = { "peer", "self" };
    uint8_t i;

    for (i = 0; i < 2; i++)
        who[i] = cheap_person(i, names[i], &named[i]);
}

static void connect_both(uint8_t how, const struct v23_alloc *al)
{
    struct vrpc_conn_config cfg;
    struct vrpc_endpoint eps[2];
    struct side *s;
    uint8_t i;

    memset(sides, 0, sizeof(sides));
    memset(eps, 0, sizeof(eps));
    for (i = 0; i < 2; i++) {
        s = &sides[i];
        s->seed = (uint8_t)(i + 1);
        eps[i].protocol = vdl_str("tcp");
        eps[i].address = vdl_str("127.0.0.1:1");
        memset(&cfg, 0, sizeof(cfg));
        cfg.role = (how & 1) == i ? VRPC_ACCEPTOR : VRPC_DIALER;
        cfg.has_handler = cfg.role == VRPC_ACCEPTOR || (how & 8) != 0;
        if (cfg.has_handler) {
            eps[i].rid = vrpc_routing_id_fixed(i + 1u);
            cfg.blessings = named[i];
        }
        cfg.al = al;
        cfg.principal = who[i];
        cfg.random = fixed_random;
        cfg.random_ud = s;
        cfg.local = &eps[i];
        cfg.mtu = MTU;
        cfg.bytes_buffered = cfg.shared_tokens = WINDOW;
        cfg.limits.flows = 2 * FLOWS;
        cfg.limits.blessings_keys = 32;
        cfg.limits.blessings_bytes = 65536;
        cfg.limits.flow_queue = 2 * WINDOW;
        cfg.message_transport = (how & 2) != 0;
        cfg.encapsulated = (how & 4) != 0;
        cfg.hooks = &hooks;
        cfg.ud = s;
        if (cfg.role == VRPC_DIALER) {
            memset(&eps[1 - i], 0, sizeof(eps[0]));
            eps[1 - i].protocol = vdl_str("tcp");
            eps[1 - i].address = vdl_str("127.0.0.1:2");
            eps[1 - i].rid = vrpc_routing_id_fixed(2u - i);
            cfg.remote = &eps[1 - i];
        }
        check(vrpc_conn_new(&cfg, &now, &s->conn) == 0);
    }
}

/* What `from` has to send; to the other, or nowhere. */
static bool move(struct side *from, struct side *to)
{
    struct v23_buf out;
    bool some;

    if (from->conn == NULL || !vrpc_conn_wants_output(from->conn))
        return false;
    v23_buf_init(&out, NULL, SIZE_MAX);
    check(vrpc_conn_output(from->conn, &out, SIZE_MAX, &now) == 0);
    some = out.n > 0;
    if (some && to != NULL)
        (void)!vrpc_conn_input(to->conn, out.p, out.n, &now);
    v23_buf_fini(&out);
    return some;
}

static void shake_hands(void)
{
    bool moved = true;
    int i;

    while (moved) {
        moved = false;
        for (i = 0; i < 2; i++) {
            vrpc_conn_tick(sides[i].conn, &now);
            moved |= move(&sides[i], &sides[1 - i]);
        }
    }
    check(sides[0].ready && sides[1].ready);
    vrpc_conn_free(sides[0].conn);
    sides[0].conn = NULL;
}

/* ---- steps --------------------------------------------------------------- */

struct input {
    const uint8_t *p;
    size_t n;
};

static uint8_t take(struct input *in)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++;
}

static void feed(struct side *s, uint8_t *p, size_t n, size_t each)
{
    size_t k;

    if (s->conn->message_transport)
        each = n; /* one message a call */
    do {
        k = each == 0 || each > n ? n : each;
        (void)!vrpc_conn_input(s->conn, p, k, &now);
        p += k;
        n -= k;
    } while (n > 0);
}

/* A sealed message of the peer; the next frame of a clear payload is not. */
static void message(struct side *s, struct input *in, size_t len, size_t each)
{
    uint8_t frame[VRPC_FRAME_HEADER + VSEC_BOX_TAG + 2 * 256 + 2], *q = frame;

    if (len > in->n)
        len = in->n;
    if (!s->conn->message_transport) {
        check(vrpc_frame_put(q, len +
                  (s->conn->raw.wanted ? 0 : VSEC_BOX_TAG)) == 0);
        q += VRPC_FRAME_HEADER;
    }
    if (!s->conn->raw.wanted) {
        memset(q, 0, VSEC_BOX_TAG);
        q += VSEC_BOX_TAG;
    }
    if (len > 0)
        memcpy(q, in->p, len);
    in->p += len;
    in->n -= len;
    feed(s, frame, (size_t)(q - frame) + len, each);
}

static void octets(struct side *s, struct input *in, size_t len)
{
    uint8_t copy[256];

    if (len > in->n)
        len = in->n;
    if (len > 0)
        memcpy(copy, in->p, len);
    in->p += len;
    in->n -= len;
    feed(s, copy, len, 0);
}

static void flow_step(struct side *s, struct vrpc_flow **f, uint8_t what)
{
    static const uint8_t zeros[3000];
    struct vrpc_flow_opts o;
    int rc;

    if (*f == NULL) {
        memset(&o, 0, sizeof(o));
        o.blessings = (what & 1) != 0 ? named[1] : NULL;
        o.side_channel = (what & 2) != 0;
        o.messages = (what & 4) != 0;
        if (vrpc_flow_open(s->conn, &o, f) != 0)
            *f = NULL;
        return;
    }
    switch (what % 6) {
    case 0:
        vrpc_flow_close(*f);
        *f = NULL;
        break;
    case 1:
        vrpc_flow_cancel(*f);
        *f = NULL;
        break;
    case 2:
        consume(*f, 0);
        break;
    case 3:
        if (!(*f)->messages)
            consume(*f, 1u + what / 6u);
        break;
    default:
        if ((*f)->messages)
            rc = vrpc_flow_write_message(*f, zeros, what * 4u,
                (what & 1) != 0);
        else
            rc = vrpc_flow_write(*f, zeros, what * 11u);
        check(rc == 0 || rc == V23_EAGAIN || rc == V23_ECLOSED ||
              rc == V23_ELIMIT);
    }
}

static void act(struct side *s, uint8_t what)
{
    switch (what % 16) {
    case 8:
        vrpc_conn_enter_lame_duck(s->conn);
        break;
    case 9:
        (void)!vrpc_conn_refresh(s->conn, named[1], NULL, 0);
        break;
    case 10:
        s->hold = !s->hold;
        break;
    case 11:
        if (what == 0xfb)
            vrpc_conn_close(s->conn, V23_ECANCELED, "enough");
        break;
    default:
        flow_step(s, &s->flows[what % 8], what / 16);
    }
}

static void pass_time(struct side *s, uint8_t by)
{
    now.mono_ns += (int64_t)by * by * V23_NS_PER_MS * 20;
    vrpc_conn_tick(s->conn, &now);
}

static void step(struct side *s, struct input *in)
{
    uint8_t op = take(in), arg = take(in);

    switch (op % 8) {
    case 0:
    case 1:
    case 2:
        message(s, in, arg, op / 8u);
        break;
    case 3:
        message(s, in, 256u + arg, 16u * (op / 8u));
        break;
    case 4:
    case 5:
        act(s, arg);
        break;
    case 6:
        pass_time(s, arg);
        break;
    default:
        octets(s, in, arg);
    }
    if (op < 128) /* else the transport is stuck */
        (void)move(s, NULL);
    vrpc_conn_tick(s->conn, &now);
}

/* ---- what must hold ------------------------------------------------------ */

static void check_tokens(const struct vrpc_conn *c)
{
    uint64_t sum = c->pool_tokens;
    struct vrpc_link_ *l;
    uint32_t i;

    if (vrpc_is_closing_(c))
        return;
    for (l = c->flows.next; l != &c->flows; l = l->next)
        sum += VRPC_FLOW_OF_(l, all)->borrowed;
    for (i = 0; i < c->outstanding.cap; i++)
        if (c->outstanding.slots[i].id != 0)
            sum += c->outstanding.slots[i].val.n;
    check(sum == c->peer_pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct input in = { p, n };
    struct side *s = &sides[1];
    struct tst_alloc t;

    if (n == 0)
        return 0;
    if (who[0] == NULL)
        start();
    now.mono_ns = 1000 * V23_NS_PER_SEC;
    now.wall.sec = 1728388800;
    tst_alloc_init(&t);
    connect_both(take(&in), &t.al);
    shake_hands();
    while (in.n > 0 && !s->closed) {
        step(s, &in);
        check_tokens(s->conn);
        check(t.bytes < MEMORY_MAX);
        check(vrpc_conn_flows(s->conn) <= 2 * FLOWS);
    }
    if (!s->closed)
        vrpc_conn_input_end(s->conn, V23_ECLOSED, NULL, &now);
    check(s->closed);
    vrpc_conn_free(s->conn);
    check(t.live == 0);
    return 0;
}
