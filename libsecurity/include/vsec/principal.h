/* BSD-3-Clause; see LICENSE. */
/**
 * Principals: a key, a store of blessings, and the roots it recognizes.
 *
 * Store and roots are interfaces: in memory (here), in a credentials directory
 * (vsec/credentials.h), or behind an agent. All objects are reference counted,
 * not atomically: they belong to one engine and its thread.
 *
 * Source: spec/security.md 5.3, 7, 8.2, 8.6.
 */
#ifndef VSEC_PRINCIPAL_H
#define VSEC_PRINCIPAL_H

#include <v23/log.h>
#include <vsec/blessings.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- blessing store ------------------------------------------------------ */

struct vsec_store;

/* One entry of the peer map. Borrowed. */
struct vsec_store_entry {
    struct vdl_str pattern;
    struct vsec_blessings *b;
};

/* A cached discharge. */
struct vsec_store_discharge {
    uint8_t key[32]; /* vsec_discharge_key() */
    struct vsec_discharge *d;
    struct v23_walltime cached; /* zero time.Time: not known */
};

/* What a store holds; private. Owns references. */
struct vsec_store_state {
    struct vsec_blessings *def;       /* NULL = none */
    struct vsec_store_entry *entries; /* sorted by pattern */
    size_t nentries, entries_cap;
    struct vsec_store_discharge *discharges; /* sorted by key */
    size_t ndischarges, discharges_cap;
};

/* What discharge to look up. Borrowed. */
struct vsec_look_up {
    const v23_security_caveat *caveat;
    const v23_security_discharge_impetus *impetus;
    struct v23_walltime now;
};

/* Who waits for it. `done` is called once, never from inside the start; `d`
 * lives during the call, NULL: there is none. */
struct vsec_look_up_wait {
    void (*done)(void *ud, int rc, struct vsec_discharge *d,
        struct v23_walltime cached);
    void *ud; /* also names the look-up to cancel */
};

/*
 * How a store whose state belongs to somebody else has it changed; the state
 * here is a copy for look-ups, but for discharges, which it does not hold.
 * Arguments are valid; results as those of the functions of the same name,
 * which tell no watchers then.
 */
struct vsec_store_remote_ops {
    int (*set)(struct vsec_store *s, struct vsec_blessings *b,
        struct vdl_str pattern, struct vsec_blessings **old);
    int (*set_default)(struct vsec_store *s, struct vsec_blessings *b);
    int (*cache_discharge)(struct vsec_store *s, struct vsec_discharge *d,
        const v23_security_caveat *caveat,
        const v23_security_discharge_impetus *impetus);
    int (*clear_discharges)(struct vsec_store *s,
        struct vsec_discharge *const *v, size_t n);
    int (*discharge)(struct vsec_store *s, const v23_security_caveat *caveat,
        const v23_security_discharge_impetus *impetus,
        struct vsec_discharge **d, struct v23_walltime *cached);
    /* V23_EAGAIN, or why not; and its cancel. */
    int (*discharge_start)(struct vsec_store *s,
        const struct vsec_look_up *what, const struct vsec_look_up_wait *wait);
    void (*discharge_cancel)(struct vsec_store *s, void *ud);
};

/*
 * How changes of a kind of store are made durable. `begin` gives the newest
 * state to change (a store in files locks and reads them again) and `end` is
 * always called after it: with rc == 0 the changed state is kept, else
 * dropped. `end` returns rc, or why keeping failed; then nothing has changed.
 */
struct vsec_store_ops {
    int (*begin)(struct vsec_store *s, struct vsec_store_state **st);
    int (*end)(struct vsec_store *s, struct vsec_store_state *st, int rc);
    void (*destroy)(struct vsec_store *s);
    /* Instead of begin and end; else NULL. */
    const struct vsec_store_remote_ops *remote;
};

/* Told when the default blessings change. May unwatch itself. */
struct vsec_store_watch {
    void (*changed)(void *ud, struct vsec_store *s);
    void *ud;
    struct vsec_store_watch *next; /* private */
};

/* First member of every kind of store; members are private. */
struct vsec_store {
    struct v23_ref ref;
    const struct vsec_store_ops *ops;
    struct vsec_engine *engine; /* a reference */
    struct vsec_pubkey *key;    /* a reference */
    struct vsec_store_state state;
    struct vsec_store_watch *watches;
    const struct v23_log *log;
    bool readonly;
};

/**
 * Make a store in memory, with its discharge cache.
 * @param key  owner; a reference is taken
 */
V23_MUST_USE int vsec_store_new(struct vsec_engine *e, struct vsec_pubkey *key,
    struct vsec_store **out);
struct vsec_store *vsec_store_ref(struct vsec_store *s);
void vsec_store_unref(struct vsec_store *s); /* NULL ignored */
/**
 * Remember which blessings to show to peers that match a pattern.
 *
 * @param b    NULL deletes the entry
 * @param old  receives the previous blessings (a reference, or NULL); may be
 *             NULL
 * @return 0; V23_EPATTERN; V23_EKEYMISMATCH: b is bound to another key;
 *         V23_ENOSYS: the store is read-only; V23_ENOMEM, or what writing the
 *         store met (then nothing has changed)
 */
V23_MUST_USE int vsec_store_set(struct vsec_store *s, struct vsec_blessings *b,
    struct vdl_str pattern, struct vsec_blessings **old);
/**
 * The union of all blessings for a peer with these names.
 * @param out  a reference; NULL when there are none
 * @return 0, V23_ENOMEM, V23_ECRYPTO
 */
V23_MUST_USE int vsec_store_for_peer(struct vsec_store *s, vdl_str_list names,
    struct vsec_blessings **out);
/** Errors as vsec_store_set. */
V23_MUST_USE int vsec_store_set_default(struct vsec_store *s,
    struct vsec_blessings *b);
/** Default blessings; borrowed until the next change; NULL = none. */
struct vsec_blessings *vsec_store_default(const struct vsec_store *s);
/** The peer map, sorted by pattern; borrowed until the next change. */
const struct vsec_store_entry *vsec_store_peers(const struct vsec_store *s,
    size_t *n);
/** Key of the owner; borrowed. */
struct vsec_pubkey *vsec_store_key(const struct vsec_store *s);
/** Start and stop telling `w` (caller's memory) of new default blessings. */
void vsec_store_watch(struct vsec_store *s, struct vsec_store_watch *w);
void vsec_store_unwatch(struct vsec_store *s, struct vsec_store_watch *w);
/**
 * Keep a discharge for later calls (8.6). What cannot be cached (arguments are
 * reported, not a third-party caveat, empty id) is ignored. A read-only store
 * keeps discharges in memory.
 */
V23_MUST_USE int vsec_store_cache_discharge(struct vsec_store *s,
    struct vsec_discharge *d, const v23_security_caveat *caveat,
    const v23_security_discharge_impetus *impetus, struct v23_walltime now);
V23_MUST_USE int vsec_store_clear_discharges(struct vsec_store *s,
    struct vsec_discharge *const *v, size_t n);
/**
 * Look up a cached discharge that has not expired.
 * @param d       a reference; NULL when there is none
 * @param cached  when it was cached; the zero time.Time when unknown; may be
 *                NULL
 */
V23_MUST_USE int vsec_store_discharge(struct vsec_store *s,
    const v23_security_caveat *caveat,
    const v23_security_discharge_impetus *impetus, struct v23_walltime now,
    struct vsec_discharge **d, struct v23_walltime *cached);
/**
 * The same for stores that somebody else has.
 * @return 0: done at once, *d and *cached set; V23_EAGAIN: wait->done follows;
 *         others as above
 */
V23_MUST_USE int vsec_store_discharge_start(struct vsec_store *s,
    const struct vsec_look_up *what, const struct vsec_look_up_wait *wait,
    struct vsec_discharge **d, struct v23_walltime *cached);
/** Give up a look-up: wait->done is not called. */
void vsec_store_discharge_cancel(struct vsec_store *s, void *ud);
enum { VSEC_DISCHARGE_KEY = 32 };
/**
 * Key under which a discharge is cached.
 * @param id        of the third-party caveat
 * @param wants  what the caveat's discharger wants to know
 * @return 0; V23_ENOENT: not cacheable; V23_ELIMIT, V23_ENOMEM, V23_ENOSYS,
 *         V23_ECRYPTO
 */
V23_MUST_USE int vsec_discharge_key(struct vsec_engine *e, struct vdl_str id,
    const v23_security_third_party_requirements *wants,
    const v23_security_discharge_impetus *impetus,
    uint8_t key[VSEC_DISCHARGE_KEY]);
/** Append the table of `principal dump` (14.4). */
V23_MUST_USE int vsec_store_format(const struct vsec_store *s,
    struct v23_buf *out);

/* ---- roots --------------------------------------------------------------- */

struct vsec_roots;

/* Patterns of one root key. Borrowed. */
struct vsec_root {
    struct vdl_bytes key; /* DER */
    struct vdl_str *patterns; /* in the order added */
    size_t npatterns, patterns_cap;
};

/*
 * Who recognizes root certificates that carry an X.509 certificate (7.3): in
 * vsec/x509.h a set of trust anchors. Shared by reference.
 */
struct vsec_x509 {
    struct v23_ref ref;
    /*
     * Does `cert` prove `name`? 0; V23_EUNTRUSTED, or V23_ECERT when it does
     * not even belong to the key or is malformed, both with *why, a constant
     * phrase; V23_ENOMEM, V23_ECRYPTO.
     */
    int (*recognized)(struct vsec_x509 *x,
        const v23_security_certificate *cert, struct vdl_str name,
        struct v23_walltime now, const char **why);
};

/* All roots; private. */
struct vsec_roots_state {
    struct vsec_root *v; /* sorted by key */
    size_t n, cap;
};

/* As struct vsec_store_ops. */
struct vsec_roots_ops {
    int (*begin)(struct vsec_roots *r, struct vsec_roots_state **st);
    int (*end)(struct vsec_roots *r, struct vsec_roots_state *st, int rc);
    void (*destroy)(struct vsec_roots *r);
    /* Instead of begin and end, when the roots belong to somebody else. */
    int (*add)(struct vsec_roots *r, struct vdl_bytes key,
        struct vdl_str pattern);
};

/* First member of every kind of roots; members are private. */
struct vsec_roots {
    struct v23_ref ref;
    const struct vsec_roots_ops *ops;
    struct vsec_engine *engine; /* a reference */
    struct vsec_roots_state state;
    struct vsec_x509 *x509; /* a reference; NULL: none is recognized */
    bool readonly;
};

/** Make empty roots in memory. */
V23_MUST_USE int vsec_roots_new(struct vsec_engine *e,
    struct vsec_roots **out);
struct vsec_roots *vsec_roots_ref(struct vsec_roots *r);
void vsec_roots_unref(struct vsec_roots *r); /* NULL ignored */
/**
 * Recognize a key as authority on the names that match a pattern.
 * @return 0 (also when known already); V23_EPATTERN: "..." is refused;
 *         V23_EKEY; V23_ENOSYS: read-only; V23_ENOMEM, or what writing met
 */
V23_MUST_USE int vsec_roots_add(struct vsec_roots *r, struct vdl_bytes key,
    struct vdl_str pattern);
/** 0 or V23_EUNTRUSTED: is the key an authority on the name? */
V23_MUST_USE int vsec_roots_recognized(const struct vsec_roots *r,
    struct vdl_bytes key, struct vdl_str name);
/**
 * Say who recognizes X.509 certificates from now on; without this call they
 * are refused.
 * @param x  a reference is taken; NULL: nobody
 */
void vsec_roots_use_x509(struct vsec_roots *r, struct vsec_x509 *x);
/**
 * Is a root certificate an authority on the name? One with an X.509
 * certificate is judged by that alone, never by the keys added.
 *
 * @param now  for X.509 certificates, wall clock
 * @param err  set with V23_EUNTRUSTED: UnrecognizedRoot, or a plain text when
 *             the X.509 certificate is malformed or of another key; may be
 *             NULL
 * @return 0, V23_EUNTRUSTED, V23_ENOMEM, V23_ECRYPTO
 */
V23_MUST_USE int vsec_roots_recognized_cert(const struct vsec_roots *r,
    const v23_security_certificate *cert, struct vdl_str name,
    struct v23_walltime now, struct v23_arena *a,
    const struct v23_verror **err);
/** All roots, sorted by key; borrowed until the next change. */
const struct vsec_root *vsec_roots_all(const struct vsec_roots *r, size_t *n);
/** Append the table of `principal dump` (14.4). */
V23_MUST_USE int vsec_roots_format(const struct vsec_roots *r,
    struct v23_buf *out);

/* ---- principals ---------------------------------------------------------- */

struct vsec_principal;
struct vsec_bless;
struct vsec_issue;

/*
 * How a principal does what takes more than a signer: because its key signs
 * nothing but messages for others (an agent), because a certificate says what
 * its name is, or because every use of the key is recorded (vsec/audit.h). A
 * member that is NULL: with the signer. Arguments are checked before, but for
 * an empty name to bless itself with; what comes back must be verified. `issue`
 * is for certificates and discharges signed by the own key.
 */
struct vsec_principal_ops {
    int (*bless)(struct vsec_principal *p, struct vsec_issue *issue,
        const struct vsec_bless *what, struct vsec_blessings **out);
    int (*bless_self)(struct vsec_principal *p, struct vsec_issue *issue,
        struct vdl_str name, v23_security_caveat_list caveats,
        struct vsec_blessings **out);
    int (*mint_discharge)(struct vsec_principal *p, struct vsec_issue *issue,
        const v23_security_caveat *caveat, v23_security_caveat_list caveats,
        struct vsec_discharge **out);
    /* As vsec_principal_sign and vsec_principal_sign_cancel. */
    int (*sign)(struct vsec_principal *p, const void *msg, size_t n,
        struct v23_arena *a, struct vsec_signature *out,
        const struct vsec_sign_wait *wait);
    void (*cancel)(struct vsec_principal *p, void *wait_ud,
        struct v23_op op);
    /* The last owner is gone: free what `ud` points to. */
    void (*destroy)(struct vsec_principal *p);
};

/* Members are for reading and stay the same for the object's life. */
struct vsec_principal {
    struct v23_ref ref;
    const struct vsec_principal_ops *ops; /* NULL: with the signer */
    void *ud;                             /* of ops */
    struct vsec_engine *engine;
    struct vsec_signer *signer; /* NULL: only the public key is known */
    struct vsec_pubkey *key;
    struct vsec_store *store;   /* never NULL */
    struct vsec_roots *roots;   /* never NULL */
    struct v23_buf x509;        /* DER of the key's certificate; or empty */
};

/**
 * Make a principal. References are taken of everything.
 *
 * @param signer  NULL with `key`: public key only, nothing can be signed
 * @param key     NULL with `signer`: the signer's key
 * @param store, roots  NULL = new ones in memory
 * @return 0; V23_EARG (neither signer nor key); V23_EKEYMISMATCH: store or key
 *         of another owner; V23_ENOMEM
 */
V23_MUST_USE int vsec_principal_new(struct vsec_engine *e,
    struct vsec_signer *signer, struct vsec_pubkey *key,
    struct vsec_store *store, struct vsec_roots *roots,
    struct vsec_principal **out);
/** In memory, with a new key (types as vsec_signer_generate). */
V23_MUST_USE int vsec_principal_generate(struct vsec_engine *e,
    const char *key_type, struct vsec_principal **out);
struct vsec_principal *vsec_principal_ref(struct vsec_principal *p);
void vsec_principal_unref(struct vsec_principal *p); /* NULL ignored */

/* What to bless whom with. Borrowed. */
struct vsec_bless {
    struct vsec_pubkey *key;     /* who is blessed */
    struct vsec_blessings *with; /* own blessings that are extended */
    struct vdl_str extension;
    v23_security_caveat_list caveats; /* in wire order: additional ones first,
                                         the mandatory one last; not empty */
};
/**
 * Bless a key (5.3): every chain of `with` is extended.
 * @return 0; V23_EPATTERN: bad extension; V23_EKEYMISMATCH: `with` is not
 *         bound to the principal's key; V23_EARG: `with` is zero or nameless,
 *         or no caveats; V23_ENOSYS: public key only; V23_EAGAIN: the signer
 *         cannot answer at once; V23_ENOMEM, V23_ECRYPTO
 */
V23_MUST_USE int vsec_principal_bless(struct vsec_principal *p,
    const struct vsec_bless *what, struct vsec_blessings **out);
/**
 * Give a name to the principal itself. Errors as above; what a principal with
 * an X.509 certificate may call itself: vsec_principal_use_x509().
 */
V23_MUST_USE int vsec_principal_bless_self(struct vsec_principal *p,
    struct vdl_str name, v23_security_caveat_list caveats,
    struct vsec_blessings **out);
/**
 * Sign a message (purpose S1). Parameters and results as vsec_sign;
 * V23_ENOSYS: public key only.
 */
V23_MUST_USE int vsec_principal_sign(struct vsec_principal *p, const void *msg,
    size_t n, struct v23_arena *a, struct vsec_signature *out,
    const struct vsec_sign_wait *wait);
/** Cancel a vsec_principal_sign() that returned V23_EAGAIN; a stale one is
 * ignored. */
void vsec_principal_sign_cancel(struct vsec_principal *p, void *wait_ud,
    struct v23_op op);
/**
 * Discharge a third-party caveat. That the caveat may be discharged is for the
 * caller to check.
 * @param caveats  of the discharge, in wire order (as in struct vsec_bless)
 * @return 0; V23_EARG: not a third-party caveat, or no caveats; others as
 *         vsec_principal_bless
 */
V23_MUST_USE int vsec_principal_mint_discharge(struct vsec_principal *p,
    const v23_security_caveat *caveat, v23_security_caveat_list caveats,
    struct vsec_discharge **out);
/*
 * The same three for keys that answer later: a secure element that takes its
 * time must not stop an event loop.
 */

/* Who waits. `done` is called once, never from inside the start. On success
 * `b` or `d` is set; it lives during the call, who keeps it takes a
 * reference. */
struct vsec_issue_wait {
    void (*done)(void *ud, int rc, struct vsec_blessings *b,
        struct vsec_discharge *d);
    void *ud;
};

/**
 * Start to bless; arguments are copied or referenced.
 *
 * @param wait  copied
 * @param out   written when 0 is returned
 * @param i     set when V23_EAGAIN is returned, for vsec_issue_cancel()
 * @return 0: done at once; V23_EAGAIN: wait->done follows; V23_ESTATE: the key
 *         can neither sign at once nor later; others as vsec_principal_bless
 */
V23_MUST_USE int vsec_principal_bless_start(struct vsec_principal *p,
    const struct vsec_bless *what, const struct vsec_issue_wait *wait,
    struct vsec_blessings **out, struct vsec_issue **i);
/** The same for vsec_principal_bless_self(). */
V23_MUST_USE int vsec_principal_bless_self_start(struct vsec_principal *p,
    struct vdl_str name, v23_security_caveat_list caveats,
    const struct vsec_issue_wait *wait, struct vsec_blessings **out,
    struct vsec_issue **i);
/* What to discharge, and for how long. Borrowed. */
struct vsec_mint {
    const v23_security_caveat *caveat;
    v23_security_caveat_list caveats; /* of the discharge */
};
/** The same for vsec_principal_mint_discharge(). */
V23_MUST_USE int vsec_principal_mint_start(struct vsec_principal *p,
    const struct vsec_mint *what, const struct vsec_issue_wait *wait,
    struct vsec_discharge **out, struct vsec_issue **i);
/** Give up: wait->done is not called. The issue is dead. */
void vsec_issue_cancel(struct vsec_issue *i);

/** Recognize the roots of blessings; nameless ones change nothing. */
V23_MUST_USE int vsec_principal_add_to_roots(struct vsec_principal *p,
    const struct vsec_blessings *b);
/** Recognize their roots, make them the default and show them to all peers. */
V23_MUST_USE int vsec_principal_set_default_blessings(
    struct vsec_principal *p, struct vsec_blessings *b);

#ifdef __cplusplus
}
#endif
#endif
