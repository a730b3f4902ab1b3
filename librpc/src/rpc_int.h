/* BSD-3-Clause; see LICENSE. */
/*
 * Calls above the connection core: what manager, client and server share.
 * Private to librpc.
 *
 * A manager has sessions (one per connection); a session has at most two type
 * flows (one per direction of calling) and any number of data flows. Every
 * flow's user pointer is a struct vrpc_user_, through which the manager passes
 * the connection's hooks on. All user callbacks run from hooks, timers or
 * tasks, never from inside a function that the user called.
 */
#ifndef VRPC_RPC_INT_H
#define VRPC_RPC_INT_H

#include <vom/dec.h>
#include <vom/enc.h>
#include <vsec/authorizer.h>
#include <vsec/principal.h>
#include <vrpc/client.h>
#include <vrpc/conn.h>
#include <vrpc/manager.h>
#include <vrpc/server.h>

#include "cache_int.h"
#include "place_int.h"
#include "sched_int.h"
#include "vtrace_int.h"

struct vrpc_dial_;
struct vrpc_fetch_;
struct vrpc_names_;
struct vrpc_session_;
struct vrpc_stream_;
struct vrpc_tunnels_;
struct vrpc_user_;
struct vrpc_waiter_;

/* Kinds of operations in the manager's table. */
enum vrpc_op_kind_ {
    VRPC_OP_DIAL = 1, /* owner: vrpc_dial_ */
    VRPC_OP_RESOLVE,  /* vrpc_call */
    VRPC_OP_PROXIES,  /* vrpc_proxied */
    VRPC_OP_GRANT,    /* vrpc_call */
    VRPC_OP_LOOKUP,   /* vrpc_server_call */
    VRPC_OP_GLOB_LOOKUP, /* vrpc_glob_run_ */
    VRPC_OP_SIGNATURE,   /* vrpc_server_call */
    VRPC_OP_CHECK     /* vrpc_check_ */
};

/* ---- owners of flows ----------------------------------------------------- */

struct vrpc_user_ops_ {
    void (*readable)(struct vrpc_user_ *u);
    void (*writable)(struct vrpc_user_ *u);
    void (*closed)(struct vrpc_user_ *u, int status);
};

/* First member of what a flow's user pointer points to. */
struct vrpc_user_ {
    const struct vrpc_user_ops_ *ops;
};

/* ---- who takes the flows that peers open (host.c) ----------------------- */

#define VRPC_CACHE_CLOSED_ "cache is closed"

struct vrpc_host_;

struct vrpc_host_ops_ {
    /* The peer of a session opened a flow: set its user or cancel it. */
    void (*flow)(struct vrpc_host_ *h, struct vrpc_session_ *ss,
        struct vrpc_flow *f);
    /* How much is at work that a stop should let end. */
    size_t (*busy)(const struct vrpc_host_ *h);
    /* A stop begins; may be NULL. */
    void (*stopping)(struct vrpc_host_ *h);
    void (*destroy)(struct vrpc_host_ *h);
};

/* First member of a server or a proxy; a manager has at most one. */
struct vrpc_host_ {
    const struct vrpc_host_ops_ *ops;
    struct vrpc_manager *m;
    enum vrpc_server_state state;
    struct vrpc_timer_ duck_timer, drain_timer;
    struct vrpc_task_ task;
    bool cut; /* connections were closed */
    void (*stopped)(void *ud);
    void *stopped_ud;
};

/* Become the manager's. 0; V23_ESTATE: it has one; V23_EARG: null routing id;
 * V23_ENOMEM. */
V23_MUST_USE int vrpc_host_init_(struct vrpc_host_ *h, struct vrpc_manager *m,
    const struct vrpc_host_ops_ *ops);
void vrpc_host_fini_(struct vrpc_host_ *h);
/* As vrpc_server_stop(). */
void vrpc_host_stop_(struct vrpc_host_ *h, int64_t lame_duck_ns,
    void (*done)(void *ud), void *ud);
/* Something ended that a stop may have waited for. */
void vrpc_host_progress_(struct vrpc_host_ *h);

/* ---- type flows (typeflow.c) --------------------------------------------- */

struct vrpc_types_ {
    struct vrpc_user_ user;
    struct vrpc_session_ *session;
    struct vrpc_flow *flow;  /* NULL: lost */
    struct vom_typeenc enc;
    struct v23_buf out;      /* type messages not yet given to the flow */
    struct vom_enc values;   /* scratch of all value streams that share enc */
    struct vom_typedec *dec; /* the peer's types */
    struct vrpc_stream_ *waiters; /* streams that need a type of the peer */
    int err;                 /* why no type will come any more */
};

/* Open the type flow of our calls on a session. */
V23_MUST_USE int vrpc_types_open_(struct vrpc_session_ *s);
/* Take an accepted flow, positioned behind its 't', as the peer's. */
V23_MUST_USE int vrpc_types_accept_(struct vrpc_session_ *s,
    struct vrpc_flow *f);
void vrpc_types_free_(struct vrpc_types_ *t);

/* ---- data flows (stream.c) ----------------------------------------------- */

/*
 * Two value streams over one flow. The owner embeds it as first member.
 */
struct vrpc_stream_ {
    struct vrpc_user_ user;
    struct vrpc_flow *flow;     /* NULL: given back */
    struct vrpc_types_ *types;  /* NULL until attached */
    struct vom_dec dec;
    struct v23_buf *out;        /* inside a transaction */
    struct v23_buf in;          /* the front of what was received, when an item
                                   does not come in one piece */
    size_t in_off;
    struct v23_buf late;        /* encoded while the window was shut */
    size_t late_was;
    size_t budget;              /* most bytes of one item */
    struct vrpc_stream_ *wait_next, **wait_link; /* waits for a type */
    bool has_dec;
    bool out_started;           /* our version byte is written */
    bool out_was_started;       /* the same when the transaction began */
    bool dec_was_started;
    size_t used;                /* of the window, by the message cut out */
};

void vrpc_stream_init_(struct vrpc_stream_ *s,
    const struct vrpc_user_ops_ *ops, const struct v23_alloc *al,
    size_t budget);
/* Use the types of a session's type flow. */
void vrpc_stream_attach_(struct vrpc_stream_ *s, struct vrpc_types_ *t);
/* Give the flow back (cancel: drop what is queued) and make it reusable. */
void vrpc_stream_end_(struct vrpc_stream_ *s, bool cancel);
void vrpc_stream_fini_(struct vrpc_stream_ *s);
/* Transactions: begin, put…, then commit or rollback. */
V23_MUST_USE int vrpc_stream_begin_(struct vrpc_stream_ *s);
/* Never V23_EAGAIN: keeps what the window does not take for _flush_(). */
V23_MUST_USE int vrpc_stream_begin_force_(struct vrpc_stream_ *s);
/* 0: nothing is kept any more; V23_EAGAIN; V23_ECLOSED. */
V23_MUST_USE int vrpc_stream_flush_(struct vrpc_stream_ *s);
V23_MUST_USE int vrpc_stream_put_(struct vrpc_stream_ *s,
    const struct vdl_type *t, const void *v);
V23_MUST_USE int vrpc_stream_commit_(struct vrpc_stream_ *s);
void vrpc_stream_rollback_(struct vrpc_stream_ *s);
/* A transaction of an item: its header, and the item of type t. */
V23_MUST_USE int vrpc_stream_send_(struct vrpc_stream_ *s,
    const struct vdl_type *head_type, const void *head,
    const struct vdl_type *t, const void *item);
/*
 * Cut out the next value: 0, V23_EAGAIN (more bytes or a type are needed; the
 * user's `readable` follows), V23_EEOF (clean end), V23_ECLOSED (ends inside a
 * value), a decoder error.
 */
V23_MUST_USE int vrpc_stream_next_(struct vrpc_stream_ *s,
    struct vom_msg *msg);
/* Decode what was cut out and consume it; codes as above. */
V23_MUST_USE int vrpc_stream_value_(struct vrpc_stream_ *s,
    const struct vom_msg *msg, struct v23_arena *a, const struct vdl_type *t,
    void *out);
/* Consume it undecoded. */
void vrpc_stream_skip_(struct vrpc_stream_ *s);
/* Stop waiting for a type. */
void vrpc_stream_unwait_(struct vrpc_stream_ *s);

/* ---- sessions (session.c) ------------------------------------------------ */

struct vrpc_session_ {
    struct vrpc_cache_entry_ key; /* owner = the session */
    struct vrpc_manager *m;
    struct vrpc_conn *conn;
    struct vrpc_link *link;
    struct vrpc_session_ *next, **plink;
    struct vrpc_dial_ *dial;      /* until the handshake is done */
    struct vrpc_session_ *hnext, **hlink; /* in m->shaking, or hlink NULL */
    struct vrpc_types_ *ctypes;   /* of our calls */
    struct vrpc_types_ *stypes;   /* of the peer's calls */
    struct vrpc_server_call *served; /* calls of the peer */
    uint32_t nserved;
    uint32_t listens;             /* requests to a proxy that are granted */
    uint32_t pins;                /* who holds on to it */
    struct vrpc_pin *kept;        /* who wants it to be there */
    uint32_t proxied;             /* flows by which we listen through the peer:
                                     those it opens are transports */
    struct vrpc_names_ *names;    /* last validated, see auth.c */
    struct v23_buf texts;         /* printed endpoints: remote, then local */
    size_t remote_n;              /* length of the first */
    bool accepted, ready, dead, released;
    bool held;                    /* vrpc_conn_present() is to come */
    bool refreshed;               /* the peer's unsigned Auth has come */
    struct vrpc_waiter_ *unsettled; /* who wait for that */
    uint32_t shown;               /* generation of what we presented */
    bool ducked, duck_acked;      /* lame duck entered, acknowledged */
    char *text;                   /* storage of the key */
};

/* What the peer presents for the connection, as checks take it. */
struct vsec_blessings *vrpc_session_blessings_(struct vrpc_session_ *s);
/*
 * Keep a session and its connection in memory, though dead, for those who
 * still read from it: checks, calls, handlers at work.
 */
struct vrpc_session_ *vrpc_session_pin_(struct vrpc_session_ *s);
void vrpc_session_unpin_(struct vrpc_session_ *s); /* NULL ignored */
/* Printed endpoints of the connection; empty when memory is short. */
struct vdl_str vrpc_session_remote_text_(struct vrpc_session_ *s);
struct vdl_str vrpc_session_local_text_(struct vrpc_session_ *s);

/* ---- dialing ------------------------------------------------------------- */

/* Somebody who wants a connection. */
struct vrpc_waiter_ {
    struct vrpc_waiter_ *next, **link; /* link NULL: not waiting */
    struct vrpc_dial_ *dial;
    /* May we talk to this acceptor? As the hook of vrpc_conn_hooks. */
    int (*authorize)(struct vrpc_waiter_ *w, struct vrpc_session_ *s,
        struct v23_op op);
    /* rc 0: s is ready. V23_EAGAIN: look again. Else the reason. */
    void (*done)(struct vrpc_waiter_ *w, int rc, struct vrpc_session_ *s,
        const char *why);
};

/*
 * Find a live connection or join or start a dial.
 * @return 0: *out; V23_EAGAIN: w->done follows; V23_ENOENT: cached_only, or a
 *         bidi endpoint, and there is none; a failure of the dial
 */
V23_MUST_USE int vrpc_mgr_connect_(struct vrpc_manager *m,
    const struct vrpc_endpoint *ep, bool cached_only, int64_t deadline,
    struct vrpc_waiter_ *w, struct vrpc_session_ **out);
/* Why the last dial to an endpoint has failed; NULL: it has not, or not in the
 * last five minutes. */
const char *vrpc_failure_of_(struct vrpc_manager *m,
    const struct vrpc_endpoint *ep, int *rc);
/*
 * A connection that the peer dialed can tell who the peer is only after its
 * first refresh, when its blessings need discharges (spec/rpc.md 8.5): w->done
 * follows with V23_EAGAIN. False: there is nothing to wait for.
 */
bool vrpc_mgr_settle_(struct vrpc_session_ *s, struct v23_arena *scratch,
    struct vrpc_waiter_ *w);
/*
 * Live connections for an endpoint, by round trip time.
 * @return how many were written to out[max]
 */
size_t vrpc_mgr_find_(struct vrpc_manager *m, const struct vrpc_endpoint *ep,
    struct vrpc_session_ **out, size_t max);
void vrpc_mgr_unwait_(struct vrpc_waiter_ *w);

/* ---- authorization (auth.c) ---------------------------------------------- */

/*
 * Who is the other end, and may it? One check at a time. The owner fills
 * `call` (but for names) and keeps everything it points to alive.
 */
struct vrpc_check_ {
    struct vrpc_manager *m;
    struct vrpc_session_ *session;
    struct vsec_call call;
    struct vsec_names names;       /* valid once the names are known */
    struct vrpc_names_ *held;      /* whose names they are; a reference */
    const struct vsec_authorizer *auth, *also; /* `also` NULL or asked 2nd */
    struct v23_arena *arena;
    struct vsec_check *check;      /* names are awaited */
    const struct vsec_authorizer *asked; /* its answer is awaited */
    struct v23_op op;
    void (*done)(void *ud, int rc, const struct v23_verror *err);
    void *ud;
    struct vrpc_session_ *pinned;
};

/*
 * Start. `also` is a second authorizer that must agree, or NULL; done and ud
 * are for a late answer.
 * @return 0: allowed; V23_EDENIED with *err; V23_EAGAIN: done follows; other
 *         codes: no decision
 */
V23_MUST_USE int vrpc_check_start_(struct vrpc_check_ *c,
    const struct v23_verror **err);
void vrpc_check_cancel_(struct vrpc_check_ *c);
/* Cancel and let go of the names. */
void vrpc_check_fini_(struct vrpc_check_ *c);
void vrpc_names_unref_(struct vrpc_names_ *n); /* NULL ignored */

/* ---- errors (errors.c) --------------------------------------------------- */

/* Ids beyond those of vrpc/verror.h. */
#define VRPC_ID_RPC_ "v.io/x/ref/runtime/internal/rpc."

/* ---- discharges (fetch.c) ------------------------------------------------- */

enum { VRPC_MEMO_MAX_ = 4 };

/* Discharges of blessings that are good for any call until then. */
struct vrpc_memo_ {
    struct vsec_blessings *b; /* a reference; NULL = none */
    struct vsec_discharge *v[VRPC_MEMO_MAX_]; /* references */
    size_t n;
    struct v23_walltime until;
};

/* ---- manager ------------------------------------------------------------- */

struct vrpc_manager {
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct vrpc_transport tr;
    struct vsec_principal *principal;
    struct vsec_chain_cache *chains;
    struct vrpc_stats *stats;  /* or NULL */
    bool in_stats;             /* what is there of it is ours */
    struct vdl_registry known; /* types of the protocol */
    struct vrpc_routing_id rid;
    uint32_t mtu, bytes_buffered, max_conns, max_flows;
    int64_t channel_timeout, handshake_timeout, idle;
    struct vrpc_cache_ cache;
    struct vrpc_session_ *sessions;
    size_t nsessions;
    struct vrpc_session_ *shaking, **shaking_tail; /* accepted, oldest first */
    uint32_t nshaking, max_handshakes;
    struct vrpc_dial_ *dials;
    struct vrpc_failure_ *failures; /* of dials; newest first */
    struct vrpc_tunnels_ *tunnels; /* made with the first */
    struct vrpc_timers_ timers;
    struct vrpc_tasks_ tasks;
    struct vrpc_ops_ ops;
    struct vrpc_timer_ sweep;
    struct vrpc_client *clients, **clients_tail; /* oldest first */
    struct vrpc_call *pool; /* for reuse; none without clients */
    size_t npool;
    bool called; /* since the last sweep */
    struct vrpc_places_ places;
    struct vrpc_host_ *host;
    struct vrpc_server *server; /* the host, if it is one */
    struct {
        struct vsec_discharge **v; /* of the default blessings; references */
        size_t n;
        struct v23_arena arena, scratch;
        struct vrpc_fetch_ *fetch; /* in progress */
        struct vsec_blessings *b;  /* that it is for; a reference */
        struct vrpc_client *client; /* asks dischargers; NULL: our oldest */
        struct vrpc_timer_ timer, patience;
        struct vrpc_task_ task;
        struct vsec_store_watch watch;
        bool changed;
        bool hold; /* new connections wait for discharges */
        uint32_t generation; /* of what is presented */
    } own;                         /* see own.c */
    struct vrpc_memo_ memo;
    struct vrpc_tracer_ tracer;
    bool closing;
};

/* The judge of a handshake has decided. */
void vrpc_dial_judged_(struct vrpc_session_ *s, int rc);

struct v23_now vrpc_mgr_now_(const struct vrpc_manager *m);
void vrpc_mgr_post_(struct vrpc_manager *m, struct vrpc_task_ *t);
void vrpc_mgr_timer_(struct vrpc_manager *m, struct vrpc_timer_ *t,
    int64_t at);
/* Random bytes; `ud` is a manager. */
V23_MUST_USE int vrpc_mgr_random_(void *ud, void *p, size_t n);

/* rpc_stats.c */
void vrpc_manager_stats_init_(struct vrpc_manager *m);
void vrpc_manager_stats_fini_(struct vrpc_manager *m);

/* own.c */
V23_MUST_USE int vrpc_own_init_(struct vrpc_manager *m);
void vrpc_own_fini_(struct vrpc_manager *m);
/* A server begins: look for its discharges. */
void vrpc_own_start_(struct vrpc_manager *m);
/* Present the default blessings and discharges on a connection again. */
void vrpc_own_refresh_(struct vrpc_session_ *s);

/* pin.c */
/* The connection is gone. */
void vrpc_pins_lost_(struct vrpc_session_ *s);

/* ---- client.c ------------------------------------------------------------ */

/* Clients of a manager, from c on, that were given the networks `old` have
 * these now; c may be NULL. */
void vrpc_client_networks_(struct vrpc_client *c,
    const struct vrpc_network *old, const struct vrpc_network *nets, size_t n);

/* Free what is kept for calls to come. */
void vrpc_calls_trim_(struct vrpc_manager *m);

/* ---- server.c ------------------------------------------------------------ */

/* The server begins to stop: calls that would never end do. */
void vrpc_server_stopping_(struct vrpc_server *s);
/* The type flow of a session arrived: go on with parked calls. */
void vrpc_server_types_(struct vrpc_session_ *ss);

#endif
