/* BSD-3-Clause; see LICENSE. */
/* Parts of mtstress: main.c, what is called; run.c, when, and the report. */
#ifndef MTSTRESS_H
#define MTSTRESS_H

#include <v23/vdl/v.io/v23/services/mounttable/mounttable.rpc.h>
#include <vname/program.h>
#include <vrpc/stats.h>

#define MAX_WORKERS 65536
#define MAX_NAMES 100000000
#define NAME_SIZE 1024

struct stress;

/* One call under way. */
struct work {
    struct stress *s;
    struct work *next; /* in the list of the idle */
    struct vrpc_ev_node *node; /* of its own, with -reauthenticate */
    struct vrpc_client *client;
    struct v23_arena arena;
    vdl_str_list roots; /* the name at each root */
    int64_t began_ns;
    char name[NAME_SIZE];      /* as given, with the suffix of this call */
};

typedef struct vrpc_call *stress_fn(struct work *w, struct vrpc_client *c,
    const char *name, const struct vrpc_call_opts *opts);

struct stress {
    /* flags and arguments */
    double rate;
    int64_t duration_ns, workers, names;
    bool reauthenticate;
    uint32_t ttl;
    struct vdl_str pattern;
    bool once;    /* every name once, then the end */
    bool shuffle; /* names at random */
    /* the run */
    struct vname_program *p;
    const char *name;
    stress_fn *call;
    struct work *idle;
    struct vrpc_stats *stats;
    struct vrpc_stat *histogram; /* of latencies in milliseconds */
    int64_t began_ns, last_ns, distance_ns;
    int64_t nwork;               /* allocated */
    int64_t started, count, failed, running, entries;
    int64_t sum_ns, sum_ms;      /* of latencies */
    uint32_t random;
    bool over;
    char first_error[512];
};

/** Make the calls and report. @return exit code */
int stress_run(struct stress *s, struct vname_program *p, const char *name,
    stress_fn *call);
/** A call has ended. */
void stress_called(struct work *w, const struct v23_verror *err);

#endif
