/* BSD-3-Clause; see LICENSE. */
/**
 * Blessings: certificate chains that give names to one public key.
 *
 * A struct vsec_blessings is immutable and shared by reference. It can only be
 * made from chains whose signatures have been verified, so whoever holds one
 * need not verify again. Whether the roots are recognized and the caveats hold
 * are questions of a call (vsec/check.h).
 *
 * NULL is the zero blessings: no chains, no key. Every function takes it.
 *
 * Reference counts are not atomic: an object belongs to its engine's thread.
 * Source: spec/security.md 5, 6.4.
 */
#ifndef VSEC_BLESSINGS_H
#define VSEC_BLESSINGS_H

#include <vsec/caveat.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- cache of verified chains -------------------------------------------- */

struct vsec_chain_cache; /* opaque; one per event loop */

/**
 * Make a cache of verified chains, shared by all connections of an event loop:
 * digests of chains and of their beginnings, and whole blessings, so that the
 * same octets again are neither verified nor digested.
 * @param max  digests, then some are dropped; 0 = 1,024. For eight of them one
 *             whole object is held (up to 8 KiB each).
 * @return 0, V23_ENOMEM, or the random source's error
 */
V23_MUST_USE int vsec_chain_cache_new(struct vsec_engine *e, uint32_t max,
    struct vsec_chain_cache **out);
void vsec_chain_cache_free(struct vsec_chain_cache *c); /* NULL ignored */
/** Verified prefixes of chains now held. */
uint32_t vsec_chain_cache_count(const struct vsec_chain_cache *c);

/* ---- blessings ----------------------------------------------------------- */

/* One chain. Members are for reading. */
struct vsec_chain {
    v23_security_certificate_list certs; /* from the root; never empty */
    struct vdl_str name;     /* extensions joined by ':' */
    struct vdl_bytes digest; /* chained digest of the last certificate */
    uint32_t ncaveats;       /* of all certificates */
};

/* Members are for reading. */
struct vsec_blessings {
    struct v23_ref ref;
    struct vsec_pubkey *key; /* what the chains are bound to; a reference */
    const struct vsec_chain *chains; /* in wire order; n ≥ 1 */
    uint32_t nchains;
    bool nameless;
    bool expires;               /* some caveat is an Expiry */
    struct v23_walltime expiry; /* then: the earliest of all chains */
    uint8_t nid;
    uint8_t id[VSEC_HASH_MAX]; /* unique id, nid octets */
    struct vdl_str text;       /* names joined by ',' */
    v23_security_wire_blessings wire; /* points into the object */
    struct v23_arena arena;           /* private */
};

/**
 * Verify blessings received and make an object of them (5.5).
 *
 * @param cache  of this engine; NULL = verify everything
 * @param w      borrowed; copied
 * @param out    NULL for a value without chains, which is no error
 * @return 0; V23_ECERT: malformed (empty chain, wrong purpose, bad
 *         extension); V23_EKEY, V23_EKEYMISMATCH: chains bound to different
 *         keys; V23_ESIG; V23_ELIMIT (VSEC_MAX_…); V23_ENOMEM, V23_ENOSYS,
 *         V23_ECRYPTO
 */
V23_MUST_USE int vsec_blessings_from_wire(struct vsec_engine *e,
    struct vsec_chain_cache *cache, const v23_security_wire_blessings *w,
    struct vsec_blessings **out);
/** The same from one VOM value; also a decoding error. As in the reference
 * implementation octets after the value are ignored. */
V23_MUST_USE int vsec_blessings_decode(struct vsec_engine *e,
    struct vsec_chain_cache *cache, struct v23_bytes vom,
    struct vsec_blessings **out);
/** Append the stand-alone VOM value. 0 or the buffer's error. */
V23_MUST_USE int vsec_blessings_encode(const struct v23_alloc *al,
    const struct vsec_blessings *b, struct v23_buf *out);
/** Wire form, valid as long as the object. */
v23_security_wire_blessings vsec_blessings_wire(
    const struct vsec_blessings *b);
/**
 * Make blessings that convey a key and no name (5.7).
 * @param k  a reference is taken
 */
V23_MUST_USE int vsec_blessings_nameless(struct vsec_pubkey *k,
    struct vsec_blessings **out);
struct vsec_blessings *vsec_blessings_ref(struct vsec_blessings *b);
void vsec_blessings_unref(struct vsec_blessings *b);

/** Bound key, borrowed; NULL for zero blessings. */
struct vsec_pubkey *vsec_blessings_key(const struct vsec_blessings *b);
bool vsec_blessings_is_nameless(const struct vsec_blessings *b);
/** Interchangeable: equal unique ids (5.6). Zero equals zero. */
bool vsec_blessings_eq(const struct vsec_blessings *a,
    const struct vsec_blessings *b);
/** Names joined by ','; empty for zero and nameless. Borrowed. */
struct vdl_str vsec_blessings_text(const struct vsec_blessings *b);
/** Earliest Expiry over all chains; false when there is none. */
bool vsec_blessings_expiry(const struct vsec_blessings *b,
    struct v23_walltime *out);
/**
 * Join blessings bound to one key (5.6). Zero and nameless members add
 * nothing.
 * @return 0; V23_EKEYMISMATCH; V23_ENOMEM, …; *out may be NULL or a member
 */
V23_MUST_USE int vsec_blessings_union(struct vsec_blessings *const *v,
    size_t n, struct vsec_blessings **out);
/**
 * The blessings of chain i's root alone, bound to the root's key.
 * @param i  < nchains; nameless blessings have no roots (V23_EARG)
 */
V23_MUST_USE int vsec_blessings_root(const struct vsec_blessings *b,
    uint32_t i, struct vsec_blessings **out);
/** The chains that may sign data at rest: only Expiry and Const caveats. */
V23_MUST_USE int vsec_blessings_for_signing(const struct vsec_blessings *b,
    struct vsec_blessings **out);
/**
 * All third-party caveats of all chains, in order; the list is in the arena,
 * the caveats in the object.
 */
V23_MUST_USE int vsec_blessings_third_party(const struct vsec_blessings *b,
    struct v23_arena *a, v23_security_caveat_list *out);
/** Every name is the name of some chain, roots and caveats ignored (6.4). */
bool vsec_blessings_could_have_names(const struct vsec_blessings *b,
    vdl_str_list names);

/* ---- certificates -------------------------------------------------------- */

/** Own content digest OC (5.1) under hash h: h->size octets. */
V23_MUST_USE int vsec_cert_own_digest(const struct vsec_hash_alg *h,
    const v23_security_certificate *c, uint8_t *out);
/**
 * Chained digests (5.2).
 * @param prev     chained digest of the preceding certificate; n == 0: root
 * @param content  what the certificate's signature covers; may be NULL
 * @param digest   chained digest; may be NULL
 */
V23_MUST_USE int vsec_cert_digests(const struct vsec_hash_alg *h,
    const v23_security_certificate *c, struct v23_bytes prev,
    uint8_t *content, uint8_t *digest);
/** The wire signature as key.h's view. */
struct vsec_signature vsec_signature_of(const v23_security_signature *s);
/** And back; shares the octets. */
v23_security_signature vsec_signature_to_wire(const struct vsec_signature *s);

#ifdef __cplusplus
}
#endif
#endif
