/* BSD-3-Clause; see LICENSE. */
/* The libevent adapter's own structures; included by *_ev.c only. */
#ifndef VRPC_EV_INT_H
#define VRPC_EV_INT_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <vrpc/conn.h>
#include <vrpc/ev.h>
#include <vrpc/websocket.h>
#include <vsec/principal.h>

#include "sched_int.h"

#define VRPC_EV_SCRATCH_ 65536u

struct evdns_base;
struct vrpc_ev_link_;
struct vrpc_ev_dial_;
struct vrpc_ev_listener_;
struct vrpc_ev_loops_;
struct vrpc_runtime;

struct vrpc_ev {
    struct event_base *base;
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct evdns_base *dns;    /* made with the first host name */
    struct event turn;         /* the work at the end of a loop turn */
    struct event timer;        /* the first of `timers` */
    int64_t armed;             /* when `timer` fires */
    bool turn_active;
    struct v23_now looked;     /* when the wall clock was looked at */
    struct vrpc_ev_node *nodes;
    struct vrpc_timers_ timers; /* when nodes have something to do */
    struct vrpc_tasks_ tasks;   /* of nodes that have */
    struct vrpc_ev_link_ *work, **work_tail; /* links with something to do */
    struct vsec_chain_cache *chains; /* made with the first node */
    uint8_t *scratch;          /* what is read; shared by all links */
    struct v23_buf out;        /* what is written; shared by all links */
    struct v23_buf in, msg;    /* one message of a websocket: put together,
                                  to be sent; likewise */
    struct vrpc_network *nets; /* of the interfaces, with has_nets */
    size_t nnets;
    bool has_nets;
    /* vrpc_ev_interfaces_; the tests have others. */
    int (*interfaces)(const struct v23_alloc *al, struct vrpc_network **nets,
        size_t *n);
    struct {
        size_t users;      /* listeners that publish the interfaces */
        int fd;            /* where the kernel tells of changes, or -1 */
        struct event news, timer;
    } roam;
};

struct vrpc_ev_node {
    struct vrpc_ev *ev;
    struct vrpc_ev_node *next, **plink;
    struct vrpc_manager *m;
    struct vrpc_timer_ timer; /* the manager's next deadline */
    struct vrpc_task_ task;   /* it has come, or a dial has failed */
    bool working;             /* it runs */
    struct vrpc_ev_link_ *links;
    struct vrpc_ev_dial_ *dials;
    struct vrpc_ev_listener_ *listeners;
    struct vrpc_proxied *proxied; /* or NULL */
    struct vrpc_ev_link_ *pending, **pending_tail; /* accepted, oldest first */
    size_t npending;
    struct vsec_store_watch watch; /* of the default blessings */
    struct v23_arena eps_arena;
    struct vrpc_endpoint *eps;
    size_t neps, eps_cap;
    struct v23_buf errors;
    void (*eps_fn)(void *ud);
    void *eps_ud;
    vrpc_address_chooser_fn *choose;
    void *choose_ud;
    void (*stop_fn)(void *ud);
    void *stop_ud;
    bool stopped;              /* this loop, though others may not */
    bool shared_port;          /* others listen on the same */
    struct vrpc_ev_loops_ *loops; /* more of the server's; or NULL */
    struct vrpc_runtime *rt;   /* that serves with it; or NULL */
};

struct vrpc_ev_link_;

/* What the bytes of a socket are; see wire_ev.c. */
struct vrpc_ev_wire_ {
    struct vrpc_link_ops link;
    /* Bytes that came, to be clobbered. 0, or the status that ends the link;
     * then *why may be set. */
    int (*input)(struct vrpc_ev_link_ *l, uint8_t *p, size_t n,
        const struct v23_now *now, const char **why);
    /* Is there something to send? Append some of it: 0 or a status. */
    bool (*wants)(const struct vrpc_ev_link_ *l);
    int (*output)(struct vrpc_ev_link_ *l, struct v23_buf *out,
        const struct v23_now *now);
    /* The connection has sent its last; NULL: nothing to add. */
    void (*bye)(struct vrpc_ev_link_ *l);
};

/* A protocol name. */
struct vrpc_ev_protocol_ {
    const char *name;
    int family; /* AF_UNSPEC: of IP */
    const struct vrpc_ev_wire_ *dial, *accept;
};

/* One socket. */
struct vrpc_ev_link_ {
    struct vrpc_link link; /* first: what the manager knows it by */
    const struct vrpc_ev_wire_ *wire;
    struct vrpc_ev_node *node;
    struct vrpc_ev_link_ *next, **plink;   /* of the node */
    struct vrpc_ev_link_ *wnext, **wplink; /* of the work list */
    struct vrpc_ev_link_ *pnext, **pplink; /* pending */
    struct vrpc_conn *conn; /* NULL: pending */
    struct vrpc_ws *ws;    /* of a websocket */
    struct vrpc_ev_listener_ *listener; /* pending: that accepted it */
    struct vrpc_ev_dial_ *dial;         /* pending: that waits for it */
    int64_t deadline;   /* while pending */
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
void vrpc_ev_node_turn_(struct vrpc_ev_node *n); /* … which has work for it */
/* Arm a timer event for a monotonic instant, unless it fires before. */
void vrpc_ev_arm_(struct vrpc_ev *ev, struct event *e, int64_t *armed,
    int64_t at);
struct timeval vrpc_ev_timeval_(int64_t ns);

/* link_ev.c */
/* A connected socket becomes a link. */
struct vrpc_ev_link_ *vrpc_ev_link_new_(struct vrpc_ev_node *n, int fd,
    const struct vrpc_ev_wire_ *wire);
/* Before the link has a connection. */
void vrpc_ev_link_set_wire_(struct vrpc_ev_link_ *l,
    const struct vrpc_ev_wire_ *wire);
/* An accepted link waits, at most for so long, to be opened. */
void vrpc_ev_link_pend_(struct vrpc_ev_link_ *l, int64_t ns);
/*
 * Messages can travel: make the connection. Anything but 0: it has none, and
 * the caller ends the link.
 */
V23_MUST_USE int vrpc_ev_link_opened_(struct vrpc_ev_link_ *l);
/* Start moving bytes. V23_ENOMEM: the link is freed. */
V23_MUST_USE int vrpc_ev_link_start_(struct vrpc_ev_link_ *l);
/* Write what it has. 0; V23_EAGAIN: waits for the socket; V23_ESYS, … */
V23_MUST_USE int vrpc_ev_link_write_(struct vrpc_ev_link_ *l,
    const struct v23_now *now);
/* Its work at the end of a turn. It may be freed. */
void vrpc_ev_link_work_(struct vrpc_ev_link_ *l, const struct v23_now *now);
/* Write what it has and say good-bye, if the socket takes it at once. */
void vrpc_ev_link_farewell_(struct vrpc_ev_link_ *l);
/* Give the connection, if any, back to the manager and free the link. */
void vrpc_ev_link_gone_(struct vrpc_ev_link_ *l);
void vrpc_ev_link_free_(struct vrpc_ev_link_ *l);
void vrpc_ev_link_wake_(struct vrpc_link *l);
void vrpc_ev_link_closed_(struct vrpc_link *l);
/* Non-blocking; of TCP: no delay, keep-alive. */
V23_MUST_USE int vrpc_ev_socket_options_(int fd, bool tcp);

/* wire_ev.c */
/* NULL: not supported. */
const struct vrpc_ev_protocol_ *vrpc_ev_protocol_(struct vdl_str name);
/* The first step of a new link: opened, or on the way to it. 0 or why not. */
V23_MUST_USE int vrpc_ev_wire_accept_(struct vrpc_ev_link_ *l);
V23_MUST_USE int vrpc_ev_wire_dial_(struct vrpc_ev_link_ *l,
    struct vdl_str address);

/* dial_ev.c */
int vrpc_ev_dial_(void *ud, struct v23_op op, struct vdl_str protocol,
    struct vdl_str address, int64_t deadline);
void vrpc_ev_dial_cancel_(void *ud, struct v23_op op);
void vrpc_ev_dials_work_(struct vrpc_ev_node *n);
void vrpc_ev_dials_free_(struct vrpc_ev_node *n);
/* The link of a dial is open: its connection, or why it has none. */
V23_MUST_USE int vrpc_ev_dial_opened_(struct vrpc_ev_dial_ *d,
    struct vrpc_ev_link_ *l);
/* … or is no more. */
void vrpc_ev_dial_lost_(struct vrpc_ev_dial_ *d, int rc, const char *why);

/* addr_ev.c */
/* "1.2.3.4:5", "[fe80::1%eth0]:5", a path or "@name" of a socket address. */
void vrpc_ev_format_addr_(const struct sockaddr *sa, socklen_t len,
    struct v23_buf *out);
bool vrpc_ev_is_unspecified_(const struct sockaddr *sa);

/* networks_ev.c */
/* Ask the system. 0, V23_ESYS, V23_ENOMEM. */
V23_MUST_USE int vrpc_ev_interfaces_(const struct v23_alloc *al,
    struct vrpc_network **nets, size_t *n);
/* The interfaces may have changed: look, and tell whom it concerns. */
void vrpc_ev_networks_changed_(struct vrpc_ev *ev);
/* A listener on every interface begins, ends. */
void vrpc_ev_roam_(struct vrpc_ev_listener_ *l);
void vrpc_ev_unroam_(struct vrpc_ev_listener_ *l);

/* unix_ev.c */
/* The file of a listening socket. */
struct vrpc_ev_unix_ {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "" = none */
    dev_t dev;
    ino_t ino;
};
/* 0 or V23_EENDPOINT. */
V23_MUST_USE int vrpc_ev_unix_address_(struct vdl_str text,
    struct sockaddr_storage *out, socklen_t *len);
void vrpc_ev_unix_format_(const struct sockaddr *sa, socklen_t len,
    struct v23_buf *out);
/* A bound and listening socket, or -1 with errno and *step. */
int vrpc_ev_unix_listen_(struct vdl_str address, int backlog,
    struct vrpc_ev_unix_ *own, const char **step);
void vrpc_ev_unix_remove_(struct vrpc_ev_unix_ *own);

/* lookup_ev.c */
struct evutil_addrinfo;
struct vrpc_ev_lookup_; /* a question under way */
struct vrpc_ev_host_ {
    const char *name, *port; /* name NULL: any address, to listen on */
    int family;
};
typedef void vrpc_ev_lookup_fn_(void *ud, int err, struct evutil_addrinfo *ai);
/* Made with the first question; NULL: out of memory. */
struct evdns_base *vrpc_ev_resolver_(struct vrpc_ev *ev);
/* Addresses of a host that is given as a number; an error of getaddrinfo(). */
int vrpc_ev_numeric_(const struct vrpc_ev_host_ *host,
    struct evutil_addrinfo **out);
/* `fn` gets the answer once, never before this returns; `ai` during the call.
 * NULL: out of memory. */
struct vrpc_ev_lookup_ *vrpc_ev_lookup_(struct vrpc_ev *ev,
    const struct vrpc_ev_host_ *host, vrpc_ev_lookup_fn_ *fn, void *ud);
/* `fn` is not called any more. NULL is ignored. */
void vrpc_ev_lookup_cancel_(struct vrpc_ev_lookup_ *l);

/* loops_ev.c */
/*
 * Start n more loops of a server, each like the first one, and wait until they
 * listen. first->loops; or a status, with rt->why.
 */
V23_MUST_USE int vrpc_ev_loops_start_(struct vrpc_ev_node *first,
    struct vrpc_runtime *rt, const struct vrpc_server_config *cfg, size_t n);
/* All of these take NULL, for none. */
void vrpc_ev_loops_unlisten_(struct vrpc_ev_loops_ *all);
void vrpc_ev_loops_reload_(struct vrpc_ev_loops_ *all); /* credentials */
void vrpc_ev_loops_stop_(struct vrpc_ev_loops_ *all, int64_t lame_duck_ns);
bool vrpc_ev_loops_stopped_(const struct vrpc_ev_loops_ *all);
/* End the threads and wait for that. */
void vrpc_ev_loops_free_(struct vrpc_ev_loops_ *all);

/* listen_ev.c */
/* A loop of the server has stopped: tell, if it was the last. */
void vrpc_ev_server_stopped_(struct vrpc_ev_node *n);
/* An accepted link is open: its connection, or why it has none. */
V23_MUST_USE int vrpc_ev_accept_link_(struct vrpc_ev_link_ *l);
/* V23_EAGAIN: a name is being looked up; V23_ESYS: a listener has failed. */
int vrpc_ev_listen_status_(const struct vrpc_ev_node *n);
void vrpc_ev_listeners_free_(struct vrpc_ev_node *n);
void vrpc_ev_endpoints_changed_(struct vrpc_ev_node *n);

/* A listening address. */
struct vrpc_ev_listener_ {
    struct vrpc_ev_node *node;
    struct vrpc_ev_listener_ *next;
    const struct vrpc_ev_protocol_ *what;
    struct vdl_str protocol, address; /* as configured */
    char *text;                       /* storage of both */
    struct sockaddr_storage sa;       /* bound to */
    struct vrpc_ev_unix_ file;        /* of a socket of protocol unix */
    bool roams;                       /* its endpoints are the interfaces' */
    char bound[128];                  /* printed, while fd ≥ 0 */
    struct event event;   /* readable; or when to try again */
    int fd;               /* -1: failed, tried again, or: */
    struct vrpc_ev_lookup_ *lookup; /* its name is being looked up */
    size_t pressure;      /* connections to kill on EMFILE */
    struct event pause;   /* accept again after EMFILE */
    char why[160];
};

#endif
