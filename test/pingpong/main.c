/* BSD-3-Clause; see LICENSE. */
/*
 * The floors under what bench.sh measures: two processes that talk over
 * loopback TCP and do nothing that can be left out.
 *
 *     pingpong [bytes [rounds]]       one connection, blocking, no framing
 *     pingpong conns [n [rounds]]     n connections, a byte to and fro on each,
 *                                     one epoll loop on either side
 *     pingpong box-echo [bytes [rounds]]
 *     pingpong box-stream [bytes [count]]
 *                                     secretboxes instead of bare bytes
 */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

static pid_t child;

void floor_die(const char *what)
{
    perror(what);
    exit(1);
}

int64_t floor_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

bool floor_receive(int fd, uint8_t *p, size_t n)
{
    size_t got = 0;
    ssize_t r;

    while (got < n) {
        r = read(fd, p + got, n - got);
        if (r < 0)
            floor_die("read");
        if (r == 0)
            return false;
        got += (size_t)r;
    }
    return true;
}

void floor_send(int fd, const uint8_t *p, size_t n)
{
    size_t sent = 0;
    ssize_t r;

    while (sent < n) {
        r = write(fd, p + sent, n - sent);
        if (r < 0)
            floor_die("write");
        sent += (size_t)r;
    }
}

static int no_delay(int fd)
{
    int on = 1;

    if (fd < 0
        || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        floor_die("socket");
    return fd;
}

void floor_fork(int *fds, size_t n, void (*serve)(const int *fds, size_t n))
{
    struct sockaddr_in at = { 0 };
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    size_t i;

    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, len) != 0
        || listen(listener, SOMAXCONN) != 0
        || getsockname(listener, (struct sockaddr *)&at, &len) != 0)
        floor_die("listen");
    child = fork();
    if (child < 0)
        floor_die("fork");
    for (i = 0; i < n; i++) {
        fds[i] = no_delay(child == 0 ? accept(listener, NULL, NULL)
                                     : socket(AF_INET, SOCK_STREAM, 0));
        if (child != 0
            && connect(fds[i], (struct sockaddr *)&at, sizeof(at)) != 0)
            floor_die("connect");
    }
    close(listener);
    if (child != 0)
        return;
    serve(fds, n);
    exit(0);
}

void floor_join(void)
{
    int status;

    if (waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "pingpong: the other process failed\n");
        exit(1);
    }
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

double floor_percentile(int64_t *took, size_t n, unsigned percent)
{
    qsort(took, n, sizeof(*took), by_time);
    return (double)took[n * percent / 100] / 1000;
}

static const struct {
    const char *name;
    void (*run)(size_t size, size_t rounds);
    size_t size, max, rounds;
} kinds[] = {
    { "", floor_pingpong, 1, FLOOR_MAX_BYTES, 20000 },
    { "conns", floor_conns, 64, FLOOR_MAX_CONNS, 3000 },
    { "box-echo", floor_box_echo, 65536, FLOOR_MAX_BYTES, 2000 },
    { "box-stream", floor_box_stream, 10240, FLOOR_MAX_BYTES, 40000 },
};

int main(int argc, char **argv)
{
    size_t i = sizeof(kinds) / sizeof(kinds[0]), size, rounds;
    char *end = "";

    while (--i > 0 && (argc < 2 || strcmp(argv[1], kinds[i].name) != 0))
        ;
    if (i > 0) {
        argc--;
        argv++;
    }
    size = argc > 1 ? strtoul(argv[1], &end, 10) : kinds[i].size;
    rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : kinds[i].rounds;
    if (*end != 0 || size < 1 || size > kinds[i].max || rounds < 1) {
        fprintf(stderr,
            "usage: pingpong [conns | box-echo | box-stream] [SIZE "
            "[ROUNDS]]\n");
        return 2;
    }
    kinds[i].run(size, rounds);
    return 0;
}
