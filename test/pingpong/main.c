/* BSD-3-Clause; see LICENSE. */
/*
 * A plain TCP ping-pong on loopback: the floor under every latency that
 * bench.sh measures. Two processes, blocking reads and writes, no framing.
 *
 *     pingpong [bytes [rounds]]
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MAX_BYTES 65536
#define WARMUP 100

static uint8_t buffer[MAX_BYTES];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* A message of n bytes; false at the end of the connection. */
static bool receive(int fd, size_t n)
{
    size_t got = 0;
    ssize_t r;

    while (got < n) {
        r = read(fd, buffer + got, n - got);
        if (r < 0)
            die("read");
        if (r == 0)
            return false;
        got += (size_t)r;
    }
    return true;
}

static void send_all(int fd, size_t n)
{
    size_t sent = 0;
    ssize_t r;

    while (sent < n) {
        r = write(fd, buffer + sent, n - sent);
        if (r < 0)
            die("write");
        sent += (size_t)r;
    }
}

static void no_delay(int fd)
{
    int on = 1;

    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        die("setsockopt");
}

static int start_server(struct sockaddr_in *at, pid_t *child, size_t n)
{
    socklen_t len = sizeof(*at);
    int fd = socket(AF_INET, SOCK_STREAM, 0), peer;

    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)at, len) != 0
        || listen(fd, 1) != 0
        || getsockname(fd, (struct sockaddr *)at, &len) != 0)
        die("listen");
    *child = fork();
    if (*child < 0)
        die("fork");
    if (*child != 0)
        return fd;
    peer = accept(fd, NULL, NULL);
    if (peer < 0)
        die("accept");
    no_delay(peer);
    while (receive(peer, n))
        send_all(peer, n);
    exit(0);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 1;
    long rounds = argc > 2 ? atol(argv[2]) : 20000, i;
    struct sockaddr_in at = { 0 };
    int64_t *took, start;
    pid_t child;
    int fd, listener;

    if (n < 1 || n > MAX_BYTES || rounds < 1) {
        fprintf(stderr, "usage: pingpong [bytes [rounds]]\n");
        return 2;
    }
    took = calloc((size_t)rounds, sizeof(*took));
    if (took == NULL)
        die("calloc");
    listener = start_server(&at, &child, (size_t)n);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        die("connect");
    no_delay(fd);
    for (i = -WARMUP; i < rounds; i++) {
        start = now_ns();
        send_all(fd, (size_t)n);
        if (!receive(fd, (size_t)n))
            die("the server has gone");
        if (i >= 0)
            took[i] = now_ns() - start;
    }
    close(fd);
    close(listener);
    waitpid(child, NULL, 0);
    qsort(took, (size_t)rounds, sizeof(*took), by_time);
    printf("{\"mode\":\"pingpong\",\"payload\":%ld,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f}\n",
        n, (double)took[rounds / 2] / 1000,
        (double)took[rounds * 99 / 100] / 1000);
    free(took);
    return 0;
}
