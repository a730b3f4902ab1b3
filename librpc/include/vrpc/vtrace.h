/* BSD-3-Clause; see LICENSE. */
/**
 * Distributed tracing: spans, and a store for those of chosen traces.
 * Source: spec/rpc.md 22, spec/services.md 9.4.
 *
 * A span is a named piece of work. Spans have parents, and the spans that
 * descend from one root are a trace, in however many processes they are. Every
 * call is a span on both of its ends:
 *
 *     const struct vrpc_span *mine = vrpc_server_call_span(call);
 *     struct vrpc_span work;
 *
 *     vrpc_span_begin(&work, mine, vdl_str("look it up"));
 *     opts.span = &work;             calls made for this call say so
 *     …
 *     vrpc_span_annotatef(&work, "%d found", n);
 *     vrpc_span_end(&work);
 *
 * A store (one per program, given to its managers) keeps the spans of traces
 * that are collected: those whose root it has sampled, those with a span or an
 * annotation that a hook matches, and those that somebody has forced, here or
 * in another process. Who calls gets what the servers have collected with
 * their answers, where they let him, and so on up to the first caller. Of all
 * other traces, and without a store, only ids travel: that allocates nothing.
 *
 * The core reads no clock and has no regular expressions; hooks do.
 * vrpc_runtime_init() makes a store as the --v23.vtrace flags say.
 */
#ifndef VRPC_VTRACE_H
#define VRPC_VTRACE_H

#include <v23/log.h>
#include <v23/time.h>
#include <v23/vdl/v.io/v23/vtrace/vtrace.vdl.h>
#include <vrpc/iface.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_vtrace; /* a store */

/* ---- spans --------------------------------------------------------------- */

/*
 * In the caller's memory; may be copied to serve as a parent. Read the ids;
 * `metadata` may be set after the beginning (borrowed; it goes with the
 * requests of calls that have this span as parent, and no further).
 */
struct vrpc_span {
    struct vrpc_vtrace *store;          /* NULL: nothing is kept */
    v23_uniqueid_id trace, id, parent;  /* parent == trace: a root */
    struct vdl_str name;                /* borrowed until the end */
    struct vdl_bytes metadata;
    v23_time_time start;
};

/**
 * Begin a span below another, which may be in the same memory. Without a store
 * it is the parent by another name.
 * @param name  borrowed until vrpc_span_end()
 */
void vrpc_span_begin(struct vrpc_span *s, const struct vrpc_span *parent,
    struct vdl_str name);
/** Begin a trace of its own in a store, and its root. */
void vrpc_span_begin_trace(struct vrpc_span *s, struct vrpc_vtrace *v,
    struct vdl_str name);
/**
 * The span is over. One that is not ended stays in the store without an end.
 */
void vrpc_span_end(const struct vrpc_span *s);
/** Say what has happened; at most 4,096 bytes are kept. NULL is ignored. */
void vrpc_span_annotate(const struct vrpc_span *s, struct vdl_str text);
/** The same; at most 1,023 bytes. Formats only what may be kept. */
void vrpc_span_annotatef(const struct vrpc_span *s, const char *fmt, ...)
    V23_PRINTF(2, 3);
/**
 * Log a line, and annotate the span with it if its trace is collected with
 * that level (errors and warnings count as 0, information 1, the rest 2).
 * @param log  NULL: annotate only
 */
void vrpc_span_logf(const struct vrpc_span *s, const struct v23_log *log,
    enum v23_log_level level, const char *fmt, ...) V23_PRINTF(4, 5);
/** Is the trace of the span collected here? False for NULL. */
bool vrpc_span_collected(const struct vrpc_span *s);
/**
 * Collect the trace from now on, with annotations up to a level, here and by
 * the servers of calls made in it. The level of a trace that is collected
 * already stays.
 */
void vrpc_span_force(const struct vrpc_span *s, int level);

/* ---- the store ----------------------------------------------------------- */

struct vrpc_vtrace_config {
    const struct v23_alloc *al; /* NULL = libc */
    /* The time, random bytes (0, or anything else for failure). */
    void (*now)(void *ud, struct v23_now *out);
    int (*random)(void *ud, void *p, size_t n);
    /* Does the name of a span, or an annotation, make its trace worth
     * collecting? NULL = no. */
    bool (*match)(void *ud, struct vdl_str text);
    /* For a store that several threads use; else NULL both. The other hooks
     * then are called from those threads. */
    void (*lock)(void *ud);
    void (*unlock)(void *ud);
    void *ud;               /* of all hooks */
    double sample_rate;     /* of traces that begin here: 0 none, 1 all */
    int level;              /* of traces that nobody has forced */
    uint32_t max_traces;    /* least recently used ones go; 0 = 1,024 */
    uint32_t max_spans;     /* per trace, later ones are lost; 0 = 1,000 */
    uint32_t max_annotations; /* per trace; 0 = 4,000 */
    size_t trace_bytes;     /* per trace; 0 = 256 KiB */
    size_t bytes;           /* of all traces; 0 = 16 MiB */
};

/**
 * Make a store. It outlives the managers and spans that use it.
 * @return 0, V23_ENOMEM, V23_EARG (no hook for time or random bytes, a rate
 *         that is not 0..1)
 */
V23_MUST_USE int vrpc_vtrace_new(const struct vrpc_vtrace_config *cfg,
    struct vrpc_vtrace **out);
void vrpc_vtrace_free(struct vrpc_vtrace *v); /* NULL is ignored */

/**
 * Begin a trace whose root is the parent of calls that name none, and of
 * nothing else; once. Without it every such call is a trace of its own.
 * @param name  borrowed for the life of the store
 * @return the root, which lives as long as the store; end it at the end
 */
const struct vrpc_span *vrpc_vtrace_begin_root(struct vrpc_vtrace *v,
    struct vdl_str name);

/** Number of traces collected. */
size_t vrpc_vtrace_count(const struct vrpc_vtrace *v);
/**
 * The ids of all collected traces, the least recently used first, in `a`.
 * @return 0; V23_ENOMEM
 */
V23_MUST_USE int vrpc_vtrace_ids(struct vrpc_vtrace *v, struct v23_arena *a,
    const v23_uniqueid_id **out, size_t *n);
/**
 * A copy, in `a`, of what was collected of a trace so far.
 * @return 0; V23_ENOENT: nothing; V23_ENOMEM
 */
V23_MUST_USE int vrpc_vtrace_get(struct vrpc_vtrace *v,
    const v23_uniqueid_id *id, struct v23_arena *a,
    v23_vtrace_trace_record *out);
/**
 * Take in what another process has collected. Its flags may force collection;
 * else only a trace that is collected already takes more spans. Spans that are
 * known, and those beyond the limits, are dropped.
 */
void vrpc_vtrace_merge(struct vrpc_vtrace *v, const v23_vtrace_response *r);

/**
 * The object "__debug/vtrace", v.io/v23/services/vtrace.Store.
 * @param v  outlives the server that has the object
 */
struct vrpc_object vrpc_vtrace_object(struct vrpc_vtrace *v);

/* ---- for hosts ----------------------------------------------------------- */

struct vrpc_vtrace_regexp; /* an extended regular expression of POSIX */

/**
 * Compile one for the hook `match`.
 * @param why  receives what is wrong with it; at least 128 bytes
 * @return 0, V23_ETEXT (with why), V23_ENOMEM
 */
V23_MUST_USE int vrpc_vtrace_regexp_new(const char *text,
    struct vrpc_vtrace_regexp **out, char *why);
bool vrpc_vtrace_regexp_match(const struct vrpc_vtrace_regexp *r,
    struct vdl_str text);
void vrpc_vtrace_regexp_free(struct vrpc_vtrace_regexp *r); /* NULL ignored */

#ifdef __cplusplus
}
#endif
#endif
