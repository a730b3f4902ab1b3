/* BSD-3-Clause; see LICENSE. */
/**
 * Times of operations, for benchmarks.
 */
#ifndef TEST_MEASURE_H
#define TEST_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_ROUNDS 4000

/* Something that is timed. */
struct op {
    const char *name;
    const char *base; /* compared with this operation; NULL = none */
    double target;    /* highest ratio wanted; 0 = none */
    size_t bytes;     /* that are written or read; 0 = no matter */
    void (*run)(void *ctx);
    void *ctx;
    double ns[MAX_ROUNDS];
};

#define MAX_OPS 12
/* Operations that are compared with one another. */
struct group {
    size_t n, rounds;
    struct op ops[MAX_OPS];
};
/** Add an operation. */
void group_add(struct group *g, const char *name, const char *base,
    double target, size_t bytes, void (*run)(void *ctx), void *ctx);
/** Leave only the operation of this name, to be looked at with a profiler. */
void group_keep(struct group *g, const char *name);
/** Run all operations in turn, in rounds, for so many seconds; may be repeated.
 */
void group_measure(struct group *g, double seconds);
/** Nanoseconds of one operation. */
double op_ns(const struct group *g, const struct op *o);
/** Ratio to the operation it is compared with; 0 = none. */
double op_ratio(const struct group *g, const struct op *o);

#endif
