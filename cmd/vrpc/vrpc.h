/* BSD-3-Clause; see LICENSE. */
/* What the commands of vrpc share: a server, and waiting for its answers. */
#ifndef VRPC_TOOL_H
#define VRPC_TOOL_H

#include <v23/vdl/signature/signature.vdl.h>
#include <vname/program.h>

/* Flags. */
struct options {
    bool json, shallow, insecure, show_reserved;
    int64_t timeout_ns;
};
extern struct options options;

/* A server that is talked to. */
struct remote {
    struct vname_program *p;
    struct vdl_str name;
    struct vrpc_call_opts opts;
    vdl_str_list servers;   /* with -s */
    struct v23_arena arena; /* until remote_close() */
    int rc;                 /* exit code so far */
};

/* The functions below return 0, or an exit code after an error message. */

/** Set deadline and options, and resolve the name as -s asks. */
int remote_open(struct remote *r, struct vname_program *p, const char *name);
void remote_close(struct remote *r);
/**
 * Call a method that has one result.
 *
 * @param arg  a string argument; NULL = no argument
 * @param t    type of *out, which is made in the arena
 * @param op   what failed, in the error message
 */
int remote_ask(struct remote *r, const char *method, const char *arg,
    const struct vdl_type *t, void *out, const char *op);
/** Ask for the signature of a method. */
int remote_method(struct remote *r, const char *method,
    v23_signature_method *out);
/** Write a buffer to stdout and free it, or report its error. */
int print_out(struct v23_buf *out, int rc);

int run_signature(void *ud, const struct v23_invocation *inv, int argc,
    char **argv);
int run_call(void *ud, const struct v23_invocation *inv, int argc,
    char **argv);
int run_identify(void *ud, const struct v23_invocation *inv, int argc,
    char **argv);

#endif
