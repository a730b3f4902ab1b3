/* BSD-3-Clause; see LICENSE. */
/* What the two ends of an agent's connection share. */
#ifndef VSEC_AGENT_INT_H
#define VSEC_AGENT_INT_H

#include <v23/vdl/v.io/x/ref/services/agent/agent.vdl.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vsec/agent.h>

/* ---- methods (agent_methods.c) ------------------------------------------- */

/* The fields of the structs are the values that travel. */
struct vsec_agent_method_ {
    struct vdl_str name;
    const struct vdl_type *args, *results;
};

enum vsec_agent_method_no_ {
    VSEC_AGENT_BLESS_,
    VSEC_AGENT_BLESS_SELF_,
    VSEC_AGENT_SIGN_,
    VSEC_AGENT_MINT_,
    VSEC_AGENT_PUBLIC_KEY_,
    VSEC_AGENT_BY_NAME_,
    VSEC_AGENT_INFO_,
    VSEC_AGENT_ADD_TO_ROOTS_,
    VSEC_AGENT_STORE_SET_,
    VSEC_AGENT_STORE_FOR_PEER_,
    VSEC_AGENT_STORE_SET_DEFAULT_,
    VSEC_AGENT_STORE_DEFAULT_,
    VSEC_AGENT_STORE_PEERS_,
    VSEC_AGENT_STORE_TEXT_,
    VSEC_AGENT_STORE_CACHE_,
    VSEC_AGENT_STORE_CLEAR_,
    VSEC_AGENT_STORE_DISCHARGE_,
    VSEC_AGENT_STORE_DISCHARGE2_,
    VSEC_AGENT_ROOTS_ADD_,
    VSEC_AGENT_ROOTS_RECOGNIZED_,
    VSEC_AGENT_ROOTS_DUMP_,
    VSEC_AGENT_ROOTS_TEXT_,
    VSEC_AGENT_KEY_NEW_,
    VSEC_AGENT_KEY_SERVE_,
    VSEC_AGENT_KEY_STOP_,
    VSEC_AGENT_KEY_DELETE_,
    VSEC_AGENT_METHODS_, /* of an agent; the rest are a client's */
    VSEC_AGENT_FLUSH_ = VSEC_AGENT_METHODS_,
    VSEC_AGENT_ALL_METHODS_
};
extern const struct vsec_agent_method_
    vsec_agent_methods_[VSEC_AGENT_ALL_METHODS_];

/* The wire error of a status, and back; V23_EWIREERR for any other. */
const struct v23_verror *vsec_agent_error_(struct v23_arena *a,
    const struct v23_errctx *ctx, int rc);
int vsec_agent_error_code_(const struct v23_verror *e);

/* ---- connections (agent_conn.c) ------------------------------------------ */

struct vsec_agent_call_;

/* Who is told of the end of a call, which is freed after it. */
struct vsec_agent_then_ {
    /* Own call: has its outcome. Peer's: the connection has ended, so no
     * answer is wanted. */
    void (*done)(struct vsec_agent_call_ *call);
    void *ud;
    bool at_once; /* also while somebody blocks; `done` may call nobody else */
};

/* A call in either direction. */
struct vsec_agent_call_ {
    struct vsec_agent_call_ *next;
    struct vsec_agent_conn *c;
    const struct vsec_agent_method_ *m; /* NULL: the peer asks for an unknown */
    uint64_t id;
    struct v23_arena arena;
    void *args;    /* the peer's; C value of m->args */
    void *results; /* C value of m->results */
    const struct v23_verror *err; /* that an own call failed with */
    int rc;        /* outcome of an own call */
    bool ended;    /* rc is set */
    struct vsec_agent_then_ then;
};

/* What is behind a connection. */
struct vsec_agent_end_ {
    /* Methods from `first` to before `last` may be called by the peer. */
    enum vsec_agent_method_no_ first, last;
    /* Work on a call, then vsec_agent_answer_(); if later, call->then.done is
     * set. */
    void (*request)(void *ud, struct vsec_agent_call_ *call);
    /* Nobody blocks: tell others what has changed. May be NULL. */
    void (*settle)(void *ud);
    int (*block)(void *ud); /* of io.ud; may be NULL */
    const char *name; /* program in error texts */
    void *ud;
};

enum vsec_agent_want_ {
    VSEC_AGENT_INFO_VALUE_,
    VSEC_AGENT_MESSAGE_,
    VSEC_AGENT_VALUES_
};

enum { VSEC_AGENT_TEXT_ = 256 };

struct vsec_agent_conn {
    const struct v23_alloc *al;
    struct vsec_agent_limits limits;
    struct vsec_agent_io io;
    struct vsec_agent_end_ end;
    struct v23_walltime now; /* as of the last input */
    int status;      /* not 0: has ended */
    bool tell;       /* io.closed is still to be called */
    bool dead;       /* to be freed by who is busy */
    uint8_t busy;    /* functions in progress that may call back */
    uint8_t blocked; /* callers that wait for an answer */

    struct v23_buf in, out;
    size_t sent; /* of out, already written */
    struct vom_typeenc typeenc;
    struct vom_enc enc;
    struct vom_typedec *typedec;
    struct vom_dec dec;

    enum vsec_agent_want_ want;
    struct vsec_agent_call_ *in_call; /* whose values come; NULL: skipped */
    uint32_t left, got; /* values still to come; and here */
    bool in_answer;     /* they are results */
    bool waiting;       /* input is held back until there is room */

    uint64_t next_id;
    struct vsec_agent_call_ *own, *ended; /* calls of this end */
    struct vsec_agent_call_ *peers;       /* in progress */
    uint32_t nown, npeers;
    char error[VSEC_AGENT_TEXT_]; /* of the last own call that failed */

    /* Of a server: its list of connections, and telling about changes. */
    struct vsec_agent_conn *next;
    bool flushing, flush_again;
};

V23_MUST_USE int vsec_agent_conn_new_(const struct v23_alloc *al,
    const struct vsec_agent_limits *limits, const struct vsec_agent_io *io,
    const struct vsec_agent_end_ *end, struct vsec_agent_conn **out);
/* Free without calling io.closed; calls in progress end first. */
void vsec_agent_conn_free_(struct vsec_agent_conn *c);
/*
 * Call the peer. `args` is a C value of m->args (NULL: there are none); `then`
 * NULL: nobody is told. 0; V23_ECLOSED, V23_EAGAIN (too many calls),
 * V23_ENOMEM.
 */
V23_MUST_USE int vsec_agent_start_(struct vsec_agent_conn *c,
    enum vsec_agent_method_no_ m, const void *args,
    const struct vsec_agent_then_ *then, struct vsec_agent_call_ **out);
/*
 * Call the peer and block. The outcome, or why there is none; with 0 the
 * results are *out's, to be given back with vsec_agent_call_free_().
 */
V23_MUST_USE int vsec_agent_ask_(struct vsec_agent_conn *c,
    enum vsec_agent_method_no_ m, const void *args,
    struct vsec_agent_call_ **out);
/* Block until *flag. */
V23_MUST_USE int vsec_agent_block_(struct vsec_agent_conn *c,
    const bool *flag);
void vsec_agent_call_free_(struct vsec_agent_call_ *call);
/* Answer a call of the peer's, which is freed. */
void vsec_agent_answer_(struct vsec_agent_call_ *call,
    const struct v23_verror *err);
/* ---- client -------------------------------------------------------------- */

struct vsec_agent_later_; /* what somebody waits for */

/* Members are shared by agent_client.c and agent_principal.c. */
struct vsec_agent_client {
    struct v23_ref ref; /* the owner's and those of the principal's parts */
    struct vsec_engine *engine;
    struct vsec_agent_conn *conn; /* NULL: freed by the owner */
    struct vsec_agent_client_config cfg;
    struct vsec_chain_cache *cache;
    struct vsec_principal *principal;
    struct vsec_pubkey *key;
    struct vsec_store *store; /* of the principal; no references */
    struct vsec_roots *roots;
    struct vsec_agent_later_ *later;
    struct { /* the agent's state, on its way */
        uint8_t waits; /* answers still to come */
        bool again;    /* it has changed since it was asked for */
        int rc;
        struct vsec_store_state store;
        struct vsec_roots_state roots;
    } fetch;
    bool fetched;  /* set when a fetch ends, for who waits */
    bool changed;  /* watchers of the store are still to be told */
    bool old;      /* has no BlessingStoreDischarge2 */
    bool told;     /* cfg.ready was called */
    int rc;        /* why there is no principal */
};

void vsec_agent_client_unref_(struct vsec_agent_client *cl);
/* Make the principal, its store and roots still empty (agent_principal.c). */
V23_MUST_USE int vsec_agent_principal_new_(struct vsec_agent_client *cl);
/* Blessings from the agent, which must be bound to `key`; zero ones give NULL.
 */
V23_MUST_USE int vsec_agent_blessings_(struct vsec_agent_client *cl,
    const v23_security_wire_blessings *w, const struct vsec_pubkey *key,
    struct vsec_blessings **out);
/* Ask the agent on behalf of a principal's part. */
V23_MUST_USE int vsec_agent_client_ask_(struct vsec_agent_client *cl,
    enum vsec_agent_method_no_ m, const void *args,
    struct vsec_agent_call_ **out);
/* The same without waiting for the answer. */
V23_MUST_USE int vsec_agent_client_tell_(struct vsec_agent_client *cl,
    enum vsec_agent_method_no_ m, const void *args);
/* Have a change of the store or the roots made; then fetch the state again, so
 * that the caller sees what it did. */
V23_MUST_USE int vsec_agent_client_change_(struct vsec_agent_client *cl,
    enum vsec_agent_method_no_ m, const void *args,
    struct vsec_agent_call_ **out);

/* ---- server -------------------------------------------------------------- */

enum { VSEC_AGENT_NAME_ = 64 };

struct vsec_agent_server {
    struct vsec_principal *principal;
    struct vsec_engine *engine;
    struct vsec_chain_cache *cache;
    struct vsec_agent_conn *conns;
    struct vsec_agent_manager manager;
    bool manages;
    char name[VSEC_AGENT_NAME_];
};

/* Work on a call of a user's; `ud` is the server (agent_handlers.c). */
void vsec_agent_request_(void *ud, struct vsec_agent_call_ *call);

#endif
