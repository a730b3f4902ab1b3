/* BSD-3-Clause; see LICENSE. */
/**
 * A websocket without I/O: the opening handshake, then messages in frames
 * (spec/rpc.md 2.3, RFC 6455). Its owner moves the bytes, and ends the
 * transport when vrpc_ws_input() fails or the time for the handshake is over.
 *
 * It hosts wslay, so it is left out where libevent is; the functions about a
 * request to become a websocket are always there.
 */
#ifndef VRPC_WEBSOCKET_H
#define VRPC_WEBSOCKET_H

#include <vrpc/http_head.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsec_engine;

/* ---- requests ------------------------------------------------------------ */

/* What keeps a GET request from being an opening handshake. */
enum vrpc_ws_fault {
    VRPC_WS_FINE,
    VRPC_WS_NO_UPGRADE, /* it asks for something else */
    VRPC_WS_VERSION,    /* another one than 13, or none */
    VRPC_WS_KEY         /* missing or malformed */
};
enum vrpc_ws_fault vrpc_ws_fault(const struct vrpc_http_head *h);
/**
 * Append the answer that accepts a handshake without fault.
 *
 * @param protocol  subprotocol that is selected; NULL = none
 * @return 0; V23_ENOSYS (no SHA-1); `out`'s error
 */
V23_MUST_USE int vrpc_ws_accept(const struct vsec_engine *e,
    const struct vrpc_http_head *h, const char *protocol,
    struct v23_buf *out);

/* ---- frames -------------------------------------------------------------- */

struct vrpc_ws;

/* Run inside vrpc_ws_input(); must not free the websocket. */
struct vrpc_ws_hooks {
    /* Messages may be sent. 0, or the status to end with. */
    int (*open)(void *ud);
    /* A message; p is for the callee to clobber. 0 or a status. */
    int (*message)(void *ud, uint8_t *p, size_t n);
    /* Most octets that the next message may have. */
    size_t (*limit)(void *ud);
    /* A ping was answered; NULL = nobody wants to know. */
    void (*pong)(void *ud);
};

struct vrpc_ws_config {
    struct vsec_engine *engine; /* reference taken: random octets, SHA-1 */
    const struct v23_alloc *al; /* NULL = libc */
    const struct vrpc_ws_hooks *hooks; /* must outlive it */
    void *ud;
    /* Client: "host:port" for the request. Server: NULL. */
    const struct vdl_str *address;
    /* Client: what else it says there; NULL = "/", none. No blanks or control
     * characters. */
    const char *path, *origin;
    /* Messages are text. Those that come binary are taken for text, too; all
     * must be UTF-8. Else messages are binary, and text is refused. */
    bool text;
    /* Server: the handshake is over (vrpc_ws_accept()), frames follow; the
     * hook `open` is not called. */
    bool upgraded;
};

/**
 * @return 0, V23_ENOMEM, V23_EENDPOINT (not an address), the random source's
 *         error
 */
V23_MUST_USE int vrpc_ws_new(const struct vrpc_ws_config *cfg,
    struct vrpc_ws **out);
/** NULL is ignored. */
void vrpc_ws_free(struct vrpc_ws *ws);

/**
 * Bytes of the peer.
 *
 * @param scratch  for putting messages together, as long as the call takes;
 *                 nothing is kept there
 * @param why      a text may be written there, with a failure
 * @return 0, or why the transport is to end, once what vrpc_ws_output() yields
 *         is sent: V23_ECLOSED (the peer said so), V23_EPROTO, V23_EFRAME
 *         (message too long), V23_ETEXT (not UTF-8), V23_ENOMEM, what a hook
 *         returned
 */
V23_MUST_USE int vrpc_ws_input(struct vrpc_ws *ws, const uint8_t *p, size_t n,
    struct v23_buf *scratch, const char **why);
/**
 * Append a message as a frame; when the websocket is open only.
 * @return 0, `out`'s error (nothing is appended), the random source's
 */
V23_MUST_USE int vrpc_ws_send(struct vrpc_ws *ws, const uint8_t *p, size_t n,
    struct v23_buf *out);
/** Ask for a pong. */
void vrpc_ws_ping(struct vrpc_ws *ws);
/**
 * Say good-bye; the first time, if the websocket is open.
 * @param code  of RFC 6455 7.4
 * @param why   what does not fit into 123 octets is left out
 */
void vrpc_ws_close(struct vrpc_ws *ws, unsigned code, const char *why);
/** Handshake, pings, answers to pings, close: is there some? */
bool vrpc_ws_wants_output(const struct vrpc_ws *ws);
/** Append it. 0 or `out`'s error. */
V23_MUST_USE int vrpc_ws_output(struct vrpc_ws *ws, struct v23_buf *out);

#ifdef __cplusplus
}
#endif
#endif
