/* BSD-3-Clause; see LICENSE. */
/**
 * What a process tells one that it starts: a configuration and a secret, and
 * what that one reports. Source: spec/services.md 4.1.
 *
 * There are two forms. With pipes (version 1.0.0) the child reads configuration
 * and secret from descriptor 3 and reports on descriptor 4 that it is ready, or
 * why not. With the environment it finds the configuration in $V23_EXEC_CONFIG
 * and reports nothing.
 *
 * The first part does no I/O. The second, for hosts with processes, is a
 * child's side, which blocks (at the start of a program, before there is a
 * loop), and a parent's side, which is driven by an event loop.
 */
#ifndef VRPC_EXEC_H
#define VRPC_EXEC_H

#include <v23/vdl/v.io/x/ref/lib/exec/exec.vdl.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VRPC_EXEC_VERSION "1.0.0"
/* Bytes of an encoded configuration, and of a secret. */
#define VRPC_EXEC_MAX (1u << 20)
#define VRPC_EXEC_MAX_KEYS 4096u
#define VRPC_EXEC_MAX_STATUS 65536u

/* ---- configuration ------------------------------------------------------- */

struct vrpc_exec_pair {
    const char *key, *value;
};

/* Texts by key; read only, sorted by key. */
struct vrpc_exec_config {
    struct vrpc_exec_pair *v;
    size_t n;
    size_t cap;                  /* private, as the rest */
    const struct v23_alloc *al;
};

/** Empty. @param al  NULL = libc */
void vrpc_exec_config_init(struct vrpc_exec_config *c,
    const struct v23_alloc *al);
void vrpc_exec_config_fini(struct vrpc_exec_config *c);
/**
 * Set a value, replacing the one that is there; the texts are copied.
 * @return 0; V23_ETEXT: there is a NUL in one; V23_ELIMIT: too many; V23_ENOMEM
 */
V23_MUST_USE int vrpc_exec_config_set(struct vrpc_exec_config *c,
    struct vdl_str key, struct vdl_str value);
/** A value, valid until it is changed, or NULL. */
const char *vrpc_exec_config_get(const struct vrpc_exec_config *c,
    const char *key);
/** Remove a key, which may be missing. */
void vrpc_exec_config_clear(struct vrpc_exec_config *c, const char *key);
/** Append the VOM of the map. @return 0, V23_ENOMEM */
V23_MUST_USE int vrpc_exec_config_encode(const struct vrpc_exec_config *c,
    struct v23_buf *out);
/**
 * Add what vrpc_exec_config_encode() wrote, replacing what is there.
 * @return 0; codes of vom_decode_single() and of vrpc_exec_config_set(), some
 *         values may have been added then
 */
V23_MUST_USE int vrpc_exec_config_merge(struct vrpc_exec_config *c,
    struct v23_bytes vom);
/** Append the form of $V23_EXEC_CONFIG. @return 0, V23_ENOMEM */
V23_MUST_USE int vrpc_exec_config_to_env(const struct vrpc_exec_config *c,
    struct v23_buf *out);
/**
 * Add the content of $V23_EXEC_CONFIG.
 * @return 0; V23_ETEXT: no base64, or of something else than a JSON object of
 *         strings; V23_ELIMIT, V23_ENOMEM
 */
V23_MUST_USE int vrpc_exec_config_from_env(struct vrpc_exec_config *c,
    const char *text);

/* ---- bytes on the pipes -------------------------------------------------- */

/** What the parent sends: both, each behind its length.
 * @return 0, V23_ENOMEM, V23_ELIMIT */
V23_MUST_USE int vrpc_exec_hello(const struct vrpc_exec_config *c,
    struct v23_bytes secret, struct v23_buf *out);
/**
 * Read it. @param p, n  all bytes so far
 * @param config, secret  receive views of the input
 * @param want            with V23_EAGAIN: bytes that are needed in all
 * @return 0; V23_EAGAIN: there must be more; V23_ELIMIT: a length above
 *         VRPC_EXEC_MAX
 */
V23_MUST_USE int vrpc_exec_hello_parse(const uint8_t *p, size_t n,
    struct v23_bytes *config, struct v23_bytes *secret, size_t *want);
/**
 * What the child reports: ready, with its process id, or why it has failed.
 * Octets that are no UTF-8 become U+FFFD; the text is cut off at
 * VRPC_EXEC_MAX_STATUS bytes.
 *
 * @param failed  NULL = ready
 */
void vrpc_exec_status(int64_t pid, const char *failed, struct v23_buf *out);
/**
 * Read a report.
 *
 * @param pid   receives the process id
 * @param a     for the error
 * @return NULL: ready; errFailedStatus, errUnrecognizedStatus
 */
const struct v23_verror *vrpc_exec_status_parse(struct v23_bytes text,
    int64_t *pid, struct v23_arena *a);

/* ---- a child's side ------------------------------------------------------ */

struct vrpc_exec_child {
    struct vrpc_exec_config config;
    struct vdl_bytes secret; /* wiped with the rest */
    int status_fd;           /* private: where to report, or -1 */
    struct v23_buf sent;     /* private: what has been reported */
    struct v23_buf in;       /* private: storage of the secret */
};

/**
 * Take what the parent has sent; once in the life of a process, because the
 * variable that announces it is removed from the environment. Blocks until
 * it is complete.
 *
 * @param timeout_ns  for that
 * @param a           for the error
 * @return NULL; ErrNoVersion: nobody has sent anything; ErrUnsupportedVersion,
 *         ErrAuthTimeout, ErrSecretTooLarge, PartialRead; BadArg: what was sent
 *         is no configuration; Internal. In all cases give the child to
 *         vrpc_exec_child_fini()
 */
const struct v23_verror *vrpc_exec_child_init(struct vrpc_exec_child *c,
    int64_t timeout_ns, struct v23_arena *a);
/** Without having reported: the parent learns that there will be nothing. */
void vrpc_exec_child_fini(struct vrpc_exec_child *c);
/**
 * Tell the parent, if it waits for that, that this process is ready, or why it
 * has failed. Once; the same again is ignored.
 *
 * @param failed  NULL = ready
 * @return NULL; errDifferentStatusSent; Internal: it cannot be written
 */
const struct v23_verror *vrpc_exec_child_report(struct vrpc_exec_child *c,
    const char *failed, struct v23_arena *a);

/* ---- a parent's side ----------------------------------------------------- */

struct event_base;
struct vrpc_exec_parent;

enum vrpc_exec_form {
    VRPC_EXEC_PIPES,
    VRPC_EXEC_ENVIRONMENT,
    VRPC_EXEC_NONE /* nothing is sent */
};

/* `err` NULL: the child with this process id is ready. */
typedef void vrpc_exec_ready_fn(void *ud, const struct v23_verror *err,
    int64_t pid);
/* `err` NULL: it has ended with this status of waitpid(); else ErrTimeout. */
typedef void vrpc_exec_end_fn(void *ud, const struct v23_verror *err,
    int status);

struct vrpc_exec_options {
    struct event_base *base;
    const struct v23_alloc *al; /* NULL = libc */
    char *const *argv;          /* ends with NULL; [0] is looked for in $PATH */
    char *const *env;           /* ends with NULL; NULL = this process's */
    enum vrpc_exec_form form;
    const struct vrpc_exec_config *config; /* NULL = empty */
    struct v23_bytes secret;    /* of VRPC_EXEC_PIPES */
    const int *files;           /* the child's descriptors from 3 on, with pipes
                                   from 5 on; borrowed */
    size_t nfiles;              /* at most 16 */
};

/**
 * Start a process. What it is told is written while the loop runs.
 *
 * @return 0; V23_EARG: too many files; V23_ESYS with errno: no process, or the
 *         program cannot be run; V23_ENOMEM
 */
V23_MUST_USE int vrpc_exec_start(const struct vrpc_exec_options *opt,
    struct vrpc_exec_parent **out);
/** Forget the process, which goes on: callbacks are not called any more. NULL
 * is ignored. */
void vrpc_exec_free(struct vrpc_exec_parent *p);
/** Its process id. */
int64_t vrpc_exec_pid(const struct vrpc_exec_parent *p);
/**
 * Call `fn` once when it has reported, or after the time. Not from inside `fn`
 * of another one, nor while one waits.
 *
 * Errors: ErrNotUsingProtocol, ErrTimeout (it may be asked again),
 * errFailedStatus, errUnrecognizedStatus (also when it has ended or closed the
 * pipe), errPartialWrite. They live until `fn` returns.
 */
void vrpc_exec_wait_ready(struct vrpc_exec_parent *p, int64_t timeout_ns,
    vrpc_exec_ready_fn *fn, void *ud);
/**
 * Call `fn` once when it has ended, or after the time (V23_NEVER: none).
 * While it waits, the loop handles SIGCHLD.
 */
void vrpc_exec_wait_end(struct vrpc_exec_parent *p, int64_t timeout_ns,
    vrpc_exec_end_fn *fn, void *ud);
/** Send a signal; 0 asks whether the process is there.
 * @return NULL; errNoSuchProcess; Internal */
const struct v23_verror *vrpc_exec_signal(struct vrpc_exec_parent *p,
    int signo, struct v23_arena *a);

#ifdef __cplusplus
}
#endif
#endif
