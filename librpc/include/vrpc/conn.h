/* BSD-3-Clause; see LICENSE. */
/**
 * One connection of the flow protocol, without I/O.
 *
 * A struct vrpc_conn turns received bytes into flows and flows into bytes to
 * send. It owns no socket, reads no clock, starts no thread. Its owner (the
 * event adapter, a firmware's main loop, a test) uses four verbs:
 *
 *     vrpc_conn_input          bytes that arrived
 *     vrpc_conn_output         bytes to send
 *     vrpc_conn_next_deadline  when to call
 *     vrpc_conn_tick           time has passed
 *
 * and is told what happens by hooks. Hooks run inside the four verbs, never
 * inside vrpc_flow_*, vrpc_conn_close or the other verbs (but `wake`, see
 * there). A hook may use every function of the connection, also
 * vrpc_conn_free, which then takes effect when the verb returns.
 *
 * Plaintext waits in the flows' own buffers; sealing happens in
 * vrpc_conn_output, in sequence, straight into the caller's buffer.
 *
 * Thread: a connection, its flows and its hooks belong to one thread.
 * Source: spec/rpc.md 2-13, 26.
 */
#ifndef VRPC_CONN_H
#define VRPC_CONN_H

#include <v23/bytes.h>
#include <v23/log.h>
#include <v23/op.h>
#include <v23/time.h>
#include <vrpc/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsec_blessings;
struct vsec_chain_cache;
struct vsec_discharge;
struct vsec_principal;
struct vrpc_conn;
struct vrpc_flow;

#define VRPC_VERSION_MIN 11
#define VRPC_VERSION_MAX 14
#define VRPC_MTU 65536u
#define VRPC_BYTES_BUFFERED 1048576u
/* What an encapsulated connection subtracts from the mtu for its flows. */
#define VRPC_MTU_ENCAPSULATED 32u
/*
 * Memory of a connection at rest (no partial frame, nothing queued, silent for
 * a second), with names and blessings of usual size, and of each of its open
 * flows. The tests hold the library to these numbers.
 */
#define VRPC_CONN_REST_BYTES 10240u
#define VRPC_FLOW_REST_BYTES 512u

/* What a peer may make us hold. 0 = the default in brackets. */
struct vrpc_conn_limits {
    uint32_t setup_frame;     /* first frame [16 KiB] */
    uint32_t handshake_frame; /* until the peer is authenticated [256 KiB] */
    uint32_t blessings_frame; /* Data of flow 1 afterwards [256 KiB] */
    uint32_t blessings_bytes; /* flow 1, not yet decoded [1 MiB] */
    uint32_t blessings_keys;  /* bkeys + dkeys per direction; in lame duck
                                 after 3/4 of them [1,024] */
    uint32_t flows;           /* open at once, accepted + own [8,192]; an
                                 accepted one beyond it is closed at once */
    uint32_t windows;         /* of all flows together; a flow beyond it has one
                                 of one message [128 MiB] */
    uint32_t text;            /* of the peer's TearDown that is kept [512] */
    uint32_t flow_queue;      /* plaintext a flow queues before its window
                                 counts as shut [128 KiB] */
};

enum vrpc_role { VRPC_DIALER, VRPC_ACCEPTOR };

/* Order matters (spec/rpc.md 12). */
enum vrpc_conn_status {
    VRPC_CONN_HANDSHAKE,
    VRPC_CONN_ACTIVE,
    VRPC_CONN_LAME_DUCK,       /* we sent EnterLameDuck */
    VRPC_CONN_LAME_DUCK_ACKED, /* and the peer acknowledged */
    VRPC_CONN_CLOSING,         /* closed hook still to come */
    VRPC_CONN_CLOSED
};

/* Any member may be NULL unless noted. */
struct vrpc_conn_hooks {
    /*
     * Dialer only, required there: may we talk to this acceptor? See
     * vrpc_conn_remote_blessings, _remote_discharges, _remote_endpoint. Not
     * called when the acceptor is a proxy (vrpc_conn_is_proxy).
     * Returns 0, V23_EAGAIN (then vrpc_conn_authorize_complete), or an error,
     * with which the connection closes; set its text by vrpc_conn_set_text.
     */
    int (*authorize_peer)(void *ud, struct vrpc_conn *c, struct v23_op op);
    /* Handshake done: flows may be opened. Once. */
    void (*ready)(void *ud, struct vrpc_conn *c);
    /* The peer opened a flow (only with has_handler). Its bytes follow by
     * flow_readable. The receiver now owes one vrpc_flow_close/_cancel. */
    void (*flow_opened)(void *ud, struct vrpc_conn *c, struct vrpc_flow *f);
    /* New bytes: see vrpc_flow_peek. */
    void (*flow_readable)(void *ud, struct vrpc_conn *c, struct vrpc_flow *f);
    /* After V23_EAGAIN of vrpc_flow_buf or _write: the window opened. */
    void (*flow_writable)(void *ud, struct vrpc_conn *c, struct vrpc_flow *f);
    /*
     * The peer closed the flow (status 0) or the connection is gone (its
     * status). Once; not after vrpc_flow_close/_cancel. Bytes received
     * before it stay readable until the handle is given back.
     */
    void (*flow_closed)(void *ud, struct vrpc_conn *c, struct vrpc_flow *f,
        int status);
    /* The peer accepts no new flows. Once. */
    void (*lame_duck)(void *ud, struct vrpc_conn *c);
    /* The peer will open no more flows. Once. */
    void (*lame_duck_acked)(void *ud, struct vrpc_conn *c);
    /* The peer's blessings or discharges of the connection were replaced. */
    void (*refreshed)(void *ud, struct vrpc_conn *c);
    /*
     * The connection is dead. Exactly once, the last hook. Send what
     * vrpc_conn_output still yields (TearDown), then drop the transport and
     * vrpc_conn_free. `text` is the peer's or our reason, never NULL.
     * V23_EREMOTE: the peer sent TearDown with a text; V23_ECLOSED: it sent
     * one without or the transport ended.
     */
    void (*closed)(void *ud, struct vrpc_conn *c, int status,
        const char *text);
    /*
     * Something to do that did not come from the four verbs: vrpc_conn_output
     * has bytes again or vrpc_conn_next_deadline moved to "at once". Called
     * at most once until the next verb, from inside vrpc_flow_* and
     * vrpc_conn_*; must only note it (put the connection on a list).
     */
    void (*wake)(void *ud, struct vrpc_conn *c);
};

/*
 * Everything is copied or referenced as said; the zero value of a field is its
 * default.
 */
struct vrpc_conn_config {
    const struct v23_alloc *al;      /* NULL = libc; outlives the connection */
    const struct v23_log *log;       /* NULL = silent; outlives it */
    struct vsec_principal *principal; /* required, with a signer; reference
                                         taken. Its engine does the crypto. */
    struct vsec_chain_cache *chains;  /* NULL = verify all; outlives it */
    /* Types of the blessings flow, to be recognized; NULL: built from what the
     * peer sends. Outlives the connection. */
    const struct vdl_registry *known;
    /* Source of the 32 bytes of the ephemeral secret; called once, from
     * vrpc_conn_new. NULL = the engine's. */
    int (*random)(void *ud, void *p, size_t n);
    void *random_ud;
    /* Presented for the connection; reference taken. NULL = nameless (a dialer
     * without handler must use NULL: its blessings are for flows). */
    struct vsec_blessings *blessings;
    struct vsec_discharge *const *discharges; /* of `blessings` */
    size_t ndischarges;
    enum vrpc_role role;
    /* Own endpoint, copied. NULL or zero: the peer's view of us is taken. */
    const struct vrpc_endpoint *local;
    /* Dialer: the endpoint dialed, copied. Acceptor: NULL. */
    const struct vrpc_endpoint *remote;
    uint32_t min_version, max_version; /* 0 = VRPC_VERSION_MIN, _MAX */
    uint32_t mtu;                      /* 0 = VRPC_MTU */
    /* Receive window of one flow; 0 = VRPC_BYTES_BUFFERED. ≥ mtu */
    uint32_t bytes_buffered;
    /* Pool announced to the peer, 0 = bytes_buffered, but at least
     * VRPC_BYTES_BUFFERED without handler (spec/rpc.md 10, small B). */
    uint32_t shared_tokens;
    int64_t handshake_timeout_ns;      /* 0 = 60 s */
    int64_t channel_timeout_ns;        /* 0 = 30 min */
    struct vrpc_conn_limits limits;
    /* false: a byte stream with 3-byte frame headers. true: each input and
     * output call carries exactly one message (websocket, encapsulation). */
    bool message_transport;
    /* The transport is a flow of another connection (spec/rpc.md 2.5). */
    bool encapsulated;
    bool has_handler; /* the peer may open flows */
    /* With a handler: an acceptor's Auth, and the unsigned one that follows a
     * dialer's handshake, wait for vrpc_conn_present(). */
    bool hold;
    const struct vrpc_conn_hooks *hooks; /* required; outlives it */
    void *ud;
};

/**
 * Make a connection in the handshake; its Setup is ready for output.
 *
 * @param now  time of the call; the handshake timeout starts here
 * @return 0; V23_EARG (a required field is missing, mtu > bytes_buffered,
 *         blessings of another key, …); V23_ENOMEM; V23_ENOSYS (no box in this
 *         provider); V23_ECRYPTO; what `random` returned
 */
V23_MUST_USE int vrpc_conn_new(const struct vrpc_conn_config *cfg,
    const struct v23_now *now, struct vrpc_conn **out);
/**
 * Free at once, flows included (their handles die), without a hook and
 * without TearDown. Inside a hook: no more hooks, freed when the verb
 * returns. Pending ops are cancelled. NULL is ignored.
 */
void vrpc_conn_free(struct vrpc_conn *c);

/* ---- the four verbs ------------------------------------------------------ */

/**
 * Bytes arrived (message_transport: exactly one message).
 *
 * @param p  opened in place, so clobbered; nothing points into it afterwards.
 *           Of an incomplete frame a private copy is kept until it completes.
 * @return 0, or the status with which the connection closed, now or before.
 *         The closed hook has run.
 */
V23_MUST_USE int vrpc_conn_input(struct vrpc_conn *c, uint8_t *p, size_t n,
    const struct v23_now *now);
/**
 * Most octets that the next frame or message may have; what is longer closes
 * the connection. For transports that put messages together.
 */
size_t vrpc_conn_message_max(const struct vrpc_conn *c);
/**
 * The transport ended (status V23_ECLOSED) or failed (V23_ESYS): closes the
 * connection and runs the hooks. `text` NULL = the status's text.
 */
void vrpc_conn_input_end(struct vrpc_conn *c, int status, const char *text,
    const struct v23_now *now);
/**
 * Append bytes to send to `out`, as long as there are some and out->n < max.
 * The last message may pass `max` by its own size. With message_transport at
 * most one message is appended.
 *
 * @return 0, or V23_ENOMEM/V23_ELIMIT of `out` (nothing is lost: call again)
 */
V23_MUST_USE int vrpc_conn_output(struct vrpc_conn *c, struct v23_buf *out,
    size_t max, const struct v23_now *now);
/**
 * Is what the last vrpc_conn_output appended with message_transport cipher
 * text? Then an encapsulating flow may send it unsealed.
 */
bool vrpc_conn_output_was_sealed(const struct vrpc_conn *c);
/** Would vrpc_conn_output append something? O(1). */
bool vrpc_conn_wants_output(const struct vrpc_conn *c);
/** Monotonic time of the next vrpc_conn_tick; V23_NEVER; INT64_MIN = now. */
int64_t vrpc_conn_next_deadline(const struct vrpc_conn *c);
/** Timers, and hooks that were put off. */
void vrpc_conn_tick(struct vrpc_conn *c, const struct v23_now *now);

/* ---- connection ---------------------------------------------------------- */

/**
 * Close: TearDown with `text` (NULL = empty), flows closed with `status`, what
 * they had queued dropped. The hooks follow from the next verb. A second call
 * does nothing.
 */
void vrpc_conn_close(struct vrpc_conn *c, int status, const char *text);
/** Ask the peer to open no more flows; lame_duck_acked follows. Once. */
void vrpc_conn_enter_lame_duck(struct vrpc_conn *c);
/**
 * What a connection made with `hold` is to present: it goes on.
 * @param b  reference taken; NULL = nameless
 * @return 0; V23_ESTATE (not held); V23_EARG (blessings of another key);
 *         V23_ECLOSED; V23_ENOMEM; V23_ELIMIT
 */
V23_MUST_USE int vrpc_conn_present(struct vrpc_conn *c,
    struct vsec_blessings *b, struct vsec_discharge *const *discharges,
    size_t ndischarges);
/**
 * Replace the blessings presented for the connection (unsigned Auth).
 * @param b  reference taken; must have the principal's key; not NULL
 * @return 0; V23_ESTATE (handshake not done); V23_ECLOSED; V23_ENOMEM;
 *         V23_ELIMIT
 */
V23_MUST_USE int vrpc_conn_refresh(struct vrpc_conn *c,
    struct vsec_blessings *b, struct vsec_discharge *const *discharges,
    size_t ndischarges);
/** Answers authorize_peer after V23_EAGAIN. Hooks follow from the next verb. */
void vrpc_conn_authorize_complete(struct vrpc_conn *c, struct v23_op op,
    int status);
/** Text of the error that authorize_peer reports; copied, cut at 511 bytes. */
void vrpc_conn_set_text(struct vrpc_conn *c, const char *text);

enum vrpc_conn_status vrpc_conn_status(const struct vrpc_conn *c);
/** Reason of the close (or ""), never NULL. */
const char *vrpc_conn_strerror(const struct vrpc_conn *c);
void *vrpc_conn_ud(const struct vrpc_conn *c);
enum vrpc_role vrpc_conn_role(const struct vrpc_conn *c);
/** Negotiated values; 0 before both Setups. */
uint32_t vrpc_conn_version(const struct vrpc_conn *c);
uint32_t vrpc_conn_mtu(const struct vrpc_conn *c);
/** Both Setups are processed: what follows is sealed (spec/rpc.md 7.3.8). */
bool vrpc_conn_is_sealed(const struct vrpc_conn *c);
/** Flows should be opened now: active, peer is a server, not in lame duck, and
 * keys for blessings are left. */
bool vrpc_conn_can_open(const struct vrpc_conn *c);
/** Dialer: the acceptor has another routing id than the one dialed. */
bool vrpc_conn_is_proxy(const struct vrpc_conn *c);
/** The peer sent EnterLameDuck. */
bool vrpc_conn_peer_lame_duck(const struct vrpc_conn *c);
/** Borrowed, alive as long as the connection. */
const struct vrpc_endpoint *vrpc_conn_local_endpoint(
    const struct vrpc_conn *c);
const struct vrpc_endpoint *vrpc_conn_remote_endpoint(
    const struct vrpc_conn *c);
/** What the peer presents for the connection; NULL before its Auth. */
const struct vsec_blessings *vrpc_conn_remote_blessings(
    const struct vrpc_conn *c);
struct vsec_discharge *const *vrpc_conn_remote_discharges(
    const struct vrpc_conn *c, size_t *n);
/** What we present for the connection; NULL = nameless. */
const struct vsec_blessings *vrpc_conn_local_blessings(
    const struct vrpc_conn *c);
/** Last round trip: handshake or health check; grows while one is pending. */
int64_t vrpc_conn_rtt_ns(const struct vrpc_conn *c, const struct v23_now *now);
/** Monotonic time of the last use by the application (spec/rpc.md 12). */
int64_t vrpc_conn_last_use_ns(const struct vrpc_conn *c);
/** Open flows, not counting side channels. */
size_t vrpc_conn_flows(const struct vrpc_conn *c);
/** Idle since before `since_ns`: no flows, no use. */
bool vrpc_conn_is_idle(const struct vrpc_conn *c, int64_t since_ns);

/* ---- flows --------------------------------------------------------------- */

/*
 * A struct vrpc_flow handle is valid from vrpc_flow_open or flow_opened until
 * vrpc_flow_close or vrpc_flow_cancel, which give it back and which its owner
 * must call exactly once, also after flow_closed; or until vrpc_conn_free.
 */
struct vrpc_flow_opts {
    struct vsec_blessings *blessings; /* reference taken; NULL = nameless */
    struct vsec_discharge *const *discharges; /* copied */
    size_t ndischarges;
    int64_t channel_timeout_ns; /* 0 = the connection's */
    bool side_channel;          /* does not keep the connection from idling */
    /* Message mode (transports and proxies): see vrpc_flow_set_messages. */
    bool messages;
    void *ud;
};
/**
 * Make a flow. Nothing is sent before its first commit; a flow never written
 * leaves no trace.
 *
 * @param opts  NULL = all zero
 * @return 0; V23_ECLOSED; V23_ELAMEDUCK; V23_ESTATE (handshake not done, or
 *         the peer is no server); V23_ELIMIT (too many flows, ids or
 *         blessings); V23_ENOMEM
 */
V23_MUST_USE int vrpc_flow_open(struct vrpc_conn *c,
    const struct vrpc_flow_opts *opts, struct vrpc_flow **out);

/**
 * Borrow the flow's output buffer to encode into.
 *
 * Append to *out, then vrpc_flow_commit or vrpc_flow_rollback; leave what is
 * in it alone. An item may be larger than the window: it is sent as tokens
 * arrive.
 *
 * @return 0; V23_EAGAIN: the window is shut, flow_writable will be called;
 *         V23_ECLOSED: closed by the peer, or the connection is; V23_ENOMEM
 */
V23_MUST_USE int vrpc_flow_buf(struct vrpc_flow *f, struct v23_buf **out);
/**
 * Queue what was appended. Commits made between two vrpc_conn_output calls
 * share Data messages. May be called with nothing appended to open the flow.
 *
 * @return 0, or the buffer's error (nothing queued). The first commit of a
 *         flow may also return V23_ENOMEM or V23_ELIMIT for its blessings.
 */
V23_MUST_USE int vrpc_flow_commit(struct vrpc_flow *f);
/** Drop what was appended since the last commit. */
void vrpc_flow_rollback(struct vrpc_flow *f);
/** vrpc_flow_buf + append + vrpc_flow_commit. All or nothing. */
V23_MUST_USE int vrpc_flow_write(struct vrpc_flow *f, const void *p,
    size_t n);
/** Would vrpc_flow_buf return 0? Does not arm flow_writable. */
bool vrpc_flow_can_write(const struct vrpc_flow *f);
/** The same; when not 0, flow_writable follows. @return as vrpc_flow_buf. */
V23_MUST_USE int vrpc_flow_wait(struct vrpc_flow *f);
/** Committed bytes not yet sent. */
size_t vrpc_flow_queued(const struct vrpc_flow *f);
/**
 * What is committed to f from now on is not sent before what is committed to
 * `dep` now (values after their types). Both of the same connection.
 */
void vrpc_flow_send_after(struct vrpc_flow *f, struct vrpc_flow *dep);

/**
 * Received bytes not yet consumed, contiguous. Valid until the next
 * vrpc_flow_consume, or until the hook or verb it was called in returns;
 * outside of hooks until the next verb.
 * In message mode: one whole message, which the receiver may overwrite.
 *
 * @return 0 (bytes->n may be 0 in message mode only); V23_EAGAIN: nothing now;
 *         V23_EEOF: nothing, and the flow is closed
 */
V23_MUST_USE int vrpc_flow_peek(struct vrpc_flow *f, struct v23_bytes *bytes);
/** Received bytes not yet consumed; in message mode a little more. */
size_t vrpc_flow_unread(const struct vrpc_flow *f);
/** Done with n bytes; n ≤ what peek showed. In message mode: all of them. */
void vrpc_flow_consume(struct vrpc_flow *f, size_t n);

/**
 * Message mode: the payload of each OpenFlow or Data is one unit in both
 * directions (spec/rpc.md 2.5, 9.3). Call it in flow_opened.
 */
void vrpc_flow_set_messages(struct vrpc_flow *f);
/**
 * Message mode: queue one message, sent whole once there are tokens for it.
 *
 * @param clear  send it unsealed (flag 2, spec/rpc.md 4.4): it is ciphertext
 * @return as vrpc_flow_buf; V23_ELIMIT: longer than the mtu allows
 */
V23_MUST_USE int vrpc_flow_write_message(struct vrpc_flow *f, const void *p,
    size_t n, bool clear);

/**
 * Close after what is committed has been sent (the last Data carries the
 * flag) and give the handle back.
 */
void vrpc_flow_close(struct vrpc_flow *f);
/** Close at once, dropping what is queued, and give the handle back. */
void vrpc_flow_cancel(struct vrpc_flow *f);

struct vrpc_conn *vrpc_flow_conn(const struct vrpc_flow *f);
uint64_t vrpc_flow_id(const struct vrpc_flow *f);
void vrpc_flow_set_ud(struct vrpc_flow *f, void *ud);
void *vrpc_flow_ud(const struct vrpc_flow *f);
/** Opened by the peer. */
bool vrpc_flow_is_accepted(const struct vrpc_flow *f);
/** The peer closed it or the connection is gone; bytes may be left. */
bool vrpc_flow_is_closed(const struct vrpc_flow *f);
/** Accepted: what the opener presents for this flow; own: the acceptor's
 * blessings of the connection. Borrowed, alive as long as the connection. */
const struct vsec_blessings *vrpc_flow_remote_blessings(
    const struct vrpc_flow *f);
struct vsec_discharge *const *vrpc_flow_remote_discharges(
    const struct vrpc_flow *f, size_t *n);
/** What we present on this flow; NULL = nameless. */
const struct vsec_blessings *vrpc_flow_local_blessings(
    const struct vrpc_flow *f);

#ifdef __cplusplus
}
#endif
#endif
