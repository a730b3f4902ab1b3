/* BSD-3-Clause; see LICENSE. */
/* What the sources of the echo server share. */
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include <stdatomic.h>

#include <vname/program.h>
#include <vrpc/discharger.h>
#include <vrpc/server.h>

#include "example.org/oracle/echo/echo.rpc.h"

#define ECHO_PKG "example.org/oracle/echo"

/* A name of the little tree, as a suffix. */
struct echo_node {
    const char *name;
    const char *const *children; /* ends with NULL; never NULL itself */
    bool denied; /* its children may not be seen */
};

#define ECHO_NODES 8
/* Sorted by name; the first one is the root. */
extern const struct echo_node echo_tree[ECHO_NODES];

#define ECHO_LOOPS 64

struct echo_server {
    struct vname_program *p;
    bool quiet;
    bool discharger;
    struct vrpc_discharger discharge;
    const struct vsec_authorizer *auth; /* of Echo objects; NULL = default */
    struct vrpc_flags_auth perms;       /* storage for `auth` */
    struct {
        atomic_llong calls, cancels, deadlines, fails, loops;
    } count; /* from several threads */
    _Atomic(const void *) loops[ECHO_LOOPS]; /* that have served a call */
};

/* Log a call; and count it. */
void echo_log(const struct echo_server *s,
    const struct vrpc_server_call *call);
void echo_enter(struct echo_server *s, const struct vrpc_server_call *call);

/* methods.c, streams.c */
extern const echo_echo_vt echo_methods;
const struct v23_verror *echo_stream_echo(void *self,
    struct vrpc_server_call *call, echo_echo_stream_echo_out *out);
void echo_stream_echo_item(void *self, struct vrpc_server_call *call,
    const struct vdl_any *item);
const struct v23_verror *echo_stream_echo_bytes(void *self,
    struct vrpc_server_call *call, echo_echo_stream_echo_bytes_out *out);
void echo_stream_echo_bytes_item(void *self, struct vrpc_server_call *call,
    const struct vdl_bytes *item);
const struct v23_verror *echo_stream_sum(void *self,
    struct vrpc_server_call *call, echo_echo_stream_sum_out *out);
void echo_stream_sum_item(void *self, struct vrpc_server_call *call,
    const int64_t *item);
const struct v23_verror *echo_stream_count(void *self,
    struct vrpc_server_call *call, const echo_echo_stream_count_in *in);
const struct v23_verror *echo_stream_bytes(void *self,
    struct vrpc_server_call *call, const echo_echo_stream_bytes_in *in);
const struct v23_verror *echo_stream_fail(void *self,
    struct vrpc_server_call *call, const echo_echo_stream_fail_in *in);

/* sleep.c */
const struct v23_verror *echo_sleep(void *self,
    struct vrpc_server_call *call, const echo_echo_sleep_in *in,
    echo_echo_sleep_out *out);

/* errors.c: the error of a kind (see the README); NULL for "ok" */
const struct v23_verror *echo_fail(struct echo_server *s,
    struct vrpc_server_call *call, struct vdl_str kind);
/* The error of a call that was cancelled, or whose deadline passed. */
const struct v23_verror *echo_gone(struct vrpc_server_call *call, int reason);

/* glob.c: objects are told apart by their `self` */
struct echo_object {
    struct echo_server *server; /* first member: what methods need */
    const struct echo_node *node;
};
extern const struct vrpc_globber echo_children; /* of an echo_object */
extern const struct vrpc_globber echo_all;      /* of the object `all` */

#endif
