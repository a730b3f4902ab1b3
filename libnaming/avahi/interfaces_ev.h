/* BSD-3-Clause; see LICENSE. */
/* The network interfaces of this machine. */
#ifndef VNAME_INTERFACES_EV_H
#define VNAME_INTERFACES_EV_H

#include <avahi-common/address.h>
#include <avahi-common/strlst.h>
#include <v23/bytes.h>

struct event_base;

/** Append the highest hardware address, as HEAD orders them, without colons. */
void vname_put_hardware_(struct v23_buf *out);
/** Names of the loopback interfaces; NULL = none. */
AvahiStringList *vname_loopbacks_(void);

/** Call `fn` with every address of the interfaces that mDNS uses: those of the
 * loopback, or all others. Other than 0 ends the walk and is returned. */
int vname_each_address_(bool loopback,
    int (*fn)(void *ud, AvahiIfIndex interface, const AvahiAddress *a),
    void *ud);

/* Looks for changes of addresses. */
struct vname_news_;
/** Call `fn` some time after a change. NULL: there will be no news. */
struct vname_news_ *vname_news_new_(struct event_base *base,
    void (*fn)(void *ud), void *ud);
void vname_news_free_(struct vname_news_ *n); /* NULL is ignored */

#endif
