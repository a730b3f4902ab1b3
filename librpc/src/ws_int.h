/* BSD-3-Clause; see LICENSE. */
/*
 * A websocket without I/O: the opening handshake, then messages in frames
 * (spec/rpc.md 2.3). Its owner moves the bytes and ends the transport when
 * vrpc_ws_input_() fails or the time for the handshake is over.
 *
 * It hosts wslay, so it is left out where libevent is.
 */
#ifndef VRPC_WS_INT_H
#define VRPC_WS_INT_H

#include "upgrade_int.h"

struct vrpc_ws_;

/* Run inside vrpc_ws_input_(); must not free the websocket. */
struct vrpc_ws_hooks_ {
    /* Messages may be sent. 0, or the status to end with. */
    int (*open)(void *ud);
    /* A message; p is for the callee to clobber. 0 or a status. */
    int (*message)(void *ud, uint8_t *p, size_t n);
    /* Most octets that the next message may have. */
    size_t (*limit)(void *ud);
};

/*
 * @param hooks    must outlive it
 * @param engine   reference taken: random octets, SHA-1
 * @param address  client: "host:port" for the request. Server: NULL.
 * 0, V23_ENOMEM, V23_EENDPOINT (not an address), the random source's error
 */
V23_MUST_USE int vrpc_ws_new_(struct vsec_engine *engine,
    const struct v23_alloc *al, const struct vrpc_ws_hooks_ *hooks, void *ud,
    const struct vdl_str *address, struct vrpc_ws_ **out);
void vrpc_ws_free_(struct vrpc_ws_ *ws); /* NULL is ignored */

/*
 * Bytes of the peer.
 *
 * @param scratch  for putting messages together, as long as the call takes;
 *                 nothing is kept there
 * 0, or why the transport is to end, once what vrpc_ws_output_() yields is
 * sent: V23_ECLOSED (the peer said so), V23_EPROTO, V23_EFRAME (message too
 * long), V23_ENOMEM, what a hook returned; then *why may be set to a text.
 */
V23_MUST_USE int vrpc_ws_input_(struct vrpc_ws_ *ws, const uint8_t *p,
    size_t n, struct v23_buf *scratch, const char **why);
/* Append a message as a frame; after `open` only. 0, `out`'s error (nothing
 * is appended), the random source's. */
V23_MUST_USE int vrpc_ws_send_(struct vrpc_ws_ *ws, const uint8_t *p,
    size_t n, struct v23_buf *out);
/* Say good-bye as the reference does: going away, "EOF". Once. */
void vrpc_ws_close_(struct vrpc_ws_ *ws);
/* Handshake, answers to pings, close: is there some; append it. */
bool vrpc_ws_wants_output_(const struct vrpc_ws_ *ws);
V23_MUST_USE int vrpc_ws_output_(struct vrpc_ws_ *ws, struct v23_buf *out);

#endif
