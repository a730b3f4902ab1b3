/* BSD-3-Clause; see LICENSE. */
/* What the protocol of 2014 keeps of a call. Shared by json_*.c. */
#ifndef WSPR_JSON_CALLS_INT_H
#define WSPR_JSON_CALLS_INT_H

#include <stdarg.h>

#include "json_era_int.h"

enum wspr_json_what_ {
    WSPR_JSON_CALL_,           /* of a remote object */
    WSPR_JSON_SIGNATURE_CALL_, /* what it can do */
    WSPR_JSON_STOP_CALL_       /* of a server */
};

/* In the call's arena. */
struct wspr_json_call_ {
    struct wspr_signature_wait_ w; /* first */
    struct wspr_call_ *call;
    enum wspr_json_what_ what;
    struct v23_bytes args;       /* as the page wrote them */
    v23_signature_method method; /* zero until it is known */
    const struct vdl_list *interfaces; /* only while they are written */
};

static inline struct wspr_json_call_ *wspr_json_of_call_(
    const struct wspr_call_ *call)
{
    return (void *)(uintptr_t)call->e.era_data;
}

/* A call that has no id yet; NULL: the page has been told why. */
struct wspr_call_ *wspr_json_call_new_(
    struct wspr_ctl *c, int64_t id, enum wspr_json_what_ what);
/* What ends by wspr_local_done_() without results. */
extern const struct wspr_local_ wspr_json_control_;

/* A value of type t; what any holds instead of an any. On failure *why is not
 * empty. */
V23_MUST_USE int wspr_json_value_(struct v23_bytes json,
    const struct vdl_type *t, struct v23_arena *a, struct vdl_any *out,
    struct v23_buf *why);

#endif
