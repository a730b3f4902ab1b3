/* BSD-3-Clause; see LICENSE. */
/*
 * Inside of a controller. Private to libwspr.
 *
 * Three layers: the envelope and what has an id (ctl.c, table.c, queue.c),
 * calls both ways without regard to how they are written (calls*.c, servers*.c,
 * asks.c, signature.c, local*.c), and the eras, which read and write messages
 * (vom_*.c, json_*.c) and are reached through struct wspr_era_ alone.
 */
#ifndef WSPR_INT_H
#define WSPR_INT_H

#include <v23/vdl/signature/signature.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/app/app.rpc.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/lib/lib.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/rpc/server/server.vdl.h>
#include <vrpc/manager.h>
#include <vrpc/verror.h>
#include <vrpc/vtrace.h>
#include <wspr/controller.h>

struct wspr_call_;
struct wspr_flow_;
struct wspr_ask_;
struct wspr_server_;

/* ---- what has an id on the websocket (table.c) --------------------------- */

enum wspr_kind_ {
    WSPR_CALL_, /* struct wspr_call_: a call that the page makes */
    WSPR_FLOW_, /* struct wspr_flow_: a call that the page serves */
    WSPR_ASK_   /* struct wspr_ask_: another question to the page */
};

/* First member of those three. */
struct wspr_entry_ {
    int64_t id;
    struct wspr_entry_ *hnext; /* in the table */
    bool known;                /* it is there */
    enum wspr_kind_ kind;
    const void *era_data; /* the era's; NULL at first */
};

struct wspr_table_ {
    struct wspr_entry_ **v;
    size_t nslots, n;
};

/* V23_EEXIST, V23_ENOMEM. */
V23_MUST_USE int wspr_table_add_(struct wspr_ctl *c, struct wspr_entry_ *e);
void wspr_table_drop_(struct wspr_ctl *c, struct wspr_entry_ *e);
struct wspr_entry_ *wspr_table_find_(const struct wspr_ctl *c, int64_t id);

/* Deadlines that are all as far away when they are set: a queue. */
struct wspr_due_ {
    struct wspr_due_ *next, **link; /* link NULL: not set */
    int64_t at;
};
struct wspr_dues_ {
    struct wspr_due_ *first, **tail;
};
void wspr_due_set_(struct wspr_ctl *c, struct wspr_dues_ *q,
    struct wspr_due_ *d, int64_t at);
void wspr_due_drop_(struct wspr_dues_ *q, struct wspr_due_ *d);

/* ---- bytes of the page that wait for a call (queue.c) -------------------- */

enum wspr_chunk_kind_ {
    WSPR_ITEM_,  /* a stream value, as the page sent it */
    WSPR_END_,   /* the page has ended its stream */
    WSPR_REPLY_  /* the page's answer to a call that it serves */
};

struct wspr_chunk_ {
    struct wspr_chunk_ *next;
    size_t n;
    enum wspr_chunk_kind_ kind;
    char text[]; /* n bytes */
};

struct wspr_queue_ {
    struct wspr_chunk_ *first, **tail;
    size_t bytes;
    bool full; /* counted in ctl->nfull */
};

void wspr_queue_init_(struct wspr_queue_ *q);
/* 0, V23_ENOMEM, V23_ELIMIT: the stream is to be aborted. */
V23_MUST_USE int wspr_queue_put_(struct wspr_ctl *c, struct wspr_queue_ *q,
    enum wspr_chunk_kind_ kind, struct vdl_str text);
/* Take off the first chunk, which there is. */
void wspr_queue_drop_(struct wspr_ctl *c, struct wspr_queue_ *q);
void wspr_queue_clear_(struct wspr_ctl *c, struct wspr_queue_ *q);

/* ---- calls of the page (calls.c, local*.c) ------------------------------- */

struct wspr_local_;

enum { WSPR_MAX_GRANTERS_ = 16 };

struct wspr_call_ {
    struct wspr_entry_ e;
    struct wspr_ctl *c;
    struct wspr_call_ *next, **link; /* all, or the pool */
    struct v23_arena arena;          /* as long as the call */
    struct vdl_str name, method;     /* in the arena, as is all below */
    struct vdl_str language;
    struct v23_errctx ctx;
    struct vrpc_span span; /* begun by wspr_calls_span_() */
    int64_t deadline;      /* monotonic; V23_NEVER = none */
    uint32_t nresults;
    bool streaming;
    bool over;             /* answered: the id is free */

    /* of others' objects */
    struct vrpc_call *rpc; /* NULL: not started, or done */
    struct vrpc_call_opts opts;
    const vdl_str_list *servers_in; /* whom the page allows; NULL = rule */
    struct vsec_authorizer auth;
    v23_access_access_list acl;
    int32_t granter_ids[WSPR_MAX_GRANTERS_];
    struct vrpc_granter granters[WSPR_MAX_GRANTERS_];
    size_t ngranters, nasked;
    struct wspr_ask_ *ask;  /* what the page is to grant */
    const struct v23_verror *refusal; /* why it did not */
    struct wspr_queue_ queue;
    const struct vdl_any *args; /* for error texts */
    size_t nargs;
    bool held;              /* it is not read: the socket is behind */

    /* of our own objects */
    const struct wspr_local_ *local;
    void *in, *out;
    struct vname_op *op;
    struct vname_opts ns_opts;
    struct wspr_call_ *wait_next; /* on a server's stop, or a signature */
    void *waits_for;              /* for which of them */
};

/*
 * A call that has no id yet: fill in name, method, language, deadline,
 * nresults, streaming and options. NULL: out of memory.
 */
struct wspr_call_ *wspr_calls_get_(struct wspr_ctl *c);
/* Give it back unused. */
void wspr_calls_put_(struct wspr_call_ *call);
/* Keep none for later. */
void wspr_calls_rest_(struct wspr_ctl *c);
/* Name its span, below the page's; NULL: a trace of its own. */
void wspr_calls_span_(struct wspr_call_ *call, const v23_vtrace_request *r);
/*
 * Give it an id. False: that is taken, or there are too many calls; the page
 * has been told, and the call was given back.
 */
bool wspr_calls_register_(struct wspr_call_ *call, int64_t id);
/* Call a remote object with arguments in the call's arena. */
void wspr_calls_start_(struct wspr_call_ *call, const struct vdl_any *args,
    size_t nargs);
/* The call has failed here: tell the page, and cancel. */
void wspr_calls_fail_(struct wspr_call_ *call, const struct v23_verror *err);
/* What the page sends on the call. */
void wspr_calls_item_(struct wspr_call_ *call, struct vdl_str data);
void wspr_calls_end_stream_(struct wspr_call_ *call);
void wspr_calls_cancel_(struct wspr_call_ *call);
/* Make and send a wire error of a standard kind. */
void wspr_calls_failf_(struct wspr_call_ *call, enum vrpc_err kind,
    const char *fmt, ...) V23_PRINTF(3, 4);
/* What was collected of the call's trace, in its arena. */
void wspr_calls_trace_(struct wspr_call_ *call, v23_vtrace_response *out);
/* The page has answered a granter (the blessings' reference is taken). */
void wspr_calls_granted_(struct wspr_call_ *call, int rc,
    struct vsec_blessings *b, const struct v23_verror *err);
void wspr_calls_close_(struct wspr_ctl *c);
void wspr_calls_fini_(struct wspr_ctl *c);
/* The socket has room: read again what was held back. */
void wspr_calls_release_(struct wspr_ctl *c);

/*
 * A method of __controller or __namespace: 0: call->out is filled (in the
 * call's arena); V23_EAGAIN: wspr_local_done_() follows; else why not, and
 * *err, if it is set, says it better.
 */
struct wspr_local_ {
    const char *name;
    int (*fn)(struct wspr_call_ *call, const struct v23_verror **err);
    void (*cancel)(struct wspr_call_ *call); /* NULL: never waits */
    const struct vrpc_method *method; /* NULL in tables */
};
bool wspr_local_is_(struct vdl_str name);
/* Find the method; NULL, and *err is what is wrong. */
const struct vrpc_method *wspr_local_find_(struct wspr_call_ *call,
    size_t nargs, const struct v23_verror **err);
/* Run it with call->in filled. */
void wspr_local_start_(struct wspr_call_ *call);
void wspr_local_done_(struct wspr_call_ *call, int rc,
    const struct v23_verror *err);
void wspr_local_item_(struct wspr_call_ *call, struct vdl_any item);

/* ---- signatures (signature.c) -------------------------------------------- */

struct wspr_signature_; /* of a name, asked for or known */

/*
 * The interfaces of an object. 0: *out is there, valid until the next call of
 * this function; V23_EAGAIN: `done` follows, unless wspr_signature_cancel_()
 * comes first; V23_ENOMEM.
 */
struct wspr_signature_wait_ {
    struct wspr_signature_wait_ *next, **link;
    void (*done)(struct wspr_signature_wait_ *w, const struct v23_verror *err,
        const struct vdl_list *interfaces);
};
V23_MUST_USE int wspr_signature_get_(struct wspr_ctl *c, struct vdl_str name,
    const struct wspr_call_ *caller, struct wspr_signature_wait_ *w,
    const struct vdl_list **out);
void wspr_signature_cancel_(struct wspr_signature_wait_ *w);
/* Forget what is known of a name. */
void wspr_signature_forget_(struct wspr_ctl *c, struct vdl_str name);
void wspr_signature_close_(struct wspr_ctl *c);
void wspr_signature_fini_(struct wspr_ctl *c);

/* ---- servers of the page (servers.c, asks.c, flows.c) -------------------- */

struct wspr_name_ {
    struct wspr_name_ *next;
    struct vdl_str text;
};

struct wspr_server_ {
    struct wspr_server_ *next, **link;
    struct wspr_ctl *c;
    uint32_t id;
    struct vdl_str name; /* it was made with */
    struct wspr_name_ *names; /* also those that it has no more */
    size_t names_size;
    struct wspr_serving *serving;
    struct vrpc_server_config cfg;
    struct vrpc_dispatcher dispatcher;
    struct vsec_caveat_hook hook;
    bool stopped;
    const void *era_data;       /* the era's; NULL at first */
    struct wspr_call_ *waiting; /* for its stop */
    struct wspr_ask_ *asks;     /* what of it the page is asked */
    struct wspr_flow_ *flows;
    struct v23_arena arena;
};

enum wspr_ask_kind_ {
    WSPR_LOOKUP_,
    WSPR_AUTHORIZE_,
    WSPR_CAVEATS_,
    WSPR_GRANT_
};

/* A question to the page. */
struct wspr_ask_ {
    struct wspr_entry_ e;
    struct wspr_ctl *c;
    struct wspr_ask_ *next, **link; /* of the server, or none */
    enum wspr_ask_kind_ kind;
    struct wspr_due_ due;
    int64_t deadline; /* of the call that looks up */
    struct wspr_server_ *server; /* but for grants */
    struct v23_op op;
    struct v23_arena *a; /* of the call it is about: the answer's */
    struct vsec_auth_wait wait;          /* authorize */
    struct vsec_check *check;            /* caveats */
    const v23_security_caveat_list *sets;
    const struct v23_verror **errs; /* result of each set */
    const struct vsec_call *security;
    size_t nsets;
    size_t nleft;                        /* that the page judges */
    struct wspr_call_ *call;             /* grant */
    struct wspr_ask_ *then; /* a question that ends with this one */
};

/* What a lookup has found; in the arena of the call. */
struct wspr_object_ {
    struct wspr_server_ *server;
    int32_t handle;
    int64_t deadline; /* of the call */
    bool has_authorizer, has_globber;
    uint32_t label; /* JSON */
    struct vrpc_dynamic dynamic;
    struct vsec_authorizer auth;
};

/* A call that the page serves. */
struct wspr_flow_ {
    struct wspr_entry_ e;
    struct wspr_ctl *c;
    struct wspr_flow_ *next, **link; /* of the server */
    struct wspr_server_ *server;
    const struct wspr_object_ *object;
    struct vrpc_server_call *call; /* also of a glob */
    struct vrpc_glob_call *glob;   /* NULL: a method */
    struct vdl_str method;         /* as the page knows it */
    const struct vdl_any *args;
    size_t nargs;
    struct wspr_queue_ queue;
    bool over;  /* its answer is on its way */
    bool held;
};

/* 0 or why not; the server is new. */
struct wspr_serve_ {
    uint32_t id;
    struct vdl_str name;
    bool leaf, mount_table;
};
V23_MUST_USE int wspr_servers_new_(struct wspr_ctl *c,
    const struct wspr_serve_ *what, struct wspr_server_ **out);
struct wspr_server_ *wspr_servers_find_(const struct wspr_ctl *c, uint32_t id);
/* 0; V23_ELIMIT: too many names; V23_ENOMEM, or what the hook says. */
V23_MUST_USE int wspr_servers_add_name_(struct wspr_server_ *s,
    struct vdl_str name);
/* `call`, unless it is NULL, ends when the server has stopped. */
void wspr_servers_stop_(struct wspr_server_ *s, struct wspr_call_ *call);
void wspr_servers_close_(struct wspr_ctl *c);
void wspr_servers_fini_(struct wspr_ctl *c);
void wspr_flows_release_(struct wspr_ctl *c);
/* Questions that were not answered in time. */
void wspr_asks_tick_(struct wspr_ctl *c, int64_t now);

/* A question with an id: 0, V23_ENOMEM, V23_ELIMIT. */
V23_MUST_USE int wspr_ask_new_(struct wspr_ctl *c, enum wspr_ask_kind_ kind,
    struct wspr_server_ *s, struct wspr_ask_ **out);
/* It is answered, or nobody wants to know any more. */
void wspr_ask_free_(struct wspr_ask_ *k);
/* It is to be answered soon. */
void wspr_ask_limit_(struct wspr_ask_ *k, int64_t now);
/* Find it by the op of the hook that asked. */
struct wspr_ask_ *wspr_ask_find_(struct wspr_server_ *s,
    enum wspr_ask_kind_ kind, struct v23_op op);

/*
 * The page's answers. `o` is in k->a with handle, has_… and the interfaces set;
 * err, there too, NULL or why there is no object; rc != 0: no decision.
 */
void wspr_servers_looked_up_(struct wspr_ask_ *k, int rc,
    struct wspr_object_ *o, const struct v23_verror *err);
/* err NULL: allowed. */
void wspr_servers_authorized_(struct wspr_ask_ *k,
    const struct v23_verror *err);
/* One error or NULL for each set that was sent; n wrong: all are refused. */
void wspr_servers_validated_(struct wspr_ask_ *k,
    const struct v23_verror *const *errs, size_t n);
/* All sets that were sent fail. */
void wspr_servers_not_validated_(struct wspr_ask_ *k,
    const struct v23_verror *err);
/* What the RPC layer calls. */
const struct v23_verror *wspr_flows_invoke_(void *self,
    struct vrpc_server_call *call, const struct vdl_any *args, size_t n);
void wspr_flows_client_item_(void *self, struct vrpc_server_call *call,
    const struct vdl_any *item);
extern const struct vrpc_globber wspr_flows_globber_;
/* The server stops. */
void wspr_flows_stop_(struct wspr_flow_ *f);
/* What the page sends on a call that it serves. */
void wspr_flows_item_(struct wspr_flow_ *f, struct vdl_str data);
void wspr_flows_reply_(struct wspr_flow_ *f, struct vdl_str data);
/* The answer, decoded: what era->reply() calls. */
void wspr_flows_finish_(struct wspr_flow_ *f, const struct v23_verror *err,
    const struct vdl_any *results, size_t n);
/* Give up the flow: the page hears CANCEL, the caller `err`. */
void wspr_flows_abort_(struct wspr_flow_ *f, bool cancel,
    const struct v23_verror *err);

/* ---- eras ---------------------------------------------------------------- */

struct wspr_frame_ {
    int64_t id;
    int64_t type;
    struct vdl_str data;
};

/*
 * How messages are read and written. What is sent returns 0 or why it could
 * not be encoded; then nothing was sent. Values live during the call.
 */
struct wspr_era_ {
    const char *name;
    int64_t first_id; /* of the proxy's own */
    int (*open)(struct wspr_ctl *c);
    void (*close)(struct wspr_ctl *c); /* also after a failed open */
    void (*message)(struct wspr_ctl *c, const struct wspr_frame_ *f);
    /* A stream value of the page; *out in `a`. V23_ENOENT: the page was told of
     * what is wrong with it, and the stream goes on. */
    int (*decode_item)(struct wspr_ctl *c, struct wspr_entry_ *e,
        struct vdl_str data, struct v23_arena *a, struct vdl_any *out);
    /* The page's answer to a call: ends in wspr_flows_finish_(). */
    void (*reply)(struct wspr_flow_ *f, struct vdl_str data);
    int (*final)(struct wspr_call_ *call, const struct vdl_any *results,
        size_t n);
    int (*error)(struct wspr_ctl *c, int64_t id, const struct v23_verror *err);
    int (*item)(struct wspr_ctl *c, struct wspr_entry_ *e,
        struct vdl_any item);
    int (*item_end)(struct wspr_ctl *c, struct wspr_entry_ *e);
    int (*cancel)(struct wspr_ctl *c, int64_t id); /* NULL: not known */
    int (*log)(struct wspr_ctl *c, v23_wspr_lib_log_level level,
        struct vdl_str text);
    /* *now: the object is known already, in k->a. */
    int (*lookup)(struct wspr_ask_ *k, struct vdl_str suffix,
        struct vdl_str method, struct wspr_object_ **now);
    int (*authorize)(struct wspr_ask_ *k, const struct wspr_object_ *o,
        const struct vsec_call *call);
    /* The sets k->errs[i] of which is NULL and that are not empty; NULL:
     * caveats are validated here. */
    int (*caveats)(struct wspr_ask_ *k, const struct vsec_call *call);
    int (*grant)(struct wspr_ask_ *k, int32_t handle, struct vrpc_call *call);
    int (*invoke)(struct wspr_flow_ *f);
    /* Every second, about; returns when it is wanted again, or V23_NEVER. */
    int64_t (*tick)(struct wspr_ctl *c, int64_t now);
    /* Give back what is kept for the next messages only. */
    void (*rest)(struct wspr_ctl *c);
    bool everyone; /* objects without an authorizer are open to all */
};

extern const struct wspr_era_ wspr_era_vom_, wspr_era_json_;

/* ---- the controller (ctl.c) ---------------------------------------------- */

struct wspr_ctl {
    const struct v23_alloc *al;
    struct wspr_ctl_config cfg; /* limits are set */
    struct vrpc_client *client; /* NULL: not wanted yet */
    struct vname_ns *ns;
    const struct wspr_era_ *era; /* NULL: not known yet */
    void *era_state;
    struct v23_now now; /* of the last input or tick */
    int64_t next_id;
    struct wspr_table_ table;
    struct wspr_call_ *calls, *pool;
    size_t ncalls, npool;
    size_t nrpcs; /* calls of the RPC layer that are to end */
    struct wspr_server_ *servers;
    size_t nservers;
    size_t nasks; /* questions and flows */
    struct wspr_dues_ answers, grants;
    struct wspr_signature_ *signatures;
    size_t nsignatures;
    size_t nfull; /* queues beyond their soft limit */
    size_t nheld; /* streams that are not read */
    size_t nblessings; /* whose ids the page knows */
    struct v23_arena scratch; /* of one message */
    struct v23_buf out;       /* one message */
    int64_t era_at; /* era->tick() is due */
    int64_t rest_at; /* is it silent still? V23_NEVER: it rests */
    bool stirred;    /* a message since that was set */
    void (*on_reading)(void *ud);
    void *on_reading_ud;
    void (*closed_fn)(void *ud);
    void *closed_ud;
    bool closing, cut, reading;
    uint64_t messages_in, messages_out, bytes_in, bytes_out;
};

/* From now on, that is the protocol. */
V23_MUST_USE int wspr_ctl_use_(struct wspr_ctl *c, const struct wspr_era_ *e);
/* A new id for a message of our own. */
int64_t wspr_ctl_id_(struct wspr_ctl *c);
/* Send what is in c->out, and clear it; drop it when the page is gone. */
void wspr_ctl_send_(struct wspr_ctl *c);
/* Tell the page of an error on an id. */
void wspr_ctl_error_(struct wspr_ctl *c, int64_t id,
    const struct v23_verror *err);
/* A plain text instead of a message. */
void wspr_ctl_plain_(struct wspr_ctl *c, const char *fmt, ...)
    V23_PRINTF(2, 3);
/* The socket has more than its share: hold back what feeds it. */
bool wspr_ctl_behind_(const struct wspr_ctl *c);
struct v23_now wspr_ctl_now_(const struct wspr_ctl *c);
/* Client and namespace, made now if need be. */
V23_MUST_USE int wspr_ctl_identity_(struct wspr_ctl *c);
/* A message comes or goes. */
void wspr_ctl_stir_(struct wspr_ctl *c);
/* A deadline has been set. */
void wspr_ctl_timer_(struct wspr_ctl *c);
/* is_reading() may have changed. */
void wspr_ctl_reading_(struct wspr_ctl *c);
/* Something ended that a close may have waited for. */
void wspr_ctl_progress_(struct wspr_ctl *c);
/* Context of errors that belong to no call. */
struct v23_errctx wspr_ctl_ctx_(const struct wspr_ctl *c);
/* First letter of a method in lower or upper case, in `a`; the text itself
 * when memory is short. */
struct vdl_str wspr_lower_first_(struct v23_arena *a, struct vdl_str s);
struct vdl_str wspr_upper_first_(struct v23_arena *a, struct vdl_str s);
/* The wire error of a status that came without one. */
const struct v23_verror *wspr_status_error_(struct v23_arena *a,
    const struct v23_errctx *ctx, int rc);

#endif
