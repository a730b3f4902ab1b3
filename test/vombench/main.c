/* BSD-3-Clause; see LICENSE. */
/*
 * Benchmark of libvom. Each coder's result is checked before it is timed; a
 * wrong one ends the program with 1, a slow one does not.
 */
#include "bench.h"

#include <have.h>

#include <stdlib.h>

#include <v23/cmdline.h>

/* Over which the time of a group is spread. */
#define PASSES 10

struct options {
    bool json;
    const char *shape, *coder; /* "" = all */
    int64_t time;              /* ns for each shape and direction */
};

/* Blocks that stay to the end, and stay reachable. */
struct kept {
    struct kept *next;
    void *p;
};

/* Two directions of one shape are measured apart. */
struct timed {
    const struct shape *shape;
    bool decode;
    struct group ops;
};

void *keep(size_t n)
{
    /* Where a block begins must not depend on what was kept before it. */
    const size_t page = 4096;
    static struct kept *all;
    struct kept *k = malloc(sizeof(*k));

    if (k != NULL)
        k->p = aligned_alloc(page, (n + page - 1) / page * page);
    if (k == NULL || k->p == NULL) {
        fprintf(stderr, "vombench: out of memory\n");
        exit(1);
    }
    k->next = all;
    all = k;
    return memset(k->p, 0, n);
}

void must(bool ok, const struct shape *s, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "vombench: %s: %s\n", s->name, what);
    exit(1);
}

static const char *direction_name(const struct timed *t)
{
    return t->decode ? "decode" : "encode";
}

static void print_row(const struct timed *t, const struct op *o)
{
    double ns = op_ns(&t->ops, o), ratio = op_ratio(&t->ops, o);

    printf("%-5s %-7s %-17s %10.1f %8.0f", t->shape->name, direction_name(t),
        o->name, ns, (double)o->bytes * 1000 / ns);
    if (o->base != NULL)
        printf(" %6.2f x %-11s", ratio, o->base);
    if (o->base != NULL && o->target != 0)
        printf(" <= %-5g%s", o->target, ratio > o->target ? " missed" : "");
    printf("\n");
}

static void print_json(const struct timed *t, const struct op *o, bool first)
{
    double ns = op_ns(&t->ops, o);

    printf("%s\n{\"shape\":\"%s\",\"direction\":\"%s\",\"coder\":\"%s\","
           "\"bytes\":%zu,\"ns\":%.1f,\"mb_s\":%.0f",
        first ? "[" : ",", t->shape->name, direction_name(t), o->name, o->bytes,
        ns, (double)o->bytes * 1000 / ns);
    if (o->base != NULL)
        printf(",\"base\":\"%s\",\"ratio\":%.3f", o->base,
            op_ratio(&t->ops, o));
    if (o->base != NULL && o->target != 0)
        printf(",\"target\":%g", o->target);
    printf("}");
}

static void print(const struct timed *t, bool json)
{
    static bool first = true;
    size_t i;

    for (i = 0; i < t->ops.n; i++) {
        if (json)
            print_json(t, &t->ops.ops[i], first);
        else
            print_row(t, &t->ops.ops[i]);
        first = false;
    }
}

/* The groups of a shape: encoding and decoding. */
static void add_groups(const struct shape *s, struct timed *t[2])
{
    int i;

    for (i = 0; i < 2; i++) {
        t[i] = keep(sizeof(*t[i]));
        t[i]->shape = s;
        t[i]->decode = i == 1;
    }
    floor_ops(s, &t[0]->ops, &t[1]->ops);
    vom_ops(s, &t[0]->ops, &t[1]->ops);
    protobuf_ops(s, &t[0]->ops, &t[1]->ops);
    msgpack_ops(s, &t[0]->ops, &t[1]->ops);
}

static void print_left_out(void)
{
    if (!VOMBENCH_PROTOBUF)
        printf("left out: protobuf-c (libprotobuf-c-dev, "
               "protobuf-c-compiler; make deps-ci)\n");
    if (!VOMBENCH_MSGPACK)
        printf("left out: msgpack-c (libmsgpack-dev; make deps-ci)\n");
}

static int run(
    void *ud, const struct v23_invocation *inv, int argc, char **argv)
{
    const struct options *opt = ud;
    const struct shape *all = shapes();
    struct timed *groups[2 * SHAPES];
    size_t n = 0, ops = 0, i, pass;

    (void)argv;
    if (argc != 0)
        return v23_want_args(inv, 0, argc);
    for (i = 0; i < SHAPES; i++) {
        if (*opt->shape == '\0' || strcmp(opt->shape, all[i].name) == 0) {
            add_groups(&all[i], &groups[n]);
            if (*opt->coder != '\0') {
                group_keep(&groups[n]->ops, opt->coder);
                group_keep(&groups[n + 1]->ops, opt->coder);
            }
            ops += groups[n]->ops.n + groups[n + 1]->ops.n;
            n += 2;
        }
    }
    if (n == 0)
        return v23_usage_error(inv, "there is no shape %s", opt->shape);
    if (ops == 0)
        return v23_usage_error(inv, "there is no coder %s", opt->coder);
    for (pass = 0; pass < PASSES; pass++)
        for (i = 0; i < n; i++)
            group_measure(&groups[i]->ops, (double)opt->time / 1e9 / PASSES);
    if (!opt->json)
        printf("%-5s %-7s %-17s %10s %8s %s\n", "shape", "", "coder", "ns",
            "MB/s", "  ratio");
    for (i = 0; i < n; i++)
        print(groups[i], opt->json);
    if (opt->json)
        printf("\n]\n");
    else
        print_left_out();
    return 0;
}

int main(int argc, char **argv)
{
    struct options opt = {false, "", "", 1000000000};
    const struct v23_flag flags[] = {
        {"json", "Print JSON instead of a table.", "false", V23_FLAG_BOOL,
            &opt.json, NULL},
        {"shape", "Measure only Rec, Ints, Blob or Req.", "", V23_FLAG_STRING,
            &opt.shape, NULL},
        {"coder", "Run only this coder, for a profiler.", "", V23_FLAG_STRING,
            &opt.coder, NULL},
        {"time", "Time to measure each shape, in each direction.", "1s",
            V23_FLAG_DURATION, &opt.time, NULL},
    };
    const struct v23_command root = {
        .name = "vombench",
        .brief = "measures libvom beside hand-written code",
        .about = "Command vombench encodes and decodes values of four shapes "
                 "with libvom and with code written by hand for each, and "
                 "prints nanoseconds, MB/s and the ratio of the two. All "
                 "coders take turns within one run, so ratios mean more than "
                 "times. Results are checked before anything is timed: the "
                 "exit code is 1 if one is wrong.",
        .flags = flags,
        .nflags = sizeof(flags) / sizeof(*flags),
        .run = run,
    };

    return v23_cmdline_main(&root, NULL, 0, NULL, &opt, argc, argv);
}
