/* BSD-3-Clause; see LICENSE. */
/**
 * The life of a process as others see it: who is asked to end it, and how far
 * its end has got. Does no I/O. Source: spec/services.md 4.2.
 *
 * A program has one in its run time (vrpc/runtime.h), which also serves it
 * where the parent process asks for that.
 */
#ifndef VRPC_APPCYCLE_H
#define VRPC_APPCYCLE_H

#include <vrpc/iface.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_appcycle;

struct vrpc_appcycle_config {
    const struct v23_alloc *al; /* NULL = libc */
    /* Stop was called. May run from inside a call being served. */
    void (*stop)(void *ud);
    /* ForceStop was called: ends the process and does not return, so the
     * caller gets no answer; where it does return, an error. */
    void (*force_stop)(void *ud);
    void *ud;
};

V23_MUST_USE int vrpc_appcycle_new(const struct vrpc_appcycle_config *cfg,
    struct vrpc_appcycle **out);
/** Ends the calls of Stop as vrpc_appcycle_end() does. NULL is ignored. */
void vrpc_appcycle_free(struct vrpc_appcycle *ac);
/** Its AppCycle object, to be served for its life. */
struct vrpc_object vrpc_appcycle_object(struct vrpc_appcycle *ac);
/**
 * There are `steps` more until the end, or so many have been done; less than
 * one is ignored. Whoever has called Stop is told. A client that reads too
 * slowly misses steps in between.
 */
void vrpc_appcycle_advance_goal(struct vrpc_appcycle *ac, int32_t steps);
void vrpc_appcycle_advance_progress(struct vrpc_appcycle *ac, int32_t steps);
/** The process ends: the calls of Stop end, and later ones at once. */
void vrpc_appcycle_end(struct vrpc_appcycle *ac);

#ifdef __cplusplus
}
#endif
#endif
