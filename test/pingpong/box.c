/* BSD-3-Clause; see LICENSE. */
/*
 * Secretboxes, each behind its length: the floor under what moves bytes over a
 * sealed connection. One key, a counter as nonce, sealed and opened in place.
 */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>
#include <sys/socket.h>

#define TAG crypto_secretbox_MACBYTES
#define FRAME (3 + TAG)
#define WARMUP 50
#define AT_ONCE (64u * 1024u) /* bytes of one write, of one read */
#define BUFFER (2 * (FLOOR_MAX_BYTES + FRAME) + AT_ONCE)

static uint8_t buffer[BUFFER];
static size_t nbytes;

static const uint8_t *nonce(uint64_t seq)
{
    static uint8_t n[crypto_secretbox_NONCEBYTES];

    memcpy(n, &seq, sizeof(seq));
    return n;
}

/* Make a frame of the nbytes behind p + FRAME. */
static void seal(uint8_t *p, uint64_t seq)
{
    static const uint8_t key[crypto_secretbox_KEYBYTES] = { 1 };
    size_t n = TAG + nbytes;

    p[0] = (uint8_t)(n >> 16);
    p[1] = (uint8_t)(n >> 8);
    p[2] = (uint8_t)n;
    crypto_secretbox_detached(p + FRAME, p + 3, p + FRAME, nbytes, nonce(seq),
        key);
}

static void open_box(uint8_t *p, uint64_t seq)
{
    static const uint8_t key[crypto_secretbox_KEYBYTES] = { 1 };

    if (crypto_secretbox_open_detached(p + FRAME, p + FRAME, p + 3, nbytes,
            nonce(seq), key)
        != 0) {
        fprintf(stderr, "pingpong: a box does not open\n");
        exit(1);
    }
}

static void start(size_t bytes, int *fd,
    void (*serve)(const int *fds, size_t n))
{
    if (sodium_init() < 0) /* it chooses the fast code */
        floor_die("sodium_init");
    nbytes = bytes;
    floor_fork(fd, 1, serve);
}

/* ---- to and fro ---------------------------------------------------------- */

static void echo(const int *fds, size_t n)
{
    uint64_t seq = 0;

    (void)n;
    for (; floor_receive(fds[0], buffer, FRAME + nbytes); seq++) {
        open_box(buffer, seq);
        seal(buffer, seq);
        floor_send(fds[0], buffer, FRAME + nbytes);
    }
}

void floor_box_echo(size_t bytes, size_t rounds)
{
    int64_t *took = calloc(rounds, sizeof(*took)), began;
    double p50;
    size_t i;
    int fd;

    if (took == NULL)
        floor_die("calloc");
    start(bytes, &fd, echo);
    for (i = 0; i < rounds + WARMUP; i++) {
        began = floor_now_ns();
        seal(buffer, i);
        floor_send(fd, buffer, FRAME + bytes);
        if (!floor_receive(fd, buffer, FRAME + bytes))
            floor_die("the server has gone");
        open_box(buffer, i);
        if (i >= WARMUP)
            took[i - WARMUP] = floor_now_ns() - began;
    }
    close(fd);
    floor_join();
    p50 = floor_percentile(took, rounds, 50);
    printf("{\"mode\":\"box-echo\",\"payload\":%zu,\"p50_us\":%.1f,"
           "\"mb_s\":%.1f}\n",
        bytes, p50, (double)bytes / p50);
    free(took);
}

/* ---- one way ------------------------------------------------------------- */

/* Open all that comes; a byte back at the end says that it was all. */
static void drain(const int *fds, size_t n)
{
    size_t have = 0, at = 0, frame = FRAME + nbytes;
    uint64_t seq = 0;
    ssize_t r;

    (void)n;
    for (;;) {
        r = read(fds[0], buffer + have, AT_ONCE);
        if (r < 0)
            floor_die("read");
        if (r == 0)
            break;
        have += (size_t)r;
        for (at = 0; have - at >= frame; at += frame)
            open_box(buffer + at, seq++);
        memmove(buffer, buffer + at, have - at);
        have -= at;
    }
    floor_send(fds[0], buffer, 1);
}

void floor_box_stream(size_t bytes, size_t count)
{
    size_t frame = FRAME + bytes, n = 0, i;
    int64_t began;
    int fd;

    start(bytes, &fd, drain);
    began = floor_now_ns();
    for (i = 0; i < count; i++) {
        seal(buffer + n, i);
        n += frame;
        if (n >= AT_ONCE || i + 1 == count) {
            floor_send(fd, buffer, n);
            n = 0;
        }
    }
    if (shutdown(fd, SHUT_WR) != 0 || !floor_receive(fd, buffer, 1))
        floor_die("the server has gone");
    printf("{\"mode\":\"box-stream\",\"payload\":%zu,\"mb_s\":%.1f}\n", bytes,
        (double)(count * bytes) / ((double)(floor_now_ns() - began) / 1e3));
    close(fd);
    floor_join();
}
