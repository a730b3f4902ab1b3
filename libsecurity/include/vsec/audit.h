/* BSD-3-Clause; see LICENSE. */
/**
 * Principals whose every use of the private key is recorded.
 *
 * Records are made of Bless, BlessSelf, Sign and MintDischarge after they have
 * succeeded. When a record cannot be kept, the result is withheld. Signatures
 * and discharges are not part of a record. Source: spec/security.md 7.1.
 */
#ifndef VSEC_AUDIT_H
#define VSEC_AUDIT_H

#include <vsec/principal.h>

#ifdef __cplusplus
extern "C" {
#endif

enum vsec_audited {
    VSEC_AUDIT_BLESS,
    VSEC_AUDIT_BLESS_SELF,
    VSEC_AUDIT_SIGN,
    VSEC_AUDIT_MINT_DISCHARGE
};

/* What was done. Borrowed; members that do not belong to a method are zero. */
struct vsec_audit_record {
    enum vsec_audited method;
    const struct vsec_bless *bless;        /* Bless */
    struct vdl_str name;                   /* BlessSelf */
    struct v23_bytes message;              /* Sign */
    const v23_security_caveat *discharged; /* MintDischarge: for this caveat */
    v23_security_caveat_list caveats;      /* BlessSelf, MintDischarge; in wire
                                              order, see struct vsec_bless */
    const struct vsec_blessings *result;   /* Bless, BlessSelf */
};

/* Who keeps the records. */
struct vsec_auditor {
    /* 0: it is kept. Anything else: the operation fails with V23_EAUDIT. */
    int (*record)(void *ud, const struct vsec_audit_record *r);
    void *ud;
};

/**
 * Make a principal that does everything by way of `p` and has it recorded.
 *
 * Key, store and roots are those of `p`; what signs with the signer itself
 * (writing a credentials directory) is not recorded.
 * @param auditor  copied; its `ud` must outlive the principal
 * @return 0, V23_ENOMEM
 *
 * Ownership: a reference of `p` is taken.
 */
V23_MUST_USE int vsec_principal_audited(struct vsec_principal *p,
    const struct vsec_auditor *auditor, struct vsec_principal **out);

/**
 * Append a record as text: `2006-01-02T15:04:05Z: Method(arg, …) = (result)`,
 * without newline. Keys appear as fingerprints, blessings as their names,
 * control characters as `?`.
 * @param when  of the record; fractions of seconds are left out
 * @return 0, V23_ENOMEM, V23_ELIMIT, V23_ENOSYS (no MD5 in this provider),
 *         V23_ECRYPTO; then nothing stays appended
 */
V23_MUST_USE int vsec_audit_format(struct vsec_engine *e,
    const struct vsec_audit_record *r, struct v23_walltime when,
    struct v23_buf *out);

#ifdef __cplusplus
}
#endif
#endif
