/* BSD-3-Clause; see LICENSE. */
/* What the floors share: a pair of processes joined by loopback TCP. */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOOR_MAX_BYTES 65536
#define FLOOR_MAX_CONNS 4096

/* Say which system call failed, and end. */
_Noreturn void floor_die(const char *what);
int64_t floor_now_ns(void);

/* Exactly n bytes; receive: false at the end of the connection. */
bool floor_receive(int fd, uint8_t *p, size_t n);
void floor_send(int fd, const uint8_t *p, size_t n);

/*
 * Fork. The child gets n accepted connections and runs `serve`, then ends; the
 * parent gets the other ends in fds[n]. Close them, then floor_join().
 */
void floor_fork(int *fds, size_t n, void (*serve)(const int *fds, size_t n));
void floor_join(void);

/* Middle of n times, which are sorted; `percent` 50 = median; microseconds. */
double floor_percentile(int64_t *took, size_t n, unsigned percent);

/* tcp.c, box.c: measure, print one line of JSON */
void floor_pingpong(size_t bytes, size_t rounds);
void floor_conns(size_t conns, size_t rounds);
void floor_box_echo(size_t bytes, size_t rounds);
void floor_box_stream(size_t bytes, size_t count);

#endif
