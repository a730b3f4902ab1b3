/* BSD-3-Clause; see LICENSE. */
/**
 * Keys that live in an ssh-agent: a signer that has the agent sign.
 *
 * The messages need no I/O; how they reach the agent is a function of the
 * caller's. vsec_ssh_agent_unix() is the one of hosts: the unix socket that
 * $SSH_AUTH_SOCK names. Source: spec/security.md 12.2; the agent's protocol is
 * that of draft-miller-ssh-agent.
 */
#ifndef VSEC_SSH_AGENT_H
#define VSEC_SSH_AGENT_H

#include <vsec/key.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { VSEC_SSH_AGENT_MAX = 256 << 10 }; /* octets of a message */

/* A way to an agent. */
struct vsec_ssh_agent {
    /*
     * Send a message and append the answer, both without the length in front.
     * Blocks: the agent may ask its user. 0, or an error, which the signer
     * passes on.
     */
    int (*ask)(void *ud, struct v23_bytes request, struct v23_buf *answer);
    void (*close)(void *ud); /* the last signer is gone; may be NULL */
    void *ud;
};

/**
 * Make a signer of a key that the agent holds.
 *
 * @param agent  copied, and taken on success; on failure it stays the caller's
 * @return 0; V23_ENOENT: the agent does not hold this key; V23_ENOSYS: ssh has
 *         no keys of this kind (P-224); V23_EDENIED: the agent refuses to tell;
 *         V23_ELENGTH: malformed answer; V23_ENOMEM; the error of agent->ask
 *
 * Signing can fail with V23_EDENIED (the agent is locked, its user says no, the
 * key was removed) and V23_ELENGTH. The key does not leave the agent.
 */
V23_MUST_USE int vsec_ssh_agent_signer(struct vsec_pubkey *key,
    const struct vsec_ssh_agent *agent, struct vsec_signer **out);

/**
 * The agent behind a unix socket (hosts). Every message makes a connection of
 * its own, so that the agent may come and go.
 *
 * @param path  copied; NULL = $SSH_AUTH_SOCK
 * @return 0; V23_ENOENT: no path given and none in the environment; V23_ELIMIT:
 *         too long for a socket; V23_ENOMEM
 *
 * Its `ask` fails with V23_ESYS and errno, V23_EEOF (the agent hung up),
 * V23_ELIMIT (a message over VSEC_SSH_AGENT_MAX), V23_ETIMEOUT (two minutes
 * without an octet).
 */
V23_MUST_USE int vsec_ssh_agent_unix(const struct v23_alloc *al,
    const char *path, struct vsec_ssh_agent *out);

#ifdef __cplusplus
}
#endif
#endif
