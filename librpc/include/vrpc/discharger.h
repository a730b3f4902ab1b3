/* BSD-3-Clause; see LICENSE. */
/**
 * The service that discharges third-party caveats (interface
 * v.io/x/ref/services/discharger.Discharger), as an object for a server. Its
 * authorizer should be vsec_auth_everyone: who gets a discharge is said by the
 * caveats inside the third-party caveat, which are validated in the context of
 * the call.
 *
 * A discharge expires. When the caveat wants the method or the server to be
 * reported, the discharge is good for the reported ones only, and there is none
 * when nothing was reported.
 *
 * Source: spec/security.md 8.4, services.md 11.2.
 */
#ifndef VRPC_DISCHARGER_H
#define VRPC_DISCHARGER_H

#include <v23/log.h>
#include <vrpc/iface.h>
#include <vsec/check.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VRPC_DISCHARGE_NS (INT64_C(900) * 1000000000)

/* Caller's memory; everything lives as long as the object is served. */
struct vrpc_discharger {
    struct vsec_principal *principal; /* mints; NULL = the server's */
    int64_t duration_ns; /* life of a discharge; V23_NEVER: does not expire */
    /*
     * What may be inside a third-party caveat; NULL = the standard kinds. Other
     * caveats are refused. See also vsec/revocations.h and
     * vrpc_discharger_logging().
     */
    const struct vsec_caveat_kinds *kinds;
    const struct v23_log *log; /* refusals, at V23_LOG_INFO; NULL = silent */
};

/** The object to be served. */
struct vrpc_object vrpc_discharger_object(struct vrpc_discharger *d);
/**
 * The kind Logging: always valid, and its texts are logged at V23_LOG_INFO
 * together with who calls.
 * @param log  lives as long as the kind; may be NULL
 */
struct vsec_caveat_kind vrpc_discharger_logging(const struct v23_log *log);

#ifdef __cplusplus
}
#endif
#endif
