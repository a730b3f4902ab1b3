/* BSD-3-Clause; see LICENSE. */
/* Objects below __debug; shared by debug*.c. */
#ifndef VRPC_DEBUG_INT_H
#define VRPC_DEBUG_INT_H

#include <vrpc/debug.h>

#include "server_int.h"

/* An object that was looked up; lives in the arena of the lookup. */
struct vrpc_debug_object_ {
    struct vrpc_debug *d;
    struct vdl_str suffix; /* behind "stats/" and so on */
};

/* A call that takes longer: it waits for the window, or for time to pass. */
struct vrpc_debug_run_ {
    struct vrpc_debug *d;
    struct vrpc_server_call *call;
    struct vrpc_timer_ timer;
    /* There is room again (`timed` false), or the time has come. */
    void (*go)(struct vrpc_debug_run_ *r, bool timed);
    /* The call is about to end: release what the run has. */
    void (*end)(struct vrpc_debug_run_ *r);
    const void *out; /* results, if there is no error */
};

struct vrpc_debug {
    struct vrpc_debug_config cfg;
    struct vrpc_dispatcher dispatcher, stats_dispatcher;
    uint32_t nruns;
};

/*
 * Begin; `r` lives in the call's arena, with go and end set. Not NULL: why it
 * cannot be, and nothing is to be released.
 */
const struct v23_verror *vrpc_debug_run_start_(struct vrpc_debug_run_ *r,
    struct vrpc_debug *d, struct vrpc_server_call *call);
/* Come back after so long. */
void vrpc_debug_run_wait_(struct vrpc_debug_run_ *r, int64_t ns);
/* Reply and forget; err in the call's arena, or NULL. */
void vrpc_debug_run_finish_(struct vrpc_debug_run_ *r,
    const struct v23_verror *err);
/* An error of id Unknown: what the reference makes of a plain text. */
const struct v23_verror *vrpc_debug_failed_(struct vrpc_server_call *call,
    const char *what, struct vdl_str detail);

struct vrpc_object vrpc_debug_stats_(struct vrpc_debug_object_ *o);
struct vrpc_object vrpc_debug_logs_(struct vrpc_debug_object_ *o);
struct vrpc_object vrpc_debug_pprof_(struct vrpc_debug_object_ *o);
struct vrpc_object vrpc_debug_http_(struct vrpc_debug_object_ *o);

#endif
