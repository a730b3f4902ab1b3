/* BSD-3-Clause; see LICENSE. */
/**
 * X.509 certificates: principals that take their names from one, and the
 * recognition of such names by trust anchors.
 *
 * Certificates are read here and not by the crypto provider, so that every
 * provider takes the same decisions (mbedTLS knows neither Ed25519 keys nor
 * name constraints in them); of the provider come only the hash and the check
 * of the issuer's signature. There is exactly one step to check: blessings
 * carry no intermediate certificates, so a leaf is issued by a trust anchor, or
 * is one. Nothing asks whether a certificate was revoked.
 *
 * Accepted are leaves that the reference implementation accepts, but for what
 * RFC 5280 forbids (times without seconds or Z, octets where none belong),
 * RSASSA-PSS signatures, RSA keys of authorities below VSEC_RSA_MIN_BITS, and
 * under name constraints e-mail and URI names of a constrained kind and DNS
 * names with empty labels.
 *
 * What uses none of these functions links none of them: roots and principals
 * reach them through pointers.
 *
 * Source: spec/security.md 5.8, 7.3, 12.3; RFC 5280; RFC 6125.
 */
#ifndef VSEC_X509_H
#define VSEC_X509_H

#include <vsec/principal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- certificates -------------------------------------------------------- */

/* Beyond these a certificate is refused with V23_ELIMIT. */
enum {
    VSEC_X509_MAX = 32 << 10,     /* octets */
    VSEC_X509_MAX_NAMES = 256,    /* alternative names */
    VSEC_X509_MAX_EXTENSIONS = 32
};

/* A certificate that was read: views on its octets, nothing to release. */
struct vsec_x509_cert {
    struct v23_bytes der;   /* the whole */
    struct vdl_bytes spki;  /* SubjectPublicKeyInfo; not yet looked into */
    struct v23_walltime not_before, not_after; /* valid from and until, both
                                                  included */
    struct v23_bytes names; /* for vsec_x509_next_dns() */
    /* The rest is private. */
    struct v23_bytes tbs, issuer, subject, algorithm, signature;
    struct v23_bytes permitted, excluded; /* name constraints */
    uint8_t version;       /* 1 .. 3 */
    bool unhandled;        /* a critical extension that is not understood */
    bool has_basic, is_ca; /* basic constraints */
    bool has_usage, signs_certs; /* key usage */
    bool has_purposes, serves;   /* extended key usage: server authentication */
    bool has_constraints;
};

/**
 * Read a certificate.
 * @param der  borrowed as long as *out is used
 * @return 0; V23_ECERT: malformed; V23_ELIMIT; then *out is undefined
 *
 * Nothing is verified, and the key is not parsed.
 */
V23_MUST_USE int vsec_x509_parse(struct v23_bytes der,
    struct vsec_x509_cert *out);
/**
 * Take the next DNS name.
 * @param rest  a copy of cert->names to begin with
 * @return false at the end
 *
 * Names come as they stand in the certificate: ASCII, else anything.
 */
bool vsec_x509_next_dns(struct v23_bytes *rest, struct vdl_str *name);
/**
 * Is the certificate valid for a host? Case does not matter; a name that
 * starts with "*." covers one label; IPv4 addresses must stand in it as such.
 * The common name is never looked at.
 */
bool vsec_x509_has_host(const struct vsec_x509_cert *c, struct vdl_str host);

/* ---- trust anchors ------------------------------------------------------- */

struct vsec_anchors; /* shared by reference */

/** Make an empty set of trust anchors. 0 or V23_ENOMEM. */
V23_MUST_USE int vsec_anchors_new(struct vsec_engine *e,
    struct vsec_anchors **out);
/**
 * Make the set of the system's anchors (hosts). Files are read when the first
 * certificate is to be recognized, and only then: the file of $SSL_CERT_FILE,
 * or the first of the usual ones that exists; and all files in the directories
 * of $SSL_CERT_DIR (separated by ':'), or in the usual ones. What cannot be
 * read adds nothing.
 */
V23_MUST_USE int vsec_anchors_system(struct vsec_engine *e,
    struct vsec_anchors **out);
struct vsec_anchors *vsec_anchors_ref(struct vsec_anchors *t);
void vsec_anchors_unref(struct vsec_anchors *t); /* NULL ignored */
/**
 * Trust a certificate; one that is there already changes nothing.
 * @param der  copied
 * @return 0, V23_ECERT, V23_ELIMIT, V23_ENOMEM
 */
V23_MUST_USE int vsec_anchors_add(struct vsec_anchors *t,
    struct v23_bytes der);
/**
 * Trust every CERTIFICATE block of a PEM text; what is malformed is skipped.
 * @return 0; V23_ELIMIT: text over 1 MiB; V23_ENOMEM
 */
V23_MUST_USE int vsec_anchors_add_pem(struct vsec_anchors *t,
    struct v23_bytes text);
/** How many there are (of those loaded). */
size_t vsec_anchors_count(const struct vsec_anchors *t);
/**
 * Verify that a leaf is good for authenticating a server: issued by an anchor
 * or one itself, both within their time, without critical extensions that are
 * not understood, the anchor a CA whose name constraints permit every name of
 * the leaf.
 *
 * @param now  wall clock
 * @param why  set with V23_EUNTRUSTED to a constant phrase
 * @return 0, V23_EUNTRUSTED, V23_ENOMEM, V23_ECRYPTO
 *
 * Signatures found good are remembered. A host is not compared here.
 */
V23_MUST_USE int vsec_anchors_verify(struct vsec_anchors *t,
    const struct vsec_x509_cert *leaf, struct v23_walltime now,
    const char **why);
/** For vsec_roots_use_x509() and credentials; borrowed. */
struct vsec_x509 *vsec_anchors_x509(struct vsec_anchors *t);

/* ---- principals ---------------------------------------------------------- */

/**
 * Give a principal the certificate of its key. From then on its self blessings
 * come from it:
 *   * with an empty name one chain for each DNS name that is a host name;
 *   * else the name must be `host` or `host:extension`, with a host that the
 *     certificate is valid for (V23_ECERT if it is not);
 *   * Expiry and NotBefore caveats follow those of the caller.
 * To be called once, before others hold the principal.
 *
 * @param der  copied
 * @return 0; V23_ECERT, V23_ELIMIT; V23_EKEYMISMATCH: of another key;
 *         V23_ESTATE: it has one, or its key is behind an agent; V23_ENOMEM
 */
V23_MUST_USE int vsec_principal_use_x509(struct vsec_principal *p,
    struct v23_bytes der);

#ifdef __cplusplus
}
#endif
#endif
