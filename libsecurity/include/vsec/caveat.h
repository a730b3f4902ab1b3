/* BSD-3-Clause; see LICENSE. */
/**
 * Caveats and discharges.
 *
 * A caveat is its wire form, v23_security_caveat {id, param_vom}: the octets of
 * the parameter are hashed as received and must never be encoded again. How a
 * caveat is validated is said by a table of struct vsec_caveat_kind which a
 * program passes (vsec/check.h); there is no global registration.
 *
 * Source: spec/security.md 4, 8.1 - 8.3.
 */
#ifndef VSEC_CAVEAT_H
#define VSEC_CAVEAT_H

#include <v23/op.h>
#include <v23/time.h>
#include <v23/vdl/v.io/v23/security/access/access.vdl.h>
#include <v23/vdl/v.io/v23/security/security.vdl.h>
#include <v23/verror.h>
#include <vsec/key.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsec_call;
struct vsec_check;

/* Limits of what a peer may send; beyond them values are refused. */
enum {
    VSEC_MAX_CHAINS = 64,        /* in one blessings value */
    VSEC_MAX_CERTS = 64,         /* in one chain */
    VSEC_MAX_CAVEATS = 256,      /* in one certificate or discharge */
    VSEC_MAX_BLESSINGS = 1 << 20, /* octets of one blessings value */
    VSEC_MAX_NESTED = 16         /* discharges that need discharges */
};

/* ---- kinds of caveats ---------------------------------------------------- */

/*
 * How one kind of caveat is validated.
 *
 * `validate` returns 0: the call satisfies the caveat; V23_ECAVEAT: it does
 * not, *err (in `a` or constant) says why and crosses the wire inside
 * CaveatValidation; V23_EAGAIN: vsec_check_complete(c, op, …) follows exactly
 * once, not from inside this function; other codes end the whole check.
 * `cancel` (NULL when never EAGAIN) is called when the answer is not wanted any
 * more: it must not come then. `param` lives until the answer.
 */
struct vsec_caveat_kind {
    const v23_security_caveat_descriptor *desc; /* id, type of parameter */
    const char *name; /* "Expiry"; for texts */
    int (*validate)(void *ud, struct vsec_check *c, struct v23_op op,
        const struct vsec_call *call, const void *param, struct v23_arena *a,
        const struct v23_verror **err);
    void (*cancel)(void *ud, struct v23_op op);
    void *ud;
};

/*
 * The kinds that a program knows; a caveat of any other kind fails with
 * CaveatNotRegistered. Third-party caveats need no entry of their own beyond
 * vsec_kind_third_party: the checker itself looks for discharges.
 */
struct vsec_caveat_kinds {
    const struct vsec_caveat_kind *const *v;
    size_t n;
};

/* The kinds of spec 4.2 but for NotRevoked and Logging. */
extern const struct vsec_caveat_kind vsec_kind_const, vsec_kind_expiry,
    vsec_kind_not_before, vsec_kind_method, vsec_kind_peer_blessings,
    vsec_kind_third_party, vsec_kind_access_tag;
extern const struct vsec_caveat_kinds vsec_kinds_standard;

/*
 * The two that only discharger services register, inside third-party caveats:
 * NotRevoked carries 16 random octets which must not be in the discharger's
 * list (vsec/revocations.h), Logging texts that the discharger is to log.
 */
extern const v23_security_caveat_descriptor vsec_caveat_not_revoked,
    vsec_caveat_logging;
enum { VSEC_REVOCATION_ID = 16 };

/** Is this caveat of that kind? */
bool vsec_caveat_is(const v23_security_caveat *c,
    const struct vsec_caveat_kind *kind);

/* ---- making caveats ------------------------------------------------------ */

/**
 * Make a caveat with an encoded copy of `param` in the arena.
 *
 * @param param  C value of kind->desc->param_type
 * @return 0, V23_ENOMEM, V23_ELIMIT; V23_EARG: the parameter type contains any
 */
V23_MUST_USE int vsec_caveat_make(struct v23_arena *a,
    const struct vsec_caveat_kind *kind, const void *param,
    v23_security_caveat *out);
/** Const(true): "no restriction". Constant memory. */
v23_security_caveat vsec_caveat_unconstrained(void);
/** Valid until and including `t`. */
V23_MUST_USE int vsec_caveat_expiry(struct v23_arena *a, struct v23_walltime t,
    v23_security_caveat *out);
/** Valid after `t`. */
V23_MUST_USE int vsec_caveat_not_before(struct v23_arena *a,
    struct v23_walltime t, v23_security_caveat *out);
/** Only for calls of these methods. */
V23_MUST_USE int vsec_caveat_method(struct v23_arena *a, vdl_str_list methods,
    v23_security_caveat *out);
/** Only towards servers that match one of the patterns. */
V23_MUST_USE int vsec_caveat_peers(struct v23_arena *a, vdl_str_list patterns,
    v23_security_caveat *out);
/** Only for methods with one of these access tags. */
V23_MUST_USE int vsec_caveat_access_tags(struct v23_arena *a,
    vdl_str_list tags, v23_security_caveat *out);

/* What a third-party caveat says (8.1). */
struct vsec_third_party {
    struct vdl_bytes key;     /* DER of the discharger's key */
    struct vdl_str location;  /* object name of the discharger */
    v23_security_third_party_requirements wants;
    /* What the discharger is to check, in wire order: additional ones first,
     * the mandatory one last. Not empty. */
    v23_security_caveat_list caveats;
};
/**
 * Make a third-party caveat with a fresh nonce.
 * @return 0, V23_EARG (no caveats), V23_ENOMEM, V23_ELIMIT, or the random
 *         source's error
 */
V23_MUST_USE int vsec_caveat_third_party(struct vsec_engine *e,
    struct v23_arena *a, const struct vsec_third_party *what,
    v23_security_caveat *out);

/* ---- looking into caveats ------------------------------------------------ */

/** Digest under hash h (4.1): h->size octets. 0, V23_ENOSYS, V23_ECRYPTO. */
V23_MUST_USE int vsec_caveat_digest(const struct vsec_hash_alg *h,
    const v23_security_caveat *c, uint8_t *out);
/**
 * Decode the parameter into a C value of kind->desc->param_type. As in the
 * reference implementation octets after the value are ignored (they are part
 * of the digest like all others).
 * @return 0, V23_ENOENT (another kind), V23_ENOMEM, or a decoding error
 */
V23_MUST_USE int vsec_caveat_param(const v23_security_caveat *c,
    const struct vsec_caveat_kind *kind, struct v23_arena *a, void *out);
/**
 * Append the tools' text form, "0x54a6…([]string=[Get Put])" (4.3); parameters
 * that do not decode as "0x54a6…(7 bytes of param)".
 * @return 0 or the buffer's error
 */
V23_MUST_USE int vsec_caveat_format(struct vsec_engine *e,
    const v23_security_caveat *c, struct v23_buf *out);
/** Append the sentence that `principal get … --caveats` prints (14.4). */
V23_MUST_USE int vsec_caveat_describe(struct vsec_engine *e,
    const v23_security_caveat *c, struct v23_buf *out);
/** Append an instant as "2006-01-02 15:04:05.999999999 +0000 UTC". */
void vsec_time_format(struct v23_walltime t, struct v23_buf *out);
/** Wall time and time.Time; the zero time.Time is the year 1. */
v23_time_time vsec_time_to_wire(struct v23_walltime t);
struct v23_walltime vsec_time_from_wire(v23_time_time t);
/** The zero time.Time, "no time". */
bool vsec_time_is_zero(struct v23_walltime t);

enum { VSEC_CAVEAT_ID = 90 }; /* longest id with its NUL */
/**
 * Id of a third-party caveat: base64, 44 to 88 characters; empty when the
 * discharger's key does not parse.
 * @param p  its decoded parameter
 * @return 0, V23_ENOSYS, V23_ECRYPTO, V23_ENOMEM
 */
V23_MUST_USE int vsec_third_party_id(struct vsec_engine *e,
    const v23_security_public_key_third_party_caveat_param *p,
    char out[VSEC_CAVEAT_ID]);

/* ---- discharges ---------------------------------------------------------- */

/* Immutable, shared by reference. Members are for reading. */
struct vsec_discharge {
    struct v23_ref ref;
    v23_security_wire_discharge wire; /* complete; points into the object */
    bool expires;               /* some caveat is an Expiry */
    struct v23_walltime expiry; /* then: the earliest */
    struct v23_arena arena;          /* private */
    uint8_t verified[VSEC_HASH_MAX]; /* private: digest of the key that */
    uint8_t nverified;               /*          verified it last */
};

/**
 * Copy a discharge.
 * @return 0; V23_ELIMIT: too many caveats or octets; V23_ENOMEM
 */
V23_MUST_USE int vsec_discharge_from_wire(const struct v23_alloc *al,
    const v23_security_wire_discharge *w, struct vsec_discharge **out);
/** The same from one VOM value; octets after it are ignored. */
V23_MUST_USE int vsec_discharge_decode(const struct v23_alloc *al,
    struct v23_bytes vom, struct vsec_discharge **out);
struct vsec_discharge *vsec_discharge_ref(struct vsec_discharge *d);
void vsec_discharge_unref(struct vsec_discharge *d); /* NULL ignored */
/** The same discharge, maybe in another object? */
bool vsec_discharge_eq(const struct vsec_discharge *a,
    const struct vsec_discharge *b);
/** Id of the caveat that this discharge answers. */
struct vdl_str vsec_discharge_id(const struct vsec_discharge *d);
/** Earliest Expiry among its caveats; false when there is none. */
bool vsec_discharge_expiry(const struct vsec_discharge *d,
    struct v23_walltime *out);
/** Digest DD (8.2) under hash h. */
V23_MUST_USE int vsec_discharge_digest(const struct vsec_hash_alg *h,
    const v23_security_public_key_discharge *d, uint8_t *out);
/**
 * Is this the discharger's signature, for the right purpose? The result for
 * the last key is remembered in the object. Neither the id nor the caveats of
 * the discharge are checked.
 * @return 0, V23_ESIG, V23_ENOSYS, V23_ENOMEM, V23_ECRYPTO
 */
V23_MUST_USE int vsec_discharge_verify(struct vsec_discharge *d,
    const struct vsec_pubkey *discharger);

#ifdef __cplusplus
}
#endif
#endif
