/* BSD-3-Clause; see LICENSE. */
/*
 * Measurement on a machine that does other work too. All operations of a group
 * take turns in short rounds, and a group is measured in several passes, with
 * those of other groups between. What counts is the fastest tenth of the
 * rounds: what an operation takes while the machine is otherwise quiet.
 */
#include "measure.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Time for which an operation repeats in one round. */
#define TURN_NS 50000

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void group_add(struct group *g, const char *name, const char *base,
    double target, size_t bytes, void (*run)(void *ctx), void *ctx)
{
    struct op *o = &g->ops[g->n];

    if (g->n == MAX_OPS)
        abort();
    g->n++;
    o->name = name;
    o->base = base;
    o->target = target;
    o->bytes = bytes;
    o->run = run;
    o->ctx = ctx;
}

void group_keep(struct group *g, const char *name)
{
    size_t i, n = 0;

    for (i = 0; i < g->n; i++)
        if (strcmp(g->ops[i].name, name) == 0)
            g->ops[n++] = g->ops[i];
    if (n != 0)
        g->ops[0].base = NULL;
    g->n = n;
}

/* Nanoseconds of n runs. */
static int64_t turn(const struct op *o, unsigned n)
{
    int64_t start = now_ns();

    while (n-- != 0)
        o->run(o->ctx);
    return now_ns() - start;
}

/* How often an operation has to run to fill its turn. */
static unsigned repeats(const struct op *o)
{
    unsigned n = 1;

    while (turn(o, n) < TURN_NS && n < 1u << 20)
        n *= 2;
    return n;
}

void group_measure(struct group *g, double seconds)
{
    int64_t end = now_ns() + (int64_t)(seconds * 1e9);
    size_t i, at, first = g->rounds;
    unsigned n[MAX_OPS];

    for (i = 0; i < g->n; i++)
        n[i] = repeats(&g->ops[i]);
    for (; g->rounds < MAX_ROUNDS; g->rounds++) {
        if (now_ns() >= end && g->rounds != first)
            break;
        /* Another one begins each round. */
        for (i = 0; i < g->n; i++) {
            at = (g->rounds + i) % g->n;
            g->ops[at].ns[g->rounds] = (double)turn(&g->ops[at], n[at]) / n[at];
        }
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

double op_ns(const struct group *g, const struct op *o)
{
    double v[MAX_ROUNDS];

    memcpy(v, o->ns, g->rounds * sizeof(*v));
    qsort(v, g->rounds, sizeof(*v), by_size);
    return v[g->rounds / 10];
}

double op_ratio(const struct group *g, const struct op *o)
{
    const struct op *base = g->ops;

    if (o->base == NULL)
        return 0;
    while (strcmp(base->name, o->base) != 0)
        base++;
    return op_ns(g, o) / op_ns(g, base);
}
