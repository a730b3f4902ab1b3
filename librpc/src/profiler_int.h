/* BSD-3-Clause; see LICENSE. */
/* What profiles and statistics of a host both say; of *_ev.c files. */
#ifndef VRPC_PROFILER_INT_H
#define VRPC_PROFILER_INT_H

#include <v23/alloc.h>
#include <vom/type.h>

/* What the C library holds, in bytes; all 0 where it does not say. */
struct vrpc_host_memory_ {
    int64_t from_system, in_use, idle, mapped;
};
void vrpc_host_memory_(struct vrpc_host_memory_ *m);
/* Program and arguments. */
int vrpc_host_cmdline_(void *ud, struct v23_arena *a, vdl_str_list *out);

#endif
