/* BSD-3-Clause; see LICENSE. */
/* Inside of the sockets of http_int.h; included by http*_ev.c only. */
#ifndef WSPR_EV_INT_H
#define WSPR_EV_INT_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include <v23/time.h>
#include <vrpc/websocket.h>

#include "http_int.h"

#define WSPR_HTTP_KEPT_ (256u * 1024u)               /* of shared buffers */
#define WSPR_HTTP_ANSWER_TIME_ (30 * V23_NS_PER_SEC) /* for it to be taken */

enum wspr_conn_state_ {
    WSPR_CONN_REQUEST_,   /* head or body are to come */
    WSPR_CONN_ANSWERING_, /* the answer is being made, */
    WSPR_CONN_ANSWERED_,  /* … is being sent */
    WSPR_CONN_WEBSOCKET_,
    WSPR_CONN_ENDING_,    /* the last is being sent, */
    WSPR_CONN_LINGERING_  /* … was sent, the peer is to close */
};

struct wspr_conn_ {
    struct wspr_http_ *h;
    struct wspr_conn_ *next, **plink;   /* of all */
    struct wspr_conn_ *rnext, **rplink; /* of requests, oldest first */
    struct wspr_conn_ *wnext, **wplink; /* with something to do */
    void *object;
    struct vrpc_ws *ws;
    enum wspr_conn_state_ state;
    bool reading, broken;
    bool full; /* the socket takes no more for now */
    bool bare; /* the answer has no body: to HEAD */
    int fd;
    struct event read, write, timer;
    int64_t armed;    /* when `timer` fires */
    int64_t deadline; /* of the state; of a websocket, the peer's next sign */
    int64_t ping;     /* when to ask for one */
    int64_t alarm;    /* the object's */
    struct v23_buf in;  /* the request so far */
    size_t head;        /* octets of its head, when that is whole */
    size_t body;        /* … and of its body */
    struct v23_buf out; /* to be sent, from `off` on */
    size_t off;
};

struct wspr_http_ {
    struct wspr_http_config_ cfg;
    struct event_base *base;
    int fd;
    struct event accept, pause, turn;
    bool turn_active;
    char address[64], peer[64];
    size_t nconns;
    struct wspr_conn_ *conns;
    struct wspr_conn_ *requests, **requests_tail;
    struct wspr_conn_ *work, **work_tail;
    uint8_t *scratch;
    struct v23_buf message; /* put together here */
    struct v23_buf spare;   /* memory for the next `out` */
};

/* ---- http_ev.c ----------------------------------------------------------- */

int64_t wspr_http_now_(const struct wspr_http_ *h);
/* It has something to do at the end of the turn. */
void wspr_conn_want_work_(struct wspr_conn_ *c);
/* It is no longer one of those that may be dropped for others. */
void wspr_conn_request_ends_(struct wspr_conn_ *c);
/* Whatever is in its queue has no way to go. */
void wspr_conn_break_down_(struct wspr_conn_ *c);
/* Into a state that may take `time`. */
void wspr_conn_set_state_(struct wspr_conn_ *c, enum wspr_conn_state_ s,
    int64_t time);
/* The queue, with memory from the last one that was emptied. */
struct v23_buf *wspr_conn_out_(struct wspr_conn_ *c);

/* ---- http_request_ev.c --------------------------------------------------- */

/* Bytes of a request; what is left of them belongs to a websocket. */
void wspr_conn_request_came_(struct wspr_conn_ *c, const uint8_t *p, size_t n);

/* ---- http_websocket_ev.c ------------------------------------------------- */

void wspr_conn_frames_came_(struct wspr_conn_ *c, const uint8_t *p, size_t n);
/* Control frames go to where messages are. */
void wspr_conn_take_control_(struct wspr_conn_ *c);

#endif
