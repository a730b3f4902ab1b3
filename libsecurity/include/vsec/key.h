/* BSD-3-Clause; see LICENSE. */
/**
 * Public keys, signers, signatures and key files.
 *
 * A struct vsec_pubkey is parsed once and shared by reference; a struct
 * vsec_signer is anything that signs for one public key: a software key of the
 * provider, a secure element, an agent. Neither touches a file: key files are
 * read from and written to memory.
 *
 * Reference counts are not atomic: a key belongs to its engine's thread.
 * Source: spec/security.md 3, 12.2, 12.3.
 */
#ifndef VSEC_KEY_H
#define VSEC_KEY_H

#include <v23/op.h>
#include <vsec/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- public keys --------------------------------------------------------- */

enum { VSEC_FINGERPRINT = 48 }; /* characters of a fingerprint with its NUL */

/* Immutable. Members are for reading; `pub` is the provider's. */
struct vsec_pubkey {
    struct v23_ref ref;
    struct vsec_engine *engine;
    const struct vsec_alg *alg;
    void *shared, *pub;
    struct vdl_bytes der;             /* SubjectPublicKeyInfo as received */
    const struct vsec_hash_alg *hash; /* hash of the key (spec 3.1) */
    uint8_t digest[VSEC_HASH_MAX];    /* hash(der) */
    uint16_t bits;                    /* of the curve or modulus */
};

/**
 * Parse a SubjectPublicKeyInfo.
 *
 * Strict: named curves and uncompressed points on the curve only, RSA from
 * VSEC_RSA_MIN_BITS to VSEC_RSA_MAX_BITS with an odd exponent of at most 31
 * bits, shortest DER lengths, no octets after it. Ed25519 points of low order
 * or with a coordinate that is not reduced are refused (in signatures too),
 * which the reference implementation takes; no honest key is of that kind.
 *
 * @return 0; V23_EKEY: malformed, or an algorithm that the engine does not
 *         list; V23_ENOMEM, V23_ECRYPTO. *out is set on success only.
 *
 * Ownership: the caller owns one reference. Cost: a point check; keep the key.
 */
V23_MUST_USE int vsec_pubkey_parse(struct vsec_engine *e, struct vdl_bytes der,
    struct vsec_pubkey **out);
/** Add an owner; returns k. */
struct vsec_pubkey *vsec_pubkey_ref(struct vsec_pubkey *k);
/** Remove an owner; NULL is ignored. */
void vsec_pubkey_unref(struct vsec_pubkey *k);
/** Octet-wise equality of the DER forms, the equality of chains. */
bool vsec_pubkey_eq(const struct vsec_pubkey *a, const struct vsec_pubkey *b);
/**
 * Human form of a key: MD5 of its DER, "ff:ad:19:…".
 * @return 0 or V23_ENOSYS (no MD5 in this provider), V23_ECRYPTO; then `out`
 *         is the empty string
 */
V23_MUST_USE int vsec_fingerprint(const struct vsec_crypto *c,
    struct vdl_bytes der, char out[VSEC_FINGERPRINT]);

/* ---- signatures ---------------------------------------------------------- */

/* Purposes (spec 3.2). */
#define VSEC_PURPOSE_MESSAGE "S1"
#define VSEC_PURPOSE_CERTIFICATE "B1"
#define VSEC_PURPOSE_DISCHARGE "D1"
enum { VSEC_PURPOSE_MAX = 8 }; /* longest purpose that can be signed with */

/*
 * The fields of v.io/v23/security.Signature, in its order. Views: who fills
 * one says how long they live.
 */
struct vsec_signature {
    struct vdl_bytes purpose;
    struct vdl_str hash;
    struct vdl_bytes r, s;    /* ECDSA */
    struct vdl_bytes ed25519; /* 64 octets */
    struct vdl_bytes rsa;
};

/**
 * Verify that `sig` is key k's signature of n octets at `msg` (spec 3.3).
 *
 * The hash is the one that sig->hash selects, see vsec_hash_named. The purpose
 * is part of what is verified, but whether it is the right one for the place
 * is the caller's to check. Value fields of other key kinds are ignored.
 *
 * @return 0; V23_ESIG: not this key's signature; V23_ENOSYS: the provider
 *         lacks the hash; V23_ENOMEM, V23_ECRYPTO
 */
V23_MUST_USE int vsec_verify(const struct vsec_pubkey *k,
    const struct vsec_signature *sig, const void *msg, size_t n);

/**
 * Digest of a signature under hash h (spec 3.4): h->size octets.
 * @return 0, V23_ENOSYS or V23_ECRYPTO
 */
V23_MUST_USE int vsec_signature_digest(const struct vsec_hash_alg *h,
    const struct vsec_signature *sig, uint8_t *out);

/**
 * The digest D that is signed (spec 3.2), under hash h.
 * @param f  receives F, 3 * h->size octets; may be NULL
 * @param d  receives D, h->size octets
 * @return 0, V23_ENOSYS or V23_ECRYPTO
 */
V23_MUST_USE int vsec_signed_digest(const struct vsec_hash_alg *h,
    const struct vsec_pubkey *k, struct vdl_bytes purpose, const void *msg,
    size_t n, uint8_t *f, uint8_t *d);

/* ---- signers ------------------------------------------------------------- */

struct vsec_signer;

/*
 * Who waits for a signature that is not ready at once. `done` is called once,
 * from outside vsec_sign; `sig` is NULL when rc is not 0 and otherwise valid
 * during the call.
 */
struct vsec_sign_wait {
    void (*done)(void *ud, struct v23_op op, int rc,
        const struct vsec_signature *sig);
    void *ud;
    struct v23_op op; /* the caller's; also names the request to cancel */
};

/*
 * What a signer is asked. But for the message and the key, which the signer
 * keeps alive, plain data without pointers into the caller's memory: a signer
 * that answers later keeps a copy. Which form a device signs depends on it: one
 * that hashes itself takes F, one that signs a ready digest takes D, an agent
 * the message. Ed25519 signs D as a message.
 */
struct vsec_sign_req {
    const struct vsec_pubkey *key;
    const struct vsec_hash_alg *hash;
    uint8_t purpose[VSEC_PURPOSE_MAX];
    uint8_t purpose_len;
    uint8_t f[3 * VSEC_HASH_MAX]; /* 3 * hash->size octets */
    uint8_t d[VSEC_HASH_MAX];     /* hash->size octets: hash(f) */
    struct v23_bytes msg; /* what is signed, for signers that take it whole;
                             valid during `sign` only */
    struct vsec_sign_wait wait;   /* done NULL: nobody can wait */
};

/* How a kind of signer works. */
struct vsec_key_ops {
    /*
     * Sign. Either 0 with the value in buf (VSEC_SIG_MAX octets; *sig points
     * into it), or an error, or V23_EAGAIN: the answer comes later by
     * vsec_sign_complete, never from inside this call. With req->wait.done
     * NULL a signer that would have to wait starts nothing and returns
     * V23_EAGAIN.
     */
    int (*sign)(struct vsec_signer *s, const struct vsec_sign_req *req,
        uint8_t *buf, struct vsec_sigval *sig);
    /* Forget the request with this wait.ud and wait.op, if it still runs: its
     * `done` is not called any more. NULL: never answers later. */
    void (*cancel)(struct vsec_signer *s, void *wait_ud, struct v23_op op);
    /* The last owner is gone: free what embeds `s` (requests that still run
     * are cancelled by then). The public key is released by the caller. */
    void (*destroy)(struct vsec_signer *s);
    /* Key material for writing files, as vsec_alg.priv_export; NULL: the key
     * does not leave its place. */
    int (*export_raw)(struct vsec_signer *s, struct v23_buf *mem,
        struct vsec_raw_key *raw);
};

/* First member of a signer's own struct. */
struct vsec_signer {
    struct v23_ref ref;
    const struct vsec_key_ops *ops;
    struct vsec_pubkey *pub; /* a reference */
};

/**
 * Initialise the common part of a signer with one owner.
 * @param pub  its public key; a reference is taken
 */
void vsec_signer_init(struct vsec_signer *s, const struct vsec_key_ops *ops,
    struct vsec_pubkey *pub);
/** Add an owner; returns s. */
struct vsec_signer *vsec_signer_ref(struct vsec_signer *s);
/** Remove an owner; NULL is ignored. */
void vsec_signer_unref(struct vsec_signer *s);

/**
 * Sign n octets at `msg` for a purpose (spec 3.2).
 *
 * @param purpose  at most VSEC_PURPOSE_MAX octets
 * @param a        where the values of *out are put
 * @param wait     who is told when the signer needs time; copied; NULL: nobody
 *                 can wait
 * @return 0: *out is complete and lives as long as the arena (hash and purpose
 *         too). V23_EAGAIN: wait->done will be called; or, without `wait`,
 *         this signer cannot answer at once and nothing was started. V23_EARG
 *         (purpose too long), V23_ENOMEM, V23_ECRYPTO or the signer's error.
 */
V23_MUST_USE int vsec_sign(struct vsec_signer *s, struct vdl_bytes purpose,
    const void *msg, size_t n, struct v23_arena *a,
    struct vsec_signature *out, const struct vsec_sign_wait *wait);
/** Cancel a sign request that returned V23_EAGAIN; a stale one is ignored. */
void vsec_sign_cancel(struct vsec_signer *s, void *wait_ud, struct v23_op op);
/**
 * For signers: answer a request that returned V23_EAGAIN.
 * @param req  the copy of the request
 * @param rc   0 or why it failed
 * @param val  the raw value when rc is 0; leading zeros of r and s are removed
 *             here
 *
 * Callbacks: req->wait.done, before return.
 */
void vsec_sign_complete(const struct vsec_sign_req *req, int rc,
    const struct vsec_sigval *val);

/* ---- software keys ------------------------------------------------------- */

/**
 * Make a new key pair.
 *
 * @param type  "ecdsa256", "ecdsa384", "ecdsa521", "ed25519", "rsa2048",
 *              "rsa4096"
 * @return 0; V23_ENOSYS: unknown type or not in this provider; V23_ENOMEM,
 *         V23_ECRYPTO or the random source's error
 */
V23_MUST_USE int vsec_signer_generate(struct vsec_engine *e, const char *type,
    struct vsec_signer **out);
/**
 * Signer of a private key in PKCS#8 (DER, not encrypted).
 * @return 0, V23_EKEY (malformed, unsupported, halves do not belong together),
 *         V23_ENOMEM, V23_ECRYPTO
 */
V23_MUST_USE int vsec_signer_pkcs8(struct vsec_engine *e, struct v23_bytes der,
    struct vsec_signer **out);
/** The same from SEC1's ECPrivateKey with its curve named inside. */
V23_MUST_USE int vsec_signer_sec1(struct vsec_engine *e, struct v23_bytes der,
    struct vsec_signer **out);
/**
 * Append the PKCS#8 DER of a signer's private key. The caller wipes it.
 * @return 0, V23_ENOSYS (the key does not leave its place), V23_ENOMEM, …
 */
V23_MUST_USE int vsec_pkcs8_put(struct vsec_signer *s, struct v23_buf *out);

/* ---- private key files --------------------------------------------------- */

enum vsec_key_place {
    VSEC_KEY_HERE,     /* `signer` is the key */
    VSEC_KEY_IN_FILE,  /* `target` is the name of the file that holds it */
    VSEC_KEY_SSH_AGENT /* `target` is an authorized_keys line; the key lives in
                          the ssh-agent */
};

/* What a private key file holds. */
struct vsec_key_file {
    enum vsec_key_place place;
    struct vsec_signer *signer; /* VSEC_KEY_HERE; the holder's reference */
    struct v23_buf target;      /* the other two: octets of the text */
};

/**
 * Read a private key file: PEM blocks with any text around them. Blocks of
 * unknown type are skipped; the first of a known type decides:
 * `PRIVATE KEY`, `ENCRYPTED PRIVATE KEY` (PBES2), `EC PRIVATE KEY` (plain or
 * RFC 1423 with AES-CBC), `OPENSSH PRIVATE KEY` (plain, or bcrypt with
 * AES-256-CTR or -CBC), `VANADIUM INDIRECT PRIVATE KEY`.
 *
 * @param pass  passphrase; empty = none. The caller wipes it.
 * @return 0: *out is set and to be given to vsec_key_file_fini.
 *         V23_EPASSPHRASE: encrypted and no passphrase given;
 *         V23_EBADPASSPHRASE: does not open with this one; V23_ENOENT: no PEM
 *         block of a known type; V23_EKEY: malformed or unsupported;
 *         V23_ENOSYS: needs a cipher that the provider lacks; V23_ELIMIT: file
 *         over 1 MiB, or key derivation with an absurd cost; V23_ENOMEM,
 *         V23_ECRYPTO
 *
 * An indirection is not followed: the caller reads the target and calls again,
 * at most once.
 * Ownership: text is not kept. Intermediate secrets are wiped.
 */
V23_MUST_USE int vsec_key_file_read(struct vsec_engine *e,
    struct v23_bytes text, struct v23_bytes pass, struct vsec_key_file *out);
/** Release what *f holds. */
void vsec_key_file_fini(struct vsec_key_file *f);

/**
 * Append the PEM form of a signer's private key: `PRIVATE KEY`, or with a
 * passphrase `ENCRYPTED PRIVATE KEY` (PBES2, PBKDF2-HMAC-SHA256 with 10,000
 * rounds, AES-256-CBC), as the reference implementation writes them.
 *
 * @param pass  empty = not encrypted
 * @return 0, V23_ENOSYS, V23_ENOMEM, V23_ECRYPTO; on failure nothing stays
 *         appended
 *
 * Wiping `out` is the caller's.
 */
V23_MUST_USE int vsec_key_file_put(struct vsec_signer *s,
    struct v23_bytes pass, struct v23_buf *out);
/**
 * Append a `VANADIUM INDIRECT PRIVATE KEY` block.
 * @param place  VSEC_KEY_IN_FILE or VSEC_KEY_SSH_AGENT
 */
V23_MUST_USE int vsec_key_file_put_indirect(enum vsec_key_place place,
    struct v23_bytes target, struct v23_buf *out);

/* ---- public key files ---------------------------------------------------- */

/* What a public key file holds. */
struct vsec_pubkey_file {
    struct vsec_pubkey *key; /* the holder's reference; NULL with `x509` */
    struct v23_buf x509;     /* DER of the first CERTIFICATE; else empty */
};

/**
 * Read a public key file: the first PEM block of type `PUBLIC KEY` or
 * `CERTIFICATE`, or, when no block fits, one line of authorized_keys form.
 *
 * A certificate is handed back unparsed.
 * @return 0, V23_ENOENT (nothing of the kind), V23_EKEY, V23_ELIMIT,
 *         V23_ENOMEM, V23_ECRYPTO
 */
V23_MUST_USE int vsec_pubkey_file_read(struct vsec_engine *e,
    struct v23_bytes text, struct vsec_pubkey_file *out);
/** Release what *f holds. */
void vsec_pubkey_file_fini(struct vsec_pubkey_file *f);
/** Append `PUBLIC KEY` PEM. 0 or the buffer's error. */
V23_MUST_USE int vsec_pubkey_pem_put(struct vdl_bytes der,
    struct v23_buf *out);

/* ---- OpenSSH ------------------------------------------------------------- */

/**
 * Key of one authorized_keys line: `type base64 [comment]`, possibly with
 * options in front, which are ignored.
 * @return 0, V23_EKEY, V23_ENOMEM, V23_ECRYPTO
 */
V23_MUST_USE int vsec_ssh_pubkey_parse(struct vsec_engine *e,
    struct v23_bytes line, struct vsec_pubkey **out);
/** Key of ssh's binary form (RFC 4253 6.6), as an ssh-agent lists it. */
V23_MUST_USE int vsec_ssh_blob_parse(struct vsec_engine *e,
    struct v23_bytes blob, struct vsec_pubkey **out);
/** Append ssh's binary form of a key. V23_ENOSYS: ssh has none (P-224). */
V23_MUST_USE int vsec_ssh_blob_put(const struct vsec_pubkey *k,
    struct v23_buf *out);
/** Append `type base64`, without comment and newline. */
V23_MUST_USE int vsec_ssh_pubkey_put(const struct vsec_pubkey *k,
    struct v23_buf *out);

/* ---- PEM ----------------------------------------------------------------- */

/* One PEM block; type and headers are views on the text. */
struct vsec_pem {
    struct vdl_str type;    /* "PRIVATE KEY" */
    struct vdl_str headers; /* lines `Key: value`; empty without any */
    struct v23_buf body;    /* decoded; the holder's: wipe and fini */
};

/**
 * Find the next well-formed PEM block (RFC 7468, with the headers of RFC 1421);
 * anything between blocks, including broken ones, is skipped.
 *
 * @param text  what is still to be read; moved behind the block on success
 * @param al    for out->body; NULL = libc
 * @return 0, V23_ENOENT (no further block), V23_ELIMIT (text over 1 MiB),
 *         V23_ENOMEM
 */
V23_MUST_USE int vsec_pem_next(struct v23_bytes *text,
    const struct v23_alloc *al, struct vsec_pem *out);
/** Wipe and release a block's body. */
void vsec_pem_fini(struct vsec_pem *p);
/** Value of header `key`, or an empty text. */
struct vdl_str vsec_pem_header(const struct vsec_pem *p, const char *key);
/**
 * Append a PEM block with lines of 64 characters.
 * @param header  NULL, or complete header lines, each with its newline; an
 *                empty line follows them
 * @return 0 or the buffer's error
 */
V23_MUST_USE int vsec_pem_put(const char *type, const char *header,
    const void *p, size_t n, struct v23_buf *out);

#ifdef __cplusplus
}
#endif
#endif
