/* BSD-3-Clause; see LICENSE. */
/*
 * The opening handshake of a websocket that carries a connection, both sides,
 * without I/O (spec/rpc.md 2.3, RFC 6455 section 4).
 */
#ifndef VRPC_UPGRADE_INT_H
#define VRPC_UPGRADE_INT_H

#include <vrpc/http_head.h>
#include <vsec/crypto.h>

struct vrpc_upgrade_ {
    struct v23_buf head;  /* what has come of the peer's */
    struct vsec_engine *engine; /* borrowed */
    bool server;
    char key[25];         /* client: sent; NUL-terminated */
    const char *path, *origin; /* client: or NULL */
};

void vrpc_upgrade_init_(struct vrpc_upgrade_ *u, struct vsec_engine *e,
    const struct v23_alloc *al, bool server);
void vrpc_upgrade_fini_(struct vrpc_upgrade_ *u);
/*
 * Client: append the request for "host:port". 0, V23_EENDPOINT (the text would
 * not pass for a host), what the random source or `out` returned.
 */
V23_MUST_USE int vrpc_upgrade_request_(struct vrpc_upgrade_ *u,
    struct vdl_str address, struct v23_buf *out);
/*
 * Take bytes of the peer's head; *used of them. A server's answer, also a
 * refusal, is appended to `out`.
 *
 * 0: done, websocket frames follow; V23_EAGAIN: more is needed; V23_EPROTO:
 * refused, *why says it; V23_ENOMEM; V23_ENOSYS (no SHA-1).
 */
V23_MUST_USE int vrpc_upgrade_input_(struct vrpc_upgrade_ *u,
    const uint8_t *p, size_t n, size_t *used, struct v23_buf *out,
    const char **why);

#endif
