/* BSD-3-Clause; see LICENSE. */
/*
 * Peers that break rules, for tests of daemons: hostile ATTACK HOST PORT. Ends
 * with 0 when the daemon ended the connection, and prints what it said.
 */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <v23/cmdline.h>
#include <vrpc/message.h>
#include <vsec/principal.h>

#include "../../librpc/src/conn_int.h"

#define PATIENCE_MS 15000

static int fd;
static struct vrpc_conn *conn;
static bool ready;
static struct v23_buf tape; /* what was sent */

static struct v23_now now(void)
{
    struct timespec mono, wall;
    struct v23_now n;

    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    n.mono_ns = (int64_t)mono.tv_sec * V23_NS_PER_SEC + mono.tv_nsec;
    n.wall.sec = wall.tv_sec;
    n.wall.nanos = (int32_t)wall.tv_nsec;
    return n;
}

/* ---- the socket ---------------------------------------------------------- */

static bool dial(const char *host, const char *port)
{
    struct sockaddr_in sa;

    memset(&sa, 0, sizeof(sa));
    sa.sin_family = AF_INET;
    sa.sin_port = htons((uint16_t)atoi(port));
    fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && inet_pton(AF_INET, host, &sa.sin_addr) == 1 &&
           connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
}

static bool put(const void *p, size_t n)
{
    const uint8_t *b = p;
    ssize_t k;

    for (; n > 0; b += k, n -= (size_t)k) {
        k = send(fd, b, n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
    }
    return true;
}

/* Has the daemon ended the connection, within so many ms? What it says is read
 * by `conn`, if there is one. */
static bool gone(int ms)
{
    struct pollfd p = { fd, POLLIN, 0 };
    static uint8_t in[65536];
    struct v23_now t;
    ssize_t n;

    while (poll(&p, 1, ms) > 0) {
        n = recv(fd, in, sizeof(in), 0);
        if (n <= 0)
            return true;
        t = now();
        if (conn != NULL)
            (void)!vrpc_conn_input(conn, in, (size_t)n, &t);
    }
    return false;
}

/* ---- a connection with keys ---------------------------------------------- */

/* What to do when the acceptor has shown itself and we sign. */
static enum { SIGN, FORGE, WAIT } on_acceptor;

static int on_authorize(void *ud, struct vrpc_conn *c, struct v23_op op)
{
    (void)ud;
    (void)op;
    if (on_acceptor == FORGE)
        c->shake->binding.p[20] ^= 1;
    return on_acceptor == WAIT ? V23_EAGAIN : 0;
}

static void on_ready(void *ud, struct vrpc_conn *c)
{
    (void)ud;
    (void)c;
    ready = true;
}

static void on_closed(void *ud, struct vrpc_conn *c, int status,
    const char *text)
{
    (void)ud;
    (void)c;
    (void)status;
    printf("%s\n", text);
}

static const struct vrpc_conn_hooks hooks = { .authorize_peer = on_authorize,
    .ready = on_ready, .closed = on_closed };

static bool flush(void)
{
    struct v23_now t = now();
    struct v23_buf out;
    bool ok;

    v23_buf_init(&out, NULL, SIZE_MAX);
    ok = vrpc_conn_output(conn, &out, SIZE_MAX, &t) == 0 &&
         put(out.p, out.n);
    v23_buf_put(&tape, out.p, out.n);
    v23_buf_fini(&out);
    return ok;
}

static bool make_conn(void)
{
    static struct vsec_engine *e;
    static struct vsec_principal *p;
    struct vrpc_conn_config cfg;
    struct vrpc_endpoint ep;
    struct v23_now t = now();

    if (vsec_engine_new(&e, &vsec_crypto_default, NULL, NULL) != 0 ||
        vsec_principal_generate(e, "ed25519", &p) != 0)
        return false;
    memset(&cfg, 0, sizeof(cfg));
    memset(&ep, 0, sizeof(ep));
    ep.protocol = vdl_str("tcp");
    ep.address = vdl_str("127.0.0.1:1");
    cfg.principal = p;
    cfg.role = VRPC_DIALER;
    cfg.remote = &ep;
    cfg.hooks = &hooks;
    return vrpc_conn_new(&cfg, &t, &conn) == 0;
}

/* The whole handshake. */
static bool shake_hands(void)
{
    int64_t until = now().mono_ns + PATIENCE_MS * V23_NS_PER_MS;

    if (!make_conn())
        return false;
    while (!ready && now().mono_ns < until) {
        if (!flush() || gone(20))
            return false;
    }
    return ready && flush();
}

static bool say(const void *p, size_t n)
{
    return vrpc_express_(conn, p, n, false) == 0 && flush();
}

/* ---- attacks ------------------------------------------------------------- */

static bool garbage(void)
{
    static uint8_t p[4096];

    memset(p, 0x5a, sizeof(p));
    return put(p, sizeof(p));
}

static bool setup(uint64_t version)
{
    struct vrpc_msg m;
    struct v23_buf b;
    uint8_t head[VRPC_FRAME_HEADER];
    bool ok;

    memset(&m, 0, sizeof(m));
    m.type = VRPC_MSG_SETUP;
    m.u.setup.min_version = m.u.setup.max_version = version;
    memset(m.u.setup.key, 9, sizeof(m.u.setup.key));
    m.u.setup.has_key = true;
    m.u.setup.mtu = VRPC_MTU;
    v23_buf_init(&b, NULL, SIZE_MAX);
    vrpc_msg_encode(&m, &b);
    ok = vrpc_frame_put(head, b.n) == 0 && put(head, sizeof(head)) &&
         put(b.p, b.n);
    v23_buf_fini(&b);
    return ok;
}

static bool version(void)
{
    return setup(10);
}

static bool oversized(void)
{
    uint8_t head[VRPC_FRAME_HEADER];

    return vrpc_frame_put(head, VRPC_FRAME_MAX) == 0 &&
           put(head, sizeof(head));
}

/* Sealed by nobody: the keys do not fit. */
static bool unsealed(void)
{
    uint8_t p[100] = { 0 };

    return setup(14) && vrpc_frame_put(p, sizeof(p) - VRPC_FRAME_HEADER) == 0 &&
           put(p, sizeof(p));
}

static bool early_flow(void)
{
    static const uint8_t open[] = { VRPC_MSG_OPEN_FLOW, 10, 1, 1, 0, 0, 'd' };

    on_acceptor = WAIT;
    if (!make_conn())
        return false;
    while (!conn->sealed)
        if (!flush() || gone(20))
            return false;
    return say(open, sizeof(open));
}

/* What was right for one connection is not for the next. */
static bool replay(const char *host, const char *port)
{
    if (!shake_hands())
        return false;
    vrpc_conn_free(conn);
    conn = NULL;
    close(fd);
    return dial(host, port) && put(tape.p, tape.n);
}

/* Signs for another connection than this one. */
static bool binding(void)
{
    on_acceptor = FORGE;
    return shake_hands();
}

static bool after(void)
{
    return shake_hands() && garbage();
}

static bool reuse(void)
{
    static const uint8_t open[] = { VRPC_MSG_OPEN_FLOW, 10, 1, 1, 0, 0, 'd' };

    return shake_hands() && say(open, sizeof(open)) &&
           say(open, sizeof(open));
}

static bool overdraft(void)
{
    static const uint8_t open[] = { VRPC_MSG_OPEN_FLOW, 10, 1, 1, 0, 0, 'd' };
    static uint8_t data[60000] = { VRPC_MSG_DATA, 10, 0 };
    int i;

    if (!shake_hands() || !say(open, sizeof(open)))
        return false;
    for (i = 0; i < 400 && say(data, sizeof(data)); i++)
        ;
    return true;
}

static bool twice(void)
{
    static const uint8_t auth[] = { VRPC_MSG_AUTH, 99, 0, 0, 0, 0, 0 };

    return shake_hands() && say(auth, sizeof(auth));
}

static bool silent(void)
{
    return true;
}

/* Connected, and deaf: acknowledges nothing. */
static bool mute(void)
{
    if (!shake_hands())
        return false;
    printf("connected\n");
    fflush(stdout);
    return true;
}

/* A request for a page, octet by octet. */
static bool dribble(void)
{
    static const char page[] = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
    size_t i;

    for (i = 0; i < sizeof(page) - 1; i++)
        if (!put(page + i, 1) || gone(100))
            return true;
    return true;
}

static const struct {
    const char *name;
    bool (*run)(void);
} attacks[] = { { "garbage", garbage }, { "version", version },
    { "oversized", oversized }, { "unsealed", unsealed },
    { "early-flow", early_flow }, { "binding", binding }, { "after", after },
    { "reuse", reuse }, { "overdraft", overdraft }, { "twice", twice },
    { "dribble", dribble }, { "silent", silent }, { "mute", mute } };

int main(int argc, char **argv)
{
    bool ok = false;
    size_t i;

    v23_buf_init(&tape, NULL, SIZE_MAX);
    if (argc != 4 || !dial(argv[2], argv[3])) {
        fprintf(stderr, "usage: hostile ATTACK ADDRESS PORT\n");
        return 2;
    }
    for (i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
        if (strcmp(argv[1], attacks[i].name) == 0)
            ok = attacks[i].run();
    if (strcmp(argv[1], "replay") == 0)
        ok = replay(argv[2], argv[3]);
    if (!ok)
        fprintf(stderr, "hostile %s: cannot be done\n", argv[1]);
    else if (!gone(PATIENCE_MS))
        fprintf(stderr, "hostile %s: the connection stays\n", argv[1]);
    else
        return 0;
    return 1;
}
