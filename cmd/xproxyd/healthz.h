/* BSD-3-Clause; see LICENSE. */
/* A web server that says that the process lives, for load balancers. */
#ifndef HEALTHZ_H
#define HEALTHZ_H

#include <v23/log.h>
#include <v23/err.h>

struct event_base;
struct healthz;

/*
 * Answer every request at "host:port" or ":port" with "ok"; who is slow is cut
 * off after 10 s. The address is written to the log.
 * 0; V23_ENOMEM; V23_EARG: not an address; V23_ESYS: cannot listen there
 */
V23_MUST_USE int healthz_start(struct event_base *base,
    const struct v23_log *log, const char *address, struct healthz **out);
void healthz_stop(struct healthz *h); /* NULL is ignored */

#endif
