/* BSD-3-Clause; see LICENSE. */
/*
 * The insides of a connection, shared by the files of the connection core:
 *
 *   conn.c       life, verbs, deferred hooks
 *   conn_time.c  health checks, lame duck, rest; enquiries
 *   conn_in.c    bytes to frames to messages
 *   conn_out.c   queues to sealed frames
 *   handshake.c  Setup, keys, binding, Auth
 *   blessflow.c  flow 1: which blessings are known to which side
 *   flow.c       flow handles and what the application does with them
 *   flow_in.c    what the peer does to flows; token accounting
 *
 * Invariants. A flow is in conn->by_id from vrpc_flow_open or the peer's
 * OpenFlow until either side's close is on the wire or has arrived. Hooks run
 * only from vrpc_settle_ and from flow_in.c, always with depth > 0; after each
 * of them c->dead and c->status may have changed and any other flow may be
 * gone.
 */
#ifndef VRPC_CONN_INT_H
#define VRPC_CONN_INT_H

#include <vom/dec.h>
#include <vom/enc.h>
#include <vrpc/conn.h>
#include <vrpc/message.h>
#include <vsec/principal.h>

#include <stddef.h>

#include "idmap_int.h"
#include "pool_int.h"

enum {
    VRPC_BLESSINGS_FLOW_ = 1,
    VRPC_FIRST_FLOW_ = 10,
    VRPC_TX_FIRST_ = 256,       /* first size of a flow's queue */
    VRPC_POOL_BUSY_ = 512 << 10, /* kept for reuse while busy */
    VRPC_POOL_REST_ = 512,      /* and at rest */
    VRPC_FLOWS_BUSY_ = 64,      /* spare flow objects kept while busy */
    VRPC_FLOWS_REST_ = 1,
    VRPC_EXPRESS_MAX_ = 64 << 10, /* unsent control messages */
    VRPC_CLOSED_RELEASE_ = 64,  /* closed flows that force a Release */
    VRPC_CLOSED_MAX_ = 8192,    /* while the transport is stuck */
    VRPC_KEPT_MAX_ = 4096,      /* of a peer's blessings stream, see blessflow */
    VRPC_FRAME_SLACK_ = 512,    /* frame of a Data beyond its payload */
    VRPC_RELEASE_EACH_ = 6      /* bytes of a counter besides its tokens */
};
#define VRPC_REST_AFTER_NS_ (V23_NS_PER_SEC / 2)

/* ---- lists --------------------------------------------------------------- */

/* Circular; a link that is in no list points at itself. */
struct vrpc_link_ {
    struct vrpc_link_ *prev, *next;
};

static inline void vrpc_link_init_(struct vrpc_link_ *l)
{
    l->prev = l->next = l;
}
static inline bool vrpc_linked_(const struct vrpc_link_ *l)
{
    return l->next != l;
}
static inline void vrpc_unlink_(struct vrpc_link_ *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    vrpc_link_init_(l);
}
/* Append l, taking it out of the list it is in. */
static inline void vrpc_append_(struct vrpc_link_ *list, struct vrpc_link_ *l)
{
    vrpc_unlink_(l);
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}
#define VRPC_FLOW_OF_(link, member) \
    ((struct vrpc_flow *)(void *)((char *)(link) \
        - offsetof(struct vrpc_flow, member)))

/* ---- flows --------------------------------------------------------------- */

/* Discharges held by reference. */
struct vrpc_discharges_ {
    struct vsec_discharge **v;
    size_t n;
};

enum vrpc_where_ { VRPC_NOWHERE_, VRPC_READY_, VRPC_POOL_WAIT_ };

struct vrpc_flow {
    struct vrpc_conn *conn;
    uint64_t id;
    void *ud;
    struct vrpc_link_ all;  /* conn->flows; spare objects: conn->spare */
    struct vrpc_link_ q;    /* in conn->ready or conn->pool_wait: `where` */
    struct vrpc_link_ due;  /* conn->due: a hook is owed */
    struct vrpc_link_ rel;  /* conn->to_release: to_release != 0 */
    /* sending; `tx` holds sent bytes up to head, queued bytes up to commit,
     * and behind it bytes being written */
    struct v23_buf tx;
    size_t tx_head, tx_commit;
    uint64_t released, borrowed;
    uint64_t sent, committed;   /* totals */
    struct vrpc_flow *dep;      /* what must be sent first; NULL = nothing */
    uint64_t dep_mark;          /* up to this total of dep->sent */
    uint64_t dep_from;          /* concerns our bytes from this total on */
    struct vrpc_link_ dep_link; /* dep->dependents */
    struct vrpc_link_ dependents;
    /* receiving */
    struct v23_buf rx;
    size_t rx_head;
    struct v23_bytes direct;    /* in the input being processed */
    uint64_t to_release;
    uint32_t grant;             /* window of what the peer may send */
    /* who */
    uint64_t bkey, dkey;
    struct vsec_blessings *blessings;  /* own flow: what we present */
    struct vrpc_discharges_ discharges;
    int64_t channel_timeout_ns; /* 0 = the connection's */
    /* state */
    uint8_t where;              /* enum vrpc_where_ */
    bool accepted : 1;
    bool opened : 1;            /* OpenFlow is on the wire */
    bool mapped : 1;            /* in conn->by_id */
    bool written : 1;           /* something was committed */
    bool closing : 1;           /* closed by us, rest of queue to be sent */
    bool handle : 1;            /* the application holds it */
    bool peer_closed : 1;       /* by the peer or with the connection */
    bool borrowing : 1;
    bool remote_borrowing : 1;
    bool want_write : 1;        /* flow_writable is owed */
    bool messages : 1;
    bool side_channel : 1;
    bool in_direct : 1;         /* `direct` is a message, maybe empty */
    bool told_closed : 1;
    int close_status;
};

/* ---- blessings flow ------------------------------------------------------ */

/* Sent: blessings with the last discharges sent for them. */
struct vrpc_sent_ {
    struct vsec_blessings *b;
    uint64_t bkey, dkey;
    struct vrpc_discharges_ d;
};

/* Received under one key: either blessings or discharges. */
struct vrpc_recd_ {
    uint64_t key;
    struct vsec_blessings *b;
    struct vrpc_discharges_ d;
};

struct vrpc_blessflow_ {
    /* sending */
    struct v23_buf out;       /* not yet in a Data message */
    struct vrpc_blessenc_ *enc; /* made when needed, freed at rest */
    bool enc_used;            /* the types are on the wire */
    struct vrpc_sent_ *sent;
    size_t nsent, sent_cap;
    uint64_t next_key;
    /* receiving */
    struct v23_buf in;        /* not yet decoded */
    struct vrpc_blessdec_ *dec; /* made when needed, freed at rest */
    struct v23_buf kept;      /* all that was decoded, to make it again */
    bool keep;                /* `kept` is complete */
    struct vrpc_recd_ *recd;
    size_t nrecd, recd_cap;
    struct vrpc_idmap_ index; /* key -> index into recd */
};

/* ---- connection ---------------------------------------------------------- */

enum vrpc_shake_state_ {
    VRPC_HS_SETUP_,     /* waiting for the peer's Setup */
    VRPC_HS_HOLD_,      /* waiting for vrpc_conn_present() */
    VRPC_HS_AUTH_,      /* waiting for the peer's Auth */
    VRPC_HS_AUTHORIZE_, /* authorize_peer is thinking */
    VRPC_HS_SIGN_       /* our signer is thinking */
};

/* Exists during the handshake only. */
struct vrpc_shake_ {
    enum vrpc_shake_state_ state;
    uint8_t secret[VRPC_KEY_SIZE];
    struct v23_buf setup;   /* our Setup */
    struct v23_buf binding; /* 9 bytes of tag, then the binding */
    uint64_t bkey, dkey;    /* of our Auth */
    struct v23_op op;       /* pending authorize or sign */
    bool answered;          /* op is complete: */
    int answer;
    struct v23_buf auth;    /* our signed Auth, when signing was slow */
};

struct vrpc_counter_ {
    uint64_t flow, tokens;
};

struct vrpc_partial_ {
    uint8_t head[VRPC_FRAME_HEADER];
    uint8_t nhead;
    uint8_t *p;
    size_t n, want, cap;
};

/* Payload expected as the next, unsealed frame. */
struct vrpc_raw_ {
    bool wanted;
    bool open;
    uint64_t id, flags;
    struct vrpc_open_flow of;
};

struct vrpc_conn {
    const struct v23_alloc *al;
    const struct v23_log *log;
    const struct vrpc_conn_hooks *hooks;
    void *ud;
    struct vsec_principal *principal;
    const struct vsec_box_ops *box;
    struct vsec_chain_cache *chains;
    const struct vdl_registry *known;
    struct vrpc_conn_limits limits;
    enum vrpc_role role;
    enum vrpc_conn_status status;
    uint32_t depth;         /* nesting of verbs */
    bool message_transport, encapsulated, has_handler;
    bool hold;              /* vrpc_conn_present() is to come */
    bool dead;              /* freed inside a hook */
    bool woken;             /* wake was called since the last verb */
    bool sealed;            /* both Setups are processed */
    bool is_proxy;
    bool last_sealed;       /* vrpc_conn_output_was_sealed */
    bool closed_due;        /* the closed hook is owed */
    bool peer_lame, lame_ack_sent;
    bool release_due, health_response_due, health_pending;
    bool raw_due;
    bool pool_blocked;      /* who waits for the pool needs more than it has */
    struct v23_now now;     /* of the last verb */
    struct v23_arena arena; /* endpoints */
    struct vrpc_endpoint local, remote;
    struct vsec_blessings *own;      /* presented; NULL = nameless */
    struct vsec_blessings *nameless; /* made on demand */
    struct vrpc_discharges_ own_discharges;
    uint32_t min_version, max_version, version;
    uint32_t mtu;           /* ours, then the negotiated one */
    uint32_t window;        /* own bytes buffered per flow */
    uint32_t announced;     /* own shared tokens */
    uint32_t peer_pool;     /* min(announced, theirs) */
    uint8_t key[VRPC_KEY_SIZE];    /* public, ephemeral */
    uint8_t shared_key[VRPC_KEY_SIZE];
    uint64_t sent_seq, recd_seq;
    uint8_t sent_dir, recd_dir;
    struct vrpc_shake_ *shake;
    uint32_t op_generation;
    /* input */
    struct vrpc_partial_ partial;
    struct vrpc_raw_ raw;
    struct vrpc_flow *current; /* flow whose hook is running */
    /* output */
    struct v23_buf express; /* entries: 4-byte length, message */
    size_t express_head;
    struct v23_buf raw_out; /* raw_due: raw message that must follow at once */
    struct vrpc_link_ ready, pool_wait;
    /* flows */
    struct vrpc_idmap_ by_id, outstanding;
    struct vrpc_link_ flows, due, to_release;
    struct vrpc_link_ spare;
    size_t nspare, nflows, nside; /* nflows: mapped, with side channels */
    size_t unopened;        /* own flows whose OpenFlow is to come */
    uint64_t next_id;
    uint64_t pool_tokens;   /* shared */
    uint64_t granted;       /* windows of all flows */
    uint64_t unread;        /* received and held for the application */
    uint64_t to_release_borrowed;
    struct vrpc_counter_ *closed_release;
    size_t nclosed_release, closed_release_cap;
    struct vrpc_pool_ pool;
    struct vrpc_blessflow_ bf;
    /* the peer */
    struct vsec_pubkey *peer_key;
    uint64_t peer_bkey, peer_dkey;
    /* time */
    int64_t deadline;       /* handshake; then V23_NEVER */
    int64_t channel_timeout_ns;
    int64_t health_new_ns; /* least of the flows opened since; 0 = none */
    int64_t health_request_at, health_close_at, health_sent_at;
    int64_t rtt_ns, last_use_ns, born_ns;
    int64_t trim_at, busy_ns;
    /* end */
    int broken;             /* status to close with; 0 = none */
    int close_status;
    char *text; /* NULL = text of close_status */
};

/* ---- conn.c -------------------------------------------------------------- */

/* Around every entry from outside that may run hooks. */
void vrpc_enter_(struct vrpc_conn *c, const struct v23_now *now);
/* Runs the hooks that are due. False: one of them freed c. */
bool vrpc_leave_(struct vrpc_conn *c);
/* The same without leaving. */
bool vrpc_settle_(struct vrpc_conn *c);
/* Note for the owner that there is something to do; outside verbs only. */
void vrpc_wake_(struct vrpc_conn *c);
/* Begin to close; hooks follow. `text` NULL: that of the status. */
void vrpc_close_(struct vrpc_conn *c, int status, const char *text,
    bool tear_down);
/* Close over an error of ours or the peer's; returns the status. */
int vrpc_fail_(struct vrpc_conn *c, int status, const char *text);
/* The same where c cannot be closed on the spot: from the next verb on. */
void vrpc_break_(struct vrpc_conn *c, int status);
bool vrpc_is_closing_(const struct vrpc_conn *c);
void vrpc_set_text_(struct vrpc_conn *c, const void *p, size_t n,
    const char *prefix);

/* ---- conn_time.c ---------------------------------------------------------- */

/* A timeout of a flow is shorter than what the timers wait for. */
void vrpc_health_flow_(struct vrpc_conn *c, int64_t timeout_ns);
/* It is known what time it is: health_new_ns begins. */
void vrpc_health_begin_(struct vrpc_conn *c);
void vrpc_health_response_(struct vrpc_conn *c);
/* Own flow opened or dropped: is an AckLameDuck due? */
void vrpc_lame_check_(struct vrpc_conn *c);
/* Health timers; may close the connection. */
void vrpc_health_tick_(struct vrpc_conn *c, int64_t now);
/* Holds memory that it does not need at rest. */
bool vrpc_is_fat_(const struct vrpc_conn *c);
void vrpc_trim_tick_(struct vrpc_conn *c, int64_t now);

/* ---- conn_in.c ----------------------------------------------------------- */

V23_MUST_USE int vrpc_input_(struct vrpc_conn *c, uint8_t *p, size_t n);
/* Forget an incomplete frame. */
void vrpc_partial_fini_(struct vrpc_conn *c);

/* ---- conn_out.c ---------------------------------------------------------- */

/*
 * Queue a control message of n bytes. 0, V23_ENOMEM, V23_ELIMIT (too much is
 * unsent). `clear`: never sealed.
 */
V23_MUST_USE int vrpc_express_(struct vrpc_conn *c, const void *p, size_t n,
    bool clear);
V23_MUST_USE int vrpc_express_byte_(struct vrpc_conn *c, uint8_t type);
V23_MUST_USE int vrpc_output_(struct vrpc_conn *c, struct v23_buf *out,
    size_t max);
/* Put a flow into the ready queue if it has something to send. */
void vrpc_flow_ready_(struct vrpc_flow *f);
/* Queued, committed bytes. */
static inline size_t vrpc_flow_queue_(const struct vrpc_flow *f)
{
    return f->tx_commit - f->tx_head;
}
/* Most payload bytes of one message on flows. */
static inline size_t vrpc_flow_mtu_(const struct vrpc_conn *c)
{
    return c->encapsulated ? c->mtu - VRPC_MTU_ENCAPSULATED : c->mtu;
}
/* Give a buffer's memory to the pool. */
void vrpc_recycle_(struct vrpc_conn *c, struct v23_buf *b);
/* Give an empty buffer memory from the pool. */
V23_MUST_USE int vrpc_refill_(struct vrpc_conn *c, struct v23_buf *b,
    size_t need);

/* ---- handshake.c --------------------------------------------------------- */

V23_MUST_USE int vrpc_shake_new_(struct vrpc_conn *c,
    const struct vrpc_conn_config *cfg);
void vrpc_shake_free_(struct vrpc_conn *c);
/* One message of the handshake, opened if it was sealed. */
V23_MUST_USE int vrpc_shake_input_(struct vrpc_conn *c, const uint8_t *p,
    size_t n);
/* An answer came: go on. */
V23_MUST_USE int vrpc_shake_resume_(struct vrpc_conn *c);
/* Unsigned Auth of the peer. */
V23_MUST_USE int vrpc_refreshed_(struct vrpc_conn *c,
    const struct vrpc_auth *a);

/* ---- blessflow.c --------------------------------------------------------- */

void vrpc_blessflow_init_(struct vrpc_conn *c);
void vrpc_blessflow_fini_(struct vrpc_conn *c);
/* Free the coders, if they can be made again. */
bool vrpc_blessflow_is_fat_(const struct vrpc_conn *c);
void vrpc_blessflow_slim_(struct vrpc_conn *c);
/* So many keys were used that new flows should go elsewhere. */
bool vrpc_blessflow_is_old_(const struct vrpc_conn *c);
/* Make sure that the peer knows b (NULL = nameless) and d. */
V23_MUST_USE int vrpc_blessings_send_(struct vrpc_conn *c,
    struct vsec_blessings *b, const struct vrpc_discharges_ *d,
    uint64_t *bkey, uint64_t *dkey);
/* Payload of the peer's flow 1. */
V23_MUST_USE int vrpc_blessings_input_(struct vrpc_conn *c,
    struct v23_bytes b);
/* Decode until bkey and dkey (0 = none) are known. */
V23_MUST_USE int vrpc_blessings_fetch_(struct vrpc_conn *c, uint64_t bkey,
    uint64_t dkey);
/* Now that peer_key is set: is all that was received bound to it? */
V23_MUST_USE int vrpc_blessings_bind_(struct vrpc_conn *c);
/* Entry of a key; NULL when unknown. Valid until the next fetch. */
const struct vrpc_recd_ *vrpc_blessings_known_(const struct vrpc_conn *c,
    uint64_t key);
/* Own nameless blessings, made on demand and owned by c; NULL: no memory. */
struct vsec_blessings *vrpc_nameless_(struct vrpc_conn *c, int *rc);
V23_MUST_USE int vrpc_discharges_copy_(const struct v23_alloc *al,
    struct vrpc_discharges_ *dst, struct vsec_discharge *const *v, size_t n);
void vrpc_discharges_fini_(const struct v23_alloc *al,
    struct vrpc_discharges_ *d);

/* ---- flow.c, flow_in.c --------------------------------------------------- */

/* A flow object in conn->flows, not yet mapped. NULL: out of memory. */
struct vrpc_flow *vrpc_flow_new_(struct vrpc_conn *c);
/* Fix the window of a new flow: whole while the windows of all stay within the
 * limit, then what one message needs. */
void vrpc_flow_grant_(struct vrpc_flow *f);
/* Take it out of everything and free it. */
void vrpc_flow_drop_(struct vrpc_flow *f);
/* Map it under its id. */
V23_MUST_USE int vrpc_flow_map_(struct vrpc_flow *f);
/* Our close is on the wire, or the peer's has arrived, or neither matters any
 * more: settle the tokens and take it out of by_id. */
void vrpc_flow_unmap_(struct vrpc_flow *f, bool peer_closed);
/* The peer closed it, or the connection ends: flow_closed becomes due. */
void vrpc_flow_end_(struct vrpc_flow *f, int status);
/* Drop everything queued. */
void vrpc_flow_discard_(struct vrpc_flow *f);
/* The handle is given back and nothing is left to do: free. */
void vrpc_flow_done_(struct vrpc_flow *f);
/* The application consumed n bytes of payload. */
void vrpc_flow_used_(struct vrpc_flow *f, uint64_t n);
/* Tokens came back to the pool: those who wait for it may go on. */
void vrpc_pool_add_(struct vrpc_conn *c, uint64_t n);

V23_MUST_USE int vrpc_on_open_(struct vrpc_conn *c,
    const struct vrpc_open_flow *m);
V23_MUST_USE int vrpc_on_data_(struct vrpc_conn *c,
    const struct vrpc_data *m);
V23_MUST_USE int vrpc_on_release_(struct vrpc_conn *c, struct v23_bytes b);

#endif
