/* BSD-3-Clause; see LICENSE. */
/* Questions: calls with one result of a known type, to servers whose
 * interfaces are not. */
#ifndef VRPC_ASK_H
#define VRPC_ASK_H

#include <vom/value.h>
#include <vrpc/client.h>

/* One question; the caller's memory until `done`. */
struct ask {
    const struct vdl_type *type; /* of *out */
    void *out;
    struct v23_arena *arena; /* where *out is made */
    /* err: what the server said; else rc: 0, or why its answer is none. */
    void (*done)(void *ud, const struct v23_verror *err, int rc);
    void *ud;
};

/**
 * Ask.
 * @param arg  a string argument; NULL = no argument
 * @return NULL when memory is short: then `done` does not run
 */
struct vrpc_call *ask_start(struct ask *q, struct vrpc_client *c,
    struct vdl_str name, const char *method, const char *arg,
    const struct vrpc_call_opts *opts);

#endif
