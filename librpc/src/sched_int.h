/* BSD-3-Clause; see LICENSE. */
/*
 * Small schedulers of a manager: a heap of timers, a queue of functions to run
 * once the present caller has returned, and a table of operations that hooks
 * complete later. Private to librpc.
 */
#ifndef VRPC_SCHED_INT_H
#define VRPC_SCHED_INT_H

#include <v23/alloc.h>
#include <v23/op.h>
#include <v23/time.h>

#include <stdbool.h>

/* ---- timers: binary heap of embedded nodes ------------------------------- */

struct vrpc_timer_ {
    int64_t at;
    size_t pos; /* index in the heap + 1; 0 = not set */
    void (*fn)(void *ud);
    void *ud;
};

struct vrpc_timers_ {
    const struct v23_alloc *al;
    struct vrpc_timer_ **v;
    size_t n, cap;
    size_t known; /* timers that exist: the heap has room for all of them */
};

void vrpc_timers_init_(struct vrpc_timers_ *h, const struct v23_alloc *al);
void vrpc_timers_fini_(struct vrpc_timers_ *h);
/* Announce a timer, so that setting it later cannot fail; V23_ENOMEM. */
V23_MUST_USE int vrpc_timer_init_(struct vrpc_timers_ *h,
    struct vrpc_timer_ *t, void (*fn)(void *ud), void *ud);
/* Stop it and take it back (harmless on a zeroed timer). */
void vrpc_timer_fini_(struct vrpc_timers_ *h, struct vrpc_timer_ *t);
/* (Re)arm; V23_NEVER stops. */
void vrpc_timer_set_(struct vrpc_timers_ *h, struct vrpc_timer_ *t,
    int64_t at);
/* Time of the first timer, V23_NEVER when there is none. */
int64_t vrpc_timers_next_(const struct vrpc_timers_ *h);
/* Run the first timer that is due; false when none is. */
bool vrpc_timers_run_(struct vrpc_timers_ *h, int64_t now);

/* ---- deferred functions -------------------------------------------------- */

struct vrpc_task_ {
    struct vrpc_task_ *next, **link; /* link != NULL: queued */
    void (*fn)(void *ud);
    void *ud;
};

struct vrpc_tasks_ {
    struct vrpc_task_ *first, **tail;
    struct vrpc_task_ mark; /* behind the last one to run now */
};

void vrpc_tasks_init_(struct vrpc_tasks_ *q);
/* Queue; a task that is queued already stays where it is. */
void vrpc_task_post_(struct vrpc_tasks_ *q, struct vrpc_task_ *t);
void vrpc_task_drop_(struct vrpc_tasks_ *q, struct vrpc_task_ *t);
/* Run the tasks queued at the time of the call. */
void vrpc_tasks_run_(struct vrpc_tasks_ *q);

/* ---- operations ---------------------------------------------------------- */

struct vrpc_opslot_ {
    void *owner;
    uint32_t generation;
    uint16_t kind;  /* 0 = free */
    uint32_t next;  /* free list */
};

struct vrpc_ops_ {
    const struct v23_alloc *al;
    struct vrpc_opslot_ *v;
    size_t n, cap;
    uint32_t free; /* index + 1 */
};

void vrpc_ops_init_(struct vrpc_ops_ *o, const struct v23_alloc *al);
void vrpc_ops_fini_(struct vrpc_ops_ *o);
/* A new operation of a kind (≥ 1); V23_ENOMEM. */
V23_MUST_USE int vrpc_op_new_(struct vrpc_ops_ *o, unsigned kind, void *owner,
    struct v23_op *out);
/* Owner of a live operation of that kind, else NULL; the operation stays. */
void *vrpc_op_owner_(const struct vrpc_ops_ *o, struct v23_op op,
    unsigned kind);
/* End an operation and clear *op; nothing happens on a stale one. */
void vrpc_op_end_(struct vrpc_ops_ *o, struct v23_op *op);

static inline bool vrpc_op_live_(struct v23_op op)
{
    return op.generation != 0;
}

#endif
