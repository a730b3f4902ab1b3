/* BSD-3-Clause; see LICENSE. */
/* Between the manager's files: manager.c, session.c, dial*.c, tunnel.c. */
#ifndef VRPC_DIAL_INT_H
#define VRPC_DIAL_INT_H

#include "rpc_int.h"

/* session.c */
/* A session with a new connection; remote NULL: accepted. */
V23_MUST_USE int vrpc_session_new_(struct vrpc_manager *m,
    struct vrpc_link *link, const struct vrpc_endpoint *local,
    const struct vrpc_endpoint *remote, struct vrpc_session_ **out);
/* Close the oldest connection that was accepted and is in the handshake, if it
 * has had this time (in ns); false: there is none such. */
bool vrpc_session_drop_stranger_(struct vrpc_manager *m, int64_t time);

/* dial.c */
/* The hooks of a connection in the handshake. */
V23_MUST_USE int vrpc_dial_authorize_(struct vrpc_session_ *s,
    struct v23_op op);
void vrpc_dial_ready_(struct vrpc_session_ *s);
void vrpc_dial_failed_(struct vrpc_session_ *s, int status, const char *why);
/* The peer has presented its discharges, or the connection is gone. */
void vrpc_dial_settled_(struct vrpc_session_ *s);
/* End all dials. */
void vrpc_dials_fail_(struct vrpc_manager *m, int rc, const char *why);
/* The endpoint of each dial under way. */
void vrpc_dials_each_(const struct vrpc_manager *m,
    void (*fn)(void *ud, const struct vrpc_endpoint *ep), void *ud);

/* dial_failure.c */
/* A dial has failed. */
void vrpc_failure_note_(struct vrpc_manager *m,
    const struct vrpc_endpoint *ep, int rc, const char *why);
void vrpc_failures_fini_(struct vrpc_manager *m);

#endif
