/* BSD-3-Clause; see LICENSE. */
/* Ids, the spans of calls, and what spans ask of the store. */
#ifndef VRPC_VTRACE_INT_H
#define VRPC_VTRACE_INT_H

#include <v23/uniqueid.h>
#include <vrpc/vtrace.h>

/* ---- ids (spec/rpc.md 22) ------------------------------------------------ */

/*
 * Where ids come from, and spans go to. Every manager has one of its own, so
 * that loops need not agree on the next id.
 */
struct vrpc_tracer_ {
    struct vrpc_vtrace *store; /* may be NULL */
    struct v23_uniqueids ids;
};

/* ---- spans of calls (vtrace.c) ------------------------------------------- */

/* The ids of a span for a call that we make; parent may be NULL. */
void vrpc_span_client_(struct vrpc_tracer_ *tr, const struct vrpc_span *parent,
    struct v23_walltime now, struct vrpc_span *out);
/* The same for one that we serve. */
void vrpc_span_server_(struct vrpc_tracer_ *tr, const v23_vtrace_request *req,
    struct v23_walltime now, struct vrpc_span *out);
/* May the store keep what happens in the span? Else it needs no name. */
bool vrpc_span_live_(const struct vrpc_span *s);
/* The same for one that begins: if it is a root, lots are drawn. */
bool vrpc_span_wanted_(const struct vrpc_span *s);
/* It begins, with its name; metadata is what the caller has sent. */
void vrpc_span_start_(const struct vrpc_span *s, struct vdl_bytes metadata);
/* What a request made in the span says. */
void vrpc_span_request_(const struct vrpc_span *s, v23_vtrace_request *out);

/* ---- the store (vtrace_store.c) ------------------------------------------ */

v23_time_time vrpc_store_now_(struct vrpc_vtrace *v);
void vrpc_store_id_(struct vrpc_vtrace *v, v23_uniqueid_id *out);
/* The parent of calls that name none; NULL: there is none. */
const struct vrpc_span *vrpc_store_root_(const struct vrpc_vtrace *v);
/* Do names and annotations have to be looked at? */
bool vrpc_store_matches_(const struct vrpc_vtrace *v);
/* Is the trace collected? With which level? */
bool vrpc_store_has_(struct vrpc_vtrace *v, const v23_uniqueid_id *trace,
    int *level);
void vrpc_store_force_(struct vrpc_vtrace *v, const v23_uniqueid_id *trace,
    int level);
/* A new root: draw lots. */
void vrpc_store_sample_(struct vrpc_vtrace *v, const struct vrpc_span *s);
void vrpc_store_start_(struct vrpc_vtrace *v, const struct vrpc_span *s,
    struct vdl_bytes metadata);
void vrpc_store_end_(struct vrpc_vtrace *v, const struct vrpc_span *s);
void vrpc_store_note_(struct vrpc_vtrace *v, const struct vrpc_span *s,
    struct vdl_str text);
/* A copy of the span and of all below it. 0, V23_ENOENT, V23_ENOMEM. */
V23_MUST_USE int vrpc_store_below_(struct vrpc_vtrace *v,
    const struct vrpc_span *s, struct v23_arena *a,
    v23_vtrace_trace_record *out);

#endif
