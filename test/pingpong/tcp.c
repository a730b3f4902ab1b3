/* BSD-3-Clause; see LICENSE. */
/* Bare bytes: the floor under latencies and rates of calls. */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/epoll.h>

#define WARMUP 100
#define EVENTS 256

static uint8_t buffer[FLOOR_MAX_BYTES];
static size_t nbytes;

/* ---- one connection ------------------------------------------------------ */

static void echo(const int *fds, size_t n)
{
    (void)n;
    while (floor_receive(fds[0], buffer, nbytes))
        floor_send(fds[0], buffer, nbytes);
}

void floor_pingpong(size_t bytes, size_t rounds)
{
    int64_t *took = calloc(rounds, sizeof(*took)), start;
    size_t i;
    int fd;

    if (took == NULL)
        floor_die("calloc");
    nbytes = bytes;
    floor_fork(&fd, 1, echo);
    for (i = 0; i < rounds + WARMUP; i++) {
        start = floor_now_ns();
        floor_send(fd, buffer, bytes);
        if (!floor_receive(fd, buffer, bytes))
            floor_die("the server has gone");
        if (i >= WARMUP)
            took[i - WARMUP] = floor_now_ns() - start;
    }
    close(fd);
    floor_join();
    printf("{\"mode\":\"pingpong\",\"payload\":%zu,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f}\n",
        bytes, floor_percentile(took, rounds, 50),
        floor_percentile(took, rounds, 99));
    free(took);
}

/* ---- many connections ---------------------------------------------------- */

static int watch(const int *fds, size_t n)
{
    struct epoll_event e = { .events = EPOLLIN };
    int ep = epoll_create1(0);
    size_t i;

    for (i = 0; i < n; i++) {
        e.data.fd = fds[i];
        if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e) != 0)
            floor_die("epoll");
    }
    return ep;
}

static void echo_all(const int *fds, size_t n)
{
    struct epoll_event e[EVENTS];
    int ep = watch(fds, n), i, ready;
    size_t left = n;

    while (left > 0) {
        ready = epoll_wait(ep, e, EVENTS, -1);
        for (i = 0; i < ready; i++) {
            if (floor_receive(e[i].data.fd, buffer, 1)) {
                floor_send(e[i].data.fd, buffer, 1);
            } else {
                close(e[i].data.fd);
                left--;
            }
        }
    }
}

void floor_conns(size_t conns, size_t rounds)
{
    struct epoll_event e[EVENTS];
    int fds[FLOOR_MAX_CONNS], ep, i, ready;
    size_t begun = conns, ended = 0, all = conns * rounds, k;
    int64_t start;

    floor_fork(fds, conns, echo_all);
    ep = watch(fds, conns);
    start = floor_now_ns();
    for (k = 0; k < conns; k++)
        floor_send(fds[k], buffer, 1);
    while (ended < all) {
        ready = epoll_wait(ep, e, EVENTS, -1);
        for (i = 0; i < ready; i++) {
            if (!floor_receive(e[i].data.fd, buffer, 1))
                floor_die("the server has gone");
            ended++;
            if (begun++ < all)
                floor_send(e[i].data.fd, buffer, 1);
        }
    }
    printf("{\"mode\":\"conns\",\"clients\":%zu,\"per_s\":%.0f}\n", conns,
        (double)all / ((double)(floor_now_ns() - start) / 1e9));
    for (k = 0; k < conns; k++)
        close(fds[k]);
    floor_join();
}
