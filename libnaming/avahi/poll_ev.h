/* BSD-3-Clause; see LICENSE. */
/* avahi's interface to event loops, on libevent. */
#ifndef VNAME_POLL_EV_H
#define VNAME_POLL_EV_H

#include <avahi-common/watch.h>

struct event_base;

/** Fill in the functions; the base outlives what is made with them. */
void vname_poll_init_(AvahiPoll *p, struct event_base *base);

#endif
