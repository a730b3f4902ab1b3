/* BSD-3-Clause; see LICENSE. */
/*
 * Sockets that speak HTTP/1.1 and may become websockets. A request gets one
 * answer and the end of its connection, or becomes a websocket of texts.
 *
 * What one peer costs is bounded: the head, its body and the time for both;
 * connections; what waits for a slow reader; messages.
 */
#ifndef WSPR_HTTP_INT_H
#define WSPR_HTTP_INT_H

#include <v23/log.h>
#include <vrpc/http_head.h>

struct vrpc_ev;
struct vsec_engine;
struct wspr_http_; /* a listening socket and its connections */
struct wspr_conn_; /* one of these */

struct wspr_request_ {
    struct vrpc_http_head head;
    struct vdl_str path;   /* the target without its query, as it came */
    struct v23_bytes body;
};

/* None may free the connection; all run on the loop. */
struct wspr_http_hooks_ {
    /*
     * A request, valid during the call. Ends with one wspr_conn_reply_() or
     * wspr_conn_upgrade_(), now or later: then the connection is kept until
     * `gone`, which may come before.
     */
    void (*request)(void *ud, struct wspr_conn_ *c,
        const struct wspr_request_ *r);
    /* The connection of an object that was given to it is no more. */
    void (*gone)(void *object);
    /* Of a websocket. A text: 0, or a status to end with. */
    int (*message)(void *object, char *text, size_t n);
    /* All that it had to send is taken. */
    void (*drained)(void *object);
    /* The object's own alarm (wspr_conn_alarm_()). */
    void (*alarm)(void *object);
};

struct wspr_http_config_ {
    struct vrpc_ev *ev;
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct vsec_engine *engine;
    const struct wspr_http_hooks_ *hooks;
    void *ud;               /* of `request` */
    const char *host;       /* "127.0.0.1", "::1" */
    uint16_t port;          /* 0 = any */
    size_t max_message;     /* of a websocket */
    size_t max_body;        /* of a request */
    size_t max_waiting;     /* beyond it one more message ends a websocket */
    size_t max_conns;
    int64_t request_ns;     /* for head and body to come; 0 = 10 s */
    int64_t ping_ns, patience_ns; /* of websockets; 0 = 50 s, 60 s */
};

/* 0; V23_ENOMEM; V23_EARG (not an address); V23_ESYS with errno */
V23_MUST_USE int wspr_http_new_(const struct wspr_http_config_ *cfg,
    struct wspr_http_ **out);
/* Where it listens, as "127.0.0.1:8124". */
const char *wspr_http_address_(const struct wspr_http_ *h);
/* Accept no more; what is not a websocket ends. */
void wspr_http_unlisten_(struct wspr_http_ *h);
/* End all connections at once (`gone` runs) and free. NULL is ignored. */
void wspr_http_free_(struct wspr_http_ *h);
size_t wspr_http_nconns_(const struct wspr_http_ *h);

/* ---- a connection -------------------------------------------------------- */

/* What is called from now on; NULL: nothing any more. */
void wspr_conn_set_object_(struct wspr_conn_ *c, void *object);
/* The peer's address, "127.0.0.1:4567". Valid until the next call. */
const char *wspr_conn_peer_(struct wspr_conn_ *c);

struct wspr_reply_ {
    int code;
    const char *type;    /* NULL = plain text */
    const char *headers; /* more lines, each with CR LF; NULL = none */
    struct v23_bytes body;
};
void wspr_conn_reply_(struct wspr_conn_ *c, const struct wspr_reply_ *r);
/* Plain text, with a line feed added. */
void wspr_conn_say_(struct wspr_conn_ *c, int code, const char *text);
/*
 * Become a websocket.
 * @param r         only the fields of its head are looked at
 * @param protocol  subprotocol; NULL = none
 * 0; or a status, and nothing has been answered
 */
V23_MUST_USE int wspr_conn_upgrade_(struct wspr_conn_ *c,
    const struct wspr_request_ *r, const char *protocol);
/* Undo it in the same callback: it is to be answered otherwise. */
void wspr_conn_take_back_(struct wspr_conn_ *c);
/* Send a text. Whatever goes wrong ends the connection, soon. */
void wspr_conn_send_(struct wspr_conn_ *c, const char *text, size_t n);
/* Octets that the socket has not taken yet. */
size_t wspr_conn_waiting_(const struct wspr_conn_ *c);
/* Take more messages, or none for now. */
void wspr_conn_set_reading_(struct wspr_conn_ *c, bool on);
/* `alarm` runs at this monotonic time; V23_NEVER = not. */
void wspr_conn_alarm_(struct wspr_conn_ *c, int64_t at);
/* Say good-bye and end, soon; `gone` follows, never from inside here. */
void wspr_conn_close_(struct wspr_conn_ *c, unsigned code, const char *why);

#endif
