/* BSD-3-Clause; see LICENSE. */
/**
 * The controller of one websocket: what lets a web page, or a Node program, be
 * a client and a server. Text messages in and out, no I/O and no clock of its
 * own; the socket, and what servers need of the network, are around it
 * (wspr/host.h, or a test). Source: spec/wspr.md 3-13, 17, 19.
 *
 *     wspr_ctl_new(&cfg, &ctl);
 *     wspr_ctl_input(ctl, text, n, &now);      each message of the websocket
 *     … hooks->send(ud, text, n)               its answers, in order
 *     wspr_ctl_tick(ctl, &now);                at wspr_ctl_next_deadline()
 *     wspr_ctl_close(ctl, closed, ud);         the websocket is gone
 *     wspr_ctl_free(ctl);                      from `closed` on, not inside it
 *
 * A message that makes no sense is answered, or ignored, as the protocol says;
 * only a broken type stream and a page that does not read what it has asked for
 * end the connection. Whatever a page can make the controller keep is bounded
 * by its limits.
 *
 * Thread: one, that of the client and the servers.
 */
#ifndef WSPR_CONTROLLER_H
#define WSPR_CONTROLLER_H

#include <v23/log.h>
#include <vname/namespace.h>
#include <vrpc/server.h>
#include <vsec/principal.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wspr_ctl;
struct wspr_forms;
struct wspr_principals;
struct vrpc_vtrace;

/* First member of what the host keeps for a server of the page. */
struct wspr_serving {
    struct vrpc_server *server; /* set when `serve` returns */
};

/*
 * What the controller needs from outside. No hook may call the controller,
 * unless it says so.
 */
struct wspr_ctl_hooks {
    /* A text message for the page; copied. */
    void (*send)(void *ud, const char *text, size_t n);
    /* Bytes that were sent and that the socket has not taken yet; call
     * wspr_ctl_writable() when they have become fewer. */
    size_t (*queued)(void *ud);
    /* End the websocket with a code of RFC 6455 and a reason, a constant: soon,
     * not from inside; then wspr_ctl_close(). */
    void (*close)(void *ud, int code, const char *why);
    /* wspr_ctl_next_deadline() moved to an earlier time. */
    void (*timer)(void *ud);
    /* The client and the namespace of this websocket, made when they are first
     * needed so that an idle one stays small. They live until
     * wspr_ctl_free(). 0, or why not. */
    int (*identity)(void *ud, struct vrpc_client **c, struct vname_ns **ns);
    /*
     * Serve for the page, after `identity`: listen, directly and through the
     * proxy, with a server
     * made from `cfg`, which stays in place until the server has stopped, and
     * publish it under `name` unless that is empty. Returns 0 with *out when
     * listening has begun; mounting goes on by itself and is reported by
     * wspr_ctl_mounted(). Else why not, and nothing is left.
     */
    int (*serve)(void *ud, const struct vrpc_server_config *cfg,
        struct vdl_str name, struct wspr_serving **out);
    /* Publish one more name, or one less. */
    int (*add_name)(void *ud, struct wspr_serving *s, struct vdl_str name);
    void (*remove_name)(void *ud, struct wspr_serving *s, struct vdl_str name);
    /* Endpoints, as text, in `a`. */
    int (*endpoints)(void *ud, struct wspr_serving *s, struct v23_arena *a,
        vdl_str_list *out);
    /* Unmount, stop the server with a moment for the answers that are on their
     * way (vrpc_server_stop()), and free it: then `done`, which may be called
     * from inside. Nothing is asked of the controller for it afterwards. */
    void (*stop)(void *ud, struct wspr_serving *s, void (*done)(void *ud),
        void *done_ud);
    /* Act as somebody else from now on, as pages of 2014-07 ask for: before
     * `identity`, and before anything is served. A reference is to be taken.
     * NULL: they are refused. 0, or why not. */
    int (*assume)(void *ud, struct vsec_principal *p);
};

enum wspr_protocol {
    WSPR_AUTO, /* told by the first message (17.2) */
    WSPR_VOM,  /* 2015 and 2016 */
    WSPR_JSON  /* 2014; its greeting is sent at once */
};

/* Zero: the default in parentheses. */
struct wspr_ctl_limits {
    size_t message;       /* bytes of one message (16 MiB) */
    size_t queue;         /* bytes waiting for the socket, above which streams
                             of servers are held back (4 MiB); at four times as
                             many and a message the page is cut off */
    size_t stream;        /* bytes from the page that wait for one call (1 MiB):
                             above it the websocket is not read; at four times
                             as many the stream is aborted */
    uint32_t calls;       /* of the page at a time (1,000) */
    uint32_t args;        /* of one call, and results (1,000) */
    uint32_t servers;     /* of the page (100) */
    size_t names;         /* bytes of the names that one of them has, or had
                             (64 KiB) */
    uint32_t flows;       /* questions to the page at a time (4,096) */
    uint32_t blessings;   /* whose ids the page knows (10,000) */
    uint32_t signatures;  /* remembered (256) */
    int64_t answer_ns;    /* how long the page may think about an object or an
                             authorization when the call has no deadline, and
                             about caveats (60 s) */
};

struct wspr_ctl_config {
    const struct v23_alloc *al;  /* NULL = libc */
    const struct v23_log *log;   /* NULL = silent */
    const struct wspr_ctl_hooks *hooks; /* borrowed */
    void *ud;                    /* of the hooks */
    struct vsec_principal *principal; /* whom the page acts as; a reference is
                                         taken */
    struct vsec_chain_cache *chains;  /* NULL = every chain is verified; outlives
                                         the controller */
    const struct wspr_forms *forms;   /* NULL = each makes its own; the same */
    struct vrpc_vtrace *vtrace;  /* NULL = nothing is collected; the same */
    struct vdl_str component;    /* program name, for error texts; borrowed */
    vdl_str_list roots;          /* of the name space, as pages of 2014 are
                                    told when they connect; borrowed */
    int64_t retry_ns;            /* how long calls of theirs may be tried
                                    again until they have begun; 0 = never */
    struct wspr_principals *principals; /* where they add accounts; NULL =
                                           nowhere; outlives the controller */
    struct vdl_str language;     /* of calls that name none, "en-US"; borrowed */
    enum wspr_protocol protocol;
    /* Caveats of known kinds are not shown to the page (11.1). */
    bool native_caveats;
    struct wspr_ctl_limits limits;
};

/**
 * Make what the controllers of a process share: types of the protocol. Types of
 * what pages send may be these, so that the object has to outlive whatever has
 * seen such values: clients, servers and their connections.
 * @return 0, V23_ENOMEM
 */
V23_MUST_USE int wspr_forms_new(const struct v23_alloc *al,
    struct wspr_forms **out);
void wspr_forms_free(struct wspr_forms *f); /* NULL is ignored */

/** @return 0, V23_ENOMEM */
V23_MUST_USE int wspr_ctl_new(const struct wspr_ctl_config *cfg,
    struct wspr_ctl **out);
/**
 * A message of the page, of the kind text or binary. Afterwards look at
 * wspr_ctl_is_reading().
 */
void wspr_ctl_input(struct wspr_ctl *c, const char *text, size_t n,
    const struct v23_now *now);
/** May the websocket be read? Else wait, see wspr_ctl_on_reading(). */
bool wspr_ctl_is_reading(const struct wspr_ctl *c);
/** Have a function called when wspr_ctl_is_reading() becomes true again; it
 * must not call back. */
void wspr_ctl_on_reading(struct wspr_ctl *c, void (*fn)(void *ud), void *ud);
/** hooks->queued() has fallen: what was held back may go on. */
void wspr_ctl_writable(struct wspr_ctl *c, const struct v23_now *now);
/** Monotonic time at which wspr_ctl_tick() is wanted; V23_NEVER. */
int64_t wspr_ctl_next_deadline(const struct wspr_ctl *c);
void wspr_ctl_tick(struct wspr_ctl *c, const struct v23_now *now);
/**
 * A name of a server of the page was mounted, or could not be: once for every
 * change. The page's log gets it (10.1).
 * @param why  empty = mounted
 */
void wspr_ctl_mounted(struct wspr_ctl *c, struct vdl_str name,
    struct vdl_str why);
/**
 * The websocket has ended: nothing is sent any more, calls are cancelled,
 * servers stopped.
 * @param closed  called once when all of that has ended, also from inside this
 *                function; NULL: nobody wants to know
 */
void wspr_ctl_close(struct wspr_ctl *c, void (*closed)(void *ud), void *ud);
/**
 * Free it: after `closed`, or when the client, the namespace and all servers
 * have been freed after wspr_ctl_close(). NULL is ignored.
 */
void wspr_ctl_free(struct wspr_ctl *c);

/* What a controller is at, for the page of wsprd. */
struct wspr_ctl_stats {
    const char *protocol; /* "", "vom 0x81", "vom 0x80", "json" */
    size_t calls, flows, servers, blessings, signatures;
    uint64_t messages_in, messages_out, bytes_in, bytes_out;
};
void wspr_ctl_stats(const struct wspr_ctl *c, struct wspr_ctl_stats *out);
/** Tell of each server: its number in the page and the name it was made with.
 */
void wspr_ctl_each_server(const struct wspr_ctl *c,
    void (*fn)(void *ud, uint32_t id, struct vdl_str name), void *ud);

#ifdef __cplusplus
}
#endif
#endif
