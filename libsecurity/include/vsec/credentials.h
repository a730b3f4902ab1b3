/* BSD-3-Clause; see LICENSE. */
/**
 * Credentials directories (hosts): keys, blessing store and roots in files,
 * shared with other programs of this and the reference implementation.
 *
 * Files are replaced by temporary file, fsync and rename, under flock(2) locks:
 * a crash at any point leaves the old or the new state. (Between the two
 * renames of store or roots the new signature is still under its temporary
 * name. All of this library find it there; the reference implementation can
 * read the directory again when one of ours has opened it for writing.)
 * All calls block on the file system. Source: spec/security.md 12.
 */
#ifndef VSEC_CREDENTIALS_H
#define VSEC_CREDENTIALS_H

#include <vsec/principal.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Asked for a passphrase when a key needs one. Appends it to `out` (which the
 * library wipes) and returns 0, or an error; V23_EPASSPHRASE = none to give.
 */
typedef int vsec_passphrase_fn(void *ud, const char *what,
    struct v23_buf *out);

/**
 * Read a passphrase: from the terminal that is the standard input, without
 * echo, after the prompt (on standard error); else the first line of the
 * standard input, without its newline.
 *
 * Signals that would end or stop the process (SIGINT, SIGTERM, SIGHUP, SIGQUIT,
 * SIGTSTP) arrive after the terminal is as it was before; stopped and continued,
 * it asks again.
 *
 * @param out  appended, best in the engine's memory for secrets; room is made
 *             first, so that nothing moves. The caller wipes it.
 * @return 0; V23_ECANCELED: such a signal came and was handled; V23_ELIMIT:
 *         longer than 4,096 octets; V23_ESYS with errno; V23_ENOMEM. Then
 *         nothing stays appended.
 *
 * Thread: one at a time; other threads should not be the ones to get those
 * signals. Source: spec/security.md 12.2.
 */
V23_MUST_USE int vsec_passphrase_read(const char *prompt, struct v23_buf *out);
/** The same as a vsec_passphrase_fn, which asks for the passphrase of `what`;
 * `ud` is not used. */
int vsec_passphrase_ask(void *ud, const char *what, struct v23_buf *out);

struct vsec_cred_opts {
    struct vsec_engine *engine; /* required */
    bool writable;      /* changes are written; else the directory is only
                           read, and store and roots refuse changes */
    bool readonly_fs;   /* V23_CREDENTIALS_READONLY_FILESYSTEM: no locks */
    bool public_key_only_ok; /* a private key that is locked, or hosted where
                                this program cannot ask, gives a principal
                                that cannot sign */
    bool derive_public; /* without publickey.pem (directories of 2015) take
                           the private key's; else that is an error */
    vsec_passphrase_fn *passphrase; /* NULL = none */
    void *ud;
    /*
     * Creation: give the new principal what it is to have from the start, like
     * its blessings; NULL = nothing. Only afterwards the directory counts as
     * one; an error (any value but 0) undoes it and is returned.
     */
    int (*furnish)(void *ud, struct vsec_principal *p);
    void *furnish_ud;
    const struct v23_log *log;
    struct vsec_x509 *x509; /* who recognizes X.509 certificates; NULL = the
                               system's trust anchors */
};

enum { VSEC_CRED_WHY = 512 };

/**
 * Load a directory.
 *
 * @param why  receives a sentence that names the file and the cause when the
 *             result is not 0
 * @return 0; V23_ESYS, V23_ENOENT (missing key); V23_EPASSPHRASE,
 *         V23_EBADPASSPHRASE, V23_EKEY; V23_ENOSYS: the private key is in an
 *         ssh-agent (at $SSH_AUTH_SOCK) that is not there, refuses or does not
 *         hold it; V23_EKEYMISMATCH: public and private key differ, or blessings
 *         of another key; V23_ETAMPERED, V23_ESIG: a signed file was changed or
 *         truncated; a decoding error; V23_ENOMEM
 */
V23_MUST_USE int vsec_cred_load(const char *dir,
    const struct vsec_cred_opts *opt, struct vsec_principal **out,
    char why[VSEC_CRED_WHY]);
/**
 * Create a directory for a key and load it. Fails with V23_EEXIST when it
 * holds a key. After a crash in between it is complete or can be created again.
 * @param pass  empty = the private key is not encrypted
 */
V23_MUST_USE int vsec_cred_create(const char *dir,
    const struct vsec_cred_opts *opt, struct vsec_signer *signer,
    struct v23_bytes pass, struct vsec_principal **out,
    char why[VSEC_CRED_WHY]);
/* Contents for key files that are not made from a signer alone. Borrowed. */
struct vsec_cred_files {
    struct v23_bytes private_pem; /* empty = none is written */
    struct v23_bytes public_pem;
};
/** The same with given key files; public_pem is required. */
V23_MUST_USE int vsec_cred_create_files(const char *dir,
    const struct vsec_cred_opts *opt, const struct vsec_cred_files *files,
    struct vsec_principal **out, char why[VSEC_CRED_WHY]);
/**
 * Replace the private key file of a directory by another form of the same key,
 * at once; a public key file is written where there is none. What the contents
 * are is for the caller to make sure of.
 * @return 0; V23_ESTATE (opt->readonly_fs), V23_ESYS, V23_ENOENT, V23_ELIMIT:
 *         then the private key file is the old one
 */
V23_MUST_USE int vsec_cred_rewrite_keys(const char *dir,
    const struct vsec_cred_opts *opt, const struct vsec_cred_files *files,
    char why[VSEC_CRED_WHY]);
/**
 * The principal of a key that is kept elsewhere, with the store and roots of a
 * directory; which is made, with its parents, when it is missing.
 */
V23_MUST_USE int vsec_cred_adopt(const char *dir,
    const struct vsec_cred_opts *opt, struct vsec_signer *signer,
    struct vsec_principal **out, char why[VSEC_CRED_WHY]);
/** Read a directory's public key only; no lock is taken. */
V23_MUST_USE int vsec_cred_public_key(const char *dir,
    const struct vsec_cred_opts *opt, struct vsec_pubkey **out,
    char why[VSEC_CRED_WHY]);
/**
 * Read store and roots again (12.8); watchers are told when the default
 * blessings changed. On failure the old state stays.
 */
V23_MUST_USE int vsec_cred_reload(struct vsec_principal *p,
    char why[VSEC_CRED_WHY]);

/**
 * The principal of a program that starts (12.9).
 *
 * @param dir  value of --v23.credentials or $V23_CREDENTIALS; NULL or empty: a
 *             new principal in memory, blessed "anonymous-<fruit>-<pid>@<host>"
 * @param opt  public_key_only_ok is meant, a passphrase is not asked for
 */
V23_MUST_USE int vsec_cred_runtime(const char *dir,
    const struct vsec_cred_opts *opt, struct vsec_principal **out,
    char why[VSEC_CRED_WHY]);
/** Environment variables that are unset for child processes, ends with NULL. */
extern const char *const vsec_cred_env[];
/** Does the environment say that credentials are on a read-only file system
 * (12.8)? For vsec_cred_opts.readonly_fs. */
bool vsec_cred_env_readonly_fs(void);
/** How often a program should call vsec_cred_reload(), in nanoseconds:
 * $V23_CREDENTIALS_RELOAD_INTERVAL, else 5 minutes; what is no time above zero
 * is told to the log. */
int64_t vsec_cred_env_reload_ns(const struct v23_log *log);

/* ---- signed streams (12.4) ----------------------------------------------- */

enum { VSEC_STREAM_CHUNK = 1 << 20 };

/**
 * Append the signature stream of a payload.
 * @param chunk  octets per hash, > 0
 */
V23_MUST_USE int vsec_stream_sign(struct vsec_signer *s, struct v23_bytes data,
    uint32_t chunk, struct v23_buf *sig);
/**
 * Verify a payload. Strict: the signature must be there, nothing may follow
 * it, and every octet of data must be covered.
 * @return 0; V23_ESIG; V23_ETAMPERED: data differs, is longer or shorter, or
 *         the signature stream is cut or continues; a decoding error;
 *         V23_ENOMEM
 */
V23_MUST_USE int vsec_stream_verify(const struct vsec_pubkey *k,
    struct v23_bytes data, struct v23_bytes sig);

/* ---- signed files -------------------------------------------------------- */

/*
 * A payload of a program's own in dir/base.data and its signature in
 * dir/base.sig, in the way of the store and the roots of a credentials
 * directory: whatever happens, the old or the new state is there. The lock is
 * dir/base.lock. Borrowed.
 */
struct vsec_signed_files {
    const char *dir;  /* made, with its parents, when it is written to */
    const char *base; /* a file name of at most 48 characters */
    struct vsec_principal *principal; /* who signs */
};
/**
 * Append the payload, verified.
 * @return 0; V23_ENOENT: there is neither file; V23_ETAMPERED: only one, or
 *         the payload was changed; V23_ESIG: signed by another key; V23_ESYS,
 *         V23_ELIMIT, V23_ENOMEM, a decoding error. Nothing stays appended
 *         then; `why` receives a sentence.
 */
V23_MUST_USE int vsec_signed_files_read(const struct vsec_signed_files *f,
    struct v23_buf *out, char why[VSEC_CRED_WHY]);
/**
 * Sign a payload and replace both files.
 * @return 0; V23_ENOSYS: the principal has no private key here; V23_EAGAIN: it
 *         cannot sign at once; V23_ESYS, V23_ELIMIT, V23_ENOMEM, V23_ECRYPTO:
 *         the files are the old ones
 */
V23_MUST_USE int vsec_signed_files_write(const struct vsec_signed_files *f,
    struct v23_bytes data, char why[VSEC_CRED_WHY]);

#ifdef __cplusplus
}
#endif
#endif
