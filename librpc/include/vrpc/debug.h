/* BSD-3-Clause; see LICENSE. */
/**
 * What a server shows of itself below __debug: statistics, logs, profiles,
 * traces. Source: spec/services.md 9, spec/rpc.md 23.
 *
 *     __debug/stats/<name>   vrpc/stats.h: values, watching
 *     __debug/logs/<file>    lines of a log, from a position on, as they come
 *     __debug/pprof          command line, memory and CPU profiles, symbols
 *     __debug/vtrace         collected traces (an object of vrpc/vtrace.h)
 *     __debug/http           the page of requests, which is always empty
 *
 * vrpc_debug_dispatcher() is for struct vrpc_server_config.reserved. What asks
 * the system (a directory of logs, profiles) comes through tables of
 * functions: hosts take those of vrpc/debug_host.h, a firmware its own, the
 * ring below, or none.
 */
#ifndef VRPC_DEBUG_H
#define VRPC_DEBUG_H

#include <vrpc/server.h>
#include <vrpc/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- logs ---------------------------------------------------------------- */

/*
 * Logs that can be read. Names are those behind "logs/", elements separated by
 * '/', "" the whole. On failure a function appends to `why` the path, or with
 * V23_EARG (a name that leads out of the logs, no file) all that is to be said;
 * others are V23_ENOENT, V23_ESYS and so on.
 */
struct vrpc_logs_ops {
    int (*open)(void *ud, struct vdl_str name, void **log,
        struct v23_buf *why);
    /* V23_EARG: it is a directory. */
    int (*size)(void *ud, void *log, int64_t *bytes, struct v23_buf *why);
    /*
     * Read at *pos ≥ 0; *got = 0 at the end. What was written there may be
     * gone: *pos is then moved to the next line that is kept.
     */
    int (*read)(void *ud, void *log, int64_t *pos, void *p, size_t n,
        size_t *got);
    void (*close)(void *ud, void *log);
    /* Call `each` for every log or directory right below; not 0: stop. */
    int (*list)(void *ud, struct vdl_str name, void *arg,
        int (*each)(void *arg, struct vdl_str child), struct v23_buf *why);
};
struct vrpc_logs {
    const struct vrpc_logs_ops *ops;
    void *ud;
};

/* The last lines of a log, in memory. */
struct vrpc_log_ring;
/**
 * @param name   of the log below "logs", copied; no '/'
 * @param bytes  kept, at least 256
 * @return 0, V23_EARG, V23_ENOMEM
 */
V23_MUST_USE int vrpc_log_ring_new(const struct v23_alloc *al,
    struct vdl_str name, size_t bytes, struct vrpc_log_ring **out);
void vrpc_log_ring_free(struct vrpc_log_ring *r); /* NULL is ignored */
/**
 * Append a line, given without newline; the oldest ones go for it. One longer
 * than half of the ring is cut. Positions of lines count all bytes ever
 * written.
 */
void vrpc_log_ring_put(struct vrpc_log_ring *r, struct vdl_str line);
/** The ring as the one log there is; it must outlive its users. */
struct vrpc_logs vrpc_log_ring_logs(struct vrpc_log_ring *r);

/* ---- profiles ------------------------------------------------------------ */

/* What a platform knows of its processes; NULL functions: nothing. */
struct vrpc_profiler {
    /* Program and arguments, in the arena. */
    int (*cmdline)(void *ud, struct v23_arena *a, vdl_str_list *out);
    const vdl_str_list *names; /* that `profile` knows; NULL = none */
    /* Append a profile; V23_ENOENT: not one of the names. */
    int (*profile)(void *ud, struct vdl_str name, int32_t debug,
        struct v23_buf *out);
    /* Begin to sample; V23_ESTATE: somebody does already. */
    int (*cpu_start)(void *ud);
    /* End it and append the profile; out NULL: it is not wanted. */
    int (*cpu_stop)(void *ud, struct v23_buf *out);
    /* Name of the function at an address, in the arena; n = 0: unknown. */
    int (*symbol)(void *ud, uint64_t pc, struct v23_arena *a,
        struct vdl_str *out);
    void *ud;
};

/* ---- the dispatcher ------------------------------------------------------ */

struct vrpc_debug;

struct vrpc_debug_config {
    const struct v23_alloc *al;            /* NULL = libc */
    struct vrpc_stats *stats;              /* NULL: no "stats" */
    struct vrpc_logs logs;                 /* ops NULL: no "logs" */
    const struct vrpc_profiler *profiler;  /* NULL: "pprof" knows nothing */
    struct vrpc_object vtrace;             /* all NULL: no "vtrace" */
    const struct vsec_authorizer *authorizer; /* NULL = default authorizer */
    int64_t watch_period_ns;  /* between two looks at statistics; 0 = 10 s */
    int64_t follow_period_ns; /* between two looks at a log; 0 = 500 ms */
    uint32_t max_streams;     /* watchers, readers, profiles at the same time,
                                 in all servers; 0 = 64 */
};

/**
 * @param cfg  copied; what it points to outlives the object
 * @return 0, V23_ENOMEM
 *
 * One may serve for several servers of one loop, which are freed first. A
 * watcher or follower ends when its caller goes or its server stops.
 */
V23_MUST_USE int vrpc_debug_new(const struct vrpc_debug_config *cfg,
    struct vrpc_debug **out);
void vrpc_debug_free(struct vrpc_debug *d); /* NULL is ignored */
/** For struct vrpc_server_config.reserved. */
const struct vrpc_dispatcher *vrpc_debug_dispatcher(struct vrpc_debug *d);
/** The statistics alone as a server's own names: "<name>" for what is
 * "__debug/stats/<name>" there. */
const struct vrpc_dispatcher *vrpc_debug_stats_dispatcher(
    struct vrpc_debug *d);

#ifdef __cplusplus
}
#endif
#endif
