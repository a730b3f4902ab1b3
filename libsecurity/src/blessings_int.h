/* BSD-3-Clause; see LICENSE. */
/* Building blessings from chains that are known to be good. */
#ifndef VSEC_BLESSINGS_INT_H
#define VSEC_BLESSINGS_INT_H

#include <vsec/principal.h>

/* A chain on its way into an object. Borrowed. */
struct vsec_link_ {
    v23_security_certificate_list certs;
    struct v23_bytes digest; /* chained digest of the last certificate */
};

/*
 * Copy n ≥ 1 chains bound to `key` into an object. The chains must have been
 * verified, or made, by the caller.
 */
V23_MUST_USE int vsec_blessings_build_(struct vsec_pubkey *key,
    const struct vsec_link_ *v, uint32_t n, bool nameless,
    struct vsec_blessings **out);

/*
 * Sign a certificate that extends a chain with digest `prev` (n == 0: a root);
 * its own digest is put into the arena. Here and below `i` is what goes on
 * when the key takes its time; NULL: V23_EAGAIN then.
 */
V23_MUST_USE int vsec_sign_cert_(struct vsec_principal *p,
    struct vsec_issue *i, v23_security_certificate *c, struct v23_bytes prev,
    struct v23_arena *a, struct v23_bytes *digest);
V23_MUST_USE int vsec_bless_(struct vsec_principal *p, struct vsec_issue *i,
    const struct vsec_bless *what, struct vsec_blessings **out);
V23_MUST_USE int vsec_bless_self_(struct vsec_principal *p,
    struct vsec_issue *i, struct vdl_str name,
    v23_security_caveat_list caveats, struct vsec_blessings **out);
V23_MUST_USE int vsec_mint_(struct vsec_principal *p, struct vsec_issue *i,
    const v23_security_caveat *caveat, v23_security_caveat_list caveats,
    struct vsec_discharge **out);
/* Sign for an issue, or (NULL) at once. */
V23_MUST_USE int vsec_issue_sign_(struct vsec_issue *i, struct vsec_signer *s,
    struct vdl_bytes purpose, struct v23_bytes msg, struct v23_arena *a,
    struct vsec_signature *out);

/*
 * For principals that have things made elsewhere: an issue's thing was asked
 * for (the op is for the signer's cancel, with the issue as its wait_ud), and
 * has come, the references being the issue's; the issue may end in it. Its
 * next turn asks again, and is given what has come.
 */
struct v23_op vsec_issue_ask_(struct vsec_issue *i);
void vsec_issue_come_(struct vsec_issue *i, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d);
/* True: *b or *d, a reference, has come. */
bool vsec_issue_take_(struct vsec_issue *i, struct vsec_blessings **b,
    struct vsec_discharge **d);

/* Exactly one certificate with nothing but a key (spec 5.7). */
bool vsec_is_nameless_(const v23_security_wire_blessings *w);

/* Digest of the last certificate of a chain, and what a further one signed by
 * a key with hash h covers. */
V23_MUST_USE int vsec_chain_digest_(const struct vsec_crypto *c,
    v23_security_certificate_list certs, uint8_t *digest, size_t *n);

/*
 * What a cache does: its first member points to it, so that a program without
 * a cache links none. Failures of the hash count as misses.
 */
struct vsec_chain_cache_ops_ {
    bool (*has)(struct vsec_chain_cache *c, struct v23_bytes digest);
    void (*add)(struct vsec_chain_cache *c, struct v23_bytes digest);
    /* The whole object made of these certificates, or of this VOM value,
     * before: a reference, or NULL. */
    struct vsec_blessings *(*content)(struct vsec_chain_cache *c,
        const v23_security_wire_blessings *w);
    struct vsec_blessings *(*vom)(struct vsec_chain_cache *c,
        struct v23_bytes vom);
    /* Hold an object for them; without memory nothing happens. */
    void (*keep)(struct vsec_chain_cache *c, struct vsec_blessings *b);
    void (*keep_vom)(struct vsec_chain_cache *c, struct v23_bytes vom,
        struct vsec_blessings *b);
};
static inline const struct vsec_chain_cache_ops_ *vsec_chain_cache_ops_(
    const struct vsec_chain_cache *c)
{
    return *(const struct vsec_chain_cache_ops_ *const *)(const void *)c;
}

/* Length of an extension list joined by ':'; V23_ELIMIT when absurd. */
V23_MUST_USE int vsec_chain_name_(v23_security_certificate_list certs,
    struct v23_arena *a, struct vdl_str *out);

#endif
