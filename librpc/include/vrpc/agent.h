/* BSD-3-Clause; see LICENSE. */
/**
 * Agents on unix sockets (vsec/agent.h is the protocol). Who may open the
 * socket may use the key: it lies in a directory that is its owner's alone,
 * which is all the access control there is.
 *
 * Source: spec/security.md 15, spec/services.md 10.
 */
#ifndef VRPC_AGENT_H
#define VRPC_AGENT_H

#include <vsec/agent.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;

enum { VRPC_AGENT_WHY = 256 };

/* ---- using an agent ------------------------------------------------------ */

struct vrpc_agent;

struct vrpc_agent_options {
    struct vsec_engine *engine; /* required */
    const char *path;           /* of the socket */
    /* NULL: the program runs no loop. Then what others change is seen, and
     * signatures come, only while something else is asked. */
    struct event_base *base;
    int64_t silence_ns; /* a call that blocks fails after so long without an
                           octet from the agent; 0 = 10 s */
    const struct v23_log *log; /* must outlive the principal */
    struct vsec_x509 *x509;    /* for roots; NULL = the system's trust
                                  anchors */
    void (*lost)(void *ud, int rc); /* the agent is gone; may be NULL */
    void *ud;
};

/**
 * Connect, and load the agent's principal; blocks.
 *
 * @param why  a sentence that names the socket and the cause, when not 0
 * @return 0; V23_ESYS, V23_ENOENT (no socket), V23_ELIMIT (path too long),
 *         V23_ETIMEOUT; or what vsec_agent_client_wait() says
 */
V23_MUST_USE int vrpc_agent_connect(const struct vrpc_agent_options *opt,
    struct vrpc_agent **out, char why[VRPC_AGENT_WHY]);
/** Close; the principal lives on, but can only be looked at. NULL is ignored.
 */
void vrpc_agent_free(struct vrpc_agent *a);
/** The agent's principal; borrowed. */
struct vsec_principal *vrpc_agent_principal(struct vrpc_agent *a);
struct vsec_agent_client *vrpc_agent_client(struct vrpc_agent *a);

/* ---- being an agent ------------------------------------------------------ */

struct vrpc_agent_listener;

struct vrpc_agent_listen_options {
    struct event_base *base;          /* required */
    struct vsec_agent_server *server; /* must outlive the listener */
    const char *path;                 /* of the socket */
    const struct v23_alloc *al;       /* NULL = libc */
    const struct v23_log *log;
    const struct vsec_agent_limits *limits; /* copied; NULL = defaults */
    uint32_t users; /* connections at a time; others wait; 0 = 256 */
};

/**
 * Listen on a unix socket, mode 0600, in a directory that only its owner may
 * enter. The socket of an agent that is gone is replaced.
 *
 * @param why  as above
 * @return 0; V23_EDENIED: the directory is another user's, or open to others;
 *         V23_EEXIST: somebody listens there; V23_ELIMIT: path too long;
 *         V23_ENOENT, V23_ESYS, V23_ENOMEM
 */
V23_MUST_USE int vrpc_agent_listen(const struct vrpc_agent_listen_options *opt,
    struct vrpc_agent_listener **out, char why[VRPC_AGENT_WHY]);
/** Close everything and remove the socket. NULL is ignored. */
void vrpc_agent_unlisten(struct vrpc_agent_listener *l);

#ifdef __cplusplus
}
#endif
#endif
