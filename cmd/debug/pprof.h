/* BSD-3-Clause; see LICENSE. */
/* Profiles of a server, for programs that fetch them over HTTP. */
#ifndef DEBUG_PPROF_H
#define DEBUG_PPROF_H

#include <vname/program.h>

#include "web.h"

struct proxy {
    struct vrpc_client *client;
    const char *name; /* of the pprof object */
    struct web *web;
};

/** Serve the profiles of an object under http://ADDRESS/pprof. 0, or 1 after a
 * message. */
int proxy_open(struct proxy *x, struct vname_program *p, const char *name);
void proxy_close(struct proxy *x);
/**
 * Answer with what a profile consists of, or 503 and the reason.
 * @param profile  "profile" is the processor's, for that many seconds
 */
void proxy_send_profile(struct vrpc_client *client, const char *name,
    struct web_req *q, const char *profile, const char *const *headers);

#endif
