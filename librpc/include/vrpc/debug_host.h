/* BSD-3-Clause; see LICENSE. */
/**
 * What a hosted process can tell of itself below __debug: a directory of logs,
 * profiles of memory and CPU, the statistics "system/…". Source:
 * spec/services.md 4.3, 9.2, 9.4; spec/rpc.md 23. vrpc_runtime_serve()
 * (vrpc/runtime.h) puts them together.
 */
#ifndef VRPC_DEBUG_HOST_H
#define VRPC_DEBUG_HOST_H

#include <vrpc/debug.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- logs ---------------------------------------------------------------- */

struct vrpc_log_dir; /* the files below a directory */
/**
 * @param path  of the directory, copied; it need not exist yet
 * @return 0; V23_EARG: empty or too long; V23_ENOMEM
 *
 * A name that leads out of the directory is refused, by ".." or by a symbolic
 * link; so is what is neither file nor directory.
 */
V23_MUST_USE int vrpc_log_dir_new(const struct v23_alloc *al,
    struct vdl_str path, struct vrpc_log_dir **out);
void vrpc_log_dir_free(struct vrpc_log_dir *d); /* NULL is ignored */
struct vrpc_logs vrpc_log_dir_logs(struct vrpc_log_dir *d);

/* ---- profiles ------------------------------------------------------------ */

/**
 * The profiler of this process: command line; "heap", what the C library says
 * of its memory, as one sample; CPU profiles in the binary format of gperftools
 * with 100 samples a second (SIGPROF is caught meanwhile); names of functions
 * as the dynamic linker knows them. Linux with glibc; elsewhere it knows less.
 * Stacks are as deep as the unwinder finds tables for.
 *
 * Thread: one profile at a time in the process; all threads are sampled.
 */
extern const struct vrpc_profiler vrpc_profiler_host;

/* ---- statistics ---------------------------------------------------------- */

enum vrpc_system_stats {
    VRPC_SYSTEM_DEFAULT = 0,
    VRPC_SYSTEM_ENVIRON = 1 /* also system/environ: it may hold secrets */
};
/**
 * Add system/start-time-unix, system/start-time-rfc1123, system/cmdline,
 * system/num-cpu, system/pid, system/hostname, system/version,
 * system/metadata/<key> and system/memstats/<field>; the last are asked for at
 * each reading.
 * @param what  VRPC_SYSTEM_… added up
 * @return 0, or as the functions of vrpc/stats.h that make objects
 */
V23_MUST_USE int vrpc_stats_system(struct vrpc_stats *t, int what,
    const struct v23_now *now);

#ifdef __cplusplus
}
#endif
#endif
