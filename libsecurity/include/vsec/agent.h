/* BSD-3-Clause; see LICENSE. */
/**
 * Agents: a process that holds private keys, and programs that use a principal
 * whose key never enters their memory.
 *
 * Both ends are cores without I/O: bytes in by vsec_agent_input(), bytes out by
 * vsec_agent_output(), events by callback. Whatever carries octets in order
 * will do: a unix socket (vrpc/agent.h), a serial line to a secure element.
 * Either end may call the other; answers come in any order.
 *
 * Objects belong to their engine's thread. Source: spec/security.md 15,
 * spec/services.md 10.
 */
#ifndef VSEC_AGENT_H
#define VSEC_AGENT_H

#include <vsec/principal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- connections --------------------------------------------------------- */

/* What the peer may make this end hold. Zero members mean the default. */
struct vsec_agent_limits {
    uint32_t message; /* octets of one value; 8 MiB */
    uint32_t calls;   /* in progress, in each direction; 256 */
    uint32_t args;    /* values that follow one request or answer; 16 */
    uint32_t depth;   /* nesting of values; 100 */
    uint32_t output;  /* octets not yet taken above which no further request is
                         read; 1 MiB */
};

/* What a connection asks of its owner. */
struct vsec_agent_io {
    /* There is output to take, or something for vsec_agent_run() to deliver.
     * Called from inside any function; may take output, nothing else. */
    void (*wake)(void *ud);
    /*
     * The connection has ended; called once, from vsec_agent_input(), _run()
     * or _close(), and may free it. V23_EEOF: the peer closed. V23_EPROTO: it
     * broke the protocol; V23_EVERSION: has no version in common; V23_ELIMIT:
     * passed a limit; or a decoding error, V23_ENOMEM, or what was given to
     * vsec_agent_close().
     */
    void (*closed)(void *ud, int rc);
    void *ud;
};

struct vsec_agent_conn;

/**
 * Take octets from the peer, all of them: what is incomplete is kept.
 * @param now  wall clock, for what expires
 * @return 0, or why the connection has ended
 *
 * Callbacks: completions of this end's calls, then io.closed.
 */
int vsec_agent_input(struct vsec_agent_conn *c, const void *p, size_t n,
    struct v23_walltime now);
/** Octets to write; valid until the next call. */
struct v23_bytes vsec_agent_output(struct vsec_agent_conn *c);
/** The first n octets of the output were written. */
void vsec_agent_sent(struct vsec_agent_conn *c, size_t n);
/** False while the peer does not fetch its answers or asks too much at once:
 * its octets should be left where they are. */
bool vsec_agent_wants_input(const struct vsec_agent_conn *c);
/** Deliver what was completed while somebody blocked; see io.wake. */
void vsec_agent_run(struct vsec_agent_conn *c);
/**
 * The connection has ended: every call in progress fails with V23_ECLOSED.
 * @param rc  V23_EEOF, V23_ESYS, …; for io.closed
 */
void vsec_agent_close(struct vsec_agent_conn *c, int rc);
/** 0 or why the connection has ended. */
int vsec_agent_status(const struct vsec_agent_conn *c);

/* ---- client -------------------------------------------------------------- */

/*
 * A program's end. Its principal, with signer, store and roots, works as any
 * other: look-ups are answered from a copy of the agent's state, which is
 * fetched at the start and again whenever the agent says that it changed;
 * everything else asks the agent. Blessings that come from it are verified.
 */
struct vsec_agent_client;

struct vsec_agent_client_config {
    struct vsec_engine *engine; /* required */
    const struct vsec_agent_limits *limits; /* copied; NULL = defaults */
    struct vsec_agent_io io;    /* copied */
    /*
     * For callers that cannot wait: exchange octets with the agent until some
     * have come in, and return 0; or an error (V23_ETIMEOUT, V23_ESYS), which
     * fails the call. NULL: such calls fail with V23_EAGAIN.
     */
    int (*block)(void *ud);     /* io.ud */
    /* The principal is there (rc 0), or cannot be had. Called once, as
     * io.closed; may be NULL. */
    void (*ready)(void *ud, int rc);
    const struct v23_log *log;  /* NULL = silent; must outlive the principal */
    /* For the roots, which take a reference when the principal is there; may
     * be NULL. */
    struct vsec_x509 *x509;
};

/** Start: the first output is ready. 0 or V23_ENOMEM. */
V23_MUST_USE int vsec_agent_client_new(
    const struct vsec_agent_client_config *cfg,
    struct vsec_agent_client **out);
/** Close and free; its principal lives on, but can only be looked at. NULL is
 * ignored. */
void vsec_agent_client_free(struct vsec_agent_client *cl);
struct vsec_agent_conn *vsec_agent_client_conn(struct vsec_agent_client *cl);
/** Block until the principal is there. 0, V23_EAGAIN (no `block`), or why not.
 */
V23_MUST_USE int vsec_agent_client_wait(struct vsec_agent_client *cl);
/** The agent's principal, borrowed; NULL until it is there. */
struct vsec_principal *vsec_agent_client_principal(
    struct vsec_agent_client *cl);
/** Text of the last error that the agent answered with; "" = none. */
const char *vsec_agent_client_error(const struct vsec_agent_client *cl);

/* A key of the agent's key manager: SHA-512 of its public key. */
enum { VSEC_AGENT_HANDLE = 64 };

/**
 * Make a principal in the agent (15.3). All four block.
 * @param in_memory  else it is kept on disk
 * @return 0; V23_ENOSYS: the agent manages no other keys, or keeps none on
 *         disk; V23_EAGAIN, V23_ECLOSED, V23_EWIREERR
 */
V23_MUST_USE int vsec_agent_key_new(struct vsec_agent_client *cl,
    bool in_memory, uint8_t handle[VSEC_AGENT_HANDLE]);
/** Have it served on a socket. V23_EEXIST: is already; V23_ENOENT: no such. */
V23_MUST_USE int vsec_agent_key_serve(struct vsec_agent_client *cl,
    const uint8_t handle[VSEC_AGENT_HANDLE], const char *path);
/** V23_ENOENT: is not served. */
V23_MUST_USE int vsec_agent_key_stop(struct vsec_agent_client *cl,
    const uint8_t handle[VSEC_AGENT_HANDLE]);
/** Stop serving it and forget it for good. V23_ENOENT. */
V23_MUST_USE int vsec_agent_key_delete(struct vsec_agent_client *cl,
    const uint8_t handle[VSEC_AGENT_HANDLE]);

/* ---- server -------------------------------------------------------------- */

/* The agent's end: one principal and the connections of its users. */
struct vsec_agent_server;

/*
 * Who manages other keys for an agent's users; results as vsec_agent_key_….
 * V23_ESTATE of `create`: nothing is kept on disk.
 */
struct vsec_agent_manager {
    int (*create)(void *ud, bool in_memory,
        uint8_t handle[VSEC_AGENT_HANDLE]);
    int (*serve)(void *ud, const uint8_t handle[VSEC_AGENT_HANDLE],
        const char *path);
    int (*stop)(void *ud, const uint8_t handle[VSEC_AGENT_HANDLE]);
    int (*remove)(void *ud, const uint8_t handle[VSEC_AGENT_HANDLE]);
    void *ud;
};

struct vsec_agent_server_config {
    struct vsec_principal *principal; /* a reference is taken */
    const struct vsec_agent_manager *manager; /* copied; NULL = none */
    const char *name; /* copied, up to 63 octets; the program in error texts */
};

/** 0 or V23_ENOMEM. */
V23_MUST_USE int vsec_agent_server_new(
    const struct vsec_agent_server_config *cfg,
    struct vsec_agent_server **out);
/** Connections must have been freed. NULL is ignored. */
void vsec_agent_server_free(struct vsec_agent_server *s);
/**
 * A user has connected: the first output is ready.
 * @param limits  NULL = defaults
 */
V23_MUST_USE int vsec_agent_server_accept(struct vsec_agent_server *s,
    const struct vsec_agent_limits *limits, const struct vsec_agent_io *io,
    struct vsec_agent_conn **out);
/** Free a connection of a server; io.closed is not called. NULL is ignored. */
void vsec_agent_conn_free(struct vsec_agent_conn *c);
/** Tell all users that the principal's state has changed (15.2); methods that
 * change it do so themselves. */
void vsec_agent_server_flush(struct vsec_agent_server *s);

/* ---- key manager --------------------------------------------------------- */

/*
 * Keys that users make, in memory or in a directory: keys/<handle> holds a
 * private key, creds/<handle>/ its store and roots (15.3). Blocks on the file
 * system.
 */
struct vsec_agent_keys;

struct vsec_agent_keys_config {
    struct vsec_engine *engine;
    const char *dir;        /* copied; NULL or "": all keys are in memory */
    struct v23_bytes pass;  /* copied; encrypts the keys; empty = does not */
    const struct v23_log *log;
    /* Open and close the socket of a key's server. */
    int (*listen)(void *ud, struct vsec_agent_server *s, const char *path,
        void **listener);
    void (*unlisten)(void *ud, void *listener);
    void *ud;
};

/** 0, V23_ENOMEM, V23_ELIMIT (path too long), V23_ESYS. */
V23_MUST_USE int vsec_agent_keys_new(const struct vsec_agent_keys_config *cfg,
    struct vsec_agent_keys **out);
/** Close all sockets and forget all keys. NULL is ignored. */
void vsec_agent_keys_free(struct vsec_agent_keys *k);
/** For vsec_agent_server_config.manager. */
struct vsec_agent_manager vsec_agent_keys_manager(struct vsec_agent_keys *k);

#ifdef __cplusplus
}
#endif
#endif
