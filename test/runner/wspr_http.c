/* BSD-3-Clause; see LICENSE. */
/*
 * http-*.jsonl, and the cases of edge-*.jsonl that are about websocket frames:
 * replayed against wsprd. Compared are status, texts, kinds of frames and codes
 * (test/vectors/README.md).
 */
#include "wspr_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define HANDSHAKE \
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" \
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
    "Origin: http://app.example:8080\r\n\r\n"

/* ---- the program --------------------------------------------------------- */

/* One for each protocol, until the runner ends. */
static struct program {
    const char *era, *protocol;
    pid_t pid;
    int port; /* 0: not started; -1: it does not start */
} programs[] = { { "2014", "-protocol=json", 0, 0 },
    { "2016", "-protocol=vom", 0, 0 } };

static void stop_programs(void)
{
    size_t i;

    for (i = 0; i < 2; i++)
        if (programs[i].pid > 0 && kill(programs[i].pid, SIGKILL) == 0)
            (void)waitpid(programs[i].pid, NULL, 0);
}

static void exec_program(const struct program *p, int out)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/wsprd", run_bin);
    if (dup2(out, 1) < 0 || freopen("/dev/null", "w", stderr) == NULL)
        _exit(126);
    unsetenv("V23_CREDENTIALS");
    unsetenv("V23_AGENT_PATH");
    execl(path, "wsprd", "-port=0", "-require-origin", p->protocol,
        (char *)NULL);
    _exit(127);
}

/* Its port, from "Listening on host: H port: N". */
static int read_port(int fd)
{
    char line[256];
    size_t n = 0;
    const char *at;
    ssize_t k;

    while (n < sizeof(line) - 1 && (n == 0 || line[n - 1] != '\n')) {
        k = read(fd, line + n, sizeof(line) - 1 - n);
        if (k <= 0)
            return -1;
        n += (size_t)k;
    }
    line[n] = 0;
    at = strstr(line, "port: ");
    return at == NULL ? -1 : atoi(at + 6);
}

static int port_of(const char *era)
{
    struct program *p = &programs[strcmp(era, "2014") == 0 ? 0 : 1];
    int fds[2];

    if (p->port != 0)
        return p->port;
    p->port = -1;
    if (pipe(fds) != 0)
        return -1;
    if (programs[0].pid == 0 && programs[1].pid == 0)
        atexit(stop_programs);
    fflush(stdout);
    p->pid = fork();
    if (p->pid == 0)
        exec_program(p, fds[1]);
    close(fds[1]);
    if (p->pid > 0)
        p->port = read_port(fds[0]);
    close(fds[0]);
    return p->port;
}

static bool left_out(struct run_case *c)
{
    if (run_bin == NULL)
        c->left = "programs are not run here";
    return run_bin == NULL;
}

/* ---- a connection -------------------------------------------------------- */

static int dial(struct run_case *c)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    int port = port_of(run_str(c, "era")), fd;

    if (port <= 0) {
        run_fail(c, "wsprd does not start");
        return -1;
    }
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        run_fail(c, "cannot connect: %s", strerror(errno));
    return fd;
}

static bool send_all(int fd, const void *p, size_t n)
{
    return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Some more bytes; false: there are none, because of the end or of time. */
static bool receive(int fd, struct v23_buf *in)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    uint8_t part[4096];
    ssize_t n;

    if (poll(&p, 1, PATIENCE_MS) <= 0)
        return false;
    n = recv(fd, part, sizeof(part), 0);
    if (n > 0)
        v23_buf_put(in, part, (size_t)n);
    return n > 0;
}

/* Octets of the head of an answer; 0: it is not whole. */
static size_t head_size(struct v23_buf *in)
{
    const char *text = v23_buf_cstr(in), *end = strstr(text, "\r\n\r\n");

    return end == NULL ? 0 : (size_t)(end - text) + 4;
}

/* ---- requests ------------------------------------------------------------ */

static int status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

/* A line of a head, "" if there is none. */
static void field(const char *answer, const char *name, char *out,
    size_t size)
{
    char key[64];
    const char *at;

    snprintf(key, sizeof(key), "\r\n%s: ", name);
    at = strstr(answer, key);
    out[0] = 0;
    if (at != NULL)
        snprintf(out, size, "%.*s", (int)strcspn(at + strlen(key), "\r"),
            at + strlen(key));
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    return end == NULL ? "" : end + 4;
}

/* Behind a text of the proxy may stand the words of a call that failed. */
static bool same_body(const char *want, const char *got)
{
    static const char *const ours[] = {
        "Error getting blessing for access token: ",
        "Failed to create controller: ", "Error parsing body: "};
    size_t i;

    for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (strncmp(want, ours[i], strlen(ours[i])) == 0)
            return strncmp(got, ours[i], strlen(ours[i])) == 0;
    return strcmp(want, got) == 0;
}

static bool same_answer(struct run_case *c, const char *want,
    const char *got)
{
    char a[256], b[256];

    if (*want == 0) /* the server recorded broke down: a malformed body */
        return status_of(got) == 400 ? true
            : run_fail(c, "got \"%.100s\" instead of 400", got);
    if (status_of(want) != status_of(got))
        return run_fail(c, "status %d instead of %d", status_of(got),
            status_of(want));
    field(want, "Sec-WebSocket-Accept", a, sizeof(a));
    field(got, "Sec-WebSocket-Accept", b, sizeof(b));
    if (strcmp(a, b) != 0)
        return run_fail(c, "Sec-WebSocket-Accept \"%s\" instead of \"%s\"", b,
            a);
    field(want, "Content-Type", a, sizeof(a));
    field(got, "Content-Type", b, sizeof(b));
    if (strncmp(a, b, strlen(a)) != 0)
        return run_fail(c, "Content-Type \"%s\" instead of \"%s\"", b, a);
    /* Pages are our own; the websocket itself is not part of the answer. */
    if (status_of(got) != 101 && strncmp(a, "text/html", 9) != 0 &&
        !same_body(body_of(want), body_of(got)))
        return run_fail(c, "text \"%.200s\" instead of \"%.200s\"",
            body_of(got), body_of(want));
    return true;
}

bool wspr_http(struct run_case *c)
{
    const char *request = run_str(c, "request");
    const char *want = run_str(c, "response");
    struct v23_buf in;
    bool ok;
    int fd;

    if (left_out(c))
        return true;
    fd = dial(c);
    if (fd < 0)
        return false;
    v23_buf_init(&in, NULL, 1u << 20);
    ok = send_all(fd, request, strlen(request)) ||
         run_fail(c, "cannot send the request");
    /* A websocket stays open behind its head. */
    while (ok && (head_size(&in) == 0 ||
                     status_of(v23_buf_cstr(&in)) != 101))
        if (!receive(fd, &in))
            break;
    ok = ok && same_answer(c, want, v23_buf_cstr(&in));
    v23_buf_fini(&in);
    close(fd);
    return ok;
}

/* ---- frames -------------------------------------------------------------- */

static const struct {
    const char *name;
    int opcode;
} kinds[] = { { "text", 1 }, { "binary", 2 }, { "close", 8 }, { "ping", 9 },
    { "pong", 10 } };

/* "text", "text unmasked", "reserved 3" */
static int opcode_of(const char *op)
{
    size_t i;

    if (strncmp(op, "reserved ", 9) == 0)
        return atoi(op + 9);
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(op, kinds[i].name, strlen(kinds[i].name)) == 0)
            return kinds[i].opcode;
    return -1;
}

static const char *text_of(const cJSON *o, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(o, name));

    return s == NULL ? "" : s;
}

static struct v23_bytes payload_of(const cJSON *o)
{
    const char *s = text_of(o, "payload");

    return strncmp(s, "hex:", 4) == 0 ? hex(s + 4)
                                      : v23_bytes(s, strlen(s));
}

bool wspr_is_about_frames(const struct run_case *c)
{
    const cJSON *one, *sent = cJSON_GetObjectItem(c->json, "sent");

    cJSON_ArrayForEach(one, sent) if (strcmp(text_of(one, "op"), "text") != 0)
        return true;
    return false;
}

/* A whole frame; the mask, if it has one, is zero. */
static bool send_frame(int fd, const cJSON *frame)
{
    const char *op = text_of(frame, "op");
    struct v23_bytes b = payload_of(frame);
    bool masked = strstr(op, "unmasked") == NULL;
    uint8_t head[8] = { 0 };
    size_t n = b.n < 126 ? 2 : 4;

    head[0] = (uint8_t)(0x80 | opcode_of(op));
    head[1] = (uint8_t)((masked ? 0x80 : 0) | (b.n < 126 ? b.n : 126));
    if (n == 4) {
        head[2] = (uint8_t)(b.n >> 8);
        head[3] = (uint8_t)b.n;
    }
    return b.n < 65536 && send_all(fd, head, masked ? n + 4 : n) &&
           send_all(fd, b.p, b.n);
}

/* The frame at the beginning of the input; false: it is not whole. */
static bool take_frame(struct v23_buf *in, int *opcode,
    struct v23_bytes *payload, size_t *size)
{
    size_t n, at = 2;

    if (in->n < 2)
        return false;
    *opcode = in->p[0] & 15;
    n = in->p[1] & 127;
    if (n == 126) {
        if (in->n < 4)
            return false;
        n = (size_t)in->p[2] << 8 | in->p[3];
        at = 4;
    }
    *payload = v23_bytes(in->p + at, n);
    *size = at + n;
    return in->n >= *size;
}

/* Of a close the code, of a text its id and kind; what it means is for the
 * cases about texts. */
static bool same_frame(struct run_case *c, const cJSON *want, int opcode,
    struct v23_bytes got)
{
    struct v23_bytes b = payload_of(want);
    size_t n = opcode == 1 ? 4 : opcode == 8 ? 2 : b.n;

    if (opcode != opcode_of(text_of(want, "op")))
        return run_fail(c, "frame of kind %d instead of %s", opcode,
            text_of(want, "op"));
    if (opcode == 8 && b.n == 0)
        return true; /* the same code, says the specification */
    if (n > b.n)
        n = b.n;
    return got.n >= n && memcmp(got.p, b.p, n) == 0 ? true
        : run_fail(c, "payload %s instead of %s", unhex(got.p, got.n),
            unhex(b.p, b.n));
}

static bool replay_frames(struct run_case *c, int fd, struct v23_buf *in)
{
    const cJSON *one, *sent = cJSON_GetObjectItem(c->json, "sent");
    struct v23_bytes payload;
    size_t size;
    int opcode;

    cJSON_ArrayForEach(one, sent) if (!send_frame(fd, one))
        return run_fail(c, "cannot send a frame");
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(c->json, "received"))
    {
        while (!take_frame(in, &opcode, &payload, &size))
            if (!receive(fd, in))
                return run_fail(c, "no %s came", text_of(one, "op"));
        if (!same_frame(c, one, opcode, payload))
            return false;
        v23_buf_drop(in, size);
    }
    if (cJSON_GetArraySize(cJSON_GetObjectItem(c->json, "end")) == 0)
        return true;
    while (receive(fd, in))
        ;
    return in->n == 0 ? true : run_fail(c, "more came than expected");
}

bool wspr_frames(struct run_case *c)
{
    struct v23_buf in;
    size_t n = 0;
    bool ok;
    int fd;

    if (left_out(c))
        return true;
    fd = dial(c);
    if (fd < 0)
        return false;
    v23_buf_init(&in, NULL, 1u << 20);
    ok = send_all(fd, HANDSHAKE, sizeof(HANDSHAKE) - 1);
    while (ok && (n = head_size(&in)) == 0)
        ok = receive(fd, &in);
    if (!ok) {
        run_fail(c, "no answer to the handshake");
    } else {
        v23_buf_drop(&in, n);
        /* The greeting of 2014. */
        if (strcmp(run_str(c, "era"), "2014") == 0) {
            struct v23_bytes payload;
            int opcode;

            while (!take_frame(&in, &opcode, &payload, &n))
                if (!receive(fd, &in))
                    break;
            v23_buf_drop(&in, n < in.n ? n : in.n);
        }
        ok = replay_frames(c, fd, &in);
    }
    v23_buf_fini(&in);
    close(fd);
    return ok;
}
