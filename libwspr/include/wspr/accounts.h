/* BSD-3-Clause; see LICENSE. */
/**
 * Accounts of a user, and principals for the web origins that act for him.
 *
 * A user has accounts: blessings that providers of identity gave to the
 * proxy's own principal. Every origin (`https://app.example.com:443`) that he
 * has associated with one of them gets, for each connection, a new principal
 * blessed `ACCOUNT:ORIGIN`. Kept are accounts and associations, never keys of
 * origins.
 *
 * No I/O: what is kept is read and written through hooks, which have it
 * signed. Objects belong to the engine's thread. Functions that can fail write
 * a sentence to `why`. Source: spec/wspr.md 14.
 */
#ifndef WSPR_ACCOUNTS_H
#define WSPR_ACCOUNTS_H

#include <v23/vdl/v.io/x/ref/services/wspr/internal/account/account.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/principal/principal.vdl.h>
#include <vrpc/client.h>
#include <vsec/credentials.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WSPR_WHY = VSEC_CRED_WHY, /* characters of a reason with its NUL */
    WSPR_ACCOUNTS_MAX = 1024,
    WSPR_ORIGINS_MAX = 16384
};

/* ---- the state ----------------------------------------------------------- */

/*
 * Where the state is kept, signed. Calls block; none may come back to the
 * manager.
 */
struct wspr_state_io {
    /* Append what was saved, verified. 0; V23_ENOENT: nothing was saved so
     * far; others with a sentence in `why`. */
    int (*load)(void *ud, struct v23_buf *out, char why[WSPR_WHY]);
    /* Keep it, all or nothing. 0, or an error with a sentence. */
    int (*save)(void *ud, struct v23_bytes data, char why[WSPR_WHY]);
    void *ud;
};
/** In two files; `f` is borrowed for the manager's life. Its principal is that
 * of the manager. */
struct wspr_state_io wspr_state_files(const struct vsec_signed_files *f);

/* ---- principals of origins ----------------------------------------------- */

struct wspr_principals; /* opaque */

/**
 * Make a manager and read its state.
 *
 * @param root  the proxy's principal; a reference is taken. It signs for the
 *              origins, at once or later, and what is saved, at once
 * @param io    copied; NULL = the state lives as long as the manager
 * @return 0; V23_ESIG, V23_ETAMPERED: the state is not what was saved; a
 *         decoding error, or one about blessings in it; what io->load
 *         returned; V23_ENOMEM
 */
V23_MUST_USE int wspr_principals_new(struct vsec_principal *root,
    const struct wspr_state_io *io, struct wspr_principals **out,
    char why[WSPR_WHY]);
void wspr_principals_free(struct wspr_principals *m); /* NULL ignored */
/** The proxy's principal; borrowed. */
struct vsec_principal *wspr_principals_root(const struct wspr_principals *m);

/**
 * Add an account, or replace the blessings of one; saved at once.
 *
 * @param b  bound to the root principal's key; a reference is taken
 * @return 0; V23_EARG: no name or no blessings; V23_EKEYMISMATCH; V23_ELIMIT:
 *         WSPR_ACCOUNTS_MAX; V23_ENOMEM; or why saving failed. Unless 0,
 *         nothing has changed.
 */
V23_MUST_USE int wspr_principals_add_account(struct wspr_principals *m,
    struct vdl_str name, struct vsec_blessings *b, char why[WSPR_WHY]);
/** Names of all accounts, sorted; borrowed until the next change. */
vdl_str_list wspr_principals_accounts(const struct wspr_principals *m);
/** Blessings of an account, borrowed until the next change; NULL: there is no
 * such account. */
struct vsec_blessings *wspr_principals_blessings(
    const struct wspr_principals *m, struct vdl_str account);
/**
 * Associate an origin with an account, or associate it anew; saved at once.
 *
 * @param p  copied; without caveats the origin may do what the account may
 * @return 0; V23_EARG: no origin; V23_ENOENT: unknown account; V23_ELIMIT:
 *         WSPR_ORIGINS_MAX; V23_ENOMEM; or why saving failed. Unless 0,
 *         nothing has changed.
 */
V23_MUST_USE int wspr_principals_add_origin(struct wspr_principals *m,
    struct vdl_str origin, const v23_wspr_principal_permissions *p,
    char why[WSPR_WHY]);
/** Is the origin associated with an account that exists, and did nothing of
 * that expire? */
bool wspr_principals_has_account(const struct wspr_principals *m,
    struct vdl_str origin, struct v23_walltime now);
/* A principal that is being made. The caller's memory, in place until `done` or
 * wspr_principals_make_cancel(). */
struct wspr_making {
    /* Once, never from inside wspr_principals_make(). rc 0: the principal,
     * which lives during the call; who keeps it takes a reference. Else why. */
    void (*done)(void *ud, int rc, struct vsec_principal *p, const char *why);
    void *ud;
    struct vsec_principal *p;  /* private, as is this */
    struct vsec_issue *issue;
};
/**
 * Make a principal for one connection of an origin: a new P-256 key, blessed
 * by the origin's account with the origin, and what follows from it as default
 * blessings, for all peers and as root.
 *
 * @param k    `done` and `ud` set; NULL = nobody can wait
 * @param out  a reference, when 0 is returned
 * @return 0; V23_EAGAIN: the root's key (in an agent, say) signs later, and
 *         k->done follows, or, without k, cannot sign at once; V23_ENOENT:
 *         unknown origin; V23_ESTATE: its account is unknown, or the key can
 *         sign neither now nor later; V23_EKEYMISMATCH, V23_ENOSYS, V23_ENOMEM,
 *         V23_ECRYPTO
 */
V23_MUST_USE int wspr_principals_make(struct wspr_principals *m,
    struct vdl_str origin, struct wspr_making *k, struct vsec_principal **out,
    char why[WSPR_WHY]);
/** Give up one that is under way, before the manager goes: no `done`. */
void wspr_principals_make_cancel(struct wspr_making *k);
/**
 * An account for origins that nobody has associated: a blessing that the root
 * principal gives itself, made the first time. Errors as of
 * wspr_principals_add_account().
 * @param name  constant
 */
V23_MUST_USE int wspr_principals_dummy(struct wspr_principals *m,
    struct vdl_str *name, char why[WSPR_WHY]);
/** Append an origin as it appears in blessing names: all but letters, digits
 * and "-_.~" as %XX, blanks as "+". */
void wspr_query_escape(struct v23_buf *out, struct vdl_str s);

/* ---- accounts ------------------------------------------------------------ */

struct wspr_accounts; /* opaque */

/**
 * @param m       borrowed for the object's life
 * @param c       client of the root principal; may be freed before or after
 * @param identd  object name of the service that knows the user; copied
 */
V23_MUST_USE int wspr_accounts_new(struct wspr_principals *m,
    struct vrpc_client *c, const char *identd, struct wspr_accounts **out);
/** Calls under way end without their `done`. NULL is ignored. */
void wspr_accounts_free(struct wspr_accounts *a);

/* rc 0: the account is there. Else why: `Error getting blessing for access
 * token: …` or `Error adding account: …`. Valid during the call. */
typedef void wspr_account_done_fn(void *ud, int rc, struct vdl_str account,
    const char *why);
/**
 * Have the user's provider bless the proxy, and add that as an account, named
 * by the names of the service, joined with '#', and the user's address. Gives
 * up after a minute.
 *
 * @param token  access token that the user's browser was given; copied
 * @return 0: done follows, once, not from inside; V23_ENOMEM; V23_ELIMIT:
 *         WSPR_CREATE_MAX are under way
 */
V23_MUST_USE int wspr_accounts_create(struct wspr_accounts *a,
    struct vdl_str token, wspr_account_done_fn *done, void *ud);
enum { WSPR_CREATE_MAX = 64 };
/**
 * Associate an origin with an account, restricted by caveats: "ExpiryCaveat"
 * with a duration from now as in Go (`24h`, `1h30m`), "MethodCaveat" with
 * method names, separated by commas.
 *
 * @return 0; V23_ETEXT: no such caveat or duration (`failed to construct
 *         caveats: …`); others of wspr_principals_add_origin() (`failed to
 *         associate account: …`)
 */
V23_MUST_USE int wspr_principals_associate(struct wspr_principals *m,
    struct vdl_str origin, struct vdl_str account,
    const v23_wspr_account_caveat *caveats, size_t ncaveats,
    struct v23_walltime now, char why[WSPR_WHY]);

#ifdef __cplusplus
}
#endif
#endif
