/* BSD-3-Clause; see LICENSE. */
/* What the commands of stress share. */
#ifndef STRESS_H
#define STRESS_H

#include <v23/vdl/v.io/x/ref/runtime/internal/rpc/stress/stress.rpc.h>
#include <vname/program.h>

struct options {
    int64_t duration, workers, chunks, payload, cpus, load_payload;
    const char *format;
};
extern struct options options;

/** Are there servers, and is the format one? 0 or an exit code. */
int check_args(const struct v23_invocation *inv, int argc);
/** Print counts under a title, in the format asked for. */
void print_stats(const char *title, const v23_stress_sum_stats *s);
/** Now, monotonic. */
int64_t now_ns(const struct vname_program *p);
/** "done after 1.5s" */
void print_elapsed(int64_t ns);

int run_stress(void *ud, const struct v23_invocation *inv, int argc,
    char **argv);
int run_load(void *ud, const struct v23_invocation *inv, int argc,
    char **argv);

#endif
