/* BSD-3-Clause; see LICENSE. */
/*
 * Connections whose transport is a flow of another connection. Private to
 * librpc.
 */
#ifndef VRPC_TUNNEL_INT_H
#define VRPC_TUNNEL_INT_H

#include "dial_int.h"

/* All tunnels of a manager. */
struct vrpc_tunnels_ {
    struct vrpc_tunnel_ *first;
    struct v23_buf buf; /* the message on its way from one to the other */
    bool busy;          /* it is in use */
};

/*
 * Dial over a flow opened for it on `outer`, which leads to a proxy.
 * @return 0: *out is in the handshake; what vrpc_flow_open() returns;
 *         V23_ENOMEM, …
 */
V23_MUST_USE int vrpc_tunnel_dial_(struct vrpc_session_ *outer,
    const struct vrpc_endpoint *remote, struct vrpc_session_ **out);
/* A flow that a proxy opened carries a connection to our server; the flow is
 * taken in any case. For the hook flow_opened. */
void vrpc_tunnel_accept_(struct vrpc_session_ *outer, struct vrpc_flow *f);
/* Longest message that the transport of a tunnelled connection takes. */
uint32_t vrpc_tunnel_mtu_(const struct vrpc_link *l);
/* The manager goes: give everything back. */
void vrpc_tunnels_fini_(struct vrpc_manager *m);

#endif
