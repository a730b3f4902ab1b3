/* BSD-3-Clause; see LICENSE. */
/**
 * What was collected of a trace as a tree of spans, and as text.
 * Source: spec/services.md 9.4.
 *
 * Records may come from anybody: cycles, duplicates and spans without parents
 * are put in order, nothing recurses, and times may be any.
 */
#ifndef VRPC_VTRACE_TEXT_H
#define VRPC_VTRACE_TEXT_H

#include <v23/time.h>
#include <v23/vdl/v.io/v23/vtrace/vtrace.vdl.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A span in its tree. Children are in the order of their start. */
struct vrpc_vtrace_node {
    const v23_vtrace_span_record *span; /* never NULL */
    struct vrpc_vtrace_node *parent;    /* NULL: the root */
    struct vrpc_vtrace_node *child;     /* first one, or NULL */
    struct vrpc_vtrace_node *next;      /* of the same parent, or NULL */
    /* By time; there are span->annotations.n. */
    const v23_vtrace_annotation *const *annotations;
    uint32_t depth; /* 0: the root */
    bool missing;   /* invented: "Missing Root Span", "Missing Data" */
};

/**
 * Build the tree of a trace.
 *
 * The root is the span whose parent is the trace, the earliest if there are
 * several; without one a span named "Missing Root Span" that starts with the
 * earliest span. Spans whose parent was not collected are children of a span
 * "Missing Data" below the root, one for each such parent, behind the spans that
 * are known to be there. Of several spans with one id the first counts.
 *
 * @param t     borrowed for as long as the tree
 * @param root  never NULL on success
 * @return 0; V23_ENOMEM; V23_ELIMIT: the arena's budget
 *
 * Allocates: about 200 bytes for each span, in `a`. Cost: n log n.
 */
V23_MUST_USE int vrpc_vtrace_tree(const v23_vtrace_trace_record *t,
    struct v23_arena *a, const struct vrpc_vtrace_node **root);
/**
 * The node behind `n` when a tree is written line by line: its first child,
 * else the next one of its parent, and so on; NULL behind the last.
 */
const struct vrpc_vtrace_node *vrpc_vtrace_node_next(
    const struct vrpc_vtrace_node *n);

/* A zone of times: what a clock on the wall says at an instant. */
struct vrpc_zone {
    int32_t offset_s; /* east of Greenwich */
    char name[16];    /* "CET" */
};
typedef void vrpc_zone_fn(struct v23_walltime t, struct vrpc_zone *out);
/** The zone of this process ($TZ); for hosts. */
void vrpc_zone_local(struct v23_walltime t, struct vrpc_zone *out);

/** An instant is none when it is the zero of time.Time. */
bool vrpc_vtrace_no_time(v23_time_time t);
/** Nanoseconds from `from` to `to`, saturating. */
int64_t vrpc_vtrace_delta_ns(v23_time_time from, v23_time_time to);

/**
 * Append the text of a trace: a line "Trace - 0x<id> (<start>, <end>)", and
 * the spans below the root with their annotations, 4 blanks for each level.
 * Control characters of names and messages become blanks, line ends of
 * messages stay and what follows is indented.
 *
 * @param zone     NULL = UTC
 * @param scratch  may be reset afterwards
 * @return 0; V23_ENOMEM, V23_ELIMIT: the tree does not fit; `out` has its own
 *         sticky error
 */
V23_MUST_USE int vrpc_vtrace_put(struct v23_buf *out,
    const v23_vtrace_trace_record *t, vrpc_zone_fn *zone,
    struct v23_arena *scratch);
/**
 * Append all traces behind a line "Vtrace traces:"; nothing if there are none.
 */
V23_MUST_USE int vrpc_vtrace_put_all(struct v23_buf *out,
    const v23_vtrace_trace_record *v, size_t n, vrpc_zone_fn *zone,
    struct v23_arena *scratch);

#ifdef __cplusplus
}
#endif
#endif
