/* BSD-3-Clause; see LICENSE. */
/* The libevent adapter's own structures; included by *_ev.c only. */
#ifndef VRPC_EV_INT_H
#define VRPC_EV_INT_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include <sys/socket.h>
#include <vrpc/conn.h>
#include <vrpc/ev.h>
#include <vsec/principal.h>

#define VRPC_EV_SCRATCH_ 65536u

struct evdns_base;
struct vrpc_ev_link_;
struct vrpc_ev_dial_;
struct vrpc_ev_listener_;

struct vrpc_ev {
    struct event_base *base;
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct evdns_base *dns;    /* made with the first host name */
    struct event turn;         /* the work at the end of a loop turn */
    struct event timer;        /* managers' timers */
    int64_t armed;             /* when `timer` fires */
    bool turn_active;
    struct vrpc_ev_node *nodes;
    struct vrpc_ev_link_ *work, **work_tail; /* links with something to do */
    struct vsec_chain_cache *chains; /* made with the first node */
    uint8_t *scratch;          /* what is read; shared by all links */
    struct v23_buf out;        /* what is written; shared by all links */
    struct vrpc_network *nets;
    size_t nnets;
    bool has_nets;
};

struct vrpc_ev_node {
    struct vrpc_ev *ev;
    struct vrpc_ev_node *next, **plink;
    struct vrpc_manager *m;
    struct vrpc_ev_link_ *links;
    struct vrpc_ev_dial_ *dials;
    struct vrpc_ev_listener_ *listeners;
    struct vsec_store_watch watch; /* of the default blessings */
    struct v23_arena eps_arena;
    struct vrpc_endpoint *eps;
    size_t neps;
    struct v23_buf errors;
    void (*eps_fn)(void *ud);
    void *eps_ud;
    void (*stop_fn)(void *ud);
    void *stop_ud;
};

/* One connection. */
struct vrpc_ev_link_ {
    struct vrpc_link link;
    struct vrpc_ev_node *node;
    struct vrpc_ev_link_ *next, **plink;   /* of the node */
    struct vrpc_ev_link_ *wnext, **wplink; /* of the work list */
    struct vrpc_conn *conn;
    int fd;
    struct event read, write, timer;
    int64_t armed;      /* when `timer` fires */
    struct v23_buf rest; /* written, but not taken by the socket */
    size_t rest_off;
    bool closing;       /* the connection is dead: send what is left */
    bool lingers;       /* … and the last second for it has begun */
};

/* loop_ev.c */
void vrpc_ev_turn_(struct vrpc_ev *ev); /* run the end of the turn soon */
/* A connected socket becomes a link; its conn is set later. */
struct vrpc_ev_link_ *vrpc_ev_link_new_(struct vrpc_ev_node *n, int fd);
/* Start moving bytes. V23_ENOMEM: the link is freed. */
V23_MUST_USE int vrpc_ev_link_start_(struct vrpc_ev_link_ *l);
void vrpc_ev_link_free_(struct vrpc_ev_link_ *l);
/* Non-blocking, no delay, keep-alive. */
V23_MUST_USE int vrpc_ev_socket_options_(int fd, bool stream);
struct timeval vrpc_ev_timeval_(int64_t ns);

/* dial_ev.c */
int vrpc_ev_dial_(void *ud, struct v23_op op, struct vdl_str protocol,
    struct vdl_str address, int64_t deadline);
void vrpc_ev_dial_cancel_(void *ud, struct v23_op op);
void vrpc_ev_dials_work_(struct vrpc_ev_node *n);
void vrpc_ev_dials_free_(struct vrpc_ev_node *n);
/*
 * Address family that a protocol allows: AF_UNSPEC, AF_INET or AF_INET6;
 * negative: V23_ENOSYS.
 */
int vrpc_ev_family_(struct vdl_str protocol);

/* addr_ev.c */
/* "1.2.3.4:5" or "[::1]:5" of a socket address. */
void vrpc_ev_format_addr_(const struct sockaddr *sa, struct v23_buf *out);
bool vrpc_ev_is_unspecified_(const struct sockaddr *sa);

/* listen_ev.c */
void vrpc_ev_listeners_free_(struct vrpc_ev_node *n);
void vrpc_ev_endpoints_changed_(struct vrpc_ev_node *n);

/* A listening address. */
struct vrpc_ev_listener_ {
    struct vrpc_ev_node *node;
    struct vrpc_ev_listener_ *next;
    struct vdl_str protocol, address; /* as configured */
    char *text;                       /* storage of both */
    struct sockaddr_storage sa;       /* bound to */
    char bound[80];                   /* printed, while fd ≥ 0 */
    struct event event;   /* readable; or when to try again */
    int fd;               /* -1: failed, tried again */
    size_t pressure;      /* connections to kill on EMFILE */
    struct event pause;   /* accept again after EMFILE */
    char why[160];
};

#endif
